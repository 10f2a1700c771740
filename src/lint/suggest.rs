//! Did-you-mean for names that the law book itself defines, of which there may be many.

use crate::finding::nearest;

/// How many names a rule may compare in one run. Findings after that come without a suggestion, so that no law book can make a check slow.
const COMPARISONS: usize = 20_000;

/// Suggestions, as long as there is time for them.
#[derive(Debug)]
pub(super) struct Suggestions {
    left: usize,
}

impl Default for Suggestions {
    fn default() -> Self {
        Self { left: COMPARISONS }
    }
}

impl Suggestions {
    /// The nearest of the names to a mistyped one, as a question; else the other help.
    pub(super) fn help<'a>(&mut self, name: &str, candidates: impl Iterator<Item = &'a str>, otherwise: &str) -> String {
        self.nearest(name, candidates, |_| true).map_or_else(|| otherwise.to_owned(), |near| format!("did you mean `{near}`?"))
    }

    /// The nearest to a mistyped one of the names that are accepted. Those that are not cost as much as the others.
    pub(super) fn nearest<'a>(
        &mut self,
        name: &str,
        candidates: impl Iterator<Item = &'a str>,
        accept: impl Fn(&str) -> bool,
    ) -> Option<&'a str> {
        let left = &mut self.left;
        let affordable = candidates.take(*left).inspect(|_| *left -= 1);
        nearest(name, affordable.filter(|candidate| accept(candidate)))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn suggestions_end_when_the_comparisons_are_used_up() {
        let mut suggestions = Suggestions::default();
        let names: Vec<String> = (0..COMPARISONS - 1).map(|number| format!("{number:08}")).collect();
        let mut help = |name: &str| suggestions.help(name, names.iter().map(String::as_str), "correct it");
        assert_eq!(help("a0000007"), "did you mean `00000007`?");
        assert_eq!(help("a0000000"), "did you mean `00000000`?");
        assert_eq!(help("a0000000"), "correct it");
    }
}
