//! Walks JSON as a stream: an array of rows, an object with a list, JSON Lines (rows or
//! whole pages, one after the other). Rows are handed out as bytes in the window.
//!
//! Nothing here recurses: depth is bounded by the row parser, which refuses more than
//! 128 levels of what we keep and skips the rest without a stack.

use std::borrow::Cow;
use std::io::Read;

use serde::Deserialize as _;
use serde::de::{DeserializeOwned, IgnoredAny};
use serde_json::Deserializer;

use super::capture::Names;
use super::error::{Place, PullErrorKind};
use super::limits::ROW_BYTES_MAX;
use super::window::{Fill, Window, line_ends};

/// Where a row is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Span {
    /// Line of the file, or row of the array.
    pub(crate) place: Place,
    /// Where it begins in the decoded file.
    pub(crate) offset: u64,
}

/// Why a row was not taken.
#[derive(Debug)]
pub(crate) enum RowTrouble {
    /// It is no JSON, or not all of it is in the window yet.
    Json(serde_json::Error),
    /// It is JSON, and no row.
    Kind(PullErrorKind),
    /// Nobody wants more rows.
    Enough,
}

/// A row that was taken.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Taken {
    /// How many bytes it has.
    pub(crate) len: usize,
    /// How many line ends are in it; `None`: nobody counted.
    pub(crate) n_lines: Option<u64>,
}

/// Takes the row at the beginning of the bytes.
pub(crate) type TakeRow<'f> = dyn FnMut(&[u8], Span) -> Result<Taken, RowTrouble> + 'f;

/// How the objects around lists are written.
#[derive(Clone, Debug, Default)]
pub(crate) struct Envelope {
    /// The members that may hold the list.
    pub(crate) lists: Vec<String>,
    /// The member that states how many rows there are over all pages; two steps at most.
    pub(crate) total: Option<String>,
    /// The member that leads to the next page.
    pub(crate) next: Option<String>,
    /// How its names are compared.
    pub(crate) names: Names,
}

/// What the objects around the lists of one file said.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Stated {
    /// Each total, in order of the pages; `None` for a page that states none.
    pub(crate) totals: Vec<Option<u64>>,
    /// Whether each page leads to a next one.
    pub(crate) has_next: Vec<bool>,
}

/// An error with its place.
pub(crate) type Placed = (Place, PullErrorKind);

/// Walks a whole file. Returns what its pages state; empty for bare rows.
pub(crate) fn walk<R: Read>(
    window: &mut Window<R>,
    envelope: &Envelope,
    take: &mut TakeRow<'_>,
) -> Result<Stated, Placed> {
    let mut walker = Walker { window, envelope, line: 1, n_rows: 0, stated: Stated::default() };
    match walker.documents(take) {
        Ok(()) | Err(Halt::Enough) => Ok(walker.stated),
        Err(Halt::Error(placed)) => Err(placed),
    }
}

enum Halt {
    Enough,
    Error(Placed),
}

struct Walker<'w, 'e, R> {
    window: &'w mut Window<R>,
    envelope: &'e Envelope,
    line: u64,
    n_rows: u64,
    stated: Stated,
}

impl<R: Read> Walker<'_, '_, R> {
    fn documents(&mut self, take: &mut TakeRow<'_>) -> Result<(), Halt> {
        let mut is_empty = true;
        while let Some(byte) = self.next_token()? {
            is_empty = false;
            match byte {
                b'[' => {
                    self.window.consume(1);
                    self.array(take)?;
                }
                b'{' if self.is_envelope() => self.page(take)?,
                b'{' => self.row(take, Place::Line(self.line))?,
                _ => return Err(self.malformed("here is neither an array nor an object")),
            }
        }
        if is_empty { Err(self.fail(PullErrorKind::Empty)) } else { Ok(()) }
    }

    /// Skips white space. Returns the byte after it, `None` at the end of the file.
    fn next_token(&mut self) -> Result<Option<u8>, Halt> {
        loop {
            let mut n = 0;
            let mut token = None;
            for byte in self.window.bytes() {
                match byte {
                    b'\n' => self.line += 1,
                    b' ' | b'\t' | b'\r' => {}
                    other => {
                        token = Some(*other);
                        break;
                    }
                }
                n += 1;
            }
            self.window.consume(n);
            if token.is_some() || !self.fill()? {
                return Ok(token);
            }
        }
    }

    /// Reads more bytes. Returns false at the end of the file.
    fn fill(&mut self) -> Result<bool, Halt> {
        match self.window.fill() {
            Ok(Fill::More) => Ok(true),
            Ok(Fill::End) => Ok(false),
            Ok(Fill::RowTooLong) => {
                let what = format!("a row has more than {} KiB", ROW_BYTES_MAX >> 10);
                Err(self.fail(PullErrorKind::TooLarge { what }))
            }
            Err(error) => Err(self.fail(PullErrorKind::of_io(error))),
        }
    }

