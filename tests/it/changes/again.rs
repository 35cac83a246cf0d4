//! What callers delete and make again, or have back: whom runs then take for whom.

use super::{
    one_object::Lane as _,
    scene::{SPECIAL, Scene as _, all, at, code, nobody, team},
};
use crate::support::{World, company, sums_hold};
use provisiond::proto::v1;
use std::time::Duration;
use tonic::Code;

const DAY: Duration = Duration::from_secs(24 * 3600);

/// Deleting, having back and making by callers.
trait ByHand {
    async fn remove(&self, user: &str);
    async fn undelete(&self, user: &str);
    async fn make(&self, id: &str, email: &str) -> v1::User;
    async fn found(&self, user: &str) -> Option<v1::User>;
    async fn gone_for_good(&self, user: &str);
    async fn the_group(&mut self, name: &str) -> v1::Group;
    async fn remove_group(&self, group: &str);
    async fn undelete_group(&self, group: &str);
    async fn make_group(&self, email: &str) -> v1::Group;
    async fn members_of(&mut self, group: &str) -> Vec<String>;
}

impl ByHand for World {
    async fn remove(&self, user: &str) {
        let request = v1::DeleteUserRequest {
            name: user.to_owned(),
            etag: String::new(),
        };
        self.directory.clone().delete_user(request).await.unwrap();
    }

    async fn undelete(&self, user: &str) {
        let request = v1::UndeleteUserRequest {
            name: user.to_owned(),
        };
        self.directory.clone().undelete_user(request).await.unwrap();
    }

    /// A user of that id, if one is given.
    async fn make(&self, id: &str, email: &str) -> v1::User {
        let request = v1::CreateUserRequest {
            parent: company(),
            user: Some(v1::User {
                user_name: email.to_owned(),
                ..v1::User::default()
            }),
            user_id: id.to_owned(),
            request_id: String::new(),
        };
        let made = self.directory.clone().create_user(request).await;
        made.unwrap().into_inner()
    }

    async fn found(&self, user: &str) -> Option<v1::User> {
        let request = v1::GetUserRequest {
            name: user.to_owned(),
        };
        match self.directory.clone().get_user(request).await {
            Ok(user) => Some(user.into_inner()),
            Err(status) => {
                assert_eq!(status.code(), Code::NotFound, "{status:?}");
                None
            }
        }
    }

    /// Waits until a deleted user can't be had back any more, and is forgotten.
    async fn gone_for_good(&self, user: &str) {
        self.clock.advance(20 * DAY);
        let purged = async {
            while self.found(user).await.is_some() {
                tokio::task::yield_now().await;
            }
        };
        let limit = Duration::from_secs(30);
        tokio::time::timeout(limit, purged).await.unwrap();
    }

    async fn the_group(&mut self, name: &str) -> v1::Group {
        let mut groups = self.groups().await;
        groups.retain(|group| group.email == at(name));
        assert_eq!(groups.len(), 1, "{name}");
        groups.remove(0)
    }

    async fn remove_group(&self, group: &str) {
        let request = v1::DeleteGroupRequest {
            name: group.to_owned(),
            etag: String::new(),
        };
        self.directory.clone().delete_group(request).await.unwrap();
    }

    async fn undelete_group(&self, group: &str) {
        let request = v1::UndeleteGroupRequest {
            name: group.to_owned(),
        };
        let back = self.directory.clone().undelete_group(request).await;
        back.unwrap();
    }

    async fn make_group(&self, email: &str) -> v1::Group {
        let request = v1::CreateGroupRequest {
            parent: company(),
            group: Some(v1::Group {
                email: email.to_owned(),
                ..v1::Group::default()
            }),
            ..v1::CreateGroupRequest::default()
        };
        let made = self.directory.clone().create_group(request).await;
        made.unwrap().into_inner()
    }

