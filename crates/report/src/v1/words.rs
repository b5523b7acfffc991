//! The words of version 1: enums of its own, so that a change of the domain's
//! names is seen by the compiler here and never changes a published document.

#[cfg(test)]
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// Declares the frozen twin of a domain enum. The match is total: a value added
/// to the domain does not compile until it has a word here.
macro_rules! words {
    ($(#[$meta:meta])* $enum:ident { $($variant:ident = $name:literal,)+ }) => {
        $(#[$meta])*
        #[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
        #[cfg_attr(test, derive(JsonSchema))]
        #[expect(missing_docs, reason = "the values are those of the domain, explained there")]
        pub enum $enum { $(#[serde(rename = $name)] $variant,)+ }

        impl $enum {
            /// Every value, in order.
            pub const ALL: &[Self] = &[$(Self::$variant,)+];

            /// The word, as it stands in the document.
            #[must_use]
            pub const fn name(self) -> &'static str {
                match self { $(Self::$variant => $name,)+ }
            }

            /// The value of that word; `None` for any other text.
            #[must_use]
            pub fn parse(name: &str) -> Option<Self> {
                match name { $($name => Some(Self::$variant),)+ _ => None }
            }
        }

        impl From<domain::$enum> for $enum {
            fn from(value: domain::$enum) -> Self {
                match value { $(domain::$enum::$variant => Self::$variant,)+ }
            }
        }
    };
}

words! {
    /// How much a finding matters.
    Severity { Low = "low", Medium = "medium", High = "high", Critical = "critical", }
}

words! {
    /// How much a run looked at.
    Pass { Full = "full", Light = "light", }
}

words! {
    /// A finding's identity over time.
    Family {
        AccessRemains = "access_remains",
        Orphan = "orphan",
        AccessMissing = "access_missing",
        Link = "link",
        Sources = "sources",
        NonHuman = "nonhuman",
        Record = "record",
    }
}

words! {
    /// Why there is a finding.
    Cause {
        LeaverActive = "leaver_active",
        Reactivated = "reactivated",
        SourceGoneActive = "source_gone_active",
        ExternalExpired = "external_expired",
        UnassignedActive = "unassigned_active",
        SuspendedActive = "suspended_active",
        LeaverListed = "leaver_listed",
        AccessInvited = "access_invited",
        OrphanActive = "orphan_active",
        DisabledEntitled = "disabled_entitled",
        Vanished = "vanished",
        NotProvisioned = "not_provisioned",
        LinkConflict = "link_conflict",
        AmbiguousLink = "ambiguous_link",
        DuplicateAccount = "duplicate_account",
        SourcesDisagree = "sources_disagree",
        ChannelConflict = "channel_conflict",
        OwnerLeft = "owner_left",
        NonhumanUnowned = "nonhuman_unowned",
        ResidualEntitlement = "residual_entitlement",
        IdentifierDrift = "identifier_drift",
    }
}

words! {
    /// Where a finding stands.
    FindingState {
        Pending = "pending",
        Open = "open",
        Acknowledged = "acknowledged",
        Held = "held",
        Waived = "waived",
        NotVisible = "not_visible",
        Resolved = "resolved",
        FalsePositive = "false_positive",
    }
}

words! {
    /// Why a finding is over.
    Resolution {
        InactiveSeen = "inactive_seen",
        AbsenceProven = "absence_proven",
        Superseded = "superseded",
        Registered = "registered",
        Decided = "decided",
        Corrected = "corrected",
    }
}

words! {
    /// What the run did to a finding.
    Change {
        Detected = "detected",
        Opened = "opened",
        Worsened = "worsened",
        Resolved = "resolved",
        Reopened = "reopened",
        Waived = "waived",
        Acknowledged = "acknowledged",
        FalsePositive = "false_positive",
        Held = "held",
        LostSight = "lost_sight",
        Unchanged = "unchanged",
    }
}

words! {
    /// What a finding is about.
    SubjectKind { Account = "account", Identity = "identity", }
}

words! {
    /// Coverage of one app or list.
    Grade { A = "A", B = "B", C = "C", F = "F", }
}

words! {
    /// What a connected system is to Driftline.
    SystemKind { Idp = "idp", App = "app", Hr = "hr", Register = "register", }
}

words! {
    /// One kind of list.
    List {
        Identities = "identities",
        Assignments = "assignments",
        Memberships = "memberships",
        Accounts = "accounts",
        NonHumans = "nonhumans",
        Leavers = "leavers",
    }
}

words! {
    /// One way of seeing an app.
    Channel { Scim = "scim", SecureframeApi = "secureframe_api", File = "file", }
}

words! {
    /// How the as-of time of a list is known.
    AsOfBasis { Stated = "stated", InData = "in_data", FileTime = "file_time", }
}

words! {
    /// Why a list counts as complete.
    Proof {
        StatedTotal = "stated_total",
        ReadToEnd = "read_to_end",
        DeclaredWhole = "declared_whole",
        YourWord = "your_word",
    }
}

words! {
    /// The key that was tried.
    Tier {
        Operator = "operator",
        AccountId = "account_id",
        ExternalId = "external_id",
        EmployeeNumber = "employee_number",
        UserName = "user_name",
        Email = "email",
    }
}

words! {
    /// Whether access was removed in time.
    SlaOutcome {
        Met = "met",
        Missed = "missed",
        NotProven = "not_proven",
        Exception = "exception",
        OutOfScope = "out_of_scope",
    }
}

words! {
    /// From which event the clock runs.
    ClockStart {
        HrTermination = "hr_termination_at",
        IdpDeactivated = "idp_deactivated_at",
        IdpUnassigned = "idp_unassigned_at",
        EarliestKnown = "earliest_known",
    }
}

words! {
    /// What an app does with an account that is switched off.
    Deprovisioned {
        Lists = "lists",
        Hides = "hides",
        Deletes = "deletes",
    }
}

words! {
    /// What is wrong with the watching.
    Watcher {
        SourceStale = "source_stale",
        SnapshotIncomplete = "snapshot_incomplete",
        MassChangeHeld = "mass_change_held",
        CanaryMissing = "canary_missing",
        SchemaChanged = "schema_changed",
        CredentialFailed = "credential_failed",
        WriteScopePresent = "write_scope_present",
        ClockSkew = "clock_skew",
        ProvisioningUnhealthy = "provisioning_unhealthy",
        LedgerBroken = "ledger_broken",
        AnchorMissing = "anchor_missing",
        CoverageDropped = "coverage_dropped",
        RunMissed = "run_missed",
        AlertUndelivered = "alert_undelivered",
    }
}

impl Grade {
    /// Returns true when "0 findings" may be said; else it reads "not proven".
    #[must_use]
    pub const fn proves_absence(self) -> bool {
        matches!(self, Self::A | Self::B)
    }
}

impl FindingState {
    /// Returns true until a finding is resolved or called a false positive.
    #[must_use]
    pub const fn is_live(self) -> bool {
        !matches!(self, Self::Resolved | Self::FalsePositive)
    }
}

/// The conclusion for one person and account. `drift` carries its cause beside it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[cfg_attr(test, derive(JsonSchema))]
#[serde(rename_all = "snake_case")]
#[expect(missing_docs, reason = "the values are those of the domain, explained there")]
pub enum Verdict {
    Confirmed,
    ConfirmedOffboarded,
    NoAccount,
    Exempt,
    NotYet,
    Indeterminate,
    Drift,
}

impl Verdict {
    /// Every value, in order.
    pub const ALL: &[Self] = &[
        Self::Confirmed,
        Self::ConfirmedOffboarded,
        Self::NoAccount,
        Self::Exempt,
        Self::NotYet,
        Self::Indeterminate,
        Self::Drift,
    ];

    /// The verdict without its cause, and the cause.
    pub(super) const fn split(value: domain::Verdict) -> (Self, Option<domain::Cause>) {
        match value {
            domain::Verdict::Confirmed => (Self::Confirmed, None),
            domain::Verdict::ConfirmedOffboarded => (Self::ConfirmedOffboarded, None),
            domain::Verdict::NoAccount => (Self::NoAccount, None),
            domain::Verdict::Exempt => (Self::Exempt, None),
            domain::Verdict::NotYet => (Self::NotYet, None),
            domain::Verdict::Indeterminate => (Self::Indeterminate, None),
            domain::Verdict::Drift(cause) => (Self::Drift, Some(cause)),
        }
    }
}

impl Watcher {
    /// Whether a run of this kind can tell that it is so, and that it is not so any more.
    #[must_use]
    pub fn is_seen_by(self, pass: Pass) -> bool {
        let is_it = |it: &&domain::Watcher| it.name() == self.name();
        let pass = match pass {
            Pass::Full => domain::Pass::Full,
            Pass::Light => domain::Pass::Light,
        };
        domain::Watcher::ALL.iter().find(is_it).is_some_and(|it| it.is_seen_by(pass))
    }
}
