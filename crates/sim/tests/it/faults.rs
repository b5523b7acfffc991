//! Each fault, as it looks from outside.

use std::time::Duration;

use sim::{Change, Endpoint, FAULTS, Fault, Place, Sim, When, World};

use crate::ask::{Reply, get};
use crate::world::{BEARER, FIRM, SSWS, start};

async fn users(sim: &Sim, query: &str) -> Reply {
    get(&format!("{}/api/v1/users?{query}", sim.okta_url()), &[SSWS]).await
}

async fn accounts(sim: &Sim, query: &str) -> Reply {
    get(&format!("{}/Users?{query}", sim.scim_url()), &[BEARER]).await
}

#[tokio::test]
async fn each_429_says_how_long_to_wait_in_its_own_clock() {
    let mut seen = String::new();
    let of_okta = |fault: &Fault| fault.fits(Endpoint::OktaUsers);
    let all = FAULTS.iter().filter(|(it, fault)| it.starts_with("429") && of_okta(fault));
    for (name, fault) in all {
        let sim = start("okta").await;
        let id = sim.fault(Endpoint::OktaUsers, *fault, When::next(1));
        let reply = users(&sim, "").await;
        assert_eq!(reply.status, 429);
        let date = httpdate::parse_http_date(reply.header("date")).unwrap();
        let date = date.duration_since(std::time::UNIX_EPOCH).unwrap().as_secs();
        let said = match reply.header("retry-after") {
            "" if reply.header("x-rate-limit-limit") == "600" => {
                let reset: u64 = reply.header("x-rate-limit-reset").parse().unwrap();
                format!("reset {} s after Date", reset - date)
            }
            "" if reply.header("x-rate-limit-limit") == "0" => "limit 0".to_owned(),
            "" => "nothing".to_owned(),
            text => match httpdate::parse_http_date(text) {
                Ok(it) => {
                    let it = it.duration_since(std::time::UNIX_EPOCH).unwrap().as_secs();
                    format!("{} s after Date", it - date)
                }
                Err(_) => text.to_owned(),
            },
        };
        let clock = match date.cast_signed() - 1_795_143_600 {
            ..-300 => "behind",
            300.. => "ahead",
            _ => "right",
        };
        seen += &format!("{name}: {said}, clock {clock}\n");
        assert_eq!(users(&sim, "").await.status, 200);
        assert_eq!(sim.struck(id), 1);
    }
    insta::assert_snapshot!(seen, @r"
    429-reset: reset 1 s after Date, clock right
    429-reset-ahead: reset 1 s after Date, clock ahead
    429-reset-behind: reset 1 s after Date, clock behind
    429-concurrency: limit 0, clock right
    429-seconds: 1, clock right
    429-fraction: 0.250, clock right
    429-date: 1 s after Date, clock right
    429-date-ahead: 1 s after Date, clock ahead
    429-unsaid: nothing, clock right
    ");
}

#[tokio::test]
async fn errors_and_pages_stand_in_for_answers() {
    for (name, status, media_type, holds) in [
        ("500", 500, "application/json", "\"E0000009\""),
        ("502", 502, "text/html", "<!DOCTYPE html>"),
        ("503", 503, "application/json", "\"E0000009\""),
        ("read-only", 503, "application/json", "\"E0000010\""),
        ("html-200", 200, "text/html; charset=utf-8", "<!DOCTYPE html>"),
        ("html-404", 404, "text/html; charset=utf-8", "<!DOCTYPE html>"),
        ("garbage", 200, "application/json", "{\"Resources\": [{\"id\": \"a"),
        ("empty-object", 200, "application/json", "{}"),
        ("token-dies", 401, "application/json", "\"E0000011\""),
    ] {
        let sim = start("okta").await;
        sim.fault(Endpoint::Okta, Fault::named(name).unwrap(), When::always());
        let reply = users(&sim, "").await;
        let body = String::from_utf8_lossy(&reply.body);
        assert_eq!((reply.status, reply.header("content-type")), (status, media_type), "{name}");
        assert!(body.contains(holds), "{name}: {body}");
    }
    let sim = start("app").await;
    sim.fault(Endpoint::Scim, Fault::Broken(500), When::always());
    let reply = accounts(&sim, "").await;
    assert_eq!((reply.status, &reply.json()["status"]), (500, &"500".into()));
}

#[tokio::test]
async fn a_list_can_end_early_with_and_without_a_total_that_says_so() {
    for (name, rows, total) in [("short-list", 3, 5), ("short-total", 3, 3)] {
        let sim = start(FIRM).await;
        sim.fault(Endpoint::ScimUsers, Fault::named(name).unwrap(), When::always());
        let reply = accounts(&sim, "").await;
        assert_eq!(reply.column("id").len(), rows, "{name}");
        assert_eq!(reply.json()["totalResults"], total, "{name}");
        assert_eq!(accounts(&sim, "startIndex=4").await.column("id").len(), 0, "{name}");
        sim.fault(Endpoint::OktaUsers, Fault::named(name).unwrap(), When::always());
        let reply = users(&sim, "").await;
        assert_eq!((reply.column("id").len(), reply.link("next")), (2, None), "{name}");
    }
}

#[tokio::test]
async fn a_list_that_changes_while_it_is_read_misses_or_repeats_rows() {
    for (change, first, second) in [
        (Change::Removed, "a1 a2/5", "a4 a5/4"),
        (Change::Added, "a1 a2/5", "a3 a4/6"),
        (Change::Swapped, "a1 a2/5", "a4 a5/5"),
    ] {
        let sim = start(&FIRM.replace("\napp\n", "\napp (page 2)\n")).await;
        let id = sim.fault(Endpoint::ScimUsers, Fault::Changes(change), When::next(1));
        let line =
            |it: &Reply| format!("{}/{}", it.column("id").join(" "), it.json()["totalResults"]);
        assert_eq!(line(&accounts(&sim, "").await), first, "{change:?}");
        assert_eq!(line(&accounts(&sim, "startIndex=3").await), second, "{change:?}");
        assert_eq!(sim.struck(id), 1);
    }
    let sim = start(FIRM).await;
    sim.fault(Endpoint::OktaUsers, Fault::Changes(Change::Added), When::next(1));
    let first = users(&sim, "limit=2").await;
    get(&first.link("next").unwrap(), &[SSWS]).await;
    assert_eq!(users(&sim, "limit=1").await.column("id"), ["!00u1"]);
}

#[tokio::test]
async fn pages_can_repeat_and_never_end() {
    let sim = start(&FIRM.replace("\napp\n", "\napp (page 2)\n")).await;
    sim.fault(Endpoint::ScimUsers, Fault::RepeatedPage, When::always());
    assert_eq!(accounts(&sim, "startIndex=3").await.column("id"), ["a1", "a2"]);
    sim.clear_faults();
    sim.fault(Endpoint::ScimUsers, Fault::EndlessList, When::always());
    let far = accounts(&sim, "startIndex=5001").await;
    assert_eq!(far.column("id"), ["a1-5000", "a1-5001"]);
    assert_eq!(far.json()["totalResults"], 5_004);

    sim.fault(Endpoint::OktaUsers, Fault::EndlessList, When::always());
    let (mut url, mut seen) = (format!("{}/api/v1/users?limit=3", sim.okta_url()), Vec::new());
    for _ in 0..4 {
        let reply = get(&url, &[SSWS]).await;
        seen.extend(reply.column("id"));
        url = reply.link("next").unwrap();
    }
    seen.sort();
    seen.dedup();
    assert_eq!(seen.len(), 12, "{seen:?}");
}

#[tokio::test]
async fn the_last_page_can_have_a_next_one_that_is_empty() {
    let sim = start(FIRM).await;
    sim.fault(Endpoint::OktaUsers, Fault::EmptyLastPage, When::always());
    let last = users(&sim, "").await;
    let empty = get(&last.link("next").unwrap(), &[SSWS]).await;
    assert_eq!((empty.json(), empty.link("next")), (serde_json::json!([]), None));
}

#[tokio::test]
async fn links_and_redirects_lead_where_nobody_should_go_and_who_goes_is_seen() {
    for (place, offence) in [
        (Place::OtherHost, "GET /api/v1/users was sent to another host"),
        (Place::OtherPort, "GET /api/v1/users was sent to another host"),
        (Place::OutsidePrefix, "GET /elsewhere/users left the path prefix"),
    ] {
        let sim = start(FIRM).await;
        sim.fault(Endpoint::OktaUsers, Fault::NextElsewhere(place), When::next(1));
        let next = users(&sim, "limit=2").await.link("next").unwrap();
        sim.fault(Endpoint::OktaUsers, Fault::Redirect(place), When::next(1));
        let redirect = users(&sim, "").await;
        assert_eq!(redirect.status, 302);
        assert!(next.starts_with(redirect.header("location")), "{next}");
        assert_eq!(next.contains("localhost"), place == Place::OtherHost);
        assert_eq!(next.starts_with(sim.okta_url()), place == Place::OutsidePrefix);
        get(&next, &[SSWS]).await;
        assert_eq!(sim.offences(), [offence]);
    }
}

#[tokio::test]
async fn nulls_are_everywhere_but_in_ids() {
    let sim = start(FIRM).await;
    sim.fault(Endpoint::Okta, Fault::Nulls, When::always());
    sim.fault(Endpoint::Scim, Fault::NullLeaves, When::always());
    let user = &users(&sim, "").await.json()[0];
    assert_eq!((user["id"].as_str(), user["profile"].is_null()), (Some("00u1"), true));
    let account = get(&format!("{}/Users/a1", sim.scim_url()), &[BEARER]).await.json();
    assert_eq!((&account["id"], account["meta"].is_object()), (&"a1".into(), true));
    assert!(account["active"].is_null() && account["meta"]["created"].is_null());
}

#[tokio::test]
async fn a_body_can_be_slow_cut_or_never_come() {
    let sim = start(FIRM).await;
    let whole = users(&sim, "").await;
    sim.fault(Endpoint::OktaUsers, Fault::Slow(Duration::from_millis(1)), When::next(1));
    let began = tokio::time::Instant::now();
    let slow = users(&sim, "").await;
    assert!(slow.is_whole && slow.body == whole.body);
    let pieces = u32::try_from(whole.body.len() / 64).unwrap();
    assert!(began.elapsed() >= Duration::from_millis(1) * pieces);

    sim.fault(Endpoint::OktaUsers, Fault::CutBody, When::next(1));
    let cut = users(&sim, "").await;
    assert_eq!((cut.status, cut.is_whole), (200, false));
    assert!(cut.body.len() < whole.body.len());

    sim.fault(Endpoint::OktaUsers, Fault::Silent, When::next(1));
    let silent = tokio::time::timeout(Duration::from_millis(50), users(&sim, "")).await;
    assert!(silent.is_err());
    assert_eq!(sim.requests().last().unwrap().status, None);
}

#[tokio::test]
async fn large_bodies_are_as_large_as_they_say() {
    let sim = start("okta").await;
    sim.fault(Endpoint::OktaUsers, Fault::Huge(8 << 20), When::next(1));
    let huge = users(&sim, "").await;
    assert!(huge.is_whole && huge.body.len() == (8 << 20) + 2);
    assert_eq!(huge.json(), serde_json::json!([]));
    sim.fault(Endpoint::OktaUsers, Fault::GzipBomb(1 << 30), When::next(1));
    let bomb = users(&sim, "").await;
    assert_eq!(bomb.header("content-encoding"), "gzip");
    assert!(bomb.is_whole && bomb.body.len() < 2 << 20, "{}", bomb.body.len());
}

#[tokio::test]
async fn a_description_switches_faults_on_by_name() {
    let sim = start("faults\n  scim/users 500 times=1 after=1").await;
    let mut seen = Vec::new();
    for _ in 0..3 {
        seen.push(accounts(&sim, "").await.status);
    }
    assert_eq!(seen, [200, 500, 200]);
    assert_eq!(sim.requests()[1].faults, ["broken"]);
    sim.forget_requests();
    assert_eq!(sim.count(Endpoint::ScimUsers), 0);
}

#[tokio::test]
async fn every_fault_has_a_name_of_its_own_and_strikes_where_it_fits() {
    for (at, (name, fault)) in FAULTS.iter().enumerate() {
        assert!(FAULTS[..at].iter().all(|(other, _)| other != name), "{name} stands twice");
        assert_eq!(Fault::named(name), Some(*fault));
        let lists = [Endpoint::OktaUsers, Endpoint::EntraUsers, Endpoint::OneLoginUsers];
        let fits = lists.map(|it| fault.fits(it));
        assert!(fits.contains(&true), "{name}");
    }
}

#[tokio::test]
async fn a_company_that_is_dropped_answers_nobody() {
    let sim = Sim::start(World::describe("okta").unwrap()).await.unwrap();
    let host = sim.okta_url().strip_prefix("http://").unwrap().to_owned();
    assert!(tokio::net::TcpStream::connect(&host).await.is_ok());
    drop(sim);
    // The port is given back by tasks that have to run first.
    while tokio::net::TcpStream::connect(&host).await.is_ok() {
        tokio::task::yield_now().await;
    }
}
