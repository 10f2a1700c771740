//! The canonical form of generated files: it is its own canonical form, and changes no policy, no decision and no comment.

use lawbook::config::BUILT_IN_ACTIONS;
use lawbook::policy::PolicyFile;
use lawbook::policy::format;
use lawbook::policy::read_file;
use lawbook::policy::to_value;
use lawbook::schema::Schema;
use lawbook::source::SourceId;
use proptest::prelude::*;
use proptest::sample::select;
use serde_json::Value;

/// The ways to write the value of a field, without the last line break.
fn values(key: &str) -> Vec<&'static str> {
    match key {
        "service" => vec![" report", " '*'", " \"wiki\" # quoted", "\n  report", " &s report"],
        "actions" => vec![" [read]", "\n  - read\n  # and\n  - update", "\n- read", " [\"read\", # one\n  run]"],
        "members" => vec![" ['*']", "\n  - ann@example.com # Ann\n\n  - staff", "\n- staff\n# at the end"],
        "except" => vec![" [bob@example.com]", "\n  - ops # not they\n  # nor it\n  - service:job", "\n- ops"],
        "condition" => vec![
            " a = 1",
            " a == 'x' # why",
            " 'owner = ''{me}'''",
            " \"a <> 'x' and b nin [1, 2]\"",
            " |\n  a == 1\n    and b = \"it's\"",
            " >-\n  a == 1\n  and b = 2",
            " a == 1\n  and b <> 2",
            " 'a == 1\n  and b = ''x'''",
            " |+\n  a = 1\n\n",
        ],
        "description" => {
            vec![" text", " 'it''s'", " |\n  # no comment\n  two lines", " >\n  folded\n\n  text", " |+\n  kept\n\n\n", " \"a\\nb\""]
        }
        "metadata" => vec![" {owner: [a, 1]}", "\n  # inside\n  owner: ops\n  more:\n    - 1", "\n  text: |\n    x"],
        "deny" => vec![" true", " false # never"],
        "_id" => vec![" A", " 'A'", " \"A\" # the id"],
        "_type" => vec![" Policy"],
        _ => vec![" team"],
    }
}

/// A field with what stands above it.
fn field(key: &'static str) -> impl Strategy<Value = String> {
    let silenced = "# lawbook: ignore(public-write): tested\n";
    let above = select(vec!["", "", "# above\n", "\n# parted\n# twice\n", "\n", silenced, "\n# a\n\n# b\n"]);
    (above, select(values(key))).prop_map(move |(above, value)| format!("{above}{key}:{value}\n"))
}

fn document() -> impl Strategy<Value = String> {
    let required = ["_id", "service", "actions", "members"];
    let optional = ["_type", "category", "description", "condition", "except", "deny", "metadata"];
    let chosen = prop::sample::subsequence(optional.to_vec(), 0..=optional.len());
    let keys = chosen.prop_map(move |chosen| required.into_iter().chain(chosen).collect::<Vec<_>>()).prop_shuffle();
    keys.prop_flat_map(|keys| keys.into_iter().map(field).collect::<Vec<_>>()).prop_map(|fields| fields.concat())
}

fn file() -> impl Strategy<Value = String> {
    let head = select(vec!["", "# modeline\n", "# head\n\n", "---\n", "# head\n---\n# in the document\n", "\u{feff}"]);
    let tail = select(vec!["", "# the end\n", "\n\n", "...\n"]);
    (head, prop::collection::vec(document(), 1..3), tail, any::<bool>()).prop_map(|(head, documents, tail, windows)| {
        let text = format!("{head}{}{tail}", documents.join("---\n"));
        if windows { text.replace('\n', "\r\n") } else { text }
    })
}

fn read(text: &str) -> PolicyFile {
    let schema = Schema::new(&BUILT_IN_ACTIONS.map(str::to_owned)).expect("compiles");
    read_file(SourceId::new(0), text, &schema)
}

/// What the policies of a file say, with their conditions as they are understood.
fn meaning(file: &PolicyFile) -> Vec<Value> {
    let policies = file.documents.iter().map(|document| document.policy().expect("a policy"));
    policies
        .map(|policy| {
            let mut value = to_value(policy);
            if let Some(condition) = policy.condition() {
                value["condition"] = condition.expr.to_string().into();
            }
            value
        })
        .collect()
}

fn comments(file: &PolicyFile) -> Vec<String> {
    let mut all: Vec<String> = file.comments.iter().map(|comment| comment.text.clone()).collect();
    all.sort();
    all
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(512))]

    #[test]
    fn the_canonical_form_changes_no_policy_and_no_comment(text in file()) {
        let before = read(&text);
        prop_assert_eq!(&before.errors, &[], "{}", text);
        let formatted = format(&text).map_err(|error| TestCaseError::fail(format!("{error}: {text}")))?;
        let after = read(&formatted);
        prop_assert_eq!(&after.errors, &[], "{}", formatted);
        prop_assert_eq!(meaning(&before), meaning(&after), "{}\n---\n{}", text, formatted);
        prop_assert_eq!(comments(&before), comments(&after), "{}\n---\n{}", text, formatted);
        prop_assert_eq!(format(&formatted), Ok(formatted.clone()), "{}", text);
        for document in &after.documents {
            prop_assert!(document.spellings().is_empty(), "{}", formatted);
        }
    }

    #[test]
    fn any_text_that_has_a_canonical_form_has_one_that_stays(text in "[a-z_:#{}\\[\\]|>&*'\" \n\r\t-]{0,60}") {
        if let Ok(formatted) = format(&text) {
            prop_assert_eq!(format(&formatted), Ok(formatted.clone()));
        }
    }
}
