//! What a server can do to a client that reads an origin over HTTP.

use crate::fixture::{NOW, PUBLIC, Project, only, texts};
use crate::serving::{Answer, Misbehaving};
use std::io::Read;
use std::net::TcpListener;
use std::time::Duration;
use vrel_origin::{HttpLimits, HttpOrigin, ObjectPath, OriginError, OriginReader, origin_error};
use vrel_world::{Interrupt, RealWorld};

/// Fast enough for a test, and far slower than the loopback interface.
const IMPATIENT: HttpLimits = HttpLimits {
    connect: Duration::from_secs(5),
    span: Duration::from_millis(300),
    least: 1000,
};

fn object() -> ObjectPath {
    "releases/0.6.0/a".parse().unwrap()
}

/// Reads an object of 100 bytes, once as a document and once as a stream.
fn read(url: &str, limits: HttpLimits) -> [Result<Vec<u8>, OriginError>; 2] {
    let world = RealWorld::default();
    let origin = HttpOrigin::new(&world, url, limits).unwrap();
    let stream = origin.open(&object(), 100).and_then(|mut reader| {
        let mut content = Vec::new();
        reader
            .read_to_end(&mut content)
            .map_err(|error| origin_error("a", error))?;
        Ok(content)
    });
    [origin.read(&object(), 200), stream]
}

fn answer(text: String) -> Box<Answer> {
    Box::new(move |_, client| {
        // A client that is gone has got what it wanted.
        client.send(text.as_bytes());
    })
}

fn with_body(headers: &str, body: &str) -> Box<Answer> {
    answer(format!(
        "HTTP/1.1 200 OK\r\nConnection: close\r\n{headers}\r\n{body}"
    ))
}

#[track_caller]
fn both(results: [Result<Vec<u8>, OriginError>; 2], expected: &str) {
    for result in results {
        let error = result.unwrap_err();
        assert!(
            error.to_string().contains(expected),
            "expected `{expected}`: {error}"
        );
    }
}

#[test]
fn a_plain_body_is_read_with_and_without_its_length() {
    let body = "x".repeat(100);
    for headers in ["Content-Length: 100\r\n", ""] {
        let server = Misbehaving::start(with_body(headers, &body));
        for result in read(&server.url(), HttpLimits::default()) {
            assert_eq!(result.unwrap(), body.as_bytes());
        }
    }
}

#[test]
fn endless_body_ends() {
    let server = Misbehaving::start(Box::new(|_, client| {
        let mut go_on = client.send(b"HTTP/1.1 200 OK\r\n\r\n");
        while go_on {
            go_on = client.send(&[b'x'; 4096]);
        }
    }));
    let results = read(&server.url(), HttpLimits::default());
    assert!(
        results
            .iter()
            .all(|result| matches!(result, Err(OriginError::TooLong { .. }))),
        "{results:?}"
    );
}

#[test]
fn one_byte_trickle_ends() {
    let server = Misbehaving::start(Box::new(|_, client| {
        let mut go_on = client.send(b"HTTP/1.1 200 OK\r\n\r\n");
        while go_on {
            go_on = client.pause() && client.send(b"x");
        }
    }));
    // The streamed object would be complete after 2 seconds, so every limit but that on speed would let it pass.
    let results = read(&server.url(), IMPATIENT);
    assert!(
        results
            .iter()
            .all(|result| matches!(result, Err(OriginError::Stalled { .. }))),
        "{results:?}"
    );
    both(results, "expected at least 1000");
}

#[test]
fn silence_before_and_within_the_body_ends() {
    for start in ["", "HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\nxxx"] {
        let server = Misbehaving::start(Box::new(move |_, client| {
            let mut go_on = client.send(start.as_bytes());
            while go_on {
                go_on = client.pause();
            }
        }));
        let results = read(&server.url(), IMPATIENT);
        assert!(
            results
                .iter()
                .all(|result| matches!(result, Err(OriginError::Stalled { .. }))),
            "{results:?}"
        );
    }
}

#[test]
fn truncated_upload_and_short_body_with_status_200() {
    let cut = Misbehaving::start(with_body("Content-Length: 100\r\n", "short"));
    both(
        read(&cut.url(), HttpLimits::default()),
        "cannot read releases/0.6.0/a: ",
    );

    // A complete answer, only of something shorter: the length that the manifest promises decides.
    let short = Misbehaving::start(with_body("Content-Length: 5\r\n", "short"));
    let [document, stream] = read(&short.url(), HttpLimits::default());
    assert_eq!(document.unwrap(), b"short");
    assert!(matches!(
        stream,
        Err(OriginError::TooShort {
            expected: 100,
            found: 5,
            ..
        })
    ));
    let unsaid = Misbehaving::start(with_body("", "short"));
    assert!(matches!(
        read(&unsaid.url(), HttpLimits::default())[1],
        Err(OriginError::TooShort { found: 5, .. })
    ));

    let announced = Misbehaving::start(with_body("Content-Length: 1000000000000\r\n", "x"));
    let results = read(&announced.url(), HttpLimits::default());
    assert!(
        results
            .iter()
            .all(|result| matches!(result, Err(OriginError::TooLong { .. }))),
        "{results:?}"
    );
}

