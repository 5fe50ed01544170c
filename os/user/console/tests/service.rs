//! The service over a port and a kernel that only remember.

use std::cell::RefCell;
use std::collections::{BTreeMap, VecDeque};
use std::rc::Rc;

use clients::{Call, Kernel, Reply};
use console::{Kind, PATIENCE, Registers, Service, Uart};
use protocol::files::reader;
use protocol::{Error, IO_SIZE, OK, PROCESS_SERVER, files as label, signal_bit};

/// A 16550 whose sender can be stuck.
#[derive(Default)]
struct Port {
    input: VecDeque<u8>,
    output: Vec<u8>,
    stuck: bool,
    looks: u32,
    written: Vec<(u64, u32)>,
}

#[derive(Clone, Default)]
struct Shared(Rc<RefCell<Port>>);

impl Shared {
    fn types(bytes: &[u8]) -> Self {
        let port = Self::default();
        port.0.borrow_mut().input.extend(bytes);
        port
    }
    fn output(&self) -> Vec<u8> {
        core::mem::take(&mut self.0.borrow_mut().output)
    }
}

impl Registers for Shared {
    fn read(&mut self, offset: u64) -> u32 {
        let mut port = self.0.borrow_mut();
        port.looks += 1;
        match offset {
            0 => port.input.pop_front().expect("only when there is input").into(),
            5 => u32::from(!port.input.is_empty()) | u32::from(!port.stuck) << 5,
            _ => 0,
        }
    }
    fn write(&mut self, offset: u64, value: u32) {
        let mut port = self.0.borrow_mut();
        match offset {
            0 => port.output.push(value as u8),
            _ => port.written.push((offset, value)),
        }
    }
}

#[derive(Default)]
struct Fake {
    buffers: BTreeMap<u64, Vec<u8>>,
    saved: BTreeMap<u64, u64>,
    answered: Vec<(u64, Reply)>,
    caller: u64,
}

impl Kernel for Fake {
    fn connect(&mut self, process: u64) -> Result<(), Error> {
        self.buffers.insert(process, vec![0; IO_SIZE as usize]);
        Ok(())
    }
    fn is_connected(&self, process: u64) -> bool {
        self.buffers.contains_key(&process)
    }
    fn disconnect(&mut self, process: u64) {
        self.buffers.remove(&process);
    }
    fn read(&self, process: u64, out: &mut [u8]) {
        out.copy_from_slice(&self.buffers[&process][..out.len()]);
    }
    fn write(&mut self, process: u64, bytes: &[u8]) {
        self.buffers.get_mut(&process).expect("a buffer")[..bytes.len()].copy_from_slice(bytes);
    }
    fn save_reply(&mut self, place: u64) -> bool {
        assert!(
            self.saved.insert(place, self.caller).is_none(),
            "the place is taken"
        );
        true
    }
    fn ask_for_processes(&mut self) -> bool {
        false
    }
    fn reply(&mut self, place: u64, reply: Reply) {
        let caller = self.saved.remove(&place).expect("a saved reply");
        self.answered.push((caller, reply));
    }
    fn drop_reply(&mut self, place: u64) {
        self.saved.remove(&place).expect("a saved reply");
    }
}

struct World(Service<Fake, Shared>);

impl World {
    fn new(port: &Shared) -> Self {
        let mut world = Self(Service::new(
            Uart::new(Kind::Ns16550, port.clone()),
            Fake::default(),
        ));
        for process in [3, 4] {
            assert_eq!(
                world.call(PROCESS_SERVER, label::CONNECT, [process, 0]),
                Some(Ok(0))
            );
        }
        world
    }

    /// The first word of the answer, or `None` when it has to wait.
    fn call(&mut self, badge: u64, label: u32, [a, b]: [u64; 2]) -> Option<Result<u64, Error>> {
        self.0.kernel().caller = badge;
        let reply = self.0.serve(&Call {
            badge,
            label,
            words: [a, b, 0, 0],
            wants_reply: true,
            has_capability: label == label::CONNECT,
        })?;
        Some(match reply.label {
            OK => Ok(reply.words[0]),
            label => Err(Error::from_label(label)),
        })
    }

    fn write(&mut self, process: u64, text: &[u8]) -> Option<Result<u64, Error>> {
        self.0.kernel().write(process, text);
        self.call(process, label::WRITE, [0, text.len() as u64])
    }

