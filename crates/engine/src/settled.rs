//! Whose rows are left out of a judgement, since it would say what the last one said: that all is well.
//!
//! Nearly everybody is as they were in the night before. One user who is active, with one assignment and
//! one account that is on and names them by an id, was judged to be well when these rows were new; as long
//! as each of them stays as it is, and no row of anybody else has a key in common with them, nothing else
//! can be said. They are counted, and not judged again.
//!
//! Whoever is not certain to be one of these is judged: of whom anything else was ever said, whose rows
//! are new or changed, who has a date ahead, who shares a key with anybody who is judged. So is everybody
//! when a list was not seen whole, when the settings or the program are others, and once a week. In builds
//! with debug assertions both ways are taken, and have to come out the same.

use chrono::{DateTime, Datelike as _, Utc};
use domain::{
    Account, Activity, Assignment, EntityId, Grant, Identity, Lifecycle, List, Pass, Principal,
    Tier, Verdict,
};
use drift::Entitlement;
use graph::{Mark, Marks, marks_of};
use rustc_hash::FxHashMap;
use store::{LogPart, State};

use crate::estate::{accounts, assignments, identities};
use crate::lists::{Fresh, Listing, is_old};
use crate::plan::{AppPlan, Plan};

/// The rows of people with whom all is well, as in the run before.
#[derive(Debug, Default)]
pub(crate) struct Settled {
    rows: ByRow<bool>,
    /// How many people that is.
    pub(crate) n: u64,
}

impl Settled {
    /// Is this row left out?
    pub(crate) fn has(&self, row: EntityId) -> bool {
        self.n > 0 && self.rows.of(row)
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

/// One user with one assignment and one account, by places in their lists.
#[derive(Debug)]
struct Plain<'l> {
    user: (&'l Identity, EntityId),
    account: Option<(&'l Account, EntityId)>,
    assignment: Option<(&'l Assignment, EntityId)>,
    is_out: bool,
}

/// The lists of an app, each read in this run and seen whole.
struct Whole<'l> {
    /// Of each identity provider its users and its assignments.
    idps: Vec<(&'l Fresh, &'l Fresh)>,
    accounts: &'l Fresh,
}

/// Finds the people who need not be judged again.
pub(crate) fn settled(ground: &Ground<'_>) -> Settled {
    let (Some(lists), true) = (ground.whole(), ground.may_leave_out()) else {
        return Settled::default();
    };
    let mut plain = ground.plain(&lists);
    plain.retain(|it| !it.is_out && it.account.is_some() && it.assignment.is_some());
    let mut marks: Vec<Mark> = Vec::with_capacity(plain.len() * 6);
    let mut ends: Vec<usize> = Vec::with_capacity(plain.len());
    for it in &plain {
        if let (Some((account, _)), Some((assignment, _))) = (it.account, it.assignment) {
            let rows = (it.user.0, account, assignment);
            marks_of(&ground.app.keys, rows, &mut |mark| marks.push(mark));
        }
        ends.push(marks.len());
    }
    let mut settled = Settled::default();
    for it in &plain {
        it.rows().for_each(|it| settled.rows.set(it, |_| true));
    }
    let mut others = ground.marks_of_others(&settled.rows);
    let marks_at = |at: usize| {
        let begins = at.checked_sub(1).and_then(|it| ends.get(it).copied()).unwrap_or(0);
        marks.get(begins..ends.get(at).copied().unwrap_or(0)).unwrap_or_default()
    };
    // Whoever shares a key with somebody who is judged is judged as well, and so on.
    loop {
        let mut is_done = true;
        for (at, it) in plain.iter_mut().enumerate().filter(|it| !it.1.is_out) {
            if others.have_any(marks_at(at)) {
                (it.is_out, is_done) = (true, false);
                others.extend(marks_at(at));
            }
        }
        if is_done {
            break;
        }
    }
    for it in plain.iter().filter(|it| it.is_out) {
        it.rows().for_each(|it| settled.rows.set(it, |_| false));
    }
    settled.n = plain.iter().filter(|it| !it.is_out).count() as u64;
    settled
}

impl Plain<'_> {
    fn rows(&self) -> impl Iterator<Item = EntityId> {
        let others = [self.account.map(|it| it.1), self.assignment.map(|it| it.1)];
        std::iter::once(self.user.1).chain(others.into_iter().flatten())
    }
}

impl<'g> Ground<'g> {
    /// Did the last full run judge by the same rules? Once a week everybody is judged all the same.
    fn may_leave_out(&self) -> bool {
        let Self { plan, app, state, .. } = self;
        let is_same = state.judged_with.as_ref().is_some_and(|it| {
            it.software == plan.software && it.settings_digest == plan.settings_digest
        });
        let is_same_week =
            state.last_full_run.is_some_and(|it| it.1.iso_week() == self.now.iso_week());
        let is_one_right = app.rules.entitlement == Entitlement::Any || app.rules.idps.len() == 1;
        plan.pass == Pass::Full
            && !plan.judges_everybody
            && is_same
            && is_same_week
            && is_one_right
            && state.judged_apps.contains_key(&app.rules.app)
    }

    /// `None`: a list is missing, in part or altogether, or there is another view of the app.
    fn whole(&self) -> Option<Whole<'g>> {
        let rules = &self.app.rules;
        let whole = |it: &'g Listing| {
            let fresh = it.fresh.as_ref().filter(|_| it.missing.is_none())?;
            let reference = &fresh.enrolled.reference;
            let is_whole = reference.supports_absence()
                && !is_old(reference.as_of.at, self.plan.policy.max_age, self.now);
            is_whole.then_some(fresh)
        };
        let find = |system: &domain::SystemId, list| {
            let mut all = self.listings.iter();
            whole(all.find(|it| it.stream.list == list && it.stream.system == *system)?)
        };
        let idps = rules.idps.iter();
        let idps = idps.map(|it| Some((find(it, List::Identities)?, find(it, List::Assignments)?)));
        let is_view =
            |it: &&Listing| it.stream.list == List::Accounts && it.stream.system == rules.app;
        let mut views = self.listings.iter().filter(is_view);
        let accounts = whole(views.next().filter(|_| views.next().is_none())?)?;
        Some(Whole { idps: idps.collect::<Option<_>>()?, accounts })
    }

