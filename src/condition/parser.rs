//! Lexemes to a tree: the grammar down to atoms. `operand` reads what stands to the right of a comparison.
//!
//! What makes the structure unknown ends the parse with one error. What is wrong inside a part whose end is known (a network,
//! a number, a pattern, precedence) is noted, and the parse goes on, so that one look at the file shows all of it.

use std::ops::Range;

use super::Atom;
use super::AtomPlace;
use super::ConditionError;
use super::ErrorKind;
use super::Expr;
use super::Parsed;
use super::Path;
use super::Spelling;
use super::Term;
use super::error::excerpt;
use super::lexer;
use super::lexer::Keyword;
use super::lexer::Lexeme;
use super::lexer::Token;
use super::limits;
use super::part::Parts;
use super::reference;
use super::reference::Mention;
use super::refuse;

/// Reads a condition.
///
/// # Errors
///
/// Everything that is wrong with the text, at most [`limits::ERRORS`] of it, in order of place. Takes time in proportion to the text, and
/// at once refuses text longer than [`limits::TEXT_BYTES`].
pub fn parse(text: &str) -> Result<Parsed, Vec<ConditionError>> {
    read(text, Parts::unkept()).map(|(parsed, _)| parsed)
}

/// Reads a condition, and notes its parts if they are to be kept.
pub(super) fn read(text: &str, parts: Parts) -> Result<(Parsed, Parts), Vec<ConditionError>> {
    if text.len() > limits::TEXT_BYTES {
        let message = format!("the condition is {} bytes long; at most {} are read", text.len(), limits::TEXT_BYTES);
        return Err(vec![ConditionError::syntax(0..text.len(), message).help("split it into several policies")]);
    }
    let lexemes = lexer::lex(text).map_err(|error| vec![error])?;
    let mut parser = Parser { parts, ..Parser::new(text, &lexemes) };
    let expr = match parser.whole() {
        Ok(expr) if parser.errors.is_empty() => expr,
        Ok(_) => return Err(parser.into_errors()),
        Err(error) => {
            parser.report(error);
            return Err(parser.into_errors());
        }
    };
    let Parser { mut spellings, parts, places, .. } = parser;
    spellings.sort_by_key(|spelling| spelling.range.start);
    Ok((Parsed { expr, spellings, places }, parts))
}

/// `and` or `or`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Connective {
    And,
    Or,
}

impl Connective {
    fn join(self, operands: Vec<Expr>) -> Expr {
        match self {
            Self::And => Expr::all(operands),
            Self::Or => Expr::any(operands),
        }
    }

    fn other(self) -> Self {
        match self {
            Self::And => Self::Or,
            Self::Or => Self::And,
        }
    }
}

/// The state of one parse.
pub(super) struct Parser<'p> {
    pub(super) text: &'p str,
    lexemes: &'p [Lexeme],
    at: usize,
    /// Where the last taken lexeme ends.
    pub(super) end: usize,
    pub(super) errors: Vec<ConditionError>,
    pub(super) spellings: Vec<Spelling>,
    parts: Parts,
    places: Vec<AtomPlace>,
    /// The place of the atom that is being read.
    place: AtomPlace,
    pub(super) list_values: usize,
    pub(super) regexes: usize,
}

impl<'p> Parser<'p> {
    pub(super) fn new(text: &'p str, lexemes: &'p [Lexeme]) -> Self {
        Self {
            text,
            lexemes,
            at: 0,
            end: 0,
            errors: vec![],
            spellings: vec![],
            parts: Parts::unkept(),
            places: vec![],
            place: AtomPlace::default(),
            list_values: 0,
            regexes: 0,
        }
    }

