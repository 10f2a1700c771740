//! The templates there are. Their text lies in the files beside this one, one for each, and is read by people as it is.

use super::parameter::Parameter;
use super::parameter::ParameterKind;
use super::parameter::Presence;
use crate::schema::Kind;

/// A policy, or a few that belong together, with places for values.
#[derive(Debug, PartialEq, Eq)]
pub struct Template {
    /// The name.
    pub name: &'static str,
    /// A name for people.
    pub title: &'static str,
    /// What the policy does: lower case, no full stop.
    pub description: &'static str,
    /// The kind of all its policies.
    pub kind: Kind,
    /// What the id begins with when none is given; the service follows.
    pub(super) id: &'static str,
    /// What it asks for.
    pub parameters: &'static [Parameter],
    /// The parameter without which only the first of its policies is made.
    pub(super) others_need: Option<&'static str>,
    /// The text: YAML documents with `<name>` where a value belongs.
    pub text: &'static str,
}

const fn parameter(
    name: &'static str,
    description: &'static str,
    kind: ParameterKind,
    presence: Presence,
    example: &'static str,
) -> Parameter {
    Parameter { name, description, kind, presence, example }
}

const fn service(example: &'static str) -> Parameter {
    parameter("service", "the service that it is about", ParameterKind::Service, Presence::Required, example)
}

const fn narrowed_service(example: &'static str) -> Parameter {
    parameter("service", "the service that it is narrowed to", ParameterKind::Service, Presence::Optional, example)
}

const SOURCE: Parameter = parameter("source", "where the documents are", ParameterKind::Source, Presence::Default("private"), "public");

const fn actions(default: &'static str) -> Parameter {
    parameter("actions", "what is done", ParameterKind::Actions, Presence::Default(default), "read,update")
}

const MEMBERS: Parameter = parameter("members", "whom it is narrowed to", ParameterKind::Members, Presence::Optional, "contractors");

const EXCEPT: Parameter = parameter("except", "whom it does not bind", ParameterKind::Exceptions, Presence::Optional, "service:backup");

