//! What stands to the right of a term: operators, literals, lists and patterns.

use std::ops::Range;

use super::Atom;
use super::CompareOp;
use super::ConditionError;
use super::LikePattern;
use super::Literal;
use super::Network;
use super::Number;
use super::Operand;
use super::RegexPattern;
use super::Term;
use super::cidr::NetworkError;
use super::error::excerpt;
use super::lexer::Keyword;
use super::lexer::Token;
use super::like::LikeError;
use super::limits;
use super::number::NumberError;
use super::parser::Parser;
use super::print::List;
use super::print::Quoted;
use super::reference;
use super::reference::Mention;
use super::refuse;

/// A literal and its place.
type Placed = (Literal, Range<usize>);

impl<'p> Parser<'p> {
    /// What follows `term` in its atom.
    pub(super) fn comparison(&mut self, term: Term) -> Result<Atom, ConditionError> {
        if let Some(Token::Compare(op)) = self.peek().map(|lexeme| &lexeme.token) {
            self.sign_starts();
            return self.relation(term, *op);
        }
        match self.keyword() {
            Some(Keyword::Not) => {
                self.sign_starts();
                self.take_word();
                self.worded(term, true)
            }
            Some(Keyword::Nin) => {
                self.sign_starts();
                let place = self.place();
                self.take();
                self.spell(place, "not in");
                self.refuse_cidr_after_nin()?;
                Ok(Atom::In { term, values: self.values()?, negated: true })
            }
            Some(Keyword::In | Keyword::Like | Keyword::Matches) => {
                self.sign_starts();
                self.worded(term, false)
            }
            _ => Ok(Atom::Bare(term)),
        }
    }

    /// `in`, `like` and `matches`, behind a `not` if `negated`.
    fn worded(&mut self, term: Term, negated: bool) -> Result<Atom, ConditionError> {
        let keyword = self.keyword();
        if !matches!(keyword, Some(Keyword::In | Keyword::Like | Keyword::Matches)) {
            let place = self.place();
            return Err(refuse::operator(self.slice(&place), place).unwrap_or_else(|| {
                self.unexpected("`in`, `like` or `matches`")
                    .help("write `not` before the attribute to negate a comparison, as in `not x = 1`")
            }));
        }
        self.take_word();
        match keyword {
            Some(Keyword::Like) => Ok(Atom::Like { term, pattern: self.like_pattern()?, negated }),
            Some(Keyword::Matches) => Ok(Atom::Matches { term, pattern: self.regex_pattern()?, negated }),
            _ if self.take_cidr() => Ok(Atom::InCidr { term, networks: self.networks()?, negated }),
            _ => Ok(Atom::In { term, values: self.values()?, negated }),
        }
    }

    /// A sign and its right side; `=` and `!=` also take lists.
    fn relation(&mut self, term: Term, op: CompareOp) -> Result<Atom, ConditionError> {
        let place = self.place();
        self.take();
        if self.at_mark('(') || self.at_mark('[') {
            return self.list_relation(term, op, place);
        }
        if self.slice(&place) != op.as_str() {
            self.spell(place.clone(), op.as_str());
        }
        let right = self.place();
        self.sign_ends();
        let operand = self.operand()?;
        self.value_at(right.start..self.end);
        let ordered = !matches!(op, CompareOp::Eq | CompareOp::Ne);
        if ordered && let Operand::Literal(literal @ (Literal::Bool(_) | Literal::Null)) = &operand {
            let error = ConditionError::syntax(right, format!("`{op}` orders numbers and strings; `{literal}` has no order"));
            self.report(error.help(format!("write `= {literal}` or `!= {literal}`")));
        }
        Ok(Atom::Compare { term, op, operand })
    }

