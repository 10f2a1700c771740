//! What is plain to see of statements, without a search: that one is needed, or takes effect, shown by the header and a
//! [point](super::point).
//!
//! A caller with one member of a statement makes a request at a point where its condition holds. Others take from the statement
//! the actions that they cover in its service and source, unless their condition fails there; what is then left is a request that
//! none of them is about. To take an exception, or a condition that a point says nothing of, for one that always applies errs on the
//! safe side: then nothing is plain to see, and the search has the word.

use std::collections::BTreeSet;
use std::ops::ControlFlow;

use rayon::prelude::*;

use super::formula::Formula;
use super::index::Services;
use super::people::ANYBODY;
use super::people::EVERYONE;
use super::people::Header;
use super::people::Left;
use super::people::MemberId;
use super::point::Point;
use super::prepared::Prepared;
use super::question::Analysis;
use super::said::Said;
use super::search::Goal;
use super::side::BOTH;
use super::side::Side;
use super::side::members_that_matter;
use super::vocabulary::AttributeId;
use crate::policy::Effect;
use crate::policy::Member;

/// So many grants are tried for a denial to take something from.
const GRANTS: usize = 16;

/// So many callers are tried for each of them.
const CALLERS: usize = 8;

/// So often another point is looked for where none of those applies that are in the way.
const ROUNDS: usize = 4;

/// What is plain to see of the statements of a law book: for each that is needed, nothing, and for every other one, what is in the way of
/// seeing that. By default nothing is known.
#[derive(Debug, Default)]
pub struct Plainly(Vec<Option<Vec<u32>>>);

impl Plainly {
    /// Whether a statement is needed: some request that it matches is decided otherwise without it, also if other statements go.
    pub fn is_needed(&self, position: usize) -> bool {
        self.0.get(position).is_some_and(Option::is_none)
    }

    /// Whether no more is plain to see of a statement once others are gone, because none of them was in the way.
    pub fn stays(&self, position: usize, gone: impl Fn(usize) -> bool) -> bool {
        self.0.get(position).and_then(Option::as_ref).is_some_and(|in_the_way| !in_the_way.iter().any(|&at| gone(at as usize)))
    }
}

impl Analysis {
    /// What is plain to see of statements: that a grant is left something by denials and other grants, and a denial by other denials. Then
    /// the grant is not dead, and neither of them is superfluous. Some grants are left aside, as they are when it is asked what is superfluous.
    pub(super) fn plainly(&self, side: &Side, aside: &BTreeSet<usize>) -> Plainly {
        let of = |(position, root): (usize, &Prepared)| {
            let effects = if root.statement.effect == Effect::Deny { &[Effect::Deny] } else { BOTH };
            let counts = |other: u32| other as usize != position && !aside.contains(&(other as usize));
            let mut in_the_way = Vec::new();
            (!self.is_left(side, root, effects, counts, &mut in_the_way)).then_some(in_the_way)
        };
        Plainly(side.statements.par_iter().enumerate().map(of).collect())
    }

