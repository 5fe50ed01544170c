//! The same over HTTP on loopback, with git's own server program.

use crate::{Frozen, run};
use std::io::{BufRead, BufReader, Read, Write};
use std::net::{TcpListener, TcpStream};
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

/// Serves the repositories below a directory, and answers with the address. It lives as long as the test's process.
fn serve(root: &Path) -> String {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = listener.local_addr().unwrap();
    let root = root.to_owned();
    std::thread::spawn(move || {
        for stream in listener.incoming() {
            let (stream, root) = (stream.unwrap(), root.clone());
            std::thread::spawn(move || answer(stream, &root));
        }
    });
    format!("http://{address}")
}

/// Calls git-http-backend, which is a CGI program (RFC 3875), for one request.
fn answer(mut stream: TcpStream, root: &Path) {
    let mut reader = BufReader::new(stream.try_clone().unwrap());
    let mut lines = Vec::new();
    loop {
        let mut line = String::new();
        reader.read_line(&mut line).unwrap();
        if line.trim().is_empty() {
            break;
        }
        lines.push(line.trim().to_owned());
    }
    let mut request = lines[0].split(' ');
    let (method, target) = (request.next().unwrap(), request.next().unwrap());
    let (path, query) = target.split_once('?').unwrap_or((target, ""));
    let header = |name: &str| {
        let mut headers = lines[1..].iter().filter_map(|line| line.split_once(": "));
        headers
            .find(|(key, _)| key.eq_ignore_ascii_case(name))
            .map_or("", |(_, value)| value)
            .to_owned()
    };
    let mut body = vec![0; header("content-length").parse().unwrap_or(0)];
    reader.read_exact(&mut body).unwrap();
    let exec_path = Command::new("git").arg("--exec-path").output().unwrap().stdout;
    let backend = PathBuf::from(String::from_utf8(exec_path).unwrap().trim()).join("git-http-backend");
    let mut child = Command::new(backend)
        .envs([
            ("GIT_HTTP_EXPORT_ALL", "1"),
            ("REMOTE_USER", "tester"),
            ("REMOTE_ADDR", "127.0.0.1"),
        ])
        .envs([
            ("GIT_CONFIG_GLOBAL", "/dev/null"),
            ("GIT_CONFIG_SYSTEM", "/dev/null"),
        ])
        .env("GIT_PROJECT_ROOT", root)
        .envs([
            ("REQUEST_METHOD", method),
            ("PATH_INFO", path),
            ("QUERY_STRING", query),
        ])
        .env("CONTENT_TYPE", header("content-type"))
        .env("CONTENT_LENGTH", body.len().to_string())
        .env("HTTP_CONTENT_ENCODING", header("content-encoding"))
        .env("GIT_PROTOCOL", header("git-protocol"))
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::null())
        .spawn()
        .unwrap();
    let mut input = child.stdin.take().unwrap();
    std::thread::spawn(move || drop(input.write_all(&body)));
    let output = child.wait_with_output().unwrap().stdout;
    let text = String::from_utf8_lossy(&output);
    let status = text
        .lines()
        .find_map(|line| line.strip_prefix("Status: "))
        .unwrap_or("200 OK")
        .to_owned();
    stream
        .write_all(format!("HTTP/1.0 {status}\r\n").as_bytes())
        .unwrap();
    stream.write_all(&output).unwrap();
}

#[test]
fn the_rule_holds_over_http_as_well() {
    let frozen = Frozen::new();
    // What comes is kept as one pack, as git does with larger pushes.
    run("git", &frozen.remote(), &["config", "receive.unpackLimit", "1"]).ends(0, &[]);
    let url = serve(frozen.scene.base());
    frozen.git(&["remote", "set-url", "origin", &format!("{url}/remote.git")]);
    frozen
        .vrel(&["freeze", "start", "0.6", "--reason", "r", "--yes"])
        .ends(0, &["0.6 is frozen since"]);
    assert!(frozen.on_remote("records").is_some() && frozen.on_remote("release/0.6").is_some());
    frozen.git(&["switch", "-q", "release/0.6"]);
    frozen.commit("fix: a", "os/a");
    frozen.push(&["release/0.6"]).ends(0, &[]);
    let feature = frozen.commit("feat: b", "os/b");
    frozen
        .push(&["release/0.6"])
        .ends(1, &[&feature[..12], "freeze-fixes-only"]);
    // What the hook of the remote says reaches the person whose record is refused.
    frozen
        .vrel(&["hook", "uninstall", frozen.remote().to_str().unwrap()])
        .ends(0, &[]);
    let hook = frozen.remote().join("hooks/pre-receive");
    std::fs::write(&hook, "#!/bin/sh\necho 'closed for the holidays' >&2\nexit 1\n").unwrap();
    std::fs::set_permissions(&hook, std::os::unix::fs::PermissionsExt::from_mode(0o755)).unwrap();
    let before = frozen.on_remote("records");
    let end = frozen.vrel(&["freeze", "end", "0.6", "--reason", "r", "--yes"]);
    end.ends(3, &["closed for the holidays", "nothing was recorded"]);
    assert_eq!(frozen.on_remote("records"), before);
}
