//! A year of a daemon that serves a company: it is restarted, killed and suspended, its settings
//! change, its channels are down for hours. Each due time has one run or is told as missed, and what
//! channels are told is true when they are told.

use std::sync::Arc;
use std::sync::mpsc;
use std::time::Duration;

use alerting::{Hours, Match, Route, Routes};
use anyhow::Context as _;
use chrono::{DateTime, NaiveTime, Offset as _, TimeDelta, TimeZone as _, Utc, Weekday};
use chrono_tz::Tz;
use domain::{Cause, Clock, Pass, Turn, Watcher};
use engine::{Due, Ran, Schedule, Wakes, Work, attend, deliver};
use store::{Store, StoreError};
use tokio::runtime::{Builder, Handle};
use tokio::sync::Mutex;

use super::Problem;
use super::calendar::due_times;
use super::channels::{Channels, Mood};
use super::company::Company;
use super::idps::Idp;
use super::provider::exports::Export;
use super::told::{MAIL, ON_CALL, Sum, Told};
use crate::SimClock;

/// A stretch of one company's life under a daemon.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Service {
    /// What everything comes from.
    pub seed: u64,
    /// How many days.
    pub days: u32,
}

/// What came of it.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Served {
    /// Full runs that were compared with the truth.
    pub n_full: u64,
    /// Light passes that were.
    pub n_light: u64,
    /// Due times that had no run, and were told as missed.
    pub n_missed: u64,
    /// Processes, one after the other.
    pub n_processes: u64,
    /// Of these, killed during a run.
    pub n_killed: u64,
    /// Runs that failed and were tried again.
    pub n_failed: u64,
    /// Changes of settings while the daemon ran.
    pub n_reloads: u64,
    /// Changes of the clocks that fell between two full runs.
    pub n_clock_changes: u64,
    /// Hours in which a channel was down.
    pub n_deaf_hours: i64,
    /// What channels were told.
    pub told: Sum,
    /// Everything that was not so, in order.
    pub problems: Vec<Problem>,
}

/// Lives through it. Stops at the first problem: what follows would follow from it. `told` hears
/// what happens, a line each.
///
/// # Errors
///
/// Returns an error when the company cannot be simulated at all, which says nothing of Driftline.
pub async fn serve(
    service: Service,
    told: impl FnMut(&str) + Send + 'static,
) -> anyhow::Result<Served> {
    let company =
        Company::found(service.seed, Idp::Okta, false).await.context("found the company")?;
    let clock = company.clock();
    let channels = Channels::open(&[MAIL, ON_CALL], &clock).await?;
    let began = clock.now();
    let ends_at = began + TimeDelta::days(i64::from(service.days));
    let rng = fastrand::Rng::with_seed(service.seed ^ 0x5e21);
    let mut life = Life {
        seed: service.seed,
        real: Handle::current(),
        company: Arc::new(Mutex::new(company)),
        channels: Arc::new(channels),
        told: Arc::default(),
        settings: Settings::default(),
        clock,
        rng,
        began,
        settled: began,
        owed: Vec::new(),
        last: None,
        looks_at_once: true,
        deliver_at: None,
        is_deaf_until: [(MAIL, None), (ON_CALL, None)],
        served: Served::default(),
        out: Box::new(told),
    };
    // Its waits go by a clock of their own, that nobody waits for.
    tokio::task::spawn_blocking(move || {
        let paused = Builder::new_current_thread().enable_time().start_paused(true).build()?;
        paused.block_on(life.live(ends_at))?;
        life.served.told = life.real.block_on(async { life.told.lock().await.sum });
        Ok(life.served)
    })
    .await?
}

/// What an operator may change while it runs.
#[derive(Clone, Debug)]
struct Settings {
    night: NaiveTime,
    zone: Tz,
    light: Option<&'static str>,
    jitter: TimeDelta,
    storm_over: usize,
    has_mail: bool,
    mail_hours: bool,
    leaver_grace: TimeDelta,
}

