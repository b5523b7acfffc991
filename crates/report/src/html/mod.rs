//! The page that a compliance lead forwards: one HTML file that loads nothing
//! and runs nothing. The template escapes every text of the report; what is not
//! escaped is made here, from numbers and fixed words.

mod chart;
mod index;

use std::collections::BTreeMap;
use std::fmt;

use askama::Template;
use askama::filters::HtmlSafe;
use domain::FindingId;

use crate::ReportError;
use crate::phrase::{self, Zone};
use crate::v1::{
    App, CauseCount, Exposure, Finding, FindingState, KeyTrial, Look, Report, RootCause, Severity,
    Source, Time, Verdict, WatcherFinding,
};

pub use index::{Night, index_html};

/// Up to so many findings, critical and high ones are shown unfolded; more make a page that
/// nobody scrolls. Nothing is left out: the rest unfolds, and print shows all.
const UNFOLDED_MAX: usize = 60;

/// What an HTML page shows besides the report.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct HtmlOptions {
    /// For some findings, a drawing of the person's neighbourhood in the identity graph: one
    /// whole SVG document each. It is embedded as an image, where no script runs.
    pub neighbourhoods: BTreeMap<FindingId, String>,
}

/// The report as one self-contained HTML page.
///
/// # Errors
///
/// Returns [`ReportError::Page`] when the page cannot be put together.
pub fn html(report: &Report, options: &HtmlOptions) -> Result<String, ReportError> {
    let zone = Zone::of(report);
    let page = Page { report, options, zone, is_long: report.findings.len() > UNFOLDED_MAX };
    page.render().map_err(ReportError::Page)
}

/// A time as HTML: in the report's zone, in UTC when pointed at.
struct Moment {
    shown: String,
    utc: Time,
}

impl fmt::Display for Moment {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { shown, utc } = self;
        write!(f, "<time datetime=\"{utc}\" title=\"{utc}\">{shown}</time>")
    }
}

// Digits, blanks and signs only.
impl HtmlSafe for Moment {}

/// A drawing made of numbers and fixed words.
struct Drawing(String);

impl fmt::Display for Drawing {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

// See `chart`.
impl HtmlSafe for Drawing {}

/// A sentence of the report: escaped, and what stands in backquotes set as code.
struct Prose(String);

impl fmt::Display for Prose {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let parts: Vec<&str> = self.0.split('`').collect();
        // An odd number of backquotes is no pair: then they are what they are.
        let is_paired = parts.len() % 2 == 1;
        for (at, part) in parts.iter().enumerate() {
            let part =
                askama::filters::escape(part, askama::filters::Html).map_err(|_| fmt::Error)?;
            match (at % 2, is_paired) {
                (1, true) => write!(f, "<code><bdi>{part}</bdi></code>")?,
                (_, false) if at > 0 => write!(f, "`{part}")?,
                _ => write!(f, "{part}")?,
            }
        }
        Ok(())
    }
}

// Each part is escaped when it is written.
impl HtmlSafe for Prose {}

/// Findings of one severity, or those that are over.
struct Group<'a> {
    title: &'static str,
    anchor: &'static str,
    findings: Vec<&'a Finding>,
}

#[derive(Template)]
#[template(path = "report.html", whitespace = "minimize")]
struct Page<'a> {
    report: &'a Report,
    options: &'a HtmlOptions,
    zone: Zone,
    is_long: bool,
}

/// What the template asks for. Its calls pass references, also to small values.
impl<'a> Page<'a> {
    fn at(&self, time: &Time) -> Moment {
        Moment { shown: self.zone.time(*time), utc: *time }
    }

    fn day(&self) -> String {
        self.zone.day(self.report.now)
    }

    fn prose(&self, text: &str) -> Prose {
        Prose(text.to_owned())
    }

    fn headline(&self) -> String {
        phrase::headline(self.report)
    }

    fn since_last(&self) -> String {
        phrase::since_last(self.report)
    }

    fn is_proven(&self) -> bool {
        !self.report.apps.is_empty() && self.report.apps.iter().all(|it| it.proves_absence)
    }

