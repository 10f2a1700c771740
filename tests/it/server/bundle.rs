//! A server on a bundle, from files and from a file server.

use std::collections::BTreeMap;
use std::io::BufRead;
use std::io::BufReader;
use std::io::Write;
use std::net::SocketAddr;
use std::net::TcpListener;
use std::path::Path;
use std::path::PathBuf;
use std::sync::Arc;
use std::sync::Mutex;
use std::sync::atomic::AtomicUsize;
use std::sync::atomic::Ordering;

use jiff::SignedDuration;
use jiff::Timestamp;
use lawbook::bundle::Build;
use lawbook::bundle::Checks;
use lawbook::bundle::Envelope;
use lawbook::bundle::Provenance;
use lawbook::bundle::SigningKey;
use lawbook::bundle::Trust;
use lawbook::bundle::assemble;
use lawbook::bundle::contents::AUDIT;
use lawbook::bundle::contents::Contents;
use lawbook::bundle::contents::PlacedPolicy;
use lawbook::bundle::write_outputs;
use lawbook::server::Expected;
use lawbook::server::Location;
use lawbook::server::Source;
use lawbook::workspace::Raw;
use lawbook::workspace::RawFile;
use lawbook::workspace::Workspace;
use tempfile::TempDir;

use super::live::Live;
use super::live::policy;

/// A trail of one event, as `lawbook build` writes it. The first revision that is published has none.
const HISTORY: &str = r#"{"seq":1,"commit":"c1","parents":[],"policy":"a","kind":"access-policy","action":"disable","path":"policies/a.yaml","from":null,"changes":[],"author":{"name":"Ada","email":"ada@example.com"},"authored":"2026-03-05T14:30:00Z","committer":{"name":"Ada","email":"ada@example.com"},"committed":"2026-03-05T14:30:00Z","subject":"s","claimed":[]}
"#;

/// Somebody who publishes bundles.
struct Publisher {
    folder: TempDir,
    key: SigningKey,
}

impl Publisher {
    fn new() -> Self {
        let one = Self { folder: TempDir::new().expect("a folder"), key: SigningKey::generate("test").expect("a key") };
        let trust = Trust::init([one.key.public().clone()], 1).expect("trust");
        trust.save(&one.path("trust.json")).expect("saved");
        one
    }

    fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    /// Publishes revision `number`, which allows or denies reading in the service `a`.
    fn publish(&self, number: u64, denies: bool) {
        self.publish_until(Timestamp::now() + SignedDuration::from_hours(1), number, denies);
    }

    /// The same, valid until a time, and to be served for a second after something keeps it from being current.
    fn publish_until(&self, expires: Timestamp, number: u64, denies: bool) {
        let file = RawFile { path: "policies/a.yaml".to_owned(), content: Ok(policy("a", "a", denies).into_bytes()) };
        let workspace = Workspace::new(Raw { files: vec![file], ..Raw::default() });
        let placed = |policy: &Arc<_>| PlacedPolicy { path: "policies/a.yaml".to_owned(), policy: Arc::clone(policy) };
        let contents = Contents {
            actions: workspace.book.config.actions.clone(),
            max_staleness: (expires < Timestamp::now() + SignedDuration::from_mins(1)).then(|| "deny:1s".to_owned()),
            policies: workspace.book.set.policies().iter().map(placed).collect(),
            ..Contents::default()
        };
        let build = Build {
            name: "law".to_owned(),
            audience: "test".to_owned(),
            revision: number,
            previous: None,
            issued: Timestamp::now(),
            expires,
            source: Provenance::default(),
            checks: Checks::default(),
            critical: Vec::new(),
        };
        let mut entries = contents.to_entries(&number.to_string()).expect("entries");
        if number > 1 {
            entries.insert(AUDIT.to_owned(), HISTORY.as_bytes().to_vec());
        }
        let (archive, statement) = assemble(&entries, build).expect("built");
        let mut envelope = Envelope::new(&statement).expect("an envelope");
        envelope.sign(&self.key).expect("signed");
        write_outputs(&self.path("law"), &archive, &envelope).expect("written");
    }

