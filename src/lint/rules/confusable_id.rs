//! Names that look alike and are not the same.
//!
//! Two names look alike if their *skeletons* are equal: Unicode Technical Standard 39 maps every character to the one it is
//! mistaken for, and drops what cannot be seen. Names are compared exactly, so a denial for the one is none for the other.

use std::borrow::Cow;
use std::cmp::Reverse;
use std::collections::HashMap;
use std::hash::BuildHasher;
use std::hash::RandomState;
use std::sync::LazyLock;

use unicode_script::Script;
use unicode_script::UnicodeScript;
use unicode_security::confusable_detection::skeleton;
use unicode_security::is_potential_mixed_script_confusable_char;

use crate::finding::Level;
use crate::lint::Book;
use crate::lint::Check;
use crate::lint::Draft;
use crate::lint::Rule;
use crate::lint::Sink;
use crate::policy::Member;
use crate::policy::PolicyDocument;
use crate::schema::Place;
use crate::source::Span;

pub(super) static RULE: Rule = Rule {
    name: "confusable-id",
    summary: "two ids or members look alike and are not the same, or one mixes scripts or hides a character",
    default: Level::Warn,
    blocking: false,
    check: Check::Book(check),
    page: include_str!("../../../docs/rules/confusable-id.md"),
};

/// A name and where it is first used.
struct Name<'a> {
    text: Cow<'a, str>,
    policy: &'a str,
    document: &'a PolicyDocument,
    /// Its position in `members`; an id has none.
    member: Option<usize>,
    /// How often it is used.
    count: usize,
}

fn check(book: &Book, sink: &mut Sink) {
    let policies = book.set.policies();
    let mut ids = Names::with_capacity(policies.len());
    // A member is named about twice.
    let mut members = Names::with_capacity(policies.iter().map(|policy| policy.members().map_or(0, <[_]>::len)).sum::<usize>() / 2);
    for (policy, document) in book.policies() {
        let id = policy.id().as_str();
        ids.add(Name { text: Cow::Borrowed(id), policy: id, document, member: None, count: 1 });
        for (position, member) in policy.members().unwrap_or_default().iter().enumerate().filter(|(_, member)| *member != "*") {
            members.add(Name { text: Member::compared(member), policy: id, document, member: Some(position), count: 1 });
        }
    }
    for names in [ids, members] {
        names.report(sink);
    }
}

/// Different names, in the order in which they are first used.
struct Names<'a> {
    names: Vec<Name<'a>>,
    by_text: HashMap<Cow<'a, str>, usize>,
}

impl<'a> Names<'a> {
    fn with_capacity(names: usize) -> Self {
        Self { names: Vec::with_capacity(names), by_text: HashMap::with_capacity(names) }
    }

    fn add(&mut self, name: Name<'a>) {
        match self.by_text.get(&name.text).and_then(|&at| self.names.get_mut(at)) {
            Some(known) => known.count += 1,
            None => {
                self.by_text.insert(name.text.clone(), self.names.len());
                self.names.push(name);
            }
        }
    }

    /// Drops the names of which there is nothing to say: those of ASCII that share neither look nor letters with another one, which are
    /// nearly all. Texts that are equal have equal hashes, so that none is lost, and no text has to be kept to find out.
    fn keep_suspects(&mut self) {
        let mut suspects: Vec<bool> = self.names.iter().map(|name| !name.text.is_ascii()).collect();
        let hasher = RandomState::new();
        let mut text = String::new();
        for reduce in [look as fn(&str, &mut String), lower] {
            let hash = |(at, name): (usize, &Name<'_>)| {
                text.clear();
                reduce(&name.text, &mut text);
                (hasher.hash_one(&text), at)
            };
            let mut hashes: Vec<(u64, usize)> = self.names.iter().enumerate().map(hash).collect();
            hashes.sort_unstable();
            for shared in hashes.chunk_by(|one, other| one.0 == other.0).filter(|shared| shared.len() > 1) {
                for &(_, at) in shared {
                    suspects.get_mut(at).into_iter().for_each(|suspect| *suspect = true);
                }
            }
        }
        let mut suspects = suspects.into_iter();
        self.names.retain(|_| suspects.next().unwrap_or(true));
    }

    /// Of names that look alike the plainest and most frequent one is taken for the meant one, and each other is reported.
    fn report(mut self, sink: &mut Sink) {
        drop(std::mem::take(&mut self.by_text));
        self.keep_suspects();
        self.names.sort_by_key(|name| (!name.text.is_ascii(), Reverse(name.count)));
        let mut looks: HashMap<String, usize> = HashMap::with_capacity(self.names.len());
        let mut letters: HashMap<String, usize> = HashMap::with_capacity(self.names.len());
        for (at, name) in self.names.iter().enumerate() {
            let by_look = *looks.entry(made(look, &name.text)).or_insert(at);
            let by_letters = *letters.entry(made(lower, &name.text)).or_insert(at);
            let other = [by_look, by_letters].into_iter().find(|&other| other != at).and_then(|other| self.names.get(other));
            let draft = match other {
                // Ids that differ only in capitals are told as duplicates.
                Some(other) if name.member.is_none() && name.text.to_lowercase() == other.text.to_lowercase() => None,
                Some(other) => Some(alike(name, other)),
                None => alone(name),
            };
            if let Some(draft) = draft {
                sink.report(draft.policy(name.policy));
            }
        }
    }
}

