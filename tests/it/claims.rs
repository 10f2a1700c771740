//! Claims about random law books, held against every request there is.
//!
//! The requests are more than those of [`brute`](super::brute) in what they say and fewer in who asks: conditions read the id of the
//! document, what is in the context, the groups of the caller, a declared list, and what lies inside something else. A request may
//! leave its source out, and an update may carry the document after the change.

use std::sync::Arc;

use lawbook::analysis::Analysis;
use lawbook::analysis::Proof;
use lawbook::analysis::Quantity;
use lawbook::condition;
use lawbook::condition::Condition;
use lawbook::condition::Lists;
use lawbook::condition::Term;
use lawbook::decision::Request;
use lawbook::decision::applies;
use lawbook::decision::decide;
use lawbook::policy::Actions;
use lawbook::policy::Effect;
use lawbook::policy::Member;
use lawbook::policy::PolicyId;
use lawbook::policy::Selector;
use lawbook::policy::Statement;
use proptest::prelude::*;
use proptest::sample::select;
use proptest::sample::subsequence;
use proptest::test_runner::TestRunner;
use serde_json::Value;
use serde_json::json;

/// So many law books are tried, with every claim about each.
const LAW_BOOKS: u32 = 300;

/// Of the claims, so many of a hundred may be undecided.
const UNDECIDED: usize = 3;

const MEMBERS: [&str; 5] = ["*", "ann@x", "g", "h", "service:job"];
/// Callers by type and id; the last is of a type that nothing names.
const CALLERS: [(&str, &str); 5] = [("user", "ann@x"), ("user", "eve@x"), ("user", "1"), ("service", "job"), ("robot", "ann@x")];
const GROUPS: [&[&str]; 6] = [&[], &["g"], &["h"], &["g", "h"], &["other"], &["g", "other"]];
const CONDITIONS: [&str; 26] = [
    "a = 1",
    "a != 1",
    "a.b = 1",
    "a.b = null",
    "a = 1 or a.b = 1",
    "_id = '1'",
    "_id != '1'",
    "exists _id",
    "_id = {me}",
    "tags = 'x'",
    "tags != 'x'",
    "tags = 'x' and tags = 'y'",
    "not exists tags",
    "{context.source} = 'private'",
    "{context.source} = 'public'",
    "{context.source} != 'public'",
    "{context.source} = null",
    "exists {context.source}",
    "{context.source.x} = null",
    "{context.after.a} = 1",
    "{context.after.a} != 1",
    "{context.after} = null",
    "{me.groups} = null",
    "{me.groups} = 'g'",
    "{me.groups} != 'g'",
    "{me.groups} != 'other'",
];

/// A statement, or what a claim is about.
#[derive(Debug, Clone)]
struct Written {
    effect: Effect,
    actions: Vec<&'static str>,
    source: &'static str,
    members: Vec<&'static str>,
    except: Vec<&'static str>,
    condition: Option<&'static str>,
}

fn written(effect: impl Strategy<Value = Effect>, actions: &'static [&'static str]) -> impl Strategy<Value = Written> {
    let head = (effect, subsequence(actions, 1..=2), select(vec!["private", "public", "*", "*"]));
    let who = (
        prop_oneof![2 => Just(vec!["*"]), 4 => subsequence(&MEMBERS[..], 1..=2)],
        prop_oneof![4 => Just(vec![]), 1 => subsequence(&MEMBERS[1..], 1..=1)],
    );
    let condition = prop_oneof![1 => Just(None), 3 => select(&CONDITIONS[..]).prop_map(Some)];
    (head, who, condition).prop_map(|((effect, actions, source), (members, except), condition)| Written {
        effect,
        actions,
        source,
        members,
        except,
        condition,
    })
}

/// Law books of one to five statements, and what is claimed something of.
fn law_book() -> impl Strategy<Value = (Vec<Written>, Written, bool)> {
    let effect = prop_oneof![3 => Just(Effect::Allow), 2 => Just(Effect::Deny)];
    let scope = written(Just(Effect::Allow), &["read", "update", "other"]).prop_map(|scope| Written { except: Vec::new(), ..scope });
    (prop::collection::vec(written(effect, &["read", "update"]), 1..=5), scope, any::<bool>())
}

