//! Sets of strings against a direct matcher on all short words, and the cases that are easy to get wrong.

use std::sync::Arc;

use super::Spent;
use super::States;
use super::Words;
use super::shortest;
use crate::condition::LikePattern;

type Range = (Arc<str>, Option<Arc<str>>);

const MANY: u32 = 100_000;

fn ranges(ends: &[&str]) -> Vec<Range> {
    ends.chunks(2).map(|pair| (Arc::from(pair[0]), pair.get(1).map(|high| Arc::from(*high)))).collect()
}

/// Patterns; one that begins with `!` must not match.
fn like(patterns: &[&str]) -> Vec<(LikePattern, bool)> {
    let read = |text: &&str| (LikePattern::new(text.trim_start_matches('!')).unwrap(), !text.starts_with('!'));
    patterns.iter().map(read).collect()
}

fn is_in(words: &Words<'_>, word: &str) -> bool {
    let around = words.ranges.iter().any(|(low, high)| **low <= *word && high.as_ref().is_none_or(|high| *word < **high));
    let at = word.contains('@');
    let caller = !word.is_empty() && !word.chars().any(|char| at && char.is_ascii_uppercase());
    around && (caller || !words.caller) && words.like.iter().all(|(pattern, positive)| pattern.is_match(word) == *positive)
}

#[track_caller]
fn check_words(ends: &[&str], patterns: &[&str], caller: bool, expected: Option<&str>) {
    let (ranges, like) = (ranges(ends), like(patterns));
    let words = Words { ranges: &ranges, like: &like, caller };
    let found = shortest(&words, &mut States(MANY));
    assert_eq!(found, Ok(expected.map(str::to_owned)), "{patterns:?} in {:?}", ends.get(..8).unwrap_or(ends));
    assert!(expected.is_none_or(|word| is_in(&words, word)), "{patterns:?} in {:?}", ends.get(..8).unwrap_or(ends));
}

#[track_caller]
fn check(ends: &[&str], patterns: &[&str], expected: Option<&str>) {
    check_words(ends, patterns, false, expected);
}

#[track_caller]
fn check_caller(ends: &[&str], patterns: &[&str], expected: Option<&str>) {
    check_words(ends, patterns, true, expected);
}

#[test]
fn patterns_meet_in_a_shortest_word() {
    check(&[""], &["a%", "%b", "!%c%"], Some("ab"));
    check(&[""], &["a%", "!a%"], None);
    check(&[""], &["a%", "b%"], None);
    check(&[""], &["%a%", "!_%"], None);
    check(&[""], &["!%"], None);
    check(&[""], &["!_%"], Some(""));
    check(&[""], &["!_", "!__"], Some(""));
    check(&[""], &["!_"], Some("aa"));
    check(&[""], &["_____"], Some("aaaaa"));
    check(&[""], &["____", "___"], None);
    check(&[""], &["%ab%", "%ba%", "!%aba%"], Some("bab"));
    check(&[""], &["%a%", "%b%", "%c%", "!%ab%"], Some("acb"));
    check(&[""], &["_%", "!a%", "!b%"], Some("c"));
    check(&[""], &["!a", "_"], Some("b"));
    check(&[""], &["100\\%"], Some("100%"));
    check(&[""], &[&"a_".repeat(31), &"_b".repeat(31)], Some(&"ab".repeat(31)));
    let alphabet: Vec<String> = super::plain().map(|char| format!("!{char}%")).collect();
    let alphabet: Vec<&str> = alphabet.iter().map(String::as_str).chain(["_%"]).collect();
    check(&[""], &alphabet, Some("!"));
}

#[test]
fn ranges_settle_what_patterns_leave() {
    check(&["a", "a\0"], &["a%"], Some("a"));
    check(&["a", "a\0"], &["b%"], None);
    check(&["", "a", "a\0"], &["a", "%"], None);
    check(&["", "a", "a\0"], &["a%"], Some("aa"));
    check(&["", "a", "a\0", "aa", "aa\0"], &["a%", "!a__%"], Some("ab"));
    check(&["2024-01-01", "2025"], &["2024-%"], Some("2024-a"));
    check(&["2024-01-01", "2024-02-01"], &["%-15"], Some("2024-01-15"));
    check(&["a", "a\0\0"], &["a_%"], Some("a\0"));
    check(&["a\0", "a\0\0"], &["!b"], Some("a\0"));
    check(&["a\0", "a\0\0", "a\0\0", "a\0\0\0"], &["___"], Some("a\0\0"));
    check(&["a", "b", "b", "c"], &["b"], Some("b"));
    check(&["b", "b\0", "b\0", "c"], &["b_"], Some("ba"));
    check(&["\u{d7ff}z", "\u{e000}"], &["_"], None);
    check(&["\u{d7ff}z", "\u{e000}a"], &["_"], Some("\u{e000}"));
    check(&["\u{10ffff}"], &["__"], Some("\u{10ffff}a"));
    check(&["\u{10ffff}\u{10ffff}", "\u{10ffff}\u{10ffff}\0"], &["__%"], Some("\u{10ffff}\u{10ffff}"));
    check(&[], &["%"], None);
    check(&["", "\0"], &["%"], Some(""));
    check(&["", "\0\0"], &["%"], Some("\0"));
}

