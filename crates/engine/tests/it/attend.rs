//! When runs begin: on time, one at a time, caught up once, on request, and never twice.

use std::sync::Arc;
use std::time::Duration;

use chrono::{DateTime, TimeDelta, Utc};
use chrono_tz::Tz;
use domain::{Clock as _, Pass, Turn};
use engine::{Due, Ran, Schedule, Wakes, Work, attend};
use sim::SimClock;
use tokio::time::{sleep, timeout};

/// Keeps a diary instead of looking at anybody.
struct Diary {
    clock: Arc<SimClock>,
    schedule: Schedule,
    /// The schedules that the settings have one after the other, the next one last; empty: they
    /// cannot be used.
    written: Vec<&'static str>,
    takes: Duration,
    ends: Ran,
    lines: Vec<String>,
    last: Option<Turn>,
    next: Option<Due>,
}

impl Work for Diary {
    type Error = std::convert::Infallible;

    fn schedule(&self) -> &Schedule {
        &self.schedule
    }

    fn wait_for(&mut self, due: Option<Due>) {
        self.next = due;
    }

    async fn run(&mut self, pass: Pass, turn: Option<Turn>) -> Result<Ran, Self::Error> {
        let began = self.clock.now().format("%d %H:%M");
        let line = match &turn {
            Some(it) if pass == Pass::Light => format!("{began} light {}", it.due.format("%H:%M")),
            None => format!("{began} asked"),
            Some(it) if it.n_missed == 0 => format!("{began} due {}", it.due.format("%d %H:%M")),
            Some(it) => {
                format!("{began} due {}, missed {}", it.due.format("%d %H:%M"), it.n_missed)
            }
        };
        self.lines.push(line);
        sleep(self.takes).await;
        if self.ends == Ran::Committed && pass == Pass::Full {
            self.last = turn.or(self.last.take());
        }
        Ok(self.ends)
    }

    fn reload(&mut self) {
        if let Some(written) = self.written.pop() {
            self.schedule = schedule(written);
        }
    }
}

fn at(text: &str) -> DateTime<Utc> {
    text.parse().unwrap()
}

fn schedule(expression: &str) -> Schedule {
    Schedule::parse([expression], Tz::UTC).unwrap()
}

/// A daemon that has had its first turn at `now`.
fn diary(expression: &str, now: &str) -> Diary {
    let schedule = schedule(expression);
    let turn = Turn {
        due: at(now),
        began: at(now),
        n_missed: 0,
        first_missed: None,
        schedule: schedule.to_string(),
    };
    Diary {
        clock: Arc::new(SimClock::starting_at(at(now))),
        schedule,
        written: Vec::new(),
        takes: Duration::from_secs(60),
        ends: Ran::Committed,
        lines: Vec::new(),
        last: Some(turn),
        next: None,
    }
}

impl Diary {
    /// Attends for so long, then is killed.
    async fn live(&mut self, hours: u64, wakes: &Wakes) {
        let (clock, last) = (Arc::clone(&self.clock), self.last.clone());
        let span = Duration::from_secs(hours * 3600);
        timeout(span, attend(&*clock, last.as_ref(), wakes, self)).await.ok();
    }

    fn told(&mut self) -> String {
        std::mem::take(&mut self.lines).join("\n")
    }
}

