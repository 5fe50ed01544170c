//! Parts of a release that have no verb of their own, for `ci/bench/run` to time beside their peers.
//!
//! - `measure sign KEYS DIR` hashes every file of a directory in one pass and writes `SHA256SUMS` and the signatures.
//! - `measure sign-built KEYS DIR BUILT` writes them from what `vrel build --json` wrote into a file: as in a release, files
//!   are signed by the digests that they were built with.
//! - `measure publish KEYS DIR ORIGIN` makes a directory's files the release 0.6.0-rc1 of a new origin.
//! - `measure pack REPO COMMIT FILE LEVEL WORKERS` packs a source tarball.
//! - `measure pick REPO BRANCH FILE` picks the commits that a file lists onto a branch, which stays, and prints the last
//!   new commit.
//!
//! KEYS holds `release.key` and `pointer.key`, made without a password.

use std::error::Error;
use std::fmt::Write as _;
use std::io::Write as _;
use std::num::NonZeroUsize;
use std::path::{Path, PathBuf};
use vrel_model::{
    Arch, ArtifactName, ChannelHead, Manifest, ManifestArtifact, ManifestDocument, Pointer, Statement,
    Version,
};
use vrel_origin::{LocalOrigin, ObjectPath};
use vrel_pack::source::{self, Source};
use vrel_trust::{Digests, Scrypt, SecretKey, digest_bytes, digest_files, sign_pointer};
use vrel_world::{Pick, PickList, Picked, RealWorld, Scratch, World};

type Failure = Box<dyn Error>;

const PRODUCT: &str = "veridianos";
const USAGE: &str = "usage: measure sign KEYS DIR | sign-built KEYS DIR BUILT | publish KEYS DIR ORIGIN | pack REPO COMMIT FILE LEVEL WORKERS | pick REPO BRANCH FILE";

fn main() -> Result<(), Failure> {
    let args: Vec<String> = std::env::args().skip(1).collect();
    let args: Vec<&str> = args.iter().map(String::as_str).collect();
    let world = RealWorld::default();
    match args[..] {
        ["sign", keys, dir] => sign(&world, Path::new(keys), Path::new(dir)).map(drop),
        ["sign-built", keys, dir, built] => {
            let built = from_json(&world.fs().read(Path::new(built))?)?;
            // What is packed is not forced to the disk either, neither here nor by the peer.
            write_signatures(&Scratch(&world), Path::new(keys), Path::new(dir), &built)
        }
        ["publish", keys, dir, origin] => publish(&world, Path::new(keys), Path::new(dir), Path::new(origin)),
        ["pack", repo, commit, file, level, workers] => {
            let repo = Path::new(repo);
            let time = world.git().commit_time(repo, commit)?;
            let (level, workers) = (level.parse()?, workers.parse()?);
            Ok(source::write(
                &world,
                Path::new(file),
                &Source {
                    repo,
                    commit,
                    prefix: "source",
                    time,
                    level,
                    workers,
                },
            )?)
        }
        ["pick", repo, branch, file] => pick(&world, Path::new(repo), branch, Path::new(file)),
        _ => Err(USAGE.into()),
    }
}

/// Picks commits onto a branch's tip, as backports are made.
fn pick(world: &dyn World, repo: &Path, branch: &str, file: &Path) -> Result<(), Failure> {
    let onto = world.git().resolve(repo, &format!("refs/heads/{branch}"))?;
    let text = String::from_utf8(world.fs().read(file)?)?;
    let picks: Vec<Pick> = text.lines().map(Pick::of).collect();
    let done = world.git().picking().pick(
        repo,
        &PickList {
            onto: &onto.ok_or("no such branch")?,
            picks: &picks,
            time: world.now(),
            stop_at_conflict: true,
        },
    )?;
    if let Some(other) = done.picked.iter().find(|one| !matches!(one, Picked::Commit(_))) {
        return Err(format!("{other:?}").into());
    }
    writeln!(std::io::stdout(), "{}", done.tip)?;
    Ok(())
}

fn version() -> Version {
    Version::new(0, 6, 0)
        .candidate(1)
        .unwrap_or_else(|| Version::new(0, 6, 0))
}

fn secret(world: &dyn World, keys: &Path, role: &str) -> Result<SecretKey, Failure> {
    Ok(SecretKey::load(
        world,
        &keys.join(format!("{role}.key")),
        None,
        Scrypt::STRONG,
    )?)
}

/// The architecture that a file's name ends with, before its ending.
fn arch_of(name: &ArtifactName) -> Option<Arch> {
    Arch::ALL
        .into_iter()
        .find(|arch| name.as_str().contains(arch.as_str()))
}

/// Hashes the files in one pass, and writes checksums and signatures beside them.
fn sign(world: &dyn World, keys: &Path, dir: &Path) -> Result<Vec<(ArtifactName, Digests)>, Failure> {
    let mut names: Vec<ArtifactName> = Vec::new();
    for entry in world.fs().list(dir)? {
        if !entry.name.ends_with(".minisig") && !entry.name.starts_with("SHA256SUMS") {
            names.push(entry.name.parse()?);
        }
    }
    let paths: Vec<PathBuf> = names.iter().map(|name| dir.join(name.as_str())).collect();
    let threads = std::thread::available_parallelism().unwrap_or(NonZeroUsize::MIN);
    let digests = digest_files(world, &paths, threads, &|_, _| {})?;
    let files: Vec<(ArtifactName, Digests)> = names.into_iter().zip(digests).collect();
    write_signatures(world, keys, dir, &files)?;
    Ok(files)
}

