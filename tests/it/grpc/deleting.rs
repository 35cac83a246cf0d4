//! Deleting users and groups by hand, having them back, and many users at once.

use super::{quiet, reason};
use crate::{
    changes::scene::{OF_A_RUN, Scene as _, at, code, team},
    support::{World, company, sums_hold},
};
use prost_types::FieldMask;
use provisiond::proto::v1::{self, User, batch_upsert_users_response::State, run};
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
    assert_eq!(gone.member_count, 4);
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
    let request = v1::UndeleteGroupRequest {
        name: team.name.clone(),
    };
    world.directory.undelete_group(request).await.unwrap();
    assert_eq!(world.team_members().await.len(), 4);
    world.sync().await;
    assert_eq!(world.team_members().await.len(), 5);
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

fn user(email: &str, title: &str) -> User {
    User {
        user_name: email.to_owned(),
        title: title.to_owned(),
        ..User::default()
    }
}

async fn upsert(world: &World, users: Vec<User>) -> Result<v1::BatchUpsertUsersResponse, Status> {
    let request = v1::BatchUpsertUsersRequest {
        parent: company(),
        users,
        update_mask: None,
    };
    let answer = world.directory.clone().batch_upsert_users(request).await;
    answer.map(tonic::Response::into_inner)
}

fn states(answer: &v1::BatchUpsertUsersResponse) -> Vec<State> {
    answer.results.iter().map(|row| row.state()).collect()
}

#[tokio::test(flavor = "multi_thread")]
async fn many_users_are_added_or_changed_each_by_itself() {
    let world = quiet().await;
    let ann = create(&world, &at("ann")).await;
    let other = "companies/other/users/x".to_owned();
    let users = vec![
        user(&at("ANN"), "Boss"),
        user(&at("bob"), "Clerk"),
        user("nobody", ""),
        User {
            name: other,
            ..user(&at("cid"), "")
        },
        User {
            name: format!("{}/users/none", company()),
            ..user(&at("dan"), "")
        },
    ];
    let answer = upsert(&world, users.clone()).await.unwrap();
    use State::{Created, Failed, Unchanged, Updated};
    assert_eq!(states(&answer), [Updated, Created, Failed, Failed, Failed]);
    let changed = answer.results[0].user.as_ref().unwrap();
    assert_eq!((&changed.name, &*changed.title), (&ann.name, "Boss"));
    let codes: Vec<&str> = answer.results[2..]
        .iter()
        .map(|row| row.error.as_ref().unwrap().code.as_str())
        .collect();
    assert_eq!(codes, ["INVALID_ARGUMENT", "INVALID_ARGUMENT", "NOT_FOUND"]);
    let again = upsert(&world, users[..2].to_vec()).await.unwrap();
    assert_eq!(states(&again), [Unchanged, Unchanged]);

    let many = (0..500).map(|n| user(&format!("u{n}@acme.test"), "x"));
    let answer = upsert(&world, many.collect()).await.unwrap();
    assert!(answer.results.iter().all(|row| row.state() == Created));
    let masked = v1::BatchUpsertUsersRequest {
        parent: company(),
        users: vec![user(&at("bob"), "")],
        update_mask: Some(FieldMask {
            paths: vec!["title".to_owned()],
        }),
    };
    let answer = world
        .directory
        .clone()
        .batch_upsert_users(masked)
        .await
        .unwrap()
        .into_inner();
    assert_eq!(answer.results[0].user.as_ref().unwrap().title, "");

    for (users, field) in [
        (Vec::new(), "users"),
        (vec![user("a@acme.test", ""); 501], "users"),
        (
            vec![user("a@acme.test", ""), user("A@acme.test", "")],
            "users[1]",
        ),
    ] {
        let refused = upsert(&world, users).await.unwrap_err();
        assert_eq!(refused.code(), Code::InvalidArgument);
        assert!(refused.message().contains(field), "{refused:?}");
    }
}
