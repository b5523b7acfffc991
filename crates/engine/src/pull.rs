//! Asks every system for its lists, all at the same time.

use std::sync::Arc;

use connectors::files::{Files, Pull};
use domain::{At, Body, Clock, EntityId, Snapshot, Stream, Unmapped};
use rustc_hash::FxHashSet;
use tracing::info;

use crate::lists::Listing;
use crate::plan::Plan;

/// What the systems answered.
#[derive(Debug, Default)]
pub(crate) struct Pulled {
    pub(crate) snapshots: Vec<Snapshot>,
    pub(crate) unmapped: Vec<Unmapped>,
    /// Lists that could not be pulled, and why.
    pub(crate) failed: Vec<(Stream, String)>,
    /// Failures of which it is not known what list they cost.
    pub(crate) lost: Vec<String>,
    /// Every failure with all that was said about it, for the terminal.
    pub(crate) whole_words: Vec<String>,
}

/// Pulls every system of the plan. A system that cannot be read is not an error here: its lists
/// grow old.
pub(crate) async fn pull_all(systems: &[Files], clock: &dyn Clock) -> Pulled {
    let mut pulled = Pulled::default();
    // All at once: each is asked in a task of its own, and heard in the order of the plan.
    let now = At(clock.now());
    let asked: Vec<_> = systems
        .iter()
        .cloned()
        .map(|files| tokio::spawn(async move { files.pull(&now).await }))
        .collect();
    for (files, answer) in systems.iter().zip(asked) {
        let Pull { snapshots, unmapped, failures } = match answer.await {
            Ok(pull) => pull,
            Err(panic) => std::panic::resume_unwind(panic.into_panic()),
        };
        for snapshot in &snapshots {
            let (system, list) = (files.system(), snapshot.stream.list);
            let n_rows = snapshot.rows.len();
            info!(system.id = %system, list = %list, n_rows, "Pulled {n_rows} rows of {list} from `{system}`");
        }
        for failure in failures {
            let why = chain(&failure.error);
            info!(system.id = %files.system(), error = %why, "Failed to pull from `{}`", files.system());
            // Pages have room for what is wrong; how to map columns is for the terminal.
            let first_line = why.lines().next().unwrap_or_default().to_owned();
            pulled.whole_words.push(why);
            if failure.lists.is_empty() {
                pulled.lost.push(first_line);
            } else {
                let failed = failure.lists.into_iter().map(|it| (it, first_line.clone()));
                pulled.failed.extend(failed);
            }
        }
        pulled.snapshots.extend(snapshots);
        pulled.unmapped.extend(unmapped);
    }
    pulled
}

/// The systems of a plan, ready to be asked.
pub(crate) fn systems(plan: &Plan) -> Vec<Files> {
    plan.systems.iter().map(|it| Files::new(it.clone(), Arc::clone(&plan.profiles))).collect()
}

/// An error with its causes, in one line.
pub(crate) fn chain(error: &dyn std::error::Error) -> String {
    let mut text = error.to_string();
    let mut source = error.source();
    while let Some(cause) = source {
        text.push_str(": ");
        text.push_str(&cause.to_string());
        source = cause.source();
    }
    text
}

/// The raw bytes of the rows that conclusions rest on, read again from where they were read.
pub(crate) async fn bodies(
    systems: &[Files],
    listings: &[Listing],
    wanted: &FxHashSet<EntityId>,
) -> Vec<Body> {
    let mut bodies = Vec::new();
    for listing in listings {
        let Some(fresh) = &listing.fresh else { continue };
        let Some(files) = systems.iter().find(|it| *it.system() == listing.stream.system) else {
            continue;
        };
        let entities = fresh.enrolled.entities.iter().enumerate();
        let (rows, entities): (Vec<usize>, Vec<EntityId>) = entities
            .filter(|(_, entity)| wanted.contains(entity))
            .map(|(at, it)| (at, *it))
            .unzip();
        if rows.is_empty() {
            continue;
        }
        let raw = files.bodies(&fresh.snapshot, &rows).await;
        let kept = entities.into_iter().zip(raw);
        bodies.extend(kept.filter_map(|(entity, bytes)| Some(Body { entity, bytes: bytes? })));
    }
    bodies
}