    fn source(&self, location: Location, state: &str) -> Source {
        let expected = Expected { trust: self.path("trust.json"), name: Some("law".to_owned()), audience: Some("test".to_owned()) };
        Source::Bundle { location, expected, state: self.path(state) }
    }
}

fn metrics_say(live: &Live, line: &str) -> bool {
    live.get("/metrics").body.as_str().is_some_and(|text| text.lines().any(|own| own == line))
}

#[test]
fn a_new_bundle_is_served_and_an_older_or_altered_one_is_not() {
    let publisher = Publisher::new();
    publisher.publish(1, false);
    let prefix = publisher.path("law");
    let live = Live::start(publisher.source(Location::Files(prefix.clone()), "state"), None);
    assert!(live.allows("a"));
    assert_eq!(live.send("PATCH", "/api/policies/pol-mfa-required", &live.token, None).status, 409);

    publisher.publish(3, true);
    live.wait("the new one is served", |live| !live.allows("a"));
    publisher.publish(2, false);
    live.wait("it is behind", |live| live.get("/health/current").status == 503);
    assert!(!live.allows("a"), "the last good one stays");
    assert!(metrics_say(&live, "lawbook_verification_failures_total{reason=\"rollback\"} 1"));

    publisher.publish(4, false);
    live.wait("it is served", |live| live.allows("a"));
    assert_eq!(live.get("/health/current").status, 200);
    let archive = prefix.with_extension("tar.gz");
    let mut bytes = std::fs::read(&archive).expect("read");
    let middle = bytes.len() / 2;
    bytes[middle] ^= 1;
    std::fs::write(&archive, bytes).expect("written");
    live.wait("it is behind", |live| live.get("/health/current").status == 503);
    assert!(live.allows("a"));
}

/// Without a history, an empty log would say that nothing ever changed.
#[test]
fn the_audit_log_is_the_one_that_the_bundle_carries() {
    let publisher = Publisher::new();
    publisher.publish(1, false);
    let live = Live::start(publisher.source(Location::Files(publisher.path("law")), "state"), None);
    assert_eq!(live.get("/api/audit-logs").status, 500);
    publisher.publish(2, true);
    live.wait("the new one is served", |live| !live.allows("a"));
    let log = live.get("/api/audit-logs").body;
    assert_eq!(log.as_array().map(Vec::len), Some(1), "{log}");
    assert_eq!((log[0]["action"].as_str(), log[0]["timestamp"].as_str()), (Some("toggle_policy"), Some("2026-03-05T14:30:00.000Z")));
}

#[test]
fn a_restart_resumes_what_was_served_last() {
    let publisher = Publisher::new();
    publisher.publish(1, false);
    let source = publisher.source(Location::Files(publisher.path("law")), "state");
    let live = Live::start(source.clone(), None);
    assert!(live.allows("a"));
    live.stop().expect("it ends well");
    std::fs::remove_file(publisher.path("law.tar.gz")).expect("removed");
    std::fs::remove_file(publisher.path("law.dsse.json")).expect("removed");
    let live = Live::start(source, None);
    assert!(live.allows("a"));
    assert_eq!((live.get("/health/ready").status, live.get("/health/current").status), (200, 503));
    publisher.publish(2, true);
    live.wait("the new one is served", |live| !live.allows("a"));
    assert_eq!(live.get("/health/current").status, 200);
}

/// Serves the files of a folder, with entity tags, and counts what it is asked.
struct FileServer {
    address: SocketAddr,
    full: Arc<AtomicUsize>,
    unchanged: Arc<AtomicUsize>,
}

