//! Comments that silence a finding: `# lawbook: ignore(rule): reason`, optionally `until 2027-01-01`.
//!
//! A suppression speaks for its own line, or, when it stands alone, for the next line that is no comment. It needs a
//! reason; one that silences nothing, or whose day has passed, is a finding. A finding that leaves the meaning of a
//! file unknown cannot be silenced.

use std::collections::HashMap;

use jiff::civil::Date;

use super::Book;
use crate::finding::Finding;
use crate::source::SourceFile;
use crate::source::SourceId;
use crate::source::Span;
use crate::syntax::Comment;

/// The words that make a comment a suppression.
const MARK: &str = "lawbook:";

/// How many lines of comments may stand between a suppression and its line. Without an end, a file of suppressions takes the square of its size.
const COMMENT_LINES: usize = 100;

/// A suppression as it is written.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Suppression {
    /// The comment.
    pub span: Span,
    /// The line that it speaks for, counted from 1.
    pub line: usize,
    /// The rule; or why the comment is no suppression.
    pub rule: Result<String, String>,
    /// The last day on which it holds.
    pub until: Option<Date>,
}

/// What became of a suppression.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Use {
    /// The suppression.
    pub suppression: Suppression,
    /// How many findings it silenced, or would have silenced before it expired.
    pub matched: usize,
    /// Whether its day has passed, so that it silences nothing any more.
    pub expired: bool,
}

/// Takes the silenced findings out, and says what became of every suppression.
pub(super) fn apply(book: &Book, today: Date, findings: &mut Vec<Finding>) -> Vec<Use> {
    let mut uses: Vec<Use> = suppressions(book)
        .map(|suppression| Use { matched: 0, expired: suppression.until.is_some_and(|day| day < today), suppression })
        .collect();
    let mut by_place: HashMap<Place, Vec<usize>> = HashMap::new();
    for (at, own) in uses.iter().enumerate() {
        if let Ok(rule) = &own.suppression.rule {
            by_place.entry((own.suppression.span.source, own.suppression.line, rule.clone())).or_default().push(at);
        }
    }
    if !by_place.is_empty() {
        findings.retain(|finding| !silenced(book, finding, &by_place, &mut uses));
    }
    uses
}

/// What a suppression speaks for: a line of a file, and a rule.
type Place = (SourceId, usize, String);

fn silenced(book: &Book, finding: &Finding, by_place: &HashMap<Place, Vec<usize>>, uses: &mut [Use]) -> bool {
    if finding.blocking {
        return false;
    }
    let span = finding.primary.span;
    let place = (span.source, book.sources.line_column(span).line, finding.rule.to_owned());
    let mut silenced = false;
    for &at in by_place.get(&place).into_iter().flatten() {
        if let Some(one) = uses.get_mut(at) {
            one.matched += 1;
            silenced |= !one.expired;
        }
    }
    silenced
}

fn suppressions(book: &Book) -> impl Iterator<Item = Suppression> {
    book.files.iter().flat_map(move |file| {
        let source = book.sources.get(file.source);
        file.comments.iter().filter_map(move |comment| parse(comment, source?))
    })
}

/// Reads a comment; `None` when it does not speak to lawbook.
fn parse(comment: &Comment, source: &SourceFile) -> Option<Suppression> {
    let words = comment.text.trim_start_matches('#').trim().strip_prefix(MARK)?.trim();
    let (rule, until) = match parts(words) {
        Ok((rule, until)) => (Ok(rule), until),
        Err(problem) => (Err(problem), None),
    };
    Some(Suppression { span: comment.span, line: line(comment.span, source), rule, until })
}

