//! What tests need of the machine: a word where it is missing, and the real server as a process, started on a free port of the
//! loopback, asked through a real HTTP client, and stopped.

use std::io::BufRead;
use std::io::BufReader;
use std::io::Write;
use std::process::Child;
use std::process::Command;
use std::process::Stdio;
use std::sync::Mutex;
use std::sync::PoisonError;
use std::sync::mpsc;
use std::time::Duration;

use serde_json::Value;

/// Says which test was not run, and why, where the reader of a test run sees it: what goes through `eprintln!` is shown for
/// failing tests only.
pub fn skipped(what: &str) {
    let _: Result<_, _> = writeln!(std::io::stderr(), "skipped: {what}");
}

/// How long a server may take to come up; far more than it needs, on a loaded machine too.
const START: Duration = Duration::from_secs(60);

/// A running server with its administrator token.
pub struct Server {
    child: Mutex<Child>,
    agent: ureq::Agent,
    /// `http://127.0.0.1:PORT`.
    pub address: String,
    /// The administrator token that it printed; empty when it was given a token file.
    pub token: String,
}

impl Server {
    /// Starts `lawbook serve` with these arguments, and waits until it listens.
    pub fn start(arguments: &[&str]) -> Self {
        let mut child = Command::new(env!("CARGO_BIN_EXE_lawbook"))
            .arg("serve")
            .args(arguments)
            .args(["--listen", "127.0.0.1:0"])
            .stdout(Stdio::null())
            .stderr(Stdio::piped())
            .spawn()
            .expect("lawbook runs");
        let lines = BufReader::new(child.stderr.take().expect("standard error")).lines();
        let (send, receive) = mpsc::channel();
        std::thread::spawn(move || lines.map_while(Result::ok).for_each(|line| drop(send.send(line))));
        let mut token = String::new();
        let mut said = Vec::new();
        let address = loop {
            let line = receive.recv_timeout(START).unwrap_or_else(|_| panic!("the server did not come up: {said:#?}"));
            if let Some(printed) = line.strip_prefix("administrator token: ") {
                token = printed.to_owned();
            }
            if let Some(at) = line.find("listening on http") {
                let address = line[at..].trim_start_matches("listening on ").split_whitespace().next();
                break address.expect("an address").trim_end_matches(['/', '"']).to_owned();
            }
            said.push(line);
        };
        let agent = ureq::Agent::config_builder().http_status_as_error(false).timeout_global(Some(Duration::from_secs(60))).build().into();
        Self { child: Mutex::new(child), agent, address, token }
    }

    fn authorization(&self) -> String {
        format!("Bearer {}", self.token)
    }

    /// Sends a request with a reason for the change, and gives the status of the answer and its commit; `None` when there is no
    /// answer, because the server is gone.
    pub fn change(&self, method: &str, path: &str, reason: &str, body: Option<&Value>) -> Option<(u16, String)> {
        let request = ureq::http::Request::builder().method(method).uri(format!("{}{path}", self.address));
        let request = request.header("authorization", self.authorization()).header("lawbook-reason", reason);
        let answer = match body {
            Some(body) => self.agent.run(request.body(body.to_string()).expect("a request")),
            None => self.agent.run(request.body(()).expect("a request")),
        };
        let answer = answer.ok()?;
        let commit = answer.headers().get("lawbook-commit").map(|value| value.to_str().expect("text").to_owned());
        Some((answer.status().as_u16(), commit.unwrap_or_default()))
    }

    /// The JSON answer to a request, and the commit that it is of.
    #[track_caller]
    pub fn get(&self, path: &str) -> (Value, String) {
        let request = self.agent.get(format!("{}{path}", self.address)).header("authorization", self.authorization());
        let mut answer = request.call().expect("an answer");
        let commit = answer.headers().get("lawbook-commit").map(|value| value.to_str().expect("text").to_owned());
        let text = answer.body_mut().read_to_string().expect("a body");
        (serde_json::from_str(&text).unwrap_or_else(|_| panic!("{path}: {text}")), commit.unwrap_or_default())
    }

    /// Kills the process, which has no time to put anything in order.
    pub fn kill(&self) {
        drop(self.child.lock().expect("one at a time").kill());
    }

    /// Sends a JSON body and gives the JSON answer, which must have the status 200.
    #[track_caller]
    pub fn post(&self, path: &str, body: &Value) -> Value {
        let request = self.agent.post(format!("{}{path}", self.address)).header("authorization", self.authorization());
        let mut answer = request.content_type("application/json").send(body.to_string()).expect("an answer");
        let text = answer.body_mut().read_to_string().expect("a body");
        assert_eq!(answer.status(), 200, "{path}: {text}");
        serde_json::from_str(&text).expect("JSON")
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        let mut child = self.child.lock().unwrap_or_else(PoisonError::into_inner);
        drop(child.kill());
        drop(child.wait());
    }
}
