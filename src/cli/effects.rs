//! What commits gave and took: each is compared with its first parent as `lawbook diff` compares two revisions.
//!
//! Where the law book before does not compile, the last one that does takes its place: nothing that came while it could not be read
//! goes untold.
//!
//! A law book can be large, and a history long. So only so many commits are compared at once, and a law book that two of them
//! need, as the one after this commit and the one before the next, is read once.

use std::collections::BTreeMap;
use std::collections::BTreeSet;
use std::path::Path;
use std::sync::Arc;

use rayon::prelude::*;

use super::diff::between;
use super::progress::Progress;
use crate::finding::Finding;
use crate::history::Beside;
use crate::history::Event;
use crate::history::Landing;
use crate::policy::PolicyId;
use crate::report::audit::effect::Effect;
use crate::report::audit::effect::Effects;
use crate::report::audit::words::short;
use crate::workspace::Origin;
use crate::workspace::Workspace;

/// So many commits are compared at once.
const AT_ONCE: usize = 8;

/// So many earlier commits are tried where a law book does not compile.
const EARLIER: usize = 32;

/// A law book, or why its meaning is not known.
type Side = Result<Arc<Workspace>, String>;

/// What the commits of the shown events gave and took, and those that changed files beside the policies; `all` are the events of
/// the whole trail.
pub(super) fn effects(root: &Path, shown: &[&Event], beside: &[Beside], all: &[Event], bar: &Progress) -> Effects {
    let mut commits: Vec<&Landing> = shown.iter().map(|event| &*event.landing).collect();
    commits.dedup_by_key(|landing| &landing.commit);
    let of_events: BTreeSet<&str> = commits.iter().map(|landing| landing.commit.as_str()).collect();
    commits.extend(beside.iter().map(|beside| &beside.landing).filter(|landing| !of_events.contains(landing.commit.as_str())));
    let mut told: BTreeMap<&str, BTreeSet<PolicyId>> = BTreeMap::new();
    let mut landed: Vec<&Landing> = Vec::new();
    for event in all {
        told.entry(&event.landing.commit).or_default().extend(std::iter::once(&event.policy).chain(&event.renamed).cloned());
        if event.landing.landed && landed.last().is_none_or(|last| last.commit != event.landing.commit) {
            landed.push(&event.landing);
        }
    }
    let mut effects = Effects::default();
    let mut read: BTreeMap<&str, Side> = BTreeMap::new();
    for some in commits.chunks(AT_ONCE) {
        let needed: BTreeSet<&str> =
            some.iter().flat_map(|landing| landing.parents.first().into_iter().chain([&landing.commit])).map(String::as_str).collect();
        read.retain(|commit, _| needed.contains(commit));
        let missing: Vec<&str> = needed.into_iter().filter(|commit| !read.contains_key(commit)).collect();
        let found: Vec<(&str, Side)> = missing.into_par_iter().map(|commit| (commit, side(root, commit))).collect();
        read.extend(found);
        let compared: Vec<(&Landing, Effect)> = some
            .par_iter()
            .map(|landing| {
                let told = told.get(landing.commit.as_str()).cloned().unwrap_or_default();
                let effect = effect(root, landing, &read, &landed, told);
                bar.advance(commits.len());
                (*landing, effect)
            })
            .collect();
        for (landing, effect) in compared {
            effects.insert(&landing.commit, effect);
        }
    }
    effects
}

fn effect(root: &Path, landing: &Landing, read: &BTreeMap<&str, Side>, landed: &[&Landing], told: BTreeSet<PolicyId>) -> Effect {
    let of = |commit: &str| read.get(commit).cloned().unwrap_or_else(|| side(root, commit));
    let after = match of(&landing.commit) {
        Ok(after) => after,
        Err(why) => return Effect::Unknown(why),
    };
    let before = match landing.parents.first() {
        Some(parent) => of(parent),
        None => Ok(Arc::new(Workspace::default())),
    };
    let (before, since) = match before {
        Ok(before) => (before, None),
        Err(why) => match last_that_compiles(root, landing, landed) {
            Some((commit, before)) => (before, Some(commit)),
            None => return Effect::Unknown(why),
        },
    };
    Effect::new(&between(&before, &after).difference(), told, since)
}

/// The last law book before a commit that compiles, among those that landed with a change of a policy.
fn last_that_compiles(root: &Path, landing: &Landing, landed: &[&Landing]) -> Option<(String, Arc<Workspace>)> {
    let at = landed.iter().position(|other| other.commit == landing.commit)?;
    let earlier = landed.iter().take(at).rev().take(EARLIER);
    earlier.map(|earlier| &earlier.commit).find_map(|commit| Some((commit.clone(), side(root, commit).ok()?)))
}

/// The law book of a commit, if its meaning is known.
fn side(root: &Path, commit: &str) -> Side {
    let workspace = Workspace::open(root, &Origin::Revision(commit.to_owned())).map_err(|error| error.to_string())?;
    match workspace.compile() {
        Ok(_) => Ok(Arc::new(workspace)),
        Err(findings) => Err(format!("the law book of commit {} does not compile{}", short(commit), first(&workspace, &findings))),
    }
}

/// The first reason why a law book does not compile, with its place.
fn first(workspace: &Workspace, findings: &[Finding]) -> String {
    let Some(first) = findings.first() else { return String::new() };
    let sources = &workspace.book.sources;
    let line = sources.line_column(first.primary.span).line;
    format!(": {}:{line}: {}", sources.path(first.primary.span.source), first.message)
}
