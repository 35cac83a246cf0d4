//! The key file of a service account, as Google's console gives it out: JSON, of which the key and who it is of are taken.

use crate::{
    integrations::Checked,
    model::{Secret, ServiceAccount},
    oauth::is_usable_key,
};
use serde::{Deserialize, Deserializer};

/// No file that Google gives out comes near this.
const LARGEST: usize = 16 * 1024;
/// No address is longer (RFC 5321).
const LONGEST_ADDRESS: usize = 254;
const BEGIN: &str = "-----BEGIN PRIVATE KEY-----";
const END: &str = "-----END PRIVATE KEY-----";
/// Where the file is in the request.
const FIELD: &str = "service_account_key.json";

/// What is taken of a file; whatever else it holds is ignored. What is not there reads as empty.
#[derive(Deserialize)]
#[serde(default)]
struct File {
    #[serde(rename = "type")]
    kind: String,
    client_email: String,
    client_id: String,
    private_key_id: String,
    #[serde(deserialize_with = "hidden")]
    private_key: Secret,
    token_uri: String,
}

impl Default for File {
    fn default() -> Self {
        let none = String::new;
        Self {
            kind: none(),
            client_email: none(),
            client_id: none(),
            private_key_id: none(),
            private_key: Secret::new(none()),
            token_uri: none(),
        }
    }
}

fn hidden<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Secret, D::Error> {
    String::deserialize(deserializer).map(Secret::new)
}

/// The service account of a file and its private key (PKCS#8, in base64); or what is wrong with it, which never quotes it.
/// `token_uri` is to be `audience`: where to ask is the daemon's configuration, and a file that says otherwise is not
/// followed but refused, being made for something else or by somebody else.
pub(super) fn read(
    checked: &mut Checked,
    json: &Secret,
    audience: &str,
) -> Option<(ServiceAccount, Secret)> {
    let json = json.expose();
    if json.is_empty() || json.len() > LARGEST {
        checked.refuse(
            FIELD,
            "must be the content of a service account's key file, of at most 16 KiB",
        );
        return None;
    }
    let file: File = match serde_json::from_str(json) {
        Ok(file) => file,
        Err(error) => {
            let (line, column) = (error.line(), error.column());
            checked.refuse(FIELD, format!("is not the JSON of a service account's key file (line {line}, column {column}): give the file's content as it is"));
            return None;
        }
    };
    if let Err(wrong) = check(&file, audience) {
        checked.refuse(FIELD, wrong);
        return None;
    }
    let key = base64_of(&file.private_key).filter(is_usable_key);
    if key.is_none() {
        checked.refuse(FIELD, "its private_key must be an RSA key of 2048 to 4096 bits as PKCS#8 in PEM (\"BEGIN PRIVATE KEY\"), as Google makes them: give the file's content as it is");
    }
    let account = ServiceAccount {
        email: file.client_email,
        client_id: file.client_id,
        key_id: file.private_key_id,
    };
    Some((account, key?))
}

/// The one thing that is wrong with it first.
fn check(file: &File, audience: &str) -> Result<(), String> {
    if file.kind != "service_account" {
        return Err("its type must be service_account: make a key of a service account, in JSON (in the Google Cloud console: IAM & Admin, Service accounts, Keys)".to_owned());
    }
    if file.token_uri != audience {
        return Err(format!(
            "its token_uri must be {audience}: what is elsewhere is never asked"
        ));
    }
    if !is_address(&file.client_email) {
        return Err("its client_email must be the address of a service account".to_owned());
    }
    if !is_id(&file.client_id) {
        return Err(
            "its client_id must be the id of a service account, of at most 128 characters"
                .to_owned(),
        );
    }
    if !is_id(&file.private_key_id) {
        return Err(
            "its private_key_id must be the id of a key, of at most 128 characters".to_owned(),
        );
    }
    Ok(())
}

fn is_id(text: &str) -> bool {
    (1..=128).contains(&text.len()) && text.bytes().all(|byte| byte.is_ascii_graphic())
}

/// Whether it looks like an address; the system alone knows whether it is one.
pub(super) fn is_address(text: &str) -> bool {
    let graphic = !text.chars().any(|c| c.is_whitespace() || c.is_control());
    let parts = text.split_once('@');
    graphic
        && text.len() <= LONGEST_ADDRESS
        && parts.is_some_and(|(local, domain)| {
            !local.is_empty() && !domain.is_empty() && !domain.contains('@')
        })
}

/// What is between the lines of a PEM file that is a private key in PKCS#8, and nothing else (RFC 7468 10).
fn base64_of(pem: &Secret) -> Option<Secret> {
    let body = pem.expose().trim().strip_prefix(BEGIN)?.strip_suffix(END)?;
    let mut base64 = String::with_capacity(body.len());
    base64.extend(body.chars().filter(|c| !c.is_ascii_whitespace()));
    Some(Secret::new(base64))
}
