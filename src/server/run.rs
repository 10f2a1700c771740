//! Putting a server together, and taking it apart again.

use std::net::SocketAddr;
use std::net::ToSocketAddrs;
use std::path::Path;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use tokio::net::TcpListener;
use tokio::runtime::Runtime;

use super::auth::Caller;
use super::auth::Role;
use super::auth::Token;
use super::auth::Tokens;
use super::current::Current;
use super::http::State;
use super::http::app;
use super::listen;
use super::log::log_to_stderr;
use super::metrics::Metrics;
use super::options::Notice;
use super::options::Options;
use super::options::ServeError;
use super::options::Source;
use super::origin::BundleOrigin;
use super::origin::Origin;
use super::origin::RefOrigin;
use super::origin::WorktreeOrigin;
use super::place::Kind;
use super::place::Place;
use super::reload::Loop;
use super::watch::Watch;
use crate::bundle::load_private;
use crate::history::Repository;
use crate::history::RepositoryError;
use crate::write;

/// How often the token file is looked at when no event tells.
const TOKEN_PERIOD: Duration = Duration::from_secs(2);

/// How long events in the directory of the token file settle.
const TOKEN_SETTLE: Duration = Duration::from_millis(50);

/// Serves until SIGTERM, SIGINT or [`Stop`](super::Stop), and ends when all requests that had begun have been answered.
///
/// # Errors
/// What keeps the server from starting. A law book that cannot be served keeps nobody from starting: the health answers
/// say so until it is repaired.
pub fn serve(options: Options) -> Result<(), ServeError> {
    let address = address(&options.listen)?;
    if !address.ip().is_loopback() && options.tokens.is_none() {
        return Err(ServeError::Public { address });
    }
    let key = options.commit_signing_key.as_deref().map(load_private).transpose()?.map(Arc::new);
    let metrics = Arc::new(Metrics::default());
    let (origin, place) = origin(&options.source, &metrics)?;
    let tokens = Arc::new(tokens(&options, &place)?);
    // The token is the first line that anybody sees, so that logs begin after it.
    if let Some(format) = options.log {
        log_to_stderr(format);
    }
    recover(&place);
    let runtime = Runtime::new().map_err(|why| ServeError::System { what: "threads", why: why.to_string() })?;
    let listener = runtime.block_on(TcpListener::bind(address)).map_err(|why| ServeError::Bind { address, why })?;
    let bound = listener.local_addr().map_err(|why| ServeError::Bind { address, why })?;

    let current = Arc::new(Current::default());
    let (mut reload, reloader) = Loop::new(origin, Arc::clone(&current), Arc::clone(&metrics));
    reload.first();
    let thread = reload.spawn().map_err(|why| ServeError::System { what: "a thread", why: why.to_string() })?;
    let state = State::new(current, Arc::clone(&tokens), metrics, place, Some(reloader.clone())).signing(key);
    if let Some(hindrance) = state.writes.hindrance() {
        tracing::warn!("no change can be made through this server: {hindrance}");
    }
    (options.notice)(Notice::Listening(bound));
    runtime.block_on(async {
        let keeper = tokio::spawn(keep(tokens));
        listen::serve(listener, app(Arc::new(state)), ended(options.stop.clone())).await;
        keeper.abort();
    });
    reloader.stop();
    runtime.shutdown_timeout(Duration::from_secs(1));
    // A load that waits for a file server may take longer than anybody wants to wait here; the process ends it.
    for _ in 0..20 {
        if thread.is_finished() {
            break;
        }
        std::thread::sleep(Duration::from_millis(50));
    }
    Ok(())
}

fn address(text: &str) -> Result<SocketAddr, ServeError> {
    let refuse = |why: String| ServeError::Address { address: text.to_owned(), why };
    let found = text.to_socket_addrs().map_err(|error| refuse(error.to_string()))?.next();
    found.ok_or_else(|| refuse("the name has no address".to_owned()))
}

