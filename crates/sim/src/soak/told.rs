//! Compares what channels were told with the truth: whether each notice was right when it came,
//! whether everybody who had to be told was, and none twice.

use std::collections::{BTreeMap, BTreeSet};

use chrono::{DateTime, TimeDelta, Utc};
use domain::{
    Family, Finding, FindingId, FindingState, NotifyReason, RunId, Severity, SubjectKind,
};
use engine::AppPlan;
use store::{Store, StoreError};

use super::channels::Heard;
use super::truth::Truth;

/// The channel that is told of critical remains of access.
pub(super) const ON_CALL: &str = "on-call";
/// The channel that is told of everything.
pub(super) const MAIL: &str = "mail";

/// A notice older than this is asked about again before it leaves.
const FRESH_FOR: TimeDelta = TimeDelta::minutes(10);

/// To a channel, of a finding, since when it was open.
type Opening = (String, FindingId, Option<DateTime<Utc>>);

/// All that was told.
#[derive(Debug, Default)]
pub(super) struct Told {
    /// Every finding, as the newest run that spoke of it has it.
    standing: BTreeMap<FindingId, Standing>,
    /// The content of each notice, by channel and id.
    notices: BTreeMap<(String, String), Heard>,
    /// The notice that opened a finding, and that the channel said it took: what it took in silence
    /// is told again when it was given up.
    openings: BTreeMap<Opening, String>,
    /// By channel: of which findings it was told that are not over for it.
    burning: BTreeMap<String, BTreeSet<FindingId>>,
    /// By channel and key: the last that came, taken or not, says that it is over.
    is_over: BTreeMap<(String, String), bool>,
    /// The newest run, and the channels that it knew of.
    judged: Option<(RunId, Vec<&'static str>)>,
    pub(super) sum: Sum,
}

/// How much was told.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Sum {
    /// Different notices that came.
    pub n_notices: u64,
    /// Notices that came again, with the same id.
    pub n_again: u64,
    /// Accounts of leavers that on-call was told of.
    pub n_paged: u64,
    /// Notices that something is over.
    pub n_over: u64,
    /// Notices that say that they could not be confirmed.
    pub n_unconfirmed: u64,
}

#[derive(Clone, Debug)]
struct Standing {
    account: Option<String>,
    family: Family,
    severity: Severity,
    state: FindingState,
    opened_at: Option<DateTime<Utc>>,
    /// The run that spoke of it saw it.
    is_seen: bool,
}

impl Standing {
    /// `judged_at`: when the run judged that spoke of it.
    fn of(finding: &Finding, judged_at: DateTime<Utc>) -> Self {
        let is_account = finding.subject.kind == SubjectKind::Account;
        Self {
            account: is_account.then(|| finding.subject.key.to_string()),
            family: finding.family(),
            severity: finding.severity,
            state: finding.state,
            opened_at: finding.opened_at,
            is_seen: finding.last_seen_at == judged_at,
        }
    }

    /// An account that somebody may use whose access has to end.
    fn exposed(&self) -> Option<&str> {
        self.account.as_deref().filter(|_| self.family == Family::AccessRemains)
    }

    fn is_over(&self) -> bool {
        matches!(self.state, FindingState::Resolved | FindingState::FalsePositive)
    }

    /// Does this channel hear of it, by its routes?
    fn is_for(&self, channel: &str) -> bool {
        channel != ON_CALL
            || (self.family == Family::AccessRemains && self.severity == Severity::Critical)
    }
}

