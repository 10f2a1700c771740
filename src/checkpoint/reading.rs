//! An export of the trail, read event by event: one object with `events`, or one event after the other.
//!
//! The file comes from somebody else and may be of any size, so only one event is held at a time, and that one is bounded.
//! An object that has a name twice is refused: what is verified here, another reader would understand otherwise.

use std::cell::Cell;
use std::fmt;
use std::io;
use std::io::Read;
use std::rc::Rc;

use serde::de::DeserializeSeed;
use serde::de::Deserializer;
use serde::de::Error as _;
use serde::de::MapAccess;
use serde::de::SeqAccess;
use serde::de::Visitor;
use serde_json::Map;
use serde_json::Value;

use super::Flaw;
use crate::bundle::refusal::printable;
use crate::decision::OneMeaning;

/// The largest event that is read, in bytes.
pub const MAX_EVENT_BYTES: u64 = 16 * 1024 * 1024;

/// An event with the line it begins at, from 1.
pub(super) struct Entry {
    pub(super) line: u64,
    pub(super) members: Map<String, Value>,
}

/// Why reading ended early.
#[derive(Debug)]
pub(super) enum Stop {
    /// The file cannot be read.
    Read(io::Error),
    /// What is wrong with it.
    Flaw(Flaw),
}

/// Hands every event to `each`, in the order of the file. Gives the members of the object around them, if there is one.
pub(super) fn read(file: impl Read, each: &mut dyn FnMut(Entry) -> Result<(), Flaw>) -> Result<Map<String, Value>, Stop> {
    let place = Place::default();
    let mut reader = serde_json::Deserializer::from_reader(Counted { inner: file, place: place.clone() });
    let (mut around, mut events) = (None, false);
    // The end is found by looking for it: what is not the end is the beginning of something.
    while reader.end().is_err() {
        let line = place.line();
        let mut flaw = None;
        let document = Document { place: &place, each: &mut *each, flaw: &mut flaw };
        let read = document.deserialize(&mut reader);
        if let Some(flaw) = flaw {
            return Err(Stop::Flaw(flaw));
        }
        let malformed = |problem: &str| Err(Stop::Flaw(Flaw::Malformed { line, problem: problem.to_owned() }));
        match read.map_err(stop)? {
            Found::Event(_) if around.is_some() => return malformed("something follows the end of the export"),
            Found::Trail(_) if around.is_some() || events => return malformed("there is more than one export in the file"),
            Found::Trail(members) => around = Some(members),
            Found::Event(members) => {
                events = true;
                each(Entry { line, members }).map_err(Stop::Flaw)?;
            }
        }
        place.begin();
    }
    Ok(around.unwrap_or_default())
}

fn stop(error: serde_json::Error) -> Stop {
    if error.io_error_kind().is_some_and(|kind| kind != io::ErrorKind::FileTooLarge) {
        return Stop::Read(error.into());
    }
    let (line, text) = (error.line() as u64, error.to_string());
    let problem = if (error.line(), error.column()) == (1, 1) && error.is_syntax() {
        "it is no JSON, and no other format can be verified".to_owned()
    } else {
        printable(text.split(" at line ").next().unwrap_or(&text))
    };
    Stop::Flaw(Flaw::Malformed { line: line.max(1), problem })
}

/// Where the reader is; shared with whoever asks.
#[derive(Clone, Default)]
struct Place(Rc<(Cell<u64>, Cell<u64>)>);

impl Place {
    /// The line, from 1.
    fn line(&self) -> u64 {
        self.0.0.get() + 1
    }

    /// Something begins that has a bound of its own.
    fn begin(&self) {
        self.0.1.set(0);
    }

    fn pass(&self, bytes: &[u8]) -> io::Result<()> {
        let (lines, size) = (&self.0.0, &self.0.1);
        lines.set(lines.get() + bytes.iter().filter(|&&byte| byte == b'\n').count() as u64);
        size.set(size.get() + bytes.len() as u64);
        if size.get() > MAX_EVENT_BYTES {
            return Err(io::Error::new(io::ErrorKind::FileTooLarge, format!("an event is larger than {MAX_EVENT_BYTES} bytes")));
        }
        Ok(())
    }
}

/// Counts lines, and bounds what is read at once. The parser takes single bytes, so the place is exact.
struct Counted<R> {
    inner: R,
    place: Place,
}

impl<R: Read> Read for Counted<R> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let read = self.inner.read(buffer)?;
        self.place.pass(buffer.get(..read).unwrap_or_default())?;
        Ok(read)
    }
}

/// What an object at the top of the file is.
enum Found {
    /// The object around the events, without them.
    Trail(Map<String, Value>),
    /// An event.
    Event(Map<String, Value>),
}

struct Document<'a> {
    place: &'a Place,
    each: &'a mut dyn FnMut(Entry) -> Result<(), Flaw>,
    flaw: &'a mut Option<Flaw>,
}

impl<'de> DeserializeSeed<'de> for Document<'_> {
    type Value = Found;

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<Found, D::Error> {
        deserializer.deserialize_map(self)
    }
}

