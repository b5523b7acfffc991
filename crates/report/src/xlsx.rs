//! The workbook: summary, findings, sources, and what the evidence does not
//! show. Real dates (UTC), texts never formulas, the same bytes every time.

use chrono::{DateTime, Utc};
use rust_xlsxwriter::{
    DocProperties, ExcelDateTime, Format, FormatAlign, Workbook, Worksheet, XlsxError,
};

use crate::ReportError;
use crate::csv::intervals;
use crate::phrase::{self, Zone};
use crate::v1::{Finding, Report, Source, Time};

/// Most UTF-16 units that Excel allows in a cell; what is longer ends with `…`.
const CELL_LEN_MAX: usize = 32_767;

/// Points that a line of text takes.
const LINE_HEIGHT: f64 = 15.0;

/// Most lines that a row shows: Excel allows 409 points. The cell holds all of its text.
const LINES_MAX: f64 = 27.0;

/// How much longer a text is than its letters once no word is cut at the end of a line.
const WRAP_LOSS: f64 = 1.15;

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
    ("Login", 38.0),
    ("Subject", 58.0),
    ("Owner", 30.0),
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
    ("Exposure intervals", 46.0),
    ("SLA", 12.0),
    ("SLA deadline (UTC)", 18.0),
    ("SLA because", 44.0),
    ("Summary", 60.0),
    ("Why this change", 44.0),
    ("Next action", 60.0),
    ("Fingerprint", 74.0),
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
    ("Digest", 74.0),
    ("Files or requests", 50.0),
    ("Notes", 50.0),
];

/// In letters. The tables of the summary share their columns.
const SUMMARY_WIDTHS: [f64; 8] = [24.0, 20.0, 26.0, 10.0, 20.0, 10.0, 10.0, 70.0];

/// The report as a workbook with the sheets Summary, Findings, Sources and Limits.
///
/// # Errors
///
/// Returns [`ReportError::Workbook`] when there are more rows than a sheet can hold.
pub fn xlsx(report: &Report) -> Result<Vec<u8>, ReportError> {
    workbook(report).map_err(ReportError::Workbook)
}

/// What a workbook of one table is called.
#[derive(Clone, Copy, Debug)]
pub struct Sheet<'s> {
    /// Its title.
    pub title: &'s str,
    /// Who made it.
    pub author: &'s str,
    /// The name of the sheet.
    pub name: &'s str,
}

