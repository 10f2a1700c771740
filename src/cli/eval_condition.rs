//! `lawbook eval-condition`: tries a condition on a document, and says what every part is worth.

use std::collections::BTreeSet;
use std::path::Path;
use std::sync::Arc;

use clap::Args;
use clap::ValueEnum;

use super::Console;
use super::Failure;
use super::Outcome;
use super::Status;
use super::circumstances::Circumstances;
use super::decide::index;
use super::law_book::LawBook;
use crate::condition::ConditionError;
use crate::condition::Expr;
use crate::condition::Lists;
use crate::condition::Part;
use crate::condition::Term;
use crate::condition::parts;
use crate::condition::trial;
use crate::finding::nearest;
use crate::policy;
use crate::policy::Policy;
use crate::policy::PolicySet;
use crate::report::human::mistake;
use crate::report::trial::Judged;
use crate::report::trial::Role;
use crate::report::trial::TrialReport;
use crate::report::trial::human;
use crate::report::trial::json;
use crate::source::SourceFile;

/// Try a condition on a document: print whether it holds, and why, part by part
///
/// What is not given is absent. The exit status is 0 whether the condition holds or not, and 2 when it is no condition.
#[derive(Debug, Args)]
#[command(
    after_help = "Examples:\n  lawbook eval-condition \"category = 'a' and price < 10\" --document '{\"category\": \"a\", \"price\": 12}'\n  lawbook eval-condition 'owner = {me}' --document '{\"owner\": \"ann\"}' --subject user:ann\n  lawbook eval-condition \"tags = 'draft'\" --list tags --document '{\"tags\": [\"draft\"]}'\n  lawbook eval-condition --policy EditPrices --request request.json --format json\n\n`lawbook schema evaluation` describes what `--format json` writes."
)]
pub(super) struct EvalCondition {
    /// The condition; with `--policy`, the folder of the law book instead [default: the nearest one]
    #[arg(value_name = "CONDITION", required_unless_present = "policy", allow_hyphen_values = true)]
    text: Option<String>,

    /// Try the condition of this policy, or what this control requires, with the lists that its law book declares
    #[arg(long, value_name = "ID")]
    policy: Option<String>,

    /// Read the policy from this revision (a commit, branch or tag) instead of the files on disk
    #[arg(long, value_name = "REV", requires = "policy")]
    rev: Option<String>,

    /// An attribute or a reference that may hold a list; may be repeated
    #[arg(long, value_name = "NAME", value_parser = term)]
    list: Vec<Term>,

    #[command(flatten)]
    circumstances: Circumstances,

    /// The format on standard output
    #[arg(long, value_enum, value_name = "FORMAT", default_value_t = Format::Human)]
    format: Format,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
enum Format {
    /// A tree, for a terminal
    Human,
    /// For programs
    Json,
}

/// What is tried: a text, where it comes from, and the lists that are declared for it.
struct Subject {
    text: Arc<str>,
    /// Whether there is no condition, so that it always holds.
    always: bool,
    policy: Option<Arc<Policy>>,
    lists: Lists,
}

fn term(text: &str) -> Result<Term, String> {
    Term::parse(text).map_err(|error| format!("{}; name it as conditions do, such as `tags` or `{{me.roles}}`", error.message))
}

impl EvalCondition {
    pub(super) fn run(self, console: &mut Console) -> Outcome {
        let mut subject = match self.policy {
            None => Subject { text: self.text.unwrap_or_default().into(), always: false, policy: None, lists: Lists::default() },
            Some(id) => of_policy(&id, &LawBook { dir: self.text.map(Into::into), rev: self.rev }, console)?,
        };
        let whole = match parts(&subject.text) {
            _ if subject.always => Part { expr: Expr::And(Vec::new()), range: 0..0, operands: Vec::new() },
            Ok(whole) => whole,
            Err(errors) => return Ok(refused(&subject, &errors, console)),
        };
        for term in self.list {
            is_read(&term, &whole)?;
            subject.lists.insert(term);
        }
        let request = self.circumstances.request(console)?;
        let trial = match trial(&whole, &subject.lists, &request.facts()) {
            Ok(trial) => trial,
            Err(errors) => return Ok(refused(&subject, &errors, console)),
        };
        let policy = subject.policy.as_deref().map(judged);
        let report = TrialReport { text: &subject.text, trial: &trial, policy };
        let look = console.look();
        console.show(|out| match self.format {
            Format::Human => human::write(&report, look, out),
            Format::Json => json::write(&report, out),
        })?;
        Ok(Status::Fine)
    }
}

/// The condition of a policy.
fn of_policy(id: &str, book: &LawBook, console: &mut Console) -> miette::Result<Subject> {
    let loaded = book.load()?;
    let index = index(&loaded, console)?;
    let policy = index.set().get(id).ok_or_else(|| unknown(id, index.set(), &loaded.workspace.root))?;
    let text = match (policy.condition(), policy.as_ref()) {
        (Some(condition), _) => condition.text.clone(),
        (None, Policy::Access(_)) => "".into(),
        (None, Policy::Control(_)) => {
            let message = format!("the control `{id}` requires nothing: it is prose for people");
            return Err(Failure::new(message).help("add `require` to enforce it").into());
        }
    };
    // A law book that compiles has sound declarations.
    let lists = policy::lists(&loaded.workspace.book.config).unwrap_or_default();
    Ok(Subject { text, always: policy.condition().is_none(), policy: Some(policy.clone()), lists })
}

/// That the condition reads what is said to hold a list; anything else is a slip that would change nothing.
fn is_read(list: &Term, whole: &Part) -> Result<(), Failure> {
    let mut terms = BTreeSet::new();
    whole.expr.each_atom(&mut |atom| terms.extend([Some(atom.term()), atom.other_term()].into_iter().flatten()));
    if terms.contains(list) {
        return Ok(());
    }
    let names: Vec<String> = terms.iter().map(ToString::to_string).collect();
    let help = match nearest(&list.to_string(), names.iter().map(String::as_str)) {
        Some(near) => format!("did you mean `{}`?", near.escape_debug()),
        None => "name an attribute or a reference of the condition, or leave it out".to_owned(),
    };
    Err(Failure::new(format!("the condition does not read `{}`, which `--list` names", list.to_string().escape_debug())).help(help))
}

fn judged(policy: &Policy) -> Judged<'_> {
    let role = match policy {
        Policy::Access(access) if access.deny => Role::Denial,
        Policy::Access(_) => Role::Grant,
        Policy::Control(_) => Role::Control,
    };
    Judged { id: policy.id().as_str(), role, enabled: policy.enabled() }
}

fn unknown(id: &str, set: &PolicySet, root: &Path) -> Failure {
    let help = match nearest(id, set.ids()) {
        Some(near) => format!("did you mean `{}`?", near.escape_debug()),
        None => "`lawbook check` shows what the law book holds".to_owned(),
    };
    Failure::new(format!("there is no policy `{}` in `{}`", id.escape_debug(), root.display())).help(help)
}

/// Shows what is wrong with the condition, each mistake at its place.
fn refused(subject: &Subject, errors: &[ConditionError], console: &mut Console) -> Status {
    let name = subject.policy.as_ref().map_or("condition", |policy| policy.id().as_str());
    let file = SourceFile::new(name, subject.text.clone());
    for error in errors {
        console.complain(|look| mistake(&file, error.range.clone(), &error.message, error.help.as_deref(), look));
    }
    Status::Incomplete
}
