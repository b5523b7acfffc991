//! Log lines and progress: stderr, text or JSON, quiet unless asked. Bars are drawn for a person
//! at a terminal alone, and never through a log line.

use std::io::{self, IsTerminal as _, Write};

use indicatif::MultiProgress;
use tracing::level_filters::LevelFilter;
use tracing_subscriber::filter::Targets;
use tracing_subscriber::layer::SubscriberExt as _;
use tracing_subscriber::util::SubscriberInitExt as _;
use tracing_subscriber::{Layer as _, fmt};

use crate::cli::{Global, LogFormat};
use crate::progress::{Progress, TARGET};

/// Begins to log, and to show progress where somebody watches.
pub(crate) fn begin(global: &Global) {
    let level = match (global.quiet, global.verbose) {
        (true, _) => LevelFilter::ERROR,
        (false, 0) => LevelFilter::WARN,
        (false, 1) => LevelFilter::INFO,
        (false, 2) => LevelFilter::DEBUG,
        (false, _) => LevelFilter::TRACE,
    };
    let bars = MultiProgress::new();
    let progress = (!global.quiet && is_watched()).then(|| {
        let watched = Targets::new().with_target(TARGET, LevelFilter::DEBUG);
        Progress::start(bars.clone()).with_filter(watched)
    });
    let lines = fmt::layer().with_writer(move || Lines(bars.clone()));
    let lines = match global.log {
        LogFormat::Text => lines.with_ansi(is_coloured()).with_target(false).boxed(),
        LogFormat::Json => lines.json().flatten_event(true).boxed(),
    };
    let begun =
        tracing_subscriber::registry().with(lines.with_filter(level)).with(progress).try_init();
    begun.ok(); // Only a second call fails, and the first one serves.
}

/// Writes whole lines above the bars.
struct Lines(MultiProgress);

impl Write for Lines {
    fn write(&mut self, line: &[u8]) -> io::Result<usize> {
        self.0.suspend(|| io::stderr().lock().write(line))
    }

    fn flush(&mut self) -> io::Result<()> {
        io::stderr().lock().flush()
    }
}

/// Whether somebody sees bars move: stderr is a terminal that can, and nobody's CI.
fn is_watched() -> bool {
    #[expect(clippy::disallowed_methods, reason = "the program reads the environment")]
    let (term, ci) = (std::env::var_os("TERM"), std::env::var_os("CI"));
    io::stderr().is_terminal() && moves(term.as_deref(), ci.as_deref())
}

/// Whether bars belong on a terminal with these `TERM` and `CI`.
fn moves(term: Option<&std::ffi::OsStr>, ci: Option<&std::ffi::OsStr>) -> bool {
    let is_ci = ci.is_some_and(|it| !it.is_empty() && it != "false" && it != "0");
    term.is_none_or(|it| it != "dumb") && !is_ci
}

fn is_coloured() -> bool {
    #[expect(clippy::disallowed_methods, reason = "the program reads the environment")]
    let wish = std::env::var_os("NO_COLOR");
    io::stderr().is_terminal() && wish.is_none_or(|value| value.is_empty())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn bars_stay_out_of_dumb_terminals_and_ci() {
        for (term, ci, shown) in [
            (Some("xterm-256color"), None, true),
            (None, None, true),
            (Some("dumb"), None, false),
            (Some("xterm"), Some("true"), false),
            (Some("xterm"), Some("1"), false),
            (Some("xterm"), Some(""), true),
            (Some("xterm"), Some("false"), true),
        ] {
            let (term, ci) = (term.map(AsRef::as_ref), ci.map(AsRef::as_ref));
            assert_eq!(moves(term, ci), shown, "{term:?} {ci:?}");
        }
    }
}
