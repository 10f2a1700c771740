//! Questions about values that the [`super::build::Builder`] asks: is a key given twice, does a tag say what the value says anyway.

use std::collections::HashMap;
use std::collections::hash_map::Entry as Slot;

use crate::source::Span;
use crate::syntax::error::ErrorKind;
use crate::syntax::error::SyntaxError;
use crate::syntax::error::excerpt;
use crate::syntax::limits;
use crate::syntax::node::Entry;
use crate::syntax::node::Node;
use crate::syntax::node::NodeKind;
use crate::syntax::scalar::NoValue;

/// Up to this many keys, comparing each with each is faster than hashing them.
const FEW_KEYS: usize = 12;

/// An error for each entry whose key came before in the same mapping, as far as errors are reported at all.
pub(super) fn duplicates(entries: &[Entry]) -> Vec<SyntaxError> {
    if entries.len() <= FEW_KEYS {
        let first_of = |(index, second): (usize, &Entry)| {
            let first = entries.iter().take(index).find(|first| first.key == second.key)?;
            Some(given_twice(first, second))
        };
        return entries.iter().enumerate().filter_map(first_of).collect();
    }
    let mut first_of: HashMap<&str, &Entry> = HashMap::with_capacity(entries.len());
    let mut errors = Vec::new();
    for entry in entries {
        match first_of.entry(entry.key.as_str()) {
            Slot::Vacant(slot) => {
                slot.insert(entry);
            }
            Slot::Occupied(first) => errors.push(given_twice(first.get(), entry)),
        }
        if errors.len() >= limits::ERRORS {
            break;
        }
    }
    errors
}

fn given_twice(first: &Entry, second: &Entry) -> SyntaxError {
    let message = format!("the key `{}` is given twice", excerpt(&second.key));
    SyntaxError::new(ErrorKind::DuplicateKey, second.key_span, message, "remove one of the two")
        .with_related(first.key_span, "given here first")
}

/// The error for a tag, unless it only says what the value is without it. `core` is its name in the core schema, if it has one.
pub(super) fn tag(core: Option<&str>, written: &str, span: Span, kind: &NodeKind) -> Result<(), SyntaxError> {
    let implied = match kind {
        NodeKind::Null => "null",
        NodeKind::Bool(_) => "bool",
        NodeKind::Number(number) if number.is_f64() => "float",
        NodeKind::Number(_) => "int",
        NodeKind::String(_) => "str",
        NodeKind::Sequence(_) => "seq",
        NodeKind::Mapping(_) => "map",
    };
    let written = excerpt(written);
    let (message, help) = match core {
        Some(core) if core == implied => return Ok(()),
        Some(_) => {
            (format!("the tag `{written}` would change what the value means"), "remove the tag, and put the value in quotes if it is text")
        }
        None => (format!("the tag `{written}` is not supported"), "remove the tag, or quote the value if it is meant as text"),
    };
    Err(SyntaxError::new(ErrorKind::Unsupported, span, message, help))
}

/// The error for a plain scalar that looks like a number and cannot be held as one.
pub(super) fn no_value(reason: NoValue, span: Span, text: &str) -> SyntaxError {
    let text = excerpt(text);
    let message = match reason {
        NoValue::NotFinite => format!("`{text}` is not a number that can be used"),
        NoValue::TooLarge => format!("the number `{text}` is too large"),
    };
    SyntaxError::new(ErrorKind::Unsupported, span, message, "quote the value if it is meant as text")
}

/// Marks a copy of an anchored value, and everything in it.
pub(super) fn mark_aliased(node: &mut Node) {
    node.aliased = true;
    match &mut node.kind {
        NodeKind::Sequence(items) => items.iter_mut().for_each(mark_aliased),
        NodeKind::Mapping(entries) => entries.iter_mut().for_each(|entry| mark_aliased(&mut entry.value)),
        _ => {}
    }
}
