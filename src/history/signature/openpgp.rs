//! OpenPGP signatures, verified by `gpg` where it is installed.
//!
//! Whom `gpg` knows and trusts is its own business, and differs from machine to machine; what it says is read from its
//! status lines (GnuPG, `doc/DETAILS`), never from text for people. It is started without a shell, must not go to the network,
//! and gets no more time and says no more than a signature needs.

use std::io;
use std::io::Read;
use std::io::Write;
use std::path::PathBuf;
use std::process::Child;
use std::process::Command;
use std::process::Stdio;
use std::sync::mpsc;
use std::time::Duration;

use super::Signature;
use super::SignatureStatus;

/// How a signature begins.
pub(super) const BEGIN: [&str; 2] = ["-----BEGIN PGP SIGNATURE-----", "-----BEGIN PGP MESSAGE-----"];

/// How long one signature may take.
const PATIENCE: Duration = Duration::from_secs(20);

/// The most bytes that are read of what `gpg` says.
const MOST: u64 = 64 * 1024;

/// Verifies a signature over a payload with the keys of whoever runs the program.
pub(super) fn verify(signature: &[u8], payload: &[u8]) -> Signature {
    match ask("gpg", signature, payload) {
        Ok(said) => verdict(&said),
        Err(error) if error.kind() == io::ErrorKind::NotFound => Signature::unverified("present, not verified: gpg is not installed"),
        Err(error) => Signature::unverified(format!("present, not verified: gpg does not answer: {error}")),
    }
}

/// What the keys of whoever runs the program are: when the two files that hold them last changed.
pub(super) fn stamp() -> String {
    let home = std::env::var_os("GNUPGHOME").map(PathBuf::from).or_else(|| Some(PathBuf::from(std::env::var_os("HOME")?).join(".gnupg")));
    let changed = |file: &str| home.as_ref().and_then(|home| home.join(file).metadata().ok()?.modified().ok());
    format!("{:?} {:?}", changed("pubring.kbx"), changed("trustdb.gpg"))
}

fn ask(program: &str, signature: &[u8], payload: &[u8]) -> io::Result<String> {
    let mut file = tempfile::NamedTempFile::new()?;
    file.write_all(signature)?;
    file.flush()?;
    let mut child = Command::new(program)
        .args(["--batch", "--no-tty", "--quiet", "--no-auto-key-retrieve", "--no-auto-key-locate", "--disable-dirmngr"])
        .args(["--status-fd", "1", "--verify", "--"])
        .arg(file.path())
        .arg("-")
        .env("LC_ALL", "C")
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::null())
        .spawn()?;
    let said = converse(&mut child, payload);
    // One that has ended is not there to be killed, and one that has not must not stay.
    let _: io::Result<()> = child.kill();
    child.wait()?;
    said
}

/// Writes on one thread and reads on another, so that neither waits for the other for ever.
fn converse(child: &mut Child, payload: &[u8]) -> io::Result<String> {
    let (Some(mut input), Some(output)) = (child.stdin.take(), child.stdout.take()) else {
        return Err(io::Error::other("it has no standard input and output"));
    };
    let payload = payload.to_vec();
    // That the other side has stopped listening shows in what it says.
    std::thread::Builder::new().name("gpg".to_owned()).spawn(move || input.write_all(&payload))?;
    let (send, receive) = mpsc::channel();
    std::thread::Builder::new().name("gpg".to_owned()).spawn(move || {
        let mut said = Vec::new();
        let read = output.take(MOST).read_to_end(&mut said).map(|_| String::from_utf8_lossy(&said).into_owned());
        send.send(read)
    })?;
    receive.recv_timeout(PATIENCE).unwrap_or_else(|_| Err(io::Error::new(io::ErrorKind::TimedOut, "it took too long")))
}

