//! Numbers are IEEE doubles, and a literal has to be one of them as written.

use std::cmp::Ordering;
use std::hash::Hash;
use std::hash::Hasher;

/// A finite double. Zero has one form, so equality, order and hash agree.
#[derive(Debug, Clone, Copy)]
pub struct Number(f64);

/// Why a text is no number of the language.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) enum NumberError {
    /// Larger than any double.
    TooLarge,
    /// The double is another number than the one written.
    Inexact(Number),
}

impl Number {
    /// The number, if it is finite; `-0` becomes `0`.
    pub fn new(value: f64) -> Option<Self> {
        // Adding positive zero changes negative zero, and nothing else.
        value.is_finite().then_some(Self(value + 0.0))
    }

    /// The double; finite, and never `-0`.
    pub fn get(self) -> f64 {
        self.0
    }

    /// Reads the grammar's `number`.
    ///
    /// A text survives the round trip through a double if it denotes the same decimal number as the shortest text that
    /// reads back as that double: `0.1` does, although the double is a little more; `9007199254740993` does not.
    pub(super) fn parse(text: &str) -> Result<Self, NumberError> {
        let number = text.parse().ok().and_then(Self::new).ok_or(NumberError::TooLarge)?;
        match decimal(text) == decimal(&format!("{:e}", number.0)) {
            true => Ok(number),
            false => Err(NumberError::Inexact(number)),
        }
    }
}

impl PartialEq for Number {
    fn eq(&self, other: &Self) -> bool {
        self.cmp(other).is_eq()
    }
}

impl Eq for Number {}

impl PartialOrd for Number {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

impl Ord for Number {
    fn cmp(&self, other: &Self) -> Ordering {
        self.0.total_cmp(&other.0)
    }
}

impl Hash for Number {
    fn hash<H: Hasher>(&self, state: &mut H) {
        self.0.to_bits().hash(state);
    }
}

/// A decimal number in the one form `±0.d₁d₂… × 10ⁿ` with d₁ and the last digit not zero; zero has no digits. `None` if n does not fit.
fn decimal(text: &str) -> Option<(bool, String, i64)> {
    let (negative, text) = text.strip_prefix('-').map_or((false, text), |rest| (true, rest));
    let (mantissa, exponent) = text.split_once(['e', 'E']).unwrap_or((text, "0"));
    let (whole, fraction) = mantissa.split_once('.').unwrap_or((mantissa, ""));
    let digits = format!("{whole}{fraction}");
    let significant = digits.trim_start_matches('0');
    if significant.is_empty() {
        return Some((false, String::new(), 0));
    }
    let leading = i64::try_from(digits.len() - significant.len()).ok()?;
    let point = i64::try_from(whole.len()).ok()?;
    let exponent = exponent.parse::<i64>().ok()?.checked_add(point)?.checked_sub(leading)?;
    Some((negative, significant.trim_end_matches('0').to_owned(), exponent))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(text: &str, expected: Result<f64, NumberError>) {
        assert_eq!(Number::parse(text).map(Number::get), expected, "{text}");
    }

    #[track_caller]
    fn inexact(text: &str, read: f64) {
        check(text, Err(NumberError::Inexact(Number(read))));
    }

    #[test]
    fn a_number_that_survives_is_accepted() {
        check("0.1", Ok(0.1));
        check("1.0", Ok(1.0));
        check("1e3", Ok(1000.0));
        check("-12.50E-1", Ok(-1.25));
        check("007", Ok(7.0));
        check("9007199254740992", Ok(9_007_199_254_740_992.0));
        check("1e300", Ok(1e300));
        check("5e-324", Ok(5e-324));
        check("0e99999999999999999999", Ok(0.0));
        check("1.7976931348623157e308", Ok(f64::MAX));
        check(&format!("1{}e-60000", "0".repeat(60_000)), Ok(1.0));
    }

    #[test]
    fn a_number_that_does_not_survive_is_refused() {
        inexact("9007199254740993", 9_007_199_254_740_992.0);
        inexact("0.1000000000000000055511151231257827", 0.1);
        inexact("1e-400", 0.0);
        inexact("3e-324", 5e-324);
        check("1e400", Err(NumberError::TooLarge));
        check("-1e99999999999999999999", Err(NumberError::TooLarge));
    }

    #[test]
    fn zero_has_one_form() {
        assert_eq!(Number::new(-0.0).map(|zero| zero.get().is_sign_negative()), Some(false));
        assert_eq!(Number::parse("-0"), Number::parse("0.00"));
        assert_eq!(Number::new(f64::NAN), None);
        assert_eq!(Number::new(f64::INFINITY), None);
    }

    #[test]
    fn numbers_are_ordered_by_value() {
        let mut numbers: Vec<_> = [3.0, -1.0, 0.5, -2.0, 0.0].into_iter().filter_map(Number::new).collect();
        numbers.sort();
        assert_eq!(numbers.into_iter().map(Number::get).collect::<Vec<_>>(), [-2.0, -1.0, 0.0, 0.5, 3.0]);
    }
}
