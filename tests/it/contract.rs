//! What every connector over HTTP owes the operator, whatever a server does: each fault of the
//! simulated company on each thing that a run asks for, with the coverage, the exit status and the
//! words that come of it. The tables beside this file are read by people.

mod idp;

use std::collections::BTreeSet;
use std::fmt::Write as _;
use std::fs;
use std::sync::Arc;
use std::time::Duration;

use chrono::{DateTime, Utc};
use serde_json::Value;
use sim::{Endpoint, FAULTS, Fault, Sim, Wait, When, World};
use tokio::sync::Semaphore;
use tokio::task::JoinSet;

use self::idp::Idp;
use crate::site::{Answer, Site, stands_in};

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
const SECUREFRAME: &[&str] = &["secureframe/users", "secureframe/user"];
const SCIM: &[&str] = &["scim/config", "scim/users", "scim/user"];
const ENTRA: &[&str] = &[
    "entra/token",
    "entra/apps",
    "entra/jobs",
    "entra/assigned",
    "entra/members",
    "entra/group",
    "entra/users",
    "entra/deletions",
    "entra/log",
    "entra/user",
    "entra/deletion",
    "entra/grants",
];

const ONELOGIN: &[&str] = &[
    "onelogin/token",
    "onelogin/app",
    "onelogin/app-users",
    "onelogin/roles",
    "onelogin/users",
    "onelogin/user",
    "onelogin/user-apps",
    "onelogin/events",
    "onelogin/types",
];

/// How the app is seen.
#[derive(Clone, Copy)]
enum View {
    Scim,
    Secureframe,
}

/// Cases at a time: most of them wait.
const AT_A_TIME: usize = 8;

#[tokio::test(flavor = "multi_thread")]
async fn okta_under_every_fault() {
    insta::assert_snapshot!("okta", table(Idp::Okta, View::Scim, OKTA).await);
}

#[tokio::test(flavor = "multi_thread")]
async fn scim_under_every_fault() {
    insta::assert_snapshot!("scim", table(Idp::Okta, View::Scim, SCIM).await);
}

#[tokio::test(flavor = "multi_thread")]
async fn secureframe_under_every_fault() {
    insta::assert_snapshot!("secureframe", table(Idp::Okta, View::Secureframe, SECUREFRAME).await);
}

#[tokio::test(flavor = "multi_thread")]
async fn entra_under_every_fault() {
    insta::assert_snapshot!("entra", table(Idp::Entra, View::Scim, ENTRA).await);
}

#[tokio::test(flavor = "multi_thread")]
async fn onelogin_under_every_fault() {
    insta::assert_snapshot!("onelogin", table(Idp::OneLogin, View::Scim, ONELOGIN).await);
}

/// One row for each fault on each of these.
async fn table(idp: Idp, view: View, endpoints: &'static [&'static str]) -> String {
    let first = Arc::new(FirstNight::new(idp, view).await);
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
    // A column is as wide as its longest word, and a blank.
    let width = endpoints.iter().map(|it| it.len() + 1).max().unwrap().max(16);
    let head =
        ["asked for", "fault", "users", "assigned", "accounts", "exit", "leaver", "in words"];
    let rows = std::iter::once(head.map(str::to_owned)).chain(rows.into_iter().map(|it| it.1));
    rows.map(|it| line(width, &it)).collect()
}

fn line(width: usize, [a, b, c, d, e, f, g, h]: &[String; 8]) -> String {
    let mut text = String::new();
    writeln!(text, "{a:<width$}{b:<21}{c:<10}{d:<10}{e:<10}{f:<6}{g:<9}{h}").unwrap();
    text
}

#[expect(clippy::disallowed_methods, reason = "the program has the machine's clock, too")]
fn now() -> DateTime<Utc> {
    Utc::now()
}

/// The database of a first night without faults, and when that was.
struct FirstNight {
    idp: Idp,
    view: View,
    began_at: DateTime<Utc>,
    database: Vec<u8>,
}

impl FirstNight {
    async fn new(idp: Idp, view: View) -> Self {
        let began_at = now();
        let mut world = World::describe_at(&idp.firm(), began_at).unwrap();
        enlist(&mut world);
        let sim = Sim::start(world).await.unwrap();
        let site = site(idp, view, &sim, false);
        let answer = run(&site);
        assert_eq!(answer.status, 0, "{answer}");
        assert_eq!(live(&site), BTreeSet::from(["leaver_active a2 open".to_owned()]));
        Self { idp, view, began_at, database: site.read("driftline.db") }
    }

