//! Architectures of tier 2, and what a release without them consists of.

use super::*;
use vrel_model::{ArtifactKind, Tier};

/// The snapshot, with riscv64 in tier 2, an ISO that boots, and so many days of lag in its channel.
pub(crate) fn tiered(days: u32) -> Snapshot {
    let mut s = snapshot();
    s.policies.config.tiers = [(Arch::Riscv64, Tier::Two)].into();
    for channel in s.policies.channels.values_mut() {
        channel.tier_2_lag_days = days;
    }
    let iso = s
        .policies
        .artifacts
        .get_mut(&"iso".parse::<ArtifactKind>().unwrap());
    let iso = iso.unwrap();
    iso.arches = Arch::ALL.to_vec();
    iso.boot = vec!["iso".parse().unwrap()];
    s
}

fn kept_to_tiers(s: &Snapshot, without: &[Arch]) -> Vec<String> {
    let outcome = plan_cut_rc(s, &v("0.6.0-rc1"), without, now());
    let found = outcome
        .findings
        .into_iter()
        .filter(|finding| finding.check == "tiers");
    found.map(|finding| finding.message).collect()
}

#[test]
fn what_boots_is_made_for_every_architecture_that_the_channel_promises() {
    let lacking = |days: u32, arches: &[Arch]| {
        let mut s = tiered(days);
        for policy in s
            .policies
            .artifacts
            .values_mut()
            .filter(|policy| !policy.boot.is_empty())
        {
            policy.arches = arches.to_vec();
        }
        kept_to_tiers(&s, &[])
    };
    assert_eq!(lacking(0, &Arch::ALL), Vec::<String>::new());
    assert_eq!(
        lacking(0, &[Arch::X86_64, Arch::Aarch64]),
        [
            "artifacts/iso.toml: `arches` lacks riscv64, an architecture of tier 2, which releases in beta must have"
        ]
    );
    assert_eq!(lacking(3, &[Arch::X86_64, Arch::Aarch64]), Vec::<String>::new());
    // aarch64 is not ranked, and so is of tier 1, which no lag excuses.
    assert_eq!(
        lacking(3, &[Arch::X86_64, Arch::Riscv64]),
        [
            "artifacts/iso.toml: `arches` lacks aarch64, an architecture of tier 1, which releases in beta must have"
        ]
    );
}

#[test]
fn only_tier_2_lags_and_only_where_the_channel_allows_it() {
    let refused = |days: u32, without: &[Arch], text: &str| {
        let found = kept_to_tiers(&tiered(days), without);
        assert!(
            found.iter().any(|message| message.contains(text)),
            "{text}: {found:?}"
        );
    };
    assert_eq!(kept_to_tiers(&tiered(3), &[Arch::Riscv64]), Vec::<String>::new());
    refused(0, &[Arch::Riscv64], "nothing may lag in the channel beta");
    refused(3, &[Arch::X86_64], "x86_64 is an architecture of tier 1");
    refused(3, &Arch::ALL, "every architecture is left out");
    let mut s = tiered(3);
    s.policies.artifacts.retain(|_, policy| policy.boot.is_empty());
    let found = kept_to_tiers(&s, &[Arch::Riscv64]);
    assert!(found[0].contains("nothing is made for riscv64"), "{found:?}");
}

#[test]
fn a_lagging_architecture_is_left_out_of_the_plan_with_what_has_to_wait_for_it() {
    let mut s = tiered(3);
    let oci = "packer = 'oci'\nname = '{product}-{version}-oci.tar'\ndescription = 'x'\nchannels = ['beta']\nmax-size = '1 MiB'";
    s.policies.artifacts.insert("oci".parse().unwrap(), parse(oci));
    let plan = |without: &[Arch]| {
        let outcome = plan_cut_rc(&s, &v("0.6.0-rc1"), without, now());
        assert_eq!(outcome.findings, []);
        outcome.plan.unwrap()
    };
    let names = |plan: &Plan| {
        plan.artifacts
            .iter()
            .map(|artifact| artifact.name.to_string())
            .collect::<Vec<_>>()
    };
    let whole = plan(&[]);
    assert_eq!((whole.lagging.len(), names(&whole).len()), (0, 5));
    let first = plan(&[Arch::Riscv64, Arch::Riscv64]);
    assert_eq!(
        names(&first),
        [
            "veridianos-0.6.0-rc1-aarch64.iso",
            "veridianos-0.6.0-rc1-source.tar.zst",
            "veridianos-0.6.0-rc1-x86_64.iso"
        ]
    );
    assert!(
        first
            .objects
            .iter()
            .all(|object| !object.path.contains("riscv64") && !object.path.contains("oci"))
    );
    let lagging: Vec<_> = first
        .lagging
        .iter()
        .map(|late| (late.arch, late.until.to_string()))
        .collect();
    assert_eq!(lagging, [(Arch::Riscv64, "2026-11-24T03:00:00Z".to_owned())]);
    let old = serde_json::to_string(&whole).unwrap();
    assert!(!old.contains("lagging"));
    assert_eq!(serde_json::from_str::<Plan>(&old).unwrap(), whole);
}
