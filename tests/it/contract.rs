//! What every connector over HTTP owes the operator, whatever a server does: each fault of the
//! simulated company on each thing that a run asks for, with the coverage, the exit status and the
//! words that come of it. The tables beside this file are read by people.

use std::collections::BTreeSet;
use std::fmt::Write as _;
use std::fs;
use std::sync::Arc;
use std::time::Duration;

use chrono::{DateTime, TimeDelta, Utc};
use serde_json::Value;
use sim::{Endpoint, FAULTS, Fault, Sim, Wait, When, World};
use tokio::sync::Semaphore;
use tokio::task::JoinSet;

use crate::site::{Answer, Site};

/// Lists of several pages. Bob left three days ago and kept his account. By the second night Cem
/// has left, Dan has lost the app, and Eve's account is gone.
const FIRM: &str = "\
okta (page 3, deactivation off)
  00uana00000000000001 ana@firm.test ACTIVE assigned
  00ubob00000000000002 bob@firm.test DEPROVISIONED since=-3d
  00ucem00000000000003 cem@firm.test ACTIVE assigned
  00udan00000000000004 dan@firm.test ACTIVE assigned
  00ueve00000000000005 eve@firm.test ACTIVE assigned
groups
  00g1 One assigned
  00g2 Two assigned
  00g3 Three assigned
  00g4 Four assigned
  00g5 Five assigned
  00g6 Six assigned
  00g7 Seven assigned
  00g8 Eight assigned
  00g9 Nine assigned
app (page 8)
  a1 00uana00000000000001 ana@firm.test on
  a2 00ubob00000000000002 bob@firm.test on
  a3 00ucem00000000000003 cem@firm.test on
  a4 00udan00000000000004 dan@firm.test on
  a5 00ueve00000000000005 eve@firm.test on
log
  -3d user.lifecycle.deactivate 00ubob00000000000002
company 16
";

const CEM: &str = "00ucem00000000000003";
const DAN: &str = "00udan00000000000004";

/// All that is so in the second night. Who has left has lost the app, too.
const SO: [&str; 5] = [
    "leaver_active a2",
    "leaver_active a3",
    "unassigned_active a3",
    "unassigned_active a4",
    "vanished a5",
];

/// What runs of Okta and of an app ask for.
const OKTA: &[&str] = &[
    "okta/token",
    "okta/app",
    "okta/features",
    "okta/users",
    "okta/app-users",
    "okta/app-groups",
    "okta/log",
    "okta/user",
    "okta/app-user",
];
const SCIM: &[&str] = &["scim/config", "scim/users", "scim/user"];

/// Cases at a time: most of them wait.
const AT_A_TIME: usize = 8;

#[tokio::test(flavor = "multi_thread")]
async fn okta_under_every_fault() {
    insta::assert_snapshot!("okta", table(OKTA).await);
}

#[tokio::test(flavor = "multi_thread")]
async fn scim_under_every_fault() {
    insta::assert_snapshot!("scim", table(SCIM).await);
}

/// One row for each fault on each of these.
async fn table(endpoints: &'static [&'static str]) -> String {
    let first = Arc::new(FirstNight::new().await);
    let (limit, mut rows) = (Arc::new(Semaphore::new(AT_A_TIME)), JoinSet::new());
    for (at, endpoint) in endpoints.iter().copied().enumerate() {
        let fitting = FAULTS.iter().filter(|it| it.1.fits(Endpoint::named(endpoint).unwrap()));
        for (number, (name, fault)) in fitting.enumerate() {
            let (first, limit) = (Arc::clone(&first), Arc::clone(&limit));
            // Slow, and not so slow that it depends on the machine whether it is too slow.
            let fault = match *fault {
                Fault::Slow(_) => Fault::Slow(Duration::from_millis(1)),
                other => other,
            };
            rows.spawn(async move {
                let _turn = limit.acquire_owned().await.unwrap();
                ((at, number), first.second_night(endpoint, name, fault).await)
            });
        }
    }
    let mut rows = rows.join_all().await;
    rows.sort();
    let mut table =
        line(["asked for", "fault", "users", "assigned", "accounts", "exit", "leaver", "in words"]);
    for (_, row) in rows {
        table.push_str(&row);
    }
    table
}

fn line([a, b, c, d, e, f, g, h]: [&str; 8]) -> String {
    let mut text = String::new();
    writeln!(text, "{a:<16}{b:<21}{c:<10}{d:<10}{e:<10}{f:<6}{g:<9}{h}").unwrap();
    text
}

#[expect(clippy::disallowed_methods, reason = "the program has the machine's clock, too")]
fn now() -> DateTime<Utc> {
    Utc::now()
}

/// The database of a first night without faults, and when that was.
struct FirstNight {
    began_at: DateTime<Utc>,
    database: Vec<u8>,
}

