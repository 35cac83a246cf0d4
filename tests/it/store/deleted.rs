//! What callers deleted, and can have back.

use super::fixtures::*;
use provisiond::{
    model::{
        AppliedMember, Clock as _, Entity, EntityId, EntityLink, Integration, Kind, Link,
        LinkOrigin, MemberOrigin, MemberState, MemberWrite, Run, Time, Uid,
    },
    store::{Error, Slice, Store},
};
use std::time::Duration;

const DAY: Duration = Duration::from_secs(24 * 3600);
const WEEK: Duration = Duration::from_secs(7 * 24 * 3600);

async fn create(store: &Store, kind: Kind, id: &str, email: &str) -> Result<Entity, Error> {
    let made = store.create_entity(entity(&acme(), kind, id, email), None);
    made.await.map(|made| made.value)
}

async fn delete(store: &Store, entity: Entity, until: Time) {
    let of = (&entity.company, entity.kind, &entity.id);
    let deleted = store.delete_entity(of, Some(entity.revision), until, "backend");
    deleted.await.unwrap();
}

#[tokio::test]
async fn what_changed_since_it_was_seen_is_deleted_only_if_that_does_not_matter() {
    let home = Home::new();
    let store = home.open().await;
    let until = home.clock.now() + WEEK;
    let seen = create(&store, Kind::User, "u", "u@acme.example")
        .await
        .unwrap();
    let now = store.update_entity(seen.clone(), false).await.unwrap();
    let of = (&seen.company, seen.kind, &seen.id);
    let refused = store.delete_entity(of, Some(seen.revision), until, "backend");
    assert!(matches!(refused.await, Err(Error::Changed(_))));
    let deleted = store
        .delete_entity(of, None, until, "backend")
        .await
        .unwrap();
    assert_eq!(deleted.entity, now);
    let again = store.delete_entity(of, None, until, "backend").await;
    assert!(matches!(again, Err(Error::Missing(_))));
}

async fn join(store: &Store, group: &str, user: &str) {
    let (group, user) = (entity_id(group), entity_id(user));
    let company = acme();
    let joined = store.add_member(&company, &group, (Kind::User, &user), "backend");
    joined.await.unwrap();
}

async fn count(store: &Store, group: &str) -> u64 {
    let (company, group) = (acme(), entity_id(group));
    store.member_count(&company, &group).await.unwrap()
}

#[tokio::test]
async fn the_id_of_what_was_deleted_is_free_only_when_it_is_gone_for_good() {
    let home = Home::new();
    let store = home.open().await;
    let ann = create(&store, Kind::User, "ann", "ann@acme.example");
    let ann = ann.await.unwrap();
    let team = create(&store, Kind::Group, "team", "team@acme.example");
    let team = team.await.unwrap();
    create(&store, Kind::Group, "all", "all@acme.example")
        .await
        .unwrap();
    join(&store, "team", "ann").await;
    let until = home.clock.now() + WEEK;
    delete(&store, team, until).await;
    delete(&store, ann, until).await;
    let absent = async || {
        let of = [
            (Kind::User, "ann"),
            (Kind::Group, "team"),
            (Kind::Group, "all"),
        ];
        let of = of.map(|(kind, id)| (kind, entity_id(id)));
        let absent = store.absent_among(&acme(), of.into()).await.unwrap();
        let absent = absent.into_iter();
        let mut absent: Vec<_> = absent
            .map(|((_, id), kept)| (id.to_string(), kept))
            .collect();
        absent.sort();
        absent
    };
    let both = |kept| [("ann".to_owned(), kept), ("team".to_owned(), kept)];
    assert_eq!(absent().await, both(true));

    // Another one under the id would have its members, and lose its memberships when the first is let go.
    for (kind, id) in [(Kind::User, "ann"), (Kind::Group, "team")] {
        let again = create(&store, kind, id, "new@acme.example").await;
        assert!(
            matches!(&again, Err(Error::Taken { what: "id", .. })),
            "{again:?}"
        );
    }

    assert!(store.purge_deleted(until, None).await.unwrap().is_none());
    assert_eq!(absent().await, both(false));
    create(&store, Kind::Group, "team", "team@acme.example")
        .await
        .unwrap();
    create(&store, Kind::User, "ann", "ann@acme.example")
        .await
        .unwrap();
    assert_eq!(count(&store, "team").await, 0);
    join(&store, "all", "ann").await;
    assert!(store.purge_deleted(until, None).await.unwrap().is_none());
    assert_eq!(count(&store, "all").await, 1);
}

