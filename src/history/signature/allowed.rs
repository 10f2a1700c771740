//! The file of keys that may sign, `allowed_signers` (ssh-keygen(1), ALLOWED SIGNERS).
//!
//! A line that cannot be read vouches for nobody and is passed over, as `ssh-keygen` does, but it is told: somebody thinks
//! that it says something. Times without `Z` are UTC here, not the time zone of whichever machine looks at the history.

use std::collections::HashMap;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use jiff::Timestamp;
use jiff::civil::DateTime;

use super::pattern::Patterns;
use super::ssh::Key;
use super::ssh::NAMESPACE;
use super::ssh::is_kind;

/// A line of the file that cannot be read.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SignersProblem {
    /// The line, from 1.
    pub line: usize,
    /// What is wrong with it.
    pub message: String,
}

/// The keys that may sign, with the names that they sign for.
#[derive(Debug, Clone, Default)]
pub struct AllowedSigners {
    signers: Vec<Signer>,
    by_key: HashMap<Key, Vec<usize>>,
    problems: Vec<SignersProblem>,
}

#[derive(Debug, Clone, PartialEq, Eq)]
struct Signer {
    line: usize,
    principals: Patterns,
    options: Options,
}

#[derive(Debug, Clone, Default, PartialEq, Eq)]
struct Options {
    authority: bool,
    namespaces: Option<Patterns>,
    after: Option<Moment>,
    before: Option<Moment>,
}

/// A point in time as it is written, in seconds since 1970.
#[derive(Debug, Clone, PartialEq, Eq)]
struct Moment {
    seconds: i64,
    text: String,
}

impl AllowedSigners {
    /// Reads the file.
    pub fn parse(bytes: &[u8]) -> Self {
        let mut file = Self::default();
        for (at, line) in bytes.split(|&byte| byte == b'\n').enumerate() {
            let line = line.strip_suffix(b"\r").unwrap_or(line);
            match read(at + 1, line) {
                Ok(None) => {}
                Ok(Some((key, signer))) => {
                    file.by_key.entry(key).or_default().push(file.signers.len());
                    file.signers.push(signer);
                }
                Err(message) => file.problems.push(SignersProblem { line: at + 1, message }),
            }
        }
        file
    }

    /// The lines that cannot be read.
    pub fn problems(&self) -> &[SignersProblem] {
        &self.problems
    }

    /// Whose key it is, for signatures of commits made at a time, in seconds since 1970. `people` are the addresses that it is
    /// likely to sign for, for a line with several names.
    pub(super) fn principal(&self, key: &Key, at: i64, people: &[&str]) -> Result<&str, String> {
        let lines = self.by_key.get(key).into_iter().flatten().filter_map(|&index| self.signers.get(index));
        let mut why = None;
        for signer in lines {
            match signer.accepts(at) {
                Ok(()) => match signer.principals.name(people) {
                    Some(name) => return Ok(name),
                    None => why = Some(format!("line {} accepts none of its own names", signer.line)),
                },
                Err(refusal) => why = why.or(Some(refusal)),
            }
        }
        Err(why.unwrap_or_else(|| "its key is not there".to_owned()))
    }
}

impl Signer {
    fn accepts(&self, at: i64) -> Result<(), String> {
        let Self { line, options, .. } = self;
        if options.authority {
            return Err(format!("line {line} lets its key issue certificates, not sign"));
        }
        if options.namespaces.as_ref().is_some_and(|namespaces| !namespaces.accept(NAMESPACE)) {
            return Err(format!("line {line} does not let its key sign for `{NAMESPACE}`"));
        }
        if let Some(after) = options.after.as_ref().filter(|after| at < after.seconds) {
            return Err(format!("line {line} lets its key sign only from {} on", after.text));
        }
        if let Some(before) = options.before.as_ref().filter(|before| at > before.seconds) {
            return Err(format!("line {line} lets its key sign only until {}", before.text));
        }
        Ok(())
    }
}

