//! Pulls each system by itself, then runs twice, and counts what the servers were asked. A list
//! that was not read whole is an error: fewer requests than needed are no success.

use std::collections::BTreeMap;
use std::time::Duration;

use anyhow::{Context as _, bail, ensure};
use chrono::TimeDelta;
use connectors::live::LivePull;
use domain::{Coverage, List as Kind};
use sim::{Endpoint, Paging, Shape, Sim};
use store::Store;
use tokio::time::Instant;

use super::firm::Firm;

/// What one company was asked.
#[derive(Debug)]
pub(super) struct Counted {
    /// Each pull by itself.
    pub(super) pulls: Vec<PullCount>,
    /// What whole runs asked for besides pages of lists, in order of endpoint.
    pub(super) besides: Vec<Beside>,
}

/// One pull of one system.
#[derive(Debug)]
pub(super) struct PullCount {
    pub(super) system: &'static str,
    pub(super) lists: Vec<ListCount>,
    /// Requests for anything but a page of a list.
    pub(super) n_others: usize,
    pub(super) took: Duration,
}

/// One list of a pull.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct ListCount {
    pub(super) name: &'static str,
    /// Rows that the server has.
    pub(super) n_rows: usize,
    /// Rows that the vendor gives at a time.
    pub(super) page_rows: usize,
    /// Requests that came.
    pub(super) n_sent: usize,
}

/// Requests for one thing that is no list.
#[derive(Debug)]
pub(super) struct Beside {
    pub(super) name: &'static str,
    pub(super) first_run: usize,
    /// A day later, with nothing changed.
    pub(super) second_run: usize,
}

impl ListCount {
    /// The fewest requests that show every row.
    pub(super) fn n_least(&self) -> usize {
        self.n_rows.div_ceil(self.page_rows).max(1)
    }
}

/// A list, and where it is asked for.
struct List {
    name: &'static str,
    endpoint: Endpoint,
    /// The snapshot that it makes; `None`: it only names what is in another.
    kind: Option<Kind>,
    n_rows: usize,
    page_rows: usize,
}

/// Everything else that may be asked for.
const OTHERS: [(Endpoint, &str); 7] = [
    (Endpoint::OktaUser, "Okta user by id"),
    (Endpoint::OktaApp, "Okta app"),
    (Endpoint::OktaFeatures, "Okta app features"),
    (Endpoint::OktaAppUser, "Okta app user by id"),
    (Endpoint::OktaLog, "Okta log poll"),
    (Endpoint::ScimConfig, "SCIM ServiceProviderConfig"),
    (Endpoint::ScimUser, "SCIM account by id"),
];

/// The pull of the app that runs do not do: they page as the last pull did.
const BY_INDEX: &str = "SCIM by index";

/// Pulls of the app's own view, which is no part of the runs. Without a total it is read twice.
const OWN_VIEW: &str = "Secureframe API";
const OWN_VIEW_WITHOUT_TOTAL: &str = "Secureframe API, no total";

/// Counts at a company of so many people.
///
/// # Errors
///
/// Returns an error when a list was not read whole, or when something was asked for that has no
/// name here.
pub(super) async fn count(people: u32) -> anyhow::Result<Counted> {
    let firm = Firm::found(people).await?;
    let clock = firm.sim.clock();
    let mut pulls = Vec::new();

    let began = Instant::now();
    let pull = firm.okta.pull(&*clock, None).await;
    pulls.push(counted("Okta", &firm.sim, okta_lists(&firm), &pull, began.elapsed())?);
    for (system, paging) in [(BY_INDEX, Paging::Index), ("SCIM by cursor", Paging::Cursor)] {
        firm.page_by(paging);
        let began = Instant::now();
        let pull = firm.scim.pull(&*clock).await;
        pulls.push(counted(system, &firm.sim, scim_lists(&firm), &pull, began.elapsed())?);
    }
    for (system, shape) in [(OWN_VIEW, Shape::Total), (OWN_VIEW_WITHOUT_TOTAL, Shape::NoTotal)] {
        firm.shape_by(shape);
        let began = Instant::now();
        let pull = firm.secureframe.pull().await;
        pulls.push(counted(system, &firm.sim, personnel_lists(&firm), &pull, began.elapsed())?);
    }
    let is_of_runs =
        |it: &&PullCount| ![BY_INDEX, OWN_VIEW, OWN_VIEW_WITHOUT_TOTAL].contains(&it.system);
    let lists = pulls.iter().filter(is_of_runs).flat_map(|it| &it.lists);
    let n_pages = lists.map(|it| it.n_sent).sum();
    let besides = runs(&firm, n_pages).await?;
    Ok(Counted { pulls, besides })
}

