//! The linter: a table of rules over one law book.
//!
//! A rule is data ([`Rule`]) and a function that reports [`Draft`]s. It does not know its level, nor whether somebody
//! suppressed what it found: the [runner](run) does. What keeps a file from being read at all is told by rules too, so that
//! there is one list of everything that can be wrong.

mod atoms;
mod book;
mod draft;
mod phrase;
mod rules;
mod scalar;
mod secrets;
mod suggest;
mod suppression;
mod telling;

use std::collections::BTreeMap;

use crate::config::ConfigProblem;
use crate::finding::Finding;
use crate::finding::Level;
use crate::finding::nearest;

pub use book::Book;
pub use book::DocumentRef;
pub use book::Unreadable;
pub use draft::Draft;
pub use draft::Sink;
pub use rules::RULES;
pub use rules::SECRET_RULE;
pub use suppression::Suppression;
pub use suppression::Use;

/// One kind of finding.
#[derive(Debug)]
pub struct Rule {
    /// The name, in configuration, suppressions and reports.
    pub name: &'static str,
    /// What it finds, in one line.
    pub summary: &'static str,
    /// Its level when the configuration does not say.
    pub default: Level,
    /// Whether what it finds leaves the meaning of a file unknown, so that a reload has to wait. Such a rule cannot be ignored or suppressed.
    pub blocking: bool,
    /// How it finds.
    pub check: Check,
    /// The page of the rule, in Markdown.
    pub page: &'static str,
}

/// What a rule looks at.
#[derive(Debug)]
pub enum Check {
    /// The law book.
    Book(fn(&Book, &mut Sink)),
    /// What became of the suppressions, once all other rules have run.
    Suppressions(fn(&[Use], &mut Sink)),
}

/// The rule with this name.
pub fn rule(name: &str) -> Option<&'static Rule> {
    RULES.iter().copied().find(|rule| rule.name == name)
}

/// What the configuration says about rules that cannot be: names of no rule, and blocking rules that are to be ignored.
pub fn level_problems(levels: &BTreeMap<String, crate::config::Placed<Level>>) -> Vec<ConfigProblem> {
    let problem = |(name, level): (&String, &crate::config::Placed<Level>)| match rule(name) {
        None => {
            let near = nearest(name, RULES.iter().map(|rule| rule.name));
            let help = near.map_or_else(|| "`lawbook explain` lists every rule".to_owned(), |near| format!("did you mean `{near}`?"));
            Some(ConfigProblem::new(level.range.clone(), format!("there is no rule `{name}`"), help))
        }
        Some(rule) if rule.blocking && level.value == Level::Ignore => {
            let message = format!("the rule `{name}` cannot be ignored: what it finds leaves the meaning of a file unknown");
            Some(ConfigProblem::new(level.range.clone(), message, "set it to `warn` or `error`, or remove the line"))
        }
        Some(_) => None,
    };
    levels.iter().filter_map(problem).collect()
}

/// The rules that ask what single conditions mean, and those that ask what the law book means.
const OF_CONDITIONS: [&str; 6] = [
    "unsatisfiable-condition",
    "always-true-condition",
    "redundant-condition-part",
    "allow-matches-missing",
    "denial-misses-missing",
    "never-satisfied-control",
];
const OF_MEANING: [&str; 8] = [
    "dead-allow",
    "same-condition-exception",
    "redundant-policy",
    "duplicate-policy",
    "inert-denial",
    "allow-deny-conflict",
    "lockout",
    "contradicting-controls",
];

/// Semantic rules that ask for both, or for neither beforehand.
const OF_BOTH: [&str; 3] = ["assertion-failed", "vacuous-assertion", "undecided-analysis"];

/// Whether a rule may ask for what [`prepare`] prepares.
fn is_semantic(rule: &Rule) -> bool {
    OF_CONDITIONS.contains(&rule.name) || OF_MEANING.contains(&rule.name) || OF_BOTH.contains(&rule.name)
}

/// Prepares side by side what rules will ask for one after the other.
fn prepare(book: &Book) {
    let wanted = |names: &[&str]| names.iter().any(|name| book.config.levels.get(*name).is_none_or(|level| level.value != Level::Ignore));
    let conditions = || wanted(&OF_CONDITIONS).then(|| book.conditions().count());
    let analysis = || wanted(&OF_MEANING).then(|| book.analysis());
    rayon::join(analysis, conditions);
}

/// Runs every rule that is not ignored, and gives its findings in their order. `today` decides which suppressions have expired.
pub fn run(book: &Book, today: jiff::civil::Date) -> Vec<Finding> {
    let told = |semantic: bool| {
        let mut findings = Vec::new();
        for rule in RULES.iter().filter(|rule| is_semantic(rule) == semantic) {
            if let Check::Book(check) = rule.check {
                collect(book, rule, &mut findings, check);
            }
        }
        findings
    };
    // INVARIANT: no rule that is not semantic asks for what is being prepared, or it could wait for itself.
    let ((), mut findings) = rayon::join(|| prepare(book), || told(false));
    findings.extend(told(true));
    let uses = suppression::apply(book, today, &mut findings);
    for rule in RULES {
        if let Check::Suppressions(check) = rule.check {
            collect(book, rule, &mut findings, |_, sink| check(&uses, sink));
        }
    }
    findings.sort();
    findings.dedup();
    findings
}

/// Only the findings that leave the meaning of a file unknown, in their order.
pub fn blocking(book: &Book) -> Vec<Finding> {
    let mut findings = Vec::new();
    for rule in RULES.iter().filter(|rule| rule.blocking) {
        if let Check::Book(check) = rule.check {
            collect(book, rule, &mut findings, check);
        }
    }
    findings.sort();
    findings
}

/// Runs one rule at its level.
fn collect(book: &Book, rule: &'static Rule, findings: &mut Vec<Finding>, check: impl Fn(&Book, &mut Sink)) {
    let configured = book.config.levels.get(rule.name);
    let level = configured.map_or(rule.default, |level| level.value);
    // INVARIANT: a blocking rule always runs; `level_problems` has already told that it cannot be ignored.
    let level = if rule.blocking { level.max(Level::Warn) } else { level };
    let Some(severity) = level.severity() else { return };
    let reason = match configured {
        Some(level) => format!("`{}` is set to `{}` in {}", rule.name, level.value.as_str(), crate::config::FILE_NAME),
        None => format!("`{}` is `{}` by default", rule.name, level.as_str()),
    };
    let mut sink = Sink::default();
    check(book, &mut sink);
    findings.extend(sink.into_drafts().into_iter().map(|draft| draft.into_finding(rule, severity, &reason)));
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_prepared_is_for_rules_that_there_are() {
        for name in OF_CONDITIONS.into_iter().chain(OF_MEANING).chain(OF_BOTH) {
            assert!(rule(name).is_some(), "{name}");
        }
    }
}
