//! What the fuzz targets of `fuzz/` run, on bytes by chance: so that they build, hold, and ask what they are to ask.

mod parser;
mod solver;

/// Bytes by chance, always the same (SplitMix64).
fn bytes(seed: u64, length: usize) -> Vec<u8> {
    let mut state = seed.wrapping_mul(0x9e37_79b9_7f4a_7c15);
    let next = || {
        state = state.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mixed = (state ^ state >> 30).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        (mixed ^ mixed >> 29).to_be_bytes()[0]
    };
    std::iter::repeat_with(next).take(length).collect()
}

#[test]
fn any_text_is_read_as_it_is_printed() {
    const PIECES: [&str; 30] = [
        "a",
        "b.c",
        "`x`",
        "{me}",
        "{me.a}",
        "'{me}'",
        "{",
        "(",
        ")",
        "(",
        ")",
        ",",
        "=",
        "<>",
        "<",
        "not ",
        " and ",
        " or ",
        " in ",
        " cidr ",
        " like ",
        " matches ",
        "exists ",
        "null",
        "1",
        "-1e309",
        "'s'",
        "'::/0'",
        "\\",
        "é",
    ];
    for seed in 0..4_000 {
        let pieces = bytes(seed, 12).into_iter().map(|byte| PIECES[usize::from(byte) % PIECES.len()]);
        parser::check(pieces.collect::<String>().as_bytes());
    }
    for text in ["a and (b or not c)", "not (not (a))", "a in (1, 'b') and {me.d} not like 'x%'", "((a = 1) or b) or c"] {
        assert!(parser::check(text.as_bytes()), "{text} is a condition");
    }
    assert!(!parser::check(b"a = \xff"));
}

#[test]
fn the_solver_agrees_with_requests_that_are_tried() {
    let mut told = [0; 3];
    for seed in 0..300 {
        if let Some(answer) = solver::check(&bytes(seed, 48)) {
            told[answer as usize] += 1;
        }
    }
    let [yes, no, undecided] = told;
    assert!(yes > 100 && no > 20 && undecided < 30, "the bytes ask too little: {told:?}");
}
