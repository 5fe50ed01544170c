use super::*;
use crate::cut_rc::plan_cut_rc;
use crate::cut_rc::tests::{now, parse, snapshot, v};
use vrel_model::{Blake2bDigest, Sha256Digest};

fn planned(staging: Option<&str>) -> Plan {
    let mut snapshot = snapshot();
    snapshot.policies.config.publish.staging = staging.map(PathBuf::from);
    let artifacts = &mut snapshot.policies.artifacts;
    let policy = |packer: &str, boot: &str| {
        parse(&format!(
            "packer = '{packer}'\nname = '{{product}}-{{version}}-{{arch}}.{packer}'\ndescription = 'x'\n\
             arches = ['x86_64', 'riscv64']\nchannels = ['beta']\nmax-size = '1 MiB'\nmax-growth = 10\nboot = {boot}"
        ))
    };
    artifacts.insert("iso".parse().unwrap(), policy("iso", "['install', 'iso']"));
    artifacts.insert("disk".parse().unwrap(), policy("disk", "['disk']"));
    artifacts.insert("kernel".parse().unwrap(), policy("kernel", "['kernel']"));
    artifacts.insert("initrd".parse().unwrap(), policy("initrd", "[]"));
    let outcome = plan_cut_rc(&snapshot, &v("0.6.0-rc1"), &[], now());
    outcome.plan.unwrap_or_else(|| panic!("{:#?}", outcome.findings))
}

#[test]
fn a_plan_has_the_steps_of_staging_only_where_there_is_one() {
    let names = |plan: &Plan| -> Vec<String> {
        let names = plan.steps.iter().map(|step| step.name.clone());
        names
            .filter(|name| STAGING_STEPS.contains(&name.as_str()))
            .collect()
    };
    let with = planned(Some("staging"));
    assert_eq!(names(&with), STAGING_STEPS);
    assert_eq!(with.staging.as_deref(), Some("staging"));
    let without = planned(None);
    assert_eq!(names(&without), [""; 0]);
    assert_eq!(with.steps.len(), without.steps.len() + 3);
    let at = |name: &str| with.steps.iter().position(|step| step.name == name).unwrap();
    assert!(at("sign") < at("stage") && at("rehearse") < at("publish"));
}

#[test]
fn staging_is_never_the_origin_nor_near_it() {
    let found = |staging: &str, origin: &str| -> Vec<String> {
        let mut policies = snapshot().policies;
        policies.config.publish.staging = Some(staging.into());
        policies.config.publish.origin = origin.into();
        check(&policies)
            .into_iter()
            .map(|finding| finding.message)
            .collect()
    };
    assert_eq!(found("staging", "origin"), [""; 0]);
    assert_eq!(found("origin-staging", "origin"), [""; 0]);
    assert_eq!(found("../staging", "../origin"), [""; 0]);
    for (staging, origin, problem) in [
        ("origin", "origin", "is the origin itself"),
        ("./x/../origin/", "origin", "is the origin itself"),
        ("origin/staging", "origin", "lies in the origin"),
        ("srv", "srv/origin", "has the origin in it"),
        (".", "origin", "is the repository itself"),
    ] {
        let found = found(staging, origin);
        assert!(found.len() == 1 && found[0].ends_with(problem), "{found:?}");
    }
}

#[test]
fn one_boot_and_one_installer_for_each_architecture() {
    let mut plan = planned(Some("staging"));
    let tests = smoke_tests(&plan);
    assert_eq!(
        tests.iter().map(|test| test.arch).collect::<Vec<_>>(),
        [Arch::X86_64, Arch::Riscv64]
    );
    for test in &tests {
        assert_eq!((test.artifact.packer, test.medium), (Packer::Disk, "disk"));
        assert_eq!(test.initrd, None);
        let (installer, medium) = test.installer.unwrap();
        assert_eq!((installer.packer, medium), (Packer::Iso, "install"));
        assert_eq!(test.disk.unwrap().as_str(), "disk");
    }
    // What is left decides.
    plan.artifacts
        .retain(|artifact| ![Packer::Disk, Packer::Iso].contains(&artifact.packer));
    let tests = smoke_tests(&plan);
    assert_eq!(tests[0].artifact.packer, Packer::Kernel);
    assert_eq!(tests[0].initrd.unwrap().packer, Packer::Initrd);
    assert!(tests[0].installer.is_none() && tests[0].disk.is_none());
    plan.artifacts.retain(|artifact| artifact.boot.is_empty());
    assert_eq!(smoke_tests(&plan), []);
}

