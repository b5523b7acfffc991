//! OneLogin's events: when somebody was suspended, deleted or came back, and whether OneLogin told
//! the app to take the account away.
//!
//! Source: OneLogin API 1, Get Events and Get Event Types. What a number of a type means is known
//! from a mirror of OneLogin's documents, so it counts only where the subdomain's own list of types
//! says the same. Events have no place to go on from that lasts: each run asks from the newest event
//! of the last one on, and some hours before, because events may come late. An event that comes
//! again has the same id. How long OneLogin keeps them is not documented.

use chrono::{DateTime, SecondsFormat, SubsecRound as _, TimeDelta, Utc};
use domain::{LogEvent, LogEventKind, Watcher};
use outbound::{Answer, Bytes};
use rustc_hash::FxHashSet;
use serde::Deserialize;
use serde_json::{Number, Value};

use super::paths;
use super::refusal::{Asked, VENDOR};
use crate::gather::Gather;
use crate::live::{LiveError, SwitchedOff, Trouble, chain};
use crate::walk::{Dialect as _, url_of, who_answers};

/// Days that are asked for at first: an SLA of a quarter is within them.
const DAYS_BACK: i64 = 90;

/// Hours before the newest known event that are asked for again.
const OVERLAP_HOURS: i64 = 6;

/// What the log is asked for: whose app, and what a suspended user is.
#[derive(Clone, Copy, Debug)]
pub(super) struct Of<'a> {
    pub(super) app_id: &'a str,
    pub(super) suspended: SwitchedOff,
}

/// A type of events that says something about somebody's access.
struct Kind {
    /// OneLogin's number of it.
    id: u64,
    /// Parts of words that its name or description must have, in lower case.
    has: &'static [&'static str],
    /// And must not have.
    lacks: &'static [&'static str],
    says: Says,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Says {
    /// The user may use nothing any more.
    Suspended,
    /// This happened to the user.
    OfUser(LogEventKind),
    /// This happened to the user's account in the app of the event.
    InApp(LogEventKind),
    /// OneLogin left the account in the app of the event as it was, as its settings say.
    DidNothing,
}

/// The types that count. "Deactivated" (15) is not among them: which status it leads to is not
/// documented. Nor are events of roles, which do not say who lost an app by them.
const KINDS: &[Kind] = &[
    Kind {
        id: 16,
        has: &["activat"],
        lacks: &["deactivat", "reactivat"],
        says: Says::OfUser(LogEventKind::Returned),
    },
    Kind { id: 17, has: &["delet"], lacks: &["fail"], says: Says::OfUser(LogEventKind::Left) },
    Kind { id: 21, has: &["suspen"], lacks: &["fail", "unsuspen"], says: Says::Suspended },
    Kind {
        id: 32,
        has: &["reactivat"],
        lacks: &["fail"],
        says: Says::OfUser(LogEventKind::Returned),
    },
    Kind {
        id: 53,
        has: &["suspen", "app"],
        lacks: &["fail"],
        says: Says::InApp(LogEventKind::Pushed),
    },
    Kind {
        id: 55,
        has: &["delet", "app"],
        lacks: &["fail"],
        says: Says::InApp(LogEventKind::Pushed),
    },
    Kind { id: 60, has: &["nothing"], lacks: &[], says: Says::DidNothing },
    Kind {
        id: 61,
        has: &["suspen", "fail"],
        lacks: &[],
        says: Says::InApp(LogEventKind::PushFailed),
    },
    Kind {
        id: 63,
        has: &["delet", "fail"],
        lacks: &[],
        says: Says::InApp(LogEventKind::PushFailed),
    },
];

/// Types that mean here what they are known to mean: numbers of [`KINDS`], in order.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Confirmed(Vec<u64>);

