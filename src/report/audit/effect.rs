//! What the changes of a commit give and take, in the words of `lawbook diff`.
//!
//! One commit is compared with its first parent once, and what comes of it is told with each event: an access that is gained or
//! lost belongs to the policies whose change is the reason. What has another reason, such as a list that the configuration
//! declares, is told with every event of the commit, so that no selection of events hides it.

use std::collections::BTreeMap;
use std::collections::BTreeSet;

use super::words::short;
use crate::analysis::Class;
use crate::analysis::Difference;
use crate::history::Event;
use crate::policy::PolicyId;
use crate::report::diff::access;
use crate::report::diff::access::Access;
use crate::report::diff::phrase;
use crate::report::diff::phrase::Direction;
use crate::report::diff::phrase::Marks;

/// How many changes of access are told with one event, of each direction.
const TOLD: usize = 20;

/// Marks for a terminal, for a spreadsheet and for programs.
pub const QUOTED: Marks = Marks { name: quoted, path: str::to_owned };

/// What commits gave and took, by their ids.
#[derive(Debug, Clone, Default)]
pub struct Effects {
    commits: BTreeMap<String, Effect>,
}

/// What one commit gave and took.
#[derive(Debug, Clone)]
pub enum Effect {
    /// It was compared with the commit before.
    Known(Box<Known>),
    /// It was not, for this reason.
    Unknown(String),
}

/// What a comparison found.
#[derive(Debug, Clone)]
pub struct Known {
    /// The commit that it was compared with, when that is not the one before.
    since: Option<String>,
    gained: Vec<Access>,
    lost: Vec<Access>,
    /// How many more gains were found than are described, and how many more losses.
    more: (usize, usize),
    gaining: BTreeSet<PolicyId>,
    losing: BTreeSet<PolicyId>,
    undecided: BTreeSet<PolicyId>,
    /// The policies that the commit has an event of.
    told: BTreeSet<PolicyId>,
}

/// What one event gave and took.
#[derive(Debug, Clone)]
pub struct Share<'a> {
    /// The commit that it was compared with, when the law book of the one before does not compile.
    pub since: Option<&'a str>,
    /// What it amounts to; `None` if that is not known.
    pub class: Option<Class>,
    /// What it gave.
    pub gained: Vec<&'a Access>,
    /// What it took.
    pub lost: Vec<&'a Access>,
    /// Whether there are gains or losses in the commit that are not described, and may be of this event.
    pub more: bool,
    /// What the commit gave for a reason that is no policy's change.
    pub beside_gained: Vec<&'a Access>,
    /// What the commit took for such a reason.
    pub beside_lost: Vec<&'a Access>,
}

/// A line about what an event gave or took.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Line {
    /// `+` gained, `-` lost, `?` not known, `=` nothing, and a space for a remark.
    pub sign: char,
    /// The sentence.
    pub text: String,
}

impl Effects {
    /// Adds what a commit gave and took.
    pub fn insert(&mut self, commit: &str, effect: Effect) {
        self.commits.insert(commit.to_owned(), effect);
    }

    /// What the commit of an event gave and took, if that was asked for.
    pub fn of(&self, event: &Event) -> Option<&Effect> {
        self.commits.get(&event.landing.commit)
    }
}

impl Effect {
    /// What a comparison found; `told` are the policies that the commit has an event of. `since` is the commit that it was compared
    /// with, when that is not the one before.
    pub fn new(difference: &Difference, told: BTreeSet<PolicyId>, since: Option<String>) -> Self {
        let places = BTreeMap::new();
        Self::Known(Box::new(Known {
            since,
            gained: access::gained(&difference.gained, &places, &BTreeSet::new()),
            lost: access::lost(&difference.lost, &places),
            more: (difference.more_gained, difference.more_lost),
            gaining: difference.gaining.clone(),
            losing: difference.losing.clone(),
            undecided: difference.undecided.iter().cloned().collect(),
            told,
        }))
    }
}

