//! What is read from this tree.

use crate::of_this_tree;
use std::collections::BTreeSet;
use vrel_interface::{Interface, ItemKind};
use vrel_model::Arch;

fn declaration(interface: &Interface, symbol: &str) -> String {
    let items = &interface.items[&Arch::Riscv64];
    let item = items
        .get(symbol)
        .unwrap_or_else(|| panic!("no {symbol} in {:#?}", items.keys()));
    item.kind.to_string()
}

#[test]
fn the_table_is_read_with_its_lines() {
    let interface = of_this_tree();
    let numbers: Vec<u64> = interface.calls.iter().map(|call| call.number).collect();
    assert!(
        numbers.len() > 40 && numbers.is_sorted_by(|a, b| a < b),
        "{numbers:?}"
    );
    let table = std::fs::read_to_string(crate::root().join("os/abi/src/table.rs")).unwrap();
    for call in &interface.calls {
        assert_eq!(call.place.file, "os/abi/src/table.rs");
        let line = table.lines().nth(call.place.line - 1).unwrap();
        assert!(
            line.contains(&format!("{} {} {}(", call.number, call.variant, call.name)),
            "{line}"
        );
    }
    let call = |name: &str| {
        let call = interface.calls.iter().find(|call| call.name == name);
        call.unwrap().to_string()
    };
    assert!(call("debug_write").starts_with(
        "debug_write(machine: number, text: bytes) -> “number of bytes written”, errors NotFound "
    ));
    assert!(call("receive").starts_with("receive(slot: number, timeout: number) -> message, errors "));
    assert!(call("exit_thread").ends_with("-> never"));
}

#[test]
fn what_macros_declare_is_read_as_the_compiler_sees_it() {
    let interface = of_this_tree();
    for (symbol, expected) in [
        (
            "syscall::debug_write",
            "fn(u64, &[u8]) -> Result<u64, abi::Error>",
        ),
        ("syscall::system_info", "fn(&mut [u8]) -> Result<u64, abi::Error>"),
        (
            "syscall::receive",
            "fn(u64, u64) -> Result<abi::Message, abi::Error>",
        ),
        ("syscall::exit_thread", "fn() -> abi::Error"),
        ("rt::end", "fn(u32) -> !"),
        ("rt::Console", "struct { … }"),
        ("syscall::illegal_instruction", "fn()"),
        ("rt::program", "macro $main : path"),
        ("abi::Error::from_number", "const fn(u64) -> Option<abi::Error>"),
        ("abi::layout::STACK_SIZE", "const u64 = 65536 (0x10000)"),
        ("abi::IDENTITY_MAGIC", "const &[u8; 16] = b\"VERIDIAN-IDENT1\\n\""),
        (
            "abi::Registers::new",
            "const fn([u64; abi::ARGUMENTS]) -> abi::Registers",
        ),
        ("impl Write for rt::Console", "impl"),
        ("impl Display for abi::Identity<'_>", "impl"),
    ] {
        assert_eq!(declaration(&interface, symbol), expected, "{symbol}");
    }
    let ItemKind::Enum(errors) = &interface.items[&Arch::Aarch64]["abi::Error"].kind else {
        panic!("abi::Error is no enumeration");
    };
    assert_eq!(errors.variants[0].number.as_deref(), Some("1"));
    assert_eq!(errors.repr, "u8");
    let named: BTreeSet<&str> = errors
        .variants
        .iter()
        .map(|variant| variant.name.as_str())
        .collect();
    for call in &interface.calls {
        for error in &call.errors {
            assert!(named.contains(error.as_str()), "{}: {error}", call.name);
        }
    }
}

#[test]
fn architectures_differ_only_in_where_things_stand() {
    let interface = of_this_tree();
    let symbols = |arch| interface.items[&arch].keys().collect::<Vec<_>>();
    assert_eq!(symbols(Arch::X86_64), symbols(Arch::Aarch64));
    assert_eq!(symbols(Arch::X86_64), symbols(Arch::Riscv64));
    let place = |arch| {
        interface.items[&arch]["syscall::illegal_instruction"]
            .place
            .file
            .clone()
    };
    assert_eq!(place(Arch::Aarch64), "os/user/syscall/src/aarch64.rs");
    assert_eq!(place(Arch::Riscv64), "os/user/syscall/src/riscv64.rs");
}
