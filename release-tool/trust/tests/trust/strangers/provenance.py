"""Reads a statement with in-toto's own types, which know no other members, and checks it by their rules."""

import sys

from google.protobuf import json_format
from in_toto_attestation.predicates.provenance.v1 import provenance_pb2
from in_toto_attestation.v1 import statement_pb2
from in_toto_attestation.v1.statement import Statement

text = open(sys.argv[1], encoding="utf-8").read()
statement = Statement.copy_from_pb(json_format.Parse(text, statement_pb2.Statement()))
statement.validate()
assert statement.pb.predicate_type == "https://slsa.dev/provenance/v1"

# Types that know no other members: what is misspelt or misplaced is an error here.
predicate = json_format.MessageToDict(statement.pb)["predicate"]
provenance = json_format.ParseDict(predicate, provenance_pb2.Provenance())
definition, run = provenance.build_definition, provenance.run_details
# What SLSA demands of every statement.
assert definition.build_type and definition.external_parameters.fields and run.builder.id
for resource in definition.resolved_dependencies:
    assert resource.uri or resource.digest or resource.content, resource
    for algorithm, digest in resource.digest.items():
        assert len(bytes.fromhex(digest)) == {"sha256": 32, "gitCommit": 20}[algorithm], resource
for subject in statement.pb.subject:
    print(subject.name, subject.digest["sha256"])
