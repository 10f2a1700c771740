//! One law book as the questions see it: its statements, and which of them a question about some callers can touch.

use std::collections::BTreeSet;

use serde_json::Value as Json;

use super::index::Index;
use super::prepared::Caller;
use super::prepared::Identity;
use super::prepared::Prepared;
use crate::decision::Decision;
use crate::decision::Request;
use crate::decision::decide;
use crate::decision::matches;
use crate::policy::Effect;
use crate::policy::Member;
use crate::policy::Statement;

/// A caller with as little as possible, for some statements to be able to apply.
#[derive(Debug, Clone)]
pub struct Case {
    /// The caller.
    pub caller: Caller,
    /// The members that the caller was made of, one for each of the statements, and those of callers to whom the same statements apply.
    pub members: Vec<Vec<Member>>,
    /// The positions of the denials that may apply too.
    pub denials: Vec<u32>,
    /// The positions of the grants that may apply too.
    pub grants: Vec<u32>,
}

/// The statements of one law book.
#[derive(Debug, Clone)]
pub struct Side {
    /// The statements, in the order of the law book.
    pub statements: Vec<Prepared>,
    index: Index,
}

/// More combinations of members than this are not looked at.
const COMBINATIONS: usize = 4096;
/// So many different callers are compared with each new one.
const COMPARED: usize = 64;

impl Side {
    /// Makes a law book ready for looking up.
    pub fn new(statements: Vec<Prepared>) -> Self {
        let index = Index::new(&statements);
        Self { statements, index }
    }

    /// The statement at a position.
    pub fn get(&self, position: u32) -> Option<&Prepared> {
        self.statements.get(position as usize)
    }

    /// The statements at some positions.
    pub fn at<'a>(&'a self, positions: &'a [u32]) -> impl Iterator<Item = &'a Prepared> {
        positions.iter().filter_map(|&position| self.get(position))
    }

    /// The callers to look at for statements that are all to apply: every request that some caller can make, one of these can make
    /// too, and no statement that must not apply does so for it alone. `None` if they are too many.
    ///
    /// Members occur monotonically, so a caller with one member of each statement is enough (`design/analysis.md`). Groups and
    /// callers that an exception names are left open, and so is the type of the caller, because being of a type that nothing names
    /// avoids every statement for named callers.
    pub fn cases(&self, roots: &[&Prepared]) -> Option<Vec<Case>> {
        self.cases_beside(&[self], roots).map(|cases| cases.into_iter().map(|(case, _)| case).collect())
    }

    /// Like [`cases`](Self::cases), with what other law books say of the same callers: one case of each, in their order.
    pub fn cases_beside(&self, sides: &[&Self], roots: &[&Prepared]) -> Option<Vec<(Case, Vec<Case>)>> {
        let mut cases: Vec<(Case, Vec<Case>)> = Vec::new();
        for members in combinations(roots)? {
            let Some((named, identity, caller)) = surroundings(sides, roots, &members) else { continue };
            let around: Vec<Case> = sides
                .iter()
                .map(|side| {
                    let list = |effect| side.candidates(effect, &named, roots).into_iter().collect();
                    let (denials, grants) = (list(Effect::Deny), list(Effect::Allow));
                    Case { caller: caller.clone(), members: vec![members.iter().map(|&member| member.clone()).collect()], denials, grants }
                })
                .collect();
            // Callers to whom the same statements apply are one, unless something reads who they are.
            let reads = identity == Identity::Any;
            let same = |(_, known): &(Case, Vec<Case>)| {
                !reads && known.iter().zip(&around).all(|(known, new)| known.denials == new.denials && known.grants == new.grants)
            };
            match cases.iter().take(COMPARED).position(same).and_then(|at| cases.get_mut(at)) {
                Some((first, _)) => first.members.push(members.iter().map(|&member| member.clone()).collect()),
                None => cases.extend(around.first().cloned().map(|first| (first, around))),
            }
        }
        // What few statements stand in the way of comes first.
        cases.sort_by_key(|(_, around)| around.iter().map(|case| case.denials.len()).sum::<usize>());
        Some(cases)
    }

    /// The statements with an effect that may apply together with `roots` to callers with some of these members.
    fn candidates(&self, effect: Effect, named: &BTreeSet<Member>, roots: &[&Prepared]) -> BTreeSet<u32> {
        let mut found = BTreeSet::new();
        for member in named {
            self.index.collect(&self.statements, effect, member, roots, &mut found);
        }
        found
    }

    /// The decision on a request, by [`decide`].
    pub fn decide(&self, request: &Request) -> Decision {
        let concerned = |prepared: &&Prepared| {
            let statement = &prepared.statement;
            statement.service.matches(&request.service)
                && statement.actions.contains(&request.action.name)
                && statement.members.iter().any(|member| matches(member, &request.subject))
        };
        let statements: Vec<Statement> = self.statements.iter().filter(concerned).map(|prepared| prepared.statement.clone()).collect();
        decide(&statements, request)
    }
}

/// Reads a request that the analysis has made.
pub fn read(request: &Json) -> Option<Request> {
    Request::from_authzen(request).ok()
}

/// One member of each statement, in every way that matters; `None` if these are too many.
fn combinations<'a>(roots: &[&'a Prepared]) -> Option<Vec<Vec<&'a Member>>> {
    let everyone = &Member::Everyone;
    let members = |root: &&'a Prepared| -> Vec<&'a Member> {
        let members = &root.statement.members;
        // Whoever has another member too is denied no less.
        if members.contains(everyone) { members.iter().filter(|member| *member == everyone).collect() } else { members.iter().collect() }
    };
    let lists: Vec<Vec<&Member>> = roots.iter().map(members).collect();
    let mut combinations: Vec<Vec<&Member>> = vec![Vec::new()];
    for list in &lists {
        let mut longer = Vec::new();
        for combination in &combinations {
            // A member that is there already is enough.
            let shared: Vec<&&Member> = list.iter().filter(|member| combination.contains(*member)).collect();
            let added = if shared.is_empty() { list.iter().collect() } else { shared };
            for member in added {
                if longer.len() >= COMBINATIONS {
                    return None;
                }
                longer.push(combination.iter().copied().chain([*member]).collect());
            }
        }
        combinations = longer;
    }
    Some(combinations)
}

/// Everyone that the statements in reach name for such a caller, whether who the caller is matters, and the caller; `None` if
/// nobody can have all the members.
fn surroundings(sides: &[&Side], roots: &[&Prepared], members: &[&Member]) -> Option<(BTreeSet<Member>, Identity, Caller)> {
    let mut named: BTreeSet<Member> = members.iter().map(|&member| member.clone()).chain([Member::Everyone]).collect();
    named.extend(roots.iter().flat_map(|root| root.statement.except.iter().cloned()));
    let mut reads_me = roots.iter().any(|root| root.reads_me);
    loop {
        let before = named.len();
        let mut exceptions = Vec::new();
        for side in sides {
            for effect in [Effect::Deny, Effect::Allow] {
                for position in side.candidates(effect, &named, roots) {
                    let Some(prepared) = side.get(position) else { continue };
                    reads_me |= prepared.reads_me;
                    exceptions.extend(prepared.statement.except.iter().cloned());
                }
            }
        }
        named.extend(exceptions);
        if named.len() == before {
            break;
        }
    }
    let identities = named.iter().any(|member| !members.contains(&member) && matches!(member, Member::Email(_) | Member::Typed { .. }));
    let identity = if reads_me || identities { Identity::Any } else { Identity::Nobody };
    let caller = Caller::with(members.iter().copied(), identity.clone())?;
    Some((named, identity, caller))
}
