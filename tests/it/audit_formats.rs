//! The audit trail in each of its formats, over one scripted repository.

use std::sync::Arc;

use insta::assert_snapshot;
use lawbook::history::Event;
use lawbook::history::Landing;
use lawbook::history::Lines;
use lawbook::history::MEMBERS;
use lawbook::history::People;
use lawbook::history::Repository as Opened;
use lawbook::history::Sha256Hash;
use lawbook::history::Signature;
use lawbook::history::SignatureStatus;
use lawbook::history::Trail;
use lawbook::report::Look;
use lawbook::report::audit::AuditFormat;
use lawbook::report::audit::AuditReport;
use lawbook::report::audit::Scope;
use lawbook::report::audit::json::event;
use lawbook::report::audit::neosc::Entry;
use serde_json::Value;
use serde_json::json;

use crate::reports::schema;
use crate::reports::valid;
use crate::repository::Repository;
use crate::repository::policy;

const HOSTILE: &str = "=HYPERLINK(\"http://x\")|<b>*bold*</b>;-1 `tick`";

/// A policy whose condition ends a cell, a table and a code span where nobody looks.
fn conditioned(id: &str) -> String {
    policy(id) + "condition: \"owner = 'a|b' or note = '`;=1'\"\n"
}

/// Every action, a merge of each kind but the tame ones, and texts that want to be more than text.
fn repository() -> Repository {
    let repository = Repository::new();
    repository.write(".mailmap", "Grace Hopper <grace@example.com> <gh@old.example>\n");
    repository.write("policies/a.yaml", policy("A")).write("policies/c.yaml", policy("C")).commit("add");
    repository.write("policies/a.yaml", policy("A") + "enabled: false\n");
    repository.commit("switch off\n\nLawbook-Request-Id: r1\nLawbook-Client-Ip: 192.0.2.7");
    repository.write("policies/a.yaml", policy("A") + "enabled: true\n").commit("switch on");
    repository.git(&["checkout", "--quiet", "-b", "side"]);
    repository.write("policies/a.yaml", policy("A").replace("staff", "board"));
    repository.git(&["commit", "--quiet", "-a", "-m", "board", "--author", "GH <gh@old.example>"]);
    repository.git(&["checkout", "--quiet", "main"]);
    repository.write("policies/c.yaml", conditioned("C"));
    let trailers = "Ticket: LAW-17\nReviewed-by: Linus <linus@example.com>\nCo-authored-by: Kay <kay@example.com>";
    repository.commit(&format!("{HOSTILE}\n\n{trailers}"));
    repository.git(&["merge", "--quiet", "--no-ff", "--no-commit", "side"]);
    repository.write("policies/a.yaml", policy("A").replace("staff", "'*'")).commit("merge");
    repository.remove("policies/a.yaml").write("policies/b.yaml", policy("A").replace("staff", "'*'")).commit("move");
    repository.write("policies/b.yaml", "# A remark.\n".to_owned() + &policy("A").replace("staff", "'*'")).commit("reformat");
    repository.write("policies/b.yaml", policy("B").replace("staff", "'*'")).write("policies/new.yaml", policy("A")).commit("split");
    repository.write("policies/c.yaml", "_id: [").commit("break");
    repository.write("policies/c.yaml", conditioned("C")).commit("repair");
    repository.write("policies/c.yaml", policy("C")).commit("restore");
    repository.write("policies/b.yaml", policy("D").replace("staff", "'*'")).commit("rename");
    repository.remove("policies/b.yaml").commit("remove");
    repository
}

/// What is read of the repository.
struct Read {
    _repository: Repository,
    trail: Trail,
    people: People,
}

fn read(lines: Lines) -> Read {
    let repository = repository();
    let opened = Opened::open(&repository.path()).expect("opens");
    let trail = Trail::read(&opened, "HEAD", lines, &|_, _| ()).expect("a trail");
    Read { trail, people: People::at(&opened, "HEAD").expect("a mailmap"), _repository: repository }
}

