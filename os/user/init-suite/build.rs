//! Tells the linker where a user program lies.

fn main() {
    println!(
        "cargo::rustc-link-arg-bins=-T{}/../rt/program.ld",
        env!("CARGO_MANIFEST_DIR")
    );
    println!("cargo::rustc-link-arg-bins=-zmax-page-size=4096");
    println!("cargo::rustc-link-arg-bins=--build-id=sha1");
    println!("cargo::rerun-if-changed=../rt/program.ld");
}
