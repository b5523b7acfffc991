//! From the answers of a server to rows: the profiles that map export files map pages of an
//! API too, row by row, with where each was read. Never talks to a server itself.

use std::sync::Arc;

use domain::{Population, Request, RowOrigin, Rows, SystemId, Text, Unmapped};
use rustc_hash::FxHashSet;
use serde::de::IgnoredAny;

use crate::bodies::{Bodies, PackedPage};
use crate::files::Profile;
use crate::files::error::{Place, PullErrorKind};
use crate::files::map::{self, Mapper, Part};
use crate::files::merge;
use crate::files::read::{Reader, Unread};
use crate::files::unique;

/// Bytes of all answers of one list: a million people with full profiles are 1 GB.
const LIST_BYTES_MAX: u64 = 4 << 30;

/// The pages of one list, while they are read.
pub(crate) struct Pages<'p> {
    profile: &'p Profile,
    /// What the rows are called.
    list: &'static str,
    reader: Reader<'p>,
    requests: Vec<Request>,
    /// One for each request.
    pages: Vec<PackedPage>,
    n_bytes: u64,
    /// Rows that could not be read.
    n_unread: u64,
    /// The place of the first of them, and why it could not.
    first_unread: Option<String>,
}

/// What one page brought.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct PageSeen {
    /// Rows in it, those included that could not be read.
    pub(crate) n_rows: u64,
    /// Rows in it that could not be read and were left out.
    pub(crate) n_unread: u64,
    /// Ids in it that no page before it had.
    pub(crate) n_new_ids: u64,
    /// How many rows the whole list has, by its own word; `None` where it does not say.
    pub(crate) total: Option<u64>,
    /// Whether the body itself leads to a next page (the profile's `next`).
    pub(crate) has_next: bool,
}

/// An answer that is no page of the list.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{what}")]
pub(crate) struct PageError {
    /// What is wrong with it, as a whole sentence without an end: `row 3 has no ...`.
    pub(crate) what: String,
}

/// All that the pages of one list gave.
#[derive(Debug)]
pub(crate) struct PagesRead {
    /// One for each kind of list that the profile gives, each key once.
    pub(crate) lists: Vec<ListRead>,
    /// The requests, in order, with their rows counted.
    pub(crate) requests: Vec<Request>,
    /// Why the list is not all there: rows of it could not be read. `None`: each could.
    pub(crate) unread: Option<String>,
}

/// One list.
#[derive(Debug)]
pub(crate) struct ListRead {
    /// Its rows, each key once.
    pub(crate) rows: Rows,
    /// Where each row was read.
    pub(crate) origins: Vec<RowOrigin>,
    /// The raw bytes of each row.
    pub(crate) bodies: Bodies,
    /// Whom it is about.
    pub(crate) population: Population,
    /// Peculiarities for the report.
    pub(crate) notes: Vec<String>,
    /// Raw values that no mapping knows.
    pub(crate) unmapped: Vec<Unmapped>,
    /// Rows that say nothing but their id, and were left out.
    pub(crate) n_silent: u64,
    /// Users whose state takes every assignment from them, whatever a list of those says.
    pub(crate) withheld: FxHashSet<Text>,
    /// Rows dropped because an equal one stands before them.
    pub(crate) n_repeated: u64,
    /// Pairs of rows of one id that say different things; one row of each pair was kept.
    pub(crate) conflicts: Vec<(RowOrigin, RowOrigin)>,
}

impl ListRead {
    /// Adds another part of the same list, whose requests follow the first `n_requests`. Keys that
    /// are in both parts are the caller's to settle.
    pub(crate) fn append(&mut self, other: Self, n_requests: usize) {
        let n_requests = u32::try_from(n_requests).unwrap_or(u32::MAX);
        let shifted =
            |it: RowOrigin| RowOrigin { request: it.request.saturating_add(n_requests), ..it };
        merge::append(&mut self.rows, other.rows);
        self.origins.extend(other.origins.into_iter().map(shifted));
        self.bodies.append(other.bodies);
        for note in other.notes {
            if !self.notes.contains(&note) {
                self.notes.push(note);
            }
        }
        for unmapped in other.unmapped {
            let is_known =
                |it: &&mut Unmapped| it.field == unmapped.field && it.raw == unmapped.raw;
            match self.unmapped.iter_mut().find(is_known) {
                Some(known) => known.count += unmapped.count,
                None => self.unmapped.push(unmapped),
            }
        }
        self.n_silent += other.n_silent;
        self.withheld.extend(other.withheld);
        self.n_repeated += other.n_repeated;
        self.conflicts.extend(other.conflicts.into_iter().map(|(a, b)| (shifted(a), shifted(b))));
    }

