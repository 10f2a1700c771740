//! Permissions gained and lost between two revisions, as `lawbook diff` shows them.

use std::process::Command;

use insta::assert_snapshot;
use lawbook::decision::Request;
use lawbook::decision::decide;
use lawbook::workspace::Origin;
use lawbook::workspace::Workspace;
use serde_json::Value;

use crate::reports::schema;
use crate::reports::valid;
use crate::repository::Repository;

/// Runs `lawbook diff` in a repository: its exit status, what it prints, and what it says on standard error in one line.
fn diff(repository: &Repository, arguments: &[&str]) -> (Option<i32>, String, String) {
    let mut command = Command::new(env!("CARGO_BIN_EXE_lawbook"));
    let output = command.arg("diff").args(arguments).current_dir(repository.path()).output().expect("lawbook runs");
    let said = String::from_utf8_lossy(&output.stderr).split_whitespace().filter(|word| *word != "│").collect::<Vec<_>>().join(" ");
    (output.status.code(), String::from_utf8(output.stdout).expect("UTF-8"), said)
}

#[track_caller]
fn shown(repository: &Repository, arguments: &[&str]) -> String {
    let (status, shown, said) = diff(repository, arguments);
    assert_eq!(status, Some(0), "{said}");
    shown
}

/// The JSON of a difference, which is what its schema says; and each witness is allowed on one side and denied on the other.
#[track_caller]
fn json(repository: &Repository, revisions: &str) -> Value {
    let (_, text, said) = diff(repository, &[revisions, "--format", "json", "--deny-new-access"]);
    let report: Value = serde_json::from_str(&text).unwrap_or_else(|error| panic!("{error}: {text}{said}"));
    valid(&schema("diff"), &report);
    let allowed = |side: &str, request: &Value| {
        let origin = match report[side]["commit"].as_str() {
            Some(commit) => Origin::Revision(commit.to_owned()),
            None => Origin::Worktree,
        };
        let workspace = Workspace::open(&repository.path(), &origin).expect("opens");
        let request = Request::from_authzen(request).expect("a request");
        decide(workspace.book.set.statements(), &request).allowed
    };
    for (direction, expected) in [("gained", (false, true)), ("lost", (true, false))] {
        for access in report[direction].as_array().expect("a list") {
            let witness = &access["witness"];
            valid(&schema("request"), witness);
            assert_eq!((allowed("before", witness), allowed("after", witness)), expected, "{witness}");
        }
    }
    report
}

fn ids(report: &Value, pointer: &str) -> Vec<String> {
    let list = report.pointer(pointer).and_then(Value::as_array).expect("a list");
    list.iter().map(|one| one.as_str().or(one["id"].as_str()).expect("an id").to_owned()).collect()
}

const DBA: &str =
    "_id: DbaDelete\ndescription: clean up\nservice: object\nactions: [delete]\nmembers: [dba]\ncondition: category = 'A' and price < 10\n";
const EDITORS: &str = "_id: EditReports\ndescription: edit\nservice: report\nactions: [read, update]\nmembers: [editors, ann@example.com]\ncondition: stage in ('draft', 'review')\n";
const READERS: &str =
    "_id: ReadReports\ndescription: read\nservice: report\nactions: [read]\nmembers: [staff, board]\ncondition: public = true\n";
const AUDITORS: &str =
    "_id: AuditReports\ndescription: audit\nservice: report\nsource: public\nactions: [read]\nmembers: ['service:auditor']\n";
const MFA: &str =
    "id: pol-mfa\nname: MFA\ntype: access\ndescription: x\nenabled: true\nrequire: exists {context.mfa}\nactions: [update, delete]\n";

/// The law book that the branches below change.
fn start() -> Repository {
    let repository = Repository::new();
    for (path, text) in [("object/dba", DBA), ("report/editors", EDITORS), ("report/readers", READERS), ("report/auditors", AUDITORS)] {
        repository.write(&format!("policies/{path}.yaml"), text);
    }
    repository.write("policies/controls/mfa.yaml", MFA).commit("Start");
    repository
}

