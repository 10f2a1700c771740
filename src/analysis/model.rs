//! One value for every attribute, out of what a store leaves.
//!
//! Values are chosen to be read by people: nothing where nothing is needed, otherwise the shortest that does. What is opaque to the
//! store, a [comparison](super::compare) of two terms, is brought about where a few tries can do that.

use std::collections::BTreeMap;

use super::automaton::States;
use super::compare;
use super::formula::Test;
use super::interval::Intervals;
use super::interval::Rank;
use super::list::List;
use super::list::Required;
use super::scalar::Scalar;
use super::scalar::Unknown;
use super::search::Budget;
use super::store::Domain;
use super::store::Store;
use super::values::ValueSet;
use super::vocabulary::Attribute;
use super::vocabulary::AttributeId;
use super::vocabulary::Vocabulary;

/// The id of a caller that is nobody in particular. The domain is reserved (RFC 2606).
pub const SOMEBODY: &str = "somebody@example.invalid";

/// The actions that are rather asked for than others.
pub const USUAL_ACTIONS: [&str; 5] = ["read", "update", "create", "delete", "run"];

/// A value.
#[derive(Debug, Clone, PartialEq)]
pub enum Value {
    /// None, or null.
    Absent,
    /// A boolean.
    Bool(bool),
    /// A number.
    Number(f64),
    /// A string.
    Text(String),
    /// Something that does not fit.
    Unfit,
    /// A declared list with these elements.
    List(Vec<Value>),
}

/// Values of the attributes that matter; any others will do.
pub type Model = BTreeMap<AttributeId, Value>;

/// A model of a store; `None` if there is none after all, which only ties to `{me}` can bring about so late.
pub fn find(vocabulary: &Vocabulary, store: &Store<'_>, states: &mut States) -> Result<Option<Model>, Unknown> {
    let compared = compare::settled(vocabulary, store);
    let mut store = store.clone();
    if !compare::narrow(&mut store, &compared, states)? || !store.settle_forms(states)? {
        return Ok(None);
    }
    let Some(model) = choose(vocabulary, &store, states)? else { return Ok(None) };
    if compared.is_empty() {
        return Ok(Some(model));
    }
    compare::bring_about(vocabulary, &store, model, &compared, states)?.map(Some).ok_or(Unknown::Opaque)
}

/// One value for every attribute of the store.
fn choose(vocabulary: &Vocabulary, store: &Store<'_>, states: &mut States) -> Result<Option<Model>, Unknown> {
    let Some(me) = store.get(AttributeId::ME) else { return others(vocabulary, store, None, states).map(|result| result.ok()) };
    let Domain::Scalar(me) = me else { return Ok(None) };
    let mut me = me.clone();
    // Whatever can only be one string, and must not be that of the caller, takes that string from the caller: at most once each.
    loop {
        let Some(id) = best_text(usual(AttributeId::ME, vocabulary), &me, states)? else { return Ok(None) };
        match others(vocabulary, store, Some(&id), states)? {
            Ok(model) => return Ok(Some(model)),
            Err(Stuck) => me.exclude(&id.as_str().into()),
        }
    }
}

/// Nothing is left for an attribute but the id of the caller, which it must not be.
struct Stuck;

fn others(vocabulary: &Vocabulary, store: &Store<'_>, me: Option<&str>, states: &mut States) -> Result<Result<Model, Stuck>, Unknown> {
    let mut model = Model::new();
    for (id, domain) in store.domains() {
        let unlike = me.filter(|_| store.links().binary_search(&(id, false)).is_ok());
        let value = match domain {
            _ if id == AttributeId::ME => me.map(|me| Value::Text(me.to_owned())),
            Domain::Scalar(_) if store.links().binary_search(&(id, true)).is_ok() => me.map(|me| Value::Text(me.to_owned())),
            Domain::Scalar(scalar) => {
                let mut scalar = scalar.clone();
                if let Some(me) = unlike {
                    scalar.exclude(&me.into());
                }
                scalar_value(id, vocabulary, &scalar, states)?
            }
            Domain::List(list) => list_value(id, vocabulary, list, me, unlike, states)?,
        };
        let Some(value) = value else { return Ok(Err(Stuck)) };
        model.insert(id, value);
    }
    Ok(Ok(model))
}

