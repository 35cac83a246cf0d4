//! What a check of an integration came to, as a message.

use super::{names, report, status, to_proto};
use crate::{
    integrations::{Check, CheckOutcome, Integrations},
    proto::v1::{
        CheckIntegrationResponse,
        check_integration_response::{Check as Row, State, Subject},
    },
};
use tonic::{Response, Status};

pub(super) async fn check(
    integrations: &Integrations,
    name: &str,
) -> Result<Response<CheckIntegrationResponse>, Status> {
    let named = names::parse_integration("name", name);
    let (company, id) = named.map_err(|violation| status::invalid(vec![violation]))?;
    let check = integrations.check(&company, &id).await;
    Ok(Response::new(response(
        &check.map_err(status::integrations)?,
    )))
}

fn response(check: &Check) -> CheckIntegrationResponse {
    let units = check.units.as_ref().map(|units| (Subject::OrgUnits, units));
    let rows = [
        (Subject::Account, &check.account),
        (Subject::Users, &check.users),
        (Subject::Groups, &check.groups),
    ];
    let rows = rows.into_iter().chain(units);
    let standing = check.standing.as_ref();
    let account = standing.map_or("", |standing| &standing.account);
    let domain = account.rsplit_once('@').map_or("", |(_, domain)| domain);
    CheckIntegrationResponse {
        ready: check.is_good(),
        checks: rows
            .map(|(subject, outcome)| row(subject, outcome))
            .collect(),
        readiness: check.gaps.iter().map(to_proto::gap).collect(),
        account: account.to_owned(),
        customer_id: standing
            .map(|standing| standing.customer_id.clone())
            .unwrap_or_default(),
        domain: domain.to_owned(),
        scopes_granted: check.scopes_granted().to_vec(),
        scopes_missing: check.scopes_missing.clone(),
    }
}

fn row(subject: Subject, outcome: &CheckOutcome) -> Row {
    let (state, reason) = match outcome {
        CheckOutcome::Good => (State::Ok, None),
        CheckOutcome::Bad(reason) => (State::Failed, Some(report::reason(reason))),
        CheckOutcome::NotTried(reason) => (State::NotTried, Some(report::reason(reason))),
    };
    Row {
        subject: subject.into(),
        state: state.into(),
        reason,
    }
}
