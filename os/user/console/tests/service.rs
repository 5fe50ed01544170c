//! The service over a port and a kernel that only remember.

use std::collections::{BTreeMap, VecDeque};

use clients::{Call, Kernel, Reply};
use console::{Kind, PATIENCE, Registers, Service, Uart};
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

impl Registers for &mut Port {
    fn read(&mut self, offset: u64) -> u32 {
        self.looks += 1;
        match offset {
            0 => self.input.pop_front().expect("only when there is input").into(),
            5 => u32::from(!self.input.is_empty()) | u32::from(!self.stuck) << 5,
            _ => 0,
        }
    }
    fn write(&mut self, offset: u64, value: u32) {
        match offset {
            0 => self.output.push(value as u8),
            _ => self.written.push((offset, value)),
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
    fn reply(&mut self, place: u64, reply: Reply) {
        let caller = self.saved.remove(&place).expect("a saved reply");
        self.answered.push((caller, reply));
    }
    fn drop_reply(&mut self, place: u64) {
        self.saved.remove(&place).expect("a saved reply");
    }
}

struct World<'a>(Service<Fake, &'a mut Port>);

impl<'a> World<'a> {
    fn new(port: &'a mut Port) -> Self {
        let mut world = Self(Service::new(Uart::new(Kind::Ns16550, port), Fake::default()));
        for process in [3, 4] {
            assert_eq!(world.call(process, label::CONNECT, [0; 2]), Some(Ok(0)));
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
fn output_goes_to_the_port_with_carriage_returns() {
    let mut port = Port::default();
    assert_eq!(World::new(&mut port).write(3, b"one\ntwo\n"), Some(Ok(8)));
    assert_eq!(port.output, b"one\r\ntwo\r\n");
}

#[test]
fn a_reader_waits_for_a_whole_line() {
    let mut port = Port {
        input: b"lx\x7fs\r".iter().copied().collect(),
        ..Port::default()
    };
    let mut world = World::new(&mut port);
    assert_eq!(world.call(3, label::READ, [0, 100]), Some(Ok(3)));
    assert_eq!(world.0.kernel().buffers[&3][..3], *b"ls\n");
    assert_eq!(world.call(3, label::READ, [0, 100]), None);
    assert_eq!(world.answered(), []);
    drop(world);
    assert_eq!(port.output, b"lx\x08 \x08s\r\n");
}

#[test]
fn input_wakes_the_reader() {
    let mut port = Port::default();
    let shared = &raw mut port;
    let _ = shared;
    let mut world = World::new(&mut port);
    assert_eq!(world.call(3, label::READ, [0, 100]), None);
    assert_eq!(world.call(4, label::SET_MODE, [1, 0]), Some(Ok(0)));
    assert_eq!(world.call(4, label::SET_MODE, [0, 0]), Some(Ok(1)));
    assert_eq!(
        world.call(4, label::SET_MODE, [2, 0]),
        Some(Err(Error::BadArgument))
    );
    assert_eq!(world.call(4, label::SIZE, [0, 0]), Some(Ok(24)));
    assert_eq!(world.call(PROCESS_SERVER, label::GONE, [3, 0]), Some(Ok(0)));
    assert!(world.0.kernel().saved.is_empty());
    assert_eq!(
        world.call(3, label::READ, [0, 100]),
        Some(Err(Error::NotConnected))
    );
}

#[test]
fn keys_become_signals_in_lines_and_bytes_in_raw_mode() {
    let mut port = Port {
        input: VecDeque::from([3, 26]),
        ..Port::default()
    };
    let mut world = World::new(&mut port);
    assert_eq!(world.0.signals(), signal_bit::INTERRUPT | signal_bit::STOP);
    assert_eq!(world.0.signals(), 0);
    drop(world);
    port.input = VecDeque::from([3]);
    let mut world = Service::new(Uart::new(Kind::Ns16550, &mut port), Fake::default());
    world.kernel().connect(3).unwrap();
    let mut world = World(world);
    // The mode is set before the port is looked at.
    assert_eq!(world.call(3, label::SET_MODE, [1, 0]), Some(Ok(0)));
    assert_eq!(world.0.signals(), 0);
    assert_eq!(world.call(3, label::READ, [0, 100]), Some(Ok(1)));
    assert_eq!(world.0.kernel().buffers[&3][0], 3);
}

#[test]
fn a_stuck_port_does_not_keep_the_server() {
    let mut port = Port {
        stuck: true,
        ..Port::default()
    };
    let mut world = World::new(&mut port);
    assert_eq!(world.write(3, b"abc"), Some(Ok(3)));
    assert_eq!(world.call(3, label::SIZE, [0, 0]), Some(Ok(24)));
    drop(world);
    assert!(port.output.is_empty());
    assert!(port.looks < 4 * (PATIENCE + 10), "{} looks", port.looks);
}

#[test]
fn strangers_and_wrong_lengths_are_refused() {
    let mut port = Port::default();
    let mut world = World::new(&mut port);
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
    assert_eq!(
        world.call(3, label::GONE, [4, 0]),
        Some(Err(Error::PermissionDenied))
    );
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
