//! Walks one list of an API from its first page to the page that leads to no other. How a page
//! leads on, and what a refusal means, is each vendor's [`Dialect`].
//!
//! The end of a list is the page that names no next one; a short page is none. *Partial* means
//! that this page was not reached, that a page brought nothing new, or that the list changed while
//! it was read, also when it was read again.

use chrono::{DateTime, Utc};
use domain::{
    AsOf, AsOfBasis, Coverage, IdForm, Proof, Request, RowOrigin, Snapshot, Stream, SystemId,
};
use outbound::{Answer, OutboundError, Reader};
use rustc_hash::FxHashSet;

use crate::files::Profile;
use crate::live::{Bodies, LiveError, chain};
use crate::page::{ListRead, Pages, PagesRead};
use crate::stated::Stated;

/// Pairs of contradicting rows that a reason names; more are counted.
const CONFLICTS_MAX: usize = 5;

/// How often a list is begun again whose pages expired while it was read.
const RESTARTS_MAX: u32 = 3;

/// What one vendor's lists have of their own.
pub(crate) trait Dialect: Sync {
    /// Who answers, for people.
    fn vendor(&self) -> &'static str;

    /// What is asked for, as words of a sentence.
    fn shown(&self) -> &'static str;

    /// Where the page after an answer is, in full. `None`: no page follows.
    ///
    /// # Errors
    ///
    /// Returns why that cannot be told.
    fn next(&self, answer: &Answer, page: Turned) -> Result<Option<String>, String>;

    /// Whether pages are asked for until one says that it is behind the end. Once as many rows were
    /// read as the list states, a page with nothing new is the end, and so is one that is refused;
    /// where it states nothing, one of which the source says that it is not there.
    fn looks_behind_end(&self) -> bool {
        false
    }

    /// Whether a page of so many rows behind the end may bring them again: where the total is
    /// surely that of the whole list.
    fn repeats_behind_end(&self, _n_rows: u64) -> bool {
        true
    }

    /// Names an answer that is no success.
    fn refused(&self, answer: &Answer) -> LiveError;

    /// Names a request without an answer.
    fn failed(&self, error: OutboundError) -> LiveError;

    /// Whether an answer is the source's own word that what was asked for by id is not there.
    fn says_gone(&self, answer: &Answer) -> bool;

    /// Whether an answer says that the link to this page is no longer good, so that the list must
    /// be begun again.
    fn is_expired(&self, _answer: &Answer) -> bool {
        false
    }

    /// How many rows the whole list has, by the answer's own word. `None`: it does not say.
    fn total(&self, _answer: &Answer) -> Option<u64> {
        None
    }

    /// Why there may be more behind a page of so many rows that leads to no other. `None`: it is
    /// the end.
    fn doubts_end(&self, _answer: &Answer, _n_rows: u64) -> Option<String> {
        None
    }

    /// The ids of the rows of a page, where several rows of one key are usual. `None`: a key comes
    /// once.
    fn row_ids(&self, _body: &[u8]) -> Option<Vec<String>> {
        None
    }
}

/// Where a walk is after a page.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Turned {
    /// The number of the page, from 1.
    pub(crate) number: u64,
    /// Its rows.
    pub(crate) n_rows: u64,
    /// Whether as many rows were read as each page states.
    pub(crate) is_all: bool,
}

/// Which list, and how it is read.
#[derive(Clone, Copy)]
pub(crate) struct Plan<'p> {
    pub(crate) system: &'p SystemId,
    pub(crate) profile: &'p Profile,
    /// The first page; the others are where the answers say.
    pub(crate) path: &'p str,
    pub(crate) dialect: &'p dyn Dialect,
    /// Whether the identities that its rows name are read elsewhere.
    pub(crate) skips_identities: bool,
    /// The group whose members are listed; `None`: it is another list.
    pub(crate) group: Option<&'p str>,
}

/// What became of a walk.
#[derive(Debug)]
pub(crate) struct Walked {
    pub(crate) list: ListRead,
    pub(crate) requests: Vec<Request>,
    /// When the first answer was asked for; `None`: nothing was answered.
    pub(crate) began_at: Option<DateTime<Utc>>,
    /// Which rows could not be read, or why there may be more; `None`: each could, and there are
    /// none.
    pub(crate) unread: Option<String>,
    /// Why it is all of the list, where it is.
    pub(crate) proof: Proof,
    pub(crate) end: End,
}

/// How a walk ended.
#[derive(Debug)]
pub(crate) enum End {
    /// At the last page.
    Whole,
    /// The list changed, or repeats itself: another walk may do better. Why, for the operator.
    Changed(String),
    /// A link to a page expired before it was followed: another walk may do better.
    Expired(LiveError),
    /// An answer did not come or is none.
    Broken(LiveError),
}

/// Reads a list; once more from the start when it changed on the way, and some times more where
/// its pages expire. The requests of walks that were given up go to `others`.
pub(crate) async fn walk(
    reader: &Reader,
    plan: Plan<'_>,
    others: &mut Vec<Request>,
) -> Option<Walked> {
    let first = unexpired(reader, plan, others).await?;
    if matches!(first.end, End::Changed(_)) {
        again(reader, plan, first, others).await
    } else {
        Some(first)
    }
}