/// A workbook with one table of texts. The same rows and time give the same bytes.
///
/// # Errors
///
/// [`ReportError::Workbook`] when there are more rows than a sheet holds.
pub fn table_xlsx(
    about: &Sheet<'_>,
    at: DateTime<Utc>,
    columns: &[&'static str],
    rows: &[Vec<String>],
) -> Result<Vec<u8>, ReportError> {
    /// In letters: an instant fits.
    const WIDTH: f64 = 24.0;
    let made = || -> Result<Vec<u8>, XlsxError> {
        let mut book = Workbook::new();
        book.set_properties(
            &DocProperties::new()
                .set_title(about.title)
                .set_author(about.author)
                .set_creation_datetime(&date(Time(at))?),
        );
        let columns: Vec<Column> = columns.iter().map(|it| (*it, WIDTH)).collect();
        let rows = rows.iter().map(|row| row.iter().map(|it| text(it)).collect());
        table(book.add_worksheet().set_name(about.name)?, &columns, rows)?;
        book.save_to_buffer()
    };
    made().map_err(ReportError::Workbook)
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
    let mut page = Page::new(sheet, &SUMMARY_WIDTHS)?;
    for (name, value) in facts(report) {
        page.line(vec![text(name), value], Look::Fact)?;
    }
    page.skip();
    let titles = ["App", "Coverage", "Result", "Persons", "Accounts", "", "", "Why not better"];
    page.line(titles.map(text).into(), Look::Head)?;
    for it in &report.apps {
        let cells = vec![
            text(&it.app),
            text(it.grade.name()),
            text(&phrase::app_result(it)),
            whole(it.n_persons),
            whole(it.n_accounts),
            Cell::Empty,
            Cell::Empty,
            text(&it.grade_reasons.join("\n")),
        ];
        page.line(cells, Look::Row)?;
    }
    page.skip();
    let titles =
        ["Cause", "Severity", "Open", "Pending", "Waived or not visible", "New", "Over", "Meaning"];
    page.line(titles.map(text).into(), Look::Head)?;
    for it in &report.summary.by_cause {
        let cells = vec![
            text(it.cause.name()),
            text(it.severity.name()),
            whole(it.n_open),
            whole(it.n_pending),
            whole(it.n_aside),
            whole(it.n_new),
            whole(it.n_over),
            text(phrase::cause(it.cause)),
        ];
        page.line(cells, Look::Row)?;
    }
    sheet.set_landscape().set_print_fit_to_pages(1, 0);
    Ok(())
}

/// What is said once of the whole run: name, value.
fn facts(report: &Report) -> [(&'static str, Cell); 9] {
    let zone = Zone::of(report);
    [
        ("Drift report", text(&phrase::headline(report))),
        ("Since the last run", text(&phrase::since_last(report))),
        ("Run", Cell::Number(report.run)),
        ("Judged at (UTC)", Cell::Time(report.now)),
        ("Judged at", text(&format!("{} {}", zone.time(report.now), zone.name()))),
        ("Software", text(&report.software)),
        ("Settings, SHA-256", text(&report.settings_sha256)),
        ("Policy version", Cell::Number(i64::from(report.policy_version))),
        (
            "Ledger",
            text(&report.ledger.as_ref().map(|it| phrase::ledger(it, zone)).unwrap_or_default()),
        ),
    ]
}

/// What was not checked, what is unmapped, what ails the watching, and what is never shown.
fn limits(sheet: &mut Worksheet, report: &Report) -> Result<(), XlsxError> {
    let watcher = report.watcher.iter().map(|it| {
        let system = it.system.as_deref().unwrap_or("");
        let under = it.root_cause.as_ref().filter(|it| it.has_findings());
        let under = under.map_or_else(String::new, |root| {
            let (sure, perhaps) = (root.explains.join(", "), root.may_explain.join(", "));
            format!(" Explains: {sure}. May explain: {perhaps}.")
        });
        let text = format!("{system} {}: {}{under}", it.text, it.next_action);
        (it.kind.name(), text.trim().to_owned())
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
    let zone = Zone::of(report);
    let deprovision = report.apps.iter().filter_map(|app| {
        let known = phrase::deprovision(app.deprovision.as_ref()?, zone);
        Some(("deprovision", format!("{}: {known}", app.app)))
    });
    let rows =
        not_checked.chain(never).chain(deprovision).chain(watcher).chain(unmapped).chain(waivers);
    let rows = rows.map(|(kind, sentence)| vec![text(kind), text(&sentence)]);
    table(sheet, &[("Kind", 24.0), ("What", 120.0)], rows)?;
    sheet.set_print_fit_to_pages(1, 0);
    Ok(())
}

/// A sheet with a frozen, filtered header, which every printed page repeats.
fn table(
    sheet: &mut Worksheet,
    columns: &[Column],
    rows: impl Iterator<Item = Vec<Cell>>,
) -> Result<(), XlsxError> {
    let widths: Vec<f64> = columns.iter().map(|(_, width)| *width).collect();
    let mut page = Page::new(sheet, &widths)?;
    page.line(columns.iter().map(|(name, _)| text(name)).collect(), Look::Head)?;
    for cells in rows {
        page.line(cells, Look::Row)?;
    }
    let last_row = page.next_row.saturating_sub(1);
    let last_column = u16::try_from(columns.len().saturating_sub(1)).unwrap_or(u16::MAX);
    sheet.set_freeze_panes(1, 1)?.autofilter(0, 0, last_row, last_column)?;
    sheet.set_landscape().set_repeat_rows(0, 0)?.set_repeat_columns(0, 0)?;
    Ok(())
}

/// How the cells of a line look.
#[derive(Clone, Copy)]
enum Look {
    /// The names of columns.
    Head,
    /// One row of a table: texts are wrapped, and the row is as high as they need.
    Row,
    /// A name and its value, which may run over the empty cells beside it.
    Fact,
}

/// A sheet that is written line after line.
struct Page<'a> {
    sheet: &'a mut Worksheet,
    /// In letters.
    widths: &'a [f64],
    next_row: u32,
    bold: Format,
    plain: Format,
    wrapped: Format,
    time: Format,
}

impl<'a> Page<'a> {
    fn new(sheet: &'a mut Worksheet, widths: &'a [f64]) -> Result<Self, XlsxError> {
        for (column, width) in (0..).zip(widths) {
            sheet.set_column_width(column, *width)?;
        }
        let top = Format::new().set_align(FormatAlign::Top);
        Ok(Self {
            sheet,
            widths,
            next_row: 0,
            bold: top.clone().set_bold(),
            plain: top.clone().set_align(FormatAlign::Left),
            time: (top.clone().set_align(FormatAlign::Left)).set_num_format("yyyy-mm-dd hh:mm:ss"),
            wrapped: top.set_text_wrap(),
        })
    }

    /// Leaves a line empty.
    fn skip(&mut self) {
        self.next_row += 1;
    }

    fn line(&mut self, cells: Vec<Cell>, look: Look) -> Result<(), XlsxError> {
        let row = self.next_row;
        self.next_row += 1;
        // LibreOffice, unlike Excel, leaves a row one line high when nothing is said.
        if let Look::Row = look {
            let n_lines = cells.iter().zip(self.widths).map(|(cell, width)| cell.lines(*width));
            self.sheet.set_row_height(row, LINE_HEIGHT * n_lines.fold(1.0, f64::max))?;
        }
        for (column, cell) in (0..).zip(cells) {
            let format = match (look, column) {
                (Look::Head, _) | (Look::Fact, 0) => &self.bold,
                (Look::Row, _) => &self.wrapped,
                (Look::Fact, _) => &self.plain,
            };
            write(self.sheet, row, column, cell, format, &self.time)?;
        }
        Ok(())
    }
}

impl Cell {
    /// How many lines it takes in a column `width` letters wide, at most [`LINES_MAX`] and rather
    /// one too many: words are not cut, and letters differ.
    fn lines(&self, width: f64) -> f64 {
        let Self::Text(text) = self else { return 1.0 };
        let line = |it: &str| (it.chars().count() as f64 * WRAP_LOSS / width).ceil().max(1.0);
        text.split('\n').map(line).sum::<f64>().min(LINES_MAX)
    }
}

/// Writes one cell. Texts are written as strings, which Excel never takes for formulas.
fn write(
    sheet: &mut Worksheet,
    row: u32,
    column: u16,
    cell: Cell,
    format: &Format,
    time_format: &Format,
) -> Result<(), XlsxError> {
    match cell {
        Cell::Text(text) => sheet.write_string_with_format(row, column, fitting(text), format)?,
        // Excel has no whole numbers; counts and seconds stay below 2^53.
        Cell::Number(number) => {
            sheet.write_number_with_format(row, column, number as f64, format)?
        }
        Cell::Time(time) => match date(time) {
            Ok(date) => sheet.write_datetime_with_format(row, column, &date, time_format)?,
            // Before 1900 or after 9999, which Excel cannot hold as a date.
            Err(_) => sheet.write_string_with_format(row, column, time.to_string(), format)?,
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

#[cfg(test)]
mod tests {
    use std::io::{Cursor, Read as _};

    use super::*;
    use crate::sample::record;

    /// One file of the workbook of `report`.
    fn part(report: &Report, name: &str) -> String {
        let mut book = zip::ZipArchive::new(Cursor::new(xlsx(report).unwrap())).unwrap();
        let mut text = String::new();
        book.by_name(name).unwrap().read_to_string(&mut text).unwrap();
        text
    }

    #[test]
    fn a_name_that_is_a_formula_is_a_text_and_a_time_is_a_date() {
        let mut record = record();
        record.findings[0].person.name = Some("=HYPERLINK(\"//x\")".to_owned());
        record.now = "2026-11-20T12:00:00Z".parse().unwrap();
        let report = Report::of(&record);
        assert!(part(&report, "xl/sharedStrings.xml").contains("<t>=HYPERLINK("));
        for number in 1..=4 {
            let sheet = part(&report, &format!("xl/worksheets/sheet{number}.xml"));
            assert!(!sheet.contains("<f>"), "a formula in sheet {number}");
        }
        // Days since the end of 1899, in a cell that is shown as a date.
        let summary = part(&report, "xl/worksheets/sheet1.xml");
        assert!(summary.contains("<v>46346.5</v>"), "{summary}");
        assert!(part(&report, "xl/styles.xml").contains("formatCode=\"yyyy-mm-dd hh:mm:ss\""));
    }

    #[test]
    fn headers_stay_in_sight_on_screen_and_on_paper() {
        let report = Report::of(&record());
        let book = part(&report, "xl/workbook.xml");
        for (number, name) in [(2, "Findings"), (3, "Sources"), (4, "Limits")] {
            let sheet = part(&report, &format!("xl/worksheets/sheet{number}.xml"));
            for word in ["state=\"frozen\"", "<autoFilter", "orientation=\"landscape\""] {
                assert!(sheet.contains(word), "{name}: `{word}`");
            }
            assert!(book.contains(&format!("{name}!$A:$A,{name}!$1:$1")), "{name}: {book}");
        }
    }

    #[test]
    fn a_row_is_as_high_as_its_texts() {
        #[rustfmt::skip]
        let table = [
            // text            | width | lines
            ( String::new(),     10.0,   1.0  ),
            ( "short".into(),    10.0,   1.0  ),
            ( "x".repeat(10),    10.0,   2.0  ), // Rather one too many.
            ( "x".repeat(80),    10.0,   10.0 ),
            ( "one\ntwo\n".into(), 10.0,  3.0  ),
            ( "x".repeat(9_999), 10.0,   LINES_MAX ),
        ];
        for (text, width, n_lines) in table {
            assert_eq!(Cell::Text(text.clone()).lines(width), n_lines, "`{text}`");
        }
        let findings = part(&Report::of(&record()), "xl/worksheets/sheet2.xml");
        assert!(findings.contains("ht=\"30\" customHeight=\"1\""), "{findings}");
    }

    #[test]
    fn a_cell_longer_than_excel_allows_is_cut_and_a_distant_date_is_a_text() {
        let mut record = record();
        record.findings[0].explanation.summary = "🦀".repeat(40_000);
        record.findings[0].finding.grace_until = "1601-01-01T00:00:00Z".parse().unwrap();
        let texts = part(&Report::of(&record), "xl/sharedStrings.xml");
        assert!(texts.contains("🦀…<"));
        assert!(texts.contains("<t>1601-01-01T00:00:00Z</t>"));
    }
}
