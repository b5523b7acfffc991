//! Buckets with Object Lock.

use anchors::{AccessKey, Made, NotMade, Place, S3};
use chrono::TimeDelta;
use outbound::Secret;

use crate::server::{Asked, answer, poster};
use crate::{parcel, take};

async fn put(head: &str, body: &str) -> (Result<Made, NotMade>, Asked) {
    let (url, asked) = answer(head, body.as_bytes().to_vec());
    let secret = |text: &str| Secret::new(text.to_owned());
    let bucket = S3 {
        poster: poster(&url),
        url: url.parse().unwrap(),
        region: "eu-central-1".to_owned(),
        key: AccessKey { id: secret("AKID"), secret: secret("s3cret-key") },
        retain: TimeDelta::days(365),
    };
    let made = take(Place::S3(bucket), &parcel(12)).await;
    (made, asked.join().unwrap())
}

#[tokio::test]
async fn an_object_is_put_signed_and_locked_for_as_long_as_the_settings_say() {
    let (made, asked) = put("200 OK\r\nx-amz-version-id: v7", "").await;
    let made = made.unwrap();
    assert_eq!(made.proof, b"v7");
    assert!(
        made.place.ends_with("/driftline-1a2b-000000000012.checkpoint?versionId=v7"),
        "{made:?}"
    );
    let line = asked.head.lines().next().unwrap();
    assert_eq!(line, "PUT /bucket/driftline-1a2b-000000000012.checkpoint HTTP/1.1");
    assert_eq!(asked.body, parcel(12).note.as_bytes());
    assert_eq!(asked.header("x-amz-object-lock-mode"), "COMPLIANCE");
    assert_eq!(asked.header("x-amz-object-lock-retain-until-date"), "2027-11-19T02:00:00Z");
    assert_eq!(asked.header("x-amz-date"), "20261119T020000Z");
    let authorization = asked.header("authorization");
    let scope = "AWS4-HMAC-SHA256 Credential=AKID/20261119/eu-central-1/s3/aws4_request,";
    assert!(authorization.starts_with(scope), "{authorization}");
    assert!(!asked.head.contains("s3cret-key"), "the secret part stays here");
}

#[tokio::test]
async fn a_bucket_that_locks_nothing_or_refuses_is_told_by_its_code_alone() {
    for (head, body, told) in [
        ("200 OK", "", "keeps no versions"),
        ("200 OK\r\nx-amz-version-id: null", "", "keeps no versions"),
        (
            "400 Bad Request",
            "<Error><Code>InvalidRequest</Code><Message>Bucket is missing</Message></Error>",
            "the bucket answered with 400 `InvalidRequest`",
        ),
        ("503 Slow Down", "<html>", "the bucket answered with 503"),
        ("403 Forbidden", "<Code>a b</Code>", "the bucket answered with 403"),
    ] {
        let why = put(head, body).await.0.unwrap_err().why;
        assert!(why.contains(told), "{why}");
        assert!(!why.contains("Bucket is missing") && !why.contains("s3cret-key"), "{why}");
    }
}
