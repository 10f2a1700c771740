//! Histories that somebody made, or broke, so that the audit trail would tell something else than what happened.

use crate::history::check;
use crate::repository::Repository;
use crate::repository::policy;

/// A file that nobody can read once hid what became of its policy in another file.
#[test]
fn a_policy_that_leaves_a_file_that_breaks_is_followed() {
    let repository = Repository::new();
    let held = |members: &str| policy("A").replace("staff", members);
    repository.write("policies/f.yaml", held("staff")).commit("begin");
    repository.write("policies/f.yaml", "x: [\n").write("policies/g.yaml", held("board")).commit("leave a ruin");
    repository.write("policies/f.yaml", "x: [[\n").write("policies/g.yaml", held("everybody")).commit("open it");
    repository.remove("policies/f.yaml").commit("clear away");
    let expected = [
        "1 begin: create A policies/f.yaml",
        r#"2 leave a ruin: update A policies/g.yaml from policies/f.yaml [E members ["staff"] ["board"]]"#,
        r#"3 open it: update A policies/g.yaml [E members ["board"] ["everybody"]]"#,
    ];
    check(&repository.path(), &expected);
}
