//! Digests of many files.

use std::io::Read;
use std::num::NonZeroUsize;
use std::path::PathBuf;
use std::sync::Mutex;
use vrel_trust::{Source, digest_bytes, digest_files, digest_streams};
use vrel_world::{ErrorKind, Interrupt, RealWorld};

fn content(length: usize, seed: usize) -> Vec<u8> {
    (0..length)
        .map(|index| ((index + seed).wrapping_mul(2_654_435_761) >> 13) as u8)
        .collect()
}

#[test]
fn results_are_in_the_order_of_the_paths_whatever_the_threads() {
    let sets: [&[usize]; 5] = [
        &[
            5 << 20,
            0,
            1 << 20,
            17,
            (1 << 20) - 1,
            3 << 20,
            262_144,
            1,
            65_536,
            65_535,
            65_537,
            2 << 20,
        ],
        &[9 << 20, 1 << 20, 5],
        &[2 << 20, 2 << 20, 2 << 20, 0],
        &[3 << 20],
        &[],
    ];
    sets.into_iter().for_each(check);
}

fn check(lengths: &[usize]) {
    let dir = tempfile::tempdir().unwrap();
    let contents: Vec<Vec<u8>> = lengths
        .iter()
        .enumerate()
        .map(|(seed, length)| content(*length, seed))
        .collect();
    let paths: Vec<PathBuf> = (0..lengths.len())
        .map(|index| dir.path().join(index.to_string()))
        .collect();
    for (path, content) in paths.iter().zip(&contents) {
        std::fs::write(path, content).unwrap();
    }
    let expected: Vec<_> = contents.iter().map(|content| digest_bytes(content)).collect();
    for threads in [1, 2, 3, 8] {
        let told = Mutex::new(vec![0; lengths.len()]);
        let threads = NonZeroUsize::new(threads).unwrap();
        let progress = |index: usize, bytes| told.lock().unwrap()[index] += bytes;
        assert_eq!(
            digest_files(&RealWorld::default(), &paths, threads, &progress).unwrap(),
            expected
        );
        assert_eq!(
            told.into_inner().unwrap(),
            lengths.iter().map(|length| *length as u64).collect::<Vec<_>>()
        );
    }
}

#[test]
fn a_missing_file_and_a_wish_to_stop_end_it() {
    let dir = tempfile::tempdir().unwrap();
    let there = dir.path().join("there");
    std::fs::write(&there, content(2 << 20, 1)).unwrap();
    let paths = [there.clone(), dir.path().join("missing")];
    let two = NonZeroUsize::new(2).unwrap();
    let error = digest_files(&RealWorld::default(), &paths, two, &|_, _| {}).unwrap_err();
    assert_eq!(error.kind, ErrorKind::NotFound);
    assert!(error.to_string().contains("missing"), "{error}");
    let interrupt = Interrupt::default();
    interrupt.set();
    let world = RealWorld::new(interrupt, None);
    assert_eq!(
        digest_files(&world, &[there], two, &|_, _| {}).unwrap_err().kind,
        ErrorKind::Interrupted
    );
    assert!(digest_files(&world, &[], two, &|_, _| {}).unwrap().is_empty());
}

#[test]
fn one_stream_that_fails_does_not_disturb_the_others() {
    let lengths = [300_000, 300_000, 300_000, 0, 300_000, 300_000];
    let contents: Vec<Vec<u8>> = lengths
        .iter()
        .enumerate()
        .map(|(seed, length)| content(*length, seed))
        .collect();
    let open = |index: usize| -> std::io::Result<Source<'_>> {
        match index {
            1 => Err(std::io::Error::other("cannot open")),
            4 => Ok(Box::new(contents[4][..200_000].chain(Failing))),
            _ => Ok(Box::new(&contents[index][..])),
        }
    };
    for threads in [1, 2, 5] {
        let results = digest_streams(
            &lengths.map(|length| length as u64),
            NonZeroUsize::new(threads).unwrap(),
            &open,
        );
        for (index, result) in results.into_iter().enumerate() {
            match index {
                1 => assert_eq!(result.unwrap_err().to_string(), "cannot open"),
                4 => assert_eq!(result.unwrap_err().to_string(), "cannot go on"),
                _ => assert_eq!(result.unwrap(), digest_bytes(&contents[index])),
            }
        }
    }
}

struct Failing;

impl Read for Failing {
    fn read(&mut self, _: &mut [u8]) -> std::io::Result<usize> {
        Err(std::io::Error::other("cannot go on"))
    }
}
