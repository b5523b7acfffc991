//! Of whom there is nothing to weigh: one user who is active, one assignment that grants the app, and one
//! account that is on and names them by an id.
//!
//! That is nearly everybody. All is well with them, whatever the rules, as long as no row of anybody else
//! has a key in common with theirs, no date of theirs can come, and nothing else was ever said of them. So
//! they are told apart by the marks of their keys, counted, and left out of the graph and the judgement.
//! Whoever is not certain to be one of them is judged. In builds with debug assertions, and whenever a run
//! is judged again, everybody is, and both have to come out the same.

use std::hash::BuildHasher as _;

use chrono::{DateTime, Utc};
use domain::rows::{Row, Skimmed};
use domain::{
    Account, Activity, Assignment, EntityId, Grant, Identity, Lifecycle, List, Pass, Principal,
    Rows, SystemId, Table, Tier, Verdict,
};
use drift::Entitlement;
use graph::{ExternalIdCarries, Marks, NOBODY};
use hashbrown::HashTable;
use rustc_hash::FxBuildHasher;
use store::{LinkChange, LogPart, State};

use crate::estate::{accounts, assignments, identities};
use crate::lists::{Fresh, Listing, is_old};
use crate::plan::{AppPlan, Plan};

/// The people of an app of whom there is nothing to weigh.
#[derive(Debug, Default)]
pub(crate) struct Plain {
    /// How many they are.
    pub(crate) n: usize,
    /// Of those whom no run linked so before.
    pub(crate) links: Vec<LinkChange>,
    rows: ByRow<bool>,
}

impl Plain {
    /// Is this row one of theirs?
    pub(crate) fn has(&self, row: EntityId) -> bool {
        self.rows.of(row)
    }
}

/// What a run knows before it judges an app.
pub(crate) struct Ground<'g> {
    pub(crate) plan: &'g Plan,
    pub(crate) app: &'g AppPlan,
    pub(crate) listings: &'g [Listing],
    pub(crate) state: &'g State,
    /// What this run read of logs.
    pub(crate) log: &'g [LogPart],
    pub(crate) now: DateTime<Utc>,
}

/// A user, with the one assignment and the one account that are theirs as far as was looked.
struct Person<'l> {
    user: EntityId,
    id: &'l [u8],
    user_name: Option<&'l [u8]>,
    email: Option<&'l [u8]>,
    /// The user's id is what the app's `externalId` carries.
    is_carried: bool,
    /// And the account that it names.
    assignment: Option<(EntityId, Option<&'l [u8]>)>,
    /// And the id that names them.
    account: Option<(EntityId, Tier)>,
    /// There is something to weigh.
    is_out: bool,
}

/// Users who are looked at before their ids are looked up.
const LOOK_AHEAD: usize = 3;

/// Accounts whose users are looked up before they are looked at.
const ACCOUNTS_AT_ONCE: usize = 32;

/// The lists of an app, each read in this run and seen whole.
struct Whole<'l> {
    /// Of each identity provider its users and its assignments, and whether its ids are carried.
    idps: Vec<(&'l Fresh, &'l Fresh, bool)>,
    accounts: &'l Fresh,
}

/// Finds them.
pub(crate) fn plain(ground: &Ground<'_>) -> Plain {
    let rules = &ground.app.rules;
    let is_one_right = rules.entitlement == Entitlement::Any || rules.idps.len() == 1;
    let is_looked_for =
        ground.plan.pass == Pass::Full && !ground.plan.judges_everybody && is_one_right;
    let Some(lists) = ground.whole().filter(|_| is_looked_for) else { return Plain::default() };
    let (people, is_shared) = ground.people(&lists);
    let doubtful = ground.doubtful();
    let n_links = ground.n_links();
    let mut plain = Plain::default();
    for (person, is_shared) in people.iter().zip(is_shared) {
        let Some((account, user, tier)) = person.link().filter(|_| !is_shared) else { continue };
        let known = ground.state.links.get(&account);
        let is_linked_alike = known
            .is_none_or(|it| it.identity == user && it.tier >= tier && it.tier != Tier::Operator);
        let is_anothers = n_links.of(user) > u32::from(known.is_some());
        if is_linked_alike && !is_anothers && !person.rows().any(|it| doubtful.of(it)) {
            person.rows().for_each(|it| plain.rows.set(it, |_| true));
            plain.n += 1;
            let is_new = known.is_none_or(|it| it.tier != tier);
            let link = LinkChange { account, link: Some((user, tier)) };
            plain.links.extend(is_new.then_some(link));
        }
    }
    plain
}

