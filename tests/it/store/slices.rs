//! Slices: all or nothing.

use super::fixtures::*;
use provisiond::{
    model::{
        Attribute, Change, Diff, Fingerprint, Found, Kind, Link, LinkOrigin, MemberOrigin,
        MemberWrite, Outcome, Reason, Value, Wanted,
    },
    store::{ChangeFilter, SliceError, Store},
};

/// Everything that a slice could have touched.
async fn everything(store: &Store, integration: &provisiond::model::Integration) -> String {
    let users = store.entities(&acme(), Kind::User, &page(1000)).await;
    let groups = store.entities(&acme(), Kind::Group, &page(1000)).await;
    let links = store.links(integration.uid, Kind::User, None, 1000).await;
    let runs = store.runs(&acme(), None, &page(1000)).await;
    let changes = store
        .changes(&acme(), &ChangeFilter::default(), &page(1000))
        .await;
    let events = store.events(&acme(), 0, 1000).await;
    let members = store
        .members(&acme(), &entity_id("g"), &page(1000))
        .await
        .unwrap();
    let remembered = store.remembered(integration.uid, &source("gs")).await;
    format!(
        "{users:?}\n{groups:?}\n{links:?}\n{runs:?}\n{changes:?}\n{events:?}\n{members:?}\n{remembered:?}\n{}",
        store.writes()
    )
}

#[tokio::test]
async fn everything_in_a_slice_is_there_after_a_restart() {
    let home = Home::new();
    let (store, integration, mut run) = with_run(&home).await;
    run.tally.objects.added = 1;
    let (mut user, link, change) = provisioned(&integration, 1);
    let mut given = slice(&run);
    given.entities.push(user.clone());
    given.links.push((Kind::User, link.clone()));
    given.changes.push(change.clone());
    store.commit(given).await.unwrap();
    store.close().await.unwrap();
    let store = home.open().await;
    user.revision = 1;
    let wanted = vec![Wanted {
        source: link.source.clone(),
        email: user.email().to_owned(),
    }];
    let found = store
        .find(&acme(), integration.uid, Kind::User, wanted)
        .await
        .unwrap();
    let expected = Found {
        link: Some(link),
        target: Some(user),
        holder: None,
    };
    assert_eq!(found, [expected]);
    let read = store
        .run(&acme(), &integration.id, &run.id)
        .await
        .unwrap()
        .unwrap();
    assert_eq!(read, run);
    let changes = store
        .changes(&acme(), &ChangeFilter::default(), &page(10))
        .await
        .unwrap();
    assert_eq!(changes.items[0].change, change);
    assert_eq!(changes.items.len(), 1);
}

#[tokio::test]
async fn swapped_addresses_are_written_in_one_slice() {
    let home = Home::new();
    let (store, _, run) = with_run(&home).await;
    let mut all = Vec::new();
    for (kind, id, email) in [
        (Kind::User, "a", "one@acme.example"),
        (Kind::User, "b", "two@acme.example"),
        (Kind::Group, "c", "three@acme.example"),
    ] {
        let given = entity(&acme(), kind, id, email);
        all.push(store.create_entity(given, None).await.unwrap().value);
    }
    // One step on in the circle.
    for (place, email) in ["TWO", "three", "one"].iter().enumerate() {
        set_email(&mut all[place], &format!("{email}@acme.example"));
    }
    let mut given = slice(&run);
    given.entities.clone_from(&all);
    store.commit(given).await.unwrap();
    for (email, id) in [("one", "c"), ("two", "a"), ("three", "b")] {
        let holder = store
            .entity_by_email(&acme(), &format!("{email}@acme.example"))
            .await
            .unwrap()
            .unwrap();
        assert_eq!((holder.id.as_str(), holder.revision), (id, 2));
    }
}

#[tokio::test]
async fn an_address_that_is_given_up_in_a_slice_is_free_in_it_and_no_longer_the_old_ones() {
    let home = Home::new();
    let (store, _, run) = with_run(&home).await;
    let old = entity(&acme(), Kind::User, "old", "x@acme.example");
    let mut old = store.create_entity(old, None).await.unwrap().value;
    set_email(&mut old, "former@acme.example");
    let new = entity(&acme(), Kind::User, "new", "X@acme.example");
    let mut given = slice(&run);
    // The new holder first: the order in the slice does not matter.
    given.entities = vec![new, old];
    store.commit(given).await.unwrap();
    for (email, id) in [("x", "new"), ("former", "old")] {
        let holder = store
            .entity_by_email(&acme(), &format!("{email}@acme.example"))
            .await
            .unwrap();
        assert_eq!(holder.unwrap().id.as_str(), id);
    }
}

