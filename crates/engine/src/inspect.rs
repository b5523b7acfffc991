//! Asks the stored past about one person or account: what the last run saw and concluded of them.

use chrono::{DateTime, Utc};
use domain::{Activity, Explanation, Folded, LinkKind, PersonLabel, Right, SystemId, Verdict};
use drift::{Context, Past, examine};
use graph::{IdentityGraph, Neighbourhood, correlate};
use store::{State, Store, StoreError};

use crate::ask::put_beside;
use crate::estate::estate;
use crate::lists::{Listing, stored};
use crate::plain::Plain;
use crate::plan::{AppPlan, Plan};
use crate::run::past;

/// What is known of one account, or of one person without one.
#[derive(Debug)]
pub struct Answer {
    /// The app.
    pub app: SystemId,
    /// The account's id; `None` for a person without an account.
    pub account: Option<String>,
    /// The owner, for people.
    pub person: PersonLabel,
    /// The verdict.
    pub verdict: Verdict,
    /// Should it be on?
    pub right: Right,
    /// Is it on?
    pub activity: Activity,
    /// Whose is it?
    pub link: LinkKind,
    /// Why.
    pub explanation: Explanation,
    /// The part of the graph around them.
    pub neighbourhood: Neighbourhood,
}

/// Looks somebody up in what the last run saw: by account id, `idp/id`, id, user name or address.
/// Empty when nobody is called so; one answer for each account and each person without one.
///
/// # Errors
///
/// Returns [`StoreError`] when the database cannot be read.
pub async fn inspect(
    store: &Store,
    plan: &Plan,
    app: Option<&SystemId>,
    who: &str,
) -> Result<Vec<Answer>, StoreError> {
    let state = store.load().await?;
    let Some((run, now)) = state.last_run else { return Ok(Vec::new()) };
    let mut listings = stored(store, &state, plan).await?;
    put_beside(&mut listings, &store.observations(run).await?);
    let apps = plan.apps.iter().filter(|it| app.is_none_or(|app| it.rules.app == *app));
    Ok(apps.flat_map(|it| answers(it, plan, &listings, &state, now, who)).collect())
}

fn answers(
    app: &AppPlan,
    plan: &Plan,
    listings: &[Listing],
    state: &State,
    now: DateTime<Utc>,
    who: &str,
) -> Vec<Answer> {
    let plain = Plain::default(); // Whoever is asked about is shown in full.
    let estate = estate(app, &plan.policy, listings, state, &plain, now);
    let graph = correlate(&estate, &app.keys);
    let past: Past = past(state, app, plan, &[], &[]);
    let cx = Context {
        graph: &graph,
        rules: &app.rules,
        policy: &plan.policy,
        past: &past,
        pass: domain::Pass::Full,
        now,
    };
    let (accounts, persons) = named(&graph, who);
    let of_accounts = accounts.into_iter().map(|at| (Some(at), None));
    let of_persons = persons.into_iter().map(|it| (None, Some(it)));
    of_accounts
        .chain(of_persons)
        .filter_map(|(account, person)| {
            let examined = examine(&cx, account, person)?;
            let neighbourhood = match (account, person) {
                (Some(account), _) => graph.neighbourhood_of_account(account),
                (None, person) => graph.neighbourhood(person?),
            };
            Some(Answer {
                app: app.rules.app.clone(),
                account: account.map(|it| graph.account_row(it).row.id.to_string()),
                person: examined.person,
                verdict: examined.verdict,
                right: examined.right,
                activity: examined.activity,
                link: examined.link,
                explanation: examined.explanation,
                neighbourhood,
            })
        })
        .collect()
}

/// Rows of HR's lists called `who`, as `workday/1041`.
fn rows_of_hr(graph: &IdentityGraph<'_>, who: &str) -> Vec<usize> {
    let Some((system, id)) = who.split_once('/') else { return Vec::new() };
    let estate = graph.estate();
    let is_it = |it: &graph::Sighting<domain::HrLeaver>| {
        let list = estate.hr.get(usize::from(it.system));
        *it.row.id == *id && list.is_some_and(|it| it.stream.system.as_str() == system)
    };
    (0..).zip(&estate.leavers).filter(|it| is_it(it.1)).map(|it| it.0).collect()
}

/// Accounts called `who`, those of people called `who`, and such people who have none.
fn named(graph: &IdentityGraph<'_>, who: &str) -> (Vec<usize>, Vec<u32>) {
    // `secureframe/9d89...`, as reports write it.
    let app = graph.estate().app.as_str();
    let who = who.split_once('/').filter(|(system, _)| *system == app).map_or(who, |(_, id)| id);
    let folded = Folded::new(who);
    let is_called = |name: &domain::Text| folded.is_some() && Folded::new(name) == folded;
    let mut accounts: Vec<usize> = (0..graph.accounts().len())
        .filter(|at| {
            let row = &graph.account_row(*at).row;
            *row.id == *who || [&row.user_name, &row.email].into_iter().flatten().any(is_called)
        })
        .collect();
    let mut identities = graph.identities_named(who);
    if let Some((idp, id)) = who.split_once('/') {
        let idps = graph.estate().idps.iter().position(|it| it.id.as_str() == idp);
        let idp = idps.and_then(|it| u16::try_from(it).ok());
        identities.extend(idp.and_then(|it| graph.identity_by_id(it, id)));
    }
    let mut persons: Vec<u32> = identities.into_iter().map(|it| graph.person_of(it)).collect();
    for row in rows_of_hr(graph, who) {
        persons.extend(graph.person_of_leaver(row));
        accounts.extend(
            (0..graph.accounts().len())
                .filter(|at| graph.leavers_of(*at).iter().any(|it| it.0 == row)),
        );
    }
    persons.sort_unstable();
    persons.dedup();
    persons.retain(|person| {
        let theirs = graph.accounts_of(*person);
        accounts.extend(&theirs);
        theirs.is_empty()
    });
    accounts.sort_unstable();
    accounts.dedup();
    (accounts, persons)
}
