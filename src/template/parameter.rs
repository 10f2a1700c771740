//! What a template asks for: parameters of some kinds, and the values that fit them.
//!
//! A value is checked where it comes in and is of a type from then on, so that what fills in a template later has
//! nothing left to doubt. Everything here is said of the value alone; whether a service or a group exists, the law book knows.

use jiff::Timestamp;
use serde_json::Value;

use super::error::TemplateError;
use super::error::shown;
use crate::condition::Atom;
use crate::condition::CompareOp;
use crate::condition::Expr;
use crate::condition::Literal;
use crate::condition::Network;
use crate::condition::Operand;
use crate::condition::Path;
use crate::condition::Term;
use crate::condition::parse;
use crate::config::BUILT_IN_ACTIONS;
use crate::finding::nearest;
use crate::policy::Member;

/// The most characters of one value.
const LONGEST: usize = 500;

/// The most values of one list.
const MOST: usize = 500;

/// The most minutes that a limit may have: a year.
const MOST_MINUTES: u64 = 525_600;

/// Something that a template asks for.
#[derive(Debug, PartialEq, Eq)]
pub struct Parameter {
    /// The name; it stands as `<name>` in the text of the template.
    pub name: &'static str,
    /// What it is: lower case, no full stop.
    pub description: &'static str,
    /// Which values it takes.
    pub kind: ParameterKind,
    /// Whether it may be left out.
    pub presence: Presence,
    /// A value, written as for `--set`.
    pub example: &'static str,
}

/// Whether a parameter may be left out.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Presence {
    /// No.
    Required,
    /// Yes, and then it has this value, written as for `--set`.
    Default(&'static str),
    /// Yes, and then what it is about is left out of the policy as well.
    Optional,
}

/// Which values a parameter takes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ParameterKind {
    /// A line of text.
    Text,
    /// Strings that a condition compares with.
    Texts,
    /// Members, spelled as in a policy.
    Members,
    /// Members without `*`, who are excepted.
    Exceptions,
    /// The name of a service, or `*`.
    Service,
    /// The name of a source, or `*`.
    Source,
    /// Actions of the built-in five.
    Actions,
    /// An attribute of a document, such as `owner`.
    Attribute,
    /// A fact of the request, such as `{context.mfa}`.
    Fact,
    /// Networks in CIDR notation, none inside another.
    Networks,
    /// A whole number of minutes.
    Minutes,
    /// A moment, RFC 3339.
    Time,
}

/// A value that fits.
#[derive(Debug, Clone, PartialEq)]
pub(super) enum Argument {
    Text(String),
    Texts(Vec<String>),
    Term(Term),
    Networks(Vec<Network>),
    Number(u64),
    /// None yet: what is shown of a template stands as it is written in it.
    Open(&'static str),
}

impl ParameterKind {
    /// The word for it, in listings.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Text => "text",
            Self::Texts => "texts",
            Self::Members => "members",
            Self::Exceptions => "exceptions",
            Self::Service => "service",
            Self::Source => "source",
            Self::Actions => "actions",
            Self::Attribute => "attribute",
            Self::Fact => "fact",
            Self::Networks => "networks",
            Self::Minutes => "minutes",
            Self::Time => "time",
        }
    }

    /// Whether it takes a list.
    pub fn is_list(self) -> bool {
        matches!(self, Self::Texts | Self::Members | Self::Exceptions | Self::Actions | Self::Networks)
    }
}

impl Parameter {
    /// The value that a setting such as `NAME=VALUE` gives. A list is written with commas, or as JSON where a value has a comma itself.
    ///
    /// # Errors
    /// A text that begins like a JSON list and is none.
    pub fn from_setting(&self, text: &str) -> Result<Value, TemplateError> {
        if self.kind.is_list() {
            if text.trim_start().starts_with('[') {
                let help = "write values with commas between them, or a list of strings in JSON";
                return serde_json::from_str(text)
                    .map_err(|error| TemplateError::value(self.name, format!("it is no list: {error}"), help));
            }
            return Ok(text.split(',').map(str::trim).collect());
        }
        // What is no number stays text, which is refused with a better message.
        let number = text.parse::<u64>().ok().filter(|_| self.kind == ParameterKind::Minutes);
        Ok(number.map_or_else(|| Value::from(text), Value::from))
    }

