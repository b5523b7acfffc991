//! Judges everybody: a verdict for each account and each person without one, and the claims that
//! follow. A claim is what this run sees; whether it becomes a finding is `reconcile`'s to say.

use std::cell::LazyCell;
use std::collections::{BTreeMap, BTreeSet};

use chrono::{DateTime, Utc};
use domain::{
    Account, Activity, Cause, EntityId, Explanation, Fact, Family, Interval, Link, LinkKind, List,
    Look, PersonLabel, Right, Severity, Subject, SubjectKind, SystemId, Tally, Text, Tier, Verdict,
};
use graph::{Sighting, Standing};
use rayon::prelude::*;
use rustc_hash::{FxHashMap, FxHashSet};

use crate::activity::{Seen, activities, is_unsaid, no_account};
use crate::case::{Case, PossibleOwners, RegisterOwner};
use crate::context::Context;
use crate::episode::next_episode;
use crate::leavers::{LeaverSeen, leavers, returned};
use crate::looks::{
    are_views_of_today, is_identity_seen, is_owner_seen, last_look, looked_at_before, looks_of,
    may_be_off, seen_active_at,
};
use crate::push::pushes;
use crate::questions::{is_asked_again, is_seen};
use crate::reconcile::time;
use crate::right::{PersonRight, person_right, right_by_hr};
use crate::rule::{When, rule};
use crate::rules::RULES;
use crate::starts::Starts;
use crate::word::{had_not_got_the_app, remembered};

/// What one run concludes of one app.
#[derive(Debug)]
pub struct Judgement {
    /// Persons and accounts by verdict.
    pub tallies: Vec<Tally>,
    /// The verdict of every account. With [`Verdict::Indeterminate`] of one that was not seen off: as of
    /// when its list was looked at before.
    pub standings: Vec<(EntityId, Verdict, Option<DateTime<Utc>>)>,
    /// The proven owner of every account that was judged and has one: account, identity, key.
    pub links: Vec<(EntityId, EntityId, Tier)>,
    /// Identities by right, where it begins or ends an episode.
    pub rights: Vec<(EntityId, Right)>,
    /// What is the matter, in the order of accounts, then persons.
    pub claims: Vec<Claim>,
    /// How the subjects of living findings stand.
    pub statuses: FxHashMap<EntityId, Status>,
    /// Everybody who has left, whether anything is the matter with them or not.
    pub leavers: Vec<LeaverSeen>,
    /// Of leavers on record, identities that have a right again or may have one.
    pub returned: Vec<EntityId>,
    /// Persons who were judged.
    pub n_persons: u64,
    /// Accounts that are listed.
    pub n_accounts: u64,
}

/// Something that is the matter with one subject.
#[derive(Clone, Debug)]
pub struct Claim {
    /// Why.
    pub cause: Cause,
    /// Whom it is about.
    pub subject: Subject,
    /// The subject's key is an id of its source, not a name that people change.
    pub has_id: bool,
    /// The same account by its rows in other views, and whether these have an id: a finding may be
    /// about one of them since before.
    pub also: Vec<(Subject, bool)>,
    /// How much it matters.
    pub severity: Severity,
    /// From when grace runs: the effective time where known, else now.
    pub clock_from: DateTime<Utc>,
    /// When grace ends.
    pub grace_until: DateTime<Utc>,
    /// The lists it rests on.
    pub looks: Vec<Look>,
    /// When access should have ended, by each clock.
    pub starts: Starts,
    /// When the account was last seen on; `None` when this run did not see it on.
    pub seen_active_at: Option<DateTime<Utc>>,
    /// This run saw what says whose the account is, and looked at them: where it did not, the account may
    /// be somebody else's by now, or theirs rightly again.
    pub is_owner_seen: bool,
    /// When the account was made, as the app says; `None` when it does not say.
    pub made_at: Option<DateTime<Utc>>,
    /// Employment of the owner, from 1; 0 without an owner.
    pub episode: u32,
    /// Whose account it is, or is presumed to be: all identities of that person, the one that a key
    /// names first. Empty where no key decides, and for identities without an account.
    pub owners: Vec<EntityId>,
    /// It rests on not seeing something, and no answer by id bears it out.
    pub is_from_absence: bool,
    /// Identity providers by which it may be over by now, and that this run did not see whole. It was
    /// not seen to go on. Empty where it was, or needs none of them.
    pub unheard: Vec<SystemId>,
    /// Is the account that of one of several people, whose right ended at different times?
    pub is_of_several: bool,
    /// A leaver, or everyone who may own it is one: open at once in the first run.
    pub is_leaver: bool,
    /// One view shows the account off, and of those that have it on this run saw none.
    pub may_be_off: bool,
    /// Both sides were asked again by id, after the lists: that is the second look.
    pub is_asked_again: bool,
    /// A role counts as privileged; `None` when roles are not shown.
    pub is_privileged: Option<bool>,
    /// Why there is a claim.
    pub explanation: Explanation,
    /// Whom it is about, for people.
    pub person: PersonLabel,
    /// What to do next.
    pub next_action: &'static str,
}

