//! Who may use the app.

use std::borrow::Cow;

use domain::{
    Assignment, Grant, GroupRef, Population, Principal, RowOrigin, Rows, SystemId, Table, Text, Via,
};

use super::{Dates, Part, key, note, text};
use crate::files::dates::Day;
use crate::files::error::PullErrorKind;
use crate::files::profile::{AssignmentShape, PrincipalType, Words};
use crate::files::record::{Record, plain};
use crate::files::words::Dictionary;

#[derive(Clone, Copy)]
enum Scope {
    Direct,
    Group,
    NotStated,
}

pub(super) struct Assignments<'p> {
    shape: &'p AssignmentShape,
    statuses: Dictionary<Grant>,
    scopes: Dictionary<Scope>,
    types: Dictionary<PrincipalType>,
    app: Option<Text>,
    n_ignored: u64,
    rows: Table<Assignment>,
    origins: Vec<RowOrigin>,
}

impl<'p> Assignments<'p> {
    pub(super) fn new(shape: &'p AssignmentShape) -> Self {
        let direct = shape.direct_words.iter().map(|it| (plain(it), Scope::Direct));
        let group = shape.group_words.iter().map(|it| (plain(it), Scope::Group));
        let scopes: Words<Scope> = direct.chain(group).collect();
        Self {
            shape,
            statuses: Dictionary::new("status", shape.statuses.clone(), Grant::Undecided),
            scopes: Dictionary::new("scope", scopes, Scope::NotStated),
            types: Dictionary::new(
                "principal_type",
                shape.principal_types.clone(),
                PrincipalType::Ignored,
            ),
            app: None,
            n_ignored: 0,
            rows: Table::default(),
            origins: Vec::new(),
        }
    }

    pub(super) fn reserve(&mut self, n: usize) {
        self.origins.try_reserve(n).ok();
        self.rows.reserve(n);
    }

    pub(super) fn take(
        &mut self,
        record: &Record<'_>,
        dates: &mut Dates<'_>,
        origin: RowOrigin,
    ) -> Result<(), PullErrorKind> {
        let fields = &self.shape.fields;
        let id = key(record, &fields.principal)?;
        self.one_app(record)?;
        let principal_type =
            record.first(&fields.principal_type.slots).text().map(|it| self.types.read(&it).1);
        let (principal, via) = match principal_type {
            Some(PrincipalType::Ignored) => {
                self.n_ignored += 1;
                return Ok(());
            }
            Some(PrincipalType::Group) => {
                let group = GroupRef { id: id.clone(), name: text(record, &fields.group_name) };
                (Principal::Group(id), Via::Groups(vec![group]))
            }
            // A row that names an identity beside rows that name groups is a grant by hand.
            Some(PrincipalType::Identity) => (Principal::Identity(id), Via::Direct),
            None => (Principal::Identity(id), self.via(record)),
        };
        let ended_at = dates.instant(record, &fields.ended_at, Day::Begins)?;
        let status = record.first(&fields.status.slots).text().map(|it| self.statuses.read(&it));
        let (raw_status, grant) = match status {
            Some((raw, grant)) => (Some(raw), grant),
            None if ended_at.is_some() => (None, Grant::Denies),
            // It has an end, and nobody can say when.
            None if record.first(&fields.ended_at.slots).text().is_some() => {
                (None, Grant::Undecided)
            }
            None => (None, self.shape.without_status.unwrap_or(Grant::Undecided)),
        };
        let changed_at = dates.instant(record, &fields.changed_at, Day::Begins)?;
        self.rows.push(&Assignment {
            principal,
            via,
            grant,
            raw_status,
            account_id: text(record, &fields.account_id),
            user_name: text(record, &fields.user_name),
            changed_at: ended_at.or(changed_at),
        });
        self.origins.push(origin);
        Ok(())
    }

    fn via<'r>(&mut self, record: &'r Record<'_>) -> Via<Cow<'r, str>> {
        let fields = &self.shape.fields;
        let scope = record.first(&fields.via.slots).text().map(|it| self.scopes.read(&it).1);
        match scope {
            Some(Scope::Direct) => Via::Direct,
            Some(Scope::NotStated) => Via::NotStated,
            Some(Scope::Group) => Via::Groups(Vec::from_iter(self.group(record))),
            None => self.group(record).map_or(Via::NotStated, |group| Via::Groups(vec![group])),
        }
    }

    /// The group of a row; of a link to it, the last part.
    fn group<'r>(&self, record: &'r Record<'_>) -> Option<GroupRef<Cow<'r, str>>> {
        let fields = &self.shape.fields;
        let last = |it: &'r str| it.trim_end_matches('/').rsplit('/').next().unwrap_or(it);
        let id = match record.first(&fields.group.slots).text()? {
            Cow::Borrowed(group) => Cow::Borrowed(last(group)),
            number @ Cow::Owned(_) => number,
        };
        Some(GroupRef { id, name: text(record, &fields.group_name) })
    }

    /// A report over several apps says nothing of one of them.
    fn one_app(&mut self, record: &Record<'_>) -> Result<(), PullErrorKind> {
        let Some(app) = record.first(&self.shape.fields.app.slots).text() else { return Ok(()) };
        match &self.app {
            None => self.app = Some(app.as_ref().into()),
            Some(first) if **first == *app => {}
            Some(first) => {
                let what = format!(
                    "the file mixes the apps `{first}` and `{app}`: export the report for one app"
                );
                return Err(PullErrorKind::Setting { what });
            }
        }
        Ok(())
    }

    pub(super) fn finish(self, system: &SystemId) -> Part {
        let mut unmapped = self.statuses.unmapped(system);
        unmapped.extend(self.scopes.unmapped(system));
        unmapped.extend(self.types.unmapped(system));
        Part {
            rows: Rows::Assignments(self.rows),
            origins: self.origins,
            population: Population::Assigned,
            folds: self.shape.folds,
            notes: Vec::from_iter(note(
                self.n_ignored,
                "rows left out, which name neither a user nor a group",
            )),
            unmapped,
            withheld: Vec::new(),
        }
    }
}
