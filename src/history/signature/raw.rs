//! The signature of a commit, and what it was made over, from the bytes that git stores.
//!
//! The signature stands in the header `gpgsig`, on lines that begin with a space; what is signed is the commit without it. The
//! header `gpgsig-sha256` signs the form that the commit has in a repository with SHA-256 ids, and is no part of either.

/// A signature with what it was made over.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Signed {
    /// The armoured text.
    pub(super) signature: Vec<u8>,
    /// The commit without its signatures.
    pub(super) payload: Vec<u8>,
}

/// What a commit has of signatures.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Found {
    /// None.
    Nothing,
    /// One that can be looked at.
    One(Signed),
    /// Only one over its form in another repository.
    Foreign,
    /// Several; git takes them for one text, so it is not clear what they say.
    Several,
}

const HEADER: &[u8] = b"gpgsig";
const FOREIGN: &[u8] = b"gpgsig-sha256";

/// Takes a commit apart.
pub(super) fn signed(commit: &[u8]) -> Found {
    let mut payload = Vec::with_capacity(commit.len());
    let mut signature: Vec<u8> = Vec::new();
    let (mut count, mut foreign) = (0_usize, false);
    let mut at = Header::Other;
    let mut rest = commit;
    while !rest.is_empty() {
        let end = rest.iter().position(|&byte| byte == b'\n').map_or(rest.len(), |end| end + 1);
        let (line, after) = rest.split_at_checked(end).unwrap_or((rest, &[]));
        if line == b"\n" {
            // The message begins; nothing in it is a header.
            payload.extend_from_slice(rest);
            break;
        }
        rest = after;
        let text = match line.strip_prefix(b" ") {
            Some(text) => text,
            None => {
                let (name, text) =
                    line.iter().position(|&byte| byte == b' ').and_then(|end| line.split_at_checked(end)).unwrap_or((line, &[]));
                at = match name {
                    HEADER => Header::Ours,
                    FOREIGN => Header::Foreign,
                    _ => Header::Other,
                };
                count += usize::from(at == Header::Ours);
                foreign |= at == Header::Foreign;
                text.get(1..).unwrap_or_default()
            }
        };
        match at {
            Header::Ours => signature.extend_from_slice(text),
            Header::Foreign => {}
            Header::Other => payload.extend_from_slice(line),
        }
    }
    match (count, foreign) {
        (0, false) => Found::Nothing,
        (0, true) => Found::Foreign,
        (1, _) => Found::One(Signed { signature, payload }),
        _ => Found::Several,
    }
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Header {
    Ours,
    Foreign,
    Other,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(commit: &str, expected: Option<(&str, &str)>) {
        let found = match signed(commit.as_bytes()) {
            Found::One(Signed { signature, payload }) => Some((String::from_utf8(signature).unwrap(), String::from_utf8(payload).unwrap())),
            _ => None,
        };
        assert_eq!(found.as_ref().map(|(signature, payload)| (signature.as_str(), payload.as_str())), expected, "{commit}");
    }

    #[test]
    fn a_signature_is_taken_out_and_the_rest_is_what_was_signed() {
        let plain = "tree t\nauthor a\n\nmessage\n\ngpgsig x\n";
        check(plain, None);
        assert_eq!(signed(plain.as_bytes()), Found::Nothing);
        check("tree t\ngpgsig one\n two\n \n three\nencoding e\n\nm", Some(("one\ntwo\n\nthree\n", "tree t\nencoding e\n\nm")));
        check("tree t\ngpgsig-sha256 x\n y\ngpgsig one\n two\nmergetag m\n n\n\nm", Some(("one\ntwo\n", "tree t\nmergetag m\n n\n\nm")));
        check("tree t\nmergetag m\n gpgsig x\n\nm", None);
        assert_eq!(signed(b"tree t\ngpgsig-sha256 x\n\nm"), Found::Foreign);
        assert_eq!(signed(b"gpgsig a\ngpgsig b\n\n"), Found::Several);
        assert_eq!(signed(b"gpgsig"), Found::One(Signed { signature: Vec::new(), payload: Vec::new() }));
        assert_eq!(signed(b""), Found::Nothing);
    }
}
