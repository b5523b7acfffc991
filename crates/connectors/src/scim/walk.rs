//! One walk over `GET /Users`, page by page: by index (RFC 7644, 3.4.2.4) or by cursor
//! (RFC 9865, 2), as the server says and shows. Stops when a page adds nothing new.

use chrono::{DateTime, Utc};
use domain::{Rows, SystemId};
use outbound::{Answer, Reader};

use super::proof::{End, Seen};
use super::wire::{self, Next, Service};
use crate::files::Profile;
use crate::live::LiveError;
use crate::page::{PageSeen, Pages, PagesRead};
use crate::path::encoded;

/// All that one walk brought.
pub(super) struct Walked {
    /// Rows and requests.
    pub(super) read: PagesRead,
    /// What its pages said.
    pub(super) seen: Seen,
    /// When its first request was sent; `None` when no answer came.
    pub(super) began_at: Option<DateTime<Utc>>,
    /// Why nothing could be read at all; `None` once there was one page.
    pub(super) error: Option<LiveError>,
    /// How the pages were asked for, for the report.
    pub(super) paging: &'static str,
}

/// Where the next page is.
enum At {
    /// `startIndex`, from 1.
    Index(u64),
    /// The first page, by cursor.
    FirstCursor,
    /// `nextCursor` of the page before.
    Cursor(String),
}

/// What comes after a page.
enum Step {
    Go(At),
    End(End),
}

struct Walk<'w> {
    pages: Pages<'w>,
    seen: Seen,
    began_at: Option<DateTime<Utc>>,
    /// Rows so far, whatever they say.
    n_rows: u64,
    /// A page that can hold no more: as asked for, or less by the server's word.
    page_max: u64,
    /// Whether a page led to another by cursor.
    has_cursor: bool,
    /// Whether the list is whole by its own word, and the page that is asked for lies behind it.
    is_behind: bool,
    error: Option<LiveError>,
}

/// Walks once, in pages of at most `count` rows.
pub(super) async fn walk(
    reader: &Reader,
    mapping: &Profile,
    system: &SystemId,
    service: &Service,
    count: u32,
) -> Walked {
    let count = service.max_page_size.map_or(u64::from(count), |it| it.min(u64::from(count)));
    let page_max = service.max_results.map_or(count, |it| it.min(count));
    let mut walk = Walk {
        pages: Pages::new(mapping, false),
        seen: Seen { count: page_max, ..Seen::default() },
        began_at: None,
        n_rows: 0,
        page_max,
        has_cursor: false,
        is_behind: false,
        error: None,
    };
    let mut at = if service.cursor == Some(true) { At::FirstCursor } else { At::Index(1) };
    let end = loop {
        match walk.page(reader, &at, count).await {
            Step::Go(next) => at = next,
            Step::End(end) => break end,
        }
    };
    walk.finish(system, end)
}

