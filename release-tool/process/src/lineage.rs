//! Which release came before which: by version, never by topology, because a candidate and its final may share a commit.

use crate::TagFact;
use std::collections::BTreeMap;
use vrel_model::{Dud, Line, Stage, UtcTime, Version};

/// A release that is there.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TaggedRelease {
    /// Its version.
    pub version: Version,
    /// Its commit.
    pub commit: String,
    /// When it was tagged.
    pub made: UtcTime,
}

/// The release that a version follows, with its commit: for a final, the newest final below it; for a candidate, the
/// newest release below it on its own line, else the newest final of an earlier line; for a nightly, the newest nightly
/// below it, else the newest final.
#[must_use]
pub fn previous_release<'t>(tags: &'t [TagFact], version: &Version) -> Option<(Version, &'t str)> {
    let all: Vec<_> = releases(tags).collect();
    let previous = newest_below(all.iter().map(|(tagged, _)| tagged), version)?.clone();
    all.into_iter().find(|(tagged, _)| *tagged == previous)
}

/// The release that a version followed when it was made: what [`previous_release`] said then. A release of an earlier line
/// that was made later does not change what came before; on its own line, what is below was there before.
#[must_use]
pub fn previous_release_at<'r>(
    releases: &'r [TaggedRelease],
    version: &Version,
    made: UtcTime,
) -> Option<&'r TaggedRelease> {
    let find = |version: &Version| releases.iter().find(|release| release.version == *version);
    let was_there = |version: &Version| {
        let release = find(version);
        Ok::<_, std::convert::Infallible>(release.is_some_and(|release| release.made <= made))
    };
    let versions = releases.iter().map(|release| &release.version);
    match previous_release_where(versions, version, was_there) {
        Ok(previous) => previous.and_then(find),
        Err(never) => match never {},
    }
}

/// As [`previous_release_at`], for a caller that has to look up when a release was made: it is asked only of releases that
/// may be the answer.
///
/// # Errors
/// Those of `was_there`.
pub fn previous_release_where<'v, E>(
    versions: impl IntoIterator<Item = &'v Version>,
    version: &Version,
    mut was_there: impl FnMut(&Version) -> Result<bool, E>,
) -> Result<Option<&'v Version>, E> {
    let mut left: Vec<&Version> = versions.into_iter().collect();
    while let Some(newest) = newest_below(left.iter().copied(), version) {
        if newest.line() == version.line() || was_there(newest)? {
            return Ok(Some(newest));
        }
        left.retain(|other| *other != newest);
    }
    Ok(None)
}

fn newest_below<'v>(versions: impl Iterator<Item = &'v Version>, version: &Version) -> Option<&'v Version> {
    let below: Vec<_> = versions.filter(|tagged| *tagged < version).collect();
    let newest = |stage: fn(&Stage) -> bool| {
        below
            .iter()
            .copied()
            .filter(move |tagged| stage(&tagged.stage()))
            .max()
    };
    let newest_final = || newest(|stage| *stage == Stage::Final);
    match version.stage() {
        Stage::Final => newest_final(),
        Stage::Candidate { .. } => {
            let line = below
                .iter()
                .copied()
                .filter(|tagged| tagged.line() == version.line());
            let line = line.filter(|tagged| !matches!(tagged.stage(), Stage::Nightly { .. }));
            line.max().or_else(newest_final)
        }
        Stage::Nightly { .. } => newest(|stage| matches!(stage, Stage::Nightly { .. })).or_else(newest_final),
    }
}

/// The tags without those of duds. Nobody has a dud, so none is what another release follows: what it brought is news
/// until a release that people may use brings it.
#[must_use]
pub fn usable_tags(tags: &[TagFact], duds: &BTreeMap<Version, Dud>) -> Vec<TagFact> {
    let is_dud =
        |tag: &&TagFact| Version::from_tag(&tag.name).is_some_and(|version| duds.contains_key(&version));
    tags.iter().filter(|tag| !is_dud(tag)).cloned().collect()
}

/// The newest release on a line.
#[must_use]
pub fn newest_on_line(tags: &[TagFact], line: Line) -> Option<Version> {
    releases(tags)
        .map(|(version, _)| version)
        .filter(|version| version.line() == line)
        .max()
}

