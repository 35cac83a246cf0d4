//! Authorizing: where the consent page is, what came back from it, and credentials.

use super::{fields::Notes, names, status, to_proto::time};
use crate::{
    integrations::{Answer, Beyond, Integrations, NewServiceAccount},
    model::{Integration, Secret, Violation},
    proto::v1::{
        self, complete_authorization_request::Answer as Given,
        set_credentials_request::Credentials as Kind,
    },
};
use tonic::{Response, Status};

pub(super) async fn begin(
    integrations: &Integrations,
    request: v1::BeginAuthorizationRequest,
) -> Result<Response<v1::BeginAuthorizationResponse>, Status> {
    let v1::BeginAuthorizationRequest {
        name,
        return_url,
        org_units,
        domains,
    } = request;
    let named = names::parse_integration("name", &name);
    let (company, id) = named.map_err(|violation| status::invalid(vec![violation]))?;
    let return_url = (!return_url.is_empty()).then_some(return_url.as_str());
    let begun = integrations
        .begin_authorization(&company, &id, return_url, Beyond { org_units, domains })
        .await;
    let begun = begun.map_err(status::integrations)?;
    Ok(Response::new(v1::BeginAuthorizationResponse {
        authorization_url: begun.url.to_string(),
        expire_time: Some(time(begun.expire_time)),
    }))
}

/// Credentials as they were given, for the integration of that name.
pub(super) struct Credentials {
    pub(super) name: String,
    pub(super) etag: String,
    pub(super) new: NewServiceAccount,
    pub(super) validate_only: bool,
}

/// What is asked for by a request that names an integration and holds credentials.
pub(super) fn credentials(request: v1::SetCredentialsRequest) -> Result<Credentials, Status> {
    let v1::SetCredentialsRequest {
        name,
        credentials,
        org_units,
        etag,
        validate_only,
        domains,
    } = request;
    let mut notes = Notes::default();
    let named = notes.take(names::parse_integration("name", &name));
    let Some(Kind::ServiceAccountKey(key)) = credentials else {
        notes.0.push(Violation::new(
            "credentials",
            "must be given: a service_account_key",
        ));
        return Err(status::invalid(notes.0));
    };
    if named.is_none() {
        return Err(status::invalid(notes.0));
    }
    let v1::ServiceAccountKey { json, subject } = key;
    Ok(Credentials {
        name,
        etag,
        new: NewServiceAccount {
            key_file: Secret::new(json),
            subject,
            beyond: Beyond { org_units, domains },
        },
        validate_only,
    })
}

pub(super) async fn complete(
    integrations: &Integrations,
    request: v1::CompleteAuthorizationRequest,
) -> Result<Integration, Status> {
    let v1::CompleteAuthorizationRequest {
        name,
        state,
        answer,
    } = request;
    let mut notes = Notes::default();
    let named = notes.take(names::parse_integration("name", &name));
    if state.is_empty() {
        notes.0.push(Violation::new(
            "state",
            "must be the state that came back from the consent page",
        ));
    }
    let answer = match answer {
        Some(Given::Code(code)) if !code.is_empty() => Some(Answer::Code(Secret::new(code))),
        Some(Given::Error(error)) if !error.is_empty() => Some(Answer::Error(error)),
        _ => None,
    };
    if answer.is_none() {
        notes.0.push(Violation::new(
            "answer",
            "give the code or the error that came back from the consent page",
        ));
    }
    let (Some((company, id)), Some(answer), []) = (named, answer, notes.0.as_slice()) else {
        return Err(status::invalid(notes.0));
    };
    let state = Secret::new(state);
    let completed = integrations
        .complete_authorization(Some((&company, &id)), &state, answer)
        .await;
    Ok(completed.map_err(status::integrations)?.integration)
}