    /// Resource names of the members.
    async fn members_of(&mut self, group: &str) -> Vec<String> {
        let group = self.the_group(group).await;
        let members = self.members(&group.name).await;
        let mut all: Vec<String> = members.into_iter().map(|one| one.member).collect();
        all.sort();
        all
    }
}

/// A run after which another changes nothing.
async fn settled(world: &mut World) -> v1::Run {
    let run = world.sync().await;
    let written = world.store.writes();
    let again = world.sync().await;
    assert!(world.store.writes() - written <= 8, "{again:?}");
    let counters = again.counters.unwrap();
    assert_eq!(counters.considered, counters.unchanged, "{again:?}");
    run
}

#[tokio::test(flavor = "multi_thread")]
async fn who_is_made_again_is_in_the_groups_that_his_source_object_is_in() {
    let mut world = team().await;
    let first = world.user("ann").await;
    world.remove(&first.name).await;
    let second = world.make("", &at("ann")).await;
    let run = settled(&mut world).await;
    assert_eq!(run.memberships.unwrap().added, 1, "{run:?}");
    assert_eq!(
        world.team_members().await,
        all(&["ann", "bob", "cid", "dan"])
    );
    let told = world.changes(&run.name).await;
    let members = told.iter().flat_map(|change| &change.diffs);
    let members: Vec<_> = members.filter(|d| d.attribute == "members").collect();
    assert_eq!(members.len(), 1, "{told:?}");
    assert_eq!(members[0].new_values, all(&["ann"]));
    assert!(members[0].old_values.is_empty(), "she did not leave");

    // The first one again, in place of the second.
    world.remove(&second.name).await;
    world.undelete(&first.name).await;
    settled(&mut world).await;
    let members = world.members_of("team").await;
    assert!(members.contains(&first.name), "{members:?}");
    assert_eq!(members.len(), 4, "{members:?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn who_is_deleted_is_made_no_member_and_is_one_again_when_had_back() {
    let mut world = team().await;
    let ann = world.user("ann").await;
    world.group("crew").await;
    world.sync().await;
    world.remove(&ann.name).await;
    // While she is not there she joins one group and stays in another.
    world.join("crew", "ann").await;
    for _ in 0..2 {
        let run = world.sync().await;
        assert_eq!(run.memberships.unwrap().added, 0, "{run:?}");
        assert_eq!(world.the_group("crew").await.member_count, 0);
        assert_eq!(world.the_group("team").await.member_count, 3);
    }
    world.undelete(&ann.name).await;
    assert_eq!(world.the_group("team").await.member_count, 4);
    let run = settled(&mut world).await;
    assert_eq!(run.memberships.unwrap().pending, 0, "{run:?}");
    assert_eq!(world.members_of("crew").await, [ann.name]);
    assert_eq!(world.the_group("team").await.member_count, 4);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_group_that_is_made_again_gets_its_members_and_its_place() {
    let mut world = team().await;
    world.group("all").await;
    world.join("all", "team").await;
    world.sync().await;
    let first = world.the_group("team").await;
    world.remove_group(&first.name).await;
    let second = world.make_group(&at("team")).await;
    let told = world.preview(v1::Kind::Group, "team").await;
    let diffs = told.changes.iter().flat_map(|change| &change.diffs);
    let members = diffs.filter(|diff| diff.attribute == "members");
    let joining: Vec<_> = members.map(|diff| diff.new_values.clone()).collect();
    assert_eq!(joining, [all(&["ann", "bob", "cid", "dan"])], "{told:?}");
    let run = settled(&mut world).await;
    assert_eq!(
        world.team_members().await,
        all(&["ann", "bob", "cid", "dan"])
    );
    assert_eq!(world.members_of("all").await, [&*second.name]);
    assert_eq!(run.memberships.unwrap().added, 5, "{run:?}");

    // The first one again, from which somebody has gone meanwhile.
    world.remove_group(&second.name).await;
    let path = format!("groups/{}/members/{}", at("team"), at("dan"));
    world.delete(&path).await;
    world.person("eve").await;
    world.join("team", "eve").await;
    world.undelete_group(&first.name).await;
    settled(&mut world).await;
    assert_eq!(world.members_of("all").await, [&*first.name]);
    let members = world.team_members().await;
    assert_eq!(members, all(&["ann", "bob", "cid", "eve"]));
}

#[tokio::test(flavor = "multi_thread")]
async fn an_id_that_is_given_to_another_person_leads_no_run_to_him() {
    let mut world = World::ready(nobody()).await;
    let first = world.make("anna", &at("ann")).await;
    world.person("ann").await;
    world.group("team").await;
    world.join("team", "ann").await;
    let run = world.sync().await;
    assert_eq!(run.counters.unwrap().added, SPECIAL + 2, "{run:?}");
    assert_eq!(world.members_of("team").await, [&*first.name]);
    world.remove(&first.name).await;
    world.gone_for_good(&first.name).await;
    let other = world.make("anna", &at("other")).await;
    assert_eq!(other.name, first.name);
    assert_ne!(other.uid, first.uid, "a uid is never used twice");
    world.person("bob").await;
    world.join("team", "bob").await;
    for recorded in [1, 0] {
        let run = world.sync().await;
        sums_hold(&run);
        assert_eq!(run.counters.unwrap().skipped, 1, "{run:?}");
        let changes = world.changes(&run.name).await;
        let deleted = changes.iter().filter(|c| code(c) == "DELETED_BY_HAND");
        assert_eq!(deleted.count(), recorded, "{changes:?}");
        assert_eq!(world.found(&other.name).await.unwrap(), other);
    }
    let bob = world.user("bob").await;
    assert_eq!(world.members_of("team").await, [&*bob.name]);

    // Under the same id once more, now for the same person as at first.
    world.remove(&other.name).await;
    world.gone_for_good(&other.name).await;
    let again = world.make("anna", &at("ann")).await;
    settled(&mut world).await;
    assert_eq!(world.user("ann").await.given_name, "ann");
    let mut expected = [again.name, bob.name];
    expected.sort();
    assert_eq!(world.members_of("team").await, expected);
}

#[tokio::test(flavor = "multi_thread")]
async fn an_id_made_again_at_once_when_it_is_free_is_a_member_like_the_first() {
    let mut world = World::ready(nobody()).await;
    let first = world.make("anna", &at("ann")).await;
    world.person("ann").await;
    world.group("team").await;
    world.join("team", "ann").await;
    world.sync().await;
    // No run comes between.
    world.remove(&first.name).await;
    world.gone_for_good(&first.name).await;
    let again = world.make("anna", &at("ann")).await;
    settled(&mut world).await;
    assert_eq!(world.members_of("team").await, [again.name]);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_uid_is_a_uuid_that_stays_with_the_user_and_is_his_alone() {
    let world = World::start(nobody()).await;
    let named = world.make("anna", &at("ann")).await;
    let uid = uuid::Uuid::try_parse(&named.uid).unwrap();
    assert_eq!(uid.get_version_num(), 7);
    assert_eq!(world.found(&named.name).await.unwrap(), named);
    world.remove(&named.name).await;
    assert_eq!(world.found(&named.name).await.unwrap().uid, named.uid);
    world.undelete(&named.name).await;
    assert_eq!(world.found(&named.name).await.unwrap().uid, named.uid);

    // An id of the daemon is a UUID already.
    let unnamed = world.make("", &at("bob")).await;
    assert_eq!(unnamed.name, format!("{}/users/{}", company(), unnamed.uid));
    // One that a caller chose may be used again, whatever it looks like.
    let chosen = uuid::Uuid::now_v7().to_string();
    let chosen = world.make(&chosen, &at("cid")).await;
    assert!(!chosen.name.ends_with(&chosen.uid), "{chosen:?}");
}
