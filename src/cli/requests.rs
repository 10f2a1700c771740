//! Many requests, one on each line, answered in order.
//!
//! Lines are read in batches and answered on all cores; only one batch is in memory, whatever the size of the file.

use std::io;
use std::io::BufRead;
use std::io::Read;

use rayon::prelude::*;
use serde_json::json;

use super::Console;
use super::Failure;
use super::Status;
use super::decide::answer;
use super::decide::without_mark;
use super::failure::reason;
use crate::decision::Index;
use crate::decision::read_json;

/// How many lines are answered together.
const BATCH: usize = 4096;

/// The longest line that is read, in bytes.
const MAX_LINE_BYTES: usize = 1024 * 1024;

/// A line as it was read.
enum Line {
    Text(Vec<u8>),
    TooLong,
}

/// Answers every line of `input`, which is called `name` in messages. A blank line gets an answer
/// too, an error, so that answers and lines stay side by side.
///
/// # Errors
/// The input cannot be read, or standard output cannot be written.
pub(super) fn answer_lines(index: &Index, mut input: impl BufRead, name: &str, console: &mut Console) -> Result<Status, Failure> {
    let mut malformed = 0_usize;
    let mut first = 1;
    loop {
        let lines = batch(&mut input).map_err(|error| {
            Failure::new(format!("`{name}` cannot be read: {}", reason(&error))).help("every line before this one has been answered")
        })?;
        if lines.is_empty() || console.is_closed() {
            break;
        }
        let answers: Vec<(String, bool)> = lines.par_iter().enumerate().map(|(at, line)| answered(index, line, first + at)).collect();
        for (text, understood) in answers {
            malformed += usize::from(!understood);
            console.say(text)?;
        }
        first += lines.len();
    }
    Ok(if malformed > 0 { Status::Incomplete } else { Status::Fine })
}

/// The answer to a line, and whether it was a request.
fn answered(index: &Index, line: &Line, number: usize) -> (String, bool) {
    let outcome = match line {
        Line::Text(bytes) if bytes.trim_ascii().is_empty() => Err("the line is blank".to_owned()),
        Line::Text(bytes) => {
            let request = read_json(unmarked(bytes, number).trim_ascii_end());
            request.map_err(|error| not_json(&error)).and_then(|request| answer(index, &request))
        }
        Line::TooLong => Err(format!("a line has at most {MAX_LINE_BYTES} bytes")),
    };
    match outcome {
        Ok((text, _)) => (text, true),
        Err(error) => (json!({"error": error, "line": number}).to_string(), false),
    }
}

/// A line without the byte order mark that the first one may begin with.
fn unmarked(line: &[u8], number: usize) -> &[u8] {
    if number == 1 { without_mark(line) } else { line }
}

/// What is wrong with a line that is not JSON, or has a name twice, and at which byte of it.
fn not_json(error: &serde_json::Error) -> String {
    let said = error.to_string();
    let what = said.split(" at line ").next().unwrap_or(&said).replacen("EOF", "the line ends", 1);
    let kind = if error.is_data() { "this is ambiguous" } else { "this is not JSON" };
    format!("{kind}: {what} at byte {}", error.column())
}

/// The next lines; none at the end.
fn batch(input: &mut impl BufRead) -> io::Result<Vec<Line>> {
    let mut lines = Vec::new();
    while lines.len() < BATCH {
        let Some(line) = next_line(input)? else { break };
        lines.push(line);
    }
    Ok(lines)
}

fn next_line(input: &mut impl BufRead) -> io::Result<Option<Line>> {
    let mut bytes = Vec::new();
    let limit = u64::try_from(MAX_LINE_BYTES).unwrap_or(u64::MAX) + 1;
    if input.take(limit).read_until(b'\n', &mut bytes)? == 0 {
        return Ok(None);
    }
    if bytes.len() <= MAX_LINE_BYTES || bytes.ends_with(b"\n") {
        return Ok(Some(Line::Text(bytes)));
    }
    // The rest of the line is passed over without being kept.
    input.skip_until(b'\n')?;
    Ok(Some(Line::TooLong))
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Of a name that stood twice the last one counted, and another reader of the same line may take the first.
    #[test]
    fn a_line_with_a_name_twice_is_refused() {
        let index = Index::new(std::sync::Arc::default());
        let line =
            r#"{"subject": {"type": "user", "id": "a", "id": "b"}, "action": {"name": "read"}, "resource": {"type": "x", "id": "1"}}"#;
        let answer = answered(&index, &Line::Text(line.as_bytes().to_vec()), 1);
        let (text, understood) = answer;
        assert!(!understood && text.contains("this is ambiguous: the name `id` stands twice"), "{text}");
    }

    #[test]
    fn a_line_that_is_too_long_is_passed_over_whole() {
        let text = format!("a\n{}\n{}\nb", "x".repeat(MAX_LINE_BYTES), "y".repeat(3 * MAX_LINE_BYTES));
        let lines = batch(&mut text.as_bytes()).expect("read");
        let lengths: Vec<Option<usize>> = lines
            .iter()
            .map(|line| match line {
                Line::Text(bytes) => Some(bytes.trim_ascii().len()),
                Line::TooLong => None,
            })
            .collect();
        assert_eq!(lengths, [Some(1), Some(MAX_LINE_BYTES), None, Some(1)]);
    }
}
