//! A socket that answers as it is told, and gives back what it was asked.

use std::io::{BufRead as _, BufReader, Read as _, Write as _};
use std::net::TcpListener;
use std::sync::Arc;
use std::thread::{self, JoinHandle};
use std::time::Duration;

use domain::At;
use outbound::{Poster, PosterConfig, Secret};

/// One request as it came.
pub(crate) struct Asked {
    pub(crate) head: String,
    pub(crate) body: Vec<u8>,
}

impl Asked {
    /// The value of a header.
    pub(crate) fn header(&self, name: &str) -> &str {
        let lines = self.head.lines().filter_map(|it| it.split_once(": "));
        lines.filter(|it| it.0.eq_ignore_ascii_case(name)).map(|it| it.1).next().unwrap_or("")
    }
}

/// Answers one request with this head and body; gives the URL, and what was asked.
pub(crate) fn answer(head: &str, body: Vec<u8>) -> (String, JoinHandle<Asked>) {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let url = format!("http://{}/bucket", listener.local_addr().unwrap());
    let head = format!("HTTP/1.1 {head}\r\ncontent-length: {}\r\n\r\n", body.len());
    let asked = thread::spawn(move || {
        let mut reader = BufReader::new(listener.accept().unwrap().0);
        let mut head_of_it = String::new();
        while !head_of_it.ends_with("\r\n\r\n") {
            assert!(reader.read_line(&mut head_of_it).unwrap() > 0, "{head_of_it}");
        }
        let mut it = Asked { head: head_of_it, body: Vec::new() };
        it.body = vec![0; it.header("content-length").parse().unwrap()];
        reader.read_exact(&mut it.body).unwrap();
        reader.get_mut().write_all(head.as_bytes()).unwrap();
        reader.get_mut().write_all(&body).unwrap();
        it
    });
    (url, asked)
}

/// A poster to this URL.
pub(crate) fn poster(url: &str) -> Poster {
    let config = PosterConfig {
        url: Secret::new(url.to_owned()),
        ca_bundle: None,
        proxy: None,
        connect: Duration::from_secs(10),
        request: Duration::from_secs(10),
        user_agent: "driftline/test".to_owned(),
        authorization: None,
    };
    let now = "2026-11-19T02:00:00Z".parse().unwrap();
    Poster::new(config, Arc::new(At(now))).unwrap()
}
