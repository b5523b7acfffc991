//! Accounts of an app. `active` keeps its four states (RFC 7643 gives it no default).

use domain::{Account, ActiveFlag, Invitation, Population, Raw, RowOrigin, Rows, SystemId, Table};

use super::{Dates, Part, key, name, note, text, texts};
use crate::files::dates::Day;
use crate::files::error::PullErrorKind;
use crate::files::profile::{AccountShape, Field, Words};
use crate::files::record::{Record, Value, plain};
use crate::files::words::{Dictionary, Pool};

pub(super) struct Accounts<'p> {
    shape: &'p AccountShape,
    actives: Dictionary<Option<bool>>,
    invitations: Dictionary<Invitation>,
    no_role: Vec<String>,
    pool: Pool,
    /// In CSV everything is text, which is nothing to note.
    has_types: bool,
    n_text_flags: u64,
    rows: Table<Account>,
    origins: Vec<RowOrigin>,
}

impl<'p> Accounts<'p> {
    pub(super) fn new(shape: &'p AccountShape, has_types: bool) -> Self {
        let mut actives: Words<Option<bool>> = Words::default();
        actives.insert("true".to_owned(), Some(true));
        actives.insert("false".to_owned(), Some(false));
        actives.extend(shape.on_words.iter().map(|it| (plain(it), Some(true))));
        actives.extend(shape.off_words.iter().map(|it| (plain(it), Some(false))));
        Self {
            shape,
            actives: Dictionary::new("active", actives, None),
            invitations: Dictionary::new(
                "invitation",
                shape.invitations.clone(),
                Invitation::NotStated,
            ),
            no_role: shape.no_role_words.iter().map(|it| plain(it)).collect(),
            pool: Pool::default(),
            has_types,
            n_text_flags: 0,
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
        let invitation = record.first(&fields.invitation.slots).text();
        let invitation =
            invitation.map_or(Invitation::NotStated, |it| self.invitations.read(&it).1);
        let account = Account {
            id: key(record, &fields.id)?,
            external_id: text(record, &fields.external_id),
            user_name: text(record, &fields.user_name),
            email: text(record, &fields.email),
            employee_number: text(record, &fields.employee_number),
            display_name: name(record, &fields.display_name, &fields.first_name, &fields.last_name),
            active: self.active(record.first(&fields.active.slots)),
            invitation,
            raw_status: self.raw(record, &fields.status),
            active_source: self.raw(record, &fields.active_source),
            roles: match record.first(&fields.roles.slots) {
                Value::Null if self.shape.null_is_no_role => Some(Vec::new()),
                value => self.held(value),
            },
            groups: self.held(record.first(&fields.groups.slots)),
            ends_at: dates.instant(record, &fields.ends_at, Day::Ends)?,
            created_at: dates.instant(record, &fields.created_at, Day::Begins)?,
            modified_at: dates.instant(record, &fields.modified_at, Day::Begins)?,
            last_used_at: dates.instant(record, &fields.last_used_at, Day::Begins)?,
        };
        self.rows.push(&account);
        self.origins.push(origin);
        Ok(())
    }

    fn active(&mut self, value: &Value<'_>) -> ActiveFlag {
        match value {
            Value::Absent => ActiveFlag::Absent,
            Value::Null => ActiveFlag::Null,
            Value::Bool(is_on) => ActiveFlag::Set(*is_on),
            Value::Text(_) | Value::Int(_) => {
                let Some(word) = value.text() else { return ActiveFlag::Null };
                self.n_text_flags += u64::from(self.has_types);
                match self.actives.read(&word) {
                    (_, Some(is_on)) => ActiveFlag::Set(is_on),
                    (raw, None) => ActiveFlag::Unparseable(raw),
                }
            }
            Value::List(_) | Value::Other => {
                let (raw, _) = self.actives.read("(an object or a list)");
                ActiveFlag::Unparseable(raw)
            }
        }
    }

    fn raw(&mut self, record: &Record<'_>, field: &Field) -> Option<Raw> {
        record.first(&field.slots).text().map(|it| self.pool.keep(&it))
    }

    /// Roles or groups. `None`: not shown.
    fn held(&mut self, value: &Value<'_>) -> Option<Vec<Raw>> {
        let words = texts(value)?;
        let no_role = &self.no_role;
        let held =
            words.into_iter().filter(|it| no_role.is_empty() || !no_role.contains(&plain(it)));
        Some(held.map(|it| self.pool.keep(it)).collect())
    }

    pub(super) fn finish(self, system: &SystemId) -> Part {
        let mut unmapped = self.actives.unmapped(system);
        unmapped.extend(self.invitations.unmapped(system));
        Part {
            rows: Rows::Accounts(self.rows),
            origins: self.origins,
            population: Population::Everyone,
            folds: false,
            notes: Vec::from_iter(note(self.n_text_flags, "rows that write `active` as text")),
            unmapped,
            withheld: Vec::new(),
        }
    }
}
