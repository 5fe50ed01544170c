//! Servers on the loopback interface: the real one, and ones that misbehave.

use std::io::{BufRead, BufReader, Read, Write};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::path::Path;
use std::sync::{Arc, Condvar, Mutex, mpsc};
use std::thread::JoinHandle;
use std::time::Duration;
use vrel_world::{Interrupt, RealWorld};

/// The real server, until it is dropped.
pub(crate) struct Serving {
    pub(crate) address: SocketAddr,
    interrupt: Interrupt,
    thread: Option<JoinHandle<()>>,
}

impl Serving {
    pub(crate) fn start(dir: &Path) -> Self {
        let interrupt = Interrupt::default();
        let world = RealWorld::new(interrupt.clone(), None);
        let (ready, address) = mpsc::channel();
        let dir = dir.to_owned();
        let thread = std::thread::spawn(move || {
            let any_port = SocketAddr::from(([127, 0, 0, 1], 0));
            vrel_origin::serve(&world, &dir, any_port, &|address| ready.send(address).unwrap()).unwrap();
        });
        Self {
            address: address.recv().unwrap(),
            interrupt,
            thread: Some(thread),
        }
    }

    pub(crate) fn url(&self) -> String {
        format!("http://{}", self.address)
    }

    /// Asks the server to stop, as Ctrl-C does.
    pub(crate) fn ask_to_stop(&self) {
        self.interrupt.set();
    }

    pub(crate) fn join(&mut self) {
        self.thread.take().unwrap().join().unwrap();
    }

    /// Sends one request line with headers and returns status, headers and body.
    pub(crate) fn request(&self, line: &str, headers: &[&str]) -> Reply {
        let mut stream = TcpStream::connect(self.address).unwrap();
        let headers: String = headers.iter().map(|header| format!("{header}\r\n")).collect();
        write!(
            stream,
            "{line} HTTP/1.1\r\nHost: x\r\nConnection: close\r\n{headers}\r\n"
        )
        .unwrap();
        let mut reply = Vec::new();
        stream.read_to_end(&mut reply).unwrap();
        let end = reply.windows(4).position(|four| four == b"\r\n\r\n").unwrap();
        let head = String::from_utf8(reply[..end].to_vec())
            .unwrap()
            .to_ascii_lowercase();
        Reply {
            head,
            body: reply[end + 4..].to_vec(),
        }
    }
}

impl Drop for Serving {
    fn drop(&mut self) {
        self.interrupt.set();
        if let Some(thread) = self.thread.take() {
            thread.join().unwrap();
        }
    }
}

#[derive(Debug)]
pub(crate) struct Reply {
    head: String,
    pub(crate) body: Vec<u8>,
}

impl Reply {
    pub(crate) fn status(&self) -> u16 {
        self.head.split(' ').nth(1).unwrap().parse().unwrap()
    }

    /// A header's value, in lower case; empty when it is not there.
    pub(crate) fn header(&self, name: &str) -> &str {
        let prefix = format!("{name}: ");
        self.head
            .lines()
            .find_map(|line| line.strip_prefix(&prefix))
            .unwrap_or_default()
    }
}

/// A server that answers every request in one wrong way, until it is dropped.
pub(crate) struct Misbehaving {
    pub(crate) address: SocketAddr,
    over: Arc<Over>,
    thread: Option<JoinHandle<()>>,
}

/// Answers a client, by the path that it asks for.
pub(crate) type Answer = dyn Fn(&str, &mut Client<'_>) + Send + Sync;

/// A client of a server that misbehaves.
pub(crate) struct Client<'a> {
    stream: TcpStream,
    over: &'a Over,
}

impl Client<'_> {
    /// Sends bytes; `false` when the client is gone or the test is over.
    pub(crate) fn send(&mut self, bytes: &[u8]) -> bool {
        !self.over.is_set()
            && self
                .stream
                .write_all(bytes)
                .and_then(|()| self.stream.flush())
                .is_ok()
    }

    /// Sends nothing for a moment; `false` when the test is over.
    pub(crate) fn pause(&self) -> bool {
        !self.over.wait(Duration::from_millis(20))
    }
}

/// Whether the test is over.
#[derive(Default)]
struct Over {
    flag: Mutex<bool>,
    changed: Condvar,
}

impl Over {
    fn is_set(&self) -> bool {
        *self.flag.lock().unwrap()
    }

    fn set(&self) {
        *self.flag.lock().unwrap() = true;
        self.changed.notify_all();
    }

    fn wait(&self, at_most: Duration) -> bool {
        let flag = self.flag.lock().unwrap();
        *self
            .changed
            .wait_timeout_while(flag, at_most, |over| !*over)
            .unwrap()
            .0
    }
}

impl Misbehaving {
    pub(crate) fn start(answer: Box<Answer>) -> Self {
        let listener = TcpListener::bind(("127.0.0.1", 0)).unwrap();
        let address = listener.local_addr().unwrap();
        let over = Arc::new(Over::default());
        let thread = std::thread::spawn({
            let over = Arc::clone(&over);
            move || {
                std::thread::scope(|scope| {
                    for stream in listener.incoming() {
                        if over.is_set() {
                            return;
                        }
                        let (answer, over) = (&answer, &over);
                        scope.spawn(move || converse(stream.unwrap(), answer, over));
                    }
                });
            }
        });
        Self {
            address,
            over,
            thread: Some(thread),
        }
    }

    pub(crate) fn url(&self) -> String {
        format!("http://{}/", self.address)
    }
}

fn converse(stream: TcpStream, answer: &Answer, over: &Over) {
    let mut reader = BufReader::new(stream.try_clone().unwrap());
    let mut path = String::new();
    loop {
        let mut line = String::new();
        if reader.read_line(&mut line).unwrap_or(0) == 0 {
            return;
        }
        if path.is_empty() {
            path = line.split(' ').nth(1).unwrap().to_owned();
        }
        if line == "\r\n" {
            break;
        }
    }
    answer(&path, &mut Client { stream, over });
}

impl Drop for Misbehaving {
    fn drop(&mut self) {
        self.over.set();
        // Wakes the listener up.
        drop(TcpStream::connect(self.address));
        self.thread.take().unwrap().join().unwrap();
    }
}