    pub(super) fn peek(&self) -> Option<&'p Lexeme> {
        self.lexemes.get(self.at)
    }

    pub(super) fn take(&mut self) -> Option<&'p Lexeme> {
        let lexeme = self.peek()?;
        self.at += 1;
        self.end = lexeme.range.end;
        Some(lexeme)
    }

    /// The text of a range.
    pub(super) fn slice(&self, range: &Range<usize>) -> &'p str {
        self.text.get(range.clone()).unwrap_or("")
    }

    /// The place of the next lexeme, or the end of the text.
    pub(super) fn place(&self) -> Range<usize> {
        self.peek().map_or(self.text.len()..self.text.len(), |lexeme| lexeme.range.clone())
    }

    pub(super) fn report(&mut self, error: ConditionError) {
        if self.errors.len() < limits::ERRORS {
            self.errors.push(error);
        }
    }

    fn into_errors(mut self) -> Vec<ConditionError> {
        self.errors.sort_by_key(|error| (error.range.start, error.range.end));
        self.errors
    }

    /// Notes that `range` is better written as `replacement`.
    pub(super) fn spell(&mut self, range: Range<usize>, replacement: &str) {
        // What signs and quotes kept apart would become one word without them, also when the neighbour loses its quotes.
        let is_name = |char: char| char.is_ascii_alphanumeric() || matches!(char, '_' | '-' | '#' | '`');
        let glues = |char: char| is_name(char) || matches!(char, '\'' | '"' | '}');
        let before = self.text.get(..range.start).is_some_and(|text| text.ends_with(glues)) && replacement.starts_with(is_name);
        let after = self.text.get(range.end..).is_some_and(|text| text.starts_with(glues)) && replacement.ends_with(is_name);
        let space = |needed: bool| if needed { " " } else { "" };
        let message = format!("`{}` is written `{}`", excerpt(self.slice(&range)), excerpt(replacement));
        let replacement = format!("{}{replacement}{}", space(before), space(after));
        self.spellings.push(Spelling { range, replacement, message });
    }

    /// The keyword that comes next, if one does.
    pub(super) fn keyword(&self) -> Option<Keyword> {
        let lexeme = self.peek()?;
        if lexeme.token != Token::Word {
            return None;
        }
        Keyword::from_word(self.slice(&lexeme.range))
    }

    /// Takes the word that comes next, noting capitals.
    pub(super) fn take_word(&mut self) {
        if let Some(lexeme) = self.take() {
            let word = self.slice(&lexeme.range);
            if word.bytes().any(|byte| byte.is_ascii_uppercase()) {
                self.spell(lexeme.range.clone(), &word.to_ascii_lowercase());
            }
        }
    }

    pub(super) fn at_mark(&self, mark: char) -> bool {
        self.peek().is_some_and(|lexeme| lexeme.token == Token::Mark(mark))
    }

    pub(super) fn take_mark(&mut self, mark: char) -> bool {
        let found = self.at_mark(mark);
        if found {
            self.take();
        }
        found
    }

    /// The error for something that does not belong where it stands.
    pub(super) fn unexpected(&self, wanted: &str) -> ConditionError {
        let Some(lexeme) = self.peek() else {
            return ConditionError::syntax(self.place(), format!("{wanted} is missing at the end"));
        };
        let written = self.slice(&lexeme.range);
        ConditionError::syntax(lexeme.range.clone(), format!("{wanted} is missing before `{}`", excerpt(written)))
    }

    fn whole(&mut self) -> Result<Expr, ConditionError> {
        if self.peek().is_none() {
            let error = ConditionError::syntax(0..self.text.len(), "the condition is empty");
            return Err(error.help("leave the field out to match everything"));
        }
        let expr = self.condition(0)?;
        match self.peek() {
            None => Ok(expr),
            Some(lexeme) => Err(self.leftover(lexeme)),
        }
    }

    /// The error for what follows a complete condition.
    fn leftover(&self, lexeme: &Lexeme) -> ConditionError {
        let written = self.slice(&lexeme.range);
        let range = lexeme.range.clone();
        match lexeme.token {
            Token::Word => {
                if let Some(error) = refuse::operator(written, range.clone()) {
                    return error;
                }
            }
            Token::Mark(')' | ']' | '}') => {
                return ConditionError::syntax(range, format!("nothing is open that `{written}` could close")).help("remove it");
            }
            Token::Compare(_) => {
                let error = ConditionError::syntax(range, format!("`{written}` follows something that is already a condition"));
                return error.help("join comparisons with `and` or `or`, and put parentheses around whole comparisons only");
            }
            _ => {}
        }
        let error = ConditionError::syntax(range, format!("`{}` follows something that is already a condition", excerpt(written)));
        error.help("join conditions with `and` or `or`")
    }

    fn connective(&mut self) -> Option<Connective> {
        let connective = match self.keyword()? {
            Keyword::And => Connective::And,
            Keyword::Or => Connective::Or,
            _ => return None,
        };
        self.take_word();
        Some(connective)
    }

    fn condition(&mut self, depth: usize) -> Result<Expr, ConditionError> {
        let start = self.place().start;
        let mut operands = vec![self.negation(depth)?];
        let mut connectives = Vec::new();
        while let Some(connective) = self.connective() {
            connectives.push(connective);
            operands.push(self.negation(depth)?);
        }
        if connectives.contains(&Connective::And) && connectives.contains(&Connective::Or) {
            self.report(ambiguous(start..self.end, &operands, &connectives));
        }
        if let Some(&connective) = connectives.first() {
            self.parts.join(start..self.end, operands.len(), |operands| connective.join(operands));
        }
        Ok(grouped(operands, &connectives, Connective::Or))
    }

    fn negation(&mut self, depth: usize) -> Result<Expr, ConditionError> {
        let start = self.place().start;
        let negated = self.keyword() == Some(Keyword::Not);
        if !negated && !self.at_mark('(') {
            let atom = self.atom()?;
            self.parts.atom(start..self.end, &atom);
            return Ok(Expr::Atom(atom));
        }
        if depth >= limits::DEPTH {
            let message = format!("more than {} levels of parentheses and `not` are open here", limits::DEPTH);
            return Err(ConditionError::syntax(self.place(), message).help("split the condition into several policies"));
        }
        if negated {
            self.take_word();
            let operand = if self.at_mark('(') { self.group(depth + 1)? } else { self.negation(depth + 1)? };
            self.parts.not(start..self.end);
            return Ok(Expr::Not(Box::new(operand)));
        }
        self.group(depth + 1)
    }

    fn group(&mut self, depth: usize) -> Result<Expr, ConditionError> {
        let open = self.place();
        self.take();
        let expr = self.condition(depth)?;
        if self.take_mark(')') {
            return Ok(expr);
        }
        Err(match self.peek() {
            None => ConditionError::syntax(open, "this `(` is never closed").help("add the missing `)`"),
            Some(lexeme) => self.leftover(lexeme),
        })
    }

    fn atom(&mut self) -> Result<Atom, ConditionError> {
        if self.places.len() >= limits::ATOMS {
            let error = ConditionError::syntax(self.place(), format!("the condition has more than {} comparisons", limits::ATOMS));
            return Err(error.help("use `in ( … )`, or split it into several policies"));
        }
        self.place = AtomPlace::default();
        let start = self.place().start;
        let atom = self.placed_atom()?;
        let place = std::mem::take(&mut self.place);
        self.places.push(AtomPlace { range: start..self.end, ..place });
        Ok(atom)
    }

    fn placed_atom(&mut self) -> Result<Atom, ConditionError> {
        let exists = self.keyword() == Some(Keyword::Exists);
        if exists {
            self.take_word();
            if self.at_mark('(') {
                return Err(ConditionError::syntax(self.place(), "`exists` is no function").help("write `exists x`, without parentheses"));
            }
        }
        let start = self.place().start;
        let term = self.term()?;
        self.place.term = start..self.end;
        self.place.sign = self.end..self.end;
        if exists { Ok(Atom::Exists(term)) } else { self.comparison(term) }
    }

    /// Notes where the sign of an atom starts: at the next lexeme.
    pub(super) fn sign_starts(&mut self) {
        self.place.sign = self.place();
    }

    /// Notes that the sign of an atom ends with the last lexeme that was taken.
    pub(super) fn sign_ends(&mut self) {
        self.place.sign.end = self.end;
    }

    /// Notes the place of a value on the right.
    pub(super) fn value_at(&mut self, range: Range<usize>) {
        self.place.values.push(range);
    }

    /// An attribute, a reference, or a string that is a reference.
    pub(super) fn term(&mut self) -> Result<Term, ConditionError> {
        let place = self.place();
        let Some(lexeme) = self.peek() else { return Err(self.no_term()) };
        let term = match &lexeme.token {
            Token::Word | Token::Name(_) => self.path().map(Term::Document)?,
            Token::Mark('{') => self.reference()?,
            Token::Text(value) => match reference::in_string(value) {
                Mention::Whole(term) => {
                    self.take();
                    term
                }
                Mention::Wrong(message, help) => return Err(ConditionError::syntax(place, message).help(help)),
                Mention::None => return Err(self.no_term()),
            },
            Token::Number | Token::Compare(_) | Token::Mark(_) => return Err(self.no_term()),
        };
        self.spell_term(place.start..self.end, &term);
        Ok(term)
    }

    /// Notes a term that is not written as it is printed: a string, spaces, back quotes without need.
    fn spell_term(&mut self, range: Range<usize>, term: &Term) {
        let canonical = term.to_string();
        if self.slice(&range) != canonical {
            self.spell(range, &canonical);
        }
    }

    /// The error for something that is no term where one has to stand.
    fn no_term(&self) -> ConditionError {
        let error = self.unexpected("an attribute");
        let Some(lexeme) = self.peek() else { return error.help("write a comparison, as in `category = 'a'`") };
        let written = excerpt(self.slice(&lexeme.range));
        let range = lexeme.range.clone();
        match (&lexeme.token, self.keyword()) {
            (_, Some(Keyword::True | Keyword::False | Keyword::Null)) | (Token::Text(_) | Token::Number, _) => {
                let error = ConditionError::syntax(range, format!("`{written}` is a constant, and a comparison starts with an attribute"));
                error.help("write the attribute first, as in `category = 'a'`")
            }
            (_, Some(_)) => {
                let error = ConditionError::syntax(range, format!("`{written}` is a keyword, and an attribute is missing before it"));
                error.help(format!("write `` `{written}` `` with its back quotes if an attribute has this name"))
            }
            (Token::Mark('['), _) => error.help("write the attribute first, as in `category in ('a', 'b')`"),
            _ => error.help("write a comparison, as in `category = 'a'`"),
        }
    }

    fn reference(&mut self) -> Result<Term, ConditionError> {
        let start = self.place().start;
        self.take();
        let head = match self.peek() {
            Some(lexeme) if lexeme.token == Token::Word => self.slice(&lexeme.range),
            _ => return Err(self.unexpected("a reference").help("write `{me}`, `{me.…}`, `{action.…}` or `{context.…}`")),
        };
        self.take();
        let mut names = Vec::new();
        self.inner_names(&mut names)?;
        if !self.take_mark('}') {
            return Err(self.unexpected("`}`").help("close the reference, as in `{me}`"));
        }
        reference::resolve(head, Path::new(names)).map_err(|(message, help)| ConditionError::syntax(start..self.end, message).help(help))
    }

    fn path(&mut self) -> Result<Path, ConditionError> {
        let start = self.place().start;
        if self.keyword().is_some() {
            return Err(self.no_term());
        }
        let mut names = Vec::from_iter(self.name());
        self.inner_names(&mut names)?;
        let range = start..self.end;
        if self.at_mark('(') {
            return Err(refuse::function(self.slice(&range), range));
        }
        Path::new(names).ok_or_else(|| self.unexpected("a name"))
    }

    /// `.b.c`, with every name allowed.
    fn inner_names(&mut self, names: &mut Vec<String>) -> Result<(), ConditionError> {
        while self.take_mark('.') {
            let Some(name) = self.name() else {
                let (range, number) = (self.place(), self.peek().is_some_and(|lexeme| lexeme.token == Token::Number));
                let error = ConditionError::syntax(range, "a name is missing after `.`");
                return Err(error.help(if number { "put the name in back quotes, as in ``a.`0` ``" } else { "name the attribute" }));
            };
            names.push(name);
            if names.len() > limits::PATH_NAMES {
                return Err(ConditionError::syntax(self.place(), format!("a path has at most {} names", limits::PATH_NAMES)));
            }
        }
        Ok(())
    }

    fn name(&mut self) -> Option<String> {
        let lexeme = self.peek()?;
        let name = match &lexeme.token {
            Token::Word => self.slice(&lexeme.range).to_owned(),
            Token::Name(name) => name.clone(),
            _ => return None,
        };
        self.take();
        Some(name)
    }
}

