//! A condition with the place of every part, for whoever points at a part or takes one out.
//!
//! [`Expr`] has no places, so that equal conditions are equal and the solver carries nothing it does not read. The places
//! are kept beside the tree while it is parsed, and only when they are asked for.

use std::mem::discriminant;
use std::ops::Range;

use super::Atom;
use super::ConditionError;
use super::Expr;
use super::parser;

/// A part of a condition, and where it stands.
///
/// The parts have the shape of the normal form: of `a and (b and c)` the operands are `a`, `b` and `c`, each with its own place.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Part {
    /// Where it stands, in bytes of the text, without parentheses around it. Operands lie inside, in order, and do not overlap.
    pub range: Range<usize>,
    /// Its tree, in normal form.
    pub expr: Expr,
    /// The operands of `and` and `or`, the one of `not`, none of an atom.
    pub operands: Vec<Part>,
}

/// Reads a condition with the place of every part. The tree is the one that [`parse`](super::parse) gives.
///
/// Every level of the tree holds its operands again, so this is for one condition at a time and not for a whole law book.
///
/// # Errors
///
/// The same as of [`parse`](super::parse).
pub fn parts(text: &str) -> Result<Part, Vec<ConditionError>> {
    let (parsed, parts) = parser::read(text, Parts::kept())?;
    Ok(parts.whole().unwrap_or(Part { range: 0..text.len(), expr: parsed.expr, operands: vec![] }))
}

/// What to delete from the text of a condition so that one operand of an `and` or an `or` is gone, with its connective.
///
/// What is left is a condition: the same with that part replaced by [`Expr::all`] or [`Expr::any`] of the other operands.
/// Parentheses around the operand go with it; those of a group stay, also when one operand is left in it, because they do not
/// stand side by side. `text` is the one that the part was read from.
///
/// `None` if the part has no such operand, or is neither an `and` nor an `or`.
pub fn removal(part: &Part, operand: usize, text: &str) -> Option<Range<usize>> {
    if !matches!(part.expr, Expr::And(_) | Expr::Or(_)) {
        return None;
    }
    let own = with_parentheses(part.operands.get(operand)?.range.clone(), text);
    let before = operand.checked_sub(1).and_then(|at| part.operands.get(at));
    let after = part.operands.get(operand + 1);
    // Between two operands stand the parentheses that end there, the connective, and those that begin there. An operand that does
    // not begin a group has its connective before it, one that does has it behind: it cannot be alone, or the group would be its own.
    if let Some((at, gap)) = before.and_then(|before| Some((before.range.end, text.get(before.range.end..own.start)?)))
        && !gap.contains('(')
    {
        let start = at + gap.rfind(')').map_or(0, |last| last + 1);
        let space = kept_space(text.get(start..)?.chars().next(), text.get(..start)?, text.get(own.end..)?);
        return Some(start + space..own.end);
    }
    let gap = text.get(own.end..after?.range.start)?;
    let end = own.end + gap.find('(').unwrap_or(gap.len());
    let space = kept_space(text.get(..end)?.chars().next_back(), text.get(..own.start)?, text.get(end..)?);
    Some(own.start..end - space)
}

/// A range and all parentheses that hold nothing else.
fn with_parentheses(range: Range<usize>, text: &str) -> Range<usize> {
    let Range { mut start, mut end } = range;
    loop {
        let (before, after) = (text.get(..start).unwrap_or("").trim_end(), text.get(end..).unwrap_or("").trim_start());
        let (Some(before), Some(after)) = (before.strip_suffix('('), after.strip_prefix(')')) else { return start..end };
        (start, end) = (before.len(), text.len() - after.len());
    }
}

/// How much of a space at the edge of what is deleted has to stay, so that its neighbours do not become one word.
fn kept_space(edge: Option<char>, before: &str, after: &str) -> usize {
    let space = edge.filter(|char| char.is_whitespace() && glues(before, after));
    space.map_or(0, char::len_utf8)
}

/// Whether two texts need a space between them.
fn glues(before: &str, after: &str) -> bool {
    let stands_alone = |char: char| char.is_whitespace() || matches!(char, '(' | ')');
    !before.chars().next_back().is_none_or(stands_alone) && !after.chars().next().is_none_or(stands_alone)
}

/// The parts of what has been read so far, each in the place of its operands; nothing if they are not kept.
pub(super) struct Parts(Option<Vec<Part>>);

impl Parts {
    /// Keeps the parts.
    pub(super) fn kept() -> Self {
        Self(Some(vec![]))
    }

    /// Does not, and costs nothing.
    pub(super) fn unkept() -> Self {
        Self(None)
    }

    /// Notes an atom that ends here.
    pub(super) fn atom(&mut self, range: Range<usize>, atom: &Atom) {
        if let Some(parts) = &mut self.0 {
            parts.push(Part { range, expr: Expr::Atom(atom.clone()), operands: vec![] });
        }
    }

