//! Which landing commits had to be signed by somebody who may, and are not.
//!
//! A commit is held to `require-signed` of the law book *before* it, so nobody has to sign an old history again, and a commit
//! that takes the requirement back is still held. The walk follows the first parents and carries the last commit with which
//! everything was in order: its keys, and its requirement, are the ones that count.
//!
//! INVARIANT: while a commit is not accounted for, nothing that it or a later one says about keys counts. Otherwise it could
//! add a key, and a second commit, signed with that key, could pin the first.

use std::collections::BTreeSet;
use std::sync::Arc;

use git2::ErrorCode;
use git2::Oid;

use super::HistoryError;
use super::Landing;
use super::Repository;
use super::RepositoryError;
use super::Signature;
use super::SignatureStatus;
use super::Signers;
use super::Trail;
use super::progress;
use super::signature::NO_SIGNERS;
use super::signature::Terms;
use super::signature::Voucher;
use super::tree::Trees;
use super::walk::Stop;
use crate::config;

/// The most commits that are told one by one.
const TOLD: usize = 20;

/// When commits are held to the requirement.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Demand<'a> {
    /// When the revision, or its first parent, requires it.
    Written,
    /// Always; and the revision itself must require it.
    Always,
    /// As for [`Self::Written`]; and when this commit requires it, the revision must come after it on the line of first
    /// parents, with everything between them in order.
    After(&'a str),
}

/// What is not in order, and what to do next.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Breach {
    /// The commit, in hexadecimal.
    pub commit: String,
    /// What is wrong with it.
    pub message: String,
    /// What to do next.
    pub help: String,
}

/// Every landing commit up to a revision that had to be signed and is not, oldest first, and no more than can be told.
///
/// # Errors
/// There is no such revision, or its history is not all there.
pub fn breaches(repository: &Repository, revision: &str, demand: Demand<'_>) -> Result<Vec<Breach>, HistoryError> {
    let tip = repository.commit(revision)?;
    let signers = Signers::default();
    if let Demand::After(served) = demand
        && signers.terms(repository, &repository.commit(served)?)?.required
    {
        return after(repository, signers, &tip, repository.commit(served)?);
    }
    if demand != Demand::Always && !is_required(repository, &signers, &tip)? {
        return Ok(Vec::new());
    }
    let walk = remembered(repository, signers, &tip)?;
    let mut found = walk.told(&tip);
    if demand == Demand::Always && found.is_empty() && !walk.signers.terms(repository, &tip)?.required {
        found.push(Breach {
            commit: tip.id().to_string(),
            message: format!("commit `{}` does not require signatures, and it has to", short(tip.id())),
            help: "commit `require-signed = true` under `[history]` in lawbook.toml, with `git commit -S`".to_owned(),
        });
    }
    Ok(found)
}

/// Walks up to a commit from where an earlier walk found everything in order, and remembers how far that is now.
fn remembered<'r>(repository: &'r Repository, signers: Signers, tip: &git2::Commit<'r>) -> Result<Walk<'r>, HistoryError> {
    let known: BTreeSet<Oid> = progress::known(repository).into_iter().collect();
    let (stops, met) = line(repository, tip, |id| known.contains(&id))?;
    let mut walk = Walk::new(repository, signers, met.clone())?;
    walk.follow(&stops)?;
    if let Some(clean) = walk.clean.filter(|clean| Some(*clean) != met.as_ref().map(git2::Commit::id)) {
        progress::remember(repository, clean);
    }
    Ok(walk)
}

/// What the signatures of commits are worth to whoever requires them.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Memory {
    /// What an earlier look found in order is in order.
    Counts,
    /// Everything is looked at again, from the first commit on.
    CountsNot,
}

impl Trail {
    /// Where the tip requires signatures, judges every commit that is not accounted for as [`breaches`] does. The file before
    /// such a commit may be one that an unsigned commit wrote: a trail that believed it would call good what is refused.
    /// Of an incomplete history nothing can be said, and nothing changes.
    ///
    /// # Errors
    /// The history cannot be read.
    pub fn hold_to_requirement(&mut self, repository: &Repository, memory: Memory) -> Result<(), HistoryError> {
        let tip = repository.commit(&self.tip())?;
        let signers = Signers::default();
        if repository.incomplete().is_some() || self.partial().is_some() || !is_required(repository, &signers, &tip)? {
            return Ok(());
        }
        let walk = match memory {
            Memory::Counts => remembered(repository, signers, &tip)?,
            Memory::CountsNot => {
                let (stops, _) = line(repository, &tip, |_| false)?;
                let mut walk = Walk::new(repository, signers, None)?;
                walk.follow(&stops)?;
                walk
            }
        };
        let pinned = walk.basis.map(|basis| basis.terms.pinned.clone()).unwrap_or_default();
        self.judge_again(walk.unsigned.into_iter().map(|(commit, signature)| (commit.id().to_string(), signature)).collect(), &pinned);
        Ok(())
    }
}

