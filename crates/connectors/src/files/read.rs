//! Reads one export (a file or a folder of pages) with one profile.

use std::fs;

use chrono::{DateTime, Utc};
use chrono_tz::Tz;
use domain::{AsOf, AsOfBasis, Request, RowOrigin, SystemId, Text};
use rustc_hash::FxHashSet;
use serde::Deserialize as _;
use serde::de::IgnoredAny;
use tokio::time::Instant;

use super::alike::Shapes;
use super::capture::NodeSeed;
use super::config::FileConfig;
use super::csv::{self, Cells};
use super::error::{Place, PullError, PullErrorKind};
use super::json::{self, RowTrouble, Span, Stated, Taken, parsed_len};
use super::limits::ROWS_MAX;
use super::map::{Mapper, Part};
use super::profile::{Format, Profile};
use super::record::{Record, Value, plain};
use super::source::{self, Page};
use super::window::Window;

/// What one export gave.
#[derive(Debug)]
pub(crate) struct Export {
    pub(crate) parts: Vec<Part>,
    /// What its pages state.
    pub(crate) stated: Stated,
    pub(crate) as_of: AsOf,
    pub(crate) requests: Vec<Request>,
    /// Rows in it, before anything is dropped.
    pub(crate) n_rows: u64,
}

/// What is known before reading.
pub(crate) struct Job<'j> {
    pub(crate) system: &'j SystemId,
    pub(crate) file: &'j FileConfig,
    pub(crate) profile: &'j Profile,
    /// The system's zone.
    pub(crate) zone: Option<Tz>,
    pub(crate) skips_identities: bool,
    pub(crate) now: DateTime<Utc>,
}

/// Reads all of it.
///
/// # Errors
///
/// Returns [`PullError`] for the first thing that is wrong: half an export is no export.
pub(crate) fn read(job: &Job<'_>) -> Result<Export, PullError> {
    let pages = source::pages(&job.file.path, &job.file.shown_as)?;
    let mapper = Mapper::new(job.profile, job.file, job.zone, job.skips_identities);
    let n_bytes = pages.iter().map(|it| fs::metadata(&it.path).map_or(0, |it| it.len())).sum();
    let mut reader = Reader { n_bytes, ..Reader::new(job.profile, mapper) };
    let (mut requests, mut stated) = (Vec::new(), Stated::default());
    for page in &pages {
        let (request, page_stated) = reader.page(page)?;
        requests.push(request);
        stated.totals.extend(page_stated.totals);
        stated.has_next.extend(page_stated.has_next);
        reader.request = reader.request.saturating_add(1);
    }
    let oldest_file = requests.iter().filter_map(|it: &Request| it.date).min();
    let as_of = match (job.file.as_of, reader.mapper.oldest()) {
        (Some(at), _) => AsOf { at, basis: AsOfBasis::Stated },
        (None, Some(at)) => AsOf { at, basis: AsOfBasis::InData },
        // A file time ahead of the clock is no better than now.
        (None, None) => AsOf {
            at: oldest_file.map_or(job.now, |at| at.min(job.now)),
            basis: AsOfBasis::FileTime,
        },
    };
    let n_rows = reader.n_rows;
    Ok(Export { parts: reader.mapper.finish(job.system), stated, as_of, requests, n_rows })
}

/// The form in which a page is written, by its first letter where the profile allows both.
fn format(profile: &Profile, head: &[u8]) -> Format {
    match profile.formats.as_slice() {
        [only] => *only,
        _ => guess_format(head),
    }
}

/// JSON begins with a bracket, a header of CSV does not.
pub(crate) fn guess_format(head: &[u8]) -> Format {
    match head.iter().find(|it| !it.is_ascii_whitespace()) {
        Some(b'{' | b'[') => Format::Json,
        _ => Format::Csv,
    }
}

/// Bytes checked at once to be UTF-8: one long row must not make every later one dear.
const TEXT_BYTES_MAX: usize = 4 << 10;

