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

use rayon::prelude::*;

use crate::config::ConfigProblem;
use crate::finding::Finding;
use crate::finding::Level;
use crate::finding::nearest;

pub use book::Book;
pub use book::DocumentRef;
pub use book::Unreadable;
pub use book::Unsigned;
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
    /// The law book as it is written.
    Book(Look),
    /// What its conditions mean, each for itself.
    Conditions(Look),
    /// What is claimed of it.
    Claims(Look),
    /// What it means as a whole.
    Meaning(Look),
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

/// How a rule looks at a law book.
type Look = fn(&Book, &mut Sink);

impl Check {
    fn of_text(&self) -> Option<Look> {
        if let Self::Book(check) = self { Some(*check) } else { None }
    }

    fn of_conditions(&self) -> Option<Look> {
        if let Self::Conditions(check) = self { Some(*check) } else { None }
    }

    fn of_claims(&self) -> Option<Look> {
        if let Self::Claims(check) = self { Some(*check) } else { None }
    }

    fn of_meaning(&self) -> Option<Look> {
        if let Self::Meaning(check) = self { Some(*check) } else { None }
    }
}

/// What the rules find that have such a check, on all cores.
fn told(book: &Book, such: fn(&Check) -> Option<Look>) -> Vec<Vec<Finding>> {
    let one = |rule: &&'static Rule| such(&rule.check).map(|check| collect(book, rule, check));
    RULES.par_iter().with_max_len(1).filter_map(one).collect()
}

/// Runs every rule that is not ignored, and gives its findings in their order. `today` decides which suppressions have expired.
pub fn run(book: &Book, today: jiff::civil::Date) -> Vec<Finding> {
    let asked =
        |such: fn(&Check) -> Option<Look>| RULES.iter().any(|rule| such(&rule.check).is_some() && level(book, rule).severity().is_some());
    let whole = asked(Check::of_meaning);
    // INVARIANT: rules ask only for what has been prepared here for rules like them. One that had to prepare it, or to wait for another
    // one that does, could wait for itself, because a thread that waits for others runs what else there is to run.
    let conditions = || {
        if whole || asked(Check::of_conditions) {
            book.conditions().for_each(drop);
        }
        told(book, Check::of_conditions)
    };
    let meaning = || {
        if whole || asked(Check::of_claims) {
            book.analysis();
        }
        rayon::join(|| whole.then(|| book.meaning()), || told(book, Check::of_claims)).1
    };
    let (claims, (conditions, text)) = rayon::join(meaning, || rayon::join(conditions, || told(book, Check::of_text)));
    let told = [claims, conditions, text, told(book, Check::of_meaning)];
    let mut findings = Vec::with_capacity(told.iter().flatten().map(Vec::len).sum());
    told.into_iter().flatten().for_each(|of_a_rule| findings.extend(of_a_rule));
    let uses = suppression::apply(book, today, &mut findings);
    for rule in RULES {
        if let Check::Suppressions(check) = rule.check {
            findings.extend(collect(book, rule, |_, sink| check(&uses, sink)));
        }
    }
    findings.par_sort();
    findings.dedup();
    findings
}

/// Only the findings that leave the meaning of a file unknown, in their order.
pub fn blocking(book: &Book) -> Vec<Finding> {
    let mut findings = Vec::new();
    for rule in RULES.iter().filter(|rule| rule.blocking) {
        if let Check::Book(check) = rule.check {
            findings.extend(collect(book, rule, check));
        }
    }
    findings.sort();
    findings
}

/// The level of a rule in a law book.
fn level(book: &Book, rule: &Rule) -> Level {
    let level = book.config.levels.get(rule.name).map_or(rule.default, |level| level.value);
    // INVARIANT: a blocking rule always runs; `level_problems` has already told that it cannot be ignored.
    if rule.blocking { level.max(Level::Warn) } else { level }
}

/// What one rule finds, at its level.
fn collect(book: &Book, rule: &'static Rule, check: impl Fn(&Book, &mut Sink)) -> Vec<Finding> {
    let level = level(book, rule);
    let Some(severity) = level.severity() else { return Vec::new() };
    let reason = match book.config.levels.get(rule.name) {
        Some(level) => format!("`{}` is set to `{}` in {}", rule.name, level.value.as_str(), crate::config::FILE_NAME),
        None => format!("`{}` is `{}` by default", rule.name, level.as_str()),
    };
    let mut sink = Sink::default();
    check(book, &mut sink);
    sink.into_drafts().into_iter().map(|draft| draft.into_finding(rule, severity, &reason)).collect()
}
