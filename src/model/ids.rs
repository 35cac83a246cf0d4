//! Ids as newtypes: one for each thing that has one, so that none is taken for another.

use std::{fmt, sync::Arc};
use uuid::Uuid;

/// Why a text is not an id.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("must be 1 to 63 characters of a-z, 0-9 and '-', and not '-' alone")]
pub struct InvalidId;

/// Whether `text` follows the rule for ids: `[a-z0-9-]{1,63}`, and not `-`, which stands for all of a kind in names.
fn is_id(text: &str) -> bool {
    (1..=63).contains(&text.len())
        && text != "-"
        && text
            .bytes()
            .all(|b| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'-')
}

macro_rules! id {
    ($(#[$doc:meta])* $name:ident) => {
        $(#[$doc])*
        #[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
        pub struct $name(Arc<str>);

        impl $name {
            /// Takes a text that follows the rule for ids (`[a-z0-9-]{1,63}`, not `-` alone).
            pub fn try_new(text: &str) -> Result<Self, InvalidId> {
                if is_id(text) { Ok(Self(text.into())) } else { Err(InvalidId) }
            }

            /// A new id, chosen by the daemon: a UUIDv7, which sorts by time.
            pub fn generate() -> Self {
                Self(Uuid::now_v7().to_string().into())
            }

            /// The id as text.
            pub fn as_str(&self) -> &str {
                &self.0
            }
        }

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str(&self.0)
            }
        }
    };
}

id!(/// A company of AppsCo: the tenant to whom everything belongs.
    CompanyId);
id!(/// An integration within its company.
    IntegrationId);
id!(/// A rule within its integration.
    RuleId);
id!(/// A run within its integration; made by the daemon, sorts by time.
    RunId);
id!(/// A user or group of the AppsCo directory, within its company and kind.
    EntityId);
id!(/// A system of the catalogue, such as `google-workspace`.
    SystemId);

impl SystemId {
    /// The AppsCo directory itself, the other end of every integration; not in the catalogue.
    pub fn directory() -> Self {
        Self("appsco-directory".into())
    }
}

/// The daemon's own key of an integration, user or group: never used again, even if another of the same id is made later.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Uid(pub Uuid);

impl Uid {
    /// A new one; sorts by time.
    pub fn generate() -> Self {
        Self(Uuid::now_v7())
    }
}

impl fmt::Display for Uid {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

impl EntityId {
    /// The id of an object for which nobody chose one: its uid.
    pub fn of(uid: Uid) -> Self {
        Self(uid.0.to_string().into())
    }
}

/// The id that an external system gives one of its objects: opaque, never an address. At most 255 bytes.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct SourceId(Arc<str>);

impl SourceId {
    /// Takes a system's id: 1 to 255 bytes, none of them zero.
    pub fn try_new(text: &str) -> Option<Self> {
        ((1..=255).contains(&text.len()) && !text.contains('\0')).then(|| Self(text.into()))
    }

    /// The id as text.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for SourceId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_id_is_of_few_characters_and_never_the_one_that_stands_for_all() {
        let longest = "x".repeat(63);
        for good in ["a", "0", "a-b", "--", "-a", &longest] {
            assert_eq!(EntityId::try_new(good).unwrap().as_str(), good);
        }
        for bad in ["", "-", "A", "a b", "a/b", "é", &format!("{longest}x")] {
            assert_eq!(EntityId::try_new(bad), Err(InvalidId), "{bad}");
        }
    }
}
