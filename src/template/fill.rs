//! Filling in the text of a template: values take the places of `<name>`, and can take nothing else.
//!
//! The text is parsed first, and what is replaced are whole values of its tree, written anew with the quotes that they
//! need. Beside it, the value that is meant is made without any text; the result is parsed again and has to be that very value, with
//! every comment of the template and no other. So a mistake in the writing is a refusal, and never another policy.

use std::collections::BTreeMap;
use std::ops::Range;

use serde_json::Map;
use serde_json::Value;

use super::parameter::Argument;
use crate::condition;
use crate::source::SourceId;
use crate::syntax;
use crate::syntax::Document;
use crate::syntax::Node;
use crate::syntax::NodeKind;
use crate::syntax::Style;

/// The fields that hold a condition.
const CONDITIONS: [&str; 2] = ["condition", "require"];

/// The values by the name of their parameter.
pub(super) type Arguments = BTreeMap<&'static str, Argument>;

/// A document with its values: the text, and what it says. The error is a defect of a template, or of this file.
pub(super) fn fill(text: &str, arguments: &Arguments) -> Result<(String, Value), String> {
    let before = document(text)?;
    let mut filling = Filling { text, arguments, proves: true, edits: Vec::new() };
    let root = before.root.as_ref().ok_or("the template is empty")?;
    let meant = filling.value(root, Place::Value)?.ok_or("nothing is left of the template")?;
    let filled = edited(text, filling.edits);
    let after = document(&filled)?;
    let comments = |document: &Document| document.comments.iter().map(|comment| comment.text.clone()).collect::<Vec<_>>();
    if after.root.as_ref().map(Node::to_json).as_ref() != Some(&meant) || comments(&before) != comments(&after) {
        return Err("a value would say something else".to_owned());
    }
    Ok((filled, meant))
}

/// What a document says with its values, before they are known to be written well.
pub(super) fn meant(text: &str, arguments: &Arguments) -> Option<Value> {
    let document = document(text).ok()?;
    Filling { text, arguments, proves: false, edits: Vec::new() }.value(document.root.as_ref()?, Place::Value).ok()?
}

fn document(text: &str) -> Result<Document, String> {
    let parsed = syntax::parse(SourceId::new(0), text);
    match (parsed.errors.into_iter().next(), <[Document; 1]>::try_from(parsed.documents)) {
        (None, Ok([document])) => Ok(document),
        (Some(error), _) => Err(error.message),
        (None, Err(documents)) => Err(format!("it has {} documents", documents.len())),
    }
}

/// What a value is in its document.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Place {
    Value,
    Condition,
}

struct Filling<'a> {
    text: &'a str,
    arguments: &'a Arguments,
    /// Whether conditions are complete, and have to be what they seem.
    proves: bool,
    edits: Vec<(Range<usize>, String)>,
}

