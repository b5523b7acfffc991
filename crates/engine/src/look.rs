//! Looking: what a run pulls and asks, set beside what earlier runs saw.

use std::sync::Arc;

use chrono::{DateTime, Utc};
use domain::{EntityId, Pass, Question, Stream};
use drift::{Context, Past, judge, questions};
use graph::correlate;
use rayon::prelude::*;
use rustc_hash::FxHashSet;
use store::{Saving, State, Store, StoreError};

use crate::ask::{Heard, put_beside};
use crate::estate::estate;
use crate::eyes::Eyes;
use crate::lists::{Listing, gather, looked_at};
use crate::plain::{Ground, Plain, plain};
use crate::plan::{AppPlan, Plan, Source};
use crate::pull::Pulled;
use crate::run::{Before, past, within_sight};

/// What a run looked at.
pub(crate) struct Looked {
    /// As of when each list was seen before.
    pub(crate) before: Vec<(Stream, DateTime<Utc>)>,
    /// What the sources answered beside their lists.
    pub(crate) pulled: Pulled,
    pub(crate) listings: Vec<Listing>,
    /// What was asked again by id.
    pub(crate) heard: Heard,
    /// How many suspects were too many to ask.
    pub(crate) n_left_out: usize,
    pub(crate) times: Times,
}

/// When a run did what.
pub(crate) struct Times {
    /// When all lists were there.
    pub(crate) read_at: DateTime<Utc>,
    /// When it judges.
    pub(crate) now: DateTime<Utc>,
    /// When it is made, by the clock of the machine.
    pub(crate) made_at: DateTime<Utc>,
}

/// Looks. What it looked at is enrolled in the state.
pub(crate) async fn look(
    store: &Store,
    state: &mut State,
    plan: &Plan,
    eyes: &mut Eyes<'_>,
) -> Result<Looked, StoreError> {
    let (mut pulled, read_at) = eyes.pull(plan, state).await;

    let before: Vec<_> = looked_at(state).collect();
    let mut listings = gather(store, state, &mut pulled, plan, read_at).await?;

    let (questions, n_left_out) = doubts(plan, &listings, state, (&before, &pulled.log), read_at);
    let (mut heard, now) = eyes.ask(plan, questions, read_at).await;
    pulled.troubles.append(&mut heard.troubles);
    put_beside(&mut listings, &heard.observations);
    let times = Times { read_at, now, made_at: eyes.made_at(now) };
    Ok(Looked { before, pulled, listings, heard, n_left_out, times })
}

impl Looked {
    /// Begins to write the rows of the lists that this run read.
    pub(crate) async fn begin_rows(&mut self, saving: &mut Saving) -> Result<(), StoreError> {
        let fresh = self.listings.iter_mut().filter_map(|it| it.fresh.as_mut());
        saving.begin_rows(fresh.map(|it| (&it.snapshot, &mut it.enrolled))).await
    }

    /// Tells apart, for each app that is judged, of whom there is nothing to weigh.
    pub(crate) fn tell_apart<'p>(
        &self,
        plan: &'p Plan,
        state: &State,
    ) -> Vec<(&'p AppPlan, Plain)> {
        let Self { before, pulled, listings, times: Times { now, .. }, .. } = self;
        let apart = |app: &'p AppPlan| {
            let ground = Ground { plan, app, listings, state, log: &pulled.log, now: *now };
            let plain = plain(&ground);
            if cfg!(debug_assertions) && plain.n > 0 {
                assert_same(&ground, &past(state, app, plan, before, &pulled.log), &plain);
            }
            (app, plain)
        };
        within_sight(plan, state).into_iter().map(apart).collect()
    }

    /// Forgets what the rows say of whom there is nothing to weigh, of lists of which the rows are written.
    pub(crate) fn forget(&mut self, apart: &[(&AppPlan, Plain)], state: &State) {
        let told = told(apart, state);
        self.listings.par_iter_mut().for_each(|listing| {
            let Some(fresh) = listing.fresh.as_mut().filter(|it| it.enrolled.is_written()) else {
                return;
            };
            let of_list = apart.iter().filter(|it| it.0.rules.rests_on(&listing.stream.system));
            let plain: Vec<&Plain> = of_list.map(|it| &it.1).collect();
            if plain.is_empty() || plain.iter().any(|it| it.n == 0) {
                return; // Of everybody there is something to weigh.
            }
            let is_weighed =
                |it: &EntityId| told.contains(it) || !plain.iter().all(|plain| plain.has(*it));
            let entities = &fresh.enrolled.entities;
            let snapshot = Arc::get_mut(&mut fresh.snapshot).expect("who wrote it has let it go");
            snapshot.rows.forget(|at| entities.get(at).is_none_or(is_weighed));
        });
    }
}

