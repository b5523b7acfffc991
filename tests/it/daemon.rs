//! The daemon as an operator meets it: signals, health, missed runs, one process at a time. Every
//! wait is for a line of its log or for its end.

use std::collections::BTreeSet;
use std::io::{BufRead as _, BufReader, Read as _, Write as _};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::process::{Child, Command, Stdio};
use std::sync::mpsc;

use alerting::webhook::WebhookSecret;
use serde_json::Value;

use crate::site::{Site, json};

/// A company in two exports.
const COMPANY: &str = "\
[idp.okta]
[[idp.okta.file]]
path = 'okta_users.json'
whole = true
[app.secureframe]
idps = ['okta']
[[app.secureframe.file]]
path = 'secureframe_scim_users'
";

/// Once a year, at a time when nobody tests.
const RARELY: &str = "[schedule]\nruns = ['0 0 29 FEB *']\njitter = '0s'\n";

/// A channel that is a program of the shell.
const HOOK: &str = "[alert.hook.command]\nprogram = '/bin/sh'\nargs = ['-c', 'cat >> told']\n";

/// A daemon that goes on. Killed when dropped.
struct Daemon {
    child: Child,
    log: BufReader<std::process::ChildStderr>,
    told: Vec<Value>,
}

impl Daemon {
    fn start(site: &Site) -> Self {
        let mut command = site.command(&["run", "-v", "--log", "json"]);
        let mut child = command.stdout(Stdio::null()).stderr(Stdio::piped()).spawn().unwrap();
        let log = BufReader::new(child.stderr.take().unwrap());
        Self { child, log, told: Vec::new() }
    }

    /// Reads its log to the line that begins so.
    fn told(&mut self, beginning: &str) -> Value {
        loop {
            let mut line = String::new();
            let n_bytes = self.log.read_line(&mut line).unwrap();
            assert!(n_bytes > 0, "it ended without `{beginning}`: {:#?}", self.told);
            let line: Value = serde_json::from_str(&line).unwrap_or_else(|_| Value::from(line));
            let is_it = line["message"].as_str().is_some_and(|it| it.starts_with(beginning));
            self.told.push(line.clone());
            if is_it {
                return line;
            }
        }
    }

    fn signal(&self, name: &str) {
        let pid = self.child.id().to_string();
        assert!(Command::new("/bin/kill").args(["-s", name, &pid]).status().unwrap().success());
    }

    /// Waits for its end; the exit status.
    fn end(mut self) -> i32 {
        let mut rest = String::new();
        self.log.read_to_string(&mut rest).unwrap();
        self.child.wait().unwrap().code().unwrap_or(-1)
    }
}

impl Drop for Daemon {
    fn drop(&mut self) {
        self.child.kill().ok();
        self.child.wait().ok();
    }
}

fn site(more: &str) -> Site {
    let site = Site::new(&format!("{more}{RARELY}{COMPANY}"));
    let samples = crate::site::project("config/samples/2026-11-20");
    for name in ["okta_users.json", "secureframe_scim_users"] {
        crate::site::copy_all(&samples, &site.path("samples"));
        let from = site.path("samples").join(name);
        if from.is_dir() {
            crate::site::copy_all(&from, &site.path(name));
        } else {
            std::fs::copy(from, site.path(name)).unwrap();
        }
    }
    site
}

/// An address of this machine where nobody answers now.
fn free_address() -> SocketAddr {
    TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap()
}

/// What a page answers: its status and its body.
fn get(address: SocketAddr, path: &str) -> (String, String) {
    let mut stream = TcpStream::connect(address).unwrap();
    write!(stream, "GET {path} HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n").unwrap();
    let mut answer = String::new();
    stream.read_to_string(&mut answer).unwrap();
    let (head, body) = answer.split_once("\r\n\r\n").unwrap();
    (head.split(' ').nth(1).unwrap().to_owned(), body.to_owned())
}

#[test]
fn it_runs_at_once_when_it_never_ran_and_ends_when_told() {
    let site = site("");
    let mut daemon = Daemon::start(&site);
    daemon.told("Committed run 1");
    daemon.told("The next run begins at");
    daemon.signal("TERM");
    assert_eq!(daemon.end(), 0);
    assert_eq!(site.report()["run"], 1);
    assert!(site.path("reports/latest.html").exists());
    let index = String::from_utf8(site.read("reports/index.html")).unwrap();
    assert!(index.contains("-run-1.html"), "{index}");
    site.told(&["db", "verify"]);

    // It had its turn: begun again, nothing is due.
    let mut daemon = Daemon::start(&site);
    daemon.told("The next run begins at");
    daemon.signal("INT");
    assert_eq!(daemon.end(), 0);
    assert_eq!(site.report()["run"], 1);
}

