//! `date`.

use alloc::format;
use alloc::string::String;
use core::fmt::Write as _;

use crate::Stop;
use crate::spec::{STATUS, Spec, Style, flag, value};

pub(crate) static SPEC: Spec = Spec {
    name: "date",
    usage: &["[-u] [-d @SECONDS] [+FORMAT]"],
    summary: "Prints date and time",
    options: &[
        flag('u', "utc", "in UTC, which is the only time zone there is"),
        value(
            'd',
            "date",
            "@SECONDS",
            "not now, but this long after 1970-01-01 00:00 UTC",
        ),
    ],
    style: Style::Mixed,
    notes: "In FORMAT these stand for parts of the time: %Y %C %y %G %g years, %m %b %B months, %d %e days, %j of the\n\
            year, %a %A %u %w of the week, %U %V %W weeks, %H %I %k %l hours, %M minutes, %S seconds, %N nanoseconds,\n\
            %s seconds since 1970, %p %P halves of the day, %Z %z time zone; %c %D %F %h %r %R %T %x %X combinations\n\
            of these; %n newline, %t tab, %% percent. Between % and the letter - means no padding, _ spaces, 0 zeros.",
    status: STATUS,
    trouble: 1,
    run: |invocation, out| {
        let mut format = "%a %b %e %H:%M:%S %Z %Y";
        for operand in &invocation.operands {
            match operand.strip_prefix('+') {
                Some(text) => format = text,
                None => return Err(Stop::Usage(format!("{operand}: a format begins with +"))),
            }
        }
        let (seconds, nanos) = match invocation.value('d') {
            Some(text) => match text
                .strip_prefix('@')
                .and_then(|seconds| seconds.parse::<i64>().ok())
            {
                // The years that follow from it have to be countable.
                Some(seconds) if seconds.unsigned_abs() < 1 << 55 => (seconds, 0),
                _ => return Err(Stop::Fatal(1, format!("{text}: not @ and a number of seconds"))),
            },
            None => match rt::time::unix_now() {
                Some(now) => (i64::try_from(now.as_secs()).unwrap_or(0), now.subsec_nanos()),
                None => {
                    let up = rt::time::now();
                    let text = format!(
                        "the machine has no clock; it started {}.{:03} s ago",
                        up.as_secs(),
                        up.subsec_millis()
                    );
                    return Err(Stop::Fatal(1, text));
                }
            },
        };
        let mut text = String::new();
        Time::new(seconds, nanos).format(format, &mut text);
        out.line(text.as_bytes())?;
        Ok(0)
    },
};

const DAYS: [&str; 7] = [
    "Sunday",
    "Monday",
    "Tuesday",
    "Wednesday",
    "Thursday",
    "Friday",
    "Saturday",
];
const MONTHS: [&str; 12] = [
    "January",
    "February",
    "March",
    "April",
    "May",
    "June",
    "July",
    "August",
    "September",
    "October",
    "November",
    "December",
];

/// A time of the Gregorian calendar in UTC.
struct Time {
    unix: i64,
    nanos: u32,
    year: i64,
    /// From 0 on.
    month: i64,
    day: i64,
    /// Of the year, from 0 on.
    year_day: i64,
    /// From Sunday, 0, on.
    week_day: i64,
    hour: i64,
    minute: i64,
    second: i64,
}

impl Time {
    fn new(unix: i64, nanos: u32) -> Self {
        let (days, rest) = (unix.div_euclid(86400), unix.rem_euclid(86400));
        // Years begin in March here, so that the leap day is the last of its year; eras are 400 years.
        let shifted = days + 719_468;
        let (era, day_of_era) = (shifted.div_euclid(146_097), shifted.rem_euclid(146_097));
        let year_of_era = (day_of_era - day_of_era / 1460 + day_of_era / 36524 - day_of_era / 146_096) / 365;
        let day_of_year = day_of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
        let from_march = (5 * day_of_year + 2) / 153;
        let day = day_of_year - (153 * from_march + 2) / 5 + 1;
        let month = (from_march + 2) % 12;
        let year = era * 400 + year_of_era + i64::from(month < 2);
        let leap = is_leap(year);
        // January and February are the end of the year that began in March.
        let year_day = if month < 2 {
            day_of_year - 306
        } else {
            day_of_year + 59 + i64::from(leap)
        };
        Self {
            unix,
            nanos,
            year,
            month,
            day,
            year_day,
            week_day: (days + 4).rem_euclid(7),
            hour: rest / 3600,
            minute: rest / 60 % 60,
            second: rest % 60,
        }
    }