impl<'l> Person<'l> {
    /// `None`: there is something to weigh of this user alone.
    fn new((user, row): (EntityId, &Skimmed<'l, Identity>), is_carried: bool) -> Option<Self> {
        let is_here =
            row.lifecycle == Lifecycle::Active && (row.starts_at, row.ends_at) == (None, None);
        is_here.then_some(Self {
            user,
            id: row.id,
            user_name: row.user_name,
            email: row.email,
            is_carried,
            assignment: None,
            account: None,
            is_out: false,
        })
    }

    fn take_assignment(&mut self, row: EntityId, it: &Skimmed<'l, Assignment>) {
        let before = self.assignment.replace((row, it.account_id));
        self.is_out |= before.is_some() || it.grant != Grant::Grants;
    }

    /// Returns the id that names them; `None` where there is something to weigh.
    fn take_account(&mut self, row: EntityId, it: &Skimmed<'_, Account>) -> Option<Tier> {
        let tier = self.tier(it);
        self.is_out |= self.account.is_some() || tier.is_none();
        self.account = tier.map(|it| (row, it));
        tier
    }

    /// The id that names them in their account; `None` where there is something to weigh.
    fn tier(&self, account: &Skimmed<'_, Account>) -> Option<Tier> {
        let (_, named) = self.assignment?;
        let is_on = Activity::of(account) == Activity::Active && account.ends_at.is_none();
        let is_called = account.user_name.is_none()
            || account.user_name == self.user_name
            || account.user_name == self.email;
        let is_named_alike = is_called && (account.email.is_none() || account.email == self.email);
        let is_external_id = self.is_carried && account.external_id == Some(self.id);
        let tier = match named {
            Some(id) if id == account.id => Tier::AccountId,
            Some(_) => return None,
            None => Tier::ExternalId,
        };
        let is_by_id = is_external_id || tier == Tier::AccountId && account.external_id.is_none();
        (is_on && is_named_alike && is_by_id).then_some(tier)
    }

    /// The id of the account that is theirs by their assignment.
    fn named(&self) -> Option<&'l [u8]> {
        self.assignment?.1
    }

    /// What of theirs is in lists.
    fn rows(&self) -> impl Iterator<Item = EntityId> {
        let others = [self.assignment.map(|it| it.0), self.account.map(|it| it.0)];
        std::iter::once(self.user).chain(others.into_iter().flatten())
    }

    /// The account, the user, and the id that names them; `None` where there is something to weigh.
    fn link(&self) -> Option<(EntityId, EntityId, Tier)> {
        let (account, tier) = self.account.filter(|_| !self.is_out)?;
        Some((account, self.user, tier))
    }
}

/// An id of one of the people.
type IdOf = for<'l> fn(&[Person<'l>], u32) -> Option<&'l [u8]>;

fn id_of<'l>(people: &[Person<'l>], at: u32) -> Option<&'l [u8]> {
    people.get(at as usize).map(|it| it.id)
}

fn account_of<'l>(people: &[Person<'l>], at: u32) -> Option<&'l [u8]> {
    people.get(at as usize)?.named()
}

/// People by an id, which they keep themselves. Beside each the upper half of the id's hash: it tells nearly
/// always whether this is the one, without a look at the id.
struct Ids(HashTable<(u32, u32)>);

impl Ids {
    fn with_capacity(n: usize) -> Self {
        Self(HashTable::with_capacity(n))
    }

    /// People by the account that their assignment names.
    fn of_accounts(people: &[Person<'_>]) -> Self {
        let mut ids = Self::with_capacity(people.len());
        for (at, person) in people.iter().enumerate() {
            if let Some(id) = person.named() {
                ids.add(id, number(at), |it| account_of(people, it));
            }
        }
        ids
    }

    fn add<'l>(&mut self, id: &[u8], at: u32, id_of: impl Fn(u32) -> Option<&'l [u8]>) {
        let rehash = |it: &(u32, u32)| hash(id_of(it.1).unwrap_or_default());
        let hash = hash(id);
        self.0.insert_unique(hash, (upper(hash), at), rehash);
    }

