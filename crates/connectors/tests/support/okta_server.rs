//! An Okta organisation of a few people on a loopback socket: lists in pages with `Link` headers,
//! one object by id, the app, its features, a log to poll, and answers that a test puts in front.
//! Keeps every request that it gets.

use std::collections::VecDeque;
use std::fmt::Write as _;
use std::io::{BufRead as _, BufReader, Read as _, Write as _};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex};
use std::thread;

use serde_json::{Value, json};

/// The app that everything is about.
pub(crate) const APP: &str = "0oaAPP";

/// What the organisation holds. A test changes it before, or while, it is read.
#[derive(Clone, Debug, Default)]
pub(crate) struct Org {
    pub(crate) users: Vec<Value>,
    pub(crate) app_users: Vec<Value>,
    pub(crate) groups: Vec<Value>,
    /// Pages of the log that were kept so far.
    pub(crate) log: Vec<Vec<Value>>,
    /// Most rows of one page of every list, where less is not asked for.
    pub(crate) page_rows: usize,
}

impl Org {
    /// `n` people, all of them active and assigned, two on a page.
    pub(crate) fn of(n: usize) -> Self {
        Self {
            users: (1..=n).map(|it| user(it, "ACTIVE")).collect(),
            app_users: (1..=n).map(|it| app_user(it, "PROVISIONED")).collect(),
            page_rows: 2,
            ..Self::default()
        }
    }
}

/// The id of a user.
pub(crate) fn id(n: usize) -> String {
    format!("00u{n:017}")
}

/// A user as the list of users shows them.
pub(crate) fn user(n: usize, status: &str) -> Value {
    json!({"id": id(n), "status": status, "created": "2024-01-01T00:00:00.000Z",
        "activated": null, "statusChanged": "2026-01-30T17:02:11.000Z", "lastLogin": null,
        "profile": {"login": format!("u{n}@acme.test"), "email": format!("u{n}@acme.test")}})
}

/// A user as the list of the app's users shows them.
pub(crate) fn app_user(n: usize, status: &str) -> Value {
    json!({"id": id(n), "externalId": format!("sf-{n}"), "scope": "USER", "status": status,
        "statusChanged": "2026-01-30T17:02:14.000Z", "syncState": "DISABLED",
        "credentials": {"userName": format!("u{n}@acme.test")}, "profile": {},
        "_embedded": {"user": user(n, "ACTIVE")}})
}