/// A branch that widens one policy, narrows another, renames a file and reformats a third.
fn reviewed() -> Repository {
    let repository = start();
    repository.git(&["checkout", "--quiet", "-b", "change"]);
    repository.write("policies/object/dba.yaml", DBA.replace("= 'A'", "in ('A', 'B')"));
    repository.write("policies/report/editors.yaml", EDITORS.replace("in ('draft', 'review')", "= 'draft'"));
    repository.remove("policies/report/readers.yaml").write("policies/report/everybody.yaml", READERS);
    repository
        .write("policies/report/auditors.yaml", AUDITORS.replace("['service:auditor']", "\n  # The nightly run.\n  - service:auditor"));
    repository.commit("Widen one, narrow another, rename and reformat the others");
    repository
}

#[test]
fn a_reviewer_reads_which_two_policies_change_what() {
    let repository = reviewed();
    assert_snapshot!("diff_human", shown(&repository, &["main...change"]));
    let report = json(&repository, "main..change");
    let named: Vec<String> = ["/gained/0/causes", "/lost/0/causes"].iter().flat_map(|pointer| ids(&report, pointer)).collect();
    assert_eq!((named, report["class"].as_str()), (vec!["DbaDelete".to_owned(), "EditReports".to_owned()], Some("mixed")));
    assert_eq!(report["files"]["moved"], serde_json::json!({"policies/report/readers.yaml": "policies/report/everybody.yaml"}));
    let classes: Vec<(&str, &str)> = report["policies"]
        .as_array()
        .expect("policies")
        .iter()
        .map(|policy| (policy["id"].as_str().expect("an id"), policy["class"].as_str().expect("a class")))
        .collect();
    let expected = [("pol-mfa", "no-change"), ("DbaDelete", "widens"), ("EditReports", "narrows"), ("ReadReports", "no-change")];
    for (id, class) in classes {
        assert!(expected.contains(&(id, class)), "{id} {class}");
    }
}

#[test]
fn both_ways_a_difference_is_the_same_one() {
    let repository = reviewed();
    let (there, back) = (json(&repository, "main..change"), json(&repository, "change..main"));
    // The direction is in some fields, and which statements grant is said of the side that allows.
    let regions = |report: &Value, direction: &str| -> Vec<Value> {
        let mut all = report[direction].as_array().expect("a list").clone();
        for access in &mut all {
            let access = access.as_object_mut().expect("an object");
            for field in ["fingerprint", "sentence", "waived"] {
                access.remove(field);
            }
            assert_eq!(access.len(), 16);
        }
        all
    };
    assert_eq!(regions(&there, "gained"), regions(&back, "lost"));
    assert_eq!(regions(&there, "lost"), regions(&back, "gained"));
}

#[test]
fn what_is_only_written_differently_is_no_change_of_meaning() {
    let repository = start();
    repository.write("policies/report/editors.yaml", EDITORS.replace("('draft', 'review')", "('review', 'draft')"));
    repository.write("policies/report/readers.yaml", READERS.replace("[staff, board]", "[staff]"));
    repository.write("policies/report/board.yaml", READERS.replace("ReadReports", "BoardReads").replace("[staff, board]", "[board]"));
    assert_snapshot!("diff_same", shown(&repository, &["--deny-new-access"]));
    assert_eq!(json(&repository, "HEAD")["class"], "no-change");
}

#[test]
fn a_control_that_is_switched_off_shows_what_it_exposes() {
    let repository = start();
    repository.write("policies/controls/mfa.yaml", MFA.replace("enabled: true", "enabled: false"));
    repository.git(&["add", "--all"]);
    assert_snapshot!("diff_control", shown(&repository, &["--staged"]));
    let removed = start();
    removed.remove("policies/controls/mfa.yaml");
    assert!(shown(&removed, &[]).contains("removing `pol-mfa` (policies/controls/mfa.yaml:1) exposes:"));
    let report = json(&repository, "HEAD");
    assert_eq!((ids(&report, "/gained/0/causes"), ids(&report, "/gained/0/grants")), (vec!["pol-mfa".into()], vec!["DbaDelete".into()]));
}

