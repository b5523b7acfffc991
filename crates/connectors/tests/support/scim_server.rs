//! A small HTTP server on loopback that answers by a function of the request, and keeps what it
//! was asked.

use std::sync::{Arc, Mutex};

use outbound::Url;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::{TcpListener, TcpStream};

/// One answer.
#[derive(Clone, Debug)]
pub(crate) struct Said {
    pub(crate) status: u16,
    pub(crate) headers: Vec<(&'static str, String)>,
    pub(crate) body: String,
}

impl Said {
    pub(crate) fn json(status: u16, body: impl Into<String>) -> Self {
        let headers = vec![("content-type", "application/scim+json".to_owned())];
        Self { status, headers, body: body.into() }
    }

    pub(crate) fn html(status: u16) -> Self {
        let headers = vec![("content-type", "text/html".to_owned())];
        Self { status, headers, body: "<!doctype html><title>Sign in</title>".to_owned() }
    }

    pub(crate) fn with(mut self, name: &'static str, value: impl Into<String>) -> Self {
        self.headers.push((name, value.into()));
        self
    }
}

/// A running server. Stops when the test's runtime does.
pub(crate) struct Server {
    pub(crate) base: Url,
    asked: Arc<Mutex<Vec<String>>>,
}

/// `GET`'s path and query without the prefix `/scim/v2`, percent-encoded as it came.
type Answers = dyn Fn(&str) -> Said + Send + Sync;

impl Server {
    pub(crate) async fn start(answers: impl Fn(&str) -> Said + Send + Sync + 'static) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let base = format!("http://{}/scim/v2", listener.local_addr().unwrap()).parse().unwrap();
        let asked = Arc::new(Mutex::new(Vec::new()));
        let (answers, log): (Arc<Answers>, _) = (Arc::new(answers), Arc::clone(&asked));
        tokio::spawn(async move {
            while let Ok((stream, _)) = listener.accept().await {
                tokio::spawn(serve(stream, Arc::clone(&answers), Arc::clone(&log)));
            }
        });
        Self { base, asked }
    }

    /// Every request so far: method, path and query.
    pub(crate) fn asked(&self) -> Vec<String> {
        self.asked.lock().unwrap().clone()
    }
}

async fn serve(mut stream: TcpStream, answers: Arc<Answers>, log: Arc<Mutex<Vec<String>>>) {
    let mut head = Vec::new();
    while !head.ends_with(b"\r\n\r\n") {
        match stream.read_u8().await {
            Ok(byte) => head.push(byte),
            Err(_) => return,
        }
    }
    let head = String::from_utf8(head).unwrap();
    let line = head.lines().next().unwrap();
    let [method, path, _] = line.split(' ').collect::<Vec<_>>()[..] else { return };
    let path = path.strip_prefix("/scim/v2").unwrap_or(path);
    log.lock().unwrap().push(format!("{method} {path}"));
    let Said { status, headers, body } = answers(path);
    let mut said = format!("HTTP/1.1 {status} -\r\nconnection: close\r\n");
    for (name, value) in headers {
        said.push_str(&format!("{name}: {value}\r\n"));
    }
    said.push_str(&format!("content-length: {}\r\n\r\n{body}", body.len()));
    // A client that hung up has what it wanted.
    drop(stream.write_all(said.as_bytes()).await);
}