/// Every template, in the order in which they are listed.
pub static TEMPLATES: &[Template] = &[
    Template {
        name: "read-only-team",
        title: "Read-only team",
        description: "a team reads a service, and changes nothing in it",
        kind: Kind::Access,
        id: "ReadOnly",
        parameters: &[parameter("team", "who reads", ParameterKind::Members, Presence::Required, "analysts"), service("report"), SOURCE],
        others_need: None,
        text: include_str!("read-only-team.yaml"),
    },
    Template {
        name: "everyone-except",
        title: "Everyone except",
        description: "nobody does something on a service, except the people who are named",
        kind: Kind::Access,
        id: "EveryoneExcept",
        parameters: &[
            parameter("except", "who may, as far as they are granted it", ParameterKind::Exceptions, Presence::Required, "auditors"),
            service("ledger"),
            actions("update,delete"),
            SOURCE,
            parameter(
                "team",
                "who is granted the actions; leave it out where another policy grants them",
                ParameterKind::Members,
                Presence::Optional,
                "accounting",
            ),
        ],
        others_need: Some("team"),
        text: include_str!("everyone-except.yaml"),
    },
    Template {
        name: "own-documents",
        title: "Own documents only",
        description: "everybody works with their own documents of a service, and only with those",
        kind: Kind::Access,
        id: "OwnDocuments",
        parameters: &[
            service("note"),
            parameter(
                "attribute",
                "the attribute that holds the id of the owner",
                ParameterKind::Attribute,
                Presence::Default("owner"),
                "owner",
            ),
            actions("read,update"),
            parameter("members", "who works with their own", ParameterKind::Members, Presence::Default("*"), "staff"),
            SOURCE,
        ],
        others_need: None,
        text: include_str!("own-documents.yaml"),
    },
    Template {
        name: "hide-data-set",
        title: "Hide a data set",
        description: "some documents of a service are hidden from people who see the rest",
        kind: Kind::Access,
        id: "Hide",
        parameters: &[
            parameter("values", "the data sets to hide", ParameterKind::Texts, Presence::Required, "SALARIES,BONUSES"),
            parameter("hidden-from", "from whom", ParameterKind::Members, Presence::Required, "interns"),
            service("object"),
            parameter(
                "attribute",
                "the attribute that names the data set",
                ParameterKind::Attribute,
                Presence::Default("dataset"),
                "dataset",
            ),
            parameter(
                "except",
                "who sees them nevertheless, as far as they are granted it",
                ParameterKind::Exceptions,
                Presence::Optional,
                "hr",
            ),
            actions("read"),
            SOURCE,
            parameter(
                "readers",
                "who is granted the rest; leave it out where another policy grants it",
                ParameterKind::Members,
                Presence::Optional,
                "interns",
            ),
        ],
        others_need: Some("readers"),
        text: include_str!("hide-data-set.yaml"),
    },
    Template {
        name: "break-glass",
        title: "Break-glass access",
        description: "access for an emergency until a time, with an owner and a reason",
        kind: Kind::Access,
        id: "BreakGlass",
        parameters: &[
            parameter("members", "who has it", ParameterKind::Members, Presence::Required, "on-call"),
            service("payment"),
            parameter("expires", "when it ends", ParameterKind::Time, Presence::Required, "2026-08-01T06:00:00Z"),
            parameter("owner", "who answers for it", ParameterKind::Text, Presence::Required, "security@example.com"),
            parameter("reason", "why it is there", ParameterKind::Text, Presence::Required, "Payments are down"),
            parameter("ticket", "where it is tracked", ParameterKind::Text, Presence::Optional, "INC-4711"),
            actions("read,update"),
            parameter(
                "clock",
                "the fact that holds the time of the request",
                ParameterKind::Fact,
                Presence::Default("{context.time}"),
                "{context.time}",
            ),
            SOURCE,
        ],
        others_need: None,
        text: include_str!("break-glass.yaml"),
    },
    Template {
        name: "mfa-control",
        title: "Multi-factor authentication",
        description: "every request needs a second factor",
        kind: Kind::Control,
        id: "pol-mfa",
        parameters: &[
            parameter("factors", "the factors that are accepted", ParameterKind::Texts, Presence::Default("webauthn,totp"), "webauthn"),
            parameter("fact", "the fact that names the factor", ParameterKind::Fact, Presence::Default("{context.mfa}"), "{context.mfa}"),
            narrowed_service("payroll"),
            parameter("actions", "the actions that it is narrowed to", ParameterKind::Actions, Presence::Optional, "create,update,delete"),
            MEMBERS,
            EXCEPT,
        ],
        others_need: None,
        text: include_str!("mfa-control.yaml"),
    },
    Template {
        name: "network-allow-list",
        title: "Network allow-list",
        description: "requests have to come from networks that are known",
        kind: Kind::Control,
        id: "pol-network",
        parameters: &[
            parameter(
                "networks",
                "the networks, in CIDR notation",
                ParameterKind::Networks,
                Presence::Required,
                "10.0.0.0/8,2001:db8::/32",
            ),
            parameter("fact", "the fact that holds the address", ParameterKind::Fact, Presence::Default("{context.ip}"), "{context.ip}"),
            narrowed_service("payroll"),
            MEMBERS,
            EXCEPT,
        ],
        others_need: None,
        text: include_str!("network-allow-list.yaml"),
    },
    Template {
        name: "session-limits",
        title: "Session limits",
        description: "a session ends after some time, and earlier when nobody uses it",
        kind: Kind::Control,
        id: "pol-session-limits",
        parameters: &[
            parameter("max-minutes", "how long a session lasts", ParameterKind::Minutes, Presence::Default("480"), "480"),
            parameter("idle-minutes", "how long a session lasts that nobody uses", ParameterKind::Minutes, Presence::Default("15"), "15"),
            parameter(
                "age",
                "the fact that holds the minutes since the session began",
                ParameterKind::Fact,
                Presence::Default("{context.session_minutes}"),
                "{context.session_minutes}",
            ),
            parameter(
                "idle",
                "the fact that holds the minutes since it was used",
                ParameterKind::Fact,
                Presence::Default("{context.idle_minutes}"),
                "{context.idle_minutes}",
            ),
            narrowed_service("payroll"),
            MEMBERS,
            EXCEPT,
        ],
        others_need: None,
        text: include_str!("session-limits.yaml"),
    },
];
