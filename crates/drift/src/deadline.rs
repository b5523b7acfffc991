//! What becomes of a finding whose deadline passes: it is graver, once.

use domain::{Cause, Finding, FindingState, Severity, SlaOutcome, SlaResult};

use crate::context::Context;

/// Notes that the deadline of a finding has passed and nothing shows that access ended before, and
/// says so; `None` when that is known already, the deadline is ahead, or there is none.
///
/// `was_known`: an earlier run told of it. What is found only after its deadline is as grave as its
/// cause says, and no graver for having been there before anybody looked.
pub(crate) fn breach(
    cx: &Context<'_>,
    sla: Option<SlaResult>,
    finding: &mut Finding,
    was_known: bool,
) -> Option<String> {
    let sla = sla?;
    let is_on = finding.exposures.last().is_some_and(|it| it.first_seen_inactive.is_none());
    let is_in_scope = !matches!(sla.outcome, SlaOutcome::OutOfScope | SlaOutcome::Exception);
    let has_passed = sla.deadline_at.is_some_and(|it| it <= cx.now);
    // Where nobody knows when the right ended, a waiver is no exception, and excuses all the same.
    let is_excused = finding.state == FindingState::Waived && sla.outcome == SlaOutcome::NotProven;
    if finding.breached_at.is_some() || !is_on || !is_in_scope || !has_passed || is_excused {
        return None;
    }
    finding.breached_at = Some(cx.now);
    if !was_known || cx.policy.is_immediate {
        return None;
    }
    finding.severity = graver(finding.cause, finding.severity);
    Some("its deadline has passed, and nothing shows that access ended".to_owned())
}

/// One step up. Critical, which calls people at night, stays with those who have left.
const fn graver(cause: Cause, severity: Severity) -> Severity {
    let has_left = matches!(
        cause,
        Cause::LeaverActive | Cause::Reactivated | Cause::LeaverListed | Cause::ExternalExpired
    );
    match severity {
        Severity::High if !has_left => Severity::High,
        Severity::Low | Severity::Medium | Severity::High | Severity::Critical => severity.raised(),
    }
}
