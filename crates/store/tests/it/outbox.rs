//! The outbox: what waits, what is known as told, and that neither can be rewritten.

use chrono::DateTime;
use chrono::Utc;
use domain::{DeliveryState, FindingId, Notice, NotifyReason, Severity, Text};
use store::{Settled, Store};

use crate::world::{at, commit, count, folder, system};

fn notice(reason: NotifyReason, hour: i64, channels: &[&str]) -> Notice {
    Notice {
        key: "driftline:main:app:x".into(),
        reason,
        severity: Severity::Critical,
        app: Some(system("app")),
        run: None,
        at: at(hour),
        title: format!("{reason} at {hour}"),
        lines: vec!["a line".to_owned()],
        findings: vec![FindingId(1)],
        items: Vec::new(),
        to: channels.iter().map(|it| (Text::from(*it), at(hour))).collect(),
    }
}

async fn due(store: &Store, channel: &str, now: DateTime<Utc>) -> Vec<store::Due> {
    store.due(channel.into(), now, 100).await.unwrap()
}

#[tokio::test]
async fn notices_are_saved_with_their_run_or_not_at_all() {
    let (_folder, path) = folder();
    let store = Store::open(&path).unwrap();
    let mut state = store.load().await.unwrap();
    let mut one = commit(&mut state, Vec::new());
    one.told.notices = vec![Notice {
        run: Some(one.judged.run.id),
        ..notice(NotifyReason::Opened, 1, &["a", "b"])
    }];
    let mut stale = one.clone();
    store.commit(one).await.unwrap();
    stale.told.notices.push(notice(NotifyReason::Storm, 1, &["a"]));
    store.commit(stale).await.unwrap_err();
    assert_eq!(count(&path, "SELECT count(*) FROM notice"), 1);
    let due = due(&store, "a", at(1)).await;
    assert_eq!((due.len(), due[0].notice.title.as_str()), (1, "opened at 1"));
    let told = store.load().await.unwrap().told;
    let told: Vec<(&str, FindingId)> =
        told.iter().map(|it| (&*it.channel, it.findings[0])).collect();
    assert_eq!(told, [("a", FindingId(1)), ("b", FindingId(1))]);
}

#[tokio::test]
async fn what_says_more_takes_the_place_of_what_waits_and_order_is_kept() {
    let store = Store::open_in_memory().unwrap();
    store.add_notices(vec![notice(NotifyReason::Opened, 1, &["a", "b"])]).await.unwrap();
    store.add_notices(vec![notice(NotifyReason::Reminder, 2, &["a"])]).await.unwrap();
    let waiting = |due: Vec<store::Due>| -> Vec<String> {
        due.into_iter().map(|it| it.notice.title).collect()
    };
    assert_eq!(waiting(due(&store, "a", at(3)).await), ["reminder at 2"]);
    assert_eq!(waiting(due(&store, "b", at(3)).await), ["opened at 1"]);
    assert_eq!(waiting(due(&store, "a", at(0)).await), [""; 0], "not due yet");
    let waiting = store.waiting().await.unwrap();
    assert_eq!((waiting.n_tried, waiting.next_due_at), (0, Some(at(1))));
}

#[tokio::test]
async fn a_digest_whose_time_has_come_is_not_put_off_by_the_next() {
    let store = Store::open_in_memory().unwrap();
    let digest = |hour, due| {
        let to = vec![(Text::from("mail"), at(due))];
        Notice { to, ..notice(NotifyReason::Digest, hour, &[]) }
    };
    store.add_notices(vec![digest(2, 7)]).await.unwrap();
    // Nobody was there at seven; the next run brings a newer one, for the morning after.
    store.add_notices(vec![digest(26, 31)]).await.unwrap();
    let due = due(&store, "mail", at(26)).await;
    assert_eq!((due.len(), due[0].notice.at), (1, at(26)));
}