/// Reads the pages of one list into one mapper.
pub(crate) struct Reader<'p> {
    profile: &'p Profile,
    mapper: Mapper<'p>,
    /// Memory for the next record.
    spare: Record<'static>,
    /// How rows of this source are written.
    shapes: Shapes,
    /// Bytes of the longest row so far, bounded: so many are checked to be UTF-8 at once.
    row_len: usize,
    n_rows: u64,
    /// Bytes of these rows.
    n_row_bytes: u64,
    request: u32,
    /// What is known of answers, and of files not; `None`: these are files.
    answers: Option<Answers>,
    /// Bytes of all pages on disk; 0 for answers, of which nobody knows how many will come.
    n_bytes: u64,
}

/// What is kept of the answers of a server.
#[derive(Default)]
struct Answers {
    /// The ids met so far, to know which are new.
    ids: FxHashSet<Text>,
    unread: Unread,
}

/// Rows of one answer that could not be read. In a file one of them is an error: it can be exported
/// again.
#[derive(Debug, Default)]
pub(crate) struct Unread {
    pub(crate) n_rows: u64,
    /// Where in the answer the first of them is, and why it could not.
    pub(crate) first: Option<json::Placed>,
}

/// After so many rows their mean length is known well enough to make room for the others.
const SAMPLE_ROWS: u64 = 64;

impl<'p> Reader<'p> {
    fn new(profile: &'p Profile, mapper: Mapper<'p>) -> Self {
        Self {
            profile,
            mapper,
            spare: Record::default(),
            shapes: Shapes::default(),
            row_len: 0,
            n_rows: 0,
            n_row_bytes: 0,
            request: 0,
            n_bytes: 0,
            answers: None,
        }
    }

    /// Reads answers of a server instead of files: remembers their ids, and leaves out rows that
    /// cannot be read.
    pub(crate) fn of_answers(profile: &'p Profile, mapper: Mapper<'p>) -> Self {
        Self { answers: Some(Answers::default()), ..Self::new(profile, mapper) }
    }

    /// Reads the JSON body of one answer. Rows before the place of an error stay read.
    pub(crate) fn answer(&mut self, body: &[u8]) -> Result<Stated, json::Placed> {
        let mut window = Window::new(body);
        let read = match window.fill() {
            Ok(_) => self.json(&mut window),
            Err(error) => Err((Place::File, PullErrorKind::of_io(error))),
        };
        self.skip();
        read
    }

    /// Counts an answer that holds no rows.
    pub(crate) fn skip(&mut self) {
        self.request = self.request.saturating_add(1);
    }

    /// Rows met so far, and different ids among them.
    pub(crate) fn counts(&self) -> (u64, u64) {
        (self.n_rows, self.answers.as_ref().map_or(0, |it| it.ids.len() as u64))
    }

    /// Rows that could not be read since this was asked last.
    pub(crate) fn take_unread(&mut self) -> Unread {
        self.answers.as_mut().map(|it| std::mem::take(&mut it.unread)).unwrap_or_default()
    }

    /// All that was mapped.
    pub(crate) fn finish(self, system: &SystemId) -> Vec<Part> {
        self.mapper.finish(system)
    }

    fn json<R: std::io::Read>(&mut self, window: &mut Window<R>) -> Result<Stated, json::Placed> {
        let profile = self.profile;
        json::walk(window, &profile.envelope, &mut |bytes, span| self.json_row(bytes, span))
    }

