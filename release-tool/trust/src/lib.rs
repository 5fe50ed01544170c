//! Keys, digests, signatures, and what strangers check the supply chain by: bills of materials and provenance.
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
mod dsse;
mod encoding;
mod error;
mod generate;
mod kdf;
mod key_ring;
mod personal;
mod pointer;
mod provenance;
mod public_key;
mod purl;
mod release_facts;
mod sbom;
mod secret_key;
mod sha256;
mod sign;
mod signature;
mod strict_json;
mod subject;
mod verify;

pub use digest::{Digests, Hasher, digest_bytes, digest_reader};
pub use digest_many::{Source, digest_files, digest_streams};
pub use dsse::{
    EnvelopeProblem, MAX_ENVELOPE, PAYLOAD_TYPE, pre_authentication_encoding, sign_envelope, verify_envelope,
};
pub use error::{FieldMismatch, KeyFileProblem, TrustError};
pub use generate::{GeneratedKey, NewKey, Protection, generate};
pub use kdf::Scrypt;
pub use key_ring::KeyRing;
pub use personal::{person_key, sign_personal, verify_personal};
pub use pointer::{sign_pointer, verify_pointer};
pub use provenance::{
    AskedProvenance, BUILD_TYPE, BuildTool, Builder, Provenance, ProvenanceFacts, ProvenanceMismatch,
    ProvenanceProblem, provenance_statement,
};
pub use public_key::PublicKey;
pub use release_facts::{FactProblem, ReleaseFacts};
pub use sbom::{
    Contents, ForeignComponent, Role, Sbom, SbomArtifact, SbomFacts, SbomProblem, Workspace,
    cyclonedx_subjects, spdx_subjects,
};
pub use secret_key::{KeyFileInfo, Password, SecretKey, inspect_secret_key};
pub use sha256::{Measured, sha256_files, sha256_reader};
pub use signature::{Signature, SignatureError};
pub use subject::{Subject, SubjectMismatch, subject_mismatches};
pub use verify::{Asked, verify_statement};
