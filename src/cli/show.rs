//! `lawbook show`: a policy as it was.

use std::path::PathBuf;

use clap::Args;
use clap::ValueEnum;

use super::Console;
use super::Failure;
use super::Outcome;
use super::Status;
use super::as_of::as_of;
use crate::policy::to_value;
use crate::report::printable::one_line;
use crate::report::printable::printable;
use crate::report::versions::short;

/// Print a policy as it was at a revision, by the text of its file or as JSON
///
/// The text is that of its document alone, byte for byte, comments included; on a terminal, characters that it would obey are
/// replaced. The last `@` parts the revision from the id: a policy `ann@example.com` is shown by `ann@example.com@HEAD`. A policy
/// that could not be read at that revision gives the exit status 1.
#[derive(Debug, Args)]
#[command(
    after_help = "Examples:\n  lawbook show ReadReports\n  lawbook show ReadReports@v1.2\n  lawbook show ReadReports@4f0c2d91aa --format json"
)]
pub(super) struct Show {
    /// The id of the policy, and the commit, branch or tag [default: HEAD]
    #[arg(value_name = "POLICY[@REV]")]
    policy: String,

    /// The folder of the law book [default: the nearest one from the current folder upwards]
    dir: Option<PathBuf>,

    /// The format: yaml (the text of the file) or json (canonical, defaults included)
    #[arg(long, value_name = "FORMAT", value_enum, default_value_t = ShowFormat::Yaml, hide_possible_values = true)]
    format: ShowFormat,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
enum ShowFormat {
    Yaml,
    Json,
}

/// The id and the revision of `POLICY[@REV]`.
fn parse(text: &str) -> Result<(&str, &str), Failure> {
    match text.rsplit_once('@') {
        None => Ok((text, "HEAD")),
        Some((id, revision)) if !id.is_empty() && !revision.is_empty() => Ok((id, revision)),
        Some(_) => {
            let message = format!("`{}` names no policy, or no revision: the last `@` parts the two", one_line(text));
            Err(Failure::new(message).help("write `POLICY`, or `POLICY@REV`"))
        }
    }
}

impl Show {
    pub(super) fn run(self, console: &mut Console) -> Outcome {
        let (id, revision) = parse(&self.policy)?;
        let found = as_of(id, revision, self.dir.as_deref(), console)?;
        if found.id != id {
            console.remark(format!("it was called `{}` then", one_line(&found.id)));
        }
        console.remark(format!("{} in commit {}", one_line(&found.path), short(&found.commit)));
        match (self.format, &found.policy) {
            (ShowFormat::Json, Ok(policy)) => console.say(to_value(policy).to_string())?,
            (ShowFormat::Json, Err(_)) => {}
            (ShowFormat::Yaml, _) if console.is_terminal() => {
                let text = printable(&found.text).into_owned();
                console.show(|out| out.write_all(text.as_bytes()))?;
            }
            (ShowFormat::Yaml, _) => console.show(|out| out.write_all(found.text.as_bytes()))?,
        }
        let Err(why) = &found.policy else { return Ok(Status::Fine) };
        let what = if self.format == ShowFormat::Json { "; there is only its text, with `--format yaml`" } else { "" };
        console.remark(format!("it could not be read at that commit: {}{what}", one_line(why)));
        Ok(Status::No)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_last_at_sign_parts_the_revision_from_the_id() {
        let check = |text: &str, expected: Option<(&str, &str)>| assert_eq!(parse(text).ok(), expected, "{text}");
        check("A", Some(("A", "HEAD")));
        check("A@v1", Some(("A", "v1")));
        check("a@b.c@v1", Some(("a@b.c", "v1")));
        check("A@", None);
        check("@v1", None);
    }
}
