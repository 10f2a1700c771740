//! Rules, held to their pages: what `docs/rules` shows and what `tests/rules` adds is checked, and every rule has all its files.

use std::collections::BTreeMap;
use std::collections::BTreeSet;

use lawbook::analysis::Budget;
use lawbook::analysis::Formula;
use lawbook::analysis::Goal;
use lawbook::analysis::Vocabulary;
use lawbook::analysis::satisfiable;
use lawbook::config::Config;
use lawbook::config::Placed;
use lawbook::finding::Finding;
use lawbook::finding::Fix;
use lawbook::finding::Level;
use lawbook::finding::Safety;
use lawbook::finding::apply;
use lawbook::finding::compatible;
use lawbook::lint;
use lawbook::lint::RULES;
use lawbook::lint::Unsigned;
use lawbook::policy;
use lawbook::source::Span;
use lawbook::workspace::Raw;
use lawbook::workspace::Workspace;
use lawbook::workspace::read_config;
use serde_json::Value;

use crate::pages::Announced;
use crate::pages::Case;
use crate::pages::cases;
use crate::pages::headings;
use crate::pages::names;
use crate::pages::pages;

/// The day on which the pages are checked.
const TODAY: jiff::civil::Date = jiff::civil::date(2026, 6, 15);

/// The rules about a law book as a whole. An example of another rule is no whole law book, and says nothing of theirs, unless it
/// announces one of them.
const WHOLE: [&str; 9] = [
    "contradicting-controls",
    "dead-allow",
    "duplicate-policy",
    "inert-denial",
    "lockout",
    "nobody-may-sign",
    "redundant-policy",
    "same-condition-exception",
    "undecided-analysis",
];

/// The files of a case, with the rule of its page at work whatever its default.
fn raw(rule: &str, case: &Case) -> Raw {
    let config = case.config.as_ref().map(|block| block.raw());
    let mut parsed = read_config(config.as_ref());
    if let (Ok(config), Some(Level::Ignore)) = (&mut parsed, lint::rule(rule).map(|rule| rule.default)) {
        config.levels.entry(rule.to_owned()).or_insert(Placed { value: Level::Warn, range: 0..0 });
    }
    let whole = |one: &str| WHOLE.contains(&one) || one == "allow-deny-conflict";
    if let Ok(config) = &mut parsed
        && !whole(rule)
        && !case.announced().iter().any(|one| WHOLE.contains(&one.rule.as_str()))
    {
        for name in WHOLE {
            config.levels.entry(name.to_owned()).or_insert(Placed { value: Level::Ignore, range: 0..0 });
        }
    }
    let mut files: Vec<_> = case.files.iter().map(|block| block.raw()).collect();
    files.sort_by(|one, two| one.path.cmp(&two.path));
    let path = parsed.as_ref().ok().and_then(Config::directory_path);
    let at = files.iter().position(|file| Some(file.path.as_str()) == path);
    let directory = at.map(|at| files.remove(at));
    let path = parsed.as_ref().ok().map(|config| config.history.allowed_signers.value.as_str());
    let at = files.iter().position(|file| Some(file.path.as_str()) == path);
    let signers = at.map(|at| files.remove(at));
    Raw { config, parsed: Some(parsed), directory, signers, files }
}

fn found(workspace: &Workspace, finding: &Finding) -> Announced {
    let span = finding.primary.span;
    Announced {
        path: workspace.book.sources.path(span.source).to_owned(),
        line: workspace.book.sources.line_column(span).line,
        rule: finding.rule.to_owned(),
        words: finding.message.clone(),
    }
}

