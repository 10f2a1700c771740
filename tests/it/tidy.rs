//! The shape of the code: what `ARCHITECTURE.md` says about it, held by tests.

use std::collections::BTreeMap;
use std::collections::BTreeSet;
use std::fs;
use std::path::Path;
use std::path::PathBuf;

/// A file may have this many lines.
const MOST_LINES: usize = 500;

/// Crates that are not general-purpose live in one place each.
const CONFINED: &[(&str, &[&str])] = &[
    ("granit_parser", &["src/syntax/"]),
    ("jsonschema", &["src/schema/"]),
    ("git2", &["src/history/", "src/workspace/load", "src/write/"]),
    ("gix_hash", &["src/history/objects.rs"]),
    ("gix_object", &["src/history/bases.rs", "src/history/objects.rs"]),
    ("gix_odb", &["src/history/objects.rs"]),
    ("gix_pack", &["src/history/bases.rs"]),
    ("aws_lc_rs", &["src/bundle/", "src/history/signature/", "src/server/"]),
    ("ssh_key", &["src/bundle/"]),
    ("tar", &["src/bundle/"]),
    ("flate2", &["src/bundle/"]),
    ("axum", &["src/server/"]),
    ("tower", &["src/server/"]),
    ("tower_http", &["src/server/"]),
    ("notify", &["src/server/"]),
    ("tokio", &["src/server/"]),
    ("clap", &["src/cli/", "src/main.rs"]),
    ("toml", &["src/config/", "src/server/auth"]),
    ("hyper_util", &["src/server/"]),
    ("rustls", &["src/server/"]),
    ("ureq", &["src/server/"]),
    ("mimalloc", &["src/main.rs"]),
    ("similar", &["src/cli/"]),
    ("regex", &["src/condition/"]),
    ("regex_syntax", &["src/condition/"]),
    ("ipnet", &["src/condition/"]),
    ("unicode_security", &["src/lint/rules/confusable_id.rs"]),
    ("unicode_script", &["src/lint/rules/confusable_id.rs"]),
];

/// The pure core: nothing in it touches the disk, the clock, the environment or the terminal.
const PURE: [&str; 12] =
    ["source", "finding", "syntax", "schema", "config", "condition", "policy", "decision", "directory", "analysis", "lint", "template"];

const IMPURE: [&str; 10] = [
    "std::fs",
    "std::env",
    "TcpStream",
    "TcpListener",
    "UdpSocket",
    "std::process",
    "std::io::stdout",
    "SystemTime",
    "Instant::now",
    "println!",
];

const VAGUE_NAMES: [&str; 4] = ["util", "common", "helpers", "misc"];

fn root() -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR"))
}

/// All files below a folder with one of these endings, as paths relative to the repository, with their text.
fn files(folder: &str, endings: &[&str]) -> BTreeMap<String, String> {
    let mut found = BTreeMap::new();
    let mut folders = vec![root().join(folder)];
    while let Some(folder) = folders.pop() {
        for entry in fs::read_dir(&folder).expect("a folder") {
            let path = entry.expect("an entry").path();
            let name = path.strip_prefix(root()).expect("below the root").to_string_lossy().replace('\\', "/");
            if path.is_dir() {
                folders.push(path);
            } else if endings.iter().any(|ending| name.ends_with(ending)) {
                found.insert(name, fs::read_to_string(&path).expect("text"));
            }
        }
    }
    found
}

fn rust_files() -> BTreeMap<String, String> {
    let mut all = files("src", &[".rs"]);
    all.extend(files("tests", &[".rs"]));
    for folder in ["benches", "examples", "fuzz/fuzz_targets"] {
        if root().join(folder).is_dir() {
            all.extend(files(folder, &[".rs"]));
        }
    }
    all
}

/// The modules of `src/lib.rs`, in their order.
fn modules() -> Vec<String> {
    let lib = fs::read_to_string(root().join("src/lib.rs")).expect("src/lib.rs");
    lib.lines().filter_map(|line| line.strip_prefix("pub mod ")?.strip_suffix(';')).map(str::to_owned).collect()
}

/// The code of a file without what is behind `//` on each line.
fn code(text: &str) -> impl Iterator<Item = (usize, &str)> {
    text.lines().enumerate().map(|(at, line)| (at + 1, line.split("//").next().unwrap_or_default()))
}

