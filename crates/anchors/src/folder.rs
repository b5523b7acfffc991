//! A folder: a file for each checkpoint, written once.
//!
//! It is an anchor as far as others own it: a share that Driftline may only add to, a mounted
//! write-once volume. It is never made: a share that is not mounted is no place for evidence.

use std::fs::{self, File, OpenOptions};
use std::io::{self, Write as _};
use std::path::{Path, PathBuf};
use std::time::Duration;

use crate::{Made, NotMade, Parcel};

/// Longest wait for a share that does not answer.
const WAIT_MAX: Duration = Duration::from_secs(60);

/// A folder that is there.
#[derive(Clone, Debug)]
pub struct Folder {
    /// Its path.
    pub path: PathBuf,
}

impl Folder {
    pub(crate) async fn make(&self, parcel: &Parcel) -> Result<Made, NotMade> {
        let (folder, name) = (self.path.clone(), parcel.file_name());
        let note = parcel.note.clone();
        let work = tokio::task::spawn_blocking(move || put(&folder, &name, note.as_bytes()));
        let done = tokio::time::timeout(WAIT_MAX, work).await.map_err(|_| {
            let n_s = WAIT_MAX.as_secs();
            NotMade::new(format!("the folder did not answer within {n_s} s: is it mounted?"))
        })?;
        let path = done.map_err(|_| NotMade::new("the writing was cut off"))??;
        let path = path.display().to_string();
        Ok(Made { proof: path.clone().into_bytes(), place: path })
    }
}

/// Writes the file, if it is not there yet.
fn put(folder: &Path, name: &str, note: &[u8]) -> Result<PathBuf, NotMade> {
    let path = folder.join(name);
    let failed = |doing: &str, error: &io::Error| {
        NotMade::new(format!("failed to {doing} `{}`: {error}", path.display()))
    };
    match OpenOptions::new().write(true).create_new(true).open(&path) {
        Ok(file) => write(file, folder, note).map_err(|error| failed("write", &error))?,
        Err(error) if error.kind() == io::ErrorKind::AlreadyExists => {
            let there = fs::read(&path).map_err(|error| failed("read", &error))?;
            if there == note {
                return Ok(path);
            }
            if !note.starts_with(&there) {
                return Err(NotMade::new(format!(
                    "`{}` holds another checkpoint of this size: one of the two histories is not \
                     what was written; keep both",
                    path.display()
                )));
            }
            // A crash cut it off.
            let file = OpenOptions::new().write(true).truncate(true).open(&path);
            let file = file.map_err(|error| failed("finish", &error))?;
            write(file, folder, note).map_err(|error| failed("finish", &error))?;
        }
        Err(error) => return Err(failed("make", &error)),
    }
    Ok(path)
}

/// What is reported as made is on the disk, with its name.
fn write(mut file: File, folder: &Path, note: &[u8]) -> io::Result<()> {
    file.write_all(note)?;
    file.sync_all()?;
    File::open(folder)?.sync_all()
}