impl Confirmed {
    /// Reads the subdomain's own list of types.
    pub(super) fn read(body: &[u8]) -> Result<Self, serde_json::Error> {
        let Listed { data } = serde_json::from_slice::<Listed<Type>>(body)?;
        let is_meant = |kind: &&Kind| {
            let listed = data.iter().find(|it| number(it.id.as_ref()) == Some(kind.id));
            listed.is_some_and(|it| it.says(kind))
        };
        Ok(Self(KINDS.iter().filter(is_meant).map(|it| it.id).collect()))
    }

    /// Numbers of types whose meaning was not confirmed.
    pub(super) fn missing(&self) -> Vec<u64> {
        KINDS.iter().map(|it| it.id).filter(|it| !self.0.contains(it)).collect()
    }

    fn written(&self) -> String {
        self.0.iter().map(u64::to_string).collect::<Vec<_>>().join(",")
    }

    fn parse(text: &str) -> Option<Self> {
        let ids: Vec<u64> = text.split(',').map(|it| it.parse().ok()).collect::<Option<_>>()?;
        ids.iter().all(|id| KINDS.iter().any(|it| it.id == *id)).then_some(Self(ids))
    }
}

/// Reads what is new. `cursor` is what the last poll gave. The list of types is asked for unless
/// `trusts_cursor`, which is for those who look often: then the cursor says what was confirmed.
pub(super) async fn poll(
    gather: &mut Gather,
    of: Of<'_>,
    (cursor, trusts_cursor): (Option<&str>, bool),
    now: DateTime<Utc>,
    pages_max: u32,
) -> Result<(), String> {
    let kept = cursor.and_then(|it| Place::parse(it, of.app_id));
    gather.brought.log_cursor = kept.as_ref().map(|it| it.written(of.app_id));
    let confirmed = match &kept {
        Some(place) if trusts_cursor => place.confirmed.clone(),
        _ => types(gather).await?,
    };
    if confirmed.0.is_empty() {
        return Err("the subdomain's list of event types has none that is known here".to_owned());
    }
    // A type that was not asked for before may have events before the place of the cursor.
    let known = kept.as_ref().filter(|it| it.confirmed == confirmed).map(|it| it.at);
    let since =
        known.map_or(now - TimeDelta::days(DAYS_BACK), |it| it - TimeDelta::hours(OVERLAP_HOURS));
    let first = paths::events(&confirmed.written(), &shown(since));
    let (mut read, mut cursors, mut path) = (Read::default(), FxHashSet::default(), first.clone());
    let end = loop {
        if cursors.len() >= pages_max as usize {
            break Err(format!("there is more of it than {pages_max} pages"));
        }
        let page = match page(gather, &path).await {
            Ok(page) => page,
            Err(why) => break Err(why),
        };
        let after = page.after();
        read.add(page.data, of, &confirmed);
        match after {
            None => break Ok(()),
            Some(after) if cursors.insert(after.clone()) => {
                path = paths::events_after(&first, &after);
            }
            Some(_) => break Err("a page leads back to one that was read".to_owned()),
        }
    };
    // What somebody must mend is told until OneLogin acts in the app again, or for so long.
    let kept = kept.and_then(|it| it.did_nothing_at);
    let did_nothing_at = read.did_nothing_at.max(kept).filter(|it| {
        read.pushed_at.is_none_or(|pushed| pushed < *it) && now - *it <= TimeDelta::days(DAYS_BACK)
    });
    if end.is_ok() {
        // An event of tomorrow must not bar those of today.
        let at = known.max(read.newest.map(|it| it.min(now))).unwrap_or(since);
        let place = Place { confirmed, at, did_nothing_at };
        gather.brought.log_cursor = Some(place.written(of.app_id));
    }
    read.did_nothing_at = did_nothing_at;
    read.keep(gather);
    end
}

