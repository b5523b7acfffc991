//! People of whom there is nothing to weigh are counted, and everybody else is judged. These tests run
//! with debug assertions, so that each run also judges everybody, and must say the same.

use std::fs;
use std::path::Path;
use std::sync::Arc;

use chrono::{DateTime, TimeDelta, Utc};
use connectors::files::{Config, FileConfig, Profiles};
use domain::{Cause, SystemId, SystemKind};
use drift::{AppRules, Deprovision, Entitlement};
use engine::{AppPlan, Outcome, Plan, Source, run};
use serde_json::{Value, json};
use sim::SimClock;
use store::Store;

/// A Tuesday.
const FIRST_NIGHT: &str = "2026-11-24T02:00:00Z";

/// What the exports of one night say.
#[derive(Clone, Default)]
struct Night {
    users: Vec<Value>,
    grants: Vec<Value>,
    accounts: Vec<Value>,
    hr: String,
    register: String,
}

/// Six people with an account each.
fn firm() -> Night {
    let mut night = Night {
        hr: "employee_number,email,name,last_day,reason\n9999,gone@f.test,N,2026-10-01,x\n"
            .to_owned(),
        register: "account,owner,purpose\nrobot,,x\n".to_owned(),
        ..Night::default()
    };
    (0..6).for_each(|it| night.add(&format!("00u{it}"), &format!("p{it}@f.test")));
    night
}

impl Night {
    fn add(&mut self, id: &str, login: &str) {
        self.users
            .push(json!({"id": id, "status": "ACTIVE", "statusChanged": "2026-01-01T00:00:00Z",
            "profile": {"login": login, "email": login, "employeeNumber": format!("007{id}")}}));
        self.grants.push(json!({"id": id, "status": "ACTIVE", "scope": "USER",
            "credentials": {"userName": login}}));
        self.accounts.push(account(&format!("acc-{id}"), id, login));
    }

    fn write(&self, folder: &Path) {
        let write = |name: &str, text: &str| fs::write(folder.join(name), text).unwrap();
        write("users.json", &Value::from_iter(self.users.clone()).to_string());
        write("grants.json", &Value::from_iter(self.grants.clone()).to_string());
        let list = json!({"schemas": ["urn:ietf:params:scim:api:messages:2.0:ListResponse"],
            "totalResults": self.accounts.len(), "Resources": self.accounts});
        write("accounts.json", &list.to_string());
        write("hr.csv", &self.hr);
        write("register.csv", &self.register);
    }
}

fn account(id: &str, owner: &str, login: &str) -> Value {
    json!({"schemas": ["urn:ietf:params:scim:schemas:core:2.0:User"], "id": id, "externalId": owner,
        "userName": login, "active": true, "emails": [{"value": login, "primary": true}]})
}

fn plan(folder: &Path, now: DateTime<Utc>) -> Plan {
    let files = |system: &str, kind, names: &[&str]| {
        let file = |it: &&str| FileConfig {
            as_of: Some(now),
            whole: Some(true),
            ..FileConfig::new(folder.join(it))
        };
        let system = SystemId::parse(system).unwrap();
        Source::Files(Config {
            system,
            kind,
            files: names.iter().map(file).collect(),
            zone: Some(chrono_tz::UTC),
        })
    };
    let rules = AppRules {
        app: SystemId::parse("crm").unwrap(),
        idps: vec![SystemId::parse("okta").unwrap()],
        entitlement: Entitlement::Any,
        authority: None,
        deprovision: Deprovision::Lists,
        is_on_vendors_word: false,
        required_channels: Vec::new(),
        privileged_roles: Vec::new(),
        canaries: Vec::new(),
        inactive_canaries: Vec::new(),
    };
    Plan {
        sources: vec![
            files("okta", SystemKind::Idp, &["users.json", "grants.json"]),
            files("crm", SystemKind::App, &["accounts.json"]),
            files("hr", SystemKind::Hr, &["hr.csv"]),
            files("register", SystemKind::Register, &["register.csv"]),
        ],
        profiles: Arc::new(Profiles::builtin().unwrap()),
        apps: vec![AppPlan { rules, keys: Default::default() }],
        ..crate::year::plan(folder, false, now, None)
    }
}

