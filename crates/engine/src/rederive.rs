//! Judges a past run again: the same path as the run itself took, on a copy of the database as it was
//! before, with what the run was given then. Nothing is read back of what it concluded, but to compare.

use report::v1::Report;
use store::{Difference, PastRun, Store, StoreError};

use crate::eyes::{Eyes, Given};
use crate::look::look;
use crate::plan::Plan;
use crate::run::think;

/// What came of judging a past run again.
#[derive(Debug)]
pub enum Rederived {
    /// Everything came out as it is stored: so many conclusions, and the report byte for byte.
    Same {
        /// Findings in the report.
        n_findings: usize,
        /// SHA-256 of the report.
        report_sha256: domain::Digest,
    },
    /// Some of it came out otherwise.
    Differs {
        /// Conclusions, each by name.
        conclusions: Vec<Difference>,
        /// Places in the report; empty where it is the same byte for byte.
        report: Vec<String>,
    },
    /// What the run was given beside its lists is not kept.
    NotKept,
}

/// Judges a run again, by a plan of the settings of then, and compares. The store is only read.
///
/// # Errors
///
/// [`StoreError::Corrupt`] when what it rests on cannot be read any more; otherwise what disks do.
pub async fn rederive(store: &Store, run: &PastRun, plan: &Plan) -> Result<Rederived, StoreError> {
    let Some(mut before) = store.before(run.id).await? else { return Ok(Rederived::NotKept) };
    let answers = store.observations(run.id).await?;
    let plan =
        Plan { pass: run.pass, turn: run.turn.clone(), judges_everybody: true, ..plan.clone() };
    let mut eyes = Eyes::Past(Box::new(Given::of(&mut before, answers, run.now)));
    let mut state = before.store.load().await?;
    state.dead_channels = std::mem::take(&mut before.inputs.dead_channels);
    state.anchors = std::mem::take(&mut before.inputs.anchors);
    let id = state.next_run();
    let looked = look(&before.store, &mut state, &plan, &mut eyes).await?;
    let apart = looked.tell_apart(&plan, &state);
    let mut saving = before.store.saving(id);
    let (told, _) = think(&before.store, state, &plan, (looked, apart), (id, &mut saving)).await?;
    let again = told.report_json.bytes().to_vec();
    saving.keep_again(told).await?;

    let conclusions = store.differences(&before.store, run.id).await?;
    let report = match store.report(run.id).await {
        Ok(Some(stored)) if stored == again => Vec::new(),
        Ok(Some(stored)) => report::differences(&stored, &again),
        Ok(None) => vec!["it is not there".to_owned()],
        Err(error @ StoreError::ReportDamaged { .. }) => vec![error.to_string()],
        Err(error) => return Err(error),
    };
    if !conclusions.is_empty() || !report.is_empty() {
        return Ok(Rederived::Differs { conclusions, report });
    }
    let n_findings = Report::parse(&again).map_or(0, |it| it.findings.len());
    Ok(Rederived::Same { n_findings, report_sha256: ledger::sha256(&again) })
}