#[test]
fn new_access_needs_leave_in_a_commit_or_on_the_command_line() {
    let repository = start();
    repository.git(&["checkout", "--quiet", "-b", "change"]);
    repository.write("policies/report/readers.yaml", READERS.replace("condition: public = true\n", "")).commit("Open");
    let gate = |more: &[&str]| diff(&repository, &[&["main...change", "--deny-new-access"], more].concat());
    let (status, _, said) = gate(&[]);
    assert_eq!(status, Some(1));
    assert!(said.starts_with("new access is denied: 1 gain is not waived help: accept a gain with the trailer"), "{said}");
    let fingerprint = json(&repository, "main..change")["gained"][0]["fingerprint"].as_str().expect("a fingerprint").to_owned();
    assert_eq!(gate(&["--allow", &fingerprint]).0, Some(0));
    let mut near = fingerprint.clone();
    near.replace_range(0..1, if fingerprint.starts_with('0') { "1" } else { "0" });
    let (status, shown, _) = gate(&["--allow", &near]);
    assert_eq!(status, Some(1));
    assert!(shown.contains(&format!("the waiver `{near}` matches no gain; did you mean `{fingerprint}`?")), "{shown}");
    repository.commit(&format!("Accept it\n\nLawbook-Allow: {fingerprint} the board agreed"));
    let (status, shown, said) = gate(&[]);
    assert_eq!((status, said.as_str()), (Some(0), ""), "{shown}");
    assert!(shown.contains(&format!("{fingerprint} (waived)")), "{shown}");
    repository
        .write("policies/report/readers.yaml", READERS.replace("condition: public = true\n", "").replace("[staff,", "[guests, staff,"));
    repository.commit("Open further");
    assert_eq!(gate(&[]).0, Some(1), "leave for one gain is no leave for a larger one");
}

#[test]
fn what_is_described_in_part_cannot_be_accepted() {
    let repository = start();
    let parts: Vec<String> = (0..25).map(|at| format!("(a{at} = 'x' and b{at} = 'y')")).collect();
    repository.write("policies/report/readers.yaml", READERS.replace("public = true", "public = 1")).commit("Narrow");
    repository.write("policies/report/readers.yaml", READERS.replace("public = true", &format!("public = 1 or {}", parts.join(" or "))));
    let report = json(&repository, "HEAD");
    let gained = report["gained"].as_array().expect("a list");
    assert!(!gained.is_empty() && gained.iter().all(|access| access["partial"] == true));
    let mut arguments = vec!["--deny-new-access"];
    arguments.extend(gained.iter().flat_map(|access| ["--allow", access["fingerprint"].as_str().expect("a fingerprint")]));
    let (status, shown, said) = diff(&repository, &arguments);
    assert_eq!((status, report["gate"]["incomplete"].as_u64()), (Some(1), Some(gained.len() as u64)), "{shown}");
    assert!(said.contains("described only in part, and no leave can be given for that: split the change"), "{said}");
    assert!(!said.contains("accept a gain with"), "{said}");
}

#[test]
fn a_region_that_is_not_known_as_a_whole_is_undecided() {
    let repository = start();
    let condition = "a = 1 or (b matches '^abc' and b matches '^xyz')";
    repository.write("policies/report/readers.yaml", READERS.replace("public = true", condition));
    let report = json(&repository, "HEAD");
    assert_eq!((ids(&report, "/undecided"), &report["gate"]["undecided"]), (vec!["ReadReports".to_owned()], &1.into()), "{report:#}");
    assert!(report["gained"].as_array().expect("a list").iter().all(|access| access["partial"] == false));
}

