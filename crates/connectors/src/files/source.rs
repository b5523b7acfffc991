//! From a file on disk to a stream of UTF-8: counted, hashed, decompressed, decoded.
//!
//! gzip (RFC 1952) and zstd (RFC 8878) are told by their first bytes, UTF-16LE and
//! UTF-8 by a byte order mark. What is neither is taken as UTF-8 and checked there.

use std::cell::RefCell;
use std::fs::{self, File};
use std::io::{self, BufRead, BufReader, Read};
use std::path::{Path, PathBuf};
use std::rc::Rc;

use chrono::{DateTime, SubsecRound as _, Utc};
use domain::Digest;
use sha2::{Digest as _, Sha256};

use super::error::{Place, PullError, PullErrorKind};
use super::limits::{DECODED_BYTES_MAX, FILE_BYTES_MAX, PAGES_MAX, WINDOW_BYTES};

/// One file to read: a page of a folder, or a file of its own.
#[derive(Clone, Debug)]
pub(crate) struct Page {
    /// Where it lies.
    pub(crate) path: PathBuf,
    /// How errors and reports name it.
    pub(crate) shown_as: String,
}

/// The files behind `path`: itself, or the files of the folder in natural order of their names.
pub(crate) fn pages(path: &Path, shown_as: &str) -> Result<Vec<Page>, PullError> {
    let fail = |kind: PullErrorKind| kind.at(shown_as, Place::File);
    let unreadable = |source| fail(PullErrorKind::Unreadable { source });
    if !fs::metadata(path).map_err(unreadable)?.is_dir() {
        return Ok(vec![Page { path: path.to_owned(), shown_as: shown_as.to_owned() }]);
    }
    let mut pages = Vec::new();
    for entry in fs::read_dir(path).map_err(unreadable)? {
        let entry = entry.map_err(unreadable)?;
        let name = entry.file_name().to_string_lossy().into_owned();
        if name.starts_with('.') || entry.file_type().map_err(unreadable)?.is_dir() {
            continue;
        }
        if pages.len() == PAGES_MAX {
            return Err(fail(PullErrorKind::TooLarge {
                what: format!("the folder has more than {PAGES_MAX} files"),
            }));
        }
        pages.push((
            natural(&name),
            Page { path: entry.path(), shown_as: page_name(shown_as, &name) },
        ));
    }
    if pages.is_empty() {
        return Err(fail(PullErrorKind::EmptyFolder));
    }
    pages.sort_by(|(left, _), (right, _)| left.cmp(right));
    Ok(pages.into_iter().map(|(_, page)| page).collect())
}

/// How the page `name` of the folder `shown_as` is named.
pub(crate) fn page_name(shown_as: &str, name: &str) -> String {
    format!("{}/{name}", shown_as.trim_end_matches('/'))
}

/// A name in the order in which people count: `page-2` before `page-10`.
fn natural(name: &str) -> Vec<(u64, String)> {
    let mut parts: Vec<(u64, String)> = vec![(0, String::new())];
    let mut is_in_number = false;
    for letter in name.chars() {
        match (letter.to_digit(10), parts.last_mut()) {
            (Some(digit), Some((number, _))) if is_in_number => {
                *number = number.saturating_mul(10).saturating_add(u64::from(digit));
            }
            (Some(digit), _) => {
                is_in_number = true;
                parts.push((u64::from(digit), String::new()));
            }
            (None, Some((_, text))) => {
                is_in_number = false;
                text.push(letter);
            }
            (None, None) => {}
        }
    }
    // Equal by counting (`1` and `01`): the name itself decides.
    parts.push((0, name.to_owned()));
    parts
}

/// Size and modification time: what tells that a file is still the one that was read.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Stamp {
    pub(crate) n_bytes: u64,
    pub(crate) modified_at: Option<DateTime<Utc>>,
}

impl Stamp {
    /// Reads the stamp of an open file.
    pub(crate) fn of(file: &File) -> io::Result<Self> {
        let metadata = file.metadata()?;
        Ok(Self {
            n_bytes: metadata.len(),
            modified_at: metadata.modified().ok().map(|it| DateTime::from(it).trunc_subsecs(3)),
        })
    }
}

/// How the bytes on disk become UTF-8.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Coding {
    /// They are UTF-8, after a byte order mark of this many bytes (0 or 3).
    Plain(u64),
    /// They must be decompressed or decoded.
    Coded,
}

/// An open file.
pub(crate) struct Source {
    /// Size and time at opening.
    pub(crate) stamp: Stamp,
    /// Whether the bytes on disk are the decoded bytes.
    pub(crate) coding: Coding,
    reader: Box<dyn Read>,
    tally: Rc<RefCell<Tally>>,
}

/// Opens a file, and peels off compression and encoding.
pub(crate) fn open(path: &Path) -> Result<Source, PullErrorKind> {
    let unreadable = |source| PullErrorKind::Unreadable { source };
    let file = File::open(path).map_err(unreadable)?;
    let stamp = Stamp::of(&file).map_err(unreadable)?;
    if stamp.n_bytes > FILE_BYTES_MAX {
        return Err(PullErrorKind::TooLarge {
            what: format!("the file has more than {} GiB", FILE_BYTES_MAX >> 30),
        });
    }
    let tally = Rc::new(RefCell::new(Tally { hasher: Sha256::new(), n_bytes: 0 }));
    let tee = Tee { file, tally: Rc::clone(&tally) };
    decode(Peeked::new(tee).map_err(PullErrorKind::of_io)?).map(|(coding, reader)| Source {
        stamp,
        coding,
        reader,
        tally,
    })
}

