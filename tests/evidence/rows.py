"""Every row of a bag's population against its leaf in the tree, without Driftline's own code: pymerkle
proves each leaf, and what the row concludes is read from it.

  rows.py BAG
"""
import base64
import csv
import json
import sys

from pymerkle import InmemoryTree, verify_inclusion

bag = sys.argv[1]
with open(f"{bag}/data/ledger/checkpoint", encoding="utf-8") as file:
    root = base64.b64decode(file.read().split("\n")[2])
with open(f"{bag}/data/ledger/entries.jsonl", "rb") as file:
    entries = file.read().split(b"\n")[:-1]
tree = InmemoryTree(algorithm="sha256")
for entry in entries:
    tree.append_entry(entry)
with open(f"{bag}/data/population.csv", encoding="utf-8-sig", newline="") as file:
    rows = list(csv.DictReader(file))
for row in rows:
    seq = int(row["entry"])
    leaf = json.loads(entries[seq])
    # pymerkle counts from 1.
    verify_inclusion(tree.get_leaf(seq + 1), root, tree.prove_inclusion(seq + 1, len(entries)))
    body = leaf["body"]
    sla = body["sla"]
    stretches = [it for account in body["accounts"] for it in account["stretches"]]
    told = {
        "leaver": f"{leaf['subject']}-{body['episode']}",
        "sla": sla["outcome"].upper(),
        "because": sla["because"],
        "deadline_at": sla["deadline_at"] or "",
        "hr_termination_at": body["hr_termination_at"] or "",
        "idp_deactivated_at": body["idp_deactivated_at"] or "",
        "started_latest": body["started"]["latest"] or "",
        "found_at": body["found_at"],
        "returned_at": body["returned_at"] or "",
        "n_stretches": str(len(stretches)) if stretches else row["n_stretches"],
    }
    wrong = [f"{name}: {row[name]!r}, and its leaf {value!r}" for name, value in told.items() if row[name] != value]
    if wrong:
        sys.exit(f"row of entry {seq}: " + "; ".join(wrong))
print(f"{len(rows)} rows are what their leaves say, and pymerkle proves each leaf")
