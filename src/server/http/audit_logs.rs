//! `GET /api/audit-logs`: the trail of the served snapshot, newest first.

use axum::Extension;
use axum::extract::State;
use axum::http::HeaderMap;
use axum::http::Method;
use axum::http::StatusCode;
use axum::http::Uri;
use axum::response::Response;

use super::App;
use super::around::Served;
use super::around::nothing_served;
use super::neosc::annals;
use super::neosc::reader;
use super::path;
use super::problem::Form;
use super::problem::json;
use crate::server::AuditEntry;
use crate::server::annals::EntryFilter;
use crate::server::auth::Caller;

/// How many entries are sent when the request does not say.
const DEFAULT_LIMIT: usize = 500;

/// The most entries that are sent at once.
const MAX_LIMIT: usize = 10_000;

/// The audit log. Only who sees everybody sees the entries of others.
pub async fn audit_logs(
    State(state): App,
    Extension(Served(snapshot)): Extension<Served>,
    method: Method,
    uri: Uri,
    headers: HeaderMap,
) -> Response {
    if method != Method::GET {
        return Form::Detail.wrong_method("GET");
    }
    let caller = match reader(&state, &headers) {
        Ok(caller) => caller,
        Err(refusal) => return *refusal,
    };
    let filter = match filter(uri.query().unwrap_or(""), &caller) {
        Ok(filter) => filter,
        Err(message) => return Form::Detail.problem(StatusCode::UNPROCESSABLE_ENTITY, &message),
    };
    let Some(snapshot) = snapshot else { return nothing_served(Form::Detail) };
    match annals(&snapshot).await {
        Ok(Ok(annals)) => json(StatusCode::OK, &annals.select(&filter)),
        Ok(Err(error)) => Form::Detail.problem(StatusCode::INTERNAL_SERVER_ERROR, &format!("the history cannot be read: {error}")),
        Err(refusal) => refusal,
    }
}

/// Reads the query. Parameters that are not known are ignored, as the documented framework does.
fn filter(query: &str, caller: &Caller) -> Result<EntryFilter, String> {
    let author = (!caller.role.sees_everybody()).then(|| caller.email.clone());
    let mut filter = EntryFilter { limit: DEFAULT_LIMIT, author, ..EntryFilter::default() };
    for pair in query.split('&') {
        let (key, value) = pair.split_once('=').unwrap_or((pair, ""));
        let value = path::of_query(value);
        match key {
            "limit" => {
                let limit = value.parse().ok().filter(|limit| (1..=MAX_LIMIT).contains(limit));
                filter.limit = limit.ok_or_else(|| format!("`limit` is a number from 1 to {MAX_LIMIT}"))?;
            }
            "before" => filter.before = Some(value),
            "policy" => filter.policy = Some(value),
            "action" => {
                let actions = AuditEntry::actions();
                // An empty answer would say that nothing of the kind ever happened.
                if !actions.contains(&value.as_str()) {
                    return Err(format!("`action` is one of `{}`", actions.join("`, `")));
                }
                filter.action = Some(value);
            }
            _ => {}
        }
    }
    Ok(filter)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::server::auth::Role;

    #[test]
    fn a_query_narrows_the_log_and_a_role_does_too() {
        let caller = |role| Caller { name: "A".to_owned(), email: "a@x".to_owned(), groups: Vec::new(), role };
        let all = filter("", &caller(Role::Admin)).expect("valid");
        assert_eq!(all, EntryFilter { limit: 500, ..EntryFilter::default() });
        let own = filter("limit=2&policy=pol%2Da+b&other=1", &caller(Role::Viewer)).expect("valid");
        let expected =
            EntryFilter { limit: 2, policy: Some("pol-a b".to_owned()), author: Some("a@x".to_owned()), ..EntryFilter::default() };
        assert_eq!(own, expected);
        for bad in ["limit=0", "limit=x", "limit=10001", "limit="] {
            assert_eq!(filter(bad, &caller(Role::Admin)), Err("`limit` is a number from 1 to 10000".to_owned()));
        }
        let toggles = filter("action=toggle_policy", &caller(Role::Admin)).expect("valid");
        assert_eq!(toggles.action.as_deref(), Some("toggle_policy"));
        let error = filter("action=toggle", &caller(Role::Admin)).expect_err("no such action");
        assert_eq!(error, "`action` is one of `create_policy`, `update_policy`, `delete_policy`, `toggle_policy`");
    }
}