/// Reads one line; nothing of an empty one and a comment.
fn read(line: usize, bytes: &[u8]) -> Result<Option<(Key, Signer)>, String> {
    /// More than any key with any options needs.
    const LONGEST: usize = 64 * 1024;
    if bytes.len() > LONGEST {
        return Err("the line is too long".to_owned());
    }
    let text = std::str::from_utf8(bytes).map_err(|_| "the line is not UTF-8".to_owned())?.trim_matches([' ', '\t']);
    if text.is_empty() || text.starts_with('#') {
        return Ok(None);
    }
    let (principals, rest) = first_word(text)?;
    let principals = Patterns::parse(principals).ok_or("it names no principal")?;
    let (options, rest) = match rest.split([' ', '\t']).next() {
        Some(word) if is_kind(word) => (Options::default(), rest),
        _ => {
            let (options, rest) = split_options(rest)?;
            // A kind of key that is not known stands where options may stand as well.
            let options = Options::parse(options).map_err(|why| match rest.is_empty() {
                true => "it has no key".to_owned(),
                false => why,
            })?;
            (options, rest)
        }
    };
    let mut words = rest.split([' ', '\t']).filter(|word| !word.is_empty());
    let (Some(kind), Some(encoded)) = (words.next(), words.next()) else { return Err("it has no key".to_owned()) };
    if !is_kind(kind) {
        return Err(format!("`{kind}` is no kind of key that signatures are verified by"));
    }
    let key = STANDARD.decode(encoded).map(|bytes| Key::new(&bytes)).map_err(|_| "the key is not base64".to_owned())?;
    if key.kind() != kind {
        return Err(format!("the key is not of the kind `{kind}`"));
    }
    Ok(Some((key, Signer { line, principals, options })))
}

/// The first word, which may stand in quotes, and what follows it.
fn first_word(text: &str) -> Result<(&str, &str), String> {
    let (word, rest) = match text.strip_prefix('"') {
        Some(quoted) => quoted.split_once('"').ok_or("a quote is not closed")?,
        None => text.split_once([' ', '\t']).unwrap_or((text, "")),
    };
    Ok((word, rest.trim_start_matches([' ', '\t'])))
}

/// What stands before the first blank outside of quotes, and what follows it.
fn split_options(text: &str) -> Result<(&str, &str), String> {
    let mut quoted = false;
    let mut escaped = false;
    for (at, char) in text.char_indices() {
        match char {
            '"' if !escaped => quoted = !quoted,
            ' ' | '\t' if !quoted => {
                let (options, rest) = text.split_at(at);
                return Ok((options, rest.trim_start_matches([' ', '\t'])));
            }
            _ => {}
        }
        escaped = char == '\\' && !escaped;
    }
    if quoted { Err("a quote is not closed".to_owned()) } else { Ok((text, "")) }
}

impl Options {
    fn parse(text: &str) -> Result<Self, String> {
        let mut options = Self::default();
        let mut rest = text;
        while !rest.is_empty() {
            let end = rest.find([',', '=']).unwrap_or(rest.len());
            let (name, after) = rest.split_at(end);
            let (value, after) = match after.strip_prefix('=') {
                Some(after) => quoted(after).map(|(value, after)| (Some(value), after))?,
                None => (None, after),
            };
            options.set(name, value.as_deref())?;
            rest = match after.strip_prefix(',') {
                Some("") => return Err("the options end in a comma".to_owned()),
                Some(more) => more,
                None if after.is_empty() => "",
                None => return Err(format!("a comma is missing after the option `{name}`")),
            };
        }
        match (&options.after, &options.before) {
            (Some(after), Some(before)) if before.seconds <= after.seconds => {
                Err("`valid-before` is not later than `valid-after`".to_owned())
            }
            _ => Ok(options),
        }
    }

    fn set(&mut self, name: &str, value: Option<&str>) -> Result<(), String> {
        let name = name.to_ascii_lowercase();
        let again = || format!("the option `{name}` stands there twice");
        let moment = |place: &mut Option<Moment>, text: &str| match place {
            Some(_) => Err(again()),
            None => moment(text).map(|moment| *place = Some(moment)),
        };
        match (name.as_str(), value) {
            ("cert-authority", None) => self.authority = true,
            ("namespaces", Some(value)) if self.namespaces.is_none() => {
                self.namespaces = Some(Patterns::parse(value).ok_or("`namespaces` names none")?);
            }
            ("namespaces", Some(_)) => return Err(again()),
            ("valid-after", Some(value)) => moment(&mut self.after, value)?,
            ("valid-before", Some(value)) => moment(&mut self.before, value)?,
            ("namespaces" | "valid-after" | "valid-before", None) => return Err(format!("the option `{name}` has no value")),
            ("cert-authority", Some(_)) => return Err(format!("the option `{name}` takes no value")),
            _ => return Err(format!("`{name}` is neither an option nor a kind of key that signatures are verified by")),
        }
        Ok(())
    }
}

