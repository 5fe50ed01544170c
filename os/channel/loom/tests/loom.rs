//! All interleavings of the two sides, as far as the memory model allows: `RUSTFLAGS="--cfg loom" cargo test --release` in this directory.
#![cfg(loom)]

use std::sync::atomic::Ordering;

use channel::{Error, HEADER_WORDS, Receiver, Sender, Wake, Word};
use loom::sync::{Arc, Notify};
use loom::thread;

struct Modelled(loom::sync::atomic::AtomicU32);

impl Word for Modelled {
    fn load(&self, order: Ordering) -> u32 {
        self.0.load(order)
    }

    fn store(&self, value: u32, order: Ordering) {
        self.0.store(value, order);
    }

    fn swap(&self, value: u32, order: Ordering) -> u32 {
        self.0.swap(value, order)
    }

    fn fence() {
        loom::sync::atomic::fence(Ordering::SeqCst);
    }
}

fn memory(words: usize) -> Arc<Vec<Modelled>> {
    let word = || Modelled(loom::sync::atomic::AtomicU32::new(0));
    Arc::new(std::iter::repeat_with(word).take(HEADER_WORDS + words).collect())
}

fn check(model: impl Fn() + Sync + Send + 'static) {
    let mut builder = loom::model::Builder::new();
    builder.preemption_bound = Some(3);
    builder.check(model);
}

/// Three messages through a ring that holds one and a half: each arrives once, whole, in order, and then the end.
#[test]
fn messages_arrive_whole_and_in_order() {
    check(|| {
        let memory = memory(3);
        let shared = memory.clone();
        let sending = thread::spawn(move || {
            let mut sender = Sender::new(&shared).unwrap();
            for number in 1..=3_u8 {
                while let Err(error) = sender.try_send(&[number]) {
                    assert_eq!(error, Error::Full);
                    thread::yield_now();
                }
            }
            let _ = sender.close();
        });
        let mut receiver = Receiver::new(&memory).unwrap();
        let (mut next, mut buffer) = (1, [0; 8]);
        loop {
            match receiver.try_receive(&mut buffer) {
                Ok((len, _)) => {
                    assert_eq!(buffer[..len], [next]);
                    next += 1;
                }
                Err(Error::Empty) => thread::yield_now(),
                Err(error) => {
                    assert_eq!((error, next), (Error::Closed, 4));
                    break;
                }
            }
        }
        sending.join().unwrap();
    });
}

/// Both sides wait whenever they can. A notification that got lost would leave them waiting, which the checker reports.
#[test]
fn nobody_waits_for_ever() {
    check(|| {
        let memory = memory(2);
        let (for_sender, for_receiver) = (Arc::new(Notify::new()), Arc::new(Notify::new()));
        let (shared, wait, other) = (memory.clone(), for_sender.clone(), for_receiver.clone());
        let sending = thread::spawn(move || {
            let mut sender = Sender::new(&shared).unwrap();
            for number in 1..=2_u8 {
                loop {
                    match sender.try_send(&[number]) {
                        Ok(Wake::Peer) => break other.notify(),
                        Ok(Wake::Nobody) => break,
                        Err(Error::Full) if sender.prepare_to_wait(1) => wait.wait(),
                        Err(Error::Full) => {}
                        Err(error) => panic!("{error}"),
                    }
                }
            }
            if sender.close() == Wake::Peer {
                other.notify();
            }
        });
        let mut receiver = Receiver::new(&memory).unwrap();
        let mut got = 0;
        loop {
            match receiver.try_receive(&mut [0; 4]) {
                Ok((_, wake)) => {
                    got += 1;
                    if wake == Wake::Peer {
                        for_sender.notify();
                    }
                }
                Err(Error::Empty) if receiver.prepare_to_wait() => for_receiver.wait(),
                Err(Error::Empty) => {}
                Err(error) => {
                    assert_eq!((error, got), (Error::Closed, 2));
                    break;
                }
            }
        }
        sending.join().unwrap();
    });
}
