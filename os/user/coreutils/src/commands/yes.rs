//! `yes`.

use alloc::string::{String, ToString};

use crate::spec::{STATUS, Spec, Style};

pub(crate) static SPEC: Spec = Spec {
    name: "yes",
    usage: &["[STRING]..."],
    summary: "Prints a line, `y` if none is given, until nobody reads it any more",
    options: &[],
    style: Style::First,
    notes: "",
    status: STATUS,
    trouble: 1,
    run: |invocation, out| {
        let line = match invocation.operands.join(" ") {
            line if line.is_empty() && invocation.operands.is_empty() => "y".to_string(),
            line => line,
        };
        let lines: String = core::iter::repeat_n(line + "\n", 100).collect();
        loop {
            out.put(lines.as_bytes())?;
        }
    },
};
