//! Why an authorization could not be taken: a closed list, each with a fixed text for people.

use crate::model::{ErrorKind, Integration};
use std::fmt;

/// Why an authorization could not be taken.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Refusal {
    /// No such authorization was begun, or its answer came before.
    StateUnknown,
    /// The answer came too late.
    StateExpired,
    /// Whoever was asked said no.
    Denied,
    /// The organisation's policy forbids it.
    AdminPolicy,
    /// The system's consent page failed.
    ProviderError,
    /// The code is wrong, used or expired.
    CodeRefused,
    /// Not everything asked for was allowed.
    PartialConsent,
    /// The consent does not last.
    NoOfflineAccess,
    /// Who consented can't be told for certain.
    IdentityInvalid,
    /// The account belongs to no organisation.
    ConsumerAccount,
    /// The account administers nothing.
    NotAdmin,
    /// The organisation is connected with another company.
    CustomerElsewhere,
    /// The integration is bound to another organisation.
    CustomerChanged,
    /// The service account may not act for the organisation.
    DelegationMissing,
    /// The service account's key is not accepted.
    KeyRefused,
    /// There is nobody as whom the service account was to act.
    SubjectUnknown,
    /// The system finds our clock wrong.
    ClockWrong,
    /// The system does not accept the daemon as its client.
    Misconfigured,
    /// The system can't be reached.
    Unavailable,
    /// Our fault.
    Internal,
}

struct Texts {
    refusal: Refusal,
    code: &'static str,
    title: &'static str,
    text: &'static str,
    todo: &'static str,
}

const AGAIN: &str = "Go back to where you came from and begin the authorization again.";

const TEXTS: [Texts; 20] = [
    Texts {
        refusal: Refusal::StateUnknown,
        code: "STATE_UNKNOWN",
        title: "This link is not valid",
        text: "No authorization waits for this answer. The link may be incomplete, or it was used before.",
        todo: AGAIN,
    },
    Texts {
        refusal: Refusal::StateExpired,
        code: "STATE_EXPIRED",
        title: "This took too long",
        text: "The authorization was not answered within 10 minutes and has expired.",
        todo: AGAIN,
    },
    Texts {
        refusal: Refusal::Denied,
        code: "ACCESS_DENIED",
        title: "Access was not allowed",
        text: "The consent page was answered with no, so nothing was connected.",
        todo: "If that was not meant, begin the authorization again and choose Allow.",
    },
    Texts {
        refusal: Refusal::AdminPolicy,
        code: "ADMIN_POLICY",
        title: "Your organisation's policy forbids it",
        text: "The organisation restricts which applications may use its data, and this one is not among them.",
        todo: "Let a super administrator trust this application (in Google's Admin console: Security, Access and data control, API controls), then authorize again.",
    },
    Texts {
        refusal: Refusal::ProviderError,
        code: "PROVIDER_ERROR",
        title: "The consent page failed",
        text: "The system answered with an error instead of a consent.",
        todo: AGAIN,
    },
    Texts {
        refusal: Refusal::CodeRefused,
        code: "CODE_REFUSED",
        title: "The consent could not be taken",
        text: "The system no longer accepts the answer of its own consent page: it was used before or came too late.",
        todo: AGAIN,
    },
    Texts {
        refusal: Refusal::PartialConsent,
        code: "PARTIAL_CONSENT",
        title: "Not everything was allowed",
        text: "Some of the permissions that are needed were left unticked, so nothing was connected.",
        todo: "Begin the authorization again and tick every permission on the consent page.",
    },
    Texts {
        refusal: Refusal::NoOfflineAccess,
        code: "NO_OFFLINE_ACCESS",
        title: "The consent does not last",
        text: "The system gave access for the moment only, and keeping directories in step needs it for longer.",
        todo: "In your account's settings remove this application's access, then begin the authorization again.",
    },
    Texts {
        refusal: Refusal::IdentityInvalid,
        code: "IDENTITY_INVALID",
        title: "We can't tell who you are",
        text: "What the system says about your account could not be verified, so nothing was connected.",
        todo: AGAIN,
    },
    Texts {
        refusal: Refusal::ConsumerAccount,
        code: "CONSUMER_ACCOUNT",
        title: "This is a personal account",
        text: "The account chosen belongs to no organisation, so there is no directory to connect.",
        todo: "Begin the authorization again and choose an administrator's account of your organisation.",
    },
    Texts {
        refusal: Refusal::NotAdmin,
        code: "NOT_ADMIN",
        title: "This account is no administrator",
        text: "The account chosen may not read the organisation's users and groups.",
        todo: "Authorize again with an administrator's account, or let an administrator do it.",
    },
    Texts {
        refusal: Refusal::CustomerElsewhere,
        code: "CUSTOMER_ELSEWHERE",
        title: "This organisation is connected elsewhere",
        text: "The organisation of the account chosen is already connected with another company.",
        todo: "Choose an account of the right organisation, or ask your operator to have the other connection removed.",
    },
    Texts {
        refusal: Refusal::CustomerChanged,
        code: "CUSTOMER_CHANGED",
        title: "This is another organisation",
        text: "The integration belongs to another organisation than that of the account chosen, and can't be moved.",
        todo: "Authorize again with an account of the same organisation, or add a new integration for this one.",
    },
    Texts {
        refusal: Refusal::DelegationMissing,
        code: "DELEGATION_MISSING",
        title: "The service account may not act for you",
        text: "The system does not let the service account act for the organisation with the scopes that are needed.",
        todo: "Let a super administrator add its client id with exactly these scopes (in Google's Admin console: Security, Access and data control, API controls, Domain-wide delegation), then set the credentials again: it takes effect within minutes, at times only after a day.",
    },
    Texts {
        refusal: Refusal::KeyRefused,
        code: "KEY_REFUSED",
        title: "The key is not accepted",
        text: "The system does not accept the service account's key: the key or the account is deleted or disabled.",
        todo: "Make a new key for the service account (in the Google Cloud console: IAM & Admin, Service accounts, Keys) and set the credentials again with it.",
    },
    Texts {
        refusal: Refusal::SubjectUnknown,
        code: "SUBJECT_UNKNOWN",
        title: "There is nobody to act as",
        text: "The system knows no active account of the address as which the service account is to act.",
        todo: "Set the credentials again with the primary address of an active administrator of the organisation.",
    },
    Texts {
        refusal: Refusal::ClockWrong,
        code: "CLOCK_WRONG",
        title: "The clock of this service is wrong",
        text: "The system finds what this service signed too old or too new.",
        todo: "Tell the operator of this service to set its clock right, then set the credentials again.",
    },
    Texts {
        refusal: Refusal::Misconfigured,
        code: "CLIENT_REFUSED",
        title: "The system does not accept this application",
        text: "The system refuses the client id or secret that this service is configured with.",
        todo: "Tell the operator of this service: its log has the system's own words.",
    },
    Texts {
        refusal: Refusal::Unavailable,
        code: "SYSTEM_UNAVAILABLE",
        title: "The system can't be reached",
        text: "The system did not answer as it should just now, so nothing was connected.",
        todo: "Authorize again in a few minutes.",
    },
    Texts {
        refusal: Refusal::Internal,
        code: "INTERNAL",
        title: "Something went wrong",
        text: "The answer could not be stored, so nothing was connected.",
        todo: "Authorize again; if it fails again, tell the operator of this service.",
    },
];

