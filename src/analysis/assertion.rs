//! Claims about a law book as a whole.
//!
//! A claim speaks of the requests of a scope, which is prepared like a statement: callers with one of its members, its actions,
//! its service, its source and its condition.

use std::sync::Arc;

use serde_json::Value as Json;

use super::formula::Formula;
use super::people::EVERYONE;
use super::prepared::Prepared;
use super::question::Analysis;
use super::question::Found;
use super::question::Verdict;
use super::region::Region;
use super::side::Case;
use super::side::Side;
use crate::decision::applies;
use crate::policy::Effect;
use crate::policy::Member;

/// What a claim says of its scope.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Quantity {
    /// No such request is allowed, whatever other members the caller has.
    Never,
    /// Every such request of a caller with just one of the members is allowed.
    Always,
    /// Every such request is allowed, whatever other members the caller has.
    AlwaysAtLeast,
    /// Some such request is allowed.
    Someone,
}

/// What is known of a claim.
#[derive(Debug, Clone)]
pub enum Proof {
    /// It holds.
    Holds,
    /// It does not hold.
    Fails(Counterexample),
    /// It is not known, which is no better than that it fails.
    Undecided,
}

/// Why a claim does not hold.
#[derive(Debug, Clone, Default)]
pub struct Counterexample {
    /// A request that is allowed and must not be, or is denied and must not be; none where what is missing is any request that is allowed.
    pub witness: Option<Json>,
    /// The requests of which that is one.
    pub regions: Vec<Region>,
    /// The policies that decide it, by position: the grant that allows it or the denials that deny it. Where no request is allowed,
    /// the grants that would be meant to.
    pub policies: Vec<usize>,
}

impl Analysis {
    /// Whether what is claimed of one of the scopes holds in the first law book.
    pub fn prove(&self, scope: usize, quantity: Quantity) -> Proof {
        let (Some(side), Some(scope)) = (self.side(0), self.scopes.get(scope)) else { return Proof::Undecided };
        match quantity {
            Quantity::Never => self.never(side, scope),
            Quantity::Always => self.always(side, scope, true),
            Quantity::AlwaysAtLeast => self.always(side, scope, false),
            Quantity::Someone => self.someone(side, scope),
        }
    }

    fn never(&self, side: &Side, scope: &Prepared) -> Proof {
        let mut undecided = false;
        for (position, grant) in meant(side, scope, Effect::Allow) {
            let Some(cases) = side.cases_against(&[scope, grant]) else {
                undecided = true;
                continue;
            };
            for case in &cases {
                let hold = self.both(scope, grant, case);
                let fail = self.applying(side.at(&case.denials), &case.caller);
                match self.shown(side, scope, case, hold, fail, true) {
                    Verdict::Yes(shown) => return Proof::Fails(Counterexample { policies: vec![position], ..shown }),
                    Verdict::Undecided => undecided = true,
                    Verdict::No => {}
                }
            }
        }
        if undecided { Proof::Undecided } else { Proof::Holds }
    }

    fn always(&self, side: &Side, scope: &Prepared, exactly: bool) -> Proof {
        let Some(mut cases) = side.cases(&[scope]) else { return Proof::Undecided };
        // Beside `*`, whoever is named is one of the members too, and may be denied more.
        if let Some(named) = beside_everyone(scope) {
            let Some(more) = side.cases(&[&named]) else { return Proof::Undecided };
            cases.extend(more);
        }
        let mut undecided = false;
        for case in &mut cases {
            // Of callers that are known, it is known which groups they are in.
            case.caller.exact = exactly || side.world.is_some();
            let allowed = self.allowed(side, case);
            match self.shown(side, scope, case, vec![scope.applies(&case.caller, &self.vocabulary)], vec![allowed], false) {
                Verdict::Yes(shown) => return Proof::Fails(shown),
                Verdict::Undecided => undecided = true,
                Verdict::No => {}
            }
        }
        // Another member can bring a denial with it, and nothing else that is worse.
        let denials = if exactly { Vec::new() } else { meant(side, scope, Effect::Deny) };
        for (_, denial) in denials {
            let Some(cases) = side.cases_against(&[scope, denial]) else {
                undecided = true;
                continue;
            };
            for case in &cases {
                match self.shown(side, scope, case, self.both(scope, denial, case), Vec::new(), false) {
                    Verdict::Yes(shown) => return Proof::Fails(shown),
                    Verdict::Undecided => undecided = true,
                    Verdict::No => {}
                }
            }
        }
        if undecided { Proof::Undecided } else { Proof::Holds }
    }

