//! Statements without which every request is decided as before.

use std::collections::BTreeSet;
use std::collections::HashMap;

use rayon::prelude::*;

use super::dead::minimal;
use super::formula::Formula;
use super::people::EVERYONE;
use super::plain::Plainly;
use super::prepared::Caller;
use super::prepared::Identity;
use super::prepared::Prepared;
use super::question::Analysis;
use super::question::Verdict;
use super::search::Goal;
use super::side::BOTH;
use super::side::Case;
use super::side::Side;
use crate::policy::Effect;

/// A statement that others make superfluous.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Redundant {
    /// The position of the statement.
    pub statement: usize,
    /// The positions of statements that decide whatever it matches in the same way, none of which can be left out: grants and
    /// denials for a grant, denials for a denial.
    pub by: Vec<usize>,
    /// Whether there is one of these, and it matches the very same requests.
    pub equal: bool,
}

/// A denial of what nothing grants, or of what others deny as far as anything grants it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Inert {
    /// The position of the denial.
    pub denial: usize,
    /// The positions of denials that deny as much of what is granted, none of which can be left out; none if nothing is granted.
    pub by: Vec<usize>,
}

/// Statements that change nothing.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Superfluous {
    /// Statements that others make superfluous. All of them can be removed together; none of them is named as what makes another so.
    pub redundant: Vec<Redundant>,
    /// Denials that change nothing because of what is granted, in order.
    pub inert: Vec<Inert>,
    /// Statements of which it is not known whether others make them superfluous.
    pub undecided: Vec<usize>,
    /// Denials of which it is not known whether anything grants what they deny.
    pub inert_undecided: Vec<usize>,
}

impl Analysis {
    /// The statements of the first law book that change no decision, beside statements that never apply. Those that are left aside,
    /// such as dead grants, are neither looked at, nor do they make others superfluous.
    pub fn superfluous(&self, aside: &BTreeSet<usize>) -> Superfluous {
        self.side(0).map(|side| self.superfluous_among(side, &self.plainly(side, &BTreeSet::new()), aside)).unwrap_or_default()
    }

    /// The same, with what is plain to see of the statements.
    pub(super) fn superfluous_among(&self, side: &Side, plainly: &Plainly, aside: &BTreeSet<usize>) -> Superfluous {
        let mut removed = Removed(vec![false; side.statements.len()]);
        aside.iter().for_each(|&position| removed.insert(position));
        let alone: Vec<(usize, Verdict<Option<Redundant>>)> = (0..side.statements.len())
            .into_par_iter()
            .filter(|position| !removed.has(*position) && !plainly.is_needed(*position))
            .map(|position| {
                let known = plainly.stays(position, |other| removed.has(other));
                let redundancy = self.redundancy(side, position, &removed, known);
                (position, redundancy.map(|around| self.by_what_around(side, position, around)))
            })
            .collect();
        let mut undecided = Vec::new();
        let mut candidates = Vec::new();
        for (position, verdict) in alone {
            match verdict {
                Verdict::Yes(why) => candidates.push((position, why)),
                Verdict::Undecided => undecided.push(position),
                Verdict::No => {}
            }
        }
        // Of statements that make each other superfluous the first one stays, so that all that are reported can go.
        let mut redundant = Vec::new();
        for (position, why) in candidates.into_iter().rev() {
            let verdict = match &why {
                // What makes it superfluous is still there.
                Some(why) if !gone(why, &removed) => Verdict::Yes(()),
                _ => self.is_redundant(side, position, &removed),
            };
            match verdict {
                Verdict::Yes(()) => {
                    removed.insert(position);
                    redundant.push((position, why));
                }
                Verdict::Undecided => undecided.push(position),
                Verdict::No => {}
            }
        }
        undecided.sort_unstable();
        redundant.reverse();
        let (mut inert, inert_undecided) = self.inert(side, &mut removed);
        let why: Vec<(usize, Option<Redundant>)> = redundant
            .into_par_iter()
            .map(|(position, why)| (position, why.filter(|why| !gone(why, &removed)).or_else(|| self.by_what(side, position, &removed))))
            .collect();
        // What only an inert denial covers denies nothing that anything grants either; a control may stay for what will be granted.
        let is_policy = |position: &usize| side.statements.get(*position).is_some_and(|denial| !denial.statement.from_control);
        inert.extend(why.iter().filter(|(_, why)| why.is_none()).map(|(position, _)| *position).filter(is_policy));
        inert.sort_unstable();
        let inert = inert.into_par_iter().map(|position| self.inert_by_what(side, position, &removed)).collect();
        Superfluous { redundant: why.into_iter().filter_map(|(_, why)| why).collect(), inert, undecided, inert_undecided }
    }

