//! Loading: the worktree, the index and a commit follow the same rules, and nothing that matches is passed over in silence.

use std::fs;
use std::path::Path;

use lawbook::workspace::LoadError;
use lawbook::workspace::Loaded;
use lawbook::workspace::Origin;
use lawbook::workspace::Workspace;
use lawbook::workspace::find_root;
use lawbook::workspace::load;

use crate::repository::Repository;
use crate::repository::policy;

fn head() -> Origin {
    Origin::Revision("HEAD".to_owned())
}

/// One line per file: its path, and its text or why there is none.
fn lines(loaded: &Loaded) -> Vec<String> {
    let config = loaded.raw.config.iter();
    let line = |file: &lawbook::workspace::RawFile| match &file.content {
        Ok(bytes) => format!("{}: {}", file.path, String::from_utf8_lossy(bytes).trim_end()),
        Err(refusal) => format!("{}! {}", file.path, refusal.message),
    };
    config.chain(&loaded.raw.files).map(line).collect()
}

#[track_caller]
fn check(dir: &Path, origin: &Origin, expected: &[&str]) {
    let loaded = load(dir, origin).expect("loads");
    assert_eq!(lines(&loaded), expected, "{origin:?}");
}

#[track_caller]
fn check_all(dir: &Path, expected: &[&str]) {
    for origin in [Origin::Worktree, Origin::Index, head()] {
        check(dir, &origin, expected);
    }
}

#[track_caller]
fn refused(dir: &Path, origin: &Origin, message: &str, help: &str) {
    let error = load(dir, origin).expect_err("does not load");
    assert!(error.to_string().contains(message), "{error}");
    let shown = miette::Diagnostic::help(&error).expect("a help").to_string();
    assert!(shown.contains(help), "{shown}");
}

#[test]
fn each_origin_is_read_with_its_own_configuration() {
    let repository = Repository::new();
    repository.write("policies/b.yaml", "b").write("policies/a/x.json", "x").write("other/o.yaml", "o").write("policies/r.txt", "r");
    repository.commit("one");
    repository.write("policies/c.yml", "c").write("lawbook.toml", "exclude = ['policies/a/**']");
    repository.git(&["add", "--all"]);
    repository.write("lawbook.toml", "files = ['other/*.yaml']");
    let root = repository.path();
    check(&root, &head(), &["policies/a/x.json: x", "policies/b.yaml: b"]);
    check(&root, &Origin::Index, &["lawbook.toml: exclude = ['policies/a/**']", "policies/b.yaml: b", "policies/c.yml: c"]);
    check(&root, &Origin::Worktree, &["lawbook.toml: files = ['other/*.yaml']", "other/o.yaml: o"]);
}

#[test]
fn a_folder_of_a_repository_is_a_law_book_of_its_own() {
    let repository = Repository::new();
    repository.write("policies/outside.yaml", "o").write("law/policies/a.yaml", "a").write("lawbook.toml", "files = []");
    repository.write(".gitignore", "ignored.yaml").write("law/policies/ignored.yaml", "i");
    repository.commit("one");
    check_all(&repository.path().join("law"), &["policies/a.yaml: a"]);
    let loaded = load(&repository.path().join("law"), &Origin::Worktree).expect("loads");
    assert!(loaded.repository);
    assert_eq!(loaded.revision.map(|revision| revision.time.to_string()).as_deref(), Some("2026-03-01T11:00:00+01:00"));
}

#[test]
fn what_git_ignores_does_not_count_unless_it_is_tracked() {
    let repository = Repository::new();
    repository.write("policies/tracked.yaml", "t").commit("one");
    repository.write(".gitignore", "tracked.yaml\n/policies/ignored.yaml\n").write("policies/ignored.yaml", "i");
    repository.write(".git/info/exclude", "excluded.yaml\n").write("policies/excluded.yaml", "e");
    repository.write(".ignore", "seen.yaml").write("policies/.seen.yaml", "h").write("policies/seen.yaml", "s");
    check(&repository.path(), &Origin::Worktree, &["policies/.seen.yaml: h", "policies/seen.yaml: s", "policies/tracked.yaml: t"]);
}