impl FileServer {
    fn start(folder: &Path) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").expect("bound");
        let one = Self { address: listener.local_addr().expect("an address"), full: Arc::default(), unchanged: Arc::default() };
        let (folder, full, unchanged) = (folder.to_owned(), Arc::clone(&one.full), Arc::clone(&one.unchanged));
        let turn = Mutex::new(());
        // The thread ends with the process of the test.
        std::thread::spawn(move || {
            for stream in listener.incoming().filter_map(Result::ok) {
                let _turn = turn.lock().expect("one at a time");
                let mut lines = BufReader::new(&stream).lines().map_while(Result::ok);
                let path = lines.next().unwrap_or_default().split(' ').nth(1).unwrap_or("/").to_owned();
                let headers: BTreeMap<String, String> = lines
                    .take_while(|line| !line.is_empty())
                    .filter_map(|line| line.split_once(": ").map(|(name, value)| (name.to_lowercase(), value.to_owned())))
                    .collect();
                let Ok(bytes) = std::fs::read(folder.join(path.trim_start_matches('/'))) else {
                    let _: Result<_, _> = (&stream).write_all(b"HTTP/1.1 404 Not Found\r\ncontent-length: 0\r\nconnection: close\r\n\r\n");
                    continue;
                };
                let tag = format!("\"{}\"", lawbook::bundle::Digest::of(&bytes).hex());
                let known = headers.get("if-none-match") == Some(&tag);
                let (status, body, counter) = if known { ("304 Not Modified", &[][..], &unchanged) } else { ("200 OK", &bytes[..], &full) };
                counter.fetch_add(1, Ordering::Relaxed);
                let length = if known { String::new() } else { format!("content-length: {}\r\n", body.len()) };
                let head = format!("HTTP/1.1 {status}\r\netag: {tag}\r\n{length}connection: close\r\n\r\n");
                let _: Result<_, _> = (&stream).write_all(head.as_bytes()).and_then(|()| (&stream).write_all(body));
            }
        });
        one
    }
}

#[test]
fn a_bundle_on_a_file_server_is_fetched_again_only_when_it_changed() {
    let publisher = Publisher::new();
    publisher.publish(1, false);
    let files = FileServer::start(publisher.folder.path());
    let location = Location::parse(&format!("http://{}/law", files.address));
    let live = Live::start(publisher.source(location, "state"), None);
    assert!(live.allows("a"));
    assert_eq!(files.full.load(Ordering::Relaxed), 2, "envelope and archive, once each");
    live.wait("it asks again", |_| files.unchanged.load(Ordering::Relaxed) > 0);
    assert_eq!(files.full.load(Ordering::Relaxed), 2);
    publisher.publish(2, true);
    live.wait("the new one is served", |live| !live.allows("a"));
    std::fs::remove_file(publisher.path("law.dsse.json")).expect("removed");
    live.wait("it is behind", |live| live.get("/health/current").status == 503);
    assert!(!live.allows("a"), "the last good one stays");
}

/// The time was looked at only when the files changed, so that an expired bundle passed for current for ever; and how long a
/// stale law book may be served was not in the bundle.
#[test]
fn a_bundle_that_expires_while_it_is_served_is_not_current_and_then_denied() {
    let publisher = Publisher::new();
    publisher.publish_until(Timestamp::now() + SignedDuration::from_secs(5), 1, false);
    let files = FileServer::start(publisher.folder.path());
    let served = Location::parse(&format!("http://{}/law", files.address));
    let lives = [(Location::Files(publisher.path("law")), "one"), (served, "two")].map(|(location, state)| {
        let live = Live::start(publisher.source(location, state), None);
        assert!(live.allows("a") && live.get("/health/current").status == 200);
        (live, state)
    });
    for (live, state) in lives {
        live.wait("it is behind", |live| live.get("/health/current").status == 503);
        let error = live.get("/status").body["behind"]["error"].to_string();
        assert!(error.contains("expired"), "{state}: {error}");
        live.wait("it denies", |live| !live.allows("a"));
    }
}
