//! Events to trees: a stack of open collections, the anchors of the document, and the bounds of [`limits`].
//!
//! What can be survived is noted and building goes on, so that one run tells as much as possible; what cannot ends the document or the
//! file.

use std::borrow::Cow;
use std::collections::HashMap;
use std::ops::Range;

use crate::source::SourceId;
use crate::source::Span;
use crate::syntax::Comment;
use crate::syntax::Document;
use crate::syntax::Parsed;
use crate::syntax::checks;
use crate::syntax::error::ErrorKind;
use crate::syntax::error::SyntaxError;
use crate::syntax::error::excerpt;
use crate::syntax::events::too_deep;
use crate::syntax::limits;
use crate::syntax::node::Entry;
use crate::syntax::node::Node;
use crate::syntax::node::NodeKind;
use crate::syntax::node::Style;
use crate::syntax::places::Places;
use crate::syntax::scalar;

/// How far an error reaches: nothing more can be read of this.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Halt {
    /// The document.
    Document,
    /// The file.
    File,
}

/// What stands in front of a value.
pub(super) struct Properties<'t> {
    /// The number of its anchor, unique in the file.
    pub(super) anchor: Option<usize>,
    /// Its tag.
    pub(super) tag: Option<WrittenTag<'t>>,
}

/// A tag as it stands in the text.
pub(super) struct WrittenTag<'t> {
    /// The name in the core schema (`str`, `int`, …); `None` for every other tag.
    pub(super) core: Option<&'t str>,
    /// Its bytes.
    pub(super) range: Range<usize>,
}

/// The state of reading one file.
pub(super) struct Builder<'t> {
    source: SourceId,
    places: Places<'t>,
    parsed: Parsed,
    open: Option<Open>,
    comments: Vec<Comment>,
    document_count: usize,
    /// The end of the last document, its `...` included: where an implicit document may begin.
    reached: usize,
    size: Size,
    copied: Size,
}

/// The document that is being read, or has just been read and may still get comments.
struct Open {
    start: usize,
    end: usize,
    frames: Vec<Frame>,
    root: Option<Node>,
    anchors: HashMap<usize, Anchored>,
    /// Whether its end was seen.
    ended: bool,
    /// Whether no error was found in it.
    sound: bool,
    /// Where the last scalar, alias or bracket ended: what comes next starts after it.
    last_end: usize,
}

/// A collection whose end has not been seen.
struct Frame {
    content: Content,
    style: Style,
    start: usize,
    end: usize,
    anchor: Option<usize>,
    size_before: Size,
    height: usize,
}

enum Content {
    Sequence(Vec<Node>),
    Mapping { entries: Vec<Entry>, key: Option<(String, Span)> },
}

/// An amount of tree: values, and bytes of their text.
#[derive(Debug, Clone, Copy, Default)]
struct Size {
    nodes: usize,
    bytes: usize,
}

/// A finished value that aliases may repeat.
struct Anchored {
    node: Node,
    size: Size,
    height: usize,
}

impl<'t> Builder<'t> {
    pub(super) fn new(source: SourceId, text: &'t str) -> Self {
        Self {
            source,
            places: Places::new(text),
            parsed: Parsed::default(),
            open: None,
            comments: Vec::new(),
            document_count: 0,
            reached: 0,
            size: Size::default(),
            copied: Size::default(),
        }
    }

    /// A document starts; the one before it is complete, comments included.
    pub(super) fn start_document(&mut self, start: usize) -> Result<(), Halt> {
        self.close_document();
        self.document_count += 1;
        if self.document_count > limits::DOCUMENTS {
            let message = format!("the file has more than {} documents", limits::DOCUMENTS);
            return self.halt_file(SyntaxError::new(
                ErrorKind::Limit,
                self.span(start..start),
                message,
                "split the file into smaller ones",
            ));
        }
        self.open = Some(Open {
            start,
            end: start,
            frames: Vec::new(),
            root: None,
            anchors: HashMap::new(),
            ended: false,
            sound: true,
            last_end: self.places.document_content(start, self.reached),
        });
        Ok(())
    }

    /// The content of the document ends, perhaps with `...`; comments may follow.
    pub(super) fn end_document(&mut self, marker: Range<usize>) {
        self.reached = marker.end;
        if let Some(open) = &mut self.open {
            open.end = marker.start;
            open.ended = true;
        }
    }

