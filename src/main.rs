//! The `lawbook` command.

use std::process::ExitCode;

/// Reading a law book is mostly small allocations, on all cores; this allocator makes a check of ten thousand policies a quarter
/// faster than that of the system (`benches/large.py`).
#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

fn main() -> ExitCode {
    lawbook::cli::main(std::env::args_os())
}
