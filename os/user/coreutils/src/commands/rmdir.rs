//! `rmdir`.

use alloc::string::ToString;

use super::path;
use crate::Stop;
use crate::spec::{STATUS, Spec, Style, flag};

pub(crate) static SPEC: Spec = Spec {
    name: "rmdir",
    usage: &["[-p] DIRECTORY..."],
    summary: "Removes empty directories",
    options: &[flag(
        'p',
        "parents",
        "also those they lie in, as far as the operand names them",
    )],
    style: Style::Mixed,
    notes: "",
    status: STATUS,
    trouble: 1,
    run: |invocation, _| {
        if invocation.operands.is_empty() {
            return Err(Stop::Usage("no directory was given".to_string()));
        }
        for name in core::mem::take(&mut invocation.operands) {
            let mut rest = name.as_str();
            loop {
                if let Err(error) = rt::fs::remove_dir(rest) {
                    invocation.report(rest, error);
                    break;
                }
                rest = match path::dir_name(rest) {
                    "." | "/" => break,
                    parent if invocation.has('p') => parent,
                    _ => break,
                };
            }
        }
        Ok(0)
    },
};
