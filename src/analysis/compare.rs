//! Comparisons of two terms, which the store knows only as true or false.
//!
//! What follows from them for each side is put into the store: sides that are equal can be the same, a side that is less ends
//! before the other does. What is left is tried with a few values of each side. Where that brings nothing about, it is not known
//! whether there is a request.

use std::collections::BTreeMap;

use super::automaton::States;
use super::formula::Test;
use super::interval::Intervals;
use super::interval::Point;
use super::interval::Rank;
use super::model::Model;
use super::model::SOMEBODY;
use super::model::Value;
use super::model::best_number;
use super::scalar::Scalar;
use super::scalar::Unknown;
use super::special::Special;
use super::store::Domain;
use super::store::Left;
use super::store::Store;
use super::values::ValueSet;
use super::vocabulary::Attribute;
use super::vocabulary::AttributeId;
use super::vocabulary::Vocabulary;
use crate::condition::Atom;
use crate::condition::CompareOp;
use crate::condition::Operand;
use crate::condition::Term;

/// How many choices of values are tried for sides that hang together.
const CHOICES: usize = 4096;

/// How many sides that hang together are tried.
const SIDES: usize = 8;

/// How often what follows is worked out. Each time it may follow a little more, without end where a value is to be less than itself.
const ROUNDS: usize = 3;

/// How many strings of a pattern are tried.
const WORDS: usize = 3;

/// A comparison that has to come out as given.
#[derive(Debug, Clone, Copy)]
pub struct Compared {
    left: AttributeId,
    op: CompareOp,
    right: AttributeId,
    holds: bool,
}

/// The comparisons that a store has settled.
pub fn settled(vocabulary: &Vocabulary, store: &Store<'_>) -> Vec<Compared> {
    let all = store.domains().filter_map(|(id, domain)| {
        let (Some(Attribute::Opaque(atom)), Domain::Scalar(scalar)) = (vocabulary.get(id), domain) else { return None };
        let Atom::Compare { term, op, operand: Operand::Term(other) } = atom else { return None };
        let [no, holds] = scalar.values.bools;
        let side = |term| side(vocabulary, store, term);
        (no != holds).then_some(Compared { left: side(term)?, op: *op, right: side(other)?, holds })
    });
    all.collect()
}

/// The attribute of a term: the one that the store knows, otherwise any.
fn side(vocabulary: &Vocabulary, store: &Store<'_>, term: &Term) -> Option<AttributeId> {
    match Special::of(term, false) {
        _ if *term == Term::Me => return Some(AttributeId::ME),
        Some(Special::Source) => return Some(AttributeId::SOURCE),
        _ => {}
    }
    let ids: Vec<AttributeId> = [false, true].into_iter().filter_map(|list| vocabulary.fact(term, list)).collect();
    ids.iter().find(|&&id| store.get(id).is_some()).or_else(|| ids.first()).copied()
}

/// Puts into the store what follows for the sides; false if nothing is left.
pub fn narrow(store: &mut Store<'_>, compared: &[Compared], states: &mut States) -> Left {
    for _ in 0..ROUNDS {
        for one in compared {
            if !narrow_one(store, *one, states)? {
                return Ok(false);
            }
        }
    }
    Ok(!contradict(store, compared))
}

fn narrow_one(store: &mut Store<'_>, one: Compared, states: &mut States) -> Left {
    let Compared { left, op, right, holds } = one;
    // Also where nothing follows, the model has to say what the sides are.
    for id in [left, right] {
        if !store.change(id, states, |_| {})? {
            return Ok(false);
        }
    }
    if holds {
        let any = ValueSet::present();
        let may = if op == CompareOp::Eq { any } else { ValueSet { bools: [false; 2], ..any } };
        for id in [left, right] {
            if !store.change(id, states, |domain| keep(domain, &may))? {
                return Ok(false);
            }
        }
    }
    let (Domain::Scalar(mut first), Domain::Scalar(mut second)) = (store.known(left), store.known(right)) else { return Ok(true) };
    match (op, holds) {
        (CompareOp::Eq, true) => {
            first.join(&second);
            second = first.clone();
        }
        (CompareOp::Eq, false) => {
            let (one, two) = (only(&first), only(&second));
            one.iter().for_each(|set| second.meet(&Test::Values(set.clone()), false));
            two.iter().for_each(|set| first.meet(&Test::Values(set.clone()), false));
        }
        (_, true) => bound(&mut first, &mut second, op == CompareOp::Lt),
        // Of what has no order the complement says nothing.
        (_, false) if ordered_alike(&first, &second) => bound(&mut second, &mut first, op == CompareOp::Le),
        (_, false) => {}
    }
    let first = store.change(left, states, |domain| *domain = Domain::Scalar(first))?;
    Ok(first && store.change(right, states, |domain| *domain = Domain::Scalar(second))?)
}

