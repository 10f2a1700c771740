//! A reference that is used once, and looks like another one.

use std::collections::BTreeMap;
use std::collections::BTreeSet;
use std::collections::HashMap;

use crate::condition;
use crate::condition::Term;
use crate::finding::Edit;
use crate::finding::Level;
use crate::finding::Safety;
use crate::lint::Book;
use crate::lint::Check;
use crate::lint::Draft;
use crate::lint::Rule;
use crate::lint::Sink;
use crate::lint::atoms::Places;
use crate::lint::atoms::atoms;
use crate::lint::suggest::Suggestions;
use crate::policy::Policy;
use crate::policy::PolicyDocument;
use crate::source::Span;

pub(super) static RULE: Rule = Rule {
    name: "unknown-reference",
    summary: "a reference such as `{me.x}` is used nowhere else, and looks like another one",
    default: Level::Warn,
    blocking: false,
    check: Check::Book(check),
    page: include_str!("../../../docs/rules/unknown-reference.md"),
};

/// A name shorter than this many characters is near to too many others.
const SHORT: usize = 4;

/// How many findings one condition has; more say nothing new.
const FINDINGS_PER_CONDITION: usize = 20;

/// Where a reference is used.
struct Use<'a> {
    policy: &'a Policy,
    document: &'a PolicyDocument,
    /// The position of the atom.
    atom: usize,
    /// Whether it stands on the right.
    right: bool,
    /// The position in the law book.
    order: usize,
    /// How many uses there are.
    count: usize,
}

fn check(book: &Book, sink: &mut Sink) {
    let mut uses: HashMap<&Term, Use<'_>> = HashMap::new();
    let mut order = 0;
    for (policy, document) in book.policies() {
        for (at, atom) in atoms(policy).into_iter().enumerate() {
            let sides = [(Some(atom.term()), false), (atom.other_term(), true)];
            for (term, right) in sides.into_iter().filter_map(|(term, right)| term.filter(|term| is_fact(term)).map(|term| (term, right))) {
                order += 1;
                uses.entry(term).and_modify(|one| one.count += 1).or_insert(Use { policy, document, atom: at, right, order, count: 1 });
            }
        }
    }
    let configured = configured(book);
    // Only names of about the same length are near, so the others need not be compared.
    let mut names: BTreeMap<(&str, usize), Vec<String>> = BTreeMap::new();
    for term in uses.keys().copied().chain(configured.iter().filter(|term| !uses.contains_key(term))) {
        let name = name(term);
        names.entry((kind(term), name.chars().count())).or_default().push(name);
    }
    names.values_mut().for_each(|names| names.sort_unstable());
    let by_name: HashMap<(&str, String), &Use<'_>> = uses.iter().map(|(term, one)| ((kind(term), name(term)), one)).collect();
    let mut once: Vec<(&Term, &Use<'_>)> =
        uses.iter().filter(|(term, one)| one.count == 1 && !configured.contains(term)).map(|(term, one)| (*term, one)).collect();
    once.sort_unstable_by_key(|(_, one)| one.order);
    let mut suggestions = Suggestions::default();
    let mut told: HashMap<&str, usize> = HashMap::new();
    for (term, one) in once {
        let Some(near) = similar(term, &names, &mut suggestions) else { continue };
        let other = by_name.get(&(kind(term), near.to_owned())).copied();
        // Of two that are both used once, the later is taken for the misspelt one.
        if other.is_none_or(|other| other.count > 1 || other.order < one.order) {
            let told = told.entry(one.policy.id().as_str()).or_default();
            *told += 1;
            if *told <= FINDINGS_PER_CONDITION {
                sink.report(draft(book, term, one, near, other));
            }
        }
    }
    in_assertions(book, &uses, &mut suggestions, sink);
}

/// What an assertion reads and no policy does, while policies read something that is spelt almost the same.
fn in_assertions(book: &Book, uses: &HashMap<&Term, Use<'_>>, suggestions: &mut Suggestions, sink: &mut Sink) {
    let Some(source) = book.config_source else { return };
    if book.config.assertions.iter().all(|assertion| assertion.scope().condition.is_none()) {
        return;
    }
    let mut read: BTreeSet<&Term> = BTreeSet::new();
    for (policy, _) in book.policies() {
        for atom in atoms(policy) {
            read.extend([Some(atom.term()), atom.other_term()].into_iter().flatten());
        }
    }
    let declared: Vec<Term> = book.config.attributes.keys().filter_map(|name| Term::parse(name).ok()).collect();
    for assertion in &book.config.assertions {
        let Some(written) = &assertion.scope().condition else { continue };
        let Ok(parsed) = condition::parse(&written.value) else { continue };
        let mut terms = BTreeSet::new();
        parsed.expr.each_atom(&mut |atom| terms.extend([Some(atom.term()), atom.other_term()].into_iter().flatten().cloned()));
        for term in terms.iter().filter(|term| **term != Term::Me && !read.contains(term) && !declared.contains(term)) {
            let others: Vec<String> = read.iter().filter(|other| kind(other) == kind(term)).map(|other| name(other)).collect();
            let own = name(term);
            let near = suggestions.nearest(&own, others.iter().map(String::as_str), |other| is_comparable(&own, other));
            let Some(near) = near.and_then(|near| read.iter().find(|other| kind(other) == kind(term) && name(other) == near)) else {
                continue;
            };
            // A fact that a policy uses once is told there: which of the two is misspelt is not known.
            if uses.get(*near).is_some_and(|other| other.count == 1) {
                continue;
            }
            let message =
                format!("`{term}` is read by no policy, only by the assertion `{}`, while policies read `{near}`", assertion.name);
            let span = Span::new(source, written.range.clone());
            sink.report(Draft::new(span, message).label(format!("reads `{term}`")).help(format!("did you mean `{near}`?")));
        }
    }
}

/// Whether the request has to bring the value; `{me}` it always brings.
fn is_fact(term: &Term) -> bool {
    matches!(term, Term::Caller(_) | Term::Action(_) | Term::Context(_))
}

/// The first word of a reference.
fn kind(term: &Term) -> &'static str {
    match term {
        Term::Caller(_) => "me",
        Term::Action(_) => "action",
        Term::Context(_) => "context",
        Term::Me | Term::Document(_) => "",
    }
}

