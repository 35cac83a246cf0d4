//! Lists in another order than that of ids.

use super::{quiet, wrong_fields};
use crate::support::{World, company};
use provisiond::proto::v1::{self, User};
use std::{collections::BTreeSet, time::Duration};
use tonic_types::StatusExt as _;

/// So many users, no two alike in all, and some groups.
async fn many(world: &World) -> Vec<User> {
    let text = |n: usize, of: &[&str]| of[n % of.len()].to_owned();
    let users = (0..60).map(|n| User {
        user_name: format!("{}{n}@Acme.test", ["m", "A", "z"][n % 3]),
        family_name: text(n, &["Meyer", "", "\u{c9}tienne", "abel", "MEYER"]),
        given_name: text(n, &["Ann", "bob"]),
        department: text(n / 7, &["Sales", "", "accounts"]),
        ..User::default()
    });
    let request = v1::BatchUpsertUsersRequest {
        parent: company(),
        users: users.collect(),
        update_mask: None,
    };
    let answer = world.directory.clone().batch_upsert_users(request).await;
    let results = answer.unwrap().into_inner().results;
    results.into_iter().map(|row| row.user.unwrap()).collect()
}

fn asked(order_by: &str, page_size: i32) -> v1::ListUsersRequest {
    v1::ListUsersRequest {
        parent: company(),
        order_by: order_by.to_owned(),
        page_size,
        ..v1::ListUsersRequest::default()
    }
}

/// All pages, one after the other; `between` is done after each.
async fn pages(
    world: &World,
    mut request: v1::ListUsersRequest,
    mut between: impl AsyncFnMut(usize),
) -> Vec<User> {
    let mut all = Vec::new();
    for count in 0.. {
        let page = world.directory.clone().list_users(request.clone()).await;
        let page = page.unwrap().into_inner();
        assert!(page.users.len() <= usize::try_from(request.page_size).unwrap());
        assert!(page.next_page_token.len() < 2000);
        all.extend(page.users);
        if page.next_page_token.is_empty() {
            break;
        }
        request.page_token = page.next_page_token;
        between(count).await;
    }
    all
}

fn folded(text: &str) -> (bool, String) {
    (text.is_empty(), text.to_lowercase())
}

#[tokio::test(flavor = "multi_thread")]
async fn users_are_listed_in_the_order_that_is_asked_for_each_of_them_once() {
    let world = quiet().await;
    let made = many(&world).await;
    let by = |key: &dyn Fn(&User) -> Vec<(bool, String)>| {
        let mut sorted = made.clone();
        sorted.sort_by_key(|user| (key(user), user.name.clone()));
        sorted
    };
    let reversed = |mut users: Vec<User>| {
        users.reverse();
        users
    };
    let email = |user: &User| vec![folded(&user.user_name)];
    let names = |user: &User| vec![folded(&user.family_name), folded(&user.given_name)];
    let all = |user: &User| [vec![folded(&user.department)], names(user)].concat();
    for (order_by, expected) in [
        ("email", by(&email)),
        ("email desc", reversed(by(&email))),
        ("name", by(&|_| Vec::new())),
        ("name desc", reversed(by(&|_| Vec::new()))),
        ("family_name, given_name", by(&names)),
        ("department,family_name,given_name", by(&all)),
        (
            "family_name desc, name desc",
            reversed(by(&|user| vec![folded(&user.family_name)])),
        ),
    ] {
        for size in [7, 60, 1000] {
            let listed = pages(&world, asked(order_by, size), async |_| {}).await;
            assert_eq!(listed, expected, "{order_by} by {size}");
        }
    }
    let sales = v1::ListUsersRequest {
        filter: "department = \"sales\"".to_owned(),
        ..asked("family_name desc", 4)
    };
    let listed = pages(&world, sales, async |_| {}).await;
    let is_sales = |user: &&User| user.department == "Sales";
    assert_eq!(listed.len(), made.iter().filter(is_sales).count());
    assert!(listed.iter().all(|user| is_sales(&user)));
    let one = v1::ListUsersRequest {
        filter: format!("email = \"{}\"", made[3].user_name),
        ..asked("title", 4)
    };
    assert_eq!(pages(&world, one, async |_| {}).await, made[3..4]);
}