fn keep(domain: &mut Domain, may: &ValueSet) {
    match domain {
        Domain::Scalar(scalar) => scalar.meet(&Test::Values(may.clone()), true),
        Domain::List(list) => list.meet(&Test::Values(may.clone()), true),
    }
}

/// The set of the one value that is left, if it is one.
fn only(scalar: &Scalar) -> Option<ValueSet> {
    let values = &scalar.values;
    let [no, yes] = values.bools;
    let one = match (no, yes, values.numbers.is_empty(), values.texts.is_empty()) {
        (true, false, true, true) | (false, true, true, true) => true,
        (false, false, false, true) => values.numbers.single().is_some(),
        (false, false, true, false) => scalar.single().is_some(),
        _ => false,
    };
    (one && !values.absent && !values.other).then(|| values.clone())
}

/// Whether both sides are of the same kind, which has an order.
fn ordered_alike(one: &Scalar, two: &Scalar) -> bool {
    let numbers = |scalar: &Scalar| ValueSet { numbers: Intervals::none(), ..scalar.values.clone() }.is_empty();
    one.values.is_text() && two.values.is_text() || numbers(one) && numbers(two)
}

/// Keeps what the lesser and the greater side can be.
fn bound(less: &mut Scalar, more: &mut Scalar, strictly: bool) {
    let (numbers_below, numbers_above) = bounds(&less.values.numbers, &more.values.numbers, strictly);
    let (texts_below, texts_above) = bounds(&less.values.texts, &more.values.texts, strictly);
    less.meet(&Test::Values(ValueSet { numbers: numbers_below, ..ValueSet::texts(texts_below) }), true);
    more.meet(&Test::Values(ValueSet { numbers: numbers_above, ..ValueSet::texts(texts_above) }), true);
}

/// What a value below some value of one set is in, and what a value above some value of the other.
fn bounds<T: Point>(less: &Intervals<T>, more: &Intervals<T>, strictly: bool) -> (Intervals<T>, Intervals<T>) {
    let (less, more) = (less.ranges(), more.ranges());
    let (Some((least, _)), Some((first, end))) = (less.first(), more.last()) else {
        return (Intervals::none(), Intervals::none());
    };
    // Below a single value that is last, there is one more value to leave out.
    let below = match end {
        Some(end) if strictly && first.next().as_ref() == Some(end) => Intervals::range(&T::least(), Some(first)),
        end => Intervals::range(&T::least(), end.as_ref()),
    };
    let above = if strictly {
        least.next().map_or_else(Intervals::none, |next| Intervals::range(&next, None))
    } else {
        Intervals::range(least, None)
    };
    (below, above)
}

/// Whether two comparisons of the same single values exclude each other.
fn contradict(store: &Store<'_>, compared: &[Compared]) -> bool {
    let is_scalar = |id| matches!(store.get(id), Some(Domain::Scalar(_)));
    let single = compared.iter().filter(|one| is_scalar(one.left) && is_scalar(one.right));
    let known: BTreeMap<(AttributeId, AttributeId, u8), bool> =
        single.map(|one| ((one.left, one.right, kind(one.op)), one.holds)).collect();
    let says = |left, right, op, holds| known.get(&(left, right, kind(op))) == Some(&holds);
    known.keys().any(|&(left, right, _)| {
        let less = says(left, right, CompareOp::Lt, true);
        let equal = |holds| says(left, right, CompareOp::Eq, holds) || says(right, left, CompareOp::Eq, holds);
        let at_most = says(left, right, CompareOp::Le, true);
        less && (equal(true)
            || says(right, left, CompareOp::Lt, true)
            || says(right, left, CompareOp::Le, true)
            || says(left, right, CompareOp::Le, false))
            || at_most && equal(false) && (says(right, left, CompareOp::Le, true) || says(left, right, CompareOp::Lt, false))
    })
}

