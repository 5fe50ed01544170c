//! Disk images, read back by the programs that they are made for.

mod aws;
mod fixture;
mod gcp;
mod ova;
mod qcow2;
mod vdi;
mod vhd;
mod vmdk;