#[test]
fn values_that_do_not_fit_are_part_of_what_is_accepted() {
    let prints = [None, Some("a = 'x'")].map(|condition| {
        let repository = Repository::new();
        let grant = "_id: A\ndescription: x\nservice: report\nactions: [read]\nmembers: [g]\n";
        let other = grant.replace("_id: A", "_id: Z").replace("[g]", "[z]");
        let denial = "_id: D\ndescription: x\nservice: report\nactions: [read]\nmembers: ['*']\ndeny: true\ncondition: a = 'x'\n";
        let (before, after) = match condition {
            None => (format!("{grant}---\n{denial}"), grant.to_owned()),
            Some(condition) => (other.clone(), format!("{other}---\n{grant}condition: {condition}\n")),
        };
        repository.write("policies/a.yaml", before).write("lawbook.toml", "").commit("Start");
        repository.write("policies/a.yaml", after);
        let report = json(&repository, "HEAD");
        let gained = &report["gained"][0];
        assert_eq!((&report["gained"][1], &gained["condition"]), (&Value::Null, &"a = 'x'".into()));
        let unfit = condition.is_none();
        assert_eq!(gained["or_unfit"].as_array().expect("a list").len(), usize::from(unfit));
        assert_eq!(shown(&repository, &[]).contains("`a` holds what no comparison fits, whatever is said of it"), unfit);
        assert_eq!(shown(&repository, &["--format", "markdown"]).contains(", or where `a` holds what no comparison fits"), unfit);
        gained["fingerprint"].clone()
    });
    assert_ne!(prints[0], prints[1]);
}

#[test]
fn whether_somebody_is_locked_out_may_be_unknown() {
    let repository = start();
    let policy = "_id: ManagePolicies\ndescription: m\nservice: policy\nactions: [read, update]\nmembers: [owners]\n";
    repository.write("policies/policy.yaml", policy).commit("Add owners");
    let denial = "_id: Freeze\ndescription: m\nservice: policy\nactions: [update]\nmembers: ['*']\ndeny: true\ncondition: not (b matches '^abc' and b matches '^xyz')\n";
    repository.write("policies/freeze.yaml", denial);
    let (_, text, _) = diff(&repository, &[]);
    assert!(text.starts_with("it is not known whether anybody can still create, update or delete"), "{text}");
    assert_eq!(json(&repository, "HEAD")["lockout"], Value::Null);
}

#[test]
fn what_is_undecided_is_said_and_denied() {
    let repository = start();
    let with = |pattern: &str| READERS.replace("public = true", &format!("title matches '{pattern}'"));
    repository.write("policies/report/readers.yaml", with("^a+$")).commit("Match");
    repository.write("policies/report/readers.yaml", with("^(a|aa)+$"));
    let (status, shown, said) = diff(&repository, &["--deny-new-access"]);
    assert_snapshot!("diff_undecided", shown);
    assert_eq!(status, Some(1));
    assert!(said.ends_with("1 policy is undecided"), "{said}");
    let report = json(&repository, "HEAD");
    assert_eq!((&report["class"], ids(&report, "/undecided")), (&Value::Null, vec!["ReadReports".to_owned()]));
}

#[test]
fn nobody_left_to_change_the_law_is_said_first() {
    let repository = start();
    let policy = "_id: ManagePolicies\ndescription: m\nservice: policy\nactions: [read, update]\nmembers: [owners]\n";
    repository.write("policies/policy.yaml", policy).commit("Add owners");
    repository.write("policies/policy.yaml", policy.replace("[read, update]", "[read]"));
    let text = shown(&repository, &[]);
    assert!(text.starts_with("nobody can create, update or delete on the service `policy` any more"), "{text}");
    assert_eq!(json(&repository, "HEAD")["lockout"], true);
}

#[test]
fn each_side_is_read_with_its_own_declared_lists() {
    let repository = start();
    let tagged = READERS.replace("public = true", "tags = 'open'");
    repository.write("policies/report/readers.yaml", tagged).write("lawbook.toml", "").commit("Tag");
    repository.write("lawbook.toml", "[attributes]\ntags = \"list\"\n");
    let report = json(&repository, "HEAD");
    assert_eq!(report["policies"][0]["happened"], "reread");
    // Of a list that holds what is wanted, the side before read something that does not fit; of a scalar nothing changes.
    assert_eq!(ids(&report, "/undecided"), ["ReadReports"]);
    repository.write("lawbook.toml", "");
    assert_eq!((ids(&json(&repository, "HEAD"), "/undecided"), &json(&repository, "HEAD")["class"]), (Vec::new(), &"no-change".into()));
    assert_eq!((&report["gained"][0]["condition"], &report["gate"]["passes"]), (&"tags = 'open'".into(), &false.into()), "{report:#}");
}