#[track_caller]
fn none(what: &str, offences: &[String]) {
    assert!(offences.is_empty(), "{what}:\n  {}", offences.join("\n  "));
}

#[test]
fn a_module_names_only_modules_above_it() {
    let order = modules();
    let mut offences = Vec::new();
    for (path, text) in files("src", &[".rs"]) {
        let module = path.trim_start_matches("src/").split('/').next().unwrap_or_default().trim_end_matches(".rs").to_owned();
        let Some(own) = order.iter().position(|name| *name == module) else { continue };
        for (line, code) in code(&text) {
            for used in code.split("crate::").skip(1) {
                let name: String = used.chars().take_while(|char| char.is_ascii_alphanumeric() || *char == '_').collect();
                if name.is_empty() {
                    offences.push(format!("{path}:{line}: a grouped import hides what is named"));
                } else if order.iter().position(|other| *other == name).is_some_and(|other| other > own) {
                    offences.push(format!("{path}:{line}: `{module}` names `{name}`, which is below it"));
                }
            }
        }
    }
    none("src/lib.rs gives the direction of dependence", &offences);
}

#[test]
fn every_folder_of_src_is_a_module_of_the_law() {
    let folders: BTreeSet<String> = fs::read_dir(root().join("src"))
        .expect("src")
        .map(|entry| entry.expect("an entry").path())
        .filter(|path| path.is_dir())
        .map(|path| path.file_name().expect("a name").to_string_lossy().into_owned())
        .collect();
    assert_eq!(folders, modules().into_iter().collect());
}

#[test]
fn a_crate_that_is_not_general_purpose_lives_in_one_place() {
    let mut offences = Vec::new();
    for (path, text) in files("src", &[".rs"]) {
        for (name, places) in CONFINED {
            let here = places.iter().any(|place| path.starts_with(place));
            let named = |code: &str| {
                code.match_indices(&format!("{name}::")).any(|(at, _)| {
                    let before = code[..at].chars().next_back();
                    !before.is_some_and(|char| char.is_ascii_alphanumeric() || char == '_' || char == ':')
                })
            };
            offences.extend(
                code(&text)
                    .filter(|(_, code)| !here && named(code))
                    .map(|(line, _)| format!("{path}:{line}: `{name}` belongs to {places:?}")),
            );
        }
    }
    none("the table of crates", &offences);
}

#[test]
fn the_core_is_pure() {
    let mut offences = Vec::new();
    for module in PURE {
        let all = files(&format!("src/{module}"), &[".rs"]);
        let only_for_tests: Vec<String> = all
            .values()
            .flat_map(|text| text.split("#[cfg(test)]\nmod ").skip(1))
            .map(|rest| rest.split([';', ' ']).next().unwrap_or_default().to_owned())
            .collect();
        for (path, text) in all {
            if only_for_tests.iter().any(|name| path.ends_with(&format!("/{name}.rs")) || path.contains(&format!("/{name}/"))) {
                continue;
            }
            let body = text.split("#[cfg(test)]").next().unwrap_or_default().to_owned();
            for (line, code) in code(&body) {
                offences.extend(IMPURE.iter().filter(|name| code.contains(*name)).map(|name| format!("{path}:{line}: `{name}`")));
            }
        }
    }
    none("the core touches neither disk, clock, environment nor terminal", &offences);
}

#[test]
fn a_file_has_one_idea_and_at_most_500_lines() {
    let long = rust_files().into_iter().map(|(path, text)| (path, text.lines().count())).filter(|(_, lines)| *lines > MOST_LINES);
    none("files that are too long", &long.map(|(path, lines)| format!("{path}: {lines} lines")).collect::<Vec<_>>());
}

#[test]
fn a_file_says_first_what_it_is_for_and_has_a_name_that_says_it_too() {
    let mut offences = Vec::new();
    for (path, text) in rust_files() {
        if !text.starts_with("//!") {
            offences.push(format!("{path}: does not begin with `//!`"));
        }
        let stem = Path::new(&path).file_stem().expect("a name").to_string_lossy().into_owned();
        if VAGUE_NAMES.contains(&stem.as_str()) {
            offences.push(format!("{path}: `{stem}` says nothing"));
        }
    }
    none("headers and names", &offences);
}

