//! A source of a few people on a loopback socket: what it holds, how it answers, and answers that a
//! test puts in front. Keeps every request that it gets.

use std::collections::VecDeque;
use std::fmt::Write as _;
use std::io::{BufRead as _, BufReader, Read as _, Write as _};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex};
use std::thread;

use serde_json::Value;

/// How a source answers.
pub(crate) trait Answers: Send + 'static {
    /// The header that holds the id of a request.
    const REQUEST_ID: &'static str;

    /// Answers a decoded path with its query. `base` is where the source is.
    fn answer(&mut self, base: &str, path: &str) -> Reply;
}

/// One answer as it goes over the wire.
#[derive(Clone, Debug)]
pub(crate) struct Reply {
    pub(crate) status: u16,
    pub(crate) headers: Vec<(&'static str, String)>,
    pub(crate) body: String,
    /// Close the connection after so many bytes of the body.
    pub(crate) cut_after: Option<usize>,
}

impl Reply {
    pub(crate) fn json(body: &Value) -> Self {
        Self::text(200, "application/json", &body.to_string())
    }

    pub(crate) fn html(status: u16) -> Self {
        Self::text(status, "text/html", "<!doctype html><title>Sign in</title>")
    }

    pub(crate) fn text(status: u16, kind: &str, body: &str) -> Self {
        let headers = vec![("Content-Type", kind.to_owned())];
        Self { status, headers, body: body.to_owned(), cut_after: None }
    }

    pub(crate) fn with(mut self, name: &'static str, value: impl Into<String>) -> Self {
        self.headers.push((name, value.into()));
        self
    }

    pub(crate) fn cut_after(mut self, n_bytes: usize) -> Self {
        self.cut_after = Some(n_bytes);
        self
    }
}

/// What happens when an address is asked for, before the organisation answers.
type Hook<O> = Box<dyn FnMut(&mut O, &str) -> Option<Reply> + Send>;

/// A server that lives as long as the test.
pub(crate) struct Server<O> {
    address: SocketAddr,
    shared: Arc<Shared<O>>,
}

struct Shared<O> {
    state: Mutex<State<O>>,
    is_over: AtomicBool,
}

struct State<O> {
    org: O,
    hooks: Vec<Hook<O>>,
    /// Method and address of each request, in order.
    requests: Vec<String>,
    base: String,
}

impl<O: Answers> Server<O> {
    pub(crate) fn start(org: O) -> Self {
        let listener = TcpListener::bind(("127.0.0.1", 0)).unwrap();
        let address = listener.local_addr().unwrap();
        let base = format!("http://{address}");
        let state = State { org, hooks: Vec::new(), requests: Vec::new(), base };
        let shared = Arc::new(Shared { state: Mutex::new(state), is_over: AtomicBool::new(false) });
        let serving = Arc::clone(&shared);
        thread::spawn(move || {
            for stream in listener.incoming() {
                if serving.is_over.load(Ordering::SeqCst) {
                    return;
                }
                let serving = Arc::clone(&serving);
                thread::spawn(move || {
                    // A client that went away is its own affair.
                    drop(stream.map(|it| serve(&it, &serving)));
                });
            }
        });
        Self { address, shared }
    }

    /// `http://127.0.0.1:1234`
    pub(crate) fn url(&self) -> String {
        format!("http://{}", self.address)
    }

    /// Puts answers in front of the organisation's, for addresses that contain `part`: each is
    /// given once, in order.
    pub(crate) fn once(&self, part: &'static str, replies: impl IntoIterator<Item = Reply>) {
        let mut replies: VecDeque<Reply> = replies.into_iter().collect();
        self.hook(move |_, path| path.contains(part).then(|| replies.pop_front()).flatten());
    }

    /// The same, and always this one.
    pub(crate) fn always(&self, part: &'static str, reply: Reply) {
        self.hook(move |_, path| path.contains(part).then(|| reply.clone()));
    }

