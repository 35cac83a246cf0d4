//! What is missing before a run can start.

use super::{Error, Integrations};
use crate::{
    connector::catalogue,
    model::{
        AuthorizationMethod, AuthorizationState, Consent, Integration, IntegrationState, Rule,
        RunMode,
    },
    oauth,
};

/// One thing that is missing.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Gap {
    /// Nobody has consented yet.
    NotAuthorized,
    /// What was authorized in this way does not work any more; why.
    ReauthorizationRequired(AuthorizationMethod, String),
    /// What was authorized in this way lacks these scopes.
    ScopesMissing(AuthorizationMethod, Vec<String>),
    /// There is no active rule.
    NoActiveRules,
    /// All active rules are manual: runs that name them can start.
    NoAutomaticRules,
    /// The daemon paused it; why.
    Paused(String),
    /// It is being deleted.
    Deleting,
}

impl Gap {
    /// An integration whose authorization is lost needs another.
    pub fn reauthorization(integration: &Integration) -> Self {
        let authorization = &integration.authorization;
        Self::ReauthorizationRequired(method(integration), authorization.reason.clone())
    }

    /// Stable, in capitals.
    pub fn code(&self) -> &'static str {
        match self {
            Self::NotAuthorized => "NOT_AUTHORIZED",
            Self::ReauthorizationRequired(..) => "REAUTHORIZATION_REQUIRED",
            Self::ScopesMissing(..) => "SCOPES_MISSING",
            Self::NoActiveRules => "NO_ACTIVE_RULES",
            Self::NoAutomaticRules => "NO_AUTOMATIC_RULES",
            Self::Paused(_) => "PAUSED",
            Self::Deleting => "DELETING",
        }
    }

    /// Whether not even a preview may run: one may look at what is paused.
    pub fn bars_previews(&self) -> bool {
        !matches!(self, Self::Paused(_))
    }

    /// What is missing and what to do about it.
    pub fn text(&self) -> String {
        match self {
            Self::NotAuthorized => "Nobody has authorized it: call BeginAuthorization and let an administrator of the system open the URL, or SetCredentials with the key of a service account".to_owned(),
            Self::ReauthorizationRequired(AuthorizationMethod::Consent, why) => format!("The system no longer accepts the authorization ({why}): call BeginAuthorization and let an administrator open the URL again"),
            Self::ReauthorizationRequired(AuthorizationMethod::ServiceAccountKey, why) => format!("The system no longer accepts the service account's key ({why}): let an administrator see to the account and what it may do, then call SetCredentials again; or call BeginAuthorization"),
            Self::ScopesMissing(AuthorizationMethod::Consent, scopes) => format!("The authorization lacks {}: call BeginAuthorization and let an administrator allow everything that is asked for", scopes.join(", ")),
            Self::ScopesMissing(AuthorizationMethod::ServiceAccountKey, scopes) => format!("The authorization lacks {}: let an administrator add it to what the service account may do, then call SetCredentials again", scopes.join(", ")),
            Self::NoActiveRules => "It has no active rule: apply a template (ApplyRuleTemplate) or create a rule (CreateRule)".to_owned(),
            Self::NoAutomaticRules => "It has no active automatic rule: make one automatic (UpdateRule) or create one, or name the manual rules to run".to_owned(),
            Self::Paused(why) => format!("The daemon paused it ({why}): see to the cause, then call ActivateIntegration"),
            Self::Deleting => "It is being deleted: when it is gone, make another".to_owned(),
        }
    }
}

/// How an integration was authorized last; who never was consents, unless he chooses otherwise.
fn method(integration: &Integration) -> AuthorizationMethod {
    let consent = integration.authorization.consent.as_ref();
    consent.map_or(AuthorizationMethod::Consent, Consent::method)
}

/// Why nothing may run, whatever else there is.
pub fn halted(integration: &Integration) -> Option<Gap> {
    match &integration.state {
        IntegrationState::Ready => None,
        IntegrationState::Paused(why) => Some(Gap::Paused(why.clone())),
        IntegrationState::Deleting => Some(Gap::Deleting),
    }
}