/// A value in quotes, and what follows it.
fn quoted(text: &str) -> Result<(String, &str), String> {
    let text = text.strip_prefix('"').ok_or("the value of an option is not in quotes")?;
    let mut value = String::new();
    let mut chars = text.char_indices().peekable();
    while let Some((at, char)) = chars.next() {
        match char {
            '"' => return Ok((value, text.get(at + 1..).unwrap_or_default())),
            '\\' if chars.next_if(|&(_, next)| next == '"').is_some() => value.push('"'),
            _ => value.push(char),
        }
    }
    Err("a quote is not closed".to_owned())
}

/// Reads `YYYYMMDD`, `YYYYMMDDHHMM` or `YYYYMMDDHHMMSS`, with or without `Z`.
fn moment(text: &str) -> Result<Moment, String> {
    let plain = text.strip_suffix(['Z', 'z']).unwrap_or(text);
    let refuse = || format!("`{text}` is no time such as `20260301` or `202603011030Z`");
    if !matches!(plain.len(), 8 | 12 | 14) || !plain.bytes().all(|byte| byte.is_ascii_digit()) {
        return Err(refuse());
    }
    let full = format!("{plain:0<14}");
    let part = |range: std::ops::Range<usize>| full.get(range).and_then(|digits| digits.parse::<i8>().ok()).ok_or_else(refuse);
    let year = full.get(..4).and_then(|digits| digits.parse::<i16>().ok()).ok_or_else(refuse)?;
    let time = DateTime::new(year, part(4..6)?, part(6..8)?, part(8..10)?, part(10..12)?, part(12..14)?, 0).map_err(|_| refuse())?;
    let at: Timestamp = time.to_zoned(jiff::tz::TimeZone::UTC).map_err(|_| refuse())?.timestamp();
    Ok(Moment { seconds: at.as_second(), text: text.to_owned() })
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    const KEY: &str = "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIAABAgMEBQYHCAkKCwwNDg8QERITFBUWFxgZGhscHR4f";

    fn key() -> Key {
        Key::new(&STANDARD.decode(KEY.split(' ').nth(1).unwrap()).unwrap())
    }

    /// What a file says of the key for a commit by Ann on 2026-03-01 at 12:00 UTC, with the lines that are not read.
    #[track_caller]
    fn check(text: &str, expected: Result<&str, &str>, unread: &[(usize, &str)]) {
        let file = AllowedSigners::parse(text.replace("KEY", KEY).as_bytes());
        let told = file.principal(&key(), 1_772_366_400, &["ann@example.com"]);
        assert_eq!(told.map_err(|why| why.clone()), expected.map_err(str::to_owned), "{text}");
        let problems: Vec<_> = file.problems().iter().map(|problem| (problem.line, problem.message.as_str())).collect();
        assert_eq!(problems, unread, "{text}");
    }

    #[test]
    fn lines_are_read_as_ssh_keygen_reads_them() {
        check("", Err("its key is not there"), &[]);
        check("ann@example.com KEY", Ok("ann@example.com"), &[]);
        check("# keys\r\n\r\n\t ann@example.com \t KEY ann's key\r\n", Ok("ann@example.com"), &[]);
        check("\"ann@example.com,bob\" KEY", Ok("ann@example.com"), &[]);
        check("bob,ann@* KEY", Ok("ann@*"), &[]);
        check("bob KEY", Ok("bob"), &[]);
        check("ann namespaces=\"git\" KEY", Ok("ann"), &[]);
        check("ann NameSpaces=\"file,g*\",valid-after=\"20260301\" KEY x", Ok("ann"), &[]);
        check("ann namespaces=\"a b\" KEY", Err("line 1 does not let its key sign for `git`"), &[]);
        check("ann namespaces=\"*,!git\" KEY", Err("line 1 does not let its key sign for `git`"), &[]);
        check("ann cert-authority KEY", Err("line 1 lets its key issue certificates, not sign"), &[]);
        check("ann cert-authority KEY\nann KEY", Ok("ann"), &[]);
        check("!ann,ann KEY", Err("line 1 accepts none of its own names"), &[]);
    }

    #[test]
    fn times_are_those_of_the_committer() {
        for (from, until) in [("20260301", "20260302"), ("202603011200", "202603011200Z"), ("20260301120000z", "20260301120000")] {
            check(&format!("ann valid-after=\"{from}\" KEY"), Ok("ann"), &[]);
            check(&format!("ann valid-before=\"{until}\" KEY"), Ok("ann"), &[]);
        }
        check("ann valid-after=\"20260301120001\" KEY", Err("line 1 lets its key sign only from 20260301120001 on"), &[]);
        check("ann valid-before=\"202603011159\" KEY", Err("line 1 lets its key sign only until 202603011159"), &[]);
        check(
            "ann valid-before=\"2025\" KEY",
            Err("its key is not there"),
            &[(1, "`2025` is no time such as `20260301` or `202603011030Z`")],
        );
        check(
            "ann valid-before=\"20261301\" KEY",
            Err("its key is not there"),
            &[(1, "`20261301` is no time such as `20260301` or `202603011030Z`")],
        );
        let backwards = "ann valid-after=\"20260301\",valid-before=\"20260301\" KEY";
        check(backwards, Err("its key is not there"), &[(1, "`valid-before` is not later than `valid-after`")]);
    }

    #[test]
    fn a_line_that_cannot_be_read_is_told_and_the_others_count() {
        let unread = |line: &str, why: &str| check(&format!("{line}\nann KEY"), Ok("ann"), &[(1, why)]);
        unread("ann", "it has no key");
        unread("ann ssh-ed25519", "it has no key");
        unread("ann ssh-ed25519 !!", "the key is not base64");
        unread("ann ssh-rsa AAAAC3NzaC1lZDI1NTE5AAAAIAABAgM=", "the key is not of the kind `ssh-rsa`");
        unread("ann ssh-dss AAAA", "`ssh-dss` is neither an option nor a kind of key that signatures are verified by");
        unread("ann cert-authority ssh-dss AAAA", "`ssh-dss` is no kind of key that signatures are verified by");
        unread("\"ann KEY", "a quote is not closed");
        unread("\"\" KEY", "it names no principal");
        unread("ann namespaces=\"git KEY", "a quote is not closed");
        unread("ann namespaces=git KEY", "the value of an option is not in quotes");
        unread("ann namespaces KEY", "the option `namespaces` has no value");
        unread("ann namespaces=\"a\",namespaces=\"b\" KEY", "the option `namespaces` stands there twice");
        unread("ann cert-authority=\"x\" KEY", "the option `cert-authority` takes no value");
        unread("ann cert-authority, KEY", "the options end in a comma");
        unread("ann namespaces=\"git\"x KEY", "a comma is missing after the option `namespaces`");
        let file = AllowedSigners::parse(b"ann \xff\n");
        assert_eq!(file.problems().first().map(|problem| problem.message.as_str()), Some("the line is not UTF-8"));
    }

    proptest! {
        #[test]
        fn no_bytes_break_the_reader(bytes in proptest::collection::vec(any::<u8>(), 0..200)) {
            AllowedSigners::parse(&bytes);
        }

        #[test]
        fn nothing_that_looks_like_a_line_breaks_the_reader(
            parts in proptest::collection::vec("(ann|\"|\\\\|,|=|!|\\*| |\t|\n|#|namespaces|valid-before|2026|Z|é|cert-authority|ssh-ed25519|AAAA)", 0..30)
        ) {
            let text = parts.concat();
            let file = AllowedSigners::parse(text.as_bytes());
            let _ = file.principal(&key(), 0, &["ann"]);
            prop_assert!(file.problems().iter().all(|problem| problem.line <= text.lines().count().max(1)));
        }
    }
}
