//! What a registry can do to a client that pushes to it.

use crate::image::{version, write_image};
use std::io::{BufRead, BufReader, Read, Write};
use std::net::{TcpListener, TcpStream};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread::JoinHandle;
use std::time::Duration;
use vrel_origin::{Credentials, HttpLimits, OriginError, Registry};
use vrel_world::RealWorld;

/// What a server answers to a request line, as head and body; `None` for nothing at all.
type Answer = dyn Fn(&str) -> Option<(String, String)> + Send + Sync;

/// A server with any answers; it ends with the test.
struct Server {
    address: String,
    stop: Arc<AtomicBool>,
    thread: Option<JoinHandle<()>>,
}

impl Server {
    fn start(answer: Box<Answer>) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let address = listener.local_addr().unwrap().to_string();
        let stop = Arc::new(AtomicBool::new(false));
        let stopped = stop.clone();
        let thread = std::thread::spawn(move || {
            std::thread::scope(|scope| {
                for stream in listener.incoming().map_while(Result::ok) {
                    if stopped.load(Ordering::Relaxed) {
                        return;
                    }
                    // A client that is gone has got what it wanted.
                    scope.spawn(|| serve(stream, &*answer).unwrap_or_default());
                }
            });
        });
        Self {
            address,
            stop,
            thread: Some(thread),
        }
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        self.stop.store(true, Ordering::Relaxed);
        // Wakes the thread up.
        drop(TcpStream::connect(&self.address));
        self.thread.take().unwrap().join().unwrap();
    }
}

/// Serves one request of a connection.
fn serve(stream: TcpStream, answer: &Answer) -> std::io::Result<()> {
    let mut reader = BufReader::new(stream);
    let mut line = String::new();
    reader.read_line(&mut line)?;
    let mut length = 0;
    loop {
        let mut header = String::new();
        reader.read_line(&mut header)?;
        let header = header.trim().to_ascii_lowercase();
        if header.is_empty() {
            break;
        }
        if let Some(value) = header.strip_prefix("content-length:") {
            length = value.trim().parse().unwrap();
        }
    }
    std::io::copy(&mut (&mut reader).take(length), &mut std::io::sink())?;
    match answer(line.trim()) {
        Some((head, body)) => {
            let length = body.len();
            write!(
                reader.get_mut(),
                "HTTP/1.1 {head}\r\nConnection: close\r\nContent-Length: {length}\r\n\r\n{body}"
            )
        }
        // Silence, until the client goes away.
        None => reader.read_to_end(&mut Vec::new()).map(drop),
    }
}

fn ok(body: &str) -> Option<(String, String)> {
    Some(("200 OK".to_owned(), body.to_owned()))
}

/// What becomes of a push to such a registry.
fn push(answer: Box<Answer>) -> OriginError {
    let dir = tempfile::tempdir().unwrap();
    let archive = dir.path().join("image.tar");
    let written = write_image(&archive, 1);
    let server = Server::start(answer);
    let world = RealWorld::default();
    let repository = format!("http://{}/a/b", server.address).parse().unwrap();
    let credentials = Credentials::Password {
        user: "releaser".to_owned(),
        password: "correct horse".to_owned(),
    };
    let limits = HttpLimits {
        connect: Duration::from_secs(5),
        span: Duration::from_millis(300),
        least: 1000,
    };
    let registry = Registry::new(&world, repository, credentials, limits).unwrap();
    let pushed = registry.push(&archive);
    pushed
        .and_then(|_| registry.tag(&version(), written.index).map(drop))
        .unwrap_err()
}

#[test]
fn what_it_says_that_it_has_is_read_and_compared() {
    let error = push(Box::new(|_| ok("something else")));
    assert!(matches!(error, OriginError::RegistryDigest { .. }), "{error}");
    assert!(
        error
            .to_string()
            .contains("/a/b: a stored blob: expected sha256 "),
        "{error}"
    );
}

#[test]
fn what_it_took_and_lost_is_missed() {
    let error = push(Box::new(|line| match line.split(' ').next().unwrap() {
        "HEAD" => Some(("404 Not Found".to_owned(), String::new())),
        "POST" => Some(("202 Accepted\r\nLocation: /v2/a/b/up".to_owned(), String::new())),
        "PUT" => Some(("201 Created\r\nLocation: /v2/a/b/blob".to_owned(), String::new())),
        _ if line.starts_with("GET /v2/ ") => ok("{}"),
        _ => Some(("404 Not Found".to_owned(), "lost".to_owned())),
    }));
    assert!(matches!(error, OriginError::RegistryFailed { .. }), "{error}");
    assert!(
        error.to_string().contains("giving back sha256:") && error.to_string().contains("lost"),
        "{error}"
    );
}

#[test]
fn silence_ends() {
    let error = push(Box::new(|_| None));
    assert!(matches!(error, OriginError::Stalled { bytes: 0, .. }), "{error}");
    assert!(error.to_string().contains("/a/b (logging in)"), "{error}");
}

#[test]
fn an_error_is_passed_on_in_its_own_words_without_the_password() {
    let words = "disk full, dear user with the password correct horse";
    let error = push(Box::new(move |line| {
        if line.starts_with("GET /v2/ ") {
            return ok("{}");
        }
        if line.starts_with("HEAD ") {
            return Some(("404 Not Found".to_owned(), String::new()));
        }
        Some(("507 Insufficient Storage".to_owned(), words.to_owned()))
    }));
    assert!(matches!(error, OriginError::RegistryFailed { .. }), "{error}");
    let text = format!("{error} {error:?}");
    assert!(text.contains("507") && text.contains("disk full"), "{text}");
    assert!(!text.contains("horse"), "{text}");
}

#[test]
fn a_refusal_is_not_taken_for_an_absence() {
    let error = push(Box::new(|line| {
        if line.starts_with("GET /v2/ ") {
            return ok("{}");
        }
        Some(("403 Forbidden".to_owned(), "no".to_owned()))
    }));
    assert!(matches!(error, OriginError::RegistryDenied { .. }), "{error}");
}
