"""Fills a SCIM server over its own API with a known company and writes down what it holds.

    fill.py URL TOKEN MODE FILE

25 people: every fifth is switched off by PATCH, one never had an `active`, one is deleted. What
the server holds afterwards is not read from its lists; it follows from what was done and MODE:
`hard` (a deleted account is gone), `soft` (it stays, inactive), `hide` (as soft, and no inactive
account is listed). Standard library only.
"""

import json
import sys
import urllib.request

USER = "urn:ietf:params:scim:schemas:core:2.0:User"
PATCH = "urn:ietf:params:scim:api:messages:2.0:PatchOp"
PEOPLE = 25
# Numbers of the people with whom something is odd.
UNSTATED, DELETED = 7, 12

url, token, mode, path = sys.argv[1:]


def send(method, place, body=None):
    request = urllib.request.Request(
        url + place,
        method=method,
        data=None if body is None else json.dumps(body).encode(),
        headers={"Authorization": f"Bearer {token}", "Content-Type": "application/scim+json"},
    )
    with urllib.request.urlopen(request, timeout=30) as answer:
        text = answer.read()
    return json.loads(text) if text else None


def account(number):
    name = f"person{number:02}@company.test"
    body = {
        "schemas": [USER],
        "userName": name,
        "externalId": f"00u{number:04}",
        "displayName": f"Person {number}",
        "name": {"givenName": "Person", "familyName": str(number)},
        "emails": [{"value": name, "type": "work", "primary": True}],
    }
    if number != UNSTATED:
        body["active"] = True
    made = send("POST", "/Users", body)
    held = {"id": made["id"], "externalId": body["externalId"], "userName": name}
    held |= {"active": body.get("active"), "listed": True, "by_id": 200}
    if number % 5 == 0:
        off = {"op": "replace", "path": "active", "value": False}
        send("PATCH", f"/Users/{made['id']}", {"schemas": [PATCH], "Operations": [off]})
        held["active"] = False
    if number == DELETED:
        send("DELETE", f"/Users/{made['id']}")
        held |= {"active": None, "by_id": 404} if mode == "hard" else {"active": False}
    if held["by_id"] == 404 or (mode == "hide" and held["active"] is False):
        held["listed"] = False
    return held


accounts = [account(number) for number in range(1, PEOPLE + 1)]
with open(path, "w", encoding="utf-8") as file:
    total = sum(it["listed"] for it in accounts)
    json.dump({"mode": mode, "total": total, "accounts": accounts}, file, indent=1)
    file.write("\n")
