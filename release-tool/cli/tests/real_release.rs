//! A whole release with nothing acted: the real tool as a process, the real compiler, real emulators, a real git remote,
//! strangers' tools, and readers who fetch it over HTTP.

use std::collections::BTreeMap;
use std::io::{BufRead, BufReader};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Output, Stdio};
use std::time::{Duration, Instant};
use vrel_model::SmokeReport;
use vrel_testkit::published;

const VERSION: &str = "0.6.0-rc1";
const ARCHES: [&str; 3] = ["x86_64", "aarch64", "riscv64"];

/// How often the release is killed at least before it may finish.
const KILLS: usize = 20;

/// How many artifacts the release has: thirteen for each architecture, and five for all.
const ARTIFACTS: usize = 3 * 13 + 5;

/// A clone of this repository with a remote and keys of its own.
struct Site {
    dir: tempfile::TempDir,
}

fn top() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR"))
        .join("../..")
        .canonicalize()
        .unwrap()
}

fn succeed(command: &mut Command) -> String {
    let output = command
        .output()
        .unwrap_or_else(|error| panic!("{command:?}: {error}"));
    let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
    assert!(
        output.status.success(),
        "{command:?}\n{}{}",
        text(&output.stdout),
        text(&output.stderr)
    );
    text(&output.stdout)
}

fn git(dir: &Path, args: &[&str]) -> String {
    succeed(Command::new("git").arg("-C").arg(dir).args(args))
        .trim()
        .to_owned()
}

impl Site {
    fn new() -> Self {
        let site = Self {
            dir: tempfile::tempdir().unwrap(),
        };
        let (repo, remote) = (site.repo(), site.dir.path().join("remote.git"));
        git(
            site.dir.path(),
            &["init", "-q", "--bare", "-b", "main", remote.to_str().unwrap()],
        );
        // Only what is committed is released; hosted CI checks out a detached commit.
        git(
            &top(),
            &[
                "clone",
                "-q",
                "--no-checkout",
                top().to_str().unwrap(),
                repo.to_str().unwrap(),
            ],
        );
        git(
            &repo,
            &[
                "checkout",
                "-q",
                "-B",
                "main",
                &git(&top(), &["rev-parse", "HEAD"]),
            ],
        );
        git(&repo, &["remote", "set-url", "origin", remote.to_str().unwrap()]);
        for (key, value) in [
            ("user.name", "Tester"),
            ("user.email", "t@example.org"),
            ("commit.gpgSign", "false"),
            ("tag.gpgSign", "false"),
        ] {
            git(&repo, &["config", key, value]);
        }
        for role in ["release", "pointer"] {
            git(
                &repo,
                &[
                    "rm",
                    "-q",
                    "--ignore-unmatch",
                    &format!("signing/keys/{role}*.pub"),
                ],
            );
            succeed(
                site.vrel(&["keys", "generate", role, "--no-password"])
                    .stdout(Stdio::null()),
            );
        }
        git(&repo, &["add", "signing/keys"]);
        git(&repo, &["commit", "-q", "-m", "chore: trust two throw-away keys"]);
        git(&repo, &["push", "-q", "origin", "main"]);
        site
    }

    fn repo(&self) -> PathBuf {
        self.dir.path().join("repo")
    }

    fn release(&self) -> PathBuf {
        self.repo().join("origin/releases").join(VERSION)
    }

    fn vrel(&self, args: &[&str]) -> Command {
        let mut command = Command::new(env!("CARGO_BIN_EXE_vrel"));
        // The caches are shared with this repository, as `ci/demo` does: what is compiled does not depend on where.
        command
            .args(args)
            .current_dir(self.repo())
            .env("VREL_KEY_DIR", self.dir.path().join("keys"))
            .env("VREL_CACHE_DIR", top().join(".vrel/cache"))
            .env_remove("VREL_KEY_PASSWORD")
            .stdin(Stdio::null());
        command
    }

    fn run(&self, args: &[&str]) -> Output {
        self.vrel(args).output().unwrap()
    }
}

/// Small steps of a fixed pseudo-random sequence, so that a failure can be repeated.
struct Random(u64);

impl Random {
    fn below(&mut self, bound: u64) -> u64 {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        self.0 % bound
    }
}

