//! The stock `minisign`, and what the tests share. It must be installed; without it these tests fail.

use std::io::Write;
use std::path::{Path, PathBuf};
use std::process::{Command, Output};
use tempfile::TempDir;
use vrel_model::{KeyRole, SigningPolicy, Statement};
use vrel_trust::{Asked, Digests, GeneratedKey, KeyRing, NewKey, Protection, Scrypt, SecretKey, generate};
use vrel_world::{Fs, RealWorld, World};

pub(crate) fn minisign(dir: &Path, args: &[&str]) -> Output {
    let mut command = Command::new("minisign");
    command
        .current_dir(dir)
        .args(args)
        .stdin(std::process::Stdio::null());
    command
        .output()
        .expect("`minisign` must be installed: apt-get install minisign")
}

/// Whether the stock tool accepts a signature, and the trusted comment that it prints.
pub(crate) fn stock_verify(dir: &Path, public: &str, file: &str) -> Option<String> {
    let output = minisign(dir, &["-V", "-Q", "-P", public, "-m", file]);
    let text = String::from_utf8_lossy(&output.stdout).into_owned();
    output
        .status
        .success()
        .then(|| text.strip_suffix('\n').map_or(text.clone(), str::to_owned))
}

pub(crate) fn role(name: &str) -> KeyRole {
    name.parse().unwrap()
}

pub(crate) fn policy(roles: &[&str]) -> SigningPolicy {
    let tables: String = roles
        .iter()
        .map(|role| format!("[roles.{role}]\npurpose = \"tests\"\n"))
        .collect();
    let text = format!("pointer-role = \"pointer\"\n[roles]\n{tables}");
    vrel_model::toml_file::parse(Path::new("policy.toml"), &text).unwrap()
}

/// A directory with the public keys of some roles, and their secret keys.
pub(crate) struct Keys {
    pub(crate) world: RealWorld,
    pub(crate) dir: TempDir,
    policy: SigningPolicy,
}

impl Keys {
    pub(crate) fn new(roles: &[&str]) -> Self {
        let keys = Self {
            world: RealWorld::default(),
            dir: tempfile::tempdir().unwrap(),
            policy: policy(roles),
        };
        keys.world.fs().create_dir_all(&keys.path("keys")).unwrap();
        for name in roles {
            keys.generate(name, name).unwrap();
        }
        keys
    }

    pub(crate) fn fs(&self) -> &dyn Fs {
        self.world.fs()
    }

    pub(crate) fn path(&self, name: &str) -> PathBuf {
        self.dir.path().join(name)
    }

    /// A key of a role whose public file is `keys/NAME.pub` and whose secret one is `NAME.key`.
    pub(crate) fn generate(
        &self,
        role_name: &str,
        name: &str,
    ) -> Result<GeneratedKey, vrel_trust::TrustError> {
        let new = NewKey {
            role: &role(role_name),
            secret_file: &self.path(&format!("{name}.key")),
            public_file: &self.path(&format!("keys/{name}.pub")),
            protection: Protection::FileModeOnly,
        };
        generate(&self.world, &new)
    }

    pub(crate) fn secret(&self, name: &str) -> SecretKey {
        SecretKey::load(
            &self.world,
            &self.path(&format!("{name}.key")),
            None,
            Scrypt::STRONG,
        )
        .unwrap()
    }

    pub(crate) fn ring(&self) -> KeyRing {
        KeyRing::load(&self.world, &self.path("keys"), &self.policy).unwrap()
    }

    pub(crate) fn try_ring(&self) -> Result<KeyRing, vrel_trust::TrustError> {
        KeyRing::load(&self.world, &self.path("keys"), &self.policy)
    }
}

/// A statement about some content.
pub(crate) fn statement(file: &str, content: &Digests) -> Statement {
    Statement {
        timestamp: "2026-11-21T03:00:00Z".parse().unwrap(),
        file: file.parse().unwrap(),
        product: "os".to_owned(),
        version: "0.6.0-rc1".parse().unwrap(),
        channel: "beta".parse().unwrap(),
        arch: Some(vrel_model::Arch::X86_64),
        size: content.length,
        sha256: content.sha256,
    }
}

/// What one asks for who wants exactly that.
pub(crate) fn asked(statement: &Statement) -> Asked {
    Asked {
        file: statement.file.clone(),
        product: statement.product.clone(),
        version: statement.version.clone(),
        channel: statement.channel.clone(),
        arch: statement.arch,
    }
}

/// Runs the stock tool and answers its questions for a password.
pub(crate) fn minisign_with_password(dir: &Path, args: &[&str], password: &str) -> Output {
    let mut command = Command::new("minisign");
    let piped = std::process::Stdio::piped;
    command
        .current_dir(dir)
        .args(args)
        .stdin(piped())
        .stdout(piped())
        .stderr(piped());
    let mut child = command
        .spawn()
        .expect("`minisign` must be installed: apt-get install minisign");
    writeln!(child.stdin.take().unwrap(), "{password}\n{password}").unwrap();
    child.wait_with_output().unwrap()
}
