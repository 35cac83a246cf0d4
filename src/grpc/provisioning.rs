//! What became of one object, as a message.

use super::{
    callers,
    fields::Notes,
    from_proto, names, report, status,
    to_proto::{self, json},
};
use crate::{
    model::{CompanyId, IntegrationId, Object, Violation},
    proto::v1::{
        self, condition_verdict::State as ConditionState, provision_object_response::State,
        rule_verdict::Part as ProtoPart,
    },
    sync::{Answer, Fate, ObjectRequest, Part, Provisioned, Runs, Tested, Verdict},
};
use tonic::{Response, Status};

/// Longest id of an object, in bytes.
const LONGEST: usize = 255;

pub(super) async fn provision(
    runs: &Runs,
    request: v1::ProvisionObjectRequest,
) -> Result<Response<v1::ProvisionObjectResponse>, Status> {
    let mut notes = Notes::default();
    let named = notes.take(names::parse_integration("parent", &request.parent));
    let kind = from_proto::kind(request.kind());
    let kind =
        notes.take(kind.ok_or_else(|| Violation::new("kind", "must be KIND_USER or KIND_GROUP")));
    if !(1..=LONGEST).contains(&request.object.len()) || request.object.contains('\0') {
        let text = format!("must be an id or an e-mail address of 1 to {LONGEST} bytes");
        notes.0.push(Violation::new("object", text));
    }
    let (Some((company, integration)), Some(kind), []) = (named, kind, notes.0.as_slice()) else {
        return Err(status::invalid(notes.0));
    };
    let request = ObjectRequest {
        company: company.clone(),
        integration: integration.clone(),
        kind,
        object: request.object,
        preview: request.preview,
        requested_by: callers::name(),
    };
    let provisioned = runs.provision_object(request).await;
    let provisioned = provisioned.map_err(status::sync)?;
    Ok(Response::new(response(
        &company,
        &integration,
        &provisioned,
    )))
}

fn response(
    company: &CompanyId,
    integration: &IntegrationId,
    provisioned: &Provisioned,
) -> v1::ProvisionObjectResponse {
    let run = provisioned.run.as_ref().map(|run| &run.id);
    let changes = provisioned.changes.iter();
    let rules = provisioned.rules.iter();
    v1::ProvisionObjectResponse {
        state: state(provisioned.fate).into(),
        reason: provisioned.reason.as_ref().map(report::reason),
        run: provisioned.run.as_ref().map(report::run),
        object: provisioned.object.as_ref().map(object),
        rules: rules
            .map(|rule| verdict(company, integration, rule))
            .collect(),
        changes: changes
            .map(|(sequence, change)| {
                let recorded = run.map(|run| (run, *sequence));
                report::decision(company, integration, recorded, change)
            })
            .collect(),
    }
}

fn state(fate: Fate) -> State {
    match fate {
        Fate::OutOfScope => State::OutOfScope,
        Fate::Unchanged => State::Unchanged,
        Fate::Added => State::Added,
        Fate::Modified => State::Modified,
        Fate::Skipped => State::Skipped,
        Fate::Failed => State::Failed,
        Fate::Deferred => State::Deferred,
    }
}

fn object(object: &Object) -> v1::SourceObject {
    let attributes = object.attributes.iter();
    v1::SourceObject {
        kind: to_proto::kind(object.kind).into(),
        id: object.id.to_string(),
        attributes: attributes
            .map(|(attribute, value)| (attribute.to_string(), json(value)))
            .collect(),
        defect: object.defect.clone().unwrap_or_default(),
    }
}

fn verdict(company: &CompanyId, integration: &IntegrationId, verdict: &Verdict) -> v1::RuleVerdict {
    let part = match verdict.part {
        Part::Decides => ProtoPart::Decides,
        Part::Later => ProtoPart::Later,
        Part::Inactive => ProtoPart::Inactive,
        Part::NotMet => ProtoPart::NotMet,
        Part::Unknown => ProtoPart::Unknown,
    };
    v1::RuleVerdict {
        rule: names::rule(company, integration, &verdict.rule),
        part: part.into(),
        conditions: verdict.conditions.iter().map(tested).collect(),
    }
}

fn tested(tested: &Tested) -> v1::ConditionVerdict {
    v1::ConditionVerdict {
        condition: Some(to_proto::condition(&tested.condition)),
        value: tested.seen.as_ref().map(json),
        state: match tested.met {
            Answer::Yes => ConditionState::Met,
            Answer::No => ConditionState::NotMet,
            Answer::Unknown(_) => ConditionState::Unknown,
        }
        .into(),
    }
}