    /// Leaves out the users with these ids.
    pub(crate) fn leave_out(&mut self, ids: &FxHashSet<&str>) {
        let Rows::Identities(rows) = &mut self.rows else { return };
        let keeps: Vec<bool> = rows.iter_packed().map(|it| !ids.contains(it.id)).collect();
        let is_kept = |at: usize| keeps.get(at).copied().unwrap_or(true);
        let mut origin = 0;
        rows.keep(is_kept);
        self.origins.retain(|_| {
            origin += 1;
            is_kept(origin - 1)
        });
        self.bodies.retain(is_kept);
    }
}

impl<'p> Pages<'p> {
    /// Begins a list. `skips_identities`: those that its rows name are read elsewhere.
    ///
    /// A time without a zone counts as UTC: APIs mean that when they leave it out.
    pub(crate) fn new(profile: &'p Profile, skips_identities: bool) -> Self {
        let mapper = Mapper::of_answers(profile, skips_identities, None);
        Self::with(profile, skips_identities, mapper)
    }

    /// Begins the list of members of one group, which its rows do not name.
    pub(crate) fn of_group(profile: &'p Profile, group: &'p str) -> Self {
        Self::with(profile, false, Mapper::of_answers(profile, false, Some(group)))
    }

    fn with(profile: &'p Profile, skips_identities: bool, mapper: Mapper<'p>) -> Self {
        let lists = map::lists(profile, skips_identities);
        Self {
            profile,
            list: lists.first().map_or("rows", |it| it.name()),
            reader: Reader::of_answers(profile, mapper),
            requests: Vec::new(),
            pages: Vec::new(),
            n_bytes: 0,
            n_unread: 0,
            first_unread: None,
        }
    }

    /// Reads one page. An empty object, a bare row, a web page or half a body are no page. A row
    /// that cannot be read is left out and told ([`PagesRead::unread`]); where no row of a page can,
    /// it is none.
    ///
    /// # Errors
    ///
    /// Returns [`PageError`] when the body is no page of this list. The request is kept in any
    /// case, and so are rows before the trouble: the list is then partial.
    pub(crate) fn page(
        &mut self,
        mut request: Request,
        body: &[u8],
    ) -> Result<PageSeen, PageError> {
        let (rows_before, ids_before) = self.reader.counts();
        self.n_bytes = self.n_bytes.saturating_add(body.len() as u64);
        let read = self.read(body);
        let (n_rows, n_ids) = self.reader.counts();
        let (n_rows, n_new_ids) = (n_rows - rows_before, n_ids - ids_before);
        let Unread { n_rows: n_unread, first } = self.reader.take_unread();
        request.n_rows = n_rows;
        let url = request.url.clone();
        self.requests.push(request);
        let packed = PackedPage::new(body);
        let is_packed = packed.is_some();
        self.pages.push(packed.unwrap_or_default());
        let (total, has_next) = read?;
        if !is_packed {
            return Err(PageError { what: "there is no memory to keep the answer".to_owned() });
        }
        if let Some((place, kind)) = first {
            let error = told(place, &kind);
            if n_unread == n_rows {
                return Err(error);
            }
            self.n_unread += n_unread;
            self.first_unread.get_or_insert_with(|| format!("in `{url}`: {error}"));
        }
        self.tell(total);
        Ok(PageSeen { n_rows, n_unread, n_new_ids, total, has_next })
    }

    /// Says how far the list is, for whoever watches.
    fn tell(&self, total: Option<u64>) {
        let (list, n_rows) = (self.list, self.reader.counts().0);
        tracing::debug!(target: "progress", list, n_rows, total, "Read {n_rows} rows of {list}");
    }

