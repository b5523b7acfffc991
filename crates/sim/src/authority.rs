//! A time stamp authority (RFC 3161): `openssl ts` behind a socket of this machine, with a root
//! of its own. It stamps what it is asked to, and keeps nothing.

use std::fs;
use std::io::{self, BufRead as _, BufReader, Read as _, Write as _};
use std::net::{Ipv4Addr, SocketAddr, TcpListener, TcpStream};
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread;
use std::time::Duration;

use tempfile::TempDir;

/// Longest request that is read, in bytes: a digest, a nonce and what is around them.
const QUERY_LEN_MAX: u64 = 4096;

/// Longest wait for a request that was begun.
const READ_MAX: Duration = Duration::from_secs(10);

/// Names, the two certificates, and what replies are made of.
const SETTINGS: &str = include_str!("tsa.cnf");

/// An authority that answers. It stops when it is dropped.
#[derive(Debug)]
pub struct Authority {
    folder: Arc<TempDir>,
    address: SocketAddr,
    is_over: Arc<AtomicBool>,
}

impl Authority {
    /// Makes keys and certificates, and answers from then on.
    ///
    /// # Errors
    ///
    /// Fails when there is no `openssl`, or no socket or folder to be had.
    pub fn start() -> io::Result<Self> {
        let folder = Arc::new(TempDir::new()?);
        fs::write(folder.path().join("tsa.cnf"), SETTINGS)?;
        for call in [
            "req -x509 -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -keyout root.key \
             -out root.pem -days 30 -subj /CN=Root -config tsa.cnf -extensions root",
            "req -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -keyout tsa.key -out tsa.csr \
             -subj /CN=Stamps -config tsa.cnf",
            "x509 -req -in tsa.csr -CA root.pem -CAkey root.key -CAcreateserial -out tsa.pem \
             -days 30 -extfile tsa.cnf -extensions signer",
        ] {
            openssl(folder.path(), call)?;
        }
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0))?;
        let address = listener.local_addr()?;
        let is_over = Arc::new(AtomicBool::new(false));
        let (shared, over) = (Arc::clone(&folder), Arc::clone(&is_over));
        thread::spawn(move || {
            for stream in listener.incoming() {
                if over.load(Ordering::Relaxed) {
                    break;
                }
                // Whoever asked sees that no answer came.
                stream.and_then(|it| serve(shared.path(), it)).ok();
            }
        });
        Ok(Self { folder, address, is_over })
    }

    /// Where it is asked.
    #[must_use]
    pub fn url(&self) -> String {
        format!("http://{}/", self.address)
    }

    /// The certificate of its root, in PEM.
    #[must_use]
    pub fn root(&self) -> PathBuf {
        self.folder.path().join("root.pem")
    }

    /// The answer to a request, as it gives it over the socket.
    ///
    /// # Errors
    ///
    /// Fails when that is no request.
    pub fn reply(&self, query: &[u8]) -> io::Result<Vec<u8>> {
        reply(self.folder.path(), query)
    }
}

impl Drop for Authority {
    fn drop(&mut self) {
        self.is_over.store(true, Ordering::Relaxed);
        TcpStream::connect(self.address).ok(); // Wakes the thread.
    }
}

/// Answers one request over one connection.
fn serve(folder: &Path, stream: TcpStream) -> io::Result<()> {
    stream.set_read_timeout(Some(READ_MAX))?;
    let mut reader = BufReader::new(stream);
    let (mut line, mut len) = (String::new(), 0);
    loop {
        line.clear();
        reader.read_line(&mut line)?;
        match line.trim_end().split_once(':') {
            Some((name, value)) if name.eq_ignore_ascii_case("content-length") => {
                len = value.trim().parse().map_err(io::Error::other)?;
            }
            None if line.trim_end().is_empty() => break,
            _ => {}
        }
    }
    let mut query = Vec::new();
    reader.by_ref().take(len.min(QUERY_LEN_MAX)).read_to_end(&mut query)?;
    let answer = reply(folder, &query)?;
    let head = format!(
        "HTTP/1.1 200 OK\r\ncontent-type: application/timestamp-reply\r\ncontent-length: {}\r\n\
         connection: close\r\n\r\n",
        answer.len()
    );
    reader.get_mut().write_all(head.as_bytes())?;
    reader.get_mut().write_all(&answer)
}

fn reply(folder: &Path, query: &[u8]) -> io::Result<Vec<u8>> {
    let at = TempDir::new_in(folder)?;
    let name = at.path().file_name().unwrap_or_default().to_string_lossy().into_owned();
    fs::write(at.path().join("q"), query)?;
    let call = format!(
        "ts -reply -config tsa.cnf -queryfile {name}/q -inkey tsa.key -signer tsa.pem -out {name}/r"
    );
    openssl(folder, &call)?;
    fs::read(at.path().join("r"))
}

/// Runs `openssl` in the folder; no argument of ours has a space in it.
fn openssl(folder: &Path, call: &str) -> io::Result<()> {
    let mut command = Command::new("openssl");
    command.current_dir(folder).args(call.split_whitespace()).stdin(Stdio::null());
    let output = command.output()?;
    if output.status.success() {
        return Ok(());
    }
    Err(io::Error::other(String::from_utf8_lossy(&output.stderr).into_owned()))
}
