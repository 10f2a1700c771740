//! Who signed a commit, and whether that is somebody who may.
//!
//! A signature is judged by the keys that stood in the law book *before* the commit, so that no commit vouches for its own
//! key: by the file of allowed signers in the tree of its first parent, where `lawbook.toml` of that parent says it is. What
//! cannot be verified is never good. `raw` takes a commit apart, `ssh` and `openpgp` verify, and `allowed` says whose a key is.

mod allowed;
mod make;
mod openpgp;
mod pattern;
mod raw;
mod ssh;
mod terms;
mod wire;

use std::collections::BTreeSet;
use std::collections::HashMap;
use std::fmt;
use std::sync::Arc;
use std::sync::Mutex;
use std::sync::MutexGuard;
use std::sync::PoisonError;

use git2::Oid;
use rayon::prelude::*;

use super::Repository;
use super::RepositoryError;
use raw::Found;
use raw::Signed;
use ssh::Flaw;
use ssh::Key;
use ssh::SshSignature;

pub use allowed::AllowedSigners;
pub use allowed::SignersProblem;
pub use make::armoured;
pub use make::to_be_signed;
pub(super) use terms::Terms;

/// What is said of a file of allowed signers that is not there.
pub(super) const NO_SIGNERS: &str = "there is no such file";

/// How well a signature proves who made a commit.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum SignatureStatus {
    /// It holds, and its key belongs to somebody who may sign.
    Good,
    /// It holds, and nobody vouches for its key.
    Untrusted,
    /// It does not hold.
    Bad,
    /// There is one, and it cannot be told whether it holds.
    Unverified,
    /// There is none.
    None,
}

impl SignatureStatus {
    /// Every status.
    pub const ALL: [Self; 5] = [Self::Good, Self::Untrusted, Self::Bad, Self::Unverified, Self::None];

    /// The word for people and machines.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Good => "good",
            Self::Untrusted => "untrusted",
            Self::Bad => "bad",
            Self::Unverified => "unverified",
            Self::None => "none",
        }
    }
}

impl fmt::Display for SignatureStatus {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

/// The signature of a commit.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Signature {
    /// How well it proves who made the commit.
    pub status: SignatureStatus,
    /// Whose it is, when it is good: a name from the line of allowed signers that has its key, the one that fits the committer
    /// if there are several; or the user id of an OpenPGP key. As for git, it need not be the committer or the author. Absent
    /// for a pinned commit that is signed by a key that nobody vouches for.
    pub principal: Option<String>,
    /// The fingerprint of the key, as far as the signature names it: `SHA256:…`, or the one of OpenPGP.
    pub key: Option<String>,
    /// Why it is not good, in one line.
    pub why: Option<String>,
}

impl Signature {
    /// There is none.
    pub fn none() -> Self {
        Self { status: SignatureStatus::None, principal: None, key: None, why: None }
    }

    /// What it is when the pin that makes it good does not count; `None` when it is not good by a pin.
    pub(super) fn without_a_pin(&self) -> Option<Self> {
        let why = "only a commit that is not accounted for pins it".to_owned();
        let pinned = self.status == SignatureStatus::Good && self.principal.is_none();
        pinned.then(|| Self { status: SignatureStatus::Untrusted, why: Some(why), ..self.clone() })
    }

    fn unverified(why: impl Into<String>) -> Self {
        Self { status: SignatureStatus::Unverified, principal: None, key: None, why: Some(why.into()) }
    }

    fn flawed(key: Option<&Key>, flaw: Flaw) -> Self {
        let (status, why) = match flaw {
            Flaw::Bad(why) => (SignatureStatus::Bad, why),
            Flaw::Unknown(why) => (SignatureStatus::Unverified, why),
        };
        Self { status, principal: None, key: key.map(Key::fingerprint), why: Some(why) }
    }
}

/// Judges the signatures of commits, from any number of threads. What it has read of a repository it keeps.
#[derive(Debug, Default)]
pub struct Signers {
    pinned: BTreeSet<Oid>,
    configs: Mutex<HashMap<Oid, Option<Arc<Terms>>>>,
    /// The terms of commits whose own configuration is broken.
    inherited: Mutex<HashMap<Oid, Arc<Terms>>>,
    files: Mutex<HashMap<Oid, Option<Arc<AllowedSigners>>>>,
    /// What `gpg` said of a commit, because it takes its time.
    openpgp: Mutex<HashMap<Oid, Signature>>,
}

