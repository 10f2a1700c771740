//! One policy where it stands in a law book, also when it cannot be read.

use std::ops::Range;
use std::sync::Arc;

use super::Workspace;
use crate::policy::Policy;
use crate::policy::PolicyDocument;
use crate::policy::piece;
use crate::policy::piece_at;

/// A policy in its file.
#[derive(Debug, Clone)]
pub struct Standing<'a> {
    /// The file, relative to the root of the law book.
    pub path: &'a str,
    /// The text of the file.
    pub file: &'a str,
    /// The bytes of the document, comments included.
    pub piece: Range<usize>,
    /// What it means, or why that is not known, in one line.
    pub policy: Result<&'a Arc<Policy>, String>,
}

impl Standing<'_> {
    /// The text of the document, comments included.
    pub fn text(&self) -> &str {
        self.file.get(self.piece.clone()).unwrap_or_default()
    }
}

impl Workspace {
    /// Where the policy with this id stands: the first one in byte order of paths that can be read, else the first that cannot.
    pub fn standing(&self, id: &str) -> Option<Standing<'_>> {
        let documents = || self.book.files.iter().flat_map(|file| file.documents.iter().map(move |document| (file, document)));
        let named = |document: &PolicyDocument| document.id().is_some_and(|(found, _)| found == id);
        let readable = documents().find(|(_, document)| named(document) && document.policy().is_some());
        if let Some((file, document)) = readable.or_else(|| documents().find(|(_, document)| named(document))) {
            let source = self.book.sources.get(file.source)?;
            let piece = piece_at(source.text(), document.node.span.range().start);
            let policy = document.reading.as_ref().map_err(|unreadable| unreadable.to_string());
            return Some(Standing { path: source.path(), file: source.text(), piece, policy });
        }
        let broken = self.book.files.iter().filter_map(|file| Some((self.book.sources.get(file.source)?, file.errors.first()?)));
        let mut named = broken.filter_map(|(source, error)| Some((source, error, piece(source.text(), id)?)));
        named.next().map(|(source, error, piece)| Standing {
            path: source.path(),
            file: source.text(),
            piece,
            policy: Err(error.message.clone()),
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::workspace::Raw;
    use crate::workspace::RawFile;

    #[track_caller]
    fn check(files: &[(&str, &str)], expected: Option<(&str, &str, Option<&str>)>) {
        let raw = |(path, text): &(&str, &str)| RawFile { path: (*path).to_owned(), content: Ok(text.as_bytes().to_vec()) };
        let workspace = Workspace::new(Raw { files: files.iter().map(raw).collect(), ..Raw::default() });
        let found = workspace.standing("A");
        let shown = found.as_ref().map(|found| (found.path, found.text(), found.policy.as_ref().err().map(String::as_str)));
        assert_eq!(shown, expected);
    }

    #[test]
    fn a_policy_is_found_whether_or_not_it_can_be_read() {
        let good = "# a\n_id: A\nservice: s\nactions: [read]\nmembers: [m]\n";
        let (other, both) = (good.replace("_id: A", "_id: B"), format!("{}---\n{good}", good.replace("_id: A", "_id: B")));
        check(&[("b.yaml", &other), ("c.yaml", &both)], Some(("c.yaml", good, None)));
        check(&[("b.yaml", &other)], None);
        let misspelt = good.replace("members", "member");
        check(&[("a.yaml", &misspelt)], Some(("a.yaml", &misspelt, Some("the field `members` is missing"))));
        check(&[("a.yaml", &misspelt), ("b.yaml", good)], Some(("b.yaml", good, None)));
        let twice = format!("{misspelt}---\n{good}");
        check(&[("a.yaml", &twice)], Some(("a.yaml", good, None)));
        let broken = good.replace("[m]", "[m");
        check(&[("a.yaml", &broken)], Some(("a.yaml", &broken, Some("`[` is never closed"))));
    }
}
