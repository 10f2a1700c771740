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

/// How many questions one batch may hold: the answers are kept until all are there, and a question takes two bytes to send.
const MAX_ITEMS: usize = 20_000;

/// How many batches are worked on at once; more wait for their turn.
pub const MAX_BATCHES: usize = 8;

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
    let mut asked = match body(&state, request).await {
        Ok(asked) => asked,
        Err(refusal) => return refusal,
    };
    let Some(snapshot) = snapshot else { return nothing_served(Form::AuthZen) };
    let refuse = |message: &str| Form::AuthZen.problem(StatusCode::BAD_REQUEST, message);
    let Some(fields) = asked.value.as_object_mut() else { return refuse("the body is not a JSON object") };
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
        return single(state, snapshot, asked).await;
    }
    let too_large = |message: &str| Form::AuthZen.problem(StatusCode::PAYLOAD_TOO_LARGE, message);
    if items.len() > MAX_ITEMS {
        return too_large(&format!("`evaluations` holds more than {MAX_ITEMS} questions; send fewer at once"));
    }
    fields.retain(|key, _| DEFAULTED.contains(&key.as_str()));
    let repeated: usize = fields.values().map(count).sum();
    if repeated.saturating_mul(items.len()) > MAX_VALUES {
        return too_large("the defaults are too large to repeat for every evaluation; send fewer at once");
    }
    let defaults = std::mem::take(fields);
    let failed = || Form::AuthZen.problem(StatusCode::INTERNAL_SERVER_ERROR, "the evaluations could not be answered");
    let Ok(turn) = Arc::clone(&state.batches).acquire_owned().await else { return failed() };
    // Dropped with this future when the caller goes away or the time is up, which ends the work at its next question.
    let wanted = Arc::new(());
    let asking = Arc::downgrade(&wanted);
    let work = move || {
        let _turn = turn;
        let answers = Answers { evaluations: answers(&state, &snapshot, &defaults, items, semantic, &|| asking.strong_count() > 0) };
        json(StatusCode::OK, &answers)
    };
    let outcome = tokio::task::spawn_blocking(work).await;
    drop(wanted);
    outcome.unwrap_or_else(|_| failed())
}

fn answers(
    state: &Arc<super::State>,
    snapshot: &Snapshot,
    defaults: &Map<String, Value>,
    items: Vec<Value>,
    semantic: Semantic,
    is_wanted: &dyn Fn() -> bool,
) -> Vec<Answer> {
    let mut answers = Vec::with_capacity(items.len());
    for item in items {
        if !is_wanted() {
            break;
        }
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

#[cfg(test)]
mod tests {
    use std::cell::Cell;
    use std::time::Duration;

    use tower::ServiceExt;

    use super::*;
    use crate::config::Config;
    use crate::decision::Index;
    use crate::server::auth::Caller;
    use crate::server::auth::Role;
    use crate::server::auth::TokenDigest;
    use crate::server::auth::Tokens;
    use crate::server::place::Kind;
    use crate::server::place::Place;
    use crate::server::snapshot::Revision;

    fn state() -> Arc<super::super::State> {
        let caller = Caller { name: "a".to_owned(), email: "a@example.com".to_owned(), groups: Vec::new(), role: Role::Decide };
        let tokens = Arc::new(Tokens::fixed([(TokenDigest::of("t"), caller)]));
        let place = Place::new(Kind::Folder("law".into()));
        Arc::new(super::super::State::new(Arc::default(), tokens, Arc::default(), place, None))
    }

    fn snapshot() -> Snapshot {
        let revision = Revision { number: None, commit: None, content: String::new() };
        Snapshot::new(Index::new(Arc::default()), Config::default(), revision)
    }

    /// Batches whose callers had gone away long before were worked on to their end.
    #[test]
    fn nobody_works_for_a_caller_that_has_gone_away() {
        let asked = Cell::new(0);
        let is_wanted = || {
            asked.set(asked.get() + 1);
            asked.get() <= 3
        };
        let items = vec![Value::Null; 100];
        let answers = answers(&state(), &snapshot(), &Map::new(), items, Semantic::ExecuteAll, &is_wanted);
        assert_eq!(answers.len(), 3);
    }

    /// Any number of batches were worked on at once, each with all its answers in memory.
    #[test]
    fn a_batch_waits_for_its_turn() {
        let state = state();
        state.current.swap(Arc::new(snapshot()));
        let ask = || {
            let request = Request::post("/access/v1/evaluations").header("authorization", "Bearer t");
            let request = request.header("content-type", "application/json").body(axum::body::Body::from(r#"{"evaluations":[{}]}"#));
            super::super::app(Arc::clone(&state)).oneshot(request.expect("a request"))
        };
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().expect("a runtime");
        runtime.block_on(async {
            let turns = u32::try_from(MAX_BATCHES).expect("a small number");
            let all = Arc::clone(&state.batches).acquire_many_owned(turns).await.expect("turns");
            assert!(tokio::time::timeout(Duration::from_millis(200), ask()).await.is_err(), "all turns are taken");
            drop(all);
            assert_eq!(ask().await.expect("infallible").status(), StatusCode::OK);
        });
    }
}
