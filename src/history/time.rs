//! When a commit was made, and by whom: as the commit says it.

use std::fmt;

use jiff::Timestamp;
use jiff::tz::Offset;

/// A time with the offset from UTC at which it was written down. Ordered by the instant.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct CommitTime {
    /// The instant.
    pub at: Timestamp,
    /// Minutes east of UTC.
    pub offset_minutes: i32,
}

impl CommitTime {
    /// The time of a commit. What no calendar holds is moved to its nearest end, and an offset that does not exist to UTC.
    pub fn new(seconds: i64, offset_minutes: i32) -> Self {
        let held = seconds.clamp(Timestamp::MIN.as_second(), Timestamp::MAX.as_second());
        let at = Timestamp::from_second(held).unwrap_or_default();
        let offset_minutes = if offset_minutes.abs() < 24 * 60 { offset_minutes } else { 0 };
        Self { at, offset_minutes }
    }
}

/// RFC 3339 with the offset.
impl fmt::Display for CommitTime {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let offset = Offset::from_seconds(self.offset_minutes.saturating_mul(60)).unwrap_or(Offset::UTC);
        self.at.display_with_offset(offset).fmt(f)
    }
}

/// A name and an e-mail address, as a commit or a configuration gives them.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Person {
    /// The name; may be empty.
    pub name: String,
    /// The e-mail address; may be empty.
    pub email: String,
}

impl Person {
    /// The person that `Name <e-mail>` is; without an address in brackets the text is the name.
    pub fn parse(text: &str) -> Self {
        let (name, email) = match text.split_once('<') {
            Some((name, rest)) => (name, rest.split('>').next().unwrap_or_default()),
            None => (text, ""),
        };
        Self { name: name.trim().to_owned(), email: email.trim().to_owned() }
    }
}

impl fmt::Display for Person {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} <{}>", self.name, self.email)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(seconds: i64, offset: i32, expected: &str) {
        assert_eq!(CommitTime::new(seconds, offset).to_string(), expected);
    }

    #[test]
    fn a_person_is_read_from_a_trailer() {
        let person = |text: &str| {
            let Person { name, email } = Person::parse(text);
            (name, email)
        };
        let expected = |name: &str, email: &str| (name.to_owned(), email.to_owned());
        assert_eq!(person("Ada King <ada@example.com>"), expected("Ada King", "ada@example.com"));
        assert_eq!(person("<ada@example.com>"), expected("", "ada@example.com"));
        assert_eq!(person("Ada"), expected("Ada", ""));
        assert_eq!(person("Ada <ada@example.com"), expected("Ada", "ada@example.com"));
    }

    #[test]
    fn a_time_is_shown_with_its_offset_and_a_hostile_one_is_held() {
        check(1_772_359_200, 0, "2026-03-01T10:00:00+00:00");
        check(1_772_359_200, 90, "2026-03-01T11:30:00+01:30");
        check(1_772_359_200, -300, "2026-03-01T05:00:00-05:00");
        check(1_772_359_200, 99_999, "2026-03-01T10:00:00+00:00");
        check(i64::MAX, 0, "9999-12-30T22:00:00+00:00");
        check(i64::MIN, i32::MIN + 1, "-009999-01-02T01:59:59+00:00");
    }
}
