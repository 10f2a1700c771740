//! The audit trail of scripted repositories, line by line.

use std::path::Path;

use lawbook::history::Action;
use lawbook::history::Continuity;
use lawbook::history::Event;
use lawbook::history::Filter;
use lawbook::history::Lines;
use lawbook::history::People;
use lawbook::history::Repository as Opened;
use lawbook::history::RepositoryError;
use lawbook::history::SignatureStatus;
use lawbook::history::Trail;

use crate::repository::Repository;
use crate::repository::git;
use crate::repository::policy;

pub fn open(dir: &Path) -> Opened {
    Opened::open(dir).expect("a repository")
}

pub fn read(dir: &Path) -> Trail {
    Trail::read(&open(dir), "HEAD", Lines::Landed, &|_, _| ()).expect("a trail")
}

/// `<seq> <subject>: <action> <policy> <path>[ from <path>][ was <id>][ as in <subject>]`, and the fields of what was there before
/// and after.
pub fn show(trail: &Trail, event: &Event) -> String {
    let mut line = format!("{} {}: {} {} {}", event.seq, event.landing.subject, event.action, event.policy, event.path);
    line.extend(event.from.iter().map(|from| format!(" from {from}")));
    line.extend(event.renamed.iter().map(|id| format!(" was {id}")));
    if let Some(commit) = &event.restores {
        let earlier = trail.events().iter().find(|earlier| earlier.landing.commit == **commit).expect("an event of that commit");
        line.push_str(&format!(" as in `{}`", earlier.landing.subject));
    }
    if event.before.is_none() || event.after.is_none() {
        return line;
    }
    let value = |value: &Option<serde_json::Value>| value.as_ref().map_or("-".to_owned(), ToString::to_string);
    let field = |change: &lawbook::history::FieldChange| {
        format!(" [{} {} {} {}]", change.kind.as_str(), change.path.join("."), value(&change.lhs), value(&change.rhs))
    };
    line + &event.changes().iter().map(field).collect::<String>()
}

pub fn lines(trail: &Trail) -> Vec<String> {
    trail.events().iter().map(|event| show(trail, event)).collect()
}

#[track_caller]
pub fn check(dir: &Path, expected: &[&str]) {
    assert_eq!(lines(&read(dir)), expected);
}

#[test]
fn every_kind_of_event_is_told() {
    let repository = Repository::new();
    repository.write("README.md", "nothing of ours").commit("begin");
    repository.write("policies/a.yaml", policy("A")).commit("add a");
    repository.write("policies/a.yaml", policy("A") + "enabled: false\n").commit("switch a off");
    repository.write("policies/a.yaml", policy("A") + "enabled: true # again\n").commit("switch a on");
    repository.write("policies/a.yaml", format!("# a comment\n{}", policy("A"))).commit("reformat a");
    repository.write("policies/a.yaml", policy("A").replace("staff", "board")).commit("change a");
    repository.write("policies/a.yaml", policy("A") + "enabled: false\n").commit("back, and off");
    repository.remove("policies/a.yaml").write("policies/new/a.yml", policy("A") + "enabled: false\n").commit("move a");
    repository.remove("policies/new/a.yml").write("policies/a.yaml", policy("A")).commit("move a and switch it on");
    repository.write("README.md", "still nothing of ours").commit("elsewhere");
    repository.write("policies/a.yaml", "_id: [A\n").commit("break a");
    repository.write("policies/a.yaml", policy("A").replace("staff", "public")).commit("repair a otherwise");
    repository.write("policies/a.yaml", policy("B").replace("staff", "public")).commit("call a b");
    repository.remove("policies/a.yaml").commit("remove b");
    repository.write("policies/c.yaml", policy("B").replace("staff", "public")).commit("b again");
    let expected = [
        "1 add a: create A policies/a.yaml",
        "2 switch a off: disable A policies/a.yaml [E enabled true false]",
        "3 switch a on: enable A policies/a.yaml [E enabled false true]",
        "4 reformat a: reformat A policies/a.yaml",
        r#"5 change a: update A policies/a.yaml [E members ["staff"] ["board"]]"#,
        r#"6 back, and off: restore A policies/a.yaml as in `switch a off` [E enabled true false] [E members ["board"] ["staff"]]"#,
        "7 move a: move A policies/new/a.yml from policies/a.yaml",
        "8 move a and switch it on: enable A policies/a.yaml from policies/new/a.yml [E enabled false true]",
        "9 break a: break A policies/a.yaml",
        r#"10 repair a otherwise: repair A policies/a.yaml [E members ["staff"] ["public"]]"#,
        r#"11 call a b: rename B policies/a.yaml was A [E _id "A" "B"]"#,
        "12 remove b: delete B policies/a.yaml",
        "13 b again: restore B policies/c.yaml as in `call a b`",
    ];
    check(&repository.path(), &expected);
}

