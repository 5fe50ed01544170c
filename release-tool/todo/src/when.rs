//! When a release was made or is planned, as a plan says it in words.

use jiff::civil::Date;

/// What a plan says of a release's time.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum When {
    /// Some time within these days, both included; they are the same for a day.
    Within(Date, Date),
    /// After this day.
    After(Date),
    /// Some time.
    Undecided,
}

impl When {
    /// Reads `2026-11-21`, `2026-02-14 to 2026-02-15`, `2026-11`, `2026 Q3`, `Q3 2026`, `2026`, any of them with `after`
    /// in front, `later` or `to be decided`; `None` for anything else.
    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        let text = text.trim();
        let lower = text.to_ascii_lowercase();
        if ["later", "to be decided", "tbd", "undecided"].contains(&lower.as_str()) {
            return Some(Self::Undecided);
        }
        if let Some(rest) = lower.strip_prefix("after ") {
            return span(rest).map(|(_, last)| Self::After(last));
        }
        let (from, to) = lower.split_once(" to ").unwrap_or((&lower, &lower));
        let ((first, _), (_, last)) = (span(from)?, span(to)?);
        (first <= last).then_some(Self::Within(first, last))
    }

    /// The first day that it can be; `None` when that is open.
    #[must_use]
    pub fn first(self) -> Option<Date> {
        match self {
            Self::Within(first, _) => Some(first),
            Self::After(day) => day.tomorrow().ok(),
            Self::Undecided => None,
        }
    }
}

/// The first and the last day of a day, month, quarter or year.
fn span(text: &str) -> Option<(Date, Date)> {
    let words: Vec<&str> = text.split_whitespace().collect();
    match words[..] {
        [quarter, year] | [year, quarter] if quarter.starts_with('q') => {
            let quarter = ["q1", "q2", "q3", "q4"]
                .iter()
                .position(|name| *name == quarter)?;
            let first = i8::try_from(quarter * 3 + 1).ok()?;
            months(number(year, 4)?, first, first + 2)
        }
        [word] => match word.split('-').collect::<Vec<_>>()[..] {
            [year] => months(number(year, 4)?, 1, 12),
            [year, month] => {
                let month = i8::try_from(number(month, 2)?).ok()?;
                months(number(year, 4)?, month, month)
            }
            [year, month, day] => {
                let part = |text| i8::try_from(number(text, 2)?).ok();
                let day = Date::new(number(year, 4)?, part(month)?, part(day)?).ok()?;
                Some((day, day))
            }
            _ => None,
        },
        _ => None,
    }
}

fn months(year: i16, first: i8, last: i8) -> Option<(Date, Date)> {
    let first = Date::new(year, first, 1).ok()?;
    let last = Date::new(year, last, 1).ok()?.last_of_month();
    Some((first, last))
}

/// A number of exactly so many digits.
fn number(text: &str, digits: usize) -> Option<i16> {
    let plain = text.len() == digits && text.bytes().all(|byte| byte.is_ascii_digit());
    if plain { text.parse().ok() } else { None }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn times_are_read_as_people_write_them() {
        for (text, expected) in [
            ("2026-11-21", "2026-11-21 2026-11-21"),
            ("2026-02-14 to 2026-02-15", "2026-02-14 2026-02-15"),
            ("2028-02", "2028-02-01 2028-02-29"),
            ("2026 Q3", "2026-07-01 2026-09-30"),
            ("q4 2026", "2026-10-01 2026-12-31"),
            (" 2027 ", "2027-01-01 2027-12-31"),
            ("2027 Q1 to 2027 Q2", "2027-01-01 2027-06-30"),
            ("after 2028 Q1", "after 2028-03-31"),
            ("Later", "undecided"),
            ("to be decided", "undecided"),
        ] {
            let found = match When::parse(text) {
                Some(When::Within(first, last)) => format!("{first} {last}"),
                Some(When::After(day)) => format!("after {day}"),
                Some(When::Undecided) => "undecided".to_owned(),
                None => "nothing".to_owned(),
            };
            assert_eq!(found, expected, "{text}");
        }
        for text in [
            "",
            "soon",
            "2026 Q5",
            "2026-13",
            "2026-02-30",
            "26-1-1",
            "2026-03 to 2026-01",
            "Q",
            "q1",
        ] {
            assert_eq!(When::parse(text), None, "{text}");
        }
    }
}
