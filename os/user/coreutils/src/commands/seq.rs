//! `seq`.

use alloc::format;
use alloc::string::{String, ToString};

use crate::output::Out;
use crate::spec::{Invocation, STATUS, Spec, Style, flag, value};
use crate::{Run, Stop};

pub(crate) static SPEC: Spec = Spec {
    name: "seq",
    usage: &[
        "[OPTION]... LAST",
        "[OPTION]... FIRST LAST",
        "[OPTION]... FIRST STEP LAST",
    ],
    summary: "Prints numbers from FIRST to LAST in steps",
    options: &[
        value(
            's',
            "separator",
            "TEXT",
            "put this between the numbers, not a newline",
        ),
        flag(
            'w',
            "equal-width",
            "put zeros before the numbers so that all are equally long",
        ),
    ],
    style: Style::Numbers,
    notes: "FIRST and STEP are 1 if they are not given. The numbers are integers or decimals such as -0.25; they are\n\
            counted exactly, with up to 30 digits in all.",
    status: STATUS,
    trouble: 1,
    run,
};

/// A decimal: its digits, how many of them stand behind the point, and how long it was as text.
struct Decimal {
    digits: i128,
    places: u32,
    len: usize,
    minus: bool,
}

fn parse(text: &str) -> Option<Decimal> {
    let unsigned = text.strip_prefix(['-', '+']).unwrap_or(text);
    let minus = text.starts_with('-');
    let (whole, fraction) = unsigned.split_once('.').unwrap_or((unsigned, ""));
    let all = whole.bytes().chain(fraction.bytes());
    if whole.len() + fraction.len() == 0 || whole.len() + fraction.len() > 30 {
        return None;
    }
    let mut digits = 0i128;
    for byte in all {
        digits = digits * 10 + i128::from(char::from(byte).to_digit(10)?);
    }
    let mut len = text.len() - usize::from(text.starts_with('+'));
    if whole.is_empty() {
        len += 1;
    }
    if fraction.is_empty() && unsigned.ends_with('.') {
        len -= 1;
    }
    let digits = if minus { -digits } else { digits };
    Some(Decimal {
        digits,
        places: fraction.len() as u32,
        len,
        minus,
    })
}

fn run(invocation: &mut Invocation, out: &mut Out) -> Run {
    let parsed = |text: &String| parse(text).ok_or_else(|| Stop::Fatal(1, format!("{text}: not a number")));
    let one = || Decimal {
        digits: 1,
        places: 0,
        len: 1,
        minus: false,
    };
    let (first, step, last) = match &invocation.operands[..] {
        [last] => (one(), one(), parsed(last)?),
        [first, last] => (parsed(first)?, one(), parsed(last)?),
        [first, step, last] => (parsed(first)?, parsed(step)?, parsed(last)?),
        [] => return Err(Stop::Usage("no number was given".to_string())),
        [_, _, _, more, ..] => return Err(Stop::Usage(format!("one operand too many: {more}"))),
    };
    if step.digits == 0 {
        return Err(Stop::Usage("the step is zero".to_string()));
    }
    let places = first.places.max(step.places);
    let scale = places.max(last.places);
    let scaled = |decimal: &Decimal| {
        let factor = 10i128.checked_pow(scale - decimal.places);
        factor
            .and_then(|factor| decimal.digits.checked_mul(factor))
            .ok_or_else(|| Stop::Fatal(1, "the numbers are too long".to_string()))
    };
    let (mut value, by, end) = (scaled(&first)?, scaled(&step)?, scaled(&last)?);
    let width = if invocation.has('w') {
        width(&first, places).max(width(&last, places))
    } else {
        0
    };
    let separator = invocation.value('s').unwrap_or("\n");
    let cut = 10i128.pow(scale - places);
    let mut any = false;
    // Only the first can be a zero with a sign.
    let mut minus_zero = first.minus && first.digits == 0;
    while if by > 0 { value <= end } else { value >= end } {
        if any {
            out.put(separator.as_bytes())?;
        }
        any = true;
        out.put(text(value / cut, places, width, core::mem::take(&mut minus_zero)).as_bytes())?;
        match value.checked_add(by) {
            Some(next) => value = next,
            None => break,
        }
    }
    if any {
        out.put(b"\n")?;
    }
    Ok(0)
}

/// How long a number would be with so many places.
fn width(decimal: &Decimal, places: u32) -> usize {
    let own = decimal.len - decimal.places as usize - usize::from(decimal.places > 0);
    own + places as usize + usize::from(places > 0)
}

fn text(value: i128, places: u32, width: usize, minus_zero: bool) -> String {
    let sign = if value < 0 || minus_zero { "-" } else { "" };
    let magnitude = value.unsigned_abs();
    let unit = 10u128.pow(places);
    let (whole, rest) = (magnitude / unit, magnitude % unit);
    let fraction = if places > 0 {
        format!(".{rest:0places$}", places = places as usize)
    } else {
        String::new()
    };
    let width = width.saturating_sub(sign.len() + fraction.len());
    format!("{sign}{whole:0width$}{fraction}")
}
