//! Text to lexemes.
//!
//! What can only be meant for another language (`&&`, `${…}`, `2024-01-01` without quotes) is refused here, where it is still whole.

use std::ops::Range;

use super::CompareOp;
use super::ConditionError;
use super::error::excerpt;
use super::refuse;

/// What a lexeme is.
#[derive(Debug, Clone, PartialEq)]
pub(super) enum Token {
    /// A bare name or a keyword, as written in the text.
    Word,
    /// A name in back quotes, without them.
    Name(String),
    /// A string, without its quotes and escapes.
    Text(String),
    /// A number, as written in the text.
    Number,
    /// `=`, `==` and so on.
    Compare(CompareOp),
    /// `(`, `)`, `[`, `]`, `{`, `}`, `,` or `.`.
    Mark(char),
}

/// A token and its place.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Lexeme {
    pub(super) token: Token,
    pub(super) range: Range<usize>,
}

/// A word that is no name in the first place of a path.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Keyword {
    And,
    Or,
    Not,
    In,
    Nin,
    Like,
    Matches,
    Exists,
    True,
    False,
    Null,
}

impl Keyword {
    const ALL: [(&'static str, Self); 11] = [
        ("and", Self::And),
        ("or", Self::Or),
        ("not", Self::Not),
        ("in", Self::In),
        ("nin", Self::Nin),
        ("like", Self::Like),
        ("matches", Self::Matches),
        ("exists", Self::Exists),
        ("true", Self::True),
        ("false", Self::False),
        ("null", Self::Null),
    ];

    /// The keyword a word is, in whatever case.
    pub(super) fn from_word(word: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|(text, _)| text.eq_ignore_ascii_case(word)).map(|(_, keyword)| keyword)
    }
}

/// The comparisons, longer ones before their beginnings.
const COMPARISONS: [(&str, CompareOp); 8] = [
    ("==", CompareOp::Eq),
    ("!=", CompareOp::Ne),
    ("<>", CompareOp::Ne),
    ("<=", CompareOp::Le),
    (">=", CompareOp::Ge),
    ("=", CompareOp::Eq),
    ("<", CompareOp::Lt),
    (">", CompareOp::Gt),
];

/// The lexemes of a text, or the first thing that is none.
pub(super) fn lex(text: &str) -> Result<Vec<Lexeme>, ConditionError> {
    let mut lexer = Lexer { text, at: 0 };
    let mut lexemes = Vec::new();
    loop {
        lexer.take_while(char::is_whitespace);
        let start = lexer.at;
        let Some(first) = lexer.peek() else { return Ok(lexemes) };
        let token = lexer.token(first)?;
        lexemes.push(Lexeme { token, range: start..lexer.at });
    }
}

struct Lexer<'t> {
    text: &'t str,
    at: usize,
}

