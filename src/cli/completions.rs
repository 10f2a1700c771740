//! `lawbook completions`: completions for a shell.

use clap::Args;
use clap::CommandFactory;
use clap_complete::Shell;

use super::Cli;
use super::Console;
use super::Outcome;
use super::Status;

/// Print completions for a shell
#[derive(Debug, Args)]
#[command(after_help = "Example:\n  lawbook completions bash > ~/.local/share/bash-completion/completions/lawbook")]
pub(super) struct Completions {
    /// The shell
    #[arg(value_enum)]
    shell: Shell,
}

impl Completions {
    pub(super) fn run(self, console: &mut Console) -> Outcome {
        let mut script = Vec::new();
        clap_complete::generate(self.shell, &mut Cli::command(), "lawbook", &mut script);
        console.show(|out| out.write_all(&script))?;
        Ok(Status::Fine)
    }
}
