//! A firm of twenty people with five plain drifts, written as exports that each test bends.
//!
//! Person `n` has the Okta id [`user`], the account [`account`] and the address `p<n>@example.com`.

use std::collections::BTreeSet;

use serde_json::{Value, json};

use crate::site::Site;

/// The nights that tests judge.
pub(crate) const FIRST: &str = "2026-11-19";
pub(crate) const SECOND: &str = "2026-11-20";
pub(crate) const THIRD: &str = "2026-11-21";

/// The account that nobody owns.
pub(crate) const ORPHAN: u32 = 90;

/// What the settings say of the two lists of the identity provider.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Says {
    pub(crate) users: &'static str,
    pub(crate) app_users: &'static str,
}

impl Default for Says {
    fn default() -> Self {
        Self { users: "whole = true", app_users: "whole = true" }
    }
}

/// The settings: nights in `exports`, one identity provider, one app.
pub(crate) fn settings(says: Says) -> String {
    let Says { users, app_users } = says;
    format!(
        "database = \"driftline.db\"
reports = \"reports\"
[nights]
folder = \"exports\"
time = \"02:00:00Z\"
[idp.okta]
[[idp.okta.file]]
path = \"users\"
{users}
[[idp.okta.file]]
path = \"app_users\"
{app_users}
[app.secureframe]
idps = [\"okta\"]
deprovision = \"lists\"
[[app.secureframe.file]]
path = \"accounts\"
"
    )
}

/// One account of the app.
#[derive(Clone, Debug)]
pub(crate) struct Account {
    pub(crate) number: u32,
    /// Whose id is its `externalId`; `None`: it carries none.
    pub(crate) owner: Option<u32>,
    pub(crate) is_active: bool,
}

/// The exports of one night.
#[derive(Clone, Debug)]
pub(crate) struct Night {
    /// Number and Okta status.
    pub(crate) users: Vec<(u32, &'static str)>,
    /// Who is assigned to the app.
    pub(crate) assigned: Vec<u32>,
    pub(crate) accounts: Vec<Account>,
    /// The `totalResults` of the app's list; `None`: as many as there are.
    pub(crate) total: Option<usize>,
}

impl Night {
    /// Twenty people: 1 left and 2 is unassigned, and both are active; 3 is switched off; 4 has no
    /// account; one account is nobody's.
    pub(crate) fn planted() -> Self {
        let mut night = Self::quiet();
        night.users[0].1 = "DEPROVISIONED";
        night.assigned.retain(|it| *it > 2);
        night.accounts[2].is_active = false;
        night.accounts.retain(|it| it.number != 4);
        night.accounts.push(Account { number: ORPHAN, owner: None, is_active: true });
        night
    }

    /// The same people without any drift.
    pub(crate) fn quiet() -> Self {
        let account = |number| Account { number, owner: Some(number), is_active: true };
        Self {
            users: (1..=20).map(|it| (it, "ACTIVE")).collect(),
            assigned: (1..=20).collect(),
            accounts: (1..=20).map(account).collect(),
            total: None,
        }
    }

    /// Without the users of these numbers in the list of users.
    pub(crate) fn without_users(mut self, gone: impl Fn(u32) -> bool) -> Self {
        self.users.retain(|it| !gone(it.0));
        self
    }

    /// Without the accounts of these numbers in the app's list.
    pub(crate) fn without_accounts(mut self, gone: impl Fn(u32) -> bool) -> Self {
        self.accounts.retain(|it| !gone(it.number));
        self
    }

    pub(crate) fn users_json(&self) -> String {
        Value::from_iter(self.users.iter().map(|(number, status)| {
            json!({
                "id": user(*number), "status": status, "created": "2024-01-01T00:00:00.000Z",
                "statusChanged": "2026-11-01T00:00:00.000Z",
                "profile": { "login": login(*number), "email": login(*number) },
            })
        }))
        .to_string()
    }

    pub(crate) fn app_users_json(&self) -> String {
        Value::from_iter(self.assigned.iter().map(|number| {
            json!({
                "id": user(*number), "externalId": account(*number), "scope": "USER",
                "status": "PROVISIONED", "statusChanged": "2026-11-01T00:00:00.000Z",
                "syncState": "SYNCHRONIZED", "credentials": { "userName": login(*number) },
            })
        }))
        .to_string()
    }

    pub(crate) fn accounts_json(&self) -> String {
        let resources = self.accounts.iter().map(|it| {
            let mut row = json!({
                "id": account(it.number), "userName": login(it.number), "active": it.is_active,
                "emails": [{ "value": login(it.number), "primary": true }], "roles": [],
            });
            if let Some(owner) = it.owner {
                row["externalId"] = json!(user(owner));
            }
            row
        });
        let resources = Value::from_iter(resources);
        let total = self.total.unwrap_or(self.accounts.len());
        json!({ "totalResults": total, "startIndex": 1, "Resources": resources }).to_string()
    }
}

/// The Okta id of person `number`.
pub(crate) fn user(number: u32) -> String {
    format!("00u{number:014}5d7")
}

/// The id of account `number`.
pub(crate) fn account(number: u32) -> String {
    format!("acct-{number:04}")
}

fn login(number: u32) -> String {
    format!("p{number}@example.com")
}

impl Site {
    /// The firm, with its lists declared whole and no night yet.
    pub(crate) fn firm() -> Self {
        Self::new(&settings(Says::default()))
    }

    /// The firm after its first night, with the drift that is planted in it.
    pub(crate) fn firm_after_first() -> Self {
        let site = Self::firm();
        site.night(FIRST, &Night::planted());
        site.told(&["run", "--once"]);
        assert_eq!(site.live(), planted());
        site
    }

    /// Writes the exports of a night.
    pub(crate) fn night(&self, date: &str, night: &Night) {
        self.write(&format!("exports/{date}/users"), night.users_json());
        self.write(&format!("exports/{date}/app_users"), night.app_users_json());
        self.write(&format!("exports/{date}/accounts"), night.accounts_json());
    }

    /// Says something else of the lists from now on.
    pub(crate) fn says(&self, says: Says) {
        self.write("driftline.toml", settings(says));
    }
}

/// What is drift in [`Night::planted`].
pub(crate) fn planted() -> BTreeSet<(String, String)> {
    [
        ("disabled_entitled", account(3)),
        ("leaver_active", account(1)),
        ("not_provisioned", user(4)),
        ("orphan_active", account(ORPHAN)),
        ("unassigned_active", account(2)),
    ]
    .map(|(cause, key)| (cause.to_owned(), key))
    .into()
}
