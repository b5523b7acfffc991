//! Findings in plain text: a few lines in a list, everything for one.

use domain::FindingId;

use super::line::{Paint, Style, clean, wrap};
use super::severity;
use crate::Filter;
use crate::phrase::{self, Zone};
use crate::v1::{Finding, KeyTrial, Report, Tier};

/// What stands in for personal data on a page without names.
const WITHHELD: &str = "(withheld)";

/// Texts shorter than this are not searched for: `Al` is in half of all words.
const NAME_LEN_MIN: usize = 4;

/// The chosen findings, a few lines each, in the report's order. Says how many it left out.
#[must_use]
pub fn findings_text(report: &Report, filter: &Filter, style: Style) -> String {
    let chosen = filter.select(report);
    let limit = style.limit.unwrap_or(usize::MAX);
    let mut page = String::new();
    if chosen.is_empty() {
        let text = match report.apps.iter().find(|it| !it.proves_absence) {
            None => "No finding matches.".to_owned(),
            Some(app) => format!(
                "0 findings match: not proven, for coverage of {} is {}.",
                clean(&app.app),
                app.grade.name()
            ),
        };
        page.push_str(&wrap("  ", &text, 2, style.columns()));
    }
    root_causes(&mut page, report, &chosen, style);
    for finding in chosen.iter().take(limit) {
        brief(&mut page, report, finding, style);
    }
    let n_more = chosen.len().saturating_sub(limit);
    if n_more > 0 {
        let more = format!("… and {} more", phrase::thousands(n_more as u64));
        page.push_str(&format!("  {}\n", style.paint(Paint::Quiet, &more)));
    }
    page
}

/// What is behind several of the chosen findings, each cause once, with the findings beneath it. They
/// stand below as they would without it.
fn root_causes(page: &mut String, report: &Report, chosen: &[&Finding], style: Style) {
    for (cause, root) in report.root_causes() {
        let under = |numbers: &[String]| -> Vec<&Finding> {
            chosen.iter().copied().filter(|it| numbers.contains(&it.id)).collect()
        };
        let (sure, perhaps) = (under(&root.explains), under(&root.may_explain));
        if sure.is_empty() && perhaps.is_empty() {
            continue;
        }
        super::watched(page, cause, style);
        let zone = Zone::of(report);
        let kinds = [("    explains ", sure), ("    may explain ", perhaps)];
        for (words, findings) in kinds.into_iter().filter(|it| !it.1.is_empty()) {
            page.push_str(&wrap(words, &phrase::under(&findings), 6, style.columns()));
        }
        page.push_str(&wrap("    ", &phrase::began(root, zone), 6, style.columns()));
        page.push('\n');
    }
}

/// Head, who, how long, what next: four lines, more where they must wrap.
fn brief(page: &mut String, report: &Report, finding: &Finding, style: Style) {
    let zone = Zone::of(report);
    let columns = style.columns();
    let head = [
        super::pad(&finding.id, 7),
        severity(finding.severity, 8, style),
        style.paint(Paint::Heading, finding.cause.name()),
        clean(&finding.app),
    ];
    page.push_str(&format!("  {}\n", head.join("  ")));
    page.push_str(&wrap("", &phrase::state(finding, report.now, zone), 11, columns));
    page.push_str(&wrap("", &clean(&who(finding, style)), 11, columns));
    let mut since = format!("since {}", zone.time(finding.clock_from));
    if let Some(exposure) = phrase::exposure(finding) {
        since.push_str(&format!("; exposure {exposure}"));
    }
    if let Some(sla) = &finding.sla {
        since.push_str(&format!("; SLA {}", phrase::sla(sla.outcome)));
    }
    page.push_str(&wrap("", &since, 11, columns));
    page.push_str(&wrap(
        "           next: ",
        &redacted(&finding.next_action, finding, style),
        17,
        columns,
    ));
}

/// `account secureframe/5f0c, owner okta/00u3`; names only where the style asks for them.
fn who(finding: &Finding, style: Style) -> String {
    let subject = &finding.subject;
    let mut text = format!("{} {}/{}", subject.kind.name(), subject.system, subject.key);
    if finding.subject.kind == crate::v1::SubjectKind::Account {
        text.push_str(&match finding.person.identities.as_slice() {
            [] => ", no owner".to_owned(),
            owners => format!(", owner {}", owners.join(" or ")),
        });
    }
    if style.names {
        let known = [&finding.person.name, &finding.person.login];
        for name in known.into_iter().flatten() {
            text.push_str(&format!(", {name}"));
        }
    }
    text
}

/// All that the report knows of one finding; `None` when the report does not hold it.
#[must_use]
pub fn finding_text(report: &Report, id: FindingId, style: Style) -> Option<String> {
    let finding = report.finding(id)?;
    let zone = Zone::of(report);
    let mut page = String::new();
    let head = format!(
        "{}  {}  {}  {}",
        finding.id,
        finding.severity.name(),
        finding.cause.name(),
        clean(&finding.app)
    );
    page.push_str(&style.paint(Paint::Heading, &head));
    page.push('\n');
    let columns = style.columns();
    page.push_str(&wrap("", &redacted(&finding.explanation.summary, finding, style), 0, columns));
    page.push('\n');
    for (label, value) in fields(report, finding, style, zone) {
        let first = style.paint(Paint::Quiet, &super::pad(&format!("  {label}"), 16));
        page.push_str(&first);
        page.push_str(wrap("", &value, 16, columns).trim_start());
    }
    reasons(&mut page, finding, style, zone);
    Some(page)
}