/// The terms that hold lists.
fn lists(groups: bool) -> Lists {
    let terms = ["tags", "{me.groups}"].into_iter().take(if groups { 2 } else { 1 });
    terms.map(|term| Term::parse(term).expect("a term")).collect()
}

impl Written {
    fn statement(&self, position: usize, lists: &Lists) -> Statement {
        let members = |texts: &[&str]| {
            let mut members: Vec<Member> = texts.iter().map(|text| Member::parse(text)).collect();
            members.sort();
            members
        };
        Statement {
            policy: PolicyId::new(&format!("P{position}")).expect("an id"),
            effect: self.effect,
            actions: Actions::Only(self.actions.iter().map(|&action| action.into()).collect()),
            service: Selector::Any,
            source: Selector::parse(self.source),
            members: members(&self.members),
            except: members(&self.except),
            condition: self.condition.map(|text| {
                let parsed = condition::parse(text).expect("a condition");
                Arc::new(Condition::new(parsed.expr, lists).expect("a condition that fits"))
            }),
            from_control: false,
        }
    }
}

/// Everything that requests are made of, and where each condition lets a statement apply.
struct World {
    subjects: Vec<Value>,
    /// Actions and contexts.
    headers: Vec<(&'static str, Value)>,
    /// Ids and attributes.
    documents: Vec<(Option<&'static str>, Value)>,
    /// A request for each subject and header.
    asked: Vec<Request>,
    /// By condition, for grants and for denials. A condition is about the document or about the rest of the request.
    holding: Vec<[Holding; 2]>,
}

/// For which requests something holds, by subject and then by header or document.
enum Holding {
    ByHeader(Vec<bool>),
    ByDocument(Vec<bool>),
}

impl World {
    fn new(groups: bool) -> Self {
        let mut subjects = Vec::new();
        for (kind, id) in CALLERS {
            let properties = GROUPS.iter().map(|groups| json!({"groups": groups})).chain([json!({})]);
            subjects.extend(properties.map(|properties| json!({"type": kind, "id": id, "properties": properties})));
        }
        let mut headers = Vec::new();
        for source in [Value::Null, json!("private"), json!("public"), json!("other")] {
            headers.extend(["read", "update", "other"].map(|action| (action, json!({"source": source}))));
            // Of what is no update, that is a fact like any other.
            for after in [json!({"a": 1}), json!({"a": 2}), json!(7)] {
                headers.extend(["read", "other"].map(|action| (action, json!({"source": source, "after": after}))));
            }
        }
        let mut documents = Vec::new();
        for id in [Some("1"), Some("2"), None] {
            for a in [Value::Null, json!(1), json!(2), json!({"b": 1}), json!({"b": 2}), json!([1])] {
                let tags = [Value::Null, json!("x"), json!(["y", "x"]), json!(["y"]), json!({})];
                documents.extend(tags.map(|tags| (id, json!({"a": a, "tags": tags}))));
            }
        }
        let mut world = Self { subjects, headers, documents, asked: Vec::new(), holding: Vec::new() };
        world.asked = (0..world.subjects.len() * world.headers.len()).map(|at| world.at(at * world.documents.len())).collect();
        let lists = lists(groups);
        let holding = CONDITIONS.iter().map(|text| {
            [Effect::Allow, Effect::Deny].map(|effect| {
                let actions = vec!["read", "update", "other"];
                let all = Written { effect, actions, source: "*", members: vec!["*"], except: Vec::new(), condition: Some(text) };
                let statement = all.statement(0, &lists);
                let of_rest = text.contains("{context") || text.contains("{me.");
                let (headers, documents) = if of_rest { (world.headers.len(), 1) } else { (1, world.documents.len()) };
                let mut holds = Vec::new();
                for subject in 0..world.subjects.len() {
                    for place in 0..headers * documents {
                        let (header, document) = if of_rest { (place, 0) } else { (0, place) };
                        holds.push(applies(&statement, &world.request(subject, header, document)));
                    }
                }
                if of_rest { Holding::ByHeader(holds) } else { Holding::ByDocument(holds) }
            })
        });
        world.holding = holding.collect();
        world
    }

    fn request(&self, subject: usize, header: usize, document: usize) -> Request {
        let (action, context) = &self.headers[header];
        let (id, properties) = &self.documents[document];
        let subject = &self.subjects[subject];
        // The document that no id is given for has that of the caller.
        let id = id.map_or_else(|| subject["id"].clone(), Value::from);
        let resource = json!({"type": "report", "id": id, "properties": properties});
        let request = json!({"subject": subject, "action": {"name": action}, "resource": resource, "context": context});
        Request::from_authzen(&request).expect("a request")
    }

    /// Where a statement applies: by subject, header and document.
    fn applying(&self, written: &Written) -> Vec<bool> {
        let statement = Written { condition: None, ..written.clone() }.statement(0, &Lists::default());
        let condition = written.condition.and_then(|text| CONDITIONS.iter().position(|known| *known == text));
        let holds = condition.map(|at| &self.holding[at][usize::from(written.effect == Effect::Deny)]);
        let (headers, documents) = (self.headers.len(), self.documents.len());
        let mut applying = Vec::with_capacity(self.subjects.len() * headers * documents);
        for subject in 0..self.subjects.len() {
            for header in 0..headers {
                let meant = applies(&statement, &self.asked[subject * headers + header]);
                applying.extend((0..documents).map(|document| {
                    meant
                        && match holds {
                            None => true,
                            Some(Holding::ByHeader(holds)) => holds[subject * headers + header],
                            Some(Holding::ByDocument(holds)) => holds[subject * documents + document],
                        }
                }));
            }
        }
        applying
    }

    /// The request at a place of what [`applying`](Self::applying) gives.
    fn at(&self, place: usize) -> Request {
        let (headers, documents) = (self.headers.len(), self.documents.len());
        self.request(place / documents / headers, place / documents % headers, place % documents)
    }
}

/// Whether the caller has one of the members of a scope and nothing else that matters.
fn has_just_one(request: &Request, scope: &Written) -> bool {
    let person = scope.members.iter().any(|member| match *member {
        "ann@x" => request.subject.kind == "user" && request.subject.id == "ann@x",
        "service:job" => request.subject.kind == "service" && request.subject.id == "job",
        _ => false,
    });
    let named = ["ann@x", "job"].contains(&request.subject.id.as_str());
    let groups: Vec<&str> = request.subject.groups.iter().map(String::as_str).collect();
    match groups.as_slice() {
        [] => person || scope.members.contains(&"*") && !named,
        [group] => scope.members.contains(group) && !named,
        _ => false,
    }
}

fn check(world: &World, groups: bool, (law_book, scope): (&[Written], &Written), counts: &mut [usize; 4]) {
    let lists = lists(groups);
    let statements: Vec<Statement> = law_book.iter().enumerate().map(|(at, written)| written.statement(at, &lists)).collect();
    let about = scope.statement(9, &lists);
    let analysis = Analysis::with_scopes(&[&statements], std::slice::from_ref(&about));
    let applying: Vec<(Effect, Vec<bool>)> = law_book.iter().map(|written| (written.effect, world.applying(written))).collect();
    let within = world.applying(scope);
    let allowed = |at: usize| {
        let some = |effect| applying.iter().any(|(own, applying)| *own == effect && applying[at]);
        some(Effect::Allow) && !some(Effect::Deny)
    };
    let inside: Vec<usize> = (0..within.len()).filter(|&at| within[at]).collect();
    let alone: Vec<bool> = (0..world.subjects.len()).map(|subject| has_just_one(&world.request(subject, 0, 0), scope)).collect();
    let (mut some, mut all, mut all_alone) = (false, true, true);
    for &at in &inside {
        let allowed = allowed(at);
        some |= allowed;
        all &= allowed;
        all_alone &= allowed || !alone[at / (world.headers.len() * world.documents.len())];
    }
    if let Some(&at) = inside.first() {
        assert_eq!(decide(&statements, &world.at(at)).allowed, allowed(at), "what is counted is what is decided");
    }
    let claims = [(Quantity::Never, !some), (Quantity::Someone, some), (Quantity::AlwaysAtLeast, all), (Quantity::Always, all_alone)];
    for (quantity, expected) in claims {
        let says = || format!("{quantity:?} of {scope:?} with {law_book:?}, groups declared: {groups}");
        match analysis.prove(0, quantity) {
            Proof::Holds => {
                // That somebody can has been decided for a caller, who may be none of the world.
                assert!(expected || quantity == Quantity::Someone, "{}", says());
                counts[0] += 1;
            }
            Proof::Fails(found) => {
                // A request that proves it may be about a caller or a document that the world does not have.
                assert!(!expected || found.witness.is_some(), "{}", says());
                counts[1] += 1;
                assert_eq!(found.witness.is_none(), quantity == Quantity::Someone, "{}", says());
                if let Some(witness) = found.witness {
                    let request = Request::from_authzen(&witness).expect("a request");
                    assert!(applies(&about, &request), "{}: {witness} is something else", says());
                    assert_eq!(decide(&statements, &request).allowed, quantity == Quantity::Never, "{}: {witness}", says());
                }
            }
            Proof::Undecided => counts[2] += 1,
        }
        counts[3] += 1;
    }
}

#[test]
fn claims_hold_exactly_where_every_request_says_so() {
    let worlds = [World::new(false), World::new(true)];
    let counts = std::cell::RefCell::new([0; 4]);
    let config = ProptestConfig { cases: LAW_BOOKS, failure_persistence: None, ..ProptestConfig::default() };
    let run = TestRunner::new(config).run(&law_book(), |(law_book, scope, groups)| {
        check(&worlds[usize::from(groups)], groups, (&law_book, &scope), &mut counts.borrow_mut());
        Ok(())
    });
    run.unwrap_or_else(|error| panic!("{error}"));
    let [holds, fails, undecided, all] = counts.into_inner();
    assert!(holds > all / 8 && fails > all / 8, "{holds} hold and {fails} fail of {all}");
    assert!(undecided * 100 <= all * UNDECIDED, "{undecided} of {all} are undecided");
}

/// What nobody may do, nobody may do by an update either, whatever the document is after it.
#[test]
fn an_update_allows_no_more_than_its_documents() {
    let lists = lists(false);
    let afters = [json!({}), json!({"a": 1}), json!({"a": 2, "_id": "2"}), json!({"a": {"b": 1}}), json!({"_id": null})];
    let config = ProptestConfig { cases: LAW_BOOKS, failure_persistence: None, ..ProptestConfig::default() };
    let run = TestRunner::new(config).run(&law_book(), |(law_book, scope, _)| {
        let statements: Vec<Statement> = law_book.iter().enumerate().map(|(at, written)| written.statement(at, &lists)).collect();
        let about = scope.statement(9, &lists);
        let analysis = Analysis::with_scopes(&[&statements], std::slice::from_ref(&about));
        let [never, always] =
            [Quantity::Never, Quantity::AlwaysAtLeast].map(|quantity| matches!(analysis.prove(0, quantity), Proof::Holds));
        for (before, after) in afters.iter().flat_map(|before| afters.iter().map(move |after| (before, after))) {
            let request = json!({
                "subject": {"type": "user", "id": "ann@x", "properties": {"groups": ["g"]}},
                "action": {"name": "update"},
                "resource": {"type": "report", "id": "1", "properties": before},
                "context": {"after": after},
            });
            let request = Request::from_authzen(&request).expect("a request");
            let within = [Some(request.clone()), request.after()].map(|one| one.is_some_and(|one| applies(&about, &one)));
            let allowed = decide(&statements, &request).allowed;
            prop_assert!(!(never && within.contains(&true) && allowed), "{} to {}", before, after);
            prop_assert!(!(always && within == [true, true] && !allowed), "{} to {}", before, after);
        }
        Ok(())
    });
    run.unwrap_or_else(|error| panic!("{error}"));
}
