//! `GET /api/policy-templates`: the templates, with what each asks for and what it makes.
//!
//! They belong to the program and not to the law book, so they are the same whatever is served.

use std::sync::LazyLock;

use axum::extract::State;
use axum::http::HeaderMap;
use axum::http::Method;
use axum::http::StatusCode;
use axum::response::Response;
use serde::Serialize;
use serde_json::Value;

use super::App;
use super::neosc::reader;
use super::problem::Form;
use super::problem::json;
use crate::schema::Kind;
use crate::template::Parameter;
use crate::template::Presence;
use crate::template::TEMPLATES;
use crate::template::Template;

/// A template as it is sent.
#[derive(Debug, Serialize)]
struct TemplateEntry {
    name: &'static str,
    title: &'static str,
    description: &'static str,
    /// `access` or `control`; only a control can be posted to `/api/policies`.
    kind: &'static str,
    parameters: Vec<ParameterEntry>,
    /// What it makes, with defaults; `<name>` stands for what is required.
    policies: Vec<Value>,
}

#[derive(Debug, Serialize)]
struct ParameterEntry {
    name: &'static str,
    description: &'static str,
    #[serde(rename = "type")]
    kind: &'static str,
    list: bool,
    required: bool,
    default: Option<Value>,
    example: Option<Value>,
}

static ENTRIES: LazyLock<Vec<TemplateEntry>> = LazyLock::new(|| TEMPLATES.iter().map(TemplateEntry::from).collect());

/// The templates.
pub async fn templates(State(state): App, method: Method, headers: HeaderMap) -> Response {
    if method != Method::GET {
        return Form::Detail.wrong_method("GET");
    }
    match reader(&state, &headers) {
        Ok(_) => json(StatusCode::OK, &*ENTRIES),
        Err(refusal) => *refusal,
    }
}

impl From<&Template> for TemplateEntry {
    fn from(template: &Template) -> Self {
        Self {
            name: template.name,
            title: template.title,
            description: template.description,
            kind: match template.kind {
                Kind::Access => "access",
                Kind::Control => "control",
            },
            parameters: template.parameters.iter().map(ParameterEntry::from).collect(),
            policies: template.preview(),
        }
    }
}

impl From<&Parameter> for ParameterEntry {
    fn from(parameter: &Parameter) -> Self {
        Self {
            name: parameter.name,
            description: parameter.description,
            kind: parameter.kind.as_str(),
            list: parameter.kind.is_list(),
            required: parameter.presence == Presence::Required,
            default: parameter.default(),
            example: parameter.from_setting(parameter.example).ok(),
        }
    }
}
