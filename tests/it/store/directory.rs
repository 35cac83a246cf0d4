//! Users and groups of the directory.

use super::fixtures::*;
use provisiond::{
    model::{Attribute, EntityId, Kind, PageRequest, Value},
    store::{Error, check_size},
};

fn taken(error: Error) -> &'static str {
    match error {
        Error::Taken { what, .. } => what,
        other => panic!("{other:?}"),
    }
}

#[tokio::test]
async fn an_object_comes_back_as_it_was_given_with_revision_1() {
    let home = Home::new();
    let store = home.open().await;
    let integration = integration(&acme(), "main");
    let (mut given, _, _) = provisioned(&integration, 1);
    given.deactivated_by_hand = true;
    let made = store.create_entity(given.clone(), None).await.unwrap();
    given.revision = 1;
    assert_eq!(made.value, given);
    store.close().await.unwrap();
    let store = home.open().await;
    let read = store.entity(&acme(), Kind::User, &given.id).await.unwrap();
    assert_eq!(read.as_ref(), Some(&given));
    let none = store.entity(&acme(), Kind::Group, &given.id).await.unwrap();
    assert_eq!(none, None);
}

#[tokio::test]
async fn an_address_is_unique_over_users_and_groups_without_regard_to_case_and_form() {
    let home = Home::new();
    let store = home.open().await;
    let user = entity(&acme(), Kind::User, "u", "J\u{e9}r\u{f4}me@Acme.example");
    store.create_entity(user.clone(), None).await.unwrap();
    // The same letters, their accents written apart.
    let group = entity(
        &acme(),
        Kind::Group,
        "g",
        "JE\u{301}RO\u{302}ME@acme.example",
    );
    let clash = store.create_entity(group.clone(), None).await;
    assert_eq!(taken(clash.unwrap_err()), "email");
    let found = store
        .entity_by_email(&acme(), " j\u{e9}r\u{f4}me@acme.EXAMPLE ")
        .await
        .unwrap()
        .unwrap();
    assert_eq!(
        (found.id.as_str(), found.email()),
        ("u", "J\u{e9}r\u{f4}me@Acme.example")
    );
    let mut elsewhere = group;
    elsewhere.company = company("other");
    store.create_entity(elsewhere, None).await.unwrap();
}

#[tokio::test]
async fn an_id_is_taken_once_per_kind() {
    let home = Home::new();
    let store = home.open().await;
    let user = entity(&acme(), Kind::User, "x", "u@acme.example");
    store.create_entity(user, None).await.unwrap();
    let same = entity(&acme(), Kind::User, "x", "v@acme.example");
    let clash = store.create_entity(same, None).await;
    assert_eq!(taken(clash.unwrap_err()), "id");
    let group = entity(&acme(), Kind::Group, "x", "g@acme.example");
    store.create_entity(group, None).await.unwrap();
}

#[tokio::test]
async fn a_repeated_request_answers_with_the_object_as_it_is_now() {
    let home = Home::new();
    let (store, _, run) = with_run(&home).await;
    let user = entity(&acme(), Kind::User, "x", "u@acme.example");
    let made = store
        .create_entity(user.clone(), request("r", 1))
        .await
        .unwrap();
    let mut changed = made.value;
    set_email(&mut changed, "renamed@acme.example");
    let mut slice = slice(&run);
    slice.entities.push(changed.clone());
    store.commit(slice).await.unwrap();
    changed.revision = 2;
    let again = store
        .create_entity(user.clone(), request("r", 1))
        .await
        .unwrap();
    assert_eq!((again.value, again.replayed), (changed, true));
    let misused = store.create_entity(user, request("r", 2)).await;
    assert_eq!(taken(misused.unwrap_err()), "request_id");
}

#[tokio::test]
async fn objects_are_listed_in_pages_by_kind() {
    let home = Home::new();
    let store = home.open().await;
    let mut ids: Vec<String> = (0..7).map(|_| EntityId::generate().to_string()).collect();
    ids.extend(["own-1".to_owned(), "own-2".to_owned()]);
    for id in ids.iter().rev() {
        let user = entity(&acme(), Kind::User, id, &format!("{id}@acme.example"));
        store.create_entity(user, None).await.unwrap();
    }
    let group = entity(&acme(), Kind::Group, "g", "g@acme.example");
    store.create_entity(group, None).await.unwrap();
    let (mut listed, mut token) = (Vec::new(), None);
    loop {
        let page = PageRequest { size: 3, token };
        let part = store.entities(&acme(), Kind::User, &page).await.unwrap();
        listed.extend(part.items.into_iter().map(|user| user.id.to_string()));
        token = part.next;
        if token.is_none() {
            break;
        }
    }
    assert_eq!(listed, ids);
}

#[tokio::test]
async fn an_object_that_is_too_large_is_refused_in_words() {
    let home = Home::new();
    let store = home.open().await;
    let mut user = entity(&acme(), Kind::User, "x", "u@acme.example");
    user.attributes
        .set(Attribute::TITLE, Value::Text("x".repeat(5_500)));
    check_size(&user).unwrap();
    store.create_entity(user.clone(), None).await.unwrap();
    user.id = EntityId::generate();
    set_email(&mut user, "other@acme.example");
    user.attributes
        .set(Attribute::TITLE, Value::Text("x".repeat(6_200)));
    assert!(check_size(&user).is_err());
    let refused = store.create_entity(user.clone(), None).await;
    match refused {
        Err(Error::Refused(text)) => assert!(text.contains("too long"), "{text}"),
        other => panic!("{other:?}"),
    }
    let by_email = store.entity_by_email(&acme(), "other@acme.example").await;
    assert_eq!(by_email.unwrap(), None);
}
