//! Canonical JSON (RFC 8785) of what entries hold: texts, whole numbers, truths, lists, objects.
//!
//! Writing it costs more than all else that appending does, so it is written here and straight
//! into one buffer; tests hold it against a library. A number that is not whole, or that a double
//! would not hold exactly, is refused: no entry has one.

use serde_json::{Number, Value};

/// The largest whole number that is exact in every reader: 2^53 - 1 (RFC 7493, 2.2).
const WHOLE_MAX: u64 = 9_007_199_254_740_991;

/// An object with these members, which are sorted here. `None`: it holds a number that is refused.
pub(crate) fn object<'v>(members: impl Iterator<Item = (&'v str, &'v Value)>) -> Option<Vec<u8>> {
    let mut out = Vec::new();
    write_object(members, &mut out)?;
    Some(out)
}

/// A list of these values. `None`: it holds a number that is refused.
pub(crate) fn list(values: &[Value]) -> Option<Vec<u8>> {
    let mut out = Vec::new();
    write_list(values, &mut out)?;
    Some(out)
}

fn write(value: &Value, out: &mut Vec<u8>) -> Option<()> {
    match value {
        Value::Null => out.extend_from_slice(b"null"),
        Value::Bool(true) => out.extend_from_slice(b"true"),
        Value::Bool(false) => out.extend_from_slice(b"false"),
        Value::Number(number) => write_number(number, out)?,
        Value::String(text) => write_text(text, out)?,
        Value::Array(values) => write_list(values, out)?,
        Value::Object(members) => {
            write_object(members.iter().map(|(name, value)| (name.as_str(), value)), out)?;
        }
    }
    Some(())
}

fn write_list(values: &[Value], out: &mut Vec<u8>) -> Option<()> {
    out.push(b'[');
    for (nth, value) in values.iter().enumerate() {
        if nth > 0 {
            out.push(b',');
        }
        write(value, out)?;
    }
    out.push(b']');
    Some(())
}

/// Members go by the UTF-16 of their names (RFC 8785, 3.2.3).
fn write_object<'v>(
    members: impl Iterator<Item = (&'v str, &'v Value)>,
    out: &mut Vec<u8>,
) -> Option<()> {
    let mut members: Vec<(&str, &Value)> = members.collect();
    members.sort_unstable_by(|one, other| one.0.encode_utf16().cmp(other.0.encode_utf16()));
    out.push(b'{');
    for (nth, (name, value)) in members.into_iter().enumerate() {
        if nth > 0 {
            out.push(b',');
        }
        write_text(name, out)?;
        out.push(b':');
        write(value, out)?;
    }
    out.push(b'}');
    Some(())
}

fn write_number(number: &Number, out: &mut Vec<u8>) -> Option<()> {
    let size = number.as_u64().or_else(|| number.as_i64().map(i64::unsigned_abs));
    size.filter(|it| *it <= WHOLE_MAX)?;
    serde_json::to_writer(out, number).ok()
}

/// The library escapes what has to be and no more, in the form that is asked for (3.2.2.2).
fn write_text(text: &str, out: &mut Vec<u8>) -> Option<()> {
    serde_json::to_writer(out, text).ok()
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use serde_json::json;

    use super::*;

    /// Anything that an entry may hold.
    fn held() -> impl Strategy<Value = Value> {
        let whole = -9_007_199_254_740_991_i64..=9_007_199_254_740_991;
        let leaf = prop_oneof![
            Just(Value::Null),
            any::<bool>().prop_map(Value::from),
            whole.prop_map(Value::from),
            any::<String>().prop_map(Value::from),
        ];
        leaf.prop_recursive(4, 64, 8, |inner| {
            let members = prop::collection::vec((any::<String>(), inner.clone()), 0..8);
            prop_oneof![
                prop::collection::vec(inner, 0..8).prop_map(Value::from),
                members.prop_map(|it| Value::Object(it.into_iter().collect())),
            ]
        })
    }

    proptest! {
        #[test]
        fn it_is_what_a_library_writes(value in held()) {
            let expected = serde_json_canonicalizer::to_vec(&[&value]).unwrap();
            prop_assert_eq!(list(std::slice::from_ref(&value)), Some(expected));
        }
    }

    #[test]
    fn names_go_by_their_utf_16_and_texts_are_escaped_as_little_as_can_be() {
        // RFC 8785, 3.2.3: its example of names.
        let value = json!({"\u{20ac}": 1, "\r": 2, "\u{fb33}": 3, "1": 4, "\u{1f600}": 5, "\u{80}": 6, "\u{f6}": 7});
        let text = String::from_utf8(list(&[value]).unwrap()).unwrap();
        assert_eq!(
            text,
            "[{\"\\r\":2,\"1\":4,\"\u{80}\":6,\"\u{f6}\":7,\"\u{20ac}\":1,\"\u{1f600}\":5,\"\u{fb33}\":3}]"
        );
        let text = list(&[json!("\u{8}\t\n\u{c}\r\"\\/\u{1f}\u{7f}\u{e9}")]).unwrap();
        assert_eq!(
            String::from_utf8(text).unwrap(),
            "[\"\\b\\t\\n\\f\\r\\\"\\\\/\\u001f\u{7f}\u{e9}\"]"
        );
    }

    #[test]
    fn numbers_that_are_not_whole_or_not_exact_are_refused() {
        for number in
            [json!(0.5), json!(1.0), json!(WHOLE_MAX + 1), json!(i64::MIN), json!(u64::MAX)]
        {
            assert_eq!(list(&[json!({"a": [number]})]), None, "{number}");
        }
        assert_eq!(list(&[json!(WHOLE_MAX)]), Some(b"[9007199254740991]".to_vec()));
        assert_eq!(
            list(&[json!(-9_007_199_254_740_991_i64)]),
            Some(b"[-9007199254740991]".to_vec())
        );
    }
}
