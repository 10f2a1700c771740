//! Networks that say the same twice, or that one part of a condition lists and another takes away.

use std::collections::BTreeMap;
use std::net::IpAddr;
use std::net::Ipv6Addr;
use std::ops::Range;
use std::ops::RangeInclusive;

use crate::condition::Atom;
use crate::condition::Expr;
use crate::condition::Network;
use crate::condition::Term;
use crate::condition::address_number;
use crate::finding::Level;
use crate::finding::Safety;
use crate::lint::Book;
use crate::lint::Check;
use crate::lint::Draft;
use crate::lint::Rule;
use crate::lint::Sink;
use crate::lint::atoms::Places;
use crate::lint::atoms::atoms;
use crate::policy::Policy;

pub(super) static RULE: Rule = Rule {
    name: "overlapping-addresses",
    summary: "a list of networks repeats itself, is contradicted by the same condition, or is every address",
    default: Level::Warn,
    blocking: false,
    check: Check::Book(check),
    page: include_str!("../../../docs/rules/overlapping-addresses.md"),
};

/// Addresses as numbers, from the first to the last.
type Addresses = RangeInclusive<u128>;

/// How many findings of each sort one condition has; more say nothing new.
const FINDINGS_PER_CONDITION: usize = 20;

/// How many networks of one list are pointed at.
const SHOWN: usize = 3;

/// A list of networks in a condition.
#[derive(Clone, Copy)]
struct List<'a> {
    /// The position of its atom.
    atom: usize,
    term: &'a Term,
    networks: &'a [Network],
    /// Whether an address in the list makes the atom false.
    negated: bool,
}

fn check(book: &Book, sink: &mut Sink) {
    for (policy, document) in book.policies() {
        let lists: Vec<List<'_>> = atoms(policy).into_iter().enumerate().filter_map(|(at, atom)| List::of(at, atom)).collect();
        if lists.is_empty() {
            continue;
        }
        let places = Places::of(book, document);
        let mut drafts = Vec::new();
        drafts.extend(lists.iter().filter_map(|list| repeated(&places, list)).take(FINDINGS_PER_CONDITION));
        if let Some(condition) = policy.condition() {
            let mut walk = Walk { places: &places, next: 0, restricts: restricts(policy), drafts: Vec::new() };
            walk.visit(&condition.expr, false, &[]);
            drafts.append(&mut walk.drafts);
        }
        for draft in drafts {
            sink.report(draft.policy(policy.id().as_str()));
        }
    }
}

/// Whether the condition is there to keep requests out: that of a grant, and what a control requires.
fn restricts(policy: &Policy) -> bool {
    match policy {
        Policy::Access(access) => !access.deny,
        Policy::Control(_) => true,
    }
}

impl<'a> List<'a> {
    fn of(at: usize, atom: &'a Atom) -> Option<Self> {
        match atom {
            Atom::InCidr { term, networks, negated } => Some(Self { atom: at, term, networks, negated: *negated }),
            _ => None,
        }
    }
}

/// A list in which one network contains another.
fn repeated(places: &Places<'_>, list: &List<'_>) -> Option<Draft> {
    let inside = contained(list.networks);
    let &(first, outer) = inside.first()?;
    let (network, container) = (list.networks.get(first)?, list.networks.get(outer)?);
    let more = match inside.len() - 1 {
        0 => String::new(),
        1 => ", and so is one more of the list".to_owned(),
        count => format!(", and so are {count} more of the list"),
    };
    let message = if network == container {
        format!("`{}` is listed twice{more}; a reader looks for a difference that is not there", network.get())
    } else {
        let (network, container) = (network.get(), container.get());
        format!("`{network}` lies inside `{container}`, which is listed too{more}; to take it off the list would not take it away")
    };
    let mut draft = Draft::new(places.value(list.atom, first), message).label("listed already");
    draft = draft.related(places.value(list.atom, outer), if network == container { "the same" } else { "contains it" });
    for &(other, _) in inside.iter().skip(1).take(SHOWN) {
        draft = draft.related(places.value(list.atom, other), "listed already, too");
    }
    let draft = draft.help("remove it, which changes nothing, or correct the longer prefix if less is meant");
    let Some(kept) = kept(list.networks, &inside) else { return Some(draft) };
    let expected = Atom::InCidr { term: list.term.clone(), networks: kept, negated: list.negated };
    let changes = removals(places, list.atom, &inside).unwrap_or_default();
    Some(match places.rewrite(list.atom, &changes, &expected).filter(|edits| !edits.is_empty()) {
        Some(edits) => draft.fix("remove what is listed already", Safety::Safe, edits),
        None => draft,
    })
}