/// Asks what the numbers of types mean. Says of those that mean something else.
async fn types(gather: &mut Gather) -> Result<Confirmed, String> {
    let asked = gather.ask(paths::EVENT_TYPES, &Asked::EventTypes).await;
    let body: Bytes = asked.map_err(|refused| chain(&refused.error))?;
    let confirmed = Confirmed::read(&body)
        .map_err(|_| format!("the list of event types is none: {}", who_answers(VENDOR)))?;
    let missing = confirmed.missing();
    if !missing.is_empty() && missing.len() < KINDS.len() {
        let missing: Vec<String> = missing.iter().map(u64::to_string).collect();
        let text = format!(
            "OneLogin's list of event types does not say of these numbers what is known of them: {}. Such events tell nothing. Look whether OneLogin changed its events, and report it.",
            missing.join(", ")
        );
        gather.brought.troubles.push(Trouble::new(Watcher::SchemaChanged, text));
    }
    Ok(confirmed)
}

async fn page(gather: &mut Gather, path: &str) -> Result<Page, String> {
    let answer: Answer = match gather.reader.get(path).await {
        Ok(answer) => answer,
        Err(mut error) => {
            gather.brought.requests.append(&mut error.requests);
            return Err(chain(&Asked::Events.failed(error)));
        }
    };
    gather.brought.requests.extend(answer.requests.iter().cloned());
    if !answer.is_success() {
        return Err(chain(&Asked::Events.refused(&answer)));
    }
    let page: Page = serde_json::from_slice(&answer.body).map_err(|_| {
        let why = format!("the answer is no list of events: {}", who_answers(VENDOR));
        chain(&LiveError::NoList { url: url_of(&answer.requests), why })
    })?;
    if let Some(request) = gather.brought.requests.last_mut() {
        request.n_rows = page.data.len() as u64;
    }
    Ok(page)
}

/// What pages said.
#[derive(Debug, Default)]
struct Read {
    events: Vec<LogEvent>,
    /// Events of a type that counts which do not say when or whom.
    n_unusable: u64,
    newest: Option<DateTime<Utc>>,
    /// When OneLogin last left an account in the app as it was.
    did_nothing_at: Option<DateTime<Utc>>,
    /// When it last suspended or deleted one there.
    pushed_at: Option<DateTime<Utc>>,
}

impl Read {
    fn add(&mut self, events: Vec<Event>, of: Of<'_>, confirmed: &Confirmed) {
        for event in events {
            self.newest = self.newest.max(instant(event.at.as_deref()));
            match event.meaning(of, confirmed) {
                Meaning::Nothing => {}
                Meaning::Unusable => self.n_unusable += 1,
                Meaning::DidNothing(at) => self.did_nothing_at = self.did_nothing_at.max(Some(at)),
                Meaning::Event(event) => {
                    if event.kind == LogEventKind::Pushed {
                        self.pushed_at = self.pushed_at.max(Some(event.at));
                    }
                    self.events.push(event);
                }
            }
        }
    }

    /// Gives what was read to the pull: in order of time, each event once.
    fn keep(mut self, gather: &mut Gather) {
        self.events.sort_by(|one, other| (one.at, &one.id).cmp(&(other.at, &other.id)));
        self.events.dedup_by(|one, other| one.id == other.id);
        gather.brought.events = self.events;
        if let Some(at) = self.did_nothing_at {
            let text = format!(
                "OneLogin did nothing in the app when somebody lost it, last at {}: who leaves keeps the account. Set Suspend or Delete in the app in OneLogin, under Provisioning, and remove accounts of leavers by hand.",
                shown(at)
            );
            gather.brought.troubles.push(Trouble::new(Watcher::ProvisioningUnhealthy, text));
        }
        if self.n_unusable > 0 {
            let text = format!(
                "Events of OneLogin that do not say when or whom they are about: {}. They tell nothing. Look whether OneLogin changed its events.",
                self.n_unusable
            );
            gather.brought.troubles.push(Trouble::new(Watcher::SchemaChanged, text));
        }
    }
}

