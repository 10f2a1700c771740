//! What surrounds every request: one snapshot for all of it, its revision on the answer, a bound on everything.

use std::fmt::Write;
use std::sync::Arc;
use std::sync::atomic::AtomicU64;
use std::sync::atomic::Ordering;
use std::time::Instant;

use axum::extract::MatchedPath;
use axum::extract::Request;
use axum::extract::State;
use axum::http::HeaderMap;
use axum::http::HeaderName;
use axum::http::HeaderValue;
use axum::http::StatusCode;
use axum::http::header::CACHE_CONTROL;
use axum::http::header::CONTENT_LENGTH;
use axum::http::header::RETRY_AFTER;
use axum::middleware::Next;
use axum::response::Response;

use super::App;
use super::MAX_BODY_BYTES;
use super::MAX_DURATION;
use super::REVISION_WAIT;
use super::followed::Followed;
use super::problem::Form;
use super::problem::text;
use crate::server::auth::Caller;
use crate::server::snapshot::Snapshot;

const REVISION: HeaderName = HeaderName::from_static("lawbook-revision");
const COMMIT: HeaderName = HeaderName::from_static("lawbook-commit");
const CONTENT: HeaderName = HeaderName::from_static("lawbook-content");
const MIN_REVISION: &str = "lawbook-min-revision";
const REQUEST_ID: HeaderName = HeaderName::from_static("x-request-id");

/// The snapshot that a request is answered from; `None` when none has been good yet.
#[derive(Debug, Clone)]
pub struct Served(pub Option<Arc<Snapshot>>);

/// The id of a request: the caller's own, or one of ours.
#[derive(Debug, Clone)]
pub struct RequestId(pub HeaderValue);

/// Answers a request within all bounds, from one snapshot.
pub async fn around(State(state): App, request: Request, next: Next) -> Response {
    let started = Instant::now();
    let (mut request, body) = Followed::new(request);
    let form = Form::of(request.uri().path());
    let route = request.extensions().get::<MatchedPath>().map_or_else(|| "other".to_owned(), |path| path.as_str().to_owned());
    let probe = route.starts_with("/health") || route == "/metrics";
    let id = request_id(request.headers());
    request.extensions_mut().insert(RequestId(id.clone()));
    let described = format!("{} {}", request.method(), request.uri().path());
    // INVARIANT: the headers are those of the snapshot that the answer comes from, also when another one is served by then.
    let mut served = None;
    let mut response = match state.slots.try_acquire() {
        Err(_) if !probe => {
            let mut response = form.problem(StatusCode::SERVICE_UNAVAILABLE, "too many requests at once");
            response.headers_mut().insert(RETRY_AFTER, HeaderValue::from_static("1"));
            response
        }
        _slot => match bounded(&state, form, request.headers()).await {
            Err(refusal) => refusal,
            Ok(snapshot) => {
                served.clone_from(&snapshot);
                request.extensions_mut().insert(Served(snapshot));
                match tokio::time::timeout(MAX_DURATION, next.run(request)).await {
                    Ok(response) => response,
                    Err(_) => form.problem(StatusCode::SERVICE_UNAVAILABLE, "the request took too long"),
                }
            }
        },
    };
    // A handler that answers from a later snapshot than the request began with says so.
    if let Some(Served(later)) = response.extensions_mut().remove::<Served>() {
        served = later;
    }
    body.tell(&mut response);
    let headers = response.headers_mut();
    put_revision(headers, served.or_else(|| state.current.snapshot()).as_deref());
    headers.entry(CACHE_CONTROL).or_insert(HeaderValue::from_static("no-store"));
    let shown = id.to_str().unwrap_or("?").to_owned();
    headers.insert(REQUEST_ID, id);
    let (status, took) = (response.status().as_u16(), started.elapsed());
    state.metrics.answered(&route, status, took);
    tracing::debug!(request_id = shown, status, microseconds = u64::try_from(took.as_micros()).unwrap_or(u64::MAX), "{described}");
    response
}

