//! The one place that sends requests to a provider.

use super::Error;
use crate::model::Secret;
use oauth2::{HttpClientError, HttpRequest, HttpResponse};
use reqwest::{Client, Response, StatusCode, redirect::Policy};
use serde::de::DeserializeOwned;
use serde_json::Value;
use std::{future::Future, pin::Pin, time::Duration};
use url::Url;

const TIMEOUT: Duration = Duration::from_secs(20);
/// No answer of a provider comes near this.
const LARGEST_ANSWER: usize = 1 << 20;

/// Sends requests; never follows a redirect, which would carry secrets elsewhere.
#[derive(Debug, Clone)]
pub(super) struct Http(Client);

impl Http {
    pub(super) fn new() -> Result<Self, Error> {
        Client::builder()
            .redirect(Policy::none())
            .timeout(TIMEOUT)
            .user_agent(concat!("provisiond/", env!("CARGO_PKG_VERSION")))
            .build()
            .map(Self)
            .map_err(|error| Error::Client(format!("no HTTP client can be made: {error}")))
    }

    /// A JSON document.
    pub(super) async fn json<T: DeserializeOwned>(
        &self,
        url: &Url,
        bearer: Option<&Secret>,
    ) -> Result<T, Error> {
        let mut request = self.0.get(url.clone());
        if let Some(token) = bearer {
            request = request.bearer_auth(token.expose());
        }
        let response = request.send().await.map_err(|error| down(&error))?;
        let (status, body) = limited(response).await?;
        match status {
            StatusCode::OK => serde_json::from_slice(&body).map_err(|error| {
                // The error's own text may quote what it found.
                Error::Protocol(format!(
                    "{}: not the JSON expected ({:?})",
                    url.path(),
                    error.classify()
                ))
            }),
            status if is_transient(status) => Err(Error::Unavailable(format!(
                "{}: status {status}",
                url.path()
            ))),
            status => Err(Error::Protocol(format!("{}: status {status}", url.path()))),
        }
    }

    /// What is answered to a form, unless that the provider is down.
    pub(super) async fn form(
        &self,
        url: &Url,
        fields: &[(&str, &str)],
    ) -> Result<(StatusCode, Vec<u8>), Error> {
        let body = url::form_urlencoded::Serializer::new(String::new())
            .extend_pairs(fields)
            .finish();
        let form = "application/x-www-form-urlencoded";
        let request = self.0.post(url.clone()).header("content-type", form);
        let response = request.body(body).send().await;
        let (status, body) = limited(response.map_err(|error| down(&error))?).await?;
        match is_transient(status) {
            true => Err(Error::Unavailable(format!("status {status}"))),
            false => Ok((status, body)),
        }
    }

    /// Gives a token back (RFC 7009). That it has ended already is as good.
    pub(super) async fn revoke(&self, url: &Url, token: &Secret) -> Result<(), Error> {
        let (status, body) = self.form(url, &[("token", token.expose())]).await?;
        if status.is_success() {
            return Ok(());
        }
        let said: Value = serde_json::from_slice(&body).unwrap_or_default();
        match said["error"].as_str() {
            Some("invalid_token") => Ok(()),
            code => Err(Error::of_answer(code.unwrap_or(status.as_str()), None)),
        }
    }
}

impl<'c> oauth2::AsyncHttpClient<'c> for Http {
    type Error = HttpClientError<reqwest::Error>;
    type Future = Pin<Box<dyn Future<Output = Result<HttpResponse, Self::Error>> + Send + 'c>>;

    fn call(&'c self, request: HttpRequest) -> Self::Future {
        Box::pin(async move {
            let request = request.try_into().map_err(Box::new)?;
            let response = self.0.execute(request).await.map_err(Box::new)?;
            let (status, headers) = (response.status(), response.headers().clone());
            if is_transient(status) {
                return Err(HttpClientError::Other(format!("status {status}")));
            }
            let (_, body) = limited(response)
                .await
                .map_err(|error| HttpClientError::Other(error.to_string()))?;
            let mut answer = ::http::Response::new(body);
            *answer.status_mut() = status;
            *answer.headers_mut() = headers;
            Ok(answer)
        })
    }
}

fn is_transient(status: StatusCode) -> bool {
    status.is_server_error()
        || status == StatusCode::TOO_MANY_REQUESTS
        || status == StatusCode::REQUEST_TIMEOUT
}

/// The URL is left out: its query may hold what is secret.
pub(super) fn down(error: &reqwest::Error) -> Error {
    let what = match (error.is_timeout(), error.is_connect()) {
        (true, _) => "no answer in time",
        (_, true) => "no connection",
        _ => "the connection broke",
    };
    Error::Unavailable(what.to_owned())
}

async fn limited(mut response: Response) -> Result<(StatusCode, Vec<u8>), Error> {
    let status = response.status();
    let mut body = Vec::new();
    while let Some(chunk) = response.chunk().await.map_err(|error| down(&error))? {
        if body.len() + chunk.len() > LARGEST_ANSWER {
            return Err(Error::Protocol("an answer of more than 1 MiB".to_owned()));
        }
        body.extend_from_slice(&chunk);
    }
    Ok((status, body))
}