    /// One who has this id as far as its hash tells.
    fn guess(&self, id: &[u8]) -> Option<u32> {
        let hash = hash(id);
        self.0.find(hash, |it| it.0 == upper(hash)).map(|it| it.1)
    }

    /// One of those with this id. Who shares it with another is told by its mark, which blanks have none of.
    fn find<'l>(&self, id: &[u8], id_of: impl Fn(u32) -> Option<&'l [u8]>) -> Option<u32> {
        let is_id = !is_blank(id);
        let hash = hash(id);
        let is_it = |it: &(u32, u32)| is_id && it.0 == upper(hash) && id_of(it.1) == Some(id);
        self.0.find(hash, is_it).map(|it| it.1)
    }
}

impl<'g> Ground<'g> {
    /// `None`: a list is missing, in part or altogether, also that of whose word decides, or there is
    /// another view of the app.
    fn whole(&self) -> Option<Whole<'g>> {
        let rules = &self.app.rules;
        let whole = |it: &'g Listing| {
            let fresh = it.fresh.as_ref().filter(|_| it.missing.is_none())?;
            let reference = &fresh.enrolled.reference;
            let is_whole = reference.supports_absence()
                && !is_old(reference.as_of.at, self.plan.policy.max_age, self.now);
            is_whole.then_some(fresh)
        };
        let find = |system: &SystemId, list| {
            let mut all = self.listings.iter();
            whole(all.find(|it| it.stream.list == list && it.stream.system == *system)?)
        };
        let is_carried = |idp: &SystemId| {
            let carries = self.app.keys.external_id.iter().find(|it| it.0 == *idp);
            carries.is_none_or(|it| it.1 == ExternalIdCarries::IdpId)
        };
        let idps = rules.idps.iter().map(|it| {
            Some((find(it, List::Identities)?, find(it, List::Assignments)?, is_carried(it)))
        });
        let mut views = self.views();
        let accounts = whole(views.next().filter(|_| views.next().is_none())?)?;
        let decides = |it: &SystemId| {
            let mut hr = self.listings.iter().filter(|it| it.stream.list == List::Leavers);
            rules.idps.contains(it) || hr.any(|hr| hr.stream.system == *it && whole(hr).is_some())
        };
        rules.authority.as_ref().is_none_or(decides).then_some(())?;
        Some(Whole { idps: idps.collect::<Option<_>>()?, accounts })
    }

    /// The lists of the app's accounts.
    fn views(&self) -> impl Iterator<Item = &'g Listing> {
        let app = &self.app.rules.app;
        let accounts = self.listings.iter().filter(|it| it.stream.list == List::Accounts);
        accounts.filter(move |it| it.stream.system == *app)
    }

    /// Every user of whom alone there is nothing to weigh, with what names them by an id, and whether they
    /// share a key with anybody else.
    fn people(&self, lists: &Whole<'g>) -> (Vec<Person<'g>>, Vec<bool>) {
        let n_users = lists.idps.iter().map(|it| it.0.enrolled.entities.len()).sum();
        let mut marks = Marks::new(&self.app.keys, n_users);
        let mut people: Vec<Person<'g>> = Vec::with_capacity(n_users);
        let mut ids = Ids::with_capacity(n_users);
        for (users, grants, is_carried) in &lists.idps {
            let begin = people.len();
            for (row, user) in rows(users, identities) {
                let Some(person) = Person::new((row, &user), *is_carried) else {
                    marks.put_identity(&user, NOBODY);
                    continue;
                };
                let at = number(people.len());
                marks.put_identity(&user, at);
                ids.add(user.id, at, |it| id_of(&people, it));
                people.push(person);
            }
            let mut next = begin;
            for (row, grant) in rows(grants, assignments) {
                let Principal::Identity(id) = grant.principal else { continue };
                // Lists of one provider mostly come in one order.
                let ahead = (next..).zip(people.get(next..).unwrap_or_default()).take(LOOK_AHEAD);
                let is_theirs = |it: &(usize, &Person<'_>)| it.1.id == id && !is_blank(id);
                let found = ahead.filter(is_theirs).map(|it| number(it.0)).next();
                let here = |it: u32| id_of(&people, it).filter(|_| it as usize >= begin);
                let whose = found.or_else(|| ids.find(id, here));
                next = whose.map_or(next, |it| it as usize + 1);
                let person = whose.and_then(|it| Some((it, people.get_mut(it as usize)?)));
                let Some((at, person)) = person else {
                    marks.put_assignment(&grant, NOBODY, (&[], &[]));
                    continue;
                };
                person.take_assignment(row, &grant);
                let names = [person.user_name, person.email];
                marks.put_assignment(&grant, at, (&[Some(person.id)], &names));
            }
        }
        take_accounts(lists.accounts, &mut people, &ids, &mut marks);
        self.mark_all_else(&mut marks);
        let is_shared = marks.shared(people.len());
        (people, is_shared)
    }

    /// Rows that are in no list of today, or are no user's, and what people say.
    fn mark_all_else(&self, marks: &mut Marks<'_>) {
        let (state, rules) = (self.state, &self.app.rules);
        let is_of_app = |it: &&Listing| {
            rules.rests_on(&it.stream.system)
                || matches!(it.stream.list, List::Leavers | List::NonHumans)
        };
        for listing in self.listings.iter().filter(is_of_app) {
            let is_of_people = matches!(
                listing.stream.list,
                List::Identities | List::Assignments | List::Accounts
            );
            for layer in listing.layers().iter().filter(|_| !is_of_people) {
                (0..layer.rows.len()).for_each(|at| marks.put_row(layer.rows, at));
            }
            listing.others.iter().for_each(|it| marks.put_row(&it.row, 0));
            for (id, answer) in &listing.answers {
                marks.put_text(id);
                answer.row.iter().for_each(|it| marks.put_row(it, 0));
            }
        }
        let said = state.log_events.values().flatten();
        let said = said.chain(self.log.iter().flat_map(|it| &it.events));
        said.for_each(|it| marks.put_text(&it.identity));
        state.nonhumans.iter().for_each(|it| marks.put_nonhuman(it));
        for decision in &state.decisions {
            marks.put_text(&decision.account);
            marks.put_text(&decision.identity.1);
        }
        rules.canaries.iter().chain(&rules.inactive_canaries).for_each(|it| marks.put_text(it));
    }

    /// How many accounts of the app earlier runs linked to each user.
    fn n_links(&self) -> ByRow<u32> {
        let mut n_links = ByRow::default();
        for listing in self.views() {
            let listed = listing.layers().into_iter().flat_map(|it| it.entities);
            let all = listed.copied().chain(listing.others.iter().map(|it| it.entity));
            for link in all.filter_map(|it| self.state.links.get(&it)) {
                n_links.set(link.identity, |n| n + 1);
            }
        }
        n_links
    }

    /// Rows of which anything but that all is well was ever said.
    fn doubtful(&self) -> ByRow<bool> {
        let state = self.state;
        let mut all = ByRow::default();
        let mut add = |it: EntityId| all.set(it, |_| true);
        for finding in &state.findings {
            finding.owner.iter().for_each(|it| add(*it));
            add(finding.subject.entity);
        }
        let is_well =
            |it: &store::Standing| it.verdict == Verdict::Confirmed && it.seen_until.is_none();
        state.standings.iter().filter(|it| !is_well(it.1)).for_each(|it| add(*it.0));
        state.episodes.keys().for_each(|it| add(*it));
        for leaver in state.leavers.iter().map(|it| &it.leaver) {
            add(leaver.person.entity);
            leaver.accounts.iter().for_each(|it| add(it.entity));
        }
        let answers = self.listings.iter().flat_map(|it| it.answers.values());
        answers.filter_map(|it| it.entity).for_each(&mut add);
        all
    }
}

