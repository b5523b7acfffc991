//! S3 Object Lock: an object for each checkpoint, which nobody can change or remove before its
//! time, its owner neither (Amazon S3 user guide, "Locking objects with Object Lock"; compliance
//! mode).
//!
//! One signed PUT, which a bucket without Object Lock refuses. The bucket is believed when it says
//! which version it made: without versions there is no lock.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use chrono::{SecondsFormat, TimeDelta};
use outbound::{Posted, Poster, Url};
use sha2::{Digest as _, Sha256};

use crate::sigv4::{AccessKey, Request, sha256_hex, stamp};
use crate::{Made, NotMade, Parcel, told};

/// A bucket with Object Lock.
#[derive(Debug)]
pub struct S3 {
    /// Sends to `url`.
    pub poster: Poster,
    /// The URL of the bucket, and of a folder in it where one is wanted. Not secret.
    pub url: Url,
    /// The region that requests are signed for.
    pub region: String,
    /// The key that they are signed with.
    pub key: AccessKey,
    /// How long an object cannot be removed.
    pub retain: TimeDelta,
}

impl S3 {
    pub(crate) async fn make(&self, parcel: &Parcel) -> Result<Made, NotMade> {
        let name = parcel.file_name();
        let answer = self.put(parcel, &name).await?;
        let version = answer.headers.get("x-amz-version-id").filter(|it| *it != "null");
        match (answer.status, version) {
            (200, Some(version)) => {
                let place = format!("{}/{name}?versionId={version}", self.base());
                Ok(Made { proof: version.as_bytes().to_vec(), place })
            }
            (200, None) => Err(NotMade::new(
                "the bucket keeps no versions, so nothing in it can be locked: make one with \
                 Object Lock",
            )),
            (status, _) => {
                let code = code(&answer.body).map_or_else(String::new, |it| format!(" `{it}`"));
                Err(NotMade::new(format!("the bucket answered with {status}{code}")))
            }
        }
    }

    async fn put(&self, parcel: &Parcel, name: &str) -> Result<Posted, NotMade> {
        let body = parcel.note.as_bytes();
        let until = parcel.at + self.retain;
        let until = until.to_rfc3339_opts(SecondsFormat::Secs, true);
        let (date, sha256) = (stamp(parcel.at), sha256_hex(body));
        let checksum = STANDARD.encode(Sha256::digest(body));
        let host = match (self.url.host_str().unwrap_or_default(), self.url.port()) {
            (host, Some(port)) => format!("{host}:{port}"),
            (host, None) => host.to_owned(),
        };
        let headers = [
            ("content-type", "text/plain; charset=utf-8"),
            ("host", &*host),
            ("x-amz-checksum-sha256", &*checksum),
            ("x-amz-content-sha256", &*sha256),
            ("x-amz-date", &*date),
            ("x-amz-object-lock-mode", "COMPLIANCE"),
            ("x-amz-object-lock-retain-until-date", &*until),
            ("x-amz-sdk-checksum-algorithm", "SHA256"),
        ];
        let path = format!("{}/{name}", self.url.path().trim_end_matches('/'));
        let request =
            Request { method: "PUT", path: &path, headers: &headers, body_sha256: &sha256 };
        let authorization = request.authorization(&self.key, &self.region, parcel.at);
        let headers = headers.into_iter().chain([("authorization", authorization.expose())]);
        let headers: Vec<(&str, &str)> = headers.collect();
        self.poster.put_below(name, &headers, body.to_vec()).await.map_err(|it| told(&it))
    }

    fn base(&self) -> &str {
        self.url.as_str().trim_end_matches('/')
    }
}

/// The code of a refusal, such as `AccessDenied`. Nothing else of an answer is repeated.
fn code(body: &[u8]) -> Option<&str> {
    const LEN_MAX: usize = 60;
    let text = str::from_utf8(body).ok()?;
    let code = text.split_once("<Code>")?.1.split_once("</Code>")?.0;
    let is_code = code.len() <= LEN_MAX && code.bytes().all(|it| it.is_ascii_alphanumeric());
    is_code.then_some(code)
}
