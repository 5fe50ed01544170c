//! The service over a kernel that only remembers.

use std::collections::BTreeMap;

use clients::{Call, Kernel, MAX_PARKED, Reply};
use files::{Processes, Room, Service, tree};
use filesystem::{Facts, Memory, Process, Uptime};
use protocol::files::{kind, open};
use protocol::list::Entry;
use protocol::{Error, IO_SIZE, MAX_PROCESSES, OK, PROCESS_SERVER, PROCESS_SERVER_AS_CLIENT, files as label};

/// Nothing but processes.
struct Only(Processes);

impl Facts for Only {
    fn memory(&self) -> Memory {
        Memory {
            total: 64 << 20,
            free: None,
        }
    }
    fn processors(&self) -> Vec<String> {
        vec!["abacus".into()]
    }
    fn uptime(&self) -> Uptime {
        Uptime {
            up: 1_500_000_000,
            idle: 0,
        }
    }
    fn version(&self) -> String {
        "one".into()
    }
    fn next_process(&self, from: u32) -> filesystem::Result<Option<u32>> {
        self.0.next(from)
    }
    fn process(&self, number: u32) -> filesystem::Result<Option<Process>> {
        self.0.get(number)
    }
}

/// Buffers and saved replies. Panics where the real kernel would be asked for what it must not be.
#[derive(Default)]
struct Fake {
    buffers: BTreeMap<u64, Vec<u8>>,
    /// Whose call each place holds.
    saved: BTreeMap<u64, u64>,
    answered: Vec<(u64, Reply)>,
    dropped: Vec<u64>,
    /// Who called last.
    caller: u64,
    frame_is_bad: bool,
    asked_for_processes: u32,
}

impl Kernel for Fake {
    fn connect(&mut self, process: u64) -> Result<(), Error> {
        assert!((1..MAX_PROCESSES).contains(&process));
        if self.frame_is_bad {
            return Err(Error::BadArgument);
        }
        self.buffers.insert(process, vec![0xee; IO_SIZE as usize]);
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
        let buffer = self.buffers.get_mut(&process).expect("a buffer");
        buffer[..bytes.len()].copy_from_slice(bytes);
    }
    fn save_reply(&mut self, place: u64) -> bool {
        assert!(place < MAX_PARKED);
        assert!(
            self.saved.insert(place, self.caller).is_none(),
            "the place is taken"
        );
        true
    }
    fn ask_for_processes(&mut self) -> bool {
        self.asked_for_processes += 1;
        true
    }
    fn reply(&mut self, place: u64, reply: Reply) {
        let caller = self.saved.remove(&place).expect("a saved reply");
        self.answered.push((caller, reply));
    }
    fn drop_reply(&mut self, place: u64) {
        self.dropped
            .push(self.saved.remove(&place).expect("a saved reply"));
    }
}

fn archive(files: &[(&str, &[u8])]) -> Vec<u8> {
    let mut bytes = Vec::new();
    for (name, data) in files {
        let mut head = [0_u8; 512];
        head[..name.len()].copy_from_slice(name.as_bytes());
        head[100..108].copy_from_slice(b"0000644\0");
        head[108..116].copy_from_slice(b"0000000\0");
        head[116..124].copy_from_slice(b"0000000\0");
        head[124..136].copy_from_slice(format!("{:011o}\0", data.len()).as_bytes());
        head[136..148].copy_from_slice(b"00000000000\0");
        head[156] = b'0';
        head[257..265].copy_from_slice(b"ustar\x0000");
        head[148..156].fill(b' ');
        let sum: u32 = head.iter().map(|&byte| u32::from(byte)).sum();
        head[148..156].copy_from_slice(format!("{sum:06o}\0 ").as_bytes());
        bytes.extend_from_slice(&head);
        bytes.extend_from_slice(data);
        bytes.resize(bytes.len().next_multiple_of(512), 0);
    }
    bytes.resize(bytes.len() + 1024, 0);
    bytes
}

struct World<'a>(Service<'a, Fake>);

