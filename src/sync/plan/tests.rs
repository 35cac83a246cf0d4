use super::*;
use crate::model::{CompanyId, EntityId, EntityLink, LinkOrigin, Value, WrittenBy};
use proptest::prelude::*;
use std::collections::BTreeMap;

fn id(text: &str) -> IntegrationId {
    IntegrationId::try_new(text).unwrap()
}

fn context() -> Context {
    Context {
        integration: id("google"),
        uid: Uid::generate(),
        now: Time::UNIX_EPOCH,
        asked: false,
    }
}

fn attributes(pairs: &[(Attribute, &str)]) -> Attributes {
    pairs
        .iter()
        .map(|(name, text)| (name.clone(), Value::Text((*text).to_owned())))
        .collect()
}

fn item(desired: Attributes) -> Item {
    let source = SourceId::try_new("s1").unwrap();
    let what = What::Provision {
        desired,
        defaults: Attributes::default(),
    };
    Item {
        kind: Kind::User,
        source,
        label: "l".to_owned(),
        unlinked: false,
        rule: None,
        size: None,
        what,
    }
}

fn entity(attributes: Attributes, context: &Context) -> Entity {
    let owners = attributes
        .iter()
        .map(|(name, _)| (name.clone(), context.integration.clone()))
        .collect();
    Entity {
        company: CompanyId::try_new("acme").unwrap(),
        kind: Kind::User,
        id: EntityId::generate(),
        uid: Uid::generate(),
        attributes,
        owners,
        links: vec![EntityLink {
            integration: context.uid,
            source: SourceId::try_new("s1").unwrap(),
        }],
        deactivated_by_hand: false,
        written_by: WrittenBy::Integration(context.integration.clone()),
        revision: 3,
        create_time: Time::UNIX_EPOCH,
        update_time: Time::UNIX_EPOCH,
    }
}

fn linked(target: Entity) -> Found {
    let mut link = Link::observed(SourceId::try_new("s1").unwrap());
    link.target = Some((target.id.clone(), LinkOrigin::Created));
    Found {
        link: Some(link),
        target: Some(target),
        holder: None,
    }
}

fn done(planned: Planned) -> Plan {
    match planned {
        Planned::Do(plan) => *plan,
        Planned::Park => panic!("parked"),
    }
}

fn some_attributes() -> impl Strategy<Value = Attributes> {
    let names = prop::sample::select(vec![
        "title",
        "department",
        "displayName",
        "phoneNumbers",
        "active",
    ]);
    let value = ("[a-c]{1,2}", any::<bool>(), 0..3u8).prop_map(|(text, yes, kind)| match kind {
        0 => Value::Text(text),
        1 => Value::Bool(yes),
        _ => Value::List(vec![text]),
    });
    prop::collection::vec((names, value), 0..6).prop_map(|pairs| {
        let mut all: Attributes = pairs
            .into_iter()
            .map(|(name, value)| {
                if name == "active" {
                    (name, Value::Bool(true))
                } else {
                    (name, value)
                }
            })
            .map(|(name, value)| (Attribute::new(name), value))
            .collect();
        all.set(Attribute::USER_NAME, Value::Text("a@acme.test".to_owned()));
        all
    })
}

proptest! {
    #[test]
    fn an_applied_plan_leaves_what_is_desired(have in some_attributes(), want in some_attributes()) {
        let context = context();
        let plan = done(plan(&item(want.clone()), &linked(entity(have.clone(), &context)), &context));
        let after = match plan.write {
            Some(Write::Update(entity)) => entity.attributes,
            None => have.clone(),
            Some(Write::Create { .. }) => panic!("a linked object is not created"),
        };
        for (name, value) in want.iter() {
            prop_assert_eq!(after.get(name), Some(value));
        }
        for (name, value) in after.iter() {
            // What the source does not tell is cleared, except a yes or no.
            prop_assert!(want.get(name).is_some() || matches!(value, Value::Bool(_)), "{} stayed", name);
        }
    }

    #[test]
    fn what_is_as_desired_needs_no_write_and_no_record(have in some_attributes()) {
        let context = context();
        let plan = done(plan(&item(have.clone()), &linked(entity(have, &context)), &context));
        prop_assert_eq!(plan.count, Count::Unchanged);
        prop_assert!(plan.write.is_none() && plan.change.is_none());
    }
}

