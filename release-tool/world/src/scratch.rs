//! A world whose files can be made again.

use crate::{Fs, Git, Processes, Result, World};
use std::time::Duration;
use vrel_model::UtcTime;

/// The same world, but for its files: they are those of [`World::scratch`].
pub struct Scratch<'w>(pub &'w dyn World);

impl World for Scratch<'_> {
    fn fs(&self) -> &dyn Fs {
        self.0.scratch()
    }

    fn git(&self) -> &dyn Git {
        self.0.git()
    }

    fn processes(&self) -> &dyn Processes {
        self.0.processes()
    }

    fn now(&self) -> UtcTime {
        self.0.now()
    }

    fn uptime(&self) -> Duration {
        self.0.uptime()
    }

    fn random(&self, buffer: &mut [u8]) -> Result<()> {
        self.0.random(buffer)
    }

    fn check_interrupt(&self) -> Result<()> {
        self.0.check_interrupt()
    }
}
