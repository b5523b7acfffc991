//! The whole verdict function, as a table that a compliance lead can read.
//!
//! A row is whose account it is and what its owner's right is; a column is what the app shows.

use domain::{Activity, LinkKind, Right};
use drift::verdict;

/// The table. `ok`: confirmed. `off`: confirmed offboarded. `none`: no account. `later`: nothing
/// is due yet. `?`: too little was seen, and nothing is claimed. Everything else is a finding.
const TABLE: &str = "\
[linked]              active              inactive            invited             absent              not_stated          unknown
  entitled            ok                  disabled_entitled   later               vanished            ?                   ?
  leaver              leaver_active       off                 access_invited      off                 leaver_listed       ?
  expired             external_expired    off                 access_invited      off                 ?                   ?
  unassigned          unassigned_active   off                 access_invited      off                 ?                   ?
  suspended           suspended_active    later               access_invited      later               ?                   ?
  not_yet             later               later               later               later               later               later
  source_gone         source_gone_active  off                 access_invited      off                 ?                   ?
  unknown             ?                   ?                   ?                   ?                   ?                   ?
[candidate]           active              inactive            invited             absent              not_stated          unknown
  entitled            ?                   ?                   ?                   ?                   ?                   ?
  leaver              leaver_active       ?                   ?                   ?                   leaver_listed       ?
  expired             external_expired    ?                   ?                   ?                   ?                   ?
  unassigned          ?                   ?                   ?                   ?                   ?                   ?
  suspended           ?                   ?                   ?                   ?                   ?                   ?
  not_yet             ?                   ?                   ?                   ?                   ?                   ?
  source_gone         ?                   ?                   ?                   ?                   ?                   ?
  unknown             ?                   ?                   ?                   ?                   ?                   ?
[ambiguous]           active              inactive            invited             absent              not_stated          unknown
  entitled            ambiguous_link      ?                   ambiguous_link      ?                   ambiguous_link      ?
  leaver              leaver_active       off                 ambiguous_link      off                 leaver_listed       ?
  expired             external_expired    off                 ambiguous_link      off                 ambiguous_link      ?
  unassigned          ambiguous_link      off                 ambiguous_link      off                 ambiguous_link      ?
  suspended           ambiguous_link      ?                   ambiguous_link      ?                   ambiguous_link      ?
  not_yet             ambiguous_link      ?                   ambiguous_link      ?                   ambiguous_link      ?
  source_gone         ambiguous_link      off                 ambiguous_link      off                 ambiguous_link      ?
  unknown             ambiguous_link      ?                   ambiguous_link      ?                   ambiguous_link      ?
[conflict]            active              inactive            invited             absent              not_stated          unknown
  entitled            link_conflict       ?                   link_conflict       ?                   link_conflict       ?
  leaver              leaver_active       off                 link_conflict       off                 leaver_listed       ?
  expired             external_expired    off                 link_conflict       off                 link_conflict       ?
  unassigned          link_conflict       off                 link_conflict       off                 link_conflict       ?
  suspended           link_conflict       ?                   link_conflict       ?                   link_conflict       ?
  not_yet             link_conflict       ?                   link_conflict       ?                   link_conflict       ?
  source_gone         link_conflict       off                 link_conflict       off                 link_conflict       ?
  unknown             link_conflict       ?                   link_conflict       ?                   link_conflict       ?
[none]                active              inactive            invited             absent              not_stated          unknown
  entitled            ?                   ?                   ?                   not_provisioned     ?                   ?
  leaver              ?                   ?                   ?                   none                ?                   ?
  expired             ?                   ?                   ?                   none                ?                   ?
  unassigned          orphan_active       none                access_invited      none                ?                   ?
  suspended           ?                   ?                   ?                   none                ?                   ?
  not_yet             ?                   ?                   ?                   later               ?                   ?
  source_gone         source_gone_active  none                access_invited      none                ?                   ?
  unknown             ?                   none                ?                   ?                   ?                   ?
";

fn word(right: Right, activity: Activity, link: LinkKind) -> &'static str {
    match verdict(right, activity, link).name() {
        "confirmed" => "ok",
        "confirmed_offboarded" => "off",
        "no_account" => "none",
        "not_yet" => "later",
        "indeterminate" => "?",
        finding => finding,
    }
}

fn table() -> String {
    let line = |first: &str, cells: &[&str]| {
        let cells: Vec<String> = cells.iter().map(|it| format!("{it:<20}")).collect();
        format!("{first:<22}{}", cells.join("")).trim_end().to_owned() + "\n"
    };
    let mut table = String::new();
    for link in LinkKind::ALL {
        let activities: Vec<&str> = Activity::ALL.iter().map(|it| it.name()).collect();
        table += &line(&format!("[{link}]"), &activities);
        for right in Right::ALL {
            let cells: Vec<&str> =
                Activity::ALL.iter().map(|activity| word(*right, *activity, *link)).collect();
            table += &line(&format!("  {right}"), &cells);
        }
    }
    table
}

#[test]
fn every_right_activity_and_link_has_its_verdict() {
    let (is, should) = (table(), TABLE);
    for (is, should) in is.lines().zip(should.lines()) {
        assert_eq!(is, should);
    }
    assert_eq!(is.lines().count(), should.lines().count());
}

#[test]
fn only_an_entitled_owner_confirms_and_only_certain_absence_offboards() {
    for link in LinkKind::ALL {
        for right in Right::ALL {
            for activity in Activity::ALL {
                let word = word(*right, *activity, *link);
                let case = format!("{link} {right} {activity}");
                if word == "ok" {
                    assert_eq!(
                        (*link, *right, *activity),
                        (LinkKind::Linked, Right::Entitled, Activity::Active),
                        "{case}"
                    );
                }
                if word == "off" {
                    assert!(matches!(activity, Activity::Inactive | Activity::Absent), "{case}");
                }
                // What could not be seen is never a finding, and never all clear.
                if *activity == Activity::Unknown {
                    assert!(matches!(word, "?" | "later"), "{case}: {word}");
                }
            }
        }
    }
}
