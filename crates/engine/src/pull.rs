//! Asks every source for its lists, all at the same time; in a light pass for its log alone.

use std::collections::BTreeMap;
use std::sync::Arc;

use connectors::files::{Files, Profiles, Pull};
use connectors::live::{Bodies, LiveError, LiveFailure, LivePull, Trouble, chain};
use domain::{
    At, Body, Channel, Clock, EntityId, List, Pass, Request, Snapshot, Stream, SystemId,
    SystemKind, Unmapped, Unseen,
};
use futures_util::future::join_all;
use rayon::prelude::*;
use rustc_hash::FxHashSet;
use store::{Digested, LogPart};
use tokio::task::{JoinHandle, spawn_blocking};
use tracing::{Instrument as _, debug_span, info};

use crate::lists::{Fresh, Listing};
use crate::plan::{Plan, Source};

/// What the sources answered.
#[derive(Debug, Default)]
pub(crate) struct Pulled {
    pub(crate) lists: Vec<PulledList>,
    pub(crate) unmapped: Vec<Unmapped>,
    /// Apps whose accounts came in a list that was not taken, for its time.
    pub(crate) apps_of_refused_lists: Vec<SystemId>,
    /// Lists that could not be pulled, and why.
    pub(crate) failed: Vec<(Stream, String)>,
    /// Failures of which it is not known what list of the system they cost.
    pub(crate) lost: Vec<(SystemId, String)>,
    /// Lists that were asked for and that no run saw whole so far, this one included.
    pub(crate) unseen: Vec<Unseen>,
    /// Every failure with all that was said about it, for the terminal.
    pub(crate) whole_words: Vec<String>,
    /// Systems that refused the credential, and what they said.
    pub(crate) refused: BTreeMap<SystemId, String>,
    /// What sources say is wrong with provisioning, or with our view of it.
    pub(crate) troubles: Vec<(SystemId, Trouble)>,
    /// What was read of logs.
    pub(crate) log: Vec<LogPart>,
    /// Requests behind no list.
    pub(crate) other_requests: Vec<(SystemId, Request)>,
}

/// One list.
#[derive(Debug)]
pub(crate) struct PulledList {
    pub(crate) snapshot: Snapshot,
    pub(crate) digested: Digested,
    /// The raw bytes of its rows, in their order; `None` where they can be read again.
    pub(crate) bodies: Option<Bodies>,
}

impl PulledList {
    pub(crate) fn of(snapshot: Snapshot, bodies: Option<Bodies>) -> Self {
        Self { digested: Digested::of(&snapshot.rows), snapshot, bodies }
    }
}

/// What one source answered.
enum Answer {
    Files(Pull),
    Live(Box<LivePull>),
}

impl Answer {
    /// Takes the lists out of it, and digests them while other sources are still read.
    async fn take_lists(&mut self) -> Vec<PulledList> {
        let lists: Vec<(Snapshot, Option<Bodies>)> = match self {
            Self::Files(pull) => {
                std::mem::take(&mut pull.snapshots).into_iter().map(|it| (it, None)).collect()
            }
            Self::Live(pull) => {
                let bodies = std::mem::take(&mut pull.bodies).into_iter().map(Some);
                std::mem::take(&mut pull.snapshots).into_iter().zip(bodies).collect()
            }
        };
        let digest =
            move || lists.into_par_iter().map(|(list, raw)| PulledList::of(list, raw)).collect();
        joined(spawn_blocking(digest)).await
    }
}