    /// Denials of what nothing grants, and those of which it is not known.
    fn inert(&self, side: &Side, removed: &mut Removed) -> (Vec<usize>, Vec<usize>) {
        let alone: Vec<(usize, Verdict<()>)> = side
            .statements
            .par_iter()
            .enumerate()
            .filter(|(position, prepared)| {
                let statement = &prepared.statement;
                let gone = removed.has(*position);
                statement.effect == Effect::Deny && !statement.from_control && !gone
            })
            .map(|(position, denial)| (position, self.is_inert(side, position, denial, removed)))
            .collect();
        let mut undecided = positions(&alone, &Verdict::Undecided);
        let mut inert = Vec::new();
        let candidates: Vec<(usize, bool)> = positions(&alone, &Verdict::Yes(()))
            .into_par_iter()
            .map(|position| {
                let denial = side.statements.get(position);
                (position, denial.is_some_and(|denial| self.takes_nothing(side, position, denial, |_| false) == Verdict::Yes(())))
            })
            .collect();
        for (position, by_itself) in candidates.into_iter().rev() {
            let Some(denial) = side.statements.get(position) else { continue };
            // What nothing grants stays so, whatever else is removed.
            let verdict = if by_itself { Verdict::Yes(()) } else { self.is_inert(side, position, denial, removed) };
            match verdict {
                Verdict::Yes(()) => {
                    removed.insert(position);
                    inert.push(position);
                }
                Verdict::Undecided => undecided.push(position),
                Verdict::No => {}
            }
        }
        inert.sort_unstable();
        undecided.sort_unstable();
        (inert, undecided)
    }

    /// Whether whatever a statement matches is decided in the same way by the others, without those that are removed.
    fn is_redundant(&self, side: &Side, position: usize, removed: &Removed) -> Verdict<()> {
        self.redundancy(side, position, removed, false).known()
    }

    /// The same with what was looked at for it, where it is known already whether anything is plainly left of it.
    fn redundancy(&self, side: &Side, position: usize, removed: &Removed, nothing_plain: bool) -> Verdict<Around> {
        let Some(prepared) = side.statements.get(position) else { return Verdict::No };
        let decides = |other: u32| other as usize != position && !removed.has(other as usize);
        // Only denials do what a denial does.
        let effects = if prepared.statement.effect == Effect::Deny { &[Effect::Deny] } else { BOTH };
        if !nothing_plain && self.is_plainly_left(side, prepared, effects, decides) {
            return Verdict::No;
        }
        if prepared.statement.effect == Effect::Deny && self.is_needed_where_fitting(side, position, prepared, removed) {
            return Verdict::No;
        }
        let Some(cases) = side.cases(&[prepared]) else { return Verdict::Undecided };
        let others: Vec<Vec<u32>> = cases.iter().map(|case| others(prepared, position, case, removed)).collect();
        // Denials alone make a grant dead, which is another finding.
        let granted =
            |by: &[u32]| prepared.statement.effect == Effect::Deny || side.at(by).any(|other| other.statement.effect == Effect::Allow);
        // Where nothing else decides, the statement is needed, unless it does not apply to that member after all.
        let alone = !prepared.may_spare_members() && others.iter().any(Vec::is_empty);
        if alone || !others.iter().any(|by| granted(by)) {
            return Verdict::No;
        }
        let headers = |by: &Vec<u32>| side.at(by).map(|other| other.header).collect::<Vec<_>>();
        if !prepared.may_spare_members() && others.iter().any(|by| prepared.header.is_left_by(headers(by).into_iter())) {
            return Verdict::No;
        }
        let mut undecided = false;
        for (at, (case, by)) in cases.iter().zip(&others).enumerate() {
            // What holds for the first caller may hold for everyone, and then no other needs a look.
            if at == 1 && !undecided && self.is_covered_by_everyones(side, prepared, &others) {
                break;
            }
            let applies = prepared.applies(&case.caller, &self.vocabulary);
            match self.can_beside(&case.caller, &[applies], side, by) {
                Verdict::Yes(_) => return Verdict::No,
                // Nothing else decides what cannot be told to apply at all.
                Verdict::Undecided if by.is_empty() => return Verdict::No,
                Verdict::Undecided => undecided = true,
                Verdict::No => {}
            }
        }
        // What never applies is no more superfluous than it is wrong.
        match undecided {
            true => Verdict::Undecided,
            false if !self.can_apply(prepared, &cases) => Verdict::No,
            false => Verdict::Yes(Around { cases, others }),
        }
    }

