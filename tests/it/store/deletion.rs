//! Taking an integration away, slice by slice.

use super::fixtures::*;
use provisiond::{
    model::{
        AppliedMember, CompanyId, Entity, Integration, IntegrationState, Kind, Link, LinkOrigin,
        MemberOrigin, MemberState, MemberWrite, Outcome, Run, RunState, Secret,
    },
    store::{ChangeFilter, Error, Slice, Store},
};
use std::collections::BTreeSet;

/// More than two slices of users.
const USERS: usize = 230;

/// What is left of what an integration provisioned when it is gone.
#[derive(Debug, Clone, PartialEq)]
struct Left {
    attributes: Vec<(String, String)>,
    members: BTreeSet<String>,
}

/// An integration with users, a group of them all, rules, a token, a consent page and a run that has ended.
async fn provisioned_by(store: &Store, id: &str, from: usize) -> (Integration, Run) {
    let made = store.create_integration(integration(&acme(), id), None);
    let integration = made.await.unwrap().value;
    for name in ["users", "groups"] {
        store
            .create_rule(rule(&integration, name), None)
            .await
            .unwrap();
    }
    let token = Secret::new("token".to_owned());
    let authorized = store.authorize(
        &integration.company,
        &integration.id,
        consent("C01"),
        token,
        None,
    );
    let integration = authorized.await.unwrap();
    let late = moment() + std::time::Duration::from_secs(600);
    let begun = store.begin_authorization(pending(&integration, 7, late));
    begun.await.unwrap();
    let made = store.create_run(run(&integration), None).await.unwrap();
    let mut given = made;
    let numbers: Vec<usize> = (from..from + USERS).collect();
    for part in numbers.chunks(100) {
        let mut written = slice(&given);
        for number in part {
            let (user, link, change) = provisioned(&integration, *number);
            let target = user.id.clone();
            written.remembered.push((
                source("team"),
                vec![AppliedMember {
                    kind: Kind::User,
                    source: link.source.clone(),
                    state: MemberState::Applied(target.clone()),
                }],
                Vec::new(),
            ));
            written.members.push(MemberWrite {
                group: entity_id("team"),
                kind: Kind::User,
                member: target,
                origin: MemberOrigin::Integration(integration.uid),
                add: true,
            });
            written.entities.push(user);
            written.links.push((Kind::User, link));
            written.changes.push(change);
        }
        store.commit(written).await.unwrap();
    }
    store.commit(team_of(&given)).await.unwrap();
    given.state = RunState::Succeeded;
    store.save_run(given.clone(), None).await.unwrap();
    (integration, given)
}

/// The link of a group that is in the directory already, or is not looked at.
fn team_of(run: &Run) -> Slice {
    let link = Link {
        source: source("team"),
        target: Some((entity_id("team"), LinkOrigin::Adopted)),
        has_members: true,
        ..blank()
    };
    Slice {
        links: vec![(Kind::Group, link)],
        changes: vec![change("team", "team@acme.example", Outcome::Applied)],
        ..slice(run)
    }
}

fn blank() -> Link {
    let (_, link, _) = provisioned(&integration(&acme(), "x"), 0);
    Link {
        target: None,
        ..link
    }
}

async fn users(store: &Store) -> Vec<Entity> {
    let page = page(1000);
    let listed = store.entities(&acme(), Kind::User, &page).await.unwrap();
    listed.items
}

async fn left(store: &Store) -> Left {
    let mut attributes = Vec::new();
    for user in users(store).await {
        attributes.push((user.id.to_string(), format!("{:?}", user.attributes)));
    }
    let members = store
        .members(&acme(), &entity_id("team"), &page(1000))
        .await;
    let members = members.unwrap().items;
    Left {
        attributes,
        members: members.into_iter().map(|one| one.id.to_string()).collect(),
    }
}

/// Nothing of the integration is left but what it provisioned, and that is nobody's.
async fn is_gone(store: &Store, gone: &Integration, expected: &Left, others: usize) {
    assert_eq!(left(store).await, *expected);
    let found = store.integration(&acme(), &gone.id).await.unwrap();
    assert_eq!(found, None);
    for user in users(store).await {
        assert!(
            !user.owners.values().any(|owner| *owner == gone.id),
            "{user:?}"
        );
        assert_eq!(user.linked_to(gone.uid), None);
    }
    let members = store
        .members(&acme(), &entity_id("team"), &page(1000))
        .await;
    let ours = MemberOrigin::Integration(gone.uid);
    assert!(
        members
            .unwrap()
            .items
            .iter()
            .all(|one| !one.origins.contains(&ours))
    );
    for kind in [Kind::User, Kind::Group] {
        assert_eq!(store.links(gone.uid, kind, None, 10).await.unwrap(), []);
    }
    let remembered = store.remembered(gone.uid, &source("team")).await.unwrap();
    assert_eq!(remembered, []);
    assert_eq!(store.rules(&acme(), &gone.id).await.unwrap(), []);
    let all = store
        .changes(&acme(), &ChangeFilter::default(), &page(1000))
        .await;
    assert_eq!(all.unwrap().items.len(), others);
    assert!(store.unfinished_runs().await.unwrap().is_empty());
    assert!(store.deletions().await.unwrap().is_empty());
    // What was news before still can be read, less the changes that are gone.
    let events = store.events(&acme(), 0, usize::MAX).await.unwrap();
    assert!(events.len() > others);
}

