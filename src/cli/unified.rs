//! What would change in a file, as a unified diff that `git apply` and `patch` read.

use std::fmt::Write as _;

use similar::TextDiff;

use crate::report::printable::printable;

/// The diff of one file; empty when nothing changes.
pub(super) fn diff(path: &str, before: &str, after: &str) -> String {
    let mut text = String::new();
    if before != after {
        let path = printable(path);
        let lines = TextDiff::from_lines(before, after);
        // Writing to a string does not fail.
        let _ = write!(text, "{}", lines.unified_diff().header(&format!("a/{path}"), &format!("b/{path}")));
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_change_is_shown_with_its_context() {
        assert_eq!(diff("p.yaml", "a\nb\n", "a\nc\n"), "--- a/p.yaml\n+++ b/p.yaml\n@@ -1,2 +1,2 @@\n a\n-b\n+c\n");
        assert_eq!(diff("p.yaml", "a\n", "a\n"), "");
    }
}
