//! Who there is, as `directory.yaml` says: every caller with groups and properties.
//!
//! With a directory, what the linter says of "some caller" it can say of the callers there are. Each user is the very
//! [`Subject`] that a request of that user would carry, so that nothing has to be translated before `decide` is asked. What
//! is served never depends on it: a directory that is broken is told, and is then no directory.

use std::collections::BTreeSet;
use std::collections::HashMap;

use serde_json::Map;
use serde_json::Value;

use crate::decision::Subject;
use crate::decision::matches;
use crate::policy::Member;
use crate::policy::caller_id;
use crate::schema::Violation;
use crate::schema::directory_violations;
use crate::source::SourceId;
use crate::source::Span;
use crate::syntax;
use crate::syntax::Node;
use crate::syntax::SyntaxError;

/// How many problems of one directory are told; more say nothing new.
const PROBLEMS: usize = 100;

/// The type of a caller that does not say.
const DEFAULT_TYPE: &str = "user";

/// A caller that there is.
#[derive(Debug, Clone, PartialEq)]
pub struct User {
    /// The caller, as in a request: the id normalised, and `groups` also among the properties when the file gives them.
    pub subject: Subject,
    /// Where the file names it: its id.
    pub span: Span,
}

/// Every caller there is.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Directory {
    /// In the order of the file. No two have the same type and id.
    pub users: Vec<User>,
}

/// What is wrong with a directory, and where.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DirectoryProblem {
    /// The place.
    pub span: Span,
    /// What is wrong: lower case, no full stop.
    pub message: String,
    /// What to do next.
    pub help: String,
    /// Other places that matter, with words for them.
    pub related: Vec<(Span, String)>,
}

impl DirectoryProblem {
    /// A problem at one place.
    pub fn new(span: Span, message: impl Into<String>, help: impl Into<String>) -> Self {
        Self { span, message: message.into(), help: help.into(), related: Vec::new() }
    }
}

impl From<SyntaxError> for DirectoryProblem {
    fn from(error: SyntaxError) -> Self {
        let help = error.help.unwrap_or_else(|| "correct the text at this place".to_owned());
        Self { span: error.span, message: error.message, help, related: error.related }
    }
}

impl Directory {
    /// Reads the text of a directory.
    ///
    /// # Errors
    /// What is wrong with it, in the order of the file: it is not YAML, not of the published schema, or lists a caller twice.
    pub fn read(source: SourceId, text: &str) -> Result<Self, Vec<DirectoryProblem>> {
        let root = root(source, text)?;
        let value = root.to_json();
        let violations = directory_violations(&value, PROBLEMS).map_err(|error| {
            vec![DirectoryProblem::new(Span::new(source, 0..0), error.to_string(), "report this as a defect of lawbook")]
        })?;
        if !violations.is_empty() {
            let otherwise = || "`lawbook schema directory` shows what each field takes".to_owned();
            let problem = |one: Violation| DirectoryProblem::new(one.place.span(&root), one.message, one.help.unwrap_or_else(otherwise));
            return Err(violations.into_iter().map(problem).collect());
        }
        let users: Vec<User> = root.get("users").map_or(&[][..], Node::items).iter().map(user).collect();
        let repeated = repeated(&users);
        if repeated.is_empty() { Ok(Self { users }) } else { Err(repeated) }
    }

    /// Every member, apart from `*`, that some user is: addresses in lower case, `type:id`, and the ids of groups. An entry of
    /// `members` is somebody if and only if its [`caller_id`] is among them.
    pub fn members(&self) -> BTreeSet<String> {
        let subjects = || self.users.iter().map(|user| &user.subject);
        let groups: BTreeSet<&String> = subjects().flat_map(|subject| &subject.groups).collect();
        let groups = groups.into_iter().filter(|id| matches!(Member::parse(id), Member::Group(_)));
        let callers = subjects().map(|subject| (name(subject), subject));
        // Some callers cannot be named: `service:a@b` is read as the address of a user.
        let named = callers.filter(|(name, subject)| matches(&Member::parse(name), subject));
        groups.cloned().chain(named.map(|(name, _)| name)).collect()
    }
}

