//! Differences of random law books against every request there is, decided one by one.
//!
//! A law book and a mutant of it are compared by the analysis, and request by request. What changes must be what is said to
//! change, and what is said to change must change: regions are read as their words say it, so that the words are held to the truth too.

use std::collections::BTreeMap;
use std::collections::BTreeSet;
use std::collections::HashMap;
use std::sync::Arc;

use lawbook::analysis::Analysis;
use lawbook::analysis::Change;
use lawbook::analysis::Difference;
use lawbook::analysis::Names;
use lawbook::analysis::Region;
use lawbook::condition;
use lawbook::condition::Condition;
use lawbook::condition::Expr;
use lawbook::condition::Lists;
use lawbook::condition::Outcome;
use lawbook::condition::Term;
use lawbook::decision::Request;
use lawbook::decision::applies;
use lawbook::decision::decide;
use lawbook::decision::matches;
use lawbook::policy::Actions;
use lawbook::policy::Effect;
use lawbook::policy::Member;
use lawbook::policy::PolicyId;
use lawbook::policy::Selector;
use lawbook::policy::Statement;
use lawbook::report::diff::access;
use serde_json::Value;
use serde_json::json;

use crate::mutants::ACTIONS;
use crate::mutants::CONDITIONS;
use crate::mutants::Dice;
use crate::mutants::Written;

const SERVICES: [&str; 3] = ["report", "plan", "unnamed"];
const SOURCES: [&str; 2] = ["private", "unnamed"];
const GROUPS: [&str; 3] = ["g", "h", "k"];
const CALLERS: [(&str, &str); 6] =
    [("user", "ann@x"), ("user", "bob@x"), ("user", "eve@x"), ("user", "job"), ("service", "job"), ("unnamed", "thing")];
fn lists() -> Lists {
    let mut lists = Lists::default();
    lists.insert(Term::parse("tags").expect("a term"));
    lists
}

fn compiled(text: &str) -> Condition {
    let parsed = condition::parse(text).unwrap_or_else(|error| panic!("{text}: {error:?}"));
    Condition::new(parsed.expr, &lists()).unwrap_or_else(|errors| panic!("{text}: {errors:?}"))
}

fn conditioned(effect: Effect, condition: Option<&str>) -> Statement {
    Statement {
        policy: PolicyId::new("P").expect("an id"),
        effect,
        actions: Actions::Any,
        service: Selector::Any,
        source: Selector::Any,
        members: vec![Member::Everyone],
        except: Vec::new(),
        condition: condition.map(|text| Arc::new(compiled(text))),
        from_control: false,
    }
}

fn members(texts: &[&str]) -> Vec<Member> {
    texts.iter().map(|text| Member::parse(text)).collect::<BTreeSet<_>>().into_iter().collect()
}

pub fn statements(law_book: &[Written]) -> Vec<Statement> {
    let enabled = law_book.iter().enumerate().filter(|(_, written)| written.enabled);
    let statement = |(position, written): (usize, &Written)| Statement {
        policy: PolicyId::new(&format!("P{position}")).expect("an id"),
        actions: match written.control {
            true => Actions::Any,
            false => Actions::Only(written.actions.iter().map(|&action| action.into()).collect()),
        },
        service: Selector::parse(written.service),
        source: Selector::parse(written.source),
        members: members(&written.members),
        except: members(&written.except),
        from_control: written.control,
        ..conditioned(written.effect, written.condition)
    };
    enabled.map(statement).collect()
}

