//! An assertion about requests that cannot be, which therefore says nothing.

use crate::analysis::Examined;
use crate::analysis::Verdict;
use crate::config::Claim;
use crate::finding::Level;
use crate::lint::Book;
use crate::lint::Check;
use crate::lint::Draft;
use crate::lint::Rule;
use crate::lint::Sink;
use crate::lint::phrase;
use crate::source::Span;

pub(super) static RULE: Rule = Rule {
    name: "vacuous-assertion",
    summary: "the condition of an assertion can never hold, so the assertion claims nothing",
    default: Level::Error,
    blocking: false,
    check: Check::Book(check),
    page: include_str!("../../../docs/rules/vacuous-assertion.md"),
};

fn check(book: &Book, sink: &mut Sink) {
    let Some(source) = book.config_source else { return };
    let lists = book.lists();
    for assertion in &book.config.assertions {
        let Some(condition) = &assertion.scope().condition else { continue };
        let Some(examined) = Examined::new(&condition.value.as_str().into(), &lists) else { continue };
        let Verdict::Yes(groups) = &examined.never else { continue };
        let so = match assertion.claim {
            Claim::Never(_) | Claim::Always(_) => "is about no request, and holds whatever the policies say",
            Claim::SomeoneCan(_) => "asks for a request that cannot be",
        };
        let message = format!("{}, so the assertion `{}` {so}", phrase::never(&condition.value, groups), assertion.name);
        let why = groups.first().zip(examined.whole.as_ref()).and_then(|(first, whole)| phrase::hidden_reason(whole, first, &lists));
        let help = why.unwrap_or_else(|| "correct the condition, or remove the assertion".to_owned());
        sink.report(Draft::new(Span::new(source, condition.range.clone()), message).label("this can never hold").help(help));
    }
}
