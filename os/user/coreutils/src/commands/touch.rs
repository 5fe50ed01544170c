//! `touch`.

use alloc::string::ToString;

use rt::fs::File;

use super::path;
use crate::Stop;
use crate::spec::{STATUS, Spec, Style, flag};

pub(crate) static SPEC: Spec = Spec {
    name: "touch",
    usage: &["[-c] FILE..."],
    summary: "Makes empty files where there are none",
    options: &[flag('c', "no-create", "make none, and do nothing")],
    style: Style::Mixed,
    notes: "A file that exists is left as it is: files have no times.",
    status: STATUS,
    trouble: 1,
    run: |invocation, _| {
        if invocation.operands.is_empty() {
            return Err(Stop::Usage("no file was given".to_string()));
        }
        for name in core::mem::take(&mut invocation.operands) {
            if invocation.has('c') || path::exists(&name) {
                continue;
            }
            if let Err(error) = File::append(&name) {
                invocation.report(&name, error);
            }
        }
        Ok(0)
    },
};
