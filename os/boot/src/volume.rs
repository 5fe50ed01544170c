//! Files on the volume that the loader was started from, and on others.

use uefi::boot::{self, SearchType};
use uefi::proto::loaded_image::LoadedImage;
use uefi::proto::media::file::{Directory, File, FileAttribute, FileInfo, FileMode, FileType};
use uefi::proto::media::fs::SimpleFileSystem;
use uefi::{CStr16, Handle, Identify, Status};

use crate::error::Error;
use crate::memory::{Block, pages_for};

/// Room for `FileInfo` with the longest name that FAT has.
const INFO_LEN: usize = 80 + 2 * 256;

/// The root directory of that volume.
pub(crate) struct Volume {
    root: Directory,
}

impl Volume {
    /// Opens it.
    pub(crate) fn of_this_image() -> Result<Self, Error> {
        let mut file_system = boot::get_image_file_system(boot::image_handle()).map_err(Error::Volume)?;
        let root = file_system.open_volume().map_err(Error::Volume)?;
        Ok(Self { root })
    }

    /// Whether there is something at `path`.
    pub(crate) fn contains(&mut self, path: &CStr16) -> bool {
        self.root
            .open(path, FileMode::Read, FileAttribute::empty())
            .is_ok()
    }

    /// The content of the file at `path`, which is never empty.
    pub(crate) fn read(&mut self, path: &'static CStr16) -> Result<Block, Error> {
        let failed = |cause| Error::File { path, cause };
        let handle = self
            .root
            .open(path, FileMode::Read, FileAttribute::empty())
            .map_err(failed)?;
        let FileType::Regular(mut file) = handle.into_type().map_err(failed)? else {
            return Err(Error::NotAFile { path });
        };
        let mut info = InfoBuffer([0; INFO_LEN]);
        let info = file
            .get_info::<FileInfo>(&mut info.0)
            .map_err(|cause| failed(cause.status().into()))?;
        let expected = usize::try_from(info.file_size()).unwrap_or(usize::MAX);
        if expected == 0 {
            return Err(Error::NotAFile { path });
        }
        let mut content = Block::zeroed(pages_for(expected as u64))?;
        content.truncate(expected);
        let mut got = 0;
        while got < expected {
            match file
                .read(&mut content.bytes_mut()[got..])
                .map_err(|cause| failed(cause.status().into()))?
            {
                0 => return Err(Error::ShortRead { path, expected, got }),
                n => got += n,
            }
        }
        Ok(content)
    }
}

/// The device that this loader was started from.
pub(crate) fn device_of_this_image() -> Result<Handle, Error> {
    let image = boot::open_protocol_exclusive::<LoadedImage>(boot::image_handle()).map_err(Error::Volume)?;
    image.device().ok_or(Error::Volume(Status::NOT_FOUND.into()))
}

/// The first volume but `here` that has a file at `path`, with the file's content. Volumes that cannot be read are
/// passed over; a file that cannot be read is an error.
pub(crate) fn find_elsewhere(here: Handle, path: &'static CStr16) -> Option<(Handle, Result<Block, Error>)> {
    let volumes = boot::locate_handle_buffer(SearchType::ByProtocol(&SimpleFileSystem::GUID)).ok()?;
    volumes
        .iter()
        .filter(|&&device| device != here)
        .find_map(|&device| {
            let mut file_system = boot::open_protocol_exclusive::<SimpleFileSystem>(device).ok()?;
            let root = file_system.open_volume().ok()?;
            let mut volume = Volume { root };
            volume.contains(path).then(|| (device, volume.read(path)))
        })
}

/// `FileInfo` starts with a 64-bit number.
#[repr(align(8))]
struct InfoBuffer([u8; INFO_LEN]);