/// How the subject of a living finding stands in this run, whatever was claimed.
#[derive(Clone, Debug)]
pub struct Status {
    /// The verdict.
    pub verdict: Verdict,
    /// Should it be on?
    pub right: Right,
    /// Is it on?
    pub activity: Activity,
    /// Whose is it?
    pub link: LinkKind,
    /// The key that decided; `None` where none did.
    pub tier: Option<Tier>,
    /// The lists that say so.
    pub looks: Vec<Look>,
    /// Whom it is about, for people.
    pub person: PersonLabel,
    /// What was seen.
    pub explanation: Explanation,
    /// A role counts as privileged.
    pub is_privileged: Option<bool>,
    /// Everything that could contradict was seen: every list of users and every view of the app.
    pub is_whole: bool,
    /// Every view of the app says whether the account is on.
    pub is_seen_by_all: bool,
    /// The account is not in a complete list that should have it.
    pub is_gone: bool,
    /// One source says that the owner has left, another entitles them, and none is the authority.
    pub has_left_elsewhere: bool,
    /// All identities of those whom a person's decision rules out as the owner.
    pub not_theirs: Vec<EntityId>,
}

/// Judges one app.
#[must_use]
pub fn judge(cx: &Context<'_>) -> Judgement {
    let people = People::of(cx);
    let seen = activities(cx);
    let active = people.n_active(cx, &seen);
    let account = |mut all: Concluded, account| {
        all.take_account(&people.case_of_account(cx, account, &seen, &active));
        all
    };
    let person = |mut all: Concluded, person| {
        if let Some(case) = people.case_without_account(cx, person) {
            all.take_person(&case);
        }
        all
    };
    let n_plain = u64::try_from(cx.graph.estate().n_plain).unwrap_or(u64::MAX);
    let plain = BTreeMap::from_iter((n_plain > 0).then_some((Verdict::Confirmed, n_plain)));
    let mut all = Concluded { tallies: plain, n_accounts: n_plain, ..Concluded::default() };
    all.append(in_order(seen.len(), account));
    all.append(in_order(people.rights.len(), person));
    people.add_statuses(cx, &seen, &active, &mut all.statuses);
    let Concluded { tallies, standings, links, claims, statuses, n_accounts } = all;
    Judgement {
        tallies: tallies.into_iter().map(|(verdict, count)| Tally { verdict, count }).collect(),
        standings,
        links,
        rights: people.episode_rights(cx),
        claims,
        statuses,
        leavers: leavers(cx, &people.rights, &seen),
        returned: returned(cx, &people.rights),
        n_persons: u64::try_from(cx.graph.n_persons()).unwrap_or(u64::MAX) + n_plain,
        n_accounts,
    }
}

/// Takes one number after the other, on every core, and puts together what came of them in their order.
fn in_order(n: usize, take: impl Fn(Concluded, usize) -> Concluded + Sync + Send) -> Concluded {
    /// Fewer are not worth the way to another core.
    const AT_ONCE: usize = 512;
    let parts = (0..n).into_par_iter().with_min_len(AT_ONCE).fold(Concluded::default, take);
    parts.reduce(Concluded::default, |mut all, more| {
        all.append(more);
        all
    })
}

/// Judges one account, or one person without an account, and says why whatever the verdict.
/// `None` when there is no such account, or the person has one.
#[must_use]
pub fn examine(cx: &Context<'_>, account: Option<usize>, person: Option<u32>) -> Option<Status> {
    let people = People::of(cx);
    let seen = activities(cx);
    let active = people.n_active(cx, &seen);
    let case = match (account, person) {
        (Some(account), _) if account < seen.len() => {
            people.case_of_account(cx, account, &seen, &active)
        }
        (Some(_), _) => return None,
        (None, person) => people.case_without_account(cx, person? as usize)?,
    };
    let mut status = status_of(&case, explain(&case));
    let claimed = |it: &&&crate::rule::Rule| match it.when {
        When::Verdict => case.verdict == Verdict::Drift(it.cause),
        When::Beside(when) => when(&case).is_some(),
    };
    let said: Vec<String> = RULES
        .iter()
        .filter(claimed)
        .map(|it| format!("`{}`: {}", it.cause, (it.summary)(&case)))
        .collect();
    status.explanation.summary = if said.is_empty() {
        format!(
            "{}: the right is `{}`, the account is `{}`, the link is `{}`.",
            case.verdict.name(),
            case.right,
            case.activity,
            case.link,
        )
    } else {
        said.join(" ")
    };
    Some(status)
}

impl Judgement {
    /// All that it says of anybody but those with whom all is well, in words, to compare.
    #[must_use]
    pub fn said(&self) -> Vec<String> {
        let statuses: BTreeMap<&EntityId, &Status> = self.statuses.iter().collect();
        let counts = (self.n_persons, self.n_accounts);
        let mut said = vec![format!("{counts:?} {:?} {:?}", self.rights, self.returned)];
        said.extend(self.claims.iter().map(|it| format!("{it:?}")));
        said.extend(statuses.iter().map(|it| format!("{it:?}")));
        said.extend(self.leavers.iter().map(|it| format!("{it:?}")));
        said
    }
}

/// What follows from some cases, in their order.
#[derive(Default)]
struct Concluded {
    tallies: BTreeMap<Verdict, u64>,
    standings: Vec<(EntityId, Verdict, Option<DateTime<Utc>>)>,
    links: Vec<(EntityId, EntityId, Tier)>,
    claims: Vec<Claim>,
    statuses: FxHashMap<EntityId, Status>,
    n_accounts: u64,
}

