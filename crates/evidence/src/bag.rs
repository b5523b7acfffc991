//! A bag as files: BagIt 1.0 (RFC 8493) with SHA-256 manifests, in a ZIP that is the same for the
//! same files. Reading one trusts nothing that it says: names and sizes are checked first.

use std::collections::BTreeMap;
use std::io::{Cursor, Read as _, Write as _};

use data_encoding::HEXLOWER;
use domain::Digest;
use ledger::sha256;
use zip::write::SimpleFileOptions;
use zip::{CompressionMethod, ZipArchive, ZipWriter};

use crate::EvidenceError;

/// Files in a bag: a leaver has some, and a hundred thousand leavers are no audit's.
const FILES_MAX: usize = 1_000_000;

/// Bytes of a bag when unpacked: what a machine of today can hold.
const BYTES_MAX: u64 = 4 << 30;

/// The manifests and the signature stand beside what they are about.
pub(crate) const MANIFEST: &str = "manifest-sha256.txt";
pub(crate) const TAG_MANIFEST: &str = "tagmanifest-sha256.txt";
pub(crate) const SIGNATURE: &str = "tagmanifest-sha256.txt.sig";

/// The files of a bag, by path below its folder.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Bag {
    files: BTreeMap<String, Vec<u8>>,
}

impl Bag {
    /// Takes files as they are, by path below the folder of the bag.
    #[must_use]
    pub const fn new(files: BTreeMap<String, Vec<u8>>) -> Self {
        Self { files }
    }

    /// Puts a file in.
    pub fn put(&mut self, path: impl Into<String>, bytes: impl Into<Vec<u8>>) {
        self.files.insert(path.into(), bytes.into());
    }

    /// A file; `None` when there is none of that path.
    #[must_use]
    pub fn get(&self, path: &str) -> Option<&[u8]> {
        self.files.get(path).map(Vec::as_slice)
    }

    /// A file as text; `None` when there is none, or it is no UTF-8.
    #[must_use]
    pub fn text(&self, path: &str) -> Option<&str> {
        str::from_utf8(self.get(path)?).ok()
    }

    /// Every path, in order.
    pub fn paths(&self) -> impl Iterator<Item = &str> {
        self.files.keys().map(String::as_str)
    }

    /// Writes the tag files and both manifests, and returns the SHA-256 of the tag manifest. What is
    /// put in later is not in them.
    pub fn seal(&mut self, info: &[(&str, String)]) -> Digest {
        let payload = |it: &&String| it.starts_with("data/");
        let n_files = self.files.keys().filter(payload).count();
        let n_bytes: usize =
            self.files.iter().filter(|(path, _)| payload(path)).map(|(_, it)| it.len()).sum();
        self.put("bagit.txt", "BagIt-Version: 1.0\nTag-File-Character-Encoding: UTF-8\n");
        let mut text = String::new();
        for (key, value) in info {
            text.push_str(&format!("{key}: {value}\n"));
        }
        text.push_str(&format!("Payload-Oxum: {n_bytes}.{n_files}\n"));
        self.put("bag-info.txt", text);
        let manifest = self.manifest(|path| path.starts_with("data/"));
        self.put(MANIFEST, manifest);
        let tags = self.manifest(|path| !path.starts_with("data/"));
        let digest = sha256(tags.as_bytes());
        self.put(TAG_MANIFEST, tags);
        digest
    }

    /// A line for each file, as `sha256sum` writes and checks it.
    fn manifest(&self, is_in: impl Fn(&str) -> bool) -> String {
        let files = self.files.iter().filter(|(path, _)| is_in(path));
        files
            .map(|(path, bytes)| format!("{}  {path}\n", HEXLOWER.encode(&sha256(bytes))))
            .collect()
    }

    /// The bag as a ZIP with one folder of that name. The same files give the same bytes: in order
    /// of path, without times.
    ///
    /// # Errors
    ///
    /// [`EvidenceError::Zip`].
    pub fn zip(&self, name: &str) -> Result<Vec<u8>, EvidenceError> {
        let mut zip = ZipWriter::new(Cursor::new(Vec::new()));
        let options = SimpleFileOptions::default()
            .compression_method(CompressionMethod::Deflated)
            .last_modified_time(zip::DateTime::default())
            .unix_permissions(0o644);
        for (path, bytes) in &self.files {
            zip.start_file(format!("{name}/{path}"), options).map_err(EvidenceError::Zip)?;
            zip.write_all(bytes).map_err(|error| EvidenceError::Zip(error.into()))?;
        }
        Ok(zip.finish().map_err(EvidenceError::Zip)?.into_inner())
    }