    /// The default as a value.
    pub fn default(&self) -> Option<Value> {
        match self.presence {
            Presence::Default(text) => self.from_setting(text).ok(),
            Presence::Required | Presence::Optional => None,
        }
    }

    /// The value, if it fits.
    pub(super) fn read(&self, value: &Value) -> Result<Argument, TemplateError> {
        match self.kind {
            ParameterKind::Text | ParameterKind::Service | ParameterKind::Source => {
                self.text(value).map(|text| Argument::Text(text.to_owned()))
            }
            ParameterKind::Texts => self.list(value, |text| self.constant(text)).map(Argument::Texts),
            ParameterKind::Members => self.list(value, |text| self.member(text)).map(Argument::Texts),
            ParameterKind::Exceptions => self.list(value, |text| self.exception(text)).map(Argument::Texts),
            ParameterKind::Actions => self.list(value, |text| self.action(text)).map(Argument::Texts),
            ParameterKind::Attribute | ParameterKind::Fact => self.term(self.text(value)?).map(Argument::Term),
            ParameterKind::Networks => self.networks(value).map(Argument::Networks),
            ParameterKind::Minutes => self.minutes(value).map(Argument::Number),
            ParameterKind::Time => self.time(self.text(value)?).map(Argument::Text),
        }
    }

    fn refuse<T>(&self, message: impl Into<String>, help: impl Into<String>) -> Result<T, TemplateError> {
        Err(TemplateError::value(self.name, message, help))
    }

