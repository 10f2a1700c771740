//! (stub)
#![allow(missing_docs)]
use serde_json::{Map, Value};
use std::ops::Range;
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Term {
    Document(Vec<String>),
    Me,
}
impl Term {
    pub fn parse(_text: &str) -> Result<Term, ConditionError> {
        Ok(Term::Me)
    }
}
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Expr {
    Not(Box<Expr>),
    X,
}
impl std::fmt::Display for Expr {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "x")
    }
}
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ErrorKind {
    Syntax,
    AmbiguousPrecedence,
}
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ConditionError {
    pub kind: ErrorKind,
    pub range: Range<usize>,
    pub message: String,
    pub help: Option<String>,
}
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Spelling {
    pub range: Range<usize>,
    pub replacement: String,
    pub message: String,
}
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Parsed {
    pub expr: Expr,
    pub spellings: Vec<Spelling>,
}
pub fn parse(_text: &str) -> Result<Parsed, Vec<ConditionError>> {
    Ok(Parsed { expr: Expr::X, spellings: vec![] })
}
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Lists(Vec<Term>);
impl FromIterator<Term> for Lists {
    fn from_iter<I: IntoIterator<Item = Term>>(iter: I) -> Self {
        Self(iter.into_iter().collect())
    }
}
#[derive(Debug, Clone)]
pub struct Condition {
    expr: Expr,
}
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Outcome {
    True,
    False,
    Unfit,
}
pub struct Facts<'a> {
    pub me: &'a str,
    pub caller: &'a Map<String, Value>,
    pub action: &'a Map<String, Value>,
    pub context: &'a Map<String, Value>,
    pub document: &'a Map<String, Value>,
}
impl Condition {
    pub fn new(expr: Expr, _lists: &Lists) -> Result<Condition, Vec<ConditionError>> {
        Ok(Condition { expr })
    }
    pub fn expr(&self) -> &Expr {
        &self.expr
    }
    pub fn evaluate(&self, _facts: &Facts<'_>) -> Outcome {
        Outcome::True
    }
}
