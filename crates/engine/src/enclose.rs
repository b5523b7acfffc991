//! The report of a run, read back from where it was kept and made ready to leave with its notice.
//! Nothing of it is judged again.

use alerting::{AppStand, Enclosed, Head};
use domain::{Grade, RunId};
use ledger::Checkpoint;
use report::v1::{App, Finding, FindingState, Report, Severity};
use report::{HtmlOptions, html};
use store::{Store, StoreError};

/// A report that can be sent; or why it cannot, for people.
pub(crate) type Enclosing = Result<Box<Enclosed>, String>;

/// Reads the report of a run and the head of the ledger as it is now, in which the run is.
///
/// # Errors
///
/// Returns [`StoreError`] when the database cannot be read. A report that is damaged is no error
/// here: the others are to be sent all the same.
pub(crate) async fn enclose(
    store: &Store,
    run: RunId,
    shows_document: bool,
) -> Result<Enclosing, StoreError> {
    let document = match store.report(run).await {
        Ok(Some(document)) => document,
        Ok(None) => return Ok(Err(format!("there is no report of run {run}"))),
        Err(error @ StoreError::ReportDamaged { .. }) => return Ok(Err(error.to_string())),
        Err(error) => return Err(error),
    };
    let pages = Report::parse(&document)
        .and_then(|it| html(&it, &HtmlOptions::default()).map(|page| (it, page)));
    let (report, page) = match pages {
        Ok(made) => made,
        Err(error) => return Ok(Err(format!("the report of run {run} cannot be read: {error}"))),
    };
    Ok(Ok(Box::new(Enclosed {
        judged_at: report.now.0,
        is_complete: report.is_complete(),
        apps: report.apps.iter().map(|it| stand(it, &report)).collect(),
        head: head(store).await?,
        page: page.into_bytes(),
        document,
        shows_document,
    })))
}

fn stand(app: &App, report: &Report) -> AppStand {
    let mine = || report.findings.iter().filter(|it| it.app == app.app);
    let n = |state: &FindingState| {
        (state.name(), mine().filter(|it| it.state == *state).count() as u64)
    };
    let is_open_critical =
        |it: &&Finding| it.state == FindingState::Open && it.severity == Severity::Critical;
    AppStand {
        app: app.app.clone(),
        // The words of the document are those of the domain.
        grade: Grade::parse(app.grade.name()).unwrap_or(Grade::F),
        by_state: FindingState::ALL.iter().filter(|it| it.is_live()).map(n).collect(),
        n_open_critical: mine().filter(is_open_critical).count() as u64,
    }
}

/// The newest checkpoint. One that cannot be read is told by the run, and goes nowhere.
async fn head(store: &Store) -> Result<Option<Head>, StoreError> {
    let note = match store.ledger_head().await {
        Ok(note) => note,
        Err(StoreError::Corrupt { .. }) => None,
        Err(error) => return Err(error),
    };
    let parsed = note.and_then(|it| Some((Checkpoint::parse(it.text()).ok()?, it.to_string())));
    Ok(parsed.map(|(it, checkpoint)| Head { size: it.size, root: it.root, checkpoint }))
}
