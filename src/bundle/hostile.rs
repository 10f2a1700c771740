//! Everything that can be wrong with a bundle, one thing at a time, against one good bundle.

use std::cell::Cell;
use std::fs;
use std::io;
use std::path::Path;

use jiff::SignedDuration;
use jiff::Timestamp;
use serde_json::Value;

use crate::bundle::Build;
use crate::bundle::Candidate;
use crate::bundle::Digest;
use crate::bundle::Entries;
use crate::bundle::EntryMeta;
use crate::bundle::Envelope;
use crate::bundle::PAYLOAD_TYPE;
use crate::bundle::Refusal;
use crate::bundle::SigningKey;
use crate::bundle::State;
use crate::bundle::Statement;
use crate::bundle::Trust;
use crate::bundle::Verified;
use crate::bundle::Verifier;
use crate::bundle::VerifyError;
use crate::bundle::assemble;
use crate::bundle::build::tests::sample_build;
use crate::bundle::build::tests::sample_entries;
use crate::bundle::describe;
use crate::bundle::inspect;
use crate::bundle::write;
use crate::bundle::write_outputs;

const NOW: &str = "2026-02-01T00:00:00Z";

/// What happens to the state directory.
#[derive(Clone, Copy, PartialEq)]
enum Trouble {
    None,
    Damaged,
    Held,
    Gone,
}

/// A good bundle, the verifier that accepts it, and the places where something can be changed.
struct Scene {
    keys: Vec<SigningKey>,
    verifier: Verifier,
    statement: Statement,
    /// Signed instead of the statement.
    payload: Option<Value>,
    payload_type: &'static str,
    archive: Vec<u8>,
    damage_envelope: fn(&mut Vec<u8>),
    damage_archive: fn(&mut Vec<u8>),
    envelope_opens: bool,
    archive_opens: bool,
    accepted: Option<Build>,
    trouble: Trouble,
    rebuild: Result<(), String>,
    self_test: Result<(), String>,
}

impl Scene {
    fn new() -> Self {
        let keys = vec![SigningKey::generate("ann").unwrap(), SigningKey::generate("bob").unwrap()];
        let trust = Trust::init(keys.iter().map(|key| key.public().clone()), 2).unwrap();
        let mut verifier = Verifier::new(trust, time(NOW));
        verifier.name = Some("authz".to_owned());
        verifier.audience = Some("production".to_owned());
        let (archive, statement) = assemble(&sample_entries(), sample_build()).unwrap();
        Self {
            keys,
            verifier,
            statement,
            payload: None,
            payload_type: PAYLOAD_TYPE,
            archive,
            damage_envelope: |_| {},
            damage_archive: |_| {},
            envelope_opens: true,
            archive_opens: true,
            accepted: None,
            trouble: Trouble::None,
            rebuild: Ok(()),
            self_test: Ok(()),
        }
    }

    /// Another archive and list, honestly signed: only the signers can do this.
    fn sign_archive(&mut self, archive: Vec<u8>, entries: Vec<EntryMeta>) {
        self.statement.subject[0].digest.sha256 = Digest::of(&archive);
        self.statement.predicate.size = archive.len() as u64;
        self.statement.predicate.entries = entries;
        self.archive = archive;
    }

    /// Another list over the same archive.
    fn sign_list(&mut self, change: impl FnOnce(&mut Vec<EntryMeta>)) {
        let mut entries = self.statement.predicate.entries.clone();
        change(&mut entries);
        self.sign_archive(self.archive.clone(), entries);
    }

    fn envelope(&self) -> Vec<u8> {
        let payload = self.payload.clone().unwrap_or_else(|| serde_json::to_value(&self.statement).unwrap());
        let mut envelope = Envelope::around(self.payload_type, payload.to_string().as_bytes());
        for key in &self.keys {
            envelope.sign(key).unwrap();
        }
        let mut bytes = envelope.to_bytes();
        (self.damage_envelope)(&mut bytes);
        bytes
    }

