//! `echo`.

use alloc::vec::Vec;

use super::escape::{Octal, unescape};
use crate::spec::{STATUS, Spec, Style, flag};

pub(crate) static SPEC: Spec = Spec {
    name: "echo",
    usage: &["[-neE]... [STRING]..."],
    summary: "Prints its arguments with spaces between them",
    options: &[
        flag('n', "", "no newline at the end"),
        flag('e', "", "backslash escapes are replaced"),
        flag('E', "", "they are not, which is how it is without options"),
    ],
    style: Style::Lenient,
    notes: "Escapes: \\\\ \\a \\b \\c (nothing further is printed) \\e \\f \\n \\r \\t \\v \\0NNN (octal) \\xHH.",
    status: STATUS,
    trouble: 1,
    run: |invocation, out| {
        let escapes = invocation.last("eE") == Some('e');
        let mut text = Vec::new();
        for (i, operand) in invocation.operands.iter().enumerate() {
            if i > 0 {
                text.push(b' ');
            }
            if !escapes {
                text.extend_from_slice(operand.as_bytes());
            } else if !unescape(operand.as_bytes(), Octal::Both, &mut text) {
                out.put(&text)?;
                return Ok(0);
            }
        }
        if !invocation.has('n') {
            text.push(b'\n');
        }
        out.put(&text)?;
        Ok(0)
    },
};
