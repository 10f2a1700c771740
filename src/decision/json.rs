//! JSON that means one thing only.
//!
//! Readers of JSON disagree about a name that stands twice in one object: what one of them checks, another one answers. So
//! every request, and every signed or trusted document, is read by [`read_json`], which refuses it.

use std::fmt;

use serde::Deserialize;
use serde::Deserializer;
use serde::de::Error as _;
use serde::de::MapAccess;
use serde::de::SeqAccess;
use serde::de::Visitor;
use serde_json::Map;
use serde_json::Value;
use serde_json::map::Entry;

/// Reads a whole document. Nesting is bounded by the parser (128 levels).
///
/// # Errors
/// What is wrong and where, when the bytes are not JSON, or an object has the same name twice.
pub fn read_json(bytes: &[u8]) -> Result<Value, serde_json::Error> {
    serde_json::from_slice::<OneMeaning>(bytes).map(|read| read.0)
}

/// Any JSON value without a repeated name, for a document that is read piece by piece.
#[derive(Debug)]
pub struct OneMeaning(pub Value);

impl<'de> Deserialize<'de> for OneMeaning {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(Reader).map(Self)
    }
}

struct Reader;

impl<'de> Visitor<'de> for Reader {
    type Value = Value;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a value")
    }

    fn visit_bool<E>(self, value: bool) -> Result<Value, E> {
        Ok(value.into())
    }

    fn visit_i64<E>(self, value: i64) -> Result<Value, E> {
        Ok(value.into())
    }

    fn visit_u64<E>(self, value: u64) -> Result<Value, E> {
        Ok(value.into())
    }

    fn visit_f64<E>(self, value: f64) -> Result<Value, E> {
        Ok(value.into())
    }

    fn visit_str<E>(self, value: &str) -> Result<Value, E> {
        Ok(value.into())
    }

    fn visit_string<E>(self, value: String) -> Result<Value, E> {
        Ok(value.into())
    }

    fn visit_unit<E>(self) -> Result<Value, E> {
        Ok(Value::Null)
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut items: A) -> Result<Value, A::Error> {
        let mut read = Vec::new();
        while let Some(OneMeaning(item)) = items.next_element()? {
            read.push(item);
        }
        Ok(Value::Array(read))
    }

    fn visit_map<A: MapAccess<'de>>(self, mut members: A) -> Result<Value, A::Error> {
        let mut read = Map::new();
        while let Some(name) = members.next_key::<String>()? {
            match read.entry(name) {
                Entry::Occupied(twice) => {
                    return Err(A::Error::custom(format_args!("the name `{}` stands twice in one object", twice.key())));
                }
                Entry::Vacant(free) => {
                    free.insert(members.next_value::<OneMeaning>()?.0);
                }
            }
        }
        Ok(Value::Object(read))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(text: &str, problem: Option<&str>) {
        match (read_json(text.as_bytes()), problem) {
            (Ok(read), None) => assert_eq!(read, serde_json::from_str::<Value>(text).expect("JSON")),
            (Err(error), Some(part)) => assert!(error.to_string().contains(part), "{text}: {error}"),
            (outcome, _) => panic!("{text}: {outcome:?}"),
        }
    }

    #[test]
    fn a_repeated_name_is_refused_at_any_depth() {
        check(r#"{"a":1,"b":[true,null,1.5,-2,"x","\u00e9",1e300,18446744073709551615],"c":{"a":1}}"#, None);
        check(r#""x""#, None);
        check(r#"{"a":1,"a":1}"#, Some("`a` stands twice"));
        check(r#"{"a":1,"\u0061":2}"#, Some("`a` stands twice"));
        check(r#"[{"x":[{"k":{},"k":{}}]}]"#, Some("`k` stands twice"));
        check(r#"{"a":1} x"#, Some("trailing"));
        check("", Some("EOF"));
        check(&"[".repeat(100_000), Some("recursion"));
    }
}
