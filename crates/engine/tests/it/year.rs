//! A year of a daemon that is restarted, killed, suspended and left without its exports, with the
//! real engine and a real store: each due time has one run, or is told as missed.

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use chrono::{DateTime, NaiveTime, TimeDelta, Utc};
use connectors::files::{Config, FileConfig, Profiles};
use domain::{Clock as _, Pass, SystemId, SystemKind, Turn, Watcher};
use drift::Policy;
use engine::{Due, Plan, Ran, Schedule, Source, Wakes, Work, attend, run};
use sim::SimClock;
use sim::soak::calendar::due_times;
use store::{Store, StoreError};
use tokio::time::sleep;

/// The time of the nights.
const NIGHT: NaiveTime = NaiveTime::from_hms_opt(2, 30, 0).unwrap();

/// Nights, and noons of working days.
const EXPRESSIONS: [&str; 2] = ["30 2 * * *", "0 13 * * MON-FRI"];

/// A process that looks at the export of a small company.
struct Daemon<'y> {
    year: &'y mut Year,
    store: Store,
    wakes: Arc<Wakes>,
    dies_at: DateTime<Utc>,
}

/// What outlives a process.
struct Year {
    clock: Arc<SimClock>,
    schedule: Schedule,
    folder: PathBuf,
    random: fastrand::Rng,
    /// Every turn that was committed.
    turns: Vec<Turn>,
    n_killed: u32,
    n_blind: u32,
}

/// Why a process ended.
#[derive(Debug)]
enum End {
    Killed,
    Store(StoreError),
}

impl Work for Daemon<'_> {
    type Error = End;

    fn schedule(&self) -> &Schedule {
        &self.year.schedule
    }

    fn wait_for(&mut self, _: Option<Due>) {
        let Year { clock, random, .. } = &mut self.year;
        if clock.now() >= self.dies_at {
            self.wakes.stop.notify_one();
        }
        // About once in two weeks the machine sleeps for up to a day and a half.
        if random.u32(..20_000) == 0 {
            clock.advance(TimeDelta::minutes(random.i64(1..36 * 60)));
        }
    }

    async fn run(&mut self, _: Pass, turn: Option<Turn>) -> Result<Ran, End> {
        // Systems take their time; now and then the process does not live to see their answer.
        sleep(Duration::from_secs(self.year.random.u64(1..1800))).await;
        let Year { clock, folder, random, .. } = &mut *self.year;
        if clock.now() >= self.dies_at || random.u32(..30) == 0 {
            self.year.n_killed += 1;
            return Err(End::Killed);
        }
        let is_blind = random.u32(..20) == 0;
        let plan = plan(folder, is_blind, clock.now(), turn.clone());
        let outcome = run(&self.store, &plan, &**clock).await.map_err(End::Store)?;
        assert_eq!(outcome.report.is_complete(), !is_blind);
        self.year.n_blind += u32::from(is_blind);
        let turn = turn.unwrap();
        let missed = outcome.record.watcher.iter().filter(|it| it.kind == Watcher::RunMissed);
        let texts: Vec<&str> = missed.map(|it| &*it.text).collect();
        match turn.n_missed {
            0 => assert!(!texts.iter().any(|it| it.contains("did not take place")), "{texts:?}"),
            n => assert!(
                texts[0].starts_with(&format!("{} did not", domain::counted(n, "scheduled run"))),
                "{texts:?}"
            ),
        }
        self.year.turns.push(turn);
        Ok(Ran::Committed)
    }

    fn reload(&mut self) {}
}

