//! Templates as law books: what they make is canonical, has no finding, and decides as it says.

use lawbook::decision::Request;
use lawbook::decision::decide;
use lawbook::policy::format;
use lawbook::template::NewPolicy;
use lawbook::template::Presence;
use lawbook::template::TEMPLATES;
use lawbook::template::Template;
use lawbook::template::instantiate;
use lawbook::template::template;
use lawbook::workspace::Raw;
use lawbook::workspace::RawFile;
use lawbook::workspace::Workspace;
use serde_json::Map;
use serde_json::Value;
use serde_json::json;

/// Values for parameters: the examples of those that this chooses.
fn examples(template: &Template, chosen: fn(Presence) -> bool) -> Map<String, Value> {
    let parameters = template.parameters.iter().filter(|parameter| chosen(parameter.presence));
    parameters.map(|parameter| (parameter.name.to_owned(), parameter.from_setting(parameter.example).expect("a value"))).collect()
}

fn make(name: &str, settings: &[(&str, &str)]) -> Vec<NewPolicy> {
    let template = template(name).expect("a template");
    let value = |&(name, text): &(&str, &str)| {
        (name.to_owned(), template.parameter(name).and_then(|parameter| parameter.from_setting(text)).expect("a value"))
    };
    instantiate(name, None, &settings.iter().map(value).collect()).expect("policies")
}

/// A law book of files.
fn law_book<'a>(texts: impl IntoIterator<Item = &'a str>) -> Workspace {
    let file = |(at, text): (usize, &str)| RawFile { path: format!("policies/{at:02}.yaml"), content: Ok(text.as_bytes().to_vec()) };
    Workspace::new(Raw { files: texts.into_iter().enumerate().map(file).collect(), ..Raw::default() })
}

/// The rules that find something in a law book.
fn found(workspace: &Workspace) -> Vec<&'static str> {
    workspace.check(jiff::civil::date(2026, 7, 1)).iter().map(|finding| finding.rule).collect()
}

fn texts(policies: &[NewPolicy]) -> impl Iterator<Item = &str> {
    policies.iter().map(|policy| policy.text.as_str())
}

#[test]
fn what_a_template_makes_is_canonical_and_has_no_finding() {
    let mut all = Vec::new();
    for template in TEMPLATES {
        let made = instantiate(template.name, None, &examples(template, |_| true)).expect("policies");
        assert_eq!(found(&law_book(texts(&made))), Vec::<&str>::new(), "{} alone", template.name);
        for policy in &made {
            assert_eq!(format(&policy.text).as_deref(), Ok(policy.text.as_str()), "{}", template.name);
            let names = template.parameters.iter().map(|parameter| parameter.name).chain(["id"]);
            let left: Vec<&str> = names.filter(|name| policy.text.contains(&format!("<{name}>"))).collect();
            assert_eq!(left, Vec::<&str>::new(), "{}", template.name);
        }
        all.extend(made);
    }
    assert_eq!(found(&law_book(texts(&all))), Vec::<&str>::new(), "all together");
}

/// With nothing but what is required: a denial by itself is told in an empty law book, because there it denies nothing that is granted.
#[test]
fn what_is_left_out_is_left_out_of_the_policy() {
    for template in TEMPLATES {
        let made = instantiate(template.name, None, &examples(template, |presence| presence == Presence::Required)).expect("policies");
        assert_eq!(made.len(), 1, "{}", template.name);
        let expected: &[&str] = match template.name {
            "everyone-except" => &["unused-suppression", "inert-denial"],
            "hide-data-set" => &["inert-denial"],
            _ => &[],
        };
        assert_eq!(found(&law_book(texts(&made))), expected, "{}", template.name);
    }
    let grants = "_id: Grant\nservice: ledger\nactions: [read, update]\nmembers: [accounting]\n---\n_id: Other\nservice: object\nactions: [read]\nmembers: [interns]\n";
    let except = make("everyone-except", &[("except", "auditors"), ("service", "ledger")]);
    let hide = make("hide-data-set", &[("values", "X"), ("hidden-from", "interns"), ("service", "object")]);
    assert_eq!(found(&law_book([grants].into_iter().chain(texts(&except)).chain(texts(&hide)))), Vec::<&str>::new());
}

/// A request, as a caller with groups, an action on a document, and a context.
fn request(caller: &str, groups: &[&str], action: &str, service: &str, document: Value, context: Value) -> Request {
    let value = json!({"subject": {"type": "user", "id": caller, "properties": {"groups": groups}}, "action": {"name": action},
        "resource": {"type": service, "id": "1", "properties": document}, "context": context});
    Request::from_authzen(&value).expect("a request")
}

/// Requests that a template decides, with a grant of everything beside it for controls, which grant nothing themselves.
#[track_caller]
fn check(name: &str, settings: &[(&str, &str)], cases: &[(Request, bool)]) {
    let policies = make(name, settings);
    let grant = "_id: Everything\nservice: '*'\nactions: [create, read, update, delete, run]\nmembers: ['*']\n";
    let control = template(name).expect("a template").kind == lawbook::schema::Kind::Control;
    let set = law_book(texts(&policies).chain(control.then_some(grant))).compile().expect("it compiles");
    for (request, expected) in cases {
        assert_eq!(decide(set.statements(), request).allowed, *expected, "{name}: {request:?}");
    }
}

