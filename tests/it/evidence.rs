//! Evidence as an auditor gets and checks it: the leavers of a period, the bag, and every way to
//! tamper with one.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;

use evidence::{Bag, LeaverLeaf, SigningKey};
use ledger::{Checkpoint, Note, leaf_hash, root_of};
use serde_json::Value;
use sim::Authority;

use crate::firm::{FIRST, Night, SECOND, THIRD, account, user};
use crate::site::{Answer, Site, json, project};

/// The second half of a year in which the sample company was looked at twice.
const PERIOD: [&str; 6] = ["--app", "secureframe", "--from", "2026-07-01", "--to", "2027-01-01"];

/// Who signs bags.
const WHO: &str = "evidence@example.com";

/// The sample company with a signed ledger, a bag of it, and what an auditor holds from before.
struct Audited {
    site: Site,
    bag: Bag,
}

impl Audited {
    fn new() -> Self {
        let site = Site::quickstart_after_nights();
        give_keys(&site, "");
        // The first thing that is told to the ledger announces its key.
        let because =
            ["--reason", "handover to Grace Hopper", "--until", "2099-12-31", "--by", "Ada Byron"];
        site.told(&[&["findings", "waive", "request", "DL-14"][..], &because].concat());
        site.write("held.checkpoint", site.told(&["ledger", "head"]).bytes);
        let bag = export(&site, &["--output", "bag.zip"]);
        Self { site, bag }
    }

    /// The firm, of which a checkpoint is taken to a folder and stamped in each of two nights.
    fn stamped(authority: &Authority) -> Self {
        let site = Site::firm_after_first();
        let url = authority.url();
        let share = "[anchor.share.folder]\npath = \"share\"\n";
        give_keys(&site, &format!("{share}[anchor.stamp.rfc3161]\nurl = \"{url}\"\n"));
        fs::create_dir(site.path("share")).unwrap();
        for date in [SECOND, THIRD] {
            site.night(date, &Night::planted());
            site.told(&["run", "--once"]);
        }
        site.write("trust/tsa.pem", fs::read(authority.root()).unwrap());
        site.write("held.checkpoint", site.told(&["ledger", "head"]).bytes);
        let bag = export(&site, &["--output", "bag.zip"]);
        Self { site, bag }
    }

    fn verify(&self, bag: &Bag, more: &[&str]) -> Answer {
        self.site.write("tampered.zip", bag.zip("bag").unwrap());
        self.site.ask(&[&["evidence", "verify", "tampered.zip"][..], more].concat())
    }

    fn key(&self) -> SigningKey {
        SigningKey::parse(&String::from_utf8(self.site.read("ev.key")).unwrap()).unwrap()
    }

    /// The bag, changed in some files and sealed and signed again as if nothing had been.
    fn forged(&self, key: &SigningKey, change: impl Fn(&mut BTreeMap<String, Vec<u8>>)) -> Bag {
        let mut files: BTreeMap<String, Vec<u8>> = self
            .bag
            .paths()
            .map(|it| (it.to_owned(), self.bag.get(it).unwrap().to_vec()))
            .collect();
        change(&mut files);
        let info = self.bag.text("bag-info.txt").unwrap().to_owned();
        let info: Vec<(&str, String)> = info
            .lines()
            .filter_map(|it| it.split_once(": "))
            .filter(|it| it.0 != "Payload-Oxum")
            .map(|(key, value)| (key, value.to_owned()))
            .collect();
        for made in [
            "manifest-sha256.txt",
            "tagmanifest-sha256.txt",
            "tagmanifest-sha256.txt.sig",
            "bag-info.txt",
            "bagit.txt",
        ] {
            files.remove(made);
        }
        let mut bag = Bag::new(files);
        bag.seal(&info);
        let manifest = bag.get("tagmanifest-sha256.txt").unwrap().to_vec();
        bag.put("tagmanifest-sha256.txt.sig", key.sign(&manifest).unwrap());
        bag
    }
}

/// Keys for the ledger and for bags, more settings, and what the auditor is given of the keys.
fn give_keys(site: &Site, more: &str) {
    let given = site.told(&["ledger", "key", "new", "--output", "ledger.key"]);
    let vkey = given.stdout.lines().last().unwrap().trim().to_owned();
    let given = site.told(&["evidence", "key", "new", "--identity", WHO, "--output", "ev.key"]);
    let allowed = given.stdout.lines().last().unwrap().trim().to_owned();
    let settings = String::from_utf8(site.read("driftline.toml")).unwrap();
    let keys =
        "[ledger]\nsigning_key = \"file:ledger.key\"\n[evidence]\nsigning_key = \"file:ev.key\"\n";
    site.write("driftline.toml", format!("{settings}\n{keys}{more}"));
    site.write("trust/log.vkey", format!("{vkey}\n"));
    site.write("trust/allowed_signers", format!("{allowed}\n"));
}

const TRUSTED: [&str; 4] = ["--trust", "trust", "--since", "held.checkpoint"];

fn export(site: &Site, args: &[&str]) -> Bag {
    site.told(&[&["evidence", "export"][..], &PERIOD, args].concat());
    Bag::from_zip(&site.read(args[args.len() - 1])).unwrap()
}

fn is(answer: &Answer, status: i32, needles: &[&str]) {
    assert_eq!(answer.status, status, "{answer}");
    for needle in needles {
        assert!(format!("{answer}").contains(needle), "`{needle}` is missing: {answer}");
    }
}

fn text(bytes: &[u8]) -> String {
    String::from_utf8(bytes.to_vec()).unwrap()
}

/// Replaces text in a file of a bag; it must be there.
fn replace(files: &mut BTreeMap<String, Vec<u8>>, path: &str, from: &str, to: &str) {
    let file = text(&files[path]);
    assert!(file.contains(from), "{path} has no `{from}`");
    files.insert(path.to_owned(), file.replacen(from, to, 1).into_bytes());
}

fn leavers(site: &Site, from: &str, to: &str) -> Vec<Value> {
    let period = ["--app", "secureframe", "--from", from, "--to", to, "--format", "json"];
    let list = json(&site.told(&[&["evidence", "leavers"][..], &period].concat()).bytes);
    list["leavers"].as_array().unwrap().clone()
}

#[test]
fn every_leaver_is_listed_with_what_was_seen_and_never_met_without_a_look_in_time() {
    let site = Site::quickstart_after_nights();
    let all = leavers(&site, "2026-07-01", "2027-01-01");
    let of = |person: &str| all.iter().find(|it| it["person"] == person).unwrap();
    // Left, and nobody switched the account off: the finding is DL-14 of the README.
    let kept = of("okta/00uF1vGWgf4jCpZp8Vd7");
    assert_eq!(
        (&kept["sla"], &kept["activity"], &kept["findings"]),
        (&"MISSED".into(), &"active".into(), &"DL-14".into())
    );
    assert_eq!(kept["hr_termination_at"], "2026-09-30T22:00:00.000Z");
    assert_eq!(kept["idp_deactivated_at"], "2026-09-30T15:04:11.000Z");
    assert_eq!(kept["started_earliest"], kept["idp_deactivated_at"], "the earliest known clock");
    // Seen on in the first night and off in the second: after the deadline, so nothing is proven.
    let off = of("okta/00u2HQiCOryvCQ98z7d7");
    assert_eq!(off["last_seen_active"], "2026-11-19T02:00:00.000Z");
    assert_eq!(off["first_seen_inactive"], "2026-11-20T02:00:00.000Z");
    assert_eq!(off["sla"], "NOT_PROVEN");
    // Off before anybody looked: there is no finding, and the row is there all the same.
    let quiet = of("okta/00u1hQ07WxXQuI4qTCd7");
    assert_eq!((&quiet["findings"], &quiet["sla"]), (&"".into(), &"NOT_PROVEN".into()));
    assert_eq!(quiet["last_seen_active"], "");
    // Was off, and came back: two stretches.
    assert_eq!(of("okta/00uTwrAjyYXeVWDgjVd7")["n_stretches"], "2");
    assert!(all.iter().all(|it| it["sla"] != "MET"));
}

/// Writes a night of the firm in which these people have left on the evening before the second night,
/// and these accounts are off; and judges it.
fn night(site: &Site, date: &str, left: &[u32], off: &[u32], gone: &[u32]) {
    let mut night = Night::quiet().without_accounts(|it| it == 4 || gone.contains(&it));
    night.users.iter_mut().filter(|it| left.contains(&it.0)).for_each(|it| it.1 = "DEPROVISIONED");
    let off_now = night.accounts.iter_mut().filter(|it| off.contains(&it.number));
    off_now.for_each(|it| it.is_active = false);
    site.night(date, &night);
    let mut users = json(night.users_json().as_bytes());
    for it in users.as_array_mut().unwrap().iter_mut().filter(|it| it["status"] == "DEPROVISIONED")
    {
        it["statusChanged"] = "2026-11-19T20:00:00.000Z".into();
    }
    site.write(&format!("exports/{date}/users"), users.to_string());
    let answer = site.run();
    assert!(matches!(answer.status, 0 | 4), "{answer}");
}

fn leaver(site: &Site, number: u32) -> Value {
    let all = leavers(site, "2026-11-01", "2026-12-01");
    let person = format!("okta/{}", user(number));
    all.into_iter().find(|it| it["person"] == person).unwrap_or_else(|| panic!("no {person}"))
}

#[test]
fn who_was_seen_off_in_time_has_no_finding_and_is_met() {
    let site = Site::firm();
    night(&site, FIRST, &[], &[], &[]);
    night(&site, SECOND, &[4, 5, 6, 7], &[5], &[7]);
    let met = leaver(&site, 5);
    assert_eq!((&met["sla"], &met["findings"]), (&"MET".into(), &"".into()), "{met}");
    assert_eq!(
        met["last_seen_active"], "2026-11-19T02:00:00.000Z",
        "the last look before they left"
    );
    assert_eq!(met["first_seen_inactive"], "2026-11-20T02:00:00.000Z");
    assert_eq!(met["deadline_at"], "2026-11-20T20:00:00.000Z");
    let deleted = leaver(&site, 7);
    assert_eq!(
        (&deleted["sla"], &deleted["activity"]),
        (&"MET".into(), &"absent".into()),
        "{deleted}"
    );
    let without = leaver(&site, 4);
    assert_eq!((&without["sla"], &without["n_accounts"]), (&"OUT_OF_SCOPE".into(), &"0".into()));
    let still_on = leaver(&site, 6);
    assert_eq!((&still_on["sla"], &still_on["activity"]), (&"NOT_PROVEN".into(), &"active".into()));

    // Off a day later: after the deadline, and no look tells whether before it.
    night(&site, THIRD, &[4, 5, 6, 7], &[5, 6], &[7]);
    let late = leaver(&site, 6);
    assert_eq!((&late["sla"], &late["activity"]), (&"NOT_PROVEN".into(), &"inactive".into()));
    assert_eq!(late["first_seen_inactive"], "2026-11-21T02:00:00.000Z");
    assert_ne!(late["findings"], "");
    assert_eq!(leaver(&site, 5), met, "nothing new was seen of them");
}

