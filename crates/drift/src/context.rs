//! What every judgement of one run sees: one graph, one policy, one time, and the stored past.

use chrono::{DateTime, Utc};
use domain::{EntityId, Episode, Identity, List, Look, Pass, Stream, SystemId, Text, Verdict};
use graph::{IdentityGraph, ListView, Sighting};
use rustc_hash::{FxHashMap, FxHashSet};

use crate::policy::{AppRules, Policy};

/// What earlier runs left behind, as far as judging needs it.
#[derive(Clone, Debug, Default)]
pub struct Past {
    /// The last verdict of each account that was more than `Indeterminate`.
    pub standings: FxHashMap<EntityId, PastVerdict>,
    /// Episodes of identities whose episode ever ended.
    pub episodes: FxHashMap<EntityId, Episode>,
    /// As of when each list spoke in the run before this one.
    pub looked_at: FxHashMap<Stream, DateTime<Utc>>,
    /// When the log of an IdP first says that an identity left or lost the app; what was taken
    /// back since is not among them.
    pub ended: FxHashMap<(SystemId, Text), Ended>,
    /// Identities of which their provider itself said that they left, as is on record, the newest
    /// employment last.
    pub said_left: FxHashMap<(SystemId, Text), Vec<SaidLeft>>,
    /// Since when at the earliest access remains, by the finding about an account that says so; none
    /// where that is not known.
    pub remains_since: FxHashMap<EntityId, DateTime<Utc>>,
    /// Rows that stand for leavers on record.
    pub leavers: FxHashSet<EntityId>,
    /// Subjects of findings that are not over: judged with reasons even where all is well.
    pub watched: FxHashSet<EntityId>,
}

/// What was concluded of an account.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct PastVerdict {
    /// The verdict.
    pub verdict: Verdict,
    /// When it was first given.
    pub since: DateTime<Utc>,
    /// As of when it was seen last. `None`: by every look since.
    pub seen_until: Option<DateTime<Utc>>,
}

/// When a log says that access ended.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Ended {
    /// Deactivated or deleted.
    pub left: Option<DateTime<Utc>>,
    /// Lost the app.
    pub unassigned: Option<DateTime<Utc>>,
    /// When they were activated again, last, after the log had told that they left.
    pub returned: Option<DateTime<Utc>>,
    /// When the log last told that access ended or was suspended, or that the app was told to end
    /// it, whatever came since.
    pub last_told: Option<DateTime<Utc>>,
    /// When they last got back what they had lost: activated, or given the app.
    pub regained: Option<DateTime<Utc>>,
    /// What the log last tells of the account in the app; `None`: nothing, which says nothing.
    pub pushed: Option<Push>,
}

/// That the app was told to switch somebody's account off, by the log of the provider that told it. Of
/// two at one time the one that failed is the later.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Push {
    /// When, by the provider's clock.
    pub at: DateTime<Utc>,
    /// It failed; else the app said yes.
    pub has_failed: bool,
}

/// That a provider said of an identity that it left.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct SaidLeft {
    /// A time at or after which it said so.
    pub said_since: DateTime<Utc>,
    /// By when it had been read first; of a word before that one, when a run first saw by any source that
    /// they had left.
    pub heard_at: DateTime<Utc>,
    /// When they left, as the provider says; `None`: it does not.
    pub at: Option<DateTime<Utc>>,
    /// When a run saw them with the right again; `None`: none did.
    pub returned_at: Option<DateTime<Utc>>,
}

/// What every judgement of one run sees.
pub struct Context<'c> {
    /// Who is who.
    pub graph: &'c IdentityGraph<'c>,
    /// The app and whose word counts for it.
    pub rules: &'c AppRules,
    /// What the operator chose.
    pub policy: &'c Policy,
    /// What earlier runs left behind.
    pub past: &'c Past,
    /// How much was looked at. In a light pass nothing counts as seen but what was asked by id.
    pub pass: Pass,
    /// The time of the run. All arithmetic of one run uses the same.
    pub now: DateTime<Utc>,
}

impl<'c> Context<'c> {
    /// What the log of its provider tells of an identity; `None`: nothing.
    pub(crate) fn ended(&self, identity: &Sighting<Identity>) -> Option<&'c Ended> {
        let idp = self.graph.idp_of(identity)?;
        self.past.ended.get(&(idp.id.clone(), identity.row.id.clone()))
    }

    /// That its provider said of an identity that it left, the newest employment last; empty:
    /// nothing of that is on record.
    pub(crate) fn said_left(&self, identity: &Sighting<Identity>) -> &'c [SaidLeft] {
        let idp = self.graph.idp_of(identity);
        let said =
            idp.and_then(|idp| self.past.said_left.get(&(idp.id.clone(), identity.row.id.clone())));
        said.map_or(&[], Vec::as_slice)
    }

    /// By when what a list shows had been read. An export shows one moment. Over the network a list
    /// speaks as of its first request, and its answers have come when the run judges.
    pub(crate) fn read_by(&self, list: &ListView, as_of: DateTime<Utc>) -> DateTime<Utc> {
        let is_read_slowly = list.is_live || list.is_stand_in;
        if is_read_slowly { as_of.max(self.now) } else { as_of }
    }

    /// By when what a look shows had been read.
    pub(crate) fn look_read_by(&self, look: &Look) -> DateTime<Utc> {
        let list = self.graph.estate().lists().find(|it| it.stream == look.stream);
        list.map_or(look.as_of, |it| self.read_by(it, look.as_of))
    }

    /// By when what looks show of the app had been read; `None`: none is of the app.
    pub(crate) fn app_read_by(&self, looks: &[Look]) -> Option<DateTime<Utc>> {
        let theirs = looks.iter().filter(|it| it.stream.system == self.rules.app);
        theirs.map(|it| self.look_read_by(it)).max()
    }

    /// Whether this run has looked at an identity or an account: in its list, or by id. A light pass
    /// has seen no list.
    pub(crate) fn is_looked_at(&self, list: List, entity: EntityId) -> bool {
        match self.pass {
            Pass::Full => true,
            Pass::Light => self.graph.estate().asked_again.contains(&(list, entity)),
        }
    }
}
