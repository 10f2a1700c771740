//! Histories that somebody made, or broke, so that the audit trail would tell something else than what happened.

use lawbook::history::Event;
use lawbook::history::Lines;
use lawbook::history::MergeKind;
use lawbook::history::Trail;

use crate::history::check;
use crate::history::lines;
use crate::history::open;
use crate::history::read;
use crate::repository::Repository;
use crate::repository::git;
use crate::repository::policy;

fn read_all(repository: &Repository) -> Trail {
    Trail::read(&open(&repository.path()), "HEAD", Lines::All, &|_, _| ()).expect("a trail")
}

fn on(repository: &Repository, branch: &str) {
    repository.git(&["checkout", "--quiet", branch]);
}

fn fork(repository: &Repository, branch: &str) {
    repository.git(&["checkout", "--quiet", "-b", branch]);
}

/// A commit on a branch of its own, and another one on the line that it left.
fn part<T, U>(repository: &Repository, branch: &str, aside: impl FnOnce() -> T, meanwhile: impl FnOnce() -> U) {
    fork(repository, branch);
    aside();
    repository.git(&["add", "--all"]);
    repository.git(&["commit", "--quiet", "--allow-empty", "--author", "Grace <grace@example.com>", "-m", branch]);
    repository.tick();
    on(repository, "main");
    meanwhile();
    repository.commit("meanwhile");
}

fn merge<T>(repository: &Repository, branch: &str, by_hand: impl FnOnce() -> T) {
    repository.git(&["merge", "--quiet", "--no-ff", "--no-commit", branch]);
    by_hand();
    repository.commit("merge");
}

/// Each event of the last commit as `<action> <policy> <kind>[ of <names>]`.
#[track_caller]
fn check_merge(trail: &Trail, expected: &[&str]) {
    let last = trail.events().last().expect("an event").landing.commit.clone();
    let show = |event: &Event| {
        let merge = event.merge.as_ref().expect("a merge");
        let people: Vec<&str> = merge.contributors.iter().map(|person| person.name.as_str()).collect();
        let of = if people.is_empty() { String::new() } else { format!(" of {}", people.join(", ")) };
        format!("{} {} {}{of}", event.action, event.policy, merge.kind.as_str())
    };
    let events = trail.events().iter().filter(|event| event.landing.commit == last);
    assert_eq!(events.map(show).collect::<Vec<_>>(), expected);
}

/// Lines that are far enough from each other to be merged one by one.
fn wide(id: &str, service: &str, members: &str) -> String {
    format!("_id: {id}\nservice: {service}\n# 1\n# 2\n# 3\n# 4\n# 5\n# 6\n# 7\nactions: [read]\nmembers: [{members}]\n")
}

/// A file that nobody can read once hid what became of its policy in another file.
#[test]
fn a_policy_that_leaves_a_file_that_breaks_is_followed() {
    let repository = Repository::new();
    let held = |members: &str| policy("A").replace("staff", members);
    repository.write("policies/f.yaml", held("staff")).commit("begin");
    repository.write("policies/f.yaml", "x: [\n").write("policies/g.yaml", held("board")).commit("leave a ruin");
    repository.write("policies/f.yaml", "x: [[\n").write("policies/g.yaml", held("everybody")).commit("open it");
    repository.remove("policies/f.yaml").commit("clear away");
    let expected = [
        "1 begin: create A policies/f.yaml",
        r#"2 leave a ruin: update A policies/g.yaml from policies/f.yaml [E members ["staff"] ["board"]]"#,
        r#"3 open it: update A policies/g.yaml [E members ["board"] ["everybody"]]"#,
    ];
    check(&repository.path(), &expected);
}

