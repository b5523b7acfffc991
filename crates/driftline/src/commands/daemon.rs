//! `run` without `--once`: runs whenever it is due, and answers for itself, until told to stop.
//!
//! Signals: TERM and INT stop it, softly once and hard twice; HUP reads the settings again; USR1
//! runs now. Each is heeded between two runs.

use std::hash::{BuildHasher as _, RandomState};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use alerting::Sender;
use anchors::Anchor;
use anyhow::Context as _;
use chrono::{DateTime, TimeDelta, Utc};
use connectors::files::Profiles;
use domain::{Clock as _, FailedRuns, Pass, Turn};
use engine::{Due, Plan, Ran, Schedule, Source, Wakes, Work, anchor, attend, deliver};
use sd_notify::NotifyState;
use store::{Store, StoreError};
use tokio::net::TcpListener;
use tokio::signal::unix::{Signal, SignalKind, signal};
use tokio::sync::watch;
use tokio::time::{Instant, interval, sleep};
use tracing::{error, info, warn};
use web::{Site, Status};

use super::run::{self, open};
use crate::clock::MachineClock;
use crate::exit::{Exit, UsageError};
use crate::settings::{self, Settings};
use crate::{profiles, when};

/// Longest sleep before looking at the outbox again: a machine that was suspended, or whose clock
/// was set, is at most this late.
const NAP_MAX: Duration = Duration::from_secs(60);

/// Shortest one, when more is due than one pass sends.
const NAP_MIN: Duration = Duration::from_secs(1);

/// Runs until it is told to stop.
///
/// # Errors
///
/// Fails when the settings, the database or the address to answer at cannot be used, and when the
/// database is lost while it runs.
pub(crate) async fn daemon(config: &Path) -> anyhow::Result<Exit> {
    let signals = Signals::listen()?;
    let installed = Installed::read(config)?;
    let store = open(&installed.settings)?;
    let last = store.turns().await?.last;
    let (status, status_of) = watch::channel(Status::default());
    installed.announce(&status);
    let (max_age, max_age_of) = watch::channel(installed.settings.policy.max_age);
    let (post, post_of) = watch::channel(Arc::new(installed.post()?));
    let stop_within = installed.settings.service.stop_within;
    let site = Site {
        store: store.clone(),
        status: status_of,
        max_age: max_age_of,
        clock: Arc::new(MachineClock),
        software: crate::SOFTWARE,
    };
    let pages = serve(installed.settings.service.listen, site).await?;
    let wakes = Wakes::default();
    let mut service = Service {
        config: config.to_owned(),
        installed,
        store: store.clone(),
        status,
        max_age,
        post,
        untold: None,
    };
    service.begin().await;
    tell(&[NotifyState::Ready]);
    let attending = async {
        let ended = attend(&MachineClock, last.as_ref(), &wakes, &mut service).await;
        // Those who send end with it, after what it left to tell.
        drop(service);
        ended
    };
    let sending = (tell_people(&store, post_of.clone()), take_out_of_reach(&store, post_of));
    let exit = tokio::select! {
        ended = async { tokio::try_join!(attending, sending.0, sending.1) } => {
            ended.map(|_| Exit::Fine).map_err(anyhow::Error::from)
        }
        () = signals.heed(&wakes, stop_within) => {
            warn!(
                "Stopped at once: a run that was not committed is not there, and is due again; what \
                 was not sent waits"
            );
            Ok(Exit::Incomplete)
        }
        never = watchdog() => match never {},
        ended = pages => ended,
    };
    info!("Ended");
    exit
}

/// Serves health and metrics, where an address is given. Ends only with an error.
async fn serve(
    listen: Option<std::net::SocketAddr>,
    site: Site,
) -> anyhow::Result<impl Future<Output = anyhow::Result<Exit>>> {
    let listener = match listen {
        None => None,
        Some(address) => Some(TcpListener::bind(address).await.map_err(|error| {
            let at = "web.listen".to_owned();
            let what = format!("{error}: name a free address of this machine");
            settings::SettingsError::Live { at, what }
        })?),
    };
    Ok(async move {
        match listener {
            None => std::future::pending().await,
            Some(listener) => {
                // A task of its own, so that it answers while a run is judged.
                let served = tokio::spawn(web::serve(listener, site)).await;
                served?.context("failed to serve health and metrics")?;
                Ok(Exit::Bug)
            }
        }
    })
}

/// Sends what there is to tell whenever some of it is due: after each run, and when a channel that
/// did not take it is to be tried again. Ends when the daemon does, or when the outbox is lost.
async fn tell_people(store: &Store, post: watch::Receiver<Arc<Post>>) -> Result<(), StoreError> {
    whenever_due(post, async |post: &Post| {
        if post.senders.is_empty() {
            return Ok(None);
        }
        Ok(deliver(store, &post.plan, &post.senders, &MachineClock).await?.next_due_at)
    })
    .await
}