/// What a case gets wrong, one line each.
fn differences(rule: &str, case: &Case) -> Vec<String> {
    let mut workspace = Workspace::new(raw(rule, case));
    if case.is_unsigned() {
        let book = &mut workspace.book;
        let span = Span::new(book.config_source.expect("a configuration"), book.config.history.require_signed.range.clone());
        book.unsigned.push(Unsigned { span, message: "commit `0123456789ab` is not signed".to_owned(), help: "sign it".to_owned() });
    }
    let mut found: Vec<Announced> = workspace.check(TODAY).iter().map(|finding| self::found(&workspace, finding)).collect();
    found.sort();
    let place = |one: &Announced| {
        let offset = case.blocks().find(|block| block.path == one.path).map_or(0, |block| block.offset);
        format!("{}:{}: ({}:{} of \u{201c}{}\u{201d}) {}", case.page, offset + one.line, one.path, one.line, case.section, one.rule)
    };
    let mut wrong = Vec::new();
    for announced in case.announced() {
        let is_it = |one: &Announced| {
            (&one.path, one.line, &one.rule) == (&announced.path, announced.line, &announced.rule) && one.words.contains(&announced.words)
        };
        match found.iter().position(is_it) {
            Some(position) => drop(found.remove(position)),
            None => wrong.push(format!("{} is announced and not found: {:?}", place(&announced), announced.words)),
        }
    }
    wrong.extend(found.iter().map(|one| format!("{} is found and not announced: {}", place(one), one.words)));
    wrong
}

fn all_cases(directory: &str) -> Vec<(String, Case)> {
    let of_page = |(rule, text): (String, String)| {
        let cases = cases(&format!("{directory}/{rule}.md"), &text);
        cases.into_iter().map(move |case| (rule.clone(), case))
    };
    pages(directory).into_iter().flat_map(of_page).collect()
}

#[track_caller]
fn check_directory(directory: &str) {
    let wrong: Vec<String> = all_cases(directory).iter().flat_map(|(rule, case)| differences(rule, case)).collect();
    assert!(wrong.is_empty(), "\n{}\n", wrong.join("\n"));
}

#[test]
fn the_examples_of_the_documentation_hold() {
    check_directory("docs/rules");
}

#[test]
fn the_edge_cases_hold() {
    check_directory("tests/rules");
}

#[test]
fn every_rule_is_a_row_a_source_file_a_page_and_edge_cases() {
    let mut rows: Vec<String> = RULES.iter().map(|rule| rule.name.to_owned()).collect();
    rows.sort();
    let sources = names("src/lint/rules", "rs").into_iter().map(|name| name.replace('_', "-"));
    assert_eq!(sources.filter(|name| name != "mod").collect::<Vec<_>>(), rows);
    assert_eq!(names("docs/rules", "md"), rows);
    assert_eq!(names("tests/rules", "md"), rows);
}

#[test]
fn blocking_rules_come_first_and_are_errors() {
    assert!(RULES.is_sorted_by_key(|rule| !rule.blocking));
    for rule in RULES.iter().filter(|rule| rule.blocking) {
        assert_eq!(rule.default, Level::Error, "{}", rule.name);
    }
}

#[test]
fn every_page_has_its_sections_and_shows_its_rule() {
    for (rule, text) in pages("docs/rules") {
        let title = format!("# {rule}");
        assert_eq!(headings(&text), [title.as_str(), "## Why", "## Flagged", "## Accepted", "## When to ignore"], "{rule}");
        assert_eq!(lint::rule(&rule).expect("a rule").page, text, "{rule}");
        let cases = cases(&rule, &text);
        let of = |section: &str| cases.iter().filter(|case| case.section == section).collect::<Vec<_>>();
        let shown = |case: &Case| case.announced().iter().any(|one| one.rule == rule);
        assert!(!of("Flagged").is_empty() && of("Flagged").into_iter().all(shown), "{rule}: a flagged block announces no finding of it");
        assert!(!of("Accepted").is_empty(), "{rule}: nothing is accepted");
        assert!(of("Accepted").into_iter().all(|case| case.announced().is_empty()), "{rule}: an accepted block announces a finding");
    }
    for (rule, text) in pages("tests/rules") {
        assert!(!cases(&rule, &text).is_empty(), "{rule} has no edge case");
    }
}

/// What every policy means, without its condition and the spelling that a safe fix may change.
fn meaning(workspace: &Workspace) -> (Vec<String>, Vec<Value>) {
    let statement = |one: &policy::Statement| {
        format!("{:?}", (&one.policy, one.effect, &one.actions, &one.service, &one.source, &one.members, &one.except))
    };
    let value = |one: &std::sync::Arc<policy::Policy>| {
        let mut value = policy::to_value(one);
        for spelled in ["condition", "require", "members", "except"] {
            value.as_object_mut().expect("a mapping").remove(spelled);
        }
        value
    };
    let set = &workspace.book.set;
    (set.statements().iter().map(|one| statement(one)).collect(), set.policies().iter().map(value).collect())
}