    /// `= [a, b]`, which is `in`.
    fn list_relation(&mut self, term: Term, op: CompareOp, place: Range<usize>) -> Result<Atom, ConditionError> {
        let negated = match op {
            CompareOp::Eq => false,
            CompareOp::Ne => true,
            _ => {
                let error = ConditionError::syntax(place.start..self.place().end, format!("`{op}` does not take a list"));
                return Err(error.help("compare with one value, or write `in ( … )`"));
            }
        };
        let inner = self.spellings.len();
        let values = self.values()?;
        self.spellings.truncate(inner);
        let replacement = format!("{}in {}", if negated { "not " } else { "" }, List(&values));
        self.spell(place.start..self.end, &replacement);
        Ok(Atom::In { term, values, negated })
    }

    fn operand(&mut self) -> Result<Operand, ConditionError> {
        let Some(lexeme) = self.peek() else {
            return Err(self.unexpected("a value").help("write a constant, as in `'a'`, or another attribute"));
        };
        let is_reference = match &lexeme.token {
            Token::Text(value) => matches!(reference::in_string(value), Mention::Whole(_)),
            _ => false,
        };
        let is_name = matches!(lexeme.token, Token::Word | Token::Name(_)) && self.keyword().is_none();
        if is_reference || is_name || lexeme.token == Token::Mark('{') {
            return self.term().map(Operand::Term);
        }
        match self.literal()? {
            Some((literal, _)) => Ok(Operand::Literal(literal)),
            None => Err(self.unexpected("a value").help("write a constant, as in `'a'`, or another attribute")),
        }
    }

    /// The constant that comes next, if one does.
    fn literal(&mut self) -> Result<Option<Placed>, ConditionError> {
        let Some(lexeme) = self.peek() else { return Ok(None) };
        let range = lexeme.range.clone();
        let literal = match (&lexeme.token, self.keyword()) {
            (Token::Text(value), _) => {
                self.take();
                if let Mention::Wrong(message, help) = reference::in_string(value) {
                    self.report(ConditionError::syntax(range.clone(), message).help(help));
                }
                self.spell_quotes(&range, value);
                Literal::String(value.clone())
            }
            (Token::Number, _) => {
                self.take();
                Literal::Number(self.number(&range)?)
            }
            (_, Some(Keyword::True)) => self.constant(Literal::Bool(true)),
            (_, Some(Keyword::False)) => self.constant(Literal::Bool(false)),
            (_, Some(Keyword::Null)) => self.constant(Literal::Null),
            _ => return Ok(None),
        };
        Ok(Some((literal, range)))
    }

    fn constant(&mut self, literal: Literal) -> Literal {
        self.take_word();
        literal
    }

    /// Notes double quotes.
    fn spell_quotes(&mut self, range: &Range<usize>, value: &str) {
        if self.slice(range).starts_with('"') {
            self.spell(range.clone(), &Quoted(value).to_string());
        }
    }

    fn number(&mut self, range: &Range<usize>) -> Result<Number, ConditionError> {
        let written = self.slice(range);
        match Number::parse(written) {
            Ok(number) => Ok(number),
            Err(NumberError::Inexact(number)) => {
                let message = format!("`{}` would be read as `{number}`, the nearest number that can be held", excerpt(written));
                // A whole number that long is an identifier: another one would name something else.
                let help = if written.bytes().all(|byte| byte.is_ascii_digit()) {
                    format!("keep the value as a string: `'{}'`", excerpt(written))
                } else {
                    format!("write `{number}`, or keep the value as a string")
                };
                self.report(ConditionError::syntax(range.clone(), message).help(help));
                Ok(number)
            }
            Err(NumberError::TooLarge) => {
                let error =
                    ConditionError::syntax(range.clone(), format!("`{}` is larger than any number that can be held", excerpt(written)));
                Err(error.help("write a smaller number, or keep the value as a string"))
            }
        }
    }

    /// The values of a list, without nulls.
    fn values(&mut self) -> Result<Vec<Literal>, ConditionError> {
        let placed = self.list()?;
        for (_, range) in placed.iter().filter(|(literal, _)| *literal == Literal::Null) {
            let error = ConditionError::syntax(range.clone(), "a list cannot hold `null`");
            self.report(error.help("write `x = null or x in ( … )`"));
        }
        Ok(placed.into_iter().map(|(literal, _)| literal).collect())
    }