/// Runs the command and kills it without warning after a while; `true` when it ended by itself before.
fn run_and_kill(command: &mut Command, after: Duration) -> bool {
    let mut child = command
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .spawn()
        .unwrap();
    let deadline = Instant::now() + after;
    while Instant::now() < deadline {
        if child.try_wait().unwrap().is_some() {
            return true;
        }
        std::thread::park_timeout(Duration::from_millis(5));
    }
    child.kill().unwrap();
    child.wait().unwrap();
    false
}

/// Whoever follows the pointer finds everything that it promises, verified with public keys alone.
fn check_reader(site: &Site, when: &str) {
    if site.repo().join("origin/pointer.json").exists() {
        let verified = site.run(&["verify", "origin", VERSION]);
        assert!(
            verified.status.success(),
            "{when}: {}",
            String::from_utf8_lossy(&verified.stderr)
        );
    }
}

/// Whether the journal has the step's end.
fn is_done(site: &Site, step: &str) -> bool {
    let journal = std::fs::read_to_string(site.repo().join(format!(".vrel/journal/{VERSION}.jsonl")));
    journal.is_ok_and(|text| text.contains(&format!("\"event\":\"done\",\"step\":\"{step}\"")))
}

/// Kills come in four bouts: while the system is built, while it is booted, and while it is tried in staging, which take long;
/// and in the last second, which has most of a release's effects. The first two bouts alone kill as often as is wanted.
fn kill_again_and_again(site: &Site) {
    let seed = 0x5eed_0f0d_dc0d_e001;
    let mut random = Random(seed);
    let mut kills = 0;
    let start = ["cut-rc", VERSION, "--yes", "--init-origin"];
    let command = || {
        let started = site
            .repo()
            .join(format!(".vrel/journal/{VERSION}.jsonl"))
            .exists();
        if started {
            site.vrel(&["resume"])
        } else {
            site.vrel(&start)
        }
    };
    for (until, count, bound) in [
        ("build", 8, 2000),
        ("boot", KILLS - 8, 3000),
        ("smoke", 4, 3000),
        ("announce", 10, 250),
    ] {
        for _ in 0..count {
            let after = Duration::from_millis(5 + random.below(bound));
            if run_and_kill(&mut command(), after) {
                // It ended before: that must have been a success, or nothing was left to do.
                let ended = command().output().unwrap();
                let text = String::from_utf8_lossy(&ended.stderr);
                assert!(matches!(ended.status.code(), Some(0 | 10)), "{text}");
            } else {
                kills += 1;
            }
            check_reader(site, &format!("kill {kills} of seed {seed:#x}"));
        }
        let mut running = command()
            .stdout(Stdio::null())
            .stderr(Stdio::piped())
            .spawn()
            .unwrap();
        let deadline = Instant::now() + Duration::from_secs(1200);
        while !is_done(site, until) && running.try_wait().unwrap().is_none() {
            assert!(Instant::now() < deadline, "`{until}` was not reached");
            std::thread::park_timeout(Duration::from_millis(5));
        }
        if until == "announce" {
            let ended = running.wait_with_output().unwrap();
            let text = String::from_utf8_lossy(&ended.stderr);
            assert!(matches!(ended.status.code(), Some(0 | 10)), "{text}");
        } else {
            running.kill().unwrap();
            running.wait().unwrap();
            assert!(is_done(site, until), "`{until}` was not reached");
        }
    }
    assert!(kills >= KILLS, "only {kills} of the attempts found it running");
}

