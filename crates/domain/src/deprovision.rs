//! What an app does with an account that is switched off, as it was seen.

use chrono::{DateTime, SubsecRound as _, Utc};

use crate::{Channel, Digest, RunId, Signature, SystemId, Text, named};

named! {
    /// What was seen to become of an account that was switched off.
    pub enum Deprovisioned {
        /// It stays in the list, inactive.
        Lists = "lists",
        /// It is not in the list, and is there by its id, inactive.
        Hides = "hides",
        /// It is not in the list, and by its id it is not there: deleted, or forgotten by whatever
        /// answers, which need not be the app.
        Deletes = "deletes",
    }
}

/// One account of which it was seen.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct DeprovisionSeen {
    /// The app.
    pub app: SystemId,
    /// In which view of it.
    pub channel: Channel,
    /// The account, by its key there.
    pub account: Text,
    /// What became of it.
    pub behaviour: Deprovisioned,
    /// When it was seen.
    pub at: DateTime<Utc>,
    /// Who saw it.
    pub by: DeprovisionWitness,
}

/// Who saw what became of an account.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum DeprovisionWitness {
    /// A run, of an account of somebody who had left.
    Run(RunId),
    /// A probe of that number, of a canary that it switched off.
    Probe(i64),
}

/// What is known of one app: what the settings say, and what was seen.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct DeprovisionRecord {
    /// What the settings say, or the app's vendor; `None`: nothing.
    pub set: Option<Deprovisioned>,
    /// Whether it is the vendor who says so, and the settings say nothing. Where `set` is `None`, the
    /// vendor says that absence never shows it.
    pub is_on_vendors_word: bool,
    /// What was seen, by view and behaviour.
    pub seen: Vec<DeprovisionTally>,
}

/// Of how many accounts one behaviour was seen in one view.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct DeprovisionTally {
    /// In which view.
    pub channel: Channel,
    /// What became of them.
    pub behaviour: Deprovisioned,
    /// Of how many accounts.
    pub n_accounts: u64,
    /// When it was seen last.
    pub last_at: DateTime<Utc>,
}

impl DeprovisionRecord {
    /// Of one app. `seen`: all that was seen of any.
    #[must_use]
    pub fn of(app: &SystemId, set: Option<Deprovisioned>, seen: &[DeprovisionSeen]) -> Self {
        let mut of_app: Vec<&DeprovisionSeen> = seen.iter().filter(|it| it.app == *app).collect();
        of_app.sort_by_key(|it| (it.channel, it.behaviour, &it.account));
        let mut tallies: Vec<DeprovisionTally> = Vec::new();
        // A canary that was probed again is one account.
        for same in of_app.chunk_by(|one, other| {
            (one.channel, one.behaviour, &one.account)
                == (other.channel, other.behaviour, &other.account)
        }) {
            let (Some(it), Some(last_at)) = (same.first(), same.iter().map(|it| it.at).max())
            else {
                continue;
            };
            match tallies.last_mut() {
                Some(last) if (last.channel, last.behaviour) == (it.channel, it.behaviour) => {
                    last.n_accounts += 1;
                    last.last_at = last.last_at.max(last_at);
                }
                _ => tallies.push(DeprovisionTally {
                    channel: it.channel,
                    behaviour: it.behaviour,
                    n_accounts: 1,
                    last_at,
                }),
            }
        }
        Self { set, is_on_vendors_word: false, seen: tallies }
    }

    /// What was seen in one view; `None`: nothing, or more than one thing.
    #[must_use]
    pub fn seen_in(&self, channel: Channel) -> Option<Deprovisioned> {
        let mut seen = self.seen.iter().filter(|it| it.channel == channel);
        let first = seen.next()?;
        seen.next().is_none().then_some(first.behaviour)
    }

    /// Whether absence never shows that an account is off, by the app's vendor.
    #[must_use]
    pub fn is_never_shown(&self) -> bool {
        self.set.is_none() && self.is_on_vendors_word
    }