    /// Reads a ZIP with one folder.
    ///
    /// # Errors
    ///
    /// [`EvidenceError::NotABag`] for anything else, also for paths that lead out of the folder, a
    /// path that is there twice, and more than can be held.
    pub fn from_zip(bytes: &[u8]) -> Result<Self, EvidenceError> {
        let wrong = |what: String| EvidenceError::NotABag(what);
        let mut zip = ZipArchive::new(Cursor::new(bytes))
            .map_err(|error| wrong(format!("it is no ZIP ({error})")))?;
        if zip.len() > FILES_MAX {
            return Err(wrong(format!("it has more than {FILES_MAX} files")));
        }
        // The reader keeps the last of several of one name.
        if listed(bytes).is_some_and(|it| it != zip.len()) {
            return Err(wrong("a path is there twice".to_owned()));
        }
        let (mut bag, mut folder, mut left) = (Self::default(), None::<String>, BYTES_MAX);
        for at in 0..zip.len() {
            let file =
                zip.by_index(at).map_err(|error| wrong(format!("file {at} of it: {error}")))?;
            let name = file.name().map_err(|error| wrong(format!("file {at} of it: {error}")))?;
            let name = name.into_owned();
            if file.is_dir() {
                continue;
            }
            if file.is_symlink() {
                return Err(wrong(format!("`{name}` is a link")));
            }
            let (base, path) = name
                .split_once('/')
                .filter(|(base, path)| is_plain(base) && path.split('/').all(is_plain))
                .ok_or_else(|| wrong(format!("`{name}` is no path below one folder")))?;
            if folder.get_or_insert_with(|| base.to_owned()) != base {
                return Err(wrong("it has more than one folder".to_owned()));
            }
            let mut content = Vec::new();
            let read = file.take(left + 1).read_to_end(&mut content);
            read.map_err(|error| wrong(format!("`{name}`: {error}")))?;
            left = left
                .checked_sub(content.len() as u64)
                .ok_or_else(|| wrong(format!("it has more than {BYTES_MAX} bytes")))?;
            if bag.files.insert(path.to_owned(), content).is_some() {
                return Err(wrong(format!("`{name}` is there twice")));
            }
        }
        Ok(bag)
    }
}

/// How many files the end of a ZIP says that there are (APPNOTE, 4.3.16); `None`: more than fit there,
/// or it is no end.
fn listed(zip: &[u8]) -> Option<usize> {
    const END: &[u8] = b"PK\x05\x06";
    let at = zip.windows(END.len()).rposition(|it| it == END)?;
    let n = u16::from_le_bytes(zip.get(at + 10..at + 12)?.try_into().ok()?);
    (n != u16::MAX).then_some(usize::from(n))
}

/// A part of a path that leads nowhere else on any system.
pub(crate) fn is_plain(part: &str) -> bool {
    !part.is_empty() && part != "." && part != ".." && !part.contains(['\\', ':', '\0'])
}

#[cfg(test)]
mod tests {
    use super::*;

    fn bag() -> Bag {
        let mut bag = Bag::default();
        bag.put("data/a.csv", "a\r\n");
        bag.put("START-HERE.txt", "Begin.\n");
        bag.seal(&[("Bagging-Date", "2026-11-20".to_owned())]);
        bag
    }

    #[test]
    fn a_bag_is_that_of_rfc_8493() {
        insta::assert_snapshot!(bag().text(TAG_MANIFEST).unwrap().lines().map(|it| it.split_once("  ").unwrap().1).collect::<Vec<_>>().join(" "), @"START-HERE.txt bag-info.txt bagit.txt manifest-sha256.txt");
        insta::assert_snapshot!(bag().text("bag-info.txt").unwrap(), @"
        Bagging-Date: 2026-11-20
        Payload-Oxum: 3.1
        ");
        assert!(bag().text(MANIFEST).unwrap().ends_with("  data/a.csv\n"));
    }

    #[test]
    fn the_same_files_are_the_same_zip_and_read_back() {
        let zip = bag().zip("evidence").unwrap();
        assert_eq!(zip, bag().zip("evidence").unwrap());
        assert_eq!(Bag::from_zip(&zip).unwrap(), bag());
    }

    #[test]
    fn what_is_no_bag_is_refused_without_panic() {
        for (name, why) in [
            ("../../etc/passwd", "no path below one folder"),
            ("a/../b", "no path below one folder"),
            ("a/C:\\x", "no path below one folder"),
            ("alone", "no path below one folder"),
        ] {
            let mut zip = ZipWriter::new(Cursor::new(Vec::new()));
            zip.start_file(name, SimpleFileOptions::default()).unwrap();
            let bytes = zip.finish().unwrap().into_inner();
            let error = Bag::from_zip(&bytes).unwrap_err().to_string();
            assert!(error.contains(why), "{name}: {error}");
        }
        assert!(Bag::from_zip(b"PK").is_err());
        let mut cut = bag().zip("evidence").unwrap();
        cut.truncate(cut.len() / 2);
        assert!(Bag::from_zip(&cut).is_err());
    }
}