/// Refuses a body that is too large, and finds the snapshot.
async fn bounded(state: &Arc<super::State>, form: Form, headers: &HeaderMap) -> Result<Option<Arc<Snapshot>>, Response> {
    let length = text(headers, CONTENT_LENGTH.as_str()).and_then(|length| length.parse::<u64>().ok());
    if length.is_some_and(|length| length > MAX_BODY_BYTES as u64) {
        return Err(too_large(form));
    }
    let Some(wanted) = headers.get(MIN_REVISION) else { return Ok(state.current.snapshot()) };
    // Waiting costs a slot, so that only somebody with a token may ask for it. Whoever asks is never answered from less.
    caller(state, headers).map_err(|stranger| stranger.problem(form))?;
    wait_for(state, form, wanted.to_str().unwrap_or_default()).await.map(Some)
}

/// The body is larger than any request needs.
pub fn too_large(form: Form) -> Response {
    form.problem(StatusCode::PAYLOAD_TOO_LARGE, &format!("the body is larger than {MAX_BODY_BYTES} bytes"))
}

async fn wait_for(state: &Arc<super::State>, form: Form, wanted: &str) -> Result<Arc<Snapshot>, Response> {
    let Some(wanted) = state.place.wanted(wanted) else {
        return Err(form.problem(StatusCode::BAD_REQUEST, &format!("`{MIN_REVISION}` is no revision of {}", state.place)));
    };
    let served = state.serve_at_least(&wanted, REVISION_WAIT).await;
    served.ok_or_else(|| form.problem(StatusCode::SERVICE_UNAVAILABLE, "the revision that the request asks for is not served yet"))
}

fn put_revision(headers: &mut HeaderMap, snapshot: Option<&Snapshot>) {
    let revision = snapshot.map(|snapshot| &snapshot.revision);
    let number = revision.and_then(|revision| revision.number).map_or_else(|| "none".to_owned(), |number| number.to_string());
    let commit = revision.and_then(|revision| revision.commit.as_deref()).unwrap_or("none");
    let content = revision.map_or("none", |revision| revision.content.as_str());
    for (name, value) in [(REVISION, number.as_str()), (COMMIT, commit), (CONTENT, content)] {
        if let Ok(value) = HeaderValue::from_str(value) {
            headers.insert(name, value);
        }
    }
}

/// The caller's own id, if it is short and printable; else the next of ours.
fn request_id(headers: &HeaderMap) -> HeaderValue {
    const LONGEST: usize = 200;
    static NEXT: AtomicU64 = AtomicU64::new(1);
    let own = headers.get(REQUEST_ID).filter(|id| !id.is_empty() && id.len() <= LONGEST && id.to_str().is_ok());
    own.cloned().unwrap_or_else(|| {
        let mut id = String::new();
        let _: Result<_, _> = write!(id, "lb-{:x}-{:x}", std::process::id(), NEXT.fetch_add(1, Ordering::Relaxed));
        HeaderValue::from_str(&id).unwrap_or(HeaderValue::from_static("lb"))
    })
}

/// Why a caller is not known.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Stranger {
    /// There is no header of the form `Bearer TOKEN`.
    NotAuthenticated,
    /// No holder has this token.
    InvalidToken,
}

impl Stranger {
    /// The answer.
    pub fn problem(self, form: Form) -> Response {
        let message = match self {
            Self::NotAuthenticated => "Not authenticated",
            Self::InvalidToken => "Invalid token",
        };
        form.problem(StatusCode::UNAUTHORIZED, message)
    }
}

/// The holder of the token in `Authorization`.
pub fn caller(state: &super::State, headers: &HeaderMap) -> Result<Arc<Caller>, Stranger> {
    let token = text(headers, "authorization").and_then(|value| value.strip_prefix("Bearer ")).ok_or(Stranger::NotAuthenticated)?;
    state.tokens.holder(token).ok_or(Stranger::InvalidToken)
}

/// Nothing has been good yet.
pub fn nothing_served(form: Form) -> Response {
    form.problem(StatusCode::SERVICE_UNAVAILABLE, "no law book is served yet; `/status` says why")
}
