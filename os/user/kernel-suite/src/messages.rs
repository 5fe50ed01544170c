//! Messages, notifications, priorities.

use abi::start::{kind, right, slot};
use abi::{Error, Tag};

use crate::world::{
    AREA, RW, Test, World, Wrong, add, get, now, receive, set, thread_info, wait_for, wait_until,
};
use crate::{check, must, same};

pub(crate) const TESTS: &[Test] = &[
    ("messages keep their content", content),
    ("many clients on one server", many_clients),
    ("senders are received in order", order),
    ("tags with forbidden bits are refused", forbidden_tags),
    ("capabilities go with messages", transfer),
    ("a capability that moves is unmapped", transfer_unmaps),
    ("replies can be saved", saved_replies),
    ("replies to callers that are gone", late_replies),
    ("callers learn that their server ended", server_ends),
    ("timeouts", timeouts),
    ("a timeout ends with the wait that it was for", stale_timeouts),
    ("notifications gather bits", notifications),
    ("a bound notification interrupts receiving", bound),
    ("what was signalled comes before the next call", signalled_before),
    ("priorities are lent", inheritance),
    ("what was lent goes back", lent_goes_back),
];

/// Answers each call with the words turned around, one added to each, and the badge in the label.
pub(crate) fn turn(endpoint: u64) {
    let Ok(mut message) = receive(endpoint) else {
        return;
    };
    loop {
        let [a, b, c, d] = message.words.map(|word| word.wrapping_add(1));
        let label = message.badge as u32;
        match syscall::reply_receive(endpoint, u64::from(label), d, c, b, a) {
            Ok(next) => message = next,
            Err(_) => return,
        }
    }
}

fn content(world: &mut World) -> Result<(), Wrong> {
    let endpoint = must!(world.make(kind::ENDPOINT, 0));
    let badged = must!(world.badged(endpoint, right::WRITE, 0x8765_4321));
    must!(world.thread(turn, endpoint, 0));
    for round in 0..2000_u64 {
        let words = [round, round << 32, u64::MAX - round, round * round];
        let reply = must!(syscall::call(
            badged, round, words[0], words[1], words[2], words[3]
        ));
        let expected = words.map(|word| word.wrapping_add(1));
        check!(
            reply.words == [expected[3], expected[2], expected[1], expected[0]],
            "words of a reply"
        );
        check!(
            reply.badge == 0 && reply.tag == Tag::new(0x8765_4321),
            "badge and tag of a reply"
        );
    }
    let reply = must!(syscall::call_timeout(badged, 0, 1, 2, 3, 1_000_000_000));
    check!(
        reply.words == [1, 4, 3, 2],
        "words of a reply to a call with a timeout"
    );
    Ok(())
}

const CLIENTS: u64 = 16;
const CALLS: u64 = 12;

fn client(badged: u64) {
    for round in 0..CALLS {
        match syscall::call(badged, 0, round, badged, 0, 0) {
            Ok(reply) if reply.words[3] == round + 1 && reply.words[2] == badged + 1 => {}
            _ => return set(1, badged),
        }
        if reply_label(badged, round) {
            return set(1, badged);
        }
    }
    add(0, 1);
}

/// Whether the server sees another badge than the one that the client has.
fn reply_label(badged: u64, round: u64) -> bool {
    syscall::call(badged, 0, round, 0, 0, 0).is_ok_and(|reply| u64::from(reply.tag.label()) != badged)
}

fn many_clients(world: &mut World) -> Result<(), Wrong> {
    let endpoint = must!(world.make(kind::ENDPOINT, 0));
    must!(world.thread(turn, endpoint, 0));
    must!(world.thread(turn, endpoint, 0));
    for _ in 0..CLIENTS {
        let badged = world.slot();
        must!(syscall::capability_mint(
            0,
            badged,
            endpoint,
            right::WRITE,
            badged
        ));
        must!(world.thread(client, badged, 0));
    }
    let ended = wait_until(|| get(0) == CLIENTS || get(1) != 0);
    same!(get(0), CLIENTS, "clients that came to their end");
    check!(ended, "all clients come to an end");
    check!(get(1) == 0, "a client got a wrong answer");
    Ok(())
}

