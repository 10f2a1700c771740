//! Random law books, and the same with one thing changed.

use std::collections::BTreeSet;

use lawbook::policy::Effect;

pub const ACTIONS: [&str; 3] = ["read", "update", "unnamed"];
pub const MEMBERS: [&str; 7] = ["*", "ann@x", "bob@x", "g", "h", "k", "service:job"];
/// `tags` is declared to hold a list.
pub const CONDITIONS: [&str; 26] = [
    "a = 1",
    "a in (1, 2)",
    "a != 1",
    "a > 1",
    "a = null",
    "a = 2 or owner = {me}",
    "owner = {me}",
    "owner != {me}",
    "owner = 'ann@x'",
    "{me} != 'ann@x'",
    "a = 1 and a = 2",
    "tags = 'ab'",
    "tags != 'ab'",
    "tags like 'ab%' or tags like 'ac%'",
    "tags like 'ab%' and tags like 'ac%'",
    "tags > 'ab' and tags < 'b'",
    "not (tags < 'ab') and exists tags",
    "n.x = 1",
    "exists n.x",
    "n.x = 1 or a = 1",
    "not (n = 1)",
    "owner like '%@x' and a > 0",
    "owner not like '%b%'",
    "owner like '{m\\e}'",
    "tags like '{m\\e}%' or a = 1",
    "not (a = 1 and owner = {me})",
];

/// A statement, as few words as it takes to say it.
#[derive(Debug, Clone, PartialEq)]
pub struct Written {
    pub effect: Effect,
    pub control: bool,
    pub enabled: bool,
    pub actions: Vec<&'static str>,
    pub service: &'static str,
    pub source: &'static str,
    pub members: Vec<&'static str>,
    pub except: Vec<&'static str>,
    pub condition: Option<&'static str>,
}

/// Numbers from a seed (SplitMix64), so that a failure can be named by its seed.
pub struct Dice(pub u64);

impl Dice {
    pub fn roll(&mut self, sides: usize) -> usize {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut mixed = self.0;
        mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        ((mixed ^ (mixed >> 31)) % sides as u64) as usize
    }

    pub fn pick<T: Copy>(&mut self, from: &[T]) -> T {
        from[self.roll(from.len())]
    }

    pub fn some(&mut self, from: &[&'static str], most: usize) -> Vec<&'static str> {
        let wanted = 1 + self.roll(most);
        (0..wanted).map(|_| self.pick(from)).collect::<BTreeSet<_>>().into_iter().collect()
    }

    pub fn condition(&mut self) -> Option<&'static str> {
        (self.roll(4) > 0).then(|| self.pick(&CONDITIONS))
    }

    pub fn written(&mut self) -> Written {
        let control = self.roll(8) == 0;
        Written {
            effect: if control || self.roll(5) < 2 { Effect::Deny } else { Effect::Allow },
            control,
            enabled: self.roll(8) > 0,
            actions: self.some(&ACTIONS[..2], 2),
            service: self.pick(&["report", "report", "plan", "*"]),
            source: self.pick(&["private", "private", "*"]),
            members: if self.roll(4) == 0 { vec!["*"] } else { self.some(&MEMBERS, 3) },
            except: if self.roll(4) == 0 { self.some(&MEMBERS[1..], 2) } else { vec![] },
            condition: self.condition(),
        }
    }

    pub fn law_book(&mut self) -> Vec<Written> {
        (0..=self.roll(7)).map(|_| self.written()).collect()
    }

    /// The same with one thing changed, which may be one that means nothing.
    pub fn mutant(&mut self, of: &[Written]) -> Vec<Written> {
        let mut mutant = of.to_vec();
        let at = self.roll(mutant.len());
        let new = self.written();
        let place = &mut mutant[at];
        match self.roll(14) {
            0 | 1 => place.condition = new.condition,
            2 => place.actions = new.actions,
            3 => place.service = new.service,
            4 => place.source = new.source,
            5 => place.members = new.members,
            6 => place.except = new.except,
            7 if !place.control => place.effect = if place.effect == Effect::Allow { Effect::Deny } else { Effect::Allow },
            7 | 8 => place.enabled = !place.enabled,
            9 => drop(mutant.remove(at)),
            10 | 11 => mutant.push(new),
            12 => mutant.reverse(),
            _ => {
                let mut other = place.clone();
                if place.members.len() > 1 {
                    other.members = place.members.split_off(1);
                }
                mutant.insert(0, other);
            }
        }
        mutant
    }
}