    /// Whether it is known: in the settings, or seen in some view, and in no view mixed; and nowhere
    /// seen otherwise than the settings or the vendor say.
    #[must_use]
    pub fn is_known(&self) -> bool {
        let is_plain = |it: &DeprovisionTally| self.seen_in(it.channel).is_some();
        let is_set = self.set.is_some() && !self.is_on_vendors_word;
        let as_set = |it: &DeprovisionTally| self.set.is_none_or(|set| it.behaviour == set);
        let is_seen = !self.seen.is_empty() && self.seen.iter().all(is_plain);
        (is_set || is_seen && !self.is_never_shown()) && self.seen.iter().all(as_set)
    }
}

/// A probe: a canary that somebody asked to switch off, to see what the app makes of it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Probe {
    /// Its number.
    pub id: i64,
    /// The app.
    pub app: SystemId,
    /// The canary, by its id.
    pub account: Text,
    /// Who asked, when and where.
    pub asked: Signature,
}

/// What came of a probe.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ProbeEnd {
    /// When.
    pub at: DateTime<Utc>,
    /// What was seen; `None`: nothing that can be told from it.
    pub behaviour: Option<Deprovisioned>,
    /// The same for people, a sentence.
    pub outcome: String,
    /// Was it seen on again at the end?
    pub is_back_on: bool,
    /// Every request, in order.
    pub requests: Vec<ProbeRequest>,
}

impl ProbeEnd {
    /// The same, with times as they are kept.
    #[must_use]
    pub fn to_the_millisecond(mut self) -> Self {
        let times = self.requests.iter_mut().map(|it| &mut it.at).chain([&mut self.at]);
        times.for_each(|it| *it = it.trunc_subsecs(3));
        self
    }
}

/// One request of a probe.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ProbeRequest {
    /// `GET` or `PATCH`.
    pub method: Text,
    /// The URL, without secrets.
    pub url: Text,
    /// HTTP status; `None`: there was no answer.
    pub status: Option<u16>,
    /// Bytes of the answer, as it came.
    pub n_bytes: u64,
    /// SHA-256 of these.
    pub sha256: Digest,
    /// SHA-256 of what was sent with it; `None`: nothing.
    pub sent_sha256: Option<Digest>,
    /// When it was sent, or the walk of which it is one page began.
    pub at: DateTime<Utc>,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn it_is_known_where_nothing_was_seen_otherwise_and_an_account_counts_once() {
        use Deprovisioned::{Hides, Lists};
        let app = SystemId::parse("app").unwrap();
        let seen = |(account, behaviour): &(&str, Deprovisioned)| DeprovisionSeen {
            app: app.clone(),
            channel: Channel::Scim,
            account: (*account).into(),
            behaviour: *behaviour,
            at: DateTime::UNIX_EPOCH,
            by: DeprovisionWitness::Probe(1),
        };
        let (once, again) = ([("c", Lists)], [("c", Lists), ("c", Lists), ("d", Lists)]);
        let mixed = [("c", Lists), ("d", Hides)];
        type Case<'c> =
            (Option<Deprovisioned>, bool, &'c [(&'c str, Deprovisioned)], bool, &'c [u64]);
        let table: [Case<'_>; 10] = [
            // set     | vendor's word | seen   | known | accounts
            (None, false, &[], false, &[]),
            (None, false, &again, true, &[2]),
            (None, false, &mixed, false, &[1, 1]),
            (Some(Lists), false, &[], true, &[]),
            (Some(Lists), false, &once, true, &[1]),
            (Some(Hides), false, &once, false, &[1]),
            (Some(Lists), false, &mixed, false, &[1, 1]),
            (Some(Lists), true, &[], false, &[]),
            (None, true, &again, false, &[2]),
            (Some(Hides), true, &once, false, &[1]),
        ];
        for (set, is_on_vendors_word, of, known, accounts) in table {
            let seen: Vec<DeprovisionSeen> = of.iter().map(seen).collect();
            let record = DeprovisionRecord::of(&app, set, &seen);
            let record = DeprovisionRecord { is_on_vendors_word, ..record };
            let n: Vec<u64> = record.seen.iter().map(|it| it.n_accounts).collect();
            assert_eq!((record.is_known(), &*n), (known, accounts), "{set:?} {of:?}");
        }
    }
}
