//! Who a policy is for.
//!
//! The forms do not overlap, so that a caller *named* like a group does not match the group. Text of no known form is
//! compared as a group id: the finding `member-format` tells, and a denial keeps denying whoever carries that exact group.

use std::borrow::Cow;

use super::name::Name;

/// One entry of `members` or `except`.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Member {
    /// `*`: every caller.
    Everyone,
    /// An e-mail address, lower-cased; matches callers of type `user` only.
    Email(Name),
    /// `type:id`: a caller of that type with that id.
    Typed {
        /// The type, such as `service`.
        kind: Name,
        /// The id; lower-cased when it contains `@`.
        id: Name,
    },
    /// A group id, matched against the caller's groups only.
    Group(Name),
}

impl Member {
    /// Reads an entry of `members` or `except`. Every text is a member; see [`Member::is_well_formed`].
    pub fn parse(text: &str) -> Self {
        match Form::of(text) {
            Form::Everyone => Self::Everyone,
            Form::Email(address) => Self::Email(Self::compared(address).into()),
            Form::Typed { kind, id } => Self::Typed { kind: kind.into(), id: id.into() },
            Form::Group(id) => Self::Group(id.into()),
        }
    }

    /// The text of an entry as it is compared: an address in lower case (ASCII), everything else as it is.
    pub fn compared(text: &str) -> Cow<'_, str> {
        let capitals = text.bytes().any(|byte| byte.is_ascii_uppercase()) && text.contains('@');
        if capitals { Cow::Owned(text.to_ascii_lowercase()) } else { Cow::Borrowed(text) }
    }

    /// Whether the text is clearly of one form: `*`, an address, `type:id`, or a group id.
    pub fn is_well_formed(text: &str) -> bool {
        match Form::of(text) {
            Form::Everyone => true,
            Form::Email(address) => is_address(address),
            // Callers are of a type such as `user` or `service`; nobody is of the type `group`.
            Form::Typed { kind, id } => {
                !kind.eq_ignore_ascii_case("group") && is_type(kind) && !id.chars().any(|char| char.is_control() || char.is_whitespace())
            }
            Form::Group(id) => is_group_id(id),
        }
    }
}

/// What an entry is, as written.
enum Form<'a> {
    Everyone,
    Email(&'a str),
    Typed { kind: &'a str, id: &'a str },
    Group(&'a str),
}

impl<'a> Form<'a> {
    fn of(text: &'a str) -> Self {
        if text == "*" {
            return Self::Everyone;
        }
        if text.contains('@') {
            return Self::Email(text);
        }
        match text.split_once(':') {
            Some((kind, id)) if !kind.is_empty() && !id.is_empty() => Self::Typed { kind, id },
            _ => Self::Group(text),
        }
    }
}

/// The id of a caller as it is compared: lower-cased (ASCII) when it contains `@`.
pub fn caller_id(text: &str) -> String {
    if text.contains('@') { text.to_ascii_lowercase() } else { text.to_owned() }
}

/// One `@` between two non-empty parts, and nothing that separates members elsewhere.
fn is_address(text: &str) -> bool {
    let strange = |char: char| char.is_whitespace() || char.is_control() || ",;:<>()[]\"\\*".contains(char);
    match text.split_once('@') {
        Some((local, domain)) => !local.is_empty() && !domain.is_empty() && !domain.contains('@') && !text.contains(strange),
        None => false,
    }
}

/// Letters, digits, `.`, `_` and `-`, starting with a letter.
fn is_type(text: &str) -> bool {
    text.starts_with(|first: char| first.is_ascii_alphabetic())
        && text.chars().all(|char| char.is_ascii_alphanumeric() || "._-".contains(char))
}

/// Letters, digits, `.`, `_`, `-` and space, starting with a letter or digit.
fn is_group_id(text: &str) -> bool {
    text.starts_with(|first: char| first.is_alphanumeric()) && text.chars().all(|char| char.is_alphanumeric() || "._- ".contains(char))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(text: &str, expected: Member, well_formed: bool) {
        assert_eq!(Member::parse(text), expected, "{text:?}");
        assert_eq!(Member::is_well_formed(text), well_formed, "{text:?}");
    }

    #[test]
    fn each_form_is_told_from_the_others() {
        check("*", Member::Everyone, true);
        check("User@Example.com", Member::Email("user@example.com".into()), true);
        check("service:backup", Member::Typed { kind: "service".into(), id: "backup".into() }, true);
        check("service:a:b", Member::Typed { kind: "service".into(), id: "a:b".into() }, true);
        check("39c6cccd-d6ea-4ac1-b564-8e4d1e28d75d", Member::Group("39c6cccd-d6ea-4ac1-b564-8e4d1e28d75d".into()), true);
        check("Data Team", Member::Group("Data Team".into()), true);
    }

    #[test]
    fn text_of_no_form_is_a_group_and_says_so() {
        check("group:editors", Member::Typed { kind: "group".into(), id: "editors".into() }, false);
        check("-team", Member::Group("-team".into()), false);
        check("a*", Member::Group("a*".into()), false);
        check(":x", Member::Group(":x".into()), false);
        check("a@b@c", Member::Email("a@b@c".into()), false);
        check("user:a@b", Member::Email("user:a@b".into()), false);
        check("*@x", Member::Email("*@x".into()), false);
        check("a b@c", Member::Email("a b@c".into()), false);
        check("a, b", Member::Group("a, b".into()), false);
    }
}
