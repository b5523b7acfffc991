//! A server on loopback that answers as it is told, and remembers what it was asked.

use std::io;
use std::sync::{Arc, Mutex};

use outbound::Url;
use tokio::io::{AsyncRead, AsyncReadExt as _, AsyncWrite, AsyncWriteExt as _, copy_bidirectional};
use tokio::net::{TcpListener, TcpStream};
use tokio::task::JoinHandle;
use tokio_rustls::TlsAcceptor;

use crate::DATE;

/// A request as it came.
#[derive(Clone, Debug)]
pub(crate) struct Seen {
    pub(crate) method: String,
    pub(crate) target: String,
    headers: Vec<(String, String)>,
    pub(crate) body: String,
    /// How many requests had come before.
    pub(crate) nth: usize,
}

impl Seen {
    pub(crate) fn header(&self, name: &str) -> Option<&str> {
        let header = self.headers.iter().find(|(it, _)| it.eq_ignore_ascii_case(name));
        header.map(|(_, value)| value.as_str())
    }

    /// A value of a form.
    pub(crate) fn form(&self, name: &str) -> Option<String> {
        let url = Url::parse(&format!("http://form/?{}", self.body)).unwrap();
        let pair = url.query_pairs().find(|(it, _)| it == name);
        pair.map(|(_, value)| value.into_owned())
    }
}

/// What to answer.
#[derive(Clone, Debug)]
pub(crate) struct Reply {
    status: u16,
    headers: String,
    body: Vec<u8>,
    then: Then,
}

#[derive(Clone, Debug)]
enum Then {
    /// The answer is whole.
    End,
    /// Only so many bytes of the body come before the connection closes.
    Cut(usize),
    /// Only so many bytes of the body come, and then nothing.
    Stall(usize),
    /// Nothing comes, not even a status.
    Silence,
    /// The connection closes without an answer.
    HangUp,
    /// The body comes again and again, without an end.
    Endless,
    /// Bytes go to and from this port from now on.
    Tunnel(u16),
}

impl Reply {
    pub(crate) fn new(status: u16, body: impl Into<Vec<u8>>) -> Self {
        let headers = format!("date: {DATE}\r\n");
        Self { status, headers, body: body.into(), then: Then::End }
    }

    pub(crate) fn json(body: &str) -> Self {
        Self::new(200, body).header("content-type", "application/json")
    }

    pub(crate) fn header(mut self, name: &str, value: &str) -> Self {
        self.headers.push_str(&format!("{name}: {value}\r\n"));
        self
    }

    pub(crate) fn without_date(mut self) -> Self {
        self.headers = self.headers.replace(&format!("date: {DATE}\r\n"), "");
        self
    }

    fn then(self, then: Then) -> Self {
        Self { then, ..self }
    }

    pub(crate) fn cut(self, n_bytes: usize) -> Self {
        self.then(Then::Cut(n_bytes))
    }

    pub(crate) fn stall(self, n_bytes: usize) -> Self {
        self.then(Then::Stall(n_bytes))
    }

    pub(crate) fn endless(self) -> Self {
        self.then(Then::Endless)
    }

    pub(crate) fn silence() -> Self {
        Self::new(200, "").then(Then::Silence)
    }

    pub(crate) fn hang_up() -> Self {
        Self::new(200, "").then(Then::HangUp)
    }

    pub(crate) fn tunnel(port: u16) -> Self {
        Self::new(200, "").then(Then::Tunnel(port))
    }
}

type Answers = dyn Fn(&Seen) -> Reply + Send + Sync;

/// The server. Stops when it is dropped.
pub(crate) struct Server {
    /// `http://127.0.0.1:PORT`, or `https://localhost:PORT`.
    pub(crate) url: Url,
    seen: Arc<Mutex<Vec<Seen>>>,
    task: JoinHandle<()>,
}

impl Server {
    /// Answers each request as `answers` says.
    pub(crate) async fn start(answers: impl Fn(&Seen) -> Reply + Send + Sync + 'static) -> Self {
        Self::serve(None, answers).await
    }

    /// Answers with these in turn, and with the last from then on.
    pub(crate) async fn in_turn(replies: Vec<Reply>) -> Self {
        Self::start(move |seen| replies[seen.nth.min(replies.len() - 1)].clone()).await
    }

    /// The same over TLS.
    pub(crate) async fn start_tls(
        acceptor: TlsAcceptor,
        answers: impl Fn(&Seen) -> Reply + Send + Sync + 'static,
    ) -> Self {
        Self::serve(Some(acceptor), answers).await
    }

