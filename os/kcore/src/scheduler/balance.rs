//! Which CPU should do it: pure functions of the queues' loads.

use super::DEFAULT_WEIGHT;

/// The CPUs between which a thread should be moved: from the one with most to do to the one with least, among those in
/// `online`. `None` when moving would gain less than it costs. `loads` is indexed by CPU number.
pub fn balance(loads: &[u64], online: u64) -> Option<(u32, u32)> {
    let (from, most) = cpus(loads, online).max_by_key(|&(cpu, load)| (load, core::cmp::Reverse(cpu)))?;
    let (to, least) = cpus(loads, online).min_by_key(|&(_, load)| load)?;
    // Two ordinary threads against none is worth it, two against one is not, nor are ten against nine.
    let worth = u64::from(DEFAULT_WEIGHT).max(most / 8);
    (from != to && most - least > worth).then_some((from, to))
}

/// The CPU for a thread that becomes ready: the one where it was last unless another one, among those that are in both
/// `online` and `affinity`, has clearly less to do. `None` when there is no such CPU.
pub fn choose_cpu(loads: &[u64], online: u64, affinity: u64, last: u32) -> Option<u32> {
    let (idlest, least) = cpus(loads, online & affinity).min_by_key(|&(_, load)| load)?;
    let stays = cpus(loads, online & affinity)
        .find(|&(cpu, _)| cpu == last)
        .is_some_and(|(_, load)| load <= least + u64::from(DEFAULT_WEIGHT) / 2);
    Some(if stays { last } else { idlest })
}

fn cpus(loads: &[u64], mask: u64) -> impl Iterator<Item = (u32, u64)> {
    (0..u64::BITS)
        .zip(loads.iter().copied())
        .filter(move |(cpu, _)| mask >> cpu & 1 == 1)
}
