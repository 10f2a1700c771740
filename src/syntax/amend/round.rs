//! What has to be replaced in a document so that it says something else; else what has to go; else what has to come.

use serde_json::Map;
use serde_json::Value;

use super::brackets::Elements;
use super::lines;
use crate::syntax::node::Node;
use crate::syntax::node::NodeKind;
use crate::syntax::node::Style;
use crate::syntax::print::Inside;
use crate::syntax::print::Wish;
use crate::syntax::print::after_colon;
use crate::syntax::print::after_dash;
use crate::syntax::print::inline;
use crate::syntax::print::laid_out;
use crate::syntax::print::ordered;
use crate::syntax::print::pair;
use crate::syntax::print::says;
use crate::syntax::splice::Slot;
use crate::syntax::splice::Splice;
use crate::syntax::splice::line_end;
use crate::syntax::splice::line_ending;
use crate::syntax::splice::quoted;
use crate::syntax::splice::replace_below;
use crate::syntax::splice::replace_inline;

/// Lists are compared item by item up to this many pairs; beyond, only their beginnings and ends are.
const PAIRS: usize = 250_000;

/// How fine the cut is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Depth {
    /// The deepest values that differ.
    Deepest,
    /// The values of the fields of the document.
    Fields,
}

/// One round over one document.
pub(super) struct Round<'t> {
    text: &'t str,
    root: &'t Node,
    depth: Depth,
    is_json: bool,
    ending: &'t str,
    replaced: Vec<Splice>,
    removed: Vec<Splice>,
    added: Vec<Splice>,
}

/// Where a value stands.
#[derive(Clone, Copy)]
struct Place<'n> {
    slot: Slot<'n>,
    /// How far the key or the dash before it is indented.
    indent: usize,
    in_brackets: bool,
}

impl<'t> Round<'t> {
    pub(super) fn new(text: &'t str, root: &'t Node, depth: Depth) -> Self {
        let first = root.entries().first().and_then(|entry| text.get(entry.key_span.range()));
        let is_json = root.style == Style::Flow && first.is_none_or(|key| key.starts_with('"'));
        let ending = line_ending(text, root.span.range().end);
        Self { text, root, depth, is_json, ending, replaced: Vec::new(), removed: Vec::new(), added: Vec::new() }
    }

    /// The next step on the way to these fields; `None` when there is none that this cut can take.
    pub(super) fn differences(mut self, fields: &Map<String, Value>, order: &[&str]) -> Option<Vec<Splice>> {
        self.mapping(self.root, fields, order, self.root.style == Style::Flow)?;
        [self.replaced, self.removed, self.added].into_iter().find(|splices| !splices.is_empty())
    }

    /// Every alias, replaced by what it stands for.
    pub(super) fn aliases(mut self) -> Vec<Splice> {
        self.write_out(self.root, self.root.style == Style::Flow);
        self.replaced
    }

    fn write_out(&mut self, node: &Node, in_brackets: bool) {
        if node.aliased {
            let range = node.span.range();
            let replacement = inline(&node.to_json(), Wish::NONE, self.inside(in_brackets));
            self.replaced.push(Splice { old: range.clone(), range, replacement });
            return;
        }
        let in_brackets = in_brackets || node.style == Style::Flow;
        node.items().iter().for_each(|item| self.write_out(item, in_brackets));
        node.entries().iter().for_each(|entry| self.write_out(&entry.value, in_brackets));
    }

    fn inside(&self, in_brackets: bool) -> Inside {
        match (self.is_json, in_brackets) {
            (true, _) => Inside::Json,
            (false, true) => Inside::Flow,
            (false, false) => Inside::Block,
        }
    }

    fn compare(&mut self, place: Place<'_>, wanted: &Value) -> Option<()> {
        let node = place.slot.value;
        if says(node, wanted) {
            return Some(());
        }
        let in_brackets = place.in_brackets || node.style == Style::Flow;
        let is_fine = self.depth == Depth::Deepest && !node.aliased;
        match (&node.kind, wanted) {
            (NodeKind::Mapping(entries), Value::Object(fields))
                if is_fine && entries.iter().any(|entry| fields.contains_key(&entry.key)) =>
            {
                self.mapping(node, fields, &[], in_brackets)
            }
            (NodeKind::Sequence(items), Value::Array(wanted)) if is_fine && !items.is_empty() && !wanted.is_empty() => {
                self.sequence(node, wanted, in_brackets)
            }
            _ => {
                self.replace(place, wanted);
                Some(())
            }
        }
    }

