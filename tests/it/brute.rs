//! Law books and all requests that matter to them, decided one by one.
//!
//! Statements are made of few names and values, so that every request can be made which any of them tells from others, with one
//! more name of each kind that no statement knows. Requests that the same statements apply to are one.

use std::collections::BTreeSet;
use std::collections::HashMap;
use std::sync::Arc;

use lawbook::condition;
use lawbook::condition::Condition;
use lawbook::condition::Lists;
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
use proptest::prelude::*;
use proptest::sample::select;
use proptest::sample::subsequence;
use serde_json::Value;
use serde_json::json;

const ACTIONS: [&str; 3] = ["read", "update", "unnamed"];
const SERVICES: [&str; 3] = ["report", "policy", "unnamed"];
const SOURCES: [&str; 2] = ["private", "unnamed"];
const GROUPS: [&str; 3] = ["g", "h", "k"];
const MEMBERS: [&str; 7] = ["*", "ann@x", "bob@x", "g", "h", "k", "service:job"];
/// Callers by type and id: named ones, one with a named id and another type, and strangers.
const CALLERS: [(&str, &str); 7] = [
    ("user", "ann@x"),
    ("user", "bob@x"),
    ("user", "eve@x"),
    ("user", "job"),
    ("service", "job"),
    ("service", "ann@x"),
    ("unnamed", "thing"),
];
const CONDITIONS: [&str; 14] = [
    "a = 1",
    "a in (1, 2)",
    "a != 1",
    "a > 1",
    "exists a",
    "a = null",
    "a = 2 or owner = {me}",
    "a = 1 and owner = {me}",
    "owner = {me}",
    "owner != {me}",
    "owner = 'ann@x'",
    "{me} = 'ann@x'",
    "{me} != 'ann@x'",
    "a = 1 and a = 2",
];

/// A statement, as few words as it takes to say it.
#[derive(Debug, Clone)]
pub struct Written {
    effect: Effect,
    from_control: bool,
    actions: Vec<&'static str>,
    service: &'static str,
    source: &'static str,
    members: Vec<&'static str>,
    except: Vec<&'static str>,
    condition: Option<&'static str>,
}

/// Law books of one to seven statements.
pub fn law_book() -> impl Strategy<Value = Vec<Written>> {
    prop::collection::vec(written(), 1..=7)
}

/// Law books of two to four controls.
pub fn controls() -> impl Strategy<Value = Vec<Written>> {
    let control = written().prop_map(|written| Written { effect: Effect::Deny, from_control: true, ..written });
    prop::collection::vec(control, 2..=4)
}

fn written() -> impl Strategy<Value = Written> {
    let effect = prop_oneof![4 => Just((Effect::Allow, false)), 3 => Just((Effect::Deny, false)), 1 => Just((Effect::Deny, true))];
    let head = (
        effect,
        subsequence(vec!["read", "update"], 1..=2),
        select(vec!["report", "report", "policy", "*"]),
        select(vec!["private", "private", "*"]),
    );
    let who = (
        prop_oneof![2 => Just(vec!["*"]), 5 => subsequence(&MEMBERS[..], 1..=3)],
        prop_oneof![3 => Just(vec![]), 1 => subsequence(&MEMBERS[1..], 1..=2)],
    );
    let condition = prop_oneof![2 => Just(None), 3 => select(&CONDITIONS[..]).prop_map(Some)];
    (head, who, condition).prop_map(|(((effect, from_control), actions, service, source), (members, except), condition)| Written {
        effect,
        from_control,
        actions,
        service,
        source,
        members,
        except,
        condition,
    })
}

fn members(texts: &[&str]) -> Vec<Member> {
    texts.iter().map(|text| Member::parse(text)).collect::<BTreeSet<_>>().into_iter().collect()
}

fn conditioned(effect: Effect, text: Option<&str>) -> Statement {
    let condition = text.map(|text| {
        let parsed = condition::parse(text).expect("a condition");
        Arc::new(Condition::new(parsed.expr, &Lists::default()).expect("a condition that fits"))
    });
    Statement {
        policy: PolicyId::new("P").expect("an id"),
        effect,
        actions: Actions::Any,
        service: Selector::Any,
        source: Selector::Any,
        members: vec![Member::Everyone],
        except: Vec::new(),
        condition,
        from_control: false,
    }
}

