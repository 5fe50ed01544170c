//! `tee`.

use alloc::vec;
use alloc::vec::Vec;

use rt::fs::File;
use rt::io::Write as _;

use crate::input::{Input, PIECE};
use crate::spec::{STATUS, Spec, Style, flag};

pub(crate) static SPEC: Spec = Spec {
    name: "tee",
    usage: &["[-a] [FILE]..."],
    summary: "Copies standard input to standard output and to files",
    options: &[flag('a', "append", "write behind what the files contain")],
    style: Style::Mixed,
    notes: "",
    status: STATUS,
    trouble: 1,
    run: |invocation, out| {
        let mut files = Vec::new();
        for name in core::mem::take(&mut invocation.operands) {
            let opened = if invocation.has('a') {
                File::append(&name)
            } else {
                File::create(&name)
            };
            match opened {
                Ok(file) => files.push((name, file)),
                Err(error) => invocation.report(&name, error),
            }
        }
        let mut input = Input::open("-")?;
        let mut piece = vec![0; PIECE];
        loop {
            let len = match input.read(&mut piece) {
                Ok(0) => return Ok(0),
                Ok(len) => len,
                Err(error) => {
                    invocation.report("standard input", error);
                    return Ok(1);
                }
            };
            out.put(&piece[..len])?;
            out.flush()?;
            files.retain_mut(|(name, file)| match file.write_all(&piece[..len]) {
                Ok(()) => true,
                Err(error) => {
                    invocation.report(name, error);
                    false
                }
            });
        }
    },
};
