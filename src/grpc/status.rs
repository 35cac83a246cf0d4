//! Failures as gRPC statuses with details (api.md, "Errors"): the only file that names `tonic::Code`.

mod fit;

use super::request_id;
use crate::{
    directory, integrations,
    model::{ErrorKind, Role, Violation},
    store, sync,
};
use std::time::Duration;
use tonic::{Code, Status};
use tonic_types::{ErrorDetails, StatusExt};

/// Domain of all reasons.
const DOMAIN: &str = "provisioning.appsco";

/// Why a request failed, machine-readable (`ErrorInfo.reason`): a closed list.
#[derive(Debug, Clone, Copy)]
enum Why {
    /// A field is wrong.
    InvalidRequest,
    /// There is no such resource in this company.
    ResourceNotFound,
    /// The id, title, address or request id is taken.
    ResourceExists,
    /// What the caller saw has changed.
    EtagMismatch,
    /// Something must be done first; `PreconditionFailure` says what.
    PreconditionFailed,
    /// The system throttles or is down, or the daemon stops.
    TemporarilyUnavailable,
    /// A limit of the daemon is reached.
    LimitReached,
    /// The position in the stream is no longer kept, or never was.
    PositionOutOfRange,
    /// The caller is not known.
    UnknownCaller,
    /// The caller's role does not allow it; the metadata's `role` says which would.
    RoleRequired,
    /// The method is about all companies, and the caller may not touch all.
    AllCompaniesRequired,
    /// The daemon's fault.
    Internal,
}

impl Why {
    fn text(self) -> &'static str {
        match self {
            Self::InvalidRequest => "INVALID_REQUEST",
            Self::ResourceNotFound => "RESOURCE_NOT_FOUND",
            Self::ResourceExists => "RESOURCE_EXISTS",
            Self::EtagMismatch => "ETAG_MISMATCH",
            Self::PreconditionFailed => "PRECONDITION_FAILED",
            Self::TemporarilyUnavailable => "TEMPORARILY_UNAVAILABLE",
            Self::LimitReached => "LIMIT_REACHED",
            Self::PositionOutOfRange => "POSITION_OUT_OF_RANGE",
            Self::UnknownCaller => "UNKNOWN_CALLER",
            Self::RoleRequired => "ROLE_REQUIRED",
            Self::AllCompaniesRequired => "ALL_COMPANIES_REQUIRED",
            Self::Internal => "INTERNAL",
        }
    }
}

fn map(kind: ErrorKind) -> (Code, Why) {
    match kind {
        ErrorKind::Invalid => (Code::InvalidArgument, Why::InvalidRequest),
        ErrorKind::NotFound => (Code::NotFound, Why::ResourceNotFound),
        ErrorKind::AlreadyExists => (Code::AlreadyExists, Why::ResourceExists),
        ErrorKind::Conflict => (Code::Aborted, Why::EtagMismatch),
        ErrorKind::Precondition => (Code::FailedPrecondition, Why::PreconditionFailed),
        ErrorKind::Unavailable => (Code::Unavailable, Why::TemporarilyUnavailable),
        ErrorKind::Exhausted => (Code::ResourceExhausted, Why::LimitReached),
        ErrorKind::OutOfRange => (Code::OutOfRange, Why::PositionOutOfRange),
        ErrorKind::Internal => (Code::Internal, Why::Internal),
    }
}

fn details(why: Why) -> ErrorDetails {
    let mut details = ErrorDetails::new();
    details.set_error_info(why.text(), DOMAIN, std::collections::HashMap::new());
    details
}

/// A failure of a room, with what its details are made of.
struct Failure {
    kind: ErrorKind,
    text: String,
    violations: Vec<Violation>,
    preconditions: Vec<(String, String)>,
    resource: String,
}

