//! What real servers answered, served again: the accounts read, the coverage proved or not, why.

use std::collections::BTreeMap;

use connectors::live::{Answer, Question};
use connectors::scim::{Attribute, Lookup, Trust};
use insta::assert_snapshot;

use crate::server::{Said, Server};
use crate::world::{accounts, clock, scim, shown, with_canaries};

const CURSOR: &str = include_str!("../../../../tests/data/scim/scim2-server-cursor.txt");
const HARD: &str = include_str!("../../../../tests/data/scim/scimmy-hard.txt");
const HIDE: &str = include_str!("../../../../tests/data/scim/scimmy-hide.txt");
const INDEX: &str = include_str!("../../../../tests/data/scim/scim2-server-index.txt");
const POLIS: &str = include_str!("../../../../tests/data/scim/ory-polis.txt");
const SOFT: &str = include_str!("../../../../tests/data/scim/scimmy-soft.txt");

/// Serves a recording as it stood at the end of a stage.
async fn replay(recording: &str, until: &str) -> Server {
    let mut answers = BTreeMap::new();
    for stage in recording.split("# ").skip(1) {
        let (name, calls) = stage.split_once('\n').unwrap();
        for call in calls.trim().split("\n\n") {
            let [asked, status, body] = call.splitn(3, '\n').collect::<Vec<_>>()[..] else {
                panic!("a call has three lines: {call}")
            };
            let (status, kind) = status.split_once(' ').unwrap();
            let said = Said {
                status: status.parse().unwrap(),
                headers: vec![("content-type", kind.to_owned())],
                body: body.to_owned(),
            };
            answers.insert(key(asked.strip_prefix("GET ").unwrap()), said);
        }
        if name == until {
            break;
        }
    }
    Server::start(move |path| {
        let not_recorded = Said::json(418, r#"{"detail":"not recorded"}"#);
        answers.get(&key(path)).cloned().unwrap_or(not_recorded)
    })
    .await
}

/// A request without regard to the order of its parameters. Whoever cannot exist is `nobody`.
fn key(path: &str) -> (String, Vec<String>) {
    let (path, query) = path.split_once('?').unwrap_or((path, ""));
    if query.contains("nobody") {
        return (path.to_owned(), vec![query.split("%20").next().unwrap().to_owned()]);
    }
    let mut query: Vec<String> =
        query.split('&').map(|it| it.trim_end_matches('=').to_owned()).collect();
    query.sort();
    (path.to_owned(), query)
}

/// The id of the account that is switched off and deleted in a recording.
fn first_id(recording: &str) -> &str {
    let at = recording.find("GET /Users/").unwrap() + "GET /Users/".len();
    recording[at..].lines().next().unwrap()
}

/// What a pull of one stage shows.
async fn pulled(recording: &str, stage: &str, app: &str) -> String {
    let server = replay(recording, stage).await;
    shown(&scim(&server, app).pull(&clock()).await)
}

const TWO: &str = "page_size = 2";
const TEN: &str = "page_size = 10";

#[tokio::test]
async fn scim2_server_by_cursor_is_read_to_its_end() {
    assert_snapshot!(pulled(CURSOR, "listed", TWO).await, @r"
        accounts: u6 on, u1 on, u2 on, u5 on, u4 on, u0 on, u3 on
        complete: stated_total
        note: read by cursor
        rows by request: 2 2 2 1
        ");
}

#[tokio::test]
async fn scim2_server_by_index_is_partial_where_the_recording_ends() {
    assert_snapshot!(pulled(INDEX, "listed", TWO).await, @r"
        accounts: user1 on, user5 on, user4 -, user2 on
        partial: page 3 was refused with HTTP 418
        note: read by index
        rows by request: 2 2 0
        ");
    assert_snapshot!(pulled(INDEX, "deactivated", TEN).await, @r"
        accounts: user1 off, user5 on, user4 -, user2 on, user3 on
        complete: stated_total
        note: read by index
        rows by request: 5
        ");
    assert_snapshot!(pulled(INDEX, "deleted", TEN).await, @r"
        accounts: user5 on, user4 -, user2 off, user3 on
        complete: stated_total
        note: read by index
        rows by request: 4
        ");
}

#[tokio::test]
async fn polis_lists_the_newest_first_and_writes_active_as_text() {
    assert_snapshot!(pulled(POLIS, "listed", TWO).await, @r"
        accounts: user5 on, user4 -, user3 on, user2 on
        partial: page 3 was refused with HTTP 418
        note: read by index
        note: rows that write `active` as text: 1
        rows by request: 2 2 0
        ");
    assert_snapshot!(pulled(POLIS, "deactivated", TEN).await, @r"
        accounts: user5 on, user4 -, user3 on, user2 on, user1 off
        complete: stated_total
        note: read by index
        note: rows that write `active` as text: 1
        rows by request: 5
        ");
    assert_snapshot!(pulled(POLIS, "deleted", TEN).await, @r"
        accounts: user5 on, user4 -, user3 on, user2 off
        complete: stated_total
        note: read by index
        note: rows that write `active` as text: 1
        rows by request: 4
        ");
}

#[tokio::test]
async fn scimmy_is_read_in_two_pages_and_keeps_or_loses_a_deleted_account() {
    let listed = pulled(HARD, "listed", TWO).await;
    assert_snapshot!(listed, @r"
        accounts: user1 on, user2 on, user3 on, user4 -
        complete: stated_total
        note: read by index
        rows by request: 2 2
        ");
    assert_eq!(pulled(SOFT, "listed", TWO).await, listed);
    assert_eq!(pulled(HIDE, "listed", TWO).await, listed);
    assert_snapshot!(pulled(HARD, "deleted", TEN).await, @r"
        accounts: user2 off, user3 on, user4 -
        complete: stated_total
        note: read by index
        rows by request: 3
        ");
    assert_snapshot!(pulled(SOFT, "deleted", TEN).await, @r"
        accounts: user1 on, user2 off, user3 on, user4 -
        complete: stated_total
        note: read by index
        rows by request: 4
        ");
    assert_snapshot!(pulled(HIDE, "deactivated", TEN).await, @r"
        accounts: user2 on, user3 on, user4 -
        complete: stated_total
        note: read by index
        rows by request: 3
        ");
}

#[tokio::test]
async fn an_inactive_canary_shows_that_scimmy_hides_inactive_accounts() {
    let server = replay(HIDE, "deactivated").await;
    let scim = with_canaries(&server, TEN, &[], &[first_id(HIDE)]);
    let checks = scim.doctor(&clock()).await;
    let check = checks.iter().find(|it| it.name == "inactive canary is seen").unwrap();
    assert_eq!(
        check.seen,
        "It is not in the list, and is there by its id: inactive users are hidden."
    );
}

/// What becomes of the first account once a DELETE was sent for it.
async fn left_of(recording: &str) -> String {
    let server = replay(recording, "deleted").await;
    let scim = scim(&server, TEN);
    let pulled = scim.pull(&clock()).await;
    let question = Question::Account(first_id(recording).into());
    let replies = scim.reread(&clock(), &[question]).await;
    let by_id = match &replies[0].answer {
        Answer::Found { .. } => "found".to_owned(),
        Answer::Gone => "gone".to_owned(),
        Answer::Unknown { why } => why.clone(),
    };
    let is_listed = accounts(&pulled).iter().any(|it| *it.id == *first_id(recording));
    format!("listed {is_listed}, by id {by_id}")
}

#[tokio::test]
async fn what_is_deleted_is_gone_from_list_and_by_id_or_from_neither() {
    for recording in [INDEX, POLIS, HARD] {
        assert_eq!(left_of(recording).await, "listed false, by id gone", "{recording}");
    }
    for recording in [SOFT, HIDE] {
        assert_eq!(left_of(recording).await, "listed true, by id found", "{recording}");
    }
}

#[tokio::test]
async fn filters_are_believed_only_where_they_were_shown_to_work() {
    for (recording, stage, pages, user_name, external_id) in [
        (INDEX, "listed", TWO, "works", "`externalId eq` of a value that cannot exist: HTTP 418"),
        (
            POLIS,
            "deactivated",
            TEN,
            "works",
            "`externalId eq` of a known account brought 0 accounts, not that one: filters are ignored or do not work",
        ),
        (
            HARD,
            "listed",
            TWO,
            "`userName eq` of a known account brought 4 accounts, not that one: filters are ignored or do not work",
            "`externalId eq` of a known account brought 4 accounts, not that one: filters are ignored or do not work",
        ),
    ] {
        let server = replay(recording, stage).await;
        let scim = scim(&server, pages);
        let pulled = scim.pull(&clock()).await;
        let known = |name: &str| {
            let mut known = accounts(&pulled).to_vec();
            known.retain(|it| it.user_name.as_deref() == Some(name));
            known
        };
        // Each filter was recorded with one account, and only `userName` with a value that cannot exist.
        let first = known("user1@example.test");
        let told = |trust: Trust| match trust {
            Trust::Works => "works".to_owned(),
            Trust::Fails { why } => why,
        };
        let filters = scim.prove_filters(&clock(), &first).await;
        assert_eq!(told(filters.user_name.clone()), user_name);
        let second = scim.prove_filters(&clock(), &known("user2@example.test")).await;
        assert_eq!(told(second.external_id), external_id);
        let (lookup, requests) =
            scim.find(&clock(), &filters, Attribute::UserName, "nobody@example.test").await;
        assert_eq!(matches!(lookup, Lookup::Nothing), user_name == "works");
        assert_eq!(requests.len(), usize::from(user_name == "works"));
    }
}
