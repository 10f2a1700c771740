//! What the changes of a commit gave and took, as `lawbook audit --effect` tells it.

use std::process::Command;

use serde_json::Value;
use serde_json::json;

use crate::reports::schema;
use crate::reports::valid;
use crate::repository::Repository;
use crate::repository::policy;

/// What stands behind the verb of most sentences here.
const ALWAYS: &str = "`read` on service `report` (source `private`), always";

/// The trail of a repository with effects, which is what the schema says.
#[track_caller]
fn events(repository: &Repository, arguments: &[&str]) -> Vec<Value> {
    let output = Command::new(env!("CARGO_BIN_EXE_lawbook"))
        .args(["audit", "--effect", "--format", "json"])
        .args(arguments)
        .current_dir(repository.path())
        .output()
        .expect("lawbook runs");
    assert!(output.status.success() && output.stderr.is_empty(), "{}", String::from_utf8_lossy(&output.stderr));
    let trail: Value = serde_json::from_slice(&output.stdout).expect("JSON");
    valid(&schema("audit"), &trail);
    trail["events"].as_array().expect("events").clone()
}

/// `<action> <policy>: <class>[ +gained][ -lost][ beside +gained -lost][ unknown]`, with what stands before the verb left out.
fn shown(event: &Value) -> String {
    let effect = &event["effect"];
    let class = effect["class"].as_str().unwrap_or("?");
    let mut line = format!("{} {}: {class}", event["action"].as_str().expect("an action"), event["policy"].as_str().expect("a policy"));
    let list = |from: &Value, sign: &str| -> String {
        let sentences = from.as_array().expect("sentences").iter().map(|text| format!(" {sign}{}", text.as_str().expect("a sentence")));
        sentences.collect()
    };
    line += &list(&effect["gained"], "+");
    line += &list(&effect["lost"], "-");
    line += &list(&effect["beside"]["gained"], "beside +");
    line += &list(&effect["beside"]["lost"], "beside -");
    if let Some(why) = effect["unknown"].as_str() {
        line += &format!(" ({why})");
    }
    line
}

#[track_caller]
fn check(repository: &Repository, arguments: &[&str], expected: &[&str]) {
    let found: Vec<String> = events(repository, arguments).iter().map(shown).collect();
    assert_eq!(found, expected);
}

fn with(id: &str, members: &str, condition: &str) -> String {
    let condition = if condition.is_empty() { String::new() } else { format!("condition: \"{condition}\"\n") };
    policy(id).replace("staff", members) + &condition
}

#[test]
fn each_event_tells_what_its_policy_gave_and_took() {
    let repository = Repository::new();
    repository.write("policies/a.yaml", with("A", "staff", "")).write("policies/b.yaml", with("B", "board", "")).commit("one");
    repository.write("policies/a.yaml", with("A", "staff, guests", "")).write("policies/b.yaml", with("B", "board", "x = 1")).commit("two");
    repository.write("policies/a.yaml", with("C", "staff, guests", "")).commit("rename");
    repository.write("policies/c.yaml", with("D", "staff", "")).commit("nothing new");
    repository.write("policies/c.yaml", "_id: D\nservice: report\nactions: [read]\nmembers: [guests]\ndeny: true\n").commit("deny");
    let denied = format!(
        "update D: narrows -group `guests` loses {ALWAYS} -callers who are both in `board` and `guests` lose `read` on service `report` \
         (source `private`) where `x = 1`"
    );
    check(
        &repository,
        &[],
        &[
            &format!("create A: widens +group `staff` gains {ALWAYS}"),
            &format!("create B: widens +group `board` gains {ALWAYS}"),
            &format!("update A: widens +group `guests` gains {ALWAYS}"),
            "update B: narrows -group `board` loses `read` on service `report` (source `private`) where `x != 1`, or where `x` holds what no comparison fits, whatever is said of it",
            "rename C: no-change",
            "create D: no-change",
            &denied,
        ],
    );
    // A policy is followed through its ids, whichever of them is asked for.
    let lived = [
        &format!("create A: widens +group `staff` gains {ALWAYS}"),
        &format!("update A: widens +group `guests` gains {ALWAYS}"),
        "rename C: no-change",
    ];
    check(&repository, &["--policy", "A"], &lived);
    check(&repository, &["--policy", "C"], &lived);
    check(&repository, &["--limit", "1"], &[&denied]);
}

