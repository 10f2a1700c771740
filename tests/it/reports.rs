//! Every format of a report, over the same two law books; and the published schemas, which hold for what is written.

use insta::assert_snapshot;
use jsonschema::Validator;
use lawbook::report::Format;
use lawbook::report::Look;
use lawbook::report::Report;
use lawbook::workspace::Raw;
use lawbook::workspace::RawFile;
use lawbook::workspace::Workspace;
use serde_json::Value;
use serde_json::json;

/// The day on which suppressions are judged.
const TODAY: &str = "2026-06-01";

fn workspace(config: Option<&str>, files: &[(&str, &str)]) -> Workspace {
    let raw = |path: &str, text: &str| RawFile { path: path.to_owned(), content: Ok(text.as_bytes().to_vec()) };
    let config = config.map(|text| raw("lawbook.toml", text));
    Workspace::new(Raw { config, files: files.iter().map(|(path, text)| raw(path, text)).collect(), ..Raw::default() })
}

/// Mistakes of all kinds: a broken file, a mistyped key, a repair, two places, two files.
fn mistaken() -> Workspace {
    let config = "services = [\"report\"]\ncritical = [\"pol-mfa\"]\n";
    let wiki = "_id: ReadWiki\nservice: reprot\ncondition: owner == '{me}'\nactions: [read]\nmembers: ['*']\n";
    let mfa = "id: pol-mfa\nname: MFA \u{202e}\ntype: access\nenabled: false\n";
    let typo = "_id: Typo\nservice: report\nactions: [read]\nmember: ['*']\n";
    let files =
        [("policies/broken.yaml", "_id: [\n"), ("policies/mfa.yaml", mfa), ("policies/typo.yaml", typo), ("policies/wiki.yaml", wiki)];
    workspace(Some(config), &files)
}

/// Nothing is wrong.
fn sound() -> Workspace {
    workspace(None, &[("policies/a.yaml", "_id: A\nservice: report\nactions: [read]\nmembers: [analysts]\n")])
}

fn written(workspace: &Workspace, format: Format, revision: Option<&str>, look: Look) -> String {
    let findings = workspace.check(TODAY.parse().expect("a day"));
    let book = &workspace.book;
    let report = Report {
        findings: &findings,
        sources: &book.sources,
        files: book.files.len() + book.unreadable.len(),
        policies: book.set.policies().len(),
        callers: None,
        revision,
        look,
    };
    let mut out = Vec::new();
    format.write(&report, &mut out).expect("a vector takes everything");
    String::from_utf8(out).expect("UTF-8")
}

/// A published schema, which is itself valid.
pub fn schema(name: &str) -> Validator {
    let path = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("schema").join(format!("{name}.schema.json"));
    let text = std::fs::read_to_string(&path).unwrap_or_else(|error| panic!("{}: {error}", path.display()));
    let value: Value = serde_json::from_str(&text).expect("JSON");
    jsonschema::draft202012::meta::validate(&value).unwrap_or_else(|error| panic!("{name}: {error}"));
    jsonschema::draft202012::new(&value).expect("compiles")
}

/// Whether a value is what a schema says.
#[track_caller]
pub fn valid(schema: &Validator, value: &Value) {
    let errors: Vec<String> = schema.iter_errors(value).map(|error| format!("{}: {error}", error.instance_path())).collect();
    assert!(errors.is_empty(), "{errors:#?}\n{value:#}");
}

#[test]
fn human() {
    assert_snapshot!("human_sound", written(&sound(), Format::Human, None, Look::PLAIN));
    assert_snapshot!("human_mistaken", written(&mistaken(), Format::Human, Some("index"), Look::PLAIN));
}

#[test]
fn human_has_colours_only_when_it_may() {
    let plain = written(&mistaken(), Format::Human, None, Look::PLAIN);
    let coloured = written(&mistaken(), Format::Human, None, Look { colour: true, ..Look::PLAIN });
    assert!(!plain.contains('\u{1b}') && coloured.contains('\u{1b}'));
    assert!(!coloured.contains('\u{202e}') && !plain.contains('\u{202e}'), "a mark that turns the text around reaches the terminal");
}

#[test]
fn concise() {
    assert_snapshot!("concise_sound", written(&sound(), Format::Concise, None, Look::PLAIN));
    assert_snapshot!("concise_mistaken", written(&mistaken(), Format::Concise, None, Look::PLAIN));
}

#[test]
fn json_is_what_its_schema_says() {
    assert_snapshot!("json_sound", written(&sound(), Format::Json, Some("0123456789abcdef0123456789abcdef01234567"), Look::PLAIN));
    let text = written(&mistaken(), Format::Json, None, Look::PLAIN);
    let report: Value = serde_json::from_str(&text).expect("JSON");
    let findings = schema("findings");
    valid(&findings, &report);
    let repairable = report["findings"].as_array().expect("findings").iter().find(|finding| !finding["fix"].is_null());
    assert_snapshot!("json_finding", format!("{:#}", repairable.expect("a finding with a fix")));
    let mut wrong = report;
    wrong["findings"][0]["place"]["start"]["line"] = json!(0);
    assert!(!findings.is_valid(&wrong), "a schema that accepts anything says nothing");
}

#[test]
fn the_other_schemas_hold_for_what_they_describe() {
    let config = schema("config");
    for text in [include_str!("../../lawbook.toml"), include_str!("../../src/cli/init/lawbook.toml")] {
        let value: Value = toml::from_str(text).expect("TOML");
        valid(&config, &value);
    }
    assert!(!config.is_valid(&json!({"file": []})) && !config.is_valid(&json!({"assert": [{"name": "nothing"}]})));
    let request = json!({"subject": {"type": "user", "id": "a"}, "action": {"name": "read"}, "resource": {"type": "report", "id": "r"}});
    valid(&schema("request"), &request);
    assert!(!schema("request").is_valid(&json!({"subject": {"type": "user", "id": "a"}})));
    let decision = schema("decision");
    valid(&decision, &json!({"decision": true, "policies": ["A"]}));
    valid(&decision, &json!({"error": "this is not JSON", "line": 1}));
    assert!(!decision.is_valid(&json!({"decision": true})));
}
