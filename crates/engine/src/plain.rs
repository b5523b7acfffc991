//! Of whom there is nothing to weigh: one user who is active, one assignment that grants the app, and one
//! account that is on and names them by an id.
//!
//! That is nearly everybody. All is well with them, whatever the rules, as long as no row of anybody else
//! has a key in common with theirs, no date of theirs can come, and nothing else was ever said of them. So
//! they are told apart by the marks of their keys, counted, and left out of the graph and the judgement.
//! Whoever is not certain to be one of them is judged. In builds with debug assertions, and whenever a run
//! is judged again, everybody is, and both have to come out the same.

use std::hash::BuildHasher as _;
use std::ops::Range;
use std::sync::OnceLock;

use chrono::{DateTime, Utc};
use domain::rows::{Row, Skimmed};
use domain::{
    Account, Activity, Assignment, EntityId, Grant, Identity, Lifecycle, List, Pass, Principal,
    SystemId, Table, Tier, Verdict,
};
use drift::Entitlement;
use graph::{ExternalIdCarries, Marks, NOBODY};
use hashbrown::HashTable;
use rayon::prelude::*;
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
    /// By place in its list.
    user: u32,
    id: &'l [u8],
    user_name: Option<&'l [u8]>,
    email: Option<&'l [u8]>,
    /// By place in its list.
    assignment: Option<u32>,
    /// The account that it names.
    named: Option<&'l [u8]>,
    /// By place in its list, and the id that names them.
    account: Option<(u32, Tier)>,
    /// Which of the app's identity providers has them.
    idp: u16,
    /// The user's id is what the app's `externalId` carries.
    is_carried: bool,
    /// There is something to weigh.
    is_out: bool,
}

/// Users who are looked at before their ids are looked up.
const LOOK_AHEAD: usize = 3;

/// Accounts whose users are looked up before they are looked at: each look at a user waits for memory, as
/// lists of two systems come in two orders, and so several wait at once.
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
        let Some((rows, tier)) = lists.rows_of(person).filter(|_| !is_shared) else { continue };
        let [user, _, account] = rows;
        let known = ground.state.links.get(&account);
        let is_linked_alike = known
            .is_none_or(|it| it.identity == user && it.tier >= tier && it.tier != Tier::Operator);
        let is_anothers = n_links.of(user) > u32::from(known.is_some());
        if is_linked_alike && !is_anothers && !rows.iter().any(|it| doubtful.of(*it)) {
            rows.iter().for_each(|it| plain.rows.set(*it, |_| true));
            plain.n += 1;
            let is_new = known.is_none_or(|it| it.tier != tier);
            let link = LinkChange { account, link: Some((user, tier)) };
            plain.links.extend(is_new.then_some(link));
        }
    }
    plain
}

impl Whole<'_> {
    fn n_users(&self) -> usize {
        self.idps.iter().map(|it| it.0.enrolled.entities.len()).sum()
    }

    /// The user, the assignment and the account, and the id that names the user; `None` where there is
    /// something to weigh.
    fn rows_of(&self, person: &Person<'_>) -> Option<([EntityId; 3], Tier)> {
        let (account, tier) = person.account.filter(|_| !person.is_out)?;
        let (users, grants, _) = self.idps.get(usize::from(person.idp))?;
        let row = |list: &Fresh, at: u32| list.enrolled.entities.get(at as usize).copied();
        let (user, grant) = (row(users, person.user)?, row(grants, person.assignment?)?);
        Some(([user, grant, row(self.accounts, account)?], tier))
    }
}

impl<'l> Person<'l> {
    fn new(user: u32, row: &Skimmed<'l, Identity>, (idp, is_carried): (u16, bool)) -> Self {
        let is_here =
            row.lifecycle == Lifecycle::Active && (row.starts_at, row.ends_at) == (None, None);
        Self {
            user,
            id: row.id,
            user_name: row.user_name,
            email: row.email,
            assignment: None,
            named: None,
            account: None,
            idp,
            is_carried,
            is_out: !is_here,
        }
    }

    fn take_assignment(&mut self, at: u32, it: &Skimmed<'l, Assignment>) {
        let before = self.assignment.replace(at);
        self.named = it.account_id;
        self.is_out |= before.is_some() || it.grant != Grant::Grants;
    }

    /// `tier`: the id that names them in the account; `None` where there is something to weigh.
    fn take_account(&mut self, at: u32, tier: Option<Tier>) {
        self.is_out |= self.account.is_some() || tier.is_none();
        self.account = tier.map(|it| (at, it));
    }

