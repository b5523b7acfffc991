//! Encodings, delimiters, compression, folders of pages, and raw rows read again.

use std::fs;
use std::io::Write as _;
use std::sync::Arc;

use connectors::files::{Files, Profiles, PullErrorKind};
use domain::SystemKind::App;

use crate::{config, pull, run, shown};

const CSV: &str = "id,name,active\n1,\"Zoë \"\"Z\"\"\nRuiz, Ana\",true\n2,佐藤,false\n";

fn gzip(bytes: &[u8]) -> Vec<u8> {
    let mut encoder = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::default());
    encoder.write_all(bytes).unwrap();
    encoder.finish().unwrap()
}

fn utf16(text: &str) -> Vec<u8> {
    "\u{feff}".encode_utf16().chain(text.encode_utf16()).flat_map(u16::to_le_bytes).collect()
}

#[test]
fn every_coding_gives_the_same_rows() {
    let plain = pull(App, "a.csv", CSV, |_| {});
    assert_eq!(plain.snapshots[0].rows.len(), 2);
    let codings: [(&str, Vec<u8>); 8] = [
        ("byte order mark", format!("\u{feff}{CSV}").into_bytes()),
        ("UTF-16LE", utf16(CSV)),
        (
            "CRLF",
            CSV.replace("\"\n1", "\"\r\n1")
                .replace("true\n", "true\r\n")
                .replace("active\n", "active\r\n")
                .into_bytes(),
        ),
        (
            "tabs",
            "id\tname\tactive\n1\t\"Zoë \"\"Z\"\"\nRuiz, Ana\"\ttrue\n2\t佐藤\tfalse"
                .as_bytes()
                .to_vec(),
        ),
        (
            "semicolons",
            "id;name;active\n1;\"Zoë \"\"Z\"\"\nRuiz, Ana\";true\n\n2;佐藤;false\n"
                .as_bytes()
                .to_vec(),
        ),
        ("gzip", gzip(CSV.as_bytes())),
        ("zstd", zstd::encode_all(CSV.as_bytes(), 0).unwrap()),
        ("zstd of UTF-16LE", zstd::encode_all(utf16(CSV).as_slice(), 0).unwrap()),
    ];
    for (coding, bytes) in codings {
        let coded = pull(App, "a.csv", &bytes, |_| {});
        assert_eq!(shown(&coded), shown(&plain), "{coding}");
        assert_eq!(coded.snapshots[0].requests[0].n_bytes, bytes.len() as u64, "{coding}");
    }
}

#[test]
fn damaged_compression_is_an_error() {
    let zipped = gzip(CSV.repeat(100).as_bytes());
    let cut = pull(App, "a.csv.gz", &zipped[..zipped.len() - 9], |_| {});
    assert!(
        matches!(cut.failures[0].error.kind, PullErrorKind::Truncated { .. }),
        "{}",
        shown(&cut)
    );
    let mut flipped = zstd::encode_all(CSV.as_bytes(), 0).unwrap();
    let middle = flipped.len() / 2;
    flipped.truncate(middle);
    let cut = pull(App, "a.csv.zst", &flipped, |_| {});
    assert_eq!((cut.snapshots.len(), cut.failures.len()), (0, 1), "{}", shown(&cut));
}

#[test]
fn pages_of_a_folder_are_one_list_in_natural_order() {
    let folder = tempfile::tempdir().unwrap();
    let pages = folder.path().join("pages");
    fs::create_dir(&pages).unwrap();
    for n in 1..=11 {
        let page = format!(
            r#"{{"totalResults":11,"Resources":[{{"id":"{n}","userName":"user{n}","active":true}}]}}"#
        );
        fs::write(pages.join(format!("page-{n}.json")), page).unwrap();
    }
    let whole = run(config(App, folder.path(), &["pages"]));
    let urls: Vec<&str> = whole.snapshots[0].requests.iter().map(|it| &*it.url).collect();
    assert_eq!(urls[..3], ["pages/page-1.json", "pages/page-2.json", "pages/page-3.json"]);
    assert_eq!(urls[10], "pages/page-11.json");
    assert!(
        shown(&whole).starts_with("sys accounts (scim) (everyone), complete, stated_total\n"),
        "{}",
        shown(&whole)
    );
    assert_eq!(whole.snapshots[0].origins[10].request, 10);

    fs::remove_file(pages.join("page-7.json")).unwrap();
    let partial = shown(&run(config(App, folder.path(), &["pages"])));
    assert!(
        partial.contains("partial: `pages` states a total of 11, and 10 different rows were read"),
        "{partial}"
    );

    fs::write(pages.join("page-7.json"), "{}").unwrap();
    insta::assert_snapshot!(shown(&run(config(App, folder.path(), &["pages"]))), @"failed [sys accounts (scim)]: failed to read `pages/page-7.json`, line 1: the object is empty: an answer without a list is no empty list, capture it again");
}

#[tokio::test]
async fn raw_rows_are_read_again_until_the_file_changes() {
    let rows = ["{\"id\":\"1\",\"userName\":\"Zoë\"}", "{\"id\":\"2\", \"userName\":\"bo\"}"];
    let text = format!("{}\n\n{}\n", rows[0], rows[1]);
    let codings = [
        text.clone().into_bytes(),
        format!("\u{feff}{text}").into_bytes(),
        gzip(text.as_bytes()),
        utf16(&text),
    ];
    for bytes in codings {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("a.jsonl");
        fs::write(&path, &bytes).unwrap();
        let files = Files::new(
            config(App, folder.path(), &["a.jsonl"]),
            Arc::new(Profiles::builtin().unwrap()),
        );
        let pulled = files.pull(&crate::Noon).await;
        let snapshot = &pulled.snapshots[0];
        assert_eq!(snapshot.origins.iter().map(|it| it.line).collect::<Vec<_>>(), [1, 3]);
        let raw = |row: &str| Some(row.as_bytes().to_vec());
        assert_eq!(
            files.bodies(snapshot, &[1, 0, 1, 9]).await,
            [raw(rows[1]), raw(rows[0]), raw(rows[1]), None]
        );
        fs::write(&path, [bytes.as_slice(), b" "].concat()).unwrap();
        assert_eq!(files.bodies(snapshot, &[0]).await, [None]);
    }
}
