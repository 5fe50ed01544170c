//! Tells the linker where a user program lies. On the host it is an ordinary one.

fn main() {
    println!("cargo::rerun-if-changed=../rt/program.ld");
    if std::env::var("CARGO_CFG_TARGET_OS").as_deref() != Ok("none") {
        return;
    }
    println!(
        "cargo::rustc-link-arg-bins=-T{}/../rt/program.ld",
        env!("CARGO_MANIFEST_DIR")
    );
    println!("cargo::rustc-link-arg-bins=-zmax-page-size=4096");
    println!("cargo::rustc-link-arg-bins=--build-id=sha1");
}
