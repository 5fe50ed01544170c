//! Start, memory, and the loop that receives and replies.

use rt::alloc::boxed::Box;
use rt::alloc::vec::Vec;

use abi::{Message, Tag};
use files::{Call, Reply, Room, Service, tree};
use protocol::{address, slot, start};
use syscall::FOREVER;

use crate::buffers::Buffers;
use crate::facts::SystemFacts;

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

fn main(_argument: u64) -> u32 {
    let Some(initrd) = initrd() else {
        rt::println!("files: the start record does not tell the length of the initrd");
        return BAD_START;
    };
    let tree = match tree(initrd, Box::new(SystemFacts::read()), reserve()) {
        Ok(tree) => tree,
        Err(error) => {
            rt::println!("files: {error}");
            return BAD_TREE;
        }
    };
    let mut service = Service::new(tree, Buffers::new());
    let Err(error) = serve(&mut service);
    rt::println!("files: {error}");
    ENDPOINT_GONE
}

/// Receives and answers, until the endpoint is gone.
fn serve(service: &mut Service<'_, Buffers>) -> Result<core::convert::Infallible, abi::Error> {
    syscall::receive_slot(slot::RECEIVE)?;
    let mut message = syscall::receive(slot::SERVICE, FOREVER)?;
    loop {
        let reply = handle(service, &message);
        message = match reply {
            Some(Reply {
                label,
                words: [a, b, c, d],
            }) => syscall::reply_receive(slot::SERVICE, Tag::new(label).0, a, b, c, d)?,
            None => syscall::receive(slot::SERVICE, FOREVER)?,
        };
    }
}

fn handle(service: &mut Service<'_, Buffers>, message: &Message) -> Option<Reply> {
    let tag = message.tag;
    if tag.is_notification() || tag.is_fault() {
        return None;
    }
    let call = Call {
        badge: message.badge,
        label: tag.label(),
        words: message.words,
        wants_reply: tag.is_call(),
        has_capability: tag.has_capability(),
    };
    let now = syscall::clock().unwrap_or(0);
    let reply = service.serve(&call, now);
    if tag.has_capability() {
        service.kernel().discard();
    }
    reply
}

/// The initrd, as the start record says.
fn initrd() -> Option<&'static [u8]> {
    let record = core::ptr::with_exposed_provenance::<u8>(address::START as usize);
    // SAFETY: whoever starts this program maps its start record there: at least a page, to read, for ever. Records of
    // servers fit into one.
    let record = unsafe { core::slice::from_raw_parts(record, abi::layout::PAGE_SIZE as usize) };
    let record = start::Reader::new(record)?;
    let len = record
        .variables()
        .find_map(|variable| variable.strip_prefix("INITRD_LEN="));
    let len = len?.parse().ok()?;
    let initrd = core::ptr::with_exposed_provenance::<u8>(address::DEVICE as usize);
    // SAFETY: whoever starts this program maps the initrd there, to read, for ever, and tells its length.
    Some(unsafe { core::slice::from_raw_parts(initrd, len) })
}

/// Takes memory into the heap before anybody is served: an eighth of the machine's. Later there is nobody to ask for more,
/// since whoever gives memory may be waiting for this server. Half of it is for files, the rest for pipes, handles and
/// requests.
fn reserve() -> Room {
    let wanted = (SystemFacts::read().memory_total() / 8) as usize / PIECE;
    let mut pieces: Vec<Vec<u8>> = Vec::new();
    while pieces.len() < wanted.clamp(FEWEST, MOST) {
        let mut piece = Vec::new();
        if piece.try_reserve_exact(PIECE).is_err() {
            break;
        }
        pieces.push(piece);
    }
    let bytes = pieces.len() * PIECE;
    Room {
        files: bytes as u64 / 2,
        pipes: bytes / 8 / PIPE,
    }
}