#[test]
fn a_law_book_that_does_not_compile_is_not_compared() {
    let repository = start();
    repository.write("policies/report/readers.yaml", READERS.replace("members:", "member:")).commit("Break");
    let (status, shown, said) = diff(&repository, &["HEAD~1..HEAD"]);
    assert_eq!((status, shown.as_str()), (Some(2), ""));
    let message = "× the law book in revision `HEAD` does not compile: policies/report/readers.yaml:1:1: the field `members` is missing";
    assert!(said.starts_with(message), "{said}");
    assert!(said.contains("help: compare with a revision that compiles; `lawbook check --rev"), "{said}");
    repository.write("policies/report/readers.yaml", READERS);
    assert!(diff(&repository, &[]).2.contains("in revision `HEAD` does not compile"));
    repository.commit("Repair");
    repository.write("policies/report/readers.yaml", "_id: [\n");
    assert!(diff(&repository, &[]).2.contains("in the worktree does not compile"));
}

#[test]
fn a_law_book_that_was_not_there_is_an_empty_one() {
    let repository = Repository::new();
    repository.write("README.md", "soon").commit("Start");
    repository.write("policies/object/dba.yaml", DBA).commit("Add the law book");
    let (status, shown, said) = diff(&repository, &["HEAD~1..HEAD"]);
    assert_eq!((status, said.as_str()), (Some(0), "there is no law book in revision `HEAD~1`: it is compared as an empty one"));
    assert!(shown.starts_with("widens: 1 gain\n"), "{shown}");
    let (status, _, said) = diff(&repository, &["HEAD~1..HEAD~1"]);
    assert_eq!(status, Some(2));
    assert!(said.contains("there is no law book in"), "{said}");
}

#[test]
fn a_directory_says_for_whom_and_one_that_cannot_be_read_says_so() {
    let repository = Repository::new();
    repository.write("policies/object/dba.yaml", DBA).commit("Start");
    repository.write("policies/object/dba.yaml", DBA.replace("dba]", "dba, ann@example.com, bob@example.com]"));
    let from = |shown: &str| shown.lines().nth(1).expect("a second line").split_once(" to ").expect("two sides").1.to_owned();
    assert_eq!(from(&shown(&repository, &[])), "the worktree");
    repository.write("directory.yaml", "users: [{id: ann@example.com}]\n");
    let text = shown(&repository, &[]);
    assert_eq!(from(&text), "the worktree, for the 1 caller of the directory");
    assert!(text.contains("ann@example.com") && !text.contains("bob@example.com"), "{text}");
    repository.write("directory.yaml", "users: {id: ann@example.com}\n");
    let (status, text, said) = diff(&repository, &[]);
    assert_eq!((status, from(&text).as_str()), (Some(0), "the worktree"));
    assert!(said.starts_with("directory.yaml:1:8: ") && said.contains(": every caller counts that there could be help: "), "{said}");
}

#[test]
fn revisions_that_do_not_exist_or_do_not_meet_are_errors_with_a_next_step() {
    let repository = start();
    repository.git(&["checkout", "--quiet", "--orphan", "other"]);
    repository.commit("Start anew");
    for (arguments, expected) in [
        (vec!["mian"], "help: did you mean `main`?"),
        (vec!["main...other"], "help: compare the two themselves: write `main..other`, with two dots"),
        (vec!["policies"], "`policies` is a folder, not a revision help: name the folder second: `lawbook diff HEAD policies`"),
        (vec!["main..other", "--staged"], "help: leave out `--staged`, or name one revision"),
        (vec!["main", "nowhere"], "× there is no folder `nowhere`"),
    ] {
        let (status, shown, said) = diff(&repository, &arguments);
        assert_eq!((status, shown.as_str()), (Some(2), ""), "{arguments:?}");
        assert!(said.contains(expected), "{arguments:?}: {said}");
    }
}