/// Takes checkpoints out of reach, likewise: a place that is slow keeps nobody from being told.
async fn take_out_of_reach(
    store: &Store,
    post: watch::Receiver<Arc<Post>>,
) -> Result<(), StoreError> {
    whenever_due(post, async |post: &Post| {
        if post.anchors.is_empty() {
            return Ok(None);
        }
        Ok(anchor(store, &post.anchors, &MachineClock).await?.next_due_at)
    })
    .await
}

/// Does something after each run, when the settings change, and when it says that more is due; and
/// once more when no run follows.
async fn whenever_due(
    mut post: watch::Receiver<Arc<Post>>,
    work: impl AsyncFn(&Post) -> Result<Option<DateTime<Utc>>, StoreError>,
) -> Result<(), StoreError> {
    let mut is_last = false;
    loop {
        let now = Arc::clone(&post.borrow_and_update());
        let mut nap = NAP_MAX;
        match work(&now).await {
            Ok(next_due_at) => {
                let left = next_due_at.map(|it| (it - MachineClock.now()).to_std());
                nap = left.map_or(nap, |it| it.unwrap_or_default().clamp(NAP_MIN, NAP_MAX));
            }
            Err(closed @ StoreError::Closed) => return Err(closed),
            Err(error) => error!("{:#}", anyhow::Error::from(error)),
        }
        if is_last {
            return Ok(());
        }
        tokio::select! {
            // Without a sender the daemon is ending.
            news = post.changed() => is_last = news.is_err(),
            () = sleep(nap) => {}
        }
    }
}

/// What the settings gave, all of it usable.
struct Installed {
    settings: Settings,
    profiles: Arc<Profiles>,
    schedule: Schedule,
}

/// What leaves between runs: by which channels people are told, and whom to ask again before a
/// notice is told late; and where checkpoints are taken out of reach.
struct Post {
    plan: Plan,
    senders: Vec<Sender>,
    anchors: Vec<Anchor>,
}

impl Installed {
    fn read(config: &Path) -> anyhow::Result<Self> {
        let settings = settings::read(config)?;
        let profiles = profiles::load(settings.profiles.as_deref())?;
        if settings.nights.is_some() {
            let what = "`[nights]` are folders of exports, each as of its own time: say `run \
                        --once`, or take the table out";
            return Err(UsageError(what.to_owned()).into());
        }
        let schedule = settings.service.schedule.clone().ok_or_else(|| {
            UsageError(
                "the settings have no `[schedule]`: add one with `runs = [\"0 2 * * *\"]`, or say \
                 `run --once`"
                    .to_owned(),
            )
        })?;
        // Another installation, or this one begun again, waits for other seconds.
        let schedule =
            schedule.with_jitter(settings.service.jitter, RandomState::new().hash_one(()));
        // It must be usable now, and not at two in the night.
        settings.service.heartbeat()?;
        Ok(Self { settings, profiles, schedule })
    }

    /// Reads the secrets of what leaves between runs.
    fn post(&self) -> anyhow::Result<Post> {
        let Self { settings, profiles, .. } = self;
        let plan = settings.plan(None, Arc::clone(profiles))?;
        for source in &plan.sources {
            if let Source::NotSetUp { system, why, .. } = source {
                error!(system.id = %system, error = %why, "Failed to set `{system}` up: its lists fail");
            }
        }
        Ok(Post { plan, senders: settings.senders()?, anchors: settings.anchors()? })
    }

    /// Says which channels there are, and who gets the report.
    fn announce(&self, status: &watch::Sender<Status>) {
        status.send_modify(|it| {
            it.channels = self.settings.channels.iter().map(|it| it.name.clone()).collect();
            it.report_to.clone_from(&self.settings.routes.report.to);
            it.anchors = self.settings.anchors.iter().map(|it| it.named().name).collect();
        });
    }
}

/// What is done whenever it is due.
struct Service {
    config: PathBuf,
    installed: Installed,
    store: Store,
    status: watch::Sender<Status>,
    max_age: watch::Sender<TimeDelta>,
    /// Tells [`tell_people`] of other channels, and that a run may have left something to tell.
    post: watch::Sender<Arc<Post>>,
    /// Runs that failed and that the ledger could not be told of yet.
    untold: Option<FailedRuns>,
}

impl Work for Service {
    type Error = StoreError;

    fn schedule(&self) -> &Schedule {
        &self.installed.schedule
    }

