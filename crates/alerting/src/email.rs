//! E-mail over SMTP: one message for each notice, in one thread for each condition, marked as
//! written by a program.
//!
//! A refusal of the 4yz kind is tried again for a day, one of the 5yz kind is final (RFC 5321,
//! 4.2.1). `Message-ID` is the same for every try, so that a mail that was accepted twice is one.
//! Sources: RFC 5322, 3.6.4; RFC 3834 (`Auto-Submitted`); RFC 2919 (`List-Id`).

use std::sync::Arc;
use std::time::Duration;

use mail_builder::MessageBuilder;
use mail_builder::headers::HeaderType;
use mail_builder::headers::address::Address;
use mail_builder::headers::raw::Raw;
use mail_send::smtp::message::Message;
use mail_send::{Credentials, Error, SmtpClient, SmtpClientBuilder};
use outbound::Secret;
use tokio::io::{AsyncRead, AsyncWrite};
use tokio_rustls::TlsConnector;
use tokio_rustls::rustls::ClientConfig;

use crate::letter::cut;
use crate::{Enclosed, Letter, Sent};

/// One step of the conversation; servers may take a while over a message (RFC 5321, 4.5.3.2).
const STEP: Duration = Duration::from_secs(30);

/// The whole conversation.
const WHOLE: Duration = Duration::from_secs(120);

const BODY_MAX: usize = 60_000;
const SUBJECT_MAX: usize = 200;

/// One mail server, and to whom.
#[derive(Clone)]
pub struct Email {
    /// The server's name, which its certificate must bear.
    pub host: String,
    /// Its port.
    pub port: u16,
    /// How the connection is secured.
    pub security: Security,
    /// Whom TLS trusts.
    pub tls: Arc<ClientConfig>,
    /// User and password; `None`: the server takes mail without.
    pub login: Option<(String, Secret)>,
    /// The sender's address, `driftline@example.com`.
    pub from: String,
    /// To whom, one address or more.
    pub to: Vec<String>,
}

/// How a connection to a mail server is secured.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Security {
    /// TLS from the first byte, as on port 465.
    Implicit,
    /// `STARTTLS` before anything is said, as on port 587. A server without it is refused.
    StartTls,
    /// None: for a server on this machine.
    Clear,
}

impl Email {
    pub(crate) async fn send(&self, letter: &Letter) -> Sent {
        let message = match self.message(letter).write_to_vec() {
            Ok(message) => message,
            Err(error) => {
                return Sent::Refused { why: format!("the mail cannot be written: {error}") };
            }
        };
        match tokio::time::timeout(WHOLE, self.hand_over(message)).await {
            Ok(Ok(())) => {
                Sent::Delivered { reference: Some(message_id(letter, self.domain()).into()) }
            }
            Ok(Err(error)) => of_error(&error),
            Err(_) => Sent::Retry { after: None, why: format!("no end within {WHOLE:?}") },
        }
    }

    async fn hand_over(&self, message: Vec<u8>) -> Result<(), Error> {
        let client = self.client();
        match self.security {
            Security::Clear => self.say(client.connect_plain().await?, message).await,
            Security::Implicit | Security::StartTls => {
                self.say(client.connect().await?, message).await
            }
        }
    }

    fn client(&self) -> SmtpClientBuilder<String> {
        let tls = TlsConnector::from(Arc::clone(&self.tls));
        let client = SmtpClientBuilder::new_with_tls_connector(self.host.clone(), self.port, tls)
            .implicit_tls(self.security == Security::Implicit)
            .timeout(STEP);
        match &self.login {
            Some((username, secret)) => client.credentials(Credentials::Plain {
                username: username.clone(),
                secret: secret.expose().to_owned(),
            }),
            None => client,
        }
    }

    async fn say<S: AsyncRead + AsyncWrite + Unpin>(
        &self,
        mut client: SmtpClient<S>,
        message: Vec<u8>,
    ) -> Result<(), Error> {
        let to = self.to.iter().map(String::as_str);
        client.send(Message::new(self.from.as_str(), to, message)).await?;
        client.quit().await.ok(); // The mail is taken; a farewell changes nothing.
        Ok(())
    }