/// The networks that another one of the list contains, by position, each with the one that contains it. Two networks are disjoint or one
/// contains the other, so sorting them puts the container before what it contains.
fn contained(networks: &[Network]) -> Vec<(usize, usize)> {
    let bounds = |network: &Network| {
        let net = network.get();
        (net.network().is_ipv6(), address_number(net.network()), address_number(net.broadcast()))
    };
    let mut order: Vec<(usize, (bool, u128, u128))> = networks.iter().map(bounds).enumerate().collect();
    order.sort_by_key(|&(position, (six, first, last))| (six, first, std::cmp::Reverse(last), position));
    let mut inside = Vec::new();
    let mut outer: Option<(usize, (bool, u128, u128))> = None;
    for (position, bounds) in order {
        match outer {
            Some((container, (six, _, last))) if six == bounds.0 && bounds.2 <= last => inside.push((position, container)),
            _ => outer = Some((position, bounds)),
        }
    }
    inside.sort_unstable();
    inside
}

fn kept(networks: &[Network], inside: &[(usize, usize)]) -> Option<Vec<Network>> {
    let mut removed = inside.iter().map(|&(position, _)| position).peekable();
    let stays = |(position, network): (usize, &Network)| match removed.next_if_eq(&position) {
        Some(_) => None,
        None => Some(*network),
    };
    let kept: Vec<Network> = networks.iter().enumerate().filter_map(stays).collect();
    (!kept.is_empty()).then_some(kept)
}

/// What is cut out of the text: each network with the comma before it, and at the start of the list with the comma behind it.
fn removals(places: &Places<'_>, atom: usize, inside: &[(usize, usize)]) -> Option<Vec<(Range<usize>, &'static str)>> {
    let values = &places.get(atom)?.values;
    let leading = inside.iter().enumerate().take_while(|(at, (position, _))| at == position).count();
    let mut cuts = Vec::new();
    if leading > 0 {
        cuts.push((values.first()?.start..values.get(leading)?.start, ""));
    }
    for &(position, _) in inside.iter().skip(leading) {
        cuts.push((values.get(position.checked_sub(1)?)?.end..values.get(position)?.end, ""));
    }
    Some(cuts)
}

/// A walk through a condition that knows the position of each atom.
struct Walk<'a> {
    places: &'a Places<'a>,
    next: usize,
    restricts: bool,
    drafts: Vec<Draft>,
}

impl Walk<'_> {
    /// `narrowed` are the attributes that something beside the expression takes networks away from: of these, a list of every address
    /// asks for an address, without which `not in cidr` holds for any text.
    fn visit(&mut self, expr: &Expr, negated: bool, narrowed: &[&Term]) {
        match expr {
            Expr::Atom(atom) => {
                let at = self.next;
                self.next += 1;
                let restricts = |list: &List<'_>| self.restricts && list.negated == negated && !narrowed.contains(&list.term);
                if let Some(list) = List::of(at, atom).filter(restricts) {
                    self.report(every_address(self.places, &list));
                }
            }
            Expr::Not(operand) => self.visit(operand, !negated, narrowed),
            Expr::And(operands) | Expr::Or(operands) => {
                let (mut listed, mut excluded) = (Vec::new(), Vec::new());
                let mut at = self.next;
                for operand in operands {
                    gather(operand, at, &mut listed, &mut excluded);
                    operand.each_atom(&mut |_| at += 1);
                }
                let joined = matches!(expr, Expr::And(_));
                // `not (a or b)` demands what `not a and not b` does.
                let taken = if joined { &excluded } else { &listed };
                let terms: Vec<&Term> = if joined == negated { Vec::new() } else { taken.iter().map(|list| list.term).collect() };
                operands.iter().for_each(|operand| self.visit(operand, negated, &terms));
                if joined {
                    self.contradictions(&listed, &excluded);
                }
            }
        }
    }

    fn report(&mut self, draft: Option<Draft>) {
        if self.drafts.len() < FINDINGS_PER_CONDITION {
            self.drafts.extend(draft);
        }
    }

    fn contradictions<'e>(&mut self, listed: &[List<'e>], excluded: &'e [List<'e>]) {
        let mut by_term: BTreeMap<&Term, Vec<&'e List<'e>>> = BTreeMap::new();
        for other in excluded {
            by_term.entry(other.term).or_default().push(other);
        }
        let merged_of = |against: Vec<&'e List<'e>>| (merged(against.iter().flat_map(|other| other.networks)), against);
        let by_term: BTreeMap<_, _> = by_term.into_iter().map(|(term, against)| (term, merged_of(against))).collect();
        for list in listed {
            if let Some((addresses, against)) = by_term.get(list.term) {
                self.report(contradiction(self.places, list, addresses, against));
            }
        }
    }
}