    fn someone(&self, side: &Side, scope: &Prepared) -> Proof {
        let mut undecided = false;
        let mut policies = Vec::new();
        for (position, grant) in meant(side, scope, Effect::Allow) {
            let Some(cases) = side.cases_against(&[scope, grant]) else {
                undecided = true;
                continue;
            };
            for case in &cases {
                let fail = self.applying(side.at(&case.denials), &case.caller);
                match self.ask(&case.caller, &self.both(scope, grant, case), &fail) {
                    Verdict::Yes(found) if self.is_shown(side, scope, &found, true).is_some() => return Proof::Holds,
                    Verdict::Yes(_) | Verdict::Undecided => undecided = true,
                    Verdict::No => {}
                }
            }
            policies.push(position);
        }
        if undecided { Proof::Undecided } else { Proof::Fails(Counterexample { policies, ..Counterexample::default() }) }
    }

    fn both(&self, one: &Prepared, two: &Prepared, case: &Case) -> Vec<Formula> {
        [one, two].map(|prepared| prepared.applies(&case.caller, &self.vocabulary)).to_vec()
    }

    /// When a request of the caller of a case is allowed.
    fn allowed(&self, side: &Side, case: &Case) -> Formula {
        let granted = Formula::any(self.applying(side.at(&case.grants), &case.caller), &self.vocabulary);
        let denied = Formula::any(self.applying(side.at(&case.denials), &case.caller), &self.vocabulary);
        Formula::all([granted, denied.negate(&self.vocabulary)], &self.vocabulary)
    }

    /// A request that meets some formulas and not others, proven to be decided as it should not be, with all that are like it.
    fn shown(
        &self,
        side: &Side,
        scope: &Prepared,
        case: &Case,
        hold: Vec<Formula>,
        fail: Vec<Formula>,
        allowed: bool,
    ) -> Verdict<Counterexample> {
        let found = match self.ask(&case.caller, &hold, &fail) {
            Verdict::Yes(found) => found,
            Verdict::No => return Verdict::No,
            Verdict::Undecided => return Verdict::Undecided,
        };
        let Some(witness) = self.is_shown(side, scope, &found, allowed) else { return Verdict::Undecided };
        let fail = fail.into_iter().map(|formula| formula.negate(&self.vocabulary));
        let (regions, _) = self.regions(&case.caller, &Formula::all(hold.into_iter().chain(fail), &self.vocabulary));
        let decided = super::side::read(&witness).map(|request| side.decide(&request).policies).unwrap_or_default();
        let named = side.statements.iter().enumerate().filter(|(_, prepared)| decided.contains(&prepared.statement.policy));
        let policies = named.map(|(position, _)| position).collect();
        Verdict::Yes(Counterexample { witness: Some(witness), regions: regions.into_iter().map(|(region, _)| region).collect(), policies })
    }

    /// The request that was found, if it is one of the scope and has been decided as it should be.
    fn is_shown(&self, side: &Side, scope: &Prepared, found: &Found, allowed: bool) -> Option<Json> {
        self.witness(found, |request| applies(&scope.statement, request) && side.decide(request).allowed == allowed)
    }
}

/// The scope for those who are named in it beside `*`, if any are.
fn beside_everyone(scope: &Prepared) -> Option<Prepared> {
    let (&EVERYONE, members) = scope.members.split_first().filter(|(_, named)| !named.is_empty())? else { return None };
    let mut named = scope.clone();
    named.members = members.into();
    Arc::make_mut(&mut named.statement).members.retain(|member| *member != Member::Everyone);
    Some(named)
}