    /// Whether a denial is plain to see to be needed: for its first member and values that fit, which few others are about.
    fn is_needed_where_fitting(&self, side: &Side, position: usize, denial: &Prepared, removed: &Removed) -> bool {
        let Some(&member) = denial.members.first().filter(|_| side.world.is_none() && !denial.may_spare_members()) else { return false };
        let mut others = side.candidates_where_fitting(Effect::Deny, denial, &[EVERYONE, member]);
        others.retain(|other| *other as usize != position && !removed.has(*other as usize));
        let plain = |other: &Prepared| !other.may_spare_members();
        let Some(caller) = Caller::with(&[member], &side.people, Identity::Nobody) else { return false };
        side.at(&others).all(plain) && {
            let hold = [denial.applies(&caller, &self.vocabulary), denial.said.fits.clone()];
            matches!(self.can_beside(&caller, &hold, side, &others), Verdict::Yes(_))
        }
    }

    /// Whether statements for everyone are enough in every case, so that no caller needs a look of their own.
    fn is_covered_by_everyones(&self, side: &Side, prepared: &Prepared, others: &[Vec<u32>]) -> bool {
        let Some((first, rest)) = others.split_first().filter(|(_, rest)| !rest.is_empty()) else { return false };
        let everyones = first.iter().copied().filter(|other| rest.iter().all(|list| list.binary_search(other).is_ok()));
        let everyones: Vec<Formula> = everyones
            .filter_map(|other| side.get(other))
            .filter(|other| other.members.first() == Some(&EVERYONE) && other.except.is_empty())
            .map(|other| other.rest(&self.vocabulary).clone())
            .collect();
        let goals: Vec<Goal<'_>> =
            std::iter::once(Goal::yes(prepared.rest(&self.vocabulary))).chain(everyones.iter().map(Goal::no)).collect();
        self.meets(&goals) == Verdict::No
    }

    /// What makes a statement superfluous, once others are removed; `None` if nothing does.
    fn by_what(&self, side: &Side, position: usize, removed: &Removed) -> Option<Redundant> {
        let prepared = side.statements.get(position)?;
        let cases = side.cases(&[prepared])?;
        let others = cases.iter().map(|case| others(prepared, position, case, removed)).collect();
        self.by_what_around(side, position, Around { cases, others })
    }

    /// The same, for one that is superfluous because of what is around it.
    fn by_what_around(&self, side: &Side, position: usize, around: Around) -> Option<Redundant> {
        let by = self.cover(side, side.statements.get(position)?, &around.cases, &around.others)?;
        let equal = match by.as_slice() {
            [only] => self.applies_inside(side, *only, position),
            _ => false,
        };
        Some(Redundant { statement: position, by, equal })
    }

    /// Whether one statement applies wherever another of the same effect does.
    fn applies_inside(&self, side: &Side, inner: usize, outer: usize) -> bool {
        let (Some(inside), Ok(around)) = (side.statements.get(inner), u32::try_from(outer)) else { return false };
        let same = side.get(around).is_some_and(|outer| outer.statement.effect == inside.statement.effect);
        // A statement that is not for everyone does not apply to a caller whom nothing names.
        let is_for = |one: &Prepared| one.members.first() == Some(&EVERYONE);
        let is_wider = !inside.may_spare_members() && is_for(inside) && !side.get(around).is_some_and(is_for);
        same && !is_wider && side.cases(&[inside]).is_some_and(|cases| cases.iter().all(|case| self.covers(side, inside, case, &[around])))
    }

