//! Raw rows, read again from the file they came from: kept only for what a conclusion rests on.

use std::collections::BTreeMap;
use std::fs::File;
use std::io::{self, BufReader, Read as _, Seek as _, SeekFrom};
use std::path::PathBuf;

use domain::{Request, RowOrigin};

use super::config::FileConfig;
use super::limits::WINDOW_BYTES;
use super::source::{self, Coding, Stamp, page_name};

/// Where the file of a request lies; `None` when no file of the settings is named like it.
pub(crate) fn path_of(request: &Request, files: &[FileConfig]) -> Option<PathBuf> {
    files.iter().find_map(|file| {
        if *request.url == *file.shown_as {
            return Some(file.path.clone());
        }
        let name = request.url.strip_prefix(page_name(&file.shown_as, "").as_str())?;
        Some(file.path.join(name))
    })
}

/// Reads rows of one file. `None` for each that cannot be read, and for all when the file
/// is not the one that was pulled (size or time differ).
pub(crate) fn read(
    path: &PathBuf,
    request: &Request,
    wanted: &[RowOrigin],
) -> Vec<Option<Vec<u8>>> {
    rows(path, request, wanted).unwrap_or_else(|_| vec![None; wanted.len()])
}

fn rows(
    path: &PathBuf,
    request: &Request,
    wanted: &[RowOrigin],
) -> io::Result<Vec<Option<Vec<u8>>>> {
    let mut source = source::open(path).map_err(io::Error::other)?;
    if source.stamp != (Stamp { n_bytes: request.n_bytes, modified_at: request.date }) {
        return Ok(vec![None; wanted.len()]);
    }
    if let Coding::Plain(mark) = source.coding {
        let mut file = File::open(path)?;
        return Ok(wanted
            .iter()
            .map(|it| sought(&mut file, it.offset + mark, it.len).ok())
            .collect());
    }
    // Decoded as a stream, in order of place.
    let mut ordered: BTreeMap<u64, Vec<usize>> = BTreeMap::new();
    for (at, origin) in wanted.iter().enumerate() {
        ordered.entry(origin.offset).or_default().push(at);
    }
    let mut reader = BufReader::with_capacity(WINDOW_BYTES, source.reader());
    let mut rows = vec![None; wanted.len()];
    let mut passed = 0;
    for (offset, places) in ordered {
        let len = places.first().and_then(|at| wanted.get(*at)).map_or(0, |it| it.len);
        source::skip(&mut reader, offset - passed)?;
        let mut row = vec![0; usize::try_from(len).unwrap_or_default()];
        reader.read_exact(&mut row)?;
        passed = offset + u64::from(len);
        for at in places {
            if let Some(place) = rows.get_mut(at) {
                *place = Some(row.clone());
            }
        }
    }
    Ok(rows)
}

fn sought(file: &mut File, offset: u64, len: u32) -> io::Result<Vec<u8>> {
    file.seek(SeekFrom::Start(offset))?;
    let mut row = vec![0; usize::try_from(len).unwrap_or_default()];
    file.read_exact(&mut row)?;
    Ok(row)
}
