//! What each packer makes of fixed inputs, as digests: a packer whose bytes change without a new version would let caches
//! answer with the old ones.

use super::packers::{SIMPLE, Tools};
use super::with_tools::ALL;
use crate::compile::Compiler;
use crate::fake::{FakeWorld, toolchain};
use crate::mandoc::Mandoc;
use serde_json::{Value, json};
use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::{Path, PathBuf};
use vrel_graph::Job;
use vrel_model::toml_file;
use vrel_world::Exit;

mod inputs;

use inputs::{disk, elf, noise};

/// Packer, version, SHA-256 of all that it makes of its inputs below. Whoever changes a digest raises the version.
const GOLDEN: &[(&str, u32, &str)] = &[
    (
        "aws-import",
        1,
        "ec52a8b0d1a63cf9f28fa2bc7605d201fd03a1b7c6751fd457ec52ba218a0c6f",
    ),
    (
        "disk",
        1,
        "5725174d468a4da23b1bd033e7922ea88245775eaa0df21ab530670ccae1dc61",
    ),
    (
        "esp",
        1,
        "2cbf6a05295dd8b246df0ef8f13a1ebb31dd951574beb69a02817416e0c9a5d6",
    ),
    (
        "gcp",
        1,
        "4abe11852b0665e8647cbd576b09812aa9c9c934c3155a90db08d5fa245b7ea2",
    ),
    (
        "initrd",
        1,
        "74a79edda62c2a74bda5fdc491e86444947b16e0a7e002344c5ec14882de4e23",
    ),
    (
        "iso",
        1,
        "ffa8700fc2bd2f5325ffa3da17bc1386864bb0648beeeb64010bea33119cb797",
    ),
    (
        "kernel",
        3,
        "bd1a6d418735c8effa1c74e2fa64c1fcbbd7cb04a0ca3ba79306b062771ff4b4",
    ),
    (
        "kernel-flat",
        1,
        "91aff8ae5e8c32575b8f9d38d85fcd73f735247dd2ab5cf2f4c64ee79d08114a",
    ),
    (
        "man-pages",
        2,
        "c9b1633b910577a72a7a2ea431d85f1a8dab5d64c42cac9f0552fdb041cb7309",
    ),
    (
        "oci",
        2,
        "8691f1b82cd3546667e95d352ea06dd22ea6ea9f6256b7d83b5d702efe6e4dd1",
    ),
    (
        "ova",
        1,
        "58b265a2f533de6628a4890e08e3fe84727d7d6b948a8882a9c0d147f232c768",
    ),
    (
        "qcow2",
        1,
        "083c218f57a82369639070556dc884e7d2e79b48cf53e5b8ee03ae6eb5dd32f4",
    ),
    (
        "source",
        2,
        "8eb95908e668c6d0fa06d9ccc0cff5c009bfe459decc7388fa2062bdd0cc52df",
    ),
    (
        "strip",
        2,
        "64688157413fc0a5d8f34b9a0503e7ecc78ea7b3bfc68f5b803cb188d5721057",
    ),
    (
        "symbols",
        2,
        "f88a9f4fd0ac90763caad23e93337467f5f343262a28a66d3c98b116547dde59",
    ),
    (
        "vdi",
        1,
        "5c06caa4113e7c03dbc76f24f9f54be9920d5ac1ef9393b6c65af8f3bf02a07e",
    ),
    (
        "vendor",
        2,
        "c8585a3fc3a77c3e15d0be75d75fb1c0b79281bd3293a834fd428e054023c932",
    ),
    (
        "vhd",
        1,
        "e198a8a97048682d468aa74b283435e957a9d77ce9eb0733e71eea119a67a771",
    ),
    (
        "vmdk",
        1,
        "cc96adb943c96cd78c29cdc09932d43e99af2f36e1ae64c799a100926575839a",
    ),
];

/// Packers whose bytes are those of a program of the machine, and are a part of their inputs.
const OF_PROGRAMS: &[(&str, &str)] = &[
    ("cargo", "the compiler's"),
    ("api-docs", "the compiler's, by its documentation tool"),
];

/// The time in archives.
const TIME: i64 = 1_700_000_000;

/// Fixed parameters and inputs of a packer, and the names of its outputs.
struct Given {
    params: Value,
    inputs: Vec<(&'static str, Vec<u8>)>,
    outputs: &'static [&'static str],
}

