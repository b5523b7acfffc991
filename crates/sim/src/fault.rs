//! What can go wrong between a system and its reader, by name, and when. A fault either stands in
//! for the answer, or bends the list in it, or spoils it on the way.

mod book;
mod instead;

use std::time::Duration;

use crate::endpoint::Endpoint;

pub(crate) use book::Book;
pub(crate) use instead::instead;

/// Something that goes wrong.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Fault {
    /// 429, and how it says how long to wait.
    TooMany(Wait),
    /// A server error, with the body that the system gives it.
    Broken(u16),
    /// A refusal, with the body that the system gives it: 401, 403, 404.
    Refused(u16),
    /// Okta's 503 for planned maintenance, E0000010: reading works again on the next try.
    ReadOnly,
    /// A page for people instead of data, with this status.
    Html(u16),
    /// Sends the reader elsewhere.
    Redirect(Place),
    /// Bytes that are no JSON, called JSON.
    Garbage,
    /// `200 {}`
    EmptyObject,
    /// A body of so many bytes.
    Huge(u64),
    /// A small body that unpacks to so many bytes.
    GzipBomb(u64),
    /// 401, and the access token that was sent is dead from then on. A new one works; an API token,
    /// which cannot be replaced, is refused only where this strikes.
    TokenDies,
    /// No answer at all.
    Silent,
    /// The body comes 64 bytes at a time, with this pause between.
    Slow(Duration),
    /// The connection ends in the middle of the body.
    CutBody,
    /// The link to the page has expired: 400, Directory_ExpiredPageToken. Later pages of Graph.
    ExpiredPage,
    /// Every member of every row is null, but the id.
    Nulls,
    /// Every text, number and boolean of every row is null, but the id; objects stay.
    NullLeaves,
    /// The list ends after half of its rows. A stated total tells the truth.
    ShortList,
    /// The list ends after half of its rows, and the total agrees with that.
    ShortTotal,
    /// The list has no row, and says so.
    EmptyList,
    /// The list changes each time before a later page is read.
    Changes(Change),
    /// Each later page repeats the one before it.
    RepeatedPage,
    /// The next page is elsewhere. Lists with links only, and pages that have a next one.
    NextElsewhere(Place),
    /// The list never ends; its rows are new ones.
    EndlessList,
    /// The last page has a next one, which is empty. Lists whose pages lead on by themselves.
    EmptyLastPage,
}

/// How a 429 says how long to wait.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Wait {
    /// Okta: `X-Rate-Limit-Reset` in epoch seconds, by a server whose clock is `skew_s` ahead of
    /// true time, and whose `Date` shows the same.
    Reset {
        /// Until the window ends.
        wait_s: u32,
        /// Of both headers. Negative: behind.
        skew_s: i32,
    },
    /// Okta: too many at once. Limit and remaining are 0; the reset, an hour away, means nothing.
    Concurrency,
    /// OneLogin: `X-RateLimit-Reset` in seconds left.
    Left(u32),
    /// `Retry-After` in whole seconds (RFC 9110, 10.2.3).
    Seconds(u32),
    /// `Retry-After` in milliseconds, written as seconds with a fraction.
    Fraction(u32),
    /// `Retry-After` as an HTTP date, by a server whose clock is ahead.
    Date {
        /// Until the date.
        wait_s: u32,
        /// Of date and `Date` header. Negative: behind.
        skew_s: i32,
    },
    /// It does not say.
    Unsaid,
}

/// Somewhere a reader must not go.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Place {
    /// Another name for this machine, another port.
    OtherHost,
    /// The same address, another port.
    OtherPort,
    /// The same server, outside the path of the API.
    OutsidePrefix,
}

/// How a list changes while it is read.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Change {
    /// The row that was read first is taken away: by index, later rows move up and one is missed.
    Removed,
    /// A row is added where the reader has already been.
    Added,
    /// One is taken away and one is added: the total does not move.
    Swapped,
}

