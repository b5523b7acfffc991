//! Parts of paths and queries: what an id or a filter holds never leaves its place.

use std::fmt::Write as _;

/// Percent-encodes all but the unreserved characters (RFC 3986, 2.3).
pub(crate) fn encoded(text: &str) -> String {
    let mut encoded = String::with_capacity(text.len());
    for byte in text.bytes() {
        if byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'.' | b'_' | b'~') {
            encoded.push(char::from(byte));
        } else {
            // Writing to a text cannot fail.
            write!(encoded, "%{byte:02X}").unwrap_or_default();
        }
    }
    encoded
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_part_stays_a_part() {
        for (text, part) in [
            ("../apps?x#y é", "..%2Fapps%3Fx%23y%20%C3%A9"),
            ("a#EXT#@b", "a%23EXT%23%40b"),
            ("a-Z.9_~", "a-Z.9_~"),
            ("../x?y=1&ü \"", "..%2Fx%3Fy%3D1%26%C3%BC%20%22"),
            ("", ""),
        ] {
            assert_eq!(encoded(text), part);
        }
    }
}
