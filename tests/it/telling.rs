//! What channels are told while one of them is down, and while people act: nobody is woken for
//! nothing, nobody is told twice, and what one was told is called over.
//!
//! The company's clock is in hand; the channels are programs of the shell that do as files say.

use std::time::Duration;

use alerting::command::Hook;
use alerting::{Channel, Hours, Kind, Match, Route, Sender};
use chrono::{DateTime, NaiveTime, TimeDelta, Utc, Weekday};
use domain::{Disposition, FindingId, Pass, RunId, Signature, SystemId, Watcher, Word};
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
