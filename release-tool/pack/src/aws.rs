//! How a disk image is brought to AWS: the inputs of its two commands in one JSON document.
//!
//! `import-snapshot` has an input for each file of the disk, by format; `register-image` has the one for the image made of
//! the snapshot. They are used as they are, after the bucket and the snapshot were filled in:
//!
//! ```text
//! aws ec2 import-snapshot --cli-input-json "$(jq '."import-snapshot".vmdk' FILE)"
//! aws ec2 register-image --cli-input-json "$(jq '."register-image"' FILE)"
//! ```

use crate::PackError;
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};
use std::path::Path;
use vrel_model::Arch;
use vrel_world::World;

/// What stands where only whoever imports the disk knows the identifier.
const SNAPSHOT: &str = "SNAPSHOT_ID";

/// The disk's name in the virtual machine, as AWS's machines with NVMe disks expect it of an image.
const DEVICE: &str = "/dev/xvda";

/// What a policy may choose.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields, rename_all = "kebab-case")]
pub struct Options {
    /// The S3 bucket that the file is uploaded to. Other people than the release's publisher use their own.
    pub bucket: String,
    /// What comes before the file's name in the bucket.
    pub prefix: String,
    /// Says that the image has a driver for the Elastic Network Adapter, without which most of AWS's machines do not take
    /// it.
    pub ena: bool,
}

impl Default for Options {
    fn default() -> Self {
        Self {
            bucket: "BUCKET".to_owned(),
            prefix: String::new(),
            ena: true,
        }
    }
}

/// The form of a disk's file.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Format {
    /// The bytes of the disk.
    Raw,
    /// A stream-optimised VMDK.
    Vmdk,
    /// A fixed virtual hard disk.
    Vhd,
}

impl Format {
    /// AWS's word for it.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Raw => "RAW",
            Self::Vmdk => "VMDK",
            Self::Vhd => "VHD",
        }
    }
}

/// A published file with the disk.
#[derive(Clone, Copy, Debug)]
pub struct File<'a> {
    /// Its name.
    pub name: &'a str,
    /// Its form.
    pub format: Format,
    /// Its length in bytes.
    pub size: u64,
    /// Its SHA-256, 64 hexadecimal digits.
    pub sha256: &'a str,
}

/// What the document is about.
#[derive(Clone, Copy, Debug)]
pub struct Import<'a> {
    /// The image's name: 3 to 128 letters, digits, `(`, `)`, `[`, `]`, spaces, `.`, `/`, `-`, `'`, `@` and `_`.
    pub name: &'a str,
    /// One line for people, at most 255 bytes.
    pub description: &'a str,
    /// What it runs on.
    pub arch: Arch,
    /// The disk, in as many forms as there are; of each form one at most.
    pub files: &'a [File<'a>],
}

/// Writes the document as `out`. On an architecture that AWS has no machines of there is no input for `register-image`: its
/// disk can be imported, but not started.
///
/// # Errors
/// When the name or the description is not one that AWS takes, a form comes twice or none at all, and when the file cannot be
/// written.
pub fn write(world: &dyn World, out: &Path, options: &Options, import: &Import<'_>) -> Result<(), PackError> {
    check(options, import)?;
    let mut files = Vec::new();
    let mut snapshots = serde_json::Map::new();
    for file in import.files {
        let format = file.format.as_str().to_lowercase();
        files.push(json!({ "name": file.name, "format": format, "size": file.size, "sha256": file.sha256 }));
        let input = json!({
            "Description": import.description,
            "DiskContainer": {
                "Description": import.description,
                "Format": file.format.as_str(),
                "UserBucket": { "S3Bucket": options.bucket, "S3Key": format!("{}{}", options.prefix, file.name) },
            },
        });
        if snapshots.insert(format.clone(), input).is_some() {
            return Err(refuse("the disk's files", "one of each format", &format));
        }
    }
    let mut document = json!({ "version": 1, "files": files, "import-snapshot": snapshots });
    if let Some(input) = register(options, import) {
        document["register-image"] = input;
    }
    // A value of strings, numbers and objects with string keys: nothing that JSON cannot say.
    let text = format!("{document:#}\n");
    Ok(world.fs().write(out, text.as_bytes(), 0o644)?)
}

fn register(options: &Options, import: &Import<'_>) -> Option<Value> {
    let architecture = match import.arch {
        Arch::X86_64 => "x86_64",
        Arch::Aarch64 => "arm64",
        Arch::Riscv64 => return None,
    };
    Some(json!({
        "Name": import.name,
        "Description": import.description,
        "Architecture": architecture,
        "BootMode": "uefi",
        "VirtualizationType": "hvm",
        "EnaSupport": options.ena,
        "RootDeviceName": DEVICE,
        "BlockDeviceMappings": [{
            "DeviceName": DEVICE,
            "Ebs": { "SnapshotId": SNAPSHOT, "VolumeType": "gp3", "DeleteOnTermination": true },
        }],
    }))
}

fn check(options: &Options, import: &Import<'_>) -> Result<(), PackError> {
    let allowed = |c: char| c.is_ascii_alphanumeric() || "()[] ./-'@_".contains(c);
    if !(3..=128).contains(&import.name.len()) || !import.name.chars().all(allowed) {
        let expected = "3 to 128 letters, digits, spaces and characters of ()[]./-'@_";
        return Err(refuse("the AWS image's name", expected, import.name));
    }
    if import.description.is_empty() || import.description.len() > 255 {
        return Err(refuse(
            "the AWS image's description",
            "1 to 255 bytes",
            import.description,
        ));
    }
    let bucket = |c: char| c.is_ascii_alphanumeric() || ".-".contains(c);
    if !(3..=63).contains(&options.bucket.len()) || !options.bucket.chars().all(bucket) {
        return Err(refuse(
            "bucket",
            "3 to 63 letters, digits, `.` and `-`",
            &options.bucket,
        ));
    }
    if import.files.is_empty() {
        return Err(refuse("the disk's files", "at least one", "none"));
    }
    Ok(())
}

fn refuse(setting: &'static str, expected: &str, found: &str) -> PackError {
    PackError::Setting {
        setting,
        expected: expected.to_owned(),
        found: found.to_owned(),
    }
}