/// Keys of these accounts name people who leave; a person alone says that they are not theirs.
#[test]
fn whom_a_person_alone_decided_to_be_without_an_account_has_the_entry_in_their_row() {
    let site = Site::firm();
    night(&site, FIRST, &[], &[], &[]);
    let decided = |number: u32, owner: &[&str]| {
        let account = account(number);
        let args = ["findings", "link", "--account", &account, "--reason", "a namesake"];
        site.told(&[&args[..], owner].concat());
        Checkpoint::parse(Note::parse(&site.told(&["ledger", "head"]).stdout).unwrap().text())
            .unwrap()
            .size
            - 1
    };
    let (five, one) = (format!("okta/{}", user(5)), format!("okta/{}", user(1)));
    let not_theirs = decided(5, &["--identity", &five, "--not"]);
    let anothers = decided(6, &["--identity", &one]);
    night(&site, SECOND, &[4, 5, 6, 7], &[7], &[]);
    for (number, entry) in [(5, not_theirs), (6, anothers)] {
        let row = leaver(&site, number);
        assert_eq!((&row["sla"], &row["n_accounts"]), (&"OUT_OF_SCOPE".into(), &"0".into()));
        let because = format!(
            "no other account of theirs was ever seen; a person decided by entry {entry} of the \
             ledger that an account whose keys name them is not theirs"
        );
        assert_eq!(row["because"], *because, "{row}");
    }
    for number in [4, 7] {
        let row = leaver(&site, number);
        assert!(!row["because"].as_str().unwrap().contains("decided"), "{row}");
    }
    site.told(&["db", "verify"]);
    // The entry is in the bag, whenever that was; and nobody is said to have decided without one.
    let period = ["--app", "secureframe", "--from", "2026-11-19", "--to", "2026-11-21"];
    give_keys(&site, "");
    site.told(&[&["evidence", "export"][..], &period, &["--output", "bag.zip"]].concat());
    site.write("held.checkpoint", site.told(&["ledger", "head"]).bytes);
    let bag = Bag::from_zip(&site.read("bag.zip")).unwrap();
    let audited = Audited { site, bag };
    let is_good = ["good         leavers", "good         tables"];
    verified_by_both(&audited, &audited.bag).iter().for_each(|it| is(it, 7, &is_good));
    let bag = audited.forged(&audited.key(), |files| {
        let (jsonl, index) = ("data/ledger/entries.jsonl", "data/ledger/entries.index");
        let places = text(&files[index]);
        let at = places.lines().position(|it| it == not_theirs.to_string()).unwrap();
        for path in [jsonl, index] {
            let mut lines: Vec<String> = text(&files[path]).lines().map(str::to_owned).collect();
            lines.remove(at);
            files.insert(path.to_owned(), (lines.join("\n") + "\n").into_bytes());
        }
    });
    let told = format!("a person decided by entry {not_theirs}, which says no such thing");
    verified_by_both(&audited, &bag).iter().for_each(|it| is(it, 6, &["tables: of `sub_", &told]));
}

#[test]
fn a_night_that_did_not_see_the_app_meets_no_deadline() {
    let site = Site::firm();
    night(&site, FIRST, &[], &[], &[]);
    site.write("exports/2026-11-20/accounts", "this is no list");
    let quiet = Night::quiet();
    site.write("exports/2026-11-20/app_users", quiet.app_users_json());
    let users = quiet.users_json().replacen("\"ACTIVE\"", "\"DEPROVISIONED\"", 1);
    site.write("exports/2026-11-20/users", users.replacen("2026-11-01T00", "2026-11-19T20", 1));
    assert_eq!(site.run().status, 4);
    let blind = leaver(&site, 1);
    assert_eq!(blind["sla"], "NOT_PROVEN", "{blind}");
    assert_eq!(blind["first_seen_inactive"], "", "what was not seen is not off");
}

#[test]
fn who_is_back_is_no_leaver_any_more_and_stays_on_record() {
    let site = Site::firm();
    night(&site, FIRST, &[], &[], &[]);
    night(&site, SECOND, &[5], &[5], &[]);
    assert_eq!(leaver(&site, 5)["returned_at"], "");
    night(&site, THIRD, &[], &[], &[]);
    assert_eq!(leaver(&site, 5)["returned_at"], "2026-11-21T02:00:00.000Z");
}

#[test]
fn a_period_has_who_left_in_it_and_who_was_still_on_and_nobody_else() {
    let site = Site::quickstart_after_nights();
    let persons = |from: &str, to: &str| -> Vec<String> {
        let all = leavers(&site, from, to);
        all.iter().map(|it| it["person"].as_str().unwrap().to_owned()).collect()
    };
    let december = persons("2026-12-01", "2027-01-01");
    assert!(december.contains(&"okta/00uF1vGWgf4jCpZp8Vd7".to_owned()), "still on since September");
    assert!(!december.contains(&"okta/00u2HQiCOryvCQ98z7d7".to_owned()), "seen off in November");
    assert_eq!(persons("2020-01-01", "2020-02-01"), Vec::<String>::new());
    let error = site.ask(&[
        "evidence",
        "leavers",
        "--app",
        "crm",
        "--from",
        "2026-07-01",
        "--to",
        "2027-01-01",
    ]);
    is(&error, 2, &["no app `crm`", "secureframe"]);
    let error = site.ask(&[
        "evidence",
        "leavers",
        "--app",
        "secureframe",
        "--from",
        "2027-01-01",
        "--to",
        "2026-07-01",
    ]);
    is(&error, 2, &["ends before it begins"]);
}

#[test]
fn a_leaver_of_whom_nothing_changes_is_no_entry_again() {
    let site = Site::quickstart_after_nights();
    let head = text(&site.told(&["ledger", "head"]).bytes);
    let size: u64 = head.lines().nth(1).unwrap().parse().unwrap();
    let kinds: Vec<String> = (0..size)
        .map(|it| {
            json(&site.told(&["ledger", "show", &it.to_string()]).bytes)["type"]
                .as_str()
                .unwrap()
                .to_owned()
        })
        .collect();
    let n = |kind: &str| kinds.iter().filter(|it| *it == kind).count();
    assert_eq!(n("leaver.listed"), 1, "the listing begins once");
    let n_leavers = leavers(&site, "2000-01-01", "2100-01-01").len();
    assert_eq!(n("leaver.found"), n_leavers);
    assert!(n("leaver.changed") < 5, "only those that the second night saw otherwise: {kinds:?}");
}

#[test]
fn a_bag_is_checked_by_what_an_auditor_holds() {
    let audited = Audited::new();
    let good = audited.verify(&audited.bag, &TRUSTED);
    is(
        &good,
        0,
        &[
            "files are as listed",
            "signed by evidence@example.com",
            "signed by the key",
            "are those of your checkpoint",
            "rows of the population",
        ],
    );
    // With less to hold against it, less is shown, and said.
    is(
        &audited.verify(&audited.bag, &[]),
        7,
        &["not checked  signature", "not checked  checkpoint", "not checked  history"],
    );
    // As a folder, it is the same.
    for path in audited.bag.paths() {
        audited.site.write(&format!("folder/{path}"), audited.bag.get(path).unwrap());
    }
    is(&audited.site.ask(&[&["evidence", "verify", "folder"][..], &TRUSTED].concat()), 0, &[]);
    // The ledger was told of the bag.
    let size = Checkpoint::parse(
        Note::parse(&audited.site.told(&["ledger", "head"]).stdout).unwrap().text(),
    )
    .unwrap()
    .size;
    let told = json(&audited.site.told(&["ledger", "show", &(size - 1).to_string()]).bytes);
    assert_eq!(told["type"], "export.created");
    let manifest = audited.bag.get("tagmanifest-sha256.txt").unwrap();
    let digest: String = ledger::sha256(manifest).iter().map(|it| format!("{it:02x}")).collect();
    assert_eq!(told["body"]["tagmanifest_sha256"], digest);
    is(&audited.site.ask(&["ledger", "verify"]), 0, &[]);
}

#[test]
fn the_first_bag_after_a_key_is_named_is_under_its_signature() {
    let site = Site::quickstart_after_nights();
    give_keys(&site, "");
    let bag = export(&site, &["--output", "bag.zip"]);
    site.write("bag.zip", bag.zip("bag").unwrap());
    let answer = site.ask(&["evidence", "verify", "bag.zip", "--trust", "trust"]);
    // Nobody holds a checkpoint from before.
    is(&answer, 7, &["good         checkpoint", "not checked  history"]);
}

#[test]
fn a_key_that_is_named_when_every_night_is_judged_signs_what_there_is() {
    let site = Site::quickstart_after_nights();
    give_keys(&site, "");
    is(&site.ask(&["run", "--once", "--fail-on", "none"]), 0, &["Nothing new", "signed"]);
    let head = site.told(&["ledger", "head"]);
    assert!(head.stdout.contains("\n\u{2014} "), "{head}");
    site.told(&["run", "--once"]);
    assert_eq!(site.told(&["ledger", "head"]).stdout, head.stdout);
}

