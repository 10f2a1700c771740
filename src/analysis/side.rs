//! One law book as the questions see it: its statements, and which of them a question about some callers can touch.

use std::collections::BTreeMap;
use std::collections::HashMap;
use std::sync::Arc;

use serde_json::Value as Json;

use super::formula::Formula;
use super::index::Index;
use super::index::Look;
use super::people::ANYBODY;
use super::people::EVERYONE;
use super::people::MemberId;
use super::people::People;
use super::prepared::Caller;
use super::prepared::Identity;
use super::prepared::Prepared;
use super::values::ValueSet;
use super::vocabulary::AttributeId;
use super::world::World;
use crate::decision::Decision;
use crate::decision::Request;
use crate::decision::applies;
use crate::decision::decide;
use crate::policy::Effect;
use crate::policy::Member;

/// A caller with as little as possible, for some statements to be able to apply.
#[derive(Debug, Clone)]
pub struct Case {
    /// The caller.
    pub caller: Caller,
    /// The members that the caller was made of, one for each of the statements, and those of callers to whom the same statements apply.
    pub members: Vec<Vec<MemberId>>,
    /// The positions of the denials that may apply too, ascending.
    pub denials: Vec<u32>,
    /// The positions of the grants that may apply too, ascending; none where they were not asked for.
    pub grants: Vec<u32>,
}

/// The statements of one law book.
#[derive(Debug, Clone)]
pub struct Side {
    /// The statements, in the order of the law book.
    pub statements: Vec<Prepared>,
    /// Whom they name.
    pub people: Arc<People>,
    /// The callers there are, if that is known.
    pub world: Option<Arc<World>>,
    /// For every attribute that statements ask for values of, that it has one which none of them asks for.
    pub unasked: BTreeMap<AttributeId, Formula>,
    pub(super) index: Index,
}

/// More combinations of members than this are not looked at.
const COMBINATIONS: usize = 4096;

/// Both kinds of statements.
pub const BOTH: &[Effect] = &[Effect::Deny, Effect::Allow];

impl Side {
    /// Makes a law book ready for looking up.
    pub fn new(statements: Vec<Prepared>, people: Arc<People>) -> Self {
        let index = Index::new(&statements);
        let unasked = unasked(&statements);
        Self { statements, people, world: None, unasked, index }
    }

    /// The statement at a position.
    pub fn get(&self, position: u32) -> Option<&Prepared> {
        self.statements.get(position as usize)
    }

    /// The statements at some positions.
    pub fn at<'a>(&'a self, positions: &'a [u32]) -> impl Iterator<Item = &'a Prepared> + Clone {
        positions.iter().filter_map(|&position| self.get(position))
    }

    /// The callers to look at for statements that are all to apply: every request that some caller can make, one of these can make
    /// too, and no statement that must not apply does so for it alone. `None` if they are too many.
    ///
    /// Members occur monotonically, so a caller with one member of each statement is enough (`design/analysis.md`). Groups and
    /// callers that an exception names are left open, and so is the type of the caller, because being of a type that nothing names
    /// avoids every statement for named callers.
    pub fn cases(&self, roots: &[&Prepared]) -> Option<Vec<Case>> {
        only_first(cases(&[self], roots, BOTH)?)
    }

    /// Those of the same with the denials in reach where no two members had to be the same caller.
    pub(super) fn simple_cases_against(&self, roots: &[&Prepared]) -> Option<Vec<Case>> {
        let simple = |cases: Vec<Case>| cases.into_iter().filter(|case| case.caller.is_simple()).collect();
        if self.world.is_some() {
            return self.cases_against(roots).map(simple);
        }
        let among = |members: &[MemberId]| Caller::with(members, &self.people, Identity::Nobody).is_some_and(|caller| caller.is_simple());
        only_first(cases_among(&[self], roots, &[Effect::Deny], among)?).map(simple)
    }

    /// The same, with the denials in reach and no grants.
    pub fn cases_against(&self, roots: &[&Prepared]) -> Option<Vec<Case>> {
        only_first(cases(&[self], roots, &[Effect::Deny])?)
    }

