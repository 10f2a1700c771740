//! The objects that others are stored as differences from, kept for a while.
//!
//! What is kept is bounded by its real size: two generations, of which the older one is given up when the younger one is full. A
//! cache that reuses the room of large objects for small ones was seen to take a gigabyte on a history of large files.

use std::collections::HashMap;

use gix_object::Kind;
use gix_pack::cache::DecodeEntry;

/// How many bytes a generation holds; a single object may be larger.
const GENERATION_BYTES: usize = 2 * 1024 * 1024;

/// The number of a pack, and the place of an object in it.
type Place = (u32, u64);

struct Base {
    data: Box<[u8]>,
    kind: Kind,
    compressed_size: usize,
}

/// The objects of one thread that were needed last.
#[derive(Default)]
pub(super) struct Bases {
    young: HashMap<Place, Base>,
    young_bytes: usize,
    old: HashMap<Place, Base>,
}

impl Bases {
    fn keep(&mut self, place: Place, base: Base) {
        let bytes = base.data.len();
        if self.young_bytes + bytes > GENERATION_BYTES && !self.young.is_empty() {
            self.old = std::mem::take(&mut self.young);
            self.young_bytes = 0;
        }
        self.young_bytes += bytes;
        let before = self.young.insert(place, base);
        self.young_bytes -= before.map_or(0, |before| before.data.len());
    }
}

impl DecodeEntry for Bases {
    fn put(&mut self, pack: u32, offset: u64, data: &[u8], kind: Kind, compressed_size: usize) {
        self.keep((pack, offset), Base { data: data.into(), kind, compressed_size });
    }

    fn get(&mut self, pack: u32, offset: u64, out: &mut Vec<u8>) -> Option<(Kind, usize)> {
        let place = (pack, offset);
        // What is needed again is young again.
        if let Some(base) = self.old.remove(&place) {
            self.keep(place, base);
        }
        let base = self.young.get(&place)?;
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
            let held: usize = bases.young.values().chain(bases.old.values()).map(|base| base.data.len()).sum();
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