#[tokio::test]
async fn told_is_what_was_taken_or_waits_until_it_is_over() {
    let store = Store::open_in_memory().unwrap();
    let n_told = async || {
        let told = store.load().await.unwrap().told;
        told.iter().filter(|it| !it.was_only_tried).count()
    };
    store.add_notices(vec![notice(NotifyReason::Opened, 1, &["a"])]).await.unwrap();
    let id = due(&store, "a", at(1)).await[0].delivery.id;
    store.begin_delivery(id, at(1)).await.unwrap();
    let refused = Settled::GivenUp { why: "HTTP 400".to_owned() };
    store.settle_delivery(id, refused).await.unwrap();
    assert_eq!(n_told().await, 0, "what was given up was not told");
    let dead = store.load().await.unwrap().dead_channels;
    assert_eq!((&*dead[0].channel, dead[0].n_notices, dead[0].why.as_str()), ("a", 1, "HTTP 400"));

    store.add_notices(vec![notice(NotifyReason::Opened, 2, &["a"])]).await.unwrap();
    let one = due(&store, "a", at(2)).await.remove(0);
    assert_eq!((one.first, one.was_sent), (None, true), "it may have been taken all the same");
    store.begin_delivery(one.delivery.id, at(2)).await.unwrap();
    let taken = Settled::Delivered { reference: Some("1700.5".into()) };
    store.settle_delivery(one.delivery.id, taken).await.unwrap();
    assert_eq!((n_told().await, store.load().await.unwrap().dead_channels.len()), (1, 0));

    store.add_notices(vec![notice(NotifyReason::Resolved, 3, &["a"])]).await.unwrap();
    let one = due(&store, "a", at(3)).await.remove(0);
    let first = one.first.unwrap();
    assert_eq!((first.title.as_str(), first.reference.as_deref()), ("opened at 2", Some("1700.5")));
    assert_eq!(n_told().await, 0);
}

#[tokio::test]
async fn what_a_channel_asks_to_wait_holds_for_all_that_waits_for_it() {
    let store = Store::open_in_memory().unwrap();
    let other =
        Notice { key: "driftline:main:app:y".into(), ..notice(NotifyReason::Opened, 1, &["a"]) };
    store.add_notices(vec![notice(NotifyReason::Opened, 1, &["a", "b"]), other]).await.unwrap();
    let id = due(&store, "a", at(1)).await[0].delivery.id;
    let later = Settled::Later { due_at: at(5), why: "HTTP 429".to_owned(), for_all: true };
    store.settle_delivery(id, later).await.unwrap();
    assert_eq!(due(&store, "a", at(4)).await.len(), 0);
    assert_eq!(due(&store, "a", at(5)).await.len(), 2);
    assert_eq!(due(&store, "b", at(1)).await.len(), 1);
}

#[tokio::test]
async fn what_has_waited_longest_is_known_by_when_it_was_due_first() {
    let store = Store::open_in_memory().unwrap();
    assert_eq!(store.channels().await.unwrap(), []);
    let report = Notice { key: "k".into(), ..notice(NotifyReason::Report, 1, &["a"]) };
    store.add_notices(vec![report, notice(NotifyReason::Opened, 2, &["a", "b"])]).await.unwrap();
    for (nth, one) in due(&store, "a", at(2)).await.into_iter().enumerate() {
        store.begin_delivery(one.delivery.id, at(3)).await.unwrap();
        let later = Settled::Later { due_at: at(9), why: "busy".to_owned(), for_all: false };
        let settled = if nth == 0 { Settled::Delivered { reference: None } } else { later };
        store.settle_delivery(one.delivery.id, settled).await.unwrap();
    }
    store.begin_delivery(due(&store, "a", at(9)).await[0].delivery.id, at(9)).await.unwrap();
    // What says more was to be told since then, too.
    store.add_notices(vec![notice(NotifyReason::Worsened, 10, &["a"])]).await.unwrap();
    let channels = store.channels().await.unwrap();
    let [a, b] = &channels[..] else { panic!("{channels:?}") };
    let told = |it: &store::ChannelHealth| {
        let there = it.by_state.iter().filter(|it| it.1 > 0);
        there.map(|(state, n)| format!("{state} {n}")).collect::<Vec<String>>()
    };
    assert_eq!(told(a), ["pending 1", "delivered 1", "superseded 1"]);
    assert_eq!((a.oldest_due_at, a.report_at, a.n_retries), (Some(at(2)), Some(at(3)), 1));
    assert_eq!(
        (told(b), b.oldest_due_at, b.report_at),
        (vec!["pending 1".to_owned()], Some(at(2)), None)
    );
    assert!(!b.is_dead);
}