    fn replace(&mut self, place: Place<'_>, wanted: &Value) {
        let node = place.slot.value;
        let wish = Wish::like(self.text, node);
        let stays_in_brackets = node.style == Style::Flow && !node.aliased && !(node.items().is_empty() && node.entries().is_empty());
        if place.in_brackets || stays_in_brackets {
            let value = inline(wanted, wish, self.inside(true));
            self.replaced.push(replace_inline(self.text, place.slot, &value));
            return;
        }
        let (header, below) = laid_out(wanted, wish, place.indent, self.ending);
        let splice = match (header.is_empty(), below.is_empty()) {
            (false, true) => replace_inline(self.text, place.slot, &header),
            _ => self.replace_lines(place.slot, &header, &below),
        };
        self.replaced.push(splice);
    }

    /// Replaces a value by one on lines of its own. What is said beside the header of a block scalar stays there.
    fn replace_lines(&self, slot: Slot<'_>, header: &str, below: &str) -> Splice {
        let old = slot.value.span.range();
        let is_block = matches!(slot.value.style, Style::Literal | Style::Folded) && !slot.value.aliased;
        let first = line_end(self.text, old.start).min(old.end);
        let line = self.text.get(old.start..first).filter(|_| is_block).unwrap_or_default();
        let remark = line.find(" #").and_then(|at| line.get(at..)).filter(|_| !header.is_empty()).unwrap_or_default();
        let splice = replace_below(self.text, slot, &format!("{header}{remark}"), below);
        if remark.is_empty() { splice } else { Splice { old: first..old.end, ..splice } }
    }

    fn mapping(&mut self, node: &Node, fields: &Map<String, Value>, order: &[&str], in_brackets: bool) -> Option<()> {
        let is_flow = node.style == Style::Flow;
        let first = node.entries().first();
        let indent = first.map_or(0, |first| lines::column(self.text, first.key_span.range().start));
        let mut gone = Vec::new();
        for (at, entry) in node.entries().iter().enumerate() {
            match fields.get(&entry.key) {
                Some(wanted) => self.compare(Place { slot: Slot::of(entry), indent, in_brackets }, wanted)?,
                None if is_flow => gone.push(at),
                None => {
                    let key = entry.key_span.range();
                    let range = lines::whole(self.text, key.start, lines::end(self.text, key.end, &entry.value))?;
                    self.removed.push(Splice { old: range.clone(), range, replacement: String::new() });
                }
            }
        }
        let new: Vec<(&str, &Value)> = ordered(fields, order).into_iter().filter(|(key, _)| node.entry(key).is_none()).collect();
        if is_flow {
            let elements = Elements::new(self.text, node);
            self.removed.extend(elements.remove(&gone));
            let texts: Vec<String> = new.iter().map(|(key, value)| pair(key, value, Wish::NONE, self.inside(true))).collect();
            if !texts.is_empty() {
                self.added.extend(elements.insert(node.entries().len().checked_sub(1), &texts));
            }
        } else if !new.is_empty() {
            let last = node.entries().last()?;
            let at = lines::end(self.text, last.key_span.range().end, &last.value);
            let start = format!("{}{}", self.ending, " ".repeat(indent));
            let line =
                |(key, value): (&str, &Value)| format!("{start}{}:{}", quoted(key), after_colon(value, Wish::NONE, indent, self.ending));
            let replacement = new.into_iter().map(line).collect();
            self.added.push(Splice { range: at..at, old: at..at, replacement });
        }
        Some(())
    }

    fn sequence(&mut self, node: &Node, wanted: &[Value], in_brackets: bool) -> Option<()> {
        let is_flow = node.style == Style::Flow;
        let dashes = if is_flow { Vec::new() } else { lines::dashes(self.text, node)? };
        let elements = Elements::new(self.text, node);
        let indent = lines::column(self.text, node.span.range().start);
        let mut gone = Vec::new();
        let (mut mine, mut theirs) = (0, 0);
        let matches = matches(node.items(), wanted).into_iter().chain([(node.items().len(), wanted.len())]);
        for (next_mine, next_theirs) in matches {
            let (old, new) = (next_mine - mine, next_theirs - theirs);
            for at in 0..old.min(new) {
                let item = node.items().get(mine + at)?;
                let after = if is_flow { elements.get(mine + at)?.start } else { dashes.get(mine + at)? + 1 };
                let slot = Slot { after, is_key: false, value: item };
                self.compare(Place { slot, indent, in_brackets }, wanted.get(theirs + at)?)?;
            }
            for at in mine + old.min(new)..next_mine {
                if is_flow {
                    gone.push(at);
                } else {
                    let dash = *dashes.get(at)?;
                    let range = lines::whole(self.text, dash, lines::end(self.text, dash + 1, node.items().get(at)?))?;
                    self.removed.push(Splice { old: range.clone(), range, replacement: String::new() });
                }
            }
            if new > old {
                let before = (mine + old).checked_sub(1);
                let like = before.or(Some(0)).and_then(|at| node.items().get(at));
                let wish = like.map_or(Wish::NONE, Wish::beside);
                let items = wanted.get(theirs + old..next_theirs)?;
                self.insert(node, &elements, &dashes, before, items, wish)?;
            }
            (mine, theirs) = (next_mine + 1, next_theirs + 1);
        }
        self.removed.extend(elements.remove(&gone));
        Some(())
    }

