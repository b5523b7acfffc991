"""The root of a bag's tree, by a library that somebody else wrote.

  root.py BAG

It takes every entry from `entries.jsonl`, so it needs a bag with all of them.
"""
import base64
import sys

from pymerkle import InmemoryTree

bag = sys.argv[1]
with open(f"{bag}/data/ledger/checkpoint", encoding="utf-8") as file:
    origin, size, root = file.read().split("\n")[:3]
with open(f"{bag}/data/ledger/entries.jsonl", "rb") as file:
    entries = file.read().split(b"\n")[:-1]
if len(entries) != int(size):
    sys.exit(f"the bag has {len(entries)} entries of {size}")
tree = InmemoryTree(algorithm="sha256")
for entry in entries:
    tree.append_entry(entry)
found = base64.b64encode(tree.get_state()).decode()
if found != root:
    sys.exit(f"pymerkle makes {found}, and the checkpoint is over {root}")
print(f"pymerkle makes the same root over {size} entries")
