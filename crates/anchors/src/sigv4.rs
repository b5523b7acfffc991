//! AWS Signature Version 4 in a header, for requests without a query (Amazon S3 API reference,
//! "Authenticating Requests: Using the Authorization Header"). Signs; sends nothing.

use chrono::{DateTime, Utc};
use data_encoding::HEXLOWER;
use hmac::{Hmac, Mac as _};
use outbound::Secret;
use sha2::{Digest as _, Sha256};

/// A key of an account.
#[derive(Clone, Debug)]
pub struct AccessKey {
    /// Its id.
    pub id: Secret,
    /// Its secret part.
    pub secret: Secret,
}

/// One request.
pub(crate) struct Request<'r> {
    pub(crate) method: &'static str,
    /// Percent-encoded, from the first slash.
    pub(crate) path: &'r str,
    /// All headers that are signed, in order of name, in small letters; `host` and `x-amz-date`
    /// among them.
    pub(crate) headers: &'r [(&'static str, &'r str)],
    /// SHA-256 of the body, hexadecimal.
    pub(crate) body_sha256: &'r str,
}

impl Request<'_> {
    /// The `Authorization` header.
    pub(crate) fn authorization(&self, key: &AccessKey, region: &str, at: DateTime<Utc>) -> Secret {
        let day = at.format("%Y%m%d").to_string();
        let scope = format!("{day}/{region}/s3/aws4_request");
        let names: Vec<&str> = self.headers.iter().map(|it| it.0).collect();
        let names = names.join(";");
        let lines: String = self.headers.iter().map(|it| format!("{}:{}\n", it.0, it.1)).collect();
        let (method, path, body) = (self.method, self.path, self.body_sha256);
        let canonical = format!("{method}\n{path}\n\n{lines}\n{names}\n{body}");
        let to_sign = format!(
            "AWS4-HMAC-SHA256\n{}\n{scope}\n{}",
            stamp(at),
            sha256_hex(canonical.as_bytes())
        );
        let secret = format!("AWS4{}", key.secret.expose());
        let steps = [day.as_str(), region, "s3", "aws4_request", &to_sign];
        let signature = steps.iter().fold(secret.into_bytes(), |key, it| hmac(&key, it.as_bytes()));
        let (id, signature) = (key.id.expose(), HEXLOWER.encode(&signature));
        Secret::new(format!(
            "AWS4-HMAC-SHA256 Credential={id}/{scope},SignedHeaders={names},Signature={signature}"
        ))
    }
}

/// The value of `x-amz-date`.
pub(crate) fn stamp(at: DateTime<Utc>) -> String {
    at.format("%Y%m%dT%H%M%SZ").to_string()
}

pub(crate) fn sha256_hex(bytes: &[u8]) -> String {
    HEXLOWER.encode(&Sha256::digest(bytes))
}

fn hmac(key: &[u8], text: &[u8]) -> Vec<u8> {
    let mut mac = Hmac::<Sha256>::new_from_slice(key).expect("HMAC takes keys of any length");
    mac.update(text);
    mac.finalize().into_bytes().to_vec()
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Key, region and time of the examples in the API reference.
    fn signed(request: &Request<'_>) -> String {
        let key = AccessKey {
            id: Secret::new("AKIAIOSFODNN7EXAMPLE".to_owned()),
            secret: Secret::new("wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY".to_owned()),
        };
        let at = "2013-05-24T00:00:00Z".parse().unwrap();
        request.authorization(&key, "us-east-1", at).expose().to_owned()
    }

    #[test]
    fn requests_are_signed_as_in_the_api_reference() {
        let body_sha256 = &sha256_hex(b"Welcome to Amazon S3.");
        let put = Request {
            method: "PUT",
            path: "/test%24file.text",
            headers: &[
                ("date", "Fri, 24 May 2013 00:00:00 GMT"),
                ("host", "examplebucket.s3.amazonaws.com"),
                ("x-amz-content-sha256", body_sha256),
                ("x-amz-date", "20130524T000000Z"),
                ("x-amz-storage-class", "REDUCED_REDUNDANCY"),
            ],
            body_sha256,
        };
        assert_eq!(
            signed(&put),
            "AWS4-HMAC-SHA256 Credential=AKIAIOSFODNN7EXAMPLE/20130524/us-east-1/s3/aws4_request,\
             SignedHeaders=date;host;x-amz-content-sha256;x-amz-date;x-amz-storage-class,\
             Signature=98ad721746da40c64f1a55b78f14c238d841ea1380cd77a1b5971af0ece108bd"
        );
        let body_sha256 = &sha256_hex(b"");
        let get = Request {
            method: "GET",
            path: "/test.txt",
            headers: &[
                ("host", "examplebucket.s3.amazonaws.com"),
                ("range", "bytes=0-9"),
                ("x-amz-content-sha256", body_sha256),
                ("x-amz-date", "20130524T000000Z"),
            ],
            body_sha256,
        };
        let signature = "f0e8bdb87c964420e857bd35b5d6ed310bd44f0170aba48dd91039c6036bdb41";
        assert!(signed(&get).ends_with(signature), "{}", signed(&get));
    }
}