    /// The outcome, and whether the archive was opened.
    fn run(&self) -> (Result<Verified<()>, VerifyError>, bool) {
        let directory = tempfile::tempdir().unwrap();
        if let Some(build) = &self.accepted {
            let (archive, statement) = assemble(&sample_entries(), build.clone()).unwrap();
            State::open(directory.path()).unwrap().accept(&statement, &archive, b"").unwrap();
        }
        if self.trouble == Trouble::Damaged {
            fs::write(directory.path().join("state.json"), "{").unwrap();
        }
        let held = (self.trouble == Trouble::Held).then(|| State::open(directory.path()).unwrap());
        let mut state = match State::open(directory.path()) {
            Ok(state) => state,
            Err(error) => return (Err(error), false),
        };
        drop(held);
        if self.trouble == Trouble::Gone {
            fs::remove_dir_all(directory.path()).unwrap();
        }
        let opened = Cell::new(false);
        let (envelope, mut archive) = (self.envelope(), self.archive.clone());
        (self.damage_archive)(&mut archive);
        let candidate = Candidate::new(
            "dist/authz",
            || opens(self.envelope_opens).map(|()| envelope.as_slice()),
            || {
                opened.set(true);
                opens(self.archive_opens).map(|()| archive.as_slice())
            },
        );
        let before = state.remembered().cloned();
        let outcome = self.verifier.verify(candidate, Some(&mut state), |_, _| self.rebuild.clone(), |(), _| self.self_test.clone());
        assert_eq!(outcome.is_err(), state.remembered() == before.as_ref(), "a refusal changes no state");
        (outcome, opened.get())
    }
}

fn opens(opens: bool) -> io::Result<()> {
    if opens { Ok(()) } else { Err(io::ErrorKind::NotFound.into()) }
}

fn time(text: &str) -> Timestamp {
    text.parse().unwrap()
}

fn entries(list: &[(&str, &str)]) -> Entries {
    list.iter().map(|&(name, text)| (name.to_owned(), text.as_bytes().to_vec())).collect()
}

/// The archive with a part of its first header replaced, packed again as it was.
fn reheaded(archive: &[u8], change: impl FnOnce(&mut tar::Header)) -> Vec<u8> {
    let mut unpacked = Vec::new();
    io::Read::read_to_end(&mut flate2::bufread::GzDecoder::new(archive), &mut unpacked).unwrap();
    let mut header = tar::Header::from_byte_slice(&unpacked[..512]).clone();
    change(&mut header);
    header.set_cksum();
    unpacked[..512].copy_from_slice(header.as_bytes());
    let mut packed = flate2::GzBuilder::new().operating_system(255).write(Vec::new(), flate2::Compression::new(6));
    io::Write::write_all(&mut packed, &unpacked).unwrap();
    packed.finish().unwrap()
}

