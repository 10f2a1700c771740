//! A span of time as it is written on the command line: `90d`, `12h`, `30m`.

use jiff::SignedDuration;

/// Reads a positive whole number with `d`, `h` or `m`; a day has 24 hours.
pub(super) fn parse(text: &str) -> Result<SignedDuration, String> {
    let refused = || "write a number with `d`, `h` or `m`, such as `90d`".to_owned();
    let (digits, minutes) = match text.char_indices().next_back() {
        Some((at, 'd')) => (text.get(..at), 24 * 60),
        Some((at, 'h')) => (text.get(..at), 60),
        Some((at, 'm')) => (text.get(..at), 1),
        _ => return Err(refused()),
    };
    let number = digits.and_then(|digits| digits.parse::<u32>().ok()).filter(|&number| number > 0).ok_or_else(refused)?;
    Ok(SignedDuration::from_mins(i64::from(number) * minutes))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(text: &str, minutes: Option<i64>) {
        assert_eq!(parse(text).ok(), minutes.map(SignedDuration::from_mins), "{text:?}");
    }

    #[test]
    fn a_span_is_a_number_with_a_unit() {
        check("90d", Some(90 * 24 * 60));
        check("12h", Some(720));
        check("1m", Some(1));
        check("0d", None);
        check("90", None);
        check("-1d", None);
        check("d", None);
        check("1ü", None);
        check("", None);
    }
}