#[test]
fn a_file_that_was_changed_put_in_or_taken_out_is_named() {
    let audited = Audited::new();
    let only = |keeps: &dyn Fn(&str) -> bool| {
        let files = audited.bag.paths().filter(|it| keeps(it));
        Bag::new(files.map(|it| (it.to_owned(), audited.bag.get(it).unwrap().to_vec())).collect())
    };
    for path in audited.bag.paths() {
        let mut changed = audited.bag.clone();
        let mut bytes = changed.get(path).unwrap().to_vec();
        let middle = bytes.len() / 2;
        bytes[middle] ^= 1;
        changed.put(path, bytes);
        let fewer = only(&|it| it != path);
        // Without its manifests a folder is no bag, and one that is changed lists other files.
        let (changed, fewer) =
            (audited.verify(&changed, &TRUSTED), audited.verify(&fewer, &TRUSTED));
        if path.starts_with("data/") || path.starts_with("verify/") {
            is(&changed, 6, &[&format!("`{path}` was changed")]);
            is(&fewer, 6, &[&format!("`{path}` was taken out")]);
        } else {
            assert!([6, 7].contains(&changed.status), "{path}: {changed}");
            assert!([6, 7].contains(&fewer.status), "{path}: {fewer}");
        }
        if path != "bag-info.txt" {
            let mut more = audited.bag.clone();
            more.put(format!("{path}.more"), "x");
            is(&audited.verify(&more, &TRUSTED), 6, &[&format!("`{path}.more` was put in")]);
        }
    }
    let unsigned = only(&|it| !it.ends_with(".sig"));
    is(&audited.verify(&unsigned, &TRUSTED), 6, &["the bag is not signed, and you hold"]);
}

#[test]
fn a_bag_that_somebody_else_signed_or_out_of_time_is_refused() {
    let audited = Audited::new();
    let other = SigningKey::parse(&SigningKey::text_of(WHO, &[7; 32]).unwrap()).unwrap();
    let forged = audited.forged(&other, |_| {});
    is(&audited.verify(&forged, &TRUSTED), 6, &["is not in your `allowed_signers`"]);
    let allowed = text(&audited.site.read("trust/allowed_signers"));
    audited.site.write(
        "trust/allowed_signers",
        allowed.replace("namespaces", "valid-before=\"20200101Z\",namespaces"),
    );
    is(&audited.verify(&audited.bag, &TRUSTED), 6, &["was not valid at"]);
    audited.site.write("trust/allowed_signers", allowed.replace("driftline-evidence-v1", "git"));
    is(&audited.verify(&audited.bag, &TRUSTED), 6, &["may not sign for `driftline-evidence-v1`"]);
    audited.site.write("trust/allowed_signers", "nonsense\n");
    is(&audited.verify(&audited.bag, &TRUSTED), 7, &["line 1 of `allowed_signers` is none"]);
}

/// The operator holds the key that signs bags, and lies about one leaver.
#[test]
fn a_row_an_entry_or_a_leaver_that_the_operator_forges_is_named() {
    let audited = Audited::new();
    let key = audited.key();
    let population = "data/population.csv";
    let missed = text(audited.bag.get(population).unwrap());
    let missed = missed.lines().find(|it| it.contains(",MISSED,")).unwrap().to_owned();
    let (id, rest) = missed.split_once(',').unwrap();
    let entry = rest.split(',').next().unwrap();
    let trace = format!("data/leavers/{id}.json");

    let row = audited
        .forged(&key, |it| replace(it, population, &missed, &missed.replace(",MISSED,", ",MET,")));
    is(
        &audited.verify(&row, &TRUSTED),
        6,
        &[&format!("the row of `{id}` is not what its entry says")],
    );

    let dropped = audited.forged(&key, |it| replace(it, population, &format!("{missed}\r\n"), ""));
    is(
        &audited.verify(&dropped, &TRUSTED),
        6,
        &[
            &format!("`{id}` left in the period by entry {entry}, and is not in the population"),
            "has a trace, and is not in the population",
        ],
    );

    let entries = "data/ledger/entries.jsonl";
    let lie = |it: &mut BTreeMap<String, Vec<u8>>| {
        let line = text(&it[entries])
            .lines()
            .find(|line| line.contains(&format!("\"seq\":{entry},")))
            .unwrap()
            .to_owned();
        replace(it, entries, &line, &line.replace("\"missed\"", "\"met\""));
        replace(it, population, &missed, &missed.replace(",MISSED,", ",MET,"));
        replace(it, &trace, "\\\"missed\\\"", "\\\"met\\\"");
    };
    let lied = audited.forged(&key, lie);
    is(
        &audited.verify(&lied, &TRUSTED),
        6,
        &[&format!("entry {entry} is not the one of the ledger"), "does not prove entry"],
    );

    // All of it written anew, without the key of the ledger: the checkpoint tells.
    let rewritten = audited.forged(&key, |it| {
        lie(it);
        let lines = text(&it[entries]);
        let hashes: Vec<_> = lines.lines().map(|line| leaf_hash(line.as_bytes())).collect();
        let tile = it.keys().find(|it| it.starts_with("data/ledger/tile/0/")).unwrap().clone();
        it.insert(tile, hashes.concat());
        let note = Note::parse(&text(&it["data/ledger/checkpoint"])).unwrap();
        let checkpoint = Checkpoint::parse(note.text()).unwrap();
        let checkpoint = Checkpoint { root: root_of(hashes), ..checkpoint };
        it.insert("data/ledger/checkpoint".to_owned(), checkpoint.to_string().into_bytes());
    });
    is(
        &audited.verify(&rewritten, &TRUSTED),
        6,
        &["not signed by a key that you hold", "the history was written again"],
    );
}

#[test]
fn a_trace_that_discloses_what_is_not_of_the_entry_is_named() {
    let audited = Audited::new();
    let key = audited.key();
    let trace = audited.bag.paths().find(|it| it.starts_with("data/leavers/")).unwrap().to_owned();
    let id = trace.strip_prefix("data/leavers/").unwrap().strip_suffix(".json").unwrap();

    let disclosed = audited.forged(&key, |it| {
        let mut trace_json: Value = json(&it[&trace]);
        trace_json["disclosures"][0] = "WyJhIiwgIm5hbWUiLCAiU29tZWJvZHkgZWxzZSJd".into();
        it.insert(trace.clone(), trace_json.to_string().into_bytes());
    });
    is(
        &audited.verify(&disclosed, &TRUSTED),
        6,
        &[&format!("`{id}` of the population has no such entry")],
    );

    let renamed = audited.forged(&key, |it| {
        let mut trace_json: Value = json(&it[&trace]);
        trace_json["disclosed"]["name"] = "Somebody else".into();
        it.insert(trace.clone(), trace_json.to_string().into_bytes());
    });
    let told = format!("the facts about `{id}` are not those disclosed");
    is(&audited.verify(&renamed, &TRUSTED), 6, &[&told]);

    let raw = audited.bag.paths().find(|it| it.starts_with("data/raw/")).unwrap().to_owned();
    let raw = audited.forged(&key, |it| drop(it.insert(raw.clone(), b"{}".to_vec())));
    is(&audited.verify(&raw, &TRUSTED), 6, &["is not the raw row that"]);
}

/// What both verifiers say of a bag.
fn verified_by_both(audited: &Audited, bag: &Bag) -> [Answer; 2] {
    let ours = audited.verify(bag, &TRUSTED);
    let mut python = std::process::Command::new("python3");
    audited.site.scrub(&mut python);
    python.arg(project("crates/evidence/verify.py")).arg("tampered.zip").args(TRUSTED);
    [ours, crate::site::answer(&python.output().unwrap())]
}

/// The operator holds the key that signs bags, and lies beside the population.
#[test]
fn a_table_an_event_or_a_count_that_entries_tell_otherwise_is_named_by_both_verifiers() {
    let audited = Audited::new();
    let key = audited.key();
    let good = "good         tables: 2 runs and ";
    verified_by_both(&audited, &audited.bag).iter().for_each(|it| is(it, 0, &[good]));
    let redacted = export(&audited.site, &["--redacted", "--output", "redacted.zip"]);
    verified_by_both(&audited, &redacted).iter().for_each(|it| is(it, 0, &[good]));

    let trace = audited.bag.paths().find(|path| {
        path.starts_with("data/leavers/")
            && audited.bag.text(path).unwrap().contains("\"change\": \"opened\"")
    });
    let (ocsf, trace) = ("data/machine/ocsf.ndjson", trace.unwrap());
    let last_line = |path: &str| audited.bag.text(path).unwrap().lines().last().unwrap().to_owned();
    let coverage = last_line("data/coverage.csv");
    let mut events = audited.bag.text(ocsf).unwrap().lines();
    let lost = events.rfind(|it| it.contains("\"class_uid\":2003")).unwrap().to_owned() + "\n";
    let first = audited.bag.text(ocsf).unwrap().lines().next().unwrap().to_owned() + "\n";
    let twice = first.repeat(2);
    let from_nothing = first.clone() + &settings_that_there_were_not(&audited.bag) + "\n";
    #[rustfmt::skip]
    let attacks: [(&str, &str, &str, &str); 37] = [
        // file, what stands there, what is put there, what is told
        ("data/config-changes.csv", "policy.changed", "software.started", "`config-changes.csv` is not what"),
        ("data/reconciliation.csv", ",no,yes,", ",yes,yes,", "`reconciliation.csv` is not what"),
        ("data/ipe.json", "\"missed\": ", "\"missed\": 1", "the counts of `ipe.json` are not"),
        ("data/ipe.json", "\"hr_alone\": ", "\"hr_alone\": 1", "the counts of `ipe.json` are not"),
        (OSCAL, "\"not-satisfied\"", "\"satisfied\"", "the results of OSCAL judge otherwise"),
        ("data/coverage.csv", ",full,", ",light,", "in `coverage.csv` is another"),
        ("data/coverage.csv", &coverage, "", "is not in `coverage.csv`"),
        ("data/findings.csv", "DL-14,", "DL-99,", "DL-14 has entries, and is not in `findings.csv`"),
        ("data/coverage.csv", "\r\n", "\r\nwhatever,1,you,full,like\r\n", "`coverage.csv` cannot be read"),
        (trace, "events", "", "otherwise than in its entries"),
        (trace, "findings", "", "are not those that its entry names"),
        (trace, "state", "", "is not what the last of its entries says"),
        (ocsf, "}\n", "}\u{2028}\n", "event 1 of `ocsf.ndjson` is none of its entry"),
        (ocsf, &lost, "", "has no event in `ocsf.ndjson`"),
        (ocsf, "\"status\":\"Fail\"", "\"status\":\"Pass\"", "of `ocsf.ndjson` is none of its entry"),
        (ocsf, "\"activity_name\":\"Disable\"", "\"activity_name\":\"Enable\"", "of `ocsf.ndjson` is none of its entry"),
        (ocsf, "\"status_id\":3", "\"status_id\":1", "of `ocsf.ndjson` is none of its entry"),
        (ocsf, "\"time\":1", "\"time\":2", "of `ocsf.ndjson` is none of its entry"),
        (ocsf, "\"leaf_index\":1", "\"leaf_index\":2", "of `ocsf.ndjson` is none of its entry"),
        (ocsf, "{", "nothing\n{", "event 1 of `ocsf.ndjson` is none of its entry"),
        (ocsf, "\"title\":\"", "\"title\":\"no ", "of `ocsf.ndjson` is none of its entry"),
        (ocsf, "\"message\":\"DL-", "\"message\":\"XX-", "of `ocsf.ndjson` is none of its entry"),
        (ocsf, "was seen off\"", "was never on\"", "of `ocsf.ndjson` is none of its entry"),
        (ocsf, "{\"class_uid\"", "{\"comment\":\"all is well\",\"class_uid\"", "event 1 of `ocsf.ndjson` is none of its entry"),
        (ocsf, "\"requirements\":[", "\"requirements\":[7,", "of `ocsf.ndjson` is none of its entry"),
        (ocsf, &first, &twice, "event 2 of `ocsf.ndjson` is there twice"),
        (ocsf, &first, &from_nothing, "event 2 of `ocsf.ndjson` is none of its entry"),
        (OSCAL, "\"description\": \"MISSED: ", "\"description\": \"MET: ", "OSCAL say of a leaver what no entry says"),
        (OSCAL, "\"title\": \"Leaver ", "\"title\": \"Somebody ", "OSCAL say of a leaver what no entry says"),
        (OSCAL, " were seen on too late", " were not seen on too late", "OSCAL judge otherwise"),
        (OSCAL, " leavers: ", " people: ", "OSCAL say otherwise how many left"),
        (OSCAL, "are under the root", "were under the root", "or what the log is"),
        (OSCAL, "\"observation-uuid\": \"", "\"observation-uuid\": \"0", "OSCAL lead from a finding to other"),
        (OSCAL, "\"findings\": [", "\"found\": [", "OSCAL have not one finding for each objective"),
        (OSCAL, "\"target-id\": \"", "\"target-id\": \"0", "OSCAL have not one finding for each objective"),
        ("data/ipe.json", "\"is_provisional\": false", "\"is_provisional\": true", "or one where nothing was to be judged"),
        (OSCAL, "\"../population.csv\"", "\"../alerts.csv\"", "OSCAL name a file by another SHA-256"),
    ];
    for (path, from, to, told) in attacks {
        let bag = audited.forged(&key, |files| match path == trace {
            true => lie_of_findings(files, path, from),
            false => replace(files, path, from, to),
        });
        for answer in verified_by_both(&audited, &bag) {
            assert_eq!(answer.status, 6, "{path}, `{from}` to `{to}`: {answer}");
            is(&answer, 6, &["BROKEN       tables: ", told]);
        }
    }
}