    /// A list in parentheses or brackets.
    fn list(&mut self) -> Result<Vec<Placed>, ConditionError> {
        self.sign_ends();
        let open = self.place();
        let close = match () {
            () if self.take_mark('(') => ')',
            () if self.take_mark('[') => ']',
            () => return Err(self.no_list()),
        };
        let inner = self.spellings.len();
        let mut values = Vec::new();
        loop {
            let Some((value, range)) = self.list_value()? else { return Err(self.no_list_value(&open)) };
            self.value_at(range.clone());
            values.push((value, range));
            if !self.take_mark(',') {
                break;
            }
        }
        if !self.take_mark(close) {
            return Err(match self.peek() {
                None => ConditionError::syntax(open, "this list is never closed").help(format!("add the missing `{close}`")),
                Some(_) => self.unexpected(&format!("`,` or `{close}`")).help("separate the values with commas"),
            });
        }
        if close == ']' {
            self.spellings.truncate(inner);
            let literals: Vec<_> = values.iter().map(|(literal, _)| literal.clone()).collect();
            self.spell(open.start..self.end, &List(&literals).to_string());
        }
        Ok(values)
    }

    fn list_value(&mut self) -> Result<Option<Placed>, ConditionError> {
        self.list_values += 1;
        if self.list_values > limits::LIST_VALUES {
            let message = format!("the condition lists more than {} values", limits::LIST_VALUES);
            return Err(ConditionError::syntax(self.place(), message).help("compare with an attribute that groups them"));
        }
        let value = self.literal()?;
        if let Some((Literal::String(text), range)) = &value
            && let Mention::Whole(term) = reference::in_string(text)
        {
            let error = ConditionError::syntax(range.clone(), format!("a list holds constants, and `{term}` is a reference"));
            self.report(error.help(format!("write `x = {term} or x in ( … )`")));
        }
        Ok(value)
    }

    /// The error for something that is no list where one has to stand.
    fn no_list(&self) -> ConditionError {
        let error = self.unexpected("a list");
        match self.peek().map(|lexeme| (&lexeme.token, self.slice(&lexeme.range))) {
            Some((Token::Text(_) | Token::Number, written)) => error.help(format!("write `({})`", excerpt(written))),
            Some((Token::Word, "group")) => refuse::function("group", self.place()),
            Some((Token::Word | Token::Name(_) | Token::Mark('{'), written)) => {
                error.help(format!("write `=`, as in `{} = x`, to look into an attribute that holds a list", excerpt(written)))
            }
            _ => error.help("write the values in parentheses, as in `in ('a', 'b')`"),
        }
    }

    /// The error for something that is no constant inside a list.
    fn no_list_value(&self, open: &Range<usize>) -> ConditionError {
        let Some(lexeme) = self.peek() else {
            return ConditionError::syntax(open.clone(), "this list is never closed").help("close it, as in `('a', 'b')`");
        };
        let written = excerpt(self.slice(&lexeme.range));
        match lexeme.token {
            Token::Word | Token::Name(_) => {
                let error = ConditionError::syntax(
                    lexeme.range.clone(),
                    format!("a list holds constants, and `{written}` is the name of an attribute"),
                );
                error.help(format!("write `'{written}'` if it is a string"))
            }
            Token::Mark('{') => {
                let error = ConditionError::syntax(lexeme.range.clone(), "a list holds constants, and braces are a reference");
                error.help("write `x = {me} or x in ( … )`")
            }
            _ => self.unexpected("a value").help("write at least one constant, and none after the last comma, as in `('a', 'b')`"),
        }
    }

    fn take_cidr(&mut self) -> bool {
        let found = self.peek().is_some_and(|lexeme| lexeme.token == Token::Word && self.slice(&lexeme.range).eq_ignore_ascii_case("cidr"));
        if found {
            self.take_word();
        }
        found
    }

