//! The evaluation of a condition for programs: what is written is what its schema says.

use lawbook::condition::Facts;
use lawbook::condition::Lists;
use lawbook::condition::Term;
use lawbook::condition::parts;
use lawbook::condition::trial;
use lawbook::report::trial::Judged;
use lawbook::report::trial::Role;
use lawbook::report::trial::TrialReport;
use lawbook::report::trial::json;
use serde_json::Map;
use serde_json::Value;
use serde_json::json;

use crate::reports::schema;
use crate::reports::valid;

fn written(text: &str, document: &Value, policy: Option<Judged<'_>>) -> Value {
    let lists: Lists = Term::parse("tags").into_iter().collect();
    let (none, whole) = (Map::new(), parts(text).expect("a condition"));
    let facts = Facts { me: "ann", caller: &none, action: &none, context: &none, document: document.as_object().expect("an object") };
    let trial = trial(&whole, &lists, &facts).expect("no two lists are compared");
    let mut out = Vec::new();
    json::write(&TrialReport { text, trial: &trial, policy }, &mut out).expect("a vector takes everything");
    serde_json::from_slice(&out).expect("JSON")
}

#[test]
fn an_evaluation_is_what_its_schema_says() {
    let document = json!({"tags": [null, "x"], "null": null, "object": {"a": 1}, "owner": "ann"});
    let text = "(tags = 'x' or object = 1) and not (`null` or gone = 1) and owner = {me}";
    let whole = written(text, &document, Some(Judged { id: "A", role: Role::Control, enabled: true }));
    valid(&schema("evaluation"), &whole);
    assert_eq!(whole["policy"], json!({"id": "A", "role": "control", "enabled": true, "applies": true}));
    let values = json!({
        "`null`": {"state": "absent", "value": null},
        "gone": {"state": "absent"},
        "object": {"state": "unfit", "reason": "it is an object"},
        "owner": {"state": "value", "value": "ann"},
        "tags": {"state": "value", "value": [null, "x"]},
        "{me}": {"state": "value", "value": "ann"},
    });
    assert_eq!(whole["values"], json!(values));
}

#[test]
fn the_parts_of_an_evaluation_stand_where_they_say() {
    fn check(part: &Value, text: &str) -> usize {
        let at = |name: &str| usize::try_from(part[name].as_u64().expect("a place")).expect("small");
        assert_eq!(text.get(at("start")..at("end")), part["text"].as_str());
        1 + part["parts"].as_array().expect("parts").iter().map(|part| check(part, text)).sum::<usize>()
    }
    let text = "a = 'é' and (b or not c)";
    let whole = written(text, &json!({"a": "é"}), None);
    valid(&schema("evaluation"), &whole);
    assert_eq!((check(&whole["whole"], text), &whole["policy"]), (6, &Value::Null));
    assert_eq!((&whole["outcome"], &whole["grant_applies"], &whole["denial_applies"]), (&json!("true"), &json!(true), &json!(true)));
}
