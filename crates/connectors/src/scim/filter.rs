//! Looking an account up by name: `userName eq` and `externalId eq` (RFC 7644, 3.4.2.2), and only
//! where the server was shown to apply such a filter in this run. Some ignore filters and answer
//! with everybody; some answer with nobody whatever is asked.

use chrono::{DateTime, Utc};
use data_encoding::HEXLOWER;
use domain::{Account, Folded, Request, Rows, SystemId, Text};
use outbound::Reader;
use sha2::{Digest as _, Sha256};

use super::wire;
use crate::files::Profile;
use crate::page::Pages;
use crate::path::encoded;

/// What a filter may ask for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Attribute {
    /// `userName`, compared in any case.
    UserName,
    /// `externalId`, compared exactly.
    ExternalId,
}

impl Attribute {
    /// Its name in a filter.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::UserName => "userName",
            Self::ExternalId => "externalId",
        }
    }

    fn of(self, account: &Account) -> Option<&str> {
        match self {
            Self::UserName => account.user_name.as_deref(),
            Self::ExternalId => account.external_id.as_deref(),
        }
    }

    fn is(self, account: &Account, value: &str) -> bool {
        match (self, self.of(account)) {
            (_, None) => false,
            (Self::UserName, Some(name)) => {
                Folded::new(value).is_some() && Folded::new(name) == Folded::new(value)
            }
            (Self::ExternalId, Some(id)) => id == value,
        }
    }
}

/// Whether filters were shown to work in this run.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Filters {
    /// `userName eq`.
    pub user_name: Trust,
    /// `externalId eq`.
    pub external_id: Trust,
    /// The requests behind it.
    pub requests: Vec<Request>,
}

/// Whether one filter can be believed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Trust {
    /// A known value brought that very account, and a value that cannot exist brought nobody.
    Works,
    /// Not shown to.
    Fails {
        /// What it did instead.
        why: String,
    },
}

/// What looking one account up brought.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Lookup {
    /// Nobody has that name.
    Nothing,
    /// The account of this id.
    Found(Text),
    /// Cannot be said.
    Unknown {
        /// Why.
        why: String,
    },
}

/// Asks one server with filters.
pub(super) struct Filtering<'f> {
    pub(super) reader: &'f Reader,
    pub(super) mapping: &'f Profile,
    pub(super) system: &'f SystemId,
    /// Makes the value that cannot exist another one in each run.
    pub(super) now: DateTime<Utc>,
    pub(super) requests: Vec<Request>,
}

impl Filtering<'_> {
    /// Tries one filter with a known account and with a value that cannot exist.
    pub(super) async fn prove(&mut self, attribute: Attribute, known: &[Account]) -> Trust {
        let name = attribute.name();
        let fails = |why: String| Trust::Fails { why };
        let with_value = known.iter().find_map(|it| Some((it, attribute.of(it)?)));
        let Some((account, value)) = with_value else {
            return fails(format!("no account has an `{name}` to try it with"));
        };
        match self.ask(attribute, value).await {
            Ok(found)
                if found.len() == 1 && found.first().is_some_and(|it| it.id == account.id) => {}
            Ok(found) => {
                let n = found.len();
                return fails(format!(
                    "`{name} eq` of a known account brought {n} accounts, not that one: filters are ignored or do not work"
                ));
            }
            Err(why) => return fails(format!("`{name} eq` of a known account: {why}")),
        }
        match self.ask(attribute, &impossible(self.now, account)).await {
            Ok(found) if found.is_empty() => Trust::Works,
            Ok(found) => {
                let n = found.len();
                fails(format!(
                    "`{name} eq` of a value that cannot exist brought {n} accounts: filters are ignored"
                ))
            }
            Err(why) => fails(format!("`{name} eq` of a value that cannot exist: {why}")),
        }
    }

    /// Looks for the account with this value. `trust`: what [`Filtering::prove`] said.
    pub(super) async fn find(
        &mut self,
        attribute: Attribute,
        value: &str,
        trust: &Trust,
    ) -> Lookup {
        if let Trust::Fails { why } = trust {
            return Lookup::Unknown { why: why.clone() };
        }
        match self.ask(attribute, value).await {
            Err(why) => Lookup::Unknown { why },
            Ok(found) => match found.as_slice() {
                [] => Lookup::Nothing,
                [one] if attribute.is(one, value) => Lookup::Found(one.id.clone()),
                more => Lookup::Unknown {
                    why: format!("{} accounts came, and not the one of that value", more.len()),
                },
            },
        }
    }

    /// Sends one filter. Gives the accounts of the answer, which must be one whole page.
    async fn ask(&mut self, attribute: Attribute, value: &str) -> Result<Vec<Account>, String> {
        let path = format!("Users?filter={}", encoded(&filter(attribute, value)));
        let mut answer = match self.reader.get(&path).await {
            Ok(answer) => answer,
            Err(error) => {
                self.requests.extend(error.requests.into_iter().map(nameless));
                return Err(error.kind.to_string());
            }
        };
        let request = answer.requests.pop().map(nameless);
        self.requests.extend(answer.requests.drain(..).map(nameless));
        let Some(request) = request else { return Err("no request was sent".to_owned()) };
        if !answer.is_success() {
            self.requests.push(request);
            let kind = wire::error(&answer.body).and_then(|it| it.kind);
            let kind = kind.map_or(String::new(), |it| format!(" ({it})"));
            return Err(format!("HTTP {}{kind}", answer.status));
        }
        let mut pages = Pages::new(self.mapping, false);
        let seen = pages.page(request, &answer.body);
        let read = pages.finish(self.system);
        self.requests.extend(read.requests);
        let seen = seen.map_err(|error| error.to_string())?;
        if seen.total.is_some_and(|it| it != seen.n_rows) {
            return Err("the answer states another number of accounts than it has".to_owned());
        }
        Ok(match read.lists.into_iter().next().map(|it| it.rows) {
            Some(Rows::Accounts(accounts)) => accounts.to_vec(),
            _ => Vec::new(),
        })
    }
}

/// A request as it is kept: filters hold names of people, and only their attribute stays.
fn nameless(mut request: Request) -> Request {
    if let Some((before, filter)) = request.url.split_once("filter=") {
        let attribute = filter.split(['%', '+', ' ']).next().unwrap_or_default();
        request.url = format!("{before}filter={attribute}%20eq%20***").into();
    }
    request
}

/// A filter for one value. Values are JSON strings (RFC 7644, 3.4.2.2).
fn filter(attribute: Attribute, value: &str) -> String {
    format!("{} eq {}", attribute.name(), serde_json::Value::from(value))
}

/// A value that no account has: another one in each run, below a top-level domain that is
/// never given out (RFC 2606, 2).
fn impossible(now: DateTime<Utc>, account: &Account) -> String {
    let now = now.timestamp_nanos_opt().unwrap_or_default().to_be_bytes();
    let digest = Sha256::new().chain_update(now).chain_update(account.id.as_bytes()).finalize();
    let hex = HEXLOWER.encode(digest.get(..12).unwrap_or_default());
    format!("{hex}@nobody.invalid")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn values_are_quoted_as_json_strings() {
        for (value, wanted) in [
            ("bob@x.test", r#"userName eq "bob@x.test""#),
            (r#"o"h\a"#, r#"userName eq "o\"h\\a""#),
            (r#"" or id pr or userName eq ""#, r#"userName eq "\" or id pr or userName eq \"""#),
        ] {
            assert_eq!(filter(Attribute::UserName, value), wanted);
        }
    }
}
