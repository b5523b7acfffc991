//! A leaver of one app: who says that they left and since when, the accounts they had, and when
//! these were seen on last and off first. Kept for every leaver, whether anything was wrong or not.

use chrono::{DateTime, Utc};

use crate::{
    Activity, EntityId, Exposure, FindingId, Interval, List, SlaResult, SlaTerms, SystemId, Text,
    Tier, named,
};

/// One leave, by which an employment ended, as one app sees it.
#[derive(Clone, Debug, PartialEq)]
pub struct Leaver {
    /// The app.
    pub app: SystemId,
    /// Who: the row that stands for them.
    pub person: LeaverKey,
    /// Which employment, from 1.
    pub episode: u32,
    /// Which leave of that employment, from 1: who was seen back, without the right, and has left
    /// again has left it twice.
    pub leave: u32,
    /// How it ended.
    pub kind: LeaverKind,
    /// Every source that says so, or did while another still does, in order of system. Empty: they are
    /// in no list any more.
    pub said_by: Vec<SaidBy>,
    /// When access should have ended, by every clock that is known.
    pub clocks: LeaverClocks,
    /// What access is held to; `None`: they were listed before that was kept.
    pub terms: Option<SlaTerms>,
    /// When it should have ended by the clock that the terms chose.
    pub started: Interval,
    /// Their accounts, in order of key. Empty: none was seen.
    pub accounts: Vec<LeaverAccount>,
    /// Was access removed in time, over all accounts?
    pub sla: SlaResult,
    /// The entries of the ledger by which people decided that accounts are not theirs whose keys name
    /// them, in order.
    pub decisions: Vec<u64>,
    /// When the app was first judged, and they had left by then. `None`: they left later.
    pub found_at_begin: Option<DateTime<Utc>>,
    /// When a run saw them with the right again; `None`: none did.
    pub returned_at: Option<DateTime<Utc>>,
    /// When a run first saw that they had left.
    pub found_at: DateTime<Utc>,
    /// What people call them, by the row of this run. Not kept with the record.
    pub name: Option<Text>,
    /// Their login or address, likewise.
    pub login: Option<Text>,
}

/// The row that stands for a leaver: of an identity provider, or of HR where no provider knows them.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct LeaverKey {
    /// Whose list.
    pub system: SystemId,
    /// Which list: identities or leavers.
    pub list: List,
    /// The key there.
    pub key: Text,
    /// The store's number of the row.
    pub entity: EntityId,
}

named! {
    /// How an employment ended.
    pub enum LeaverKind {
        /// Deactivated or deleted, or HR says so.
        Left = "left",
        /// A stated end date has passed, and nothing else.
        Expired = "expired",
        /// Gone from a complete list of their identity provider, which does not say that they left.
        Gone = "gone",
    }
}

/// A source that says that somebody left.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SaidBy {
    /// Which.
    pub system: SystemId,
    /// HR's list of leavers, or the users of an identity provider.
    pub list: List,
    /// The key of the row there.
    pub key: Text,
    /// Since when; `None`: it does not say.
    pub at: Option<DateTime<Utc>>,
    /// By when the list had been read, or the answer, that said so first; `None`: when they were found.
    pub heard_at: Option<DateTime<Utc>>,
    /// When a run first saw that it says otherwise; `None`: it still says so.
    pub taken_back_at: Option<DateTime<Utc>>,
    /// When a run last saw them back after this source had said so before, in the same employment;
    /// `None`: none did.
    pub was_back_at: Option<DateTime<Utc>>,
}

/// When access should have ended, by each clock. `None` is unknown.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct LeaverClocks {
    /// HR's last day.
    pub hr_termination_at: Option<DateTime<Utc>>,
    /// The IdP deactivated the identity.
    pub idp_deactivated_at: Option<DateTime<Utc>>,
    /// The IdP took the app away.
    pub idp_unassigned_at: Option<DateTime<Utc>>,
    /// The end date that was stated beforehand.
    pub stated_end_at: Option<DateTime<Utc>>,
}

/// One account of a leaver.
#[derive(Clone, Debug, PartialEq)]
pub struct LeaverAccount {
    /// Its id in the app.
    pub key: Text,
    /// The store's number of its row.
    pub entity: EntityId,
    /// The key that makes it theirs; `None`: it is one of several people's, or keys disagree.
    pub tier: Option<Tier>,
    /// Was it on when it was seen last?
    pub activity: Activity,
    /// When it was seen on and off, oldest first. After the first, it had been off and came back.
    /// Empty: no look said either.
    pub stretches: Vec<Exposure>,
    /// The findings that access remained.
    pub findings: Vec<FindingId>,
}

