//! What a server reads: its start record, and messages.

use abi::Message;
use protocol::start;

use crate::Call;

/// The value of a variable of the start record.
///
/// # Safety
/// `argument` is the argument of the program, a server that was started with a record.
pub unsafe fn variable(argument: u64, name: &str) -> Option<&'static str> {
    let record = core::ptr::with_exposed_provenance::<u8>(argument as usize);
    // SAFETY: the caller's promise: whoever starts a server maps its start record there, at least a page, to read, for ever.
    // Records of servers fit into one.
    let record = unsafe { core::slice::from_raw_parts(record, abi::layout::PAGE_SIZE as usize) };
    let record = start::Reader::new(record)?;
    let mut values = record.variables().filter_map(|variable| variable.split_once('='));
    values.find(|&(found, _)| found == name).map(|(_, value)| value)
}

/// The request that a message is; `None` for a notification, and for a report of a fault.
pub fn call(message: &Message) -> Option<Call> {
    let tag = message.tag;
    let is_request = !tag.is_notification() && !tag.is_fault();
    is_request.then_some(Call {
        badge: message.badge,
        label: tag.label(),
        words: message.words,
        wants_reply: tag.is_call(),
        has_capability: tag.has_capability(),
    })
}