impl Name<'_> {
    fn span(&self) -> Span {
        match self.member {
            Some(position) => Place::value(&["members", &position.to_string()]).span(&self.document.node),
            None => self.document.head_span(),
        }
    }

    fn noun(&self) -> &'static str {
        match (self.member, Member::parse(&self.text)) {
            (None, _) => "policy",
            (_, Member::Group(_)) => "group",
            (_, Member::Email(_)) => "address",
            _ => "caller",
        }
    }
}

/// The skeletons of the ASCII characters, which nearly all names consist of.
static PLAIN: LazyLock<Vec<String>> =
    LazyLock::new(|| ('\0'..='\u{7f}').map(|char| skeleton(char.encode_utf8(&mut [0; 4])).collect()).collect());

fn made(reduce: fn(&str, &mut String), text: &str) -> String {
    let mut made = String::with_capacity(text.len() + 8);
    reduce(text, &mut made);
    made
}

/// Adds what a reader sees.
fn look(text: &str, look: &mut String) {
    if text.is_ascii() {
        text.bytes().filter_map(|byte| PLAIN.get(usize::from(byte))).for_each(|plain| look.push_str(plain));
    } else {
        look.extend(skeleton(text));
    }
}

/// Adds what a reader hears: the letters without their case, those of other scripts as the ones that they look like.
fn lower(text: &str, lower: &mut String) {
    if text.is_ascii() {
        lower.extend(text.bytes().map(|byte| char::from(byte.to_ascii_lowercase())));
        return;
    }
    for char in text.to_lowercase().chars() {
        match char.is_ascii() {
            true => lower.push(char),
            false => lower.extend(skeleton(char.encode_utf8(&mut [0; 4])).flat_map(char::to_lowercase)),
        }
    }
}

fn alike(name: &Name<'_>, other: &Name<'_>) -> Draft {
    let how = if name.text.to_lowercase() == other.text.to_lowercase() {
        "they differ only in capitals".to_owned()
    } else if let Some(char) = strange(&name.text, &other.text) {
        format!("it holds {}", described(char))
    } else {
        "they differ only in characters that look alike".to_owned()
    };
    let (text, near, noun) = (&name.text, &other.text, name.noun());
    let matters = match name.member {
        Some(_) => "a policy for the one does not reach the other",
        None => "who reads or changes the one may mean the other",
    };
    let message = format!("`{text}` looks like `{near}` and is another {noun}: {how}; {matters}");
    let draft = Draft::new(name.span(), message).label(how).related(other.span(), format!("`{near}`, in `{}`", other.policy));
    draft.help(format!("write `{near}` if that is meant; else rename one of the two, so that a reader can tell them apart"))
}

/// A name that is suspicious by itself.
fn alone(name: &Name<'_>) -> Option<Draft> {
    if name.text.is_ascii() {
        return None;
    }
    let (text, noun) = (&name.text, name.noun());
    if let Some(char) = text.chars().find(|&char| is_invisible(char)) {
        let message = format!("`{text}` holds {}; the {noun} that a reader sees is another one", described(char));
        let draft = Draft::new(name.span(), message).label("hides a character");
        return Some(draft.help("remove the character, or write the name anew"));
    }
    let word = text
        .split(|char: char| !char.is_alphanumeric())
        .find(|word| word.bytes().any(|byte| byte.is_ascii_alphabetic()) && foreign(word).is_some())?;
    let message = format!("`{text}` mixes latin letters with {}; the {noun} that a reader sees is another one", described(foreign(word)?));
    let draft = Draft::new(name.span(), message).label("mixes scripts");
    Some(draft.help("write the name anew, in one script"))
}

/// The first character of another script that is mistaken for a Latin one.
fn foreign(word: &str) -> Option<char> {
    word.chars().find(|&char| char.script() != Script::Latin && char.is_alphabetic() && is_potential_mixed_script_confusable_char(char))
}

/// The first character of a name that the other one does not have, and that is not plain.
fn strange(text: &str, other: &str) -> Option<char> {
    text.chars().find(|char| !char.is_ascii() && !other.contains(*char))
}

/// Nothing is seen of the character, and it does not change the order of others, which is another finding.
fn is_invisible(char: char) -> bool {
    let mut buffer = [0; 4];
    let ordering = matches!(char, '\u{61c}' | '\u{200e}' | '\u{200f}' | '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}');
    !char.is_ascii() && !ordering && skeleton(char.encode_utf8(&mut buffer)).next().is_none()
}

/// A character, by what cannot be mistaken.
fn described(char: char) -> String {
    let number = u32::from(char);
    if is_invisible(char) {
        return format!("an invisible character, U+{number:04X}");
    }
    match char.script() {
        Script::Common | Script::Inherited | Script::Unknown => format!("`{char}`, U+{number:04X}"),
        script => format!("`{char}`, U+{number:04X} ({})", script.full_name().to_lowercase()),
    }
}