#[tokio::test]
async fn a_slice_with_conflicts_names_them_all_and_leaves_nothing() {
    let home = Home::new();
    let (store, integration, run) = with_run(&home).await;
    for (kind, id, email) in [
        (Kind::User, "stale", "stale@acme.example"),
        (Kind::Group, "holder", "taken@acme.example"),
    ] {
        let given = entity(&acme(), kind, id, email);
        store.create_entity(given, None).await.unwrap();
    }
    let (good, link, change) = provisioned(&integration, 1);
    let mut stale = entity(&acme(), Kind::User, "stale", "stale@acme.example");
    stale.revision = 7;
    let exists = entity(&acme(), Kind::User, "stale", "new@acme.example");
    let taken = entity(&acme(), Kind::User, "wants", "Taken@acme.example");
    let same_1 = entity(&acme(), Kind::User, "same-1", "same@acme.example");
    let same_2 = entity(&acme(), Kind::User, "same-2", "same@acme.example");
    let mut given = slice(&run);
    given.run.tally.objects.considered = 99;
    given.entities = vec![good, stale, exists, taken, same_1, same_2];
    given.links.push((Kind::User, link));
    given.members.push(MemberWrite {
        group: entity_id("g"),
        kind: Kind::User,
        member: entity_id("stale"),
        origin: MemberOrigin::Caller,
        add: true,
    });
    given.changes.push(change);
    let before = everything(&store, &integration).await;
    let conflicts = store.commit(given).await.unwrap_err();
    assert_eq!(conflicts, SliceError::Conflicts(vec![1, 2, 3, 5]));
    assert_eq!(everything(&store, &integration).await, before);
}

#[tokio::test]
async fn a_slice_that_fails_late_leaves_nothing_and_no_gap_in_the_sequence() {
    let home = Home::new();
    let (store, integration, run) = with_run(&home).await;
    let (mut good, link, change) = provisioned(&integration, 1);
    let mut given = slice(&run);
    given.run.id = provisiond::model::RunId::generate();
    given.entities.push(good.clone());
    given.links.push((Kind::User, link.clone()));
    given.changes.push(change.clone());
    let before = everything(&store, &integration).await;
    let failed = store.commit(given.clone()).await.unwrap_err();
    assert!(matches!(failed, SliceError::Store(_)), "{failed:?}");
    assert_eq!(everything(&store, &integration).await, before);
    given.run.id = run.id.clone();
    good.attributes
        .set(Attribute::TITLE, Value::Text("x".repeat(7_000)));
    given.entities[0] = good;
    let failed = store.commit(given.clone()).await.unwrap_err();
    assert!(matches!(failed, SliceError::Store(_)), "{failed:?}");
    assert_eq!(everything(&store, &integration).await, before);
    let last = store.last_sequence(&acme()).await.unwrap();
    given.entities.clear();
    store.commit(given).await.unwrap();
    assert_eq!(store.last_sequence(&acme()).await.unwrap(), last + 1);
}

#[tokio::test]
async fn a_slice_without_the_runs_company_is_refused() {
    let home = Home::new();
    let (store, integration, run) = with_run(&home).await;
    let mut given = slice(&run);
    let foreign = entity(&company("other"), Kind::User, "x", "x@other.example");
    given.entities.push(foreign);
    let before = everything(&store, &integration).await;
    let refused = store.commit(given).await.unwrap_err();
    assert!(matches!(refused, SliceError::Store(_)));
    assert_eq!(everything(&store, &integration).await, before);
}

#[tokio::test]
async fn find_tells_who_else_holds_the_address() {
    let home = Home::new();
    let (store, integration, run) = with_run(&home).await;
    let (user, link, _) = provisioned(&integration, 1);
    let mut given = slice(&run);
    given.entities.push(user.clone());
    given.links.push((Kind::User, link.clone()));
    let observed = Link {
        source: source("observed"),
        target: None,
        fingerprint: Fingerprint::NONE,
        members_fingerprint: Fingerprint(9),
        active: false,
        has_members: true,
        absent: true,
        told: Fingerprint(11),
    };
    given.links.push((Kind::User, observed.clone()));
    store.commit(given).await.unwrap();
    let group = entity(&acme(), Kind::Group, "g", "group@acme.example");
    let group = store.create_entity(group, None).await.unwrap().value;
    let ask = |source: &str, email: &str| Wanted {
        source: self::source(source),
        email: email.to_owned(),
    };
    let wanted = vec![
        ask(link.source.as_str(), "USER1@acme.example"),
        ask(link.source.as_str(), "group@acme.example"),
        ask("observed", "user1@acme.example"),
        ask("unknown", "nobody@acme.example"),
    ];
    let found = store
        .find(&acme(), integration.uid, Kind::User, wanted)
        .await
        .unwrap();
    let ids = |found: &Found| {
        let id = |e: &Option<provisiond::model::Entity>| e.as_ref().map(|e| e.id.clone());
        (found.link.clone(), id(&found.target), id(&found.holder))
    };
    let user = Some(user.id);
    assert_eq!(ids(&found[0]), (Some(link.clone()), user.clone(), None));
    assert_eq!(ids(&found[1]), (Some(link), user.clone(), Some(group.id)));
    assert_eq!(ids(&found[2]), (Some(observed), None, user));
    assert_eq!(found[3], Found::default());
}