/// Label and value of each single fact.
fn fields(
    report: &Report,
    finding: &Finding,
    style: Style,
    zone: Zone,
) -> Vec<(&'static str, String)> {
    let mut fields = vec![("who", clean(&who(finding, style)))];
    fields.extend(report.causes_of(&finding.id).map(|(it, is_sure)| {
        let label = if is_sure { "comes of" } else { "may come of" };
        (label, clean(&it.text))
    }));
    fields.extend([
        ("next", redacted(&finding.next_action, finding, style)),
        ("state", phrase::state(finding, report.now, zone)),
        (
            "last change",
            format!(
                "{}: {}",
                phrase::change(finding.change),
                redacted(&finding.because, finding, style)
            ),
        ),
        ("meaning", phrase::cause(finding.cause).to_owned()),
        (
            "privileged",
            match finding.is_privileged {
                Some(true) => "yes".to_owned(),
                Some(false) => "no".to_owned(),
                None => phrase::no_roles(finding).to_owned(),
            },
        ),
        ("first seen", format!("{}, run {}", zone.time(finding.detected_at), finding.detected_run)),
        ("last seen", zone.time(finding.last_seen_at)),
        ("clock from", zone.time(finding.clock_from)),
        ("grace until", zone.time(finding.grace_until)),
    ]);
    if let Some(opened) = finding.opened_at {
        fields.push(("opened", zone.time(opened)));
    }
    if let Some(resolved) = finding.resolved_at {
        fields.push(("resolved", zone.time(resolved)));
    }
    if finding.n_reopened > 0 {
        fields.push(("reopened", phrase::count(u64::from(finding.n_reopened), "time")));
    }
    if let Some(sum) = phrase::exposure(finding) {
        fields.push(("exposure", sum));
    }
    if let Some(sla) = &finding.sla {
        fields.push(("SLA", sla_text(sla, zone)));
    }
    fields.push(("fingerprint", finding.fingerprint.clone()));
    fields
}

fn sla_text(sla: &crate::v1::SlaResult, zone: Zone) -> String {
    let deadline = sla.deadline_at.map_or("no deadline: no start is known".to_owned(), |it| {
        format!("deadline {}", zone.time(it))
    });
    format!(
        "{}: {}; {deadline}, from {} ({}, policy {})",
        phrase::sla(sla.outcome),
        clean(&sla.because),
        phrase::clock(sla.clock),
        clean(&sla.limit),
        sla.policy_version
    )
}

/// Exposure, facts, keys and absences, each under its heading.
fn reasons(page: &mut String, finding: &Finding, style: Style, zone: Zone) {
    let why = &finding.explanation;
    let exposures = finding.exposures.iter().map(|it| {
        let seen = |time: Option<_>| time.map_or("never".to_owned(), |it| zone.time(it));
        format!(
            "began {}; last seen active {}; first seen inactive {}: {}",
            phrase::started(it, zone),
            seen(it.last_seen_active),
            it.first_seen_inactive.map_or("not yet".to_owned(), |it| zone.time(it)),
            phrase::stretch(&finding.exposures, it)
        )
    });
    let facts = why
        .facts
        .iter()
        .map(|it| format!("{} [{}, as of {}]", it.text, it.source, zone.time(it.at)));
    let looks = finding.looks.iter().map(|it| {
        let assumed = if it.is_assumed { ", assumed" } else { "" };
        let stream = phrase::stream(&it.system, it.list, it.channel);
        format!("{stream} as of {}{assumed}, SHA-256 {}", zone.time(it.as_of), it.body_sha256)
    });
    let trials = why.trials.iter().map(|it| trial(it, style));
    group(page, "Exposure", exposures, finding, style);
    group(page, "What was seen", facts, finding, style);
    group(page, "Keys tried, strongest first", trials, finding, style);
    group(page, "What was not seen", why.absences.iter().cloned(), finding, style);
    group(page, "First shown by", looks, finding, style);
}

fn group(
    page: &mut String,
    title: &str,
    lines: impl Iterator<Item = String>,
    finding: &Finding,
    style: Style,
) {
    for (at, line) in lines.enumerate() {
        if at == 0 {
            page.push_str(&format!("\n{}\n", style.paint(Paint::Heading, title)));
        }
        page.push_str(&wrap("  - ", &redacted(&line, finding, style), 4, style.columns()));
    }
}

fn trial(trial: &KeyTrial, style: Style) -> String {
    let is_personal = matches!(trial.tier, Tier::UserName | Tier::Email) && !style.names;
    let value = match trial.value.as_str() {
        "" => String::new(),
        _ if is_personal => format!(" {WITHHELD}"),
        value => format!(" `{value}`"),
    };
    let detail = trial.detail.as_ref().map_or(String::new(), |it| format!(": {it}"));
    format!("{}{value} {}{detail}", phrase::tier(trial.tier), phrase::outcome(trial.outcome))
}

/// `text` for a terminal. Without names, the person's name, login and the addresses that were
/// compared are taken out wherever they stand.
fn redacted(text: &str, finding: &Finding, style: Style) -> String {
    if style.names {
        return clean(text);
    }
    let keys = finding.explanation.trials.iter();
    let addresses = keys
        .filter(|it| matches!(it.tier, Tier::UserName | Tier::Email))
        .map(|it| it.value.as_str());
    let labels = [&finding.person.name, &finding.person.login];
    let mut personal: Vec<&str> = labels.into_iter().flatten().map(String::as_str).collect();
    personal.extend(addresses);
    // The longest first: a login may be the beginning of an address.
    personal.sort_by_key(|it| std::cmp::Reverse(it.len()));
    let mut text = text.to_owned();
    for it in personal.into_iter().filter(|it| it.len() >= NAME_LEN_MIN) {
        text = text.replace(it, WITHHELD);
    }
    clean(&text)
}
