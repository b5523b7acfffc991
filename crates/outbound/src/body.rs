//! A body as it arrives: hashed as it comes, decoded as it comes, never longer than its limit.

use std::io::{self, Write as _};

use bytes::Bytes;
use domain::Digest;
use flate2::write::MultiGzDecoder;
use ring::digest::{Context, SHA256};

/// Why a body cannot be taken.
#[derive(Debug)]
pub(crate) enum BodyError {
    /// As it came or decoded, it is longer than the limit.
    TooLarge,
    /// It does not decompress: cut off or damaged on its way.
    Damaged(io::Error),
}

/// Takes a body piece by piece. Holds the decoded bytes, the limit at most.
pub(crate) struct Body {
    limit: u64,
    n_bytes: u64,
    hash: Context,
    form: Form,
}

enum Form {
    Plain(Vec<u8>),
    Gzip(Box<MultiGzDecoder<Bounded>>),
}

impl Body {
    /// An empty body of which `limit` bytes are taken at most. `encoding` is the
    /// `Content-Encoding` header; `None` when it is one that we did not ask for.
    pub(crate) fn new(encoding: &str, limit: u64) -> Option<Self> {
        let is = |name: &str| encoding.trim().eq_ignore_ascii_case(name);
        let form = if is("") || is("identity") {
            Form::Plain(Vec::new())
        } else if is("gzip") || is("x-gzip") {
            Form::Gzip(Box::new(MultiGzDecoder::new(Bounded { bytes: Vec::new(), limit })))
        } else {
            return None;
        };
        Some(Self { limit, n_bytes: 0, hash: Context::new(&SHA256), form })
    }

    /// Takes the next piece.
    pub(crate) fn push(&mut self, piece: &[u8]) -> Result<(), BodyError> {
        self.n_bytes += piece.len() as u64;
        self.hash.update(piece);
        if self.n_bytes > self.limit {
            return Err(BodyError::TooLarge);
        }
        match &mut self.form {
            Form::Plain(bytes) => bytes.extend_from_slice(piece),
            Form::Gzip(decoder) => decoder.write_all(piece).map_err(of_decoder)?,
        }
        Ok(())
    }

    /// Bytes taken, as they came.
    pub(crate) fn n_bytes(&self) -> u64 {
        self.n_bytes
    }

    /// SHA-256 of the bytes taken, as they came.
    pub(crate) fn sha256(&self) -> Digest {
        let mut digest = Digest::default();
        digest.copy_from_slice(self.hash.clone().finish().as_ref());
        digest
    }

    /// The whole body, decoded.
    pub(crate) fn finish(self) -> Result<Bytes, BodyError> {
        match self.form {
            Form::Plain(bytes) => Ok(bytes.into()),
            // No body at all is none in gzip either: an answer 204, say.
            Form::Gzip(_) if self.n_bytes == 0 => Ok(Bytes::new()),
            Form::Gzip(decoder) => Ok(decoder.finish().map_err(of_decoder)?.bytes.into()),
        }
    }
}

/// Decoded bytes that refuse to grow past a limit, so that a small body cannot become a large one.
#[derive(Debug)]
struct Bounded {
    bytes: Vec<u8>,
    limit: u64,
}

impl io::Write for Bounded {
    fn write(&mut self, piece: &[u8]) -> io::Result<usize> {
        if self.bytes.len() as u64 + piece.len() as u64 > self.limit {
            return Err(io::ErrorKind::FileTooLarge.into());
        }
        self.bytes.extend_from_slice(piece);
        Ok(piece.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

fn of_decoder(error: io::Error) -> BodyError {
    match error.kind() {
        io::ErrorKind::FileTooLarge => BodyError::TooLarge,
        _ => BodyError::Damaged(error),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn gzip(bytes: &[u8]) -> Vec<u8> {
        let mut encoder = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::best());
        encoder.write_all(bytes).unwrap();
        encoder.finish().unwrap()
    }

    /// Takes `sent` in pieces of seven bytes.
    fn take(encoding: &str, sent: &[u8], limit: u64) -> Result<Bytes, BodyError> {
        let mut body = Body::new(encoding, limit).unwrap();
        for piece in sent.chunks(7) {
            body.push(piece)?;
        }
        assert_eq!(body.n_bytes(), sent.len() as u64);
        body.finish()
    }

    #[test]
    fn bodies_are_decoded_whole() {
        let text = b"{\"totalResults\": 0}".repeat(50);
        assert_eq!(take("", &text, 2000).unwrap(), text);
        assert_eq!(take("identity", &text, 2000).unwrap(), text);
        assert_eq!(take("GZIP", &gzip(&text), 2000).unwrap(), text);
        assert_eq!(take("gzip", b"", 2000).unwrap(), "");
        let two = [gzip(&text), gzip(b"end")].concat();
        assert_eq!(take("x-gzip", &two, 2000).unwrap(), [text, b"end".to_vec()].concat());
        assert!(Body::new("br", 2000).is_none());
    }

    #[test]
    fn a_limit_holds_for_bytes_as_they_come_and_decoded() {
        assert_eq!(take("", b"12345678", 8).unwrap(), "12345678");
        assert!(matches!(take("", b"123456789", 8), Err(BodyError::TooLarge)));
        let small = gzip(&vec![0; 1 << 20]);
        assert!(small.len() < 2000);
        assert!(matches!(take("gzip", &small, (1 << 20) - 1), Err(BodyError::TooLarge)));
        assert_eq!(take("gzip", &small, 1 << 20).unwrap().len(), 1 << 20);
    }

    #[test]
    fn cut_and_damaged_bodies_are_refused() {
        let text = b"0123456789abcdef".repeat(20);
        let mut sent = gzip(&text);
        assert!(matches!(take("gzip", &sent[..sent.len() - 1], 2000), Err(BodyError::Damaged(_))));
        assert!(matches!(take("gzip", &sent[..12], 2000), Err(BodyError::Damaged(_))));
        assert!(matches!(take("gzip", b"<html>", 2000), Err(BodyError::Damaged(_))));
        let last = sent.len() - 6;
        sent[last] ^= 1; // In the checksum.
        assert!(matches!(take("gzip", &sent, 2000), Err(BodyError::Damaged(_))));
    }
}