    fn page(&mut self, page: &Page) -> Result<(Request, Stated), PullError> {
        let fail = |(place, kind): (Place, PullErrorKind)| kind.at(&page.shown_as, place);
        let began = Instant::now();
        let n_before = self.n_rows;
        let mut source = source::open(&page.path).map_err(|kind| fail((Place::File, kind)))?;
        let stamp = source.stamp;
        let mut window = Window::new(source.reader());
        window.fill().map_err(|error| fail((Place::File, PullErrorKind::of_io(error))))?;
        let stated = match format(self.profile, window.bytes()) {
            Format::Json => self.json(&mut window).map_err(fail)?,
            Format::Csv => {
                self.csv(&mut window).map_err(fail)?;
                Stated::default()
            }
        };
        let (n_bytes, sha256) =
            source.finish().map_err(|error| fail((Place::File, PullErrorKind::of_io(error))))?;
        let request = Request {
            method: "FILE".into(),
            url: page.shown_as.as_str().into(),
            status: None,
            n_bytes,
            sha256,
            date: stamp.modified_at,
            request_id: None,
            n_rows: self.n_rows - n_before,
            duration_ms: u64::try_from(began.elapsed().as_millis()).unwrap_or(u64::MAX),
            waited_ms: 0,
        };
        Ok((request, stated))
    }

    fn json_row(&mut self, bytes: &[u8], span: Span) -> Result<Taken, RowTrouble> {
        let n_before = self.n_rows;
        match self.whole_row(bytes, span) {
            Err(trouble) if self.answers.is_some() => {
                let kind = of_one_row(trouble)?;
                // Not all of it may be in the window yet: that is an error until it is.
                let len = skipped_len(bytes).map_err(RowTrouble::Json)?;
                self.n_rows = n_before + 1;
                self.leave_out(span.place, kind);
                Ok(Taken { len, n_lines: None })
            }
            read => read,
        }
    }

    fn leave_out(&mut self, place: Place, kind: PullErrorKind) {
        let Some(Answers { unread, .. }) = &mut self.answers else { return };
        unread.n_rows += 1;
        unread.first.get_or_insert((place, kind));
    }

    fn whole_row(&mut self, bytes: &[u8], span: Span) -> Result<Taken, RowTrouble> {
        let mut record = self.blank();
        if let Some(taken) = self.shapes.read(bytes, &mut record) {
            self.take(&record, span, taken.len).map_err(RowTrouble::Kind)?;
            self.spare = Record::recycle(record, 0);
            return Ok(taken);
        }
        self.spare = Record::recycle(record, 0);
        let text = text(bytes.get(..self.row_len).unwrap_or(bytes));
        let (record, len) = match self.record(serde_json::Deserializer::from_str(text)) {
            // The row is longer, or not all of it is UTF-8.
            Err(error) if error.is_eof() => self
                .record(serde_json::Deserializer::from_slice(bytes))
                .map_err(RowTrouble::Json)?,
            parsed => parsed.map_err(RowTrouble::Json)?,
        };
        self.row_len = self.row_len.max(len).min(TEXT_BYTES_MAX);
        let wanted = (&self.profile.layout.tree, self.profile.envelope.names);
        self.shapes.learn(bytes.get(..len).unwrap_or_default(), wanted, &record);
        self.take(&record, span, len).map_err(RowTrouble::Kind)?;
        self.spare = Record::recycle(record, 0);
        Ok(Taken { len, n_lines: None })
    }

    /// An empty record in the memory of the one before.
    fn blank<'a>(&mut self) -> Record<'a> {
        Record::recycle(std::mem::take(&mut self.spare), self.profile.layout.paths.len())
    }

    /// Parses one JSON row. Returns it with its length.
    fn record<'de, B: serde_json::de::Read<'de>>(
        &mut self,
        mut parser: serde_json::Deserializer<B>,
    ) -> Result<(Record<'de>, usize), serde_json::Error> {
        let mut record = self.blank();
        let names = self.profile.envelope.names;
        let seed = NodeSeed { node: &self.profile.layout.tree, names, record: &mut record };
        serde::de::DeserializeSeed::deserialize(seed, &mut parser)?;
        Ok((record, parsed_len(parser)))
    }

