//! Who has left, as one run sees it: every person without the right by lifecycle, found or not,
//! with what their accounts show. What was known before is laid beside it in `leaver_record`.

use std::cell::LazyCell;

use chrono::{DateTime, Utc};
use domain::{
    Account, Activity, EntityId, Identity, Leaver, LeaverAccount, LeaverKey, LeaverKind, Lifecycle,
    Link, LinkKind, List, PersonLabel, Right, SaidBy, SystemId, Text, Tier,
};
use graph::{Leaving, Sighting, Standing};
use rayon::prelude::*;
use rustc_hash::{FxHashMap, FxHashSet};

use crate::activity::{Seen, is_required, no_account};
use crate::context::Context;
use crate::episode::next_episode;
use crate::hr::is_switched_on;
use crate::judge::kind_by_hr;
use crate::looks::{is_identity_seen, is_on, is_owner_seen, is_seen_anew};
use crate::right::{PersonRight, right_by_hr};
use crate::starts::Starts;
use crate::word::{left_at, shown_by};

/// Somebody who has left, as one run sees them.
#[derive(Clone, Debug)]
pub struct LeaverSeen {
    /// The row that stands for them.
    pub person: LeaverKey,
    /// Other rows that are the same person: one of them may have stood for them before.
    pub also: Vec<EntityId>,
    /// Which employment, from 1.
    pub episode: u32,
    /// When an earlier run saw that it had ended; `None`: this is the first.
    pub was_over_at: Option<DateTime<Utc>>,
    /// How it ended.
    pub kind: LeaverKind,
    /// Every source that says so, in order.
    pub said_by: Vec<SaidBy>,
    /// Rows of theirs that positively say otherwise: whose list, which, and the key there.
    pub denied_by: Vec<(SystemId, List, Text)>,
    /// Rows of theirs that no list has any more: whose list, which, and the key there.
    pub silent: Vec<(SystemId, List, Text)>,
    /// When access should have ended, by each clock.
    pub starts: Starts,
    /// Their accounts, in order of key.
    pub accounts: Vec<AccountSeen>,
    /// HR's row may mean somebody whom it does not name for certain: who has an account is not known.
    pub may_mean_others: bool,
    /// They got another user since: what sources say of when they left is of that one.
    pub is_left_behind: bool,
    /// This run saw anew that their right is over: an account that it saw on was on without right.
    pub is_seen_anew: bool,
    /// Decisions of people that alone keep accounts from being theirs whose keys name them.
    pub decided: Vec<Decided>,
    /// Was every list of the app seen whole? Without accounts, only then there is none.
    pub is_app_seen: bool,
    /// What people call them.
    pub label: PersonLabel,
}

/// A person's decision on whose an account is.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Decided {
    /// When.
    pub at: DateTime<Utc>,
    /// The account's id.
    pub account: Text,
    /// The entry of the ledger that tells of it; `None`: not known.
    pub entry: Option<u64>,
}

/// An account of a leaver, as one run sees it.
#[derive(Clone, Debug)]
pub struct AccountSeen {
    /// Its id.
    pub key: Text,
    /// The store's number of its leading row.
    pub entity: EntityId,
    /// Its rows in every view, the leading one first, and whether it is off only where that view
    /// says so.
    pub rows: Vec<(EntityId, bool)>,
    /// Rows of views that must show it off, and are not known to have a row of it, any of which may be
    /// it. Empty: there are none, or it is not off.
    pub may_be: Vec<EntityId>,
    /// By when views that must show it off, and have no row of it, were first known to have none.
    /// `None`: each has one.
    pub unlisted_by: Option<DateTime<Utc>>,
    /// The key that makes it theirs; `None`: not certain.
    pub tier: Option<Tier>,
    /// Is it on?
    pub activity: Activity,
    /// When it was seen on; `None`: this run did not see it on.
    pub on_at: Option<DateTime<Utc>>,
    /// When it was made, as far as the app says.
    pub made_at: Option<DateTime<Utc>>,
    /// It was theirs, and is somebody else's now: nothing of this look is of theirs.
    pub is_anothers: bool,
    /// By when what shows it off had been read.
    pub read_by: DateTime<Utc>,
}