    fn wait_for(&mut self, due: Option<Due>) {
        let next = due.map(|it| it.begins);
        let is_new =
            self.status.send_if_modified(|it| std::mem::replace(&mut it.next_run, next) != next);
        if let Some(next) = next.filter(|_| is_new) {
            let shown = when::on_the_wall(next, self.installed.schedule.zone());
            let what = match due.map(|it| it.pass) {
                Some(Pass::Light) => "light pass",
                Some(Pass::Full) | None => "run",
            };
            info!(next_run = %next.to_rfc3339(), "The next {what} begins at {shown}");
            tell(&[NotifyState::Status(&format!("next {what} at {shown}"))]);
        }
    }

    async fn run(&mut self, pass: Pass, turn: Option<Turn>) -> Result<Ran, StoreError> {
        let (began, took) = (MachineClock.now(), Instant::now());
        self.status.send_modify(|it| it.running_since = Some(began));
        tell(&[NotifyState::Status("running")]);
        let (ran, failed) = match self.commit(pass, turn).await {
            Ok(reported) => (Ok(Ran::Committed), reported.err()),
            Err(error) => {
                let why = format!("the last run failed, and nothing of it was saved: {error:#}");
                let ran = match error.downcast::<StoreError>() {
                    // The thread that writes is gone: whoever starts us again gives us another.
                    Ok(closed @ StoreError::Closed) => Err(closed),
                    _ => Ok(Ran::Failed),
                };
                (ran, Some(why))
            }
        };
        if let Some(why) = &failed {
            error!("{why}");
        }
        if let (Ok(Ran::Failed), Some(why)) = (&ran, &failed) {
            let one = FailedRuns::one(began, MachineClock.now(), why.clone());
            self.untold = Some(one.after(self.untold.take()));
        }
        self.tell_ledger().await;
        let took_ms = u64::try_from(took.elapsed().as_millis()).unwrap_or(u64::MAX);
        self.status.send_modify(|it| {
            it.running_since = None;
            it.took_ms = Some(took_ms);
            it.n_failed += u64::from(failed.is_some());
            it.failed = failed;
        });
        ran
    }

    fn reload(&mut self) {
        let read = Installed::read(&self.config).and_then(|new| Ok((new.post()?, new)));
        let bad = match read {
            Ok((_, new)) if new.settings.database != self.installed.settings.database => {
                Some("`database` is another: restart driftline to use it".to_owned())
            }
            Ok((_, new))
                if new.settings.service.listen != self.installed.settings.service.listen =>
            {
                Some("`web.listen` is another: restart driftline to use it".to_owned())
            }
            Ok((post, new)) => {
                self.max_age.send_replace(new.settings.policy.max_age);
                self.post.send_replace(Arc::new(post));
                new.announce(&self.status);
                self.installed = new;
                None
            }
            Err(error) => Some(format!("{error:#}")),
        };
        // Before it is told: who reads of it may ask at once.
        self.status.send_modify(|it| it.bad_settings.clone_from(&bad));
        match bad {
            None => info!("Read the settings again: they are in force"),
            Some(why) => {
                error!(error = %why, "The settings cannot be used: those before stay in force");
            }
        }
    }
}

impl Service {
    /// Writes the pages that a process before did not live to write.
    async fn begin(&self) {
        if let Err(why) = self.write_missing_pages().await {
            error!("{why}");
            self.status.send_modify(|it| it.failed = Some(why));
        }
    }

    /// Does one run, reports it, and tells that it was done. Inside: why it was not reported. Of a
    /// light pass the heart does not beat: it has not seen every list.
    async fn commit(&self, pass: Pass, turn: Option<Turn>) -> anyhow::Result<Result<(), String>> {
        let outcome = self.due().commit(pass, None, turn, &MachineClock).await?;
        for failure in &outcome.failures {
            warn!("Not all was read: {failure}");
        }
        self.send();
        if let Err(why) = self.write_missing_pages().await {
            return Ok(Err(why));
        }
        if outcome.record.pass == Pass::Full && run::is_complete(&outcome.report) {
            self.beat().await;
        }
        Ok(Ok(()))
    }