fn sender(badged: u64) {
    if syscall::send(badged, 5, 1, 2, 3, 4).is_err() {
        add(1, 1);
    }
    add(0, 1);
}

fn order(world: &mut World) -> Result<(), Wrong> {
    let endpoint = must!(world.make(kind::ENDPOINT, 0));
    for badge in 1..=10 {
        let badged = must!(world.badged(endpoint, right::WRITE, badge));
        let thread = must!(world.thread(sender, badged, 0));
        check!(
            wait_until(|| thread_info(thread).is_ok_and(|[state, ..]| state == 3)),
            "a sender waits"
        );
    }
    check!(get(0) == 0, "a sender goes on before its message is received");
    for badge in 1..=10 {
        let message = must!(syscall::receive(endpoint, 0));
        same!(message.badge, badge, "order of senders");
        check!(
            message.tag == Tag::new(5) && message.words == [1, 2, 3, 4],
            "content of a sent message"
        );
    }
    same!(syscall::receive(endpoint, 0), Error::TimedOut, "no more messages");
    same!(
        syscall::reply(0, 0, 0, 0, 0, 0),
        Error::PeerGone,
        "a reply that nobody waits for"
    );
    check!(wait_for(0, 10) && get(1) == 0, "the senders go on");
    Ok(())
}

fn forbidden_tags(world: &mut World) -> Result<(), Wrong> {
    let endpoint = must!(world.make(kind::ENDPOINT, 0));
    for bit in 33..64 {
        let tag = 1 << bit;
        same!(
            syscall::call_timeout(endpoint, tag, 0, 0, 0, 0),
            Error::BadArgument,
            "a call with a forbidden bit"
        );
        same!(
            syscall::send(endpoint, tag, 0, 0, 0, 0),
            Error::BadArgument,
            "a message with a forbidden bit"
        );
        same!(
            syscall::reply(0, tag, 0, 0, 0, 0),
            Error::BadArgument,
            "a reply with a forbidden bit"
        );
        same!(
            syscall::reply_receive(endpoint, tag, 0, 0, 0, 0),
            Error::BadArgument,
            "the same, and receiving"
        );
    }
    let tag = Tag::new(0).with_capability().0;
    same!(
        syscall::send(endpoint, tag, 0, 0, 0, 0),
        Error::NotFound,
        "a capability from slot 0"
    );
    same!(
        syscall::send(endpoint, tag, 0, 0, 0, u64::MAX),
        Error::NotFound,
        "a capability from nowhere"
    );
    let weak = must!(world.badged(endpoint, right::WRITE, 0));
    same!(
        syscall::send(weak, tag, 0, 0, 0, endpoint),
        Error::NotPermitted,
        "a capability without the right to grant"
    );
    Ok(())
}

/// Calls with a capability: the argument is endpoint, slot, and whether it moves. Notes the word that comes back.
fn caller_with(argument: u64) {
    let (endpoint, at, moves) = (argument >> 40, argument >> 8 & 0xffff_ffff, argument & 1 != 0);
    let tag = Tag::new(1);
    let tag = if moves {
        tag.moving_capability()
    } else {
        tag.with_capability()
    };
    if syscall::call(endpoint, tag.0, 7, 8, 9, at).is_ok() {
        add(0, 1);
    }
}