/// Changes what a trace says of the first of its findings.
fn lie_of_findings(files: &mut BTreeMap<String, Vec<u8>>, path: &str, what: &str) {
    let mut leaver = json(&files[path]);
    match what {
        "events" => leaver["findings"][0]["events"][0]["state"] = "resolved".into(),
        "findings" => leaver["findings"] = Value::Array(Vec::new()),
        _ => leaver["findings"][0]["state"] = "not_visible".into(),
    }
    files.insert(path.to_owned(), leaver.to_string().into_bytes());
}

/// An event that settings changed, of an entry that tells of the first ones.
fn settings_that_there_were_not(bag: &Bag) -> String {
    let entries = bag.text("data/ledger/entries.jsonl").unwrap();
    let entry = entries.lines().find(|it| it.contains("\"type\":\"config.changed\"")).unwrap();
    let told = json(entry.as_bytes());
    assert!(told["body"]["was"].is_null(), "{told}");
    let text = bag.text("data/machine/ocsf.ndjson").unwrap();
    let mut event = json(text.lines().next().unwrap().as_bytes());
    let hash: String = leaf_hash(entry.as_bytes()).iter().map(|it| format!("{it:02x}")).collect();
    let origin = event["unmapped"]["ledger_origin"].as_str().unwrap().to_owned();
    let at: chrono::DateTime<chrono::Utc> = told["at"].as_str().unwrap().parse().unwrap();
    for (path, value) in [
        ("/class_uid", 3004.into()),
        ("/class_name", "Entity Management".into()),
        ("/category_uid", 3.into()),
        ("/category_name", "Identity & Access Management".into()),
        ("/activity_id", 3.into()),
        ("/activity_name", "Update".into()),
        ("/type_uid", 300_403.into()),
        ("/type_name", "Entity Management: Update".into()),
        ("/severity_id", 1.into()),
        ("/severity", "Informational".into()),
        ("/message", "a run found that the settings of Driftline changed".into()),
        ("/time", at.timestamp_millis().into()),
        ("/time_dt", told["at"].clone()),
        ("/metadata/logged_time", at.timestamp_millis().into()),
        ("/metadata/logged_time_dt", told["at"].clone()),
        ("/metadata/event_code", "config.changed".into()),
        ("/metadata/sequence", told["seq"].clone()),
        ("/metadata/uid", format!("{origin}/{}", told["seq"]).into()),
        ("/unmapped/leaf_index", told["seq"].clone()),
        ("/unmapped/leaf_hash", hash.into()),
    ] {
        *event.pointer_mut(path).unwrap() = value;
    }
    let members = event.as_object_mut().unwrap();
    for not_its in ["compliance", "finding_info", "resources", "status", "status_id"] {
        members.remove(not_its);
    }
    let settings = |version: &Value| serde_json::json!({"name": "settings", "type": "settings", "version": version});
    members.insert("entity".to_owned(), settings(&"null".into()));
    members.insert("entity_result".to_owned(), settings(&told["body"]["is"]));
    event.to_string()
}

#[test]
fn what_is_of_a_form_that_a_verifier_does_not_know_is_not_checked_by_either() {
    let audited = Audited::new();
    let key = audited.key();
    let trace = audited.bag.paths().find(|it| it.starts_with("data/leavers/")).unwrap();
    for (path, from, to) in [
        ("data/ipe.json", "driftline.ipe.v1", "driftline.ipe.v2"),
        (trace, "driftline.leaver.v1", "driftline.leaver.v9"),
        (OSCAL, "\"oscal-version\": \"1.2.1\"", "\"oscal-version\": \"9.0.0\""),
        ("data/machine/ocsf.ndjson", "\"version\":\"1.5.0\"", "\"version\":\"2.0.0\""),
    ] {
        let bag = audited.forged(&key, |files| replace(files, path, from, to));
        let form = to.rsplit('"').find(|it| !it.is_empty()).unwrap();
        let why = format!("`{path}` is of the form `{form}`, which this program does not know");
        for answer in verified_by_both(&audited, &bag) {
            is(&answer, 7, &["not checked  leavers: ", "not checked  tables: ", &why]);
        }
    }
    for (path, from) in [
        ("data/ipe.json", "\"format\": \"driftline.ipe.v1\","),
        (trace, "\"format\": \"driftline.leaver.v1\","),
        (OSCAL, "\"oscal-version\": \"1.2.1\","),
        ("data/machine/ocsf.ndjson", "\"version\":\"1.5.0\""),
    ] {
        let to = if from.ends_with(',') { "" } else { "\"version\":7" };
        let bag = audited.forged(&key, |files| replace(files, path, from, to));
        verified_by_both(&audited, &bag).iter().for_each(|it| is(it, 6, &["BROKEN"]));
    }
}

/// A ledger whose program was another one may say EXCEPTION of whom nobody excused.
#[test]
fn an_exception_that_nobody_approved_in_time_is_named_by_both_verifiers() {
    let site = Site::firm();
    let settings = text(&site.read("driftline.toml"));
    site.write("driftline.toml", settings + "[policy]\nsla = \"3650d\"\n");
    night(&site, FIRST, &[], &[], &[]);
    give_keys(&site, "");
    night(&site, SECOND, &[6], &[], &[]);
    let finding = leaver(&site, 6)["findings"].as_str().unwrap().to_owned();
    let why = ["--reason", "handover", "--until", "2099-12-31", "--by", "Ada"];
    site.told(&[&["findings", "waive", "request", &finding][..], &why].concat());
    site.told(&["findings", "waive", "approve", "1", "--by", "Bea"]);
    night(&site, THIRD, &[6], &[], &[]);
    assert_eq!(leaver(&site, 6)["sla"], "EXCEPTION");
    site.write("held.checkpoint", site.told(&["ledger", "head"]).bytes);
    let bag = export(&site, &["--output", "bag.zip"]);
    let audited = Audited { site, bag };
    verified_by_both(&audited, &audited.bag)
        .iter()
        .for_each(|it| is(it, 0, &["good         tables"]));

    let (jsonl, index) = ("data/ledger/entries.jsonl", "data/ledger/entries.index");
    let lines = |path: &str| -> Vec<String> {
        audited.bag.text(path).unwrap().lines().map(str::to_owned).collect()
    };
    let lost: [Lost; 2] = [
        |entries, places| {
            let at = entries.iter().position(|it| it.contains("exception.approved")).unwrap();
            entries.remove(at);
            places.remove(at);
        },
        |entries, _| {
            let at = entries.iter().position(|it| it.contains("exception.approved")).unwrap();
            entries[at] = entries[at].replacen("\"at\":\"20", "\"at\":\"21", 1);
        },
    ];
    for change in lost {
        let bag = audited.forged(&audited.key(), |files| {
            let (mut entries, mut places) = (lines(jsonl), lines(index));
            change(&mut entries, &mut places);
            files.insert(jsonl.to_owned(), (entries.join("\n") + "\n").into_bytes());
            files.insert(index.to_owned(), (places.join("\n") + "\n").into_bytes());
        });
        let told = "is an EXCEPTION, and no entry says that one was approved by the deadline";
        for answer in verified_by_both(&audited, &bag) {
            is(&answer, 6, &["BROKEN       tables: ", told]);
        }
    }
}