/// Everybody who has left, in order of the store's numbers. A light pass names those alone whom it
/// asked for.
pub(crate) fn leavers(cx: &Context<'_>, rights: &[PersonRight], seen: &[Seen]) -> Vec<LeaverSeen> {
    let mut rows_of: FxHashMap<u32, Vec<usize>> = FxHashMap::default();
    for at in 0..cx.graph.estate().leavers.len() {
        if let Some(person) = cx.graph.person_of_leaver(at) {
            rows_of.entry(person).or_default().push(at);
        }
    }
    let mut decided: FxHashMap<Leaving, Vec<Decided>> = FxHashMap::default();
    for (whom, decision) in cx.graph.decided_away() {
        let (at, entry) = (decision.at, decision.entry);
        let it = Decided { at, account: decision.account.clone(), entry };
        decided.entry(whom).or_default().push(it);
    }
    decided.values_mut().for_each(|it| it.sort_unstable()); // Not in the order of a list.
    let handed_on = handed_on(cx);
    let decided_on = |whom| decided.get(&whom).cloned().unwrap_or_default();
    let of_person = |(person, right): (usize, &PersonRight)| {
        let person = u32::try_from(person).unwrap_or(u32::MAX);
        let rows = rows_of.get(&person).map(|it| &**it).unwrap_or_default();
        let group = |identities: Vec<usize>| {
            let decided = decided_on(Leaving::Person(person));
            Group { cx, person, right, identities, rows, decided, handed_on: &handed_on }
        };
        let behind = right.left_behind();
        let left = kind_of(right.right).and_then(|kind| {
            let mut identities = cx.graph.identities_of(person);
            identities.retain(|it| !behind.contains(it));
            group(identities).seen(kind, None, seen)
        });
        let behind = behind.iter().copied();
        let behind = behind.filter_map(|at| group(vec![at]).seen(LeaverKind::Left, Some(at), seen));
        left.into_iter().chain(behind).collect::<Vec<_>>()
    };
    let mut all: Vec<_> = rights.par_iter().enumerate().flat_map_iter(of_person).collect();
    if cx.pass == domain::Pass::Full {
        all.extend(known_to_hr_alone(cx, seen, decided_on));
    }
    all.sort_by_key(|it| it.person.entity);
    all
}

/// Identities that have a right or may have one again, of those who are on record as leavers.
pub(crate) fn returned(cx: &Context<'_>, rights: &[PersonRight]) -> Vec<EntityId> {
    let estate = cx.graph.estate();
    // Of few of them it is asked, and mostly of nobody.
    let gone_by_hr: LazyCell<FxHashSet<u32>, _> = LazyCell::new(|| {
        let rows = estate.leavers.iter().enumerate();
        let stands =
            rows.filter(|(_, it)| it.standing == Standing::Listed && it.row.left_at <= cx.now);
        stands.filter_map(|(at, _)| cx.graph.person_of_leaver(at)).collect()
    });
    let identities = estate.identities.iter().enumerate();
    identities
        .filter(|(_, it)| cx.past.leavers.contains(&it.entity))
        .filter(|(_, it)| cx.is_looked_at(List::Identities, it.entity))
        .filter_map(|(at, it)| {
            let person = cx.graph.person_of(at);
            let right = rights.get(person as usize)?.right_by(at);
            let is_back = matches!(
                right,
                Right::Entitled | Right::Unassigned | Right::Suspended | Right::NotYet
            );
            // Of somebody who is on again, with no list of who has the app.
            let may_be_back = right == Right::Unknown
                && is_switched_on(cx, it)
                && !is_still_away(cx, (at, it), || gone_by_hr.contains(&person));
            (is_back || may_be_back).then_some(it.entity)
        })
        .collect()
}

