//! The disks that a system may be installed on, and which of them is meant.

use core::fmt;

use crate::answers::{Answers, Target};
use crate::gpt::{Layout, LayoutError};

/// What is known of a disk without its name.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Disk {
    /// Bytes in a logical block.
    pub block_size: u32,
    /// How many blocks there are.
    pub blocks: u64,
    /// Whether the parts that were looked at hold nothing but zeros.
    pub empty: bool,
}

impl Disk {
    /// The size in bytes.
    pub fn bytes(&self) -> u64 {
        self.blocks.saturating_mul(self.block_size.into())
    }
}

/// A number of bytes, shown in whole MiB, or from 10 GiB on in whole GiB.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Size(pub u64);

impl fmt::Display for Size {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.0 {
            bytes if bytes >= 10 << 30 => write!(f, "{} GiB", bytes >> 30),
            bytes => write!(f, "{} MiB", bytes >> 20),
        }
    }
}

/// Why no disk is chosen.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Refusal {
    /// There is no disk with this number; there are so many.
    NoSuchDisk(usize, usize),
    /// So many disks are empty, and not one.
    Empty(usize),
    /// So many disks have this size, and not one.
    OfSize(usize, u64),
    /// The disk with this number is not empty, and `erase` is not `yes`.
    NotEmpty(usize),
    /// The disk with this number cannot hold the system.
    Unfit(usize, LayoutError),
}

impl fmt::Display for Refusal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::NoSuchDisk(number, count) => {
                write!(
                    f,
                    "expected the number of a listed disk, 1 to {count}, got {number}"
                )
            }
            Self::Empty(count) => write!(f, "expected exactly one empty disk, got {count}"),
            Self::OfSize(count, bytes) => {
                write!(f, "expected exactly one disk of {}, got {count}", Size(*bytes))
            }
            Self::NotEmpty(number) => {
                write!(
                    f,
                    "disk {number} is not empty, and the answer file does not say `erase = yes`"
                )
            }
            Self::Unfit(number, error) => write!(f, "disk {number}: {error}"),
        }
    }
}

/// A number from 1, in decimal digits only.
pub fn parse_number(text: &str) -> Option<usize> {
    let digits = text.bytes().all(|byte| byte.is_ascii_digit());
    text.parse().ok().filter(|&number| digits && number > 0)
}

/// The layout for the disk with this number (from 1), which is to hold a partition of `len` bytes.
///
/// # Errors
/// When there is no such disk, or it cannot hold the partition.
pub fn layout(disks: &[Disk], number: usize, len: u64) -> Result<Layout, Refusal> {
    let disk = number.checked_sub(1).and_then(|index| disks.get(index));
    let disk = disk.ok_or(Refusal::NoSuchDisk(number, disks.len()))?;
    Layout::new(disk.block_size, disk.blocks, len).map_err(|error| Refusal::Unfit(number, error))
}

/// The number of the disk that the answers mean, and the layout for it.
///
/// # Errors
/// When they mean none, more than one, or one that must not be overwritten or cannot hold a partition of `len` bytes.
pub fn choose(disks: &[Disk], answers: &Answers, len: u64) -> Result<(usize, Layout), Refusal> {
    let number = match answers.target {
        Target::Number(number) => number,
        Target::Empty => only(disks, |disk| disk.empty).map_err(Refusal::Empty)?,
        Target::Size(bytes) => {
            let found = only(disks, |disk| disk.bytes() == bytes);
            found.map_err(|count| Refusal::OfSize(count, bytes))?
        }
    };
    let layout = layout(disks, number, len)?;
    if disks[number - 1].empty || answers.erase {
        Ok((number, layout))
    } else {
        Err(Refusal::NotEmpty(number))
    }
}

/// The number of the only disk that is as wanted; otherwise how many are.
fn only(disks: &[Disk], wanted: impl Fn(&Disk) -> bool) -> Result<usize, usize> {
    let mut found = (1..).zip(disks).filter(|(_, disk)| wanted(disk));
    match (found.next(), found.count()) {
        (Some((number, _)), 0) => Ok(number),
        (first, more) => Err(usize::from(first.is_some()) + more),
    }
}

#[cfg(test)]
mod tests {
    extern crate std;
    use super::*;
    use crate::answers::Then;
    use std::string::ToString;

    const LEN: u64 = 16 << 20;

    fn disk(mib: u64, empty: bool) -> Disk {
        Disk {
            block_size: 512,
            blocks: mib << 11,
            empty,
        }
    }

    fn chosen(disks: &[Disk], target: Target, erase: bool) -> Result<usize, Refusal> {
        let answers = Answers {
            target,
            erase,
            then: Then::PowerOff,
        };
        choose(disks, &answers, LEN).map(|(number, _)| number)
    }

    #[test]
    fn the_only_empty_disk_is_found_and_ambiguity_is_refused() {
        let (full, empty) = (disk(64, false), disk(64, true));
        assert_eq!(chosen(&[full, empty, full], Target::Empty, false), Ok(2));
        assert_eq!(chosen(&[full, full], Target::Empty, true), Err(Refusal::Empty(0)));
        assert_eq!(
            chosen(&[empty, full, empty], Target::Empty, true),
            Err(Refusal::Empty(2))
        );
        assert_eq!(chosen(&[], Target::Empty, true), Err(Refusal::Empty(0)));
    }

    #[test]
    fn a_disk_is_found_by_its_size() {
        let disks = [disk(64, true), disk(128, true), disk(64, false)];
        assert_eq!(chosen(&disks, Target::Size(128 << 20), false), Ok(2));
        let both = Refusal::OfSize(2, 64 << 20);
        assert_eq!(chosen(&disks, Target::Size(64 << 20), true), Err(both));
        assert_eq!(both.to_string(), "expected exactly one disk of 64 MiB, got 2");
    }

    #[test]
    fn what_is_not_empty_is_kept_unless_the_answers_say_otherwise() {
        let disks = [disk(64, true), disk(64, false)];
        assert_eq!(
            chosen(&disks, Target::Number(2), false),
            Err(Refusal::NotEmpty(2))
        );
        assert_eq!(chosen(&disks, Target::Number(2), true), Ok(2));
        assert_eq!(chosen(&disks, Target::Number(1), false), Ok(1));
        assert_eq!(
            chosen(&disks, Target::Number(3), true),
            Err(Refusal::NoSuchDisk(3, 2))
        );
        assert!(matches!(layout(&disks, 0, LEN), Err(Refusal::NoSuchDisk(0, 2))));
    }

    #[test]
    fn a_disk_that_is_too_small_is_refused_with_both_sizes() {
        let refusal = chosen(&[disk(10, true)], Target::Empty, true).unwrap_err();
        assert_eq!(
            refusal.to_string(),
            "disk 1: expected a disk of at least 18 MiB, got one of 10 MiB"
        );
    }

    #[test]
    fn sizes_are_shown_for_people() {
        assert_eq!(Size(64 << 20).to_string(), "64 MiB");
        assert_eq!(Size((1 << 30) + 1).to_string(), "1024 MiB");
        assert_eq!(Size(500_107_862_016).to_string(), "465 GiB");
    }
}