    /// Adds items after the one at `before`, or before all others.
    fn insert(
        &mut self,
        node: &Node,
        elements: &Elements<'_>,
        dashes: &[usize],
        before: Option<usize>,
        items: &[Value],
        wish: Wish,
    ) -> Option<()> {
        if node.style == Style::Flow {
            let texts: Vec<String> = items.iter().map(|item| inline(item, wish, self.inside(true))).collect();
            self.added.extend(elements.insert(before, &texts));
            return Some(());
        }
        let indent = lines::column(self.text, node.span.range().start);
        let dash = format!("{}-", " ".repeat(indent));
        let lines = |item: &Value| format!("{dash}{}", after_dash(item, wish, indent, self.ending));
        let lines = items.iter().map(lines).collect::<Vec<_>>().join(self.ending);
        let splice = match before {
            Some(before) => {
                let at = lines::end(self.text, dashes.get(before)? + 1, node.items().get(before)?);
                Splice { range: at..at, old: at..at, replacement: format!("{}{lines}", self.ending) }
            }
            None => {
                let first = *dashes.first()?;
                let at = lines::whole(self.text, first, first)?.start;
                Splice { range: at..at, old: at..at, replacement: format!("{lines}{}", self.ending) }
            }
        };
        self.added.push(splice);
        Some(())
    }
}

/// The longest common part of two lists, as pairs of positions in order.
fn matches(old: &[Node], new: &[Value]) -> Vec<(usize, usize)> {
    let head = old.iter().zip(new).take_while(|(old, new)| says(old, new)).count();
    let tail = old.iter().skip(head).rev().zip(new.iter().skip(head).rev()).take_while(|(old, new)| says(old, new)).count();
    let mut found: Vec<(usize, usize)> = (0..head).map(|at| (at, at)).collect();
    let inner_old = old.get(head..old.len() - tail).unwrap_or_default();
    let inner_new = new.get(head..new.len() - tail).unwrap_or_default();
    found.extend(common(inner_old, inner_new).into_iter().map(|(mine, theirs)| (mine + head, theirs + head)));
    found.extend((0..tail).rev().map(|back| (old.len() - 1 - back, new.len() - 1 - back)));
    found
}

fn common(old: &[Node], new: &[Value]) -> Vec<(usize, usize)> {
    if old.len().saturating_mul(new.len()) > PAIRS {
        return Vec::new();
    }
    let width = new.len() + 1;
    // The length of the longest common part from each pair of positions on.
    let mut length = vec![0usize; (old.len() + 1) * width];
    let at = |length: &[usize], mine: usize, theirs: usize| length.get(mine * width + theirs).copied().unwrap_or(0);
    for (mine, item) in old.iter().enumerate().rev() {
        for (theirs, wanted) in new.iter().enumerate().rev() {
            let best = match says(item, wanted) {
                true => at(&length, mine + 1, theirs + 1) + 1,
                false => at(&length, mine + 1, theirs).max(at(&length, mine, theirs + 1)),
            };
            if let Some(cell) = length.get_mut(mine * width + theirs) {
                *cell = best;
            }
        }
    }
    let (mut mine, mut theirs, mut found) = (0, 0, Vec::new());
    while let (Some(item), Some(wanted)) = (old.get(mine), new.get(theirs)) {
        if says(item, wanted) {
            found.push((mine, theirs));
            (mine, theirs) = (mine + 1, theirs + 1);
        } else if at(&length, mine + 1, theirs) >= at(&length, mine, theirs + 1) {
            mine += 1;
        } else {
            theirs += 1;
        }
    }
    found
}
