//! The compiler's own opinion: rustdoc lists the same public items.

use crate::{of_this_tree, root};
use serde_json::Value;
use std::collections::BTreeSet;
use std::path::Path;
use std::process::Command;
use vrel_interface::ItemKind;
use vrel_model::Arch;

fn run(program: &str, arguments: &[&str], dir: &Path) {
    let output = Command::new(program)
        .args(arguments)
        .current_dir(dir)
        .env("RUSTC_BOOTSTRAP", "1")
        .output()
        .unwrap();
    assert!(
        output.status.success(),
        "{program}: {}",
        String::from_utf8_lossy(&output.stderr)
    );
}

/// Arguments for a crate, which uses others. It is compiled as programs for the system are, but for this machine: nothing
/// is linked.
fn shared<'a>(name: &'a str, uses: &[&'a str]) -> Vec<&'a str> {
    let mut shared = vec!["--edition", "2024", "--crate-name", name, "-L", "."];
    shared.extend([
        "--cfg",
        "target_os=\"none\"",
        "-A",
        "explicit_builtin_cfgs_in_flags",
    ]);
    shared.extend(uses.iter().flat_map(|used| ["--extern", used]));
    shared
}

/// Compiles a crate as far as those that use it need.
fn compiled(name: &str, file: &str, uses: &[&str], dir: &Path) {
    let last = ["--crate-type", "rlib", "--emit", "metadata", file];
    run("rustc", &[&shared(name, uses)[..], &last].concat(), dir);
}

/// What rustdoc says of a crate, which uses others.
fn documented(name: &str, file: &str, uses: &[&str], dir: &Path) -> Value {
    let file = root().join(file).canonicalize().unwrap();
    let file = file.to_str().unwrap();
    let shared = shared(name, uses);
    let json = ["-Zunstable-options", "--output-format", "json", "-o", "."];
    run("rustdoc", &[&shared[..], &json, &[file]].concat(), dir);
    compiled(name, file, uses, dir);
    let text = std::fs::read(dir.join(format!("{name}.json"))).unwrap();
    serde_json::from_slice(&text).unwrap()
}

/// The items of a crate's documentation, by path.
struct Documentation<'v> {
    index: &'v Value,
    found: BTreeSet<String>,
}

impl Documentation<'_> {
    fn walk(&mut self, id: &Value, prefix: &str) {
        let item = &self.index[id.to_string()];
        let (kind, inner) = item["inner"]
            .as_object()
            .and_then(|inner| inner.iter().next())
            .unwrap();
        let ids = |value: &Value| value.as_array().cloned().unwrap_or_default();
        if kind == "use" {
            if inner["is_glob"] == true {
                for id in ids(&self.index[inner["id"].to_string()]["inner"]["module"]["items"]) {
                    self.walk(&id, prefix);
                }
            } else if self.index[inner["id"].to_string()].is_null() {
                // Of a library that is not documented here.
                self.found
                    .insert(format!("{prefix}{}", inner["name"].as_str().unwrap()));
            } else {
                self.walk(&inner["id"], prefix);
            }
            return;
        }
        let path = format!("{prefix}{}", item["name"].as_str().unwrap());
        match kind.as_str() {
            "module" => ids(&inner["items"])
                .iter()
                .for_each(|id| self.walk(id, &format!("{path}::"))),
            "struct" | "enum" => {
                for block in ids(&inner["impls"]) {
                    let block = &self.index[block.to_string()]["inner"]["impl"];
                    if block["trait"].is_null() {
                        ids(&block["items"])
                            .iter()
                            .for_each(|id| self.walk(id, &format!("{path}::")));
                    }
                }
                for id in ids(&inner["variants"]) {
                    let name = &self.index[id.to_string()]["name"];
                    self.found.insert(format!("{path}::{}", name.as_str().unwrap()));
                }
            }
            _ => {}
        }
        if prefix.is_empty() {
            return;
        }
        self.found.insert(path);
    }
}

#[test]
fn rustdoc_lists_the_same_public_items() {
    let dir = tempfile::tempdir().unwrap();
    let mut expected = BTreeSet::new();
    let mut before = Vec::new();
    // The runtime uses this one inside.
    let inside = root().join("os/user/protocol/src/lib.rs").canonicalize().unwrap();
    for (name, file) in vrel_interface::CRATES {
        let json = documented(name, &format!("os/{file}"), &before, dir.path());
        before.push(name);
        if name == "abi" {
            compiled("protocol", inside.to_str().unwrap(), &before, dir.path());
            before.push("protocol");
            let channel = root().join("os/channel/src/lib.rs").canonicalize().unwrap();
            compiled("channel", channel.to_str().unwrap(), &[], dir.path());
            before.push("channel");
        }
        let mut documentation = Documentation {
            index: &json["index"],
            found: BTreeSet::new(),
        };
        documentation.walk(&json["root"], "");
        assert!(
            documentation.found.len() > 10,
            "{name}: {:?}",
            documentation.found
        );
        expected.extend(documentation.found);
    }
    let host = std::env::consts::ARCH.parse().unwrap_or(Arch::X86_64);
    let interface = of_this_tree();
    let mut found = BTreeSet::new();
    for (symbol, item) in &interface.items[&host] {
        match &item.kind {
            ItemKind::Impl => continue,
            ItemKind::Enum(of) => {
                found.extend(
                    of.variants
                        .iter()
                        .map(|variant| format!("{symbol}::{}", variant.name)),
                );
            }
            _ => {}
        }
        found.insert(symbol.clone());
    }
    let differences: Vec<_> = found.symmetric_difference(&expected).collect();
    assert!(differences.is_empty(), "{differences:?}");
}
