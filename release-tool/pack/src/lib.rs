//! Packs what was compiled into artifacts: archives, file systems, disk images.
//!
//! Equal inputs give equal bytes: identifiers are derived from what is packed ([`Ids`]) and times are given. All effects
//! go through [`vrel_world::World`].

pub mod aws;
mod deflate;
pub mod disk;
mod error;
pub mod esp;
mod file_content;
pub mod gcp;
mod gnu_sparse;
pub mod grub;
mod ids;
mod image_file;
pub mod initrd;
pub mod install;
pub mod iso;
pub mod oci;
mod oci_blobs;
mod oci_rootfs;
pub mod os_release;
pub mod ova;
mod ovf;
pub mod qcow2;
mod raw;
pub mod source;
pub mod symbols;
pub mod tarball;
pub mod tree;
pub mod vdi;
pub mod vendor;
mod vendor_crate;
mod vendor_lock;
pub mod vhd;
pub mod vmdk;

pub use error::PackError;
pub use ids::Ids;
pub use tarball::Zstd;