#[test]
fn other_statuses_are_told_apart() {
    for (status, expected) in [
        ("404 Not Found", "has no releases/0.6.0/a"),
        ("410 Gone", "has no releases/0.6.0/a"),
        ("403 Forbidden", "answered with status 403, expected 200"),
        ("500 Internal Server Error", "answered with status 500"),
        ("206 Partial Content", "answered with status 206"),
        ("204 No Content", "answered with status 204"),
    ] {
        let server = Misbehaving::start(answer(format!(
            "HTTP/1.1 {status}\r\nConnection: close\r\nContent-Length: 0\r\n\r\n"
        )));
        both(read(&server.url(), HttpLimits::default()), expected);
    }
    let server = Misbehaving::start(answer("SSH-2.0-server\r\n".to_owned()));
    both(
        read(&server.url(), HttpLimits::default()),
        "cannot read releases/0.6.0/a: ",
    );
}

#[test]
fn redirects_stay_with_the_protocol_and_come_to_an_end() {
    let redirect = |to: &str| {
        answer(format!(
            "HTTP/1.1 302 Found\r\nConnection: close\r\nLocation: {to}\r\nContent-Length: 0\r\n\r\n"
        ))
    };
    let target = Misbehaving::start(with_body("", &"x".repeat(100)));
    let good = Misbehaving::start(redirect(&format!("{}elsewhere", target.url())));
    for result in read(&good.url(), HttpLimits::default()) {
        assert_eq!(result.unwrap().len(), 100);
    }
    let around = Misbehaving::start(redirect("/releases/0.6.0/a"));
    both(
        read(&around.url(), HttpLimits::default()),
        "more than 5 redirects",
    );
    for to in ["file:///etc/passwd", "ftp://127.0.0.1/x", "gopher://127.0.0.1/"] {
        let server = Misbehaving::start(redirect(to));
        for result in read(&server.url(), HttpLimits::default()) {
            let error = result.unwrap_err();
            assert!(
                matches!(error, OriginError::Read { .. } | OriginError::Status { .. }),
                "{to}: {error}"
            );
        }
    }
}

#[test]
fn addresses_that_are_none_are_refused() {
    let world = RealWorld::default();
    for (address, expected) in [
        ("ftp://example.org/", "its scheme is `ftp`"),
        ("file:///srv/origin", "its scheme is `file`"),
        ("example.org", "relative URL without a base"),
        (
            "https://user:secret@example.org/",
            "holds a user name or password",
        ),
        ("https://example.org/?x", "has a query or a fragment"),
        ("", "relative URL"),
    ] {
        let Err(error) = HttpOrigin::new(&world, address, HttpLimits::default()) else {
            panic!("{address}")
        };
        assert!(error.to_string().contains(expected), "{error}");
    }
    let origin = HttpOrigin::new(&world, "https://example.org/mirror/os", HttpLimits::default()).unwrap();
    assert_eq!(origin.location(), "https://example.org/mirror/os/");
}

#[test]
fn a_server_that_is_not_there_and_one_without_tls() {
    let free = TcpListener::bind(("127.0.0.1", 0)).unwrap().local_addr().unwrap();
    both(
        read(&format!("http://{free}/"), HttpLimits::default()),
        "Connection refused",
    );
    let plain = Misbehaving::start(with_body("", "x"));
    let url = plain.url().replace("http:", "https:");
    both(
        read(&url, HttpLimits::default()),
        "cannot read releases/0.6.0/a: ",
    );
}

#[test]
fn a_person_can_stop_a_client_that_waits() {
    let server = Misbehaving::start(Box::new(|_, client| while client.pause() {}));
    let interrupt = Interrupt::default();
    let world = RealWorld::new(interrupt.clone(), None);
    let origin = HttpOrigin::new(&world, &server.url(), HttpLimits::default()).unwrap();
    let (begun, begin) = std::sync::mpsc::channel();
    let result = std::thread::scope(|scope| {
        let client = scope.spawn(|| {
            begun.send(()).unwrap();
            origin.read(&object(), 10)
        });
        begin.recv().unwrap();
        interrupt.set();
        client.join().unwrap()
    });
    assert!(result.unwrap_err().is_interruption());
}

/// A mirror that holds everything but plays one of the tricks above with one artifact: all else is still verified, and
/// the one problem is told.
#[test]
fn one_bad_object_does_not_hide_the_others() {
    let project = Project::with_release();
    let dir = project.origin_dir();
    let mirror = Misbehaving::start(Box::new(move |path, client| {
        let content = std::fs::read(dir.join(&path[1..])).unwrap();
        client.send(b"HTTP/1.1 200 OK\r\nConnection: close\r\n\r\n");
        let half = if path.ends_with("/os-aarch64.iso") {
            content.len() / 2
        } else {
            content.len()
        };
        client.send(&content[..half]);
    }));
    let origin = HttpOrigin::new(&project.world, &mirror.url(), HttpLimits::default()).unwrap();
    let report = project.verify_at(&origin, "0.6.0-rc1", PUBLIC, NOW);
    only(
        &texts(&report),
        "os-aarch64.iso ends after 150000 bytes, expected 300000",
    );
    assert_eq!(report.good.len(), 5);
}