impl FirstNight {
    async fn new() -> Self {
        let began_at = now();
        let sim = Sim::start(World::describe_at(FIRM, began_at).unwrap()).await.unwrap();
        let site = site(&sim, false);
        let answer = run(&site);
        assert_eq!(answer.status, 0, "{answer}");
        assert_eq!(live(&site), BTreeSet::from(["leaver_active a2 open".to_owned()]));
        Self { began_at, database: site.read("driftline.db") }
    }

    /// The row of one case.
    async fn second_night(&self, endpoint: &str, name: &str, fault: Fault) -> String {
        let mut world = World::describe_at(FIRM, self.began_at).unwrap();
        world.deactivate(CEM, self.began_at - TimeDelta::hours(5));
        world.unassign(DAN, self.began_at - TimeDelta::hours(30));
        world.app.accounts.retain(|it| it.id != "a5");
        let sim = Sim::start(world).await.unwrap();
        sim.clock().advance(now() - self.began_at);
        let site = site(&sim, endpoint == "okta/token");
        site.write("driftline.db", &self.database);
        let put = sim.fault(Endpoint::named(endpoint).unwrap(), fault, when(fault));

        let answer = run(&site);
        let case = format!("{endpoint} {name}: {answer}");
        assert!(sim.struck(put) > 0, "never met: {case}");
        let report = report(&site);
        let seen = Seen::of(&report);
        let found = live(&site);

        // What was open stays open, and nothing is found that is not so.
        assert!(found.contains("leaver_active a2 open"), "{found:?}: {case}");
        let about = |it: &String| it.rsplit_once(' ').unwrap().0.to_owned();
        // Where rows are added while the list is read, copies of accounts are there indeed.
        let adds_rows = matches!(fault, Fault::Changes(_) | Fault::EndlessList);
        let is_of_copy = |it: &String| it.contains('-') || it.starts_with("duplicate_account");
        let is_so = |it: &String| SO.contains(&&*about(it)) || adds_rows && is_of_copy(it);
        assert!(found.iter().all(is_so), "{found:?}: {case}");
        // What rests on absence does not open where that list was not seen whole.
        if seen.accounts != "complete" {
            assert!(!found.iter().any(|it| it.starts_with("vanished")), "{found:?}: {case}");
        }
        let is_whole =
            [seen.users, seen.assigned, seen.accounts].iter().all(|it| *it == "complete");
        let spoils = matches!(fault, Fault::Nulls | Fault::NullLeaves);
        if is_whole && !spoils {
            let is_told = found.iter().any(|it| it.starts_with("leaver_active a3"));
            assert!(is_told, "a leaver is missed, {found:?}: {case}");
        }
        assert_eq!(answer.status, if seen.is_complete { 0 } else { 4 }, "{case}");
        assert_eq!(sim.offences(), Vec::<String>::new(), "{case}");
        no_secrets(&sim, &site, &answer, &case);

        let leaver = found.iter().find_map(|it| it.strip_prefix("leaver_active a3 "));
        let words = words(&report, &sim);
        line([
            endpoint,
            name,
            seen.users,
            seen.assigned,
            seen.accounts,
            &answer.status.to_string(),
            leaver.unwrap_or("-"),
            &words,
        ])
    }
}

/// A refusal for a while is met once; everything else lasts.
fn when(fault: Fault) -> When {
    match fault {
        Fault::TooMany(Wait::Unsaid) | Fault::Refused(_) => When::always(),
        Fault::TooMany(_) | Fault::ReadOnly | Fault::TokenDies => When::next(1),
        _ => When::always(),
    }
}

/// An installation that waits as little as settings allow.
fn site(sim: &Sim, is_service_app: bool) -> Site {
    let http = "connect_timeout = \"3s\"\nrequest_timeout = \"3s\"\npatience = \"2s\"\n\
                body_max = \"1MiB\"\npages_max = 100\n";
    let access = if is_service_app {
        "client_id = \"0oasimclient\"\nprivate_key = \"file:okta.key\""
    } else {
        "token = \"file:okta.token\""
    };
    let site = Site::new(&format!(
        "[idp.okta.okta]\nurl = \"{}\"\napp_id = \"0oaapp\"\n{access}\n[idp.okta.okta.http]\n{http}\n\
         [app.secureframe]\nidps = [\"okta\"]\ncanaries = [\"a1\"]\ndeprovision = \"deletes\"\n\n\
         [app.secureframe.scim]\nurl = \"{}\"\ntoken = \"file:scim.token\"\n\
         [app.secureframe.scim.http]\n{http}",
        sim.okta_url(),
        sim.scim_url()
    ));
    site.write("okta.key", include_bytes!("../../crates/outbound/tests/data/keys/ec.pkcs8.pem"));
    site.write("okta.token", "00sim-api-token\n");
    site.write("scim.token", "sim-scim-token\n");
    site
}

