//! Google's error envelope.

use serde_json::{Value, json};

use super::reply::Reply;

/// One refusal, as Google words it (fact sheet 4.3, 4.4).
#[derive(Debug, Clone, thiserror::Error)]
#[error("{code} {reason}: {message}")]
pub struct ApiError {
    code: u16,
    reason: String,
    message: String,
    domain: String,
    status: Option<&'static str>,
    location: Option<(&'static str, &'static str)>,
    inner: Option<String>,
    details: Option<Value>,
    headers: Vec<(&'static str, String)>,
}

impl ApiError {
    /// An error of domain `global`.
    pub fn new(code: u16, reason: impl Into<String>, message: impl Into<String>) -> Self {
        Self {
            code,
            reason: reason.into(),
            message: message.into(),
            domain: "global".to_owned(),
            status: None,
            location: None,
            inner: None,
            details: None,
            headers: Vec::new(),
        }
    }

    /// Sets `error.status`.
    #[must_use]
    pub fn status(mut self, status: &'static str) -> Self {
        self.status = Some(status);
        self
    }

    /// Sets `errors[0].domain`.
    #[must_use]
    pub fn domain(mut self, domain: impl Into<String>) -> Self {
        self.domain = domain.into();
        self
    }

    /// Sets `errors[0].location`.
    #[must_use]
    pub fn at(mut self, location: &'static str, kind: &'static str) -> Self {
        self.location = Some((location, kind));
        self
    }

    /// Adds a header.
    #[must_use]
    pub fn header(mut self, name: &'static str, value: impl Into<String>) -> Self {
        self.headers.push((name, value.into()));
        self
    }

    /// 404: the key in that place names nothing.
    pub fn not_found(place: &str) -> Self {
        Self::new(404, "notFound", format!("Resource Not Found: {place}"))
    }

    /// 403: no right, or an object of another customer.
    pub fn forbidden() -> Self {
        Self::new(
            403,
            "forbidden",
            "Not Authorized to access this resource/api",
        )
    }

    /// 400 `invalid`.
    pub fn invalid(message: impl Into<String>) -> Self {
        Self::new(400, "invalid", message)
    }

    /// 400 `badRequest`.
    pub fn bad_request(message: impl Into<String>) -> Self {
        Self::new(400, "badRequest", message)
    }

    /// 400 `required`.
    pub fn required(message: impl Into<String>) -> Self {
        Self::new(400, "required", message)
    }

    /// 409 `duplicate`.
    pub fn duplicate(message: impl Into<String>) -> Self {
        Self::new(409, "duplicate", message)
    }

    /// 412 `conditionNotMet`.
    pub fn condition(message: impl Into<String>) -> Self {
        Self::new(412, "conditionNotMet", message)
    }

    /// 400: a name that the request's schema doesn't have.
    pub fn unknown_name(name: &str, place: Option<&str>) -> Self {
        let message = match place {
            None => format!(
                "Invalid JSON payload received. Unknown name \"{name}\": Cannot bind query \
                 parameter. Field '{name}' could not be found in request message."
            ),
            Some(place) => format!(
                "Invalid JSON payload received. Unknown name \"{name}\" at '{place}': Cannot find field."
            ),
        };
        Self::bad_request(message).status("INVALID_ARGUMENT")
    }

    /// 401 for a token that is unknown, revoked or expired.
    pub fn bad_token() -> Self {
        let mut error = Self::new(
            401,
            "authError",
            "Request had invalid authentication credentials. Expected OAuth 2 access token, login \
             cookie or other valid authentication credential. See \
             https://developers.google.com/identity/sign-in/web/devconsole-project.",
        );
        error.inner = Some("Invalid Credentials".to_owned());
        error
            .status("UNAUTHENTICATED")
            .at("Authorization", "header")
            .header(
                "www-authenticate",
                "Bearer realm=\"https://accounts.google.com/\", error=\"invalid_token\"",
            )
    }

    /// 401 for no token at all.
    pub fn no_token() -> Self {
        let mut error = Self::new(
            401,
            "required",
            "Request is missing required authentication credential. Expected OAuth 2 access token, \
             login cookie or other valid authentication credential. See \
             https://developers.google.com/identity/sign-in/web/devconsole-project.",
        );
        error.inner = Some("Login Required".to_owned());
        error
            .status("UNAUTHENTICATED")
            .at("Authorization", "header")
            .header(
                "www-authenticate",
                "Bearer realm=\"https://accounts.google.com/\"",
            )
    }

    /// 403 for a token without a scope that the method accepts.
    pub fn scope_missing(method: &str, accepted: &str) -> Self {
        let mut error = Self::new(
            403,
            "insufficientPermissions",
            "Request had insufficient authentication scopes.",
        );
        error.inner = Some("Insufficient Permission".to_owned());
        error.details = Some(json!([{
            "@type": "type.googleapis.com/google.rpc.ErrorInfo",
            "reason": "ACCESS_TOKEN_SCOPE_INSUFFICIENT",
            "domain": "googleapis.com",
            "metadata": {"method": method, "service": "admin.googleapis.com"},
        }]));
        error.status("PERMISSION_DENIED").header(
            "www-authenticate",
            format!(
                "Bearer realm=\"https://accounts.google.com/\", error=\"insufficient_scope\", scope=\"{accepted}\""
            ),
        )
    }

    /// 403 for too many requests of one account.
    pub fn quota() -> Self {
        Self::new(
            403,
            "userRateLimitExceeded",
            "Quota exceeded for quota metric 'Queries' and limit 'Queries per minute per user' of \
             service 'admin.googleapis.com'.",
        )
        .domain("usageLimits")
        .status("RESOURCE_EXHAUSTED")
    }

    /// As an answer.
    pub fn into_reply(self) -> Reply {
        let mut item = json!({
            "message": self.inner.as_ref().unwrap_or(&self.message),
            "domain": self.domain,
            "reason": self.reason,
        });
        if let Some((location, kind)) = self.location {
            item["location"] = json!(location);
            item["locationType"] = json!(kind);
        }
        let mut error = json!({"code": self.code, "message": self.message, "errors": [item]});
        if let Some(status) = self.status {
            error["status"] = json!(status);
        }
        if let Some(details) = self.details {
            error["details"] = details;
        }
        let mut reply = Reply::json(self.code, json!({ "error": error }));
        reply.headers = self.headers;
        reply.pretty = true;
        reply
    }
}