/// Walks, from the start again as long as pages expire.
async fn unexpired(reader: &Reader, plan: Plan<'_>, others: &mut Vec<Request>) -> Option<Walked> {
    let mut walked = once(reader, plan).await?;
    for _ in 0..RESTARTS_MAX {
        if !matches!(walked.end, End::Expired(_)) {
            break;
        }
        others.append(&mut walked.requests);
        walked = once(reader, plan).await?;
    }
    Some(walked)
}

/// Reads a list again that changed while it was read. What was read first stands where the
/// second walk brings less.
pub(crate) async fn again(
    reader: &Reader,
    plan: Plan<'_>,
    first: Walked,
    others: &mut Vec<Request>,
) -> Option<Walked> {
    let mut second = unexpired(reader, plan, others).await?;
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
    let mut pages = match plan.group {
        Some(group) => Pages::of_group(plan.profile, group),
        None => Pages::new(plan.profile, plan.skips_identities),
    };
    let (mut ids, mut n_repeated, mut n_read) = (FxHashSet::default(), 0, 0);
    let followed = follow(reader, plan.path, plan.dialect, &mut |request, body| match body {
        Some(body) => {
            let seen = pages.page(request, body).map_err(|error| error.what)?;
            n_read += seen.n_new_ids + seen.n_unread;
            let Some(rows) = plan.dialect.row_ids(body) else {
                return Ok(Counts { n_rows: seen.n_rows, n_new: seen.n_new_ids });
            };
            let n_listed = rows.len();
            let n_new = rows.into_iter().filter(|it| ids.insert(it.clone())).count();
            n_repeated += n_listed - n_new;
            Ok(Counts { n_rows: seen.n_rows, n_new: n_new as u64 })
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
        End::Whole => match unsteady(&list, &requests, followed.stated.n_behind) {
            Some(why) => End::Changed(why),
            None if n_repeated > 0 => End::Changed(format!("rows that came twice: {n_repeated}")),
            None => followed.stated.contradicts(n_read).map_or(End::Whole, End::Changed),
        },
        other => other,
    };
    let (began_at, proof) = (followed.began_at, followed.stated.proof());
    let unread = both(unread, followed.stated.doubt);
    Some(Walked { list, requests, began_at, unread, proof, end })
}

/// Rows of one page, and those that no page before it had.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Counts {
    pub(crate) n_rows: u64,
    pub(crate) n_new: u64,
}

/// How following a list ended.
pub(crate) struct Followed {
    /// When the first answer was asked for; `None`: nothing was answered.
    pub(crate) began_at: Option<DateTime<Utc>>,
    pub(crate) stated: Stated,
    pub(crate) end: End,
}

/// Takes one request: with the body of a page, or one that brought no page.
pub(crate) type Take<'t> = dyn FnMut(Request, Option<&[u8]>) -> Result<Counts, String> + Send + 't;

/// Follows a list from page to page until no page is next.
pub(crate) async fn follow(
    reader: &Reader,
    path: &str,
    dialect: &dyn Dialect,
    take: &mut Take<'_>,
) -> Followed {
    let (mut began_at, mut stated) = (None, Stated::default());
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
                break End::Broken(dialect.failed(error));
            }
        };
        began_at = began_at.or(Some(answer.sent_at));
        match page(answer, dialect, &mut stated, take) {
            Step::Next(url) if links.insert(url.clone()) => next = Some(url),
            Step::Next(_) => {
                break End::Changed("a page leads back to one that was read before".to_owned());
            }
            Step::End(end) => break end,
        }
    };
    Followed { began_at, stated, end }
}

/// Where a list goes on.
enum Step {
    Next(String),
    End(End),
}

/// Takes one answer.
fn page(
    mut answer: Answer,
    dialect: &dyn Dialect,
    stated: &mut Stated,
    take: &mut Take<'_>,
) -> Step {
    if !answer.is_success() {
        if dialect.looks_behind_end() && is_behind_end(&answer, dialect, stated) {
            attempts(answer.requests, take);
            return Step::End(End::Whole);
        }
        let error = dialect.refused(&answer);
        let is_expired = dialect.is_expired(&answer);
        attempts(answer.requests, take);
        return Step::End(if is_expired { End::Expired(error) } else { End::Broken(error) });
    }
    let url = url_of(&answer.requests);
    let no_list = |why: String| {
        let why = format!("{why}: {}", who_answers(dialect.vendor()));
        Step::End(End::Broken(LiveError::NoList { url, why }))
    };
    let Some(request) = answer.requests.pop() else {
        return no_list("no request is behind it".to_owned());
    };
    attempts(std::mem::take(&mut answer.requests), take);
    let counts = match take(request, Some(&answer.body)) {
        Ok(counts) => counts,
        Err(what) => return no_list(what),
    };
    let says_end = counts.n_rows == 0 || dialect.repeats_behind_end(counts.n_rows);
    if counts.n_new == 0 && says_end && dialect.looks_behind_end() && stated.is_reached() {
        stated.n_behind += counts.n_rows;
        return Step::End(End::Whole);
    }
    stated.note(dialect.total(&answer), counts.n_new);
    if counts.n_rows > 0 && counts.n_new == 0 {
        let why = "a page brought only rows that were read before".to_owned();
        return Step::End(End::Changed(why));
    }
    let (number, is_all) = (stated.n_pages, stated.is_reached());
    match dialect.next(&answer, Turned { number, n_rows: counts.n_rows, is_all }) {
        Ok(Some(next)) => Step::Next(next),
        Ok(None) => {
            stated.doubt = dialect.doubts_end(&answer, counts.n_rows);
            Step::End(End::Whole)
        }
        Err(why) => no_list(why),
    }
}

