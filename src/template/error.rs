//! Why a template makes no policy, in words for the command line and for the server alike.

use miette::Diagnostic;

use super::catalogue::Template;
use super::parameter::Parameter;
use crate::finding::nearest;

/// A template makes no policy of what it was given.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error, Diagnostic)]
pub enum TemplateError {
    /// There is no such template.
    #[error("there is no template `{name}`")]
    UnknownTemplate {
        /// What was asked for.
        name: String,
        /// What to do next.
        #[help]
        help: String,
    },
    /// The template has no such parameter.
    #[error("the template `{template}` has no parameter `{name}`")]
    UnknownParameter {
        /// The template.
        template: &'static str,
        /// What was given.
        name: String,
        /// What to do next.
        #[help]
        help: String,
    },
    /// Parameters that the template needs were not given.
    #[error("the template `{template}` needs {}", listed(missing))]
    Missing {
        /// The template.
        template: &'static str,
        /// The parameters, in the order of the template.
        missing: Vec<&'static Parameter>,
        /// What to do next.
        #[help]
        help: String,
    },
    /// A value does not fit its parameter.
    #[error("`{parameter}`: {message}")]
    Value {
        /// The parameter.
        parameter: String,
        /// What is wrong: lower case, no full stop.
        message: String,
        /// What to do next.
        #[help]
        help: String,
    },
    /// The id cannot be one.
    #[error("`{id}` cannot be an id")]
    Id {
        /// What was given.
        id: String,
        /// What to do next.
        #[help]
        help: String,
    },
    /// The template makes access policies, and a control is wanted.
    #[error("the template `{template}` makes an access policy, and this is the place of controls")]
    #[diagnostic(help("make the policy with `lawbook new --template {template}` in the repository, or post it to `/api/policy/v1`"))]
    NotAControl {
        /// The template.
        template: &'static str,
    },
    /// What is to be the parameters is something else.
    #[error("{message}")]
    Body {
        /// The field that is wrong; absent for the body as a whole.
        field: Option<String>,
        /// What is wrong: lower case, no full stop.
        message: String,
        /// What to do next.
        #[help]
        help: String,
    },
    /// Each value fits, and what comes of them does not.
    #[error("the template `{template}` cannot be filled in: {message}")]
    Unfit {
        /// The template.
        template: &'static str,
        /// What is wrong: lower case, no full stop.
        message: String,
        /// What to do next.
        #[help]
        help: String,
    },
}

impl TemplateError {
    /// No template of this name.
    pub(super) fn unknown_template<'a>(name: &str, known: impl Iterator<Item = &'a str> + Clone) -> Self {
        let help = match nearest(name, known.clone()) {
            Some(near) => format!("did you mean `{near}`?"),
            None => format!("use one of {}", known.map(|name| format!("`{name}`")).collect::<Vec<_>>().join(", ")),
        };
        Self::UnknownTemplate { name: shown(name), help }
    }

    /// No parameter of this name.
    pub(super) fn unknown_parameter(template: &Template, name: &str) -> Self {
        let known = || template.parameters.iter().map(|parameter| parameter.name);
        let help = match nearest(name, known()) {
            Some(near) => format!("did you mean `{near}`?"),
            None => format!("it has {}", known().map(|name| format!("`{name}`")).collect::<Vec<_>>().join(", ")),
        };
        Self::UnknownParameter { template: template.name, name: shown(name), help }
    }

    /// Parameters that are needed and not given.
    pub(super) fn missing(template: &Template, missing: Vec<&'static Parameter>) -> Self {
        let each =
            missing.iter().map(|parameter| format!("`{}` ({}), such as `{}`", parameter.name, parameter.description, parameter.example));
        let help = format!("add {}", each.collect::<Vec<_>>().join(", and "));
        Self::Missing { template: template.name, missing, help }
    }

    /// A value that does not fit.
    pub(super) fn value(parameter: &str, message: impl Into<String>, help: impl Into<String>) -> Self {
        Self::Value { parameter: parameter.to_owned(), message: message.into(), help: help.into() }
    }
}

/// The user's text as a message can carry it: on one line, and not too long.
pub(super) fn shown(text: &str) -> String {
    const LONGEST: usize = 60;
    let mut shown: String = text.chars().take(LONGEST).flat_map(printable).collect();
    if text.chars().nth(LONGEST).is_some() {
        shown.push('…');
    }
    shown
}

fn printable(char: char) -> Vec<char> {
    if super::parameter::is_hidden(char) { char.escape_default().collect() } else { vec![char] }
}

fn listed(missing: &[&Parameter]) -> String {
    let names: Vec<String> = missing.iter().map(|parameter| format!("`{}`", parameter.name)).collect();
    match names.split_last() {
        Some((last, [])) => last.clone(),
        Some((last, rest)) => format!("{} and {last}", rest.join(", ")),
        None => String::new(),
    }
}
