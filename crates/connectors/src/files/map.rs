//! From a record to rows of the vocabulary. One file per list.

mod account;
mod assignment;
mod identity;
mod membership;
mod register;

use std::borrow::Cow;
use std::collections::BTreeMap;

use chrono::{DateTime, Utc};
use chrono_tz::Tz;
use domain::{Lifecycle, List, Population, RowOrigin, Rows, SystemId, Text, Unmapped};

use super::config::{FileConfig, UNSAID};
use super::dates::{DateTrouble, Day, instant};
use super::error::PullErrorKind;
use super::limits::{ROWS_MAX, UNMAPPED_MAX};
use super::profile::{Field, Format, Profile};
use super::record::{Record, Value};

/// What one file gives for one list.
#[derive(Debug)]
pub(crate) struct Part {
    pub(crate) rows: Rows,
    pub(crate) origins: Vec<RowOrigin>,
    pub(crate) population: Population,
    /// Several rows of one key are usual, and become one.
    pub(crate) folds: bool,
    pub(crate) notes: Vec<String>,
    pub(crate) unmapped: Vec<Unmapped>,
    /// Identities whose state lets no assignment give access (OneLogin `state`).
    pub(crate) withheld: Vec<Text>,
}

/// Maps the rows of one file.
pub(crate) struct Mapper<'p> {
    dates: Dates<'p>,
    as_of: &'p Field,
    oldest: Option<DateTime<Utc>>,
    identities: Option<identity::Identities<'p>>,
    assignments: Option<assignment::Assignments<'p>>,
    memberships: Option<membership::Memberships<'p>>,
    accounts: Option<account::Accounts<'p>>,
    nonhumans: Option<register::NonHumans<'p>>,
    leavers: Option<register::Leavers<'p>>,
}

impl<'p> Mapper<'p> {
    /// `skips_identities`: another file lists everyone, so those named here are not kept.
    pub(crate) fn new(
        profile: &'p Profile,
        file: &'p FileConfig,
        zone: Option<Tz>,
        skips_identities: bool,
    ) -> Self {
        let zone = file.zone.or(profile.zone).or(zone);
        let dates = Dates { zone, formats: &profile.date_formats, unread: None };
        Self::with(profile, file, dates, skips_identities)
    }

    /// Maps answers of a server. A time without a zone counts as UTC: APIs mean that when they
    /// leave it out. A date that cannot be read is not known, and told: nobody can export it again.
    /// `group`: whose members they list.
    pub(crate) fn of_answers(
        profile: &'p Profile,
        skips_identities: bool,
        group: Option<&'p str>,
    ) -> Self {
        let zone = profile.zone.or(Some(Tz::UTC));
        let unread = Some(BTreeMap::new());
        let dates = Dates { zone, formats: &profile.date_formats, unread };
        let mut mapper = Self::with(profile, &UNSAID, dates, skips_identities);
        mapper.memberships =
            profile.memberships.as_ref().map(|it| membership::Memberships::new(it, group));
        mapper
    }

    fn with(
        profile: &'p Profile,
        file: &'p FileConfig,
        dates: Dates<'p>,
        skips_identities: bool,
    ) -> Self {
        let has_types = !profile.formats.contains(&Format::Csv);
        let identities = profile.identities.as_ref().filter(|_| !skips_identities);
        Self {
            dates,
            as_of: &profile.as_of,
            oldest: None,
            identities: identities.map(|it| identity::Identities::new(it, &file.statuses)),
            assignments: profile.assignments.as_ref().map(assignment::Assignments::new),
            memberships: profile
                .memberships
                .as_ref()
                .map(|it| membership::Memberships::new(it, file.group.as_deref())),
            accounts: profile.accounts.as_ref().map(|it| account::Accounts::new(it, has_types)),
            nonhumans: profile.nonhumans.as_ref().map(register::NonHumans::new),
            leavers: profile.leavers.as_ref().map(register::Leavers::new),
        }
    }

    /// Maps one row for every list that the profile gives.
    pub(crate) fn take(
        &mut self,
        record: &Record<'_>,
        origin: RowOrigin,
    ) -> Result<(), PullErrorKind> {
        let dates = &mut self.dates;
        if let Some(at) = dates.instant(record, self.as_of, Day::Begins)? {
            self.oldest = Some(self.oldest.map_or(at, |oldest| oldest.min(at)));
        }
        if let Some(it) = &mut self.identities {
            it.take(record, dates, origin)?;
        }
        if let Some(it) = &mut self.assignments {
            it.take(record, dates, origin)?;
        }
        if let Some(it) = &mut self.memberships {
            it.take(record, origin)?;
        }
        if let Some(it) = &mut self.accounts {
            it.take(record, dates, origin)?;
        }
        if let Some(it) = &mut self.nonhumans {
            it.take(record, dates, origin)?;
        }
        if let Some(it) = &mut self.leavers {
            it.take(record, dates, origin)?;
        }
        Ok(())
    }

    /// Makes room for about so many rows: growing by halves copies them again and again.
    pub(crate) fn reserve(&mut self, n_rows: u64) {
        let n = usize::try_from(n_rows.min(ROWS_MAX)).unwrap_or(0);
        if let Some(it) = &mut self.identities {
            it.reserve(n);
        }
        if let Some(it) = &mut self.assignments {
            it.reserve(n);
        }
        if let Some(it) = &mut self.accounts {
            it.reserve(n);
        }
    }

