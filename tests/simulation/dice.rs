//! Chance that is the same in every run with the same seed.

/// Chance from a seed (splitmix64).
#[derive(Debug, Clone)]
pub(crate) struct Dice(u64);

impl Dice {
    pub(crate) fn new(seed: u64) -> Self {
        Self(seed.wrapping_mul(0x9E37_79B9_7F4A_7C15) ^ 0x5157_4E59_4B00_0001)
    }

    /// Any number.
    pub(crate) fn number(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9E37_79B9_7F4A_7C15);
        let mut mixed = self.0;
        mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
        mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
        mixed ^ (mixed >> 31)
    }

    /// A number below a limit.
    pub(crate) fn below(&mut self, limit: u64) -> u64 {
        self.number() % limit.max(1)
    }

    /// A place in a list of this length.
    pub(crate) fn place(&mut self, length: usize) -> usize {
        usize::try_from(self.below(length as u64)).unwrap_or_default()
    }

    /// A number between two, both possible.
    pub(crate) fn between(&mut self, least: u64, most: u64) -> u64 {
        least + self.below(most - least + 1)
    }

    /// True so often in a thousand.
    pub(crate) fn in_thousand(&mut self, times: u64) -> bool {
        self.below(1000) < times
    }

    /// One of a list, which is not empty.
    pub(crate) fn one<'l, T>(&mut self, of: &'l [T]) -> &'l T {
        &of[self.place(of.len())]
    }

    /// Chance of its own, which draws nothing more from this.
    pub(crate) fn fork(&mut self) -> Self {
        Self::new(self.number())
    }
}
