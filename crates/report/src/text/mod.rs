//! The page for a terminal: coverage first, then the drift table, then the
//! findings. By key, without names, unless the style asks for them.

mod finding;
mod line;
#[cfg(test)]
mod tests;

pub use finding::{finding_text, findings_text};
pub use line::Style;

use line::{Paint, clean, pad, width, wrap};

use crate::Filter;
use crate::phrase::{self, Zone};
use crate::v1::{App, Grade, Pass, Report, Severity, Source, WatcherFinding};

/// The page of one run. Every line fits the style's width.
#[must_use]
pub fn text(report: &Report, style: Style) -> String {
    let mut page = String::new();
    heading(&mut page, report, style);
    coverage(&mut page, report, style);
    drift_table(&mut page, report, style);
    findings(&mut page, report, style);
    sources(&mut page, report, style);
    watcher(&mut page, report, style);
    sentences(&mut page, "NOT CHECKED", &report.not_checked, style);
    sentences(&mut page, "WHAT THIS DOES NOT SHOW", &report.limits, style);
    let head = report.ledger.as_ref().map(|it| phrase::ledger(it, Zone::of(report)));
    sentences(&mut page, "LEDGER", head.as_slice(), style);
    page
}

fn section(page: &mut String, title: &str, style: Style) {
    page.push('\n');
    page.push_str(&style.paint(Paint::Heading, title));
    page.push('\n');
}

fn heading(page: &mut String, report: &Report, style: Style) {
    let zone = Zone::of(report);
    let what = match report.pass {
        Pass::Full => "run",
        Pass::Light => "light pass",
    };
    let (run, at) = (report.run, zone.time(report.now));
    let title = format!("Drift report, {what} {run}, {at} ({})", zone.name());
    page.push_str(&style.paint(Paint::Heading, &title));
    page.push('\n');
    let columns = style.columns();
    page.push_str(&wrap("", &clean(&phrase::headline(report)), 0, columns));
    page.push_str(&wrap("", &phrase::since_last(report), 0, columns));
    if report.is_immediate {
        page.push_str(&wrap(
            "",
            "Grace and second look were off: every finding is open at first sight.",
            0,
            columns,
        ));
    }
}

fn coverage(page: &mut String, report: &Report, style: Style) {
    section(page, "COVERAGE", style);
    let name_columns = report.apps.iter().map(|it| width(&it.app)).max().unwrap_or(0);
    for app in &report.apps {
        app_lines(page, app, name_columns, style, Zone::of(report));
    }
}

/// `secureframe  Coverage B  62 persons, 58 accounts: 9 findings`, then the reasons.
fn app_lines(page: &mut String, app: &App, name_columns: usize, style: Style, zone: Zone) {
    let paint = if app.proves_absence { Paint::Good } else { Paint::Warning };
    let grade = style.paint(paint, &format!("Coverage {}", app.grade.name()));
    let name = style.paint(Paint::Heading, &pad(&clean(&app.app), name_columns));
    let baseline = if app.is_baseline { " (first run)" } else { "" };
    let result = phrase::app_result(app);
    let size = format!(
        "{}, {}{baseline}",
        phrase::count(app.n_persons, "person"),
        phrase::count(app.n_accounts, "account"),
    );
    page.push_str(&format!("  {name}  {grade}  {size}\n"));
    page.push_str(&wrap("", &result, 4, style.columns()));
    if app.is_baseline && app.n_live > 0 {
        page.push_str(&wrap("", phrase::BASELINE, 4, style.columns()));
    }
    if let Some(it) = &app.time_to_deactivate {
        page.push_str(&wrap("", &phrase::time_to_deactivate(it, zone), 4, style.columns()));
    }
    if let Some(it) = &app.deprovision {
        page.push_str(&wrap("", &phrase::deprovision(it, zone), 4, style.columns()));
    }
    for reason in &app.grade_reasons {
        page.push_str(&wrap("    - ", &clean(reason), 6, style.columns()));
    }
}

fn drift_table(page: &mut String, report: &Report, style: Style) {
    section(page, "DRIFT", style);
    let summary = &report.summary;
    if summary.by_cause.is_empty() {
        page.push_str(&wrap("  ", &phrase::headline(report), 2, style.columns()));
        return;
    }
    let title = "  cause                 severity    open  pending  aside   new   over";
    page.push_str(&style.paint(Paint::Quiet, title));
    page.push('\n');
    for line in &summary.by_cause {
        let cause = pad(line.cause.name(), 20);
        let severity = severity(line.severity, 8, style);
        let counts = [
            cell(line.n_open, 6),
            cell(line.n_pending, 9),
            cell(line.n_aside, 7),
            cell(line.n_new, 6),
            cell(line.n_over, 7),
        ];
        page.push_str(&format!("  {cause}  {severity}  {}\n", counts.concat()));
    }
    let n_new = summary.by_cause.iter().map(|it| it.n_new).sum();
    let counts = [
        cell(summary.n_open, 6),
        cell(summary.n_pending, 9),
        cell(summary.n_aside, 7),
        cell(n_new, 6),
        cell(summary.n_over, 7),
    ];
    let total = format!("  {}{}", pad("total", 32), counts.concat());
    page.push_str(&style.paint(Paint::Heading, &total));
    page.push('\n');
    let legend = "open: also acknowledged or held; aside: waived or not visible; new: not there \
                  in the full run before; over: ended since";
    page.push_str(&wrap("  ", legend, 2, style.columns()));
}