impl Failure {
    fn status(mut self) -> Status {
        fit::fit(&mut self);
        let (code, why) = map(self.kind);
        let mut details = details(why);
        match self.kind {
            ErrorKind::Internal => {
                // The inner text stays in the log; the request id leads to it.
                tracing::error!(error = self.text, "a request failed by our fault");
                details.set_request_info(request_id::current(), "");
                return Status::with_error_details(
                    code,
                    "the daemon failed; its log says more under this request id",
                    details,
                );
            }
            ErrorKind::NotFound | ErrorKind::AlreadyExists => {
                details.set_resource_info("", self.resource, "", self.text.clone());
            }
            ErrorKind::Unavailable => {
                details.set_retry_info(Some(Duration::from_secs(5)));
            }
            ErrorKind::Exhausted => {
                details.add_quota_failure_violation(self.resource, self.text.clone());
            }
            ErrorKind::Invalid
            | ErrorKind::Conflict
            | ErrorKind::Precondition
            | ErrorKind::OutOfRange => {}
        }
        for violation in &self.violations {
            details.add_bad_request_violation(&violation.field, &violation.description);
        }
        for (code, text) in &self.preconditions {
            details.add_precondition_failure_violation(code, "", text);
        }
        Status::with_error_details(code, self.text, details)
    }
}

fn plain(kind: ErrorKind, text: String) -> Failure {
    Failure {
        kind,
        text,
        violations: Vec::new(),
        preconditions: Vec::new(),
        resource: String::new(),
    }
}

/// The name of a code, as the protocol writes it.
pub(super) fn name(code: Code) -> String {
    let words = format!("{code:?}");
    let mut name = String::new();
    for c in words.chars() {
        if c.is_uppercase() && !name.is_empty() {
            name.push('_');
        }
        name.extend(c.to_uppercase());
    }
    name
}

/// Every bad field at once; of very many, those that fit.
pub(super) fn invalid(violations: Vec<Violation>) -> Status {
    let texts: Vec<String> = violations
        .iter()
        .map(|v| format!("{}: {}", v.field, v.description))
        .collect();
    Failure {
        violations,
        ..plain(ErrorKind::Invalid, texts.join("; "))
    }
    .status()
}

/// There is no such resource, or it is another company's.
pub(super) fn not_found(name: String) -> Status {
    let text = format!("{name} does not exist");
    Failure {
        resource: name,
        ..plain(ErrorKind::NotFound, text)
    }
    .status()
}

/// What the caller saw has changed.
pub(super) fn changed(name: &str) -> Status {
    plain(
        ErrorKind::Conflict,
        format!("{name} has changed since its etag was given out; read it again"),
    )
    .status()
}

/// The resume token is of another store: what came before it there is not known here.
pub(super) fn other_store() -> Status {
    let text = "the resume token is of another store, one that was replaced; watch from after_sequence 0, or from now";
    plain(ErrorKind::OutOfRange, text.to_owned()).status()
}

/// A limit is reached: of what, and what is so and what to do.
pub(super) fn exhausted(of: String, text: String) -> Status {
    Failure {
        resource: of,
        ..plain(ErrorKind::Exhausted, text)
    }
    .status()
}

/// The daemon stops.
pub(super) fn stopping() -> Status {
    plain(
        ErrorKind::Unavailable,
        "the daemon is stopping; try again in a moment".to_owned(),
    )
    .status()
}

/// Not now: what is so and what to do.
pub(super) fn unavailable(text: String) -> Status {
    plain(ErrorKind::Unavailable, text).status()
}

/// The handler panicked.
pub(super) fn panicked() -> Status {
    plain(ErrorKind::Internal, "a handler panicked".to_owned()).status()
}

/// The caller's deadline has passed.
pub(super) fn deadline() -> Status {
    Status::new(
        Code::DeadlineExceeded,
        "the deadline given with the request has passed",
    )
}

/// Whether the answer of a service says that the transport could not read the request: what fails in our own code has
/// details.
pub(super) fn is_unreadable(ours: bool, answer: &http::HeaderMap) -> bool {
    let internal = (Code::Internal as i32).to_string();
    ours && answer
        .get("grpc-status")
        .is_some_and(|code| *code == *internal)
        && !answer.contains_key("grpc-status-details-bin")
}

/// The request is not the message that the method takes.
pub(super) fn unreadable() -> Status {
    plain(
        ErrorKind::Invalid,
        "the request can't be read: it is not the message that this method takes".to_owned(),
    )
    .status()
}

/// Nobody knows who calls. Why is not said: it would help only who tries.
pub(super) fn unknown_caller() -> Status {
    Status::with_error_details(
        Code::Unauthenticated,
        "callers must say who they are: give a valid token as metadata `authorization: Bearer <token>`, \
         or a client certificate that is configured",
        details(Why::UnknownCaller),
    )
}

