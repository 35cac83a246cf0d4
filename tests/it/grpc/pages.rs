//! Pages: each item once, and tokens only for the request that they were given out for.

use super::{quiet, small, wrong_fields};
use crate::support::{World, company, integration};
use provisiond::proto::v1;
use std::collections::BTreeSet;
use tonic::Code;

/// Goes through a list by pages of so many; gives the names of its items and a token of its middle.
macro_rules! walk {
    ($client:expr, $method:ident, $request:expr, $items:ident) => {{
        let (mut names, mut middle) = (Vec::new(), String::new());
        let mut request = $request;
        request.page_size = 2;
        loop {
            let page = $client.$method(request.clone()).await.unwrap().into_inner();
            assert!(page.$items.len() <= 2);
            names.extend(page.$items.into_iter().map(|item| item.name));
            if page.next_page_token.is_empty() {
                break;
            }
            middle = page.next_page_token;
            request.page_token = middle.clone();
        }
        let different: BTreeSet<&String> = names.iter().collect();
        assert_eq!(
            different.len(),
            names.len(),
            "something came twice: {names:?}"
        );
        assert!(!middle.is_empty(), "one page says nothing of pages");
        (names, middle)
    }};
}

fn users(parent: &str) -> v1::ListUsersRequest {
    v1::ListUsersRequest {
        parent: parent.to_owned(),
        ..v1::ListUsersRequest::default()
    }
}

fn groups(parent: &str) -> v1::ListGroupsRequest {
    v1::ListGroupsRequest {
        parent: parent.to_owned(),
        ..v1::ListGroupsRequest::default()
    }
}

fn changes(parent: &str) -> v1::ListChangesRequest {
    v1::ListChangesRequest {
        parent: parent.to_owned(),
        ..v1::ListChangesRequest::default()
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn every_list_is_gone_through_by_pages_and_holds_each_item_once() {
    let mut world = World::ready(small()).await;
    for id in ["a", "b", "c"] {
        world.create(id).await;
        world.apply("lookup-users").await;
    }
    let mut runs = vec![world.run().await.name, world.run().await.name];
    runs.push(world.run().await.name);
    runs.reverse();
    assert_eq!(
        walk!(world.directory, list_users, users(&company()), users)
            .0
            .len(),
        12
    );
    assert_eq!(
        walk!(world.directory, list_groups, groups(&company()), groups)
            .0
            .len(),
        4
    );
    let request = v1::ListIntegrationsRequest {
        parent: company(),
        ..v1::ListIntegrationsRequest::default()
    };
    let (names, _) = walk!(world.integrations, list_integrations, request, integrations);
    assert_eq!(names.len(), 4);
    let request = v1::ListRulesRequest {
        parent: integration(),
        ..v1::ListRulesRequest::default()
    };
    assert_eq!(
        walk!(world.integrations, list_rules, request, rules)
            .0
            .len(),
        5
    );
    let request = v1::ListRunsRequest {
        parent: integration(),
        ..v1::ListRunsRequest::default()
    };
    assert_eq!(walk!(world.sync, list_runs, request, runs).0, runs);
    let all = format!("{}/runs/-", integration());
    let whole = world.changes(&all).await.len();
    assert!(whole >= 16, "{whole}");
    assert_eq!(
        walk!(world.sync, list_changes, changes(&all), changes)
            .0
            .len(),
        whole
    );
    let largest = world
        .groups()
        .await
        .into_iter()
        .max_by_key(|group| group.member_count);
    let largest = largest.unwrap();
    let request = v1::ListMembersRequest {
        parent: largest.name,
        ..v1::ListMembersRequest::default()
    };
    let (names, _) = walk!(world.directory, list_members, request, members);
    assert_eq!(i64::try_from(names.len()).unwrap(), largest.member_count);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_page_token_is_good_for_its_own_request_only() {
    let mut world = World::ready(small()).await;
    world.run().await;
    let (_, token) = walk!(world.directory, list_users, users(&company()), users);
    let with = |parent: &str| v1::ListUsersRequest {
        page_token: token.clone(),
        page_size: 5,
        ..users(parent)
    };
    // The size of a page may change on the way.
    world.directory.list_users(with(&company())).await.unwrap();
    let status = world.directory.list_users(with("companies/other")).await;
    assert_eq!(wrong_fields(&status.unwrap_err()), ["page_token"]);
    let other = v1::ListGroupsRequest {
        page_token: token.clone(),
        ..groups(&company())
    };
    let status = world.directory.list_groups(other).await.unwrap_err();
    assert_eq!(wrong_fields(&status), ["page_token"]);
    let all = format!("{}/runs/-", integration());
    let (_, token) = walk!(world.sync, list_changes, changes(&all), changes);
    let other = v1::ListChangesRequest {
        page_token: token,
        outcomes: vec![v1::change::Outcome::Applied.into()],
        ..changes(&all)
    };
    let status = world.sync.list_changes(other).await.unwrap_err();
    assert_eq!(wrong_fields(&status), ["page_token"]);
}

#[tokio::test(flavor = "multi_thread")]
async fn the_catalogue_takes_pages_like_any_list() {
    let mut world = quiet().await;
    let request = v1::ListSystemsRequest {
        page_size: 1,
        page_token: String::new(),
    };
    let page = world.integrations.list_systems(request).await.unwrap();
    assert_eq!(page.into_inner().systems.len(), 1);
    let request = v1::ListSystemsRequest {
        page_size: -1,
        page_token: "made-up".to_owned(),
    };
    let status = world.integrations.list_systems(request).await.unwrap_err();
    assert_eq!(wrong_fields(&status), ["page_size", "page_token"]);
}

#[tokio::test(flavor = "multi_thread")]
async fn changes_are_listed_of_what_there_is_and_by_rules_of_it() {
    let mut world = World::ready(small()).await;
    let run = world.run().await;
    let by = |parent: &str, rule: &str| v1::ListChangesRequest {
        rule: rule.to_owned(),
        ..changes(parent)
    };
    let all = format!("{}/runs/-", integration());
    let first = run.rules.first().cloned();
    let rule = first.unwrap_or_else(|| run.rule_counters[0].rule.clone());
    let listed = world.sync.list_changes(by(&all, &rule)).await.unwrap();
    let listed = listed.into_inner().changes;
    assert!(!listed.is_empty() && listed.iter().all(|change| change.rule == rule));
    let everywhere = format!("{}/integrations/-/runs/-", company());
    let again = world
        .sync
        .list_changes(by(&everywhere, &rule))
        .await
        .unwrap();
    assert_eq!(again.into_inner().changes, listed);
    let foreign = rule.replace("companies/acme", "companies/other");
    for parent in [&all, &everywhere] {
        let status = world.sync.list_changes(by(parent, &foreign)).await;
        assert_eq!(wrong_fields(&status.unwrap_err()), ["rule"], "{parent}");
    }
    for absent in ["integrations/none/runs/-", "integrations/google/runs/none"] {
        let parent = format!("{}/{absent}", company());
        let status = world.sync.list_changes(changes(&parent)).await.unwrap_err();
        assert_eq!(status.code(), Code::NotFound, "{parent}");
    }
}
