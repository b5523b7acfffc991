//! The export files of a company, JSON Lines, as its systems write them, and what changes in a
//! night. The same each time.

use std::fs::File;
use std::io::{BufWriter, Write as _};
use std::path::Path;

use anyhow::Context as _;
use serde_json::{Value, json};

/// Everybody at the identity provider.
pub(super) const USERS: &str = "okta_users.jsonl";

/// Who is assigned.
pub(super) const APP_USERS: &str = "okta_app_users.jsonl";

/// One in so many leaves in a night, as many come, and as many change their name: half a percent
/// a night is another company after some months, which is more than most see.
const CHANGES: u32 = 600;

/// One leaver in so many keeps the account.
const KEPT: u32 = 10;

/// The file of an app's accounts.
pub(super) fn accounts(app: u32) -> String {
    format!("scim_users-{app}.jsonl")
}

/// A company.
pub(super) struct Exports {
    people: Vec<Person>,
    apps: u32,
    n_left: u32,
}

#[derive(Clone, Copy)]
struct Person {
    number: u32,
    name: u32,
    has_left: bool,
    is_kept: bool,
}

impl Exports {
    /// So many people, all of whom have every app.
    pub(super) fn new(people: u32, apps: u32) -> Self {
        let people = (0..people).map(Person::new).collect();
        Self { people, apps, n_left: 0 }
    }

    /// What happens between two nights.
    pub(super) fn change(&mut self) {
        let n = u32::try_from(self.people.len()).unwrap_or(u32::MAX);
        let each = (n / CHANGES).max(1);
        let staying = self.people.iter_mut().filter(|it| !it.has_left);
        for (nth, person) in (0..each * 2).zip(staying) {
            if nth < each {
                person.has_left = true;
                person.is_kept = self.n_left.is_multiple_of(KEPT);
                self.n_left += 1;
            } else {
                person.name += 1;
            }
        }
        self.people.extend((n..n + each).map(Person::new));
    }

    /// Writes the lists as they are now.
    ///
    /// # Errors
    ///
    /// Returns an error when a file cannot be written.
    pub(super) fn write(&self, folder: &Path) -> anyhow::Result<()> {
        lines(&folder.join(USERS), self.people.iter().map(Person::user))?;
        let assigned = self.people.iter().filter(|it| !it.has_left);
        lines(&folder.join(APP_USERS), assigned.map(Person::app_user))?;
        for app in 0..self.apps {
            let accounts = self.people.iter().map(|it| it.account(app));
            lines(&folder.join(self::accounts(app)), accounts)?;
        }
        Ok(())
    }
}

impl Person {
    const fn new(number: u32) -> Self {
        Self { number, name: 0, has_left: false, is_kept: false }
    }

    fn login(&self) -> String {
        format!("person.{}@company.test", self.number)
    }

    fn user(&self) -> Value {
        let status = if self.has_left { "DEPROVISIONED" } else { "ACTIVE" };
        json!({
            "id": format!("00u{:017}", self.number),
            "status": status,
            "created": "2021-03-01T07:57:43.000Z",
            "statusChanged": null,
            "lastUpdated": "2021-03-01T10:19:33.000Z",
            "profile": {
                "firstName": "Person",
                "lastName": format!("Number {}", self.name),
                "login": self.login(),
                "email": self.login(),
                "employeeNumber": format!("{}", 1_000_000 + self.number),
                "department": "Company",
            },
        })
    }

    fn app_user(&self) -> Value {
        json!({
            "id": format!("00u{:017}", self.number),
            "created": "2025-03-03T15:47:51.000Z",
            "scope": "GROUP",
            "status": "PROVISIONED",
            "syncState": "SYNCHRONIZED",
            "credentials": { "userName": self.login() },
            "profile": { "email": self.login() },
        })
    }

    fn account(&self, app: u32) -> Value {
        json!({
            "schemas": ["urn:ietf:params:scim:schemas:core:2.0:User"],
            "id": format!("{app}-{:08}", self.number),
            "externalId": format!("00u{:017}", self.number),
            "userName": self.login(),
            "displayName": format!("Person Number {}", self.name),
            "emails": [{ "value": self.login(), "type": "work", "primary": true }],
            "active": !self.has_left || self.is_kept,
            "meta": { "resourceType": "User", "created": "2025-02-10T10:00:51Z" },
        })
    }
}

fn lines(path: &Path, rows: impl Iterator<Item = Value>) -> anyhow::Result<()> {
    let mut file =
        BufWriter::new(File::create(path).with_context(|| format!("write `{}`", path.display()))?);
    for row in rows {
        writeln!(file, "{row}")?;
    }
    Ok(file.flush()?)
}