#[test]
fn without_patterns_the_word_is_one_to_read() {
    check(&[""], &[], Some("a"));
    check(&[], &[], None);
    check(&["", "a", "a\0", "b", "b\0"], &[], Some("c"));
    check(&["", "alpha", "alpha\0"], &[], Some("a"));
    check(&["2024-01-01", "2025-01-01"], &[], Some("2024-01-01"));
    check(&["2024-01-01\0", "2025-01-01"], &[], Some("2025"));
    check(&["", "2024-01-01"], &[], Some("0"));
    check(&["", "\0"], &[], Some(""));
    check(&["", "\0\0"], &[], Some("\0"));
    check(&["", "!"], &[], Some(" "));
    check(&["m\0"], &[], Some("n"));
}

#[test]
fn ids_of_callers_are_lower_case_where_they_are_addresses() {
    check_caller(&[""], &[], Some("a"));
    check_caller(&["", "\0"], &[], None);
    check_caller(&["", "\0"], &["%"], None);
    check_caller(&[""], &["!_%"], None);
    check_caller(&[""], &["%@%"], Some("@"));
    check_caller(&[""], &["%@%", "%A%"], None);
    check_caller(&[""], &["%@%", "A%"], None);
    check_caller(&[""], &["%A%", "!A"], Some("aA"));
    check_caller(&["A@", "A@\0"], &[], None);
    check_caller(&["A", "B"], &["__"], Some("Aa"));
    check_caller(&["A", "B"], &["%@%"], None);
    check_caller(&["A", "a"], &["%@"], Some("[@"));
    check_caller(&["A", "["], &["%@"], None);
    check_caller(&["x", "xA"], &["_%@%"], Some("x@"));
    check_caller(&["@", "C"], &["_"], Some("A"));
    check_caller(&["@A", "@["], &["%"], None);
    check_caller(&["@A", "@["], &[], None);
    check_caller(&["A@", "A@b", "a@example.com", "a@example.com\0"], &[], Some("a@example.com"));
    check_caller(&["A@", "A@b", "a@example.com", "a@example.com\0"], &["%@%"], Some("a@example.com"));
    check_caller(&["?\u{10ffff}", "@b"], &["__"], Some("?\u{10ffff}"));
}

#[test]
fn few_states_give_no_answer_but_never_a_wrong_one() {
    let (all, like) = (ranges(&[""]), like(&["%abc%", "%cba%", "!%b_b%", "!%c_c%", "!%aa%"]));
    let words = Words { ranges: &all, like: &like, caller: false };
    let right = shortest(&words, &mut States(MANY));
    assert!(matches!(&right, Ok(Some(word)) if is_in(&words, word)));
    let enough = (0..MANY).find(|count| shortest(&words, &mut States(*count)).is_ok()).unwrap();
    assert!(enough > 10, "{enough}");
    for count in 0..enough + 10 {
        let expected = if count < enough { Err(Spent) } else { right.clone() };
        assert_eq!(shortest(&words, &mut States(count)), expected, "{count}");
    }
}

#[test]
fn a_constant_is_an_answer_however_few_states_are_left() {
    let (ends, like) = (ranges(&["constant", "constant\0", "d"]), like(&["c%t", "!%x"]));
    let words = Words { ranges: &ends, like: &like, caller: false };
    assert_eq!(shortest(&words, &mut States(0)), Ok(Some("constant".to_owned())));
}

#[test]
fn hostile_patterns_spend_their_states_soon() {
    let all = ranges(&[""]);
    let letters: Vec<char> = ('a'..='z').collect();
    let pattern = |shift: usize| (0..31).map(|at| format!("_{}", letters[(at * (shift + 1) + shift) % 26])).collect::<String>();
    let mut patterns: Vec<String> = (0..20).map(|shift| format!("%{}%", pattern(shift))).collect();
    for negative in [false, true] {
        if negative {
            patterns.iter_mut().step_by(2).for_each(|pattern| pattern.insert(0, '!'));
        }
        let like = like(&patterns.iter().map(String::as_str).collect::<Vec<_>>());
        let mut states = States(MANY);
        assert_eq!(shortest(&Words { ranges: &all, like: &like, caller: false }, &mut states), Err(Spent));
        assert_eq!(states.0, 0);
    }
}

#[test]
fn long_lists_of_constants_cost_little() {
    let constants: Vec<String> = (0..1000).map(|number| format!("constant{number:04}")).collect();
    let mut ends = vec![String::new()];
    ends.extend(constants.iter().flat_map(|constant| [constant.clone(), format!("{constant}\0")]));
    let ends: Vec<&str> = ends.iter().map(String::as_str).collect();
    check(&ends, &["constant00%", "!%a"], Some("constant00"));
    check(&ends, &["constant____", "!%a%a%", "!%[%"], Some("constantbbbb"));
    check(&ends[1..], &["%99", "!%01%"], Some("constant0099"));
    check(&ends[1..], &["%99", "!%0%"], None);
}

