//! A request from flags: the AuthZEN request that they stand for.

use clap::Args;
use serde_json::Map;
use serde_json::Value;
use serde_json::json;

use super::Failure;
use crate::decision::read_json;

/// The parts of a request.
#[derive(Debug, Args)]
pub(super) struct RequestArgs {
    /// Who asks: `type:id`, or an e-mail address for a user
    #[arg(long, value_name = "SUBJECT")]
    pub subject: Option<String>,

    /// A group of the caller; may be repeated
    #[arg(long, value_name = "GROUP", requires = "subject")]
    group: Vec<String>,

    /// Properties of the caller, read by conditions as `{me.x}`
    #[arg(long, value_name = "JSON", requires = "subject", value_parser = object)]
    me: Option<Map<String, Value>>,

    /// What is to be done
    #[arg(long, value_name = "ACTION", requires = "subject")]
    action: Option<String>,

    /// The service
    #[arg(long, value_name = "SERVICE", requires = "subject")]
    service: Option<String>,

    /// The source [default: private]
    #[arg(long, value_name = "SOURCE", requires = "subject")]
    source: Option<String>,

    /// The id of the document [default: *]
    #[arg(long, value_name = "ID", requires = "subject")]
    id: Option<String>,

    /// The attributes of the document
    #[arg(long, value_name = "JSON", requires = "subject", value_parser = object)]
    document: Option<Map<String, Value>>,

    /// Facts about the circumstances, read by conditions as `{context.x}`
    #[arg(long, value_name = "JSON", requires = "subject", value_parser = object)]
    context: Option<Map<String, Value>>,
}

/// A JSON object on the command line.
pub(super) fn object(text: &str) -> Result<Map<String, Value>, String> {
    match read_json(text.as_bytes()) {
        Ok(Value::Object(object)) => Ok(object),
        Ok(_) => Err("write a JSON object, such as `{\"category\": \"Examples\"}`".to_owned()),
        Err(error) => Err(format!("this is not JSON ({error}); write an object, such as `{{\"category\": \"Examples\"}}`")),
    }
}

impl RequestArgs {
    /// The request that the flags stand for; `None` when there are none.
    ///
    /// # Errors
    /// A part that every request has is missing.
    pub(super) fn request(self) -> Result<Option<Value>, Failure> {
        let Some(subject) = self.subject else { return Ok(None) };
        let (kind, id) = caller(&subject)?;
        let missing = |flag: &str| {
            Failure::new(format!("`--{flag}` is missing"))
                .help(format!("add `--{flag} …`; a request has a subject, an action and a service"))
        };
        let action = self.action.ok_or_else(|| missing("action"))?;
        let service = self.service.ok_or_else(|| missing("service"))?;
        let mut properties = self.me.unwrap_or_default();
        if !self.group.is_empty() {
            properties.insert("groups".to_owned(), self.group.into());
        }
        let mut context = self.context.unwrap_or_default();
        if let Some(source) = self.source {
            context.insert("source".to_owned(), source.into());
        }
        Ok(Some(json!({
            "subject": {"type": kind, "id": id, "properties": properties},
            "action": {"name": action},
            "resource": {"type": service, "id": self.id.unwrap_or_else(|| "*".to_owned()), "properties": self.document.unwrap_or_default()},
            "context": context,
        })))
    }
}

/// The type and the id of a caller.
///
/// # Errors
/// The text does not name one.
pub(super) fn caller(text: &str) -> Result<(&str, &str), Failure> {
    match text.split_once(':') {
        Some((kind, id)) if !kind.is_empty() && !id.is_empty() => Ok((kind, id)),
        None if text.contains('@') => Ok(("user", text)),
        _ => Err(Failure::new(format!("`{text}` does not say who asks"))
            .help("write `type:id`, such as `user:alice` or `service:backup`, or an e-mail address")),
    }
}

#[cfg(test)]
mod tests {
    use clap::FromArgMatches;

    use super::*;

    fn request(arguments: &[&str]) -> Result<Option<Value>, String> {
        let command = RequestArgs::augment_args(clap::Command::new("decide").no_binary_name(true));
        let matches = command.try_get_matches_from(arguments).map_err(|error| error.to_string())?;
        let arguments = RequestArgs::from_arg_matches(&matches).map_err(|error| error.to_string())?;
        arguments.request().map_err(|failure| failure.to_string())
    }

    #[test]
    fn flags_stand_for_a_request() {
        let flags = ["--subject", "a@x.org", "--group", "g", "--action", "read", "--service", "report", "--source", "public"];
        let flags: Vec<&str> = flags
            .into_iter()
            .chain(["--id", "r1", "--document", r#"{"x": 1}"#, "--context", r#"{"ip": "::1"}"#, "--me", r#"{"d": 2}"#])
            .collect();
        let expected = json!({"subject": {"type": "user", "id": "a@x.org", "properties": {"groups": ["g"], "d": 2}}, "action": {"name": "read"},
            "resource": {"type": "report", "id": "r1", "properties": {"x": 1}}, "context": {"ip": "::1", "source": "public"}});
        assert_eq!(request(&flags), Ok(Some(expected)));
        assert_eq!(request(&[]), Ok(None));
    }

    #[test]
    fn what_is_missing_or_wrong_is_named() {
        assert_eq!(request(&["--subject", "service:backup", "--action", "read"]), Err("`--service` is missing".to_owned()));
        assert_eq!(request(&["--subject", "alice", "--action", "read"]), Err("`alice` does not say who asks".to_owned()));
        let refused = request(&["--subject", "a@x.org", "--document", "[]"]).expect_err("no object");
        assert!(refused.contains("write a JSON object"), "{refused}");
        // Of an attribute that stood twice the last one counted.
        let refused = request(&["--subject", "a@x.org", "--document", r#"{"x": 1, "x": 2}"#]).expect_err("twice");
        assert!(refused.contains("`x` stands twice"), "{refused}");
        let refused = request(&["--action", "read"]).expect_err("no subject");
        assert!(refused.contains("--subject"), "{refused}");
    }
}