    fn text<'a>(&self, value: &'a Value) -> Result<&'a str, TemplateError> {
        match value {
            Value::String(text) => self.line(text),
            _ => self.refuse("the value is not a string", format!("write a string, such as `{}`", self.example)),
        }
    }

    /// A text that stands on one line and shows everything that it holds.
    fn line<'a>(&self, text: &'a str) -> Result<&'a str, TemplateError> {
        if text.trim().is_empty() {
            return self.refuse("the value is empty", format!("write a value, such as `{}`", self.example));
        }
        if text.trim() != text {
            return self.refuse(format!("`{}` begins or ends with a space", shown(text)), "take the space away");
        }
        if let Some(hidden) = text.chars().find(|&char| is_hidden(char)) {
            let message = format!("`{}` holds the character {}, which is not seen", shown(text), hidden.escape_default());
            return self.refuse(message, "write the value on one line, without control characters");
        }
        if text.chars().nth(LONGEST).is_some() {
            return self.refuse(format!("`{}` is longer than {LONGEST} characters", shown(text)), "write less");
        }
        Ok(text)
    }

    fn list(&self, value: &Value, read: impl Fn(&str) -> Result<(), TemplateError>) -> Result<Vec<String>, TemplateError> {
        let texts: Option<Vec<&str>> = value.as_array().and_then(|items| items.iter().map(Value::as_str).collect());
        let Some(texts) = texts else {
            return self.refuse("the value is not a list of strings", format!("write a list of strings, such as `{}`", self.example));
        };
        if texts.is_empty() || texts.len() > MOST {
            return self.refuse(format!("the list has {} values", texts.len()), format!("write 1 to {MOST} values"));
        }
        let mut read_so_far: Vec<String> = Vec::with_capacity(texts.len());
        for text in texts {
            read(self.line(text)?)?;
            if read_so_far.iter().any(|other| other == text) {
                return self.refuse(format!("`{}` stands in the list twice", shown(text)), "write it once");
            }
            read_so_far.push(text.to_owned());
        }
        Ok(read_so_far)
    }

    /// A string of a condition is that string, and nothing that the language takes for something else, such as `{me}`.
    fn constant(&self, text: &str) -> Result<(), TemplateError> {
        let literal = Literal::String(text.to_owned());
        let subject = Term::Document(Path::single("x"));
        let meant = Expr::Atom(Atom::Compare { term: subject, op: CompareOp::Eq, operand: Operand::Literal(literal.clone()) });
        match parse(&format!("x = {literal}")) {
            Ok(parsed) if parsed.expr == meant => Ok(()),
            Ok(_) => {
                let message = format!("`{}` is a reference to a fact, and no text", shown(text));
                self.refuse(message, "write the condition by hand where a fact is to be compared with")
            }
            Err(errors) => {
                let error = errors.into_iter().next();
                let (message, help) = error.map_or_else(Default::default, |error| (error.message, error.help.unwrap_or_default()));
                self.refuse(message, help)
            }
        }
    }

    fn member(&self, text: &str) -> Result<(), TemplateError> {
        if Member::is_well_formed(text) {
            return Ok(());
        }
        let help = "write `*`, an address, `type:id` such as `service:backup`, or the id of a group";
        self.refuse(format!("`{}` is no member", shown(text)), help)
    }

    fn exception(&self, text: &str) -> Result<(), TemplateError> {
        if text == "*" {
            return self.refuse("`*` would except everybody", "name those who are excepted");
        }
        self.member(text)
    }

    fn action(&self, text: &str) -> Result<(), TemplateError> {
        if BUILT_IN_ACTIONS.contains(&text) {
            return Ok(());
        }
        let help = match nearest(text, BUILT_IN_ACTIONS) {
            Some(near) => format!("did you mean `{near}`?"),
            None => format!("use {}; actions of your own are added to the policy afterwards", BUILT_IN_ACTIONS.join(", ")),
        };
        self.refuse(format!("`{}` is none of the built-in actions", shown(text)), help)
    }

    fn term(&self, text: &str) -> Result<Term, TemplateError> {
        let help = match self.kind {
            ParameterKind::Fact => format!("name a fact of the request in braces, such as `{}`", self.example),
            _ => format!("name an attribute of the document, without braces, such as `{}`", self.example),
        };
        let term = Term::parse(text).or_else(|error| self.refuse(error.message, error.help.unwrap_or_else(|| help.clone())))?;
        match (self.kind, &term) {
            (ParameterKind::Fact, Term::Caller(_) | Term::Action(_) | Term::Context(_)) | (ParameterKind::Attribute, Term::Document(_)) => {
                Ok(term)
            }
            (ParameterKind::Fact, _) => self.refuse(format!("`{}` is no fact of the request", shown(text)), help),
            _ => self.refuse(format!("`{}` is no attribute of a document", shown(text)), help),
        }
    }

    fn networks(&self, value: &Value) -> Result<Vec<Network>, TemplateError> {
        let texts = self.list(value, |_| Ok(()))?;
        let mut networks: Vec<Network> = Vec::with_capacity(texts.len());
        for text in &texts {
            let network = self.network(text)?;
            if network.get().prefix_len() == 0 {
                return self.refuse(format!("`{text}` holds every address"), "name the networks that are known, or make no such control");
            }
            let encloses = |a: &Network, b: &Network| a.get().contains(&b.get());
            if let Some(other) = networks.iter().find(|other| encloses(other, &network) || encloses(&network, other)) {
                return self.refuse(format!("`{}` and `{}` overlap", other.get(), network.get()), "keep the larger one");
            }
            networks.push(network);
        }
        Ok(networks)
    }

    fn network(&self, text: &str) -> Result<Network, TemplateError> {
        let error = match parse(&format!("x in cidr ({})", Literal::String(text.to_owned()))) {
            Ok(parsed) => match only_network(&parsed.expr) {
                Some(network) => return Ok(network),
                None => None,
            },
            Err(errors) => errors.into_iter().next(),
        };
        let help =
            error.as_ref().and_then(|error| error.help.clone()).unwrap_or_else(|| format!("write a network such as `{}`", self.example));
        self.refuse(error.map_or_else(|| format!("`{}` is no network", shown(text)), |error| error.message), help)
    }

    fn minutes(&self, value: &Value) -> Result<u64, TemplateError> {
        match value.as_u64().filter(|minutes| (1..=MOST_MINUTES).contains(minutes)) {
            Some(minutes) => Ok(minutes),
            None => {
                let shown = shown(&value.as_str().map_or_else(|| value.to_string(), str::to_owned));
                self.refuse(
                    format!("`{shown}` is no number of minutes"),
                    format!("write a whole number from 1 to {MOST_MINUTES}, without quotes"),
                )
            }
        }
    }

    /// The moment in the one form that compares by its text: in UTC, to the second.
    fn time(&self, text: &str) -> Result<String, TemplateError> {
        const FORM: usize = "2026-08-01T06:00:00Z".len();
        let time = text.parse::<Timestamp>().ok().and_then(|time| Timestamp::from_second(time.as_second()).ok());
        match time.map(|time| time.to_string()).filter(|time| time.len() == FORM) {
            Some(time) => Ok(time),
            None => self.refuse(
                format!("`{}` is no time", shown(text)),
                format!("write a date and a time with its offset, such as `{}`", self.example),
            ),
        }
    }
}