impl Default for Settings {
    fn default() -> Self {
        Self {
            night: NaiveTime::MIN,
            zone: Tz::UTC,
            light: None,
            jitter: TimeDelta::zero(),
            storm_over: alerting::STORM_OVER,
            has_mail: true,
            mail_hours: false,
            leaver_grace: TimeDelta::hours(4),
        }
    }
}

impl Settings {
    fn drawn(rng: &mut fastrand::Rng) -> Self {
        let zones = [Tz::Europe__Berlin, Tz::America__New_York, Tz::Australia__Lord_Howe];
        let light = [Some("20 */4 * * *"), Some("5 1,7,13,19 * * *"), None];
        let minutes = rng.u32(0..6 * 4) * 15;
        Self {
            night: NaiveTime::from_num_seconds_from_midnight_opt(minutes * 60, 0)
                .unwrap_or_default(),
            zone: rng.choice(zones).unwrap_or(Tz::UTC),
            light: rng.choice(light).flatten(),
            jitter: TimeDelta::minutes(rng.i64(0..20)),
            storm_over: if rng.bool() { 2 } else { alerting::STORM_OVER },
            has_mail: rng.u32(0..4) > 0,
            mail_hours: rng.bool(),
            leaver_grace: TimeDelta::hours(if rng.bool() { 4 } else { 12 }),
        }
    }

    fn schedule(&self) -> anyhow::Result<Schedule> {
        let night = self.night.format("%-M %-H * * *").to_string();
        let full = Schedule::parse([night.as_str(), "0 13 * * MON-FRI"], self.zone)?;
        Ok(full.with_light(self.light)?.with_jitter(self.jitter, 7))
    }

    fn routes(&self, channels: &Channels) -> Routes {
        let to = |name: &str| vec![name.into()];
        let days = [Weekday::Mon, Weekday::Tue, Weekday::Wed, Weekday::Thu, Weekday::Fri];
        let hour = |hour| NaiveTime::from_hms_opt(hour, 0, 0).unwrap_or_default();
        let hours = || Hours {
            days: days.to_vec(),
            from: hour(8),
            until: hour(18),
            zone: self.zone,
            holidays: [].into(),
        };
        let mail = Route {
            findings: Some(Match::default()),
            watcher: Vec::new(),
            hours: self.mail_hours.then(hours),
            repeat_after: Some(TimeDelta::days(7)),
            ..Route::on_call(to(MAIL))
        };
        let mut routes = vec![Route::on_call(to(ON_CALL))];
        routes.extend(self.has_mail.then_some(mail));
        let senders = channels.senders.iter().filter(|it| self.has_mail || &*it.name != MAIL);
        Routes {
            channels: senders.map(alerting::Sender::channel).collect(),
            routes,
            storm_over: self.storm_over,
            ..Routes::default()
        }
    }

    fn channels(&self) -> &'static [&'static str] {
        if self.has_mail { &[MAIL, ON_CALL] } else { &[ON_CALL] }
    }
}

/// The company's clock, read from where tokio's time stands still.
struct Wall {
    real: Handle,
    clock: Arc<SimClock>,
}

impl Clock for Wall {
    fn now(&self) -> DateTime<Utc> {
        let _in_real_time = self.real.enter();
        self.clock.now()
    }
}

