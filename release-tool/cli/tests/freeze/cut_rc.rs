//! The tool's own pushes under its own rules.

use crate::Frozen;

#[test]
fn a_candidate_is_cut_while_everything_is_frozen() {
    let frozen = Frozen::started(&["--also", "main"]);
    frozen.commit("feat: a", "os/a");
    frozen.push(&["main"]).ends(1, &["freeze-fixes-only"]);
    frozen.git(&["reset", "-q", "--hard", "HEAD^"]);
    let main = frozen.on_remote("main").unwrap();

    let world = frozen.scene.world();
    frozen
        .scene
        .cut_rc(&world, &"0.6.0-rc1".parse().unwrap())
        .unwrap();
    assert!(frozen.on_remote("v0.6.0-rc1").is_some());
    assert_eq!(frozen.on_remote("release/0.6"), Some(main.clone()));
    // The plan's record landed on the frozen main as the documentation that it is.
    assert_eq!(frozen.on_remote("main^"), Some(main));
    let subject = frozen.git(&["log", "-1", "--format=%s", "main"]);
    assert_eq!(subject, "docs(plan): record 0.6.0-rc1");
    assert!(
        frozen
            .scene
            .origin()
            .join("releases/0.6.0-rc1/manifest.json")
            .exists()
    );
}
