//! Tells the linker where the kernel lies.

use std::env;

fn main() -> Result<(), env::VarError> {
    let arch = env::var("CARGO_CFG_TARGET_ARCH")?;
    let directory = env::var("CARGO_MANIFEST_DIR")?;
    println!("cargo::rustc-link-arg=-L{directory}/link");
    println!("cargo::rustc-link-arg=-T{directory}/link/{arch}.ld");
    println!("cargo::rustc-link-arg=-zmax-page-size=4096");
    println!("cargo::rustc-link-arg=--build-id=sha1");
    // On riscv64 the compiler makes a label for nearly every address; nobody looks for those.
    println!("cargo::rustc-link-arg=--discard-locals");
    println!("cargo::rerun-if-changed=link");
    Ok(())
}
