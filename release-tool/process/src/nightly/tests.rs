use super::*;

fn version(text: &str) -> Version {
    text.parse().unwrap()
}

fn time(text: &str) -> UtcTime {
    text.parse().unwrap()
}

fn nightly(day: u32, commit: &str) -> PublishedNightly {
    PublishedNightly {
        version: version(&format!("0.6.0-nightly.202611{day:02}")),
        commit: commit.to_owned(),
        created: time(&format!("2026-11-{day:02}T03:00:00Z")),
    }
}

fn policy(text: &str) -> ChannelPolicy {
    let text = format!("description = 'x'\nstages = ['nightly']\nkey-role = 'release'\n{text}");
    vrel_model::toml_file::parse(std::path::Path::new("nightly.toml"), &text).unwrap()
}

#[test]
fn a_nightly_is_due_when_something_changed_and_none_is_of_this_day() {
    let base = version("0.6.0");
    let now = time("2026-11-21T03:00:00Z");
    let expected = NightlyDue::Now(version("0.6.0-nightly.20261121"));
    assert_eq!(nightly_due(None, "b", &base, now), expected);
    assert_eq!(nightly_due(Some(&nightly(20, "a")), "b", &base, now), expected);
    assert_eq!(
        nightly_due(Some(&nightly(20, "a")), "a", &base, now),
        NightlyDue::Unchanged
    );
    assert_eq!(
        nightly_due(Some(&nightly(21, "a")), "b", &base, now),
        NightlyDue::MadeToday
    );
    // A clock that was wrong yesterday does not make a second one of a day.
    assert_eq!(
        nightly_due(Some(&nightly(22, "a")), "b", &base, now),
        NightlyDue::MadeToday
    );
    // Another release to lead to is no reason for a second one either.
    assert_eq!(
        nightly_due(Some(&nightly(21, "a")), "b", &version("0.7.0"), now),
        NightlyDue::MadeToday
    );
}

#[test]
fn what_a_channel_still_needs_is_kept() {
    let all: Vec<_> = (10..=20).map(|day| nightly(day, "c")).collect();
    let now = time("2026-11-20T03:00:00Z");
    let days = |policy: &ChannelPolicy, heads: &[Version], waiting: &dyn Fn(&Version) -> bool| {
        expendable(policy, &all, heads, waiting, now)
            .iter()
            .map(|version| day(version).unwrap() - 20_261_100)
            .collect::<Vec<_>>()
    };
    let none = |_: &Version| false;
    assert_eq!(days(&policy(""), &[], &none), Vec::<u32>::new());
    assert_eq!(days(&policy("keep-last = 8"), &[], &none), [10, 11, 12]);
    assert_eq!(
        days(&policy("keep-last = 2\nkeep-days = 7"), &[], &none),
        [10, 11, 12, 13]
    );
    let head = [version("0.6.0-nightly.20261111")];
    assert_eq!(days(&policy("keep-last = 8"), &head, &none), [10, 12]);
    let waiting = |version: &Version| day(version) == Some(20_261_110);
    assert_eq!(days(&policy("keep-last = 8"), &head, &waiting), [12]);
}

#[test]
fn a_channel_is_stale_after_its_hours() {
    let newest = time("2026-11-20T03:00:00Z");
    let policy = policy("stale-after-hours = 48");
    assert_eq!(overdue(&policy, newest, time("2026-11-22T03:00:00Z")), None);
    assert_eq!(overdue(&policy, newest, time("2026-11-22T06:30:00Z")), Some(3));
    let never = self::policy("");
    assert_eq!(overdue(&never, newest, time("2027-11-22T06:30:00Z")), None);
}

#[test]
fn nothing_to_search_in_is_no_search() {
    assert_eq!(Bisection::new(Vec::new()), None);
    let one = Bisection::new(vec!["a".to_owned()]).unwrap();
    assert_eq!(
        (
            one.next_commit(),
            one.first_bad(),
            one.last_good(),
            one.tries_left()
        ),
        (None, "a", None, 0)
    );
}

#[test]
fn the_search_ends_at_the_first_bad_commit() {
    for length in 1..=40 {
        for first_bad in 0..length {
            let commits: Vec<_> = (0..length).map(|number: usize| number.to_string()).collect();
            let mut search = Bisection::new(commits).unwrap();
            let promised = search.tries_left();
            let mut tries = 0;
            while let Some(commit) = search.next_commit() {
                let good = commit.parse::<usize>().unwrap() < first_bad;
                search.record(good);
                tries += 1;
            }
            assert!(tries <= promised, "{tries} tries, {promised} promised");
            assert_eq!(search.first_bad(), first_bad.to_string());
            let before = first_bad.checked_sub(1).map(|before| before.to_string());
            assert_eq!(search.last_good().map(str::to_owned), before);
        }
    }
}
