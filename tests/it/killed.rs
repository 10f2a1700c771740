//! The server is killed at any instant of a change, again and again: what it has answered is there, what it has not is there as a
//! whole or not at all, and the next start leaves nothing to repair by hand.
//!
//! `LAWBOOK_KILLS` says how often, and `LAWBOOK_SEED` at which instants.

use std::collections::BTreeMap;
use std::collections::BTreeSet;
use std::fs;
use std::path::Path;
use std::path::PathBuf;
use std::sync::Mutex;
use std::sync::mpsc;
use std::time::Duration;
use std::time::Instant;

use serde_json::Value;
use serde_json::json;

use crate::repository::Repository;
use crate::repository::git;
use crate::running::Server;

/// How many change something at the same time.
const CLIENTS: usize = 4;

/// How many kills there are in an ordinary run.
const KILLS: usize = 20;

/// After how many of them git looks at every object.
const LOOK: usize = 10;

/// Where the branch is that is served.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Place {
    CheckedOut,
    Bare,
    Elsewhere,
}

/// A control as files and answers tell it: its name, and whether it is in force.
type Told = BTreeMap<String, (String, bool)>;

/// A request that was sent.
#[derive(Debug, Clone, PartialEq, Eq)]
struct Sent {
    what: What,
    id: String,
    /// The commit of the answer, if there was one.
    answered: Option<String>,
}

#[derive(Debug, Clone, PartialEq, Eq)]
enum What {
    Toggle,
    Replace(String),
    Create(String),
    Delete,
}

/// The generator SplitMix64 (Steele, Lea and Flood 2014): small, and good enough to spread instants.
struct Random(u64);

impl Random {
    fn below(&mut self, limit: u64) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut mixed = self.0;
        mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        (mixed ^ (mixed >> 31)) % limit.max(1)
    }
}

/// What the kills have hit.
#[derive(Debug, Default)]
struct Hits {
    /// A change was written down, and the branch had not moved.
    before: usize,
    /// The branch had moved, and not everything else.
    after: usize,
    /// A lock was held.
    locked: usize,
    changes: usize,
    unanswered: usize,
}

struct Stage {
    _work: Repository,
    _folder: tempfile::TempDir,
    dir: PathBuf,
    git_dir: PathBuf,
    branch: &'static str,
    place: Place,
}

impl Stage {
    fn new(place: Place) -> Self {
        let work = Repository::new();
        let shared: Vec<String> = (0..CLIENTS)
            .map(|client| format!("# of {client}\nid: shared-{client}\nname: S # here\ntype: access\nenabled: true\n"))
            .collect();
        work.write("policies/shared.yaml", shared.join("---\n")).write(".gitignore", "/ignored\n").commit("start");
        let folder = tempfile::tempdir().expect("a folder");
        let (dir, git_dir) = match place {
            Place::Bare => {
                let bare = folder.path().join("law.git");
                work.git(&["clone", "--quiet", "--bare", ".", bare.to_str().expect("text")]);
                (bare.clone(), bare)
            }
            _ => (work.path(), work.path().join(".git")),
        };
        let branch = if place == Place::Elsewhere { "live/now" } else { "main" };
        if place == Place::Elsewhere {
            work.git(&["branch", branch]);
        }
        Self { _work: work, _folder: folder, dir, git_dir, branch, place }
    }

    fn git(&self, arguments: &[&str]) -> String {
        git(&self.dir, 1_772_359_200, arguments)
    }

    fn start(&self) -> Server {
        let dir = self.dir.to_str().expect("text");
        match self.place {
            Place::CheckedOut => Server::start(&[dir]),
            _ => Server::start(&[dir, "--ref", self.branch]),
        }
    }

    fn tip(&self) -> String {
        self.git(&["rev-parse", &format!("refs/heads/{}", self.branch)])
    }

