//! A pull as an operator sees it.

use std::fmt::Write as _;

use connectors::live::LivePull;
use domain::Coverage;

/// An error with all that caused it.
pub(crate) fn chain(error: &dyn std::error::Error) -> String {
    let causes = std::iter::successors(error.source(), |it| it.source());
    causes.fold(error.to_string(), |text, cause| format!("{text}: {cause}"))
}

/// A line for each list, each failure and each trouble, with the notes below.
pub(crate) fn lines(pull: &LivePull) -> String {
    let mut text = String::new();
    for (snapshot, bodies) in pull.snapshots.iter().zip(&pull.bodies) {
        assert_eq!(snapshot.rows.len(), bodies.len(), "each row has its bytes");
        assert_eq!(snapshot.rows.len(), snapshot.origins.len(), "each row has its place");
        write!(text, "{}: {} rows, ", snapshot.stream, snapshot.rows.len()).unwrap();
        match &snapshot.coverage {
            Coverage::Complete(_) => writeln!(text, "complete").unwrap(),
            Coverage::Partial { reason } => writeln!(text, "partial: {reason}").unwrap(),
        }
        for note in &snapshot.notes {
            writeln!(text, "  note: {note}").unwrap();
        }
    }
    for failure in &pull.failures {
        for list in &failure.lists {
            writeln!(text, "{list}: failed: {}", chain(&failure.error)).unwrap();
        }
    }
    for trouble in &pull.troubles {
        writeln!(text, "{}: {}", trouble.kind, trouble.text).unwrap();
    }
    text
}
