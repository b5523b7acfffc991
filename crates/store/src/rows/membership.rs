//! Direct members of groups. The key is the group's id, a separator, and the member's key.

use domain::Membership;

use super::Bind;
use super::assignment::{encode_principal, principal, principal_key};
use crate::StoreError;
use crate::canon::Canon;
use crate::cells::Cells;
use crate::words::Words;

pub(super) const TABLE: &str = "membership";
pub(super) const COLUMNS: &str = "group_id";

/// Between group and member. The group is known when the key is read, so that one that holds the
/// separator itself does no harm.
const SEPARATOR: char = '\u{1e}';

pub(super) fn key(row: &Membership) -> String {
    format!("{}{SEPARATOR}{}", row.group, principal_key(&row.member))
}

pub(super) fn encode(row: &Membership, canon: &mut Canon) {
    canon.text(&row.group);
    encode_principal(&row.member, canon);
}

pub(super) fn bind(
    row: &Membership,
    bind: &mut Bind<'_, '_>,
    words: &mut Words,
) -> Result<(), StoreError> {
    bind.cell(words.id(&row.group))?;
    Ok(())
}

pub(super) fn read(
    cells: &mut Cells<'_, '_>,
    words: &Words,
    key: &str,
) -> Result<Membership, StoreError> {
    let group = cells.maybe_word("group_id", words)?.ok_or_else(|| cells.corrupt("group_id"))?;
    let member = key
        .strip_prefix(&*group)
        .and_then(|rest| rest.strip_prefix(SEPARATOR))
        .and_then(principal)
        .ok_or_else(|| cells.corrupt("key"))?;
    Ok(Membership { group: (&*group).into(), member })
}
