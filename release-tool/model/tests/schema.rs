//! The schemas in the book are those that the types give.

use std::path::Path;

fn committed_equals(name: &str, generated: &str) {
    let committed = Path::new(env!("CARGO_MANIFEST_DIR"))
        .join("../../docs/src/file-formats")
        .join(name);
    let found = std::fs::read_to_string(&committed).unwrap_or_default();
    if found != generated {
        let new = Path::new(env!("CARGO_TARGET_TMPDIR")).join(name);
        std::fs::write(&new, generated).unwrap();
        panic!(
            "{} is not what the types give; if the change is meant: cp {} {}",
            committed.display(),
            new.display(),
            committed.display()
        );
    }
}

#[test]
fn the_manifests_schema_is_that_of_its_type() {
    committed_equals("manifest.schema.json", &vrel_model::manifest_schema());
}

#[test]
fn the_pointers_schema_is_that_of_its_type() {
    committed_equals("pointer.schema.json", &vrel_model::pointer_schema());
}
