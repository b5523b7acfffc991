//! The identity of a finding over time, without revealing whom it is about.

use domain::{Family, Fingerprint, Subject, SystemId};
use hmac::{Hmac, Mac as _};
use sha2::Sha256;

/// HMAC-SHA-256 under the deployment's key over app, subject and family, each part ended by a zero.
///
/// The subject is its id at the source. A source without ids gives names, which people change:
/// there the store's own number of the row, given at first sight, stands in.
#[must_use]
pub fn fingerprint(
    key: &[u8; 32],
    app: &SystemId,
    subject: &Subject,
    has_ids: bool,
    family: Family,
) -> Fingerprint {
    let number = subject.entity.0.to_string();
    let id: &str = if has_ids { &subject.key } else { &number };
    let parts = [app.as_str(), subject.system.as_str(), subject.kind.name(), id, family.name()];
    // HMAC takes a key of any length: making one cannot fail.
    let Ok(mut mac) = Hmac::<Sha256>::new_from_slice(key) else { return Fingerprint([0; 32]) };
    for part in parts {
        mac.update(part.as_bytes());
        mac.update(&[0]);
    }
    Fingerprint(mac.finalize().into_bytes().into())
}

#[cfg(test)]
mod tests {
    use domain::{EntityId, SubjectKind};

    use super::*;

    #[test]
    fn depends_on_every_part_and_on_the_key() {
        let app = SystemId::parse("secureframe").unwrap();
        let subject = |key: &str, entity| Subject {
            kind: SubjectKind::Account,
            system: app.clone(),
            key: key.into(),
            entity: EntityId(entity),
        };
        let of = |key: [u8; 32], id: &str, entity, has_ids, family| {
            fingerprint(&key, &app, &subject(id, entity), has_ids, family)
        };
        let first = of([1; 32], "a", 1, true, Family::AccessRemains);
        assert_eq!(first, of([1; 32], "a", 2, true, Family::AccessRemains));
        assert_ne!(first, of([2; 32], "a", 1, true, Family::AccessRemains));
        assert_ne!(first, of([1; 32], "b", 1, true, Family::AccessRemains));
        assert_ne!(first, of([1; 32], "a", 1, true, Family::Link));
        // Without ids a renamed account stays the same one.
        let unnamed = of([1; 32], "a", 7, false, Family::Orphan);
        assert_eq!(unnamed, of([1; 32], "renamed", 7, false, Family::Orphan));
    }
}