impl<'a> World<'a> {
    fn new(archive: &'a [u8], processes: Processes) -> Self {
        let room = Room {
            files: 1 << 20,
            pipes: 8,
        };
        let tree = tree(archive, Box::new(Only(processes.clone())), room).unwrap();
        Self(Service::new(tree, Fake::default(), processes))
    }

    fn serve(&mut self, badge: u64, label: u32, words: [u64; 4], wants_reply: bool) -> Option<Reply> {
        let call = Call {
            badge,
            label,
            words,
            wants_reply,
            has_capability: label == label::CONNECT,
        };
        self.0.kernel().caller = badge;
        self.0.serve(&call, 0)
    }

    fn call(&mut self, badge: u64, label: u32, words: [u64; 3]) -> Result<[u64; 4], Error> {
        let [a, b, c] = words;
        let reply = self
            .serve(badge, label, [a, b, c, 0], true)
            .expect("an answer at once");
        match reply.label {
            OK => Ok(reply.words),
            label => Err(Error::from_label(label)),
        }
    }

    /// The request has to wait.
    fn waits(&mut self, badge: u64, label: u32, words: [u64; 3]) {
        let [a, b, c] = words;
        assert_eq!(self.serve(badge, label, [a, b, c, 0], true), None);
    }

    fn put(&mut self, process: u64, bytes: &[u8]) -> u64 {
        self.0.kernel().write(process, bytes);
        bytes.len() as u64
    }

    fn got(&mut self, process: u64, len: u64) -> Vec<u8> {
        self.0.kernel().buffers[&process][..len as usize].to_vec()
    }

    fn connected(archive: &'a [u8], clients: &[u64]) -> Self {
        Self::new(archive, Processes::default()).connect(clients)
    }

    fn connect(self, clients: &[u64]) -> Self {
        let mut world = self;
        for &process in clients {
            let connect = [process, 0, 0];
            world.call(PROCESS_SERVER, label::CONNECT, connect).unwrap();
        }
        world
    }

    fn open(&mut self, process: u64, path: &str, how: u64) -> Result<[u64; 2], Error> {
        let len = self.put(process, path.as_bytes());
        let [handle, kind, ..] = self.call(process, label::OPEN, [len, how, 0])?;
        Ok([handle, kind])
    }

    fn list(&mut self, process: u64, path: &str) -> Vec<(u8, String)> {
        let [handle, kind] = self.open(process, path, open::DIRECTORY).unwrap();
        assert_eq!(kind, kind::DIRECTORY);
        let (mut names, mut cursor) = (Vec::new(), 0);
        loop {
            let [len, next, ..] = self
                .call(process, label::READ_DIRECTORY, [handle, cursor, 0])
                .unwrap();
            if len == 0 {
                break;
            }
            let bytes = self.got(process, len);
            let mut rest = &bytes[..];
            while let [kind, low, high, behind @ ..] = rest {
                let name = &behind[..usize::from(u16::from_le_bytes([*low, *high]))];
                names.push((*kind, String::from_utf8(name.to_vec()).unwrap()));
                rest = &behind[name.len()..];
            }
            cursor = next;
        }
        self.call(process, label::CLOSE, [handle, 0, 0]).unwrap();
        names.sort();
        names
    }

    fn text(&mut self, process: u64, path: &str) -> Result<String, Error> {
        let [handle, _] = self.open(process, path, open::READ)?;
        let [len, ..] = self.call(process, label::READ, [handle, IO_SIZE, 0])?;
        let text = String::from_utf8(self.got(process, len)).unwrap();
        self.call(process, label::CLOSE, [handle, 0, 0])?;
        Ok(text)
    }
}