    fn groups(&self) -> Vec<Group<'a>> {
        let live = |severity| {
            self.report
                .findings
                .iter()
                .filter(move |it| it.state.is_live() && it.severity == severity)
        };
        let over = self.report.findings.iter().filter(|it| !it.state.is_live());
        let mut groups: Vec<Group<'a>> = [
            ("Critical", "critical", Severity::Critical),
            ("High", "high", Severity::High),
            ("Medium", "medium", Severity::Medium),
            ("Low", "low", Severity::Low),
        ]
        .into_iter()
        .map(|(title, anchor, severity)| Group {
            title,
            anchor,
            findings: live(severity).collect(),
        })
        .collect();
        groups.push(Group { title: "Over", anchor: "over", findings: over.collect() });
        groups.retain(|it| !it.findings.is_empty());
        groups
    }

    /// What is wrong with the watching, without what is named over the findings that come of it.
    fn watcher(&self) -> Vec<&'a WatcherFinding> {
        self.report.watcher.iter().filter(|it| !it.is_over_findings()).collect()
    }

    fn deprovision(&self, it: &crate::v1::Deprovision) -> String {
        phrase::deprovision(it, self.zone)
    }

    fn began(&self, root: &RootCause) -> String {
        phrase::began(root, self.zone)
    }

    /// What this run did to findings, without what it left alone.
    fn changed(&self) -> Vec<&'a Finding> {
        let is_changed = |it: &&Finding| it.change != crate::v1::Change::Unchanged;
        self.report.findings.iter().filter(is_changed).collect()
    }

    fn is_open(&self, finding: &Finding) -> bool {
        !self.is_long && finding.severity >= Severity::High && finding.state.is_live()
    }

    fn trend(&self) -> Option<Drawing> {
        chart::trend(self.report, |time| self.zone.short_day(time)).map(Drawing)
    }

    fn ageing(&self) -> Drawing {
        Drawing(chart::ageing(self.report))
    }

    fn verdict_bar(&self, app: &App) -> Drawing {
        Drawing(chart::verdict_bar(app))
    }

    /// Class, name and number of each verdict that an app has.
    fn legend(&self, app: &App) -> Vec<(&'static str, &'static str, String)> {
        Verdict::ALL
            .iter()
            .filter(|it| app.count(**it) > 0)
            .map(|it| {
                let n = phrase::thousands(app.count(*it));
                (chart::verdict_class(*it), phrase::verdict(*it), n)
            })
            .collect()
    }

    fn n(&self, n: &u64) -> String {
        phrase::thousands(*n)
    }

    fn time_to_deactivate(&self, it: &crate::v1::TimeToDeactivate) -> String {
        phrase::time_to_deactivate(it, self.zone)
    }

    fn count(&self, n: &u64, noun: &str) -> String {
        phrase::count(*n, noun)
    }

    fn bytes(&self, n: &u64) -> String {
        phrase::bytes(*n)
    }

    fn app_result(&self, app: &App) -> String {
        phrase::app_result(app)
    }

    fn grade(&self, app: &App) -> &'static str {
        phrase::grade(app.grade)
    }

    fn meaning(&self, line: &CauseCount) -> &'static str {
        phrase::cause(line.cause)
    }

    fn meaning_of(&self, finding: &Finding) -> &'static str {
        phrase::cause(finding.cause)
    }

    fn mark(&self, severity: &Severity) -> &'static str {
        match severity {
            Severity::Critical => "◆",
            Severity::High => "▲",
            Severity::Medium => "●",
            Severity::Low => "○",
        }
    }

    fn state(&self, finding: &Finding) -> String {
        phrase::state(finding, self.report.now, self.zone)
    }

    /// One word for the list: `in grace` says more than `pending`.
    fn state_word(&self, finding: &Finding) -> &'static str {
        match finding.state {
            FindingState::Pending if self.report.now < finding.grace_until => "in grace",
            FindingState::Pending => "seen once",
            FindingState::NotVisible => "not visible",
            FindingState::FalsePositive => "false positive",
            state => state.name(),
        }
    }

    fn change(&self, finding: &Finding) -> &'static str {
        phrase::change(finding.change)
    }

    fn exposure(&self, finding: &Finding) -> Option<String> {
        phrase::exposure(finding)
    }

    fn started(&self, exposure: &Exposure) -> String {
        phrase::started(exposure, self.zone)
    }

    fn stretch(&self, all: &[Exposure], it: &Exposure) -> String {
        phrase::stretch(all, it)
    }

    fn sla_word(&self, sla: &crate::v1::SlaResult) -> &'static str {
        phrase::sla(sla.outcome)
    }

    fn clock(&self, sla: &crate::v1::SlaResult) -> &'static str {
        phrase::clock(sla.clock)
    }

    fn tier(&self, trial: &KeyTrial) -> &'static str {
        phrase::tier(trial.tier)
    }

    fn outcome(&self, trial: &KeyTrial) -> &'static str {
        phrase::outcome(trial.outcome)
    }

    fn look(&self, look: &Look) -> String {
        phrase::stream(&look.system, look.list, look.channel)
    }

    fn stream(&self, source: &Source) -> String {
        phrase::stream(&source.system, source.list, source.channel)
    }

    fn basis(&self, as_of: &crate::v1::AsOf) -> &'static str {
        phrase::basis(as_of.basis)
    }

    fn coverage(&self, source: &Source) -> Prose {
        Prose(phrase::coverage(source))
    }

    fn ledger(&self, head: &crate::v1::LedgerHead) -> String {
        phrase::ledger(head, self.zone)
    }

    /// The neighbourhood as the address of an image, percent-encoded.
    fn neighbourhood(&self, finding: &Finding) -> Option<String> {
        let svg = self.options.neighbourhoods.get(&FindingId::parse(&finding.id)?)?;
        let mut url = "data:image/svg+xml,".to_owned();
        for byte in svg.bytes() {
            if byte.is_ascii_alphanumeric() || b"-_.~=;,".contains(&byte) {
                url.push(char::from(byte));
            } else {
                url.push_str(&format!("%{byte:02X}"));
            }
        }
        Some(url)
    }
}