#[test]
fn a_user_whom_a_person_deactivated_is_not_activated() {
    let context = context();
    let mut want = attributes(&[(Attribute::USER_NAME, "a@acme.test")]);
    let mut target = entity(want.clone(), &context);
    target.deactivated_by_hand = true;
    target.attributes.set(Attribute::ACTIVE, Value::Bool(false));
    want.set(Attribute::ACTIVE, Value::Bool(true));
    let mut found = linked(target);
    let planned =
        |found: &Found, context: &Context| done(plan(&item(want.clone()), found, context));
    let first = planned(&found, &context);
    let held = |plan: &Plan| matches!(&plan.count, Count::Skipped(reason) if reason.code == "DEACTIVATED_BY_HAND");
    assert!(held(&first) && first.change.is_some(), "{first:?}");
    let link = first.link.unwrap();
    assert_eq!(
        link.fingerprint,
        Fingerprint::NONE,
        "it is looked at again in every run"
    );
    // It is on record then, and nothing is written any more, unless somebody asks.
    found.link = Some(link);
    let next = planned(&found, &context);
    assert!(held(&next) && next.change.is_none() && next.link.is_none());
    let asked = Context {
        asked: true,
        ..context.clone()
    };
    assert!(planned(&found, &asked).change.is_some());
    // When he is as he should be, or for another reason not, that is noted.
    let target = found.target.as_mut().unwrap();
    target.deactivated_by_hand = false;
    let after = planned(&found, &context);
    assert_eq!(
        (after.count, after.link.unwrap().told),
        (Count::Modified, Fingerprint::NONE)
    );
    let protected = left::protected(&item(want.clone()), &found, &context);
    assert!(protected.change.is_some());
    found.link = protected.link;
    let again = left::protected(&item(want.clone()), &found, &context);
    assert!(again.change.is_none() && again.link.is_none());
    let observed = observed(&item(want.clone()), &found).unwrap();
    assert_eq!(observed.told, Fingerprint::NONE);
}

/// Somebody whose title another integration owns.
fn titled_by_another(context: &Context) -> Entity {
    let mut target = entity(
        attributes(&[
            (Attribute::USER_NAME, "a@acme.test"),
            (Attribute::TITLE, "CTO"),
        ]),
        context,
    );
    target.owners.insert(Attribute::TITLE, id("other"));
    target
}

#[test]
fn an_attribute_of_another_integration_stays_as_that_one_says() {
    let context = context();
    let target = titled_by_another(&context);
    let want = attributes(&[
        (Attribute::USER_NAME, "a@acme.test"),
        (Attribute::TITLE, "CEO"),
        (Attribute::DEPARTMENT, "x"),
    ]);
    let plan = done(plan(&item(want), &linked(target), &context));
    let Some(Write::Update(after)) = plan.write else {
        panic!("no write")
    };
    assert_eq!(
        (
            after.attributes.text(&Attribute::TITLE),
            after.attributes.text(&Attribute::DEPARTMENT)
        ),
        (Some("CTO"), Some("x"))
    );
    assert_eq!(
        plan.change
            .and_then(|change| change.reason)
            .map(|reason| reason.code),
        Some("OWNED_BY".to_owned())
    );
}

#[test]
fn an_address_held_by_an_object_of_the_same_integration_waits_for_the_end_of_the_listing() {
    let context = context();
    let want = attributes(&[(Attribute::USER_NAME, "b@acme.test")]);
    let holder = entity(want.clone(), &context);
    let found = Found {
        link: None,
        target: None,
        holder: Some(holder),
    };
    assert!(matches!(plan(&item(want), &found, &context), Planned::Park));
}

