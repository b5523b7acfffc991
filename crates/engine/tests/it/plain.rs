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
use graph::{ExternalIdCarries, KeyRules, PersonKey};
use proptest::prelude::*;
use serde_json::{Value, json};
use sim::SimClock;
use store::Store;

/// A Tuesday.
const FIRST_NIGHT: &str = "2026-11-24T02:00:00Z";

/// What the exports of one night say.
#[derive(Clone, Debug, Default)]
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

fn files(
    folder: &Path,
    now: DateTime<Utc>,
    system: &str,
    kind: SystemKind,
    names: &[&str],
) -> Source {
    let file = |it: &&str| FileConfig {
        as_of: Some(now),
        whole: Some(true),
        ..FileConfig::new(folder.join(it))
    };
    let system = SystemId::parse(system).unwrap();
    let files = names.iter().map(file).collect();
    Source::Files(Config { system, kind, files, zone: Some(chrono_tz::UTC) })
}

fn plan(folder: &Path, now: DateTime<Utc>) -> Plan {
    let files = |system, kind, names: &[&str]| files(folder, now, system, kind, names);
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

/// What one provider grants, it grants to its own users: another's may have the same ids.
#[tokio::test]
async fn what_one_provider_grants_is_not_of_anothers_user() {
    let folder = tempfile::tempdir().unwrap();
    let store = Store::open(&folder.path().join("d.db")).unwrap();
    let clock = SimClock::starting_at(FIRST_NIGHT.parse().unwrap());
    let mut night = firm();
    // Two of another provider, and the first one's grants name one of them.
    night.add("00u8", "p8@f.test");
    let grant = night.grants.pop().unwrap();
    night.add("00u9", "p9@f.test");
    night.grants.rotate_right(1);
    let users = night.users.split_off(6);
    night.write(folder.path());
    let write = |name: &str, rows: Vec<Value>| {
        fs::write(folder.path().join(name), Value::from_iter(rows).to_string()).unwrap();
    };
    write("users-2.json", users);
    write("grants-2.json", vec![grant]);
    let now = domain::Clock::now(&clock);
    let mut plan = plan(folder.path(), now);
    let names = ["users-2.json", "grants-2.json"];
    plan.sources.push(files(folder.path(), now, "okta-2", SystemKind::Idp, &names));
    plan.apps[0].rules.idps.push(SystemId::parse("okta-2").unwrap());
    let outcome = run(&store, &plan, &clock).await.unwrap();
    let findings = outcome.record.findings.iter().map(|it| &it.finding);
    let told: Vec<_> = findings.map(|it| (it.cause, it.subject.key.to_string())).collect();
    assert_eq!(told, [(Cause::UnassignedActive, "acc-00u9".to_owned())]);
    assert_eq!(outcome.n_plain, 7);
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

/// A user whose id and whose account's number are one text: HR's number without its zeros is almost that.
#[tokio::test]
async fn a_number_that_is_written_like_an_id_is_a_number_all_the_same() {
    let change = |night: &mut Night| {
        night.add("00123", "kim@f.test");
        let user = night.users.last_mut().unwrap();
        user["profile"].as_object_mut().unwrap().remove("employeeNumber");
        const ENTERPRISE: &str = "urn:ietf:params:scim:schemas:extension:enterprise:2.0:User";
        night.accounts.last_mut().unwrap()[ENTERPRISE] = json!({"employeeNumber": "00123"});
        night.hr.push_str("123,,N,2026-11-20,x\n");
    };
    assert_eq!(plain_after(change).await.0, 6);
}

/// The app's ids are addresses: what one was as an address before is another's today.
#[tokio::test]
async fn an_id_that_is_an_address_of_an_old_domain_may_be_anothers_address() {
    let change = |night: &mut Night| {
        night.add("00u8", "kim@f.test");
        night.grants[1]["externalId"] = json!("kim@old.test");
        night.accounts[1] = account("kim@old.test", "00u1", "p1@f.test");
        night.accounts[1]["emails"] = json!([{"value": "kim@old.test", "primary": true}]);
        night.users[1]["profile"]["email"] = json!(null);
    };
    let alter = |plan: &mut Plan| {
        plan.apps[0].keys.domain_aliases = vec![("old.test".to_owned(), "f.test".to_owned())];
    };
    let outcome = second_night(change, alter).await;
    let causes: Vec<Cause> = outcome.record.findings.iter().map(|it| it.finding.cause).collect();
    assert_eq!((outcome.n_plain, causes), (5, vec![Cause::LinkConflict]));
}

#[tokio::test]
async fn without_all_lists_everybody_is_judged() {
    let n = async |alter: &dyn Fn(&mut Plan)| second_night(|_| (), alter).await.n_plain;
    assert_eq!(n(&|_| ()).await, 6);
    assert_eq!(n(&|it| it.judges_everybody = true).await, 0);
    assert_eq!(n(&|it| it.apps[0].rules.canaries.push("p3@f.test".to_owned())).await, 5);
    // Without the list that decides who has left, nobody is known to be here.
    let hr = |it: &mut Plan| it.apps[0].rules.authority = Some(SystemId::parse("hr").unwrap());
    assert_eq!(n(&hr).await, 6);
    let without_hr = |it: &mut Plan| {
        hr(it);
        it.sources.remove(2);
    };
    assert_eq!(n(&without_hr).await, 0);
    // A list that is not there, and one that is not said to be whole.
    assert_eq!(n(&|it| drop(it.sources.remove(0))).await, 0);
    let in_part = |it: &mut Plan| {
        let Source::Files(files) = &mut it.sources[0] else { panic!("they are files") };
        files.files[0].whole = Some(false);
    };
    assert_eq!(n(&in_part).await, 0);
}

/// One of these words, in a form in which it means the same or almost, or nothing.
fn a_word(words: &'static [&'static str]) -> impl Strategy<Value = Option<&'static str>> {
    prop::option::weighted(0.9, prop::sample::select(words))
}

