//! A request out of a model, in the form that it has on the wire.

use std::collections::BTreeSet;

use serde_json::Map;
use serde_json::Value as Json;
use serde_json::json;

use super::model::Model;
use super::model::SOMEBODY;
use super::model::Value;
use super::prepared::Caller;
use super::prepared::Identity;
use super::vocabulary::Attribute;
use super::vocabulary::AttributeId;
use super::vocabulary::Vocabulary;
use crate::condition::Term;
use crate::decision::DEFAULT_SOURCE;

/// The document of a witness that needs none in particular.
const SOME_DOCUMENT: &str = "1";

/// The AuthZEN evaluation request that a model describes, asked by a caller. `unnamed_type` is the type of a caller whose type the model leaves open.
pub fn request(vocabulary: &Vocabulary, model: &Model, caller: &Caller, unnamed_type: &str) -> Json {
    let text = |id: AttributeId, usual: &str| match model.get(&id) {
        Some(Value::Text(text)) => text.clone(),
        _ => usual.to_owned(),
    };
    let (kind, id) = match &caller.identity {
        Identity::Known { kind, id } => (kind.to_string(), id.to_string()),
        _ => (text(AttributeId::CALLER_TYPE, unnamed_type), text(AttributeId::ME, SOMEBODY)),
    };
    let (action, service, source) =
        (text(AttributeId::ACTION, "read"), text(AttributeId::SERVICE, "report"), text(AttributeId::SOURCE, DEFAULT_SOURCE));
    let mut groups: BTreeSet<&str> = caller.groups.iter().map(|group| &**group).collect();
    let mut facts: Vec<(&Term, &Value)> = Vec::new();
    for (id, value) in model {
        match vocabulary.get(*id) {
            Some(Attribute::Group(name)) if *value == Value::Bool(true) => {
                groups.insert(name);
            }
            Some(Attribute::Fact { term, .. }) => facts.push((term, value)),
            _ => {}
        }
    }
    Asked { kind: &kind, id: &id, groups, action: &action, service: &service, source: &source }.about(facts)
}

/// Who asks, and what for.
#[derive(Debug, Clone)]
pub struct Asked<'a> {
    /// The type of the caller.
    pub kind: &'a str,
    /// The id of the caller.
    pub id: &'a str,
    /// The groups of the caller.
    pub groups: BTreeSet<&'a str>,
    /// The name of the action.
    pub action: &'a str,
    /// The service.
    pub service: &'a str,
    /// The source.
    pub source: &'a str,
}

impl Asked<'_> {
    /// The AuthZEN evaluation request with these facts.
    pub fn about(self, mut facts: Vec<(&Term, &Value)>) -> Json {
        let Self { kind, id, groups, action, service, source } = self;
        let mut groups: BTreeSet<&str> = groups;
        let mut parts = Parts::default();
        // What lies around comes first, so that what lies inside finds its object.
        facts.sort_by_key(|(term, _)| term.path().map_or(0, |path| path.names().len()));
        for (term, value) in facts {
            parts.put(term, value);
        }
        // There it would be the document after the change, and no fact.
        if action == "update" {
            parts.context.remove("after");
        }
        let omitted = source == DEFAULT_SOURCE && !parts.context.contains_key("source") && parts.source_absent;
        if !omitted {
            parts.context.insert("source".to_owned(), source.into());
        }
        // Where no list is declared, a list of groups is what does not fit.
        let given = parts.caller.remove("groups");
        if let Some(Json::Array(elements)) = &given {
            groups.extend(elements.iter().filter_map(Json::as_str));
        }
        if !groups.is_empty() || given.is_some() {
            parts.caller.insert("groups".to_owned(), json!(groups));
        }
        let document = match parts.document.remove("_id") {
            Some(Json::String(id)) => id,
            _ => SOME_DOCUMENT.to_owned(),
        };
        let with = |mut fields: Map<String, Json>, properties: Map<String, Json>| {
            if !properties.is_empty() {
                fields.insert("properties".to_owned(), Json::Object(properties));
            }
            Json::Object(fields)
        };
        let fields = |pairs: &[(&str, &str)]| pairs.iter().map(|(name, value)| ((*name).to_owned(), Json::from(*value))).collect();
        let mut request = Map::new();
        request.insert("subject".to_owned(), with(fields(&[("type", kind), ("id", id)]), parts.caller));
        request.insert("action".to_owned(), with(fields(&[("name", action)]), parts.action));
        request.insert("resource".to_owned(), with(fields(&[("type", service), ("id", &document)]), parts.document));
        if !parts.context.is_empty() {
            request.insert("context".to_owned(), Json::Object(parts.context));
        }
        Json::Object(request)
    }
}

/// What conditions read, by where it stands in a request.
#[derive(Debug, Default)]
struct Parts {
    document: Map<String, Json>,
    caller: Map<String, Json>,
    action: Map<String, Json>,
    context: Map<String, Json>,
    source_absent: bool,
}

impl Parts {
    fn put(&mut self, term: &Term, value: &Value) {
        let (root, path) = match term {
            Term::Me => return,
            Term::Document(path) => (&mut self.document, path),
            Term::Caller(path) => (&mut self.caller, path),
            Term::Action(path) => (&mut self.action, path),
            Term::Context(path) => {
                self.source_absent |= path.names() == ["source"] && *value == Value::Absent;
                (&mut self.context, path)
            }
        };
        let Some((last, way)) = path.names().split_last() else { return };
        let mut object = root;
        for name in way {
            // A value that is to be absent needs nothing around it, and one that does not fit may be behind a scalar.
            if *value == Value::Absent && !object.contains_key(name) {
                return;
            }
            let inner = object.entry(name.clone()).or_insert_with(|| json!({}));
            let Json::Object(inner) = inner else { return };
            object = inner;
        }
        match json(value) {
            Json::Null => {}
            value => {
                object.insert(last.clone(), value);
            }
        }
    }
}

fn json(value: &Value) -> Json {
    match value {
        Value::Absent => Json::Null,
        Value::Bool(value) => json!(value),
        #[expect(clippy::cast_possible_truncation, reason = "whole numbers of this size are exact either way")]
        Value::Number(number) if number.fract() == 0.0 && number.abs() < 1e15 => json!(*number as i64),
        Value::Number(number) => json!(number),
        Value::Text(text) => json!(text),
        Value::Unfit => json!({}),
        Value::List(elements) => elements.iter().map(json).collect(),
    }
}
