//! The `lawbook` command.

fn main() {}
