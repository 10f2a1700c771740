//! Text of the user's files, made safe for a terminal.
//!
//! A file may hold escape sequences that rewrite the screen, or marks that turn the direction of text and so hide what
//! a line says. Each such character is replaced by a visible one *of the same number of bytes*, so that spans stay true.

use std::borrow::Cow;

/// Replaces every character that a terminal would obey instead of show. Line breaks and tabs stay.
pub fn printable(text: &str) -> Cow<'_, str> {
    if text.chars().all(|char| substitute(char).is_none()) {
        return Cow::Borrowed(text);
    }
    Cow::Owned(text.chars().map(|char| substitute(char).unwrap_or(char)).collect())
}

/// The same on one line: line breaks and tabs become spaces.
pub fn one_line(text: &str) -> Cow<'_, str> {
    // Almost every text is this, and a long trail has a hundred thousand of them.
    if text.bytes().all(|byte| matches!(byte, b' '..=b'~')) {
        return Cow::Borrowed(text);
    }
    if text.contains(['\n', '\r', '\t']) {
        return Cow::Owned(printable(text).replace("\r\n", " ").replace(['\n', '\r', '\t'], " "));
    }
    printable(text)
}

/// The same, but for what sets a colour: a drawing of our own may hold that.
pub fn printable_painted(text: &str) -> Cow<'_, str> {
    if !text.contains('\u{1b}') {
        return printable(text);
    }
    let mut shown = String::with_capacity(text.len());
    for (at, part) in text.split('\u{1b}').enumerate() {
        let colour = part.strip_prefix('[').and_then(|rest| rest.split_once('m')).map(|(numbers, _)| numbers);
        let is_colour = colour.is_some_and(|numbers| numbers.bytes().all(|byte| byte.is_ascii_digit() || byte == b';'));
        if at > 0 {
            shown.push(if is_colour { '\u{1b}' } else { '?' });
        }
        shown.push_str(&printable(part));
    }
    Cow::Owned(shown)
}

/// What stands for a character that must not reach a terminal.
fn substitute(char: char) -> Option<char> {
    let obeyed = match char {
        '\n' | '\r' | '\t' => false,
        // The marks that embed, override and isolate directions, and the invisible ones that set them.
        '\u{61c}' | '\u{200e}' | '\u{200f}' | '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}' => true,
        '\u{2028}' | '\u{2029}' | '\u{feff}' => true,
        _ => char.is_control(),
    };
    let stand_in = match char.len_utf8() {
        1 => '?',
        2 => '¿',
        _ => '\u{fffd}',
    };
    obeyed.then_some(stand_in)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(text: &str, expected: &str) {
        let shown = printable(text);
        assert_eq!(shown, expected);
        assert_eq!(shown.len(), text.len(), "spans stay true");
    }

    #[test]
    fn what_a_terminal_would_obey_is_shown_instead() {
        check("plain é 漢\n\tx\r\n", "plain é 漢\n\tx\r\n");
        check("\u{1b}[31mred\u{7}", "?[31mred?");
        check("\u{9b}31m", "¿31m");
        check("a\u{202e}b\u{2066}c", "a\u{fffd}b\u{fffd}c");
        check("\u{61c}x", "¿x");
    }

    #[test]
    fn only_colours_stay_in_a_drawing() {
        assert_eq!(printable_painted("\u{1b}[1;31mred\u{1b}[0m\u{1b}[2J\u{1b}]0;x\u{7}\u{1b}"), "\u{1b}[1;31mred\u{1b}[0m?[2J?]0;x??");
        assert_eq!(printable_painted("a\u{7}"), "a?");
    }

    #[test]
    fn one_line_has_no_break() {
        assert_eq!(one_line("a\r\nb\tc\u{1b}"), "a b c?");
    }
}
