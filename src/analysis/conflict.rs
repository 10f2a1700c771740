//! Which denials meet which grants, without comparing every pair.
//!
//! Grants that stand to any denial in the same way are one [`Group`], and each group is listed in rows by service and member.
//! A denial reads the few rows that can concern it and is compared with one grant of each group, so the work grows with
//! what a law book says and not with the square of its size. Only what some denial names is entered: most members and
//! conditions of grants are named by none.

use std::collections::HashMap;
use std::hash::Hash;

use rayon::prelude::*;

use super::overlap::Relation;
use super::overlap::everyone;
use super::overlap::relation;
use crate::condition::Expr;
use crate::policy::Actions;
use crate::policy::Effect;
use crate::policy::Member;
use crate::policy::Selector;
use crate::policy::Statement;

/// How many grants a conflict names.
const NAMED: usize = 3;

/// A denial that meets grants in a way that its author may not have meant.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Conflict {
    /// The position of the denial.
    pub denial: usize,
    /// How many grants it covers.
    pub covered: usize,
    /// How many grants it overlaps in part.
    pub partial: usize,
    /// The first three of these grants by position, covered ones first.
    pub grants: Vec<(usize, Relation)>,
}

/// The conflicts of a law book, in the order of the denials. Exceptions to grants are none, nor are denials that controls lower to.
/// Of a grant or a denial with an `except` nothing is claimed.
pub fn conflicts(statements: &[Statement]) -> Vec<Conflict> {
    let index = Index::new(statements);
    let denials = statements.par_iter().enumerate().filter(|(_, statement)| is_plain_denial(statement));
    denials.filter_map(|(position, denial)| index.conflict(statements, position, denial)).collect()
}

fn is_plain_denial(statement: &Statement) -> bool {
    statement.effect == Effect::Deny && !statement.from_control && statement.except.is_empty()
}

/// Numbers for equal values.
struct Numbers<T>(HashMap<T, u32>);

impl<T: Eq + Hash> Numbers<T> {
    fn new() -> Self {
        Self(HashMap::new())
    }

    fn of(&mut self, value: T) -> u32 {
        let next = u32::try_from(self.0.len()).unwrap_or(u32::MAX);
        *self.0.entry(value).or_insert(next)
    }

    fn known(&self, value: &T) -> Option<u32> {
        self.0.get(value).copied()
    }
}

/// What a denial has to know about a grant's members.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
enum MembersKey {
    Everyone,
    /// Somebody; enough for a denial of everyone.
    Somebody,
    Exactly(u32),
}

/// What a denial has to know about a grant's condition.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
enum ConditionKey {
    Absent,
    /// Some condition; enough for a denial without one.
    Present,
    Exactly(u32),
}

/// What makes grants equal in the eyes of a denial.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
struct GroupKey {
    actions: u32,
    service: u32,
    source: u32,
    members: MembersKey,
    condition: ConditionKey,
}

/// Grants that any denial that reads the row stands to in the same way, by position.
type Group = Vec<usize>;

/// A list of groups: of one service or all, of one member or all.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
struct Row {
    service: Option<u32>,
    member: Option<u32>,
    condition: ConditionKey,
}

struct Index<'a> {
    actions: Numbers<&'a Actions>,
    names: Numbers<&'a Selector>,
    member: Numbers<&'a Member>,
    members: Numbers<&'a [Member]>,
    conditions: Numbers<&'a Expr>,
    by_key: HashMap<GroupKey, usize>,
    groups: Vec<Group>,
    rows: HashMap<Row, Vec<usize>>,
}

