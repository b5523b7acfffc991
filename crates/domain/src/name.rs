//! Names: parsed once at the door, compared the same way everywhere.

use std::borrow::Cow;
use std::sync::Arc;

use caseless::Caseless as _;
use unicode_normalization::UnicodeNormalization as _;

/// A text of a source, as written there.
pub type Text = Box<str>;

/// A value of few kinds (a status, a role), shared by the rows that carry it.
pub type Raw = Arc<str>;

/// The name an operator gives to a connected system: `okta`, `secureframe-eu`.
///
/// 1 to 40 of `a-z`, `0-9`, `-` and `_`, and a letter first.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct SystemId(Arc<str>);

/// A name that cannot be one.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("`{0}` is not a name of a system: 1 to 40 of a-z, 0-9, `-` and `_`, a letter first")]
pub struct NameError(pub String);

impl SystemId {
    /// Longest name: it stands in every line of every report.
    const LEN_MAX: usize = 40;

    /// Reads a name.
    ///
    /// # Errors
    ///
    /// Returns [`NameError`] with the text when it is not a name.
    pub fn parse(text: &str) -> Result<Self, NameError> {
        let fits = (1..=Self::LEN_MAX).contains(&text.len())
            && text.starts_with(|first: char| first.is_ascii_lowercase())
            && text.bytes().all(|it| matches!(it, b'a'..=b'z' | b'0'..=b'9' | b'-' | b'_'));
        if fits { Ok(Self(text.into())) } else { Err(NameError(text.to_owned())) }
    }

    /// The name.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl std::fmt::Display for SystemId {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.pad(&self.0)
    }
}

/// A `userName` or e-mail address in the form in which two are compared:
/// trimmed and case-folded as Unicode, whichever way its letters are composed. Keeps what needs no
/// change borrowed.
///
/// Sources: RFC 7643, 4.1.1 (`userName` is case-insensitive); Unicode 16.0, 3.13, D145 (canonical caseless
/// matching).
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Folded<'a>(Cow<'a, str>);

impl<'a> Folded<'a> {
    /// Folds `text`. Returns `None` for blanks: an empty name joins nobody.
    #[must_use]
    pub fn new(text: &'a str) -> Option<Self> {
        let text = text.trim();
        if text.is_empty() {
            return None;
        }
        let is_folded = text.bytes().all(|it| it.is_ascii() && !it.is_ascii_uppercase());
        Some(Self(match is_folded {
            true => text.into(),
            false if text.is_ascii() => text.to_lowercase().into(),
            false => text.nfd().default_case_fold().nfc().collect::<String>().into(),
        }))
    }

    /// The folded text.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// The folded text, borrowed where it can be.
    #[must_use]
    pub fn into_inner(self) -> Cow<'a, str> {
        self.0
    }
}

/// How many of something, in words: `1 finding`, `2 findings`.
#[must_use]
pub fn counted(n: impl TryInto<u64>, noun: &str) -> String {
    let n = n.try_into().unwrap_or(u64::MAX);
    format!("{n} {noun}{}", if n == 1 { "" } else { "s" })
}

/// Compares two names, case-folded. Blank names are the same as nothing.
#[must_use]
pub fn same_name(one: &str, other: &str) -> bool {
    if one == other {
        return !one.trim_start().is_empty(); // Nearly all: no need to fold them.
    }
    Folded::new(one).is_some_and(|it| Some(it) == Folded::new(other))
}

/// Returns true for what people type into a field that they must fill:
/// nothing, `n/a`, `none`, `null`, `-`, `unknown`, `tbd`, `test`, or zeros, crosses
/// or marks throughout (`0000`, `xxx`). Such a key joins nobody. `2222` is somebody's number.
#[must_use]
pub fn is_placeholder(key: &str) -> bool {
    let Some(folded) = Folded::new(key) else { return true };
    let key = folded.as_str();
    let first = key.chars().next();
    let is_filler = matches!(first, Some('0' | 'x' | '-' | '.' | '?' | '*' | '_'));
    let repeats =
        is_filler && key.chars().nth(1).is_some() && key.chars().all(|it| Some(it) == first);
    repeats
        || matches!(
            key,
            "0" | "-"
                | "n/a"
                | "na"
                | "none"
                | "null"
                | "nil"
                | "unknown"
                | "tbd"
                | "test"
                | "undefined"
        )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_of_systems() {
        for good in ["okta", "secureframe-eu", "a1_b"] {
            assert_eq!(SystemId::parse(good).unwrap().as_str(), good);
        }
        for bad in ["", "Okta", "1st", "a b", "ö", &"a".repeat(41)] {
            assert!(SystemId::parse(bad).is_err(), "`{bad}`");
        }
    }

    #[test]
    fn folding_is_unicode() {
        assert_eq!(
            Folded::new(" JÖRG.Müller@Example.COM ").unwrap().as_str(),
            "jörg.müller@example.com"
        );
        assert_eq!(Folded::new("  "), None);
    }

    #[test]
    fn one_name_written_in_two_ways_is_one_name() {
        for (one, other) in [
            ("jo\u{308}rg@x.test", "J\u{d6}RG@x.test"), // o and a mark, and the letter of both
            ("stra\u{df}e@x.test", "STRASSE@x.test"),   // a letter whose capital is two
            (
                "\u{3c3}\u{3af}\u{3c3}\u{3c5}\u{3c6}\u{3bf}\u{3c2}",
                "\u{3a3}\u{38a}\u{3a3}\u{3a5}\u{3a6}\u{39f}\u{3a3}",
            ), // sigma at the end
            ("\u{212b}sa", "a\u{30a}sa"),               // the sign of a unit that is a letter
        ] {
            assert!(same_name(one, other), "`{one}` and `{other}`");
        }
        // Letters of another alphabet, and the Turkish i without a dot, are others.
        for (one, other) in [("anna", "\u{430}nna"), ("ali", "al\u{131}"), ("jorg", "j\u{f6}rg")] {
            assert!(!same_name(one, other), "`{one}` and `{other}`");
        }
    }

    #[test]
    fn placeholders_are_no_keys() {
        for placeholder in ["", " ", "0", "0000", "N/A", "none", "xxx", "-", "TBD"] {
            assert!(is_placeholder(placeholder), "`{placeholder}`");
        }
        for key in ["1041", "E-7", "7", "10", "11", "2222"] {
            assert!(!is_placeholder(key), "`{key}`");
        }
    }
}
