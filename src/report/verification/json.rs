//! A verification for programs, version 1. `schema/verification.schema.json` is its specification.

use std::io;
use std::io::Write;

use serde::Serialize;
use serde_json::Value;

use super::VerificationReport;
use crate::checkpoint::Against;
use crate::checkpoint::Checked;
use crate::checkpoint::Difference;
use crate::checkpoint::Exported;
use crate::checkpoint::Flaw;
use crate::checkpoint::How;
use crate::checkpoint::Named;
use crate::checkpoint::Standing;
use crate::checkpoint::Verdict;
use crate::history::CommitText;

/// The published schema of this format, as text.
pub const VERIFICATION_SCHEMA: &str = include_str!("../../../schema/verification.schema.json");

#[derive(Serialize)]
struct Wire<'a> {
    version: u8,
    holds: bool,
    complete: bool,
    history: Option<WireHistory<'a>>,
    checkpoints: Vec<WireCheckpoint<'a>>,
    export: Option<WireExport<'a>>,
}

#[derive(Serialize)]
struct WireHistory<'a> {
    r#ref: &'a str,
    tip: String,
    commits: usize,
    events: usize,
}

#[derive(Serialize)]
struct WireCheckpoint<'a> {
    file: String,
    verdict: &'static str,
    reason: Option<&'static str>,
    message: Option<String>,
    signed: Option<WireSigned<'a>>,
    commits_since: Option<usize>,
    events_since: Option<usize>,
    place: Option<WirePlace<'a>>,
}

#[derive(Serialize)]
struct WireSigned<'a> {
    by: Vec<WireKey<'a>>,
    repository: &'a str,
    r#ref: &'a str,
    folder: &'a str,
    commit: String,
    commits: usize,
    chain: u64,
    seq: u64,
    head: String,
    time: String,
}

#[derive(Serialize)]
struct WireKey<'a> {
    key: &'a str,
    name: &'a str,
}

#[derive(Serialize)]
struct WirePlace<'a> {
    position: usize,
    how: &'static str,
    number: Option<usize>,
    differs: Vec<&'static str>,
    now: Option<WireCommit<'a>>,
    signed_prefix: Option<&'a str>,
    signed: Option<WireCommit<'a>>,
}

#[derive(Serialize)]
struct WireCommit<'a> {
    id: String,
    subject: &'a str,
    author: String,
    authored: String,
    committer: String,
    committed: String,
}

#[derive(Serialize)]
struct WireExport<'a> {
    file: String,
    events: u64,
    first: u64,
    last: u64,
    gaps: u64,
    compared_with: Option<u64>,
    signed_up_to: Option<u64>,
    not_compared: Vec<&'a str>,
    flaw: Option<WireFlaw<'a>>,
}

#[derive(Serialize, Default)]
struct WireFlaw<'a> {
    kind: &'static str,
    line: Option<u64>,
    problem: Option<&'a str>,
    seq: Option<u64>,
    policy: Option<&'a str>,
    commit: Option<&'a str>,
    member: Option<&'a str>,
    exported: Option<&'a Value>,
    computed: Option<&'a Value>,
    checkpoint: Option<String>,
}

/// Writes the verification as one object and a line break.
///
/// # Errors
/// The writer refused the bytes.
pub fn write(report: &VerificationReport<'_>, out: &mut dyn Write) -> io::Result<()> {
    let verification = report.verification;
    let wire = Wire {
        version: 1,
        holds: verification.holds(),
        complete: verification.complete(),
        history: verification.against.as_ref().map(history),
        checkpoints: verification.checkpoints.iter().map(|checked| checkpoint(report, checked)).collect(),
        export: verification.export.as_ref().map(export),
    };
    serde_json::to_writer_pretty(&mut *out, &wire)?;
    writeln!(out)
}

fn history<'a>(against: &'a Against<'_>) -> WireHistory<'a> {
    WireHistory { r#ref: &against.reference, tip: against.tip(), commits: against.commits(), events: against.events() }
}

fn checkpoint<'a>(report: &'a VerificationReport<'_>, checked: &'a Checked) -> WireCheckpoint<'a> {
    let mut wire = WireCheckpoint {
        file: checked.path.display().to_string(),
        verdict: "refused",
        reason: None,
        message: None,
        signed: None,
        commits_since: None,
        events_since: None,
        place: None,
    };
    let (signed, verdict) = match &checked.outcome {
        Ok(outcome) => outcome,
        Err(refused) => {
            wire.reason = Some(refused.refusal.reason());
            wire.message = Some(refused.to_string());
            return wire;
        }
    };
    let of = &signed.checkpoint;
    wire.signed = Some(WireSigned {
        by: signed.signers.iter().map(|key| WireKey { key: key.as_str(), name: report.name(key) }).collect(),
        repository: &of.repository,
        r#ref: &of.reference,
        folder: &of.folder,
        commit: of.commit.to_string(),
        commits: of.commits(),
        chain: of.chain,
        seq: of.seq,
        head: of.head.to_string(),
        time: of.time.to_string(),
    });
    match verdict {
        Verdict::Proven(proof) => {
            wire.verdict = "proven";
            wire.commits_since = Some(proof.commits_since);
            wire.events_since = Some(proof.events_since);
        }
        Verdict::ChainUnknown { commits_since } => {
            wire.verdict = "chain-unknown";
            wire.commits_since = Some(*commits_since);
        }
        Verdict::NotCompared => wire.verdict = "not-compared",
        Verdict::OtherEvents { seq, head } => {
            wire.verdict = "other-events";
            wire.message = Some(format!("there are {seq} events, the last one with the hash {head}"));
        }
        Verdict::Gone(standing) => (wire.verdict, wire.place) = gone(standing),
    }
    wire
}

