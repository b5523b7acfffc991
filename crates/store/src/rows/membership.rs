//! Direct members of groups. The key is the group's id, a separator, and the member's key.

use std::borrow::Cow;

use domain::Membership;

use super::assignment::{decode_principal, encode_principal, principal_key};
use crate::canon::{Canon, Fields};

/// Between group and member.
const SEPARATOR: char = '\u{1e}';

pub(super) fn key(row: &Membership) -> Cow<'_, str> {
    format!("{}{SEPARATOR}{}", row.group, principal_key(&row.member)).into()
}

/// The key of an encoded row.
pub(super) fn key_in(fields: &mut Fields<'_, '_>) -> Option<String> {
    decode(fields).map(|it| key(&it).into_owned())
}

pub(super) fn encode(row: &Membership, canon: &mut Canon) {
    canon.text(&row.group);
    encode_principal(&row.member, canon);
}

pub(super) fn decode(fields: &mut Fields<'_, '_>) -> Option<Membership> {
    Some(Membership { group: fields.text()?, member: decode_principal(fields)? })
}
