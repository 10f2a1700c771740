//! An export of the trail, compared with what it has to be: chained in itself, and equal to what the repository tells.
//!
//! An event is hashed again from its chained members, and has to be what the next one names as `prev`. A filtered export has
//! gaps, over which nothing is chained. With a repository, every event is compared member by member with the one that is
//! computed again, so that the first one that was touched is named, and in what.

use std::collections::BTreeMap;
use std::collections::BTreeSet;
use std::fs::File;
use std::io::BufReader;
use std::path::Path;
use std::path::PathBuf;

use serde_json::Map;
use serde_json::Value;

use super::reading;
use super::reading::Entry;
use super::reading::Stop;
use crate::history::CommitId;
use crate::history::Event;
use crate::history::MEMBERS;
use crate::history::Sha256Hash;
use crate::history::SignatureStatus;

/// What an export is, as far as it was read.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Exported {
    /// The file.
    pub path: PathBuf,
    /// How many events it holds.
    pub events: u64,
    /// The number of the first one; 0 when there is none.
    pub first: u64,
    /// The number of the last one; 0 when there is none.
    pub last: u64,
    /// How many times a number follows that is not the next one.
    pub gaps: u64,
    /// How many events the repository has, if they were compared with it.
    pub compared_with: Option<u64>,
    /// Members beside the chained ones that could not be computed here, and so say what they say.
    pub not_compared: BTreeSet<String>,
    /// Up to which event, chained from the first one it holds, it is what a checkpoint says.
    pub signed: Option<u64>,
    /// What is wrong with it.
    pub flaw: Option<Flaw>,
    pub(super) heads: BTreeMap<u64, Head>,
}

/// The hash of an event at which there is a checkpoint, and the first of the events before it that are chained up to it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Head {
    pub(super) hash: Sha256Hash,
    pub(super) from: u64,
}

/// An event of an export.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Named {
    /// The line that it begins at, from 1.
    pub line: u64,
    /// Its number.
    pub seq: u64,
    /// Its policy, as the export says.
    pub policy: String,
    /// Its commit, as the export says.
    pub commit: String,
}

/// What is wrong with an export; the first thing that is.
#[derive(Debug, Clone, PartialEq)]
pub enum Flaw {
    /// It is not what `lawbook audit` writes.
    Malformed {
        /// The line, from 1.
        line: u64,
        /// What is wrong there.
        problem: String,
    },
    /// Its events are not in their order.
    Order {
        /// The event.
        event: Box<Named>,
        /// The number of the one before it in the file.
        after: u64,
    },
    /// The event does not follow the one before it: one of the two was changed.
    Chain {
        /// The event.
        event: Box<Named>,
    },
    /// The repository has no event with this number.
    Surplus {
        /// The event.
        event: Box<Named>,
        /// How many events there are.
        events: u64,
    },
    /// A member is not what the repository says.
    Member {
        /// The event.
        event: Box<Named>,
        /// The member.
        member: String,
        /// What the export says; `None` when it does not have the member.
        exported: Option<Value>,
        /// What the repository says.
        computed: Value,
    },
    /// What an export says of the whole trail is not so.
    Around {
        /// The member of the object around the events.
        member: &'static str,
        /// What the export says.
        exported: Value,
        /// What the repository says, or, without one, the events of the export themselves.
        computed: Value,
    },
    /// The export ends at a commit that is not on the line of first parents.
    Tip {
        /// The commit, as the export says.
        commit: String,
    },
    /// The event at which there is a checkpoint is not the one that was signed.
    Head {
        /// The checkpoint.
        checkpoint: PathBuf,
        /// The number of the event.
        seq: u64,
    },
    /// Not every event up to that of a checkpoint is chained to it, and there is no repository to compare with.
    Loose {
        /// The checkpoint.
        checkpoint: PathBuf,
        /// The number of the event that was signed.
        seq: u64,
    },
}

/// Why an export of every commit is not compared.
const TELLS_ALL: &str =
    "it tells every commit (`--all-parents`), and only a trail of what landed can be verified: write it again without that";

