//! The workbook: summary, findings, sources, and what the evidence does not
//! show. Real dates (UTC), texts never formulas, the same bytes every time.

use rust_xlsxwriter::{
    DocProperties, ExcelDateTime, Format, FormatAlign, Workbook, Worksheet, XlsxError,
};

use crate::ReportError;
use crate::csv::intervals;
use crate::phrase::{self, Zone};
use crate::v1::{Finding, Report, Source, Time};

/// Most UTF-16 units that Excel allows in a cell; what is longer ends with `…`.
const CELL_LEN_MAX: usize = 32_767;

/// One cell.
enum Cell {
    Text(String),
    Number(i64),
    Time(Time),
    Empty,
}

/// Name, width in letters.
type Column = (&'static str, f64);

const FINDING_COLUMNS: &[Column] = &[
    ("Finding", 9.0),
    ("App", 14.0),
    ("Severity", 9.0),
    ("Cause", 20.0),
    ("State", 14.0),
    ("Change", 11.0),
    ("Name", 24.0),
    ("Login", 30.0),
    ("Subject", 30.0),
    ("Owner", 24.0),
    ("Privileged", 11.0),
    ("First seen (UTC)", 18.0),
    ("Clock from (UTC)", 18.0),
    ("Grace until (UTC)", 18.0),
    ("Opened (UTC)", 18.0),
    ("Last seen (UTC)", 18.0),
    ("State until (UTC)", 18.0),
    ("Resolved (UTC)", 18.0),
    ("Resolution", 16.0),
    ("Exposure at least (s)", 20.0),
    ("Exposure at most (s)", 20.0),
    ("Exposure intervals", 40.0),
    ("SLA", 12.0),
    ("SLA deadline (UTC)", 18.0),
    ("SLA because", 44.0),
    ("Summary", 60.0),
    ("Why this change", 44.0),
    ("Next action", 60.0),
    ("Fingerprint", 20.0),
];

const SOURCE_COLUMNS: &[Column] = &[
    ("Source", 34.0),
    ("Kind", 10.0),
    ("Grade", 8.0),
    ("Snapshot", 10.0),
    ("As of (UTC)", 18.0),
    ("Known how", 22.0),
    ("Rows", 10.0),
    ("Changed rows", 13.0),
    ("Requests", 10.0),
    ("Bytes", 12.0),
    ("Coverage", 50.0),
    ("Absences held", 34.0),
    ("Pull failed", 34.0),
    ("Digest", 24.0),
    ("Files or requests", 50.0),
    ("Notes", 50.0),
];

/// The report as a workbook with the sheets Summary, Findings, Sources and Limits.
///
/// # Errors
///
/// Returns [`ReportError::Workbook`] when there are more rows than a sheet can hold.
pub fn xlsx(report: &Report) -> Result<Vec<u8>, ReportError> {
    workbook(report).map_err(ReportError::Workbook)
}

fn workbook(report: &Report) -> Result<Vec<u8>, XlsxError> {
    let mut book = Workbook::new();
    // Else the library would write the time of the machine.
    book.set_properties(
        &DocProperties::new()
            .set_title(format!("Drift report, run {}", report.run))
            .set_author(&report.software)
            .set_creation_datetime(&date(report.now)?),
    );
    summary(book.add_worksheet().set_name("Summary")?, report)?;
    let rows = report.findings.iter().map(finding_row);
    table(book.add_worksheet().set_name("Findings")?, FINDING_COLUMNS, rows)?;
    let rows = report.sources.iter().map(source_row);
    table(book.add_worksheet().set_name("Sources")?, SOURCE_COLUMNS, rows)?;
    limits(book.add_worksheet().set_name("Limits")?, report)?;
    book.save_to_buffer()
}

fn finding_row(it: &Finding) -> Vec<Cell> {
    let sla = it.sla.as_ref();
    vec![
        text(&it.id),
        text(&it.app),
        text(it.severity.name()),
        text(it.cause.name()),
        text(it.state.name()),
        text(it.change.name()),
        maybe(it.person.name.as_deref()),
        maybe(it.person.login.as_deref()),
        text(&format!("{} {}/{}", it.subject.kind.name(), it.subject.system, it.subject.key)),
        text(&it.person.identities.join(" ")),
        maybe(it.is_privileged.map(|it| if it { "yes" } else { "no" })),
        Cell::Time(it.detected_at),
        Cell::Time(it.clock_from),
        Cell::Time(it.grace_until),
        time(it.opened_at),
        Cell::Time(it.last_seen_at),
        time(it.state_until),
        time(it.resolved_at),
        maybe(it.resolution.map(|it| it.name())),
        number(it.exposure.map(|it| it.at_least_s)),
        number(it.exposure.and_then(|it| it.at_most_s)),
        text(&intervals(it)),
        maybe(sla.map(|it| it.outcome.name())),
        time(sla.and_then(|it| it.deadline_at)),
        maybe(sla.map(|it| it.because.as_str())),
        text(&it.explanation.summary),
        text(&it.because),
        text(&it.next_action),
        text(&it.fingerprint),
    ]
}

fn source_row(it: &Source) -> Vec<Cell> {
    vec![
        text(&phrase::stream(&it.system, it.list, it.channel)),
        text(it.kind.name()),
        text(it.grade.name()),
        number(it.snapshot),
        time(it.as_of.map(|it| it.at)),
        maybe(it.as_of.map(|it| phrase::basis(it.basis))),
        whole(it.n_rows),
        it.n_changed.map_or(Cell::Empty, whole),
        whole(it.n_requests),
        whole(it.n_bytes),
        text(&phrase::coverage(it)),
        maybe(it.held.as_deref()),
        maybe(it.failed.as_deref()),
        maybe(it.digest.as_deref()),
        text(&it.requests.join("\n")),
        text(&it.notes.join("\n")),
    ]
}

/// What the run found, in pairs; then the apps and the causes.
fn summary(sheet: &mut Worksheet, report: &Report) -> Result<(), XlsxError> {
    let zone = Zone::of(report);
    let mut rows = vec![
        vec![text("Drift report"), text(&phrase::headline(report))],
        vec![text("Since the last run"), text(&phrase::since_last(report))],
        vec![text("Run"), Cell::Number(report.run)],
        vec![text("Judged at (UTC)"), Cell::Time(report.now)],
        vec![text("Judged at"), text(&format!("{} {}", zone.time(report.now), zone.name()))],
        vec![text("Software"), text(&report.software)],
        vec![text("Settings, SHA-256"), text(&report.settings_sha256)],
        vec![text("Policy version"), Cell::Number(i64::from(report.policy_version))],
        vec![text("Ledger"), text(&report.ledger.as_ref().map(phrase::ledger).unwrap_or_default())],
        vec![],
        ["App", "Coverage", "Result", "Persons", "Accounts", "Why not better"].map(text).into(),
    ];
    rows.extend(report.apps.iter().map(|it| {
        vec![
            text(&it.app),
            text(it.grade.name()),
            text(&phrase::app_result(it)),
            whole(it.n_persons),
            whole(it.n_accounts),
            text(&it.grade_reasons.join("\n")),
        ]
    }));
    rows.push(vec![]);
    let titles =
        ["Cause", "Severity", "Open", "Pending", "Waived or not visible", "New", "Over", "Meaning"];
    rows.push(titles.map(text).into());
    rows.extend(report.summary.by_cause.iter().map(|it| {
        vec![
            text(it.cause.name()),
            text(it.severity.name()),
            whole(it.n_open),
            whole(it.n_pending),
            whole(it.n_aside),
            whole(it.n_new),
            whole(it.n_over),
            text(phrase::cause(it.cause)),
        ]
    }));
    for (column, width) in (0..).zip([24.0, 14.0, 26.0, 10.0, 20.0, 10.0, 10.0, 50.0]) {
        sheet.set_column_width(column, width)?;
    }
    let styles = Styles::new();
    for (at, cells) in (0..).zip(rows) {
        for (column, cell) in (0..).zip(cells) {
            let is_title = column == 0 && at < 9;
            write(
                sheet,
                at,
                column,
                cell,
                if is_title { &styles.head } else { &styles.plain },
                &styles,
            )?;
        }
    }
    Ok(())
}

/// What was not checked, what is unmapped, what ails the watching, and what is never shown.
fn limits(sheet: &mut Worksheet, report: &Report) -> Result<(), XlsxError> {
    let watcher = report.watcher.iter().map(|it| {
        let system = it.system.as_deref().unwrap_or("");
        (it.kind.name(), format!("{system} {}: {}", it.text, it.next_action).trim().to_owned())
    });
    let unmapped = report.unmapped.iter().map(|it| {
        let rows = phrase::count(it.count, "row");
        ("unmapped value", format!("{} {} `{}` in {rows}", it.system, it.field, it.raw))
    });
    let waivers = report.waivers.iter().map(|it| {
        let approved = it
            .approved
            .as_ref()
            .map_or("not approved".to_owned(), |by| format!("approved by {}", by.by));
        (
            "waiver",
            format!(
                "{} {}: {}; requested by {}, {approved}, until {}",
                it.id,
                it.finding.as_deref().unwrap_or(&it.fingerprint),
                it.reason,
                it.requested.by,
                it.expires_at
            ),
        )
    });
    let not_checked = report.not_checked.iter().map(|it| ("not checked", it.clone()));
    let never = report.limits.iter().map(|it| ("never shown", it.clone()));
    let rows = not_checked.chain(never).chain(watcher).chain(unmapped).chain(waivers);
    let rows = rows.map(|(kind, sentence)| vec![text(kind), text(&sentence)]);
    table(sheet, &[("Kind", 24.0), ("What", 120.0)], rows)
}

/// The looks of cells.
struct Styles {
    head: Format,
    plain: Format,
    time: Format,
}

impl Styles {
    fn new() -> Self {
        let plain = Format::new().set_align(FormatAlign::Top).set_text_wrap();
        Self {
            head: Format::new().set_bold().set_align(FormatAlign::Top),
            time: Format::new().set_align(FormatAlign::Top).set_num_format("yyyy-mm-dd hh:mm:ss"),
            plain,
        }
    }
}

/// A sheet with a frozen, filtered header.
fn table(
    sheet: &mut Worksheet,
    columns: &[Column],
    rows: impl Iterator<Item = Vec<Cell>>,
) -> Result<(), XlsxError> {
    let styles = Styles::new();
    for (column, (name, width)) in (0..).zip(columns) {
        sheet.write_string_with_format(0, column, *name, &styles.head)?;
        sheet.set_column_width(column, *width)?;
    }
    let mut last_row = 0;
    for (row, cells) in (1..).zip(rows) {
        last_row = row;
        for (column, cell) in (0..).zip(cells) {
            write(sheet, row, column, cell, &styles.plain, &styles)?;
        }
    }
    let last_column = u16::try_from(columns.len().saturating_sub(1)).unwrap_or(u16::MAX);
    sheet.set_freeze_panes(1, 1)?.autofilter(0, 0, last_row, last_column)?;
    Ok(())
}

/// Writes one cell. Texts are written as strings, which Excel never takes for formulas.
fn write(
    sheet: &mut Worksheet,
    row: u32,
    column: u16,
    cell: Cell,
    plain: &Format,
    styles: &Styles,
) -> Result<(), XlsxError> {
    match cell {
        Cell::Text(text) => sheet.write_string_with_format(row, column, fitting(text), plain)?,
        // Excel has no whole numbers; counts and seconds stay below 2^53.
        Cell::Number(number) => {
            sheet.write_number_with_format(row, column, number as f64, plain)?
        }
        Cell::Time(time) => match date(time) {
            Ok(date) => sheet.write_datetime_with_format(row, column, &date, &styles.time)?,
            // Before 1900 or after 9999, which Excel cannot hold as a date.
            Err(_) => sheet.write_string_with_format(row, column, time.to_string(), plain)?,
        },
        Cell::Empty => return Ok(()),
    };
    Ok(())
}

fn date(time: Time) -> Result<ExcelDateTime, XlsxError> {
    ExcelDateTime::from_timestamp(time.0.timestamp())
}

fn fitting(text: String) -> String {
    if text.encode_utf16().count() <= CELL_LEN_MAX {
        return text;
    }
    // A quarter of the limit in letters fits whatever they are.
    let mut cut: String = text.chars().take(CELL_LEN_MAX / 4).collect();
    cut.push('…');
    cut
}

fn text(text: &str) -> Cell {
    if text.is_empty() { Cell::Empty } else { Cell::Text(text.to_owned()) }
}

fn maybe(value: Option<&str>) -> Cell {
    value.map_or(Cell::Empty, text)
}

fn time(time: Option<Time>) -> Cell {
    time.map_or(Cell::Empty, Cell::Time)
}

fn number(number: Option<i64>) -> Cell {
    number.map_or(Cell::Empty, Cell::Number)
}

fn whole(number: u64) -> Cell {
    Cell::Number(i64::try_from(number).unwrap_or(i64::MAX))
}