#[test]
fn policies_are_followed_through_files_by_their_ids() {
    let repository = Repository::new();
    let two = |first: &str, second: &str| format!("{}---\n{}", policy(first), policy(second));
    repository.write("policies/two.yaml", two("A", "B")).write("policies/c.yaml", policy("C")).commit("three in two files");
    repository.write("policies/two.yaml", two("B", "A")).commit("reorder");
    repository.write("policies/two.yaml", policy("A")).write("policies/c.yaml", two("C", "B")).commit("move b to c");
    repository.write("policies/two.yaml", policy("C")).write("policies/c.yaml", two("A", "B")).commit("swap a and c");
    let swapped = |id: &str, service: &str| policy(id).replace("report", service);
    repository.write("policies/two.yaml", swapped("C", "x")).write("policies/c.yaml", swapped("A", "y")).commit("drop b, change both");
    repository.write("policies/two.yaml", swapped("A", "x")).write("policies/c.yaml", swapped("C", "y")).commit("swap ids, not bodies");
    let expected = [
        "1 three in two files: create A policies/two.yaml",
        "2 three in two files: create B policies/two.yaml",
        "3 three in two files: create C policies/c.yaml",
        "4 move b to c: move B policies/c.yaml from policies/two.yaml",
        "5 swap a and c: move A policies/c.yaml from policies/two.yaml",
        "6 swap a and c: move C policies/two.yaml from policies/c.yaml",
        r#"7 drop b, change both: update A policies/c.yaml [E service "report" "y"]"#,
        "8 drop b, change both: delete B policies/c.yaml",
        r#"9 drop b, change both: update C policies/two.yaml [E service "report" "x"]"#,
        r#"10 swap ids, not bodies: update A policies/two.yaml from policies/c.yaml [E service "y" "x"]"#,
        r#"11 swap ids, not bodies: update C policies/c.yaml from policies/two.yaml [E service "x" "y"]"#,
    ];
    check(&repository.path(), &expected);
}

#[test]
fn a_merge_is_one_landing() {
    let repository = Repository::new();
    repository.write("policies/a.yaml", policy("A")).commit("begin");
    repository.git(&["checkout", "--quiet", "-b", "side"]);
    repository.write("policies/b.yaml", policy("B")).commit("side: add b");
    repository.write("policies/b.yaml", policy("B") + "enabled: false\n").commit("side: switch b off");
    repository.git(&["checkout", "--quiet", "main"]);
    repository.write("policies/a.yaml", policy("A") + "description: d\n").commit("main: describe a");
    repository.git(&["merge", "--quiet", "--no-ff", "-m", "merge side", "side"]);
    let expected = [
        "1 begin: create A policies/a.yaml",
        r#"2 main: describe a: update A policies/a.yaml [N description - "d"]"#,
        "3 merge side: create B policies/b.yaml",
    ];
    check(&repository.path(), &expected);
    let trail = read(&repository.path());
    assert_eq!(trail.events().last().map(|event| event.landing.parents.len()), Some(2));
}

#[test]
fn a_slip_and_its_repair_are_neither_a_deletion_nor_a_creation() {
    let repository = Repository::new();
    repository.write("policies/a.yaml", policy("A")).write("policies/b.yaml", policy("B")).commit("begin");
    repository.write("policies/a.yaml", "_id: [A\n").commit("break the syntax");
    repository.write("policies/b.yaml", policy("B").replace("[read]", "[raed]")).commit("break the schema");
    repository.write("policies/a.yaml", policy("A")).commit("repair a");
    repository.write("policies/b.yaml", policy("B").replace("[read]", "[run]")).commit("repair b otherwise");
    repository.write("policies/a.yaml", "_id: [A\n").commit("break a again");
    repository.remove("policies/a.yaml").commit("remove a");
    let expected = [
        "1 begin: create A policies/a.yaml",
        "2 begin: create B policies/b.yaml",
        "3 break the syntax: break A policies/a.yaml",
        "4 break the schema: break B policies/b.yaml",
        "5 repair a: repair A policies/a.yaml",
        r#"6 repair b otherwise: repair B policies/b.yaml [E actions ["read"] ["run"]]"#,
        "7 break a again: break A policies/a.yaml",
        "8 remove a: delete A policies/a.yaml",
    ];
    check(&repository.path(), &expected);
}

