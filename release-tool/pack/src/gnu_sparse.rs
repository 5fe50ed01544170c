//! Sparse files in tar archives of GNU's old form: the header and the map of what is stored (GNU tar's manual, "Storing
//! Sparse Files").

use std::io::{self, Read};
use std::ops::Range;
use vrel_model::UtcTime;

/// Tar's unit.
const BLOCK: usize = 512;

/// Where entries of the map begin in the header, how many there are, and where is said that more follow.
const MAP: (usize, usize, usize) = (386, 4, 482);

/// The same in each block that continues the map.
const MORE: (usize, usize, usize) = (0, 21, 504);

/// A number's field: eleven octal digits and a zero byte, or eleven bytes after one that says so.
const NUMBER: usize = 12;

/// The longest map, which takes 64 MiB of memory.
pub(crate) const MAX_ENTRIES: usize = 1 << 22;

/// A sparse file's header.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct SparseFile {
    pub(crate) name: String,
    /// Its size with holes.
    pub(crate) size: u64,
    /// What is stored of it: ascending, within its size.
    pub(crate) data: Vec<Range<u64>>,
}

/// The header with the whole map for a regular file of mode 0644 and no owner, dated `time`. `data` is ascending and of
/// whole sectors; it is to follow without gaps.
pub(crate) fn header(name: &str, size: u64, data: &[Range<u64>], time: UtcTime) -> Vec<u8> {
    // A file that ends in a hole ends in an entry without bytes.
    let end = data
        .last()
        .is_none_or(|last| last.end < size)
        .then_some(size..size);
    let entries: Vec<_> = data.iter().cloned().chain(end).collect();
    let stored = data.iter().map(|run| run.end - run.start).sum();
    let mut header = vec![0; BLOCK];
    header[..name.len()].copy_from_slice(name.as_bytes());
    header[100..107].copy_from_slice(b"0000644");
    header[108..115].copy_from_slice(b"0000000");
    header[116..123].copy_from_slice(b"0000000");
    number(&mut header[124..136], stored);
    number(&mut header[136..148], u64::try_from(time.unix()).unwrap_or(0));
    header[156] = b'S';
    header[257..265].copy_from_slice(b"ustar  \0");
    number(&mut header[483..495], size);
    let rest = write_map(&mut header, MAP, &entries);
    let sum: u32 = header.iter().map(|&byte| u32::from(byte)).sum::<u32>() + 8 * u32::from(b' ');
    header[148..156].copy_from_slice(format!("{sum:06o}\0 ").as_bytes());
    let mut left = rest;
    while !left.is_empty() {
        let mut block = vec![0; BLOCK];
        left = write_map(&mut block, MORE, left);
        header.extend(block);
    }
    header
}

/// Writes as many entries as there is room for, and returns the others.
fn write_map<'e>(
    block: &mut [u8],
    (at, room, more): (usize, usize, usize),
    entries: &'e [Range<u64>],
) -> &'e [Range<u64>] {
    let (now, later) = entries.split_at(room.min(entries.len()));
    for (index, run) in now.iter().enumerate() {
        let entry = &mut block[at + index * 2 * NUMBER..][..2 * NUMBER];
        number(&mut entry[..NUMBER], run.start);
        number(&mut entry[NUMBER..], run.end - run.start);
    }
    block[more] = u8::from(!later.is_empty());
    later
}

fn number(field: &mut [u8], value: u64) {
    let digits = format!("{value:011o}");
    if digits.len() < field.len() {
        field[..digits.len()].copy_from_slice(digits.as_bytes());
    } else {
        field[0] = 0x80;
        field[NUMBER - 8..].copy_from_slice(&value.to_be_bytes());
    }
}

