//! One answer, before it becomes HTTP.

use axum::body::Body;
use axum::http::{HeaderName, HeaderValue, StatusCode, header};
use axum::response::Response;
use serde_json::Value;

/// What an answer carries.
#[derive(Debug, Clone, Default)]
pub enum Payload {
    /// Nothing.
    #[default]
    Empty,
    /// A JSON document.
    Json(Value),
    /// Text of another type: type, text.
    Text(&'static str, String),
}

/// One answer.
#[derive(Debug, Clone, Default)]
pub struct Reply {
    /// The HTTP status.
    pub status: u16,
    /// Further headers.
    pub headers: Vec<(&'static str, String)>,
    /// The body.
    pub payload: Payload,
    /// Whether JSON is indented.
    pub pretty: bool,
}

impl Reply {
    /// A JSON answer.
    pub fn json(status: u16, value: Value) -> Self {
        Self {
            status,
            payload: Payload::Json(value),
            ..Self::default()
        }
    }

    /// An answer without a body.
    pub fn empty(status: u16) -> Self {
        Self {
            status,
            ..Self::default()
        }
    }

    /// A page.
    pub fn html(status: u16, page: String) -> Self {
        Self {
            status,
            payload: Payload::Text("text/html; charset=utf-8", page),
            ..Self::default()
        }
    }

    /// The same answer with one more header.
    #[must_use]
    pub fn with(mut self, name: &'static str, value: impl Into<String>) -> Self {
        self.headers.push((name, value.into()));
        self
    }

    /// As HTTP.
    pub fn into_response(self) -> Response {
        let (kind, body) = match self.payload {
            Payload::Empty => (None, Body::empty()),
            Payload::Json(value) => {
                let text = if self.pretty {
                    serde_json::to_vec_pretty(&value)
                } else {
                    serde_json::to_vec(&value)
                };
                (
                    Some("application/json; charset=UTF-8"),
                    Body::from(text.unwrap_or_default()),
                )
            }
            Payload::Text(kind, text) => (Some(kind), Body::from(text)),
        };
        let mut response = Response::new(body);
        *response.status_mut() =
            StatusCode::from_u16(self.status).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
        let headers = response.headers_mut();
        if let Some(kind) = kind {
            headers.insert(header::CONTENT_TYPE, HeaderValue::from_static(kind));
        }
        headers.insert(header::VARY, HeaderValue::from_static("Accept-Encoding"));
        for (name, value) in self.headers {
            if let Ok(value) = HeaderValue::from_str(&value) {
                headers.append(HeaderName::from_static(name), value);
            }
        }
        response
    }
}