/// The lists that an operand of a conjunction demands, and those that it excludes. `at` is the position of its first atom.
fn gather<'e>(operand: &'e Expr, at: usize, listed: &mut Vec<List<'e>>, excluded: &mut Vec<List<'e>>) {
    match operand {
        Expr::Atom(atom) => {
            if let Some(list) = List::of(at, atom) {
                if list.negated { excluded.push(list) } else { listed.push(list) }
            }
        }
        Expr::Not(inner) => match &**inner {
            Expr::Atom(_) => gather(inner, at, excluded, listed),
            // `not (a or b)` excludes both.
            Expr::Or(alternatives) if alternatives.iter().all(|one| matches!(one, Expr::Atom(_))) => {
                for (offset, one) in alternatives.iter().enumerate() {
                    gather(one, at + offset, excluded, listed);
                }
            }
            _ => {}
        },
        Expr::And(_) | Expr::Or(_) => {}
    }
}

/// The networks of a list that the same conjunction excludes altogether. What is excluded from within a network is an exception, and fine.
fn contradiction(places: &Places<'_>, list: &List<'_>, excluded: &[Addresses], against: &[&List<'_>]) -> Option<Draft> {
    let gone: Vec<(usize, &Network)> =
        list.networks.iter().enumerate().filter(|(_, network)| network.ranges().all(|range| is_within(&range, excluded))).collect();
    let &(first, network) = gone.first()?;
    let term = list.term;
    let addresses = network.ranges().next()?;
    let (from, to) = (address(*addresses.start()), address(*addresses.end()));
    let which = if from == to { format!("{from}") } else { format!("all of {from} to {to}") };
    let message = if gone.len() == list.networks.len() {
        format!("every network that `{term}` has to be in is excluded again, so no address meets both comparisons: {which} is excluded")
    } else {
        format!("`{}` is listed and excluded again, so listing it does nothing: {which} is excluded", network.get())
    };
    let mut draft = Draft::new(places.value(list.atom, first), message).label("listed here");
    for other in against {
        let meets = |one: &Network| one.ranges().any(|range| range.start() <= addresses.end() && addresses.start() <= range.end());
        if let Some(position) = other.networks.iter().position(meets) {
            draft = draft.related(places.value(other.atom, position), "excluded here");
            break;
        }
    }
    for &(position, _) in gone.iter().skip(1).take(SHOWN) {
        draft = draft.related(places.value(list.atom, position), "excluded as well");
    }
    Some(draft.help("take it off one of the two lists"))
}

/// A list that restricts nothing, because it holds every address of a family.
fn every_address(places: &Places<'_>, list: &List<'_>) -> Option<Draft> {
    let all = merged(list.networks);
    let four = list.networks.iter().position(|network| network.get().network().is_ipv4());
    let six = list.networks.iter().position(|network| network.get().network().is_ipv6());
    let whole = |position: Option<usize>, family: &str| {
        let position = position?;
        let every: Network = Network::new(family.parse().ok()?);
        every.ranges().all(|range| is_within(&range, &all)).then_some(position)
    };
    let (four, six) = (whole(four, "0.0.0.0/0"), whole(six, "::/0"));
    let (position, what) = match (four, six) {
        (Some(position), Some(other)) => (position.min(other), "every address there is"),
        (Some(position), None) => (position, "every IPv4 address"),
        (None, Some(position)) => (position, "every IPv6 address"),
        (None, None) => return None,
    };
    let term = list.term;
    let message = format!("this list holds {what}, so it restricts nothing: it only asks whether `{term}` is such an address");
    let draft = Draft::new(places.value(list.atom, position), message).label(what);
    Some(draft.help("name the networks that are meant, or remove the comparison, so that nobody takes it for a restriction"))
}

/// The addresses of some networks as ascending ranges with gaps between them.
fn merged<'n>(networks: impl IntoIterator<Item = &'n Network>) -> Vec<Addresses> {
    let mut ranges: Vec<Addresses> = networks.into_iter().flat_map(Network::ranges).collect();
    ranges.sort_unstable_by_key(|range| (*range.start(), *range.end()));
    let mut merged: Vec<Addresses> = Vec::new();
    for range in ranges {
        match merged.last_mut() {
            Some(last) if *range.start() <= last.end().saturating_add(1) => *last = *last.start()..=*last.end().max(range.end()),
            _ => merged.push(range),
        }
    }
    merged
}

/// Whether one of the merged ranges holds the whole range.
fn is_within(range: &Addresses, merged: &[Addresses]) -> bool {
    let before = merged.partition_point(|other| other.start() <= range.start());
    before.checked_sub(1).and_then(|at| merged.get(at)).is_some_and(|other| range.end() <= other.end())
}

/// The address of a number.
fn address(number: u128) -> IpAddr {
    IpAddr::V6(Ipv6Addr::from_bits(number)).to_canonical()
}
