//! Values as YAML text: what is written where nothing stands yet, or in place of something else.
//!
//! A text is written so that every reader takes it for the same text, also one that follows YAML 1.1: `yes`, `012` and
//! `2026-03-01` are put in quotes although they are text here. What is escaped is escaped as JSON does it, so that a file
//! that was JSON stays JSON.

use serde_json::Map;
use serde_json::Value;

use crate::source::SourceId;
use crate::syntax::node::Node;
use crate::syntax::node::NodeKind;
use crate::syntax::node::Style;
use crate::syntax::parse;
use crate::syntax::splice::quoted;

/// The widest that a folded text is made, in characters, where nothing says how wide it was.
const WIDTH: usize = 100;

/// Words that readers of YAML 1.1 take for something other than text.
const WORDS: [&str; 12] = ["y", "n", "yes", "no", "on", "off", "true", "false", "null", "~", "=", "<<"];

/// How a value is to be written, if it can be.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Wish {
    /// The style of a text.
    pub(super) style: Style,
    /// The widest line of a folded text, in characters.
    pub(super) width: usize,
}

impl Wish {
    /// What is written where nothing stands yet.
    pub(super) const NONE: Self = Self { style: Style::Plain, width: WIDTH };

    /// To be written as this value is.
    pub(super) fn like(text: &str, node: &Node) -> Self {
        let written = text.get(node.span.range()).filter(|_| node.style == Style::Folded);
        let widest = written.and_then(|written| written.lines().skip(1).map(|line| line.trim().chars().count()).max());
        Self { style: node.style, width: widest.unwrap_or(WIDTH) }
    }

    /// To be written like the one before it. Quotes that this one cannot do without say nothing of the next.
    pub(super) fn beside(node: &Node) -> Self {
        let is_needed = node.as_str().is_none_or(|text| !is_plain(text, Inside::Block));
        if is_needed { Self::NONE } else { Self { style: node.style, ..Self::NONE } }
    }
}

/// What a value stands in.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Inside {
    /// A collection by indentation.
    Block,
    /// Brackets.
    Flow,
    /// Brackets of a file that is JSON.
    Json,
}

/// A document of these fields: those that `order` names come first, in that order. Ends with a line break.
pub fn print(fields: &Map<String, Value>, order: &[&str]) -> String {
    let mut text = String::new();
    for (key, value) in ordered(fields, order) {
        text.push_str(&format!("{}:{}\n", quoted(key), after_colon(value, Wish::NONE, 0, "\n")));
    }
    text
}

/// The same as JSON, one field on a line.
pub fn print_json(fields: &Map<String, Value>, order: &[&str]) -> String {
    let lines: Vec<String> =
        ordered(fields, order).into_iter().map(|(key, value)| format!("  {}", pair(key, value, Wish::NONE, Inside::Json))).collect();
    format!("{{\n{}\n}}\n", lines.join(",\n"))
}

/// The fields, those that `order` names first.
pub(super) fn ordered<'f>(fields: &'f Map<String, Value>, order: &[&str]) -> Vec<(&'f str, &'f Value)> {
    let mut all: Vec<(&str, &Value)> = fields.iter().map(|(key, value)| (key.as_str(), value)).collect();
    all.sort_by_key(|(key, _)| order.iter().position(|field| field == key).unwrap_or(order.len()));
    all
}

/// What follows the colon of a key that is indented by `indent` spaces: a space and the value, or the value on lines below.
pub(super) fn after_colon(value: &Value, wish: Wish, indent: usize, ending: &str) -> String {
    match laid_out(value, wish, indent, ending) {
        (header, below) if header.is_empty() => below,
        (header, below) => format!(" {header}{below}"),
    }
}

