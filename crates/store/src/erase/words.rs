//! What people call somebody, found and replaced in texts. Never knows whose the text is.

use serde::de::IgnoredAny;

/// Fewer characters than these are found only where they stand for themselves: `7` is in too much.
const FREE_MIN: usize = 4;

/// Names, logins, addresses and numbers of one person.
#[derive(Clone, Debug, Default)]
pub(crate) struct Words {
    words: Vec<Word>,
}

#[derive(Clone, Debug)]
struct Word {
    /// With `A` to `Z` as `a` to `z`.
    text: String,
    stands: Stands,
}

/// Where a word counts as found.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Stands {
    /// Not inside a longer word or address.
    Bounded,
    /// As the whole text, in quotes, or behind a slash.
    Alone,
    /// Anywhere: an address as URLs write it.
    Anywhere,
}

impl Words {
    pub(crate) fn add(&mut self, text: &str) {
        let text = text.trim();
        if text.is_empty() {
            return;
        }
        let is_number = text.bytes().all(|it| it.is_ascii_digit());
        let is_short = text.chars().count() < FREE_MIN || is_number;
        let stands = if is_short { Stands::Alone } else { Stands::Bounded };
        for form in [text.to_owned(), text.to_lowercase(), text.to_uppercase()] {
            self.push(&form, stands);
        }
        if text.contains('@') || text.contains(' ') {
            let encoded = text.replace('%', "%25").replace('@', "%40").replace('+', "%2b");
            self.push(&encoded.replace(' ', "%20"), Stands::Anywhere);
            self.push(&encoded.replace(' ', "+"), Stands::Anywhere);
        }
    }

    fn push(&mut self, text: &str, stands: Stands) {
        let text = folded(text);
        if self.words.iter().all(|it| it.text != text) {
            self.words.push(Word { text, stands });
        }
    }

    /// The words that can be told from others wherever they stand.
    pub(crate) fn distinct(&self) -> Self {
        let words = self.words.iter().filter(|it| it.stands != Stands::Alone).cloned().collect();
        Self { words }
    }

    /// The text with `token` for each of them; `None` where there is none.
    pub(crate) fn replaced(&self, text: &str, token: &str) -> Option<String> {
        let found = self.find(text);
        let mut out = String::with_capacity(text.len());
        let mut from = 0;
        for (begin, end) in found {
            if begin < from {
                continue; // Inside a longer one.
            }
            out.push_str(text.get(from..begin)?);
            out.push_str(token);
            from = end;
        }
        out.push_str(text.get(from..)?);
        (from > 0).then_some(out)
    }

    /// The same, for a cell that may hold a JSON document: what its texts say, not how they are
    /// written.
    pub(crate) fn replaced_in_cell(&self, text: &str, token: &str) -> Option<String> {
        let is_json =
            text.starts_with(['{', '[']) && serde_json::from_str::<IgnoredAny>(text).is_ok();
        if is_json { self.replaced_in_json(text, token) } else { self.replaced(text, token) }
    }

    /// Replaces in the texts of a JSON document, and leaves everything else byte for byte.
    pub(crate) fn replaced_in_json(&self, json: &str, token: &str) -> Option<String> {
        let (mut out, mut from, mut at) = (String::new(), 0, 0);
        while let Some(begin) = json.get(at..)?.find('"').map(|it| at + it) {
            let end = end_of_text(json.as_bytes(), begin)?;
            let literal = json.get(begin..end)?;
            let text: String = serde_json::from_str(literal).ok()?;
            if let Some(replaced) = self.replaced(&text, token) {
                out.push_str(json.get(from..begin)?);
                out.push_str(&serde_json::to_string(&replaced).ok()?);
                from = end;
            }
            at = end;
        }
        out.push_str(json.get(from..)?);
        (from > 0).then_some(out)
    }

    /// Whether one of them is in bytes that a source sent.
    pub(crate) fn is_in(&self, bytes: &[u8]) -> bool {
        let text = String::from_utf8_lossy(bytes);
        let is_escaped = text.contains("\\u") && self.replaced_in_json(&text, "").is_some();
        is_escaped || !self.find(&text).is_empty()
    }

    /// Where they are, the longest first of those that begin at one place.
    fn find(&self, text: &str) -> Vec<(usize, usize)> {
        let folded = folded(text);
        let mut found = Vec::new();
        for word in &self.words {
            for (begin, _) in folded.match_indices(&*word.text) {
                let end = begin + word.text.len();
                if stands(text, begin, end, word.stands) {
                    found.push((begin, end));
                }
            }
        }
        found.sort_unstable_by_key(|(begin, end)| (*begin, usize::MAX - *end));
        found
    }
}

/// As long as it was, so that places in it are places in the text.
#[expect(clippy::disallowed_methods, reason = "a fold as Unicode may have another length")]
fn folded(text: &str) -> String {
    text.to_ascii_lowercase()
}

/// The end of the text of a JSON document that begins at a quote.
fn end_of_text(json: &[u8], begin: usize) -> Option<usize> {
    let mut at = begin + 1;
    loop {
        match json.get(at)? {
            b'"' => return Some(at + 1),
            b'\\' => at += 2,
            _ => at += 1,
        }
    }
}

fn stands(text: &str, begin: usize, end: usize, stands: Stands) -> bool {
    let (before, after) = (text.get(..begin).unwrap_or(""), text.get(end..).unwrap_or(""));
    let (mut before, mut after) = (before.chars().rev(), after.chars());
    let sides = [(before.next(), before.next()), (after.next(), after.next())];
    match stands {
        Stands::Anywhere => true,
        Stands::Alone => sides.iter().all(|it| it.0.is_none_or(|it| "\"'`/".contains(it))),
        Stands::Bounded => sides.iter().all(|(next, second)| match next {
            None => true,
            Some(it) if it.is_alphanumeric() || "@_".contains(*it) => false,
            // A full stop ends a sentence; a dot in a word does not.
            Some('.' | '-' | '+') => second.is_none_or(|it| !it.is_alphanumeric()),
            Some(_) => true,
        }),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_word_is_found_as_a_word_and_nowhere_else() {
        let mut words = Words::default();
        for it in ["ada@x.example", "Ada Byron", "1042", "ada.b"] {
            words.add(it);
        }
        #[rustfmt::skip]
        let table = [
            ("Ada Byron left.",                     "_ left."),
            ("ADA BYRON (ada@x.example).",          "_ (_)."),
            ("bob.ada@x.example, ada@x.example.au", "bob.ada@x.example, ada@x.example.au"),
            ("login ada.b, not ada.bo",             "login _, not ada.bo"),
            ("1042 rows, `1042`",                   "1042 rows, `_`"),
            ("1042",                                "_"),
            ("?filter=eq%20%22ada%40x.example%22",  "?filter=eq%20%22_%22"),
        ];
        for (text, expected) in table {
            assert_eq!(words.replaced(text, "_").as_deref().unwrap_or(text), expected);
        }
    }

    #[test]
    fn in_a_json_document_only_its_texts_change() {
        let mut words = Words::default();
        words.add("Zoë");
        words.add("Zoë Ünal");
        let json = "{\n  \"n\": [1.50, \"Zo\\u00eb \\u00dcnal\\n\"], \"Zo\": null}";
        assert_eq!(
            words.replaced_in_cell(json, "_").as_deref(),
            Some("{\n  \"n\": [1.50, \"_\\n\"], \"Zo\": null}")
        );
        assert!(words.is_in(json.as_bytes()) && !words.is_in(b"Zo"));
    }
}
