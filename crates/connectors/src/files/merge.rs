//! From exports to snapshots: one for each stream, however many files feed it.
//! Half a list is never applied: a broken file takes its streams with it.

use std::collections::BTreeMap;

use domain::{
    AsOf, Assignment, Channel, Coverage, Grant, IdForm, List, Population, Principal, Proof,
    Request, RowOrigin, Rows, Snapshot, Stream, SystemId, Table, Text, Unmapped,
};
use rustc_hash::FxHashSet;

use super::config::{Config, FileConfig};
use super::coverage;
use super::error::PullError;
use super::profile::Profile;
use super::read::Export;
use super::unique;

/// Pairs of contradicting rows that a reason names; more are counted.
const CONFLICTS_MAX: usize = 5;

/// All that a pull brought.
#[derive(Debug)]
pub struct Pull {
    /// One for each stream that was read, in order of stream.
    pub snapshots: Vec<Snapshot>,
    /// Raw values that no mapping knows, in order.
    pub unmapped: Vec<Unmapped>,
    /// Files that could not be read. The streams they feed have no snapshot.
    pub failures: Vec<PullFailure>,
}

/// A file that could not be read.
#[derive(Debug)]
pub struct PullFailure {
    /// What it would have given. Empty: not known, so every other list of the system is partial.
    pub lists: Vec<Stream>,
    /// Why.
    pub error: PullError,
}

/// One file's result with what was decided about it before.
pub(crate) struct Outcome<'p> {
    pub(crate) file: &'p FileConfig,
    pub(crate) profile: Option<&'p Profile>,
    /// The streams it feeds; empty where they are not known.
    pub(crate) feeds: Vec<Stream>,
    pub(crate) result: Result<Export, PullError>,
}

/// Which stream a list of a file belongs to.
pub(crate) fn stream(
    system: &SystemId,
    list: List,
    file: &FileConfig,
    profile: Option<&Profile>,
) -> Stream {
    let channel = file.channel.or(profile.and_then(|it| it.channel)).unwrap_or(Channel::File);
    Stream { system: system.clone(), list, channel: (list == List::Accounts).then_some(channel) }
}

/// Merges what the files of one system gave.
pub(crate) fn merge(config: &Config, outcomes: Vec<Outcome<'_>>) -> Pull {
    let mut merged: BTreeMap<Stream, Merged> = BTreeMap::new();
    let (mut failures, mut unmapped, mut withheld) =
        (Vec::new(), BTreeMap::new(), FxHashSet::default());
    for outcome in outcomes {
        match (outcome.result, outcome.profile) {
            (Ok(export), Some(profile)) => {
                for part in add(&mut merged, config, outcome.file, profile, export) {
                    withheld.extend(part.withheld);
                    for it in part.unmapped {
                        *unmapped.entry((it.system, it.field, it.raw)).or_insert(0) += it.count;
                    }
                }
            }
            (Err(error), _) => failures.push(PullFailure { lists: outcome.feeds, error }),
            (Ok(_), None) => {} // Nothing is read without a profile.
        }
    }
    for failure in &failures {
        merged.retain(|stream, _| !failure.lists.contains(stream));
        if failure.lists.is_empty() {
            let reason =
                format!("`{}` could not be read and may belong to this list", failure.error.file);
            merged.values_mut().for_each(|it| it.partial.push(reason.clone()));
        }
    }
    let snapshots =
        merged.into_iter().map(|(stream, it)| it.into_snapshot(stream, &withheld)).collect();
    let unmapped = unmapped
        .into_iter()
        .map(|((system, field, raw), count)| Unmapped { system, field, raw, count })
        .collect();
    Pull { snapshots, unmapped, failures }
}

/// Words and identities that a part leaves for the whole pull.
struct Rest {
    unmapped: Vec<Unmapped>,
    withheld: Vec<Text>,
}

/// Adds one export to the streams it feeds.
fn add(
    merged: &mut BTreeMap<Stream, Merged>,
    config: &Config,
    file: &FileConfig,
    profile: &Profile,
    export: Export,
) -> Vec<Rest> {
    let Export { parts, stated, as_of, requests, n_rows } = export;
    let mut rests = Vec::new();
    for mut part in parts {
        let stream = stream(&config.system, part.rows.list(), file, Some(profile));
        rests.push(Rest {
            unmapped: std::mem::take(&mut part.unmapped),
            withheld: std::mem::take(&mut part.withheld),
        });
        let mut fresh = Merged {
            rows: part.rows,
            origins: part.origins,
            requests: requests.clone(),
            as_of,
            population: part.population,
            id_form: profile.id_form,
            folds: part.folds,
            notes: part.notes,
            partial: Vec::new(),
            proof: None,
            n_files: 1,
        };
        fresh.make_unique();
        match coverage::of(file, profile, &stated, fresh.rows.len() as u64, n_rows) {
            Coverage::Complete(proof) => fresh.proof = Some(proof),
            Coverage::Partial { reason } => fresh.partial.push(reason),
        }
        let both = match merged.remove(&stream) {
            None => fresh,
            Some(earlier) => earlier.with(fresh),
        };
        merged.insert(stream, both);
    }
    rests
}

