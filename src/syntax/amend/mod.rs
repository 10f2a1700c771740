//! A document is given another value, and only the bytes that say something else are changed.
//!
//! The change is made in rounds: what differs is replaced, then what is too much is removed, then what is missing is added, and the
//! text is parsed anew after each. That makes anchors simple: when the value behind one has changed, its aliases say something
//! else in the next round, and are written out there. No round needs to be right about every corner of YAML. Only a text
//! that says exactly what is wanted, with every other document and every comment as it was, is ever given back; what the
//! finest cut cannot do is tried with coarser ones, and at last the document is written anew around its comments.

mod brackets;
mod lines;
mod rewrite;
mod round;

use serde_json::Map;
use serde_json::Value;

use crate::source::SourceId;
use crate::source::Span;
use crate::syntax::Document;
use crate::syntax::EditError;
use crate::syntax::Node;
use crate::syntax::NodeKind;
use crate::syntax::Parsed;
use crate::syntax::parse;
use crate::syntax::print::says;
use crate::syntax::splice::Splice;
use crate::syntax::splice::line_ending;

use round::Depth;
use round::Round;

/// How often a text is changed and parsed anew on the way to one value.
const ROUNDS: usize = 10;

/// The text with the value of one document replaced by these fields. `order` is the order in which new keys are added.
///
/// `document` is the root of the document as it was parsed from this very text. What says the same before and after is not touched:
/// comments, quotes, order of keys and items, line ends, anchors. A comment goes only with the line or the value that goes.
///
/// # Errors
/// When the text is broken, `document` is not of this text or no mapping, or there is no such text.
pub fn set_document(text: &str, document: &Node, fields: &Map<String, Value>, order: &[&str]) -> Result<String, EditError> {
    let source = document.span.source;
    let before = sound(source, text).ok_or_else(|| EditError::Broken(first_error(source, text)))?;
    let root_at = |document: &Document| document.root.as_ref().map(|root| root.span);
    let index = before.documents.iter().position(|found| root_at(found) == Some(document.span)).ok_or(EditError::Missing)?;
    if !matches!(document.kind, NodeKind::Mapping(_)) {
        return Err(EditError::NotAMapping);
    }
    let goal = Goal { source, index, fields: fields.clone(), order, before: &before.documents };
    let ending = line_ending(text, text.len());
    // With a last line that has an end, nothing behind it has to be thought of; it is taken away again where that changes nothing.
    let closed = format!("{text}{ending}");
    if !text.ends_with(['\n', '\r']) && goal.start(&closed).is_some() {
        let amended = goal.reach(&closed)?;
        let open = amended.strip_suffix(ending).filter(|open| goal.is_reached(open));
        return Ok(open.map_or_else(|| amended.clone(), str::to_owned));
    }
    goal.reach(text)
}

/// What a text has to say in the end.
struct Goal<'g> {
    source: SourceId,
    index: usize,
    fields: Map<String, Value>,
    order: &'g [&'g str],
    before: &'g [Document],
}

