//! What must hold whatever bytes a system or a disk brings: one function for each parser, for the
//! fuzzers under `tests/fuzz` and for the test below, which reads again what they kept. Each panics
//! when something does not hold. Never part of the program.

#![expect(clippy::missing_panics_doc, reason = "to panic is what they are for")]

use std::fs;
use std::path::PathBuf;
use std::sync::OnceLock;

use chrono::DateTime;
use domain::{Account, ActiveFlag, Request, RowOrigin, Rows, SystemId};
use serde_json::Value;

use crate::files::config::FileConfig;
use crate::files::{Profile, Profiles, bodies, read, recognise};
use crate::okta::{event, link};
use crate::page::{self, Pages};
use crate::scim::wire;

/// Profiles of CSV exports, by the first byte of the input. New ones go to the end: the corpus
/// counts on the order.
const CSV: &[&str] = &[
    "generic-accounts",
    "generic-identities",
    "generic-assignments",
    "hr-leavers",
    "nonhuman-register",
    "secureframe-personnel-csv",
    "entra-download-users",
    "onelogin-users-csv",
    "okta-recent-unassignments",
];

/// The same of JSON exports.
const JSON: &[&str] = &[
    "scim-users",
    "okta-users",
    "okta-app-users",
    "secureframe-personnel",
    "entra-users",
    "entra-app-role-assigned-to",
    "entra-group-members",
    "onelogin-users",
    "generic-accounts",
];

/// A CSV export: the byte that chooses the profile, then the file.
pub fn csv(bytes: &[u8]) {
    export(CSV, bytes);
}

/// A JSON export: the same.
pub fn json(bytes: &[u8]) {
    export(JSON, bytes);
}

/// A page of SCIM's users: what stands around the rows, the rows, and each row by itself.
pub fn scim_page(bytes: &[u8]) {
    wire::list(bytes);
    wire::error(bytes);
    wire::service(bytes);
    for (row, raw) in page_of("scim-users", bytes) {
        activity_is_as_stated(&row, &raw);
    }
}

/// A page of Okta's users or app users, as the first byte says.
pub fn okta_page(bytes: &[u8]) {
    let Some((choice, body)) = bytes.split_first() else { return };
    page_of(if choice.is_multiple_of(2) { "okta-users" } else { "okta-app-users" }, body);
}

/// `Link` headers, a line each.
pub fn link_headers(bytes: &[u8]) {
    let Ok(text) = str::from_utf8(bytes) else { return };
    if let Ok(Some(next)) = link::next(text.lines()) {
        let is_there = |line: &str| line.contains(&format!("<{next}")) || line.contains(next);
        assert!(text.lines().any(is_there), "a next link that no line has");
        assert!(text.to_lowercase().contains("next"), "a next link where no line says next");
    }
}

/// A page of Okta's system log.
pub fn system_log(bytes: &[u8]) {
    let Ok(page) = event::read(bytes, "0oa1") else { return };
    assert!(page.events.len() as u64 + page.n_unusable <= page.n_seen, "more than there were");
    for event in &page.events {
        assert!(!event.identity.is_empty(), "an event about nobody");
    }
}

/// A profile that an operator writes.
pub fn profile(bytes: &[u8]) {
    let Ok(text) = str::from_utf8(bytes) else { return };
    // Whatever is wrong is said.
    if let Err(error) = builtin().clone().with_profile(text) {
        assert!(!error.to_string().is_empty());
    }
}

fn builtin() -> &'static Profiles {
    static PROFILES: OnceLock<Profiles> = OnceLock::new();
    PROFILES.get_or_init(|| Profiles::builtin().expect("the profiles in the program"))
}

fn known(name: &str) -> &'static Profile {
    builtin().get(name).expect("a profile in the program")
}

fn system() -> SystemId {
    SystemId::parse("sys").expect("a name of a system")
}

/// A file that is gone with the value.
struct Written(PathBuf);

impl Written {
    fn new(bytes: &[u8]) -> Self {
        let thread = std::thread::current().id();
        let name = format!("driftline-fuzz-{}-{thread:?}", std::process::id());
        let path = std::env::temp_dir().join(name);
        fs::write(&path, bytes).expect("a file in the folder for temporary ones");
        Self(path)
    }
}

impl Drop for Written {
    fn drop(&mut self) {
        fs::remove_file(&self.0).ok(); // Nobody misses it.
    }
}

/// Reads it, and each of its rows again from where it is said to be.
fn export(profiles: &[&str], bytes: &[u8]) {
    let Some((choice, bytes)) = bytes.split_first() else { return };
    let choice = usize::from(*choice);
    let Some(name) = profiles.get(choice % profiles.len()) else { return };
    let profile = known(name);
    let written = Written::new(bytes);
    let file = FileConfig { shown_as: "export".to_owned(), ..FileConfig::new(written.0.clone()) };
    // Which profile would have been chosen is nobody's promise, but it must be said or refused.
    drop(recognise::choose(&file.path, "export", profile.kind(), false, builtin()));
    let job = read::Job {
        system: &system(),
        file: &file,
        profile,
        zone: (choice >= 128).then_some(chrono_tz::Europe::Berlin),
        skips_identities: false,
        now: DateTime::UNIX_EPOCH,
    };
    let Ok(export) = read::read(&job) else { return };
    let request = export.requests.first().expect("a file was read");
    for part in &export.parts {
        assert_eq!(part.rows.len(), part.origins.len(), "each row has its place");
        let raw = bodies::read(&written.0, request, &part.origins);
        for (row, raw) in raw.into_iter().enumerate() {
            let raw = raw.expect("the place of a row is in the file");
            assert!(!raw.is_empty(), "row {row} is nowhere");
        }
    }
}

