//! A law book that wants to do harm: it is told what is wrong, file by file, and the program neither panics, hangs nor runs
//! out of memory.

use std::fs;
use std::path::Path;
use std::process::Command;
use std::process::Output;
use std::time::Duration;
use std::time::Instant;

use crate::running::skipped;

/// Far more than any of these takes, and far less than a hang.
const DEADLINE: Duration = Duration::from_secs(60);

fn law_book() -> tempfile::TempDir {
    let folder = tempfile::tempdir().expect("a folder");
    fs::create_dir(folder.path().join("policies")).expect("a folder");
    folder
}

fn write(book: &Path, name: &str, content: impl AsRef<[u8]>) {
    fs::write(book.join("policies").join(name), content).expect("a file");
}

/// Runs `lawbook check`, and gives up on a hang. The output goes to files, so that no pipe can fill up.
fn check(book: &Path) -> Output {
    let out = tempfile::tempfile().expect("a file");
    let err = tempfile::tempfile().expect("a file");
    let mut child = Command::new(env!("CARGO_BIN_EXE_lawbook"))
        .args(["check", "--format", "concise"])
        .arg(book)
        .stdout(out.try_clone().expect("a handle"))
        .stderr(err.try_clone().expect("a handle"))
        .spawn()
        .expect("lawbook runs");
    let started = Instant::now();
    let status = loop {
        if let Some(status) = child.try_wait().expect("a status") {
            break status;
        }
        if started.elapsed() > DEADLINE {
            child.kill().expect("killed");
            panic!("lawbook check hangs");
        }
        std::thread::sleep(Duration::from_millis(10));
    };
    Output { status, stdout: content(out), stderr: content(err) }
}

fn content(mut file: fs::File) -> Vec<u8> {
    use std::io::Read;
    use std::io::Seek;
    let mut bytes = Vec::new();
    file.rewind().expect("rewound");
    file.read_to_end(&mut bytes).expect("read");
    bytes
}

/// The file is named by a finding of this rule, and nothing else goes wrong.
#[track_caller]
fn finds(book: &Path, name: &str, rule: &str) {
    let output = check(book);
    let text = String::from_utf8_lossy(&output.stdout).into_owned() + &String::from_utf8_lossy(&output.stderr);
    assert_eq!(output.status.code(), Some(1), "{name}: {text}");
    assert!(!text.contains("panicked"), "{name}: {text}");
    let wanted = format!("error[{rule}]");
    let line = text.lines().find(|line| line.starts_with(&format!("policies/{name}:")) && line.contains(&wanted));
    assert!(line.is_some(), "{name}: no `{wanted}` in:\n{}", text.chars().take(4000).collect::<String>());
}

#[test]
fn text_that_is_built_to_hurt_a_parser_is_a_finding() {
    let policy = |condition: &str| format!("_id: A\nservice: report\nactions: [read]\nmembers: ['*']\ncondition: \"{condition}\"\n");
    let bomb: String = std::iter::once("a0: &a0 [x, x, x, x, x, x, x, x, x, x]\n".to_owned())
        .chain((1..12).map(|n| format!("a{n}: &a{n} [{}]\n", vec![format!("*a{}", n - 1); 10].join(", "))))
        .collect();
    let cases: Vec<(&str, Vec<u8>, &str)> = vec![
        ("flow.yaml", "[".repeat(100_000).into_bytes(), "yaml-syntax"),
        ("maps.yaml", "{a: ".repeat(100_000).into_bytes(), "yaml-syntax"),
        ("block.yaml", "- ".repeat(100_000).into_bytes(), "yaml-syntax"),
        ("bomb.yaml", bomb.into_bytes(), "yaml-syntax"),
        ("self.yaml", b"a: &a [*a]\n".to_vec(), "yaml-syntax"),
        ("utf8.yaml", b"_id: A\xff\nservice: x\n".to_vec(), "unreadable-file"),
        ("nul.yaml", b"_id: A\0\nservice: x\n".to_vec(), "unreadable-file"),
        ("parens.yaml", policy(&"(".repeat(1_000_000)).into_bytes(), "condition-syntax"),
        ("nots.yaml", policy(&"not ".repeat(10_000)).into_bytes(), "condition-syntax"),
        ("keys.yaml", (0..50_000).map(|n| format!("k{n}: 1\n")).collect::<String>().into_bytes(), "schema-violation"),
        ("twice.yaml", b"_id: A\n_id: B\n".to_vec(), "duplicate-key"),
    ];
    for (name, content, rule) in cases {
        let book = law_book();
        write(book.path(), name, content);
        finds(book.path(), name, rule);
    }
}

#[test]
fn a_file_of_200_megabytes_is_not_read() {
    let book = law_book();
    let file = fs::File::create(book.path().join("policies/large.yaml")).expect("a file");
    file.set_len(200 * 1024 * 1024).expect("a size");
    finds(book.path(), "large.yaml", "unreadable-file");
}

#[cfg(unix)]
#[test]
fn what_is_no_plain_file_is_a_finding() {
    use std::os::unix::fs::symlink;
    let book = law_book();
    fs::create_dir(book.path().join("policies/folder.yaml")).expect("a folder");
    finds(book.path(), "folder.yaml", "unreadable-file");
    let book = law_book();
    symlink("nowhere.yaml", book.path().join("policies/dangling.yaml")).expect("a link");
    finds(book.path(), "dangling.yaml", "unreadable-file");
    let outside = tempfile::NamedTempFile::new().expect("a file");
    let book = law_book();
    symlink(outside.path(), book.path().join("policies/outside.yaml")).expect("a link");
    finds(book.path(), "outside.yaml", "unreadable-file");
    let book = law_book();
    let made = Command::new("mkfifo").arg(book.path().join("policies/pipe.yaml")).status();
    if made.is_ok_and(|status| status.success()) {
        finds(book.path(), "pipe.yaml", "unreadable-file");
    } else {
        skipped("a named pipe needs mkfifo (apt-get install coreutils)");
    }
}

#[cfg(unix)]
#[test]
fn a_file_without_read_permission_is_a_finding() {
    use std::os::unix::fs::PermissionsExt;
    let book = law_book();
    write(book.path(), "secret.yaml", "_id: A\n");
    let path = book.path().join("policies/secret.yaml");
    fs::set_permissions(&path, fs::Permissions::from_mode(0o000)).expect("permissions");
    if fs::File::open(&path).is_ok() {
        skipped("this user reads files without permission; run the tests as an ordinary user to see it");
        return;
    }
    finds(book.path(), "secret.yaml", "unreadable-file");
}

#[test]
fn the_good_files_beside_a_bad_one_are_still_checked() {
    let book = law_book();
    write(book.path(), "bad.yaml", "[");
    write(book.path(), "open.yaml", "_id: A\nservice: report\nactions: [delete]\nmembers: ['*']\n");
    finds(book.path(), "bad.yaml", "yaml-syntax");
    finds(book.path(), "open.yaml", "public-write");
}
