//! `POST /api/policies?template=NAME`: a control that a template makes of the values in the body, with the comments of the template
//! in its file.

use jiff::Timestamp;
use serde_json::Value;

use super::invalid::Problem;
use super::invalid::with_help;
use crate::policy::Control;
use crate::policy::Policy;
use crate::report::audit::wire_time;
use crate::server::draft;
use crate::server::draft::Fields;
use crate::template;
use crate::template::TemplateError;

/// The control, and the text of its file.
///
/// # Errors
/// The template makes no control of this body; each thing that is wrong stands at its place.
pub fn control(name: &str, body: Fields) -> Result<(Control, String), Vec<Problem>> {
    let body = Value::Object(body);
    let made = template::control(name, &body).map_err(|error| problems(&error, name, &body))?;
    match made.policy {
        Policy::Control(control) => Ok(draft::dated(control, made.text, &wire_time(Timestamp::now()))),
        Policy::Access(_) => Err(vec![Problem::of_query("value_error", "template", "it makes no control".to_owned(), name)]),
    }
}

/// What is wrong, each at its place. A name that is none is a wrong value of the query and not a missing page, as where the documented
/// framework knows the values of a parameter.
fn problems(error: &TemplateError, name: &str, body: &Value) -> Vec<Problem> {
    let help = miette::Diagnostic::help(error).map(|help| help.to_string());
    let message = with_help(&error.to_string(), help.as_deref());
    let at = |kind: &'static str, place: &[&str]| {
        let input = place.iter().try_fold(body, |value, step| value.get(*step)).unwrap_or(&Value::Null);
        vec![Problem::new(kind, place, message.clone(), input)]
    };
    match error {
        TemplateError::UnknownTemplate { .. } => vec![Problem::of_query("literal_error", "template", message, name)],
        TemplateError::NotAControl { .. } => vec![Problem::of_query("value_error", "template", message, name)],
        TemplateError::Missing { missing, .. } => {
            let given = body.get("parameters").unwrap_or(&Value::Null);
            let problem = |parameter: &&'static template::Parameter| {
                let message = format!("add `{}` ({}), such as `{}`", parameter.name, parameter.description, parameter.example);
                Problem::new("missing", &["parameters", parameter.name], message, given)
            };
            missing.iter().map(problem).collect()
        }
        TemplateError::UnknownParameter { .. } => {
            let given = body.get("parameters").and_then(Value::as_object);
            let unknown = |key: &&String| template::template(name).is_ok_and(|template| template.parameter(key).is_err());
            at("extra_forbidden", &["parameters", given.and_then(|given| given.keys().find(unknown)).map_or("", String::as_str)])
        }
        TemplateError::Value { parameter, .. } => at("value_error", &["parameters", parameter]),
        TemplateError::Id { .. } => at("value_error", &["id"]),
        TemplateError::Body { field: Some(field), .. } => {
            let kind = match field.as_str() {
                "id" => "string_type",
                "parameters" => "dict_type",
                _ => "extra_forbidden",
            };
            at(kind, &[field])
        }
        TemplateError::Body { field: None, .. } => at("model_attributes_type", &[]),
        TemplateError::Unfit { .. } => at("value_error", &["parameters"]),
    }
}