    /// What the files of a commit say.
    fn told(&self, commit: &str) -> Told {
        let mut told = Told::new();
        let mut last = String::new();
        for line in self.git(&["grep", "-h", "-E", "^(id|name|enabled): ", commit, "--", "policies"]).lines() {
            let value = line.split(' ').nth(1).expect("a value").to_owned();
            match line.split(':').next() {
                Some("id") => {
                    last = value;
                    told.insert(last.clone(), (String::new(), true));
                }
                Some("name") => told.get_mut(&last).expect("an id before").0 = value,
                _ => told.get_mut(&last).expect("an id before").1 = value == "true",
            }
        }
        told
    }

    /// What a killed process has left behind.
    fn count(&self, old: &str, hits: &mut Hits) {
        let journal = fs::read(self.git_dir.join("lawbook/journal.json")).ok();
        let journal: Option<Value> = journal.and_then(|text| serde_json::from_slice(&text).ok());
        if let Some(new) = journal.and_then(|journal| journal["new"].as_str().map(str::to_owned)) {
            let landed = self.git(&["rev-list", &format!("{old}..refs/heads/{}", self.branch)]).lines().any(|commit| commit == new);
            if landed { hits.after += 1 } else { hits.before += 1 }
        }
        hits.locked += usize::from(!self.locks().is_empty());
    }

    /// The locks that keep git from working here.
    fn locks(&self) -> Vec<PathBuf> {
        let mut found = Vec::new();
        let mut folders = vec![self.git_dir.clone()];
        while let Some(folder) = folders.pop() {
            for entry in fs::read_dir(folder).expect("a folder").flatten() {
                let path = entry.path();
                if path.is_dir() && !path.ends_with("objects") {
                    folders.push(path);
                } else if path.extension().is_some_and(|ending| ending == "lock") {
                    found.push(path);
                }
            }
        }
        found
    }

    /// Nothing is left to repair, neither for people nor for git.
    #[track_caller]
    fn sound(&self, old: &str, whole: bool) {
        assert_eq!(self.locks(), Vec::<PathBuf>::new(), "locks that git cannot work with");
        if self.place != Place::Bare {
            assert_eq!(self.git(&["status", "--porcelain", "--untracked-files=all", "--ignored"]), "");
        }
        let left: BTreeSet<String> = names(&self.git_dir.join("lawbook"));
        assert!(left.iter().all(|name| ["lock", "trails"].contains(&name.as_str())), "{left:?}");
        self.git(&["merge-base", "--is-ancestor", old, &format!("refs/heads/{}", self.branch)]);
        if whole {
            assert_eq!(self.git(&["fsck", "--full", "--strict", "--no-dangling"]), "");
        }
    }
}

fn names(folder: &Path) -> BTreeSet<String> {
    fs::read_dir(folder).expect("a folder").flatten().map(|entry| entry.file_name().to_string_lossy().into_owned()).collect()
}

/// One client: creates, toggles, replaces and deletes controls of its own until the server is gone, or `most` times.
fn client(server: &Server, name: &str, number: usize, leftovers: Vec<String>, most: usize) -> Vec<(String, Sent)> {
    let shared = format!("shared-{number}");
    let own = |turn: usize| format!("{name}-{turn}");
    let mut sent = Vec::new();
    let mut mine = leftovers;
    for turn in 0..most {
        let reason = own(turn);
        let (what, id) = match (turn + number) % 5 {
            0 => (What::Toggle, shared.clone()),
            1 => (What::Replace(reason.clone()), shared.clone()),
            2 | 3 if mine.len() > 2 => (What::Delete, mine.remove(0)),
            4 if !mine.is_empty() => (What::Toggle, mine[0].clone()),
            _ => (What::Create(reason.clone()), format!("new-{reason}")),
        };
        let path = if matches!(what, What::Create(_)) { "/api/policies".to_owned() } else { format!("/api/policies/{id}") };
        let (method, body) = match &what {
            What::Toggle => ("PATCH", None),
            What::Delete => ("DELETE", None),
            What::Replace(name) => ("PUT", Some(json!({"name": name, "type": "access"}))),
            What::Create(name) => ("POST", Some(json!({"id": id, "name": name, "type": "access"}))),
        };
        let answer = server.change(method, &path, &reason, body.as_ref());
        if let Some((status, _)) = &answer {
            assert!([200, 201].contains(status), "{method} {path}: {status}");
        }
        let is_over = answer.is_none();
        if matches!(what, What::Create(_)) {
            mine.push(id.clone());
        }
        sent.push((reason, Sent { what, id, answered: answer.map(|(_, commit)| commit) }));
        if is_over {
            break;
        }
    }
    sent
}

