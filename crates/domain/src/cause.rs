//! Families and causes of findings (the table of the handbook's chapter on verdicts).

use crate::named;

named! {
    /// How much a finding matters.
    pub enum Severity {
        /// Tidy up.
        Low = "low",
        /// This week.
        Medium = "medium",
        /// Today.
        High = "high",
        /// Now.
        Critical = "critical",
    }
}

impl Severity {
    /// One step up; critical stays critical.
    #[must_use]
    pub const fn raised(self) -> Self {
        match self {
            Self::Low => Self::Medium,
            Self::Medium => Self::High,
            Self::High | Self::Critical => Self::Critical,
        }
    }
}

named! {
    /// A finding's identity over time: its cause may change, its family never.
    pub enum Family {
        /// Somebody without the right can use the app.
        AccessRemains = "access_remains",
        /// An active account that nobody owns.
        Orphan = "orphan",
        /// Somebody with the right cannot use the app.
        AccessMissing = "access_missing",
        /// It is not certain whose account it is.
        Link = "link",
        /// Sources contradict each other.
        Sources = "sources",
        /// An account of a program has no valid owner.
        NonHuman = "nonhuman",
        /// Access is right, the record is not.
        Record = "record",
    }
}

named! {
    /// Why there is a finding.
    pub enum Cause {
        /// Leaver, active.
        LeaverActive = "leaver_active",
        /// Was confirmed offboarded, active again with no later assignment or episode.
        Reactivated = "reactivated",
        /// Gone from the source, or an id of its form unknown there; active.
        SourceGoneActive = "source_gone_active",
        /// End date passed, active.
        ExternalExpired = "external_expired",
        /// Not assigned, active.
        UnassignedActive = "unassigned_active",
        /// Suspended, active.
        SuspendedActive = "suspended_active",
        /// Leaver, the account exists, activity not stated.
        LeaverListed = "leaver_listed",
        /// Neither entitled nor to come, invitation pending.
        AccessInvited = "access_invited",
        /// No owner, active, not registered.
        OrphanActive = "orphan_active",
        /// Entitled, linked, inactive.
        DisabledEntitled = "disabled_entitled",
        /// Entitled, was linked, absence proven.
        Vanished = "vanished",
        /// Entitled, never linked, not in a complete list.
        NotProvisioned = "not_provisioned",
        /// Strong keys disagree, or an identifier was re-used.
        LinkConflict = "link_conflict",
        /// Several candidates.
        AmbiguousLink = "ambiguous_link",
        /// One person, several active accounts.
        DuplicateAccount = "duplicate_account",
        /// Leaver in one IdP, entitled in another, no authority declared.
        SourcesDisagree = "sources_disagree",
        /// Fresh channels of one app disagree.
        ChannelConflict = "channel_conflict",
        /// The owner of a non-human account became a leaver.
        OwnerLeft = "owner_left",
        /// No valid owner, or past the date of attestation.
        NonhumanUnowned = "nonhuman_unowned",
        /// An inactive leaver still holds roles or groups.
        ResidualEntitlement = "residual_entitlement",
        /// Linked by an immutable id; names or addresses differ.
        IdentifierDrift = "identifier_drift",
    }
}

impl Cause {
    /// The family it belongs to.
    #[must_use]
    pub const fn family(self) -> Family {
        match self {
            Self::LeaverActive
            | Self::Reactivated
            | Self::SourceGoneActive
            | Self::ExternalExpired
            | Self::UnassignedActive
            | Self::SuspendedActive
            | Self::LeaverListed
            | Self::AccessInvited => Family::AccessRemains,
            Self::OrphanActive => Family::Orphan,
            Self::DisabledEntitled | Self::Vanished | Self::NotProvisioned => Family::AccessMissing,
            Self::LinkConflict | Self::AmbiguousLink | Self::DuplicateAccount => Family::Link,
            Self::SourcesDisagree | Self::ChannelConflict => Family::Sources,
            Self::OwnerLeft | Self::NonhumanUnowned => Family::NonHuman,
            Self::ResidualEntitlement | Self::IdentifierDrift => Family::Record,
        }
    }
}