    fn answered(&mut self) -> Vec<(u64, Vec<u8>)> {
        let kernel = self.0.kernel();
        let answered = core::mem::take(&mut kernel.answered);
        let text = |(process, reply): (u64, Reply)| {
            assert_eq!(reply.label, OK);
            (
                process,
                kernel.buffers[&process][..reply.words[0] as usize].to_vec(),
            )
        };
        answered.into_iter().map(text).collect()
    }
}

#[test]
fn the_port_tells_of_input() {
    let port = Shared::default();
    World::new(&port).0.port().start();
    assert_eq!(port.0.borrow().written, [(2, 1), (4, 11), (1, 1)]);
}

#[test]
fn output_goes_to_the_port_with_carriage_returns() {
    let port = Shared::default();
    let mut world = World::new(&port);
    assert_eq!(world.write(3, b"one\ntwo\n"), Some(Ok(8)));
    assert_eq!(port.output(), b"one\r\ntwo\r\n");
}

#[test]
fn a_line_is_edited_and_read_whole() {
    let port = Shared::types(b"lx\x7fs\r");
    let mut world = World::new(&port);
    assert_eq!(world.call(3, label::READ, [0, 100]), Some(Ok(3)));
    assert_eq!(world.0.kernel().buffers[&3][..3], *b"ls\n");
    assert_eq!(port.output(), b"lx\x08 \x08s\r\n");
}

#[test]
fn readers_are_answered_in_their_order_when_a_line_has_come() {
    let port = Shared::default();
    let mut world = World::new(&port);
    assert_eq!(world.call(3, label::READ, [0, 100]), None);
    assert_eq!(world.call(4, label::READ, [0, 100]), None);
    port.0.borrow_mut().input.extend(b"one");
    world.0.pump();
    assert_eq!(world.answered(), []);
    port.0.borrow_mut().input.extend(b"\r");
    world.0.pump();
    assert_eq!(world.answered(), [(3, b"one\n".to_vec())]);
    port.0.borrow_mut().input.extend(b"two\r");
    world.0.pump();
    assert_eq!(world.answered(), [(4, b"two\n".to_vec())]);
    assert!(world.0.kernel().saved.is_empty());
}

#[test]
fn a_lot_of_input_is_taken_in_turns() {
    let port = Shared::types(&b"0123456789\r".repeat(2000));
    let mut world = Service::new(Uart::new(Kind::Ns16550, port.clone()), Fake::default());
    world.pump();
    assert!(world.has_more());
    assert!(!port.0.borrow().input.is_empty());
    for _ in 0..100 {
        world.pump();
    }
    assert!(!world.has_more());
    assert!(port.0.borrow().input.is_empty());
}

#[test]
fn who_is_gone_does_not_take_the_line() {
    let port = Shared::default();
    let mut world = World::new(&port);
    assert_eq!(world.call(3, label::READ, [0, 100]), None);
    assert_eq!(world.call(4, label::READ, [0, 100]), None);
    assert_eq!(world.call(PROCESS_SERVER, label::GONE, [3, 0]), Some(Ok(0)));
    assert_eq!(world.0.kernel().saved.values().collect::<Vec<_>>(), [&4]);
    port.0.borrow_mut().input.extend(b"mine\r");
    world.0.pump();
    assert_eq!(world.answered(), [(4, b"mine\n".to_vec())]);
    assert_eq!(
        world.call(3, label::READ, [0, 100]),
        Some(Err(Error::NotConnected))
    );
}

#[test]
fn modes_are_told_and_checked() {
    let mut world = World::new(&Shared::default());
    assert_eq!(world.call(4, label::SET_MODE, [1, 0]), Some(Ok(0)));
    assert_eq!(world.call(4, label::SET_MODE, [0, 0]), Some(Ok(1)));
    assert_eq!(
        world.call(4, label::SET_MODE, [2, 0]),
        Some(Err(Error::BadArgument))
    );
    assert_eq!(world.call(4, label::SIZE, [0, 0]), Some(Ok(24)));
}

#[test]
fn keys_become_signals_in_lines_and_bytes_in_raw_mode() {
    let port = Shared::types(&[3, 26]);
    let mut world = World::new(&port);
    assert_eq!(world.0.signals(), signal_bit::INTERRUPT | signal_bit::STOP);
    assert_eq!(world.0.signals(), 0);
    assert_eq!(world.call(3, label::SET_MODE, [1, 0]), Some(Ok(0)));
    port.0.borrow_mut().input.push_back(3);
    world.0.pump();
    assert_eq!(world.0.signals(), 0);
    assert_eq!(world.call(3, label::READ, [0, 100]), Some(Ok(1)));
    assert_eq!(world.0.kernel().buffers[&3][0], 3);
}