#[tokio::test]
async fn who_is_had_back_before_his_group_is_in_it_when_that_is_had_back() {
    let home = Home::new();
    let store = home.open().await;
    let ann = create(&store, Kind::User, "ann", "ann@acme.example");
    let ann = ann.await.unwrap();
    let team = create(&store, Kind::Group, "team", "team@acme.example");
    let team = team.await.unwrap();
    join(&store, "team", "ann").await;
    let until = home.clock.now() + WEEK;
    delete(&store, ann.clone(), until).await;
    delete(&store, team.clone(), until).await;
    for of in [&ann, &team] {
        let back = store.undelete_entity(&of.company, of.kind, &of.id, "backend");
        back.await.unwrap();
    }
    assert_eq!(count(&store, "team").await, 1);
}

#[tokio::test]
async fn a_membership_of_what_was_deleted_is_kept_for_when_it_is_had_back() {
    let home = Home::new();
    let (store, integration, run) = with_run(&home).await;
    let ann = create(&store, Kind::User, "ann", "ann@acme.example");
    let ann = ann.await.unwrap();
    create(&store, Kind::Group, "team", "team@acme.example")
        .await
        .unwrap();
    let until = home.clock.now() + WEEK;
    let membership = |member: &str, origin: MemberOrigin, add: bool| MemberWrite {
        group: entity_id("team"),
        kind: Kind::User,
        member: entity_id(member),
        origin,
        add,
    };
    let commit = async |members: Vec<MemberWrite>| {
        let mut given = slice(&run);
        given.members = members;
        store.commit(given).await.unwrap();
    };
    let had_back = async || {
        let back = store.undelete_entity(&ann.company, ann.kind, &ann.id, "backend");
        back.await.unwrap()
    };
    delete(&store, ann.clone(), until).await;
    let mine = MemberOrigin::Integration(integration.uid);
    let both = vec![
        membership("ann", MemberOrigin::Caller, true),
        membership("bob", MemberOrigin::Caller, true),
        membership("ann", mine, true),
    ];
    commit(both.clone()).await;
    assert_eq!(count(&store, "team").await, 1, "bob alone");
    let (company, team, all) = (acme(), entity_id("team"), page(10));
    let groups = store.groups_of(&company, Kind::User, &ann.id, &all);
    assert!(groups.await.unwrap().items.is_empty());
    let writes = store.writes();
    commit(both).await;
    assert_eq!(store.writes() - writes, 1, "the run's row alone");
    let back = had_back().await;
    let members = store.members(&company, &team, &all);
    let members = members.await.unwrap().items;
    // The integration remembers nothing of it.
    assert_eq!(members.len(), 2);
    assert_eq!(members[0].origins, [MemberOrigin::Caller]);

    delete(&store, back, until).await;
    commit(vec![membership("ann", MemberOrigin::Caller, false)]).await;
    had_back().await;
    assert_eq!(count(&store, "team").await, 1);
}

/// An integration that provisions ann and puts her into groups.
struct Scene {
    home: Home,
    store: Store,
    integration: Integration,
    run: Run,
    ann: Entity,
}

impl Scene {
    async fn new() -> Self {
        let home = Home::new();
        let (store, integration, run) = with_run(&home).await;
        let (ann, link, _) = provisioned(&integration, 1);
        let written = Slice {
            entities: vec![ann.clone()],
            links: vec![(Kind::User, link)],
            ..slice(&run)
        };
        store.commit(written).await.unwrap();
        Self {
            home,
            store,
            integration,
            run,
            ann,
        }
    }

    fn membership(&self, group: &str, origin: MemberOrigin) -> MemberWrite {
        MemberWrite {
            group: entity_id(group),
            kind: Kind::User,
            member: self.ann.id.clone(),
            origin,
            add: true,
        }
    }