/// The lists of the identity provider. Page sizes: Okta Admin Management API 2026.06.3, the most
/// that each list takes as `limit`.
fn okta_lists(firm: &Firm) -> Vec<List> {
    let world = firm.sim.world();
    let okta = &world.okta;
    let n_groups = okta.groups.values().filter(|it| it.is_assigned).count();
    vec![
        List {
            name: "Okta users",
            endpoint: Endpoint::OktaUsers,
            kind: Some(Kind::Identities),
            n_rows: okta.users.len(),
            page_rows: 200,
        },
        List {
            name: "Okta app users",
            endpoint: Endpoint::OktaAppUsers,
            kind: Some(Kind::Assignments),
            n_rows: okta.app_users.len(),
            page_rows: 500,
        },
        List {
            name: "Okta groups of the app",
            endpoint: Endpoint::OktaAppGroups,
            kind: None,
            n_rows: n_groups,
            page_rows: 200,
        },
    ]
}

/// The list of the app, at the `count` of its profile.
fn scim_lists(firm: &Firm) -> Vec<List> {
    let world = firm.sim.world();
    vec![List {
        name: "SCIM accounts",
        endpoint: Endpoint::ScimUsers,
        kind: Some(Kind::Accounts),
        n_rows: world.app.accounts.len(),
        page_rows: world.app.habits.page_max,
    }]
}

/// The list of the app's own view. Page size: what reports of the API saw, whatever is asked for.
fn personnel_lists(firm: &Firm) -> Vec<List> {
    let world = firm.sim.world();
    vec![List {
        name: "Secureframe personnel",
        endpoint: Endpoint::SecureframeUsers,
        kind: Some(Kind::Accounts),
        n_rows: world.personnel.people.len(),
        page_rows: world.personnel.habits.page_max,
    }]
}

/// Counts the requests since the last count, all of them of this pull.
fn counted(
    system: &'static str,
    sim: &Sim,
    lists: Vec<List>,
    pull: &LivePull,
    took: Duration,
) -> anyhow::Result<PullCount> {
    for list in &lists {
        let Some(kind) = list.kind else { continue };
        let snapshot = pull.snapshots.iter().find(|it| it.stream.list == kind);
        let snapshot = snapshot.with_context(|| format!("{system}: {kind} were not read"))?;
        if let Coverage::Partial { reason } = &snapshot.coverage {
            bail!("{system}: {kind} were not read whole: {reason}");
        }
        let (n_read, n_rows) = (snapshot.rows.len(), list.n_rows);
        ensure!(n_read == n_rows, "{system}: {n_read} of {n_rows} {kind} were read");
    }
    let lists: Vec<ListCount> = lists
        .into_iter()
        .map(|List { name, endpoint, n_rows, page_rows, kind: _ }| ListCount {
            name,
            n_rows,
            page_rows,
            n_sent: sim.count(endpoint),
        })
        .collect();
    let n_pages: usize = lists.iter().map(|it| it.n_sent).sum();
    let n_others = sim.requests().len() - n_pages;
    sim.forget_requests();
    Ok(PullCount { system, lists, n_others, took })
}

/// Runs twice, a day apart, and counts what is asked besides the `n_pages` of the lists.
async fn runs(firm: &Firm, n_pages: usize) -> anyhow::Result<Vec<Beside>> {
    let folder = tempfile::tempdir().context("make a folder for the database")?;
    let store = Store::open(&folder.path().join("bench.db"))?;
    let mut runs = Vec::new();
    for _ in 0..2 {
        firm.sim.clock().advance(TimeDelta::days(1));
        let outcome = engine::run(&store, &firm.plan, &*firm.sim.clock()).await?;
        ensure!(outcome.report.is_complete(), "a run did not read every list whole");
        runs.push(others(firm, n_pages)?);
    }
    let at = |run: usize, endpoint| {
        runs.get(run).and_then(|it| it.get(&endpoint)).copied().unwrap_or_default()
    };
    let beside =
        |(endpoint, name)| Beside { name, first_run: at(0, endpoint), second_run: at(1, endpoint) };
    Ok(OTHERS.into_iter().map(beside).collect())
}

/// Counts the requests of one run for anything but pages of lists, which must be `n_pages`, as in
/// the pulls.
fn others(firm: &Firm, n_pages: usize) -> anyhow::Result<BTreeMap<Endpoint, usize>> {
    let lists: Vec<List> = okta_lists(firm).into_iter().chain(scim_lists(firm)).collect();
    let n_sent: usize = lists.iter().map(|it| firm.sim.count(it.endpoint)).sum();
    ensure!(n_sent == n_pages, "a run asked for {n_sent} pages of lists, and pulls for {n_pages}");
    let mut others: BTreeMap<Endpoint, usize> = BTreeMap::new();
    for request in firm.sim.requests() {
        let endpoint = request.endpoint;
        if lists.iter().any(|it| it.endpoint == endpoint) {
            continue;
        }
        ensure!(
            OTHERS.iter().any(|(it, _)| *it == endpoint),
            "a run asked for {endpoint:?}, which has no name here: give it one"
        );
        *others.entry(endpoint).or_default() += 1;
    }
    firm.sim.forget_requests();
    Ok(others)
}
