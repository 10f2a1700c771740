//! What secrets look like: the published shapes of tokens and keys, and values that are assigned to a password.
//!
//! Small scanners over the words of one line instead of regular expressions: a word is looked at once, and told by how it
//! begins. Group ids, digests and addresses of people are words too, so a shape has to be exact, and a value that stands for
//! something else (`{me.token}`, `${TOKEN}`, `<token>`) is none.

use std::ops::Range;

/// A secret in a line.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Secret {
    /// Its bytes in the line.
    pub(super) range: Range<usize>,
    /// What it is, with its article.
    pub(super) kind: &'static str,
    /// How it begins, if it is long enough for that to give nothing away.
    pub(super) begins: Option<String>,
}

/// How a kind of token is written: a prefix, and behind it so many characters of a set.
struct Shape {
    prefix: &'static str,
    kind: &'static str,
    accepts: fn(u8) -> bool,
    least: usize,
    most: usize,
}

const fn shape(prefix: &'static str, kind: &'static str, accepts: fn(u8) -> bool, least: usize, most: usize) -> Shape {
    Shape { prefix, kind, accepts, least, most }
}

/// No published bound on the length.
const OPEN: usize = usize::MAX;

/// The shapes as their makers document them.
const SHAPES: [Shape; 19] = [
    shape("AKIA", "an AWS access key id", capital_or_digit, 16, 16),
    shape("ASIA", "a temporary AWS access key id", capital_or_digit, 16, 16),
    shape("ghp_", "a GitHub personal access token", letter_or_digit, 36, OPEN),
    shape("gho_", "a GitHub OAuth token", letter_or_digit, 36, OPEN),
    shape("ghu_", "a GitHub user token", letter_or_digit, 36, OPEN),
    shape("ghs_", "a GitHub server token", letter_or_digit, 36, OPEN),
    shape("ghr_", "a GitHub refresh token", letter_or_digit, 36, OPEN),
    shape("github_pat_", "a GitHub personal access token", in_word, 22, OPEN),
    shape("glpat-", "a GitLab personal access token", in_word, 20, OPEN),
    shape("xoxa-", "a Slack token", in_word, 10, OPEN),
    shape("xoxb-", "a Slack token", in_word, 10, OPEN),
    shape("xoxe-", "a Slack token", in_word, 10, OPEN),
    shape("xoxp-", "a Slack token", in_word, 10, OPEN),
    shape("xoxr-", "a Slack token", in_word, 10, OPEN),
    shape("xoxs-", "a Slack token", in_word, 10, OPEN),
    shape("AIza", "a Google API key", in_word, 35, 35),
    shape("sk_live_", "a Stripe secret key", letter_or_digit, 16, OPEN),
    shape("rk_live_", "a Stripe restricted key", letter_or_digit, 16, OPEN),
    shape("npm_", "an npm access token", letter_or_digit, 36, 36),
];

/// No shape is shorter than this many bytes, and most words are.
const SHORTEST: usize = 15;

/// How much of a value is looked at, in bytes.
const LONGEST_VALUE: usize = 512;

/// Ends of names whose value is a password.
const PASSWORDS: [&str; 4] = ["password", "passwd", "passphrase", "pwd"];

/// Ends of names whose value is a token or a key.
const KEYS: [&str; 9] = ["token", "secret", "apikey", "api_key", "api-key", "access_key", "accesskey", "secret_key", "private_key"];

/// Words that stand where a password would.
const NO_PASSWORDS: [&str; 10] =
    ["required", "optional", "expired", "missing", "unknown", "invalid", "redacted", "changed", "disabled", "enabled"];

/// The first secret in a line. Takes time in proportion to the length of the line.
pub(super) fn find(line: &str) -> Option<Secret> {
    private_key(line)
        .into_iter()
        .chain(words(line).find_map(|word| in_one(line, word)))
        .chain(in_address(line))
        .min_by_key(|one| one.range.start)
}

/// The words of a line: letters, digits, `_` and `-`.
fn words(line: &str) -> impl Iterator<Item = Range<usize>> {
    let bytes = line.as_bytes();
    let mut at = 0;
    std::iter::from_fn(move || {
        let start = at + bytes.get(at..)?.iter().position(|&byte| in_word(byte))?;
        let length = bytes.get(start..)?.iter().position(|&byte| !in_word(byte));
        at = length.map_or(bytes.len(), |length| start + length);
        Some(start..at)
    })
}

