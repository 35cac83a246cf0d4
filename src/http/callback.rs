//! Where consent pages send browsers back to.

use super::page::{Page, redirect};
use crate::{
    integrations::{Answer, Completed, Error, Integrations, Refusal, Refused},
    model::{ErrorKind, Integration, Secret},
};
use axum::{
    extract::{RawQuery, State},
    http::StatusCode,
    response::{IntoResponse, Response},
};
use url::{Url, form_urlencoded};

/// What a consent page answers; everything else in the query is ignored.
#[derive(Default)]
struct Query {
    state: Option<Secret>,
    code: Option<Secret>,
    error: Option<String>,
    repeated: bool,
}

impl Query {
    /// Decodes once: codes hold slashes and percent signs.
    fn parse(raw: &str) -> Self {
        let mut query = Self::default();
        for (name, value) in form_urlencoded::parse(raw.as_bytes()) {
            let value = value.into_owned();
            query.repeated |= match name.as_ref() {
                "state" => query.state.replace(Secret::new(value)).is_some(),
                "code" => query.code.replace(Secret::new(value)).is_some(),
                "error" => query.error.replace(value).is_some(),
                _ => false,
            };
        }
        query
    }

    /// State and answer, if there is exactly one of each.
    fn answer(self) -> Option<(Secret, Answer)> {
        let state = self.state.filter(|state| !state.expose().is_empty())?;
        let answer = match (self.code, self.error) {
            (Some(code), None) if !code.expose().is_empty() => Answer::Code(code),
            (None, Some(error)) => Answer::Error(error),
            _ => return None,
        };
        (!self.repeated).then_some((state, answer))
    }
}

pub(super) async fn callback(
    State(integrations): State<Integrations>,
    RawQuery(raw): RawQuery,
) -> Response {
    let query = Query::parse(raw.as_deref().unwrap_or_default());
    let Some((state, answer)) = query.answer() else {
        return refusal_page(Refusal::StateUnknown, "", None);
    };
    // Boxed: the whole way to the system and the store is in it.
    let completed = integrations.complete_authorization(None, &state, answer);
    match Box::pin(completed).await {
        Ok(completed) => success(&completed),
        Err(Error::Refused(refused)) => failure(&refused),
        Err(error) => {
            tracing::error!(%error, "a consent could not be taken");
            refusal_page(Refusal::Internal, "", None)
        }
    }
}

fn success(completed: &Completed) -> Response {
    let integration = &completed.integration;
    if let Some(url) = &completed.return_url
        && let Some(url) = return_to(
            url,
            &[
                ("status", "authorized"),
                ("integration", &name(integration)),
            ],
        )
    {
        return redirect(&url);
    }
    let consent = integration.authorization.consent.as_ref();
    let (account, domain) =
        consent.map_or(("", ""), |consent| (&consent.by.email, &consent.domain));
    Page::new(StatusCode::OK, "Connected")
        .text("The consent was taken. What the integration's rules say can now be read.")
        .facts(&[
            ("Authorized by", account),
            ("Domain", domain),
            ("Integration", &integration.title),
            ("Company", integration.company.as_str()),
        ])
        .text("You can close this page and go on where you came from.")
        .note(&name(integration))
        .into_response()
}

fn failure(refused: &Refused) -> Response {
    let integration = refused.integration.as_ref();
    if let Some(url) = &refused.return_url {
        let name = integration.map(name).unwrap_or_default();
        let mut parameters = vec![("status", "failed"), ("reason", refused.refusal.code())];
        if !name.is_empty() {
            parameters.push(("integration", &name));
        }
        if let Some(url) = return_to(url, &parameters) {
            return redirect(&url);
        }
    }
    refusal_page(refused.refusal, &refused.detail, integration)
}

fn refusal_page(refusal: Refusal, detail: &str, integration: Option<&Integration>) -> Response {
    let status = match (refusal, refusal.kind()) {
        (Refusal::StateUnknown, _) => StatusCode::BAD_REQUEST,
        (_, ErrorKind::Internal) => StatusCode::INTERNAL_SERVER_ERROR,
        (_, ErrorKind::Unavailable) => StatusCode::SERVICE_UNAVAILABLE,
        _ => StatusCode::FORBIDDEN,
    };
    let page = Page::new(status, refusal.title())
        .text(refusal.text())
        .text(detail)
        .text(refusal.todo());
    let page = match integration {
        Some(integration) => page.facts(&[
            ("Integration", &integration.title),
            ("Company", integration.company.as_str()),
        ]),
        None => page,
    };
    page.note(refusal.code()).into_response()
}

/// The URL that was allowed at the beginning, with what became of it. None if it is no URL any more.
fn return_to(url: &str, parameters: &[(&str, &str)]) -> Option<String> {
    let mut url = Url::parse(url).ok()?;
    url.query_pairs_mut().extend_pairs(parameters);
    Some(url.into())
}

fn name(integration: &Integration) -> String {
    format!(
        "companies/{}/integrations/{}",
        integration.company, integration.id
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    fn answer(raw: &str) -> Option<(String, Result<String, String>)> {
        let (state, answer) = Query::parse(raw).answer()?;
        let answer = match answer {
            Answer::Code(code) => Ok(code.expose().to_owned()),
            Answer::Error(error) => Err(error),
        };
        Some((state.expose().to_owned(), answer))
    }

    #[test]
    fn the_query_is_decoded_once_and_what_is_unknown_is_ignored() {
        let raw =
            "state=s&code=4%2FP7%252Fq&scope=openid+email&authuser=0&hd=example.com&prompt=consent";
        assert_eq!(answer(raw), Some(("s".into(), Ok("4/P7%2Fq".into()))));
        assert_eq!(
            answer("error=access_denied&state=s"),
            Some(("s".into(), Err("access_denied".into())))
        );
    }

    #[test]
    fn a_query_that_is_no_answer_is_refused() {
        for raw in [
            "",
            "state=s",
            "code=c",
            "state=&code=c",
            "state=s&code=",
            "state=s&state=t&code=c",
            "state=s&code=c&code=d",
            "state=s&code=c&error=e",
        ] {
            assert_eq!(answer(raw), None, "{raw}");
        }
    }

    #[test]
    fn the_return_url_keeps_its_own_query_and_fragment() {
        let url = return_to(
            "https://c.example.com/done?tab=2#top",
            &[("status", "failed"), ("reason", "NOT_ADMIN")],
        );
        assert_eq!(
            url.as_deref(),
            Some("https://c.example.com/done?tab=2&status=failed&reason=NOT_ADMIN#top")
        );
    }
}
