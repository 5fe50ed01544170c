//! What the firmware knows about the machine, apart from its memory: ACPI, device tree, screen.

use boot_core::device_tree;
use bootinfo::Framebuffer;
use core::slice;
use uefi::boot::{self, OpenProtocolAttributes, OpenProtocolParams, SearchType};
use uefi::proto::console::gop::{GraphicsOutput, PixelFormat};
use uefi::table::cfg::ConfigTableEntry;
use uefi::{Guid, Identify, guid};

use crate::error::Error;
use crate::memory::{Block, pages_for};

/// `EFI_DTB_TABLE_GUID`, UEFI 2.10 section 4.6.1.3.
const DEVICE_TREE: Guid = guid!("b1b621d5-f19c-41a5-830b-d9152c69aae0");

/// Physical address of the ACPI root pointer, that of ACPI 2.0 if there is one, or 0.
pub(crate) fn rsdp() -> u64 {
    match find(ConfigTableEntry::ACPI2_GUID) {
        0 => find(ConfigTableEntry::ACPI_GUID),
        address => address,
    }
}

/// A copy of the device tree in memory that stays, if there is one.
///
/// A copy, because firmware may keep the original in memory that becomes free when boot services end.
pub(crate) fn copy_device_tree() -> Result<Option<Block>, Error> {
    let address = find(DEVICE_TREE);
    if address == 0 {
        return Ok(None);
    }
    let original = address as *const u8;
    // SAFETY: the firmware lists this address as that of a device tree, which starts with at least these two
    // words; memory is mapped to itself and nothing writes to it meanwhile.
    let [magic, len] = unsafe { original.cast::<[[u8; 4]; 2]>().read() }.map(u32::from_be_bytes);
    let len = device_tree::check_start(magic, len).map_err(|cause| Error::DeviceTree { address, cause })?;
    let mut copy = Block::zeroed(pages_for(len as u64))?;
    copy.truncate(len);
    // SAFETY: the magic number shows that a device tree is there, and `len` is the length that its header
    // gives, checked to be one that a device tree may have.
    copy.bytes_mut()
        .copy_from_slice(unsafe { slice::from_raw_parts(original, len) });
    Ok(Some(copy))
}

fn find(wanted: Guid) -> u64 {
    uefi::system::with_config_table(|entries| {
        entries
            .iter()
            .find(|entry| entry.guid == wanted)
            .map_or(0, |entry| entry.address as u64)
    })
}

/// The first screen with a linear framebuffer in a format that `bootinfo` knows.
pub(crate) fn framebuffer() -> Framebuffer {
    let screens = SearchType::ByProtocol(&GraphicsOutput::GUID);
    let Ok(handles) = boot::locate_handle_buffer(screens) else {
        return Framebuffer::default();
    };
    handles
        .iter()
        .find_map(|&handle| describe(handle))
        .unwrap_or_default()
}

fn describe(handle: uefi::Handle) -> Option<Framebuffer> {
    let params = OpenProtocolParams {
        handle,
        agent: boot::image_handle(),
        controller: None,
    };
    // SAFETY: the screen is only asked for its mode, here and now, and nothing in between could remove it.
    // Opening it exclusively would take it away from the firmware's console.
    let screen =
        unsafe { boot::open_protocol::<GraphicsOutput>(params, OpenProtocolAttributes::GetProtocol) };
    let mut screen = screen.ok()?;
    let mode = screen.current_mode_info();
    let format = match mode.pixel_format() {
        format @ (PixelFormat::Rgb | PixelFormat::Bgr) => format as u32,
        PixelFormat::Bitmask | PixelFormat::BltOnly => return None,
    };
    let (width, height) = mode.resolution();
    let mut pixels = screen.frame_buffer();
    Some(Framebuffer {
        addr: pixels.as_mut_ptr() as u64,
        len: pixels.size() as u64,
        width: u32::try_from(width).ok()?,
        height: u32::try_from(height).ok()?,
        stride: u32::try_from(mode.stride()).ok()?,
        format,
    })
}
