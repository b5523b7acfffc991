//! What an operator may choose: policy is data, with defaults.

use std::collections::BTreeMap;

use chrono::{DateTime, TimeDelta, Utc};
use chrono_tz::Tz;
use domain::{Calendar, Cause, Channel, ClockStart, Severity, SlaLimit, SlaTerms, SystemId};

/// The rules of one deployment.
#[derive(Clone, Debug)]
pub struct Policy {
    /// Counted up by the operator; stored with every result.
    pub version: u32,
    /// Grace other than the cause's own.
    pub grace: BTreeMap<Cause, TimeDelta>,
    /// Severity other than the cause's own.
    pub severity: BTreeMap<Cause, Severity>,
    /// True: no grace and no second look (`check`).
    pub is_immediate: bool,
    /// A list older than this supports no new claim.
    pub max_age: TimeDelta,
    /// Entitled again after this long begins a new episode.
    pub rehire_after: TimeDelta,
    /// Access must be off within this time.
    pub sla: SlaLimit,
    /// The business days that such a limit counts.
    pub calendar: Calendar,
    /// From which event the SLA runs.
    pub sla_clock: ClockStart,
    /// A list that falls by more than this share, in percent, is held. 1 to 100.
    pub shrink_max_percent: u32,
    /// How much may change in one app before the guard holds it.
    pub guard: Guard,
    /// The zone of days: end dates without a zone of their own, and pages for people.
    pub zone: Tz,
}

impl Policy {
    /// When access must be off that had to end at `start`.
    #[must_use]
    pub fn deadline(&self, start: DateTime<Utc>) -> DateTime<Utc> {
        self.calendar.deadline(&self.sla, start)
    }

    /// What it holds leavers to.
    #[must_use]
    pub fn terms(&self) -> SlaTerms {
        SlaTerms {
            clock: self.sla_clock,
            limit: self.sla.clone(),
            calendar: self.calendar.clone(),
            policy_version: self.version,
        }
    }

    /// The same policy, with these terms for leavers.
    #[must_use]
    pub fn with_terms(&self, terms: SlaTerms) -> Self {
        let SlaTerms { clock, limit, calendar, policy_version } = terms;
        Self { version: policy_version, sla: limit, calendar, sla_clock: clock, ..self.clone() }
    }
}

impl Default for Policy {
    fn default() -> Self {
        Self {
            version: 1,
            grace: BTreeMap::new(),
            severity: BTreeMap::new(),
            is_immediate: false,
            max_age: TimeDelta::hours(26),
            rehire_after: TimeDelta::hours(24),
            sla: SlaLimit::Span(TimeDelta::hours(24)),
            calendar: Calendar::default(),
            sla_clock: ClockStart::EarliestKnown,
            shrink_max_percent: 20,
            guard: Guard::default(),
            zone: Tz::UTC,
        }
    }
}

/// Limits of the guard on new claims from absence, and on closings, of one app. Percents are of the
/// accounts that the app lists, 1 to 100.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Guard {
    /// So many in one run are always let through.
    pub run_min: u64,
    /// More than this share in one run never is.
    pub run_max_percent: u32,
    /// So many in seven days are always let through.
    pub week_min: u64,
    /// More than this share in seven days never is.
    pub week_max_percent: u32,
    /// So long a person's release holds.
    pub release_for: TimeDelta,
}

impl Default for Guard {
    fn default() -> Self {
        Self {
            run_min: 20,
            run_max_percent: 5,
            week_min: 40,
            week_max_percent: 15,
            release_for: TimeDelta::hours(24),
        }
    }
}

/// What is judged: one app, and whose word counts for it.
#[derive(Clone, Debug)]
pub struct AppRules {
    /// The app.
    pub app: SystemId,
    /// The IdPs bound to it.
    pub idps: Vec<SystemId>,
    /// Is one IdP's assignment enough?
    pub entitlement: Entitlement,
    /// Whose `Leaver` beats everybody's `Entitled`: an IdP or an HR system. `None`: nobody's.
    pub authority: Option<SystemId>,
    /// What the app does with an account that is switched off.
    pub deprovision: Deprovision,
    /// Whether that is what the app's vendor documents, and the operator says nothing of it. Where it is
    /// `Unknown`, the vendor says that absence never shows it.
    pub is_on_vendors_word: bool,
    /// Channels that must all say so before an account counts as inactive. Empty: all configured.
    pub required_channels: Vec<Channel>,
    /// Role values that count as privileged, compared case-folded.
    pub privileged_roles: Vec<String>,
    /// Ids, user names or addresses of accounts that must be in every list of the app.
    pub canaries: Vec<String>,
    /// Likewise of accounts known to be switched off: their absence from a list shows that the
    /// app hides inactive accounts.
    pub inactive_canaries: Vec<String>,
}

impl AppRules {
    /// Returns true for the app itself and for each IdP bound to it.
    #[must_use]
    pub fn rests_on(&self, system: &SystemId) -> bool {
        self.app == *system || self.idps.contains(system)
    }
}

/// Is one IdP's assignment enough?
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Entitlement {
    /// Entitled by any bound IdP is entitled.
    Any,
    /// Every bound IdP that knows the person must entitle them.
    All,
}

/// What the app does with an account that is switched off.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Deprovision {
    /// Keeps it in the list, inactive: gone from the list means deleted.
    Lists,
    /// Hides it from the list: gone from the list means inactive, once an inactive canary shows it.
    Hides,
    /// Deletes it.
    Deletes,
    /// Not yet observed: gone from the list proves nothing.
    Unknown,
}

impl Deprovision {
    /// Returns true when whoever is gone from a whole list is off.
    #[must_use]
    pub const fn proves_absence(self) -> bool {
        matches!(self, Self::Lists | Self::Deletes)
    }
}