#[test]
fn the_tree_has_what_the_archive_has() {
    let files: [(&str, &[u8]); 3] = [
        ("bin/vsh", b"shell"),
        ("etc/motd", b"hello"),
        ("etc/a/b", b"deep"),
    ];
    let archive = archive(&files);
    let mut world = World::new(&archive, Processes::none()).connect(&[3]);
    let names = |names: Vec<(u8, String)>| names.into_iter().map(|(_, name)| name).collect::<Vec<_>>();
    assert_eq!(
        names(world.list(3, "/")),
        ["bin", "dev", "etc", "home", "proc", "tmp"]
    );
    assert_eq!(world.list(3, "/bin"), [(kind::FILE as u8, "vsh".to_string())]);
    assert_eq!(names(world.list(3, "/dev")), ["console", "null", "zero"]);
    assert_eq!(
        names(world.list(3, "/proc")),
        ["cpuinfo", "meminfo", "uptime", "version"]
    );
    assert_eq!(world.text(3, "/etc/motd").unwrap(), "hello");
    assert_eq!(world.text(3, "/etc/a/b").unwrap(), "deep");
    assert_eq!(
        world.text(3, "/proc/meminfo").unwrap(),
        "MemTotal:        65536 kB\n"
    );
    assert_eq!(world.text(3, "/proc/uptime").unwrap(), "1.50 0.00\n");
    let [program, _] = world.open(3, "/bin/vsh", open::WRITE).unwrap();
    assert_eq!(world.call(3, label::WRITE, [program, 1, 0]), Err(Error::ReadOnly));
    assert_eq!(
        world.open(3, "/bin/new", open::WRITE | open::CREATE),
        Err(Error::ReadOnly)
    );
}

#[test]
fn an_archive_without_programs_directory_is_all_programs() {
    let archive = archive(&[("init", b"first")]);
    let mut world = World::connected(&archive, &[3]);
    assert_eq!(world.text(3, "/bin/init").unwrap(), "first");
}

#[test]
fn files_are_written_read_moved_cut_and_removed() {
    let archive = archive(&[]);
    let mut world = World::connected(&archive, &[3]);
    let [handle, kind] = world
        .open(3, "/tmp/new", open::READ | open::WRITE | open::CREATE_NEW)
        .unwrap();
    assert_eq!(kind, kind::FILE);
    assert_eq!(
        world.open(3, "/tmp/new", open::WRITE | open::CREATE_NEW),
        Err(Error::Exists)
    );
    let len = world.put(3, b"twelve bytes");
    assert_eq!(world.call(3, label::WRITE, [handle, len, 0]).unwrap()[0], 12);
    assert_eq!(
        world.call(3, label::SEEK, [handle, (-5_i64) as u64, 2]).unwrap()[0],
        7
    );
    assert_eq!(world.call(3, label::READ, [handle, 100, 0]).unwrap()[0], 5);
    assert_eq!(world.got(3, 5), b"bytes");
    let [copy, ..] = world.call(3, label::DUPLICATE, [handle, 0, 0]).unwrap();
    world.call(3, label::TRUNCATE, [copy, 6, 0]).unwrap();
    let [kind, len, node, _] = world.call(3, label::STATUS, [handle, 0, 0]).unwrap();
    assert_eq!([kind, len], [kind::FILE, 6]);
    let both = world.put(3, b"/tmp/new/home/old");
    assert_eq!(both, 17);
    world.call(3, label::RENAME, [8, 9, 0]).unwrap();
    let len = world.put(3, b"/home/old");
    assert_eq!(
        world.call(3, label::STATUS_OF_PATH, [len, 0, 0]).unwrap()[..3],
        [kind::FILE, 6, node]
    );
    let len = world.put(3, b"/home/old");
    world.call(3, label::REMOVE_FILE, [len, 0, 0]).unwrap();
    assert_eq!(world.open(3, "/home/old", open::READ), Err(Error::NotFound));
    let len = world.put(3, b"/home/d");
    world.call(3, label::CREATE_DIRECTORY, [len, 0, 0]).unwrap();
    let len = world.put(3, b"/home/d");
    world.call(3, label::REMOVE_DIRECTORY, [len, 0, 0]).unwrap();
    assert_eq!(world.list(3, "/home"), []);
}

#[test]
fn the_console_is_another_servers() {
    let archive = archive(&[]);
    let mut world = World::connected(&archive, &[3]);
    // More often than there are handles: none is used up.
    for _ in 0..200 {
        assert_eq!(
            world.open(3, "/dev/console", open::READ | open::WRITE).unwrap()[1],
            kind::CONSOLE
        );
    }
    let [null, kind] = world.open(3, "/dev/null", open::READ | open::WRITE).unwrap();
    assert_eq!(kind, kind::DEVICE);
    assert_eq!(world.call(3, label::READ, [null, 10, 0]).unwrap()[0], 0);
}

