//! Memberships and remembered members.

use super::fixtures::*;
use provisiond::{
    model::{
        AppliedMember, EntityId, Kind, Member, MemberOrigin, MemberState, MemberWrite, PageRequest,
        Uid,
    },
    store::Store,
};

fn write(group: &str, member: &EntityId, origin: &MemberOrigin, add: bool) -> MemberWrite {
    MemberWrite {
        group: entity_id(group),
        kind: Kind::User,
        member: member.clone(),
        origin: origin.clone(),
        add,
    }
}

async fn all_members(store: &Store, group: &str, size: usize) -> Vec<Member> {
    let (mut all, mut token) = (Vec::new(), None);
    loop {
        let page = PageRequest { size, token };
        let part = store
            .members(&acme(), &entity_id(group), &page)
            .await
            .unwrap();
        assert!(part.items.len() <= size);
        all.extend(part.items);
        token = part.next;
        if token.is_none() {
            return all;
        }
    }
}

#[tokio::test]
async fn a_large_group_grows_and_shrinks_and_both_directions_agree() {
    let home = Home::new();
    let (store, integration, run) = with_run(&home).await;
    let origin = MemberOrigin::Integration(integration.uid);
    let members: Vec<EntityId> = (0..523).map(|_| EntityId::generate()).collect();
    for part in members.chunks(100) {
        let mut slice = slice(&run);
        slice.members = part.iter().map(|m| write("g", m, &origin, true)).collect();
        store.commit(slice).await.unwrap();
    }
    let count = store.member_count(&acme(), &entity_id("g")).await.unwrap();
    assert_eq!(count, 523);
    let listed = all_members(&store, "g", 50).await;
    let ids: Vec<_> = listed.into_iter().map(|member| member.id).collect();
    assert_eq!(ids, members);
    let mut doomed = slice(&run);
    doomed.members = members[10..520]
        .iter()
        .map(|m| write("g", m, &origin, false))
        .collect();
    store.commit(doomed).await.unwrap();
    let left: Vec<_> = members[..10].iter().chain(&members[520..]).collect();
    let listed = all_members(&store, "g", 7).await;
    let ids: Vec<_> = listed.iter().map(|member| &member.id).collect();
    assert_eq!(ids, left);
    for (place, member) in members.iter().enumerate() {
        let groups = store
            .groups_of(&acme(), Kind::User, member, &page(10))
            .await
            .unwrap();
        let is_left = !(10..520).contains(&place);
        assert_eq!(groups.items.len(), usize::from(is_left), "{place}");
    }
}

#[tokio::test]
async fn a_membership_stands_as_long_as_one_origin_does() {
    let home = Home::new();
    let (store, integration, run) = with_run(&home).await;
    let mine = MemberOrigin::Integration(integration.uid);
    let other = MemberOrigin::Integration(Uid::generate());
    let caller = MemberOrigin::Caller;
    let member = EntityId::generate();
    let steps: [(&MemberOrigin, bool, Vec<&MemberOrigin>); 7] = [
        (&mine, true, vec![&mine]),
        (&caller, true, vec![&caller, &mine]),
        (&other, true, vec![&caller, &mine, &other]),
        (&mine, true, vec![&caller, &mine, &other]),
        (&caller, false, vec![&mine, &other]),
        (&mine, false, vec![&other]),
        (&other, false, vec![]),
    ];
    for (origin, add, expected) in steps {
        let mut slice = slice(&run);
        slice.members.push(write("g", &member, origin, add));
        store.commit(slice).await.unwrap();
        let listed = all_members(&store, "g", 10).await;
        let origins: Vec<_> = listed.iter().flat_map(|m| &m.origins).collect();
        let mut expected = expected;
        expected.sort();
        assert_eq!(origins, expected);
    }
}

#[tokio::test]
async fn a_membership_that_is_there_already_costs_no_write() {
    let home = Home::new();
    let (store, integration, run) = with_run(&home).await;
    let origin = MemberOrigin::Integration(integration.uid);
    let member = EntityId::generate();
    let mut slice = slice(&run);
    slice.members.push(write("g", &member, &origin, true));
    store.commit(slice.clone()).await.unwrap();
    let writes = store.writes();
    store.commit(slice.clone()).await.unwrap();
    assert_eq!(store.writes() - writes, 1, "the run's row alone");
    let nobody = EntityId::generate();
    slice.members = vec![write("g", &nobody, &origin, false)];
    store.commit(slice).await.unwrap();
    assert_eq!(store.writes() - writes, 2, "the run's row alone");
}

#[tokio::test]
async fn groups_of_a_member_are_listed_in_pages() {
    let home = Home::new();
    let (store, integration, run) = with_run(&home).await;
    let origin = MemberOrigin::Integration(integration.uid);
    let member = EntityId::generate();
    let groups: Vec<String> = (0..250).map(|n| format!("group-{n:03}")).collect();
    let mut slice = slice(&run);
    slice.members = groups
        .iter()
        .map(|group| write(group, &member, &origin, true))
        .collect();
    store.commit(slice).await.unwrap();
    let (mut all, mut token) = (Vec::new(), None);
    loop {
        let page = PageRequest { size: 40, token };
        let part = store
            .groups_of(&acme(), Kind::User, &member, &page)
            .await
            .unwrap();
        all.extend(part.items.into_iter().map(|id| id.to_string()));
        token = part.next;
        if token.is_none() {
            break;
        }
    }
    assert_eq!(all, groups);
    let as_group = store
        .groups_of(&acme(), Kind::Group, &member, &page(10))
        .await
        .unwrap();
    assert!(as_group.items.is_empty());
}

#[tokio::test]
async fn remembered_members_are_put_replaced_and_forgotten() {
    let home = Home::new();
    let (store, integration, run) = with_run(&home).await;
    let group = source("group-1");
    let of = |n: usize, state: MemberState| AppliedMember {
        kind: if n.is_multiple_of(7) {
            Kind::Group
        } else {
            Kind::User
        },
        source: source(&format!("s{n:04}")),
        state,
    };
    let mut all: Vec<AppliedMember> = (0..300).map(|n| of(n, MemberState::Pending)).collect();
    let mut first = slice(&run);
    first.remembered = vec![(group.clone(), all.clone(), vec![])];
    store.commit(first).await.unwrap();
    all[5] = of(5, MemberState::Applied(EntityId::generate()));
    let mut second = slice(&run);
    let forgotten = (100..250).map(|n| source(&format!("s{n:04}"))).collect();
    second.remembered = vec![(group.clone(), vec![all[5].clone()], forgotten)];
    store.commit(second).await.unwrap();
    all.drain(100..250);
    store.close().await.unwrap();
    let store = home.open().await;
    let read = store.remembered(integration.uid, &group).await.unwrap();
    assert_eq!(read, all);
    let longer = store.remembered(integration.uid, &source("group-1x")).await;
    assert!(longer.unwrap().is_empty());
}