fn kind(op: CompareOp) -> u8 {
    match op {
        CompareOp::Lt => 0,
        CompareOp::Le => 1,
        _ => 2,
    }
}

/// The model, changed so that the comparisons come out as they have to; `None` if a few tries do not bring it about.
pub fn bring_about(
    vocabulary: &Vocabulary,
    store: &Store<'_>,
    mut model: Model,
    compared: &[Compared],
    states: &mut States,
) -> Result<Option<Model>, Unknown> {
    for together in hanging_together(compared) {
        if together.iter().all(|one| comes_out(one, |id| model.get(&id))) {
            continue;
        }
        let mut sides: Vec<AttributeId> = together.iter().flat_map(|one| [one.left, one.right]).collect();
        sides.sort_unstable();
        sides.dedup();
        if sides.len() > SIDES {
            return Ok(None);
        }
        let choices = choices(vocabulary, store, &model, &sides, states)?;
        let Some(chosen) = choose(&sides, &choices, &together) else { return Ok(None) };
        model.extend(chosen);
    }
    Ok(Some(model))
}

/// The comparisons, those together that have sides in common.
fn hanging_together(compared: &[Compared]) -> Vec<Vec<Compared>> {
    let mut parents: BTreeMap<AttributeId, AttributeId> = BTreeMap::new();
    for one in compared {
        let (left, right) = (root(&mut parents, one.left), root(&mut parents, one.right));
        parents.insert(left, right);
    }
    let mut groups: BTreeMap<AttributeId, Vec<Compared>> = BTreeMap::new();
    for one in compared {
        groups.entry(root(&mut parents, one.left)).or_default().push(*one);
    }
    groups.into_values().collect()
}

/// What stands for all that hangs together with an attribute. The way there is made short.
fn root(parents: &mut BTreeMap<AttributeId, AttributeId>, id: AttributeId) -> AttributeId {
    let mut way = vec![id];
    let mut at = id;
    while let Some(&parent) = parents.get(&at).filter(|&&parent| parent != at) {
        way.push(parent);
        at = parent;
    }
    parents.extend(way.into_iter().map(|id| (id, at)));
    at
}

/// For each side what it can be: everything that some side could be is worth a try for each.
fn choices(
    vocabulary: &Vocabulary,
    store: &Store<'_>,
    model: &Model,
    sides: &[AttributeId],
    states: &mut States,
) -> Result<Vec<Vec<Value>>, Unknown> {
    let mut pool: Vec<Value> = vec![Value::Absent];
    for id in sides {
        pool.extend(model.get(id).cloned());
        match store.get(*id) {
            Some(Domain::Scalar(scalar)) => samples(scalar, &mut pool, states)?,
            Some(Domain::List(list)) => list.required.iter().try_for_each(|required| samples(&required.value, &mut pool, states))?,
            None => {}
        }
    }
    pool.extend([
        Value::Text(SOMEBODY.to_owned()),
        Value::Text("a".into()),
        Value::Text("b".into()),
        Value::Number(0.0),
        Value::Number(1.0),
    ]);
    let mut distinct: Vec<Value> = Vec::new();
    for value in pool {
        if !distinct.contains(&value) {
            distinct.push(value);
        }
    }
    let any_caller = Scalar::caller(vocabulary.base(AttributeId::ME));
    let choices = sides.iter().map(|&id| {
        let is_tied = id == AttributeId::ME && !store.links().is_empty() || store.links().binary_search(&(id, true)).is_ok();
        match (store.get(id), model.get(&id)) {
            (_, Some(value)) if is_tied => vec![value.clone()],
            (Some(Domain::Scalar(scalar)), _) => {
                let not_me = model.get(&AttributeId::ME).filter(|_| store.links().binary_search(&(id, false)).is_ok());
                distinct.iter().filter(|value| may_be(scalar, value) && Some(*value) != not_me).cloned().collect()
            }
            (Some(Domain::List(list)), Some(Value::List(elements))) => {
                // One more element may be what the comparison needs, and none more what it must not have.
                let more = distinct.iter().filter(|value| **value != Value::Absent && !list.not_me && may_be(&list.elements, value));
                let longer = more.map(|value| Value::List(elements.iter().chain([value]).cloned().collect()));
                let only = list.required.iter().all(|required| !required.me).then(|| {
                    let fits =
                        |value: &&Value| **value != Value::Absent && list.required.iter().all(|required| may_be(&required.value, value));
                    distinct.iter().filter(fits).map(|value| Value::List(vec![value.clone()])).collect::<Vec<_>>()
                });
                let only = only.filter(|_| !list.not_me && !list.required.is_empty()).unwrap_or_default();
                std::iter::once(Value::List(elements.clone())).chain(only).chain(longer).collect()
            }
            (None, _) if id == AttributeId::ME => distinct.iter().filter(|value| may_be(&any_caller, value)).cloned().collect(),
            (_, value) => vec![value.cloned().unwrap_or(Value::Absent)],
        }
    });
    Ok(choices.collect())
}