#[test]
fn reading_a_pipe_waits_for_the_other_process() {
    let archive = archive(&[]);
    let mut world = World::connected(&archive, &[3, 4]);
    let [reader, writer, ..] = world.call(3, label::PIPE, [0; 3]).unwrap();
    let [theirs, ..] = world
        .call(PROCESS_SERVER, label::PASS_ON, [writer, 3, 4])
        .unwrap();
    world.call(3, label::CLOSE, [writer, 0, 0]).unwrap();
    world.waits(3, label::READ, [reader, 100, 0]);
    let len = world.put(4, b"ping");
    assert_eq!(world.call(4, label::WRITE, [theirs, len, 0]).unwrap()[0], 4);
    let answered = core::mem::take(&mut world.0.kernel().answered);
    assert_eq!(
        answered,
        [(
            3,
            Reply {
                label: OK,
                words: [4, 0, 0, 0]
            }
        )]
    );
    assert_eq!(world.got(3, 4), b"ping");
    // The end of the other process is the end of the pipe.
    world.waits(3, label::READ, [reader, 100, 0]);
    world.call(PROCESS_SERVER, label::GONE, [4, 0, 0]).unwrap();
    let answered = core::mem::take(&mut world.0.kernel().answered);
    assert_eq!(
        answered,
        [(
            3,
            Reply {
                label: OK,
                words: [0; 4]
            }
        )]
    );
    assert_eq!(
        world.call(4, label::CLOSE, [theirs, 0, 0]),
        Err(Error::NotConnected)
    );
    assert!(world.0.kernel().saved.is_empty());
}

#[test]
fn who_is_gone_gets_no_answer() {
    let archive = archive(&[]);
    let mut world = World::connected(&archive, &[3, 4]);
    let [reader, writer, ..] = world.call(3, label::PIPE, [0; 3]).unwrap();
    let [theirs, ..] = world
        .call(PROCESS_SERVER, label::PASS_ON, [reader, 3, 4])
        .unwrap();
    world.waits(4, label::READ, [theirs, 100, 0]);
    world.call(PROCESS_SERVER, label::GONE, [4, 0, 0]).unwrap();
    assert_eq!(world.0.kernel().dropped, [4]);
    assert_eq!(world.0.waiting(), 0);
    let len = world.put(3, b"nobody");
    assert_eq!(world.call(3, label::WRITE, [writer, len, 0]).unwrap()[0], 6);
    assert_eq!(world.0.kernel().answered, []);
    // The place can be used again.
    assert_eq!(world.call(3, label::READ, [reader, 100, 0]).unwrap()[0], 6);
    world.waits(3, label::READ, [reader, 100, 0]);
}

#[test]
fn a_client_cannot_take_all_places() {
    let archive = archive(&[]);
    let mut world = World::connected(&archive, &[3, 4]);
    let [reader, ..] = world.call(3, label::PIPE, [0; 3]).unwrap();
    for _ in 0..8 {
        world.waits(3, label::READ, [reader, 1, 0]);
    }
    assert_eq!(world.call(3, label::READ, [reader, 1, 0]), Err(Error::Busy));
    let [reader, ..] = world.call(4, label::PIPE, [0; 3]).unwrap();
    world.waits(4, label::READ, [reader, 1, 0]);
}

#[test]
fn all_clients_together_have_so_many_pipes() {
    let archive = archive(&[]);
    let mut world = World::connected(&archive, &[3, 4]);
    for _ in 0..4 {
        world.call(3, label::PIPE, [0; 3]).unwrap();
        world.call(4, label::PIPE, [0; 3]).unwrap();
    }
    assert_eq!(world.call(4, label::PIPE, [0; 3]), Err(Error::TooManyOpen));
    world.call(PROCESS_SERVER, label::GONE, [3, 0, 0]).unwrap();
    world.call(4, label::PIPE, [0; 3]).unwrap();
}

