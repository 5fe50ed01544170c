//! Prints the reference page: `cargo run -p abi --example reference > abi/SYSCALLS.md`.

fn main() {
    print!("{}", abi::Reference);
}
