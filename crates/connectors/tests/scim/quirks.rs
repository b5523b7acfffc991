//! Each way in which a SCIM server differs from the RFCs, or fails: what is read, what is proved.

use std::sync::atomic::{AtomicUsize, Ordering};

use insta::assert_snapshot;

use crate::server::{Said, Server};
use crate::world::{TOKEN, accounts, clock, scim, shown};

/// The value of a parameter of a query, percent-encoded.
fn parameter<'p>(path: &'p str, name: &str) -> Option<&'p str> {
    let (_, query) = path.split_once('?')?;
    query.split('&').find_map(|it| it.strip_prefix(name)?.strip_prefix('='))
}

fn number(path: &str, name: &str) -> usize {
    parameter(path, name).map_or(0, |it| it.parse().unwrap())
}

fn row(id: usize) -> String {
    format!(r#"{{"id":"{id}","userName":"u{id}@x.test","active":true}}"#)
}

fn page(total: usize, ids: impl IntoIterator<Item = usize>) -> String {
    let rows: Vec<_> = ids.into_iter().map(row).collect();
    format!(r#"{{"totalResults":{total},"Resources":[{}]}}"#, rows.join(","))
}

/// One page of ids 1 to `n`, by index.
fn slice(path: &str, n: usize, most: usize) -> std::ops::Range<usize> {
    let start = number(path, "startIndex").max(1);
    start..(start + number(path, "count").min(most)).min(n + 1).max(start)
}

/// What a pull from a server with these answers to `GET /Users` shows, and how often it was asked.
async fn pulled(app: &str, answers: impl Fn(&str) -> Said + Send + Sync + 'static) -> String {
    let server = Server::start(move |path| {
        if path == "/ServiceProviderConfig" { Said::html(404) } else { answers(path) }
    })
    .await;
    let pulled = scim(&server, app).pull(&clock()).await;
    let asked = server.asked();
    assert!(asked.iter().all(|it| it.starts_with("GET ")), "{asked:?}");
    format!("{}\nasked: {}", shown(&pulled), asked.len() - 1)
}

const TWO: &str = "page_size = 2";

#[tokio::test]
async fn a_server_that_clamps_count_is_read_in_its_own_steps() {
    let shown = pulled("page_size = 100", |path| Said::json(200, page(5, slice(path, 5, 2)))).await;
    assert_snapshot!(shown, @r"
        accounts: u1 on, u2 on, u3 on, u4 on, u5 on
        complete: stated_total
        note: read by index
        rows by request: 2 2 1
        asked: 3
        ");
}

#[tokio::test]
async fn a_total_of_exactly_one_page_is_checked_behind_its_end() {
    let honest = pulled(TWO, |path| Said::json(200, page(2, slice(path, 2, 2)))).await;
    assert_snapshot!(honest, @r"
        accounts: u1 on, u2 on
        complete: stated_total
        note: read by index
        rows by request: 2 0
        asked: 2
        ");
    // Serves page 1 again behind the end.
    let again = pulled(TWO, |_| Said::json(200, page(2, [1, 2]))).await;
    assert_snapshot!(again, @r"
        accounts: u1 on, u2 on
        complete: stated_total
        note: read by index
        rows by request: 2 2
        asked: 2
        ");
    for behind in
        [Said::json(200, r#"{"totalResults":0}"#), Said::json(400, "{}"), Said::json(404, "")]
    {
        let shown = pulled(TWO, move |path| match number(path, "startIndex") {
            1 => Said::json(200, page(2, [1, 2])),
            _ => behind.clone(),
        })
        .await;
        assert!(shown.contains("complete: stated_total"), "{shown}");
    }
    // States the rows of the page as the total.
    let lying = pulled(TWO, |path| {
        let ids = slice(path, 5, 2);
        Said::json(200, page(ids.len(), ids))
    })
    .await;
    assert_snapshot!(lying, @r"
        accounts: u1 on, u2 on, u3 on, u4 on
        partial: the list states a total of 2, and 4 different accounts were read; it was read twice
        note: read by index
        rows by request: 2 2
        asked: 4
        ");
}

#[tokio::test]
async fn page_one_again_is_no_progress() {
    let shown = pulled(TWO, |_| Said::json(200, page(5, [1, 2]))).await;
    assert_snapshot!(shown, @r"
        accounts: u1 on, u2 on
        partial: the list states a total of 5, and 2 different accounts were read, and page 2 added nothing new; it was read twice
        note: read by index
        rows by request: 2 2
        asked: 4
        ");
}

#[tokio::test]
async fn a_list_that_changes_once_is_read_again_and_whole() {
    let n = AtomicUsize::new(0);
    // Newest first: an insert between two pages shifts an account out of sight.
    let shown = pulled(TWO, move |path| {
        let is_later = n.fetch_add(1, Ordering::Relaxed) > 0;
        let all: &[usize] = if is_later { &[4, 3, 2, 1] } else { &[3, 2, 1] };
        let ids = slice(path, all.len(), 2).map(|it| all[it - 1]);
        Said::json(200, page(all.len(), ids))
    })
    .await;
    assert_snapshot!(shown, @r"
        accounts: u4 on, u3 on, u2 on, u1 on
        complete: stated_total
        note: read by index
        rows by request: 2 2
        asked: 5
        ");
}

#[tokio::test]
async fn a_list_that_never_stands_still_is_partial() {
    let n = AtomicUsize::new(0);
    let shown = pulled(TWO, move |path| {
        let total = 3 + n.fetch_add(1, Ordering::Relaxed);
        Said::json(200, page(total, slice(path, 3, 2)))
    })
    .await;
    assert_snapshot!(shown, @r"
        accounts: u1 on, u2 on, u3 on
        partial: the list states a total of 6 on its first page and a total of 7 on another: it changed while it was read; it was read twice
        note: read by index
        rows by request: 2 1 0
        asked: 6
        ");
}

#[tokio::test]
async fn an_answer_that_is_no_list_is_never_an_empty_one() {
    for (answer, wanted) in [
        (Said::json(200, "{}"), "the object is empty"),
        (Said::json(200, ""), "the answer is empty"),
        (Said::html(200), "the answer is a web page and no list"),
        (Said::json(200, row(1)), "the answer is not one list"),
        (Said::json(200, r#"{"totalResults":7}"#), "the object has no list"),
        (Said::json(200, r#"{"totalResults":1,"Resources":[{}]}"#), "a row has no `id`"),
        (Said::json(401, "{}"), "the SCIM token is not accepted"),
        (Said::json(403, "{}"), "the SCIM token may not list users"),
        (Said::html(404), "correct the base URL"),
        (Said::json(500, ""), "failed to GET"),
    ] {
        let server = Server::start(move |_| answer.clone()).await;
        let pulled = scim(&server, TWO).pull(&clock()).await;
        assert!(pulled.snapshots.is_empty());
        let shown = shown(&pulled);
        assert!(shown.contains(wanted), "{wanted}: {shown}");
        assert!(!pulled.requests.is_empty() || shown.contains("failed to GET"));
        assert!(!format!("{pulled:?}").contains(TOKEN));
    }
}

#[tokio::test]
async fn what_was_read_before_a_bad_page_stays_and_is_partial() {
    for (bad, wanted) in [
        (Said::html(200), "partial: page 2: the answer is a web page and no list"),
        (
            Said::json(200, r#"{"totalResults":5,"Resou"#),
            "partial: page 2: the answer ends in the middle",
        ),
        (Said::json(403, "{}"), "partial: page 2 was refused with HTTP 403"),
        (Said::json(503, ""), "partial: page 2 did not come"),
    ] {
        let shown = pulled(TWO, move |path| {
            if number(path, "startIndex") == 1 {
                Said::json(200, page(5, [1, 2]))
            } else {
                bad.clone()
            }
        })
        .await;
        assert!(shown.starts_with("accounts: u1 on, u2 on\n"), "{shown}");
        assert!(shown.contains(wanted), "{wanted}: {shown}");
    }
}

#[tokio::test]
async fn members_in_any_case_and_plain_json_are_read_alike() {
    let shown = pulled(TWO, |_| {
        Said {
            status: 200,
            headers: vec![("content-type", "application/json".to_owned())],
            body: r#"{"TotalResults":"3","resources":[{"ID":"1","USERNAME":"a","Active":"True"},{"id":"2","userName":"b","active":"FALSE"},{"id":"3","USERname":"c","active":null}]}"#.to_owned(),
        }
    })
    .await;
    assert_snapshot!(shown, @r"
        accounts: a on, b off, c null
        complete: stated_total
        note: read by index
        note: rows that write `active` as text: 2
        rows by request: 3
        asked: 1
        ");
}

#[tokio::test]
async fn an_account_that_names_nobody_may_be_anybodys() {
    let shown = pulled(TWO, |_| {
        let rows =
            r#"{"id":"1","userName":"a","active":true},{"id":"2","userName":null,"active":true}"#;
        Said::json(200, format!(r#"{{"totalResults":2,"Resources":[{rows}]}}"#))
    })
    .await;
    assert_snapshot!(shown, @r"
        accounts: a on, 2 on
        partial: accounts without `userName`, which RFC 7643 (4.1.1) requires, `externalId` and address: 1
        note: read by index
        rows by request: 2 2
        asked: 2
        ");
}

#[tokio::test]
async fn a_list_without_a_total_needs_a_seen_end() {
    let bare = |ids: std::ops::Range<usize>| {
        let rows: Vec<_> = ids.map(row).collect();
        Said::json(200, format!(r#"{{"Resources":[{}]}}"#, rows.join(",")))
    };
    let ends = pulled(TWO, move |path| bare(slice(path, 3, 2))).await;
    assert_snapshot!(ends, @r"
        accounts: u1 on, u2 on, u3 on
        complete: read_to_end
        note: read by index
        rows by request: 2 1 0
        asked: 3
        ");
    let one_page = pulled(TWO, move |path| bare(slice(path, 2, 2))).await;
    assert_snapshot!(one_page, @r"
        accounts: u1 on, u2 on
        partial: the list states no total, and all that came is exactly one page: there may be more
        note: read by index
        rows by request: 2 0
        asked: 2
        ");
    let again = pulled(TWO, move |_| bare(1..3)).await;
    assert_snapshot!(again, @r"
        accounts: u1 on, u2 on
        partial: the list states no total, and page 2 added nothing new
        note: read by index
        rows by request: 2 2
        asked: 2
        ");
}

#[tokio::test]
async fn zero_accounts_by_the_servers_own_word_is_a_whole_list() {
    let shown = pulled(TWO, |_| Said::json(200, r#"{"totalResults":0}"#)).await;
    assert_snapshot!(shown, @r"
        accounts: 
        complete: stated_total
        note: read by index
        rows by request: 0
        asked: 1
        ");
}

/// A server with cursors that says so; `total` is left out where `None`.
fn by_cursor(path: &str, n: usize, total: Option<usize>, most: usize) -> Said {
    if path == "/ServiceProviderConfig" {
        return Said::json(
            200,
            format!(r#"{{"pagination":{{"cursor":true,"maxPageSize":{most}}}}}"#),
        );
    }
    assert_eq!(parameter(path, "startIndex"), None, "{path}");
    assert_eq!(number(path, "count"), most, "{path}");
    let start = parameter(path, "cursor").unwrap().trim_start_matches("c%2F").parse().unwrap_or(1);
    let ids = start..(start + most).min(n + 1);
    let next = ids.end;
    let rows: Vec<_> = ids.map(row).collect();
    let mut members = vec![format!(r#""Resources":[{}]"#, rows.join(","))];
    members.extend(total.map(|it| format!(r#""totalResults":{it}"#)));
    members.extend((next <= n).then(|| format!(r#""nextCursor":"c/{next}""#)));
    Said::json(200, format!("{{{}}}", members.join(",")))
}

async fn pulled_by(answers: impl Fn(&str) -> Said + Send + Sync + 'static) -> String {
    let server = Server::start(answers).await;
    shown(&scim(&server, "page_size = 100").pull(&clock()).await)
}

#[tokio::test]
async fn cursors_are_followed_to_the_page_without_one() {
    assert_snapshot!(pulled_by(|path| by_cursor(path, 5, Some(5), 2)).await, @r"
        accounts: u1 on, u2 on, u3 on, u4 on, u5 on
        complete: stated_total
        note: read by cursor
        rows by request: 2 2 1
        ");
    assert_snapshot!(pulled_by(|path| by_cursor(path, 5, None, 2)).await, @r"
        accounts: u1 on, u2 on, u3 on, u4 on, u5 on
        complete: read_to_end
        note: read by cursor
        rows by request: 2 2 1
        ");
    assert_snapshot!(pulled_by(|path| by_cursor(path, 5, Some(6), 2)).await, @r"
        accounts: u1 on, u2 on, u3 on, u4 on, u5 on
        partial: the list states a total of 6, and 5 different accounts were read; it was read twice
        note: read by cursor
        rows by request: 2 2 1
        ");
}

#[tokio::test]
async fn a_cursor_that_leads_in_a_circle_ends_the_walk() {
    let shown = pulled_by(|path| {
        if path == "/ServiceProviderConfig" {
            return Said::json(200, r#"{"pagination":{"cursor":true}}"#);
        }
        let rows = format!("{},{}", row(1), row(2));
        Said::json(200, format!(r#"{{"Resources":[{rows}],"nextCursor":"x"}}"#))
    })
    .await;
    assert_snapshot!(shown, @r"
        accounts: u1 on, u2 on
        partial: the list states no total, and page 2 added nothing new
        note: read by cursor
        rows by request: 2 2
        ");
}

#[tokio::test]
async fn an_expired_cursor_begins_the_list_anew() {
    let n = AtomicUsize::new(0);
    let shown = pulled_by(move |path| {
        let is_second = path.contains("c%2F3") && n.fetch_add(1, Ordering::Relaxed) == 0;
        if is_second {
            let urn = "urn:ietf:params:scim:api:messages:2.0:Error";
            return Said::json(
                400,
                format!(r#"{{"schemas":["{urn}"],"status":"400","scimType":"expiredCursor"}}"#),
            );
        }
        by_cursor(path, 3, Some(3), 2)
    })
    .await;
    assert_snapshot!(shown, @r"
        accounts: u1 on, u2 on, u3 on
        complete: stated_total
        note: read by cursor
        rows by request: 2 1
        ");
}

#[tokio::test]
async fn a_server_that_says_cursor_and_means_index_is_read_by_index() {
    for refused in [Some(501), None] {
        let shown = pulled_by(move |path| {
            if path == "/ServiceProviderConfig" {
                return Said::json(200, r#"{"pagination":{"cursor":true,"maxPageSize":2}}"#);
            }
            match refused {
                Some(status) if path.contains("cursor") => Said::json(status, ""),
                _ => Said::json(200, page(3, slice(path, 3, 2))),
            }
        })
        .await;
        assert!(shown.contains("complete: stated_total"), "{shown}");
        assert!(shown.contains("note: read by index"), "{shown}");
    }
}

#[tokio::test]
async fn a_list_without_end_stops_at_the_limit_of_pages() {
    let shown = pulled("page_size = 1", |path| {
        let start = number(path, "startIndex");
        Said::json(200, page(start + 5, [start]))
    })
    .await;
    assert!(shown.contains("partial: page 1000 did not come"), "{shown}");
    assert!(shown.contains("more than 1000 pages"), "{shown}");
}

#[tokio::test]
async fn a_pull_asks_once_for_each_page_and_once_for_the_server_itself() {
    // 100 accounts are exactly one page, behind which is looked.
    for (n, n_requests) in [(1, 2), (100, 3), (101, 3), (1000, 11), (1001, 12)] {
        let server = Server::start(move |path| Said::json(200, page(n, slice(path, n, 100)))).await;
        let pulled = scim(&server, "page_size = 100").pull(&clock()).await;
        assert_eq!((accounts(&pulled).len(), server.asked().len()), (n, n_requests));
    }
}

#[tokio::test]
async fn a_clock_that_is_off_is_told() {
    for (date, wanted) in [
        ("Mon, 23 Nov 2026 17:59:50 GMT", None),
        ("Mon, 23 Nov 2026 17:55:00 GMT", Some("300 s ahead of the source's")),
        ("Mon, 23 Nov 2026 18:01:00 GMT", Some("60 s behind the source's")),
    ] {
        let said = move |path: &str| Said::json(200, page(3, slice(path, 3, 9))).with("date", date);
        let server = Server::start(said).await;
        let pulled = scim(&server, TWO).pull(&clock()).await;
        let told = pulled.troubles.first().map(|it| format!("{}: {}", it.kind, it.text));
        match (told, wanted) {
            (None, None) => {}
            (Some(told), Some(wanted)) => {
                assert!(told.starts_with("clock_skew: ") && told.contains(wanted), "{told}");
            }
            (told, wanted) => panic!("{date}: {told:?}, not {wanted:?}"),
        }
    }
}

#[tokio::test]
async fn the_snapshot_speaks_as_of_its_first_request() {
    let server = Server::start(|path| Said::json(200, page(3, slice(path, 3, 2)))).await;
    let pulled = scim(&server, TWO).pull(&clock()).await;
    let snapshot = &pulled.snapshots[0];
    assert_eq!(snapshot.as_of.at, clock().0);
    assert_eq!(snapshot.requests.len(), 2);
    assert!(snapshot.requests.iter().all(|it| &*it.method == "GET" && it.status == Some(200)));
    assert_eq!(snapshot.stream.to_string(), "app accounts (scim)");
}

#[tokio::test]
async fn a_row_that_cannot_be_read_makes_the_list_partial_and_the_others_count() {
    // With a total, and without one.
    for total in ["\"totalResults\":3,", ""] {
        let shown = pulled("page_size = 100", move |path| {
            let rows = if number(path, "startIndex") > 1 {
                String::new()
            } else {
                format!("{},{{\"userName\":\"nobody\"}},{}", row(1), row(3))
            };
            Said::json(200, format!("{{{total}\"Resources\":[{rows}]}}"))
        })
        .await;
        assert!(shown.contains("partial: rows that cannot be read: 1, the first in "), "{shown}");
        assert!(shown.contains("a row has no `id` (row 2)"), "{shown}");
    }
}
