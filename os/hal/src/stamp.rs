//! The identity stamp inside the kernel image.

use abi::{IDENTITY_LEN, IDENTITY_MAGIC, Identity, IdentityError};

use crate::ARCHITECTURE;

/// The stamp as compiled: a development build. The release tool overwrites the section in the linked file.
#[used]
#[unsafe(link_section = ".veridian.id")]
static STAMP: [u8; IDENTITY_LEN] = development();

const fn development() -> [u8; IDENTITY_LEN] {
    let mut stamp = [0; IDENTITY_LEN];
    let parts: [&[u8]; 5] = [
        IDENTITY_MAGIC,
        b"name=VeridianOS\nversion=0.0.0-dev\n",
        b"commit=0000000000000000000000000000000000000000\narch=",
        ARCHITECTURE.as_bytes(),
        b"\n",
    ];
    let (mut at, mut part) = (0, 0);
    while part < parts.len() {
        let mut byte = 0;
        while byte < parts[part].len() {
            stamp[at] = parts[part][byte];
            at += 1;
            byte += 1;
        }
        part += 1;
    }
    stamp
}

/// A copy of the stamp.
#[derive(Clone, Copy, Debug)]
pub struct Stamp([u8; IDENTITY_LEN]);

impl Stamp {
    /// Reads the stamp out of the kernel image, as it is there and not as it was compiled.
    pub fn read() -> Self {
        // SAFETY: a reference to a static is valid for reads. Volatile, because the compiler must not know the bytes.
        Self(unsafe { (&raw const STAMP).read_volatile() })
    }

    /// Its lines `key=value`.
    ///
    /// # Errors
    /// When what was put there is no stamp.
    pub fn text(&self) -> Result<&str, IdentityError> {
        Identity::text(&self.0)
    }

    /// What it says.
    ///
    /// # Errors
    /// When what was put there is no stamp.
    pub fn identity(&self) -> Result<Identity<'_>, IdentityError> {
        Identity::parse(self.text()?)
    }
}
