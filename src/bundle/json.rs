//! JSON that means one thing only.
//!
//! Readers of JSON disagree about a name that stands twice in one object; what one verifies, another would load. So every
//! signed or trusted document is read through [`parse`], which refuses it. [`Fields`] then takes an object apart by hand
//! where people edit the file, so that an error names the field in the file's own words.

use std::collections::BTreeSet;
use std::fmt;

use serde::Deserialize;
use serde::Deserializer;
use serde::de::DeserializeOwned;
use serde::de::Error as _;
use serde::de::MapAccess;
use serde::de::SeqAccess;
use serde::de::Visitor;
use serde_json::Map;
use serde_json::Value;

/// Reads a whole document. Nesting is bounded by the parser (128 levels).
///
/// # Errors
///
/// What is wrong and where, in words, when the bytes are not JSON or an object has the same name twice.
pub(super) fn parse(bytes: &[u8]) -> Result<Value, String> {
    serde_json::from_slice::<OneMeaning>(bytes).map_err(|error| error.to_string())?;
    serde_json::from_slice(bytes).map_err(|error| error.to_string())
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

/// Any JSON value without a repeated name. It keeps nothing: it is only there to fail.
struct OneMeaning;

impl<'de> Deserialize<'de> for OneMeaning {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(Self)
    }
}

impl<'de> Visitor<'de> for OneMeaning {
    type Value = Self;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a value")
    }

    fn visit_bool<E>(self, _: bool) -> Result<Self, E> {
        Ok(self)
    }

    fn visit_i64<E>(self, _: i64) -> Result<Self, E> {
        Ok(self)
    }

    fn visit_u64<E>(self, _: u64) -> Result<Self, E> {
        Ok(self)
    }

    fn visit_f64<E>(self, _: f64) -> Result<Self, E> {
        Ok(self)
    }

    fn visit_str<E>(self, _: &str) -> Result<Self, E> {
        Ok(self)
    }

    fn visit_unit<E>(self) -> Result<Self, E> {
        Ok(self)
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut items: A) -> Result<Self, A::Error> {
        while items.next_element::<Self>()?.is_some() {}
        Ok(self)
    }

    fn visit_map<A: MapAccess<'de>>(self, mut members: A) -> Result<Self, A::Error> {
        let mut seen = BTreeSet::new();
        while let Some(name) = members.next_key::<String>()? {
            members.next_value::<Self>()?;
            if let Some(twice) = seen.replace(name) {
                return Err(A::Error::custom(format_args!("the name `{twice}` stands twice in one object")));
            }
        }
        Ok(self)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(text: &str, problem: Option<&str>) {
        match (parse(text.as_bytes()), problem) {
            (Ok(_), None) => {}
            (Err(message), Some(part)) => assert!(message.contains(part), "{text}: {message}"),
            (outcome, _) => panic!("{text}: {outcome:?}"),
        }
    }

    #[test]
    fn a_repeated_name_is_refused_at_any_depth() {
        check(r#"{"a":1,"b":[true,null,1.5,-2,"x"],"c":{"a":1}}"#, None);
        check(r#"{"a":1,"a":1}"#, Some("`a` stands twice"));
        check(r#"{"a":1,"\u0061":2}"#, Some("`a` stands twice"));
        check(r#"[{"x":[{"k":{},"k":{}}]}]"#, Some("`k` stands twice"));
        check(r#"{"a":1} x"#, Some("trailing"));
        check("", Some("EOF"));
        check(&"[".repeat(100_000), Some("recursion"));
    }

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
