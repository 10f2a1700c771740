//! Applying repairs to the text of a file.
//!
//! A fix is applied as a whole or not at all. Of fixes that touch the same bytes the first one wins, and the others are found
//! again, at their new places, by the next check.

use super::Edit;
use super::Fix;
use crate::source::SourceId;

/// The edits of those fixes that do not touch what an earlier one changes, in the order of their places.
pub fn compatible<'a>(fixes: impl IntoIterator<Item = &'a Fix>) -> Vec<&'a Edit> {
    let mut taken: Vec<&Edit> = Vec::new();
    for fix in fixes {
        let free = |edit: &Edit| {
            let at = taken.partition_point(|other| other.span < edit.span);
            let before = at.checked_sub(1).and_then(|at| taken.get(at));
            !before.is_some_and(|other| meet(other, edit)) && !taken.get(at).is_some_and(|other| meet(edit, other))
        };
        if fix.edits.iter().all(free) {
            taken.extend(&fix.edits);
            taken.sort_by_key(|edit| edit.span);
        }
    }
    taken
}

/// Whether the first of two edits in order reaches into the second, or both insert at one place.
fn meet(first: &Edit, second: &Edit) -> bool {
    first.span.source == second.span.source && (first.span.end > second.span.start || first.span.start == second.span.start)
}

/// The text of a file after its edits; those of other files are left out. `None` when edits overlap or do not fit the text.
pub fn apply<'a>(source: SourceId, text: &str, edits: impl IntoIterator<Item = &'a Edit>) -> Option<String> {
    let mut edits: Vec<&Edit> = edits.into_iter().filter(|edit| edit.span.source == source).collect();
    edits.sort_by_key(|edit| edit.span);
    let mut result = String::with_capacity(text.len());
    let mut done = 0;
    for edit in edits {
        let range = edit.span.range();
        result.push_str(text.get(done..range.start)?);
        text.get(range.clone())?;
        result.push_str(&edit.replacement);
        done = range.end;
    }
    result.push_str(text.get(done..)?);
    Some(result)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::finding::Safety;
    use crate::source::Span;

    fn edit(start: usize, end: usize, replacement: &str) -> Edit {
        Edit { span: Span::new(SourceId::new(0), start..end), replacement: replacement.to_owned() }
    }

    #[track_caller]
    fn check(edits: &[Edit], expected: Option<&str>) {
        assert_eq!(apply(SourceId::new(0), "aé = b", edits).as_deref(), expected, "{edits:?}");
    }

    #[test]
    fn edits_are_applied_in_the_order_of_their_places() {
        check(&[], Some("aé = b"));
        check(&[edit(6, 7, "c"), edit(0, 1, "long")], Some("longé = c"));
        check(&[edit(7, 7, "!")], Some("aé = b!"));
        check(&[edit(0, 3, "")], Some(" = b"));
        let elsewhere = Edit { span: Span::new(SourceId::new(1), 0..1), replacement: "x".to_owned() };
        check(&[elsewhere], Some("aé = b"));
    }

    #[test]
    fn edits_that_do_not_fit_change_nothing() {
        check(&[edit(0, 3, "x"), edit(1, 3, "y")], None);
        check(&[edit(2, 3, "x")], None);
        check(&[edit(7, 9, "x")], None);
    }

    #[test]
    fn of_fixes_that_meet_the_first_is_taken_whole() {
        let fix = |edits: Vec<Edit>| Fix { title: String::new(), safety: Safety::Safe, edits };
        let fixes = [
            fix(vec![edit(4, 6, "a"), edit(0, 1, "b")]),
            fix(vec![edit(8, 9, "c"), edit(5, 6, "d")]),
            fix(vec![edit(4, 4, "e")]),
            fix(vec![edit(6, 6, "f"), edit(8, 9, "g")]),
        ];
        let taken: Vec<&str> = compatible(&fixes).into_iter().map(|edit| edit.replacement.as_str()).collect();
        assert_eq!(taken, ["b", "a", "f", "g"]);
    }
}
