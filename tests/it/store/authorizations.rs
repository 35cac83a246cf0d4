//! Authorizations.

use super::fixtures::*;
use provisiond::{
    model::{
        AuthorizationState, CompanyId, Consent, EventBody, Integration, Secret, ServiceAccount,
        Time,
    },
    store::{Error, TakenAuthorization},
};
use std::time::Duration;

fn soon() -> Time {
    Time::now() + Duration::from_secs(600)
}

#[tokio::test]
async fn a_pending_authorization_is_taken_once() {
    let home = Home::new();
    let store = home.open().await;
    let of = integration(&acme(), "main");
    store.create_integration(of.clone(), None).await.unwrap();
    let given = pending(&of, 1, soon());
    let begun = store.begin_authorization(given.clone()).await.unwrap();
    assert_eq!(begun.authorization.state, AuthorizationState::Pending);
    store.close().await.unwrap();
    let store = home.open().await;
    // Whoever means another integration takes nothing.
    let other = integration(&acme(), "other");
    for foreign in [
        (acme(), other.id),
        (CompanyId::try_new("other").unwrap(), of.id.clone()),
    ] {
        let taken = store.take_authorization([1; 32], Some(foreign)).await;
        assert!(matches!(taken, Ok(TakenAuthorization::Unknown)));
    }
    let meant = Some((acme(), of.id));
    match store.take_authorization([1; 32], meant).await.unwrap() {
        TakenAuthorization::Taken(taken) => assert_eq!(taken, given),
        other => panic!("{other:?}"),
    }
    let again = store.take_authorization([1; 32], None).await.unwrap();
    assert!(matches!(again, TakenAuthorization::Unknown));
}

#[tokio::test]
async fn of_many_who_take_the_same_authorization_one_gets_it() {
    let home = Home::new();
    let store = home.open().await;
    let of = integration(&acme(), "main");
    store.create_integration(of.clone(), None).await.unwrap();
    store
        .begin_authorization(pending(&of, 1, soon()))
        .await
        .unwrap();
    let takers: Vec<_> = (0..16)
        .map(|_| {
            let store = store.clone();
            tokio::spawn(async move { store.take_authorization([1; 32], None).await.unwrap() })
        })
        .collect();
    let mut got = 0;
    for taker in takers {
        got += usize::from(matches!(taker.await.unwrap(), TakenAuthorization::Taken(_)));
    }
    assert_eq!(got, 1);
}

#[tokio::test]
async fn an_authorization_that_was_pending_too_long_is_told_from_an_unknown_one() {
    let home = Home::new();
    let store = home.open().await;
    let of = integration(&acme(), "main");
    store.create_integration(of.clone(), None).await.unwrap();
    store
        .begin_authorization(pending(&of, 1, soon()))
        .await
        .unwrap();
    home.clock.advance(Duration::from_secs(601));
    let late = store.take_authorization([1; 32], None).await.unwrap();
    assert!(matches!(late, TakenAuthorization::Expired(_)));
    let unknown = store.take_authorization([1; 32], None).await.unwrap();
    assert!(matches!(unknown, TakenAuthorization::Unknown));
}

#[tokio::test]
async fn beginning_again_drops_what_expired_and_keeps_what_did_not() {
    let home = Home::new();
    let store = home.open().await;
    let of = integration(&acme(), "main");
    store.create_integration(of.clone(), None).await.unwrap();
    let later = Time::now() + Duration::from_secs(7200);
    for (state, expires) in [(1, soon()), (2, later)] {
        let given = pending(&of, state, expires);
        store.begin_authorization(given).await.unwrap();
    }
    home.clock.advance(Duration::from_secs(3600));
    store
        .begin_authorization(pending(&of, 3, later))
        .await
        .unwrap();
    let first = store.take_authorization([1; 32], None).await.unwrap();
    assert!(matches!(first, TakenAuthorization::Unknown));
    let second = store.take_authorization([2; 32], None).await.unwrap();
    assert!(matches!(second, TakenAuthorization::Taken(_)));
}

#[tokio::test]
async fn abandoning_leaves_an_authorized_integration_authorized() {
    let home = Home::new();
    let store = home.open().await;
    let of = integration(&acme(), "main");
    store.create_integration(of.clone(), None).await.unwrap();
    store
        .begin_authorization(pending(&of, 1, soon()))
        .await
        .unwrap();
    let abandon = |why: &str| store.abandon_authorization(&of.company, &of.id, why.to_owned());
    let required = abandon("denied").await.unwrap().authorization;
    assert_eq!(required.state, AuthorizationState::Required);
    assert_eq!(required.reason, "denied");
    let token = Secret::new("t".to_owned());
    store
        .authorize(&of.company, &of.id, consent("C01"), token, None)
        .await
        .unwrap();
    let still = abandon("denied again").await.unwrap().authorization;
    assert_eq!(still.state, AuthorizationState::Authorized);
    assert_eq!(still.reason, "");
}