/// When a fault strikes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct When {
    /// Requests that it leaves alone first.
    pub skip: u64,
    /// Requests that it then strikes; `None`: all.
    pub times: Option<u64>,
}

impl When {
    /// Every request.
    #[must_use]
    pub fn always() -> Self {
        Self { skip: 0, times: None }
    }

    /// The next `times` requests.
    #[must_use]
    pub fn next(times: u64) -> Self {
        Self { skip: 0, times: Some(times) }
    }

    /// Every request after the next `skip`.
    #[must_use]
    pub fn after(skip: u64) -> Self {
        Self { skip, times: None }
    }
}

/// A fault, where and when.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Plan {
    /// Where.
    pub endpoint: Endpoint,
    /// What.
    pub fault: Fault,
    /// When.
    pub when: When,
}

/// Every kind of fault with its name, in the size in which a description switches it on.
pub const FAULTS: &[(&str, Fault)] = &[
    ("429-reset", Fault::TooMany(Wait::Reset { wait_s: 1, skew_s: 0 })),
    ("429-reset-ahead", Fault::TooMany(Wait::Reset { wait_s: 1, skew_s: 600 })),
    ("429-reset-behind", Fault::TooMany(Wait::Reset { wait_s: 1, skew_s: -600 })),
    ("429-concurrency", Fault::TooMany(Wait::Concurrency)),
    ("429-left", Fault::TooMany(Wait::Left(1))),
    ("429-seconds", Fault::TooMany(Wait::Seconds(1))),
    ("429-fraction", Fault::TooMany(Wait::Fraction(250))),
    ("429-date", Fault::TooMany(Wait::Date { wait_s: 1, skew_s: 0 })),
    ("429-date-ahead", Fault::TooMany(Wait::Date { wait_s: 1, skew_s: 600 })),
    ("429-unsaid", Fault::TooMany(Wait::Unsaid)),
    ("500", Fault::Broken(500)),
    ("502", Fault::Broken(502)),
    ("503", Fault::Broken(503)),
    ("504", Fault::Broken(504)),
    ("401", Fault::Refused(401)),
    ("403", Fault::Refused(403)),
    ("404", Fault::Refused(404)),
    ("read-only", Fault::ReadOnly),
    ("html-200", Fault::Html(200)),
    ("html-404", Fault::Html(404)),
    ("redirect-other-host", Fault::Redirect(Place::OtherHost)),
    ("redirect-other-port", Fault::Redirect(Place::OtherPort)),
    ("redirect-outside", Fault::Redirect(Place::OutsidePrefix)),
    ("garbage", Fault::Garbage),
    ("empty-object", Fault::EmptyObject),
    ("huge-body", Fault::Huge(2 << 30)),
    ("gzip-bomb", Fault::GzipBomb(2 << 30)),
    ("token-dies", Fault::TokenDies),
    ("expired-page", Fault::ExpiredPage),
    ("silent", Fault::Silent),
    ("slow", Fault::Slow(Duration::from_millis(100))),
    ("cut-body", Fault::CutBody),
    ("nulls", Fault::Nulls),
    ("null-leaves", Fault::NullLeaves),
    ("empty-list", Fault::EmptyList),
    ("short-list", Fault::ShortList),
    ("short-total", Fault::ShortTotal),
    ("row-removed", Fault::Changes(Change::Removed)),
    ("row-added", Fault::Changes(Change::Added)),
    ("row-swapped", Fault::Changes(Change::Swapped)),
    ("repeated-page", Fault::RepeatedPage),
    ("next-other-host", Fault::NextElsewhere(Place::OtherHost)),
    ("next-other-port", Fault::NextElsewhere(Place::OtherPort)),
    ("next-outside", Fault::NextElsewhere(Place::OutsidePrefix)),
    ("endless-list", Fault::EndlessList),
    ("empty-last-page", Fault::EmptyLastPage),
];

