//! Capabilities, and the loop that receives and replies.

use core::convert::Infallible;

use abi::Tag;
use abi::start::{kind, right};
use protocol::slot;
use registry::{Answer, Kernel, MAX_NAMES, Registry};
use syscall::FOREVER;

rt::program!(main);

/// Slots: what is given with an answer, then those of names, then those of who waits. The process server gives the table so
/// many.
const OFFER: u64 = slot::CLIENTS;
const NAMES: u64 = OFFER + 1;
const REPLIES: u64 = NAMES + MAX_NAMES as u64;

/// Exit code.
const ENDPOINT_GONE: u32 = 1;

/// What the registry has of the kernel.
struct Capabilities;

fn main(_argument: u64) -> u32 {
    let Err(error) = serve();
    rt::println!("registry: {error}");
    ENDPOINT_GONE
}

/// Receives and answers, until the endpoint is gone.
fn serve() -> Result<Infallible, abi::Error> {
    syscall::receive_slot(slot::RECEIVE)?;
    let mut registry = Registry::new(Capabilities);
    let mut message = syscall::receive(slot::SERVICE, FOREVER)?;
    loop {
        let answer = clients::call(&message).and_then(|call| registry.serve(&call));
        // Whatever came and was not kept goes; it is no error when the slot is empty.
        let _ = syscall::capability_delete(0, slot::RECEIVE);
        message = match answer {
            Some(answer) => {
                let (tag, [a, b, c, d]) = message_of(answer);
                syscall::reply_receive(slot::SERVICE, tag, a, b, c, d)?
            }
            None => syscall::receive(slot::SERVICE, FOREVER)?,
        };
    }
}

/// Tag and words of an answer.
fn message_of(answer: Answer) -> (u64, [u64; 4]) {
    let tag = Tag::new(answer.label);
    let [a, b, c, d] = answer.words;
    if answer.gives {
        (tag.with_capability().0, [a, b, c, OFFER])
    } else {
        (tag.0, [a, b, c, d])
    }
}

/// Makes a capability that sends, with a badge, in the place of the last one that was offered.
fn mint(from: u64, badge: u64) -> bool {
    // What was given before went as a copy; it is no error when there was nothing.
    let _ = syscall::capability_delete(0, OFFER);
    syscall::capability_mint(0, OFFER, from, right::WRITE | right::GRANT, badge).is_ok()
}

impl Kernel for Capabilities {
    fn keep(&mut self, place: usize) -> bool {
        let is_endpoint = syscall::capability_identify(slot::RECEIVE)
            .is_ok_and(|found| found % 256 == kind::ENDPOINT && (found / 256) & right::WRITE != 0);
        // The kernel refuses this for one that has a badge.
        is_endpoint
            && mint(slot::RECEIVE, 1)
            && syscall::capability_move(0, NAMES + place as u64, slot::RECEIVE).is_ok()
    }

    fn is_there(&self, place: usize) -> bool {
        syscall::capability_identify(NAMES + place as u64).is_ok()
    }

    fn drop_name(&mut self, place: usize) {
        // It is no error when the slot is empty.
        let _ = syscall::capability_revoke(0, NAMES + place as u64);
        let _ = syscall::capability_delete(0, NAMES + place as u64);
    }

    fn offer(&mut self, place: usize, process: u32) -> bool {
        mint(NAMES + place as u64, process.into())
    }

    fn save_reply(&mut self, place: usize) -> bool {
        syscall::save_reply(REPLIES + place as u64).is_ok()
    }

    fn reply(&mut self, place: usize, answer: Answer) {
        let (tag, [a, b, c, d]) = message_of(answer);
        if syscall::reply(REPLIES + place as u64, tag, a, b, c, d).is_err() {
            // Nobody waits any more.
            self.drop_reply(place);
        }
    }

    fn drop_reply(&mut self, place: usize) {
        // It is no error when the slot is empty.
        let _ = syscall::capability_delete(0, REPLIES + place as u64);
    }
}