/// Snapshots in a row that show an account as it was.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct PastLook {
    /// As of when its first snapshot spoke.
    pub from: DateTime<Utc>,
    /// By when that one had been read.
    pub from_read_by: DateTime<Utc>,
    /// As of when the last snapshot spoke that showed the same.
    pub until: DateTime<Utc>,
    /// What they showed.
    pub activity: Activity,
}

/// Times are kept to the millisecond.
fn cut(at: DateTime<Utc>) -> DateTime<Utc> {
    DateTime::from_timestamp_millis(at.timestamp_millis()).unwrap_or(at)
}

impl LeaverClocks {
    /// The same, with times as they are kept.
    #[must_use]
    pub fn to_the_millisecond(self) -> Self {
        Self {
            hr_termination_at: self.hr_termination_at.map(cut),
            idp_deactivated_at: self.idp_deactivated_at.map(cut),
            idp_unassigned_at: self.idp_unassigned_at.map(cut),
            stated_end_at: self.stated_end_at.map(cut),
        }
    }
}

impl Leaver {
    /// The same, with times as they are kept.
    #[must_use]
    pub fn to_the_millisecond(mut self) -> Self {
        let interval =
            |it: Interval| Interval { earliest: it.earliest.map(cut), latest: it.latest.map(cut) };
        self.clocks = self.clocks.to_the_millisecond();
        self.started = interval(self.started);
        for it in &mut self.said_by {
            for at in [&mut it.at, &mut it.heard_at, &mut it.taken_back_at, &mut it.was_back_at] {
                *at = at.map(cut);
            }
        }
        self.sla.deadline_at = self.sla.deadline_at.map(cut);
        self.found_at = cut(self.found_at);
        self.found_at_begin = self.found_at_begin.map(cut);
        self.returned_at = self.returned_at.map(cut);
        let accounts = self.accounts.iter_mut();
        for stretch in accounts.flat_map(|it| &mut it.stretches) {
            stretch.started = interval(stretch.started);
            stretch.last_seen_active = stretch.last_seen_active.map(cut);
            stretch.first_seen_inactive = stretch.first_seen_inactive.map(cut);
        }
        self
    }

    /// The earliest instant at which access should have ended; without any clock, when a run first
    /// saw that it should have.
    #[must_use]
    pub fn began_at(&self) -> DateTime<Utc> {
        self.started.earliest.or(self.started.latest).unwrap_or(self.found_at)
    }

    /// When it was seen to be over: every account off, or the right back. `None`: it is still
    /// running. Who never had an account was over at once.
    #[must_use]
    pub fn ended_at(&self) -> Option<DateTime<Utc>> {
        let off = |it: &LeaverAccount| it.stretches.last().and_then(|it| it.first_seen_inactive);
        let mut ended = Some(self.began_at());
        for account in &self.accounts {
            ended = ended.and_then(|it| Some(off(account)?.max(it)));
        }
        ended.or(self.returned_at)
    }

    /// Returns true when it is in a period: the clock began before its end, and had not ended before
    /// it began. One that was seen off before the clock began counts where the clock began.
    #[must_use]
    pub fn is_in(&self, from: DateTime<Utc>, to: DateTime<Utc>) -> bool {
        self.began_at() < to && self.ended_at().is_none_or(|it| it >= from)
    }

    /// Returns true when HR says that they left.
    #[must_use]
    pub fn is_hrs(&self) -> bool {
        self.still_said_by().any(|it| it.list == List::Leavers)
    }

    /// Returns true when an identity provider says that they left.
    #[must_use]
    pub fn is_idps(&self) -> bool {
        self.still_said_by().any(|it| it.list != List::Leavers)
    }

    /// By when it had been read that one of those who say so does.
    #[must_use]
    pub fn heard_at(&self, said: &SaidBy) -> DateTime<Utc> {
        said.heard_at.unwrap_or(self.found_at)
    }

    fn still_said_by(&self) -> impl Iterator<Item = &SaidBy> {
        self.said_by.iter().filter(|it| it.taken_back_at.is_none())
    }