#[test]
fn a_buffer_that_has_vanished_is_no_buffer() {
    let archive = archive(&[]);
    let mut world = World::connected(&archive, &[3, 4]);
    let [reader, writer, ..] = world.call(3, label::PIPE, [0; 3]).unwrap();
    let [theirs, ..] = world
        .call(PROCESS_SERVER, label::PASS_ON, [writer, 3, 4])
        .unwrap();
    world.waits(3, label::READ, [reader, 100, 0]);
    world.0.kernel().disconnect(3);
    assert_eq!(
        world.call(3, label::STATUS, [reader, 0, 0]),
        Err(Error::NotConnected)
    );
    let len = world.put(4, b"lost");
    assert_eq!(world.call(4, label::WRITE, [theirs, len, 0]).unwrap()[0], 4);
    let answered = core::mem::take(&mut world.0.kernel().answered);
    assert_eq!(answered, [(3, Reply::from(Err(Error::NotConnected)))]);
}

#[test]
fn strangers_and_impostors_are_refused() {
    let archive = archive(&[]);
    let mut world = World::connected(&archive, &[3]);
    assert_eq!(world.call(4, label::PIPE, [0; 3]), Err(Error::NotConnected));
    for badge in [0, MAX_PROCESSES, u64::MAX] {
        assert_eq!(
            world.call(badge, label::CONNECT, [0; 3]),
            Err(Error::PermissionDenied)
        );
    }
    let [reader, ..] = world.call(3, label::PIPE, [0; 3]).unwrap();
    for label in [label::CONNECT, label::PASS_ON, label::GONE, label::PROCESSES] {
        assert_eq!(world.call(3, label, [3, 3, 3]), Err(Error::PermissionDenied));
    }
    assert_eq!(
        world.call(PROCESS_SERVER, label::PASS_ON, [reader, 3, MAX_PROCESSES]),
        Err(Error::NoProcess)
    );
    assert_eq!(
        world.call(PROCESS_SERVER, label::PASS_ON, [reader, 5, 3]),
        Err(Error::BadHandle)
    );
    // Without waiting nothing happens.
    assert_eq!(world.serve(3, label::CLOSE, [reader, 0, 0, 0], false), None);
    assert_eq!(
        world.call(3, label::STATUS, [reader, 0, 0]).unwrap()[0],
        kind::PIPE
    );
    let connect =
        |world: &mut World<'_>, process| world.call(PROCESS_SERVER, label::CONNECT, [process, 0, 0]);
    assert_eq!(connect(&mut world, MAX_PROCESSES), Err(Error::NoProcess));
    world.0.kernel().frame_is_bad = true;
    assert_eq!(connect(&mut world, 5), Err(Error::BadArgument));
}

/// Tells which processes there are, as the process server does: each one in a message of its own.
fn tell(world: &mut World<'_>, processes: &[(u64, &str)]) {
    for (index, (process, arguments)) in processes.iter().enumerate() {
        let entry = Entry {
            process: *process,
            parent: 1,
            group: 1,
            name: "cat",
            arguments,
            ..Entry::default()
        };
        let mut bytes = [0; 200];
        let len = entry.write(&mut bytes).unwrap();
        world.put(PROCESS_SERVER_AS_CLIENT, &bytes[..len]);
        let more = u64::from(index + 1 < processes.len());
        world
            .call(PROCESS_SERVER, label::PROCESSES, [len as u64, more, 0])
            .unwrap();
    }
}

