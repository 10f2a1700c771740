//! Where the parts of atoms stand.

use crate::condition::parse;

/// The parts of every atom as they are written: term, sign and values, then the whole.
fn parts(text: &str) -> Vec<String> {
    let places = parse(text).expect("a condition").places;
    let part = |range: &std::ops::Range<usize>| text[range.clone()].to_owned();
    let shown = places.iter().map(|place| {
        let values: Vec<String> = place.values.iter().map(part).collect();
        format!("{}|{}|{}|{}", part(&place.term), part(&place.sign), values.join("|"), part(&place.range))
    });
    shown.collect()
}

#[track_caller]
fn check(text: &str, expected: &[&str]) {
    assert_eq!(parts(text), expected, "{text}");
}

#[test]
fn every_part_of_an_atom_has_a_place() {
    check("a", &["a|||a"]);
    check("exists  a.b", &["a.b|||exists  a.b"]);
    check("a = 'b'", &["a|=|'b'|a = 'b'"]);
    check("a != {me . x}", &["a|!=|{me . x}|a != {me . x}"]);
    check("'{me}' == b", &["'{me}'|==|b|'{me}' == b"]);
    check("a not  in (1, 'x')", &["a|not  in|1|'x'|a not  in (1, 'x')"]);
    check("a nin [1]", &["a|nin|1|a nin [1]"]);
    check("a = [1, 2]", &["a|=|1|2|a = [1, 2]"]);
    check("a in cidr ('10.0.0.0/8' , '::/0')", &["a|in cidr|'10.0.0.0/8'|'::/0'|a in cidr ('10.0.0.0/8' , '::/0')"]);
    check("a NOT LIKE \"b%\"", &["a|NOT LIKE|\"b%\"|a NOT LIKE \"b%\""]);
    check("a matches '^b'", &["a|matches|'^b'|a matches '^b'"]);
}

#[test]
fn places_are_in_the_order_in_which_atoms_are_visited() {
    let text = "not (a = 1 or (b and (c < 2 or d))) or exists e";
    let parsed = parse(text).expect("a condition");
    let mut visited = Vec::new();
    parsed.expr.each_atom(&mut |atom| visited.push(atom.term().to_string()));
    let written: Vec<&str> = parsed.places.iter().map(|place| &text[place.term.clone()]).collect();
    assert_eq!(visited, written);
}
