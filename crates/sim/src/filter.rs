//! The filter language of SCIM (RFC 7644, 3.4.2.2) and of Okta, read and held against JSON.
//! Comparison with text ignores case, as both do for names and addresses.

use std::iter::Peekable;
use std::vec::IntoIter;

use serde_json::Value;

/// Parentheses that may stand in each other.
const DEPTH_MAX: usize = 16;

/// A condition on an object.
#[derive(Clone, Debug, PartialEq)]
pub(crate) enum Filter {
    /// One of them.
    Or(Vec<Self>),
    /// All of them.
    And(Vec<Self>),
    /// Not that.
    Not(Box<Self>),
    /// A member, by its path, and what it is compared with.
    Is(String, Op, String),
    /// A member has a value.
    Present(String),
}

/// How a member is compared.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Op {
    Eq,
    Ne,
    Contains,
    Starts,
    Ends,
    Above,
    AtLeast,
    Below,
    AtMost,
}

impl Filter {
    /// Reads a filter; `None`: it is none.
    pub(crate) fn parse(text: &str) -> Option<Self> {
        let mut tokens = tokens(text)?.into_iter().peekable();
        let filter = any(&mut tokens, 0)?;
        tokens.next().is_none().then_some(filter)
    }

    /// Does the object meet it?
    pub(crate) fn meets(&self, object: &Value) -> bool {
        match self {
            Self::Or(all) => all.iter().any(|it| it.meets(object)),
            Self::And(all) => all.iter().all(|it| it.meets(object)),
            Self::Not(it) => !it.meets(object),
            Self::Is(path, op, value) => {
                let found = values(object, path);
                if *op == Op::Ne {
                    return !found.iter().any(|it| op_holds(Op::Eq, it, value));
                }
                found.iter().any(|it| op_holds(*op, it, value))
            }
            Self::Present(path) => !values(object, path).is_empty(),
        }
    }

    /// Every member that it looks at, with how.
    pub(crate) fn members(&self) -> Vec<(&str, Option<Op>)> {
        match self {
            Self::Or(all) | Self::And(all) => all.iter().flat_map(Self::members).collect(),
            Self::Not(it) => it.members(),
            Self::Is(path, op, _) => vec![(path, Some(*op))],
            Self::Present(path) => vec![(path, None)],
        }
    }
}

#[derive(Clone, Debug, PartialEq)]
enum Token {
    Word(String),
    Text(String),
    Open,
    Close,
}

fn tokens(text: &str) -> Option<Vec<Token>> {
    let mut found = Vec::new();
    let mut rest = text.trim_start();
    while let Some(first) = rest.chars().next() {
        rest = match first {
            '(' | ')' => {
                found.push(if first == '(' { Token::Open } else { Token::Close });
                rest.get(1..)?
            }
            '"' => {
                // The text is JSON's: `\"` is a quote.
                let mut values = serde_json::Deserializer::from_str(rest).into_iter::<String>();
                found.push(Token::Text(values.next()?.ok()?));
                rest.get(values.byte_offset()..)?
            }
            _ => {
                let ends = |it: char| it.is_whitespace() || it == '(' || it == ')' || it == '"';
                let (word, after) = rest.split_at(rest.find(ends).unwrap_or(rest.len()));
                found.push(Token::Word(word.to_owned()));
                after
            }
        }
        .trim_start();
    }
    Some(found)
}

type Tokens = Peekable<IntoIter<Token>>;

fn any(tokens: &mut Tokens, depth: usize) -> Option<Filter> {
    let mut parts = vec![all(tokens, depth)?];
    while next_is(tokens, "or") {
        parts.push(all(tokens, depth)?);
    }
    if parts.len() == 1 { parts.pop() } else { Some(Filter::Or(parts)) }
}

fn all(tokens: &mut Tokens, depth: usize) -> Option<Filter> {
    let mut parts = vec![one(tokens, depth)?];
    while next_is(tokens, "and") {
        parts.push(one(tokens, depth)?);
    }
    if parts.len() == 1 { parts.pop() } else { Some(Filter::And(parts)) }
}