    /// What denies as much of what is granted as an inert denial does.
    fn inert_by_what(&self, side: &Side, position: usize, removed: &Removed) -> Inert {
        let enough = |kept: &BTreeSet<u32>| {
            let denial = side.statements.get(position);
            denial.is_some_and(|denial| self.takes_nothing(side, position, denial, |at| kept.contains(&at)) == Verdict::Yes(()))
        };
        if enough(&BTreeSet::new()) {
            return Inert { denial: position, by: Vec::new() };
        }
        let others = (0..).zip(&side.statements).filter(|(_, other)| other.statement.effect == Effect::Deny);
        let all = others.map(|(at, _)| at).filter(|at| *at as usize != position && !removed.has(*at as usize)).collect();
        Inert { denial: position, by: minimal(all, enough).into_iter().map(|at| at as usize).collect() }
    }

    /// Whether a denial can apply, and nothing grants what it denies and no other denial does.
    fn is_inert(&self, side: &Side, position: usize, denial: &Prepared, removed: &Removed) -> Verdict<()> {
        match self.takes_nothing(side, position, denial, |other| !removed.has(other as usize)) {
            // What can never apply is wrong in another way. Where that is not known, what is known stays.
            Verdict::Yes(()) if self.is_possible(side, denial, false) == Verdict::No => Verdict::No,
            other => other,
        }
    }

    /// Whether some other denials deny whatever is granted of what a denial denies.
    fn takes_nothing(&self, side: &Side, position: usize, denial: &Prepared, kept: impl Fn(u32) -> bool) -> Verdict<()> {
        if self.is_plainly_felt(side, denial, |other| other as usize != position && kept(other)) {
            return Verdict::No;
        }
        let beside = side.grants_beside(denial);
        if self.is_felt_beside(side, denial, &beside, |other| other as usize != position && kept(other)) {
            return Verdict::No;
        }
        // A grant for one of its members mostly shows that it takes something, and there are far fewer of these.
        match self.takes_nothing_from(side, position, denial, &side.grants_sharing(denial), &kept) {
            Verdict::No => Verdict::No,
            _ => self.takes_nothing_from(side, position, denial, &beside, &kept),
        }
    }

    /// Whether some other denials deny whatever is granted by some grants of what a denial denies.
    fn takes_nothing_from(
        &self,
        side: &Side,
        position: usize,
        denial: &Prepared,
        grants: &[u32],
        kept: &impl Fn(u32) -> bool,
    ) -> Verdict<()> {
        let mut known = Verdict::Yes(());
        let mut apart: HashMap<usize, bool> = HashMap::new();
        for grant in side.at(grants) {
            // Conditions that nothing meets together need no look at the callers.
            let never = apart
                .entry(grant.said.id)
                .or_insert_with(|| self.meets(&[&grant.said.applies, &denial.said.applies].map(Goal::yes)) == Verdict::No);
            if *never {
                continue;
            }
            let Some(cases) = side.cases_against(&[grant, denial]) else { return Verdict::Undecided };
            for case in &cases {
                let both = [grant, denial].map(|prepared| prepared.applies(&case.caller, &self.vocabulary));
                let others: Vec<u32> = case.denials.iter().copied().filter(|&other| other as usize != position && kept(other)).collect();
                match self.can_beside(&case.caller, &both, side, &others) {
                    Verdict::Yes(_) => return Verdict::No,
                    Verdict::Undecided => known = Verdict::Undecided,
                    Verdict::No => {}
                }
            }
        }
        known
    }
}

/// What is around a statement: the callers to look at, and for each the others that decide too.
#[derive(Debug)]
struct Around {
    cases: Vec<Case>,
    others: Vec<Vec<u32>>,
}

/// Which statements are taken to be removed, by position.
#[derive(Debug, Clone)]
struct Removed(Vec<bool>);

impl Removed {
    fn insert(&mut self, position: usize) {
        if let Some(removed) = self.0.get_mut(position) {
            *removed = true;
        }
    }

    fn has(&self, position: usize) -> bool {
        self.0.get(position).copied().unwrap_or_default()
    }
}

/// Whether something that makes a statement superfluous is removed.
fn gone(why: &Redundant, removed: &Removed) -> bool {
    why.by.iter().any(|&by| removed.has(by))
}

