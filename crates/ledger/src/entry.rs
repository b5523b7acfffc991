//! The form of an entry: canonical JSON (RFC 8785) of one event, with salted digests in the place
//! of what may have to be erased, and the disclosures of those.
//!
//! A disclosure is that of SD-JWT (RFC 9901): base64url of `[salt, name, value]`; its digest is
//! the base64url of the SHA-256 of that text. Delete the disclosure, and the digest says nothing.

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use chrono::{DateTime, SecondsFormat, Utc};
use domain::Digest;
use serde::Deserialize;
use serde_json::{Value, json};

use crate::tree::{leaf_hash, sha256};
use crate::{Event, LedgerError, canonical};

/// The version of the form.
pub const VERSION: u32 = 1;

/// Longest entry, in bytes: bundles count them in 16 bits (C2SP, `tlog-tiles`).
pub const LEN_MAX: usize = 65_535;

/// An entry as it is kept.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Sealed {
    /// Its bytes.
    pub entry: Vec<u8>,
    /// Its hash in the tree.
    pub hash: Digest,
    /// What its digests are of; kept apart, and erasable.
    pub disclosures: Vec<String>,
}

/// Writes an event as the entry at `seq`. `actor` and `subject` stand for the event's own, and
/// name nobody. `random` gives 16 random bytes a time: a nonce, and a salt for each fact.
///
/// # Errors
///
/// [`LedgerError::TooLong`] and [`LedgerError::NotCanonical`].
pub fn seal(
    event: &Event,
    seq: u64,
    (actor, subject): (&str, Option<&str>),
    random: &mut dyn FnMut() -> [u8; 16],
) -> Result<Sealed, LedgerError> {
    let kind = event.kind.name();
    let nonce = URL_SAFE_NO_PAD.encode(random());
    let disclosures: Vec<String> =
        event.facts.iter().map(|(name, value)| disclosure(&random(), name, value)).collect();
    let mut digests: Vec<String> = disclosures.iter().map(|it| digest_of(it)).collect();
    digests.sort(); // Their order tells nothing.
    // The nonce stops guessing of an entry from its hash. What is `None` is left out.
    let members = [
        ("v", json!(VERSION)),
        ("type", json!(kind)),
        ("at", json!(time(event.at))),
        ("seq", json!(seq)),
        ("run", json!(event.run.map(|it| it.0))),
        ("actor", json!(actor)),
        ("subject", json!(subject)),
        ("nonce", json!(nonce)),
        ("_sd", json!(digests)),
    ];
    let members = members.iter().filter(|it| !it.1.is_null()).map(|(name, it)| (*name, it));
    let entry = canonical::object(members.chain([("body", &event.body)]))
        .ok_or(LedgerError::NotCanonical { kind })?;
    if entry.len() > LEN_MAX {
        return Err(LedgerError::TooLong { kind, len: entry.len(), max: LEN_MAX });
    }
    Ok(Sealed { hash: leaf_hash(&entry), entry, disclosures })
}

fn disclosure(salt: &[u8; 16], name: &str, value: &Value) -> String {
    let salt = URL_SAFE_NO_PAD.encode(salt);
    let fact = serde_json::to_vec(&(salt, name, value));
    URL_SAFE_NO_PAD.encode(fact.expect("texts and values are JSON"))
}

/// Name and value of a disclosure; `None` when it is none.
#[must_use]
pub fn disclosed(disclosure: &str) -> Option<(String, Value)> {
    let bytes = URL_SAFE_NO_PAD.decode(disclosure).ok()?;
    let (_, name, value): (String, String, Value) = serde_json::from_slice(&bytes).ok()?;
    Some((name, value))
}

/// The digest that stands in an entry for a disclosure.
#[must_use]
pub fn digest_of(disclosure: &str) -> String {
    URL_SAFE_NO_PAD.encode(sha256(disclosure.as_bytes()))
}

/// A time as entries have it: RFC 3339 in UTC, to the millisecond.
pub(crate) fn time(at: DateTime<Utc>) -> String {
    at.to_rfc3339_opts(SecondsFormat::Millis, true)
}