/// A merge that was shallow was called resolved by hand, and one with a missing object evil: both accuse somebody of something.
#[test]
fn a_merge_that_cannot_be_repeated_is_unknown() {
    let repository = Repository::new();
    repository.write("policies/a.yaml", wide("A", "report", "staff")).commit("older");
    repository.write("policies/b.yaml", policy("B")).commit("begin");
    let held = |service: &str, members: &str| repository.write("policies/a.yaml", wide("A", service, members));
    part(&repository, "side", || held("mail", "staff"), || held("report", "board"));
    merge(&repository, "side", || repository.write("policies/b.yaml", policy("B").replace("staff", "everybody")));
    let expected = ["update A combined of Grace", "update B evil"];
    check_merge(&read(&repository.path()), &expected);
    let folder = tempfile::tempdir().expect("a folder");
    let url = format!("file://{}", repository.path().display());
    let clone = |name: &str, depth: &str| {
        git(folder.path(), 1_780_000_000, &["clone", "--quiet", "--depth", depth, "--branch", "main", &url, name]);
        read(&folder.path().join(name))
    };
    check_merge(&clone("unknown", "2"), &["update A unknown", "update B unknown"]);
    // Everything since the two lines parted is there.
    check_merge(&clone("known", "3"), &expected);
    let lost = repository.git(&["rev-parse", "main~2:policies/a.yaml"]);
    std::fs::remove_file(repository.path().join(".git/objects").join(&lost[..2]).join(&lost[2..])).expect("removed");
    check_merge(&read(&repository.path()), &["update A unknown of Grace", "update B unknown"]);
}

/// A link with the bytes of the file that it replaces has the same id.
#[test]
fn a_merge_that_puts_a_link_in_place_of_a_file_is_evil() {
    let repository = Repository::new();
    repository.write("policies/a.yaml", policy("A")).commit("begin");
    part(&repository, "side", || repository.write("policies/b.yaml", policy("B")), || ());
    let link = format!("120000,{},policies/a.yaml", repository.git(&["rev-parse", "HEAD:policies/a.yaml"]));
    repository.git(&["merge", "--quiet", "--no-ff", "--no-commit", "side"]);
    repository.git(&["update-index", "--cacheinfo", &link]);
    repository.git(&["commit", "--quiet", "-m", "merge"]);
    check_merge(&read(&repository.path()), &["break A evil", "create B taken of Grace"]);
}

/// A merge once lost policies through the configuration, and was told as if a line had done so.
#[test]
fn a_merge_that_changes_the_configuration_by_itself_is_evil() {
    let repository = Repository::new();
    let written = |path: &str, text: &str| repository.write(path, text);
    repository.write("policies/a.yaml", policy("A")).write("policies/b.yaml", wide("B", "report", "b")).commit("begin");
    part(&repository, "side", || written("policies/c.yaml", &policy("C").replace("staff", "c")), || ());
    merge(&repository, "side", || written("lawbook.toml", "exclude = ['policies/b.yaml']\n"));
    check_merge(&read(&repository.path()), &["delete B evil", "create C evil of Grace"]);
    part(&repository, "honest", || written("lawbook.toml", "exclude = ['policies/a.yaml']\n"), || ());
    merge(&repository, "honest", || ());
    check_merge(&read(&repository.path()), &["delete A taken of Grace", "restore B taken of Grace"]);
}

#[test]
fn a_merge_of_a_policy_that_one_side_moved_names_who_worked_on_it_where_it_was() {
    let repository = Repository::new();
    repository.write("policies/a.yaml", wide("A", "report", "staff")).commit("begin");
    part(
        &repository,
        "side",
        || repository.write("policies/a.yaml", wide("A", "mail", "staff")),
        || repository.git(&["mv", "policies/a.yaml", "policies/moved.yaml"]),
    );
    merge(&repository, "side", || ());
    check_merge(&read(&repository.path()), &["update A combined of Grace"]);
}