/// What becomes of the entries of a bag, and of their places.
type Lost = fn(&mut Vec<String>, &mut Vec<String>);

#[test]
fn entries_that_are_left_out_doubled_or_cut_short_are_named_by_both_verifiers() {
    let audited = Audited::new();
    let key = audited.key();
    let (jsonl, index) = ("data/ledger/entries.jsonl", "data/ledger/entries.index");
    let attacks: [(Lost, &str); 6] = [
        (|it, at| drop((it.remove(9), at.remove(9))), "1 of the entries 0 to "),
        (|it, at| drop((it.remove(0), at.remove(0))), "1 of the entries 0 to "),
        (|it, at| drop((it.pop(), at.pop())), "1 of the entries 0 to "),
        (
            |it, at| {
                it.insert(3, "{}".to_owned());
                at.insert(3, "3".to_owned());
            },
            "each higher than the one before",
        ),
        (
            |it, at| {
                it.swap(3, 4);
                at.swap(3, 4);
            },
            "each higher than the one before",
        ),
        (|_, at| at[3] = "+3".to_owned(), "each higher than the one before"),
    ];
    let told_by_both = |bag: &Bag, told: &str| {
        for answer in verified_by_both(&audited, bag) {
            is(&answer, 6, &["BROKEN       ledger: ", told]);
        }
    };
    for (attack, told) in attacks {
        let bag = audited.forged(&key, |files| {
            let lines = |path: &str| text(&files[path]).lines().map(str::to_owned).collect();
            let (mut entries, mut places): (Vec<String>, Vec<String>) =
                (lines(jsonl), lines(index));
            attack(&mut entries, &mut places);
            for (path, lines) in [(jsonl, entries), (index, places)] {
                let written: String = lines.iter().map(|it| format!("{it}\n")).collect();
                files.insert(path.to_owned(), written.into_bytes());
            }
        });
        told_by_both(&bag, told);
    }
    let open = audited.forged(&key, |files| files.get_mut(jsonl).unwrap().extend(b"{}"));
    told_by_both(&open, "does not end with a line end");
    // No machine has room for it.
    for size in ["9000000000000", "18446744073709551615"] {
        let huge = audited.forged(&key, |files| {
            let note = text(&files["data/ledger/checkpoint"]);
            let mut lines: Vec<&str> = note.split('\n').collect();
            lines[1] = size;
            files.insert("data/ledger/checkpoint".to_owned(), lines.join("\n").into_bytes());
        });
        told_by_both(&huge, "is missing, or is none");
    }
}

#[test]
fn what_is_no_text_no_json_or_no_number_in_a_bag_ends_both_verifiers_with_a_word() {
    let audited = Audited::new();
    let key = audited.key();
    let trace = audited.bag.paths().find(|it| it.starts_with("data/leavers/")).unwrap();
    let deep = vec![b'['; 100_000];
    let row = b"sub_x-1,99999999999999999999999999,secureframe\r\n";
    let garbage: [(&str, &[u8]); 8] = [
        ("data/ipe.json", &deep),
        (trace, &deep),
        (trace, b"[]"),
        ("data/machine/ocsf.ndjson", b"\xff\n"),
        ("data/findings.csv", b"\xff"),
        ("data/population.csv", row),
        ("data/ledger/checkpoint", b"\xff"),
        ("data/ledger/entries.index", b"\xff\n"),
    ];
    for (path, bytes) in garbage {
        let bag = audited.forged(&key, |it| drop(it.insert(path.to_owned(), bytes.to_vec())));
        for answer in verified_by_both(&audited, &bag) {
            assert_eq!(answer.status, 6, "{path}: {answer}");
            assert!(!format!("{answer}").contains("Traceback"), "{path}: {answer}");
        }
    }
}

#[test]
fn a_cell_with_line_ends_of_every_kind_is_what_was_written_by_both_verifiers() {
    let site = Site::new(&crate::firm::settings(Default::default()));
    for date in [FIRST, SECOND] {
        site.night(date, &Night::planted());
        let path = format!("exports/{date}/users");
        let mut users = json(&site.read(&path));
        for it in users.as_array_mut().unwrap() {
            it["profile"]["displayName"] = "Edda\r\nof \"Alder\u{2028}Quay\"\u{85}, the 2nd".into();
        }
        site.write(&path, users.to_string());
        site.told(&["run", "--once"]);
    }
    give_keys(&site, "");
    site.told(&["run", "--once"]);
    site.write("held.checkpoint", site.told(&["ledger", "head"]).bytes);
    let bag = export(&site, &["--output", "bag.zip"]);
    let audited = Audited { site, bag };
    let population = audited.bag.text("data/population.csv").unwrap();
    assert!(population.contains("\u{2028}") && population.contains("Edda\r\nof"), "{population}");
    verified_by_both(&audited, &audited.bag)
        .iter()
        .for_each(|it| is(it, 0, &["good         leavers"]));
}

#[test]
fn a_checkpoint_of_another_history_is_told_and_a_newer_one_is_no_lie() {
    let audited = Audited::new();
    let held = text(&audited.site.read("held.checkpoint"));
    let other = held.replacen("driftline/", "driftline/0", 1);
    audited.site.write("other.checkpoint", other);
    let since = |file: &str| audited.verify(&audited.bag, &["--trust", "trust", "--since", file]);
    is(&since("other.checkpoint"), 6, &["one of the ledger"]);
    audited.site.write("newer.checkpoint", audited.site.told(&["ledger", "head"]).bytes);
    is(&since("newer.checkpoint"), 7, &["it is older than that"]);
    audited.site.write("none.checkpoint", "nothing of the kind");
    is(&since("none.checkpoint"), 7, &["none.checkpoint"]);
    is(&audited.site.ask(&["evidence", "verify", "driftline.toml"]), 7, &["it is no ZIP"]);
    is(
        &audited.site.ask(&["evidence", "verify", "bag.zip", "--trust", "nowhere"]),
        2,
        &["is no folder"],
    );
}

#[test]
fn a_bag_has_what_was_taken_out_of_reach_and_whose_time_stamps_are_over_it() {
    let authority = Authority::start().unwrap();
    let audited = Audited::stamped(&authority);
    let table = audited.bag.text("data/anchors.csv").unwrap();
    assert_eq!(table.lines().count(), 5, "two nights, two places: {table}");
    let good = audited.verify(&audited.bag, &TRUSTED);
    let anchors =
        "good         anchors: 2 checkpoints that were taken out of reach are of this ledger";
    let stamps = "good         stamps: 2 checkpoints are stamped by the authority, the last at";
    is(&good, 0, &[anchors, stamps]);
    // Whoever holds no roots learns what the stamps are of, and not whose they are.
    fs::rename(audited.site.path("trust/tsa.pem"), audited.site.path("tsa.pem")).unwrap();
    let unknown = audited.verify(&audited.bag, &TRUSTED);
    is(&unknown, 7, &["not checked  stamps: whose 2 time stamps are"]);
    let other = Authority::start().unwrap();
    audited.site.write("trust/tsa.pem", fs::read(other.root()).unwrap());
    let refused = audited.verify(&audited.bag, &TRUSTED);
    is(&refused, 6, &["the authority that you trust did not give it"]);
    audited.site.write("trust/tsa.pem", audited.site.read("tsa.pem"));

    let start = audited.bag.text("START-HERE.txt").unwrap();
    assert!(start.contains("openssl ts -verify") && !start.contains("No third party"), "{start}");
}

#[test]
fn a_checkpoint_or_a_stamp_of_something_else_in_a_bag_is_named() {
    let authority = Authority::start().unwrap();
    let audited = Audited::stamped(&authority);
    let paths: Vec<String> = audited.bag.paths().map(str::to_owned).collect();
    let of = |extension: &str| -> Vec<&String> {
        paths.iter().filter(|it| it.contains("/anchors/") && it.ends_with(extension)).collect()
    };
    let (stamps, checkpoints) = (of(".tsr"), of(".checkpoint"));
    let key = audited.key();
    // The stamp of another night.
    let swapped = audited.forged(&key, |files| {
        let other = files[stamps[0]].clone();
        files.insert(stamps[1].clone(), other);
    });
    is(&audited.verify(&swapped, &TRUSTED), 6, &["BROKEN       stamps: ", "good         anchors"]);
    // The checkpoint of another history, to which the ledger was written again.
    let rewritten = audited.forged(&key, |files| {
        let note = Note::parse(&text(&files[checkpoints[0]])).unwrap();
        let mut checkpoint = Checkpoint::parse(note.text()).unwrap();
        checkpoint.root = [7; 32];
        files.insert(checkpoints[0].clone(), checkpoint.to_string().into_bytes());
    });
    let told = audited.verify(&rewritten, &TRUSTED);
    is(
        &told,
        6,
        &["BROKEN       anchors: ", "the history was written again", "BROKEN       stamps"],
    );
    // It was taken out, and its stamp stays.
    let without = audited.forged(&key, |files| drop(files.remove(checkpoints[0])));
    let told = audited.verify(&without, &TRUSTED);
    is(&told, 6, &["its checkpoint is not beside it"]);
}

#[test]
fn a_redacted_bag_names_nobody_and_proves_the_same() {
    let audited = Audited::new();
    let redacted =
        export(&audited.site, &["--redacted", "--by", "Grace Hopper", "--output", "redacted.zip"]);
    is(&audited.verify(&redacted, &TRUSTED), 0, &["rows of the population"]);
    let mut personal =
        ["alderquay.example", "Grace Hopper", "Ada Byron"].map(str::to_owned).to_vec();
    for leaver in leavers(&audited.site, "2026-07-01", "2027-01-01") {
        for column in ["name", "login", "accounts"] {
            personal.push(leaver[column].as_str().unwrap().to_owned());
        }
        personal.push(leaver["person"].as_str().unwrap().split_once('/').unwrap().1.to_owned());
    }
    let own = ["verify/allowed_signers", "verify/verify.py"]; // The address of those who sign.
    for path in redacted.paths().filter(|it| !own.contains(it) && !it.ends_with(".xlsx")) {
        let Some(file) = redacted.text(path) else { continue };
        for it in personal.iter().filter(|it| !it.is_empty()) {
            assert!(!file.contains(&**it), "`{it}` is in `{path}`");
        }
    }
    assert!(!redacted.paths().any(|it| it.starts_with("data/raw/")));
    events(&redacted, "1.5.0");
    results(&redacted);
}