/// Whether by the last that was seen they are gone all the same: this user's time is over, or they have left by
/// HR or by another provider than that of this user, which never said so. That it is on, and who has the app is
/// not seen, is nothing new.
fn is_still_away(
    cx: &Context<'_>,
    (at, own): (usize, &Sighting<Identity>),
    is_gone_by_hr: impl Fn() -> bool,
) -> bool {
    let is_told = |it: &Sighting<Identity>| {
        cx.said_left(it).last().is_some_and(|it| it.returned_at.is_none())
    };
    let has_left = |it: &Sighting<Identity>| {
        let is_over = it.row.ends_at.is_some_and(|it| it <= cx.now);
        is_over || it.row.lifecycle == Lifecycle::Left || it.standing == Standing::Gone
    };
    if has_left(own) || is_told(own) {
        return has_left(own);
    }
    let theirs = cx.graph.identities_of(cx.graph.person_of(at)).into_iter();
    let others = theirs.filter(|it| *it != at);
    let mut others = others.filter_map(|it| cx.graph.estate().identities.get(it));
    others.any(|it| is_told(it) && has_left(it)) || is_gone_by_hr()
}

const fn kind_of(right: Right) -> Option<LeaverKind> {
    match right {
        Right::Leaver => Some(LeaverKind::Left),
        Right::Expired => Some(LeaverKind::Expired),
        Right::SourceGone => Some(LeaverKind::Gone),
        Right::Entitled | Right::Unassigned | Right::Suspended | Right::NotYet | Right::Unknown => {
            None
        }
    }
}

/// Identities of one person that left together, with HR's rows of that person.
struct Group<'g> {
    cx: &'g Context<'g>,
    person: u32,
    right: &'g PersonRight,
    identities: Vec<usize>,
    rows: &'g [usize],
    decided: Vec<Decided>,
    handed_on: &'g HandedOn,
}

/// By identity, the accounts that the last run linked to it and that are another one's now.
type HandedOn = FxHashMap<EntityId, Vec<(usize, Tier)>>;

fn handed_on(cx: &Context<'_>) -> HandedOn {
    let estate = cx.graph.estate();
    let mut all = HandedOn::default();
    for (account, view) in cx.graph.accounts().iter().enumerate() {
        let leading = view.rows(estate).next();
        let Some((identity, tier)) = leading.and_then(|it| estate.stored_links.get(&it.entity))
        else {
            continue;
        };
        let owner = cx.graph.link(account).owner().and_then(|it| estate.identities.get(it));
        if *tier != Tier::Operator && owner.is_some_and(|it| it.entity != *identity) {
            all.entry(*identity).or_default().push((account, *tier));
        }
    }
    all
}

impl LeaverSeen {
    /// What is on record of an account: under any of its rows, the leading one first, or else under
    /// its key, which a list of another kind may have given it.
    #[must_use]
    pub fn on_record<'p>(&self, account: &AccountSeen, past: &'p Leaver) -> Vec<&'p LeaverAccount> {
        let is_row =
            |seen: &AccountSeen, old: &LeaverAccount| seen.rows.iter().any(|it| it.0 == old.entity);
        let mut known: Vec<_> = past.accounts.iter().filter(|it| is_row(account, it)).collect();
        known.sort_by_key(|it| it.entity != account.entity);
        if known.is_empty() {
            let is_anothers = |old: &&LeaverAccount| self.accounts.iter().any(|it| is_row(it, old));
            let mut of_key = past.accounts.iter().filter(|it| it.key == account.key);
            known.extend(of_key.find(|it| !is_anothers(it)));
        }
        known
    }
}

