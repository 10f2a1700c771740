//! `lawbook new`: a policy from a template, in a file of its own.
//!
//! Without a template it lists them: nothing is ever asked for on a terminal, so what works by hand works in a script.

use std::path::Path;
use std::path::PathBuf;

use clap::Args;
use serde_json::Map;
use serde_json::Value;

use super::Console;
use super::Failure;
use super::Outcome;
use super::Status;
use super::init::known;
use super::init::write_new;
use super::law_book::Loaded;
use super::law_book::absent;
use super::law_book::exists;
use super::law_book::today;
use super::shell;
use crate::config::FILE_NAME;
use crate::config::Selection;
use crate::finding::Finding;
use crate::finding::Severity;
use crate::lint::Book;
use crate::report::Format;
use crate::report::printable::one_line;
use crate::template;
use crate::template::NewPolicy;
use crate::template::Presence;
use crate::template::TEMPLATES;
use crate::template::Template;
use crate::template::TemplateError;
use crate::workspace;
use crate::workspace::Origin;
use crate::workspace::Raw;
use crate::workspace::RawFile;
use crate::workspace::Workspace;
use crate::workspace::find_root;

/// Make a policy from a template, or list the templates
///
/// Nothing that exists is overwritten, and no id is used twice. The file is written where `new-file` under [server] in
/// lawbook.toml says, and is checked with the law book at once.
#[derive(Debug, Args)]
#[command(
    after_help = "Examples:\n  lawbook new                                        list the templates\n  lawbook new --list --template read-only-team       what a template asks for\n  lawbook new --template read-only-team --set service=report --set team=analysts,ann@example.com\n  lawbook new --template mfa-control --output -      print it, and write nothing"
)]
pub(super) struct New {
    /// The template
    #[arg(long, value_name = "NAME")]
    template: Option<String>,

    /// List the templates, or with `--template` what that one asks for
    #[arg(long)]
    list: bool,

    /// The id of the policy [default: made of the template and the service]
    #[arg(long, requires = "template", conflicts_with = "list")]
    id: Option<String>,

    /// Give a parameter a value; a list is written with commas, or as JSON
    #[arg(long, value_name = "PARAMETER=VALUE", value_parser = setting, requires = "template", conflicts_with = "list")]
    set: Vec<(String, String)>,

    /// Write this file instead; `-` prints the policy and writes nothing
    #[arg(long, value_name = "FILE", requires = "template", conflicts_with = "list")]
    output: Option<PathBuf>,

    /// The folder of the law book [default: the nearest one from the current folder upwards]
    dir: Option<PathBuf>,
}

fn setting(text: &str) -> Result<(String, String), String> {
    let (name, value) = text.split_once('=').ok_or("write a parameter and its value, such as `service=report`")?;
    Ok((name.to_owned(), value.to_owned()))
}

impl New {
    pub(super) fn run(self, console: &mut Console) -> Outcome {
        let Some(name) = &self.template else { return Ok(list(console).map(|()| Status::Fine)?) };
        let template = template::template(name)?;
        if self.list {
            return Ok(describe(template, console).map(|()| Status::Fine)?);
        }
        let parameters = self.parameters(template)?;
        let policies = template::instantiate(name, self.id.as_deref(), &parameters).map_err(|error| at_the_prompt(error, template))?;
        let text = policies.iter().map(|policy| policy.text.as_str()).collect::<Vec<_>>().join("---\n");
        if self.output.as_deref() == Some(Path::new("-")) {
            console.show(|out| out.write_all(text.as_bytes()))?;
            return Ok(Status::Fine);
        }
        self.write(&policies, text, console)
    }

    /// The settings as values. A list may be given in several settings; anything else only once.
    fn parameters(&self, template: &Template) -> Result<Map<String, Value>, TemplateError> {
        let mut parameters = Map::new();
        for (name, text) in &self.set {
            let parameter = template.parameter(name)?;
            match (parameters.get_mut(name), parameter.from_setting(text)?) {
                (None, value) => {
                    parameters.insert(name.clone(), value);
                }
                (Some(Value::Array(so_far)), Value::Array(more)) => so_far.extend(more),
                (Some(_), _) => {
                    return Err(TemplateError::Value {
                        parameter: name.clone(),
                        message: "it is set twice".to_owned(),
                        help: "set it once".to_owned(),
                    });
                }
            }
        }
        Ok(parameters)
    }