impl Signers {
    /// With the commits that `lawbook.toml` of a revision pins.
    ///
    /// # Errors
    /// There is no such revision, or it cannot be read.
    pub fn new(repository: &Repository, tip: &str) -> Result<Self, RepositoryError> {
        let mut signers = Self::default();
        let commit = repository.commit(tip)?;
        signers.pinned = signers.terms(repository, &commit)?.pinned.clone();
        Ok(signers)
    }

    /// What a verdict depends on beside the commit and its history: when it is another one, all verdicts may be.
    pub(super) fn stamp(&self) -> String {
        let pinned: String = self.pinned.iter().map(|id| format!("{id} ")).collect();
        format!("{pinned}{}", openpgp::stamp())
    }

    /// Judges the signature of a commit.
    ///
    /// # Errors
    /// There is no such commit, or it cannot be read.
    pub fn signature(&self, repository: &Repository, commit: &str) -> Result<Signature, RepositoryError> {
        let commit = repository.commit(commit)?;
        let parent = match commit.parent_id(0) {
            Err(_) => Voucher::Nobody,
            Ok(parent) => repository.git().find_commit(parent).map_or(Voucher::Missing, Voucher::Commit),
        };
        self.judge(repository, &commit, &parent)
    }

    /// Judges many at once, in parallel; the signatures come in the order of the commits.
    ///
    /// # Errors
    /// As for [`Self::signature`].
    pub fn signatures(&self, repository: &Repository, commits: &[String]) -> Result<Vec<Signature>, RepositoryError> {
        let share = commits.len().div_ceil(rayon::current_num_threads().max(1) * 4).max(4);
        let dir = repository.dir();
        let judged = commits.par_chunks(share).map(|chunk| {
            let repository = Repository::open(dir)?;
            chunk.iter().map(|commit| self.signature(&repository, commit)).collect::<Result<Vec<_>, _>>()
        });
        Ok(judged.collect::<Result<Vec<_>, RepositoryError>>()?.into_iter().flatten().collect())
    }

    /// Whether the landing commits after a revision must be signed.
    ///
    /// # Errors
    /// There is no such revision, or it cannot be read.
    pub fn are_required(&self, repository: &Repository, revision: &str) -> Result<bool, RepositoryError> {
        Ok(self.terms(repository, &repository.commit(revision)?)?.required)
    }

    /// For whom an Ed25519 key may sign a commit after a revision, now; else why it may not.
    ///
    /// # Errors
    /// There is no such revision, or it cannot be read.
    pub fn vouch_for(&self, repository: &Repository, revision: &str, public: &[u8; 32]) -> Result<Result<String, String>, RepositoryError> {
        let voucher = Voucher::Commit(repository.commit(revision)?);
        self.principal(repository, &voucher, &Key::new(&make::wire(public)), jiff::Timestamp::now().as_second(), &[])
    }

    /// Judges the signature of a commit by the keys of another one.
    pub(super) fn judge(
        &self,
        repository: &Repository,
        commit: &git2::Commit<'_>,
        voucher: &Voucher<'_>,
    ) -> Result<Signature, RepositoryError> {
        let failed = |error: git2::Error| repository.error(&format!("read commit `{}`", commit.id()), &error);
        let odb = repository.git().odb().map_err(failed)?;
        let object = odb.read(commit.id()).map_err(failed)?;
        let mut judged = match raw::signed(object.data()) {
            Found::Nothing => Signature::none(),
            Found::Foreign => Signature::unverified("it signs the form of the commit with SHA-256 ids, which is not here"),
            Found::Several => Signature::unverified("the commit has several signatures, and it is not clear what they say"),
            Found::One(signed) => self.one(repository, commit, voucher, &signed)?,
        };
        if judged.status == SignatureStatus::Untrusted && self.pinned.contains(&commit.id()) {
            (judged.status, judged.why) = (SignatureStatus::Good, None);
        }
        Ok(judged)
    }