impl Fault {
    /// The fault of this name in [`FAULTS`].
    #[must_use]
    pub fn named(name: &str) -> Option<Self> {
        FAULTS.iter().find(|(it, _)| *it == name).map(|it| it.1)
    }

    /// A short name of its kind.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::TooMany(_) => "429",
            Self::Broken(_) => "broken",
            Self::Refused(_) => "refused",
            Self::ReadOnly => "read-only",
            Self::Html(_) => "html",
            Self::Redirect(_) => "redirect",
            Self::Garbage => "garbage",
            Self::EmptyObject => "empty-object",
            Self::Huge(_) => "huge-body",
            Self::GzipBomb(_) => "gzip-bomb",
            Self::TokenDies => "token-dies",
            Self::ExpiredPage => "expired-page",
            Self::Silent => "silent",
            Self::Slow(_) => "slow",
            Self::CutBody => "cut-body",
            Self::Nulls => "nulls",
            Self::NullLeaves => "null-leaves",
            Self::EmptyList => "empty-list",
            Self::ShortList => "short-list",
            Self::ShortTotal => "short-total",
            Self::Changes(_) => "changes",
            Self::RepeatedPage => "repeated-page",
            Self::NextElsewhere(_) => "next-elsewhere",
            Self::EndlessList => "endless-list",
            Self::EmptyLastPage => "empty-last-page",
        }
    }

    /// Does it stand in for the answer, so that there is no list left to bend?
    pub(crate) fn stands_in(self) -> bool {
        match self {
            Self::TooMany(_)
            | Self::Broken(_)
            | Self::Refused(_)
            | Self::ReadOnly
            | Self::Html(_)
            | Self::Redirect(_)
            | Self::Garbage
            | Self::EmptyObject
            | Self::Huge(_)
            | Self::GzipBomb(_)
            | Self::TokenDies
            | Self::ExpiredPage
            | Self::Silent => true,
            Self::Slow(_)
            | Self::CutBody
            | Self::Nulls
            | Self::NullLeaves
            | Self::EmptyList
            | Self::ShortList
            | Self::ShortTotal
            | Self::Changes(_)
            | Self::RepeatedPage
            | Self::NextElsewhere(_)
            | Self::EndlessList
            | Self::EmptyLastPage => false,
        }
    }

    /// Can it strike there at all? One that cannot would prove nothing.
    #[must_use]
    pub fn fits(self, endpoint: Endpoint) -> bool {
        match self {
            Self::ReadOnly | Self::TooMany(Wait::Reset { .. } | Wait::Concurrency) => {
                endpoint.is_okta()
            }
            Self::TooMany(Wait::Left(_)) => endpoint.is_onelogin(),
            Self::NextElsewhere(_) => {
                endpoint.is_okta() && endpoint.is_list() || endpoint.is_entra_list()
            }
            Self::EmptyLastPage => {
                endpoint.is_list() && !endpoint.is_scim() && !endpoint.is_secureframe()
            }
            Self::ExpiredPage => endpoint.is_entra_list(),
            Self::Changes(_) => matches!(
                endpoint,
                Endpoint::OktaUsers
                    | Endpoint::OktaAppUsers
                    | Endpoint::ScimUsers
                    | Endpoint::SecureframeUsers
                    | Endpoint::EntraUsers
                    | Endpoint::EntraAssigned
                    | Endpoint::OneLoginUsers
                    | Endpoint::OneLoginAppUsers
            ),
            Self::EmptyList => {
                endpoint.is_list()
                    || matches!(
                        endpoint,
                        Endpoint::EntraApps
                            | Endpoint::EntraUserAssigned
                            | Endpoint::OneLoginUserApps
                    )
            }
            Self::ShortList | Self::ShortTotal | Self::RepeatedPage | Self::EndlessList => {
                endpoint.is_list()
            }
            Self::TokenDies => !endpoint.gives_tokens(),
            _ => true,
        }
    }
}
