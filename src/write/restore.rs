//! A policy as it once was, back in its place: the bytes of its document, and no others.

use std::ops::Range;

use serde_json::Value;

use super::FileChange;
use super::WriteError;
use crate::config::Selection;
use crate::policy::Policy;
use crate::policy::to_value;
use crate::source::SourceId;
use crate::syntax;
use crate::workspace::Workspace;

/// A policy as it was at an earlier revision.
#[derive(Debug, Clone, Copy)]
pub struct Former<'a> {
    /// What it meant.
    pub policy: &'a Policy,
    /// The text of its document then, comments included.
    pub text: &'a str,
    /// What it is called now, or was last.
    pub now: &'a str,
    /// Its last file, for a policy that is gone.
    pub path: &'a str,
}

impl Former<'_> {
    /// The change that makes the policy of a revision what it was; `None` when it means that already.
    ///
    /// # Errors
    /// There is no place for it, or its text cannot stand there.
    pub fn change(&self, workspace: &Workspace) -> Result<Option<FileChange>, WriteError> {
        let Some(now) = workspace.standing(self.now) else { return self.anew(workspace).map(Some) };
        if now.policy.as_ref().is_ok_and(|policy| to_value(policy) == to_value(self.policy)) {
            return Ok(None);
        }
        let new = replaced(now.file, &now.piece, &self.fitting(now.path));
        if !only_that(now.file, &now.piece, &new) {
            return Err(WriteError::Conflict {
                path: now.path.to_owned(),
                why: "cannot hold the earlier text beside what else is in it".to_owned(),
                help: "print it with `lawbook show`, and put it there by hand".to_owned(),
            });
        }
        Ok(Some(FileChange { path: now.path.to_owned(), old: Some(now.file.to_owned()), new: Some(new) }))
    }

    /// A file of its own: where it was last, or else where new policies go.
    fn anew(&self, workspace: &Workspace) -> Result<FileChange, WriteError> {
        let book = &workspace.book;
        let selection = Selection::new(&book.config);
        let taken = |path: &str| book.sources.iter().any(|(_, file)| file.path() == path);
        let usual = book.config.server.file_of(self.policy.id().as_str());
        let path = if selection.selects(self.path) && !taken(self.path) { self.path } else { &usual };
        if !selection.selects(path) {
            let commit = workspace.revision.as_ref().map_or_else(String::new, |revision| revision.commit.clone());
            return Err(WriteError::NotSelected { path: path.to_owned(), commit });
        }
        if taken(path) {
            return Err(WriteError::Conflict {
                path: path.to_owned(),
                why: "is there already, with other policies".to_owned(),
                help: "print the policy with `lawbook show`, and put it into a file by hand".to_owned(),
            });
        }
        let new = ended(self.fitting(path).trim_start_matches([' ', '\t']).to_owned());
        Ok(FileChange { path: path.to_owned(), old: None, new: Some(new) })
    }

    /// The text for a file: the one of then, unless a file of JSON would not be JSON any more.
    fn fitting(&self, path: &str) -> String {
        let is_json = || serde_json::from_str::<Value>(self.text).is_ok();
        if !path.ends_with(".json") || is_json() {
            return self.text.to_owned();
        }
        ended(format!("{:#}", to_value(self.policy)))
    }
}

fn ended(mut text: String) -> String {
    if !text.ends_with('\n') {
        text.push('\n');
    }
    text
}

/// The text of a file with other bytes in the place of one document.
fn replaced(file: &str, piece: &Range<usize>, text: &str) -> String {
    let (before, after) = (file.get(..piece.start).unwrap_or_default(), file.get(piece.end..).unwrap_or_default());
    // Behind `---` on the line of a marker there was room for a comment or a value in brackets only.
    let on_marker = before.ends_with("---") && !text.starts_with([' ', '\t']);
    let open = !after.is_empty() && !text.ends_with('\n');
    format!("{before}{}{text}{}{after}", if on_marker { "\n" } else { "" }, if open { "\n" } else { "" })
}

