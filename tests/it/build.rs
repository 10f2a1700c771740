//! Building is reproducible: where and by whom a commit is built makes no difference.

use std::fs;
use std::path::Path;
use std::process::Command;

use crate::repository::Repository;

/// Clones the repository and builds its tip under a umask, locale and time zone of its own.
fn build(from: &Path, folder: &Path, key: &Path, setting: (&str, &str, &str)) -> (Vec<u8>, Vec<u8>) {
    let (umask, locale, zone) = setting;
    let script = "umask $UMASK && git clone --quiet \"$FROM\" clone && \"$LAWBOOK\" build clone --sign \"$KEY\" --out out >/dev/null";
    let output = Command::new("sh")
        .args(["-c", script])
        .current_dir(folder)
        .envs([("UMASK", umask), ("LC_ALL", locale), ("TZ", zone), ("LAWBOOK", env!("CARGO_BIN_EXE_lawbook"))])
        .envs([("FROM", from), ("KEY", key), ("HOME", folder)])
        .envs([("GIT_CONFIG_NOSYSTEM", "1"), ("SOURCE_DATE_EPOCH", "1767225600")])
        .output()
        .expect("sh runs");
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    let read = |name: &str| fs::read(folder.join(name)).expect(name);
    (read("out.tar.gz"), read("out.dsse.json"))
}

#[cfg(unix)]
#[test]
fn the_same_commit_gives_the_same_bytes_anywhere() {
    let repository = Repository::new();
    repository.write("lawbook.toml", "files = ['policies/**/*.yaml']\n");
    for name in ["b", "a", "Z", "é"] {
        repository.write(&format!("policies/{name}.yaml"), format!("_id: {name}\nservice: report\nactions: [read]\nmembers: ['*']\n"));
    }
    repository.commit("Write the law");
    repository.write("policies/control.yaml", "id: pol-a\nname: A\ntype: access\nrequire: \"{context.mfa} = 'totp'\"\n");
    repository.commit("Require a second factor");
    let folder = tempfile::tempdir().expect("a folder");
    let key = folder.path().join("key");
    let made = Command::new(env!("CARGO_BIN_EXE_lawbook")).args(["key", "new", "--out"]).arg(&key).output().expect("lawbook runs");
    assert!(made.status.success(), "{}", String::from_utf8_lossy(&made.stderr));
    let place = |name: &str| {
        let path = folder.path().join(name);
        fs::create_dir_all(&path).expect("a folder");
        path
    };
    let one = build(&repository.path(), &place("one"), &key, ("022", "C", "UTC"));
    let two = build(&repository.path(), &place("a/much/deeper/place"), &key, ("077", "tr_TR.UTF-8", "Asia/Kathmandu"));
    assert!(one.0 == two.0, "the archives differ");
    assert!(one.1 == two.1, "the envelopes differ: the time of signing is given, so they should not");
    repository.write("policies/a.yaml", "_id: a\nservice: report\nactions: [read]\nmembers: ['staff']\n");
    repository.commit("Narrow it");
    let three = build(&repository.path(), &place("three"), &key, ("022", "C", "UTC"));
    assert!(one.0 != three.0, "another commit gives other bytes");
}
