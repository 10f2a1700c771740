//! What a well-formed configuration still must not say.
//!
//! A setting that could not be kept, or that could only be a slip, is refused here rather than found out when it matters.

use std::collections::BTreeSet;
use std::ops::Range;
use std::time::Duration;

use super::Config;
use super::ConfigProblem;
use super::Placed;
use super::Selection;
use crate::finding::nearest;

/// Everything of that kind in a configuration. `text` is the file, for the places of values that carry none.
pub(super) fn problems(config: &Config, text: &str) -> Vec<ConfigProblem> {
    let mut problems = globs(config, text);
    problems.extend(assertions(config));
    problems.extend(new_file(config, text));
    problems.extend(directory(config));
    if let Some(limit) = &config.server.max_staleness
        && staleness(limit).is_none()
    {
        let message = format!("`{limit}` is no limit of staleness");
        problems.push(ConfigProblem::new(
            place(text, limit),
            message,
            "write `deny:` and a time, such as `deny:30m`, `deny:1h` or `deny:2d`",
        ));
    }
    problems.extend(history(config));
    problems
}

/// Reads `deny:` and a time such as `90s`, `30m`, `1h` or `2d`: how long a stale snapshot may be served before everything is denied.
pub fn staleness(text: &str) -> Option<Duration> {
    let time = text.strip_prefix("deny:")?;
    let unit = time.chars().last()?;
    let seconds = match unit {
        's' => 1,
        'm' => 60,
        'h' => 3600,
        'd' => 86_400,
        _ => return None,
    };
    let count: u64 = time.strip_suffix(unit)?.parse().ok()?;
    count.checked_mul(seconds).map(Duration::from_secs)
}

fn place(text: &str, value: &str) -> Range<usize> {
    text.find(value).map_or(0..0, |start| start..start + value.len())
}

fn globs(config: &Config, text: &str) -> Vec<ConfigProblem> {
    let mut problems = Vec::new();
    if config.files.is_empty() {
        problems.push(ConfigProblem::new(
            place(text, "files"),
            "`files` selects nothing",
            "name the policy files, such as `policies/**/*.yaml`",
        ));
    }
    for glob in config.files.iter().chain(&config.exclude) {
        if glob.starts_with('/') || glob.split('/').any(|part| part == "..") {
            let message = format!("`{glob}` leads out of the law book");
            problems.push(ConfigProblem::new(place(text, glob), message, "write it relative to the folder of lawbook.toml, without `..`"));
        } else if let Err(error) = globset::Glob::new(glob) {
            let message = format!("`{glob}` is not a glob: {}", error.kind());
            problems.push(ConfigProblem::new(place(text, glob), message, "write a glob such as `policies/**/*.yaml`"));
        }
    }
    problems
}

fn assertions(config: &Config) -> Vec<ConfigProblem> {
    let mut problems = Vec::new();
    let mut names = BTreeSet::new();
    for assertion in &config.assertions {
        let mut refuse = |range: &Range<usize>, message, help: String| problems.push(ConfigProblem::new(range.clone(), message, help));
        if !names.insert(&assertion.name) {
            refuse(&assertion.range, format!("two assertions are called `{}`", assertion.name), "give each a name of its own".to_owned());
        }
        for action in assertion.scope().actions.iter().filter(|action| !config.actions.contains(&action.value)) {
            let name = &action.value;
            let near = nearest_action(name, config.actions.iter().map(String::as_str));
            let help =
                near.map_or_else(|| "use one of the actions, or add it to `actions`".to_owned(), |near| format!("did you mean `{near}`?"));
            refuse(&action.range, format!("the assertion `{}`: `{name}` is no action", assertion.name), help);
        }
    }
    problems
}

/// The action that is meant: one that is spelled nearly so, or the only one that begins so, as `delete` for `del`.
fn nearest_action<'a>(name: &str, actions: impl Iterator<Item = &'a str> + Clone) -> Option<&'a str> {
    /// Fewer characters than this begin too many names.
    const SHORTEST: usize = 2;
    nearest(name, actions.clone()).or_else(|| {
        let mut longer = actions.filter(|action| name.len() >= SHORTEST && action.starts_with(&name.to_lowercase()));
        longer.next().filter(|_| longer.next().is_none())
    })
}

fn new_file(config: &Config, text: &str) -> Option<ConfigProblem> {
    let path = &config.server.new_file;
    let set = text.contains("new-file");
    let message = if !path.contains("{id}") {
        format!("`{path}` would be the file of every new policy")
    } else if set && !Selection::new(config).selects(&path.replace("{id}", "id")) {
        format!("`{path}` is not among the policy files that `files` selects")
    } else {
        return None;
    };
    Some(ConfigProblem::new(
        place(text, path),
        message,
        "write a path that `files` selects, with `{id}` for the id, such as `policies/{id}.yaml`",
    ))
}

/// Whether a path is one of a file within the law book that git can hold.
fn is_inside(path: &str) -> bool {
    let leads_elsewhere = |part: &str| matches!(part, "" | "." | "..") || part.eq_ignore_ascii_case(".git");
    !path.contains('\\') && !path.split('/').any(leads_elsewhere)
}

