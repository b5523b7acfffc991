//! Events of the system log: which of them say something about a person's access, and what.
//!
//! Source: Okta event catalogue 2026.08.1. Okta's own examples carry null in twenty fields that
//! their schema calls required, so here every field may be null or missing, and targets are
//! picked by type: their order is not fixed.

use chrono::{DateTime, SubsecRound as _, Utc};
use domain::{LogEvent, LogEventKind, Text};
use serde::Deserialize;

/// What a page of the log said.
#[derive(Debug, Default, PartialEq, Eq)]
pub(crate) struct Events {
    /// What matters, in the order of the page.
    pub(crate) events: Vec<LogEvent>,
    /// Events of any kind.
    pub(crate) n_seen: u64,
    /// Events of a kind that matters which do not say when, whom or how it went.
    pub(crate) n_unusable: u64,
}

/// Reads one page of the log.
///
/// # Errors
///
/// Returns the decoder's error when the body is no array of objects.
pub(crate) fn read(body: &[u8], app_id: &str) -> Result<Events, serde_json::Error> {
    let wire: Vec<Event> = serde_json::from_slice(body)?;
    let mut page = Events { n_seen: wire.len() as u64, ..Events::default() };
    for event in wire {
        match meaning(&event, app_id) {
            Meaning::Nothing => {}
            Meaning::Unusable => page.n_unusable += 1,
            Meaning::Event(event) => page.events.push(event),
        }
    }
    Ok(page)
}

enum Meaning {
    Nothing,
    Unusable,
    Event(LogEvent),
}

fn meaning(event: &Event, app_id: &str) -> Meaning {
    // Only events of certain types are asked for.
    let Some(event_type) = event.event_type.as_deref() else { return Meaning::Unusable };
    let Some(subject) = subject(event_type) else { return Meaning::Nothing };
    if subject.is_about_app {
        match target(event, "AppInstance") {
            Some(id) if *id == *app_id => {}
            Some(_) => return Meaning::Nothing,
            None => return Meaning::Unusable,
        }
    }
    let outcome = event.outcome.as_ref().and_then(|it| it.result.as_deref());
    let kind = match (subject.what, outcome) {
        (What::Happened(kind), Some("SUCCESS")) => kind,
        (What::Pushed, Some("SUCCESS")) => LogEventKind::Pushed,
        (What::Pushed, Some("FAILURE")) => LogEventKind::PushFailed,
        // What was refused, put off or skipped did not happen.
        (_, Some(_)) => return Meaning::Nothing,
        (_, None) => return Meaning::Unusable,
    };
    let (Some(id), Some(at), Some(identity)) = (
        event.uuid.as_deref(),
        event.published.as_deref().and_then(instant),
        target(event, "User"),
    ) else {
        return Meaning::Unusable;
    };
    Meaning::Event(LogEvent { id: id.into(), at, kind, identity })
}

/// What a type of event is about.
struct Subject {
    what: What,
    /// Whether only those of our app count.
    is_about_app: bool,
}

enum What {
    /// It says that this happened.
    Happened(LogEventKind),
    /// Okta told the app to take the account away.
    Pushed,
}

/// What a type of event says; `None` for all others, also for types that come later.
///
/// `application.user_membership.deprovision` is left out: the access was lost earlier, with
/// `revoke`, and a later time would make an answer in time of one that was late.
fn subject(event_type: &str) -> Option<Subject> {
    use LogEventKind::{Assigned, Left, Returned, Suspended, Unassigned};
    let of_user = |kind| Some(Subject { what: What::Happened(kind), is_about_app: false });
    let of_app = |kind| Some(Subject { what: What::Happened(kind), is_about_app: true });
    match event_type {
        "user.lifecycle.deactivate"
        | "user.lifecycle.delete.initiated"
        | "user.lifecycle.delete.completed" => of_user(Left),
        "user.lifecycle.suspend" => of_user(Suspended),
        "user.lifecycle.activate" | "user.lifecycle.reactivate" | "user.lifecycle.unsuspend" => {
            of_user(Returned)
        }
        "application.user_membership.add" => of_app(Assigned),
        "application.user_membership.remove" | "application.user_membership.revoke" => {
            of_app(Unassigned)
        }
        "application.provision.user.deactivate" | "application.provision.user.delete" => {
            Some(Subject { what: What::Pushed, is_about_app: true })
        }
        _ => None,
    }
}

/// The id of the first target of a type.
fn target(event: &Event, kind: &str) -> Option<Text> {
    let targets = event.target.iter().flatten().flatten();
    let mut of_kind = targets.filter(|it| it.kind.as_deref() == Some(kind));
    of_kind.find_map(|it| it.id.as_deref().filter(|id| !id.is_empty()).map(Into::into))
}

fn instant(text: &str) -> Option<DateTime<Utc>> {
    DateTime::parse_from_rfc3339(text).ok().map(|it| it.to_utc().trunc_subsecs(3))
}

/// As much of an event as is read. The other members are skipped, whatever they hold.
#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
struct Event {
    uuid: Option<String>,
    published: Option<String>,
    event_type: Option<String>,
    outcome: Option<Outcome>,
    target: Option<Vec<Option<Target>>>,
}

