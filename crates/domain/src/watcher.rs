//! Findings about Driftline's own sight, kept apart from findings about people.

use crate::{Pass, Severity, SystemId, named};

named! {
    /// What is wrong with the watching.
    pub enum Watcher {
        /// The newest list, or the newest that was whole and believed, is older than `max_age`, or none
        /// came in that time.
        SourceStale = "source_stale",
        /// The newest list is partial, or the pull failed.
        SnapshotIncomplete = "snapshot_incomplete",
        /// A list changed more than can be believed; its absences do not count.
        MassChangeHeld = "mass_change_held",
        /// A known user was not in the list.
        CanaryMissing = "canary_missing",
        /// A column or value is not what the profile knows.
        SchemaChanged = "schema_changed",
        /// The source refuses the credential: nothing of it was read.
        CredentialFailed = "credential_failed",
        /// The credential may do more than read.
        WriteScopePresent = "write_scope_present",
        /// Our clock and the source's differ by more than times can be compared with.
        ClockSkew = "clock_skew",
        /// The IdP's provisioning is paused, failing or switched off.
        ProvisioningUnhealthy = "provisioning_unhealthy",
        /// The ledger is not what was written.
        LedgerBroken = "ledger_broken",
        /// No checkpoint of the ledger was taken out of reach for too long.
        AnchorMissing = "anchor_missing",
        /// Coverage is worse than in the run before.
        CoverageDropped = "coverage_dropped",
        /// Runs that were due did not take place, or late.
        RunMissed = "run_missed",
        /// A channel does not take notices.
        AlertUndelivered = "alert_undelivered",
    }
}

impl Watcher {
    /// Whether a run of this kind can tell that it is so, and that it is not so any more. What needs
    /// a list that was read, only a full run can tell.
    #[must_use]
    pub const fn is_seen_by(self, pass: Pass) -> bool {
        match (pass, self) {
            (Pass::Full, _)
            | (
                Pass::Light,
                Self::SourceStale
                | Self::CoverageDropped
                | Self::LedgerBroken
                | Self::AnchorMissing
                | Self::AlertUndelivered,
            ) => true,
            (
                Pass::Light,
                Self::SnapshotIncomplete
                | Self::MassChangeHeld
                | Self::CanaryMissing
                | Self::SchemaChanged
                | Self::CredentialFailed
                | Self::WriteScopePresent
                | Self::ClockSkew
                | Self::ProvisioningUnhealthy
                | Self::RunMissed,
            ) => false,
        }
    }
}

/// One finding about the watching.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct WatcherFinding {
    /// What.
    pub kind: Watcher,
    /// Where; `None` when it is not one system's.
    pub system: Option<SystemId>,
    /// How much it matters.
    pub severity: Severity,
    /// What happened, in a sentence.
    pub text: String,
    /// What to do next.
    pub next_action: String,
}
