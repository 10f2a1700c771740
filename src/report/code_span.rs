//! A user's text in Markdown, as a code span: in one neither HTML nor mentions nor links are read (CommonMark 0.31, 6.1; the
//! platforms leave code alone).

use super::printable::one_line;

/// How many characters of a text are shown.
const SHOWN_OF_A_TEXT: usize = 1_000;

/// How many characters of a cell are shown.
const SHOWN_OF_A_CELL: usize = 8_000;

/// A text as a code span, on one line.
pub fn code(text: &str) -> String {
    let (line, _) = shown(text, SHOWN_OF_A_TEXT);
    span(&line)
}

fn span(line: &str) -> String {
    let fence = "`".repeat(longest_run(line) + 1);
    // A space on both sides is taken away again; it keeps back quotes at the ends apart from the fence.
    let space = if line.starts_with(['`', ' ']) || line.ends_with(['`', ' ']) { " " } else { "" };
    format!("{fence}{space}{line}{space}{fence}")
}

/// The same in a cell of a table, which says how much of a very long text is missing. A bar ends a cell even in a code span, and
/// how it is escaped there differs between readers; so such a text is written as HTML, with nothing left in it that could be read
/// as anything else.
pub fn cell(text: &str) -> String {
    let (line, missing) = shown(text, SHOWN_OF_A_CELL);
    let missing = if missing > 0 { format!(" ({missing} more characters)") } else { String::new() };
    if !line.contains('|') {
        return span(&line) + &missing;
    }
    let literal = |char: char| match char {
        ' ' => " ".to_owned(),
        char if char.is_alphanumeric() => char.to_string(),
        char => format!("&#{};", u32::from(char)),
    };
    format!("<code>{}</code>{missing}", line.chars().map(literal).collect::<String>())
}

/// How many back quotes stand in a row, at most.
pub fn longest_run(text: &str) -> usize {
    text.split(|char| char != '`').map(str::len).max().unwrap_or(0)
}

/// A text on one line, and how many characters of it are left out.
fn shown(text: &str, most: usize) -> (String, usize) {
    let line = one_line(text);
    if line.trim().is_empty() {
        return ("(empty)".to_owned(), 0);
    }
    match line.char_indices().nth(most) {
        Some((end, _)) => {
            let (shown, rest) = line.split_at(end);
            (format!("{shown}…"), rest.chars().count())
        }
        None => (line.into_owned(), 0),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_code_span_holds_any_text() {
        for (text, expected) in [
            ("plain", "`plain`"),
            ("a`b", "``a`b``"),
            ("`a`", "`` `a` ``"),
            ("a``b`c", "```a``b`c```"),
            (" a", "`  a `"),
            ("a\n\n# b", "`a  # b`"),
            ("", "`(empty)`"),
            ("</details>@all|", "`</details>@all|`"),
        ] {
            assert_eq!(code(text), expected, "{text:?}");
        }
        assert_eq!(code(&"x".repeat(2_000)).chars().count(), SHOWN_OF_A_TEXT + 3);
    }

    #[test]
    fn a_cell_holds_a_bar() {
        assert_eq!(cell("a = 'b'"), "`a = 'b'`");
        assert_eq!(cell("é|\\|<b> *x*"), "<code>é&#124;&#92;&#124;&#60;b&#62; &#42;x&#42;</code>");
        assert!(cell(&"x".repeat(9_000)).ends_with("x…` (1000 more characters)"));
    }

    /// What stands outside of the code spans of a line: each ends at the next run of as many back quotes.
    fn outside(line: &str) -> Option<String> {
        let mut left = String::new();
        let mut rest = line;
        while let Some(start) = rest.find('`') {
            left.push_str(&rest[..start]);
            let length = rest[start..].chars().take_while(|char| *char == '`').count();
            let inside = &rest[start + length..];
            let mut at = 0;
            loop {
                let run = at + inside[at..].find('`')?;
                let found = inside[run..].chars().take_while(|char| *char == '`').count();
                at = run + found;
                if found == length {
                    break;
                }
            }
            rest = &inside[at..];
        }
        Some(left + rest)
    }

    proptest::proptest! {
        #[test]
        fn no_text_is_markup(text in "[`|\\\\<>*_ \\n\\ra]{0,16}") {
            proptest::prop_assert_eq!(outside(&format!("x {} y", code(&text))), Some("x  y".to_owned()));
            let cell = cell(&text);
            proptest::prop_assert!(!cell.contains(['\n', '\r']));
            match cell.strip_prefix("<code>") {
                Some(html) => proptest::prop_assert!(!html.trim_end_matches("</code>").contains(['|', '<', '`', '*', '_', '\\'])),
                None => proptest::prop_assert!(!cell.contains('|') && outside(&cell) == Some(String::new())),
            }
        }
    }
}