type Case = (&'static str, fn(&mut Scene));

/// One change of a good bundle for each reason code, in the order of the checks.
const CASES: [Case; 39] = [
    ("envelope-unreadable", |scene| scene.envelope_opens = false),
    ("envelope-too-large", |scene| scene.verifier.limits.envelope_bytes = 100),
    ("envelope-malformed", |scene| scene.damage_envelope = |bytes| bytes.truncate(100)),
    ("envelope-not-canonical", |scene| scene.damage_envelope = |bytes| bytes.push(b'\n')),
    ("trust-expired", |scene| scene.verifier.trust.set_expires(Some(time(NOW)))),
    ("bad-signature", |scene| scene.damage_envelope = |bytes| replace(bytes, "\"payload\":\"e", "\"payload\":\"f")),
    ("wrong-key-id", |scene| scene.damage_envelope = |bytes| rename_a_key(bytes)),
    ("threshold-not-met", |scene| drop(scene.keys.pop())),
    ("wrong-type", |scene| scene.payload_type = "text/plain"),
    ("statement-malformed", |scene| scene.statement.predicate.name = "../x".to_owned()),
    ("unknown-critical", |scene| scene.statement.predicate.critical = vec!["magic".to_owned()]),
    ("wrong-name", |scene| scene.verifier.name = Some("other".to_owned())),
    ("wrong-audience", |scene| scene.verifier.audience = Some("staging".to_owned())),
    ("expired", |scene| scene.verifier.now = scene.statement.predicate.expires),
    ("not-yet-valid", |scene| scene.verifier.now = time("2025-12-31T23:54:59Z")),
    ("rollback", |scene| scene.accepted = Some(Build { revision: 8, ..sample_build() })),
    ("equivocation", |scene| {
        let other = entries(&[("other", "content")]);
        scene.accepted = Some(sample_build());
        scene.sign_archive(write(&other).unwrap(), describe(&other));
        scene.statement.subject[1].digest.sha256 = crate::bundle::content_digest(&describe(&other));
    }),
    ("archive-too-large", |scene| scene.verifier.limits.archive_bytes = 10),
    ("archive-unreadable", |scene| scene.archive_opens = false),
    ("archive-size", |scene| scene.damage_archive = |bytes| bytes.push(0)),
    ("archive-digest", |scene| scene.damage_archive = |bytes| bytes[20] ^= 1),
    ("archive-malformed", |scene| {
        let archive = reheaded(&scene.archive, |header| header.set_mode(0o777));
        scene.sign_archive(archive, describe(&sample_entries()));
    }),
    ("trailing-data", |scene| {
        let archive = [scene.archive.as_slice(), b"x"].concat();
        scene.sign_archive(archive, describe(&sample_entries()));
    }),
    ("decompression-bomb", |scene| scene.sign_list(|entries| entries[0].size = 10 << 30)),
    ("too-many-entries", |scene| scene.verifier.limits.entries = 1),
    ("unsafe-path", |scene| scene.sign_list(|entries| entries[0].name = "../a".to_owned())),
    ("not-a-regular-file", |scene| {
        let archive = reheaded(&scene.archive, |header| header.set_entry_type(tar::EntryType::Symlink));
        scene.sign_archive(archive, describe(&sample_entries()));
    }),
    ("duplicate-entry", |scene| scene.sign_list(|entries| entries.push(entries[0].clone()))),
    ("unexpected-entry", |scene| scene.sign_list(|entries| drop(entries.pop()))),
    ("missing-entry", |scene| {
        scene.sign_list(|list| list.extend(describe(&entries(&[("zzz", "")]))));
    }),
    ("entry-size", |scene| scene.sign_list(|entries| entries[0].size += 1)),
    ("entry-digest", |scene| scene.sign_list(|entries| entries[0].sha256 = Digest::of(b""))),
    ("content-digest", |scene| scene.statement.subject[1].digest.sha256 = Digest::of(b"")),
    ("unsupported-version", |scene| scene.statement.predicate.semantics = "deny-overrides/3v-9".to_owned()),
    ("rebuild-failed", |scene| scene.rebuild = Err("`lawbook/policies.json` has no policies".to_owned())),
    ("self-test-failed", |scene| scene.self_test = Err("the decision 1 is deny, expected allow".to_owned())),
    ("state-unreadable", |scene| scene.trouble = Trouble::Damaged),
    ("state-locked", |scene| scene.trouble = Trouble::Held),
    ("state-unwritable", |scene| scene.trouble = Trouble::Gone),
];

fn replace(bytes: &mut Vec<u8>, from: &str, to: &str) {
    let text = String::from_utf8(std::mem::take(bytes)).unwrap();
    assert!(text.contains(from), "{text}");
    *bytes = text.replacen(from, to, 1).into_bytes();
}

/// Puts the signature of a trusted key under the name of an unknown one, in the right order.
fn rename_a_key(bytes: &mut Vec<u8>) {
    let mut envelope: Value = serde_json::from_slice(bytes).unwrap();
    let first = &mut envelope["signatures"][0]["keyid"];
    *first = Value::String(format!("SHA256:{}", "+".repeat(42) + "A"));
    *bytes = format!("{envelope}\n").into_bytes();
}

#[test]
fn a_good_bundle_is_accepted() {
    let (outcome, opened) = Scene::new().run();
    let verified = outcome.unwrap();
    assert!(opened);
    assert_eq!(verified.entries, sample_entries());
    assert_eq!(verified.signers.len(), 2);
    assert_eq!(verified.statement.predicate.revision, 7);
}

/// Also: nothing of the archive is so much as opened before everything about the envelope is known to be good.
#[test]
fn every_reason_has_a_bundle_that_is_refused_for_it() {
    assert_eq!(CASES.map(|(reason, _)| reason), Refusal::REASONS);
    let opens_from = Refusal::REASONS.iter().position(|&reason| reason == "archive-unreadable").unwrap();
    for (at, (reason, change)) in CASES.into_iter().enumerate() {
        let mut scene = Scene::new();
        change(&mut scene);
        let (outcome, opened) = scene.run();
        let error = outcome.expect_err(reason);
        assert_eq!(error.reason(), reason, "{error}");
        if !reason.starts_with("state-") {
            assert_eq!(opened, at >= opens_from, "{reason}");
        }
    }
}

/// Two wrong things at once: the earlier check answers. So nothing late is looked at in a bundle that fails early.
#[test]
fn the_checks_are_made_in_the_designed_order() {
    let chain = [
        "envelope-too-large",
        "trust-expired",
        "threshold-not-met",
        "wrong-type",
        "wrong-name",
        "wrong-audience",
        "rollback",
        "archive-too-large",
        "archive-digest",
    ];
    let inside = ["decompression-bomb", "content-digest", "unsupported-version", "rebuild-failed", "self-test-failed", "state-unwritable"];
    for chain in [&chain[..], &inside[..]] {
        for (at, first) in chain.iter().enumerate() {
            let mut scene = Scene::new();
            for reason in &chain[at..] {
                let (_, change) = CASES.into_iter().find(|(name, _)| name == reason).unwrap();
                change(&mut scene);
            }
            assert_eq!(scene.run().0.unwrap_err().reason(), *first);
        }
    }
}

#[test]
fn a_payload_is_not_parsed_before_its_signatures_are_good() {
    let mut scene = Scene::new();
    scene.payload = Some(Value::String("x".repeat(1000)));
    scene.keys.pop();
    assert_eq!(scene.run().0.unwrap_err().reason(), "threshold-not-met");
}

#[test]
fn a_message_names_the_bundle_and_the_revision() {
    let mut scene = Scene::new();
    scene.rebuild = Err("`lawbook/policies.json` has no policies".to_owned());
    let error = scene.run().0.unwrap_err();
    let expected = "bundle `dist/authz`, revision 7: the law book cannot be rebuilt from it: `lawbook/policies.json` has no policies";
    assert_eq!(error.to_string(), expected);
}

#[track_caller]
fn check_time(now: &str, skew: SignedDuration, expected: Option<&str>) {
    let mut scene = Scene::new();
    scene.verifier.now = time(now);
    scene.verifier.skew = skew;
    assert_eq!(scene.run().0.as_ref().map_err(VerifyError::reason).err(), expected, "{now}");
}

#[test]
fn time_is_compared_to_the_second() {
    let five_minutes = SignedDuration::from_mins(5);
    check_time("2026-03-31T23:59:59Z", five_minutes, None);
    check_time("2026-04-01T00:00:00Z", five_minutes, Some("expired"));
    check_time("2025-12-31T23:55:00Z", five_minutes, None);
    check_time("2025-12-31T23:54:59Z", five_minutes, Some("not-yet-valid"));
    check_time("2025-12-31T23:59:59Z", SignedDuration::ZERO, Some("not-yet-valid"));
}

#[track_caller]
fn check_accepted(accepted: Build, expected: Option<&str>) {
    let mut scene = Scene::new();
    scene.verifier.name = None;
    scene.verifier.audience = None;
    scene.accepted = Some(accepted);
    assert_eq!(scene.run().0.as_ref().map_err(VerifyError::reason).err(), expected);
}

#[test]
fn the_revision_never_goes_back() {
    check_accepted(Build { revision: 6, ..sample_build() }, None);
    check_accepted(sample_build(), None);
    check_accepted(Build { revision: 8, ..sample_build() }, Some("rollback"));
    check_accepted(Build { name: "other".to_owned(), revision: 1, ..sample_build() }, Some("wrong-name"));
    check_accepted(Build { audience: "staging".to_owned(), revision: 1, ..sample_build() }, Some("wrong-audience"));
}

/// Every bit of both files, and every shorter file. All signers are trusted, and one more than needed has signed.
#[test]
fn one_flipped_bit_anywhere_is_refused() {
    let mut scene = Scene::new();
    scene.verifier.trust.set_threshold(crate::bundle::Role::Bundle, 1).unwrap();
    let (envelope, archive) = (scene.envelope(), scene.archive.clone());
    let accepted = |envelope: &[u8], archive: &[u8]| {
        let candidate = Candidate::from_bytes("memory", envelope, archive);
        scene.verifier.verify(candidate, None, |_, _| Ok(()), |(), _| Ok(())).is_ok()
    };
    assert!(accepted(&envelope, &archive));
    for bit in 0..envelope.len() * 8 {
        let mut flipped = envelope.clone();
        flipped[bit / 8] ^= 1 << (bit % 8);
        assert!(!accepted(&flipped, &archive), "bit {bit} of the envelope");
    }
    for bit in 0..archive.len() * 8 {
        let mut flipped = archive.clone();
        flipped[bit / 8] ^= 1 << (bit % 8);
        assert!(!accepted(&envelope, &flipped), "bit {bit} of the archive");
    }
    for length in 0..envelope.len() {
        assert!(!accepted(&envelope[..length], &archive), "{length} bytes of the envelope");
    }
    for length in 0..archive.len() {
        assert!(!accepted(&envelope, &archive[..length]), "{length} bytes of the archive");
    }
}

/// During a rotation of keys a bundle is signed by the new key too, before every verifier knows it.
#[test]
fn a_signature_by_an_unknown_key_does_not_count_and_does_not_harm() {
    let mut scene = Scene::new();
    scene.keys.push(SigningKey::generate("new").unwrap());
    assert_eq!(scene.run().0.unwrap().signers.len(), 2);
    scene.keys.remove(0);
    assert_eq!(scene.run().0.unwrap_err().reason(), "threshold-not-met");
}

/// A state that has accepted the scene's bundle through a verifier, from files.
fn accept_into(scene: &Scene, directory: &Path) {
    let prefix = directory.join("authz");
    write_outputs(&prefix, &scene.archive, &Envelope::parse(&scene.envelope()).unwrap()).unwrap();
    let mut state = State::open(&directory.join("state")).unwrap();
    let candidate = Candidate::from_prefix(&prefix);
    scene.verifier.verify(candidate, Some(&mut state), |_, _| Ok(()), |(), _| Ok(())).unwrap();
}

/// What comes of resuming a state after a change of the verifier or of the directory.
#[track_caller]
fn check_resume(change: impl FnOnce(&mut Verifier, &Path), expected: Result<Option<u64>, &str>) {
    let directory = tempfile::tempdir().unwrap();
    let mut scene = Scene::new();
    accept_into(&scene, directory.path());
    change(&mut scene.verifier, &directory.path().join("state"));
    let state = State::open(&directory.path().join("state")).unwrap();
    let outcome = scene.verifier.resume(&state, |_, _| Ok(()), |(), _| Ok(()));
    let found = outcome.map(|verified| verified.map(|verified| verified.statement.predicate.revision));
    assert_eq!(found.map_err(|error| error.reason()), expected);
}

fn copies(directory: &Path, suffix: &str) -> Vec<std::path::PathBuf> {
    let paths = fs::read_dir(directory).unwrap().map(|entry| entry.unwrap().path());
    paths.filter(|path| path.to_str().unwrap().ends_with(suffix)).collect()
}

#[test]
fn the_last_good_bundle_is_verified_again_before_it_is_served() {
    check_resume(|_, _| {}, Ok(Some(7)));
    check_resume(|_, state| fs::remove_file(state.join("state.json")).unwrap(), Ok(None));
    check_resume(|verifier, _| verifier.audience = Some("staging".to_owned()), Err("wrong-audience"));
    check_resume(
        |verifier, _| verifier.trust = Trust::init([SigningKey::generate("new").unwrap().public().clone()], 1).unwrap(),
        Err("threshold-not-met"),
    );
    check_resume(|_, state| fs::write(&copies(state, ".tar.gz")[0], b"x").unwrap(), Err("archive-size"));
    check_resume(|_, state| fs::remove_file(&copies(state, ".tar.gz")[0]).unwrap(), Err("archive-unreadable"));
    check_resume(|_, state| fs::remove_file(&copies(state, ".dsse.json")[0]).unwrap(), Err("envelope-unreadable"));
    check_resume(
        |_, state| {
            let path = state.join("state.json");
            fs::write(&path, fs::read_to_string(&path).unwrap().replace("\"revision\": 7", "\"revision\": 8")).unwrap();
        },
        Err("state-unreadable"),
    );
}

#[test]
fn grace_is_for_what_was_accepted_in_time() {
    let late = time("2026-04-02T00:00:00Z");
    check_resume(|verifier, _| verifier.now = late, Err("expired"));
    let graceful = |verifier: &mut Verifier, hours| {
        verifier.now = late;
        verifier.grace = SignedDuration::from_hours(hours);
    };
    check_resume(|verifier, _| graceful(verifier, 25), Ok(Some(7)));
    check_resume(|verifier, _| graceful(verifier, 24), Err("expired"));
    let mut scene = Scene::new();
    graceful(&mut scene.verifier, 25);
    assert_eq!(scene.run().0.unwrap_err().reason(), "expired", "a new bundle has no grace");
}

#[test]
fn a_signer_sees_what_there_is_to_sign() {
    let mut scene = Scene::new();
    scene.keys.clear();
    let envelope = scene.envelope();
    let inspected = inspect(Candidate::from_bytes("memory", &envelope, &scene.archive), &scene.verifier.limits).unwrap();
    assert_eq!(inspected.statement, scene.statement);
    assert_eq!(inspected.entries, sample_entries());
    assert_eq!(inspected.envelope.to_bytes(), envelope);
    let error = inspect(Candidate::from_bytes("memory", &envelope, b"x"), &scene.verifier.limits).unwrap_err();
    assert_eq!(error.reason(), "archive-size");
}