    fn write(&self, policies: &[NewPolicy], text: String, console: &mut Console) -> Outcome {
        let root = find_root(self.dir.as_deref())?;
        let loaded = workspace::load(&root, &Origin::Worktree)?;
        let before = Workspace::new(loaded.raw.clone());
        let is_law_book = exists(&before);
        let Some(first) = policies.first() else { return Ok(Status::Fine) };
        let (path, shown) = match &self.output {
            Some(file) => (file.clone(), file.display().to_string()),
            None if !is_law_book => return Err(absent(&loaded.root, &Origin::Worktree).into()),
            None => {
                let place = place(&before.book, first)?;
                (loaded.root.join(&place), place)
            }
        };
        refuse_known(&before.book, policies)?;
        let inside = inside(&loaded.root, &path).filter(|path| Selection::new(&before.book.config).selects(path));
        if path.symlink_metadata().is_ok() {
            return Err(taken(&shown).into());
        }
        let checked = inside.as_ref().map(|path| Checked::new(loaded.raw, path, &text));
        if !write_new(&path, &text)? {
            return Err(taken(&shown).into());
        }
        console.say(format!("wrote {}", one_line(&shown)))?;
        for policy in policies {
            console.say(format!("  {}  {}", one_line(policy.id.as_str()), one_line(policy.policy.description().unwrap_or_default())))?;
        }
        let Some(checked) = checked else {
            if is_law_book {
                console.remark(format!("`{}` is not among the policy files of the law book; see `files` in {FILE_NAME}", one_line(&shown)));
            }
            return Ok(Status::Fine);
        };
        self.conclude(&checked, console)
    }

    /// What the linter says of the new file, and the next step.
    fn conclude(&self, checked: &Checked, console: &mut Console) -> Outcome {
        if !checked.findings.is_empty() {
            console.say("")?;
            checked.show(console)?;
        }
        let argument = self.dir.as_ref().map_or_else(String::new, |dir| format!(" {}", shell::argument(dir)));
        console.say(format!("\nRead what its comments say, adapt it, and check the law book with `lawbook check{argument}`."))?;
        let wrong = checked.findings.iter().any(|finding| finding.severity == Severity::Error);
        Ok(if wrong { Status::No } else { Status::Fine })
    }
}

/// The path in the law book, if the file is to lie there.
fn inside(root: &Path, path: &Path) -> Option<String> {
    let absolute = std::path::absolute(path).ok()?;
    let standing = absolute.ancestors().skip(1).find(|folder| folder.is_dir())?;
    let below = absolute.strip_prefix(standing).ok()?;
    let whole = standing.canonicalize().ok()?.join(below);
    let parts: Option<Vec<&str>> = whole.strip_prefix(root).ok()?.components().map(|part| part.as_os_str().to_str()).collect();
    parts.map(|parts| parts.join("/"))
}

/// A law book with a new file in it, and what there is to say of that file.
struct Checked {
    loaded: Loaded,
    findings: Vec<Finding>,
}

impl Checked {
    fn new(mut raw: Raw, path: &str, text: &str) -> Self {
        raw.files.push(RawFile { path: path.to_owned(), content: Ok(text.as_bytes().to_vec()) });
        raw.files.sort_by(|one, other| one.path.as_bytes().cmp(other.path.as_bytes()));
        let workspace = Workspace::new(raw);
        let mut findings = workspace.check(today());
        findings.retain(|finding| workspace.book.sources.path(finding.primary.span.source) == path);
        Self { loaded: Loaded { workspace, revision: None }, findings }
    }

    fn show(&self, console: &mut Console) -> Result<(), Failure> {
        let report = self.loaded.report(&self.findings, console.look());
        console.show(|out| Format::Human.write(&report, out))
    }
}