fn in_one(line: &str, word: Range<usize>) -> Option<Secret> {
    let text = line.get(word.clone())?;
    let found = if text.len() < SHORTEST {
        json_web_token(line, &word)
    } else {
        let found = shaped(text).map(|kind| (word.clone(), kind));
        found.or_else(|| json_web_token(line, &word)).or_else(|| own_token(line, &word))
    };
    let (range, kind) = found.or_else(|| assigned(line, &word))?;
    let begins = line.get(range.clone()).filter(|text| text.len() >= 16).map(|text| text.chars().take(4).collect());
    Some(Secret { range, kind, begins })
}

fn shaped(word: &str) -> Option<&'static str> {
    let fits = |shape: &&Shape| {
        word.strip_prefix(shape.prefix).is_some_and(|rest| {
            let length = (shape.least..=shape.most).contains(&rest.len());
            length && rest.bytes().all(shape.accepts) && !is_filler(rest)
        })
    };
    SHAPES.iter().find(fits).map(|shape| shape.kind)
}

/// Three parts of base64url, of which the first two begin as JSON objects do.
fn json_web_token(line: &str, word: &Range<usize>) -> Option<(Range<usize>, &'static str)> {
    const LEAST: usize = 10;
    let part = |start: usize| {
        let rest = line.get(start..)?;
        let length = rest.bytes().take_while(|&byte| in_word(byte)).count();
        rest.get(..length).filter(|part| part.len() >= LEAST)
    };
    if !line.get(word.start..)?.starts_with("eyJ") {
        return None;
    }
    let header = part(word.start)?;
    let dot = |end: usize| line.get(end..)?.starts_with('.').then_some(end + 1);
    let payload_at = dot(word.start + header.len())?;
    let payload = part(payload_at).filter(|payload| payload.starts_with("eyJ"))?;
    let signature_at = dot(payload_at + payload.len())?;
    let end = signature_at + part(signature_at)?.len();
    Some((word.start..end, "a JSON web token"))
}

/// A token of lawbook itself: 32 random bytes in base64url, 43 characters. Nothing marks it, so it also has to look random: a fingerprint
/// has its `SHA256:`, and a long name changes between capitals, small letters and digits less often than chance does.
fn own_token(line: &str, word: &Range<usize>) -> Option<(Range<usize>, &'static str)> {
    const LENGTH: usize = 43;
    let bytes = line.as_bytes().get(word.clone()).filter(|bytes| bytes.len() == LENGTH)?;
    let joined = |byte: Option<&u8>| byte.is_some_and(|byte| b":+/=.".contains(byte));
    let (before, behind) = (word.start.checked_sub(1).and_then(|at| line.as_bytes().get(at)), line.as_bytes().get(word.end));
    let class = |byte: &u8| (byte.is_ascii_uppercase(), byte.is_ascii_lowercase(), byte.is_ascii_digit());
    let of = |wanted: fn(&u8) -> bool| bytes.iter().filter(|byte| wanted(byte)).count();
    let changes = bytes.windows(2).filter(|pair| pair.first().map(class) != pair.last().map(class)).count();
    // The last character carries four bits, so the two lowest of its six are zero.
    let ends = bytes.last().is_some_and(|last| b"AEIMQUYcgkosw048".contains(last));
    let random = of(u8::is_ascii_uppercase) >= 7 && of(u8::is_ascii_lowercase) >= 7 && of(u8::is_ascii_digit) >= 2 && changes >= 20;
    (ends && random && !joined(before) && !joined(behind)).then_some((word.clone(), "a token of lawbook or another random key"))
}

/// A value behind `password=`, `api_key:` and the like.
fn assigned(line: &str, name: &Range<usize>) -> Option<(Range<usize>, &'static str)> {
    let word = line.get(name.clone())?;
    // Most words end in another letter than any of the names, or have no value behind them.
    if !word.ends_with(['d', 'D', 'e', 'E', 'n', 'N', 't', 'T', 'y', 'Y']) || !line.get(name.end..)?.starts_with(['=', ':', ' ', '"', '\''])
    {
        return None;
    }
    let is_password = ends_in(word, &PASSWORDS);
    if !is_password && !ends_in(word, &KEYS) {
        return None;
    }
    let behind = line.get(name.end..)?.trim_start_matches(['\'', '"']);
    let sign = behind.trim_start();
    let value = sign.strip_prefix(['=', ':'])?.trim_start_matches('=');
    let joined = behind.starts_with('=') && !value.starts_with(' ');
    let value = value.trim_start().trim_start_matches(['\'', '"', '\\']);
    let start = line.len() - value.len();
    let value = value.get(..value.floor_char_boundary(LONGEST_VALUE))?;
    let length = value.find(|char: char| char.is_whitespace() || "'\"\\,;&)]}".contains(char)).unwrap_or(value.len());
    let text = value.get(..length)?;
    let secret = if is_password { is_password_like(text, joined) } else { is_key_like(text) };
    let kind = if is_password { "a password" } else { "a secret key or token" };
    (secret && !is_filler(text)).then_some((start..start + length, kind))
}

