//! What the ledger is told of erasures, and of legal holds that forbid them.

use chrono::{DateTime, Utc};
use data_encoding::HEXLOWER;
use domain::{Digest, Signature, SystemId};
use serde_json::{Map, Value, json};

use crate::Event;
use crate::entry::time;
use crate::event::{Kind, Who, by_person};

/// What was erased of somebody.
#[derive(Clone, Copy, Debug)]
pub struct Erasure<'e> {
    /// The random names that stood for them.
    pub subjects: &'e [String],
    /// On what legal basis; in clear, and so it names nobody.
    pub basis: &'e str,
    /// SHA-256 over what the digest alone is left of.
    pub erased: Digest,
    /// How much of each kind.
    pub counts: &'e [(&'static str, u64)],
}

impl Event {
    /// What named somebody was erased. Whom, no fact says: there is nothing left to say it with.
    #[must_use]
    pub fn erasure_done(erasure: &Erasure<'_>, who: Option<Who>, by: &Signature) -> Self {
        let counts: Map<String, Value> =
            erasure.counts.iter().map(|(name, n)| ((*name).to_owned(), json!(n))).collect();
        let body = json!({
            "subjects": erasure.subjects,
            "basis": erasure.basis,
            "erased_sha256": HEXLOWER.encode(&erasure.erased),
            "counts": counts,
        });
        let event = by_person(Kind::ErasureDone, by, None, body, []);
        Self { subject: who, ..event }
    }

    /// Whatever is kept of somebody must be kept: number of the hold, and why.
    #[must_use]
    pub fn hold_set((hold, reason): (i64, &str), who: Who, by: &Signature) -> Self {
        let reason = ("reason", json!(reason));
        by_person(Kind::HoldSet, by, Some(who), json!({"hold": hold}), [reason])
    }

    /// Whatever is kept of an app and a time must be kept: number of the hold, and why.
    #[must_use]
    pub fn hold_set_on_period(
        (hold, reason): (i64, &str),
        app: &SystemId,
        (from, to): (DateTime<Utc>, DateTime<Utc>),
        by: &Signature,
    ) -> Self {
        let reason = ("reason", json!(reason));
        let body = json!({
            "hold": hold, "app": app.as_str(), "from": time(from), "to": time(to),
        });
        by_person(Kind::HoldSet, by, None, body, [reason])
    }

    /// Somebody asked to lift a hold.
    #[must_use]
    pub fn hold_lift_requested((hold, reason): (i64, &str), by: &Signature) -> Self {
        let reason = ("reason", json!(reason));
        by_person(Kind::HoldLiftRequested, by, None, json!({"hold": hold}), [reason])
    }

    /// Somebody else approved it.
    #[must_use]
    pub fn hold_lifted(hold: i64, by: &Signature) -> Self {
        by_person(Kind::HoldLifted, by, None, json!({"hold": hold}), [])
    }
}
