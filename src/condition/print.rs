//! The canonical text of a condition and its parts: lower-case keywords, single quotes, back quotes only where needed.
//!
//! Printing is the exact inverse of parsing for trees in normal form.

use std::fmt;
use std::fmt::Display;
use std::fmt::Formatter;
use std::fmt::Write;

use super::Atom;
use super::CompareOp;
use super::Expr;
use super::LikeElement;
use super::LikePattern;
use super::Literal;
use super::Network;
use super::Number;
use super::Operand;
use super::Path;
use super::RegexPattern;
use super::Term;
use super::lexer::Keyword;
use super::reference::in_pattern;

impl Display for Expr {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        match self {
            Self::And(operands) => joined(f, operands, " and "),
            Self::Or(operands) => joined(f, operands, " or "),
            Self::Not(operand) => match operand.as_ref() {
                Self::Not(_) | Self::Atom(Atom::Bare(_) | Atom::Exists(_)) => write!(f, "not {operand}"),
                _ => write!(f, "not ({operand})"),
            },
            Self::Atom(atom) => atom.fmt(f),
        }
    }
}

/// Operands with a word between them, those that are conjunctions and disjunctions in parentheses.
fn joined(f: &mut Formatter<'_>, operands: &[Expr], between: &str) -> fmt::Result {
    for (index, operand) in operands.iter().enumerate() {
        if index > 0 {
            f.write_str(between)?;
        }
        match operand {
            Expr::And(_) | Expr::Or(_) => write!(f, "({operand})")?,
            Expr::Not(_) | Expr::Atom(_) => operand.fmt(f)?,
        }
    }
    Ok(())
}

impl Display for Atom {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        match self {
            Self::Bare(term) => term.fmt(f),
            Self::Exists(term) => write!(f, "exists {term}"),
            Self::Compare { term, op, operand } => write!(f, "{term} {op} {operand}"),
            Self::In { term, values, negated } => write!(f, "{term} {}in {}", not(*negated), List(values)),
            Self::InCidr { term, networks, negated } => write!(f, "{term} {}in cidr {}", not(*negated), List(networks)),
            Self::Like { term, pattern, negated } => write!(f, "{term} {}like {}", not(*negated), Quoted(&pattern.to_string())),
            Self::Matches { term, pattern, negated } => {
                write!(f, "{term} {}matches {}", not(*negated), Quoted(pattern.as_str()))
            }
        }
    }
}

fn not(negated: bool) -> &'static str {
    if negated { "not " } else { "" }
}

/// Values in parentheses.
pub(super) struct List<'a, T>(pub(super) &'a [T]);

impl<T: Display> Display for List<'_, T> {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        f.write_char('(')?;
        for (index, value) in self.0.iter().enumerate() {
            if index > 0 {
                f.write_str(", ")?;
            }
            value.fmt(f)?;
        }
        f.write_char(')')
    }
}

impl CompareOp {
    /// The canonical sign.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Eq => "=",
            Self::Ne => "!=",
            Self::Lt => "<",
            Self::Le => "<=",
            Self::Gt => ">",
            Self::Ge => ">=",
        }
    }
}

impl Display for CompareOp {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

impl Display for Operand {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        match self {
            Self::Literal(literal) => literal.fmt(f),
            Self::Term(term) => term.fmt(f),
        }
    }
}

impl Display for Literal {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        match self {
            Self::Null => f.write_str("null"),
            Self::Bool(value) => value.fmt(f),
            Self::Number(value) => value.fmt(f),
            Self::String(value) => Quoted(value).fmt(f),
        }
    }
}

impl Display for Number {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        // The shortest text that reads back as the same double; with an exponent where it would be mostly zeros.
        let value = self.get();
        let plain = value == 0.0 || (1e-7..1e21).contains(&value.abs());
        if plain { write!(f, "{value}") } else { write!(f, "{value:e}") }
    }
}

/// A string in single quotes.
pub(super) struct Quoted<'a>(pub(super) &'a str);

impl Display for Quoted<'_> {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        // A backslash is an escape only before another one or a quote, so where there is no such place all of them stay as they are.
        let escapes = self.0.ends_with('\\') || ["\\\\", "\\'", "\\\""].iter().any(|pair| self.0.contains(pair));
        f.write_char('\'')?;
        for char in self.0.chars() {
            match char {
                '\'' => f.write_str("''")?,
                '\\' if escapes => f.write_str("\\\\")?,
                other => f.write_char(other)?,
            }
        }
        f.write_char('\'')
    }
}

impl Display for Network {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        write!(f, "'{}'", self.get())
    }
}

impl Display for LikePattern {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        let text = pattern(self, false);
        // A pattern that would be taken to mean a reference says that it does not, by an escape within the braces.
        f.write_str(if in_pattern(&text).is_some() { pattern(self, true) } else { text }.as_str())
    }
}

/// The text of a pattern, perhaps with an escape behind each brace.
fn pattern(pattern: &LikePattern, behind_braces: bool) -> String {
    let mut text = String::new();
    let mut escape = false;
    for element in pattern.elements() {
        match element {
            LikeElement::Run => text.push('%'),
            LikeElement::One => text.push('_'),
            LikeElement::Char(char) => {
                if escape || matches!(char, '%' | '_' | '\\') {
                    text.push('\\');
                }
                text.push(*char);
            }
        }
        escape = behind_braces && *element == LikeElement::Char('{');
    }
    text
}

