//! TOML that is not settings: a misspelt key, a wrong type, a missing key, in plain words.
//!
//! Serde's own message may quote the value, which may be a secret put under a wrong key; so
//! it is taken apart and said again without the value.

use super::SettingsError;
use super::document::Document;
use crate::nearest::{listed, nearest};

/// Says what serde found wrong, and where.
pub(super) fn wrong(document: &Document<'_>, error: &toml::de::Error) -> SettingsError {
    let span = error.span().unwrap_or(0..0);
    let place = document.place(span.start);
    let path = document.dotted_at(span);
    let what = in_words(error.message(), path.as_deref());
    SettingsError::Wrong { place, what }
}

/// The message again, without values. `path` is the key it is about; `None`: the top.
fn in_words(message: &str, path: Option<&str>) -> String {
    if let Some(rest) = message.strip_prefix("unknown field ") {
        return unknown_key(rest, path);
    }
    let subject = path.map_or_else(|| "the file".to_owned(), |path| format!("`{path}`"));
    if let Some(rest) = message.strip_prefix("missing field ") {
        return format!("{subject} lacks the key {rest}: add it");
    }
    if let Some(rest) = message.strip_prefix("unknown variant ") {
        return unknown_word(rest, &subject);
    }
    match message.rsplit_once(", expected ") {
        Some((_, expected)) => format!("{subject} must be {}", kind(expected)),
        None => format!("{subject} has a value that does not fit here"),
    }
}

/// `rest` is the key, then the keys that there are.
fn unknown_key(rest: &str, path: Option<&str>) -> String {
    let mut quoted = quoted(rest);
    let typed = quoted.next().unwrap_or_default();
    let expected: Vec<&str> = quoted.collect();
    let path = path.unwrap_or(typed);
    if expected.is_empty() {
        return format!("`{path}` is not a key: nothing can be said here");
    }
    let guess = guess(typed, &expected);
    format!("`{path}` is not a key{guess}; expected one of {}", listed(expected))
}

/// `rest` is the word, which is not repeated, then the words that there are.
fn unknown_word(rest: &str, subject: &str) -> String {
    let mut quoted = quoted(rest);
    let typed = quoted.next().unwrap_or_default();
    let expected: Vec<&str> = quoted.collect();
    let guess = guess(typed, &expected);
    format!(
        "{subject} has a word that means nothing here{guess}; expected one of {}",
        listed(expected)
    )
}

fn guess(typed: &str, expected: &[&str]) -> String {
    match nearest(typed, expected.iter().copied()) {
        Some(word) => format!("; did you mean `{word}`?"),
        None => String::new(),
    }
}

/// What stands in backquotes.
fn quoted(text: &str) -> impl Iterator<Item = &str> {
    text.split('`').skip(1).step_by(2)
}

/// Serde's name of a kind of value, in words.
fn kind(expected: &str) -> &'static str {
    match expected {
        "a string" | "string" => "a text in quotes",
        "a boolean" => "`true` or `false`",
        "a sequence" => "a list in `[` and `]`",
        "u32" | "u64" | "i64" => "a whole number, 0 or more",
        "a map" => "a table",
        _ if expected.starts_with("struct ") => "a table",
        _ if expected.starts_with("enum ") || expected.starts_with("variant ") => {
            "a word in quotes"
        }
        _ => "of another kind: see `driftline config schema`",
    }
}
