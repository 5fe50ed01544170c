//! Publishing the container image in a registry (OCI distribution specification 1.1).
//!
//! What is pushed has no name but its digest, and changes nothing that anybody sees. The version's tag is set by a
//! second call: that is the moment at which the image is public. A tag of a version never moves.

mod archive;
mod client;
mod connection;
mod credentials;
mod repository;

pub use client::{Pushed, Registry, Tagged};
pub use credentials::Credentials;
pub use repository::RepositoryName;
