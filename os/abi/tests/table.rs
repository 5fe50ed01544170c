//! The table is consistent, and the committed reference page is what it says.

use abi::{
    ARGUMENTS, ArgumentKind, Error, Fate, Fault, Registers, Request, SYSTEM_CALLS, SystemCall, UserBuffer,
    UserBytes, decode_result, encode_result,
};
use proptest::prelude::*;

#[test]
fn reference_page_is_current() {
    let page = include_str!("../SYSCALLS.md");
    assert_eq!(
        page,
        abi::Reference.to_string(),
        "SYSCALLS.md is stale: cargo run -p abi --example reference > abi/SYSCALLS.md"
    );
}

#[test]
fn numbers_are_distinct_ascending_and_not_zero() {
    let numbers: Vec<u64> = SYSTEM_CALLS.iter().map(|spec| spec.call as u64).collect();
    assert!(numbers.iter().all(|&number| number > 0));
    assert!(numbers.is_sorted_by(|a, b| a < b));
}

#[test]
fn arguments_fit_the_registers() {
    for spec in SYSTEM_CALLS {
        let registers: usize = spec
            .arguments
            .iter()
            .map(|arg| if arg.kind == ArgumentKind::Number { 1 } else { 2 })
            .sum();
        assert!(
            registers <= ARGUMENTS,
            "{} needs {registers} registers",
            spec.name
        );
    }
}

#[test]
fn requests_take_their_registers_in_order() {
    let registers = Registers::new([10, 11, 12, 13, 14, 15]);
    let decode = |call: SystemCall| Request::decode(call as u64, registers.clone());
    assert_eq!(
        decode(SystemCall::DebugWrite),
        Ok(Request::DebugWrite {
            machine: 10,
            text: UserBytes { addr: 11, len: 12 },
        })
    );
    assert_eq!(
        decode(SystemCall::SystemInfo),
        Ok(Request::SystemInfo {
            text: UserBuffer { addr: 10, len: 11 }
        })
    );
    assert_eq!(
        decode(SystemCall::Call),
        Ok(Request::Call {
            slot: 10,
            tag: 11,
            word0: 12,
            word1: 13,
            word2: 14,
            word3: 15,
        })
    );
    assert_eq!(decode(SystemCall::Clock), Ok(Request::Clock {}));
}

#[test]
fn every_error_survives_the_result_register() {
    for &error in Error::ALL {
        assert_eq!(decode_result(encode_result(Err(error))), Err(error));
        assert_eq!(Error::from_number(error.number()), Some(error));
    }
}

#[test]
fn every_fault_survives_its_encoding() {
    for &fault in Fault::ALL {
        assert_eq!(
            Fate::decode(Fate::Killed(fault).encode()),
            Some(Fate::Killed(fault))
        );
    }
}

proptest! {
    #[test]
    fn only_numbers_of_the_table_decode(number: u64, values: [u64; ARGUMENTS]) {
        let known = SYSTEM_CALLS.iter().any(|spec| spec.call as u64 == number);
        prop_assert_eq!(Request::decode(number, Registers::new(values)).is_ok(), known);
    }

    #[test]
    fn values_survive_the_result_register(value in 0..=(u64::MAX >> 1)) {
        prop_assert_eq!(decode_result(encode_result(Ok(value))), Ok(value));
    }

    #[test]
    fn a_fate_has_one_encoding(value: u64) {
        if let Some(fate) = Fate::decode(value) {
            prop_assert_eq!(fate.encode(), value);
        }
    }

    #[test]
    fn exit_codes_survive_their_encoding(code: u32) {
        prop_assert_eq!(Fate::decode(Fate::Exited(code).encode()), Some(Fate::Exited(code)));
    }
}
