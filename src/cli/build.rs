//! `lawbook build`: packs and signs a law book.

use std::path::PathBuf;

use clap::Args;
use jiff::SignedDuration;
use jiff::Timestamp;

use super::Console;
use super::Failure;
use super::Outcome;
use super::Status;
use super::law_book::Loaded;
use super::law_book::load;
use super::prefix;
use super::span_of_time;
use super::statement::lines;
use crate::bundle;
use crate::bundle::Build as Order;
use crate::bundle::Checks;
use crate::bundle::Digest;
use crate::bundle::Envelope;
use crate::bundle::Provenance;
use crate::bundle::contents::AUDIT;
use crate::bundle::load_private;
use crate::finding::Severity;
use crate::history::Demand;
use crate::history::Lines;
use crate::history::People;
use crate::history::Repository;
use crate::history::Signature;
use crate::history::SignatureStatus;
use crate::history::Signers;
use crate::history::Trail;
use crate::report::Format;
use crate::report::audit::AuditFormat;
use crate::report::audit::AuditReport;
use crate::report::audit::wire_time;
use crate::workspace::Origin;

/// The name of a bundle, where nobody gives one: of one that is built, verified or served.
pub(super) const DEFAULT_NAME: &str = "lawbook";

/// The audience of a bundle, where nobody gives one.
pub(super) const DEFAULT_AUDIENCE: &str = "default";

/// Pack a law book and sign it: PREFIX.tar.gz and PREFIX.dsse.json
///
/// The same commit gives the same archive, byte for byte, wherever it is built. The time of signing is SOURCE_DATE_EPOCH,
/// or else the clock.
#[derive(Debug, Args)]
#[command(
    after_help = "Examples:\n  lawbook build --sign release.key --out dist/lawbook\n  lawbook build --rev v1.4 --sign release.key --out dist/lawbook --audience production --expires-in 30d\n  lawbook build --worktree --revision 1 --sign test.key --out trial"
)]
pub(super) struct Build {
    /// The folder of the law book [default: the nearest one from the current folder upwards]
    dir: Option<PathBuf>,

    /// The commit, branch or tag that is built
    #[arg(long, value_name = "REV", default_value = "HEAD")]
    rev: String,

    /// Build the files on disk, which nobody can build again; needs --revision
    #[arg(long, conflicts_with = "rev", requires = "revision")]
    worktree: bool,

    /// The private key that signs
    #[arg(long, value_name = "FILE")]
    sign: PathBuf,

    /// What the names of the two files begin with
    #[arg(long, value_name = "PREFIX", value_parser = prefix::parse)]
    out: PathBuf,

    /// The name of the bundle: letters, digits, `.`, `_` and `-`
    #[arg(long, value_name = "NAME", default_value = DEFAULT_NAME)]
    name: String,

    /// Who is to use it
    #[arg(long, value_name = "AUDIENCE", default_value = DEFAULT_AUDIENCE)]
    audience: String,

    /// How long it may be used, such as `90d`, `12h`
    #[arg(long, value_name = "TIME", default_value = "90d", value_parser = span_of_time::parse)]
    expires_in: SignedDuration,

    /// The number of the revision; newer is greater [default: how many commits landed up to this one]
    #[arg(long, value_name = "N")]
    revision: Option<u64>,

    /// The content digest of the bundle before this one
    #[arg(long, value_name = "DIGEST")]
    previous: Option<Digest>,

    /// Fail also where the law book does not require signed commits; so that no commit can take that back
    #[arg(long)]
    require_signed: bool,

    /// Leave the audit trail out; for a clone without its history, together with --revision
    #[arg(long, requires = "revision")]
    no_history: bool,
}

impl Build {
    pub(super) fn run(self, console: &mut Console) -> Outcome {
        let key = load_private(&self.sign)?;
        let origin = if self.worktree { Origin::Worktree } else { Origin::Revision(self.rev.clone()) };
        let mut loaded = load(self.dir.as_deref(), origin)?;
        loaded.workspace.hold(if self.require_signed { Demand::Always } else { Demand::Written })?;
        if let Err(blocking) = loaded.workspace.compile() {
            let report = loaded.report(&blocking, console.look());
            console.show(|out| Format::Human.write(&report, out))?;
            return Ok(Status::No);
        }
        let commit = loaded.workspace.revision.as_ref().map(|revision| revision.commit.as_str());
        let repository = commit.map(|_| Repository::open(&loaded.workspace.root)).transpose()?;
        let trail = match (&repository, commit) {
            (Some(repository), Some(commit)) if !self.no_history => Some(history(repository, commit, console)?),
            _ => None,
        };
        let revision = match (self.revision, &repository, commit) {
            (Some(revision), ..) => revision,
            (None, Some(repository), Some(commit)) => repository.first_parent_count(commit)?,
            _ => {
                return Err(Failure::new("there is no commit that could number the revision").help("number it with `--revision N`").into());
            }
        };
        let entries = self.entries(&loaded, trail.as_ref())?;
        let signature = match (&repository, commit) {
            (Some(repository), Some(commit)) => Some(Signers::new(repository, commit)?.signature(repository, commit)?),
            _ => None,
        };
        let (archive, statement) = bundle::assemble(&entries, self.order(&loaded, revision, signature)?)?;
        let mut envelope = Envelope::new(&statement)?;
        envelope.sign(&key)?;
        bundle::write_outputs(&self.out, &archive, &envelope)?;
        for line in lines(&statement) {
            console.say(line)?;
        }
        console.say(format!("{:9} {}", "signed by", key.id()))?;
        Ok(Status::Fine)
    }

