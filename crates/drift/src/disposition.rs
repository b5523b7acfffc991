//! What a person's word does to a finding. Whose word it is, and why, is kept beside it.

use chrono::{SecondsFormat, TimeDelta};
use domain::{Change, Disposition, Finding, FindingEvent, FindingState, Resolution, Word};

/// Longest acknowledgement. Who needs longer asks for a waiver, which two people sign.
pub const ACKNOWLEDGED_MAX: TimeDelta = TimeDelta::days(30);

/// What came of a word.
#[derive(Clone, Debug, PartialEq)]
pub enum Disposed {
    /// The finding as it is now, and what happened to it.
    Done(Box<(Finding, FindingEvent)>),
    /// It cannot be said of this finding: why, and what can be done instead.
    Refused(String),
}

/// Applies a person's word to a finding. It counts at once, and the next run goes on from there.
#[must_use]
pub fn dispose(finding: &Finding, said: &Disposition) -> Disposed {
    let at = said.said.at;
    let refused = |why: &str| Disposed::Refused(format!("{} {why}", finding.id));
    let mut finding = finding.clone();
    let change = match (said.word, finding.state) {
        (Word::Acknowledge, FindingState::Open | FindingState::Acknowledged) => {
            let Some(until) = said.until else { return refused("is acknowledged until a date") };
            if until <= at || until > at + ACKNOWLEDGED_MAX {
                let days = ACKNOWLEDGED_MAX.num_days();
                let why = format!("is acknowledged until a date ahead, at most {days} days away");
                return refused(&why);
            }
            (finding.state, finding.state_until) = (FindingState::Acknowledged, Some(until));
            Change::Acknowledged
        }
        (Word::Acknowledge, state) => {
            return refused(&format!("is `{state}`: only what is open can be acknowledged"));
        }
        (Word::FalsePositive | Word::Close, FindingState::Resolved) => {
            return refused("is over already");
        }
        (Word::FalsePositive, FindingState::FalsePositive) => {
            return refused("is called a false positive already");
        }
        (Word::FalsePositive, _) => {
            (finding.state, finding.state_until) = (FindingState::FalsePositive, None);
            finding.held = None;
            Change::FalsePositive
        }
        (Word::Close, FindingState::NotVisible) => {
            finding.state = FindingState::Resolved;
            (finding.resolved_at, finding.resolution) = (Some(at), Some(Resolution::Decided));
            Change::Resolved
        }
        (Word::Close, state) => {
            return refused(&format!(
                "is `{state}`: a look closes it, and a person only what is `not_visible`"
            ));
        }
        (Word::Reopen, FindingState::Acknowledged | FindingState::FalsePositive) => {
            // What never opened has its second look ahead.
            let state = finding.opened_at.map_or(FindingState::Pending, |_| FindingState::Open);
            (finding.state, finding.state_until) = (state, None);
            Change::Reopened
        }
        (Word::Reopen, state) => {
            return refused(&format!(
                "is `{state}`: only what is acknowledged or called a false positive is reopened"
            ));
        }
    };
    let event = event(&finding, change, said);
    Disposed::Done(Box::new((finding, event)))
}

fn event(finding: &Finding, change: Change, said: &Disposition) -> FindingEvent {
    let mut because = format!("by {}", said.said.by);
    if let Some(until) = said.until {
        because.push_str(&format!(" until {}", until.to_rfc3339_opts(SecondsFormat::Secs, true)));
    }
    if !said.reason.is_empty() {
        because.push_str(&format!(": {}", said.reason));
    }
    FindingEvent {
        finding: finding.id,
        at: said.said.at,
        run: None,
        change,
        cause: finding.cause,
        severity: finding.severity,
        state: finding.state,
        because,
    }
}