/// Pulls every source of the plan: its lists, or in a light pass no list and what is new in its
/// log. One that cannot be read is not an error here: its lists grow old. `cursors`: where to go on reading logs.
pub(crate) async fn pull_all(
    plan: &Plan,
    cursors: &BTreeMap<SystemId, String>,
    clock: &dyn Clock,
) -> Pulled {
    let mut pulled = Pulled::default();
    // All at once: each is asked in a task of its own, and heard in the order of the plan.
    let now = At(clock.now());
    let asked: Vec<_> = plan
        .sources
        .iter()
        .map(|source| {
            let (source, profiles, pass) = (source.clone(), Arc::clone(&plan.profiles), plan.pass);
            let cursor = cursors.get(source.system()).cloned();
            // What is done in it belongs to this source, for logs and for whoever watches.
            let span = debug_span!(target: "progress", "pull", system.id = %source.system());
            let asked = async move {
                let cursor = cursor.as_deref();
                let mut answer = match pass {
                    Pass::Full => lists(source, profiles, &now, cursor).await,
                    Pass::Light => log(source, &now, cursor).await,
                };
                (answer.take_lists().await, answer)
            };
            tokio::spawn(asked.instrument(span))
        })
        .collect();
    for (source, answer) in plan.sources.iter().zip(asked) {
        let (lists, answer) = joined(answer).await;
        lists.into_iter().for_each(|it| pulled.add(source.system(), it));
        match answer {
            Answer::Files(pull) => pulled.add_files(source.system(), pull),
            Answer::Live(pull) => pulled.add_live(source.system(), *pull),
        }
    }
    pulled
}

/// Waits for a task. Its panic is ours.
async fn joined<T>(task: JoinHandle<T>) -> T {
    match task.await {
        Ok(value) => value,
        Err(panic) => std::panic::resume_unwind(panic.into_panic()),
    }
}

/// Everything that a source has.
async fn lists(
    source: Source,
    profiles: Arc<Profiles>,
    now: &At,
    log_cursor: Option<&str>,
) -> Answer {
    match source {
        Source::Files(config) => Answer::Files(Files::new(config, profiles).pull(now).await),
        Source::Okta(okta) => Answer::Live(Box::new(okta.pull(now, log_cursor).await)),
        Source::Entra(entra) => Answer::Live(Box::new(entra.pull(now, log_cursor).await)),
        Source::OneLogin(onelogin) => Answer::Live(Box::new(onelogin.pull(now, log_cursor).await)),
        Source::Scim(scim) => Answer::Live(Box::new(scim.pull(now).await)),
        Source::Secureframe(secureframe) => Answer::Live(Box::new(secureframe.pull().await)),
        Source::NotSetUp { system, kind, channel, why } => {
            Answer::Live(Box::new(not_set_up(&system, kind, channel, why)))
        }
        Source::Past { .. } => Answer::Live(Box::default()),
    }
}

/// What is new in a source's log; nothing of a source that has none.
async fn log(source: Source, now: &At, log_cursor: Option<&str>) -> Answer {
    Answer::Live(Box::new(match source {
        Source::Okta(okta) => okta.pull_log(now, log_cursor).await,
        Source::Entra(entra) => entra.pull_log(now, log_cursor).await,
        Source::OneLogin(onelogin) => onelogin.pull_log(now, log_cursor).await,
        Source::NotSetUp { system, kind, channel, why } => not_set_up(&system, kind, channel, why),
        Source::Files(_) | Source::Scim(_) | Source::Secureframe(_) | Source::Past { .. } => {
            LivePull::default()
        }
    }))
}

/// What comes of a source that cannot be asked.
fn not_set_up(
    system: &SystemId,
    kind: SystemKind,
    channel: Option<Channel>,
    why: String,
) -> LivePull {
    let lists: &[List] = match kind {
        SystemKind::Idp => &[List::Identities, List::Assignments],
        SystemKind::App => &[List::Accounts],
        SystemKind::Hr => &[List::Leavers],
        SystemKind::Register => &[List::NonHumans],
    };
    let lists = lists.iter().map(|it| Stream { system: system.clone(), list: *it, channel });
    let failure = LiveFailure { lists: lists.collect(), error: LiveError::NotSetUp { why } };
    LivePull { failures: vec![failure], ..LivePull::default() }
}