/// Gives each account to the user whom its id names.
fn take_accounts<'l>(list: &'l Fresh, people: &mut [Person<'l>], ids: &Ids, marks: &mut Marks<'_>) {
    let mut named: Option<Ids> = None;
    let mut rows = rows(list, accounts);
    loop {
        // Lists of two systems come in two orders: each look at a user waits for memory, and several
        // wait at once.
        let some: Vec<_> = rows.by_ref().take(ACCOUNTS_AT_ONCE).collect();
        if some.is_empty() {
            return;
        }
        if named.is_none() && some.iter().any(|it| it.1.external_id.is_none()) {
            named = Some(Ids::of_accounts(people));
        }
        let whose = owners(&some, people, ids, named.as_ref());
        for ((row, account), whose) in some.into_iter().zip(whose) {
            let person = whose.and_then(|it| Some((it, people.get_mut(it as usize)?)));
            let Some((at, person)) = person else {
                marks.put_account(&account, NOBODY, (&[], &[]));
                continue;
            };
            if let Some(tier) = person.take_account(row, &account) {
                marks.put_own_account(&account, at, tier == Tier::AccountId);
            } else {
                let names = [person.user_name, person.email];
                marks.put_account(&account, at, (&[Some(person.id), person.named()], &names));
            }
        }
    }
}

