//! What callers deleted, and can have back.

use super::fixtures::*;
use provisiond::{
    model::{Clock as _, Entity, Kind, MemberOrigin, MemberWrite, Time},
    store::{Error, Store},
};
use std::time::Duration;

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
