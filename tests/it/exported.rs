//! Exports of the trail against those who touch them: with a repository, with a checkpoint alone, and alone.

use std::fs;
use std::path::Path;
use std::process::Command;

use lawbook::history::MEMBERS;
use lawbook::history::Sha256Hash;
use serde_json::Map;
use serde_json::Value;
use serde_json::json;

use crate::checkpoint::Case;
use crate::running::skipped;

fn export(case: &Case, more: &[&str]) -> Vec<Value> {
    let (status, text) = case.run(&[&["audit", "--format", "jsonl"], more].concat());
    assert_eq!(status, 0, "{text}");
    text.lines().map(|line| serde_json::from_str(line).expect("JSON")).collect()
}

fn write(case: &Case, events: &[Value]) -> String {
    let text: String = events.iter().map(|event| format!("{event}\n")).collect();
    fs::write(case.file("export"), text).expect("written");
    case.name("export")
}

/// The flaw that is found with the repository and the checkpoint, with the checkpoint alone, and with the file alone.
fn flaws(case: &Case, events: &[Value]) -> [Option<Value>; 3] {
    let file = write(case, events);
    let flaw = |(status, value): (i32, Value)| {
        let flaw = value["export"]["flaw"].clone();
        assert_eq!(status, i32::from(!flaw.is_null()), "{value:#}");
        (!flaw.is_null()).then_some(flaw)
    };
    let outside = case.files.path();
    let alone = Command::new(env!("CARGO_BIN_EXE_lawbook"))
        .args(["audit", "verify", "--format", "json", "--export", &file])
        .current_dir(outside)
        .output()
        .expect("lawbook runs");
    let alone = (alone.status.code().expect("a status"), serde_json::from_slice(&alone.stdout).expect("JSON"));
    [flaw(case.verify_in(&case.repository.path(), &["--export", &file])), flaw(case.verify_in(outside, &["--export", &file])), flaw(alone)]
}

fn kinds(case: &Case, events: &[Value]) -> [Option<String>; 3] {
    flaws(case, events).map(|flaw| flaw.map(|flaw| flaw["kind"].as_str().expect("a word").to_owned()))
}

#[track_caller]
fn check(case: &Case, events: &[Value], expected: [&str; 3]) {
    let expected = expected.map(|kind| (!kind.is_empty()).then(|| kind.to_owned()));
    assert_eq!(kinds(case, events), expected);
}

/// Another value of the same type.
fn touched(value: &Value) -> Value {
    match value {
        Value::Null => json!("something"),
        Value::Bool(value) => json!(!value),
        Value::Number(number) => json!(number.as_u64().unwrap_or_default() + 1000),
        Value::String(text) if text.len() == 64 => json!("f".repeat(64)),
        Value::String(text) => json!(format!("{text}x")),
        Value::Array(items) if items.is_empty() => json!(["something"]),
        Value::Array(items) => json!(items[1..]),
        Value::Object(fields) => {
            let mut fields = fields.clone();
            let first = fields.values_mut().next().expect("a field");
            *first = touched(first);
            Value::Object(fields)
        }
    }
}

#[test]
fn no_member_of_any_event_can_be_touched() {
    let case = Case::new();
    let events = export(&case, &[]);
    assert_eq!(flaws(&case, &events), [None, None, None]);
    for at in 0..events.len() {
        for member in MEMBERS {
            // That a member is missing does not depend on its value, so one event is enough for that.
            for gone in if at == 0 { [false, true].as_slice() } else { &[false] } {
                let mut touched_events = events.clone();
                let event = touched_events[at].as_object_mut().expect("an object");
                let new = touched(&event[member]);
                let seq = event["seq"].as_u64();
                drop(if *gone { event.remove(member) } else { event.insert(member.to_owned(), new.clone()) });
                let [here, signed, _] = flaws(&case, &touched_events);
                let here = here.unwrap_or_else(|| panic!("{member} of event {at} was touched"));
                assert!(signed.is_some(), "{member} of event {at} was touched, and the checkpoint does not show it");
                if member != "seq" {
                    assert_eq!((&here["kind"], &here["member"]), (&json!("member"), &json!(member)));
                    assert_eq!((here["seq"].as_u64(), &here["computed"]), (seq, &events[at][member]));
                    assert_eq!(here["exported"], if *gone { Value::Null } else { new });
                }
            }
        }
    }
}