/// Two nights of the firm: what is changed in the exports of the second, and in its plan.
async fn second_night(change: impl Fn(&mut Night), alter: impl Fn(&mut Plan)) -> Outcome {
    let folder = tempfile::tempdir().unwrap();
    let store = Store::open(&folder.path().join("d.db")).unwrap();
    let clock = SimClock::starting_at(FIRST_NIGHT.parse().unwrap());
    let mut night = firm();
    night.write(folder.path());
    let first =
        run(&store, &plan(folder.path(), domain::Clock::now(&clock)), &clock).await.unwrap();
    assert!(first.report.is_complete() && first.report.findings.is_empty(), "{:?}", first.failures);
    assert_eq!(first.n_plain, 6);
    change(&mut night);
    night.write(folder.path());
    clock.advance(TimeDelta::days(1));
    let mut plan = plan(folder.path(), domain::Clock::now(&clock));
    alter(&mut plan);
    run(&store, &plan, &clock).await.unwrap()
}

async fn plain_after(change: impl Fn(&mut Night)) -> (usize, Vec<Cause>) {
    let outcome = second_night(change, |_| ()).await;
    let findings = outcome.record.findings.iter();
    (outcome.n_plain, findings.map(|it| it.finding.cause).collect())
}

#[tokio::test]
async fn whoever_there_is_something_to_weigh_of_is_judged() {
    use Cause::{
        DisabledEntitled, DuplicateAccount, IdentifierDrift, LeaverActive, SourcesDisagree,
        UnassignedActive,
    };
    assert_eq!(plain_after(|_| ()).await, (6, vec![]));
    // Their own rows say so.
    let left = plain_after(|it| it.users[2]["status"] = json!("DEPROVISIONED")).await;
    assert_eq!(left, (5, vec![LeaverActive]));
    let off = plain_after(|it| it.accounts[2]["active"] = json!(false)).await;
    assert_eq!(off, (5, vec![DisabledEntitled]));
    let lost = plain_after(|it| drop(it.grants.remove(2))).await;
    assert_eq!(lost, (5, vec![UnassignedActive]));
    // A row of somebody else names them, by whatever key.
    let second = |id: &str, owner: &str, login: &str| {
        let account = account(id, owner, login);
        plain_after(move |it| it.accounts.push(account.clone()))
    };
    let twice = vec![DuplicateAccount, DuplicateAccount];
    assert_eq!(second("acc-9", "", " P2@F.test").await, (5, twice));
    let twice = vec![DuplicateAccount, DuplicateAccount, IdentifierDrift];
    assert_eq!(second("acc-9", "00u2", "other@f.test").await, (5, twice));
    let hr = |row: &str| {
        let row = row.to_owned();
        plain_after(move |it| it.hr.push_str(&row))
    };
    assert_eq!(hr(",P2@f.test,N,2026-11-20,x\n").await, (5, vec![SourcesDisagree]));
    assert_eq!(hr("00700u2,,N,2026-11-20,x\n").await, (5, vec![SourcesDisagree]));
    // It is almost their number: somebody may be meant by it.
    assert_eq!(hr("700U2,,N,2026-11-20,x\n").await, (5, vec![]));
    let robots = plain_after(|it| it.register.push_str("acc-00u2,p4@f.test,x\n")).await;
    assert_eq!(robots, (4, vec![]));
    // A user who comes under a number or a name that somebody has.
    let newcomer = plain_after(|it| {
        it.add("00u7", "p2@f.test");
        it.users[6]["profile"]["employeeNumber"] = json!("00700u3");
    });
    assert_eq!(newcomer.await.0, 4);
}

#[tokio::test]
async fn without_all_lists_everybody_is_judged() {
    let n = async |alter: &dyn Fn(&mut Plan)| second_night(|_| (), alter).await.n_plain;
    assert_eq!(n(&|_| ()).await, 6);
    assert_eq!(n(&|it| it.judges_everybody = true).await, 0);
    assert_eq!(n(&|it| it.apps[0].rules.canaries.push("p3@f.test".to_owned())).await, 5);
    // A list that is not there, and one that is not said to be whole.
    assert_eq!(n(&|it| drop(it.sources.remove(0))).await, 0);
    let in_part = |it: &mut Plan| {
        let Source::Files(files) = &mut it.sources[0] else { panic!("they are files") };
        files.files[0].whole = Some(false);
    };
    assert_eq!(n(&in_part).await, 0);
}
