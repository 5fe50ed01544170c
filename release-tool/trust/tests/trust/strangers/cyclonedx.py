"""Validates a CycloneDX document against the official schema, reads it into objects, and checks its references."""

import json
import sys

from cyclonedx.model.bom import Bom
from cyclonedx.schema import SchemaVersion
from cyclonedx.validation.json import JsonStrictValidator
from license_expression import get_spdx_licensing
from packageurl import PackageURL

text = open(sys.argv[1], encoding="utf-8").read()
error = JsonStrictValidator(SchemaVersion.V1_6).validate_str(text)
if error is not None:
    sys.exit(f"{error}")

document = json.loads(text)
bom = Bom.from_json(document)
assert bom.validate(), "dependencies on components that are not there"
assert len(bom.components) == len(document["components"])
references = [c["bom-ref"] for c in document["components"]] + [document["metadata"]["component"]["bom-ref"]]
assert len(references) == len(set(references))
assert sorted(d["ref"] for d in document["dependencies"]) == sorted(references)
for dependency in document["dependencies"]:
    assert set(dependency["dependsOn"]) <= set(references), dependency
licensing = get_spdx_licensing()
for component in document["components"]:
    if purl := component.get("purl"):
        assert PackageURL.from_string(purl).to_string() == purl, purl
    for licence in component.get("licenses", []):
        # The schema takes any text for an expression.
        result = licensing.validate(licence["expression"])
        assert not result.errors, result.errors
print(len(document["components"]))