#[test]
fn a_member_beside_the_chain_is_compared_when_it_can_be_computed() {
    let case = Case::new();
    let mut events = export(&case, &[]);
    let beside: Vec<String> =
        events[1].as_object().expect("an object").keys().filter(|name| !MEMBERS.contains(&name.as_str())).cloned().collect();
    for member in beside {
        let mut touched_events = events.clone();
        touched_events[1][&member] = touched(&events[1][&member]);
        check(&case, &touched_events, ["member", "", ""]);
    }
    events[1]["weather"] = json!("fine");
    let file = write(&case, &events);
    let (status, value) = case.verify_in(&case.repository.path(), &["--export", &file]);
    assert_eq!((status, &value["export"]["not_compared"]), (0, &json!(["weather"])));
}

/// Whoever touches an event may chain the rest anew; then the head is another one.
fn chained_anew(events: &mut [Value]) {
    let mut prev = Sha256Hash::ZERO;
    for event in events {
        event["prev"] = json!(prev.to_string());
        let own: Map<String, Value> = event
            .as_object()
            .expect("an object")
            .iter()
            .filter(|(name, _)| MEMBERS.contains(&name.as_str()))
            .map(|(name, value)| (name.clone(), value.clone()))
            .collect();
        prev = Sha256Hash::of_json(&own);
    }
}

#[test]
fn a_chain_that_was_made_anew_has_another_head() {
    let case = Case::new();
    let mut events = export(&case, &[]);
    events[2]["subject"] = json!("Nothing to see here");
    chained_anew(&mut events);
    check(&case, &events, ["member", "head", ""]);
    let mut events = export(&case, &[]);
    events.remove(1);
    for (at, event) in events.iter_mut().enumerate() {
        event["seq"] = json!(at + 1);
    }
    chained_anew(&mut events);
    check(&case, &events, ["member", "loose", ""]);
}

#[test]
fn events_that_are_moved_left_out_or_made_up_are_found() {
    let case = Case::new();
    let events = export(&case, &[]);
    let order = |numbers: &[usize]| numbers.iter().map(|&at| events[at].clone()).collect::<Vec<_>>();
    check(&case, &order(&[0, 2, 1, 3]), ["order", "order", "order"]);
    check(&case, &order(&[3, 2, 1, 0]), ["order", "order", "order"]);
    check(&case, &order(&[0, 1, 1, 2, 3]), ["order", "order", "order"]);
    check(&case, &order(&[0, 1, 2]), ["", "loose", ""]);
    check(&case, &order(&[0, 1, 3]), ["", "loose", ""]);
    check(&case, &order(&[2, 3]), ["", "", ""]);
    check(&case, &order(&[1]), ["", "loose", ""]);
    check(&case, &[], ["", "loose", ""]);
    let mut more = order(&[0, 1, 2, 3, 3]);
    more[4]["seq"] = json!(5);
    chained_anew(&mut more);
    check(&case, &more, ["surplus", "", ""]);
    let file = write(&case, &order(&[0, 3]));
    let (_, value) = case.verify_in(&case.repository.path(), &["--export", &file]);
    let export = &value["export"];
    let found = ["events", "first", "last", "gaps", "compared_with"].map(|member| export[member].as_u64());
    assert_eq!(found, [2, 1, 4, 1, 4].map(Some));
}

