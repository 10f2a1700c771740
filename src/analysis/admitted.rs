//! Requests that a grant applies to, or that a control lets pass, because they lack an attribute.
//!
//! What the condition needs for that does not depend on the policy, and is found once for all that share the condition, as an
//! [`Example`]. A request of a policy is then the example with what the policy is about put beside it. Where that does not do,
//! because the condition reads what the policy is about or who asks, the policy is asked about as a whole.

use serde_json::Value as Json;

use super::example::Example;
use super::missing::Lacking;
use super::missing::absent;
use super::pose::Question;
use super::pose::anywhere;
use super::pose::with_condition;
use super::request::Asked;
use crate::condition::Condition;
use crate::condition::Expr;
use crate::condition::Lists;
use crate::condition::Outcome;
use crate::condition::Term;
use crate::decision::Request;
use crate::decision::applies;
use crate::decision::concerns;
use crate::policy::Effect;
use crate::policy::Statement;

/// What shows that a condition holds only because an attribute is absent.
#[derive(Debug, Clone)]
pub(super) struct Showing {
    /// The condition if the tests came out the other way.
    turned: Condition,
    /// That the attribute is absent.
    absent: Condition,
    /// What the condition needs to hold without the attribute, and not if the tests came out the other way.
    example: Option<Example>,
}

impl Showing {
    /// What shows it of a term, given the condition as it is if the tests come out the other way.
    pub fn new(term: &Term, turned: Expr, example: Option<Example>, lists: &Lists) -> Option<Self> {
        let [turned, absent] = [turned, absent(term)].map(|expr| Condition::new(expr, lists).ok());
        Some(Self { turned: turned?, absent: absent?, example })
    }

    /// Whether a request lacks the attribute, and the condition of a statement holds of it only because of that.
    fn is_shown_by(&self, statement: &Statement, request: &Request) -> bool {
        let facts = request.facts();
        // The condition of a control's statement is that what it requires is not so.
        concerns(statement, request)
            && applies(statement, request) == (statement.effect == Effect::Allow)
            && self.absent.evaluate(&facts) == Outcome::True
            && self.turned.evaluate(&facts) != Outcome::True
    }
}

/// An AuthZEN evaluation request without an attribute to which a grant applies only because of what it denies of the attribute;
/// of a control, one that it lets pass only because of that. The statement has been run on it.
pub fn admitted(statement: &Statement, lacking: &Lacking, lists: &Lists) -> Option<Json> {
    let showing = lacking.showing.as_ref()?;
    let proves = |request: &Request| showing.is_shown_by(statement, request);
    let example = showing.example.as_ref().and_then(|example| Some(example.asked(Asked::of_one(statement)?)));
    let proven = example.filter(|json| Request::from_authzen(json).is_ok_and(|request| proves(&request)));
    proven.or_else(|| {
        let whom = Statement { condition: None, effect: Effect::Allow, ..statement.clone() };
        let turned = showing.turned.expr().clone();
        let turned = match statement.effect {
            Effect::Allow => turned,
            // What the statement says is that the requirement is not met.
            Effect::Deny => Expr::Not(Box::new(turned)),
        };
        let turned = with_condition(statement, turned, statement.effect, lists)?;
        let absent = anywhere(statement, absent(&lacking.term), lists)?;
        let (holds, fails) = match statement.effect {
            Effect::Allow => (statement.clone(), turned),
            Effect::Deny => (turned, statement.clone()),
        };
        let question = Question::new(&[whom, absent, holds], &[fails]);
        question.found().find_map(|found| question.analysis.witness(&found, proves))
    })
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use proptest::prelude::*;
    use serde_json::json;

    use super::*;
    use crate::analysis::Examined;
    use crate::analysis::sample::statement;
    use crate::condition::arbitrary;

    fn examined(text: &str) -> Examined {
        Examined::new(&Arc::from(text), &Lists::default()).expect("a condition")
    }

    /// The facts of the request that is shown for the first attribute whose absence is admitted.
    #[track_caller]
    fn check(header: &str, condition: &str, expected: Json) {
        let lists = std::iter::once(Term::parse("tags").expect("a term")).collect();
        let mut grant = statement("G", Effect::Allow, header);
        let expr = crate::condition::parse(condition).expect("a condition").expr;
        grant.condition = Some(Arc::new(Condition::new(expr, &lists).expect("fits")));
        let lacking = Examined::new(&Arc::from(condition), &lists).expect("a condition").admits.remove(0);
        let shown = admitted(&grant, &lacking, &lists).expect("a request");
        let of = |pointer| shown.pointer(pointer).cloned().unwrap_or_default();
        assert_eq!(json!([of("/subject/id"), of("/action/name"), of("/resource/properties")]), expected, "{condition}");
    }

    #[test]
    fn requests_have_what_it_takes_and_no_more() {
        let nobody = "somebody@example.invalid";
        check("read | r | s | g", "a != 1", json!([nobody, "read", null]));
        check("sign,delete | r | s | * except g", "a != 1 and b > 5 and not c", json!([nobody, "delete", {"b": 6}]));
        check("sign,approve | r | s | *", "b in (3, 'x') and not (a = 1 or c = 2)", json!([nobody, "sign", {"b": "x"}]));
        check("read | r | s | a@x.org,b@x.org except a@x.org", "a != 1 and owner = {me}", json!(["b@x.org", "read", {"owner": "b@x.org"}]));
        check("read | r | s | robot:x", "tags = {me} and a.b not like 'x%'", json!(["x", "read", {"tags": ["x"]}]));
        check(
            "read | * | * | g",
            "a != 1 and (b.c like 'x_%' or (d = true and e = 1)) and b.f",
            json!([nobody, "read", {"b": {"c": "xa", "f": "a"}}]),
        );
        check("read | * | * | g", "not (a = 1 and (b = 2 or c >= 3 or not exists d))", json!([nobody, "read", null]));
        check("read | r | s | g", "a != 1 and a != 2 and b = 3", json!([nobody, "read", {"b": 3}]));
        check("read | r | s | g,x@y.org", "a != 1 and {me} = 'x@z.org'", json!(["x@z.org", "read", null]));
    }

    proptest! {
        #![proptest_config(ProptestConfig { cases: 512, failure_persistence: None, ..ProptestConfig::default() })]

        /// Whatever request is shown, it has been run; and for the generated conditions there nearly always is one.
        #[test]
        fn every_request_that_is_shown_proves_what_is_said(expr in arbitrary::expr()) {
            let lists = Lists::default();
            let text = expr.to_string();
            let mut grant = statement("G", Effect::Allow, "read | r | s | g except h");
            grant.condition = Some(Arc::new(Condition::new(expr.clone(), &lists).expect("fits")));
            for lacking in examined(&text).admits {
                let Some(shown) = admitted(&grant, &lacking, &lists) else { continue };
                let request = Request::from_authzen(&shown).expect("a request");
                prop_assert!(applies(&grant, &request), "{} {}", text, shown);
                let absent = Condition::new(absent(&lacking.term), &lists).expect("fits");
                prop_assert_eq!(absent.evaluate(&request.facts()), crate::condition::Outcome::True, "{} {}", text, shown);
            }
        }
    }
}
