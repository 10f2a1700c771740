//! What is counted and measured, in the text format of Prometheus.

use std::sync::Arc;
use std::sync::atomic::AtomicU64;
use std::time::Duration;

use jiff::Timestamp;
use prometheus_client::encoding::EncodeLabelSet;
use prometheus_client::encoding::text::encode;
use prometheus_client::metrics::counter::Counter;
use prometheus_client::metrics::family::Family;
use prometheus_client::metrics::gauge::Gauge;
use prometheus_client::metrics::histogram::Histogram;
use prometheus_client::registry::Registry;
use prometheus_client::registry::Unit;

use super::snapshot::Snapshot;
use super::snapshot::Told;

/// Upper bounds of the latency buckets, in seconds.
const LATENCIES: [f64; 14] = [0.000_05, 0.000_1, 0.000_25, 0.000_5, 0.001, 0.002_5, 0.005, 0.01, 0.025, 0.05, 0.1, 0.5, 1.0, 5.0];

#[derive(Debug, Clone, PartialEq, Eq, Hash, EncodeLabelSet)]
struct Outcome {
    outcome: &'static str,
}

#[derive(Debug, Clone, PartialEq, Eq, Hash, EncodeLabelSet)]
struct Reason {
    reason: &'static str,
}

#[derive(Debug, Clone, PartialEq, Eq, Hash, EncodeLabelSet)]
struct SeverityLabel {
    severity: &'static str,
}

#[derive(Debug, Clone, PartialEq, Eq, Hash, EncodeLabelSet)]
struct Exchange {
    route: String,
    status: u16,
}

#[derive(Debug, Clone, PartialEq, Eq, Hash, EncodeLabelSet)]
struct Route {
    route: String,
}

#[derive(Debug, Clone, PartialEq, Eq, Hash, EncodeLabelSet)]
struct Identity {
    commit: String,
    content: String,
}

/// How a decision ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Decided {
    /// Allowed.
    Allow,
    /// Denied.
    Deny,
    /// Not a request that can be decided.
    Error,
}

/// Everything that is counted.
#[derive(Debug)]
pub struct Metrics {
    registry: Registry,
    allowed: Counter,
    denied: Counter,
    undecidable: Counter,
    requests: Family<Exchange, Counter>,
    latency: Family<Route, Histogram, fn() -> Histogram>,
    reloads: Family<Outcome, Counter>,
    refusals: Family<Reason, Counter>,
    findings: Family<SeverityLabel, Gauge>,
    behind_since: Gauge<f64, AtomicU64>,
    loaded_at: Gauge<f64, AtomicU64>,
    revision: Gauge,
    policies: Gauge,
    identity: Family<Identity, Gauge>,
    critical: Counter,
    rewrites: Counter,
}

fn histogram() -> Histogram {
    Histogram::new(LATENCIES)
}

impl Default for Metrics {
    fn default() -> Self {
        let mut registry = Registry::with_prefix("lawbook");
        let decisions: Family<Outcome, Counter> = Family::default();
        let counter = |outcome| decisions.get_or_create_owned(&Outcome { outcome });
        let (allowed, denied, undecidable) = (counter("allow"), counter("deny"), counter("error"));
        let requests = Family::default();
        let latency: Family<Route, Histogram, fn() -> Histogram> = Family::new_with_constructor(histogram);
        let reloads = Family::default();
        let refusals = Family::default();
        let findings = Family::default();
        let behind_since = Gauge::default();
        let loaded_at = Gauge::default();
        let revision = Gauge::default();
        let policies = Gauge::default();
        let identity = Family::default();
        let critical = Counter::default();
        let rewrites = Counter::default();
        registry.register("decisions", "Decisions by outcome", decisions);
        registry.register("http_requests", "Answers by route and status", Family::clone(&requests));
        registry.register_with_unit("http_request_duration", "Time from request to answer", Unit::Seconds, latency.clone());
        registry.register("reloads", "Reloads by outcome", Family::clone(&reloads));
        registry.register("verification_failures", "Refused bundles by reason", Family::clone(&refusals));
        registry.register("findings", "Findings in the served law book by severity", Family::clone(&findings));
        let zero = "Unix time since which the newest law book cannot be served; 0 when it is";
        registry.register_with_unit("behind_since", zero, Unit::Seconds, behind_since.clone());
        registry.register_with_unit("loaded_at", "Unix time at which the served law book was loaded", Unit::Seconds, loaded_at.clone());
        registry.register("revision", "Number of the served revision", Gauge::clone(&revision));
        registry.register("policies", "Policies in the served law book", Gauge::clone(&policies));
        registry.register("served", "The served law book", Family::clone(&identity));
        registry.register("critical_toggles", "Critical controls that were disabled through the interface", Counter::clone(&critical));
        registry.register("history_rewrites", "Served commits that do not descend from the one before", Counter::clone(&rewrites));
        Self {
            registry,
            allowed,
            denied,
            undecidable,
            requests,
            latency,
            reloads,
            refusals,
            findings,
            behind_since,
            loaded_at,
            revision,
            policies,
            identity,
            critical,
            rewrites,
        }
    }
}

