//! Lists that are read to their end, and what makes them less than complete.

use connectors::live::LivePull;
use domain::{Grant, IdForm, Lifecycle, Population, Rows, Via};
use serde_json::{Value, json};

use super::okta_server::{OktaServer, Org, Reply, app_user, id, user};
use super::{config, connect, now, pull, told};

fn identities(pull: &LivePull) -> Vec<domain::Identity> {
    match pull.snapshots.iter().map(|it| &it.rows).find(|it| matches!(it, Rows::Identities(_))) {
        Some(Rows::Identities(rows)) => rows.to_vec(),
        _ => Vec::new(),
    }
}

fn assignments(pull: &LivePull) -> Vec<domain::Assignment> {
    match pull.snapshots.iter().map(|it| &it.rows).find(|it| matches!(it, Rows::Assignments(_))) {
        Some(Rows::Assignments(rows)) => rows.to_vec(),
        _ => Vec::new(),
    }
}

#[tokio::test]
async fn lists_are_read_page_by_page_to_the_page_that_leads_nowhere() {
    let server = OktaServer::start(Org::of(5));
    let pull = pull(&server).await;
    insta::assert_snapshot!(told(&server, &pull), @"
    okta identities: 5 rows, complete
    okta assignments: 5 rows, complete
    ");
    let snapshot = &pull.snapshots[0];
    assert_eq!(snapshot.id_form, Some(IdForm::Okta));
    assert_eq!(snapshot.population, Population::Everyone);
    assert_eq!(snapshot.as_of.at, now().0);
    assert_eq!(snapshot.requests.iter().map(|it| it.n_rows).collect::<Vec<_>>(), [2, 2, 1]);
    assert_eq!(snapshot.requests[0].request_id.as_deref(), Some("req-1"));
    assert_eq!(snapshot.origins[4].request, 2);
    let body = pull.bodies[0].read(&[4]).remove(0).unwrap();
    assert_eq!(serde_json::from_slice::<Value>(&body).unwrap(), user(5, "ACTIVE"));
    assert_eq!(pull.snapshots[1].population, Population::Assigned);
}

#[tokio::test]
async fn nothing_but_get_is_sent_and_only_what_is_needed() {
    let server = OktaServer::start(Org::of(5));
    pull(&server).await;
    let requests = server.requests();
    assert!(requests.iter().all(|it| it.starts_with("GET /api/v1/")), "{requests:#?}");
    // App, features, three pages of each list, the groups, and the log.
    assert_eq!(requests.len(), 1 + 1 + 3 + 1 + 3 + 1, "{requests:#?}");
    assert_eq!(server.n_requests("/users?limit=500&expand=user"), 3);
    assert_eq!(server.n_requests("/api/v1/users?limit=200&filter=status eq \"STAGED\" or "), 3);
}

#[tokio::test]
async fn pages_are_as_large_as_okta_makes_them() {
    for (n_people, n_users, n_app_users) in [(1, 1, 1), (1000, 5, 2), (1001, 6, 3)] {
        let server = OktaServer::start(Org { page_rows: 500, ..Org::of(n_people) });
        let pull = pull(&server).await;
        let pages: Vec<usize> = pull.snapshots.iter().map(|it| it.requests.len()).collect();
        assert_eq!(pages, [n_users, n_app_users], "{n_people}");
        // The app, its features, its groups and the log.
        assert_eq!(pull.requests.len(), 4, "{n_people}");
    }
}

#[tokio::test]
async fn users_of_every_status_are_listed() {
    let mut org = Org::of(0);
    let statuses = [
        ("STAGED", Lifecycle::NotYet),
        ("PROVISIONED", Lifecycle::Active),
        ("ACTIVE", Lifecycle::Active),
        ("RECOVERY", Lifecycle::Active),
        ("PASSWORD_EXPIRED", Lifecycle::Active),
        ("LOCKED_OUT", Lifecycle::Active),
        ("SUSPENDED", Lifecycle::Suspended),
        ("DEPROVISIONED", Lifecycle::Left),
    ];
    org.users = statuses.iter().enumerate().map(|(n, (status, _))| user(n, status)).collect();
    let server = OktaServer::start(org);
    let pull = pull(&server).await;
    let read: Vec<_> = identities(&pull).iter().map(|it| it.lifecycle).collect();
    assert_eq!(read, statuses.map(|(_, lifecycle)| lifecycle));
}

#[tokio::test]
async fn a_status_that_nobody_knows_is_unknown_and_reported() {
    let server = OktaServer::start(Org::of(1));
    server.hook(|_, path| {
        path.starts_with("/api/v1/users?").then(|| Reply::json(&json!([user(1, "ACTIVATING")])))
    });
    let pull = pull(&server).await;
    assert_eq!(identities(&pull)[0].lifecycle, Lifecycle::Unknown);
    assert_eq!(pull.unmapped.len(), 1);
    assert_eq!((pull.unmapped[0].raw.as_str(), pull.unmapped[0].count), ("ACTIVATING", 1));
}

#[tokio::test]
async fn assignments_keep_the_account_id_and_name_their_groups() {
    let mut org = Org::of(3);
    org.app_users[1]["scope"] = json!("GROUP");
    org.app_users[1]["_links"] =
        json!({"group": {"href": "https://acme.okta.com/api/v1/groups/00g1"}});
    org.app_users[2] = app_user(3, "REVOKED");
    org.groups = vec![
        json!({"id": "00g1", "priority": 0, "_embedded": {"group": {"profile": {"name": "Finance"}}}}),
        json!({"id": "00g2", "_embedded": null}),
        json!({"id": "00g3", "profile": null}),
    ];
    let server = OktaServer::start(org);
    let pull = pull(&server).await;
    insta::assert_snapshot!(told(&server, &pull), @"
    okta identities: 3 rows, complete
    okta assignments: 3 rows, complete
      note: groups that give the app: Finance, 00g2, 00g3
    ");
    let rows = assignments(&pull);
    assert_eq!(rows[0].account_id.as_deref(), Some("sf-1"));
    assert_eq!((&rows[0].via, rows[0].grant), (&Via::Direct, Grant::Grants));
    assert_eq!(rows[2].grant, Grant::Denies);
    let Via::Groups(groups) = &rows[1].via else { unreachable!("{:?}", rows[1].via) };
    assert_eq!((&*groups[0].id, groups[0].name.as_deref()), ("00g1", Some("Finance")));
}

#[tokio::test]
async fn nulls_everywhere_are_no_reason_to_stop() {
    let server = OktaServer::start(Org::of(0));
    server.hook(|_, path| {
        let null_user = json!({"id": id(1), "status": null, "created": null, "activated": null,
            "statusChanged": null, "type": null, "profile": null, "credentials": null});
        let null_app_user = json!({"id": id(1), "externalId": null, "scope": null, "status": null,
            "statusChanged": null, "credentials": null, "profile": null, "_embedded": null, "_links": null});
        match path {
            _ if path.starts_with("/api/v1/users?") => Some(Reply::json(&json!([null_user]))),
            _ if path.contains("/users?") => Some(Reply::json(&json!([null_app_user]))),
            _ if path.contains("/groups?") => Some(Reply::json(&json!([{"id": null}]))),
            _ if path.ends_with("/features") => Some(Reply::json(&json!([{"name": null}]))),
            _ if path.contains("/logs?") => Some(Reply::json(&json!([{"uuid": null}]))),
            _ => Some(Reply::json(&json!({"id": super::APP, "label": null, "status": null}))),
        }
    });
    let pull = pull(&server).await;
    // A row of nothing but an id would overwrite what is known of that user.
    assert_eq!(identities(&pull), []);
    assert_eq!(assignments(&pull)[0].grant, Grant::Undecided);
    // Nobody's state is known, and no event's: the operator is told.
    let told = told(&server, &pull);
    assert!(told.contains("partial: users without a `status`: 1"), "{told}");
    assert_eq!((pull.failures.len(), pull.troubles.len()), (0, 1), "{told}");
}

#[tokio::test]
async fn an_empty_last_page_is_an_end() {
    let server = OktaServer::start(Org::of(2));
    let next = format!("<{}/api/v1/users?after=2>; rel=\"next\"", server.url());
    let first = Reply::json(&json!([user(1, "ACTIVE"), user(2, "ACTIVE")])).with("Link", next);
    server.once("/api/v1/users?limit=200", [first]);
    server.once("/api/v1/users?after=2", [Reply::json(&json!([]))]);
    let pull = pull(&server).await;
    assert!(told(&server, &pull).starts_with("okta identities: 2 rows, complete"));
}

#[tokio::test]
async fn links_in_one_line_and_relative_ones_lead_on() {
    let server = OktaServer::start(Org::of(3));
    let link = "</api/v1/users?limit=200>; rel=\"self\"; title=\"a, b\", </api/v1/users?after=x>; rel=next";
    let first = Reply::json(&json!([user(1, "ACTIVE"), user(2, "ACTIVE")])).with("Link", link);
    server.once("/api/v1/users?limit=200", [first]);
    server.once("/api/v1/users?after=x", [Reply::json(&json!([user(3, "ACTIVE")]))]);
    let pull = pull(&server).await;
    assert!(told(&server, &pull).starts_with("okta identities: 3 rows, complete"));
}

#[tokio::test]
async fn a_link_that_cannot_be_read_is_no_end() {
    let server = OktaServer::start(Org::of(2));
    let first = Reply::json(&json!([user(1, "ACTIVE"), user(2, "ACTIVE")])).with("Link", "<broken");
    server.once("/api/v1/users?limit=200", [first]);
    let pull = pull(&server).await;
    insta::assert_snapshot!(told(&server, &pull), @"
    okta identities: 2 rows, partial: `https://acme.okta.com/api/v1/users?limit=200&filter=..` gave no list: the `Link` header of the answer cannot be read, so where the list ends is not known: check the base URL and what stands between here and Okta
    okta assignments: 2 rows, complete
    ");
}

#[tokio::test]
async fn nobody_at_all_means_that_the_admin_role_is_missing() {
    let server = OktaServer::start(Org { page_rows: 2, ..Org::default() });
    let pull = pull(&server).await;
    insta::assert_snapshot!(told(&server, &pull), @"
    okta identities: failed: `https://acme.okta.com/api/v1/users?limit=200&filter=..` gave no list: Okta shows nobody at all. The scopes are granted and the admin role is missing, or it is limited to nobody: give the service app, or the admin who made the API token, a role that sees all users, such as Read-only Administrator
    okta assignments: failed: `https://acme.okta.com/api/v1/apps/0oaAPP/users?limit=500&expand=user` gave no list: Okta shows nobody at all. The scopes are granted and the admin role is missing, or it is limited to nobody: give the service app, or the admin who made the API token, a role that sees all users, such as Read-only Administrator
    ");
    assert!(!pull.requests.is_empty());
}

#[tokio::test]
async fn nobody_assigned_is_a_complete_list_where_users_are_seen() {
    let server = OktaServer::start(Org { app_users: Vec::new(), ..Org::of(2) });
    let pull = pull(&server).await;
    assert!(told(&server, &pull).contains("okta assignments: 0 rows, complete"));
}

#[tokio::test]
async fn a_list_that_changed_while_it_was_read_is_read_again() {
    let server = OktaServer::start(Org::of(4));
    let mut n_pages = 0;
    // Between two pages somebody of the first one leaves, and changes places with somebody of the
    // second, who is missed.
    server.hook(move |org, path| {
        n_pages += usize::from(path.starts_with("/api/v1/users?"));
        if n_pages == 2 && org.users[0]["status"] == "ACTIVE" && org.users[0]["id"] == id(1) {
            org.users[0] = user(1, "DEPROVISIONED");
            org.users.swap(0, 2);
        }
        None
    });
    let pull = pull(&server).await;
    insta::assert_snapshot!(told(&server, &pull), @"
    okta identities: 4 rows, complete
      note: the list changed while it was read, and was read again
    okta assignments: 4 rows, complete
    ");
}

#[tokio::test]
async fn a_list_that_repeats_itself_is_partial_after_two_walks() {
    let server = OktaServer::start(Org::of(4));
    server.hook({
        let url = server.url();
        let mut n = 0;
        move |_, path| {
            n += 1;
            path.starts_with("/api/v1/users?").then(|| {
                let next = format!("<{url}/api/v1/users?after={n}>; rel=\"next\"");
                Reply::json(&json!([user(1, "ACTIVE"), user(2, "ACTIVE")])).with("Link", next)
            })
        }
    });
    let pull = pull(&server).await;
    insta::assert_snapshot!(told(&server, &pull), @"
    okta identities: 2 rows, partial: the list changed while it was read: a page brought only rows that were read before
      note: the list changed while it was read, and was read again
    okta assignments: 4 rows, complete
    ");
    assert_eq!(server.n_requests("/api/v1/users?"), 4);
}

#[tokio::test]
async fn somebody_who_comes_twice_moved_and_another_may_have_been_missed() {
    let server = OktaServer::start(Org::of(3));
    let url = server.url();
    server.hook(move |_, path| {
        let next = format!("<{url}/api/v1/users?after=2>; rel=\"next\"");
        match path {
            _ if path.starts_with("/api/v1/users?limit=200") => {
                let rows = json!([user(1, "ACTIVE"), user(2, "ACTIVE")]);
                Some(Reply::json(&rows).with("Link", next))
            }
            _ if path.starts_with("/api/v1/users?after=2") => {
                Some(Reply::json(&json!([user(2, "ACTIVE"), user(3, "ACTIVE")])))
            }
            _ => None,
        }
    });
    let pull = pull(&server).await;
    insta::assert_snapshot!(told(&server, &pull), @"
    okta identities: 3 rows, partial: the list changed while it was read: rows that came twice: 1
      note: the list changed while it was read, and was read again
    okta assignments: 3 rows, complete
    ");
}

#[tokio::test]
async fn a_next_link_to_the_same_page_is_partial() {
    let server = OktaServer::start(Org::of(1));
    server.hook({
        let url = server.url();
        move |_, path| {
            path.starts_with("/api/v1/users?").then(|| {
                let next = format!("<{url}/api/v1/users?after=1>; rel=\"next\"");
                let rows =
                    if path.contains("after") { json!([]) } else { json!([user(1, "ACTIVE")]) };
                Reply::json(&rows).with("Link", next)
            })
        }
    });
    let pull = pull(&server).await;
    insta::assert_snapshot!(told(&server, &pull), @"
    okta identities: 1 rows, partial: the list changed while it was read: a page leads back to one that was read before
      note: the list changed while it was read, and was read again
    okta assignments: 1 rows, complete
    ");
}

#[tokio::test]
async fn somebody_assigned_who_is_no_user_makes_the_users_partial() {
    let mut org = Org::of(3);
    org.users.pop();
    let server = OktaServer::start(org);
    let pull = pull(&server).await;
    insta::assert_snapshot!(told(&server, &pull), @"
    okta identities: 2 rows, partial: users who have the app are not in the list of users (00u00000000000000003): the admin role of this credential may be limited to some users, give it all of them
      note: the list changed while it was read, and was read again
    okta assignments: 3 rows, complete
    ");
    assert_eq!(server.n_requests("/api/v1/users?"), 2, "one page, read twice");
}

#[tokio::test]
async fn somebody_who_was_missed_while_the_list_changed_is_found_on_the_second_walk() {
    let mut org = Org::of(3);
    let missed = org.users.pop();
    let server = OktaServer::start(org);
    let mut n_pages = 0;
    server.hook(move |org, path| {
        n_pages += usize::from(path.starts_with("/api/v1/users?"));
        if n_pages == 2 && org.users.len() == 2 {
            org.users.extend(missed.clone());
        }
        None
    });
    let pull = pull(&server).await;
    insta::assert_snapshot!(told(&server, &pull), @"
    okta identities: 3 rows, complete
      note: the list changed while it was read, and was read again
    okta assignments: 3 rows, complete
    ");
}

#[tokio::test]
async fn a_second_walk_that_fails_does_not_spoil_the_first() {
    let mut org = Org::of(5);
    org.users.pop();
    let server = OktaServer::start(org);
    // The second walk ends on its second page.
    let mut n_pages = 0;
    server.hook(move |_, path| {
        n_pages += usize::from(path.starts_with("/api/v1/users?"));
        (n_pages == 4 && path.starts_with("/api/v1/users?")).then(|| Reply::html(403))
    });
    let pull = pull(&server).await;
    insta::assert_snapshot!(told(&server, &pull), @"
    okta identities: 4 rows, partial: users who have the app are not in the list of users (00u00000000000000005): the admin role of this credential may be limited to some users, give it all of them
    okta assignments: 5 rows, complete
    ");
    // Both walks are in the record.
    let n_lines = pull.snapshots.iter().map(|it| it.requests.len()).sum::<usize>();
    assert_eq!(n_lines + pull.requests.len(), server.requests().len());
}

#[tokio::test]
async fn a_credential_that_sees_the_app_and_no_users_is_told_so() {
    let server = OktaServer::start(Org { users: Vec::new(), ..Org::of(2) });
    let pull = pull(&server).await;
    let told = told(&server, &pull);
    assert!(
        told.starts_with("okta assignments: 2 rows, complete\nokta identities: failed: "),
        "{told}"
    );
    assert!(told.contains("Okta shows nobody at all"), "{told}");
    assert_eq!(server.n_requests("/api/v1/users?"), 1);
}

#[tokio::test]
async fn an_imported_app_user_need_not_be_a_user() {
    let mut org = Org::of(2);
    org.app_users.push(app_user(9, "IMPORTED"));
    let server = OktaServer::start(org);
    let pull = pull(&server).await;
    assert!(told(&server, &pull).starts_with("okta identities: 2 rows, complete"));
}

#[tokio::test]
async fn a_list_without_its_canary_is_not_believed() {
    let server = OktaServer::start(Org::of(2));
    let mut config = config();
    config.canaries = vec![id(1).into(), id(7).into()];
    config.assigned_canaries = vec![id(2).into(), id(8).into()];
    let pull = connect(&server, config).pull(&now(), None).await;
    insta::assert_snapshot!(told(&server, &pull), @"
    okta identities: 2 rows, partial: canaries are not in it (00u00000000000000007)
    okta assignments: 2 rows, partial: canaries are not in it (00u00000000000000008)
    canary_missing: Users who must be in the list `okta identities` are not: 00u00000000000000007. Look whether they still should be, and whether the credential may see everybody.
    canary_missing: Users who must be in the list `okta assignments` are not: 00u00000000000000008. Look whether they still should be, and whether the credential may see everybody.
    ");
}

#[tokio::test]
async fn unhealthy_provisioning_is_named_with_what_to_switch_on() {
    for (toggle, app_status, expected) in [
        ("ENABLED", "ACTIVE", ""),
        ("DISABLED", "ACTIVE", "\"Deactivate Users\" is off"),
        ("ENABLED", "INACTIVE", "is INACTIVE in Okta"),
    ] {
        let server = OktaServer::start(Org::of(1));
        server.always("/features", Reply::json(&json!([{"name": "USER_PROVISIONING",
            "status": "ENABLED", "capabilities": {"update": {"lifecycleDeactivate": {"status": toggle}}}}])));
        server.hook(move |_, path| {
            let is_app = path == format!("/api/v1/apps/{}", super::APP);
            is_app.then(|| {
                Reply::json(&json!({"id": super::APP, "label": "SF", "status": app_status}))
            })
        });
        let pull = pull(&server).await;
        let texts: Vec<&str> = pull.troubles.iter().map(|it| it.text.as_str()).collect();
        assert_eq!(texts.len(), usize::from(!expected.is_empty()), "{texts:?}");
        for trouble in &pull.troubles {
            assert_eq!(trouble.kind, domain::Watcher::ProvisioningUnhealthy);
            assert!(trouble.text.contains(expected), "{texts:?}");
        }
    }
}

#[tokio::test]
async fn provisioning_that_was_never_set_up_is_unhealthy() {
    let server = OktaServer::start(Org::of(1));
    server.always("/features", Reply::error(400, "E0000001", "Api validation failed: feature"));
    let pull = pull(&server).await;
    insta::assert_snapshot!(told(&server, &pull), @r#"
    okta identities: 1 rows, complete
    okta assignments: 1 rows, complete
    provisioning_unhealthy: Provisioning is not set up for the app `Secureframe` (0oaAPP): Okta will never deactivate anybody there. Set it up with "Deactivate Users" on, or remove accounts by hand.
    "#);
}
