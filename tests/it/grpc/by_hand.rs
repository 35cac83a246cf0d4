//! What callers change in the directory by hand, and what runs then leave alone.

use super::{quiet, reason, wrong_fields};
use crate::{
    changes::scene::{OF_A_RUN, Scene as _, at, code, team},
    support::{World, company},
};
use prost_types::FieldMask;
use provisiond::proto::v1;
use serde_json::json;
use tonic::{Code, Status};
use tonic_types::StatusExt as _;

fn mask(paths: &[&str]) -> Option<FieldMask> {
    let paths = paths.iter().map(|path| (*path).to_owned()).collect();
    Some(FieldMask { paths })
}

async fn update(world: &mut World, user: v1::User, paths: &[&str]) -> Result<v1::User, Status> {
    let request = v1::UpdateUserRequest {
        user: Some(user),
        update_mask: mask(paths),
        validate_only: false,
    };
    let answer = world.directory.update_user(request).await;
    answer.map(tonic::Response::into_inner)
}

async fn made(world: &mut World, name: &str) -> v1::User {
    let user = v1::User {
        user_name: at(name),
        given_name: "Given".to_owned(),
        title: "Clerk".to_owned(),
        ..v1::User::default()
    };
    let request = v1::CreateUserRequest {
        parent: company(),
        user: Some(user),
        user_id: name.to_owned(),
        request_id: String::new(),
    };
    let made = world.directory.create_user(request).await;
    made.unwrap().into_inner()
}

