//! Policy templates: policies that many law books need, with places for what is different in each.
//!
//! [`instantiate`] makes policies of a template and the values of its parameters, for the command line and for the
//! server alike. Every value is checked first, for its own sake, and then takes its place in the text as a whole YAML value;
//! what comes of it is read as any policy is, so that nothing else can come of it (`fill` says how).

mod catalogue;
mod error;
mod fill;
mod parameter;

use serde_json::Map;
use serde_json::Value;

use crate::config::BUILT_IN_ACTIONS;
use crate::policy;
use crate::policy::Policy;
use crate::policy::PolicyId;
use crate::policy::Unreadable;
use crate::schema::Kind;
use crate::schema::Schema;
use fill::Arguments;
use parameter::Argument;

pub use catalogue::TEMPLATES;
pub use catalogue::Template;
pub use error::TemplateError;
pub use parameter::Parameter;
pub use parameter::ParameterKind;
pub use parameter::Presence;

/// What parts the policies of a template.
const BETWEEN: &str = "\n---\n";

/// A policy that was made of a template.
#[derive(Debug, Clone, PartialEq)]
pub struct NewPolicy {
    /// The id.
    pub id: PolicyId,
    /// The policy.
    pub policy: Policy,
    /// Its file: YAML in canonical format, with the comments of the template.
    pub text: String,
}

/// The template of this name.
///
/// # Errors
/// There is none.
pub fn template(name: &str) -> Result<&'static Template, TemplateError> {
    let names = TEMPLATES.iter().map(|template| template.name);
    TEMPLATES.iter().find(|template| template.name == name).ok_or_else(|| TemplateError::unknown_template(name, names))
}

/// Makes the policies of the template of this name: the first has the id, and the others ids that begin with it.
///
/// Parameters are JSON: a string, a list of strings, or a number of minutes. The id may be left out.
///
/// # Errors
/// What is wrong with the name, with the id or with the parameters.
pub fn instantiate(name: &str, id: Option<&str>, parameters: &Map<String, Value>) -> Result<Vec<NewPolicy>, TemplateError> {
    template(name)?.instantiate(id, parameters)
}

/// Makes the control of the template of this name. `body` is `{"id": …, "parameters": {…}}`, and both may be left out.
///
/// # Errors
/// The body has another shape, the template makes access policies, or [`instantiate`] refuses.
pub fn control(name: &str, body: &Value) -> Result<NewPolicy, TemplateError> {
    let template = template(name)?;
    if template.kind != Kind::Control {
        return Err(TemplateError::NotAControl { template: template.name });
    }
    let wrong = |field: Option<&str>, message: &str| TemplateError::Body {
        field: field.map(str::to_owned),
        message: message.to_owned(),
        help: "send an object such as `{\"id\": \"pol-a\", \"parameters\": {}}`".to_owned(),
    };
    let body = body.as_object().ok_or_else(|| wrong(None, "the body is not an object"))?;
    if let Some(other) = body.keys().find(|key| !["id", "parameters"].contains(&key.as_str())) {
        return Err(wrong(Some(other), &format!("the body has a field `{}`", error::shown(other))));
    }
    let id = match body.get("id") {
        None | Some(Value::Null) => None,
        Some(id) => Some(id.as_str().ok_or_else(|| wrong(Some("id"), "`id` is not a string"))?),
    };
    let none = Map::new();
    let parameters = match body.get("parameters") {
        None => &none,
        Some(parameters) => parameters.as_object().ok_or_else(|| wrong(Some("parameters"), "`parameters` is not an object"))?,
    };
    let mut policies = template.instantiate(id, parameters)?;
    policies.pop().ok_or_else(|| template.unfit("it makes no policy"))
}