impl Argument {
    /// The strings that take the place of an entry of a list.
    pub fn items(&self) -> Vec<String> {
        match self {
            Self::Texts(texts) => texts.clone(),
            Self::Networks(networks) => networks.iter().map(|network| network.get().to_string()).collect(),
            Self::Text(_) | Self::Term(_) | Self::Number(_) | Self::Open(_) => vec![self.in_prose()],
        }
    }

    /// The value in a sentence.
    pub fn in_prose(&self) -> String {
        match self {
            Self::Text(text) => text.clone(),
            Self::Term(term) => term.to_string(),
            Self::Number(number) => number.to_string(),
            Self::Texts(_) | Self::Networks(_) => self.items().join(", "),
            Self::Open(name) => format!("<{name}>"),
        }
    }

    /// The value as a condition writes it: strings in quotes, lists with commas.
    pub fn in_condition(&self) -> String {
        let literal = |text: &String| Literal::String(text.clone()).to_string();
        match self {
            Self::Text(text) => literal(text),
            Self::Texts(texts) => texts.iter().map(literal).collect::<Vec<_>>().join(", "),
            Self::Networks(networks) => networks.iter().map(ToString::to_string).collect::<Vec<_>>().join(", "),
            Self::Term(_) | Self::Number(_) | Self::Open(_) => self.in_prose(),
        }
    }
}

fn only_network(condition: &Expr) -> Option<Network> {
    match condition {
        Expr::Atom(Atom::InCidr { networks, .. }) => networks.first().copied().filter(|_| networks.len() == 1),
        _ => None,
    }
}

