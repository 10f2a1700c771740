//! Any text as a condition: what `tests/it/fuzz/parser.rs` asks of it.
#![no_main]

#[path = "../../tests/it/fuzz/parser.rs"]
mod parser;

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| {
    parser::check(bytes);
});
