//! Tells the linker to make one segment writable and executable.

fn main() {
    println!(
        "cargo::rustc-link-arg-bins=-T{}/writable-code.ld",
        env!("CARGO_MANIFEST_DIR")
    );
    println!("cargo::rustc-link-arg-bins=-zmax-page-size=4096");
    println!("cargo::rustc-link-arg-bins=--build-id=sha1");
    println!("cargo::rerun-if-changed=writable-code.ld");
}
