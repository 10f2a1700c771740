//! The command line as a user sees it: transcripts that are run as they stand.

use std::path::PathBuf;

/// Where a program of the machine is.
fn program(name: &str) -> PathBuf {
    let path = std::env::var_os("PATH").expect("a search path");
    let places = std::env::split_paths(&path).map(|folder| folder.join(name));
    places.into_iter().find(|file| file.is_file()).unwrap_or_else(|| panic!("`{name}` is not installed"))
}

/// Runs the transcripts of `tests/cli`, each in a folder of its own, with fixed people and no configuration of the machine.
#[test]
fn transcripts_say_what_the_program_says() {
    let programs = ["git", "cp", "rm"].map(|name| (name, trycmd::schema::Bin::Path(program(name))));
    let cases = trycmd::TestCases::new();
    cases.register_bins(programs);
    for (name, value) in [
        ("GIT_AUTHOR_NAME", "Ada Lovelace"),
        ("GIT_AUTHOR_EMAIL", "ada@example.com"),
        ("GIT_AUTHOR_DATE", "2026-03-05T14:30:00Z"),
        ("GIT_COMMITTER_NAME", "Ada Lovelace"),
        ("GIT_COMMITTER_EMAIL", "ada@example.com"),
        ("GIT_COMMITTER_DATE", "2026-03-05T14:30:00Z"),
        ("GIT_CONFIG_GLOBAL", "/dev/null"),
        ("GIT_CONFIG_NOSYSTEM", "1"),
    ] {
        cases.env(name, value);
    }
    cases.case("tests/cli/*.md");
}