    fn one(
        &self,
        repository: &Repository,
        commit: &git2::Commit<'_>,
        voucher: &Voucher<'_>,
        signed: &Signed,
    ) -> Result<Signature, RepositoryError> {
        let text = signed.signature.trim_ascii_start();
        if text.starts_with(ssh::BEGIN.as_bytes()) {
            return self.ssh(repository, commit, voucher, signed);
        }
        if openpgp::BEGIN.iter().any(|begin| text.starts_with(begin.as_bytes())) {
            return Ok(self.openpgp(commit.id(), signed));
        }
        let why = if text.starts_with(b"-----BEGIN SIGNED MESSAGE-----") {
            "X.509 signatures are not verified"
        } else {
            "it is no kind of signature that is known"
        };
        Ok(Signature::unverified(why))
    }

    fn ssh(
        &self,
        repository: &Repository,
        commit: &git2::Commit<'_>,
        voucher: &Voucher<'_>,
        signed: &Signed,
    ) -> Result<Signature, RepositoryError> {
        let signature = match SshSignature::parse(&signed.signature) {
            Ok(signature) => signature,
            Err(flaw) => return Ok(Signature::flawed(None, flaw)),
        };
        if let Err(flaw) = signature.verify(&signed.payload) {
            return Ok(Signature::flawed(Some(&signature.key), flaw));
        }
        let (author, committer) = (commit.author(), commit.committer());
        let address = |person: &git2::Signature<'_>| String::from_utf8_lossy(person.email_bytes()).into_owned();
        let people = [address(&committer), address(&author)];
        let at = committer.when().seconds();
        let key = Some(signature.key.fingerprint());
        Ok(match self.principal(repository, voucher, &signature.key, at, &people.each_ref().map(String::as_str))? {
            Ok(name) => Signature { status: SignatureStatus::Good, principal: Some(name), key, why: None },
            Err(why) => Signature { status: SignatureStatus::Untrusted, principal: None, key, why: Some(why) },
        })
    }

    /// Who a key belongs to by the allowed signers of the one that vouches, or why it is not known. `at` and `people` are the
    /// time of the commit, in seconds since 1970, and the addresses that it is likely to be signed for.
    fn principal(
        &self,
        repository: &Repository,
        voucher: &Voucher<'_>,
        key: &Key,
        at: i64,
        people: &[&str],
    ) -> Result<Result<String, String>, RepositoryError> {
        let voucher = match voucher {
            Voucher::Commit(voucher) => voucher,
            Voucher::Nobody => return Ok(Err("it is the first commit, and no commit before it vouches for its key".to_owned())),
            Voucher::Missing => return Ok(Err("its parent, which could vouch for its key, is not in this clone".to_owned())),
        };
        let terms = self.terms(repository, voucher)?;
        let told = |why: &str| {
            let id: String = voucher.id().to_string().chars().take(12).collect();
            Err(format!("`{}` of commit {id}: {why}", terms.path))
        };
        let id = match terms.file(repository, voucher)? {
            terms::Place::File(id) => id,
            terms::Place::Free => return Ok(told(NO_SIGNERS)),
            terms::Place::Taken => return Ok(told("it is not a file")),
        };
        let Some(file) = self.file(repository, id)? else { return Ok(told("the file is too large")) };
        Ok(file.principal(key, at, people).map(str::to_owned).or_else(|why| told(&why)))
    }

    fn openpgp(&self, commit: Oid, signed: &Signed) -> Signature {
        if let Some(known) = held(&self.openpgp).get(&commit) {
            return known.clone();
        }
        let judged = openpgp::verify(&signed.signature, &signed.payload);
        held(&self.openpgp).insert(commit, judged.clone());
        judged
    }

    /// The allowed signers in a blob; `None` when it is larger than what is read of any file.
    fn file(&self, repository: &Repository, id: Oid) -> Result<Option<Arc<AllowedSigners>>, RepositoryError> {
        if let Some(known) = held(&self.files).get(&id) {
            return Ok(known.clone());
        }
        let file = terms::bytes(repository, id)?.map(|bytes| Arc::new(AllowedSigners::parse(&bytes)));
        held(&self.files).insert(id, file.clone());
        Ok(file)
    }
}

/// By whose keys a signature is judged.
pub(super) enum Voucher<'r> {
    /// By those of this commit.
    Commit(git2::Commit<'r>),
    /// There is no commit before it.
    Nobody,
    /// The commit before it is not here.
    Missing,
}

fn held<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
