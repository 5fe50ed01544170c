//! The token bucket: against what a rate limit means, counted over every stretch of time.

use kcore::token_bucket::TokenBucket;
use proptest::prelude::*;

const SECOND: u64 = 1_000_000_000;

proptest! {
    #[test]
    fn no_stretch_of_time_has_more_than_its_tokens(
        rate in prop_oneof![0..50_u32, any::<u32>()],
        burst in prop_oneof![0..20_u32, any::<u32>()],
        start in 0..u64::MAX / 2,
        takes in prop::collection::vec((0..SECOND, prop_oneof![0..10_u32, any::<u32>()]), 1..60),
    ) {
        let mut bucket = TokenBucket::new(rate, burst, start);
        let mut now = start;
        let mut taken: Vec<(u64, u64)> = Vec::new();
        for (pause, tokens) in takes {
            now += pause;
            let available = bucket.available(now);
            prop_assert!(available <= burst);
            let wait = bucket.wait(tokens, now);
            prop_assert_eq!(wait == Some(0), tokens <= available);
            prop_assert_eq!(wait.is_none(), tokens > burst || rate == 0 && tokens > available);
            if let Some(wait) = wait.filter(|&wait| wait > 0) {
                // Exactly then, and not a nanosecond before.
                let (mut then, mut before) = (bucket, bucket);
                prop_assert!(then.take(tokens, now + wait));
                prop_assert!(!before.take(tokens, now + wait - 1));
            }
            let got = bucket.take(tokens, now);
            prop_assert_eq!(got, tokens <= available);
            prop_assert_eq!(bucket.available(now), available - if got { tokens } else { 0 });
            if got {
                taken.push((now, u64::from(tokens)));
            }
            // From each earlier time to now: the burst and what the rate gives, at most.
            let mut sum = 0_u128;
            for &(at, tokens) in taken.iter().rev() {
                sum += u128::from(tokens) * u128::from(SECOND);
                let allowed = u128::from(burst) * u128::from(SECOND) + u128::from(now - at) * u128::from(rate);
                prop_assert!(sum <= allowed);
            }
        }
    }

    #[test]
    fn asking_often_loses_nothing(rate in 1..1000_u32, pauses in prop::collection::vec(1..1_000_000_u64, 1..200)) {
        let (mut often, mut once) = (TokenBucket::new(rate, 1000, 0), TokenBucket::new(rate, 1000, 0));
        prop_assert!(often.take(1000, 0) && once.take(1000, 0));
        let mut now = 0;
        for pause in pauses {
            now += pause;
            prop_assert!(often.take(0, now));
        }
        prop_assert!(once.take(0, now));
        prop_assert_eq!(often, once);
    }
}

#[test]
fn a_clock_that_goes_back_gives_nothing() {
    let mut bucket = TokenBucket::new(10, 5, 100 * SECOND);
    assert!(bucket.take(5, 100 * SECOND));
    assert!(!bucket.take(1, 99 * SECOND) && bucket.available(0) == 0);
    assert_eq!(bucket.wait(1, 99 * SECOND), Some(SECOND + SECOND / 10));
    assert_eq!(bucket.available(100 * SECOND + SECOND / 10), 1);
    assert_eq!(bucket.available(u64::MAX), 5);
}