    /// The id that names them in their account; `None` where there is something to weigh.
    fn tier(&self, account: &Skimmed<'_, Account>) -> Option<Tier> {
        self.assignment?;
        let is_on = Activity::of(account) == Activity::Active && account.ends_at.is_none();
        let is_called = account.user_name.is_none()
            || account.user_name == self.user_name
            || account.user_name == self.email;
        let is_named_alike = is_called && (account.email.is_none() || account.email == self.email);
        let is_external_id = self.is_carried && account.external_id == Some(self.id);
        let tier = match self.named {
            Some(id) if id == account.id => Tier::AccountId,
            Some(_) => return None,
            None => Tier::ExternalId,
        };
        let is_by_id = is_external_id || tier == Tier::AccountId && account.external_id.is_none();
        (is_on && is_named_alike && is_by_id).then_some(tier)
    }
}

/// An id of one of the people.
type IdOf = for<'l> fn(&[Person<'l>], u32) -> Option<&'l [u8]>;

fn id_of<'l>(people: &[Person<'l>], at: u32) -> Option<&'l [u8]> {
    people.get(at as usize).map(|it| it.id)
}

fn account_of<'l>(people: &[Person<'l>], at: u32) -> Option<&'l [u8]> {
    people.get(at as usize)?.named
}

/// People by an id, which they keep themselves. Beside each the upper half of the id's hash: it tells nearly
/// always whether this is the one, without a look at the id.
struct Ids(HashTable<(u32, u32)>);

impl Ids {
    /// People by such an id.
    fn of<'l>(people: &[Person<'l>], id_of: IdOf) -> Self {
        let mut ids = HashTable::with_capacity(people.len());
        let id_of = |it: u32| id_of(people, it);
        for at in 0..number(people.len()) {
            if let Some(id) = id_of(at) {
                let rehash = |it: &(u32, u32)| hash(id_of(it.1).unwrap_or_default());
                let hash = hash(id);
                ids.insert_unique(hash, (upper(hash), at), rehash);
            }
        }
        Self(ids)
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

    /// Every user, with what is theirs by an id, and whether they share a key with anybody else.
    fn people(&self, lists: &Whole<'g>) -> (Vec<Person<'g>>, Vec<bool>) {
        let keys = &self.app.keys;
        let mut people = everybody(lists);
        let mut marks = Marks::new(keys, people.len());
        let (ids, ()) = rayon::join(|| Ids::of(&people, id_of), || mark_users(lists, &mut marks));
        take_assignments(lists, &mut people, &ids, &mut marks);
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

/// Every user of an identity provider of the app, in the order of their lists.
fn everybody<'l>(lists: &Whole<'l>) -> Vec<Person<'l>> {
    let mut people = Vec::with_capacity(lists.n_users());
    for (idp, (users, _, is_carried)) in (0..).zip(&lists.idps) {
        let Some(rows) = identities(&users.snapshot.rows) else { continue };
        let person = |at| Person::new(number(at), &skimmed(rows, at), (idp, *is_carried));
        people.par_extend((0..rows.len()).into_par_iter().map(person));
    }
    people
}

/// Marks users by their numbers: they are those of the people.
fn mark_users(lists: &Whole<'_>, marks: &mut Marks<'_>) {
    let mut begin = 0;
    for (users, ..) in &lists.idps {
        let Some(rows) = identities(&users.snapshot.rows) else { continue };
        in_stretches(rows.len(), |stretch| {
            let pieces = stretch.into_par_iter().with_min_len(ROWS_AT_ONCE);
            let pieces = pieces.fold(
                || marks.none(),
                |mut marks, at| {
                    marks.put_identity(&skimmed(rows, at), number(begin + at));
                    marks
                },
            );
            pieces.collect::<Vec<_>>().into_iter().for_each(|it| marks.append(it));
        });
        begin += rows.len();
    }
}

