//! What a connector is: one small trait, and a trait for each capability.

use super::Error;
use crate::model::{
    Attributes, Entity, EntityLink, Found, IntegrationId, Kind, Object, RequestCounts, Secret,
    SourceId, SystemId, Wanted,
};
use futures_util::future::BoxFuture;

/// What a connector answers, in the end.
pub type Answer<'a, T> = BoxFuture<'a, Result<T, Error>>;

/// Where access tokens come from. Whoever implements it renews a token once for all who wait for it.
pub trait AccessTokens: Send + Sync + std::fmt::Debug {
    /// A token that should be accepted now. [`Error::ConsentLost`] if only a new consent can bring one.
    fn token(&self) -> Answer<'_, Secret>;

    /// The system did not accept this token: the next one handed out must be another. Tokens renewed meanwhile stay.
    fn invalidate(&self, token: &Secret);
}

/// One end of an integration.
pub trait Connector: Send + Sync {
    /// Which system it speaks to.
    fn system(&self) -> SystemId;

    /// Asks the system who we are there. [`Error::Forbidden`] for an account that is no administrator.
    fn check(&self) -> Answer<'_, Standing>;

    /// Reading, if the system can be read.
    fn reader(&self) -> Option<&dyn Reader> {
        None
    }

    /// Writing, if the system can be written to.
    fn writer(&self) -> Option<&dyn Writer> {
        None
    }

    /// Requests made since it was opened.
    fn requests(&self) -> RequestCounts {
        RequestCounts::default()
    }

    /// How long the next request has to wait because the system throttles; none when it does not.
    fn throttled_for(&self) -> Option<std::time::Duration> {
        None
    }
}

/// Who we are to the system.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Standing {
    /// The system's id of the customer.
    pub customer_id: String,
    /// Address of the account we act as.
    pub account: String,
    /// Whether that account administers the customer.
    pub admin: bool,
}

/// Where a listing goes on; opaque.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Cursor(pub String);

/// What a listing covers. Absence is concluded from `Complete` only.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Coverage {
    /// Everything that there is.
    Complete,
    /// Some of it.
    Partial,
    /// What changed.
    Delta,
}

/// A page of a listing.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Page<T> {
    /// What it holds. Rows may repeat over pages.
    pub items: Vec<T>,
    /// Where it goes on; none on the last page.
    pub next: Option<Cursor>,
    /// What the listing covers once its last page is read.
    pub coverage: Coverage,
}

/// What a member of a group is, at the source.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum MemberKind {
    /// A user of this customer.
    User,
    /// A group, of this customer or another.
    Group,
    /// Everybody of the customer.
    Everyone,
    /// Somebody outside the customer.
    External,
}

/// A member of a group, at the source.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SourceMember {
    /// What it is.
    pub kind: MemberKind,
    /// The system's id; for `Everyone` that of the customer.
    pub id: SourceId,
    /// Address, if it was given.
    pub email: Option<String>,
}

/// An organisational unit: a place in the one tree in which every user of a customer is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct OrgUnit {
    /// The system's id, which stays when the unit is renamed or moved.
    pub id: String,
    /// Where it is: names from the root, each after a slash.
    pub path: String,
    /// What people call it.
    pub name: String,
}

/// A domain of a customer, in which its users and groups can have their primary addresses.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Domain {
    /// Its name.
    pub name: String,
    /// Whether it is the one that the customer began with.
    pub primary: bool,
    /// Whether the customer has proved that it is his.
    pub verified: bool,
}

/// Reads a system.
///
/// What is [`Error::Forbidden`] is so to an administrator: whether the account is still one was asked before it was said, and
/// if it is not, the error is [`Error::ConsentLost`]. Only the members of a group may be forbidden without that question:
/// each group can have members that its customer's administrators may not see.
pub trait Reader: Send + Sync {
    /// A page of all objects of a kind.
    fn page(&self, kind: Kind, cursor: Option<Cursor>) -> Answer<'_, Page<Object>>;

    /// A page of the direct members of a group.
    fn members<'a>(
        &'a self,
        group: &'a SourceId,
        cursor: Option<Cursor>,
    ) -> Answer<'a, Page<SourceMember>>;

    /// All organisational units.
    fn units(&self) -> Answer<'_, Vec<OrgUnit>>;

    /// All domains of the customer.
    fn domains(&self) -> Answer<'_, Vec<Domain>>;

    /// The id of the object that has this address, or had it and has it still as an alias. `None` if there is none.
    fn locate<'a>(&'a self, kind: Kind, address: &'a str) -> Answer<'a, Option<SourceId>>;

    /// One object, asked for directly. `None` is the proof of absence.
    fn get<'a>(&'a self, kind: Kind, id: &'a SourceId) -> Answer<'a, Option<Object>>;
}

/// A write to the target. Each is idempotent.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Write {
    /// Make an object.
    Create {
        /// What.
        kind: Kind,
        /// From which source object.
        link: EntityLink,
        /// With these attributes.
        attributes: Attributes,
        /// By which integration; it owns the attributes of `owned`.
        integration: IntegrationId,
        /// Which attributes it owns.
        owned: Vec<crate::model::Attribute>,
    },
    /// Replace an object that was read before by what it is to be, including who wrote it and when.
    Update(Entity),
}

/// What became of a write.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Prepared {
    /// A directory write that the committer puts into the same transaction as link, change and counters.
    Entity(Entity),
}

/// Writes to a system.
pub trait Writer: Send + Sync {
    /// What the target knows about these, in their order.
    fn find<'a>(&'a self, kind: Kind, wanted: &'a [Wanted]) -> Answer<'a, Vec<Found>>;

    /// Carries the writes out, or prepares them, in their order.
    fn apply(&self, batch: Vec<Write>) -> Answer<'_, Vec<Prepared>>;
}