/// What is not there is told, and everything else is told as far as it is.
#[test]
fn a_merged_line_with_a_missing_commit_makes_the_trail_partial() {
    let repository = Repository::new();
    repository.write("policies/a.yaml", policy("A")).commit("begin");
    fork(&repository, "side");
    let lost = repository.write("policies/b.yaml", policy("B")).commit("side");
    part(&repository, "more", || repository.write("policies/c.yaml", policy("C")), || ());
    on(&repository, "main");
    repository.git(&["merge", "--quiet", "--no-ff", "-m", "merge", "more"]);
    assert_eq!(read(&repository.path()).partial(), None);
    std::fs::remove_file(repository.path().join(".git/objects").join(&lost[..2]).join(&lost[2..])).expect("removed");
    let expected = format!("commit `{lost}` is missing");
    let landed = read(&repository.path());
    check_merge(&landed, &["create B taken", "create C taken"]);
    assert_eq!(landed.partial(), Some(expected.as_str()));
    // All commits once were none at all, with a tip of zeros.
    let all = read_all(&repository);
    assert_eq!((all.partial(), all.tip()), (Some(expected.as_str()), landed.tip()));
    assert!(all.events().iter().any(|event| event.landing.subject == "merge"));
}

/// Each of these was once a walk back to where the branch began, or through all commits, for every merge.
#[test]
fn merges_of_old_branches_know_their_contributors() {
    let repository = Repository::new();
    repository.write("policies/a.yaml", policy("A")).commit("begin");
    let branches: Vec<String> = (0..4).map(|number| format!("side{number}")).collect();
    for (number, branch) in branches.iter().enumerate() {
        part(&repository, branch, || repository.write(&format!("policies/s{number}.yaml"), policy(&format!("S{number}"))), || ());
    }
    let whole = |trail: &Trail| trail.events().iter().map(|event| (event.hash(), event.merge.clone())).collect::<Vec<_>>();
    let opened = open(&repository.path());
    let mut continued = read(&repository.path());
    for branch in &branches {
        merge(&repository, branch, || ());
        continued.extend(&opened, "HEAD", &|_, _| ()).expect("continued");
        check_merge(&continued, &[format!("create {} taken of Grace", branch.replace("side", "S")).as_str()]);
    }
    assert_eq!(whole(&continued), whole(&read(&repository.path())));
    let all = read_all(&repository);
    let landed =
        |trail: &Trail| trail.events().iter().filter(|event| event.landing.landed).map(|event| event.merge.clone()).collect::<Vec<_>>();
    assert_eq!(landed(&all), landed(&continued));
    assert!(all.events().iter().all(|event| event.merge.as_ref().is_none_or(|merge| merge.kind == MergeKind::Taken)));
}

