//! (stub)
#![allow(missing_docs)]
use crate::source::{SourceId, Span};
#[derive(Debug, Clone, PartialEq)]
pub struct Parsed {
    pub documents: Vec<Document>,
    pub errors: Vec<SyntaxError>,
}
#[derive(Debug, Clone, PartialEq)]
pub struct Document {
    pub root: Option<Node>,
    pub comments: Vec<Comment>,
    pub span: Span,
}
#[derive(Debug, Clone, PartialEq)]
pub struct Comment {
    pub span: Span,
    pub text: String,
}
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ErrorKind {
    Syntax,
    DuplicateKey,
}
#[derive(Debug, Clone, PartialEq)]
pub struct SyntaxError {
    pub kind: ErrorKind,
    pub span: Span,
    pub message: String,
    pub help: Option<String>,
    pub related: Vec<(Span, String)>,
}
#[derive(Debug, Clone, PartialEq)]
pub struct Node {
    pub span: Span,
    pub kind: NodeKind,
    pub aliased: bool,
}
#[derive(Debug, Clone, PartialEq)]
pub enum NodeKind {
    Null,
    Bool(bool),
    Number(serde_json::Number),
    String(String),
    Sequence(Vec<Node>),
    Mapping(Vec<Entry>),
}
#[derive(Debug, Clone, PartialEq)]
pub struct Entry {
    pub key: String,
    pub key_span: Span,
    pub value: Node,
}
impl Node {
    pub fn step(&self, _step: &str) -> Option<&Node> {
        None
    }
    pub fn get(&self, _key: &str) -> Option<&Node> {
        None
    }
    pub fn entry(&self, _key: &str) -> Option<&Entry> {
        None
    }
    pub fn entries(&self) -> &[Entry] {
        &[]
    }
    pub fn as_str(&self) -> Option<&str> {
        None
    }
    pub fn to_json(&self) -> serde_json::Value {
        serde_json::Value::Null
    }
    pub fn locate(&self, _text: &str, range: std::ops::Range<usize>) -> std::ops::Range<usize> {
        range
    }
}
pub fn parse(_source: SourceId, _text: &str) -> Parsed {
    Parsed { documents: vec![], errors: vec![] }
}
pub fn decode(_source: SourceId, bytes: &[u8]) -> Result<&str, SyntaxError> {
    Ok(std::str::from_utf8(bytes).unwrap_or(""))
}