#[tokio::test]
async fn links_are_scanned_in_order_from_any_place() {
    let home = Home::new();
    let (store, integration, run) = with_run(&home).await;
    let link = |n: usize| Link {
        source: source(&format!("s{n:03}")),
        target: n
            .is_multiple_of(2)
            .then(|| (entity_id(&format!("e{n}")), LinkOrigin::Adopted)),
        fingerprint: Fingerprint(n as u64),
        members_fingerprint: Fingerprint::NONE,
        active: true,
        has_members: false,
        absent: false,
        told: Fingerprint::NONE,
    };
    let mut given = slice(&run);
    given.links = (0..50).rev().map(|n| (Kind::User, link(n))).collect();
    given.links.push((Kind::Group, link(3)));
    store.commit(given).await.unwrap();
    let scan = |after: Option<&str>, limit| {
        store.links(integration.uid, Kind::User, after.map(source), limit)
    };
    let first = scan(None, 20).await.unwrap();
    assert_eq!(first, (0..20).map(link).collect::<Vec<_>>());
    let rest = scan(Some("s019"), 1000).await.unwrap();
    assert_eq!(rest, (20..50).map(link).collect::<Vec<_>>());
    let asked = vec![source("s007"), source("none"), source("s001")];
    let some = store
        .links_of(integration.uid, Kind::User, asked)
        .await
        .unwrap();
    assert_eq!(some, [Some(link(7)), None, Some(link(1))]);
}

#[tokio::test]
async fn slices_commit_in_the_order_of_the_calls_whoever_awaits_them_first() {
    let home = Home::new();
    let (store, integration, run) = with_run(&home).await;
    let answers: Vec<_> = (0..20u64)
        .map(|n| {
            let mut given = slice(&run);
            given.run.tally.objects.considered = n;
            store.commit(given)
        })
        .collect();
    for answer in answers.into_iter().rev() {
        answer.await.unwrap();
    }
    let read = store.run(&acme(), &integration.id, &run.id).await.unwrap();
    assert_eq!(read.unwrap().tally.objects.considered, 19);
}

#[tokio::test]
async fn a_change_that_is_too_large_is_kept_with_its_values_shortened() {
    let home = Home::new();
    let (store, _, run) = with_run(&home).await;
    let diff = |n: usize, length: usize| Diff {
        attribute: Attribute::new(&format!("attribute{n}")),
        old: Some(Value::Text("\u{e9}".repeat(length))),
        new: Some(Value::List(vec!["\u{e9}".repeat(length); 30])),
    };
    let mut large: Change = change("1", "large@acme.example", Outcome::Failed);
    large.reason = Some(Reason::new("REJECTED", "w".repeat(20_000)));
    large.diffs = (0..40).map(|n| diff(n, 300)).collect();
    let mut huge: Change = change("2", &"h".repeat(20_000), Outcome::Failed);
    huge.diffs = vec![diff(0, 10_000)];
    let small = change("3", "small@acme.example", Outcome::Applied);
    let mut given = slice(&run);
    given.changes = vec![large.clone(), huge, small.clone()];
    store.commit(given).await.unwrap();
    let kept = store
        .changes(&acme(), &ChangeFilter::default(), &page(10))
        .await
        .unwrap()
        .items;
    let kept: Vec<_> = kept.into_iter().map(|recorded| recorded.change).collect();
    assert_eq!(kept.len(), 3);
    assert_eq!(
        (&kept[0].source, kept[0].outcome),
        (&large.source, large.outcome)
    );
    assert!(!kept[0].diffs.is_empty());
    assert_eq!(kept[1].source.id, "2");
    assert_eq!(kept[2], small);
}
