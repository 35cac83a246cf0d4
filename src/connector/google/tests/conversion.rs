//! What Google's values become.

use super::super::convert;
use crate::{
    connector::{
        Domain, Error, MemberKind, Reader as _,
        testing::{Server, google, ok, user},
    },
    model::{Attribute, Object, Value},
};
use serde_json::{
    Value as Json, json,
    value::{RawValue, to_raw_value},
};

fn raw(row: &Json) -> Box<RawValue> {
    to_raw_value(row).unwrap()
}

fn list(items: &[&str]) -> Value {
    Value::List(items.iter().map(|item| (*item).to_owned()).collect())
}

fn with(field: &str, value: Json) -> Object {
    let mut row = user("1", "alice@acme.test");
    row[field] = value;
    convert::user(&raw(&row)).unwrap()
}

#[test]
fn a_full_user_has_every_attribute() {
    let row = json!({ "kind": "admin#directory#user", "id": "108234", "etag": "\"x/y\"",
        "primaryEmail": "Alice@Acme.test",
        "name": {"givenName": "Alice", "familyName": "Exämple", "fullName": "Alice Exämple"},
        "isAdmin": false, "suspended": false, "archived": false, "orgUnitPath": "/Employees",
        "emails": [{"address": "alice@acme.test", "primary": true}],
        "aliases": ["a.example@acme.test"],
        "phones": [{"value": "+1 555 1", "type": "work"}, {"value": "+1 555 2", "type": "home", "primary": true}],
        "organizations": [{"title": "Assistant"}, {"title": "CTO", "primary": true, "department": "Eng",
            "name": "Acme", "costCenter": "42", "customType": ""}],
        "relations": [{"value": "eve@acme.test", "type": "assistant"}, {"value": "Bob@acme.test", "type": "manager"}],
        "externalIds": [{"value": "x", "type": "account"}, {"value": "E7", "type": "organization"}],
        "customerId": "C01" });
    let alice = convert::user(&raw(&row)).unwrap();
    assert_eq!(alice.id.as_str(), "108234");
    assert_eq!(alice.defect, None);
    let text = |text: &str| Value::Text(text.to_owned());
    let expected = [
        (Attribute::USER_NAME, text("alice@acme.test")),
        (Attribute::DOMAIN, text("acme.test")),
        (Attribute::GIVEN_NAME, text("Alice")),
        (Attribute::FAMILY_NAME, text("Exämple")),
        (Attribute::DISPLAY_NAME, text("Alice Exämple")),
        (Attribute::ACTIVE, Value::Bool(true)),
        (Attribute::ADMIN, Value::Bool(false)),
        (Attribute::ORG_UNIT, text("/Employees")),
        (Attribute::ALIASES, list(&["a.example@acme.test"])),
        (Attribute::PHONE_NUMBERS, list(&["+1 555 1", "+1 555 2"])),
        (Attribute::TITLE, text("CTO")),
        (Attribute::DEPARTMENT, text("Eng")),
        (Attribute::ORGANIZATION, text("Acme")),
        (Attribute::COST_CENTER, text("42")),
        (Attribute::MANAGER, text("bob@acme.test")),
        (Attribute::EMPLOYEE_NUMBER, text("E7")),
    ];
    assert_eq!(alice.attributes, expected.into_iter().collect());
}

#[test]
fn a_display_name_of_ones_own_goes_before_the_full_name() {
    let name = json!({"fullName": "Alice Example", "displayName": "Ally"});
    let alice = with("name", name);
    let shown = alice.attributes.text(&Attribute::DISPLAY_NAME);
    assert_eq!(shown, Some("Ally"));
}

#[test]
fn invisible_spaces_that_stand_for_a_missing_name_are_no_name() {
    let name =
        json!({"givenName": "Sukarno", "familyName": "\u{200b}", "fullName": "Sukarno \u{200b}"});
    let user = with("name", name);
    assert_eq!(user.attributes.get(&Attribute::FAMILY_NAME), None);
    let shown = user.attributes.text(&Attribute::DISPLAY_NAME);
    assert_eq!(shown, Some("Sukarno"));
}

#[test]
fn any_json_where_google_allows_any_json_is_no_defect() {
    let oddities = [
        json!(null),
        json!("text"),
        json!(7),
        json!([]),
        json!({}),
        json!([null, 1, "x", [], {"value": null}, {"value": {"a": 1}}, {"value": " "}]),
    ];
    for field in [
        "phones",
        "organizations",
        "relations",
        "externalIds",
        "emails",
    ] {
        for oddity in &oddities {
            let user = with(field, oddity.clone());
            assert_eq!(user.defect, None, "{field} {oddity}");
            assert_eq!(user.attributes.get(&Attribute::PHONE_NUMBERS), None);
        }
    }
    let one = with(
        "externalIds",
        json!({"value": 1234, "type": "organization"}),
    );
    let number = one.attributes.text(&Attribute::EMPLOYEE_NUMBER);
    assert_eq!(number, Some("1234"));
}

