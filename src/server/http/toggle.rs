//! `PATCH /api/policies/{id}`: one toggle, one commit, answered when it is served.

use std::sync::Arc;
use std::time::Duration;

use axum::Extension;
use axum::extract::ConnectInfo;
use axum::extract::Request;
use axum::extract::State;
use axum::http::HeaderValue;
use axum::http::Method;
use axum::http::StatusCode;
use axum::http::header::IF_MATCH;
use axum::response::Response;
use serde::Serialize;

use super::App;
use super::around::RequestId;
use super::around::Served;
use super::around::nothing_served;
use super::neosc::listing;
use super::neosc::nowhere;
use super::neosc::reader;
use super::path;
use super::problem::Form;
use super::problem::json as answer;
use crate::server::auth::Caller;
use crate::server::controls::Listing;
use crate::server::controls::names_tag;
use crate::server::controls::tag_of;
use crate::server::place::Kind;
use crate::server::place::Wanted;
use crate::server::snapshot::Snapshot;
use crate::server::writes::Author;
use crate::server::writes::Seen;
use crate::server::writes::Toggled;
use crate::server::writes::WriteError;
use crate::server::writes::Writes;

/// How long a write waits for its commit to be served.
const SERVED_WAIT: Duration = Duration::from_secs(30);

/// How long a write waits to know what there is before it.
const LOOK_WAIT: Duration = Duration::from_secs(10);

/// The answer, with its keys in the documented order.
#[derive(Debug, Serialize)]
struct ToggleAnswer {
    message: &'static str,
    enabled: bool,
}

/// One control.
pub async fn policy(
    State(state): App,
    Extension(Served(snapshot)): Extension<Served>,
    Extension(id): Extension<RequestId>,
    request: Request,
) -> Response {
    let decoded = path::decode(request.uri().path());
    let Some(policy) = decoded.strip_prefix("/api/policies/").filter(|policy| !policy.contains('/')) else {
        return nowhere(request.uri());
    };
    if request.method() != Method::PATCH {
        return Form::Detail.wrong_method("PATCH");
    }
    let caller = match reader(&state, request.headers()) {
        Ok(caller) => caller,
        Err(refusal) => return *refusal,
    };
    if !caller.role.writes() {
        return Form::Detail.problem(StatusCode::FORBIDDEN, "Admin access required");
    }
    let Some(snapshot) = snapshot else { return nothing_served(Form::Detail) };
    let address = request.extensions().get::<ConnectInfo<std::net::SocketAddr>>().map(|info| info.0.ip().to_string());
    let author = author(&caller, id.0.to_str().unwrap_or_default(), address);
    // One that is no text names nothing.
    let tag = request.headers().get(IF_MATCH).map(|tag| tag.to_str().unwrap_or_default().to_owned());
    toggle(&state, snapshot, policy, author, tag.as_deref()).await.unwrap_or_else(|refusal| refusal)
}

fn author(caller: &Caller, request: &str, address: Option<String>) -> Author {
    Author { name: caller.name.clone(), email: caller.email.clone(), request: request.to_owned(), address }
}

async fn toggle(
    state: &Arc<super::State>,
    snapshot: Arc<Snapshot>,
    policy: &str,
    author: Author,
    tag: Option<&str>,
) -> Result<Response, Response> {
    if listing(&snapshot).await?.get(policy).is_none() {
        return Err(Form::Detail.problem(StatusCode::NOT_FOUND, "Policy not found"));
    }
    // One write at a time, from looking at the tag to serving the commit, so that no update is lost between two of them.
    let _turn = state.turn.lock().await;
    repaired(state).await?;
    let current = state.current.snapshot().unwrap_or(snapshot);
    let listed = listing(&current).await?;
    if listed.get(policy).is_none() {
        return Err(Form::Detail.problem(StatusCode::NOT_FOUND, "Policy not found"));
    }
    let seen = match tag {
        Some(tag) => seen(state, &current, &listed, policy, tag).map_err(|refusal| *refusal)?,
        None => None,
    };
    let toggled = write(state, &current, &listed, policy, seen, author).await?;
    let served = served(state, &toggled).await?;
    let mut response = answered(&toggled);
    if !toggled.enabled && served.config.critical.iter().any(|critical| critical.value == policy) {
        state.metrics.disabled_critical();
        tracing::warn!("the critical control `{policy}` was disabled in commit {}", toggled.commit);
        response.headers_mut().insert("lawbook-warning", HeaderValue::from_static("critical-control-disabled"));
    }
    response.extensions_mut().insert(Served(Some(served)));
    Ok(response)
}