pub(crate) fn releases(tags: &[TagFact]) -> impl Iterator<Item = (Version, &str)> {
    tags.iter()
        .filter_map(|tag| Some((Version::from_tag(&tag.name)?, tag.commit.as_str())))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn tags(names: &[&str]) -> Vec<TagFact> {
        names
            .iter()
            .map(|name| TagFact {
                name: (*name).to_owned(),
                commit: format!("of {name}"),
            })
            .collect()
    }

    fn previous(names: &[&str], version: &str) -> Option<String> {
        previous_release(&tags(names), &version.parse().unwrap()).map(|(version, _)| version.to_string())
    }

    #[test]
    fn a_candidate_follows_its_predecessor_on_the_line() {
        let all = [
            "v0.5.7",
            "v0.5.6",
            "v0.6.0-rc2",
            "v0.6.0-rc10",
            "v0.7.0-rc1",
            "not-a-release",
        ];
        assert_eq!(previous(&all, "0.6.0-rc11").as_deref(), Some("0.6.0-rc10"));
        assert_eq!(previous(&all, "0.6.0-rc3").as_deref(), Some("0.6.0-rc2"));
        assert_eq!(
            previous(&["v0.5.7", "v0.5.6", "v0.4.9"], "0.6.0-rc1").as_deref(),
            Some("0.5.7")
        );
        assert_eq!(previous(&["v0.5.7-rc1"], "0.6.0-rc1"), None);
    }

    #[test]
    fn no_release_follows_a_dud() {
        let dud = Dud {
            reason: "loses data".parse().unwrap(),
            since: "2026-11-21T03:00:00Z".parse().unwrap(),
            advisory: None,
        };
        let duds = ["0.6.0-rc2", "0.6.1"].map(|version| (version.parse().unwrap(), dud.clone()));
        let all = tags(&["v0.6.0-rc1", "v0.6.0-rc2", "v0.6.0", "v0.6.1", "not-a-release"]);
        let usable = usable_tags(&all, &duds.into());
        let previous = |version: &str| {
            let found = previous_release(&usable, &version.parse().unwrap());
            found.map(|(version, _)| version.to_string())
        };
        assert_eq!(previous("0.6.0-rc3").as_deref(), Some("0.6.0-rc1"));
        assert_eq!(previous("0.6.2").as_deref(), Some("0.6.0"));
        assert_eq!(usable.len(), 3);
    }

    #[test]
    fn a_final_follows_the_final_before_it_even_on_its_candidates_commit() {
        assert_eq!(
            previous(&["v0.5.7", "v0.6.0-rc1", "v0.6.0"], "0.6.0").as_deref(),
            Some("0.5.7")
        );
        assert_eq!(
            previous(&["v0.6.0", "v0.6.1-rc1"], "0.6.1-rc2").as_deref(),
            Some("0.6.1-rc1")
        );
        assert_eq!(previous(&["v0.6.0"], "0.6.1-rc1").as_deref(), Some("0.6.0"));
        assert_eq!(previous(&[], "0.1.0"), None);
    }

    #[test]
    fn a_nightly_follows_the_nightly_before_it() {
        let all = [
            "v0.5.7",
            "v0.6.0-nightly.20260301",
            "v0.6.0-nightly.20260302",
            "v0.6.0-rc1",
        ];
        for (version, expected) in [
            ("0.6.0-nightly.20260302", Some("0.6.0-nightly.20260301")),
            ("0.7.0-nightly.20260303", Some("0.6.0-nightly.20260302")),
            ("0.6.0-nightly.20260301", Some("0.5.7")),
            ("0.6.0-rc1", Some("0.5.7")),
            ("0.6.0-rc2", Some("0.6.0-rc1")),
        ] {
            assert_eq!(previous(&all, version).as_deref(), expected, "{version}");
        }
        assert_eq!(previous(&["v0.6.0-rc1"], "0.6.0-nightly.20260301"), None);
    }

    #[test]
    fn what_came_before_stays_so_when_an_earlier_line_has_another_release() {
        let release = |(version, made): (&str, i64)| TaggedRelease {
            version: version.parse().unwrap(),
            commit: String::new(),
            made: UtcTime::from_unix(made).unwrap(),
        };
        let all = [("0.5.7", 10), ("0.5.8", 30), ("0.6.0", 20), ("0.6.1", 5)].map(release);
        let previous = |version: &str, made| {
            let made = UtcTime::from_unix(made).unwrap();
            let found = previous_release_at(&all, &version.parse().unwrap(), made);
            found.map(|release| release.version.to_string())
        };
        assert_eq!(previous("0.6.0", 20).as_deref(), Some("0.5.7"));
        assert_eq!(previous("0.5.8", 30).as_deref(), Some("0.5.7"));
        // On its own line the order of versions holds, whatever the clocks said.
        assert_eq!(previous("0.6.1", 5).as_deref(), Some("0.6.0"));
        assert_eq!(previous("0.7.0", 19).as_deref(), Some("0.6.1"));
        assert_eq!(previous("0.5.0", 40), None);
    }

    #[test]
    fn newest_on_a_line_ignores_other_lines() {
        let all = tags(&["v0.5.7", "v0.6.0-rc2", "v0.6.0-rc10", "v0.10.0"]);
        let line = "0.6.0".parse::<Version>().unwrap().line();
        assert_eq!(newest_on_line(&all, line).unwrap().to_string(), "0.6.0-rc10");
    }
}
