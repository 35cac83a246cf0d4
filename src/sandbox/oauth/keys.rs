//! The key that signs id tokens: one for the process, made once.

use std::sync::OnceLock;

use aws_lc_rs::rand::SystemRandom;
use aws_lc_rs::rsa::{KeyPair, KeySize};
use aws_lc_rs::signature::{KeyPair as _, RSA_PKCS1_SHA256};
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use serde_json::{Value, json};

static KEY: OnceLock<Option<KeyPair>> = OnceLock::new();

fn key() -> Option<&'static KeyPair> {
    KEY.get_or_init(|| KeyPair::generate(KeySize::Rsa2048).ok())
        .as_ref()
}

/// Makes the key, which takes a moment.
pub fn prepare() {
    let _made = key();
}

/// The public key as a JSON Web Key Set.
pub fn jwks() -> Value {
    let Some((modulus, exponent)) = key().and_then(|key| numbers(key.public_key().as_ref())) else {
        return json!({"keys": []});
    };
    json!({"keys": [{
        "kty": "RSA", "alg": "RS256", "use": "sig", "kid": kid(),
        "n": URL_SAFE_NO_PAD.encode(modulus), "e": URL_SAFE_NO_PAD.encode(exponent),
    }]})
}

/// A signed token that says what the claims say.
pub fn sign(claims: &Value) -> Option<String> {
    let key = key()?;
    let header = json!({"alg": "RS256", "kid": kid(), "typ": "JWT"}).to_string();
    let body = format!(
        "{}.{}",
        URL_SAFE_NO_PAD.encode(header),
        URL_SAFE_NO_PAD.encode(claims.to_string())
    );
    let mut signature = vec![0; key.public_modulus_len()];
    key.sign(
        &RSA_PKCS1_SHA256,
        &SystemRandom::new(),
        body.as_bytes(),
        &mut signature,
    )
    .ok()?;
    Some(format!("{body}.{}", URL_SAFE_NO_PAD.encode(signature)))
}

fn kid() -> String {
    key()
        .map(|key| blake3::hash(key.public_key().as_ref()).to_hex()[..40].to_owned())
        .unwrap_or_default()
}

/// Modulus and exponent of a DER `RSAPublicKey`: a sequence of two integers.
fn numbers(der: &[u8]) -> Option<(Vec<u8>, Vec<u8>)> {
    let (sequence, _) = element(der, 0x30)?;
    let (modulus, rest) = element(sequence, 0x02)?;
    let (exponent, _) = element(rest, 0x02)?;
    let plain = |number: &[u8]| {
        number
            .iter()
            .copied()
            .skip_while(|byte| *byte == 0)
            .collect()
    };
    Some((plain(modulus), plain(exponent)))
}

fn element(der: &[u8], tag: u8) -> Option<(&[u8], &[u8])> {
    let (found, rest) = der.split_first()?;
    let (first, mut rest) = rest.split_first()?;
    let mut length = usize::from(*first);
    if length >= 0x80 {
        let (bytes, after) = rest.split_at_checked(length - 0x80)?;
        length = bytes
            .iter()
            .fold(0, |sum, byte| sum << 8 | usize::from(*byte));
        rest = after;
    }
    (*found == tag).then(|| rest.split_at_checked(length))?
}