#[test]
fn figures_stand_beside_those_of_the_release_before() {
    let plan = planned(Some("staging"));
    let artifact = |kind: &str, name: &str, length: u64| ManifestArtifact {
        name: name.parse().unwrap(),
        kind: kind.parse().unwrap(),
        arch: Some(Arch::X86_64),
        length,
        sha256: Sha256Digest::new([1; 32]),
        blake2b: Blake2bDigest::new([2; 64]),
    };
    let made = [
        artifact("disk", "veridianos-0.6.0-rc1-x86_64.disk", 1100),
        artifact("iso", "veridianos-0.6.0-rc1-x86_64.iso", 1101),
        artifact("kernel", "veridianos-0.6.0-rc1-x86_64.kernel", 1),
    ];
    let before = [
        artifact("disk", "old.disk", 1000),
        artifact("iso", "old.iso", 1000),
    ];
    let figures = benchmarks(&plan, &made, Some(&before));
    let of = |figures: &[Benchmark]| -> Vec<_> {
        let rows = figures
            .iter()
            .map(|figure| (figure.name.clone(), figure.baseline, figure.verdict));
        rows.collect()
    };
    assert_eq!(
        of(&figures),
        [
            ("size of disk".to_owned(), Some(1000), Verdict::Within),
            ("size of iso".to_owned(), Some(1000), Verdict::Exceeded),
            ("size of kernel".to_owned(), None, Verdict::NoBaseline),
        ]
    );
    let alone = benchmarks(&plan, &made, None);
    assert!(
        alone
            .iter()
            .all(|figure| figure.verdict == Verdict::NoBaseline && figure.baseline.is_none())
    );
}

#[test]
fn staging_keeps_the_newest_and_what_is_needed() {
    let versions: Vec<Version> = ["0.6.0-rc1", "0.6.0-rc10", "0.6.0-rc2", "0.5.0", "0.6.0"]
        .iter()
        .map(|text| v(text))
        .collect();
    assert_eq!(no_longer_staged(&versions, &[]), [v("0.5.0"), v("0.6.0-rc1")]);
    assert_eq!(no_longer_staged(&versions, &[v("0.5.0")]), [v("0.6.0-rc1")]);
    assert_eq!(no_longer_staged(&versions[..3], &[]), []);
}

#[test]
fn a_figure_of_speed_may_be_worse_by_so_much_and_no_more() {
    let figure = |name, value, limit| SpeedFigure { name, value, limit };
    let verdict = |now: SpeedFigure<'_>, before: Option<&[SpeedFigure<'_>]>| {
        let found = speed_benchmarks(Arch::X86_64, &[now], before, 5);
        (found[0].baseline, found[0].verdict)
    };
    let before = [figure("null-call", 400, None), figure("message", 900, Some(1000))];
    let of = |name, value, limit| verdict(figure(name, value, limit), Some(&before));
    assert_eq!(of("null-call", 420, None), (Some(400), Verdict::Within));
    assert_eq!(of("null-call", 421, None), (Some(400), Verdict::Exceeded));
    assert_eq!(of("null-call", 1, None), (Some(400), Verdict::Within));
    // A limit counts, however little is missing to what it was before.
    assert_eq!(of("message", 940, Some(1000)), (Some(900), Verdict::Within));
    assert_eq!(of("message", 910, Some(909)), (Some(900), Verdict::Exceeded));
    assert_eq!(of("new", 5, Some(5)), (None, Verdict::NoBaseline));
    assert_eq!(of("new", 6, Some(5)), (None, Verdict::Exceeded));
    assert_eq!(
        verdict(figure("message", 1, None), None),
        (None, Verdict::NoBaseline)
    );
}
