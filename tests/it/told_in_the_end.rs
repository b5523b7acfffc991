//! Killed (SIGKILL) at random points while it tells: nothing is lost, and what comes twice comes
//! under the same key.
//!
//! `KILLS=200 cargo test --workspace --locked --test it killed_at_random -- --nocapture` does it as
//! often as one likes, and prints what it met.

use std::collections::{BTreeMap, BTreeSet};
use std::process::Stdio;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use domain::{Notice, NotifyReason, RunId, Severity, Text};
use serde_json::Value;
use store::Store;
use tokio::io::{AsyncBufReadExt as _, AsyncReadExt as _, AsyncWriteExt as _, BufReader};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::watch;

use crate::live::{ask, now};
use crate::site::{Site, json};

/// Without `KILLS`: enough to see that it works.
const KILLS: usize = 6;

/// Notices that wait when a run begins, besides those that an earlier kill left.
const NOTICES: usize = 5;

/// Longest time from a request to the kill: an answer, its line in the database and the next
/// request fit in. Each half of it is met as often as the other, and so on down: what is shortest
/// is between the answer and its line.
const LATER_MAX_US: u64 = 30_000;

/// A receiver of webhooks that keeps what it got: the id and the event.
struct Receiver {
    port: u16,
    got: Arc<Mutex<Vec<(String, Value)>>>,
    count: watch::Receiver<usize>,
}

impl Receiver {
    async fn start() -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let port = listener.local_addr().unwrap().port();
        let (got, (told, count)) = (Arc::default(), watch::channel(0));
        let all = Arc::clone(&got);
        tokio::spawn(async move {
            while let Ok((stream, _)) = listener.accept().await {
                tokio::spawn(take(stream, Arc::clone(&all), told.clone()));
            }
        });
        Self { port, got, count }
    }
}

/// Takes events on one connection. One that is cut off before its end was not got.
async fn take(
    stream: TcpStream,
    got: Arc<Mutex<Vec<(String, Value)>>>,
    told: watch::Sender<usize>,
) -> Option<()> {
    let mut stream = BufReader::new(stream);
    loop {
        let (mut id, mut n_bytes) = (String::new(), 0);
        loop {
            let mut line = String::new();
            if stream.read_line(&mut line).await.ok()? == 0 {
                return None;
            }
            let (name, value) = line.trim_end().split_once(": ").unwrap_or((line.trim_end(), ""));
            match name {
                "webhook-id" => id = value.to_owned(),
                "content-length" => n_bytes = value.parse().ok()?,
                "" => break,
                _ => {}
            }
        }
        let mut body = vec![0; n_bytes];
        stream.read_exact(&mut body).await.ok()?;
        {
            let mut got = got.lock().unwrap();
            got.push((id, json(&body)));
            told.send_replace(got.len());
        }
        stream.write_all(b"HTTP/1.1 204 No Content\r\n\r\n").await.ok()?;
    }
}

/// What there is to tell, each under a key of its own; one of it is the report of a run.
fn notices(nth: usize) -> Vec<Notice> {
    let one = |reason: NotifyReason, number: usize| Notice {
        key: format!("driftline:main:-:told-{nth}-{number}").into(),
        reason,
        severity: Severity::High,
        app: None,
        run: Some(RunId(2)),
        at: now(),
        title: format!("notice {number} of round {nth}"),
        lines: Vec::new(),
        findings: Vec::new(),
        items: Vec::new(),
        to: vec![(Text::from("hook"), now())],
    };
    let alerts = (1..NOTICES).map(|it| one(NotifyReason::Watcher, it));
    alerts.chain([one(NotifyReason::Report, NOTICES)]).collect()
}

/// An installation of which both nights are judged, and that tells the receiver.
async fn installed(receiver: &Receiver) -> Site {
    let site = Site::quickstart();
    let quiet = String::from_utf8(site.read("driftline.toml")).unwrap();
    assert_eq!(ask(&site, &["run", "--once"]).status, 0);
    let hook = format!(
        "[alert.hook.webhook]\nurl = 'http://127.0.0.1:{}/'\nsecrets = ['file:hook.secret']\n",
        receiver.port
    );
    site.write("driftline.toml", format!("{quiet}\n{hook}"));
    site.write("hook.secret", "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw\n");
    site
}

