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
            Some(name) => console.say(page(&name)?.page.trim_end())?,
            None => list(console)?,
        }
        Ok(Status::Fine)
    }
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