impl Goal<'_> {
    fn reach(&self, text: &str) -> Result<String, EditError> {
        let cut = |text: &str| self.amend(text, Depth::Deepest).or_else(|| self.amend(text, Depth::Fields));
        let amended = cut(text).or_else(|| cut(&self.without_aliases(text)?)).or_else(|| self.rewrite(text));
        amended.ok_or_else(|| EditError::Refused("this document".to_owned()))
    }

    /// The parsed text, if its documents say what they said before.
    fn start(&self, text: &str) -> Option<Parsed> {
        let parsed = sound(self.source, text)?;
        let roots = |documents: &[Document]| documents.iter().map(|document| document.root.clone()).collect::<Vec<_>>();
        let (old, new) = (roots(self.before), roots(&parsed.documents));
        (old.len() == new.len() && old.iter().zip(&new).all(|(old, new)| same(old.as_ref(), new.as_ref()))).then_some(parsed)
    }

    /// Whether the document says what it should, and the others what they said.
    fn is_reached(&self, text: &str) -> bool {
        sound(self.source, text).is_some_and(|parsed| self.leaves_the_others(&parsed) && self.holds(&parsed))
    }

    fn holds(&self, parsed: &Parsed) -> bool {
        let root = parsed.documents.get(self.index).and_then(|document| document.root.as_ref());
        root.is_some_and(|root| says(root, &Value::Object(self.fields.clone())))
    }

    fn leaves_the_others(&self, parsed: &Parsed) -> bool {
        parsed.documents.len() == self.before.len()
            && parsed
                .documents
                .iter()
                .zip(self.before)
                .enumerate()
                .all(|(at, (after, before))| at == self.index && after.root.is_some() || same(after.root.as_ref(), before.root.as_ref()))
    }

    /// Changes the text round by round until it says what it should.
    fn amend(&self, text: &str, depth: Depth) -> Option<String> {
        let mut text = text.to_owned();
        let mut parsed = sound(self.source, &text)?;
        for _ in 0..ROUNDS {
            if self.holds(&parsed) {
                return Some(text);
            }
            let root = parsed.documents.get(self.index)?.root.as_ref()?;
            let splices = Round::new(&text, root, depth).differences(&self.fields, self.order)?;
            (text, parsed) = self.apply(&text, &parsed, splices)?;
        }
        None
    }

    /// The text after some replacements; `None` when it is broken, another document has changed, or a comment is lost that does
    /// not go with what it belonged to.
    fn apply(&self, text: &str, parsed: &Parsed, mut splices: Vec<Splice>) -> Option<(String, Parsed)> {
        splices.sort_by_key(|splice| splice.range.start);
        let mut edited = String::with_capacity(text.len());
        let mut done = 0;
        for splice in &splices {
            edited.push_str(text.get(done..splice.range.start)?);
            edited.push_str(&splice.replacement);
            done = splice.range.end;
        }
        edited.push_str(text.get(done..)?);
        let after = sound(self.source, &edited)?;
        let goes = |span: Span| splices.iter().any(|splice| splice.old.start <= span.range().start && span.range().end <= splice.old.end);
        let kept = comments(parsed).filter(|comment| !goes(comment.span)).map(|comment| &comment.text);
        let is_sound = kept.eq(comments(&after).map(|comment| &comment.text)) && self.leaves_the_others(&after);
        is_sound.then_some((edited, after))
    }

    /// The text with every alias of the document written out, so that nothing in it is shared.
    fn without_aliases(&self, text: &str) -> Option<String> {
        let parsed = sound(self.source, text)?;
        let root = parsed.documents.get(self.index)?.root.as_ref()?;
        let splices = Round::new(text, root, Depth::Deepest).aliases();
        if splices.is_empty() {
            return None;
        }
        self.apply(text, &parsed, splices).map(|(text, _)| text)
    }

    /// The text with the document written anew.
    fn rewrite(&self, text: &str) -> Option<String> {
        let parsed = sound(self.source, text)?;
        let document = parsed.documents.get(self.index)?;
        let edited = rewrite::document(text, document, &self.fields, self.order)?;
        let sorted = |parsed: &Parsed| {
            let mut all: Vec<String> = comments(parsed).map(|comment| comment.text.trim_end().to_owned()).collect();
            all.sort();
            all
        };
        let keeps = sound(self.source, &edited).is_some_and(|after| sorted(&after) == sorted(&parsed));
        (keeps && self.is_reached(&edited)).then_some(edited)
    }
}

fn comments(parsed: &Parsed) -> impl Iterator<Item = &crate::syntax::Comment> {
    parsed.documents.iter().flat_map(|document| &document.comments)
}

fn same(one: Option<&Node>, other: Option<&Node>) -> bool {
    match (one, other) {
        (Some(one), Some(other)) => one.same_value(other),
        (one, other) => one.is_none() && other.is_none(),
    }
}

/// The parsed text, if nothing is wrong with it.
fn sound(source: SourceId, text: &str) -> Option<Parsed> {
    let parsed = parse(source, text);
    parsed.errors.is_empty().then_some(parsed)
}

fn first_error(source: SourceId, text: &str) -> String {
    parse(source, text).errors.first().map_or_else(String::new, |error| error.message.clone())
}

#[cfg(test)]
mod properties;
#[cfg(test)]
mod tests;