#[test]
fn a_folder_without_a_repository_is_read_too() {
    let folder = tempfile::tempdir().expect("a folder");
    fs::create_dir(folder.path().join("policies")).expect("made");
    fs::write(folder.path().join("policies/a.yaml"), "a").expect("written");
    fs::write(folder.path().join(".gitignore"), "a.yaml").expect("written");
    check(folder.path(), &Origin::Worktree, &["policies/a.yaml: a"]);
    refused(folder.path(), &Origin::Index, "is not in a git repository", "git init");
    refused(folder.path(), &head(), "is not in a git repository", "git init");
}

#[cfg(unix)]
#[test]
fn links_and_misnamed_folders_are_refused_everywhere() {
    use std::os::unix::fs::symlink;
    let repository = Repository::new();
    repository.write("policies/a.yaml", "a").write("policies/d.yaml/in.yaml", "in").write("policies/notes", "n");
    for (target, name) in [("a.yaml", "inside"), ("/etc/passwd", "outside"), ("nowhere", "dangling"), (".", "folder")] {
        symlink(target, repository.path().join(format!("policies/{name}.yaml"))).expect("linked");
    }
    symlink("notes", repository.path().join("policies/harmless")).expect("linked");
    // A link to a folder of policies was passed over without a word, and the denials in it were lost.
    repository.write("shared/e/deny.yaml", "deny");
    symlink("../shared/e", repository.path().join("policies/e")).expect("linked");
    symlink("../../elsewhere", repository.path().join("policies/v1.0")).expect("linked");
    symlink("a.yaml", repository.path().join("unrelated")).expect("linked");
    repository.commit("one");
    let link = "! this is a symbolic link, and links are not followed";
    let expected = [
        "policies/a.yaml: a".to_owned(),
        "policies/d.yaml! this is a folder with the name of a policy file".to_owned(),
        "policies/d.yaml/in.yaml: in".to_owned(),
        format!("policies/dangling.yaml{link}"),
        format!("policies/e{link}"),
        format!("policies/folder.yaml{link}"),
        format!("policies/inside.yaml{link}"),
        format!("policies/outside.yaml{link}"),
        format!("policies/v1.0{link}"),
    ];
    check_all(&repository.path(), &expected.each_ref().map(String::as_str));
}

/// Following no link must not make a whole law book vanish.
#[cfg(unix)]
#[test]
fn a_link_in_place_of_the_folder_of_policies_is_refused() {
    let repository = Repository::new();
    repository.write("elsewhere/a.yaml", "a");
    std::os::unix::fs::symlink("elsewhere", repository.path().join("policies")).expect("linked");
    repository.commit("one");
    check_all(&repository.path(), &["policies! this is a symbolic link, and links are not followed"]);
}

#[cfg(unix)]
#[test]
fn a_linked_configuration_is_not_followed_either() {
    let repository = Repository::new();
    repository.write("real.toml", "files = []").write("policies/a.yaml", "a");
    std::os::unix::fs::symlink("real.toml", repository.path().join("lawbook.toml")).expect("linked");
    repository.commit("one");
    check_all(&repository.path(), &["lawbook.toml! this is a symbolic link, and links are not followed", "policies/a.yaml: a"]);
}

#[cfg(unix)]
#[test]
fn pipes_and_sockets_are_never_opened() {
    let repository = Repository::new();
    repository.write("policies/a.yaml", "a");
    let _socket = std::os::unix::net::UnixListener::bind(repository.path().join("policies/s.yaml")).expect("bound");
    let made = std::process::Command::new("mkfifo").arg(repository.path().join("policies/p.yaml")).status().expect("mkfifo runs");
    assert!(made.success());
    check(
        &repository.path(),
        &Origin::Worktree,
        &["policies/a.yaml: a", "policies/p.yaml! this is a named pipe, not a file", "policies/s.yaml! this is a socket, not a file"],
    );
}