fn transfer(world: &mut World) -> Result<(), Wrong> {
    let endpoint = must!(world.make(kind::ENDPOINT, 0));
    let bell = must!(world.make(kind::NOTIFICATION, 0));
    let into = world.slot();
    for (round, (moves, receive_slot, arrives)) in [
        (false, into, true),
        (true, into, true),
        (false, 0, false),
        (true, 0, false),
        (false, bell, false),
        (true, bell, false),
        (true, 100_000, false),
        (false, u64::from(u32::MAX), false),
    ]
    .into_iter()
    .enumerate()
    {
        let given = must!(world.badged(bell, RW, 9));
        must!(syscall::receive_slot(receive_slot));
        must!(world.thread(caller_with, endpoint << 40 | given << 8 | u64::from(moves), 0));
        let message = must!(receive(endpoint));
        check!(
            message.words[..3] == [7, 8, 9] && message.tag.is_call(),
            "the words of the message"
        );
        check!(
            message.tag.has_capability() == arrives,
            "whether a capability came"
        );
        same!(
            message.words[3],
            if arrives { into } else { 0 },
            "where the capability went"
        );
        let gone = syscall::capability_identify(given).is_err();
        check!(gone == (arrives && moves), "whether the sender still has it");
        if arrives {
            same!(
                syscall::capability_identify(into),
                kind::NOTIFICATION + 256 * RW,
                "what came"
            );
            must!(syscall::capability_delete(0, into));
        }
        must!(syscall::reply(0, 0, 0, 0, 0, 0));
        check!(wait_for(0, round as u64 + 1), "the caller goes on");
    }
    same!(
        syscall::receive_slot(1 << 32),
        Error::BadArgument,
        "a slot that no table has"
    );
    must!(syscall::receive_slot(0));
    Ok(())
}

fn transfer_unmaps(world: &mut World) -> Result<(), Wrong> {
    let endpoint = must!(world.make(kind::ENDPOINT, 0));
    for moves in [false, true] {
        let frame = must!(world.frame_at(AREA, 4096));
        let into = world.slot();
        must!(syscall::receive_slot(into));
        must!(world.thread(caller_with, endpoint << 40 | frame << 8 | u64::from(moves), 0));
        check!(must!(receive(endpoint)).tag.has_capability(), "the frame comes");
        must!(syscall::reply(0, 0, 0, 0, 0, 0));
        // The kernel writes to what is mapped for the program.
        let start = core::ptr::with_exposed_provenance_mut::<u8>(AREA as usize);
        // SAFETY: only the kernel looks at it, and says when nothing is there.
        let written = syscall::kernel_statistics(unsafe { core::slice::from_raw_parts_mut(start, 64) });
        check!(written.is_err() == moves, "whether the frame is still mapped");
        same!(
            syscall::map(slot::SPACE, 0, into, AREA + 8192, RW),
            0,
            "what came can be mapped"
        );
        must!(syscall::capability_delete(0, into));
        if !moves {
            must!(syscall::capability_delete(0, frame));
        }
    }
    must!(syscall::receive_slot(0));
    Ok(())
}

fn numbered_caller(badged: u64) {
    if let Ok(reply) = syscall::call(badged, 0, 0, 0, 0, 0) {
        // The n-th caller gets n.
        set(10 + reply.words[0] as usize, reply.words[1]);
        add(0, 1);
    }
}

fn saved_replies(world: &mut World) -> Result<(), Wrong> {
    let endpoint = must!(world.make(kind::ENDPOINT, 0));
    same!(syscall::save_reply(endpoint), Error::NotFound, "nothing to save");
    let first = world.range(6);
    for number in 0..5 {
        let badged = must!(world.badged(endpoint, right::WRITE, number + 1));
        must!(world.thread(numbered_caller, badged, 0));
        same!(must!(receive(endpoint)).badge, number + 1, "who calls");
        same!(
            syscall::save_reply(endpoint),
            Error::SlotTaken,
            "into a slot that is taken"
        );
        same!(syscall::save_reply(first + number), 0, "save");
        same!(
            syscall::capability_identify(first + number),
            kind::REPLY,
            "what was saved"
        );
        same!(syscall::save_reply(first + 5), Error::NotFound, "save twice");
        same!(
            syscall::reply(0, 0, 0, 0, 0, 0),
            Error::PeerGone,
            "reply to what was saved"
        );
    }
    same!(
        syscall::capability_copy(0, first + 5, first, right::ALL),
        Error::WrongKind,
        "a copy of a reply"
    );
    same!(
        syscall::capability_mint(0, first + 5, first, right::ALL, 1),
        Error::WrongKind,
        "a copy of a reply with a badge"
    );
    must!(syscall::capability_move(0, first + 5, first));
    for number in [5, 3, 1, 4] {
        let at = first + number;
        let number = number % 5;
        same!(
            syscall::reply(at, 0, number, 100 + number, 0, 0),
            0,
            "a late reply"
        );
        check!(
            wait_for(10 + number as usize, 100 + number),
            "the reply reaches its caller"
        );
        same!(syscall::reply(at, 0, 0, 0, 0, 0), Error::NotFound, "reply twice");
    }
    check!(get(0) == 4, "one caller still waits");
    same!(
        syscall::reply(endpoint, 0, 0, 0, 0, 0),
        Error::WrongKind,
        "reply to an endpoint"
    );
    Ok(())
}

