//! Syslog in the form of RFC 5424: one line for each notice, over UDP, TCP or TLS.
//!
//! Nothing is acknowledged. Over TCP and TLS (RFC 6587, 3.4.1, and RFC 5425: a count before each
//! line) a connection that breaks is noticed; over UDP nothing is, and a line of more than 2048
//! bytes may be cut on its way, so it is cut here.

use std::io;
use std::sync::Arc;
use std::time::Duration;

use domain::Severity;
use tokio::io::{AsyncRead, AsyncReadExt as _, AsyncWrite, AsyncWriteExt as _};
use tokio::net::{TcpStream, UdpSocket};
use tokio_rustls::TlsConnector;
use tokio_rustls::rustls::ClientConfig;
use tokio_rustls::rustls::pki_types::ServerName;

use crate::letter::{cut_bytes, time};
use crate::{Letter, Sent};

/// What every receiver takes (RFC 5424, 6.1: "SHOULD", of 2048 bytes).
const UDP_MAX: usize = 2_048;

/// What rsyslog and syslog-ng take unless they are told otherwise.
const STREAM_MAX: usize = 8_000;

/// The whole exchange.
const WHOLE: Duration = Duration::from_secs(20);

/// How long the receiver may take to close a connection that we are done with.
const CLOSING: Duration = Duration::from_secs(2);

/// One receiver.
#[derive(Clone)]
pub struct Syslog {
    /// Its name or address.
    pub host: String,
    /// Its port.
    pub port: u16,
    /// How it is reached.
    pub transport: Transport,
    /// The facility, 0 to 23 (RFC 5424, 6.2.1).
    pub facility: u8,
}

/// How a receiver is reached.
#[derive(Clone)]
pub enum Transport {
    /// One datagram for each line.
    Udp,
    /// One connection for each line.
    Tcp,
    /// The same, secured.
    Tls(Arc<ClientConfig>),
}

impl Syslog {
    pub(crate) async fn send(&self, letter: &Letter) -> Sent {
        match tokio::time::timeout(WHOLE, self.hand_over(letter)).await {
            Ok(Ok(())) => Sent::Delivered { reference: None },
            Ok(Err(error)) => Sent::Retry { after: None, why: error.kind().to_string() },
            Err(_) => Sent::Retry { after: None, why: format!("no end within {WHOLE:?}") },
        }
    }

    async fn hand_over(&self, letter: &Letter) -> io::Result<()> {
        let place = (self.host.as_str(), self.port);
        match &self.transport {
            Transport::Udp => {
                let to = tokio::net::lookup_host(place).await?.next();
                let to = to.ok_or(io::ErrorKind::NotFound)?;
                let from = if to.is_ipv4() { "0.0.0.0:0" } else { "[::]:0" };
                let socket = UdpSocket::bind(from).await?;
                socket.send_to(cut_bytes(&self.line(letter), UDP_MAX).as_bytes(), to).await?;
                Ok(())
            }
            Transport::Tcp => self.stream(TcpStream::connect(place).await?, letter).await,
            Transport::Tls(config) => {
                let name = ServerName::try_from(self.host.clone())
                    .map_err(|_| io::Error::from(io::ErrorKind::InvalidInput))?;
                let stream = TcpStream::connect(place).await?;
                let tls = TlsConnector::from(Arc::clone(config));
                self.stream(tls.connect(name, stream).await?, letter).await
            }
        }
    }

    async fn stream<S: AsyncRead + AsyncWrite + Unpin>(
        &self,
        mut stream: S,
        letter: &Letter,
    ) -> io::Result<()> {
        let line = self.line(letter);
        let line = cut_bytes(&line, STREAM_MAX);
        stream.write_all(format!("{} {line}", line.len()).as_bytes()).await?;
        stream.shutdown().await?;
        // A receiver that is gone resets the connection; one that is there closes it, or is silent.
        let mut nothing = [0; 64];
        match tokio::time::timeout(CLOSING, stream.read(&mut nothing)).await {
            Ok(Err(error)) if error.kind() != io::ErrorKind::UnexpectedEof => Err(error),
            _ => Ok(()),
        }
    }

    fn line(&self, letter: &Letter) -> String {
        let notice = &letter.notice;
        let priority = u16::from(self.facility) * 8 + u16::from(severity(notice.severity));
        let app = notice.app.as_ref().map_or("-", |it| it.as_str());
        let findings = notice.findings.iter().take(20).map(ToString::to_string);
        // 32473 is the number that RFC 5612 keeps for those who have none of their own.
        let data = format!(
            "[driftline@32473 key=\"{}\" notice=\"{}\" severity=\"{}\" app=\"{app}\" findings=\"{}\"]",
            value(&notice.key),
            letter.id,
            notice.severity,
            findings.collect::<Vec<String>>().join(" "),
        );
        let text = format!("{} | {}", letter.title(), letter.body(4_000));
        let text: Vec<&str> = text.split_whitespace().collect();
        let text: String = text.join(" ").chars().filter(|it| !it.is_control()).collect();
        format!(
            "<{priority}>1 {} - driftline - {} {data} \u{feff}{text}",
            time(letter.now),
            notice.reason
        )
    }
}

/// RFC 5424, 6.2.1: 2 critical, 3 error, 4 warning, 5 notice.
const fn severity(severity: Severity) -> u8 {
    match severity {
        Severity::Critical => 2,
        Severity::High => 3,
        Severity::Medium => 4,
        Severity::Low => 5,
    }
}

/// A value of structured data (RFC 5424, 6.3.3).
fn value(text: &str) -> String {
    text.replace('\\', "\\\\").replace('"', "\\\"").replace(']', "\\]")
}

impl std::fmt::Debug for Syslog {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Syslog")
            .field("host", &self.host)
            .field("port", &self.port)
            .finish_non_exhaustive()
    }
}