impl Told {
    /// Takes note of where findings stand after the newest run, also of one that was killed when it
    /// had committed, and who is told of them.
    pub(super) async fn note(
        &mut self,
        store: &Store,
        apps: &[AppPlan],
        channels: &[&'static str],
    ) -> Result<(), StoreError> {
        let Some(run) = store.latest_run().await? else { return Ok(()) };
        if self.judged.as_ref().is_none_or(|it| it.0 != run.id) {
            self.judged = Some((run.id, channels.to_vec()));
        }
        for app in apps {
            let findings = store.findings_of(app.rules.app.clone()).await?;
            for it in findings {
                let before = self.standing.insert(it.id, Standing::of(&it, run.now));
                // What is in sight again is told again.
                let was_hidden = before.is_some_and(|it| it.state == FindingState::NotVisible);
                if was_hidden && it.state == FindingState::Open {
                    self.openings.retain(|opening, _| opening.1 != it.id);
                }
            }
        }
        Ok(())
    }

    /// Compares what came with what was true when it came.
    pub(super) fn hear(&mut self, heard: Vec<Heard>, truth: &Truth) -> Vec<String> {
        let mut problems = Vec::new();
        for it in heard {
            if !it.is_taken {
                // It may have been, for all that Driftline knows.
                let is_over = self.is_over.entry((it.channel, it.key)).or_default();
                *is_over &= it.reason == NotifyReason::Resolved;
                continue;
            }
            let about = format!(
                "TOLD: {}, {} of {:?}, decided {}, came {}",
                it.channel,
                it.reason.name(),
                it.findings,
                it.decided_at,
                it.came_at
            );
            problems.extend(self.false_notice(&it, truth).map(|what| format!("{about}: {what}")));
            problems.extend(self.add(it).map(|what| format!("{about}: {what}")));
        }
        problems
    }

    /// What is not so.
    fn false_notice(&self, heard: &Heard, truth: &Truth) -> Option<String> {
        let claims = !heard.is_unconfirmed && claims(heard.reason);
        for id in &heard.findings {
            let Some(standing) = self.standing.get(id) else {
                return Some(format!("no run has spoken of {id}"));
            };
            if heard.reason == NotifyReason::Resolved && !standing.is_over() {
                return Some(format!("{id} is {} and not over", standing.state.name()));
            }
            if !claims {
                continue;
            }
            if standing.is_over() {
                return Some(format!("{id} is over"));
            }
            let Some(account) = standing.exposed().filter(|_| standing.is_seen) else { continue };
            let is_fresh = heard.came_at - heard.decided_at <= FRESH_FOR;
            let was_so = is_fresh && truth.is_exposed(account, heard.decided_at);
            if !was_so && !truth.is_exposed(account, heard.came_at) {
                return Some(format!("{account} of {id} does not remain"));
            }
        }
        None
    }

    /// Writes down what came. Returns what it should not have been: the same again, in other words
    /// or under another id.
    fn add(&mut self, heard: Heard) -> Option<String> {
        let at = (heard.channel.clone(), heard.id.clone());
        let mut problem = self.opens_again(&heard);
        if let Some(before) = self.notices.get(&at) {
            self.sum.n_again += 1;
            // What was asked again in between may be confirmed now, or be about fewer.
            let is_same = before.key == heard.key && before.reason == heard.reason;
            return problem.or((!is_same).then(|| "two notices have one id".to_owned()));
        }
        self.sum.n_notices += 1;
        self.sum.n_unconfirmed += u64::from(heard.is_unconfirmed);
        let is_over = heard.reason == NotifyReason::Resolved;
        let key = (heard.channel.clone(), heard.key.clone());
        // What was taken in silence may come again, as another notice.
        let was_over = self.is_over.insert(key, is_over && !heard.is_silent);
        let burning = self.burning.entry(heard.channel.clone()).or_default();
        if is_over {
            self.sum.n_over += 1;
            // All that was told under the key is, whatever the notice names.
            let theirs = self.notices.values();
            let theirs = theirs.filter(|it| it.channel == heard.channel && claims(it.reason));
            let of_key = theirs.filter(|it| it.key == heard.key);
            let over: BTreeSet<FindingId> =
                of_key.chain([&heard]).flat_map(|it| it.findings.iter().copied()).collect();
            burning.retain(|it| !over.contains(it));
            if was_over != Some(false) {
                problem = Some("is said to be over, and nothing was told".to_owned());
            }
        } else if claims(heard.reason) {
            for id in &heard.findings {
                let is_new = burning.insert(*id);
                let is_remains = self.standing.get(id).is_some_and(|it| it.exposed().is_some());
                let is_paged = is_new && is_remains && heard.channel == ON_CALL;
                self.sum.n_paged += u64::from(is_paged);
            }
        }
        self.notices.insert(at, heard);
        problem
    }

    /// A finding that opens once is told to have opened once.
    fn opens_again(&mut self, heard: &Heard) -> Option<String> {
        let opens = matches!(
            heard.reason,
            NotifyReason::Opened | NotifyReason::Reopened | NotifyReason::Baseline
        );
        let mut problem = None;
        for id in heard.findings.iter().filter(|_| opens) {
            let Some(standing) = self.standing.get(id) else { continue };
            let opening = (heard.channel.clone(), *id, standing.opened_at);
            if self.openings.get(&opening).is_some_and(|it| *it != heard.id) {
                problem = Some(format!("{id} is told to open for the second time"));
            }
            if !heard.is_silent {
                self.openings.insert(opening, heard.id.clone());
            }
        }
        problem
    }

    /// Who should have been told and was not, when nothing waits any more.
    pub(super) fn missing(
        &self,
        channels: &[&'static str],
        truth: &Truth,
        now: DateTime<Utc>,
    ) -> Vec<String> {
        let mut problems = Vec::new();
        // A channel that is new is told by the next run.
        let known = self.judged.iter().flat_map(|it| &it.1);
        for channel in known.filter(|it| channels.contains(it)) {
            let burning = self.burning.get(*channel);
            let is_told = |id: &FindingId| burning.is_some_and(|it| it.contains(id));
            for (id, it) in &self.standing {
                // What is asked again before it is told may be over by then.
                let is_so = it.exposed().is_none_or(|it| truth.is_exposed(it, now));
                if it.state == FindingState::Open && it.is_for(channel) && is_so && !is_told(id) {
                    problems.push(format!("UNTOLD: {channel} does not know of {id}: {it:?}"));
                }
                if it.is_over() && is_told(id) && self.is_alone(channel, *id) {
                    problems.push(format!("UNTOLD: {channel} does not know that {id} is over"));
                }
            }
        }
        problems
    }

    /// Is everything over that the channel was told under the keys of this finding? Of several that
    /// were told as one, and of employments that follow on each other, the last to be over ends it.
    fn is_alone(&self, channel: &str, id: FindingId) -> bool {
        let theirs = || self.notices.values().filter(|it| it.channel == channel);
        let with = theirs().filter(|it| it.findings.contains(&id));
        let keys: BTreeSet<&str> = with.map(|it| it.key.as_str()).collect();
        let is_over = |it: &FindingId| self.standing.get(it).is_none_or(Standing::is_over);
        theirs()
            .filter(|it| keys.contains(it.key.as_str()))
            .all(|it| it.findings.iter().all(is_over))
    }
}

/// Does a notice for this reason say that something is so now?
const fn claims(reason: NotifyReason) -> bool {
    matches!(
        reason,
        NotifyReason::Opened
            | NotifyReason::Reopened
            | NotifyReason::Worsened
            | NotifyReason::Reminder
            | NotifyReason::Escalated
            | NotifyReason::Baseline
            | NotifyReason::Storm
    )
}
