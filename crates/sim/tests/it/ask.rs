//! A reader with no opinions: sends one request over a socket and shows all that came back.

use std::fmt::Write as _;

use serde_json::Value;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpStream;

/// What came back.
#[derive(Debug)]
pub(crate) struct Reply {
    pub(crate) status: u16,
    /// Names in lower case, in order.
    pub(crate) headers: Vec<(String, String)>,
    pub(crate) body: Vec<u8>,
    /// The connection ended where the headers or the chunks promised.
    pub(crate) is_whole: bool,
}

impl Reply {
    pub(crate) fn json(&self) -> Value {
        serde_json::from_slice(&self.body).unwrap()
    }

    pub(crate) fn all(&self, name: &str) -> Vec<&str> {
        self.headers.iter().filter(|it| it.0 == name).map(|it| it.1.as_str()).collect()
    }

    pub(crate) fn header(&self, name: &str) -> &str {
        self.all(name).first().copied().unwrap_or_default()
    }

    /// The URL of the `Link` line with this relation.
    pub(crate) fn link(&self, relation: &str) -> Option<String> {
        let ends = format!(">; rel=\"{relation}\"");
        let line = self.all("link").into_iter().find_map(|it| it.strip_suffix(&ends))?;
        Some(line.strip_prefix('<')?.to_owned())
    }

    /// A member of each row of a list, Okta's or SCIM's.
    pub(crate) fn column(&self, name: &str) -> Vec<String> {
        let body = self.json();
        let rows = body.as_array().or_else(|| body["Resources"].as_array()).unwrap();
        let text = |it: &Value| it[name].as_str().map_or(it[name].to_string(), str::to_owned);
        rows.iter().map(text).collect()
    }
}

/// `GET url` with these headers.
pub(crate) async fn get(url: &str, headers: &[(&str, &str)]) -> Reply {
    send("GET", url, headers, "").await
}

pub(crate) async fn send(method: &str, url: &str, headers: &[(&str, &str)], body: &str) -> Reply {
    let rest = url.strip_prefix("http://").unwrap();
    let (host, path) = rest.split_at(rest.find('/').unwrap_or(rest.len()));
    let mut head = format!("{method} {path} HTTP/1.1\r\nhost: {host}\r\nconnection: close\r\n");
    for (name, value) in headers {
        write!(head, "{name}: {value}\r\n").unwrap();
    }
    write!(head, "content-length: {}\r\n\r\n{body}", body.len()).unwrap();
    let mut socket = TcpStream::connect(host).await.unwrap();
    socket.write_all(head.as_bytes()).await.unwrap();
    let mut bytes = Vec::new();
    // A body that is cut off may end in an error: what came before it still counts.
    drop(socket.read_to_end(&mut bytes).await);
    parse(&bytes)
}

fn parse(bytes: &[u8]) -> Reply {
    let end = bytes.windows(4).position(|it| it == b"\r\n\r\n").unwrap();
    let head = std::str::from_utf8(&bytes[..end]).unwrap();
    let mut lines = head.lines();
    let status = lines.next().unwrap().split(' ').nth(1).unwrap().parse().unwrap();
    let header = |it: &str| {
        let (name, value) = it.split_once(':').unwrap();
        (name.to_lowercase(), value.trim().to_owned())
    };
    let headers: Vec<(String, String)> = lines.map(header).collect();
    let mut reply = Reply { status, headers, body: bytes[end + 4..].to_vec(), is_whole: true };
    if reply.header("transfer-encoding") == "chunked" {
        (reply.body, reply.is_whole) = joined(&reply.body);
    } else if let Ok(length) = reply.header("content-length").parse::<usize>() {
        reply.is_whole = reply.body.len() == length;
    }
    reply
}

/// The chunks of a body, and whether the last one was there.
fn joined(mut rest: &[u8]) -> (Vec<u8>, bool) {
    let mut body = Vec::new();
    while let Some(end) = rest.windows(2).position(|it| it == b"\r\n") {
        let size = usize::from_str_radix(std::str::from_utf8(&rest[..end]).unwrap(), 16).unwrap();
        if size == 0 {
            return (body, true);
        }
        let Some(chunk) = rest.get(end + 2..end + 2 + size) else { break };
        body.extend_from_slice(chunk);
        rest = rest.get(end + 4 + size..).unwrap_or_default();
    }
    (body, false)
}