#[test]
fn every_line_of_a_run_names_it() {
    let site = site("");
    let mut daemon = Daemon::start(&site);
    daemon.told("Committed run 1");
    let pulled = |it: &&Value| it["message"].as_str().is_some_and(|it| it.starts_with("Pulled "));
    let pulls: Vec<&Value> = daemon.told.iter().filter(pulled).collect();
    assert!(pulls.len() >= 2, "{:#?}", daemon.told);
    for line in pulls {
        assert!(line["spans"].to_string().contains("\"run.id\":1"), "{line:#}");
    }
}

#[test]
fn a_run_on_request_is_one_more() {
    let site = site("");
    let mut daemon = Daemon::start(&site);
    daemon.told("Committed run 1");
    daemon.signal("USR1");
    daemon.told("Committed run 2");
    daemon.signal("TERM");
    assert_eq!(daemon.end(), 0);
}

#[test]
fn people_say_what_they_know_between_two_runs_and_the_next_run_goes_on_from_there() {
    let site = site("");
    let mut daemon = Daemon::start(&site);
    daemon.told("Committed run 1");
    daemon.told("The next run begins");
    let state = || {
        let list = json(&site.told(&["findings", "list", "--format", "json"]).bytes);
        let findings = list.as_array().unwrap();
        let of = |state: &str| findings.iter().find(|it| it["state"] == state).cloned();
        (of("open"), of("acknowledged"))
    };
    let open = state().0.expect("a leaver is open in the first run");
    let id = open["id"].as_str().unwrap();
    site.told(&["findings", "ack", id, "--by", "Ada", "--reason", "calling them"]);
    daemon.signal("USR1");
    daemon.told("Committed run 2");
    assert_eq!(state().1.map(|it| it["id"].clone()), Some(open["id"].clone()));
    site.told(&["db", "verify"]);
    site.told(&["ledger", "verify"]);

    let other = site.ask(&["run", "--once"]);
    assert_eq!(other.status, 5, "{other}");
}

#[test]
fn what_a_run_found_is_told_beside_the_runs() {
    let site = site(HOOK);
    let mut daemon = Daemon::start(&site);
    daemon.told("Committed run 1");
    daemon.told("Delivered a notice");
    assert!(String::from_utf8(site.read("told")).unwrap().contains("leaver"));
    daemon.signal("TERM");
    assert_eq!(daemon.end(), 0);
}

#[test]
fn told_to_stop_during_a_run_it_tells_what_the_run_found_before_it_ends() {
    let site = site(HOOK);
    let mut daemon = Daemon::start(&site);
    daemon.told("Pulled ");
    daemon.signal("TERM");
    daemon.told("Committed run 1");
    assert_eq!(daemon.end(), 0);
    assert!(String::from_utf8(site.read("told")).unwrap().contains("leaver"));
    let outbox = json(&site.told(&["alert", "list", "--format", "json"]).bytes);
    assert!(outbox.as_array().unwrap().iter().all(|it| it["state"] == "delivered"), "{outbox}");
}

/// A server that takes everything: answers one request after the other, and gives each out.
fn takes_everything() -> (SocketAddr, mpsc::Receiver<String>) {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let (address, (sender, requests)) = (listener.local_addr().unwrap(), mpsc::sync_channel(8));
    std::thread::spawn(move || {
        for stream in listener.incoming() {
            let mut stream = BufReader::new(stream.unwrap());
            let mut request = String::new();
            while !request.ends_with("\r\n\r\n") && stream.read_line(&mut request).unwrap() > 0 {}
            let length = request.to_lowercase();
            let length = length
                .split("content-length: ")
                .nth(1)
                .map_or(0, |it| it.split("\r\n").next().unwrap().parse().unwrap());
            let mut body = vec![0; length];
            stream.read_exact(&mut body).unwrap();
            request.push_str(&String::from_utf8(body).unwrap());
            let answer = b"HTTP/1.1 200 OK\r\nContent-Length: 0\r\nConnection: close\r\n\r\n";
            stream.get_mut().write_all(answer).unwrap();
            if sender.send(request).is_err() {
                return;
            }
        }
    });
    (address, requests)
}

