//! Keys, digests and signatures.
//!
//! Signatures are minisign's, so that a stranger can check a release with the stock `minisign -V`. What minisign leaves
//! open is closed here: its signatures bind bytes but no name, so every trusted comment is a [`Statement`] whose fields
//! are compared with what was asked for; its implementations disagree about odd files, so one strict parser stands in
//! front of everything.
//!
//! The format is written out here over the primitives (Ed25519, BLAKE2b, scrypt) instead of by the `minisign` crate,
//! which would ask for a password on the terminal, print a secret key's bytes through `Debug`, take randomness from
//! elsewhere than the world, protect keys with a scrypt 32 times weaker than the C tool's, and read the data itself, so
//! that SHA-256 would need a second pass. That crate and `minisign-verify` are what the tests compare with.
//!
//! [`Statement`]: vrel_model::Statement

mod digest;
mod digest_many;
mod encoding;
mod error;
mod generate;
mod kdf;
mod key_ring;
mod pointer;
mod public_key;
mod secret_key;
mod sign;
mod signature;
mod verify;

pub use digest::{Digests, Hasher, digest_bytes, digest_reader};
pub use digest_many::{Source, digest_files, digest_streams};
pub use error::{FieldMismatch, KeyFileProblem, TrustError};
pub use generate::{GeneratedKey, NewKey, Protection, generate};
pub use kdf::Scrypt;
pub use key_ring::KeyRing;
pub use pointer::{sign_pointer, verify_pointer};
pub use public_key::PublicKey;
pub use secret_key::{KeyFileInfo, Password, SecretKey, inspect_secret_key};
pub use signature::{Signature, SignatureError};
pub use verify::{Asked, verify_statement};