impl Template {
    /// The parameter of this name.
    ///
    /// # Errors
    /// There is none.
    pub fn parameter(&self, name: &str) -> Result<&'static Parameter, TemplateError> {
        let parameters: &'static [Parameter] = self.parameters;
        parameters.iter().find(|parameter| parameter.name == name).ok_or_else(|| TemplateError::unknown_parameter(self, name))
    }

    /// What its policies say with the defaults filled in. What has none stands as `<name>`, and what may be left out is.
    pub fn preview(&self) -> Vec<Value> {
        let mut arguments = Arguments::new();
        for parameter in self.parameters {
            let default = parameter.default().and_then(|value| parameter.read(&value).ok());
            let required = (parameter.presence == Presence::Required).then_some(Argument::Open(parameter.name));
            if let Some(argument) = default.or(required) {
                arguments.insert(parameter.name, argument);
            }
        }
        let id = self.default_id(&arguments);
        arguments.insert("id", Argument::Text(id));
        self.texts(&arguments).filter_map(|text| fill::meant(text, &arguments)).collect()
    }

    fn instantiate(&self, id: Option<&str>, parameters: &Map<String, Value>) -> Result<Vec<NewPolicy>, TemplateError> {
        let mut arguments = self.arguments(parameters)?;
        let id = id.map_or_else(|| self.default_id(&arguments), str::to_owned);
        if PolicyId::new(&id).is_none() || id.trim() != id || id.chars().any(parameter::is_hidden) {
            let help = "use 1 to 128 characters without `/`, without spaces around them and without control characters";
            return Err(TemplateError::Id { id: error::shown(&id), help: help.to_owned() });
        }
        arguments.insert("id", Argument::Text(id));
        let schema = Schema::new(&BUILT_IN_ACTIONS.map(str::to_owned)).map_err(|error| self.unfit(&error.to_string()))?;
        self.texts(&arguments).map(|text| self.policy(text, &arguments, &schema)).collect()
    }

    fn policy(&self, text: &str, arguments: &Arguments, schema: &Schema) -> Result<NewPolicy, TemplateError> {
        let (text, value) = fill::fill(text, arguments).map_err(|error| self.unfit(&error))?;
        let policy = policy::reader(schema, &value).map_err(|unreadable| self.unfit(&first(unreadable)))?;
        let text = policy::format(&text).map_err(|error| self.unfit(&error.to_string()))?;
        Ok(NewPolicy { id: policy.id().clone(), policy, text })
    }

    /// The values of all parameters, those that were given and the defaults of the others.
    fn arguments(&self, parameters: &Map<String, Value>) -> Result<Arguments, TemplateError> {
        for name in parameters.keys() {
            self.parameter(name)?;
        }
        let own: &'static [Parameter] = self.parameters;
        let absent = |parameter: &&Parameter| parameter.presence == Presence::Required && !parameters.contains_key(parameter.name);
        let missing: Vec<&'static Parameter> = own.iter().filter(absent).collect();
        if !missing.is_empty() {
            return Err(TemplateError::missing(self, missing));
        }
        let given = |parameter: &Parameter| parameters.get(parameter.name).cloned().or_else(|| parameter.default());
        let read = own.iter().filter_map(|parameter| given(parameter).map(|value| Ok((parameter.name, parameter.read(&value)?))));
        read.collect()
    }

    /// The documents that are to be filled in.
    fn texts(&self, arguments: &Arguments) -> impl Iterator<Item = &'static str> {
        let text: &'static str = self.text;
        let all = self.others_need.is_none_or(|needed| arguments.contains_key(needed));
        text.split(BETWEEN).take(if all { usize::MAX } else { 1 })
    }

    /// An id that says what the policy is about.
    fn default_id(&self, arguments: &Arguments) -> String {
        let plain = |char: char| if char.is_alphanumeric() || "._-<>".contains(char) { char } else { '-' };
        let service = arguments.get("service").map(Argument::in_prose).filter(|service| service != "*");
        let service: Option<String> = service.map(|service| service.chars().take(PolicyId::MAX_CHARS / 2).map(plain).collect());
        service.map_or_else(|| self.id.to_owned(), |service| format!("{}-{service}", self.id))
    }

    fn unfit(&self, message: &str) -> TemplateError {
        let help = "give shorter or other values; if they are meant, write the policy by hand";
        TemplateError::Unfit { template: self.name, message: message.to_owned(), help: help.to_owned() }
    }
}

