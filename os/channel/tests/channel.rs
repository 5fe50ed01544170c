//! The channel against a queue of messages, against a peer that writes what it likes, and between two threads.
#![cfg(not(loom))]

use std::collections::VecDeque;
use std::sync::atomic::{AtomicU32, Ordering};

use channel::{Error, HEADER_WORDS, Receiver, Sender, Wake};
use proptest::prelude::*;

fn memory(words: usize) -> Vec<AtomicU32> {
    std::iter::repeat_with(|| AtomicU32::new(0))
        .take(HEADER_WORDS + words)
        .collect()
}

#[derive(Clone, Debug)]
enum Op {
    Send(Vec<u8>),
    Receive(usize),
    Skip,
    SenderWaits(usize),
    ReceiverWaits,
}

fn op() -> impl Strategy<Value = Op> {
    prop_oneof![
        4 => prop::collection::vec(any::<u8>(), 0..30).prop_map(Op::Send),
        4 => prop_oneof![Just(64), 0..30_usize].prop_map(Op::Receive),
        1 => Just(Op::Skip),
        1 => (0..30_usize).prop_map(Op::SenderWaits),
        1 => Just(Op::ReceiverWaits),
    ]
}

fn words_of(len: usize) -> usize {
    1 + len.div_ceil(4)
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(500))]

    #[test]
    fn the_channel_is_a_queue(words in 2..24_usize, ops in prop::collection::vec(op(), 1..200), drain in any::<bool>()) {
        let memory = memory(words);
        let mut sender = Sender::new(&memory).unwrap();
        let mut receiver = Receiver::new(&memory).unwrap();
        prop_assert_eq!((sender.max_len(), receiver.max_len()), ((words - 1) * 4, (words - 1) * 4));
        let mut model: VecDeque<Vec<u8>> = VecDeque::new();
        let (mut sender_waits, mut receiver_waits) = (false, false);
        let wake = |waits: &mut bool| if std::mem::take(waits) { Wake::Peer } else { Wake::Nobody };
        for op in ops {
            let used: usize = model.iter().map(|message| words_of(message.len())).sum();
            match op {
                Op::Send(message) => {
                    let expected = if message.len() > sender.max_len() {
                        Err(Error::TooLong)
                    } else if used + words_of(message.len()) > words {
                        Err(Error::Full)
                    } else {
                        Ok(wake(&mut receiver_waits))
                    };
                    prop_assert_eq!(sender.try_send(&message), expected);
                    if expected.is_ok() {
                        model.push_back(message);
                    }
                }
                Op::Receive(room) => {
                    let mut buffer = [0xee; 64];
                    let result = receiver.try_receive(&mut buffer[..room]);
                    match model.front() {
                        None => prop_assert_eq!(result, Err(Error::Empty)),
                        Some(message) if message.len() > room => {
                            prop_assert_eq!(result, Err(Error::BufferTooShort { len: message.len() }));
                        }
                        Some(message) => {
                            prop_assert_eq!(result, Ok((message.len(), wake(&mut sender_waits))));
                            prop_assert_eq!(&buffer[..message.len()], &message[..]);
                            prop_assert!(buffer[message.len()..].iter().all(|&byte| byte == 0xee));
                            model.pop_front();
                        }
                    }
                }
                Op::Skip => {
                    let expected = model.pop_front().map(|_| wake(&mut sender_waits)).ok_or(Error::Empty);
                    prop_assert_eq!(receiver.skip(), expected);
                }
                Op::SenderWaits(len) => {
                    sender_waits = len <= sender.max_len() && used + words_of(len) > words;
                    prop_assert_eq!(sender.prepare_to_wait(len), sender_waits);
                }
                Op::ReceiverWaits => {
                    receiver_waits = model.is_empty();
                    prop_assert_eq!(receiver.prepare_to_wait(), receiver_waits);
                }
            }
            let next = model.front().map(Vec::len).ok_or(Error::Empty);
            prop_assert_eq!(receiver.next_len(), next);
        }
        let mut buffer = [0; 128];
        if drain {
            prop_assert_eq!(sender.close(), wake(&mut receiver_waits));
            for message in model {
                let (len, _) = receiver.try_receive(&mut buffer).unwrap();
                prop_assert_eq!(&buffer[..len], &message[..]);
            }
            prop_assert_eq!(receiver.try_receive(&mut buffer), Err(Error::Closed));
            prop_assert!(!receiver.prepare_to_wait());
        } else {
            prop_assert_eq!(receiver.close(), wake(&mut sender_waits));
            prop_assert_eq!(sender.try_send(b""), Err(Error::Closed));
            prop_assert!(!sender.prepare_to_wait(sender.max_len()));
        }
    }

    /// The peer owns the memory: between any two calls each word may have any value.
    #[test]
    fn a_hostile_peer_gets_nowhere(
        words in 2..12_usize,
        writes in prop::collection::vec(
            (prop_oneof![4 => 0..3_usize, 4 => 16..19_usize, 3 => 32..45_usize],
             prop_oneof![4 => 0..30_u32, 1 => any::<u32>(), 1 => u32::MAX - 40..=u32::MAX], op()), 1..80),
    ) {
        let memory = memory(words);
        let mut sender = Sender::new(&memory).unwrap();
        let mut receiver = Receiver::new(&memory).unwrap();
        let (mut sender_broken, mut receiver_broken) = (false, false);
        for (word, value, op) in writes {
            if let Some(word) = memory.get(word) {
                word.store(value, Ordering::Relaxed);
            }
            match op {
                Op::Send(message) => {
                    let result = sender.try_send(&message);
                    let broken = result == Err(Error::Broken);
                    prop_assert!(!sender_broken || broken || result == Err(Error::TooLong));
                    sender_broken |= broken;
                }
                Op::SenderWaits(len) => drop(sender.prepare_to_wait(len)),
                Op::Receive(room) => {
                    let mut buffer = [0xee; 64];
                    let result = receiver.try_receive(&mut buffer[..room]);
                    prop_assert!(!receiver_broken || result == Err(Error::Broken));
                    receiver_broken |= result == Err(Error::Broken);
                    if let Ok((len, _)) = result {
                        prop_assert!(len <= room && len <= (words - 1) * 4);
                    }
                    prop_assert!(buffer[room..].iter().all(|&byte| byte == 0xee));
                }
                Op::Skip => drop(receiver.skip()),
                Op::ReceiverWaits => drop(receiver.prepare_to_wait()),
            }
        }
    }
}

