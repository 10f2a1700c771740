//! Changes of access, each as much as one sentence can say.
//!
//! The analysis describes what each grant gives to each caller. Two changes with one reason that differ in nothing but the callers,
//! the actions, the services or the sources are one; so are two that differ in nothing but the reason.

use std::collections::BTreeMap;
use std::collections::BTreeSet;
use std::ops::Bound;

use serde_json::Value as Json;
use serde_json::json;

use crate::analysis::Change;
use crate::analysis::Names;
use crate::analysis::Region;
use crate::bundle::Digest;
use crate::condition::Expr;
use crate::condition::Term;
use crate::policy::Member;
use crate::policy::PolicyId;

/// How many hexadecimal digits a fingerprint has: few enough to type, and too many to meet another one by chance.
const DIGITS: usize = 12;

/// Requests that are allowed on one side only.
#[derive(Debug, Clone)]
pub struct Access {
    /// Who: callers that have all the members of one of the lists.
    pub callers: BTreeSet<Vec<Member>>,
    /// Which requests.
    pub region: Region,
    /// What may also hold a value that does not fit, in place of what the condition says of it: denials apply to such values.
    pub or_unfit: BTreeSet<Term>,
    /// The policies whose change is the reason.
    pub causes: BTreeSet<PolicyId>,
    /// The grants that allow them, on the side that does.
    pub grants: BTreeSet<PolicyId>,
    /// The denials that are in the way, on the side that does not.
    pub denials: BTreeSet<PolicyId>,
    /// Whether there are more such requests than are described.
    pub partial: bool,
    /// One of them, which is allowed on one side and denied on the other.
    pub witness: Json,
    /// A short name of what is gained or lost. It does not depend on files, ids of policies, or the witness.
    pub fingerprint: String,
    /// Whether somebody gave leave for it. There is no leave for what is described only in part.
    pub waived: bool,
}

/// What is gained, in the order in which the policies that are the reason stand.
pub fn gained(changes: &[Change], places: &BTreeMap<&PolicyId, usize>, waived: &BTreeSet<&str>) -> Vec<Access> {
    let mut all = joined("gained", changes, places);
    for access in &mut all {
        access.waived = !access.partial && waived.contains(access.fingerprint.as_str());
    }
    all
}

/// What is lost, in the order in which the policies that are the reason stand.
pub fn lost(changes: &[Change], places: &BTreeMap<&PolicyId, usize>) -> Vec<Access> {
    joined("lost", changes, places)
}

fn joined(direction: &str, changes: &[Change], places: &BTreeMap<&PolicyId, usize>) -> Vec<Access> {
    let mut all: Vec<Access> = Vec::new();
    for change in changes {
        all.push(Access::of(change));
    }
    // Each round takes one away, so there are no more rounds than changes.
    'again: loop {
        for one in 0..all.len() {
            for two in one + 1..all.len() {
                let (Some(first), Some(second)) = (all.get(one), all.get(two)) else { continue };
                let Some(both) = first.with(second) else { continue };
                all.remove(two);
                if let Some(place) = all.get_mut(one) {
                    *place = both;
                }
                continue 'again;
            }
        }
        break;
    }
    let mut all = folded(all);
    for access in &mut all {
        access.callers = least(&access.callers);
        access.fingerprint = access.fingerprint(direction);
    }
    let place = |access: &Access| access.causes.iter().filter_map(|id| places.get(id).copied()).min();
    all.sort_by(|one, two| {
        // What only a strange document would show comes last.
        let key = |access: &Access| (place(access), access.causes.clone(), !access.region.unfit.is_empty());
        key(one).cmp(&key(two)).then_with(|| one.region.cmp(&two.region)).then_with(|| one.callers.cmp(&two.callers))
    });
    all
}

/// Leaves out what says of values that do not fit what another one says of the same requests with values that do.
fn folded(all: Vec<Access>) -> Vec<Access> {
    let (mut kept, unfit): (Vec<Access>, Vec<Access>) = all.into_iter().partition(|access| access.region.unfit.is_empty());
    let mut left = Vec::new();
    for access in unfit {
        match kept.iter_mut().find_map(|other| other.part_for(&access).map(|term| (other, term))) {
            Some((other, term)) => {
                other.or_unfit.insert(term);
                other.partial |= access.partial;
            }
            None => left.push(access),
        }
    }
    kept.extend(left);
    kept
}