    /// The statements with an effect that may apply together with `roots` to callers with some of these members.
    pub(super) fn candidates(&self, effect: Effect, named: &[MemberId], roots: &[&Prepared]) -> Vec<u32> {
        let mut found = Vec::new();
        let look = Look { effect, fitting: false };
        for &member in named {
            self.index.collect(&self.statements, look, member, roots, &mut found);
        }
        found.sort_unstable();
        found.dedup();
        found
    }

    /// The grants that may apply together with a statement, whoever they are for.
    pub(super) fn grants_beside(&self, root: &Prepared) -> Vec<u32> {
        self.candidates(Effect::Allow, &[ANYBODY], &[root])
    }

    /// The statements with an effect that may apply together with one to callers with some of these members, where all values fit that
    /// this one reads.
    pub(super) fn candidates_where_fitting(&self, effect: Effect, root: &Prepared, named: &[MemberId]) -> Vec<u32> {
        let mut found = Vec::new();
        let look = Look { effect, fitting: true };
        for &member in named {
            self.index.collect(&self.statements, look, member, &[root], &mut found);
        }
        found.sort_unstable();
        found.dedup();
        found
    }

    /// The positions of the statements that apply to a request, seen as one image of the document; ascending.
    pub(super) fn applying(&self, request: &Request) -> Vec<u32> {
        let is_so = |&at: &u32| self.get(at).is_some_and(|prepared| applies(&prepared.statement, request));
        self.naming(request).into_iter().filter(is_so).collect()
    }

    /// The positions of the statements that name the caller of a request and may be about it, ascending.
    fn naming(&self, request: &Request) -> Vec<u32> {
        let subject = &request.subject;
        let own: Member = if subject.kind == "user" && subject.id.contains('@') {
            Member::Email(subject.id.as_str().into())
        } else {
            Member::Typed { kind: subject.kind.as_str().into(), id: subject.id.as_str().into() }
        };
        let groups = subject.groups.iter().map(|group| Member::Group(group.as_str().into()));
        let named = groups.chain([own]).filter_map(|member| self.people.known(&member)).chain([EVERYONE]);
        let mut positions = Vec::new();
        let header = self.people.asked(request);
        named.for_each(|member| self.index.about(header, member, &mut positions));
        positions.sort_unstable();
        positions.dedup();
        positions
    }

    /// The decision on a request, by [`decide`] on the statements that name the caller.
    pub fn decide(&self, request: &Request) -> Decision {
        let positions = self.naming(request);
        decide(self.at(&positions).map(|prepared| &prepared.statement), request)
    }
}

/// For every attribute that statements ask for values of, that it has one which none of them asks for: a string longer than all of theirs.
fn unasked(statements: &[Prepared]) -> BTreeMap<AttributeId, Formula> {
    let mut longest: BTreeMap<AttributeId, usize> = BTreeMap::new();
    for (attribute, set) in statements.iter().flat_map(|prepared| prepared.said.asks().into_iter().chain(prepared.said.asks_fitting())) {
        let known = longest.entry(attribute).or_default();
        *known = set.texts.singles().flatten().fold(*known, |longest, text| longest.max(text.len()));
    }
    let longer = |length: usize| ValueSet::word(&"x".repeat(length + 1));
    longest.into_iter().map(|(attribute, length)| (attribute, Formula::values(attribute, longer(length)))).collect()
}

/// Reads a request that the analysis has made.
pub fn read(request: &Json) -> Option<Request> {
    Request::from_authzen(request).ok()
}

fn only_first(cases: Vec<Vec<Case>>) -> Option<Vec<Case>> {
    cases.into_iter().map(|around| around.into_iter().next()).collect()
}