impl Concluded {
    /// Adds what follows from the cases behind these.
    fn append(&mut self, mut more: Self) {
        for (verdict, n) in more.tallies {
            *self.tallies.entry(verdict).or_default() += n;
        }
        self.standings.append(&mut more.standings);
        self.links.append(&mut more.links);
        self.claims.append(&mut more.claims);
        self.statuses.extend(more.statuses);
        self.n_accounts += more.n_accounts;
    }

    /// Adds what follows from an account.
    fn take_account(&mut self, case: &Case<'_>) {
        if let Some(row) = case.row() {
            let graph = case.cx.graph;
            if let Some(Link::Linked { identity, tier }) = case.account.map(|it| graph.link(it))
                && case.cx.is_looked_at(List::Accounts, row.entity)
                && let Some(owner) = graph.estate().identities.get(*identity)
            {
                self.links.push((row.entity, owner.entity, *tier));
            }
            let is_off = matches!(case.activity, Activity::Inactive | Activity::Absent);
            let is_unseen = case.verdict == Verdict::Indeterminate && !is_off;
            let seen_until = looked_at_before(case).filter(|_| is_unseen);
            self.standings.push((row.entity, case.verdict, seen_until));
        }
        if case.is_listed() {
            self.n_accounts += 1;
        }
        if case.is_listed() || matches!(case.verdict, Verdict::Drift(_) | Verdict::Indeterminate) {
            *self.tallies.entry(case.verdict).or_default() += 1;
        }
        self.conclude(case);
    }

    /// Adds what follows from a person without an account.
    fn take_person(&mut self, case: &Case<'_>) {
        *self.tallies.entry(case.verdict).or_default() += 1;
        self.conclude(case);
    }

    /// Adds what follows from one case.
    fn conclude(&mut self, case: &Case<'_>) {
        let Some(subject) = subject_of(case) else { return };
        let is_seen = is_seen(case);
        // A finding of before may be about a row that another view leads now.
        let view = case.account.and_then(|it| case.cx.graph.accounts().get(it));
        let rows = view.into_iter().flat_map(|it| it.rows(case.cx.graph.estate()));
        // Made once: of most cases nobody asks for it.
        let explanation = LazyCell::new(|| explain(case));
        for entity in std::iter::once(subject.entity).chain(rows.map(|it| it.entity)) {
            if case.cx.past.watched.contains(&entity) {
                self.statuses.insert(entity, status_of(case, Explanation::clone(&explanation)));
            }
        }
        for rule in RULES.iter().filter(|_| is_seen) {
            let speaks = match rule.when {
                When::Verdict => case.verdict == Verdict::Drift(rule.cause),
                // A registered account may have no owner among people; who owns a waived one may leave.
                When::Beside(when) => when(case).is_some(),
            };
            if speaks {
                let explanation = Explanation::clone(&explanation);
                self.claims.push(claim(case, rule.cause, subject.clone(), explanation));
            }
        }
    }
}

/// What is known of each person, worked out once.
struct People {
    rights: Vec<PersonRight>,
    /// Of accounts of people whom HR alone knows, by account, with the key that names them.
    of_hr: FxHashMap<usize, (PersonRight, Tier)>,
}

impl People {
    fn of(cx: &Context<'_>) -> Self {
        let estate = cx.graph.estate();
        let mut leavers: FxHashMap<u32, Vec<usize>> = FxHashMap::default();
        for at in 0..estate.leavers.len() {
            if let Some(person) = cx.graph.person_of_leaver(at) {
                leavers.entry(person).or_default().push(at);
            }
        }
        let count = u32::try_from(cx.graph.n_persons()).unwrap_or(u32::MAX);
        let of = |person| leavers.get(&person).map(|it| &**it).unwrap_or_default();
        let rights = (0..count).into_par_iter().map(|it| person_right(cx, it, of(it))).collect();
        let accounts = 0..if estate.leavers.is_empty() { 0 } else { cx.graph.accounts().len() };
        let of_hr = accounts.filter_map(|it| {
            let leavers = cx.graph.leavers_of(it);
            Some((it, right_by_hr(cx, &leavers)?))
        });
        Self { rights, of_hr: of_hr.collect() }
    }

    fn right(&self, cx: &Context<'_>, identity: usize) -> Option<&PersonRight> {
        self.rights.get(cx.graph.person_of(identity) as usize)
    }