const IDS: &[&str] = &["u1", "u2", "u3", "u4", "A1", "a1", "00123", "u3@old.test"];
const NAMES: &[&str] =
    &["u1@f.test", "u2@f.test", "U2@F.test", "u3@f.test", "u3@old.test", "u4", "00123"];
const NUMBERS: &[&str] = &["1041", "01041", "1042", "n/a", "u2", "x7", "00123", "123"];

/// A user and their assignment, as one of two providers may have them: mostly an ordinary one.
fn a_user() -> impl Strategy<Value = (Value, Option<Value>)> {
    let status =
        prop::sample::select(&["ACTIVE", "ACTIVE", "ACTIVE", "DEPROVISIONED", "SUSPENDED"][..]);
    let own = (a_word(IDS), a_word(NAMES), a_word(NAMES), a_word(NUMBERS));
    let grant = prop::option::weighted(0.8, (a_word(IDS), a_word(NAMES)));
    (own, status, grant).prop_map(|((id, login, mail, number), status, grant)| {
        let id = id.unwrap_or("u9");
        let user = json!({"id": id, "status": status, "statusChanged": "2026-01-01T00:00:00Z",
            "profile": {"login": login.unwrap_or("nobody@f.test"), "email": mail, "employeeNumber": number}});
        let grant = grant.map(|(account, name)| {
            json!({"id": id, "status": "ACTIVE", "scope": "USER", "externalId": account,
                "credentials": {"userName": name}})
        });
        (user, grant)
    })
}

fn an_account() -> impl Strategy<Value = Value> {
    let own = (a_word(IDS), a_word(IDS), a_word(NAMES), a_word(NAMES), a_word(NUMBERS));
    (own, prop::bool::weighted(0.8)).prop_map(|((id, owner, login, mail, number), is_on)| {
        const ENTERPRISE: &str = "urn:ietf:params:scim:schemas:extension:enterprise:2.0:User";
        json!({"id": id.unwrap_or("a9"), "externalId": owner, "userName": login.unwrap_or("nobody"),
            "emails": mail.map(|it| json!([{"value": it, "primary": true}])), "active": is_on,
            ENTERPRISE: {"employeeNumber": number}})
    })
}

