//! What Secureframe means when it refuses, in words that say what to do, and how its list leads on.
//!
//! Source: Secureframe API 2023-10-18. The message of an error may hold anything: none is shown.

use outbound::{Answer, OutboundError};
use serde::Deserialize;
use serde_json::Value;

use super::paths;
use crate::live::LiveError;
use crate::refusal::{Words, of_answer, of_error};
use crate::walk::{Dialect, Turned};

/// Who answers.
pub(super) const VENDOR: &str = "Secureframe";

/// What was asked for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Asked {
    People(Order),
    Person,
}

/// The order of a list.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Order {
    /// By id, so that whoever is renamed stays in place.
    ById,
    /// As it is, where Secureframe takes no `sort`.
    AsItIs,
}

impl Dialect for Asked {
    fn vendor(&self) -> &'static str {
        VENDOR
    }

    fn shown(&self) -> &'static str {
        match self {
            Self::People(_) => "personnel",
            Self::Person => "one person",
        }
    }

    /// Pages are numbers, and one that is shorter than was asked for is no end. The end is a page
    /// without rows, or the total: not on the first page, where it may be the page's own.
    fn next(&self, answer: &Answer, page: Turned) -> Result<Option<String>, String> {
        let Self::People(order) = *self else { return Ok(None) };
        let is_over = page.n_rows == 0 || page.is_all && page.number > 1;
        let next = || answer.resolve(&paths::people(order, page.number + 1));
        Ok((!is_over).then(next))
    }

    fn looks_behind_end(&self) -> bool {
        true
    }

    /// A total that a full page reaches may be the page's own, of a list that takes no `page`.
    fn repeats_behind_end(&self, n_rows: u64) -> bool {
        n_rows < u64::from(paths::PAGE_ROWS)
    }

    fn total(&self, answer: &Answer) -> Option<u64> {
        let around: Around = serde_json::from_slice(&answer.body).ok()?;
        let total = around.meta?.total?;
        total.as_u64().or_else(|| total.as_str()?.trim().parse().ok())
    }

    fn refused(&self, answer: &Answer) -> LiveError {
        of_answer(answer, words(answer.status, *self), answer.status == 401)
    }

    fn failed(&self, error: OutboundError) -> LiveError {
        of_error(error, |status, _| Some(words(status, *self)))
    }

    /// Secureframe says why (`{"message": …}`). What comes without is of something in between, which
    /// knows nobody.
    fn says_gone(&self, answer: &Answer) -> bool {
        answer.status == 404 && serde_json::from_slice::<Said>(&answer.body).is_ok()
    }
}

/// What stands around the rows.
#[derive(Deserialize)]
struct Around {
    meta: Option<Meta>,
}

#[derive(Deserialize)]
struct Meta {
    total: Option<Value>,
}

/// How Secureframe writes what is wrong.
#[derive(Deserialize)]
struct Said {
    #[serde(rename = "message")]
    _message: String,
}

/// What an answer that is no success means.
pub(super) fn words(status: u16, asked: Asked) -> Words {
    const LATER: &str = "the next run asks again";
    let (means, next) = match status {
        401 => (
            "the API key and its secret are not accepted",
            "check that the key still exists, that its owner is active, and that `url` is your region's; else make a new key, and put its halves where `api_key` and `api_secret` refer to",
        ),
        403 => (
            "the owner of the API key may not read personnel",
            "give the owner a role in Secureframe that reads Personnel",
        ),
        404 if asked == Asked::Person => ("this is no answer of Secureframe's API", "check `url`"),
        404 => (
            "there is no list of people here",
            "check `url`: it is https://api.secureframe.com, or https://api-uk.secureframe.com in the United Kingdom",
        ),
        400 => ("Secureframe does not take the query", "report this"),
        429 => ("more than 500 requests a minute came from this address", LATER),
        500.. => ("Secureframe failed", LATER),
        _ => ("Secureframe refuses to answer", "look at its API, or report this"),
    };
    Words { means: means.to_owned(), next: next.to_owned() }
}