fn check_once(site: &Site) {
    let again = site.run(&["cut-rc", VERSION, "--yes"]);
    assert_eq!(
        again.status.code(),
        Some(10),
        "{}",
        String::from_utf8_lossy(&again.stderr)
    );
    let staged = published(&site.repo().join("staging").join("releases").join(VERSION));
    assert!(staged == published(&site.release()), "staging has other files");
    succeed(&mut site.vrel(&["verify", "staging", VERSION]));
    let smoke = std::fs::read(site.repo().join(format!(".vrel/work/{VERSION}/smoke.json"))).unwrap();
    let smoke = SmokeReport::parse(&smoke).unwrap();
    let booted: Vec<_> = smoke.boots.iter().map(|boot| boot.arch.as_str()).collect();
    assert_eq!(booted, ARCHES);
    let pointer = std::fs::read_to_string(site.repo().join("origin/pointer.json")).unwrap();
    assert!(pointer.contains("\"version\":1}"), "{pointer}");
    let refs = git(&site.repo(), &["ls-remote", "origin"]);
    assert_eq!(
        refs.matches(&format!("refs/tags/v{VERSION}\n")).count(),
        1,
        "{refs}"
    );
    assert!(refs.contains("refs/heads/release/0.6"), "{refs}");
    assert_eq!(
        git(
            &site.repo(),
            &["show", "-s", "--format=%s", &format!("v{VERSION}^{{commit}}")]
        ),
        "chore: trust two throw-away keys"
    );
    assert_eq!(
        git(&site.repo(), &["log", "--format=%s", "-1", "main"]),
        format!("docs(plan): record {VERSION}")
    );
    assert_eq!(git(&site.repo(), &["status", "--porcelain"]), "");
    let status = succeed(&mut site.vrel(&["status"]));
    assert!(
        status.contains("published") && status.contains(&format!("beta: {VERSION}")),
        "{status}"
    );
}

fn check_with_strangers_tools(site: &Site) {
    let release = site.release();
    let key = site.repo().join("signing/keys/release.pub");
    let names: Vec<String> = published(&release).into_keys().collect();
    let signed: Vec<_> = names
        .iter()
        .filter(|name| names.contains(&format!("{name}.minisig")))
        .collect();
    assert_eq!(signed.len(), ARTIFACTS + 2, "{names:?}");
    for name in signed {
        let said = succeed(
            Command::new("minisign")
                .current_dir(&release)
                .args(["-V", "-p"])
                .arg(&key)
                .args(["-m", name]),
        );
        assert!(
            said.contains(&format!(
                "file:{name} product:veridianos version:{VERSION} channel:beta"
            )),
            "{said}"
        );
    }
    let sums =
        succeed(
            Command::new("sha256sum")
                .current_dir(&release)
                .args(["-c", "--strict", "SHA256SUMS"]),
        );
    assert_eq!(sums.lines().count(), ARTIFACTS, "{sums}");
    for arch in ARCHES {
        let image = |ending: &str| release.join(format!("veridianos-{VERSION}-{arch}{ending}"));
        let report = Command::new("xorriso")
            .arg("-indev")
            .arg(image(".iso"))
            .args(["-toc", "-report_el_torito", "plain"])
            .output();
        let report = report.unwrap();
        let text = String::from_utf8_lossy(&report.stdout).into_owned();
        assert!(report.status.success() && text.contains("UEFI"), "{text}");
        let table = succeed(Command::new("sgdisk").arg("-v").arg(image(".img")));
        assert!(table.contains("No problems found"), "{table}");
        for (format, ending) in [
            ("qcow2", ".qcow2"),
            ("vdi", ".vdi"),
            ("vmdk", "-aws.vmdk"),
            ("vpc", "-azure.vhd"),
        ] {
            let compared = succeed(
                Command::new("qemu-img")
                    .args(["compare", "-f", format, "-F", "raw"])
                    .args([image(ending), image(".img")]),
            );
            assert!(compared.contains("identical"), "{ending}: {compared}");
        }
        let esp = site.dir.path().join("esp");
        let mut disk = std::fs::read(image(".img")).unwrap();
        disk.truncate(disk.len() - (1 << 20));
        std::fs::write(&esp, &disk[1 << 20..]).unwrap();
        succeed(Command::new("fsck.vfat").arg("-n").arg(&esp));
        let listing = succeed(Command::new("mdir").args(["-b", "-/", "-i"]).arg(&esp).arg("::"));
        assert!(
            listing.contains("/veridian/kernel.elf") && listing.contains("/veridian/initrd.tar"),
            "{listing}"
        );
    }
    let tarball = release.join(format!("veridianos-{VERSION}-source.tar.zst"));
    let unpacked = site.dir.path().join("source.tar");
    succeed(
        Command::new("zstd")
            .args(["-q", "-d", "-f"])
            .arg(&tarball)
            .arg("-o")
            .arg(&unpacked),
    );
    let id = succeed(
        Command::new("git")
            .arg("get-tar-commit-id")
            .stdin(std::fs::File::open(&unpacked).unwrap()),
    );
    assert_eq!(
        id.trim(),
        git(&site.repo(), &["rev-parse", &format!("v{VERSION}^{{commit}}")])
    );
}

