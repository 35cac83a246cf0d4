//! A plain page: no script, nothing fetched from elsewhere, every text escaped.

use axum::{
    http::{HeaderName, HeaderValue, StatusCode, header},
    response::{IntoResponse, Response},
};
use std::fmt::Write;

const STYLE: &str = "body{font:16px/1.5 system-ui,sans-serif;max-width:36rem;margin:4rem auto;padding:0 1rem;color:#1f2328;\
background:#fff}h1{font-size:1.5rem}dt{color:#59636e}dd{margin:0 0 .5rem}.note{color:#59636e;font-size:.875rem}";

/// What every answer carries: never kept, never framed, never a referrer that would carry a code elsewhere.
const HEADERS: [(HeaderName, &str); 5] = [
    (header::CACHE_CONTROL, "no-store"),
    (header::X_CONTENT_TYPE_OPTIONS, "nosniff"),
    (header::REFERRER_POLICY, "no-referrer"),
    (header::X_FRAME_OPTIONS, "DENY"),
    (
        header::CONTENT_SECURITY_POLICY,
        "default-src 'none'; style-src 'unsafe-inline'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'",
    ),
];

/// A page in the making.
pub(super) struct Page {
    status: StatusCode,
    title: String,
    body: String,
}

impl Page {
    pub(super) fn new(status: StatusCode, title: &str) -> Self {
        Self {
            status,
            title: escaped(title),
            body: String::new(),
        }
    }

    /// A paragraph; nothing if it is empty.
    pub(super) fn text(mut self, text: &str) -> Self {
        if !text.is_empty() {
            self.put("<p>", text, "</p>\n");
        }
        self
    }

    /// A paragraph in small print.
    pub(super) fn note(mut self, text: &str) -> Self {
        self.put("<p class=\"note\">", text, "</p>\n");
        self
    }

    /// What is what.
    pub(super) fn facts(mut self, facts: &[(&str, &str)]) -> Self {
        self.body.push_str("<dl>\n");
        for (name, value) in facts.iter().filter(|(_, value)| !value.is_empty()) {
            self.put("<dt>", name, "</dt>");
            self.put("<dd>", value, "</dd>\n");
        }
        self.body.push_str("</dl>\n");
        self
    }

    fn put(&mut self, before: &str, text: &str, after: &str) {
        self.body.push_str(before);
        self.body.push_str(&escaped(text));
        self.body.push_str(after);
    }
}

impl IntoResponse for Page {
    fn into_response(self) -> Response {
        let mut html = String::new();
        let title = &self.title;
        // Writing to a String can't fail.
        let _ = write!(
            html,
            "<!doctype html>\n<html lang=\"en\">\n<meta charset=\"utf-8\">\n\
             <meta name=\"viewport\" content=\"width=device-width\">\n<title>{title}</title>\n<style>{STYLE}</style>\n\
             <h1>{title}</h1>\n{}</html>\n",
            self.body
        );
        let kind = (header::CONTENT_TYPE, "text/html; charset=utf-8");
        guarded((self.status, [kind], html).into_response())
    }
}

/// Sends the browser elsewhere.
pub(super) fn redirect(url: &str) -> Response {
    let location = (header::LOCATION, url.to_owned());
    guarded((StatusCode::SEE_OTHER, [location]).into_response())
}

fn guarded(mut response: Response) -> Response {
    for (name, value) in HEADERS {
        response
            .headers_mut()
            .insert(name, HeaderValue::from_static(value));
    }
    response
}

fn escaped(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for c in text.chars() {
        match c {
            '&' => out.push_str("&amp;"),
            '<' => out.push_str("&lt;"),
            '>' => out.push_str("&gt;"),
            '"' => out.push_str("&quot;"),
            '\'' => out.push_str("&#39;"),
            c => out.push(c),
        }
    }
    out
}
