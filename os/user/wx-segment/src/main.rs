//! A program that no kernel may load: its one segment is writable and executable (`writable-code.ld`).
#![no_std]
#![no_main]

rt::program!(main);

fn main(_argument: u64) -> u32 {
    rt::println!("wx-segment: this kernel runs code that it can write to");
    0
}
