//! What formulas speak of: every part of a request that a statement can look at, by number.

use std::collections::HashMap;
use std::sync::Arc;
use std::sync::LazyLock;

use foldhash::fast::RandomState;

use super::interval::Intervals;
use super::interval::Point;
use super::list::List;
use super::scalar::Scalar;
use super::store::Domain;
use super::values::ValueSet;
use crate::condition::Atom;
use crate::condition::Path;
use crate::condition::Term;
use crate::policy::Name;

/// The number of an attribute.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct AttributeId(u32);

impl AttributeId {
    /// The name of the action.
    pub const ACTION: Self = Self(0);
    /// The service.
    pub const SERVICE: Self = Self(1);
    /// The source.
    pub const SOURCE: Self = Self(2);
    /// The type of the caller.
    pub const CALLER_TYPE: Self = Self(3);
    /// The id of the caller, `{me}`.
    pub const ME: Self = Self(4);

    /// The position in the vocabulary.
    pub fn index(self) -> usize {
        self.0 as usize
    }
}

/// A part of a request.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub enum Attribute {
    /// The name of the action.
    Action,
    /// The service.
    Service,
    /// The source.
    Source,
    /// The type of the caller.
    CallerType,
    /// The id of the caller.
    Me,
    /// Whether the caller is in a group.
    Group(Name),
    /// A fact that conditions read.
    Fact {
        /// The term; never `{me}`.
        term: Term,
        /// Whether it is declared to hold a list.
        list: bool,
    },
    /// Whether a comparison of two terms holds, neither of which is `{me}` in an equality.
    Opaque(Atom),
}

/// How the place of one attribute lies to that of another.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Lies {
    /// The other lies inside: this is `a`, the other `a.b`.
    Around,
    /// The other lies around.
    Inside,
}

/// The attributes of one analysis. A copy costs nothing until something new is spoken of.
#[derive(Debug, Clone)]
pub struct Vocabulary(Arc<Known>);

/// What is known of the attributes.
#[derive(Debug, Clone, Default)]
struct Known {
    attributes: Vec<Attribute>,
    /// The facts, as a scalar and as a list.
    facts: HashMap<Term, [Option<AttributeId>; 2], RandomState>,
    groups: HashMap<Name, AttributeId>,
    opaque: HashMap<Atom, AttributeId>,
    related: HashMap<AttributeId, Vec<(AttributeId, Lies)>>,
    bases: Vec<Arc<Domain>>,
    /// Whether the attribute is plain, by number.
    plain: Vec<bool>,
}

/// What every analysis speaks of.
static START: LazyLock<Vocabulary> = LazyLock::new(|| {
    let attributes = vec![Attribute::Action, Attribute::Service, Attribute::Source, Attribute::CallerType, Attribute::Me];
    let mut vocabulary = Vocabulary(Arc::new(Known { attributes, ..Known::default() }));
    vocabulary.relate();
    vocabulary
});

impl Default for Vocabulary {
    fn default() -> Self {
        START.clone()
    }
}

impl Vocabulary {
    /// The number of a term, which may be new.
    pub fn term(&mut self, term: &Term, list: bool) -> AttributeId {
        if *term == Term::Me {
            return AttributeId::ME;
        }
        self.fact(term, list).unwrap_or_else(|| {
            let (known, id) = self.add(Attribute::Fact { term: term.clone(), list });
            let [scalar, listed] = known.facts.entry(term.clone()).or_default();
            *if list { listed } else { scalar } = Some(id);
            id
        })
    }

    /// The number of what says whether the caller is in a group, which may be new.
    pub fn in_group(&mut self, name: &Name) -> AttributeId {
        self.group(name).unwrap_or_else(|| {
            let (known, id) = self.add(Attribute::Group(name.clone()));
            known.groups.insert(name.clone(), id);
            id
        })
    }

    /// The number of what says whether a comparison of two terms holds, which may be new.
    pub fn comparison(&mut self, atom: &Atom) -> AttributeId {
        self.0.opaque.get(atom).copied().unwrap_or_else(|| {
            let (known, id) = self.add(Attribute::Opaque(atom.clone()));
            known.opaque.insert(atom.clone(), id);
            id
        })
    }

    fn add(&mut self, attribute: Attribute) -> (&mut Known, AttributeId) {
        let known = Arc::make_mut(&mut self.0);
        let id = AttributeId(u32::try_from(known.attributes.len()).unwrap_or(u32::MAX));
        known.attributes.push(attribute);
        (known, id)
    }

    /// Every attribute with its number.
    pub fn iter(&self) -> impl Iterator<Item = (AttributeId, &Attribute)> {
        (0..).map(AttributeId).zip(&self.0.attributes)
    }

    /// Whether anything speaks of groups.
    pub fn has_groups(&self) -> bool {
        !self.0.groups.is_empty()
    }

    /// The number of a term as it was read, if anything reads it so.
    pub fn fact(&self, term: &Term, list: bool) -> Option<AttributeId> {
        let [scalar, listed] = *self.0.facts.get(term)?;
        if list { listed } else { scalar }
    }

    /// The number of a group, if anything speaks of it.
    pub fn group(&self, name: &Name) -> Option<AttributeId> {
        self.0.groups.get(name).copied()
    }

