//! What stands around the rows: the members of lists, errors and the ServiceProviderConfig.
//! Names in any case (RFC 7643, 2.1). Rows are never read here.

use std::fmt;

use serde::de::{Deserializer as _, IgnoredAny, MapAccess, Visitor};
use serde_json::Value;

/// Schema of an error (RFC 7644, 3.12).
const ERROR: &str = "urn:ietf:params:scim:api:messages:2.0:Error";

/// Longest cursor: it goes into a URL, and servers take 8 KiB of one.
const CURSOR_BYTES_MAX: usize = 8 << 10;

/// The members around the rows of one page (RFC 7644, 3.4.2; cursors: RFC 9865, 2).
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct ListHead {
    /// `totalResults`; `None` when it is missing or no number.
    pub(crate) total: Option<u64>,
    /// `nextCursor`.
    pub(crate) next: Next,
}

/// Where a page says that the list goes on.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Next {
    /// It does not say: with cursors that is the end.
    NotStated,
    /// At this cursor.
    Cursor(String),
    /// At something that is no cursor.
    Unusable,
}

/// An error as SCIM writes it. Its `detail` may name people and is not kept.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct ScimError {
    /// `scimType`; `None` when it has none.
    pub(crate) kind: Option<String>,
}

/// What a server says of itself (RFC 7643, 5; RFC 9865, 3). All `None`: it says nothing.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Service {
    /// Whether there is a ServiceProviderConfig at all.
    pub(crate) is_there: bool,
    /// `filter.supported`.
    pub(crate) filters: Option<bool>,
    /// `filter.maxResults`: the most rows of one answer.
    pub(crate) max_results: Option<u64>,
    /// `pagination.cursor`.
    pub(crate) cursor: Option<bool>,
    /// `pagination.maxPageSize`.
    pub(crate) max_page_size: Option<u64>,
}

/// Reads the members around a list. `None`: the body is not one JSON object.
pub(crate) fn list(body: &[u8]) -> Option<ListHead> {
    let [total, next] = members(body, ["totalResults", "nextCursor"])?;
    let next = match next {
        None | Some(Value::Null) => Next::NotStated,
        Some(Value::String(cursor)) if (1..=CURSOR_BYTES_MAX).contains(&cursor.len()) => {
            Next::Cursor(cursor)
        }
        Some(Value::Number(cursor)) => Next::Cursor(cursor.to_string()),
        Some(_) => Next::Unusable,
    };
    Some(ListHead { total: total.as_ref().and_then(number), next })
}

/// Reads an error. `None`: the body is none that SCIM knows.
pub(crate) fn error(body: &[u8]) -> Option<ScimError> {
    let [schemas, kind] = members(body, ["schemas", "scimType"])?;
    let is_error = match &schemas {
        Some(Value::Array(urns)) => {
            urns.iter().filter_map(Value::as_str).any(|it| it.eq_ignore_ascii_case(ERROR))
        }
        Some(Value::String(urn)) => urn.eq_ignore_ascii_case(ERROR),
        _ => false,
    };
    // Words of ours only: what a server puts there may be anything.
    let is_word = |it: &str| it.len() <= 40 && it.bytes().all(|it| it.is_ascii_alphanumeric());
    let kind = kind.as_ref().and_then(Value::as_str).filter(|it| is_word(it));
    is_error.then(|| ScimError { kind: kind.map(str::to_owned) })
}

/// Reads a ServiceProviderConfig. `None`: the body is none.
pub(crate) fn service(body: &[u8]) -> Option<Service> {
    let [filter, pagination, patch] = members(body, ["filter", "pagination", "patch"])?;
    if filter.is_none() && pagination.is_none() && patch.is_none() {
        return None;
    }
    let flag = |of: &Option<Value>, name| member(of.as_ref()?, name).and_then(boolean);
    let count =
        |of: &Option<Value>, name| member(of.as_ref()?, name).and_then(number).filter(|it| *it > 0);
    Some(Service {
        is_there: true,
        filters: flag(&filter, "supported"),
        max_results: count(&filter, "maxResults"),
        cursor: flag(&pagination, "cursor"),
        max_page_size: count(&pagination, "maxPageSize"),
    })
}

