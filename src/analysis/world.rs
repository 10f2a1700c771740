//! The callers there are, when a law book has a directory. Without one, every caller there could be is looked at.

use std::collections::HashMap;

use serde_json::Map;
use serde_json::Value as Json;

use super::formula::Formula;
use super::formula::Literal;
use super::formula::Test;
use super::interval::Intervals;
use super::interval::Rank;
use super::people::EVERYONE;
use super::people::MemberId;
use super::people::People;
use super::prepared::Caller;
use super::prepared::Identity;
use super::prepared::Prepared;
use super::values::ValueSet;
use super::vocabulary::Attribute;
use super::vocabulary::AttributeId;
use super::vocabulary::Vocabulary;
use crate::condition::Path;
use crate::condition::Term;
use crate::decision::Subject;
use crate::policy::Member;
use crate::policy::Name;

/// The callers of a directory. Of callers whom no statement can tell apart there is one.
#[derive(Debug, Clone)]
pub struct World {
    callers: Vec<Caller>,
    by_member: HashMap<MemberId, Vec<usize>>,
}

impl World {
    /// The world of these callers, as the statements see them.
    pub fn new(subjects: &[&Subject], people: &People, vocabulary: &Vocabulary, reads_me: bool) -> Self {
        let read: Vec<(AttributeId, &Path, bool)> = vocabulary.caller_facts().collect();
        let mut callers: Vec<Caller> = Vec::new();
        let mut by_member: HashMap<MemberId, Vec<usize>> = HashMap::new();
        let mut known: HashMap<(Vec<MemberId>, Formula), usize> = HashMap::new();
        for subject in subjects {
            let facts =
                Formula::all(read.iter().map(|(id, path, list)| fact(*id, path, *list, &subject.properties, vocabulary)), vocabulary);
            let members = members(subject, people);
            if !reads_me && known.insert((members.clone(), facts.clone()), callers.len()).is_some() {
                continue;
            }
            members.iter().for_each(|member| by_member.entry(*member).or_default().push(callers.len()));
            callers.push(Caller {
                groups: subject.groups.iter().map(|group| Name::from(group.as_str())).collect(),
                identity: Identity::Known { kind: subject.kind.as_str().into(), id: subject.id.as_str().into() },
                exact: true,
                members,
                facts: Some(facts),
            });
        }
        Self { callers, by_member }
    }

    /// The callers whom all of some statements are for, each with one member of each statement.
    pub fn callers<'a>(&'a self, roots: &'a [&Prepared]) -> impl Iterator<Item = (&'a Caller, Vec<MemberId>)> {
        let narrowest = roots.iter().min_by_key(|root| root.members.iter().map(|member| self.count(*member)).sum::<usize>());
        let mut positions: Vec<usize> = narrowest
            .into_iter()
            .flat_map(|root| &root.members)
            .filter_map(|member| self.by_member.get(member))
            .flatten()
            .copied()
            .collect();
        positions.sort_unstable();
        positions.dedup();
        positions.into_iter().filter_map(|at| self.callers.get(at)).filter_map(|caller| {
            let is_among = |members: &[MemberId]| members.iter().copied().find(|member| caller.members.binary_search(member).is_ok());
            let named: Option<Vec<MemberId>> =
                roots.iter().map(|root| is_among(&root.members).filter(|_| is_among(&root.except).is_none())).collect();
            named.map(|named| (caller, named))
        })
    }

    fn count(&self, member: MemberId) -> usize {
        self.by_member.get(&member).map_or(0, Vec::len)
    }
}

/// The numbers of the members that a caller has, ascending.
fn members(subject: &Subject, people: &People) -> Vec<MemberId> {
    let (kind, id): (Name, Name) = (subject.kind.as_str().into(), subject.id.as_str().into());
    let email = (subject.kind == "user").then(|| Member::Email(id.clone()));
    let own = email.into_iter().chain([Member::Typed { kind, id }]);
    let groups = subject.groups.iter().map(|group| Member::Group(group.as_str().into()));
    let mut members: Vec<MemberId> = own.chain(groups).filter_map(|member| people.known(&member)).chain([EVERYONE]).collect();
    members.sort_unstable();
    members
}

