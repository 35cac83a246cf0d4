use super::*;
use serde_json::json;

fn user_of(row: Value) -> Object {
    object(Kind::User, &row).unwrap()
}

#[test]
fn pitfall_10_a_customer_member_has_no_email() {
    let member = member(json!({"id": "C03az79cb", "type": "CUSTOMER", "role": "MEMBER"})).unwrap();
    assert_eq!((member.kind, member.email), (MemberKind::Everyone, None));
}

#[test]
fn pitfall_9_a_member_without_status_is_external() {
    let row = json!({"id": "1", "email": "x@elsewhere.test", "type": "USER", "role": "MEMBER"});
    assert_eq!(member(row).unwrap().kind, MemberKind::External);
}

#[test]
fn pitfall_11_a_suspended_member_stays_a_user() {
    let row = json!({"id": "1", "email": "x@acme.test", "type": "USER", "status": "SUSPENDED"});
    assert_eq!(member(row).unwrap().kind, MemberKind::User);
}

#[test]
fn pitfall_14_addresses_are_lower_case() {
    let user = user_of(json!({"id": "1", "primaryEmail": "Ann.Lee@ACME.test"}));
    assert_eq!(
        user.attributes.text(&Attribute::USER_NAME),
        Some("ann.lee@acme.test")
    );
    assert_eq!(user.attributes.text(&Attribute::DOMAIN), Some("acme.test"));
}

#[test]
fn pitfall_15_addresses_that_google_derives_are_no_aliases() {
    let user = user_of(json!({
        "id": "1", "primaryEmail": "a@acme.test", "aliases": ["B@acme.test", "a2@acme.test"],
        "nonEditableAliases": ["a@acme.test.test-google-a.com"],
        "emails": [{"address": "a@acme.test.test-google-a.com"}],
    }));
    let aliases = Held::List(vec!["a2@acme.test".to_owned(), "b@acme.test".to_owned()]);
    assert_eq!(user.attributes.get(&Attribute::ALIASES), Some(&aliases));
}

#[test]
fn pitfall_16_an_absent_suspended_is_unknown_and_not_false() {
    let active = |row: Value| user_of(row).attributes.bool(&Attribute::ACTIVE);
    assert_eq!(
        active(json!({"id": "1", "primaryEmail": "a@acme.test"})),
        None
    );
    assert_eq!(
        active(json!({"id": "1", "primaryEmail": "a@acme.test", "suspended": false})),
        Some(true)
    );
    assert_eq!(
        active(json!({"id": "1", "primaryEmail": "a@acme.test", "suspended": true})),
        Some(false)
    );
    assert_eq!(
        active(
            json!({"id": "1", "primaryEmail": "a@acme.test", "suspended": false, "archived": true})
        ),
        Some(false)
    );
}

#[test]
fn pitfall_20_the_count_of_members_is_a_string() {
    let group = object(
        Kind::Group,
        &json!({"id": "g", "email": "g@acme.test", "directMembersCount": "17"}),
    )
    .unwrap();
    assert_eq!(group.member_count, Some(17));
}

#[test]
fn a_user_with_one_name_carries_no_zero_width_space() {
    let user = user_of(
        json!({"id": "1", "primaryEmail": "a@acme.test", "name": {"givenName": "Cher", "familyName": "\u{200b}"}}),
    );
    assert_eq!(user.attributes.text(&Attribute::FAMILY_NAME), None);
    assert!(user.defect.is_none());
}

#[test]
fn one_bad_row_is_its_own_defect() {
    for bad in [
        json!({"id": "1"}),
        json!({"id": "1", "primaryEmail": "not an address"}),
        json!({"id": "1", "primaryEmail": "a@acme.test", "suspended": "maybe"}),
        json!({"id": "1", "primaryEmail": "a@acme.test", "name": {"givenName": 7}}),
        json!({"id": "1", "primaryEmail": "a@acme.test", "name": {"givenName": "x".repeat(300)}}),
    ] {
        assert!(user_of(bad.clone()).defect.is_some(), "{bad}");
    }
    assert!(
        object(Kind::User, &json!({"primaryEmail": "a@acme.test"})).is_err(),
        "a row without an id"
    );
}

#[test]
fn title_and_department_are_those_of_the_primary_organization() {
    let user = user_of(json!({
        "id": "1", "primaryEmail": "a@acme.test",
        "organizations": [{"title": "Old"}, {"title": "CTO", "department": "Eng", "primary": true}],
        "relations": [{"type": "assistant", "value": "x@acme.test"}, {"type": "manager", "value": "Boss@acme.test"}],
        "externalIds": [{"type": "organization", "value": "E-7"}],
    }));
    let text = |attribute| user.attributes.text(&attribute);
    assert_eq!(text(Attribute::TITLE), Some("CTO"));
    assert_eq!(text(Attribute::DEPARTMENT), Some("Eng"));
    assert_eq!(text(Attribute::MANAGER), Some("boss@acme.test"));
    assert_eq!(text(Attribute::EMPLOYEE_NUMBER), Some("E-7"));
}
