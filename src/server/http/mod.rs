//! The HTTP interfaces. [`app`] is all of them as one function of the state, so that tests need no socket.

mod around;
mod audit_logs;
mod authzen;
mod batch;
mod change;
mod control;
mod followed;
mod from_template;
mod health;
mod invalid;
mod neosc;
mod path;
mod problem;
mod status;
mod templates;
mod toggle;
mod versions;

use std::sync::Arc;
use std::time::Duration;

use axum::Router;
use axum::middleware;
use axum::routing::any;
use axum::routing::get;
use jiff::Timestamp;
use tokio::sync::Mutex;
use tokio::sync::Semaphore;

use super::auth::Tokens;
use super::current::Current;
use super::metrics::Metrics;
use super::place::Place;
use super::place::Wanted;
use super::reload::Reloader;
use super::snapshot::Snapshot;
use super::writes::Writes;
use crate::bundle::SigningKey;

/// The largest body of a request, in bytes.
pub const MAX_BODY_BYTES: usize = 1024 * 1024;

/// How many requests are worked on at once; more are turned away.
const MAX_REQUESTS: usize = 1024;

/// The longest that one request may take.
const MAX_DURATION: Duration = Duration::from_secs(60);

/// How long a request waits for the revision that it asks for.
const REVISION_WAIT: Duration = Duration::from_secs(5);

/// How long a request waits for history or findings of the served snapshot.
const LATER_WAIT: Duration = Duration::from_secs(30);

/// What every handler shares.
#[derive(Debug)]
pub struct State {
    /// What is served.
    pub current: Arc<Current>,
    /// Who may call.
    pub tokens: Arc<Tokens>,
    /// What is counted.
    pub metrics: Arc<Metrics>,
    /// Where snapshots come from.
    pub place: Place,
    /// How a change is made.
    pub writes: Writes,
    /// The way to the reload loop; absent where nothing is reloaded.
    pub reloader: Option<Reloader>,
    /// When the server started.
    pub started_at: Timestamp,
    /// Whose turn it is to write.
    turn: Mutex<()>,
    slots: Semaphore,
    batches: Arc<Semaphore>,
}

impl State {
    /// The state of a server that answers from `current`.
    pub fn new(current: Arc<Current>, tokens: Arc<Tokens>, metrics: Arc<Metrics>, place: Place, reloader: Option<Reloader>) -> Self {
        let writes = Writes::new(&place);
        let started_at = Timestamp::now();
        Self {
            current,
            tokens,
            metrics,
            place,
            writes,
            reloader,
            started_at,
            turn: Mutex::const_new(()),
            slots: Semaphore::new(MAX_REQUESTS),
            batches: Arc::new(Semaphore::new(batch::MAX_BATCHES)),
        }
    }

    /// The same, with a key that signs the commits of changes.
    pub fn signing(self, key: Option<Arc<SigningKey>>) -> Self {
        Self { writes: self.writes.signing(key), ..self }
    }
}

impl State {
    /// The served snapshot, as soon as it has everything of the wanted revision; `None` when that takes longer than `limit`.
    async fn serve_at_least(self: &Arc<Self>, wanted: &Wanted, limit: Duration) -> Option<Arc<Snapshot>> {
        let served = async {
            let mut changes = self.current.changes();
            let mut asked = false;
            loop {
                changes.borrow_and_update();
                if let Some(snapshot) = self.current.snapshot()
                    && self.contains(&snapshot, wanted).await
                {
                    return Some(snapshot);
                }
                if let Some(reloader) = self.reloader.as_ref().filter(|_| !asked) {
                    asked = true;
                    reloader.reload(limit).await;
                } else if changes.changed().await.is_err() {
                    return None;
                }
            }
        };
        tokio::time::timeout(limit, served).await.ok().flatten()
    }

    /// Whether a snapshot has everything of the wanted revision. Git is asked on a thread that may wait.
    async fn contains(self: &Arc<Self>, snapshot: &Arc<Snapshot>, wanted: &Wanted) -> bool {
        let (state, snapshot, wanted) = (Arc::clone(self), Arc::clone(snapshot), wanted.clone());
        tokio::task::spawn_blocking(move || state.place.contains(&snapshot.revision, &wanted)).await.unwrap_or(false)
    }
}

type App = axum::extract::State<Arc<State>>;

/// Every interface.
pub fn app(state: Arc<State>) -> Router {
    Router::new()
        .route("/api/policies", any(neosc::policies))
        .route("/api/policies/{id}", any(control::policy))
        .route("/api/policies/{id}/restore", any(versions::restore))
        .route("/api/policies/{id}/versions", any(versions::versions))
        .route("/api/policy-templates", any(templates::templates))
        .route("/api/audit-logs", any(audit_logs::audit_logs))
        .route("/access/v1/evaluation", any(authzen::evaluation))
        .route("/access/v1/evaluations", any(batch::evaluations))
        .route("/health/live", get(health::live))
        .route("/health/ready", get(health::ready))
        .route("/health/current", get(health::current))
        .route("/status", get(status::status))
        .route("/metrics", get(health::metrics))
        .fallback(neosc::unknown)
        .layer(middleware::from_fn_with_state(Arc::clone(&state), around::around))
        .with_state(state)
}
