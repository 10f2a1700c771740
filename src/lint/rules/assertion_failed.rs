//! An assertion of `lawbook.toml` that does not hold.

use crate::analysis::Counterexample;
use crate::analysis::Proof;
use crate::analysis::Quantity;
use crate::config::Assertion;
use crate::config::Claim;
use crate::config::Principals;
use crate::finding::Level;
use crate::lint::Book;
use crate::lint::Check;
use crate::lint::Draft;
use crate::lint::Rule;
use crate::lint::Sink;
use crate::policy::Effect;
use crate::policy::Statement;
use crate::source::Span;

pub(super) static RULE: Rule = Rule {
    name: "assertion-failed",
    summary: "an assertion of lawbook.toml does not hold",
    default: Level::Error,
    blocking: false,
    check: Check::Claims(check),
    page: include_str!("../../../docs/rules/assertion-failed.md"),
};

/// How many policies a finding names.
const NAMED: usize = 3;

fn check(book: &Book, sink: &mut Sink) {
    let Some(source) = book.config_source else { return };
    for (position, assertion) in book.config.assertions.iter().enumerate() {
        let span = Span::new(source, assertion.range.clone());
        match book.analysis().prove(position, quantity(&assertion.claim)) {
            Proof::Holds => {}
            Proof::Fails(found) => sink.report(fails(book, assertion, span, &found)),
            Proof::Undecided => {
                let message = format!("it could not be decided whether the assertion `{}` holds", assertion.name);
                let help = "compare with constants where conditions have `matches` or compare two attributes, or claim less";
                sink.report(Draft::new(span, message).label("nothing is proven here").help(help));
            }
        }
    }
}

fn quantity(claim: &Claim) -> Quantity {
    match claim {
        Claim::Never(_) => Quantity::Never,
        Claim::Always(scope) if scope.principals == Principals::AtLeast => Quantity::AlwaysAtLeast,
        Claim::Always(_) => Quantity::Always,
        Claim::SomeoneCan(_) => Quantity::Someone,
    }
}

fn fails(book: &Book, assertion: &Assertion, span: Span, found: &Counterexample) -> Draft {
    let policies: Vec<&Statement> = found.policies.iter().filter_map(|&position| book.set.statement(position)).collect();
    let name = &assertion.name;
    let (message, label, help) = match (&assertion.claim, policies.as_slice()) {
        (Claim::Never(_), [grant, ..]) => (
            format!("the assertion `{name}` does not hold: `{}` allows such a request", grant.policy),
            "allows it",
            "narrow the grant, or add a denial for what the assertion is about",
        ),
        (Claim::SomeoneCan(_), []) => (
            format!("the assertion `{name}` does not hold: no policy grants such a request to anybody"),
            "",
            "add a grant, or remove the assertion",
        ),
        (Claim::SomeoneCan(_), _) if book.set.statements().iter().all(|statement| statement.effect == Effect::Allow) => (
            format!("the assertion `{name}` does not hold: what is granted never applies to such a request"),
            "is about such requests, and never applies to one",
            "correct the condition of the grant, or claim less",
        ),
        (Claim::SomeoneCan(_), _) => (
            format!("the assertion `{name}` does not hold: denials leave nothing of what is granted"),
            "grants it, without effect",
            "narrow a denial, or except somebody from it",
        ),
        (_, [denial, ..]) if denial.effect == Effect::Deny => (
            format!("the assertion `{name}` does not hold: `{}` denies such a request", denial.policy),
            "denies it",
            "narrow the denial, except the members of the assertion from it, or claim less",
        ),
        (_, _) => (
            format!("the assertion `{name}` does not hold: no policy grants such a request"),
            "",
            "add a grant for what the witness asks, or claim less: `source`, `condition`",
        ),
    };
    let mut draft = Draft::new(span, message).label("this is claimed").help(help);
    for statement in policies.iter().take(NAMED) {
        if let Some(document) = book.document_of(statement.policy.as_str()) {
            draft = draft.related(document.head_span(), format!("`{}` {label}", statement.policy).trim_end().to_owned());
        }
    }
    match &found.witness {
        Some(witness) => draft.witness(witness.to_string()),
        None => draft,
    }
}