/// The cell of a column in the row of a control.
fn mapped(bag: &Bag, control: &str, column: &str) -> String {
    let table = bag.text("data/controls.csv").unwrap().trim_start_matches('\u{feff}');
    let mut rows = csv::Reader::from_reader(table.as_bytes());
    let at = rows.headers().unwrap().iter().position(|it| it == column).unwrap();
    let row = rows.records().map(Result::unwrap).find(|it| &it[1] == control);
    row.unwrap_or_else(|| panic!("no row of {control}: {table}"))[at].to_owned()
}

#[test]
fn a_bag_says_for_each_control_where_to_look_and_claims_none_to_be_met() {
    let audited = Audited::new();
    let files = mapped(&audited.bag, "8.2.5", "files");
    assert!(files.contains("data/population.csv; data/leavers/"), "{files}");
    assert_eq!(mapped(&audited.bag, "8.2.5", "not_in_this_bag"), "", "all of them are in it");
    let page = audited.bag.text("data/report.html").unwrap();
    assert!(page.contains("<td>164.308(a)(3)</td>"));
    assert!(page.contains("Whether a control is met, nothing here says."));
    let start = audited.bag.text("START-HERE.txt").unwrap();
    assert!(start.contains("SOC 2: CC6.1, CC6.2, CC6.3\nISO/IEC 27001: A.5.15,"), "{start}");
    let redacted = export(&audited.site, &["--redacted", "--output", "redacted.zip"]);
    assert_eq!(mapped(&redacted, "8.2.5", "not_in_this_bag"), "data/raw/");
}

#[test]
fn the_mapping_of_controls_is_the_operators_to_say_otherwise() {
    let site = Site::quickstart_after_nights();
    let ours = site.told(&["evidence", "controls"]).stdout;
    let settings = text(&site.read("driftline.toml"));
    site.write("driftline.toml", format!("{settings}\n[evidence]\ncontrols = \"own/c.toml\"\n"));
    let arguments = [&["evidence", "export"][..], &PERIOD, &["--output", "bag.zip"]].concat();
    is(&site.ask(&arguments), 3, &["own/c.toml", "correct `evidence.controls`"]);
    site.write("own/c.toml", ours.replace("data/raw/", "data/rwa/"));
    is(&site.ask(&arguments), 3, &["own/c.toml` line", "`control[16].files[3]`", "`data/raw/`"]);
    is(&site.ask(&["config", "check"]), 3, &["`control[16].files[3]`"]);
    assert!(!site.path("bag.zip").exists());
    site.write(
        "own/c.toml",
        ours.replace("Access of people whose", "For us: access of those whose"),
    );
    let bag = export(&site, &["--output", "bag.zip"]);
    assert!(mapped(&bag, "8.2.5", "asks").starts_with("For us: access of those"));
    let digest = &json(bag.get("data/ipe.json").unwrap())["controls_sha256"];
    let written = ledger::sha256(&site.read("own/c.toml"));
    let written: String = written.iter().map(|it| format!("{it:02x}")).collect();
    assert_eq!(*digest, *written);
}

/// The events of a bag, each held against the schema of its class and version.
fn events(bag: &Bag, version: &str) -> Vec<Value> {
    let mut schemas = BTreeMap::new();
    let events = bag.text("data/machine/ocsf.ndjson").unwrap().lines();
    let events: Vec<Value> = events.map(|it| json(it.as_bytes())).collect();
    let mut ids = BTreeSet::new();
    for event in &events {
        let class = event["class_uid"].as_u64().unwrap();
        let schema = schemas.entry(class).or_insert_with(|| {
            let name = match class {
                2003 => "compliance_finding",
                3001 => "account_change",
                3004 => "entity_management",
                _ => "user_access",
            };
            let schema = recorded(&format!("ocsf/{name}-{version}.schema.json.zst"));
            jsonschema::validator_for(&schema).unwrap()
        });
        let wrong: Vec<String> = schema.iter_errors(event).map(|it| it.to_string()).collect();
        assert!(wrong.is_empty(), "{wrong:#?}: {event:#}");
        assert_eq!(event["metadata"]["version"], version);
        assert_eq!(event["type_uid"], class * 100 + event["activity_id"].as_u64().unwrap());
        assert!(ids.insert(event["metadata"]["uid"].to_string()), "twice: {event:#}");
    }
    events
}

/// Those of one class.
fn of_class(events: &[Value], class: u64) -> Vec<&Value> {
    events.iter().filter(|it| it["class_uid"] == class).collect()
}

fn recorded(path: &str) -> Value {
    let file = fs::File::open(project("tests/data").join(path)).unwrap();
    // What derived them did not escape the `/` in the names of extensions (RFC 6901).
    let schema = text(&zstd::decode_all(file).unwrap());
    json(schema.replace("#/$defs/win/", "#/$defs/win~1").as_bytes())
}

#[test]
fn every_event_of_a_bag_is_one_of_ocsf_and_of_an_entry_of_the_ledger() {
    let audited = Audited::new();
    let all = events(&audited.bag, "1.5.0");
    let events = of_class(&all, 2003);
    let entries = text(audited.bag.get("data/ledger/entries.jsonl").unwrap());
    let of_findings = entries.lines().filter(|it| it.contains("\"type\":\"finding."));
    assert_eq!(events.len(), of_findings.clone().count());
    for (event, entry) in events.iter().zip(of_findings) {
        let hash: String =
            leaf_hash(entry.as_bytes()).iter().map(|it| format!("{it:02x}")).collect();
        assert_eq!(event["unmapped"]["leaf_hash"], *hash);
    }
    let of = |id: &str| -> Vec<&Value> {
        events.iter().copied().filter(|it| it["finding_info"]["uid_alt"] == id).collect()
    };
    let told = |it: &Value| {
        [&it["activity_name"], &it["status"], &it["compliance"]["status"]]
            .map(|it| it.as_str().unwrap().to_owned())
    };
    // The leaver of the README who kept an account: opened at the first look.
    let [kept] = of("DL-14")[..] else { panic!("DL-14 has one event") };
    assert_eq!(told(kept), ["Create", "New", "Fail"]);
    let requirements = kept["compliance"]["requirements"].as_array().unwrap();
    assert!(requirements.contains(&"PCI DSS 8.2.5".into()), "{kept:#}");
    // Seen twice, and opened then.
    let twice: Vec<_> = of("DL-12").into_iter().map(told).collect();
    assert_eq!(twice, [["Create", "New", "Warning"], ["Update", "New", "Fail"]]);
    // What is over is closed, and says nothing of the deadline.
    let closed: Vec<_> = of("DL-9").into_iter().map(told).collect();
    assert_eq!(closed[1], ["Close", "Resolved", "Pass"]);
}

#[test]
fn what_people_say_of_a_finding_is_an_event_of_the_version_that_the_settings_name() {
    let site = Site::quickstart_after_nights();
    let settings = text(&site.read("driftline.toml"));
    site.write("driftline.toml", format!("{settings}\n[evidence]\nocsf_version = \"1.8.0\"\n"));
    let by = ["--reason", "no drift, says Ada Byron", "--by", "Grace Hopper"];
    site.told(&[&["findings", "false-positive", "DL-14"][..], &by].concat());
    // A person speaks now, which is not in the period.
    let period = ["--app", "secureframe", "--from", "2026-07-01", "--to", "2100-01-01"];
    site.told(&[&["evidence", "export"][..], &period, &["--output", "bag.zip"]].concat());
    let bag = Bag::from_zip(&site.read("bag.zip")).unwrap();
    let events = events(&bag, "1.8.0");
    let said = &events[events.len() - 1];
    assert_eq!((&said["activity_name"], &said["status"]), (&"Close".into(), &"Suppressed".into()));
    assert_eq!(said["compliance"]["status"], "False positive", "nobody saw that it is over");
    let machine = bag.text("data/machine/ocsf.ndjson").unwrap();
    for personal in ["Ada Byron", "Grace Hopper", "alderquay.example", "00uF1vGWgf4jCpZp8Vd7"] {
        assert!(!machine.contains(personal), "{personal}");
    }
}

/// When an event was seen, and the looks on both sides of it.
fn looks(event: &Value) -> [&str; 4] {
    ["activity_name", "time_dt", "start_time_dt", "end_time_dt"]
        .map(|it| event[it].as_str().unwrap_or_default())
}

