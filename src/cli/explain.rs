//! `lawbook explain`: the rules, and the page of each.

use clap::Args;

use super::Console;
use super::Failure;
use super::Outcome;
use super::Status;
use crate::finding::nearest;
use crate::lint;
use crate::lint::RULES;
use crate::lint::Rule;

/// List the rules, or print the page of one: what it finds, why, and what to do
#[derive(Debug, Args)]
#[command(after_help = "Examples:\n  lawbook explain\n  lawbook explain public-write")]
pub(super) struct Explain {
    /// The rule
    rule: Option<String>,
}

impl Explain {
    pub(super) fn run(self, console: &mut Console) -> Outcome {
        match self.rule {
            Some(name) => console.say(plain(page(&name)?.page).trim_end())?,
            None => list(console)?,
        }
        Ok(Status::Fine)
    }
}

/// A page without what is in it for the tests: the findings that are announced in comments, and the paths of its examples.
fn plain(page: &str) -> String {
    let mut plain = String::with_capacity(page.len());
    let mut in_example = false;
    for line in page.lines() {
        let fence = line.starts_with("```");
        in_example ^= fence;
        let cut = if fence {
            line.split(' ').next()
        } else if in_example {
            line.split("# error").next()
        } else {
            Some(line)
        };
        let cut = cut.unwrap_or(line);
        if cut.len() == line.len() || !cut.trim().is_empty() {
            plain.push_str(if cut.len() == line.len() { line } else { cut.trim_end() });
            plain.push('\n');
        }
    }
    plain
}

fn list(console: &mut Console) -> Result<(), Failure> {
    let width = RULES.iter().map(|rule| rule.name.len()).max().unwrap_or_default();
    for rule in RULES {
        console.say(format!("{:width$}  {:6}  {}", rule.name, rule.default.as_str(), rule.summary))?;
    }
    console.say("\n`lawbook explain RULE` prints the page of a rule. A level is set under [lint.rules] in lawbook.toml.")
}

fn page(name: &str) -> Result<&'static Rule, Failure> {
    lint::rule(name).ok_or_else(|| {
        let near = nearest(name, RULES.iter().map(|rule| rule.name));
        let help = near.map_or_else(|| "`lawbook explain` lists every rule".to_owned(), |near| format!("did you mean `{near}`?"));
        Failure::new(format!("there is no rule `{name}`")).help(help)
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(page: &str, expected: &str) {
        assert_eq!(plain(page), expected);
    }

    #[test]
    fn what_a_page_says_to_the_tests_is_not_printed() {
        check(
            "a # error b\n```yaml file=x.yaml\n# error +1: [r]\n_id: A  # error: [r]\n\n```\nb\n",
            "a # error b\n```yaml\n_id: A\n\n```\nb\n",
        );
        for rule in RULES {
            let shown = plain(rule.page);
            assert!(!shown.contains("# error") && !shown.contains("file="), "{shown}");
        }
    }
}
