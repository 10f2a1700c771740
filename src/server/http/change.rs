//! How a request changes a control: one at a time, from looking at the conditions of the request to serving the commit.

use std::sync::Arc;
use std::time::Duration;

use axum::extract::ConnectInfo;
use axum::extract::Request;
use axum::http::HeaderMap;
use axum::http::HeaderValue;
use axum::http::StatusCode;
use axum::http::header::IF_MATCH;
use axum::http::header::IF_NONE_MATCH;
use axum::response::Response;

use super::around::RequestId;
use super::around::Served;
use super::invalid;
use super::neosc::listing;
use super::problem::Form;
use crate::policy::Control;
use crate::server::auth::Caller;
use crate::server::controls::Listing;
use crate::server::controls::names_tag;
use crate::server::place::Kind;
use crate::server::place::Wanted;
use crate::server::snapshot::Snapshot;
use crate::server::snapshot::Told;
use crate::server::writes::Author;
use crate::server::writes::Done;
use crate::server::writes::Edit;
use crate::server::writes::Seen;
use crate::server::writes::WriteError;
use crate::server::writes::Writes;

/// How long a write waits for its commit to be served.
const SERVED_WAIT: Duration = Duration::from_secs(30);

/// How long a write waits to know what there is before it.
const LOOK_WAIT: Duration = Duration::from_secs(10);

/// How long an answer waits to tell what was found in the changed law book.
const FINDINGS_WAIT: Duration = Duration::from_secs(2);

/// How many findings the header of an answer tells.
const MOST_FINDINGS: usize = 20;

/// The header with the findings that came with a change.
const FINDINGS: &str = "lawbook-findings";

/// The header with the reason for a change.
const REASON: &str = "lawbook-reason";

/// Whose change it is, and of what the caller makes it depend.
#[derive(Debug)]
pub struct Asked {
    author: Author,
    if_match: Option<String>,
    if_none_match: Option<String>,
}

impl Asked {
    /// What the headers of a request say.
    pub fn new(caller: &Caller, request: &Request) -> Self {
        let headers = request.headers();
        // A condition that is no text names nothing.
        let condition = |name| headers.get(name).map(|tag: &HeaderValue| tag.to_str().unwrap_or_default().to_owned());
        let id = request.extensions().get::<RequestId>().and_then(|id| id.0.to_str().ok()).unwrap_or_default();
        let address = request.extensions().get::<ConnectInfo<std::net::SocketAddr>>().map(|info| info.0.ip().to_string());
        let author =
            Author { name: caller.name.clone(), email: caller.email.clone(), request: id.to_owned(), address, reason: reason(headers) };
        Self { author, if_match: condition(IF_MATCH), if_none_match: condition(IF_NONE_MATCH) }
    }
}

/// Why somebody makes a change; people write that in their own language.
fn reason(headers: &HeaderMap) -> Option<String> {
    headers.get(REASON).map(|reason| String::from_utf8_lossy(reason.as_bytes()).into_owned())
}

/// A change that is being served.
#[derive(Debug)]
pub struct Changed {
    /// What was done.
    pub done: Done,
    /// What was served before.
    before: Arc<Snapshot>,
    /// What is served now.
    pub served: Arc<Snapshot>,
}

/// Changes the control of this id, and waits until that is served.
pub async fn change(state: &Arc<super::State>, snapshot: Arc<Snapshot>, id: &str, edit: Edit, asked: Asked) -> Result<Changed, Response> {
    let listed = listing(&snapshot).await?;
    stands(&listed, &snapshot, id, &edit).map_err(|refusal| *refusal)?;
    if let Some(elsewhere) = state.writes.elsewhere() {
        return Err(Form::Detail.problem(StatusCode::CONFLICT, elsewhere));
    }
    // One write at a time, from looking at the tag to serving the commit, so that no update is lost between two of them.
    let _turn = state.turn.lock().await;
    repaired(state).await?;
    let before = state.current.snapshot().unwrap_or(snapshot);
    let listed = listing(&before).await?;
    stands(&listed, &before, id, &edit).map_err(|refusal| *refusal)?;
    let seen = conditions(state, &before, &listed, id, &edit, &asked).map_err(|refusal| *refusal)?;
    let done = write(state, &before, &listed, id, edit, seen, asked.author).await?;
    let served = served(state, &done).await?;
    Ok(Changed { done, before, served })
}

/// Refuses to change a control that is not there, and to create one with an id that is taken.
fn stands(listed: &Listing, snapshot: &Snapshot, id: &str, edit: &Edit) -> Result<(), Box<Response>> {
    match edit {
        Edit::Create(..) => {
            let folded = id.to_lowercase();
            let mut ids = snapshot.set().ids().chain(listed.controls.iter().map(|listed| listed.entry.id.as_str()));
            match ids.find(|taken| taken.to_lowercase() == folded) {
                Some(other) => Err(Box::new(taken(other))),
                None => Ok(()),
            }
        }
        Edit::Restore { .. } if snapshot.set().get(id).is_none() => Ok(()),
        _ if listed.get(id).is_some() => Ok(()),
        _ => Err(Box::new(not_found())),
    }
}

