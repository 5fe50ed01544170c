//! The same over ssh on loopback, with a real server whose keys are made for the test and thrown away with it.

use crate::{Frozen, Ran, run};
use std::fs;
use std::net::{TcpListener, TcpStream};
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

/// A server that lets in the test's own key, and runs nothing but what git asks for.
struct Server {
    child: Child,
    port: u16,
    user: String,
    dir: PathBuf,
}

impl Drop for Server {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

fn keygen(path: &Path) {
    let args = [
        "-q",
        "-t",
        "ed25519",
        "-N",
        "",
        "-C",
        "",
        "-f",
        path.to_str().unwrap(),
    ];
    run("ssh-keygen", Path::new("/"), &args).ends(0, &[]);
}

/// Where a program lies. A server wants to be called by its whole path, and the client is called where nothing is in the
/// search path but what the scene acts.
fn program(name: &str) -> PathBuf {
    let path = std::env::var_os("PATH").unwrap_or_default();
    let mut dirs: Vec<PathBuf> = std::env::split_paths(&path).collect();
    dirs.extend(["/usr/sbin", "/usr/bin"].map(PathBuf::from));
    let mut found = dirs.into_iter().map(|dir| dir.join(name));
    let found = found.find(|program| program.exists());
    found.unwrap_or_else(|| panic!("there is no {name}: `vrel doctor --install --for test`"))
}

fn script(path: &Path, text: &str) {
    fs::write(path, format!("#!/bin/sh\n{text}")).unwrap();
    fs::set_permissions(path, PermissionsExt::from_mode(0o755)).unwrap();
}

impl Server {
    /// Serves on a free port of the loopback interface, as whoever runs the test.
    fn start(base: &Path) -> Self {
        let dir = base.join("ssh");
        fs::create_dir(&dir).unwrap();
        fs::set_permissions(&dir, PermissionsExt::from_mode(0o700)).unwrap();
        let (host, user_key) = (dir.join("host"), dir.join("user"));
        keygen(&host);
        keygen(&user_key);
        // Every session says which process serves it, so that a test can end it.
        let session = dir.join("session");
        script(
            &session,
            &format!(
                "echo $PPID > '{0}/serving'\nexport GIT_CONFIG_GLOBAL=/dev/null GIT_CONFIG_SYSTEM=/dev/null\n\
                 exec sh -c \"$SSH_ORIGINAL_COMMAND\"\n",
                dir.display()
            ),
        );
        let public = fs::read_to_string(dir.join("user.pub")).unwrap();
        let allowed = format!("restrict,command=\"{}\" {public}", session.display());
        fs::write(dir.join("allowed"), allowed).unwrap();
        let id = run("id", base, &["-un"]);
        let user = id.ends(0, &[]).stdout.trim().to_owned();
        if run("id", base, &["-u"]).stdout.trim() == "0" {
            // A server of the superuser keeps what is not logged in yet in an empty directory.
            fs::create_dir_all("/run/sshd").unwrap();
        }
        for _ in 0..5 {
            // Whoever takes the port between this and the server's start makes that fail, and the next one is tried.
            let port = TcpListener::bind("127.0.0.1:0")
                .unwrap()
                .local_addr()
                .unwrap()
                .port();
            let config = format!(
                "ListenAddress 127.0.0.1\nPort {port}\nHostKey {0}/host\nPidFile none\nAuthorizedKeysFile {0}/allowed\n\
                 StrictModes no\nUsePAM no\nPasswordAuthentication no\nKbdInteractiveAuthentication no\n\
                 PermitRootLogin yes\nAllowTcpForwarding no\nX11Forwarding no\n",
                dir.display()
            );
            fs::write(dir.join("sshd_config"), config).unwrap();
            let log = fs::File::create(dir.join("log")).unwrap();
            let mut child = Command::new(program("sshd"))
                .args(["-D", "-e", "-f"])
                .arg(dir.join("sshd_config"))
                .stdin(Stdio::null())
                .stdout(Stdio::null())
                .stderr(log)
                .spawn()
                .unwrap();
            if listens(&mut child, port) {
                let server = Self {
                    child,
                    port,
                    user,
                    dir,
                };
                server.trust();
                return server;
            }
            let _ = child.kill();
            let _ = child.wait();
        }
        panic!("no sshd: {}", fs::read_to_string(dir.join("log")).unwrap());
    }