/// Everything there is to choose from in a comparison with a direct matcher.
struct Choice {
    /// All words over an alphabet up to a length, the shortest first.
    words: Vec<String>,
    /// Patterns, each with its sign, and a bit for each of the words.
    like: Vec<((LikePattern, bool), Vec<u64>)>,
    /// Ends of ranges, ascending.
    ends: Vec<String>,
    caller: bool,
}

fn all_words(alphabet: &str, longest: usize) -> Vec<String> {
    let mut words = vec![String::new()];
    let mut from = 0;
    for _ in 0..longest {
        let to = words.len();
        let longer = |word: &String| alphabet.chars().map(|char| format!("{word}{char}")).collect::<Vec<_>>();
        words.extend(words[from..to].iter().flat_map(longer).collect::<Vec<_>>());
        from = to;
    }
    words
}

fn bits(words: &[String], holds: impl Fn(&str) -> bool) -> Vec<u64> {
    let word = |words: &[String]| words.iter().enumerate().map(|(at, word)| u64::from(holds(word)) << at).sum();
    words.chunks(64).map(word).collect()
}

impl Choice {
    fn new(alphabet: &str, longest: usize, pattern_alphabet: &str, ends: Vec<String>, caller: bool) -> Self {
        let words = all_words(alphabet, longest);
        let mut patterns: Vec<_> = all_words(pattern_alphabet, 3).iter().map(|text| LikePattern::new(text).unwrap()).collect();
        patterns.sort();
        patterns.dedup();
        let signed = patterns.into_iter().flat_map(|pattern| [(pattern.clone(), false), (pattern, true)]);
        let like = signed.map(|(pattern, sign)| (bits(&words, |word| pattern.is_match(word) == sign), pattern, sign));
        let like = like.map(|(bits, pattern, sign)| ((pattern, sign), bits)).collect();
        let mut ends = ends;
        ends.sort();
        Self { words, like, ends, caller }
    }

    /// Compares for some of the patterns and some of the ends. Whether there is a word.
    fn compare(&self, like: &[usize], ends: &[usize]) -> bool {
        let ends: Vec<&str> = ends.iter().map(|end| self.ends[*end].as_str()).collect();
        let ranges = ranges(&ends);
        let patterns: Vec<_> = like.iter().map(|at| self.like[*at].0.clone()).collect();
        let set = Words { ranges: &ranges, like: &patterns, caller: self.caller };
        let fits = |at: usize| like.iter().all(|pattern| self.like[*pattern].1[at / 64] >> (at % 64) & 1 == 1);
        let direct = (0..self.words.len()).filter(|at| fits(*at)).map(|at| &self.words[at]).filter(|word| is_in(&set, word));
        let direct = direct.take(2).map(|word| if word.is_empty() { 3 } else { word.len() }).min();
        let found = shortest(&set, &mut States(MANY)).unwrap();
        match (&found, direct) {
            (None, direct) => assert_eq!(direct, None, "{ends:?} {patterns:?}"),
            (Some(word), direct) => {
                assert!(is_in(&set, word), "{word:?} {ends:?} {patterns:?}");
                let length = if word.is_empty() { 3 } else { word.chars().count() };
                assert!(direct.is_none_or(|direct| length <= direct), "{word:?} {ends:?} {patterns:?}");
            }
        }
        found.is_some()
    }

    /// Compares for a sample of up to three patterns and up to four ends.
    fn sample(&self, count: usize) -> usize {
        let mut state = 1_u64;
        let mut below = |bound: usize| {
            state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
            usize::try_from(state >> 33).unwrap() % bound
        };
        let one = |_| {
            let like: Vec<usize> = (0..=below(3)).map(|_| below(self.like.len())).collect();
            let mut ends: Vec<usize> = (0..=below(4)).map(|_| below(self.ends.len())).collect();
            ends.sort_unstable();
            ends.dedup();
            self.compare(&like, &ends)
        };
        (0..count).map(one).filter(|found| *found).count()
    }
}

#[test]
fn all_pairs_of_patterns_agree_with_a_direct_matcher() {
    let choice = Choice::new("abc", 6, "ab%_", vec![String::new()], false);
    let pairs = (0..choice.like.len()).flat_map(|left| (0..=left).map(move |right| [left, right]));
    let found = pairs.map(|pair| choice.compare(&pair, &[0])).filter(|found| *found).count();
    assert!((2_000..8_000).contains(&found), "{found}");
}

#[test]
fn patterns_and_ranges_agree_with_a_direct_matcher() {
    let ends = all_words("abc", 2).into_iter().flat_map(|word| [format!("{word}\0"), word]).collect();
    let found = Choice::new("abc", 6, "ab%_", ends, false).sample(20_000);
    assert!((5_000..15_000).contains(&found), "{found}");
}

#[test]
fn ids_of_callers_agree_with_a_direct_matcher() {
    let found = Choice::new("\0@Aa", 4, "@Aa%_", all_words("\0@AZa", 2), true).sample(20_000);
    assert!((5_000..15_000).contains(&found), "{found}");
}