/// Begins a run, and kills it soon after its nth request. Returns false when it was faster.
async fn kill_after(site: &Site, receiver: &Receiver, n_more: usize, later: Duration) -> bool {
    let mut count = receiver.count.clone();
    let until = *count.borrow() + n_more;
    let mut command = tokio::process::Command::from(site.command(&["run", "--once"]));
    let mut run = command.stdout(Stdio::null()).stderr(Stdio::null()).spawn().unwrap();
    tokio::select! {
        _ = run.wait() => return false,
        heard = count.wait_for(|it| *it >= until) => drop(heard.unwrap()),
    }
    tokio::time::sleep(later).await; // The point at random, and nothing that is waited for.
    run.start_kill().ok();
    !run.wait().await.unwrap().success()
}

#[tokio::test(flavor = "multi_thread")]
async fn more_than_one_pass_sends_is_told_by_one_run() {
    const MANY: usize = 130;
    let receiver = Receiver::start().await;
    let site = installed(&receiver).await;
    let store = Store::open(&site.path("driftline.db")).unwrap();
    let many = (0..MANY.div_ceil(NOTICES)).flat_map(notices).collect();
    store.add_notices(many).await.unwrap();
    drop(store);
    assert_eq!(ask(&site, &["run", "--once"]).status, 0);
    assert_eq!(receiver.got.lock().unwrap().len(), MANY);
}

#[expect(clippy::disallowed_methods, reason = "how often is for whoever runs the test")]
fn kills() -> usize {
    std::env::var("KILLS").map_or(KILLS, |it| it.parse().unwrap())
}

#[tokio::test(flavor = "multi_thread")]
async fn killed_at_random_points_of_delivery_it_loses_no_notice_and_repeats_none_under_two_keys() {
    let receiver = Receiver::start().await;
    let site = installed(&receiver).await;
    let mut random = fastrand::Rng::with_seed(7);
    let (mut n_rounds, mut n_killed, mut wanted) = (0, 0, Vec::new());
    while n_killed < kills() {
        let told = notices(n_rounds);
        wanted.extend(told.iter().map(|it| it.key.to_string()));
        let store = Store::open(&site.path("driftline.db")).unwrap();
        store.add_notices(told).await.unwrap();
        drop(store);
        let later_max = LATER_MAX_US >> random.u32(0..10);
        let later = Duration::from_micros(random.u64(0..=later_max));
        let n_more = random.usize(1..=NOTICES);
        n_killed += usize::from(kill_after(&site, &receiver, n_more, later).await);
        n_rounds += 1;
        assert!(n_rounds < 10 * kills(), "only {n_killed} of {n_rounds} runs were met alive");
    }
    let last = ask(&site, &["run", "--once"]);
    assert_eq!(last.status, 0, "{last}");

    let got = receiver.got.lock().unwrap().clone();
    let mut by_key: BTreeMap<String, Vec<&(String, Value)>> = BTreeMap::new();
    for event in &got {
        by_key.entry(event.1["data"]["key"].as_str().unwrap().to_owned()).or_default().push(event);
    }
    let (known, wanted): (BTreeSet<String>, BTreeSet<String>) =
        (by_key.keys().cloned().collect(), wanted.into_iter().collect());
    assert_eq!(wanted.difference(&known).next(), None, "lost");
    assert_eq!(known.difference(&wanted).next(), None, "told, and never to be");
    for (key, events) in &by_key {
        let (id, first) = events[0];
        assert!(id.starts_with(&format!("{key}#")), "{id}");
        for (other, event) in events {
            assert_eq!((other, &event["data"]), (id, &first["data"]), "{key} came as two");
        }
    }
    let outbox = json(&ask(&site, &["alert", "list", "--format", "json"]).bytes);
    let is_open = |it: &&Value| it["state"] != "delivered";
    assert_eq!(outbox.as_array().unwrap().iter().find(is_open), None);
    assert_eq!(ask(&site, &["db", "verify"]).status, 0);
    println!(
        "{n_killed} kills in {n_rounds} runs: {} notices, none lost, {} came twice under one key",
        by_key.len(),
        by_key.values().filter(|it| it.len() > 1).count()
    );
}
