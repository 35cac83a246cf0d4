//! Deleting users and groups by hand, and having them back.

use super::{quiet, reason};
use crate::{
    changes::scene::{OF_A_RUN, Scene as _, at, code, team},
    support::{World, company, sums_hold},
};
use prost_types::FieldMask;
use provisiond::proto::v1::{self, User, run};
use std::time::Duration;
use tonic::{Code, Status};

const DAY: Duration = Duration::from_secs(24 * 3600);

async fn delete(world: &World, name: &str) -> Result<User, Status> {
    let request = v1::DeleteUserRequest {
        name: name.to_owned(),
        etag: String::new(),
    };
    let answer = world.directory.clone().delete_user(request).await;
    answer.map(tonic::Response::into_inner)
}

async fn undelete(world: &World, name: &str) -> Result<User, Status> {
    let request = v1::UndeleteUserRequest {
        name: name.to_owned(),
    };
    let answer = world.directory.clone().undelete_user(request).await;
    answer.map(tonic::Response::into_inner)
}

async fn get(world: &World, name: &str) -> Result<User, Status> {
    let request = v1::GetUserRequest {
        name: name.to_owned(),
    };
    let answer = world.directory.clone().get_user(request).await;
    answer.map(tonic::Response::into_inner)
}

async fn deleted(world: &World) -> Vec<User> {
    let request = v1::ListUsersRequest {
        parent: company(),
        deleted: true,
        ..v1::ListUsersRequest::default()
    };
    let answer = world.directory.clone().list_users(request).await;
    answer.unwrap().into_inner().users
}

async fn create(world: &World, email: &str) -> User {
    let request = v1::CreateUserRequest {
        parent: company(),
        user: Some(User {
            user_name: email.to_owned(),
            ..User::default()
        }),
        ..v1::CreateUserRequest::default()
    };
    let answer = world.directory.clone().create_user(request).await;
    answer.unwrap().into_inner()
}

async fn team_count(world: &mut World) -> i64 {
    let groups = world.groups().await;
    let team = groups.iter().find(|group| group.email == at("team"));
    team.unwrap().member_count
}

