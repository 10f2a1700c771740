//! A suppression whose day has passed.

use crate::finding::Level;
use crate::lint::Check;
use crate::lint::Draft;
use crate::lint::Rule;
use crate::lint::Sink;
use crate::lint::Use;

pub(super) static RULE: Rule = Rule {
    name: "expired-suppression",
    summary: "a suppression has ended",
    default: Level::Warn,
    blocking: false,
    check: Check::Suppressions(check),
    page: include_str!("../../../docs/rules/expired-suppression.md"),
};

fn check(uses: &[Use], sink: &mut Sink) {
    for one in uses.iter().filter(|one| one.expired && one.matched > 0) {
        let own = &one.suppression;
        let (Ok(rule), Some(until)) = (&own.rule, own.until) else { continue };
        let message = format!("this suppression of `{rule}` ended on {until}, and silences nothing any more");
        sink.report(Draft::new(own.span, message).help("repair the finding, or decide again and give a later day"));
    }
}