    /// Where a statement applies, whatever else is said, as far as that is plain to see.
    fn point_of<'a>(&self, prepared: &'a Prepared) -> Option<&'a Point> {
        prepared.said.point(&self.vocabulary, self.budget)
    }

    /// Whether it is plain to see that others, of those that count, leave something of a statement to a caller with one of its members.
    /// It says no more than a look at the [cases](Side::cases) would, and does so sooner.
    pub(super) fn is_plainly_left(&self, side: &Side, root: &Prepared, effects: &[Effect], counts: impl Fn(u32) -> bool) -> bool {
        self.is_left(side, root, effects, counts, &mut Vec::new())
    }

    /// The same, which adds those that were in the way.
    fn is_left(&self, side: &Side, root: &Prepared, effects: &[Effect], counts: impl Fn(u32) -> bool, in_the_way: &mut Vec<u32>) -> bool {
        if side.world.is_some() || root.may_spare_members() {
            return false;
        }
        let others = Others { analysis: self, side, effects, counts };
        let Some(first) = self.point_of(root) else { return others.leave_something(root, None, in_the_way) };
        if others.leave_something(root, Some(first), in_the_way) {
            return true;
        }
        for _ in 0..ROUNDS {
            let fail: Vec<&Said> = distinct(side.at(in_the_way).map(|other| &*other.said));
            let own = [&root.said.applies, &root.said.fits].map(Goal::yes);
            let goals: Vec<Goal<'_>> = own.into_iter().chain(fail.iter().map(|said| Goal::no(&said.applies))).collect();
            let Some(point) = Point::of(&goals, &self.vocabulary, self.budget) else { return false };
            if others.leave_something(root, Some(&point), in_the_way) {
                return true;
            }
        }
        false
    }

    /// Whether it is plain to see that a denial takes something from grants that no other denial takes, of those that are kept.
    pub(super) fn is_plainly_felt(&self, side: &Side, denial: &Prepared, kept: impl Fn(u32) -> bool) -> bool {
        if side.world.is_some() || denial.may_spare_members() {
            return false;
        }
        self.is_felt_at_its_point(side, denial, &kept) || self.is_felt_at_points_of_grants(side, denial, &kept)
    }

    fn is_felt_at_its_point(&self, side: &Side, denial: &Prepared, kept: &impl Fn(u32) -> bool) -> bool {
        let Some(point) = self.point_of(denial) else { return false };
        let for_everyone = denial.members.first() == Some(&EVERYONE);
        let members = if for_everyone { &[ANYBODY] } else { denial.members.as_slice() };
        let (mut tried, mut felt) = (0, false);
        for &member in members.iter().chain((!for_everyone).then_some(&EVERYONE)) {
            let look = (Effect::Allow, member, Services::Meeting(denial.header.service));
            let found = side.index.each_at(look, Some(point), &self.vocabulary, |at| {
                let grant = side.get(at).filter(|grant| grant.header.meet(denial.header).is_some());
                let grant = grant.filter(|grant| point.holds(&grant.said.applies, &self.vocabulary) == Some(true));
                let Some(grant) = grant else { return ControlFlow::Continue(()) };
                tried += 1;
                felt = self.is_felt_by(side, denial, grant, point, kept);
                if felt || tried >= GRANTS { ControlFlow::Break(()) } else { ControlFlow::Continue(()) }
            });
            if found.is_break() {
                break;
            }
        }
        felt
    }

    fn is_felt_at_points_of_grants(&self, side: &Side, denial: &Prepared, kept: &impl Fn(u32) -> bool) -> bool {
        let grants = side.grants_sharing(denial);
        let own = self.point_of(denial);
        side.at(&grants).take(GRANTS).any(|grant| {
            let both = [grant, denial].map(|prepared| Goal::yes(&prepared.said.applies));
            let point = self.point_of(grant).map(|point| own.map_or_else(|| point.clone(), |own| point.with(own)));
            let point = point.filter(|point| point.meets(&both, &self.vocabulary));
            point.is_some_and(|point| self.is_felt_by(side, denial, grant, &point, kept))
        })
    }

    /// Whether it is plain to see that a denial takes something from some grants that no other denial takes, of those that are kept: from
    /// a caller with a member of each, at a point of the grant where the denial applies, if only because a value does not fit.
    pub(super) fn is_felt_beside(&self, side: &Side, denial: &Prepared, grants: &[u32], kept: impl Fn(u32) -> bool) -> bool {
        if side.world.is_some() || denial.may_spare_members() {
            return false;
        }
        let own = self.point_of(denial);
        let others = Others { analysis: self, side, effects: &[Effect::Deny], counts: kept };
        side.at(grants).filter(|grant| !grant.may_spare_members()).take(GRANTS).any(|grant| {
            let Some((both, at)) = grant.header.meet(denial.header).zip(self.point_of(grant)) else { return false };
            let goals = [grant, denial].map(|prepared| Goal::yes(&prepared.said.applies));
            let fitting = own.into_iter().map(|own| at.with(own));
            let unfit = read(&denial.said.fits).map(|attribute| at.with_unfit(attribute));
            let mut points = fitting.chain(unfit).filter(|point| point.meets(&goals, &self.vocabulary));
            points.any(|point| others.leave_to_one_of(both, one_of_each(side, grant, denial), Some(&point), &mut Vec::new()))
        })
    }

    /// Whether a denial takes something from a grant at a point where the conditions of both hold.
    fn is_felt_by(&self, side: &Side, denial: &Prepared, grant: &Prepared, point: &Point, kept: &impl Fn(u32) -> bool) -> bool {
        let Some(both) = grant.header.meet(denial.header).filter(|_| !grant.may_spare_members()) else { return false };
        let others = Others { analysis: self, side, effects: &[Effect::Deny], counts: kept };
        others.leave_to_one_of(both, shared_members(denial, grant).map(alone), Some(point), &mut Vec::new())
    }
}