    /// Provisions a new group with ann in it.
    async fn provision(&self, name: &str) {
        let of = self.integration.uid;
        let mut group = entity(&acme(), Kind::Group, name, &format!("{name}@acme.example"));
        group.create_time = self.home.clock.now();
        group.links.push(EntityLink {
            integration: of,
            source: source(name),
        });
        let (_, link, _) = provisioned(&self.integration, 1);
        let member = AppliedMember {
            kind: Kind::User,
            source: link.source.clone(),
            state: MemberState::Applied(self.ann.id.clone()),
        };
        let link = Link {
            source: source(name),
            target: Some((entity_id(name), LinkOrigin::Created)),
            ..link
        };
        let written = Slice {
            entities: vec![group],
            links: vec![(Kind::Group, link)],
            members: vec![self.membership(name, MemberOrigin::Integration(of))],
            remembered: vec![(source(name), vec![member], Vec::new())],
            ..slice(&self.run)
        };
        self.store.commit(written).await.unwrap();
    }

    /// Deletes an object of this kind; it can be had back for twenty days.
    async fn delete(&self, kind: Kind, id: &EntityId) {
        let until = self.home.clock.now() + 20 * DAY;
        let of = (&self.ann.company, kind, id);
        let deleted = self.store.delete_entity(of, None, until, "backend");
        deleted.await.unwrap();
    }

    async fn begin_deletion(&self) {
        let of = &self.integration;
        let begun = self.store.begin_deletion(&of.company, &of.id, None);
        begun.await.unwrap();
    }

    /// Deletes so much of the integration; whether that is not all of it.
    async fn delete_slices(&self, most: usize) -> bool {
        for _ in 0..most {
            if !self.store.delete_slice(&self.integration).await.unwrap() {
                return false;
            }
        }
        true
    }

    async fn have_ann_back(&self) {
        let Entity {
            company, kind, id, ..
        } = &self.ann;
        let back = self.store.undelete_entity(company, *kind, id, "backend");
        back.await.unwrap();
    }

    /// The groups in which ann is, and for whose sake.
    async fn groups(&self) -> Vec<(String, Vec<MemberOrigin>)> {
        let (company, all) = (acme(), page(10));
        let groups = self
            .store
            .groups_of(&company, Kind::User, &self.ann.id, &all);
        let mut found = Vec::new();
        for group in groups.await.unwrap().items {
            let members = self.store.members(&company, &group, &all).await.unwrap();
            let ann = members.items.into_iter().find(|one| one.id == self.ann.id);
            found.push((group.to_string(), ann.unwrap().origins));
        }
        found
    }
}

#[tokio::test]
async fn who_is_had_back_though_the_integration_goes_is_in_the_groups_that_it_put_him_into() {
    let (mut slices, mut more) = (0, true);
    while more {
        let scene = Scene::new().await;
        scene.provision("before").await;
        scene.delete(Kind::User, &scene.ann.id).await;
        scene.home.clock.advance(DAY);
        scene.provision("since").await;
        let theirs = MemberOrigin::Integration(Uid::generate());
        let written = Slice {
            members: vec![scene.membership("theirs", theirs)],
            ..slice(&scene.run)
        };
        scene.store.commit(written).await.unwrap();
        create(&scene.store, Kind::Group, "theirs", "theirs@acme.example")
            .await
            .unwrap();
        scene.begin_deletion().await;
        more = scene.delete_slices(slices).await;
        scene.have_ann_back().await;
        if more {
            while scene.delete_slices(1).await {}
        }
        let both = ["before", "since"].map(|id| (id.to_owned(), vec![MemberOrigin::Caller]));
        assert_eq!(scene.groups().await, both, "after {slices} slices");
        slices += 1;
    }
    assert!(slices > 4, "{slices}");
}

#[tokio::test]
async fn who_is_had_back_is_in_no_other_group_that_came_in_the_place_of_his() {
    let scene = Scene::new().await;
    scene.provision("team").await;
    scene.delete(Kind::Group, &entity_id("team")).await;
    scene.home.clock.advance(10 * DAY);
    scene.delete(Kind::User, &scene.ann.id).await;
    scene.begin_deletion().await;
    while scene.delete_slices(1).await {}
    scene.home.clock.advance(11 * DAY);
    let now = scene.home.clock.now();
    scene.store.purge_deleted(now, None).await.unwrap();
    let mut other = entity(&acme(), Kind::Group, "team", "other@acme.example");
    other.create_time = now;
    scene.store.create_entity(other, None).await.unwrap();
    scene.have_ann_back().await;
    assert_eq!(scene.groups().await, []);
}
