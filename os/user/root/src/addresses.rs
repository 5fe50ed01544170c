//! Where the programs that this one starts lie.

use abi::start::{FIXED_ADDRESSES, RootInfo};
use kcore::placement::Placement;
use kcore::random::Random;
use kcore::tar::Archive;

/// Chooses addresses for one program after the other.
#[derive(Debug)]
pub struct Addresses(Option<Random>);

impl Addresses {
    /// From the kernel's seed; the same for every program when the initrd says so.
    pub fn new(info: &RootInfo, initrd: &Archive<'_>) -> Self {
        let is_fixed = initrd.find(FIXED_ADDRESSES).is_some();
        Self((!is_fixed).then(|| Random::new(info.seed)))
    }

    /// For the next program.
    pub fn choose(&mut self) -> Placement {
        self.0.as_mut().map_or(Placement::FIXED, Placement::random)
    }
}
