//! `tr`.

use alloc::string::ToString;
use alloc::vec;

use super::tr_set::Set;
use crate::input::{Input, PIECE};
use crate::output::Out;
use crate::spec::{Invocation, STATUS, Spec, Style, flag};
use crate::{Run, Stop};

pub(crate) static SPEC: Spec = Spec {
    name: "tr",
    usage: &["[OPTION]... SET1 [SET2]"],
    summary: "Replaces, squeezes or deletes bytes of standard input",
    options: &[
        flag('d', "delete", "delete the bytes of SET1"),
        flag(
            's',
            "squeeze-repeats",
            "of equal bytes in a row that are in the last set keep one",
        ),
        flag(
            'c',
            "complement",
            "SET1 stands for all bytes that are not in it, in their order",
        ),
        flag('C', "", "the same"),
        flag(
            't',
            "truncate-set1",
            "cut SET1 down to the length of SET2, whose last byte else is repeated",
        ),
    ],
    style: Style::First,
    notes: "A set is made of bytes, ranges a-z, classes [:alpha:], [=a=], repetitions [a*N] and [a*] (as many as\n\
            needed), and escapes \\\\ \\a \\b \\f \\n \\r \\t \\v \\NNN (octal).",
    status: STATUS,
    trouble: 1,
    run,
};

fn run(invocation: &mut Invocation, out: &mut Out) -> Run {
    let delete = invocation.has('d');
    let squeeze = invocation.has('s');
    let operands = &invocation.operands;
    let wanted = if delete == squeeze {
        2..=2
    } else {
        1..=if squeeze { 2 } else { 1 }
    };
    if operands.len() < *wanted.start() {
        return Err(Stop::Usage("too few operands".to_string()));
    }
    if operands.len() > *wanted.end() {
        return Err(Stop::Usage("too many operands".to_string()));
    }
    let fatal = |reason| Stop::Fatal(1, reason);
    let complement = invocation.last("cC").is_some();
    let mut from = Set::parse(&operands[0])
        .and_then(|set| set.expand(None))
        .map_err(fatal)?;
    if complement {
        from = (0..=u8::MAX).filter(|byte| !from.contains(byte)).collect();
    }
    let mut map: [u8; 256] = core::array::from_fn(|i| i as u8);
    let mut squeezed = [false; 256];
    let mut deleted = [false; 256];
    if delete {
        from.iter().for_each(|&byte| deleted[usize::from(byte)] = true);
    }
    match operands.get(1) {
        None => {
            if squeeze {
                from.iter().for_each(|&byte| squeezed[usize::from(byte)] = true);
            }
        }
        Some(text) => {
            let set = Set::parse(text).map_err(fatal)?;
            let translate = !delete;
            if translate {
                set.check_translation(complement).map_err(fatal)?;
            }
            let mut to = set.expand(Some(from.len())).map_err(fatal)?;
            if squeeze {
                to.iter().for_each(|&byte| squeezed[usize::from(byte)] = true);
            }
            if translate {
                if invocation.has('t') {
                    from.truncate(to.len());
                }
                let last = match to.last() {
                    Some(&last) => last,
                    None if from.is_empty() || invocation.has('t') => 0,
                    None => return Err(Stop::Fatal(1, "SET2 is empty".to_string())),
                };
                to.resize(to.len().max(from.len()), last);
                for (from, to) in from.iter().zip(to) {
                    map[usize::from(*from)] = to;
                }
            }
        }
    }

    let mut input = Input::open("-")?;
    let mut piece = vec![0; PIECE];
    let mut last = None;
    loop {
        let len = match input.read(&mut piece) {
            Ok(0) => return Ok(0),
            Ok(len) => len,
            Err(error) => {
                invocation.report("standard input", error);
                return Ok(1);
            }
        };
        let mut kept = 0;
        for i in 0..len {
            let byte = piece[i];
            if deleted[usize::from(byte)] {
                continue;
            }
            let byte = map[usize::from(byte)];
            if squeezed[usize::from(byte)] && last == Some(byte) {
                continue;
            }
            last = Some(byte);
            piece[kept] = byte;
            kept += 1;
        }
        out.put(&piece[..kept])?;
        if len < piece.len() {
            out.flush()?;
        }
    }
}