/// What every entry says of itself.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
pub struct EntryHead<'e> {
    /// The version of its form.
    pub v: u32,
    /// What happened: the name of a [`crate::Kind`].
    #[serde(rename = "type")]
    pub kind: &'e str,
    /// Its place in the ledger, from 0.
    pub seq: u64,
    /// When, as it is written: RFC 3339 in UTC.
    pub at: &'e str,
    /// Who did it: `driftline`, or the random name of a person.
    pub actor: &'e str,
    /// The random name of whom it is about; `None`: nobody alone.
    #[serde(borrow)]
    pub subject: Option<&'e str>,
    /// The digests of its erasable facts.
    #[serde(rename = "_sd", borrow)]
    pub digests: Vec<&'e str>,
}

impl<'e> EntryHead<'e> {
    /// Reads the head of an entry; `None` when it is none.
    #[must_use]
    pub fn parse(entry: &'e [u8]) -> Option<Self> {
        serde_json::from_slice(entry).ok()
    }
}

#[cfg(test)]
mod tests {
    use domain::{RunId, SystemId};
    use proptest::prelude::*;

    use super::*;
    use crate::{Actor, Kind, Who};

    fn event(body: Value) -> Event {
        Event {
            kind: Kind::FindingOpened,
            at: "2026-08-04T09:12:45.5Z".parse().unwrap(),
            run: Some(RunId(8842)),
            actor: Actor::Driftline,
            subject: Some(Who::account(&SystemId::parse("crm").unwrap(), "a-1")),
            body,
            facts: vec![("account", json!("crm/a-1")), ("because", json!("seen active"))],
        }
    }

    /// Random bytes that are none, for the same entry each time.
    fn counted() -> impl FnMut() -> [u8; 16] {
        let mut n = 0;
        move || {
            n += 1;
            [n; 16]
        }
    }

    #[test]
    fn an_entry_is_canonical_and_names_nobody() {
        let sealed = seal(
            &event(json!({"z": 1, "a": "é"})),
            7,
            ("driftline", Some("sub_1")),
            &mut counted(),
        )
        .unwrap();
        let text = String::from_utf8(sealed.entry.clone()).unwrap();
        insta::assert_snapshot!(text, @r#"{"_sd":["WLX82RaUoOYKKfyRhXB5W7vq0jIx3Y3JcbgK1RkIBR8","dzleaAKwNrz_6HKhlTKw8LayAK-iIfVhJ8bD7UuUKLo"],"actor":"driftline","at":"2026-08-04T09:12:45.500Z","body":{"a":"é","z":1},"nonce":"AQEBAQEBAQEBAQEBAQEBAQ","run":8842,"seq":7,"subject":"sub_1","type":"finding.opened","v":1}"#);
        assert!(!text.contains("a-1") && !text.contains("seen active"));
        let head = EntryHead::parse(&sealed.entry).unwrap();
        assert_eq!((head.v, head.kind, head.seq), (1, "finding.opened", 7));
        for disclosure in &sealed.disclosures {
            assert!(head.digests.contains(&&*digest_of(disclosure)));
        }
        assert_eq!(sealed.hash, leaf_hash(&sealed.entry));
    }

    #[test]
    fn a_disclosure_is_that_of_rfc_9901() {
        // RFC 9901, 4.2.3: the first of the disclosures that hash in its examples.
        let disclosure = "WyJlSThaV205UW5LUHBOUGVOZW5IZGhRIiwgImVtYWlsIiwgIlwidW51c3VhbCBlbWFpbCBhZGRyZXNzXCJAZXhhbXBsZS5qcCJd";
        assert_eq!(digest_of(disclosure), "Kuet1yAa0HIQvYnOVd59hcViO9Ug6J2kSfqYRBeowvE");
    }

    #[test]
    fn an_entry_that_no_bundle_can_hold_is_refused() {
        let long = json!({"text": "x".repeat(LEN_MAX)});
        let error = seal(&event(long), 0, ("driftline", None), &mut counted()).unwrap_err();
        assert!(error.to_string().contains("`finding.opened` would have 65"), "{error}");
    }

    proptest! {
        #[test]
        fn anything_that_is_no_entry_is_refused_without_panic(bytes in prop::collection::vec(any::<u8>(), 0..200)) {
            prop_assert!(EntryHead::parse(&bytes).is_none());
        }
    }
}
