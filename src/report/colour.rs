//! Colours of a terminal, where they are wanted.

use std::borrow::Cow;

use super::Look;

/// Gains, and what is as it should be.
pub const GREEN: &str = "32";
/// Losses, and what must not be overlooked.
pub const RED: &str = "31";
/// What is not known, or deserves a look.
pub const YELLOW: &str = "33";
/// Titles.
pub const BOLD: &str = "1";
/// Names of rows.
pub const CYAN: &str = "36";
/// What has no colour of its own.
pub const PLAIN: &str = "";
/// What is seldom looked at.
pub const DIM: &str = "2";

/// A text in a colour, if it may have one (ECMA-48, 8.3.117).
pub fn painted<'a>(text: &'a str, colour: &str, look: Look) -> Cow<'a, str> {
    if look.colour && !text.is_empty() && colour != PLAIN { format!("\u{1b}[{colour}m{text}\u{1b}[0m").into() } else { text.into() }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn colours_are_only_there_when_they_may() {
        assert_eq!(painted("x", BOLD, Look::PLAIN), "x");
        assert_eq!(painted("x", BOLD, Look { colour: true, width: 80 }), "\u{1b}[1mx\u{1b}[0m");
        assert_eq!(painted("x", PLAIN, Look { colour: true, width: 80 }), "x");
        assert_eq!(painted("", BOLD, Look { colour: true, width: 80 }), "");
    }
}