enum Meaning {
    Nothing,
    Unusable,
    DidNothing(DateTime<Utc>),
    Event(LogEvent),
}

impl Event {
    fn meaning(&self, of: Of<'_>, confirmed: &Confirmed) -> Meaning {
        let Some(type_id) = number(self.type_id.as_ref()) else { return Meaning::Unusable };
        let kind = KINDS.iter().find(|it| it.id == type_id && confirmed.0.contains(&it.id));
        let Some(kind) = kind else { return Meaning::Nothing };
        if matches!(kind.says, Says::InApp(_) | Says::DidNothing) {
            match number(self.app_id.as_ref()) {
                Some(id) if id.to_string() == of.app_id => {}
                Some(_) => return Meaning::Nothing,
                None => return Meaning::Unusable,
            }
        }
        let Some(at) = instant(self.at.as_deref()) else { return Meaning::Unusable };
        let said = match (kind.says, of.suspended) {
            (Says::DidNothing, _) => return Meaning::DidNothing(at),
            (Says::Suspended, SwitchedOff::Left) => LogEventKind::Left,
            (Says::Suspended, SwitchedOff::Suspended) => LogEventKind::Suspended,
            (Says::OfUser(said) | Says::InApp(said), _) => said,
        };
        match (number(self.id.as_ref()), number(self.user_id.as_ref())) {
            (Some(id), Some(user)) => Meaning::Event(LogEvent {
                id: id.to_string().into(),
                at,
                kind: said,
                identity: user.to_string().into(),
            }),
            _ => Meaning::Unusable,
        }
    }
}

/// Where the next poll goes on.
#[derive(Debug, PartialEq, Eq)]
struct Place {
    confirmed: Confirmed,
    at: DateTime<Utc>,
    /// When OneLogin last left an account in the app as it was, which is not mended yet.
    did_nothing_at: Option<DateTime<Utc>>,
}

impl Place {
    /// As it is kept. It is of one app, so the app is kept with it.
    fn written(&self, app_id: &str) -> String {
        let did_nothing = self.did_nothing_at.map(|it| format!(" {}", shown(it)));
        let (types, at) = (self.confirmed.written(), shown(self.at));
        format!("{app_id} {types} {at}{}", did_nothing.unwrap_or_default())
    }

    /// `None` where it is of another app.
    fn parse(cursor: &str, app_id: &str) -> Option<Self> {
        let mut words = cursor.strip_prefix(app_id)?.strip_prefix(' ')?.split(' ');
        let confirmed = Confirmed::parse(words.next()?)?;
        let at = instant(Some(words.next()?))?;
        let did_nothing_at = match words.next() {
            Some(it) => Some(instant(Some(it))?),
            None => None,
        };
        Some(Self { confirmed, at, did_nothing_at })
    }
}

fn shown(at: DateTime<Utc>) -> String {
    at.to_rfc3339_opts(SecondsFormat::Millis, true)
}

fn instant(text: Option<&str>) -> Option<DateTime<Utc>> {
    DateTime::parse_from_rfc3339(text?).ok().map(|it| it.to_utc().trunc_subsecs(3))
}

/// An id, which OneLogin writes as a number.
fn number(value: Option<&Value>) -> Option<u64> {
    match value? {
        Value::Number(number) => Number::as_u64(number),
        Value::String(text) => text.parse().ok(),
        _ => None,
    }
}

/// The list of event types.
#[derive(Deserialize)]
struct Listed<T> {
    data: Vec<T>,
}

#[derive(Deserialize)]
struct Type {
    id: Option<Value>,
    name: Option<String>,
    description: Option<String>,
}

impl Type {
    fn says(&self, kind: &Kind) -> bool {
        let words = [self.name.as_deref(), self.description.as_deref()];
        let words = words.map(Option::unwrap_or_default).join(" ").to_lowercase();
        kind.has.iter().all(|it| words.contains(it))
            && !kind.lacks.iter().any(|it| words.contains(it))
    }
}