/// An event of the log about a user.
pub(crate) fn event(uuid: &str, at: &str, event_type: &str, n: usize) -> Value {
    json!({"uuid": uuid, "published": at, "eventType": event_type,
        "outcome": {"result": "SUCCESS", "reason": null},
        "target": [{"id": "0ua9", "type": "AppUser"}, {"id": APP, "type": "AppInstance"},
            {"id": id(n), "type": "User", "detailEntry": null}]})
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

    /// Okta's own error.
    pub(crate) fn error(status: u16, code: &str, summary: &str) -> Self {
        let body = json!({"errorCode": code, "errorSummary": summary, "errorLink": code,
            "errorId": "oaeTEST", "errorCauses": []});
        Self::text(status, "application/json", &body.to_string())
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
type Hook = Box<dyn FnMut(&mut Org, &str) -> Option<Reply> + Send>;

/// A server that lives as long as the test.
pub(crate) struct OktaServer {
    address: SocketAddr,
    shared: Arc<Shared>,
}

struct Shared {
    state: Mutex<State>,
    is_over: AtomicBool,
}

struct State {
    org: Org,
    hooks: Vec<Hook>,
    /// Method and address of each request, in order.
    requests: Vec<String>,
    base: String,
}

impl OktaServer {
    pub(crate) fn start(org: Org) -> Self {
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
    pub(crate) fn hook(&self, hook: impl FnMut(&mut Org, &str) -> Option<Reply> + Send + 'static) {
        self.shared.state.lock().unwrap().hooks.push(Box::new(hook));
    }

    /// Changes what the organisation holds.
    pub(crate) fn change(&self, change: impl FnOnce(&mut Org)) {
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

impl Drop for OktaServer {
    fn drop(&mut self) {
        self.shared.is_over.store(true, Ordering::SeqCst);
        // Wakes the listener so that it sees the end.
        drop(TcpStream::connect(self.address));
    }
}

/// Answers one request and closes.
fn serve(stream: &TcpStream, shared: &Shared) -> std::io::Result<()> {
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
        "HTTP/1.1 {} x\r\nContent-Length: {}\r\nConnection: close\r\nX-Okta-Request-Id: req-1\r\n",
        reply.status,
        reply.body.len()
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

impl State {
    fn answer(&mut self, method: &str, path: &str) -> Reply {
        self.requests.push(format!("{method} {path}"));
        for hook in &mut self.hooks {
            if let Some(reply) = hook(&mut self.org, path) {
                return reply;
            }
        }
        let (place, query) = path.split_once('?').unwrap_or((path, ""));
        let parts: Vec<&str> = place.trim_start_matches("/api/v1/").split('/').collect();
        match parts.as_slice() {
            ["users"] => {
                let of_status = |it: &&Value| {
                    query.contains(&format!(
                        "status eq \"{}\"",
                        it["status"].as_str().unwrap_or("-")
                    ))
                };
                let users: Vec<Value> = self.org.users.iter().filter(of_status).cloned().collect();
                self.page(&users, place, query)
            }
            ["users", id] => one(&self.org.users, id, "User"),
            ["apps", app, ..] if *app != APP => missing(app, "AppInstance"),
            ["apps", _] => Reply::json(&json!({"id": APP, "name": "secureframe",
                "label": "Secureframe", "status": "ACTIVE", "features": []})),
            ["apps", _, "users"] => {
                let app_users = self.org.app_users.clone();
                self.page(&app_users, place, query)
            }
            ["apps", _, "users", id] => one(&self.org.app_users, id, "AppUser"),
            ["apps", _, "groups"] => {
                let groups = self.org.groups.clone();
                self.page(&groups, place, query)
            }
            ["apps", _, "features"] => Reply::json(&json!([{"name": "USER_PROVISIONING",
                "status": "ENABLED", "capabilities": {"create": {"lifecycleCreate": {"status":
                "ENABLED"}}, "update": {"lifecycleDeactivate": {"status": "ENABLED"}}}}])),
            ["logs"] => self.log(query),
            _ => Reply::error(404, "E0000008", "The requested path was not found"),
        }
    }

    /// A page of a list. Its next one is named by where it begins.
    fn page(&self, rows: &[Value], place: &str, query: &str) -> Reply {
        let from = number(query, "after=").unwrap_or_default();
        let n_rows = number(query, "limit=").map_or(1, |it| it.min(self.org.page_rows));
        let page: Vec<Value> = rows.iter().skip(from).take(n_rows).cloned().collect();
        let this = format!("<{}{place}?{}>; rel=\"self\"", self.base, encoded(query));
        let reply = Reply::json(&Value::Array(page)).with("Link", this);
        if from + n_rows >= rows.len() {
            return reply;
        }
        let query = query.split("&after=").next().unwrap_or(query);
        let next = format!("{}{place}?{}&after={}", self.base, encoded(query), from + n_rows);
        reply.with("Link", format!("<{next}>; rel=\"next\""))
    }

    /// The log by its cursor: always a next link, and an empty page at the end.
    fn log(&self, query: &str) -> Reply {
        let from = number(query, "after=").unwrap_or_default();
        let page = self.org.log.get(from).cloned().unwrap_or_default();
        let next = from + usize::from(from < self.org.log.len());
        let link = format!("<{}/api/v1/logs?sortOrder=ASCENDING&after={next}>", self.base);
        Reply::json(&Value::Array(page)).with("Link", format!("{link}; rel=\"next\""))
    }
}

/// A number in a query.
fn number(query: &str, name: &str) -> Option<usize> {
    let value = query.split('&').find_map(|it| it.strip_prefix(name))?;
    value.parse().ok()
}

fn one(rows: &[Value], id: &str, resource: &str) -> Reply {
    match rows.iter().find(|it| it["id"] == *id) {
        Some(row) => Reply::json(row),
        None => missing(id, resource),
    }
}

/// What Okta answers when something is not there.
pub(crate) fn missing(id: &str, resource: &str) -> Reply {
    Reply::error(404, "E0000007", &format!("Not found: Resource not found: {id} ({resource})"))
}

fn encoded(text: &str) -> String {
    text.replace(' ', "%20").replace('"', "%22")
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
