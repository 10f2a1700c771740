//! `lawbook decide`: answers requests from a law book, as the server would.

use std::fs::File;
use std::io;
use std::io::BufReader;
use std::io::IsTerminal;
use std::io::Read;
use std::path::Path;
use std::path::PathBuf;

use clap::Args;
use serde::Serialize;
use serde_json::Value;

use super::Console;
use super::Failure;
use super::Outcome;
use super::Status;
use super::failure::reason;
use super::law_book::LawBook;
use super::law_book::Loaded;
use super::request::RequestArgs;
use super::requests::answer_lines;
use super::unnamed;
use crate::decision::Index;
use crate::decision::Request;
use crate::decision::read_json;
use crate::report::Format;
use crate::report::Look;
use crate::report::count;

/// The largest single request, in bytes.
const MAX_REQUEST_BYTES: u64 = 1024 * 1024;

/// Decide a request: print whether it is allowed, and which policies decided
///
/// The request is given as flags, or as an AuthZEN evaluation request in a file or on standard input. The exit status is 1
/// when it is denied.
#[derive(Debug, Args)]
#[command(
    after_help = "Examples:\n  lawbook decide --subject alice@example.com --action read --service report --document '{\"category\": \"Examples\"}'\n  lawbook decide --subject service:backup --group operators --action read --service object --id o1\n  lawbook decide --request request.json\n  lawbook decide --requests requests.jsonl > decisions.jsonl\n\n`lawbook schema request` describes a request, `lawbook schema decision` the answer."
)]
pub(super) struct Decide {
    #[command(flatten)]
    book: LawBook,

    #[command(flatten)]
    flags: RequestArgs,

    /// A file with one request; `-` is standard input, which is also the default
    #[arg(long, value_name = "FILE", conflicts_with_all = ["subject", "requests"])]
    request: Option<PathBuf>,

    /// A file with one request on each line; answered in order, one line each. `-` is standard input
    #[arg(long, value_name = "FILE", conflicts_with = "subject")]
    requests: Option<PathBuf>,
}

/// The answer on the wire.
#[derive(Serialize)]
struct WireDecision<'a> {
    decision: bool,
    policies: Vec<&'a str>,
}

impl Decide {
    pub(super) fn run(self, console: &mut Console) -> Outcome {
        let loaded = self.book.load()?;
        let index = index(&loaded, console)?;
        if let Some(path) = self.requests {
            let status = if path == Path::new("-") {
                answer_lines(&index, io::stdin().lock(), "standard input", console)?
            } else {
                let file = File::open(&path).map_err(|error| Failure::unreadable(&path, &error))?;
                answer_lines(&index, BufReader::with_capacity(256 * 1024, file), &path.display().to_string(), console)?
            };
            return Ok(status);
        }
        let request = match self.flags.request()? {
            Some(request) => request,
            None => read(self.request.as_deref())?,
        };
        let (text, allowed) = answer(&index, &request).map_err(|message| {
            Failure::new(format!("this is no request: {message}")).help("`lawbook schema request` describes a request")
        })?;
        console.say(text)?;
        if allowed {
            return Ok(Status::Fine);
        }
        if let Ok(request) = Request::from_authzen(&request) {
            unnamed::notes(&request, index.set(), &loaded.workspace.book.config).into_iter().for_each(|note| console.remark(note));
        }
        Ok(Status::No)
    }
}

/// The law book, ready to answer.
///
/// # Errors
/// The meaning of a file is unknown; the findings have been shown.
pub(super) fn index(loaded: &Loaded, console: &mut Console) -> miette::Result<Index> {
    loaded.workspace.compile().map(Index::new).map_err(|findings| {
        let mut text = Vec::new();
        // Writing to a vector does not fail.
        let _ = Format::Concise.write(&loaded.report(&findings, Look::PLAIN), &mut text);
        console.remark(String::from_utf8_lossy(&text).trim_end());
        let message = format!("the law book cannot decide: {} the meaning of a file unknown", leave(findings.len()));
        Failure::new(message).help("repair what is listed above; `lawbook check` shows it with its context").into()
    })
}

fn leave(number: usize) -> String {
    let verb = if number == 1 { "leaves" } else { "leave" };
    format!("{} {verb}", count(number, "finding"))
}

/// Reads one request from a file or from standard input.
pub(super) fn read(path: Option<&Path>) -> miette::Result<Value> {
    let named = path.filter(|path| *path != Path::new("-"));
    let mut bytes = Vec::new();
    let name = match named {
        Some(path) => {
            let file = File::open(path).map_err(|error| Failure::unreadable(path, &error))?;
            file.take(MAX_REQUEST_BYTES + 1).read_to_end(&mut bytes).map_err(|error| Failure::unreadable(path, &error))?;
            format!("`{}`", path.display())
        }
        None if path.is_none() && io::stdin().is_terminal() => {
            return Err(Failure::new("there is no request")
                .help("describe it with `--subject`, `--action` and `--service`, or name a file with `--request`")
                .into());
        }
        None => {
            let outcome = io::stdin().lock().take(MAX_REQUEST_BYTES + 1).read_to_end(&mut bytes);
            outcome.map_err(|error| Failure::new(format!("standard input cannot be read: {}", reason(&error))))?;
            "standard input".to_owned()
        }
    };
    if bytes.len() as u64 > MAX_REQUEST_BYTES {
        return Err(Failure::new(format!("{name} is larger than {MAX_REQUEST_BYTES} bytes"))
            .help("write many requests one on each line, and use `--requests`")
            .into());
    }
    let text = without_mark(&bytes);
    if text.trim_ascii().is_empty() {
        return Err(Failure::new(format!("{name} holds no request")).help("`lawbook schema request` describes a request").into());
    }
    read_json(text).map_err(|error| {
        let kind = if error.is_data() { "is ambiguous" } else { "is not JSON" };
        Failure::new(format!("{name} {kind}: {error}")).help("`lawbook schema request` describes a request").into()
    })
}

/// JSON without the byte order mark that some editors and shells write before it.
pub(super) fn without_mark(bytes: &[u8]) -> &[u8] {
    bytes.strip_prefix("\u{feff}".as_bytes()).unwrap_or(bytes)
}

/// The answer as one line of JSON, and whether the request is allowed.
///
/// # Errors
/// Why the value is no request.
pub(super) fn answer(index: &Index, request: &Value) -> Result<(String, bool), String> {
    let request = Request::from_authzen(request).map_err(|error| error.message)?;
    let decision = index.decide(&request);
    let wire = WireDecision { decision: decision.allowed, policies: decision.policies.iter().map(|id| id.as_str()).collect() };
    let text = serde_json::to_string(&wire).map_err(|error| error.to_string())?;
    Ok((text, decision.allowed))
}
