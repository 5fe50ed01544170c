//! Start, memory, and the loop that receives and replies.

use core::convert::Infallible;

use rt::alloc::boxed::Box;
use rt::alloc::vec::Vec;

use abi::Tag;
use clients::{Buffers, Reply};
use files::{Processes, Room, Service, tree};
use filesystem::Server;
use protocol::{address, slot};
use syscall::FOREVER;

use crate::facts::{SystemFacts, memory_total};

rt::program!(main);

/// Memory is taken in pieces of this size.
const PIECE: usize = 1 << 20;

/// Pieces that are taken at least and at most.
const FEWEST: usize = 4;
const MOST: usize = 128;

/// Bytes that a pipe may hold.
const PIPE: usize = filesystem::CAPACITY;

/// Exit codes.
const BAD_START: u32 = 1;
const BAD_TREE: u32 = 2;
const ENDPOINT_GONE: u32 = 3;

fn main(argument: u64) -> u32 {
    // SAFETY: the argument is the one that this program, a server, was started with.
    let len = unsafe { clients::variable(argument, "INITRD_LEN") };
    let Some(initrd) = initrd(len) else {
        rt::println!("files: the start record does not tell the length of the initrd");
        return BAD_START;
    };
    // Without a process server to ask there are no processes.
    let processes = match syscall::capability_identify(slot::SIGNALS) {
        Ok(_) => Processes::default(),
        Err(_) => Processes::none(),
    };
    let tree = match tree(initrd, Box::new(SystemFacts::read(processes.clone())), reserve()) {
        Ok(tree) => tree,
        Err(error) => {
            rt::println!("files: {error}");
            return BAD_TREE;
        }
    };
    let Err(error) = serve(tree, processes);
    rt::println!("files: {error}");
    ENDPOINT_GONE
}

/// Receives and answers, until the endpoint is gone.
fn serve(tree: Server<'_>, processes: Processes) -> Result<Infallible, abi::Error> {
    let mut service = Service::new(tree, Buffers::new()?, processes);
    let mut message = syscall::receive(slot::SERVICE, FOREVER)?;
    loop {
        let reply =
            clients::call(&message).and_then(|call| service.serve(&call, syscall::clock().unwrap_or(0)));
        if message.tag.has_capability() {
            service.kernel().discard();
        }
        message = match reply {
            Some(Reply {
                label,
                words: [a, b, c, d],
            }) => syscall::reply_receive(slot::SERVICE, Tag::new(label).0, a, b, c, d)?,
            None => syscall::receive(slot::SERVICE, FOREVER)?,
        };
    }
}

/// The initrd, whose length the start record says.
fn initrd(len: Option<&str>) -> Option<&'static [u8]> {
    let len = len?.parse().ok()?;
    let initrd = core::ptr::with_exposed_provenance::<u8>(address::DEVICE as usize);
    // SAFETY: whoever starts this program maps the initrd there, to read, for ever, and tells its length.
    Some(unsafe { core::slice::from_raw_parts(initrd, len) })
}

/// Takes memory into the heap before anybody is served: an eighth of the machine's. Later there is nobody to ask for more,
/// since whoever gives memory may be waiting for this server. Half of it is for files, the rest for pipes, handles and
/// requests.
fn reserve() -> Room {
    let wanted = (memory_total() / 8) as usize / PIECE;
    let mut pieces: Vec<Vec<u8>> = Vec::new();
    while pieces.len() < wanted.clamp(FEWEST, MOST) {
        let mut piece = Vec::new();
        if piece.try_reserve_exact(PIECE).is_err() {
            break;
        }
        pieces.push(piece);
    }
    // The compiler must not see that nobody uses them.
    let bytes = core::hint::black_box(&pieces).len() * PIECE;
    Room {
        files: bytes as u64 / 2,
        pipes: bytes / 8 / PIPE,
    }
}
