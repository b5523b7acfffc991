//! What people state in files of their own: non-human accounts, and leavers by HR.

use domain::{HrLeaver, NonHuman, Population, RowOrigin, Rows, Table, is_placeholder};

use super::{Dates, Part, key, name, text};
use crate::files::dates::Day;
use crate::files::error::PullErrorKind;
use crate::files::profile::{LeaverShape, NonHumanShape};
use crate::files::record::Record;

pub(super) struct NonHumans<'p> {
    shape: &'p NonHumanShape,
    rows: Table<NonHuman>,
    origins: Vec<RowOrigin>,
}

impl<'p> NonHumans<'p> {
    pub(super) fn new(shape: &'p NonHumanShape) -> Self {
        Self { shape, rows: Table::default(), origins: Vec::new() }
    }

    pub(super) fn take(
        &mut self,
        record: &Record<'_>,
        dates: &mut Dates<'_>,
        origin: RowOrigin,
    ) -> Result<(), PullErrorKind> {
        let fields = &self.shape.fields;
        self.rows.push(&NonHuman {
            account: key(record, &fields.account)?,
            owner: text(record, &fields.owner),
            purpose: text(record, &fields.purpose),
            attest_by: dates.instant(record, &fields.attest_by, Day::Ends)?,
        });
        self.origins.push(origin);
        Ok(())
    }

    pub(super) fn finish(self) -> Part {
        part(Rows::NonHumans(self.rows), self.origins)
    }
}

pub(super) struct Leavers<'p> {
    shape: &'p LeaverShape,
    rows: Table<HrLeaver>,
    origins: Vec<RowOrigin>,
}

impl<'p> Leavers<'p> {
    pub(super) fn new(shape: &'p LeaverShape) -> Self {
        Self { shape, rows: Table::default(), origins: Vec::new() }
    }

    pub(super) fn take(
        &mut self,
        record: &Record<'_>,
        dates: &mut Dates<'_>,
        origin: RowOrigin,
    ) -> Result<(), PullErrorKind> {
        let fields = &self.shape.fields;
        let employee_number = text(record, &fields.employee_number);
        let email = text(record, &fields.email);
        // What people type where there is no number is one for all of them.
        let number = employee_number.clone();
        let id = number.clone().filter(|it| !is_placeholder(it));
        let id = id.or_else(|| email.clone()).or(number);
        let no_key = || PullErrorKind::NoKey {
            field: format!("{} or {}", fields.employee_number.shown(), fields.email.shown()),
        };
        let no_date = || PullErrorKind::NoKey { field: fields.left_at.shown() };
        self.rows.push(&HrLeaver {
            id: id.ok_or_else(no_key)?,
            employee_number,
            email,
            display_name: name(record, &fields.display_name, &fields.first_name, &fields.last_name),
            left_at: dates.instant(record, &fields.left_at, Day::Ends)?.ok_or_else(no_date)?,
            reason: text(record, &fields.reason),
        });
        self.origins.push(origin);
        Ok(())
    }

    pub(super) fn finish(self) -> Part {
        part(Rows::Leavers(self.rows), self.origins)
    }
}

fn part(rows: Rows, origins: Vec<RowOrigin>) -> Part {
    Part {
        rows,
        origins,
        population: Population::Everyone,
        folds: false,
        notes: Vec::new(),
        unmapped: Vec::new(),
        withheld: Vec::new(),
    }
}