/// The lists of members without those that have all of another list: whoever is in one group of two is meant already.
fn least(callers: &BTreeSet<Vec<Member>>) -> BTreeSet<Vec<Member>> {
    if callers.contains(&[Member::Everyone][..]) {
        return BTreeSet::from([vec![Member::Everyone]]);
    }
    // What a list includes begins with one of its members, so that of ten thousand members each is looked up and not compared with all.
    let includes_another = |list: &[Member]| {
        list.iter().any(|first| {
            let from = (Bound::Included(std::slice::from_ref(first)), Bound::Unbounded);
            let mut beginning = callers.range::<[Member], _>(from).take_while(|other| other.first() == Some(first));
            beginning.any(|other| other.len() < list.len() && other.iter().all(|member| list.contains(member)))
        })
    };
    callers.iter().filter(|list| list.len() < 2 || !includes_another(list)).cloned().collect()
}

/// What stands between the `and`s of a condition.
fn operands(condition: Option<&Expr>) -> Vec<&Expr> {
    match condition {
        None => Vec::new(),
        Some(Expr::And(operands)) => operands.iter().collect(),
        Some(other) => vec![other],
    }
}

impl Access {
    /// The term of which the other one says that it does not fit, and this one something else; if they are the same otherwise.
    fn part_for(&self, other: &Self) -> Option<Term> {
        let (mine, theirs) = (&self.region, &other.region);
        let header = |access: &Self, region: &Region| {
            let names = [&region.actions, &region.services, &region.sources, &region.caller_types].map(Clone::clone);
            (access.callers.clone(), access.causes.clone(), names, region.groups.clone())
        };
        let [term] = theirs.unfit.as_slice() else { return None };
        if header(self, mine) != header(other, theirs)
            || (&self.or_unfit, &mine.unfit, &mine.fit, &mine.beyond) != (&other.or_unfit, &Vec::new(), &theirs.fit, &theirs.beyond)
        {
            return None;
        }
        let (mine, theirs) = (operands(mine.condition.as_ref()), operands(theirs.condition.as_ref()));
        let only_mine: Vec<&Expr> = mine.iter().filter(|operand| !theirs.contains(operand)).copied().collect();
        let of_term = |operand: &Expr| {
            let mut alone = true;
            operand.each_atom(&mut |atom| alone &= atom.term() == term && atom.other_term().is_none());
            alone
        };
        let same = theirs.iter().all(|operand| mine.contains(operand));
        (same && !only_mine.is_empty() && only_mine.into_iter().all(of_term)).then(|| term.clone())
    }

    fn of(change: &Change) -> Self {
        // A denial that is in the way on one side only is what changed; otherwise the grant is.
        let cause = change.denial.as_ref().unwrap_or(&change.grant);
        Self {
            callers: change.callers.iter().cloned().collect(),
            region: Region {
                actions: sorted(&change.region.actions),
                services: sorted(&change.region.services),
                sources: sorted(&change.region.sources),
                ..change.region.clone()
            },
            or_unfit: change.region.or_unfit.iter().cloned().collect(),
            causes: BTreeSet::from([cause.clone()]),
            grants: BTreeSet::from([change.grant.clone()]),
            denials: change.denial.iter().cloned().collect(),
            partial: change.partial,
            witness: change.witness.clone(),
            fingerprint: String::new(),
            waived: false,
        }
    }

    /// Both as one, if one sentence can say them exactly.
    fn with(&self, other: &Self) -> Option<Self> {
        let (mine, theirs) = (&self.region, &other.region);
        let others = |region: &Region| Region { actions: every(), services: every(), sources: every(), ..region.clone() };
        if others(mine) != others(theirs) {
            return None;
        }
        let differing = [
            self.callers != other.callers,
            mine.actions != theirs.actions,
            mine.services != theirs.services,
            mine.sources != theirs.sources,
            self.causes != other.causes,
        ];
        if differing.into_iter().filter(|differs| *differs).count() > 1 {
            return None;
        }
        let region = Region {
            actions: union(&mine.actions, &theirs.actions),
            services: union(&mine.services, &theirs.services),
            sources: union(&mine.sources, &theirs.sources),
            ..mine.clone()
        };
        Some(Self {
            callers: self.callers.union(&other.callers).cloned().collect(),
            region,
            causes: self.causes.union(&other.causes).cloned().collect(),
            grants: self.grants.union(&other.grants).cloned().collect(),
            denials: self.denials.union(&other.denials).cloned().collect(),
            partial: self.partial || other.partial,
            ..self.clone()
        })
    }

    fn fingerprint(&self, direction: &str) -> String {
        let Region { actions, services, sources, groups, caller_types, condition, unfit, or_unfit: _, fit, beyond } = &self.region;
        let callers: Vec<Vec<String>> = self.callers.iter().map(|members| members.iter().map(member).collect()).collect();
        let groups: Vec<(&str, bool)> = groups.iter().map(|(name, inside)| (&**name, *inside)).collect();
        let condition = condition.as_ref().map(ToString::to_string);
        let texts = |terms: &mut dyn Iterator<Item = &Term>| -> Vec<String> { terms.map(ToString::to_string).collect() };
        let [unfit, or_unfit, fit] = [texts(&mut unfit.iter()), texts(&mut self.or_unfit.iter()), texts(&mut fit.iter())];
        let [actions, services, sources, caller_types] = [actions, services, sources, caller_types].map(listed);
        let rest = json!([unfit, or_unfit, fit, beyond, self.partial]);
        let text = json!([direction, callers, actions, services, sources, groups, caller_types, condition, rest]).to_string();
        Digest::of(text.as_bytes()).hex().chars().take(DIGITS).collect()
    }
}

