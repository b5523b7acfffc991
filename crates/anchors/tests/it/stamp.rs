//! Time stamps, made by openssl.

use std::fs;
use std::process::Command;

use anchors::{Place, Rfc3161, stamped_at};
use chrono::{DateTime, TimeDelta, Utc};
use sim::Authority;

use crate::server::{answer, poster};
use crate::{parcel, take};

/// What the authority says about something, asked for with openssl.
fn stamped(authority: &Authority, what: &[u8], more: &[&str]) -> Vec<u8> {
    let folder = tempfile::tempdir().unwrap();
    let (data, query) = (folder.path().join("data"), folder.path().join("query"));
    fs::write(&data, what).unwrap();
    let mut command = Command::new("openssl");
    command
        .args(["ts", "-query", "-sha256", "-data"])
        .arg(&data)
        .arg("-out")
        .arg(&query)
        .args(more);
    assert!(command.output().unwrap().status.success());
    authority.reply(&fs::read(query).unwrap()).unwrap()
}

#[tokio::test]
async fn an_authority_stamps_a_checkpoint_and_openssl_agrees() {
    let authority = Authority::start().unwrap();
    let parcel = parcel(12);
    let place = Place::Rfc3161(Rfc3161 { poster: poster(&authority.url()) });
    let made = take(place, &parcel).await.unwrap();
    let at = stamped_at(&made.proof, parcel.note.as_bytes()).unwrap();

    let folder = tempfile::tempdir().unwrap();
    let (data, stamp) = (folder.path().join("data"), folder.path().join("stamp"));
    fs::write(&data, &parcel.note).unwrap();
    fs::write(&stamp, &made.proof).unwrap();
    let written: DateTime<Utc> = fs::metadata(&stamp).unwrap().modified().unwrap().into();
    assert!((written - at).abs() < TimeDelta::minutes(5), "{at} {written}");
    let verify = || {
        let mut command = Command::new("openssl");
        command.args(["ts", "-verify", "-data"]).arg(&data).arg("-in").arg(&stamp);
        command.arg("-CAfile").arg(authority.root()).output().unwrap()
    };
    let output = verify();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    fs::write(&data, parcel.note.replace("12", "13")).unwrap();
    assert!(!verify().status.success());
}

#[tokio::test]
async fn what_is_no_stamp_of_this_checkpoint_and_request_is_told() {
    let authority = Authority::start().unwrap();
    let parcel = parcel(12);
    let note = parcel.note.as_bytes();
    let good = stamped(&authority, note, &["-cert"]);
    let mut refused = good.clone();
    let at = refused.windows(3).position(|it| it == [2, 1, 0]).unwrap();
    refused[at + 2] = 2; // PKIStatus: rejection.
    for (head, body, told) in [
        ("200 OK", good.clone(), "it is one of another request"),
        ("200 OK", stamped(&authority, b"something", &["-cert"]), "it is about something else"),
        ("200 OK", refused, "it was refused"),
        ("200 OK", b"<html>".to_vec(), "it is not DER"),
        ("200 OK", Vec::new(), "it is not DER"),
        ("200 OK", vec![0x30, 5, 0x30, 3, 2, 1, 0], "it has none"),
        ("503 Busy", good.clone(), "the authority answered with 503"),
    ] {
        let (url, asked) = answer(head, body);
        let place = Place::Rfc3161(Rfc3161 { poster: poster(&url) });
        let why = take(place, &parcel).await.unwrap_err().why;
        assert!(why.contains(told), "`{told}`: {why}");
        let asked = asked.join().unwrap();
        assert_eq!(asked.header("content-type"), "application/timestamp-query");
    }
    assert!(stamped_at(&good, note).is_ok(), "kept without its request");
    let without = stamped(&authority, note, &["-no_nonce"]);
    assert!(stamped_at(&without, note).is_ok());
    for len in 0..good.len() {
        assert!(stamped_at(&good[..len], note).is_err(), "cut at {len}");
        // Whatever byte is another one: no panic, and no stamp of another checkpoint.
        let mut other = good.clone();
        other[len] ^= 0x55;
        assert!(stamped_at(&other, b"something").is_err(), "changed at {len}");
    }
}