/// Whether a page is refused because there is none: after as many rows as are stated, or, where
/// nothing is stated, by the source's own word.
fn is_behind_end(answer: &Answer, dialect: &dyn Dialect, stated: &Stated) -> bool {
    stated.is_reached() && matches!(answer.status, 400 | 404 | 416)
        || stated.is_silent() && dialect.says_gone(answer)
}

fn attempts(requests: Vec<Request>, take: &mut Take<'_>) {
    for request in requests {
        // Nothing is read from a request without a page.
        drop(take(request, None));
    }
}

/// What to do about an answer that is no list.
pub(crate) fn who_answers(vendor: &str) -> String {
    format!("check the base URL and what stands between here and {vendor}")
}

/// What the rows of a list that was read to its end say against it: somebody who came twice
/// moved between pages, and where one moved another may have been missed.
/// `n_behind`: rows that came again behind its end.
fn unsteady(list: &ListRead, requests: &[Request], n_behind: u64) -> Option<String> {
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
    let n_repeated = list.n_repeated.saturating_sub(n_behind);
    (n_repeated > 0).then(|| format!("rows that came twice: {n_repeated}"))
}

/// Why nothing was read, with the requests that were sent for it.
#[derive(Debug)]
pub(crate) struct Unread {
    pub(crate) error: Box<LiveError>,
    pub(crate) requests: Vec<Request>,
}

impl Walked {
    /// A list in which nothing was read yet. `None`: the profile gives no list.
    pub(crate) fn empty(plan: Plan<'_>) -> Option<Self> {
        let read = Pages::new(plan.profile, plan.skips_identities).finish(plan.system);
        let list = read.lists.into_iter().next()?;
        let (requests, proof, end) = (Vec::new(), Proof::ReadToEnd, End::Whole);
        Some(Self { list, requests, began_at: None, unread: None, proof, end })
    }

    /// Whether all of the list was read, and each row of it.
    pub(crate) const fn is_whole(&self) -> bool {
        matches!(self.end, End::Whole) && self.unread.is_none()
    }

    /// Why nothing more need be asked of the source; `None`: another request may fare better.
    pub(crate) const fn ends_pull(&self) -> Option<&'static str> {
        match &self.end {
            End::Broken(error) => error.ends_pull(),
            End::Whole | End::Changed(_) | End::Expired(_) => None,
        }
    }

    /// Adds what a walk of another part of the same list brought. It ended as the first of the two
    /// that did not reach its end.
    pub(crate) fn append(&mut self, mut other: Self) {
        self.list.append(other.list, self.requests.len());
        self.requests.append(&mut other.requests);
        self.began_at = self.began_at.or(other.began_at);
        self.unread = both(self.unread.take(), other.unread);
        if self.proof != other.proof {
            self.proof = Proof::ReadToEnd;
        }
        if matches!(self.end, End::Whole) {
            self.end = other.end;
        }
    }

    /// The snapshot with the raw bytes of its rows.
    ///
    /// # Errors
    ///
    /// Returns [`Unread`] when nothing was read.
    pub(crate) fn into_snapshot(
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
            End::Whole => coverage(self.proof, reasons),
            End::Changed(reason) => {
                let reason = format!("the list changed while it was read: {reason}");
                coverage(self.proof, one_more(reason, reasons))
            }
            End::Broken(error) | End::Expired(error) if list.rows.is_empty() => {
                return Err(Unread { error: Box::new(error), requests: self.requests });
            }
            End::Broken(error) | End::Expired(error) => {
                coverage(self.proof, one_more(chain(&error), reasons))
            }
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

fn both(one: Option<String>, other: Option<String>) -> Option<String> {
    match (one, other) {
        (Some(one), Some(other)) => Some(format!("{one}; {other}")),
        (one, other) => one.or(other),
    }
}

fn coverage(proof: Proof, reasons: Vec<String>) -> Coverage {
    if reasons.is_empty() {
        Coverage::Complete(proof)
    } else {
        Coverage::Partial { reason: reasons.join("; ") }
    }
}

fn one_more(reason: String, mut reasons: Vec<String>) -> Vec<String> {
    reasons.insert(0, reason);
    reasons
}

/// What was asked for, as a request line shows it.
pub(crate) fn url_of(requests: &[Request]) -> String {
    requests.last().map(|it| it.url.to_string()).unwrap_or_default()
}