/// Whether a character is not seen, or changes how others are shown.
pub(super) fn is_hidden(char: char) -> bool {
    let directions = matches!(char, '\u{061c}' | '\u{200b}'..='\u{200f}' | '\u{202a}'..='\u{202e}' | '\u{2060}'..='\u{206f}');
    char.is_control() || directions || matches!(char, '\u{2028}' | '\u{2029}' | '\u{feff}' | '\u{fff9}'..='\u{ffff}')
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parameter(kind: ParameterKind) -> Parameter {
        Parameter { name: "p", description: "d", kind, presence: Presence::Required, example: "e" }
    }

    #[track_caller]
    fn check(kind: ParameterKind, text: &str, expected: Result<&str, &str>) {
        let parameter = parameter(kind);
        let read = parameter.from_setting(text).and_then(|value| parameter.read(&value));
        let found = read.map(|argument| argument.in_condition()).map_err(|error| error.to_string());
        assert_eq!(found, expected.map(str::to_owned).map_err(str::to_owned), "{kind:?} {text:?}");
    }

    #[test]
    fn values_that_fit_are_read() {
        check(ParameterKind::Text, "it's {me} # not: a comment", Ok("'it''s {me} # not: a comment'"));
        check(ParameterKind::Texts, "a, b", Ok("'a', 'b'"));
        check(ParameterKind::Texts, r#"["a, b", "c'\"\\"]"#, Ok(r#"'a, b', 'c''"\\'"#));
        check(ParameterKind::Members, "staff,ann@example.com, service:job,*", Ok("'staff', 'ann@example.com', 'service:job', '*'"));
        check(ParameterKind::Actions, "read,update", Ok("'read', 'update'"));
        check(ParameterKind::Attribute, "meta.owner", Ok("meta.owner"));
        check(ParameterKind::Attribute, "`the owner`", Ok("`the owner`"));
        check(ParameterKind::Fact, "{context.mfa}", Ok("{context.mfa}"));
        check(ParameterKind::Networks, "10.0.0.0/8, 2001:db8::/32", Ok("'10.0.0.0/8', '2001:db8::/32'"));
        check(ParameterKind::Minutes, "15", Ok("15"));
        check(ParameterKind::Time, "2026-08-01T08:00:00.5+02:00", Ok("'2026-08-01T06:00:00Z'"));
    }

    #[test]
    fn values_that_do_not_fit_are_refused_with_a_reason() {
        check(ParameterKind::Text, "", Err("`p`: the value is empty"));
        check(ParameterKind::Service, " report", Err("`p`: ` report` begins or ends with a space"));
        check(ParameterKind::Text, "a\nenabled: false", Err("`p`: `a\\nenabled: false` holds the character \\n, which is not seen"));
        check(ParameterKind::Text, "a\u{202e}b", Err("`p`: `a\\u{202e}b` holds the character \\u{202e}, which is not seen"));
        check(ParameterKind::Text, &"a".repeat(501), Err(&format!("`p`: `{}…` is longer than 500 characters", "a".repeat(60))));
        check(ParameterKind::Texts, "{me}", Err("`p`: `{me}` is a reference to a fact, and no text"));
        check(ParameterKind::Texts, "to {me.name}", Err("`p`: a string is taken as it is: `{me.name}` is not replaced by a value"));
        check(ParameterKind::Texts, "a,a", Err("`p`: `a` stands in the list twice"));
        check(ParameterKind::Texts, "a,", Err("`p`: the value is empty"));
        check(ParameterKind::Texts, "[1]", Err("`p`: the value is not a list of strings"));
        check(ParameterKind::Texts, "[]", Err("`p`: the list has 0 values"));
        check(ParameterKind::Texts, "[", Err("`p`: it is no list: EOF while parsing a list at line 1 column 1"));
        check(ParameterKind::Members, "group:staff", Err("`p`: `group:staff` is no member"));
        check(ParameterKind::Exceptions, "*", Err("`p`: `*` would except everybody"));
        check(ParameterKind::Actions, "raed", Err("`p`: `raed` is none of the built-in actions"));
        check(ParameterKind::Attribute, "{context.ip}", Err("`p`: `{context.ip}` is no attribute of a document"));
        check(ParameterKind::Attribute, "owner or true", Err("`p`: `owner` is followed by something else"));
        check(ParameterKind::Fact, "mfa", Err("`p`: `mfa` is no fact of the request"));
        check(ParameterKind::Fact, "{me}", Err("`p`: `{me}` is no fact of the request"));
        check(ParameterKind::Networks, "10.0.0.0/8,10.1.0.0/16", Err("`p`: `10.0.0.0/8` and `10.1.0.0/16` overlap"));
        check(ParameterKind::Networks, "0.0.0.0/0", Err("`p`: `0.0.0.0/0` holds every address"));
        check(ParameterKind::Minutes, "soon", Err("`p`: `soon` is no number of minutes"));
        check(ParameterKind::Minutes, "0", Err("`p`: `0` is no number of minutes"));
        check(ParameterKind::Time, "2026-08-01", Err("`p`: `2026-08-01` is no time"));
        assert!(parameter(ParameterKind::Networks).read(&serde_json::json!(["10.0.0.1/8"])).is_err(), "bits after the prefix");
    }
}
