use super::*;
use crate::model::{Attributes, CompanyId, EntityId, Uid, Value, WrittenBy};
use proptest::prelude::*;
use std::collections::BTreeMap;

fn entity(email: &str, department: Option<&str>, title: Option<&str>, second: i64) -> Entity {
    let texts = [
        (Attribute::USER_NAME, Some(email)),
        (Attribute::DEPARTMENT, department),
        (Attribute::TITLE, title),
    ];
    let texts = texts.into_iter();
    let given = texts.filter_map(|(name, text)| Some((name, Value::Text(text?.to_owned()))));
    let time = Time::from_second(second).unwrap();
    Entity {
        company: CompanyId::try_new("acme").unwrap(),
        kind: Kind::User,
        id: EntityId::generate(),
        uid: Uid::generate(),
        attributes: given.collect::<Attributes>(),
        owners: BTreeMap::new(),
        links: Vec::new(),
        deactivated_by_hand: false,
        written_by: WrittenBy::Caller("caller".to_owned()),
        revision: 1,
        create_time: time,
        update_time: time,
    }
}

fn order(text: &str) -> Order {
    Order::parse(Kind::User, text).unwrap()
}

/// The addresses in an order; ids are counted as given.
fn sorted(text: &str, entities: &[Entity]) -> Vec<String> {
    let order = order(text);
    let mut places: Vec<(Place, &str)> = (1u8..)
        .zip(entities)
        .map(|(id, entity)| (order.place(&[id], entity), entity.email()))
        .collect();
    places.sort();
    places
        .into_iter()
        .map(|(_, email)| email.to_owned())
        .collect()
}

#[test]
fn texts_are_sorted_without_case_and_who_has_none_comes_last() {
    let all = [
        entity("a@x", Some("sales"), Some("Boss"), 3),
        entity("b@x", None, Some("clerk"), 2),
        entity("c@x", Some("Accounts"), None, -1),
        entity("d@x", Some("SALES"), Some("ASSISTANT"), 1),
        entity("e@x", Some("\u{c9}tudes"), None, 0),
        entity("f@x", Some("E\u{301}tudes"), None, 5),
    ];
    for (by, expected) in [
        ("department", "c a d e f b"),
        ("department desc", "b e f a d c"),
        ("department, title", "c d a e f b"),
        ("department,title desc", "c a d e f b"),
        ("department desc , name desc", "b f e d a c"),
        ("title", "d a b c e f"),
        ("create_time", "c e d b a f"),
        ("update_time desc", "f a b d e c"),
        ("name", "a b c d e f"),
        ("email desc", "f e d c b a"),
    ] {
        let expected = expected.split(' ').map(|name| format!("{name}@x"));
        assert_eq!(sorted(by, &all), expected.collect::<Vec<_>>(), "{by}");
    }
}

#[test]
fn of_a_long_text_the_beginning_counts() {
    let long = |end: &str| "\u{fc}".repeat(CHARACTERS) + end;
    let all = [
        entity("a@x", Some(&long("b")), None, 0),
        entity("b@x", Some(&long("a")), None, 0),
        entity("c@x", Some(&long("")[2..]), None, 0),
    ];
    assert_eq!(sorted("department", &all), ["c@x", "a@x", "b@x"]);
    let place = order("department, title, email").place(&[1; 17], &all[0]);
    assert!(place.token().len() < 250, "{}", place.token());
}

#[test]
fn only_orders_that_are_understood_are_taken() {
    for text in [
        "department",
        " department  desc ,title",
        "name,email,title",
        "",
        "  ",
    ] {
        assert!(Order::parse(Kind::User, text).is_ok(), "{text}");
    }
    for text in [
        ",",
        "department,",
        ",department",
        "department asc",
        "department DESC",
        "Department",
        "department desc desc",
        "department title",
        "desc",
        "user_name",
        "shoe_size",
        "active",
        "department,department",
        "title, department, title desc",
        "title,department,given_name,family_name",
        "department;title",
        "department.title",
    ] {
        let refused = Order::parse(Kind::User, text);
        assert!(refused.is_err(), "{text}: {refused:?}");
    }
    let refused = Order::parse(Kind::Group, "department").unwrap_err();
    let named = "name, email, display_name, create_time, update_time";
    assert!(refused.contains(named), "{refused}");
}

#[test]
fn what_an_index_has_in_this_order_is_read_along_it() {
    let along = |text| order(text).along().map(|along| (along.index, along.down));
    assert_eq!(along(""), Some((Index::Id, false)));
    assert_eq!(along("name desc, title"), Some((Index::Id, true)));
    assert_eq!(along("email, title"), Some((Index::Email, false)));
    assert_eq!(along("email desc"), Some((Index::Email, true)));
    assert_eq!(along("title, email"), None);
    // What follows decides nothing.
    assert_eq!(order("title, name, email"), order("title, name"));
}

fn said() -> impl Strategy<Value = Option<String>> {
    proptest::option::of("[aAb\u{e9}]{0,3}")
}

proptest! {
    #[test]
    fn a_place_is_read_back_as_it_was_written_and_sorts_alike(
        people in proptest::collection::vec((said(), said(), -2i64..2, 0u8..3), 2..6),
        by in prop::sample::select(&["department", "title desc, update_time", "create_time desc, title, name desc"][..]),
    ) {
        let order = order(by);
        let places: Vec<Place> = people.iter().map(|(department, title, second, id)| {
            let entity = entity("a@x", department.as_deref(), title.as_deref(), *second);
            order.place(&[*id], &entity)
        }).collect();
        for place in &places {
            let again = order.read(&place.token());
            prop_assert_eq!(again.as_ref(), Some(place));
        }
    }

    #[test]
    fn what_was_not_written_by_us_is_refused_or_some_place(token in "[A-Za-z0-9_-]{0,40}") {
        let order = order("department, title desc");
        if let Some(place) = order.read(&token) {
            prop_assert_eq!(order.read(&place.token()), Some(place));
        }
    }
}