/// Gives each assignment to the user whom it names.
fn take_assignments<'l>(
    lists: &Whole<'l>,
    people: &mut [Person<'l>],
    ids: &Ids,
    marks: &mut Marks<'_>,
) {
    let mut begin = 0;
    for (users, grants, _) in &lists.idps {
        let end = begin + users.enrolled.entities.len();
        let mut next = begin;
        let rows = assignments(&grants.snapshot.rows).into_iter().flat_map(Table::iter_skimmed);
        for (row, grant) in (0..).zip(rows) {
            let Principal::Identity(id) = grant.principal else { continue };
            // Lists of one provider mostly come in one order.
            let ahead = (next..).zip(people.get(next..end).unwrap_or_default()).take(LOOK_AHEAD);
            let is_theirs = |it: &(usize, &Person<'_>)| it.1.id == id && !is_blank(id);
            let found = ahead.filter(is_theirs).map(|it| number(it.0)).next();
            let here =
                |it: u32| id_of(people, it).filter(|_| (begin..end).contains(&(it as usize)));
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
        begin = end;
    }
}

/// Gives each account to the user whom its id names.
fn take_accounts<'l>(list: &'l Fresh, people: &mut [Person<'l>], ids: &Ids, marks: &mut Marks<'_>) {
    let Some(rows) = accounts(&list.snapshot.rows) else { return };
    let named = OnceLock::new();
    in_stretches(rows.len(), |stretch| {
        let pieces = stretch.into_par_iter().chunks(ROWS_AT_ONCE);
        let pieces = pieces.map(|it| Owned::of(rows, &it, people, (ids, &named), marks.none()));
        for Owned { whose, marks: more } in pieces.collect::<Vec<_>>() {
            marks.append(more);
            for (row, person, tier) in whose {
                if let Some(it) = people.get_mut(person as usize) {
                    it.take_account(row, tier);
                }
            }
        }
    });
}

/// Some accounts by the users whom their ids name.
struct Owned<'r> {
    /// The account by its place, the user by their number, and the id; `None` where there is something
    /// to weigh.
    whose: Vec<(u32, u32, Option<Tier>)>,
    marks: Marks<'r>,
}

impl<'r> Owned<'r> {
    fn of(
        rows: &Table<Account>,
        places: &[usize],
        people: &[Person<'_>],
        (ids, named): (&Ids, &OnceLock<Ids>),
        mut marks: Marks<'r>,
    ) -> Self {
        let mut whose = Vec::with_capacity(places.len());
        for places in places.chunks(ACCOUNTS_AT_ONCE) {
            let some: Vec<_> = places.iter().map(|it| skimmed(rows, *it)).collect();
            let owners = owners(&some, people, ids, named);
            for ((row, account), owner) in places.iter().zip(some).zip(owners) {
                let person = owner.and_then(|it| Some((it, people.get(it as usize)?)));
                let Some((at, person)) = person else {
                    marks.put_account(&account, NOBODY, (&[], &[]));
                    continue;
                };
                let tier = person.tier(&account);
                if let Some(tier) = tier {
                    marks.put_own_account(&account, at, tier == Tier::AccountId);
                } else {
                    let names = [person.user_name, person.email];
                    marks.put_account(&account, at, (&[Some(person.id), person.named], &names));
                }
                whose.push((number(*row), at, tier));
            }
        }
        Self { whose, marks }
    }
}

/// Whom each of some accounts names by an id. Waits for memory once for all of them: first for the table,
/// then for the people, then for their ids.
fn owners(
    accounts: &[Skimmed<'_, Account>],
    people: &[Person<'_>],
    ids: &Ids,
    named: &OnceLock<Ids>,
) -> Vec<Option<u32>> {
    // That an assignment names the account is all there is, where nothing else does.
    let asked = accounts.iter().map(|it| match it.external_id {
        Some(id) => (id, ids, id_of as IdOf),
        None => (it.id, named.get_or_init(|| Ids::of(people, account_of)), account_of as IdOf),
    });
    let asked: Vec<_> = asked.collect();
    let guessed: Vec<_> = asked.iter().map(|(id, ids, _)| ids.guess(id)).collect();
    let theirs = guessed.iter().zip(&asked).map(|(at, (.., id_of))| id_of(people, (*at)?));
    let theirs: Vec<_> = theirs.collect();
    let found = asked.iter().zip(guessed).zip(theirs).map(|(((id, ids, id_of), guess), theirs)| {
        let is_it = theirs == Some(*id) && !is_blank(id);
        if is_it { guess } else { ids.find(id, |it| id_of(people, it)) }
    });
    found.collect()
}

/// Rows that one core looks at before it asks for more.
const ROWS_AT_ONCE: usize = 4 << 10;

/// Takes so many rows in stretches, so that what comes of one is put away before the next.
fn in_stretches(n_rows: usize, mut take: impl FnMut(Range<usize>)) {
    const ROWS: usize = 64 << 10;
    for begin in (0..n_rows).step_by(ROWS) {
        take(begin..n_rows.min(begin + ROWS));
    }
}

fn skimmed<T: Row>(rows: &Table<T>, at: usize) -> Skimmed<'_, T> {
    rows.skimmed(at).expect("it is in the table")
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
        let user = |id: &'static str| Person {
            user: 0,
            id: id.as_bytes(),
            user_name: None,
            email: None,
            assignment: None,
            named: None,
            account: None,
            idp: 0,
            is_carried: true,
            is_out: false,
        };
        let people = ["u1", " ", "", "\u{a0}", "é"].map(user);
        let ids = Ids::of(&people, id_of);
        let find = |id: &[u8]| ids.find(id, |it| id_of(&people, it));
        let found = people.each_ref().map(|it| find(it.id));
        assert_eq!(found, [Some(0), None, None, None, Some(4)]);
        assert_eq!(find(b"u2"), None);
    }
}
