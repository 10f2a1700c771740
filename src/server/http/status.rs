//! `/status`: what is served, what is wrong with it, and why something newer is not.

use std::sync::Arc;

use axum::Extension;
use axum::extract::State;
use axum::http::HeaderMap;
use axum::http::StatusCode;
use axum::response::Response;
use serde_json::Value;
use serde_json::json;

use super::App;
use super::LATER_WAIT;
use super::around::Served;
use super::neosc::reader;
use super::problem::json as answer;
use crate::report::audit::wire_time;
use crate::server::snapshot::Snapshot;
use crate::server::snapshot::Told;

/// Answers anybody whose role reads.
pub async fn status(State(state): App, Extension(Served(snapshot)): Extension<Served>, headers: HeaderMap) -> Response {
    if let Err(refusal) = reader(&state, &headers) {
        return *refusal;
    }
    let (snapshot, findings) = checked(&state, snapshot).await;
    let behind = state.current.behind();
    let standing = match (&snapshot, &behind) {
        (None, _) => "empty",
        (Some(snapshot), Some(_)) if state.current.is_stale(snapshot) => "stale",
        (Some(_), Some(_)) => "behind",
        (Some(_), None) => "current",
    };
    let behind = behind.map(
        |behind| json!({ "since": wire_time(behind.since), "error": behind.error, "commit": behind.commit, "findings": behind.findings }),
    );
    let trouble = state.tokens.trouble().map(|trouble| json!({ "since": wire_time(trouble.since), "error": trouble.message }));
    let body = json!({
        "service": "lawbook",
        "version": env!("CARGO_PKG_VERSION"),
        "status": standing,
        "origin": state.place.to_string(),
        "started_at": wire_time(state.started_at),
        "served": snapshot.as_deref().map(served),
        "behind": behind,
        "tokens": trouble,
        "findings": findings,
    });
    let mut response = answer(StatusCode::OK, &body);
    response.extensions_mut().insert(Served(snapshot));
    response
}

/// The snapshot with its findings. One that was replaced before it was checked gives way to its successor.
async fn checked(state: &super::State, first: Option<Arc<Snapshot>>) -> (Option<Arc<Snapshot>>, Option<Vec<Told>>) {
    const ATTEMPTS: usize = 16;
    let mut snapshot = first;
    for _ in 0..ATTEMPTS {
        let Some(held) = snapshot else { return (None, None) };
        match held.findings.wait(LATER_WAIT).await {
            Some(Some(findings)) => {
                let findings = findings.clone();
                return (Some(held), Some(findings));
            }
            Some(None) => snapshot = state.current.snapshot(),
            None => return (Some(held), None),
        }
    }
    (snapshot, None)
}

fn served(snapshot: &Snapshot) -> Value {
    let history = match snapshot.annals.get() {
        None => json!("pending"),
        Some(Ok(annals)) => json!({ "entries": annals.entries.len() }),
        Some(Err(error)) => json!({ "error": error }),
    };
    json!({
        "revision": snapshot.revision.number,
        "commit": snapshot.revision.commit,
        "content": snapshot.revision.content,
        "loaded_at": wire_time(snapshot.loaded_at),
        "policies": snapshot.set().policies().len(),
        "statements": snapshot.set().statements().len(),
        "history": history,
    })
}
