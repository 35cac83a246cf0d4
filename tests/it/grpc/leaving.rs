//! Groups whose members are deleted and had back.

use crate::{
    changes::scene::{Scene as _, all, at, team},
    support::{World, company},
};
use provisiond::proto::v1::{
    self, DirectoryChange, WatchDirectoryResponse, directory_change::Type,
    watch_directory_response::Event,
};
use std::collections::BTreeSet;
use tonic::Streaming;

/// Listens to what becomes of the directory from now on.
async fn watch(world: &World) -> Streaming<WatchDirectoryResponse> {
    let request = v1::WatchDirectoryRequest {
        parent: company(),
        position: None,
    };
    let news = world.directory.clone().watch_directory(request).await;
    let mut news = news.unwrap().into_inner();
    news.message().await.unwrap().unwrap();
    news
}

/// What is told next: so many changes, each as words.
async fn told(news: &mut Streaming<WatchDirectoryResponse>, count: usize) -> Vec<String> {
    let mut told = Vec::new();
    while told.len() < count {
        let message = news.message().await.unwrap().unwrap();
        if let Some(Event::Change(change)) = message.event {
            told.push(words(&change));
        }
    }
    told
}

fn words(change: &DirectoryChange) -> String {
    let name = |label: &str| label.split('@').next().unwrap_or_default().to_owned();
    let names = |labels: &[String]| labels.iter().map(|l| name(l)).collect::<Vec<_>>().join(" ");
    let label = name(&change.label);
    match change.r#type() {
        Type::MembersChanged => format!(
            "{label}: +{} -{}",
            names(&change.joined),
            names(&change.left)
        ),
        other => format!("{label} {}", other.as_str_name()),
    }
}

async fn delete(world: &World, user: &str) {
    let request = v1::DeleteUserRequest {
        name: user.to_owned(),
        etag: String::new(),
    };
    world.directory.clone().delete_user(request).await.unwrap();
}

async fn undelete(world: &World, user: &str) {
    let request = v1::UndeleteUserRequest {
        name: user.to_owned(),
    };
    let back = world.directory.clone().undelete_user(request).await;
    back.unwrap();
}

async fn make_group(world: &World, name: &str) -> v1::Group {
    let request = v1::CreateGroupRequest {
        parent: company(),
        group: Some(v1::Group {
            email: at(name),
            ..v1::Group::default()
        }),
        ..v1::CreateGroupRequest::default()
    };
    let made = world.directory.clone().create_group(request).await;
    made.unwrap().into_inner()
}

async fn add(world: &World, group: &str, member: &str) {
    let request = v1::AddMemberRequest {
        parent: group.to_owned(),
        member: member.to_owned(),
    };
    world.directory.clone().add_member(request).await.unwrap();
}

async fn group(world: &mut World, name: &str) -> v1::Group {
    let mut groups = world.groups().await;
    groups.retain(|group| group.email == at(name));
    groups.remove(0)
}

/// Addresses of a group's members; as many as it says that it has.
async fn members(world: &mut World, name: &str) -> BTreeSet<String> {
    let group = group(world, name).await;
    let members = world.members(&group.name).await;
    let count = i64::try_from(members.len()).unwrap();
    assert_eq!(group.member_count, count, "{members:?}");
    members.into_iter().map(|member| member.email).collect()
}

fn these(names: &[&str]) -> BTreeSet<String> {
    all(names).into_iter().collect()
}

#[tokio::test(flavor = "multi_thread")]
async fn who_is_deleted_leaves_his_groups_and_joins_those_again_in_which_he_would_still_be() {
    let mut world = team().await;
    let ann = world.user("ann").await.name;
    let (club, board) = (
        make_group(&world, "club").await,
        make_group(&world, "board").await,
    );
    for group in [&club, &board] {
        add(&world, &group.name, &ann).await;
    }
    add(&world, &board.name, &club.name).await;
    let mut news = watch(&world).await;
    delete(&world, &ann).await;
    let mut left = told(&mut news, 4).await;
    assert_eq!(left.pop().unwrap(), "ann TYPE_DELETED");
    left.sort();
    assert_eq!(left, ["board: + -ann", "club: + -ann", "team: + -ann"]);
    undelete(&world, &ann).await;
    let mut joined = told(&mut news, 4).await;
    assert_eq!(joined.remove(0), "ann TYPE_UNDELETED");
    joined.sort();
    assert_eq!(joined, ["board: +ann -", "club: +ann -", "team: +ann -"]);

    // A group is a member like any other, and one that is deleted is told of nothing.
    let request = v1::DeleteGroupRequest {
        name: club.name.clone(),
        etag: String::new(),
    };
    world.directory.delete_group(request).await.unwrap();
    assert_eq!(
        told(&mut news, 2).await,
        ["board: + -club", "club TYPE_DELETED"]
    );
    delete(&world, &ann).await;
    let mut left = told(&mut news, 3).await;
    left.sort();
    assert_eq!(left, ["ann TYPE_DELETED", "board: + -ann", "team: + -ann"]);
    // Her system has her no longer in the team.
    let path = format!("groups/{}/members/{}", at("team"), at("ann"));
    world.delete(&path).await;
    world.run().await;
    undelete(&world, &ann).await;
    assert_eq!(
        told(&mut news, 2).await,
        ["ann TYPE_UNDELETED", "board: +ann -"]
    );
    let request = v1::UndeleteGroupRequest {
        name: club.name.clone(),
    };
    world.directory.undelete_group(request).await.unwrap();
    assert_eq!(
        told(&mut news, 2).await,
        ["club TYPE_UNDELETED", "board: +club -"]
    );
    assert_eq!(members(&mut world, "club").await, these(&["ann"]));
    assert_eq!(members(&mut world, "board").await, these(&["ann", "club"]));
}

