//! Policies, and the requests that a finding is about, in words.

use super::Book;
use super::Draft;
use crate::analysis::Names;
use crate::analysis::Region;
use crate::analysis::is_sweeping;
use crate::policy::Effect;
use crate::policy::Statement;

/// So many policies, or regions, are named; of more it is said how many there are.
const NAMED: usize = 3;

/// The policies of some statements by name: three, and how many more there are.
pub(super) fn named(book: &Book, positions: &[usize], all: usize) -> String {
    let ids = positions.iter().filter_map(|&at| book.set.statement(at)).take(NAMED);
    counted(ids.map(|statement| format!("`{}`", statement.policy)).collect(), all, "more")
}

/// Texts as a list with `and`, of which more are not named.
fn counted(mut texts: Vec<String>, all: usize, more: &str) -> String {
    if all > texts.len() {
        texts.push(format!("{} {more}", all - texts.len()));
    }
    joined(texts, "and")
}

fn joined(mut texts: Vec<String>, word: &str) -> String {
    match (texts.pop(), texts.is_empty()) {
        (None, _) => String::new(),
        (Some(only), true) => only,
        (Some(last), false) => format!("{} {word} {last}", texts.join(", ")),
    }
}

/// The draft with a label at the policies of some statements: three of them.
pub(super) fn labels(draft: Draft, book: &Book, positions: &[usize], text: impl Fn(&Statement) -> String) -> Draft {
    let stated = positions.iter().filter_map(|&at| book.stated(at)).take(NAMED);
    stated.fold(draft, |draft, (statement, document)| draft.related(document.head_span(), text(statement)))
}

/// Some regions: three, and how many more there are.
pub(super) fn regions(regions: &[Region]) -> String {
    // Who is excepted by name makes a region of its own for callers of another type, which says nothing that helps.
    let plain: Vec<&Region> = regions.iter().filter(|region| region.caller_types == Names::AllBut(Vec::new())).collect();
    let told = if plain.is_empty() { regions.iter().collect() } else { plain };
    let texts = told.iter().take(NAMED).map(|told| region(told)).collect();
    counted(texts, told.len(), "more such regions")
}

/// A region: "`read` on `report` where `category = 'a'`".
fn region(region: &Region) -> String {
    let mut text = match (names(&region.actions, "action"), names(&region.services, "service")) {
        (None, None) => "every action on every service".to_owned(),
        (Some(actions), None) => format!("{actions} on every service"),
        (None, Some(services)) => format!("every action on {services}"),
        (Some(actions), Some(services)) => format!("{actions} on {services}"),
    };
    // Most policies are about the source `private`, and it is what a request means that names none.
    if region.sources != Names::Only(vec!["private".to_owned()]) {
        let sources = names(&region.sources, "source").unwrap_or_else(|| "every source".to_owned());
        text.push_str(&format!(" in {sources}"));
    }
    if let Some(types) = names(&region.caller_types, "type") {
        text.push_str(&format!(" by callers of {types}"));
    }
    for (group, inside) in &region.groups {
        text.push_str(&format!(" by callers {} `{group}`", if *inside { "in" } else { "outside of" }));
    }
    if let Some(condition) = &region.condition {
        text.push_str(&format!(" where `{condition}`"));
    }
    for term in &region.unfit {
        text.push_str(&format!(" if `{term}` holds what no comparison fits"));
    }
    text
}

/// Names in words; `None` if it is every name.
fn names(names: &Names, kind: &str) -> Option<String> {
    let quoted = |names: &[String]| names.iter().map(|name| format!("`{name}`")).collect::<Vec<_>>();
    match names {
        Names::Only(only) => Some(joined(quoted(only), "and")),
        Names::AllBut(none) if none.is_empty() => None,
        Names::AllBut(left_out) => Some(format!("every {kind} but {}", joined(quoted(left_out), "and"))),
    }
}

/// Whether a denial denies everything to everybody, at least in its source, as is done in an emergency, or by mistake.
pub(super) fn denies_everything(book: &Book, statement: &Statement) -> bool {
    let actions = &book.config.actions;
    statement.effect == Effect::Deny
        && !statement.from_control
        && is_sweeping(statement)
        && actions.iter().all(|action| statement.actions.contains(action))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::condition;

    #[track_caller]
    fn check(actions: &[&str], sources: Names, condition: Option<&str>, unfit: &[&str], expected: &str) {
        let only = |names: &[&str]| Names::Only(names.iter().map(|&name| name.to_owned()).collect());
        let region = Region {
            actions: if actions.is_empty() { Names::AllBut(Vec::new()) } else { only(actions) },
            services: only(&["report"]),
            sources,
            groups: Vec::new(),
            caller_types: Names::AllBut(Vec::new()),
            condition: condition.map(|text| condition::parse(text).expect("a condition").expr),
            unfit: unfit.iter().map(|term| condition::Term::parse(term).expect("a term")).collect(),
            or_unfit: Vec::new(),
            fit: Vec::new(),
            beyond: Vec::new(),
        };
        assert_eq!(regions(&[region]), expected);
    }

    #[test]
    fn a_region_reads_like_a_policy() {
        let private = || Names::Only(vec!["private".to_owned()]);
        check(&["read"], private(), Some("a = 1"), &[], "`read` on `report` where `a = 1`");
        check(&["read"], private(), Some("a = 1"), &["b"], "`read` on `report` where `a = 1` if `b` holds what no comparison fits");
        check(&["create", "read", "update"], private(), None, &[], "`create`, `read` and `update` on `report`");
        check(&[], Names::AllBut(Vec::new()), None, &[], "every action on `report` in every source");
        check(&[], Names::AllBut(vec!["public".to_owned()]), None, &[], "every action on `report` in every source but `public`");
    }
}