/// Where the file of a new policy lies, as the configuration says.
fn place(book: &Book, policy: &NewPolicy) -> Result<String, Failure> {
    if !book.config_problems.is_empty() {
        let message = format!("{FILE_NAME} is not valid, so it is not known where a new policy belongs");
        return Err(Failure::new(message).help("repair it first; `lawbook check` shows the place"));
    }
    let path = book.config.server.file_of(policy.id.as_str());
    if Selection::new(&book.config).selects(&path) {
        return Ok(path);
    }
    let message = format!("`{}`, the file of a new policy, is not among the policy files", one_line(&path));
    Err(Failure::new(message).help(format!("name another file with `--output`, or change `new-file` under [server] in {FILE_NAME}")))
}

/// Refuses an id that a policy of the law book has, in any case, also one that cannot be read.
fn refuse_known(book: &Book, policies: &[NewPolicy]) -> Result<(), Failure> {
    let known = known(book);
    let same = |id: &str| known.iter().find(|(other, _)| other.to_lowercase() == id);
    match policies.iter().find_map(|policy| same(&policy.id.folded())) {
        Some((id, path)) => {
            let message = format!("there is a policy `{}` already, in {}", one_line(id), one_line(path));
            Err(Failure::new(message).help("give the new one another id with `--id`"))
        }
        None => Ok(()),
    }
}

fn taken(shown: &str) -> Failure {
    Failure::new(format!("`{}` exists already", one_line(shown)))
        .help("give the policy another id with `--id`, or another file with `--output`")
}

/// The error with the options that repair it.
fn at_the_prompt(error: TemplateError, template: &Template) -> miette::Report {
    let help = match &error {
        TemplateError::Missing { missing, .. } => {
            let settings: Vec<String> =
                missing.iter().map(|parameter| format!("--set {}={}", parameter.name, quoted(parameter.example))).collect();
            format!(
                "add `{}`, with your own values; `lawbook new --list --template {}` says what they are",
                settings.join(" "),
                template.name
            )
        }
        TemplateError::Id { .. } => {
            return Failure::new(error.to_string()).help(format!("give an id with `--id`: {}", help_of(&error))).into();
        }
        _ => return error.into(),
    };
    Failure::new(error.to_string()).help(help).into()
}

fn help_of(error: &TemplateError) -> String {
    miette::Diagnostic::help(error).map(|help| help.to_string()).unwrap_or_default()
}

/// A value as a shell takes it.
fn quoted(text: &str) -> String {
    shell::argument(Path::new(text))
}

fn list(console: &mut Console) -> Result<(), Failure> {
    let width = TEMPLATES.iter().map(|template| template.name.len()).max().unwrap_or_default();
    for template in TEMPLATES {
        console.say(format!("{:width$}  {:13}  {}", template.name, template.kind.as_str(), template.description))?;
    }
    console.say("\n`lawbook new --list --template NAME` says what a template asks for, and")?;
    console.say("`lawbook new --template NAME --set PARAMETER=VALUE …` makes a policy of it.")
}

fn describe(template: &Template, console: &mut Console) -> Result<(), Failure> {
    console.say(format!("{}: {} ({})\n", template.title, template.description, template.kind.as_str()))?;
    let name = template.parameters.iter().map(|parameter| parameter.name.len()).max().unwrap_or_default();
    let kind = template.parameters.iter().map(|parameter| parameter.kind.as_str().len()).max().unwrap_or_default();
    for parameter in template.parameters {
        let presence = match parameter.presence {
            Presence::Required => "required".to_owned(),
            Presence::Default(text) => format!("default {text}"),
            Presence::Optional => "optional".to_owned(),
        };
        console.say(format!("{:name$}  {:kind$}  {} ({presence})", parameter.name, parameter.kind.as_str(), parameter.description))?;
    }
    let needed = template.parameters.iter().filter(|parameter| parameter.presence == Presence::Required);
    let settings: String = needed.map(|parameter| format!(" --set {}={}", parameter.name, quoted(parameter.example))).collect();
    console.say(format!("\nFor example: lawbook new --template {}{settings}", template.name))
}