/// Whom each of some accounts names by an id. Waits for memory once for all of them: first for the table,
/// then for the people, then for their ids.
fn owners<'l>(
    accounts: &[(EntityId, Skimmed<'l, Account>)],
    people: &[Person<'l>],
    ids: &Ids,
    named: Option<&Ids>,
) -> Vec<Option<u32>> {
    // That an assignment names the account is all there is, where nothing else does.
    let asked = |(_, it): &(EntityId, Skimmed<'l, Account>)| match it.external_id {
        Some(id) => (id, Some(ids), id_of as IdOf),
        None => (it.id, named, account_of as IdOf),
    };
    let asked: Vec<_> = accounts.iter().map(asked).collect();
    let guessed: Vec<_> = asked.iter().map(|(id, ids, _)| ids.as_ref()?.guess(id)).collect();
    let theirs = guessed.iter().zip(&asked).map(|(at, (.., id_of))| id_of(people, (*at)?));
    let theirs: Vec<_> = theirs.collect();
    let found = asked.iter().zip(guessed).zip(theirs).map(|(((id, ids, id_of), guess), theirs)| {
        let is_it = theirs == Some(*id) && !is_blank(id);
        if is_it { guess } else { ids.as_ref()?.find(id, |it| id_of(people, it)) }
    });
    found.collect()
}

fn hash(id: &[u8]) -> u64 {
    FxBuildHasher.hash_one(id)
}

fn upper(hash: u64) -> u32 {
    u32::try_from(hash >> u32::BITS).unwrap_or_default()
}

/// Whether a text is blank.
fn is_blank(text: &[u8]) -> bool {
    let is_seen = text.first().is_some_and(u8::is_ascii_graphic);
    !is_seen && String::from_utf8_lossy(text).trim().is_empty()
}

/// The rows of a list as they lie, with their numbers.
fn rows<'l, T: Row + 'l>(
    list: &'l Fresh,
    pick: fn(&'l Rows) -> Option<&'l Table<T>>,
) -> impl Iterator<Item = (EntityId, Skimmed<'l, T>)> {
    let rows = pick(&list.snapshot.rows).into_iter().flat_map(Table::iter_skimmed);
    list.enrolled.entities.iter().copied().zip(rows)
}

fn number(at: usize) -> u32 {
    u32::try_from(at).unwrap_or(NOBODY)
}

/// Something about each row, by number: the numbers of rows lie close together.
#[derive(Debug, Default)]
struct ByRow<T>(Vec<T>);

impl<T: Copy + Default> ByRow<T> {
    /// What was set; the default where nothing was.
    fn of(&self, row: EntityId) -> T {
        usize::try_from(row.0).ok().and_then(|it| self.0.get(it).copied()).unwrap_or_default()
    }

    fn set(&mut self, row: EntityId, change: impl FnOnce(T) -> T) {
        let Ok(at) = usize::try_from(row.0) else { return };
        if self.0.len() <= at {
            self.0.resize(at + 1, T::default());
        }
        if let Some(it) = self.0.get_mut(at) {
            *it = change(*it);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn blanks_name_nobody() {
        let all = ["u1", " ", "", "\u{a0}", "é"].map(str::as_bytes);
        let id_of = |it: u32| all.get(it as usize).copied();
        let mut ids = Ids::with_capacity(all.len());
        (0..).zip(all).for_each(|(at, id)| ids.add(id, at, id_of));
        assert_eq!(all.map(|it| ids.find(it, id_of)), [Some(0), None, None, None, Some(4)]);
        assert_eq!(ids.find(b"u2", id_of), None);
    }
}