    pub(super) fn comment(&mut self, range: Range<usize>, text: String) {
        let span = self.span(range);
        self.comments.push(Comment { span, text });
    }

    /// The parser gave up on the document.
    pub(super) fn break_document(&mut self, error: SyntaxError) -> Result<(), Halt> {
        self.note(error)?;
        Err(Halt::Document)
    }

    /// Everything that was read.
    pub(super) fn finish(mut self) -> Parsed {
        self.close_document();
        if !self.comments.is_empty() && self.document_count == 0 && self.parsed.errors.is_empty() {
            let span = self.span(0..self.places.len());
            self.parsed.documents.push(Document { root: None, comments: self.comments, span });
        }
        self.parsed.errors.sort_by_key(|error| error.span);
        self.parsed
    }

    pub(super) fn scalar(
        &mut self,
        value: Cow<'_, str>,
        range: Range<usize>,
        style: Style,
        properties: &Properties<'_>,
    ) -> Result<(), Halt> {
        let range = self.scalar_range(range, style, properties);
        let span = self.span(range.clone());
        let written = !range.is_empty() || style != Style::Plain;
        let kind = match style {
            Style::Plain if written => match scalar::resolve(&value) {
                Ok(kind) => kind,
                // The text of a key is all that counts of it.
                Err(_) if self.expects_key() => NodeKind::String(value.clone().into_owned()),
                Err(reason) => {
                    self.note(checks::no_value(reason, span, &value))?;
                    NodeKind::Null
                }
            },
            Style::Plain => NodeKind::Null,
            _ => NodeKind::String(value.clone().into_owned()),
        };
        self.check_tag(properties, &kind)?;
        let size = Size { nodes: 1, bytes: if matches!(kind, NodeKind::String(_)) { value.len() } else { 0 } };
        self.grow(size, span)?;
        let node = Node { span, kind, style, aliased: false };
        if let Some(open) = &mut self.open {
            open.last_end = range.end;
        }
        if self.expects_key() {
            if !written {
                self.note(SyntaxError::new(ErrorKind::Unsupported, span, "a value without a key", "write a key before the `:`"))?;
            }
            self.anchor(properties.anchor, &node, size, 1)?;
            self.set_key(value.into_owned(), span);
            return Ok(());
        }
        self.anchor(properties.anchor, &node, size, 1)?;
        self.add(node, 1);
        Ok(())
    }

    pub(super) fn start_sequence(&mut self, start: usize, style: Style, properties: &Properties<'_>) -> Result<(), Halt> {
        let dash = self
            .open
            .as_ref()
            .filter(|open| style == Style::Block && open.expects_value())
            .and_then(|open| self.places.dash(open.last_end, start));
        self.check_tag(properties, &NodeKind::Sequence(Vec::new()))?;
        self.start_collection(Content::Sequence(Vec::new()), dash.unwrap_or(start), style, properties)
    }

    pub(super) fn start_mapping(&mut self, start: usize, style: Style, properties: &Properties<'_>) -> Result<(), Halt> {
        self.check_tag(properties, &NodeKind::Mapping(Vec::new()))?;
        self.start_collection(Content::Mapping { entries: Vec::new(), key: None }, start, style, properties)
    }

    fn start_collection(&mut self, content: Content, start: usize, style: Style, properties: &Properties<'_>) -> Result<(), Halt> {
        let span = self.span(start..self.places.next_character(start));
        if self.expects_key() {
            let error = SyntaxError::new(
                ErrorKind::Unsupported,
                span,
                "a key has to be text, not a list or a mapping",
                "quote the value if it is meant as text",
            );
            return self.break_document(error);
        }
        let size_before = self.size;
        self.grow(Size { nodes: 1, bytes: 0 }, span)?;
        if self.open.as_ref().is_some_and(|open| open.frames.len() >= limits::DEPTH) {
            return self.break_document(too_deep(span));
        }
        if let Some(open) = &mut self.open {
            // The opening bracket of a flow collection is behind us; the first key or dash of a block collection is not.
            open.last_end = if style == Style::Flow { span.range().end } else { start };
            open.frames.push(Frame { content, style, start, end: start, anchor: properties.anchor, size_before, height: 0 });
        }
        Ok(())
    }

