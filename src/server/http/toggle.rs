//! `PATCH /api/policies/{id}`: one toggle, one commit, answered when it is served. The body is never read.

use std::sync::Arc;

use axum::http::StatusCode;
use axum::response::Response;
use serde::Serialize;

use super::change::Asked;
use super::change::answered;
use super::change::change;
use super::control::tagged;
use super::neosc::listing;
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
    let response = answer(StatusCode::OK, &ToggleAnswer { message, enabled });
    // Whoever toggles goes on with the control as it is now, if it is not another one already.
    let same = changed.served.revision.commit.as_deref() == Some(changed.done.commit.as_str());
    let listing = listing(&changed.served).await?;
    let response = match listing.get(id).filter(|_| same) {
        Some(listed) => tagged(response, &listed.tag),
        None => response,
    };
    Ok(answered(state, &changed, id, response))
}
