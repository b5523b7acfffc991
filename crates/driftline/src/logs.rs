//! Log lines: stderr, text or JSON, quiet unless asked.

use std::io::{self, IsTerminal as _};

use tracing::level_filters::LevelFilter;

use crate::cli::LogFormat;

/// Begins to log. `verbose` counts `-v`: warnings alone, then what is done, then how.
pub(crate) fn begin(format: LogFormat, verbose: u8) {
    let level = match verbose {
        0 => LevelFilter::WARN,
        1 => LevelFilter::INFO,
        2 => LevelFilter::DEBUG,
        _ => LevelFilter::TRACE,
    };
    let lines = tracing_subscriber::fmt().with_max_level(level).with_writer(io::stderr);
    let begun = match format {
        LogFormat::Text => lines.with_ansi(is_coloured()).with_target(false).try_init(),
        LogFormat::Json => lines.json().flatten_event(true).try_init(),
    };
    begun.ok(); // Only a second call fails, and the first one serves.
}

fn is_coloured() -> bool {
    #[expect(clippy::disallowed_methods, reason = "the program reads the environment")]
    let wish = std::env::var_os("NO_COLOR");
    io::stderr().is_terminal() && wish.is_none_or(|value| value.is_empty())
}
