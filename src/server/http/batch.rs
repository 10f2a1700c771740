//! `POST /access/v1/evaluations`: many questions, answered from one snapshot, in order.

use std::sync::Arc;

use axum::Extension;
use axum::extract::Request;
use axum::extract::State;
use axum::http::StatusCode;
use axum::response::Response;
use serde::Serialize;
use serde_json::Map;
use serde_json::Value;

use super::App;
use super::around::Served;
use super::around::nothing_served;
use super::authzen::Answer;
use super::authzen::answer_in_place;
use super::authzen::body;
use super::authzen::single;
use super::problem::Form;
use super::problem::json;
use crate::server::snapshot::Snapshot;

/// The members of a question that the items of a batch may leave out.
const DEFAULTED: [&str; 4] = ["subject", "action", "resource", "context"];

/// How many values all items may come to once the defaults are filled in; a small body could ask for gigabytes otherwise.
const MAX_VALUES: usize = 4_000_000;

/// When to stop.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Semantic {
    ExecuteAll,
    DenyOnFirstDeny,
    PermitOnFirstPermit,
}

impl Semantic {
    fn of(fields: &Map<String, Value>) -> Result<Self, String> {
        let options = match fields.get("options") {
            None | Some(Value::Null) => return Ok(Self::ExecuteAll),
            Some(Value::Object(options)) => options,
            Some(_) => return Err("`options` is not an object".to_owned()),
        };
        match options.get("evaluations_semantic") {
            None => Ok(Self::ExecuteAll),
            Some(Value::String(word)) => {
                match word.as_str() {
                    "execute_all" => Ok(Self::ExecuteAll),
                    "deny_on_first_deny" => Ok(Self::DenyOnFirstDeny),
                    "permit_on_first_permit" => Ok(Self::PermitOnFirstPermit),
                    _ => Err("`options.evaluations_semantic` is none of `execute_all`, `deny_on_first_deny` and `permit_on_first_permit`"
                        .to_owned()),
                }
            }
            Some(_) => Err("`options.evaluations_semantic` is not a string".to_owned()),
        }
    }

    fn ends_with(self, decision: bool) -> bool {
        match self {
            Self::ExecuteAll => false,
            Self::DenyOnFirstDeny => !decision,
            Self::PermitOnFirstPermit => decision,
        }
    }
}

#[derive(Debug, Serialize)]
struct Answers {
    evaluations: Vec<Answer>,
}

/// Many questions. Without any, the body is one.
pub async fn evaluations(State(state): App, Extension(Served(snapshot)): Extension<Served>, request: Request) -> Response {
    let mut value = match body(&state, request).await {
        Ok(value) => value,
        Err(refusal) => return refusal,
    };
    let Some(snapshot) = snapshot else { return nothing_served(Form::AuthZen) };
    let refuse = |message: &str| Form::AuthZen.problem(StatusCode::BAD_REQUEST, message);
    let Some(fields) = value.as_object_mut() else { return refuse("the body is not a JSON object") };
    let semantic = match Semantic::of(fields) {
        Ok(semantic) => semantic,
        Err(message) => return refuse(&message),
    };
    let items = match fields.remove("evaluations") {
        None | Some(Value::Null) => Vec::new(),
        Some(Value::Array(items)) => items,
        Some(_) => return refuse("`evaluations` is not a list"),
    };
    if items.is_empty() {
        return single(&state, &snapshot, &value);
    }
    fields.retain(|key, _| DEFAULTED.contains(&key.as_str()));
    let repeated: usize = fields.values().map(count).sum();
    if repeated.saturating_mul(items.len()) > MAX_VALUES {
        return Form::AuthZen
            .problem(StatusCode::PAYLOAD_TOO_LARGE, "the defaults are too large to repeat for every evaluation; send fewer at once");
    }
    let defaults = std::mem::take(fields);
    let work = move || Answers { evaluations: answers(&state, &snapshot, &defaults, items, semantic) };
    match tokio::task::spawn_blocking(work).await {
        Ok(answers) => json(StatusCode::OK, &answers),
        Err(_) => Form::AuthZen.problem(StatusCode::INTERNAL_SERVER_ERROR, "the evaluations could not be answered"),
    }
}

fn answers(
    state: &Arc<super::State>,
    snapshot: &Snapshot,
    defaults: &Map<String, Value>,
    items: Vec<Value>,
    semantic: Semantic,
) -> Vec<Answer> {
    let mut answers = Vec::with_capacity(items.len());
    for item in items {
        let answer = answer_in_place(state, snapshot, &filled(item, defaults));
        let decision = answer.decision;
        answers.push(answer);
        if semantic.ends_with(decision) {
            break;
        }
    }
    answers
}

/// An item with the defaults for what it leaves out. What it says replaces a default as a whole.
fn filled(mut item: Value, defaults: &Map<String, Value>) -> Value {
    if let Some(fields) = item.as_object_mut() {
        for (key, value) in defaults {
            if !fields.contains_key(key) {
                fields.insert(key.clone(), value.clone());
            }
        }
    }
    item
}

/// How many values a value consists of, with one more for every sixty bytes of text.
fn count(value: &Value) -> usize {
    match value {
        Value::Array(items) => 1 + items.iter().map(count).sum::<usize>(),
        Value::Object(fields) => 1 + fields.iter().map(|(key, value)| 1 + key.len() / 60 + count(value)).sum::<usize>(),
        Value::String(text) => 1 + text.len() / 60,
        _ => 1,
    }
}
