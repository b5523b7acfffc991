//! What channels are told while one of them is down, and while people act: nobody is woken for
//! nothing, nobody is told twice, and what one was told is called over.
//!
//! The company's clock is in hand; the channels are programs of the shell that do as files say.

use std::time::Duration;

use alerting::command::Hook;
use alerting::{Channel, Hours, Kind, Match, Route, Sender};
use chrono::{DateTime, NaiveTime, TimeDelta, Utc, Weekday};
use domain::{Disposition, FindingId, Pass, RunId, Signature, SystemId, Word};
use drift::{Disposed, dispose};
use engine::Deliveries;
use serde_json::Value;
use store::Disposal;

use crate::light::{ANA, FIRM, Watched};
use crate::live::fault;

const BEA: &str = "00ubea00000000000002";

/// A company, and the channels that are told of it.
struct Desk {
    watched: Watched,
    senders: Vec<Sender>,
}

/// All findings, to this channel.
fn all_to(channel: &str) -> Route {
    Route {
        findings: Some(Match::default()),
        watcher: Vec::new(),
        ..Route::on_call(vec![channel.into()])
    }
}

impl Desk {
    /// After the first run of a company in which nobody has left. `pager` wakes people.
    async fn open(channels: &[&str], routes: Vec<Route>) -> Self {
        Self::open_at(FIRM, channels, routes).await
    }

    async fn open_at(firm: &str, channels: &[&str], routes: Vec<Route>) -> Self {
        let mut desk = Self { watched: Watched::new(firm).await, senders: Vec::new() };
        desk.watched.plan.routes.routes = routes;
        desk.name_channels(channels);
        desk.night().await;
        for channel in channels {
            std::fs::remove_file(desk.path(channel, "told")).ok();
        }
        desk
    }

    /// The settings name these channels, and no other.
    fn name_channels(&mut self, channels: &[&str]) {
        self.senders = channels.iter().map(|it| self.sender(it)).collect();
        let channel = |it: &&str| Channel {
            name: (*it).into(),
            is_pager: it.contains("pager"),
            forgets: false,
            names: false,
        };
        self.watched.plan.routes.channels = channels.iter().map(channel).collect();
    }

    /// Writes down what it is told, in one line. What it `refuses` it takes never, while it is `down`
    /// it takes nothing, and when it is `silent` nobody learns that it took something.
    fn sender(&self, name: &str) -> Sender {
        let script = format!(
            "cd '{}'; told=$(cat); \
             case \"$told\" in *\"$(cat {name}.refuses 2>/dev/null || echo no-such-word)\"*) exit 65;; esac; \
             test -e {name}.down && exit 1; \
             printf '%s\\n' \"$told\" >> {name}.told; \
             ! test -e {name}.silent",
            self.watched.folder.path().display()
        );
        let (program, args) = ("/bin/sh".into(), vec!["-c".to_owned(), script]);
        let hook = Hook { program, args, timeout: Duration::from_secs(30) };
        Sender { name: name.into(), names: false, kind: Kind::Command(hook) }
    }

    fn path(&self, channel: &str, what: &str) -> std::path::PathBuf {
        self.watched.folder.path().join(format!("{channel}.{what}"))
    }

    /// From now on the channel is `down` or `silent`, or refuses what holds `text`.
    fn set(&self, channel: &str, what: &str, text: &str) {
        std::fs::write(self.path(channel, what), text).unwrap();
    }

    fn mend(&self, channel: &str) {
        for what in ["refuses", "down", "silent"] {
            std::fs::remove_file(self.path(channel, what)).ok();
        }
    }

    /// What a channel was told since this was asked last: reason and title.
    fn told(&self, channel: &str) -> Vec<String> {
        let line = |it: &Value| format!("{}: {}", word(it, "reason"), word(it, "title"));
        self.heard(channel).iter().map(line).collect()
    }

    fn heard(&self, channel: &str) -> Vec<Value> {
        let path = self.path(channel, "told");
        let text = std::fs::read_to_string(&path).unwrap_or_default();
        std::fs::remove_file(path).ok();
        let event = |it: &str| serde_json::from_str::<Value>(it).unwrap()["data"].clone();
        text.lines().map(event).collect()
    }