/// What comes after a commit that is served. Without it on the line, somebody may have gone back to a time with other keys.
fn after(repository: &Repository, signers: Signers, tip: &git2::Commit<'_>, served: git2::Commit<'_>) -> Result<Vec<Breach>, HistoryError> {
    let (stops, met) = line(repository, tip, |id| id == served.id())?;
    if met.is_none() {
        let (tip, served) = (tip.id(), short(served.id()));
        return Ok(vec![Breach {
            commit: tip.to_string(),
            message: format!("commit `{}` does not come after `{served}`, which is served and requires signed commits", short(tip)),
            help: "restore the branch; or, if history was rewritten on purpose, start the server again".to_owned(),
        }]);
    }
    let mut walk = Walk::new(repository, signers, met)?;
    walk.follow(&stops)?;
    Ok(walk.told(tip))
}

fn is_required(repository: &Repository, signers: &Signers, tip: &git2::Commit<'_>) -> Result<bool, HistoryError> {
    if signers.terms(repository, tip)?.required {
        return Ok(true);
    }
    // The last commit may be the one that takes it back.
    Ok(tip.parent(0).ok().map(|parent| signers.terms(repository, &parent)).transpose()?.is_some_and(|terms| terms.required))
}

/// The line of first parents back to a commit that is met, or to the beginning; oldest first, without the one that is met.
fn line<'r>(
    repository: &'r Repository,
    tip: &git2::Commit<'r>,
    is_met: impl Fn(Oid) -> bool,
) -> Result<(Vec<Stop>, Option<git2::Commit<'r>>), HistoryError> {
    let partial = |why: String| RepositoryError::Partial { dir: repository.dir().to_owned(), why };
    if let Some(why) = repository.incomplete() {
        return Err(partial(why).into());
    }
    let mut commit = tip.clone();
    let mut stops = Vec::new();
    let met = loop {
        if is_met(commit.id()) {
            break Some(commit);
        }
        stops.push(Stop::new(&commit, None, true));
        let Ok(parent) = commit.parent_id(0) else { break None };
        commit = repository.git().find_commit(parent).map_err(|error| match error.code() {
            ErrorCode::NotFound => partial(format!("commit `{parent}` is missing")),
            _ => repository.error(&format!("read commit `{parent}`"), &error),
        })?;
    };
    stops.reverse();
    Ok((stops, met))
}

struct Walk<'r> {
    repository: &'r Repository,
    signers: Signers,
    trees: Trees<'r>,
    at: At,
    basis: Option<Basis>,
    /// The last commit of the walk up to which everything is in order.
    clean: Option<Oid>,
    unsigned: Vec<(git2::Commit<'r>, Signature)>,
}

/// What is known of the commit that the walk is at. Most commits change no configuration, so it is read only when they do.
#[derive(Default)]
struct At {
    /// The folder of the law book.
    law_book: Option<Oid>,
    config: Option<(u32, Oid)>,
    /// What its configuration says; `None` when it is broken.
    own: Option<Arc<Terms>>,
}

/// The last commit with which everything was in order.
struct Basis {
    commit: Oid,
    terms: Arc<Terms>,
}

impl<'r> Walk<'r> {
    fn new(repository: &'r Repository, signers: Signers, from: Option<git2::Commit<'r>>) -> Result<Self, HistoryError> {
        let trees = Trees::new(repository)?;
        let mut walk = Self { repository, signers, trees, at: At::default(), basis: None, clean: None, unsigned: Vec::new() };
        if let Some(from) = from {
            walk.at.law_book = walk.trees.law_book(from.tree_id())?;
            walk.take(from.id(), None)?;
        }
        Ok(walk)
    }

    fn follow(&mut self, stops: &[Stop]) -> Result<(), HistoryError> {
        for &stop in stops {
            let law_book = self.trees.law_book(stop.tree)?;
            let before = std::mem::replace(&mut self.at.law_book, law_book);
            if law_book != before || self.basis.is_none() {
                self.take(stop.commit, before)?;
            }
            if self.unsigned.is_empty() {
                self.clean = Some(stop.commit);
            }
        }
        Ok(())
    }

