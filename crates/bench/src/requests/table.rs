//! What was counted, in columns.

use std::fmt::{self, Write as _};

use super::count::{Beside, Counted, ListCount, PullCount};

/// Requests for pages beside the least that there could be, and requests for all else.
pub(super) fn requests(counted: &Counted) -> String {
    written(|text| {
        line(text, ["pull, list", "rows", "a page", "sent", "least", "ratio"])?;
        for pull in &counted.pulls {
            let (n_sent, n_least) = (sum(pull, |it| it.n_sent), sum(pull, ListCount::n_least));
            line(
                text,
                [pull.system, "", "", &count(n_sent), &count(n_least), &ratio(n_sent, n_least)],
            )?;
            for list in &pull.lists {
                let name = format!("  {}", list.name);
                let (rows, page) = (count(list.n_rows), count(list.page_rows));
                let (n_sent, n_least) = (list.n_sent, list.n_least());
                let ratio = ratio(n_sent, n_least);
                line(text, [&name, &rows, &page, &count(n_sent), &count(n_least), &ratio])?;
            }
            line(text, ["  no page of a list", "", "", &count(pull.n_others), "", ""])?;
        }
        writeln!(text)?;
        line(text, ["besides pages, in whole runs", "first", "second", "", "", ""])?;
        for Beside { name, first_run, second_run } in &counted.besides {
            line(
                text,
                [&format!("  {name}"), &count(*first_run), &count(*second_run), "", "", ""],
            )?;
        }
        Ok(())
    })
}

/// How long each pull took. Says more of the machine, and of the servers on it, than of the pull.
pub(super) fn pace(counted: &Counted) -> String {
    written(|text| {
        line(text, ["pull", "rows", "seconds", "rows/s", "", ""])?;
        for pull in &counted.pulls {
            let (rows, took) = (sum(pull, |it| it.n_rows), pull.took.as_secs_f64());
            let pace = format!("{:.0}", rows as f64 / took);
            line(text, [pull.system, &count(rows), &format!("{took:.2}"), &pace, "", ""])?;
        }
        Ok(())
    })
}

/// Writes into a text, which cannot fail.
fn written(write: impl FnOnce(&mut String) -> fmt::Result) -> String {
    let mut text = String::new();
    write(&mut text).unwrap_or_default();
    text
}

fn line(text: &mut String, cells: [&str; 6]) -> fmt::Result {
    let [name, a, b, c, d, e] = cells;
    let line = format!("{name:<30}{a:>8}{b:>9}{c:>8}{d:>8}{e:>7}");
    writeln!(text, "{}", line.trim_end())
}

fn count(n: usize) -> String {
    n.to_string()
}

fn ratio(n_sent: usize, n_least: usize) -> String {
    format!("{:.2}", n_sent as f64 / n_least as f64)
}

fn sum(pull: &PullCount, of: impl Fn(&ListCount) -> usize) -> usize {
    pull.lists.iter().map(of).sum()
}
