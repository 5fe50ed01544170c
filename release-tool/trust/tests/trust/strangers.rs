//! Strangers' programs: OpenSSL, and those in Python that `ci/strangers-venv` installs. Without them these tests fail.

use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::sync::OnceLock;

pub(crate) fn repository() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../..")
}

fn python() -> &'static Path {
    static PYTHON: OnceLock<PathBuf> = OnceLock::new();
    PYTHON.get_or_init(|| {
        let script = repository().join("ci/strangers-venv");
        let output = Command::new(script)
            .stderr(Stdio::inherit())
            .output()
            .expect("ci/strangers-venv must run: apt-get install python3 python3-pip");
        assert!(
            output.status.success(),
            "ci/strangers-venv failed: {}",
            output.status
        );
        let venv = String::from_utf8(output.stdout).unwrap();
        Path::new(venv.trim_end()).join("bin/python")
    })
}

/// Runs one of the scripts beside this file and returns what it prints; what it raises otherwise.
pub(crate) fn run_python(script: &str, args: &[&Path]) -> Result<String, String> {
    let script = Path::new(env!("CARGO_MANIFEST_DIR"))
        .join("tests/trust/strangers")
        .join(script);
    let mut command = Command::new(python());
    command.arg("-I").arg(script).args(args).stdin(Stdio::null());
    let output = command.output().unwrap();
    let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
    if output.status.success() {
        Ok(text(&output.stdout))
    } else {
        Err(text(&output.stdout) + &text(&output.stderr))
    }
}

/// Whether OpenSSL accepts an Ed25519 signature of a file by the key of a PEM file.
pub(crate) fn openssl_verifies(key: &Path, file: &Path, signature: &Path) -> bool {
    let mut command = Command::new("openssl");
    command
        .args(["pkeyutl", "-verify", "-pubin", "-rawin", "-inkey"])
        .arg(key);
    command.arg("-in").arg(file).arg("-sigfile").arg(signature);
    let output = command
        .output()
        .expect("`openssl` must be installed: apt-get install openssl");
    let said = String::from_utf8_lossy(&output.stdout).into_owned();
    match output.status.success() {
        true => assert!(said.contains("Signature Verified Successfully"), "{said}"),
        false => assert!(said.contains("Signature Verification Failure"), "{said}"),
    }
    output.status.success()
}
