//! Callers of the internal listener: who may ask for what.

use super::{CompanyId, Secret};
use std::collections::BTreeSet;

/// What hashes of tokens are derived for; changing it makes every configured hash worthless.
const CONTEXT: &str = "provisiond 2026-11 token of a caller";
/// What every token begins with, so that one that leaked can be found.
const PREFIX: &str = "pvd_";
/// Random bytes in a token: 256 bits to keep secret, after 48 to find its caller by.
pub const TOKEN_BYTES: usize = 38;
const ID_BYTES: usize = 6;

/// What a caller may do. Each role may do what those before it may.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Role {
    /// Reads everything.
    Viewer,
    /// Also starts and cancels runs.
    Operator,
    /// Everything.
    Admin,
}

impl Role {
    /// How configuration and answers name it.
    pub fn text(self) -> &'static str {
        match self {
            Self::Viewer => "viewer",
            Self::Operator => "operator",
            Self::Admin => "admin",
        }
    }

    /// The role of this name.
    pub fn of(text: &str) -> Option<Self> {
        [Self::Viewer, Self::Operator, Self::Admin]
            .into_iter()
            .find(|role| role.text() == text)
    }
}

/// The companies that a caller may touch.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Companies {
    /// Every one, also those to come.
    All,
    /// These.
    Only(BTreeSet<CompanyId>),
}

impl Companies {
    /// Whether the company is one of them.
    pub fn hold(&self, company: &CompanyId) -> bool {
        match self {
            Self::All => true,
            Self::Only(these) => these.contains(company),
        }
    }
}

/// Somebody who may call.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Caller {
    /// How he is called in runs, in the directory and in logs.
    pub name: String,
    /// What he may do.
    pub role: Role,
    /// For which companies.
    pub companies: Companies,
    /// By which token he is known.
    pub token: Option<TokenHash>,
    /// By which DNS name in his client certificate he is known (subject alternative name).
    pub certificate: Option<String>,
}

/// What is kept of a token: the part that finds it, and a hash. The token can't be told from it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TokenHash {
    id: String,
    hash: blake3::Hash,
}

impl TokenHash {
    /// The hash of a token; none if that is no token at all.
    pub fn of(token: &str) -> Option<Self> {
        let (id, _) = token.strip_prefix(PREFIX)?.split_once('_')?;
        Some(Self {
            id: id.to_owned(),
            hash: blake3::Hash::from_bytes(blake3::derive_key(CONTEXT, token.as_bytes())),
        })
    }

    /// Reads the line of the configuration.
    pub fn parse(text: &str) -> Option<Self> {
        let (id, hash) = text.split_once(':')?;
        let usable = id.len() == 2 * ID_BYTES && id.bytes().all(|b| b.is_ascii_hexdigit());
        Some(Self {
            id: usable.then(|| id.to_owned())?,
            hash: blake3::Hash::from_hex(hash).ok()?,
        })
    }

    /// The line of the configuration.
    pub fn line(&self) -> String {
        format!("{}:{}", self.id, self.hash.to_hex())
    }

    /// The part that finds it; no secret.
    pub fn id(&self) -> &str {
        &self.id
    }

    /// Whether both are of one token. The hashes are compared in constant time.
    pub fn matches(&self, other: &Self) -> bool {
        self.id == other.id && self.hash == other.hash
    }
}

/// A new token of these random bytes.
pub fn new_token(random: &[u8; TOKEN_BYTES]) -> Secret {
    let hex = |bytes: &[u8]| bytes.iter().map(|b| format!("{b:02x}")).collect::<String>();
    let (id, secret) = random.split_at(ID_BYTES);
    Secret::new(format!("{PREFIX}{}_{}", hex(id), hex(secret)))
}

/// How a listener proves who it is, and who may prove himself to it. All texts are PEM.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ServerTls {
    /// The certificate, and those between it and a known authority.
    pub certificate: String,
    /// Its key.
    pub key: Secret,
    /// The authorities whose client certificates are taken; none = nobody is asked for one.
    pub client_ca: Option<String>,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_token_is_known_by_its_line_and_no_other() {
        let token = new_token(&[7; TOKEN_BYTES]);
        let other = new_token(&[8; TOKEN_BYTES]);
        let kept = TokenHash::of(token.expose()).unwrap();
        let read = TokenHash::parse(&kept.line()).unwrap();
        assert!(read.matches(&kept));
        assert!(!read.matches(&TokenHash::of(other.expose()).unwrap()));
        // The part that finds it is not enough.
        let forged = format!("{}0", &token.expose()[..token.expose().len() - 1]);
        assert!(!read.matches(&TokenHash::of(&forged).unwrap()));
        assert!(!kept.line().contains(&token.expose()[17..]));
    }

    #[test]
    fn what_is_no_token_and_no_line_is_refused() {
        for wrong in ["", "pvd_", "abc", "Bearer pvd_a_b"] {
            assert_eq!(TokenHash::of(wrong), None, "{wrong}");
        }
        for wrong in ["", "070707070707", "070707070707:12", "x:y", "07:07"] {
            assert_eq!(TokenHash::parse(wrong), None, "{wrong}");
        }
    }

    #[test]
    fn each_role_may_do_what_those_before_it_may() {
        assert!(Role::Viewer < Role::Operator && Role::Operator < Role::Admin);
        assert_eq!(Role::of("operator"), Some(Role::Operator));
        assert_eq!(Role::of("root"), None);
    }
}
