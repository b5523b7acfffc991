//! Companies in a few lines of text.
//!
//! ```text
//! people
//!   1041 Ana Ruiz left=-3h               # employee number, names
//! okta (dpop, limit 600)                 # see `ORG_WORDS`
//!   00u1 ana@x.test ACTIVE via=00g1      # id, login, any status, then words and key=value
//!   00u2 bob@x.test DEPROVISIONED since=-3h emp=1041
//!   00u3 cy@x.test SUSPENDED assigned access=ACTIVE account=a3 as=cy@app.test mail=-
//! groups
//!   00g1 Everybody assigned              # id, name, and whether it gives the app
//! app (hides inactive, page 50)          # see `APP_WORDS`
//!   a1 00u1 ana@x.test on                # id, externalId or -, userName or -, on|off|null|absent|TEXT
//!   a2 -    eve@x.test False roles=Admin +status=invited
//! log
//!   -3h user.lifecycle.deactivate 00u2   # when, what, who, then FAILURE reason=...
//! entra (page 50)                        # see `TENANT_WORDS`
//!   a1 ana@x.test on assigned via=b1     # object id, sign-in name, on|off|null|deleted; +department=Sales
//! entra-groups
//!   b1 Finance assigned holds=b2 hidden  # members are said by `via`
//! entra-log
//!   -3h disable a1 failure               # when, what, who, how it went
//! onelogin (page 50)                     # see `SUBDOMAIN_WORDS`
//!   101 ana@x.test 1 assigned state=1    # id, sign-in name, status or -, whether they have the app
//!   102 bob@x.test 2 unlisted push=disabling_pending_approval
//! onelogin-roles
//!   501 Finance                          # id and name of a role that gives the app
//! onelogin-log
//!   -3h 21 102                           # when, the number of a type, whom, and `app` if it is of the app
//! personnel (no total)                  # Secureframe; see `PERSONNEL_WORDS`
//!   p1 ana@x.test on role=Super_Admin    # id, address or -, on|off|null; then source=, status=, ends=
//!   p2 bob@x.test on uninvited
//! faults
//!   scim/users cut-body times=1 after=2
//! company 1000 (leavers 20, kept 3)      # so many more people in all systems
//! ```
//!
//! `#` begins a comment. Times count from the beginning: `-3h`, `+10d`, `-5m`. Somebody with the
//! app whose id is the `externalId` of an account is linked to it, as after a push.

mod personnel;
mod row;
mod subdomain;
mod tenant;

use chrono::{DateTime, TimeDelta, Utc};

pub use personnel::PERSONNEL_WORDS;
pub use subdomain::SUBDOMAIN_WORDS;
pub use tenant::TENANT_WORDS;

use crate::staff::Staff;
use crate::world::{Paging, Provisioning, Role, World};

/// A description that cannot be read.
#[derive(Debug, thiserror::Error)]
#[error("line {line} of the company: {what}")]
pub struct DescribeError {
    /// Counted from 1.
    pub line: usize,
    /// What is wrong with it, and what would be right.
    pub what: String,
}

/// What may stand in parentheses after `okta`.
pub const ORG_WORDS: &[&str] = &[
    "dpop",
    "role refused",
    "role blind",
    "no provisioning",
    "deactivation off",
    "limit N",
    "page N",
    "app ID",
];

/// What may stand in parentheses after `app`.
pub const APP_WORDS: &[&str] = &[
    "hides inactive",
    "deletes inactive",
    "shows nobody",
    "ignores filters",
    "restarts past end",
    "newest first",
    "text booleans",
    "empty object",
    "lower case",
    "plain json",
    "no config",
    "paging both",
    "paging cursor",
    "page N",
];

/// Reads a company whose clock begins at `begins_at`.
pub(crate) fn world(text: &str, begins_at: DateTime<Utc>) -> Result<World, DescribeError> {
    let mut world = World::empty(begins_at);
    let mut section = None;
    for (number, line) in text.lines().enumerate() {
        let line = line.split('#').next().unwrap_or_default();
        let words: Vec<&str> = line.split_whitespace().collect();
        let Some(first) = words.first() else { continue };
        let read = match Section::named(first) {
            Some(next) => {
                section = Some(next);
                begin(&mut world, next, line, &words)
            }
            None => match section {
                Some(section) => row::read(&mut world, section, &words),
                None => Err(format!("`{first}` begins no section: {SECTIONS}")),
            },
        };
        read.map_err(|what| DescribeError { line: number + 1, what })?;
    }
    row::link(&mut world);
    Ok(world)
}

const SECTIONS: &str = "write people, okta, groups, app, log, entra, entra-groups, entra-log, \
     onelogin, onelogin-roles, personnel, faults or company first";

/// What the lines that follow are about.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Section {
    People,
    Okta,
    Groups,
    App,
    Log,
    Entra,
    EntraGroups,
    EntraLog,
    OneLogin,
    OneLoginRoles,
    OneLoginLog,
    Personnel,
    Faults,
    Company,
}