    /// The year and week of ISO 8601: weeks begin on Monday, and belong to the year of their Thursday.
    fn iso_week(&self) -> (i64, i64) {
        let monday = (self.week_day + 6) % 7;
        let week = (self.year_day - monday + 10) / 7;
        let weeks_of = |year: i64| {
            let first = |year: i64| {
                (year + year.div_euclid(4) - year.div_euclid(100) + year.div_euclid(400)).rem_euclid(7)
            };
            // A year has 53 weeks if it ends on a Thursday, or the one before on a Wednesday.
            if first(year) == 4 || first(year - 1) == 3 {
                53
            } else {
                52
            }
        };
        if week < 1 {
            (self.year - 1, weeks_of(self.year - 1))
        } else if week > weeks_of(self.year) {
            (self.year + 1, 1)
        } else {
            (self.year, week)
        }
    }

    fn format(&self, format: &str, out: &mut String) {
        let mut rest = format.chars();
        while let Some(c) = rest.next() {
            if c != '%' {
                out.push(c);
                continue;
            }
            let directive = rest.as_str();
            let mut pad = None;
            if let Some(flag @ ('-' | '_' | '0')) = directive.chars().next() {
                pad = Some(flag);
                rest.next();
            }
            if !rest.next().is_some_and(|letter| self.directive(letter, pad, out)) {
                // What is no directive stays as it is.
                out.push('%');
                rest = directive.chars();
            }
        }
    }

    fn directive(&self, letter: char, pad: Option<char>, out: &mut String) -> bool {
        let mut number = |value: i64, width: usize, usual: char| {
            let _infallible = match pad.unwrap_or(usual) {
                '-' => write!(out, "{value}"),
                '_' => write!(out, "{value:width$}"),
                _ => write!(out, "{value:0width$}"),
            };
        };
        let day = DAYS[self.week_day as usize];
        let month = MONTHS[self.month as usize];
        let half = (self.hour + 11) % 12 + 1;
        match letter {
            'Y' => number(self.year, 4, '0'),
            'C' => number(self.year.div_euclid(100), 2, '0'),
            'y' => number(self.year.rem_euclid(100), 2, '0'),
            'G' => number(self.iso_week().0, 4, '0'),
            'g' => number(self.iso_week().0.rem_euclid(100), 2, '0'),
            'm' => number(self.month + 1, 2, '0'),
            'd' => number(self.day, 2, '0'),
            'e' => number(self.day, 2, '_'),
            'j' => number(self.year_day + 1, 3, '0'),
            'u' => number((self.week_day + 6) % 7 + 1, 1, '0'),
            'w' => number(self.week_day, 1, '0'),
            'U' => number((self.year_day + 7 - self.week_day) / 7, 2, '0'),
            'W' => number((self.year_day + 7 - (self.week_day + 6) % 7) / 7, 2, '0'),
            'V' => number(self.iso_week().1, 2, '0'),
            'H' => number(self.hour, 2, '0'),
            'k' => number(self.hour, 2, '_'),
            'I' => number(half, 2, '0'),
            'l' => number(half, 2, '_'),
            'M' => number(self.minute, 2, '0'),
            'S' => number(self.second, 2, '0'),
            's' => number(self.unix, 1, '0'),
            'N' => number(self.nanos.into(), 9, '0'),
            'a' => out.push_str(&day[..3]),
            'A' => out.push_str(day),
            'b' | 'h' => out.push_str(&month[..3]),
            'B' => out.push_str(month),
            'p' => out.push_str(if self.hour < 12 { "AM" } else { "PM" }),
            'P' => out.push_str(if self.hour < 12 { "am" } else { "pm" }),
            'Z' => out.push_str("UTC"),
            'z' => out.push_str("+0000"),
            'c' => self.format("%a %b %e %H:%M:%S %Y", out),
            'D' | 'x' => self.format("%m/%d/%y", out),
            'F' => self.format("%Y-%m-%d", out),
            'r' => self.format("%I:%M:%S %p", out),
            'R' => self.format("%H:%M", out),
            'T' | 'X' => self.format("%H:%M:%S", out),
            'n' => out.push('\n'),
            't' => out.push('\t'),
            '%' => out.push('%'),
            _ => return false,
        }
        true
    }
}

fn is_leap(year: i64) -> bool {
    year % 4 == 0 && (year % 100 != 0 || year % 400 == 0)
}