impl Read {
    fn report(&self) -> AuditReport<'_> {
        let scope = Scope { name: "laws".to_owned(), reference: "main".to_owned(), ..Scope::default() };
        AuditReport { scope, ..AuditReport::whole(&self.trail, &self.people) }
    }
}

fn written(report: &AuditReport<'_>, format: AuditFormat) -> String {
    let mut out = Vec::new();
    format.write(report, &mut out).expect("a vector takes everything");
    String::from_utf8(out).expect("UTF-8")
}

fn lines(report: &AuditReport<'_>, format: AuditFormat) -> Vec<Value> {
    written(report, format).lines().map(|line| serde_json::from_str(line).expect("JSON")).collect()
}

#[test]
fn table() {
    assert_snapshot!("audit_table", written(&read(Lines::Landed).report(), AuditFormat::Table));
}

/// The events with other signatures: one of each status, in turn.
fn signed(trail: &Trail) -> Vec<Event> {
    let sign = |(at, event): (usize, &Event)| {
        let status = SignatureStatus::ALL[at % SignatureStatus::ALL.len()];
        let (principal, why) = match status {
            SignatureStatus::Good => (Some(["ada@example.com", "forge@example.com"][at % 2].to_owned()), None),
            SignatureStatus::None => (None, None),
            _ => (None, Some("a \u{1b}[31mreason".to_owned())),
        };
        let key = (status != SignatureStatus::None).then(|| "SHA256:abc".to_owned());
        let landing = Landing { signature: Signature { status, principal, key, why }, ..(*event.landing).clone() };
        Event { landing: Arc::new(landing), ..event.clone() }
    };
    trail.events().iter().enumerate().map(sign).collect()
}

#[test]
fn what_must_not_be_overlooked_is_seen() {
    let read = read(Lines::Landed);
    let events = signed(&read.trail);
    let report = AuditReport { events: events.iter().collect(), ..read.report() };
    let plain = written(&report, AuditFormat::Table);
    assert!(!plain.contains('\u{1b}') && plain.contains("BAD") && plain.contains("EVIL MERGE"), "{plain}");
    assert!(plain.contains("signature: a ?[31mreason") && plain.contains("signed by forge@example.com"), "{plain}");
    assert!(!plain.contains("signed by ada@example.com"), "whoever signs their own work is no news: {plain}");
    for warning in ["have signatures that do not hold", "are signed by keys that nobody vouches for", "1 commit is an evil merge"] {
        assert!(plain.contains(warning), "{warning}: {plain}");
    }
    let coloured = written(&AuditReport { look: Look { colour: true, width: 100 }, ..report.clone() }, AuditFormat::Table);
    assert!(coloured.contains("\u{1b}[31mBAD\u{1b}[0m") && coloured.contains("\u{1b}[32mgood\u{1b}[0m"), "{coloured}");
    assert_eq!(without_colours(&coloured), plain, "colours change nothing else");
    for event in lines(&report, AuditFormat::Ocsf) {
        let serious = event["unmapped"]["signature"]["status"] == json!("bad") || event["unmapped"]["merge"]["kind"] == json!("evil");
        assert_eq!(event["severity_id"], json!(if serious { 3 } else { 1 }), "{event}");
    }
    let document = written(&report, AuditFormat::Markdown);
    assert!(document.contains("- signature: **bad**, key `SHA256:abc`, because `a ?[31mreason`"), "{document}");
}

/// A text without the sequences that set a colour.
fn without_colours(text: &str) -> String {
    let mut parts = text.split("\u{1b}[");
    let first = parts.next().unwrap_or_default().to_owned();
    first + &parts.map(|part| part.split_once('m').map_or("", |(_, rest)| rest)).collect::<String>()
}