/// The artifacts in what `vrel build --json` writes.
fn from_json(bytes: &[u8]) -> Result<Vec<(ArtifactName, Digests)>, Failure> {
    let built: serde_json::Value = serde_json::from_slice(bytes)?;
    let artifacts = built["artifacts"].as_array().ok_or("no artifacts")?;
    let one = |artifact: &serde_json::Value| {
        let text = |key: &str| artifact[key].as_str().ok_or_else(|| format!("no {key}"));
        let digests = Digests {
            length: artifact["length"].as_u64().ok_or("no length")?,
            sha256: text("sha256")?.parse()?,
            blake2b: text("blake2b")?.parse()?,
        };
        Ok((text("name")?.parse()?, digests))
    };
    artifacts.iter().map(one).collect()
}

/// Writes checksums and signatures beside files.
fn write_signatures(
    world: &dyn World,
    keys: &Path,
    dir: &Path,
    files: &[(ArtifactName, Digests)],
) -> Result<(), Failure> {
    let key = secret(world, keys, "release")?;
    let mut sums = String::new();
    for (name, digests) in files {
        writeln!(sums, "{}  {name}", digests.sha256)?;
        write_signature(world, &key, dir, name, digests)?;
    }
    world
        .fs()
        .write(&dir.join("SHA256SUMS"), sums.as_bytes(), 0o644)?;
    write_signature(
        world,
        &key,
        dir,
        &"SHA256SUMS".parse()?,
        &digest_bytes(sums.as_bytes()),
    )
}

fn write_signature(
    world: &dyn World,
    key: &SecretKey,
    dir: &Path,
    name: &ArtifactName,
    digests: &Digests,
) -> Result<(), Failure> {
    let statement = Statement {
        timestamp: world.now(),
        file: name.clone(),
        product: PRODUCT.to_owned(),
        version: version(),
        channel: "beta".parse()?,
        arch: arch_of(name),
        size: digests.length,
        sha256: digests.sha256,
    };
    let text = key.sign(&digests.blake2b, &statement)?;
    Ok(world
        .fs()
        .write(&dir.join(format!("{name}.minisig")), text.as_bytes(), 0o644)?)
}

fn publish(world: &dyn World, keys: &Path, dir: &Path, origin: &Path) -> Result<(), Failure> {
    let files = sign(world, keys, dir)?;
    let mut notes = "# VeridianOS v0.6.0-rc1 Release Notes\n\n## Downloads\n\n".to_owned();
    for (name, digests) in &files {
        writeln!(notes, "- [{name}]({name}) {}", digests.sha256)?;
    }
    let artifacts = files.iter().map(|(name, digests)| ManifestArtifact {
        name: name.clone(),
        kind: "disk".parse().unwrap(),
        arch: arch_of(name),
        length: digests.length,
        sha256: digests.sha256,
        blake2b: digests.blake2b,
    });
    let manifest = Manifest {
        schema: 1,
        product_name: "VeridianOS".to_owned(),
        product: PRODUCT.to_owned(),
        version: version(),
        channel: "beta".parse()?,
        commit: "0".repeat(40),
        tag: version().published_tag(),
        created: world.now(),
        source_date_epoch: world.now().unix(),
        toolchain: digest_bytes(b"").sha256,
        previous: None,
        artifacts: artifacts.collect(),
        documents: vec![ManifestDocument {
            name: "release-notes.md".parse()?,
            length: notes.len() as u64,
            sha256: digest_bytes(notes.as_bytes()).sha256,
        }],
        boots: Vec::new(),
        lagging: Vec::new(),
    };
    let bytes = manifest.to_bytes()?;
    world
        .fs()
        .write(&dir.join("release-notes.md"), notes.as_bytes(), 0o644)?;
    world.fs().write(&dir.join("manifest.json"), &bytes, 0o644)?;
    let key = secret(world, keys, "release")?;
    write_signature(world, &key, dir, &"manifest.json".parse()?, &digest_bytes(&bytes))?;
    let origin = LocalOrigin::init(world, origin)?;
    for entry in world.fs().list(dir)? {
        origin.put_file_new(
            &ObjectPath::release(&version(), &entry.name.parse()?),
            &dir.join(&entry.name),
        )?;
    }
    let head = ChannelHead {
        release: version(),
        manifest_length: bytes.len() as u64,
        manifest_sha256: digest_bytes(&bytes).sha256,
        rollback: None,
    };
    let pointer = Pointer {
        kind: "pointer".to_owned(),
        spec: 1,
        product: PRODUCT.to_owned(),
        version: 1,
        issued: world.now(),
        expires: world.now().plus_days(30),
        channels: [("beta".parse()?, head)].into(),
        older_lines: std::collections::BTreeMap::new(),
        backfilled: std::collections::BTreeMap::new(),
        duds: std::collections::BTreeMap::new(),
    };
    let pointer = sign_pointer(&pointer, &secret(world, keys, "pointer")?)?;
    origin.swap_pointer(None, &pointer, "measure")?;
    Ok(())
}