#[test]
fn both_formats_are_read_and_what_is_twice_is_refused_with_its_line() {
    let case = Case::new();
    let (_, text) = case.run(&["audit", "--format", "json"]);
    let verify = |text: &str| {
        fs::write(case.file("export"), text).expect("written");
        let (status, value) = case.verify_in(&case.repository.path(), &["--export", &case.name("export")]);
        (status, value["export"]["flaw"].clone())
    };
    assert_eq!(verify(&text), (0, Value::Null));
    let tip = case.repository.git(&["rev-parse", "HEAD"]);
    assert_eq!(verify(&text.replacen(&tip, &"a".repeat(40), 1)).1["kind"], "tip");
    assert_eq!(verify(&text.replacen("\"partial\": null", "\"partial\": \"the clone is shallow\"", 1)).1["kind"], "malformed");
    let twice = text.replacen("\"seq\": 2,", "\"seq\": 2,\n      \"seq\": 2,", 1);
    let line = twice.lines().position(|line| line.contains("\"seq\": 2,")).expect("a line") as u64 + 2;
    let (status, flaw) = verify(&twice);
    assert_eq!((status, &flaw["kind"], flaw["line"].as_u64()), (1, &json!("malformed"), Some(line)), "{flaw:#}");
    assert_eq!(flaw["problem"], "the name `seq` stands twice in one object");
    let lines: Vec<String> = export(&case, &[]).iter().map(Value::to_string).collect();
    let (status, flaw) = verify(&format!("{}\n{}\n{{\n", lines[0], lines[1]));
    assert_eq!((status, flaw["line"].as_u64()), (1, Some(4)), "{flaw:#}");
    assert_eq!(case.run(&["audit", "verify", "--export", &case.name("none")]).0, 2);
}

#[test]
fn an_export_still_shows_what_was_signed_when_the_repository_does_not() {
    let case = Case::new();
    let events = export(&case, &[]);
    case.repository.git(&["rebase", "--quiet", "--onto", "HEAD~3", "HEAD~2", "main"]);
    let file = write(&case, &events);
    let (status, value) = case.verify_in(&case.repository.path(), &["--export", &file]);
    let export = &value["export"];
    assert_eq!((status, &export["flaw"]["seq"], &export["flaw"]["member"]), (1, &json!(3), &json!("commit")));
    assert_eq!(export["signed_up_to"], 4, "the file is what was signed: it is the repository that changed");
}

/// The events of a filtered export are those of the whole one.
#[test]
fn a_filtered_export_is_compared_event_by_event() {
    let case = Case::new();
    let filtered = export(&case, &["--policy", "B"]);
    assert_eq!(filtered.len(), 2);
    check(&case, &filtered, ["", "loose", ""]);
    let mut touched_events = filtered;
    touched_events[0]["subject"] = json!("Add Z");
    check(&case, &touched_events, ["member", "loose", ""]);
}

