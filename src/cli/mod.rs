//! The command line: one file for each subcommand, and the exit status.
//!
//! A subcommand parses its arguments, calls the modules above, and shows what they say. It decides nothing itself. The
//! status is 0 when nothing is wrong, 1 when the answer is no (findings at error level, a denied decision, a bundle that
//! does not verify), and 2 when the command could not do its work, wrong usage and defects included; never anything else.

mod as_of;
mod audit;
mod audit_checkpoint;
mod audit_verify;
mod blame;
mod build;
mod bundle;
mod check;
mod circumstances;
mod completions;
mod console;
mod decide;
mod diff;
mod effects;
mod eval_condition;
mod explain;
mod failure;
mod fix;
mod fmt;
mod init;
mod key;
mod law_book;
mod log;
mod new;
mod past;
mod prefix;
mod progress;
mod replace;
mod request;
mod requests;
mod restore;
mod revisions;
mod schema;
mod serve;
mod shell;
mod show;
mod sign;
mod span_of_time;
mod statement;
mod token;
mod trust;
mod unified;
mod unnamed;
mod verify;

use std::ffi::OsString;
use std::panic;
use std::panic::AssertUnwindSafe;
use std::process::ExitCode;

use clap::Parser;
use clap::Subcommand;

pub use console::Console;
pub use failure::Failure;

/// The answer of a command that did its work.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Status {
    /// Nothing is wrong.
    Fine,
    /// The answer is no.
    No,
    /// Part of the work could not be done; what was wrong has been said where it belongs.
    Incomplete,
}

impl Status {
    fn code(self) -> u8 {
        match self {
            Self::Fine => 0,
            Self::No => 1,
            Self::Incomplete => UNABLE,
        }
    }
}

/// The exit status when the command could not do its work.
const UNABLE: u8 = 2;

/// What a command gives back.
type Outcome = miette::Result<Status>;

/// A compiler and linter for access policies that live as YAML files in a git repository
#[derive(Debug, Parser)]
#[command(name = "lawbook", version, max_term_width = 100, subcommand_required = true, arg_required_else_help = true)]
#[command(
    after_help = "Exit status: 0 nothing is wrong; 1 the answer is no (an error, a denial, a bundle that does not verify); 2 the command could not do its work.\n\nStart here:\n  lawbook init my-policies\n  lawbook check my-policies"
)]
struct Cli {
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, Subcommand)]
enum Command {
    Init(init::Init),
    New(Box<new::New>),
    Check(check::Check),
    Fmt(fmt::Fmt),
    Diff(Box<diff::Diff>),
    Explain(explain::Explain),
    Decide(Box<decide::Decide>),
    EvalCondition(Box<eval_condition::EvalCondition>),
    Audit(Box<audit::Audit>),
    Log(log::Log),
    Show(show::Show),
    Blame(blame::Blame),
    Restore(restore::Restore),
    Key(key::Key),
    Build(Box<build::Build>),
    Sign(sign::Sign),
    Verify(verify::Verify),
    Bundle(bundle::Bundle),
    Trust(trust::Trust),
    Token(token::Token),
    Serve(Box<serve::Serve>),
    Schema(schema::Schema),
    Completions(completions::Completions),
}

impl Command {
    fn run(self, console: &mut Console) -> Outcome {
        match self {
            Self::Init(command) => command.run(console),
            Self::New(command) => command.run(console),
            Self::Check(command) => command.run(console),
            Self::Fmt(command) => command.run(console),
            Self::Diff(command) => command.run(console),
            Self::Explain(command) => command.run(console),
            Self::Decide(command) => command.run(console),
            Self::EvalCondition(command) => command.run(console),
            Self::Audit(command) => command.run(console),
            Self::Log(command) => command.run(console),
            Self::Show(command) => command.run(console),
            Self::Blame(command) => command.run(console),
            Self::Restore(command) => command.run(console),
            Self::Key(command) => command.run(console),
            Self::Build(command) => command.run(console),
            Self::Sign(command) => command.run(console),
            Self::Verify(command) => command.run(console),
            Self::Bundle(command) => command.run(console),
            Self::Trust(command) => command.run(console),
            Self::Token(command) => command.run(console),
            Self::Serve(command) => command.run(console),
            Self::Schema(command) => command.run(console),
            Self::Completions(command) => command.run(console),
        }
    }
}

/// Runs the command that the arguments name, and gives its exit status.
pub fn main(arguments: impl IntoIterator<Item = OsString>) -> ExitCode {
    panic::set_hook(Box::new(|defect| {
        let place = defect.location().map(|place| format!(" ({}:{})", place.file(), place.line())).unwrap_or_default();
        let what = defect.payload_as_str().unwrap_or("no reason given");
        eprintln!("lawbook: internal error{place}: {what}\n  help: this is a defect of lawbook; report it with the command that you ran");
    }));
    let arguments: Vec<OsString> = arguments.into_iter().collect();
    let status = panic::catch_unwind(AssertUnwindSafe(|| run(arguments))).unwrap_or(UNABLE);
    ExitCode::from(status)
}

fn run(arguments: Vec<OsString>) -> u8 {
    let cli = match Cli::try_parse_from(arguments) {
        Ok(cli) => cli,
        Err(error) => {
            // Help and version are asked for and go to standard output; a mistake goes to standard error.
            let _ = error.print();
            return if error.use_stderr() { UNABLE } else { 0 };
        }
    };
    let mut console = Console::new();
    let outcome = cli.command.run(&mut console).and_then(|status| Ok(console.finish().map(|()| status)?));
    match outcome {
        Ok(status) => status.code(),
        Err(error) => {
            console.fail(error.as_ref());
            UNABLE
        }
    }
}

#[cfg(test)]
mod tests {
    use clap::CommandFactory;

    use super::*;

    #[test]
    fn the_arguments_are_consistent() {
        Cli::command().debug_assert();
    }

    fn without_example(command: &clap::Command) -> Vec<String> {
        let own = command.get_after_help().is_none_or(|help| !help.to_string().contains("  lawbook "));
        let missing = own.then(|| command.get_name().to_owned());
        missing.into_iter().chain(command.get_subcommands().flat_map(without_example)).collect()
    }

    #[test]
    fn every_command_has_an_example_in_its_help() {
        assert_eq!(without_example(&Cli::command()), Vec::<String>::new());
    }
}
