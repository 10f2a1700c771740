//! Times as the documented interfaces write them: UTC, three digits of a second, `Z`.

pub use crate::report::audit::wire_time;

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(time: &str, expected: &str) {
        assert_eq!(wire_time(time.parse().expect("a time")), expected);
    }

    #[test]
    fn a_time_has_three_digits_of_a_second_and_is_in_utc() {
        check("2026-03-01T10:00:00Z", "2026-03-01T10:00:00.000Z");
        check("2026-03-01T12:00:00.1239+02:00", "2026-03-01T10:00:00.123Z");
    }
}
