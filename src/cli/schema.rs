//! `lawbook schema`: the published JSON Schemas.

use clap::Args;
use clap::ValueEnum;

use super::Console;
use super::Outcome;
use super::Status;
use crate::report::audit::json::AUDIT_SCHEMA;
use crate::report::diff::json::DIFF_SCHEMA;
use crate::report::json::FINDINGS_SCHEMA;
use crate::report::trial::json::EVALUATION_SCHEMA;
use crate::report::verification::json::VERIFICATION_SCHEMA;
use crate::report::versions::json::BLAME_SCHEMA;
use crate::report::versions::json::LOG_SCHEMA;
use crate::schema::DIRECTORY_SCHEMA;
use crate::schema::POLICY_SCHEMA;

/// Print a JSON Schema (draft 2020-12): of policies, of lawbook.toml, of directory.yaml, of requests, of outputs
#[derive(Debug, Args)]
#[command(after_help = "Examples:\n  lawbook schema policy > schema/policy.schema.json\n  lawbook schema findings")]
pub(super) struct Schema {
    /// What the schema is of
    #[arg(value_enum, default_value_t = Subject::Policy)]
    of: Subject,
}

#[derive(Debug, Clone, Copy, ValueEnum)]
enum Subject {
    /// A policy, as one YAML document; editors read this one
    Policy,
    /// lawbook.toml
    Config,
    /// directory.yaml
    Directory,
    /// The request that `lawbook decide` reads
    Request,
    /// The answer that `lawbook decide` gives
    Decision,
    /// What `lawbook eval-condition --format json` writes
    Evaluation,
    /// What `lawbook check --format json` writes
    Findings,
    /// What `lawbook diff --format json` writes
    Diff,
    /// What `lawbook audit --format json` writes
    Audit,
    /// What `lawbook log --format json` writes
    Log,
    /// What `lawbook blame --format json` writes
    Blame,
    /// What `lawbook audit verify --format json` writes
    Verification,
}

impl Schema {
    pub(super) fn run(self, console: &mut Console) -> Outcome {
        let text = match self.of {
            Subject::Policy => POLICY_SCHEMA,
            Subject::Config => include_str!("../../schema/config.schema.json"),
            Subject::Directory => DIRECTORY_SCHEMA,
            Subject::Request => include_str!("../../schema/request.schema.json"),
            Subject::Decision => include_str!("../../schema/decision.schema.json"),
            Subject::Evaluation => EVALUATION_SCHEMA,
            Subject::Findings => FINDINGS_SCHEMA,
            Subject::Diff => DIFF_SCHEMA,
            Subject::Audit => AUDIT_SCHEMA,
            Subject::Log => LOG_SCHEMA,
            Subject::Blame => BLAME_SCHEMA,
            Subject::Verification => VERIFICATION_SCHEMA,
        };
        console.say(text.trim_end())?;
        Ok(Status::Fine)
    }
}
