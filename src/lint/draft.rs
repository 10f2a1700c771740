//! What a rule reports, before the runner adds the level.

use super::Rule;
use crate::finding::Edit;
use crate::finding::Finding;
use crate::finding::Fix;
use crate::finding::Label;
use crate::finding::Safety;
use crate::finding::Severity;
use crate::policy::PolicyDocument;
use crate::source::Span;

/// A finding without its level.
#[derive(Debug, Clone)]
#[must_use]
pub struct Draft {
    message: String,
    primary: Label,
    related: Vec<Label>,
    help: Option<String>,
    witness: Option<String>,
    policy: Option<String>,
    fix: Option<Fix>,
}

impl Draft {
    /// What is wrong, and where. The message is lower case, without a full stop, with the user's text in backticks.
    pub fn new(span: Span, message: impl Into<String>) -> Self {
        let primary = Label::new(span, "");
        Self { message: message.into(), primary, related: Vec::new(), help: None, witness: None, policy: None, fix: None }
    }

    /// Words at the primary place.
    pub fn label(mut self, text: impl Into<String>) -> Self {
        self.primary.text = text.into();
        self
    }

    /// Another place that matters.
    pub fn related(mut self, span: Span, text: impl Into<String>) -> Self {
        self.related.push(Label::new(span, text));
        self
    }

    /// What to do next, in the imperative.
    pub fn help(mut self, text: impl Into<String>) -> Self {
        self.help = Some(text.into());
        self
    }

    /// The policy it is about.
    pub fn policy(mut self, id: impl Into<String>) -> Self {
        self.policy = Some(id.into());
        self
    }

    /// The policy of a document, also of one that is no policy yet.
    pub fn about(mut self, document: &PolicyDocument) -> Self {
        self.policy = document.id().map(|(id, _)| id.to_owned());
        self
    }

    /// A request that proves it, which has been run through `decide`.
    pub fn witness(mut self, request: impl Into<String>) -> Self {
        self.witness = Some(request.into());
        self
    }

    /// A repair.
    pub fn fix(mut self, title: impl Into<String>, safety: Safety, edits: Vec<Edit>) -> Self {
        self.fix = Some(Fix { title: title.into(), safety, edits });
        self
    }

    pub(super) fn into_finding(self, rule: &'static Rule, severity: Severity, level_reason: &str) -> Finding {
        Finding {
            rule: rule.name,
            severity,
            level_reason: level_reason.to_owned(),
            blocking: rule.blocking,
            message: self.message,
            primary: self.primary,
            related: self.related,
            help: self.help,
            witness: self.witness,
            policy: self.policy,
            fix: self.fix,
        }
    }
}

/// Where a rule puts what it found.
#[derive(Debug, Default)]
pub struct Sink {
    drafts: Vec<Draft>,
}

impl Sink {
    /// Reports a finding.
    pub fn report(&mut self, draft: Draft) {
        self.drafts.push(draft);
    }

    pub(super) fn into_drafts(self) -> Vec<Draft> {
        self.drafts
    }
}