fn history(config: &Config) -> Vec<ConfigProblem> {
    let mut problems = Vec::new();
    let Placed { value: path, range } = &config.history.allowed_signers;
    if !is_inside(path) {
        let help = "write it relative to the folder of lawbook.toml, such as `.lawbook/allowed_signers`";
        problems.push(ConfigProblem::new(range.clone(), format!("`{path}` is no path within the law book"), help));
    }
    for Placed { value: id, range } in &config.history.pinned {
        if id.len() != 40 || !id.bytes().all(|byte| byte.is_ascii_hexdigit()) {
            let help = "write all 40 digits, as `git rev-parse` prints them";
            problems.push(ConfigProblem::new(range.clone(), format!("`{id}` is not the full id of a commit"), help));
        }
    }
    problems
}

fn directory(config: &Config) -> Option<ConfigProblem> {
    let named = config.directory.as_ref()?;
    let path = named.value.as_str();
    let (message, help) = if !is_inside(path) {
        (format!("`{path}` is no path within the law book"), "write it relative to the folder of lawbook.toml, such as `directory.yaml`")
    } else if !["yaml", "yml", "json"].iter().any(|ending| path.ends_with(&format!(".{ending}"))) {
        // Hooks and editors know what to do with a file by its name.
        (format!("`{path}` does not look like YAML"), "name a file that ends in `.yaml`, `.yml` or `.json`")
    } else if Selection::new(config).selects(path) {
        (format!("`{path}` is a policy file: `files` selects it"), "leave it out with `exclude`, or name a file elsewhere")
    } else {
        return None;
    };
    Some(ConfigProblem::new(named.range.clone(), message, help))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn limit(text: &str, expected: Option<u64>) {
        assert_eq!(staleness(text), expected.map(Duration::from_secs), "{text}");
    }

    #[test]
    fn a_limit_of_staleness_is_a_word_and_a_time() {
        limit("deny:90s", Some(90));
        limit("deny:1h", Some(3600));
        limit("deny:2d", Some(172_800));
        limit("allow:1h", None);
        limit("deny:", None);
        limit("deny:h", None);
        limit("deny:-1h", None);
        limit("deny:99999999999999999d", None);
    }

    #[test]
    fn an_action_that_is_cut_short_is_completed() {
        let check = |name: &str, expected: Option<&str>| {
            assert_eq!(nearest_action(name, ["create", "read", "delete", "approve", "approve-all"].into_iter()), expected, "{name}");
        };
        check("del", Some("delete"));
        check("raed", Some("read"));
        check("app", None);
        check("d", None);
        check("write", None);
    }

    #[track_caller]
    fn refused(text: &str, message: &str, at: &str) {
        let problems = Config::parse(text).expect_err(text);
        let found = problems.iter().find(|problem| problem.message.contains(message));
        let range = found.unwrap_or_else(|| panic!("{text:?}: {problems:?}")).range.clone();
        assert_eq!(text.get(range), Some(at), "{text:?}");
    }

    #[test]
    fn what_could_not_be_kept_or_can_only_be_a_slip_is_refused() {
        refused("files = []\n", "selects nothing", "files");
        refused("files = [\"/etc/*.yaml\"]\n", "leads out of the law book", "/etc/*.yaml");
        refused("exclude = [\"../**/*.yaml\"]\n", "leads out of the law book", "../**/*.yaml");
        refused("files = [\"a{b\"]\n", "is not a glob", "a{b");
        for path in ["", "/etc/people.yaml", "../people.yaml", "a//b.yaml", "./a.yaml", ".git/a.yaml"] {
            refused(&format!("directory = \"{path}\"\n"), "is no path within the law book", &format!("\"{path}\""));
        }
        refused("directory = 'a\\b.yaml'\n", "is no path within the law book", "'a\\b.yaml'");
        refused("directory = \"people.toml\"\n", "does not look like YAML", "\"people.toml\"");
        refused("directory = \"policies/x.yaml\"\n", "is a policy file", "\"policies/x.yaml\"");
        refused("[server]\nmax-staleness = \"banana\"\n", "is no limit of staleness", "banana");
        refused("[server]\nnew-file = \"x.yaml\"\n", "would be the file of every new policy", "x.yaml");
        refused("[server]\nnew-file = \"laws/{id}.yaml\"\n", "is not among the policy files", "laws/{id}.yaml");
        for path in ["", "/etc/keys", "../keys", ".git/keys"] {
            refused(&format!("[history]\nallowed-signers = \"{path}\"\n"), "is no path within the law book", &format!("\"{path}\""));
        }
        refused("[history]\npinned = [\"abc1234\"]\n", "`abc1234` is not the full id of a commit", "\"abc1234\"");
        let long = "g".repeat(40);
        refused(&format!("[history]\npinned = [\"{long}\"]\n"), "is not the full id of a commit", &format!("\"{long}\""));
        refused("[[assert]]\nname = \"a\"\nnever = { actions = [\"raed\"] }\n", "`raed` is no action", "\"raed\"");
        refused("[[assert]]\nname = \"a\"\nnever = { actions = [\"del\"] }\n", "`del` is no action", "\"del\"");
        refused(
            "[[assert]]\nname = \"a\"\nnever = {}\n[[assert]]\nname = \"a\"\nnever = {}\n",
            "two assertions are called `a`",
            "[[assert]]",
        );
    }
}
