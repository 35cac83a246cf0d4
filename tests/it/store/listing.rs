//! Users and groups in the order of an index, and one after the other.

use super::fixtures::*;
use provisiond::{
    model::{Attribute, Entity, EntityId, Kind, PageRequest, Value},
    store::{Along, Index, Store},
};

/// All of a kind along an index, by pages of so many; and how many pages that took.
async fn all(store: &Store, kind: Kind, along: Along, size: usize) -> (Vec<String>, usize) {
    let (mut found, mut token, mut pages) = (Vec::new(), None, 0);
    loop {
        let page = PageRequest { size, token };
        let part = store.entities_along(&acme(), kind, along, &page).await;
        let part = part.unwrap();
        assert!(part.items.len() <= size);
        pages += 1;
        found.extend(part.items.iter().map(|entity| entity.email().to_owned()));
        token = part.next;
        if token.is_none() {
            return (found, pages);
        }
    }
}

#[tokio::test]
async fn objects_are_listed_along_an_index_either_way() {
    let home = Home::new();
    let store = home.open().await;
    let mut emails = Vec::new();
    for n in 0..40 {
        let kind = if n % 5 == 0 { Kind::Group } else { Kind::User };
        let email = format!("{}{n}@acme.example", ["b", "A", "\u{e9}"][n % 3]);
        let made = entity(&acme(), kind, &format!("id-{:02}", 39 - n), &email);
        store.create_entity(made, None).await.unwrap();
        emails.push((kind, email));
    }
    store
        .create_entity(
            entity(&company("acme2"), Kind::User, "x", "a@x.example"),
            None,
        )
        .await
        .unwrap();
    for kind in [Kind::User, Kind::Group] {
        let of_kind = emails.iter().filter(|(of, _)| *of == kind);
        let mut by_id: Vec<String> = of_kind.map(|(_, email)| email.clone()).collect();
        by_id.reverse();
        let mut by_email = by_id.clone();
        by_email.sort_by_key(|email| email.to_lowercase());
        for (index, mut expected) in [(Index::Id, by_id), (Index::Email, by_email)] {
            for down in [false, true] {
                for size in [1, 7, 1000] {
                    let listed = all(&store, kind, Along { index, down }, size).await;
                    assert_eq!(listed.0, expected, "{kind} {index:?} {down} {size}");
                }
                expected.reverse();
            }
        }
    }
}

#[tokio::test]
async fn a_page_along_addresses_ends_although_nobody_of_the_kind_has_one() {
    let home = Home::new();
    let (store, integration, run) = with_run(&home).await;
    let mut number = 0;
    for _ in 0..21 {
        let mut given = slice(&run);
        for _ in 0..500 {
            given.entities.push(provisioned(&integration, number).0);
            number += 1;
        }
        store.commit(given).await.unwrap();
    }
    let group = entity(&acme(), Kind::Group, "last", "zzz@acme.example");
    store.create_entity(group, None).await.unwrap();
    let by_email = |down| Along {
        index: Index::Email,
        down,
    };
    let (found, pages) = all(&store, Kind::Group, by_email(false), 10).await;
    assert_eq!((found.len(), pages), (1, 2));
    let (found, pages) = all(&store, Kind::Group, by_email(true), 10).await;
    assert_eq!((found.len(), pages), (1, 2));
    let (found, pages) = all(&store, Kind::User, by_email(false), 1000).await;
    assert_eq!((found.len(), pages), (10_500, 11));
}

#[tokio::test]
async fn all_objects_are_looked_at_once_a_thousand_at_a_time() {
    let home = Home::new();
    let (store, integration, run) = with_run(&home).await;
    for part in 0..5 {
        let mut given = slice(&run);
        let users = (0..500).map(|n| provisioned(&integration, part * 500 + n).0);
        given.entities.extend(users);
        store.commit(given).await.unwrap();
    }
    let look = |seen: &mut Vec<(Vec<u8>, EntityId)>, place: &[u8], entity: Entity| {
        assert!(matches!(
            entity.attributes.get(&Attribute::ACTIVE),
            Some(Value::Bool(true))
        ));
        seen.push((place.to_vec(), entity.id));
    };
    let (mut seen, mut after, mut counts) = (Vec::new(), None, Vec::new());
    loop {
        (seen, after) = store
            .look_at_entities(&acme(), Kind::User, after, seen, look)
            .await
            .unwrap();
        counts.push(seen.len());
        if after.is_none() {
            break;
        }
    }
    assert_eq!(counts, [1000, 2000, 2500]);
    assert!(seen.is_sorted());
}