#[test]
fn a_file_over_the_limit_is_not_read() {
    let repository = Repository::new();
    repository.write("policies/a.yaml", vec![b' '; lawbook::source::MAX_FILE_BYTES]);
    repository.write("policies/b.yaml", vec![b' '; lawbook::source::MAX_FILE_BYTES + 1]);
    repository.commit("one");
    let message = "policies/b.yaml! the file has 4194305 bytes, and the most that is read is 4194304";
    check_all(&repository.path(), &["policies/a.yaml: ", message]);
}

#[test]
fn a_file_whose_object_is_missing_is_refused_and_the_others_are_read() {
    let repository = Repository::new();
    repository.write("policies/a.yaml", "a").write("policies/b.yaml", "b").write("policies/c.yaml", "c");
    repository.commit("one");
    let id = repository.git(&["rev-parse", "HEAD:policies/b.yaml"]).trim().to_owned();
    let (folder, file) = id.split_at(2);
    fs::remove_file(repository.path().join(".git/objects").join(folder).join(file)).expect("removed");
    let message = format!("policies/b.yaml! its object cannot be read: there is no object `{id}`");
    for origin in [Origin::Index, head()] {
        check(&repository.path(), &origin, &["policies/a.yaml: a", &message, "policies/c.yaml: c"]);
    }
}

#[test]
fn what_is_read_while_it_is_loaded_is_what_is_read_afterwards() {
    let repository = Repository::new();
    repository.write("lawbook.toml", "files = ['policies/*.yaml']").write("policies/bytes.yaml", b"\xff");
    for id in ["A", "B", "C"] {
        repository.write(&format!("policies/{id}.yaml"), policy(id));
    }
    repository.write("policies/two.yaml", format!("{}---\n# none\n---\n{}", policy("D"), policy("a")));
    repository.write("policies/none.yaml", "service: x\n").write("policies/broken.yaml", "a: [\n");
    repository.commit("one");
    for origin in [Origin::Worktree, Origin::Index, head()] {
        let opened = Workspace::open(&repository.path(), &origin).expect("opens");
        let loaded = Workspace::new(load(&repository.path(), &origin).expect("loads").raw);
        let today = jiff::civil::date(2026, 1, 1);
        assert_eq!(opened.check(today), loaded.check(today), "{origin:?}");
        let told = |workspace: &Workspace| format!("{:?} {:?}", workspace.book.places, workspace.book.set);
        assert_eq!(told(&opened), told(&loaded), "{origin:?}");
        assert_eq!(opened.book.set.policies().len(), 5);
    }
}

#[cfg(unix)]
#[test]
fn a_name_that_is_not_utf8_is_refused() {
    use std::os::unix::ffi::OsStrExt;
    let repository = Repository::new();
    repository.write("policies/a.yaml", "a");
    fs::write(repository.path().join("policies").join(std::ffi::OsStr::from_bytes(b"b\xff.yaml")), "b").expect("written");
    repository.commit("one");
    check_all(&repository.path(), &["policies/a.yaml: a", "policies/b\u{fffd}.yaml! the name of this file is not UTF-8"]);
}

#[test]
fn a_repository_within_is_refused_where_policies_could_lie_in_it() {
    let repository = Repository::new();
    for folder in ["policies/vendor", "policies/out", "elsewhere"] {
        repository.write(&format!("{folder}/v.yaml"), "v");
        let inner = repository.path().join(folder);
        crate::repository::git(&inner, 1_772_359_200, &["init", "--quiet"]);
        crate::repository::git(&inner, 1_772_359_200, &["add", "--all"]);
        crate::repository::git(&inner, 1_772_359_200, &["-c", "user.name=A", "-c", "user.email=a@b", "commit", "--quiet", "-m", "inner"]);
    }
    repository.write("lawbook.toml", "exclude = ['policies/out/**']").commit("one");
    let vendor = "policies/vendor! this is another repository, and policies in it are not read";
    check_all(&repository.path(), &["lawbook.toml: exclude = ['policies/out/**']", vendor]);
    // Also when it is not checked out.
    fs::remove_dir_all(repository.path().join("policies/vendor")).expect("removed");
    fs::create_dir(repository.path().join("policies/vendor")).expect("made");
    check(&repository.path(), &Origin::Worktree, &["lawbook.toml: exclude = ['policies/out/**']", vendor]);
}

