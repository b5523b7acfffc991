//! Sends answers, and spoils them on the way: slowly, cut off, without end. What is large is made
//! while it is sent and never held.

use std::io;
use std::pin::Pin;
use std::task::{Context, Poll};

use axum::body::Body;
use axum::http::{HeaderValue, Response, StatusCode};
use bytes::Bytes;
use flate2::{Compress, Compression, Crc, FlushCompress};
use http_body::Frame;
use tokio::sync::mpsc;
use tokio::time::sleep;

use crate::fault::Fault;
use crate::wire::{Answer, Payload};

/// Bytes of a slow body that come at once.
const DROP: usize = 64;
/// Bytes of a large body that are made at once.
const CHUNK: usize = 1 << 20;
/// White space that JSON may begin with goes before this.
const END: &[u8] = b"[]";

/// Turns an answer into what goes over the wire.
pub(crate) fn send(answer: Answer, faults: &[Fault]) -> Response<Body> {
    let (body, length) = match answer.body {
        Payload::Json(value) => spoiled(Bytes::from(value.to_string()), faults),
        Payload::Text(text) => spoiled(Bytes::from(text), faults),
        Payload::Endless(bytes) => (pieces(move |out| Box::pin(spaces(out, bytes))), None),
        Payload::Bomb(bytes) => (pieces(move |out| Box::pin(bomb(out, bytes))), None),
    };
    let mut response = Response::new(body);
    *response.status_mut() =
        StatusCode::from_u16(answer.status).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
    let headers = response.headers_mut();
    for (name, value) in answer.headers {
        // What cannot be a header is a mistake in a description; the test sees that it is missing.
        if let Ok(value) = HeaderValue::from_str(&value) {
            headers.append(name, value);
        }
    }
    if let Some(length) = length {
        headers.insert("content-length", HeaderValue::from(length));
    }
    response
}

/// A body, and the length to promise where it is not that of the body.
fn spoiled(bytes: Bytes, faults: &[Fault]) -> (Body, Option<usize>) {
    let length = bytes.len();
    let slow = faults.iter().find_map(|it| match it {
        Fault::Slow(pause) => Some(*pause),
        _ => None,
    });
    if faults.contains(&Fault::CutBody) {
        let half = bytes.slice(..length / 2);
        let cut = move |out: mpsc::Sender<Piece>| async move {
            if out.send(Ok(half)).await.is_ok() {
                drop(out.send(Err(io::ErrorKind::ConnectionReset.into())).await);
            }
        };
        return (pieces(move |out| Box::pin(cut(out))), Some(length));
    }
    if let Some(pause) = slow {
        let drip = move |out: mpsc::Sender<Piece>| async move {
            for at in (0..length).step_by(DROP) {
                let piece = bytes.slice(at..(at + DROP).min(length));
                if out.send(Ok(piece)).await.is_err() {
                    return;
                }
                sleep(pause).await;
            }
        };
        return (pieces(move |out| Box::pin(drip(out))), Some(length));
    }
    (Body::from(bytes), None)
}

/// Nobody who reads it any more is no error: whoever made it stops.
type Piece = Result<Bytes, io::Error>;
type Making = Pin<Box<dyn Future<Output = ()> + Send>>;

/// A body that somebody makes while it is read, and stops making when nobody reads on.
fn pieces(make: impl FnOnce(mpsc::Sender<Piece>) -> Making) -> Body {
    let (sender, receiver) = mpsc::channel(1);
    tokio::spawn(make(sender));
    Body::new(Pieces(receiver))
}

struct Pieces(mpsc::Receiver<Piece>);

impl http_body::Body for Pieces {
    type Data = Bytes;
    type Error = io::Error;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, io::Error>>> {
        self.0.poll_recv(context).map(|piece| piece.map(|it| it.map(Frame::data)))
    }
}

/// So many spaces, then an empty list: JSON to the last byte. No length is promised.
async fn spaces(out: mpsc::Sender<Piece>, bytes: u64) {
    let chunk = Bytes::from(vec![b' '; CHUNK]);
    for _ in 0..bytes.div_ceil(CHUNK as u64) {
        if out.send(Ok(chunk.clone())).await.is_err() {
            return;
        }
    }
    drop(out.send(Ok(Bytes::from_static(END))).await);
}

/// The same as gzip (RFC 1952): one compressed megabyte, over and over.
async fn bomb(out: mpsc::Sender<Piece>, bytes: u64) {
    let Ok((piece, end)) = packed() else { return };
    let n_pieces = bytes.div_ceil(CHUNK as u64);
    let mut of_piece = Crc::new();
    of_piece.update(&vec![b' '; CHUNK]);
    let mut sum = Crc::new();
    let header = Bytes::from_static(&[0x1f, 0x8b, 8, 0, 0, 0, 0, 0, 2, 255]);
    if out.send(Ok(header)).await.is_err() {
        return;
    }
    for _ in 0..n_pieces {
        sum.combine(&of_piece);
        if out.send(Ok(piece.clone())).await.is_err() {
            return;
        }
    }
    sum.update(END);
    let mut trailer = end;
    trailer.extend(sum.sum().to_le_bytes());
    trailer.extend(sum.amount().to_le_bytes());
    drop(out.send(Ok(Bytes::from(trailer))).await);
}

/// A chunk of spaces compressed so that it can be repeated, and the end of the stream.
fn packed() -> Result<(Bytes, Vec<u8>), flate2::CompressError> {
    let mut piece = Vec::with_capacity(CHUNK);
    let mut compress = Compress::new(Compression::best(), false);
    compress.compress_vec(&vec![b' '; CHUNK], &mut piece, FlushCompress::Full)?;
    let mut end = Vec::with_capacity(64);
    Compress::new(Compression::best(), false).compress_vec(END, &mut end, FlushCompress::Finish)?;
    Ok((Bytes::from(piece), end))
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::io::Read as _;

    #[tokio::test]
    async fn a_gzip_bomb_is_small_and_unpacks_to_what_it_says() {
        let answer = Answer { status: 200, headers: Vec::new(), body: Payload::Bomb(64 << 20) };
        let packed = axum::body::to_bytes(send(answer, &[]).into_body(), 1 << 20).await.unwrap();
        assert!(packed.len() < 128 * 1024, "{} bytes", packed.len());
        let mut unpacked = Vec::new();
        flate2::read::GzDecoder::new(&packed[..]).read_to_end(&mut unpacked).unwrap();
        assert_eq!(unpacked.len(), (64 << 20) + END.len());
        assert!(unpacked.ends_with(b" []"));
    }

    #[tokio::test]
    async fn a_cut_body_promises_more_than_it_sends() {
        let answer = Answer::text(200, "text/plain", "all of it");
        let response = send(answer, &[Fault::CutBody]);
        assert_eq!(response.headers()["content-length"], "9");
        assert!(axum::body::to_bytes(response.into_body(), 100).await.is_err());
    }
}