    fn read(&mut self, body: &[u8]) -> Result<(Option<u64>, bool), PageError> {
        if self.n_bytes > LIST_BYTES_MAX {
            let what = format!("the list has more than {} GiB", LIST_BYTES_MAX >> 30);
            self.reader.skip();
            return Err(PageError { what });
        }
        if let Some(what) = not_a_list(self.profile, body) {
            self.reader.skip();
            return Err(PageError { what: what.to_owned() });
        }
        if let Err(error) = serde_json::from_slice::<IgnoredAny>(body) {
            // Checked before, so that half an answer is not half applied.
            self.reader.skip();
            let ends = error.is_eof();
            let what =
                if ends { "the answer ends in the middle" } else { "the answer is not JSON" };
            return Err(PageError { what: what.to_owned() });
        }
        let stated = self.reader.answer(body).map_err(|(place, kind)| told(place, &kind))?;
        match (stated.totals.as_slice(), stated.has_next.as_slice()) {
            ([], []) if self.profile.takes_bare_lists() => Ok((None, false)),
            ([total], [has_next]) => Ok((*total, *has_next)),
            _ => Err(PageError { what: "the answer is not one list".to_owned() }),
        }
    }

    /// Counts a request that brought no page: an attempt before the answer, or one that failed.
    pub(crate) fn attempt(&mut self, request: Request) {
        self.reader.skip();
        self.requests.push(request);
        self.pages.push(PackedPage::default());
    }

    /// All that was read.
    pub(crate) fn finish(self, system: &SystemId) -> PagesRead {
        let n_unread = self.n_unread;
        let unread = self
            .first_unread
            .map(|it| format!("rows that cannot be read: {n_unread}, the first {it}"));
        let pages = Arc::new(self.pages);
        let mut lists: Vec<ListRead> = self.reader.finish(system).into_iter().map(unique).collect();
        for list in &mut lists {
            list.n_silent = silent::leave_out(&mut list.rows, &mut list.origins);
            list.bodies = Bodies::new(Arc::clone(&pages), list.origins.clone());
        }
        PagesRead { lists, requests: self.requests, unread }
    }
}

/// Rows that say nothing but their id: they would overwrite what is known of it with nothing.
mod silent {
    use domain::rows::Row;
    use domain::{Account, ActiveFlag, Identity, RowOrigin, Rows, Table};

    /// Leaves them out, and counts them.
    pub(super) fn leave_out(rows: &mut Rows, origins: &mut Vec<RowOrigin>) -> u64 {
        match rows {
            Rows::Accounts(rows) => {
                let silent: Vec<bool> = rows.iter_packed().map(|it| account(&it)).collect();
                leave(rows, origins, &silent)
            }
            Rows::Identities(rows) => {
                let silent: Vec<bool> = rows.iter_packed().map(|it| identity(&it)).collect();
                leave(rows, origins, &silent)
            }
            _ => 0,
        }
    }

    fn leave<T: Row>(rows: &mut Table<T>, origins: &mut Vec<RowOrigin>, silent: &[bool]) -> u64 {
        let n_before = rows.len();
        rows.keep(|at| silent.get(at) != Some(&true));
        let mut is_silent = silent.iter();
        origins.retain(|_| is_silent.next() != Some(&true));
        (n_before - rows.len()) as u64
    }

    fn account(row: &Account<&str, &str>) -> bool {
        let names = [&row.user_name, &row.email, &row.external_id, &row.employee_number];
        let is_flagged = matches!(row.active, ActiveFlag::Set(_) | ActiveFlag::Unparseable(_));
        !is_flagged && row.raw_status.is_none() && names.into_iter().all(Option::is_none)
    }

    fn identity(row: &Identity<&str, &str>) -> bool {
        let names = [&row.user_name, &row.email, &row.employee_number];
        row.raw_status.is_none() && names.into_iter().all(Option::is_none)
    }
}

/// One object, as the answer to a question by id gave it.
#[derive(Debug)]
pub(crate) struct One {
    /// What it says, a list of one row for each kind.
    pub(crate) rows: Vec<Rows>,
    /// As it was read.
    pub(crate) raw: Vec<u8>,
    /// Whether its state takes every assignment from this user.
    pub(crate) is_withheld: bool,
}