impl Written {
    /// The statement at a position of a law book.
    pub fn statement(&self, position: usize) -> Statement {
        let actions = Actions::Only(self.actions.iter().map(|&action| action.into()).collect());
        Statement {
            policy: PolicyId::new(&format!("P{position}")).expect("an id"),
            actions: if self.from_control { Actions::Any } else { actions },
            service: Selector::parse(self.service),
            source: Selector::parse(self.source),
            members: members(&self.members),
            except: members(&self.except),
            from_control: self.from_control,
            ..conditioned(self.effect, self.condition)
        }
    }
}

/// Every request, and for each condition the callers and documents that it holds for.
pub struct World {
    subjects: Vec<Request>,
    documents: Vec<Value>,
    headers: Vec<(&'static str, &'static str, &'static str)>,
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
    /// All there is.
    pub fn new() -> Self {
        let mut documents = Vec::new();
        for a in [Value::Null, json!(0), json!(1), json!(2), json!(3), json!({})] {
            for owner in [Value::Null, json!("ann@x"), json!("bob@x"), json!("eve@x"), json!("job"), json!("thing"), json!({})] {
                documents.push(json!({"a": a, "owner": owner}));
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
        let mut holding = HashMap::new();
        for effect in [Effect::Allow, Effect::Deny] {
            for text in CONDITIONS.into_iter().map(Some).chain([None]) {
                let statement = conditioned(effect, text);
                let requests = CALLERS.iter().flat_map(|(kind, id)| {
                    documents.iter().map(move |document| request(kind, id, &[], document, ("read", "report", "private")))
                });
                holding.insert((effect, text), requests.map(|request| applies(&statement, &request)).collect());
            }
        }
        Self { subjects, documents, headers, holding }
    }

    fn request(&self, subject: usize, document: usize, header: usize) -> Request {
        let asked = &self.subjects[subject];
        let groups: Vec<&str> = asked.subject.groups.iter().map(String::as_str).collect();
        request(&asked.subject.kind, &asked.subject.id, &groups, &self.documents[document], self.headers[header])
    }

    /// A law book in this world.
    pub fn brute(&self, law_book: &[Written]) -> Brute {
        let statements: Vec<Statement> = law_book.iter().enumerate().map(|(at, written)| written.statement(at)).collect();
        let masks: Vec<u32> = statements.iter().map(|statement| self.header_mask(statement)).collect();
        let per_id = self.subjects.len() / CALLERS.len();
        let mut rows: HashMap<Vec<(u32, u32)>, (usize, usize)> = HashMap::new();
        for (subject, asked) in self.subjects.iter().enumerate() {
            let meant: Vec<bool> = statements
                .iter()
                .map(|statement| {
                    let is = |member: &Member| matches(member, &asked.subject);
                    statement.members.iter().any(is) && !statement.except.iter().any(is)
                })
                .collect();
            for document in 0..self.documents.len() {
                let place = subject / per_id * self.documents.len() + document;
                let row = (0..statements.len()).map(|at| {
                    let holds = self.holding[&(law_book[at].effect, law_book[at].condition)][place];
                    let scope = if meant[at] { masks[at] } else { 0 };
                    (if holds { scope } else { 0 }, scope)
                });
                rows.entry(row.collect()).or_insert((subject, document));
            }
        }
        // One class for each set of statements that apply to some request.
        let mut applying: HashMap<u32, (usize, usize, usize)> = HashMap::new();
        let mut scopes = BTreeSet::new();
        for (row, (subject, document)) in rows {
            for header in 0..self.headers.len() {
                let of =
                    |masks: &dyn Fn(&(u32, u32)) -> u32| super::brute::set((0..row.len()).filter(|&at| masks(&row[at]) >> header & 1 == 1));
                let set = of(&|(applying, _)| *applying);
                scopes.insert((of(&|(_, scope)| *scope), set));
                let changes = u32::from(self.headers[header].0 == "update" && self.headers[header].1 == "policy") << 31;
                applying.entry(set | changes).or_insert((subject, document, header));
            }
        }
        let grants = bits(&statements, |statement| statement.effect == Effect::Allow);
        let brute = Brute { classes: applying.keys().copied().collect(), scopes, grants, statements };
        for (&set, &(subject, document, header)) in applying.iter().take(4) {
            let decision = decide(&brute.statements, &self.request(subject, document, header));
            assert_eq!(decision.allowed, brute.allowed(set, u32::MAX), "what is counted is what is decided");
        }
        brute
    }

    fn header_mask(&self, statement: &Statement) -> u32 {
        let selects = |(action, service, source): &(&str, &str, &str)| {
            statement.actions.contains(action) && statement.service.matches(service) && statement.source.matches(source)
        };
        self.headers.iter().enumerate().filter(|(_, header)| selects(header)).fold(0, |mask, (at, _)| mask | 1 << at)
    }
}

fn bits(statements: &[Statement], is: impl Fn(&Statement) -> bool) -> u32 {
    statements.iter().enumerate().filter(|(_, statement)| is(statement)).fold(0, |set, (at, _)| set | 1 << at)
}

/// The bits of some positions.
pub fn set(positions: impl IntoIterator<Item = usize>) -> u32 {
    positions.into_iter().fold(0, |set, position| set | 1 << position)
}

/// A law book with every set of its statements that some request has apply, as bits by position. The highest bit says that the request
/// is a change of policies.
pub struct Brute {
    /// The statements.
    pub statements: Vec<Statement>,
    classes: Vec<u32>,
    /// The statements that are about a request, whether their conditions hold or not, and those of them that apply.
    scopes: BTreeSet<(u32, u32)>,
    grants: u32,
}

impl Brute {
    /// Whether a request is allowed by the statements of `kept`.
    fn allowed(&self, applying: u32, kept: u32) -> bool {
        applying & kept & self.grants != 0 && applying & kept & !self.grants & !CHANGE == 0
    }

    /// Whether a statement applies to some request.
    pub fn can_apply(&self, position: usize) -> bool {
        self.classes.iter().any(|class| class >> position & 1 == 1)
    }

    /// Whether some of the others apply wherever a statement does.
    pub fn covered(&self, position: usize, by: u32) -> bool {
        self.classes.iter().all(|class| class >> position & 1 == 0 || class & by & !CHANGE != 0)
    }

    /// Whether some denials deny whatever is granted of what a denial denies.
    pub fn takes_nothing(&self, denial: usize, by: u32) -> bool {
        self.classes.iter().all(|class| class >> denial & 1 == 0 || class & self.grants == 0 || class & by & !CHANGE != 0)
    }

    /// Whether every request is decided alike by the statements of two sets.
    pub fn same(&self, one: u32, two: u32) -> bool {
        self.classes.iter().all(|&class| self.allowed(class, one) == self.allowed(class, two))
    }

    /// Whether some request that is within the scope of some statements makes none of `by` apply; `None` if there is no such request.
    pub fn can_be_met(&self, scope: u32, by: u32) -> Option<bool> {
        let within = || self.scopes.iter().filter(|(own, _)| own & scope == scope);
        within().next().map(|_| within().any(|(_, applying)| applying & by == 0))
    }

    /// Whether somebody may change policies.
    pub fn can_change_policies(&self) -> bool {
        self.classes.iter().any(|&class| class & CHANGE != 0 && self.allowed(class, u32::MAX))
    }

    /// The denials.
    pub fn denials(&self) -> u32 {
        bits(&self.statements, |statement| statement.effect == Effect::Deny)
    }

    /// All statements.
    pub fn all(&self) -> u32 {
        bits(&self.statements, |_| true)
    }

    /// Sets of statements that apply to some request.
    pub fn classes(&self) -> impl Iterator<Item = u32> {
        self.classes.iter().map(|class| class & !CHANGE)
    }
}

const CHANGE: u32 = 1 << 31;