#[test]
fn the_configuration_of_each_commit_says_what_its_policies_are() {
    let repository = Repository::new();
    repository.write("policies/a.yaml", policy("A")).write("laws/b.yaml", policy("B") + "description: b\n").commit("default");
    repository.write("lawbook.toml", "files = ['laws/**/*.yaml']").commit("laws only");
    repository.write("lawbook.toml", "files = [").commit("broken configuration");
    repository.write("laws/c.yaml", policy("C").replace("read", "approve")).commit("an action that is unknown");
    repository.write("lawbook.toml", "files = ['laws/**/*.yaml']\nactions = ['approve']").commit("make it known");
    repository.remove("lawbook.toml").commit("default again");
    let expected = [
        "1 default: create A policies/a.yaml",
        "2 laws only: delete A policies/a.yaml",
        "3 laws only: create B laws/b.yaml",
        "4 make it known: create C laws/c.yaml",
        "5 default again: restore A policies/a.yaml as in `default`",
        "6 default again: delete B laws/b.yaml",
        "7 default again: delete C laws/c.yaml",
    ];
    check(&repository.path(), &expected);
}

#[test]
fn a_law_book_in_a_folder_has_its_own_trail() {
    let repository = Repository::new();
    repository.write("policies/outside.yaml", policy("X")).commit("outside");
    repository.write("law/policies/a.yaml", policy("A")).commit("inside");
    repository.git(&["rm", "--quiet", "-r", "law"]);
    repository.git(&["commit", "--quiet", "-m", "gone"]);
    repository.write("law", "a file").commit("something else of that name");
    repository.remove("law").write("law/policies/a.yaml", policy("A")).commit("back");
    let trail = read(&repository.path().join("law"));
    let expected =
        ["1 inside: create A policies/a.yaml", "2 gone: delete A policies/a.yaml", "3 back: restore A policies/a.yaml as in `inside`"];
    assert_eq!(lines(&trail), expected);
}

#[test]
fn who_and_when_are_told_as_the_commit_says_them() {
    let repository = Repository::new();
    repository.write("policies/a.yaml", policy("A"));
    repository.git(&["add", "--all"]);
    let message = "add a\n\nBecause.\n\nLawbook-Request-Id: r-1\nlawbook-client-ip: 192.0.2.1\nReviewed-by: Grace <grace@example.com>\n";
    repository.git(&["commit", "--quiet", "--author", "Émile <emile@example.com>", "-m", message]);
    let trail = read(&repository.path());
    let landing = &trail.events()[0].landing;
    assert_eq!(landing.author.to_string(), "Émile <emile@example.com>");
    assert_eq!(landing.committer.to_string(), "Ada <ada@example.com>");
    assert_eq!(landing.committed.to_string(), "2026-03-01T11:00:00+01:00");
    assert_eq!(landing.trailer("Lawbook-Request-Id"), Some("r-1"));
    assert_eq!(landing.trailer("Lawbook-Client-Ip"), Some("192.0.2.1"));
    assert_eq!(landing.trailer("Reviewed-By"), Some("Grace <grace@example.com>"));
    assert_eq!(landing.trailer("Because"), None);
}

#[test]
fn a_policy_was_created_when_it_was_last_introduced() {
    let repository = Repository::new();
    repository.write("policies/a.yaml", policy("A")).commit("add");
    repository.write("policies/a.yaml", policy("A") + "enabled: false\n").commit("off");
    let created = |id: &str| read(&repository.path()).created(id).map(|time| time.at.to_string());
    assert_eq!(created("A").as_deref(), Some("2026-03-01T10:00:00Z"));
    repository.remove("policies/a.yaml").commit("remove");
    assert_eq!(created("A"), None);
    repository.write("policies/a.yaml", policy("A")).commit("again");
    assert_eq!(created("A").as_deref(), Some("2026-03-01T10:03:00Z"));
}

