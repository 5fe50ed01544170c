//! Final names.

use crate::toys::{Place, Toy, budget, graph, node};
use std::fs;
use std::io::{Seek, SeekFrom, Write};
use std::os::unix::fs::MetadataExt;
use vrel_graph::{Graph, Placed, Placement, Silent, run_and_place};

const MIB: u64 = 1 << 20;

/// A place whose packer `sparse` makes 8 MiB of zeros with a little in between.
fn place() -> (Place, Graph) {
    let mut place = Place::new();
    let sparse = Toy::new("sparse", 1, |job| {
        let mut file = job.world.fs().create(job.output("out")?)?;
        file.write_all(b"first")?;
        file.seek(SeekFrom::Start(3 * MIB + 17))?;
        file.write_all(&[7; 10_000])?;
        file.seek(SeekFrom::Start(8 * MIB - 1))?;
        file.write_all(&[0])?;
        Ok(file.commit()?)
    });
    place.packers.add(sparse).unwrap();
    (place, graph(vec![node("disk", "sparse", &[])]))
}

fn to(place: &Place, name: &str) -> Placement {
    Placement {
        node: "disk".to_owned(),
        output: "out".to_owned(),
        to: place.path(name),
    }
}

#[test]
fn a_copy_has_the_same_bytes_and_keeps_its_holes() {
    let (place, graph) = place();
    let report = place.run(&graph, &["disk"]);
    let file = report.output("disk", "out").unwrap();
    let cache = place.cache();
    let target = place.path("deep/down/disk.raw");
    assert_eq!(cache.place(&file, &target).unwrap(), Placed::Written);
    let content = fs::read(&target).unwrap();
    assert_eq!(content.len() as u64, 8 * MIB);
    assert_eq!(vrel_trust::digest_bytes(&content).sha256, file.sha256);
    let metadata = fs::metadata(&target).unwrap();
    assert!(metadata.blocks() * 512 < MIB, "{} blocks", metadata.blocks());
    assert_eq!(metadata.mode() & 0o777, 0o644);
    assert_eq!(fs::metadata(place.object(&file)).unwrap().mode() & 0o777, 0o444);
}

#[test]
fn a_target_that_is_right_already_is_left_alone() {
    let (place, graph) = place();
    let file = place.run(&graph, &["disk"]).output("disk", "out").unwrap();
    let cache = place.cache();
    let target = place.path("disk.raw");
    cache.place(&file, &target).unwrap();
    let inode = || fs::metadata(&target).unwrap().ino();
    let before = inode();
    assert_eq!(cache.place(&file, &target).unwrap(), Placed::Unchanged);
    assert_eq!(inode(), before);
    // Of the same length.
    fs::OpenOptions::new()
        .write(true)
        .open(&target)
        .unwrap()
        .write_all(b"FIRST")
        .unwrap();
    assert_eq!(cache.place(&file, &target).unwrap(), Placed::Written);
    assert_eq!(&fs::read(&target).unwrap()[..5], b"first");
}

#[test]
fn a_target_that_is_no_file_is_refused() {
    let (place, graph) = place();
    let file = place.run(&graph, &["disk"]).output("disk", "out").unwrap();
    fs::create_dir(place.path("taken")).unwrap();
    let error = place
        .cache()
        .place(&file, &place.path("taken"))
        .unwrap_err()
        .to_string();
    assert!(
        error.ends_with("taken: expected a file or nothing to be replaced, got something else"),
        "{error}"
    );
}

#[test]
fn many_files_are_placed_at_once_and_never_two_in_one_place() {
    let (place, graph) = place();
    let run = |placements: &[Placement]| {
        run_and_place(
            &graph,
            placements,
            &place.cache(),
            &place.executor(),
            budget(4),
            &Silent,
        )
    };
    let placements: Vec<Placement> = (0..9)
        .map(|number| to(&place, &format!("out/{number}.raw")))
        .collect();
    let report = run(&placements).unwrap();
    let file = report.output("disk", "out").unwrap();
    for placement in &placements {
        assert_eq!(fs::metadata(&placement.to).unwrap().len(), file.length);
    }
    assert_eq!(run(&placements).unwrap().built(), [""; 0]);

    let error = run(&[to(&place, "x"), to(&place, "x")]).unwrap_err().to_string();
    assert!(
        error.contains("/x: expected one file to be placed here, got `disk/out` and `disk/out`"),
        "{error}"
    );
    let wrong = Placement {
        output: "log".to_owned(),
        ..to(&place, "x")
    };
    assert!(run(&[wrong]).unwrap_err().to_string().contains("got `log`"));
    fs::create_dir(place.path("dir")).unwrap();
    assert!(run(&[to(&place, "dir")]).is_err());
}
