//! Probes and metrics. They need no token, and tell nothing of what policies say.

use axum::extract::State;
use axum::http::HeaderValue;
use axum::http::StatusCode;
use axum::http::header::CONTENT_TYPE;
use axum::response::IntoResponse;
use axum::response::Response;
use serde::Serialize;

use super::App;
use super::around::Served;
use super::problem::json as answer;
use crate::report::audit::wire_time;
use crate::server::current::Behind;

/// The process runs.
pub async fn live() -> Response {
    answer(StatusCode::OK, &plain("live"))
}

/// A good snapshot is served, be it an older one: one bad commit must not take every replica out.
pub async fn ready(State(state): App, axum::Extension(Served(snapshot)): axum::Extension<Served>) -> Response {
    let behind = state.current.behind();
    match (snapshot, behind) {
        (None, _) => answer(StatusCode::SERVICE_UNAVAILABLE, &plain("empty")),
        (Some(snapshot), Some(behind)) if state.current.is_stale(&snapshot) => {
            answer(StatusCode::SERVICE_UNAVAILABLE, &standing("stale", &behind))
        }
        (Some(_), Some(behind)) => answer(StatusCode::OK, &standing("behind", &behind)),
        (Some(_), None) => answer(StatusCode::OK, &plain("ready")),
    }
}

/// The newest law book is the one that is served.
pub async fn current(State(state): App, axum::Extension(Served(snapshot)): axum::Extension<Served>) -> Response {
    match (snapshot, state.current.behind()) {
        (None, _) => answer(StatusCode::SERVICE_UNAVAILABLE, &plain("empty")),
        (Some(_), Some(behind)) => answer(StatusCode::SERVICE_UNAVAILABLE, &standing("behind", &behind)),
        (Some(_), None) => answer(StatusCode::OK, &plain("current")),
    }
}

/// A standing with its keys in the documented order.
#[derive(Debug, Serialize)]
struct Standing {
    status: &'static str,
    #[serde(skip_serializing_if = "Option::is_none")]
    since: Option<String>,
}

fn plain(status: &'static str) -> Standing {
    Standing { status, since: None }
}

fn standing(status: &'static str, behind: &Behind) -> Standing {
    Standing { status, since: Some(wire_time(behind.since)) }
}

/// The metrics, for Prometheus.
pub async fn metrics(State(state): App) -> Response {
    let kind = HeaderValue::from_static("application/openmetrics-text; version=1.0.0; charset=utf-8");
    ([(CONTENT_TYPE, kind)], state.metrics.text()).into_response()
}