/// Whether a name ends in one of some words, at a place where a word begins: `db_password`, `clientSecret`.
fn ends_in(name: &str, words: &[&str]) -> bool {
    words.iter().any(|word| {
        let Some(at) = name.len().checked_sub(word.len()) else { return false };
        let (Some(before), Some(end)) = (name.get(..at), name.get(at..)) else { return false };
        let begins = before.is_empty() || before.ends_with(['_', '-']) || end.starts_with(|first: char| first.is_ascii_uppercase());
        begins && end.eq_ignore_ascii_case(word)
    })
}

/// With a sign that touches both sides, as in a connection string, nearly any text is a password; prose and conditions use spaces.
fn is_password_like(text: &str, joined: bool) -> bool {
    const LEAST: usize = 6;
    let letters = text.chars().any(char::is_alphabetic);
    let others = text.chars().any(|char| !char.is_alphabetic());
    let is_plain_word = NO_PASSWORDS.iter().any(|word| text.eq_ignore_ascii_case(word));
    text.len() >= LEAST && letters && (others || joined) && !is_plain_word
}

/// A random text: long, of letters and digits, and no UUID, digest or name with hyphens.
fn is_key_like(text: &str) -> bool {
    const LEAST: usize = 16;
    let accepted = text.bytes().all(|byte| in_word(byte) || b"+/=.~".contains(&byte));
    let has = |wanted: fn(&u8) -> bool| text.as_bytes().iter().any(wanted);
    let digest = text.bytes().all(|byte| byte.is_ascii_hexdigit() || byte == b'-');
    let both = has(u8::is_ascii_uppercase) && has(u8::is_ascii_lowercase);
    let separated = has(|byte| b"-_./".contains(byte));
    text.len() >= LEAST && accepted && !digest && has(u8::is_ascii_digit) && has(u8::is_ascii_alphabetic) && (both || !separated)
}

/// Whether a text stands for a value instead of being one: one character repeated, or something to be filled in.
fn is_filler(text: &str) -> bool {
    let repeated = text.chars().next().is_none_or(|first| text.chars().all(|char| char == first));
    repeated || text.starts_with(['{', '$', '<', '*', '[', '(', '%'])
}

/// The first line of a private key in PEM form, with whatever kind of key it names.
fn private_key(line: &str) -> Option<Secret> {
    // Few lines hold a capital `B`, and one character is found faster than a text.
    let start = line.contains('B').then(|| line.find("-----BEGIN "))??;
    let rest = line.get(start..)?;
    let end = rest.find("PRIVATE KEY")? + "PRIVATE KEY".len();
    (end <= 60).then(|| Secret { range: start..start + end, kind: "a private key", begins: None })
}

/// The password of `scheme://user:password@host`.
fn in_address(line: &str) -> Option<Secret> {
    if !line.contains('/') {
        return None;
    }
    line.match_indices("://").find_map(|(at, sign)| {
        let start = at + sign.len();
        let rest = line.get(start..)?;
        let authority = rest.get(..rest.find(|char: char| char.is_whitespace() || "/?#'\"".contains(char)).unwrap_or(rest.len()))?;
        let (user, _) = authority.rsplit_once('@')?;
        let (name, password) = user.split_once(':')?;
        let from = start + name.len() + 1;
        let secret = Secret { range: from..from + password.len(), kind: "a password in an address", begins: None };
        (!is_filler(password)).then_some(secret)
    })
}

fn in_word(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || byte == b'_' || byte == b'-'
}

fn letter_or_digit(byte: u8) -> bool {
    byte.is_ascii_alphanumeric()
}