/// A clone without file contents once told whoever last changed a policy to have created it.
#[test]
fn a_partial_clone_tells_nothing_that_did_not_happen() {
    let repository = Repository::new();
    repository.git(&["config", "uploadpack.allowFilter", "true"]);
    let held = |id: &str, members: &str| policy(id).replace("staff", members);
    repository.write("policies/a.yaml", held("A", "a")).write("policies/b.yaml", held("B", "b")).commit("begin");
    repository.write("policies/a.yaml", held("A", "aa")).commit("change A");
    repository.remove("policies/b.yaml").write("policies/bb.yaml", held("B", "bb")).commit("move and change B");
    repository.write("lawbook.toml", "exclude = ['policies/a.yaml']\n").commit("leave A out");
    repository.write("policies/c.yaml", held("C", "c")).commit("add C");
    repository.write("lawbook.toml", "exclude = []\n").commit("take A in");
    repository.write("policies/a.yaml", held("A", "aaa")).commit("change A again");
    repository.write("policies/c.yaml", held("C", "c") + "enabled: false\n").commit("switch C off");
    repository.write("policies/c.yaml", held("C", "cc") + "enabled: false\n").commit("change C");
    let folder = tempfile::tempdir().expect("a folder");
    let url = format!("file://{}", repository.path().display());
    git(folder.path(), 1_780_000_000, &["clone", "--quiet", "--no-local", "--filter=blob:none", &url, "clone"]);
    let clone = folder.path().join("clone");
    assert!(read(&clone).partial().is_some_and(|why| why.starts_with("an object of commit")));
    assert_eq!(lines(&read(&clone)), Vec::<String>::new());
    // Some of it is there: the versions of C, and all configurations.
    for name in ["main~4:policies/c.yaml", "main~1:policies/c.yaml", "main~5:lawbook.toml", "main~3:lawbook.toml"] {
        let file = repository.path().join("kept");
        std::fs::write(&file, repository.git(&["cat-file", "blob", name]) + "\n").expect("written");
        git(&clone, 1_780_000_000, &["hash-object", "-w", "-t", "blob", file.to_str().expect("UTF-8")]);
    }
    let facts = |event: &Event| (event.landing.commit.clone(), event.action, event.policy.clone(), event.changes());
    let (told, whole) = (read(&clone), read(&repository.path()));
    let whole: Vec<_> = whole.events().iter().map(facts).collect();
    let told: Vec<_> = told.events().iter().map(facts).collect();
    assert!(told.iter().all(|event| whole.contains(event)), "{told:?}");
    let last: Vec<String> = told.iter().map(|(_, action, policy, _)| format!("{action} {policy}")).collect();
    assert_eq!(last, ["create C", "disable C", "update C"]);
    git(folder.path(), 1_780_000_000, &["clone", "--quiet", "--no-local", "--no-checkout", "--filter=tree:0", &url, "treeless"]);
    let treeless = Trail::read(&open(&folder.path().join("treeless")), "HEAD", Lines::Landed, &|_, _| ());
    let message = treeless.expect_err("no trees").to_string();
    assert!(message.contains("is incomplete: what is needed to read the tree") && message.ends_with(" is missing"), "{message}");
}

/// What landed meanwhile is not in the past of a line that left before, and what a line does is not when a policy came to be.
#[test]
fn a_side_line_restores_only_what_was_before_it() {
    let repository = Repository::new();
    repository.write("policies/keep.yaml", policy("KEEP")).commit("begin");
    repository.write("policies/old.yaml", policy("OLD")).commit("old");
    repository.remove("policies/old.yaml").commit("no more old");
    fork(&repository, "side");
    on(&repository, "main");
    repository.write("policies/a.yaml", policy("A")).commit("A lands");
    repository.write("policies/old.yaml", policy("OLD")).commit("old again");
    on(&repository, "side");
    repository.write("policies/a.yaml", policy("A")).commit("A by itself");
    repository.write("policies/old.yaml", policy("OLD")).commit("old by itself");
    repository.remove("policies/keep.yaml").commit("drop KEEP");
    on(&repository, "main");
    repository.git(&["merge", "--quiet", "--no-ff", "--strategy=ours", "-m", "keep ours", "side"]);
    let all = read_all(&repository);
    let subject = |commit: &str| repository.git(&["log", "-1", "--format=%s", commit]);
    let side = all.events().iter().filter(|event| !event.landing.landed);
    let told: Vec<String> = side
        .map(|event| format!("{} {} {}", event.action, event.policy, event.restores.as_deref().map(subject).unwrap_or_default()))
        .collect();
    assert_eq!(told, ["create A ", "restore OLD old", "delete KEEP "]);
    for id in ["A", "OLD", "KEEP"] {
        assert_eq!(all.created(id), read(&repository.path()).created(id), "{id}");
    }
}

