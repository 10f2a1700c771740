//! One value for every attribute, out of what a store leaves.
//!
//! Values are chosen to be read by people: nothing where nothing is needed, otherwise the shortest that does. What is opaque to the
//! store, a comparison of two terms, is then tried with a few values of each side.

use std::collections::BTreeMap;

use super::automaton::States;
use super::interval::Intervals;
use super::interval::Rank;
use super::list::List;
use super::list::Required;
use super::scalar::Scalar;
use super::scalar::Unknown;
use super::store::Domain;
use super::store::Store;
use super::vocabulary::Attribute;
use super::vocabulary::AttributeId;
use super::vocabulary::Vocabulary;
use crate::condition::Atom;
use crate::condition::CompareOp;
use crate::condition::Operand;
use crate::condition::Term;

/// The id of a caller that is nobody in particular. The domain is reserved (RFC 2606).
pub const SOMEBODY: &str = "somebody@example.invalid";

/// How many choices of values are tried on comparisons of two terms.
const CHOICES: usize = 4096;

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
    let mut store = store.clone();
    if !store.settle_forms(states)? {
        return Ok(None);
    }
    let store = &store;
    let Some(model) = choose(vocabulary, store, states)? else { return Ok(None) };
    let opaque: Vec<(&Atom, bool)> = store.domains().filter_map(|(id, domain)| opaque(vocabulary, id, domain)).collect();
    if opaque.is_empty() {
        return Ok(Some(model));
    }
    compared(vocabulary, store, model, &opaque).map(Some).ok_or(Unknown::Opaque)
}

fn opaque<'v>(vocabulary: &'v Vocabulary, id: AttributeId, domain: &Domain) -> Option<(&'v Atom, bool)> {
    let (Some(Attribute::Opaque(atom)), Domain::Scalar(scalar)) = (vocabulary.get(id), domain) else { return None };
    let [no, yes] = scalar.values.bools;
    (no != yes).then_some((atom, yes))
}