fn request() -> Request {
    Request {
        method: "GET".into(),
        url: "https://app.test/Users".into(),
        status: Some(200),
        n_bytes: 0,
        sha256: [0; 32],
        date: None,
        request_id: None,
        n_rows: 0,
        duration_ms: 0,
        waited_ms: 0,
    }
}

/// Reads a page, and each row of it by itself: both must say the same. Gives the rows that are
/// accounts, with their raw bytes.
fn page_of(profile: &str, body: &[u8]) -> Vec<(Account, Vec<u8>)> {
    let mut pages = Pages::new(known(profile), false);
    let seen = pages.page(request(), body);
    let read = pages.finish(&system());
    let n_rows = |rows: &Rows| rows.len() as u64;
    if let Ok(seen) = &seen {
        assert!(seen.n_new_ids <= seen.n_rows && seen.n_unread <= seen.n_rows, "{seen:?}");
        assert_eq!(seen.n_unread > 0, read.unread.is_some(), "rows are left out without a word");
        for list in read.lists.iter().filter(|it| it.conflicts.is_empty()) {
            let n_kept = n_rows(&list.rows) + list.n_silent + list.n_repeated;
            assert!(n_kept <= seen.n_rows, "more rows than the page has");
        }
    }
    let mut accounts = Vec::new();
    for (nth, list) in read.lists.into_iter().enumerate() {
        assert_eq!(list.rows.len(), list.origins.len(), "each row has its place");
        // Several rows of one id may become one, which then says what all of them do.
        let is_plain = seen.as_ref().is_ok_and(|it| it.n_rows == n_rows(&list.rows));
        for (at, origin) in list.origins.iter().enumerate() {
            let raw = list.bodies.read(&[at]).pop().flatten().expect("a row has its bytes");
            assert_eq!(raw, bytes_at(body, *origin), "a row is where it is said to be");
            // By itself it may be refused, as what names nobody and what holds a list; it never says
            // something else.
            if let Ok(alone) = page::one(known(profile), &system(), false, &raw) {
                let alone = alone.rows.get(nth).expect("by itself it is of the same lists");
                let is_same = !is_plain || is_same_row(&list.rows, at, alone);
                assert!(is_same, "by itself the row says something else");
            }
            if let Rows::Accounts(rows) = &list.rows {
                accounts.extend(rows.get(at).map(|it| (it, raw)));
            }
        }
    }
    accounts
}

fn bytes_at(body: &[u8], origin: RowOrigin) -> &[u8] {
    let begin = usize::try_from(origin.offset).expect("a place in memory");
    let len = usize::try_from(origin.len).expect("a length in memory");
    body.get(begin..begin + len).expect("a row lies in its page")
}

fn is_same_row(rows: &Rows, at: usize, alone: &Rows) -> bool {
    match (rows, alone) {
        (Rows::Accounts(rows), Rows::Accounts(alone)) => rows.get(at) == alone.first(),
        (Rows::Identities(rows), Rows::Identities(alone)) => rows.get(at) == alone.first(),
        (Rows::Assignments(rows), Rows::Assignments(alone)) => rows.get(at) == alone.first(),
        _ => false,
    }
}

/// Whether an account is on is what its row states under `active`, and nothing where it does not.
fn activity_is_as_stated(account: &Account, raw: &[u8]) {
    let Ok(Value::Object(members)) = serde_json::from_slice(raw) else { return };
    let mut stated = members.iter().filter(|(name, _)| name.eq_ignore_ascii_case("active"));
    match (stated.next(), stated.next()) {
        (None, _) => assert!(
            !matches!(account.active, ActiveFlag::Set(_)),
            "on or off, and the row does not say"
        ),
        (Some((_, Value::Bool(is_on))), None) => {
            assert_eq!(account.active, ActiveFlag::Set(*is_on), "the row says otherwise");
        }
        (Some((_, Value::Null)), None) => assert!(
            !matches!(account.active, ActiveFlag::Set(_)),
            "on or off, and the row says null"
        ),
        // Words and twofold members are tables of their own.
        _ => {}
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_the_fuzzers_kept_still_holds() {
        testkit::replay("csv", csv);
        testkit::replay("json", json);
        testkit::replay("scim_page", scim_page);
        testkit::replay("okta_page", okta_page);
        testkit::replay("link_headers", link_headers);
        testkit::replay("system_log", system_log);
        testkit::replay("profile", profile);
    }
}
