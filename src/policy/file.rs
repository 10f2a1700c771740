//! One file of a law book: its documents, what they mean, and where everything stands.

use std::sync::Arc;

use serde_json::Value;

use super::Policy;
use super::value::Unreadable;
use super::value::reader;
use crate::condition;
use crate::condition::Spelling;
use crate::schema::Kind;
use crate::schema::Schema;
use crate::source::SourceId;
use crate::source::Span;
use crate::syntax;
use crate::syntax::Comment;
use crate::syntax::Node;
use crate::syntax::SyntaxError;

/// A condition in a document, as a place.
#[derive(Debug, Clone, Copy)]
pub struct ConditionAt<'a> {
    /// `condition` or `require`.
    pub field: &'static str,
    /// The scalar that holds it.
    pub node: &'a Node,
    /// Its text, decoded.
    pub text: &'a str,
}

/// One document of a file.
#[derive(Debug, Clone)]
pub struct PolicyDocument {
    /// The tree.
    pub node: Node,
    /// The policy, or why it is none.
    pub reading: Result<Arc<Policy>, Unreadable>,
}

impl PolicyDocument {
    /// The policy, if the document is one.
    pub fn policy(&self) -> Option<&Arc<Policy>> {
        self.reading.as_ref().ok()
    }

    /// The kind, as far as the id field tells, also of a document that is no policy.
    pub fn kind(&self) -> Option<Kind> {
        match (self.node.get("_id"), self.node.get("id")) {
            (Some(_), None) => Some(Kind::Access),
            (None, Some(_)) => Some(Kind::Control),
            _ => None,
        }
    }

    /// The id as text with its node, also of a document that is no policy.
    pub fn id(&self) -> Option<(&str, &Node)> {
        let node = self.node.get(self.kind()?.id_field())?;
        node.as_str().map(|text| (text, node))
    }

    /// The span of a field's value; of the document's first key when it has no such field.
    pub fn field_span(&self, field: &str) -> Span {
        let first = || self.node.entries().first().map_or(self.node.span, |entry| entry.key_span);
        self.node.get(field).map_or_else(first, |node| node.span)
    }

    /// The span that stands for the whole policy: its id, else its first key.
    pub fn head_span(&self) -> Span {
        self.id().map_or_else(|| self.field_span("_id"), |(_, node)| node.span)
    }

    /// The condition, or what a control requires.
    pub fn condition(&self) -> Option<ConditionAt<'_>> {
        let field = match self.kind()? {
            Kind::Access => "condition",
            Kind::Control => "require",
        };
        let node = self.node.get(field)?;
        node.as_str().map(|text| ConditionAt { field, node, text })
    }

    /// Spellings in the condition that are accepted and not canonical; none when it does not parse.
    pub fn spellings(&self) -> Vec<Spelling> {
        let text = self.condition().map(|condition| condition.text);
        text.and_then(|text| condition::parse(text).ok()).map_or_else(Vec::new, |parsed| parsed.spellings)
    }
}

/// One file.
#[derive(Debug, Clone)]
pub struct PolicyFile {
    /// The file.
    pub source: SourceId,
    /// Why it is not YAML; then its documents are not all there are.
    pub errors: Vec<SyntaxError>,
    /// Its comments, in order.
    pub comments: Vec<Comment>,
    /// Its documents, in order; empty ones are left out.
    pub documents: Vec<PolicyDocument>,
}

/// Reads the text of one file.
pub fn read_file(source: SourceId, text: &str, schema: &Schema) -> PolicyFile {
    let parsed = syntax::parse(source, text);
    let mut comments = Vec::new();
    let mut documents = Vec::new();
    for document in parsed.documents {
        comments.extend(document.comments);
        let Some(node) = document.root else { continue };
        let value: Value = node.to_json();
        documents.push(PolicyDocument { reading: reader(schema, &value).map(Arc::new), node });
    }
    PolicyFile { source, errors: parsed.errors, comments, documents }
}