/// What an export is compared with.
pub(super) struct Expected<'a> {
    /// The events there are, if there is a repository.
    pub(super) events: Option<&'a [Event]>,
    /// The line of first parents.
    pub(super) line: &'a [CommitId],
    /// The hash of so many events.
    pub(super) head_at: &'a dyn Fn(u64) -> Option<Sha256Hash>,
    /// An event as an export writes it.
    pub(super) wire: &'a dyn Fn(&Event) -> Value,
    /// The numbers at which there are checkpoints.
    pub(super) wanted: BTreeSet<u64>,
}

/// Reads an export and compares it.
///
/// # Errors
/// The file cannot be read.
pub(super) fn compare(path: &Path, expected: &Expected<'_>) -> std::io::Result<Exported> {
    let file = BufReader::new(File::open(path)?);
    let mut comparison = Comparison { found: Exported { path: path.to_owned(), ..Exported::default() }, last: None, run: 0, expected };
    let read = reading::read(file, &mut |entry| comparison.event(entry));
    let around = match read {
        Err(Stop::Read(error)) => return Err(error),
        Err(Stop::Flaw(flaw)) => Err(flaw),
        Ok(around) => check_around(&around, expected).and_then(|()| comparison.check_whole(&around)),
    };
    let mut found = comparison.found;
    found.compared_with = expected.events.map(|events| events.len() as u64);
    found.flaw = found.flaw.or(around.err());
    Ok(found)
}

struct Comparison<'a> {
    found: Exported,
    last: Option<Sha256Hash>,
    run: u64,
    expected: &'a Expected<'a>,
}

impl Comparison<'_> {
    fn event(&mut self, entry: Entry) -> Result<(), Flaw> {
        let Entry { line, members } = entry;
        let event = named(line, &members)?;
        let before = self.found.last;
        if event.seq <= before {
            return Err(Flaw::Order { event, after: before });
        }
        // An export that differs from the repository is read on: it may still be what was signed, and the repository not.
        if let Some(events) = self.expected.events.filter(|_| self.found.flaw.is_none()) {
            self.found.flaw = self.compare(&event, &members, events).err();
        }
        let (prev, hash) = chained(line, members)?;
        let follows = event.seq == before + 1;
        let expected = if event.seq == 1 { Some(Sha256Hash::ZERO) } else { self.last.filter(|_| follows) };
        if expected.is_some_and(|expected| expected.to_string() != prev) {
            return Err(Flaw::Chain { event });
        }
        if self.found.events == 0 {
            self.found.first = event.seq;
        } else if !follows {
            self.found.gaps += 1;
        }
        if self.run == 0 || !follows {
            self.run = event.seq;
        }
        self.found.events += 1;
        self.found.last = event.seq;
        self.last = Some(hash);
        if self.expected.wanted.contains(&event.seq) {
            self.found.heads.insert(event.seq, Head { hash, from: self.run });
        }
        Ok(())
    }

    /// The chained members first, because the chain is what counts, then the others that can be computed here.
    fn compare(&mut self, event: &Named, members: &Map<String, Value>, events: &[Event]) -> Result<(), Flaw> {
        let computed = usize::try_from(event.seq - 1).ok().and_then(|at| events.get(at)).map(self.expected.wire);
        let Some(Value::Object(computed)) = computed else {
            return Err(Flaw::Surplus { event: Box::new(event.clone()), events: events.len() as u64 });
        };
        let differs = |member: &str| {
            let computed = computed.get(member)?;
            let exported = members.get(member);
            (exported != Some(computed)).then(|| Flaw::Member {
                event: Box::new(event.clone()),
                member: member.to_owned(),
                exported: exported.cloned(),
                computed: computed.clone(),
            })
        };
        if members.get("landed") == Some(&Value::Bool(false)) && differs("commit").is_some() {
            return Err(Flaw::Malformed { line: event.line, problem: TELLS_ALL.to_owned() });
        }
        // An event of another commit differs in much; that it is another commit says all of it.
        if let Some(flaw) = ["commit"].iter().chain(&MEMBERS).find_map(|member| differs(member)) {
            return Err(flaw);
        }
        for member in members.keys().filter(|member| !MEMBERS.contains(&member.as_str())) {
            match computed.get(member) {
                Some(computed) if !depends_on_the_machine(computed) => differs(member).map_or(Ok(()), Err)?,
                _ => drop(self.found.not_compared.insert(member.clone())),
            }
        }
        Ok(())
    }
}

