//! `[callers.*]` and the certificates of the internal listener: who may call, and how both sides prove who they are.

use super::raw::Raw;
use crate::model::{Caller, Companies, CompanyId, Role, Secret, ServerTls, TOKEN_BYTES, TokenHash};
use rustls::pki_types::{
    CertificateDer, DnsName, PrivateKeyDer,
    pem::{self, PemObject as _},
};
use std::collections::BTreeSet;

const NAMES: &[&str] = &["certificate", "companies", "role", "token_hash"];
const PREFIX: &str = "callers.";

/// All keys of this part, for the callers that the keys given name.
pub(super) fn keys<'a>(given: impl Iterator<Item = &'a str>) -> Vec<String> {
    let key = |caller: &str, name: &&str| format!("{PREFIX}{caller}.{name}");
    let callers = names(given).into_iter();
    callers
        .flat_map(|caller| NAMES.iter().map(move |name| key(&caller, name)))
        .collect()
}

fn names<'a>(given: impl Iterator<Item = &'a str>) -> BTreeSet<String> {
    let name = |key: &'a str| key.strip_prefix(PREFIX)?.split('.').next();
    given.filter_map(name).map(str::to_owned).collect()
}

pub(super) fn read(raw: &mut Raw) -> Vec<Caller> {
    let names = names(raw.keys());
    let callers: Vec<Caller> = names.iter().filter_map(|name| caller(raw, name)).collect();
    for (at, caller) in callers.iter().enumerate() {
        for earlier in callers.iter().take(at) {
            same(raw, earlier, caller);
        }
    }
    callers
}

/// Two callers who can't be told apart.
fn same(raw: &mut Raw, one: &Caller, other: &Caller) {
    let id = |caller: &Caller| caller.token.as_ref().map(|token| token.id().to_owned());
    let text = |what| {
        format!(
            "is that of caller {} already: give each caller a {what} of his own",
            one.name
        )
    };
    if one.token.is_some() && id(one) == id(other) {
        raw.refuse(&key(&other.name, "token_hash"), &text("token"));
    }
    if one.certificate.is_some() && one.certificate == other.certificate {
        raw.refuse(&key(&other.name, "certificate"), &text("certificate"));
    }
}

fn key(caller: &str, name: &str) -> String {
    format!("{PREFIX}{caller}.{name}")
}

fn caller(raw: &mut Raw, name: &str) -> Option<Caller> {
    // Names and ids of companies are written alike.
    if CompanyId::try_new(name).is_err() {
        let text = "is not a name of a caller: give 1 to 63 of a-z, 0-9 and -";
        raw.refuse(&format!("{PREFIX}{name}"), text);
        return None;
    }
    let role = role(raw, &key(name, "role"));
    let companies = companies(raw, &key(name, "companies"));
    let (hash_key, certificate_key) = (key(name, "token_hash"), key(name, "certificate"));
    if !raw.has(&hash_key) && !raw.has(&certificate_key) {
        let text = format!(
            "must be set, or {certificate_key}: `provisiond token new` prints a token and its hash"
        );
        raw.refuse(&hash_key, &text);
    }
    let token = token(raw, &hash_key);
    let certificate = certificate(raw, &certificate_key);
    Some(Caller {
        name: name.to_owned(),
        role: role?,
        companies: companies?,
        token,
        certificate,
    })
}

fn role(raw: &mut Raw, key: &str) -> Option<Role> {
    let text = match raw.text(key) {
        Some(text) => text,
        None if raw.has(key) => return None,
        None => {
            raw.refuse(key, "must be set: give viewer, operator or admin");
            return None;
        }
    };
    let role = Role::of(&text);
    if role.is_none() {
        raw.refuse(
            key,
            &format!("'{text}' is none of viewer, operator, admin: give one of these"),
        );
    }
    role
}

