//! Walks one list of Okta from its first page to the page that leads to no other.
//!
//! Okta states no total. The end of a list is the page without a `next` link; a short page is
//! none. *Partial* means that this page was not reached, that a page brought nothing new, or that
//! the list changed while it was read, also when it was read again.

use chrono::{DateTime, Utc};
use domain::{
    AsOf, AsOfBasis, Coverage, IdForm, Proof, Request, RowOrigin, Snapshot, Stream, SystemId,
};
use outbound::{Answer, Reader};
use rustc_hash::FxHashSet;

use super::link;
use super::refusal::{self, Asked, url_of};
use crate::files::Profile;
use crate::live::{Bodies, LiveError};
use crate::page::{ListRead, Pages, PagesRead};

/// Pairs of contradicting rows that a reason names; more are counted.
const CONFLICTS_MAX: usize = 5;

/// Which list, and how it is read.
#[derive(Clone, Copy)]
pub(super) struct Plan<'p> {
    pub(super) system: &'p SystemId,
    pub(super) profile: &'p Profile,
    /// The first page; the others are where the answers say.
    pub(super) path: &'p str,
    pub(super) asked: Asked,
    /// Whether the identities that its rows name are read elsewhere.
    pub(super) skips_identities: bool,
}

/// What became of a walk.
#[derive(Debug)]
pub(super) struct Walked {
    pub(super) list: ListRead,
    pub(super) requests: Vec<Request>,
    /// When the first answer was asked for; `None`: nothing was answered.
    pub(super) began_at: Option<DateTime<Utc>>,
    /// Which rows could not be read; `None`: each could.
    pub(super) unread: Option<String>,
    pub(super) end: End,
}

/// How a walk ended.
#[derive(Debug)]
pub(super) enum End {
    /// At the last page.
    Whole,
    /// The list changed, or repeats itself: another walk may do better. Why, for the operator.
    Changed(String),
    /// An answer did not come or is none.
    Broken(LiveError),
}

/// Reads a list; once more from the start when it changed on the way. The requests of a first
/// walk that was given up go to `others`.
pub(super) async fn walk(
    reader: &Reader,
    plan: Plan<'_>,
    others: &mut Vec<Request>,
) -> Option<Walked> {
    let first = once(reader, plan).await?;
    if matches!(first.end, End::Changed(_)) {
        again(reader, plan, first, others).await
    } else {
        Some(first)
    }
}

/// Reads a list again that changed while it was read. What was read first stands where the
/// second walk brings less.
pub(super) async fn again(
    reader: &Reader,
    plan: Plan<'_>,
    first: Walked,
    others: &mut Vec<Request>,
) -> Option<Walked> {
    let mut second = once(reader, plan).await?;
    if !second.is_whole() && (first.is_whole() || second.list.rows.is_empty()) {
        others.extend(second.requests);
        return Some(first);
    }
    others.extend(first.requests);
    second.list.notes.push("the list changed while it was read, and was read again".to_owned());
    Some(second)
}

/// Walks once. `None`: the profile gives no list.
async fn once(reader: &Reader, plan: Plan<'_>) -> Option<Walked> {
    let mut pages = Pages::new(plan.profile, plan.skips_identities);
    let followed = follow(reader, plan.path, plan.asked, &mut |request, body| match body {
        Some(body) => {
            let seen = pages.page(request, body).map_err(|error| error.what)?;
            Ok(Counts { n_rows: seen.n_rows, n_new: seen.n_new_ids })
        }
        None => {
            pages.attempt(request);
            Ok(Counts::default())
        }
    })
    .await;
    let PagesRead { lists, requests, unread } = pages.finish(plan.system);
    let list = lists.into_iter().next()?;
    let end = match followed.end {
        End::Whole => unsteady(&list, &requests).map_or(End::Whole, End::Changed),
        other => other,
    };
    Some(Walked { list, requests, began_at: followed.began_at, unread, end })
}

/// Rows of one page, and those that no page before it had.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Counts {
    pub(super) n_rows: u64,
    pub(super) n_new: u64,
}

/// How following a list ended.
pub(super) struct Followed {
    /// When the first answer was asked for; `None`: nothing was answered.
    pub(super) began_at: Option<DateTime<Utc>>,
    pub(super) end: End,
}

/// Takes one request: with the body of a page, or one that brought no page.
pub(super) type Take<'t> = dyn FnMut(Request, Option<&[u8]>) -> Result<Counts, String> + Send + 't;

/// Follows a list from page to page until no page is next.
pub(super) async fn follow(
    reader: &Reader,
    path: &str,
    asked: Asked,
    take: &mut Take<'_>,
) -> Followed {
    let mut began_at = None;
    let mut links = FxHashSet::default();
    let mut next: Option<String> = None;
    let end = loop {
        let answered = match &next {
            None => reader.get(path).await,
            Some(url) => reader.follow(url).await,
        };
        let answer = match answered {
            Ok(answer) => answer,
            Err(mut error) => {
                attempts(std::mem::take(&mut error.requests), take);
                break End::Broken(refusal::of_error(error, asked));
            }
        };
        began_at = began_at.or(Some(answer.sent_at));
        match page(answer, asked, take) {
            Step::Next(url) if links.insert(url.clone()) => next = Some(url),
            Step::Next(_) => {
                break End::Changed("a page leads back to one that was read before".to_owned());
            }
            Step::End(end) => break end,
        }
    };
    Followed { began_at, end }
}