    fn case_of_account<'c>(
        &'c self,
        cx: &'c Context<'c>,
        account: usize,
        seen: &[Seen],
        active: &[usize],
    ) -> Case<'c> {
        let link = cx.graph.link(account);
        let identity = link.owner();
        let by_hr = self.of_hr.get(&account);
        let owner = identity.and_then(|it| self.right(cx, it)).or(by_hr.map(|it| &it.0));
        let right = by_hr.map_or_else(|| self.right_of(cx, account, link), |it| it.0.right);
        let kind = by_hr.map_or_else(|| link.kind(), |it| kind_by_hr(cx, it.1));
        let Seen { activity, is_disputed, is_partly_unseen } =
            seen.get(account).copied().unwrap_or(Seen::by_one(Activity::Unknown));
        let row = &cx.graph.account_row(account).row;
        let registered = cx.graph.estate().nonhumans.iter().find(|it| row.is_named(&it.account));
        let mut case = Case {
            cx,
            account: Some(account),
            identity,
            link: kind,
            owner,
            ended_among: self.ended_among(cx, link),
            right,
            activity,
            is_disputed,
            is_partly_unseen,
            verdict: crate::verdict(right, activity, kind),
            n_active: active.get(account).copied().unwrap_or(0),
            possible_owners: self.possible_owners(
                cx,
                account,
                &owners_beside(cx, account, is_disputed),
            ),
            unheard: self.unheard(cx, link),
            registered,
            register_owner: registered.and_then(|it| self.register_owner(cx, it.owner.as_deref()?)),
        };
        if is_seen(&case) {
            case.verdict = self.with_the_past(&case);
        } else {
            (case.right, case.verdict) = (Right::Unknown, Verdict::Indeterminate);
        }
        case
    }

    /// Whose right ended when is not known where any of several may be the owner: it ended between
    /// the first and the last of those times.
    fn ended_among(&self, cx: &Context<'_>, link: &Link) -> Option<Interval> {
        let contenders = link.contenders();
        if contenders.len() < 2 {
            return None;
        }
        let ended: Vec<Option<Starts>> = contenders
            .iter()
            .map(|it| Some(self.right(cx, *it)?.starts_of(Some(*it))))
            .map(|it| it.filter(|it| it.earliest().is_some()))
            .collect();
        let at_the_earliest = |it: &Starts| match it.between {
            Some(between) => between.earliest.min(it.earliest()),
            None => it.earliest(),
        };
        let is_known = ended.iter().all(Option::is_some);
        Some(Interval {
            earliest: ended.iter().map(|it| at_the_earliest(it.as_ref()?)).min().flatten(),
            latest: ended
                .iter()
                .map(|it| it.as_ref()?.earliest())
                .max()
                .flatten()
                .filter(|_| is_known),
        })
    }

    /// The right that the verdict sees: the owner's, or the one all possible owners share.
    fn right_of(&self, cx: &Context<'_>, account: usize, link: &Link) -> Right {
        let rights: Vec<Right> = link
            .contenders()
            .iter()
            .map(|it| self.right(cx, *it).map_or(Right::Unknown, |it| it.right))
            .collect();
        let ghost = cx.graph.ghost(account);
        // An account of an identity that was left behind is judged by that identity's own word.
        if let Link::Linked { identity, .. } | Link::Candidate { identity, .. } = link
            && let Some(own) = self.right(cx, *identity).map(|it| it.right_by(*identity))
        {
            return own;
        }
        match rights.split_first() {
            None if ghost.is_some_and(|it| it.is_unknown) => Right::SourceGone,
            None if ghost.is_none() && sees_everyone(cx) => Right::Unassigned,
            None => Right::Unknown,
            // Somebody unknown may own it too.
            Some(_) if ghost.is_some() && link.kind() == LinkKind::Conflict => Right::Unknown,
            Some((first, rest)) if rest.iter().all(|it| it == first) => *first,
            Some(_) => Right::Unknown,
        }
    }

    /// `beside`: owners of accounts that it may be.
    fn possible_owners(
        &self,
        cx: &Context<'_>,
        account: usize,
        beside: &[usize],
    ) -> PossibleOwners {
        let contenders = cx.graph.link(account).contenders();
        let rights = contenders.iter().chain(beside).filter_map(|it| self.right(cx, *it));
        let left: Vec<&PersonRight> = rights.filter(|it| it.right == Right::Leaver).collect();
        PossibleOwners {
            n: contenders.len() + beside.len() + usize::from(cx.graph.ghost(account).is_some()),
            n_beside: beside.len(),
            n_leavers: left.len(),
            first_left_at: left.iter().filter_map(|it| it.starts().earliest()).min(),
        }
    }

    /// Who may say that somebody whose it may be has the right by now, and was not heard.
    fn unheard(&self, cx: &Context<'_>, link: &Link) -> Vec<SystemId> {
        let contenders = link.contenders();
        let rights = contenders.iter().filter_map(|it| Some((*it, self.right(cx, *it)?)));
        let all = rights.flat_map(|(at, right)| right.unheard_of(cx, Some(at)));
        all.collect::<BTreeSet<_>>().into_iter().collect()
    }

    /// What the table cannot see: registration, what the account was before, and that somebody
    /// whose account is gone may have another.
    fn with_the_past(&self, case: &Case<'_>) -> Verdict {
        let cx = case.cx;
        let Some(row) = case.row() else { return case.verdict };
        match case.verdict {
            // Seen on only before the right ended: whether it still is on was not seen.
            Verdict::Drift(cause)
                if cause.family() == Family::AccessRemains && seen_before(case) =>
            {
                Verdict::Indeterminate
            }
            Verdict::Drift(Cause::OrphanActive) if case.registered.is_some() => Verdict::Exempt,
            Verdict::Drift(
                Cause::LeaverActive
                | Cause::SourceGoneActive
                | Cause::ExternalExpired
                | Cause::UnassignedActive,
            ) if self.was_offboarded(case, row.entity) => Verdict::Drift(Cause::Reactivated),
            Verdict::Drift(Cause::Vanished) if has_another(cx, case) => Verdict::NoAccount,
            other => other,
        }
    }

    fn was_offboarded(&self, case: &Case<'_>, account: EntityId) -> bool {
        let Some(past) = case.cx.past.standings.get(&account) else { return false };
        let was_off = matches!(
            past.verdict,
            Verdict::ConfirmedOffboarded | Verdict::Drift(Cause::Reactivated)
        );
        let off_until = last_look(case).max(Some(past.since));
        // Assigned and taken away again since the last look: an ordinary removal that has not arrived.
        let later = case.starts().unassigned > off_until;
        was_off && !later
    }

    /// For each account, how many active ones its owner has, itself among them; 0 where it is none of
    /// these. Of accounts that may be one, those of the view that shows most of them count.
    fn n_active(&self, cx: &Context<'_>, seen: &[Seen]) -> Vec<usize> {
        let mut counted: Vec<(usize, u32)> = Vec::new();
        let mut unpaired: BTreeMap<u32, Vec<usize>> = BTreeMap::new();
        for account in 0..seen.len() {
            let Some(person) = whose_active(cx, seen, account) else { continue };
            match cx.graph.may_be(account).next() {
                Some(_) => unpaired.entry(person).or_default().push(account),
                None => counted.push((account, person)),
            }
        }
        for (person, theirs) in unpaired {
            counted.extend(most_of(cx, theirs).into_iter().map(|it| (it, person)));
        }
        let mut of_person = vec![0; self.rights.len()];
        for (_, person) in &counted {
            if let Some(n) = of_person.get_mut(*person as usize) {
                *n += 1;
            }
        }
        let mut n_active = vec![0; seen.len()];
        for (account, person) in counted {
            if let (Some(n), Some(of)) = (n_active.get_mut(account), of_person.get(person as usize))
            {
                *n = *of;
            }
        }
        n_active
    }

    fn register_owner(&self, cx: &Context<'_>, owner: &str) -> Option<RegisterOwner> {
        let named = cx.graph.identities_named(owner);
        let best = named.iter().filter_map(|it| self.right(cx, *it)).map(|it| it.right);
        // Several people of that name: while one of them is here, the account has an owner, and who is
        // in no list any more had the name before one that is known to have left.
        let standing = |it: &Right| match it {
            Right::SourceGone => 2,
            Right::Leaver => 1,
            _ => 0,
        };
        Some(match best.min_by_key(standing) {
            Some(Right::SourceGone) => RegisterOwner::Nowhere,
            Some(right) => RegisterOwner::Known(right),
            None if sees_everyone(cx) => RegisterOwner::Nowhere,
            None => RegisterOwner::NotSeen,
        })
    }

    /// A person who has no account, and who is not one of several who may own one.
    fn case_without_account<'c>(&'c self, cx: &'c Context<'c>, person: usize) -> Option<Case<'c>> {
        let number = u32::try_from(person).ok()?;
        if !cx.graph.accounts_of(number).is_empty() {
            return None;
        }
        let owner = self.rights.get(person)?;
        let identities = cx.graph.identities_of(number);
        // Of several identities the one that a finding is about already: which of them entitles may
        // change from run to run.
        let is_watched = |it: &usize| {
            let identity = cx.graph.estate().identities.get(*it);
            identity.is_some_and(|it| cx.past.watched.contains(&it.entity))
        };
        let mut watched = identities.iter().copied().filter(is_watched);
        let watched = watched.find(|it| owner.right_by(*it) == owner.right);
        let identity = watched.or(owner.decided_by).or_else(|| identities.first().copied());
        let is_known = identities.iter().any(|it| {
            cx.graph.estate().identities.get(*it).is_some_and(|it| it.standing == Standing::Listed)
        });
        if !is_known {
            return None;
        }
        let activity = no_account(cx);
        Some(Case {
            cx,
            account: None,
            identity,
            link: LinkKind::None,
            owner: Some(owner),
            ended_among: None,
            right: owner.right,
            activity,
            is_disputed: false,
            is_partly_unseen: is_unsaid(activity),
            verdict: crate::verdict(owner.right, activity, LinkKind::None),
            n_active: 0,
            possible_owners: PossibleOwners::default(),
            unheard: owner.unheard_of(cx, identity),
            registered: None,
            register_owner: None,
        })
    }

    /// Findings about a person who had no account. Has one now: the account says how it stands. Has
    /// none still: each of their identities says it for itself.
    fn add_statuses(
        &self,
        cx: &Context<'_>,
        seen: &[Seen],
        active: &[usize],
        statuses: &mut FxHashMap<EntityId, Status>,
    ) {
        if cx.past.watched.is_empty() {
            return;
        }
        let identities = cx.graph.estate().identities.iter().enumerate();
        for (at, identity) in identities.filter(|(_, it)| cx.past.watched.contains(&it.entity)) {
            let person = cx.graph.person_of(at);
            let theirs = cx.graph.accounts_of(person);
            let linked = |it: &usize| matches!(cx.graph.link(*it).kind(), LinkKind::Linked);
            let case = match theirs.into_iter().find(linked) {
                Some(account) => Some(self.case_of_account(cx, account, seen, active)),
                None => self.case_without_account(cx, person as usize).map(|it| Case {
                    identity: Some(at),
                    right: it.owner.map_or(it.right, |it| it.right_by(at)),
                    ..it
                }),
            };
            if let Some(case) = case {
                let status = || status_of(&case, explain(&case));
                statuses.entry(identity.entity).or_insert_with(status);
            }
        }
    }

    /// Rights that begin or end an episode: of everybody who has left or expired, and of those
    /// who are entitled and had.
    fn episode_rights(&self, cx: &Context<'_>) -> Vec<(EntityId, Right)> {
        let identities = cx.graph.estate().identities.iter().enumerate();
        identities
            .filter(|(_, it)| cx.is_looked_at(List::Identities, it.entity))
            .filter_map(|(at, it)| Some((it.entity, self.right(cx, at)?.right_by(at))))
            .filter(|(entity, right)| match right {
                Right::Leaver | Right::Expired => true,
                Right::Entitled => cx.past.episodes.contains_key(entity),
                _ => false,
            })
            .collect()
    }
}

