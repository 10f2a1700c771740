//! `lawbook token new`: a token for one caller of the server.

use std::fs;
use std::io::ErrorKind;
use std::io::Write;
use std::path::Path;
use std::path::PathBuf;

use clap::Args;
use clap::Subcommand;
use clap::ValueEnum;
use serde_json::Value;

use super::Console;
use super::Failure;
use super::Outcome;
use super::Status;
use crate::policy::Member;
use crate::server::Role;
use crate::server::Token as Secret;
use crate::server::Tokens;

/// Give callers of the server their tokens
#[derive(Debug, Args)]
#[command(after_help = "Example:\n  lawbook token new --email ada@example.com --role editor --tokens tokens.toml")]
pub(super) struct Token {
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, Subcommand)]
enum Command {
    New(New),
}

/// Make a token, print it once, and add its holder to a token file
///
/// The file holds a digest and never the token. A running server takes the change over by itself.
#[derive(Debug, Args)]
#[command(
    after_help = "Examples:\n  lawbook token new --email ada@example.com --role editor --tokens tokens.toml\n  lawbook token new --email gateway@example.com --name 'API gateway' --role decide --tokens tokens.toml"
)]
struct New {
    /// The address of the holder, for commits and the audit log
    #[arg(long, value_name = "ADDRESS", value_parser = address)]
    email: String,

    /// The name of the holder, for commits [default: the address]
    #[arg(long, value_name = "NAME")]
    name: Option<String>,

    /// What the holder may do
    #[arg(long, value_enum)]
    role: RoleWord,

    /// A group of the holder; may be repeated
    #[arg(long, value_name = "GROUP")]
    group: Vec<String>,

    /// The token file; it is made if it does not exist
    #[arg(long, value_name = "FILE")]
    tokens: PathBuf,
}

#[derive(Debug, Clone, Copy, ValueEnum)]
enum RoleWord {
    /// Read policies, status and their own audit entries
    Viewer,
    /// And change policies
    Editor,
    /// And see every audit entry
    Admin,
    /// Ask for decisions, and nothing else
    Decide,
}

impl From<RoleWord> for Role {
    fn from(word: RoleWord) -> Self {
        match word {
            RoleWord::Viewer => Self::Viewer,
            RoleWord::Editor => Self::Editor,
            RoleWord::Admin => Self::Admin,
            RoleWord::Decide => Self::Decide,
        }
    }
}

fn address(text: &str) -> Result<String, String> {
    let is_address = matches!(Member::parse(text), Member::Email(_)) && Member::is_well_formed(text);
    is_address.then(|| text.to_owned()).ok_or_else(|| "write an address, such as `ada@example.com`".to_owned())
}

impl Token {
    pub(super) fn run(self, console: &mut Console) -> Outcome {
        let Command::New(new) = self.command;
        let token =
            Secret::new().map_err(|error| Failure::new(error.to_string()).help("try again, or make the token on another machine"))?;
        let earlier = held(&new.tokens, &new.email);
        append(&new.tokens, &new.entry(&token))?;
        console.say(token.as_str())?;
        if earlier {
            console.remark(format!("`{}` had a token already, which stays valid until it is taken out of the file", new.email));
        }
        let role = Role::from(new.role);
        console.remark(format!("added `{}` as {role} to {}; the token above is shown only this once", new.email, new.tokens.display()));
        Ok(Status::Fine)
    }
}

impl New {
    /// The holder as a table of the token file. A JSON string is also a TOML string.
    fn entry(&self, token: &Secret) -> String {
        let name = Value::from(self.name.as_deref().unwrap_or(&self.email));
        let (email, groups) = (Value::from(self.email.as_str()), Value::from(self.group.clone()));
        let (role, digest) = (Role::from(self.role), token.digest().to_hex());
        format!("[[token]]\nname   = {name}\nemail  = {email}\ngroups = {groups}\nrole   = \"{role}\"\nsha256 = \"{digest}\"\n")
    }
}

/// Whether a token file names a holder already. What is wrong with the file is told when it is written.
fn held(path: &Path, email: &str) -> bool {
    let entry = format!("email = {}", Value::from(email));
    let spaceless = |line: &str| line.split_whitespace().collect::<Vec<_>>().join(" ");
    fs::read_to_string(path).is_ok_and(|text| text.lines().any(|line| spaceless(line).eq_ignore_ascii_case(&entry)))
}

/// Adds text to a token file, which is made when there is none. The result must be a token file, and replaces the old one
/// whole, so that a running server never reads half of it.
fn append(path: &Path, entry: &str) -> Result<(), Failure> {
    let unwritable = |error: std::io::Error| Failure::unwritable(path, &error);
    let (before, permissions) = match fs::read_to_string(path) {
        Ok(text) => (text, Some(fs::metadata(path).map_err(unwritable)?.permissions())),
        Err(error) if error.kind() == ErrorKind::NotFound => (String::new(), None),
        Err(error) => return Err(Failure::unreadable(path, &error)),
    };
    let gap = if before.is_empty() || before.ends_with("\n\n") {
        ""
    } else if before.ends_with('\n') {
        "\n"
    } else {
        "\n\n"
    };
    let folder = path.parent().filter(|folder| !folder.as_os_str().is_empty()).unwrap_or(Path::new("."));
    // A new temporary file can be read by its owner only.
    let mut file = tempfile::Builder::new().prefix(".lawbook-").tempfile_in(folder).map_err(unwritable)?;
    file.write_all(format!("{before}{gap}{entry}").as_bytes()).map_err(unwritable)?;
    if let Some(permissions) = permissions {
        file.as_file().set_permissions(permissions).map_err(unwritable)?;
    }
    file.as_file().sync_all().map_err(unwritable)?;
    Tokens::from_file(file.path()).map_err(|refused| {
        let message = refused.message.replace(&file.path().display().to_string(), &path.display().to_string());
        Failure::new(message).help(refused.help)
    })?;
    file.persist(path).map_err(|error| unwritable(error.error))?;
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn new(email: &str, tokens: &Path) -> New {
        let group = vec!["a \"b\"".to_owned()];
        New { email: email.to_owned(), name: None, role: RoleWord::Editor, group, tokens: tokens.to_owned() }
    }

    #[test]
    fn holders_are_added_to_a_file_that_stays_readable() {
        let folder = tempfile::tempdir().expect("a folder");
        let path = folder.path().join("tokens.toml");
        let tokens: Vec<Secret> = ["ada@example.com", "bob@example.com"]
            .map(|email| {
                let token = Secret::new().expect("random bytes");
                append(&path, &new(email, &path).entry(&token)).expect("added");
                token
            })
            .into();
        let file = Tokens::from_file(&path).expect("a token file");
        let holder = file.holder(tokens[1].as_str()).expect("a holder");
        assert_eq!((holder.email.as_str(), holder.groups.as_slice()), ("bob@example.com", ["a \"b\"".to_owned()].as_slice()));
        assert!(file.holder(tokens[0].as_str()).is_some());
    }

    #[test]
    fn a_holder_that_no_commit_can_name_is_refused_and_the_file_stays() {
        let folder = tempfile::tempdir().expect("a folder");
        let path = folder.path().join("tokens.toml");
        let token = Secret::new().expect("random bytes");
        assert!(append(&path, &new("ada <x>", &path).entry(&token)).is_err());
        assert_eq!(fs::read_dir(folder.path()).expect("read").count(), 0);
    }
}
