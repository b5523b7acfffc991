//! Laws that hold for every company: order never matters, strangers change nothing, and more
//! knowledge of whose an account is never makes the link worse.

use domain::{Decision, LinkKind, Pass, SystemId, Verdict};
use drift::{Context, Past, Policy, judge};
use graph::correlate;
use proptest::prelude::*;
use testkit::{claims, keys, now, rules, verdicts, world};

/// One person, as lines of a world: what Okta says, and the account if there is one. Few names,
/// so that keys meet, agree and collide.
#[derive(Clone, Debug)]
struct Somebody {
    status: &'static str,
    assignment: &'static str,
    name: u8,
    mail: u8,
    employee: Option<u8>,
    account: Option<AccountOf>,
    is_gone: bool,
}

#[derive(Clone, Debug)]
struct AccountOf {
    /// Whose id `externalId` carries, as an offset from the owner; `None`: none.
    external_id: Option<u8>,
    name: u8,
    mail: u8,
    active: &'static str,
}

fn somebody() -> impl Strategy<Value = Somebody> {
    let account = (
        prop::option::of(0..3_u8),
        0..8_u8,
        0..8_u8,
        prop::sample::select(vec!["on", "off", "null", "invited"]),
    )
        .prop_map(|(external_id, name, mail, active)| AccountOf {
            external_id,
            name,
            mail,
            active,
        });
    (
        prop::sample::select(vec!["ACTIVE", "DEPROVISIONED", "SUSPENDED", "STAGED", "HIBERNATING"]),
        prop::sample::select(vec!["assigned", "denied", "undecided", ""]),
        0..8_u8,
        0..8_u8,
        prop::option::of(1..5_u8),
        prop::option::of(account),
        prop::bool::weighted(0.1),
    )
        .prop_map(|(status, assignment, name, mail, employee, account, is_gone)| Somebody {
            status,
            assignment,
            name,
            mail,
            employee,
            account,
            is_gone,
        })
}

fn id(number: usize) -> String {
    format!("00u{number:017}")
}

fn identity_line(number: usize, it: &Somebody) -> String {
    let employee = it.employee.map_or(String::new(), |it| format!("emp=E-{it}"));
    let gone = if it.is_gone { "gone" } else { "" };
    format!(
        "{} n{}@x.test {} {} mail=m{}@x.test {employee} {gone}",
        id(number),
        it.name,
        it.status,
        it.assignment,
        it.mail
    )
}

fn account_line(number: usize, n_people: usize, it: &AccountOf) -> String {
    let external_id = it
        .external_id
        .map_or("-".to_owned(), |offset| id((number + usize::from(offset)) % (n_people + 1)));
    format!("a{number} {external_id} n{}@x.test {} mail=m{}@x.test", it.name, it.active, it.mail)
}

fn lines(people: &[Somebody]) -> (Vec<String>, Vec<String>) {
    let identities = people.iter().enumerate().map(|(at, it)| identity_line(at, it)).collect();
    let accounts = people.iter().enumerate();
    let accounts =
        accounts.filter_map(|(at, it)| Some(account_line(at, people.len(), it.account.as_ref()?)));
    (identities, accounts.collect())
}

