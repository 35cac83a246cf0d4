//! The directory equals what an independent reading of Google's data expects, object by object.

#![allow(clippy::unwrap_used)]

use crate::support::World;
use provisiond::{
    proto::v1::{self, run::State},
    sandbox::Options,
};
use serde_json::Value;
use std::collections::{BTreeMap, BTreeSet};

/// What a user is to look like: attribute by attribute, as text.
type Shape = BTreeMap<&'static str, String>;

fn text(value: &Value) -> String {
    let zero_width = |c: char| c.is_whitespace() || ('\u{200b}'..='\u{200d}').contains(&c);
    value
        .as_str()
        .unwrap_or_default()
        .trim_matches(zero_width)
        .to_owned()
}

fn rows(value: &Value) -> &[Value] {
    value.as_array().map_or(&[], Vec::as_slice)
}

/// The value of the first entry of that type.
fn typed(entries: &Value, wanted: &str) -> String {
    let entry = rows(entries).iter().find(|entry| entry["type"] == wanted);
    entry.map(|entry| text(&entry["value"])).unwrap_or_default()
}

fn expected_user(user: &Value) -> Shape {
    let mut aliases: Vec<String> = rows(&user["aliases"])
        .iter()
        .map(|a| text(a).to_lowercase())
        .collect();
    aliases.sort();
    let phones: Vec<String> = rows(&user["phones"])
        .iter()
        .map(|phone| text(&phone["value"]))
        .collect();
    let jobs = rows(&user["organizations"]);
    let job = jobs
        .iter()
        .find(|job| job["primary"] == true)
        .or(jobs.first())
        .unwrap_or(&Value::Null);
    let active = user["suspended"] != true && user["archived"] != true;
    BTreeMap::from([
        ("given", text(&user["name"]["givenName"])),
        ("family", text(&user["name"]["familyName"])),
        ("display", text(&user["name"]["fullName"])),
        ("active", active.to_string()),
        ("aliases", aliases.join(",")),
        ("phones", phones.join(",")),
        ("title", text(&job["title"])),
        ("department", text(&job["department"])),
        (
            "manager",
            typed(&user["relations"], "manager").to_lowercase(),
        ),
        ("employee", typed(&user["externalIds"], "organization")),
    ])
}

fn shown_user(user: &v1::User) -> Shape {
    BTreeMap::from([
        ("given", user.given_name.clone()),
        ("family", user.family_name.clone()),
        ("display", user.display_name.clone()),
        ("active", user.active.unwrap_or_default().to_string()),
        ("aliases", user.aliases.join(",")),
        ("phones", user.phone_numbers.join(",")),
        ("title", user.title.clone()),
        ("department", user.department.clone()),
        ("manager", user.manager.clone()),
        ("employee", user.employee_number.clone()),
    ])
}

fn email(object: &Value) -> String {
    let address = object.get("primaryEmail").unwrap_or(&object["email"]);
    text(address).to_lowercase()
}

/// Addresses of the members that each group is to have: nested groups stay groups, everybody means all who are active,
/// and who is no user or group of the company is left out.
fn expected_members(state: &Value) -> BTreeMap<String, BTreeSet<String>> {
    let by_id = |kind: &str| -> BTreeMap<String, String> {
        rows(&state[kind])
            .iter()
            .map(|object| (text(&object["id"]), email(object)))
            .collect()
    };
    let (users, groups) = (by_id("users"), by_id("groups"));
    let active = rows(&state["users"])
        .iter()
        .filter(|user| user["suspended"] != true && user["archived"] != true);
    let active: BTreeSet<String> = active.map(email).collect();
    let mut expected = BTreeMap::new();
    for (id, address) in &groups {
        let mut members = BTreeSet::new();
        for member in rows(&state["members"][id]) {
            if member["type"] == "CUSTOMER" {
                members.extend(active.iter().cloned());
            }
            let id = text(&member["id"]);
            members.extend(users.get(&id).or(groups.get(&id)).cloned());
        }
        expected.insert(address.clone(), members);
    }
    expected
}

fn requests(counts: &Value, method: &str) -> u64 {
    counts[method].as_u64().unwrap_or_default()
}

/// The fewest requests that read everything.
fn fewest(state: &Value) -> u64 {
    let pages = |rows: usize, size: usize| rows.div_ceil(size) as u64;
    let members = rows(&state["groups"])
        .iter()
        .map(|group| rows(&state["members"][text(&group["id"])]).len());
    pages(rows(&state["users"]).len(), 500)
        + pages(rows(&state["groups"]).len(), 200)
        + members.map(|members| pages(members, 200)).sum::<u64>()
}

async fn check_requests(world: &World, state: &Value) {
    let counts = world.google.requests().await;
    let all = counts
        .as_object()
        .unwrap()
        .keys()
        .filter(|method| method.starts_with("directory."));
    let made: u64 = all.map(|method| requests(&counts, method)).sum();
    let least = fewest(state);
    assert!(
        (least..=least + 3).contains(&made),
        "{made} requests where {least} do: {counts}"
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn ten_thousand_users_five_hundred_groups_and_fifty_thousand_memberships_are_as_expected() {
    let options = Options {
        users: 10_000,
        groups: 500,
        memberships: Some(50_000),
        ..Options::default()
    };
    let mut world = World::ready(options).await;
    let state = world.google.state().await;
    world.google.forget_requests().await;
    let run = world.run().await;
    assert_eq!(run.state(), State::Succeeded, "{run:?}");
    check_requests(&world, &state).await;
    let users: BTreeMap<String, Shape> = world
        .users()
        .await
        .iter()
        .map(|user| (user.user_name.clone(), shown_user(user)))
        .collect();
    let expected: BTreeMap<String, Shape> = rows(&state["users"])
        .iter()
        .map(|user| (email(user), expected_user(user)))
        .collect();
    assert_eq!(users.len(), expected.len());
    for (address, shape) in &expected {
        assert_eq!(users.get(address), Some(shape), "{address}");
    }
    let expected = expected_members(&state);
    let groups = world.groups().await;
    assert_eq!(groups.len(), expected.len());
    for group in &groups {
        let members: BTreeSet<String> = world
            .members(&group.name)
            .await
            .into_iter()
            .map(|member| member.email)
            .collect();
        assert_eq!(
            Some(&members),
            expected.get(&group.email),
            "{}",
            group.email
        );
    }
    world.google.forget_requests().await;
    let before = world.store.writes();
    let again = world.run().await;
    assert_eq!(again.counters.unwrap().unchanged, 10_500, "{again:?}");
    assert!(
        world.store.writes() - before <= 8,
        "{} writes",
        world.store.writes() - before
    );
    check_requests(&world, &state).await;
}
