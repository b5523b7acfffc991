//! Asking again by id.

use connectors::entra::{Clause, Config, Entra, Operator, Scope, ScopingFilters};
use connectors::live::{Answer, Question, SwitchedOff};
use domain::{Lifecycle, Rows, Text, Via};
use serde_json::json;

use super::graph_server::{
    GraphServer, PRINCIPAL, Reply, Tenant, assigned, deleted, error, group, id, member, user,
};
use super::{config, connect, now};

fn tenant() -> Tenant {
    let mut tenant = Tenant::of(4);
    tenant.users[1] = user(2, false);
    tenant.deleted = vec![deleted(5)];
    tenant.assigned = vec![assigned(1, "User", &id(1)), assigned(2, "Group", &group(1))];
    tenant.members.insert(group(1), vec![member("user", &id(1)), member("user", &id(3))]);
    tenant
}

/// What was said, as `lifecycle` or `via`; `gone`, or why it is not known.
async fn ask(entra: &Entra, question: Question) -> String {
    let reply = entra.reread(&now(), &[question]).await.remove(0);
    match reply.answer {
        Answer::Gone => "gone".to_owned(),
        Answer::Unknown { why } => why,
        Answer::Found { row: Rows::Identities(rows), body } => {
            assert!(!body.is_empty());
            rows.first().unwrap().lifecycle.to_string()
        }
        Answer::Found { row: Rows::Assignments(rows), body } => {
            assert!(!body.is_empty());
            match rows.first().unwrap().via {
                Via::Direct => "direct".to_owned(),
                Via::Groups(groups) => format!("through {}", groups[0].id),
                Via::NotStated => "not stated".to_owned(),
            }
        }
        other => panic!("{other:?}"),
    }
}

fn text(n: usize) -> Text {
    id(n).as_str().into()
}

#[tokio::test]
async fn whom_a_scoping_filter_leaves_out_is_asked_about_by_their_attributes() {
    let clause = Clause::new("department", Operator::Equals("Sales".to_owned())).unwrap();
    let filters = ScopingFilters(vec![vec![clause]]);
    let grant = async |config: Config, department: Option<&str>, n: usize| {
        let mut tenant = tenant();
        for user in &mut tenant.users {
            match department {
                Some(department) => user["department"] = json!(department),
                None => drop(user.as_object_mut().unwrap().remove("department")),
            }
        }
        let server = GraphServer::start(tenant);
        let entra = connect(&server, config);
        let reply = entra.reread(&now(), &[Question::Assignment(text(n))]).await.remove(0);
        match reply.answer {
            Answer::Found { row: Rows::Assignments(rows), .. } => {
                rows.first().unwrap().grant.to_string()
            }
            Answer::Gone => "gone".to_owned(),
            other => panic!("{other:?}"),
        }
    };
    let assigned = Config { scoping_filters: filters.clone(), ..config() };
    let everyone = Config { scope: Scope::Everyone, ..assigned.clone() };
    for (department, said) in
        [(Some("Sales"), "grants"), (Some("Legal"), "denies"), (None, "undecided")]
    {
        // User 1 by hand and through a group, and of everybody user 4, who is not assigned.
        assert_eq!(grant(assigned.clone(), department, 1).await, said);
        assert_eq!(grant(assigned.clone(), department, 4).await, "gone");
        assert_eq!(grant(everyone.clone(), department, 4).await, said);
        assert_eq!(grant(everyone.clone(), department, 9).await, "gone");
    }
}

#[tokio::test]
async fn a_user_is_there_or_among_the_deleted_or_gone() {
    let server = GraphServer::start(tenant());
    let entra = connect(&server, config());
    for (n, said) in [(1, "active"), (2, "left"), (5, "left"), (9, "gone")] {
        assert_eq!(ask(&entra, Question::Identity(text(n))).await, said, "{n}");
    }
    let mut config = config();
    config.disabled = SwitchedOff::Suspended;
    let entra = connect(&server, config);
    assert_eq!(ask(&entra, Question::Identity(text(2))).await, "suspended");
    assert_eq!(ask(&entra, Question::Identity(text(5))).await, Lifecycle::Left.name());
}

#[tokio::test]
async fn an_assignment_is_by_hand_or_through_a_group_or_gone() {
    let server = GraphServer::start(tenant());
    let entra = connect(&server, config());
    let through = format!("through {}", group(1));
    for (n, said) in [(1, "direct"), (3, through.as_str()), (4, "gone")] {
        assert_eq!(ask(&entra, Question::Assignment(text(n))).await, said, "{n}");
    }
    let asked = server.requests();
    let path = format!("appRoleAssignments?$filter=resourceId eq {PRINCIPAL}");
    assert!(asked.iter().any(|it| it.ends_with(&path)), "{asked:?}");
}

#[tokio::test]
async fn rows_of_other_apps_say_nothing_of_this_one() {
    let server = GraphServer::start(tenant());
    let mut other = assigned(1, "User", &id(4));
    other["resourceId"] = json!("c9");
    server.always("/appRoleAssignments", Reply::json(&json!({"value": [other]})));
    let entra = connect(&server, config());
    assert_eq!(ask(&entra, Question::Assignment(text(4))).await, "gone");
}

#[tokio::test]
async fn a_404_is_no_word_where_users_cannot_be_seen_or_another_answers() {
    let server = GraphServer::start(tenant());
    server.always("/v1.0/users?$select=id,accountEnabled", Reply::json(&json!({"value": []})));
    let entra = connect(&server, config());
    let said = ask(&entra, Question::Identity(text(9))).await;
    assert!(said.contains("may be for want of permission"), "{said}");

    let server = GraphServer::start(tenant());
    server.always("/v1.0/users/", Reply::html(404));
    let entra = connect(&server, config());
    let said = ask(&entra, Question::Identity(text(9))).await;
    assert!(said.contains("this is no answer of Microsoft Graph"), "{said}");
}

#[tokio::test]
async fn without_the_permission_to_ask_for_one_assignment_nothing_is_concluded() {
    let server = GraphServer::start(tenant());
    server.always("/appRoleAssignments", error(403, "Authorization_RequestDenied"));
    let entra = connect(&server, config());
    let said = ask(&entra, Question::Assignment(text(1))).await;
    assert!(said.contains("`Directory.Read.All`"), "{said}");
}

#[tokio::test]
async fn answers_that_are_none_are_unknown() {
    for (reply, why) in [
        (Reply::json(&json!({})), "the answer is no list of assignments"),
        (
            Reply::json(&json!({"value": [{"resourceId": PRINCIPAL}]})),
            "a row of the answer cannot be read",
        ),
        (
            Reply::json(&json!({"value": [assigned(1, "User", &id(2))]})),
            "answered about another user",
        ),
        (
            Reply::json(&json!({"value": [], "@odata.nextLink": "x"})),
            "the answer is one page of several",
        ),
    ] {
        let server = GraphServer::start(tenant());
        server.always("/appRoleAssignments", reply);
        let entra = connect(&server, config());
        let said = ask(&entra, Question::Assignment(text(1))).await;
        assert!(said.contains(why), "{said}");
    }
    let server = GraphServer::start(tenant());
    let entra = connect(&server, config());
    let said = ask(&entra, Question::Account(text(1))).await;
    assert_eq!(said, "Entra knows no accounts of the app");
}