/// A member as a policy would write it.
pub fn member(member: &Member) -> String {
    match member {
        Member::Everyone => "*".to_owned(),
        Member::Email(name) | Member::Group(name) => name.to_string(),
        Member::Typed { kind, id } => format!("{kind}:{id}"),
    }
}

/// Names as JSON: `{"only": […]}` or `{"all_but": […]}`.
pub fn listed(names: &Names) -> Json {
    match names {
        Names::Only(names) => json!({"only": names}),
        Names::AllBut(names) => json!({"all_but": names}),
    }
}

fn every() -> Names {
    Names::AllBut(Vec::new())
}

fn sorted(names: &Names) -> Names {
    let in_order = |names: &[String]| names.iter().cloned().collect::<BTreeSet<_>>().into_iter().collect();
    match names {
        Names::Only(names) => Names::Only(in_order(names)),
        Names::AllBut(names) => Names::AllBut(in_order(names)),
    }
}

fn union(one: &Names, two: &Names) -> Names {
    match (one, two) {
        (Names::Only(one), Names::Only(two)) => sorted(&Names::Only(one.iter().chain(two).cloned().collect())),
        (Names::AllBut(one), Names::AllBut(two)) => Names::AllBut(one.iter().filter(|name| two.contains(name)).cloned().collect()),
        (Names::AllBut(rest), Names::Only(names)) | (Names::Only(names), Names::AllBut(rest)) => {
            Names::AllBut(rest.iter().filter(|name| !names.contains(name)).cloned().collect())
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::condition::parse;
    use crate::policy::Name;

    fn names(text: &str) -> Names {
        let list = |text: &str| text.split(',').filter(|name| !name.is_empty()).map(str::to_owned).collect();
        match text.strip_prefix('!') {
            Some(rest) => Names::AllBut(list(rest)),
            None => Names::Only(list(text)),
        }
    }

    /// `policy: members | actions | service | condition`, with `+` between members of one caller and `~x` for what does not fit.
    fn change(text: &str) -> Change {
        let (policy, text) = text.split_once(": ").expect("a policy");
        let parts: Vec<&str> = text.split(" | ").collect();
        let [members, actions, service, condition] = parts[..] else { panic!("{text}") };
        let callers = members.split(',').map(|list| list.split('+').map(Member::parse).collect()).collect();
        let (unfit, fit): (Vec<&str>, Vec<&str>) = condition.split(" and ").partition(|part| part.starts_with('~'));
        let fit = fit.join(" and ");
        Change {
            grant: PolicyId::new(policy).expect("an id"),
            denial: None,
            callers,
            region: Region {
                actions: names(actions),
                services: names(service),
                sources: names("private"),
                groups: Vec::<(Name, bool)>::new(),
                caller_types: names("!"),
                condition: (!fit.is_empty()).then(|| parse(&fit).expect("a condition").expr),
                unfit: unfit.iter().map(|term| Term::parse(&term[1..]).expect("a term")).collect(),
                or_unfit: vec![],
                fit: vec![],
                beyond: vec![],
            },
            partial: false,
            witness: Json::Null,
        }
    }

    fn said(access: &Access) -> String {
        let callers: Vec<String> = access.callers.iter().map(|list| list.iter().map(member).collect::<Vec<_>>().join("+")).collect();
        let causes: Vec<&str> = access.causes.iter().map(PolicyId::as_str).collect();
        let names = |names: &Names| match names {
            Names::Only(names) => names.join(","),
            Names::AllBut(names) => format!("!{}", names.join(",")),
        };
        let condition = access.region.condition.as_ref().map(ToString::to_string).unwrap_or_default();
        let unfit: String = access.region.unfit.iter().map(|term| format!(" ~{term}")).collect();
        let or_unfit: String = access.or_unfit.iter().map(|term| format!(" or ~{term}")).collect();
        let region = &access.region;
        format!(
            "{}: {} | {} | {} | {condition}{unfit}{or_unfit}",
            causes.join(","),
            callers.join(","),
            names(&region.actions),
            names(&region.services)
        )
    }

    #[track_caller]
    fn check(changes: &[&str], expected: &[&str]) {
        let changes: Vec<Change> = changes.iter().map(|text| change(text)).collect();
        let joined = gained(&changes, &BTreeMap::new(), &BTreeSet::new());
        assert_eq!(joined.iter().map(said).collect::<Vec<_>>(), expected);
    }

    #[test]
    fn what_one_sentence_can_say_is_one() {
        check(&["A: g | read | r | a = 1", "A: h | read | r | a = 1"], &["A: g,h | read | r | a = 1"]);
        check(
            &["A: g | read | r | a = 1", "A: g | update | r | a = 1", "A: g | read,update | s | a = 1"],
            &["A: g | read,update | r,s | a = 1"],
        );
        check(&["A: g | read | !x,y | ", "A: g | read | x | "], &["A: g | read | !y | "]);
        check(&["A: g | read | r | ", "B: g | read | r | "], &["A,B: g | read | r | "]);
    }

    #[test]
    fn what_differs_in_two_things_is_two() {
        let two = ["A: g | read | r | ", "A: h | update | r | "];
        check(&two, &two);
        let two = ["A: g | read | r | ", "B: h | read | r | "];
        check(&two, &two);
        let two = ["A: g | read | r | a = 1", "A: g | read | r | a = 2"];
        check(&two, &two);
    }

    #[test]
    fn whoever_is_meant_already_is_not_named_again() {
        check(&["A: g,g+h,i+h | read | r | "], &["A: g,i+h | read | r | "]);
        check(&["A: *,g | read | r | "], &["A: * | read | r | "]);
    }

    #[test]
    fn values_that_do_not_fit_are_told_with_those_that_do() {
        check(
            &["A: g | read | r | b = 1 and a like 'x%'", "A: g | read | r | b = 1 and ~a"],
            &["A: g | read | r | b = 1 and a like 'x%' or ~a"],
        );
        let apart = ["A: g | read | r | b = 1 and a like 'x%'", "A: g | read | r | ~b"];
        check(&apart, &["A: g | read | r | b = 1 and a like 'x%'", "A: g | read | r |  ~b"]);
    }

    #[test]
    fn a_fingerprint_is_of_what_is_gained_and_of_nothing_else() {
        let print = |text: &str| gained(&[change(text)], &BTreeMap::new(), &BTreeSet::new())[0].fingerprint.clone();
        let one = print("A: g | read | r | a = 1");
        assert!(one.len() == DIGITS && one == print("B: g | read | r | a = 1"));
        for other in [
            "A: h | read | r | a = 1",
            "A: g | update | r | a = 1",
            "A: g | read | s | a = 1",
            "A: g | read | r | a = 2",
            "A: g | read | r | ",
        ] {
            assert_ne!(one, print(other), "{other}");
        }
        assert_ne!(one, lost(&[change("A: g | read | r | a = 1")], &BTreeMap::new())[0].fingerprint);
        let term = || vec![Term::parse("a").expect("a term")];
        let differing: [fn(&mut Change, Vec<Term>); 4] = [
            |change, term| change.region.or_unfit = term,
            |change, term| change.region.fit = term,
            |change, _| change.region.beyond = vec!["x".to_owned()],
            |change, _| change.partial = true,
        ];
        for differ in differing {
            let mut other = change("A: g | read | r | a = 1");
            differ(&mut other, term());
            assert_ne!(one, gained(&[other], &BTreeMap::new(), &BTreeSet::new())[0].fingerprint);
        }
    }

    #[test]
    fn what_is_described_in_part_is_not_waived() {
        for partial in [false, true] {
            let changes = [Change { partial, ..change("A: g | read | r | a = 1") }];
            let print = gained(&changes, &BTreeMap::new(), &BTreeSet::new())[0].fingerprint.clone();
            assert_eq!(gained(&changes, &BTreeMap::new(), &BTreeSet::from([print.as_str()]))[0].waived, !partial);
        }
    }

    #[test]
    fn values_that_do_not_fit_are_told_with_others_only_where_the_rest_is_the_same() {
        let mut whole = change("A: g | read | r | b = 1 and a like 'x%'");
        whole.region.or_unfit = vec![Term::parse("b").expect("a term")];
        let apart = [whole, change("A: g | read | r | b = 1 and ~a")];
        assert_eq!(gained(&apart, &BTreeMap::new(), &BTreeSet::new()).len(), 2);
    }

    #[test]
    fn a_list_that_holds_another_goes() {
        let lists =
            |text: &str| -> BTreeSet<Vec<Member>> { text.split(',').map(|list| list.split('+').map(Member::parse).collect()).collect() };
        let check = |all: &str, expected: &str| assert_eq!(least(&lists(all)), lists(expected), "{all}");
        check("g,h", "g,h");
        check("g,g+h,h+i,i+j", "g,h+i,i+j");
        check("a+b,a+b+c,b+c+d", "a+b,b+c+d");
        check("g,g+h,*", "*");
    }
}