    async fn serve(
        acceptor: Option<TlsAcceptor>,
        answers: impl Fn(&Seen) -> Reply + Send + Sync + 'static,
    ) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let port = listener.local_addr().unwrap().port();
        let url = match acceptor {
            Some(_) => format!("https://localhost:{port}/"),
            None => format!("http://127.0.0.1:{port}/"),
        };
        let seen = Arc::new(Mutex::new(Vec::new()));
        let (answers, all) = (Arc::new(answers), Arc::clone(&seen));
        let task = tokio::spawn(async move {
            while let Ok((stream, _)) = listener.accept().await {
                let (answers, all, acceptor) =
                    (Arc::clone(&answers), Arc::clone(&all), acceptor.clone());
                // A client that breaks off is the client's affair.
                tokio::spawn(async move {
                    match acceptor {
                        Some(acceptor) => {
                            let stream = acceptor.accept(stream).await?;
                            converse(stream, &*answers, &all).await
                        }
                        None => converse(stream, &*answers, &all).await,
                    }
                });
            }
        });
        Self { url: Url::parse(&url).unwrap(), seen, task }
    }

    /// All that was asked so far.
    pub(crate) fn seen(&self) -> Vec<Seen> {
        self.seen.lock().unwrap().clone()
    }

    /// What was asked so far, one line each: method and target.
    pub(crate) fn asked(&self) -> String {
        let line = |it: &Seen| format!("{} {}", it.method, it.target);
        self.seen().iter().map(line).collect::<Vec<String>>().join("\n")
    }

    pub(crate) fn port(&self) -> u16 {
        self.url.port().unwrap()
    }

    /// A text with `server` for the address, which is new in each test.
    pub(crate) fn without_address(&self, text: &str) -> String {
        text.replace(&format!("127.0.0.1:{}", self.port()), "server")
            .replace(&format!("localhost:{}", self.port()), "server")
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        self.task.abort();
    }
}

async fn converse<S: AsyncRead + AsyncWrite + Unpin>(
    mut stream: S,
    answers: &Answers,
    all: &Mutex<Vec<Seen>>,
) -> io::Result<()> {
    let mut buffer = Vec::new();
    while let Some(mut seen) = request(&mut stream, &mut buffer).await? {
        {
            let mut all = all.lock().unwrap();
            seen.nth = all.len();
            all.push(seen.clone());
        }
        let reply = answers(&seen);
        let whole = reply.body.len();
        let head = |length: String| {
            format!("HTTP/1.1 {} .\r\n{}{length}\r\n", reply.status, reply.headers)
        };
        let length = |n_bytes: usize| format!("content-length: {n_bytes}\r\n");
        match reply.then {
            Then::End => {
                let head = head(length(whole));
                stream.write_all(&[head.as_bytes(), &reply.body].concat()).await?;
            }
            Then::Cut(n_bytes) => {
                let head = head(length(whole));
                stream.write_all(&[head.as_bytes(), &reply.body[..n_bytes]].concat()).await?;
                return stream.shutdown().await;
            }
            Then::Stall(n_bytes) => {
                let head = head(length(whole));
                stream.write_all(&[head.as_bytes(), &reply.body[..n_bytes]].concat()).await?;
                return wait_for_the_end(&mut stream).await;
            }
            Then::Silence => return wait_for_the_end(&mut stream).await,
            Then::HangUp => return stream.shutdown().await,
            Then::Endless => {
                stream.write_all(head(String::new()).as_bytes()).await?;
                loop {
                    stream.write_all(&reply.body).await?;
                }
            }
            Then::Tunnel(port) => {
                stream.write_all(b"HTTP/1.1 200 .\r\n\r\n").await?;
                let mut other = TcpStream::connect(("127.0.0.1", port)).await?;
                return copy_bidirectional(&mut stream, &mut other).await.map(|_| ());
            }
        }
    }
    Ok(())
}

async fn wait_for_the_end<S: AsyncRead + Unpin>(stream: &mut S) -> io::Result<()> {
    let mut nothing = [0; 64];
    while stream.read(&mut nothing).await? > 0 {}
    Ok(())
}

/// The next request; `None` at the end of the connection.
async fn request<S: AsyncRead + Unpin>(
    stream: &mut S,
    buffer: &mut Vec<u8>,
) -> io::Result<Option<Seen>> {
    loop {
        if let Some((seen, n_bytes)) = parse(buffer) {
            buffer.drain(..n_bytes);
            return Ok(Some(seen));
        }
        if stream.read_buf(buffer).await? == 0 {
            return Ok(None);
        }
    }
}

/// A whole request at the beginning of `bytes`, and its length.
fn parse(bytes: &[u8]) -> Option<(Seen, usize)> {
    let end = bytes.windows(4).position(|it| it == b"\r\n\r\n")? + 4;
    let head = std::str::from_utf8(&bytes[..end]).unwrap();
    let mut lines = head.trim_end().split("\r\n");
    let mut first = lines.next().unwrap().split(' ');
    let (method, target) = (first.next().unwrap().to_owned(), first.next().unwrap().to_owned());
    let headers: Vec<(String, String)> = lines
        .map(|line| line.split_once(": ").unwrap())
        .map(|(name, value)| (name.to_owned(), value.to_owned()))
        .collect();
    let length = headers.iter().find(|(name, _)| name.eq_ignore_ascii_case("content-length"));
    let length: usize = length.map_or(0, |(_, value)| value.parse().unwrap());
    let body = bytes.get(end..end + length)?;
    let body = String::from_utf8(body.to_vec()).unwrap();
    Some((Seen { method, target, headers, body, nth: 0 }, end + length))
}