#[test]
fn a_merge_conflict_in_the_index_is_refused() {
    let repository = Repository::new();
    repository.write("policies/a.yaml", "a").write("policies/b.yaml", "b").commit("one");
    repository.git(&["checkout", "--quiet", "-b", "side"]);
    repository.write("policies/a.yaml", "side").commit("side");
    repository.git(&["checkout", "--quiet", "main"]);
    repository.write("policies/a.yaml", "main").commit("main");
    let merged =
        std::process::Command::new("git").args(["merge", "--quiet", "side"]).current_dir(repository.path()).output().expect("runs");
    assert!(!merged.status.success());
    check(&repository.path(), &Origin::Index, &["policies/a.yaml! this file has a merge conflict", "policies/b.yaml: b"]);
}

#[test]
fn what_is_only_intended_to_be_added_is_not_in_the_index() {
    let repository = Repository::new();
    repository.write("policies/a.yaml", "a").commit("one");
    repository.write("policies/b.yaml", "b").git(&["add", "--intent-to-add", "policies/b.yaml"]);
    check(&repository.path(), &Origin::Index, &["policies/a.yaml: a"]);
}

#[test]
fn a_bare_repository_has_revisions_only() {
    let repository = Repository::new();
    repository.write("policies/a.yaml", "a").commit("one");
    let folder = tempfile::tempdir().expect("a folder");
    let bare = folder.path().join("bare.git");
    repository.git(&["clone", "--quiet", "--bare", ".", bare.to_str().expect("UTF-8")]);
    check(&bare, &Origin::Revision("main".to_owned()), &["policies/a.yaml: a"]);
    refused(&bare, &Origin::Worktree, "is a bare repository", "name a revision");
    refused(&bare, &Origin::Index, "is a bare repository", "name a revision");
}

#[test]
fn a_revision_that_is_not_there_is_named_with_the_nearest_one() {
    let repository = Repository::new();
    refused(&repository.path(), &head(), "has no commits yet", "git add");
    repository.write("policies/a.yaml", "a").commit("one");
    repository.git(&["tag", "release"]);
    let named = |name: &str| Origin::Revision(name.to_owned());
    refused(&repository.path(), &named("mian"), "there is no revision `mian`", "did you mean `main`?");
    refused(&repository.path(), &named("releese"), "there is no revision `releese`", "did you mean `release`?");
    refused(&repository.path(), &named("HEAD~9"), "there is no revision `HEAD~9`", "git branch --all");
    refused(&repository.path(), &named(""), "there is no revision ``", "git branch --all");
    refused(&repository.path(), &named(":policies/a.yaml"), "there is no revision", "git branch --all");
}

#[test]
fn a_folder_that_is_not_there_is_an_error_that_names_it() {
    let folder = tempfile::tempdir().expect("a folder");
    fs::write(folder.path().join("file"), "").expect("written");
    refused(&folder.path().join("nowhere"), &Origin::Worktree, "nowhere`", "lawbook init");
    refused(&folder.path().join("file"), &Origin::Worktree, "is not a folder", "name the folder");
    assert!(matches!(find_root(Some(&folder.path().join("nowhere"))), Err(LoadError::Missing { .. })));
}

#[test]
fn a_folder_that_is_named_is_the_root_even_without_a_configuration() {
    let repository = Repository::new();
    repository.write("lawbook.toml", "").write("law/policies/a.yaml", "a");
    let law = repository.path().join("law");
    assert_eq!(find_root(Some(&law)).expect("found"), law);
}

#[test]
fn a_broken_configuration_selects_the_default_files() {
    let repository = Repository::new();
    repository.write("lawbook.toml", "file = 1").write("policies/a.yaml", "a").commit("one");
    check_all(&repository.path(), &["lawbook.toml: file = 1", "policies/a.yaml: a"]);
    let loaded = load(&repository.path(), &Origin::Index).expect("loads");
    assert!(matches!(loaded.raw.parsed, Some(Err(_))));
}