/// Each of these names becomes the same text when what is not UTF-8 is replaced; a law book with one of them is refused.
#[test]
#[cfg(target_os = "linux")]
fn files_whose_names_are_no_text_are_not_taken_for_each_other() {
    let repository = Repository::new();
    let blob = |id: &str| repository.git(&["rev-parse", &format!("HEAD:policies/{id}.yaml")]);
    repository.write("policies/A.yaml", policy("A")).write("policies/B.yaml", policy("B")).commit("begin");
    let (a, b) = (blob("A"), blob("B"));
    let tree = |entries: Vec<u8>| {
        let file = repository.path().join(".git/names");
        std::fs::write(&file, entries).expect("written");
        let made = std::process::Command::new("git")
            .args(["mktree", "-z"])
            .current_dir(repository.path())
            .stdin(std::fs::File::open(&file).expect("opened"))
            .output()
            .expect("git runs");
        String::from_utf8(made.stdout).expect("text").trim().to_owned()
    };
    let list = |names: &[(&str, &[u8])]| {
        let line = |(id, name): &(&str, &[u8])| [format!("100644 blob {id}\t").as_bytes(), name, b"\0"].concat();
        let folder = tree(names.iter().flat_map(line).collect());
        let root = tree(format!("040000 tree {folder}\tpolicies\0").into_bytes());
        let commit = repository.git(&["commit-tree", "-p", "HEAD", "-m", &names.len().to_string(), &root]);
        repository.git(&["update-ref", "HEAD", &commit]);
    };
    list(&[(&a, b"A.yaml"), (&b, b"B.yaml"), (&a, b"\xfe.yaml"), (&b, b"\xff.yaml")]);
    list(&[(&a, b"A.yaml"), (&b, "\u{fffd}.yaml".as_bytes()), (&b, b"\xff.yaml")]);
    list(&[(&a, b"A.yaml"), (&b, "\u{fffd}.yaml".as_bytes())]);
    let expected = [
        "1 begin: create A policies/A.yaml",
        "2 begin: create B policies/B.yaml",
        "3 3: move B policies/\u{fffd}.yaml from policies/B.yaml",
    ];
    check(&repository.path(), &expected);
}

/// A commit that git cannot make sense of was once said not to exist.
#[test]
fn a_commit_without_an_author_is_damaged_and_not_absent() {
    let repository = Repository::new();
    repository.write("policies/a.yaml", policy("A")).commit("begin");
    let raw = repository.git(&["cat-file", "commit", "HEAD"]);
    let id = repository.commit_raw(raw.replace("Ada <ada@example.com>", "Ada").as_bytes());
    let error = open(&repository.path()).revision(&id).expect_err("damaged").to_string();
    assert!(error.starts_with("git cannot read the commit"), "{error}");
}

/// A server that began with a shallow clone once stayed partial after everything had been fetched.
#[test]
fn a_trail_that_was_partial_is_whole_when_the_rest_was_fetched() {
    let repository = Repository::new();
    repository.write("policies/a.yaml", policy("A")).commit("one");
    repository.write("policies/b.yaml", policy("B")).commit("two");
    let folder = tempfile::tempdir().expect("a folder");
    let clone = folder.path().join("clone");
    let url = format!("file://{}", repository.path().display());
    git(folder.path(), 1_780_000_000, &["clone", "--quiet", "--depth", "1", &url, "clone"]);
    let mut trail = read(&clone);
    assert!(trail.partial().is_some() && trail.events().is_empty());
    git(&clone, 1_780_000_000, &["fetch", "--quiet", "--unshallow"]);
    trail.extend(&open(&clone), "HEAD", &|_, _| ()).expect("continued");
    assert_eq!((trail.partial(), lines(&trail)), (None, lines(&read(&repository.path()))));
}

/// Many files in many commits were once all read before any was told.
#[test]
fn commits_that_change_many_files_are_read_in_order() {
    let repository = Repository::new();
    let files = 1_500;
    let commits: Vec<String> = (0..2)
        .map(|round| {
            for number in 0..files {
                repository
                    .write(&format!("policies/p{number}.yaml"), policy(&format!("P{number}")).replace("read", ["read", "update"][round]));
            }
            repository.commit("written")
        })
        .collect();
    let rounds = 16;
    for round in 2..rounds {
        let tree = format!("{}^{{tree}}", commits[round % 2]);
        let commit = repository.git(&["commit-tree", "-p", "HEAD", "-m", "again", &tree]);
        repository.git(&["update-ref", "HEAD", &commit]);
    }
    let trail = read(&repository.path());
    assert_eq!(trail.events().len(), rounds * files);
    let of_one_commit = |events: &[Event]| events.iter().all(|event| event.landing.commit == events[0].landing.commit);
    assert!(trail.events().chunks(files).all(of_one_commit));
}

