//! Whose account is it? The tiers, strongest first; what they do not decide stays undecided.

use domain::{EntityId, Identity, Lifecycle, Link, Population, Tier};

use crate::estate::{Estate, Sighting, Standing};
use crate::identity_graph::ByEntity;
use crate::index::{Index, address, email_key, employee_key, external_id, user_name_key};
use crate::keys::{ExternalIdCarries, KeyRules};
use crate::leaver::KeysByHr;
use crate::node::{Key, KeyKind};
use crate::person::{Persons, count, is_key};

/// Somebody whom an IdP knows and no list of its users has: by the account's `externalId`, or by
/// an assignment of that account.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Ghost {
    /// An index into [`Estate::idps`].
    pub idp: u16,
    /// A complete list of everybody does not have it. Else it may be somebody not seen yet.
    pub is_unknown: bool,
    /// An assignment of today names them as the one who has the account.
    pub is_assigned: bool,
}

/// What one tier says of one account.
#[derive(Clone, Debug)]
pub struct Trial {
    /// The key.
    pub tier: Tier,
    /// Its value on the account, as compared; `None` when the account does not carry it.
    pub value: Option<String>,
    /// Whom it names: indices into [`Estate::identities`], in order.
    pub names: Vec<u32>,
    /// True when an earlier run's link says so, not a key of today.
    pub is_stored: bool,
    /// True when HR alone says so: no IdP has that key of theirs.
    pub is_by_hr: bool,
}

/// All that correlation looks at.
pub(crate) struct Correlation<'g> {
    pub(crate) estate: &'g Estate,
    pub(crate) rules: &'g KeyRules,
    pub(crate) index: &'g Index<'g>,
    pub(crate) persons: &'g Persons,
    pub(crate) keys_by_hr: &'g KeysByHr<'g>,
    pub(crate) carried: Vec<ExternalIdCarries>,
    pub(crate) by_entity: &'g ByEntity,
}

/// One step of the ladder: whom a tier names.
#[derive(Clone, Copy, Debug)]
struct Step<'s> {
    tier: Tier,
    names: &'s [u32],
    is_stored: bool,
}

impl Trial {
    const fn of(tier: Tier, value: Option<String>) -> Self {
        Self { tier, value, names: Vec::new(), is_stored: false, is_by_hr: false }
    }
}

