//! What a caller wants a control to be, as a control.
//!
//! The documented model has seven fields. A control may have more here: what it requires and of whom, and its owner's data. A
//! client that reads a control and sends it back has never seen those, so that what the body does not name of them stays,
//! and enforcement is not lost with an update. `null` takes one of them away.

use serde_json::Map;
use serde_json::Value;

use crate::policy;
use crate::policy::Control;
use crate::policy::Policy;
use crate::policy::Unreadable;
use crate::policy::from_value;
use crate::policy::to_value;
use crate::schema::Kind;
use crate::schema::Schema;
use crate::schema::canonical_fields;
use crate::source::SourceId;
use crate::syntax;

/// The fields that the documented model does not have.
const HIDDEN: [&str; 7] = ["require", "service", "source", "actions", "members", "except", "metadata"];

/// A body, read as an object.
pub type Fields = Map<String, Value>;

/// The control that these fields make of the one that there is. Its id and its time stay.
///
/// # Errors
/// They make no control.
pub fn replace(schema: &Schema, control: &Control, fields: &Fields) -> Result<Control, Unreadable> {
    let mut all = hidden(control);
    all.insert("id".to_owned(), control.id.as_str().into());
    if let Some(time) = &control.created_at {
        all.insert("created_at".to_owned(), time.clone().into());
    }
    for (key, value) in fields.iter().filter(|(key, _)| !["id", "created_at"].contains(&key.as_str())) {
        if value.is_null() && HIDDEN.contains(&key.as_str()) {
            all.remove(key);
        } else {
            all.insert(key.clone(), value.clone());
        }
    }
    read(schema, &Value::Object(all))
}

/// The control that these fields make, created at `now` if they do not say.
///
/// # Errors
/// They make no control.
pub fn create(schema: &Schema, fields: &Fields, now: &str) -> Result<Control, Unreadable> {
    let mut all = fields.clone();
    all.retain(|key, value| !value.is_null() || !HIDDEN.contains(&key.as_str()));
    all.entry("created_at").or_insert_with(|| now.into());
    read(schema, &Value::Object(all))
}

/// A control that was made of a template, and its text in canonical format, both created at `now`. A text that cannot say so stays as it is, and then the
/// history tells.
pub fn dated(control: Control, text: String, now: &str) -> (Control, String) {
    let parsed = syntax::parse(SourceId::new(0), &text);
    let root = parsed.documents.first().and_then(|document| document.root.as_ref());
    let dated = root.and_then(|root| {
        let Value::Object(mut fields) = root.to_json() else { return None };
        fields.insert("created_at".to_owned(), now.into());
        let dated = syntax::set_document(&text, root, &fields, canonical_fields(Kind::Control)).ok()?;
        policy::format(&dated).ok()
    });
    match dated {
        Some(dated) => (Control { created_at: Some(now.to_owned()), ..control }, dated),
        None => (control, text),
    }
}

/// The id of a control with this name, such as `pol-mfa-required` for `MFA Required`; `None` for a name without a letter or digit
/// of ASCII.
pub fn id_of(name: &str) -> Option<String> {
    /// Long enough to tell names apart.
    const LONGEST: usize = 100;
    let lower = name.to_ascii_lowercase();
    let words: Vec<&str> = lower.split(|char: char| !char.is_ascii_alphanumeric()).filter(|word| !word.is_empty()).collect();
    let slug: String = words.join("-").chars().take(LONGEST).collect();
    let slug = slug.trim_end_matches('-');
    (!slug.is_empty()).then(|| format!("pol-{slug}"))
}

/// The fields of a control that the documented model does not have.
pub fn hidden(control: &Control) -> Fields {
    match to_value(&Policy::Control(control.clone())) {
        Value::Object(fields) => fields.into_iter().filter(|(key, _)| HIDDEN.contains(&key.as_str())).collect(),
        _ => Fields::new(),
    }
}