    /// The attribute with a number.
    pub fn get(&self, id: AttributeId) -> Option<&Attribute> {
        self.0.attributes.get(id.index())
    }

    /// Whether an attribute holds a list.
    pub fn is_list(&self, id: AttributeId) -> bool {
        matches!(self.get(id), Some(Attribute::Fact { list: true, .. }))
    }

    /// The attributes that lie around or inside this one.
    pub fn related(&self, id: AttributeId) -> &[(AttributeId, Lies)] {
        self.0.related.get(&id).map_or(&[], Vec::as_slice)
    }

    /// Whether an attribute that is no list can be anything, whatever else is known.
    pub fn is_plain(&self, id: AttributeId) -> bool {
        self.0.plain.get(id.index()).copied().unwrap_or_default()
    }

    /// Works out which attributes lie inside which. To be called when all are known.
    pub fn relate(&mut self) {
        let bases: Vec<_> = self.iter().skip(self.0.bases.len()).map(|(id, _)| Arc::new(self.domain(id))).collect();
        let related = self.relations();
        let known = Arc::make_mut(&mut self.0);
        let is_free = |base: &Arc<Domain>| matches!(&**base, Domain::Scalar(scalar) if scalar.is_free());
        known.plain.extend(bases.iter().map(is_free));
        for id in related.keys() {
            if let Some(plain) = known.plain.get_mut(id.index()) {
                *plain = false;
            }
        }
        known.bases.extend(bases);
        known.related = related;
    }

    fn relations(&self) -> HashMap<AttributeId, Vec<(AttributeId, Lies)>> {
        let facts = || {
            self.iter().filter_map(|(id, attribute)| match attribute {
                Attribute::Fact { term, .. } => Some((id, term)),
                _ => None,
            })
        };
        let mut related: HashMap<AttributeId, Vec<(AttributeId, Lies)>> = HashMap::new();
        let nested = |term: &Term| term.path().is_some_and(|path| path.names().len() > 1);
        if !facts().any(|(_, term)| nested(term)) {
            return related;
        }
        let mut by_prefix: HashMap<&Term, Vec<AttributeId>> = HashMap::new();
        for (id, term) in facts() {
            by_prefix.entry(term).or_default().push(id);
        }
        let mut found = Vec::new();
        for (inner, term) in facts() {
            for prefix in prefixes(term) {
                found.extend(by_prefix.get(&prefix).into_iter().flatten().map(|&outer| (outer, inner)));
            }
        }
        found.sort_unstable();
        for (outer, inner) in found {
            related.entry(outer).or_default().push((inner, Lies::Around));
            related.entry(inner).or_default().push((outer, Lies::Inside));
        }
        related
    }

    /// The domain of an attribute before anything is said of it.
    pub(super) fn start(&self, id: AttributeId) -> Arc<Domain> {
        self.0.bases.get(id.index()).cloned().unwrap_or_else(|| Arc::new(self.domain(id)))
    }

    fn domain(&self, id: AttributeId) -> Domain {
        if self.is_list(id) {
            Domain::List(List::new())
        } else if id == AttributeId::ME {
            Domain::Scalar(Scalar::caller(self.base(id)))
        } else {
            Domain::Scalar(Scalar::new(self.base(id)))
        }
    }

    /// What an attribute can be before anything is said of it, element by element for a list.
    pub fn base(&self, id: AttributeId) -> ValueSet {
        let not_empty = || ValueSet::texts(Intervals::one(&Arc::least()).complement());
        match self.get(id) {
            Some(Attribute::Action | Attribute::Service | Attribute::Source | Attribute::CallerType | Attribute::Me) => not_empty(),
            Some(Attribute::Group(_) | Attribute::Opaque(_)) => ValueSet { bools: [true; 2], ..ValueSet::none() },
            Some(Attribute::Fact { list: true, .. }) => ValueSet::present(),
            Some(Attribute::Fact { term: Term::Document(path), .. }) if is(path, "_id") => not_empty(),
            Some(Attribute::Fact { term: Term::Context(path), .. }) if is(path, "source") => {
                ValueSet { absent: true, ..ValueSet::texts(Intervals::all()) }
            }
            // Groups are a list, which does not fit where none is declared.
            Some(Attribute::Fact { term: Term::Caller(path), .. }) if is(path, "groups") => ValueSet { absent: true, ..ValueSet::other() },
            Some(Attribute::Fact { .. }) | None => ValueSet::all(),
        }
    }
}

fn is(path: &Path, name: &str) -> bool {
    path.names() == [name]
}

/// The terms that lie around a term.
fn prefixes(term: &Term) -> Vec<Term> {
    let around = |path: &Path, make: fn(Path) -> Term| {
        let names = path.names();
        (1..names.len()).filter_map(|length| names.get(..length).and_then(|names| Path::new(names.to_vec()))).map(make).collect()
    };
    match term {
        Term::Me => Vec::new(),
        Term::Document(path) => around(path, Term::Document),
        Term::Caller(path) => around(path, Term::Caller),
        Term::Action(path) => around(path, Term::Action),
        Term::Context(path) => around(path, Term::Context),
    }
}