    pub(super) fn end_collection(&mut self, end: usize) -> Result<(), Halt> {
        let Some(frame) = self.open.as_mut().and_then(|open| open.frames.pop()) else { return Ok(()) };
        // A block collection ends with its last value, not where the parser noticed that no other follows.
        let end = if frame.style == Style::Flow { end } else { frame.end };
        let kind = match frame.content {
            Content::Sequence(items) => NodeKind::Sequence(items),
            Content::Mapping { entries, .. } => {
                self.note_duplicates(&entries)?;
                NodeKind::Mapping(entries)
            }
        };
        let node = Node { span: self.span(frame.start..end), kind, style: frame.style, aliased: false };
        let size = Size { nodes: self.size.nodes - frame.size_before.nodes, bytes: self.size.bytes - frame.size_before.bytes };
        if let Some(open) = &mut self.open {
            open.last_end = end;
        }
        self.anchor(frame.anchor, &node, size, frame.height + 1)?;
        self.add(node, frame.height + 1);
        Ok(())
    }

    /// An alias of a value whose anchor came before it.
    pub(super) fn alias(&mut self, anchor: usize, range: Range<usize>) -> Result<(), Halt> {
        let span = self.span(range.clone());
        let Some(open) = &mut self.open else { return Ok(()) };
        open.last_end = range.end;
        let (size, height) = match open.anchors.get(&anchor) {
            Some(anchored) => (anchored.size, anchored.height),
            None => {
                let message = format!("the alias `{}` stands inside the value it refers to", excerpt(self.places.slice(range)));
                self.note(SyntaxError::new(ErrorKind::Alias, span, message, "write the value out"))?;
                return self.add_missing(span);
            }
        };
        if open.expects_key() {
            self.note(SyntaxError::new(ErrorKind::Unsupported, span, "an alias cannot be a key", "write the key out"))?;
            return self.add_missing(span);
        }
        let depth = open.frames.len();
        if depth + height > limits::DEPTH + 1 {
            return self.break_document(too_deep(span));
        }
        self.copy(size, span)?;
        self.grow(size, span)?;
        let Some(mut node) = self.open.as_ref().and_then(|open| open.anchors.get(&anchor)).map(|anchored| anchored.node.clone()) else {
            return Ok(());
        };
        checks::mark_aliased(&mut node);
        node.span = span;
        self.add(node, height);
        Ok(())
    }

    /// An alias of nothing that came before it.
    pub(super) fn unknown_alias(&mut self, name: &str, range: Range<usize>) -> Result<(), Halt> {
        let span = self.span(range.clone());
        if let Some(open) = &mut self.open {
            open.last_end = range.end;
        }
        let message = format!("no anchor `&{}` comes before this alias", excerpt(name));
        self.note(SyntaxError::new(ErrorKind::Alias, span, message, "set the anchor first, or quote the value if it is meant as text"))?;
        self.add_missing(span)
    }

    /// Fills the place of something refused, so that what follows is still read as what it is.
    fn add_missing(&mut self, span: Span) -> Result<(), Halt> {
        if self.expects_key() {
            let key = self.places.slice(span.range()).to_owned();
            self.set_key(key, span);
        } else {
            self.add(Node { span, kind: NodeKind::Null, style: Style::Plain, aliased: true }, 1);
        }
        Ok(())
    }

    fn add(&mut self, node: Node, height: usize) {
        let Some(open) = &mut self.open else { return };
        let Some(frame) = open.frames.last_mut() else {
            open.root = Some(node);
            return;
        };
        frame.end = frame.end.max(node.span.range().end);
        frame.height = frame.height.max(height);
        match &mut frame.content {
            Content::Sequence(items) => items.push(node),
            Content::Mapping { entries, key } => {
                if let Some((key, key_span)) = key.take() {
                    entries.push(Entry { key, key_span, value: node });
                }
            }
        }
    }

    fn set_key(&mut self, text: String, span: Span) {
        if let Some(frame) = self.open.as_mut().and_then(|open| open.frames.last_mut())
            && let Content::Mapping { key, .. } = &mut frame.content
        {
            frame.end = frame.end.max(span.range().end);
            *key = Some((text, span));
        }
    }

    fn expects_key(&self) -> bool {
        self.open.as_ref().is_some_and(Open::expects_key)
    }

    /// Keeps an anchored value for its aliases.
    fn anchor(&mut self, anchor: Option<usize>, node: &Node, size: Size, height: usize) -> Result<(), Halt> {
        let Some(anchor) = anchor else { return Ok(()) };
        self.copy(size, node.span)?;
        if let Some(open) = &mut self.open {
            open.anchors.insert(anchor, Anchored { node: node.clone(), size, height });
        }
        Ok(())
    }