/// The positions with a verdict.
fn positions(verdicts: &[(usize, Verdict<()>)], wanted: &Verdict<()>) -> Vec<usize> {
    verdicts.iter().filter(|(_, verdict)| verdict == wanted).map(|(position, _)| *position).collect()
}

/// The statements that decide a request in the same way as one does, or against it: for a denial the other denials, for a grant
/// all others.
fn others(prepared: &Prepared, position: usize, case: &Case, removed: &Removed) -> Vec<u32> {
    let grants = if prepared.statement.effect == Effect::Allow { case.grants.as_slice() } else { &[] };
    let both = case.denials.iter().chain(grants).copied();
    let mut others: Vec<u32> = both.filter(|&other| other as usize != position && !removed.has(other as usize)).collect();
    others.sort_unstable();
    others
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::analysis::sample::statement;
    use crate::policy::Statement;

    #[track_caller]
    fn check(texts: &[&str], redundant: &[(usize, &[usize], bool)], inert: &[usize]) {
        let statements: Vec<Statement> = texts
            .iter()
            .map(|text| match text.strip_prefix("deny ") {
                Some(text) => statement("P", Effect::Deny, text),
                None => statement("P", Effect::Allow, text),
            })
            .collect();
        let analysis = Analysis::new(&[&statements]);
        let dead = analysis.dead().0.into_iter().map(|dead| dead.grant).collect();
        let found = analysis.superfluous(&dead);
        let said: Vec<(usize, &[usize], bool)> = found.redundant.iter().map(|one| (one.statement, one.by.as_slice(), one.equal)).collect();
        assert_eq!(said, redundant, "{texts:?}");
        let inertly: Vec<usize> = found.inert.iter().map(|one| one.denial).collect();
        assert_eq!(inertly, inert, "{texts:?}");
        assert_eq!(found.undecided, [0; 0]);
    }

    #[test]
    fn what_others_decide_is_redundant() {
        check(&["read | r | s | g", "read | r | s | g"], &[(1, &[0], true)], &[]);
        check(&["read | r | s | g | a in (1, 2)", "read | r | s | g | a = 1 or a = 2"], &[(1, &[0], true)], &[]);
        check(&["read | r | s | g", "read, update | r | s | g"], &[(0, &[1], false)], &[]);
        check(&["read | r | s | g | a > 1", "read | r | s | * | a < 5", "read | r | s | g | a > 3"], &[(2, &[0], false)], &[]);
        check(
            &["read | r | s | g | a > 1", "read | r | s | * | a < 5", "read | r | s | g | exists a and a != 'x'"],
            &[(0, &[2], false)],
            &[],
        );
        check(&["read | r | s | g | a > 1", "read | r | s | * | a < 5", "read | r | s | g | a = 'x'"], &[], &[]);
        check(
            &["read | r | s | g | a >= 1", "read | r | s | * | a < 1", "read | r | s | g | a >= 0 or a < 0"],
            &[(2, &[0, 1], false)],
            &[],
        );
        check(
            &["read | r | s | g | a = 1", "deny read | r | s | g | a = 2", "read | r | s | g | a in (1, 2)"],
            &[(2, &[0, 1], false)],
            &[],
        );
        check(&["read | r | s | g", "deny read | r | s | g | a = 1", "deny read | * | s | * | a = 1"], &[(1, &[2], false)], &[]);
        // A member that is excepted seemed to need the statement.
        check(&["read | r | s | g, h except g", "read, update | r | s | h"], &[(0, &[1], false)], &[]);
    }

    #[test]
    fn a_denial_of_what_nothing_grants_is_inert() {
        check(&["read | r | s | g", "deny read | r | s | h"], &[], &[]);
        check(&["read | r | s | g", "deny update | r | s | g"], &[], &[1]);
        check(&["read | r | s | a@x", "deny read | r | s | b@x"], &[], &[1]);
        check(&["read | r | s | g | a = 1", "deny read | r | s | g | a = 2"], &[], &[1]);
        // One denial was named as what makes another superfluous, and was inert itself.
        check(&["read | r | s | g", "deny update | r | s | *", "deny update | r | s | g"], &[], &[1, 2]);
    }
}