#[expect(clippy::cast_precision_loss, reason = "a Unix time fits a double to the microsecond")]
fn unix_seconds(time: Timestamp) -> f64 {
    time.as_millisecond() as f64 / 1000.0
}

impl Metrics {
    /// Counts a decision.
    pub fn decided(&self, outcome: Decided) {
        match outcome {
            Decided::Allow => self.allowed.inc(),
            Decided::Deny => self.denied.inc(),
            Decided::Error => self.undecidable.inc(),
        };
    }

    /// Counts an answer. `route` is one of ours, never what somebody sent.
    pub fn answered(&self, route: &str, status: u16, took: Duration) {
        self.requests.get_or_create(&Exchange { route: route.to_owned(), status }).inc();
        self.latency.get_or_create(&Route { route: route.to_owned() }).observe(took.as_secs_f64());
    }

    /// Counts a reload.
    pub fn reloaded(&self, outcome: &'static str) {
        self.reloads.get_or_create(&Outcome { outcome }).inc();
    }

    /// Counts a bundle that was refused.
    pub fn refused(&self, reason: &'static str) {
        self.refusals.get_or_create(&Reason { reason }).inc();
    }

    /// Counts a critical control that was disabled.
    pub fn disabled_critical(&self) {
        self.critical.inc();
    }

    /// Counts a served commit that does not descend from the one before.
    pub fn rewritten(&self) {
        self.rewrites.inc();
    }

    /// Since when the newest law book cannot be served.
    pub fn behind(&self, since: Option<Timestamp>) {
        self.behind_since.set(since.map_or(0.0, unix_seconds));
    }

    /// What is served now.
    pub fn serves(&self, snapshot: &Arc<Snapshot>) {
        self.loaded_at.set(unix_seconds(snapshot.loaded_at));
        self.revision.set(snapshot.revision.number.and_then(|number| i64::try_from(number).ok()).unwrap_or(0));
        self.policies.set(i64::try_from(snapshot.set().policies().len()).unwrap_or(i64::MAX));
        self.identity.clear();
        let commit = snapshot.revision.commit.clone().unwrap_or_default();
        self.identity.get_or_create(&Identity { commit, content: snapshot.revision.content.clone() }).set(1);
    }

    /// What checking the served law book found.
    pub fn found(&self, findings: &[Told]) {
        for severity in ["error", "warning"] {
            let count = findings.iter().filter(|finding| finding.severity == severity).count();
            self.findings.get_or_create(&SeverityLabel { severity }).set(i64::try_from(count).unwrap_or(i64::MAX));
        }
    }

    /// The text that is scraped.
    pub fn text(&self) -> String {
        let mut text = String::new();
        match encode(&mut text, &self.registry) {
            Ok(()) => text,
            Err(error) => {
                tracing::error!("metrics cannot be written: {error}");
                String::new()
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_counted_is_shown() {
        let metrics = Metrics::default();
        metrics.decided(Decided::Deny);
        metrics.refused("rollback");
        metrics.answered("/status", 200, Duration::from_micros(70));
        metrics.behind(Some("2026-03-01T10:00:00.5Z".parse().expect("a time")));
        let text = metrics.text();
        for line in [
            "lawbook_decisions_total{outcome=\"deny\"} 1",
            "lawbook_decisions_total{outcome=\"allow\"} 0",
            "lawbook_verification_failures_total{reason=\"rollback\"} 1",
            "lawbook_http_requests_total{route=\"/status\",status=\"200\"} 1",
            "lawbook_http_request_duration_seconds_count{route=\"/status\"} 1",
            "lawbook_behind_since_seconds 1772359200.5",
        ] {
            assert!(text.lines().any(|own| own == line), "{line} is not in\n{text}");
        }
    }
}