impl Group<'_> {
    /// `behind`: one identity of somebody who is here by another one.
    fn seen(self, kind: LeaverKind, behind: Option<usize>, seen: &[Seen]) -> Option<LeaverSeen> {
        let cx = self.cx;
        let estate = cx.graph.estate();
        let sighting = |at: &usize| estate.identities.get(*at);
        let is_looked_at = |at: &usize| {
            sighting(at).is_some_and(|it| cx.is_looked_at(List::Identities, it.entity))
        };
        if !self.identities.iter().any(is_looked_at) {
            return None;
        }
        let first = *self.identities.iter().min_by_key(|it| sighting(it).map(|it| it.entity))?;
        let identity = estate.identities.get(first)?;
        let entities = self.identities.iter().filter_map(sighting).map(|it| it.entity);
        let rows = self.rows.iter().filter(|_| behind.is_none());
        let hr = rows.clone().filter_map(|it| estate.leavers.get(*it)).map(|it| it.entity);
        let also = entities.chain(hr).filter(|it| *it != identity.entity).collect();
        let past = cx.past.episodes.get(&identity.entity);
        let right = self.right.right_by(behind.unwrap_or(first));
        let next = next_episode(past, right, cx.policy, cx.now);
        let mut said_by: Vec<SaidBy> =
            self.identities.iter().filter_map(|it| said_by_idp(cx, *it)).collect();
        said_by.extend(rows.filter_map(|it| said_by_hr(cx, *it)));
        said_by.sort_by(|one, other| (&one.system, &one.key).cmp(&(&other.system, &other.key)));
        Some(LeaverSeen {
            person: LeaverKey {
                system: cx.graph.idp_of(identity)?.id.clone(),
                list: List::Identities,
                key: identity.row.id.clone(),
                entity: identity.entity,
            },
            also,
            episode: next.as_ref().or(past).map_or(1, |it| it.number),
            was_over_at: past.and_then(|it| it.ended_at),
            kind,
            said_by,
            denied_by: self.denied_by(),
            silent: self.silent(),
            starts: self.right.starts_of(behind),
            accounts: self.accounts(behind, seen),
            may_mean_others: false,
            is_left_behind: behind.is_some(),
            is_seen_anew: self.right.unheard_of(cx, behind).is_empty()
                && is_seen_anew(cx, self.person, (right, behind.is_none().then_some(self.right))),
            decided: self.decided,
            is_app_seen: no_account(cx) == Activity::Absent,
            label: cx.graph.label_of_identity(first),
        })
    }

    /// Users of theirs whom this run saw, and who have not left, and rows that HR has struck out.
    fn denied_by(&self) -> Vec<(SystemId, List, Text)> {
        let (cx, estate) = (self.cx, self.cx.graph.estate());
        let identities = cx.graph.identities_of(self.person).into_iter();
        let here = identities.filter_map(|it| estate.identities.get(it)).filter_map(|it| {
            let has_not_left = matches!(
                it.row.lifecycle,
                Lifecycle::Active | Lifecycle::Suspended | Lifecycle::NotYet
            );
            let is_here =
                it.standing == Standing::Listed && is_identity_seen(cx, it) && has_not_left;
            let system = cx.graph.idp_of(it).filter(|_| is_here)?.id.clone();
            Some((system, List::Identities, it.row.id.clone()))
        });
        let rows = self.rows.iter().filter_map(|it| estate.leavers.get(*it));
        let struck_out = rows.filter(|it| it.standing == Standing::Gone).filter_map(|it| {
            let system = estate.hr.get(usize::from(it.system))?.stream.system.clone();
            Some((system, List::Leavers, it.row.id.clone()))
        });
        here.chain(struck_out).collect()
    }

    /// Users of theirs whom no list has any more, or whom this run did not see.
    fn silent(&self) -> Vec<(SystemId, List, Text)> {
        let (cx, estate) = (self.cx, self.cx.graph.estate());
        let theirs = self.identities.iter().filter_map(|it| estate.identities.get(*it));
        let silent = theirs.filter(|it| it.standing == Standing::Gone || !is_identity_seen(cx, it));
        silent
            .filter_map(|it| {
                Some((cx.graph.idp_of(it)?.id.clone(), List::Identities, it.row.id.clone()))
            })
            .collect()
    }

    /// Accounts that are theirs or may be, but those that a key joins to an identity that was left
    /// behind: those are in the record of that one.
    fn accounts(&self, behind: Option<usize>, seen: &[Seen]) -> Vec<AccountSeen> {
        let cx = self.cx;
        let all = cx.graph.accounts_of(self.person).into_iter();
        let theirs = all.filter(|account| match (behind, cx.graph.link(*account).owner()) {
            (Some(behind), owner) => owner == Some(behind),
            (None, Some(owner)) => {
                !self.right.left_behind().contains(&owner)
                    && kind_of(self.right.right_by(owner)).is_some()
            }
            (None, None) => true,
        });
        let theirs: Vec<usize> = theirs.collect();
        let accounts = theirs.iter().filter_map(|account| {
            let tier = match cx.graph.link(*account) {
                Link::Linked { tier, .. } => Some(*tier),
                _ => None,
            };
            account_seen(cx, *account, tier, seen)
        });
        let handed_on = self.handed_on(&theirs).filter_map(|(account, tier)| {
            let it = account_seen(cx, account, Some(tier).filter(|it| it.is_strong()), seen)?;
            let is_decided = self.decided.iter().any(|decided| decided.account == it.key);
            let activity = Activity::Unknown;
            (!is_decided).then_some(AccountSeen { activity, on_at: None, is_anothers: true, ..it })
        });
        in_order(accounts.chain(handed_on).collect())
    }

    /// Accounts that were theirs by the last run and are somebody else's now, with the key that said so.
    fn handed_on(&self, theirs: &[usize]) -> impl Iterator<Item = (usize, Tier)> {
        let identities = &self.cx.graph.estate().identities;
        let entities = self.identities.iter().filter_map(|at| identities.get(*at));
        let all = entities.filter_map(|it| self.handed_on.get(&it.entity)).flatten().copied();
        all.filter(|(account, _)| !theirs.contains(account))
    }
}