#[test]
fn a_team_reads_and_changes_nothing() {
    let ask = |groups: &[&str], action: &str, service: &str| request("ann@example.com", groups, action, service, json!({}), json!({}));
    check(
        "read-only-team",
        &[("team", "analysts,eve@example.com"), ("service", "report")],
        &[
            (ask(&["analysts"], "read", "report"), true),
            (request("Eve@example.com", &[], "read", "report", json!({}), json!({})), true),
            (ask(&["analysts"], "update", "report"), false),
            (ask(&["analysts"], "read", "object"), false),
            (ask(&["others"], "read", "report"), false),
            (request("ann@example.com", &["analysts"], "read", "report", json!({}), json!({"source": "public"})), false),
        ],
    );
}

#[test]
fn nobody_does_it_except_who_is_named() {
    let ask = |groups: &[&str], action: &str| request("ann@example.com", groups, action, "ledger", json!({}), json!({}));
    check(
        "everyone-except",
        &[("except", "auditors"), ("service", "ledger"), ("team", "accounting")],
        &[
            (ask(&["accounting"], "update"), false),
            (ask(&["accounting", "auditors"], "update"), true),
            (ask(&["accounting", "auditors"], "delete"), true),
            (ask(&["auditors"], "update"), false),
            (ask(&["accounting", "auditors"], "read"), false),
        ],
    );
}

#[test]
fn everybody_works_with_their_own_documents() {
    let ask = |action: &str, document: Value, context: Value| request("Ann@example.com", &[], action, "note", document, context);
    check(
        "own-documents",
        &[("service", "note"), ("attribute", "meta.`the owner`")],
        &[
            (ask("read", json!({"meta": {"the owner": "ann@example.com"}}), json!({})), true),
            (ask("update", json!({"meta": {"the owner": "ann@example.com"}}), json!({})), true),
            (
                ask(
                    "update",
                    json!({"meta": {"the owner": "ann@example.com"}}),
                    json!({"after": {"meta": {"the owner": "bob@example.com"}}}),
                ),
                false,
            ),
            (ask("delete", json!({"meta": {"the owner": "ann@example.com"}}), json!({})), false),
            (ask("read", json!({"meta": {"the owner": "bob@example.com"}}), json!({})), false),
            (ask("read", json!({}), json!({})), false),
        ],
    );
}

