//! The objects that others are stored as differences from, kept for a while.
//!
//! What is kept is bounded by its real size. A cache that reuses the room of large objects for small ones was seen to take a gigabyte on
//! a history of large files.

use gix_object::Kind;
use gix_pack::cache::DecodeEntry;

use super::generations::Generations;

/// How many bytes a generation holds; a single object may be larger.
const GENERATION_BYTES: usize = 2 * 1024 * 1024;

struct Base {
    data: Box<[u8]>,
    kind: Kind,
    compressed_size: usize,
}

/// The objects of one thread that were needed last, by the number of a pack and the place of an object in it.
pub(super) struct Bases(Generations<(u32, u64), Base>);

impl Default for Bases {
    fn default() -> Self {
        Self(Generations::new(GENERATION_BYTES))
    }
}

impl DecodeEntry for Bases {
    fn put(&mut self, pack: u32, offset: u64, data: &[u8], kind: Kind, compressed_size: usize) {
        self.0.keep((pack, offset), Base { data: data.into(), kind, compressed_size }, data.len());
    }

    fn get(&mut self, pack: u32, offset: u64, out: &mut Vec<u8>) -> Option<(Kind, usize)> {
        let base = self.0.get((pack, offset))?;
        out.clear();
        out.try_reserve(base.data.len()).ok()?;
        out.extend_from_slice(&base.data);
        Some((base.kind, base.compressed_size))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_kept_is_bounded_and_what_is_needed_again_stays() {
        let mut bases = Bases::default();
        let mut out = Vec::new();
        let data = vec![7; 1024];
        for offset in 0..10_000 {
            bases.put(0, offset, &data, Kind::Tree, 9);
            assert!(bases.get(0, 0, &mut out).is_some(), "always needed again");
            let held: usize = bases.0.values().map(|base| base.data.len()).sum();
            assert!(held <= 2 * GENERATION_BYTES, "{held}");
        }
        assert_eq!(bases.get(0, 9_999, &mut out), Some((Kind::Tree, 9)));
        assert_eq!(out, data);
        assert_eq!(bases.get(1, 9_999, &mut out), None);
        assert_eq!(bases.get(0, 1, &mut out), None);
        let large = vec![8; 3 * GENERATION_BYTES];
        bases.put(0, 1, &large, Kind::Blob, 1);
        bases.put(0, 2, &data, Kind::Blob, 1);
        bases.put(0, 2, &data, Kind::Blob, 1);
        assert!(bases.get(0, 1, &mut out).is_some());
        assert_eq!(out, large);
    }
}
