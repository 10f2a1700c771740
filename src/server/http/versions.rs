//! `GET /api/policies/{id}/versions` and `POST /api/policies/{id}/restore`: what a control has said, and that it says so again.

use std::sync::Arc;

use axum::Extension;
use axum::extract::Request;
use axum::extract::State;
use axum::http::Method;
use axum::http::StatusCode;
use axum::response::IntoResponse;
use axum::response::Response;
use jiff::Timestamp;
use serde::Serialize;
use serde_json::Value;

use super::App;
use super::around::Served;
use super::around::nothing_served;
use super::change::Asked;
use super::change::change;
use super::change::not_found;
use super::control::answer_stored;
use super::control::tagged;
use super::control::writer;
use super::invalid;
use super::invalid::Problem;
use super::neosc::annals;
use super::neosc::listing;
use super::neosc::nowhere;
use super::neosc::reader;
use super::path;
use super::problem::Form;
use super::problem::raw_json;
use super::problem::text;
use crate::policy::Policy;
use crate::report::audit::wire_time;
use crate::server::annals::Annals;
use crate::server::controls::ControlEntry;
use crate::server::controls::Listed;
use crate::server::controls::names_tag;
use crate::server::controls::tag;
use crate::server::snapshot::Snapshot;
use crate::server::versions::ControlVersion;
use crate::server::writes::Edit;

/// How many versions are sent when the request does not say.
const DEFAULT_LIMIT: usize = 500;

/// The most versions that are sent at once.
const MAX_LIMIT: usize = 10_000;

/// How many digits of a commit must be given.
const FEWEST_DIGITS: usize = 7;

/// A version as it is sent.
#[derive(Debug, Serialize)]
struct VersionEntry<'v> {
    version: &'v str,
    action: &'static str,
    author: &'v str,
    timestamp: String,
    message: &'v str,
    policy: Option<ControlEntry>,
}

impl<'v> VersionEntry<'v> {
    fn new(version: &'v ControlVersion) -> Self {
        let policy = version.control().map(|control| {
            let written = control.created_at.as_deref().and_then(|time| time.parse::<Timestamp>().ok());
            Listed::new(control, written.unwrap_or(version.introduced)).entry
        });
        Self {
            version: &version.commit,
            action: version.action,
            author: &version.author,
            timestamp: wire_time(version.at),
            message: &version.message,
            policy,
        }
    }
}

/// The versions of one control, newest first, also of one that is gone.
pub async fn versions(State(state): App, Extension(Served(snapshot)): Extension<Served>, request: Request) -> Response {
    let decoded = path::decode(request.uri().path());
    let Some(id) = id_of(&decoded, "/versions") else { return nowhere(request.uri()) };
    if request.method() != Method::GET {
        return Form::Detail.wrong_method("GET");
    }
    if let Err(refusal) = reader(&state, request.headers()) {
        return *refusal;
    }
    let limit = match limit(request.uri().query().unwrap_or("")) {
        Ok(limit) => limit,
        Err(message) => return Form::Detail.problem(StatusCode::UNPROCESSABLE_ENTITY, &message),
    };
    let Some(snapshot) = snapshot else { return nothing_served(Form::Detail) };
    let told = match known(&state, &snapshot, id).await {
        Ok(annals) => annals,
        Err(refusal) => return refusal,
    };
    let all = told.versions.as_ref().and_then(|versions| versions.get(id));
    let entries: Vec<VersionEntry<'_>> = all.into_iter().flatten().rev().take(limit).map(VersionEntry::new).collect();
    let Ok(body) = serde_json::to_vec(&entries) else {
        return Form::Detail.problem(StatusCode::INTERNAL_SERVER_ERROR, "the versions cannot be written");
    };
    let tag = tag(&[&body]);
    let unchanged = text(request.headers(), "if-none-match").is_some_and(|header| names_tag(header, &[&tag]));
    tagged(if unchanged { StatusCode::NOT_MODIFIED.into_response() } else { raw_json(StatusCode::OK, body) }, &tag)
}

/// A control says again what it said in a version.
pub async fn restore(State(state): App, Extension(Served(snapshot)): Extension<Served>, request: Request) -> Response {
    let decoded = path::decode(request.uri().path());
    let Some(id) = id_of(&decoded, "/restore").map(str::to_owned) else { return nowhere(request.uri()) };
    if request.method() != Method::POST {
        return Form::Detail.wrong_method("POST");
    }
    let caller = match writer(&state, request.headers()) {
        Ok(caller) => caller,
        Err(refusal) => return *refusal,
    };
    let Some(snapshot) = snapshot else { return nothing_served(Form::Detail) };
    let asked = Asked::new(&caller, &request);
    restored(&state, snapshot, &id, asked, request).await.unwrap_or_else(|refusal| refusal)
}