impl Pulled {
    fn add_files(&mut self, system: &SystemId, pull: Pull) {
        for failure in pull.failures {
            self.fail(system, failure.lists, &failure.error);
        }
        self.unmapped.extend(pull.unmapped);
    }

    fn add_live(&mut self, system: &SystemId, pull: LivePull) {
        for failure in pull.failures {
            if failure.error.is_of_credential() {
                self.refused.insert(system.clone(), chain(&failure.error));
            }
            self.fail(system, failure.lists, &failure.error);
        }
        self.unmapped.extend(pull.unmapped);
        self.troubles.extend(pull.troubles.into_iter().map(|it| (system.clone(), it)));
        self.other_requests.extend(pull.requests.into_iter().map(|it| (system.clone(), it)));
        if pull.log_cursor.is_some() || !pull.events.is_empty() {
            let (events, cursor) = (pull.events, pull.log_cursor);
            self.log.push(LogPart { system: system.clone(), events, cursor });
        }
    }

    fn add(&mut self, system: &SystemId, pulled: PulledList) {
        let (list, n_rows) = (pulled.snapshot.stream.list, pulled.snapshot.rows.len());
        info!(system.id = %system, list = %list, n_rows, "Pulled {n_rows} rows of {list} from `{system}`");
        self.lists.push(pulled);
    }

    fn fail(&mut self, system: &SystemId, lists: Vec<Stream>, error: &dyn std::error::Error) {
        let why = chain(error);
        info!(system.id = %system, error = %why, "Failed to pull from `{system}`");
        // Pages have room for what is wrong; how to map columns is for the terminal.
        let first_line = why.lines().next().unwrap_or_default().to_owned();
        self.whole_words.push(why);
        if lists.is_empty() {
            self.lost.push((system.clone(), first_line));
        } else {
            self.failed.extend(lists.into_iter().map(|it| (it, first_line.clone())));
        }
    }
}

/// The raw bytes of the rows that conclusions rest on: as they were pulled, or read again from
/// the files they were read from.
pub(crate) async fn bodies(
    plan: &Plan,
    listings: &[Listing],
    wanted: &FxHashSet<EntityId>,
) -> Vec<Body> {
    // Files are read at the same time, beside what the caller does meanwhile.
    let fresh = listings.iter().filter_map(|it| it.fresh.as_ref());
    join_all(fresh.map(|it| bodies_of(plan, it, wanted))).await.into_iter().flatten().collect()
}

async fn bodies_of(plan: &Plan, fresh: &Fresh, wanted: &FxHashSet<EntityId>) -> Vec<Body> {
    let entities = fresh.enrolled.entities.iter().enumerate();
    let (rows, entities): (Vec<usize>, Vec<EntityId>) =
        entities.filter(|it| wanted.contains(it.1)).map(|(at, it)| (at, *it)).unzip();
    if rows.is_empty() {
        return Vec::new();
    }
    let raw: Vec<Option<Vec<u8>>> = match &fresh.bodies {
        Some(bodies) => bodies.read(&rows),
        None => read_again(plan, &fresh.snapshot, &rows).await,
    };
    let kept = entities.into_iter().zip(raw);
    kept.filter_map(|(entity, bytes)| Some(Body { entity, bytes: bytes? })).collect()
}

/// Rows of a snapshot that export files gave. Nothing for any other.
async fn read_again(plan: &Plan, snapshot: &Snapshot, rows: &[usize]) -> Vec<Option<Vec<u8>>> {
    let mut sources = plan.sources.iter();
    let files = sources.find_map(|it| match it {
        Source::Files(config) if config.system == snapshot.stream.system => Some(config),
        _ => None,
    });
    match files {
        Some(config) => {
            Files::new(config.clone(), Arc::clone(&plan.profiles)).bodies(snapshot, rows).await
        }
        None => Vec::new(),
    }
}