/// Whether a request is signed by a secret, and by no other.
fn is_signed_by(secret: &str, request: &str) -> bool {
    let (head, body) = request.split_once("\r\n\r\n").unwrap();
    let header = |name: &str| {
        let named = head.lines().filter_map(|it| it.split_once(": "));
        named.filter(|it| it.0.eq_ignore_ascii_case(name)).map(|it| it.1).collect::<String>()
    };
    let signed = format!("{}.{}.{body}", header("webhook-id"), header("webhook-timestamp"));
    WebhookSecret::parse(secret).unwrap().sign(&signed) == header("webhook-signature")
}

#[test]
fn secrets_of_channels_and_of_the_heartbeat_are_read_again_for_each_run() {
    const BEFORE: &str = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw";
    const AFTER: &str = "whsec_AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA";
    let (address, reports) = takes_everything();
    let (switch, beats) = takes_everything();
    let site = site(&format!(
        "[report]\nto = ['report']\n[heartbeat]\nurl = 'file:heartbeat.url'\n\
         [alert.report.webhook]\nurl = 'http://{address}/'\nsecrets = ['file:hook.secret']\n\
         {HOOK}[[route]]\nto = ['hook']\n"
    ));
    let rotate = |secret: &str, path: &str| {
        site.write("hook.secret", secret);
        site.write("heartbeat.url", format!("http://{switch}/{path}"));
    };
    rotate(BEFORE, "before");
    let mut daemon = Daemon::start(&site);
    assert!(beats.recv().unwrap().starts_with("GET /before "));
    assert!(is_signed_by(BEFORE, &reports.recv().unwrap()));
    daemon.told("The next run begins at");

    rotate(AFTER, "after");
    daemon.signal("USR1");
    assert!(beats.recv().unwrap().starts_with("GET /after "));
    assert!(is_signed_by(AFTER, &reports.recv().unwrap()));

    // What cannot be read keeps no run from being done, and nobody from being told.
    std::fs::remove_file(site.path("hook.secret")).unwrap();
    daemon.signal("USR1");
    let told = daemon.told("Secrets of channels and anchors cannot be read again");
    assert!(told["error"].to_string().contains("hook.secret"), "{told}");
    assert!(is_signed_by(AFTER, &reports.recv().unwrap()));
    daemon.signal("TERM");
    assert_eq!(daemon.end(), 0);
}

#[test]
fn what_people_say_of_a_finding_counts_in_its_metrics_at_once() {
    let address = free_address();
    let site = site(&format!("[web]\nlisten = '{address}'\n"));
    let mut daemon = Daemon::start(&site);
    daemon.told("Committed run 1");
    daemon.told("The next run begins");
    let n = |state: &str| {
        let labels = format!("family=\"access_remains\",severity=\"critical\",state=\"{state}\"");
        let line = format!("driftline_findings{{app=\"secureframe\",{labels}}} ");
        let metrics = get(address, "/metrics").1;
        let found = metrics.lines().find_map(|it| it.strip_prefix(&line));
        found.unwrap_or_else(|| panic!("no `{line}` in {metrics}")).parse::<u32>().unwrap()
    };
    let n_open = n("open");
    assert!(n_open > 1, "leavers are open in the first run");
    let list = json(&site.told(&["findings", "list", "--format", "json"]).bytes);
    let critical = |it: &&Value| it["severity"] == "critical" && it["state"] == "open";
    let ids: Vec<&str> = list
        .as_array()
        .unwrap()
        .iter()
        .filter(critical)
        .map(|it| {
            assert_eq!(it["cause"], "leaver_active");
            it["id"].as_str().unwrap()
        })
        .collect();
    let say = |word: &str, id: &str| {
        site.told(&["findings", word, id, "--by", "Ada", "--reason", "calling them"])
    };
    say("ack", ids[0]);
    say("false-positive", ids[1]);
    assert_eq!((n("open"), n("acknowledged")), (n_open - 2, 1));
}

#[test]
fn a_list_that_was_taken_out_of_the_settings_does_not_grow_old() {
    let address = free_address();
    let hr = "[hr.workday]\n[[hr.workday.file]]\npath = 'hr.csv'\nwhole = true\n";
    let site = site(&format!("[web]\nlisten = '{address}'\n{hr}"));
    site.write("hr.csv", "employee_number,email,name,last_day,reason\n1,q@x.test,Q,2026-08-14,r\n");
    let mut daemon = Daemon::start(&site);
    daemon.told("Committed run 1");
    daemon.told("The next run begins at");
    let ages = || {
        let metrics = get(address, "/metrics").1;
        let is_age =
            |it: &&str| it.starts_with("driftline_source_last_complete_timestamp_seconds{");
        let of =
            |it: &str| it.split("system=\"").nth(1).unwrap().split('"').next().unwrap().to_owned();
        metrics.lines().filter(is_age).map(of).collect::<BTreeSet<String>>()
    };
    assert_eq!(ages(), ["okta", "secureframe", "workday"].map(str::to_owned).into());
    site.change_settings(hr, "");
    daemon.signal("HUP");
    daemon.told("Read the settings again");
    daemon.signal("USR1");
    daemon.told("Committed run 2");
    assert_eq!(ages(), ["okta", "secureframe"].map(str::to_owned).into());
}