impl Comparison<'_> {
    /// What an export says of the whole trail up to its tip: how many events there are, and the hash of the last one.
    fn check_whole(&self, around: &Map<String, Value>) -> Result<(), Flaw> {
        let here = self.expected.events.map(|events| {
            let tip = around.get("tip").and_then(Value::as_str).unwrap_or_default();
            let after = self.expected.line.iter().skip_while(|id| id.to_string() != tip).skip(1);
            let after: BTreeSet<String> = after.map(CommitId::to_string).collect();
            let total = events.partition_point(|event| !after.contains(&event.landing.commit));
            (total as u64, (self.expected.head_at)(total as u64))
        });
        // Without a repository, an export that holds every event has its own last one.
        let total = around.get("total").and_then(Value::as_u64);
        let own = || (total == Some(self.found.last)).then_some((self.found.last, Some(self.last.unwrap_or(Sha256Hash::ZERO))));
        let Some((total, head)) = here.or_else(own) else { return Ok(()) };
        for (member, computed) in [("total", Some(Value::from(total))), ("head", head.map(|head| Value::from(head.to_string())))] {
            if let (Some(exported), Some(computed)) = (around.get(member), computed)
                && *exported != computed
            {
                return Err(Flaw::Around { member, exported: exported.clone(), computed });
            }
        }
        Ok(())
    }
}

/// Whether a member is a signature that another machine, which has the program or the key for it, can verify.
fn depends_on_the_machine(computed: &Value) -> bool {
    computed.get("status").and_then(Value::as_str) == Some(SignatureStatus::Unverified.as_str())
}

/// What an export says beside its events.
fn check_around(around: &Map<String, Value>, expected: &Expected<'_>) -> Result<(), Flaw> {
    let malformed = |problem: String| Err(Flaw::Malformed { line: 1, problem });
    match around.get("version") {
        Some(version) if *version != 1 => return malformed(format!("its `version` is {version}, but only 1 is known")),
        _ => {}
    }
    if let Some(Value::String(why)) = around.get("partial") {
        return malformed(format!(
            "it was made of an incomplete history ({}), and its numbers mean nothing",
            crate::bundle::refusal::printable(why)
        ));
    }
    if around.get("lines").and_then(Value::as_str) == Some("all") {
        return malformed(TELLS_ALL.to_owned());
    }
    match around.get("tip").and_then(Value::as_str) {
        Some(tip) if expected.events.is_some() && !expected.line.iter().any(|id| id.to_string() == tip) => {
            Err(Flaw::Tip { commit: tip.to_owned() })
        }
        _ => Ok(()),
    }
}

/// Which event it is.
fn named(line: u64, members: &Map<String, Value>) -> Result<Box<Named>, Flaw> {
    let text = |member: &str| members.get(member).and_then(Value::as_str).unwrap_or_default().to_owned();
    match members.get("seq").and_then(Value::as_u64) {
        Some(seq) if seq > 0 => Ok(Box::new(Named { line, seq, policy: text("policy"), commit: text("commit") })),
        _ => Err(Flaw::Malformed { line, problem: "the member `seq` must be a number from 1".to_owned() }),
    }
}

/// What an event names as the one before it, and its own hash.
fn chained(line: u64, mut members: Map<String, Value>) -> Result<(String, Sha256Hash), Flaw> {
    if let Some(missing) = MEMBERS.iter().find(|&&member| !members.contains_key(member)) {
        return Err(Flaw::Malformed { line, problem: format!("the member `{missing}` is missing, and without it nothing is chained") });
    }
    members.retain(|member, _| MEMBERS.contains(&member.as_str()));
    let prev = members.get("prev").and_then(Value::as_str).unwrap_or_default().to_owned();
    Ok((prev, Sha256Hash::of_json(&members)))
}