    fn later(&self, by: TimeDelta) {
        self.watched.sim.clock().advance(by);
    }

    async fn deliver(&self) -> Deliveries {
        let Watched { sim, store, plan, .. } = &self.watched;
        engine::deliver(store, plan, &self.senders, &*sim.clock()).await.unwrap()
    }

    async fn pass(&self, pass: Pass) {
        self.watched.run(pass).await;
        self.deliver().await;
    }

    async fn night(&self) {
        self.pass(Pass::Full).await;
    }

    /// Ana left at ten; grace is over at 14:00, and this is the pass after it.
    async fn ana_leaves(&self) {
        self.leaves(ANA).await;
    }

    async fn leaves(&self, user: &str) {
        self.later(TimeDelta::hours(8));
        self.watched.sim.world().deactivate(user, self.watched.now());
        self.later(TimeDelta::minutes(245));
        self.pass(Pass::Light).await;
    }

    /// Ada says that she has it.
    async fn acknowledge(&self, id: i64) {
        let store = &self.watched.store;
        let now = self.watched.now();
        let before = store.findings_by_id(vec![FindingId(id)]).await.unwrap().remove(0);
        let said = Disposition {
            finding: before.id,
            word: Word::Acknowledge,
            reason: "on it".to_owned(),
            said: Signature { by: "Ada".to_owned(), at: now, place: "ada@desk".to_owned() },
            until: Some(now + TimeDelta::hours(20)),
        };
        let Disposed::Done(done) = dispose(&before, &said) else { panic!("{before:?}") };
        let (after, event) = *done;
        store.dispose(vec![Disposal { said, before, after, event }]).await.unwrap();
    }

    /// Why the last notice to a channel stands as it does.
    async fn why(&self, channel: &str) -> String {
        let lines = self.watched.store.deliveries(50).await.unwrap();
        let line = lines.iter().find(|it| &*it.delivery.channel == channel).unwrap();
        format!("{}: {}", line.delivery.state, line.delivery.why.as_deref().unwrap_or("no reason"))
    }
}

fn word<'v>(value: &'v Value, key: &str) -> &'v str {
    value[key].as_str().unwrap()
}

const OPENED: &str = "opened: [critical] secureframe: leaver_active, DL-1";

#[tokio::test(flavor = "multi_thread")]
async fn what_somebody_has_taken_meanwhile_wakes_nobody() {
    let desk = Desk::open(&["pager"], vec![all_to("pager")]).await;
    desk.set("pager", "down", "");
    desk.ana_leaves().await;
    desk.acknowledge(1).await;
    desk.mend("pager");
    desk.later(TimeDelta::hours(3));
    let done = desk.deliver().await;
    assert_eq!((done.n_delivered, done.n_dropped), (0, 1), "{done:?}");
    assert_eq!(desk.why("pager").await, "dropped: DL-1: acknowledged meanwhile");
    // It is told when the acknowledgement has ended and nothing was done.
    desk.later(TimeDelta::hours(20));
    desk.night().await;
    assert_eq!(desk.told("pager"), [OPENED]);
}