fn in_order(mut accounts: Vec<AccountSeen>) -> Vec<AccountSeen> {
    accounts.sort_by(|one, other| one.key.cmp(&other.key));
    accounts
}

fn account_seen(
    cx: &Context<'_>,
    account: usize,
    tier: Option<Tier>,
    seen: &[Seen],
) -> Option<AccountSeen> {
    let estate = cx.graph.estate();
    let view = cx.graph.accounts().get(account)?;
    let leading = cx.graph.account_row(account);
    // Where this run did not see whose it is, another view may show it on for somebody else by now.
    let is_theirs = is_owner_seen(cx, leading);
    let (mut on_at, mut read_by) = (None, None);
    let mut rows = Vec::with_capacity(1 + view.others.len());
    for row in view.rows(estate) {
        let channel = estate.channels.get(usize::from(row.system))?;
        let shown = match row.standing {
            Standing::Listed => Some(row.snapshot),
            Standing::Gone => channel.base,
        };
        let as_of = shown.map(|it| estate.snapshot(it).reference.as_of.at);
        rows.push((row.entity, is_required(cx, channel)));
        read_by = read_by.max(as_of.map(|it| cx.read_by(channel, it)));
        if is_on(row) && (is_theirs || row.entity == leading.entity) {
            on_at = on_at.max(as_of);
        }
    }
    let mut unlisted_by = None;
    for (at, channel) in estate.channels.iter().enumerate() {
        let has_row = view.rows(estate).any(|it| usize::from(it.system) == at);
        if let (false, true, Some(base)) = (has_row, is_required(cx, channel), channel.base) {
            let today = cx.read_by(channel, estate.snapshot(base).reference.as_of.at);
            let before = cx.past.looked_at.get(&channel.stream).copied();
            unlisted_by = unlisted_by.max(Some(before.unwrap_or(today)));
            read_by = read_by.max(Some(today));
        }
    }
    let activity = seen.get(account).map_or(Activity::Unknown, |it| it.activity);
    let may_show_it_off = |it: &&Sighting<Account>| {
        let channel = estate.channels.get(usize::from(it.system));
        matches!(activity, Activity::Inactive | Activity::Absent)
            && channel.is_some_and(|it| is_required(cx, it))
    };
    Some(AccountSeen {
        key: leading.row.id.clone(),
        entity: leading.entity,
        rows,
        may_be: cx
            .graph
            .rows_that_may_be(account)
            .filter(may_show_it_off)
            .map(|it| it.entity)
            .collect(),
        unlisted_by,
        tier,
        activity,
        on_at: on_at.filter(|_| activity == Activity::Active),
        made_at: leading.row.created_at,
        is_anothers: false,
        read_by: read_by.unwrap_or(cx.now),
    })
}

