//! Who could ask for what a statement is about, or for what two statements are both about, as far as that is plain to see.

use super::model::SOMEBODY;
use super::model::USUAL_ACTIONS;
use super::request::Asked;
use crate::decision::DEFAULT_SOURCE;
use crate::policy::Actions;
use crate::policy::Member;
use crate::policy::Selector;
use crate::policy::Statement;

impl<'a> Asked<'a> {
    /// Somebody who is meant by a statement asks for what it is about.
    pub(super) fn of_one(statement: &'a Statement) -> Option<Self> {
        let mut members = members_that_matter(statement).iter().filter(|member| !statement.except.contains(member));
        Self::by(&[members.next()?], statement, statement)
    }

    /// Somebody who is meant by both of two statements asks for what they are both about: with one member of both where there is one.
    /// Where somebody is excepted it is not plain to see who.
    pub(super) fn of_both(one: &'a Statement, two: &'a Statement) -> Option<Self> {
        if !one.except.is_empty() || !two.except.is_empty() {
            return None;
        }
        let (own, other) = (members_that_matter(one), members_that_matter(two));
        match own.iter().find(|member| other.contains(member)) {
            Some(both) => Self::by(&[both], one, two),
            None => own.iter().find_map(|member| other.iter().find_map(|with| Self::by(&[member, with], one, two))),
        }
    }

    /// `None` if nobody has all the members, or if the two have nothing in common.
    fn by(members: &[&'a Member], one: &'a Statement, two: &'a Statement) -> Option<Self> {
        let mut person = None;
        let mut groups = Vec::new();
        for member in members {
            let named = match member {
                Member::Everyone => continue,
                Member::Group(name) => {
                    groups.push(&**name);
                    continue;
                }
                Member::Email(id) => ("user", &**id),
                Member::Typed { kind, id } => (&**kind, &**id),
            };
            if person.replace(named).is_some_and(|known| known != named) {
                return None;
            }
        }
        let (kind, id) = person.unwrap_or(("user", SOMEBODY));
        let (action, groups) = (action(&one.actions, &two.actions)?, groups.into_iter().collect());
        let (service, source) = (name(&one.service, &two.service, "report")?, name(&one.source, &two.source, DEFAULT_SOURCE)?);
        Some(Self { kind, id, groups, action, service, source })
    }
}

/// The members of a statement to look at. Whoever has another one beside `*` is meant no less.
fn members_that_matter(statement: &Statement) -> &[Member] {
    if statement.members.contains(&Member::Everyone) { &[Member::Everyone] } else { &statement.members }
}

/// The name that both select, or the usual one.
fn name<'a>(one: &'a Selector, two: &'a Selector, usual: &'a str) -> Option<&'a str> {
    match (one, two) {
        (Selector::Any, Selector::Any) => Some(usual),
        (Selector::Named(name), other) | (other, Selector::Named(name)) => other.matches(name).then_some(name),
    }
}

/// An action of both, a usual one where that will do.
fn action<'a>(one: &'a Actions, two: &'a Actions) -> Option<&'a str> {
    let names = match (one, two) {
        (Actions::Only(names), _) | (Actions::Any, Actions::Only(names)) => names,
        (Actions::Any, Actions::Any) => return USUAL_ACTIONS.first().copied(),
    };
    let in_both = |name: &&str| one.contains(name) && two.contains(name);
    let least = || names.iter().map(|name| &**name).filter(in_both).min_by_key(|name| name.chars().count());
    USUAL_ACTIONS.into_iter().find(in_both).or_else(least)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::analysis::sample::statement;
    use crate::policy::Effect;

    #[track_caller]
    fn check(one: &str, two: &str, expected: Option<&str>) {
        let [one, two] = [one, two].map(|text| statement("P", Effect::Allow, text));
        let shown = Asked::of_both(&one, &two).map(|Asked { kind, id, groups, action, service, source }| {
            let groups: Vec<&str> = groups.into_iter().collect();
            format!("{kind}:{id} {} {action} {service} {source}", groups.join("+"))
        });
        assert_eq!(shown.as_deref(), expected);
    }

    #[test]
    fn somebody_asks_for_what_both_are_about() {
        check("read,run | r | s | g,h", "run | * | * | h", Some("user:somebody@example.invalid h run r s"));
        check("read | r | s | g", "* | * | s | h,i", Some("user:somebody@example.invalid g+h read r s"));
        check("* | * | * | *", "* | * | * | a@x.org", Some("user:a@x.org  read report private"));
        check("sign,to | r | s | g", "sign,to | r | s | robot:x", Some("robot:x g to r s"));
        check("read | r | s | a@x.org", "read | r | s | b@x.org,g", Some("user:a@x.org g read r s"));
    }

    #[test]
    fn nobody_asks_where_that_is_not_plain_to_see() {
        check("read | r | s | a@x.org", "read | r | s | b@x.org", None);
        check("read | r | s | g", "run | r | s | g", None);
        check("read | r | s | g", "read | q | s | g", None);
        check("read | r | s | g", "read | r | t | g", None);
        check("read | r | s | g except h", "read | r | s | g", None);
    }
}