fn parts(words: &str) -> Result<(String, Option<Date>), String> {
    let rest = words.strip_prefix("ignore(").ok_or("it does not begin with `ignore(rule)`")?;
    let (rule, rest) = rest.split_once(')').ok_or("its `)` is missing")?;
    let rule = rule.trim();
    if super::rule(rule).is_none() {
        let near = crate::finding::nearest(rule, super::RULES.iter().map(|rule| rule.name));
        let hint = near.map(|near| format!("; did you mean `{near}`?")).unwrap_or_default();
        return Err(format!("there is no rule `{rule}`{hint}"));
    }
    if super::rule(rule).is_some_and(|rule| rule.blocking) {
        return Err(format!("`{rule}` cannot be ignored: what it finds leaves the meaning of a file unknown"));
    }
    let (until, rest) = match rest.trim_start().strip_prefix("until ") {
        Some(rest) => {
            let (day, rest) = rest.trim_start().split_once([':', ' ']).unwrap_or((rest.trim(), ""));
            let date = day.parse::<Date>().map_err(|_| format!("`{day}` is no day such as `2027-01-01`"))?;
            (Some(date), rest)
        }
        None => (None, rest),
    };
    let reason = rest.trim_start().trim_start_matches(':').trim();
    let (until, reason) = match (until, trailing_day(reason)) {
        (None, Some((reason, date))) => (Some(date), reason),
        (until, _) => (until, reason),
    };
    if reason.is_empty() {
        return Err("it gives no reason".to_owned());
    }
    Ok((rule.to_owned(), until))
}

/// A day at the end of the reason: `because of a migration, until 2027-01-01`.
fn trailing_day(reason: &str) -> Option<(&str, Date)> {
    let (before, day) = reason.rsplit_once("until ")?;
    let date = day.trim().trim_end_matches(['.', ')']).parse().ok()?;
    Some((before.trim_end().trim_end_matches([',', '(', ';']).trim_end(), date))
}

/// The line a comment speaks for: its own when something stands before it, else the next one that is no comment.
fn line(span: Span, source: &SourceFile) -> usize {
    let own = source.line_column(span.start as usize).line;
    let start = source.line_range(own).start;
    if !source.slice(start..span.start as usize).trim().is_empty() {
        return own;
    }
    let mut below = (own + 1..=source.line_count()).take(COMMENT_LINES);
    let is_content = |&line: &usize| {
        let text = source.slice(source.line_range(line)).trim();
        !text.is_empty() && !text.starts_with('#')
    };
    below.find(is_content).unwrap_or(own)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::source::SourceId;

    #[track_caller]
    fn check(text: &str, line: usize, rule: Result<&str, &str>, until: Option<&str>) {
        let start = text.find('#').expect("a comment");
        let end = text[start..].find('\n').map_or(text.len(), |at| start + at);
        let comment = Comment { span: Span::new(SourceId::new(0), start..end), text: text[start..end].to_owned() };
        let found = parse(&comment, &SourceFile::new("a.yaml", text)).expect("speaks to lawbook");
        assert_eq!((found.line, found.rule.as_deref().map_err(String::as_str)), (line, rule), "{text:?}");
        assert_eq!(found.until, until.map(|day| day.parse().expect("a day")), "{text:?}");
    }

    #[test]
    fn a_suppression_names_its_rule_its_reason_and_its_line() {
        check("a: 1 # lawbook: ignore(public-write): the wiki is open\n", 1, Ok("public-write"), None);
        check("# lawbook: ignore(public-write): open\n\n# why\na: 1\n", 4, Ok("public-write"), None);
        check("#lawbook: ignore( public-write ) until 2027-01-01: open\na: 1", 2, Ok("public-write"), Some("2027-01-01"));
        check("# lawbook: ignore(public-write): open, until 2027-01-01\na: 1", 2, Ok("public-write"), Some("2027-01-01"));
    }

    #[test]
    fn what_is_no_suppression_says_why() {
        check("# lawbook: ignore(public-write)", 1, Err("it gives no reason"), None);
        check("# lawbook: ignore(public-write):", 1, Err("it gives no reason"), None);
        check("# lawbook: ignore(public-writ): x", 1, Err("there is no rule `public-writ`; did you mean `public-write`?"), None);
        check("# lawbook: ignore(public-write) until soon: x", 1, Err("`soon` is no day such as `2027-01-01`"), None);
        check("# lawbook: skip", 1, Err("it does not begin with `ignore(rule)`"), None);
        check(
            "# lawbook: ignore(yaml-syntax): x",
            1,
            Err("`yaml-syntax` cannot be ignored: what it finds leaves the meaning of a file unknown"),
            None,
        );
    }
}