#[tokio::test(flavor = "multi_thread")]
async fn who_has_the_right_again_is_no_leaver_when_it_is_told_late() {
    let told = async |is_sole: bool, happens: fn(&Desk)| {
        let mut desk = Desk::open(&["pager"], vec![all_to("pager")]).await;
        if !is_sole {
            let other = SystemId::parse("entra").unwrap();
            desk.watched.plan.apps[0].rules.idps.push(other);
        }
        desk.set("pager", "down", "");
        desk.ana_leaves().await;
        desk.mend("pager");
        happens(&desk);
        desk.later(TimeDelta::hours(3));
        desk.deliver().await;
        let told = desk.heard("pager");
        let Some(one) = told.first() else { return desk.why("pager").await };
        let text = word(one, "text");
        let why = text.lines().find(|it| it.starts_with("Unconfirmed"));
        why.map_or("confirmed", |it| it.split_once("Z: ").unwrap().1).to_owned()
    };
    fn back(desk: &Desk) {
        desk.watched.sim.world().activate(ANA, desk.watched.now());
        desk.watched.sim.world().assign(ANA, desk.watched.now());
    }
    assert_eq!(told(true, |_| ()).await, "confirmed");
    let dropped = told(true, back).await;
    let wanted = "dropped: DL-1: asked again, the owner had the right by okta at 2026-11-20T17:";
    assert!(dropped.starts_with(wanted), "{dropped}");
    // Another identity provider may say otherwise.
    let doubted = told(false, back).await;
    assert_eq!(doubted, "asked again, the owner had the right by okta.");
    let half = told(true, |desk| {
        desk.watched.sim.world().activate(ANA, desk.watched.now());
        desk.watched.sim.world().unassign(ANA, desk.watched.now());
    });
    assert_eq!(half.await, "asked again, the owner was active at okta.");
    let silent = told(true, |desk| fault(&desk.watched.sim, "okta/user", "garbage"));
    assert_eq!(silent.await, "okta did not answer.");
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_decided_on_an_earlier_look_is_asked_again_though_it_was_just_decided() {
    let told = async |answers_later: bool| {
        let desk = Desk::open(&["pager"], vec![all_to("pager")]).await;
        desk.set("pager", "refuses", "leaver_active");
        desk.ana_leaves().await;
        desk.mend("pager");
        // A run that does not see the app makes good what was refused.
        desk.watched.sim.world().switch_off("a1", desk.watched.now());
        fault(&desk.watched.sim, "scim/users", "garbage");
        fault(&desk.watched.sim, "scim/user", "garbage");
        desk.later(TimeDelta::hours(1));
        desk.watched.run(Pass::Full).await;
        if answers_later {
            desk.watched.sim.clear_faults();
        }
        desk.deliver().await;
        let told = desk.heard("pager");
        let Some(one) = told.first() else { return desk.why("pager").await };
        word(one, "title").to_owned()
    };
    let dropped = told(true).await;
    assert!(dropped.starts_with("dropped: DL-1: asked again, the account was off at"), "{dropped}");
    let marked = "[critical] secureframe: leaver_active, DL-1, unconfirmed";
    assert_eq!(told(false).await, marked);
}

/// What the others are told of a channel that does not take notices.
fn undelivered(n: usize) -> String {
    let notices = domain::counted(n, "notice");
    format!("undelivered: [critical] the channel `hook` did not take {notices}")
}

const OVER: &str = "resolved: [over] what the channel `hook` did not take is over";

#[tokio::test(flavor = "multi_thread")]
async fn a_channel_that_refuses_is_told_once_and_what_is_new_besides() {
    let desk = Desk::open(&["hook", "pager"], vec![all_to("hook")]).await;
    desk.set("hook", "refuses", "data");
    desk.ana_leaves().await;
    let first = desk.heard("pager");
    assert_eq!(first.len(), 1, "{first:?}");
    assert_eq!(word(&first[0], "key"), "driftline:main:-:channel-hook");
    assert!(word(&first[0], "text").contains("DL-1 leaver_active"), "{first:?}");
    for _ in 0..8 {
        desk.later(TimeDelta::minutes(15));
        desk.pass(Pass::Light).await;
    }
    desk.later(TimeDelta::hours(10));
    desk.night().await;
    assert_eq!(desk.told("pager"), [""; 0], "nothing that it does not know");
    // Somebody else leaves: nobody was told of that one.
    desk.leaves(BEA).await;
    let more = desk.heard("pager");
    assert_eq!(more.len(), 1, "{more:?}");
    let text = word(&more[0], "text");
    assert!(text.contains("DL-2 leaver_active") && !text.contains("DL-1"), "{text}");
    assert_ne!(word(&more[0], "key"), "driftline:main:-:channel-hook", "it would wake nobody");
    desk.later(TimeDelta::minutes(15));
    desk.pass(Pass::Light).await;
    assert_eq!(desk.told("pager"), [""; 0]);
}

#[tokio::test(flavor = "multi_thread")]
async fn what_was_told_for_a_dead_channel_is_called_over_under_the_same_key() {
    let desk = Desk::open(&["hook", "pager"], vec![all_to("hook")]).await;
    desk.set("hook", "refuses", "data");
    desk.ana_leaves().await;
    assert_eq!(desk.told("pager"), [undelivered(1)]);
    desk.watched.sim.world().switch_off("a1", desk.watched.now());
    desk.later(TimeDelta::minutes(15));
    desk.pass(Pass::Light).await;
    let over = desk.heard("pager");
    assert_eq!(over.len(), 1, "{over:?}");
    assert_eq!(format!("{}: {}", word(&over[0], "reason"), word(&over[0], "title")), OVER);
    assert_eq!(word(&over[0], "key"), "driftline:main:-:channel-hook");
    // And the next one who leaves is told again.
    desk.leaves(BEA).await;
    assert_eq!(desk.told("pager"), [undelivered(1)]);
    // The channel takes it at last: then it is its own matter.
    desk.mend("hook");
    desk.later(TimeDelta::minutes(15));
    desk.pass(Pass::Light).await;
    assert_eq!(desk.told("hook"), ["opened: [critical] secureframe: leaver_active, DL-2"]);
    desk.later(TimeDelta::minutes(15));
    desk.pass(Pass::Light).await;
    let over = desk.heard("pager");
    assert_eq!(word(&over[0], "title"), "[over] the channel `hook` takes notices again");
    assert_eq!(over[0]["n_findings"], 0, "DL-2 is not over: {over:?}");
    desk.later(TimeDelta::minutes(15));
    desk.pass(Pass::Light).await;
    assert_eq!(desk.told("pager"), [""; 0]);
}

#[tokio::test(flavor = "multi_thread")]
async fn one_notice_that_is_refused_is_told_by_others_though_the_channel_takes_the_next() {
    let desk = Desk::open(&["hook", "mail"], vec![all_to("hook")]).await;
    desk.set("hook", "refuses", "leaver_active, DL-1");
    desk.later(TimeDelta::hours(8));
    for user in [ANA, BEA] {
        desk.watched.sim.world().deactivate(user, desk.watched.now());
    }
    desk.later(TimeDelta::minutes(245));
    desk.pass(Pass::Light).await;
    assert_eq!(desk.told("hook"), ["opened: [critical] secureframe: leaver_active, DL-2"]);
    assert_eq!(desk.told("mail"), [undelivered(1)]);
    for _ in 0..3 {
        desk.later(TimeDelta::minutes(15));
        desk.pass(Pass::Light).await;
    }
    assert_eq!(desk.told("mail"), [""; 0]);
}

#[tokio::test(flavor = "multi_thread")]
async fn what_waits_for_a_channel_of_another_name_is_told_at_once_by_those_there_are() {
    let mut desk = Desk::open(&["mail", "pager"], vec![all_to("pager")]).await;
    desk.set("pager", "down", "");
    desk.ana_leaves().await;
    assert_eq!(desk.told("mail"), [""; 0], "one try says nothing");
    desk.name_channels(&["mail", "new-pager"]);
    desk.watched.plan.routes.routes = vec![all_to("new-pager")];
    desk.deliver().await;
    assert_eq!(desk.told("new-pager"), [OPENED]);
    desk.later(TimeDelta::minutes(15));
    desk.pass(Pass::Light).await;
    assert_eq!(desk.told("new-pager"), [""; 0], "it knows");
    desk.watched.sim.world().switch_off("a1", desk.watched.now());
    desk.later(TimeDelta::minutes(15));
    desk.pass(Pass::Light).await;
    assert_eq!(desk.told("new-pager"), ["resolved: [over] secureframe: DL-1 is over"]);
}

#[tokio::test(flavor = "multi_thread")]
async fn what_a_channel_took_in_silence_is_called_over_although_every_later_try_was_in_vain() {
    let desk = Desk::open(&["pager"], vec![all_to("pager")]).await;
    desk.set("pager", "silent", "");
    desk.ana_leaves().await;
    assert_eq!(desk.told("pager"), [OPENED]);
    // Before it is sent again, the account is seen off: that is not told, and the next pass sees it.
    desk.watched.sim.world().switch_off("a1", desk.watched.now());
    desk.mend("pager");
    desk.later(TimeDelta::minutes(12));
    let done = desk.deliver().await;
    assert_eq!((done.n_delivered, done.n_dropped), (0, 1), "{done:?}");
    desk.pass(Pass::Light).await;
    assert_eq!(desk.told("pager"), ["resolved: [over] secureframe: DL-1 is over"]);
    desk.later(TimeDelta::minutes(15));
    desk.pass(Pass::Light).await;
    assert_eq!(desk.told("pager"), [""; 0], "once");
}

#[tokio::test(flavor = "multi_thread")]
async fn that_it_is_over_is_not_told_any_more_once_it_goes_on() {
    let desk = Desk::open(&["mail"], vec![all_to("mail")]).await;
    let world = || desk.watched.sim.world();
    world().switch_off("a1", desk.watched.now());
    desk.night().await;
    desk.later(TimeDelta::hours(25));
    desk.night().await;
    assert_eq!(desk.told("mail"), ["opened: [medium] secureframe: disabled_entitled, DL-1"]);
    // She needs the account no more, which the channel does not take, and needs it again.
    desk.set("mail", "down", "");
    world().unassign(ANA, desk.watched.now());
    desk.later(TimeDelta::hours(1));
    desk.night().await;
    world().assign(ANA, desk.watched.now());
    world().switch_off("a1", desk.watched.now());
    desk.later(TimeDelta::hours(1));
    desk.night().await;
    assert_eq!(desk.why("mail").await, "dropped: DL-1: pending again");
    desk.mend("mail");
    desk.later(TimeDelta::hours(6));
    desk.deliver().await;
    assert_eq!(desk.told("mail"), [""; 0]);
    world().unassign(ANA, desk.watched.now());
    desk.night().await;
    assert_eq!(desk.told("mail"), ["resolved: [over] secureframe: DL-1 is over"], "once");
}

#[tokio::test(flavor = "multi_thread")]
async fn what_was_not_sent_in_its_hours_waits_for_the_next_and_rings_at_no_other_time() {
    use Weekday::{Fri, Mon, Thu, Tue, Wed};
    let clock = |hour| NaiveTime::from_hms_opt(hour, 0, 0).unwrap();
    let hours = Hours {
        days: vec![Mon, Tue, Wed, Thu, Fri],
        from: clock(8),
        until: clock(12),
        zone: chrono_tz::UTC,
        holidays: [].into(),
    };
    for repeat_after in [None, Some(TimeDelta::hours(24))] {
        // Told by night as well: that one has no hours.
        let routes = vec![
            Route { hours: Some(hours.clone()), repeat_after, ..all_to("pager") },
            all_to("mail"),
        ];
        let desk = Desk::open(&["pager", "mail"], routes).await;
        desk.ana_leaves().await; // On a Friday afternoon.
        assert_eq!(desk.told("pager"), [""; 0]);
        assert!(!desk.told("mail").is_empty());
        // Nothing of Driftline is there on Monday; it looks by night.
        for night in ["2026-11-24T02:00:00Z", "2026-11-25T02:00:00Z"] {
            let night: DateTime<Utc> = night.parse().unwrap();
            desk.later(night - desk.watched.now());
            desk.night().await;
            assert_eq!(desk.told("pager"), [""; 0], "{night} {repeat_after:?}");
        }
        let morning: DateTime<Utc> = "2026-11-25T08:00:00Z".parse().unwrap();
        desk.later(morning - desk.watched.now());
        desk.deliver().await;
        let told = desk.told("pager");
        assert!(told.len() == 1 && told[0].contains("leaver_active, DL-1"), "{told:?}");
    }
}

/// Escalated to the pager after two hours.
fn escalating(hours: Option<Hours>) -> Vec<Route> {
    let escalate = Some((TimeDelta::hours(2), vec!["pager".into()]));
    vec![Route { hours, escalate, ..all_to("hook") }]
}

const ESCALATED: &str = "escalated: [critical] secureframe: leaver_active, DL-1";

#[tokio::test(flavor = "multi_thread")]
async fn nobody_can_be_late_to_acknowledge_what_waits_for_its_hours() {
    use Weekday::{Fri, Mon, Thu, Tue, Wed};
    let clock = |hour| NaiveTime::from_hms_opt(hour, 0, 0).unwrap();
    let hours = Hours {
        days: vec![Mon, Tue, Wed, Thu, Fri],
        from: clock(8),
        until: clock(12),
        zone: chrono_tz::UTC,
        holidays: [].into(),
    };
    // 2026-11-20 is a Friday, and it opens in the afternoon.
    let desk = Desk::open(&["hook", "pager"], escalating(Some(hours))).await;
    desk.ana_leaves().await;
    desk.later(TimeDelta::hours(3));
    desk.pass(Pass::Light).await;
    assert_eq!(desk.told("hook"), [""; 0]);
    assert_eq!(desk.told("pager"), [""; 0]);
    let monday: DateTime<Utc> = "2026-11-23T08:01:00Z".parse().unwrap();
    desk.later(monday - desk.watched.now());
    desk.night().await;
    // The counts of the first run, which was by night, and what opened.
    assert_eq!((desk.told("hook").len(), desk.told("pager")), (2, Vec::new()));
    desk.later(TimeDelta::hours(2));
    desk.pass(Pass::Light).await;
    assert_eq!(desk.told("pager"), [ESCALATED]);
}

#[tokio::test(flavor = "multi_thread")]
async fn what_the_first_channel_refuses_is_escalated_all_the_same() {
    let desk = Desk::open(&["hook", "mail", "pager"], escalating(None)).await;
    desk.set("hook", "refuses", "data");
    desk.ana_leaves().await;
    assert_eq!((desk.told("mail"), desk.told("pager")), (vec![undelivered(1)], Vec::new()));
    for _ in 0..9 {
        desk.later(TimeDelta::minutes(15));
        desk.pass(Pass::Light).await;
    }
    assert_eq!(desk.told("pager"), [ESCALATED]);
}

#[tokio::test(flavor = "multi_thread")]
async fn what_the_first_run_covered_wakes_nobody_when_it_is_seen_for_the_second_time() {
    let orphans: String = (10..30).map(|it| format!("  b{it} - o{it}@firm.test on\n")).collect();
    let routes = vec![all_to("pager"), all_to("mail")];
    let desk = Desk::open_at(&format!("{FIRM}{orphans}"), &["mail", "pager"], routes).await;
    desk.later(TimeDelta::hours(8));
    desk.watched.sim.world().deactivate(ANA, desk.watched.now());
    for _ in 0..2 {
        desk.later(TimeDelta::hours(24));
        desk.night().await;
    }
    let pager = desk.told("pager");
    assert!(pager.len() == 1 && pager[0].contains("leaver_active"), "{pager:?}");
    let mail = desk.told("mail");
    let orphans = "storm: [critical] secureframe: 21 findings at once, 1 critical, 20 high";
    assert!(mail.contains(&orphans.to_owned()), "{mail:?}");
    let run = desk.watched.store.latest_run().await.unwrap().unwrap();
    assert_eq!(run.id, RunId(3));
}

#[tokio::test(flavor = "multi_thread")]
async fn who_is_on_call_is_told_once_of_a_list_that_was_never_whole_and_when_it_is() {
    let mut desk = Desk { watched: Watched::new(FIRM).await, senders: Vec::new() };
    desk.name_channels(&["pager"]);
    desk.watched.plan.routes.routes = vec![Route::on_call(vec!["pager".into()])];
    fault(&desk.watched.sim, "scim/users", "garbage");
    desk.night().await;
    desk.later(TimeDelta::hours(24));
    desk.night().await;
    assert_eq!(desk.told("pager"), [""; 0]);
    // A list may be 26 hours old. The light pass after that tells, and the next night says no more.
    desk.later(TimeDelta::hours(3));
    desk.pass(Pass::Light).await;
    assert_eq!(desk.told("pager"), ["watcher: [high] secureframe: source_stale"]);
    desk.later(TimeDelta::hours(21));
    desk.night().await;
    assert_eq!(desk.told("pager"), [""; 0]);

    desk.watched.sim.clear_faults();
    desk.later(TimeDelta::hours(24));
    desk.night().await;
    assert_eq!(
        desk.told("pager"),
        ["resolved: [over] secureframe: Driftline sees as it should again"]
    );
}
