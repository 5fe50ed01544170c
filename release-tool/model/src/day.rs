//! Days of the calendar.

use crate::UtcTime;
use serde::{Deserialize, Serialize};
use std::fmt;
use std::str::FromStr;

/// A day, `YYYY-MM-DD`, in UTC.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Day(jiff::civil::Date);

/// Why a text is not a day.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("`{0}` is not a day; expected for example 2027-10-01")]
pub struct DayError(pub String);

impl Day {
    /// Its first second.
    #[must_use]
    pub fn start(self) -> UtcTime {
        let midnight = self.0.to_zoned(jiff::tz::TimeZone::UTC);
        let seconds = midnight.map_or(0, |midnight| midnight.timestamp().as_second());
        UtcTime::from_unix(seconds).unwrap_or_else(|_| unreachable!())
    }

    /// The first second after it.
    #[must_use]
    pub fn end(self) -> UtcTime {
        self.start().plus_days(1)
    }

    /// This day some months later; the month's last day where it has no such day.
    #[must_use]
    pub fn plus_months(self, months: u32) -> Self {
        let span = jiff::Span::new().try_months(i64::from(months));
        Self(span.map_or(jiff::civil::Date::MAX, |span| self.0.saturating_add(span)))
    }

    /// How many days there are from this day to another; negative when that one is earlier.
    #[must_use]
    pub fn days_until(self, other: Self) -> i32 {
        self.0.until(other.0).map_or(0, |span| span.get_days())
    }
}

impl From<Day> for jiff::civil::Date {
    fn from(day: Day) -> Self {
        day.0
    }
}

impl From<UtcTime> for Day {
    fn from(time: UtcTime) -> Self {
        time.date().parse().unwrap_or(Self(jiff::civil::Date::MAX))
    }
}

impl FromStr for Day {
    type Err = DayError;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let day: jiff::civil::Date = text.parse().map_err(|_| DayError(text.to_owned()))?;
        // One spelling only.
        if day.to_string() == text {
            Ok(Self(day))
        } else {
            Err(DayError(text.to_owned()))
        }
    }
}

impl fmt::Display for Day {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(&self.0.to_string())
    }
}

impl Serialize for Day {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

impl<'de> Deserialize<'de> for Day {
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
    fn days_have_one_spelling_and_months_end_where_they_end() {
        let day = |text: &str| text.parse::<Day>().unwrap();
        assert_eq!(day("2027-10-31").plus_months(4).to_string(), "2028-02-29");
        assert_eq!(day("2027-10-01").days_until(day("2027-09-30")), -1);
        assert_eq!(day("2027-01-01").days_until(day("2029-01-01")), 731);
        for bad in ["2027-10-1", "2027-13-01", "2027-02-29", "20271001", "soon"] {
            assert!(bad.parse::<Day>().is_err(), "{bad}");
        }
        let time: UtcTime = "2026-11-21T23:59:59Z".parse().unwrap();
        assert_eq!(Day::from(time), day("2026-11-21"));
    }
}
