//! Small charts as inline SVG: drawn from numbers and fixed words only, with a
//! title and text labels, so that nothing rests on colour alone.

use std::fmt::Write as _;

use crate::phrase;
use crate::v1::{App, Report, Severity, Verdict};

/// Ages of findings: title, and the first age that is too old for the bucket, in days.
const AGES: &[(&str, i64)] = &[
    ("under 1 day", 1),
    ("1 to 3 days", 3),
    ("3 to 7 days", 7),
    ("7 to 30 days", 30),
    ("30 to 90 days", 90),
    ("over 90 days", i64::MAX),
];

/// Width of the wide charts, in units of the drawing.
const WIDTH: f64 = 560.0;

/// Seconds of a day.
const DAY_S: i64 = 86_400;

/// Begins a drawing. `label` is read out instead of it.
fn open(width: f64, height: f64, class: &str, label: &str) -> String {
    // A bar fills its place; text must keep its shape.
    let fit = if class == "bar" { "none" } else { "xMinYMin" };
    format!(
        "<svg class=\"chart {class}\" preserveAspectRatio=\"{fit}\" viewBox=\"0 0 {width} {height}\" role=\"img\" \
         aria-label=\"{label}\"><title>{label}</title>"
    )
}

/// One app's verdicts as one bar. The legend beside it carries names and numbers.
pub(super) fn verdict_bar(app: &App) -> String {
    let total: u64 = app.tallies.iter().map(|it| it.count).sum();
    let parts: Vec<(Verdict, u64)> =
        Verdict::ALL.iter().map(|&it| (it, app.count(it))).filter(|it| it.1 > 0).collect();
    let spoken: Vec<String> =
        parts.iter().map(|(verdict, n)| format!("{n} {}", phrase::verdict(*verdict))).collect();
    let label = format!("Verdicts: {}", spoken.join(", "));
    let mut svg = open(WIDTH, 16.0, "bar", &label);
    let mut x = 0.0;
    for (verdict, n) in parts {
        let width = WIDTH * share(n, total);
        // A sliver is still to be seen.
        let drawn = (width - 1.5).max(1.5);
        let _ = write!(
            svg,
            "<rect class=\"v-{}\" x=\"{x:.1}\" width=\"{drawn:.1}\" height=\"16\"/>",
            verdict_class(verdict)
        );
        x += width;
    }
    svg.push_str("</svg>");
    svg
}

/// The class that paints a verdict.
pub(super) const fn verdict_class(verdict: Verdict) -> &'static str {
    match verdict {
        Verdict::Confirmed => "confirmed",
        Verdict::ConfirmedOffboarded => "offboarded",
        Verdict::NoAccount => "none",
        Verdict::Exempt => "exempt",
        Verdict::NotYet => "notyet",
        Verdict::Indeterminate => "unsure",
        Verdict::Drift => "drift",
    }
}

/// Live findings by age since first sight, stacked by severity.
pub(super) fn ageing(report: &Report) -> String {
    let counts = ages(report);
    let most = counts.iter().map(|it| it.iter().sum::<u64>()).max().unwrap_or(0);
    let spoken: Vec<String> = AGES
        .iter()
        .zip(&counts)
        .map(|((title, _), by)| format!("{title}: {}", by.iter().sum::<u64>()))
        .collect();
    let (left, row) = (104.0, 29.0);
    let height = row * 6.0 + 4.0;
    let mut svg = open(WIDTH, height, "ageing", &format!("Findings by age. {}", spoken.join(", ")));
    let mut y = 4.0;
    for ((title, _), by_severity) in AGES.iter().zip(&counts) {
        let _ = write!(
            svg,
            "<text class=\"lab end\" x=\"{}\" y=\"{}\">{title}</text>",
            left - 10.0,
            y + 14.0
        );
        let mut x = left;
        for (severity, &n) in Severity::ALL.iter().rev().zip(by_severity) {
            let width = (WIDTH - left - 44.0) * share(n, most);
            if n > 0 {
                let drawn = (width - 1.5).max(1.5);
                let _ = write!(
                    svg,
                    "<rect class=\"s-{}\" x=\"{x:.1}\" y=\"{y}\" width=\"{drawn:.1}\" height=\"19\"/>",
                    severity.name()
                );
                if width > 26.0 {
                    let _ = write!(
                        svg,
                        "<text class=\"in in-{}\" x=\"{:.1}\" y=\"{}\">{n}</text>",
                        severity.name(),
                        x + drawn / 2.0,
                        y + 14.0
                    );
                }
            }
            x += width;
        }
        let total: u64 = by_severity.iter().sum();
        let _ = write!(
            svg,
            "<text class=\"num\" x=\"{:.1}\" y=\"{}\">{total}</text>",
            x + 8.0,
            y + 14.0
        );
        y += row;
    }
    svg.push_str("</svg>");
    svg
}

