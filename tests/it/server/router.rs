//! A server without a socket: the router over a law book in memory.

use std::sync::Arc;

use axum::body::Body;
use axum::http::Request;
use axum::http::Response;
use lawbook::decision::Index;
use lawbook::server::Annals;
use lawbook::server::Caller;
use lawbook::server::Current;
use lawbook::server::Kind;
use lawbook::server::Metrics;
use lawbook::server::Place;
use lawbook::server::Revision;
use lawbook::server::Role;
use lawbook::server::Snapshot;
use lawbook::server::State;
use lawbook::server::TokenDigest;
use lawbook::server::Tokens;
use lawbook::server::app;
use lawbook::server::content_digest;
use lawbook::workspace::Raw;
use lawbook::workspace::RawFile;
use lawbook::workspace::Workspace;
use serde_json::Value;
use tower::ServiceExt;

pub const MFA: &str = "id: pol-mfa-required\nname: MFA Required\ndescription: Enforce é\ntype: access\nrules: [One, Two]\ncreated_at: '2026-03-01T10:00:00Z'\n";

/// A snapshot of these files, with an empty history.
pub fn snapshot(files: &[(&str, &str)], commit: &str) -> Snapshot {
    let file = |&(path, text): &(&str, &str)| RawFile { path: path.to_owned(), content: Ok(text.as_bytes().to_vec()) };
    let (config, files): (Vec<RawFile>, Vec<RawFile>) = files.iter().map(file).partition(|file| file.path == "lawbook.toml");
    let workspace = Workspace::new(Raw { config: config.into_iter().next(), files, ..Raw::default() });
    let set = workspace.compile().expect("it compiles");
    let revision = Revision { number: Some(7), commit: Some(commit.to_owned()), content: content_digest(workspace.book.served()) };
    let snapshot = Snapshot::new(Index::new(set), workspace.book.config, revision);
    snapshot.findings.set(Some(Vec::new()));
    snapshot.annals.set(Ok(Annals::default()));
    snapshot
}

/// Tokens that are called like their roles.
pub fn tokens() -> Tokens {
    let roles = [("viewer", Role::Viewer), ("editor", Role::Editor), ("admin", Role::Admin), ("decide", Role::Decide)];
    Tokens::fixed(roles.map(|(name, role)| {
        let caller = Caller { name: name.to_owned(), email: format!("{name}@example.com"), groups: Vec::new(), role };
        (TokenDigest::of(name), caller)
    }))
}

/// A server over a place.
pub fn server(kind: Kind, snapshot: Option<Snapshot>) -> Arc<State> {
    let current = Arc::new(Current::default());
    if let Some(snapshot) = snapshot {
        current.swap(Arc::new(snapshot));
    }
    Arc::new(State::new(current, Arc::new(tokens()), Arc::new(Metrics::default()), Place::new(kind), None))
}

/// A server over a law book in memory.
pub fn memory(files: &[(&str, &str)]) -> Arc<State> {
    server(Kind::Folder("law".into()), Some(snapshot(files, "c0ffee0000000000000000000000000000000000")))
}

/// An answer, read.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Answer {
    pub status: u16,
    pub body: String,
    pub headers: axum::http::HeaderMap,
}

impl Answer {
    pub fn header(&self, name: &str) -> Option<&str> {
        self.headers.get(name).map(|value| value.to_str().expect("text"))
    }

    #[track_caller]
    pub fn json(&self) -> Value {
        serde_json::from_str(&self.body).unwrap_or_else(|error| panic!("{error}: {}", self.body))
    }
}

/// Sends one request through the router.
pub fn send(state: &Arc<State>, request: Request<Body>) -> Answer {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().expect("a runtime");
    runtime.block_on(async {
        let response: Response<Body> = app(Arc::clone(state)).oneshot(request).await.expect("infallible");
        let (head, body) = response.into_parts();
        let body = axum::body::to_bytes(body, usize::MAX).await.expect("a body");
        Answer { status: head.status.as_u16(), body: String::from_utf8(body.to_vec()).expect("UTF-8"), headers: head.headers }
    })
}

/// A request without a body, with a token if there is one.
pub fn ask(state: &Arc<State>, method: &str, path: &str, token: &str) -> Answer {
    let mut request = Request::builder().method(method).uri(path).header("host", "law.example:8282");
    if !token.is_empty() {
        request = request.header("authorization", format!("Bearer {token}"));
    }
    send(state, request.body(Body::empty()).expect("a request"))
}