fn companies(raw: &mut Raw, key: &str) -> Option<Companies> {
    let given = raw.list(key);
    if given == ["*"] {
        return Some(Companies::All);
    }
    let mut ids = BTreeSet::new();
    for text in &given {
        match CompanyId::try_new(text) {
            Ok(id) => {
                ids.insert(id);
            }
            Err(error) => raw.refuse(
                key,
                &format!("'{text}' is no company (the id {error}): give ids, or \"*\" alone for all companies"),
            ),
        }
    }
    if given.is_empty() {
        let text = "must name companies: give ids such as [\"acme\"], or \"*\" for all companies";
        raw.refuse(key, text);
    }
    (ids.len() == given.len() && !ids.is_empty()).then_some(Companies::Only(ids))
}

fn token(raw: &mut Raw, key: &str) -> Option<TokenHash> {
    let text = raw.text(key)?;
    let hash = TokenHash::parse(&text);
    if hash.is_none() {
        // What stands there may be the token itself, so it is not repeated.
        raw.refuse(
            key,
            "is not the hash of a token: give the line that `provisiond token new` prints, never the token itself",
        );
    }
    hash
}

fn certificate(raw: &mut Raw, key: &str) -> Option<String> {
    let text = raw.text(key)?;
    if DnsName::try_from(text.as_str()).is_err() {
        raw.refuse(
            key,
            &format!("'{text}' is no DNS name: give one that the client certificate has as subject alternative name"),
        );
        return None;
    }
    if !raw.has("grpc.tls_client_ca_file") {
        raw.refuse(
            key,
            "needs grpc.tls_client_ca_file: give the authority that signs the certificates of callers",
        );
    }
    Some(text.to_ascii_lowercase())
}

/// The certificates of the internal listener.
pub(super) fn tls(raw: &mut Raw) -> Option<ServerTls> {
    const CERTIFICATE: &str = "grpc.tls_cert_file";
    const KEY: &str = "grpc.tls_key_file";
    const AUTHORITY: &str = "grpc.tls_client_ca_file";
    for (given, needed) in [
        (CERTIFICATE, KEY),
        (KEY, CERTIFICATE),
        (AUTHORITY, CERTIFICATE),
    ] {
        if raw.has(given) && !raw.has(needed) {
            raw.refuse(needed, &format!("must be set when {given} is"));
        }
    }
    let certificate = read_file(raw, CERTIFICATE, has_certificates);
    let key = read_file(raw, KEY, |text| {
        PrivateKeyDer::from_pem_slice(text.as_bytes()).is_ok()
    });
    let client_ca = read_file(raw, AUTHORITY, has_certificates);
    Some(ServerTls {
        certificate: certificate?,
        key: Secret::new(key?),
        client_ca,
    })
}

fn has_certificates(text: &str) -> bool {
    let found: Result<Vec<_>, pem::Error> =
        CertificateDer::pem_slice_iter(text.as_bytes()).collect();
    found.is_ok_and(|found| !found.is_empty())
}

fn read_file(raw: &mut Raw, key: &str, usable: fn(&str) -> bool) -> Option<String> {
    let name = raw.text(key)?;
    match std::fs::read_to_string(&name) {
        Ok(text) if usable(&text) => Some(text),
        Ok(_) => {
            raw.refuse(
                key,
                &format!("{name} does not hold what it should: give a file in PEM form"),
            );
            None
        }
        Err(error) => {
            raw.refuse(key, &format!("{name} can't be read ({error}): give the path of a file that the daemon may read"));
            None
        }
    }
}

/// A new token, and its `token_hash`. Fails if the system gives no random bytes.
pub fn new_token() -> Result<(Secret, String), NoRandom> {
    let mut random = zeroize::Zeroizing::new([0; TOKEN_BYTES]);
    aws_lc_rs::rand::fill(random.as_mut()).map_err(|_| NoRandom)?;
    let token = crate::model::new_token(&random);
    let hash = TokenHash::of(token.expose()).ok_or(NoRandom)?;
    Ok((token, hash.line()))
}

/// The system gives no random bytes.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("the system gives no random bytes: is the kernel's generator ready?")]
pub struct NoRandom;