/// Reads the answer to a question by id: exactly one row, with its raw bytes.
///
/// # Errors
///
/// Returns [`PageError`] when the body is anything else: a list, an empty object, a row
/// without its key.
pub(crate) fn one(
    profile: &Profile,
    system: &SystemId,
    skips_identities: bool,
    body: &[u8],
) -> Result<One, PageError> {
    let what = "the answer is not one object".to_owned();
    if first_letter(body) != Some(b'{') {
        return Err(PageError { what });
    }
    let mapper = Mapper::of_answers(profile, skips_identities, None);
    let mut reader = Reader::of_answers(profile, mapper);
    let stated = reader.answer(body).map_err(|(_, kind)| told(Place::File, &kind))?;
    if let Some((_, kind)) = reader.take_unread().first {
        return Err(told(Place::File, &kind));
    }
    if reader.counts().0 != 1 || !stated.totals.is_empty() {
        return Err(PageError { what });
    }
    let lists: Vec<ListRead> = reader.finish(system).into_iter().map(unique).collect();
    let origin = lists.first().and_then(|it| it.origins.first()).copied();
    let raw = origin.map(|it| cut(body, it)).ok_or(PageError { what })?;
    let is_withheld = lists.iter().any(|it| !it.withheld.is_empty());
    Ok(One { rows: lists.into_iter().map(|it| it.rows).collect(), raw, is_withheld })
}

fn unique(part: Part) -> ListRead {
    let Part { mut rows, mut origins, population, folds, notes, unmapped, withheld } = part;
    let duplicates = unique::make(&mut rows, &mut origins, folds);
    ListRead {
        bodies: Bodies::default(),
        rows,
        origins,
        population,
        notes,
        unmapped,
        n_silent: 0,
        withheld: withheld.into_iter().collect(),
        n_repeated: if folds { 0 } else { duplicates.n_exact },
        conflicts: duplicates.conflicts,
    }
}

fn cut(body: &[u8], origin: RowOrigin) -> Vec<u8> {
    let begin = usize::try_from(origin.offset).unwrap_or(usize::MAX);
    let end = begin.saturating_add(usize::try_from(origin.len).unwrap_or(usize::MAX));
    body.get(begin..end).unwrap_or_default().to_vec()
}

/// What tells at the first letter that the body is no list.
fn not_a_list(profile: &Profile, body: &[u8]) -> Option<&'static str> {
    match first_letter(body) {
        None => Some("the answer is empty"),
        Some(b'[') if profile.takes_bare_lists() => None,
        Some(b'{') if !profile.rows.is_empty() => None,
        Some(b'{') => Some("the answer is one object and no list"),
        Some(b'<') => Some("the answer is a web page and no list"),
        Some(_) => Some("the answer is no list"),
    }
}

fn first_letter(body: &[u8]) -> Option<u8> {
    body.iter().copied().find(|it| !it.is_ascii_whitespace())
}

