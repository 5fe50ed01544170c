//! Random bytes from the firmware.

use uefi::Identify as _;
use uefi::boot::{self, SearchType};
use uefi::proto::rng::Rng;

/// Fresh random bytes, where the firmware has a source of them.
pub(crate) fn bytes<const N: usize>() -> Option<[u8; N]> {
    let handles = boot::locate_handle_buffer(SearchType::ByProtocol(&Rng::GUID)).ok()?;
    let mut source = boot::open_protocol_exclusive::<Rng>(*handles.first()?).ok()?;
    let mut bytes = [0; N];
    source.get_rng(None, &mut bytes).ok()?;
    Some(bytes)
}