/// Other people whose accounts this may be, each by one identity: a name or address alone names its
/// owner, and it is on, while all that it may be in another view is off.
fn owners_beside(cx: &Context<'_>, account: usize, is_disputed: bool) -> Vec<usize> {
    let link = cx.graph.link(account);
    let (true, false, Some(owner)) =
        (is_disputed, cx.graph.tier(account).is_none_or(Tier::is_strong), link.owner())
    else {
        return Vec::new();
    };
    let mut named = FxHashSet::from_iter([cx.graph.person_of(owner)]);
    let links = cx.graph.may_be(account).map(|it| cx.graph.link(it));
    let owners = links.flat_map(|it| it.contenders().into_owned());
    owners.filter(|it| named.insert(cx.graph.person_of(*it))).collect()
}

/// The person whose active account this is. `None`: it is not known to be active, or to be theirs, or
/// what says whose it is was not seen. Where it may be an account that is not known to be theirs, and
/// what is on or off of that does not tell them apart, a name or address does not make it theirs.
fn whose_active(cx: &Context<'_>, seen: &[Seen], account: usize) -> Option<u32> {
    let is_active = |it: usize| seen.get(it).is_some_and(|it| it.activity == Activity::Active);
    let owner = |it: usize| match cx.graph.link(it) {
        Link::Linked { identity, tier } | Link::Candidate { identity, tier } => {
            Some((cx.graph.person_of(*identity), *tier))
        }
        Link::Conflict { .. } | Link::Ambiguous { .. } | Link::None => None,
    };
    let (mine, tier) = owner(account).filter(|_| is_active(account))?;
    if !is_owner_seen(cx, cx.graph.account_row(account)) {
        return None;
    }
    let is_disputed = seen.get(account).is_some_and(|it| it.is_disputed);
    let is_theirs = |it: usize| owner(it).is_some_and(|it| it.0 == mine);
    let may_be_anothers = |it: usize| (is_active(it) || is_disputed) && !is_theirs(it);
    (tier.is_strong() || !cx.graph.may_be(account).any(may_be_anothers)).then_some(mine)
}