#[test]
fn stopped_output_waits_and_goes_on() {
    let port = Shared::types(&[19]);
    let mut world = World::new(&port);
    let text = [b'x'; 256];
    let stopped = (0..100)
        .position(|_| world.write(3, &text).is_none())
        .expect("at some time it is full");
    assert_eq!(port.output(), b"");
    port.0.borrow_mut().input.push_back(17);
    world.0.pump();
    assert_eq!(world.answered().len(), 1);
    // What was answered just now is on its way, too.
    world.0.pump();
    assert_eq!(port.output().len(), 256 * (stopped + 1));
}

#[test]
fn a_stuck_port_does_not_keep_the_server() {
    let port = Shared::default();
    port.0.borrow_mut().stuck = true;
    let mut world = World::new(&port);
    assert_eq!(world.write(3, b"abc"), Some(Ok(3)));
    assert_eq!(world.call(3, label::SIZE, [0, 0]), Some(Ok(24)));
    assert_eq!(port.output(), b"");
    let looks = port.0.borrow().looks;
    assert!(looks < 4 * (PATIENCE + 10), "{looks} looks");
}

#[test]
fn who_is_stopped_gets_no_input() {
    let port = Shared::default();
    let mut world = World::new(&port);
    let pause = |world: &mut World, stopped| world.call(PROCESS_SERVER, label::PAUSE, [3, stopped]);
    assert_eq!(world.call(3, label::READ, [0, 100]), None);
    assert_eq!(pause(&mut world, 1), Some(Ok(0)));
    port.0.borrow_mut().input.extend(b"mine\n");
    world.0.pump();
    assert_eq!(world.call(4, label::READ, [0, 100]), Some(Ok(5)));
    // A request that was on its way when its sender was stopped.
    assert_eq!(world.call(3, label::READ, [0, 100]), None);
    assert!(world.0.kernel().answered.is_empty());
    assert_eq!(pause(&mut world, 0), Some(Ok(0)));
    port.0.borrow_mut().input.extend(b"its\nmore\n");
    world.0.pump();
    let answered = core::mem::take(&mut world.0.kernel().answered);
    assert_eq!(
        answered,
        [
            (3, Reply::from(Ok([4, 0, 0, 0]))),
            (3, Reply::from(Ok([5, 0, 0, 0])))
        ]
    );
    // The end of one that is stopped leaves nothing.
    assert_eq!(world.call(3, label::READ, [0, 100]), None);
    assert_eq!(pause(&mut world, 1), Some(Ok(0)));
    assert_eq!(world.call(PROCESS_SERVER, label::GONE, [3, 0]), Some(Ok(0)));
    assert!(world.0.kernel().saved.is_empty());
    assert_eq!(
        world.call(4, label::PAUSE, [3, 1]),
        Some(Err(Error::PermissionDenied))
    );
}

