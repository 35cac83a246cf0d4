use super::*;
use crate::model::Clock;
use jsonwebtoken::{Algorithm, EncodingKey, Header, encode};

struct Signer {
    key: EncodingKey,
    kid: String,
}

impl Signer {
    fn new(kid: &str) -> Self {
        use aws_lc_rs::{encoding::AsDer, rsa};
        let pair = rsa::KeyPair::generate(rsa::KeySize::Rsa2048).unwrap();
        let der: aws_lc_rs::encoding::Pkcs8V1Der<'_> = pair.as_der().unwrap();
        // PKCS#8 is PKCS#1 behind 26 bytes that say that it is an RSA key.
        let der = &der.as_ref()[26..];
        Self {
            key: EncodingKey::from_rsa_der(der),
            kid: kid.into(),
        }
    }

    fn publish(&self, fake: &Fake) {
        let mut jwk = Jwk::from_encoding_key(&self.key, Algorithm::RS256).unwrap();
        jwk.common.key_id = Some(self.kid.clone());
        fake.keys.lock().unwrap().push(jwk);
    }

    fn sign(&self, claims: &Value) -> Tokens {
        let header = Header {
            kid: Some(self.kid.clone()),
            ..Header::new(Algorithm::RS256)
        };
        tokens(encode(&header, claims, &self.key).unwrap())
    }
}

fn tokens(id_token: String) -> Tokens {
    Tokens {
        access: Secret::new("a".into()),
        lifetime: Duration::from_secs(1),
        refresh: None,
        scopes: Vec::new(),
        id_token: Some(Secret::new(id_token)),
    }
}

fn claims(clock: &ManualClock, changed: &[(&str, Value)]) -> Value {
    let now = clock.now().as_second();
    let mut claims = json!({"iss": "accounts.example.com", "aud": "client", "azp": "client", "sub": "1", "nonce": "n",
        "email": "admin@example.com", "hd": "example.com", "iat": now, "exp": now + 3600});
    for (name, value) in changed {
        match value {
            Value::Null => claims.as_object_mut().unwrap().remove(*name),
            value => claims
                .as_object_mut()
                .unwrap()
                .insert((*name).to_owned(), value.clone()),
        };
    }
    claims
}

#[tokio::test]
async fn an_id_token_is_trusted_only_if_everything_about_it_is_right() {
    let fake = Fake::default();
    let (provider, clock) = fake.start().await;
    let (signer, nonce) = (Signer::new("k1"), Secret::new("n".into()));
    signer.publish(&fake);
    let good = provider
        .identify(&signer.sign(&claims(&clock, &[])), &nonce)
        .await
        .unwrap();
    assert_eq!(
        (good.email.as_str(), good.domain.as_deref()),
        ("admin@example.com", Some("example.com"))
    );
    let long = claims(
        &clock,
        &[
            ("iss", json!("https://accounts.example.com")),
            ("hd", Value::Null),
        ],
    );
    assert_eq!(
        provider
            .identify(&signer.sign(&long), &nonce)
            .await
            .unwrap()
            .domain,
        None
    );

    let now = clock.now().as_second();
    let wrong = [
        ("iss", json!("https://evil.example.com")),
        ("iss", Value::Null),
        ("aud", json!("other")),
        ("aud", Value::Null),
        ("azp", json!("other")),
        ("nonce", json!("m")),
        ("nonce", Value::Null),
        ("exp", json!(now - 301)),
        ("exp", Value::Null),
        ("iat", json!(now + 3600)),
        ("sub", json!("")),
    ];
    for (name, value) in wrong {
        let answer = provider
            .identify(
                &signer.sign(&claims(&clock, &[(name, value.clone())])),
                &nonce,
            )
            .await;
        assert!(
            matches!(answer, Err(Error::Identity(_))),
            "{name} = {value}: {answer:?}"
        );
    }
}

#[tokio::test]
async fn an_id_token_without_the_providers_own_signature_is_not_trusted() {
    let fake = Fake::default();
    let (provider, clock) = fake.start().await;
    let nonce = Secret::new("n".into());
    Signer::new("k1").publish(&fake);
    let unsigned = tokens("eyJhbGciOiJub25lIiwia2lkIjoiazEifQ.e30.".into());
    let forged = encode(
        &Header {
            kid: Some("k1".into()),
            ..Header::new(Algorithm::HS256)
        },
        &claims(&clock, &[]),
        &EncodingKey::from_secret(b"k"),
    )
    .unwrap();
    let impostor = Signer::new("k1").sign(&claims(&clock, &[]));
    for bad in [unsigned, tokens(forged), impostor] {
        assert!(matches!(
            provider.identify(&bad, &nonce).await,
            Err(Error::Identity(_))
        ));
    }
    assert_eq!(*fake.keys_asked.lock().unwrap(), 1);
}

#[tokio::test]
async fn an_unknown_key_is_asked_for_but_not_all_the_time() {
    let fake = Fake::default();
    let (provider, clock) = fake.start().await;
    let (old, new, nonce) = (
        Signer::new("k1"),
        Signer::new("k2"),
        Secret::new("n".into()),
    );
    old.publish(&fake);
    provider
        .identify(&old.sign(&claims(&clock, &[])), &nonce)
        .await
        .unwrap();
    let fresh = new.sign(&claims(&clock, &[]));
    for _ in 0..3 {
        assert!(provider.identify(&fresh, &nonce).await.is_err());
    }
    assert_eq!(*fake.keys_asked.lock().unwrap(), 1);
    new.publish(&fake);
    clock.advance(Duration::from_secs(11));
    provider.identify(&fresh, &nonce).await.unwrap();
    assert_eq!(*fake.keys_asked.lock().unwrap(), 2);
}

#[tokio::test]
async fn userinfo_tells_the_address_that_the_id_token_lacks_if_it_is_of_the_same_account() {
    let fake = Fake::default();
    let (provider, clock) = fake.start().await;
    let (signer, nonce) = (Signer::new("k1"), Secret::new("n".into()));
    signer.publish(&fake);
    let bare = signer.sign(&claims(&clock, &[("email", Value::Null)]));
    *fake.userinfo.lock().unwrap() =
        json!({"sub": "1", "email": "boss@example.com", "name": "Boss"});
    let identity = provider.identify(&bare, &nonce).await.unwrap();
    assert_eq!(
        (identity.email.as_str(), identity.name.as_str()),
        ("boss@example.com", "Boss")
    );
    *fake.userinfo.lock().unwrap() = json!({"sub": "2", "email": "boss@example.com"});
    assert!(matches!(
        provider.identify(&bare, &nonce).await,
        Err(Error::Identity(_))
    ));
}