fn caller_for(argument: u64) {
    let (endpoint, timeout) = (argument & 0xffff_ffff, argument >> 32);
    let timeout = if timeout == 0 { syscall::FOREVER } else { timeout };
    let number = match syscall::call_timeout(endpoint, 0, 0, 0, 0, timeout) {
        Ok(_) => 1,
        Err(error) => 100 + error.number(),
    };
    set(0, number);
}

fn late_replies(world: &mut World) -> Result<(), Wrong> {
    let endpoint = must!(world.make(kind::ENDPOINT, 0));
    let saved = world.slot();
    for save in [false, true] {
        // A caller whose time is up.
        set(0, 0);
        must!(world.thread(caller_for, 1_000_000 << 32 | endpoint, 0));
        must!(receive(endpoint));
        if save {
            must!(syscall::save_reply(saved));
        }
        check!(wait_for(0, 100 + Error::TimedOut.number()), "its time is up");
        let reply = syscall::reply(if save { saved } else { 0 }, 0, 0, 0, 0, 0);
        same!(reply, Error::PeerGone, "a reply to a caller whose time was up");
        check!(
            syscall::capability_identify(saved).is_err(),
            "the right to reply is used up"
        );
        // A caller that has ended.
        let thread = must!(world.thread(caller_for, endpoint, 0));
        must!(receive(endpoint));
        if save {
            must!(syscall::save_reply(saved));
        }
        must!(syscall::capability_delete(0, thread));
        let reply = syscall::reply(if save { saved } else { 0 }, 0, 0, 0, 0, 0);
        same!(reply, Error::PeerGone, "a reply to a caller that has ended");
    }
    Ok(())
}

fn take_and_leave(endpoint: u64) {
    let _message = receive(endpoint);
}

fn take_and_stay(endpoint: u64) {
    let _message = receive(endpoint);
    set(5, 1);
    loop {
        let _woken = syscall::sleep(1_000_000_000);
    }
}

fn server_ends(world: &mut World) -> Result<(), Wrong> {
    let endpoint = must!(world.make(kind::ENDPOINT, 0));
    let gone = 100 + Error::PeerGone.number();
    must!(world.thread(take_and_leave, endpoint, 0));
    same!(
        syscall::call(endpoint, 0, 0, 0, 0, 0),
        Error::PeerGone,
        "a server that leaves"
    );
    let server = must!(world.thread(take_and_stay, endpoint, 0));
    must!(world.thread(caller_for, endpoint, 0));
    check!(wait_for(5, 1), "the server has the message");
    must!(syscall::capability_delete(0, server));
    check!(wait_for(0, gone), "a server that is ended");
    // Receiving anew without a reply, deleting a saved reply.
    set(0, 0);
    must!(world.thread(caller_for, endpoint, 0));
    must!(receive(endpoint));
    same!(syscall::receive(endpoint, 0), Error::TimedOut, "no other message");
    check!(wait_for(0, gone), "a server that receives instead of replying");
    set(0, 0);
    must!(world.thread(caller_for, endpoint, 0));
    must!(receive(endpoint));
    let saved = world.slot();
    must!(syscall::save_reply(saved));
    must!(syscall::capability_delete(0, saved));
    check!(wait_for(0, gone), "a saved reply that is deleted");
    Ok(())
}

