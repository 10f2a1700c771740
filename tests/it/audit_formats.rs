//! The audit trail in each of its formats, over one scripted repository.

use insta::assert_snapshot;
use lawbook::history::Lines;
use lawbook::history::Repository as Opened;
use lawbook::history::Trail;
use lawbook::report::Look;
use lawbook::report::audit::AuditFormat;
use lawbook::report::audit::AuditReport;
use lawbook::report::audit::neosc::Entry;
use serde_json::Value;

use crate::reports::schema;
use crate::reports::valid;
use crate::repository::Repository;
use crate::repository::policy;

/// One event of each kind that the formats tell apart.
fn trail() -> Trail {
    let repository = Repository::new();
    repository.write("policies/a.yaml", policy("A")).commit("add");
    repository.write("policies/a.yaml", policy("A") + "enabled: false\n");
    repository.commit("switch off\n\nLawbook-Request-Id: r1\nLawbook-Client-Ip: 192.0.2.7");
    repository.write("policies/a.yaml", policy("A") + "enabled: true\n").commit("switch on");
    repository.write("policies/a.yaml", policy("A").replace("staff", "board")).commit("change");
    repository.remove("policies/a.yaml").write("policies/b.yaml", policy("A").replace("staff", "board")).commit("move");
    repository.remove("policies/b.yaml").commit("remove");
    Trail::read(&Opened::open(&repository.path()).expect("opens"), "HEAD", Lines::Landed, &|_, _| ()).expect("a trail")
}

fn written(trail: &Trail, format: AuditFormat) -> String {
    let tip = trail.tip();
    let report = AuditReport { events: trail.events().iter().collect(), tip: &tip, partial: trail.partial(), look: Look::PLAIN };
    let mut out = Vec::new();
    format.write(&report, &mut out).expect("a vector takes everything");
    String::from_utf8(out).expect("UTF-8")
}

#[test]
fn table() {
    assert_snapshot!("audit_table", written(&trail(), AuditFormat::Table));
}

#[test]
fn neosc_has_the_documented_fields_in_their_order_newest_first() {
    assert_snapshot!("audit_neosc", written(&trail(), AuditFormat::Neosc));
}

#[test]
fn json_is_what_its_schema_says_and_jsonl_holds_the_same_events() {
    let trail = trail();
    let text = written(&trail, AuditFormat::Json);
    let whole: Value = serde_json::from_str(&text).expect("JSON");
    valid(&schema("audit"), &whole);
    let lines: Vec<Value> = written(&trail, AuditFormat::Jsonl).lines().map(|line| serde_json::from_str(line).expect("JSON")).collect();
    assert_eq!(whole["events"], Value::Array(lines));
    assert_snapshot!("audit_json_event", format!("{:#}", whole["events"][1]));
}

/// A bundle carries the lines; whoever serves it answers with the same entries as whoever serves the repository.
#[test]
fn the_entries_of_the_lines_are_the_entries_of_the_trail() {
    let trail = trail();
    let entries = Entry::of_lines(&written(&trail, AuditFormat::Jsonl)).expect("lines");
    let direct: Vec<Entry> = trail.events().iter().rev().filter_map(Entry::new).collect();
    assert_eq!(entries, direct);
    assert!(Entry::of_lines("{}\n").is_err_and(|why| why.starts_with("line 1: ")));
}