    /// Sees each address before it is answered, may change the organisation, and may answer.
    pub(crate) fn hook(&self, hook: impl FnMut(&mut O, &str) -> Option<Reply> + Send + 'static) {
        self.shared.state.lock().unwrap().hooks.push(Box::new(hook));
    }

    /// Changes what the organisation holds.
    pub(crate) fn change(&self, change: impl FnOnce(&mut O)) {
        change(&mut self.shared.state.lock().unwrap().org);
    }

    /// Every request so far, as `GET /api/v1/users?limit=200`, decoded.
    pub(crate) fn requests(&self) -> Vec<String> {
        self.shared.state.lock().unwrap().requests.clone()
    }

    /// How many requests so far are for addresses that contain `part`.
    pub(crate) fn n_requests(&self, part: &str) -> usize {
        self.requests().iter().filter(|it| it.contains(part)).count()
    }
}

impl<O> Drop for Server<O> {
    fn drop(&mut self) {
        self.shared.is_over.store(true, Ordering::SeqCst);
        // Wakes the listener so that it sees the end.
        drop(TcpStream::connect(self.address));
    }
}

/// Answers one request and closes.
fn serve<O: Answers>(stream: &TcpStream, shared: &Shared<O>) -> std::io::Result<()> {
    let mut lines = BufReader::new(stream).lines();
    let Some(line) = lines.next().transpose()? else { return Ok(()) };
    let mut words = line.split(' ');
    let (method, path) = (words.next().unwrap_or_default(), words.next().unwrap_or_default());
    let path = decoded(path);
    for header in lines.by_ref() {
        if header?.is_empty() {
            break;
        }
    }
    let reply = shared.state.lock().unwrap().answer(method, &path);
    let mut head = format!(
        "HTTP/1.1 {} x\r\nContent-Length: {}\r\nConnection: close\r\n{}: req-1\r\n",
        reply.status,
        reply.body.len(),
        O::REQUEST_ID
    );
    for (name, value) in &reply.headers {
        write!(head, "{name}: {value}\r\n").unwrap();
    }
    if !reply.headers.iter().any(|(name, _)| *name == "Date") {
        head.push_str("Date: Tue, 24 Nov 2026 02:00:00 GMT\r\n");
    }
    let n_bytes = reply.cut_after.unwrap_or(reply.body.len());
    let body = reply.body.as_bytes().get(..n_bytes).unwrap_or(reply.body.as_bytes());
    let mut stream = stream;
    stream.write_all(head.as_bytes())?;
    stream.write_all(b"\r\n")?;
    stream.write_all(body)?;
    stream.flush()?;
    stream.shutdown(std::net::Shutdown::Write)?;
    // Lets the client read all of it before the socket goes.
    drop(stream.read(&mut [0]));
    Ok(())
}

impl<O: Answers> State<O> {
    fn answer(&mut self, method: &str, path: &str) -> Reply {
        self.requests.push(format!("{method} {path}"));
        for hook in &mut self.hooks {
            if let Some(reply) = hook(&mut self.org, path) {
                return reply;
            }
        }
        self.org.answer(&self.base, path)
    }
}

/// A number in a query.
pub(crate) fn number(query: &str, name: &str) -> Option<usize> {
    let value = query.split('&').find_map(|it| it.strip_prefix(name))?;
    value.parse().ok()
}

fn decoded(path: &str) -> String {
    let mut bytes = Vec::new();
    let mut rest = path.as_bytes();
    while let [first, after @ ..] = rest {
        let hex = after.split_at_checked(2);
        let byte = hex.and_then(|(hex, _)| u8::from_str_radix(str::from_utf8(hex).ok()?, 16).ok());
        match (first, byte, hex) {
            (b'%', Some(byte), Some((_, after))) => {
                bytes.push(byte);
                rest = after;
            }
            _ => {
                bytes.push(*first);
                rest = after;
            }
        }
    }
    String::from_utf8(bytes).unwrap()
}