    /// The oldest as-of time that the rows state.
    pub(crate) const fn oldest(&self) -> Option<DateTime<Utc>> {
        self.oldest
    }

    /// All that was mapped.
    pub(crate) fn finish(self, system: &SystemId) -> Vec<Part> {
        let unread_dates = self.dates.unmapped(system);
        let mut parts = Vec::new();
        parts.extend(self.identities.map(|it| it.finish(system)));
        parts.extend(self.assignments.map(|it| it.finish(system)));
        parts.extend(self.memberships.map(|it| it.finish(system)));
        parts.extend(self.accounts.map(|it| it.finish(system)));
        parts.extend(self.nonhumans.map(register::NonHumans::finish));
        parts.extend(self.leavers.map(register::Leavers::finish));
        if let Some(first) = parts.first_mut() {
            first.unmapped.extend(unread_dates);
        }
        parts
    }
}

/// The lists that a profile gives.
pub(crate) fn lists(profile: &Profile, skips_identities: bool) -> Vec<List> {
    let all = [
        (profile.identities.is_some() && !skips_identities, List::Identities),
        (profile.assignments.is_some(), List::Assignments),
        (profile.memberships.is_some(), List::Memberships),
        (profile.accounts.is_some(), List::Accounts),
        (profile.nonhumans.is_some(), List::NonHumans),
        (profile.leavers.is_some(), List::Leavers),
    ];
    all.into_iter().filter(|(gives, _)| *gives).map(|(_, list)| list).collect()
}

/// How dates of one file are read.
pub(crate) struct Dates<'p> {
    zone: Option<Tz>,
    formats: &'p [String],
    /// Dates that cannot be read, by column and value, with their rows; `None`: one of them is an
    /// error.
    unread: Option<BTreeMap<(String, String), u64>>,
}

impl Dates<'_> {
    fn instant(
        &mut self,
        record: &Record<'_>,
        field: &Field,
        day: Day,
    ) -> Result<Option<DateTime<Utc>>, PullErrorKind> {
        let Some(text) = record.first(&field.slots).text() else { return Ok(None) };
        let trouble = match instant(&text, day, self.zone, self.formats) {
            Ok(instant) => return Ok(Some(instant)),
            Err(trouble) => trouble,
        };
        // Name the very column that holds the value.
        let at = field.slots.iter().position(|it| record.get(*it).text().is_some());
        let column = at.and_then(|at| field.paths.get(at)).cloned().unwrap_or_default();
        match (&mut self.unread, trouble) {
            (Some(unread), _) => {
                let mut value = (column, shown(&text));
                if unread.len() >= UNMAPPED_MAX && !unread.contains_key(&value) {
                    "...".clone_into(&mut value.1);
                }
                *unread.entry(value).or_default() += 1;
                Ok(None)
            }
            (None, DateTrouble::NoZone) => Err(PullErrorKind::NoZone { column }),
            (None, DateTrouble::NoDate) => {
                Err(PullErrorKind::NoDate { column, value: shown(&text) })
            }
        }
    }

    fn unmapped(&self, system: &SystemId) -> Vec<Unmapped> {
        let unread = self.unread.iter().flatten();
        unread
            .map(|((field, raw), count)| Unmapped {
                system: system.clone(),
                field: field.clone(),
                raw: raw.clone(),
                count: *count,
            })
            .collect()
    }
}

fn text<'r>(record: &'r Record<'_>, field: &Field) -> Option<Cow<'r, str>> {
    record.first(&field.slots).text()
}

/// The field that names a row.
fn key<'r>(record: &'r Record<'_>, field: &Field) -> Result<Cow<'r, str>, PullErrorKind> {
    text(record, field).ok_or_else(|| PullErrorKind::NoKey { field: field.shown() })
}

/// A value in an error: short, and never an address.
fn shown(text: &str) -> String {
    if text.contains('@') { "(an address)".to_owned() } else { text.chars().take(40).collect() }
}

/// The display name, or first and last name joined.
fn name<'r>(
    record: &'r Record<'_>,
    whole: &Field,
    first: &Field,
    last: &Field,
) -> Option<Cow<'r, str>> {
    text(record, whole).or_else(|| match (text(record, first), text(record, last)) {
        (Some(first), Some(last)) => Some(format!("{first} {last}").into()),
        (one, other) => one.or(other),
    })
}

fn or_lifecycles(
    profile: &super::profile::Words<Lifecycle>,
    operator: &BTreeMap<String, Lifecycle>,
) -> super::profile::Words<Lifecycle> {
    let mut words = profile.clone();
    words.extend(operator.iter().map(|(raw, meaning)| (super::record::plain(raw), *meaning)));
    words
}

/// A count as a note, when there is anything to note.
fn note(count: u64, what: &str) -> Option<String> {
    (count > 0).then(|| format!("{what}: {count}"))
}

/// The texts of a list, or of one cell that holds them with `;` between. `None`: not shown.
fn texts<'v>(value: &'v Value<'_>) -> Option<Vec<&'v str>> {
    match value {
        Value::List(texts) => Some(texts.iter().map(AsRef::as_ref).collect()),
        Value::Text(text) => {
            Some(text.split(';').map(str::trim).filter(|it| !it.is_empty()).collect())
        }
        _ => None,
    }
}
