//! Where two files differ.

use serde::Serialize;
use std::fmt;
use std::io::Read;
use std::path::Path;
use vrel_world::{Result, World, WorldError};

/// How much of each file is in memory, in bytes.
const BLOCK: usize = 1 << 18;

/// How many bytes are shown of each file, from the first difference on.
const SHOWN: usize = 16;

/// How two files differ.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Difference {
    /// Where the first different byte is, counted from 0. When one file is the beginning of the other, its length.
    pub offset: u64,
    /// How many bytes differ, without those by which one file is longer.
    pub differing: u64,
    /// The lengths of the files, in bytes.
    pub lengths: [u64; 2],
    /// Up to 16 bytes of each file from `offset` on, in hexadecimal.
    pub bytes: [String; 2],
}

impl fmt::Display for Difference {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let [first, second] = self.lengths;
        if first == second {
            write!(f, "{} of {first} bytes differ", self.differing)?;
        } else {
            write!(
                f,
                "{first} bytes long, then {second}, of which {} differ",
                self.differing
            )?;
        }
        let shown = |bytes: &str| {
            if bytes.is_empty() {
                "the end".to_owned()
            } else {
                bytes.to_owned()
            }
        };
        let [first, second] = &self.bytes;
        write!(
            f,
            ", the first at offset {}: {} and then {}",
            self.offset,
            shown(first),
            shown(second)
        )
    }
}

/// Reads until the buffer is full or the file ends.
fn fill(reader: &mut dyn Read, buffer: &mut [u8]) -> std::io::Result<usize> {
    let mut have = 0;
    while have < buffer.len() {
        match reader.read(&mut buffer[have..]) {
            Ok(0) => break,
            Ok(count) => have += count,
            Err(error) if error.kind() == std::io::ErrorKind::Interrupted => {}
            Err(error) => return Err(error),
        }
    }
    Ok(have)
}

fn hex(bytes: &[u8]) -> String {
    let words: Vec<_> = bytes.iter().map(|byte| format!("{byte:02x}")).collect();
    words.join(" ")
}

/// Compares two files; `None` when they are the same.
///
/// # Errors
/// When one is missing or cannot be read.
pub fn compare(world: &dyn World, first: &Path, second: &Path) -> Result<Option<Difference>> {
    let mut readers = [world.fs().open(first)?, world.fs().open(second)?];
    let mut blocks = [vec![0; BLOCK], vec![0; BLOCK]];
    let mut lengths = [0u64; 2];
    let mut differing = 0;
    let mut offset = None;
    // What is shown may go on in the next block.
    let mut shown = [Vec::new(), Vec::new()];
    loop {
        world.check_interrupt()?;
        let mut counts = [0; 2];
        for ((count, path), (reader, block)) in counts
            .iter_mut()
            .zip([first, second])
            .zip(readers.iter_mut().zip(&mut blocks))
        {
            *count = fill(reader.as_mut(), block).map_err(|error| WorldError::io("read", path, &error))?;
        }
        let [one, two] = [&blocks[0][..counts[0]], &blocks[1][..counts[1]]];
        let mut start = None;
        if one != two {
            let pairs = one.iter().zip(two);
            let different = || pairs.clone().enumerate().filter(|(_, (a, b))| a != b);
            differing += different().count() as u64;
            let at = different()
                .next()
                .map_or(one.len().min(two.len()), |(index, _)| index);
            if offset.is_none() {
                offset = Some(lengths[0] + at as u64);
                start = Some(at);
            }
        }
        if offset.is_some() {
            let start = start.unwrap_or(0);
            for (shown, block) in shown.iter_mut().zip([one, two]) {
                let room = SHOWN - shown.len();
                let rest = block.get(start..).unwrap_or_default();
                shown.extend_from_slice(&rest[..rest.len().min(room)]);
            }
        }
        lengths = [lengths[0] + counts[0] as u64, lengths[1] + counts[1] as u64];
        if counts == [0, 0] {
            break;
        }
    }
    Ok(offset.map(|offset| Difference {
        offset,
        differing,
        lengths,
        bytes: shown.map(|bytes| hex(&bytes)),
    }))
}

#[cfg(test)]
mod tests {
    use super::*;
    use vrel_world::RealWorld;

    fn compared(first: &[u8], second: &[u8]) -> Option<Difference> {
        let dir = tempfile::tempdir().unwrap();
        let (one, two) = (dir.path().join("one"), dir.path().join("two"));
        std::fs::write(&one, first).unwrap();
        std::fs::write(&two, second).unwrap();
        compare(&RealWorld::default(), &one, &two).unwrap()
    }

    #[test]
    fn equal_files_have_no_difference() {
        assert_eq!(compared(b"", b""), None);
        let long = vec![7; 2 * BLOCK + 5];
        assert_eq!(compared(&long, &long), None);
    }

    #[test]
    fn the_first_difference_and_their_number_are_told_across_blocks() {
        let one = vec![0; 2 * BLOCK];
        let mut two = one.clone();
        two[BLOCK - 1] = 0xab;
        two[BLOCK + 7] = 0xcd;
        let difference = compared(&one, &two).unwrap();
        assert_eq!((difference.offset, difference.differing), (BLOCK as u64 - 1, 2));
        assert_eq!(difference.bytes[0], ["00"; 16].join(" "));
        assert_eq!(
            difference.bytes[1],
            "ab 00 00 00 00 00 00 00 cd 00 00 00 00 00 00 00"
        );
        assert!(
            difference
                .to_string()
                .starts_with("2 of 524288 bytes differ, the first at offset 262143: 00 00"),
            "{difference}"
        );
    }

    #[test]
    fn a_file_that_goes_on_differs_at_the_other_s_end() {
        for length in [3, BLOCK] {
            let one = vec![1; length];
            let two = [one.as_slice(), &[2, 3]].concat();
            let difference = compared(&one, &two).unwrap();
            assert_eq!((difference.offset, difference.differing), (length as u64, 0));
            assert_eq!(difference.bytes, ["", "02 03"]);
            assert_eq!(
                difference.to_string(),
                format!(
                    "{length} bytes long, then {}, of which 0 differ, the first at offset {length}: the end and then 02 03",
                    length + 2
                )
            );
        }
    }

    #[test]
    fn a_missing_file_is_named() {
        let world = RealWorld::default();
        let error = compare(&world, Path::new("/nowhere/a"), Path::new("/nowhere/b")).unwrap_err();
        assert!(error.to_string().contains("/nowhere/a"), "{error}");
    }
}
