//! Laws of the guard, for whatever happens to a company of sixty from night to night.

use domain::{Cause, Direction, Finding, FindingState};
use proptest::prelude::*;
use testkit::{Life, world};

/// How many of sixty people are so, on one night.
#[derive(Clone, Copy, Debug)]
struct Night {
    /// The first so many are not assigned.
    n_unassigned: usize,
    /// The last so many have left.
    n_left: usize,
    /// The first so many accounts are off.
    n_off: usize,
    /// So many accounts are nobody's.
    n_orphans: usize,
}

const PEOPLE: usize = 60;
/// So many changes of one kind are always let through.
const LET_THROUGH: usize = 20;

fn night() -> impl Strategy<Value = Night> {
    let some = || prop_oneof![Just(0), 0..PEOPLE];
    (some(), some(), some(), some()).prop_map(|(n_unassigned, n_left, n_off, n_orphans)| Night {
        n_unassigned,
        n_left,
        n_off,
        n_orphans,
    })
}

fn estate(night: Night) -> String {
    let (mut okta, mut app) = (String::from("okta\n"), String::from("app\n"));
    for at in 0..PEOPLE {
        let status = if at >= PEOPLE - night.n_left { "DEPROVISIONED" } else { "ACTIVE" };
        let assigned = if at < night.n_unassigned { "" } else { "assigned" };
        let state = if at < night.n_off { "off" } else { "on" };
        okta.push_str(&format!("u{at} p{at}@x.test {status} {assigned}\n"));
        app.push_str(&format!("a{at} u{at} p{at}@x.test {state}\n"));
    }
    for at in 0..night.n_orphans {
        app.push_str(&format!("r{at} - robot{at}@x.test on\n"));
    }
    okta + &app
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 64, ..ProptestConfig::default() })]

    #[test]
    fn what_is_held_neither_opens_nor_closes(nights in prop::collection::vec(night(), 2..6)) {
        let mut life = Life::new();
        for it in nights {
            let before = life.findings.clone();
            life.night(world(&estate(it)));
            for finding in life.findings.values() {
                let old = before.get(&finding.id);
                match finding.held {
                    Some(Direction::Openings) => prop_assert!(finding.opened_at.is_none()),
                    Some(Direction::Closings) => prop_assert!(finding.is_live()),
                    None => prop_assert_ne!(finding.state, FindingState::Held),
                }
                let ended = |it: &Finding| it.exposures.iter().filter(|it| it.first_seen_inactive.is_some()).count();
                if finding.held.is_some() {
                    prop_assert_eq!(old.map_or(0, ended), ended(finding), "a held end is no evidence");
                }
            }
        }
    }

    #[test]
    fn a_leaver_is_never_held(nights in prop::collection::vec(night(), 2..6)) {
        let mut life = Life::new();
        for it in nights {
            life.night(world(&estate(it)));
            for finding in life.findings.values().filter(|it| it.cause == Cause::LeaverActive) {
                prop_assert_ne!(finding.held, Some(Direction::Openings));
            }
        }
    }

    #[test]
    fn no_night_closes_more_than_is_let_through(nights in prop::collection::vec(night(), 2..6)) {
        let mut life = Life::new();
        for it in nights {
            // What was not seen once and never opened is no closing.
            let has_told = |it: &Finding| it.opened_at.is_some() || it.cause == Cause::LeaverActive;
            let was_live = |old: Option<&Finding>| old.is_some_and(|it| it.is_live() && has_told(it));
            let before = life.findings.clone();
            life.night(world(&estate(it)));
            let closed = life.findings.values().filter(|it| !it.is_live() && was_live(before.get(&it.id)));
            // A finding of an employment before ends where the next begins: nothing is closed by it.
            let n_closed = closed.filter(|it| !life.findings.values().any(|other| other.id > it.id && other.fingerprint == it.fingerprint)).count();
            prop_assert!(n_closed <= LET_THROUGH, "{} closed", n_closed);
        }
    }

    #[test]
    fn the_digest_of_a_hold_names_what_is_held(one in night(), other in night()) {
        let held = |it: Night| {
            let mut life = Life::new();
            life.night(world(&estate(Night { n_unassigned: 0, n_left: 0, n_off: 0, n_orphans: 0 })));
            life.night(world(&estate(it)));
            let mut keys: Vec<String> = life.findings.values().filter(|it| it.held.is_some())
                .map(|it| format!("{} {}", it.subject.key, it.family())).collect();
            keys.sort();
            (keys, life.holds.first().map(|it| it.digest))
        };
        let (one, other) = (held(one), held(other));
        prop_assert_eq!(one.0 == other.0, one.1 == other.1);
    }
}