fn one(tokens: &mut Tokens, depth: usize) -> Option<Filter> {
    if depth > DEPTH_MAX {
        return None;
    }
    if next_is(tokens, "not") {
        return Some(Filter::Not(Box::new(one(tokens, depth + 1)?)));
    }
    match tokens.next()? {
        Token::Open => {
            let inside = any(tokens, depth + 1)?;
            (tokens.next()? == Token::Close).then_some(inside)
        }
        Token::Word(path) => compared(path, tokens),
        Token::Text(_) | Token::Close => None,
    }
}

fn compared(path: String, tokens: &mut Tokens) -> Option<Filter> {
    let Token::Word(op) = tokens.next()? else { return None };
    let op = match op.to_lowercase().as_str() {
        "pr" => return Some(Filter::Present(path)),
        "eq" => Op::Eq,
        "ne" => Op::Ne,
        "co" => Op::Contains,
        "sw" => Op::Starts,
        "ew" => Op::Ends,
        "gt" => Op::Above,
        "ge" => Op::AtLeast,
        "lt" => Op::Below,
        "le" => Op::AtMost,
        _ => return None,
    };
    match tokens.next()? {
        Token::Text(value) | Token::Word(value) => Some(Filter::Is(path, op, value)),
        Token::Open | Token::Close => None,
    }
}

fn next_is(tokens: &mut Tokens, word: &str) -> bool {
    let is_word = |it: &Token| matches!(it, Token::Word(found) if found.eq_ignore_ascii_case(word));
    tokens.next_if(is_word).is_some()
}

/// Every value under a dotted path, lists looked into; names of members in any case.
fn values<'a>(object: &'a Value, path: &str) -> Vec<&'a Value> {
    let mut found = vec![object];
    for name in path.split('.') {
        let members = found.into_iter().flat_map(each).filter_map(Value::as_object);
        found = members
            .flat_map(|it| it.iter().filter(|(key, _)| key.eq_ignore_ascii_case(name)))
            .map(|(_, value)| value)
            .collect();
    }
    found.into_iter().flat_map(each).filter(|it| !it.is_null()).collect()
}

/// The elements of a list, or the value itself.
fn each(value: &Value) -> Vec<&Value> {
    value.as_array().map_or_else(|| vec![value], |list| list.iter().collect())
}

fn op_holds(op: Op, found: &Value, wanted: &str) -> bool {
    let found = found.as_str().map_or_else(|| found.to_string(), str::to_owned).to_lowercase();
    let wanted = wanted.to_lowercase();
    match op {
        Op::Eq => found == wanted,
        Op::Ne => found != wanted,
        Op::Contains => found.contains(&wanted),
        Op::Starts => found.starts_with(&wanted),
        Op::Ends => found.ends_with(&wanted),
        // Times of one form sort as text.
        Op::Above => found > wanted,
        Op::AtLeast => found >= wanted,
        Op::Below => found < wanted,
        Op::AtMost => found <= wanted,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn filters_meet_what_their_words_say() {
        let ana = json!({
            "userName": "Ana@x.test",
            "active": true,
            "status": "ACTIVE",
            "externalId": null,
            "profile": {"login": "ana@x.test"},
            "target": [{"id": "00u1", "type": "User"}, {"id": "0oa1", "type": "AppInstance"}],
        });
        for (text, meets) in [
            (r#"userName eq "ana@X.test""#, Some(true)),
            (r#"USERNAME Eq "ana@x.test""#, Some(true)),
            (r#"userName eq "bob@x.test""#, Some(false)),
            (r#"userName eq "a\"b""#, Some(false)),
            ("active eq true", Some(true)),
            ("externalId pr", Some(false)),
            ("status pr", Some(true)),
            (r#"profile.login sw "ana""#, Some(true)),
            (r#"target.id eq "0oa1""#, Some(true)),
            (r#"target.id ne "0oa1""#, Some(false)),
            (r#"status eq "STAGED" or status eq "ACTIVE""#, Some(true)),
            (r#"(status eq "ACTIVE" or active eq true) and not (userName pr)"#, Some(false)),
            (r#"status eq "ACTIVE" and"#, None),
            (r#"status is "ACTIVE""#, None),
            (r#"(status eq "ACTIVE""#, None),
            (r#"status eq "ACTIVE"#, None),
            ("", None),
        ] {
            assert_eq!(Filter::parse(text).map(|it| it.meets(&ana)), meets, "{text}");
        }
    }
}