    fn entries(&self, loaded: &Loaded, trail: Option<&Trail>) -> miette::Result<bundle::Entries> {
        let created = |id: &crate::policy::PolicyId| trail.and_then(|trail| trail.created(id.as_str())).map(|time| wire_time(time.at));
        let commit = loaded.workspace.revision.as_ref().map(|revision| revision.commit.as_str());
        let contents = loaded.workspace.contents(created);
        let mut entries = contents
            .to_entries(if self.worktree { "worktree" } else { commit.unwrap_or_default() })
            .map_err(|error| Failure::new(format!("the law book cannot be packed: {error}")).help("`lawbook check` shows what is wrong"))?;
        if let Some(trail) = trail {
            // Who somebody is known as is up to whoever reads the bundle: it tells what the commits say.
            let people = People::as_written();
            let report = AuditReport::whole(trail, &people);
            let mut lines = Vec::new();
            let written = AuditFormat::Jsonl.write(&report, &mut lines);
            written.map_err(|error| Failure::new(format!("the audit trail cannot be packed: {error}")))?;
            entries.insert(AUDIT.to_owned(), lines);
        }
        Ok(entries)
    }

    fn order(&self, loaded: &Loaded, revision: u64, signature: Option<Signature>) -> miette::Result<Order> {
        let issued = now()?;
        let expires = issued.checked_add(self.expires_in);
        let day = issued.to_zoned(jiff::tz::TimeZone::UTC).date();
        let findings = loaded.workspace.check(day);
        let of = |severity| findings.iter().filter(|finding| finding.severity == severity).count() as u64;
        let known = loaded.workspace.revision.as_ref();
        Ok(Order {
            name: self.name.clone(),
            audience: self.audience.clone(),
            revision,
            previous: self.previous,
            issued,
            expires: expires
                .map_err(|_| Failure::new("no calendar holds the time of expiry").help("expire earlier, with `--expires-in`"))?,
            source: Provenance {
                commit: known.map(|revision| revision.commit.clone()),
                tree: known.map(|revision| revision.tree.clone()),
                dirty: self.worktree,
                commit_signature: signature.filter(|signature| signature.status != SignatureStatus::None).map(told),
            },
            checks: Checks { errors: of(Severity::Error), warnings: of(Severity::Warning), tests_passed: 0, tests_failed: 0 },
            critical: Vec::new(),
        })
    }
}

/// What a statement says of the signature of its commit: the status, and who signed.
fn told(signature: Signature) -> String {
    let status = signature.status.as_str();
    signature.principal.map_or_else(|| status.to_owned(), |principal| format!("{status} {principal}"))
}

/// The whole history of a commit.
///
/// # Errors
/// Part of it is missing: what would be built here, nobody with the whole history could build again.
fn history(repository: &Repository, commit: &str, console: &Console) -> miette::Result<Trail> {
    let bar = console.progress("reading history", "commit");
    let trail = Trail::read(repository, commit, Lines::Landed, &|done, all| bar.show(done, all))?;
    bar.clear();
    match trail.partial() {
        None => Ok(trail),
        Some(why) => Err(Failure::new(format!("the history of commit `{commit}` is incomplete: {why}"))
            .help("get it with `git fetch --unshallow`, or build without it: `--no-history --revision N`")
            .into()),
    }
}

/// The time of signing: <https://reproducible-builds.org/specs/source-date-epoch/>, or the clock.
pub(super) fn now() -> Result<Timestamp, Failure> {
    let Some(value) = std::env::var_os("SOURCE_DATE_EPOCH") else { return Ok(Timestamp::now()) };
    let seconds = value.to_str().and_then(|text| text.parse::<i64>().ok());
    seconds.and_then(|seconds| Timestamp::from_second(seconds).ok()).ok_or_else(|| {
        Failure::new(format!("SOURCE_DATE_EPOCH is `{}`, which is no time", value.to_string_lossy()))
            .help("set it to seconds since 1970, or unset it")
    })
}