#[test]
fn a_bare_repository_and_a_shallow_clone_are_told_what_they_lack() {
    let repository = reviewed();
    repository.git(&["clone", "--quiet", "--bare", ".", "bare.git"]);
    assert!(shown(&repository, &["main..change", "bare.git"]).starts_with("mixed: 1 gain, 2 losses\n"));
    let (status, _, said) = diff(&repository, &["main", "bare.git"]);
    assert_eq!(status, Some(2));
    assert!(said.ends_with("is a bare repository: it has no worktree help: compare two revisions: write `A..B`"), "{said}");
    let origin = format!("file://{}", repository.path().display());
    repository.git(&["clone", "--quiet", "--depth", "1", "--no-single-branch", &origin, "shallow"]);
    let (status, _, said) = diff(&repository, &["origin/main...change", "shallow"]);
    assert_eq!(status, Some(2));
    assert!(said.ends_with("the clone is shallow help: get the whole history with `git fetch --unshallow`"), "{said}");
}

/// Names that would be markup, if they could.
fn hostile() -> Repository {
    let repository = start();
    let names = ["``` </details><script>alert(1)</script>", "@octocat | [x](javascript:1) **b**", "`` ` ``", "a\u{202e}b\u{1b}[2J"];
    let policy = serde_json::json!({
        "_id": "--> @all `x` <b>",
        "description": "x",
        "service": "| <!-- lawbook:diff -->",
        "actions": ["read"],
        "members": names,
        "condition": "name = '\n\n```\n# x'",
    });
    repository.write("policies/`a`|<b>.json", policy.to_string());
    repository
}

#[test]
fn a_comment_on_a_pull_request_says_it_in_markdown() {
    assert_snapshot!("diff_markdown", shown(&reviewed(), &["main...change", "--format", "markdown"]));
    let control = start();
    control.write("policies/controls/mfa.yaml", MFA.replace("enabled: true", "enabled: false"));
    let (status, text, _) = diff(&control, &["--format", "markdown", "--deny-new-access"]);
    assert_eq!(status, Some(1));
    assert_snapshot!("diff_markdown_control", text);
}

#[test]
fn nothing_of_a_policy_is_markup_or_reaches_the_terminal() {
    let text = shown(&hostile(), &["--format", "markdown"]);
    assert_snapshot!("diff_markdown_hostile", text);
    assert_eq!(text.matches("<!-- lawbook:diff -->\n").count(), 1);
    let human = shown(&hostile(), &[]);
    assert!(!human.contains(['\u{202e}', '\u{1b}']) && !text.contains(['\u{202e}', '\u{1b}']), "{human}");
    json(&hostile(), "HEAD");
}

#[test]
fn a_comment_is_no_longer_than_the_platform_takes() {
    let repository = start();
    let one = |at: usize| {
        format!("_id: P{at}\ndescription: x\nservice: s{at}\nactions: [a{at}]\nmembers: [g{at}]\ncondition: x = '{}'\n", "x".repeat(500))
    };
    repository.write("policies/many.yaml", (0..150).map(one).collect::<Vec<_>>().join("---\n"));
    repository.write("lawbook.toml", format!("actions = {:?}\n", (0..150).map(|at| format!("a{at}")).collect::<Vec<_>>()));
    let text = shown(&repository, &["--format", "markdown"]);
    assert!(text.len() <= 65_536 && text.len() > 60_000, "{}", text.len());
    let (_, left_out) = text.split_once("\n**Not shown here: ").expect("what is left out");
    assert!(left_out.contains("more gains and the list of policies.**"), "{left_out}");
    assert_eq!(text.matches("<details>").count(), text.matches("</details>").count());
}

#[test]
fn a_report_is_written_to_files_as_well() {
    let repository = reviewed();
    let (status, shown, _) = diff(&repository, &["main...change", "--output", "markdown=c.md", "--output", "json=c.json"]);
    assert_eq!(status, Some(0));
    assert!(shown.starts_with("mixed:") && repository.read("c.md").starts_with("<!-- lawbook:diff -->\n"));
    valid(&schema("diff"), &serde_json::from_str(&repository.read("c.json")).expect("JSON"));
}