    fn message<'m>(&'m self, letter: &'m Letter) -> MessageBuilder<'m> {
        let domain = self.domain();
        let topic = letter.first.as_ref().map_or(&letter.notice.title, |it| &it.title);
        let subject = cut(&letter.shown(&format!("Driftline: {topic}")), SUBJECT_MAX);
        let reply = if letter.first.is_some() { "Re: " } else { "" };
        let mut body = format!("{}\n\n{}\n", letter.title(), letter.body(BODY_MAX));
        if let Some(report) = &letter.enclosed {
            body.push_str(&format!("\n{}\n", report.sentences().join("\n")));
        }
        let (_, rest) = letter.notice.key.split_once(':').unwrap_or_default();
        let deployment = rest.split(':').next().unwrap_or_default();
        let mut message = MessageBuilder::new()
            .from(Address::new_address(Some("Driftline"), self.from.as_str()))
            .to(Address::new_list(
                self.to.iter().map(|it| Address::new_address(None::<&str>, it.as_str())).collect(),
            ))
            .subject(format!("{reply}{subject}"))
            .date(letter.now.timestamp())
            .message_id(message_id(letter, domain))
            .header("Auto-Submitted", raw("auto-generated"))
            .header("X-Auto-Response-Suppress", raw("All"))
            .header("List-Id", raw(&format!("<{deployment}.driftline.{domain}>")))
            .text_body(body);
        if let Some(report) = &letter.enclosed {
            // Each is a notice of its own: a message that never was holds them in one thread.
            message = enclose(
                message.references(format!("reports.{deployment}@{domain}")),
                report,
                letter,
            );
        }
        if let Some(first) = letter.first.as_ref().and_then(|it| it.reference.as_deref()) {
            message = message.in_reply_to(first.to_owned()).references(first.to_owned());
        }
        message
    }

    fn domain(&self) -> &str {
        self.from.rsplit_once('@').map_or("localhost", |(_, domain)| domain)
    }
}

/// Attaches the page of a report, and the checkpoint as a file that can be checked against.
fn enclose<'m>(
    mut message: MessageBuilder<'m>,
    report: &'m Enclosed,
    letter: &Letter,
) -> MessageBuilder<'m> {
    let run = letter.notice.run.map_or(0, |it| it.0);
    let name = format!("{}-run-{run}", report.judged_at.format("%Y-%m-%d"));
    if let Some(page) = report.page() {
        message = message.attachment("text/html; charset=utf-8", format!("{name}.html"), page);
    }
    if let Some(head) = &report.head {
        let (file, checkpoint) = (format!("{name}.checkpoint"), head.checkpoint.as_bytes());
        message = message.attachment("application/octet-stream", file, checkpoint);
    }
    message
}

fn raw(text: &str) -> HeaderType<'static> {
    HeaderType::Raw(Raw::new(text.to_owned()))
}

/// The same for every try of one notice.
fn message_id(letter: &Letter, domain: &str) -> String {
    format!("{}.{}@{domain}", letter.id, letter.notice.key.replace(':', "."))
}

/// What a server said, by its code alone: its words may repeat addresses.
fn of_error(error: &Error) -> Sent {
    let retry = |why: String| Sent::Retry { after: None, why };
    match error {
        Error::UnexpectedReply(reply) if (400..500).contains(&reply.code) => {
            retry(format!("the mail server answered {}", reply.code))
        }
        Error::UnexpectedReply(reply) => Sent::Refused {
            why: format!(
                "the mail server answered {}: correct `from`, `to` or the login",
                reply.code
            ),
        },
        Error::AuthenticationFailed(reply) if (400..500).contains(&reply.code) => {
            retry(format!("the mail server answered {}", reply.code))
        }
        Error::AuthenticationFailed(reply) => Sent::Refused {
            why: format!("the mail server answered {} to the login: correct it", reply.code),
        },
        Error::MissingStartTls => Sent::Refused {
            why: "the mail server has no STARTTLS: use its port for TLS with `security = \"tls\"`"
                .to_owned(),
        },
        Error::UnsupportedAuthMechanism => Sent::Refused {
            why: "the mail server takes no password: correct `security`, or leave the login out"
                .to_owned(),
        },
        Error::InvalidTLSName => {
            Sent::Refused { why: "`host` is no name that a certificate bears".to_owned() }
        }
        Error::Io(error) => retry(format!("no connection to the mail server: {}", error.kind())),
        Error::Tls(error) => retry(format!("no secure connection to the mail server: {error}")),
        Error::Timeout => retry(format!("the mail server said nothing within {STEP:?}")),
        _ => retry("the mail server's answer is no SMTP".to_owned()),
    }
}

impl std::fmt::Debug for Email {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Email")
            .field("host", &self.host)
            .field("port", &self.port)
            .finish_non_exhaustive()
    }
}
