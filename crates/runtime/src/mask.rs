//! Sets of partitions.

use kernel::PARTITIONS;

/// Which partitions of a topic: bit p stands for partition p.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub(crate) struct Mask(u64);

impl Mask {
    /// No partition.
    pub const NONE: Self = Self(0);
    /// Every partition.
    pub const ALL: Self = Self((1 << PARTITIONS) - 1);

    /// One partition.
    pub fn of(partition: u16) -> Self {
        Self(1 << partition)
    }

    /// The partitions of both.
    pub fn with(self, other: Self) -> Self {
        Self(self.0 | other.0)
    }

    /// Whether it holds the partition.
    pub fn has(self, partition: u16) -> bool {
        self.0 >> partition & 1 == 1
    }

    /// For a statement.
    pub fn bits(self) -> i64 {
        self.0 as i64
    }
}
