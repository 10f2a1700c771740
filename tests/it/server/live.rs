//! A server on a real socket, in a thread of its own, and a client of it.

use std::net::SocketAddr;
use std::path::Path;
use std::path::PathBuf;
use std::sync::Arc;
use std::sync::mpsc;
use std::thread::JoinHandle;
use std::time::Duration;
use std::time::Instant;

use lawbook::server::Notice;
use lawbook::server::Options;
use lawbook::server::ServeError;
use lawbook::server::Source;
use lawbook::server::Stop;
use lawbook::server::serve;
use serde_json::Value;
use ureq::Agent;

/// How long anything may take before a test fails.
pub const PATIENCE: Duration = Duration::from_secs(20);

/// A running server. It is stopped when it goes out of scope.
pub struct Live {
    pub address: SocketAddr,
    pub token: String,
    stop: Stop,
    thread: Option<JoinHandle<Result<(), ServeError>>>,
    agent: Agent,
}

/// An answer, read.
#[derive(Debug, Clone)]
pub struct Answer {
    pub status: u16,
    pub commit: String,
    pub headers: ureq::http::HeaderMap,
    pub body: Value,
    pub text: String,
}

impl Answer {
    pub fn header(&self, name: &str) -> Option<&str> {
        self.headers.get(name).map(|value| value.to_str().expect("text"))
    }

    #[track_caller]
    pub fn tag(&self) -> &str {
        self.header("etag").expect("a tag")
    }
}

/// Options that tell their notices to a channel.
pub fn options(source: Source, tokens: Option<PathBuf>) -> (Options, mpsc::Receiver<Notice>) {
    let (sender, notices) = mpsc::channel();
    let sender = std::sync::Mutex::new(sender);
    let notice = Arc::new(move |notice| sender.lock().expect("one at a time").send(notice).expect("somebody listens"));
    let listen = "127.0.0.1:0".to_owned();
    (Options { source, listen, tokens, commit_signing_key: None, log: None, notice, stop: Stop::default() }, notices)
}

impl Live {
    pub fn worktree(dir: &Path) -> Self {
        Self::start(Source::Worktree(dir.to_owned()), None)
    }

    pub fn reference(dir: &Path) -> Self {
        Self::start(Source::Ref { dir: dir.to_owned(), name: "main".to_owned() }, None)
    }

    pub fn start(source: Source, tokens: Option<PathBuf>) -> Self {
        Self::launch(options(source, tokens))
    }

    /// A server that signs its commits.
    pub fn signing(source: Source, key: PathBuf) -> Self {
        let (options, notices) = options(source, None);
        Self::launch((Options { commit_signing_key: Some(key), ..options }, notices))
    }

    fn launch((options, notices): (Options, mpsc::Receiver<Notice>)) -> Self {
        let has_file = options.tokens.is_some();
        let stop = options.stop.clone();
        let thread = std::thread::spawn(move || serve(options));
        let mut token = String::new();
        if !has_file {
            match notices.recv_timeout(PATIENCE).expect("a first notice") {
                Notice::AdministratorToken(made) => token = made.as_str().to_owned(),
                other => panic!("{other}"),
            }
        }
        let Notice::Listening(address) = notices.recv_timeout(PATIENCE).expect("a notice") else { panic!("it does not listen") };
        let config = Agent::config_builder().timeout_global(Some(PATIENCE)).http_status_as_error(false).max_redirects(0).build();
        Self { address, token, stop, thread: Some(thread), agent: config.into() }
    }

    pub fn send(&self, method: &str, path: &str, token: &str, body: Option<&Value>) -> Answer {
        self.send_with(method, path, token, &[], body)
    }

    pub fn send_with(&self, method: &str, path: &str, token: &str, headers: &[(&str, &str)], body: Option<&Value>) -> Answer {
        let mut request = ureq::http::Request::builder().method(method).uri(format!("http://{}{path}", self.address));
        if !token.is_empty() {
            request = request.header("authorization", format!("Bearer {token}"));
        }
        for (name, value) in headers {
            request = request.header(*name, *value);
        }
        let response = match body {
            Some(body) => {
                let request = request.header("content-type", "application/json").body(body.to_string()).expect("a request");
                self.agent.run(request)
            }
            None => self.agent.run(request.body(()).expect("a request")),
        };
        let mut response = response.unwrap_or_else(|error| panic!("{method} {path}: {error}"));
        let commit = response.headers().get("lawbook-commit").map(|value| value.to_str().expect("text").to_owned()).unwrap_or_default();
        let text = response.body_mut().read_to_string().expect("a body");
        Answer {
            status: response.status().as_u16(),
            commit,
            headers: response.headers().clone(),
            body: serde_json::from_str(&text).unwrap_or_else(|_| Value::String(text.clone())),
            text,
        }
    }

    pub fn get(&self, path: &str) -> Answer {
        self.send("GET", path, &self.token, None)
    }

    pub fn post(&self, path: &str, body: &Value) -> Answer {
        self.send("POST", path, &self.token, Some(body))
    }

    /// Whether somebody may read a document of a service.
    pub fn allows(&self, service: &str) -> bool {
        self.post("/access/v1/evaluation", &question(service)).body["decision"] == true
    }

    /// Waits until a condition holds, and says how long that took.
    #[track_caller]
    pub fn wait(&self, what: &str, mut holds: impl FnMut(&Self) -> bool) -> Duration {
        let started = Instant::now();
        while !holds(self) {
            assert!(started.elapsed() < PATIENCE, "{what}: {:?}", self.get("/status").body);
            std::thread::sleep(Duration::from_millis(10));
        }
        started.elapsed()
    }

    /// Stops the server, and gives what it ended with.
    pub fn stop(mut self) -> Result<(), ServeError> {
        self.stop.stop();
        self.thread.take().expect("it runs").join().expect("it does not panic")
    }
}

impl Drop for Live {
    fn drop(&mut self) {
        self.stop.stop();
        if let Some(thread) = self.thread.take() {
            let ended = thread.join();
            assert!(std::thread::panicking() || matches!(ended, Ok(Ok(()))), "{ended:?}");
        }
    }
}

/// Whether a user may read a document of a service.
pub fn question(service: &str) -> Value {
    serde_json::json!({"subject": {"type": "user", "id": "a@example.com"}, "action": {"name": "read"}, "resource": {"type": service, "id": "1"}})
}

/// A policy about reading in a service, by everybody.
pub fn policy(id: &str, service: &str, denies: bool) -> String {
    format!("_id: {id}\nservice: {service}\nactions: [read]\nmembers: ['*']\ndeny: {denies}\n")
}

/// The answers of many questions, from one request.
pub fn decisions(answer: &Answer) -> Vec<bool> {
    answer.body["evaluations"].as_array().expect("a list").iter().map(|one| one["decision"] == true).collect()
}