/// The callers to look at (see [`Side::cases`]), each with what every one of some law books says of it: one case of each, in
/// their order. `None` if they are too many.
pub fn cases(sides: &[&Side], roots: &[&Prepared], effects: &[Effect]) -> Option<Vec<Vec<Case>>> {
    let people = &sides.first()?.people;
    if let Some(world) = sides.iter().rev().find_map(|side| side.world.as_ref()) {
        return Some(known_cases(world, sides, roots, effects));
    }
    let somebody = |members: &[MemberId]| Caller::with(members, people, Identity::Nobody).is_some();
    cases_among(sides, roots, effects, somebody)
}

/// The same where it is not known which callers there are, of those that count.
fn cases_among(sides: &[&Side], roots: &[&Prepared], effects: &[Effect], counts: impl Fn(&[MemberId]) -> bool) -> Option<Vec<Vec<Case>>> {
    let people = &sides.first()?.people;
    let everyone: Vec<Reach> = sides.iter().map(|side| Reach::of(side, &[EVERYONE], roots, effects)).collect();
    let mut cases: Vec<Vec<Case>> = Vec::new();
    // Callers to whom the same statements apply are one, unless something reads who they are. An exception makes a statement
    // reach callers in different ways, so that being in reach does not say that it applies.
    let mut classes: HashMap<Vec<Reach>, usize> = HashMap::new();
    for members in combinations(roots)? {
        // Nobody is two people at once.
        if !counts(&members) {
            continue;
        }
        let own: Vec<Reach> = sides.iter().map(|side| Reach::of(side, &members, roots, effects)).collect();
        let reads = |prepared: &Prepared| prepared.said.reads_me;
        let spares = |prepared: &Prepared| !prepared.except.is_empty();
        let any = |test: fn(&Prepared) -> bool| {
            roots.iter().any(|root| test(root))
                || sides
                    .iter()
                    .zip(everyone.iter().zip(&own))
                    .any(|(side, (everyone, own))| everyone.any(side, test) || own.any(side, test))
        };
        let special = any(spares) || any(reads);
        if !special && let Some(known) = classes.get(&own).and_then(|&at| cases.get_mut(at)) {
            known.iter_mut().for_each(|case| case.members.push(members.clone()));
            continue;
        }
        let (identity, around) = if any(spares) {
            surroundings(sides, roots, &members, effects)
        } else {
            let around = everyone.iter().zip(&own).map(|(everyone, own)| everyone.join(own)).collect();
            (if any(reads) { Identity::Any } else { Identity::Nobody }, around)
        };
        let Some(caller) = Caller::with(&members, people, identity) else { continue };
        if !special {
            classes.insert(own, cases.len());
        }
        let case = |Reach { denials, grants }| Case { caller: caller.clone(), members: vec![members.clone()], denials, grants };
        cases.push(around.into_iter().map(case).collect());
    }
    // What few statements stand in the way of comes first.
    cases.sort_by_key(|around| around.iter().map(|case| case.denials.len()).sum::<usize>());
    Some(cases)
}

/// The callers that there are, as far as something tells them apart.
fn known_cases(world: &World, sides: &[&Side], roots: &[&Prepared], effects: &[Effect]) -> Vec<Vec<Case>> {
    let reads_me = |side: &Side, reach: &Reach| reach.any(side, |prepared| prepared.said.reads_me);
    let mut cases: Vec<Vec<Case>> = Vec::new();
    let mut classes: HashMap<(Vec<Reach>, Option<Formula>), usize> = HashMap::new();
    for (caller, members) in world.callers(roots) {
        let around: Vec<Reach> = sides.iter().map(|side| Reach::of(side, &caller.members, roots, effects)).collect();
        let reads = roots.iter().any(|root| root.said.reads_me) || sides.iter().zip(&around).any(|(side, reach)| reads_me(side, reach));
        let class = (around, caller.facts.clone());
        match classes.get(&class).and_then(|&at| cases.get_mut(at)) {
            Some(known) if !reads => known.iter_mut().for_each(|case| {
                if !case.members.contains(&members) {
                    case.members.push(members.clone());
                }
            }),
            _ => {
                classes.insert(class.clone(), cases.len());
                let case = |Reach { denials, grants }| Case { caller: caller.clone(), members: vec![members.clone()], denials, grants };
                cases.push(class.0.into_iter().map(case).collect());
            }
        }
    }
    cases
}

