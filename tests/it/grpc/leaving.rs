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
