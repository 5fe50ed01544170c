//! Switching the machine off. Source: RISC-V SBI Specification 1.0, chapter 10 "System Reset Extension"; SiFive's test
//! device as QEMU has it.

use core::sync::atomic::{AtomicU64, Ordering};

use super::cpu;
use crate::{Device, phys};

const RESET_EXTENSION: u64 = 0x5352_5354;
const RESET: u64 = 0;
const SHUTDOWN: u64 = 0;

const TEST_PASS: u32 = 0x5555;
/// Status 1.
const TEST_FAIL: u32 = 1 << 16 | 0x3333;

/// Physical address of the test device; 0 when there is none.
static TEST: AtomicU64 = AtomicU64::new(0);

/// Uses the test device at this physical address. Returns where it is.
pub(super) fn use_test_device(device: Option<u64>) -> Device {
    let Some(device) = device.filter(|device| device.is_multiple_of(4096)) else {
        return (0, 0);
    };
    TEST.store(device, Ordering::Relaxed);
    (device, 4096)
}

/// Ends an emulator through its test device, which has a status; else asks firmware.
pub(super) fn off(success: bool) {
    let test = TEST.load(Ordering::Relaxed);
    // SAFETY: the register of the test device, which is mapped like the console's; and a firmware call that ends the
    // machine.
    unsafe {
        if test != 0 {
            phys::write_register(test, if success { TEST_PASS } else { TEST_FAIL });
        }
        cpu::firmware(RESET_EXTENSION, RESET, [SHUTDOWN, u64::from(!success), 0, 0]);
    }
}
