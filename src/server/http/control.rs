//! One control: read, replaced, toggled, deleted; and a new one. The NeoSC document lists all but the toggle as not implemented.

use std::sync::Arc;

use axum::Extension;
use axum::extract::Request;
use axum::extract::State;
use axum::http::HeaderMap;
use axum::http::HeaderValue;
use axum::http::Method;
use axum::http::StatusCode;
use axum::http::header::ETAG;
use axum::http::header::LOCATION;
use axum::response::IntoResponse;
use axum::response::Response;
use jiff::Timestamp;
use serde_json::Value;
use serde_json::json;

use super::App;
use super::around::Served;
use super::around::nothing_served;
use super::change::Asked;
use super::change::Changed;
use super::change::answered;
use super::change::change;
use super::change::not_found;
use super::change::with_findings;
use super::from_template;
use super::invalid;
use super::invalid::Problem;
use super::neosc::listing;
use super::neosc::nowhere;
use super::neosc::reader;
use super::path;
use super::problem::Form;
use super::problem::json as answer;
use super::problem::text;
use super::toggle::toggle;
use crate::config::Config;
use crate::policy::Control;
use crate::report::audit::wire_time;
use crate::schema::Schema;
use crate::schema::SchemaError;
use crate::server::auth::Caller;
use crate::server::controls::Listed;
use crate::server::controls::names_tag;
use crate::server::draft;
use crate::server::draft::Fields;
use crate::server::snapshot::Snapshot;
use crate::server::writes::Edit;

/// One control.
pub async fn policy(State(state): App, Extension(Served(snapshot)): Extension<Served>, request: Request) -> Response {
    let decoded = path::decode(request.uri().path());
    let Some(id) = decoded.strip_prefix("/api/policies/").filter(|id| !id.contains('/')) else {
        return nowhere(request.uri());
    };
    let method = request.method().clone();
    if !matches!(method, Method::GET | Method::PUT | Method::PATCH | Method::DELETE) {
        return Form::Detail.wrong_method("GET, PUT, PATCH, DELETE");
    }
    let caller = match if method == Method::GET { reader(&state, request.headers()) } else { writer(&state, request.headers()) } {
        Ok(caller) => caller,
        Err(refusal) => return *refusal,
    };
    let Some(snapshot) = snapshot else { return nothing_served(Form::Detail) };
    let outcome = match method {
        Method::GET => one(&snapshot, id, request.headers()).await,
        Method::PATCH => toggle(&state, snapshot, id, Asked::new(&caller, &request)).await,
        Method::DELETE => delete(&state, snapshot, id, Asked::new(&caller, &request)).await,
        _ => replace(&state, snapshot, id, Asked::new(&caller, &request), request).await,
    };
    outcome.unwrap_or_else(|refusal| refusal)
}

/// The caller, if it may change policies.
pub fn writer(state: &super::State, headers: &HeaderMap) -> Result<Arc<Caller>, Box<Response>> {
    let caller = reader(state, headers)?;
    if caller.role.writes() { Ok(caller) } else { Err(Box::new(Form::Detail.problem(StatusCode::FORBIDDEN, "Admin access required"))) }
}

async fn one(snapshot: &Arc<Snapshot>, id: &str, headers: &HeaderMap) -> Result<Response, Response> {
    let listing = listing(snapshot).await?;
    let listed = listing.get(id).ok_or_else(not_found)?;
    let unchanged = text(headers, "if-none-match").is_some_and(|header| names_tag(header, &[&listed.tag]));
    let response = if unchanged { StatusCode::NOT_MODIFIED.into_response() } else { answer(StatusCode::OK, &listed.entry) };
    Ok(tagged(response, &listed.tag))
}

/// An answer with its entity tag.
pub fn tagged(mut response: Response, tag: &str) -> Response {
    if let Ok(tag) = HeaderValue::from_str(tag) {
        response.headers_mut().insert(ETAG, tag);
    }
    response
}

/// The control as it is in the commit that was made, whatever is served by now.
async fn stored(changed: &Changed, status: StatusCode) -> Result<Response, Response> {
    let Some(control) = &changed.done.control else { return Err(not_found()) };
    let written = control.created_at.as_deref().and_then(|time| time.parse::<Timestamp>().ok());
    let created = match written {
        Some(time) => time,
        None => {
            let listed = listing(&changed.served).await?;
            let told = listed.get(control.id.as_str()).and_then(|listed| listed.entry.created_at.parse().ok());
            told.unwrap_or(changed.served.loaded_at)
        }
    };
    let listed = Listed::new(control.clone(), created);
    Ok(tagged(answer(status, &listed.entry), &listed.tag))
}

