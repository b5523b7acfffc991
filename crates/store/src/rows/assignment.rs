//! Who may use the app. The key is the principal, `u` before an identity's id, `g` before a
//! group's: an IdP lists each principal once, with all groups it comes through.

use domain::{Assignment, GroupRef, Principal, Text, Via};

use super::Bind;
use crate::StoreError;
use crate::canon::Canon;
use crate::cells::{Cells, maybe_ms};
use crate::codes::{GRANTS, code, via};
use crate::words::Words;

pub(super) const TABLE: &str = "assignment";
pub(super) const COLUMNS: &str =
    "via, groups, grant_code, raw_status, account_id, user_name, changed_at_ms";

pub(super) fn key(row: &Assignment) -> String {
    principal_key(&row.principal)
}

pub(super) fn principal_key(principal: &Principal) -> String {
    match principal {
        Principal::Identity(id) => format!("u{id}"),
        Principal::Group(id) => format!("g{id}"),
    }
}

/// The principal of a key; `None` when it is no key of ours.
pub(super) fn principal(key: &str) -> Option<Principal> {
    let id = key.get(1..).map(Text::from);
    match key.as_bytes().first() {
        Some(b'u') => id.map(Principal::Identity),
        Some(b'g') => id.map(Principal::Group),
        _ => None,
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

pub(super) fn bind(
    row: &Assignment,
    bind: &mut Bind<'_, '_>,
    words: &mut Words,
) -> Result<(), StoreError> {
    let (via_code, groups) = match &row.via {
        Via::Direct => (via::DIRECT, None),
        Via::NotStated => (via::NOT_STATED, None),
        Via::Groups(groups) => {
            let pairs: Vec<_> = groups.iter().map(|it| (&it.id, it.name.as_ref())).collect();
            (via::GROUPS, Some(words.groups_id(&pairs)))
        }
    };
    bind.cell(via_code)?;
    bind.cell(groups)?;
    bind.cell(code(GRANTS, &row.grant))?;
    bind.cell(words.maybe_id(row.raw_status.as_ref()))?;
    bind.cell(row.account_id.as_deref())?;
    bind.cell(row.user_name.as_deref())?;
    bind.cell(maybe_ms(row.changed_at))?;
    Ok(())
}

pub(super) fn read(
    cells: &mut Cells<'_, '_>,
    words: &Words,
    key: &str,
) -> Result<Assignment, StoreError> {
    let via_code = cells.count("via")?;
    let groups = cells.maybe_word("groups", words)?;
    let via = match (via_code, groups) {
        (via::DIRECT, None) => Via::Direct,
        (via::NOT_STATED, None) => Via::NotStated,
        (via::GROUPS, Some(json)) => {
            let groups: Vec<(String, Option<String>)> =
                serde_json::from_str(&json).map_err(|_| cells.corrupt("groups"))?;
            Via::Groups(
                groups
                    .into_iter()
                    .map(|(id, name)| GroupRef { id: id.into(), name: name.map(Text::from) })
                    .collect(),
            )
        }
        _ => return Err(cells.corrupt("via")),
    };
    Ok(Assignment {
        principal: principal(key).ok_or_else(|| cells.corrupt("key"))?,
        via,
        grant: cells.code("grant_code", GRANTS)?,
        raw_status: cells.maybe_word("raw_status", words)?,
        account_id: cells.maybe_text("account_id")?,
        user_name: cells.maybe_text("user_name")?,
        changed_at: cells.maybe_time("changed_at_ms")?,
    })
}
