//! Slices that were decided on something that somebody changes before they are written.

use super::fixtures::*;
use provisiond::{
    model::{Entity, Fingerprint, Kind, Link, Run},
    store::{LinkPart, Seen, Slice, SliceError, Store},
};

/// A run that has provisioned a user.
async fn with_user(home: &Home) -> (Store, Run, Entity, Link) {
    let (store, integration, run) = with_run(home).await;
    let (user, link, _) = provisioned(&integration, 1);
    let first = Slice {
        entities: vec![user.clone()],
        links: vec![(Kind::User, link.clone())],
        ..slice(&run)
    };
    store.commit(first).await.unwrap();
    (store, run, user, link)
}

#[tokio::test]
async fn a_slice_conflicts_if_what_it_was_decided_on_was_changed_meanwhile() {
    let home = Home::new();
    let (store, run, user, link) = with_user(&home).await;
    let write = |seen: Vec<Seen>| {
        let given = Slice {
            seen,
            links: vec![(Kind::User, link.clone())],
            ..slice(&run)
        };
        store.commit(given)
    };
    let target = |source: &str, revision: u64| Seen {
        kind: Kind::User,
        source: self::source(source),
        target: user.id.clone(),
        revision,
    };
    let conflict = |which: &[usize]| Err(SliceError::Conflicts(which.to_vec()));
    let own = link.source.as_str();
    write(vec![target(own, 1)]).await.unwrap();
    let both = vec![target(own, 1), target(own, 2)];
    assert_eq!(write(both).await, conflict(&[1]));
    // That of another source object does not lead there.
    assert_eq!(write(vec![target("other", 1)]).await, conflict(&[0]));

    let mut changed = store
        .entity(&acme(), Kind::User, &user.id)
        .await
        .unwrap()
        .unwrap();
    set_email(&mut changed, "new@acme.example");
    let changed = store.update_entity(changed, true).await.unwrap();
    assert_eq!(write(vec![target(own, 1)]).await, conflict(&[0]));
    let uid = run.integration_uid;
    let links = store.links_of(uid, Kind::User, vec![link.source.clone()]);
    let now = links.await.unwrap().remove(0).unwrap();
    assert_eq!(now.fingerprint, Fingerprint::NONE);

    let until = moment();
    let company = acme();
    let deleted = store.delete_entity((&company, Kind::User, &changed.id), None, until, "backend");
    deleted.await.unwrap();
    assert_eq!(write(vec![target(own, 2)]).await, conflict(&[0]));
    write(vec![target(own, 0)]).await.unwrap();
}

#[tokio::test]
async fn a_part_of_a_link_is_written_and_the_rest_stays_as_somebody_said_meanwhile() {
    let home = Home::new();
    let (store, run, user, link) = with_user(&home).await;
    let seen = store.entity(&acme(), Kind::User, &user.id).await.unwrap();
    store.update_entity(seen.unwrap(), true).await.unwrap();
    let given = Link {
        absent: true,
        has_members: true,
        members_fingerprint: Fingerprint(9),
        told: Fingerprint(8),
        ..link.clone()
    };
    let of_nobody = Link::observed(source("nobody"));
    let now = async || {
        let sources = vec![link.source.clone(), of_nobody.source.clone()];
        let links = store.links_of(run.integration_uid, Kind::User, sources);
        links.await.unwrap()
    };
    let absence = Slice {
        parts: vec![
            (Kind::User, given.clone(), LinkPart::Absence),
            (Kind::User, of_nobody.clone(), LinkPart::Absence),
        ],
        ..slice(&run)
    };
    store.commit(absence).await.unwrap();
    let reconsidered = Link {
        fingerprint: Fingerprint::NONE,
        told: Fingerprint::NONE,
        absent: true,
        ..link.clone()
    };
    assert_eq!(now().await, [Some(reconsidered), None]);
    let members = Slice {
        parts: vec![(
            Kind::User,
            Link {
                absent: false,
                ..given.clone()
            },
            LinkPart::Members,
        )],
        ..slice(&run)
    };
    store.commit(members).await.unwrap();
    let both = Link {
        fingerprint: Fingerprint::NONE,
        ..given
    };
    assert_eq!(now().await, [Some(both), None]);
}