#[tokio::test]
async fn the_report_of_one_run_takes_no_other_ones_place_and_is_never_over() {
    let store = Store::open_in_memory().unwrap();
    let report = |run: i64| Notice {
        key: format!("driftline:main:-:report-{run}").into(),
        findings: Vec::new(),
        ..notice(NotifyReason::Report, run, &["a"])
    };
    store.add_notices(vec![report(1)]).await.unwrap();
    store.add_notices(vec![report(2)]).await.unwrap();
    assert_eq!(due(&store, "a", at(2)).await.len(), 2);
    assert_eq!(store.load().await.unwrap().told, []);
}

#[tokio::test]
async fn what_was_told_and_what_became_of_it_is_never_rewritten() {
    let (_folder, path) = folder();
    let store = Store::open(&path).unwrap();
    store.add_notices(vec![notice(NotifyReason::Opened, 1, &["a"])]).await.unwrap();
    let id = due(&store, "a", at(1)).await[0].delivery.id;
    store.settle_delivery(id, Settled::Dropped { why: "over".to_owned() }).await.unwrap();
    store.begin_delivery(id, at(2)).await.unwrap();
    let lines = store.deliveries(10).await.unwrap();
    assert_eq!(
        (lines[0].delivery.state, lines[0].delivery.n_attempts),
        (DeliveryState::Dropped, 0)
    );
    drop(store);
    let connection = rusqlite::Connection::open(&path).unwrap();
    for sql in [
        "UPDATE notice SET title = 'x'",
        "DELETE FROM notice",
        "UPDATE delivery SET state = 'delivered'",
        "DELETE FROM delivery",
    ] {
        connection.execute(sql, []).unwrap_err();
    }
}

#[tokio::test]
async fn what_was_tried_in_vain_is_called_over_once_and_counts_as_told_to_nobody() {
    let store = Store::open_in_memory().unwrap();
    let told = async || -> Vec<(bool, usize)> {
        let told = store.load().await.unwrap().told;
        told.iter().map(|it| (it.was_only_tried, it.findings.len())).collect()
    };
    let refuse = async |reason: NotifyReason, hour: i64| {
        store.add_notices(vec![notice(reason, hour, &["a"])]).await.unwrap();
        let id = due(&store, "a", at(hour)).await[0].delivery.id;
        store.begin_delivery(id, at(hour)).await.unwrap();
        let refused = Settled::GivenUp { why: "HTTP 400".to_owned() };
        store.settle_delivery(id, refused).await.unwrap();
    };
    refuse(NotifyReason::Opened, 1).await;
    refuse(NotifyReason::Opened, 2).await;
    assert_eq!(told().await, [(true, 1)]);
    let first = store.load().await.unwrap().told[0].first_due_at;
    assert_eq!(first, at(1), "since then somebody waits");
    refuse(NotifyReason::Resolved, 3).await;
    assert_eq!(told().await, []);
}

#[tokio::test]
async fn what_waits_for_a_channel_that_is_gone_is_handed_over_and_says_so() {
    let store = Store::open_in_memory().unwrap();
    store.add_notices(vec![notice(NotifyReason::Opened, 1, &["a", "b"])]).await.unwrap();
    let left = store.left_behind(vec!["b".into(), "c".into()]).await.unwrap();
    let [(id, _)] = &left[..] else { panic!("{left:?}") };
    store.hand_over(*id, vec!["b".into(), "c".into()]).await.unwrap();
    let lines = store.deliveries(10).await.unwrap();
    let states: Vec<(&str, DeliveryState)> =
        lines.iter().map(|it| (&*it.delivery.channel, it.delivery.state)).collect();
    let wanted = [
        ("c", DeliveryState::Pending),
        ("b", DeliveryState::Pending),
        ("a", DeliveryState::Dropped),
    ];
    assert_eq!(states, wanted, "`b` has it already");
    let why = lines[2].delivery.why.as_deref();
    assert_eq!(why, Some("the settings have no channel of that name any more; `c` is told"));
    assert_eq!(store.left_behind(vec!["b".into(), "c".into()]).await.unwrap(), []);
}