fn read(schema: &Schema, value: &Value) -> Result<Control, Unreadable> {
    let violations = schema.violations(Kind::Control, value);
    match from_value(Kind::Control, value) {
        Ok(Policy::Control(control)) if violations.is_empty() => Ok(control),
        Ok(_) => Err(Unreadable { violations, conditions: Vec::new() }),
        Err(mut unreadable) => {
            // The schema has said the same about types already, in better words.
            if !violations.is_empty() {
                unreadable.violations = violations;
            }
            Err(unreadable)
        }
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn schema() -> Schema {
        Schema::new(&["read".to_owned()]).expect("compiles")
    }

    fn fields(value: Value) -> Fields {
        value.as_object().cloned().expect("fields")
    }

    #[test]
    fn what_the_wire_does_not_show_stays() {
        let control = create(
            &schema(),
            &fields(
                json!({"id": "a", "name": "A", "type": "access", "rules": ["r"], "require": "a = 1", "service": "s", "metadata": null}),
            ),
            "2026-03-01T10:00:00.000Z",
        );
        let control = control.expect("a control");
        assert_eq!((control.created_at.as_deref(), &control.metadata), (Some("2026-03-01T10:00:00.000Z"), &None));
        let replaced = replace(&schema(), &control, &fields(json!({"name": "B", "type": "network", "enabled": false}))).expect("a control");
        let mut expected = control.clone();
        (expected.name, expected.category, expected.enabled, expected.rules) = ("B".to_owned(), "network".to_owned(), false, Vec::new());
        assert_eq!(replaced, expected);
        let bare = replace(&schema(), &control, &fields(json!({"name": "A", "type": "access", "require": null, "service": null})))
            .expect("a control");
        assert_eq!((bare.require, bare.service), (None, None));
    }

    #[test]
    fn what_makes_no_control_is_refused() {
        let control = create(
            &schema(),
            &fields(json!({"id": "a", "name": "A", "type": "access", "service": "s", "require": "a = 1"})),
            "2026-03-01T10:00:00Z",
        );
        let control = control.expect("a control");
        for (body, places) in [
            (json!({"type": "access"}), 1),
            (json!({"name": null, "type": "other"}), 2),
            (json!({"name": "A", "type": "access", "_id": "a", "more": 1}), 2),
            (json!({"name": "A", "type": "access", "require": null}), 1),
        ] {
            let refused = replace(&schema(), &control, &fields(body.clone())).expect_err("refused");
            assert_eq!(refused.violations.len(), places, "{body}: {refused:?}");
        }
        let refused = replace(&schema(), &control, &fields(json!({"name": "A", "type": "access", "require": "a ="}))).expect_err("refused");
        assert_eq!(refused.conditions.len(), 1);
    }

    #[test]
    fn a_template_is_dated_where_people_would_write_it() {
        let control =
            create(&schema(), &fields(json!({"id": "a", "name": "A", "type": "access", "require": "a = 1"})), "2020-01-01T00:00:00Z");
        let text = "# why\nid: a\nname: A\ntype: access\nenabled: true # now\nrequire: a = 1\n";
        let (control, dated) = dated(control.expect("a control"), text.to_owned(), "2026-03-01T10:00:00.000Z");
        assert_eq!(control.created_at.as_deref(), Some("2026-03-01T10:00:00.000Z"));
        assert_eq!(dated, text.replace("# now\n", "# now\ncreated_at: \"2026-03-01T10:00:00.000Z\"\n"));
    }

    #[test]
    fn a_name_makes_an_id() {
        let check = |name: &str, expected: Option<&str>| assert_eq!(id_of(name).as_deref(), expected, "{name}");
        check("MFA Required", Some("pol-mfa-required"));
        check("  30-day (max) retention! ", Some("pol-30-day-max-retention"));
        check("Größe", Some("pol-gr-e"));
        check("漢字", None);
        assert!(id_of(&"ab ".repeat(100)).is_some_and(|id| id.len() <= 104 && !id.ends_with('-')));
    }
}
