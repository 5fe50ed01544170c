//! What must hold at every moment of a year, whatever went wrong the moment before.

use crate::{Scene, SceneWorld, check_reader};
use std::collections::{BTreeMap, BTreeSet};
use vrel_model::{ChannelName, Line, Pointer, Sha256Digest, SignedPointer, Version};
use vrel_trust::verify_pointer;
use vrel_world::World;

/// All that was ever seen from outside.
#[derive(Default)]
pub(super) struct Ledger {
    /// The newest pointer.
    pointer: Option<(u64, Vec<u8>)>,
    /// The manifest that each release had when the pointer first led to it.
    manifests: BTreeMap<Version, Sha256Digest>,
    /// The head that each channel had last, and under a line the newest release that it had there.
    heads: BTreeMap<(ChannelName, Option<Line>), Version>,
    /// The releases that nobody may use.
    duds: BTreeSet<Version>,
    /// What each tag of the remote led to when it was first seen.
    tags: BTreeMap<String, String>,
}

impl Ledger {
    /// How many releases were ever the head of a channel.
    pub(super) fn releases(&self) -> usize {
        self.manifests.len()
    }

    /// How many releases became duds.
    pub(super) fn duds(&self) -> usize {
        self.duds.len()
    }

    /// The last number of the pointer.
    pub(super) fn pointers(&self) -> u64 {
        self.pointer.as_ref().map_or(0, |(version, _)| *version)
    }

    /// Looks at the origin and the remote as strangers see them.
    ///
    /// # Panics
    /// When something does not hold; `when` says in which situation.
    pub(super) fn look(&mut self, scene: &Scene, world: &SceneWorld, when: &str) {
        check_reader(&scene.origin(), when);
        if let Ok(bytes) = std::fs::read(scene.origin().join("pointer.json")) {
            self.look_at_pointer(scene, world, bytes, when);
        }
        self.look_at_tags(scene, world, when);
    }

    fn look_at_pointer(&mut self, scene: &Scene, world: &SceneWorld, bytes: Vec<u8>, when: &str) {
        let signed = SignedPointer::parse(&bytes).unwrap_or_else(|error| panic!("{when}: {error}"));
        let role = "pointer".parse().unwrap_or_else(|error| panic!("{error}"));
        let pointer = verify_pointer(&signed, &scene.ring(), &role, "veridianos", world.now());
        let pointer = pointer.unwrap_or_else(|error| panic!("{when}: {error}"));
        if let Some((version, before)) = &self.pointer {
            let same = *version == pointer.version && *before == bytes;
            assert!(
                same || pointer.version > *version,
                "{when}: pointer {} replaced pointer {version}",
                pointer.version
            );
        }
        self.look_at_heads(&pointer, when);
        self.pointer = Some((pointer.version, bytes));
    }

    fn look_at_heads(&mut self, pointer: &Pointer, when: &str) {
        let older = pointer.older_lines.values().flatten();
        for head in pointer.channels.values().chain(older) {
            let version = &head.release;
            let first = self
                .manifests
                .entry(version.clone())
                .or_insert(head.manifest_sha256);
            assert_eq!(
                *first, head.manifest_sha256,
                "{when}: {version} is another release now"
            );
        }
        for dud in &self.duds {
            assert!(pointer.duds.contains_key(dud), "{when}: {dud} is no dud any more");
        }
        self.duds.extend(pointer.duds.keys().cloned());
        let heads = pointer.channels.iter();
        // A channel that went back on purpose says so, and what it has had counts.
        let heads = heads.map(|(channel, head)| ((channel.clone(), None), head.newest()));
        let older = pointer.older_lines.iter().flat_map(|(channel, heads)| {
            heads
                .iter()
                .map(|head| ((channel.clone(), Some(head.release.line())), &head.release))
        });
        for (place, version) in heads.chain(older) {
            let before = self.heads.insert(place.clone(), version.clone());
            assert!(
                before.as_ref().is_none_or(|before| version >= before),
                "{when}: {place:?} went back from {before:?} to {version}"
            );
        }
        // A nightly's line is not kept when the next begins; every other line goes on to have a newest release.
        for ((channel, line), version) in &self.heads {
            let newest = pointer.newest_on(channel, line.unwrap_or(version.line()));
            assert!(
                line.is_none() || newest.is_some_and(|newest| newest >= version),
                "{when}: {channel} lost {version}"
            );
            assert!(
                pointer.channels.contains_key(channel),
                "{when}: {channel} lost its head"
            );
        }
    }

    fn look_at_tags(&mut self, scene: &Scene, world: &SceneWorld, when: &str) {
        let refs = world.git().ls_remote(&scene.repo(), "origin");
        let refs = refs.unwrap_or_else(|error| panic!("{when}: {error}"));
        let tags: BTreeMap<String, String> = refs
            .into_iter()
            .filter(|(name, _)| name.starts_with("refs/tags/"))
            .collect();
        for (name, object) in &self.tags {
            assert_eq!(tags.get(name), Some(object), "{when}: {name} moved");
        }
        self.tags = tags;
    }

    /// Whether the living plan on the remote tells of exactly the releases that are tagged there.
    ///
    /// # Panics
    /// When it does not.
    pub(super) fn compare_plan(&self, scene: &Scene, world: &SceneWorld, when: &str) {
        let git = world.git();
        let remote = scene.remote();
        let main = git.resolve(&remote, "refs/heads/main");
        let main = main.ok().flatten().unwrap_or_else(|| panic!("{when}: no main"));
        let text = git.file_at(&remote, &main, "RELEASE_TODO.md").ok().flatten();
        let text = String::from_utf8(text.unwrap_or_default()).unwrap_or_default();
        let todo = vrel_todo::Todo::parse(&text).unwrap_or_else(|error| panic!("{when}: {error}"));
        let recorded: BTreeSet<Version> = todo
            .publications()
            .into_iter()
            .map(|publication| publication.version)
            .collect();
        let tagged: BTreeSet<Version> = self
            .tags
            .keys()
            .filter_map(|name| Version::from_tag(name.strip_prefix("refs/tags/")?))
            .collect();
        assert_eq!(recorded, tagged, "{when}: the plan and the tags");
        let peeled = |version: &Version| self.tags.get(&format!("refs/tags/{}^{{}}", version.tag()));
        let tags: Vec<_> = tagged
            .iter()
            .map(|version| vrel_todo::Tagged {
                version: version.clone(),
                commit: peeled(version).cloned().unwrap_or_default(),
            })
            .collect();
        let wrong: Vec<_> = vrel_todo::check(&text, &tags)
            .into_iter()
            // What was planned for another time than it came is for people to plan anew.
            .filter(|finding| finding.weight == vrel_todo::Weight::Error && finding.check != "time-order")
            .collect();
        assert!(wrong.is_empty(), "{when}: {wrong:#?}");
    }
}