#[tokio::test]
async fn authorizing_keeps_consent_and_token_together() {
    let home = Home::new();
    let store = home.open().await;
    let of = integration(&acme(), "main");
    store.create_integration(of.clone(), None).await.unwrap();
    assert_eq!(store.credential(&of.company, &of.id).await.unwrap(), None);
    let authorized = store
        .authorize(
            &of.company,
            &of.id,
            consent("C01"),
            Secret::new("first".to_owned()),
            None,
        )
        .await
        .unwrap();
    assert_eq!(
        authorized.authorization.state,
        AuthorizationState::Authorized
    );
    assert_eq!(authorized.authorization.consent, Some(consent("C01")));
    let events = store.events(&acme(), 1, 10).await.unwrap();
    assert_eq!(events[0].body, EventBody::IntegrationChanged(authorized));
    store
        .replace_refresh_token(&of.company, &of.id, Secret::new("second".to_owned()))
        .await
        .unwrap();
    store.close().await.unwrap();
    let store = home.open().await;
    let held = store.credential(&of.company, &of.id).await.unwrap();
    let second = Secret::new("second".to_owned());
    assert_eq!(held, Some((consent("C01"), second)));
}

#[tokio::test]
async fn a_key_and_a_token_take_each_others_place_and_are_never_taken_for_each_other() {
    let home = Home::new();
    let store = home.open().await;
    let of = integration(&acme(), "main");
    let made = store.create_integration(of.clone(), None).await.unwrap();
    let by_key = Consent {
        service_account: Some(ServiceAccount {
            email: "sync@project.iam.gserviceaccount.com".to_owned(),
            client_id: "117".to_owned(),
            key_id: "k1".to_owned(),
        }),
        ..consent("C01")
    };
    let authorize = |consent: &Consent, text: &str, seen| {
        let secret = Secret::new(text.to_owned());
        store.authorize(&of.company, &of.id, consent.clone(), secret, seen)
    };
    let held = || async { store.credential(&of.company, &of.id).await.unwrap() };
    let pair = |consent: &Consent, text: &str| Some((consent.clone(), Secret::new(text.into())));
    authorize(&consent("C01"), "token", None).await.unwrap();
    let seen = Some(made.value.update_time);
    authorize(&by_key, "key", seen).await.unwrap();
    assert_eq!(held().await, pair(&by_key, "key"));
    // A run that began with the token before may still be given another one.
    let late = Secret::new("rotated".to_owned());
    let late = store.replace_refresh_token(&of.company, &of.id, late);
    late.await.unwrap();
    assert_eq!(held().await, pair(&by_key, "key"));
    let stale = Some(made.value.update_time - jiff::SignedDuration::from_secs(1));
    let refused = authorize(&consent("C01"), "unseen", stale).await;
    assert!(matches!(refused, Err(Error::Changed(_))), "{refused:?}");
    let other = authorize(&consent("C02"), "other", None).await;
    assert!(matches!(other, Err(Error::Taken { .. })), "{other:?}");
    assert_eq!(held().await, pair(&by_key, "key"));
    // What says that the key is a token does not make it one.
    let mistake = |integration: &mut Integration| {
        integration.authorization.consent = Some(consent("C01"));
        Ok(None)
    };
    let mistaken = store.update_integration(&of.company, &of.id, mistake);
    mistaken.await.unwrap();
    let unopened = store.credential(&of.company, &of.id).await;
    assert!(matches!(unopened, Err(Error::Damaged(_))), "{unopened:?}");
    authorize(&consent("C01"), "token again", None)
        .await
        .unwrap();
    assert_eq!(held().await, pair(&consent("C01"), "token again"));
    store.close().await.unwrap();
}

#[tokio::test]
async fn a_customer_belongs_to_one_company_and_an_integration_to_one_customer() {
    let home = Home::new();
    let store = home.open().await;
    let mine = integration(&acme(), "main");
    let sibling = integration(&acme(), "sibling");
    let theirs = integration(&company("other"), "main");
    for given in [&mine, &sibling, &theirs] {
        store.create_integration(given.clone(), None).await.unwrap();
    }
    let authorize = |of: &Integration, customer: &str| {
        let token = Secret::new(format!("token-{}-{customer}", of.company));
        let (store, of, customer) = (store.clone(), of.clone(), customer.to_owned());
        async move {
            store
                .authorize(&of.company, &of.id, consent(&customer), token, None)
                .await
        }
    };
    authorize(&mine, "C01").await.unwrap();
    authorize(&sibling, "C01").await.unwrap();
    for (of, customer) in [(&theirs, "C01"), (&mine, "C02")] {
        let before = store.integration(&of.company, &of.id).await.unwrap();
        let token = store.credential(&of.company, &of.id).await.unwrap();
        let refused = authorize(of, customer).await;
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
        let after = store.integration(&of.company, &of.id).await.unwrap();
        assert_eq!(after, before);
        assert_eq!(store.credential(&of.company, &of.id).await.unwrap(), token);
    }
    authorize(&theirs, "C02").await.unwrap();
}