    fn refuse_cidr_after_nin(&mut self) -> Result<(), ConditionError> {
        let place = self.place();
        match self.take_cidr() {
            true => Err(ConditionError::syntax(place, "`nin` does not take `cidr`").help("write `not in cidr ( … )`")),
            false => Ok(()),
        }
    }

    fn networks(&mut self) -> Result<Vec<Network>, ConditionError> {
        let mut networks = Vec::new();
        for (literal, range) in self.list()? {
            let Literal::String(text) = literal else {
                let error = ConditionError::syntax(range, format!("`{literal}` is no network"));
                self.report(error.help("write networks as strings, as in `'10.0.0.0/8'`"));
                continue;
            };
            match Network::parse(&text) {
                Ok(network) => networks.push(network),
                Err(error) => self.report(network_error(&text, error, range)),
            }
        }
        Ok(networks)
    }

    fn like_pattern(&mut self) -> Result<LikePattern, ConditionError> {
        let (text, range) = self.pattern("like")?;
        LikePattern::parse(text).map_err(|error| match error {
            LikeError::DanglingEscape => {
                let error = ConditionError::syntax(range, "the pattern ends in a backslash that escapes nothing");
                error.help("write `\\\\\\\\` in the string for a backslash itself")
            }
            LikeError::TooLong => {
                let longest = limits::LIKE_POSITIONS - 1;
                let error = ConditionError::syntax(range, format!("a `like` pattern has at most {longest} characters besides `%`"));
                error.help("shorten the pattern, or use `matches`")
            }
        })
    }

    fn regex_pattern(&mut self) -> Result<RegexPattern, ConditionError> {
        let (text, range) = self.pattern("matches")?;
        self.regexes += 1;
        if self.regexes > limits::REGEXES {
            let error = ConditionError::syntax(range, format!("the condition has more than {} regular expressions", limits::REGEXES));
            return Err(error.help("join them with `|`, or use `like`"));
        }
        RegexPattern::new(text).map_err(|reason| {
            let error = ConditionError::syntax(range, format!("`{}` is no regular expression: {reason}", excerpt(text)));
            error.help("correct the expression, in the syntax of the `regex` crate")
        })
    }

    /// The string behind `like` or `matches`.
    fn pattern(&mut self, keyword: &str) -> Result<(&'p str, Range<usize>), ConditionError> {
        self.sign_ends();
        let error = self.unexpected("a pattern");
        let Some(lexeme) = self.take() else { return Err(error.help(format!("write a string, as in `{keyword} 'a'`"))) };
        let range = lexeme.range.clone();
        match &lexeme.token {
            Token::Text(value) => {
                if let Some((message, help)) = reference::in_pattern(value) {
                    return Err(ConditionError::syntax(range, message).help(help));
                }
                self.spell_quotes(&range, value);
                self.value_at(range.clone());
                Ok((value, range))
            }
            Token::Word | Token::Name(_) => Err(error.help(format!("write `'{}'` if it is a string", excerpt(self.slice(&range))))),
            _ => Err(error.help(format!("write a string, as in `{keyword} 'a'`"))),
        }
    }
}

fn network_error(text: &str, error: NetworkError, range: Range<usize>) -> ConditionError {
    let shown = excerpt(text);
    let (message, help) = match error {
        NetworkError::Address(network) => (format!("`{shown}` is an address without a prefix length"), format!("write {network}")),
        NetworkError::HostBits(network) => {
            (format!("`{shown}` has bits set after its prefix"), format!("write {network} for the network it lies in"))
        }
        NetworkError::Malformed => {
            (format!("`{shown}` is no network"), "write an IPv4 or IPv6 network, as in `'10.0.0.0/8'` or `'fd00::/8'`".to_owned())
        }
    };
    ConditionError::syntax(range, message).help(help)
}
