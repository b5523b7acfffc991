//! Where two documents differ, in words: which finding, app or list, and which field of it.

use std::collections::BTreeSet;

use serde_json::{Map, Value};

/// The places at which two documents differ, a line each, as `findings DL-14 severity: stored
/// "low", again "high"`. Never empty for bytes that differ.
#[must_use]
pub fn differences(stored: &[u8], again: &[u8]) -> Vec<String> {
    if stored == again {
        return Vec::new();
    }
    let Ok(stored) = serde_json::from_slice::<Value>(stored) else {
        return vec!["what is stored is no JSON".to_owned()];
    };
    let mut found = Vec::new();
    if let Ok(again) = serde_json::from_slice::<Value>(again) {
        compare("", Some(&stored), Some(&again), &mut found);
    }
    if found.is_empty() {
        found.push("the same values in other bytes: spaces, or the order of fields".to_owned());
    }
    found
}

fn compare(place: &str, stored: Option<&Value>, again: Option<&Value>, found: &mut Vec<String>) {
    let inside = |name: &str| match place {
        "" => name.to_owned(),
        _ => format!("{place} {name}"),
    };
    match (stored, again) {
        (stored, again) if stored == again => {}
        (Some(Value::Object(stored)), Some(Value::Object(again))) => {
            let names: BTreeSet<&String> = stored.keys().chain(again.keys()).collect();
            for name in names {
                compare(&inside(name), stored.get(name), again.get(name), found);
            }
        }
        (Some(Value::Array(stored)), Some(Value::Array(again))) => {
            let (stored, again) = (named(stored), named(again));
            let names: BTreeSet<&String> = stored.keys().chain(again.keys()).collect();
            let n_before = found.len();
            for name in names {
                compare(&inside(name), stored.get(name), again.get(name), found);
            }
            if found.len() == n_before {
                found.push(format!("{place}: in another order"));
            }
        }
        (stored, again) => {
            let text = |it: Option<&Value>| it.map_or("nothing".to_owned(), Value::to_string);
            found.push(format!("{place}: stored {}, again {}", text(stored), text(again)));
        }
    }
}

/// Items by what names them, or by their place.
fn named(items: &[Value]) -> Map<String, Value> {
    let mut all = Map::new();
    for (at, item) in items.iter().enumerate() {
        let part = |name| item.get(name).and_then(Value::as_str);
        let name = match (part("id"), part("app"), part("system"), part("list")) {
            (Some(id), ..) => id.to_owned(),
            (_, Some(app), ..) => app.to_owned(),
            (.., Some(system), Some(list)) => [Some(system), Some(list), part("channel")]
                .into_iter()
                .flatten()
                .collect::<Vec<_>>()
                .join(" "),
            _ => format!("{}", at + 1),
        };
        let name = if all.contains_key(&name) { format!("{name} ({})", at + 1) } else { name };
        all.insert(name, item.clone());
    }
    all
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_differs_is_named() {
        let stored = br#"{"run":1,"findings":[{"id":"DL-1","state":"open"},{"id":"DL-2","state":"open"}],"notes":["a"],"sources":[{"system":"okta","list":"identities","n":1}]}"#;
        let differs = |again: &str| differences(stored, again.as_bytes());
        let text = std::str::from_utf8(stored).unwrap();
        assert_eq!(differs(text), Vec::<String>::new());
        let changed = text.replace(r#""DL-2","state":"open""#, r#""DL-2","state":"held""#);
        assert_eq!(differs(&changed), [r#"findings DL-2 state: stored "open", again "held""#]);
        let fewer = text.replace(r#",{"id":"DL-2","state":"open"}"#, "");
        assert_eq!(
            differs(&fewer),
            [r#"findings DL-2: stored {"id":"DL-2","state":"open"}, again nothing"#]
        );
        let other = text.replace("\"a\"", "\"b\"").replace("\"n\":1", "\"n\":2");
        assert_eq!(
            differs(&other),
            [r#"notes 1: stored "a", again "b""#, "sources okta identities n: stored 1, again 2"]
        );
        assert_eq!(
            differs(&text.replace("\"run\":1", "\"run\": 1")),
            ["the same values in other bytes: spaces, or the order of fields"]
        );
        assert_eq!(differences(b"no", b"{}"), ["what is stored is no JSON"]);
    }
}