/// The first choice for which all comparisons come out as they have to.
fn choose(sides: &[AttributeId], choices: &[Vec<Value>], together: &[Compared]) -> Option<Vec<(AttributeId, Value)>> {
    let mut at = vec![0; sides.len()];
    for _ in 0..CHOICES {
        let value = |id: AttributeId| {
            let side = sides.iter().position(|side| *side == id)?;
            choices.get(side)?.get(*at.get(side)?)
        };
        if together.iter().all(|one| comes_out(one, value)) {
            return Some(sides.iter().filter_map(|&id| Some((id, value(id)?.clone()))).collect());
        }
        let mut digits = at.iter_mut().zip(choices);
        loop {
            let (digit, values) = digits.next()?;
            *digit += 1;
            if *digit < values.len() {
                break;
            }
            *digit = 0;
        }
    }
    None
}

/// Values at the ends of what is left, and next to them.
fn samples(scalar: &Scalar, pool: &mut Vec<Value>, states: &mut States) -> Result<(), Unknown> {
    for (first, end) in scalar.values.numbers.ranges().into_iter().take(4) {
        pool.push(Value::Number(first.number()));
        pool.extend(first.next().map(|next| Value::Number(next.number())));
        pool.extend(end.map(|end| Value::Number(end.number().next_down())));
    }
    pool.extend(best_number(&scalar.values.numbers).map(Value::Number));
    for (first, end) in scalar.values.texts.ranges().into_iter().take(4) {
        pool.push(Value::Text(first.to_string()));
        pool.push(Value::Text(format!("{first}a")));
        pool.push(Value::Text(format!("{first}b")));
        pool.extend(end.map(|end| Value::Text(end.trim_end_matches('\0').to_owned())));
    }
    let mut others = scalar.clone();
    for _ in 0..WORDS {
        let Some(text) = others.text(states)? else { break };
        others.exclude(&text.as_str().into());
        pool.push(Value::Text(text));
    }
    let [no, yes] = scalar.values.bools;
    pool.extend(no.then_some(Value::Bool(false)));
    pool.extend(yes.then_some(Value::Bool(true)));
    Ok(())
}

fn may_be(scalar: &Scalar, value: &Value) -> bool {
    match value {
        Value::Absent => scalar.values.absent,
        Value::Bool(value) => scalar.values.bools.get(usize::from(*value)).copied().unwrap_or_default(),
        Value::Number(number) => number.is_finite() && scalar.values.numbers.contains(&Rank::of(*number)),
        Value::Text(text) => scalar.allows(text),
        Value::Unfit | Value::List(_) => false,
    }
}

/// Whether a comparison comes out as it has to.
fn comes_out<'m>(one: &Compared, value: impl Fn(AttributeId) -> Option<&'m Value>) -> bool {
    let elements = |id| match value(id) {
        Some(Value::List(elements)) => elements.as_slice(),
        Some(value) => std::slice::from_ref(value),
        None => &[],
    };
    let right = elements(one.right);
    elements(one.left).iter().any(|left| right.iter().any(|right| related(left, one.op, right))) == one.holds
}

fn related(left: &Value, op: CompareOp, right: &Value) -> bool {
    let ordering = match (left, right) {
        (Value::Bool(left), Value::Bool(right)) => return op == CompareOp::Eq && left == right,
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