#[test]
fn adoption_fills_defaults_only_where_nothing_stands() {
    let context = context();
    let want = attributes(&[(Attribute::USER_NAME, "a@acme.test")]);
    let mut holder = entity(
        attributes(&[
            (Attribute::USER_NAME, "a@acme.test"),
            (Attribute::TITLE, "CTO"),
        ]),
        &context,
    );
    (holder.links, holder.owners) = (Vec::new(), BTreeMap::new());
    let mut item = item(want.clone());
    let defaults = attributes(&[
        (Attribute::TITLE, "Staff"),
        (Attribute::DEPARTMENT, "Sales"),
    ]);
    item.what = What::Provision {
        desired: want,
        defaults,
    };
    let plan = done(plan(
        &item,
        &Found {
            holder: Some(holder),
            ..Found::default()
        },
        &context,
    ));
    let Some(Write::Update(after)) = plan.write else {
        panic!("no write")
    };
    assert_eq!(
        (
            after.attributes.text(&Attribute::TITLE),
            after.attributes.text(&Attribute::DEPARTMENT)
        ),
        (Some("CTO"), Some("Sales"))
    );
    assert!(matches!(
        plan.link.and_then(|link| link.target),
        Some((_, LinkOrigin::Adopted))
    ));
}

#[test]
fn a_group_never_takes_a_users_address() {
    let context = context();
    let want = attributes(&[(Attribute::USER_NAME, "a@acme.test")]);
    let found = Found {
        holder: Some(entity(want.clone(), &context)),
        ..Found::default()
    };
    let mut item = item(want);
    item.kind = Kind::Group;
    let plan = done(plan(&item, &found, &context));
    assert!(
        matches!(&plan.count, Count::Failed(reason) if reason.code == "EMAIL_TAKEN"),
        "{plan:?}"
    );
}

#[test]
fn what_another_integration_alone_keeps_apart_is_skipped_with_a_reason_and_looked_at_once() {
    let context = context();
    let target = titled_by_another(&context);
    let want = attributes(&[
        (Attribute::USER_NAME, "a@acme.test"),
        (Attribute::TITLE, "CEO"),
    ]);
    let fingerprint = want.fingerprint();
    let plan = done(plan(&item(want), &linked(target), &context));
    assert!(plan.write.is_none(), "{plan:?}");
    assert!(
        matches!(&plan.count, Count::Skipped(reason) if reason.code == "OWNED_BY"),
        "{plan:?}"
    );
    let change = plan.change.unwrap();
    assert_eq!(change.outcome, Outcome::Skipped);
    assert_eq!(
        change.reason.unwrap().text,
        "title stays as integration other says"
    );
    assert_eq!(plan.link.unwrap().fingerprint, fingerprint);
}

#[test]
fn a_default_is_not_put_into_what_another_integration_owns() {
    let address = attributes(&[(Attribute::USER_NAME, "a@acme.test")]);
    let other = Context {
        integration: id("other"),
        ..context()
    };
    let mut holder = entity(address.clone(), &other);
    // Its source had a title and has none any more.
    holder.owners.insert(Attribute::TITLE, id("other"));
    let defaults = [
        (Attribute::TITLE, "Employee"),
        (Attribute::DEPARTMENT, "Sales"),
    ];
    let mut item = item(address);
    if let What::Provision { defaults: of, .. } = &mut item.what {
        *of = attributes(&defaults);
    }
    let found = Found {
        holder: Some(holder),
        ..Found::default()
    };
    let Some(Write::Update(adopted)) = done(plan(&item, &found, &context())).write else {
        panic!("it is adopted");
    };
    assert_eq!(adopted.attributes.get(&Attribute::TITLE), None);
    assert_eq!(
        adopted.attributes.text(&Attribute::DEPARTMENT),
        Some("Sales")
    );
}

#[test]
fn a_user_of_whom_nothing_else_is_said_is_active() {
    let address = attributes(&[(Attribute::USER_NAME, "a@acme.test")]);
    let plan = done(plan(&item(address), &Found::default(), &context()));
    let Some(Write::Create {
        attributes, owned, ..
    }) = plan.write
    else {
        panic!("it is made");
    };
    assert_eq!(attributes.bool(&Attribute::ACTIVE), Some(true));
    assert_eq!(owned, [Attribute::USER_NAME], "a person may say otherwise");
}
