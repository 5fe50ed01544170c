//! The keys of `sort`.

use core::cmp::Ordering;

/// How a key is compared.
#[derive(Clone, Copy, Default)]
pub(crate) struct Modifiers {
    pub(crate) numeric: bool,
    pub(crate) fold: bool,
    pub(crate) blanks: bool,
    pub(crate) reverse: bool,
}

impl Modifiers {
    pub(crate) fn any_but_reverse(self) -> bool {
        self.numeric || self.fold || self.blanks
    }

    /// Takes the letters at the start of a text and returns the rest.
    fn take(&mut self, text: &str, blanks: &mut bool) -> usize {
        let mut len = 0;
        for letter in text.bytes() {
            match letter {
                b'n' => self.numeric = true,
                b'f' => self.fold = true,
                b'r' => self.reverse = true,
                b'b' => *blanks = true,
                _ => break,
            }
            len += 1;
        }
        len
    }
}

/// A place in a line.
#[derive(Clone, Copy)]
struct Place {
    /// Fields before it.
    field: usize,
    /// The byte in the field, from 1 on; 0 is the end of the field.
    byte: usize,
    /// Bytes are counted behind the blanks at the field's start.
    blanks: bool,
}

/// A part of a line, and how it is compared.
pub(crate) struct Key {
    from: Place,
    to: Option<Place>,
    modifiers: Modifiers,
}

impl Key {
    /// The whole line.
    pub(crate) fn whole(modifiers: Modifiers) -> Self {
        let from = Place {
            field: 0,
            byte: 1,
            blanks: modifiers.blanks,
        };
        Self {
            from,
            to: None,
            modifiers,
        }
    }

    /// Parses `F[.C][letters][,F[.C][letters]]`. Without letters the global ones hold.
    pub(crate) fn parse(text: &str, global: Modifiers) -> Result<Self, &'static str> {
        let mut modifiers = Modifiers::default();
        let (mut from_blanks, mut to_blanks) = (false, false);
        let (mut from, mut rest) = place(text)?;
        if from.byte == 0 {
            return Err("bytes of a start are counted from 1 on");
        }
        rest = &rest[modifiers.take(rest, &mut from_blanks)..];
        let mut to = None;
        if let Some(text) = rest.strip_prefix(',') {
            let (place, behind) = end_place(text)?;
            rest = &behind[modifiers.take(behind, &mut to_blanks)..];
            to = Some(place);
        }
        if !rest.is_empty() {
            return Err("not a key");
        }
        if !modifiers.numeric && !modifiers.fold && !modifiers.reverse && !from_blanks && !to_blanks {
            modifiers = global;
            (from_blanks, to_blanks) = (global.blanks, global.blanks);
        }
        from.blanks = from_blanks;
        if let Some(to) = &mut to {
            to.blanks = to_blanks;
        }
        Ok(Self { from, to, modifiers })
    }

    pub(crate) fn compare(&self, a: &[u8], b: &[u8], separator: Option<u8>) -> Ordering {
        let (a, b) = (self.part(a, separator), self.part(b, separator));
        let order = if self.modifiers.numeric {
            compare_numbers(a, b)
        } else if self.modifiers.fold {
            a.iter()
                .map(u8::to_ascii_uppercase)
                .cmp(b.iter().map(u8::to_ascii_uppercase))
        } else {
            a.cmp(b)
        };
        if self.modifiers.reverse {
            order.reverse()
        } else {
            order
        }
    }

    fn part<'a>(&self, line: &'a [u8], separator: Option<u8>) -> &'a [u8] {
        let start = self.from.start(line, separator);
        let end = match &self.to {
            None => line.len(),
            Some(to) if to.byte == 0 => {
                // Up to the end of the field, without the separator.
                let from = field(line, to.field, separator);
                end_of_field(line, from, separator)
            }
            Some(to) => (to.start(line, separator) + 1).min(line.len()),
        };
        &line[start..end.max(start)]
    }
}