impl<'a> Index<'a> {
    fn new(statements: &'a [Statement]) -> Self {
        let mut index = Self {
            actions: Numbers::new(),
            names: Numbers::new(),
            member: Numbers::new(),
            members: Numbers::new(),
            conditions: Numbers::new(),
            by_key: HashMap::new(),
            groups: Vec::new(),
            rows: HashMap::new(),
        };
        for denial in statements.iter().filter(|statement| is_plain_denial(statement)) {
            for member in &denial.members {
                index.member.of(member);
            }
            if let Some(condition) = &denial.condition {
                index.conditions.of(condition.expr());
            }
        }
        // A grant for everyone meets every denial.
        index.member.of(&Member::Everyone);
        for (position, statement) in statements.iter().enumerate() {
            if statement.effect == Effect::Allow && statement.except.is_empty() {
                index.add(position, statement);
            }
        }
        index
    }

    fn add(&mut self, position: usize, grant: &'a Statement) {
        let conditions = match &grant.condition {
            None => vec![ConditionKey::Absent],
            Some(condition) => {
                let equal = self.conditions.known(&condition.expr()).map(ConditionKey::Exactly);
                [ConditionKey::Present].into_iter().chain(equal).collect()
            }
        };
        let everyone = everyone(&grant.members);
        let everyone_row = everyone.then_some(None);
        let named = grant.members.iter().filter_map(|member| self.member.known(&member)).map(Some);
        let rows: Vec<Option<u32>> = everyone_row.into_iter().chain(named).collect();
        let (actions, service, source) = (self.actions.of(&grant.actions), self.names.of(&grant.service), self.names.of(&grant.source));
        for condition in conditions {
            let key = |members| GroupKey { actions, service, source, members, condition };
            if everyone {
                self.list(key(MembersKey::Everyone), &rows, position);
                continue;
            }
            self.list(key(MembersKey::Somebody), &[None], position);
            if !rows.is_empty() {
                let exact = self.members.of(&grant.members);
                self.list(key(MembersKey::Exactly(exact)), &rows, position);
            }
        }
    }

    /// Adds a grant to its group; a new group is entered in the rows of its members.
    fn list(&mut self, key: GroupKey, members: &[Option<u32>], position: usize) {
        if let Some(group) = self.by_key.get(&key).and_then(|&group| self.groups.get_mut(group)) {
            group.push(position);
            return;
        }
        let group = self.groups.len();
        self.groups.push(vec![position]);
        self.by_key.insert(key, group);
        for &member in members {
            for service in [None, Some(key.service)] {
                self.rows.entry(Row { service, member, condition: key.condition }).or_default().push(group);
            }
        }
    }

    /// The groups that can have something in common with a denial, each once.
    fn groups(&self, denial: &Statement) -> Vec<usize> {
        let services = match &denial.service {
            Selector::Any => vec![None],
            named => [self.names.known(&&Selector::Any), self.names.known(&named)].into_iter().flatten().map(Some).collect(),
        };
        let members: Vec<Option<u32>> = if everyone(&denial.members) {
            vec![None]
        } else {
            let named = denial.members.iter().chain([&Member::Everyone]);
            named.filter_map(|member| self.member.known(&member)).map(Some).collect()
        };
        let conditions = match &denial.condition {
            None => vec![ConditionKey::Absent, ConditionKey::Present],
            Some(condition) => {
                let equal = self.conditions.known(&condition.expr()).map(ConditionKey::Exactly);
                [ConditionKey::Absent].into_iter().chain(equal).collect()
            }
        };
        let mut found = Vec::new();
        for &service in &services {
            for &member in &members {
                for &condition in &conditions {
                    found.extend(self.rows.get(&Row { service, member, condition }).into_iter().flatten().copied());
                }
            }
        }
        found.sort_unstable();
        found.dedup();
        found
    }

