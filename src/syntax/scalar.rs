//! What a plain scalar means: the core schema of YAML 1.2.2 (section 10.3.2), with one doubt settled for safety.
//!
//! A number with a leading zero (`0123`, `-007`, `00.5`) is text here. The core schema reads it in base ten, YAML 1.1 in base eight,
//! and whoever writes it means an identifier; as text it is either right or refused where a number is wanted.

use serde_json::Number;

use crate::syntax::node::NodeKind;

/// Why a plain scalar has no value.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum NoValue {
    /// `.inf` or `.nan`, which JSON does not have.
    NotFinite,
    /// A number that neither 64-bit integers nor doubles can hold.
    TooLarge,
}

/// The value of a plain scalar.
pub(super) fn resolve(text: &str) -> Result<NodeKind, NoValue> {
    match text {
        "" | "~" | "null" | "Null" | "NULL" => Ok(NodeKind::Null),
        "true" | "True" | "TRUE" => Ok(NodeKind::Bool(true)),
        "false" | "False" | "FALSE" => Ok(NodeKind::Bool(false)),
        _ if text.starts_with(|c: char| c.is_ascii_digit() || matches!(c, '+' | '-' | '.')) => match number(text)? {
            Some(number) => Ok(NodeKind::Number(number)),
            None => Ok(NodeKind::String(text.to_owned())),
        },
        _ => Ok(NodeKind::String(text.to_owned())),
    }
}

/// The number a plain scalar stands for; `None` if it is text.
fn number(text: &str) -> Result<Option<Number>, NoValue> {
    if matches!(text, ".nan" | ".NaN" | ".NAN") {
        return Err(NoValue::NotFinite);
    }
    if let Some(digits) = text.strip_prefix("0o") {
        return based(digits, 8);
    }
    if let Some(digits) = text.strip_prefix("0x") {
        return based(digits, 16);
    }
    let unsigned = text.strip_prefix(['+', '-']).unwrap_or(text);
    if matches!(unsigned, ".inf" | ".Inf" | ".INF") {
        return Err(NoValue::NotFinite);
    }
    decimal(text.strip_prefix('+').unwrap_or(text), unsigned)
}

fn based(digits: &str, radix: u32) -> Result<Option<Number>, NoValue> {
    if digits.is_empty() || !digits.chars().all(|c| c.is_digit(radix)) {
        return Ok(None);
    }
    u64::from_str_radix(digits, radix).map(|value| Some(value.into())).map_err(|_| NoValue::TooLarge)
}

/// `signed` is the number without a plus, `unsigned` without any sign.
fn decimal(signed: &str, unsigned: &str) -> Result<Option<Number>, NoValue> {
    let (mantissa, exponent) = match unsigned.split_once(['e', 'E']) {
        Some((mantissa, exponent)) => (mantissa, Some(exponent.strip_prefix(['+', '-']).unwrap_or(exponent))),
        None => (unsigned, None),
    };
    let (whole, fraction) = match mantissa.split_once('.') {
        Some((whole, fraction)) => (whole, Some(fraction)),
        None => (mantissa, None),
    };
    let digits = |part: &str| part.bytes().all(|byte| byte.is_ascii_digit());
    let shaped = digits(whole) && fraction.is_none_or(digits) && exponent.is_none_or(|part| !part.is_empty() && digits(part));
    let some_digit = !whole.is_empty() || fraction.is_some_and(|fraction| !fraction.is_empty());
    let leading_zero = whole.len() > 1 && whole.starts_with('0');
    if !shaped || !some_digit || leading_zero {
        return Ok(None);
    }
    if fraction.is_none() && exponent.is_none() && unsigned != "0" {
        let value = signed.parse::<i64>().map(Number::from).or_else(|_| signed.parse::<u64>().map(Number::from));
        return value.map(Some).map_err(|_| NoValue::TooLarge);
    }
    if signed == "0" {
        return Ok(Some(0.into()));
    }
    // A double reads every shape that is left; what overflows becomes infinite, which no JSON number is.
    let value = signed.parse::<f64>().map_err(|_| NoValue::TooLarge)?;
    Number::from_f64(value).map(Some).ok_or(NoValue::TooLarge)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(texts: &[&str], expected: impl Fn(&str) -> Result<NodeKind, NoValue>) {
        for text in texts {
            assert_eq!(resolve(text), expected(text), "{text:?}");
        }
    }

    #[test]
    fn null_and_booleans_have_exactly_the_core_spellings() {
        check(&["", "~", "null", "Null", "NULL"], |_| Ok(NodeKind::Null));
        check(&["true", "True", "TRUE"], |_| Ok(NodeKind::Bool(true)));
        check(&["false", "False", "FALSE"], |_| Ok(NodeKind::Bool(false)));
    }

    #[test]
    fn what_only_looks_special_is_text() {
        let texts = [
            "no",
            "No",
            "yes",
            "on",
            "off",
            "y",
            "n",
            "tRUE",
            "nULL",
            "none",
            "0123",
            "-007",
            "00",
            "00.5",
            "01e3",
            "12:30:45",
            "1_000",
            "2026-03-01",
            "1.2.3",
            ".",
            "+",
            "-",
            "-.",
            "..5",
            "1e",
            "1e+",
            "e5",
            "0x",
            "0o",
            "0o8",
            "0xg",
            "-0x1",
            "+0o7",
            "0b1",
            ".info",
            "inf",
            "nan",
            "Infinity",
            "1 2",
            "--1",
            "+-1",
            "<<",
            "٣",
        ];
        check(&texts, |text| Ok(NodeKind::String(text.to_owned())));
    }

    #[test]
    fn numbers_are_held_exactly_or_refused() {
        let number = |json: &str| Ok(NodeKind::Number(serde_json::from_str(json).expect("a number")));
        for (text, json) in [
            ("0", "0"),
            ("+0", "0"),
            ("-0", "-0.0"),
            ("12", "12"),
            ("+12", "12"),
            ("-12", "-12"),
            ("0o17", "15"),
            ("0xfF", "255"),
            ("1.20", "1.2"),
            ("1.", "1.0"),
            (".5", "0.5"),
            ("-.5", "-0.5"),
            ("+.5e1", "5.0"),
            ("1e3", "1000.0"),
            ("1E-2", "0.01"),
            ("0.0", "0.0"),
            ("0e1", "0.0"),
            ("18446744073709551615", "18446744073709551615"),
            ("-9223372036854775808", "-9223372036854775808"),
            ("0xffffffffffffffff", "18446744073709551615"),
        ] {
            check(&[text], |_| number(json));
        }
        check(&["18446744073709551616", "-9223372036854775809", "0x10000000000000000", "1e400", "-1e400"], |_| Err(NoValue::TooLarge));
        check(&[".inf", "-.inf", "+.INF", ".Inf", ".nan", ".NaN", ".NAN"], |_| Err(NoValue::NotFinite));
    }
}
