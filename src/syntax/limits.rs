//! What a file may ask of us: far more than any sensible policy needs, far less than could hurt.

/// How deep values may be nested. Also what bounds the recursion of everything that walks a tree, dropping it included.
pub const DEPTH: usize = 64;

/// How many values a file may hold, those that aliases repeat included.
pub const NODES: usize = 500_000;

/// How many documents a file may hold.
pub const DOCUMENTS: usize = 10_000;

/// How many errors are reported of one file; parsing stops there.
pub const ERRORS: usize = 20;

/// How many values all anchors and aliases of a file may copy: each anchored value counts once, and once more per alias.
pub const COPIED_NODES: usize = 10_000;

/// How many bytes of text all anchors and aliases of a file may copy.
pub const COPIED_BYTES: usize = 1 << 20;
