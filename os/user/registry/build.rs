//! Tells the linker where a user program lies.

fn main() {
    println!("cargo::rerun-if-changed=../rt/program.ld");
    // On the host there is a program only so that the crate builds there.
    if std::env::var("CARGO_CFG_TARGET_OS").is_ok_and(|system| system != "none") {
        return;
    }
    println!(
        "cargo::rustc-link-arg-bins=-T{}/../rt/program.ld",
        env!("CARGO_MANIFEST_DIR")
    );
    println!("cargo::rustc-link-arg-bins=-zmax-page-size=4096");
    println!("cargo::rustc-link-arg-bins=--build-id=sha1");
}