fn timeouts(world: &mut World) -> Result<(), Wrong> {
    let endpoint = must!(world.make(kind::ENDPOINT, 0));
    let bell = must!(world.make(kind::NOTIFICATION, 0));
    for timeout in [0, 1, 100_000, 3_000_000, 20_000_000] {
        for way in 0..3 {
            let start = now();
            let came = match way {
                0 => syscall::receive(endpoint, timeout).err(),
                1 => syscall::call_timeout(endpoint, 0, 0, 0, 0, timeout).err(),
                _ => syscall::wait(bell, timeout).err(),
            };
            check!(came == Some(Error::TimedOut), "nothing comes");
            check!(now() - start >= timeout, "it gave up before the time was up");
        }
    }
    // Times that are nearly for ever do not wrap.
    must!(world.thread(turn, endpoint, 0));
    same!(
        syscall::call_timeout(endpoint, 0, 0, 0, 0, u64::MAX - 1),
        0,
        "a very long timeout"
    );
    Ok(())
}

/// Is left by its server while its time limit runs, then waits with other limits on another CPU or for ever.
fn left_then_waits(argument: u64) {
    let (endpoint, bell) = (argument >> 32, argument & 0xffff_ffff);
    if syscall::call_timeout(endpoint, 0, 0, 0, 0, 200_000_000).err() != Some(Error::PeerGone) {
        return set(1, 1);
    }
    set(0, 1);
    if syscall::wait(bell, syscall::FOREVER).is_err() {
        set(1, 2);
    }
    set(0, 2);
}

fn stale_timeouts(world: &mut World) -> Result<(), Wrong> {
    let endpoint = must!(world.make(kind::ENDPOINT, 0));
    let bell = must!(world.make(kind::NOTIFICATION, 0));
    let loud = must!(world.badged(bell, RW, 1));
    for _ in 0..2 {
        set(0, 0);
        must!(world.thread(take_and_leave, endpoint, 0));
        must!(world.thread(left_then_waits, endpoint << 32 | bell, 0));
        check!(wait_until(|| get(0) != 0 || get(1) != 0), "the caller is told");
        must!(syscall::sleep(300_000_000));
        check!(get(1) != 1, "the caller got another result");
        check!(
            get(1) == 0 && get(0) == 1,
            "a wait without a limit ends with the limit of an earlier call"
        );
        must!(syscall::signal(loud));
        check!(wait_for(0, 2), "the wait ends with the signal");
    }
    Ok(())
}

fn waiter(bell: u64) {
    if let Ok(bits) = syscall::wait(bell, syscall::FOREVER) {
        set(0, bits);
    }
}

fn notifications(world: &mut World) -> Result<(), Wrong> {
    let bell = must!(world.make(kind::NOTIFICATION, 0));
    let mut badged = [0; 8];
    for (number, place) in badged.iter_mut().enumerate() {
        *place = must!(world.badged(bell, RW, 1 << (number * 8 % 63)));
    }
    same!(syscall::wait(bell, 0), Error::TimedOut, "nothing was signalled");
    let mut all = 0;
    for (number, &badged) in badged.iter().enumerate() {
        must!(syscall::signal(badged));
        must!(syscall::signal(badged));
        all |= 1 << (number * 8 % 63);
    }
    same!(syscall::wait(bell, 0), all, "bits gather");
    same!(syscall::wait(bell, 0), Error::TimedOut, "all bits were taken");
    must!(syscall::signal(bell));
    same!(
        syscall::wait(bell, 0),
        Error::TimedOut,
        "a signal without a badge"
    );
    let thread = must!(world.thread(waiter, bell, 0));
    check!(
        wait_until(|| thread_info(thread).is_ok_and(|[state, ..]| state == 6)),
        "it waits"
    );
    must!(syscall::signal(badged[3]));
    check!(wait_for(0, 1 << 24), "the waiting thread gets the bits");
    same!(syscall::wait(bell, 0), Error::TimedOut, "and nobody else");
    Ok(())
}