/// Answers a change with the control that it made, and what was found about it.
pub async fn answer_stored(state: &super::State, changed: &Changed, id: &str, status: StatusCode) -> Result<Response, Response> {
    let response = answered(state, changed, id, stored(changed, status).await?);
    Ok(with_findings(changed, id, response).await)
}

async fn replace(
    state: &Arc<super::State>,
    snapshot: Arc<Snapshot>,
    id: &str,
    asked: Asked,
    request: Request,
) -> Result<Response, Response> {
    let listing = listing(&snapshot).await?;
    let listed = listing.get(id).ok_or_else(not_found)?;
    let fields = invalid::fields(request.into_body()).await?;
    keeps(&fields, listed).map_err(|problem| invalid::refuse(&[problem]))?;
    let schema = schema(&snapshot.config).map_err(|refusal| *refusal)?;
    draft::replace(&schema, &listed.control, &fields).map_err(|unreadable| invalid::unreadable(&fields, &unreadable))?;
    let changed = change(state, snapshot, id, Edit::Replace(fields), asked).await?;
    answer_stored(state, &changed, id, StatusCode::OK).await
}

/// Refuses a body that would change what a control keeps for life.
fn keeps(fields: &Fields, listed: &Listed) -> Result<(), Problem> {
    let entry = &listed.entry;
    let same_time = |text: &str| text.parse::<Timestamp>().ok().map(wire_time).as_ref() == Some(&entry.created_at);
    if let Some(id) = fields.get("id").filter(|id| id.as_str() != Some(&entry.id)) {
        let message = format!("the id of this control is `{}`; leave `id` out, or create another control", entry.id);
        return Err(Problem::new("value_error", &["id"], message, id));
    }
    if let Some(time) = fields.get("created_at").filter(|time| !time.as_str().is_some_and(same_time)) {
        let message = format!("this control was created at {}; leave `created_at` out", entry.created_at);
        return Err(Problem::new("value_error", &["created_at"], message, time));
    }
    Ok(())
}

async fn delete(state: &Arc<super::State>, snapshot: Arc<Snapshot>, id: &str, asked: Asked) -> Result<Response, Response> {
    let changed = change(state, snapshot, id, Edit::Delete, asked).await?;
    let response = answered(state, &changed, id, answer(StatusCode::OK, &json!({"message": "Policy deleted"})));
    Ok(with_findings(&changed, id, response).await)
}

/// Creates the control that the body of a request describes, or that a template makes of it. Other parameters of the query are
/// ignored, as the documented framework does.
pub async fn post(state: &Arc<super::State>, snapshot: Arc<Snapshot>, asked: Asked, request: Request) -> Result<Response, Response> {
    let template = path::parameter(request.uri().query(), "template");
    let mut fields = invalid::fields(request.into_body()).await?;
    if let Some(template) = template {
        let (control, text) = from_template::control(&template, fields).map_err(|problems| invalid::refuse(&problems))?;
        return create(state, snapshot, asked, control, Some(text)).await;
    }
    if !fields.contains_key("id") {
        match fields.get("name").and_then(Value::as_str).map(draft::id_of) {
            Some(Some(id)) => drop(fields.insert("id".to_owned(), id.into())),
            Some(None) => {
                let message = "no id can be made of this `name`; add `id`, such as `pol-mfa-required`".to_owned();
                return Err(invalid::refuse(&[Problem::new("missing", &["id"], message, &Value::Object(fields))]));
            }
            None => {}
        }
    }
    let schema = schema(&snapshot.config).map_err(|refusal| *refusal)?;
    let control = draft::create(&schema, &fields, &wire_time(Timestamp::now()));
    let control = control.map_err(|unreadable| invalid::unreadable(&fields, &unreadable))?;
    create(state, snapshot, asked, control, None).await
}

/// Creates a control; `text` is the text of its file, where that is not for us to print.
async fn create(
    state: &Arc<super::State>,
    snapshot: Arc<Snapshot>,
    asked: Asked,
    control: Control,
    text: Option<String>,
) -> Result<Response, Response> {
    let id = control.id.as_str().to_owned();
    let changed = change(state, snapshot, &id, Edit::Create(Box::new(control), text), asked).await?;
    let mut response = answer_stored(state, &changed, &id, StatusCode::CREATED).await?;
    if let Ok(location) = HeaderValue::from_str(&path::encode(&format!("/api/policies/{id}"))) {
        response.headers_mut().insert(LOCATION, location);
    }
    Ok(response)
}

fn schema(config: &Config) -> Result<Schema, Box<Response>> {
    let defect = |error: SchemaError| Box::new(Form::Detail.problem(StatusCode::INTERNAL_SERVER_ERROR, &error.to_string()));
    Schema::new(&config.actions).map_err(defect)
}