fn text(identities: &[String], accounts: &[String]) -> String {
    format!("okta\n{}\napp\n{}\n", identities.join("\n"), accounts.join("\n"))
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn the_order_of_rows_never_matters(
        (people, turn) in (prop::collection::vec(somebody(), 1..10), 0..10_usize),
    ) {
        let (mut identities, mut accounts) = lines(&people);
        let first = world(&text(&identities, &accounts));
        let at = turn % identities.len();
        identities.rotate_left(at);
        identities.reverse();
        if !accounts.is_empty() {
            let at = turn % accounts.len();
            accounts.rotate_right(at);
        }
        let second = world(&text(&identities, &accounts));
        prop_assert_eq!(claims(&first), claims(&second));
        prop_assert_eq!(verdicts(&first), verdicts(&second));
    }

    #[test]
    fn an_unrelated_person_changes_nobody(people in prop::collection::vec(somebody(), 1..10)) {
        let (mut identities, mut accounts) = lines(&people);
        let before = claims(&world(&text(&identities, &accounts)));
        identities.push("00uSTRANGER0000000001 stranger@y.test ACTIVE assigned".to_owned());
        accounts.push("stranger 00uSTRANGER0000000001 stranger@y.test on".to_owned());
        prop_assert_eq!(claims(&world(&text(&identities, &accounts))), before);
    }

    #[test]
    fn a_light_pass_that_asked_nobody_says_nothing(people in prop::collection::vec(somebody(), 1..10)) {
        let (identities, accounts) = lines(&people);
        let company = world(&text(&identities, &accounts));
        let (estate, keys) = (company.estate(), keys());
        let graph = correlate(&estate, &keys);
        let (rules, policy, past) = (rules(&company), Policy::default(), Past::default());
        let (pass, now) = (Pass::Light, now());
        let cx = Context { graph: &graph, rules: &rules, policy: &policy, past: &past, pass, now };
        let judgement = judge(&cx);
        prop_assert!(judgement.claims.is_empty(), "{:?}", judgement.claims);
        prop_assert!(judgement.links.is_empty() && judgement.rights.is_empty());
        let indeterminate = |it: &(_, Verdict, _)| it.1 == Verdict::Indeterminate;
        prop_assert!(judgement.standings.iter().all(indeterminate), "{:?}", judgement.standings);
    }

    #[test]
    fn a_stronger_key_never_makes_a_worse_link(
        (people, who) in (prop::collection::vec(somebody(), 1..10), 0..10_usize),
    ) {
        let (identities, accounts) = lines(&people);
        let company = world(&text(&identities, &accounts));
        let (estate, keys) = (company.estate(), keys());
        let graph = correlate(&estate, &keys);
        for account in 0..graph.accounts().len() {
            let before = graph.link(account).clone();
            let contenders = before.contenders();
            let Some(owner) = contenders.get(who % contenders.len().max(1)).copied() else { continue };
            // The IdP now names this account for one of those who may own it.
            let mut told = identities.clone();
            let name = &graph.account_row(account).row.id;
            told[owner] = format!("{} account={name}", told[owner]);
            if !["assigned", "denied", "undecided"].iter().any(|it| told[owner].contains(it)) {
                continue; // Without an assignment there is nothing to carry the key.
            }
            let company = world(&text(&told, &accounts));
            let estate = company.estate();
            let graph = correlate(&estate, &keys);
            let after = graph.link(account);
            if estate.identities[owner].standing == graph::Standing::Gone {
                continue; // An assignment that is over names nothing.
            }
            prop_assert!(
                matches!(after.kind(), LinkKind::Linked | LinkKind::Conflict),
                "{before:?} became {after:?}"
            );
            let person = after.owner().map(|it| graph.person_of(it));
            prop_assert_eq!(person, Some(graph.person_of(owner)), "{:?} became {:?}", before, after);
            if before.kind() == LinkKind::Linked {
                prop_assert_eq!(after.kind(), LinkKind::Linked);
            }
        }
    }

    /// Nearly every account is linked by a short way; a decision about somebody unknown makes
    /// correlation climb the whole ladder, and must change nothing.
    #[test]
    fn the_short_way_says_what_the_whole_ladder_says(people in prop::collection::vec(somebody(), 1..10)) {
        let (identities, accounts) = lines(&people);
        let short = world(&text(&identities, &accounts));
        let mut long = world(&text(&identities, &accounts));
        for at in 0..people.len() {
            long.decisions.push(Decision {
                app: SystemId::parse("app").unwrap(),
                account: format!("a{at}").into(),
                identity: (SystemId::parse("okta").unwrap(), "nobody".into()),
                is_owner: false,
                by: "a test".to_owned(),
                at: now(),
                reason: "to climb".to_owned(),
                entry: None,
            });
        }
        let (short_estate, long_estate, keys) = (short.estate(), long.estate(), keys());
        let (one, other) = (correlate(&short_estate, &keys), correlate(&long_estate, &keys));
        for account in 0..one.accounts().len() {
            prop_assert_eq!(one.link(account), other.link(account));
        }
    }
}
