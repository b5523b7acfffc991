//! One app in one run: its grade, its counts, its verdicts.

use domain::AppRecord;
#[cfg(test)]
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::{Bounds, Cause, Channel, Deprovisioned, Finding, Grade, Time, Verdict};

/// One app.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(test, derive(JsonSchema))]
#[serde(deny_unknown_fields)]
pub struct App {
    /// Its name.
    pub app: String,
    /// The IdPs bound to it.
    pub idps: Vec<String>,
    /// How sure its results are: A, B, C (partial) or F (no data).
    pub grade: Grade,
    /// Why not better, a sentence each. Empty for grade A.
    pub grade_reasons: Vec<String>,
    /// False when "0 findings" must be read as "not proven".
    pub proves_absence: bool,
    /// True in the first judged run of this app.
    pub is_baseline: bool,
    /// Findings that live.
    pub n_live: u64,
    /// Persons over the bound IdPs.
    pub n_persons: u64,
    /// Accounts of the app.
    pub n_accounts: u64,
    /// Persons and accounts by verdict; none with count 0.
    pub tallies: Vec<Tally>,
    /// How long access remained where it ended lately; `null` where none was seen to end.
    pub time_to_deactivate: Option<TimeToDeactivate>,
    /// What the app does with an account that is switched off; not there where no past is kept.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub deprovision: Option<Deprovision>,
}

/// What an app does with an account that is switched off: what the settings say, and what was seen of
/// leavers' accounts and of canaries. Nothing is judged by what was seen.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(test, derive(JsonSchema))]
#[serde(deny_unknown_fields)]
pub struct Deprovision {
    /// What the settings say, or the app's vendor; `null`: nothing.
    pub set: Option<Deprovisioned>,
    /// True where it is the vendor who says so, and the settings say nothing. Where `set` is `null`,
    /// the vendor says that absence never shows it.
    pub is_on_vendors_word: bool,
    /// What was seen, by view and behaviour; empty: nothing yet.
    pub seen: Vec<DeprovisionTally>,
    /// True while it is neither in the settings nor seen, or what was seen in a view differs,
    /// or from `set`: evidence is provisional then.
    pub is_provisional: bool,
}

/// Of how many accounts one behaviour was seen in one view.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(test, derive(JsonSchema))]
#[serde(deny_unknown_fields)]
pub struct DeprovisionTally {
    /// In which view of the app.
    pub channel: Channel,
    /// What became of them.
    pub behaviour: Deprovisioned,
    /// Of how many accounts.
    pub n_accounts: u64,
    /// When it was seen last.
    pub last_at: Time,
}

/// How long access remained after it should have ended, until it was seen to be off.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(test, derive(JsonSchema))]
#[serde(deny_unknown_fields)]
pub struct TimeToDeactivate {
    /// Stretches of exposure that were seen to end.
    pub n: u64,
    /// Since when they ended.
    pub since: Time,
    /// The median.
    pub p50: Bounds,
    /// So long, or less, in 95 of 100.
    pub p95: Bounds,
    /// The longest.
    pub max: Bounds,
}

/// How many have one verdict.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(test, derive(JsonSchema))]
#[serde(deny_unknown_fields)]
pub struct Tally {
    /// The verdict.
    pub verdict: Verdict,
    /// The cause; `null` for all but `drift`.
    pub cause: Option<Cause>,
    /// How many.
    pub count: u64,
}

impl App {
    pub(super) fn of(record: &AppRecord, findings: &[Finding]) -> Self {
        let app = record.app.as_str().to_owned();
        let grade = Grade::from(record.grade);
        let n_live = findings.iter().filter(|it| it.app == app && it.state.is_live()).count();
        Self {
            app,
            idps: record.idps.iter().map(|it| it.as_str().to_owned()).collect(),
            grade,
            grade_reasons: record.grade_reasons.clone(),
            proves_absence: grade.proves_absence(),
            is_baseline: record.is_baseline,
            n_live: n_live as u64,
            n_persons: record.n_persons,
            n_accounts: record.n_accounts,
            tallies: record.tallies.iter().map(Tally::of).collect(),
            time_to_deactivate: record.time_to_deactivate.as_ref().map(TimeToDeactivate::of),
            deprovision: record.deprovision.as_ref().map(Deprovision::of),
        }
    }

    /// How many have a verdict, over its causes.
    #[must_use]
    pub fn count(&self, verdict: Verdict) -> u64 {
        self.tallies.iter().filter(|it| it.verdict == verdict).map(|it| it.count).sum()
    }
}

impl Deprovision {
    fn of(record: &domain::DeprovisionRecord) -> Self {
        let tally = |it: &domain::DeprovisionTally| DeprovisionTally {
            channel: it.channel.into(),
            behaviour: it.behaviour.into(),
            n_accounts: it.n_accounts,
            last_at: Time(it.last_at),
        };
        Self {
            set: record.set.map(Into::into),
            is_on_vendors_word: record.is_on_vendors_word,
            seen: record.seen.iter().map(tally).collect(),
            is_provisional: !record.is_known(),
        }
    }
}

impl TimeToDeactivate {
    fn of(it: &domain::TimeToDeactivate) -> Self {
        let [p50, p95, max] =
            [it.p50, it.p95, it.max].map(|it| Bounds::of(it.at_least, it.at_most));
        Self { n: it.n, since: Time(it.since), p50, p95, max }
    }
}

impl Tally {
    fn of(tally: &domain::Tally) -> Self {
        let (verdict, cause) = Verdict::split(tally.verdict);
        Self { verdict, cause: cause.map(Cause::from), count: tally.count }
    }
}