    fn csv<R: std::io::Read>(&mut self, window: &mut Window<R>) -> Result<(), json::Placed> {
        let profile = self.profile;
        let mut columns: Option<Vec<Vec<usize>>> = None;
        csv::walk(window, &mut |cells, row, span| {
            let Some(columns) = &columns else {
                columns = Some(header(profile, &cells)?);
                return Ok(true);
            };
            let mut record = self.blank();
            for (at, slots) in columns.iter().enumerate() {
                for slot in slots {
                    let value = match cells.get(at) {
                        Some(cell) if !cell.trim().is_empty() => Value::Text(cell),
                        _ => Value::Null,
                    };
                    record.set(*slot, value);
                }
            }
            self.take(&record, span, row.len())?;
            self.spare = Record::recycle(record, 0);
            Ok(true)
        })
    }

    fn take(&mut self, record: &Record<'_>, span: Span, len: usize) -> Result<(), PullErrorKind> {
        if self.n_rows == ROWS_MAX {
            return Err(PullErrorKind::TooLarge {
                what: format!("the export has more than {ROWS_MAX} rows"),
            });
        }
        self.n_rows += 1;
        if let Some(Answers { ids, .. }) = &mut self.answers
            && let Some(id) = self.profile.key().and_then(|it| record.first(&it.slots).text())
            && !ids.contains(id.as_ref())
        {
            ids.insert(id.into());
        }
        self.n_row_bytes += len as u64;
        if self.n_rows == SAMPLE_ROWS {
            let n_rows = self.n_bytes / (self.n_row_bytes / SAMPLE_ROWS).max(1);
            // Some more than expected: one row too many would copy all of them.
            self.mapper.reserve(n_rows + n_rows / 8);
        }
        let (Place::Line(line) | Place::Row(line)) = span.place else { return Ok(()) };
        let origin = RowOrigin {
            request: self.request,
            line: u32::try_from(line).unwrap_or(u32::MAX),
            offset: span.offset,
            len: u32::try_from(len).unwrap_or(u32::MAX),
        };
        self.mapper.take(record, origin)
    }
}

/// What is wrong with one row alone.
///
/// # Errors
///
/// Gives the trouble back when it is not of the row: more bytes are wanted, or a limit was reached.
fn of_one_row(trouble: RowTrouble) -> Result<PullErrorKind, RowTrouble> {
    match trouble {
        RowTrouble::Json(error) if !error.is_eof() => {
            let what = "a row has a member that cannot be read".to_owned();
            Ok(PullErrorKind::BadRow { what })
        }
        RowTrouble::Kind(kind @ PullErrorKind::NoKey { .. }) => Ok(kind),
        other => Err(other),
    }
}

/// How many bytes a row has, whatever it holds.
fn skipped_len(bytes: &[u8]) -> Result<usize, serde_json::Error> {
    let mut parser = serde_json::Deserializer::from_slice(bytes);
    IgnoredAny::deserialize(&mut parser)?;
    Ok(parsed_len(parser))
}

/// The bytes as text, as far as they are UTF-8.
fn text(bytes: &[u8]) -> &str {
    match str::from_utf8(bytes) {
        Ok(text) => text,
        Err(error) => bytes
            .get(..error.valid_up_to())
            .and_then(|it| str::from_utf8(it).ok())
            .unwrap_or_default(),
    }
}

/// Which slots each column fills.
fn header(profile: &Profile, cells: &Cells<'_>) -> Result<Vec<Vec<usize>>, PullErrorKind> {
    let mut columns: Vec<Vec<usize>> = Vec::new();
    let mut names: Vec<String> = Vec::new();
    for at in 0..cells.len() {
        let name = cells.get(at).unwrap_or_default();
        let slots = profile.layout.columns.get(&plain(&name)).cloned().unwrap_or_default();
        if !slots.is_empty() && columns.contains(&slots) {
            let what = format!(
                "two columns are named `{name}`, and which one counts is not certain: rename one of them"
            );
            return Err(PullErrorKind::Malformed { what });
        }
        columns.push(slots);
        names.push(name.into_owned());
    }
    if columns.iter().all(Vec::is_empty) {
        return Err(super::recognise::no_known_column(profile, &names));
    }
    Ok(columns)
}
