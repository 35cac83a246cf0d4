//! What a preview can only tell by what it has planned before: addresses that change hands, and objects made anew.

use super::{super::scene::code, *};
use provisiond::sandbox::Options;

/// Everybody of these is made in the directory, not by Google.
async fn by_hand(world: &mut World, names: &[&str]) {
    for name in names {
        let user = User {
            user_name: at(name),
            ..User::default()
        };
        let request = v1::CreateUserRequest {
            parent: company(),
            user: Some(user),
            ..v1::CreateUserRequest::default()
        };
        world.directory.create_user(request).await.unwrap();
    }
}

async fn everyone_in(world: &World, group: &str) {
    let state = world.google.state().await;
    let member = json!({"id": state["customerId"], "type": "CUSTOMER", "role": "MEMBER"});
    let path = format!("groups/{}/members?raw=true", at(group));
    world.control(Method::POST, &path, member).await;
}

async fn readdress(world: &World, id: &str, name: &str) {
    let values = json!({"primaryEmail": at(name)});
    world.google.patch_user(id, values).await;
}

async fn leave(world: &World, group: &str, name: &str) {
    let path = format!("groups/{}/members/{}", at(group), at(name));
    world.delete(&path).await;
}

/// Codes of the changes of a source object.
fn codes<'a>(changes: &'a [Change], id: &str) -> Vec<&'a str> {
    let of = |change: &&Change| change.source.as_ref().unwrap().id == id;
    changes.iter().filter(of).map(code).collect()
}

