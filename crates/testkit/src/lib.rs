//! Worlds in a few lines of text, for tests. Not shipped.
//!
//! ```text
//! okta                                          # an IdP; `(partial)`, `(assigned only)`, `(lifecycle only)`
//!   00u1 ana@x.test ACTIVE assigned             # id, sign-in name, status, then words and key=value
//!   00u2 bob@x.test DEPROVISIONED since=-3h emp=1041
//! app                                           # the app; `(partial)`
//!   a1 00u1 ana@x.test on                       # id, externalId or -, userName, on|off|null|absent|invited|garbled
//!   a2 -    eve@x.test on roles=Admin
//! hr
//!   emp=1041 left=-5h                         # `payroll` is another such list; `gone seen=-48h missed=-24h`: in no list since
//! register
//!   a2 owner=ana@x.test attest=+10d
//! ```
//!
//! An identity with the status `deleted` is in a list of the deleted, which has no status. An identity's
//! address is its name unless `mail=` says otherwise; likewise an account's.
//! `gone` marks a row of an earlier list, `unlisted` somebody whose assignment alone is listed. Times
//! count from the run's: `-3h`, `+10d`.

#![expect(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    clippy::missing_panics_doc,
    clippy::too_many_lines,
    reason = "a world that cannot be read is a mistake in a test, and a panic says where"
)]

use chrono::{DateTime, TimeDelta, Utc};
use domain::{
    Account, ActiveFlag, AsOf, AsOfBasis, Assignment, Coverage, EntityId, Grant, HrLeaver, IdForm,
    Identity, IdentityKind, Invitation, Lifecycle, List, NonHuman, Population, Principal, Proof,
    SnapshotId, SnapshotRef, Stream, SystemId, Text, Via,
};
use drift::{AppRules, Context, Deprovision, Entitlement, Past, Policy, judge};
mod life;

use graph::{Estate, IdpView, KeyRules, ListView, Sighting, SnapshotView, Standing, correlate};
pub use life::Life;

/// A small company.
#[derive(Debug, Default)]
pub struct World {
    idps: Vec<Idp>,
    accounts: Vec<(Account, bool)>,
    /// HR's rows with their list, and where one is gone, as of when it was seen last.
    leavers: Vec<(HrLeaver, &'static str, Option<LastSeen>)>,
    /// Registered non-human accounts.
    pub nonhumans: Vec<NonHuman>,
    app_partial: bool,
    /// Links of earlier runs: account, identity, key.
    pub stored_links: Vec<(String, String, domain::Tier)>,
    /// Decisions of operators.
    pub decisions: Vec<domain::Decision>,
    /// How much later than [`as_of`] its lists speak.
    pub later: TimeDelta,
    /// How much earlier than the others the app's list speaks.
    pub app_behind: TimeDelta,
    /// Its lists are asked for over the network: the run had read them by its own time.
    pub is_live: bool,
}

/// As of when a row of HR's was seen last, and by when a list without it had been read.
#[derive(Clone, Copy, Debug)]
struct LastSeen {
    at: DateTime<Utc>,
    missed_by: Option<DateTime<Utc>>,
}

#[derive(Debug)]
struct Idp {
    id: SystemId,
    partial: bool,
    assigned_only: bool,
    lifecycle_only: bool,
    identities: Vec<(Identity, bool)>,
    assignments: Vec<(Assignment, bool)>,
}

/// Gives a parser again all that a fuzzer kept for the target of this name.
///
/// # Panics
///
/// If the parser does, with the name of the input; and if there is none.
pub fn replay(target: &str, parse: fn(&[u8])) {
    let folder = format!("{}/../../tests/fuzz/corpus/{target}", env!("CARGO_MANIFEST_DIR"));
    let inputs = std::fs::read_dir(&folder).unwrap_or_else(|error| panic!("{folder}: {error}"));
    let mut n_inputs = 0;
    for input in inputs {
        let path = input.unwrap().path();
        let bytes = std::fs::read(&path).unwrap();
        let parsed = std::panic::catch_unwind(|| parse(&bytes));
        assert!(parsed.is_ok(), "{target}: {} breaks it", path.display());
        n_inputs += 1;
    }
    assert!(n_inputs > 0, "{folder} is empty: let `tests/fuzz/run` fill it");
}

/// The time of every test's run.
#[must_use]
pub fn now() -> DateTime<Utc> {
    "2026-11-20T03:00:00Z".parse().unwrap()
}

/// As of when the lists of a world speak.
#[must_use]
pub fn as_of() -> DateTime<Utc> {
    "2026-11-20T02:00:00Z".parse().unwrap()
}

/// Reads a world.
#[must_use]
pub fn world(text: &str) -> World {
    let mut world = World::default();
    let mut section = String::new();
    for line in text.lines() {
        let line = line.split('#').next().unwrap();
        let words: Vec<&str> = line.split_whitespace().collect();
        let Some(first) = words.first() else { continue };
        let is_header =
            matches!(*first, "okta" | "entra" | "onelogin" | "app" | "hr" | "payroll" | "register");
        if is_header {
            section = (*first).to_owned();
            world.begin(&section, line);
        } else {
            world.row(&section, &words);
        }
    }
    world
}

impl World {
    fn begin(&mut self, section: &str, line: &str) {
        match section {
            "app" => self.app_partial = line.contains("(partial)"),
            "hr" | "payroll" | "register" => {}
            idp => self.idps.push(Idp {
                id: SystemId::parse(idp).unwrap(),
                partial: line.contains("(partial)"),
                assigned_only: line.contains("(assigned only)"),
                lifecycle_only: line.contains("(lifecycle only)"),
                identities: Vec::new(),
                assignments: Vec::new(),
            }),
        }
    }