fn origin(source: &Source, metrics: &Arc<Metrics>) -> Result<(Box<dyn Origin>, Place), ServeError> {
    match source {
        Source::Worktree(dir) => {
            let dir = folder(dir)?;
            let kind = match Repository::open(&dir) {
                Ok(repository) if repository.worktree().is_none() => {
                    let message = format!("`{}` is a bare repository: it has no worktree", dir.display());
                    return Err(ServeError::Source { message, help: "name a ref with `--ref`, such as `--ref main`".to_owned() });
                }
                Ok(_) => Kind::Worktree(dir.clone()),
                Err(RepositoryError::None { .. }) => Kind::Folder(dir.clone()),
                Err(error) => return Err(unusable(&error)),
            };
            Ok((Box::new(WorktreeOrigin::new(dir)), Place::new(kind)))
        }
        Source::Ref { dir, name } => {
            let dir = folder(dir)?;
            let repository = Repository::open(&dir).map_err(|error| unusable(&error))?;
            // INVARIANT: reads and writes are of one and the same ref, whatever else is called like it.
            let name = repository.full_name(name).map_err(|error| unusable(&error))?;
            repository.tip(&name).map_err(|error| unusable(&error))?;
            let kind = Kind::Ref { dir: dir.clone(), name: name.clone() };
            Ok((Box::new(RefOrigin::new(dir, name, Arc::clone(metrics))), Place::new(kind)))
        }
        Source::Bundle { location, expected, state } => {
            let origin = BundleOrigin::new(location.clone(), expected.clone(), state).map_err(|error| ServeError::Source {
                message: error.to_string(),
                help: "name a state directory that no other server uses".to_owned(),
            })?;
            Ok((Box::new(origin), Place::new(Kind::Bundle(location.to_string()))))
        }
    }
}

/// Completes a write that an earlier process did not live to complete.
fn recover(place: &Place) {
    let (Kind::Worktree(dir) | Kind::Ref { dir, .. }) = place.kind() else { return };
    if let Err(error) = write::recover(dir) {
        tracing::error!("a change that was interrupted cannot be completed: {error}");
    }
}

fn folder(dir: &Path) -> Result<PathBuf, ServeError> {
    dir.canonicalize().ok().filter(|dir| dir.is_dir()).ok_or_else(|| ServeError::Source {
        message: format!("there is no folder `{}`", dir.display()),
        help: "name the folder that holds the law book; `lawbook init` makes a new one".to_owned(),
    })
}

fn unusable(error: &RepositoryError) -> ServeError {
    use miette::Diagnostic;
    let help = error.help().map_or_else(String::new, |help| help.to_string());
    ServeError::Source { message: error.to_string(), help }
}

/// The tokens of the file; without one, a new one for an administrator, which is told before anything else.
fn tokens(options: &Options, place: &Place) -> Result<Tokens, ServeError> {
    if let Some(path) = &options.tokens {
        return Tokens::from_file(path).map_err(|error| ServeError::Tokens { message: error.message, help: error.help });
    }
    let token = Token::new().map_err(|error| ServeError::System { what: "random bytes", why: error.to_string() })?;
    let digest = token.digest();
    (options.notice)(Notice::AdministratorToken(token));
    Ok(Tokens::fixed([(digest, administrator(place))]))
}

/// Whoever works in the repository.
fn administrator(place: &Place) -> Caller {
    let dir = match place.kind() {
        Kind::Worktree(dir) | Kind::Folder(dir) | Kind::Ref { dir, .. } => Some(dir),
        Kind::Bundle(_) => None,
    };
    let person = dir.and_then(|dir| Repository::open(dir).and_then(|repository| repository.person()).ok());
    let (name, email) =
        person.map_or_else(|| ("Administrator".to_owned(), "administrator@localhost".to_owned()), |person| (person.name, person.email));
    Caller { name, email, groups: Vec::new(), role: Role::Admin }
}

/// Reads the token file again when it changes: on events in its directory, and on a look every now and then.
async fn keep(tokens: Arc<Tokens>) {
    let Some(directory) = tokens.directory().map(Path::to_owned) else { return };
    let (changed, mut changes) = tokio::sync::mpsc::channel(1);
    let mut watch = Watch::new(Box::new(|_| true), move || {
        let _: Result<(), _> = changed.try_send(());
    });
    loop {
        watch.follow(vec![directory.clone()]);
        if tokio::time::timeout(TOKEN_PERIOD, changes.recv()).await.is_ok() {
            // Whoever writes the file in place needs a moment for the rest of it.
            tokio::time::sleep(TOKEN_SETTLE).await;
        }
        let tokens = Arc::clone(&tokens);
        let _: Result<_, _> = tokio::task::spawn_blocking(move || tokens.refresh()).await;
    }
}

/// Ends on a signal, or when somebody stops the server.
async fn ended(stop: super::Stop) {
    tokio::select! {
        () = stop.stopped() => {}
        () = signalled() => tracing::info!("stopping"),
    }
}

#[cfg(unix)]
async fn signalled() {
    use tokio::signal::unix::SignalKind;
    use tokio::signal::unix::signal;
    let (Ok(mut terminate), Ok(mut interrupt)) = (signal(SignalKind::terminate()), signal(SignalKind::interrupt())) else {
        tracing::warn!("signals cannot be waited for");
        return std::future::pending().await;
    };
    tokio::select! {
        _ = terminate.recv() => {}
        _ = interrupt.recv() => {}
    }
}

#[cfg(not(unix))]
async fn signalled() {
    if tokio::signal::ctrl_c().await.is_err() {
        std::future::pending::<()>().await;
    }
}