/// A number to the right of its column; a dot for none, so that numbers stand out.
fn cell(n: u64, columns: usize) -> String {
    let text = if n == 0 { "\u{b7}".to_owned() } else { phrase::thousands(n) };
    format!("{}{text}", " ".repeat(columns.saturating_sub(width(&text))))
}

fn severity(severity: Severity, columns: usize, style: Style) -> String {
    let text = pad(severity.name(), columns);
    match severity {
        Severity::Critical => style.paint(Paint::Grave, &text),
        Severity::High => style.paint(Paint::Warning, &text),
        Severity::Medium | Severity::Low => text,
    }
}

fn findings(page: &mut String, report: &Report, style: Style) {
    let live = Filter::live();
    if !live.select(report).is_empty() {
        section(page, "FINDINGS, gravest first", style);
        page.push_str(&findings_text(report, &live, style));
    }
    let over = Filter {
        states: crate::v1::FindingState::ALL.iter().copied().filter(|it| !it.is_live()).collect(),
        ..Filter::default()
    };
    if !over.select(report).is_empty() {
        section(page, "OVER", style);
        page.push_str(&findings_text(report, &over, style));
    }
}

fn sources(page: &mut String, report: &Report, style: Style) {
    section(page, "SOURCES", style);
    let zone = Zone::of(report);
    for source in &report.sources {
        let name = phrase::stream(&source.system, source.list, source.channel);
        let paint = match source.grade {
            Grade::A | Grade::B => Paint::Good,
            Grade::C | Grade::F => Paint::Warning,
        };
        let grade = style.paint(paint, source.grade.name());
        let rows = phrase::count(source.n_rows, "row");
        let as_of = source.as_of.map_or("no snapshot".to_owned(), |it| {
            format!("as of {} ({})", zone.time(it.at), phrase::basis(it.basis))
        });
        page.push_str(&format!("  {grade}  {}\n", style.paint(Paint::Heading, &clean(&name))));
        page.push_str(&wrap("", &format!("{rows}, {as_of}"), 5, style.columns()));
        page.push_str(&wrap("", &clean(&phrase::coverage(source)), 5, style.columns()));
        source_troubles(page, source, style);
    }
}

fn source_troubles(page: &mut String, source: &Source, style: Style) {
    let held = source.held.iter().map(|it| format!("absences do not count: {it}"));
    let failed = source.failed.iter().map(|it| format!("pull failed: {it}"));
    for trouble in failed.chain(held).chain(source.notes.iter().cloned()) {
        page.push_str(&wrap("     - ", &clean(&trouble), 7, style.columns()));
    }
}

fn watcher(page: &mut String, report: &Report, style: Style) {
    // What is behind findings stands over them.
    let others = || report.watcher.iter().filter(|it| !it.is_over_findings());
    if others().next().is_some() {
        section(page, "ABOUT THE WATCHING ITSELF", style);
    }
    for it in others() {
        watched(page, it, style);
    }
    if !report.unmapped.is_empty() {
        section(page, "VALUES THAT NO MAPPING KNOWS (counted as unknown, never guessed)", style);
    }
    for it in &report.unmapped {
        let line = format!(
            "{} {} `{}` in {}",
            it.system,
            it.field,
            it.raw,
            phrase::count(it.count, "row")
        );
        page.push_str(&wrap("  ", &clean(&line), 2, style.columns()));
    }
}

/// One finding about the watching: head, what happened, what next.
fn watched(page: &mut String, it: &WatcherFinding, style: Style) {
    let system = it.system.as_ref().map_or(String::new(), |it| format!("  {}", clean(it)));
    let head = [severity(it.severity, 8, style), it.kind.name().to_owned()].join("  ");
    page.push_str(&format!("  {head}{system}\n"));
    page.push_str(&wrap("", &clean(&it.text), 4, style.columns()));
    page.push_str(&wrap("    next: ", &clean(&it.next_action), 10, style.columns()));
}

fn sentences(page: &mut String, title: &str, sentences: &[String], style: Style) {
    if sentences.is_empty() {
        return;
    }
    section(page, title, style);
    for sentence in sentences {
        page.push_str(&wrap("  - ", &clean(sentence), 4, style.columns()));
    }
}
