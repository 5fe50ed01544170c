//! `sleep`.

use alloc::format;
use alloc::string::ToString;
use core::time::Duration;

use crate::spec::{STATUS, Spec, Style};
use crate::{Stop, number};

pub(crate) static SPEC: Spec = Spec {
    name: "sleep",
    usage: &["NUMBER[UNIT]..."],
    summary: "Waits",
    options: &[],
    style: Style::First,
    notes: "The unit is s for seconds, as without one, m, h or d. A number may have a fraction. Several are added up.",
    status: STATUS,
    trouble: 1,
    run: |invocation, _| {
        if invocation.operands.is_empty() {
            return Err(Stop::Usage("no time was given".to_string()));
        }
        let mut total = Duration::ZERO;
        for operand in &invocation.operands {
            let (text, unit) = match operand.as_bytes().last() {
                Some(b's') => (&operand[..operand.len() - 1], 1),
                Some(b'm') => (&operand[..operand.len() - 1], 60),
                Some(b'h') => (&operand[..operand.len() - 1], 3600),
                Some(b'd') => (&operand[..operand.len() - 1], 86400),
                _ => (operand.as_str(), 1),
            };
            let time = number::nanoseconds(text);
            let time = time.ok_or_else(|| Stop::Fatal(1, format!("{operand}: not a time")))?;
            total = total.saturating_add(Duration::from_nanos(time).saturating_mul(unit));
        }
        rt::time::sleep(total);
        Ok(0)
    },
};
