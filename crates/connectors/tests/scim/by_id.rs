//! Questions by id and by name, as they go over the wire.

use connectors::live::{Answer, Question};
use connectors::scim::{Attribute, Lookup, Trust};

use crate::server::{Said, Server};
use crate::world::{accounts, clock, scim};

#[tokio::test]
async fn an_id_is_percent_encoded_and_stays_one_step_of_the_path() {
    let server = Server::start(|_| Said::json(404, "")).await;
    let scim = scim(&server, "");
    let ids = ["a/b?c=d", "ü 1", "..", "", "7"];
    let questions: Vec<_> = ids.iter().map(|it| Question::Account((*it).into())).collect();
    let replies = scim.reread(&clock(), &questions).await;
    // A few at a time, so in any order.
    let mut asked = server.asked();
    asked.sort();
    assert_eq!(asked, ["GET /Users/%C3%BC%201", "GET /Users/7", "GET /Users/a%2Fb%3Fc%3Dd"]);
    let n_requests: Vec<_> = replies.iter().map(|it| it.requests.len()).collect();
    assert_eq!(n_requests, [1, 1, 0, 0, 1]);
    let is_gone: Vec<_> = replies.iter().map(|it| it.answer == Answer::Gone).collect();
    assert_eq!(is_gone, [true, true, false, false, true]);
}

#[tokio::test]
async fn a_refused_token_is_met_once() {
    let server = Server::start(|_| Said::json(401, "")).await;
    let questions = ["1", "2", "3", "4", "5", "6"].map(|it| Question::Account(it.into()));
    let replies = scim(&server, "").reread(&clock(), &questions).await;
    let told = |nth: usize| match &replies[nth].answer {
        Answer::Unknown { why } => why.as_str(),
        other => panic!("{other:?}"),
    };
    assert_eq!(told(0), "HTTP 401: the SCIM token is not accepted");
    assert_eq!(told(5), "not asked, because HTTP 401: the SCIM token is not accepted");
    assert!(replies.iter().map(|it| &it.question).eq(&questions));
    assert_eq!(server.asked(), ["GET /Users/1"]);
}

#[tokio::test]
async fn one_account_by_its_id_is_a_row_with_its_bytes_and_times() {
    let body = r#"{"id":"7","userName":"u7@x.test","active":"False"}"#;
    let server = Server::start(move |_| Said::json(200, body)).await;
    let scim = scim(&server, "");
    let replies = scim.reread(&clock(), &[Question::Account("7".into())]).await;
    let Answer::Found { row, body: read } = &replies[0].answer else { panic!("{replies:?}") };
    assert_eq!((row.len(), read.as_slice()), (1, body.as_bytes()));
    assert_eq!(replies[0].requests[0].n_rows, 1);
    assert_eq!(replies[0].sent_at, clock().0);
}

#[tokio::test]
async fn a_server_in_trouble_is_unknown_and_not_gone() {
    let server = Server::start(|_| Said::json(500, "")).await;
    let scim = scim(&server, "");
    let replies = scim.reread(&clock(), &[Question::Account("7".into())]).await;
    let Answer::Unknown { why } = &replies[0].answer else { panic!("{replies:?}") };
    assert!(why.starts_with("no answer: HTTP 500"), "{why}");
    assert_eq!(replies[0].requests.len(), 2);
}

#[tokio::test]
async fn names_are_quoted_in_filters_and_never_in_errors() {
    let one = r#"{"totalResults":1,"Resources":[{"id":"1","userName":"o\"h@x.test"}]}"#;
    let server = Server::start(move |path| {
        if path.contains("%5C%22h") || path.contains("startIndex") {
            Said::json(200, one)
        } else if path.contains("broken") {
            Said::json(500, "")
        } else {
            Said::json(200, r#"{"totalResults":0,"Resources":[]}"#)
        }
    })
    .await;
    let scim = scim(&server, "");
    let pulled = scim.pull(&clock()).await;
    let filters = scim.prove_filters(&clock(), &accounts(&pulled)).await;
    assert_eq!(filters.user_name, Trust::Works);
    assert!(matches!(filters.external_id, Trust::Fails { .. }));
    let kept: Vec<_> =
        filters.requests.iter().map(|it| it.url.split_once('?').unwrap().1).collect();
    assert_eq!(kept, ["filter=userName%20eq%20***", "filter=userName%20eq%20***"]);
    let find = async |name: &str| scim.find(&clock(), &filters, Attribute::UserName, name).await.0;
    assert_eq!(find("O\"H@x.test").await, Lookup::Nothing);
    assert_eq!(find("o\"h@x.test").await, Lookup::Found("1".into()));
    let Lookup::Unknown { why } = find("broken@x.test").await else { panic!("must be unknown") };
    assert!(!why.contains("broken"), "{why}");
    assert!(
        server
            .asked()
            .contains(&"GET /Users?filter=userName%20eq%20%22o%5C%22h%40x.test%22".to_owned())
    );
}

#[tokio::test]
async fn a_filter_that_answers_nobody_to_everything_is_not_believed() {
    let server = Server::start(|path| {
        let n = usize::from(!path.contains("filter"));
        let row = r#"{"id":"1","userName":"a","externalId":"e"}"#;
        Said::json(
            200,
            format!(r#"{{"totalResults":{n},"Resources":[{}]}}"#, &row[..row.len() * n]),
        )
    })
    .await;
    let scim = scim(&server, "");
    let pulled = scim.pull(&clock()).await;
    let filters = scim.prove_filters(&clock(), &accounts(&pulled)).await;
    for trust in [filters.user_name, filters.external_id] {
        let Trust::Fails { why } = trust else { panic!("must not be believed") };
        assert!(why.contains("brought 0 accounts"), "{why}");
    }
}
