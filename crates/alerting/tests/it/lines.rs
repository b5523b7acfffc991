//! Syslog and programs.

use std::time::Duration;

use alerting::command::Hook;
use alerting::syslog::{Syslog, Transport};
use alerting::{Kind, Sender, Sent};
use domain::NotifyReason;
use tokio::io::AsyncReadExt as _;
use tokio::net::{TcpListener, UdpSocket};

use crate::world::letter;

fn sender(kind: Kind) -> Sender {
    Sender { name: "x".into(), names: false, kind }
}

fn syslog(port: u16, transport: Transport) -> Sender {
    let host = "127.0.0.1".to_owned();
    sender(Kind::Syslog(Syslog { host, port, transport, facility: 16 }))
}

const LINE: &str = "<130>1 2026-01-05T09:00:00Z - driftline - opened \
    [driftline@32473 key=\"driftline:main:secureframe:0101\" notice=\"12\" severity=\"critical\" \
    app=\"secureframe\" findings=\"DL-1\"] \u{feff}[critical] secureframe: leaver_active, DL-1 | \
    A finding has opened. DL-1 leaver_active, critical: secureframe/a1, owner okta/00u1";

#[tokio::test]
async fn a_line_over_tcp_has_its_length_before_it() {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let port = listener.local_addr().unwrap().port();
    let receiver = tokio::spawn(async move {
        let (mut stream, _) = listener.accept().await.unwrap();
        let mut text = String::new();
        stream.read_to_string(&mut text).await.unwrap();
        text
    });
    let sent = syslog(port, Transport::Tcp).send(&letter(NotifyReason::Opened)).await;
    assert_eq!(sent, Sent::Delivered { reference: None });
    let text = receiver.await.unwrap();
    let (length, line) = text.split_once(' ').unwrap();
    assert_eq!(length.parse::<usize>().unwrap(), line.len());
    assert!(line.starts_with(LINE), "{line}");
}

#[tokio::test]
async fn a_datagram_holds_what_every_receiver_takes() {
    let socket = UdpSocket::bind("127.0.0.1:0").await.unwrap();
    let port = socket.local_addr().unwrap().port();
    let mut letter = letter(NotifyReason::Opened);
    letter.notice.lines = vec!["ü\n\u{7}".repeat(3_000)];
    syslog(port, Transport::Udp).send(&letter).await;
    let mut bytes = [0; 9_000];
    let n_bytes = socket.recv(&mut bytes).await.unwrap();
    assert!(n_bytes <= 2_048);
    let line = str::from_utf8(&bytes[..n_bytes]).unwrap();
    assert!(line.starts_with("<130>1 ") && !line.contains(char::is_control), "{line}");
}

#[tokio::test]
async fn a_receiver_that_is_not_there_is_tried_again() {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let port = listener.local_addr().unwrap().port();
    drop(listener);
    let sent = syslog(port, Transport::Tcp).send(&letter(NotifyReason::Opened)).await;
    assert!(matches!(sent, Sent::Retry { .. }), "{sent:?}");
}

/// A program of the shell.
pub(crate) fn hook(script: &str) -> Hook {
    Hook {
        program: "/bin/sh".into(),
        args: vec!["-c".to_owned(), script.to_owned()],
        timeout: Duration::from_secs(10),
    }
}

#[tokio::test]
async fn a_program_gets_the_notice_and_says_with_its_status_what_came_of_it() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("told");
    let script = format!("cat > '{}'; test -z \"$HOME$DRIFTLINE_SECRET\"", path.display());
    let sent = sender(Kind::Command(hook(&script))).send(&letter(NotifyReason::Opened)).await;
    assert_eq!(sent, Sent::Delivered { reference: None });
    let told: serde_json::Value = serde_json::from_slice(&std::fs::read(path).unwrap()).unwrap();
    assert_eq!(told["data"]["key"], "driftline:main:secureframe:0101");
    for (script, is_later) in
        [("exit 1", true), ("exit 75", true), ("exit 65", false), ("kill -9 $$", true)]
    {
        let sent = sender(Kind::Command(hook(script))).send(&letter(NotifyReason::Opened)).await;
        assert_eq!(matches!(sent, Sent::Retry { .. }), is_later, "{script}: {sent:?}");
        assert_eq!(matches!(sent, Sent::Refused { .. }), !is_later, "{script}: {sent:?}");
    }
}

#[tokio::test]
async fn a_program_that_does_not_end_is_killed() {
    let mut hook = hook("exec sleep 600");
    hook.timeout = Duration::from_millis(100);
    let sent = sender(Kind::Command(hook)).send(&letter(NotifyReason::Opened)).await;
    let Sent::Retry { why, .. } = &sent else { panic!("{sent:?}") };
    assert!(why.contains("did not end within 100ms"), "{why}");
    let gone = Hook { program: "/nowhere/tell".into(), ..self::hook("") };
    let sent = sender(Kind::Command(gone)).send(&letter(NotifyReason::Opened)).await;
    let Sent::Retry { why, .. } = &sent else { panic!("{sent:?}") };
    assert!(why.contains("`/nowhere/tell` cannot be started"), "{why}");
}
