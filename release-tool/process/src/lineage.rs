//! Which release came before which: by version, never by topology, because a candidate and its final may share a commit.

use crate::TagFact;
use vrel_model::{Line, Stage, Version};

/// The release that a version follows, with its commit: for a final, the newest final below it; for a candidate, the
/// newest release below it on its own line, else the newest final of an earlier line.
#[must_use]
pub fn previous_release<'t>(tags: &'t [TagFact], version: &Version) -> Option<(Version, &'t str)> {
    let below = || releases(tags).filter(|(tagged, _)| tagged < version);
    let same_line = below().filter(|(tagged, _)| {
        tagged.line() == version.line() && !matches!(tagged.stage(), Stage::Nightly { .. })
    });
    let final_below = below().filter(|(tagged, _)| tagged.stage() == Stage::Final);
    let newest = |a: &(Version, &str), b: &(Version, &str)| a.0.cmp(&b.0);
    if version.is_candidate() {
        same_line.max_by(newest).or_else(|| final_below.max_by(newest))
    } else {
        final_below.max_by(newest)
    }
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
    fn newest_on_a_line_ignores_other_lines() {
        let all = tags(&["v0.5.7", "v0.6.0-rc2", "v0.6.0-rc10", "v0.10.0"]);
        let line = "0.6.0".parse::<Version>().unwrap().line();
        assert_eq!(newest_on_line(&all, line).unwrap().to_string(), "0.6.0-rc10");
    }
}