/// What a status says must be done first.
fn owned(status: &Status) -> String {
    assert_eq!(
        reason(status, Code::FailedPrecondition),
        "PRECONDITION_FAILED"
    );
    let details = status.get_error_details();
    let violations = &details.precondition_failure().unwrap().violations;
    assert!(violations.iter().all(|one| one.r#type == "OWNED_BY"));
    let texts = violations.iter().map(|one| one.description.as_str());
    texts.collect::<Vec<_>>().join("; ")
}

#[tokio::test(flavor = "multi_thread")]
async fn an_update_changes_what_its_mask_names_and_nothing_else() {
    let mut world = quiet().await;
    let user = made(&mut world, "ann").await;
    let sent = v1::User {
        title: "Boss".to_owned(),
        department: "Sales".to_owned(),
        given_name: String::new(),
        ..user.clone()
    };
    let after = update(&mut world, sent.clone(), &["title", "given_name"]).await;
    let after = after.unwrap();
    assert_ne!(after.etag, user.etag);
    let wanted = v1::User {
        title: "Boss".to_owned(),
        given_name: String::new(),
        etag: after.etag.clone(),
        update_time: after.update_time,
        ..user.clone()
    };
    assert_eq!(after, wanted);
    let get = v1::GetUserRequest {
        name: user.name.clone(),
    };
    let got = world.directory.get_user(get).await.unwrap().into_inner();
    assert_eq!(got, after);
    let stale = update(&mut world, sent, &["title"]).await.unwrap_err();
    assert_eq!(reason(&stale, Code::Aborted), "ETAG_MISMATCH");
    let before = world.store.writes();
    let same = update(&mut world, after.clone(), &["*"]).await.unwrap();
    assert_eq!(same, after);
    assert_eq!(world.store.writes(), before, "nothing was to be written");
}

#[tokio::test(flavor = "multi_thread")]
async fn an_update_that_is_only_to_be_checked_is_answered_alike_and_changes_nothing() {
    let mut world = quiet().await;
    let user = made(&mut world, "ann").await;
    made(&mut world, "bob").await;
    let request = |user_name: &str, validate_only| v1::UpdateUserRequest {
        user: Some(v1::User {
            user_name: user_name.to_owned(),
            ..user.clone()
        }),
        update_mask: mask(&["user_name"]),
        validate_only,
    };
    let checked = world
        .directory
        .update_user(request("eve@acme.test", true))
        .await;
    let checked = checked.unwrap().into_inner();
    assert_eq!(checked.user_name, "eve@acme.test");
    assert_eq!(world.user("ann").await, user);
    for validate_only in [true, false] {
        let taken = request("bob@acme.test", validate_only);
        let status = world.directory.update_user(taken).await.unwrap_err();
        assert_eq!(reason(&status, Code::AlreadyExists), "RESOURCE_EXISTS");
    }
    let done = world
        .directory
        .update_user(request("eve@acme.test", false))
        .await;
    assert_eq!(done.unwrap().into_inner().etag, checked.etag);
}

#[tokio::test(flavor = "multi_thread")]
async fn an_update_that_is_wrong_says_where_and_changes_nothing() {
    let mut world = quiet().await;
    let user = made(&mut world, "ann").await;
    made(&mut world, "bob").await;
    let before = world.store.writes();
    let with = |change: fn(&mut v1::User)| {
        let mut user = user.clone();
        change(&mut user);
        user
    };
    let nameless = with(|user| user.name = "users/ann".to_owned());
    let blank = with(|user| user.user_name = String::new());
    let long = with(|user| user.title = "x".repeat(300));
    for (sent, path, field) in [
        (user.clone(), "uid", "update_mask"),
        (user.clone(), "name", "update_mask"),
        (user.clone(), "shoe_size", "update_mask"),
        (nameless, "title", "user.name"),
        (blank, "user_name", "user.user_name"),
        (long, "title", "user.title"),
    ] {
        let status = update(&mut world, sent, &[path]).await.unwrap_err();
        assert_eq!(wrong_fields(&status), [field], "{path}");
    }
    let absent = with(|user| user.name = format!("{}x", user.name));
    let status = update(&mut world, absent, &["title"]).await.unwrap_err();
    assert_eq!(reason(&status, Code::NotFound), "RESOURCE_NOT_FOUND");
    let taken = with(|user| user.user_name = "BOB@acme.test".to_owned());
    let status = update(&mut world, taken, &["user_name"]).await.unwrap_err();
    assert_eq!(reason(&status, Code::AlreadyExists), "RESOURCE_EXISTS");
    for request in [
        v1::UpdateUserRequest::default(),
        v1::UpdateUserRequest {
            user: None,
            update_mask: mask(&["*"]),
            validate_only: false,
        },
    ] {
        let status = world.directory.update_user(request).await.unwrap_err();
        assert_eq!(wrong_fields(&status), ["user"]);
    }
    let request = v1::UpdateGroupRequest::default();
    let status = world.directory.update_group(request).await.unwrap_err();
    assert_eq!(wrong_fields(&status), ["group"]);
    assert_eq!(world.store.writes(), before, "something was written");
}

#[tokio::test(flavor = "multi_thread")]
async fn what_an_integration_owns_is_refused_by_name_and_what_it_does_not_is_taken() {
    let mut world = team().await;
    let user = world.user("ann").await;
    let sent = v1::User {
        given_name: "Other".to_owned(),
        cost_center: "12".to_owned(),
        ..user.clone()
    };
    let status = update(&mut world, sent.clone(), &["*"]).await.unwrap_err();
    let told = owned(&status);
    assert!(told.contains("user.given_name"), "{told}");
    assert!(
        told.contains("companies/acme/integrations/google"),
        "{told}"
    );
    assert_eq!(world.user("ann").await, user);
    let after = update(&mut world, sent, &["cost_center"]).await.unwrap();
    assert_eq!(after.cost_center, "12");
    assert_eq!(after.last_writer, "caller");
    world.sync().await;
    assert_eq!(world.user("ann").await, after, "a run leaves it alone");
}

#[tokio::test(flavor = "multi_thread")]
async fn who_was_deactivated_by_hand_stays_so_until_a_caller_says_otherwise() {
    let mut world = team().await;
    let mut user = world.user("ann").await;
    user.active = Some(false);
    user.etag = String::new();
    update(&mut world, user.clone(), &["active"]).await.unwrap();
    // Counted by every run, and recorded by the first.
    for told in [1, 0, 0] {
        let before = world.store.writes();
        let run = world.sync().await;
        assert_eq!(run.counters.unwrap().skipped, 1, "{run:?}");
        let changes = world.changes(&run.name).await;
        let codes: Vec<_> = changes.iter().map(code).collect();
        assert_eq!(codes, vec!["DEACTIVATED_BY_HAND"; told]);
        assert!(told == 1 || world.store.writes() - before <= OF_A_RUN);
        assert_eq!(world.user("ann").await.active, Some(false));
    }
    user.active = Some(true);
    update(&mut world, user.clone(), &["active"]).await.unwrap();
    let run = world.sync().await;
    assert_eq!(run.counters.unwrap().skipped, 0, "{run:?}");
    assert_eq!(world.user("ann").await.active, Some(true));
    world.edit(&at("ann"), json!({"suspended": true})).await;
    world.sync().await;
    assert_eq!(world.user("ann").await.active, Some(false));
    let status = update(&mut world, user, &["active"]).await.unwrap_err();
    assert!(owned(&status).contains("user.active"));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_group_and_its_aliases_can_be_changed() {
    let mut world = quiet().await;
    let group = v1::Group {
        email: at("crew"),
        aliases: vec![at("crew-too")],
        ..v1::Group::default()
    };
    let request = v1::CreateGroupRequest {
        parent: company(),
        group: Some(group),
        ..v1::CreateGroupRequest::default()
    };
    let group = world.directory.create_group(request).await;
    let group = group.unwrap().into_inner();
    assert_eq!(group.aliases, [at("crew-too")]);
    let request = v1::UpdateGroupRequest {
        group: Some(v1::Group {
            description: "All hands".to_owned(),
            ..group.clone()
        }),
        update_mask: mask(&["description", "aliases", "email"]),
        validate_only: true,
    };
    let checked = world.directory.update_group(request.clone()).await;
    assert_eq!(checked.unwrap().into_inner().description, "All hands");
    assert_eq!(world.groups().await, std::slice::from_ref(&group));
    let request = v1::UpdateGroupRequest {
        validate_only: false,
        ..request
    };
    let after = world.directory.update_group(request).await;
    let after = after.unwrap().into_inner();
    assert_eq!(after.description, "All hands");
    assert_eq!(
        (&after.aliases, &after.email),
        (&group.aliases, &group.email)
    );
}

async fn add(world: &mut World, group: &str, member: &str) -> Result<v1::Member, Status> {
    let request = v1::AddMemberRequest {
        parent: group.to_owned(),
        member: member.to_owned(),
    };
    let answer = world.directory.add_member(request).await;
    answer.map(tonic::Response::into_inner)
}

async fn remove(world: &mut World, name: &str) -> Result<(), Status> {
    let request = v1::RemoveMemberRequest {
        name: name.to_owned(),
    };
    world.directory.remove_member(request).await.map(drop)
}

#[tokio::test(flavor = "multi_thread")]
async fn members_added_by_hand_are_not_touched_by_runs_and_go_by_hand() {
    let mut world = team().await;
    let eve = made(&mut world, "eve").await;
    let team = world.groups().await.remove(0);
    let member = add(&mut world, &team.name, &eve.name).await.unwrap();
    assert_eq!(member.added_by, ["caller"]);
    assert_eq!(
        add(&mut world, &team.name, &eve.name).await.unwrap(),
        member
    );
    let dan = format!("groups/{}/members/{}", at("team"), at("dan"));
    world.delete(&dan).await;
    world.sync().await;
    let all = ["ann", "bob", "cid", "eve"].map(at);
    assert_eq!(world.team_members().await, all);
    remove(&mut world, &member.name).await.unwrap();
    assert_eq!(world.team_members().await, all[..3]);
    let status = remove(&mut world, &member.name).await.unwrap_err();
    assert_eq!(reason(&status, Code::NotFound), "RESOURCE_NOT_FOUND");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_member_that_an_integration_added_is_removed_in_its_system() {
    let mut world = team().await;
    let team = world.groups().await.remove(0);
    let ann = world.user("ann").await;
    let both = add(&mut world, &team.name, &ann.name).await.unwrap();
    let integration = "companies/acme/integrations/google";
    assert_eq!(both.added_by, ["caller", integration]);
    let before = world.store.writes();
    let status = remove(&mut world, &both.name).await.unwrap_err();
    assert!(owned(&status).contains(integration));
    assert_eq!(world.store.writes(), before, "something was written");
    assert_eq!(world.team_members().await.len(), 4);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_membership_that_can_not_be_says_why() {
    let mut world = team().await;
    let team = world.groups().await.remove(0).name;
    let before = world.store.writes();
    let nobody = "companies/acme/users/nobody";
    for (group, member, field) in [
        ("groups/team", nobody, "parent"),
        (team.as_str(), "companies/acme/people/ann", "member"),
        (&team, "companies/other/users/ann", "member"),
        (&team, &team, "member"),
    ] {
        let status = add(&mut world, group, member).await.unwrap_err();
        assert_eq!(wrong_fields(&status), [field], "{group} {member}");
    }
    for name in ["members/ann", "companies/acme/groups/g/members/ann"] {
        let status = remove(&mut world, name).await.unwrap_err();
        assert_eq!(wrong_fields(&status), ["name"], "{name}");
    }
    for (group, member) in [
        (team.as_str(), nobody),
        ("companies/acme/groups/none", nobody),
    ] {
        let status = add(&mut world, group, member).await.unwrap_err();
        assert_eq!(reason(&status, Code::NotFound), "RESOURCE_NOT_FOUND");
    }
    assert_eq!(world.store.writes(), before, "something was written");
}

#[tokio::test(flavor = "multi_thread")]
async fn people_are_found_by_filter_page_by_page() {
    let mut world = quiet().await;
    for name in ["ann", "anna", "bob"] {
        made(&mut world, name).await;
    }
    for (filter, wanted) in [
        ("", vec!["ann", "anna", "bob"]),
        ("email = \"ANN*\" AND active = true", vec!["ann", "anna"]),
        ("email = \"bob@acme.test\"", vec!["bob"]),
        ("email = \"bob@acme.test\" AND active = false", vec![]),
        ("title = \"clerk\"", vec!["ann", "anna", "bob"]),
        ("email = \"b*\"", vec!["bob"]),
    ] {
        let mut request = v1::ListUsersRequest {
            parent: company(),
            page_size: 1,
            filter: filter.to_owned(),
            ..v1::ListUsersRequest::default()
        };
        let mut found = Vec::new();
        loop {
            let page = world.directory.list_users(request.clone()).await;
            let page = page.unwrap().into_inner();
            found.extend(page.users.into_iter().map(|user| user.user_name));
            request.page_token = page.next_page_token;
            if request.page_token.is_empty() {
                break;
            }
        }
        let wanted: Vec<_> = wanted.into_iter().map(at).collect();
        assert_eq!(found, wanted, "{filter}");
    }
    let request = v1::ListUsersRequest {
        parent: company(),
        filter: "shoe_size = \"44\"".to_owned(),
        ..v1::ListUsersRequest::default()
    };
    let status = world.directory.list_users(request).await.unwrap_err();
    assert_eq!(wrong_fields(&status), ["filter"]);
    let request = v1::ListGroupsRequest {
        parent: company(),
        filter: "active = true".to_owned(),
        ..v1::ListGroupsRequest::default()
    };
    let status = world.directory.list_groups(request).await.unwrap_err();
    assert_eq!(wrong_fields(&status), ["filter"]);
}
