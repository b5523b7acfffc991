//! `Link` headers: where the next page is. A header that cannot be read is an error, never the
//! end of a list.
//!
//! Source: RFC 8288, section 3. Okta sends one header line for each relation.

use outbound::Answer;

/// A `Link` header that is none.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub(crate) enum LinkError {
    /// It does not follow the grammar.
    #[error("the `Link` header of the answer cannot be read, so where the list ends is not known")]
    Malformed,
    /// Two links lead on, to different places.
    #[error("the answer has two next links, so where the list goes on is not known")]
    Ambiguous,
}

/// Where the page after an answer is, in full. `None`: no page follows.
///
/// # Errors
///
/// Returns [`LinkError`] when a line cannot be read, or several lead on.
pub(super) fn of(answer: &Answer) -> Result<Option<String>, LinkError> {
    if !answer.headers.is_text("link") {
        return Err(LinkError::Malformed);
    }
    Ok(next(answer.headers.all("link"))?.map(|it| answer.resolve(it)))
}

/// The target of the link with the relation `next`, over all header lines. `None`: no page follows.
///
/// # Errors
///
/// Returns [`LinkError`] when a line cannot be read, or several lead on.
pub(crate) fn next<'h>(
    lines: impl IntoIterator<Item = &'h str>,
) -> Result<Option<&'h str>, LinkError> {
    let mut next = None;
    for line in lines {
        let mut rest = line;
        while let Some(link) = read_link(&mut rest)? {
            if link.relations.split_ascii_whitespace().any(|it| it.eq_ignore_ascii_case("next")) {
                if next.is_some_and(|it| it != link.target) {
                    return Err(LinkError::Ambiguous);
                }
                next = Some(link.target);
            }
        }
    }
    Ok(next)
}

/// One link of a header line.
struct Link<'h> {
    target: &'h str,
    /// The words of its first `rel`, as written; empty when it has none.
    relations: &'h str,
}

/// Takes one link from the front of `rest`. `None` at its end.
fn read_link<'h>(rest: &mut &'h str) -> Result<Option<Link<'h>>, LinkError> {
    *rest = rest.trim_start_matches([' ', '\t', ',']);
    if rest.is_empty() {
        return Ok(None);
    }
    let after = rest.strip_prefix('<').ok_or(LinkError::Malformed)?;
    let (target, after) = after.split_once('>').ok_or(LinkError::Malformed)?;
    *rest = after;
    let mut relations = None;
    while let Some((name, value)) = read_parameter(rest)? {
        // Only the first `rel` counts.
        if name.eq_ignore_ascii_case("rel") && relations.is_none() {
            relations = Some(value);
        }
    }
    Ok(Some(Link { target: target.trim(), relations: relations.unwrap_or_default() }))
}

/// Takes one `; name=value` from the front of `rest`. `None` where the link ends.
fn read_parameter<'h>(rest: &mut &'h str) -> Result<Option<(&'h str, &'h str)>, LinkError> {
    *rest = skip_blanks(rest);
    if rest.is_empty() || rest.starts_with(',') {
        return Ok(None);
    }
    let after = skip_blanks(rest.strip_prefix(';').ok_or(LinkError::Malformed)?);
    let (name, after) = split_before(after, &['=', ';', ',', ' ', '\t']);
    let after = skip_blanks(after);
    let Some(after) = after.strip_prefix('=') else {
        *rest = after;
        return Ok(Some((name, "")));
    };
    let after = skip_blanks(after);
    let (value, after) = match after.strip_prefix('"') {
        Some(quoted) => {
            let end = closing_quote(quoted).ok_or(LinkError::Malformed)?;
            let (value, after) = quoted.split_at(end);
            (value, after.strip_prefix('"').unwrap_or(after))
        }
        None => split_before(after, &[';', ',', ' ', '\t']),
    };
    *rest = after;
    Ok(Some((name, value)))
}

fn skip_blanks(text: &str) -> &str {
    text.trim_start_matches([' ', '\t'])
}

/// Splits before the first of `ends`, or at the end.
fn split_before<'h>(text: &'h str, ends: &[char]) -> (&'h str, &'h str) {
    text.split_at(text.find(ends).unwrap_or(text.len()))
}

/// Where a quoted text ends. A backslash hides the character after it.
fn closing_quote(text: &str) -> Option<usize> {
    let mut is_hidden = false;
    for (at, letter) in text.char_indices() {
        match letter {
            _ if is_hidden => is_hidden = false,
            '\\' => is_hidden = true,
            '"' => return Some(at),
            _ => {}
        }
    }
    None
}

#[cfg(test)]
mod tests {
    use super::*;

    const SELF: &str = r#"<https://acme.okta.com/api/v1/users?limit=200>; rel="self""#;
    const NEXT: &str = r#"<https://acme.okta.com/api/v1/users?after=00u9&limit=200>; rel="next""#;
    const URL: &str = "https://acme.okta.com/api/v1/users?after=00u9&limit=200";

    #[test]
    fn the_next_page_is_found_however_the_header_is_written() {
        let both = format!("{SELF}, {NEXT}");
        let cases: [(&[&str], Option<&str>); 13] = [
            (&[], None),
            (&[""], None),
            (&[SELF], None),
            (&[SELF, NEXT], Some(URL)),
            (&[NEXT, SELF], Some(URL)),
            (&[&both], Some(URL)),
            (&[NEXT, NEXT], Some(URL)),
            (&["</users?after=1>;rel=next"], Some("/users?after=1")),
            (&["</a,b>; title=\"x, y; rel=\\\"self\\\"\"; REL=\"last NEXT\" ,"], Some("/a,b")),
            (&["</a>; rel=prev; rel=next"], None),
            (&["</a>; crossorigin; rel = \"next\""], Some("/a")),
            (&["</a>; title=\"rel=next\""], None),
            (&["</a>; rel=\"nextish\""], None),
        ];
        for (lines, expected) in cases {
            assert_eq!(next(lines.iter().copied()), Ok(expected), "{lines:?}");
        }
    }

    #[test]
    fn a_header_that_cannot_be_read_is_not_the_end_of_a_list() {
        for line in
            ["https://x; rel=next", "<https://x; rel=next", "<x> rel=next", "<x>; rel=\"next"]
        {
            assert_eq!(next([line]), Err(LinkError::Malformed), "{line}");
        }
        assert_eq!(next(["<a>; rel=next, <b>; rel=next"]), Err(LinkError::Ambiguous));
    }
}
