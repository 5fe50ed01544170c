//! Random numbers, and the addresses that are made of them.

use abi::layout::{MAX_IMAGE, PAGE_SIZE, STACK_GUARD, USER_END};
use kcore::placement::{MAX_CHANNELS, MAX_HEAP, MAX_STACK, MAX_THREADS, Placement};
use kcore::random::{Random, block};

const GIB: u64 = 1 << 30;
const SHARED: u64 = 2 << 20;
const MAX_RECORD: u64 = 16 << 10;

/// RFC 8439, section 2.3.2.
#[test]
fn blocks_are_those_of_the_standard() {
    let key: [u32; 8] = core::array::from_fn(|word| {
        let byte = word as u32 * 4;
        byte | (byte + 1) << 8 | (byte + 2) << 16 | (byte + 3) << 24
    });
    let expected = [
        0xe4e7_f110,
        0x1559_3bd1,
        0x1fdd_0f50,
        0xc471_20a3,
        0xc7f4_d1c7,
        0x0368_c033,
        0x9aaa_2204,
        0x4e6c_d4c3,
        0x4664_82d2,
        0x09aa_9f07,
        0x05d7_c214,
        0xa202_8bd9,
        0xd19c_12b5,
        0xb94e_16de,
        0xe883_d0cb,
        0x4e3c_50a2,
    ];
    assert_eq!(block(&key, 1, [0x0900_0000, 0x4a00_0000, 0]), expected);
}

#[test]
fn numbers_depend_on_every_word_of_the_seed_and_on_what_is_mixed_in() {
    let of = |seed| Random::new(seed).seed();
    let zero = of([0; 4]);
    assert_eq!(zero, of([0; 4]));
    for word in 0..4 {
        let mut seed = [0; 4];
        seed[word] = 1 << (word * 20);
        let other = of(seed);
        assert!(zero.iter().zip(other).all(|(one, other)| *one != other));
        let mut random = Random::new([0; 4]);
        random.mix(seed);
        assert!(random.seed().iter().all(|number| !zero.contains(number)));
    }
}

#[test]
fn numbers_do_not_repeat_and_set_every_bit() {
    let mut random = Random::new([1, 2, 3, 4]);
    let numbers: Vec<u64> = (0..1000).map(|_| random.number()).collect();
    let mut sorted = numbers.clone();
    sorted.sort_unstable();
    sorted.dedup();
    assert_eq!(sorted.len(), numbers.len());
    for bit in 0..64 {
        let set = numbers.iter().filter(|number| *number >> bit & 1 == 1).count();
        assert!((400..600).contains(&set), "bit {bit}: {set} of 1000");
    }
}

#[test]
fn every_address_has_its_bits_and_nothing_overlaps() {
    let mut random = Random::new([7; 4]);
    let mut seen = [[u64::MAX, 0]; 8];
    for placement in [Placement::FIXED]
        .into_iter()
        .chain((0..2000).map(|_| Placement::random(&mut random)))
    {
        let Placement {
            image,
            stack_top,
            heap,
            record,
            io,
            initrd,
            channels,
            threads,
        } = placement;
        let places = [image, stack_top, heap, record, io, initrd, channels, threads];
        assert!(places.iter().all(|address| address % PAGE_SIZE == 0));
        let parts = [
            (record, MAX_RECORD),
            (channels, MAX_CHANNELS),
            (io, MAX_RECORD),
            (threads, MAX_THREADS),
            (64 * GIB, 66 * GIB),
            (initrd, 2 * GIB),
            (heap, MAX_HEAP),
            (image, MAX_IMAGE),
            (stack_top - MAX_STACK - STACK_GUARD, MAX_STACK + STACK_GUARD),
            (USER_END, 0),
        ];
        assert!(
            parts.windows(2).all(|pair| pair[0].0 + pair[0].1 <= pair[1].0),
            "{placement:x?}"
        );
        assert_eq!(record / SHARED, io / SHARED);
        assert_eq!(record / SHARED, (channels + MAX_CHANNELS) / SHARED);
        for ([zeros, ones], place) in seen.iter_mut().zip(places) {
            *zeros &= place;
            *ones |= place;
        }
    }
    for ([zeros, ones], least) in seen.into_iter().zip([21, 21, 21, 21, 21, 21, 18, 21]) {
        // A bit that was both 0 and 1 is one that has to be guessed.
        assert!((ones & !zeros).count_ones() >= least, "{zeros:x} {ones:x}");
    }
}