/// Tells an error of a file as one of an answer: nobody can export it again.
fn told(place: Place, kind: &PullErrorKind) -> PageError {
    let what = match kind {
        PullErrorKind::Empty => "the answer is empty".to_owned(),
        PullErrorKind::Truncated { .. } => "the answer ends in the middle".to_owned(),
        PullErrorKind::TooLarge { what }
        | PullErrorKind::NotAList { what }
        | PullErrorKind::BadRow { what } => what.clone(),
        PullErrorKind::NoKey { field } => format!("a row has no {field}"),
        PullErrorKind::NoZone { column } | PullErrorKind::NoDate { column, .. } => {
            format!("the date in `{column}` cannot be read")
        }
        _ => "the answer is not JSON".to_owned(),
    };
    match place {
        Place::Row(row) => PageError { what: format!("{what} (row {row})") },
        Place::File | Place::Line(_) => PageError { what },
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::files::Profiles;

    fn request() -> Request {
        Request {
            method: "GET".into(),
            url: "https://app.test/Users".into(),
            status: Some(200),
            n_bytes: 0,
            sha256: [0; 32],
            date: None,
            request_id: None,
            n_rows: 0,
            duration_ms: 0,
            waited_ms: 0,
        }
    }

    fn system() -> SystemId {
        SystemId::parse("app").unwrap()
    }

    #[test]
    fn pages_of_a_list_become_rows_with_their_origins_and_bytes() {
        let profiles = Profiles::builtin().unwrap();
        let mut pages = Pages::new(profiles.get("scim-users").unwrap(), false);
        let first = r#"{"totalResults":3,"Resources":[{"id":"1","userName":"a"},{"id":"2","active":true}]}"#;
        let second = r#"{"TOTALRESULTS":3,"resources":[ {"id":"2","active":true}, {"ID":"3","active":"False"}]}"#;
        let seen = pages.page(request(), first.as_bytes()).unwrap();
        assert_eq!(
            seen,
            PageSeen { n_rows: 2, n_unread: 0, n_new_ids: 2, total: Some(3), has_next: false }
        );
        pages.attempt(request());
        let seen = pages.page(request(), second.as_bytes()).unwrap();
        assert_eq!(
            seen,
            PageSeen { n_rows: 2, n_unread: 0, n_new_ids: 1, total: Some(3), has_next: false }
        );

        let PagesRead { lists, requests, unread } = pages.finish(&system());
        assert_eq!(unread, None);
        let list = &lists[0];
        let bodies = list.bodies.read(&[0, 1, 2]);
        let bodies = bodies.into_iter().map(|it| String::from_utf8(it.unwrap()).unwrap());
        assert_eq!(
            bodies.collect::<Vec<_>>(),
            [
                r#"{"id":"1","userName":"a"}"#,
                r#"{"id":"2","active":true}"#,
                r#"{"ID":"3","active":"False"}"#
            ]
        );
        assert_eq!(list.origins.iter().map(|it| it.request).collect::<Vec<_>>(), [0, 0, 2]);
        assert_eq!(list.n_repeated, 1);
        assert_eq!(requests.iter().map(|it| it.n_rows).collect::<Vec<_>>(), [2, 0, 2]);
    }

    #[test]
    fn what_is_no_page_says_why() {
        let profiles = Profiles::builtin().unwrap();
        for (profile, body, why) in [
            ("scim-users", "{}", "the object is empty"),
            ("scim-users", "", "the answer is empty"),
            ("scim-users", "<!doctype html>", "the answer is a web page and no list"),
            ("scim-users", "[]", "the answer is no list"),
            ("scim-users", r#"{"id":"1","userName":"a"}"#, "the answer is not one list"),
            ("scim-users", r#"{"totalResults":5}"#, "the object has no list, only `totalResults`"),
            (
                "scim-users",
                r#"{"totalResults":1,"Resources":[{"id":"1"}"#,
                "the answer ends in the middle",
            ),
            (
                "scim-users",
                r#"{"totalResults":1,"Resources":[{"userName":"a"}]}"#,
                "a row has no `id` (row 1)",
            ),
            ("okta-users", "{}", "the answer is one object and no list"),
            ("okta-users", "[{]", "the answer is not JSON"),
        ] {
            let mut pages = Pages::new(profiles.get(profile).unwrap(), false);
            let error = pages.page(request(), body.as_bytes()).unwrap_err();
            assert_eq!(error.what, why, "{body}");
            assert_eq!(pages.finish(&system()).requests.len(), 1, "{body}");
        }
    }

    #[test]
    fn a_row_that_cannot_be_read_is_left_out_and_told() {
        let profiles = Profiles::builtin().unwrap();
        let bad_rows: [(&[u8], &str); 4] = [
            (br#"{"userName":"x"}"#, "a row has no `id` (row 2)"),
            (br#"{"id":null}"#, "a row has no `id` (row 2)"),
            (
                br#"{"id":"9","userName":"\ud800"}"#,
                "a row has a member that cannot be read (row 2)",
            ),
            (
                b"{\"id\":\"9\",\"userName\":\"\xff\"}",
                "a row has a member that cannot be read (row 2)",
            ),
        ];
        for (bad, why) in bad_rows {
            let mut pages = Pages::new(profiles.get("scim-users").unwrap(), false);
            let head = br#"{"totalResults":3,"Resources":[{"id":"1","active":true},"#;
            let body = [&head[..], bad, br#",{"id":"3","active":true}]}"#].concat();
            let seen = pages.page(request(), &body).unwrap();
            assert_eq!((seen.n_rows, seen.n_unread, seen.n_new_ids), (3, 1, 2), "{why}");
            let read = pages.finish(&system());
            let told = format!(
                "rows that cannot be read: 1, the first in `https://app.test/Users`: {why}"
            );
            assert_eq!(read.unread, Some(told));
            let list = &read.lists[0];
            assert_eq!((list.rows.len(), read.requests[0].n_rows), (2, 3));
            assert_eq!(list.bodies.read(&[1]), [Some(br#"{"id":"3","active":true}"#.to_vec())]);
        }
    }

    #[test]
    fn a_row_that_says_nothing_but_its_id_is_left_out_and_counted() {
        let profiles = Profiles::builtin().unwrap();
        let mut pages = Pages::new(profiles.get("scim-users").unwrap(), false);
        let body =
            br#"{"totalResults":4,"Resources":[{"id":"1","active":null},{"id":"2","active":true},
            {"id":"3"},{"id":"4","userName":"d","active":null}]}"#;
        pages.page(request(), body).unwrap();
        let read = pages.finish(&system());
        let list = &read.lists[0];
        assert_eq!((list.rows.len(), list.origins.len(), list.n_silent), (2, 2, 2));
        assert_eq!(list.bodies.read(&[0]), [Some(br#"{"id":"2","active":true}"#.to_vec())]);
    }

    #[test]
    fn a_date_that_cannot_be_read_is_not_known_and_told() {
        let profiles = Profiles::builtin().unwrap();
        let mut pages = Pages::new(profiles.get("scim-users").unwrap(), false);
        let body = br#"{"totalResults":2,"Resources":[
            {"id":"1","active":true,"meta":{"created":"2026-01-05T09:00:00Z","lastModified":"soon"}},
            {"id":"2","active":true,"meta":{"lastModified":"2026-01-05"}}]}"#;
        let seen = pages.page(request(), body).unwrap();
        assert_eq!((seen.n_rows, seen.n_unread), (2, 0));
        let read = pages.finish(&system());
        let Rows::Accounts(rows) = &read.lists[0].rows else { panic!("no accounts") };
        let known = rows.iter().map(|it| (it.created_at.is_some(), it.modified_at.is_some()));
        assert_eq!(known.collect::<Vec<_>>(), [(true, false), (false, true)]);
        let unmapped = &read.lists[0].unmapped;
        let told: Vec<_> = unmapped.iter().map(|it| (&*it.field, &*it.raw, it.count)).collect();
        assert_eq!(told, [("meta.lastModified", "soon", 1)]);
        assert_eq!(read.unread, None);
    }

    #[test]
    fn a_total_of_none_needs_no_list() {
        let profiles = Profiles::builtin().unwrap();
        let mut pages = Pages::new(profiles.get("scim-users").unwrap(), false);
        let seen = pages.page(request(), br#"{"totalResults":0}"#).unwrap();
        assert_eq!((seen.n_rows, seen.total), (0, Some(0)));
    }

    #[test]
    fn one_object_is_one_row_and_nothing_else_is() {
        let profiles = Profiles::builtin().unwrap();
        let profile = profiles.get("scim-users").unwrap();
        let read = |body: &str| one(profile, &system(), false, body.as_bytes());
        let One { rows, raw, .. } = read(r#" {"id":"1","active":true} "#).unwrap();
        assert_eq!(rows[0].len(), 1);
        assert_eq!(raw, br#"{"id":"1","active":true}"#);
        for body in ["{}", "", "[]", "<html>", r#"{"id":"1"}{"id":"2"}"#, r#"{"detail":"no"}"#] {
            assert!(read(body).is_err(), "{body}");
        }
        assert!(read(r#"{"totalResults":1,"Resources":[{"id":"1"}]}"#).is_err());
    }

    #[test]
    fn one_profile_may_give_two_lists() {
        let profiles = Profiles::builtin().unwrap();
        let profile = profiles.get("okta-app-users").unwrap();
        let body = br#"[{"id":"00u1","status":"ACTIVE","scope":"USER"}]"#;
        for (skips_identities, n_lists) in [(false, 2), (true, 1)] {
            let mut pages = Pages::new(profile, skips_identities);
            pages.page(request(), body).unwrap();
            let lists = pages.finish(&system()).lists;
            assert_eq!(lists.len(), n_lists);
            assert!(lists.iter().all(|it| it.bodies.len() == it.rows.len()));
        }
    }
}
