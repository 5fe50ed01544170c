"""Reads a calendar with the library `icalendar` and prints its events as JSON."""

import json
import sys

import icalendar

data = open(sys.argv[1], "rb").read()
calendar = icalendar.Calendar.from_ical(data)
problems = [str(error) for error in calendar.errors]
if calendar["METHOD"] != "PUBLISH" or str(calendar["VERSION"]) != "2.0":
    problems.append("not a published calendar of version 2.0")
for line in data.split(b"\r\n"):
    if len(line) > 75 or b"\n" in line:
        problems.append(f"a line is too long or ends wrongly: {line!r}")
events = []
for event in calendar.walk("VEVENT"):
    problems += [str(error) for error in event.errors]
    events.append(
        {
            "uid": str(event["UID"]),
            "start": event["DTSTART"].dt.isoformat(),
            "end": event["DTEND"].dt.isoformat(),
            "summary": str(event["SUMMARY"]),
            "status": str(event["STATUS"]),
            "sequence": int(event["SEQUENCE"]),
            "stamp": event["DTSTAMP"].dt.isoformat(),
        }
    )
json.dump({"events": events, "problems": problems}, sys.stdout)
