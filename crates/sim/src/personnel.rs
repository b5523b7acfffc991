//! What there is of the company in Secureframe's own view: a record of each person, which need not
//! be what SCIM shows. Plain data that a test may change at any time; it knows nothing of HTTP.

use chrono::{DateTime, TimeDelta, Utc};

use crate::world::{Active, World};

/// A company in Secureframe.
#[derive(Clone, Debug)]
pub struct Personnel {
    /// The API key.
    pub api_key: String,
    /// Its secret.
    pub api_secret: String,
    /// How the API behaves.
    pub habits: PersonnelHabits,
    /// Everybody of whom there is a record.
    pub people: Vec<Record>,
    /// How far the `Date` of its answers is ahead of the company's clock; negative: behind.
    pub clock_ahead: TimeDelta,
}

/// How the API behaves: documents and reports of it do not agree.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PersonnelHabits {
    /// What stands around the rows of a page.
    pub shape: Shape,
    /// `sort` is refused, as unknown things are; otherwise it is done.
    pub refuses_sort: bool,
    /// Rows that a page holds at most, whatever is asked for.
    pub page_max: usize,
    /// A page behind the end is refused, and not empty.
    pub refuses_past_end: bool,
    /// A page behind the end is the last one again.
    pub repeats_past_end: bool,
    /// The owner of the key may not read personnel any more.
    pub forbids: bool,
}

/// What stands around the rows of a page.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Shape {
    /// `{"data": [...], "meta": {"total": 3}}`: documents of 2026-08.
    Total,
    /// `{"data": [...]}`: seen 2024 and 2026-06.
    NoTotal,
    /// `[{"data": {...}, "included": []}, ...]`: documents until 2026-06.
    Bare,
}

/// What Secureframe knows of one person.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Record {
    /// Its id.
    pub id: String,
    /// Address; `None`: null on the wire.
    pub email: Option<String>,
    /// Whether it can be used, as the API writes it.
    pub active: Active,
    /// What set that; `None`: null on the wire.
    pub active_source: Option<String>,
    /// Console role; `None`: null on the wire, the employee portal only.
    pub access_role: Option<String>,
    /// `personnel_status`; `None`: null on the wire.
    pub status: Option<String>,
    /// Was an invitation sent?
    pub invited: bool,
    /// When the person's time ends; `None`: null on the wire.
    pub ends_at: Option<DateTime<Utc>>,
    /// When it was made.
    pub created_at: DateTime<Utc>,
    /// When it was last changed.
    pub updated_at: DateTime<Utc>,
}

impl Personnel {
    /// The record of this id; `None`: there is none.
    pub fn record(&mut self, id: &str) -> Option<&mut Record> {
        self.people.iter_mut().find(|it| it.id == id)
    }

    /// Every credential that there is: the pair, and each half.
    pub(crate) fn secrets(&self) -> [String; 3] {
        let (key, secret) = (self.api_key.clone(), self.api_secret.clone());
        [format!("{key} {secret}"), key, secret]
    }
}

impl World {
    /// Makes the records what the accounts of the app are: ids, addresses, and who is on. The first
    /// is an administrator.
    pub fn enlist(&mut self) {
        let records = self.app.accounts.iter().enumerate().map(|(nth, account)| Record {
            id: account.id.clone(),
            email: account.email.clone(),
            active: account.active.clone(),
            active_source: Some("okta".to_owned()),
            access_role: (nth == 0).then(|| "Admin".to_owned()),
            status: Some("all_tasks_completed".to_owned()),
            invited: true,
            ends_at: None,
            created_at: account.created_at,
            updated_at: account.modified_at,
        });
        self.personnel.people = records.collect();
    }
}

impl Default for Personnel {
    fn default() -> Self {
        Self {
            api_key: "sim-secureframe-key".to_owned(),
            api_secret: "sim-secureframe-secret".to_owned(),
            habits: PersonnelHabits::default(),
            people: Vec::new(),
            clock_ahead: TimeDelta::zero(),
        }
    }
}

impl Default for PersonnelHabits {
    fn default() -> Self {
        Self {
            shape: Shape::Total,
            refuses_sort: false,
            page_max: 100,
            refuses_past_end: false,
            repeats_past_end: false,
            forbids: false,
        }
    }
}
