//! The facts that a condition reads, from flags or from a request. Who asks may be left open, unlike in a request.

use std::path::PathBuf;

use clap::Args;
use serde_json::Map;
use serde_json::Value;

use super::Console;
use super::Failure;
use super::decide::read;
use super::request::caller;
use super::request::object;
use crate::decision::Request;
use crate::policy::caller_id;

/// What conditions read, part by part.
#[derive(Debug, Args)]
pub(super) struct Circumstances {
    /// The attributes of the document
    #[arg(long, value_name = "JSON", value_parser = object)]
    document: Option<Map<String, Value>>,

    /// The id of the document, read as `_id`
    #[arg(long, value_name = "ID")]
    id: Option<String>,

    /// Who asks, read as `{me}`: `type:id`, or an e-mail address for a user
    #[arg(long, value_name = "SUBJECT")]
    subject: Option<String>,

    /// A group of the caller, read as `{me.groups}`; may be repeated
    #[arg(long, value_name = "GROUP")]
    group: Vec<String>,

    /// Properties of the caller, read as `{me.x}`
    #[arg(long, value_name = "JSON", value_parser = object)]
    me: Option<Map<String, Value>>,

    /// Properties of the action, read as `{action.x}`
    #[arg(long, value_name = "JSON", value_parser = object)]
    action: Option<Map<String, Value>>,

    /// Facts about the circumstances, read as `{context.x}`
    #[arg(long, value_name = "JSON", value_parser = object)]
    context: Option<Map<String, Value>>,

    /// A file with an AuthZEN evaluation request instead of these flags; `-` is standard input
    #[arg(long, value_name = "FILE", conflicts_with_all = ["document", "id", "subject", "group", "me", "action", "context"])]
    request: Option<PathBuf>,
}

impl Circumstances {
    /// The request, as far as conditions read it.
    ///
    /// # Errors
    /// A part is not what it should be.
    pub(super) fn request(self, console: &mut Console) -> miette::Result<Request> {
        if let Some(path) = &self.request {
            let request = Request::from_authzen(&read(Some(path))?).map_err(|error| {
                Failure::new(format!("this is no request: {}", error.message)).help("`lawbook schema request` describes a request")
            })?;
            if request.after().is_some() {
                console.remark("the document after the update is left out; give it as `--document` to try it");
            }
            return Ok(request);
        }
        let mut request = Request::default();
        if let Some(subject) = &self.subject {
            let (kind, id) = caller(subject)?;
            (request.subject.kind, request.subject.id) = (kind.to_owned(), caller_id(id));
        }
        request.subject.properties = self.me.unwrap_or_default();
        if !self.group.is_empty() {
            request.subject.properties.insert("groups".to_owned(), self.group.into());
        }
        request.document = self.document.unwrap_or_default();
        if let Some(id) = self.id {
            request.document.insert("_id".to_owned(), id.into());
        }
        request.action.properties = self.action.unwrap_or_default();
        request.context = self.context.unwrap_or_default();
        Ok(request)
    }
}