    /// The row of one case.
    async fn second_night(&self, endpoint: &str, name: &str, fault: Fault) -> [String; 8] {
        let mut world = World::describe_at(&self.idp.firm(), self.began_at).unwrap();
        self.idp.second_night(&mut world, self.began_at);
        world.app.accounts.retain(|it| it.id != "a5");
        enlist(&mut world);
        let sim = Sim::start(world).await.unwrap();
        sim.clock().advance(now() - self.began_at);
        let site = site(self.idp, self.view, &sim, endpoint.ends_with("/token"));
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
        let is_lost = |it: &String| self.idp.has_lost(&sim.world(), &about(it));
        let is_so =
            |it: &String| SO.contains(&&*about(it)) || adds_rows && is_of_copy(it) || is_lost(it);
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
        let status = answer.status.to_string();
        [
            endpoint,
            name,
            seen.users,
            seen.assigned,
            seen.accounts,
            &status,
            leaver.unwrap_or("-"),
            &words,
        ]
        .map(str::to_owned)
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

/// The app's own view is what its accounts are, in pages as short.
fn enlist(world: &mut World) {
    world.enlist();
    world.personnel.habits.page_max = 8;
}

/// An installation that waits as little as settings allow.
fn site(idp: Idp, view: View, sim: &Sim, signs: bool) -> Site {
    let http = "connect_timeout = \"3s\"\nrequest_timeout = \"3s\"\npatience = \"2s\"\n\
                body_max = \"1MiB\"\npages_max = 100\n";
    let app = match view {
        View::Scim => format!(
            "[app.secureframe.scim]\nurl = \"{}\"\ntoken = \"file:scim.token\"\n\
             [app.secureframe.scim.http]\n",
            sim.scim_url()
        ),
        View::Secureframe => format!(
            "[app.secureframe.secureframe_api]\nurl = \"{}\"\napi_key = \"file:secureframe.key\"\n\
             api_secret = \"file:secureframe.secret\"\nowner = \"ana@firm.test\"\n\
             [app.secureframe.secureframe_api.http]\n",
            sim.secureframe_url()
        ),
    };
    let site = Site::new(&format!(
        "{}{http}\n[app.secureframe]\nidps = [\"{}\"]\ncanaries = [\"a1\"]\ndeprovision = \"deletes\"\n\n\
         {app}{http}",
        idp.settings(sim, signs),
        idp.name(),
    ));
    site.write("idp.key", include_bytes!("../../crates/outbound/tests/data/keys/rsa.pkcs8.pem"));
    site.write("idp.cert", include_bytes!("../../crates/outbound/tests/data/keys/rsa.cert.pem"));
    site.write("okta.token", "00sim-api-token\n");
    site.write("entra.secret", "sim-entra-client-secret\n");
    site.write("onelogin.secret", "sim-onelogin-client-secret\n");
    site.write("scim.token", "sim-scim-token\n");
    site.write("secureframe.key", "sim-secureframe-key\n");
    site.write("secureframe.secret", "sim-secureframe-secret\n");
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
            let Some(source) = sources.find(|it| it["list"] == list) else { return "complete" };
            match (&source["failed"], &source["held"], source["coverage"]["kind"].as_str()) {
                (Value::String(_), ..) => "failed",
                (_, Value::String(_), _) => "held",
                (_, _, Some("complete")) => "complete",
                (_, _, Some("partial")) => "partial",
                other => panic!("{other:?}"),
            }
        };
        // Who has the app is two lists where groups give it.
        let assigned = ["assignments", "memberships"].map(of);
        let assigned = assigned.into_iter().find(|it| *it != "complete").unwrap_or("complete");
        let (users, accounts) = (of("identities"), of("accounts"));
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
        .map(|it| it.replace(sim.entra_url(), "ENTRA"))
        .map(|it| it.replace(sim.onelogin_url(), "ONELOGIN"))
        .map(|it| it.replace(sim.secureframe_url(), "SECUREFRAME"))
        .map(|it| without_chance(&it))
        .collect();
    match &*told {
        [] => "-".to_owned(),
        [only] => only.clone(),
        [first, more @ ..] => format!("{first} (and {} more)", more.len()),
    }
}

/// Ports, lengths, waits and times are others in each run; and of questions that are asked at the
/// same time, the one at which a token is refused.
fn without_chance(text: &str) -> String {
    let mut text = text.to_owned();
    let refused = "HTTP 401 from `OKTA/api/v1/apps/0oaapp/users/";
    if let Some(at) = text.find(refused).map(|it| it + refused.len()) {
        let end = text[at..].find('?').map_or(text.len(), |it| at + it);
        text.replace_range(at..end, "…");
    }
    for before in ["localhost:", "127.0.0.1:", "cut off after ", "asked to wait "] {
        if let Some(at) = text.find(before).map(|it| it + before.len()) {
            let end = text[at..].find(|it: char| !it.is_ascii_digit() && it != '.');
            text.replace_range(at..end.map_or(text.len(), |it| at + it), "N");
        }
    }
    text = text.replace("asked to wait Nms", "asked to wait Ns");
    let log = ["/logs?", "/provisioning?", "/events?"].into_iter();
    if let Some(query) = log.filter_map(|it| Some(text.find(it)? + it.len())).next() {
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
    let key = String::from_utf8(site.read("idp.key")).unwrap();
    let key = key.lines().filter(|it| !it.starts_with("-----")).map(str::to_owned);
    for secret in sim.secrets().into_iter().chain(key) {
        let is_in = |it: &Vec<u8>| stands_in(it, secret.as_bytes());
        assert!(!texts.iter().any(is_in), "a secret was written: {case}");
    }
}