impl Place {
    fn start(&self, line: &[u8], separator: Option<u8>) -> usize {
        let mut at = field(line, self.field, separator);
        if self.blanks {
            at += line[at..].iter().take_while(|&&byte| is_blank(byte)).count();
        }
        at.saturating_add(self.byte - 1).min(line.len())
    }
}

fn is_blank(byte: u8) -> bool {
    matches!(byte, b' ' | b'\t' | b'\n')
}

/// Where a field starts; without a separator its leading blanks belong to it.
fn field(line: &[u8], number: usize, separator: Option<u8>) -> usize {
    let mut at = 0;
    for _ in 0..number {
        if at >= line.len() {
            break;
        }
        at = end_of_field(line, at, separator);
        if separator.is_some() && at < line.len() {
            at += 1;
        }
    }
    at
}

fn end_of_field(line: &[u8], start: usize, separator: Option<u8>) -> usize {
    let rest = &line[start..];
    let len = match separator {
        Some(separator) => rest.iter().take_while(|&&byte| byte != separator).count(),
        None => {
            let blanks = rest.iter().take_while(|&&byte| is_blank(byte)).count();
            blanks + rest[blanks..].iter().take_while(|&&byte| !is_blank(byte)).count()
        }
    };
    start + len
}

fn place(text: &str) -> Result<(Place, &str), &'static str> {
    let (field, rest) = digits(text)?;
    let (byte, rest) = match rest.strip_prefix('.') {
        Some(rest) => digits(rest)?,
        None => (1, rest),
    };
    let field = field.checked_sub(1).ok_or("fields are counted from 1 on")?;
    Ok((
        Place {
            field,
            byte,
            blanks: false,
        },
        rest,
    ))
}

fn end_place(text: &str) -> Result<(Place, &str), &'static str> {
    let (_, behind) = digits(text)?;
    let (mut place, rest) = place(text)?;
    if !behind.starts_with('.') {
        place.byte = 0;
    }
    Ok((place, rest))
}

fn digits(text: &str) -> Result<(usize, &str), &'static str> {
    let len = text.bytes().take_while(u8::is_ascii_digit).count();
    if len == 0 {
        return Err("not a key");
    }
    // More than any line has is as good as the largest.
    Ok((text[..len].parse().unwrap_or(usize::MAX), &text[len..]))
}

/// Compares the decimal numbers at the start of texts, however long they are. No number is zero.
fn compare_numbers(a: &[u8], b: &[u8]) -> Ordering {
    let (a, b) = (Number::new(a), Number::new(b));
    match (a.minus, b.minus) {
        (false, false) => a.magnitude(&b),
        (true, true) => b.magnitude(&a),
        (true, false) => Ordering::Less,
        (false, true) => Ordering::Greater,
    }
}

/// Digits of a number without zeros at its ends.
struct Number<'a> {
    minus: bool,
    whole: &'a [u8],
    fraction: &'a [u8],
}

impl<'a> Number<'a> {
    fn new(text: &'a [u8]) -> Self {
        let digits = |text: &[u8]| text.iter().take_while(|byte| byte.is_ascii_digit()).count();
        let text = &text[text.iter().take_while(|&&byte| is_blank(byte)).count()..];
        let minus = text.first() == Some(&b'-');
        let text = &text[usize::from(minus)..];
        let (whole, rest) = text.split_at(digits(text));
        let fraction = match rest {
            [b'.', rest @ ..] => &rest[..digits(rest)],
            _ => &[],
        };
        let whole = &whole[whole.iter().take_while(|&&byte| byte == b'0').count()..];
        let zeros = fraction.iter().rev().take_while(|&&byte| byte == b'0').count();
        let fraction = &fraction[..fraction.len() - zeros];
        let minus = minus && (whole.len() + fraction.len() > 0);
        Self {
            minus,
            whole,
            fraction,
        }
    }

    fn magnitude(&self, other: &Self) -> Ordering {
        let whole = self
            .whole
            .len()
            .cmp(&other.whole.len())
            .then_with(|| self.whole.cmp(other.whole));
        whole.then_with(|| self.fraction.cmp(other.fraction))
    }
}
