//! Sets of bytes, and the POSIX classes.

/// A set of bytes.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) struct ByteSet([u64; 4]);

impl ByteSet {
    pub(crate) const EMPTY: Self = Self([0; 4]);

    pub(crate) fn one(byte: u8) -> Self {
        let mut set = Self::EMPTY;
        set.insert(byte);
        set
    }

    pub(crate) fn of(is: impl Fn(u8) -> bool) -> Self {
        let mut set = Self::EMPTY;
        (0..=u8::MAX)
            .filter(|&byte| is(byte))
            .for_each(|byte| set.insert(byte));
        set
    }

    pub(crate) fn insert(&mut self, byte: u8) {
        self.0[usize::from(byte >> 6)] |= 1 << (byte & 63);
    }

    pub(crate) fn contains(&self, byte: u8) -> bool {
        self.0[usize::from(byte >> 6)] >> (byte & 63) & 1 == 1
    }

    pub(crate) fn add(&mut self, other: &Self) {
        self.0
            .iter_mut()
            .zip(other.0)
            .for_each(|(word, other)| *word |= other);
    }

    pub(crate) fn complement(&self) -> Self {
        Self(self.0.map(|word| !word))
    }

    /// With both cases of every letter that has one of them.
    pub(crate) fn fold(&self) -> Self {
        Self::of(|byte| self.contains(byte.to_ascii_lowercase()) || self.contains(byte.to_ascii_uppercase()))
    }
}

/// Whether a byte is part of a word.
pub(crate) fn is_word(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || byte == b'_'
}

/// A class: its name, and whether a byte is in it.
pub(crate) type Class = (&'static str, fn(u8) -> bool);

/// A class by its name, as in `[:alpha:]`.
pub(crate) fn named(name: &[u8]) -> Option<Class> {
    Some(match name {
        b"alnum" => ("alnum", |byte| byte.is_ascii_alphanumeric()),
        b"alpha" => ("alpha", |byte| byte.is_ascii_alphabetic()),
        b"blank" => ("blank", |byte| matches!(byte, b' ' | b'\t')),
        b"cntrl" => ("cntrl", |byte| byte.is_ascii_control()),
        b"digit" => ("digit", |byte| byte.is_ascii_digit()),
        b"graph" => ("graph", |byte| byte.is_ascii_graphic()),
        b"lower" => ("lower", |byte| byte.is_ascii_lowercase()),
        b"print" => ("print", |byte| byte.is_ascii_graphic() || byte == b' '),
        b"punct" => ("punct", |byte| byte.is_ascii_punctuation()),
        b"space" => ("space", |byte| matches!(byte, b' ' | 9..=13)),
        b"upper" => ("upper", |byte| byte.is_ascii_uppercase()),
        b"xdigit" => ("xdigit", |byte| byte.is_ascii_hexdigit()),
        _ => return None,
    })
}