#[test]
fn due_times_that_passed_while_it_was_down_are_caught_up_once_and_told() {
    let site = site("");
    let daily = site.read("driftline.toml");
    let daily = String::from_utf8(daily).unwrap().replace("0 0 29 FEB *", "0 2 * * *");
    site.write("driftline.toml", daily);
    let mut daemon = Daemon::start(&site);
    daemon.told("Committed run 1");
    daemon.signal("TERM");
    assert_eq!(daemon.end(), 0);

    // Five days ago, as far as the database knows.
    let database = rusqlite::Connection::open(site.path("driftline.db")).unwrap();
    let back = "UPDATE turn SET due_ms = due_ms - 432000000, began_ms = began_ms - 432000000";
    database.execute(back, []).unwrap();
    drop(database);
    let shown = site.told(&["schedule"]).stdout;
    assert!(shown.contains("Since then 5 passed without a run"), "{shown}");

    let mut daemon = Daemon::start(&site);
    daemon.told("Committed run 2");
    daemon.told("The next run begins at");
    daemon.signal("TERM");
    assert_eq!(daemon.end(), 0);
    let report = site.report();
    assert_eq!(report["run"], 2);
    let missed = &report["watcher"].as_array().unwrap();
    let missed = missed.iter().find(|it| it["kind"] == "run_missed").unwrap();
    assert!(
        missed["text"].as_str().unwrap().starts_with("4 scheduled runs did not take"),
        "{missed}"
    );
    let shown = site.told(&["schedule"]).stdout;
    assert!(shown.contains("In all, 4 due times had no run"), "{shown}");
    assert!(!shown.contains("Since then"), "{shown}");
    let told = site.entries_of("run.missed");
    assert_eq!(told.len(), 1, "{told:?}");
    assert_eq!((&told[0]["body"]["n"], &told[0]["run"]), (&4.into(), &2.into()), "{told:?}");
}

#[test]
fn a_run_that_failed_is_in_the_ledger_without_a_number() {
    let site = site("[deployment]\nfingerprint_key = 'file:print.key'\n");
    site.write("print.key", "0123456789abcdef");
    let mut daemon = Daemon::start(&site);
    daemon.told("Committed run 1");
    daemon.told("The next run begins at");
    std::fs::remove_file(site.path("print.key")).unwrap();
    daemon.signal("USR1");
    daemon.told("the last run failed, and nothing of it was saved");
    daemon.told("The ledger was told that a run failed");
    site.write("print.key", "0123456789abcdef");
    daemon.signal("USR1");
    daemon.told("Committed run 2");
    daemon.signal("TERM");
    assert_eq!(daemon.end(), 0);
    let told = site.entries_of("run.failed");
    assert_eq!(told.len(), 1, "{told:?}");
    assert_eq!((&told[0]["body"]["n"], told[0].get("run")), (&1.into(), None), "{told:?}");
    assert!(!told[0].to_string().contains("print.key"), "why is a fact that can be erased");
    site.told(&["ledger", "verify"]);
}