/// Holds what is in the history since `old` to what was sent.
#[track_caller]
fn compare(stage: &Stage, old: &str, sent: &BTreeMap<String, Sent>) -> usize {
    let format = "--format=%x01%H%x02%P%x02%(trailers:key=Lawbook-Reason,valueonly,separator=%x20)%x02";
    let range = format!("{old}..refs/heads/{}", stage.branch);
    let log = stage.git(&["log", "--reverse", "--name-only", format, &range]);
    let mut before = stage.told(old);
    let mut landed = BTreeSet::new();
    for entry in log.split('\u{1}').skip(1) {
        let fields: Vec<&str> = entry.split('\u{2}').map(str::trim).collect();
        let [commit, parents, reason, files] = fields[..] else { panic!("{entry}") };
        assert!(!parents.contains(' ') && files.lines().count() == 1, "{entry}");
        let one = sent.get(reason).unwrap_or_else(|| panic!("nobody asked for {commit}: {reason}"));
        assert!(landed.insert(reason.to_owned()), "{reason} is there twice");
        match &one.what {
            What::Toggle => {
                let control = before.get_mut(&one.id).expect("it is there");
                control.1 = !control.1;
            }
            What::Replace(name) => drop(before.insert(one.id.clone(), (name.clone(), true))),
            What::Create(name) => assert!(before.insert(one.id.clone(), (name.clone(), true)).is_none()),
            What::Delete => assert!(before.remove(&one.id).is_some()),
        }
        assert_eq!(stage.told(commit), before, "{commit} is {one:?} as a whole");
    }
    for (reason, one) in sent.iter().filter(|(_, one)| one.answered.is_some()) {
        assert!(landed.contains(reason), "{reason} was answered and is not there: {one:?}");
    }
    landed.len()
}

/// What the server answers is what is at the tip.
#[track_caller]
fn serves(stage: &Stage, server: &Server) -> Told {
    let (listed, commit) = server.get("/api/policies");
    let tip = stage.tip();
    assert_eq!(commit, tip, "the tip is served");
    let told: Told = listed
        .as_array()
        .expect("a list")
        .iter()
        .map(|one| {
            (one["id"].as_str().expect("an id").to_owned(), (one["name"].as_str().expect("a name").to_owned(), one["enabled"] == true))
        })
        .collect();
    assert_eq!(told, stage.told(&tip));
    told
}

/// How long a change takes when nobody disturbs it, with everybody at work.
fn undisturbed(stage: &Stage) -> Duration {
    const EACH: usize = 3;
    let server = stage.start();
    let started = Instant::now();
    let sent = all(&server, "calm", &Told::new(), EACH, |_| ());
    let took = started.elapsed();
    assert!(sent.values().all(|one| one.answered.is_some()));
    took / u32::try_from(CLIENTS * EACH).expect("few")
}