fn check_notes(site: &Site) {
    let notes = std::fs::read_to_string(site.release().join("release-notes.md")).unwrap();
    let headings: Vec<_> = notes
        .lines()
        .filter_map(|line| line.strip_prefix("## "))
        .collect();
    let template = [
        "Highlights",
        "New Features",
        "Improvements",
        "Bug Fixes",
        "Breaking Changes",
        "Deprecations",
        "Known Issues",
        "Contributors",
        "Upgrade Instructions",
        "Download",
    ];
    let places: Vec<_> = headings
        .iter()
        .map(|heading| template.iter().position(|known| heading.starts_with(known)))
        .map(|place| place.unwrap_or_else(|| panic!("{headings:?}")))
        .collect();
    assert!(places.is_sorted(), "{headings:?}");
    assert!(
        headings.contains(&"New Features") && headings.iter().any(|h| h.starts_with("Download")),
        "{headings:?}"
    );
    assert!(
        notes.starts_with(&format!("# VeridianOS v{VERSION} Release Notes\n")),
        "{notes}"
    );
    for noise in ["Merge branch", "chore:", "docs(plan)", "Co-authored-by", "fixup!"] {
        assert!(!notes.contains(noise), "{noise}");
    }
}

/// A server that ends with the test.
struct Server {
    child: Child,
    address: String,
}

impl Drop for Server {
    fn drop(&mut self) {
        drop(self.child.kill());
        drop(self.child.wait());
    }
}

fn serve(site: &Site) -> Server {
    let mut child = site
        .vrel(&["serve", "origin", "--address", "127.0.0.1:0"])
        .stdout(Stdio::piped())
        .spawn()
        .unwrap();
    let mut line = String::new();
    BufReader::new(child.stdout.take().unwrap())
        .read_line(&mut line)
        .unwrap();
    Server {
        child,
        address: line.trim().trim_end_matches('/').to_owned(),
    }
}

fn boot_what_is_served(site: &Site) {
    let server = serve(site);
    succeed(&mut site.vrel(&["verify", &server.address, VERSION]));
    let booted = succeed(&mut site.vrel(&[
        "boot",
        "--origin",
        &server.address,
        "--release",
        VERSION,
        "--medium",
        "disk",
        "--json",
    ]));
    let booted: serde_json::Value = serde_json::from_str(&booted).unwrap();
    let commit = git(&site.repo(), &["rev-parse", &format!("v{VERSION}^{{commit}}")]);
    let identities: Vec<_> = booted
        .as_array()
        .unwrap()
        .iter()
        .map(|one| one["identity"].as_str().unwrap())
        .collect();
    assert_eq!(
        identities,
        ARCHES.map(|arch| format!("VeridianOS {VERSION} ({commit}) {arch}"))
    );
}

/// Debian's registry on the loopback interface, which ends with the test, and its address.
fn registry(site: &Site) -> Server {
    let config = site.dir.path().join("registry.yml");
    let data = site.dir.path().join("registry");
    let text = format!(
        "version: 0.1\nlog: {{level: info, formatter: text}}\nhttp: {{addr: '127.0.0.1:0', secret: test}}\n\
         storage: {{filesystem: {{rootdirectory: '{}'}}}}\n",
        data.display()
    );
    std::fs::write(&config, text).unwrap();
    let mut child = Command::new("docker-registry")
        .arg("serve")
        .arg(&config)
        .stdout(Stdio::null())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap_or_else(|error| panic!("docker-registry: {error}"));
    let mut lines = BufReader::new(child.stderr.take().unwrap()).lines();
    let address = lines.by_ref().map_while(Result::ok).find_map(|line| {
        let rest = line.split_once("msg=\"listening on ")?.1;
        Some(rest.split_once('"')?.0.to_owned())
    });
    // It stops when nobody reads what it says.
    std::thread::spawn(move || lines.map_while(Result::ok).for_each(drop));
    Server {
        child,
        address: address.expect("the registry does not listen"),
    }
}

