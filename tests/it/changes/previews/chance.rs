//! Whatever has changed, a preview says what the run after it does.

use super::*;
use provisiond::sandbox::Options;
use rand::{Rng, SeedableRng, rngs::StdRng, seq::IndexedRandom};

/// Rounds of changes: 12, or as many as the environment asks for.
fn rounds() -> usize {
    let asked = std::env::var("PROVISIOND_PREVIEW_ROUNDS").ok();
    asked.and_then(|text| text.parse().ok()).unwrap_or(12)
}

/// Google as it is: ids and addresses of users and groups, and who is in which group.
struct Seen {
    users: Vec<(String, String)>,
    groups: Vec<(String, String)>,
    members: Vec<(String, String)>,
}

fn text(value: &Value) -> String {
    value.as_str().unwrap_or_default().to_owned()
}

impl Seen {
    async fn now(world: &World) -> Self {
        let state = world.google.state().await;
        let both = |kind: &str, address: &str| -> Vec<(String, String)> {
            let all = state[kind].as_array().unwrap().iter();
            all.map(|one| (text(&one["id"]), text(&one[address])))
                .collect()
        };
        let members = state["members"].as_object().unwrap().iter();
        let members = members.flat_map(|(group, members)| {
            let members = members.as_array().unwrap().iter();
            members.map(|member| (group.clone(), text(&member["id"])))
        });
        let users = both("users", "primaryEmail").into_iter();
        Self {
            users: users
                .filter(|(_, address)| address != "admin@acme.test")
                .collect(),
            groups: both("groups", "email"),
            members: members.collect(),
        }
    }
}

/// One change that anybody might make at Google, or that it might show; what does not go through changes nothing.
async fn change(world: &World, random: &mut StdRng) {
    let seen = Seen::now(world).await;
    let fresh = format!("n{}@acme.test", random.random_range(0..40));
    match random.random_range(0..16) {
        0..9 => of_a_user(world, random, &seen, &fresh).await,
        9..15 => of_a_group(world, random, &seen, &fresh).await,
        _ => by_hand(world, random, &fresh).await,
    }
}

async fn of_a_user(world: &World, random: &mut StdRng, seen: &Seen, fresh: &str) {
    let user = seen.users.choose(random).zip(seen.users.choose(random));
    let Some(((user, address), (other, theirs))) = user else {
        return;
    };
    let name = json!({"givenName": format!("G{}", random.random_range(0..9)), "familyName": "F"});
    let make = |address: &str| json!({"primaryEmail": address, "name": name});
    let gone = format!("users/{user}?purge=true");
    let patch = |id, values| world.google.patch_user(id, values);
    let any = seen.groups.choose(random).map_or(theirs, |(_, its)| its);
    match random.random_range(0..10) {
        0 | 1 => tried(world, Method::POST, "users", make(fresh)).await,
        2 => tried(world, Method::DELETE, &gone, Value::Null).await,
        3 => {
            tried(world, Method::DELETE, &gone, Value::Null).await;
            tried(world, Method::POST, "users", make(address)).await;
        }
        4 => patch(user, json!({"primaryEmail": theirs})).await,
        5 => {
            patch(user, json!({"primaryEmail": theirs})).await;
            patch(other, json!({"primaryEmail": address})).await;
        }
        6 => patch(user, json!({"primaryEmail": fresh})).await,
        7 => patch(user, json!({"primaryEmail": any})).await,
        8 => patch(user, json!({"name": name})).await,
        _ => patch(user, json!({"suspended": random.random_bool(0.5)})).await,
    }
}

async fn of_a_group(world: &World, random: &mut StdRng, seen: &Seen, fresh: &str) {
    let (user, group) = (seen.users.choose(random), seen.groups.choose(random));
    let Some(((user, address), (group, its))) = user.zip(group) else {
        return;
    };
    let make = |address: &str| json!({"email": address, "name": "G"});
    match random.random_range(0..8) {
        0 => tried(world, Method::POST, "groups", make(fresh)).await,
        1 => {
            let path = format!("groups/{group}");
            tried(world, Method::DELETE, &path, Value::Null).await;
            tried(world, Method::POST, "groups", make(its)).await;
        }
        2 => {
            let path = format!("groups/{group}?raw=true");
            let to = [address, fresh][random.random_range(0..2)];
            tried(world, Method::PATCH, &path, json!({"email": to})).await;
        }
        3..6 => {
            let within = seen.groups.choose(random);
            let within = within.filter(|_| random.random_bool(0.3));
            let (id, kind) = within.map_or((user, "USER"), |(group, _)| (group, "GROUP"));
            let member = json!({"id": id, "type": kind, "role": "MEMBER"});
            let path = format!("groups/{group}/members?raw=true");
            tried(world, Method::POST, &path, member).await;
        }
        _ => {
            if let Some((group, member)) = seen.members.choose(random) {
                let path = format!("groups/{group}/members/{member}");
                tried(world, Method::DELETE, &path, Value::Null).await;
            }
        }
    }
}

/// A control request that Google may refuse.
async fn tried(world: &World, verb: Method, path: &str, body: Value) {
    let url = format!("{}/sandbox/{path}", world.google.url());
    let request = reqwest::Client::new().request(verb, url);
    let request = if body.is_null() {
        request
    } else {
        request.json(&body)
    };
    request.send().await.unwrap();
}

/// Somebody changes the directory itself.
async fn by_hand(world: &World, random: &mut StdRng, address: &str) {
    let mut directory = world.directory.clone();
    let request = v1::ListUsersRequest {
        parent: company(),
        page_size: 1000,
        ..v1::ListUsersRequest::default()
    };
    let users = directory
        .list_users(request)
        .await
        .unwrap()
        .into_inner()
        .users;
    let name = users.choose(random).map(|user| user.name.clone());
    if random.random_bool(0.5) {
        let user = User {
            user_name: address.to_owned(),
            title: "Boss".to_owned(),
            ..User::default()
        };
        let request = v1::CreateUserRequest {
            parent: company(),
            user: Some(user),
            ..v1::CreateUserRequest::default()
        };
        let _ = directory.create_user(request).await;
    } else if let Some(name) = name {
        let request = v1::DeleteUserRequest {
            name,
            ..v1::DeleteUserRequest::default()
        };
        let _ = directory.delete_user(request).await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn whatever_changes_a_preview_says_what_the_run_does() {
    let seed: u64 = std::env::var("PROVISIOND_PREVIEW_SEED")
        .ok()
        .and_then(|text| text.parse().ok())
        .unwrap_or_else(|| rand::rng().random());
    println!("seed {seed}");
    let mut random = StdRng::seed_from_u64(seed);
    // One slice of each kind: whose turn comes first is then no accident.
    let mut world = World::ready(Options {
        users: 40,
        groups: 8,
        memberships: Some(60),
        ..Options::default()
    })
    .await;
    foretold(&mut world).await;
    for _ in 0..rounds() {
        for _ in 0..random.random_range(1..12) {
            change(&world, &mut random).await;
        }
        foretold(&mut world).await;
    }
}