fn run(site: &Site) -> Answer {
    tokio::task::block_in_place(|| {
        let mut command = site.command(&["run", "--once", "-vvv"]);
        crate::site::answer(&command.output().unwrap())
    })
}

fn report(site: &Site) -> Value {
    tokio::task::block_in_place(|| site.report())
}

/// Cause, subject and state of everything that lives.
fn live(site: &Site) -> BTreeSet<String> {
    let states = tokio::task::block_in_place(|| site.states());
    states.into_iter().map(|[cause, key, _, state]| format!("{cause} {key} {state}")).collect()
}

/// How much was seen of each list.
struct Seen {
    users: &'static str,
    assigned: &'static str,
    accounts: &'static str,
    /// Every list whole, and nothing that could not be looked at.
    is_complete: bool,
}

impl Seen {
    fn of(report: &Value) -> Self {
        let of = |list: &str| {
            let mut sources = report["sources"].as_array().unwrap().iter();
            let source = sources.find(|it| it["list"] == list).unwrap();
            match (&source["failed"], &source["held"], source["coverage"]["kind"].as_str()) {
                (Value::String(_), ..) => "failed",
                (_, Value::String(_), _) => "held",
                (_, _, Some("complete")) => "complete",
                (_, _, Some("partial")) => "partial",
                other => panic!("{other:?}"),
            }
        };
        let (users, assigned, accounts) = (of("identities"), of("assignments"), of("accounts"));
        let blinds = ["snapshot_incomplete", "credential_failed"];
        let mut watcher = report["watcher"].as_array().unwrap().iter();
        let is_blind = watcher.any(|it| blinds.contains(&it["kind"].as_str().unwrap()));
        let is_whole = [users, assigned, accounts].iter().all(|it| *it == "complete");
        Self { users, assigned, accounts, is_complete: is_whole && !is_blind }
    }
}

/// What the report says of its own sight, without what is said of every run here.
fn words(report: &Value, sim: &Sim) -> String {
    let watcher = report["watcher"].as_array().unwrap().iter();
    let mut told: Vec<String> = watcher
        .filter(|it| it["kind"] != "provisioning_unhealthy")
        .map(|it| format!("{}: {}", it["kind"].as_str().unwrap(), it["text"].as_str().unwrap()))
        .collect();
    let notes = report["not_checked"].as_array().unwrap().iter().map(|it| it.as_str().unwrap());
    told.extend(notes.filter(|it| it.contains("by id were not")).map(str::to_owned));
    let told: Vec<String> = told
        .iter()
        .map(|it| it.replace(sim.okta_url(), "OKTA").replace(sim.scim_url(), "SCIM"))
        .map(|it| without_chance(&it))
        .collect();
    match &*told {
        [] => "-".to_owned(),
        [only] => only.clone(),
        [first, more @ ..] => format!("{first} (and {} more)", more.len()),
    }
}

/// Ports, lengths, waits and times are others in each run.
fn without_chance(text: &str) -> String {
    let mut text = text.to_owned();
    for before in ["localhost:", "127.0.0.1:", "cut off after ", "asked to wait "] {
        if let Some(at) = text.find(before).map(|it| it + before.len()) {
            let end = text[at..].find(|it: char| !it.is_ascii_digit() && it != '.');
            text.replace_range(at..end.map_or(text.len(), |it| at + it), "N");
        }
    }
    if let Some(query) = text.find("/logs?").map(|it| it + 6) {
        let end = text[query..].find('`').map_or(text.len(), |it| query + it);
        text.replace_range(query..end, "…");
    }
    let tries = (text.find(" more, and "), text.find(" tries were refused"));
    if let (Some(begin), Some(end)) = tries {
        text.replace_range(begin + 11..end, "N");
    }
    text
}

/// No credential is in anything that was written.
fn no_secrets(sim: &Sim, site: &Site, answer: &Answer, case: &str) {
    let mut texts = vec![answer.bytes.clone(), answer.stderr.clone().into_bytes()];
    let reports = fs::read_dir(site.path("reports")).unwrap();
    texts.extend(reports.map(|it| fs::read(it.unwrap().path()).unwrap()));
    for name in ["driftline.db", "driftline.db-wal"] {
        texts.extend(fs::read(site.path(name)));
    }
    assert!(answer.stderr.contains("TRACE"), "{case}");
    let key = String::from_utf8(site.read("okta.key")).unwrap();
    let key = key.lines().filter(|it| !it.starts_with("-----")).map(str::to_owned);
    for secret in sim.secrets().into_iter().chain(key) {
        let is_in = |it: &Vec<u8>| it.windows(secret.len()).any(|it| it == secret.as_bytes());
        assert!(!texts.iter().any(is_in), "a secret was written: {case}");
    }
}
