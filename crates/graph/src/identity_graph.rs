//! The graph: persons, identities, groups, assignments and accounts, and who owns what.

use chrono::{DateTime, Utc};
use domain::{Assignment, EntityId, Grant, Identity, IdentityKind, Link, Principal, Tier, Via};
use petgraph::Direction::{Incoming, Outgoing};
use petgraph::graph::{DiGraph, NodeIndex};
use rayon::prelude::*;
use rustc_hash::{FxHashMap, FxHashSet};

use crate::accounts::{AccountView, Unpaired, accounts};
use crate::correlate::{Correlation, Ghost, Trial};
use crate::estate::{Estate, ListView, Sighting, Standing};
use crate::index::{
    Index, address, carried, email_key, employee_key, external_id_key, user_name_key,
};
use crate::keys::KeyRules;
use crate::leaver::{KeysByHr, Unnamed, unnamed};
use crate::node::{Edge, Key, KeyKind, Node};
use crate::person::{Persons, count, persons};

/// One app's identity graph.
///
/// Persons, identities, groups, assignments and accounts are nodes. The keys by which accounts
/// and identities join are looked up, and become nodes where they are shown
/// ([`IdentityGraph::neighbourhood`]): as nodes they would be three quarters of the graph.
pub struct IdentityGraph<'e> {
    pub(crate) estate: &'e Estate,
    pub(crate) rules: &'e KeyRules,
    pub(crate) nodes: DiGraph<Node, Edge>,
    pub(crate) index: Index<'e>,
    pub(crate) persons: Persons,
    keys_by_hr: KeysByHr<'e>,
    accounts: Vec<AccountView>,
    unpaired: Unpaired,
    links: Vec<Link>,
    ghosts: Vec<Option<Ghost>>,
    /// For each IdP: some assigned group has no member in a list.
    has_unseen_group: Vec<bool>,
    old_members: OldMembers<'e>,
    former_grants: FormerGrants<'e>,
    by_id: ById<'e>,
    by_entity: ByEntity,
}

/// Somebody who may leave: a person, or a row of HR whom no identity provider knows.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Leaving {
    /// As [`IdentityGraph::person_of`] numbers them.
    Person(u32),
    /// An index into [`Estate::leavers`].
    HrRow(usize),
}

/// Rows of members that were seen last in a list that is too old: IdP, group, member.
type OldMembers<'e> = FxHashSet<(u16, &'e str, &'e str)>;

/// By provider and user id: the last that is known of the app through groups that they left.
type FormerGrants<'e> = FxHashMap<(u16, &'e str), FormerGrant>;

/// The app through a group, of which somebody is no member any more.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct FormerGrant {
    /// As of when lists showed them in the group last, and the group with the app.
    pub seen_at: DateTime<Utc>,
    /// By when a list without them was read; `None`: no earlier run read one.
    pub missed_by: Option<DateTime<Utc>>,
}

/// Correlates: builds the graph, and finds the owner of each account.
#[must_use]
pub fn correlate<'e>(estate: &'e Estate, rules: &'e KeyRules) -> IdentityGraph<'e> {
    let by_id = ById::of(estate);
    let named = named_by_assignments(estate, &by_id);
    let index = index(estate, rules, &named);
    let persons = persons(estate, rules, &index);
    let keys_by_hr = KeysByHr::of(estate, rules, &index, &persons);
    let by_entity = ByEntity::of(estate);
    let (accounts, unpaired) = accounts(&Correlation {
        estate,
        rules,
        index: &index,
        persons: &persons,
        keys_by_hr: &keys_by_hr,
        carried: carried(estate, rules),
        by_entity: &by_entity,
    });
    let mut graph = IdentityGraph {
        estate,
        rules,
        nodes: DiGraph::with_capacity(
            2 * estate.identities.len() + estate.assignments.len() + accounts.len(),
            estate.identities.len() + 2 * estate.assignments.len() + accounts.len(),
        ),
        index,
        persons,
        keys_by_hr,
        accounts,
        unpaired,
        links: Vec::with_capacity(estate.accounts.len()),
        ghosts: Vec::with_capacity(estate.accounts.len()),
        has_unseen_group: has_unseen_group(estate),
        old_members: old_members(estate),
        former_grants: former_grants(estate),
        by_id,
        by_entity,
    };
    graph.add_people();
    graph.add_assignments(&named);
    graph.add_accounts();
    graph
}

