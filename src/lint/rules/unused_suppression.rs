//! A suppression that silences nothing.

use crate::finding::Level;
use crate::lint::Check;
use crate::lint::Draft;
use crate::lint::Rule;
use crate::lint::Sink;
use crate::lint::Use;

pub(super) static RULE: Rule = Rule {
    name: "unused-suppression",
    summary: "a suppression silences nothing, or is not understood",
    default: Level::Warn,
    blocking: false,
    check: Check::Suppressions(check),
    page: include_str!("../../../docs/rules/unused-suppression.md"),
};

fn check(uses: &[Use], sink: &mut Sink) {
    for one in uses {
        let own = &one.suppression;
        match &own.rule {
            Err(problem) => {
                let message = format!("this suppression is not understood: {problem}");
                sink.report(
                    Draft::new(own.span, message).help("write `# lawbook: ignore(rule): reason`, with `until 2027-01-01` if it is to end"),
                );
            }
            Ok(rule) if one.matched == 0 => {
                let message = format!("`{rule}` finds nothing on line {} that this comment could silence", own.line);
                sink.report(Draft::new(own.span, message).help("remove the comment, so that it hides nothing later"));
            }
            Ok(_) => {}
        }
    }
}