    /// Takes a commit that may have changed the law book, which was in the folder `before`; the first one as it is.
    fn take(&mut self, id: Oid, before: Option<Oid>) -> Result<(), HistoryError> {
        let config = self.trees.entry(self.at.law_book, config::FILE_NAME)?;
        if self.basis.is_none() || config != self.at.config {
            self.at.own = self.signers.own_terms(self.repository, &self.commit(id)?)?;
            self.at.config = config;
        }
        let Some(Basis { commit: basis, terms }) = &self.basis else { return self.stand_on(id) };
        let (basis, terms, own) = (*basis, Arc::clone(terms), self.at.own.clone());
        if !terms.required || !self.changes_the_law_book(before, [Some(&terms), own.as_ref()])? {
            return if self.unsigned.is_empty() { self.stand_on(id) } else { Ok(()) };
        }
        let commit = self.commit(id)?;
        let signature = self.signers.judge(self.repository, &commit, &Voucher::Commit(self.commit(basis)?))?;
        if signature.status != SignatureStatus::Good {
            self.unsigned.push((commit, signature));
            return Ok(());
        }
        let is_pinned = |id: Oid| own.as_ref().is_some_and(|own| own.pinned.contains(&id));
        if self.unsigned.iter().all(|(unsigned, _)| is_pinned(unsigned.id())) {
            self.unsigned.clear();
            return self.stand_on(id);
        }
        Ok(())
    }

    /// Everything is in order with this commit, which the walk is at.
    fn stand_on(&mut self, commit: Oid) -> Result<(), HistoryError> {
        let terms = match &self.at.own {
            Some(own) => Arc::clone(own),
            None => self.signers.terms(self.repository, &self.commit(commit)?)?,
        };
        self.basis = Some(Basis { commit, terms });
        Ok(())
    }

    fn commit(&self, id: Oid) -> Result<git2::Commit<'r>, HistoryError> {
        let found = self.repository.git().find_commit(id);
        found.map_err(|error| self.repository.error(&format!("read commit `{id}`"), &error).into())
    }

    fn changes_the_law_book(&mut self, before: Option<Oid>, terms: [Option<&Arc<Terms>>; 2]) -> Result<bool, HistoryError> {
        let [basis, own] = terms;
        let own = own.filter(|own| basis.is_none_or(|basis| !Arc::ptr_eq(basis, own)));
        for terms in basis.into_iter().chain(own) {
            let mut folders = BTreeSet::new();
            let files = self.trees.compare_noting(before, self.at.law_book, &terms.watched, &mut folders)?;
            if !(files.is_empty() && folders.is_empty()) {
                return Ok(true);
            }
        }
        Ok(false)
    }

    fn told(&self, tip: &git2::Commit<'_>) -> Vec<Breach> {
        let mut told: Vec<Breach> = self.unsigned.iter().take(TOLD).map(|(commit, signature)| breach(commit, signature, tip)).collect();
        let more = self.unsigned.len().saturating_sub(TOLD);
        if let Some(last) = told.last_mut().filter(|_| more > 0) {
            last.message = format!("{}, and so are {more} more", last.message);
        }
        told
    }
}

fn breach(commit: &git2::Commit<'_>, signature: &Signature, tip: &git2::Commit<'_>) -> Breach {
    const SUBJECT: usize = 72;
    let landing = Landing::new(commit, true, Signature::none());
    let subject: String = landing.subject.chars().take(SUBJECT).collect();
    let what = match (signature.status, &signature.why) {
        (SignatureStatus::None, _) => "is not signed".to_owned(),
        (status, Some(why)) => format!("has a signature that counts as `{status}`: {why}"),
        (status, None) => format!("has a signature that counts as `{status}`"),
    };
    let pin = format!(
        "pin it in a signed commit: add `{}` to `pinned` under `[history]` in lawbook.toml, and commit that with `git commit -S`",
        landing.commit
    );
    let nobody = signature.why.as_deref().is_some_and(|why| why.ends_with(NO_SIGNERS));
    let help = match commit.id() == tip.id() {
        // No key would do: the file that counts is that of the commit before, and nothing that comes after it can be signed.
        _ if nobody => "no SSH key may sign, because there was no file of allowed signers when signatures became required: go back to the \
                        commit before that one, and add the file first"
            .to_owned(),
        true => format!("sign it: `git commit --amend -S`; or {pin}"),
        false => pin,
    };
    Breach {
        message: format!("commit `{}`, `{subject}` by `{}`, {what}", short(commit.id()), landing.author),
        commit: landing.commit,
        help,
    }
}

/// As many digits of an id as people compare.
fn short(id: Oid) -> String {
    id.to_string().chars().take(12).collect()
}
