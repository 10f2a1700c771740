//! What the message of a commit claims: who approved it, and what it was for.
//!
//! Whoever writes a commit writes its message. So these are claims, and every format that shows them says so. The names of the
//! trailers are those that git and the common platforms use; they are compared without regard to case.

use crate::history::Landing;

/// Trailers that name somebody who approved.
const APPROVALS: [&str; 3] = ["Reviewed-by", "Approved-by", "Acked-by"];

/// Trailers that name a ticket, or the request that the change was made for.
const TICKETS: [&str; 12] = [
    "Ticket",
    "Issue",
    "Jira",
    "Bug",
    "Change-Request",
    "Change",
    "Fixes",
    "Closes",
    "Resolves",
    "Refs",
    "References",
    Landing::REQUEST_ID,
];

/// Who approved, as the message claims: the name of each trailer and its value, in order.
pub fn approvals(landing: &Landing) -> Vec<(&str, &str)> {
    named(landing, &APPROVALS)
}

/// What it was for, as the message claims: the name of each trailer and its value, in order.
pub fn tickets(landing: &Landing) -> Vec<(&str, &str)> {
    named(landing, &TICKETS)
}

fn named<'a>(landing: &'a Landing, names: &[&str]) -> Vec<(&'a str, &'a str)> {
    let wanted = |key: &str| names.iter().any(|name| name.eq_ignore_ascii_case(key));
    landing.trailers.iter().filter(|(key, _)| wanted(key)).map(|(key, value)| (key.as_str(), value.as_str())).collect()
}