/// The one document of the file.
fn root(source: SourceId, text: &str) -> Result<Node, Vec<DirectoryProblem>> {
    let parsed = syntax::parse(source, text);
    if !parsed.errors.is_empty() {
        return Err(parsed.errors.into_iter().map(DirectoryProblem::from).collect());
    }
    let mut roots = parsed.documents.into_iter().filter_map(|document| document.root);
    let Some(root) = roots.next() else {
        // A write that was cut off leaves such a file; taken for a world without callers, it would make every member unknown.
        let help = "write `users:` and the list of all users, or delete the file; an empty file is usually a write that was cut off";
        return Err(vec![DirectoryProblem::new(Span::new(source, 0..0), "the directory says nothing", help)]);
    };
    match roots.next() {
        Some(second) => {
            let span = second.entries().first().map_or(second.span, |entry| entry.key_span);
            Err(vec![DirectoryProblem::new(
                span,
                "a directory is one document, and here begins another one",
                "put all users under one `users`",
            )])
        }
        None => Ok(root),
    }
}

/// The user of an entry that the schema has accepted.
fn user(entry: &Node) -> User {
    let text = |field: &str| entry.get(field).and_then(Node::as_str);
    let mut properties: Map<String, Value> =
        entry.get("properties").and_then(|node| node.to_json().as_object().cloned()).unwrap_or_default();
    // A request carries its groups among the properties, where a condition finds them as `{me.groups}`.
    if let Some(groups) = entry.get("groups") {
        properties.insert("groups".to_owned(), groups.to_json());
    }
    let groups = entry.get("groups").map_or(&[][..], Node::items).iter().filter_map(Node::as_str).map(str::to_owned);
    let subject = Subject {
        kind: text("type").unwrap_or(DEFAULT_TYPE).to_owned(),
        id: caller_id(text("id").unwrap_or_default()),
        groups: groups.collect(),
        properties,
    };
    User { subject, span: entry.get("id").map_or(entry.span, |id| id.span) }
}

/// A caller as `members` of a policy spell it.
fn name(subject: &Subject) -> String {
    if subject.kind == DEFAULT_TYPE && subject.id.contains('@') { subject.id.clone() } else { format!("{}:{}", subject.kind, subject.id) }
}