#[test]
fn the_process_server_decides_who_reads() {
    let port = Shared::default();
    let mut world = World::new(&port);
    let manage = |world: &mut World, label, words| world.call(PROCESS_SERVER, label, words).unwrap();
    let read = |world: &mut World, process| world.call(process, label::READ, [0, 100]);
    let types = |world: &mut World, text: &[u8]| {
        port.0.borrow_mut().input.extend(text);
        world.0.pump();
    };
    // Before there is a foreground nobody is asked about.
    assert_eq!(read(&mut world, 3), None);
    assert_eq!(world.0.signals(), 0);
    // Who waits may lose the right to it.
    assert_eq!(manage(&mut world, label::FOREGROUND, [0; 2]), Ok(0));
    assert_eq!(world.0.signals(), signal_bit::READERS);
    assert_eq!(read(&mut world, 4), None);
    assert_eq!(world.0.signals(), signal_bit::READERS);
    types(&mut world, b"line\n");
    assert_eq!(world.answered(), []);
    assert_eq!(manage(&mut world, label::READER, [0, reader::REFUSED]), Ok(3));
    assert_eq!(manage(&mut world, label::READER, [3, reader::STOPPED]), Ok(4));
    assert_eq!(manage(&mut world, label::READER, [4, reader::ALLOWED]), Ok(0));
    assert_eq!(world.answered(), [(4, b"line\n".to_vec())]);
    // It is not asked about again.
    assert_eq!(read(&mut world, 4), None);
    assert_eq!(world.0.signals(), 0);
    // Who was stopped asks again when it goes on.
    assert_eq!(manage(&mut world, label::PAUSE, [3, 1]), Ok(0));
    assert_eq!(manage(&mut world, label::PAUSE, [3, 0]), Ok(0));
    assert_eq!(world.0.signals(), signal_bit::READERS);
    assert_eq!(manage(&mut world, label::READER, [0, 0]), Ok(3));
    // The foreground changes just then; the old right is worth nothing.
    assert_eq!(manage(&mut world, label::FOREGROUND, [0; 2]), Ok(0));
    assert_eq!(manage(&mut world, label::READER, [3, reader::ALLOWED]), Ok(4));
    assert_eq!(manage(&mut world, label::READER, [4, reader::REFUSED]), Ok(0));
    let answered = core::mem::take(&mut world.0.kernel().answered);
    assert_eq!(answered, [(4, Reply::from(Err(Error::PermissionDenied)))]);
    assert_eq!(read(&mut world, 4), Some(Err(Error::PermissionDenied)));
    types(&mut world, b"its\n");
    assert_eq!(world.answered(), [(3, b"its\n".to_vec())]);
    // A stopped one that has asked waits like the others, and its end leaves nothing.
    assert_eq!(manage(&mut world, label::FOREGROUND, [0; 2]), Ok(0));
    assert_eq!(read(&mut world, 3), None);
    assert_eq!(read(&mut world, 4), None);
    assert_eq!(manage(&mut world, label::PAUSE, [3, 1]), Ok(0));
    assert_eq!(manage(&mut world, label::READER, [0, 0]), Ok(4));
    for process in [3, 4] {
        assert_eq!(manage(&mut world, label::GONE, [process, 0]), Ok(0));
    }
    assert_eq!(manage(&mut world, label::READER, [4, reader::ALLOWED]), Ok(0));
    assert!(world.0.kernel().saved.is_empty());
    for label in [label::FOREGROUND, label::READER] {
        assert_eq!(world.call(3, label, [4, 1]), Some(Err(Error::PermissionDenied)));
    }
}

#[test]
fn strangers_and_wrong_lengths_are_refused() {
    let mut world = World::new(&Shared::default());
    for badge in [0, 4096, u64::MAX] {
        assert_eq!(
            world.call(badge, label::CONNECT, [0; 2]),
            Some(Err(Error::PermissionDenied))
        );
    }
    assert_eq!(world.call(5, label::READ, [0, 1]), Some(Err(Error::NotConnected)));
    assert_eq!(
        world.call(3, label::WRITE, [0, IO_SIZE + 1]),
        Some(Err(Error::BadArgument))
    );
    for label in [label::CONNECT, label::GONE] {
        assert_eq!(world.call(3, label, [4, 0]), Some(Err(Error::PermissionDenied)));
    }
    assert_eq!(world.call(3, label::OPEN, [1, 1]), Some(Err(Error::NotSupported)));
    assert_eq!(
        world.call(PROCESS_SERVER, label::GONE, [0, 0]),
        Some(Err(Error::NoProcess))
    );
    // More than fits into the queue is taken in part.
    let taken = world.write(3, &[b'x'; IO_SIZE as usize]);
    assert!(matches!(taken, Some(Ok(1..=IO_SIZE))), "{taken:?}");
}

/// A PL011 by what the two ports have in common.
#[derive(Default)]
struct Pl011 {
    input: VecDeque<u32>,
    written: Vec<(u64, u32)>,
}

impl Registers for &mut Pl011 {
    fn read(&mut self, offset: u64) -> u32 {
        match offset {
            0 => self.input.pop_front().expect("only when there is input"),
            0x18 => u32::from(self.input.is_empty()) << 4,
            _ => 0,
        }
    }
    fn write(&mut self, offset: u64, value: u32) {
        self.written.push((offset, value));
    }
}

#[test]
fn a_pl011_drops_what_is_garbled() {
    let mut registers = Pl011 {
        input: VecDeque::from([0x100 | 1, 2, 0x400, 3]),
        ..Pl011::default()
    };
    let mut port = Uart::new(Kind::Pl011, &mut registers);
    port.start();
    port.acknowledge();
    assert_eq!(
        [port.receive(), port.receive(), port.receive()],
        [Some(2), Some(3), None]
    );
    assert!(port.send(b'a'));
    assert_eq!(
        registers.written,
        [(0x30, 0x301), (0x38, 0x50), (0x44, 0x50), (0, 97)]
    );
}
