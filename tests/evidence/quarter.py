"""Compares what docs/evidence/quarter/run printed with what docs/evidence/quarter.md shows, but for
dates, keys and random names.

    quarter.py PAGE PRINTED
"""

import difflib
import re
import sys

DIFFERENT_EACH_TIME = [
    (r"\d{4}-\d\d-\d\d(T[\d:.]+Z)?", "DATE"),
    (r"sub_[0-9a-f]{32}", "SUBJECT"),
    (r"SHA256:[A-Za-z0-9+/]{43}", "KEY"),
    (r"the key [0-9a-f]{8}\b", "the key KEY"),
    (r",\d+$", ",SECONDS"),
]


def lasting(text):
    for pattern, name in DIFFERENT_EACH_TIME:
        text = re.sub(pattern, name, text, flags=re.MULTILINE)
    return text.splitlines()


def main():
    page, printed = (open(path, encoding="utf-8").read() for path in sys.argv[1:])
    shown = "".join(re.findall(r"^```console\n(.*?)^```$", page, flags=re.MULTILINE | re.DOTALL))
    differences = list(difflib.unified_diff(lasting(shown), lasting(printed), "page", "printed", lineterm=""))
    print("\n".join(differences) or f"{shown.count(chr(10))} lines are as in the page")
    sys.exit(bool(differences))


main()