/// Callers that are listed again.
fn repeated(users: &[User]) -> Vec<DirectoryProblem> {
    let mut first: HashMap<(&str, &str), Span> = HashMap::with_capacity(users.len());
    let mut problems = Vec::new();
    for user in users {
        let earlier = *first.entry((&user.subject.kind, &user.subject.id)).or_insert(user.span);
        if earlier != user.span {
            let message = format!("`{}` is listed already", name(&user.subject));
            let help = "keep one of the two, with the groups and properties of both; ids with `@` are compared in lower case";
            let problem = DirectoryProblem::new(user.span, message, help);
            problems.push(DirectoryProblem { related: vec![(earlier, "listed here first".to_owned())], ..problem });
        }
        if problems.len() == PROBLEMS {
            break;
        }
    }
    problems
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::decision::Request;

    fn read(text: &str) -> Directory {
        Directory::read(SourceId::new(0), text).expect(text)
    }

    #[test]
    fn a_user_is_the_caller_that_a_request_of_it_carries() {
        let text = "# comment\nusers:\n  - id: Ann@Example.com\n    groups: [staff, admins]\n    properties: { department: finance, level: 3 }\n  - {type: service, id: backup}\n";
        let directory = read(text);
        let request = |subject: Value| {
            let request = json!({"subject": subject, "action": {"name": "read"}, "resource": {"type": "report", "id": "r"}});
            Request::from_authzen(&request).expect("a request").subject
        };
        let properties = json!({"department": "finance", "level": 3, "groups": ["staff", "admins"]});
        let expected = [
            request(json!({"type": "user", "id": "ANN@example.com", "properties": properties})),
            request(json!({"type": "service", "id": "backup"})),
        ];
        assert_eq!(directory.users.iter().map(|user| user.subject.clone()).collect::<Vec<_>>(), expected);
        assert_eq!(directory.users.iter().map(|user| &text[user.span.range()]).collect::<Vec<_>>(), ["Ann@Example.com", "backup"]);
    }

    #[track_caller]
    fn refused(text: &str, expected: &[(&str, &str)]) {
        let problems = Directory::read(SourceId::new(0), text).expect_err(text);
        let found: Vec<_> = problems.iter().map(|one| (&text[one.span.range()], one.message.as_str())).collect();
        assert_eq!(found, expected, "{text:?}");
        assert!(problems.iter().all(|one| !one.help.is_empty()), "{text:?}");
    }

    #[test]
    fn what_is_no_directory_is_told_with_its_place() {
        refused("", &[("", "the directory says nothing")]);
        refused("# nobody\n", &[("", "the directory says nothing")]);
        refused("users: [", &[("[", "`[` is never closed")]);
        refused("users: []\n---\nusers: []\n", &[("users", "a directory is one document, and here begins another one")]);
        refused("users: []\nuser: []\n", &[("user", "a directory has no field `user`")]);
        refused("users:\n- id: a\n  id: b\n", &[("id", "the key `id` is given twice")]);
        refused("users:\n- {id: a, grup: []}\n", &[("grup", "a user has no field `grup`")]);
    }

    #[test]
    fn a_caller_is_listed_once() {
        read("users: [{id: a}, {id: A}, {id: a, type: service}, {id: b@c}, {id: b@c, type: service}]");
        let text = "users: [{id: A@b}, {id: a@B}, {id: x, type: service}, {type: service, id: x}, {type: service, id: 'x'}]";
        refused(
            text,
            &[("a@B", "`a@b` is listed already"), ("x", "`service:x` is listed already"), ("'x'", "`service:x` is listed already")],
        );
        let many: String = (0..2 * PROBLEMS).map(|_| "- id: a\n").collect();
        let problems = Directory::read(SourceId::new(0), &format!("users:\n{many}")).expect_err("repeated");
        assert_eq!(problems.len(), PROBLEMS);
    }

    /// The members that the set knows are those that the definition of a decision knows.
    #[test]
    fn a_member_is_somebody_exactly_if_it_matches_a_user() {
        let texts = ["a", "a@b", "A@b", "x:a", "x:a@b", "user:a", "user:a@b", "user:A", "X:a", "", "x", "x:", ":a", "a:b:c"];
        let kinds = ["user", "x", "X", "service"];
        let mut users = vec![Subject::default()];
        for id in texts.into_iter().filter(|id| !id.is_empty()) {
            users.extend(kinds.map(|kind| Subject { kind: kind.to_owned(), id: caller_id(id), ..Subject::default() }));
            users.push(Subject { kind: "user".to_owned(), id: "z".to_owned(), groups: [id.to_owned()].into(), ..Subject::default() });
        }
        users.push(Subject { kind: "user".to_owned(), id: "z".to_owned(), groups: ["*".to_owned()].into(), ..Subject::default() });
        for subject in users {
            let directory = Directory { users: vec![User { subject: subject.clone(), span: Span::new(SourceId::new(0), 0..0) }] };
            for text in texts.into_iter().filter(|text| !text.is_empty()) {
                let expected = matches(&Member::parse(text), &subject);
                assert_eq!(directory.members().contains(&caller_id(text)), expected, "{text:?} {subject:?}");
            }
            assert!(!directory.members().contains("*"));
        }
    }

    #[test]
    fn hostile_text_is_a_problem_and_takes_no_time() {
        let bomb: String = std::iter::once("a0: &a0 [x, x, x, x, x, x, x, x, x, x]\n".to_owned())
            .chain((1..12).map(|n| format!("a{n}: &a{n} [{}]\n", vec![format!("*a{}", n - 1); 10].join(", "))))
            .collect();
        let deep = format!("users: [{{id: a, properties: {{a: {}}}}}]", "[".repeat(100_000));
        let wrong = format!("users: [{}]", "1, ".repeat(200_000));
        let same = format!("users: [{}]", "{id: a}, ".repeat(100_000));
        for text in [bomb, deep, wrong, same] {
            let problems = Directory::read(SourceId::new(0), &text).expect_err("hostile");
            assert!((1..=PROBLEMS).contains(&problems.len()), "{}", problems.len());
        }
    }
}