impl Filling<'_> {
    /// The value with its values; `None` if nothing is left of it.
    fn value(&mut self, node: &Node, place: Place) -> Result<Option<Value>, String> {
        match &node.kind {
            NodeKind::String(text) => {
                let Some(filled) = self.string(text, place)? else { return Ok(None) };
                if filled != *text {
                    self.edits.push((node.span.range(), scalar(&filled)));
                }
                Ok(Some(filled.into()))
            }
            NodeKind::Sequence(items) => self.sequence(items, place),
            NodeKind::Mapping(entries) => {
                let mut fields = Map::new();
                for entry in entries {
                    let inner = if CONDITIONS.contains(&entry.key.as_str()) { Place::Condition } else { Place::Value };
                    let done = self.edits.len();
                    match self.value(&entry.value, inner)? {
                        Some(value) => {
                            fields.insert(entry.key.clone(), value);
                        }
                        None => {
                            self.edits.truncate(done);
                            self.remove(entry.key_span.range().start, entry.value.span.range().end);
                        }
                    }
                }
                Ok((!fields.is_empty()).then_some(Value::Object(fields)))
            }
            _ => Ok(Some(node.to_json())),
        }
    }

    fn sequence(&mut self, items: &[Node], place: Place) -> Result<Option<Value>, String> {
        let mut values: Vec<Value> = Vec::new();
        for item in items {
            match item.as_str().and_then(whole).map(|name| self.arguments.get(name)) {
                Some(Some(argument)) => {
                    let texts = argument.items();
                    let range = item.span.range();
                    let between = format!("\n{}", self.text.get(line_start(self.text, range.start)..range.start).unwrap_or_default());
                    self.edits.push((range, texts.iter().map(|text| scalar(text)).collect::<Vec<_>>().join(&between)));
                    values.extend(texts.into_iter().map(Value::from));
                }
                Some(None) => self.remove(item.span.range().start, item.span.range().end),
                None => match self.value(item, place)? {
                    Some(value) => values.push(value),
                    None => self.remove(item.span.range().start, item.span.range().end),
                },
            }
        }
        Ok((!values.is_empty()).then_some(Value::Array(values)))
    }

    /// The text with a value for each name; `None` if one of them has none.
    fn string(&self, text: &str, place: Place) -> Result<Option<String>, String> {
        let mut filled = String::with_capacity(text.len());
        let mut rest = text;
        while let Some((before, name, after)) = next_name(rest) {
            let Some(argument) = self.arguments.get(name) else { return Ok(None) };
            filled.push_str(before);
            filled.push_str(&if place == Place::Condition { argument.in_condition() } else { argument.in_prose() });
            rest = after;
        }
        filled.push_str(rest);
        if place == Place::Condition && self.proves {
            // Printing is the inverse of parsing, so a text that is its own print says what it seems to say.
            let printed = condition::parse(&filled).map(|parsed| parsed.expr.to_string());
            let errors = |errors: Vec<condition::ConditionError>| errors.into_iter().next().map(|error| error.message).unwrap_or_default();
            if printed.map_err(errors)? != filled {
                return Err("its condition would say something else".to_owned());
            }
        }
        Ok(Some(filled))
    }

    /// Removes the lines of a value.
    fn remove(&mut self, start: usize, end: usize) {
        let start = line_start(self.text, start);
        let end = self.text.get(end..).and_then(|rest| rest.find('\n')).map_or(self.text.len(), |found| end + found + 1);
        self.edits.push((start..end, String::new()));
    }
}

/// The first name in angle brackets, with what stands before and after it.
fn next_name(text: &str) -> Option<(&str, &str, &str)> {
    text.match_indices('<').find_map(|(at, _)| {
        let (name, after) = text.get(at + 1..)?.split_once('>')?;
        let named = !name.is_empty() && name.bytes().all(|byte| byte.is_ascii_lowercase() || byte == b'-');
        named.then_some((text.get(..at)?, name, after))
    })
}

/// The name, if the text is nothing else.
fn whole(text: &str) -> Option<&str> {
    next_name(text).filter(|(before, _, after)| before.is_empty() && after.is_empty()).map(|(_, name, _)| name)
}

fn line_start(text: &str, at: usize) -> usize {
    text.get(..at).and_then(|before| before.rfind('\n')).map_or(0, |found| found + 1)
}

/// Replaces ranges that do not overlap.
fn edited(text: &str, mut edits: Vec<(Range<usize>, String)>) -> String {
    edits.sort_by_key(|(range, _)| range.start);
    let mut new = String::with_capacity(text.len());
    let mut done = 0;
    for (range, replacement) in edits {
        new.push_str(text.get(done..range.start).unwrap_or_default());
        new.push_str(&replacement);
        done = range.end;
    }
    new.push_str(text.get(done..).unwrap_or_default());
    new
}

/// A string as YAML on one line: plain where no reader of YAML takes it for anything else, else in double quotes.
fn scalar(text: &str) -> String {
    let words = ["true", "false", "null", "yes", "no", "on", "off", "y", "n"];
    let begins = text.starts_with(|first: char| first.is_ascii_alphabetic());
    let plain = |char: char| char.is_ascii_alphanumeric() || " ._-/@=()'<>!,;{}`".contains(char);
    let ends = !text.ends_with(' ');
    if begins && ends && text.chars().all(plain) && !words.contains(&text.to_ascii_lowercase().as_str()) && is_itself(text) {
        return text.to_owned();
    }
    Value::from(text).to_string()
}