    fn conflict(&self, statements: &[Statement], position: usize, denial: &Statement) -> Option<Conflict> {
        let mut conflict = Conflict { denial: position, covered: 0, partial: 0, grants: Vec::new() };
        for group in self.groups(denial).into_iter().filter_map(|group| self.groups.get(group)) {
            let Some(grant) = group.first().and_then(|&first| statements.get(first)) else { continue };
            let found = match relation(grant, denial) {
                Some(Relation::Covers) => {
                    conflict.covered += group.len();
                    Relation::Covers
                }
                Some(Relation::Partial) => {
                    conflict.partial += group.len();
                    Relation::Partial
                }
                _ => continue,
            };
            conflict.grants.extend(group.iter().take(NAMED).map(|&grant| (grant, found)));
        }
        conflict.grants.sort_unstable_by_key(|&(grant, relation)| (relation != Relation::Covers, grant));
        conflict.grants.truncate(NAMED);
        (!conflict.grants.is_empty()).then_some(conflict)
    }
}

#[cfg(test)]
mod tests {
    use proptest::collection::vec;
    use proptest::prelude::*;
    use proptest::sample::select;
    use proptest::sample::subsequence;

    use super::*;
    use crate::analysis::overlap::tests::statement;

    /// The same by comparing every pair.
    fn pairwise(statements: &[Statement]) -> Vec<Conflict> {
        let compare = |(position, denial): (usize, &Statement)| {
            let grants = statements.iter().enumerate().filter(|(_, grant)| grant.effect == Effect::Allow);
            let mut found: Vec<(usize, Relation)> = grants
                .filter_map(|(at, grant)| relation(grant, denial).map(|relation| (at, relation)))
                .filter(|(_, relation)| matches!(relation, Relation::Covers | Relation::Partial))
                .collect();
            let count = |wanted| found.iter().filter(|(_, relation)| *relation == wanted).count();
            let (covered, partial) = (count(Relation::Covers), count(Relation::Partial));
            found.sort_by_key(|&(at, relation)| (relation != Relation::Covers, at));
            found.truncate(NAMED);
            (!found.is_empty()).then_some(Conflict { denial: position, covered, partial, grants: found })
        };
        statements.iter().enumerate().filter(|(_, statement)| statement.effect == Effect::Deny).filter_map(compare).collect()
    }

    fn statements() -> impl Strategy<Value = Vec<Statement>> {
        let names = |all: &'static [&'static str]| subsequence(all, 1..=all.len()).prop_map(|names| names.join(", "));
        let parts = (
            select(&[Effect::Allow, Effect::Allow, Effect::Deny][..]),
            names(&["read", "update", "run"]),
            select(&["a", "b", "*"][..]),
            select(&["private", "*"][..]),
            prop_oneof![names(&["g", "h", "i@x"]), Just("*".to_owned()), Just("*, g".to_owned())],
            select(&["", "", "", " except g"][..]),
            select(&["", "| x = 1", "| x = 2"][..]),
        );
        let one = parts.prop_map(|(effect, actions, service, source, members, except, condition)| {
            statement("P", effect, &format!("{actions} | {service} | {source} | {members}{except} {condition}"))
        });
        vec(one, 0..12)
    }

    proptest! {
        #[test]
        fn the_index_finds_what_comparing_every_pair_finds(statements in statements()) {
            prop_assert_eq!(conflicts(&statements), pairwise(&statements));
        }
    }

    #[test]
    fn an_emergency_denial_covers_every_grant() {
        let mut statements: Vec<Statement> =
            (0..5).map(|at| statement("G", Effect::Allow, &format!("read | s{at} | private | g{at} | x = {at}"))).collect();
        statements.push(statement("D", Effect::Deny, "create, read, update, delete, run | * | * | *"));
        let grants = (0..3).map(|at| (at, Relation::Covers)).collect();
        assert_eq!(conflicts(&statements), [Conflict { denial: 5, covered: 5, partial: 0, grants }]);
    }

    #[test]
    fn denials_of_controls_are_no_conflict() {
        let mut denial = statement("D", Effect::Deny, "* | * | * | *");
        denial.from_control = true;
        assert_eq!(conflicts(&[statement("G", Effect::Allow, "read | a | b | g"), denial]), []);
    }
}