#[test]
fn neosc_has_the_documented_fields_in_their_order_newest_first() {
    assert_snapshot!("audit_neosc", written(&read(Lines::Landed).report(), AuditFormat::Neosc));
}

#[test]
fn odsl_has_the_documented_fields_in_their_order_newest_first() {
    let read = read(Lines::Landed);
    assert_snapshot!("audit_odsl", written(&read.report(), AuditFormat::Odsl));
}

/// A commit may hold several events, and a policy several of one action.
#[test]
fn an_id_is_of_one_event_and_does_not_depend_on_the_others() {
    let all = read(Lines::All);
    let report = all.report();
    for (format, id) in [(AuditFormat::Neosc, "id"), (AuditFormat::Odsl, "_id")] {
        let ids = |report: &AuditReport<'_>| -> Vec<String> {
            let entries: Vec<Value> = serde_json::from_str(&written(report, format)).expect("JSON");
            entries.iter().map(|entry| entry[id].as_str().expect("an id").to_owned()).collect()
        };
        let whole = ids(&report);
        let mut distinct = whole.clone();
        distinct.sort_unstable();
        distinct.dedup();
        assert_eq!(distinct.len(), whole.len(), "{whole:?}");
        let newest = ids(&AuditReport { events: report.events.iter().rev().take(3).rev().copied().collect(), ..report.clone() });
        assert_eq!(newest[..], whole[..newest.len()]);
    }
    let uids: Vec<Value> = lines(&report, AuditFormat::Ocsf).iter().map(|event| event["metadata"]["uid"].clone()).collect();
    assert!(uids.iter().enumerate().all(|(at, uid)| !uids[..at].contains(uid)), "{uids:?}");
}

#[test]
fn json_is_what_its_schema_says_and_jsonl_holds_the_same_events() {
    let schema = schema("audit");
    for kind in [Lines::Landed, Lines::All] {
        let read = read(kind);
        let mut report = read.report();
        report.scope.lines = kind;
        let whole: Value = serde_json::from_str(&written(&report, AuditFormat::Json)).expect("JSON");
        valid(&schema, &whole);
        assert_eq!(whole["events"], Value::Array(lines(&report, AuditFormat::Jsonl)));
        assert_eq!(whole["events"][0], Value::Object(event(report.events[0], &read.people)));
        if kind == Lines::Landed {
            assert_snapshot!("audit_json_event", format!("{:#}", whole["events"][2]));
            assert_snapshot!("audit_json_merge", format!("{:#}", whole["events"][5]));
        }
        let told = whole["events"].as_array().expect("events");
        assert_eq!(
            told.iter().filter(|event| event["author_known"]["email"] == json!("grace@example.com")).count(),
            usize::from(kind == Lines::All)
        );
        assert!(told.iter().all(|event| event.get("effect").is_none()), "nobody asked");
    }
}

/// Canonical JSON: keys in byte order, no white space.
fn canonical(value: &Value) -> String {
    match value {
        Value::Object(members) => {
            let mut keys: Vec<&String> = members.keys().collect();
            keys.sort();
            let members: Vec<String> = keys.into_iter().map(|key| format!("{}:{}", json!(key), canonical(&members[key]))).collect();
            format!("{{{}}}", members.join(","))
        }
        Value::Array(values) => format!("[{}]", values.iter().map(canonical).collect::<Vec<_>>().join(",")),
        other => other.to_string(),
    }
}

/// Whoever has nothing but the lines computes the chain again, with SHA-256 and JSON.
#[test]
fn the_lines_chain() {
    let read = read(Lines::Landed);
    let mut prev = "0".repeat(64);
    for line in lines(&read.report(), AuditFormat::Jsonl) {
        assert_eq!(line["prev"], json!(prev), "{line}");
        let members = MEMBERS.iter().map(|name| ((*name).to_owned(), line.get(*name).expect("a chained member").clone()));
        prev = Sha256Hash::of(canonical(&Value::Object(members.collect())).as_bytes()).to_string();
    }
    assert_eq!(prev, read.trail.head().to_string());
}