#[tokio::test(flavor = "multi_thread")]
async fn who_does_not_change_comes_once_whatever_else_changes_meanwhile() {
    let world = quiet().await;
    let made = many(&world).await;
    for order_by in ["email", "department desc", "family_name, create_time desc"] {
        let disturb = async |count: usize| {
            let mut moved = made[count].clone();
            moved.etag.clear();
            moved.department = ["Zoo", "aaa"][count % 2].to_owned();
            moved.family_name = ["Abc", "zzz"][count % 2].to_owned();
            moved.user_name = format!("{}{count}@acme.test", ["zz", "aa"][count % 2]);
            let new = User {
                user_name: format!("new{count}-{}@acme.test", order_by.len()),
                department: "new".to_owned(),
                ..User::default()
            };
            let request = v1::BatchUpsertUsersRequest {
                parent: company(),
                users: vec![moved, new],
                update_mask: None,
            };
            let done = world.directory.clone().batch_upsert_users(request).await;
            let done = done.unwrap().into_inner().results;
            assert!(done.iter().all(|row| row.error.is_none()), "{done:?}");
        };
        let listed = pages(&world, asked(order_by, 9), disturb).await;
        let stood = &made[20..];
        for user in stood {
            let times = listed.iter().filter(|seen| seen.name == user.name).count();
            assert_eq!(times, 1, "{order_by}: {user:?}");
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn groups_are_listed_in_their_orders_too() {
    let mut world = quiet().await;
    many(&world).await;
    for (email, name) in [("b", "Sales"), ("a", "sales"), ("c", ""), ("d", "Accounts")] {
        let group = v1::Group {
            email: format!("{email}@acme.test"),
            display_name: name.to_owned(),
            ..v1::Group::default()
        };
        let request = v1::CreateGroupRequest {
            parent: company(),
            group: Some(group),
            group_id: email.to_owned(),
            ..v1::CreateGroupRequest::default()
        };
        world.directory.create_group(request).await.unwrap();
        world.clock.advance(Duration::from_secs(1));
    }
    // Without a name it is called by its address.
    for (order_by, expected) in [
        ("email desc", "dcba"),
        ("display_name", "dcab"),
        ("display_name desc", "abcd"),
        ("create_time desc", "dcab"),
    ] {
        let (mut listed, mut page_token) = (String::new(), String::new());
        loop {
            let request = v1::ListGroupsRequest {
                parent: company(),
                order_by: order_by.to_owned(),
                page_size: 3,
                page_token,
                ..v1::ListGroupsRequest::default()
            };
            let page = world.directory.list_groups(request).await.unwrap();
            let page = page.into_inner();
            listed.extend(
                page.groups
                    .iter()
                    .filter_map(|group| group.name.chars().last()),
            );
            page_token = page.next_page_token;
            if page_token.is_empty() {
                break;
            }
        }
        assert_eq!(listed, expected, "{order_by}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn an_order_that_is_none_is_refused_with_what_can_be_named() {
    let mut world = quiet().await;
    many(&world).await;
    for order_by in ["shoe_size", "title asc", "title,title", ",", "title desc,"] {
        let status = world.directory.list_users(asked(order_by, 5)).await;
        let status = status.unwrap_err();
        assert_eq!(wrong_fields(&status), ["order_by"], "{order_by}");
    }
    let request = v1::ListGroupsRequest {
        parent: company(),
        order_by: "department".to_owned(),
        ..v1::ListGroupsRequest::default()
    };
    let status = world.directory.list_groups(request).await.unwrap_err();
    assert_eq!(wrong_fields(&status), ["order_by"]);
    let details = status.get_error_details();
    let text = &details.bad_request().unwrap().field_violations[0].description;
    assert!(
        text.contains("name, email, display_name, create_time"),
        "{text}"
    );
    let deleted = v1::ListUsersRequest {
        deleted: true,
        filter: "active = true".to_owned(),
        ..asked("title", 5)
    };
    let status = world.directory.list_users(deleted).await.unwrap_err();
    assert_eq!(wrong_fields(&status), ["filter", "order_by"]);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_page_token_holds_for_its_own_order_only() {
    let mut world = quiet().await;
    many(&world).await;
    let mut tokens = BTreeSet::new();
    let orders = [
        "",
        "name desc",
        "email",
        "email desc",
        "title",
        "title desc",
    ];
    for order_by in orders {
        let page = world.directory.list_users(asked(order_by, 5)).await;
        let token = page.unwrap().into_inner().next_page_token;
        for other in orders {
            let request = v1::ListUsersRequest {
                page_token: token.clone(),
                ..asked(other, 5)
            };
            let answer = world.directory.list_users(request).await;
            assert_eq!(answer.is_ok(), other == order_by, "{order_by} {other}");
        }
        // Cut off, it is none of any list.
        let request = v1::ListUsersRequest {
            page_token: token[..token.len() - 15].to_owned(),
            ..asked(order_by, 5)
        };
        if let Err(status) = world.directory.list_users(request).await {
            assert_eq!(wrong_fields(&status), ["page_token"]);
        }
        tokens.insert(token);
    }
    assert_eq!(tokens.len(), orders.len());
}