#[test]
fn a_trail_is_continued_or_read_anew() {
    let repository = Repository::new();
    repository.write("policies/a.yaml", policy("A")).commit("one");
    let opened = open(&repository.path());
    let mut trail = Trail::read(&opened, "main", Lines::Landed, &|_, _| ()).expect("a trail");
    let mut extend = |expected| {
        assert_eq!(trail.extend(&opened, "main", &|_, _| ()).expect("extends"), expected);
        assert_eq!(trail.tip(), repository.git(&["rev-parse", "main"]));
        assert_eq!(lines(&trail), lines(&read(&repository.path())));
    };
    extend(Continuity::Continued(0));
    repository.write("policies/a.yaml", policy("A") + "enabled: false\n").commit("two");
    repository.write("policies/b.yaml", policy("B")).commit("three");
    extend(Continuity::Continued(2));
    repository.git(&["reset", "--quiet", "--hard", "HEAD~1"]);
    extend(Continuity::Rewritten);
    repository.write("policies/c.yaml", policy("C")).commit("other three");
    extend(Continuity::Continued(1));
    assert!(trail.extend(&opened, "nowhere", &|_, _| ()).is_err());
    assert_eq!(lines(&trail), lines(&read(&repository.path())));
}

#[test]
fn a_shallow_clone_is_partial_and_credits_nobody_with_what_was_there() {
    let repository = Repository::new();
    repository.write("policies/a.yaml", policy("A")).commit("one");
    repository.write("policies/b.yaml", policy("B")).commit("two");
    repository.write("policies/a.yaml", policy("A") + "enabled: false\n").commit("three");
    let folder = tempfile::tempdir().expect("a folder");
    let url = format!("file://{}", repository.path().display());
    git(folder.path(), 1_772_359_200, &["clone", "--quiet", "--depth", "2", &url, "clone"]);
    let clone = folder.path().join("clone");
    let trail = read(&clone);
    assert_eq!(trail.partial(), Some("the clone is shallow"));
    assert_eq!(lines(&trail), ["1 three: disable A policies/a.yaml [E enabled true false]"]);
    assert_eq!(trail.created("A"), None);
    let counted = open(&clone).first_parent_count("HEAD");
    assert!(matches!(counted, Err(RepositoryError::Partial { .. })), "{counted:?}");
    assert_eq!(open(&repository.path()).first_parent_count("HEAD").expect("counted"), 3);
    assert_eq!(read(&repository.path()).partial(), None);
}

#[test]
fn links_and_oversized_files_are_unreadable_not_gone() {
    let repository = Repository::new();
    repository.write("policies/a.yaml", policy("A")).write("policies/b.yaml", policy("B")).commit("begin");
    repository.write("policies/b.yaml", vec![b'#'; lawbook::source::MAX_FILE_BYTES + 1]).commit("grow b");
    repository.git(&[
        "update-index",
        "--cacheinfo",
        &format!("120000,{},policies/a.yaml", repository.git(&["rev-parse", "HEAD:policies/a.yaml"])),
    ]);
    repository.git(&["commit", "--quiet", "-m", "link a"]);
    let expected = [
        "1 begin: create A policies/a.yaml",
        "2 begin: create B policies/b.yaml",
        "3 grow b: break B policies/b.yaml",
        "4 link a: break A policies/a.yaml",
    ];
    check(&repository.path(), &expected);
}

