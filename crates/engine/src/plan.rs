//! What a run has to do: the systems to pull, the apps to judge, the policy to judge by.

use std::sync::Arc;

use connectors::files::{Config, Profiles};
use domain::Digest;
use drift::{AppRules, Policy};
use graph::KeyRules;

/// The plan of a run, made from the settings or from the arguments of `check`.
#[derive(Clone, Debug)]
pub struct Plan {
    /// The systems, each name once.
    pub systems: Vec<Config>,
    /// How export files are read.
    pub profiles: Arc<Profiles>,
    /// The apps, in order of name.
    pub apps: Vec<AppPlan>,
    /// What counts as drift.
    pub policy: Policy,
    /// SHA-256 of the settings.
    pub settings_digest: Digest,
    /// The key of fingerprints; `None`: the database's own.
    pub fingerprint_key: Option<[u8; 32]>,
    /// Program and version, as `driftline 0.1.0`.
    pub software: String,
}

/// One app of a plan.
#[derive(Clone, Debug)]
pub struct AppPlan {
    /// Whose word counts for it, and what its answers mean.
    pub rules: AppRules,
    /// Which keys join its accounts to people.
    pub keys: KeyRules,
}
