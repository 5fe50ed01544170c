//! Hands the linker the layout of the riscv64 PE file, which no Rust target makes.

use std::env;

fn main() {
    println!("cargo::rerun-if-changed=riscv64-efi.ld");
    if env::var("CARGO_CFG_TARGET_ARCH").as_deref() != Ok("riscv64") {
        return;
    }
    let dir = env::var("CARGO_MANIFEST_DIR").expect("cargo sets CARGO_MANIFEST_DIR for build scripts");
    println!("cargo::rustc-link-arg-bins=-T{dir}/riscv64-efi.ld");
    // Relative relocations only, which the entry code applies itself: there is no dynamic linker under UEFI.
    for arg in [
        "-pie",
        "--no-dynamic-linker",
        "-Bsymbolic",
        "-znotext",
        "-zmax-page-size=4096",
        "--build-id=none",
    ] {
        println!("cargo::rustc-link-arg-bins={arg}");
    }
}