#[tokio::test(start_paused = true)]
async fn runs_begin_when_they_are_due() {
    let mut diary = diary("0 */6 * * *", "2026-11-20T01:00:00Z");
    diary.live(24, &Wakes::default()).await;
    insta::assert_snapshot!(diary.told(), @"
    20 06:00 due 20 06:00
    20 12:00 due 20 12:00
    20 18:00 due 20 18:00
    21 00:00 due 21 00:00
    ");
    assert_eq!(diary.next.unwrap().at, at("2026-11-21T06:00:00Z"));
}

#[tokio::test(start_paused = true)]
async fn a_daemon_that_never_ran_runs_at_once_and_then_on_time() {
    let mut diary = diary("0 2 * * *", "2026-11-20T09:17:00Z");
    diary.last = None;
    diary.live(24, &Wakes::default()).await;
    insta::assert_snapshot!(diary.told(), @"
    20 09:17 due 20 09:17
    21 02:00 due 21 02:00
    ");
}

#[tokio::test(start_paused = true)]
async fn runs_never_overlap_and_what_passes_during_one_is_caught_up_once() {
    let mut diary = diary("*/15 * * * *", "2026-11-20T00:50:00Z");
    diary.takes = Duration::from_secs(40 * 60);
    diary.live(2, &Wakes::default()).await;
    insta::assert_snapshot!(diary.told(), @"
    20 01:00 due 20 01:00
    20 01:40 due 20 01:30, missed 1
    20 02:20 due 20 02:15, missed 2
    ");
}

#[tokio::test(start_paused = true)]
async fn after_downtime_one_run_makes_up_for_all() {
    let mut diary = diary("0 2 * * *", "2026-11-20T02:00:00Z");
    diary.clock.advance(TimeDelta::hours(24 * 4 + 7));
    diary.live(20, &Wakes::default()).await;
    insta::assert_snapshot!(diary.told(), @"
    24 09:00 due 24 02:00, missed 3
    25 02:00 due 25 02:00
    ");
    // Restarted at once, nothing is due.
    diary.live(20, &Wakes::default()).await;
    assert_eq!(diary.told(), "");
}

#[tokio::test(start_paused = true)]
async fn a_machine_that_slept_looks_at_its_clock_within_a_minute() {
    let mut diary = diary("0 2 * * *", "2026-11-20T02:00:00Z");
    let clock = Arc::clone(&diary.clock);
    let sleeps = async {
        sleep(Duration::from_secs(3600)).await;
        clock.advance(TimeDelta::hours(28));
    };
    let wakes = Wakes::default();
    tokio::join!(diary.live(10, &wakes), sleeps);
    insta::assert_snapshot!(diary.told(), @"21 07:01 due 21 02:00");
}

#[tokio::test(start_paused = true)]
async fn a_run_that_is_killed_is_due_again() {
    let mut diary = diary("0 2 * * *", "2026-11-20T01:00:00Z");
    diary.takes = Duration::from_secs(2 * 3600);
    diary.live(2, &Wakes::default()).await;
    diary.live(20, &Wakes::default()).await;
    insta::assert_snapshot!(diary.told(), @"
    20 02:00 due 20 02:00
    20 03:00 due 20 02:00
    ");
}

#[tokio::test(start_paused = true)]
async fn a_run_that_failed_is_tried_again_until_it_is_done_and_is_not_missed() {
    let mut diary = diary("0 2 * * *", "2026-11-20T01:00:00Z");
    diary.ends = Ran::Failed;
    diary.live(2, &Wakes::default()).await;
    diary.ends = Ran::Committed;
    diary.live(26, &Wakes::default()).await;
    insta::assert_snapshot!(diary.told(), @"
    20 02:00 due 20 02:00
    20 02:16 due 20 02:00
    20 02:32 due 20 02:00
    20 02:48 due 20 02:00
    20 03:00 due 20 02:00
    21 02:00 due 21 02:00
    ");
    // Failing for days, it does what is due then, and what came before was missed.
    diary.ends = Ran::Failed;
    diary.live(24 + 21, &Wakes::default()).await;
    diary.lines.clear();
    diary.ends = Ran::Committed;
    diary.live(10, &Wakes::default()).await;
    insta::assert_snapshot!(diary.told(), @"23 02:00 due 23 02:00, missed 1");
}

#[tokio::test(start_paused = true)]
async fn a_first_run_that_failed_is_tried_again_too() {
    let mut diary = diary("0 2 * * *", "2026-11-20T09:00:00Z");
    (diary.last, diary.ends) = (None, Ran::Failed);
    diary.live(1, &Wakes::default()).await;
    assert_eq!(diary.lines.len(), 4, "{:?}", diary.lines);
    // Read again, it is not forgotten; and what becomes due meanwhile is missed.
    let wakes = Wakes::default();
    (diary.written, diary.lines) = (vec!["0 11 * * *"], Vec::new());
    wakes.reload.notify_one();
    diary.live(24 + 2, &wakes).await;
    insta::assert_snapshot!(diary.lines[0], @"20 10:00 due 20 10:00");
    insta::assert_snapshot!(diary.lines.last().unwrap(), @"21 11:52 due 21 11:00, missed 1");
}

#[tokio::test(start_paused = true)]
async fn who_asks_is_heeded_between_two_runs_and_once() {
    let mut diary = diary("0 2 * * *", "2026-11-20T01:00:00Z");
    diary.takes = Duration::from_secs(600);
    let wakes = Wakes::default();
    let asks = async {
        sleep(Duration::from_secs(3600 + 60)).await; // While the run of 02:00 goes on.
        wakes.run.notify_one();
        wakes.run.notify_one();
    };
    tokio::join!(diary.live(10, &wakes), asks);
    insta::assert_snapshot!(diary.told(), @"
    20 02:00 due 20 02:00
    20 02:10 asked
    ");
}

#[tokio::test(start_paused = true)]
async fn told_to_stop_it_ends_after_the_run_that_goes_on_and_begins_no_other() {
    let mut diary = diary("* * * * *", "2026-11-20T01:00:30Z");
    diary.takes = Duration::from_secs(600);
    let (wakes, clock) = (Wakes::default(), Arc::clone(&diary.clock));
    let stops = async {
        sleep(Duration::from_secs(90)).await;
        wakes.stop.notify_one();
        wakes.run.notify_one();
    };
    tokio::join!(diary.live(10, &wakes), stops);
    insta::assert_snapshot!(diary.told(), @"20 01:01 due 20 01:01");
    assert_eq!(diary.last.unwrap().due, at("2026-11-20T01:01:00Z"), "the run was committed");
    assert!(clock.now() < at("2026-11-20T01:12:00Z"), "it ended with the run");
}

#[tokio::test(start_paused = true)]
async fn a_new_schedule_counts_from_its_reload_and_a_bad_one_changes_nothing() {
    let mut diary = diary("0 2 * * *", "2026-11-20T09:00:00Z");
    let wakes = Wakes::default();
    wakes.reload.notify_one();
    diary.live(1, &wakes).await;
    assert_eq!(diary.next.unwrap().at, at("2026-11-21T02:00:00Z"));

    diary.written = vec!["30 * * * *"];
    wakes.reload.notify_one();
    diary.live(2, &wakes).await;
    insta::assert_snapshot!(diary.told(), @"
    20 10:30 due 20 10:30
    20 11:30 due 20 11:30
    ");
}

#[tokio::test(start_paused = true)]
async fn what_waits_for_its_jitter_is_done_although_the_schedule_is_another_since() {
    let mut diary = diary("0 2 * * *", "2026-11-20T01:00:00Z");
    diary.schedule = diary.schedule.with_jitter(TimeDelta::minutes(30), 7);
    diary.written = vec!["0 5 * * *"];
    let wakes = Wakes::default();
    let reloads = async {
        sleep(Duration::from_secs(3600 + 1)).await;
        wakes.reload.notify_one();
    };
    tokio::join!(diary.live(6, &wakes), reloads);
    let told = diary.told();
    let lines: Vec<&str> = told.lines().collect();
    assert_eq!(lines.len(), 2, "{told}");
    assert!(lines[0].ends_with(" due 20 02:00"), "{told}");
    assert_eq!(lines[1], "20 05:00 due 20 05:00");
}

#[tokio::test(start_paused = true)]
async fn a_run_that_failed_stays_due_under_every_other_schedule_and_is_missed_after_the_next() {
    let mut diary = diary("0 * * * *", "2026-11-20T01:00:00Z");
    diary.ends = Ran::Failed;
    diary.written = vec!["0 4 * * *", "30 * * * *"];
    let wakes = Wakes::default();
    let reloads = async {
        sleep(Duration::from_secs(2 * 3600 + 6 * 60)).await;
        wakes.reload.notify_one(); // At 03:06.
        sleep(Duration::from_secs(40 * 60)).await;
        wakes.reload.notify_one(); // At 03:46.
    };
    tokio::join!(diary.live(3, &wakes), reloads);
    diary.lines.drain(..4); // Those before 03:00.
    insta::assert_snapshot!(diary.told(), @"
    20 03:04 due 20 03:00, missed 1
    20 03:20 due 20 03:00, missed 1
    20 03:36 due 20 03:30, missed 2
    20 03:52 due 20 03:30, missed 2
    ");
    diary.ends = Ran::Committed;
    diary.live(1, &Wakes::default()).await;
    // Begun again it knows the schedule of its last turn alone.
    insta::assert_snapshot!(diary.told(), @"20 04:00 due 20 04:00, missed 2");
}

#[tokio::test(start_paused = true)]
async fn due_times_of_the_schedule_before_are_made_up_for_after_downtime() {
    let mut diary = diary("0 2 * * *", "2026-11-20T02:00:00Z");
    diary.schedule = schedule("0 5 * * *");
    diary.clock.advance(TimeDelta::hours(24 * 4 + 7));
    diary.live(24, &Wakes::default()).await;
    insta::assert_snapshot!(diary.told(), @"
    24 09:00 due 24 02:00, missed 3
    25 05:00 due 25 05:00
    ");
}

#[tokio::test(start_paused = true)]
async fn under_a_schedule_that_has_no_turn_it_looks_at_once() {
    let mut diary = diary("0 2 * * *", "2026-11-20T02:00:00Z");
    diary.clock.advance(TimeDelta::hours(7));
    for another in [schedule("0 5 * * *"), schedule("0 6 * * *")] {
        diary.schedule = another;
        diary.live(1, &Wakes::default()).await;
    }
    // One that nobody can read any more tells of no due times.
    diary.last.as_mut().unwrap().schedule = "Europe/Atlantis; @daily".to_owned();
    diary.live(1, &Wakes::default()).await;
    insta::assert_snapshot!(diary.told(), @"
    20 09:00 due 20 09:00
    20 10:00 due 20 10:00
    20 11:00 due 20 11:00
    ");
}

#[tokio::test(start_paused = true)]
async fn a_clock_that_was_wrong_by_years_keeps_nobody_waiting_for_them() {
    let mut diary = diary("0 2 * * *", "2029-11-20T02:00:00Z");
    diary.clock.advance(at("2026-11-20T09:00:00Z") - at("2029-11-20T02:00:00Z"));
    diary.live(24, &Wakes::default()).await;
    insta::assert_snapshot!(diary.told(), @"21 02:00 due 21 02:00");
    // Set right by seconds, nothing is done twice.
    diary.clock.advance(TimeDelta::seconds(-20));
    diary.clock.advance(at("2026-11-21T01:59:50Z") - diary.clock.now());
    diary.live(1, &Wakes::default()).await;
    assert_eq!(diary.told(), "");
}

/// A daemon that does a full run at 02:00 and a light pass every quarter of an hour.
fn light_diary(now: &str) -> Diary {
    let mut diary = diary("0 2 * * *", now);
    diary.schedule = diary.schedule.with_light(["*/15 * * * *"]).unwrap();
    diary.last = diary.last.map(|it| Turn { schedule: diary.schedule.to_string(), ..it });
    diary
}

#[tokio::test(start_paused = true)]
async fn light_passes_are_done_between_full_runs_and_never_beside_one() {
    let mut diary = light_diary("2026-11-20T01:31:00Z");
    diary.live(1, &Wakes::default()).await;
    insta::assert_snapshot!(diary.told(), @"
    20 01:45 light 01:45
    20 02:00 due 20 02:00
    20 02:15 light 02:15
    20 02:30 light 02:30
    ");
}

#[tokio::test(start_paused = true)]
async fn light_passes_that_passed_during_a_run_lapse() {
    let mut diary = light_diary("2026-11-20T01:50:00Z");
    diary.takes = Duration::from_secs(40 * 60);
    diary.live(2, &Wakes::default()).await;
    insta::assert_snapshot!(diary.told(), @"
    20 02:00 due 20 02:00
    20 02:45 light 02:45
    20 03:30 light 03:30
    ");
}

#[tokio::test(start_paused = true)]
async fn after_downtime_the_full_run_is_made_up_for_and_light_passes_are_not() {
    let mut diary = light_diary("2026-11-20T02:00:00Z");
    // Down for an hour of the day: no full run was due.
    diary.clock.advance(TimeDelta::minutes(8 * 60 + 7));
    diary.live(1, &Wakes::default()).await;
    diary.clock.advance(TimeDelta::hours(40));
    diary.live(1, &Wakes::default()).await;
    insta::assert_snapshot!(diary.told(), @"
    20 10:15 light 10:15
    20 10:30 light 10:30
    20 10:45 light 10:45
    20 11:00 light 11:00
    22 03:07 due 22 02:00, missed 1
    22 03:15 light 03:15
    22 03:30 light 03:30
    22 03:45 light 03:45
    22 04:00 light 04:00
    ");
}

#[tokio::test(start_paused = true)]
async fn a_full_run_that_failed_is_tried_again_before_any_light_pass() {
    let mut diary = light_diary("2026-11-20T01:50:00Z");
    diary.ends = Ran::Failed;
    diary.live(1, &Wakes::default()).await;
    insta::assert_snapshot!(diary.told(), @"
    20 02:00 due 20 02:00
    20 02:16 due 20 02:00
    20 02:32 due 20 02:00
    20 02:48 due 20 02:00
    ");
}
