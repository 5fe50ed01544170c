//! One changing command at a time.

use crate::{EngineError, Site};
use vrel_world::{Lock, LockGuard, World};

/// The lock, held as long as this lives.
pub struct Locked {
    _guard: Box<dyn LockGuard>,
}

/// Takes the repository's lock without waiting. `holder` is what others read about us, for example
/// `pid 4711 on build1: vrel cut-rc 0.6.0-rc1, since …`.
///
/// # Errors
/// [`EngineError::Locked`] with what the holder wrote, when somebody else has it.
pub fn take_lock(world: &dyn World, site: &Site, holder: &str) -> Result<Locked, EngineError> {
    world.fs().create_dir_all(&site.state())?;
    match world.fs().lock(&site.lock(), holder)? {
        Lock::Held(guard) => Ok(Locked { _guard: guard }),
        Lock::Busy(text) => {
            let holder = if text.is_empty() {
                "(it does not say who it is)".to_owned()
            } else {
                text
            };
            Err(EngineError::Locked { holder })
        }
    }
}
