//! Events for a security information system, held against the published schema: `tests/ocsf` has the class, the objects that we
//! use, and their types, as version 1.8.0 of the schema has them.

use std::collections::BTreeSet;

use serde_json::Value;

use crate::audit_formats::ocsf_events;

fn published() -> Value {
    serde_json::from_str(include_str!("../ocsf/entity_management-1.8.0.json")).expect("JSON")
}

/// What is wrong with an object, by the attributes and constraints of its class or object.
fn check(schema: &Value, class: &Value, object: &Value, place: &str, wrong: &mut Vec<String>) {
    let (Some(attributes), Some(members)) = (class["attributes"].as_object(), object.as_object()) else {
        wrong.push(format!("{place}: no object"));
        return;
    };
    for (name, attribute) in attributes {
        if attribute["requirement"] == "required" && !members.contains_key(name) {
            wrong.push(format!("{place}.{name}: required"));
        }
    }
    if let Some(names) = class["constraints"]["at_least_one"].as_array()
        && !names.iter().any(|name| members.contains_key(name.as_str().expect("a name")))
    {
        wrong.push(format!("{place}: at least one of {names:?}"));
    }
    for (name, value) in members {
        let place = format!("{place}.{name}");
        match (attributes.get(name), value) {
            (None, _) => wrong.push(format!("{place}: not in the schema")),
            (Some(attribute), Value::Array(values)) if attribute["array"] == true => {
                values.iter().for_each(|value| check_value(schema, attribute, value, &place, wrong));
            }
            (Some(attribute), _) if attribute["array"] == true => wrong.push(format!("{place}: no array")),
            (Some(attribute), value) => check_value(schema, attribute, value, &place, wrong),
        }
    }
}

fn check_value(schema: &Value, attribute: &Value, value: &Value, place: &str, wrong: &mut Vec<String>) {
    let kind = attribute["type"].as_str().expect("a type");
    if let Some(values) = attribute["enum"].as_object()
        && !values.contains_key(&value.to_string())
    {
        wrong.push(format!("{place}: {value} is not in the enumeration"));
    }
    if let Some(class) = schema["objects"].get(kind) {
        return check(schema, class, value, place, wrong);
    }
    let fits = match kind {
        "object" => value.is_object(),
        "json_t" => true,
        "string_t" => value.is_string(),
        "email_t" => {
            let pattern = schema["types"][kind]["regex"].as_str().expect("a pattern");
            value.as_str().is_some_and(|text| regex::Regex::new(pattern).expect("a regular expression").is_match(text))
        }
        "integer_t" | "long_t" | "timestamp_t" => value.is_i64(),
        other => panic!("{place}: events have nothing of the type `{other}`"),
    };
    if !fits {
        wrong.push(format!("{place}: {value} is no {kind}"));
    }
}

fn wrong(event: &Value) -> Vec<String> {
    let schema = published();
    let mut wrong = Vec::new();
    check(&schema, &schema["class"], event, "event", &mut wrong);
    // What is written out beside an identifier is what the schema calls it, unless it has no name for it.
    let attributes = &schema["class"]["attributes"];
    for (id, name) in [
        ("activity_id", "activity_name"),
        ("category_uid", "category_name"),
        ("class_uid", "class_name"),
        ("severity_id", "severity"),
        ("status_id", "status"),
        ("type_uid", "type_name"),
    ] {
        let caption = &attributes[id]["enum"][event[id].to_string()];
        if event["activity_id"] != 99 && event[name] != *caption {
            wrong.push(format!("{name}: {} instead of {caption}", event[name]));
        }
    }
    if event["type_uid"].as_i64() != Some(event["class_uid"].as_i64().unwrap_or(0) * 100 + event["activity_id"].as_i64().unwrap_or(0)) {
        wrong.push("type_uid: not of the class and the activity".to_owned());
    }
    if event["metadata"]["version"] != schema["version"] {
        wrong.push("metadata.version: another schema".to_owned());
    }
    for observable in event["observables"].as_array().into_iter().flatten() {
        let pointer = format!("/{}", observable["name"].as_str().expect("a name").replace('.', "/"));
        if event.pointer(&pointer) != Some(&observable["value"]) {
            wrong.push(format!("observables: {observable} is not what stands there"));
        }
    }
    wrong
}

#[test]
fn every_event_is_what_the_published_schema_says() {
    let events = ocsf_events();
    for event in &events {
        assert_eq!(wrong(event), Vec::<String>::new(), "{event:#}");
    }
    let activities: BTreeSet<i64> = events.iter().filter_map(|event| event["activity_id"].as_i64()).collect();
    assert_eq!(activities, BTreeSet::from([1, 3, 4, 5, 8, 9, 99]));
}

#[test]
fn the_check_finds_what_is_wrong() {
    let good = ocsf_events().swap_remove(0);
    for name in ["activity_id", "category_uid", "class_uid", "entity", "metadata", "severity_id", "time", "type_uid"] {
        let mut event = good.clone();
        event.as_object_mut().expect("an object").remove(name);
        assert!(wrong(&event).contains(&format!("event.{name}: required")), "{name}");
    }
    let with = |pointer: &str, value: Value| {
        let mut event = good.clone();
        *event.pointer_mut(pointer).expect("a place") = value;
        assert!(!wrong(&event).is_empty(), "{pointer}");
    };
    with("/activity_id", 14.into());
    with("/entity", serde_json::json!({"type": "Policy"}));
    with("/entity/type_id", 77.into());
    with("/time", "2026-03-01".into());
    with("/actor/user/email_addr", "nobody".into());
    with("/metadata/product", serde_json::json!({"vendor": "lawbook"}));
    with("/observables/0/value", "somebody@example.com".into());
}