    fn row(&mut self, section: &str, words: &[&str]) {
        let value = |key: &str| {
            words.iter().find_map(|it| it.strip_prefix(key)?.strip_prefix('=')).map(Text::from)
        };
        let has = |word: &str| words.contains(&word);
        match section {
            "hr" | "payroll" => {
                let leaver = HrLeaver {
                    id: value("emp").or(value("mail")).unwrap(),
                    employee_number: value("emp"),
                    email: value("mail"),
                    display_name: None,
                    left_at: time(&value("left").unwrap()),
                    reason: None,
                };
                let last_seen = LastSeen {
                    at: value("seen").map_or_else(as_of, |it| time(&it)),
                    missed_by: value("missed").map(|it| time(&it)),
                };
                let list = if section == "hr" { "hr" } else { "payroll" };
                self.leavers.push((leaver, list, has("gone").then_some(last_seen)));
            }
            "register" => self.nonhumans.push(NonHuman {
                account: words[0].into(),
                owner: value("owner"),
                purpose: value("purpose"),
                attest_by: value("attest").map(|it| time(&it)),
            }),
            "app" => {
                let name = (words[2] != "-").then(|| Text::from(words[2]));
                let account = Account {
                    id: words[0].into(),
                    external_id: (words[1] != "-").then(|| words[1].into()),
                    user_name: name.clone(),
                    email: value("mail").or(name),
                    employee_number: value("emp"),
                    display_name: None,
                    active: match words[3] {
                        "on" | "invited" => ActiveFlag::Set(true),
                        "off" => ActiveFlag::Set(false),
                        "null" => ActiveFlag::Null,
                        "absent" => ActiveFlag::Absent,
                        other => ActiveFlag::Unparseable(other.into()),
                    },
                    invitation: if words[3] == "invited" {
                        Invitation::Pending
                    } else {
                        Invitation::NotStated
                    },
                    raw_status: None,
                    active_source: None,
                    roles: value("roles").map(|it| it.split(',').map(Into::into).collect()),
                    groups: value("groups").map(|it| it.split(',').map(Into::into).collect()),
                    ends_at: None,
                    created_at: value("created").map(|it| time(&it)),
                    modified_at: None,
                    last_used_at: None,
                };
                self.accounts.push((account, has("gone")));
            }
            _ => {
                let idp = self.idps.last_mut().unwrap();
                let name = (words[1] != "-").then(|| Text::from(words[1]));
                let identity = (
                    Identity {
                        id: words[0].into(),
                        user_name: name.clone(),
                        email: value("mail").or(name),
                        employee_number: value("emp"),
                        immutable_id: None,
                        display_name: None,
                        kind: if has("guest") { IdentityKind::Guest } else { IdentityKind::Member },
                        lifecycle: lifecycle(words[2]),
                        raw_status: (words[2] != "deleted").then(|| words[2].into()),
                        created_at: value("created").map(|it| time(&it)),
                        status_changed_at: value("since").map(|it| time(&it)),
                        starts_at: value("starts").map(|it| time(&it)),
                        ends_at: value("ends").map(|it| time(&it)),
                    },
                    has("gone"),
                );
                idp.identities.extend((!has("unlisted")).then_some(identity));
                let grant = match (has("assigned"), has("denied"), has("undecided")) {
                    (true, ..) => Grant::Grants,
                    (_, true, _) => Grant::Denies,
                    (_, _, true) => Grant::Undecided,
                    _ => return,
                };
                idp.assignments.push((
                    Assignment {
                        principal: Principal::Identity(words[0].into()),
                        via: Via::Direct,
                        grant,
                        raw_status: None,
                        account_id: value("account"),
                        user_name: value("as"),
                        changed_at: value("changed").map(|it| time(&it)),
                    },
                    has("gone"),
                ));
            }
        }
    }