/// Whether a text without quotes is read as this text.
fn is_itself(text: &str) -> bool {
    let root = document(&format!("- {text}\n")).ok().and_then(|document| document.root);
    let item = root.as_ref().and_then(|root| root.items().first());
    item.is_some_and(|item| item.style == Style::Plain && item.as_str() == Some(text))
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use serde_json::json;

    use super::*;

    const TEXT: &str = "# About.\n_id: <id>\ndescription: For <who>, \"quoted\" # why\ncondition: a in (<values>) and b = <who>\nmembers:\n  - <values>\n  - last\nexcept:\n  - <none>\nmetadata:\n  owner: <who>\n  ticket: <none>\n  about: no <none>\n";

    fn arguments(who: &str, values: &[&str]) -> Arguments {
        let values = values.iter().map(|&value| value.to_owned()).collect();
        BTreeMap::from([
            ("id", Argument::Text("A".to_owned())),
            ("who", Argument::Text(who.to_owned())),
            ("values", Argument::Texts(values)),
        ])
    }

    #[test]
    fn values_take_their_places_and_what_has_none_is_left_out() {
        let (text, value) = fill(TEXT, &arguments("ann", &["x", "y z"])).expect("filled");
        let expected = "# About.\n_id: A\ndescription: \"For ann, \\\"quoted\\\"\" # why\ncondition: a in ('x', 'y z') and b = 'ann'\nmembers:\n  - x\n  - y z\n  - last\nmetadata:\n  owner: ann\n";
        assert_eq!(text, expected);
        assert_eq!(value["members"], json!(["x", "y z", "last"]));
    }

    #[test]
    fn a_value_is_quoted_where_it_would_be_something_else() {
        for (text, expected) in [
            ("staff", "staff"),
            ("ann@example.com", "ann@example.com"),
            ("a b", "a b"),
            ("it's", "it's"),
            ("no", "\"no\""),
            ("NULL", "\"NULL\""),
            ("1e3", "\"1e3\""),
            ("39c6cccd", "\"39c6cccd\""),
            ("*", "\"*\""),
            ("a: b", "\"a: b\""),
            ("a #b", "\"a #b\""),
            ("- a", "\"- a\""),
            ("{a}", "\"{a}\""),
            ("a\"b", "\"a\\\"b\""),
            ("a\\b", "\"a\\\\b\""),
            ("é", "\"é\""),
            ("a\nb", "\"a\\nb\""),
        ] {
            assert_eq!(scalar(text), expected, "{text}");
        }
    }

    #[test]
    fn a_condition_that_would_say_something_else_is_refused() {
        assert_eq!(fill(TEXT, &arguments("{me}", &["x"])), Err("its condition would say something else".to_owned()));
        assert!(fill(TEXT, &arguments("a {me.x}", &["x"])).is_err());
    }

    proptest! {
        /// Whatever the values are, they stay where they belong, or nothing is made.
        #[test]
        fn no_value_leaves_its_place(who in hostile(), value in hostile()) {
            if let Ok((text, meant)) = fill(TEXT, &arguments(&who, &[&value])) {
                prop_assert_eq!(&meant["metadata"], &json!({"owner": who}));
                prop_assert_eq!(&meant["members"], &json!([value, "last"]));
                prop_assert_eq!(meant.as_object().map(Map::len), Some(5));
                prop_assert_eq!(document(&text).expect("YAML").root.map(|root| root.to_json()), Some(meant));
            }
        }
    }

    fn hostile() -> impl Strategy<Value = String> {
        let piece = prop::sample::select(vec![
            "a",
            " ",
            "'",
            "''",
            "\"",
            "\\",
            "{me}",
            "{",
            "}",
            "#",
            " # ",
            ":",
            ": ",
            "- ",
            "\n",
            "\n_id: B",
            "---",
            "*",
            "&a",
            "!x",
            "|",
            ">",
            "<who>",
            "<id>",
            "%",
            ") or (1 = 1",
            "é",
            "null",
            "[",
            "]",
            ",",
            "`",
            "\t",
            "\r",
            "\u{85}",
            "\u{2028}",
            "\u{feff}",
        ]);
        prop::collection::vec(piece, 1..6).prop_map(|pieces| pieces.concat())
    }
}