#[derive(Deserialize)]
struct Page {
    data: Vec<Event>,
    pagination: Option<Pagination>,
}

impl Page {
    /// The cursor of the next page; `None`: this is the last. The published example writes `null`
    /// as a text.
    fn after(&self) -> Option<String> {
        let after = self.pagination.as_ref()?.after_cursor.clone()?;
        (!after.is_empty() && after != "null").then_some(after)
    }
}

#[derive(Deserialize)]
struct Pagination {
    after_cursor: Option<String>,
}

/// As much of an event as is read. Every member may be null or missing.
#[derive(Deserialize)]
struct Event {
    id: Option<Value>,
    #[serde(rename = "event_type_id")]
    type_id: Option<Value>,
    #[serde(rename = "created_at")]
    at: Option<String>,
    user_id: Option<Value>,
    app_id: Option<Value>,
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Some of the types as OneLogin and a mirror of its documents write them.
    const TYPES: &str = r#"{"status":{"error":false},"data":[
        {"name":"APP_ADDED_TO_ROLE","description":"App %app% added to role %role%","id":1},
        {"name":"USER_ACTIVATED","description":"%actor_user% activated %user%","id":16},
        {"name":"USER_DELETED","description":"%actor_user% deleted %user%","id":17},
        {"name":"USER_SUSPENDED","description":"%actor_user% suspended %user%","id":21},
        {"name":"USER_REACTIVATED","description":"%actor_user% reactivated %user%","id":32},
        {"name":"USER_SUSPENDED_IN_APP","description":null,"id":53},
        {"name":null,"description":"User deleted in app","id":"55"},
        {"name":"PROVISIONING","description":"Deprovisioning mode 'Do nothing' warning","id":60},
        {"name":"USER_SUSPENSION_FAILED_IN_APP","id":61},
        {"name":"USER_DELETION_FAILED_IN_APP","id":63}]}"#;

    fn confirmed() -> Confirmed {
        Confirmed::read(TYPES.as_bytes()).unwrap()
    }

    fn one(type_id: u64, app_id: &str, suspended: SwitchedOff, more: (&str, &str)) -> String {
        let event = format!(
            r#"{{"id":900001,"event_type_id":{type_id},"created_at":"2026-02-01T10:00:02.000Z",
            "user_id":100001,"user_name":"Ana Ruiz","app_id":3001,"notes":null}}"#
        )
        .replace(more.0, more.1);
        let mut read = Read::default();
        let events = vec![serde_json::from_str(&event).unwrap()];
        read.add(events, Of { app_id, suspended }, &confirmed());
        match read.events.as_slice() {
            [] if read.n_unusable == 1 => "unusable".to_owned(),
            [] => {
                read.did_nothing_at.map_or("nothing".to_owned(), |it| format!("did nothing {it}"))
            }
            [event] => format!("{} {} {}", event.kind, event.identity, event.at),
            _ => unreachable!("one event is one event"),
        }
    }

    #[test]
    fn events_say_what_happened_to_whom() {
        let at = "100001 2026-02-01 10:00:02 UTC";
        for (type_id, said) in [
            (16, format!("returned {at}")),
            (17, format!("left {at}")),
            (21, format!("left {at}")),
            (32, format!("returned {at}")),
            (53, format!("pushed {at}")),
            (55, format!("pushed {at}")),
            (60, "did nothing 2026-02-01 10:00:02 UTC".to_owned()),
            (61, format!("push_failed {at}")),
            (63, format!("push_failed {at}")),
            (1, "nothing".to_owned()),
            (15, "nothing".to_owned()),
            (148, "nothing".to_owned()),
        ] {
            assert_eq!(one(type_id, "3001", SwitchedOff::Left, ("", "")), said, "{type_id}");
        }
        assert_eq!(one(21, "3001", SwitchedOff::Suspended, ("", "")), format!("suspended {at}"));
    }

    #[test]
    fn events_of_another_app_are_not_ours_and_those_of_a_person_are_everywhere() {
        for (type_id, said) in [(55, "nothing"), (63, "nothing"), (60, "nothing")] {
            assert_eq!(one(type_id, "3002", SwitchedOff::Left, ("", "")), said, "{type_id}");
        }
        assert!(one(17, "3002", SwitchedOff::Left, ("", "")).starts_with("left"));
        assert_eq!(one(55, "3001", SwitchedOff::Left, ("3001", "null")), "unusable");
        assert!(one(17, "3001", SwitchedOff::Left, ("3001", "null")).starts_with("left"));
    }

    #[test]
    fn every_field_may_be_null() {
        for (from, to) in [
            ("900001", "null"),
            ("100001", "null"),
            ("\"2026-02-01T10:00:02.000Z\"", "null"),
            ("2026-02-01T10:00:02.000Z", "yesterday"),
            ("\"event_type_id\":17", "\"event_type_id\":null"),
        ] {
            assert_eq!(one(17, "3001", SwitchedOff::Left, (from, to)), "unusable", "{from}");
        }
        assert!(one(17, "3001", SwitchedOff::Left, ("100001", "\"100001\"")).starts_with("left"));
    }

    #[test]
    fn a_number_means_what_the_subdomain_says_it_means() {
        assert_eq!(confirmed().missing(), Vec::<u64>::new());
        for (from, to, missing) in [
            ("\"id\":21", "\"id\":22", vec![21]),
            ("USER_SUSPENDED\"", "USER_LOCKED\"", vec![]),
            ("suspended %user%", "welcomed %user%", vec![]),
            ("_FAILED_IN_APP\",\"id\":63", "_IN_APP\",\"id\":63", vec![63]),
            ("User deleted in app", "User deletion failed in app", vec![55]),
            ("activated %user%\",\"id\":16", "deactivated %user%\",\"id\":16", vec![16]),
        ] {
            assert!(TYPES.contains(from), "{from}");
            let types = Confirmed::read(TYPES.replacen(from, to, 1).as_bytes()).unwrap();
            assert_eq!(types.missing(), missing, "{from} -> {to}");
        }
        for body in ["{}", "[]", "", "<html>"] {
            assert!(Confirmed::read(body.as_bytes()).is_err(), "{body}");
        }
    }

    #[test]
    fn a_place_is_of_one_app_and_of_known_types() {
        let at = "2026-02-01T10:31:05Z".parse().unwrap();
        let place = Place { confirmed: Confirmed(vec![17, 21]), at, did_nothing_at: Some(at) };
        let cursor = place.written("3001");
        assert_eq!(Place::parse(&cursor, "3001"), Some(place));
        for (cursor, app_id) in [
            (cursor.as_str(), "3002"),
            (cursor.as_str(), "300"),
            ("", "3001"),
            ("3001 17,999 2026-02-01T10:31:05Z", "3001"),
            ("3001 17 yesterday", "3001"),
        ] {
            assert_eq!(Place::parse(cursor, app_id), None, "{cursor}, {app_id}");
        }
    }

    #[test]
    fn a_cursor_that_is_a_text_of_null_is_none() {
        let after = |body: &str| serde_json::from_str::<Page>(body).unwrap().after();
        assert_eq!(after(r#"{"data":[],"pagination":{"after_cursor":"x"}}"#), Some("x".to_owned()));
        for pagination in [
            r#","pagination":{"after_cursor":null}"#,
            r#","pagination":{"after_cursor":"null"}"#,
            r#","pagination":{"after_cursor":""}"#,
            r#","pagination":null"#,
            "",
        ] {
            assert_eq!(after(&format!(r#"{{"data":[]{pagination}}}"#)), None, "{pagination}");
        }
    }
}