/// What a row of an identity provider says; `None`: not that they left.
fn said_by_idp(cx: &Context<'_>, identity: usize) -> Option<SaidBy> {
    let it = cx.graph.estate().identities.get(identity)?;
    let at = match (it.row.lifecycle, it.row.ends_at) {
        (Lifecycle::Left, _) => left_at(cx, it).ok().flatten(),
        (_, Some(ends_at)) if ends_at <= cx.now => Some(ends_at),
        _ => return None,
    };
    let system = cx.graph.idp_of(it)?.id.clone();
    Some(SaidBy {
        system,
        list: List::Identities,
        key: it.row.id.clone(),
        at,
        heard_at: shown_by(cx, it),
        taken_back_at: None,
        was_back_at: None,
    })
}

/// What HR's row says; `None`: the day has not come.
fn said_by_hr(cx: &Context<'_>, leaver: usize) -> Option<SaidBy> {
    let estate = cx.graph.estate();
    let it = estate.leavers.get(leaver).filter(|it| it.row.left_at <= cx.now)?;
    let system = estate.hr.get(usize::from(it.system))?.stream.system.clone();
    let (key, at) = (it.row.id.clone(), Some(it.row.left_at));
    Some(SaidBy {
        system,
        list: List::Leavers,
        key,
        at,
        heard_at: None,
        taken_back_at: None,
        was_back_at: None,
    })
}

/// Leavers by HR whom no identity provider knows.
fn known_to_hr_alone(
    cx: &Context<'_>,
    seen: &[Seen],
    decided_on: impl Fn(Leaving) -> Vec<Decided>,
) -> Vec<LeaverSeen> {
    let estate = cx.graph.estate();
    let is_unknown = |at: &usize| cx.graph.person_of_leaver(*at).is_none();
    let unknown: Vec<usize> = (0..estate.leavers.len()).filter(is_unknown).collect();
    if unknown.is_empty() {
        return Vec::new();
    }
    let mut accounts: FxHashMap<usize, Vec<AccountSeen>> = FxHashMap::default();
    for account in 0..cx.graph.accounts().len() {
        // HR's lists may name one account each: it is in the record of each row.
        for (leaver, tier) in cx.graph.leavers_of(account) {
            let certain = Some(tier).filter(|it| kind_by_hr(cx, *it) == LinkKind::Linked);
            accounts.entry(leaver).or_default().extend(account_seen(cx, account, certain, seen));
        }
    }
    let unnamed: FxHashSet<usize> = cx.graph.unnamed_leavers().into_iter().map(|it| it.0).collect();
    let all = unknown.into_iter().filter_map(|at| {
        // The row itself, whatever key of an account names it.
        let (right, _) = right_by_hr(cx, &[(at, Tier::EmployeeNumber)])?;
        let row = estate.leavers.get(at)?;
        let system = estate.hr.get(usize::from(row.system))?.stream.system.clone();
        let text = |it: &Option<Text>| it.as_ref().map(ToString::to_string);
        Some(LeaverSeen {
            person: LeaverKey {
                system,
                list: List::Leavers,
                key: row.row.id.clone(),
                entity: row.entity,
            },
            also: Vec::new(),
            episode: 1,
            was_over_at: None,
            kind: LeaverKind::Left,
            said_by: said_by_hr(cx, at).into_iter().collect(),
            denied_by: Vec::new(),
            silent: Vec::new(),
            starts: right.starts(),
            accounts: in_order(accounts.remove(&at).unwrap_or_default()),
            may_mean_others: unnamed.contains(&at),
            is_left_behind: false,
            is_seen_anew: true,
            decided: decided_on(Leaving::HrRow(at)),
            is_app_seen: no_account(cx) == Activity::Absent,
            label: PersonLabel {
                name: text(&row.row.display_name),
                login: text(&row.row.email),
                ..PersonLabel::default()
            },
        })
    });
    all.collect()
}