/// What outlives a process.
struct Life {
    seed: u64,
    /// Where systems answer and time passes.
    real: Handle,
    company: Arc<Mutex<Company>>,
    channels: Arc<Channels>,
    told: Arc<Mutex<Told>>,
    settings: Settings,
    clock: Arc<SimClock>,
    rng: fastrand::Rng,
    began: DateTime<Utc>,
    /// Up to where the calendar is accounted for.
    settled: DateTime<Utc>,
    /// Due times before, of schedules before, that no run was done for.
    owed: Vec<DateTime<Utc>>,
    /// The last turn of a full run that was committed, and the settings that it went by.
    last: Option<(Turn, Settings)>,
    /// The process began under a schedule that has no turn.
    looks_at_once: bool,
    /// When something waits to be sent.
    deliver_at: Option<DateTime<Utc>>,
    /// Until when a channel does not take what it is sent.
    is_deaf_until: [(&'static str, Option<DateTime<Utc>>); 2],
    served: Served,
    out: Box<dyn FnMut(&str) + Send>,
}

/// Why a process ended.
#[derive(Debug)]
enum End {
    Killed,
    /// Something was not so.
    Problem,
    Broken(anyhow::Error),
}

impl Life {
    fn wall(&self) -> Wall {
        Wall { real: self.real.clone(), clock: Arc::clone(&self.clock) }
    }

    fn now(&self) -> DateTime<Utc> {
        self.wall().now()
    }

    /// Does something where time passes, and waits for it.
    fn really<T: Send + 'static>(
        &self,
        what: impl Future<Output = T> + Send + 'static,
    ) -> Result<T, End> {
        let (sender, receiver) = mpsc::sync_channel(1);
        self.real.spawn(async move { drop(sender.send(what.await)) });
        receiver.recv().map_err(|_| End::Broken(anyhow::anyhow!("what it did broke down")))
    }

    /// The company lives on.
    fn live_until(&mut self, at: DateTime<Utc>) -> Result<(), End> {
        let company = Arc::clone(&self.company);
        let diary = self.really(async move {
            let mut company = company.lock().await;
            company.live_until(at);
            std::mem::take(&mut company.diary)
        })?;
        diary.iter().for_each(|it| (self.out)(it));
        Ok(())
    }

    async fn live(&mut self, ends_at: DateTime<Utc>) -> anyhow::Result<()> {
        self.settings = Settings::drawn(&mut self.rng);
        while self.now() < ends_at {
            match self.process(ends_at).await {
                Ok(()) => {}
                Err(End::Killed) => self.served.n_killed += 1,
                Err(End::Problem) => return Ok(()),
                Err(End::Broken(error)) => return Err(error),
            }
            let company = Arc::clone(&self.company);
            let stopped = self.really(async move { company.lock().await.store = None });
            stopped.map_err(|it| anyhow::anyhow!("{it:?}"))?;
            // Mostly it is started again at once, and sometimes after days.
            let away = match self.rng.u32(0..4) {
                0 => TimeDelta::minutes(self.rng.i64(1..3 * 24 * 60)),
                _ => TimeDelta::minutes(1),
            };
            let now = self.now();
            (self.out)(&format!("{now} the process ended, back after {away}"));
            self.live_until(self.now() + away).map_err(|it| anyhow::anyhow!("{it:?}"))?;
        }
        Ok(())
    }

    /// One process, from its start to its end.
    async fn process(&mut self, ends_at: DateTime<Utc>) -> Result<(), End> {
        self.served.n_processes += 1;
        let schedule = self.apply()?;
        let last = self.recover()?;
        let minutes =
            |rng: &mut fastrand::Rng, days: i64| TimeDelta::minutes(rng.i64(30..days * 24 * 60));
        let now = self.now();
        let dies_at = ends_at.min(now + minutes(&mut self.rng, 40));
        let reload_at = now + minutes(&mut self.rng, 20);
        let wakes = Arc::<Wakes>::default();
        let wall = self.wall();
        self.deliver_at = Some(now);
        let ended = Arc::clone(&wakes);
        let mut daemon =
            Daemon { life: self, schedule, wakes: ended, dies_at, reload_at, broken: None };
        let done = attend(&wall, last.as_ref(), &wakes, &mut daemon).await;
        match daemon.broken.take() {
            Some(end) => Err(end),
            None => done,
        }
    }

    /// Puts the settings in force.
    fn apply(&mut self) -> Result<Schedule, End> {
        let routes = self.settings.routes(&self.channels);
        let (company, grace) = (Arc::clone(&self.company), self.settings.leaver_grace);
        self.really(async move {
            let mut company = company.lock().await;
            company.plan.routes = routes;
            company.plan.policy.grace.insert(Cause::LeaverActive, grace);
            company.truth.leaver_grace = grace;
        })?;
        self.settings.schedule().map_err(End::Broken)
    }

    /// What a process reads when it starts: up to where runs were committed.
    fn recover(&mut self) -> Result<Option<Turn>, End> {
        let (company, told) = (Arc::clone(&self.company), Arc::clone(&self.told));
        let in_force = self.settings.channels();
        let last = self.really(async move {
            let mut company = company.lock().await;
            let store = Store::open(&company.folder.path().join("driftline.db"))?;
            told.lock().await.note(&store, &company.plan.apps, in_force).await?;
            let last = store.turns().await?.last;
            company.store = Some(store);
            Ok::<_, StoreError>(last)
        })?;
        let last = last.map_err(|it| End::Broken(it.into()))?;
        // The one that was killed may have committed all the same.
        let due_ms = |it: &Turn| it.due.timestamp_millis(); // As it is kept.
        if let Some(turn) = &last
            && self.last.as_ref().is_none_or(|it| due_ms(&it.0) != due_ms(turn))
        {
            self.account(turn)?;
        }
        self.begin()?;
        Ok(last)
    }

    /// What a process that starts knows of the calendar: by its schedule, or by that of the last
    /// turn if that is another.
    fn begin(&mut self) -> Result<(), End> {
        let schedule = self.settings.schedule().map_err(End::Broken)?.to_string();
        let now = self.now();
        (self.owed, self.settled, self.looks_at_once) = match &self.last {
            None => (Vec::new(), now, true),
            Some((turn, _)) if turn.schedule == schedule => (Vec::new(), turn.began, false),
            Some((turn, Settings { night, zone, .. })) => {
                (due_times(*night, *zone, turn.began, now), now, true)
            }
        };
        Ok(())
    }

    /// Compares a turn that was committed with the calendar.
    fn account(&mut self, turn: &Turn) -> Result<(), End> {
        let Settings { night, zone, .. } = self.settings;
        let offset = |at: DateTime<Utc>| zone.offset_from_utc_datetime(&at.naive_utc()).fix();
        self.served.n_clock_changes += u64::from(offset(self.settled) != offset(turn.began));
        let mut due = std::mem::take(&mut self.owed);
        due.extend(due_times(night, zone, self.settled, turn.began));
        let what = match due.split_last() {
            Some((newest, missed)) => {
                self.served.n_missed += missed.len() as u64;
                let is_so = turn.due == *newest
                    && turn.n_missed as usize == missed.len()
                    && turn.first_missed == missed.first().copied();
                (!is_so).then(|| format!("{turn:?}, by the calendar {due:?}"))
            }
            None if self.looks_at_once && turn.due == turn.began && turn.n_missed == 0 => None,
            None => Some(format!("{turn:?}, and by the calendar nothing was due")),
        };
        self.looks_at_once = false;
        (self.settled, self.last) = (turn.began, Some((turn.clone(), self.settings.clone())));
        what.map_or(Ok(()), |what| self.problem(format!("SCHEDULE: {what}")))
    }

    fn problem(&mut self, what: String) -> Result<(), End> {
        let day = (self.now() - self.began).num_days();
        let (seed, night) = (self.seed, u32::try_from(day).unwrap_or_default() + 1);
        (self.out)(&what);
        self.served.problems.push(Problem { seed, night, what });
        Err(End::Problem)
    }

    fn problems(&mut self, all: Vec<String>) -> Result<(), End> {
        all.into_iter().try_for_each(|it| self.problem(it))
    }

    /// Channels are down for a while, or take what they then do not answer for.
    fn moods(&mut self) {
        let now = self.now();
        for (channel, until) in &mut self.is_deaf_until {
            if until.is_none_or(|it| it <= now) && self.rng.u32(0..40) == 0 {
                let hours = self.rng.i64(1..60);
                self.served.n_deaf_hours += hours;
                *until = Some(now + TimeDelta::hours(hours));
                (self.out)(&format!("{now} the channel {channel} is deaf for {hours} h"));
            }
            let moods = [Mood::Busy, Mood::Down, Mood::TakesInSilence];
            let mood = match until.is_some_and(|it| it > now) {
                true => self.rng.choice(moods).unwrap_or_default(),
                false if self.rng.u32(0..20) == 0 => Mood::TakesInSilence,
                false => Mood::Takes,
            };
            self.channels.set_mood(channel, mood);
        }
    }

    /// Sends what is due, sometimes broken off in the middle, and compares what came with the truth.
    fn deliver(&mut self) -> Result<(), End> {
        self.moods();
        let patience = (self.rng.u32(0..20) == 0).then(|| self.rng.u64(0..3_000));
        let (company, channels) = (Arc::clone(&self.company), Arc::clone(&self.channels));
        let (told, clock) = (Arc::clone(&self.told), Arc::clone(&self.clock));
        let in_force = self.settings.channels();
        let (next, lines, mut problems) = self
            .really(async move {
                let company = company.lock().await;
                let store = company.store.as_ref().context("the process has no database")?;
                let senders = channels.senders.iter().filter(|it| in_force.contains(&&*it.name));
                let senders: Vec<alerting::Sender> = senders.cloned().collect();
                let sending = deliver(store, &company.plan, &senders, &*clock);
                let waits = match patience {
                    Some(micros) => {
                        // Dropped in the middle: as a process that is killed.
                        drop(tokio::time::timeout(Duration::from_micros(micros), sending).await);
                        store.waiting().await?.next_due_at
                    }
                    None => sending.await?.next_due_at,
                };
                // What is under way when it is broken off may come a moment later.
                if patience.is_some() {
                    tokio::time::sleep(Duration::from_millis(20)).await;
                }
                let (mut heard, mut problems) = channels.take_heard();
                if patience.is_some() {
                    // Of the last ones it may not have learnt that they were taken.
                    for channel in in_force {
                        let last = heard.iter_mut().rfind(|it| it.channel == *channel);
                        last.into_iter().for_each(|it| it.is_silent = true);
                    }
                }
                let lines: Vec<String> = heard.iter().map(|it| format!("    {it:?}")).collect();
                let mut told = told.lock().await;
                problems.extend(told.hear(heard, &company.truth));
                if waits.is_none() {
                    problems.extend(told.missing(in_force, &company.truth, clock.now()));
                }
                Ok::<_, anyhow::Error>((waits, lines, problems))
            })?
            .map_err(End::Broken)?;
        lines.iter().for_each(|it| (self.out)(it));
        let soonest = self.now() + TimeDelta::seconds(1);
        self.deliver_at = next.map(|it| it.max(soonest));
        problems.truncate(10);
        self.problems(problems)
    }
}

/// A process.
struct Daemon<'l> {
    life: &'l mut Life,
    schedule: Schedule,
    wakes: Arc<Wakes>,
    dies_at: DateTime<Utc>,
    reload_at: DateTime<Utc>,
    /// Why it ended between two runs.
    broken: Option<End>,
}

