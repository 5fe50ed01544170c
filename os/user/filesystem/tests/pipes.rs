//! Pipes: random operations of several clients against a model, and what each end sees when the other goes.

mod common;

use std::collections::VecDeque;

use common::{error, ram};
use filesystem::{
    ATOMIC, CAPACITY, Completed, Error, Flags, Handle, Limits, Outcome, Quota, RamFs, Request, Server, Ticket,
};
use proptest::prelude::*;

#[derive(Clone, Debug)]
enum Step {
    Read(usize),
    Write(usize),
    CancelOldest,
    CloseReader,
    CloseWriter,
}

fn step() -> impl Strategy<Value = Step> {
    let size = || prop_oneof![0..20usize, 4000..4200usize, 0..80_000usize];
    prop_oneof![
        8 => size().prop_map(Step::Read),
        8 => size().prop_map(Step::Write),
        1 => Just(Step::CancelOldest),
        1 => Just(Step::CloseReader),
        1 => Just(Step::CloseWriter),
    ]
}

/// A request that waits in the model: how much, and for a writer its data.
struct Waiting {
    ticket: Ticket,
    len: usize,
    data: Vec<u8>,
}

/// The naive pipe: all rules in the words of the documentation.
#[derive(Default)]
struct Model {
    bytes: VecDeque<u8>,
    reader: bool,
    writer: bool,
    readers: VecDeque<Waiting>,
    writers: VecDeque<Waiting>,
    done: Vec<(Ticket, Result<u64, Error>, Vec<u8>)>,
}

impl Model {
    fn fits(&self, len: usize) -> Option<usize> {
        let room = CAPACITY - self.bytes.len();
        if len <= room {
            Some(len)
        } else if room == 0 || len <= ATOMIC {
            None
        } else {
            Some(room)
        }
    }

