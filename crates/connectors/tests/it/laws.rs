//! Laws over any bytes.

use domain::SystemKind;
use proptest::prelude::*;

use crate::pull;

/// Bytes as exports have them, and anything else.
fn bytes() -> impl Strategy<Value = Vec<u8>> {
    let pieces = prop::sample::select(vec![
        "{",
        "}",
        "[",
        "]",
        "\"id\"",
        ":",
        ",",
        "\"a\"",
        "null",
        "true",
        "-1e9",
        "\n",
        "\r\n",
        ";",
        "\"",
        "\\",
        "\\u00e9",
        "id",
        "active",
        "userName",
        "login",
        "status",
        "value",
        "Resources",
        "\"Resources\":[",
        "\"totalResults\":1",
        "\u{feff}",
        "\0",
        "é",
        "2026-01-31",
        "\u{1f}\u{8b}\u{8}",
        " ",
    ]);
    let text = prop::collection::vec(pieces, 0..60).prop_map(|it| it.concat().into_bytes());
    prop_oneof![3 => text, 1 => prop::collection::vec(any::<u8>(), 0..300)]
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 300, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn bytes_never_panic_and_never_half_apply(bytes in bytes(), is_app in any::<bool>(), profile in prop::option::of(0..4_usize)) {
        let kind = if is_app { SystemKind::App } else { SystemKind::Idp };
        let names = if is_app {
            ["scim-users", "generic-accounts", "secureframe-personnel", "secureframe-personnel-csv"]
        } else {
            ["okta-users", "okta-app-users", "generic-identities", "entra-app-role-assigned-to"]
        };
        let pulled = pull(kind, "a", &bytes, |it| it.files[0].profile = profile.map(|at| names[at].to_owned()));
        prop_assert_eq!(pulled.failures.len(), usize::from(pulled.snapshots.is_empty()));
        for snapshot in &pulled.snapshots {
            prop_assert_eq!(snapshot.rows.len(), snapshot.origins.len());
        }
    }
}