    /// Notes that the last part is negated.
    pub(super) fn not(&mut self, range: Range<usize>) {
        if let Some(parts) = &mut self.0
            && let Some(operand) = parts.pop()
        {
            parts.push(Part { range, expr: Expr::Not(Box::new(operand.expr.clone())), operands: vec![operand] });
        }
    }

    /// Notes that the last `count` parts are joined; `join` makes their trees one.
    pub(super) fn join(&mut self, range: Range<usize>, count: usize, join: impl FnOnce(Vec<Expr>) -> Expr) {
        let Some(parts) = &mut self.0 else { return };
        if count < 2 {
            return;
        }
        let joined = parts.split_off(parts.len().saturating_sub(count));
        let expr = join(joined.iter().map(|part| part.expr.clone()).collect());
        let mut operands = Vec::with_capacity(count);
        for part in joined {
            if discriminant(&part.expr) == discriminant(&expr) {
                operands.extend(part.operands);
            } else {
                operands.push(part);
            }
        }
        parts.push(Part { range, expr, operands });
    }

    /// The part that everything came to.
    fn whole(self) -> Option<Part> {
        self.0?.pop()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Every part as its text, indented by its depth.
    fn outline(part: &Part, text: &str, depth: usize) -> Vec<String> {
        let own = format!("{}{}", " ".repeat(depth), &text[part.range.clone()]);
        let inner = part.operands.iter().flat_map(|operand| outline(operand, text, depth + 1));
        std::iter::once(own).chain(inner).collect()
    }

    #[track_caller]
    fn check(text: &str, expected: &[&str]) {
        assert_eq!(outline(&parts(text).unwrap(), text, 0), expected, "{text}");
    }

    #[test]
    fn every_part_has_its_place() {
        check(" a ", &["a"]);
        check("((a = 'x'))", &["a = 'x'"]);
        check("a and (b or not c)", &["a and (b or not c)", " a", " b or not c", "  b", "  not c", "   c"]);
        check("not (a and b)", &["not (a and b)", " a and b", "  a", "  b"]);
        check("not not(a)", &["not not(a)", " not(a)", "  a"]);
        check("(a in (1, 2)) or b", &["(a in (1, 2)) or b", " a in (1, 2)", " b"]);
        check("'{me}' = 'é漢' and x", &["'{me}' = 'é漢' and x", " '{me}' = 'é漢'", " x"]);
    }

    #[test]
    fn groups_of_the_same_kind_show_their_operands() {
        check("a and (b and c)", &["a and (b and c)", " a", " b", " c"]);
        check("((a or b) or c)", &["(a or b) or c", " a", " b", " c"]);
    }

    #[track_caller]
    fn check_removal(text: &str, expected: &[&str]) {
        let part = parts(text).unwrap();
        let left = (0..part.operands.len()).map(|operand| {
            let mut left = text.to_owned();
            left.replace_range(removal(&part, operand, text).unwrap(), "");
            left
        });
        assert_eq!(left.collect::<Vec<_>>(), expected, "{text}");
        assert_eq!(removal(&part, part.operands.len(), text), None);
    }

    #[test]
    fn an_operand_goes_with_its_connective_and_its_parentheses() {
        check_removal("a and b and c", &["b and c", "a and c", "a and b"]);
        check_removal("(a) or ( ( b ) )", &["( ( b ) )", "(a)"]);
        check_removal("a in (1) and (b or c)", &["(b or c)", "a in (1)"]);
        check_removal("a\n  and b\n  and c\n", &["b\n  and c\n", "a\n  and c\n", "a\n  and b\n"]);
        check_removal("a and\n  b and\n  c", &["b and\n  c", "a and\n  c", "a and\n  b"]);
    }

    #[test]
    fn the_parentheses_of_a_group_stay() {
        check_removal("a and (b and c)", &["(b and c)", "a and (c)", "a and (b)"]);
        check_removal("(a and b) and c and (d)", &["(b) and c and (d)", "(a) and c and (d)", "(a and b) and (d)", "(a and b) and c"]);
        check_removal("(a or b) or (c or d)", &["(b) or (c or d)", "(a) or (c or d)", "(a or b) or (d)", "(a or b) or (c)"]);
    }

    #[test]
    fn neighbours_do_not_become_one_word() {
        check_removal("(a)and b and(c)", &["b and(c)", "(a) and(c)", "(a)and b"]);
        check_removal("x and(a)and b", &["(a)and b", "x and b", "x and(a)"]);
        check_removal("x and((a)and b)", &["((a)and b)", "x and(b)", "x and((a))"]);
    }

    #[test]
    fn only_operands_of_and_and_or_can_be_removed() {
        assert_eq!(removal(&parts("not a").unwrap(), 0, "not a"), None);
        assert_eq!(removal(&parts("a").unwrap(), 0, "a"), None);
    }
}