impl Display for RegexPattern {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

impl Display for Term {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        let (head, path) = match self {
            Self::Document(path) => return path.fmt(f),
            Self::Me => return f.write_str("{me}"),
            Self::Caller(path) => ("me", path),
            Self::Action(path) => ("action", path),
            Self::Context(path) => ("context", path),
        };
        write!(f, "{{{head}")?;
        for name in path.names() {
            f.write_char('.')?;
            inner_name(f, name)?;
        }
        f.write_char('}')
    }
}

/// The path as an attribute of the document is written.
impl Display for Path {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        let Some((first, rest)) = self.names().split_first() else { return Ok(()) };
        // Keywords are reserved in the first place only.
        if Keyword::from_word(first).is_some() {
            quoted_name(f, first)?
        } else {
            inner_name(f, first)?
        }
        for name in rest {
            f.write_char('.')?;
            inner_name(f, name)?;
        }
        Ok(())
    }
}

/// A name behind a dot.
fn inner_name(f: &mut Formatter<'_>, name: &str) -> fmt::Result {
    if is_bare(name) { f.write_str(name) } else { quoted_name(f, name) }
}

fn quoted_name(f: &mut Formatter<'_>, name: &str) -> fmt::Result {
    write!(f, "`{}`", name.replace('`', "``"))
}

fn is_bare(name: &str) -> bool {
    let mut bytes = name.bytes();
    let first = bytes.next().is_some_and(|byte| byte.is_ascii_alphabetic() || matches!(byte, b'_' | b'#'));
    first && bytes.all(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'_' | b'-'))
}

#[cfg(test)]
mod tests {
    use crate::condition::parse;

    #[track_caller]
    fn check(text: &str, printed: &str) {
        let expr = parse(text).unwrap().expr;
        assert_eq!(expr.to_string(), printed, "{text}");
        assert_eq!(parse(printed).unwrap().expr, expr, "{printed}");
    }

    #[test]
    fn conditions_are_printed_canonically() {
        check("a", "a");
        check("NOT a", "not a");
        check("not not a", "not not a");
        check("not (not a)", "not not a");
        check("not a = 1", "not (a = 1)");
        check("not exists a", "not exists a");
        check("not (a and b)", "not (a and b)");
        check("(a and b) and c", "a and b and c");
        check("((a or b)) or c", "a or b or c");
        check("(a and b) or c", "(a and b) or c");
        check("(a or b) and not (c or d)", "(a or b) and not (c or d)");
        check("a == b", "a = b");
        check("a <> {me.x}", "a != {me.x}");
        check("a nin [1,2]", "a not in (1, 2)");
        check("a = ['x']", "a in ('x')");
        check("a != ('x')", "a not in ('x')");
        check("a not like \"%b\"", "a not like '%b'");
        check("a like '%_\\x\\%'", "a like '_%x\\%'");
        check("a not matches '^b'", "a not matches '^b'");
        check("a not in CIDR ('10.0.0.0/8', '::/0')", "a not in cidr ('10.0.0.0/8', '::/0')");
        check("a in ('x', 1, true)", "a in ('x', 1, true)");
        check("a = Null", "a = null");
        check("owner = '{me}'", "owner = {me}");
        check("a like '{m\\e}%' or a like 'x{y}'", "a like '{\\me}%' or a like 'x{y}'");
    }

    #[test]
    fn names_are_quoted_only_where_needed() {
        check("`a`", "a");
        check("`not`", "`not`");
        check("`Not`", "`Not`");
        check("a.`not`", "a.not");
        check("cidr", "cidr");
        check("cidr in cidr ('::/0')", "cidr in cidr ('::/0')");
        check("`a b`.`c``d`", "`a b`.`c``d`");
        check("``", "``");
        check("````", "````");
        check("`1`.`é`", "`1`.`é`");
        check("#a-b._c", "#a-b._c");
        check("`-a`", "`-a`");
        check("{me.in.`a.b`}", "{me.in.`a.b`}");
    }

    #[test]
    fn strings_keep_their_backslashes() {
        check(r"a = '\d+'", r"a = '\d+'");
        check(r"a = '\\d+'", r"a = '\d+'");
        check(r"a = '\\\\d\w'", r"a = '\\\\d\\w'");
        check(r"a = 'b\\'", r"a = 'b\\'");
        check(r"a = '\\'", r"a = '\\'");
        check(r"a = 'it\'s'", "a = 'it''s'");
        check("a = 'it''s'", "a = 'it''s'");
        check(r#"a = "say ""it""""#, r#"a = 'say "it"'"#);
        check(r#"a = 'say \"it\"'"#, r#"a = 'say "it"'"#);
        check(r"a = '\\'''", r"a = '\\'''");
        check("a = ''", "a = ''");
        check("a = ''''", "a = ''''");
    }

    #[test]
    fn numbers_are_short() {
        check("a = 1.0", "a = 1");
        check("a = -0", "a = 0");
        check("a = 1e3", "a = 1000");
        check("a = 1e20", "a = 100000000000000000000");
        check("a = 1e21", "a = 1e21");
        check("a = 0.0000001", "a = 0.0000001");
        check("a = -1.50e-8", "a = -1.5e-8");
    }
}