impl Refusal {
    /// Every one there is.
    pub fn all() -> impl Iterator<Item = Self> {
        TEXTS.iter().map(|texts| texts.refusal)
    }

    /// Stable, in capitals.
    pub fn code(self) -> &'static str {
        self.texts().code
    }

    /// What happened, in a few words.
    pub fn title(self) -> &'static str {
        self.texts().title
    }

    /// What happened.
    pub fn text(self) -> &'static str {
        self.texts().text
    }

    /// What to do about it.
    pub fn todo(self) -> &'static str {
        self.texts().todo
    }

    /// What a caller of the API can do about it.
    pub fn kind(self) -> ErrorKind {
        match self {
            Self::Unavailable | Self::ProviderError => ErrorKind::Unavailable,
            Self::Internal => ErrorKind::Internal,
            _ => ErrorKind::Precondition,
        }
    }

    fn texts(self) -> &'static Texts {
        // Each has its line, as a test holds; the first stands in for none.
        let [first, ..] = &TEXTS;
        TEXTS
            .iter()
            .find(|texts| texts.refusal == self)
            .unwrap_or(first)
    }
}

/// An authorization that could not be taken. Nothing else has changed: what was authorized before still is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Refused {
    /// Why.
    pub refusal: Refusal,
    /// What exactly, where people should know more than the fixed text: scopes that are missing. Else empty.
    pub detail: String,
    /// The integration it was meant for, if that is known.
    pub integration: Option<Integration>,
    /// Where to send the browser, if that was asked for.
    pub return_url: Option<String>,
}

impl std::error::Error for Refused {}

impl fmt::Display for Refused {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} ", self.refusal.text())?;
        if !self.detail.is_empty() {
            write!(f, "({}) ", self.detail)?;
        }
        f.write_str(self.refusal.todo())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::collections::BTreeSet;

    #[test]
    fn every_refusal_has_a_code_of_its_own_and_says_what_to_do() {
        let codes: BTreeSet<_> = Refusal::all().map(Refusal::code).collect();
        assert_eq!(codes.len(), Refusal::Internal as usize + 1, "the last one");
        for refusal in Refusal::all() {
            assert!(
                refusal.text().ends_with('.') && refusal.todo().ends_with('.'),
                "{refusal:?}"
            );
            assert!(
                !refusal.title().ends_with('.') && refusal.title().len() < 60,
                "{refusal:?}"
            );
            assert!(
                refusal
                    .code()
                    .bytes()
                    .all(|b| b.is_ascii_uppercase() || b == b'_')
            );
        }
    }
}