impl Daemon<'_> {
    /// Lives up to the next thing that wakes the process, and sends what is due meanwhile.
    fn wait(&mut self, due: Option<DateTime<Utc>>) -> Result<(), End> {
        loop {
            let now = self.life.now();
            if due.is_some_and(|it| it <= now) {
                return Ok(());
            }
            let ahead = [due, self.life.deliver_at, Some(self.dies_at), Some(self.reload_at)];
            let Some(next) = ahead.into_iter().flatten().min() else { return Ok(()) };
            // About once in two months the machine sleeps, for up to a day and a half.
            let sleeps = match self.life.rng.u32(0..600) {
                0 => TimeDelta::minutes(self.life.rng.i64(1..36 * 60)),
                _ => TimeDelta::zero(),
            };
            self.life.live_until(next.max(now) + sleeps)?;
            if next == self.dies_at {
                self.wakes.stop.notify_one();
                return Ok(());
            }
            if next == self.reload_at {
                self.wakes.reload.notify_one();
                return Ok(());
            }
            if Some(next) == self.life.deliver_at {
                self.life.deliver()?;
            }
        }
    }

    async fn look(&mut self, pass: Pass, turn: Option<Turn>) -> Result<Ran, End> {
        let is_killed = self.life.rng.u32(0..60) == 0;
        if !is_killed && self.life.rng.u32(0..80) == 0 {
            self.life.served.n_failed += 1;
            return Ok(Ran::Failed);
        }
        let company = Arc::clone(&self.life.company);
        let (told, its_turn) = (Arc::clone(&self.life.told), turn.clone());
        let in_force = self.life.settings.channels();
        let seen = self
            .life
            .really(async move {
                let mut company = company.lock().await;
                company.plan.turn = its_turn;
                if is_killed {
                    company.prepare(pass, Export::Whole)?;
                    company.break_off().await?;
                    return Ok(None);
                }
                let seen = company.look(pass).await?;
                let store = company.store.as_ref().context("the process has no database")?;
                told.lock().await.note(store, &company.plan.apps, in_force).await?;
                Ok(Some(seen))
            })?
            .map_err(End::Broken)?;
        let Some(seen) = seen else { return Err(End::Killed) };
        (self.life.out)(&seen.line);
        self.life.problems(seen.problems)?;
        let missed = seen.record.iter().flat_map(|it| &it.watcher);
        let missed = missed.filter(|it| it.kind == Watcher::RunMissed);
        let texts: Vec<String> = missed.map(|it| it.text.clone()).collect();
        match (pass, turn) {
            (Pass::Full, Some(turn)) => {
                self.life.served.n_full += 1;
                let n = turn.n_missed;
                let is_told = texts.iter().any(|it| match n {
                    0 => it.contains("did not take place"),
                    n => {
                        it.starts_with(&format!("{} did not", domain::counted(n, "scheduled run")))
                    }
                });
                if is_told == (n == 0) {
                    self.life.problem(format!("SCHEDULE: {n} missed, told {texts:?}"))?;
                }
                self.life.account(&turn)?;
            }
            _ => self.life.served.n_light += 1,
        }
        self.life.deliver()?;
        Ok(Ran::Committed)
    }
}