/// A value after a colon or a dash that stands `indent` spaces deep: what comes on that line, and the lines below, each with the
/// line break in front of it. `wish` is the style that a text gets if it can be written in it.
pub(super) fn laid_out(value: &Value, wish: Wish, indent: usize, ending: &str) -> (String, String) {
    match value {
        Value::Array(items) if !items.is_empty() => {
            let dash = format!("{ending}{}-", " ".repeat(indent + 2));
            (String::new(), items.iter().map(|item| format!("{dash}{}", after_dash(item, Wish::NONE, indent + 2, ending))).collect())
        }
        Value::Object(fields) if !fields.is_empty() => {
            let start = format!("{ending}{}", " ".repeat(indent + 2));
            let line =
                |(key, value): (&String, &Value)| format!("{start}{}:{}", quoted(key), after_colon(value, Wish::NONE, indent + 2, ending));
            (String::new(), fields.iter().map(line).collect())
        }
        Value::String(text) if matches!(wish.style, Style::Literal | Style::Folded) || text.contains('\n') => {
            let indented = format!("{ending}{}", " ".repeat(indent + 2));
            let folded = || folded(text, wish.width, &indented, ending);
            let literal = || literal(text, &indented, ending);
            let block = if wish.style == Style::Folded { folded().or_else(literal) } else { literal() };
            block.unwrap_or_else(|| (scalar(value, Wish::NONE, Inside::Block), String::new()))
        }
        _ => (inline(value, wish, Inside::Block), String::new()),
    }
}

/// What follows the dash of an item. A mapping begins on the line of its dash.
pub(super) fn after_dash(value: &Value, wish: Wish, indent: usize, ending: &str) -> String {
    let (header, below) = laid_out(value, wish, indent, ending);
    match (value, header.is_empty()) {
        (Value::Object(_), true) => format!(" {}", below.trim_start()),
        (_, true) => below,
        _ => format!(" {header}{below}"),
    }
}

/// A value on one line.
pub(super) fn inline(value: &Value, wish: Wish, inside: Inside) -> String {
    // What is in brackets is so all the way down.
    let within = if inside == Inside::Json { Inside::Json } else { Inside::Flow };
    match value {
        Value::Array(items) => {
            let items: Vec<String> = items.iter().map(|item| inline(item, Wish::NONE, within)).collect();
            format!("[{}]", items.join(", "))
        }
        Value::Object(fields) => {
            let fields: Vec<String> = fields.iter().map(|(key, value)| pair(key, value, Wish::NONE, within)).collect();
            format!("{{{}}}", fields.join(", "))
        }
        _ => scalar(value, wish, inside),
    }
}

/// A key with its value in brackets.
pub(super) fn pair(key: &str, value: &Value, wish: Wish, inside: Inside) -> String {
    let key = if inside == Inside::Json { double_quoted(key) } else { quoted(key) };
    format!("{key}: {}", inline(value, wish, inside))
}

/// A scalar on one line, in the style that is wished for if it can be written so.
fn scalar(value: &Value, wish: Wish, inside: Inside) -> String {
    let Value::String(text) = value else { return value.to_string() };
    if inside == Inside::Json || wish.style == Style::DoubleQuoted {
        return double_quoted(text);
    }
    let single = || format!("'{}'", text.replace('\'', "''"));
    let is_line = text.chars().all(is_printable);
    match wish.style {
        Style::SingleQuoted if is_line => single(),
        Style::SingleQuoted => double_quoted(text),
        _ if is_line && is_plain(text, inside) => text.clone(),
        _ if is_line && text.contains(['"', '\\']) => single(),
        _ => double_quoted(text),
    }
}

/// Whether every reader takes the text for itself when it stands without quotes.
fn is_plain(text: &str, inside: Inside) -> bool {
    let is_word = WORDS.iter().any(|word| text.eq_ignore_ascii_case(word));
    let is_figure = |char: char| char.is_ascii_hexdigit() || "+-._:,xXoOtTzZ ".contains(char);
    let like_number = text.starts_with(|char: char| char.is_ascii_digit() || "+-.".contains(char)) && text.chars().all(is_figure);
    let sample = match inside {
        Inside::Block => format!("k: {text}\n"),
        Inside::Flow | Inside::Json => format!("{{k: {text}, l: 1}}\n"),
    };
    !is_word && !like_number && reads_as(&sample, text)
}

/// Whether the one document of `sample` has this text at `k`, and nothing else is in it.
fn reads_as(sample: &str, text: &str) -> bool {
    let parsed = parse(SourceId::new(0), sample);
    let [document] = parsed.documents.as_slice() else { return false };
    let value = document.root.as_ref().and_then(|root| root.get("k"));
    let is_text = value.is_some_and(|value| value.as_str() == Some(text) && value.style == Style::Plain);
    parsed.errors.is_empty() && document.comments.is_empty() && is_text
}

