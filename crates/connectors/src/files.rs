//! Export files as a connected system: CSV, JSON and JSON Lines from the consoles and APIs
//! of identity providers and apps, read by profiles.
//!
//! Source of each format: the head of its profile. Needs no permission but to read the file.
//! *Partial* means that nobody showed or declared the file to be the whole list, that it
//! contradicts itself, or that a file beside it could not be read.

mod alike;
pub(crate) mod bodies;
mod capture;
pub(crate) mod config;
mod coverage;
mod csv;
mod dates;
pub(crate) mod error;
mod json;
mod limits;
pub(crate) mod map;
pub(crate) mod merge;
mod path;
mod profile;
pub(crate) mod read;
pub(crate) mod recognise;
mod record;
mod source;
pub(crate) mod unique;
mod window;
mod words;

use std::collections::BTreeMap;
use std::fs;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use chrono::{DateTime, Utc};
use domain::{Clock, List, Population, RowOrigin, Snapshot, Stream, SystemId, SystemKind};
use tokio::task;

pub use config::{Config, FileConfig};
pub use error::{Place, PullError, PullErrorKind, Unrecognised};
pub(crate) use merge::withhold;
pub use merge::{Pull, PullFailure};
pub use profile::{Profile, ProfileError, Profiles};
pub use recognise::recognise;

use merge::Outcome;
use read::{Export, Job};

/// Threads that read the files of one system: the daemon is made for two cores.
const READERS: usize = 2;

/// The export files of one system.
#[derive(Clone, Debug)]
pub struct Files {
    inner: Arc<Inner>,
}

#[derive(Debug)]
struct Inner {
    config: Config,
    profiles: Arc<Profiles>,
}

impl Files {
    /// Connects. Nothing is read before [`Files::pull`].
    #[must_use]
    pub fn new(config: Config, profiles: Arc<Profiles>) -> Self {
        Self { inner: Arc::new(Inner { config, profiles }) }
    }

    /// The system's name.
    #[must_use]
    pub fn system(&self) -> &SystemId {
        &self.inner.config.system
    }

    /// What it is to us.
    #[must_use]
    pub fn kind(&self) -> SystemKind {
        self.inner.config.kind
    }

    /// Reads every file. What could not be read is in [`Pull::failures`], never in a snapshot.
    pub async fn pull(&self, clock: &dyn Clock) -> Pull {
        let now = clock.now();
        let inner = Arc::clone(&self.inner);
        let plans = Arc::new(joined(task::spawn_blocking(move || inner.plan())).await);
        let next = Arc::new(AtomicUsize::new(0));
        let mut readers = Vec::new();
        for _ in 0..READERS.min(plans.order.len()) {
            let (inner, plans, next) =
                (Arc::clone(&self.inner), Arc::clone(&plans), Arc::clone(&next));
            readers.push(task::spawn_blocking(move || inner.read_next(&plans, &next, now)));
        }
        let mut results = BTreeMap::new();
        for reader in readers {
            results.extend(joined(reader).await);
        }
        // The readers are done, so the plan is ours alone.
        let plans = Arc::into_inner(plans).unwrap_or_default();
        let inner = Arc::clone(&self.inner);
        let merged = task::spawn_blocking(move || {
            let outcomes = inner.outcomes(plans, results);
            merge::merge(&inner.config, outcomes)
        });
        joined(merged).await
    }

    /// The raw bytes of rows of a snapshot that this system gave, decoded to UTF-8.
    ///
    /// `None` for a row whose file cannot be read, or is no longer the one that was pulled.
    pub async fn bodies(&self, snapshot: &Snapshot, rows: &[usize]) -> Vec<Option<Vec<u8>>> {
        let mut wanted: BTreeMap<u32, Vec<(usize, RowOrigin)>> = BTreeMap::new();
        for (place, row) in rows.iter().enumerate() {
            if let Some(origin) = snapshot.origins.get(*row) {
                wanted.entry(origin.request).or_default().push((place, *origin));
            }
        }
        let files = wanted.into_iter().filter_map(|(request, rows)| {
            let request = snapshot.requests.get(usize::try_from(request).ok()?)?.clone();
            let path = bodies::path_of(&request, &self.inner.config.files)?;
            Some((path, request, rows))
        });
        let files: Vec<_> = files.collect();
        let found = joined(task::spawn_blocking(move || {
            let mut found = Vec::new();
            for (path, request, rows) in files {
                let origins: Vec<RowOrigin> = rows.iter().map(|(_, origin)| *origin).collect();
                let bodies = bodies::read(&path, &request, &origins);
                found.extend(rows.into_iter().map(|(place, _)| place).zip(bodies));
            }
            found
        }))
        .await;
        let mut bodies = vec![None; rows.len()];
        for (place, body) in found {
            if let Some(slot) = bodies.get_mut(place) {
                *slot = body;
            }
        }
        bodies
    }
}

