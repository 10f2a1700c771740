//! A grant, or a control, that lets pass what lacks an attribute.

use rayon::prelude::*;
use serde_json::Value as Json;

use crate::analysis;
use crate::analysis::Examined;
use crate::analysis::Lacking;
use crate::analysis::Place;
use crate::condition::Lists;
use crate::condition::Term;
use crate::finding::Level;
use crate::lint::Book;
use crate::lint::Check;
use crate::lint::Draft;
use crate::lint::Rule;
use crate::lint::Sink;
use crate::lint::phrase;
use crate::lint::scalar;
use crate::policy::Policy;
use crate::policy::PolicyDocument;
use crate::policy::Statement;

pub(super) static RULE: Rule = Rule {
    name: "allow-matches-missing",
    summary: "a grant applies, or a control is met, because an attribute is absent",
    default: Level::Warn,
    blocking: false,
    check: Check::Conditions(check),
    page: include_str!("../../../docs/rules/allow-matches-missing.md"),
};

fn check(book: &Book, sink: &mut Sink) {
    let concerned =
        |policy: &Policy, condition: &Examined| !condition.admits.is_empty() && !matches!(policy, Policy::Access(access) if access.deny);
    let policies: Vec<_> = book.placed_conditions().filter(|(_, policy, _, condition)| concerned(policy, condition)).collect();
    let lists = book.lists();
    let drafts: Vec<Vec<Draft>> = policies
        .into_par_iter()
        .map(|(at, policy, document, condition)| {
            let statement = book.in_force(at, &lists);
            statement.map_or_else(Vec::new, |statement| drafts(book, (policy, &statement), document, condition, &lists))
        })
        .collect();
    drafts.into_iter().flatten().for_each(|draft| sink.report(draft));
}

/// One finding for each attribute, or for several that are absent from the same tests.
fn drafts(
    book: &Book,
    (policy, statement): (&Policy, &Statement),
    document: &PolicyDocument,
    condition: &Examined,
    lists: &Lists,
) -> Vec<Draft> {
    let mut groups: Vec<(Vec<&Lacking>, Json)> = Vec::new();
    for lacking in &condition.admits {
        let Some(witness) = analysis::admitted(statement, lacking, lists) else { continue };
        match groups.iter_mut().find(|(group, _)| group.iter().any(|other| other.tests == lacking.tests)) {
            Some((group, _)) => group.push(lacking),
            None => groups.push((vec![lacking], witness)),
        }
    }
    let draft =
        |(group, witness): &(Vec<&Lacking>, Json)| Some(draft(book, policy, document, condition, group)?.witness(witness.to_string()));
    groups.iter().filter_map(draft).collect()
}

fn draft(book: &Book, policy: &Policy, document: &PolicyDocument, condition: &Examined, group: &[&Lacking]) -> Option<Draft> {
    let (first, others) = group.first()?.tests.split_first()?;
    let id = policy.id();
    let terms: Vec<&Term> = group.iter().map(|lacking| &lacking.term).collect();
    let tests: Vec<String> = std::iter::once(first).chain(others).map(|test| phrase::quoted(&condition.text, &test.range)).collect();
    let lacks: Vec<String> = terms.iter().map(|term| phrase::lacks(term)).collect();
    let lacks = phrase::listed(&lacks, "or");
    let so = match policy {
        Policy::Access(_) => format!("`{id}` also applies to {lacks}"),
        Policy::Control(_) => format!("the control `{id}` lets {lacks} pass"),
    };
    let it = if terms.len() == 1 { "it is" } else { "one of them is" };
    let listed = phrase::listed(&tests, "and");
    let because = match (others.is_empty(), first.positive) {
        (true, true) => format!("{listed} holds where {it} absent"),
        (true, false) => format!("{listed} fails where {it} absent"),
        (false, _) => format!("nothing in {listed} stands against it where {it} absent"),
    };
    let span = scalar::condition_span(book, document, first.range.clone());
    let mut draft = Draft::new(span, format!("{so}, because {because}")).label(words(first)).policy(id.as_str());
    for other in others.iter().take(4) {
        draft = draft.related(scalar::condition_span(book, document, other.range.clone()), words(other));
    }
    let guarded = phrase::guarded(&condition.text, first, &terms, true);
    Some(draft.help(match terms.as_slice() {
        // What is no address at all is in no network either, so that it is there says little.
        [term] if phrase::is_network_test(first) => {
            let guarded = phrase::among_addresses(&condition.text, first, term);
            format!("write {guarded}, which also keeps out a value that is no address")
        }
        [term] if matches!(policy, Policy::Control(_)) => {
            format!("name the values that are enough, as in `{term} in ('a', 'b')`, or write {guarded}")
        }
        [term] => format!("write {guarded}, or name the values that are meant, as in `{term} in ('a', 'b')`"),
        _ => format!("write {guarded}"),
    }))
}

/// What becomes of a test where its attribute is absent.
fn words(test: &Place) -> &'static str {
    if test.positive { "holds where it is absent" } else { "fails where it is absent, and is denied here" }
}