/// One stream while files are added to it.
struct Merged {
    rows: Rows,
    origins: Vec<RowOrigin>,
    requests: Vec<Request>,
    as_of: AsOf,
    population: Population,
    id_form: Option<IdForm>,
    folds: bool,
    notes: Vec<String>,
    /// Why it is partial. Empty: it is not.
    partial: Vec<String>,
    /// The weakest proof of its files; `None` only where it is partial.
    proof: Option<Proof>,
    n_files: usize,
}

impl Merged {
    /// Adds a later file: the oldest time and the weakest proof count.
    fn with(mut self, later: Self) -> Self {
        let n_requests = u32::try_from(self.requests.len()).unwrap_or(u32::MAX);
        self.origins.extend(
            later
                .origins
                .into_iter()
                .map(|it| RowOrigin { request: it.request + n_requests, ..it }),
        );
        append(&mut self.rows, later.rows);
        self.requests.extend(later.requests);
        if later.as_of.at < self.as_of.at {
            self.as_of = later.as_of;
        }
        self.id_form = self.id_form.or(later.id_form);
        self.folds |= later.folds;
        self.notes.extend(later.notes);
        self.partial.extend(later.partial);
        // The order of proofs is from strong to weak.
        self.proof = self.proof.max(later.proof);
        self.n_files += later.n_files;
        self
    }

    fn make_unique(&mut self) {
        let duplicates = unique::make(&mut self.rows, &mut self.origins, self.folds);
        if duplicates.n_exact > 0 && !self.folds {
            self.notes.push(format!(
                "rows dropped, which say what one before them says: {}",
                duplicates.n_exact
            ));
        }
        if duplicates.n_earlier > 0 {
            let n_earlier = duplicates.n_earlier;
            self.notes.push(format!("rows left out, of people who left again later: {n_earlier}"));
        }
        let n_more = duplicates.conflicts.len().saturating_sub(CONFLICTS_MAX);
        for (first, second) in duplicates.conflicts.iter().take(CONFLICTS_MAX) {
            let reason = format!(
                "{} and {} are about the same id and say different things",
                self.shown(*first),
                self.shown(*second)
            );
            self.partial.push(reason);
        }
        if n_more > 0 {
            self.partial.push(format!("and {n_more} more such pairs"));
        }
    }

    fn shown(&self, origin: RowOrigin) -> String {
        let request = usize::try_from(origin.request).ok().and_then(|it| self.requests.get(it));
        format!("`{}` line {}", request.map_or("?", |it| &it.url), origin.line)
    }

    fn into_snapshot(mut self, stream: Stream, withheld: &FxHashSet<Text>) -> Snapshot {
        if self.n_files > 1 {
            self.make_unique();
        }
        if let Rows::Assignments(rows) = &mut self.rows {
            self.notes.extend(withhold(rows, withheld));
        }
        let coverage = match self.proof {
            Some(proof) if self.partial.is_empty() => Coverage::Complete(proof),
            _ => Coverage::Partial { reason: self.partial.join("; ") },
        };
        Snapshot {
            stream,
            as_of: self.as_of,
            coverage,
            population: self.population,
            id_form: self.id_form,
            rows: self.rows,
            origins: self.origins,
            requests: self.requests,
            notes: self.notes,
        }
    }
}

/// Takes the assignments of identities whose state gives them no access (OneLogin `state` other than 1).
pub(crate) fn withhold(rows: &mut Table<Assignment>, withheld: &FxHashSet<Text>) -> Option<String> {
    if withheld.is_empty() {
        return None;
    }
    let mut n = 0_u64;
    rows.update(|row| {
        if let Principal::Identity(id) = &row.principal
            && row.grant == Grant::Grants
            && withheld.contains(id)
        {
            row.grant = Grant::Denies;
            n += 1;
        }
    });
    (n > 0).then(|| {
        format!("assignments without access, because the user's state is not approved: {n}")
    })
}

/// Appends rows of the same list.
pub(crate) fn append(rows: &mut Rows, more: Rows) {
    match (rows, more) {
        (Rows::Identities(rows), Rows::Identities(more)) => rows.append(&more),
        (Rows::Assignments(rows), Rows::Assignments(more)) => rows.append(&more),
        (Rows::Memberships(rows), Rows::Memberships(more)) => rows.append(&more),
        (Rows::Accounts(rows), Rows::Accounts(more)) => rows.append(&more),
        (Rows::NonHumans(rows), Rows::NonHumans(more)) => rows.append(&more),
        (Rows::Leavers(rows), Rows::Leavers(more)) => rows.append(&more),
        (rows, more) => assert!(rows.list() == more.list(), "a stream has one kind of rows"),
    }
}