fn gone(standing: &Standing) -> (&'static str, Option<WirePlace<'_>>) {
    match standing {
        Standing::Holds => ("proven", None),
        Standing::Behind => ("behind", None),
        Standing::Aside { position, merge } => {
            let now = Some(commit(merge));
            let place =
                WirePlace { position: *position, how: "merged", number: None, differs: Vec::new(), now, signed_prefix: None, signed: None };
            ("aside", Some(place))
        }
        Standing::Rewritten(rewrite) => {
            let (how, number, differs) = match &rewrite.how {
                How::Unknown => ("unknown", None, Vec::new()),
                How::Hidden => ("hidden", None, Vec::new()),
                How::Dropped(number) => ("dropped", Some(*number), Vec::new()),
                How::Inserted(number) => ("inserted", Some(*number), Vec::new()),
                How::Replaced(differs) => ("replaced", None, differs.iter().map(|one| Difference::as_str(*one)).collect()),
            };
            let (now, signed) = (rewrite.now.as_ref().map(commit), rewrite.before.as_ref().map(commit));
            let signed_prefix = Some(rewrite.was.as_str());
            ("rewritten", Some(WirePlace { position: rewrite.position, how, number, differs, now, signed_prefix, signed }))
        }
    }
}

fn commit(of: &CommitText) -> WireCommit<'_> {
    WireCommit {
        id: of.id.to_string(),
        subject: of.subject(),
        author: of.author.to_string(),
        authored: of.authored.to_string(),
        committer: of.committer.to_string(),
        committed: of.committed.to_string(),
    }
}

fn export(of: &Exported) -> WireExport<'_> {
    WireExport {
        file: of.path.display().to_string(),
        events: of.events,
        first: of.first,
        last: of.last,
        gaps: of.gaps,
        compared_with: of.compared_with,
        signed_up_to: of.signed,
        not_compared: of.not_compared.iter().map(String::as_str).collect(),
        flaw: of.flaw.as_ref().map(flaw),
    }
}

fn flaw(of: &Flaw) -> WireFlaw<'_> {
    let named = |kind, event: &'_ Named| (kind, Some(event.line), Some(event.seq));
    let (kind, line, seq) = match of {
        Flaw::Malformed { line, .. } => ("malformed", Some(*line), None),
        Flaw::Order { event, .. } => named("order", event),
        Flaw::Chain { event } => named("chain", event),
        Flaw::Surplus { event, .. } => named("surplus", event),
        Flaw::Member { event, .. } => named("member", event),
        Flaw::Around { .. } => ("around", None, None),
        Flaw::Tip { .. } => ("tip", None, None),
        Flaw::Head { seq, .. } => ("head", None, Some(*seq)),
        Flaw::Loose { seq, .. } => ("loose", None, Some(*seq)),
    };
    let mut wire = WireFlaw { kind, line, seq, ..WireFlaw::default() };
    match of {
        Flaw::Malformed { problem, .. } => wire.problem = Some(problem),
        Flaw::Order { event, .. } | Flaw::Chain { event } | Flaw::Surplus { event, .. } => {
            (wire.policy, wire.commit) = (Some(event.policy.as_str()), Some(event.commit.as_str()));
        }
        Flaw::Member { event, member, exported, computed } => {
            (wire.policy, wire.commit) = (Some(event.policy.as_str()), Some(event.commit.as_str()));
            (wire.member, wire.exported, wire.computed) = (Some(member.as_str()), exported.as_ref(), Some(computed));
        }
        Flaw::Around { member, exported, computed } => {
            (wire.member, wire.exported, wire.computed) = (Some(*member), Some(exported), Some(computed));
        }
        Flaw::Tip { commit } => wire.commit = Some(commit),
        Flaw::Head { checkpoint, .. } | Flaw::Loose { checkpoint, .. } => wire.checkpoint = Some(checkpoint.display().to_string()),
    }
    wire
}