#[tokio::test(flavor = "multi_thread")]
async fn the_id_of_one_who_can_be_had_back_is_not_given_to_another() {
    let world = World::start(crate::changes::scene::nobody()).await;
    let create = async |email: &str| {
        let request = v1::CreateUserRequest {
            parent: company(),
            user: Some(User {
                user_name: at(email),
                ..User::default()
            }),
            user_id: "anna".to_owned(),
            ..v1::CreateUserRequest::default()
        };
        world.directory.clone().create_user(request).await
    };
    let anna = create("anna").await.unwrap().into_inner();
    delete(&world, &anna.name).await.unwrap();
    // Her address is free, her id is not: what is kept of her would be the other's.
    let refused = create("other").await.unwrap_err();
    assert_eq!(refused.code(), Code::AlreadyExists, "{refused:?}");
    assert!(refused.message().contains("undeleted"), "{refused:?}");
    undelete(&world, &anna.name).await.unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn who_is_deleted_is_gone_stays_gone_and_comes_back_as_he_was() {
    let mut world = team().await;
    let ann = world.user("ann").await;
    let stale = v1::DeleteUserRequest {
        name: ann.name.clone(),
        etag: "other".to_owned(),
    };
    let refused = world.directory.delete_user(stale).await.unwrap_err();
    assert_eq!(refused.code(), Code::Aborted);
    let gone = delete(&world, &ann.name).await.unwrap();
    let (at_time, until) = (gone.delete_time.unwrap(), gone.expire_time.unwrap());
    assert_eq!(until.seconds - at_time.seconds, 20 * 24 * 3600);
    assert_eq!(get(&world, &ann.name).await.unwrap(), gone);
    assert_eq!(deleted(&world).await, [gone]);
    assert!(world.users().await.iter().all(|user| user.name != ann.name));
    assert_eq!(
        world.team_members().await,
        super::super::changes::scene::all(&["bob", "cid", "dan"])
    );
    assert_eq!(team_count(&mut world).await, 3);
    assert_eq!(
        delete(&world, &ann.name).await.unwrap_err().code(),
        Code::NotFound
    );

    // Runs leave it at that, and say so; also if something changes at the source.
    for (given, told) in [("Anne", 1), ("Annie", 0), ("Annie", 0)] {
        let before = world.store.writes();
        let run = world.run().await;
        assert_eq!(run.state(), run::State::Succeeded, "{run:?}");
        sums_hold(&run);
        assert_eq!(run.counters.unwrap().skipped, 1, "{run:?}");
        let changes = world.changes(&run.name).await;
        let codes: Vec<_> = changes.iter().map(code).collect();
        assert_eq!(codes, vec!["DELETED_BY_HAND"; told]);
        assert!(told == 1 || world.store.writes() - before <= OF_A_RUN);
        assert!(
            world
                .users()
                .await
                .iter()
                .all(|user| user.user_name != at("ann"))
        );
        let name = serde_json::json!({"name": {"givenName": given, "familyName": "Person"}});
        world.edit(&at("ann"), name).await;
    }

    let back = undelete(&world, &ann.name).await.unwrap();
    assert_eq!(
        (&back.uid, &back.given_name, &back.owners),
        (&ann.uid, &ann.given_name, &ann.owners)
    );
    assert!(back.delete_time.is_none() && deleted(&world).await.is_empty());
    assert_eq!(team_count(&mut world).await, 4);
    let again = undelete(&world, &ann.name).await.unwrap_err();
    assert_eq!(reason(&again, Code::AlreadyExists), "RESOURCE_EXISTS");
    let run = world.sync().await;
    assert_eq!(run.counters.unwrap().modified, 1, "{run:?}");
    assert_eq!(world.user("ann").await.given_name, "Annie");
    assert_eq!(world.team_members().await.len(), 4);
    let run = world.sync().await;
    assert_eq!(
        run.counters.unwrap().modified + run.counters.unwrap().skipped,
        0,
        "{run:?}"
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn an_address_is_free_once_its_holder_is_deleted_and_who_left_meanwhile_is_not_let_in_again()
{
    let mut world = team().await;
    let (ann, bob) = (world.user("ann").await, world.user("bob").await);
    delete(&world, &ann.name).await.unwrap();
    let other = create(&world, &at("ann")).await;
    let refused = undelete(&world, &ann.name).await.unwrap_err();
    assert_eq!(reason(&refused, Code::AlreadyExists), "RESOURCE_EXISTS");
    assert!(refused.message().contains(&other.name), "{refused:?}");
    // The other one is taken over by the next run.
    let run = world.sync().await;
    assert_eq!(code(&world.changes(&run.name).await[0]), "ADOPTED");
    delete(&world, &other.name).await.unwrap();
    let back = undelete(&world, &ann.name).await.unwrap();
    assert!(
        back.owners.is_empty(),
        "its source object has another now: {back:?}"
    );

    delete(&world, &bob.name).await.unwrap();
    world
        .delete(&format!("groups/{}/members/{}", at("team"), at("bob")))
        .await;
    world.run().await;
    undelete(&world, &bob.name).await.unwrap();
    assert!(!world.team_members().await.contains(&at("bob")));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_deleted_group_keeps_its_members_and_is_left_alone_meanwhile() {
    let mut world = team().await;
    let groups = world.groups().await;
    let team = groups
        .iter()
        .find(|group| group.email == at("team"))
        .unwrap();
    let by_hand = create(&world, &at("zoe")).await;
    let request = v1::AddMemberRequest {
        parent: team.name.clone(),
        member: by_hand.name.clone(),
    };
    world.directory.add_member(request).await.unwrap();
    let request = v1::DeleteGroupRequest {
        name: team.name.clone(),
        etag: team.etag.clone(),
    };
    let gone = world
        .directory
        .delete_group(request)
        .await
        .unwrap()
        .into_inner();
    assert_eq!(gone.member_count, 5);
    world.person("eve").await;
    world.join("team", "eve").await;
    let run = world.run().await;
    sums_hold(&run);
    assert_eq!(run.counters.unwrap().skipped, 1, "{run:?}");
    assert!(world.groups().await.is_empty());
    let members = v1::ListMembersRequest {
        parent: team.name.clone(),
        ..v1::ListMembersRequest::default()
    };
    let hidden = world.directory.list_members(members).await.unwrap_err();
    assert_eq!(hidden.code(), Code::NotFound);
    let zoe = format!("{}/members/users-{}", team.name, by_hand.uid);
    let request = v1::RemoveMemberRequest { name: zoe };
    let refused = world.directory.remove_member(request).await.unwrap_err();
    assert_eq!(reason(&refused, Code::NotFound), "RESOURCE_NOT_FOUND");
    let request = v1::UndeleteGroupRequest {
        name: team.name.clone(),
    };
    world.directory.undelete_group(request).await.unwrap();
    assert_eq!(world.team_members().await.len(), 5);
    world.sync().await;
    assert_eq!(world.team_members().await.len(), 6);
}

#[tokio::test(flavor = "multi_thread")]
async fn after_twenty_days_it_is_gone_for_good_and_still_not_made_again() {
    let mut world = team().await;
    let ann = world.user("ann").await;
    delete(&world, &ann.name).await.unwrap();
    world.run().await;
    world.clock.advance(20 * DAY);
    let refused = undelete(&world, &ann.name).await.unwrap_err();
    assert_eq!(refused.code(), Code::NotFound);
    let purged = async {
        while get(&world, &ann.name).await.is_ok() {
            tokio::task::yield_now().await;
        }
    };
    tokio::time::timeout(Duration::from_secs(30), purged)
        .await
        .unwrap();
    assert!(deleted(&world).await.is_empty());
    let run = world.run().await;
    assert_eq!(run.counters.unwrap().skipped, 1, "{run:?}");
    assert!(
        world
            .users()
            .await
            .iter()
            .all(|user| user.user_name != at("ann"))
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn who_is_deleted_without_an_etag_is_deleted_whoever_writes_in_between() {
    let world = quiet().await;
    for round in 0..20 {
        let user = create(&world, &format!("u{round}@acme.test")).await;
        let edit = |n: usize| {
            let sent = User {
                name: user.name.clone(),
                title: format!("{n}"),
                ..User::default()
            };
            let request = v1::UpdateUserRequest {
                user: Some(sent),
                update_mask: Some(FieldMask {
                    paths: vec!["title".to_owned()],
                }),
                ..v1::UpdateUserRequest::default()
            };
            let mut directory = world.directory.clone();
            tokio::spawn(async move { directory.update_user(request).await.map(drop) })
        };
        let edits: Vec<_> = (0..10).map(edit).collect();
        let gone = delete(&world, &user.name).await.unwrap();
        assert!(gone.delete_time.is_some());
        for edit in edits {
            let edited = edit.await.unwrap();
            let code = edited.map_or_else(|refused| refused.code(), |()| Code::Ok);
            assert!([Code::Ok, Code::Aborted, Code::NotFound].contains(&code));
        }
    }
}
