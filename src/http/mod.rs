//! The public listener: the page on which an administrator's browser lands after consenting, and nothing else.
//!
//! Owns routes, limits, headers and the look of the pages. May use `model` and `integrations`. Deliberately decides
//! nothing: what became of a consent is told from below, in words that are fixed there.

mod callback;
mod page;

use crate::integrations::Integrations;
use axum::{
    Router,
    extract::Request,
    http::{StatusCode, Uri},
    middleware::{self, Next},
    response::{IntoResponse, Response},
    routing::get,
};
use page::Page;
use tower_http::limit::RequestBodyLimitLayer;

/// Characters of path and query: a code and a state take a few hundred.
const LONGEST_URI: usize = 8192;
/// Nobody has a body to send here.
const LARGEST_BODY: usize = 4096;

/// The routes, below the path of the public URL (`/` if a proxy in front takes the path away).
pub fn router(integrations: Integrations) -> Router {
    let callback = integrations.redirect_uri().path().to_owned();
    // A HEAD, as link checkers send it, must not use up a consent.
    let land = || get(callback::callback).head(wrong_method);
    let mut router = Router::new().route("/oauth/callback", land());
    if callback != "/oauth/callback" {
        router = router.route(&callback, land());
    }
    around(router.with_state(integrations))
}

/// Limits, and plain words for every address and method that is none. There is no time-out around it all: a consent that was
/// given up half-way would be lost, and what it waits for has time-outs of its own.
fn around(router: Router) -> Router {
    router
        .fallback(absent)
        .method_not_allowed_fallback(wrong_method)
        .layer(middleware::from_fn(guard))
        .layer(RequestBodyLimitLayer::new(LARGEST_BODY))
}

async fn absent() -> Response {
    Page::new(StatusCode::NOT_FOUND, "There is nothing here")
        .text("This address is used only by browsers that come back from a consent page.")
        .into_response()
}

async fn wrong_method() -> Response {
    Page::new(StatusCode::METHOD_NOT_ALLOWED, "This can't be done here")
        .text("This address answers GET requests only.")
        .into_response()
}

/// Refuses what is absurdly long before anything looks at it.
async fn guard(uri: Uri, request: Request, next: Next) -> Response {
    let length = uri.path_and_query().map_or(0, |text| text.as_str().len());
    if length > LONGEST_URI {
        return Page::new(StatusCode::URI_TOO_LONG, "This address is too long")
            .text("No consent page makes addresses of this length.")
            .into_response();
    }
    next.run(request).await
}

#[cfg(test)]
mod tests;