#[test]
fn a_user_that_makes_no_sense_is_a_defect_with_its_address_and_nothing_else() {
    let long = "n".repeat(257);
    for (field, value, says) in [
        (
            "name",
            json!({"givenName": long}),
            "name.givenName is longer than 256",
        ),
        ("name", json!("Alice"), "invalid type"),
        ("suspended", json!("no"), "invalid type"),
        ("aliases", json!("a@acme.test"), "invalid type"),
        ("orgUnitPath", json!("o".repeat(4097)), "orgUnit is longer"),
    ] {
        let user = with(field, value);
        let defect = user.defect.clone().unwrap();
        assert!(defect.contains(says), "{defect}");
        assert_eq!(user.attributes.iter().count(), 1);
        assert_eq!(user.label(), "alice@acme.test");
    }
}

#[test]
fn an_address_that_is_none_is_a_defect() {
    for address in [
        json!(null),
        json!(""),
        json!("alice"),
        json!("@acme.test"),
        json!("alice@"),
        json!("a b@acme.test"),
        json!("a@b@acme.test"),
        json!("a\u{7}@acme.test"),
        json!(format!("{}@acme.test", "a".repeat(250))),
    ] {
        let user = with("primaryEmail", address.clone());
        assert!(user.defect.is_some(), "{address}");
    }
}

#[test]
fn a_row_without_an_id_is_an_error_since_nobody_can_tell_who_it_is() {
    for id in [json!(null), json!(""), json!(12), json!("x".repeat(256))] {
        let mut row = user("1", "alice@acme.test");
        row["id"] = id;
        assert!(matches!(convert::user(&raw(&row)), Err(Error::Protocol(_))));
    }
    let refused = convert::group(&raw(&json!("group")));
    assert!(matches!(refused, Err(Error::Protocol(_))));
}

#[test]
fn a_group_has_its_attributes_and_a_count_in_either_form() {
    let row = json!({ "kind": "admin#directory#group", "id": "040ew0vw2nj5dqo", "email": "Sales@acme.test",
        "name": "Sales", "description": "Sells\nthings", "directMembersCount": "5", "adminCreated": false,
        "aliases": ["vertrieb@acme.test"], "nonEditableAliases": ["sales@acme.test.test-google-a.com"] });
    let sales = convert::group(&raw(&row)).unwrap();
    assert_eq!((sales.member_count, &sales.defect), (Some(5), &None));
    let a = &sales.attributes;
    assert_eq!(a.text(&Attribute::USER_NAME), Some("sales@acme.test"));
    assert_eq!(a.text(&Attribute::DISPLAY_NAME), Some("Sales"));
    assert_eq!(a.text(&Attribute::DESCRIPTION), Some("Sells\nthings"));
    let aliases = list(&["vertrieb@acme.test"]);
    assert_eq!(a.get(&Attribute::ALIASES), Some(&aliases));
    for (count, known) in [
        (json!(7), Some(7)),
        (json!("many"), None),
        (json!(null), None),
    ] {
        let row = json!({"id": "g", "email": "g@acme.test", "directMembersCount": count});
        assert_eq!(convert::group(&raw(&row)).unwrap().member_count, known);
    }
}

#[test]
fn members_are_told_apart_by_type_and_status() {
    let member = |row: Json| convert::member(&raw(&row), "C01");
    for (row, kind) in [
        (
            json!({"id": "1", "email": "A@acme.test", "type": "USER", "status": "ACTIVE"}),
            MemberKind::User,
        ),
        (
            json!({"id": "1", "email": "A@acme.test", "type": "USER"}),
            MemberKind::External,
        ),
        (
            json!({"id": "1", "email": "A@acme.test", "type": "EXTERNAL"}),
            MemberKind::External,
        ),
        (
            json!({"id": "1", "email": "A@acme.test", "type": "GROUP", "status": "ACTIVE"}),
            MemberKind::Group,
        ),
        (
            json!({"id": "1", "email": "A@acme.test", "type": "GROUP"}),
            MemberKind::Group,
        ),
    ] {
        let member = member(row).unwrap();
        assert_eq!(member.kind, kind);
        assert_eq!(member.email.as_deref(), Some("a@acme.test"));
    }
    for row in [
        json!({"id": "1", "type": "ROBOT"}),
        json!({"id": "1"}),
        json!({"type": "USER", "status": "ACTIVE"}),
        json!({"id": 1, "type": "USER"}),
    ] {
        assert!(matches!(member(row), Err(Error::Protocol(_))));
    }
}

#[tokio::test]
async fn domains_are_believed_if_there_are_any_and_unverified_only_if_google_says_so() {
    let domains = json!({"domains": [
        {"domainName": "acme.test", "isPrimary": true},
        {"domainName": "b.test", "isPrimary": false, "verified": false},
    ]});
    let server = Server::start(move |_| ok(&domains)).await;
    let found = google(&server).domains().await.unwrap();
    let told = |domain: &Domain| (domain.name.clone(), domain.primary, domain.verified);
    let found: Vec<_> = found.iter().map(told).collect();
    let expected = [("acme.test", true, true), ("b.test", false, false)];
    let expected = expected.map(|(name, primary, verified)| (name.to_owned(), primary, verified));
    assert_eq!(found, expected);
    let path = &server.asked()[0].path;
    assert_eq!(path, "/admin/directory/v1/customer/C01/domains");
    let server = Server::start(|_| ok(&json!({}))).await;
    let nothing = google(&server).domains().await;
    assert!(matches!(nothing, Err(Error::Protocol(_))), "{nothing:?}");
}
