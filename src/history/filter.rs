//! Which events of a trail are wanted.
//!
//! Whoever asks what somebody did must not miss anything. So a person is found by what a commit says and by what `.mailmap`
//! makes of it, as author, as co-author, and as somebody whose work a merge brought; and a policy is followed through every id
//! that it has had, which only the whole trail can tell.

use std::collections::BTreeSet;

use globset::GlobMatcher;
use jiff::Timestamp;

use super::Action;
use super::Event;
use super::People;
use super::Person;
use super::SignatureStatus;

/// Which events are wanted. What is absent or empty lets every event pass; of several values, any one is enough.
#[derive(Debug, Clone, Default)]
pub struct Filter {
    /// Committed at this time or later.
    pub since: Option<Timestamp>,
    /// Committed at this time or earlier.
    pub until: Option<Timestamp>,
    /// Of the policies that have these ids or had them, under whatever id.
    pub policies: Vec<String>,
    /// By somebody whose `name <e-mail>` holds one of these texts, ignoring case.
    pub authors: Vec<String>,
    /// Of these actions.
    pub actions: Vec<Action>,
    /// In commits whose signature has one of these.
    pub signatures: Vec<SignatureStatus>,
    /// In files that match one of these patterns, before the commit or after it.
    pub paths: Vec<GlobMatcher>,
}

impl Filter {
    /// Whether every event passes.
    pub fn is_empty(&self) -> bool {
        let Self { since, until, policies, authors, actions, signatures, paths } = self;
        since.is_none()
            && until.is_none()
            && policies.is_empty()
            && authors.is_empty()
            && actions.is_empty()
            && signatures.is_empty()
            && paths.is_empty()
    }

    /// Whether the filter lets an event pass; `followed` are the numbers of the events of the policies that are asked for, under other ids.
    pub(super) fn accepts(&self, event: &Event, people: &People, followed: &BTreeSet<u64>) -> bool {
        let at = event.landing.committed.at;
        self.since.is_none_or(|since| at >= since)
            && self.until.is_none_or(|until| at <= until)
            && (followed.contains(&event.seq) || any(&self.policies, |policy| is_of(event, policy)))
            && any(&self.actions, |action| event.action == *action)
            && any(&self.signatures, |status| event.landing.signature.status == *status)
            && any(&self.paths, |path| path.is_match(&*event.path) || event.from.as_deref().is_some_and(|from| path.is_match(from)))
            && any(&self.authors, |wanted| is_by(event, wanted, people))
    }
}

fn any<T>(wanted: &[T], is: impl Fn(&T) -> bool) -> bool {
    wanted.is_empty() || wanted.iter().any(is)
}

/// Whether an event is of the policy with this id, or of one that had it until then.
fn is_of(event: &Event, policy: &str) -> bool {
    event.policy.as_str() == policy || event.renamed.as_ref().is_some_and(|old| old.as_str() == policy)
}

fn is_by(event: &Event, wanted: &str, people: &People) -> bool {
    let wanted = wanted.to_lowercase();
    let holds = |person: &Person| person.to_string().to_lowercase().contains(&wanted);
    event.people().iter().any(|person| holds(person) || holds(&people.known(person)))
}