impl<'de> Visitor<'de> for Document<'_> {
    type Value = Found;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("an event, or an object with events")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut members: A) -> Result<Found, A::Error> {
        let Self { place, each, flaw } = self;
        let (mut read, mut events) = (Map::new(), false);
        while let Some(name) = members.next_key::<String>()? {
            if read.contains_key(&name) || (events && name == EVENTS) {
                return Err(A::Error::custom(format_args!("the name `{name}` stands twice in one object")));
            }
            if name == EVENTS {
                events = true;
                members.next_value_seed(Events { place, each: &mut *each, flaw: &mut *flaw })?;
            } else {
                let OneMeaning(value) = members.next_value()?;
                read.insert(name, value);
            }
        }
        Ok(if events { Found::Trail(read) } else { Found::Event(read) })
    }
}

/// The member of an export that holds the events.
const EVENTS: &str = "events";

struct Events<'a> {
    place: &'a Place,
    each: &'a mut dyn FnMut(Entry) -> Result<(), Flaw>,
    flaw: &'a mut Option<Flaw>,
}

impl<'de> DeserializeSeed<'de> for Events<'_> {
    type Value = ();

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<(), D::Error> {
        deserializer.deserialize_seq(self)
    }
}

impl<'de> Visitor<'de> for Events<'_> {
    type Value = ();

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a list of events")
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut events: A) -> Result<(), A::Error> {
        while let Some(Entry { line, members }) = events.next_element_seed(One(self.place))? {
            if let Err(flaw) = (self.each)(Entry { line, members }) {
                *self.flaw = Some(flaw);
                return Err(A::Error::custom("the export ends here"));
            }
            self.place.begin();
        }
        Ok(())
    }
}

/// One event of a list.
struct One<'a>(&'a Place);

impl<'de> DeserializeSeed<'de> for One<'_> {
    type Value = Entry;

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<Entry, D::Error> {
        let line = self.0.line();
        match serde::Deserialize::deserialize(deserializer)? {
            OneMeaning(Value::Object(members)) => Ok(Entry { line, members }),
            OneMeaning(_) => Err(D::Error::custom("an event must be an object")),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// `line:seq` of each event, and the flaw that ends the file.
    #[track_caller]
    fn check(text: &str, expected: &str) {
        let mut seen = Vec::new();
        let end = read(text.as_bytes(), &mut |entry| {
            seen.push(format!("{}:{}", entry.line, entry.members.get("seq").unwrap_or(&Value::Null)));
            Ok(())
        });
        match end {
            Ok(_) => {}
            Err(Stop::Flaw(Flaw::Malformed { line, problem })) => seen.push(format!("{line}! {problem}")),
            Err(stop) => panic!("{stop:?}"),
        }
        assert_eq!(seen.join(", "), expected, "{text}");
    }

    #[test]
    fn both_forms_are_read_with_their_lines() {
        check("{\"seq\":1}\n{\"seq\":2}\n", "1:1, 2:2");
        check("{\n \"version\": 1,\n \"events\": [\n  {\n   \"seq\": 1\n  },\n  {\"seq\": 2}\n ],\n \"tip\": \"x\"\n}\n", "4:1, 7:2");
        check("{\"events\":[]}", "");
        check("", "");
        check(" \n\n", "");
    }

    #[test]
    fn what_another_reader_would_understand_otherwise_is_refused() {
        check("{\"seq\":1}\n{\"seq\":2,\"seq\":3}\n", "1:1, 2! the name `seq` stands twice in one object");
        check("{\"events\":[{\"seq\":1,\n\"a\":{\"b\":1,\"b\":2}}]}", "2! the name `b` stands twice in one object");
        check("{\"events\":[],\n\"events\":[]}", "2! the name `events` stands twice in one object");
        check("{\"tip\":1,\"tip\":2}", "1! the name `tip` stands twice in one object");
        check("{\"events\":[]}\n{\"seq\":1}", "2! something follows the end of the export");
        check("{\"seq\":1}\n{\"events\":[]}", "1:1, 2! there is more than one export in the file");
        check("{\"events\":[1]}", "1! an event must be an object");
        check("[1]", "1! invalid type: sequence, expected an event, or an object with events");
        check("{\"seq\":1}\n{\"seq\"", "1:1, 2! EOF while parsing an object");
        check(&format!("{{\"seq\":{}", "[".repeat(100_000)), "1! recursion limit exceeded");
    }

    #[test]
    fn an_event_has_a_bound_and_the_file_has_none() {
        let long = format!("{{\"seq\":\"{}\"}}", "x".repeat(usize::try_from(MAX_EVENT_BYTES).expect("fits")));
        check(&long, &format!("1! an event is larger than {MAX_EVENT_BYTES} bytes"));
        let third = format!("{{\"seq\":1,\"x\":\"{}\"}}\n", "x".repeat(usize::try_from(MAX_EVENT_BYTES / 3).expect("fits")));
        check(&third.repeat(4), "1:1, 2:1, 3:1, 4:1");
    }
}