/// Reads a header with its map.
///
/// # Errors
/// When the stream ends or fails, and with [`io::ErrorKind::InvalidData`] when it is not such a header.
pub(crate) fn read(from: &mut dyn Read) -> io::Result<SparseFile> {
    let mut block = [0; BLOCK];
    from.read_exact(&mut block)?;
    let sum = block.iter().map(|&byte| u32::from(byte)).sum::<u32>() + 8 * u32::from(b' ')
        - block[148..156].iter().map(|&byte| u32::from(byte)).sum::<u32>();
    if parse(&block[148..156]) != Some(u64::from(sum)) || block[156] != b'S' || &block[257..263] != b"ustar "
    {
        return Err(invalid("a sparse file in GNU's old form", "something else"));
    }
    let len = block[..100].iter().position(|&byte| byte == 0).unwrap_or(100);
    let name = String::from_utf8_lossy(&block[..len]).into_owned();
    let (stored, size) = (parse(&block[124..136]), parse(&block[483..495]));
    let (Some(stored), Some(size)) = (stored, size) else {
        return Err(invalid("sizes as numbers", "none"));
    };
    let mut data = Vec::new();
    let mut more = read_map(&block, MAP, &mut data)?;
    while more {
        if data.len() > MAX_ENTRIES {
            return Err(invalid("a reasonable number of holes", "too many"));
        }
        from.read_exact(&mut block)?;
        more = read_map(&block, MORE, &mut data)?;
    }
    let ordered =
        data.is_sorted_by(|a, b| a.end <= b.start) && data.last().is_some_and(|last| last.end == size);
    if !ordered || data.iter().map(|run| run.end - run.start).sum::<u64>() != stored {
        return Err(invalid("parts in order that make up the file", "others"));
    }
    data.retain(|run| !run.is_empty());
    Ok(SparseFile { name, size, data })
}

/// Reads the entries of one block, and says whether another follows.
fn read_map(
    block: &[u8; BLOCK],
    (at, room, more): (usize, usize, usize),
    data: &mut Vec<Range<u64>>,
) -> io::Result<bool> {
    for entry in block[at..].chunks_exact(2 * NUMBER).take(room) {
        if entry[0] == 0 {
            break;
        }
        let run = parse(&entry[..NUMBER]).zip(parse(&entry[NUMBER..]));
        let run = run.and_then(|(start, len)| Some(start..start.checked_add(len)?));
        data.push(run.ok_or_else(|| invalid("numbers in the list of parts", "something else"))?);
    }
    Ok(block[more] != 0)
}

fn parse(field: &[u8]) -> Option<u64> {
    if let [0x80, rest @ ..] = field {
        let (high, low) = rest.split_at(rest.len().checked_sub(8)?);
        let fits = high.iter().all(|&byte| byte == 0);
        return fits.then(|| low.iter().fold(0, |value, &byte| value << 8 | u64::from(byte)));
    }
    let text = std::str::from_utf8(field).ok()?;
    u64::from_str_radix(text.trim_end_matches(['\0', ' ']), 8).ok()
}

fn invalid(expected: &str, found: &str) -> io::Error {
    let problem = format!("expected {expected}, found {found}");
    io::Error::new(io::ErrorKind::InvalidData, problem)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn sample(runs: u64, size: u64) -> SparseFile {
        SparseFile {
            name: "disk.raw".to_owned(),
            size,
            data: (0..runs).map(|run| run * 4096..run * 4096 + 512).collect(),
        }
    }

    fn bytes(file: &SparseFile) -> Vec<u8> {
        header(
            &file.name,
            file.size,
            &file.data,
            UtcTime::from_unix(1_700_000_000).unwrap(),
        )
    }

    #[test]
    fn maps_of_any_length_come_back() {
        for runs in [0, 1, 3, 4, 5, 24, 25, 26, 1000] {
            for size in [1 << 30, 9 << 30, 1 << 45] {
                let file = sample(runs, size);
                let bytes = bytes(&file);
                assert_eq!(bytes.len() % BLOCK, 0);
                assert_eq!(read(&mut &bytes[..]).unwrap(), file, "{runs} {size}");
            }
        }
        // A file that ends in data.
        let file = sample(8, 7 * 4096 + 512);
        assert_eq!(read(&mut &bytes(&file)[..]).unwrap(), file);
    }

    #[test]
    fn damage_is_noticed() {
        let good = bytes(&sample(30, 1 << 30));
        assert!(read(&mut &good[..good.len() - 1]).is_err());
        // The kind, a digit of the size stored, one of the real size, an entry in the header, a length in the continuation.
        for at in [156, 130, 490, 400, 530] {
            let mut bad = good.clone();
            bad[at] ^= 1;
            assert!(read(&mut &bad[..]).is_err(), "{at}");
        }
        let mut endless = good[..BLOCK].to_vec();
        endless.resize(BLOCK * 2, 0);
        endless[BLOCK + 504] = 1;
        let tail = io::repeat(1);
        assert!(read(&mut endless.as_slice().chain(tail)).is_err());
    }
}