/// What is missing with these rules, worst first.
pub fn gaps(integration: &Integration, rules: &[Rule]) -> Vec<Gap> {
    let mut gaps = Vec::new();
    let authorization = &integration.authorization;
    match authorization.state {
        AuthorizationState::Required | AuthorizationState::Pending => gaps.push(Gap::NotAuthorized),
        AuthorizationState::ReauthorizationRequired => {
            gaps.push(Gap::reauthorization(integration));
        }
        AuthorizationState::Authorized => {
            let missing = missing_scopes(integration, rules);
            if !missing.is_empty() {
                gaps.push(Gap::ScopesMissing(method(integration), missing));
            }
        }
    }
    gaps.extend(halted(integration));
    let mut active = rules.iter().filter(|rule| rule.active).peekable();
    if active.peek().is_none() {
        gaps.push(Gap::NoActiveRules);
    } else if active.all(|rule| rule.run_mode == RunMode::Manual) {
        gaps.push(Gap::NoAutomaticRules);
    }
    gaps
}

/// Which scopes an integration needs with these rules and was not granted, in the way in which it was authorized last.
pub(super) fn missing_scopes(integration: &Integration, rules: &[Rule]) -> Vec<String> {
    let (system, method) = (&integration.system, method(integration));
    let mut needed = catalogue::scopes(system, integration.direction, method);
    needed.extend(catalogue::scopes_for(system, rules));
    oauth::missing(granted(integration), &needed)
}

/// What was granted, in the way in which it was authorized last.
pub(super) fn granted(integration: &Integration) -> &[String] {
    let consent = integration.authorization.consent.as_ref();
    consent.map_or(&[][..], |consent| &consent.scopes)
}

/// What to do when [`may_read_units`] is not so.
pub const NO_UNITS: &str = "the authorization does not cover organizational units: authorize the integration again with org_units, by BeginAuthorization or, for a service account, by SetCredentials";

/// Whether the consent covers organisational units: reading them without would be taken for a consent that is lost.
pub fn may_read_units(integration: &Integration) -> bool {
    let needed = catalogue::unit_scopes(&integration.system);
    oauth::missing(granted(integration), needed).is_empty()
}

/// What to do when [`may_read_domains`] is not so.
pub(super) const NO_DOMAINS: &str = "the authorization does not cover domains: authorize the integration again with domains, by BeginAuthorization or, for a service account, by SetCredentials";

/// Whether the consent covers the customer's domains: reading them without would be taken for a consent that is lost.
pub(super) fn may_read_domains(integration: &Integration) -> bool {
    let needed = catalogue::domain_scopes(&integration.system);
    oauth::missing(granted(integration), needed).is_empty()
}

impl Integrations {
    /// What is missing before a run can start; empty if nothing is.
    pub async fn readiness(&self, integration: &Integration) -> Result<Vec<Gap>, Error> {
        let (company, id) = (&integration.company, &integration.id);
        let rules = self.0.store.rules(company, id).await?;
        Ok(gaps(integration, &rules))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{
        integrations::rules::tests::{integration, new},
        model::{Authorization, AuthorizedBy, Kind, ServiceAccount, Time},
    };

    fn authorized(scopes: &[&str]) -> Integration {
        let consent = Consent {
            by: AuthorizedBy {
                subject: "1".to_owned(),
                email: "admin@example.com".to_owned(),
                display_name: String::new(),
            },
            time: Time::UNIX_EPOCH,
            domain: "example.com".to_owned(),
            customer_id: "C1".to_owned(),
            scopes: scopes.iter().map(|scope| (*scope).to_owned()).collect(),
            service_account: None,
        };
        Integration {
            authorization: Authorization {
                state: AuthorizationState::Authorized,
                consent: Some(consent),
                reason: String::new(),
            },
            ..integration()
        }
    }

    fn codes(integration: &Integration, rules: &[Rule]) -> Vec<&'static str> {
        gaps(integration, rules).iter().map(Gap::code).collect()
    }

