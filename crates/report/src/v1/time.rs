//! Instants and digests as text, the same bytes every time.

use std::borrow::Cow;

use chrono::{DateTime, SecondsFormat, Utc};
#[cfg(test)]
use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};
use serde::{Deserialize, Deserializer, Serialize, Serializer, de};

/// An instant: RFC 3339 in UTC with `Z`, fractions of a second only where there are any.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Time(pub DateTime<Utc>);

impl std::fmt::Display for Time {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.pad(&self.0.to_rfc3339_opts(SecondsFormat::AutoSi, true))
    }
}

impl Serialize for Time {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

impl<'de> Deserialize<'de> for Time {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = Cow::<'de, str>::deserialize(deserializer)?;
        DateTime::parse_from_rfc3339(&text)
            .map(|it| Self(it.to_utc()))
            .map_err(|_| de::Error::custom(format_args!("`{text}` is not an RFC 3339 time")))
    }
}

#[cfg(test)]
impl JsonSchema for Time {
    fn schema_name() -> Cow<'static, str> {
        "Time".into()
    }

    fn json_schema(_: &mut SchemaGenerator) -> Schema {
        json_schema!({
            "type": "string",
            "format": "date-time",
            "description": "An instant: RFC 3339 in UTC.",
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn times_read_back_exactly() {
        for text in
            ["2026-11-23T02:00:00Z", "2026-11-23T02:00:00.250Z", "2026-11-23T02:00:00.000001Z"]
        {
            let time: Time = serde_json::from_str(&format!("\"{text}\"")).unwrap();
            assert_eq!(time.to_string(), text);
        }
        for text in ["2026-11-23", "2026-11-23 02:00", "soon", ""] {
            assert!(serde_json::from_str::<Time>(&format!("\"{text}\"")).is_err(), "`{text}`");
        }
    }
}