/// Whether the conditions of two statements are the same, or are proved to let them apply to the same requests.
fn same_condition(one: &policy::Statement, two: &policy::Statement) -> bool {
    match (&one.condition, &two.condition) {
        (Some(before), Some(after)) if before.expr() != after.expr() => {
            let mut vocabulary = Vocabulary::default();
            let before = Formula::of_statement(before, one.effect, &mut vocabulary);
            let after = Formula::of_statement(after, two.effect, &mut vocabulary);
            vocabulary.relate();
            let differ = |yes, no| satisfiable(&vocabulary, &[Goal::yes(yes), Goal::no(no)], Budget::default()).known();
            differ(&before, &after) == Some(false) && differ(&after, &before) == Some(false)
        }
        (before, after) => before.is_some() == after.is_some(),
    }
}

/// The case with the fixes applied.
fn fixed(rule: &str, case: &Case, before: &Workspace, fixes: &[Fix]) -> Workspace {
    let mut raw = raw(rule, case);
    let edits = compatible(fixes);
    for (source, file) in before.book.sources.iter() {
        let text = apply(source, file.text(), edits.iter().copied()).expect("edits that fit");
        if let Some(raw) = raw.files.iter_mut().chain(&mut raw.directory).find(|raw| raw.path == file.path() && raw.content.is_ok()) {
            raw.content = Ok(text.into_bytes());
        }
    }
    Workspace::new(raw)
}

fn fixes(findings: &[Finding], safety: Safety) -> Vec<Fix> {
    findings.iter().filter_map(|finding| finding.fix.clone()).filter(|fix| fix.safety == safety).collect()
}

fn counts(findings: &[Finding], safety: Safety) -> BTreeMap<&'static str, usize> {
    let fixable = findings.iter().filter(|finding| finding.fix.as_ref().is_some_and(|fix| fix.safety == safety));
    fixable.fold(BTreeMap::new(), |mut counts, finding| {
        *counts.entry(finding.rule).or_default() += 1;
        counts
    })
}

/// Applies the fixes of every case; gives the rules that had one.
fn apply_everywhere(safety: Safety, compare: impl Fn(&Workspace, &Workspace, &Case)) -> BTreeSet<&'static str> {
    let mut seen = BTreeSet::new();
    for (rule, case) in all_cases("docs/rules").into_iter().chain(all_cases("tests/rules")) {
        let before = Workspace::new(raw(&rule, &case));
        let found = before.check(TODAY);
        let fixes = fixes(&found, safety);
        if fixes.is_empty() {
            continue;
        }
        seen.extend(counts(&found, safety).into_keys());
        let after = fixed(&rule, &case, &before, &fixes);
        let again = after.check(TODAY);
        assert_eq!(counts(&again, safety), BTreeMap::new(), "{} in {}: {:?}", case.section, case.page, case.files);
        // What a fix removes may have carried another finding.
        assert!(again.len() + fixes.len() <= found.len(), "{} in {}: {again:#?}", case.section, case.page);
        compare(&before, &after, &case);
    }
    seen
}

#[test]
fn safe_fixes_repair_what_was_found_and_keep_the_meaning() {
    let rules = apply_everywhere(Safety::Safe, |before, after, case| {
        assert_eq!(meaning(before), meaning(after), "{} in {}", case.section, case.page);
        for (one, two) in before.book.set.statements().iter().zip(after.book.set.statements()) {
            assert!(same_condition(one, two), "{} in {}: {:?} and {:?}", case.section, case.page, one.condition, two.condition);
        }
    });
    assert_eq!(
        rules.into_iter().collect::<Vec<_>>(),
        ["compat-spelling", "like-without-wildcard", "member-format", "overlapping-addresses", "redundant-condition-part"]
    );
}

#[test]
fn unsafe_fixes_repair_what_was_found() {
    let rules = apply_everywhere(Safety::Unsafe, |_, _, _| {});
    let expected = [
        "always-true-condition",
        "bidi-control",
        "like-wrong-wildcard",
        "redundant-condition-part",
        "same-condition-exception",
        "unknown-reference",
    ];
    assert_eq!(rules.into_iter().collect::<Vec<_>>(), expected);
}