/// One value for every attribute of the store.
fn choose(vocabulary: &Vocabulary, store: &Store<'_>, states: &mut States) -> Result<Option<Model>, Unknown> {
    let Some(me) = store.get(AttributeId::ME) else { return others(vocabulary, store, None, states).map(|result| result.ok()) };
    let Domain::Scalar(me) = me else { return Ok(None) };
    let mut me = me.clone();
    // Whatever can only be one string, and must not be that of the caller, takes that string from the caller: at most once each.
    loop {
        let Some(id) = best_text(AttributeId::ME, vocabulary, &me, states)? else { return Ok(None) };
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
    let values = &scalar.values;
    if values.absent {
        return Ok(Some(Value::Absent));
    }
    if let Some(text) = (!values.texts.is_empty()).then(|| best_text(id, vocabulary, scalar, states)).transpose()?.flatten() {
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

/// A string that reads well where it stands.
fn best_text(id: AttributeId, vocabulary: &Vocabulary, scalar: &Scalar, states: &mut States) -> Result<Option<String>, Unknown> {
    let usual: &[&str] = match vocabulary.get(id) {
        Some(Attribute::Action) => &["read", "update", "create", "delete", "run"],
        Some(Attribute::Service) => &["report", "object"],
        Some(Attribute::Source) => &["private", "public"],
        Some(Attribute::CallerType) => &["user", "service"],
        Some(Attribute::Me) => &[SOMEBODY, "somebody-else@example.invalid"],
        _ => &[],
    };
    match usual.iter().find(|text| scalar.allows(text)) {
        Some(text) => Ok(Some((*text).to_owned())),
        None => scalar.text(states),
    }
}

/// A short number: a small whole one where there is one, otherwise the least of a range.
pub(super) fn best_number(numbers: &Intervals<Rank>) -> Option<f64> {
    let holds = |number: &f64| number.is_finite() && numbers.contains(&Rank::of(*number));
    if let Some(small) = [1.0, 0.0].into_iter().find(holds) {
        return Some(small);
    }
    let (first, end) = numbers.ranges().first()?;
    let least = first.number();
    let most = end.map_or(f64::MAX, super::interval::Rank::number);
    let between = (least / 2.0 + most / 2.0 * 1.0).trunc();
    [least.ceil(), least.ceil() + 1.0, most.floor(), most.floor() - 1.0, between].into_iter().find(holds).or(Some(least))
}

/// The model, changed so that the comparisons of two terms come out as they have to; `None` if a few tries do not bring it about.
fn compared(vocabulary: &Vocabulary, store: &Store<'_>, model: Model, opaque: &[(&Atom, bool)]) -> Option<Model> {
    let mut involved: Vec<AttributeId> = opaque.iter().flat_map(|(atom, _)| sides(vocabulary, store, atom)).collect();
    involved.sort_unstable();
    involved.dedup();
    // Everything the sides could be is worth a try for each of them.
    let mut pool: Vec<Value> = vec![Value::Absent];
    for id in &involved {
        pool.extend(model.get(id).cloned());
        match store.get(*id) {
            Some(Domain::Scalar(scalar)) => samples(scalar, &mut pool),
            Some(Domain::List(list)) => list.required.iter().for_each(|required| samples(&required.value, &mut pool)),
            None => pool.extend([Value::Number(0.0), Value::Number(1.0), Value::Text("a".into()), Value::Text("b".into())]),
        }
    }
    let mut distinct: Vec<Value> = Vec::new();
    for value in pool {
        if !distinct.contains(&value) {
            distinct.push(value);
        }
    }
    let fixed = |id: AttributeId| id == AttributeId::ME || store.links().binary_search(&(id, true)).is_ok();
    let choices: Vec<Vec<Value>> = involved
        .iter()
        .map(|&id| match model.get(&id) {
            Some(value) if fixed(id) => vec![value.clone()],
            None if id == AttributeId::ME => {
                let caller = Scalar::caller(vocabulary.base(id));
                let texts = distinct.iter().filter(|value| matches!(value, Value::Text(text) if caller.allows(text)));
                std::iter::once(Value::Text(SOMEBODY.to_owned())).chain(texts.cloned()).collect()
            }
            _ => distinct.iter().filter(|value| may_be(store, id, value, &model)).cloned().collect(),
        })
        .collect();
    let mut at = vec![0; involved.len()];
    for _ in 0..CHOICES {
        let mut tried = model.clone();
        for ((id, values), &at) in involved.iter().zip(&choices).zip(&at) {
            tried.insert(*id, values.get(at)?.clone());
        }
        if opaque.iter().all(|(atom, holds)| holds_in(vocabulary, store, atom, &tried) == *holds) {
            return Some(tried);
        }
        let mut carry = true;
        for (at, values) in at.iter_mut().zip(&choices) {
            *at += 1;
            if *at < values.len() {
                carry = false;
                break;
            }
            *at = 0;
        }
        if carry {
            return None;
        }
    }
    None
}

/// The attributes of the two sides: of each term the one that the store knows, otherwise any.
fn sides(vocabulary: &Vocabulary, store: &Store<'_>, atom: &Atom) -> Vec<AttributeId> {
    std::iter::once(atom.term()).chain(atom.other_term()).filter_map(|term| side(vocabulary, store, term)).collect()
}

fn side(vocabulary: &Vocabulary, store: &Store<'_>, term: &Term) -> Option<AttributeId> {
    if *term == Term::Me {
        return Some(AttributeId::ME);
    }
    let ids: Vec<AttributeId> = [false, true].into_iter().filter_map(|list| vocabulary.fact(term, list)).collect();
    ids.iter().find(|&&id| store.get(id).is_some()).or_else(|| ids.first()).copied()
}

/// Values at the ends of what is left, and next to them.
fn samples(scalar: &Scalar, pool: &mut Vec<Value>) {
    for (first, end) in scalar.values.numbers.ranges().iter().take(4) {
        pool.push(Value::Number(first.number()));
        pool.extend(super::interval::Point::next(first).map(|next| Value::Number(next.number())));
        pool.extend(end.map(|end| Value::Number(end.number().next_down())));
    }
    pool.extend(best_number(&scalar.values.numbers).map(Value::Number));
    for (first, end) in scalar.values.texts.ranges().iter().take(4) {
        pool.push(Value::Text(first.to_string()));
        pool.push(Value::Text(format!("{first}a")));
        pool.push(Value::Text(format!("{first}b")));
        pool.extend(end.as_ref().map(|end| Value::Text(end.trim_end_matches('\0').to_owned())));
    }
    let [no, yes] = scalar.values.bools;
    pool.extend(no.then_some(Value::Bool(false)));
    pool.extend(yes.then_some(Value::Bool(true)));
}

/// Whether an attribute can have a value, as far as its own domain says.
fn may_be(store: &Store<'_>, id: AttributeId, value: &Value, model: &Model) -> bool {
    let not_me = store.links().binary_search(&(id, false)).is_ok() && model.get(&AttributeId::ME) == Some(value);
    let Some(Domain::Scalar(scalar)) = store.get(id) else { return store.get(id).is_none() || model.get(&id) == Some(value) };
    !not_me
        && match value {
            Value::Absent => scalar.values.absent,
            Value::Bool(value) => scalar.values.bools.get(usize::from(*value)).copied().unwrap_or_default(),
            Value::Number(number) => number.is_finite() && scalar.values.numbers.contains(&Rank::of(*number)),
            Value::Text(text) => scalar.allows(text),
            Value::Unfit | Value::List(_) => false,
        }
}

/// The truth of a comparison of two terms.
fn holds_in(vocabulary: &Vocabulary, store: &Store<'_>, atom: &Atom, model: &Model) -> bool {
    let Atom::Compare { term, op, operand: Operand::Term(other) } = atom else { return false };
    let value = |term| side(vocabulary, store, term).and_then(|id| model.get(&id)).cloned().unwrap_or(Value::Absent);
    let elements = |value: Value| match value {
        Value::List(elements) => elements,
        scalar => vec![scalar],
    };
    let right = elements(value(other));
    elements(value(term)).iter().any(|left| right.iter().any(|right| related(left, *op, right)))
}

fn related(left: &Value, op: CompareOp, right: &Value) -> bool {
    let ordering = match (left, right) {
        (Value::Bool(left), Value::Bool(right)) => return matches!(op, CompareOp::Eq | CompareOp::Ne) && left == right,
        (Value::Number(left), Value::Number(right)) => left.partial_cmp(right),
        (Value::Text(left), Value::Text(right)) => Some(left.cmp(right)),
        _ => None,
    };
    ordering.is_some_and(|ordering| match op {
        CompareOp::Eq | CompareOp::Ne => ordering.is_eq(),
        CompareOp::Lt => ordering.is_lt(),
        CompareOp::Le => ordering.is_le(),
        CompareOp::Gt => ordering.is_gt(),
        CompareOp::Ge => ordering.is_ge(),
    })
}