/// Of accounts of which rows of several channels may be one, the most that are not.
fn most_of(cx: &Context<'_>, mut accounts: Vec<usize>) -> Vec<usize> {
    let system = |it: &usize| cx.graph.account_row(*it).system;
    accounts.sort_unstable_by_key(|it| (system(it), &cx.graph.account_row(*it).row.id));
    let mut most: Vec<usize> = Vec::new();
    for of_one in accounts.chunk_by(|one, other| system(one) == system(other)) {
        let mut several: FxHashSet<usize> = of_one.iter().copied().collect();
        for it in &accounts {
            if !cx.graph.may_be(*it).any(|it| several.contains(&it)) {
                several.insert(*it);
            }
        }
        if several.len() > most.len() {
            most = several.into_iter().collect();
        }
    }
    most
}

/// How an account hangs on somebody whom HR alone knows. An address may be that of somebody else
/// whom no list shows, unless every list is whole.
pub(crate) fn kind_by_hr(cx: &Context<'_>, tier: Tier) -> LinkKind {
    if tier.is_strong() || sees_everyone(cx) { LinkKind::Linked } else { LinkKind::Candidate }
}

fn sees_everyone(cx: &Context<'_>) -> bool {
    !cx.graph.estate().idps.is_empty()
        && cx.graph.estate().idps.iter().all(|it| it.identities.base.is_some())
}

/// The newest look that shows the account as it is judged is older than the end of the right, as far
/// as that is known. Where it was seen on, what another channel showed later does not make it so later.
fn seen_before(case: &Case<'_>) -> bool {
    let estate = case.cx.graph.estate();
    let Some(view) = case.account.and_then(|it| case.cx.graph.accounts().get(it)) else {
        return false;
    };
    let looks = view.rows(estate).map(|it| estate.snapshot(it.snapshot).reference.as_of.at);
    let look = match case.activity {
        Activity::Active => seen_active_at(case),
        _ => looks.max(),
    };
    // Of several possible owners, none had left before the first did.
    let first = case.ended_among.map_or_else(|| case.starts().earliest(), |it| it.earliest);
    let ended_at = first.filter(|it| *it <= case.cx.now);
    look.zip(ended_at).is_some_and(|(look, ended_at)| look < ended_at)
}

/// The owner of an account that is gone has another one that is listed.
fn has_another(cx: &Context<'_>, case: &Case<'_>) -> bool {
    case.identity.is_some_and(|it| {
        let accounts = cx.graph.accounts_of(cx.graph.person_of(it));
        accounts.into_iter().any(|it| cx.graph.account_row(it).standing == Standing::Listed)
    })
}

fn subject_of(case: &Case<'_>) -> Option<Subject> {
    let estate = case.cx.graph.estate();
    match case.row() {
        Some(row) => Some(account_of_row(case, row)),
        None => {
            let identity = estate.identities.get(case.identity?)?;
            Some(Subject {
                kind: SubjectKind::Identity,
                system: case.cx.graph.idp_of(identity)?.id.clone(),
                key: identity.row.id.clone(),
                entity: identity.entity,
            })
        }
    }
}