impl Section {
    fn named(word: &str) -> Option<Self> {
        Some(match word {
            "people" => Self::People,
            "okta" => Self::Okta,
            "groups" => Self::Groups,
            "app" => Self::App,
            "log" => Self::Log,
            "entra" => Self::Entra,
            "entra-groups" => Self::EntraGroups,
            "entra-log" => Self::EntraLog,
            "onelogin" => Self::OneLogin,
            "onelogin-roles" => Self::OneLoginRoles,
            "onelogin-log" => Self::OneLoginLog,
            "personnel" => Self::Personnel,
            "faults" => Self::Faults,
            "company" => Self::Company,
            _ => return None,
        })
    }
}

/// Reads the head of a section.
fn begin(world: &mut World, section: Section, line: &str, words: &[&str]) -> Result<(), String> {
    let inside = line.split_once('(').and_then(|(_, rest)| rest.split_once(')'));
    let said = inside.map_or("", |it| it.0).split(',').map(str::trim).filter(|it| !it.is_empty());
    match section {
        Section::Okta => said.into_iter().try_for_each(|it| org_word(world, it)),
        Section::App => said.into_iter().try_for_each(|it| app_word(world, it)),
        Section::Entra => said.into_iter().try_for_each(|it| tenant::word(world, it)),
        Section::OneLogin => said.into_iter().try_for_each(|it| subdomain::word(world, it)),
        Section::Personnel => said.into_iter().try_for_each(|it| personnel::word(world, it)),
        Section::Company => {
            let people = words.get(1).ok_or("say how many people there are: company 1000")?;
            let mut staff = Staff { people: count(people)?, ..Staff::default() };
            for word in said {
                match word.split_once(' ') {
                    Some(("leavers", n)) => staff.leavers = count(n)?,
                    Some(("kept", n)) => staff.kept = count(n)?,
                    _ => return Err(format!("`{word}` is not known: leavers N, kept N")),
                }
            }
            world.hire(staff);
            Ok(())
        }
        _ => Ok(()),
    }
}

fn org_word(world: &mut World, word: &str) -> Result<(), String> {
    let org = &mut world.okta;
    match (word, word.split_once(' ')) {
        ("dpop", _) => org.door.needs_dpop = true,
        ("role refused", _) => org.door.role = Role::Refused,
        ("role blind", _) => org.door.role = Role::Blind,
        ("no provisioning", _) => org.app.provisioning = None,
        ("deactivation off", _) => {
            org.app.provisioning =
                Some(Provisioning { creates: true, updates: true, deactivates: false });
        }
        (_, Some(("limit", n))) => org.door.per_minute = count(n)?,
        (_, Some(("page", n))) => org.door.page_max = count(n)?,
        (_, Some(("app", id))) => id.clone_into(&mut org.app.id),
        _ => return Err(unknown(word, ORG_WORDS)),
    }
    Ok(())
}

fn app_word(world: &mut World, word: &str) -> Result<(), String> {
    let habits = &mut world.app.habits;
    match (word, word.split_once(' ')) {
        ("hides inactive", _) => habits.hides_inactive = true,
        ("deletes inactive", _) => habits.deletes_inactive = true,
        ("shows nobody", _) => habits.shows_nobody = true,
        ("takes writes", _) => habits.takes_writes = true,
        ("ignores writes", _) => (habits.takes_writes, habits.ignores_writes) = (true, true),
        ("ignores filters", _) => habits.ignores_filters = true,
        ("restarts past end", _) => habits.restarts_past_end = true,
        ("newest first", _) => habits.lists_newest_first = true,
        ("text booleans", _) => habits.writes_booleans_as_text = true,
        ("empty object", _) => habits.answers_empty_object = true,
        ("lower case", _) => habits.writes_members_in_lower_case = true,
        ("plain json", _) => habits.says_plain_json = true,
        ("no config", _) => habits.has_no_config = true,
        ("paging both", _) => habits.paging = Paging::Both,
        ("paging cursor", _) => habits.paging = Paging::Cursor,
        (_, Some(("page", n))) => habits.page_max = count(n)?,
        _ => return Err(unknown(word, APP_WORDS)),
    }
    Ok(())
}

fn unknown(word: &str, known: &[&str]) -> String {
    format!("`{word}` is not known: write {}", known.join(", "))
}

fn count<N: std::str::FromStr>(text: &str) -> Result<N, String> {
    text.trim().parse().map_err(|_| format!("`{text}` is no number"))
}

/// `-3h`, `+10d`, `-5m`: from the beginning.
fn time(world: &World, text: &str) -> Result<DateTime<Utc>, String> {
    let wrong = || format!("`{text}` is no time: write -3h, +10d or -5m");
    let unit = text.chars().last().ok_or_else(wrong)?;
    let number: i32 = text.trim_end_matches(unit).parse().map_err(|_| wrong())?;
    let minutes = match unit {
        'd' => 24 * 60,
        'h' => 60,
        'm' => 1,
        _ => return Err(wrong()),
    };
    Ok(world.begins_at + TimeDelta::minutes(i64::from(number) * minutes))
}
