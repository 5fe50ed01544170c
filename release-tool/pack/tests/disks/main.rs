//! Disk images, read back by the programs that they are made for.

mod fixture;
mod qcow2;
mod vdi;
mod vhd;
mod vmdk;
