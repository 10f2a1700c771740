//! Any bytes as two conditions: what `tests/it/fuzz/solver.rs` asks of the solver about them.
#![no_main]

#[path = "../../tests/it/fuzz/solver.rs"]
mod solver;

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| {
    solver::check(bytes);
});