/// For each IdP, its identities by id.
#[derive(Debug)]
struct ById<'e>(Vec<FxHashMap<&'e str, u32>>);

impl<'e> ById<'e> {
    fn of(estate: &'e Estate) -> Self {
        let mut by_id = vec![FxHashMap::default(); estate.idps.len()];
        if let [only] = &mut *by_id {
            only.reserve(estate.identities.len());
        }
        for (at, it) in estate.identities.iter().enumerate() {
            if let Some(ids) = by_id.get_mut(usize::from(it.system)) {
                ids.insert(&*it.row.id, count(at));
            }
        }
        Self(by_id)
    }

    fn get(&self, idp: u16, id: &str) -> Option<u32> {
        self.0.get(usize::from(idp))?.get(id).copied()
    }
}

/// Identities by their number, in order of it; empty where no earlier run linked anybody. Asked
/// for few of them: most links are seen to be the same without it.
#[derive(Debug)]
pub(crate) struct ByEntity(Vec<(EntityId, u32)>);

impl ByEntity {
    fn of(estate: &Estate) -> Self {
        if estate.stored_links.is_empty() {
            return Self(Vec::new());
        }
        let identities = estate.identities.iter().enumerate();
        let mut places: Vec<_> = identities.map(|(at, it)| (it.entity, count(at))).collect();
        places.sort_unstable();
        Self(places)
    }

    pub(crate) fn get(&self, entity: EntityId) -> Option<u32> {
        let at = self.0.binary_search_by_key(&entity, |it| it.0).ok()?;
        self.0.get(at).map(|it| it.1)
    }
}

/// The identity that each assignment names; `None` where it names a group, or nobody known.
fn named_by_assignments(estate: &Estate, by_id: &ById<'_>) -> Vec<Option<u32>> {
    let named = |it: &Sighting<Assignment>| match &it.row.principal {
        Principal::Identity(id) => by_id.get(it.system, id),
        Principal::Group(_) => None,
    };
    estate.assignments.iter().map(named).collect()
}

/// An assigned group without a single member in a list: empty, or its members were not read. A source
/// that is asked reads each assigned group, and its list is whole only when it read all of them.
fn has_unseen_group(estate: &Estate) -> Vec<bool> {
    let seen: FxHashSet<(u16, &str)> = estate
        .memberships
        .iter()
        .filter(|it| it.standing == Standing::Listed)
        .map(|it| (it.system, &*it.row.group))
        .collect();
    let mut unseen = vec![false; estate.idps.len()];
    for it in estate.assignments.iter().filter(|it| it.standing == Standing::Listed) {
        if let (Principal::Group(group), Some(unseen)) =
            (&it.row.principal, unseen.get_mut(usize::from(it.system)))
        {
            *unseen |= !seen.contains(&(it.system, &**group));
        }
    }
    for (unseen, idp) in unseen.iter_mut().zip(&estate.idps) {
        let reads_all = |it: &ListView| it.is_live && it.base.is_some();
        *unseen &= !idp.memberships.as_ref().is_some_and(reads_all);
    }
    unseen
}

fn old_members<'e>(estate: &'e Estate) -> OldMembers<'e> {
    let old = estate.memberships.iter().filter(|it| !estate.is_fresh(it));
    old.filter_map(|it| match &it.row.member {
        Principal::Identity(id) => Some((it.system, &*it.row.group, &**id)),
        Principal::Group(_) => None,
    })
    .collect()
}

fn former_grants<'e>(estate: &'e Estate) -> FormerGrants<'e> {
    let mut all = FormerGrants::default();
    let left = || estate.memberships.iter().filter(|it| it.standing == Standing::Gone);
    if left().next().is_none() {
        return all;
    }
    let seen_at = |snapshot| estate.snapshot(snapshot).reference.as_of.at;
    let mut had_app: FxHashMap<(u16, &str), Option<DateTime<Utc>>> = FxHashMap::default();
    for it in estate.assignments.iter().filter(|it| it.row.grant == Grant::Grants) {
        if let Principal::Group(group) = &it.row.principal {
            // `None`: it has it still.
            let until = (it.standing == Standing::Gone).then(|| seen_at(it.snapshot));
            let known = had_app.entry((it.system, &**group)).or_insert(until);
            *known = known.zip(until).map(|(one, other)| one.max(other));
        }
    }
    for it in left() {
        let Principal::Identity(user) = &it.row.member else { continue };
        let Some(until) = had_app.get(&(it.system, &*it.row.group)) else { continue };
        let seen_at = seen_at(it.snapshot);
        let grant = FormerGrant {
            seen_at: until.map_or(seen_at, |it| it.min(seen_at)),
            missed_by: estate.missed_by.get(&it.entity).copied(),
        };
        let known = all.entry((it.system, &**user)).or_insert(grant);
        *known = grant.max(*known);
    }
    all
}

