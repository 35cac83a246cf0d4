//! What there is to choose from, as a message.

use super::{fields::Notes, from_proto, names, status, tokens};
use crate::{
    integrations::{Choice, Integrations},
    model::Violation,
    proto::v1,
};
use std::mem::take;
use tonic::{Response, Status};

pub(super) async fn list(
    integrations: &Integrations,
    mut request: v1::ListChoicesRequest,
) -> Result<Response<v1::ListChoicesResponse>, Status> {
    let token = take(&mut request.page_token);
    let mut notes = Notes::default();
    let named = notes.take(names::parse_integration("parent", &request.parent));
    let kind = from_proto::kind(request.kind());
    let kind =
        notes.take(kind.ok_or_else(|| Violation::new("kind", "must be KIND_USER or KIND_GROUP")));
    let page = tokens::page(&mut notes, "ListChoices", (0, &token), &request);
    let (Some((company, id)), Some(kind), Some(page)) = (named, kind, page) else {
        return Err(status::invalid(notes.0));
    };
    let asked = (kind, request.attribute.as_str());
    let listed = integrations.choices(&company, &id, asked, page.page.token.clone());
    let listed = listed.await.map_err(status::integrations)?;
    let next_page_token = page.next(&listed);
    let choice = |choice: Choice| v1::Choice {
        value: choice.value,
        title: choice.title,
        detail: choice.detail,
    };
    Ok(Response::new(v1::ListChoicesResponse {
        choices: listed.items.into_iter().map(choice).collect(),
        next_page_token,
    }))
}
