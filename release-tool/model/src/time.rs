//! Points in time.

use serde::{Deserialize, Serialize};
use std::fmt;
use std::str::FromStr;

/// A point in time in whole seconds, UTC. `Display` and serde use RFC 3339 with a `Z`, for example
/// `2026-11-21T03:00:00Z`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct UtcTime(i64);

/// Why a text or number is not a time.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("`{0}` is not a time; expected for example 2026-11-21T03:00:00Z")]
pub struct TimeError(pub String);

impl UtcTime {
    /// From seconds since 1970-01-01T00:00:00Z; errors outside the years -9999 to 9999.
    ///
    /// # Errors
    /// When the number is out of that range.
    pub fn from_unix(seconds: i64) -> Result<Self, TimeError> {
        jiff::Timestamp::from_second(seconds).map_err(|_| TimeError(seconds.to_string()))?;
        Ok(Self(seconds))
    }

    /// Seconds since 1970-01-01T00:00:00Z.
    #[must_use]
    pub fn unix(self) -> i64 {
        self.0
    }

    /// This time and a number of days, saturating at the end of the calendar.
    #[must_use]
    pub fn plus_days(self, days: u32) -> Self {
        let later = self.0.saturating_add(i64::from(days) * 86_400);
        Self::from_unix(later).unwrap_or(Self(jiff::Timestamp::MAX.as_second()))
    }

    /// The calendar day in UTC, for example `2026-11-21`.
    #[must_use]
    pub fn date(self) -> String {
        self.to_string()[..10].to_owned()
    }
}

impl fmt::Display for UtcTime {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match jiff::Timestamp::from_second(self.0) {
            Ok(timestamp) => write!(f, "{timestamp}"),
            Err(_) => Err(fmt::Error),
        }
    }
}

impl FromStr for UtcTime {
    type Err = TimeError;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let timestamp: jiff::Timestamp = text.parse().map_err(|_| TimeError(text.to_owned()))?;
        let time = Self(timestamp.as_second());
        // One spelling only: signed documents are compared as text.
        if time.to_string() == text {
            Ok(time)
        } else {
            Err(TimeError(text.to_owned()))
        }
    }
}

impl Serialize for UtcTime {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

impl<'de> Deserialize<'de> for UtcTime {
    fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        String::deserialize(deserializer)?
            .parse()
            .map_err(serde::de::Error::custom)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_spelling_round_trips() {
        let time = UtcTime::from_unix(1_795_230_000).unwrap();
        assert_eq!(time.to_string(), "2026-11-21T03:00:00Z");
        assert_eq!(time.to_string().parse(), Ok(time));
        assert_eq!(time.date(), "2026-11-21");
        assert_eq!(time.plus_days(10).to_string(), "2026-12-01T03:00:00Z");
        for bad in [
            "2026-11-21T03:00:00+00:00",
            "2026-11-21T03:00:00.5Z",
            "2026-11-21",
            "",
            "2026-11-21t03:00:00Z",
        ] {
            assert!(bad.parse::<UtcTime>().is_err(), "{bad}");
        }
    }
}