    /// Writes what the client needs: the host's key, its own key, and nothing of the person who runs the test.
    fn trust(&self) {
        let dir = &self.dir;
        let host = fs::read_to_string(dir.join("host.pub")).unwrap();
        fs::write(dir.join("known"), format!("[127.0.0.1]:{} {host}", self.port)).unwrap();
        let config = format!(
            "Host *\n  IdentityFile {0}/user\n  IdentitiesOnly yes\n  IdentityAgent none\n  UserKnownHostsFile {0}/known\n  \
             GlobalKnownHostsFile /dev/null\n  StrictHostKeyChecking yes\n  BatchMode yes\n  LogLevel ERROR\n",
            dir.display()
        );
        fs::write(dir.join("config"), config).unwrap();
    }

    /// Makes a scene reach its remote by ssh alone.
    fn serves(&self, frozen: &Frozen) {
        let remote = frozen.remote();
        let url = format!("ssh://{}@127.0.0.1:{}{}", self.user, self.port, remote.display());
        frozen.git(&["remote", "set-url", "origin", &url]);
        let config = self.dir.join("config");
        frozen.git(&[
            "config",
            "core.sshCommand",
            &format!("{} -F '{}'", program("ssh").display(), config.display()),
        ]);
    }

    /// The next push is lost: the server's side dies when the refs are written, before it says so. Pushes after it get
    /// through.
    fn lose_the_next_reply(&self, remote: &Path) {
        fs::write(self.dir.join("lose"), "").unwrap();
        let hook = format!(
            "[ \"$1\" = committed ] && rm '{0}/lose' 2>/dev/null || exit 0\ncat >/dev/null\nkill -9 $(cat '{0}/serving')\n\
             echo lost >> '{0}/lost'\n",
            self.dir.display()
        );
        script(&remote.join("hooks/reference-transaction"), &hook);
    }

    /// How many replies were lost.
    fn lost(&self) -> usize {
        fs::read_to_string(self.dir.join("lost"))
            .unwrap_or_default()
            .lines()
            .count()
    }

