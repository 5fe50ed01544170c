"""Checks a JSON Schema itself, then which of some documents it accepts; prints a line for each of them."""

import json
import sys

from jsonschema import Draft202012Validator, FormatChecker


def load(path):
    return json.load(open(path, "rb"))


schema = load(sys.argv[1])
assert schema["$schema"] == Draft202012Validator.META_SCHEMA["$id"]
Draft202012Validator.check_schema(schema)
validator = Draft202012Validator(schema, format_checker=FormatChecker(["date-time"]))
for path in sys.argv[2:]:
    errors = sorted(error.json_path for error in validator.iter_errors(load(path)))
    print(" ".join(errors) or "valid")