    #[test]
    fn a_new_integration_needs_consent_and_a_rule() {
        let mut fresh = integration();
        assert_eq!(codes(&fresh, &[]), ["NOT_AUTHORIZED", "NO_ACTIVE_RULES"]);
        fresh.authorization.state = AuthorizationState::Pending;
        assert_eq!(codes(&fresh, &[]), ["NOT_AUTHORIZED", "NO_ACTIVE_RULES"]);
    }

    #[test]
    fn consent_in_full_and_an_active_rule_leave_nothing_missing() {
        let rule = new(Kind::User)
            .check(&integration(), Time::UNIX_EPOCH)
            .unwrap();
        let needed = catalogue::scopes(
            &integration().system,
            integration().direction,
            AuthorizationMethod::Consent,
        );
        let granted: Vec<_> = oauth::missing(&[], &needed);
        let granted: Vec<_> = granted.iter().map(String::as_str).collect();
        let mut whole = authorized(&granted);
        assert_eq!(
            codes(&whole, std::slice::from_ref(&rule)),
            Vec::<&str>::new()
        );
        let idle = Rule {
            active: false,
            ..rule.clone()
        };
        assert_eq!(
            codes(&whole, std::slice::from_ref(&idle)),
            ["NO_ACTIVE_RULES"]
        );
        let manual = Rule {
            run_mode: RunMode::Manual,
            ..rule.clone()
        };
        let both = [idle, manual];
        assert_eq!(codes(&whole, &both), ["NO_AUTOMATIC_RULES"]);
        assert_eq!(
            codes(&whole, &[&both[1..], std::slice::from_ref(&rule)].concat()),
            [""; 0]
        );
        whole.state = IntegrationState::Paused("three interruptions".to_owned());
        assert_eq!(codes(&whole, std::slice::from_ref(&rule)), ["PAUSED"]);
        assert_eq!(codes(&authorized(&["openid"]), &[rule]), ["SCOPES_MISSING"]);
    }

    #[test]
    fn a_broken_consent_says_why_and_what_to_do() {
        let mut broken = authorized(&[]);
        broken.authorization.state = AuthorizationState::ReauthorizationRequired;
        broken.authorization.reason = "token revoked".to_owned();
        let gaps = gaps(&broken, &[]);
        assert_eq!(gaps[0].code(), "REAUTHORIZATION_REQUIRED");
        assert!(
            gaps[0].text().contains("token revoked")
                && gaps[0].text().contains("BeginAuthorization")
        );
        assert!(!gaps[0].text().contains("SetCredentials"));
    }

    #[test]
    fn a_service_account_needs_no_scopes_for_signing_in_and_is_told_what_to_do_with_its_key() {
        let (system, direction) = (integration().system, integration().direction);
        let method = AuthorizationMethod::ServiceAccountKey;
        let needed = catalogue::scopes(&system, direction, method);
        let mut by_key = authorized(&needed);
        by_key
            .authorization
            .consent
            .as_mut()
            .unwrap()
            .service_account = Some(ServiceAccount {
            email: "sync@project.iam.gserviceaccount.com".to_owned(),
            client_id: "117".to_owned(),
            key_id: "k1".to_owned(),
        });
        assert_eq!(codes(&by_key, &[]), ["NO_ACTIVE_RULES"]);
        by_key.authorization.consent.as_mut().unwrap().scopes.pop();
        by_key.authorization.state = AuthorizationState::ReauthorizationRequired;
        assert!(gaps(&by_key, &[])[0].text().contains("SetCredentials"));
        by_key.authorization.state = AuthorizationState::Authorized;
        let lacking = gaps(&by_key, &[]).remove(0);
        assert_eq!(lacking.code(), "SCOPES_MISSING");
        assert!(lacking.text().contains("SetCredentials"), "{lacking:?}");
    }
}