/// Every request, and for each condition the callers and documents that it holds for.
struct World {
    /// Callers with each set of groups, those with one type and id together.
    subjects: Vec<Request>,
    documents: Vec<Value>,
    headers: Vec<(&'static str, &'static str, &'static str)>,
    /// By caller and document, for a caller in no group.
    requests: Vec<Request>,
    holding: HashMap<(Effect, Option<&'static str>), Vec<bool>>,
}

fn request(kind: &str, id: &str, groups: &[&str], document: &Value, (action, service, source): (&str, &str, &str)) -> Request {
    let request = json!({
        "subject": {"type": kind, "id": id, "properties": {"groups": groups}},
        "action": {"name": action},
        "resource": {"type": service, "id": "1", "properties": document},
        "context": {"source": source},
    });
    Request::from_authzen(&request).expect("a request")
}

impl World {
    fn new() -> Self {
        let mut documents = Vec::new();
        let odd = json!({"odd": 1});
        let values = |values: Value| values.as_array().expect("values").clone();
        for a in values(json!([null, 0, 1, 2, 3, odd])) {
            for owner in values(json!([null, "ann@x", "bob@x", "thing", "{me}", odd])) {
                documents.push(json!({"a": a, "owner": owner, "tags": ["ab"], "n": {"x": 1}}));
            }
        }
        for a in values(json!([null, 1, 2, odd])) {
            for tags in values(json!([null, "ab", "abz", [], ["aa", "c"], ["ab", "ac"], ["b"], ["{me}x"], [[]], odd])) {
                documents.push(json!({"a": a, "tags": tags, "owner": "eve@x"}));
            }
            for n in values(json!([null, 1, 2, {}, {"x": 1}, {"x": 2}, {"x": []}])) {
                documents.push(json!({"a": a, "n": n, "tags": "ac"}));
            }
        }
        let mut headers = Vec::new();
        for action in ACTIONS {
            for service in SERVICES {
                headers.extend(SOURCES.map(|source| (action, service, source)));
            }
        }
        let mut subjects = Vec::new();
        for (kind, id) in CALLERS {
            for bits in 0..1 << GROUPS.len() {
                let groups: Vec<&str> = (0..GROUPS.len()).filter(|at| bits >> at & 1 == 1).map(|at| GROUPS[at]).collect();
                subjects.push(request(kind, id, &groups, &json!({}), headers[0]));
            }
        }
        let requests: Vec<Request> = CALLERS
            .iter()
            .flat_map(|(kind, id)| documents.iter().map(move |document| request(kind, id, &[], document, ("read", "report", "private"))))
            .collect();
        let mut holding = HashMap::new();
        for effect in [Effect::Allow, Effect::Deny] {
            for text in CONDITIONS.into_iter().map(Some).chain([None]) {
                let statement = conditioned(effect, text);
                holding.insert((effect, text), requests.iter().map(|request| applies(&statement, request)).collect());
            }
        }
        Self { subjects, documents, headers, requests, holding }
    }

    /// The position of the request of a caller without groups.
    fn place(&self, subject: usize, document: usize) -> usize {
        subject / (self.subjects.len() / CALLERS.len()) * self.documents.len() + document
    }

    fn request(&self, subject: usize, document: usize, header: usize) -> Request {
        let asked = &self.subjects[subject];
        let groups: Vec<&str> = asked.subject.groups.iter().map(String::as_str).collect();
        request(&asked.subject.kind, &asked.subject.id, &groups, &self.documents[document], self.headers[header])
    }

    /// For each caller and document, the headers with which they are allowed, as bits.
    fn allowed(&self, law_book: &[Written]) -> Vec<u32> {
        let mut granted = vec![0; self.subjects.len() * self.documents.len()];
        let mut denied = granted.clone();
        for (written, statement) in law_book.iter().filter(|written| written.enabled).zip(statements(law_book)) {
            let selects = |&(action, service, source): &(&str, &str, &str)| {
                statement.actions.contains(action) && statement.service.matches(service) && statement.source.matches(source)
            };
            let mask = self.mask(selects);
            let holding = &self.holding[&(written.effect, written.condition)];
            let into = if written.effect == Effect::Allow { &mut granted } else { &mut denied };
            for (subject, asked) in self.subjects.iter().enumerate() {
                let is = |member: &Member| matches(member, &asked.subject);
                if !statement.members.iter().any(is) || statement.except.iter().any(is) {
                    continue;
                }
                for document in 0..self.documents.len() {
                    if holding[self.place(subject, document)] {
                        into[subject * self.documents.len() + document] |= mask;
                    }
                }
            }
        }
        granted.into_iter().zip(denied).map(|(granted, denied)| granted & !denied).collect()
    }

    fn mask(&self, selects: impl Fn(&(&str, &str, &str)) -> bool) -> u32 {
        self.headers.iter().enumerate().filter(|(_, header)| selects(header)).fold(0, |mask, (at, _)| mask | 1 << at)
    }

    /// For each caller without groups and document, whether they meet the words of a region.
    fn meeting(&self, region: &Region, or_unfit: &BTreeSet<Term>) -> Vec<bool> {
        let unfit = |term: &Term, request: &Request| exists(term).evaluate(&request.facts()) == Outcome::Unfit;
        let text = region.condition.as_ref().map(ToString::to_string);
        let read = text.map(|text| condition::parse(&text).unwrap_or_else(|error| panic!("{text}: {error:?}")).expr);
        assert_eq!(read, region.condition, "the words read back as what they say");
        let operands: Vec<Condition> = match read {
            None => vec![],
            Some(Expr::And(operands)) => operands.iter().map(|operand| compiled(&operand.to_string())).collect(),
            Some(other) => vec![compiled(&other.to_string())],
        };
        let holds = |operand: &Condition, request: &Request| {
            let strange: Vec<&Term> = operand.terms().filter(|term| **term != Term::Me && unfit(term, request)).collect();
            match strange.as_slice() {
                [] => operand.evaluate(&request.facts()) == Outcome::True,
                terms => terms.iter().all(|term| or_unfit.contains(term) || region.unfit.contains(term)),
            }
        };
        let meets = |request: &Request| {
            operands.iter().all(|operand| holds(operand, request))
                && region.unfit.iter().all(|term| unfit(term, request))
                && region.fit.iter().all(|term| !unfit(term, request))
        };
        self.requests.iter().map(meets).collect()
    }
}

fn exists(term: &Term) -> Condition {
    compiled(&format!("exists {term}"))
}

fn has(names: &Names, name: &str) -> bool {
    match names {
        Names::Only(names) => names.iter().any(|known| known == name),
        Names::AllBut(names) => names.iter().all(|known| known != name),
    }
}

/// Requests of which something is said: as the words of one sentence say it.
struct Said<'a> {
    callers: Vec<Vec<Member>>,
    region: &'a Region,
    or_unfit: BTreeSet<Term>,
    partial: bool,
    witness: &'a Value,
}

fn said(change: &Change) -> Said<'_> {
    Said {
        callers: change.callers.clone(),
        region: &change.region,
        or_unfit: change.region.or_unfit.iter().cloned().collect(),
        partial: change.partial,
        witness: &change.witness,
    }
}