#[test]
fn nothing_is_unfinished_and_no_test_is_skipped_without_a_reason() {
    let marks = ["TO".to_owned() + "DO", "FIX".to_owned() + "ME", "unimplemented".to_owned() + "!(", "to".to_owned() + "do!("];
    let bare = "#[ign".to_owned() + "ore]";
    let mut offences = Vec::new();
    for (path, text) in rust_files() {
        for (at, line) in text.lines().enumerate() {
            if marks.iter().any(|mark| line.contains(mark)) || line.contains(&bare) {
                offences.push(format!("{path}:{}: {}", at + 1, line.trim()));
            }
        }
    }
    none("unfinished", &offences);
}

/// The texts between single back quotes of a Markdown file, outside of fenced blocks.
fn quoted(text: &str) -> Vec<String> {
    let mut fenced = false;
    let mut found = Vec::new();
    for line in text.lines() {
        if line.trim_start().starts_with("```") {
            fenced = !fenced;
        } else if !fenced {
            found.extend(line.split('`').skip(1).step_by(2).map(str::to_owned));
        }
    }
    found
}

fn documents() -> BTreeMap<String, String> {
    let mut all = files("docs", &[".md"]);
    for name in ["README.md", "ARCHITECTURE.md", "CONTRIBUTING.md"] {
        all.insert(name.to_owned(), fs::read_to_string(root().join(name)).expect(name));
    }
    all
}

#[test]
fn a_path_that_the_documents_name_exists() {
    let folders = ["src/", "tests/", "docs/", "schema/", "policies/", "benches/", "fuzz/", ".ci/"];
    let mut offences = Vec::new();
    for (document, text) in documents() {
        for path in quoted(&text).into_iter().filter(|path| folders.iter().any(|folder| path.starts_with(folder))) {
            let plain = !path.contains(['*', '<', '{', ' ', '…']);
            if plain && !root().join(path.split("::").next().unwrap_or_default().trim_end_matches('/')).exists() {
                offences.push(format!("{document}: `{path}`"));
            }
        }
    }
    none("paths that do not exist", &offences);
}

#[test]
fn a_test_that_the_architecture_names_exists() {
    let sources: String = rust_files().into_values().collect();
    let text = fs::read_to_string(root().join("ARCHITECTURE.md")).expect("ARCHITECTURE.md");
    let invariants = text.split("## Invariants").nth(1).expect("a section of invariants");
    let named: Vec<String> =
        quoted(invariants).into_iter().filter(|name| name.contains('_') && !name.contains(['/', '.', ' ', ':'])).collect();
    assert!(named.len() >= 8, "the invariants name their tests, and only {} are named", named.len());
    let missing: Vec<String> = named.into_iter().filter(|name| !sources.contains(&format!("fn {name}("))).collect();
    none("tests that the invariants name and that do not exist", &missing);
}

#[test]
fn nothing_names_a_machine_or_a_registry_host() {
    let hosts = [
        "crates".to_owned() + ".io/api",
        "index.crates".to_owned() + ".io",
        "static.crates".to_owned() + ".io",
        "pypi".to_owned() + ".org",
        "registry.npmjs".to_owned() + ".org",
    ];
    let places = ["/wo".to_owned() + "rk/", "/ro".to_owned() + "ot/", "/tmp/w".to_owned() + "t"];
    let mut all = rust_files();
    all.extend(documents());
    all.insert("Cargo.toml".to_owned(), fs::read_to_string(root().join("Cargo.toml")).expect("Cargo.toml"));
    all.insert(".ci/run".to_owned(), fs::read_to_string(root().join(".ci/run")).expect(".ci/run"));
    let mut offences = Vec::new();
    for (path, text) in all {
        offences.extend(hosts.iter().chain(&places).filter(|word| text.contains(*word)).map(|word| format!("{path}: {word}")));
    }
    none("machine paths and registry hosts", &offences);
}

#[test]
fn a_rule_that_asks_for_what_is_prepared_says_so() {
    let kinds = [
        ("book.conditions()", ["Check::Conditions(", "Check::Meaning("].as_slice()),
        ("book.analysis()", &["Check::Claims(", "Check::Meaning("]),
        ("book.meaning()", &["Check::Meaning("]),
    ];
    let mut offences = Vec::new();
    for (path, text) in files("src/lint/rules", &[".rs"]) {
        let asks = kinds.iter().filter(|(call, kinds)| text.contains(call) && !kinds.iter().any(|kind| text.contains(kind)));
        offences.extend(asks.map(|(call, _)| format!("{path}: {call}")));
    }
    none("what a rule looks at says what it may ask for, or nobody has prepared it", &offences);
}