/// Looks at what there is now. While that cannot be served, a commit would not be served either: it is refused before
/// anything is written, or whoever tries again would take the change back.
async fn repaired(state: &Arc<super::State>) -> Result<(), Response> {
    let (Writes::Commits { .. }, Some(reloader)) = (&state.writes, &state.reloader) else { return Ok(()) };
    reloader.reload(LOOK_WAIT).await;
    match state.current.behind() {
        None => Ok(()),
        Some(behind) => {
            let message = format!("nothing was changed, because the change could not be served: {}; repair that first", behind.error);
            Err(Form::Detail.problem(StatusCode::CONFLICT, &message))
        }
    }
}

/// What a caller has read, by the entity tags of `If-Match`; `None` when any will do.
fn seen(state: &super::State, current: &Snapshot, listed: &Listing, policy: &str, tag: &str) -> Result<Option<Seen>, Box<Response>> {
    let own = listed.get(policy).map(tag_of).unwrap_or_default();
    if names_tag(tag, &[]) {
        return Ok(None);
    }
    let is_of_policy = names_tag(tag, &[&own]);
    if !is_of_policy && !names_tag(tag, &[&listed.tag]) {
        return Err(Box::new(changed()));
    }
    // Among the files on disk there may be other controls that nobody has committed, and they are no obstacle.
    let is_of_policy = is_of_policy || matches!(state.place.kind(), Kind::Worktree(_));
    Ok(Some(Seen { set: Arc::clone(current.set()), only: is_of_policy.then(|| policy.to_owned()) }))
}

fn changed() -> Response {
    Form::Detail.problem(StatusCode::PRECONDITION_FAILED, "the policy was changed since it was read")
}

/// The tip of the branch is not what the caller has read. On disk it may be: then reading it again would be of no use.
async fn overtaken(state: &Arc<super::State>, snapshot: &Snapshot, policy: &str) -> Response {
    if let Some(reloader) = &state.reloader {
        reloader.reload(LOOK_WAIT).await;
    }
    let is_served = state.current.snapshot().is_some_and(|served| served.revision == snapshot.revision);
    if is_served && matches!(state.place.kind(), Kind::Worktree(_)) {
        let message = format!("the control `{policy}` differs in the worktree from what is committed; commit it first");
        return Form::Detail.problem(StatusCode::CONFLICT, &message);
    }
    changed()
}

async fn write(
    state: &Arc<super::State>,
    snapshot: &Snapshot,
    listed: &Listing,
    policy: &str,
    seen: Option<Seen>,
    author: Author,
) -> Result<Toggled, Response> {
    let (writer, id) = (Arc::clone(state), policy.to_owned());
    let (by, request) = (author.email.clone(), author.request.clone());
    let is_default = snapshot.set().get(policy).is_none();
    let created_at = listed.get(policy).filter(|_| is_default).map(|control| control.created_at.clone());
    let outcome = tokio::task::spawn_blocking(move || writer.writes.toggle(&id, created_at.as_deref(), seen.as_ref(), &author)).await;
    match outcome {
        Ok(Ok(toggled)) => {
            tracing::info!(policy, commit = toggled.commit, by, request, "{}", said(&toggled));
            Ok(toggled)
        }
        Ok(Err(WriteError::NotFound)) => Err(Form::Detail.problem(StatusCode::NOT_FOUND, "Policy not found")),
        Ok(Err(WriteError::Changed)) => Err(overtaken(state, snapshot, policy).await),
        Ok(Err(WriteError::Conflict(message))) => Err(Form::Detail.problem(StatusCode::CONFLICT, &message)),
        Ok(Err(WriteError::Failed(message))) => {
            tracing::error!("`{policy}` cannot be toggled: {message}");
            Err(Form::Detail.problem(StatusCode::INTERNAL_SERVER_ERROR, &message))
        }
        Err(_) => Err(Form::Detail.problem(StatusCode::INTERNAL_SERVER_ERROR, "the write did not end")),
    }
}

/// Waits until the commit is served. It may not be: somebody else may have broken the law book in the same moment.
async fn served(state: &Arc<super::State>, toggled: &Toggled) -> Result<Arc<Snapshot>, Response> {
    let wanted = Wanted::Commit(toggled.commit.clone());
    if let Some(reloader) = &state.reloader {
        reloader.reload(SERVED_WAIT).await;
    }
    let limit = if state.current.behind().is_some() { Duration::from_secs(2) } else { SERVED_WAIT };
    match state.serve_at_least(&wanted, limit).await {
        Some(snapshot) => Ok(snapshot),
        None => {
            let why = state.current.behind().map(|behind| format!(": {}", behind.error)).unwrap_or_default();
            let message = format!("the change is commit {}, and is not served yet{why}", toggled.commit);
            Err(Form::Detail.problem(StatusCode::SERVICE_UNAVAILABLE, &message))
        }
    }
}

fn answered(toggled: &Toggled) -> Response {
    answer(StatusCode::OK, &ToggleAnswer { message: said(toggled), enabled: toggled.enabled })
}

fn said(toggled: &Toggled) -> &'static str {
    if toggled.enabled { "Policy enabled" } else { "Policy disabled" }
}
