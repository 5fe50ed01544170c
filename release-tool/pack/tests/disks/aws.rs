//! The inputs of AWS's commands.

use crate::fixture::{run, world};
use serde_json::Value;
use std::path::Path;
use vrel_model::Arch;
use vrel_pack::PackError;
use vrel_pack::aws::{File, Format, Import, Options, write};

const DIGEST: &str = "b5bb9d8014a0f9b1d61e21e796d78dccdf1352f23cd32812f4850b878ae4944c";

fn file(name: &str, format: Format) -> File<'_> {
    File {
        name,
        format,
        size: 10 << 20,
        sha256: DIGEST,
    }
}

fn import(arch: Arch) -> Import<'static> {
    const FILES: &[File<'static>] = &[
        File {
            name: "v.img",
            format: Format::Raw,
            size: 10 << 20,
            sha256: DIGEST,
        },
        File {
            name: "v.vmdk",
            format: Format::Vmdk,
            size: 1 << 20,
            sha256: DIGEST,
        },
    ];
    Import {
        name: "veridianos-0.6.0-rc1-x86_64",
        description: "VeridianOS 0.6.0-rc1",
        arch,
        files: FILES,
    }
}

fn document(dir: &Path, options: &Options, import: &Import<'_>) -> Value {
    let path = dir.join("import.json");
    write(&world(), &path, options, import).unwrap();
    serde_json::from_slice(&std::fs::read(path).unwrap()).unwrap()
}

/// Asks AWS's own description of its interface, as its command-line tool and its library for Python use it.
fn aws_takes(operation: &str, input: &Value) {
    const PROGRAM: &str = r"
import json, sys
import botocore.session, botocore.validate
model = botocore.session.get_session().get_service_model('ec2')
shape = model.operation_model(sys.argv[1]).input_shape
given = json.loads(sys.argv[2])
report = botocore.validate.ParamValidator().validate(given, shape)
def values(shape, given):
    if shape.type_name == 'structure':
        for name, value in given.items():
            assert name in shape.members, 'unknown: ' + name
            values(shape.members[name], value)
    elif shape.type_name == 'list':
        for value in given:
            values(shape.member, value)
    elif getattr(shape, 'enum', None):
        assert given in shape.enum, 'not one of ' + str(shape.enum) + ': ' + given
values(shape, given)
sys.exit(report.generate_report() if report.has_errors() else 0)
";
    run("/usr/bin/python3", ["-c", PROGRAM, operation, &input.to_string()]);
}

#[test]
fn aws_knows_every_word_of_it() {
    let dir = tempfile::tempdir().unwrap();
    for arch in [Arch::X86_64, Arch::Aarch64] {
        let document = document(dir.path(), &Options::default(), &import(arch));
        for format in ["raw", "vmdk"] {
            aws_takes("ImportSnapshot", &document["import-snapshot"][format]);
        }
        aws_takes("RegisterImage", &document["register-image"]);
    }
}

#[test]
fn the_checker_finds_mistakes() {
    for (operation, bad) in [
        (
            "RegisterImage",
            serde_json::json!({ "Name": "x", "BootMode": "efi" }),
        ),
        (
            "RegisterImage",
            serde_json::json!({ "Name": "x", "Bootmode": "uefi" }),
        ),
        (
            "ImportSnapshot",
            serde_json::json!({ "DiskContainer": { "UserBucket": 1 } }),
        ),
    ] {
        assert!(
            std::panic::catch_unwind(|| aws_takes(operation, &bad)).is_err(),
            "{bad}"
        );
    }
}

#[test]
fn files_architecture_and_options_are_in_their_places() {
    let dir = tempfile::tempdir().unwrap();
    let options: Options =
        serde_json::from_str(r#"{ "bucket": "images", "prefix": "veridianos/", "ena": false }"#).unwrap();
    let arm = document(dir.path(), &options, &import(Arch::Aarch64));
    assert_eq!(arm["files"][1]["name"], "v.vmdk");
    assert_eq!(arm["files"][1]["sha256"], DIGEST);
    let container = &arm["import-snapshot"]["vmdk"]["DiskContainer"];
    assert_eq!(container["Format"], "VMDK");
    assert_eq!(
        container["UserBucket"],
        serde_json::json!({ "S3Bucket": "images", "S3Key": "veridianos/v.vmdk" })
    );
    let register = &arm["register-image"];
    assert_eq!(
        (&register["Architecture"], &register["BootMode"]),
        (&"arm64".into(), &"uefi".into())
    );
    assert_eq!(register["EnaSupport"], false);
    let intel = document(dir.path(), &options, &import(Arch::X86_64));
    assert_eq!(intel["register-image"]["Architecture"], "x86_64");
    // AWS has no such machines.
    let riscv = document(dir.path(), &options, &import(Arch::Riscv64));
    assert!(riscv.get("register-image").is_none());
    assert_eq!(riscv["import-snapshot"]["raw"]["DiskContainer"]["Format"], "RAW");
}

#[test]
fn what_aws_would_refuse_is_refused_here() {
    let dir = tempfile::tempdir().unwrap();
    let out = dir.path().join("out");
    let good = import(Arch::X86_64);
    let twice = [file("a", Format::Raw), file("b", Format::Raw)];
    let long = "d".repeat(256);
    let bad_bucket = Options {
        bucket: "my bucket".to_owned(),
        ..Options::default()
    };
    let cases = [
        (Options::default(), Import { name: "a+b", ..good }, "image's name"),
        (
            Options::default(),
            Import {
                description: &long,
                ..good
            },
            "description",
        ),
        (Options::default(), Import { files: &[], ..good }, "at least one"),
        (
            Options::default(),
            Import {
                files: &twice,
                ..good
            },
            "one of each format, got `raw`",
        ),
        (bad_bucket, good, "bucket: expected"),
    ];
    for (options, import, why) in cases {
        let error = write(&world(), &out, &options, &import).unwrap_err();
        assert!(matches!(error, PackError::Setting { .. }));
        assert!(error.to_string().contains(why), "{error}");
        assert!(!out.exists());
    }
    assert!(serde_json::from_str::<Options>(r#"{ "buckets": "x" }"#).is_err());
}