fn bound_server(endpoint: u64) {
    for _ in 0..3 {
        if let Ok(message) = receive(endpoint) {
            set(
                0,
                if message.tag.is_notification() {
                    message.words[0]
                } else {
                    1000 + message.words[0]
                },
            );
        }
    }
}

/// Answers calls with one more than they brought, and signals its own notification before it answers a 7.
fn signals_itself(argument: u64) {
    let (endpoint, loud) = (argument >> 32, argument & 0xffff_ffff);
    let Ok(mut message) = receive(endpoint) else {
        return;
    };
    loop {
        let word = message.words[0];
        if message.tag.is_notification() {
            set(0, word);
        } else if word == 7 && syscall::signal(loud).is_err() {
            return;
        }
        match syscall::reply_receive(endpoint, 0, word + 1, 0, 0, 0) {
            Ok(next) => message = next,
            Err(_) => return,
        }
    }
}

fn signalled_before(world: &mut World) -> Result<(), Wrong> {
    let endpoint = must!(world.make(kind::ENDPOINT, 0));
    let bell = must!(world.make(kind::NOTIFICATION, 0));
    let loud = must!(world.badged(bell, RW, 4));
    let thread = must!(world.idle_thread(signals_itself, endpoint << 32 | loud, 0));
    must!(syscall::thread_bind(thread.slot, bell));
    must!(world.start(thread));
    for _ in 0..8 {
        for word in [1, 2, 7] {
            let reply = must!(syscall::call(endpoint, 0, word, 0, 0, 0));
            same!(reply.words[0], word + 1, "the reply");
        }
        check!(wait_for(0, 4), "the notification comes");
        set(0, 0);
    }
    Ok(())
}

fn bound(world: &mut World) -> Result<(), Wrong> {
    let endpoint = must!(world.make(kind::ENDPOINT, 0));
    let bell = must!(world.make(kind::NOTIFICATION, 0));
    let loud = must!(world.badged(bell, RW, 4));
    let thread = must!(world.idle_thread(bound_server, endpoint, 0));
    let other = must!(world.idle_thread(bound_server, endpoint, 0));
    must!(syscall::thread_bind(thread.slot, bell));
    same!(
        syscall::thread_bind(other.slot, bell),
        Error::Busy,
        "bound to two threads"
    );
    must!(world.start(thread));
    check!(
        wait_until(|| thread_info(thread.slot).is_ok_and(|[state, ..]| state == 4)),
        "it receives"
    );
    must!(syscall::signal(loud));
    check!(wait_for(0, 4), "the notification interrupts receiving");
    must!(syscall::send(endpoint, 0, 7, 0, 0, 0));
    check!(wait_for(0, 1007), "messages come as well");
    must!(syscall::capability_delete(0, thread.slot));
    same!(
        syscall::thread_bind(other.slot, bell),
        0,
        "bound anew when the thread has ended"
    );
    must!(syscall::signal(loud));
    must!(world.start(other));
    check!(wait_for(0, 4), "what was signalled before comes at once");
    Ok(())
}

fn slow_server(endpoint: u64) {
    let Ok(mut message) = receive(endpoint) else {
        return;
    };
    loop {
        set(3, 1);
        // What it does takes time, and it can be kept from it.
        let end = now() + 3_000_000;
        while now() < end {
            core::hint::spin_loop();
        }
        let [a, b, c, d] = message.words;
        match syscall::reply_receive(endpoint, 0, a, b, c, d) {
            Ok(next) => message = next,
            Err(_) => return,
        }
    }
}

fn busy_until_told(_: u64) {
    set(4, 1);
    while get(2) == 0 {
        core::hint::spin_loop();
    }
}

fn urgent(endpoint: u64) {
    while get(4) == 0 {
        let _woken = syscall::sleep(100_000);
    }
    if syscall::call(endpoint, 0, 0, 0, 0, 0).is_ok() {
        set(0, 1);
    }
    set(2, 1);
}