/// Chooses decompression, then text encoding, by the first bytes.
fn decode(raw: Peeked<Tee>) -> Result<(Coding, Box<dyn Read>), PullErrorKind> {
    const GZIP: &[u8] = &[0x1f, 0x8b];
    const ZSTD: &[u8] = &[0x28, 0xb5, 0x2f, 0xfd];
    let inflated: Box<dyn Read> = if raw.head().starts_with(GZIP) {
        Box::new(flate2::bufread::MultiGzDecoder::new(BufReader::with_capacity(WINDOW_BYTES, raw)))
    } else if raw.head().starts_with(ZSTD) {
        let reader = BufReader::with_capacity(WINDOW_BYTES, raw);
        Box::new(zstd::stream::read::Decoder::with_buffer(reader).map_err(PullErrorKind::of_io)?)
    } else {
        return decode_text(raw, Coding::Plain(0));
    };
    let bounded = Bounded { reader: inflated, left: DECODED_BYTES_MAX };
    decode_text(Peeked::new(bounded).map_err(PullErrorKind::of_io)?, Coding::Coded)
}

fn decode_text<R: Read + 'static>(
    mut raw: Peeked<R>,
    coding: Coding,
) -> Result<(Coding, Box<dyn Read>), PullErrorKind> {
    let encoding = |what: &str| PullErrorKind::Encoding { what: what.to_owned() };
    match raw.head() {
        [] => Err(PullErrorKind::Empty),
        [0xff, 0xfe, ..] => {
            let decoder = encoding_rs_io::DecodeReaderBytesBuilder::new()
                .encoding(Some(encoding_rs::UTF_16LE))
                .bom_override(true)
                .strip_bom(true)
                .build(raw);
            // UTF-16 of three bytes a letter grows; the limit counts what comes out.
            Ok((Coding::Coded, Box::new(Bounded { reader: decoder, left: DECODED_BYTES_MAX })))
        }
        [0xfe, 0xff, ..] => Err(encoding("the text is UTF-16 with the high byte first")),
        [0xef, 0xbb, 0xbf, ..] => {
            raw.skip(3);
            Ok((if coding == Coding::Coded { coding } else { Coding::Plain(3) }, Box::new(raw)))
        }
        head if head.contains(&0) => Err(encoding("the file holds binary data")),
        _ => Ok((coding, Box::new(raw))),
    }
}

impl Source {
    /// The decoded bytes.
    pub(crate) fn reader(&mut self) -> &mut dyn Read {
        &mut self.reader
    }

    /// Reads what is left, and gives size and SHA-256 of the bytes on disk.
    pub(crate) fn finish(mut self) -> io::Result<(u64, Digest)> {
        io::copy(&mut self.reader, &mut io::sink())?;
        drop(self.reader);
        let tally = self.tally.borrow();
        Ok((tally.n_bytes, tally.hasher.clone().finalize().into()))
    }
}

struct Tally {
    hasher: Sha256,
    n_bytes: u64,
}

/// Counts and hashes what passes.
struct Tee {
    file: File,
    tally: Rc<RefCell<Tally>>,
}

impl Read for Tee {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let n = self.file.read(buffer)?;
        let mut tally = self.tally.borrow_mut();
        tally.hasher.update(buffer.get(..n).unwrap_or_default());
        tally.n_bytes += n as u64;
        Ok(n)
    }
}

/// Fails when more comes out than may.
struct Bounded<R> {
    reader: R,
    left: u64,
}

impl<R: Read> Read for Bounded<R> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let n = self.reader.read(buffer)?;
        self.left = self.left.checked_sub(n as u64).ok_or_else(|| {
            let text =
                format!("the file has more than {} GiB once decompressed", DECODED_BYTES_MAX >> 30);
            io::Error::new(io::ErrorKind::FileTooLarge, text)
        })?;
        Ok(n)
    }
}

/// A stream of which the first bytes are known.
struct Peeked<R> {
    head: Vec<u8>,
    at: usize,
    reader: R,
}

impl<R: Read> Peeked<R> {
    /// Enough for every mark, and to meet a zero byte in a binary file.
    const HEAD: u64 = 1024;

    fn new(mut reader: R) -> io::Result<Self> {
        let mut head = Vec::new();
        reader.by_ref().take(Self::HEAD).read_to_end(&mut head)?;
        Ok(Self { head, at: 0, reader })
    }

    fn head(&self) -> &[u8] {
        &self.head
    }

    fn skip(&mut self, n: usize) {
        self.at = n;
    }
}

impl<R: Read> Read for Peeked<R> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let mut rest = self.head.get(self.at..).unwrap_or_default();
        if rest.is_empty() {
            return self.reader.read(buffer);
        }
        let n = rest.read(buffer)?;
        self.at += n;
        Ok(n)
    }
}

/// Skips the next `n` bytes of a stream.
pub(crate) fn skip(reader: &mut impl BufRead, mut n: u64) -> io::Result<()> {
    while n > 0 {
        let offered = reader.fill_buf()?.len();
        if offered == 0 {
            return Err(io::ErrorKind::UnexpectedEof.into());
        }
        let taken = usize::try_from(n).unwrap_or(usize::MAX).min(offered);
        reader.consume(taken);
        n -= taken as u64;
    }
    Ok(())
}
