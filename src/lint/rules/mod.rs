//! The table of rules, in the order in which `lawbook explain` lists them: first those without which a file has no meaning.
//! Each rule is a file of its own.

mod allow_deny_conflict;
mod allow_matches_missing;
mod always_true_condition;
mod ambiguous_precedence;
mod assertion_failed;
mod bidi_control;
mod compat_spelling;
mod condition_syntax;
mod confusable_id;
mod contradicting_controls;
mod critical_control_disabled;
mod dead_allow;
mod denial_misses_missing;
mod duplicate_key;
mod duplicate_policy;
mod duplicate_policy_id;
mod except_without_effect;
mod expired_suppression;
mod inert_denial;
mod invalid_configuration;
mod invalid_directory;
mod like_without_wildcard;
mod like_wrong_wildcard;
mod lockout;
mod member_format;
mod mergeable_policies;
mod missing_description;
mod nobody_may_sign;
mod overlapping_addresses;
mod public_write;
mod redundant_policy;
mod never_satisfied_control;
mod redundant_condition_part;
mod run_not_runnable;
mod same_condition_exception;
mod schema_violation;
mod secret_in_policy;
mod signers_syntax;
mod type_conflict;
mod unbounded_grant;
mod undecided_analysis;
mod unenforced_control;
mod unknown_member;
mod unknown_reference;
mod unknown_service;
mod unreadable_file;
mod unsatisfiable_condition;
mod unsigned_commit;
mod unused_suppression;
mod update_without_read;
mod vacuous_assertion;
mod yaml_syntax;

use super::Rule;

/// The rule whose places hold secrets, which no report repeats.
pub const SECRET_RULE: &str = secret_in_policy::NAME;

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
    &unsigned_commit::RULE,
    &invalid_directory::RULE,
    &signers_syntax::RULE,
    &nobody_may_sign::RULE,
    &secret_in_policy::RULE,
    &bidi_control::RULE,
    &confusable_id::RULE,
    &type_conflict::RULE,
    &lockout::RULE,
    &contradicting_controls::RULE,
    &dead_allow::RULE,
    &same_condition_exception::RULE,
    &undecided_analysis::RULE,
    &unsatisfiable_condition::RULE,
    &never_satisfied_control::RULE,
    &always_true_condition::RULE,
    &allow_matches_missing::RULE,
    &denial_misses_missing::RULE,
    &public_write::RULE,
    &unbounded_grant::RULE,
    &assertion_failed::RULE,
    &vacuous_assertion::RULE,
    &allow_deny_conflict::RULE,
    &inert_denial::RULE,
    &duplicate_policy::RULE,
    &redundant_policy::RULE,
    &critical_control_disabled::RULE,
    &unenforced_control::RULE,
    &unknown_service::RULE,
    &unknown_member::RULE,
    &run_not_runnable::RULE,
    &member_format::RULE,
    &except_without_effect::RULE,
    &unknown_reference::RULE,
    &overlapping_addresses::RULE,
    &like_without_wildcard::RULE,
    &like_wrong_wildcard::RULE,
    &redundant_condition_part::RULE,
    &compat_spelling::RULE,
    &missing_description::RULE,
    &update_without_read::RULE,
    &mergeable_policies::RULE,
    &unused_suppression::RULE,
    &expired_suppression::RULE,
];