/// Whether the other documents of a file are what they were, and just one stands where one was replaced.
fn only_that(old: &str, piece: &Range<usize>, new: &str) -> bool {
    let read = |text: &str| {
        let parsed = syntax::parse(SourceId::new(0), text);
        let roots = parsed.documents.into_iter().filter_map(|document| document.root);
        let documents: Vec<(Range<usize>, Value)> = roots.map(|root| (root.span.range(), root.to_json())).collect();
        (documents, parsed.errors.len())
    };
    let ((before, broken), (after, still_broken)) = (read(old), read(new));
    let rest = old.len() - piece.end;
    let around = |documents: &[(Range<usize>, Value)], end: usize| -> (Vec<Value>, Vec<Value>) {
        let values = |keep: &dyn Fn(&Range<usize>) -> bool| {
            documents.iter().filter(|(place, _)| keep(place)).map(|(_, value)| value.clone()).collect()
        };
        (values(&|place| place.start < piece.start), values(&|place| place.start >= end))
    };
    let end = new.len() - rest.min(new.len());
    let within = after.iter().filter(|(place, _)| place.start >= piece.start && place.start < end).count();
    within == 1 && still_broken <= broken && around(&before, piece.end) == around(&after, end)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::workspace::Raw;
    use crate::workspace::RawFile;

    fn workspace(files: &[(&str, &str)]) -> Workspace {
        let raw = |(path, text): &(&str, &str)| RawFile { path: (*path).to_owned(), content: Ok(text.as_bytes().to_vec()) };
        Workspace::new(Raw { files: files.iter().map(raw).collect(), ..Raw::default() })
    }

    fn text(id: &str, members: &str) -> String {
        format!("# of {id}\n_id: {id}\nservice: s\nactions: [read]\nmembers: {members}\n")
    }

    /// Restores `A` from a text; expected is the path and the text of the file, or words of the refusal.
    #[track_caller]
    fn check(then: &str, path: &str, files: &[(&str, &str)], expected: Result<Option<(&str, &str)>, &str>) {
        let past = workspace(&[("policies/past.yaml", then)]);
        let standing = past.standing("A").expect("it was there");
        let policy = standing.policy.clone().expect("readable");
        let former = Former { policy, text: standing.text(), now: "A", path };
        match (former.change(&workspace(files)), expected) {
            (Ok(change), Ok(expected)) => {
                let shown = change.as_ref().map(|change| (change.path.as_str(), change.new.as_deref().expect("a text")));
                assert_eq!(shown, expected);
            }
            (Err(error), Err(words)) => assert!(error.to_string().contains(words), "{error}"),
            (found, expected) => panic!("{found:?}, not {expected:?}"),
        }
    }

    #[test]
    fn only_the_bytes_of_the_document_change() {
        let (old, new, other) = (text("A", "[x] # all"), text("A", "[y]"), text("B", "[z]"));
        let file = format!("{other}---\n{new}---\n{}", text("C", "[z]"));
        check(&old, "", &[("policies/f.yaml", &file)], Ok(Some(("policies/f.yaml", &file.replace(&new, &old)))));
        check(&old, "", &[("policies/f.yaml", &old)], Ok(None));
        check(&old, "", &[("policies/f.yaml", &text("A", "  # reformatted\n  - x"))], Ok(None));
        check(old.trim_end(), "", &[("policies/f.yaml", &file)], Ok(Some(("policies/f.yaml", &file.replace(&new, &old)))));
        let (marked, expected) = (format!("{other}--- # here\n{new}"), format!("{other}---\n{old}"));
        check(&old, "", &[("policies/f.yaml", &marked)], Ok(Some(("policies/f.yaml", &expected))));
        let broken = format!("{other}---\n{}", new.replace("[read]", "[read"));
        check(&old, "", &[("policies/f.yaml", &broken)], Ok(Some(("policies/f.yaml", &format!("{other}---\n{old}")))));
    }

    #[test]
    fn a_policy_that_is_gone_gets_a_file_of_its_own() {
        let (old, other) = (text("A", "[x]"), text("B", "[z]"));
        check(&old, "policies/a.yaml", &[], Ok(Some(("policies/a.yaml", &old))));
        check(&old, "policies/f.yaml", &[("policies/f.yaml", &other)], Ok(Some(("policies/A.yaml", &old))));
        check(&old, "elsewhere/a.yaml", &[], Ok(Some(("policies/A.yaml", &old))));
        let taken = [("policies/A.yaml", other.as_str()), ("policies/f.yaml", other.as_str())];
        check(&old, "policies/f.yaml", &taken, Err("`policies/A.yaml` is there already"));
        let odd = text("A", "[x]").replace("_id: A", "_id: é?");
        let past = workspace(&[("policies/past.yaml", odd.as_str())]);
        let standing = past.standing("é?").expect("it was there");
        let former = Former { policy: standing.policy.as_ref().expect("readable"), text: standing.text(), now: "é?", path: "" };
        assert_eq!(former.change(&workspace(&[])).expect("a change").expect("a file").path, "policies/%C3%A9%3F.yaml");
        let flow = "--- {_id: A, service: s, actions: [read], members: [x]}";
        check(flow, "policies/a.yaml", &[], Ok(Some(("policies/a.yaml", &format!("{}\n", &flow[4..])))));
    }

    #[test]
    fn a_file_of_json_stays_one() {
        let json = r#"{"_id": "A", "service": "s", "actions": ["read"], "members": ["y"]}"#;
        let past = text("A", "[x]");
        let expected = "{\n  \"_id\": \"A\",\n  \"_type\": \"Policy\",\n  \"actions\": [\n    \"read\"\n  ],\n  \"deny\": false,\n  \"enabled\": true,\n  \"members\": [\n    \"x\"\n  ],\n  \"service\": \"s\",\n  \"source\": \"private\"\n}\n";
        check(&past, "", &[("policies/a.json", json)], Ok(Some(("policies/a.json", expected))));
    }
}