/// Live findings: for each age, how many of each severity, gravest first.
fn ages(report: &Report) -> Vec<[u64; 4]> {
    let mut counts = vec![[0; 4]; AGES.len()];
    for finding in report.findings.iter().filter(|it| it.state.is_live()) {
        let days = (report.now.0 - finding.detected_at.0).num_seconds() / DAY_S;
        let bucket = AGES.iter().position(|(_, end)| days < *end);
        let column = Severity::ALL.iter().rev().position(|it| *it == finding.severity);
        let cell = bucket
            .and_then(|it| counts.get_mut(it))
            .zip(column)
            .and_then(|(row, it)| row.get_mut(it));
        if let Some(cell) = cell {
            *cell += 1;
        }
    }
    counts
}

/// Open, critical and pending findings over the last runs and this one; `None` on a first run.
pub(super) fn trend(report: &Report, day: impl Fn(crate::v1::Time) -> String) -> Option<String> {
    let first = report.history.first()?;
    let critical = report
        .summary
        .open_by_severity
        .iter()
        .find(|it| it.severity == Severity::Critical)
        .map_or(0, |it| it.count);
    let past = |of: fn(&crate::v1::HistoryPoint) -> u64, now: u64| -> Vec<u64> {
        report.history.iter().map(of).chain([now]).collect()
    };
    let series = [
        ("open", past(|it| it.n_open, report.summary.n_open)),
        ("critical", past(|it| it.n_critical, critical)),
        ("pending", past(|it| it.n_pending, report.summary.n_pending)),
    ];
    let most = series.iter().flat_map(|it| it.1.iter().copied()).max().unwrap_or(0).max(4);
    let (left, right, top, bottom) = (30.0, 84.0, 10.0, 150.0);
    let n_steps = series.first().map_or(1, |it| it.1.len().saturating_sub(1)).max(1) as u64;
    let x_of = |at: u64| left + (WIDTH - left - right) * share(at, n_steps);
    let y_of = |n: u64| bottom - (bottom - top) * share(n, most);
    let label = format!("Findings per run since run {}, this run: {}", first.run, spoken(&series));
    let mut svg = open(WIDTH, 178.0, "trend", &label);
    for n in [0, most / 2, most] {
        let y = y_of(n);
        let _ = write!(
            svg,
            "<line class=\"grid\" x1=\"{left}\" x2=\"{}\" y1=\"{y:.1}\" y2=\"{y:.1}\"/>\
             <text class=\"lab end\" x=\"{}\" y=\"{:.1}\">{n}</text>",
            WIDTH - right,
            left - 7.0,
            y + 4.0
        );
    }
    for (name, values) in &series {
        let points: Vec<String> =
            (0..).zip(values).map(|(at, &n)| format!("{:.1},{:.1}", x_of(at), y_of(n))).collect();
        let _ = write!(svg, "<polyline class=\"t-{name}\" points=\"{}\"/>", points.join(" "));
    }
    end_labels(&mut svg, &series, WIDTH - right, y_of);
    let _ = write!(
        svg,
        "<text class=\"lab\" x=\"{left}\" y=\"171\">{}</text>\
         <text class=\"lab end\" x=\"{}\" y=\"171\">{}</text></svg>",
        day(first.now),
        WIDTH - right,
        day(report.now)
    );
    Some(svg)
}

fn spoken(series: &[(&str, Vec<u64>)]) -> String {
    let last = |values: &[u64]| values.last().copied().unwrap_or(0);
    let parts: Vec<String> =
        series.iter().map(|(name, values)| format!("{} {name}", last(values))).collect();
    parts.join(", ")
}

/// Names each line at its end; labels are moved apart where lines meet.
fn end_labels(svg: &mut String, series: &[(&str, Vec<u64>)], x: f64, y_of: impl Fn(u64) -> f64) {
    let mut ends: Vec<(f64, &str, u64)> = series
        .iter()
        .map(|(name, values)| {
            let n = values.last().copied().unwrap_or(0);
            (y_of(n), *name, n)
        })
        .collect();
    ends.sort_by(|a, b| a.0.total_cmp(&b.0));
    let mut free = f64::MIN;
    for (y, name, n) in ends {
        let at = y.max(free);
        free = at + 15.0;
        let _ = write!(
            svg,
            "<circle class=\"t-{name}\" cx=\"{x}\" cy=\"{y:.1}\" r=\"3\"/>\
             <text class=\"lab l-{name}\" x=\"{}\" y=\"{:.1}\">{n} {name}</text>",
            x + 9.0,
            at + 4.0
        );
    }
}

/// `part` of `whole`, from 0 to 1; 0 of nothing.
fn share(part: u64, whole: u64) -> f64 {
    if whole == 0 { 0.0 } else { part as f64 / whole as f64 }
}