impl Correlation<'_> {
    /// Links one account, and tells whether its `externalId` names somebody who is gone.
    pub(crate) fn link(&self, account: usize) -> (Link, Option<Ghost>) {
        if let Some(link) = self.plain(account) {
            return (link, None);
        }
        let trials = self.trials(account);
        let ghost = self.ghost(account, &trials);
        let steps: Vec<Step<'_>> = trials
            .iter()
            .filter(|it| !it.names.is_empty())
            .map(|it| Step { tier: it.tier, names: &it.names, is_stored: it.is_stored })
            .collect();
        let assignee = self.unlisted_assignee(account);
        let Some((first, rest)) = steps.split_first() else {
            return (Link::None, ghost.or(assignee));
        };
        let ghost = assignee.filter(|_| first.tier != Tier::Operator).or(ghost);
        let link = self.decide(*first, rest);
        let is_strong = first.tier < Tier::EmployeeNumber;
        match ghost {
            // The stronger key names somebody who is gone, or not seen; weaker ones name somebody
            // else. An earlier run's link says nothing of somebody new.
            Some(it)
                if it.is_assigned
                    || !is_strong && !first.is_stored
                    || first.is_stored && !it.is_unknown =>
            {
                let tier = if it.is_assigned { Tier::AccountId } else { Tier::ExternalId };
                (
                    Link::Conflict { presumed: None, tier, others: link.contenders().into_owned() },
                    ghost,
                )
            }
            _ => (link, ghost),
        }
    }

    /// The account that nearly all are: an id names one identity that is listed, and every other
    /// key names the same one or nobody. Says what the whole ladder would, without climbing it.
    fn plain(&self, account: usize) -> Option<Link> {
        let sighting = self.estate.accounts.get(account)?;
        let row = &sighting.row;
        let is_decided = self.estate.decisions.iter().any(|it| it.account == row.id);
        if is_decided || self.index.stranger(&row.id).is_some() {
            return None;
        }
        let account_id = Key { kind: KeyKind::AccountId, value: (&*row.id).into() };
        let by_account_id = self.index.carriers(&account_id);
        let by_external_id = row.external_id.as_deref().map(external_id);
        let by_external_id = by_external_id.as_ref().map_or(&[][..], |it| self.index.carriers(it));
        let (tier, owner) = match (by_account_id, by_external_id) {
            ([owner], []) if row.external_id.is_none() => (Tier::AccountId, *owner),
            ([owner], [same]) if owner == same => (Tier::AccountId, *owner),
            ([], [owner]) => (Tier::ExternalId, *owner),
            _ => return None,
        };
        let agrees = |key: Option<Key<'_>>| {
            key.is_none_or(|it| match self.carriers(&it) {
                [] => true,
                [one] => *one == owner,
                _ => false,
            })
        };
        let is_plain = agrees(employee_key(row.employee_number.as_ref()))
            && agrees(user_name_key(row.user_name.as_ref()))
            && agrees(email_key(self.rules, row.email.as_ref()))
            && !self.is_gone(owner)
            && self
                .linked_before(sighting.entity)
                .is_none_or(|(identity, by)| self.is_entity(owner, identity) && by >= tier);
        is_plain.then_some(Link::Linked { identity: owner as usize, tier })
    }

    fn decide(&self, first: Step<'_>, rest: &[Step<'_>]) -> Link {
        let (tier, names) = (first.tier, self.narrow(first.names, rest));
        let Some(owner) = self.only_person(&names) else {
            let identities: Vec<usize> = names.iter().map(|it| *it as usize).collect();
            // Weaker keys may name still others: every possible owner counts.
            let more = rest.iter().flat_map(|step| step.names).map(|it| *it as usize);
            let mut identities: Vec<usize> = identities.into_iter().chain(more).collect();
            identities.sort_unstable();
            identities.dedup();
            return if !tier.is_strong() && self.is_reused(&names) {
                Link::Conflict { presumed: None, tier, others: identities }
            } else {
                Link::Ambiguous { identities, tier }
            };
        };
        // A weak key says which person. Which of their users, every such key of the account says.
        let weaker = rest.iter().filter(|_| !tier.is_strong()).flat_map(|step| step.names);
        let theirs = weaker.copied().filter(|it| self.person(*it) == Some(owner));
        let named: Vec<u32> = names.iter().copied().chain(theirs).collect();
        let identity = self.foremost(&named);
        let by_id_of_today = Some(rest).filter(|_| tier.is_strong() && first.is_stored);
        let identity = by_id_of_today
            .and_then(|rest| self.named_by_id_of_today(rest, owner, identity))
            .unwrap_or(identity);
        let owner_is_gone = u32::try_from(identity).is_ok_and(|it| self.is_gone(it));
        // A key that names somebody else contradicts; so does a weak one that the owner, who is
        // gone, shares with somebody who is here.
        let contradicts = |step: &&Step<'_>| {
            step.names.iter().all(|it| self.person(*it) != Some(owner))
                || (owner_is_gone && !step.tier.is_strong() && self.is_reused(step.names))
        };
        let mut others: Vec<usize> = rest
            .iter()
            .filter(contradicts)
            .flat_map(|step| step.names)
            .filter(|it| self.person(**it) != Some(owner))
            .map(|it| *it as usize)
            .collect();
        others.sort_unstable();
        others.dedup();
        if !others.is_empty() && tier != Tier::Operator {
            return Link::Conflict { presumed: Some(identity), tier, others };
        }
        let is_proven = tier.is_strong() || first.is_stored || self.sees_everyone();
        if is_proven { Link::Linked { identity, tier } } else { Link::Candidate { identity, tier } }
    }

    /// An earlier run's link says which person. Which of their users, an id that the account has today
    /// says, unless that user was left behind and the `linked` one is here. `None`: no such id names
    /// another than that.
    fn named_by_id_of_today(&self, rest: &[Step<'_>], owner: u32, linked: usize) -> Option<usize> {
        let ids = rest.iter().filter(|it| it.tier.is_strong() && !it.is_stored);
        let theirs = ids.flat_map(|it| it.names).filter(|it| self.person(**it) == Some(owner));
        let theirs: Vec<u32> = theirs.copied().collect();
        let named = Some(self.foremost(&theirs)).filter(|_| !theirs.is_empty())?;
        let is_here = self.estate.identities.get(linked).is_some_and(|it| self.may_be_here(it));
        let stays = is_here && self.is_left_behind(named, owner);
        (named != linked && !stays).then_some(named)
    }

    /// Whether somebody has not left, and no whole list shows them to be gone.
    fn may_be_here(&self, it: &Sighting<Identity>) -> bool {
        let idp = self.estate.idps.get(usize::from(it.system));
        let is_seen = idp.is_some_and(|it| it.identities.base.is_some());
        it.row.lifecycle != Lifecycle::Left && (it.standing == Standing::Listed || !is_seen)
    }

    /// Whether an identity is over, and the person has another at the same IdP that is not, or that was
    /// made later.
    fn is_left_behind(&self, identity: usize, person: u32) -> bool {
        let Some(own) = self.estate.identities.get(identity) else { return false };
        let is_over = |it: &Sighting<Identity>| {
            it.standing == Standing::Gone || it.row.lifecycle == Lifecycle::Left
        };
        let made = |it: &Sighting<Identity>| it.row.created_at;
        let is_later = |it| made(own).zip(made(it)).is_some_and(|(own, other)| other > own);
        let everybody = self.persons.of_identity.iter().zip(&self.estate.identities);
        let mut others =
            everybody.filter(|(it, other)| **it == person && other.system == own.system);
        is_over(own) && others.any(|(_, it)| !is_over(it) || is_later(it))
    }

    /// Several at the deciding tier may be narrowed by lower tiers to one of them.
    fn narrow(&self, names: &[u32], rest: &[Step<'_>]) -> Vec<u32> {
        let mut left = names.to_vec();
        for step in rest {
            if self.only_person(&left).is_some() {
                break;
            }
            let agreed: Vec<u32> = left
                .iter()
                .copied()
                .filter(|it| step.names.iter().any(|other| self.person(*other) == self.person(*it)))
                .collect();
            if !agreed.is_empty() {
                left = agreed;
            }
        }
        left
    }

    /// A weak key of somebody who is gone and of somebody who is here: an identifier used again.
    fn is_reused(&self, names: &[u32]) -> bool {
        let gone = names.iter().filter(|it| self.is_gone(**it)).count();
        gone > 0 && gone < names.len()
    }

    /// Of one person's identities, the first by name among those that are still listed, and of several
    /// of one IdP among those that have not left: the order in which a source lists them decides nothing.
    fn foremost(&self, names: &[u32]) -> usize {
        let rows = || names.iter().filter_map(|it| self.estate.identities.get(*it as usize));
        let has_left = |it: &Identity| it.lifecycle == Lifecycle::Left;
        let rank = |it: &&u32| {
            let sighting = self.estate.identities.get(**it as usize);
            let is_left_behind = sighting
                .filter(|it| has_left(&it.row))
                .is_some_and(|own| rows().any(|it| it.system == own.system && !has_left(&it.row)));
            (self.is_gone(**it), is_left_behind, sighting.map(|it| (it.system, &*it.row.id)))
        };
        names.iter().min_by_key(rank).map_or(0, |it| *it as usize)
    }

    fn is_gone(&self, identity: u32) -> bool {
        self.estate
            .identities
            .get(identity as usize)
            .is_some_and(|it| it.standing == Standing::Gone)
    }

    fn person(&self, identity: u32) -> Option<u32> {
        self.persons.of(identity)
    }

    fn only_person(&self, names: &[u32]) -> Option<u32> {
        let first = self.person(*names.first()?)?;
        names.iter().all(|it| self.person(*it) == Some(first)).then_some(first)
    }

    /// The carriers of a key; nobody where so many carry it that it is none.
    fn carriers(&self, key: &Key<'_>) -> &[u32] {
        let carriers = self.index.carriers(key);
        let is_shared = key.kind == KeyKind::EmployeeNumber && !is_key(self.estate, carriers);
        if is_shared { &[] } else { carriers }
    }

    /// A name or address is shown to be unique only where every list was seen whole.
    fn sees_everyone(&self) -> bool {
        self.estate.idps.iter().all(|it| it.identities.base.is_some())
    }

    /// Asks every tier, strongest first, and puts the stored link in its place: it keeps the
    /// tier that made it; at a weak tier it stands before today's key, at a strong one after.
    pub(crate) fn trials(&self, account: usize) -> Vec<Trial> {
        let Some(sighting) = self.estate.accounts.get(account) else { return Vec::new() };
        self.trials_after(account, self.decided(&sighting.row.id))
    }

    /// Whom the keys of an account name, whatever operators say: persons, in order.
    pub(crate) fn named_by_keys(&self, account: usize) -> Vec<u32> {
        let trials = self.trials_after(account, (Vec::new(), Vec::new()));
        let names = trials.iter().flat_map(|it| &it.names);
        let mut persons: Vec<u32> = names.filter_map(|it| self.person(*it)).collect();
        persons.sort_unstable();
        persons.dedup();
        persons
    }

    /// What the tiers say of an account, after what operators decided: whose it is, and whose not.
    fn trials_after(&self, account: usize, (mine, not_mine): (Vec<u32>, Vec<u32>)) -> Vec<Trial> {
        let Some(sighting) = self.estate.accounts.get(account) else { return Vec::new() };
        let row = &sighting.row;
        let sign_in = row.user_name.as_ref();
        let key = |kind, value| Key { kind, value: std::borrow::Cow::Borrowed(value) };
        let keys = [
            (Tier::AccountId, Some(key(KeyKind::AccountId, &*row.id))),
            (Tier::ExternalId, row.external_id.as_deref().map(external_id)),
            (Tier::EmployeeNumber, employee_key(row.employee_number.as_ref())),
            (Tier::UserName, user_name_key(sign_in)),
            (Tier::Email, email_key(self.rules, address(row.email.as_ref(), sign_in))),
        ];
        let mut trials = Vec::with_capacity(keys.len() + 1);
        if !mine.is_empty() {
            let value = Some(row.id.to_string());
            trials.push(Trial { names: mine, ..Trial::of(Tier::Operator, value) });
        }
        let stored = self.stored(sighting.entity);
        for (tier, key) in keys {
            let today = key.as_ref().map_or(&[][..], |it| self.carriers(it)).to_vec();
            let value = key.map(|it| it.value.into_owned());
            let today = Trial { names: today, ..Trial::of(tier, value) };
            match stored.filter(|it| it.1 == tier) {
                Some((identity, _)) => {
                    let value = Some("as linked before".to_owned());
                    let names = vec![identity];
                    let before = Trial { names, is_stored: true, ..Trial::of(tier, value) };
                    trials.extend(if tier.is_strong() { [today, before] } else { [before, today] });
                }
                None => trials.push(today),
            }
        }
        self.add_names_by_hr(account, &mut trials);
        if !not_mine.is_empty() {
            for trial in &mut trials {
                trial
                    .names
                    .retain(|it| !not_mine.iter().any(|no| self.person(*no) == self.person(*it)));
            }
        }
        trials
    }

    /// Where no key of today names anybody, HR may know whose these are: people whom an IdP knows by
    /// other ones.
    fn add_names_by_hr(&self, account: usize, trials: &mut [Trial]) {
        let names_somebody = |it: &Trial| !it.is_stored && !it.names.is_empty();
        if self.estate.leavers.is_empty() || trials.iter().any(names_somebody) {
            return;
        }
        let Some(sighting) = self.estate.accounts.get(account) else { return };
        let ghost = self.ghost(account, trials).or_else(|| self.unlisted_assignee(account));
        if ghost.is_some() {
            return;
        }
        for (leaver, tier) in self.keys_by_hr.rows_of(self.estate, self.rules, sighting) {
            let named = self.persons.named.get(leaver).map(|it| &*it.identities);
            if let Some(today) = trials.iter_mut().find(|it| it.tier == tier && !it.is_stored) {
                today.names.extend_from_slice(named.unwrap_or_default());
                today.names.sort_unstable();
                today.names.dedup();
                today.is_by_hr = !today.names.is_empty();
            }
        }
    }

    /// Whether the keys of a row of another channel name nobody whom those of the leading row name.
    /// Ids of accounts count for the leading row alone: the same one is another's elsewhere.
    pub(crate) fn are_two_persons(&self, leading: u32, other: u32) -> bool {
        let named = |row: u32, strongest: Tier| -> Vec<u32> {
            let trials = self.trials(row as usize).into_iter();
            let mut own = trials.filter(|it| it.tier >= strongest && !it.is_stored);
            let first = own.find(|it| !it.names.is_empty());
            first.iter().flat_map(|it| &it.names).filter_map(|it| self.person(*it)).collect()
        };
        let theirs = named(other, Tier::ExternalId);
        let mine = named(leading, Tier::Operator);
        !mine.is_empty() && !theirs.is_empty() && !theirs.iter().any(|it| mine.contains(it))
    }

    /// Whom an earlier run linked an account to, and by which key.
    fn linked_before(&self, account: EntityId) -> Option<(EntityId, Tier)> {
        let link = self.estate.stored_links.get(&account).copied();
        // A decision is read from the decisions of today, so that taking it back takes effect.
        link.filter(|(_, tier)| *tier != Tier::Operator)
    }

    fn stored(&self, account: EntityId) -> Option<(u32, Tier)> {
        let (identity, tier) = self.linked_before(account)?;
        Some((self.by_entity.get(identity)?, tier))
    }

    fn is_entity(&self, identity: u32, entity: EntityId) -> bool {
        self.estate.identities.get(identity as usize).is_some_and(|it| it.entity == entity)
    }

    /// Whom operators name as the owner, and whom they rule out. The newest decision counts.
    pub(crate) fn decided(&self, account: &str) -> (Vec<u32>, Vec<u32>) {
        let mut mine = Vec::new();
        let mut not_mine = Vec::new();
        for decision in self.estate.decisions.iter().filter(|it| &*it.account == account) {
            let identity = self.estate.identities.iter().position(|it| {
                it.row.id == decision.identity.1 && self.idp_is(it.system, &decision.identity.0)
            });
            let Some(identity) = identity.map(count) else { continue };
            not_mine.retain(|it| *it != identity);
            if decision.is_owner {
                mine = vec![identity];
            } else {
                mine.retain(|it| *it != identity);
                not_mine.push(identity);
            }
        }
        (mine, not_mine)
    }

    fn idp_is(&self, system: u16, id: &domain::SystemId) -> bool {
        self.estate.idps.get(usize::from(system)).is_some_and(|it| it.id == *id)
    }

    /// Somebody in no list to whom an IdP assigned this account.
    fn unlisted_assignee(&self, account: usize) -> Option<Ghost> {
        let idp = self.index.stranger(&self.estate.accounts.get(account)?.row.id)?;
        Some(Ghost { idp, is_unknown: false, is_assigned: true })
    }

    /// An `externalId` that names nobody, in the form of an IdP's ids.
    /// Digits are too common a form to accuse by: `OneLogin` ids count only where configured.
    fn ghost(&self, account: usize, trials: &[Trial]) -> Option<Ghost> {
        let external_id = self.estate.accounts.get(account)?.row.external_id.as_deref()?;
        // An earlier run's link knows the id that the account had then.
        let names_somebody =
            |it: &Trial| it.tier == Tier::ExternalId && !it.is_stored && !it.names.is_empty();
        let is_known = trials.iter().any(names_somebody);
        if is_known {
            return None;
        }
        let idps = self.estate.idps.iter().zip(&self.carried).enumerate();
        idps.filter(|(_, (idp, carries))| {
            **carries == ExternalIdCarries::IdpId
                && idp.id_form.is_some_and(|form| form.fits(external_id))
                && (idp.id_form != Some(domain::IdForm::OneLogin)
                    || self.rules.external_id.iter().any(|it| it.0 == idp.id))
        })
        .filter_map(|(at, (idp, _))| {
            let base = idp.identities.base.map(|it| &self.estate.snapshot(it).reference);
            // A list of those with access does not have the others, and is whole all the same.
            let is_of_all = base.is_none_or(|it| it.population == Population::Everyone);
            let idp = u16::try_from(at).unwrap_or(u16::MAX);
            let is_unknown = base.is_some();
            is_of_all.then_some(Ghost { idp, is_unknown, is_assigned: false })
        })
        .next()
    }
}