/// Where a list goes on.
enum Step {
    Next(String),
    End(End),
}

/// Takes one answer.
fn page(mut answer: Answer, asked: Asked, take: &mut Take<'_>) -> Step {
    if !answer.is_success() {
        let error = refusal::of_answer(&answer, asked);
        attempts(answer.requests, take);
        return Step::End(End::Broken(error));
    }
    let url = url_of(&answer.requests);
    let no_list = |why: String| {
        let why = format!("{why}: {WHO_ANSWERS}");
        Step::End(End::Broken(LiveError::NoList { url, why }))
    };
    let Some(request) = answer.requests.pop() else {
        return no_list("no request is behind it".to_owned());
    };
    let next = link::of(&answer);
    attempts(answer.requests, take);
    let counts = match take(request, Some(&answer.body)) {
        Ok(counts) => counts,
        Err(what) => return no_list(what),
    };
    if counts.n_rows > 0 && counts.n_new == 0 {
        let why = "a page brought only rows that were read before".to_owned();
        return Step::End(End::Changed(why));
    }
    match next {
        Ok(Some(next)) => Step::Next(next),
        Ok(None) => Step::End(End::Whole),
        Err(error) => no_list(error.to_string()),
    }
}

fn attempts(requests: Vec<Request>, take: &mut Take<'_>) {
    for request in requests {
        // Nothing is read from a request without a page.
        drop(take(request, None));
    }
}

/// What to do about an answer that is no list.
pub(super) const WHO_ANSWERS: &str = "check the base URL and what stands between here and Okta";

/// What the rows of a list that was read to its end say against it: somebody who came twice
/// moved between pages, and where one moved another may have been missed.
fn unsteady(list: &ListRead, requests: &[Request]) -> Option<String> {
    let place = |origin: &RowOrigin| {
        let request = usize::try_from(origin.request).ok().and_then(|it| requests.get(it));
        format!("row {} of `{}`", origin.line, request.map_or("?", |it| &it.url))
    };
    let shown: Vec<String> = list
        .conflicts
        .iter()
        .take(CONFLICTS_MAX)
        .map(|(kept, other)| format!("{} and {}", place(kept), place(other)))
        .collect();
    let n_more = list.conflicts.len().saturating_sub(shown.len());
    let more = if n_more > 0 { format!(", and {n_more} more pairs") } else { String::new() };
    if !shown.is_empty() {
        return Some(format!("the same id says different things in {}{more}", shown.join("; ")));
    }
    (list.n_repeated > 0).then(|| format!("rows that came twice: {}", list.n_repeated))
}

/// Why nothing was read, with the requests that were sent for it.
#[derive(Debug)]
pub(super) struct Unread {
    pub(super) error: Box<LiveError>,
    pub(super) requests: Vec<Request>,
}

impl Walked {
    /// Whether all of the list was read, and each row of it.
    pub(super) const fn is_whole(&self) -> bool {
        matches!(self.end, End::Whole) && self.unread.is_none()
    }

    /// Why nothing more need be asked of Okta; `None`: another request may fare better.
    pub(super) const fn ends_pull(&self) -> Option<&'static str> {
        match &self.end {
            End::Broken(error) => error.ends_pull(),
            End::Whole | End::Changed(_) => None,
        }
    }

    /// The snapshot with the raw bytes of its rows.
    ///
    /// # Errors
    ///
    /// Returns [`Unread`] when nothing was read.
    pub(super) fn into_snapshot(
        self,
        stream: Stream,
        id_form: Option<IdForm>,
        reasons: Vec<String>,
    ) -> Result<(Snapshot, Bodies), Unread> {
        let list = self.list;
        let reasons = match self.unread {
            Some(unread) => one_more(unread, reasons),
            None => reasons,
        };
        let coverage = match self.end {
            End::Whole => coverage(reasons),
            End::Changed(reason) => {
                coverage(one_more(format!("the list changed while it was read: {reason}"), reasons))
            }
            End::Broken(error) if list.rows.is_empty() => {
                return Err(Unread { error: Box::new(error), requests: self.requests });
            }
            End::Broken(error) => coverage(one_more(chain(&error), reasons)),
        };
        let Some(at) = self.began_at else {
            let why = "nothing was answered".to_owned();
            let error = Box::new(LiveError::NoList { url: url_of(&self.requests), why });
            return Err(Unread { error, requests: self.requests });
        };
        let snapshot = Snapshot {
            stream,
            as_of: AsOf { at, basis: AsOfBasis::Stated },
            coverage,
            population: list.population,
            id_form,
            rows: list.rows,
            origins: list.origins,
            requests: self.requests,
            notes: list.notes,
        };
        Ok((snapshot, list.bodies))
    }
}

fn coverage(reasons: Vec<String>) -> Coverage {
    if reasons.is_empty() {
        // Nothing is next: Okta states its end.
        Coverage::Complete(Proof::ReadToEnd)
    } else {
        Coverage::Partial { reason: reasons.join("; ") }
    }
}

fn one_more(reason: String, mut reasons: Vec<String>) -> Vec<String> {
    reasons.insert(0, reason);
    reasons
}

/// An error with all that caused it, as one line.
pub(super) fn chain(error: &dyn std::error::Error) -> String {
    let causes = std::iter::successors(error.source(), |it| it.source());
    causes.fold(error.to_string(), |text, cause| format!("{text}: {cause}"))
}