/// A policy was broken, and came back as another one: neither step could be compared, and what was gained was told nowhere.
#[test]
fn what_came_while_a_law_book_did_not_compile_is_told_afterwards() {
    let repository = Repository::new();
    repository.write("policies/a.yaml", with("A", "staff", "")).write("policies/b.yaml", with("B", "board", "")).commit("one");
    repository.write("policies/a.yaml", "_id: [").commit("break");
    repository.write("policies/b.yaml", with("B", "board, friends", "")).commit("meanwhile");
    repository.write("policies/a.yaml", with("A", "staff, guests", "")).commit("repair");
    let found = events(&repository, &[]);
    let unknown = |event: &Value| event["effect"]["unknown"].as_str().expect("a reason").to_owned();
    for event in &found[2..4] {
        assert!(unknown(event).contains("does not compile: policies/a.yaml:1: "), "{event:#}");
        assert_eq!((&event["effect"]["class"], &event["effect"]["since"]), (&Value::Null, &Value::Null));
    }
    let repair = &found[4];
    assert_eq!(shown(repair), format!("repair A: widens +group `guests` gains {ALWAYS} beside +group `friends` gains {ALWAYS}"));
    assert_eq!(repair["effect"]["since"], found[0]["commit"]);
}

#[test]
fn what_the_configuration_gives_is_told_beside_the_events_of_the_same_commit() {
    let repository = Repository::new();
    let a = with("A", "staff", "tags = 'x' and tags = 'y'");
    repository.write("policies/a.yaml", &a).write("policies/b.yaml", with("B", "board", "")).commit("one");
    repository.write("lawbook.toml", "[attributes]\ntags = \"list\"\n");
    repository.write("policies/b.yaml", with("B", "board", "") + "description: x\n").commit("declare");
    let found = events(&repository, &["--action", "update"]);
    let [event] = &found[..] else { panic!("{found:#?}") };
    let beside = event["effect"]["beside"]["gained"].as_array().expect("sentences");
    assert!(beside.iter().any(|text| text.as_str().is_some_and(|text| text.starts_with("group `staff` gains `read`"))), "{event:#}");
    assert_eq!((&event["effect"]["class"], &event["effect"]["gained"]), (&json!("no-change"), &json!([])));
}

#[test]
fn what_is_undecided_is_said() {
    let repository = Repository::new();
    repository.write("policies/a.yaml", with("A", "staff", "owner matches '^(a|b)*c{3,9}$' and owner matches 'x.*y.*z'")).commit("one");
    repository.write("policies/a.yaml", with("A", "staff", "owner matches '^(a|c)*[^d]{3,9}$'")).commit("two");
    let found = events(&repository, &[]);
    for event in &found {
        let effect = &event["effect"];
        assert_eq!(effect["class"].is_null(), !effect["unknown"].is_null(), "{event:#}");
    }
    assert!(found.iter().any(|event| !event["effect"]["unknown"].is_null()), "{found:#?}");
}

/// A list that the configuration declares changes what a condition means. No policy changes, so no event tells it.
#[test]
fn what_lands_beside_the_policies_is_told_below_the_events() {
    let repository = Repository::new();
    repository.write("policies/a.yaml", with("A", "staff", "tags = 'a'")).write("lawbook.toml", "exclude = []\n").commit("one");
    let list = repository.write("lawbook.toml", "[attributes]\ntags = \"list\"\n").commit("tags is a list");
    let keys = repository.write(".lawbook/allowed_signers", "# nobody\n").commit("who may sign");
    repository.write("README.md", "nothing of the law book").commit("elsewhere");
    let told = |arguments: &[&str]| {
        let output = Command::new(env!("CARGO_BIN_EXE_lawbook")).arg("audit").args(arguments).current_dir(repository.path()).output();
        let text = String::from_utf8(output.expect("lawbook runs").stdout).expect("UTF-8");
        text.lines().skip_while(|line| !line.contains("is not a policy")).map(str::to_owned).collect::<Vec<_>>()
    };
    let found = told(&["--effect"]);
    assert_eq!(found[0], "2 commits changed what is not a policy, but says what policies mean or who may sign:");
    assert!(found[1].contains(&keys[..10]) && found[1].contains("  .lawbook/allowed_signers  ada@example.com  none"), "{found:#?}");
    assert_eq!(found[2], "    = no change of access");
    assert!(found[3].contains(&list[..10]) && found[3].contains("  lawbook.toml  "), "{found:#?}");
    assert!(found[4].starts_with("    ? undecided") || found[4].starts_with("    + "), "{found:#?}");
    let written = told(&["--format", "markdown"]).join("\n");
    assert!(written.contains(&format!("commit `{keys}`")) && written.contains("- changed `lawbook.toml`"), "{written}");
    for narrower in [&["--policy", "A"][..], &["--limit", "1"], &["--until", "2001-01-01"], &["--format", "csv"]] {
        assert_eq!(told(narrower), Vec::<String>::new(), "{narrower:?}");
    }
}
