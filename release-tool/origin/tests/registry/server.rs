//! The registry that people run, on the loopback interface.

use std::fs;
use std::io::{BufRead, BufReader};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::thread::JoinHandle;

pub(crate) const USER: &str = "releaser";
pub(crate) const PASSWORD: &str = "correct horse";

/// USER's line in a password file: PASSWORD with bcrypt.
const HTPASSWD: &str = "releaser:$2b$04$E/vr7p9UFz1Oo3Z4c5xr3OaHVqr2lW.SVGkoDDvVGnNOqx71mlfse\n";

/// A running registry; it ends with the test.
pub(crate) struct Server {
    child: Child,
    log: Option<JoinHandle<()>>,
    pub(crate) address: String,
    data: PathBuf,
}

impl Server {
    /// Starts a registry that keeps its data in `dir` and lets in everybody, or only USER.
    pub(crate) fn start(dir: &Path, guarded: bool) -> Self {
        let data = dir.join("data");
        let mut config = format!(
            "version: 0.1\nlog: {{level: info, formatter: text}}\nhttp: {{addr: '127.0.0.1:0', secret: test}}\n\
             storage: {{filesystem: {{rootdirectory: '{}'}}}}\n",
            data.display()
        );
        if guarded {
            let passwords = dir.join("htpasswd");
            fs::write(&passwords, HTPASSWD).unwrap();
            let path = passwords.display();
            config.push_str(&format!("auth: {{htpasswd: {{realm: test, path: '{path}'}}}}\n"));
        }
        let path = dir.join("config.yml");
        fs::write(&path, config).unwrap();
        let mut child = Command::new("docker-registry")
            .arg("serve")
            .arg(path)
            .stdout(Stdio::null())
            .stderr(Stdio::piped())
            .spawn()
            .unwrap_or_else(|error| panic!("docker-registry: {error}"));
        let mut lines = BufReader::new(child.stderr.take().unwrap()).lines();
        let mut said = String::new();
        let address = lines.by_ref().map_while(Result::ok).find_map(|line| {
            said.push_str(&line);
            let rest = line.split_once("msg=\"listening on ")?.1;
            Some(rest.split_once('"')?.0.to_owned())
        });
        let address = address.unwrap_or_else(|| panic!("the registry does not listen: {said}"));
        // It stops when nobody reads what it says.
        let log = std::thread::spawn(move || lines.map_while(Result::ok).for_each(drop));
        Self {
            child,
            log: Some(log),
            address,
            data,
        }
    }

    /// The file in which it keeps a blob.
    pub(crate) fn blob(&self, digest: &str) -> PathBuf {
        let blobs = self.data.join("docker/registry/v2/blobs/sha256");
        blobs.join(&digest[..2]).join(digest).join("data")
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
        if let Some(log) = self.log.take() {
            let _ = log.join();
        }
    }
}