#[test]
fn what_needs_the_processes_waits_until_they_are_told() {
    let archive = archive(&[]);
    let mut world = World::connected(&archive, &[3, 4, PROCESS_SERVER_AS_CLIENT]);
    let len = world.put(3, b"/proc/5/cmdline");
    world.waits(3, label::OPEN, [len, open::READ, 0]);
    assert_eq!(world.0.kernel().asked_for_processes, 1);
    let len = world.put(4, b"/proc/7");
    world.waits(4, label::STATUS_OF_PATH, [len, 0, 0]);
    assert_eq!(world.0.waiting(), 2);
    // All else is served.
    assert!(
        world
            .open(PROCESS_SERVER_AS_CLIENT, "/proc/uptime", open::READ)
            .is_ok()
    );
    tell(&mut world, &[(2, ""), (5, "cat\0a b\0")]);
    assert_eq!(world.0.waiting(), 0);
    let answered = core::mem::take(&mut world.0.kernel().answered);
    let [(3, Reply { label: OK, words }), (4, refused)] = answered[..] else {
        panic!("{answered:?}");
    };
    assert_eq!(refused, Reply::from(Err(Error::NotFound)));
    // What was told may not be true any more.
    world.waits(3, label::READ, [words[0], 100, 0]);
    tell(&mut world, &[(5, "cat\0new\0")]);
    let answered = core::mem::take(&mut world.0.kernel().answered);
    assert_eq!(answered, [(3, Reply::from(Ok([8, 0, 0, 0])))]);
    assert_eq!(world.got(3, 8), b"cat\0new\0");
    // Who has gone gets no answer.
    world.waits(3, label::READ, [words[0], 100, 0]);
    world.call(PROCESS_SERVER, label::GONE, [3, 0, 0]).unwrap();
    assert_eq!((world.0.waiting(), world.0.kernel().dropped.len()), (0, 1));
    tell(&mut world, &[(5, "")]);
    assert!(world.0.kernel().answered.is_empty());
}

#[test]
fn paths_that_are_none_are_refused() {
    let archive = archive(&[]);
    let mut world = World::connected(&archive, &[3]);
    for (path, error) in [
        (&b"tmp"[..], Error::BadName),
        (b"/\xff", Error::BadName),
        (b"/a\0b", Error::BadName),
        (b"", Error::NotFound),
        (&[b'/'; 5000], Error::TooLong),
    ] {
        let len = world.put(3, path);
        assert_eq!(
            world.call(3, label::STATUS_OF_PATH, [len, 0, 0]),
            Err(error),
            "{path:?}"
        );
    }
}

/// A generator of numbers, so that a failure can be repeated.
struct Numbers(u64);

impl Numbers {
    fn next(&mut self) -> u64 {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        self.0
    }

    /// Often a number that means something.
    fn word(&mut self) -> u64 {
        match self.next() % 8 {
            0 => self.next(),
            1 => u64::MAX,
            2 => IO_SIZE + self.next() % 3 - 1,
            _ => self.next() % 12,
        }
    }
}

#[test]
fn nothing_that_is_sent_makes_it_panic() {
    let archive = archive(&[("bin/a", b"a"), ("etc/b", b"b")]);
    let mut numbers = Numbers(0x9e37_79b9_7f4a_7c15);
    for _ in 0..20 {
        let mut world = World::connected(&archive, &[1, 2, 3, PROCESS_SERVER_AS_CLIENT]);
        for _ in 0..2000 {
            let process = 1 + numbers.next() % 4;
            if world.0.kernel().is_connected(process) {
                let mut bytes = b"/tmp/a/../../etc/b/proc/1/dev/bin/a".to_vec();
                let at = numbers.next() as usize % bytes.len();
                bytes[at] = numbers.next() as u8;
                world.put(process, &bytes);
            }
            let manager = numbers.next().is_multiple_of(16);
            let badge = if manager { PROCESS_SERVER } else { process };
            let label = match numbers.next() % 12 {
                0 => label::PIPE,
                1 => label::PASS_ON,
                2 if manager => label::GONE,
                3 if manager => label::PROCESSES,
                _ => 30 + (numbers.next() % 40) as u32,
            };
            let words = [numbers.word(), numbers.word(), numbers.word(), numbers.word()];
            let wants_reply = !numbers.next().is_multiple_of(16);
            world.serve(badge, label, words, wants_reply);
            let waiting = world.0.waiting();
            assert_eq!(
                world.0.kernel().saved.len(),
                waiting,
                "every saved reply belongs to a request"
            );
        }
        for process in 1..=4 {
            world.call(PROCESS_SERVER, label::GONE, [process, 0, 0]).unwrap();
        }
        assert_eq!(world.0.waiting(), 0);
        assert!(world.0.kernel().saved.is_empty());
    }
}
