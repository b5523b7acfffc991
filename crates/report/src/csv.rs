//! Findings as CSV for spreadsheets: RFC 4180, UTF-8 with a byte order mark (or
//! Excel reads it as the local code page), CRLF, and no cell that a spreadsheet
//! would take for a formula.

use crate::Filter;
use crate::v1::{Finding, Report};

/// The columns, in order. Times are RFC 3339 with `Z`, durations whole seconds; an empty cell
/// is unknown or does not apply. New columns are added at the end only.
pub const COLUMNS: &[&str] = &[
    "run",
    "id",
    "app",
    "family",
    "cause",
    "severity",
    "state",
    "change",
    "because",
    "subject_kind",
    "subject_system",
    "subject_key",
    "name",
    "login",
    "identities",
    "is_privileged",
    "episode",
    "detected_at",
    "clock_from",
    "grace_until",
    "opened_at",
    "last_seen_at",
    "state_until",
    "resolved_at",
    "resolution",
    "n_reopened",
    "exposure_at_least_s",
    "exposure_at_most_s",
    "exposure_intervals",
    "sla",
    "sla_clock",
    "sla_deadline_at",
    "sla_because",
    "summary",
    "next_action",
    "coverage_grade",
    "fingerprint",
    "root_causes",
];

/// UTF-8's byte order mark.
const BOM: &str = "\u{feff}";

/// All findings of a report, one row each; the columns are [`COLUMNS`].
#[must_use]
pub fn csv(report: &Report) -> Vec<u8> {
    findings_csv(report, &Filter::default())
}

/// The chosen findings, one row each; the columns are [`COLUMNS`].
#[must_use]
pub fn findings_csv(report: &Report, filter: &Filter) -> Vec<u8> {
    let mut text = BOM.to_owned();
    push_row(&mut text, COLUMNS.iter().copied());
    for finding in filter.select(report) {
        let cells = row(report, finding);
        push_row(&mut text, cells.iter().map(String::as_str));
    }
    text.into_bytes()
}

/// A table of any columns, as [`csv`] writes one.
#[must_use]
pub fn table_csv(columns: &[&str], rows: impl IntoIterator<Item = Vec<String>>) -> Vec<u8> {
    let mut text = BOM.to_owned();
    push_row(&mut text, columns.iter().copied());
    for row in rows {
        push_row(&mut text, row.iter().map(String::as_str));
    }
    text.into_bytes()
}

/// One finding, in the order of [`COLUMNS`].
fn row(report: &Report, finding: &Finding) -> Vec<String> {
    let grade = report.apps.iter().find(|it| it.app == finding.app).map(|it| it.grade.name());
    let sla = finding.sla.as_ref();
    vec![
        report.run.to_string(),
        finding.id.clone(),
        finding.app.clone(),
        finding.family.name().to_owned(),
        finding.cause.name().to_owned(),
        finding.severity.name().to_owned(),
        finding.state.name().to_owned(),
        finding.change.name().to_owned(),
        finding.because.clone(),
        finding.subject.kind.name().to_owned(),
        finding.subject.system.clone(),
        finding.subject.key.clone(),
        finding.person.name.clone().unwrap_or_default(),
        finding.person.login.clone().unwrap_or_default(),
        finding.person.identities.join(" "),
        text_of(finding.is_privileged),
        finding.episode.to_string(),
        finding.detected_at.to_string(),
        finding.clock_from.to_string(),
        finding.grace_until.to_string(),
        text_of(finding.opened_at),
        finding.last_seen_at.to_string(),
        text_of(finding.state_until),
        text_of(finding.resolved_at),
        text_of(finding.resolution.map(|it| it.name())),
        finding.n_reopened.to_string(),
        text_of(finding.exposure.map(|it| it.at_least_s)),
        text_of(finding.exposure.and_then(|it| it.at_most_s)),
        intervals(finding),
        text_of(sla.map(|it| it.outcome.name())),
        text_of(sla.map(|it| it.clock.name())),
        text_of(sla.and_then(|it| it.deadline_at)),
        text_of(sla.map(|it| &it.because)),
        finding.explanation.summary.clone(),
        finding.next_action.clone(),
        text_of(grade),
        finding.fingerprint.clone(),
        root_causes(report, finding),
    ]
}

/// What the finding comes of, `; ` between them: `okta deactivate_users_off`, and `(perhaps)` where
/// that is not sure.
fn root_causes(report: &Report, finding: &Finding) -> String {
    let causes = report.causes_of(&finding.id).map(|(it, is_sure)| {
        let name = it.root_cause.as_ref().map_or("", |root| &root.name);
        let sure = if is_sure { "" } else { " (perhaps)" };
        format!("{} {name}{sure}", it.system.as_deref().unwrap_or_default())
    });
    causes.collect::<Vec<String>>().join("; ")
}

/// All stretches of exposure, `; ` between them, each as
/// `start earliest/start latest/last seen active/first seen inactive`, `..` for unknown.
pub(crate) fn intervals(finding: &Finding) -> String {
    let stretch = |it: &crate::v1::Exposure| {
        [it.started_earliest, it.started_latest, it.last_seen_active, it.first_seen_inactive]
            .map(|time| time.map_or("..".to_owned(), |it| it.to_string()))
            .join("/")
    };
    finding.exposures.iter().map(stretch).collect::<Vec<String>>().join("; ")
}

fn text_of(value: Option<impl std::fmt::Display>) -> String {
    value.map(|it| it.to_string()).unwrap_or_default()
}

fn push_row<'a>(text: &mut String, cells: impl Iterator<Item = &'a str>) {
    for (at, cell) in cells.enumerate() {
        if at > 0 {
            text.push(',');
        }
        push_cell(text, cell);
    }
    text.push_str("\r\n");
}

/// Adds one cell: made harmless, then quoted where RFC 4180 asks for it. A lone CR is quoted as well.
fn push_cell(text: &mut String, cell: &str) {
    let cell = harmless(cell);
    if cell.contains([',', '"', '\r', '\n']) {
        text.push('"');
        text.push_str(&cell.replace('"', "\"\""));
        text.push('"');
    } else {
        text.push_str(&cell);
    }
}

/// Puts `'` before what a spreadsheet would run: a cell that begins with `=`, `+`, `-`, `@`,
/// tab, CR or LF, also behind blanks or as a full-width sign. Source: OWASP, "CSV Injection".
fn harmless(cell: &str) -> std::borrow::Cow<'_, str> {
    let is_formula = cell.starts_with(['\t', '\r', '\n'])
        || cell.trim_start().starts_with(['=', '+', '-', '@', '＝', '＋', '－', '＠']);
    if is_formula { format!("'{cell}").into() } else { cell.into() }
}
