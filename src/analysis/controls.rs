//! Controls that cannot be met together, although each can alone.
//!
//! Everything that such controls have in common is denied to everybody. A set is named of which none can be left out. Of controls
//! whose scopes overlap only in part, pairs are looked at, and only where they certainly have a caller in common.

use std::collections::BTreeMap;
use std::collections::BTreeSet;
use std::collections::HashMap;

use rayon::prelude::*;

use super::dead::minimal;
use super::formula::Formula;
use super::prepared::Caller;
use super::prepared::Prepared;
use super::question::Analysis;
use super::question::Verdict;
use super::region::Region;
use super::side::Side;

/// Of more controls than this, not every pair is looked at.
const PAIRED: usize = 300;

/// Controls that cannot be met together.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Contradiction {
    /// The positions of their statements, at least two, none of which can be left out.
    pub controls: Vec<usize>,
    /// What is denied because of them.
    pub regions: Vec<Region>,
    /// How many more such sets the first of them is the first of.
    pub more: usize,
}

impl Analysis {
    /// The controls of the first law book that contradict each other, with one set for each first control, in order, and those of which
    /// it is not known.
    pub fn contradicting_controls(&self) -> (Vec<Contradiction>, Vec<usize>) {
        let Some(side) = self.side(0) else { return Default::default() };
        let all: Vec<usize> =
            side.statements.iter().enumerate().filter(|(_, prepared)| prepared.statement.from_control).map(|(at, _)| at).collect();
        if all.len() < 2 {
            return Default::default();
        }
        // One that cannot be met alone is wrong by itself.
        let alone: Vec<(usize, Verdict<()>)> = all.par_iter().map(|&at| (at, self.can_be_met(side, &[at], &[at]))).collect();
        let controls: Vec<usize> = alone.iter().filter(|(_, verdict)| *verdict == Verdict::Yes(())).map(|(at, _)| *at).collect();
        let mut undecided: BTreeSet<usize> =
            alone.iter().filter(|(_, verdict)| *verdict == Verdict::Undecided).map(|(at, _)| *at).collect();
        let mut found: BTreeMap<Vec<usize>, Vec<usize>> = BTreeMap::new();
        let inside: Vec<(usize, Verdict<()>)> = controls.par_iter().map(|&at| (at, self.can_be_met(side, &[at], &controls))).collect();
        for (at, verdict) in inside {
            match verdict {
                Verdict::No => {
                    let set = minimal(positions(&controls), |kept| {
                        let kept: Vec<usize> = kept.iter().map(|&at| at as usize).collect();
                        self.can_be_met(side, &[at], &kept) == Verdict::No
                    });
                    let set: Vec<usize> = set.into_iter().map(|at| at as usize).collect();
                    // A control whose own scope is denied says where better than one that is only in reach of others.
                    if set.len() > 1 && (set.contains(&at) || !found.contains_key(&set)) {
                        found.insert(set, vec![at]);
                    }
                }
                Verdict::Undecided => undecided.extend([at]),
                Verdict::Yes(()) => {}
            }
        }
        if controls.len() <= PAIRED {
            undecided.extend(self.pairs(side, &controls, &mut found));
        } else {
            undecided.extend(controls);
        }
        let mut contradictions: Vec<Contradiction> = Vec::new();
        for (controls, scope) in found {
            match contradictions.last_mut().filter(|last| last.controls.first() == controls.first()) {
                Some(last) => last.more += 1,
                None => contradictions.push(Contradiction { controls, regions: self.scope_in_words(side, &scope), more: 0 }),
            }
        }
        (contradictions, undecided.into_iter().collect())
    }

    /// Whether some request within the scope of all of `scope` meets all of `controls`, as far as they apply.
    fn can_be_met(&self, side: &Side, scope: &[usize], controls: &[usize]) -> Verdict<()> {
        let roots: Vec<&Prepared> = scope.iter().filter_map(|&at| side.statements.get(at)).collect();
        let Some(cases) = side.cases_against(&roots) else { return Verdict::Undecided };
        Verdict::any(cases.iter().filter(|case| case.caller.is_simple()).map(|case| {
            let hold: Vec<Formula> = roots.iter().map(|prepared| self.scope(prepared, &case.caller)).collect();
            let unmet: Vec<u32> = case.denials.iter().copied().filter(|&at| controls.contains(&(at as usize))).collect();
            self.ask(&case.caller, &hold, &self.applying(side.at(&unmet), &case.caller)).known()
        }))
    }