    fn grow(&mut self, by: Size, span: Span) -> Result<(), Halt> {
        self.size.add(by);
        if self.size.nodes <= limits::NODES {
            return Ok(());
        }
        let message = format!("the file has more than {} values", limits::NODES);
        self.halt_file(SyntaxError::new(ErrorKind::Limit, span, message, "split the file into smaller ones"))
    }

    /// Counts a copy before it is made.
    fn copy(&mut self, by: Size, span: Span) -> Result<(), Halt> {
        self.copied.add(by);
        if self.copied.nodes <= limits::COPIED_NODES && self.copied.bytes <= limits::COPIED_BYTES {
            return Ok(());
        }
        let message =
            format!("anchors and aliases repeat more than {} values or {} bytes of text", limits::COPIED_NODES, limits::COPIED_BYTES);
        self.halt_file(SyntaxError::new(ErrorKind::Limit, span, message, "write the values out"))
    }

    fn check_tag(&mut self, properties: &Properties<'_>, kind: &NodeKind) -> Result<(), Halt> {
        let Some(tag) = &properties.tag else { return Ok(()) };
        let checked = checks::tag(tag.core, self.places.slice(tag.range.clone()), self.span(tag.range.clone()), kind);
        checked.or_else(|error| self.note(error))
    }

    fn note_duplicates(&mut self, entries: &[Entry]) -> Result<(), Halt> {
        checks::duplicates(entries).into_iter().try_for_each(|error| self.note(error))
    }

    /// Keeps an error; the document cannot be used, but reading goes on until there are too many errors.
    fn note(&mut self, error: SyntaxError) -> Result<(), Halt> {
        // Between two documents nothing is wrong with the first any more.
        if let Some(open) = self.open.as_mut().filter(|open| !open.ended) {
            open.sound = false;
        }
        self.parsed.errors.push(error);
        if self.parsed.errors.len() >= limits::ERRORS { Err(Halt::File) } else { Ok(()) }
    }

    fn halt_file(&mut self, error: SyntaxError) -> Result<(), Halt> {
        self.note(error)?;
        Err(Halt::File)
    }

    fn close_document(&mut self) {
        let Some(open) = self.open.take() else { return };
        let mut comments = std::mem::take(&mut self.comments);
        if open.sound {
            // The comment beside the header of a block scalar is only noticed after the scalar.
            comments.sort_by_key(|comment| comment.span);
            let written = open.root.filter(|root| !root.is_null() || !root.span.range().is_empty());
            // The parser starts a document that is a block scalar at its content.
            let start = written.as_ref().map_or(open.start, |root| open.start.min(root.span.range().start));
            self.parsed.documents.push(Document { root: written, comments, span: Span::new(self.source, start..open.end) });
        }
    }

    /// The bytes of a scalar: with the header of a block scalar, and beside its key or dash if nothing is written.
    fn scalar_range(&self, range: Range<usize>, style: Style, properties: &Properties<'_>) -> Range<usize> {
        let Some(open) = &self.open else { return range };
        match style {
            Style::Literal | Style::Folded => self.places.block_scalar(open.last_end, range),
            Style::Plain if range.is_empty() && properties.anchor.is_none() && properties.tag.is_none() => {
                let at = match open.frames.last() {
                    Some(Frame { content: Content::Mapping { key: Some(_), .. }, .. }) => self.places.after_colon(open.last_end),
                    Some(Frame { content: Content::Sequence(_), style: Style::Block, .. }) => {
                        self.places.dash(open.last_end, range.start).map(|dash| dash + 1)
                    }
                    _ => None,
                };
                let at = at.unwrap_or(range.start);
                at..at
            }
            _ => range,
        }
    }

    fn span(&self, range: Range<usize>) -> Span {
        Span::new(self.source, range)
    }
}

impl Open {
    fn expects_key(&self) -> bool {
        matches!(self.frames.last(), Some(Frame { content: Content::Mapping { key: None, .. }, .. }))
    }

    fn expects_value(&self) -> bool {
        matches!(self.frames.last(), Some(Frame { content: Content::Mapping { key: Some(_), .. }, .. }))
    }
}

impl Size {
    fn add(&mut self, other: Self) {
        self.nodes = self.nodes.saturating_add(other.nodes);
        self.bytes = self.bytes.saturating_add(other.bytes);
    }
}
