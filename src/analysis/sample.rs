//! Statements for tests, from one line of text each.

use std::collections::BTreeSet;
use std::sync::Arc;

use crate::condition;
use crate::condition::Condition;
use crate::condition::Lists;
use crate::policy::Actions;
use crate::policy::Effect;
use crate::policy::Member;
use crate::policy::Name;
use crate::policy::PolicyId;
use crate::policy::Selector;
use crate::policy::Statement;

fn words(text: &str) -> impl Iterator<Item = &str> {
    text.split(',').map(str::trim)
}

/// A statement from `actions | service | source | members | condition`; members behind `except` are the exceptions.
pub fn statement(id: &str, effect: Effect, text: &str) -> Statement {
    let parts: Vec<&str> = text.split('|').map(str::trim).collect();
    let sorted = |text: &str| words(text).map(Member::parse).collect::<BTreeSet<_>>().into_iter().collect::<Vec<_>>();
    let (members, except) = parts[3].split_once(" except ").map_or((parts[3], None), |(members, except)| (members, Some(except)));
    let condition = parts.get(4).map(|text| {
        let parsed = condition::parse(text).expect("a condition");
        Arc::new(Condition::new(parsed.expr, &Lists::default()).expect("fits"))
    });
    Statement {
        policy: PolicyId::new(id).expect("an id"),
        effect,
        actions: if parts[0] == "*" { Actions::Any } else { Actions::Only(words(parts[0]).map(Name::from).collect()) },
        service: Selector::parse(parts[1]),
        source: Selector::parse(parts[2]),
        members: sorted(members),
        except: except.map_or_else(Vec::new, sorted),
        condition,
        from_control: false,
    }
}
