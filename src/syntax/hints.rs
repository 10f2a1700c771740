//! What a person most likely meant, where the parser can only say what it did not find.
//!
//! Three slips are frequent in policies and have nothing to do with YAML in the mind of who makes them: a bare `*`, a condition
//! that begins with a reference in braces, and a line that slid to the right.

/// A message, and what to do next.
pub(super) type Hint = (&'static str, &'static str);

/// The slip that explains an error at a byte of the text, if it is one of these.
pub(super) fn hint(text: &str, at: usize) -> Option<Hint> {
    let at = text.floor_char_boundary(at.min(text.len()));
    let (before, _) = text.split_at(at);
    let start = before.rfind('\n').map_or(0, |end| end + 1);
    let line = text.get(start..)?.lines().next()?;
    let column = at - start;
    star(line, column).or_else(|| braces(line, column)).or_else(|| indented(text.get(..start)?, line, column))
}

fn star(line: &str, column: usize) -> Option<Hint> {
    let bytes = line.as_bytes();
    let near = [column.checked_sub(1), Some(column)].into_iter().flatten();
    let mut stars = near.filter(|&index| bytes.get(index) == Some(&b'*'));
    let bare = |index: usize| bytes.get(index + 1).is_none_or(|next| b" ,]}\r".contains(next));
    stars.any(bare).then_some(("`*` without quotes is the start of an alias in YAML", "quote it: `\"*\"`"))
}

fn braces(line: &str, column: usize) -> Option<Hint> {
    let value = line.find(": ").map(|colon| colon + 2).or_else(|| line.find("- ").map(|dash| dash + 2))?;
    let close = if line.get(value..)?.trim_start().starts_with('{') { '}' } else { return None };
    let end = value + line.get(value..)?.find(close)?;
    let hint = (
        "a value that begins with `{` is a mapping in YAML, and this one goes on behind it",
        "put the whole value in quotes, as in `condition: \"{me} = owner\"`",
    );
    (column > end).then_some(hint)
}

fn indented(above: &str, line: &str, column: usize) -> Option<Hint> {
    let indent = |line: &str| line.len() - line.trim_start_matches(' ').len();
    let previous = above.lines().rev().find(|line| !line.trim().is_empty() && !line.trim_start().starts_with('#'))?;
    let has_value = previous.split_once(": ").is_some_and(|(_, value)| !value.trim().is_empty());
    let at_colon = line.as_bytes().get(column) == Some(&b':');
    let hint = (
        "this line is indented more than the key above it, which has a value already",
        "indent both lines alike, or put text that contains `: ` in quotes",
    );
    (at_colon && has_value && indent(line) > indent(previous)).then_some(hint)
}

#[cfg(test)]
mod tests {
    use crate::source::SourceId;
    use crate::syntax::parse;

    #[track_caller]
    fn check(text: &str, message: &str) {
        let errors = parse(SourceId::new(0), text).errors;
        let first = errors.first().map(|error| error.message.as_str()).unwrap_or_default();
        assert!(first.contains(message), "{text:?}: {errors:?}");
    }

    #[test]
    fn frequent_slips_are_called_by_their_name() {
        check("service: *\nx: y\n", "`*` without quotes");
        check("members: [*]\n", "`*` without quotes");
        check("members:\n  - *\n", "`*` without quotes");
        check("members: [a, *, b]\n", "`*` without quotes");
        check("condition: {me} = owner\nx: y\n", "begins with `{`");
        check("condition: {me.a} in (1)\n", "begins with `{`");
        check("_id: A\n  service: x\n", "indented more than the key above it");
    }

    #[test]
    fn other_errors_keep_their_own_words() {
        check("a: b: c\n", "a `:` starts a value where none can stand");
        check("a: {b: c\n", "is never closed");
        check("a: *unknown\n", "unknown");
    }
}
