//! Integrations and their rules.

use super::fixtures::*;
use provisiond::{
    model::{
        Action, Attribute, Attributes, AuthorizationState, Condition, EventBody, IntegrationState,
        Limits, Operator, PageRequest, RunMode, Value,
    },
    store::Error,
};
use std::time::Duration;

fn taken(error: Error) -> &'static str {
    match error {
        Error::Taken { what, .. } => what,
        other => panic!("{other:?}"),
    }
}

#[tokio::test]
async fn an_integration_comes_back_as_it_was_given_also_after_a_restart() {
    let home = Home::new();
    let store = home.open().await;
    let mut given = integration(&acme(), "main");
    given.state = IntegrationState::Paused("three interruptions".to_owned());
    given.limits = Limits {
        max_member_loss_percent: Some(0),
    };
    given.authorization.state = AuthorizationState::ReauthorizationRequired;
    given.authorization.consent = Some(consent("C01"));
    given.authorization.reason = "revoked".to_owned();
    given.interruptions = 3;
    let made = store.create_integration(given.clone(), None).await.unwrap();
    assert_eq!((&made.value, made.replayed), (&given, false));
    store.close().await.unwrap();
    let store = home.open().await;
    let read = store.integration(&given.company, &given.id).await.unwrap();
    assert_eq!(read, Some(given));
}

#[tokio::test]
async fn an_integration_of_another_company_is_not_there() {
    let home = Home::new();
    let store = home.open().await;
    let given = integration(&acme(), "main");
    store.create_integration(given.clone(), None).await.unwrap();
    let other = company("acme-2");
    assert_eq!(store.integration(&other, &given.id).await.unwrap(), None);
    let listed = store.integrations(&other, &page(10)).await.unwrap();
    assert!(listed.items.is_empty());
}

#[tokio::test]
async fn ids_and_titles_are_taken_once_per_company() {
    let home = Home::new();
    let store = home.open().await;
    let first = integration(&acme(), "main");
    store.create_integration(first.clone(), None).await.unwrap();
    let again = store.create_integration(first.clone(), None).await;
    assert_eq!(taken(again.unwrap_err()), "id");
    let mut same_title = integration(&acme(), "second");
    same_title.title = first.title.to_uppercase();
    let again = store.create_integration(same_title.clone(), None).await;
    assert_eq!(taken(again.unwrap_err()), "title");
    same_title.company = company("other");
    store.create_integration(same_title, None).await.unwrap();
}

#[tokio::test]
async fn a_repeated_request_makes_nothing_new_for_24_hours() {
    let home = Home::new();
    let store = home.open().await;
    let given = integration(&acme(), "main");
    store
        .create_integration(given.clone(), request("r1", 1))
        .await
        .unwrap();
    let mut second = integration(&acme(), "second");
    second.title = "Other".to_owned();
    let replay = store
        .create_integration(second.clone(), request("r1", 1))
        .await
        .unwrap();
    assert_eq!((replay.value, replay.replayed), (given, true));
    let misused = store
        .create_integration(second.clone(), request("r1", 2))
        .await;
    assert_eq!(taken(misused.unwrap_err()), "request_id");
    home.clock.advance(Duration::from_secs(24 * 3600 + 1));
    let later = store
        .create_integration(second, request("r1", 2))
        .await
        .unwrap();
    assert!(!later.replayed);
}

#[tokio::test]
async fn integrations_are_listed_in_pages_in_order_of_id() {
    let home = Home::new();
    let store = home.open().await;
    for id in ["c", "a", "e", "b", "d"] {
        let given = integration(&acme(), id);
        store.create_integration(given, None).await.unwrap();
    }
    let (mut ids, mut token) = (Vec::new(), None);
    loop {
        let page = PageRequest { size: 2, token };
        let listed = store.integrations(&acme(), &page).await.unwrap();
        assert!(listed.items.len() <= 2);
        ids.extend(listed.items.into_iter().map(|i| i.id.to_string()));
        token = listed.next;
        if token.is_none() {
            break;
        }
    }
    assert_eq!(ids, ["a", "b", "c", "d", "e"]);
}

#[tokio::test]
async fn a_token_of_another_list_is_refused() {
    let home = Home::new();
    let store = home.open().await;
    for token in ["", "nonsense", "AgAA", "ÿ"] {
        let page = PageRequest {
            size: 2,
            token: Some(token.to_owned()),
        };
        let listed = store.integrations(&acme(), &page).await;
        assert!(matches!(listed, Err(Error::BadPosition(_))), "{token}");
    }
}

#[tokio::test]
async fn an_update_that_changes_nothing_writes_nothing() {
    let home = Home::new();
    let store = home.open().await;
    let given = integration(&acme(), "main");
    store.create_integration(given.clone(), None).await.unwrap();
    let (writes, last) = (store.writes(), store.last_sequence(&acme()).await.unwrap());
    let same = store
        .update_integration(&given.company, &given.id, |integration| {
            integration.active = true;
            Ok(Some(EventBody::IntegrationChanged))
        })
        .await
        .unwrap();
    assert_eq!(same, given);
    assert_eq!(store.writes(), writes);
    assert_eq!(store.last_sequence(&acme()).await.unwrap(), last);
}

