//! This repository's own bill of materials.

use super::fixture::{accepted_by_strangers, artifact};
use crate::provenance::release;
use crate::strangers::repository;
use std::process::Command;
use vrel_trust::{Contents, ForeignComponent, Role, Sbom, SbomFacts, Workspace};

/// A workspace as the named platforms need it. Cargo fetches what is missing, as for a build.
fn workspace(directory: &str, platforms: &[String]) -> Workspace {
    let root = repository().join(directory);
    let mut cargo = Command::new(env!("CARGO"));
    cargo
        .args(["metadata", "--format-version", "1", "--locked"])
        .current_dir(&root);
    for platform in platforms {
        cargo.args(["--filter-platform", platform]);
    }
    let output = cargo.output().unwrap();
    assert!(
        output.status.success(),
        "{}",
        String::from_utf8_lossy(&output.stderr)
    );
    let lock = std::fs::read(root.join("Cargo.lock")).unwrap();
    Workspace::parse(directory, &output.stdout, &lock).unwrap()
}

fn host() -> String {
    let output = Command::new("rustc").arg("-vV").output().unwrap();
    let text = String::from_utf8(output.stdout).unwrap();
    let host = text.lines().find_map(|line| line.strip_prefix("host: "));
    host.unwrap().to_owned()
}

/// The platforms that the system is compiled for, as `os/targets.toml` names them.
fn targets() -> Vec<String> {
    let text = std::fs::read_to_string(repository().join("os/targets.toml")).unwrap();
    let named = text
        .split("target = \"")
        .skip(1)
        .filter_map(|rest| rest.split('"').next());
    let mut targets: Vec<String> = named.map(str::to_owned).collect();
    targets.sort();
    targets.dedup();
    assert!(targets.len() >= 4, "{targets:?}");
    targets
}

fn sbom() -> Sbom {
    let compiled = ["kernel", "boot", "init", "rust-core"].map(str::to_owned);
    Sbom::new(SbomFacts {
        release: release(),
        licence: "MIT OR Apache-2.0".to_owned(),
        workspaces: vec![workspace("os", &targets()), workspace("", &[host()])],
        tool: "vrel-cli".to_owned(),
        foreign: vec![ForeignComponent {
            name: "rust-core".to_owned(),
            version: "1.95.0".to_owned(),
            description: "core libraries of the compiler".to_owned(),
            licence: Some("MIT OR Apache-2.0".to_owned()),
            sha256: None,
        }],
        artifacts: vec![
            artifact("veridianos.iso", Contents::Compiled(compiled.into())),
            artifact("veridianos-source.tar.zst", Contents::Sources),
            artifact("veridianos-vendor.tar.zst", Contents::Crates),
        ],
    })
    .unwrap()
}

#[test]
fn this_repositorys_own_is_accepted_by_strangers_and_tells_what_ships() {
    let sbom = sbom();
    let bom: serde_json::Value = serde_json::from_slice(&sbom.to_cyclonedx().unwrap()).unwrap();
    let components = bom["components"].as_array().unwrap();
    assert!(components.len() > 200, "{}", components.len());
    accepted_by_strangers(&sbom, components.len());

    let role = |name: &str| {
        let component = components.iter().find(|component| component["name"] == name);
        let version = component.unwrap_or_else(|| panic!("no {name}"))["version"]
            .as_str()
            .unwrap();
        sbom.role(name, version).unwrap()
    };
    for (name, expected) in [
        ("kernel", Role::Shipped),
        ("uefi", Role::Shipped),
        ("uefi-macros", Role::Build),
        ("clap", Role::Build),
        ("vrel-cli", Role::Build),
        ("rust-core", Role::Shipped),
    ] {
        assert_eq!(role(name), expected, "{name}");
    }
    // Every crate of the registry has a digest and a licence: `deny.toml` asks for the one, the lock file gives the other.
    for component in components {
        let purl = component["purl"].as_str().unwrap_or_default();
        if purl.starts_with("pkg:cargo/") {
            assert_eq!(component["hashes"][0]["alg"], "SHA-256", "{purl}");
            assert!(component["licenses"][0]["expression"].is_string(), "{purl}");
        }
    }
}