#[test]
fn settings_are_read_again_and_bad_ones_change_nothing() {
    let address = free_address();
    let site = site(&format!("[web]\nlisten = '{address}'\n"));
    let good = String::from_utf8(site.read("driftline.toml")).unwrap();
    let mut daemon = Daemon::start(&site);
    daemon.told("Committed run 1");
    assert_eq!(get(address, "/healthz").0, "200", "{}", get(address, "/healthz").1);

    site.write("driftline.toml", good.replace("'okta'", "'oktta'"));
    daemon.signal("HUP");
    let told = daemon.told("The settings cannot be used");
    assert!(told["error"].as_str().unwrap().contains("oktta"), "{told}");
    let (status, body) = get(address, "/healthz");
    assert!(status == "503" && body.contains("are not in force"), "{status} {body}");
    daemon.signal("USR1");
    daemon.told("Committed run 2");

    site.write("driftline.toml", good.replace("29 FEB", "28 FEB"));
    daemon.signal("HUP");
    daemon.told("Read the settings again");
    let next = daemon.told("The next run begins at");
    assert!(next["next_run"].as_str().unwrap().contains("-02-28T"), "{next}");
    assert_eq!(get(address, "/healthz").0, "200");
    assert_eq!(get(address, "/readyz"), ("200".to_owned(), "ready\n".to_owned()));
    let (status, metrics) = get(address, "/metrics");
    assert_eq!(status, "200");
    for line in [
        "driftline_last_run_number 2",
        "driftline_last_run_complete 1",
        "driftline_settings_in_force 1",
        "driftline_missed_runs_total 0",
        "driftline_watcher_findings{kind=\"run_missed\"} 0",
    ] {
        assert!(metrics.lines().any(|it| it == line), "no `{line}` in\n{metrics}");
    }
}

#[test]
fn a_run_whose_report_cannot_be_written_is_committed_and_told() {
    let address = free_address();
    let site = site(&format!("[web]\nlisten = '{address}'\n"));
    site.write("reports", "a file where the folder should be");
    let mut daemon = Daemon::start(&site);
    daemon.told("the report of the last run was not written");
    daemon.told("The next run begins at");
    let (status, body) = get(address, "/healthz");
    assert!(status == "503" && body.contains("was not written"), "{status} {body}");
    assert!(get(address, "/metrics").1.contains("driftline_last_run_failed 1"));
    std::fs::remove_file(site.path("reports")).unwrap();
    daemon.signal("USR1");
    daemon.told("Committed run 2");
    daemon.signal("TERM");
    assert_eq!(daemon.end(), 0);
    // The first one had its turn: nothing was missed.
    let shown = site.told(&["schedule"]).stdout;
    assert!(shown.contains("The last one was due") && !shown.contains("had no run"), "{shown}");
    assert!(site.path("reports/latest.html").exists());
}

#[test]
fn pages_that_a_process_did_not_live_to_write_are_written_by_the_next_one() {
    let address = free_address();
    let site = site(&format!("[web]\nlisten = '{address}'\n"));
    let mut daemon = Daemon::start(&site);
    daemon.told("Committed run 1");
    daemon.told("The next run begins at");
    daemon.signal("TERM");
    assert_eq!(daemon.end(), 0);
    let page = site.read("reports/latest.html");

    std::fs::remove_dir_all(site.path("reports")).unwrap();
    let mut daemon = Daemon::start(&site);
    daemon.told("The next run begins at");
    assert!(site.read("reports/latest.html") == page);
    assert!(site.path("reports/index.html").exists());
    daemon.signal("TERM");
    assert_eq!(daemon.end(), 0);

    std::fs::remove_dir_all(site.path("reports")).unwrap();
    site.write("reports", "a file where the folder should be");
    let mut daemon = Daemon::start(&site);
    daemon.told("The next run begins at");
    let (status, body) = get(address, "/healthz");
    assert!(status == "503" && body.contains("was not written"), "{status} {body}");
}

#[test]
fn a_checkpoint_is_taken_out_of_reach_between_runs_and_when_the_place_is_there_again() {
    let address = free_address();
    let site =
        site(&format!("[web]\nlisten = '{address}'\n[anchor.share.folder]\npath = 'share'\n"));
    let mut daemon = Daemon::start(&site);
    daemon.told("A checkpoint was not taken out of reach");
    let made = "driftline_anchor_last_made_timestamp_seconds{anchor=\"share\"}";
    assert!(!get(address, "/metrics").1.contains(made), "what never was has no time");
    daemon.child.kill().unwrap(); // In the middle of it, as a machine may end.
    daemon.child.wait().unwrap();

    std::fs::create_dir(site.path("share")).unwrap();
    let database = rusqlite::Connection::open(site.path("driftline.db")).unwrap();
    database.execute("UPDATE anchor SET due_at_ms = asked_at_ms", []).unwrap();
    drop(database);
    let mut daemon = Daemon::start(&site);
    daemon.told("Took a checkpoint out of reach");
    daemon.signal("HUP");
    daemon.told("Read the settings again");
    daemon.signal("TERM");
    daemon.told("Ended");
    assert_eq!(daemon.end(), 0);
    assert_eq!(site.entries_of("anchor.made").len(), 1);
    assert_eq!(std::fs::read_dir(site.path("share")).unwrap().count(), 1);
    site.told(&["ledger", "verify"]);
}