impl Known {
    /// What belongs to one event.
    pub fn share(&self, event: &Event) -> Share<'_> {
        let ids: Vec<&PolicyId> = std::iter::once(&event.policy).chain(&event.renamed).collect();
        let among = |set: &BTreeSet<PolicyId>| ids.iter().any(|id| set.contains(*id));
        let beside = |access: &Access| access.causes.is_disjoint(&self.told);
        let class = Class::of(among(&self.gaining), among(&self.losing));
        Share {
            since: self.since.as_deref(),
            class: (!among(&self.undecided)).then_some(class),
            more: (self.more.0 > 0 && among(&self.gaining)) || (self.more.1 > 0 && among(&self.losing)),
            gained: self.gained.iter().filter(|access| among(&access.causes)).collect(),
            lost: self.lost.iter().filter(|access| among(&access.causes)).collect(),
            beside_gained: self.gained.iter().filter(|access| beside(access)).collect(),
            beside_lost: self.lost.iter().filter(|access| beside(access)).collect(),
        }
    }
}

/// An access as one sentence.
pub fn sentence(access: &Access, direction: Direction, marks: Marks) -> String {
    format!("{}{}", phrase::sentence(access, direction, marks), phrase::clauses(access, marks))
}

/// What an event gave and took, in lines; none if that was not asked for.
pub fn said(effects: &Effects, event: &Event, marks: Marks) -> Vec<Line> {
    let line = |sign: char, text: String| Line { sign, text };
    let known = match effects.of(event) {
        None => return Vec::new(),
        Some(Effect::Unknown(why)) => return vec![line('?', format!("what this gives or takes is not known: {why}"))],
        Some(Effect::Known(known)) => known,
    };
    let share = known.share(event);
    let beside = if share.since.is_some() { EARLIER } else { BESIDE };
    let mut lines = Vec::new();
    for (direction, sign, all, from) in [
        (Direction::Gained, '+', &share.gained, ""),
        (Direction::Lost, '-', &share.lost, ""),
        (Direction::Gained, '+', &share.beside_gained, beside),
        (Direction::Lost, '-', &share.beside_lost, beside),
    ] {
        lines.extend(all.iter().take(TOLD).map(|access| line(sign, format!("{}{from}", sentence(access, direction, marks)))));
        if all.len() > TOLD {
            lines.push(line(sign, format!("and {} more like these", all.len() - TOLD)));
        }
    }
    if share.more {
        lines.push(line('?', "the commit gives or takes more, which is not described".to_owned()));
    }
    match share.class {
        None => lines.push(line('?', "undecided: it is not known whether this gives or takes more access".to_owned())),
        Some(Class::NoChange) if lines.is_empty() => lines.push(line('=', "no change of access".to_owned())),
        Some(_) => {}
    }
    if let Some(since) = share.since {
        let since = (marks.name)(short(since));
        lines.push(line(' ', format!("compared with commit {since}: no law book between them compiles")));
    }
    lines
}

/// What a commit gave and took that is told beside the events, in lines; none if that was not asked for, or if its own events tell
/// it already.
pub fn said_beside(effects: &Effects, commit: &str, marks: Marks) -> Vec<Line> {
    let line = |sign: char, text: String| Line { sign, text };
    let known = match effects.commits.get(commit) {
        None => return Vec::new(),
        Some(Effect::Unknown(why)) => return vec![line('?', format!("what this gives or takes is not known: {why}"))],
        Some(Effect::Known(known)) if known.told.is_empty() => known,
        Some(Effect::Known(_)) => return Vec::new(),
    };
    let mut lines = Vec::new();
    for (direction, sign, all, undescribed) in
        [(Direction::Gained, '+', &known.gained, known.more.0), (Direction::Lost, '-', &known.lost, known.more.1)]
    {
        lines.extend(all.iter().take(TOLD).map(|access| line(sign, sentence(access, direction, marks))));
        let more = all.len().saturating_sub(TOLD) + undescribed;
        if more > 0 {
            lines.push(line(sign, format!("and {more} more like these")));
        }
    }
    if !known.undecided.is_empty() {
        lines.push(line('?', "undecided: it is not known whether this gives or takes more access".to_owned()));
    } else if lines.is_empty() {
        lines.push(line('=', "no change of access".to_owned()));
    }
    lines
}

/// What follows the sentence of an access that no policy's change is the reason for.
const BESIDE: &str = " (by a change beside the policies in the same commit)";

/// The same where some commits before it could not be compared.
const EARLIER: &str = " (by a change beside this one, since the law book compiled last)";

fn quoted(text: &str) -> String {
    format!("`{text}`")
}