/// What the status lines of one signature mean.
fn verdict(said: &str) -> Signature {
    let lines = || said.lines().filter_map(|line| line.strip_prefix("[GNUPG:] "));
    let after = |word: &str| lines().find_map(|line| line.strip_prefix(word)?.strip_prefix(' '));
    let has = |word: &str| lines().any(|line| line.split(' ').next() == Some(word));
    if lines().filter(|line| line.split(' ').next() == Some("NEWSIG")).count() > 1 {
        return Signature::unverified("several signatures in one are not verified");
    }
    let key = after("VALIDSIG").and_then(|rest| rest.split(' ').next()).or_else(|| after("ERRSIG").and_then(issuer)).map(str::to_owned);
    let user = |word: &str| after(word).and_then(|rest| rest.split_once(' ')).map(|(_, user)| clean(user));
    let told = |status: SignatureStatus, why: &str| Signature { status, principal: None, key: key.clone(), why: Some(why.to_owned()) };
    if has("BADSIG") {
        return told(SignatureStatus::Bad, "the signature does not fit the commit");
    }
    for (word, what) in [("EXPKEYSIG", "its key has expired"), ("REVKEYSIG", "its key is revoked"), ("EXPSIG", "the signature has expired")]
    {
        if let Some(user) = user(word) {
            return told(SignatureStatus::Untrusted, &format!("signed for `{user}`, but {what}"));
        }
    }
    if has("NO_PUBKEY") {
        return told(SignatureStatus::Unverified, "present, not verified: gpg does not have the key");
    }
    match user("GOODSIG") {
        Some(user) if has("VALIDSIG") && (has("TRUST_ULTIMATE") || has("TRUST_FULLY")) => {
            Signature { status: SignatureStatus::Good, principal: Some(user), key, why: None }
        }
        Some(user) if has("VALIDSIG") => told(SignatureStatus::Untrusted, &format!("signed for `{user}`, but gpg does not trust its key")),
        _ => told(SignatureStatus::Unverified, "present, not verified: gpg cannot check it"),
    }
}

/// The fingerprint that `ERRSIG` ends with, or else the short id that it begins with.
fn issuer(rest: &str) -> Option<&str> {
    rest.split(' ').nth(6).filter(|fingerprint| *fingerprint != "-").or_else(|| rest.split(' ').next())
}

/// A user id goes to terminals and into reports.
fn clean(user: &str) -> String {
    user.chars().filter(|char| !char.is_control()).take(200).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(said: &str, status: SignatureStatus, principal: Option<&str>, key: Option<&str>, why: Option<&str>) {
        let said: String = said.split('/').map(|line| format!("[GNUPG:] {}\n", line.trim())).collect();
        let owned = |text: Option<&str>| text.map(str::to_owned);
        assert_eq!(verdict(&said), Signature { status, principal: owned(principal), key: owned(key), why: owned(why) }, "{said}");
    }

    #[test]
    fn the_status_lines_decide() {
        use SignatureStatus::Bad;
        use SignatureStatus::Good;
        use SignatureStatus::Untrusted;
        use SignatureStatus::Unverified;
        let good = "NEWSIG / GOODSIG 12AB Ann <ann@x> / VALIDSIG FFFF 2026-03-01";
        check(&format!("{good} / TRUST_ULTIMATE 0 pgp"), Good, Some("Ann <ann@x>"), Some("FFFF"), None);
        check(&format!("{good} / TRUST_FULLY 0 pgp"), Good, Some("Ann <ann@x>"), Some("FFFF"), None);
        let distrusted = "signed for `Ann <ann@x>`, but gpg does not trust its key";
        for trust in ["TRUST_UNDEFINED", "TRUST_NEVER", "TRUST_MARGINAL 0 pgp", "TRUST_FULLYNOT"] {
            check(&format!("{good} / {trust}"), Untrusted, None, Some("FFFF"), Some(distrusted));
        }
        let expired = "signed for `Ann`, but its key has expired";
        check("EXPKEYSIG 12AB Ann / VALIDSIG FFFF 1 / TRUST_ULTIMATE 0 pgp", Untrusted, None, Some("FFFF"), Some(expired));
        check("REVKEYSIG 12AB Ann / VALIDSIG FFFF 1", Untrusted, None, Some("FFFF"), Some("signed for `Ann`, but its key is revoked"));
        check("BADSIG 12AB Ann", Bad, None, None, Some("the signature does not fit the commit"));
        let unknown = "present, not verified: gpg does not have the key";
        check("ERRSIG 12AB 22 10 00 1 9 FFFF / NO_PUBKEY 12AB", Unverified, None, Some("FFFF"), Some(unknown));
        check("ERRSIG 12AB 22 10 00 1 9 - / NO_PUBKEY 12AB", Unverified, None, Some("12AB"), Some(unknown));
        let cannot = "present, not verified: gpg cannot check it";
        check("NODATA 4", Unverified, None, None, Some(cannot));
        check("GOODSIG 12AB Ann / TRUST_ULTIMATE", Unverified, None, None, Some(cannot));
        check(&format!("{good} / {good} / TRUST_ULTIMATE"), Unverified, None, None, Some("several signatures in one are not verified"));
        // What a user id says is no status of its own.
        check("ERRSIG 1 1 1 1 1 1 1 GOODSIG / NO_PUBKEY [GNUPG:] GOODSIG x y", Unverified, None, Some("1"), Some(unknown));
    }

    #[test]
    fn a_program_that_is_not_there_is_told_apart() {
        let error = ask("no-such-program-of-this-name", b"", b"").unwrap_err();
        assert_eq!(error.kind(), io::ErrorKind::NotFound);
    }
}
