//! Users of an IdP.

use std::borrow::Cow;
use std::collections::BTreeMap;

use domain::{IdForm, Identity, IdentityKind, Lifecycle, RowOrigin, Rows, SystemId, Table, Text};

use super::{Dates, Part, key, name, note, or_lifecycles, text};
use crate::files::dates::Day;
use crate::files::error::PullErrorKind;
use crate::files::profile::IdentityShape;
use crate::files::record::Record;
use crate::files::words::Dictionary;

pub(super) struct Identities<'p> {
    shape: &'p IdentityShape,
    statuses: Dictionary<Lifecycle>,
    kinds: Dictionary<IdentityKind>,
    without_status: Lifecycle,
    n_without_status: u64,
    /// Rows that state no state, where states take assignments.
    n_without_state: u64,
    rows: Table<Identity>,
    origins: Vec<RowOrigin>,
    withheld: Vec<Text>,
}

/// The name that a user had before Entra deleted them: it may put their own id, without dashes, in front
/// (UNCONFIRMED: no page of Microsoft's says so).
fn before_deletion<'r>(id: &str, name: Cow<'r, str>) -> Cow<'r, str> {
    let own = if IdForm::Entra.fits(id) { id.replace('-', "") } else { return name };
    let front = name.get(..own.len()).filter(|it| it.eq_ignore_ascii_case(&own));
    let before = front.and_then(|it| name.strip_prefix(it));
    let before = before.filter(|it| it.find('@').is_some_and(|at| at > 0)).map(str::to_owned);
    before.map_or(name, Cow::Owned)
}

impl<'p> Identities<'p> {
    pub(super) fn new(shape: &'p IdentityShape, operator: &BTreeMap<String, Lifecycle>) -> Self {
        let default = if shape.lifecycle { Lifecycle::Unknown } else { Lifecycle::NotStated };
        Self {
            shape,
            statuses: Dictionary::new(
                "status",
                or_lifecycles(&shape.statuses, operator),
                Lifecycle::Unknown,
            ),
            kinds: Dictionary::new("kind", shape.kinds.clone(), IdentityKind::Member),
            without_status: shape.without_status.unwrap_or(default),
            n_without_status: 0,
            n_without_state: 0,
            rows: Table::default(),
            origins: Vec::new(),
            withheld: Vec::new(),
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
        let id = key(record, &fields.id)?;
        let status = record.first(&fields.status.slots).text().map(|it| self.statuses.read(&it));
        let (raw_status, lifecycle) = match (status, self.shape.always) {
            (status, Some(always)) => (status.map(|(raw, _)| raw), always),
            (Some((raw, lifecycle)), None) => (Some(raw), lifecycle),
            (None, None) => {
                self.n_without_status += 1;
                (None, self.without_status)
            }
        };
        let kind = record
            .first(&fields.kind.slots)
            .text()
            .map_or(IdentityKind::Member, |it| self.kinds.read(&it).1);
        if !self.shape.approved_states.is_empty() {
            match record.first(&fields.state.slots).text() {
                Some(state) if self.shape.approved_states.iter().any(|it| *it == state) => {}
                Some(_) => self.withheld.push(Text::from(&*id)),
                None => self.n_without_state += 1,
            }
        }
        let user_name = text(record, &fields.user_name).map(|it| before_deletion(&id, it));
        self.rows.push(&Identity {
            id,
            user_name,
            email: text(record, &fields.email),
            employee_number: text(record, &fields.employee_number),
            immutable_id: text(record, &fields.immutable_id),
            display_name: name(record, &fields.display_name, &fields.first_name, &fields.last_name),
            kind,
            lifecycle,
            raw_status,
            created_at: dates.instant(record, &fields.created_at, Day::Begins)?,
            status_changed_at: dates.instant(record, &fields.status_changed_at, Day::Begins)?,
            starts_at: dates.instant(record, &fields.starts_at, Day::Begins)?,
            ends_at: dates.instant(record, &fields.ends_at, Day::Ends)?,
        });
        self.origins.push(origin);
        Ok(())
    }

    pub(super) fn finish(self, system: &SystemId) -> Part {
        let mut notes = Vec::new();
        if self.without_status == Lifecycle::Unknown {
            let what = format!(
                "rows without {}, of unknown lifecycle (was it selected for the export?)",
                self.shape.fields.status.shown()
            );
            notes.extend(note(self.n_without_status, &what));
        }
        let state = self.shape.fields.state.shown();
        let what = format!("rows without {state}, taken for approved");
        notes.extend(note(self.n_without_state, &what));
        let mut unmapped = self.statuses.unmapped(system);
        if !self.shape.kinds.is_empty() {
            unmapped.extend(self.kinds.unmapped(system));
        }
        Part {
            rows: Rows::Identities(self.rows),
            origins: self.origins,
            population: self.shape.lists,
            folds: false,
            notes,
            unmapped: if self.shape.always.is_some() { Vec::new() } else { unmapped },
            withheld: self.withheld,
        }
    }
}