#[test]
fn a_filter_lets_pass_what_meets_all_its_fields() {
    let repository = Repository::new();
    repository.write("policies/a.yaml", policy("A")).commit("one");
    repository.write("policies/b.yaml", policy("B")).commit("two");
    repository.write("policies/a.yaml", policy("A") + "enabled: false\n").commit("three");
    let trail = read(&repository.path());
    let people = People::as_written();
    let check = |filter: Filter, expected: &[u64]| {
        assert_eq!(trail.filtered(&filter, &people).map(|event| event.seq).collect::<Vec<_>>(), expected, "{filter:?}");
    };
    let at = |text: &str| Some(text.parse().expect("a time"));
    let some = |texts: &[&str]| texts.iter().map(|text| (*text).to_owned()).collect::<Vec<_>>();
    check(Filter::default(), &[1, 2, 3]);
    check(Filter { policies: some(&["A"]), ..Filter::default() }, &[1, 3]);
    check(Filter { policies: some(&["A", "B"]), ..Filter::default() }, &[1, 2, 3]);
    check(Filter { policies: some(&["A"]), actions: vec![Action::Disable], ..Filter::default() }, &[3]);
    check(Filter { since: at("2026-03-01T10:01:00Z"), ..Filter::default() }, &[2, 3]);
    check(Filter { since: at("2026-03-01T10:01:00Z"), until: at("2026-03-01T10:01:59Z"), ..Filter::default() }, &[2]);
    check(Filter { authors: some(&["ADA@example"]), ..Filter::default() }, &[1, 2, 3]);
    check(Filter { authors: some(&["grace"]), ..Filter::default() }, &[]);
    check(Filter { signatures: vec![SignatureStatus::None], ..Filter::default() }, &[1, 2, 3]);
    check(Filter { signatures: vec![SignatureStatus::Good, SignatureStatus::Bad], ..Filter::default() }, &[]);
}

/// Whoever asks what somebody did finds it under every name and in every part that they had.
#[test]
fn a_filter_finds_people_by_every_name_and_a_policy_by_every_id() {
    let repository = Repository::new();
    repository.write(".mailmap", "Grace Hopper <grace@example.com> <gh@old.example>\n");
    repository.write("policies/a.yaml", policy("A")).commit("one");
    repository.git(&["checkout", "--quiet", "-b", "side"]);
    repository.write("policies/a.yaml", policy("A") + "enabled: false\n");
    repository.git(&["commit", "--quiet", "-a", "-m", "two", "--author", "GH <gh@old.example>"]);
    repository.git(&["checkout", "--quiet", "main"]);
    repository.git(&["merge", "--quiet", "--no-ff", "-m", "three", "side"]);
    repository.write("policies/a.yaml", policy("B") + "enabled: false\n");
    repository.commit("four\n\nCo-authored-by: Linus <linus@example.com>");
    let (opened, trail) = (open(&repository.path()), read(&repository.path()));
    let people = People::at(&opened, "HEAD").expect("a mailmap");
    let check = |filter: Filter, expected: &[u64]| {
        assert_eq!(trail.filtered(&filter, &people).map(|event| event.seq).collect::<Vec<_>>(), expected, "{filter:?}");
    };
    let by = |text: &str| Filter { authors: vec![text.to_owned()], ..Filter::default() };
    check(by("gh@old"), &[2]);
    check(by("grace hopper"), &[2]);
    check(by("linus"), &[3]);
    check(Filter { policies: vec!["A".to_owned()], ..Filter::default() }, &[1, 2, 3]);
    check(Filter { policies: vec!["B".to_owned()], ..Filter::default() }, &[1, 2, 3]);
}

#[test]
fn a_repository_tells_its_person_its_branch_and_its_ancestors() {
    let repository = Repository::new();
    let opened = open(&repository.path());
    assert_eq!(opened.branch().as_deref(), Some("refs/heads/main"));
    let first = repository.commit("one");
    let second = repository.commit("two");
    assert_eq!(opened.person().expect("configured").to_string(), "Ada <ada@example.com>");
    let ancestor = |old: &str, new: &str| opened.is_ancestor(old, new).expect("compared");
    assert!(ancestor(&first, &second) && ancestor(&first, &first) && !ancestor(&second, &first));
    assert!(!opened.is_dirty().expect("compared"));
    repository.write("policies/a.yaml", policy("A"));
    assert!(opened.is_dirty().expect("compared"));
    repository.git(&["checkout", "--quiet", "--detach"]);
    assert_eq!(opened.branch(), None);
}

/// A history that is long enough to be kept: each commit touches one of a few policies, or none.
fn long(repository: &Repository, from: usize, commits: usize) {
    for number in from..from + commits {
        match number % 7 {
            5 => repository.write("README.md", format!("{number}\n")),
            3 => repository.write(&format!("policies/p{}.yaml", number % 5), "_id: [\n"),
            _ => {
                let text = policy(&format!("P{}", number % 5)) + &format!("description: version {}\n", number % 4);
                repository.write(&format!("policies/p{}.yaml", number % 5), text)
            }
        };
        repository.commit(&format!("commit {number}"));
    }
}

