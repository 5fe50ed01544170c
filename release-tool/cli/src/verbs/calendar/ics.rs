//! The calendar for calendar programs: iCalendar, RFC 5545.
//!
//! The library escapes, folds and ends lines. Left alone it would take the clock for stamps and random numbers for
//! identifiers, so both are always given.

use crate::exit::{Failure, FailureKind};
use icalendar::{Calendar, Component, Event, Property};
use jiff::civil::Date;
use vrel_model::UtcTime;
use vrel_process::{CalendarEvent, Span};

/// Writes the file. All events are stamped with `as_of`, the time of the newest source: a program that knows an event by
/// its identifier takes the newer stamp.
pub(super) fn render(
    product: &str,
    url: &str,
    events: &[CalendarEvent],
    as_of: UtcTime,
) -> Result<String, Failure> {
    let mut calendar = Calendar::new();
    calendar.properties.retain(|property| property.key() != "PRODID");
    calendar.append_property(("PRODID", format!("-//{product}//vrel calendar//EN").as_str()));
    calendar.append_property(("METHOD", "PUBLISH"));
    calendar.name(&format!("{product} releases"));
    for event in events {
        calendar.push(component(event, url, as_of)?);
    }
    Ok(calendar.to_string())
}

fn component(event: &CalendarEvent, url: &str, as_of: UtcTime) -> Result<Event, Failure> {
    let mut out = Event::new();
    out.uid(&event.uid).summary(&event.title);
    out.add_property("DTSTAMP", utc(as_of));
    out.add_property("SEQUENCE", sequence(as_of).to_string());
    out.add_property("STATUS", if event.tentative { "TENTATIVE" } else { "CONFIRMED" });
    // Nobody is busy because of a release.
    out.add_property("TRANSP", "TRANSPARENT");
    out.append_property(Property::new("CATEGORIES", event.kind.as_str()));
    out.url(url);
    match event.span {
        Span::Days(first, last) => {
            let after = last
                .tomorrow()
                .map_err(|error| Failure::new(FailureKind::Policy, format!("{}: {error}", event.title)))?;
            out.append_property(day("DTSTART", first));
            out.append_property(day("DTEND", after));
        }
        Span::Time(start, end) => {
            out.add_property("DTSTART", utc(start));
            if let Some(end) = end {
                out.add_property("DTEND", utc(end));
            }
        }
    }
    Ok(out.done())
}

fn day(name: &str, day: Date) -> Property {
    let mut property = Property::new(name, day.to_string().replace('-', ""));
    property.add_parameter("VALUE", "DATE").done()
}

/// A number that grows with the stamp: seconds since 2020, which fit into the 31 bits that programs keep for it until 2088.
fn sequence(as_of: UtcTime) -> i64 {
    const START: i64 = 1_577_836_800;
    as_of.unix().saturating_sub(START).clamp(0, i64::from(i32::MAX))
}

/// `20261121T030000Z`.
fn utc(time: UtcTime) -> String {
    time.to_string().replace(['-', ':'], "")
}

#[cfg(test)]
mod tests {
    use super::*;
    use vrel_process::EventKind;

    fn event(uid: &str, span: Span, title: &str) -> CalendarEvent {
        CalendarEvent {
            kind: EventKind::Release,
            uid: uid.to_owned(),
            line: None,
            span,
            title: title.to_owned(),
            tentative: true,
        }
    }

    #[test]
    fn the_same_events_give_the_same_lines() {
        let as_of: UtcTime = "2026-11-21T03:00:59Z".parse().unwrap();
        let quarter = Span::Days("2026-07-01".parse().unwrap(), "2026-09-30".parse().unwrap());
        let freeze = Span::Time(as_of, Some("2026-12-01T00:00:00Z".parse().unwrap()));
        let long = "é".repeat(60);
        let events = [
            event("release-0.6.0@p", quarter, "v0.6.0: a, b; c\\d"),
            event("freeze-0.6-1@p", freeze, &long),
        ];
        let text = render("Product", "https://example.org", &events, as_of).unwrap();
        assert_eq!(
            text,
            render("Product", "https://example.org", &events, as_of).unwrap()
        );
        assert_eq!(text.matches('\n').count(), text.matches("\r\n").count());
        assert!(text.split("\r\n").all(|line| line.len() <= 75), "{text}");
        for line in [
            "METHOD:PUBLISH",
            "UID:release-0.6.0@p",
            "SUMMARY:v0.6.0: a\\, b\\; c\\\\d",
            "DTSTART;VALUE=DATE:20260701",
            "DTEND;VALUE=DATE:20261001",
            "DTSTART:20261121T030059Z",
            "DTEND:20261201T000000Z",
            "DTSTAMP:20261121T030059Z",
            "SEQUENCE:217393259",
            "STATUS:TENTATIVE",
        ] {
            assert!(text.split("\r\n").any(|found| found == line), "{line}\n{text}");
        }
        assert!(
            text.replace("\r\n ", "").contains(&format!("SUMMARY:{long}\r\n")),
            "{text}"
        );
    }
}