    fn due(&self) -> run::Due<'_> {
        let Installed { settings, profiles, .. } = &self.installed;
        run::Due { settings, profiles: Arc::clone(profiles), store: &self.store }
    }

    /// Says that there may be something to tell, and by which channels: their secrets may be others
    /// since. Where one cannot be read, those before are better than none.
    fn send(&self) {
        match self.installed.post() {
            Ok(post) => drop(self.post.send_replace(Arc::new(post))),
            Err(error) => {
                let error = format!("{error:#}");
                warn!(error, "Secrets of channels and anchors cannot be read again");
                self.post.send_modify(|_| ());
            }
        }
    }

    /// Those of the last full run, also after a light pass: until they are there, that they are not
    /// is told.
    async fn write_missing_pages(&self) -> Result<(), String> {
        let written = self.due().write_missing_pages().await;
        written.map_err(|it| format!("the report of the last run was not written: {it:#}"))
    }

    /// Tells the ledger of runs that failed. What kept a run from being saved may keep this, too:
    /// then it is told after the next run.
    async fn tell_ledger(&mut self) {
        let Some(failed) = self.untold.clone() else { return };
        match self.store.add_failed_runs(failed).await {
            Ok(()) => {
                info!("The ledger was told that a run failed");
                self.untold = None;
            }
            Err(error) => {
                warn!("The ledger was not told of it yet: {:#}", anyhow::Error::from(error));
            }
        }
    }

    async fn beat(&self) {
        let heard = match self.installed.settings.service.heartbeat() {
            Ok(None) => return,
            Ok(Some(heartbeat)) => heartbeat.beat().await,
            Err(error) => Err(format!("{:#}", anyhow::Error::from(error))),
        };
        if let Err(why) = &heard {
            warn!(error = %why, "The heartbeat was not heard");
        }
        self.status.send_modify(|it| match heard {
            Ok(()) => it.heartbeat_at = Some(MachineClock.now()),
            Err(_) => it.n_unheard += 1,
        });
    }
}

/// The signals of the operating system.
struct Signals {
    terminate: Signal,
    interrupt: Signal,
    hang_up: Signal,
    user: Signal,
}

impl Signals {
    /// Listens from now on: none is lost, and none ends the process by itself.
    fn listen() -> anyhow::Result<Self> {
        let of = |kind| signal(kind).context("failed to listen to signals");
        Ok(Self {
            terminate: of(SignalKind::terminate())?,
            interrupt: of(SignalKind::interrupt())?,
            hang_up: of(SignalKind::hangup())?,
            user: of(SignalKind::user_defined1())?,
        })
    }

    /// Passes them on. Returns when it is time to stop hard: asked twice, or once and the run that
    /// goes on has had its time.
    async fn heed(mut self, wakes: &Wakes, stop_within: Duration) {
        let mut stops_at = None;
        loop {
            let patience = async {
                match stops_at {
                    Some(at) => tokio::time::sleep_until(at).await,
                    None => std::future::pending().await,
                }
            };
            tokio::select! {
                _ = self.terminate.recv() => {}
                _ = self.interrupt.recv() => {}
                _ = self.hang_up.recv() => {
                    wakes.reload.notify_one();
                    continue;
                }
                _ = self.user.recv() => {
                    wakes.run.notify_one();
                    continue;
                }
                () = patience => return,
            }
            if stops_at.is_some() {
                return;
            }
            info!("Stopping after the run that goes on, if one does");
            tell(&[NotifyState::Stopping]);
            stops_at = Some(Instant::now() + stop_within);
            wakes.stop.notify_one();
        }
    }
}

/// Tells systemd twice as often as it wants to hear it that we live, from the task that does the
/// work: when that one hangs, so does this.
async fn watchdog() -> std::convert::Infallible {
    let Some(limit) = sd_notify::watchdog_enabled().filter(|it| !it.is_zero()) else {
        return std::future::pending().await;
    };
    let mut beats = interval(limit / 2);
    loop {
        beats.tick().await;
        tell(&[NotifyState::Watchdog]);
    }
}

/// Tells systemd, if it is there. Nobody is worse off when it does not hear.
fn tell(state: &[NotifyState<'_>]) {
    sd_notify::notify(state).ok();
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn a_report_that_was_not_written_is_told_until_it_is_there() {
        let folder = tempfile::tempdir().unwrap();
        let config = folder.path().join("driftline.toml");
        let samples = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../config/samples/2026-11-20");
        let list = samples.join("secureframe_scim_users").display().to_string();
        std::fs::write(
            &config,
            format!(
                "[schedule]\nruns = ['0 2 * * *']\n[app.secureframe]\nidps = []\n\
                 [[app.secureframe.file]]\npath = '{list}'\n"
            ),
        )
        .unwrap();
        let reports = folder.path().join("reports");
        std::fs::write(&reports, "a file where the folder should be").unwrap();

        let installed = Installed::read(&config).unwrap();
        let (status, told) = watch::channel(Status::default());
        let (max_age, _) = watch::channel(TimeDelta::zero());
        let (post, _) = watch::channel(Arc::new(installed.post().unwrap()));
        let store = open(&installed.settings).unwrap();
        let mut service = Service { config, installed, store, status, max_age, post, untold: None };
        let is_told = || told.borrow().failed.clone().is_some_and(|it| it.contains("not written"));
        for pass in [Pass::Full, Pass::Light] {
            assert_eq!(service.run(pass, None).await.unwrap(), Ran::Committed);
            assert!(is_told(), "after a {pass} pass");
        }
        std::fs::remove_file(&reports).unwrap();
        assert_eq!(service.run(Pass::Light, None).await.unwrap(), Ran::Committed);
        assert!(!is_told() && reports.join("latest.html").exists());
    }
}
