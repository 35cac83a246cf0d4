//! Plain types that every room speaks: ids, secrets, integrations, rules, objects, links, runs, changes, events.
//!
//! Owns the words of the product and what is true of them by construction. Uses nothing of the crate. Deliberately does
//! no I/O and knows no gRPC, no store, and of tokio only the timer on which a clock sleeps: anything here can be tested by
//! calling it.

mod caller;
mod change;
mod clock;
mod directory;
mod error;
mod event;
mod ids;
mod integration;
mod link;
mod near;
mod object;
mod page;
mod rule;
mod run;
mod schedule;
mod secret;

pub use caller::{Caller, Companies, Role, ServerTls, TOKEN_BYTES, TokenHash, new_token};
pub use change::{Action, Change, Diff, ObjectRef, Outcome, Reason};
pub use clock::{Clock, ManualClock, SystemClock};
pub use directory::{Deleted, Entity, EntityLink, Member, MemberOrigin, WrittenBy, fold_email};
pub use error::{ErrorKind, Violation};
pub use event::{DirectoryEdit, Edit, Event, EventBody, Progress};
pub use ids::{
    CompanyId, EntityId, IntegrationId, InvalidId, RuleId, RunId, SourceId, SystemId, Uid,
};
pub use integration::{
    Authorization, AuthorizationMethod, AuthorizationState, AuthorizedBy, Consent, Direction,
    Integration, IntegrationState, Limits, PendingAuthorization, ServiceAccount,
};
pub use link::{AppliedMember, Found, Link, LinkOrigin, MemberState, MemberWrite, Wanted};
pub use near::nearest;
pub use object::{Attribute, Attributes, Fingerprint, Kind, Object, Shape, Value};
pub use page::{Listed, PageRequest, RequestKey};
pub use rule::{Condition, MAX_POSITION, Mapping, Operator, Rule, RuleEvent, RunMode};
pub use run::{
    Counters, MemberCounters, Phase, RequestCounts, RuleCounters, Run, RunError, RunState, Tally,
    Trigger,
};
pub use schedule::{Schedule, SyncInterval, UnknownZone, Zone};
pub use secret::{Sealed, Secret};

/// A moment, in UTC.
pub type Time = jiff::Timestamp;