/// A text in `"`, escaped as JSON has it.
pub(super) fn double_quoted(text: &str) -> String {
    let mut out = String::with_capacity(text.len() + 2);
    out.push('"');
    for char in text.chars() {
        match char {
            '"' => out.push_str("\\\""),
            '\\' => out.push_str("\\\\"),
            '\n' => out.push_str("\\n"),
            '\r' => out.push_str("\\r"),
            '\t' => out.push_str("\\t"),
            // All that is not printable is below U+10000, where JSON needs no pair.
            _ if !is_printable(char) => out.push_str(&format!("\\u{:04x}", u32::from(char))),
            _ => out.push(char),
        }
    }
    out.push('"');
    out
}

/// Whether a character can stand in a file as it is, and is no line break to anybody.
fn is_printable(char: char) -> bool {
    matches!(char, ' '..='~' | '\u{a0}'..='\u{d7ff}' | '\u{e000}'..='\u{fffd}' | '\u{10000}'..)
        && !matches!(char, '\u{2028}' | '\u{2029}' | '\u{feff}')
}

/// The chomping that a block scalar needs for the end of this text, and the text without the line break that it stands for; `None`
/// for a text that no block scalar holds without more ado.
fn chomped(text: &str) -> Option<(&'static str, &str)> {
    let (chomp, body) = text.strip_suffix('\n').map_or(("-", text), |body| ("", body));
    let is_closed = !body.is_empty() && !body.starts_with([' ', '\n']) && !body.ends_with('\n');
    let is_line = |line: &str| !line.ends_with(' ') && line.chars().all(is_printable);
    (is_closed && body.split('\n').all(is_line)).then_some((chomp, body))
}

fn literal(text: &str, indented: &str, ending: &str) -> Option<(String, String)> {
    let (chomp, body) = chomped(text)?;
    let line = |line: &str| if line.is_empty() { ending.to_owned() } else { format!("{indented}{line}") };
    Some((format!("|{chomp}"), body.split('\n').map(line).collect()))
}

/// A folded text of lines up to `width` characters. A line break of the text is an empty line more.
fn folded(text: &str, width: usize, indented: &str, ending: &str) -> Option<(String, String)> {
    // A line that begins with a space is not folded.
    let (chomp, body) = chomped(text).filter(|(_, body)| !body.contains("\n "))?;
    let mut lines = String::new();
    for (at, paragraph) in body.split('\n').enumerate() {
        if at > 0 {
            lines.push_str(ending);
        }
        let mut line = String::new();
        for word in paragraph.split(' ') {
            // Only a single space between two words can be a line break.
            let breaks =
                !line.is_empty() && !line.ends_with(' ') && !word.is_empty() && line.chars().count() + word.chars().count() >= width;
            if breaks {
                lines.push_str(&format!("{indented}{line}"));
                line.clear();
            } else if !line.is_empty() {
                line.push(' ');
            }
            line.push_str(word);
        }
        if !line.is_empty() {
            lines.push_str(&format!("{indented}{line}"));
        }
    }
    Some((format!(">{chomp}"), lines))
}

/// Whether a value says the same as a tree, whatever the order of keys.
pub(super) fn says(node: &Node, value: &Value) -> bool {
    match (&node.kind, value) {
        (NodeKind::Null, Value::Null) => true,
        (NodeKind::Bool(mine), Value::Bool(theirs)) => mine == theirs,
        (NodeKind::Number(mine), Value::Number(theirs)) => mine == theirs,
        (NodeKind::String(mine), Value::String(theirs)) => mine == theirs,
        (NodeKind::Sequence(mine), Value::Array(theirs)) => {
            mine.len() == theirs.len() && mine.iter().zip(theirs).all(|(mine, theirs)| says(mine, theirs))
        }
        (NodeKind::Mapping(mine), Value::Object(theirs)) => {
            let same = |entry: &crate::syntax::Entry| theirs.get(&entry.key).is_some_and(|value| says(&entry.value, value));
            mine.len() == theirs.len() && mine.iter().all(same)
        }
        _ => false,
    }
}