/// Ordinary people, of whom most stay what they are, and whatever else the lists may hold.
fn a_night() -> impl Strategy<Value = (Night, Night)> {
    let users = || prop::collection::vec(a_user(), 0..3);
    let hr = prop::option::weighted(0.3, (a_word(NUMBERS), a_word(NAMES), 1..28_u32));
    let register = prop::option::weighted(0.2, (a_word(IDS), a_word(NAMES)));
    let lists = (users(), users(), prop::collection::vec(an_account(), 0..3), hr, register);
    (lists, 2..8_usize).prop_map(|((own, others, accounts, hr, register), n_plain)| {
        let (mut night, mut second) = (firm(), Night::default());
        (night.users, night.grants, night.accounts) = (Vec::new(), Vec::new(), Vec::new());
        (1..=n_plain).for_each(|it| night.add(&format!("u{it}"), &format!("u{it}@f.test")));
        second.add("z1", "z1@f.test");
        let extra = [
            (&mut night.users, &mut night.grants, own),
            (&mut second.users, &mut second.grants, others),
        ];
        // A list with an id twice is refused.
        let is_free =
            |taken: &[Value], it: &Value| !taken.iter().any(|other| other["id"] == it["id"]);
        for (users, grants, more) in extra {
            for (user, grant) in more {
                if is_free(users, &user) {
                    users.push(user);
                    grants.extend(grant);
                }
            }
        }
        for account in accounts {
            if is_free(&night.accounts, &account) {
                night.accounts.push(account);
            }
        }
        if let Some((number, mail, day)) = hr {
            let (number, mail) = (number.unwrap_or_default(), mail.unwrap_or_default());
            night.hr.push_str(&format!("{number},{mail},N,2026-11-{day:02},x\n"));
        }
        if let Some((account, owner)) = register {
            let (account, owner) = (account.unwrap_or("robot2"), owner.unwrap_or_default());
            night.register.push_str(&format!("{account},{owner},x\n"));
        }
        (night, second)
    })
}

/// By which keys a house joins.
fn some_keys() -> impl Strategy<Value = KeyRules> {
    let carries = prop::sample::select(
        &[
            ExternalIdCarries::IdpId,
            ExternalIdCarries::MailNickname,
            ExternalIdCarries::EmployeeNumber,
            ExternalIdCarries::Nothing,
        ][..],
    );
    (any::<bool>(), any::<bool>(), prop::option::of(carries)).prop_map(
        |(joins, aliases, carries)| {
            let okta = SystemId::parse("okta").unwrap();
            KeyRules {
                person_keys: if joins { vec![PersonKey::EmployeeNumber] } else { Vec::new() },
                domain_aliases: aliases
                    .then(|| ("old.test".to_owned(), "f.test".to_owned()))
                    .into_iter()
                    .collect(),
                external_id: carries.map(|it| (okta, it)).into_iter().collect(),
                assigns_everyone: Vec::new(),
            }
        },
    )
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 24, failure_persistence: None, ..ProptestConfig::default() })]

    /// Whatever lists say in three nights, of however many providers: each run judges everybody as well,
    /// and fails where that says otherwise.
    #[test]
    fn nothing_is_said_otherwise_for_the_people_who_are_left_out(
        nights in prop::collection::vec(a_night(), 3),
        keys in some_keys(),
        has_second in any::<bool>(),
        authority in prop::option::of(prop::sample::select(&["hr", "okta", "okta2"][..])),
        has_hr in prop::bool::weighted(0.8),
    ) {
        tokio::runtime::Runtime::new().unwrap().block_on(async {
            let folders = [tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap()];
            let store = Store::open(&folders[0].path().join("d.db")).unwrap();
            let clock = SimClock::starting_at(FIRST_NIGHT.parse().unwrap());
            for (night, second) in nights {
                night.write(folders[0].path());
                second.write(folders[1].path());
                let now = domain::Clock::now(&clock);
                let mut plan = plan(folders[0].path(), now);
                plan.apps[0].keys = keys.clone();
                plan.policy.shrink_max_percent = 100;
                plan.apps[0].rules.authority = authority.map(|it| SystemId::parse(it).unwrap());
                plan.sources.retain(|it| has_hr || it.kind() != SystemKind::Hr);
                if has_second {
                    let names = ["users.json", "grants.json"];
                    plan.sources.push(files(folders[1].path(), now, "okta2", SystemKind::Idp, &names));
                    plan.apps[0].rules.idps.push(SystemId::parse("okta2").unwrap());
                }
                run(&store, &plan, &clock).await.unwrap();
                clock.advance(TimeDelta::days(1));
            }
        });
    }
}