/// There is no such control.
pub fn not_found() -> Response {
    Form::Detail.problem(StatusCode::NOT_FOUND, "Policy not found")
}

fn taken(id: &str) -> Response {
    Form::Detail.problem(StatusCode::CONFLICT, &format!("there is a policy `{id}` already; choose another `id`"))
}

fn overtaken_tag() -> Response {
    Form::Detail.problem(StatusCode::PRECONDITION_FAILED, "the policy is not what `If-Match` names; read it again, and send its new `ETag`")
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

/// Holds the request to its conditions (RFC 9110, 13.1), and gives what the caller has read; `None` when any will do.
fn conditions(
    state: &super::State,
    current: &Snapshot,
    listed: &Listing,
    id: &str,
    edit: &Edit,
    asked: &Asked,
) -> Result<Option<Seen>, Box<Response>> {
    let creates = matches!(edit, Edit::Create(..));
    let own = listed.get(id).map(|listed| listed.tag.as_str());
    let target = if creates { Some(listed.tag.as_str()) } else { own };
    if let Some(header) = &asked.if_none_match
        && target.is_some_and(|tag| names_tag(header, &[tag]))
    {
        let message = match (creates, names_tag(header, &[])) {
            (true, true) => {
                "`If-None-Match: *` is about `/api/policies`, which there is; leave it out, because an id that is taken is refused anyway"
            }
            (true, false) => "the policies are still those of `If-None-Match`",
            (false, _) => "there is such a policy, and `If-None-Match` forbids that",
        };
        return Err(Box::new(Form::Detail.problem(StatusCode::PRECONDITION_FAILED, message)));
    }
    let Some(header) = &asked.if_match else { return Ok(None) };
    if names_tag(header, &[]) {
        return if target.is_some() { Ok(None) } else { Err(Box::new(overtaken_tag())) };
    }
    let is_of_policy = own.is_some_and(|own| names_tag(header, &[own]));
    if !is_of_policy && !names_tag(header, &[&listed.tag]) {
        return Err(Box::new(overtaken_tag()));
    }
    // Among the files on disk there may be other controls that nobody has committed, and they are no obstacle.
    let is_worktree = matches!(state.place.kind(), Kind::Worktree(_));
    if is_worktree && creates {
        return Ok(None);
    }
    Ok(Some(Seen { set: Arc::clone(current.set()), only: (is_of_policy || is_worktree).then(|| id.to_owned()) }))
}

/// The tip of the branch is not what the caller has read. On disk it may be: then reading it again would be of no use.
async fn overtaken(state: &Arc<super::State>, snapshot: &Snapshot, id: &str) -> Response {
    if let Some(reloader) = &state.reloader {
        reloader.reload(LOOK_WAIT).await;
    }
    let is_served = state.current.snapshot().is_some_and(|served| served.revision == snapshot.revision);
    if is_served && matches!(state.place.kind(), Kind::Worktree(_)) { not_committed(id) } else { overtaken_tag() }
}

fn not_committed(id: &str) -> Response {
    let message = format!("the control `{id}` differs in the worktree from what is committed; commit it first");
    Form::Detail.problem(StatusCode::CONFLICT, &message)
}

async fn write(
    state: &Arc<super::State>,
    snapshot: &Snapshot,
    listed: &Listing,
    id: &str,
    edit: Edit,
    seen: Option<Seen>,
    author: Author,
) -> Result<Done, Response> {
    let (writer, policy) = (Arc::clone(state), id.to_owned());
    let (by, request) = (author.email.clone(), author.request.clone());
    let are_defaults = listed.controls.iter().all(|listed| snapshot.set().get(&listed.entry.id).is_none());
    let created_at = listed.controls.first().filter(|_| are_defaults).map(|listed| listed.entry.created_at.clone());
    let outcome =
        tokio::task::spawn_blocking(move || writer.writes.edit(&policy, &edit, created_at.as_deref(), seen.as_ref(), &author)).await;
    match outcome {
        Ok(Ok(done)) => {
            // What is committed is what was wanted, and on disk there may be something else.
            let differs = |control: &Control| listed.get(id).is_some_and(|listed| listed.control != *control);
            if !done.is_new && done.control.as_ref().is_some_and(differs) && matches!(state.place.kind(), Kind::Worktree(_)) {
                return Err(not_committed(id));
            }
            tracing::info!(policy = id, commit = done.commit, by, request, "a control was changed");
            Ok(done)
        }
        Ok(Err(WriteError::NotFound)) => Err(not_found()),
        Ok(Err(WriteError::Taken(other))) => Err(taken(&other)),
        Ok(Err(WriteError::Changed)) => Err(overtaken(state, snapshot, id).await),
        Ok(Err(WriteError::Blocked(findings))) => Err(invalid::blocked(&findings)),
        Ok(Err(WriteError::Conflict(message))) => Err(Form::Detail.problem(StatusCode::CONFLICT, &message)),
        Ok(Err(WriteError::Failed(message))) => {
            tracing::error!("`{id}` cannot be changed: {message}");
            Err(Form::Detail.problem(StatusCode::INTERNAL_SERVER_ERROR, &message))
        }
        Err(_) => Err(Form::Detail.problem(StatusCode::INTERNAL_SERVER_ERROR, "the write did not end")),
    }
}

/// Waits until the commit is served. It may not be: somebody else may have broken the law book in the same moment.
async fn served(state: &Arc<super::State>, done: &Done) -> Result<Arc<Snapshot>, Response> {
    let wanted = Wanted::Commit(done.commit.clone());
    if let Some(reloader) = &state.reloader {
        reloader.reload(SERVED_WAIT).await;
    }
    let limit = if state.current.behind().is_some() { Duration::from_secs(2) } else { SERVED_WAIT };
    match state.serve_at_least(&wanted, limit).await {
        Some(snapshot) => Ok(snapshot),
        None => {
            let why = state.current.behind().map(|behind| format!(": {}", behind.error)).unwrap_or_default();
            let message = format!("the change is commit {}, and is not served yet{why}", done.commit);
            Err(Form::Detail.problem(StatusCode::SERVICE_UNAVAILABLE, &message))
        }
    }
}

/// Completes an answer: it is of the revision with the change, and warns when a critical control is out of force by it.
pub fn answered(state: &super::State, changed: &Changed, id: &str, mut response: Response) -> Response {
    let is_critical = changed.served.config.critical.iter().any(|critical| critical.value == id);
    let was_enabled = changed.before.set().get(id).is_none_or(|policy| policy.enabled());
    let is_gone = changed.done.is_new && !changed.done.enabled && was_enabled;
    if is_critical && is_gone {
        state.metrics.disabled_critical();
        tracing::warn!("the critical control `{id}` was put out of force in commit {}", changed.done.commit);
        response.headers_mut().insert("lawbook-warning", HeaderValue::from_static("critical-control-disabled"));
    }
    response.extensions_mut().insert(Served(Some(Arc::clone(&changed.served))));
    response
}

/// Adds what was found about a changed control, and what else was not found before, if that is known soon.
pub async fn with_findings(changed: &Changed, id: &str, mut response: Response) -> Response {
    let found = changed.served.findings.wait(FINDINGS_WAIT).await.and_then(Option::as_ref);
    let before = changed.before.findings.get().and_then(Option::as_ref);
    if let Some(told) = told(found, before, id)
        && let Ok(value) = HeaderValue::from_str(&told)
    {
        response.headers_mut().insert(FINDINGS, value);
    }
    response
}

/// Findings as a list of tokens with parameters (RFC 8941); `None` when there are none.
fn told(found: Option<&Vec<Told>>, before: Option<&Vec<Told>>, id: &str) -> Option<String> {
    let Some(found) = found else { return Some("unknown".to_owned()) };
    let same = |one: &Told, other: &Told| (one.rule, &one.policy, &one.message) == (other.rule, &other.policy, &other.message);
    let is_new = |finding: &&Told| before.is_some_and(|before| !before.iter().any(|other| same(finding, other)));
    let about = |finding: &&Told| finding.policy.as_deref() == Some(id) || is_new(finding);
    let all: Vec<String> = found.iter().filter(about).map(|finding| format!("{};severity={}", finding.rule, finding.severity)).collect();
    let more = all.len().saturating_sub(MOST_FINDINGS);
    let mut shown: Vec<String> = all.into_iter().take(MOST_FINDINGS).collect();
    if more > 0 {
        shown.push(format!("more;count={more}"));
    }
    (!shown.is_empty()).then(|| shown.join(", "))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn finding(rule: &'static str, policy: &str) -> Told {
        Told {
            rule,
            severity: "warning",
            blocking: false,
            message: String::new(),
            path: String::new(),
            line: 1,
            column: 1,
            policy: Some(policy.to_owned()),
            help: None,
            witness: None,
        }
    }

    #[test]
    fn findings_are_told_of_the_control_and_of_what_it_brought() {
        let known = vec![finding("a", "x"), finding("b", "other")];
        let now = vec![finding("a", "x"), finding("b", "other"), finding("c", "other")];
        assert_eq!(told(None, None, "x").as_deref(), Some("unknown"));
        assert_eq!(told(Some(&Vec::new()), None, "x"), None);
        assert_eq!(told(Some(&now), None, "x").as_deref(), Some("a;severity=warning"));
        assert_eq!(told(Some(&now), Some(&known), "x").as_deref(), Some("a;severity=warning, c;severity=warning"));
        let many = vec![finding("a", "x"); 25];
        assert!(told(Some(&many), None, "x").is_some_and(|told| told.ends_with(", more;count=5")));
    }
}