/// Waits for a thread. Its panic is ours.
async fn joined<T>(handle: task::JoinHandle<T>) -> T {
    match handle.await {
        Ok(value) => value,
        Err(error) => match error.try_into_panic() {
            Ok(panic) => std::panic::resume_unwind(panic),
            Err(error) => unreachable!("a reading thread is never cancelled: {error}"),
        },
    }
}

/// What is decided before reading.
#[derive(Debug, Default)]
struct Plans {
    /// By file: the name of its profile, or why there is none.
    profiles: Vec<Result<String, PullError>>,
    /// By file: whether another one lists everyone, so that its identities are not kept.
    skips_identities: Vec<bool>,
    /// Files to read, the largest first.
    order: Vec<usize>,
}

type Results = BTreeMap<usize, Result<Export, PullError>>;

impl Inner {
    fn plan(&self) -> Plans {
        let files = &self.config.files;
        let profiles: Vec<_> =
            files.iter().map(|it| self.choose(it).map(|it| it.name().to_owned())).collect();
        let population = |it: &Result<String, PullError>| {
            let profile = self.profiles.get(it.as_ref().ok()?)?;
            profile.identities.as_ref().map(|it| it.lists)
        };
        let has_everyone = profiles.iter().any(|it| population(it) == Some(Population::Everyone));
        let skips =
            profiles.iter().map(|it| has_everyone && population(it) == Some(Population::Assigned));
        let skips_identities = skips.collect();
        let mut order: Vec<usize> =
            profiles.iter().enumerate().filter(|(_, it)| it.is_ok()).map(|(at, _)| at).collect();
        order.sort_by_key(|at| std::cmp::Reverse(files.get(*at).map_or(0, size)));
        Plans { profiles, skips_identities, order }
    }

    fn choose(&self, file: &FileConfig) -> Result<&Profile, PullError> {
        let Some(name) = &file.profile else {
            return recognise::choose(
                &file.path,
                &file.shown_as,
                self.config.kind,
                file.group.is_some(),
                &self.profiles,
            );
        };
        let setting = |what| PullErrorKind::Setting { what }.at(&file.shown_as, Place::File);
        let profile = self.profiles.get(name).ok_or_else(|| {
            let names: Vec<&str> = self.profiles.names().collect();
            setting(format!("there is no profile `{name}`: choose one of {}", names.join(", ")))
        })?;
        if profile.kind() == self.config.kind {
            return Ok(profile);
        }
        let (is, wanted) = (profile.kind(), self.config.kind);
        Err(setting(format!(
            "the profile `{name}` is for a system of kind `{is}`, and this one is `{wanted}`: choose another"
        )))
    }

    /// Reads files until none is left.
    fn read_next(&self, plans: &Plans, next: &AtomicUsize, now: DateTime<Utc>) -> Results {
        let mut results = Results::new();
        while let Some(at) = plans.order.get(next.fetch_add(1, Ordering::Relaxed)) {
            let file = self.config.files.get(*at);
            let profile =
                plans.profiles.get(*at).and_then(|it| self.profiles.get(it.as_ref().ok()?));
            let Some((file, profile)) = file.zip(profile) else { continue };
            let job = Job {
                system: &self.config.system,
                file,
                profile,
                zone: self.config.zone,
                skips_identities: plans.skips_identities.get(*at).copied().unwrap_or_default(),
                now,
            };
            results.insert(*at, read::read(&job));
        }
        results
    }

    /// Puts results beside what was planned, in the order of the settings.
    fn outcomes(&self, plans: Plans, mut results: Results) -> Vec<Outcome<'_>> {
        let planned = plans.profiles.into_iter().zip(plans.skips_identities);
        let with_files = self.config.files.iter().zip(planned).enumerate();
        with_files
            .filter_map(|(at, (file, (profile, skips)))| {
                let name = profile.as_ref().ok().or(file.profile.as_ref());
                let known = name.and_then(|it| self.profiles.get(it));
                let result = match profile {
                    Ok(_) => results.remove(&at)?,
                    Err(error) => Err(error),
                };
                Some(Outcome {
                    file,
                    profile: known,
                    feeds: self.feeds(file, known, skips),
                    result,
                })
            })
            .collect()
    }

    /// The streams that a file feeds; empty where that is not known.
    fn feeds(
        &self,
        file: &FileConfig,
        profile: Option<&Profile>,
        skips_identities: bool,
    ) -> Vec<Stream> {
        let lists = match (profile, self.config.kind) {
            (Some(profile), _) => map::lists(profile, skips_identities),
            (None, SystemKind::Idp) if file.group.is_some() => vec![List::Memberships],
            (None, SystemKind::Idp) => Vec::new(),
            (None, SystemKind::App) => vec![List::Accounts],
            (None, SystemKind::Hr) => vec![List::Leavers],
            (None, SystemKind::Register) => vec![List::NonHumans],
        };
        lists
            .into_iter()
            .map(|list| merge::stream(&self.config.system, list, file, profile))
            .collect()
    }
}

/// Bytes of a file; of a folder nothing, its pages are read by one thread in any case.
fn size(file: &FileConfig) -> u64 {
    fs::metadata(&file.path).map_or(0, |it| it.len())
}
