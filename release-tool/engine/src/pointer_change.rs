//! Replacing an origin's pointer by one that says something else: the one moment at which a release becomes public, or is
//! withdrawn.

use crate::EngineError;
use crate::cut_rc::{failed, origin_error};
use std::path::Path;
use vrel_model::{KeyRole, Pointer, Sha256Digest, SignedPointer, UtcTime};
use vrel_origin::{LocalOrigin, OriginError};
use vrel_trust::{KeyRing, SecretKey, digest_bytes, sign_pointer, verify_pointer};
use vrel_world::World;

const STEP: &str = "pointer";

/// What a pointer is read with: whose signature counts, of which origin and product.
#[derive(Clone, Copy)]
pub struct PointerReader<'a> {
    /// The machine.
    pub world: &'a dyn World,
    /// The origin's directory.
    pub origin: &'a Path,
    /// The trusted public keys.
    pub ring: &'a KeyRing,
    /// The role that signs the pointer.
    pub role: &'a KeyRole,
    /// The product's id.
    pub product: &'a str,
}

/// The pointer that an origin has.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CurrentPointer {
    /// What it says.
    pub pointer: Pointer,
    /// SHA-256 of its file.
    pub sha256: Sha256Digest,
}

/// What a new pointer is made with.
#[derive(Clone, Copy)]
pub struct PointerChange<'a> {
    /// How the current one is read, and where the new one goes.
    pub reader: PointerReader<'a>,
    /// The secret key of the pointer's role.
    pub key: &'a SecretKey,
    /// When the new one is made.
    pub issued: UtcTime,
    /// From when it must not be trusted.
    pub expires: UtcTime,
    /// What is told to others who want to replace the pointer at the same time, for example `vrel promote`.
    pub holder: &'a str,
}

impl PointerReader<'_> {
    /// The pointer in the origin, its signature verified; `None` when there is none yet. Its age does not matter to who
    /// replaces it.
    ///
    /// # Errors
    /// When there is no origin, or its pointer cannot be read or is not genuine.
    pub fn current(&self) -> Result<Option<CurrentPointer>, EngineError> {
        self.read(&self.open()?)
    }

    fn open(&self) -> Result<LocalOrigin<'_>, EngineError> {
        LocalOrigin::open(self.world, self.origin).map_err(|error| origin_error(STEP, error))
    }

    fn read(&self, origin: &LocalOrigin<'_>) -> Result<Option<CurrentPointer>, EngineError> {
        let Some(bytes) = origin.pointer().map_err(|error| origin_error(STEP, error))? else {
            return Ok(None);
        };
        let signed = SignedPointer::parse(&bytes).map_err(|error| failed(STEP, error))?;
        let issued = signed.pointer().map_err(|error| failed(STEP, error))?.issued;
        let pointer = verify_pointer(&signed, self.ring, self.role, self.product, issued)
            .map_err(|error| failed(STEP, error))?;
        let sha256 = digest_bytes(&bytes).sha256;
        Ok(Some(CurrentPointer { pointer, sha256 }))
    }
}

impl PointerChange<'_> {
    /// The answer to who was not fast enough.
    fn outrun(&self, wanted: &Pointer) -> EngineError {
        let there = self.reader.current().ok().flatten();
        let there = there.map_or_else(String::new, |there| {
            format!(
                ": it is pointer {} of {} now",
                there.pointer.version, there.pointer.issued
            )
        });
        EngineError::Refused {
            message: format!(
                "somebody else replaced the pointer before pointer {} could be{there}",
                wanted.version
            ),
            hint: Some(
                "nothing was changed; look at `vrel channel list`, then run the command again".to_owned(),
            ),
        }
    }

    /// Replaces `current` (`None`: no pointer) by the next one, in which `change` may change what it likes; all else stays as
    /// it is. Answers with the new one.
    ///
    /// # Errors
    /// When the origin's pointer is another one than `current` by now, `change` fails, the changed pointer contradicts
    /// itself, it cannot be signed, or the origin cannot be written. The pointer is then as it was.
    pub fn swap(
        &self,
        current: Option<CurrentPointer>,
        change: impl FnOnce(&mut Pointer) -> Result<(), EngineError>,
    ) -> Result<Pointer, EngineError> {
        let origin = self.reader.open()?;
        let (current, expected) = current.map(|current| (current.pointer, current.sha256)).unzip();
        let mut pointer = Pointer::following(current, self.reader.product, self.issued, self.expires);
        change(&mut pointer)?;
        let signed = sign_pointer(&pointer, self.key).map_err(|error| failed(STEP, error))?;
        match origin.swap_pointer(expected, &signed, self.holder) {
            Ok(_) => Ok(pointer),
            Err(OriginError::PointerMoved { .. }) => Err(self.outrun(&pointer)),
            Err(error) => Err(origin_error(STEP, error)),
        }
    }
}