#[test]
fn accounts_that_were_seen_off_or_on_again_are_events_between_two_looks_and_a_word_is_none() {
    let hr = "[hr.workday]\n[[hr.workday.file]]\npath = \"hr.csv\"\nwhole = true\n";
    let written = crate::firm::settings(Default::default()) + hr;
    let site = Site::new(&written);
    let write = |date: &str, night: &Night, hr: &str| {
        site.night(date, night);
        site.write(&format!("exports/{date}/hr.csv"), format!("email,left_at\n{hr}"));
    };
    let run = || drop(site.told(&["run", "--once"]));
    let gone_by_hr = "p7@example.com,2026-11-19T18:00:00Z\n";
    let mut firm = Night::quiet();
    write(FIRST, &firm, "");
    run();
    // 5 leaves and is switched off at once, 1 leaves and stays on; 7 leaves by HR's list, and Okta says
    // when the app was taken away.
    (firm.users[0].1, firm.users[4].1) = ("DEPROVISIONED", "DEPROVISIONED");
    firm.assigned.retain(|it| ![1, 5].contains(it));
    firm.accounts[4].is_active = false;
    for date in [SECOND, THIRD, "2026-11-22"] {
        firm.accounts[0].is_active = date != THIRD;
        write(date, &firm, gone_by_hr);
        let path = format!("exports/{date}/app_users");
        let mut assigned = json(&site.read(&path));
        let all = assigned.as_array_mut().unwrap();
        let seventh = all.iter_mut().find(|it| it["id"] == *user(7)).unwrap();
        seventh["status"] = "DEPROVISIONED".into();
        seventh["statusChanged"] = "2026-11-19T20:00:00.000Z".into();
        site.write(&path, assigned.to_string());
        run();
        site.write("driftline.toml", format!("{written}# Another text.\n"));
    }
    // Nobody sees that an account was switched on when somebody takes their word back.
    for word in ["false-positive", "reopen"] {
        site.told(&["findings", word, "DL-1", "--reason", "thought again", "--by", "Ada Byron"]);
    }
    let period = ["--app", "secureframe", "--from", "2026-11-01", "--to", "2100-01-01"];
    for (version, name) in [("1.5.0", "older.zip"), ("1.8.0", "newer.zip")] {
        let settings = text(&site.read("driftline.toml"));
        let settings = settings.split("[evidence]").next().unwrap();
        let named = format!("{settings}[evidence]\nocsf_version = \"{version}\"\n");
        site.write("driftline.toml", named);
        site.told(
            &[&["evidence", "export"][..], &period, &["--redacted", "--output", name]].concat(),
        );
        let all = events(&Bag::from_zip(&site.read(name)).unwrap(), version);
        let [first, second, third, fourth] =
            [FIRST, SECOND, THIRD, "2026-11-22"].map(|it| format!("{it}T02:00:00.000Z"));
        let accounts: Vec<_> = of_class(&all, 3001).into_iter().map(looks).collect();
        let wanted = [
            ["Disable", &second, &first, &second],
            ["Disable", &third, &second, &third],
            ["Enable", &fourth, &third, &fourth],
        ];
        assert_eq!(accounts, wanted);
        let [taken] = of_class(&all, 3005)[..] else { panic!("one assignment was lost: {all:#?}") };
        assert_eq!(taken["time_dt"], "2026-11-19T20:00:00.000Z");
        assert_eq!(taken["privileges"], Value::from_iter(["assignment to secureframe"]));
        // What the first run begins with is no change.
        let [changed] = of_class(&all, 3004)[..] else {
            panic!("one change of settings: {all:#?}")
        };
        assert_eq!(
            (&changed["entity"]["name"], &changed["activity_name"]),
            (&"settings".into(), &"Update".into())
        );
        assert_ne!(changed["entity"]["version"], changed["entity_result"]["version"]);
    }
}

/// Who came back in one quarter and went off again in the next came back in the first alone.
#[test]
fn what_came_back_before_a_period_is_no_event_of_it() {
    let site = Site::new(&crate::firm::settings(Default::default()));
    let mut firm = Night::quiet();
    site.night(FIRST, &firm);
    site.told(&["run", "--once"]);
    give_keys(&site, "");
    firm.users[0].1 = "DEPROVISIONED";
    firm.assigned.retain(|it| *it != 1);
    let nights = [
        (SECOND, true),
        (THIRD, false),
        ("2026-11-22", true),
        ("2026-11-24", true),
        ("2026-11-25", false),
    ];
    for (date, is_active) in nights {
        firm.accounts[0].is_active = is_active;
        site.night(date, &firm);
        site.told(&["run", "--once"]);
    }
    site.write("held.checkpoint", site.told(&["ledger", "head"]).bytes);
    let told = |from: &str, to: &str, name: &str| {
        let period = ["--app", "secureframe", "--from", from, "--to", to, "--output", name];
        site.told(&[&["evidence", "export"][..], &period].concat());
        let bag = Bag::from_zip(&site.read(name)).unwrap();
        let all = events(&bag, "1.5.0");
        let told: Vec<String> =
            of_class(&all, 3001).into_iter().map(|it| looks(it)[..2].join(" ")).collect();
        (bag, told)
    };
    let (_, before) = told("2026-11-01", "2026-11-23", "before.zip");
    let wanted = ["Disable 2026-11-21T02:00:00.000Z", "Enable 2026-11-22T02:00:00.000Z"];
    assert_eq!(before, wanted);
    let (bag, after) = told("2026-11-23", "2026-12-01", "after.zip");
    assert_eq!(after, ["Disable 2026-11-25T02:00:00.000Z"]);
    let audited = Audited { site, bag };
    verified_by_both(&audited, &audited.bag).iter().for_each(|it| is(it, 0, &[]));
}

const OSCAL: &str = "data/machine/oscal-assessment-results.json";

/// The assessment results of a bag, held against NIST's schema.
fn results(bag: &Bag) -> Value {
    let document = json(bag.get(OSCAL).unwrap());
    let schema = recorded("oscal/assessment-results-1.2.1.schema.json.zst");
    let schema = jsonschema::validator_for(&schema).unwrap();
    let wrong: Vec<String> = schema.iter_errors(&document).map(|it| it.to_string()).collect();
    assert!(wrong.is_empty(), "{wrong:#?}");
    document["assessment-results"].clone()
}

#[test]
fn every_id_that_the_mapping_names_is_one_of_nists_catalog() {
    let catalog = fs::read_to_string(project("tests/data/oscal/sp800-53-ids.txt")).unwrap();
    let catalog: BTreeSet<&str> = catalog.lines().collect();
    let mapping = Site::quickstart().told(&["evidence", "controls"]).stdout;
    let named =
        mapping.lines().filter(|it| it.starts_with("oscal = ") || it.starts_with("objectives = "));
    let named: Vec<&str> = named.flat_map(|it| it.split('"').skip(1).step_by(2)).collect();
    assert_eq!(named.len(), 9, "{named:?}");
    for id in named {
        assert!(catalog.contains(id), "{id}");
    }
}

#[test]
fn assessment_results_judge_no_further_than_was_seen_and_lead_to_the_files_of_the_bag() {
    let audited = Audited::new();
    let document = results(&audited.bag);
    let result = &document["results"][0];
    let titles = |list: &Value| -> Vec<String> {
        list.as_array().unwrap().iter().map(|it| it["title"].as_str().unwrap().to_owned()).collect()
    };
    let told = titles(&result["observations"]);
    let population = audited.bag.text("data/population.csv").unwrap();
    assert_eq!(told.len(), 3 + population.lines().count() - 1, "{told:?}");
    assert_eq!(told[0], "Did the control run?");
    // One was seen on too late: nothing is satisfied, and what was not seen is said.
    let findings = result["findings"].as_array().unwrap();
    let objectives: Vec<&str> =
        findings.iter().map(|it| it["target"]["target-id"].as_str().unwrap()).collect();
    assert_eq!(objectives, ["ac-2.3_obj.b", "ac-2_obj.f-4", "ps-4_obj.a"]);
    for finding in findings {
        assert_eq!(finding["target"]["status"]["state"], "not-satisfied");
        let said = finding["description"].as_str().unwrap();
        assert!(said.contains("it was not seen whether they were off in time"), "{said}");
    }
    // Every file that something leads to is in the bag, and is that one.
    let resources = document["back-matter"]["resources"].as_array().unwrap();
    for link in resources.iter().map(|it| &it["rlinks"][0]) {
        let path = link["href"].as_str().unwrap().replacen("..", "data", 1);
        let bytes = audited.bag.get(&path).unwrap_or_else(|| panic!("no {path}"));
        let hash: String = ledger::sha256(bytes).iter().map(|it| format!("{it:02x}")).collect();
        assert_eq!(link["hashes"][0]["value"], *hash, "{path}");
    }
    let ids: Vec<&str> = resources.iter().map(|it| it["uuid"].as_str().unwrap()).collect();
    for observation in result["observations"].as_array().unwrap() {
        let href = observation["relevant-evidence"][0]["href"].as_str().unwrap();
        assert!(ids.contains(&&href[1..]), "{href}");
    }
}

#[test]
fn who_was_off_in_time_satisfies_an_objective_and_where_nobody_was_judged_there_is_none() {
    let site = Site::firm();
    night(&site, FIRST, &[], &[], &[]);
    let bag = |name: &str| {
        let period = ["--app", "secureframe", "--from", "2026-11-01", "--to", "2026-12-01"];
        site.told(&[&["evidence", "export"][..], &period, &["--output", name]].concat());
        Bag::from_zip(&site.read(name)).unwrap()
    };
    let nobody = results(&bag("nobody.zip"))["results"][0].clone();
    assert_eq!(nobody.get("findings"), None);
    let said = nobody["remarks"].as_str().unwrap();
    assert!(said.starts_with("There is no finding: no leaver of the period"), "{said}");
    night(&site, SECOND, &[5], &[5], &[]);
    let met = results(&bag("met.zip"))["results"][0].clone();
    assert_eq!(met["findings"][0]["target"]["status"]["state"], "satisfied", "{met:#}");
}

#[test]
fn why_no_leaver_is_in_a_bag_is_said_no_further_than_runs_saw_the_app() {
    let site = Site::firm();
    let blind = |date: &str| {
        site.night(date, &Night::quiet());
        site.write(&format!("exports/{date}/accounts"), "this is no list");
        assert_eq!(site.run().status, 4);
    };
    night(&site, FIRST, &[], &[], &[]);
    blind(SECOND);
    // The night before is tried again, and days after what was read of the app is too old.
    blind("2026-11-24");
    let said = |from: &str, to: &str| {
        let name = format!("{from}_{to}.zip");
        let period = ["--app", "secureframe", "--from", from, "--to", to, "--output", &name];
        site.told(&[&["evidence", "export"][..], &period].concat());
        let bag = Bag::from_zip(&site.read(&name)).unwrap();
        let start = text(bag.get("START-HERE.txt").unwrap());
        let said = start.lines().find(|it| it.contains("There is no leaver in it")).unwrap();
        let ipe = json(bag.get("data/ipe.json").unwrap());
        (said.to_owned(), ipe["coverage"]["longest_gap_s"].as_u64().unwrap() / 86_400)
    };
    let table = [
        (FIRST, SECOND, "no source says that anybody left secureframe", 0),
        (
            SECOND,
            THIRD,
            "whether anybody left is not proven, for lists were partial in each of the 2",
            0,
        ),
        ("2026-11-24", "2026-11-25", "no full run of 2026-11-24 to 2026-11-25 saw secureframe", 1),
        ("2026-11-21", "2026-11-26", "whether anybody left, nobody looked", 5),
    ];
    for (from, to, wanted, days) in table {
        let (said, gap) = said(from, to);
        assert!(said.contains(wanted) && gap == days, "{from}: {said} {gap}");
    }
}