/// The statements of a law book that may apply to some callers, by position, ascending.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
struct Reach {
    denials: Vec<u32>,
    grants: Vec<u32>,
}

impl Reach {
    fn of(side: &Side, members: &[MemberId], roots: &[&Prepared], effects: &[Effect]) -> Self {
        let list = |effect| if effects.contains(&effect) { side.candidates(effect, members, roots) } else { Vec::new() };
        Self { denials: list(Effect::Deny), grants: list(Effect::Allow) }
    }

    fn join(&self, other: &Self) -> Self {
        let join = |one: &[u32], two: &[u32]| {
            let mut both = [one, two].concat();
            if !two.is_empty() {
                both.sort_unstable();
                both.dedup();
            }
            both
        };
        Self { denials: join(&self.denials, &other.denials), grants: join(&self.grants, &other.grants) }
    }

    fn any(&self, side: &Side, test: fn(&Prepared) -> bool) -> bool {
        side.at(&self.denials).chain(side.at(&self.grants)).any(test)
    }
}

/// The members of a statement to look at. Whoever has another one beside `*` is denied no less.
pub(super) fn members_that_matter(root: &Prepared) -> &[MemberId] {
    if root.members.first() == Some(&EVERYONE) { &[EVERYONE] } else { &root.members }
}

/// One member of each statement, in every way that matters, those who need fewer members first, because they stand for those who
/// need more; `None` if these are too many.
fn combinations(roots: &[&Prepared]) -> Option<Vec<Vec<MemberId>>> {
    let mut combinations: Vec<Vec<MemberId>> = vec![Vec::new()];
    for root in roots {
        let list = members_that_matter(root);
        let mut longer = Vec::new();
        for combination in &combinations {
            // A member that is there already is enough.
            let shared: Vec<MemberId> = list.iter().copied().filter(|member| combination.contains(member)).collect();
            for &member in if shared.is_empty() { list } else { &shared } {
                if roots.len() > 1 && longer.len() >= COMBINATIONS {
                    return None;
                }
                longer.push(combination.iter().copied().chain([member]).collect());
            }
        }
        combinations = longer;
    }
    let distinct = |members: &Vec<MemberId>| {
        members.iter().enumerate().filter(|(at, member)| !members.iter().take(*at).any(|known| known == *member)).count()
    };
    combinations.sort_by_key(distinct);
    Some(combinations)
}

/// Whether who the caller is matters where there are exceptions, and what is in reach of a caller who may be in any group, or be
/// anybody, that an exception in reach names.
fn surroundings(sides: &[&Side], roots: &[&Prepared], members: &[MemberId], effects: &[Effect]) -> (Identity, Vec<Reach>) {
    let mut named: Vec<MemberId> = members.iter().copied().chain([EVERYONE]).collect();
    named.extend(roots.iter().flat_map(|root| &root.except));
    loop {
        named.sort_unstable();
        named.dedup();
        let around: Vec<Reach> = sides.iter().map(|side| Reach::of(side, &named, roots, effects)).collect();
        let reached = sides.iter().zip(&around).flat_map(|(side, reach)| side.at(&reach.denials).chain(side.at(&reach.grants)));
        let exceptions: Vec<MemberId> =
            reached.flat_map(|prepared| prepared.except.iter().copied()).filter(|member| !named.contains(member)).collect();
        if exceptions.is_empty() {
            let is_person = |member: &MemberId| {
                let person = sides.first().and_then(|side| side.people.member(*member));
                !members.contains(member) && matches!(person, Some(Member::Email(_) | Member::Typed { .. }))
            };
            let reads = |(side, reach): (&&Side, &Reach)| reach.any(side, |prepared| prepared.said.reads_me);
            let matters =
                named.iter().any(is_person) || roots.iter().any(|root| root.said.reads_me) || sides.iter().zip(&around).any(reads);
            return (if matters { Identity::Any } else { Identity::Nobody }, around);
        }
        named.extend(exceptions);
    }
}
