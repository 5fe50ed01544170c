//! The machine's page frames.

use kcore::frames::FrameAllocator;
use kcore::paging::PAGE_SIZE;

/// Hands out page frames to address spaces. There is one, made at boot: that is why a frame from it is nobody else's.
#[derive(Debug)]
pub struct Frames(FrameAllocator);

impl Frames {
    /// The frames in these ranges of start and length.
    ///
    /// # Safety
    /// The ranges are mapped, and nobody else uses them.
    pub(crate) unsafe fn new(ranges: impl IntoIterator<Item = (u64, u64)>) -> Self {
        Self(FrameAllocator::new(ranges))
    }

    /// Bytes in free frames.
    pub fn free(&self) -> u64 {
        self.0.free_frames() as u64 * PAGE_SIZE
    }

    /// A frame, by its physical address.
    pub(crate) fn allocate(&mut self) -> Option<u64> {
        self.0.allocate(0)
    }

    /// Takes a frame back.
    ///
    /// # Panics
    /// When it is no frame of this allocator's or free already: then the kernel's bookkeeping is broken.
    pub(crate) fn release(&mut self, frame: u64) {
        if let Err(error) = self.0.release(frame, 0) {
            panic!("page frame {frame:#x}: {error}");
        }
    }
}
