//! Answers questions about conditions, one JSON line each, so that other solvers can be held against ours.
//!
//! The contract is in the header of `tests/oracle/z3_compare.py`.

use std::error::Error;
use std::io::BufRead;
use std::io::Write;
use std::time::Instant;

use lawbook::analysis::Budget;
use lawbook::analysis::Verdict;
use lawbook::analysis::together;
use lawbook::condition::Condition;
use lawbook::condition::Lists;
use lawbook::condition::parse;
use lawbook::policy::Effect;
use serde::Deserialize;
use serde_json::Value;
use serde_json::json;

#[derive(Deserialize)]
struct Query {
    goals: Vec<Goal>,
}

#[derive(Deserialize)]
struct Goal {
    condition: String,
    effect: String,
    applies: bool,
}

fn main() -> Result<(), Box<dyn Error>> {
    let mut out = std::io::BufWriter::new(std::io::stdout().lock());
    for line in std::io::stdin().lock().lines() {
        let query: Query = serde_json::from_str(&line?)?;
        writeln!(out, "{}", answer(&query)?)?;
    }
    Ok(out.flush()?)
}

fn answer(query: &Query) -> Result<Value, Box<dyn Error>> {
    let mut conditions = Vec::new();
    for Goal { condition, effect, applies } in &query.goals {
        let parsed = parse(condition).map_err(|errors| format!("{condition}: {errors:?}"))?;
        let condition = Condition::new(parsed.expr, &Lists::default()).map_err(|errors| format!("{condition}: {errors:?}"))?;
        let effect = if effect == "deny" { Effect::Deny } else { Effect::Allow };
        conditions.push((condition, effect, *applies));
    }
    let goals: Vec<(&Condition, Effect, bool)> =
        conditions.iter().map(|(condition, effect, applies)| (condition, *effect, *applies)).collect();
    let start = Instant::now();
    let verdict = together(&goals, Budget::default());
    let nanoseconds = u64::try_from(start.elapsed().as_nanos())?;
    Ok(match verdict {
        Verdict::Yes(request) => {
            let part = |pointer: &str| request.pointer(pointer).cloned().unwrap_or_else(|| json!({}));
            let mut document = part("/resource/properties");
            if let Some(document) = document.as_object_mut() {
                document.insert("_id".to_owned(), part("/resource/id"));
            }
            let witness = json!({
                "document": document,
                "me": part("/subject/id"),
                "caller": part("/subject/properties"),
                "context": part("/context"),
            });
            json!({"answer": "satisfiable", "nanoseconds": nanoseconds, "witness": witness})
        }
        Verdict::No => json!({"answer": "unsatisfiable", "nanoseconds": nanoseconds}),
        Verdict::Undecided => json!({"answer": "undecided", "nanoseconds": nanoseconds}),
    })
}
