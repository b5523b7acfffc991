"""Holds every event of a bag against the schema of its version, by a validator that somebody else wrote.

  ocsf.py BAG FOLDER-OF-SCHEMAS
"""
import json
import sys

import zstandard
from jsonschema import Draft202012Validator

bag, folder = sys.argv[1:]
validators = {}


def validator(version):
    if version not in validators:
        with open(f"{folder}/compliance_finding-{version}.schema.json.zst", "rb") as file:
            schema = zstandard.ZstdDecompressor().stream_reader(file).read().decode()
        # What derived them did not escape the `/` in the names of extensions (RFC 6901).
        validators[version] = Draft202012Validator(json.loads(schema.replace("#/$defs/win/", "#/$defs/win~1")))
    return validators[version]


n_events = 0
with open(f"{bag}/data/machine/ocsf.ndjson", encoding="utf-8") as events:
    for n_events, line in enumerate(events, 1):
        event = json.loads(line)
        for error in validator(event["metadata"]["version"]).iter_errors(event):
            sys.exit(f"event {n_events}, {error.json_path}: {error.message}")
if n_events == 0:
    sys.exit("there is no event")
print(f"{n_events} events are of OCSF {' and '.join(validators)}")