fn capital_or_digit(byte: u8) -> bool {
    byte.is_ascii_uppercase() || byte.is_ascii_digit()
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The secrets are put together here, so that no tool takes this file for one that holds any.
    #[track_caller]
    fn check(line: &str, expected: Option<(&str, &str)>) {
        let found = find(line).map(|secret| (secret.kind, line[secret.range].to_owned()));
        assert_eq!(found, expected.map(|(kind, text)| (kind, text.to_owned())).map(|(kind, text)| (found_kind(kind), text)), "{line}");
    }

    fn found_kind(kind: &str) -> &'static str {
        let own = ["a private key", "a password", "a secret key or token", "a JSON web token", "a password in an address"];
        let shapes = SHAPES.iter().map(|shape| shape.kind);
        shapes.chain(own).chain(["a token of lawbook or another random key"]).find(|known| *known == kind).expect("a kind")
    }

    const RANDOM: &str = "q7Xe2LmZ9vTb4KsYw1RcUa8DhNg3FpJi6Qx0";

    #[test]
    fn tokens_are_told_by_their_shape() {
        for shape in &SHAPES {
            let body: String = RANDOM.repeat(3).to_ascii_uppercase().chars().take(shape.least).collect();
            let token = format!("{}{body}", shape.prefix);
            check(&format!("# use \"{token}\", please"), Some((shape.kind, &token)));
            check(&format!("x{token}"), None);
            check(&token[..token.len() - 1], None);
            assert!(token.len() >= SHORTEST, "{}", shape.prefix);
            check(&format!("{}{}", shape.prefix, "x".repeat(shape.least)), None);
        }
        check("AKIAIOSFODNN7EXAMPLES", None);
    }

    #[test]
    fn keys_and_web_tokens_are_told() {
        let pem = |kind: &str| format!("key: '-----BEGIN {kind}PRIVATE KEY-----'");
        for kind in ["", "RSA ", "EC ", "OPENSSH ", "ENCRYPTED "] {
            check(&pem(kind), Some(("a private key", &format!("-----BEGIN {kind}PRIVATE KEY"))));
        }
        check("-----BEGIN PUBLIC KEY-----", None);
        let token = format!("eyJhbGciOiJI.eyJzdWIiOiIx.{RANDOM}");
        check(&format!("Bearer {token}"), Some(("a JSON web token", &token)));
        check("eyJhbGciOiJI.eyJzdWIiOiIx", None);
        check("eyJhbGciOiJI.short.eyJ", None);
    }

    #[test]
    fn a_token_of_lawbook_looks_random() {
        let token = format!("{RANDOM}aB3-d_E");
        let token = format!("{}A", &token[..42]);
        check(&token, Some(("a token of lawbook or another random key", &token)));
        check(&format!("SHA256:{token}"), None);
        check(&format!("{token}="), None);
        check(&token[..42], None);
        check("ReadReportsOfTheFinanceDepartmentInGermany4", None);
        check("read-reports-of-the-finance-department-no-4", None);
        check(&format!("{}B", &token[..42]), None);
    }

    #[test]
    fn values_behind_a_name_are_told() {
        check("password: hunter22", Some(("a password", "hunter22")));
        check("# db_password=letmein", Some(("a password", "letmein")));
        check("note: Server=x;PWD=s3cret!;", Some(("a password", "s3cret!")));
        check(r#"{"dbPassword": "tr0ub4dor"}"#, Some(("a password", "tr0ub4dor")));
        check("api_key = 'a1B2c3D4e5F6g7H8'", Some(("a secret key or token", "a1B2c3D4e5F6g7H8")));
        check("clientSecret: a1b2c3d4e5f6g7h8", Some(("a secret key or token", "a1b2c3d4e5f6g7h8")));
        check("postgres://app:s3cret@db/x", Some(("a password in an address", "s3cret")));
    }

    #[test]
    fn what_is_no_secret_is_left_alone() {
        for line in [
            "members: [39c6cccd-d6ea-4ac1-b564-8e4d1e28d75d]",
            "secret: 39c6cccd-d6ea-4ac1-b564-8e4d1e28d75d",
            "sha256:9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08",
            "token: 9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08",
            "members: [ann.with.a.very.long.name.42@subdomain.example.com]",
            "condition: token = {me.token} and secret = true",
            "condition: \"{context.password} = 'x1y2z3'\"",
            "password: required",
            "# password: see the vault",
            "password: ${DB_PASSWORD}",
            "password=<yours>",
            "password=********",
            "service: secret",
            "secret: report-archive-2024-old",
            "max_password_age: 90days",
            "see https://example.com/a?token=none and mailto://ann@example.com",
            "https://user:${PASSWORD}@example.com",
            "token",
            "password=",
            "",
        ] {
            check(line, None);
        }
    }
}
