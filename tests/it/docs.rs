//! The documents are executed: every `console` block of `README.md` and of `docs/` is run, in one shell session per document, and
//! must print what it shows. `[..]` stands for the rest of a line, and `...` for any lines.

use std::fs;
use std::net::TcpListener;
use std::path::Path;
use std::process::Command;

use crate::running::skipped;

/// The address that the documents use; each run gets a free port instead.
const ADDRESS: &str = "127.0.0.1:8282";

/// One command of a document, and what it shows.
struct Step {
    line: usize,
    command: String,
    shown: String,
}

fn steps(text: &str) -> Vec<Step> {
    let mut steps: Vec<Step> = Vec::new();
    let mut inside = false;
    for (at, line) in text.lines().enumerate() {
        if line.starts_with("```") {
            inside = line.trim() == "```console";
        } else if let (true, Some(command)) = (inside, line.strip_prefix("$ ")) {
            steps.push(Step { line: at + 1, command: command.to_owned(), shown: String::new() });
        } else if let (true, Some(more), Some(step)) = (inside, line.strip_prefix("> "), steps.last_mut()) {
            step.command = format!("{}\n{more}", step.command);
        } else if let (true, Some(step)) = (inside, steps.last_mut()) {
            step.shown.push_str(line);
            step.shown.push('\n');
        }
    }
    steps
}

fn free_address() -> String {
    let listener = TcpListener::bind("127.0.0.1:0").expect("a free port");
    listener.local_addr().expect("an address").to_string()
}

fn delimiter(at: usize) -> String {
    format!("---8<--- {at}")
}

/// One session for all steps: what one sets, the next one sees. A server that a step starts in the background is waited for, and stopped at the end.
fn script(steps: &[Step], address: &str) -> String {
    let mut script = String::from("servers=\ntrap 'for server in $servers; do kill $server; done' EXIT\n");
    for (at, step) in steps.iter().enumerate() {
        let mut command = step.command.replace(ADDRESS, address);
        if command.trim_end().ends_with('&') {
            let plain = command.trim_end().trim_end_matches('&').trim_end();
            let listen = if plain.contains("--listen") { String::new() } else { format!(" --listen {address}") };
            let wait = format!("for i in $(seq 200); do curl -s -o /dev/null http://{address}/health/ready && break; sleep 0.1; done");
            command = format!("{plain}{listen} >../server.log 2>&1 &\nservers=\"$servers $!\"\n{wait}");
        }
        script.push_str(&format!("echo '{}'\n{{ {command}\n}} 2>&1\nstatus=$?; [ $status = 0 ] || echo \"? $status\"\n", delimiter(at)));
    }
    script
}

#[track_caller]
fn execute(path: &Path) {
    let text = fs::read_to_string(path).expect("a document");
    let steps = steps(&text);
    if steps.is_empty() {
        return;
    }
    for (tool, package) in [("git", "git"), ("curl", "curl"), ("ssh-keygen", "openssh-client"), ("python3", "python3")] {
        let needed = steps.iter().any(|step| step.command.contains(tool) || (tool == "curl" && step.command.ends_with('&')));
        if needed && Command::new(tool).arg("--version").output().is_err() {
            skipped(&format!("the commands of {} need {tool} (apt-get install {package})", path.display()));
            return;
        }
    }
    let home = tempfile::tempdir().expect("a folder");
    let config =
        "[user]\n\tname = Ada Lovelace\n\temail = ada@example.com\n[init]\n\tdefaultBranch = main\n[advice]\n\tdefaultBranchName = false\n";
    fs::write(home.path().join(".gitconfig"), config).expect("a file");
    let work = home.path().join("work");
    fs::create_dir(&work).expect("a folder");
    let program = Path::new(env!("CARGO_BIN_EXE_lawbook")).parent().expect("a folder");
    let search = format!("{}:{}", program.display(), std::env::var("PATH").unwrap_or_default());
    let address = free_address();
    let output = Command::new("sh")
        .arg("-c")
        .arg(script(&steps, &address))
        .current_dir(&work)
        .env_clear()
        .envs([("PATH", search.as_str()), ("TERM", "dumb"), ("COLUMNS", "100"), ("GIT_CONFIG_NOSYSTEM", "1"), ("LC_ALL", "C.UTF-8")])
        .env("HOME", home.path())
        .output()
        .expect("sh runs");
    let printed = String::from_utf8_lossy(&output.stdout).replace(&address, ADDRESS);
    for (at, step) in steps.iter().enumerate() {
        let after = printed.split(&format!("{}\n", delimiter(at))).nth(1).unwrap_or_default();
        let found = after.split("---8<--- ").next().unwrap_or_default();
        let (found, shown) = (found.trim_end(), step.shown.trim_end());
        let same = snapbox::Assert::new().action_env("LAWBOOK_DOCS").try_eq(None, found.to_owned().into(), shown.to_owned().into());
        if let Err(difference) = same {
            panic!("{}:{}: `{}`\n{difference}\n--- the session from there:\n{after}\n---", path.display(), step.line, step.command);
        }
    }
}

#[cfg(unix)]
#[test]
fn the_commands_of_the_readme_print_what_it_shows() {
    let readme = Path::new(env!("CARGO_MANIFEST_DIR")).join("README.md");
    assert!(!steps(&fs::read_to_string(&readme).expect("README.md")).is_empty(), "the tour has commands");
    execute(&readme);
}

#[cfg(unix)]
#[test]
fn the_commands_of_the_guides_print_what_they_show() {
    for entry in fs::read_dir(Path::new(env!("CARGO_MANIFEST_DIR")).join("docs")).expect("docs") {
        let path = entry.expect("an entry").path();
        if path.extension().is_some_and(|ending| ending == "md") {
            execute(&path);
        }
    }
}
