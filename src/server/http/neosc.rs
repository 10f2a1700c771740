//! `/api/policies`, and what the documented framework answers where there is nothing.

use std::sync::Arc;

use axum::Extension;
use axum::extract::Request;
use axum::extract::State;
use axum::http::HeaderMap;
use axum::http::HeaderValue;
use axum::http::Method;
use axum::http::StatusCode;
use axum::http::Uri;
use axum::http::header::ETAG;
use axum::http::header::LOCATION;
use axum::response::IntoResponse;
use axum::response::Response;

use super::App;
use super::LATER_WAIT;
use super::around::Served;
use super::around::caller;
use super::around::nothing_served;
use super::change::Asked;
use super::control::post;
use super::control::writer;
use super::path;
use super::problem::Form;
use super::problem::raw_json;
use super::problem::text;
use crate::server::annals::Annals;
use crate::server::auth::Caller;
use crate::server::controls::Listing;
use crate::server::controls::is_dated;
use crate::server::controls::names_tag;
use crate::server::snapshot::Snapshot;

/// The collection of controls.
pub async fn policies(State(state): App, Extension(Served(snapshot)): Extension<Served>, request: Request) -> Response {
    match *request.method() {
        Method::GET => list(&state, snapshot, request.headers()).await,
        Method::POST => {
            let caller = match writer(&state, request.headers()) {
                Ok(caller) => caller,
                Err(refusal) => return *refusal,
            };
            let Some(snapshot) = snapshot else { return nothing_served(Form::Detail) };
            let asked = Asked::new(&caller, &request);
            post(&state, snapshot, asked, request).await.unwrap_or_else(|refusal| refusal)
        }
        _ => Form::Detail.wrong_method("GET, POST"),
    }
}

async fn list(state: &super::State, snapshot: Option<Arc<Snapshot>>, headers: &HeaderMap) -> Response {
    if let Err(refusal) = reader(state, headers) {
        return *refusal;
    }
    let Some(snapshot) = snapshot else { return nothing_served(Form::Detail) };
    let listing = match listing(&snapshot).await {
        Ok(listing) => listing,
        Err(refusal) => return refusal,
    };
    let unchanged = text(headers, "if-none-match").is_some_and(|header| names_tag(header, &[&listing.tag]));
    let mut response = if unchanged { StatusCode::NOT_MODIFIED.into_response() } else { raw_json(StatusCode::OK, listing.body.clone()) };
    if let Ok(tag) = HeaderValue::from_str(&listing.tag) {
        response.headers_mut().insert(ETAG, tag);
    }
    response
}

/// The caller, if it may read the administration interfaces.
pub fn reader(state: &super::State, headers: &HeaderMap) -> Result<Arc<Caller>, Box<Response>> {
    let caller = caller(state, headers).map_err(|stranger| Box::new(stranger.problem(Form::Detail)))?;
    if caller.role.reads() {
        Ok(caller)
    } else {
        Err(Box::new(Form::Detail.problem(StatusCode::FORBIDDEN, "this token may only ask for decisions")))
    }
}

/// The controls of a snapshot. Only a law book with a control that no file dates waits for its history.
pub async fn listing(snapshot: &Arc<Snapshot>) -> Result<Arc<Listing>, Response> {
    if let Some(listing) = snapshot.listing.get() {
        return Ok(Arc::clone(listing));
    }
    let annals = if is_dated(snapshot) { Annals::default() } else { annals(snapshot).await?.cloned().unwrap_or_default() };
    let made = Listing::new(snapshot, &annals).map_err(|error| {
        tracing::error!("the controls cannot be written: {error}");
        Form::Detail.problem(StatusCode::INTERNAL_SERVER_ERROR, "the controls cannot be written")
    })?;
    Ok(Arc::clone(snapshot.listing.get_or_init(|| Arc::new(made))))
}

/// The history of a snapshot, or why there is none.
pub async fn annals(snapshot: &Snapshot) -> Result<Result<&Annals, &String>, Response> {
    match snapshot.annals.wait(LATER_WAIT).await {
        Some(annals) => Ok(annals.as_ref()),
        None => Err(Form::Detail.problem(StatusCode::SERVICE_UNAVAILABLE, "the history is still being read; try again")),
    }
}

/// A path that is none of ours. Like the documented framework, it redirects to the path without a slash at its end, if that is one.
pub async fn unknown(request: Request) -> Response {
    nowhere(request.uri())
}

/// Nothing is at this path, unless without the slashes at its end.
pub fn nowhere(uri: &Uri) -> Response {
    let decoded = path::decode(uri.path());
    let trimmed = decoded.trim_end_matches('/');
    if trimmed == decoded || !is_ours(trimmed) {
        return Form::of(uri.path()).problem(StatusCode::NOT_FOUND, "Not Found");
    }
    // Only a path: behind a proxy neither the scheme nor the host of the caller is known here.
    let query = uri.query().map(|query| format!("?{query}")).unwrap_or_default();
    match HeaderValue::from_str(&format!("{}{query}", path::encode(trimmed))) {
        Ok(location) => (StatusCode::TEMPORARY_REDIRECT, [(LOCATION, location)]).into_response(),
        Err(_) => Form::Detail.problem(StatusCode::NOT_FOUND, "Not Found"),
    }
}

/// Whether a path without a slash at its end belongs to the NeoSC interface.
fn is_ours(path: &str) -> bool {
    match path {
        "/api/policies" | "/api/policy-templates" | "/api/audit-logs" => true,
        _ => path.strip_prefix("/api/policies/").is_some_and(|rest| {
            let id = rest.strip_suffix("/versions").or_else(|| rest.strip_suffix("/restore")).unwrap_or(rest);
            !id.is_empty() && !id.contains('/')
        }),
    }
}