    /// Returns true when it says otherwise than `other`. That an account which is on was seen on
    /// once more is nothing new, and neither is what people call them.
    #[must_use]
    pub fn differs_from(&self, other: &Self) -> bool {
        let settled = |it: &Self| {
            let mut it = Self { name: None, login: None, ..it.clone() };
            let stretches = it.accounts.iter_mut().flat_map(|it| &mut it.stretches);
            for stretch in stretches.filter(|it| it.first_seen_inactive.is_none()) {
                stretch.last_seen_active = stretch.last_seen_active.map(|_| DateTime::UNIX_EPOCH);
            }
            it
        };
        settled(self) != settled(other)
    }
}

/// Since when the leavers of an app are listed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LeaversBegin {
    /// The app.
    pub app: SystemId,
    /// The time of the run that listed them first.
    pub at: DateTime<Utc>,
    /// Leavers who were left out then: without an account, and left before `since` or at no time
    /// that is known.
    pub n_left_out: u64,
    /// How far back it was looked.
    pub since: DateTime<Utc>,
}

#[cfg(test)]
mod tests {
    use chrono::TimeDelta;

    use super::*;
    use crate::{ClockStart, SlaOutcome};

    fn at(hour: i64) -> DateTime<Utc> {
        DateTime::UNIX_EPOCH + TimeDelta::hours(hour)
    }

    /// Left at `start`, with an account for each `off`.
    fn leaver(start: Option<i64>, offs: &[Option<i64>]) -> Leaver {
        let started = Interval { earliest: start.map(at), latest: start.map(at) };
        let account = |off: &Option<i64>| LeaverAccount {
            key: "a".into(),
            entity: EntityId(2),
            tier: None,
            activity: Activity::Active,
            stretches: vec![Exposure {
                started,
                last_seen_active: Some(at(1)),
                first_seen_inactive: off.map(at),
            }],
            findings: Vec::new(),
        };
        let system = SystemId::parse("okta").unwrap();
        Leaver {
            app: SystemId::parse("crm").unwrap(),
            person: LeaverKey {
                system,
                list: List::Identities,
                key: "p".into(),
                entity: EntityId(1),
            },
            episode: 1,
            leave: 1,
            kind: LeaverKind::Left,
            said_by: Vec::new(),
            clocks: LeaverClocks::default(),
            terms: None,
            started,
            accounts: offs.iter().map(account).collect(),
            sla: SlaResult {
                outcome: SlaOutcome::NotProven,
                clock: ClockStart::EarliestKnown,
                deadline_at: None,
                limit: String::new(),
                policy_version: 1,
                because: String::new(),
            },
            decisions: Vec::new(),
            found_at_begin: None,
            returned_at: None,
            found_at: at(50),
            name: None,
            login: None,
        }
    }

    #[test]
    fn a_period_has_those_who_left_in_it_and_those_who_left_before_and_were_still_on() {
        /// When they left, when each account was off, whether they are in the period, and the case.
        type Line<'l> = (Option<i64>, &'l [Option<i64>], bool, &'l str);
        #[rustfmt::skip]
        let table: [Line<'_>; 8] = [
            // start  | off                    | in 10..20 | case
            (Some(12),  &[Some(13)],             true,       "left and off in it"),
            (Some(5),   &[Some(12)],             true,       "left before, off in it"),
            (Some(5),   &[None],                 true,       "left before, still on"),
            (Some(5),   &[Some(9), Some(12)],    true,       "one of two accounts off in it"),
            (Some(5),   &[Some(9)],              false,      "over before it"),
            (Some(5),   &[],                     false,      "left before, and never had an account"),
            (Some(12),  &[],                     true,       "never had an account"),
            (Some(20),  &[None],                 false,      "left at its end, which is not in it"),
        ];
        for (start, offs, is_in, case) in table {
            assert_eq!(leaver(start, offs).is_in(at(10), at(20)), is_in, "{case}");
        }
        assert!(leaver(None, &[None]).is_in(at(50), at(51)), "without a clock, when it was found");
        let mut early = leaver(Some(12), &[Some(3)]);
        assert!(early.is_in(at(10), at(20)), "off before they left: over when they left");
        early.returned_at = Some(at(14));
        assert_eq!(early.ended_at(), Some(at(12)));
    }

    #[test]
    fn seen_on_once_more_is_nothing_new_and_seen_off_is() {
        let (one, mut other) = (leaver(Some(1), &[None]), leaver(Some(1), &[None]));
        other.accounts[0].stretches[0].last_seen_active = Some(at(9));
        assert!(!one.differs_from(&other));
        other.accounts[0].stretches[0].first_seen_inactive = Some(at(10));
        assert!(one.differs_from(&other));
    }
}
