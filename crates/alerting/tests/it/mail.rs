//! Mail to a server that answers as it is told.

use std::sync::{Arc, Mutex};

use alerting::email::{Email, Security};
use alerting::{First, Kind, Sender, Sent};
use domain::{NoticeId, NotifyReason};
use tokio::io::{AsyncBufReadExt as _, AsyncWriteExt as _, BufReader};
use tokio::net::TcpListener;

use crate::world::letter;

/// One mailbox, without TLS.
pub(crate) fn email(port: u16) -> Email {
    Email {
        host: "127.0.0.1".to_owned(),
        port,
        security: Security::Clear,
        tls: outbound::tls(None).unwrap(),
        login: None,
        from: "driftline@firm.test".to_owned(),
        to: vec!["a@firm.test".to_owned(), "b@firm.test".to_owned()],
    }
}

fn sender(port: u16) -> Sender {
    Sender { name: "mail".into(), names: false, kind: Kind::Email(Box::new(email(port))) }
}

/// A server that takes mail, but answers the command that begins with `word` as told.
pub(crate) async fn server(word: &'static str, answer: &'static str) -> (u16, Arc<Mutex<String>>) {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let port = listener.local_addr().unwrap().port();
    let heard = Arc::new(Mutex::new(String::new()));
    let all = Arc::clone(&heard);
    tokio::spawn(async move {
        while let Ok((stream, _)) = listener.accept().await {
            let (reader, mut writer) = stream.into_split();
            let mut lines = BufReader::new(reader).lines();
            let greeting = if word.is_empty() { answer } else { "220 firm.test ESMTP" };
            writer.write_all(format!("{greeting}\r\n").as_bytes()).await.ok();
            let mut is_data = false;
            while let Ok(Some(line)) = lines.next_line().await {
                all.lock().unwrap().push_str(&format!("{line}\n"));
                let reply = match is_data {
                    true if line != "." => continue,
                    true => {
                        is_data = false;
                        if word == "." { answer } else { "250 2.0.0 queued" }
                    }
                    false if !word.is_empty() && line.starts_with(word) => answer,
                    false if line.starts_with("DATA") => {
                        is_data = true;
                        "354 go on"
                    }
                    false if line.starts_with("QUIT") => "221 bye",
                    false => "250 ok",
                };
                writer.write_all(format!("{reply}\r\n").as_bytes()).await.ok();
            }
        }
    });
    (port, heard)
}

#[tokio::test]
async fn a_mail_says_that_a_program_wrote_it_and_answers_to_the_first() {
    let (port, heard) = server("XXXX", "").await;
    let mut letter = letter(NotifyReason::Opened);
    let Sent::Delivered { reference } = sender(port).send(&letter).await else { panic!() };
    let first = heard.lock().unwrap().clone();
    for line in [
        "MAIL FROM:<driftline@firm.test>",
        "RCPT TO:<a@firm.test>",
        "RCPT TO:<b@firm.test>",
        "Subject: Driftline: secureframe: leaver_active, DL-1",
        "Auto-Submitted: auto-generated",
        "X-Auto-Response-Suppress: All",
        "List-Id: <main.driftline.firm.test>",
        "Message-ID: <12.driftline.main.secureframe.0101@firm.test>",
        "Date: Mon, 5 Jan 2026 09:00:00 +0000",
    ] {
        assert!(first.lines().any(|it| it == line), "no `{line}` in {first}");
    }
    assert!(!first.contains("In-Reply-To") && !first.contains("Bob"), "{first}");
    heard.lock().unwrap().clear();

    letter.first =
        Some(First { notice: NoticeId(12), title: letter.notice.title.clone(), reference });
    letter.id = NoticeId(15);
    letter.notice.reason = NotifyReason::Resolved;
    letter.notice.title = "secureframe: DL-1 is over".to_owned();
    sender(port).send(&letter).await;
    let second = heard.lock().unwrap().clone();
    for line in [
        "Subject: Re: Driftline: secureframe: leaver_active, DL-1",
        "In-Reply-To: <12.driftline.main.secureframe.0101@firm.test>",
        "References: <12.driftline.main.secureframe.0101@firm.test>",
        "Message-ID: <15.driftline.main.secureframe.0101@firm.test>",
    ] {
        assert!(second.lines().any(|it| it == line), "no `{line}` in {second}");
    }
    assert!(second.contains("[over] secureframe: DL-1 is over"), "{second}");
}

#[tokio::test]
async fn what_a_server_refuses_for_now_is_tried_again_and_what_it_refuses_is_not() {
    for (word, answer, is_later) in [
        ("", "421 4.3.2 too busy", true),
        ("", "554 5.7.1 go away", false),
        ("MAIL", "451 4.7.1 greylisted bob@firm.test", true),
        ("RCPT", "550 5.1.1 no such user bob@firm.test", false),
        ("RCPT", "452 4.2.2 mailbox full", true),
        (".", "451 4.3.0 try later", true),
        (".", "552 5.3.4 too large", false),
    ] {
        let (port, _) = server(word, answer).await;
        match sender(port).send(&letter(NotifyReason::Opened)).await {
            Sent::Retry { why, .. } => assert!(is_later && !why.contains("bob"), "{answer}: {why}"),
            Sent::Refused { why } => assert!(!is_later && !why.contains("bob"), "{answer}: {why}"),
            Sent::Delivered { .. } => panic!("{answer} was taken"),
        }
    }
}

#[tokio::test]
async fn a_server_without_the_security_that_was_asked_for_gets_no_mail() {
    let (port, heard) = server("XXXX", "").await;
    let mut email = email(port);
    email.security = Security::StartTls;
    email.login = Some(("driftline".to_owned(), outbound::Secret::new("mail-hunter".to_owned())));
    let sender = Sender { kind: Kind::Email(Box::new(email)), ..sender(port) };
    let sent = sender.send(&letter(NotifyReason::Opened)).await;
    let Sent::Refused { why } = &sent else { panic!("{sent:?}") };
    assert!(why.contains("STARTTLS"), "{why}");
    let heard = heard.lock().unwrap().clone();
    assert!(!heard.contains("MAIL") && !heard.contains("AUTH"), "{heard}");
    assert!(!format!("{sender:?}").contains("hunter"));
}

#[tokio::test]
async fn a_mail_server_that_is_not_there_is_tried_again() {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let port = listener.local_addr().unwrap().port();
    drop(listener);
    let sent = sender(port).send(&letter(NotifyReason::Opened)).await;
    assert!(matches!(sent, Sent::Retry { .. }), "{sent:?}");
}
