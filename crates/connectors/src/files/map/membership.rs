//! Direct members of groups. A nested group is kept as one, and grants nothing.

use domain::{Membership, Population, Principal, RowOrigin, Rows, SystemId, Table};

use super::{Part, key, note, text};
use crate::files::error::PullErrorKind;
use crate::files::profile::{MembershipShape, PrincipalType};
use crate::files::record::Record;
use crate::files::words::Dictionary;

pub(super) struct Memberships<'p> {
    shape: &'p MembershipShape,
    group: Option<&'p str>,
    types: Dictionary<PrincipalType>,
    n_ignored: u64,
    n_nested: u64,
    rows: Table<Membership>,
    origins: Vec<RowOrigin>,
}

impl<'p> Memberships<'p> {
    pub(super) fn new(shape: &'p MembershipShape, group: Option<&'p str>) -> Self {
        Self {
            shape,
            group,
            types: Dictionary::new(
                "member_type",
                shape.member_types.clone(),
                PrincipalType::Ignored,
            ),
            n_ignored: 0,
            n_nested: 0,
            rows: Table::default(),
            origins: Vec::new(),
        }
    }

    pub(super) fn take(
        &mut self,
        record: &Record<'_>,
        origin: RowOrigin,
    ) -> Result<(), PullErrorKind> {
        let fields = &self.shape.fields;
        let id = key(record, &fields.member)?;
        let group = text(record, &fields.group).or_else(|| self.group.map(Into::into)).ok_or_else(|| {
            let what = "nothing says whose members these are: add `group = \"…\"` with the group's id to this file's settings";
            PullErrorKind::Setting { what: what.to_owned() }
        })?;
        let kind = record.first(&fields.member_type.slots).text().map(|it| self.types.read(&it).1);
        let member = match kind {
            Some(PrincipalType::Ignored) => {
                self.n_ignored += 1;
                return Ok(());
            }
            Some(PrincipalType::Group) => {
                self.n_nested += 1;
                Principal::Group(id)
            }
            Some(PrincipalType::Identity) | None => Principal::Identity(id),
        };
        self.rows.push(&Membership { group, member });
        self.origins.push(origin);
        Ok(())
    }

    pub(super) fn finish(self, system: &SystemId) -> Part {
        let mut notes = Vec::new();
        notes
            .extend(note(self.n_nested, "groups in a group, whose members get nothing through it"));
        notes.extend(note(self.n_ignored, "rows left out, which name neither a user nor a group"));
        Part {
            rows: Rows::Memberships(self.rows),
            origins: self.origins,
            population: Population::Assigned,
            folds: true,
            notes,
            unmapped: self.types.unmapped(system),
            withheld: Vec::new(),
        }
    }
}