#[tokio::test(flavor = "multi_thread")]
async fn of_two_new_users_that_want_one_address_the_second_fails_and_of_three_adopters_two() {
    let mut world = World::ready(nobody()).await;
    by_hand(&mut world, &["old"]).await;
    let mut ids = Vec::new();
    for name in ["one", "two", "t1", "t2", "t3"] {
        ids.push(world.person(name).await);
    }
    readdress(&world, &ids[1], "one").await;
    for id in &ids[2..] {
        readdress(&world, id, "old").await;
    }
    let (run, changes) = foretold(&mut world).await;
    let counters = run.counters.unwrap();
    assert_eq!((counters.added, counters.failed), (SPECIAL + 2, 3));
    let of = |ids: &[String]| {
        let codes = ids.iter().flat_map(|id| codes(&changes, id));
        let mut codes: Vec<&str> = codes.collect();
        codes.sort_unstable();
        codes
    };
    assert_eq!(of(&ids[..2]), ["CREATED", "EMAIL_TAKEN"]);
    assert_eq!(of(&ids[2..]), ["ADOPTED", "EMAIL_TAKEN", "EMAIL_TAKEN"]);
    settled(&mut world).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn who_fails_is_told_for_whom_the_address_is_meant() {
    let mut world = World::ready(nobody()).await;
    let (one, two) = (world.person("one").await, world.person("two").await);
    readdress(&world, &two, "one").await;
    let run = preview(&mut world).await;
    let changes = world.changes(&run.name).await;
    let failed = changes.iter().find(|change| code(change) == "EMAIL_TAKEN");
    let text = &failed.unwrap().reason.as_ref().unwrap().text;
    let other = [&one, &two]
        .into_iter()
        .find(|id| text.contains(id.as_str()));
    let failed = &failed.unwrap().source.as_ref().unwrap().id;
    assert!(other.is_some_and(|other| other != failed), "{text}");
}

#[tokio::test(flavor = "multi_thread")]
async fn addresses_that_are_swapped_passed_on_and_given_up_are_free_for_others_in_the_preview() {
    let mut world = World::ready(nobody()).await;
    let mut ids = Vec::new();
    for name in ["ann", "bob", "cid", "dan", "eve"] {
        ids.push(world.person(name).await);
    }
    world.group("crew").await;
    foretold(&mut world).await;
    // Ann and Bob swap; Cid's goes to Dan, Dan's to a new user, and the one that Eve gives up to a new group.
    for (id, name) in [(0, "bob"), (1, "ann"), (2, "new"), (3, "cid"), (4, "eva")] {
        readdress(&world, &ids[id], name).await;
    }
    let heir = world.person("heir").await;
    readdress(&world, &heir, "dan").await;
    let group = json!({"email": at("eve"), "name": "Eve's"});
    let path = "groups?raw=true";
    let group = world.control(Method::POST, path, group).await;
    // A user wants what a group of the same run is to have later.
    let crew = json!({"email": at("staff")});
    world
        .control(Method::PATCH, &format!("groups/{}", at("crew")), crew)
        .await;
    let late = world.person("late").await;
    readdress(&world, &late, "crew").await;
    let (run, changes) = foretold(&mut world).await;
    let counters = run.counters.unwrap();
    assert_eq!((counters.modified, counters.failed), (6, 1), "{run:?}");
    assert_eq!(codes(&changes, &heir), ["CREATED"]);
    assert_eq!(codes(&changes, group["id"].as_str().unwrap()), ["CREATED"]);
    assert_eq!(codes(&changes, &late), ["EMAIL_TAKEN"]);
    // Now it is free.
    let (run, _) = foretold(&mut world).await;
    assert_eq!(run.counters.unwrap().added, 1, "{run:?}");
    settled(&mut world).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn who_is_made_anew_is_linked_again_and_who_is_gone_is_absent() {
    let mut world = World::ready(nobody()).await;
    for group in ["team", "crew", "all"] {
        world.group(group).await;
    }
    for name in ["ann", "bob", "cid", "dan", "eve"] {
        world.person(name).await;
        world.join("team", name).await;
        world.join("crew", name).await;
    }
    everyone_in(&world, "all").await;
    foretold(&mut world).await;
    settled(&mut world).await;
    world
        .delete(&format!("users/{}?purge=true", at("ann")))
        .await;
    let ann = world.person("ann").await;
    world.join("team", "ann").await;
    world.delete(&format!("users/{}", at("bob"))).await;
    world.delete(&format!("groups/{}", at("crew"))).await;
    let crew = world.group("crew").await;
    for name in ["ann", "cid", "dan"] {
        world.join("crew", name).await;
    }
    let (run, changes) = foretold(&mut world).await;
    assert_eq!(codes(&changes, &ann), ["RELINKED"]);
    assert_eq!(codes(&changes, &crew), ["RELINKED", ""], "{changes:?}");
    let skips = &run.skipped_by_reason;
    assert_eq!((&*skips[0].reason, skips[0].count), ("ABSENT_AT_SOURCE", 1));
    let members = run.memberships.unwrap();
    assert!(members.removed > 0, "{run:?}");
    settled(&mut world).await;
    let absent = world.control(Method::GET, "state", Value::Null).await;
    let gone = absent["deleted"][0].as_str().unwrap().to_owned();
    let undelete = format!("users/{gone}/undelete");
    world.control(Method::POST, &undelete, Value::Null).await;
    foretold(&mut world).await;
    settled(&mut world).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn members_that_are_only_planned_join_and_are_known_by_their_new_addresses() {
    let mut world = World::ready(nobody()).await;
    for group in ["team", "all"] {
        world.group(group).await;
    }
    let mut ids = Vec::new();
    for name in ["ann", "bob", "cid", "dan"] {
        ids.push(world.person(name).await);
        world.join("team", name).await;
    }
    everyone_in(&world, "all").await;
    foretold(&mut world).await;
    // One whom the directory knows already, and writes otherwise.
    by_hand(&mut world, &["GUS"]).await;
    world.person("gus").await;
    // Two new users, one of them suspended, and a new group within the team within a new group.
    world.person("eve").await;
    world.person("fay").await;
    world.edit(&at("fay"), json!({"suspended": true})).await;
    world.group("inner").await;
    world.group("outer").await;
    for (group, member) in [
        ("inner", "eve"),
        ("inner", "fay"),
        ("team", "inner"),
        ("outer", "team"),
        ("outer", "eve"),
    ] {
        world.join(group, member).await;
    }
    // Who leaves, and is called otherwise since.
    leave(&world, "team", "ann").await;
    readdress(&world, &ids[0], "anna").await;
    let outside = json!({"email": "guest@elsewhere.example", "role": "MEMBER"});
    let path = format!("groups/{}/members", at("inner"));
    world.control(Method::POST, &path, outside).await;
    let (run, changes) = foretold(&mut world).await;
    let members = run.memberships.unwrap();
    // Eve is in two groups, Fay in one; inner and team are in one each; and everybody in one.
    assert_eq!((members.added, members.pending), (6, 0), "{run:?}");
    assert_eq!((members.removed, members.skipped), (1, 1), "{run:?}");
    let all = changes.iter().flat_map(|change| &change.diffs);
    let members: Vec<_> = all.filter(|diff| diff.attribute == "members").collect();
    let joined = [at("eve"), at("gus")];
    assert!(
        members.iter().any(|diff| diff.new_values == joined),
        "{members:?}"
    );
    let anna = [at("anna")];
    assert!(
        members.iter().any(|diff| diff.old_values == anna),
        "{members:?}"
    );
    settled(&mut world).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_preview_of_more_than_fits_into_a_slice_is_exact() {
    let mut world = World::ready(Options {
        users: 350,
        groups: 30,
        ..Options::default()
    })
    .await;
    foretold(&mut world).await;
    let state = world.google.state().await;
    let users = state["users"].as_array().unwrap();
    let id = |user: &Value| user["id"].as_str().unwrap().to_owned();
    // Addresses go around among many, from slice to slice.
    for pair in users.chunks(7).filter(|pair| pair.len() == 7) {
        readdress_raw(&world, &id(&pair[0]), &pair[1]["primaryEmail"]).await;
        readdress_raw(&world, &id(&pair[1]), &pair[0]["primaryEmail"]).await;
        let next = json!(format!("x{}@acme.test", id(&pair[2])));
        readdress_raw(&world, &id(&pair[2]), &next).await;
        readdress_raw(&world, &id(&pair[3]), &pair[2]["primaryEmail"]).await;
    }
    let (run, _) = foretold(&mut world).await;
    assert_eq!(run.counters.unwrap().modified, 200, "{run:?}");
    settled(&mut world).await;
}

async fn readdress_raw(world: &World, id: &str, address: &Value) {
    let values = json!({"primaryEmail": address});
    world.google.patch_user(id, values).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn of_two_that_adopt_one_user_at_the_same_time_one_fails_in_the_preview_too() {
    let mut world = World::ready(nobody()).await;
    for n in 0..75 {
        by_hand(&mut world, &[&format!("p{n}")]).await;
    }
    for n in 0..150 {
        let id = world.person(&format!("p{n}")).await;
        readdress(&world, &id, &format!("p{}", n % 75)).await;
    }
    // Which of them is another matter: their slices are under way together.
    let preview = preview(&mut world).await;
    let run = world.run().await;
    assert_eq!(counted(&preview), counted(&run));
    let counters = run.counters.unwrap();
    assert_eq!((counters.added, counters.failed), (SPECIAL + 75, 75));
}