/// All clients at work; `meanwhile` begins when they do.
fn all(server: &Server, name: &str, told: &Told, most: usize, meanwhile: impl FnOnce(&Server)) -> BTreeMap<String, Sent> {
    let leftovers: Vec<&String> = told.keys().filter(|id| id.starts_with("new-")).collect();
    let sent = Mutex::new(BTreeMap::new());
    let (begin, begun) = mpsc::channel();
    std::thread::scope(|scope| {
        for number in 0..CLIENTS {
            let own = leftovers.iter().skip(number).step_by(CLIENTS).map(|id| (*id).clone()).collect();
            let (sent, begin) = (&sent, begin.clone());
            scope.spawn(move || {
                begin.send(()).expect("somebody waits");
                let mine = client(server, &format!("{name}-{number}"), number, own, most);
                sent.lock().expect("no panic").extend(mine);
            });
        }
        begun.iter().take(CLIENTS).for_each(drop);
        meanwhile(server);
    });
    sent.into_inner().expect("no panic")
}

/// Waits until a file is there, for a while.
fn sight(file: &Path, longest: Duration) {
    let since = Instant::now();
    while !file.exists() && since.elapsed() < longest {
        std::hint::spin_loop();
    }
}

fn storm(place: Place, kills: usize) -> Hits {
    let seed = std::env::var("LAWBOOK_SEED").ok().and_then(|seed| seed.parse().ok());
    let seed = seed.unwrap_or_else(|| u64::from(std::process::id()) ^ std::time::UNIX_EPOCH.elapsed().expect("after 1970").as_secs());
    // Shown when the test fails.
    println!("LAWBOOK_SEED={seed} LAWBOOK_KILLS={kills} {place:?}");
    let mut random = Random(seed);
    let stage = Stage::new(place);
    let one = undisturbed(&stage);
    let mut hits = Hits::default();
    let mut server = stage.start();
    let mut told = serves(&stage, &server);
    for round in 0..kills {
        let old = stage.tip();
        let branch = format!("refs/heads/{}.lock", stage.branch);
        let marks = match place {
            Place::CheckedOut => vec!["lawbook/journal.json", "index.lock", &branch],
            Place::Elsewhere => vec!["HEAD.lock", &branch],
            Place::Bare => vec![branch.as_str()],
        };
        let aimed = round % 2 == 1;
        let mark = stage.git_dir.join(marks[round / 2 % marks.len()]);
        let span = u64::try_from(one.as_micros()).expect("short");
        // Half of them anywhere in the first changes, and half of them where a change is half done.
        let wait = Duration::from_micros(match (aimed, random.below(3)) {
            (false, _) => random.below(span * 4),
            (true, 0) => 0,
            (true, 1) => random.below(span / 100),
            (true, _) => random.below(span / 4),
        });
        println!("round {round}: {wait:?} of {one:?}, aimed: {aimed}");
        let sent = all(&server, &format!("kill{round}"), &told, usize::MAX, |server| {
            if aimed {
                sight(&mark, one * 8);
            }
            if !wait.is_zero() {
                std::thread::sleep(wait);
            }
            server.kill();
        });
        drop(server);
        stage.count(&old, &mut hits);
        server = stage.start();
        stage.sound(&old, round % LOOK == 0 || round + 1 == kills);
        told = serves(&stage, &server);
        hits.changes += compare(&stage, &old, &sent);
        hits.unanswered += sent.values().filter(|one| one.answered.is_none()).count();
    }
    println!("{kills} kills, {place:?}: {hits:?}, a change takes {one:?}");
    hits
}

fn kills() -> usize {
    std::env::var("LAWBOOK_KILLS").map_or(KILLS, |kills| kills.parse().expect("LAWBOOK_KILLS is a number"))
}

#[test]
fn a_server_that_is_killed_where_the_branch_is_checked_out_loses_nothing_and_leaves_nothing() {
    let hits = storm(Place::CheckedOut, kills());
    assert!(hits.before + hits.after > 0, "some kills hit a change that was half done: {hits:?}");
}

#[test]
fn a_server_that_is_killed_at_a_bare_repository_loses_nothing_and_leaves_nothing() {
    storm(Place::Bare, kills().div_ceil(4));
}

#[test]
fn a_server_that_is_killed_where_another_branch_is_checked_out_loses_nothing_and_leaves_nothing() {
    storm(Place::Elsewhere, kills().div_ceil(4));
}
