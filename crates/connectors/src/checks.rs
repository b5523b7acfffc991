//! How the doctor of a source says what it saw: a sentence, and one on what to do next.

use chrono::TimeDelta;
use outbound::{Answer, OutboundError};

use crate::live::{CLOCK_SKEW_MAX, Check, CheckResult};
use crate::walk::{chain, who_answers};

/// An answer, or why there is none.
pub(crate) type Answered = Result<Answer, OutboundError>;

/// All is as it should be.
pub(crate) fn fine(name: &'static str, seen: String) -> Check {
    Check { name, result: CheckResult::Fine, seen, next: None }
}

/// A trouble is a sentence on what is wrong, and one on what to do.
pub(crate) fn warning(name: &'static str, text: &str) -> Check {
    let (seen, next) = text.split_once(". ").unwrap_or((text, ""));
    Check {
        name,
        result: CheckResult::Warning,
        seen: format!("{}.", seen.trim_end_matches('.')),
        next: (!next.is_empty()).then(|| next.to_owned()),
    }
}

/// The source refused. `means` and `next` are sentences without their beginning and end.
pub(crate) fn refused(name: &'static str, status: u16, means: &str, next: &str) -> Check {
    Check {
        name,
        result: CheckResult::Failed,
        seen: format!("HTTP {status}: {means}."),
        next: Some(sentence(next)),
    }
}

/// What came is not what was asked for.
pub(crate) fn no_list(name: &'static str, vendor: &str) -> Check {
    Check {
        name,
        result: CheckResult::Failed,
        seen: "The answer is no list.".to_owned(),
        next: Some(sentence(&who_answers(vendor))),
    }
}

/// There was no answer.
pub(crate) fn unanswered(name: &'static str, error: &OutboundError) -> Check {
    Check { name, result: CheckResult::Failed, seen: sentence(&chain(error)), next: None }
}

/// Whether the clocks of two machines agree. `theirs` is as `Okta's`.
pub(crate) fn clocks(name: &'static str, theirs: &str, answered: &Answered) -> Check {
    let Some(skew) = answered.as_ref().ok().and_then(Answer::clock_skew) else {
        return Check {
            name,
            result: CheckResult::Skipped,
            seen: format!("{theirs} answer has no date."),
            next: None,
        };
    };
    if skew.abs() <= CLOCK_SKEW_MAX {
        return fine(name, format!("They differ by {} s.", skew.num_seconds().abs()));
    }
    let way = if skew > TimeDelta::zero() { "ahead of" } else { "behind" };
    Check {
        name,
        result: CheckResult::Warning,
        seen: format!("Our clock is {} s {way} {theirs}.", skew.num_seconds().abs()),
        next: Some("Switch on time synchronisation on this machine.".to_owned()),
    }
}

/// A text with a capital first and a period last.
pub(crate) fn sentence(text: &str) -> String {
    let mut letters = text.chars();
    let first = letters.next().into_iter().flat_map(char::to_uppercase);
    first.chain(letters).chain(['.']).collect()
}