fn account_of_row(case: &Case<'_>, row: &Sighting<Account>) -> Subject {
    Subject {
        kind: SubjectKind::Account,
        system: case.cx.graph.estate().app.clone(),
        key: row.row.id.clone(),
        entity: row.entity,
    }
}

fn other_rows(case: &Case<'_>) -> Vec<(Subject, bool)> {
    let view = case.account.and_then(|it| case.cx.graph.accounts().get(it));
    let rows = view.into_iter().flat_map(|it| it.rows(case.cx.graph.estate()).skip(1));
    rows.map(|it| (account_of_row(case, it), is_id(&it.row.id, it.row.user_name.as_ref())))
        .collect()
}

fn explain(case: &Case<'_>) -> Explanation {
    let graph = case.cx.graph;
    match (case.account, case.identity) {
        (Some(account), _) => {
            let mut explanation = graph.explain_account(account);
            explanation.facts.extend(words_on_record(case.cx, account));
            explanation.facts.extend(pushes(case));
            explanation
        }
        (None, Some(identity)) => {
            let mut explanation = graph.explain_person(graph.person_of(identity));
            for channel in &graph.estate().channels {
                if let Some(base) = channel.base {
                    explanation.absences.push(format!(
                        "no account in {}'s complete list carries a key of theirs, {}",
                        graph.estate().app,
                        graph.estate().snapshot(base).reference.describe(),
                    ));
                }
            }
            explanation
        }
        (None, None) => Explanation::default(),
    }
}

/// What was said by id of those who may own an account since the rows were read that show them.
fn words_on_record(cx: &Context<'_>, account: usize) -> Vec<Fact> {
    let contenders = cx.graph.link(account).contenders();
    let identities = contenders.iter().filter_map(|it| cx.graph.estate().identities.get(*it));
    let facts = identities.filter_map(|it| {
        let (said, idp) = (remembered(cx, it)?, &cx.graph.idp_of(it)?.id);
        let at = said.at.map_or_else(String::new, |at| format!(" at {}", time(at)));
        Some(Fact {
            text: format!("{idp} said of `{}`, asked by id since, that they left{at}", it.row.id),
            source: format!("{idp} identities, row `{}`, asked by id in an earlier run", it.row.id),
            at: said.heard_at,
        })
    });
    facts.collect()
}

fn label(case: &Case<'_>) -> PersonLabel {
    match (case.account, case.identity) {
        (Some(account), _) => case.cx.graph.label_of_account(account),
        (None, Some(identity)) => case.cx.graph.label_of_identity(identity),
        (None, None) => PersonLabel::default(),
    }
}

fn claim(case: &Case<'_>, cause: Cause, subject: Subject, mut explanation: Explanation) -> Claim {
    let cx = case.cx;
    let rule = rule(cause);
    let starts = starts_of(case, cause);
    let clock_from = clock_from(case, cause, &starts).map_or(cx.now, |it| it.min(cx.now));
    let (severity, grace_until) = rule.weigh(case, clock_from);
    explanation.summary = (rule.summary)(case);
    let identity = case.identity.and_then(|it| cx.graph.estate().identities.get(it));
    let episode = identity.map_or(0, |it| {
        let past = cx.past.episodes.get(&it.entity);
        let right = case.owner.zip(case.identity).map_or(case.right, |(it, at)| it.right_by(at));
        let next = next_episode(past, right, cx.policy, cx.now);
        next.as_ref().or(past).map_or(1, |it| it.number)
    });
    Claim {
        cause,
        subject,
        has_id: has_id(case),
        also: other_rows(case),
        severity,
        clock_from,
        grace_until,
        looks: looks_of(case, Some(cause)),
        starts,
        seen_active_at: seen_active_at(case),
        is_owner_seen: case.row().is_none_or(|it| is_owner_seen(cx, it))
            && identity.is_none_or(|it| is_identity_seen(cx, it)),
        made_at: case.row().and_then(|it| it.row.created_at),
        episode,
        owners: owners(case),
        is_from_absence: is_from_absence(case, cause),
        unheard: unheard(case, cause),
        is_of_several: case.ended_among.is_some(),
        is_leaver: case.right == Right::Leaver,
        may_be_off: may_be_off(case),
        is_asked_again: is_asked_again(case)
            && (cause != Cause::ChannelConflict || are_views_of_today(case)),
        is_privileged: case.is_privileged(),
        explanation,
        person: label(case),
        next_action: rule.next(case.has_left_elsewhere()),
    }
}

/// When the access that a claim is about should have ended.
fn starts_of(case: &Case<'_>, cause: Cause) -> Starts {
    let between = match cause {
        Cause::Reactivated => Some(reactivated_between(case)),
        _ => case.ended_among,
    };
    if between.is_some() {
        return Starts { between, ..Starts::default() };
    }
    let mut starts = case.starts();
    if cause.family() == Family::AccessRemains
        && let Some(by) = starts.earliest().filter(|by| may_have_ended_before(case, *by))
    {
        starts.between.get_or_insert(Interval { earliest: None, latest: Some(by) }).earliest = None;
    }
    if case.right == Right::Unassigned && may_have_been_given_again(case, &starts) {
        let earliest = starts.between.and_then(|it| it.earliest);
        let between = Some(Interval { earliest, latest: None });
        starts = Starts { between, missed_by: None, ..starts };
    }
    starts
}

