//! JSON documents that are signed or trusted.
//!
//! They are read through [`parse`], which refuses an object with the same name twice: what one reader verifies, another one
//! would load. [`Fields`] then takes an object apart by hand where people edit the file, so that an error names the field in
//! the file's own words.

use serde::de::DeserializeOwned;
use serde_json::Map;
use serde_json::Value;

use crate::decision::read_json;

/// Reads a whole document. Nesting is bounded by the parser (128 levels).
///
/// # Errors
///
/// What is wrong and where, in words, when the bytes are not JSON or an object has the same name twice.
pub(super) fn parse(bytes: &[u8]) -> Result<Value, String> {
    read_json(bytes).map_err(|error| error.to_string())
}

/// An object that is being taken apart, field by field; what is left at the end is unknown.
pub(super) struct Fields {
    path: String,
    map: Map<String, Value>,
}

impl Fields {
    /// The top of a document.
    pub(super) fn root(value: Value) -> Result<Self, String> {
        let Value::Object(map) = value else { return Err("the document must be an object".to_owned()) };
        Ok(Self { path: String::new(), map })
    }

    /// A field that must be there; `expected` says what it has to be, for the message.
    pub(super) fn take<T: DeserializeOwned>(&mut self, name: &str, expected: &str) -> Result<T, String> {
        self.optional(name, expected)?.ok_or_else(|| format!("the field `{}` is missing", self.at(name)))
    }

    /// A field that may be absent.
    pub(super) fn optional<T: DeserializeOwned>(&mut self, name: &str, expected: &str) -> Result<Option<T>, String> {
        let Some(value) = self.map.remove(name) else { return Ok(None) };
        serde_json::from_value(value).map(Some).map_err(|_| format!("the field `{}` must be {expected}", self.at(name)))
    }

    /// A field that is itself an object.
    pub(super) fn object(&mut self, name: &str) -> Result<Self, String> {
        Ok(Self { path: self.at(name), map: self.take(name, "an object")? })
    }

    /// The names that have not been taken yet.
    pub(super) fn names(&self) -> Vec<String> {
        self.map.keys().cloned().collect()
    }

    /// Refuses what nobody took.
    pub(super) fn finish(self) -> Result<(), String> {
        match self.map.keys().next() {
            Some(name) => Err(format!("the field `{}` is unknown", self.at(name))),
            None => Ok(()),
        }
    }

    /// The field in the words of the file, such as `roles.bundle.threshold`.
    pub(super) fn at(&self, name: &str) -> String {
        if self.path.is_empty() { name.to_owned() } else { format!("{}.{name}", self.path) }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_error_names_the_field() {
        let value = parse(br#"{"roles":{"bundle":{"threshold":"two"}},"more":1}"#).unwrap();
        let mut top = Fields::root(value).unwrap();
        let mut roles = top.object("roles").unwrap();
        let mut bundle = roles.object("bundle").unwrap();
        assert_eq!(
            bundle.take::<u32>("threshold", "a whole number"),
            Err("the field `roles.bundle.threshold` must be a whole number".to_owned())
        );
        assert_eq!(bundle.take::<u32>("keys", "a list"), Err("the field `roles.bundle.keys` is missing".to_owned()));
        assert_eq!(top.finish(), Err("the field `more` is unknown".to_owned()));
    }
}
