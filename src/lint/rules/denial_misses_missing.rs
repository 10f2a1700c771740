//! A denial that a request escapes by lacking an attribute.

use rayon::prelude::*;
use serde_json::Value as Json;

use crate::analysis::Examined;
use crate::analysis::Grants;
use crate::analysis::Lacking;
use crate::decision::Request;
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
    name: "denial-misses-missing",
    summary: "a request is allowed because it lacks what a denial measures",
    default: Level::Warn,
    blocking: false,
    check: Check::Meaning(check),
    page: include_str!("../../../docs/rules/denial-misses-missing.md"),
};

fn check(book: &Book, sink: &mut Sink) {
    let concerned =
        |policy: &Policy, condition: &Examined| !condition.misses.is_empty() && matches!(policy, Policy::Access(access) if access.deny);
    let policies: Vec<_> = book.placed_conditions().filter(|(_, policy, _, condition)| concerned(policy, condition)).collect();
    if policies.is_empty() {
        return;
    }
    let (lists, grants) = (book.lists(), Grants::new(book.set.statements()));
    let drafts: Vec<Option<Draft>> = policies
        .into_par_iter()
        .map(|(at, _, document, condition)| {
            let denial = book.in_force(at, &lists)?;
            let escapes = condition
                .misses
                .iter()
                .filter_map(|lacking| Some((lacking, book.analysis().escaped(&denial, book.set.stated(at), lacking, &grants, &lists)?)));
            draft(book, &denial, document, condition, &escapes.collect::<Vec<_>>())
        })
        .collect();
    drafts.into_iter().flatten().for_each(|draft| sink.report(draft));
}

fn draft(book: &Book, denial: &Statement, document: &PolicyDocument, condition: &Examined, escapes: &[(&Lacking, Json)]) -> Option<Draft> {
    let (lacking, witness) = escapes.first()?;
    let first = lacking.tests.first()?;
    let id = &denial.policy;
    let lacks: Vec<String> = escapes.iter().map(|(lacking, _)| phrase::lacks(&lacking.term)).collect();
    let mut places: Vec<_> = escapes.iter().flat_map(|(lacking, _)| &lacking.tests).map(|test| test.range.clone()).collect();
    places.sort_by_key(|range| range.start);
    places.dedup();
    let tests: Vec<String> = places.iter().map(|range| phrase::quoted(&condition.text, range)).collect();
    let (verb, it) = (if tests.len() == 1 { "does" } else { "do" }, if escapes.len() == 1 { "it is" } else { "they are" });
    let decided = |request: Request| book.analysis().decide(&request)?.policies.into_iter().next();
    let grant = Request::from_authzen(witness).ok().and_then(decided);
    let by = grant.as_ref().map(|grant| format!(" by `{grant}`")).unwrap_or_default();
    let message = format!(
        "{} escapes `{id}` and is allowed{by}, because {} {verb} not hold where {it} absent",
        phrase::listed(&lacks, "or"),
        phrase::listed(&tests, "and")
    );
    let span = scalar::condition_span(book, document, first.range.clone());
    let mut draft = Draft::new(span, message).label("fails where it is absent").policy(id.as_str());
    for range in places.iter().filter(|range| **range != first.range).take(4) {
        draft = draft.related(scalar::condition_span(book, document, range.clone()), "fails there as well");
    }
    let guarded = phrase::guarded(&condition.text, first, &[&lacking.term], false);
    let write = match phrase::not_the_opposite(first) {
        Some(opposite) => format!("write {opposite}, which also denies what is absent or of another kind"),
        None => format!("write {guarded} to deny it as well"),
    };
    let help = format!("{write}; or say that it is meant with `# lawbook: ignore(denial-misses-missing): reason`");
    if let Some((grant, document)) = grant.and_then(|grant| Some((grant.clone(), book.document_of(grant.as_str())?))) {
        draft = draft.related(document.head_span(), format!("`{grant}` lets it through"));
    }
    Some(draft.help(help).witness(witness.to_string()))
}
