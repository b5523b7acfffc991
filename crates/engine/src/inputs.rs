//! Writes down what a run was given and no table keeps, so that it can be judged again.

use chrono::{DateTime, Utc};
use domain::{EntityId, FindingRecord, Rows};
use rustc_hash::FxHashSet;
use store::{Inputs, ListInput, TroubleInput};

use crate::lists::{Fresh, Listing};
use crate::record::Run;

/// What the run was given. `pulled_at`: when its lists were there.
pub(crate) fn inputs(
    run: &Run<'_>,
    listings: &[Listing],
    findings: &[FindingRecord],
    pulled_at: DateTime<Utc>,
) -> Inputs {
    let (pulled, state) = (run.pulled, run.state);
    let mut fresh: Vec<&Fresh> = listings.iter().filter_map(|it| it.fresh.as_ref()).collect();
    fresh.sort_by_key(|it| it.enrolled.reference.id);
    let failed =
        listings.iter().filter_map(|it| Some((it.stream.clone(), it.failed()?.to_owned())));
    let troubles = pulled.troubles.iter();
    Inputs {
        pulled_at,
        settings: run.plan.settings.as_deref().map(str::to_owned),
        lists: fresh.into_iter().map(list).collect(),
        failed: failed.collect(),
        lost: pulled.lost.clone(),
        refused: pulled.refused.iter().map(|(it, why)| (it.clone(), why.clone())).collect(),
        troubles: troubles
            .map(|(system, it)| TroubleInput {
                system: system.clone(),
                kind: it.kind,
                text: it.text.clone(),
                reach: it.reach.clone(),
            })
            .collect(),
        unmapped: pulled.unmapped.clone(),
        apps_of_refused_lists: pulled.apps_of_refused_lists.clone(),
        last_uses: last_uses(listings, findings),
        dead_channels: state.dead_channels.clone(),
        anchors: state.anchors.clone(),
        n_entries: run.beside.ledger.head.map(|it| it.size),
    }
}

fn list(fresh: &Fresh) -> ListInput {
    let rows = fresh.enrolled.entities.iter().zip(&fresh.snapshot.origins);
    ListInput {
        rows: rows.map(|(entity, it)| (*entity, it.request, it.line)).collect(),
        n_notes: fresh.n_notes,
    }
}

/// When accounts were last used of which the report says so: no version of a row has that.
fn last_uses(listings: &[Listing], findings: &[FindingRecord]) -> Vec<(EntityId, DateTime<Utc>)> {
    let facts = findings.iter().flat_map(|it| &it.explanation.facts);
    let told = facts.filter(|it| it.text.contains("last used"));
    // What is said of an account begins with its id.
    let told: FxHashSet<&str> = told.filter_map(|it| it.text.split('`').nth(1)).collect();
    let layers = listings.iter().flat_map(Listing::layers);
    let mut uses = Vec::new();
    for layer in layers {
        let Rows::Accounts(accounts) = layer.rows else { continue };
        if told.is_empty() {
            continue;
        }
        let rows = layer.entities.iter().enumerate().filter(|it| !accounts.is_forgotten(it.0));
        let rows = rows.filter_map(|(at, entity)| Some((*entity, accounts.packed(at)?)));
        let rows = rows.filter(|it| told.contains(it.1.id));
        uses.extend(rows.filter_map(|(entity, it)| Some((entity, it.last_used_at?))));
    }
    uses
}