/// The first thing that keeps a value from being a policy.
fn first(unreadable: Unreadable) -> String {
    let violation = unreadable.violations.into_iter().map(|violation| violation.message).next();
    violation.or_else(|| unreadable.conditions.into_iter().map(|(_, error)| error.message).next()).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn parameters(value: Value) -> Map<String, Value> {
        value.as_object().cloned().expect("an object")
    }

    #[track_caller]
    fn refused(name: &str, id: Option<&str>, given: Value, expected: &str, help: &str) {
        let error = instantiate(name, id, &parameters(given)).expect_err("refused");
        let said = miette::Diagnostic::help(&error).map(|help| help.to_string()).unwrap_or_default();
        assert_eq!((error.to_string().as_str(), said.as_str()), (expected, help));
    }

    #[test]
    fn what_is_wrong_is_told_with_the_next_step() {
        refused("readonly-team", None, json!({}), "there is no template `readonly-team`", "did you mean `read-only-team`?");
        refused(
            "read-only-team",
            None,
            json!({"members": ["a"]}),
            "the template `read-only-team` has no parameter `members`",
            "it has `team`, `service`, `source`",
        );
        refused(
            "read-only-team",
            None,
            json!({"servce": "a"}),
            "the template `read-only-team` has no parameter `servce`",
            "did you mean `service`?",
        );
        refused(
            "read-only-team",
            None,
            json!({}),
            "the template `read-only-team` needs `team` and `service`",
            "add `team` (who reads), such as `analysts`, and `service` (the service that it is about), such as `report`",
        );
        refused(
            "read-only-team",
            None,
            json!({"team": ["a"], "service": 7}),
            "`service`: the value is not a string",
            "write a string, such as `report`",
        );
        let given = json!({"team": ["a"], "service": "r"});
        let help = "use 1 to 128 characters without `/`, without spaces around them and without control characters";
        refused("read-only-team", Some("a/b"), given.clone(), "`a/b` cannot be an id", help);
        refused("read-only-team", Some("a\nb"), given.clone(), "`a\\nb` cannot be an id", help);
        refused("read-only-team", Some(""), given, "`` cannot be an id", help);
        let longest = "a".repeat(PolicyId::MAX_CHARS);
        let error = instantiate("everyone-except", Some(&longest), &parameters(json!({"except": ["a"], "service": "r", "team": ["b"]})));
        assert!(matches!(error, Err(TemplateError::Unfit { .. })), "the id of the second policy is too long: {error:?}");
    }

    #[test]
    fn ids_are_made_of_the_service_unless_they_are_given() {
        let ids = |id: Option<&str>, service: &str| -> Vec<String> {
            let given = parameters(json!({"except": ["a"], "service": service, "team": ["b"]}));
            let made = instantiate("everyone-except", id, &given).expect("made");
            made.iter().map(|policy| policy.id.to_string()).collect()
        };
        assert_eq!(ids(None, "report"), ["EveryoneExcept-report", "EveryoneExcept-report-team"]);
        assert_eq!(ids(None, "*"), ["EveryoneExcept", "EveryoneExcept-team"]);
        assert_eq!(ids(None, "a/b: c"), ["EveryoneExcept-a-b--c", "EveryoneExcept-a-b--c-team"]);
        assert_eq!(ids(Some("Freeze"), "report"), ["Freeze", "Freeze-team"]);
    }

    #[test]
    fn every_template_is_whole() {
        for template in TEMPLATES {
            assert!(template.text.split(BETWEEN).all(|text| text.starts_with("# ")), "{}: a comment says what it does", template.name);
            for parameter in template.parameters {
                assert!(template.text.contains(&format!("<{}>", parameter.name)), "{}: `{}` has no place", template.name, parameter.name);
                let examples = [Some(parameter.example), if let Presence::Default(text) = parameter.presence { Some(text) } else { None }];
                for text in examples.into_iter().flatten() {
                    let read = parameter.from_setting(text).and_then(|value| parameter.read(&value));
                    assert!(read.is_ok(), "{}: {read:?}", template.name);
                }
            }
            let kinds: Vec<bool> = template.preview().iter().map(|value| value.get(template.kind.id_field()).is_some()).collect();
            assert_eq!(kinds, [true], "{}", template.name);
        }
    }

    #[test]
    fn a_preview_shows_defaults_and_names() {
        let shown = template("own-documents").expect("there is one").preview();
        let expected = json!([{"_id": "OwnDocuments-<service>", "_type": "Policy",
            "description": "Everybody works with their own documents in <service>, and only with those", "source": "private",
            "service": "<service>", "condition": "owner = {me}", "actions": ["read", "update"], "members": ["*"]}]);
        assert_eq!(Value::from(shown), expected);
    }

    #[track_caller]
    fn body(name: &str, body: Value, expected: Result<&str, &str>) {
        let made = control(name, &body);
        let made = made.as_ref().map(|policy| policy.id.as_str()).map_err(ToString::to_string);
        assert_eq!(made, expected.map_err(str::to_owned), "{body}");
    }

    #[test]
    fn a_control_is_made_of_a_body() {
        body("mfa-control", json!({}), Ok("pol-mfa"));
        body("mfa-control", json!({"id": "pol-a", "parameters": {"service": "payroll"}}), Ok("pol-a"));
        body("session-limits", json!({"id": null, "parameters": {"max-minutes": 60}}), Ok("pol-session-limits"));
        body("mfa-control", json!([]), Err("the body is not an object"));
        body("mfa-control", json!({"id": 1}), Err("`id` is not a string"));
        body("mfa-control", json!({"parameters": []}), Err("`parameters` is not an object"));
        body("mfa-control", json!({"paramters": {}}), Err("the body has a field `paramters`"));
        let message = "the template `break-glass` makes an access policy, and this is the place of controls";
        body("break-glass", json!({}), Err(message));
        body("mfa", json!({}), Err("there is no template `mfa`"));
    }
}