#[tokio::test]
async fn an_update_is_refused_by_its_closure_or_published_by_it() {
    let home = Home::new();
    let store = home.open().await;
    let given = integration(&acme(), "main");
    store.create_integration(given.clone(), None).await.unwrap();
    let refused = store
        .update_integration(&given.company, &given.id, |integration| {
            integration.active = false;
            Err(Error::Refused("not now".to_owned()))
        })
        .await;
    assert_eq!(refused, Err(Error::Refused("not now".to_owned())));
    let read = store.integration(&given.company, &given.id).await.unwrap();
    assert!(read.unwrap().active);
    let changed = store
        .update_integration(&given.company, &given.id, |integration| {
            integration.active = false;
            Ok(Some(EventBody::AuthorizationLost))
        })
        .await
        .unwrap();
    let events = store.events(&acme(), 1, 10).await.unwrap();
    assert_eq!(events.len(), 1);
    assert_eq!(events[0].sequence, 2);
    assert_eq!(events[0].body, EventBody::AuthorizationLost(changed));
}

#[tokio::test]
async fn rules_are_kept_by_position_and_a_position_is_taken_once() {
    let home = Home::new();
    let store = home.open().await;
    let of = integration(&acme(), "main");
    let missing = store.create_rule(rule(&of, "a"), None).await;
    assert!(matches!(missing, Err(Error::Missing(_))));
    store.create_integration(of.clone(), None).await.unwrap();
    let mut third = rule(&of, "third");
    third.position = 3;
    store.create_rule(third.clone(), None).await.unwrap();
    let mut first = rule(&of, "zz-first");
    first.position = 1;
    store.create_rule(first, None).await.unwrap();
    let last = store.create_rule(rule(&of, "aa-last"), None).await.unwrap();
    assert_eq!(last.value.position, 4);
    third.id = provisiond::model::RuleId::try_new("other").unwrap();
    let clash = store.create_rule(third, None).await;
    assert_eq!(taken(clash.unwrap_err()), "position");
    let rules = store.rules(&acme(), &of.id).await.unwrap();
    let ids: Vec<_> = rules.iter().map(|rule| rule.id.as_str()).collect();
    assert_eq!(ids, ["zz-first", "third", "aa-last"]);
}

#[tokio::test]
async fn a_rule_of_many_long_conditions_comes_back_as_it_was_given() {
    let home = Home::new();
    let store = home.open().await;
    let of = integration(&acme(), "main");
    store.create_integration(of.clone(), None).await.unwrap();
    let mut given = rule(&of, "large");
    given.action = Action::Modify;
    given.run_mode = RunMode::Manual;
    given.active = false;
    given.defaults = Attributes::from_iter([(
        Attribute::DEPARTMENT,
        Value::List(vec!["x".to_owned(), "y".to_owned()]),
    )]);
    given.conditions = (0..4)
        .map(|n| Condition {
            attribute: Attribute::new("orgUnit"),
            operator: if n == 0 {
                Operator::Equal
            } else {
                Operator::NotEqual
            },
            values: (0..100).map(|v| format!("/{v:0100}")).collect(),
        })
        .collect();
    given.position = 1;
    store.create_rule(given.clone(), None).await.unwrap();
    let read = store.rule(&acme(), &of.id, &given.id).await.unwrap();
    assert_eq!(read.as_ref(), Some(&given));
    store.close().await.unwrap();
    let store = home.open().await;
    assert_eq!(store.rules(&acme(), &of.id).await.unwrap(), [given.clone()]);
    store
        .delete_rule(&acme(), &of.id, &given.id, None)
        .await
        .unwrap();
    assert_eq!(store.rule(&acme(), &of.id, &given.id).await.unwrap(), None);
}

#[tokio::test]
async fn a_rule_is_deleted_only_if_it_is_still_the_one_seen() {
    let home = Home::new();
    let store = home.open().await;
    let of = integration(&acme(), "main");
    store.create_integration(of.clone(), None).await.unwrap();
    let made = store.create_rule(rule(&of, "a"), None).await.unwrap().value;
    let stale = moment() - Duration::from_secs(1);
    let changed = store
        .delete_rule(&acme(), &of.id, &made.id, Some(stale))
        .await;
    assert!(matches!(changed, Err(Error::Changed(_))));
    store
        .delete_rule(&acme(), &of.id, &made.id, Some(moment()))
        .await
        .unwrap();
    let gone = store.delete_rule(&acme(), &of.id, &made.id, None).await;
    assert!(matches!(gone, Err(Error::Missing(_))));
}

#[tokio::test]
async fn an_integration_has_at_most_100_rules() {
    let home = Home::new();
    let store = home.open().await;
    let of = integration(&acme(), "main");
    store.create_integration(of.clone(), None).await.unwrap();
    for n in 0..100 {
        let given = rule(&of, &format!("r{n}"));
        store.create_rule(given, None).await.unwrap();
    }
    let one_more = store.create_rule(rule(&of, "one-more"), None).await;
    assert!(matches!(one_more, Err(Error::Refused(_))));
}