/// Rows of people of whom there may be nothing to weigh, and whose keys are told all the same: an account
/// is linked otherwise than before. Who owned one that is weighed may be plain to another app.
fn told(plain: &[(&AppPlan, Plain)], state: &State) -> FxHashSet<EntityId> {
    let links = plain.iter().flat_map(|it| &it.1.links);
    let changed = links.filter(|it| state.links.contains_key(&it.account));
    let told = changed.flat_map(|it| [Some(it.account), it.link.map(|it| it.0)]).flatten();
    let is_weighed = |it: &EntityId| !plain.iter().any(|plain| plain.1.has(*it));
    let owners = state.links.iter().filter(|it| is_weighed(it.0)).map(|it| it.1.identity);
    told.chain(owners).collect()
}

/// What is said without the people of whom there is nothing to weigh is what is said with them.
fn assert_same(ground: &Ground<'_>, past: &Past, plain: &Plain) {
    let Ground { plan, app, listings, state, now, .. } = *ground;
    let (rules, policy, pass) = (&app.rules, &plan.policy, plan.pass);
    let estates =
        [plain, &Plain::default()].map(|it| estate(app, policy, listings, state, it, now));
    let [graph, of_all] = estates.each_ref().map(|it| correlate(it, &app.keys));
    let [cx, of_all] =
        [&graph, &of_all].map(|graph| Context { graph, rules, policy, past, pass, now });
    let (judgement, doubts) = (judge(&cx), drift::doubts(&of_all));
    assert_eq!(drift::doubts(&cx), doubts);
    let of_all = judge(&of_all);
    // A link of theirs that is not among those to be written is the stored one.
    let new = plain.links.iter().filter_map(|it| Some((it.account, it.link?.0, it.link?.1)));
    let written: Vec<_> = judgement.links.iter().copied().chain(new).collect();
    let accounts: FxHashSet<_> = written.iter().map(|it| it.0).collect();
    let stored = state.links.iter().filter(|it| plain.has(*it.0) && !accounts.contains(it.0));
    let stored = stored.map(|(account, it)| (*account, it.identity, it.tier));
    let in_order = |mut links: Vec<(EntityId, EntityId, domain::Tier)>| {
        links.sort_unstable();
        links
    };
    let links = in_order(written.into_iter().chain(stored).collect());
    assert_eq!(judgement.tallies, of_all.tallies);
    assert_eq!(links, in_order(of_all.links.clone()));
    assert_eq!(judgement.said(), of_all.said());
}

/// What the lists alone leave in doubt: suspects, and findings that they say are over. For a light
/// pass the last lists say whom to ask, as if they were of today.
fn doubts(
    plan: &Plan,
    listings: &[Listing],
    state: &State,
    (before, log): Before<'_>,
    now: DateTime<Utc>,
) -> (Vec<Question>, usize) {
    let (mut ask, mut n_left_out) = (Vec::new(), 0);
    if !plan.sources.iter().any(Source::is_live) || plan.policy.is_immediate {
        return (ask, n_left_out);
    }
    for app in within_sight(plan, state) {
        let plain = plain(&Ground { plan, app, listings, state, log, now });
        let estate = estate(app, &plan.policy, listings, state, &plain, now);
        let graph = correlate(&estate, &app.keys);
        let past = past(state, app, plan, before, log);
        let (rules, policy, pass) = (&app.rules, &plan.policy, Pass::Full);
        let cx = Context { graph: &graph, rules, policy, past: &past, pass, now };
        let mine: Vec<_> =
            state.findings.iter().filter(|it| it.app == app.rules.app).cloned().collect();
        let wanted = questions(&cx, &judge(&cx), &mine);
        ask.extend(wanted.ask);
        n_left_out += wanted.n_left_out;
    }
    (ask, n_left_out)
}