    /// Users with one assignment and one account, of whom nothing but that all is well was ever said.
    fn plain(&self, lists: &Whole<'g>) -> Vec<Plain<'g>> {
        let Self { state, .. } = self;
        let doubtful = self.doubtful(lists);
        let mut n_links: ByRow<u32> = ByRow::default();
        for link in state.links.values() {
            n_links.set(link.identity, |n| n + 1);
        }
        let mut plain: Vec<Plain<'g>> = Vec::new();
        let mut by_user: ByRow<Option<usize>> = ByRow::default();
        for (users, grants) in &lists.idps {
            let mut by_id: FxHashMap<&str, Option<usize>> = FxHashMap::default();
            for (user, entity) in rows(users, identities) {
                let is_plain = user.lifecycle == Lifecycle::Active
                    && user.starts_at.is_none()
                    && user.ends_at.is_none()
                    && !doubtful.of(entity)
                    && n_links.of(entity) == 1;
                if is_plain {
                    let at = plain.len();
                    by_id.entry(&user.id).and_modify(|it| *it = None).or_insert(Some(at));
                    by_user.set(entity, |_| Some(at));
                    let user = (user, entity);
                    plain.push(Plain { user, account: None, assignment: None, is_out: false });
                }
            }
            for (grant, entity) in rows(grants, assignments) {
                let Principal::Identity(id) = &grant.principal else { continue };
                let at = by_id.get(&**id).copied().flatten();
                let Some(it) = at.and_then(|it| plain.get_mut(it)) else { continue };
                it.is_out |=
                    it.assignment.is_some() || grant.grant != Grant::Grants || doubtful.of(entity);
                it.assignment = Some((grant, entity));
            }
        }
        for (account, entity) in rows(lists.accounts, accounts) {
            let Some(link) = state.links.get(&entity) else { continue };
            let owner = by_user.of(link.identity);
            let Some(it) = owner.and_then(|it| plain.get_mut(it)) else { continue };
            it.is_out |= it.account.is_some()
                || !matches!(link.tier, Tier::AccountId | Tier::ExternalId)
                || Activity::of(account) != Activity::Active
                || account.ends_at.is_some()
                || doubtful.of(entity);
            it.account = Some((account, entity));
        }
        plain
    }

    /// Rows that are new or changed, and those of which anything but that all is well was ever said.
    fn doubtful(&self, lists: &Whole<'_>) -> ByRow<bool> {
        let state = self.state;
        let mut all = ByRow::default();
        let mut add = |it: EntityId| all.set(it, |_| true);
        let lists = lists.idps.iter().flat_map(|it| [it.0, it.1]).chain([lists.accounts]);
        lists.flat_map(|it| it.enrolled.written()).for_each(&mut add);
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

    /// The keys of everything that is judged: of all rows but these.
    fn marks_of_others(&self, plain: &ByRow<bool>) -> Marks<'g> {
        let (state, rules) = (self.state, &self.app.rules);
        let mut marks = Marks::new(&self.app.keys);
        let is_of_app = |it: &&Listing| {
            rules.rests_on(&it.stream.system)
                || matches!(it.stream.list, List::Leavers | List::NonHumans)
        };
        for listing in self.listings.iter().filter(is_of_app) {
            for layer in listing.layers() {
                let rows = layer.entities.iter().enumerate();
                let judged = rows.filter(|it| !plain.of(*it.1));
                judged.for_each(|(at, _)| marks.add(layer.rows, at));
            }
            listing.others.iter().for_each(|it| marks.add(&it.row, 0));
            for (id, answer) in &listing.answers {
                marks.add_name(id);
                answer.row.iter().for_each(|it| marks.add(it, 0));
            }
        }
        let said = state.log_events.values().flatten();
        let said = said.chain(self.log.iter().flat_map(|it| &it.events));
        said.for_each(|it| marks.add_name(&it.identity));
        state.nonhumans.iter().for_each(|it| marks.add_nonhuman(it));
        for decision in &state.decisions {
            marks.add_name(&decision.account);
            marks.add_name(&decision.identity.1);
        }
        rules.canaries.iter().chain(&rules.inactive_canaries).for_each(|it| marks.add_name(it));
        marks
    }
}

/// The rows of a list, with their numbers.
fn rows<'l, T>(
    list: &'l Fresh,
    pick: fn(&'l domain::Rows) -> &'l [T],
) -> impl Iterator<Item = (&'l T, EntityId)> {
    pick(&list.snapshot.rows).iter().zip(list.enrolled.entities.iter().copied())
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