#[tokio::test(flavor = "multi_thread")]
async fn an_integration_goes_in_slices_whatever_restarts_come_between() {
    let home = Home::new();
    let mut store = home.open().await;
    let (integration, _) = provisioned_by(&store, "main", 0).await;
    let expected = left(&store).await;
    assert_eq!(expected.attributes.len(), USERS);
    assert_eq!(expected.members.len(), USERS);
    store
        .begin_deletion(&acme(), &integration.id, None)
        .await
        .unwrap();
    let mut slices = 1;
    loop {
        let more = store.delete_slice(&integration).await.unwrap();
        store.close().await.unwrap();
        store = home.open().await;
        if !more {
            break;
        }
        slices += 1;
        assert_eq!(left(&store).await, expected, "after {slices} slices");
        let [deleting] = &store.deletions().await.unwrap()[..] else {
            panic!("not resumable after {slices} slices");
        };
        assert_eq!(deleting.uid, integration.uid);
    }
    assert!(slices > 10, "{slices}");
    is_gone(&store, &integration, &expected, 0).await;
    // Its id, its title and its customer are free.
    let other = CompanyId::try_new("other").unwrap();
    let again = super::fixtures::integration(&acme(), "main");
    store.create_integration(again, None).await.unwrap();
    let elsewhere = super::fixtures::integration(&other, "main");
    let elsewhere = store
        .create_integration(elsewhere, None)
        .await
        .unwrap()
        .value;
    let token = Secret::new("token".to_owned());
    let bound = store.authorize(&other, &elsewhere.id, consent("C01"), token, None);
    bound.await.unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn what_another_integration_holds_stays_its_own() {
    let home = Home::new();
    let store = home.open().await;
    let (first, _) = provisioned_by(&store, "first", 0).await;
    let (second, _) = provisioned_by(&store, "second", USERS).await;
    let expected = left(&store).await;
    assert!(store.shares_token(&first).await.unwrap());
    store
        .begin_deletion(&acme(), &first.id, None)
        .await
        .unwrap();
    assert!(
        !store.shares_token(&second).await.unwrap(),
        "one that goes does not count"
    );
    while store.delete_slice(&first).await.unwrap() {}
    is_gone(&store, &first, &expected, USERS + 1).await;
    let owned = users(&store).await.into_iter().filter(|user| {
        user.owners.values().all(|owner| *owner == second.id) && !user.owners.is_empty()
    });
    assert_eq!(owned.count(), USERS);
    assert_eq!(store.rules(&acme(), &second.id).await.unwrap().len(), 2);
    let members = store
        .members(&acme(), &entity_id("team"), &page(1000))
        .await;
    let theirs = MemberOrigin::Integration(second.uid);
    let held = members
        .unwrap()
        .items
        .into_iter()
        .filter(|one| one.origins == [theirs.clone()]);
    assert_eq!(held.count(), USERS);
    // The customer stays bound to the company while one integration lives by it.
    let other = CompanyId::try_new("other").unwrap();
    let elsewhere = integration(&other, "main");
    let elsewhere = store
        .create_integration(elsewhere, None)
        .await
        .unwrap()
        .value;
    let token = Secret::new("token".to_owned());
    let refused = store
        .authorize(&other, &elsewhere.id, consent("C01"), token, None)
        .await;
    assert!(
        matches!(
            refused,
            Err(Error::Taken {
                what: "customer",
                ..
            })
        ),
        "{refused:?}"
    );
}

fn deleting(error: &Error) {
    assert!(matches!(error, Error::Deleting(_)), "{error:?}");
}

async fn rules_stay(store: &Store, given: &Integration) {
    deleting(
        &store
            .create_rule(rule(given, "more"), None)
            .await
            .unwrap_err(),
    );
    let kept = store.rules(&acme(), &given.id).await.unwrap().remove(0);
    deleting(
        &store
            .update_rule(kept.clone(), kept.update_time)
            .await
            .unwrap_err(),
    );
    deleting(
        &store
            .delete_rule(&acme(), &given.id, &kept.id, None)
            .await
            .unwrap_err(),
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn while_it_is_being_deleted_nothing_about_it_changes_and_its_id_is_taken() {
    let home = Home::new();
    let store = home.open().await;
    let (given, ended) = provisioned_by(&store, "main", 0).await;
    let not_yet = store.delete_slice(&given).await.unwrap_err();
    assert!(matches!(not_yet, Error::Refused(_)), "{not_yet:?}");
    let stale = store.begin_deletion(
        &given.company,
        &given.id,
        Some(given.update_time + std::time::Duration::from_secs(1)),
    );
    assert!(matches!(stale.await, Err(Error::Changed(_))));
    let begun = store
        .begin_deletion(&acme(), &given.id, Some(given.update_time))
        .await
        .unwrap();
    assert_eq!(begun.state, IntegrationState::Deleting);
    let before = store.writes();
    deleting(
        &store
            .begin_deletion(&acme(), &given.id, None)
            .await
            .unwrap_err(),
    );
    let titled = store.update_integration(&given.company, &given.id, |one| {
        one.title = "New".to_owned();
        Ok(None)
    });
    deleting(&titled.await.unwrap_err());
    rules_stay(&store, &given).await;
    deleting(&store.create_run(run(&given), None).await.unwrap_err());
    deleting(
        &store
            .begin_authorization(pending(&given, 8, moment()))
            .await
            .unwrap_err(),
    );
    let token = || Secret::new("token".to_owned());
    deleting(
        &store
            .authorize(&acme(), &given.id, consent("C01"), token(), None)
            .await
            .unwrap_err(),
    );
    deleting(
        &store
            .replace_refresh_token(&acme(), &given.id, token())
            .await
            .unwrap_err(),
    );
    let again = store
        .create_integration(integration(&acme(), "main"), None)
        .await;
    assert!(
        matches!(again, Err(Error::Taken { what: "id", .. })),
        "{again:?}"
    );
    assert_eq!(store.writes(), before);
    // A run that was going on may still be shown as over.
    store.save_run(ended, None).await.unwrap();
}
