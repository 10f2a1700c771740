//! Collections in brackets: what is between two elements, on one line or on many.

use std::ops::Range;

use crate::syntax::node::Node;
use crate::syntax::node::NodeKind;
use crate::syntax::splice::Splice;
use crate::syntax::splice::line_end;
use crate::syntax::splice::line_ending;
use crate::syntax::splice::line_start;

/// The elements of a collection in brackets, each from its anchor or key to the end of its value.
pub(super) struct Elements<'t> {
    text: &'t str,
    all: Vec<Range<usize>>,
    whole: Range<usize>,
}

impl<'t> Elements<'t> {
    pub(super) fn new(text: &'t str, collection: &Node) -> Self {
        let whole = collection.span.range();
        let ends: Vec<usize> = match &collection.kind {
            NodeKind::Sequence(items) => items.iter().map(|item| item.span.range().end).collect(),
            NodeKind::Mapping(entries) => {
                entries.iter().map(|entry| entry.value.span.range().end.max(entry.key_span.range().end)).collect()
            }
            _ => Vec::new(),
        };
        let mut from = whole.start + 1;
        let mut all = Vec::with_capacity(ends.len());
        for end in ends {
            let start = content(text, from).min(end);
            all.push(start..end);
            from = end;
        }
        Self { text, all, whole }
    }

    /// Takes elements away, given by their positions in order, with the commas that parted them from those before.
    pub(super) fn remove(&self, gone: &[usize]) -> Vec<Splice> {
        let mut splices = Vec::new();
        let mut at = 0;
        while let Some(&first) = gone.get(at) {
            let run = gone.iter().skip(at).enumerate().take_while(|&(more, &position)| position == first + more).count();
            let last = first + run - 1;
            let before = first.checked_sub(1).and_then(|before| self.all.get(before)).map(|before| before.end);
            let (own, after) = (self.all.get(first), self.all.get(last + 1));
            let range = match (before, own, self.all.get(last), after) {
                (Some(before), _, Some(last), _) => before..last.end,
                (None, Some(own), _, Some(after)) => own.start..after.start,
                _ => return Vec::new(),
            };
            splices.push(Splice { old: range.clone(), range, replacement: String::new() });
            at += run;
        }
        splices
    }

    /// Adds elements after the one at `after`, or before all others.
    pub(super) fn insert(&self, after: Option<usize>, texts: &[String]) -> Vec<Splice> {
        let at = |place: usize, replacement: String| Splice { range: place..place, old: place..place, replacement };
        let Some(before) = after.and_then(|after| self.all.get(after)) else {
            return match self.all.first() {
                Some(first) => vec![at(first.start, format!("{}, ", texts.join(", ")))],
                None => vec![at(self.whole.start + 1, texts.join(", "))],
            };
        };
        let line = line_end(self.text, before.end);
        let rest = self.text.get(before.end..line).unwrap_or_default().trim_start();
        let has_comma = rest.starts_with(',');
        let rest = rest.trim_start_matches(',').trim();
        let indent = self.text.get(line_start(self.text, before.start)..before.start).unwrap_or_default();
        if line >= self.whole.end || !indent.trim().is_empty() || !(rest.is_empty() || rest.starts_with('#')) {
            return vec![at(before.end, texts.iter().map(|text| format!(", {text}")).collect())];
        }
        let separator = format!("{}{indent}", line_ending(self.text, line));
        let lines = texts.join(&format!(",{separator}"));
        match has_comma {
            true => vec![at(line, format!("{separator}{lines},"))],
            false => vec![at(before.end, ",".to_owned()), at(line, format!("{separator}{lines}"))],
        }
    }

    /// The element at a position.
    pub(super) fn get(&self, at: usize) -> Option<&Range<usize>> {
        self.all.get(at)
    }
}

/// The first byte from `at` on that is neither space nor comma nor comment.
fn content(text: &str, mut at: usize) -> usize {
    loop {
        let rest = text.get(at..).unwrap_or_default();
        let words = rest.trim_start_matches([' ', '\t', '\n', '\r', ',']);
        at += rest.len() - words.len();
        if !words.starts_with('#') {
            return at;
        }
        at = line_end(text, at);
    }
}
