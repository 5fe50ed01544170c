//! Start, and the loop that receives and replies.

use core::convert::Infallible;

use abi::start::right;
use abi::{Error, Message, Tag};
use clients::{Buffers, Reply};
use console::{Service, Uart};
use protocol::{signal_bit, slot};
use rt::alloc::vec::Vec;
use syscall::FOREVER;

use crate::registers::{Place, place};

rt::program!(main);

/// Slots of what is signalled to the process server, made from the one capability that it gives.
const INTERRUPT_SIGNAL: u64 = slot::SPACE + 3;
const STOP_SIGNAL: u64 = slot::SPACE + 4;
const READERS_SIGNAL: u64 = slot::SPACE + 5;

/// All of them, and the bit of each.
const SIGNALS: [(u64, u64); 3] = [
    (INTERRUPT_SIGNAL, signal_bit::INTERRUPT),
    (STOP_SIGNAL, signal_bit::STOP),
    (READERS_SIGNAL, signal_bit::READERS),
];

/// How often a port without an interrupt is looked at, in nanoseconds.
const POLL: u64 = 10_000_000;

/// Bytes of heap: more than the terminal, its parked requests and the buffer ever need.
const RESERVE: usize = 512 << 10;

/// Exit codes.
const BAD_START: u32 = 1;
const REFUSED: u32 = 2;

fn main(argument: u64) -> u32 {
    // Takes memory into the heap before anybody is served: later there is nobody to ask for more, since whoever gives
    // memory may be waiting for this server. Without it the server runs as long as what it has is enough.
    let mut reserve: Vec<u8> = Vec::new();
    let _ = core::hint::black_box(&mut reserve).try_reserve_exact(RESERVE);
    drop(core::hint::black_box(reserve));
    // SAFETY: the argument is the one that this program, a server, was started with.
    let serial = unsafe { clients::variable(argument, "SERIAL") };
    let Some((kind, place, interrupt)) = serial.and_then(place) else {
        rt::println!("console: the start record does not tell which serial port to use");
        return BAD_START;
    };
    let Err(error) = serve(Uart::new(kind, place), interrupt);
    rt::println!("console: {error}");
    REFUSED
}

/// Receives and answers, until the endpoint is gone.
fn serve(port: Uart<Place>, interrupt: u64) -> Result<Infallible, Error> {
    let mut service = Service::new(port, Buffers::new()?);
    // Without them the keys do nothing, and nobody reads once there is a foreground; the rest works.
    for (to, bit) in SIGNALS {
        if let Err(error) = syscall::capability_mint(0, to, slot::SIGNALS, right::WRITE, bit) {
            rt::println!("console: no way to signal {bit}: {error}");
        }
    }
    if interrupt != 0 {
        syscall::thread_bind(slot::THREAD, slot::EVENTS)?;
        syscall::interrupt_bind(slot::INTERRUPT, interrupt, slot::EVENTS)?;
    }
    service.port().start();
    let patience = if interrupt == 0 { POLL } else { FOREVER };
    let mut reply = None;
    loop {
        let timeout = if service.has_more() { 0 } else { patience };
        match next(reply.take(), timeout) {
            Ok(message) if message.tag.is_notification() => {
                service.port().acknowledge();
                service.pump();
                syscall::interrupt_complete(slot::INTERRUPT, interrupt)?;
                // What came before that and after the last look might tell nobody.
                service.pump();
            }
            Ok(message) => {
                reply = clients::call(&message).and_then(|call| service.serve(&call));
                if message.tag.has_capability() {
                    service.kernel().discard();
                }
            }
            Err(Error::TimedOut) => service.pump(),
            Err(error) => return Err(error),
        }
        let signals = service.signals();
        for (slot, bit) in SIGNALS {
            if signals & bit != 0 {
                // Nobody to tell: see above.
                let _ = syscall::signal(slot);
            }
        }
    }
}

/// Answers, and waits for the next message.
fn next(reply: Option<Reply>, timeout: u64) -> Result<Message, Error> {
    let Some(Reply {
        label,
        words: [a, b, c, d],
    }) = reply
    else {
        return syscall::receive(slot::SERVICE, timeout);
    };
    if timeout == FOREVER {
        return syscall::reply_receive(slot::SERVICE, Tag::new(label).0, a, b, c, d);
    }
    // It is no error of the server when nobody waits any more.
    let _ = syscall::reply(0, Tag::new(label).0, a, b, c, d);
    syscall::receive(slot::SERVICE, timeout)
}