fn given(packer: &str) -> Given {
    let image = json!({
        "product": "veridianos", "product_name": "VeridianOS", "version": "0.6.0-rc1", "arch": "aarch64", "time": TIME,
    });
    let portable = json!({
        "product": "veridianos", "product_name": "VeridianOS", "version": "0.6.0-rc1", "time": TIME,
        "commit": "0123456789abcdef0123456789abcdef01234567",
        "zstd": {"level": 12, "window_log": null, "workers": 2},
    });
    let with = |mut params: Value, more: Value| {
        let more: serde_json::Map<String, Value> = serde_json::from_value(more).unwrap();
        params.as_object_mut().unwrap().extend(more);
        params
    };
    let boot = || {
        vec![
            ("loader", noise(1, 30_000)),
            ("kernel", noise(2, 90_000)),
            ("initrd", noise(3, 50_000)),
        ]
    };
    let loader = json!({"loader_file": "BOOTAA64.EFI", "size": 2 << 20, "esp_size": 2 << 20, "bios": false});
    let of_disk = |more| (with(image.clone(), more), vec![("disk", disk())]);
    let elf_of = |name| elf(name, 183);
    let (params, inputs) = match packer {
        "kernel" => (
            json!({
                "name": "VeridianOS", "version": "0.6.0-rc1", "commit": portable["commit"], "arch": "aarch64", "machine": 183,
            }),
            vec![("elf", elf_of("kernel"))],
        ),
        "kernel-flat" => (json!(null), vec![("elf", elf_of("kernel"))]),
        "strip" => (
            json!({"arch": "aarch64", "machine": 183}),
            vec![("elf/init", elf_of("init"))],
        ),
        "initrd" => (
            json!({"entries": [["init", "init"], ["shell", "bin/shell"]], "time": TIME}),
            vec![
                ("programs/init", noise(4, 5000)),
                ("programs/shell", noise(5, 700)),
            ],
        ),
        "esp" | "iso" => (with(image, loader), boot()),
        "disk" => (
            with(image, json!({"options": {}})),
            vec![("esp", noise(6, 2 << 20))],
        ),
        "gcp" => (
            with(image, json!({"options": {"size": "1 GiB"}})),
            vec![("esp", disk())],
        ),
        "qcow2" => of_disk(json!({"options": {"compress": true}})),
        "vdi" | "vhd" => of_disk(json!({})),
        "vmdk" => of_disk(json!({"file_name": "veridianos.vmdk"})),
        "ova" => of_disk(json!({"options": {"memory": "512 MiB", "cpus": 1}})),
        "aws-import" => (
            with(
                image,
                json!({
                    "options": {},
                    "disks": [{"slot": "vmdk", "name": "veridianos.vmdk", "format": "vmdk"},
                        {"slot": "disk", "name": "veridianos.img", "format": "disk"}],
                }),
            ),
            vec![("vmdk", noise(7, 5000)), ("disk", disk())],
        ),
        "oci" => (
            with(
                portable,
                json!({"source": "https://example.org/veridianos", "entries": [["init", "root"]]}),
            ),
            vec![
                ("x86_64/init", noise(8, 9000)),
                ("aarch64/init", noise(9, 9000)),
                ("riscv64/init", noise(10, 9000)),
            ],
        ),
        "symbols" => (
            with(image, json!({"zstd": portable["zstd"]})),
            vec![
                ("kernel/kernel", elf_of("kernel")),
                ("programs/init", elf_of("init")),
            ],
        ),
        "source" => (with(portable, json!({"commit": inputs::COMMIT})), Vec::new()),
        "vendor" => (
            portable,
            vec![
                ("tool", inputs::LOCK.as_bytes().to_vec()),
                ("os", b"version = 4\n".to_vec()),
            ],
        ),
        "man-pages" => (with(portable, json!({"programs": ["init"]})), Vec::new()),
        other => {
            panic!("`{other}` is new: give it inputs here and a row in GOLDEN, or a reason in OF_PROGRAMS")
        }
    };
    let outputs = if packer == "strip" {
        &["init"][..]
    } else {
        &["artifact"]
    };
    Given {
        params,
        inputs,
        outputs,
    }
}

/// A machine in a directory, with all that packers take from one but GRUB: that is a part of their inputs.
struct Machine {
    dir: tempfile::TempDir,
    world: FakeWorld,
    tools: Tools,
}

