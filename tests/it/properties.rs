//! Properties that hold for every law book: the index, the bundle and the definition give the same decision.

use std::sync::Arc;

use lawbook::bundle::contents::Contents;
use lawbook::bundle::contents::self_test;
use lawbook::decision::Index;
use lawbook::decision::Request;
use lawbook::decision::decide;
use lawbook::workspace::Raw;
use lawbook::workspace::RawFile;
use lawbook::workspace::Workspace;
use proptest::prelude::*;
use proptest::sample::select;
use proptest::sample::subsequence;
use serde_json::Value;
use serde_json::json;

const CONFIG: &str = "[attributes]\ntags = \"list\"\n";

fn condition() -> impl Strategy<Value = Option<&'static str>> {
    select(vec![
        None,
        Some("category = 'a'"),
        Some("category != 'a'"),
        Some("price > 5 and price <= 10"),
        Some("not (category in ('a', 'b')) or price = 7"),
        Some("owner = {me}"),
        Some("tags = 'x' and not (tags = 'y')"),
        Some("name like 'a%'"),
        Some("exists name"),
        Some("{context.mfa} = 'totp'"),
        Some("{me.level} >= 3"),
    ])
}

fn some(of: &'static [&'static str]) -> impl Strategy<Value = Vec<&'static str>> {
    subsequence(of.to_vec(), 1..=of.len())
}

/// Exceptions: often none, sometimes more than a caller has groups.
fn except() -> impl Strategy<Value = Option<Vec<&'static str>>> {
    let all =
        &["ann@EXAMPLE.com", "bob@example.com", "staff", "ops", "interns", "board", "service:job", "service:ops", "user:bob", "user:staff"];
    prop::option::of(prop_oneof![subsequence(&all[..], 1..3), subsequence(&all[..], 1..=all.len())])
}

fn access() -> impl Strategy<Value = Value> {
    let head = (select(vec!["report", "object", "*"]), select(vec!["private", "public", "*"]), condition());
    let tail = (
        some(&["create", "read", "update"]),
        some(&["*", "Ann@Example.com", "staff", "ops", "service:job"]),
        except(),
        any::<bool>(),
        prop::bool::weighted(0.9),
    );
    (head, tail).prop_map(|((service, source, condition), (actions, members, except, deny, enabled))| {
        let mut policy =
            json!({"service": service, "source": source, "actions": actions, "members": members, "deny": deny, "enabled": enabled});
        if let Some(text) = condition {
            policy["condition"] = text.into();
        }
        if let Some(except) = except {
            policy["except"] = except.into();
        }
        policy
    })
}

fn control() -> impl Strategy<Value = Value> {
    let head = (condition(), prop::option::of(select(vec!["report", "object"])), except(), prop::bool::weighted(0.8));
    head.prop_map(|(require, service, except, enabled)| {
        let mut policy = json!({"name": "C", "type": "access", "enabled": enabled});
        if let Some(text) = require {
            policy["require"] = text.into();
            if let Some(service) = service {
                policy["service"] = service.into();
            }
            if let Some(except) = except {
                policy["except"] = except.into();
            }
        }
        policy
    })
}

/// A law book of up to eight policies, each in a file of its own.
fn law_book() -> impl Strategy<Value = Workspace> {
    let policies = prop::collection::vec(prop_oneof![4 => access().prop_map(|p| ("_id", p)), 1 => control().prop_map(|p| ("id", p))], 0..8);
    policies.prop_map(|policies| {
        let file = |(at, (field, mut policy)): (usize, (&str, Value))| {
            policy[field] = format!("P{at}").into();
            RawFile { path: format!("policies/{at}.json"), content: Ok(policy.to_string().into_bytes()) }
        };
        let config = RawFile { path: "lawbook.toml".to_owned(), content: Ok(CONFIG.into()) };
        Workspace::new(Raw { config: Some(config), files: policies.into_iter().enumerate().map(file).collect(), ..Raw::default() })
    })
}

fn attribute() -> impl Strategy<Value = Value> {
    select(vec![
        json!(null),
        json!("a"),
        json!("b"),
        json!("ann@example.com"),
        json!(7),
        json!(6.5),
        json!(true),
        json!([]),
        json!(["x"]),
        json!(["x", "y"]),
        json!({"k": 1}),
    ])
}

