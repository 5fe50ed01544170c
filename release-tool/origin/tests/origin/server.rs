//! The server's contract with clients and caches.

use crate::fixture::{NOW, PRODUCT, PUBLIC, Project, name, texts, version};
use crate::serving::Serving;
use std::fs;
use std::io::{Read, Write};
use std::net::{SocketAddr, TcpStream};
use vrel_origin::{DEFAULT_ADDRESS, DownloadRequest, HttpLimits, HttpOrigin, OriginError, download};
use vrel_world::RealWorld;

const ISO: &str = "/releases/0.6.0-rc1/os-x86_64.iso";

#[test]
fn a_release_is_verified_and_downloaded_over_http() {
    let project = Project::with_release();
    let serving = Serving::start(&project.origin_dir());
    for url in [serving.url(), format!("{}/", serving.url())] {
        let origin = HttpOrigin::new(&project.world, &url, HttpLimits::default()).unwrap();
        let report = project.verify_at(&origin, "0.6.0-rc1", PUBLIC, NOW);
        assert!(
            report.is_good() && report.good.len() == 6,
            "{:#?}",
            texts(&report)
        );
    }
    let origin = HttpOrigin::new(&project.world, &serving.url(), HttpLimits::default()).unwrap();
    let to = project.dir.path().join("got.iso");
    let request = DownloadRequest {
        trust: project.trust(),
        product: PRODUCT,
        version: &version("0.6.0-rc1"),
        artifact: &name("os-x86_64.iso"),
    };
    download(&project.world, &origin, &request, &to, &|_| {}).unwrap();
    assert_eq!(
        fs::read(to).unwrap(),
        fs::read(project.file("0.6.0-rc1", "os-x86_64.iso")).unwrap()
    );
    let report = project.verify_at(&origin, "0.7.0", PUBLIC, NOW);
    assert!(
        texts(&report)[0].contains("has no releases/0.7.0/manifest.json.minisig"),
        "{:#?}",
        texts(&report)
    );
}

#[test]
fn immutable_files_are_cached_for_ever_and_the_pointer_never_blindly() {
    let project = Project::with_release();
    let serving = Serving::start(&project.origin_dir());
    let forever = "public, max-age=31536000, immutable";
    for (path, cache, kind) in [
        ("/pointer.json", "no-cache", "application/json"),
        (ISO, forever, "application/x-iso9660-image"),
        ("/releases/0.6.0-rc1/os-src.tar.zst", forever, "application/zstd"),
        (
            "/releases/0.6.0-rc1/os-src.tar.zst.minisig",
            forever,
            "text/plain; charset=utf-8",
        ),
        (
            "/releases/0.6.0-rc1/SHA256SUMS",
            forever,
            "text/plain; charset=utf-8",
        ),
        ("/releases/0.6.0-rc1/manifest.json", forever, "application/json"),
        (
            "/releases/0.6.0-rc1/release-notes.md",
            forever,
            "text/markdown; charset=utf-8",
        ),
    ] {
        let reply = serving.request(&format!("GET {path}"), &[]);
        assert_eq!(reply.status(), 200, "{path}");
        assert_eq!(
            (reply.header("cache-control"), reply.header("content-type")),
            (cache, kind),
            "{path}"
        );
        assert_eq!(reply.header("x-content-type-options"), "nosniff");
        assert_eq!(reply.header("content-length"), reply.body.len().to_string());
        assert_eq!(
            reply.body,
            fs::read(project.origin_dir().join(&path[1..])).unwrap()
        );
    }
    // A cached "not found" would hide a release that is published later.
    let missing = serving.request("GET /releases/0.7.0/manifest.json", &[]);
    assert_eq!(
        (missing.status(), missing.header("cache-control")),
        (404, "no-store")
    );
}

#[test]
fn ranges_and_conditions_work() {
    let project = Project::with_release();
    let serving = Serving::start(&project.origin_dir());
    let content = fs::read(project.file("0.6.0-rc1", "os-x86_64.iso")).unwrap();
    let get = |header: &str| serving.request(&format!("GET {ISO}"), &[header]);

    let reply = get("Range: bytes=100-199");
    assert_eq!(
        (reply.status(), reply.header("content-range")),
        (206, "bytes 100-199/1500000")
    );
    assert_eq!(reply.body, content[100..200]);
    assert_eq!(
        reply.header("cache-control"),
        "public, max-age=31536000, immutable"
    );
    assert_eq!(get("Range: bytes=1499990-").body, content[1_499_990..]);
    assert_eq!(get("Range: bytes=-5").body, content[1_499_995..]);
    let reply = get("Range: bytes=1500000-");
    assert_eq!(
        (reply.status(), reply.header("content-range")),
        (416, "bytes */1500000")
    );

    let head = serving.request(&format!("HEAD {ISO}"), &[]);
    assert_eq!((head.status(), head.header("content-length")), (200, "1500000"));
    assert_eq!(head.header("accept-ranges"), "bytes");
    assert!(head.body.is_empty());

    let tag = head.header("etag").to_owned();
    assert!(tag.starts_with('"') && tag.len() > 2, "{head:?}");
    let reply = get(&format!("If-None-Match: {tag}"));
    assert_eq!((reply.status(), reply.body.len()), (304, 0));
    assert_eq!(get("If-None-Match: \"other\"").status(), 200);

    // A pointer that was replaced is another one, also when that happened within the same second.
    let pointer = |header: &[&str]| serving.request("GET /pointer.json", header);
    let tag = format!("If-None-Match: {}", pointer(&[]).header("etag"));
    assert_eq!(pointer(&[&tag]).status(), 304);
    let path = project.origin_dir().join("pointer.json");
    let other = fs::read_to_string(&path)
        .unwrap()
        .replace("\"version\":1}", "\"version\":2}");
    fs::write(project.dir.path().join("new"), other).unwrap();
    fs::rename(project.dir.path().join("new"), &path).unwrap();
    assert_eq!(pointer(&[&tag]).status(), 200);
}