/// The tree in which `outer` binds less tightly than the other connective.
fn grouped(operands: Vec<Expr>, connectives: &[Connective], outer: Connective) -> Expr {
    let mut groups = Vec::new();
    let mut group = Vec::new();
    let ends = connectives.iter().map(|&connective| connective == outer).chain([true]);
    for (operand, is_last) in operands.into_iter().zip(ends) {
        group.push(operand);
        if is_last {
            groups.push(outer.other().join(std::mem::take(&mut group)));
        }
    }
    outer.join(groups)
}

/// The error for a mixture of `and` and `or`, with its two readings where they can be taken in at a glance.
fn ambiguous(range: Range<usize>, operands: &[Expr], connectives: &[Connective]) -> ConditionError {
    const OPERANDS: usize = 8;
    const CHARACTERS: usize = 400;
    let mut help = "put parentheses around what belongs together".to_owned();
    if operands.len() <= OPERANDS {
        let [sql, other] = [Connective::Or, Connective::And].map(|outer| grouped(operands.to_vec(), connectives, outer).to_string());
        if sql.len() + other.len() <= CHARACTERS {
            help = format!("write `{sql}` (as in SQL) or `{other}`");
        }
    }
    let message = "`and` and `or` are mixed without parentheses".to_owned();
    ConditionError { kind: ErrorKind::AmbiguousPrecedence, range, message, help: Some(help) }
}
