//! `basename` and `dirname`.

use alloc::string::ToString;

use super::path;
use crate::Stop;
use crate::spec::{STATUS, Spec, Style, flag, value};

pub(crate) static BASENAME: Spec = Spec {
    name: "basename",
    usage: &["NAME [SUFFIX]", "[-a] [-s SUFFIX] NAME..."],
    summary: "Prints the last component of names",
    options: &[
        flag('a', "multiple", "all operands are names"),
        value(
            's',
            "suffix",
            "SUFFIX",
            "remove this from the end; all operands are names",
        ),
    ],
    style: Style::First,
    notes: "",
    status: STATUS,
    trouble: 1,
    run: |invocation, out| {
        let mut names = core::mem::take(&mut invocation.operands);
        let mut suffix = invocation.value('s').unwrap_or("").to_string();
        if !invocation.has('a') && !invocation.has('s') {
            match names.len() {
                2 => suffix = names.remove(1),
                0 | 1 => {}
                _ => return Err(Stop::Usage(alloc::format!("one operand too many: {}", names[2]))),
            }
        }
        if names.is_empty() {
            return Err(Stop::Usage("no name was given".to_string()));
        }
        for name in &names {
            let base = path::base_name(name);
            let rest = base.strip_suffix(suffix.as_str()).filter(|rest| !rest.is_empty());
            out.line(rest.unwrap_or(base).as_bytes())?;
        }
        Ok(0)
    },
};

pub(crate) static DIRNAME: Spec = Spec {
    name: "dirname",
    usage: &["NAME..."],
    summary: "Prints names without their last component",
    options: &[],
    style: Style::First,
    notes: "",
    status: STATUS,
    trouble: 1,
    run: |invocation, out| {
        if invocation.operands.is_empty() {
            return Err(Stop::Usage("no name was given".to_string()));
        }
        for name in &invocation.operands {
            out.line(path::dir_name(name).as_bytes())?;
        }
        Ok(0)
    },
};
