//! What the policy files of a history mean. A file that many commits share is read once.

use std::collections::BTreeSet;
use std::collections::HashMap;
use std::sync::Arc;

use rayon::prelude::*;

use super::Sha256Hash;
use super::Version;
use super::objects::Objects;
use super::objects::Shelf;
use super::objects::Unreadable;
use super::tree::Content;
use crate::policy::PolicyDocument;
use crate::policy::read_file;
use crate::schema::Schema;
use crate::source::MAX_FILE_BYTES;
use crate::source::SourceId;
use crate::syntax;

/// A policy as one file writes it.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Written {
    pub(super) version: Arc<Version>,
    /// The hash of its part of the file.
    pub(super) text: Sha256Hash,
}

/// The meaning of one file.
#[derive(Debug, Clone, Default)]
pub(super) struct Reading {
    /// The policies that can be read, in order.
    pub(super) policies: Vec<Written>,
    /// The ids of those that cannot.
    pub(super) broken: BTreeSet<String>,
    /// Whether there may be policies of which not even the id is known.
    pub(super) opaque: bool,
    /// Whether the object is not in this clone.
    pub(super) missing: bool,
}

impl Reading {
    fn opaque() -> Self {
        Self { opaque: true, ..Self::default() }
    }
}

/// A file, under the actions of its time: the position of a schema, and the content.
pub(super) type Key = (usize, Content);

/// What one thread has read.
type Chunk = Vec<(Key, Arc<Reading>)>;

/// The readings that are known.
#[derive(Debug, Default)]
pub(super) struct Readings {
    known: HashMap<Key, Arc<Reading>>,
}

impl Readings {
    /// Above this many readings, those of the past are forgotten; the state keeps what is in force.
    const KEPT: usize = 100_000;

    /// Reads what is not known yet, in parallel.
    pub(super) fn prepare(&mut self, shelf: &Shelf, schemas: &[Schema], keys: &BTreeSet<Key>) -> Result<(), Unreadable> {
        if self.known.len() > Self::KEPT {
            self.known.clear();
        }
        let wanted: Vec<Key> = keys.iter().filter(|key| !self.known.contains_key(key)).copied().collect();
        let read = |chunk: &[Key]| shelf.with(|objects| Ok(chunk.iter().map(|&key| (key, Arc::new(one(objects, schemas, key)))).collect()));
        let chunks: Result<Vec<Chunk>, Unreadable> = wanted.par_chunks(Shelf::SHARE).map(read).collect();
        self.known.extend(chunks?.into_iter().flatten());
        Ok(())
    }

    /// A reading that was prepared.
    pub(super) fn get(&self, key: Key) -> Arc<Reading> {
        self.known.get(&key).map_or_else(|| Arc::new(Reading::opaque()), Arc::clone)
    }
}

fn one(objects: &mut Objects, schemas: &[Schema], (schema, content): Key) -> Reading {
    let (Content::Blob(id), Some(schema)) = (content, schemas.get(schema)) else { return Reading::opaque() };
    match objects.file(id, MAX_FILE_BYTES) {
        Ok(Some(bytes)) => meaning(bytes, schema),
        Ok(None) => Reading::opaque(),
        // One that is damaged says as little of what it held as one that is not there.
        Err(Unreadable::Missing | Unreadable::Damaged(_)) => Reading { missing: true, ..Reading::opaque() },
    }
}

fn meaning(bytes: &[u8], schema: &Schema) -> Reading {
    let source = SourceId::new(0);
    let Ok(text) = syntax::decode(bytes) else { return Reading::opaque() };
    let file = read_file(source, text, schema);
    // A file that holds no policy is a write that was cut off, as the rules say too; it tells nothing of what it held before.
    let mut reading = Reading { opaque: !file.errors.is_empty() || file.documents.is_empty(), ..Reading::default() };
    for (document, part) in file.documents.iter().zip(parts(text, &file.documents)) {
        match (document.policy(), document.id()) {
            (Some(policy), _) => {
                let version = Arc::new(Version::new(policy));
                reading.policies.push(Written { version, text: Sha256Hash::of(part.as_bytes()) });
            }
            (None, Some((id, _))) => drop(reading.broken.insert(id.to_owned())),
            (None, None) => reading.opaque = true,
        }
    }
    reading
}

/// The text of each document of a file, without what only parts it from the others.
fn parts<'a>(text: &'a str, documents: &[PolicyDocument]) -> Vec<&'a str> {
    let pieces = syntax::pieces(text);
    let piece = |document: &PolicyDocument| {
        let at = pieces.partition_point(|piece| piece.end <= document.node.span.range().start);
        pieces.get(at).and_then(|piece| text.get(piece.clone())).unwrap_or_default().trim()
    };
    documents.iter().map(piece).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_text_of_a_file_is_divided_at_its_markers() {
        let schema = Schema::new(&crate::config::Config::default().actions).expect("a schema");
        let text = "# head\n_id: A\n# of A\n---\n# of B\n_id: B\n...\n--- # of C\n_id: C\n# end\n";
        let file = read_file(SourceId::new(0), text, &schema);
        let expected = ["# head\n_id: A\n# of A", "# of B\n_id: B", "# of C\n_id: C\n# end"];
        assert_eq!(parts(text, &file.documents), expected);
    }
}