    fn expect(&mut self, wanted: u8, after: &str) -> Result<(), Halt> {
        match self.next_token()? {
            Some(byte) if byte == wanted => {
                self.window.consume(1);
                Ok(())
            }
            Some(_) => {
                Err(self.malformed(&format!("`{}` is missing after {after}", char::from(wanted))))
            }
            None => Err(self.cut_off()),
        }
    }

    /// The rows of an array, after its `[`.
    fn array(&mut self, take: &mut TakeRow<'_>) -> Result<(), Halt> {
        let mut row = 0;
        while let Some(byte) = self.next_token()? {
            match byte {
                b']' => {
                    self.window.consume(1);
                    return Ok(());
                }
                b',' if row > 0 => {
                    self.window.consume(1);
                    if self.next_token()? != Some(b'{') {
                        return Err(self.malformed("a row must follow the `,`"));
                    }
                }
                b'{' if row > 0 => return Err(self.malformed("`,` is missing between two rows")),
                b'{' => {}
                _ => return Err(self.malformed("an element of the list is no object")),
            }
            row += 1;
            self.row(take, Place::Row(self.n_rows + 1))?;
        }
        Err(self.cut_off())
    }

    fn row(&mut self, take: &mut TakeRow<'_>, place: Place) -> Result<(), Halt> {
        loop {
            let span = Span { place, offset: self.window.offset() };
            match take(self.window.bytes(), span) {
                Ok(taken) => {
                    self.n_rows += 1;
                    self.pass(taken);
                    return Ok(());
                }
                Err(RowTrouble::Json(error)) if error.is_eof() && self.fill()? => {}
                Err(RowTrouble::Json(error)) => return Err(self.bad_json(&error, place)),
                Err(RowTrouble::Kind(kind)) => return Err(Halt::Error((place, kind))),
                Err(RowTrouble::Enough) => return Err(Halt::Enough),
            }
        }
    }

    /// Marks a value as read, and counts its lines.
    fn pass(&mut self, Taken { len, n_lines }: Taken) {
        let passed = || self.window.bytes().get(..len).unwrap_or_default();
        self.line += n_lines.unwrap_or_else(|| line_ends(passed()));
        self.window.consume(len);
    }

    /// Is the object here one around a list? Looks at what is in the window.
    fn is_envelope(&mut self) -> bool {
        if self.envelope.lists.is_empty() && self.envelope.total.is_none() {
            return false;
        }
        if self.n_rows > 0 && self.stated.totals.is_empty() {
            return false; // The rows before it had none.
        }
        loop {
            match looks_like_envelope(self.window.bytes(), self.envelope) {
                Some(is_envelope) => return is_envelope,
                None if self.window.bytes().len() < ROW_BYTES_MAX
                    && matches!(self.fill(), Ok(true)) => {}
                None => return false,
            }
        }
    }

    /// One page: an object with a list, at its `{`.
    fn page(&mut self, take: &mut TakeRow<'_>) -> Result<(), Halt> {
        self.window.consume(1);
        let (mut total, mut has_next, mut has_list, mut names) = (None, false, false, Vec::new());
        let envelope = self.envelope;
        if self.next_token()? == Some(b'}') {
            return Err(
                self.fail(PullErrorKind::NotAList { what: "the object is empty".to_owned() })
            );
        }
        loop {
            let name = self.value::<String>()?;
            self.expect(b':', "a name")?;
            let byte = self.next_token()?;
            let is = |wanted: &str| envelope.names.equal(wanted, &name);
            if byte == Some(b'[') {
                self.window.consume(1);
                if envelope.lists.iter().any(|it| is(it)) {
                    has_list = true;
                    self.array(take)?;
                } else {
                    self.skip_array()?;
                }
            } else if envelope.next.as_deref().is_some_and(is) {
                has_next = !self.value::<serde_json::Value>()?.is_null();
            } else if envelope
                .total
                .as_deref()
                .is_some_and(|it| is(it.split('.').next().unwrap_or(it)))
            {
                let value = self.value::<serde_json::Value>()?;
                let leaf = envelope
                    .total
                    .as_deref()
                    .and_then(|it| it.split_once('.'))
                    .map_or(Some(&value), |(_, leaf)| value.get(leaf));
                total = leaf.and_then(|it| it.as_u64().or_else(|| it.as_str()?.parse().ok()));
            } else {
                self.value::<IgnoredAny>()?;
            }
            names.push(name);
            match self.next_token()? {
                Some(b',') => self.window.consume(1),
                Some(b'}') => break,
                Some(_) => return Err(self.malformed("`,` or `}` is missing after a value")),
                None => return Err(self.cut_off()),
            }
            self.next_token()?;
        }
        self.window.consume(1);
        if !has_list && total != Some(0) {
            names.truncate(10);
            let what = format!("the object has no list, only `{}`", names.join("`, `"));
            return Err(self.fail(PullErrorKind::NotAList { what }));
        }
        self.stated.totals.push(total);
        self.stated.has_next.push(has_next);
        Ok(())
    }