impl Machine {
    fn new() -> Self {
        let dir = tempfile::tempdir().unwrap();
        let path = |name: &str| dir.path().join(name);
        let put = |name: &str, content: &[u8]| {
            fs::create_dir_all(path(name).parent().unwrap()).unwrap();
            fs::write(path(name), content).unwrap();
        };
        put(
            "home/registry/cache/index/tiny-1.0.0.crate",
            include_bytes!("tiny-1.0.0.crate"),
        );
        put("os/user/init/man/init.8", inputs::PAGE.as_bytes());
        put("mandoc", b"");
        inputs::repository(&path("repository"));
        let rendered = |command: &vrel_world::Command| {
            let lint = command.args.iter().any(|arg| arg == "lint");
            let text = if lint { "" } else { "<p>rendered</p>\n" };
            (Exit::Status(0), text.to_owned())
        };
        let world = FakeWorld::default()
            .program(Some("mandoc"), path("mandoc"), rendered)
            .program(None, "/cargo", |_| (Exit::Status(0), String::new()));
        let tools = Tools {
            toolchain: toolchain(),
            targets: toml_file::parse(Path::new("targets.toml"), "").unwrap(),
            os: path("os"),
            cache: path("cache"),
            cargo_home: path("home"),
            repository: path("repository"),
            root: path("root"),
            mandoc: Some(Mandoc::find(&world).unwrap()),
            compiler: Compiler::default(),
            grub: None,
            tool_pages: BTreeMap::new(),
        };
        Self { dir, world, tools }
    }

    /// The digest of all that a packer makes.
    fn digest(&self, packer: &str) -> String {
        let Given {
            params,
            inputs,
            outputs,
        } = given(packer);
        let dir = self.dir.path().join("jobs").join(packer);
        let put = |(slot, content): (&str, Vec<u8>)| {
            let path = dir.join("in").join(slot);
            fs::create_dir_all(path.parent().unwrap()).unwrap();
            fs::write(&path, content).unwrap();
            (slot.to_owned(), path)
        };
        let mut inputs: BTreeMap<String, PathBuf> = inputs.into_iter().map(put).collect();
        inputs.insert("pages".to_owned(), self.tools.os.clone());
        let out = dir.join("out");
        let outputs: BTreeMap<String, PathBuf> = outputs
            .iter()
            .map(|name| ((*name).to_owned(), out.join(name)))
            .collect();
        let scratch = dir.join("scratch");
        fs::create_dir_all(&out).unwrap();
        fs::create_dir_all(&scratch).unwrap();
        let job = Job {
            world: &self.world,
            node: packer,
            params: &params,
            inputs: &inputs,
            outputs: &outputs,
            scratch: &scratch,
            cores: 1,
            memory: 256 << 20,
            line: &|_| {},
        };
        let simple = SIMPLE.iter().find(|(name, ..)| *name == packer);
        let with_tools = ALL.iter().find(|(name, ..)| *name == packer);
        match (simple, with_tools) {
            (Some((.., pack)), _) => pack(&job),
            (_, Some((.., pack))) => pack(&job, &self.tools),
            _ => panic!("there is no packer `{packer}`"),
        }
        .unwrap_or_else(|error| panic!("{packer}: {error}"));
        let mut made = Vec::new();
        for path in outputs.values() {
            made.extend(fs::read(path).unwrap());
        }
        fs::remove_dir_all(&dir).unwrap();
        assert!(!made.is_empty(), "{packer}");
        crate::digest_of(&[&made]).to_string()
    }
}

/// All packers with their versions.
fn versions() -> BTreeMap<&'static str, u32> {
    let simple = SIMPLE.iter().map(|(name, version, _)| (*name, *version));
    let with_tools = ALL.iter().map(|(name, version, _)| (*name, *version));
    simple.chain(with_tools).chain([("cargo", 1)]).collect()
}

#[test]
fn a_packer_that_makes_other_bytes_has_another_version() {
    let machine = Machine::new();
    let golden: BTreeMap<&str, (u32, &str)> = GOLDEN
        .iter()
        .map(|(name, version, digest)| (*name, (*version, *digest)))
        .collect();
    let exempt: BTreeSet<&str> = OF_PROGRAMS.iter().map(|(name, _)| *name).collect();
    let mut wrong = Vec::new();
    for (name, version) in versions() {
        if exempt.contains(name) {
            continue;
        }
        let digest = machine.digest(name);
        if golden.get(name) != Some(&(version, digest.as_str())) {
            wrong.push(format!("(\"{name}\", {version}, \"{digest}\"),"));
        }
    }
    assert!(
        wrong.is_empty(),
        "these packers make other bytes than their versions did: raise the version of each, and then record\n{}",
        wrong.join("\n")
    );
    let known: BTreeSet<&str> = versions().into_keys().collect();
    let listed: BTreeSet<&str> = golden.keys().copied().chain(exempt).collect();
    assert_eq!(known, listed);
}
