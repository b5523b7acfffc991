//! Findings about Driftline's own sight, kept apart from findings about people.

use crate::{Cause, FindingId, Interval, Pass, Severity, SystemId, Text, named};

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
        /// The source refuses the credential, or the credential cannot be read: nothing of it was read.
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
    /// The findings about people that it is behind; `None`: it is no cause of any.
    pub root: Option<RootCause>,
}

impl WatcherFinding {
    /// What happened, what to do next, and how many findings come of it.
    #[must_use]
    pub fn told(&self) -> String {
        let reach = self.root.as_ref().map_or_else(String::new, RootCause::told);
        format!("{}. {}{reach}", self.text.trim_end_matches('.'), self.next_action)
    }
}

/// Which findings come of what is wrong with provisioning. It changes none of them.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RootCause {
    /// What is wrong, in one word that stays the same from run to run.
    pub name: String,
    /// Causes of findings that can come of it.
    pub causes: Vec<Cause>,
    /// When it began, as far as the source or the runs that were told of it say.
    pub began: Interval,
    /// Findings of people who lost the app while it was so. In the order of the report.
    pub explains: Vec<FindingId>,
    /// Findings that fit, but of which it is not known that it was so when the person lost the app, or
    /// that no other provider was to act. In the order of the report.
    pub may_explain: Vec<FindingId>,
}

impl RootCause {
    /// Whether any finding may come of it.
    #[must_use]
    pub const fn has_findings(&self) -> bool {
        !self.explains.is_empty() || !self.may_explain.is_empty()
    }

    /// ` It explains 2 findings (DL-3, DL-4), and perhaps DL-9.`; empty where nothing comes of it.
    fn told(&self) -> String {
        let names = |of: &[FindingId]| named_findings(of);
        match (&*self.explains, &*self.may_explain) {
            ([], []) => String::new(),
            (sure, []) => format!(" It explains {}.", names(sure)),
            ([], perhaps) => format!(" It may explain {}.", names(perhaps)),
            (sure, perhaps) => {
                format!(" It explains {}, and may explain {}.", names(sure), names(perhaps))
            }
        }
    }
}

/// So many findings are named; the report has all.
const NAMED_MAX: usize = 5;

fn named_findings(all: &[FindingId]) -> String {
    let named: Vec<String> = all.iter().take(NAMED_MAX).map(ToString::to_string).collect();
    match all.len() - named.len() {
        0 => named.join(", "),
        n => format!("{} and {n} more", named.join(", ")),
    }
}

/// What trouble of provisioning can be behind: of whom, and which findings.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Reach {
    /// What is wrong, in one word that stays the same from run to run.
    pub name: String,
    /// Causes of findings that can come of it.
    pub causes: Vec<Cause>,
    /// Of whom.
    pub whom: Whom,
}

/// Whom trouble of provisioning touches.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Whom {
    /// Everybody whom the provider knows, from some time on.
    EverybodySince(Interval),
    /// These users of the provider, by their ids: it says so of each.
    Users(Vec<Text>),
}