#[test]
fn a_data_set_is_hidden_from_those_who_see_the_rest() {
    let ask = |groups: &[&str], document: Value| request("ann@example.com", groups, "read", "object", document, json!({}));
    let settings = [
        ("values", r#"["it's, X","B"]"#),
        ("hidden-from", "interns"),
        ("service", "object"),
        ("readers", "interns,staff"),
        ("except", "hr"),
    ];
    check(
        "hide-data-set",
        &settings,
        &[
            (ask(&["interns"], json!({"dataset": "A"})), true),
            (ask(&["interns"], json!({})), true),
            (ask(&["interns"], json!({"dataset": "B"})), false),
            (ask(&["interns", "staff"], json!({"dataset": "it's, X"})), false),
            (ask(&["interns", "hr"], json!({"dataset": "B"})), true),
            (ask(&["staff"], json!({"dataset": "B"})), true),
            (ask(&["interns"], json!({"dataset": ["B"]})), false),
        ],
    );
}

#[test]
fn emergency_access_ends_and_needs_a_clock() {
    let ask = |groups: &[&str], action: &str, time: Value| {
        request("ann@example.com", groups, action, "payment", json!({}), json!({"time": time}))
    };
    let settings = [
        ("members", "on-call"),
        ("service", "payment"),
        ("expires", "2026-08-01T08:00:00+02:00"),
        ("owner", "eve"),
        ("reason", "it's: down # now"),
    ];
    check(
        "break-glass",
        &settings,
        &[
            (ask(&["on-call"], "update", json!("2026-08-01T05:59:59Z")), true),
            (ask(&["on-call"], "update", json!("2026-08-01T06:00:00Z")), false),
            (ask(&["on-call"], "update", json!("2027-01-01T00:00:00Z")), false),
            // An offset would compare wrongly, so another form of the time is none.
            (ask(&["on-call"], "update", json!("2026-08-01T05:00:00-05:00")), false),
            (ask(&["on-call"], "update", Value::Null), false),
            (ask(&["on-call"], "delete", json!("2026-08-01T05:59:59Z")), false),
            (ask(&[], "update", json!("2026-08-01T05:59:59Z")), false),
        ],
    );
}

#[test]
fn a_second_factor_is_needed() {
    let ask = |service: &str, context: Value| request("ann@example.com", &[], "read", service, json!({}), context);
    check(
        "mfa-control",
        &[("service", "payroll"), ("factors", "webauthn")],
        &[
            (ask("payroll", json!({"mfa": "webauthn"})), true),
            (ask("payroll", json!({"mfa": "totp"})), false),
            (ask("payroll", json!({})), false),
            (ask("report", json!({})), true),
        ],
    );
    check("mfa-control", &[], &[(ask("report", json!({})), false), (ask("report", json!({"mfa": "totp"})), true)]);
    let robot = request("ann@example.com", &["robots"], "read", "report", json!({}), json!({}));
    check("mfa-control", &[("except", "robots")], &[(robot, true)]);
}

#[test]
fn requests_come_from_known_networks() {
    let ask = |ip: Value| request("ann@example.com", &[], "read", "payroll", json!({}), json!({"ip": ip}));
    check(
        "network-allow-list",
        &[("networks", "10.0.0.0/8,2001:db8::/32")],
        &[
            (ask(json!("10.1.2.3")), true),
            (ask(json!("2001:db8::1")), true),
            (ask(json!("192.0.2.1")), false),
            (ask(json!("10.1.2.3, 192.0.2.1")), false),
            (ask(Value::Null), false),
        ],
    );
}

#[test]
fn a_session_ends() {
    let ask = |age: Value, idle: Value| {
        request("ann@example.com", &[], "read", "payroll", json!({}), json!({"session_minutes": age, "idle_minutes": idle}))
    };
    check(
        "session-limits",
        &[("max-minutes", "60")],
        &[
            (ask(json!(60), json!(15)), true),
            (ask(json!(61), json!(0)), false),
            (ask(json!(1), json!(15.5)), false),
            (ask(json!("1"), json!(1)), false),
            (ask(json!(1), Value::Null), false),
        ],
    );
}

/// Values that are built to leave their place: the policy has them as they are, or there is none.
#[test]
fn hostile_values_stay_where_they_belong() {
    let hostile = [
        "it's",
        "say \"it\"",
        "a: b",
        "a # comment",
        "# a",
        "- a",
        "{me}",
        "{context.x}",
        "x' or '1' = '1",
        "\\",
        "\\'",
        "a\\",
        "&a",
        "*a",
        "!!a",
        "|",
        "> a",
        "---",
        "...",
        "<reason>",
        "<id>",
        "no",
        "null",
        "1e3",
        "0x10",
        "2026-01-01",
        "%",
        "@a",
        "`a`",
        "[a]",
        "{a: b}",
        "é 漢",
        "a,b",
        "? a",
        "a:",
        "= 1",
    ];
    for value in hostile {
        let settings = json!({"members": ["on-call"], "service": value, "expires": "2026-08-01T06:00:00Z", "owner": value, "reason": value, "ticket": value});
        let made = instantiate("break-glass", Some("B"), settings.as_object().expect("an object")).expect(value);
        let [policy] = made.as_slice() else { panic!("one policy") };
        let read = law_book([policy.text.as_str()]);
        let [only] = read.book.set.policies() else { panic!("one policy: {}", policy.text) };
        let lawbook::policy::Policy::Access(access) = &**only else { panic!("an access policy") };
        let metadata = json!({"owner": value, "reason": value, "ticket": value, "expires": "2026-08-01T06:00:00Z"});
        assert_eq!(access.metadata.clone().map(Value::from), Some(metadata), "{}", policy.text);
        assert_eq!((access.service.as_str(), access.members.len(), access.enabled), (value, 1, true));
        assert_eq!(format(&policy.text).as_deref(), Ok(policy.text.as_str()));

        let settings = json!({"values": [value], "hidden-from": ["interns"], "service": "object", "readers": ["interns"]});
        match instantiate("hide-data-set", Some("H"), settings.as_object().expect("an object")) {
            Err(error) => assert!(["{me}", "{context.x}"].contains(&value), "{error}"),
            Ok(made) => {
                let set = law_book(texts(&made)).compile().expect("it compiles");
                let ask =
                    |dataset: &str| request("ann@example.com", &["interns"], "read", "object", json!({"dataset": dataset}), json!({}));
                assert!(!decide(set.statements(), &ask(value)).allowed && decide(set.statements(), &ask("other")).allowed, "{value}");
            }
        }
    }
    let long: Vec<String> = (0..500).map(|at| format!("{at:0500}")).collect();
    let settings = json!({"values": long, "hidden-from": ["interns"], "service": "object"});
    let error = instantiate("hide-data-set", None, settings.as_object().expect("an object")).expect_err("longer than a condition may be");
    assert!(error.to_string().starts_with("the template `hide-data-set` cannot be filled in: "), "{error}");
    for value in ["a\nb", "a\r\n_id: B", "a\tb", "\u{202e}a", "a\u{2028}b", "a\u{85}b", "\0", ""] {
        let settings = json!({"team": ["a"], "service": value});
        assert!(instantiate("read-only-team", None, settings.as_object().expect("an object")).is_err(), "{value:?}");
    }
}