/// The statements with an effect that may be about a scope.
fn meant<'a>(side: &'a Side, scope: &Prepared, effect: Effect) -> Vec<(usize, &'a Prepared)> {
    let statements = side.statements.iter().enumerate();
    statements.filter(|(_, prepared)| prepared.statement.effect == effect && prepared.overlaps(scope)).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::analysis::sample::statement;
    use crate::decision::Subject;
    use crate::policy::Statement;

    #[track_caller]
    fn check(texts: &[&str], scope: &str, quantity: Quantity, expected: Option<&[usize]>) {
        let statements: Vec<Statement> = texts
            .iter()
            .zip("abcdef".chars())
            .map(|(text, id)| match text.strip_prefix("deny ") {
                Some(text) => statement(&id.to_string(), Effect::Deny, text),
                None => statement(&id.to_string(), Effect::Allow, text),
            })
            .collect();
        let analysis = Analysis::with_scopes(&[&statements], &[statement("scope", Effect::Allow, scope)]);
        match (analysis.prove(0, quantity), expected) {
            (Proof::Holds, None) => {}
            (Proof::Fails(found), Some(policies)) => assert_eq!(found.policies, policies, "{texts:?} {scope} {quantity:?}"),
            (found, expected) => panic!("{texts:?} {scope} {quantity:?}: {found:?} instead of {expected:?}"),
        }
    }

    #[test]
    fn never_is_about_callers_with_more_members_too() {
        let texts = ["delete | r | s | g", "read | r | s | contractors", "deny delete | * | * | contractors | a = 1"];
        check(&texts, "delete | * | * | contractors", Quantity::Never, Some(&[0]));
        check(&texts, "delete | * | * | contractors | a = 1", Quantity::Never, None);
        check(&texts[..2], "update | * | * | contractors", Quantity::Never, None);
        check(&["* | r | s | g", "deny delete | * | * | contractors"], "delete | * | * | contractors", Quantity::Never, None);
        check(&["* | r | s | g", "deny delete | * | * | * except g"], "delete | r | * | *", Quantity::Never, Some(&[0]));
        check(&["* | r | s | g", "deny delete | * | * | * except h"], "delete | r | * | *", Quantity::Never, Some(&[0]));
        check(&["* | r | s | g", "deny delete | * | * | * except a@x"], "delete | r | * | g", Quantity::Never, Some(&[0]));
    }

    #[test]
    fn always_is_about_callers_with_one_member() {
        let texts = ["read | r | * | g", "deny read | r | s | h"];
        check(&texts, "read | r | * | g", Quantity::Always, None);
        check(&texts, "read | r | * | g", Quantity::AlwaysAtLeast, Some(&[1]));
        check(&texts, "read | r | t | g", Quantity::AlwaysAtLeast, None);
        check(&texts, "read | * | * | g", Quantity::Always, Some(&[]));
        check(&["read | r | * | g except a@x"], "read | r | * | g", Quantity::Always, None);
        check(&["read | r | * | g except a@x"], "read | r | * | g", Quantity::AlwaysAtLeast, Some(&[]));
        check(&["read | r | * | *", "deny read | r | s | ann@x"], "read | r | * | *, ann@x", Quantity::Always, Some(&[1]));
        check(&["read | r | * | g", "deny read | * | * | * | a = 1"], "read | r | * | g", Quantity::Always, Some(&[1]));
        check(&["read | r | * | g", "deny read | * | * | * | a = 1"], "read | r | * | g | a = 2", Quantity::Always, None);
    }

    /// They were given groups that they do not have.
    #[test]
    fn callers_that_are_known_are_in_no_other_groups() {
        let statements =
            [statement("G", Effect::Allow, "read | r | s | g except h"), statement("D", Effect::Deny, "read | r | s | k except g")];
        let scope = [statement("scope", Effect::Allow, "read | r | s | g")];
        let holds = |groups: &[&str]| {
            let groups = groups.iter().map(|group| (*group).to_owned()).collect();
            let subject = Subject { kind: "user".into(), id: "a@x".into(), groups, ..Subject::default() };
            let analysis = Analysis::with_scopes(&[&statements], &scope).in_world(&[&subject]);
            matches!(analysis.prove(0, Quantity::AlwaysAtLeast), Proof::Holds)
        };
        assert!(holds(&["g"]) && holds(&["g", "k"]) && !holds(&["g", "h"]));
        let open = Analysis::with_scopes(&[&statements], &scope);
        assert!(matches!(open.prove(0, Quantity::AlwaysAtLeast), Proof::Fails(_)));
    }

    #[test]
    fn someone_needs_one_request() {
        check(&["update | policy | s | g"], "update | policy | * | *", Quantity::Someone, None);
        check(&["update | policy | s | g", "deny update | * | * | *"], "update | policy | * | *", Quantity::Someone, Some(&[0]));
        check(&["read | policy | s | g"], "update | policy | * | *", Quantity::Someone, Some(&[]));
    }

    /// Such terms were taken for facts of their own, so that grants which never apply were said to let somebody in.
    #[test]
    fn what_the_rest_of_the_request_says_cannot_be_otherwise() {
        let never = [
            "read, update | r | public | g | {context.source} = 'private'",
            "read, update | r | public | g | {context.source} = null",
            "read, update | r | * | g | {context.source.x} = 1",
            "update | r | s | g | {context.after.x} = 1",
            "update | r | s | g | {context.after.x} = title",
            "read, update | r | s | g | {me.groups} = null",
            "read, update | r | s | g | {me.groups} = 'g'",
        ];
        for grant in never {
            check(&[grant], "* | r | * | *", Quantity::Someone, Some(&[0]));
            check(&[grant], "* | r | * | *", Quantity::Never, None);
        }
        let somebody = [
            "read | r | private | g | {context.source} = null",
            "read | r | public | g | {context.source} like 'p%c'",
            "read | r | * | g | {context.source} = title",
            "read | r | * | g | {context.source} != {me} and {context.source.x} = null",
            "read | r | s | g | {context.after.x} = 1",
            "update | r | s | g | {context.after.x} != 1",
            "read | r | s | * | {me.groups} = null",
        ];
        for grant in somebody {
            check(&[grant], "* | r | * | *", Quantity::Someone, None);
            check(&[grant], "* | r | * | *", Quantity::Never, Some(&[0]));
        }
        let denial = "deny read | r | * | * | {me.groups} != 'h'";
        check(&["read | r | * | g", denial], "read | r | * | *", Quantity::Someone, Some(&[0]));
        check(
            &["read | r | * | *", "deny read | r | * | * | {context.source} != 'public'"],
            "read | r | public | *",
            Quantity::Always,
            None,
        );
    }
}
