//! Companies of any size, the same each time: everybody has an Okta user, the app through one
//! group, and an account in it; some left, and some of those kept their account.

use chrono::TimeDelta;

use crate::world::{Account, Active, AppUser, Group, LogEvent, OktaUser, Person, World};

const GIVEN: &[&str] = &["Ana", "Bo", "Cleo", "Dan", "Eva", "Finn", "Gita", "Hugo", "Ida", "Jon"];
const FAMILY: &[&str] = &["Ruiz", "Berg", "Ito", "Khan", "Novak", "Okoye", "Silva"];
/// The group that gives everybody the app.
const GROUP: &str = "00geverybody";

/// How many people there are.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Staff {
    /// In all, leavers included.
    pub people: u32,
    /// Of those, deactivated in Okta.
    pub leavers: u32,
    /// Of the leavers, with an account that still works.
    pub kept: u32,
}

impl World {
    /// Adds so many people. The first ones are the leavers, a day apart.
    pub fn hire(&mut self, staff: Staff) {
        let now = self.begins_at;
        // Before the first of them left.
        let hired_at = now - TimeDelta::days(i64::from(staff.leavers).max(400));
        let mut group =
            Group { name: "Everybody".to_owned(), is_assigned: true, ..Group::default() };
        for n in 0..staff.people {
            let left_at =
                (n < staff.leavers).then(|| now - TimeDelta::hours(24 * i64::from(n) + 6));
            let (id, number) = (format!("00u{n:07}"), format!("{}", 100_000 + n));
            let given_name = pick(GIVEN, n);
            let family_name = pick(FAMILY, n / 10);
            let login = format!("{given_name}.{family_name}.{n}@company.test").to_lowercase();
            let account = format!("acc-{n:07}");
            self.people.insert(number.clone(), Person { given_name, family_name, left_at });
            let status = if left_at.is_some() { "DEPROVISIONED" } else { "ACTIVE" };
            let user = OktaUser {
                employee_number: Some(number),
                login: login.clone(),
                email: Some(login.clone()),
                status: status.to_owned(),
                created_at: hired_at,
                status_changed_at: Some(left_at.unwrap_or(hired_at)),
                updated_at: left_at.unwrap_or(hired_at),
                last_login_at: left_at.or(Some(now)),
                ends_on: None,
            };
            self.okta.users.insert(id.clone(), user);
            group.members.insert(id.clone());
            match left_at {
                Some(at) => self.okta.log.push(LogEvent {
                    published_at: at,
                    event_type: "user.lifecycle.deactivate".to_owned(),
                    result: "SUCCESS".to_owned(),
                    reason: None,
                    user: id.clone(),
                }),
                None => {
                    let app_user = AppUser {
                        group: Some(GROUP.to_owned()),
                        status: "PROVISIONED".to_owned(),
                        external_id: Some(account.clone()),
                        user_name: Some(login.clone()),
                        created_at: hired_at,
                        status_changed_at: Some(hired_at),
                    };
                    self.okta.app_users.insert(id.clone(), app_user);
                }
            }
            self.app.accounts.push(Account {
                id: account,
                external_id: Some(id),
                user_name: Some(login.clone()),
                email: Some(login),
                active: Active::Set(left_at.is_none() || n < staff.kept),
                roles: Vec::new(),
                employee_number: None,
                created_at: hired_at,
                modified_at: left_at.unwrap_or(hired_at),
                more: Default::default(),
            });
        }
        self.okta.log.sort_by_key(|it| it.published_at);
        self.okta.groups.insert(GROUP.to_owned(), group);
    }
}

fn pick(names: &[&str], n: u32) -> String {
    let at = usize::try_from(n).unwrap_or_default() % names.len();
    names.get(at).copied().unwrap_or_default().to_owned()
}