/// A crash leaves an empty file where an object was about to be written, and git takes the good copy in the pack.
#[test]
fn a_damaged_copy_of_an_object_does_not_hide_the_good_one() {
    let repository = Repository::new();
    for name in ["A", "B", "C"] {
        repository.write(&format!("policies/{name}.yaml"), policy(name)).commit(name);
    }
    repository.git(&["gc", "--quiet"]);
    let whole = lines(&read(&repository.path()));
    let objects = repository.path().join(".git/objects");
    for object in ["HEAD", "HEAD^{tree}", "HEAD:policies", "HEAD:policies/B.yaml"] {
        let id = repository.git(&["rev-parse", object]);
        std::fs::create_dir_all(objects.join(&id[..2])).expect("a folder");
        std::fs::write(objects.join(&id[..2]).join(&id[2..]), "").expect("written");
    }
    let trail = read(&repository.path());
    assert_eq!((lines(&trail), trail.partial()), (whole, None));
}

/// Without a good copy nobody knows what a file held, and the trail must not look as if it held nothing.
#[test]
fn a_damaged_object_makes_the_trail_partial() {
    let repository = Repository::new();
    repository.write("policies/a.yaml", policy("A")).commit("one");
    repository.write("policies/b.yaml", policy("B")).commit("two");
    let id = repository.git(&["rev-parse", "HEAD:policies/b.yaml"]);
    let path = repository.path().join(".git/objects").join(&id[..2]).join(&id[2..]);
    std::fs::remove_file(&path).expect("removed");
    std::fs::write(&path, "no object").expect("written");
    assert!(read(&repository.path()).partial().is_some());
}

#[test]
fn alternates_that_git_makes_do_with_are_made_do_with() {
    let repository = Repository::new();
    repository.write("policies/a.yaml", policy("A")).commit("one");
    let objects = repository.path().join(".git/objects");
    for alternates in [objects.to_str().expect("text"), "/dev/null"] {
        std::fs::write(objects.join("info/alternates"), format!("{alternates}\n")).expect("written");
        assert_eq!(read(&repository.path()).events().len(), 1, "{alternates}");
    }
}

/// A commit whose parent is not written as one was once the beginning of history, and the trail said that it was complete.
#[test]
fn a_parent_that_is_not_well_formed_does_not_end_the_history() {
    let repository = Repository::new();
    repository.write("policies/a.yaml", policy("A")).commit("one");
    let (tip, tree) = (repository.git(&["rev-parse", "HEAD"]), repository.git(&["rev-parse", "HEAD^{tree}"]));
    for parents in [format!("parent {tip} \n"), format!("parent {}\n", &tip[..39]), format!("parent {tip}\nparent x\n")] {
        let who = "Ada <ada@example.com> 1700000000 +0000";
        let text = format!("tree {tree}\n{parents}author {who}\ncommitter {who}\n\nmade\n");
        let file = repository.path().join(".git/made");
        std::fs::write(&file, text).expect("written");
        let made = repository.git(&["hash-object", "-w", "-t", "commit", "--literally", file.to_str().expect("text")]);
        let child = repository.git(&["commit-tree", &tree, "-p", &made, "-m", "child"]);
        let found = Trail::read(&open(&repository.path()), &child, Lines::Landed, &|_, _| ());
        assert!(found.is_err(), "{parents}: {:?}", found.map(|trail| lines(&trail)));
    }
}