impl Walk<'_> {
    async fn page(&mut self, reader: &Reader, at: &At, count: u64) -> Step {
        let path = match at {
            At::Index(start) => format!("Users?startIndex={start}&count={count}"),
            At::FirstCursor => format!("Users?cursor=&count={count}"),
            At::Cursor(cursor) => format!("Users?count={count}&cursor={}", encoded(cursor)),
        };
        match reader.get(&path).await {
            Ok(answer) => self.answer(at, answer),
            Err(mut error) => {
                for request in std::mem::take(&mut error.requests) {
                    self.pages.attempt(request);
                }
                // The page is named by its number: an error names its URL itself.
                let why = format!("page {} did not come: {error}: {}", self.number(), error.kind);
                self.broken(why, error.into())
            }
        }
    }

    fn answer(&mut self, at: &At, mut answer: Answer) -> Step {
        self.began_at = self.began_at.or(Some(answer.sent_at));
        let request = answer.requests.pop();
        for attempt in answer.requests.drain(..) {
            self.pages.attempt(attempt);
        }
        let Some(request) = request else {
            let why = format!("page {} came without a request", self.number());
            let error = LiveError::NoList { url: "Users".to_owned(), why: why.clone() };
            return self.broken(why, error);
        };
        let url = request.url.to_string();
        if !answer.is_success() {
            self.pages.attempt(request);
            return self.refused(at, &answer, url);
        }
        let seen = match self.pages.page(request, &answer.body) {
            Ok(seen) => seen,
            Err(error) => {
                let why = format!("page {}: {error}", self.number());
                let next = "look at what the server answers there";
                let error = LiveError::NoList { url, why: format!("{error}: {next}") };
                return self.broken(why, error);
            }
        };
        let next = wire::list(&answer.body).map_or(Next::Unusable, |it| it.next);
        self.after(at, seen, next)
    }

    /// Counts a page, and says what comes after it.
    fn after(&mut self, at: &At, page: PageSeen, next: Next) -> Step {
        let number = self.number();
        let PageSeen { n_rows, n_unread, n_new_ids, total, has_next: _ } = page;
        if self.is_behind && n_new_ids == 0 {
            // Nothing there, or the first page again, whatever total it states: the end is the end.
            return Step::End(End::Total);
        }
        self.is_behind = false;
        self.seen.totals.push(total);
        self.seen.n_ids += n_new_ids;
        self.n_rows += n_rows;
        let adds_nothing = n_rows > 0 && n_new_ids == 0;
        if !adds_nothing {
            self.seen.n_repeated += n_rows.saturating_sub(n_new_ids + n_unread);
        }
        self.seen.n_full += u64::from(n_rows > 0);
        self.seen.page_rows = self.seen.page_rows.max(n_rows);
        let is_over = total.is_some_and(|it| self.seen.n_ids > it);
        match next {
            Next::Unusable => Step::End(End::Broken(format!(
                "page {number} leads on by something that is no cursor"
            ))),
            _ if adds_nothing => Step::End(End::NothingNew(number)),
            Next::Cursor(_) if n_rows == 0 => Step::End(End::NothingNew(number)),
            Next::Cursor(_) if is_over => Step::End(End::Total),
            Next::Cursor(cursor) => {
                self.has_cursor = true;
                Step::Go(At::Cursor(cursor))
            }
            Next::NotStated if self.has_cursor => Step::End(End::NoCursor),
            Next::NotStated => self.by_index(at, n_rows, total),
        }
    }

    /// What comes after a page without a cursor.
    fn by_index(&mut self, at: &At, n_rows: u64, total: Option<u64>) -> Step {
        let next = Step::Go(At::Index(self.n_rows + 1));
        match total {
            // A total that is just one full page may be the page's own: look behind it.
            Some(total) if self.seen.n_ids >= total => {
                self.is_behind = self.seen.totals.len() == 1 && n_rows == self.page_max;
                if self.is_behind { next } else { Step::End(End::Total) }
            }
            None if matches!(at, At::FirstCursor) => Step::End(End::NoCursor),
            // A server that takes no notice of `cursor` shows its first page by index.
            _ if n_rows == 0 => Step::End(End::EmptyPage),
            _ => next,
        }
    }

    fn refused(&mut self, at: &At, answer: &Answer, url: String) -> Step {
        let status = answer.status;
        let error = wire::error(&answer.body);
        let kind = error.and_then(|it| it.kind);
        // A server that does not do what it says of cursors: ask by index.
        if matches!(at, At::FirstCursor) && matches!(status, 400 | 404 | 405 | 501) {
            return Step::Go(At::Index(1));
        }
        let said = kind.as_deref().map_or(String::new(), |it| format!(" ({it})"));
        // Some servers refuse to look behind the end of a list.
        if self.is_behind && matches!(status, 400 | 404 | 416) {
            return Step::End(End::Total);
        }
        let why = format!("page {} was refused with HTTP {status}{said}", self.number());
        // RFC 9865, 2.1: the list must be begun anew.
        if matches!(kind.as_deref(), Some("expiredCursor" | "invalidCursor")) {
            return Step::End(End::Expired(why));
        }
        self.broken(why, refusal(status, url, &said))
    }

    fn broken(&mut self, why: String, error: LiveError) -> Step {
        if self.seen.totals.is_empty() {
            self.error = Some(error);
        }
        Step::End(End::Broken(why))
    }

    /// The number of the page that is being read, from 1.
    fn number(&self) -> usize {
        self.seen.totals.len() + 1
    }

    fn finish(mut self, system: &SystemId, end: End) -> Walked {
        let is_by_cursor = self.has_cursor || end == End::NoCursor;
        let paging = if is_by_cursor { "by cursor" } else { "by index" };
        self.seen.end = end;
        let read = self.pages.finish(system);
        let n_conflicts = read.lists.first().map_or(0, |it| it.conflicts.len());
        self.seen.n_conflicts = n_conflicts as u64;
        self.seen.n_nameless = read.lists.iter().map(|it| it.n_silent + n_nameless(&it.rows)).sum();
        self.seen.unread.clone_from(&read.unread);
        Walked { read, seen: self.seen, began_at: self.began_at, error: self.error, paging }
    }
}

fn n_nameless(rows: &Rows) -> u64 {
    let Rows::Accounts(accounts) = rows else { return 0 };
    let nameless = accounts
        .iter_packed()
        .filter(|it| it.user_name.is_none() && it.external_id.is_none() && it.email.is_none());
    nameless.count() as u64
}

/// Why a server refuses the list, and what to do.
pub(super) fn refusal(status: u16, url: String, said: &str) -> LiveError {
    let why = match status {
        401 => {
            "the SCIM token is not accepted: look whether what `token` refers to holds it as the app shows it; before you make another, find out whether that ends the one that provisioning uses"
        }
        403 => "the SCIM token may not list users: ask in the app for one that may",
        404 => "there is no `Users` here: correct the base URL, which mostly ends in /scim/v2",
        _ => "the server will not list users: look at its documentation of `GET /Users`",
    };
    let why = format!("{why}{said}");
    match status {
        401 => LiveError::Credential { status, url, why },
        _ => LiveError::Refused { status, url, why },
    }
}
