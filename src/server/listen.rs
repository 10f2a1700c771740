//! Sockets: accepting, bounding and draining connections.

use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use axum::Router;
use axum::extract::ConnectInfo;
use hyper_util::rt::TokioExecutor;
use hyper_util::rt::TokioIo;
use hyper_util::rt::TokioTimer;
use hyper_util::server::conn::auto::Builder;
use hyper_util::server::graceful::GracefulShutdown;
use hyper_util::server::graceful::Watcher;
use hyper_util::service::TowerToHyperService;
use tokio::net::TcpListener;
use tokio::net::TcpStream;
use tokio::sync::OwnedSemaphorePermit;
use tokio::sync::Semaphore;
use tower::Layer;

use super::unread::Unread;

/// The most connections that are held at once; more wait to be accepted.
const MAX_CONNECTIONS: usize = 4096;

/// How many open files are left for everything that is not a connection: the law book, git, the token file.
const OTHER_FILES: usize = 256;

/// How many connections are held where the system does not say how many files may be open.
const UNTOLD_CONNECTIONS: usize = 512;

/// How long a client may take to send the head of a request, the first or the next one.
const HEAD_TIMEOUT: Duration = Duration::from_secs(30);

/// How long a client may take to say which protocol it speaks.
const PREFACE_TIMEOUT: Duration = Duration::from_secs(10);

/// How long a client may leave an answer unread, counted from the last byte that it took.
const WRITE_TIMEOUT: Duration = Duration::from_secs(30);

/// How long connections may take to end once the server stops.
const DRAIN_TIMEOUT: Duration = Duration::from_secs(10);

/// What every HTTP/2 connection starts with (RFC 9113, section 3.4).
const PREFACE: &[u8] = b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n";

/// Serves until `stop` ends, then lets requests that have begun come to their end.
pub async fn serve(listener: TcpListener, app: Router, stop: impl Future<Output = ()>) {
    let graceful = GracefulShutdown::new();
    let slots = Arc::new(Semaphore::new(connections(std::fs::read_to_string("/proc/self/limits").ok().as_deref())));
    let mut stop = std::pin::pin!(stop);
    loop {
        let next = async {
            let slot = Arc::clone(&slots).acquire_owned().await.ok();
            (slot, listener.accept().await)
        };
        let (slot, accepted) = tokio::select! {
            () = &mut stop => break,
            next = next => next,
        };
        match accepted {
            Ok((stream, peer)) => {
                let watcher = graceful.watcher();
                tokio::spawn(connection(stream, peer, app.clone(), watcher, slot));
            }
            Err(error) => {
                tracing::warn!("a connection could not be accepted: {error}");
                // Usually the process has too many files open; trying again at once would only spin.
                tokio::time::sleep(Duration::from_millis(50)).await;
            }
        }
    }
    drop(listener);
    tokio::select! {
        () = graceful.shutdown() => tracing::info!("all connections have ended"),
        () = tokio::time::sleep(DRAIN_TIMEOUT) => tracing::warn!("some connections did not end in time"),
    }
}

/// How many connections are held at once under these limits, in the form of `/proc/self/limits`. Connections must not take
/// the files that reloading a policy or a token needs.
fn connections(limits: Option<&str>) -> usize {
    let line = limits.and_then(|limits| limits.lines().find_map(|line| line.strip_prefix("Max open files")));
    match line.and_then(|line| line.split_whitespace().next()) {
        Some("unlimited") => MAX_CONNECTIONS,
        Some(soft) => {
            soft.parse().map_or(UNTOLD_CONNECTIONS, |soft: usize| soft.saturating_sub(OTHER_FILES).max(soft / 4).clamp(1, MAX_CONNECTIONS))
        }
        None => UNTOLD_CONNECTIONS,
    }
}

async fn connection(stream: TcpStream, peer: SocketAddr, app: Router, watcher: Watcher, _slot: Option<OwnedSemaphorePermit>) {
    let _: Result<(), _> = stream.set_nodelay(true);
    let Ok(Some(is_http2)) = tokio::time::timeout(PREFACE_TIMEOUT, speaks_http2(&stream)).await else { return };
    let service = axum::Extension(ConnectInfo(peer)).layer(app);
    let mut builder = Builder::new(TokioExecutor::new());
    builder.http1().timer(TokioTimer::new()).header_read_timeout(HEAD_TIMEOUT);
    builder
        .http2()
        .timer(TokioTimer::new())
        .keep_alive_interval(HEAD_TIMEOUT)
        .keep_alive_timeout(PREFACE_TIMEOUT)
        .max_concurrent_streams(128)
        .max_header_list_size(64 * 1024);
    let builder = if is_http2 { builder.http2_only() } else { builder.http1_only() };
    let connection =
        builder.serve_connection(TokioIo::new(Unread::new(stream, WRITE_TIMEOUT)), TowerToHyperService::new(service)).into_owned();
    if let Err(error) = watcher.watch(connection).await {
        tracing::debug!("connection from {peer}: {error}");
    }
}

/// Whether the first bytes are those of HTTP/2; `None` when the client went away. They are looked at and left in place.
async fn speaks_http2(stream: &TcpStream) -> Option<bool> {
    let mut first = [0_u8; PREFACE.len()];
    loop {
        let count = stream.peek(&mut first).await.ok().filter(|&count| count > 0)?;
        let seen = first.get(..count)?;
        if !PREFACE.starts_with(seen) {
            return Some(false);
        }
        if count == PREFACE.len() {
            return Some(true);
        }
        // The rest of the preface is on its way; looking again at once would find the same bytes.
        tokio::time::sleep(Duration::from_millis(5)).await;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(soft: &str, expected: usize) {
        let limits = format!(
            "Limit                     Soft Limit           Hard Limit           Units\nMax open files            {soft}                 1048576              files\n"
        );
        assert_eq!(connections(Some(&limits)), expected, "{soft}");
    }

    /// With the usual limit of 1024 open files, idle connections could take them all, and no policy was reloaded any more.
    #[test]
    fn connections_leave_files_for_everything_else() {
        check("1024", 768);
        check("1048576", 4096);
        check("unlimited", 4096);
        check("256", 64);
        check("0", 1);
        check("x", 512);
        assert_eq!(connections(None), 512);
        assert_eq!(connections(Some("Max cpu time unlimited")), 512);
    }
}
