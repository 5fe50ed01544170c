//! What the policies of `artifacts/` may choose under `options`: each packer has a form of its own.

use serde::Deserialize;
use serde::de::DeserializeOwned;
use std::path::Path;
use vrel_model::toml_file::{self, TomlError};
use vrel_model::{Packer, PackerScope};
use vrel_pack::{aws, disk, gcp, ova, qcow2};

/// How a `tar.zst` is compressed, where the artifact's options say.
#[derive(Debug, Default, Deserialize)]
#[serde(default, deny_unknown_fields, rename_all = "kebab-case")]
pub(super) struct Compression {
    pub(super) level: Option<i32>,
    pub(super) window_log: Option<u32>,
    pub(super) workers: Option<u32>,
}

/// What an ISO's policy may choose.
#[derive(Debug, Default, Deserialize)]
#[serde(default, deny_unknown_fields, rename_all = "kebab-case")]
pub(super) struct IsoOptions {
    /// Whether it boots by BIOS too, where the architecture has machines with one.
    pub(super) bios: bool,
}

/// No options.
#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct None {}

/// A policy file of which only the options are read.
#[derive(Deserialize)]
struct Policy<T> {
    #[expect(dead_code, reason = "it only has to be of this form")]
    #[serde(default)]
    options: T,
}

/// Checks the options in the text of a policy file, which says that `packer` makes the artifact. `path` is only used to
/// name the file in errors.
///
/// # Errors
/// On an option that the packer does not have, or of the wrong type, with its line and, where one is close, the likely
/// name.
pub fn check_options(path: &Path, text: &str, packer: Packer) -> Result<(), TomlError> {
    fn check<T: DeserializeOwned + Default>(path: &Path, text: &str) -> Result<(), TomlError> {
        toml_file::parse::<Policy<T>>(path, text).map(drop)
    }
    let check = match packer {
        Packer::Disk => check::<disk::Options>,
        Packer::Qcow2 => check::<qcow2::Options>,
        Packer::Gcp => check::<gcp::Options>,
        Packer::Ova => check::<ova::Options>,
        Packer::AwsImport => check::<aws::Options>,
        Packer::Iso => check::<IsoOptions>,
        Packer::Symbols | Packer::Source | Packer::Vendor | Packer::ManPages | Packer::ApiDocs => {
            check::<Compression>
        }
        Packer::Kernel
        | Packer::KernelFlat
        | Packer::Initrd
        | Packer::Vdi
        | Packer::Vhd
        | Packer::Vmdk
        | Packer::Oci => check::<None>,
        document => {
            debug_assert_eq!(document.scope(), PackerScope::Document);
            check::<None>
        }
    };
    check(path, text)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn error(packer: Packer, options: &str) -> TomlError {
        let text = format!("packer = \"{packer}\"\nname = \"x\"\n\n[options]\n{options}\n");
        check_options(Path::new("artifacts/x.toml"), &text, packer).unwrap_err()
    }

    #[test]
    fn every_packer_takes_a_file_without_options_and_refuses_an_option_that_nobody_has() {
        for packer in [
            Packer::Disk,
            Packer::Qcow2,
            Packer::Gcp,
            Packer::Ova,
            Packer::AwsImport,
            Packer::Iso,
            Packer::Source,
            Packer::Vmdk,
            Packer::ReleaseNotes,
        ] {
            check_options(Path::new("artifacts/x.toml"), "name = \"x\"\n", packer).unwrap();
            let error = error(packer, "zzzz = 1");
            assert!(
                error
                    .to_string()
                    .starts_with("artifacts/x.toml:5:1: unknown field `zzzz`"),
                "{packer}: {error}"
            );
        }
    }

    #[test]
    fn a_misspelt_option_is_answered_with_the_likely_one() {
        let error = error(Packer::Source, "windowlog = 20");
        assert_eq!(error.hint.as_deref(), Some("did you mean `window-log`?"));
    }

    #[test]
    fn an_option_of_the_wrong_type_is_named_with_its_place() {
        let error = error(Packer::Iso, "bios = \"yes\"");
        assert_eq!((error.line, error.column), (5, 8));
        assert!(error.message.contains("expected a boolean"), "{error}");
    }
}
