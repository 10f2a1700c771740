//! The atoms of a policy's condition, and where they stand.
//!
//! The tree of a condition knows no places, so a rule looks for what is wrong in the tree, and reads the text again for the
//! places only of those conditions in which it has found something.

use std::cell::OnceCell;
use std::ops::Range;

use super::Book;
use super::scalar;
use crate::condition;
use crate::condition::Atom;
use crate::condition::AtomPlace;
use crate::finding::Edit;
use crate::policy::Policy;
use crate::policy::PolicyDocument;
use crate::source::Span;

/// The atoms, from left to right; none when the policy has no condition.
pub(super) fn atoms(policy: &Policy) -> Vec<&Atom> {
    let mut atoms = Vec::new();
    if let Some(condition) = policy.condition() {
        condition.expr.each_atom(&mut |atom| atoms.push(atom));
    }
    atoms
}

/// Where the atoms of one document stand. Its condition is read when the first place is asked for.
pub(super) struct Places<'a> {
    book: &'a Book,
    document: &'a PolicyDocument,
    places: OnceCell<Vec<AtomPlace>>,
}

impl<'a> Places<'a> {
    /// The places of a document.
    pub(super) fn of(book: &'a Book, document: &'a PolicyDocument) -> Self {
        Self { book, document, places: OnceCell::new() }
    }

    /// The place of an atom, by its position among [`atoms`].
    pub(super) fn get(&self, atom: usize) -> Option<&AtomPlace> {
        let read = || {
            let parsed = self.document.condition().and_then(|condition| condition::parse(condition.text).ok());
            parsed.map_or_else(Vec::new, |parsed| parsed.places)
        };
        self.places.get_or_init(read).get(atom)
    }

    /// The bytes of the file that a range of the condition comes from.
    pub(super) fn span(&self, range: &Range<usize>) -> Span {
        scalar::condition_span(self.book, self.document, range.clone())
    }

    /// The bytes of a whole atom.
    pub(super) fn atom(&self, atom: usize) -> Span {
        self.get(atom).map_or_else(|| self.document.head_span(), |place| self.span(&place.range))
    }

    /// The bytes of the term on the left of an atom.
    pub(super) fn term(&self, atom: usize) -> Span {
        self.get(atom).map_or_else(|| self.document.head_span(), |place| self.span(&place.term))
    }

    /// What is written in a range of the condition.
    pub(super) fn written(&self, range: &Range<usize>) -> &'a str {
        self.document.condition().and_then(|condition| condition.text.get(range.clone())).unwrap_or_default()
    }

    /// The edits of the file that make these changes to the text of the condition. `None` when they cannot be made there, or when the
    /// changed text would not be the same condition with `expected` in place of this one atom.
    pub(super) fn rewrite(&self, atom: usize, changes: &[(Range<usize>, &str)], expected: &Atom) -> Option<Vec<Edit>> {
        let condition = self.document.condition()?;
        let before = condition::parse(condition.text).ok()?;
        let after = condition::parse(&scalar::changed(condition.text, changes)?).ok()?;
        let (mut wanted, mut found) = (Vec::new(), Vec::new());
        before.expr.each_atom(&mut |atom| wanted.push(atom));
        after.expr.each_atom(&mut |atom| found.push(atom));
        *wanted.get_mut(atom)? = expected;
        if wanted == found { self.edits(changes) } else { None }
    }

    /// The edits of the file that make these changes to the text of the condition, whatever it then says. `None` when they cannot be made there.
    pub(super) fn edits(&self, changes: &[(Range<usize>, &str)]) -> Option<Vec<Edit>> {
        scalar::edits(self.book, self.document, self.document.condition()?.node, changes)
    }

    /// The bytes of a value on the right of an atom, or of the whole atom when it has no such value.
    pub(super) fn value(&self, atom: usize, value: usize) -> Span {
        let range = self.get(atom).and_then(|place| place.values.get(value));
        range.map_or_else(|| self.atom(atom), |range| self.span(range))
    }
}

/// The user's text, cut to a length that a message can carry.
pub(super) fn shown(text: &str) -> String {
    const CHARACTERS: usize = 80;
    match text.char_indices().nth(CHARACTERS) {
        Some((end, _)) => format!("{}…", text.get(..end).unwrap_or("")),
        None => text.to_owned(),
    }
}