/// Statements that may take something from another.
struct Others<'a, C> {
    analysis: &'a Analysis,
    side: &'a Side,
    effects: &'a [Effect],
    /// Which of them count.
    counts: C,
}

impl<C: Fn(u32) -> bool> Others<'_, C> {
    /// Whether they leave something of a statement at a point, or wherever it applies; adds those that are in the way.
    fn leave_something(&self, root: &Prepared, point: Option<&Point>, in_the_way: &mut Vec<u32>) -> bool {
        self.leave_to_one_of(root.header, members_that_matter(root).iter().copied().map(alone), point, in_the_way)
    }

    /// Whether they leave something of what a header is about to one of some callers, each with two members.
    fn leave_to_one_of(
        &self,
        header: Header,
        mut callers: impl Iterator<Item = [MemberId; 2]>,
        point: Option<&Point>,
        in_the_way: &mut Vec<u32>,
    ) -> bool {
        let mut everyones = header.left();
        self.take(&mut everyones, EVERYONE, point, in_the_way);
        everyones.is_some()
            && callers.any(|[one, two]| {
                let mut left = everyones;
                for member in [one].into_iter().chain((two != one).then_some(two)).filter(|member| *member != EVERYONE) {
                    self.take(&mut left, member, point, in_the_way);
                }
                left.is_some()
            })
    }

    /// Takes from what is left of a header what those for a member may be about.
    fn take(&self, left: &mut Left, member: MemberId, point: Option<&Point>, in_the_way: &mut Vec<u32>) {
        let Self { analysis, side, effects, counts } = self;
        for &effect in *effects {
            let look = (effect, member, Services::Covering(left.service()));
            let ended = side.index.each_at(look, point, &analysis.vocabulary, |at| {
                let other = side.index.header(at).filter(|other| left.loses_to(*other) && counts(at));
                let holds = |point: &Point| side.get(at).and_then(|other| point.holds(&other.said.applies, &analysis.vocabulary));
                if let Some(other) = other
                    && point.and_then(holds) != Some(false)
                {
                    left.take(other);
                    in_the_way.push(at);
                }
                if left.is_some() { ControlFlow::Continue(()) } else { ControlFlow::Break(()) }
            });
            if ended.is_break() {
                return;
            }
        }
    }
}

/// Conditions without those that come again.
fn distinct<'a>(all: impl Iterator<Item = &'a Said>) -> Vec<&'a Said> {
    let mut distinct: Vec<&Said> = all.collect();
    distinct.sort_unstable_by_key(|said| said.id);
    distinct.dedup_by_key(|said| said.id);
    distinct
}

/// A caller with one member.
fn alone(member: MemberId) -> [MemberId; 2] {
    [member, EVERYONE]
}

/// Callers with a member of each of two statements. Nobody is two people at once.
fn one_of_each<'a>(side: &'a Side, one: &'a Prepared, two: &'a Prepared) -> impl Iterator<Item = [MemberId; 2]> + 'a {
    let is_person = |member: MemberId| matches!(side.people.member(member), Some(Member::Email(_) | Member::Typed { .. }));
    let pairs = members_that_matter(one).iter().flat_map(|&one| members_that_matter(two).iter().map(move |&two| [one, two]));
    pairs.filter(move |[one, two]| one == two || !is_person(*one) || !is_person(*two)).take(CALLERS)
}

/// The attributes that a formula of literals reads.
fn read(formula: &Formula) -> impl Iterator<Item = AttributeId> {
    formula.conjuncts().iter().filter_map(|part| if let Formula::Literal(literal) = part { Some(literal.attribute) } else { None })
}

/// Members that are enough to be meant by both of two statements.
fn shared_members<'a>(one: &'a Prepared, two: &'a Prepared) -> impl Iterator<Item = MemberId> + 'a {
    let all = |prepared: &Prepared| prepared.members.first() == Some(&EVERYONE);
    let (members, other) = if all(one) { (members_that_matter(two), one) } else { (one.members.as_slice(), two) };
    members.iter().copied().filter(move |member| all(other) || other.members.binary_search(member).is_ok())
}
