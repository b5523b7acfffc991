//! How the doctor of a source says what it saw: a sentence, and one on what to do next.

use chrono::TimeDelta;
use domain::{Grant, Rows, Text};
use outbound::{Answer, OutboundError};
use serde::de::IgnoredAny;

use crate::live::{Answer as Said, CLOCK_SKEW_MAX, Check, CheckResult, Question, Reply, chain};
use crate::refusal::Words;
use crate::walk::who_answers;

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

/// The source refused.
pub(crate) fn refused(name: &'static str, status: u16, words: Words) -> Check {
    let Words { means, next } = words;
    Check {
        name,
        result: CheckResult::Failed,
        seen: format!("HTTP {status}: {means}."),
        next: Some(sentence(&next)),
    }
}

/// Something does not work. `seen` and `next` are whole sentences.
pub(crate) fn failed(name: &'static str, seen: String, next: &str) -> Check {
    Check { name, result: CheckResult::Failed, seen, next: Some(next.to_owned()) }
}

/// Something could not be looked at. `seen` and `next` are whole sentences.
pub(crate) fn skipped(name: &'static str, seen: &str, next: &str) -> Check {
    let (seen, next) = (seen.to_owned(), Some(next.to_owned()));
    Check { name, result: CheckResult::Skipped, seen, next }
}

/// The name of each check of a canary.
pub(crate) const CANARY: &str = "canaries are seen";

/// No canary is known. `ids`: what the settings name them by.
pub(crate) fn no_canary(ids: &str) -> Check {
    let next = format!(
        "Put the {ids} of users who never leave into `canaries`: a list without them is not believed."
    );
    skipped(CANARY, "No canary is configured.", &next)
}

/// What is asked of users who must have the app.
pub(crate) fn of_assigned(canaries: &[Text]) -> Vec<Question> {
    canaries.iter().cloned().map(Question::Assignment).collect()
}

/// Whether they have it, by the answers.
pub(crate) fn assigned_canaries(replies: Vec<Reply>) -> Vec<Check> {
    let look = |Reply { question, answer, .. }| {
        let (Question::Assignment(id) | Question::Identity(id) | Question::Account(id)) = question;
        match answer {
            Said::Found { row: Rows::Assignments(rows), .. }
                if rows.iter().any(|it| it.grant == Grant::Grants) =>
            {
                fine(CANARY, format!("`{id}` has the app."))
            }
            Said::Found { .. } | Said::Gone => failed(
                CANARY,
                format!("`{id}` does not have the app, or may not be seen."),
                "Correct `assigned_canaries`: a list of assignments without them is not believed.",
            ),
            Said::Unknown { why } => failed(
                CANARY,
                format!("Whether `{id}` has the app was not seen: {why}."),
                "Correct that, and run `driftline doctor` again.",
            ),
        }
    };
    replies.into_iter().map(look).collect()
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
pub(crate) fn unanswered(name: &'static str, error: &dyn std::error::Error) -> Check {
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

/// Rows of a list that is a bare array; `None` where the body is none.
pub(crate) fn n_rows(body: &[u8]) -> Option<usize> {
    serde_json::from_slice::<Vec<IgnoredAny>>(body).ok().map(|it| it.len())
}

/// A text with a capital first and a period last.
pub(crate) fn sentence(text: &str) -> String {
    let mut letters = text.chars();
    let first = letters.next().into_iter().flat_map(char::to_uppercase);
    first.chain(letters).chain(['.']).collect()
}
