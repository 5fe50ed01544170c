"""Reads the files of `vrel ci generate` with libraries of strangers and prints what they mean as JSON.

Workflows are read with PyYAML and held to the JSON Schema of GitHub Actions that `check-jsonschema` brings; lines of the
crontab are read with `croniter`.
"""

import datetime
import importlib.metadata
import json
import pathlib
import sys

import croniter
import jsonschema
import yaml

directory = pathlib.Path(sys.argv[1])
problems = []

name = "check_jsonschema/builtin_schemas/vendor/github-workflows.json"
(found,) = [file for file in importlib.metadata.files("check-jsonschema") if str(file) == name]
schema = json.loads(found.locate().read_text())
validator = jsonschema.Draft7Validator(schema)
workflows = {}
for path in sorted(directory.glob("workflows/*.yml")):
    read = yaml.safe_load(path.read_text())
    # In YAML 1.1 `on` is a truth value; hosted CI reads YAML 1.2.
    read["on"] = read.pop(True)
    problems += [f"{path.name}: {error.json_path}: {error.message}" for error in validator.iter_errors(read)]
    workflows[path.name] = read

start = datetime.datetime(2026, 11, 21, 12, 0, tzinfo=datetime.timezone.utc)
settings, jobs = {}, []
for line in (directory / "crontab").read_text().splitlines():
    if not line or line.startswith("#"):
        continue
    first = line.split("=")[0]
    if first.isidentifier():
        settings[first] = line.split("=", 1)[1]
        continue
    words = line.split(None, 5)
    times = croniter.croniter(" ".join(words[:5]), start)
    following = [times.get_next(datetime.datetime).isoformat() for _ in range(2)]
    jobs.append({"times": following, "command": words[5]})
json.dump({"problems": problems, "workflows": workflows, "settings": settings, "jobs": jobs}, sys.stdout)