#[test]
fn nothing_but_published_objects_is_served() {
    let project = Project::with_release();
    let dir = project.origin_dir();
    for hidden in [
        ".pointer.lock",
        "releases/0.6.0-rc1/.vrel-tmp-x",
        "releases/0.6.0-rc1/a b",
    ] {
        fs::write(dir.join(hidden), "hidden").unwrap();
    }
    fs::write(dir.join("index.html"), "index").unwrap();
    let serving = Serving::start(&dir);
    let paths = [
        "/",
        "/.pointer.lock",
        "/releases/0.6.0-rc1/.vrel-tmp-x",
        "/releases/0.6.0-rc1/%2evrel-tmp-x",
        "/releases/0.6.0-rc1/a%20b",
        "/releases",
        "/releases/",
        "/releases/0.6.0-rc1",
        "/releases/0.6.0-rc1/",
        "/../release.key",
        "/releases/../../release.key",
        "/%2e%2e/release.key",
        "/..%2frelease.key",
        "/releases/..%5c..%5crelease.key",
        "//etc/passwd",
        "/releases//0.6.0-rc1/SHA256SUMS",
        "/releases/0.6.0-rc1/SHA256SUMS%00",
        "/pointer.json/",
        "/pointer%2ejson",
        "/./pointer.json",
    ];
    assert!(dir.join("../release.key").exists());
    for path in paths {
        let reply = serving.request(&format!("GET {path}"), &[]);
        assert_eq!(
            (reply.status(), reply.header("cache-control")),
            (404, "no-store"),
            "{path}"
        );
        assert!(reply.body.is_empty(), "{path}");
    }
    for method in ["POST", "PUT", "DELETE", "PATCH"] {
        assert_eq!(
            serving
                .request(&format!("{method} /pointer.json"), &["Content-Length: 0"])
                .status(),
            405
        );
    }
    let query = serving.request("GET /pointer.json?x=..", &[]);
    assert_eq!(query.status(), 200);
}

#[test]
fn who_downloads_may_finish_when_the_server_stops() {
    let project = Project::new();
    // Larger than what the system buffers, so that the answer is on its way when the server is asked to stop.
    let big: Vec<u8> = (0..32_000_000_u32).map(|at| (at >> 7) as u8).collect();
    project.put_raw(&version("0.6.0"), "big", &big);
    let mut serving = Serving::start(&project.origin_dir());
    let mut stream = TcpStream::connect(serving.address).unwrap();
    write!(
        stream,
        "GET /releases/0.6.0/big HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n"
    )
    .unwrap();
    let mut start = [0; 1000];
    stream.read_exact(&mut start).unwrap();
    serving.ask_to_stop();
    let mut reply = start.to_vec();
    stream.read_to_end(&mut reply).unwrap();
    assert!(
        reply.ends_with(&big[big.len() - 1000..]) && reply.len() > big.len(),
        "{}",
        reply.len()
    );
    serving.join();
    assert!(TcpStream::connect(serving.address).is_err());
}

#[test]
fn a_server_needs_an_origin_and_a_free_address() {
    let project = Project::new();
    let world = RealWorld::default();
    let any = SocketAddr::from(([127, 0, 0, 1], 0));
    let missing = vrel_origin::serve(&world, &project.dir.path().join("no"), any, &|_| {}).unwrap_err();
    assert!(matches!(missing, OriginError::NoOrigin { .. }), "{missing}");
    let serving = Serving::start(&project.origin_dir());
    let taken = vrel_origin::serve(&world, &project.origin_dir(), serving.address, &|_| {}).unwrap_err();
    assert!(
        taken
            .to_string()
            .starts_with(&format!("cannot listen on {}: ", serving.address)),
        "{taken}"
    );
    assert!(DEFAULT_ADDRESS.ip().is_loopback());
}