impl<'t> Lexer<'t> {
    fn rest(&self) -> &'t str {
        self.text.get(self.at..).unwrap_or("")
    }

    fn peek(&self) -> Option<char> {
        self.rest().chars().next()
    }

    fn take(&mut self) -> Option<char> {
        let char = self.peek()?;
        self.at += char.len_utf8();
        Some(char)
    }

    fn take_while(&mut self, accept: impl Fn(char) -> bool) -> &'t str {
        let rest = self.rest();
        let length = rest.find(|char| !accept(char)).unwrap_or(rest.len());
        self.at += length;
        rest.get(..length).unwrap_or("")
    }

    fn token(&mut self, first: char) -> Result<Token, ConditionError> {
        match first {
            'a'..='z' | 'A'..='Z' | '_' | '#' => {
                self.take();
                self.take_while(is_name_char);
                Ok(Token::Word)
            }
            '`' => self.quoted(first).map(Token::Name),
            '\'' | '"' => self.quoted(first).map(Token::Text),
            '0'..='9' => self.number(),
            '-' if self.rest().chars().nth(1).is_some_and(|next| next.is_ascii_digit()) => self.number(),
            '(' | ')' | '[' | ']' | '{' | '}' | ',' | '.' => {
                self.take();
                Ok(Token::Mark(first))
            }
            _ => self.comparison(first),
        }
    }

    fn comparison(&mut self, first: char) -> Result<Token, ConditionError> {
        let rest = self.rest();
        match COMPARISONS.into_iter().find(|(sign, _)| rest.starts_with(sign)) {
            Some((sign, op)) => {
                self.at += sign.len();
                Ok(Token::Compare(op))
            }
            None => Err(refuse::character(rest, self.at, first)),
        }
    }

    /// What stands between two quotes. Names know only the doubled quote; strings also the three escapes.
    fn quoted(&mut self, quote: char) -> Result<String, ConditionError> {
        let start = self.at;
        self.take();
        let mut value = String::new();
        while let Some(char) = self.take() {
            let next = self.peek();
            if char == quote && next != Some(quote) {
                return Ok(value);
            }
            let escape = char == '\\' && quote != '`' && matches!(next, Some('\\' | '\'' | '"'));
            if escape || char == quote {
                self.take();
            }
            value.push(if escape { next.unwrap_or(char) } else { char });
        }
        let what = if quote == '`' { "name" } else { "string" };
        let shown = excerpt(self.text.get(start..).unwrap_or(""));
        let error = ConditionError::syntax(start..self.text.len(), format!("the {what} `{shown}` has no end"));
        Err(error.help(format!("close it with {}", if quote == '`' { "a back quote".to_owned() } else { format!("`{quote}`") })))
    }

    fn number(&mut self) -> Result<Token, ConditionError> {
        let start = self.at;
        if self.peek() == Some('-') {
            self.take();
        }
        self.take_while(|char| char.is_ascii_digit());
        self.fraction();
        self.exponent();
        // Anything glued to a number makes it something else: a date, a version, an address, a name that starts with a digit.
        let glued = self.take_while(|char| is_name_char(char) || matches!(char, '.' | ':'));
        if glued.is_empty() {
            return Ok(Token::Number);
        }
        let written = self.text.get(start..self.at).unwrap_or("");
        let error = ConditionError::syntax(start..self.at, format!("`{}` is no number", excerpt(written)));
        Err(error.help(format!("write `'{}'` if it is a string", excerpt(written))))
    }

    fn fraction(&mut self) {
        let mut following = self.rest().chars();
        if following.next() == Some('.') && following.next().is_some_and(|next| next.is_ascii_digit()) {
            self.take();
            self.take_while(|char| char.is_ascii_digit());
        }
    }

    fn exponent(&mut self) {
        let rest = self.rest();
        let Some(exponent) = rest.strip_prefix(['e', 'E']) else { return };
        let digits = exponent.strip_prefix(['+', '-']).unwrap_or(exponent);
        if digits.starts_with(|char: char| char.is_ascii_digit()) {
            self.at += rest.len() - digits.len();
            self.take_while(|char| char.is_ascii_digit());
        }
    }
}

fn is_name_char(char: char) -> bool {
    char.is_ascii_alphanumeric() || matches!(char, '_' | '-')
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(text: &str, expected: &[&str]) {
        let lexemes = lex(text).unwrap();
        assert_eq!(lexemes.iter().map(|lexeme| &text[lexeme.range.clone()]).collect::<Vec<_>>(), expected, "{text}");
    }

    #[test]
    fn lexemes_are_found() {
        check("", &[]);
        check(" \n\t", &[]);
        check("a=1 and b>=-2", &["a", "=", "1", "and", "b", ">=", "-2"]);
        check("a-b.c.`d``.`", &["a-b", ".", "c", ".", "`d``.`"]);
        check("x in('a','''')", &["x", "in", "(", "'a'", ",", "''''", ")"]);
        check(r#"'\'' "\"" '\\' '\d'"#, &[r"'\''", r#""\"""#, r"'\\'", r"'\d'"]);
        check("1.5e-3 1E+2 0", &["1.5e-3", "1E+2", "0"]);
        check("a<>b<c", &["a", "<>", "b", "<", "c"]);
        check("{me}", &["{", "me", "}"]);
    }

    #[track_caller]
    fn check_value(text: &str, expected: Token) {
        assert_eq!(lex(text).unwrap().pop().unwrap().token, expected, "{text}");
    }

    #[test]
    fn quotes_and_escapes_are_removed() {
        check_value("`a``b\\`", Token::Name("a`b\\".to_owned()));
        check_value(r"'a\\b\d\''", Token::Text(r"a\b\d'".to_owned()));
        check_value(r#""a'b''c""d""#, Token::Text(r#"a'b''c"d"#.to_owned()));
        check_value("'a\nb'", Token::Text("a\nb".to_owned()));
    }

    #[track_caller]
    fn check_error(text: &str, range: Range<usize>) {
        assert_eq!(lex(text).unwrap_err().range, range, "{text}");
    }

    #[test]
    fn what_is_no_lexeme_is_refused_as_a_whole() {
        check_error("a = 'b", 4..6);
        check_error(r"a = 'b\'", 4..8);
        check_error("`a", 0..2);
        check_error("a = 2024-01-01 and b", 4..14);
        check_error("a = 10.0.0.1", 4..12);
        check_error("a = 1.", 4..6);
        check_error("a = 1e", 4..6);
        check_error("a = é", 4..6);
        check_error("a && b", 2..4);
        check_error("a > ${date:\"today\"} and b", 4..19);
        check_error("a = -", 4..5);
    }
}
