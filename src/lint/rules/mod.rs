//! The table of rules, in the order in which `lawbook explain` lists them: first those without which a file has no meaning.
//! Each rule is a file of its own.

mod allow_deny_conflict;
mod ambiguous_precedence;
mod bidi_control;
mod compat_spelling;
mod condition_syntax;
mod critical_control_disabled;
mod duplicate_key;
mod duplicate_policy_id;
mod except_without_effect;
mod expired_suppression;
mod invalid_configuration;
mod invalid_directory;
mod member_format;
mod missing_description;
mod public_write;
mod run_not_runnable;
mod schema_violation;
mod unbounded_grant;
mod unenforced_control;
mod unknown_member;
mod unknown_service;
mod unreadable_file;
mod unused_suppression;
mod yaml_syntax;

use super::Rule;

/// Every rule.
pub static RULES: &[&Rule] = &[
    &unreadable_file::RULE,
    &yaml_syntax::RULE,
    &duplicate_key::RULE,
    &schema_violation::RULE,
    &duplicate_policy_id::RULE,
    &condition_syntax::RULE,
    &ambiguous_precedence::RULE,
    &invalid_configuration::RULE,
    &invalid_directory::RULE,
    &bidi_control::RULE,
    &public_write::RULE,
    &unbounded_grant::RULE,
    &allow_deny_conflict::RULE,
    &critical_control_disabled::RULE,
    &unenforced_control::RULE,
    &unknown_service::RULE,
    &unknown_member::RULE,
    &run_not_runnable::RULE,
    &member_format::RULE,
    &except_without_effect::RULE,
    &compat_spelling::RULE,
    &missing_description::RULE,
    &unused_suppression::RULE,
    &expired_suppression::RULE,
];