    /// Adds the pairs that contradict each other where their scopes meet, unless a set that is known already says so; gives the
    /// controls of which it is not known.
    fn pairs(&self, side: &Side, controls: &[usize], found: &mut BTreeMap<Vec<usize>, Vec<usize>>) -> Vec<usize> {
        let mut undecided = Vec::new();
        let mut conditions: HashMap<(usize, usize), bool> = HashMap::new();
        for (index, &one) in controls.iter().enumerate() {
            for &two in controls.iter().skip(index + 1) {
                let pair = vec![one, two];
                let (Some(first), Some(second)) = (side.statements.get(one), side.statements.get(two)) else { continue };
                if found.contains_key(&pair) || !first.overlaps(second) {
                    continue;
                }
                let key = (first.said.id, second.said.id);
                let plain = !first.may_spare_members() && !second.may_spare_members();
                if plain && !*conditions.entry(key).or_insert_with(|| self.contradict(first, second)) {
                    continue;
                }
                let each_alone = pair.iter().all(|&at| self.can_be_met(side, &pair, &[at]) == Verdict::Yes(()));
                match self.can_be_met(side, &pair, &pair) {
                    Verdict::No if each_alone => drop(found.insert(pair.clone(), pair)),
                    Verdict::Undecided => undecided.extend(pair),
                    Verdict::No | Verdict::Yes(()) => {}
                }
            }
        }
        undecided
    }

    /// Whether no request escapes both of two conditions, whoever asks.
    fn contradict(&self, one: &Prepared, two: &Prepared) -> bool {
        self.ask(&Caller::default(), &[], &[one.said.applies.clone(), two.said.applies.clone()]).yes().is_none()
    }

    /// The requests that a control is about, whether they meet it or not.
    fn scope(&self, control: &Prepared, caller: &Caller) -> Formula {
        let about = control.about();
        let header = [control.among(caller, &self.vocabulary), about.actions.clone(), about.service.clone(), about.source.clone()];
        Formula::all(header, &self.vocabulary)
    }

    fn scope_in_words(&self, side: &Side, scope: &[usize]) -> Vec<Region> {
        let roots: Vec<&Prepared> = scope.iter().filter_map(|&at| side.statements.get(at)).collect();
        let case = side.cases_against(&roots).and_then(|cases| cases.into_iter().find(|case| case.caller.is_simple()));
        let Some(case) = case else { return Vec::new() };
        let whole = Formula::all(roots.iter().map(|prepared| self.scope(prepared, &case.caller)), &self.vocabulary);
        self.regions(&case.caller, &whole).0.into_iter().map(|(region, _)| region).collect()
    }
}

fn positions(all: &[usize]) -> BTreeSet<u32> {
    all.iter().filter_map(|&at| u32::try_from(at).ok()).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::analysis::sample::statement;
    use crate::policy::Effect;
    use crate::policy::Statement;

    /// Controls by the condition that they deny, or grants behind `allow`.
    #[track_caller]
    fn check(texts: &[&str], expected: &[&[usize]]) {
        let of = |text: &&str| match text.strip_prefix("allow ") {
            Some(text) => statement("P", Effect::Allow, text),
            None => Statement { from_control: true, ..statement("P", Effect::Deny, text) },
        };
        let statements: Vec<Statement> = texts.iter().map(of).collect();
        let (found, undecided) = Analysis::new(&[&statements]).contradicting_controls();
        let said: Vec<&[usize]> = found.iter().map(|one| one.controls.as_slice()).collect();
        assert_eq!(said, expected, "{texts:?}");
        assert!(found.iter().all(|one| !one.regions.is_empty()));
        assert_eq!(undecided, [0; 0]);
    }

    #[test]
    fn controls_that_cannot_be_met_together_are_found_once() {
        check(&["* | * | * | * | not (a = 1)", "* | * | * | * | not (a = 2)"], &[&[0, 1]]);
        check(&["* | * | * | * | not (a = 1)", "* | * | * | * | not (a in (1, 2))"], &[]);
        check(&["* | * | * | * | not (a = 1)", "* | r | * | * | not (a = 2)"], &[&[0, 1]]);
        check(&["read | * | * | * | not (a = 1)", "* | r | * | * | not (a = 2)"], &[&[0, 1]]);
        check(&["* | r | * | * | not (a = 1)", "* | t | * | * | not (a = 2)"], &[]);
        check(&["* | * | * | g | not (a = 1)", "* | * | * | h | not (a = 2)"], &[]);
        check(&["* | * | * | g | not (a = 1)", "* | * | * | * | not (a = 2)"], &[&[0, 1]]);
        check(&["* | * | * | * except g | not (a = 1)", "* | * | * | g | not (a = 2)"], &[]);
        let three = ["* | * | * | * | not (a in (1, 2))", "* | * | * | * | not (a in (2, 3))", "* | * | * | * | not (a in (1, 3))"];
        check(&three, &[&[0, 1, 2]]);
        check(&[three[0], "allow read | r | s | g", three[1], "* | * | * | * | not (a = 3)"], &[&[0, 3]]);
        check(&["* | * | * | * | not (a = 1)", "* | r | * | * | not (a = 2)", "* | t | * | * | not (a = 3)"], &[&[0, 1]]);
        check(&["* | * | * | * | not (a = 1 and a = 2)", "* | * | * | * | not (a = 1)"], &[]);
        check(&["* | * | * | * | not (ip in cidr ('10.0.0.0/8'))", "* | * | * | * | not (ip in cidr ('192.168.0.0/16'))"], &[&[0, 1]]);
        check(&["* | * | * | a@x | not ({me} = 'b@x')", "* | * | * | * | not (a = 1)"], &[]);
    }
}
