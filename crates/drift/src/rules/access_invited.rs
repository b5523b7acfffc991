//! `access-invited`: an invitation is open to somebody without the right.

use domain::{Cause, Severity};

use crate::case::Case;
use crate::rule::{Grace, Rule, When};
use crate::rules::who;

pub(crate) const RULE: Rule = Rule {
    cause: Cause::AccessInvited,
    title: "an invitation is open to somebody without the right",
    severity: Severity::Medium,
    grace: Grace::Hours(24),
    when: When::Verdict,
    summary,
    next_action: "Revoke the invitation in the app.",
};

fn summary(case: &Case<'_>) -> String {
    format!(
        "An invitation is open, and {} may not use the app.",
        who(case).unwrap_or_else(|| "nobody known".to_owned())
    )
}