#[derive(Debug, Deserialize)]
struct Outcome {
    result: Option<String>,
}

#[derive(Debug, Deserialize)]
struct Target {
    id: Option<String>,
    #[serde(rename = "type")]
    kind: Option<String>,
}

#[cfg(test)]
mod tests {
    use super::*;

    /// An event about `00u1` and `0oa1`, with the app user first as Okta may write it.
    fn event(event_type: &str, result: &str) -> String {
        format!(
            r#"{{"uuid":"e1","published":"2026-01-30T17:02:14.221Z","eventType":"{event_type}","version":0,
            "actor":{{"id":"00uadmin","type":"User"}},"outcome":{{"result":{result},"reason":null}},
            "target":[{{"id":"0ua9","type":"AppUser"}},null,{{"id":"0oa1","type":"AppInstance"}},
            {{"id":"00u1","type":"User","detailEntry":null}}]}}"#
        )
    }

    fn one(event: &str, app_id: &str) -> String {
        let page = read(format!("[{event}]").as_bytes(), app_id).unwrap();
        assert_eq!(page.n_seen, 1);
        match page.events.as_slice() {
            [] if page.n_unusable == 1 => "unusable".to_owned(),
            [] => "nothing".to_owned(),
            [event] => format!("{:?} {} {}", event.kind, event.identity, event.at),
            _ => unreachable!("one event is one event"),
        }
    }

    #[test]
    fn events_say_what_happened_to_whom() {
        let at = "00u1 2026-01-30 17:02:14.221 UTC";
        for (event_type, said) in [
            ("user.lifecycle.deactivate", "Left"),
            ("user.lifecycle.delete.initiated", "Left"),
            ("user.lifecycle.delete.completed", "Left"),
            ("user.lifecycle.suspend", "Suspended"),
            ("user.lifecycle.unsuspend", "Returned"),
            ("user.lifecycle.activate", "Returned"),
            ("user.lifecycle.reactivate", "Returned"),
            ("application.user_membership.add", "Assigned"),
            ("application.user_membership.remove", "Unassigned"),
            ("application.user_membership.revoke", "Unassigned"),
            ("application.provision.user.deactivate", "Pushed"),
            ("application.provision.user.delete", "Pushed"),
        ] {
            let event = event(event_type, "\"SUCCESS\"");
            assert_eq!(one(&event, "0oa1"), format!("{said} {at}"), "{event_type}");
        }
    }

    #[test]
    fn other_events_say_nothing() {
        for event_type in [
            "user.session.start",
            "user.lifecycle.create",
            "application.user_membership.deprovision",
            "application.provision.user.delete.schedule",
            "user.lifecycle.something.new",
        ] {
            assert_eq!(one(&event(event_type, "\"SUCCESS\""), "0oa1"), "nothing", "{event_type}");
        }
    }

    #[test]
    fn what_failed_did_not_happen_and_a_failed_push_is_one() {
        let pushed = "application.provision.user.deactivate";
        assert!(one(&event(pushed, "\"FAILURE\""), "0oa1").starts_with("PushFailed 00u1"));
        assert_eq!(one(&event(pushed, "\"DEFERRED\""), "0oa1"), "nothing");
        assert_eq!(one(&event("user.lifecycle.deactivate", "\"FAILURE\""), "0oa1"), "nothing");
        assert_eq!(one(&event("user.lifecycle.deactivate", "null"), "0oa1"), "unusable");
    }

    #[test]
    fn events_of_another_app_are_not_ours_and_those_of_a_person_are_everywhere() {
        let removed = event("application.user_membership.remove", "\"SUCCESS\"");
        assert_eq!(one(&removed, "0oa2"), "nothing");
        assert_eq!(one(&removed.replace("AppInstance", "Other"), "0oa1"), "unusable");
        let left = event("user.lifecycle.deactivate", "\"SUCCESS\"");
        assert!(one(&left, "0oa2").starts_with("Left"));
    }

    #[test]
    fn every_field_may_be_null_or_missing() {
        let whole = event("user.lifecycle.deactivate", "\"SUCCESS\"");
        for (from, to) in [
            ("\"e1\"", "null"),
            ("\"2026-01-30T17:02:14.221Z\"", "null"),
            ("2026-01-30T17:02:14.221Z", "yesterday"),
            ("\"00u1\"", "null"),
            ("\"id\":\"00u1\",\"type\":\"User\"", "\"id\":\"00u1\",\"type\":null"),
        ] {
            assert!(whole.contains(from), "{from}");
            assert_eq!(one(&whole.replace(from, to), "0oa1"), "unusable", "{from} -> {to}");
        }
        let no_type = whole.replace("\"user.lifecycle.deactivate\"", "null");
        let all_null = r#"{"uuid":null,"published":null,"eventType":null,"outcome":null,"target":null,"actor":null}"#;
        for event in [&*no_type, all_null, "{}"] {
            assert_eq!(one(event, "0oa1"), "unusable", "{event}");
        }
    }

    #[test]
    fn what_is_no_array_is_no_page() {
        for body in ["{}", "", "<html>", "[1]", "[{\"uuid\":1}]"] {
            assert!(read(body.as_bytes(), "0oa1").is_err(), "{body}");
        }
    }
}