/// A reference without its braces and its first word, as it is written; an attribute of the document as a whole.
fn name(term: &Term) -> String {
    let written = term.to_string();
    if let Term::Document(_) = term {
        return written;
    }
    written.split_once('.').and_then(|(_, name)| name.strip_suffix('}')).unwrap_or_default().to_owned()
}

/// The references that the configuration knows: those that it declares, and those of its assertions.
fn configured(book: &Book) -> Vec<Term> {
    let mut terms: Vec<Term> = book.config.attributes.keys().filter_map(|name| Term::parse(name).ok()).collect();
    for assertion in &book.config.assertions {
        let Some(parsed) = assertion.scope().condition.as_ref().and_then(|written| condition::parse(&written.value).ok()) else { continue };
        parsed.expr.each_atom(&mut |atom| terms.extend([Some(atom.term()), atom.other_term()].into_iter().flatten().cloned()));
    }
    terms.retain(is_fact);
    terms.sort_unstable();
    terms.dedup();
    terms
}

/// The nearest other name of the same kind, if one is near enough to be a slip of the pen.
fn similar<'a>(term: &Term, names: &'a BTreeMap<(&str, usize), Vec<String>>, suggestions: &mut Suggestions) -> Option<&'a str> {
    let own = name(term);
    let length = own.chars().count();
    let reach = 1.max(length / 2);
    let near = names.range((kind(term), length.saturating_sub(reach))..=(kind(term), length + reach));
    let others = near.flat_map(|(_, names)| names).map(String::as_str);
    suggestions.nearest(&own, others, |other| other != own && is_comparable(&own, other))
}

/// Numbered names (`level1`, `level2`) are meant to differ, and of short ones only those that lack or repeat a letter are alike.
fn is_comparable(one: &str, other: &str) -> bool {
    let letters = |name: &str| name.chars().filter(|char| !char.is_ascii_digit()).collect::<String>();
    let numbered = letters(one) == letters(other);
    let (mine, theirs) = (one.chars().count(), other.chars().count());
    !numbered && (mine.min(theirs) >= SHORT || mine != theirs || one.eq_ignore_ascii_case(other))
}

fn draft(book: &Book, term: &Term, one: &Use<'_>, near: &str, other: Option<&Use<'_>>) -> Draft {
    let near = format!("{{{}.{near}}}", kind(term));
    let elsewhere = match other.map(|other| other.count) {
        None => "is known from lawbook.toml".to_owned(),
        Some(1) => "is used in another place".to_owned(),
        Some(count) => format!("is used in {count} places"),
    };
    let message =
        format!("`{term}` is used only here, while `{near}` {elsewhere}; a fact that no request brings is absent, and equals nothing");
    let places = Places::of(book, one.document);
    let span = if one.right { places.value(one.atom, 0) } else { places.term(one.atom) };
    let mut draft = Draft::new(span, message).label("used nowhere else").policy(one.policy.id().as_str());
    if let Some(other) = other {
        let places = Places::of(book, other.document);
        let span = if other.right { places.value(other.atom, 0) } else { places.term(other.atom) };
        draft = draft.related(span, format!("`{near}` in `{}`", other.policy.id()));
    }
    let draft = draft.help(format!("did you mean `{near}`? if both exist, suppress this line, and say what `{term}` is"));
    match edits(book, one, &near) {
        Some(edits) => draft.fix(format!("write `{near}`"), Safety::Unsafe, edits),
        None => draft,
    }
}

fn edits(book: &Book, one: &Use<'_>, near: &str) -> Option<Vec<Edit>> {
    let places = Places::of(book, one.document);
    let place = places.get(one.atom)?;
    let range = if one.right { place.values.first()? } else { &place.term };
    places.edits(&[(range.clone(), near)])
}