    fn settle(&mut self) {
        loop {
            if !self.readers.is_empty() && (!self.bytes.is_empty() || !self.writer) {
                let waiting = self.readers.pop_front().unwrap();
                let count = waiting.len.min(self.bytes.len());
                let bytes: Vec<u8> = self.bytes.drain(..count).collect();
                self.done.push((waiting.ticket, Ok(count as u64), bytes));
            } else if !self.writers.is_empty() && !self.reader {
                let waiting = self.writers.pop_front().unwrap();
                self.done
                    .push((waiting.ticket, Err(Error::BrokenPipe), Vec::new()));
            } else if let Some(count) = self
                .writers
                .front()
                .and_then(|waiting| self.fits(waiting.data.len()))
            {
                let waiting = self.writers.pop_front().unwrap();
                self.bytes.extend(&waiting.data[..count]);
                self.done.push((waiting.ticket, Ok(count as u64), Vec::new()));
            } else {
                return;
            }
        }
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 1000, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn a_pipe_does_what_the_model_does(steps in prop::collection::vec(step(), 1..60)) {
        let mut fs = ram();
        let (reader, writer) = fs.pipe(0).unwrap();
        let mut model = Model { reader: true, writer: true, ..Model::default() };
        let mut next = 0u8;
        for step in steps {
            match step {
                Step::Read(len) if model.reader => {
                    let mut out = vec![0; len];
                    let outcome = fs.ask(Request::Read { handle: reader, len: len as u32 }, &mut out);
                    if len == 0 || !model.bytes.is_empty() || !model.writer {
                        let count = len.min(model.bytes.len());
                        let expected: Vec<u8> = model.bytes.drain(..count).collect();
                        prop_assert_eq!(outcome, Outcome::Reply { result: Ok(count as u64), len: count });
                        prop_assert!(out[..count] == expected[..]);
                    } else {
                        let Outcome::Park(ticket) = outcome else { panic!("{outcome:?}") };
                        model.readers.push_back(Waiting { ticket, len, data: Vec::new() });
                    }
                }
                Step::Write(len) if model.writer => {
                    let mut data: Vec<u8> = (0..len).map(|_| { next = next.wrapping_add(7); next }).collect();
                    let outcome = fs.ask(Request::Write { handle: writer, len: len as u32 }, &mut data);
                    if len == 0 {
                        prop_assert_eq!(outcome, Outcome::Reply { result: Ok(0), len: 0 });
                    } else if !model.reader {
                        prop_assert_eq!(outcome, Outcome::Reply { result: Err(Error::BrokenPipe), len: 0 });
                    } else if let Some(count) = model.fits(len).filter(|_| model.writers.is_empty()) {
                        prop_assert_eq!(outcome, Outcome::Reply { result: Ok(count as u64), len: 0 });
                        model.bytes.extend(&data[..count]);
                    } else {
                        let Outcome::Park(ticket) = outcome else { panic!("{outcome:?}") };
                        data.truncate(ATOMIC);
                        model.writers.push_back(Waiting { ticket, len, data });
                    }
                }
                Step::CancelOldest => {
                    let waiting = model.writers.pop_front().or_else(|| model.readers.pop_front());
                    if let Some(waiting) = waiting {
                        prop_assert!(fs.server.cancel(waiting.ticket));
                        prop_assert!(!fs.server.cancel(waiting.ticket));
                    }
                }
                Step::CloseReader if model.reader => {
                    fs.close(reader).unwrap();
                    model.reader = false;
                    for waiting in model.readers.drain(..) {
                        model.done.push((waiting.ticket, Err(Error::BadHandle), Vec::new()));
                    }
                }
                Step::CloseWriter if model.writer => {
                    fs.close(writer).unwrap();
                    model.writer = false;
                    for waiting in model.writers.drain(..) {
                        model.done.push((waiting.ticket, Err(Error::BadHandle), Vec::new()));
                    }
                }
                _ => {}
            }
            model.settle();
            let mut done = Vec::new();
            while let Some(Completed { ticket, client, result, bytes }) = fs.server.ready() {
                prop_assert_eq!(client, fs.client);
                done.push((ticket, result, bytes));
            }
            // Readers and writers may complete in either order; each side keeps its own.
            let sorted = |mut done: Vec<(Ticket, Result<u64, Error>, Vec<u8>)>| { done.sort_by_key(|one| one.0); done };
            prop_assert_eq!(sorted(done), sorted(std::mem::take(&mut model.done)));
        }
    }
}

#[test]
fn the_end_of_file_comes_with_the_last_writer() {
    let mut fs = ram();
    let (reader, writer) = fs.pipe(0).unwrap();
    let second = Handle(fs.now(Request::Duplicate(writer), &mut []).unwrap() as u32);
    fs.write(writer, b"last words").unwrap();
    fs.close(writer).unwrap();
    assert_eq!(fs.read(reader, 100).unwrap(), b"last words");
    let Outcome::Park(ticket) = fs.ask(
        Request::Read {
            handle: reader,
            len: 9,
        },
        &mut [0; 9],
    ) else {
        panic!("one writer is left")
    };
    fs.close(second).unwrap();
    let done = fs.server.ready().unwrap();
    assert_eq!((done.ticket, done.result, done.bytes), (ticket, Ok(0), vec![]));
    assert_eq!(fs.read(reader, 9).unwrap(), b"");
}

#[test]
fn a_handle_that_does_not_wait_is_told_so() {
    let mut fs = ram();
    let (reader, writer) = fs.pipe(Flags::NONBLOCK.bits()).unwrap();
    assert_eq!(error(fs.read(reader, 1)), Error::WouldBlock);
    assert_eq!(fs.write(writer, &vec![1; 2 * CAPACITY]).unwrap(), CAPACITY as u64);
    assert_eq!(error(fs.write(writer, b"x")), Error::WouldBlock);
    assert_eq!(error(fs.pipe(Flags::CREATE.bits())), Error::BadArgument);
}

#[test]
fn ends_are_used_one_way_and_have_no_positions() {
    let mut fs = ram();
    let (reader, writer) = fs.pipe(0).unwrap();
    assert_eq!(error(fs.write(reader, b"x")), Error::BadHandle);
    assert_eq!(error(fs.read(writer, 1)), Error::BadHandle);
    assert_eq!(error(fs.read_at(reader, 0, 1)), Error::NotSeekable);
    assert_eq!(
        error(fs.seek(reader, filesystem::Whence::Start, 0)),
        Error::NotSeekable
    );
    fs.write(writer, b"abc").unwrap();
    let stat = fs.fstat(reader).unwrap();
    assert_eq!((stat.kind, stat.len), (filesystem::Kind::Pipe, 3));
}

#[test]
fn a_client_that_is_gone_leaves_nothing_and_frees_the_others() {
    let quota = Quota { bytes: 0, nodes: 1 };
    let limits = Limits {
        pipes: 2,
        parked: 3,
        ..Limits::default()
    };
    let mut server = Server::new(Box::new(RamFs::new(quota)), limits, Some(1));
    let mut ask = |client, request, payload: &mut [u8]| server.handle(client, request, payload, 0);
    let Outcome::Reply { result: Ok(both), .. } = ask(5, Request::Pipe { flags: 0 }, &mut []) else {
        panic!()
    };
    let (reader, writer) = (Handle(both as u32), Handle((both >> 32) as u32));
    // Client 6 gets the reading end.
    let share = Request::Share {
        from: 5,
        handle: reader,
        to: 6,
        at: Some(Handle(9)),
    };
    let refused = Outcome::Reply {
        result: Err(Error::NotPermitted),
        len: 0,
    };
    assert_eq!(ask(5, share, &mut []), refused);
    assert_eq!(ask(5, Request::Gone(6), &mut []), refused);
    assert_eq!(
        ask(1, share, &mut []),
        Outcome::Reply {
            result: Ok(9),
            len: 0
        }
    );
    ask(5, Request::Close(reader), &mut []);
    let read = Request::Read {
        handle: Handle(9),
        len: 4,
    };
    let parked: Vec<_> = (0..4).map(|_| ask(6, read, &mut [0; 4])).collect();
    assert!(
        parked[..3]
            .iter()
            .all(|outcome| matches!(outcome, Outcome::Park(_)))
    );
    assert_eq!(
        parked[3],
        Outcome::Reply {
            result: Err(Error::TooMany),
            len: 0
        }
    );
    // One completion is on its way when the client goes: it must not come.
    ask(
        5,
        Request::Write {
            handle: writer,
            len: 1,
        },
        &mut [1],
    );
    ask(1, Request::Gone(6), &mut []);
    assert_eq!(
        ask(
            5,
            Request::Write {
                handle: writer,
                len: 1
            },
            &mut [1]
        ),
        Outcome::Reply {
            result: Err(Error::BrokenPipe),
            len: 0
        }
    );
    // The pipe counts until its last end is closed.
    assert!(matches!(
        ask(5, Request::Pipe { flags: 0 }, &mut []),
        Outcome::Reply { result: Ok(_), .. }
    ));
    let many = Outcome::Reply {
        result: Err(Error::TooManyOpen),
        len: 0,
    };
    assert_eq!(ask(5, Request::Pipe { flags: 0 }, &mut []), many);
    ask(5, Request::Close(writer), &mut []);
    assert!(matches!(
        ask(5, Request::Pipe { flags: 0 }, &mut []),
        Outcome::Reply { result: Ok(_), .. }
    ));
    assert_eq!(server.ready(), None);
}
