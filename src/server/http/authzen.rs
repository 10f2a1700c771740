//! `POST /access/v1/evaluation`, as the OpenID AuthZEN Authorization API 1.0 has it.

use std::sync::Arc;

use axum::Extension;
use axum::body::Body;
use axum::extract::Request;
use axum::extract::State;
use axum::http::HeaderMap;
use axum::http::Method;
use axum::http::StatusCode;
use axum::http::header::CONTENT_TYPE;
use axum::response::Response;
use serde::Serialize;
use serde_json::Value;

use super::App;
use super::MAX_BODY_BYTES;
use super::around::Served;
use super::around::caller;
use super::around::nothing_served;
use super::around::too_large;
use super::problem::ErrorObject;
use super::problem::Form;
use super::problem::json;
use super::problem::text;
use crate::decision::Request as Question;
use crate::decision::read_json;
use crate::server::metrics::Decided;
use crate::server::snapshot::Snapshot;

/// From how many bytes on a body is worked on by a thread of its own; below, changing threads would cost more than it gains.
const LARGE_BODY_BYTES: usize = 16 * 1024;

/// The answer to one question.
#[derive(Debug, Serialize)]
pub struct Answer {
    /// Whether it is allowed.
    pub decision: bool,
    /// Why.
    pub context: Context,
}

/// What an answer says beside the decision.
#[derive(Debug, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Context {
    /// What decided.
    Reason {
        /// `grant`, `denial`, `none` when nothing applies, or `stale` when the law book is too old to allow anything.
        kind: &'static str,
        /// The policies that decided.
        policies: Vec<String>,
    },
    /// The question is none.
    Error(ErrorObject),
}

impl Answer {
    fn refusal(message: &str) -> Self {
        Self { decision: false, context: Context::Error(ErrorObject::new(StatusCode::BAD_REQUEST, message)) }
    }
}

/// Answers one question. Why it is none is said in place of a reason.
pub fn answer(state: &super::State, snapshot: &Snapshot, value: &Value) -> Result<Answer, String> {
    let question = match Question::from_authzen(value) {
        Ok(question) => question,
        Err(error) => {
            state.metrics.decided(Decided::Error);
            return Err(error.message);
        }
    };
    if state.current.is_stale(snapshot) {
        state.metrics.decided(Decided::Deny);
        return Ok(Answer { decision: false, context: Context::Reason { kind: "stale", policies: Vec::new() } });
    }
    let decision = snapshot.index.decide(&question);
    state.metrics.decided(if decision.allowed { Decided::Allow } else { Decided::Deny });
    let kind = match (decision.allowed, decision.policies.is_empty()) {
        (true, _) => "grant",
        (false, false) => "denial",
        (false, true) => "none",
    };
    let policies = decision.policies.iter().map(|id| id.as_str().to_owned()).collect();
    Ok(Answer { decision: decision.allowed, context: Context::Reason { kind, policies } })
}

/// Answers one item of several: what is wrong with it stays in its place.
pub fn answer_in_place(state: &super::State, snapshot: &Snapshot, value: &Value) -> Answer {
    answer(state, snapshot, value).unwrap_or_else(|message| Answer::refusal(&message))
}

/// One question.
pub async fn evaluation(State(state): App, Extension(Served(snapshot)): Extension<Served>, request: Request) -> Response {
    let asked = match body(&state, request).await {
        Ok(asked) => asked,
        Err(refusal) => return refusal,
    };
    match snapshot {
        Some(snapshot) => single(state, snapshot, asked).await,
        None => nothing_served(Form::AuthZen),
    }
}

/// The answer to a body that is one question.
pub async fn single(state: Arc<super::State>, snapshot: Arc<Snapshot>, asked: Asked) -> Response {
    let Asked { value, is_large } = asked;
    let work = move || match answer(&state, &snapshot, &value) {
        Ok(answer) => json(StatusCode::OK, &answer),
        Err(message) => Form::AuthZen.problem(StatusCode::BAD_REQUEST, &message),
    };
    work_on(is_large, work).await.unwrap_or_else(|refusal| refusal)
}

/// What a caller sent.
pub struct Asked {
    /// A JSON object.
    pub value: Value,
    /// Whether it is so large that working on it would keep other requests waiting.
    pub is_large: bool,
}

/// Does some work: in place when it is little, else on a thread that may take its time.
async fn work_on<T: Send + 'static>(is_large: bool, work: impl FnOnce() -> T + Send + 'static) -> Result<T, Response> {
    if !is_large {
        return Ok(work());
    }
    let done = tokio::task::spawn_blocking(work).await;
    done.map_err(|_| Form::AuthZen.problem(StatusCode::INTERNAL_SERVER_ERROR, "the question could not be answered"))
}

/// The JSON object of a request by a known caller.
pub async fn body(state: &Arc<super::State>, request: Request) -> Result<Asked, Response> {
    if request.method() != Method::POST {
        return Err(Form::AuthZen.wrong_method("POST"));
    }
    caller(state, request.headers()).map_err(|stranger| stranger.problem(Form::AuthZen))?;
    let refuse = |message: &str| Form::AuthZen.problem(StatusCode::BAD_REQUEST, message);
    if !is_json(request.headers()) {
        return Err(refuse("the content type is not `application/json`"));
    }
    let bytes = read(request.into_body()).await?;
    if bytes.is_empty() {
        return Err(refuse("the body is empty"));
    }
    let is_large = bytes.len() > LARGE_BODY_BYTES;
    match work_on(is_large, move || read_json(&bytes)).await? {
        Ok(value @ Value::Object(_)) => Ok(Asked { value, is_large }),
        Ok(_) => Err(refuse("the body is not a JSON object")),
        Err(error) if error.is_data() => Err(refuse(&format!("the body is ambiguous: {error}"))),
        Err(error) => Err(refuse(&format!("the body is not JSON: {error}"))),
    }
}

async fn read(body: Body) -> Result<axum::body::Bytes, Response> {
    axum::body::to_bytes(body, MAX_BODY_BYTES).await.map_err(|error| {
        let source = std::error::Error::source(&error);
        let exceeded = source.is_some_and(|source| source.to_string().contains("length limit exceeded"));
        if exceeded { too_large(Form::AuthZen) } else { Form::AuthZen.problem(StatusCode::BAD_REQUEST, "the body ended early") }
    })
}

fn is_json(headers: &HeaderMap) -> bool {
    let kind = text(headers, CONTENT_TYPE.as_str()).unwrap_or("");
    kind.split(';').next().unwrap_or("").trim().eq_ignore_ascii_case("application/json")
}