/// A bundle carries the lines; whoever serves it answers with the same entries as whoever serves the repository.
#[test]
fn the_entries_of_the_lines_are_the_entries_of_the_trail() {
    let read = read(Lines::Landed);
    let entries = Entry::of_lines(&written(&read.report(), AuditFormat::Jsonl)).expect("lines");
    let direct: Vec<Entry> = read.trail.events().iter().rev().filter_map(Entry::new).collect();
    assert_eq!(entries, direct);
    assert!(Entry::of_lines("{}\n").is_err_and(|why| why.starts_with("line 1: ")));
}

/// The events for a security information system, of every commit.
pub fn ocsf_events() -> Vec<Value> {
    lines(&read(Lines::All).report(), AuditFormat::Ocsf)
}

#[test]
fn csv_has_one_row_for_each_event_and_no_formula() {
    let read = read(Lines::All);
    let text = written(&read.report(), AuditFormat::Csv);
    assert_snapshot!("audit_csv", text.replace("\r\n", "\n"));
    assert!(text.ends_with("\r\n") && text.matches('\n').count() == text.matches("\r\n").count(), "RFC 4180: CRLF");
    let mut reader = csv::ReaderBuilder::new().from_reader(text.as_bytes());
    let header = reader.headers().expect("a header").clone();
    let rows: Vec<csv::StringRecord> = reader.records().map(|row| row.expect("a row as long as the header")).collect();
    assert_eq!(rows.len(), read.trail.events().len());
    let column = |name: &str| header.iter().position(|title| title == name).expect("a column");
    let hostile = rows.iter().find(|row| row[column("tickets_claimed")] == *"Ticket: LAW-17").expect("the event");
    assert_eq!(&hostile[column("subject")], "'=HYPERLINK(\"http://x\")|<b>*bold*</b>;'-1 `tick`");
    assert_eq!(&hostile[column("approvals_claimed")], "Reviewed-by: Linus <linus@example.com>");
    // As a spreadsheet reads it here, and where a semicolon or a tab separates cells.
    for delimiter in [b',', b';', b'\t'] {
        let mut reader = csv::ReaderBuilder::new().delimiter(delimiter).flexible(true).has_headers(false).from_reader(text.as_bytes());
        for cell in reader.records().flat_map(|row| row.expect("a row").iter().map(str::to_owned).collect::<Vec<_>>()) {
            assert!(!cell.trim_start().starts_with(['=', '+', '-', '@']), "{cell:?}");
        }
    }
}

#[test]
fn markdown_is_evidence_and_no_text_in_it_is_markup() {
    let read = read(Lines::Landed);
    let document = written(&read.report(), AuditFormat::Markdown);
    assert_snapshot!("audit_markdown", document);
    let row = document.lines().find(|line| line.starts_with("| `condition` |")).expect("the condition");
    assert_eq!(row.matches('|').count(), 4, "{row}");
    let outside = without_code(&document);
    assert!(!outside.contains("<b>") && !outside.contains("*bold*") && outside.contains("*claimed*"), "{outside}");
}

/// A text without its code spans: each ends at the next run of as many back quotes (CommonMark 0.31, 6.1).
fn without_code(text: &str) -> String {
    let mut left = String::new();
    let mut rest = text;
    while let Some(start) = rest.find('`') {
        left.push_str(&rest[..start]);
        let fence = &rest[start..rest[start..].find(|char| char != '`').map_or(rest.len(), |length| start + length)];
        let inside = &rest[start + fence.len()..];
        let runs = inside.match_indices(fence);
        let mut ends = runs.filter(|(at, _)| !inside[..*at].ends_with('`') && !inside[at + fence.len()..].starts_with('`'));
        let (end, _) = ends.next().expect("every code span ends");
        rest = &inside[end + fence.len()..];
    }
    left + rest
}