#[test]
fn whoever_was_off_before_the_listing_began_is_counted_where_a_bag_has_no_leaver() {
    let site = Site::firm();
    let mut night = Night::quiet();
    night.users.iter_mut().filter(|it| it.0 == 5).for_each(|it| it.1 = "DEPROVISIONED");
    night.accounts.iter_mut().filter(|it| it.number == 5).for_each(|it| it.is_active = false);
    site.night(FIRST, &night);
    let mut users = json(night.users_json().as_bytes());
    let left = users.as_array_mut().unwrap().iter_mut().find(|it| it["id"] == *user(5)).unwrap();
    left["statusChanged"] = "2020-01-01T00:00:00.000Z".into();
    site.write(&format!("exports/{FIRST}/users"), users.to_string());
    site.run();
    let period = ["--app", "secureframe", "--from", "2026-11-01", "--to", "2026-12-01"];
    site.told(&[&["evidence", "export"][..], &period, &["--output", "empty.zip"]].concat());
    let bag = Bag::from_zip(&site.read("empty.zip")).unwrap();
    let start = text(bag.get("START-HERE.txt").unwrap());
    assert!(start.contains("was off by then, was counted (1) and not listed"), "{start}");
    assert!(!start.contains("no source says that anybody left"), "{start}");
}

#[test]
fn of_whom_nobody_asked_a_bag_has_the_row_and_neither_name_nor_trace() {
    let audited = Audited::new();
    let one =
        export(&audited.site, &["--person", "okta/00uF1vGWgf4jCpZp8Vd7", "--output", "one.zip"]);
    is(&audited.verify(&one, &TRUSTED), 0, &["and 1 traces"]);
    let population = one.text("data/population.csv").unwrap();
    assert_eq!(
        population.lines().count(),
        audited.bag.text("data/population.csv").unwrap().lines().count()
    );
    assert_eq!(population.matches('@').count(), 1, "{population}");
    let named = |bag: &Bag| {
        let table = bag.text("data/findings.csv").unwrap().to_owned();
        table.lines().filter(|it| it.contains("secureframe/")).count()
    };
    assert!(named(&audited.bag) > 1);
    assert_eq!(named(&one), 1, "{}", one.text("data/findings.csv").unwrap());
    let error = audited.site.ask(
        &[&["evidence", "export"][..], &PERIOD, &["--person", "nobody", "--output", "x.zip"]]
            .concat(),
    );
    is(&error, 2, &["no leaver of the period is called `nobody`"]);
    assert!(!audited.site.path("x.zip").exists());
}

#[test]
fn a_bag_without_keys_is_made_and_says_what_it_lacks() {
    let site = Site::quickstart_after_nights();
    let said =
        site.told(&[&["evidence", "export"][..], &PERIOD, &["--output", "bag.zip"]].concat());
    is(&said, 0, &["Not signed", "The ledger is not signed"]);
    let written = site.read("bag.zip");
    let again =
        site.ask(&[&["evidence", "export"][..], &PERIOD, &["--output", "bag.zip"]].concat());
    is(&again, 2, &["`bag.zip` is there already"]);
    assert_eq!(site.read("bag.zip"), written);
    let bag = Bag::from_zip(&written).unwrap();
    assert!(bag.text("START-HERE.txt").unwrap().contains("The ledger of this bag is not signed"));
    is(&site.ask(&["evidence", "verify", "bag.zip"]), 7, &["the bag is not signed"]);
}

#[test]
fn a_tenant_whose_deprovisioning_was_not_observed_makes_a_provisional_bag() {
    let site = Site::quickstart();
    site.change_settings("deprovision = \"lists\"\n", "");
    // Of one night nothing is seen to go.
    let (second, aside) = (site.path("samples/2026-11-20"), site.path("aside"));
    fs::rename(&second, &aside).unwrap();
    site.told(&["run", "--once"]);
    let said =
        site.told(&[&["evidence", "export"][..], &PERIOD, &["--output", "bag.zip"]].concat());
    is(&said, 0, &["Provisional"]);
    let bag = Bag::from_zip(&site.read("bag.zip")).unwrap();
    for (path, word) in [
        ("START-HERE.txt", "PROVISIONAL"),
        ("data/report.html", "Provisional"),
        ("data/ipe.json", "\"is_provisional\": true"),
    ] {
        assert!(bag.text(path).unwrap().contains(word), "{path}");
    }
    // The next night leavers' accounts are listed, inactive, that were on.
    fs::rename(&aside, &second).unwrap();
    site.told(&["run", "--once"]);
    let said =
        site.told(&[&["evidence", "export"][..], &PERIOD, &["--output", "later.zip"]].concat());
    assert!(!said.stdout.contains("Provisional"), "{said}");
}

#[test]
fn a_sample_is_drawn_again_from_the_bag_by_the_auditors_text() {
    let audited = Audited::new();
    let leaf = |id: &str| -> LeaverLeaf {
        let trace = json(audited.bag.get(&format!("data/leavers/{id}.json")).unwrap());
        let entry = trace["entry"].as_u64().unwrap();
        LeaverLeaf::read(entry, trace["leaf"].as_str().unwrap().as_bytes(), &[] as &[&str]).unwrap()
    };
    let drawn = audited
        .verify(&audited.bag, &[&TRUSTED[..], &["--nonce", "Q3, heads", "-n", "3"]].concat());
    is(&drawn, 0, &["the 3 leavers that your nonce draws are in it"]);
    let line = drawn.stdout.lines().find(|it| it.contains("sample:")).unwrap();
    let ids: Vec<&str> = line.rsplit(": ").next().unwrap().split(' ').collect();
    assert_eq!(ids.len(), 3);
    ids.iter().for_each(|id| assert_eq!(leaf(id).id(), **id));
    // A bag with somebody else's trace does not have them.
    let all: Vec<String> = audited
        .bag
        .paths()
        .filter_map(|it| Some(it.strip_prefix("data/leavers/")?.strip_suffix(".json")?.to_owned()))
        .collect();
    let other = all.iter().find(|it| !ids.contains(&&***it)).unwrap();
    let one = export(&audited.site, &["--person", other, "--output", "one.zip"]);
    let missing =
        audited.verify(&one, &[&TRUSTED[..], &["--nonce", "Q3, heads", "-n", "11"]].concat());
    is(&missing, 6, &["is drawn by your nonce, and has no trace"]);
    let said = audited
        .site
        .told(&[&["evidence", "sample"][..], &PERIOD, &["--nonce", "x", "-n", "2"]].concat());
    assert_eq!(said.stdout.lines().filter(|it| it.starts_with("sub_")).count(), 2, "{said}");
}

#[test]
fn a_key_is_made_once_and_is_its_owners_alone() {
    use std::os::unix::fs::PermissionsExt as _;
    let site = Site::quickstart();
    let args = ["evidence", "key", "new", "--identity", WHO, "--output", "ev.key"];
    let said = site.told(&args);
    assert!(!said.stdout.contains("PRIVATE"));
    assert_eq!(fs::metadata(site.path("ev.key")).unwrap().permissions().mode() & 0o777, 0o600);
    is(&site.ask(&args), 5, &["ev.key"]);
    is(
        &site.ask(&["evidence", "key", "new", "--identity", "two words", "--output", "x"]),
        2,
        &["without spaces"],
    );
}

#[test]
fn a_page_is_printed_by_the_operators_program_and_a_bag_without_it_is_whole_and_says_so() {
    let audited = Audited::new();
    let site = &audited.site;
    let settings = text(&site.read("driftline.toml"));
    // It copies what it was told to print behind the head of a PDF.
    let program =
        "#!/bin/sh\n[ -z \"$SECRET\" ] || exit 9\n{ echo %PDF-1.7; cat \"$1\"; } >\"$2\"\n";
    let executable = |name: &str, program: &str| {
        site.write(name, program);
        let mode = std::os::unix::fs::PermissionsExt::from_mode(0o755);
        fs::set_permissions(site.path(name), mode).unwrap();
    };
    executable("print it.sh", program);
    let table = |program: &str| {
        format!(
            "{settings}\n[evidence.pdf]\nprogram = \"{program}\"\nargs = [\"{{html}}\", \"{{pdf}}\"]\n"
        )
    };
    site.write("driftline.toml", table("print it.sh"));
    let printed = export(site, &["--output", "printed.zip"]);
    let page = text(printed.get("data/report.html").unwrap());
    assert_eq!(text(printed.get("data/report.pdf").unwrap()), format!("%PDF-1.7\n{page}"));
    let start = printed.text("START-HERE.txt").unwrap();
    assert!(
        start.contains("as the program `print it.sh` of whoever made this bag printed it"),
        "{start}"
    );
    is(&audited.verify(&printed, &TRUSTED), 0, &["files are as listed"]);
    let other = audited.forged(&audited.key(), |files| drop(files.remove("data/report.pdf")));
    is(&audited.verify(&other, &TRUSTED), 0, &[]); // It is what whoever signed says.

    executable("fails.sh", "#!/bin/sh\nexit 3\n");
    executable("makes nothing.sh", "#!/bin/sh\n");
    executable("makes text.sh", "#!/bin/sh\necho no >\"$2\"\n");
    for (program, why) in [
        ("fails.sh", "`fails.sh` ended with exit status: 3"),
        ("makes nothing.sh", "`makes nothing.sh` made no file"),
        ("makes text.sh", "what `makes text.sh` made is no PDF"),
        ("nowhere", "`nowhere` cannot be started"),
    ] {
        site.write("driftline.toml", table(program));
        let output = format!("{program}.zip");
        let args = [&["evidence", "export"][..], &PERIOD, &["--output", &output]].concat();
        is(&site.ask(&args), 4, &["the bag is without its PDF: ", why, "Wrote `"]);
        let bag = Bag::from_zip(&site.read(&output)).unwrap();
        assert!(bag.get("data/report.pdf").is_none());
        let start = bag.text("START-HERE.txt").unwrap();
        assert!(
            start.contains("data/report.pdf is not in this bag: ") && start.contains(why),
            "{start}"
        );
        is(&audited.verify(&bag, &TRUSTED), 0, &["files are as listed"]);
    }
    let left: Vec<_> =
        fs::read_dir(site.path("")).unwrap().map(|it| it.unwrap().file_name()).collect();
    assert!(!left.iter().any(|it| it.to_string_lossy().ends_with(".print")), "{left:?}");

    site.write("driftline.toml", table("x").replace("{pdf}", "out.pdf"));
    let answer = site.ask(&["config", "check"]);
    is(&answer, 3, &["`evidence.pdf.args` must have `{pdf}` in it"]);
}