    /// Skips the elements of an array that nobody wants, after its `[`.
    fn skip_array(&mut self) -> Result<(), Halt> {
        loop {
            match self.next_token()? {
                Some(b']') => {
                    self.window.consume(1);
                    return Ok(());
                }
                Some(b',') => self.window.consume(1),
                Some(_) => drop(self.value::<IgnoredAny>()?),
                None => return Err(self.cut_off()),
            }
        }
    }

    /// One value here, whole.
    fn value<T: DeserializeOwned>(&mut self) -> Result<T, Halt> {
        loop {
            let mut parser = serde_json::Deserializer::from_slice(self.window.bytes());
            match T::deserialize(&mut parser) {
                Ok(value) => {
                    let len = parsed_len(parser);
                    // A number may go on behind the window.
                    if len == self.window.bytes().len() && self.fill()? {
                        continue;
                    }
                    self.pass(Taken { len, n_lines: None });
                    return Ok(value);
                }
                Err(error) if error.is_eof() && self.fill()? => {}
                Err(error) => {
                    let place = Place::Line(self.line);
                    return Err(self.bad_json(&error, place));
                }
            }
        }
    }

    fn bad_json(&self, error: &serde_json::Error, place: Place) -> Halt {
        if error.is_eof() {
            return Halt::Error((
                place,
                PullErrorKind::Truncated { what: "a value is not closed at its end".to_owned() },
            ));
        }
        let text = error.to_string();
        let text = text.split(" at line ").next().unwrap_or(&text);
        Halt::Error((
            place,
            PullErrorKind::Malformed {
                what: format!(
                    "this is not JSON ({text}): export it again, or name its profile if it is a CSV"
                ),
            },
        ))
    }

    fn malformed(&self, what: &str) -> Halt {
        self.fail(PullErrorKind::Malformed {
            what: format!("this is not JSON ({what}): export it again"),
        })
    }

    fn cut_off(&self) -> Halt {
        self.fail(PullErrorKind::Truncated {
            what: "a list or an object is not closed at its end".to_owned(),
        })
    }

    fn fail(&self, kind: PullErrorKind) -> Halt {
        Halt::Error((Place::Line(self.line), kind))
    }
}

/// How many bytes a parser has read.
pub(crate) fn parsed_len<'b>(parser: Deserializer<impl serde_json::de::Read<'b>>) -> usize {
    parser.into_iter::<IgnoredAny>().byte_offset()
}

/// Does an object hold a list by its own members? `None`: not enough bytes to tell.
fn looks_like_envelope(bytes: &[u8], envelope: &Envelope) -> Option<bool> {
    let total = envelope.total.as_deref().and_then(|it| it.split('.').next());
    let mut at = 1;
    let mut n_members = 0;
    loop {
        at += blanks(bytes.get(at..)?);
        match bytes.get(at)? {
            b'}' => return Some(n_members == 0),
            b',' => at += 1 + blanks(bytes.get(at + 1..)?),
            _ => {}
        }
        let mut parser = serde_json::Deserializer::from_slice(bytes.get(at..)?);
        let name = match Cow::<str>::deserialize(&mut parser) {
            Ok(name) => name,
            Err(error) => return if error.is_eof() { None } else { Some(false) },
        };
        at += parsed_len(parser);
        at += blanks(bytes.get(at..)?);
        if *bytes.get(at)? != b':' {
            return Some(false);
        }
        at += 1;
        at += blanks(bytes.get(at..)?);
        let is = |wanted: &str| envelope.names.equal(wanted, &name);
        if envelope.lists.iter().any(|it| is(it)) && *bytes.get(at)? == b'['
            || total.is_some_and(is)
        {
            return Some(true);
        }
        let mut parser = serde_json::Deserializer::from_slice(bytes.get(at..)?);
        match IgnoredAny::deserialize(&mut parser) {
            Ok(_) => at += parsed_len(parser),
            Err(error) => return if error.is_eof() { None } else { Some(false) },
        }
        n_members += 1;
    }
}

fn blanks(bytes: &[u8]) -> usize {
    bytes.iter().take_while(|it| it.is_ascii_whitespace()).count()
}
