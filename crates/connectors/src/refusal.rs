//! What a refusal means and what to do about it, whoever refuses. What a vendor's codes mean is
//! each connector's.

use outbound::{Answer, OutboundError, OutboundErrorKind};

use crate::live::LiveError;
use crate::walk::url_of;

/// What a refusal means.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Words {
    /// A sentence without its beginning and end, with the vendor's code.
    pub(crate) means: String,
    /// What to do, likewise.
    pub(crate) next: String,
}

impl Words {
    pub(crate) fn into_text(self) -> String {
        format!("{}: {}", self.means, self.next)
    }
}

/// Names an answer that is no success. `is_of_credential`: whether whatever else is asked for would
/// meet the same.
pub(crate) fn of_answer(answer: &Answer, words: Words, is_of_credential: bool) -> LiveError {
    let (status, url, why) = (answer.status, url_of(&answer.requests), words.into_text());
    if is_of_credential {
        LiveError::Credential { status, url, why }
    } else {
        LiveError::Refused { status, url, why }
    }
}

/// Names a request without an answer. Where the source said why before it gave up, which `said`
/// reads from a status and a body, that is said too.
pub(crate) fn of_error(
    error: OutboundError,
    said: impl FnOnce(u16, &[u8]) -> Option<Words>,
) -> LiveError {
    let OutboundErrorKind::Server { status, body, .. } = &error.kind else {
        return error.into();
    };
    let status = *status;
    match said(status, &body.0) {
        Some(words) => {
            LiveError::Refused { status, url: error.url.to_string(), why: words.into_text() }
        }
        None => error.into(),
    }
}