fn list_value(
    id: AttributeId,
    vocabulary: &Vocabulary,
    list: &List,
    me: Option<&str>,
    unlike: Option<&str>,
    states: &mut States,
) -> Result<Option<Value>, Unknown> {
    if !list.fits {
        return Ok(Some(Value::Unfit));
    }
    let mut elements: Vec<Value> = Vec::new();
    for Required { value, me: is_me } in &list.required {
        let mut value = value.clone();
        if let Some(me) = unlike {
            value.exclude(&me.into());
        }
        let element = if *is_me { me.map(|me| Value::Text(me.to_owned())) } else { scalar_value(id, vocabulary, &value, states)? };
        let Some(element) = element else { return Ok(None) };
        if !elements.contains(&element) {
            elements.push(element);
        }
    }
    Ok(Some(if elements.is_empty() && list.missing { Value::Absent } else { Value::List(elements) }))
}

/// A value out of what is left; `None` if nothing is.
fn scalar_value(id: AttributeId, vocabulary: &Vocabulary, scalar: &Scalar, states: &mut States) -> Result<Option<Value>, Unknown> {
    scalar_value_like(usual(id, vocabulary), scalar, states)
}

/// The same, rather one of the usual strings than another.
fn scalar_value_like(usual: &[&str], scalar: &Scalar, states: &mut States) -> Result<Option<Value>, Unknown> {
    let values = &scalar.values;
    if values.absent {
        return Ok(Some(Value::Absent));
    }
    if let Some(text) = (!values.texts.is_empty()).then(|| best_text(usual, scalar, states)).transpose()?.flatten() {
        return Ok(Some(Value::Text(text)));
    }
    if let Some(number) = best_number(&values.numbers) {
        return Ok(Some(Value::Number(number)));
    }
    let [no, yes] = values.bools;
    Ok(if yes {
        Some(Value::Bool(true))
    } else if no {
        Some(Value::Bool(false))
    } else {
        values.other.then_some(Value::Unfit)
    })
}

/// The strings that read well as the value of an attribute.
fn usual(id: AttributeId, vocabulary: &Vocabulary) -> &'static [&'static str] {
    match vocabulary.get(id) {
        Some(Attribute::Action) => &USUAL_ACTIONS,
        Some(Attribute::Service) => &["report", "object"],
        Some(Attribute::Source) => &["private", "public"],
        Some(Attribute::CallerType) => &["user", "service"],
        Some(Attribute::Me) => &[SOMEBODY, "somebody-else@example.invalid"],
        _ => &[],
    }
}

/// A string that reads well where it stands.
fn best_text(usual: &[&str], scalar: &Scalar, states: &mut States) -> Result<Option<String>, Unknown> {
    match usual.iter().find(|text| scalar.allows(text)) {
        Some(text) => Ok(Some((*text).to_owned())),
        None => scalar.text(states),
    }
}

/// A value that passes a test, where nothing else is known of it. Short, and readable.
pub(super) fn some_value(test: &Test) -> Option<Value> {
    let mut scalar = Scalar::new(ValueSet::all());
    scalar.meet(test, true);
    scalar_value_like(&[], &scalar, &mut States(Budget::default().states)).ok().flatten()
}

/// A short number: a small whole one where there is one, otherwise the least of a range.
pub(super) fn best_number(numbers: &Intervals<Rank>) -> Option<f64> {
    let holds = |number: &f64| number.is_finite() && numbers.contains(&Rank::of(*number));
    if let Some(small) = [1.0, 0.0].into_iter().find(holds) {
        return Some(small);
    }
    let (first, end) = numbers.ranges().first().copied()?;
    let least = first.number();
    let most = end.map_or(f64::MAX, Rank::number);
    let between = (least / 2.0 + most / 2.0).trunc();
    [least.ceil(), least.ceil() + 1.0, most.floor(), most.floor() - 1.0, between].into_iter().find(holds).or(Some(least))
}
