//! Structured logs on standard error.

use tracing_subscriber::EnvFilter;

/// How log lines are written.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum LogFormat {
    /// For people.
    #[default]
    Human,
    /// One JSON object per line.
    Json,
}

/// Logs to standard error from now on: what `LAWBOOK_LOG` names (such as `lawbook=debug`), else everything worth knowing.
/// A process has one log; where there is one already, it stays.
pub fn log_to_stderr(format: LogFormat) {
    let filter = EnvFilter::try_from_env("LAWBOOK_LOG").unwrap_or_else(|_| EnvFilter::new("info"));
    let builder = tracing_subscriber::fmt().with_env_filter(filter).with_writer(std::io::stderr).with_target(false);
    let _: Result<(), _> = match format {
        LogFormat::Human => builder.with_ansi(false).try_init(),
        LogFormat::Json => builder.json().flatten_event(true).try_init(),
    };
}