    fn log(&self) -> String {
        fs::read_to_string(self.dir.join("log")).unwrap()
    }
}

/// Waits until the server answers; `false` when it ended instead.
fn listens(child: &mut Child, port: u16) -> bool {
    let began = Instant::now();
    while began.elapsed() < Duration::from_secs(30) {
        if child.try_wait().unwrap().is_some() {
            return false;
        }
        if TcpStream::connect(("127.0.0.1", port)).is_ok() {
            return true;
        }
        std::thread::sleep(Duration::from_millis(20));
    }
    false
}

const FREEZE: [&str; 6] = ["freeze", "start", "0.6", "--reason", "the way to 0.6.0", "--yes"];

#[test]
fn the_rule_holds_over_ssh_as_well() {
    let frozen = Frozen::new();
    let server = Server::start(frozen.scene.base());
    server.serves(&frozen);
    frozen.vrel(&FREEZE).ends(0, &["0.6 is frozen since"]);
    assert!(frozen.on_remote("records").is_some() && frozen.on_remote("release/0.6").is_some());
    frozen.git(&["switch", "-q", "release/0.6"]);
    frozen.commit("fix: a", "os/a");
    frozen.push(&["release/0.6"]).ends(0, &[]);
    let feature = frozen.commit("feat: b", "os/b");
    frozen
        .push(&["release/0.6"])
        .ends(1, &[&feature[..12], "freeze-fixes-only"]);
    assert!(
        server.log().contains("Accepted publickey for"),
        "{}",
        server.log()
    );
}

#[test]
fn a_host_that_is_somebody_else_gets_nothing() {
    let frozen = Frozen::new();
    let server = Server::start(frozen.scene.base());
    server.serves(&frozen);
    keygen(&server.dir.join("other"));
    let other = fs::read_to_string(server.dir.join("other.pub")).unwrap();
    fs::write(
        server.dir.join("known"),
        format!("[127.0.0.1]:{} {other}", server.port),
    )
    .unwrap();
    let refused = frozen.vrel(&FREEZE);
    assert_ne!(refused.code, Some(0), "{}", refused.stderr);
    assert!(
        refused.stderr.contains("Host key verification failed"),
        "{}",
        refused.stderr
    );
    assert_eq!(frozen.on_remote("records"), None);
}

/// Runs a command until it succeeds, as a person does whose connection is bad; with how often it ran.
fn again_and_again(frozen: &Frozen, args: &[&str]) -> (Ran, usize) {
    for times in 1..=3 {
        let ran = frozen.vrel(args);
        if matches!(ran.code, Some(0 | 10)) {
            return (ran, times);
        }
    }
    panic!("{}", frozen.vrel(args).stderr);
}

#[test]
fn a_connection_that_breaks_after_a_freeze_was_accepted_freezes_once() {
    let frozen = Frozen::new();
    let server = Server::start(frozen.scene.base());
    server.serves(&frozen);
    server.lose_the_next_reply(&frozen.remote());
    again_and_again(&frozen, &FREEZE);
    assert_eq!(server.lost(), 1, "{}", server.log());
    let status = frozen.vrel(&["freeze", "status", "0.6", "--fetch", "--json"]);
    let report = status.ends(0, &[]).json()["freezes"][0].clone();
    assert_eq!(
        (&report["state"], &report["earlier"]),
        (&"frozen".into(), &0.into()),
        "{report:#}"
    );
    let records = run("git", &frozen.remote(), &["log", "--format=%s", "records"]);
    let of_freeze = records
        .ends(0, &[])
        .stdout
        .lines()
        .filter(|subject| subject.contains("0.6"));
    assert!(
        of_freeze.count() <= 2,
        "one window and its branch: {}",
        records.stdout
    );
    assert_eq!(
        frozen.git(&["rev-parse", "records"]),
        frozen.on_remote("records").unwrap()
    );
    frozen.vrel(&FREEZE).ends(10, &["already"]);
}

#[test]
fn a_release_whose_push_was_accepted_and_not_answered_goes_on_where_it_was() {
    let frozen = Frozen::new();
    frozen.scene.install_programs();
    let server = Server::start(frozen.scene.base());
    server.serves(&frozen);
    server.lose_the_next_reply(&frozen.remote());
    let cut = ["cut-rc", "0.6.0-rc1", "--yes", "--init-origin"];
    let first = vrel(&frozen, &cut);
    if first.code != Some(0) {
        first.ends(first.code.unwrap(), &["vrel resume"]);
        vrel(&frozen, &["resume"]).ends(0, &[]);
    }
    assert_eq!(server.lost(), 1, "{}", server.log());
    let tag = frozen.on_remote("v0.6.0-rc1^{commit}").unwrap();
    assert_eq!(frozen.on_remote("release/0.6"), Some(tag));
    vrel(&frozen, &cut).ends(10, &["released already"]);
    let pointer = fs::read_to_string(frozen.scene.origin().join("pointer.json")).unwrap();
    assert!(pointer.contains("\"release\":\"0.6.0-rc1\""), "{pointer}");
}

/// The program with acted compilers and emulators.
fn vrel(frozen: &Frozen, args: &[&str]) -> Ran {
    let mut command = frozen.scene.command(Path::new(crate::VREL));
    let output = command.args(args).stdin(Stdio::null()).output().unwrap();
    Ran::new(format!("vrel {args:?}"), output)
}