impl Work for Daemon<'_> {
    type Error = End;

    fn schedule(&self) -> &Schedule {
        &self.schedule
    }

    fn wait_for(&mut self, due: Option<Due>) {
        if let Err(end) = self.wait(due.map(|it| it.begins)) {
            self.broken = Some(end);
            self.wakes.stop.notify_one();
        }
    }

    async fn run(&mut self, pass: Pass, turn: Option<Turn>) -> Result<Ran, End> {
        self.look(pass, turn).await
    }

    fn reload(&mut self) {
        let before = self.schedule.to_string();
        let Settings { night, zone, .. } = self.life.settings;
        self.life.settings = Settings::drawn(&mut self.life.rng);
        self.life.served.n_reloads += 1;
        let now = self.life.now();
        (self.life.out)(&format!("{now} settings: {:?}", self.life.settings));
        match self.life.apply() {
            Ok(schedule) => self.schedule = schedule,
            Err(end) => {
                self.broken = Some(end);
                self.wakes.stop.notify_one();
            }
        }
        if self.schedule.to_string() != before {
            // What the schedule before asked for stays due.
            self.life.owed.extend(due_times(night, zone, self.life.settled, now));
            self.life.settled = now;
        }
        let days = self.life.rng.i64(30..20 * 24 * 60);
        self.reload_at = now + TimeDelta::minutes(days);
    }
}