#[test]
fn it_is_ill_while_a_list_cannot_be_seen() {
    let address = free_address();
    let site = site(&format!("[web]\nlisten = '{address}'\n"));
    std::fs::rename(site.path("okta_users.json"), site.path("away.json")).unwrap();
    let mut daemon = Daemon::start(&site);
    daemon.told("Committed run 1");
    // Also to somebody who does not ask for what is well.
    let told = daemon.told("Not all was read: ");
    assert!(told["level"] == "WARN" && told.to_string().contains("okta_users.json"), "{told}");
    daemon.told("The next run begins at");
    let (status, body) = get(address, "/healthz");
    assert!(status == "503" && body.contains("secureframe has no data"), "{status} {body}");
    std::fs::rename(site.path("away.json"), site.path("okta_users.json")).unwrap();
    daemon.signal("USR1");
    daemon.told("Committed run 2");
    // The line of the commit comes before the run's end.
    daemon.signal("HUP");
    daemon.told("Read the settings again");
    let (status, body) = get(address, "/healthz");
    assert_eq!(status, "200", "{body}");
    assert!(body.starts_with("ok\nlast run: 2, "), "{body}");
}

#[test]
fn a_heartbeat_follows_whole_runs_alone_and_its_address_is_nowhere() {
    let switch = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = switch.local_addr().unwrap();
    let site = site("[heartbeat]\nurl = 'file:heartbeat.url'\n");
    site.write("heartbeat.url", format!("http://{address}/ping/s3cr3t-uuid\n"));
    let heard = std::thread::spawn(move || {
        let (mut stream, _) = switch.accept().unwrap();
        let mut line = String::new();
        BufReader::new(stream.try_clone().unwrap()).read_line(&mut line).unwrap();
        stream
            .write_all(b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\nConnection: close\r\n\r\nOK")
            .unwrap();
        line
    });
    let mut command = site.command(&["run", "-vv", "--log", "json"]);
    let mut child = command.stderr(Stdio::piped()).spawn().unwrap();
    let log = BufReader::new(child.stderr.take().unwrap());
    let mut daemon = Daemon { child, log, told: Vec::new() };
    daemon.told("Committed run 1");
    assert_eq!(heard.join().unwrap(), "GET /ping/s3cr3t-uuid HTTP/1.1\r\n");

    // Blind: nobody is told. The listener is gone, so a beat would be told as unheard.
    std::fs::remove_file(site.path("okta_users.json")).unwrap();
    daemon.signal("USR1");
    daemon.told("Committed run 2");
    daemon.signal("TERM");
    daemon.told("Ended");
    let log = format!("{:?}", daemon.told);
    assert!(!log.contains("s3cr3t") && !log.contains("was not heard"), "{log}");
}

#[test]
fn what_it_cannot_begin_with_is_told() {
    let taken = TcpListener::bind("127.0.0.1:0").unwrap();
    let taken = format!("[web]\nlisten = '{}'\n{RARELY}{COMPANY}", taken.local_addr().unwrap());
    let nights = format!("[nights]\nfolder = '.'\n{RARELY}{COMPANY}");
    for (settings, status, told) in [
        (COMPANY, 2, "the settings have no `[schedule]`"),
        (&*nights, 2, "`[nights]` are folders of exports"),
        (&*taken, 3, "`web.listen` cannot be used: Address already in use"),
    ] {
        let site = Site::new(settings);
        let answer = site.ask(&["run"]);
        assert_eq!(answer.status, status, "{answer}");
        assert!(answer.stderr.contains(told), "{answer}");
    }
}

#[test]
fn the_next_runs_are_shown_over_a_change_of_the_clocks() {
    let site = Site::new(&format!(
        "[schedule]\nruns = ['30 2 * * *', '0 12 * * MON']\nzone = 'Europe/Berlin'\n{COMPANY}"
    ));
    let shown = site.told(&["schedule", "--number", "400"]).stdout;
    assert!(shown.starts_with("The next runs, in Europe/Berlin:\n  "), "{shown}");
    // On the last Sunday of March, 02:30 is not on the wall.
    let sundays = |it: &&str| it.contains("Sun ") && it.contains(" 03:00 +02:00  01:00Z");
    assert_eq!(shown.lines().filter(sundays).count(), 1, "{shown}");
    assert!(shown.contains("Each begins up to 5m later, at random."), "{shown}");
    assert!(
        shown.ends_with("No scheduled run was done yet: the daemon begins with one.\n"),
        "{shown}"
    );
}