fn request() -> impl Strategy<Value = Request> {
    let subject = (
        select(vec![("user", "ann@example.com"), ("user", "ANN@example.com"), ("user", "bob"), ("service", "job")]),
        subsequence(vec!["staff", "ops"], 0..=2),
    );
    let place =
        (select(vec!["create", "read", "update", "delete"]), select(vec!["report", "object", "other"]), select(vec!["private", "public"]));
    let document = || prop::collection::btree_map(select(vec!["category", "price", "owner", "tags", "name"]), attribute(), 0..5);
    let facts = (prop::option::of(select(vec!["totp", "none"])), prop::option::of(0..5), prop::option::of(document()));
    (subject, place, document(), facts).prop_map(|(((kind, id), groups), (action, service, source), document, (mfa, level, after))| {
        let value = json!({
            "subject": {"type": kind, "id": id, "properties": {"groups": groups, "level": level}},
            "action": {"name": action},
            "resource": {"type": service, "id": "d", "properties": document},
            "context": {"source": source, "mfa": mfa, "after": after},
        });
        Request::from_authzen(&value).expect("a request")
    })
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 400, ..ProptestConfig::default() })]

    #[test]
    fn the_index_and_an_opened_bundle_decide_as_the_definition_does(workspace in law_book(), requests in prop::collection::vec(request(), 1..20)) {
        let set = workspace.compile().expect("compiles");
        let index = Index::new(Arc::clone(&set));
        let entries = workspace.contents(|_| None).to_entries("test").expect("entries");
        let (contents, opened) = Contents::from_entries(&entries).expect("opens");
        prop_assert_eq!(self_test(&entries, &opened), Ok(()));
        prop_assert_eq!(contents, workspace.contents(|_| None));
        for request in &requests {
            let decision = decide(set.statements(), request);
            prop_assert_eq!(&index.decide(request), &decision);
            prop_assert_eq!(&opened.decide(request), &decision);
        }
    }

    #[test]
    fn a_decision_does_not_depend_on_the_order_of_the_statements(workspace in law_book(), request in request()) {
        let set = workspace.compile().expect("compiles");
        let forward = decide(set.statements(), &request);
        let reversed: Vec<_> = set.statements().iter().rev().cloned().collect();
        prop_assert_eq!(decide(&reversed, &request).allowed, forward.allowed);
    }

    #[test]
    fn one_more_denial_never_allows_more(workspace in law_book(), denial in access(), request in request()) {
        let set = workspace.compile().expect("compiles");
        let mut denial = denial;
        denial["_id"] = "extra".into();
        denial["deny"] = true.into();
        let file = RawFile { path: "policies/extra.json".to_owned(), content: Ok(denial.to_string().into_bytes()) };
        let extra = Workspace::new(Raw { files: vec![file], ..Raw::default() }).compile().expect("compiles");
        let both: Vec<_> = set.statements().iter().chain(extra.statements()).cloned().collect();
        prop_assert!(decide(set.statements(), &request).allowed || !decide(&both, &request).allowed);
    }

    /// Said in words that share nothing with `matches`: an exception is as if the policy were not there for whom it names.
    #[test]
    fn a_policy_is_not_there_for_whom_it_excepts(workspace in law_book(), request in request()) {
        let set = workspace.compile().expect("compiles");
        let caller = &request.subject;
        let is_named = |text: &str| match text.split_once(':') {
            _ if text.contains('@') => caller.kind == "user" && text.eq_ignore_ascii_case(&caller.id),
            Some((kind, id)) => (kind, id) == (caller.kind.as_str(), caller.id.as_str()),
            None => caller.groups.contains(text),
        };
        let excepted = |id: &str| set.get(id).and_then(|policy| policy.except().map(<[String]>::to_vec)).unwrap_or_default();
        let left = set.statements().iter().filter(|one| !excepted(one.policy.as_str()).iter().any(|text| is_named(text)));
        let left: Vec<_> = left.map(|one| lawbook::policy::Statement { except: Vec::new(), ..(**one).clone() }).collect();
        prop_assert_eq!(decide(&left, &request), decide(set.statements(), &request));
    }
}