async fn restored(
    state: &Arc<super::State>,
    snapshot: Arc<Snapshot>,
    id: &str,
    asked: Asked,
    request: Request,
) -> Result<Response, Response> {
    let told = known(state, &snapshot, id).await?;
    let commit = wanted(&invalid::fields(request.into_body()).await?).map_err(|problem| invalid::refuse(&[problem]))?;
    let versions = told.versions.as_ref().and_then(|versions| versions.get(id)).map(Vec::as_slice).unwrap_or_default();
    let mut named = versions.iter().rev().filter(|version| version.commit.starts_with(&commit));
    let missing = || Form::Detail.problem(StatusCode::NOT_FOUND, "Policy version not found");
    let version = named.next().ok_or_else(missing)?;
    let refuse = |message: &str| invalid::refuse(&[Problem::new("value_error", &["version"], message.to_owned(), &commit.as_str().into())]);
    if named.any(|other| other.commit != version.commit) {
        return Err(refuse("several versions begin like this; give more digits"));
    }
    let Some(control) = version.control() else {
        let message = match version.is_there() {
            true => "this version is no valid control any more; replace the control instead",
            false => "the control was gone then; restore an earlier version, or delete the control",
        };
        return Err(refuse(message));
    };
    let path = versions.last().map_or_else(String::new, |last| last.path.to_string());
    let edit = Edit::Restore { control: Box::new(control), path, version: version.commit.clone() };
    let changed = change(state, Arc::clone(&snapshot), id, edit, asked).await?;
    answer_stored(state, &changed, id, StatusCode::OK).await
}

/// The id in a path with this end.
fn id_of<'p>(decoded: &'p str, end: &str) -> Option<&'p str> {
    decoded.strip_prefix("/api/policies/")?.strip_suffix(end).filter(|id| !id.is_empty() && !id.contains('/'))
}

/// The history of a control that there is, or was.
async fn known<'s>(state: &super::State, snapshot: &'s Arc<Snapshot>, id: &str) -> Result<&'s Annals, Response> {
    let is_access = snapshot.set().get(id).is_some_and(|policy| matches!(&**policy, Policy::Access(_)));
    if is_access {
        return Err(not_found());
    }
    let is_listed = listing(snapshot).await?.get(id).is_some();
    let annals = annals(snapshot)
        .await?
        .map_err(|error| Form::Detail.problem(StatusCode::INTERNAL_SERVER_ERROR, &format!("the history cannot be read: {error}")))?;
    match &annals.versions {
        Some(versions) if is_listed || versions.contains_key(id) => Ok(annals),
        None if is_listed => {
            let place = state.writes.elsewhere().unwrap_or("there is no history here");
            Err(Form::Detail.problem(StatusCode::CONFLICT, &format!("no versions are known here: {place}")))
        }
        _ => Err(not_found()),
    }
}

/// The commit that a body names: `{"version": "…"}`.
fn wanted(fields: &crate::server::draft::Fields) -> Result<String, Problem> {
    if let Some((key, value)) = fields.iter().find(|(key, _)| *key != "version") {
        return Err(Problem::new("extra_forbidden", &[key], "there is no such field; give only `version`".to_owned(), value));
    }
    let help = "give the `version` to restore, as `GET …/versions` lists it";
    let Some(version) = fields.get("version") else {
        return Err(Problem::new("missing", &["version"], help.to_owned(), &Value::Object(fields.clone())));
    };
    let digits = version.as_str().filter(|text| text.len() >= FEWEST_DIGITS && text.bytes().all(|byte| byte.is_ascii_hexdigit()));
    digits
        .map(str::to_ascii_lowercase)
        .ok_or_else(|| Problem::new("value_error", &["version"], format!("this is no commit; {help}"), version))
}

/// Reads the query. Parameters that are not known are ignored, as the documented framework does.
fn limit(query: &str) -> Result<usize, String> {
    let mut limit = DEFAULT_LIMIT;
    for value in query.split('&').filter_map(|pair| pair.strip_prefix("limit=")) {
        let read = value.parse().ok().filter(|limit| (1..=MAX_LIMIT).contains(limit));
        limit = read.ok_or_else(|| format!("`limit` is a number from 1 to {MAX_LIMIT}"))?;
    }
    Ok(limit)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_limit_is_a_number() {
        assert_eq!(limit(""), Ok(500));
        assert_eq!(limit("x=1&limit=2"), Ok(2));
        for bad in ["limit=0", "limit=", "limit=10001", "limit=x"] {
            assert!(limit(bad).is_err(), "{bad}");
        }
    }

    #[test]
    fn an_id_stands_between() {
        let check = |path: &str, expected: Option<&str>| assert_eq!(id_of(path, "/versions"), expected, "{path}");
        check("/api/policies/pol-a/versions", Some("pol-a"));
        check("/api/policies//versions", None);
        check("/api/policies/a/b/versions", None);
    }
}