/// The caller's role is too small.
pub(super) fn lacks_role(needed: Role) -> Status {
    let role = needed.text().to_owned();
    let text = format!("this needs the role {role}, which the caller does not have");
    let mut details = ErrorDetails::new();
    let metadata = std::collections::HashMap::from([("role".to_owned(), role)]);
    details.set_error_info(Why::RoleRequired.text(), DOMAIN, metadata);
    Status::with_error_details(Code::PermissionDenied, text, details)
}

/// The method is about all companies, and the caller may touch only some.
pub(super) fn lacks_companies() -> Status {
    let text = "this is about all companies at once, and the caller may touch only some (companies = \"*\" allows it)";
    let details = details(Why::AllCompaniesRequired);
    Status::with_error_details(Code::PermissionDenied, text, details)
}

/// There is no such method.
pub(super) fn unimplemented() -> Status {
    Status::new(
        Code::Unimplemented,
        "there is no such method; list the services by reflection",
    )
}

pub(super) fn store(error: store::Error) -> Status {
    match error {
        store::Error::Missing(name) => not_found(name),
        store::Error::BadPosition(text) => invalid(vec![Violation::new("page_token", text)]),
        store::Error::Taken { what, holder } => taken(what, holder),
        other => {
            let preconditions = match &other {
                store::Error::Refused(text) => vec![("LIMIT".to_owned(), text.clone())],
                store::Error::Deleting(_) => vec![("DELETING".to_owned(), other.to_string())],
                _ => Vec::new(),
            };
            Failure {
                preconditions,
                ..plain(other.kind(), other.to_string())
            }
            .status()
        }
    }
}

fn taken(what: &str, holder: String) -> Status {
    let text = format!("{what} is taken: {holder}");
    Failure {
        resource: holder,
        ..plain(ErrorKind::AlreadyExists, text)
    }
    .status()
}

/// What an integration keeps up to date can't be changed by hand; a text for each.
pub(super) fn owned(texts: Vec<String>) -> Status {
    let text = texts.join("; ");
    let preconditions = texts.into_iter().map(|text| ("OWNED_BY".to_owned(), text));
    Failure {
        preconditions: preconditions.collect(),
        ..plain(ErrorKind::Precondition, text)
    }
    .status()
}

pub(super) fn directory(error: directory::Error) -> Status {
    match error {
        directory::Error::Invalid(violations) => invalid(violations),
        directory::Error::NotFound(name) => not_found(name),
        directory::Error::Taken { what, holder } => taken(what, holder),
        directory::Error::Owned(owned) => self::owned(
            owned
                .iter()
                .map(|(field, owner)| {
                    format!("{field} is kept up to date by {owner}: change it in its system")
                })
                .collect(),
        ),
        directory::Error::Store(error) => store(error),
    }
}

pub(super) fn integrations(error: integrations::Error) -> Status {
    match error {
        integrations::Error::Invalid(violations) => invalid(violations),
        integrations::Error::NotFound(name) => not_found(name),
        integrations::Error::Taken { what, holder } => taken(what, holder),
        integrations::Error::Store(error) => store(error),
        other => {
            let preconditions = other
                .code()
                .map(|code| (code.to_owned(), other.to_string()));
            let preconditions = preconditions.into_iter().collect();
            Failure {
                preconditions,
                ..plain(other.kind(), other.to_string())
            }
            .status()
        }
    }
}

pub(super) fn sync(error: sync::Error) -> Status {
    match error {
        sync::Error::NotReady(preconditions) => {
            let text = preconditions
                .iter()
                .map(|(_, text)| text.as_str())
                .collect::<Vec<_>>()
                .join("; ");
            Failure {
                preconditions,
                ..plain(ErrorKind::Precondition, text)
            }
            .status()
        }
        sync::Error::BadRule(text) => invalid(vec![Violation::new("rules", text)]),
        sync::Error::Missing(name) => not_found(name),
        sync::Error::TooManyPreviews(_) => Failure {
            resource: "previews".to_owned(),
            ..plain(error.kind(), error.to_string())
        }
        .status(),
        sync::Error::Integration(error) => integrations(error),
        sync::Error::Store(error) => store(error),
        other @ (sync::Error::BadPosition(_) | sync::Error::System(_) | sync::Error::Stopping) => {
            plain(other.kind(), other.to_string()).status()
        }
    }
}