/// What a run looks at: the users of a small company, in a file of that time, or in none.
pub(crate) fn plan(folder: &Path, is_blind: bool, now: DateTime<Utc>, turn: Option<Turn>) -> Plan {
    let name = if is_blind { "not-there.json" } else { "users.json" };
    let as_of = Some(now);
    let file = FileConfig { as_of, whole: Some(true), ..FileConfig::new(folder.join(name)) };
    let files = Config {
        system: SystemId::parse("okta").unwrap(),
        kind: SystemKind::Idp,
        files: vec![file],
        zone: None,
    };
    Plan {
        pass: Pass::Full,
        sources: vec![Source::Files(files)],
        profiles: Arc::new(Profiles::builtin().unwrap()),
        apps: Vec::new(),
        provisioned: Default::default(),
        policy: Policy::default(),
        judges_everybody: false,
        settings_digest: [0; 32],
        settings: None,
        fingerprint_key: Some([0; 32]),
        turn,
        software: "driftline test".to_owned(),
        routes: Default::default(),
        anchors: Vec::new(),
    }
}

/// Lives from New Year to New Year, in as many processes as it takes.
async fn live(year: &mut Year, until: DateTime<Utc>) {
    let database = year.folder.join("driftline.db");
    while year.clock.now() < until {
        let store = Store::open(&database).unwrap();
        let last = store.turns().await.unwrap().last;
        assert_eq!(last.as_ref(), year.turns.last(), "what was committed is what is known");
        let (clock, wakes) = (Arc::clone(&year.clock), Arc::<Wakes>::default());
        let dies_at = until.min(clock.now() + TimeDelta::minutes(year.random.i64(1..20 * 24 * 60)));
        let mut daemon = Daemon { year, store, wakes: Arc::clone(&wakes), dies_at };
        match attend(&*clock, last.as_ref(), &wakes, &mut daemon).await {
            Ok(()) | Err(End::Killed) => {}
            Err(End::Store(error)) => panic!("{error}"),
        }
        // Mostly it is started again at once, and sometimes after days.
        let away = if year.random.bool() { 1 } else { year.random.i64(1..3 * 24 * 60) };
        clock.advance(TimeDelta::minutes(away));
    }
}

#[tokio::test(start_paused = true)]
async fn in_a_year_each_due_time_has_one_run_or_is_told_as_missed() {
    for (seed, zone, n_nights) in
        [(1, chrono_tz::Europe::Berlin, 365), (2, chrono_tz::America::New_York, 365)]
    {
        let folder = tempfile::tempdir().unwrap();
        let user = r#"[{"id": "00u1", "status": "ACTIVE", "profile": {"login": "ana@firm.test"}}]"#;
        fs::write(folder.path().join("users.json"), user).unwrap();
        let began: DateTime<Utc> = "2026-01-01T12:00:00Z".parse().unwrap();
        let mut year = Year {
            clock: Arc::new(SimClock::starting_at(began)),
            schedule: Schedule::parse(EXPRESSIONS, zone).unwrap(),
            folder: folder.path().to_owned(),
            random: fastrand::Rng::with_seed(seed),
            turns: Vec::new(),
            n_killed: 0,
            n_blind: 0,
        };
        live(&mut year, began + TimeDelta::days(n_nights)).await;

        let Year { turns, .. } = &year;
        let (first, last) = (&turns[0], &turns[turns.len() - 1]);
        let wanted = due_times(NIGHT, zone, first.began, last.due);
        let mut done: BTreeMap<DateTime<Utc>, u32> = BTreeMap::new();
        for turn in &turns[1..] {
            *done.entry(turn.due).or_default() += 1;
        }
        assert!(done.values().all(|it| *it == 1), "{zone}: a due time had two runs");
        assert!(done.keys().all(|it| wanted.contains(it)), "{zone}: a run was not due");
        let n_missed: u32 = turns.iter().map(|it| it.n_missed).sum();
        let n_done = u32::try_from(done.len()).unwrap();
        assert_eq!(usize::try_from(n_done + n_missed).unwrap(), wanted.len(), "{zone}");
        // The year was no easy one, and not one long outage either.
        let Year { n_killed, n_blind, .. } = year;
        assert!(n_killed > 5 && n_blind > 5 && n_missed > 20, "{n_killed} {n_blind} {n_missed}");
        assert!(n_done > 400, "{zone}: {n_done} runs");
    }
}