fn index<'e>(estate: &'e Estate, rules: &KeyRules, named: &[Option<u32>]) -> Index<'e> {
    let mut index = Index::with_capacity(estate.identities.len());
    let carried = carried(estate, rules);
    let mut named_by_app = vec![false; estate.identities.len()];
    for (sighting, identity) in estate.assignments.iter().zip(named) {
        if sighting.standing != Standing::Listed {
            continue;
        }
        let Assignment { account_id, user_name, principal, .. } = &sighting.row;
        let Some(identity) = *identity else {
            if let (Principal::Identity(_), Some(account)) = (principal, account_id) {
                index.insert_stranger(account, sighting.system);
            }
            continue;
        };
        if let Some(account) = account_id {
            index.insert(Key { kind: KeyKind::AccountId, value: (&**account).into() }, identity);
        }
        if let Some(key) = user_name_key(user_name.as_ref()) {
            index.insert(key, identity);
            if let Some(is_named) = named_by_app.get_mut(identity as usize) {
                *is_named = true;
            }
        }
    }
    for ((at, sighting), is_named) in estate.identities.iter().enumerate().zip(named_by_app) {
        let (identity, row) = (count(at), &sighting.row);
        let carries = carried.get(usize::from(sighting.system)).copied();
        // A guest's name in the directory (`kim_example.org#EXT#@...`) is written like an address.
        let is_member = row.kind == IdentityKind::Member;
        let name_as_address = row.user_name.as_ref().filter(|_| is_member);
        let own_name = if is_named { None } else { user_name_key(row.user_name.as_ref()) };
        let keys = [
            carries.and_then(|it| external_id_key(it, row)),
            employee_key(row.employee_number.as_ref()),
            own_name,
            email_key(rules, address(row.email.as_ref(), name_as_address)),
        ];
        for key in keys.into_iter().flatten() {
            index.insert(key, identity);
        }
    }
    index
}

impl<'e> IdentityGraph<'e> {
    /// Persons first, then identities, so that a node's number follows from its row's.
    fn add_people(&mut self) {
        for person in 0..self.persons.count {
            self.nodes.add_node(Node::Person(person));
        }
        for (at, person) in self.persons.of_identity.iter().enumerate() {
            let identity = self.nodes.add_node(Node::Identity(count(at)));
            self.nodes.add_edge(identity, NodeIndex::new(*person as usize), Edge::Is);
        }
    }

    fn add_assignments(&mut self, named: &[Option<u32>]) {
        let estate = self.estate;
        let mut groups: FxHashMap<(u16, &'e str), NodeIndex> = FxHashMap::default();
        for ((at, sighting), identity) in estate.assignments.iter().enumerate().zip(named) {
            let assignment = self.nodes.add_node(Node::Assignment(count(at)));
            if let Some(identity) = identity {
                let identity = self.identity_node(*identity as usize);
                self.nodes.add_edge(assignment, identity, Edge::Names);
            }
            if let Principal::Group(id) = &sighting.row.principal {
                let group = self.group_node(&mut groups, sighting.system, id);
                self.nodes.add_edge(assignment, group, Edge::Names);
            }
            if let Via::Groups(through) = &sighting.row.via {
                for group in through {
                    let group = self.group_node(&mut groups, sighting.system, &group.id);
                    self.nodes.add_edge(assignment, group, Edge::Through);
                }
            }
        }
        for sighting in &estate.memberships {
            let Principal::Identity(id) = &sighting.row.member else { continue };
            let Some(identity) = self.by_id.get(sighting.system, id) else {
                continue;
            };
            if sighting.standing == Standing::Gone {
                continue;
            }
            let group = self.group_node(&mut groups, sighting.system, &sighting.row.group);
            let identity = self.identity_node(identity as usize);
            self.nodes.add_edge(identity, group, Edge::MemberOf);
        }
    }

    fn group_node(
        &mut self,
        known: &mut FxHashMap<(u16, &'e str), NodeIndex>,
        system: u16,
        id: &'e str,
    ) -> NodeIndex {
        if let Some(node) = known.get(&(system, id)) {
            return *node;
        }
        let node = self.nodes.add_node(Node::Group(count(known.len())));
        known.insert((system, id), node);
        node
    }

    fn add_accounts(&mut self) {
        let correlation = self.correlation();
        let linked: Vec<_> =
            self.accounts.par_iter().map(|it| correlation.link(it.leading as usize)).collect();
        for (at, (link, ghost)) in linked.into_iter().enumerate() {
            let account = self.nodes.add_node(Node::Account(count(at)));
            for owner in link.contenders().iter() {
                let owner = self.identity_node(*owner);
                self.nodes.add_edge(account, owner, Edge::OwnedBy);
            }
            self.links.push(link);
            self.ghosts.push(ghost);
        }
    }

    fn correlation(&self) -> Correlation<'_> {
        Correlation {
            estate: self.estate,
            rules: self.rules,
            index: &self.index,
            persons: &self.persons,
            keys_by_hr: &self.keys_by_hr,
            carried: carried(self.estate, self.rules),
            by_entity: &self.by_entity,
        }
    }

    pub(crate) fn person_node(&self, person: u32) -> NodeIndex {
        NodeIndex::new(person as usize)
    }

    pub(crate) fn identity_node(&self, identity: usize) -> NodeIndex {
        NodeIndex::new(self.persons.count as usize + identity)
    }

    /// What the graph was built from.
    #[must_use]
    pub fn estate(&self) -> &'e Estate {
        self.estate
    }

