//! Who may use the app. The key is the principal, `u` before an identity's id, `g` before a
//! group's: an IdP lists each principal once, with all groups it comes through.

use std::borrow::Cow;

use domain::{Assignment, GroupRef, Principal, Via};

use crate::canon::{Canon, Fields};
use crate::codes::{GRANTS, code, via};

pub(super) fn key(row: &Assignment) -> Cow<'_, str> {
    principal_key(&row.principal).into()
}

/// The key of an encoded row.
pub(super) fn key_in(fields: &mut Fields<'_, '_>) -> Option<String> {
    decode_principal(fields).map(|it| principal_key(&it))
}

pub(super) fn principal_key(principal: &Principal) -> String {
    // Not formatted: every run makes some for every row.
    match principal {
        Principal::Identity(id) => ["u", id].concat(),
        Principal::Group(id) => ["g", id].concat(),
    }
}

pub(super) fn encode(row: &Assignment, canon: &mut Canon) {
    encode_principal(&row.principal, canon);
    match &row.via {
        Via::Direct => canon.code(via::DIRECT),
        Via::NotStated => canon.code(via::NOT_STATED),
        Via::Groups(groups) => {
            canon.code(via::GROUPS);
            canon.count(groups.len());
            for group in groups {
                canon.text(&group.id);
                canon.maybe_text(group.name.as_deref());
            }
        }
    }
    canon.code(code(GRANTS, &row.grant));
    canon.maybe_text(row.raw_status.as_deref());
    canon.maybe_text(row.account_id.as_deref());
    canon.maybe_text(row.user_name.as_deref());
    canon.maybe_time(row.changed_at);
}

pub(super) fn encode_principal(principal: &Principal, canon: &mut Canon) {
    let (code, id) = match principal {
        Principal::Identity(id) => (0, id),
        Principal::Group(id) => (1, id),
    };
    canon.code(code);
    canon.text(id);
}

pub(super) fn decode(fields: &mut Fields<'_, '_>) -> Option<Assignment> {
    Some(Assignment {
        principal: decode_principal(fields)?,
        via: match fields.code()? {
            via::DIRECT => Via::Direct,
            via::NOT_STATED => Via::NotStated,
            via::GROUPS => Via::Groups(
                fields.list(|it| Some(GroupRef { id: it.text()?, name: it.maybe_text()? }))?,
            ),
            _ => return None,
        },
        grant: fields.value(GRANTS)?,
        raw_status: fields.maybe_raw()?,
        account_id: fields.maybe_text()?,
        user_name: fields.maybe_text()?,
        changed_at: fields.maybe_time()?,
    })
}

pub(super) fn decode_principal(fields: &mut Fields<'_, '_>) -> Option<Principal> {
    match fields.code()? {
        0 => fields.text().map(Principal::Identity),
        1 => fields.text().map(Principal::Group),
        _ => None,
    }
}
