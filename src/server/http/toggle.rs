//! `PATCH /api/policies/{id}`: one toggle, one commit, answered when it is served. The body is never read.

use std::sync::Arc;

use axum::http::StatusCode;
use axum::response::Response;
use serde::Serialize;

use super::change::Asked;
use super::change::answered;
use super::change::change;
use super::problem::json as answer;
use crate::server::snapshot::Snapshot;
use crate::server::writes::Edit;

/// The answer, with its keys in the documented order.
#[derive(Debug, Serialize)]
struct ToggleAnswer {
    message: &'static str,
    enabled: bool,
}

/// Toggles a control.
pub async fn toggle(state: &Arc<super::State>, snapshot: Arc<Snapshot>, id: &str, asked: Asked) -> Result<Response, Response> {
    let changed = change(state, snapshot, id, Edit::Toggle, asked).await?;
    let enabled = changed.done.enabled;
    let message = if enabled { "Policy enabled" } else { "Policy disabled" };
    Ok(answered(state, &changed, id, answer(StatusCode::OK, &ToggleAnswer { message, enabled })))
}