/// The published container image comes out of a registry as it was pushed, for every architecture.
fn push_the_container_image(site: &Site) {
    let registry = registry(site);
    let repository = format!("{}/veridianos", registry.address);
    let push = || {
        site.run(&[
            "push-image",
            VERSION,
            "--to",
            &format!("http://{repository}"),
            "--json",
        ])
    };
    let first = push();
    assert_eq!(first.status.code(), Some(0), "{first:?}");
    let pushed: serde_json::Value = serde_json::from_slice(&first.stdout).unwrap();
    let again = push();
    assert_eq!(again.status.code(), Some(10), "{again:?}");
    let layout = site.dir.path().join("image");
    succeed(
        Command::new("skopeo")
            .args([
                "copy",
                "--quiet",
                "--all",
                "--preserve-digests",
                "--src-tls-verify=false",
            ])
            .arg(format!("docker://{repository}:{VERSION}"))
            .arg(format!("oci:{}", layout.display())),
    );
    let index = std::fs::read_to_string(layout.join("index.json")).unwrap();
    let digest = pushed["index"].as_str().unwrap();
    assert!(index.contains(digest), "{index}");
    let blob = layout.join("blobs").join(digest.replace(':', "/"));
    let index: serde_json::Value = serde_json::from_slice(&std::fs::read(blob).unwrap()).unwrap();
    assert_eq!(
        index["manifests"].as_array().unwrap().len(),
        ARCHES.len(),
        "{index}"
    );
}

/// The artifacts of a release, without signatures and documents.
fn artifacts(release: &Path) -> BTreeMap<String, Vec<u8>> {
    let mut files = published(release);
    files.retain(|name, _| name.starts_with("veridianos-") && !name.ends_with(".minisig"));
    files
}

/// The same commit again: another directory, another time, other caches of crates compiled for the host excepted.
fn build_again_elsewhere(site: &Site) {
    let elsewhere = tempfile::tempdir().unwrap();
    let other = Site {
        dir: tempfile::tempdir_in(elsewhere.path()).unwrap(),
    };
    let (repo, remote) = (other.repo(), other.dir.path().join("remote.git"));
    git(
        other.dir.path(),
        &["init", "-q", "--bare", "-b", "main", remote.to_str().unwrap()],
    );
    git(
        other.dir.path(),
        &[
            "clone",
            "-q",
            "--no-checkout",
            site.repo().to_str().unwrap(),
            repo.to_str().unwrap(),
        ],
    );
    git(
        &repo,
        &["checkout", "-q", "-B", "main", &format!("v{VERSION}^{{commit}}")],
    );
    // Nobody has released it there: neither the tag nor the record is known.
    git(&repo, &["tag", "-d", &format!("v{VERSION}")]);
    git(&repo, &["update-ref", "-d", "refs/remotes/origin/records"]);
    git(&repo, &["remote", "set-url", "origin", remote.to_str().unwrap()]);
    git(&repo, &["config", "user.name", "Other"]);
    git(&repo, &["config", "user.email", "o@example.org"]);
    std::fs::create_dir(other.dir.path().join("keys")).unwrap();
    for role in ["release", "pointer"] {
        let key = format!("keys/{role}.key");
        std::fs::copy(site.dir.path().join(&key), other.dir.path().join(&key)).unwrap();
    }
    // A cache of its own for what is compiled for the system; the core libraries are the machine's.
    let cache = other.dir.path().join("cache");
    std::fs::create_dir(&cache).unwrap();
    succeed(
        Command::new("cp")
            .arg("-a")
            .arg(top().join(".vrel/cache/sysroots"))
            .arg(&cache),
    );
    let mut cut = other.vrel(&["cut-rc", VERSION, "--yes", "--init-origin", "--jobs", "3"]);
    succeed(
        cut.env("VREL_CACHE_DIR", &cache)
            .env("TZ", "Pacific/Kiritimati")
            .env("LC_ALL", "C"),
    );
    let (one, two) = (artifacts(&site.release()), artifacts(&other.release()));
    assert_eq!(one.keys().collect::<Vec<_>>(), two.keys().collect::<Vec<_>>());
    assert_eq!(one.len(), ARTIFACTS);
    for (name, bytes) in &one {
        assert!(*bytes == two[name], "{name} differs from one build to the next");
    }
}

#[test]
fn a_release_survives_everything_and_is_what_it_says() {
    let site = Site::new();
    kill_again_and_again(&site);
    check_once(&site);
    check_with_strangers_tools(&site);
    check_notes(&site);
    boot_what_is_served(&site);
    push_the_container_image(&site);
    build_again_elsewhere(&site);
}