#[test]
fn lies_are_noticed() {
    let receive = |word: usize, value: u32| {
        let memory = memory(8);
        let mut sender = Sender::new(&memory).unwrap();
        let mut receiver = Receiver::new(&memory).unwrap();
        assert_eq!(sender.try_send(b"12345"), Ok(Wake::Nobody));
        memory[word].store(value, Ordering::Relaxed);
        let result = receiver.try_receive(&mut [0; 64]);
        memory[0].store(3, Ordering::Relaxed);
        memory[HEADER_WORDS].store(5, Ordering::Relaxed);
        (result, receiver.try_receive(&mut [0; 64]))
    };
    let broken = (Err(Error::Broken), Err(Error::Broken));
    assert_eq!(receive(0, 3).0, Ok((5, Wake::Nobody)), "the truth");
    assert_eq!(receive(0, 9), broken, "more than the ring holds");
    assert_eq!(receive(0, 16), broken, "no position");
    assert_eq!(receive(0, u32::MAX), broken);
    assert_eq!(receive(HEADER_WORDS, 9), broken, "longer than what was published");
    assert_eq!(receive(HEADER_WORDS, u32::MAX), broken);
    let send = |read: u32| {
        let memory = memory(8);
        let mut sender = Sender::new(&memory).unwrap();
        let mut receiver = Receiver::new(&memory).unwrap();
        for _ in 0..3 {
            assert_eq!(sender.try_send(&[0; 16]), Ok(Wake::Nobody));
            assert_eq!(receiver.skip(), Ok(Wake::Nobody));
        }
        assert_eq!(sender.try_send(&[0; 12]), Ok(Wake::Nobody));
        memory[16].store(read, Ordering::Relaxed);
        let result = sender.try_send(&[0; 20]);
        memory[16].store(15, Ordering::Relaxed);
        (result, sender.try_send(&[0; 20]))
    };
    let broken = (Err(Error::Broken), Err(Error::Broken));
    assert_eq!(send(15), (Err(Error::Full), Err(Error::Full)), "the truth");
    assert_eq!(send(3).0, Ok(Wake::Nobody));
    assert_eq!(send(14), broken, "it went back");
    assert_eq!(send(4), broken, "it has read what was not written");
    assert_eq!(send(16), broken, "no position");
}

#[test]
fn memory_that_is_too_small_is_refused() {
    let memory = memory(2);
    for len in 0..HEADER_WORDS + 2 {
        assert!(Sender::new(&memory[..len]).is_none() && Receiver::new(&memory[..len]).is_none());
    }
    assert!(Sender::new(&memory).is_some_and(|sender| sender.max_len() == 4));
}

#[test]
fn two_threads_agree() {
    let memory = memory(50);
    let mut sender = Sender::new(&memory).unwrap();
    let mut receiver = Receiver::new(&memory).unwrap();
    let message = |number: u32| number.to_le_bytes().repeat(1 + number as usize % 17);
    const N: u32 = 20_000;
    std::thread::scope(|scope| {
        let (to_receiver, receiver_waits) = std::sync::mpsc::channel();
        let (to_sender, sender_waits) = std::sync::mpsc::channel();
        scope.spawn(move || {
            for number in 0..N {
                let message = message(number);
                let wake = loop {
                    match sender.try_send(&message) {
                        Ok(wake) => break wake,
                        Err(Error::Full) if sender.prepare_to_wait(message.len()) => {
                            sender_waits.recv().unwrap()
                        }
                        Err(Error::Full) => {}
                        Err(error) => panic!("{error}"),
                    }
                };
                if wake == Wake::Peer {
                    to_receiver.send(()).unwrap();
                }
            }
            if sender.close() == Wake::Peer {
                to_receiver.send(()).unwrap();
            }
        });
        let mut buffer = [0; 128];
        let mut number = 0;
        loop {
            match receiver.try_receive(&mut buffer) {
                Ok((len, wake)) => {
                    assert_eq!(buffer[..len], message(number));
                    number += 1;
                    if wake == Wake::Peer {
                        // It may have got what it wanted meanwhile, and be gone.
                        let _ = to_sender.send(());
                    }
                }
                Err(Error::Empty) if receiver.prepare_to_wait() => receiver_waits.recv().unwrap(),
                Err(Error::Empty) => {}
                Err(error) => {
                    assert_eq!((error, number), (Error::Closed, N));
                    break;
                }
            }
        }
    });
}
