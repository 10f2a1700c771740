//! What must hold for every text: it is read or refused, what is read is read again from its print, and the parts make up the tree.

use lawbook::condition::Expr;
use lawbook::condition::Part;
use lawbook::condition::limits;
use lawbook::condition::parse;
use lawbook::condition::parts;
use lawbook::condition::removal;

/// Whether bytes are the text of a condition; panics if something does not hold.
pub fn check(bytes: &[u8]) -> bool {
    let Ok(text) = std::str::from_utf8(bytes) else { return false };
    let parsed = match (parse(text), parts(text)) {
        (Ok(parsed), Ok(part)) => {
            assert_eq!(parsed.expr, part.expr, "the parts are not those of the tree: {text:?}");
            consistent(&part, text);
            parsed
        }
        (Err(errors), Err(of_parts)) => {
            assert!(!errors.is_empty() && errors.len() <= limits::ERRORS, "{} errors: {text:?}", errors.len());
            assert_eq!(errors, of_parts, "{text:?}");
            for error in &errors {
                assert!(text.get(error.range.clone()).is_some(), "an error outside of the text: {text:?}");
            }
            return false;
        }
        (one, other) => panic!("{text:?} is read as {one:?}, and with its parts as {other:?}"),
    };
    let print = parsed.expr.to_string();
    if print.len() > limits::TEXT_BYTES {
        return true;
    }
    let again = parse(&print).unwrap_or_else(|errors| panic!("{text:?} is printed as {print:?}: {errors:?}"));
    assert_eq!(again.expr, parsed.expr, "{text:?} is printed as {print:?}");
    assert!(again.spellings.is_empty(), "{text:?} is printed as {print:?}, in spellings of other languages");
    assert_eq!(again.expr.to_string(), print, "{text:?} is printed in two ways");
    true
}

/// Parts lie inside of what they are parts of, in order, and what is left without one of them is what the tree is without it.
fn consistent(part: &Part, text: &str) {
    assert!(text.get(part.range.clone()).is_some(), "a part outside of the text: {text:?}");
    let mut end = part.range.start;
    for operand in &part.operands {
        assert!(end <= operand.range.start && operand.range.end <= part.range.end, "parts out of order: {text:?}");
        end = operand.range.end;
        consistent(operand, text);
    }
    let own: Vec<&Expr> = match &part.expr {
        Expr::And(operands) | Expr::Or(operands) => operands.iter().collect(),
        Expr::Not(operand) => vec![operand],
        Expr::Atom(_) => vec![],
    };
    assert!(own.into_iter().eq(part.operands.iter().map(|operand| &operand.expr)), "other parts than the tree has: {text:?}");
    for at in 0..part.operands.len().min(8) {
        let Some(gone) = removal(part, at, text) else { continue };
        let mut left = text.to_owned();
        left.replace_range(gone, "");
        assert!(parse(&left).is_ok(), "{text:?} without a part is {left:?}");
    }
}