/// Returns true for a body that is one JSON object or array, or nothing at all.
pub(super) fn is_json_or_empty(body: &[u8]) -> bool {
    body.iter().all(u8::is_ascii_whitespace) || serde_json::from_slice::<IgnoredAny>(body).is_ok()
}

/// The wanted members of one object, by name in any case; the rest is skipped unread.
fn members<const N: usize>(body: &[u8], names: [&str; N]) -> Option<[Option<Value>; N]> {
    let mut parser = serde_json::Deserializer::from_slice(body);
    let found = parser.deserialize_map(Members { names }).ok()?;
    parser.end().ok()?;
    Some(found)
}

struct Members<'n, const N: usize> {
    names: [&'n str; N],
}

impl<'de, const N: usize> Visitor<'de> for Members<'_, N> {
    type Value = [Option<Value>; N];

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("an object")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Self::Value, A::Error> {
        let mut found = [const { None }; N];
        while let Some(name) = map.next_key::<String>()? {
            let at = self.names.iter().position(|it| it.eq_ignore_ascii_case(&name));
            match at.and_then(|at| found.get_mut(at)) {
                Some(place) => *place = Some(map.next_value()?),
                None => drop(map.next_value::<IgnoredAny>()?),
            }
        }
        Ok(found)
    }
}

fn member<'v>(of: &'v Value, name: &str) -> Option<&'v Value> {
    of.as_object()?.iter().find(|(key, _)| key.eq_ignore_ascii_case(name)).map(|(_, value)| value)
}

/// A count, also as text.
fn number(value: &Value) -> Option<u64> {
    value.as_u64().or_else(|| value.as_str()?.trim().parse().ok())
}

/// A flag, also as text.
fn boolean(value: &Value) -> Option<bool> {
    let text = value.as_str().unwrap_or_default();
    value
        .as_bool()
        .or_else(|| text.eq_ignore_ascii_case("true").then_some(true))
        .or_else(|| text.eq_ignore_ascii_case("false").then_some(false))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn members_around_a_list_are_read_in_any_case() {
        let head = |body: &str| list(body.as_bytes());
        let of = |total, next| Some(ListHead { total, next });
        for (body, read) in [
            (
                r#"{"totalResults":3,"Resources":[{"nextCursor":"no"}]}"#,
                of(Some(3), Next::NotStated),
            ),
            (r#"{"TOTALRESULTS":"3","nextcursor":"a"}"#, of(Some(3), Next::Cursor("a".to_owned()))),
            (r#"{"nextCursor":null}"#, of(None, Next::NotStated)),
            (r#"{"nextCursor":7}"#, of(None, Next::Cursor("7".to_owned()))),
            (r#"{"nextCursor":""}"#, of(None, Next::Unusable)),
            (r#"{"totalResults":-1}"#, of(None, Next::NotStated)),
            ("{}", of(None, Next::NotStated)),
            ("[]", None),
            ("<html>", None),
            (r#"{"totalResults":3"#, None),
            (r#"{"totalResults":3}{}"#, None),
        ] {
            assert_eq!(head(body), read, "{body}");
        }
    }

    #[test]
    fn an_error_is_known_by_its_schema_and_keeps_no_detail() {
        let read = |body: &str| error(body.as_bytes());
        let known = r#"{"schemas":["URN:ietf:params:scim:api:messages:2.0:error"],"status":"404","detail":"bob@x.test is gone"}"#;
        assert_eq!(read(known), Some(ScimError { kind: None }));
        let typed = r#"{"schemas":["urn:ietf:params:scim:api:messages:2.0:Error"],"scimType":"invalidCursor"}"#;
        assert_eq!(read(typed), Some(ScimError { kind: Some("invalidCursor".to_owned()) }));
        assert_eq!(read(r#"{"message":"Not Found"}"#), None);
        assert_eq!(read("<html>"), None);
    }

    #[test]
    fn what_a_server_says_of_itself() {
        let body = r#"{"filter":{"supported":"true","maxResults":200},"pagination":{"cursor":true,"MaxPageSize":3}}"#;
        let said = service(body.as_bytes()).unwrap();
        assert_eq!(
            said,
            Service {
                is_there: true,
                filters: Some(true),
                max_results: Some(200),
                cursor: Some(true),
                max_page_size: Some(3),
            }
        );
        assert_eq!(service(b"{}"), None);
        assert_eq!(service(b"<html>"), None);
    }
}
