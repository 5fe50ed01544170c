//! A year of releases: nightlies, freezes, candidates, finals, a dud, a rollback and a line of long-term support, with deaths
//! at random effects. The seed stays the same, so that a failure can be looked at; `ci/soak` takes others.

#[test]
fn a_year_holds_whatever_goes_wrong() {
    let report = vrel_testkit::live_through(2027);
    assert!(report.nightlies > 80 && report.broken_nights > 0, "{report:?}");
    assert!(report.interruptions > 10 && report.backports > 8, "{report:?}");
    assert_eq!(report.duds, 1, "{report:?}");
    // Ten candidates and eight finals beside the nightlies.
    assert_eq!(report.releases, report.nightlies + 18, "{report:?}");
}