    /// The world as the graph's input.
    #[must_use]
    pub fn estate(&self) -> Estate {
        let mut snapshots: Vec<SnapshotView> = Vec::new();
        let mut estate = Estate {
            app: SystemId::parse("app").unwrap(),
            snapshots: Vec::new(),
            idps: Vec::new(),
            channels: Vec::new(),
            hr: Vec::new(),
            identities: Vec::new(),
            assignments: Vec::new(),
            memberships: Vec::new(),
            accounts: Vec::new(),
            leavers: Vec::new(),
            nonhumans: self.nonhumans.clone(),
            decisions: self.decisions.clone(),
            stored_links: Default::default(),
            n_plain: 0,
            asked_again: Default::default(),
            missed_by: Default::default(),
        };
        for (at, idp) in self.idps.iter().enumerate() {
            let (at, number) = (u16::try_from(at).unwrap(), i64::try_from(at).unwrap());
            let population =
                if idp.assigned_only { Population::Assigned } else { Population::Everyone };
            let identities = list(
                &mut snapshots,
                &idp.id,
                List::Identities,
                idp.partial,
                population,
                self.later,
            );
            let assignments = (!idp.lifecycle_only).then(|| {
                list(
                    &mut snapshots,
                    &idp.id,
                    List::Assignments,
                    idp.partial,
                    Population::Assigned,
                    self.later,
                )
            });
            let named =
                |n: usize, kind: i64| EntityId(kind + 10_000 * number + i64::try_from(n).unwrap());
            let users = idp.identities.iter().enumerate();
            estate.identities.extend(users.map(|(n, (row, gone))| {
                sighting(row, named(n, 1), identities.latest.unwrap(), at, *gone)
            }));
            if let Some(assignments) = &assignments {
                let rows = idp.assignments.iter().enumerate();
                estate.assignments.extend(rows.map(|(n, (row, gone))| {
                    sighting(row, named(n, 5_001), assignments.latest.unwrap(), at, *gone)
                }));
            }
            let id_form = match idp.id.as_str() {
                "okta" => IdForm::Okta,
                "entra" => IdForm::Entra,
                _ => IdForm::OneLogin,
            };
            estate.idps.push(IdpView {
                id: idp.id.clone(),
                id_form: Some(id_form),
                identities,
                assignments,
                memberships: None,
            });
        }
        let app = list(
            &mut snapshots,
            &estate.app,
            List::Accounts,
            self.app_partial,
            Population::Everyone,
            self.later - self.app_behind,
        );
        let rows = self.accounts.iter().enumerate();
        estate.accounts = rows
            .map(|(n, (row, gone))| {
                sighting(
                    row,
                    EntityId(1_000_000 + i64::try_from(n).unwrap()),
                    app.latest.unwrap(),
                    0,
                    *gone,
                )
            })
            .collect();
        estate.channels.push(app);
        for name in ["hr", "payroll"] {
            let hr = SystemId::parse(name).unwrap();
            let at = u16::try_from(estate.hr.len()).unwrap();
            if !self.leavers.iter().any(|it| it.1 == name) {
                continue;
            }
            let view =
                list(&mut snapshots, &hr, List::Leavers, false, Population::Everyone, self.later);
            let rows = self.leavers.iter().enumerate().filter(|it| it.1.1 == name);
            estate.leavers.extend(rows.map(|(n, (row, _, gone))| {
                let mut shown_by = view.latest.unwrap();
                let entity = EntityId(2_000_000 + i64::try_from(n).unwrap());
                if let Some(last_seen) = gone {
                    let mut earlier = snapshots[shown_by as usize].clone();
                    earlier.reference.as_of.at = last_seen.at + self.later;
                    estate.missed_by.extend(last_seen.missed_by.map(|it| (entity, it)));
                    shown_by = u32::try_from(snapshots.len()).unwrap();
                    snapshots.push(earlier);
                }
                sighting(row, entity, shown_by, at, gone.is_some())
            }));
            estate.hr.push(view);
        }
        estate.snapshots = snapshots;
        for it in estate
            .idps
            .iter_mut()
            .flat_map(|it| std::iter::once(&mut it.identities).chain(&mut it.assignments))
        {
            it.is_live = self.is_live;
        }
        estate.channels.iter_mut().for_each(|it| it.is_live = self.is_live);
        for (account, identity, tier) in &self.stored_links {
            let account = estate.accounts.iter().find(|it| *it.row.id == **account).unwrap();
            let identity = estate.identities.iter().find(|it| *it.row.id == **identity).unwrap();
            estate.stored_links.insert(account.entity, (identity.entity, *tier));
        }
        estate
    }
}

fn list(
    snapshots: &mut Vec<SnapshotView>,
    system: &SystemId,
    list: List,
    is_partial: bool,
    population: Population,
    later: TimeDelta,
) -> ListView {
    let stream = Stream {
        system: system.clone(),
        list,
        channel: (list == List::Accounts).then_some(domain::Channel::Scim),
    };
    let at = u32::try_from(snapshots.len()).unwrap();
    let reason = "the test says so".to_owned();
    snapshots.push(SnapshotView {
        reference: SnapshotRef {
            id: SnapshotId(i64::from(at) + 1),
            stream: stream.clone(),
            as_of: AsOf { at: as_of() + later, basis: AsOfBasis::Stated },
            coverage: if is_partial {
                Coverage::Partial { reason: reason.clone() }
            } else {
                Coverage::Complete(Proof::DeclaredWhole)
            },
            population,
            id_form: None,
            held: None,
            n_rows: 0,
            digest: [0; 32],
            body_digest: [0; 32],
        },
        files: Vec::new(),
        is_stale: false,
        is_by_id: false,
    });
    ListView {
        stream,
        latest: Some(at),
        base: (!is_partial).then_some(at),
        why_no_base: is_partial.then_some(reason),
        is_stand_in: false,
        hidden: Vec::new(),
        answers: None,
        is_live: false,
    }
}

fn sighting<T: Clone>(
    row: &T,
    entity: EntityId,
    snapshot: u32,
    system: u16,
    gone: bool,
) -> Sighting<T> {
    let standing = if gone { Standing::Gone } else { Standing::Listed };
    Sighting { row: row.clone(), entity, snapshot, system, origin: None, standing }
}

fn lifecycle(status: &str) -> Lifecycle {
    match status {
        "ACTIVE" | "LOCKED_OUT" | "PROVISIONED" => Lifecycle::Active,
        "SUSPENDED" => Lifecycle::Suspended,
        "STAGED" => Lifecycle::NotYet,
        "DEPROVISIONED" | "disabled" | "deleted" => Lifecycle::Left,
        "-" => Lifecycle::NotStated,
        _ => Lifecycle::Unknown,
    }
}

/// `-3h`, `+10d`, `+0h`: from the run's time.
fn time(text: &str) -> DateTime<Utc> {
    let (number, unit) = text.split_at(text.len() - 1);
    let number: i64 = number.parse().unwrap();
    now() + if unit == "d" { TimeDelta::days(number) } else { TimeDelta::hours(number) }
}

/// Rules of an app bound to every IdP of the world.
#[must_use]
pub fn rules(world: &World) -> AppRules {
    AppRules {
        app: SystemId::parse("app").unwrap(),
        idps: world.idps.iter().map(|it| it.id.clone()).collect(),
        entitlement: Entitlement::Any,
        authority: None,
        deprovision: Deprovision::Lists,
        is_on_vendors_word: false,
        required_channels: Vec::new(),
        privileged_roles: vec!["Admin".to_owned()],
        canaries: Vec::new(),
        inactive_canaries: Vec::new(),
    }
}

/// Keys: employee numbers make persons.
#[must_use]
pub fn keys() -> KeyRules {
    KeyRules { person_keys: vec![graph::PersonKey::EmployeeNumber], ..KeyRules::default() }
}

/// Judges a world with nothing behind it, one line per claim: subject, cause, severity, in order.
#[must_use]
pub fn claims(world: &World) -> String {
    claims_with(world, &rules(world), &Past::default())
}

/// Judges a world by these rules and with this past.
#[must_use]
pub fn claims_with(world: &World, rules: &AppRules, past: &Past) -> String {
    let estate = world.estate();
    let keys = keys();
    let graph = correlate(&estate, &keys);
    let policy = Policy::default();
    let cx = Context {
        graph: &graph,
        rules,
        policy: &policy,
        past,
        pass: domain::Pass::Full,
        now: now(),
    };
    let judgement = judge(&cx);
    let mut lines: Vec<String> = judgement
        .claims
        .iter()
        .map(|it| format!("{} {} {}", it.subject.key, it.cause, it.severity))
        .collect();
    lines.sort();
    if lines.is_empty() { "nothing".to_owned() } else { lines.join("\n") }
}

/// The leavers of a world, one line each: key, how it ended, who says so, and each account with what
/// it shows, `?` where it may be somebody else's; in order.
#[must_use]
pub fn leavers(world: &World) -> String {
    let estate = world.estate();
    let (keys, policy, past) = (keys(), Policy::default(), Past::default());
    let graph = correlate(&estate, &keys);
    let rules = rules(world);
    let (graph, pass) = (&graph, domain::Pass::Full);
    let cx = Context { graph, rules: &rules, policy: &policy, past: &past, pass, now: now() };
    let mut lines: Vec<String> = judge(&cx)
        .leavers
        .iter()
        .map(|it| {
            let said: Vec<&str> = it.said_by.iter().map(|it| it.system.as_str()).collect();
            let mut line = format!("{} {} by [{}]", it.person.key, it.kind, said.join(" "));
            for account in &it.accounts {
                let doubt = if account.tier.is_none() { "?" } else { "" };
                line.push_str(&format!(" {}{doubt} {}", account.key, account.activity));
            }
            if it.may_mean_others {
                line.push_str(" (may mean others)");
            }
            for decided in &it.decided {
                line.push_str(&format!(" (decided by {:?})", decided.entry));
            }
            line
        })
        .collect();
    lines.sort();
    lines.join("\n")
}

/// The verdicts of a world's accounts, one line each: account and verdict, in order.
#[must_use]
pub fn verdicts(world: &World) -> String {
    let estate = world.estate();
    let keys = keys();
    let graph = correlate(&estate, &keys);
    let (rules, policy, past) = (rules(world), Policy::default(), Past::default());
    let cx = Context {
        graph: &graph,
        rules: &rules,
        policy: &policy,
        past: &past,
        pass: domain::Pass::Full,
        now: now(),
    };
    let judgement = judge(&cx);
    let name = |entity: EntityId| {
        estate.accounts.iter().find(|it| it.entity == entity).map_or("?", |it| &*it.row.id)
    };
    let mut lines: Vec<String> = judgement
        .standings
        .iter()
        .map(|(entity, verdict, _)| format!("{} {}", name(*entity), verdict.name()))
        .collect();
    lines.sort();
    lines.join("\n")
}
