//! Explanations.

use crate::toys::{Place, graph, node};
use serde_json::json;
use std::fs;
use vrel_graph::{Explanation, Graph, Input, Node, State, explain};
use vrel_model::Sha256Digest;

/// `image` and `iso` from `esp` from a source tree.
fn sample(place: &Place) -> Graph {
    let digest = Sha256Digest::new([0xcc; 32]);
    graph(vec![
        node("esp", "concat", &[])
            .input("boot", Input::file(place.path("boot.efi")))
            .input("cc", Input::Fact { digest })
            .input("src", Input::tree(place.path("src"))),
        Node::new("image", "upper")
            .input("parts", Input::all("esp"))
            .output("raw"),
        node("iso", "concat", &["esp"])
            .params(json!({"text": "v", "b": [1]}))
            .input("raw", Input::output("image", "raw")),
    ])
}

fn place() -> Place {
    let place = Place::new();
    place.put("boot.efi", "boot");
    place.put("src/main.rs", "main");
    place
}

fn explained(place: &Place) -> Explanation {
    explain(&sample(place), "iso", &place.cache(), &place.executor()).unwrap()
}

/// With digests and the directory by name.
fn normal(place: &Place, text: &str) -> String {
    let text = text.replace(place.dir.path().to_str().unwrap(), "DIR");
    let is_hex = |c: char| c.is_ascii_digit() || ('a'..='f').contains(&c);
    let words = text.split_inclusive([' ', '\n', ',', ':']).map(|word| {
        let bare = word.trim_end_matches([' ', '\n', ',', ':']);
        let digest = matches!(bare.len(), 12 | 64) && bare.chars().all(is_hex) && !bare.starts_with("cccc");
        if digest {
            word.replace(bare, "HEX")
        } else {
            word.to_owned()
        }
    });
    words.collect()
}

#[test]
fn a_node_is_explained_down_to_its_sources_before_it_is_built() {
    let place = place();
    let expected = "\
iso: not known before esp, image is built
  packer concat 1
  params {\"b\":[1],\"text\":\"v\"}
  input esp: out of esp, not known before it is built
    esp: to be built
      because no earlier build is known
      packer concat 1
      key HEX
      input boot: file DIR/boot.efi, HEX
      input cc: fact CCCC
      input src: tree DIR/src, 1 entries, HEX
      output out: not built yet
  input raw: raw of image, not known before it is built
    image: not known before esp is built
      packer upper 1
      input parts/out: out of esp, not known before it is built
        esp (see above)
      output raw: not built yet
  output out: not built yet
";
    let expected = expected.replace("CCCC", &"cc".repeat(32));
    assert_eq!(normal(&place, &explained(&place).to_string()), expected);
    assert_eq!(place.ran(), [""; 0]);
}

#[test]
fn a_built_node_is_explained_with_digests() {
    let place = place();
    let report = place.run(&sample(&place), &["iso"]);
    let explanation = explained(&place);
    for (name, node) in &explanation.nodes {
        assert_eq!(node.state, State::Cached, "{name}");
        assert_eq!(node.key, Some(report.nodes[name].key));
        for (output, file) in &node.outputs {
            assert_eq!(*file, Some(report.nodes[name].outputs[output]));
        }
    }
    let text = normal(&place, &explanation.to_string());
    assert!(text.starts_with("iso: up to date\n"), "{text}");
    assert!(
        text.contains("  input esp: out of esp, HEX\n    esp: up to date\n"),
        "{text}"
    );
    assert!(text.contains("  output out: 17 bytes, HEX\n"), "{text}");
    let json = serde_json::to_value(&explanation).unwrap();
    assert_eq!(json["nodes"]["image"]["state"]["state"], "cached");
    assert_eq!(json["nodes"]["esp"]["inputs"]["src"]["entries"], 1);
}

#[test]
fn what_changed_is_said_as_far_as_it_is_known() {
    let place = place();
    place.run(&sample(&place), &["iso"]);
    place.put("src/main.rs", "MAIN");
    place.put("src/lib.rs", "lib");
    let text = normal(&place, &explained(&place).to_string());
    assert!(
        text.contains("esp: to be built\n      because the input src was HEX and is HEX: lib.rs, main.rs\n"),
        "{text}"
    );
    assert!(text.contains("image: not known before esp is built\n"), "{text}");
    place.put("src/main.rs", "main");
    fs::remove_file(place.path("src/lib.rs")).unwrap();
    assert_eq!(explained(&place).nodes["iso"].state, State::Cached);
}

#[test]
fn explaining_changes_nothing_and_a_wrong_name_is_an_error() {
    let place = place();
    let report = place.run(&sample(&place), &["iso"]);
    let file = report.output("image", "raw").unwrap();
    place.damage(&file, b"short");
    let explanation = explained(&place);
    let State::Stale { why } = &explanation.nodes["image"].state else {
        panic!("{explanation}")
    };
    assert!(why[0].to_string().contains("damaged"), "{why:?}");
    assert_eq!(fs::read(place.object(&file)).unwrap(), b"short");
    assert!(explain(&sample(&place), "no", &place.cache(), &place.executor()).is_err());
}
