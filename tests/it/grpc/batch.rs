//! Many users in one request.

use super::quiet;
use crate::{
    changes::scene::at,
    support::{World, company},
};
use prost_types::FieldMask;
use provisiond::proto::v1::{self, User, batch_upsert_users_response::State};
use tonic::{Code, Status};

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
    let made = upsert(&world, vec![user(&at("ann"), "")]).await.unwrap();
    let ann = made.results[0].user.clone().unwrap();
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

/// A user who is about as large as one may be.
fn large(n: usize) -> User {
    let text = |what: &str| format!("{what}{n:0>250}");
    let address = |a: usize| format!("{a:0>60}@{n:0>60}.example");
    User {
        aliases: (0..15).map(address).collect(),
        given_name: text("g"),
        family_name: text("f"),
        display_name: text("d"),
        department: text("o"),
        organization: text("c"),
        ..user(&format!("large{n}@acme.test"), &text("t"))
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn five_hundred_users_may_each_be_as_large_as_one_may() {
    use prost::Message as _;
    let world = quiet().await;
    let users: Vec<User> = (0..500).map(large).collect();
    let sizes = users.iter().map(User::encoded_len);
    assert!(sizes.sum::<usize>() > 500 * 3500);
    let answer = upsert(&world, users.clone()).await.unwrap();
    let created = |row: &v1::batch_upsert_users_response::Result| row.state() == State::Created;
    assert!(
        answer.results.iter().all(created),
        "{:?}",
        answer.results[0]
    );
    // What is more than that is refused by its size.
    let beyond = users.iter().chain(&users).cloned().collect();
    let refused = upsert(&world, beyond).await.unwrap_err();
    assert_eq!(refused.code(), Code::InvalidArgument, "{refused:?}");
    let far_beyond = vec![user(&"x".repeat(5 << 20), "")];
    let refused = upsert(&world, far_beyond).await.unwrap_err();
    assert_eq!(refused.code(), Code::OutOfRange, "{refused:?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn of_rows_that_mean_the_same_user_the_first_is_done_and_the_others_are_refused() {
    let world = quiet().await;
    let made = upsert(&world, vec![user(&at("ann"), ""), user(&at("bob"), "")]).await;
    let made = made.unwrap().results.into_iter();
    let names: Vec<String> = made.map(|row| row.user.unwrap().name).collect();
    let named = |name: &str, email: &str| User {
        name: name.to_owned(),
        ..user(email, "Boss")
    };
    use State::{Failed, Updated};
    for round in 0..10 {
        let (old, new) = match round % 2 {
            0 => (at("ann"), at("anna")),
            _ => (at("anna"), at("ann")),
        };
        let rows = vec![
            named(&names[0], &new),
            user(&old, "Clerk"),
            named(&names[1], &at("bob")),
        ];
        let answer = upsert(&world, rows).await.unwrap();
        assert_eq!(states(&answer)[..2], [Updated, Failed], "{answer:?}");
        let error = answer.results[1].error.as_ref().unwrap();
        assert_eq!(error.code, "INVALID_ARGUMENT");
        assert!(error.message.contains("users[0]"), "{error:?}");
        assert_ne!(states(&answer)[2], Failed);
        let first = answer.results[0].user.as_ref().unwrap();
        assert_eq!((&first.user_name, &*first.title), (&new, "Boss"));
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_mask_that_names_no_field_refuses_all_and_an_etag_of_nobody_its_row() {
    let mut world = quiet().await;
    let request = v1::BatchUpsertUsersRequest {
        parent: company(),
        users: vec![user(&at("new"), "Clerk")],
        update_mask: Some(FieldMask {
            paths: vec!["nonsense".to_owned()],
        }),
    };
    let refused = world.directory.batch_upsert_users(request).await;
    assert_eq!(refused.unwrap_err().code(), Code::InvalidArgument);
    assert_eq!(world.users().await, []);
    let gone = User {
        etag: "of one who is gone".to_owned(),
        ..user(&at("new"), "Clerk")
    };
    let answer = upsert(&world, vec![gone]).await.unwrap();
    assert_eq!(states(&answer), [State::Failed]);
    assert_eq!(answer.results[0].error.as_ref().unwrap().code, "ABORTED");
    assert_eq!(world.users().await, []);
}
