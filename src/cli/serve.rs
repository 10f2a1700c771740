//! `lawbook serve`: the server, from a worktree, a ref or a bundle.

use std::path::Path;
use std::path::PathBuf;
use std::sync::Arc;

use clap::Args;
use clap::ValueEnum;

use super::Console;
use super::Failure;
use super::Outcome;
use super::Status;
use super::build::DEFAULT_AUDIENCE;
use super::build::DEFAULT_NAME;
use super::law_book::exists;
use super::law_book::nothing_in;
use super::prefix;
use super::shell;
use crate::config;
use crate::server;
use crate::server::DEFAULT_ADDRESS;
use crate::server::Expected;
use crate::server::Location;
use crate::server::LogFormat;
use crate::server::Notice;
use crate::server::Options;
use crate::server::Source;
use crate::server::Stop;
use crate::workspace::Origin;
use crate::workspace::Workspace;
use crate::workspace::find_root;

/// Serve a law book over HTTP, and take changes over by itself
///
/// Without a token file, an administrator token is made and printed once, and only this machine can reach the server.
#[derive(Debug, Args)]
#[command(
    after_help = "Examples:\n  lawbook serve\n  lawbook serve --ref main --listen 0.0.0.0:8282 --tokens tokens.toml\n  lawbook serve --bundle dist/lawbook --trust trust.json --state state --tokens tokens.toml\n  lawbook serve --bundle https://files.example.com/lawbook --trust trust.json --state state"
)]
pub(super) struct Serve {
    /// The folder of the law book [default: the nearest one from the current folder upwards]
    dir: Option<PathBuf>,

    /// The address to listen on; port 0 takes a free one
    #[arg(long, value_name = "ADDR", default_value = DEFAULT_ADDRESS)]
    listen: String,

    /// Serve what this branch or tag holds instead of the files on disk
    #[arg(long = "ref", value_name = "REF", conflicts_with = "bundle")]
    reference: Option<String>,

    /// Serve a bundle: what the names of its two files begin with, on disk or at an http(s) address
    #[arg(long, value_name = "PREFIX|URL", requires = "trust", requires = "state", conflicts_with = "dir")]
    bundle: Option<String>,

    /// The trust file: whose signatures count, and how many are needed
    #[arg(long, value_name = "FILE", requires = "bundle")]
    trust: Option<PathBuf>,

    /// The folder that remembers the last good bundle
    #[arg(long, value_name = "DIR", requires = "bundle")]
    state: Option<PathBuf>,

    /// The name that the bundle must have
    #[arg(long, value_name = "NAME", default_value = DEFAULT_NAME, requires = "bundle")]
    name: String,

    /// The audience that the bundle must be for
    #[arg(long, value_name = "AUDIENCE", default_value = DEFAULT_AUDIENCE, requires = "bundle")]
    audience: String,

    /// The token file; `lawbook token new` adds to it
    #[arg(long, value_name = "FILE")]
    tokens: Option<PathBuf>,

    /// The private key that signs the commits that are made for changes
    #[arg(long, value_name = "FILE", conflicts_with = "bundle")]
    commit_signing_key: Option<PathBuf>,

    /// How logs are written to standard error
    #[arg(long, value_enum, default_value_t = LogWord::Human)]
    log_format: LogWord,
}

#[derive(Debug, Clone, Copy, ValueEnum)]
enum LogWord {
    /// For people
    Human,
    /// One JSON object on each line
    Json,
}

impl From<LogWord> for LogFormat {
    fn from(word: LogWord) -> Self {
        match word {
            LogWord::Human => Self::Human,
            LogWord::Json => Self::Json,
        }
    }
}

impl Serve {
    pub(super) fn run(self, _: &mut Console) -> Outcome {
        self.refuse_slips()?;
        let source = self.source()?;
        let nothing = match &source {
            Source::Worktree(root) => nothing(root)?,
            Source::Ref { .. } | Source::Bundle { .. } => None,
        };
        let options = Options {
            source,
            listen: self.listen,
            tokens: self.tokens,
            commit_signing_key: self.commit_signing_key,
            log: Some(self.log_format.into()),
            notice: Arc::new(move |notice| {
                eprintln!("{notice}");
                // The first line is the token, so whatever else there is to say comes after it.
                if let (Notice::Listening(_), Some(nothing)) = (&notice, &nothing) {
                    eprintln!("{nothing}");
                }
            }),
            stop: Stop::default(),
        };
        server::serve(options)?;
        Ok(Status::Fine)
    }

    /// Refuses what is no address and no token file, where the help can say what is meant.
    fn refuse_slips(&self) -> Result<(), Failure> {
        if let Ok(port) = self.listen.parse::<u16>() {
            return Err(Failure::new(format!("`{port}` is a port without an address")).help(format!("did you mean `127.0.0.1:{port}`?")));
        }
        if let Some(state) = &self.state {
            Failure::unless_folder(state, "the folder that remembers the last good bundle")?;
        }
        match &self.tokens {
            Some(file) if !file.exists() => Err(Failure::new(format!("there is no token file `{}`", file.display()))
                .help(format!("make one with `lawbook token new --tokens {} --email … --role …`", shell::argument(file)))),
            _ => Ok(()),
        }
    }

    fn source(&self) -> miette::Result<Source> {
        if let (Some(bundle), Some(trust), Some(state)) = (&self.bundle, &self.trust, &self.state) {
            let location = match Location::parse(bundle) {
                Location::Files(_) => Location::Files(prefix::parse(bundle).map_err(Failure::new)?),
                address @ Location::Server(_) => address,
            };
            let expected = Expected { trust: trust.clone(), name: Some(self.name.clone()), audience: Some(self.audience.clone()) };
            return Ok(Source::Bundle { location, expected, state: state.clone() });
        }
        let dir = find_root(self.dir.as_deref())?;
        Ok(match &self.reference {
            Some(name) => Source::Ref { dir, name: name.clone() },
            None => Source::Worktree(dir),
        })
    }
}

/// That a folder holds no law book. It is served nevertheless: policies may be written through the server.
fn nothing(root: &Path) -> miette::Result<Option<String>> {
    // Where a configuration stands there is a law book, and nothing has to be read to know.
    if root.join(config::FILE_NAME).exists() || exists(&Workspace::open(root, &Origin::Worktree)?) {
        return Ok(None);
    }
    Ok(Some(nothing_in(root, " yet")))
}