/// Whether the account was made after a list showed that its owner had lost the app, which no log
/// dates: they may have been given it again, and have lost it once more, between two looks.
fn may_have_been_given_again(case: &Case<'_>, starts: &Starts) -> bool {
    let made_at = case.row().and_then(|it| it.row.created_at);
    starts.missed_by.zip(made_at).is_some_and(|(by, made)| made > by) && starts.earliest().is_none()
}

/// Whether the owner had not got the app by the lists before the right ended, so that what they used was
/// nothing they had a right to: since when, nobody knows.
fn may_have_ended_before(case: &Case<'_>, by: DateTime<Utc>) -> bool {
    let graph = case.cx.graph;
    let theirs = case.identity.map(|it| graph.identities_of(graph.person_of(it)));
    theirs.is_some_and(|it| it.iter().all(|it| had_not_got_the_app(case.cx, *it, by)))
}

/// The identities of the owner that is shown, the named one first.
fn owners(case: &Case<'_>) -> Vec<EntityId> {
    let graph = case.cx.graph;
    let shown = case.identity.filter(|_| case.account.is_some());
    let Some(named) = shown else { return Vec::new() };
    let others = graph.identities_of(graph.person_of(named)).into_iter().filter(|it| *it != named);
    let all = std::iter::once(named).chain(others);
    all.filter_map(|at| Some(graph.estate().identities.get(at)?.entity)).collect()
}

/// All identities of those who were decided not to be the owner of the account.
fn not_theirs(case: &Case<'_>) -> Vec<EntityId> {
    let (graph, Some(account)) = (case.cx.graph, case.account) else { return Vec::new() };
    let persons = graph.ruled_out(account).into_iter();
    let all = persons.flat_map(|it| graph.identities_of(it));
    all.filter_map(|at| Some(graph.estate().identities.get(at)?.entity)).collect()
}

/// Whether the claim rests on what a list does not show: nobody owns it, no assignment, no account.
/// Who was asked again by id was seen.
fn is_from_absence(case: &Case<'_>, cause: Cause) -> bool {
    let is_absent = match cause.family() {
        Family::Orphan => true,
        Family::AccessMissing => case.activity == Activity::Absent,
        Family::AccessRemains => match case.right {
            Right::SourceGone => true,
            Right::Unassigned => case.owner.is_none_or(|it| it.is_from_absence),
            Right::Entitled
            | Right::Leaver
            | Right::Expired
            | Right::Suspended
            | Right::NotYet
            | Right::Unknown => false,
        },
        Family::Link | Family::Sources | Family::NonHuman | Family::Record => false,
    };
    is_absent && !is_asked_again(case)
}

/// Who might say that it is over, and was not heard. What is no matter of rights needs nobody.
fn unheard(case: &Case<'_>, cause: Cause) -> Vec<SystemId> {
    let is_of_right = cause.family() == Family::AccessRemains || cause == Cause::SourcesDisagree;
    if is_of_right { case.unheard.clone() } else { Vec::new() }
}

/// From when grace runs: since the right ended, or since the first of those who may own the account
/// left. `None`: since now.
fn clock_from(case: &Case<'_>, cause: Cause, starts: &Starts) -> Option<DateTime<Utc>> {
    match (cause, cause.family()) {
        (Cause::Reactivated, _) => None,
        (_, Family::Link) => case.possible_owners.first_left_at,
        (_, Family::AccessRemains) => match case.ended_among {
            Some(among) => among.earliest,
            None => starts.grace_from(),
        },
        _ => None,
    }
}

/// An "id" that is the user name or an address is none: people change those.
fn is_id(id: &Text, user_name: Option<&Text>) -> bool {
    !id.contains('@') && user_name != Some(id)
}

fn has_id(case: &Case<'_>) -> bool {
    match case.row().map(|it| &it.row) {
        Some(row) => is_id(&row.id, row.user_name.as_ref()),
        None => {
            let identity = case.identity.and_then(|it| case.cx.graph.estate().identities.get(it));
            identity.is_some_and(|it| is_id(&it.row.id, it.row.user_name.as_ref()))
        }
    }
}

/// Between the last look that had it off and the first that has it on.
fn reactivated_between(case: &Case<'_>) -> Interval {
    let estate = case.cx.graph.estate();
    Interval {
        earliest: last_look(case),
        latest: case.row().and_then(|it| {
            let as_of = estate.snapshot(it.snapshot).reference.as_of.at;
            Some(case.cx.read_by(estate.channels.get(usize::from(it.system))?, as_of))
        }),
    }
}

fn status_of(case: &Case<'_>, explanation: Explanation) -> Status {
    Status {
        verdict: case.verdict,
        right: case.right,
        activity: case.activity,
        link: case.link,
        tier: case.account.and_then(|it| case.cx.graph.tier(it)),
        looks: looks_of(case, None),
        person: label(case),
        explanation,
        is_privileged: case.is_privileged(),
        is_whole: sees_everyone(case.cx)
            && case.cx.graph.estate().channels.iter().all(|it| it.base.is_some())
            && case.owner.is_none_or(|it| !it.is_partly_unseen),
        is_seen_by_all: !case.is_partly_unseen,
        is_gone: case.row().is_some_and(|it| {
            it.standing == Standing::Gone
                && case.cx.graph.estate().channels.iter().any(|it| it.base.is_some())
        }),
        has_left_elsewhere: case.has_left_elsewhere(),
        not_theirs: not_theirs(case),
    }
}