/// The trail as bytes, so that nothing is forgotten: events with their hashes, and the head.
fn whole(trail: &Trail) -> Vec<String> {
    let event =
        |event: &Event| format!("{} {:?} {:?} {:?}", String::from_utf8_lossy(&event.canonical()), event.before, event.after, event.merge);
    let landing = |event: &Event| format!(" {:?}", event.landing);
    let events = trail.events().iter().map(|one| event(one) + &landing(one));
    events.chain([trail.head().to_string(), trail.tip()]).collect()
}

#[test]
fn a_trail_that_was_kept_is_the_one_that_is_read() {
    let repository = Repository::new();
    long(&repository, 0, 300);
    let dir = repository.path();
    let trails = dir.join(".git/lawbook/trails");
    let cached = || Trail::cached(&open(&dir), "HEAD", &|_, _| ()).expect("a trail");
    let kept = || std::fs::read_dir(&trails).expect("a folder").map(|file| file.expect("a file").path()).collect::<Vec<_>>();
    assert_eq!(whole(&cached()), whole(&read(&dir)));
    let [file] = &*kept() else { panic!("one file is kept: {:?}", kept()) };
    let bytes = std::fs::read(file).expect("readable");
    assert_eq!(whole(&cached()), whole(&read(&dir)), "from the file");
    long(&repository, 300, 20);
    assert_eq!(whole(&cached()), whole(&read(&dir)), "continued");
    assert_eq!(std::fs::read(file).expect("readable"), bytes, "a few commits are not worth writing");
    repository.git(&["reset", "--quiet", "--hard", "HEAD~30"]);
    long(&repository, 400, 10);
    assert_eq!(whole(&cached()), whole(&read(&dir)), "rewritten");
    let head = read(&dir).head();
    for at in (0..bytes.len()).step_by(bytes.len() / 29) {
        let mut damaged = bytes.clone();
        damaged[at] ^= 0x41;
        std::fs::write(file, if at % 2 == 0 { &damaged } else { &bytes[..at] }).expect("written");
        assert_eq!(cached().head(), head, "damaged at {at}");
    }
}

#[test]
fn what_landed_beside_the_policies_is_found_again_and_continued() {
    let repository = Repository::new();
    repository.write("policies/a.yaml", policy("A")).write("lawbook.toml", "").commit("begin");
    repository.write("lawbook.toml", "critical = []\n").commit("configure");
    long(&repository, 0, 270);
    repository.write(".lawbook/allowed_signers", "# nobody\n").commit("signers");
    let dir = repository.path();
    let subjects = || {
        let opened = open(&dir);
        let beside = read(&dir).beside(&opened).expect("found");
        let kept = Trail::cached(&opened, "HEAD", &|_, _| {}).expect("a trail").beside(&opened).expect("found");
        assert_eq!(kept, beside, "as far as possible from the file");
        beside.into_iter().map(|one| format!("{}: {}", one.landing.subject, one.files.join(" "))).collect::<Vec<_>>()
    };
    let first = ["configure: lawbook.toml", "signers: .lawbook/allowed_signers"];
    assert_eq!(subjects(), first);
    assert_eq!(std::fs::read_dir(dir.join(".git/lawbook/trails")).expect("a folder").count(), 1);
    assert_eq!(subjects(), first, "from the file");
    repository.write("lawbook.toml", "critical = ['A']\n").commit("reconfigure");
    assert_eq!(subjects(), [first[0], first[1], "reconfigure: lawbook.toml"], "continued");
    repository.git(&["reset", "--quiet", "--hard", "HEAD~2"]);
    assert_eq!(subjects(), first[..1], "gone back");
    repository.write(".lawbook/allowed_signers/one", "").commit("folder");
    repository.write(".lawbook/allowed_signers/two", "").commit("in the folder");
    repository.remove("lawbook.toml").write("lawbook.toml/x", "").commit("no file");
    let later = ["folder: .lawbook/allowed_signers", "in the folder: .lawbook/allowed_signers", "no file: lawbook.toml"];
    assert_eq!(subjects(), [&first[..1], &later].concat(), "folders");
}