/// Whether a caller is in the groups that a region asks for, and of a type that it is about.
fn is_among(region: &Region, asked: &Request) -> bool {
    let inside = |name: &str| asked.subject.groups.iter().any(|group| group == name);
    region.groups.iter().all(|(name, wanted)| inside(name) == *wanted) && has(&region.caller_types, &asked.subject.kind)
}

/// What a request changes by, against what is said of one direction.
#[track_caller]
fn check(world: &World, sides: [&[Written]; 2], changed: &[u32], told: &[Said<'_>], decided: bool, what: &str) {
    let (from, to) = (statements(sides[0]), statements(sides[1]));
    let named: BTreeSet<Member> =
        from.iter().chain(&to).flat_map(|statement| statement.members.iter().chain(&statement.except)).cloned().collect();
    let own = |asked: &Request| -> BTreeSet<Member> {
        named.iter().filter(|member| **member != Member::Everyone && matches(member, &asked.subject)).cloned().collect()
    };
    let own: Vec<BTreeSet<Member>> = world.subjects.iter().map(own).collect();
    let mut covered = vec![0_u32; changed.len()];
    for Said { callers, region, or_unfit, witness, partial } in told {
        assert!(!partial, "{what}: so small a law book is described as a whole");
        let meeting = world.meeting(region, or_unfit);
        let mask = world.mask(|(action, service, source)| {
            has(&region.actions, action) && has(&region.services, service) && has(&region.sources, source)
        });
        let inside: BTreeSet<Member> =
            region.groups.iter().filter(|(_, wanted)| *wanted).map(|(name, _)| Member::Group(name.clone())).collect();
        for (subject, asked) in world.subjects.iter().enumerate() {
            if !is_among(region, asked) {
                continue;
            }
            let meant = callers.iter().any(|members| members.iter().all(|member| matches(member, &asked.subject)));
            let exactly = callers.iter().any(|members| {
                let members: BTreeSet<Member> = members.iter().filter(|member| **member != Member::Everyone).cloned().collect();
                members.union(&inside).cloned().collect::<BTreeSet<_>>() == own[subject]
            });
            for document in 0..world.documents.len() {
                if !meeting[world.place(subject, document)] {
                    continue;
                }
                let place = subject * world.documents.len() + document;
                if meant {
                    covered[place] |= mask;
                }
                if exactly {
                    let wrong = mask & !changed[place];
                    assert_eq!(wrong, 0, "{what}: {region:?} or {or_unfit:?} says too much for {callers:?}: {:?}", {
                        world.request(subject, document, wrong.trailing_zeros() as usize % world.headers.len())
                    });
                }
            }
        }
        let request = Request::from_authzen(witness).expect("a request");
        assert!(!decide(&from, &request).allowed && decide(&to, &request).allowed, "{what}: {witness}");
        assert!(has(&region.actions, &request.action.name) && has(&region.services, &request.service), "{what}: {witness}");
        assert!(is_among(region, &request), "{what}: {witness} is of {region:?}");
        assert!(callers.iter().any(|members| members.iter().all(|member| matches(member, &request.subject))), "{what}: {witness}");
    }
    if !decided {
        return;
    }
    for (place, (changed, covered)) in changed.iter().zip(&covered).enumerate() {
        let missed = changed & !covered;
        assert_eq!(missed, 0, "{what}: nothing is said of {:?}", {
            let (subject, document) = (place / world.documents.len(), place % world.documents.len());
            world.request(subject, document, missed.trailing_zeros() as usize % world.headers.len())
        });
    }
}

/// What a difference says, without the witnesses.
/// What is compared of a change, whichever way the difference is taken.
type Compared = (String, Option<String>, Vec<Vec<Member>>, Region);

fn regions(changes: &[Change]) -> Vec<Compared> {
    let all = changes.iter();
    let parts = |change: &Change| {
        let denial = change.denial.as_ref().map(ToString::to_string);
        (change.grant.to_string(), denial, change.callers.clone(), change.region.clone())
    };
    all.map(parts).collect()
}

/// One pair: how many requests of the world change, and whether anything is undecided.
fn compare(world: &World, one: &[Written], two: &[Written], what: &str) -> (bool, bool) {
    let difference = |one: &[Written], two: &[Written]| -> Difference {
        let (one, two) = (statements(one), statements(two));
        Analysis::new(&[&one, &two]).difference()
    };
    let (there, back) = (difference(one, two), difference(two, one));
    assert_eq!(regions(&there.gained), regions(&back.lost), "{what}: gained there is lost back");
    assert_eq!(regions(&there.lost), regions(&back.gained), "{what}: lost there is gained back");
    let same = difference(one, one);
    assert!(same.gained.is_empty() && same.lost.is_empty() && same.undecided.is_empty() && same.changed.is_empty(), "{what}");
    let decided = there.undecided.is_empty();
    let (before, after) = (world.allowed(one), world.allowed(two));
    let gained: Vec<u32> = before.iter().zip(&after).map(|(before, after)| after & !before).collect();
    let lost: Vec<u32> = before.iter().zip(&after).map(|(before, after)| before & !after).collect();
    for (changes, changed, sides, direction) in [(&there.gained, &gained, [one, two], "gained"), (&there.lost, &lost, [two, one], "lost")] {
        let what = format!("{direction} in {what}");
        // Where something is said, a request that the world may lack shows it: the witness, which is decided below.
        let changes_something = changed.iter().any(|&changed| changed != 0);
        assert!(!decided || !changes_something || !changes.is_empty(), "{what}: nothing is said");
        let told: Vec<Said<'_>> = changes.iter().map(said).collect();
        check(world, sides, changed, &told, decided, &what);
        // The report joins what one sentence can say, and that says the same.
        let joined = match direction {
            "gained" => access::gained(changes, &BTreeMap::new(), &BTreeSet::new()),
            _ => access::lost(changes, &BTreeMap::new()),
        };
        let told = joined.iter().map(|access| Said {
            callers: access.callers.iter().cloned().collect(),
            region: &access.region,
            or_unfit: access.or_unfit.clone(),
            partial: access.partial,
            witness: &access.witness,
        });
        check(world, sides, changed, &told.collect::<Vec<_>>(), decided, &format!("joined, {what}"));
    }
    (gained.iter().chain(&lost).any(|&changed| changed != 0), decided)
}

#[test]
fn what_changes_is_what_is_said_to_change() {
    const PAIRS: u64 = 300;
    let world = World::new();
    let (mut changing, mut undecided) = (0, 0);
    for seed in 0..PAIRS {
        let mut dice = Dice(seed);
        let one = dice.law_book();
        let two = dice.mutant(&one);
        let (changes, decided) = compare(&world, &one, &two, &format!("seed {seed}: {one:?} against {two:?}"));
        changing += u64::from(changes);
        undecided += u64::from(!decided);
    }
    assert!(changing > PAIRS / 4 && changing < PAIRS * 9 / 10, "{changing} pairs differ");
    assert!(undecided <= PAIRS / 50, "{undecided} pairs are undecided");
}

#[test]
fn what_is_counted_is_what_is_decided() {
    let world = World::new();
    for seed in 0..20 {
        let law_book = Dice(seed).law_book();
        let (allowed, statements) = (world.allowed(&law_book), statements(&law_book));
        let mut dice = Dice(seed + 1_000);
        for _ in 0..50 {
            let (subject, document) = (dice.roll(world.subjects.len()), dice.roll(world.documents.len()));
            let header = dice.roll(world.headers.len());
            let expected = allowed[subject * world.documents.len() + document] >> header & 1 == 1;
            assert_eq!(decide(&statements, &world.request(subject, document, header)).allowed, expected, "seed {seed}: {law_book:#?}");
        }
    }
}