/// A server of low priority, a client of high priority, and between them a thread that never gives the CPU up.
fn inheritance(world: &mut World) -> Result<(), Wrong> {
    let endpoint = must!(world.make(kind::ENDPOINT, 0));
    must!(world.schedule(slot::THREAD, 1, 30, 1));
    let result = lend(world, endpoint);
    must!(world.schedule(slot::THREAD, 0, 1024, u64::MAX));
    result
}

fn lend(world: &mut World, endpoint: u64) -> Result<(), Wrong> {
    for (function, priority) in [(slow_server as fn(u64), 5), (busy_until_told, 10), (urgent, 20)] {
        let thread = must!(world.idle_thread(function, endpoint, 0));
        must!(world.schedule(thread.slot, 1, priority, 1));
        must!(world.start(thread));
        must!(syscall::sleep(1_000_000));
    }
    let end = now() + 5_000_000_000;
    while get(2) == 0 && now() < end {
        must!(syscall::sleep(1_000_000));
    }
    let answered = get(0) == 1;
    // Whatever became of it: the busy thread must end.
    set(2, 1);
    check!(answered, "the urgent thread waits for a busy one");
    Ok(())
}

fn urgent_without_patience(endpoint: u64) {
    let way = get(6);
    let done = if way == 0 {
        syscall::call_timeout(endpoint, 0, 0, 0, 0, 1_000_000).is_err()
    } else {
        syscall::send(endpoint, 0, 0, 0, 0, 0).is_ok()
    };
    if done {
        set(0, 1);
    }
}

/// Serves, and then counts at its own priority.
fn server_then_counts(endpoint: u64) {
    set(5, 1);
    while get(3) == 0 {
        core::hint::spin_loop();
    }
    let _message = receive(endpoint);
    let _asked = syscall::sleep(3_000_000);
    let _replied = syscall::reply(0, 0, 0, 0, 0, 0);
    let _nothing = syscall::receive(endpoint, 0);
    set(4, 1);
    loop {
        add(1, 1);
    }
}

fn lent_goes_back(world: &mut World) -> Result<(), Wrong> {
    must!(world.schedule(slot::THREAD, 1, 30, 1));
    let mut result = Ok(());
    for way in 0..2 {
        if result.is_ok() {
            result = goes_back(world, way);
        }
    }
    must!(world.schedule(slot::THREAD, 0, 1024, u64::MAX));
    result
}

fn goes_back(world: &mut World, way: u64) -> Result<(), Wrong> {
    for index in 0..8 {
        set(index, 0);
    }
    set(6, way);
    let endpoint = must!(world.make(kind::ENDPOINT, 0));
    let server = must!(world.idle_thread(server_then_counts, endpoint, 0));
    must!(world.schedule(server.slot, 1, 5, 1));
    // It has received once, so that who sends later knows whom to lend to.
    must!(world.start(server));
    must!(syscall::sleep(1_000_000));
    set(3, 1);
    must!(syscall::sleep(1_000_000));
    let client = must!(world.idle_thread(urgent_without_patience, endpoint, 0));
    must!(world.schedule(client.slot, 1, 20, 1));
    must!(world.start(client));
    let end = now() + 5_000_000_000;
    while (get(0) == 0 || get(4) == 0) && now() < end {
        must!(syscall::sleep(1_000_000));
    }
    check!(get(0) == 1 && get(4) == 1, "client and server come to their ends");
    // A thread of a middle priority comes before the server, which has nothing lent any more.
    set(2, 0);
    set(4, 0);
    let middle = must!(world.idle_thread(busy_until_told, 0, 0));
    must!(world.schedule(middle.slot, 1, 10, 1));
    must!(world.start(middle));
    must!(syscall::sleep(5_000_000));
    let ran = get(4) == 1;
    set(2, 1);
    must!(syscall::sleep(1_000_000));
    must!(syscall::capability_delete(0, server.slot));
    check!(ran, "a server keeps the priority that it was lent");
    Ok(())
}