    /// How many persons there are.
    #[must_use]
    pub fn n_persons(&self) -> usize {
        self.persons.count as usize
    }

    /// Every account, over all channels.
    #[must_use]
    pub fn accounts(&self) -> &[AccountView] {
        &self.accounts
    }

    /// Accounts of other channels, any of which may be this one: they have a name or address in common,
    /// and nothing tells which is which. Some more than once.
    pub fn may_be(&self, account: usize) -> impl Iterator<Item = usize> {
        let channels = |at: usize| {
            let view = self.accounts.get(at).into_iter();
            view.flat_map(|it| it.rows(self.estate)).map(|it| it.system)
        };
        // Two rows of one channel are two accounts.
        let is_another =
            move |it: &usize| channels(*it).any(|it| channels(account).any(|own| own == it));
        self.unpaired
            .beside(account, self.account_row(account).system)
            .filter(move |it| !is_another(it))
    }

    /// The rows of these.
    pub fn rows_that_may_be(
        &self,
        account: usize,
    ) -> impl Iterator<Item = &Sighting<domain::Account>> {
        let views = self.may_be(account).filter_map(|it| self.accounts.get(it));
        views.flat_map(|it| it.rows(self.estate))
    }

    /// The row of an account in the channel that leads.
    ///
    /// # Panics
    ///
    /// Panics when there is no such account: a bug of the caller.
    #[must_use]
    #[expect(clippy::indexing_slicing, reason = "account numbers come from this graph")]
    pub fn account_row(&self, account: usize) -> &'e Sighting<domain::Account> {
        &self.estate.accounts[self.accounts[account].leading as usize]
    }

    /// Whose account it is.
    ///
    /// # Panics
    ///
    /// Panics when there is no such account: a bug of the caller.
    #[must_use]
    #[expect(clippy::indexing_slicing, reason = "account numbers come from this graph")]
    pub fn link(&self, account: usize) -> &Link {
        &self.links[account]
    }

    /// The IdP whose ids the account's `externalId` looks like, unknown there; `None` otherwise.
    #[must_use]
    pub fn ghost(&self, account: usize) -> Option<Ghost> {
        self.ghosts.get(account).copied().flatten()
    }

    /// The person of an identity.
    ///
    /// # Panics
    ///
    /// Panics when there is no such identity: a bug of the caller.
    #[must_use]
    #[expect(clippy::indexing_slicing, reason = "identity numbers come from this graph")]
    pub fn person_of(&self, identity: usize) -> u32 {
        self.persons.of_identity[identity]
    }

    /// The person whom an HR row names; `None` when nobody is known by its keys.
    #[must_use]
    pub fn person_of_leaver(&self, leaver: usize) -> Option<u32> {
        self.persons.of_leaver(leaver)
    }

    /// Of each list of HR the row that a key of an account names, and that key, where the account has
    /// no owner among the identities, and neither has the row. Empty: the account may be somebody's
    /// else, or no key of it is HR's.
    #[must_use]
    pub fn leavers_of(&self, account: usize) -> Vec<(usize, Tier)> {
        let may_be_anothers = self.ghost(account).is_some_and(|it| !it.is_unknown);
        if may_be_anothers || !self.link(account).contenders().is_empty() {
            return Vec::new();
        }
        let row = self.accounts.get(account).and_then(|it| it.rows(self.estate).next());
        row.map(|it| self.unknown_leavers_of(it).collect()).unwrap_or_default()
    }

    /// HR's rows without which no key of an account would name anybody, and the key that names each.
    pub(crate) fn named_by_hr(&self, account: usize) -> Vec<(usize, Tier)> {
        let is_by_hr = self.trials(account).iter().any(|it| it.is_by_hr);
        let row = self.accounts.get(account).and_then(|it| it.rows(self.estate).next());
        match row.filter(|_| is_by_hr) {
            Some(row) => self.keys_by_hr.rows_of(self.estate, self.rules, row),
            None => self.leavers_of(account),
        }
    }

    /// HR's rows that a key of an account names, of people whom no IdP knows.
    fn unknown_leavers_of(
        &self,
        account: &Sighting<domain::Account>,
    ) -> impl Iterator<Item = (usize, Tier)> {
        let rows = self.keys_by_hr.rows_of(self.estate, self.rules, account).into_iter();
        rows.filter(|it| self.person_of_leaver(it.0).is_none())
    }

    /// HR's rows of today by which somebody may be meant whom they do not name, and why, in order.
    #[must_use]
    pub fn unnamed_leavers(&self) -> Vec<(usize, Unnamed)> {
        unnamed(self.estate, self.rules, &self.index, &self.persons)
    }

    /// The identities of a person, by IdP and id: the order in which a source lists them
    /// decides nothing.
    #[must_use]
    pub fn identities_of(&self, person: u32) -> Vec<usize> {
        let mut found: Vec<usize> = self
            .nodes
            .neighbors_directed(self.person_node(person), Incoming)
            .filter_map(|it| match self.nodes.node_weight(it) {
                Some(Node::Identity(at)) => Some(*at as usize),
                _ => None,
            })
            .collect();
        if found.len() > 1 {
            found.sort_unstable_by_key(|at| {
                self.estate.identities.get(*at).map(|it| (it.system, &*it.row.id))
            });
        }
        found
    }

    /// Accounts that a person owns or may own, in order.
    #[must_use]
    pub fn accounts_of(&self, person: u32) -> Vec<usize> {
        let mut accounts: Vec<usize> = self
            .nodes
            .neighbors_directed(self.person_node(person), Incoming)
            .flat_map(|identity| self.nodes.neighbors_directed(identity, Incoming))
            .filter_map(|node| match self.nodes.node_weight(node) {
                Some(Node::Account(at)) => Some(*at as usize),
                _ => None,
            })
            .collect();
        accounts.sort_unstable();
        accounts.dedup();
        accounts
    }

    /// Whom keys of an account name, and a person's decision alone keeps from having it: with the newest
    /// decision on that account. A person, or a row of HR whom nobody else knows.
    #[must_use]
    pub fn decided_away(&self) -> Vec<(Leaving, &'e domain::Decision)> {
        let decisions: FxHashMap<&str, &domain::Decision> =
            self.estate.decisions.iter().map(|it| (&*it.account, it)).collect();
        let mut found = Vec::new();
        for (account, view) in self.accounts.iter().enumerate().filter(|_| !decisions.is_empty()) {
            let Some(row) = view.rows(self.estate).next() else { continue };
            let Some(decision) = decisions.get(&*row.row.id).copied() else { continue };
            let link = self.link(account);
            let has =
                |person: u32| link.contenders().iter().any(|it| self.person_of(*it) == person);
            let named = self.correlation().named_by_keys(view.leading as usize).into_iter();
            let persons = named.filter(|it| !has(*it)).map(Leaving::Person);
            found.extend(persons.map(|it| (it, decision)));
            if matches!(link, Link::Linked { tier: Tier::Operator, .. }) {
                let rows = self.unknown_leavers_of(row);
                found.extend(rows.map(|it| (Leaving::HrRow(it.0), decision)));
            }
        }
        found
    }

    /// Persons whom an operator's decision rules out as the owner of an account.
    #[must_use]
    pub fn ruled_out(&self, account: usize) -> Vec<u32> {
        let (_, not_mine) = self.correlation().decided(&self.account_row(account).row.id);
        not_mine.into_iter().map(|it| self.person_of(it as usize)).collect()
    }

    /// Assignments that name an identity, itself or a group that it is a direct member of.
    #[must_use]
    pub fn assignments_of(&self, identity: usize) -> Vec<&'e Sighting<Assignment>> {
        let node = self.identity_node(identity);
        let groups = self
            .nodes
            .neighbors_directed(node, Outgoing)
            .filter(|it| matches!(self.nodes.node_weight(*it), Some(Node::Group(_))));
        let mut found: Vec<u32> = std::iter::once(node)
            .chain(groups)
            .flat_map(|target| self.nodes.edges_directed(target, Incoming))
            .filter(|edge| *edge.weight() == Edge::Names)
            .filter_map(|edge| {
                match self.nodes.node_weight(petgraph::visit::EdgeRef::source(&edge)) {
                    Some(Node::Assignment(at)) => Some(*at),
                    _ => None,
                }
            })
            .collect();
        found.sort_unstable();
        found.dedup();
        found.iter().filter_map(|at| self.estate.assignments.get(*at as usize)).collect()
    }

    /// The identity with that id at that IdP; `None` when it was never seen.
    #[must_use]
    pub fn identity_by_id(&self, idp: u16, id: &str) -> Option<usize> {
        self.by_id.get(idp, id).map(|it| it as usize)
    }

    /// Identities with that id, sign-in name or address, in order.
    #[must_use]
    pub fn identities_named(&self, who: &str) -> Vec<usize> {
        let text: domain::Text = who.trim().into();
        let idps = 0..u16::try_from(self.estate.idps.len()).unwrap_or(u16::MAX);
        let by_id = idps.filter_map(|idp| self.by_id.get(idp, &text));
        let by_key = [user_name_key(Some(&text)), email_key(self.rules, Some(&text))];
        let by_key =
            by_key.iter().flatten().flat_map(|key| self.index.carriers(key).iter().copied());
        let mut found: Vec<usize> = by_id.chain(by_key).map(|it| it as usize).collect();
        found.sort_unstable();
        found.dedup();
        found
    }

    /// What every tier says of an account, strongest first.
    #[must_use]
    pub fn trials(&self, account: usize) -> Vec<Trial> {
        let leading = self.accounts.get(account).map_or(usize::MAX, |it| it.leading as usize);
        self.correlation().trials(leading)
    }

    /// The key by which an account and its owner are linked; `None` when they are not.
    #[must_use]
    pub fn tier(&self, account: usize) -> Option<Tier> {
        match self.link(account) {
            Link::Linked { tier, .. } | Link::Candidate { tier, .. } => Some(*tier),
            Link::Conflict { tier, .. } | Link::Ambiguous { tier, .. } => Some(*tier),
            Link::None => None,
        }
    }

    /// The IdP of an identity.
    #[must_use]
    pub fn idp_of(&self, sighting: &Sighting<Identity>) -> Option<&'e crate::estate::IdpView> {
        self.estate.idps.get(usize::from(sighting.system))
    }

    /// Returns true when the members of some group that an IdP assigns were not seen.
    #[must_use]
    pub fn has_unseen_group(&self, idp: u16) -> bool {
        self.has_unseen_group.get(usize::from(idp)).copied().unwrap_or(false)
    }

    /// Returns true when the row that has an identity in a group is too old to support a claim.
    #[must_use]
    pub fn is_old_member(&self, identity: &Sighting<Identity>, group: &str) -> bool {
        self.old_members.contains(&(identity.system, group, &*identity.row.id))
    }

    /// The app that somebody had through groups that they left; `None`: no list showed that.
    #[must_use]
    pub fn former_grant(&self, identity: &Sighting<Identity>) -> Option<FormerGrant> {
        self.former_grants.get(&(identity.system, &*identity.row.id)).copied()
    }

    /// Returns true when every user of that IdP is in the app's scope, assigned or not.
    #[must_use]
    pub fn assigns_everyone(&self, idp: &domain::SystemId) -> bool {
        self.rules.assigns_everyone.contains(idp)
    }

    /// `okta/00u1`: how an identity is named where addresses must not be.
    #[must_use]
    pub fn identity_key(&self, identity: usize) -> String {
        self.estate.identities.get(identity).map_or_else(String::new, |it| {
            let idp = self.idp_of(it).map_or("?", |idp| idp.id.as_str());
            format!("{idp}/{}", it.row.id)
        })
    }
}
