//! The settings as text: where every key stands, so that an error can point at it.
//!
//! Never prints a line of the file: a line may hold a secret.

use std::fmt::Write as _;

use toml::Spanned;
use toml::de::{DeTable, DeValue};

use super::SettingsError;

/// A settings file that is TOML.
pub(super) struct Document<'a> {
    shown: &'a str,
    text: &'a str,
    table: Spanned<DeTable<'a>>,
}

/// A place in a settings file.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Place {
    /// The file, as it was named on the command line.
    pub(crate) file: String,
    /// From 1.
    pub(crate) line: usize,
    /// From 1, in characters.
    pub(crate) column: usize,
}

impl std::fmt::Display for Place {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "`{}` line {}, column {}", self.file, self.line, self.column)
    }
}

/// The way from the top of the file to a value: keys, and numbers for places in a list.
pub(super) type KeyPath<'a> = [&'a str];

impl<'a> Document<'a> {
    /// Reads TOML. `shown` is the file's name for errors.
    ///
    /// # Errors
    ///
    /// Returns the first mistake with its place and, where its line begins with one, its key.
    pub(super) fn parse(shown: &'a str, text: &'a str) -> Result<Self, SettingsError> {
        match DeTable::parse(text) {
            Ok(table) => Ok(Self { shown, text, table }),
            Err(error) => {
                let at = error.span().map_or(0, |span| span.start);
                let place = place(shown, text, at);
                let key = key_of_line(text, place.line)
                    .map_or_else(String::new, |key| format!(" (at the key `{key}`)"));
                // The parser's message is made of fixed words and never quotes the file.
                let what = format!("this is not TOML{key}: {}", error.message());
                Err(SettingsError::Wrong { place, what })
            }
        }
    }

    /// The table at the top.
    pub(super) fn table(&self) -> &DeTable<'a> {
        self.table.get_ref()
    }

    /// Is there this key of a table of the first level?
    pub(super) fn says(&self, table: &str, key: &str) -> bool {
        let table = self.table().get(table).and_then(|it| it.get_ref().as_table());
        table.is_some_and(|it| it.contains_key(key))
    }

    /// The place of a byte.
    pub(super) fn place(&self, at: usize) -> Place {
        place(self.shown, self.text, at)
    }

    /// An error about the value at `path`; where there is none, about what would hold it.
    pub(super) fn wrong(&self, path: &KeyPath<'_>, what: impl std::fmt::Display) -> SettingsError {
        let place = self.place(start_of(self.table.get_ref(), path).unwrap_or(0));
        SettingsError::Wrong { place, what: format!("`{}` {what}", dotted(path)) }
    }

    /// The dotted path of the key or value with exactly this span; `None` when there is none.
    pub(super) fn dotted_at(&self, span: std::ops::Range<usize>) -> Option<String> {
        let mut path = Vec::new();
        let is_found = find_span(self.table.get_ref(), &span, &mut path);
        is_found.then(|| dotted(&path.iter().map(String::as_str).collect::<Vec<&str>>()))
    }
}

/// Writes a path as people do: `idp.okta.file[0].path`.
pub(super) fn dotted(path: &KeyPath<'_>) -> String {
    let mut text = String::new();
    for step in path {
        let written = if step.bytes().all(|it| it.is_ascii_digit()) {
            write!(text, "[{step}]")
        } else if text.is_empty() {
            write!(text, "{step}")
        } else {
            write!(text, ".{step}")
        };
        written.ok(); // Writing to a text cannot fail.
    }
    text
}

/// Where the value at `path` begins, or the deepest part of the path that exists.
fn start_of(table: &DeTable<'_>, path: &KeyPath<'_>) -> Option<usize> {
    let (first, rest) = path.split_first()?;
    let (key, value) = table.iter().find(|(key, _)| key.get_ref() == first)?;
    if rest.is_empty() {
        return Some(if value.get_ref().is_table() { key.span() } else { value.span() }.start);
    }
    start_in(value, rest).or(Some(key.span().start))
}

fn start_in(value: &Spanned<DeValue<'_>>, path: &KeyPath<'_>) -> Option<usize> {
    match value.get_ref() {
        DeValue::Table(table) => start_of(table, path),
        DeValue::Array(array) => {
            let (index, rest) = path.split_first()?;
            let item = array.get(index.parse::<usize>().ok()?)?;
            let deeper = if rest.is_empty() { None } else { start_in(item, rest) };
            deeper.or(Some(item.span().start))
        }
        _ => None,
    }
}

/// Looks for a key or a value with exactly this span; leaves the way to it in `path`.
fn find_span(table: &DeTable<'_>, span: &std::ops::Range<usize>, path: &mut Vec<String>) -> bool {
    for (key, value) in table {
        path.push(key.get_ref().to_string());
        if key.span() == *span || find_in_value(value, span, path) {
            return true;
        }
        path.pop();
    }
    false
}

fn find_in_value(
    value: &Spanned<DeValue<'_>>,
    span: &std::ops::Range<usize>,
    path: &mut Vec<String>,
) -> bool {
    if value.span() == *span {
        return true;
    }
    match value.get_ref() {
        DeValue::Table(table) => find_span(table, span, path),
        DeValue::Array(array) => array.iter().enumerate().any(|(index, item)| {
            path.push(index.to_string());
            let is_found = find_in_value(item, span, path);
            if !is_found {
                path.pop();
            }
            is_found
        }),
        _ => false,
    }
}

/// The place of byte `at` in `text`.
pub(super) fn place(shown: &str, text: &str, at: usize) -> Place {
    let before = text.get(..at).unwrap_or(text);
    let line = before.matches('\n').count() + 1;
    let column = before.rsplit('\n').next().map_or(0, |it| it.chars().count()) + 1;
    Place { file: shown.to_owned(), line, column }
}

/// The key that a line begins with, where it reads like one of ours; a line of a secret does not.
fn key_of_line(text: &str, line: usize) -> Option<&str> {
    /// Longer than any key of the settings, shorter than a line of an encoded secret.
    const KEY_LEN_MAX: usize = 32;
    let (key, _) = text.lines().nth(line.checked_sub(1)?)?.split_once('=')?;
    let key = key.trim();
    let is_key = (1..=KEY_LEN_MAX).contains(&key.len())
        && key.bytes().all(|it| it.is_ascii_lowercase() || it == b'_');
    is_key.then_some(key)
}