#[tokio::test(flavor = "multi_thread")]
async fn who_is_deleted_is_no_member_of_what_he_joins_until_he_is_had_back() {
    let mut world = team().await;
    let ann = world.user("ann").await.name;
    delete(&world, &ann).await;
    world.group("board").await;
    world.group("sub").await;
    for name in ["ann", "bob"] {
        world.join("board", name).await;
    }
    world.join("sub", "ann").await;
    let mut news = watch(&world).await;
    let run = world.sync().await;
    let mut joined = told(&mut news, 3).await;
    joined.sort();
    let expected = ["board TYPE_CREATED", "board: +bob -", "sub TYPE_CREATED"];
    assert_eq!(joined, expected);
    assert_eq!(run.memberships.unwrap().added, 1, "{run:?}");
    assert_eq!(members(&mut world, "board").await, these(&["bob"]));
    assert_eq!(members(&mut world, "sub").await, BTreeSet::new());
    // Nor does a run after it make her one.
    let run = world.sync().await;
    assert_eq!(run.memberships.unwrap().added, 0, "{run:?}");
    assert_eq!(members(&mut world, "board").await, these(&["bob"]));

    undelete(&world, &ann).await;
    let mut joined = told(&mut news, 4).await;
    assert_eq!(joined.remove(0), "ann TYPE_UNDELETED");
    joined.sort();
    assert_eq!(joined, ["board: +ann -", "sub: +ann -", "team: +ann -"]);
    assert_eq!(members(&mut world, "board").await, these(&["ann", "bob"]));
    assert_eq!(members(&mut world, "sub").await, these(&["ann"]));
    let run = world.sync().await;
    let counted = run.memberships.unwrap();
    assert_eq!((counted.added, counted.removed), (0, 0), "{run:?}");
    let path = format!("groups/{}/members/{}", at("board"), at("ann"));
    world.delete(&path).await;
    world.sync().await;
    assert_eq!(members(&mut world, "board").await, these(&["bob"]));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_deleted_group_is_no_member_either() {
    let mut world = team().await;
    let team = group(&mut world, "team").await;
    let request = v1::DeleteGroupRequest {
        name: team.name.clone(),
        etag: String::new(),
    };
    world.directory.delete_group(request).await.unwrap();
    world.group("board").await;
    world.join("board", "team").await;
    world.join("board", "bob").await;
    world.sync().await;
    assert_eq!(members(&mut world, "board").await, these(&["bob"]));
    let request = v1::UndeleteGroupRequest { name: team.name };
    world.directory.undelete_group(request).await.unwrap();
    assert_eq!(members(&mut world, "board").await, these(&["bob", "team"]));
}

#[tokio::test(flavor = "multi_thread")]
async fn who_is_deleted_and_then_leaves_is_no_loss_of_the_group() {
    let mut world = team().await;
    for name in ["ann", "bob"] {
        let user = world.user(name).await.name;
        delete(&world, &user).await;
    }
    let mut news = watch(&world).await;
    // Three of four would be more than half; it loses one of the two that it has.
    for name in ["ann", "bob", "cid"] {
        let path = format!("groups/{}/members/{}", at("team"), at(name));
        world.delete(&path).await;
    }
    let run = world.sync().await;
    assert_eq!(members(&mut world, "team").await, these(&["dan"]));
    assert_eq!(run.memberships.unwrap().removed, 1, "{run:?}");
    assert_eq!(told(&mut news, 1).await, ["team: + -cid"]);
}
