"""Holds every event of a bag against the schema of its version, by a validator that somebody else wrote.

  ocsf.py BAG FOLDER-OF-SCHEMAS
"""
import json
import sys

import zstandard
from jsonschema import Draft202012Validator

bag, folder = sys.argv[1:]
CLASSES = {2003: "compliance_finding", 3001: "account_change", 3004: "entity_management", 3005: "user_access"}
validators = {}


def validator(event):
    kind = CLASSES[event["class_uid"]], event["metadata"]["version"]
    if kind not in validators:
        with open(f"{folder}/{'-'.join(kind)}.schema.json.zst", "rb") as file:
            schema = zstandard.ZstdDecompressor().stream_reader(file).read().decode()
        # What derived them did not escape the `/` in the names of extensions (RFC 6901).
        validators[kind] = Draft202012Validator(json.loads(schema.replace("#/$defs/win/", "#/$defs/win~1")))
    return validators[kind]


n_events = 0
with open(f"{bag}/data/machine/ocsf.ndjson", encoding="utf-8") as events:
    for n_events, line in enumerate(events, 1):
        event = json.loads(line)
        for error in validator(event).iter_errors(event):
            sys.exit(f"event {n_events}, {error.json_path}: {error.message}")
if n_events == 0:
    sys.exit("there is no event")
versions = " and ".join(sorted({version for _, version in validators}))
print(f"{n_events} events are of OCSF {versions}: {', '.join(sorted(name for name, _ in validators))}")