/// Somebody else's program, written from the description alone, finds the same; and what only the state shows.
#[test]
fn the_published_description_is_enough_to_verify_an_export() {
    let case = Case::new();
    let python = |file: &str| {
        let script = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/oracle/audit_chain.py");
        let output = Command::new("python3").arg(script).arg(file).output().ok()?;
        Some((output.status.success(), String::from_utf8_lossy(&[output.stdout, output.stderr].concat()).trim().to_owned()))
    };
    if Command::new("python3").arg("--version").output().is_err() {
        skipped("the independent check of an export needs python3 (apt-get install python3)");
        return;
    }
    // Renames, moves, nested fields, numbers, other scripts and a policy that comes back.
    let text = "_id: C\nservice: report\nactions: [read]\nmembers: [staff]\ndescription: \"größer\\t\\u2028\\u0001\"\nmetadata: {owner: x, n: {m: 1, f: 1.5}}\n";
    let law = &case.repository;
    law.write("policies/c.yaml", text).commit("Add C");
    law.write("policies/c.yaml", text.replace("m: 1", "m: 2")).commit("Nested\u{2028}change");
    law.write("policies/c.yaml", text.replace("_id: C", "_id: D")).write("policies/a.yaml", "_id: [\n").commit("Call it D, and break A");
    law.remove("policies/b.yaml")
        .write("policies/a2.yaml", crate::repository::policy("A"))
        .remove("policies/a.yaml")
        .commit("Move A, remove B");
    law.write("policies/b.yaml", crate::repository::policy("B")).commit("B again");
    let mut events = export(&case, &[]);
    let (_, whole) = case.run(&["audit", "--format", "json"]);
    fs::write(case.file("whole"), whole).expect("written");
    let (fine, said) = python(&case.name("whole")).expect("python3 runs");
    assert!(fine && said.starts_with(&format!("{} events, all, head ", events.len())), "{said}");
    assert_eq!(python(&write(&case, &events)).expect("python3 runs"), (fine, said));
    case.checkpoint("all");
    let (_, value) = case.verify_in(&law.path(), &["--checkpoint", &case.name("all")]);
    let head = value["checkpoints"][0]["signed"]["head"].as_str().expect("a head").to_owned();
    assert!(python(&case.name("whole")).expect("python3 runs").1.ends_with(&head));
    for (member, expected) in [("subject", "does not follow"), ("prev", "does not follow"), ("state", "does not follow")] {
        let mut touched_events = events.clone();
        touched_events[1][member] = touched(&events[1][member]);
        let (fine, said) = python(&write(&case, &touched_events)).expect("python3 runs");
        assert!(!fine && said.contains(expected), "{member}: {said}");
    }
    events[1]["changes"][6]["rhs"] = json!("another");
    chained_anew(&mut events);
    let (fine, said) = python(&write(&case, &events)).expect("python3 runs");
    assert!(!fine && said.contains("the state after event 2"), "{said}");
}

/// The numbers of a trail of every commit are its own. That is no sign that somebody changed it.
#[test]
fn a_trail_of_every_commit_is_not_said_to_be_touched() {
    let case = Case::new();
    case.repository.git(&["checkout", "--quiet", "-b", "side", "HEAD~1"]);
    case.repository.write("policies/side.yaml", crate::repository::policy("Side")).commit("on the side");
    case.repository.git(&["checkout", "--quiet", "main"]);
    case.repository.git(&["merge", "--quiet", "--no-ff", "--message", "merge", "side"]);
    for format in ["json", "jsonl"] {
        let (status, text) = case.run(&["audit", "--all-parents", "--format", format]);
        assert_eq!(status, 0, "{text}");
        fs::write(case.file("all"), text).expect("written");
        let (status, value) = case.verify_in(&case.repository.path(), &["--export", &case.name("all")]);
        let flaw = &value["export"]["flaw"];
        let problem = flaw["problem"].as_str().unwrap_or_default();
        assert!(status == 1 && flaw["kind"] == "malformed" && problem.contains("--all-parents"), "{format}: {value:#}");
    }
}

#[test]
fn what_an_export_says_of_the_whole_trail_is_compared() {
    let case = Case::new();
    let (_, text) = case.run(&["audit", "--format", "json"]);
    let whole: Value = serde_json::from_str(&text).expect("JSON");
    for (member, other) in [("head", json!("0".repeat(64))), ("total", json!(1))] {
        let mut touched = whole.clone();
        touched[member] = other;
        fs::write(case.file("export"), touched.to_string()).expect("written");
        for dir in [&case.repository.path(), case.files.path()] {
            let (status, value) = case.verify_in(dir, &["--export", &case.name("export")]);
            let flaw = &value["export"]["flaw"];
            // Outside of a repository, an export of so many events need not be all there is.
            let unseen = member == "total" && dir == case.files.path();
            assert_eq!(
                (status, flaw["kind"].as_str(), flaw["member"].as_str()),
                if unseen { (0, None, None) } else { (1, Some("around"), Some(member)) }
            );
        }
    }
    fs::write(case.file("export"), "seq,commit\n1,2\n").expect("written");
    let (status, value) = case.verify_in(&case.repository.path(), &["--export", &case.name("export")]);
    assert_eq!((status, &value["export"]["flaw"]["problem"]), (1, &json!("it is no JSON, and no other format can be verified")));
}