/// That a property of the caller is what it is.
fn fact(id: AttributeId, path: &Path, list: bool, properties: &Map<String, Json>, vocabulary: &Vocabulary) -> Formula {
    let value = match walk(properties, path) {
        Ok(value) => value.unwrap_or(&Json::Null),
        Err(Obstructed) => return Formula::unfit(id, vocabulary),
    };
    if !list {
        return Formula::values(id, scalar(value).unwrap_or_else(ValueSet::other));
    }
    let elements = match value {
        Json::Array(elements) => elements.as_slice(),
        scalar => std::slice::from_ref(scalar),
    };
    let Some(sets) = elements.iter().map(scalar).collect::<Option<Vec<ValueSet>>>() else { return Formula::unfit(id, vocabulary) };
    let sets: Vec<ValueSet> = sets.into_iter().filter(|set| !set.absent).collect();
    let element = |set: &ValueSet, positive| Formula::Literal(Literal { attribute: id, test: Test::Values(set.clone()).into(), positive });
    let rest = sets.iter().fold(ValueSet::present(), |rest, set| rest.intersect(&set.clone().complement()));
    let fits = Formula::unfit(id, vocabulary).negate(vocabulary);
    let parts = sets.iter().map(|set| element(set, true)).chain([element(&rest, false), fits]);
    Formula::all(parts, vocabulary)
}

/// The set of one scalar; `None` if it is none, or no number of the language.
fn scalar(value: &Json) -> Option<ValueSet> {
    Some(match value {
        Json::Null => ValueSet::absent(),
        Json::Bool(value) => ValueSet::bool(*value),
        Json::Number(number) => {
            let number = number.as_f64().filter(|number| number.is_finite())?;
            ValueSet { numbers: Intervals::one(&Rank::of(number)), ..ValueSet::none() }
        }
        Json::String(text) => ValueSet::words([text.as_str()]),
        Json::Array(_) | Json::Object(_) => return None,
    })
}

/// A list or a scalar stands where a path goes on.
struct Obstructed;

fn walk<'a>(properties: &'a Map<String, Json>, path: &Path) -> Result<Option<&'a Json>, Obstructed> {
    let Some((last, way)) = path.names().split_last() else { return Ok(None) };
    let mut object = properties;
    for name in way {
        match object.get(name) {
            None | Some(Json::Null) => return Ok(None),
            Some(Json::Object(inner)) => object = inner,
            Some(_) => return Err(Obstructed),
        }
    }
    Ok(object.get(last))
}

impl Vocabulary {
    /// The properties of the caller that conditions read.
    fn caller_facts(&self) -> impl Iterator<Item = (AttributeId, &Path, bool)> {
        self.iter().filter_map(|(id, attribute)| match attribute {
            Attribute::Fact { term: Term::Caller(path), list } => Some((id, path, *list)),
            _ => None,
        })
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use crate::analysis::Analysis;
    use crate::analysis::Proof;
    use crate::analysis::Quantity;
    use crate::analysis::sample::statement;
    use crate::decision::Subject;
    use crate::policy::Effect;

    fn subject(id: &str, groups: &[&str], properties: serde_json::Value) -> Subject {
        let groups = groups.iter().map(|group| (*group).to_owned()).collect();
        let serde_json::Value::Object(properties) = properties else { panic!("properties are an object") };
        Subject { kind: "user".into(), id: id.into(), groups, properties }
    }

    #[test]
    fn only_the_callers_that_there_are_count() {
        let grant = statement("G", Effect::Allow, "delete | r | s | ops | {me.level} >= 3");
        let denial = statement("D", Effect::Deny, "delete | r | s | interns | {me.team} = 'a'");
        let scope = statement("scope", Effect::Allow, "delete | * | * | contractors");
        let statements = [grant, denial];
        let claim = |subjects: &[Subject]| {
            let analysis = Analysis::with_scopes(&[&statements], std::slice::from_ref(&scope));
            let analysis = analysis.in_world(&subjects.iter().collect::<Vec<_>>());
            matches!(analysis.prove(0, Quantity::Never), Proof::Holds)
        };
        let open = Analysis::with_scopes(&[&statements], std::slice::from_ref(&scope));
        assert!(matches!(open.prove(0, Quantity::Never), Proof::Fails(_)));
        assert!(claim(&[subject("a@x", &["ops"], json!({"level": 3})), subject("b@x", &["contractors"], json!({"level": 9}))]));
        assert!(!claim(&[subject("a@x", &["ops", "contractors"], json!({"level": 3}))]));
        assert!(claim(&[subject("a@x", &["ops", "contractors"], json!({"level": 2}))]));
        assert!(claim(&[subject("a@x", &["ops", "contractors", "interns"], json!({"level": 3, "team": "a"}))]));
        assert!(!claim(&[subject("a@x", &["ops", "contractors", "interns"], json!({"level": 3, "team": "b"}))]));
        assert!(claim(&[]));
    }
}
