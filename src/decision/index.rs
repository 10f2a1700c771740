//! A law book prepared for answering: the statements that can apply are found by service and member, not by a scan.
//!
//! A row holds the statements of one (service, member) pair, in the order of the law book. A request touches one row per
//! identity of the caller and per service (its own and `*`), so the work depends on how much is said about the
//! caller, not on the size of the law book.

use std::cell::LazyCell;
use std::collections::HashMap;
use std::sync::Arc;

use super::Decision;
use super::Request;
use super::Subject;
use super::condition_holds;
use super::decision;
use super::matches;
use super::over_images;
use crate::policy::Member;
use crate::policy::Name;
use crate::policy::PolicySet;
use crate::policy::Selector;
use crate::policy::Statement;

/// Rows of one service, by member.
#[derive(Debug, Default)]
struct Rows {
    everyone: Vec<u32>,
    emails: HashMap<Name, Vec<u32>>,
    groups: HashMap<Name, Vec<u32>>,
    typed: HashMap<Name, HashMap<Name, Vec<u32>>>,
}

impl Rows {
    fn row(&mut self, member: &Member) -> &mut Vec<u32> {
        match member {
            Member::Everyone => &mut self.everyone,
            Member::Email(address) => self.emails.entry(address.clone()).or_default(),
            Member::Group(id) => self.groups.entry(id.clone()).or_default(),
            Member::Typed { kind, id } => self.typed.entry(kind.clone()).or_default().entry(id.clone()).or_default(),
        }
    }

    /// Adds the positions of all statements that name the caller.
    fn collect(&self, subject: &Subject, found: &mut Vec<u32>) {
        found.extend(&self.everyone);
        if subject.kind == "user" {
            found.extend(self.emails.get(subject.id.as_str()).into_iter().flatten());
        }
        found.extend(self.typed.get(subject.kind.as_str()).and_then(|ids| ids.get(subject.id.as_str())).into_iter().flatten());
        if !self.groups.is_empty() {
            found.extend(subject.groups.iter().filter_map(|group| self.groups.get(group.as_str())).flatten());
        }
    }
}

/// A law book prepared for answering. Its decisions equal those of [`decide`](super::decide).
#[derive(Debug)]
pub struct Index {
    set: Arc<PolicySet>,
    any_service: Rows,
    by_service: HashMap<Name, Rows>,
}

impl Index {
    /// Prepares a law book.
    pub fn new(set: Arc<PolicySet>) -> Self {
        let mut any_service = Rows::default();
        let mut by_service: HashMap<Name, Rows> = HashMap::new();
        for (position, statement) in (0..).zip(set.statements()) {
            let rows = match &statement.service {
                Selector::Any => &mut any_service,
                Selector::Named(name) => by_service.entry(name.clone()).or_default(),
            };
            for member in &statement.members {
                rows.row(member).push(position);
            }
        }
        Self { set, any_service, by_service }
    }

    /// The law book.
    pub fn set(&self) -> &Arc<PolicySet> {
        &self.set
    }

    /// Decides a request.
    pub fn decide(&self, request: &Request) -> Decision {
        over_images(request, |request| decision(&self.applying(request)))
    }

    /// The statements that apply, in the order of the law book.
    fn applying(&self, request: &Request) -> Vec<&Statement> {
        let mut found = Vec::new();
        self.any_service.collect(&request.subject, &mut found);
        if let Some(rows) = self.by_service.get(request.service.as_str()) {
            rows.collect(&request.subject, &mut found);
        }
        found.sort_unstable();
        found.dedup();
        let statements = found.into_iter().filter_map(|position| self.set.statement(position as usize));
        let identities = LazyCell::new(|| identities(&request.subject));
        statements
            .filter(|statement| {
                statement.actions.contains(&request.action.name)
                    && statement.source.matches(&request.source)
                    && (statement.except.is_empty() || !is_excepted(statement, &request.subject, &identities))
                    && condition_holds(statement, request)
            })
            .collect()
    }
}

/// Every member that matches a caller.
fn identities(subject: &Subject) -> Vec<Member> {
    let id = || Name::from(subject.id.as_str());
    let address = (subject.kind == "user").then(|| Member::Email(id()));
    let typed = Member::Typed { kind: subject.kind.as_str().into(), id: id() };
    let groups = subject.groups.iter().map(|group| Member::Group(group.as_str().into()));
    [Member::Everyone, typed].into_iter().chain(address).chain(groups).collect()
}

/// Whether an exception of a statement matches the caller. Of the exceptions and the identities it walks through the fewer.
fn is_excepted(statement: &Statement, subject: &Subject, identities: &[Member]) -> bool {
    // INVARIANT: the exceptions of a statement are sorted, so that a search may halve.
    if statement.except.len() <= identities.len() {
        statement.except.iter().any(|member| matches(member, subject))
    } else {
        identities.iter().any(|member| statement.except.binary_search(member).is_ok())
    }
}
