#!/usr/bin/env python3
"""Checks a bag of Driftline's evidence, without Driftline.

Needs nothing but Python 3.9. With ssh-keygen it also checks who signed the bag, with openssl who
signed the ledger. It runs nothing that is in the bag.

  python3 verify.py BAG [--trust DIR] [--since FILE] [--nonce TEXT -n N]

BAG is the folder, or the ZIP. DIR holds what you were given earlier, by another way than the bag:
allowed_signers, log.vkey and, for time stamps, tsa.pem. FILE is a checkpoint of the ledger that you kept.
Ends with 0: it is what was written. 2: usage. 6: it is not. 7: something could not be checked.
"""
import argparse, base64, csv, datetime, hashlib, io, json, os, re, shutil, subprocess, sys, tempfile, zipfile

NAMESPACE = "driftline-evidence-v1"
NAMED_MAX = 20
CLOCK_BACK_MAX_MS = 300_000
SETTLED = "they agree since then, on the leaver "
BYTES_MAX = 4 << 30
ANCHORS = "data/ledger/anchors/"


class NotABag(Exception):
    pass


def sha256(data):
    return hashlib.sha256(data).digest()


def lines_of(text):
    """Lines end with a line feed, and with nothing else that Unicode knows as an end."""
    lines = text.split("\n")
    return [it[:-1] if it.endswith("\r") else it for it in (lines if lines[-1] else lines[:-1])]


def read_json(text):
    try:
        return json.loads(text)
    except RecursionError:
        raise ValueError("it is too deep") from None


def is_plain(part):
    return part not in ("", ".", "..") and not any(it in part for it in "\\:\0")


def read_folder(path):
    files = {}
    for folder, _, names in os.walk(path):
        for name in names:
            full = os.path.join(folder, name)
            if os.path.islink(full):
                raise NotABag(f"`{full}` is a link")
            with open(full, "rb") as file:
                files[os.path.relpath(full, path).replace(os.sep, "/")] = file.read()
    return files


def read_zip(path):
    files, base, left = {}, None, BYTES_MAX
    with zipfile.ZipFile(path) as archive:
        for info in archive.infolist():
            if info.is_dir():
                continue
            if (info.external_attr >> 16) & 0o170000 == 0o120000:
                raise NotABag(f"`{info.filename}` is a link")
            folder, _, name = info.filename.partition("/")
            if not is_plain(folder) or not all(map(is_plain, name.split("/"))):
                raise NotABag(f"`{info.filename}` is no path below one folder")
            if base not in (None, folder):
                raise NotABag("it has more than one folder")
            if name in files:
                raise NotABag(f"`{info.filename}` is there twice")
            left -= info.file_size
            if left < 0:
                raise NotABag(f"it has more than {BYTES_MAX} bytes")
            base, files[name] = folder, archive.read(info)
    return files


# The tree of RFC 6962.

def leaf_hash(entry):
    return sha256(b"\0" + entry)


def root_of(leaves):
    peaks = []  # (height, hash), highest first
    for leaf in leaves:
        height = 0
        while peaks and peaks[-1][0] == height:
            leaf, height = sha256(b"\1" + peaks.pop()[1] + leaf), height + 1
        peaks.append((height, leaf))
    if not peaks:
        return sha256(b"")
    root = peaks.pop()[1]
    while peaks:
        root = sha256(b"\1" + peaks.pop()[1] + root)
    return root


def tiles(size):
    """Level, index and width of every tile (C2SP, tlog-tiles)."""
    level, n = 0, size
    while n > 0:
        for index in range((n + 255) // 256):
            yield level, index, min(256, n - index * 256)
        level, n = level + 1, n // 256


def tile_path(level, index, width):
    rest, place = index // 1000, f"{index % 1000:03}"
    while rest > 0:
        rest, place = rest // 1000, f"x{rest % 1000:03}/{place}"
    return f"data/ledger/tile/{level}/{place}" + (f".p/{width}" if width < 256 else "")


def proves(index, leaf, size, root, path):
    """RFC 9162, 2.1.3.2."""
    if index >= size:
        return False
    at, last, value = index, size - 1, leaf
    for sibling in path:
        if last == 0:
            return False
        if at % 2 == 1 or at == last:
            value = sha256(b"\1" + sibling + value)
            while at % 2 == 0 and at != 0:
                at, last = at >> 1, last >> 1
        else:
            value = sha256(b"\1" + value + sibling)
        at, last = at >> 1, last >> 1
    return last == 0 and value == root


class Checkpoint:
    """A signed note with a checkpoint in it (C2SP, signed-note and tlog-checkpoint)."""

    def __init__(self, note):
        text, blank, below = note.rpartition("\n\n")
        self.text = text + "\n" if blank else note
        self.note, self.signatures = note, []
        for line in lines_of(below) if blank else []:
            match = re.fullmatch("\u2014 (\\S+) (\\S+)", line)
            if not match:
                raise ValueError("a line under it is no signature")
            self.signatures.append((match[1], base64.b64decode(match[2], validate=True)))
        lines = self.text.split("\n")
        self.origin, self.size, self.root = lines[0], int(lines[1]), base64.b64decode(lines[2])
        if not self.origin or len(self.root) != 32 or str(self.size) != lines[1]:
            raise ValueError("it is none")


def openssl_verifies(key, message, signature):
    """None: openssl is not here, or cannot."""
    if not shutil.which("openssl"):
        return None
    der = bytes.fromhex("302a300506032b6570032100") + key
    with tempfile.TemporaryDirectory() as folder:
        def put(name, data):
            path = os.path.join(folder, name)
            with open(path, "wb") as file:
                file.write(data)
            return path
        pem = b"-----BEGIN PUBLIC KEY-----\n" + base64.b64encode(der) + b"\n-----END PUBLIC KEY-----\n"
        command = ["openssl", "pkeyutl", "-verify", "-pubin", "-rawin", "-inkey", put("key", pem),
                   "-in", put("message", message), "-sigfile", put("signature", signature)]
        done = subprocess.run(command, capture_output=True, text=True)
    if done.returncode == 0:
        return True
    return False if "Verification Failure" in done.stdout + done.stderr else None


class Bag:
    def __init__(self, files):
        self.files, self.is_broken, self.is_unchecked = files, False, False

    def say(self, what, problems, good):
        if problems:
            self.is_broken = True
            for problem in problems[:NAMED_MAX]:
                print(f"BROKEN       {what}: {problem}")
            if len(problems) > NAMED_MAX:
                print(f"BROKEN       {what}: and {len(problems) - NAMED_MAX} more")
        else:
            print(f"good         {what}: {good}")

    def cannot(self, what, why):
        self.is_unchecked = True
        print(f"not checked  {what}: {why}")

    def check(self, what, look, *held):
        """Whatever is in a bag, a look at it ends with a word."""
        try:
            return look(*held)
        except Exception as error:
            return self.say(what, [f"it cannot be read: {error!r}"], "")

    def text(self, path):
        """Empty: there is none, or it is no UTF-8."""
        try:
            return self.files.get(path, b"").decode()
        except ValueError:
            return ""

    def info(self):
        info = {}
        for line in lines_of(self.text("bag-info.txt")):
            key, _, value = line.partition(": ")
            info.setdefault(key, value)
        return info

    def check_files(self):
        problems, listed = [], {}
        for manifest in ("manifest-sha256.txt", "tagmanifest-sha256.txt"):
            if manifest not in self.files:
                problems.append(f"`{manifest}` is missing")
            for line in lines_of(self.text(manifest)):
                digest, _, path = line.partition("  ")
                if not re.fullmatch("[0-9a-f]{64}", digest) or not all(map(is_plain, path.split("/"))):
                    problems.append(f"`{manifest}` has a line that is none of a manifest")
                    continue
                if path.startswith("data/") != (manifest == "manifest-sha256.txt"):
                    problems.append(f"`{path}` is in the wrong manifest")
                if path in listed:
                    problems.append(f"`{path}` is listed twice")
                listed[path] = digest
        for path, digest in sorted(listed.items()):
            if path not in self.files:
                problems.append(f"`{path}` was taken out")
            elif sha256(self.files[path]).hex() != digest:
                problems.append(f"`{path}` was changed")
        tags = "tagmanifest-sha256.txt"
        for path in sorted(set(self.files) - set(listed) - {tags, tags + ".sig", tags + ".tsr"}):
            problems.append(f"`{path}` was put in")
        if not self.text("bagit.txt").startswith("BagIt-Version: 1.0\n"):
            problems.append("`bagit.txt` is none of BagIt 1.0")
        self.say("files", problems, f"{len(listed)} files are as listed")

    def check_signature(self, trust):
        what, path = "signature", os.path.join(trust or "", "allowed_signers")
        has_signers = bool(trust) and os.path.exists(path)
        if "tagmanifest-sha256.txt.sig" not in self.files:
            if has_signers:
                return self.say(what, ["the bag is not signed, and you hold a file of those who sign"], "")
            return self.cannot(what, "the bag is not signed")
        if not has_signers:
            return self.cannot(what, "who signed it: put the `allowed_signers` that you hold into --trust")
        if not shutil.which("ssh-keygen"):
            return self.cannot(what, "ssh-keygen is not here")
        made = re.search(r"^Driftline-Made-At: (\d{4})-(\d\d)-(\d\d)T(\d\d):(\d\d):(\d\d)", self.text("bag-info.txt"), re.M)
        if not made:
            return self.say(what, ["`bag-info.txt` does not say when it was made"], "")
        at = "".join(made.groups()) + "Z"
        message = self.files.get("tagmanifest-sha256.txt", b"")
        with tempfile.TemporaryDirectory() as folder:
            signature = os.path.join(folder, "signature")
            with open(signature, "wb") as file:
                file.write(self.files["tagmanifest-sha256.txt.sig"])
            common = ["-s", signature, "-n", NAMESPACE, "-O", f"verify-time={at}"]
            found = subprocess.run(["ssh-keygen", "-Y", "find-principals", "-s", signature, "-f", path,
                                    "-O", f"verify-time={at}"], capture_output=True, text=True)
            names = found.stdout.split("\n")[0].split(",")[0].strip()
            if found.returncode != 0 or not names:
                why = "its key is not in your `allowed_signers`, or was not valid when the bag was made"
                return self.say(what, [f"the signature: {why}"], "")
            done = subprocess.run(["ssh-keygen", "-Y", "verify", "-f", path, "-I", names, *common],
                                  input=message, capture_output=True)
        if done.returncode != 0:
            why = (done.stdout + done.stderr).decode(errors="replace").strip().splitlines()
            return self.say(what, ["the signature: " + "; ".join(why)], "")
        self.say(what, [], done.stdout.decode(errors="replace").strip())

    def read_ledger(self):
        try:
            self.checkpoint = Checkpoint(self.text("data/ledger/checkpoint"))
            self.hashes = []
            for level, index, width in tiles(self.checkpoint.size):
                if level == 0:
                    data = self.files.get(tile_path(level, index, width), b"")
                    if len(data) != 32 * width:
                        raise ValueError(f"`{tile_path(level, index, width)}` is missing, or is none")
                    self.hashes += [data[at:at + 32] for at in range(0, len(data), 32)]
            index = self.text("data/ledger/entries.index")
            places = [int(it) for it in lines_of(index)]
            *lines, rest = self.files.get("data/ledger/entries.jsonl", b"").split(b"\n")
            if rest:
                raise ValueError("`entries.jsonl` does not end with a line end")
            if len(places) != len(lines):
                raise ValueError("`entries.jsonl` and `entries.index` are not of one length")
            if "".join(f"{it}\n" for it in places) != index or any(it >= after for it, after in zip(places, places[1:])):
                raise ValueError("`entries.index` has no place a line, each higher than the one before")
            self.entries = dict(zip(places, lines))
            self.erased = erasures(self.entries)
        except (ValueError, IndexError) as error:
            self.say("ledger", [f"the ledger cannot be read: {error}"], "")
            return False
        return True

    def check_ledger(self):
        problems, leaves = [], self.hashes
        if root_of(leaves) != self.checkpoint.root:
            problems.append("the tiles do not make the root of the checkpoint")
        for level, index, width in tiles(self.checkpoint.size):
            if level > 0:
                span = 256 ** level
                parts = (leaves[(index * 256 + at) * span:(index * 256 + at + 1) * span] for at in range(width))
                if self.files.get(tile_path(level, index, width)) != b"".join(map(root_of, parts)):
                    problems.append(f"`{tile_path(level, index, width)}` is not made of the tiles below it")
        for at, entry in self.entries.items():
            if not 0 <= at < len(leaves) or leaves[at] != leaf_hash(entry):
                problems.append(f"entry {at} is not the one of the ledger")
        problems += self.holes()
        self.say("ledger", problems, f"{len(self.entries)} entries are among the {len(leaves)} of the checkpoint")

    def holes(self):
        """From the entry before the first of the period to the one after its last, none is missing."""
        info, times, size = self.info(), {}, len(self.hashes)
        for at, entry in self.entries.items():
            try:
                times[at] = milliseconds(read_json(entry)["at"])
            except (ValueError, LookupError, TypeError, AttributeError):
                continue
        try:
            start, end = milliseconds(info["Driftline-From"]), milliseconds(info["Driftline-To"])
        except (ValueError, LookupError):
            return ["`bag-info.txt` does not say of which time it is"]
        first = max(next((at for at, it in times.items() if it >= start), size) - 1, 0)
        after = max((at + 1 for at, it in times.items() if it < end), default=0)
        wanted = range(min(first, after), min(max(first, after) + 1, size))
        n = sum(it not in self.entries for it in wanted)
        return [f"{n} of the entries {wanted[0]} to {wanted[-1]} are not here: they are of the period, or end it"] if n else []

    def check_checkpoint(self, trust):
        what, path = "checkpoint", os.path.join(trust or "", "log.vkey")
        if not trust or not os.path.exists(path):
            return self.cannot(what, "whose the checkpoint is: put the key of the ledger into --trust, as `log.vkey`")
        with open(path, encoding="utf-8") as file:
            keys = [it.strip() for it in file if it.strip()]
        for line in keys:
            name, _, rest = line.partition("+")
            number, _, key = rest.partition("+")
            key = base64.b64decode(key)
            if len(key) != 33 or key[0] != 1 or sha256(name.encode() + b"\n" + key)[:4].hex() != number:
                return self.cannot(what, "a line of `log.vkey` is no key of a ledger")
            for signer, data in self.checkpoint.signatures:
                if signer == name and data[:4].hex() == number:
                    good = openssl_verifies(key[1:], self.checkpoint.text.encode(), data[4:])
                    if good is None:
                        return self.cannot(what, "openssl is not here, or knows no Ed25519")
                    problems = [] if good else [f"the signature of the key {number} under the checkpoint is wrong"]
                    return self.say(what, problems, f"the checkpoint is signed by the key {number}")
        self.say(what, ["the checkpoint is not signed by a key that you hold"], "")

    def check_history(self, since):
        what = "history"
        if not since:
            return self.cannot(what, "whether the history was written anew: give --since a checkpoint that you kept")
        held = Checkpoint(since)
        if held.origin != self.checkpoint.origin:
            return self.say(what, [f"your checkpoint is one of the ledger `{held.origin}`, and this bag is of `{self.checkpoint.origin}`"], "")
        if held.size > len(self.hashes):
            return self.cannot(what, f"your checkpoint is over {held.size} entries, and the bag over {len(self.hashes)}: it is older than that")
        problems = []
        if root_of(self.hashes[:held.size]) != held.root:
            problems.append(f"the first {held.size} entries are not those of your checkpoint: the history was written again")
        self.say(what, problems, f"the first {held.size} entries are those of your checkpoint")

    def check_anchors(self):
        """Checkpoints that were taken out of reach are over the first entries of this ledger."""
        paths = sorted(it for it in self.files if it.startswith(ANCHORS) and it.endswith(".checkpoint"))
        problems = []
        for path in paths:
            try:
                held = Checkpoint(self.text(path))
            except (ValueError, IndexError):
                problems.append(f"`{path}` is no checkpoint")
                continue
            if held.origin != self.checkpoint.origin:
                problems.append(f"`{path}` is one of the ledger `{held.origin}`")
            elif held.size > len(self.hashes):
                problems.append(f"`{path}` is over {held.size} entries, and the ledger has fewer")
            elif root_of(self.hashes[:held.size]) != held.root:
                problems.append(f"`{path}` is over {held.size} other entries than the first of this ledger: the history was written again")
        if any(it.startswith(ANCHORS) for it in self.files):
            self.say("anchors", problems, f"{len(paths)} checkpoints that were taken out of reach are of this ledger")

    def check_stamps(self, trust):
        what, roots = "stamps", os.path.join(trust or "", "tsa.pem")
        paths = sorted(it for it in self.files if it.startswith(ANCHORS) and it.endswith(".tsr"))
        has_roots = bool(trust) and os.path.exists(roots)
        problems, times = [], []
        for path in paths:
            note = self.files.get(f"{ANCHORS}{path[len(ANCHORS):].split('.')[0]}.checkpoint")
            at = stamped_at(self.files[path], note) if note is not None else None
            if at is None:
                problems.append(f"`{path}`: it is no time stamp of the checkpoint beside it")
                continue
            times.append(at)
            if has_roots and not shutil.which("openssl"):
                return self.cannot(what, "openssl is not here")
            if has_roots:
                command = ["openssl", "ts", "-verify", "-in", "/dev/stdin", "-digest", sha256(note).hex(),
                           "-attime", str(int(at.timestamp())), "-CAfile", roots]
                done = subprocess.run(command, input=self.files[path], capture_output=True)
                if done.returncode != 0:
                    said = done.stderr.decode(errors="replace").splitlines()
                    why = next((it for it in said if "error:" in it), "it is not signed by it")
                    problems.append(f"`{path}`: the authority that you trust did not give it: {why}")
        last = max(times).strftime("%Y-%m-%dT%H:%M:%SZ") if times else ""
        if paths and (problems or has_roots):
            self.say(what, problems, f"{len(times)} checkpoints are stamped by the authority, the last at {last}")
        elif paths:
            self.cannot(what, f"whose {len(times)} time stamps are, the last of {last}: put the roots of the authority into --trust, as `tsa.pem`")

    def unknown_form(self):
        """What says that it is of a form that this program does not know; None: nothing does. What says of none is
        what the other checks find wrong."""
        stated = []
        for path in sorted(self.files):
            if path in (IPE, OSCAL) or path.startswith(TRACES):
                stated.append((path, self.files[path], OSCAL_AT if path == OSCAL else ("format",), FORMS.get(path, FORMS[TRACES])))
        stated += [(OCSF, it, ("metadata", "version"), FORMS[OCSF]) for it in self.files.get(OCSF, b"").split(b"\n")]
        stated += [(f"entry {at}", it, ("v",), ("1",)) for at, it in sorted(self.entries.items())]
        for path, data, place, known in stated:
            try:
                value = read_json(data.decode())
                for name in place:
                    value = value[name]
            except (LookupError, ValueError, TypeError):
                continue
            is_form = isinstance(value, int) and not isinstance(value, bool) if place == ("v",) else isinstance(value, str)
            if is_form and str(value) not in known:
                what = path if place == ("v",) else f"`{path}`"
                return f"{what} is of the form `{value}`, which this program does not know: take a newer one"
        return None

    def population(self):
        text = self.text("data/population.csv").lstrip("\ufeff")
        return list(csv.DictReader(io.StringIO(text, newline="")))

    def read_leaver(self, at, disclosures):
        """The row that an entry and what is disclosed of it make; None: it is no leaver's."""
        try:
            entry = read_json(self.entries[at])
            if entry["type"] not in ("leaver.found", "leaver.changed") or entry["seq"] != at:
                return None
            for it in disclosures:
                digest = base64.urlsafe_b64encode(sha256(it.encode())).rstrip(b"=").decode()
                if digest not in entry["_sd"]:
                    return None
            return row(at, entry, facts_of(disclosures), self.erased.get(entry["subject"]))
        except (KeyError, ValueError, TypeError):
            return None

    def check_leavers(self):
        problems, traces = [], {}
        for path in sorted(it for it in self.files if it.startswith("data/leavers/")):
            try:
                trace = read_json(self.files[path])
                at, leaf = trace["entry"], trace["leaf"].encode()
                if path != f"data/leavers/{trace['leaver']}.json" or trace["format"] not in FORMS[TRACES]:
                    raise ValueError
                if self.entries.get(at) != leaf:
                    problems.append(f"`{path}` shows another entry than the ledger")
                if not self.proves(at, leaf, self.text("data/" + trace["proof"])):
                    problems.append(f"`{trace['proof']}` does not prove entry {at}")
                for raw in trace["raw"]:
                    if sha256(self.files.get("data/" + raw["file"], b"")).hex() != raw["sha256"]:
                        problems.append(f"`{raw['file']}` is not the raw row that `{path}` names")
                traces[trace["leaver"]] = trace["disclosures"]
                if facts_of(trace["disclosures"]) != trace["disclosed"]:
                    problems.append(f"the facts about `{trace['leaver']}` are not those disclosed")
            except (KeyError, ValueError, TypeError, AttributeError):
                problems.append(f"`{path}` is no trace of a leaver")
        rows, named = self.population(), set()
        if not rows and not self.text("data/population.csv").lstrip("\ufeff").startswith("leaver,entry,"):
            problems.append("`data/population.csv` is missing, or has other columns")
        for found in rows:
            name = found.get("leaver", "")
            at = found.get("entry") or ""
            made = self.read_leaver(int(at) if re.fullmatch("[0-9]{1,18}", at) else -1, traces.get(name, []))
            if made is None or made["leaver"] != name:
                problems.append(f"`{name}` of the population has no such entry {found.get('entry')}")
            elif {key: harmless(value) for key, value in made.items()} != found:
                problems.append(f"the row of `{name}` is not what its entry says")
            if name in named:
                problems.append(f"`{name}` is in the population twice")
            named.add(name)
        for name in sorted(set(traces) - named):
            problems.append(f"`{name}` has a trace, and is not in the population")
        told = self.told_of()
        problems += left_out({it.get("leaver"): it.get("entry") for it in rows}, told)
        self.say("leavers", problems, f"{len(rows)} rows of the population and {len(traces)} traces are what their entries say")
        self.note("leavers", moved(told))

    def check_times(self):
        """Entries that say an earlier time than a run ahead of them: as if the clock had been set back."""
        run, found = None, []
        for at, entry in sorted(self.entries.items()):
            try:
                entry = read_json(entry)
                time = milliseconds(entry["at"])
            except (ValueError, LookupError, TypeError, AttributeError):
                continue
            if run and time < milliseconds(run["at"]) - CLOCK_BACK_MAX_MS:
                found.append(f"entry {at} ({entry['type']}) says {entry['at']}, before that of entry {run['seq']}, a run: {run['at']}")
            if entry["type"] == "run.completed" and (not run or time > milliseconds(run["at"])):
                run = entry
        self.note("times", found)

    def note(self, what, found):
        for it in found[:NAMED_MAX] + ([f"and {len(found) - NAMED_MAX} more"] if len(found) > NAMED_MAX else []):
            print(f"note         {what}: {it}")

    def check_tables(self):
        try:
            problems, good = self.compare_tables()
        except (LookupError, ValueError, TypeError, AttributeError, csv.Error) as error:
            problems, good = [f"an entry or a table cannot be read: {error!r}"], ""
        self.say("tables", problems, good)

    def compare_tables(self):
        """What the bag says beside the population, as far as entries tell of it."""
        info = self.info()
        app, start, end = info.get("Driftline-App"), info.get("Driftline-From", ""), info.get("Driftline-To", "9")
        entries, problems = {}, []
        for at, entry in sorted(self.entries.items()):
            try:
                entries[at] = read_json(entry)
            except ValueError:
                continue
        within = {at: it for at, it in entries.items() if start <= it["at"] < end}
        of_findings = {at: it for at, it in entries.items()
                       if it["type"].startswith("finding.") and it["body"].get("app") == app and at in within}
        settings = [[str(at), it["at"], it["type"], shown(it["body"].get("was")),
                     shown(it["body"].get("key" if it["type"].startswith("key.") else "is"))]
                    for at, it in entries.items() if it["type"] in CONFIG_KINDS]
        if self.table("config-changes.csv") != [["entry", "at", "change", "was", "is"]] + settings:
            problems.append("`config-changes.csv` is not what the entries say")
        rows = [it for it in self.population() if str(it.get("entry")).isdigit() and int(it["entry"]) in entries]
        bodies = [entries[int(it["entry"])]["body"] for it in rows]
        sides, wanted = [], [["what", "id", "in_hr", "in_idp", "n_accounts", "unmatched"]]
        for row, body in zip(rows, bodies):
            by = [it["list"] == "leavers" for it in body["said_by"] if not it.get("taken_back_at")]
            side = any(by), not all(by)
            sides.append(side)
            why = UNMATCHED[side] or ("" if body["accounts"] else "no account in the app")
            wanted.append(["leaver", row["leaver"], *("yes" if it else "no" for it in side), str(len(body["accounts"])), why])
        found = self.table("reconciliation.csv")
        disputed = disputes(entries, app, start, end, settled(found, rows, bodies))
        undecided = sum(it["undecided"] for it in disputed)
        wanted += [["disputed", it["finding"], "", "", "1", it["words"]] for it in disputed]
        if found[:len(wanted)] != wanted or any(it[0] not in ("hr", "account") for it in found[len(wanted):]):
            problems.append("`reconciliation.csv` is not what the entries say")
        counts = {it: sum(body["sla"]["outcome"] == it for body in bodies) for it in OUTCOMES}
        counts.update(leavers=len(rows), with_account=sum(bool(body["accounts"]) for body in bodies),
                      traces=sum(it.startswith("data/leavers/") for it in self.files))
        n = {side: sides.count(side) for side in UNMATCHED}
        both, hr, idp = n[True, True], n[True, False], n[False, True]
        reconciled = dict(hr=both + hr, idp=both + idp, both=both, hr_alone=hr, idp_alone=idp, neither=n[False, False],
                          disputed=len(disputed), undecided=undecided)
        try:
            ipe = read_json(self.text("data/ipe.json"))
        except ValueError:
            ipe = {}
        if ipe.get("format") not in FORMS[IPE] or ipe.get("counts") != counts or ipe.get("reconciliation") != reconciled:
            problems.append("the counts of `ipe.json` are not those of the population")
        if OSCAL in self.files:
            problems += [f"the results of OSCAL {it}" for it in self.compare_oscal(rows, bodies, counts, reconciled, ipe)]
        lists = lists_told(within)
        runs = [run_told(at, it, app, lists) for at, it in within.items() if it["type"] in ("run.completed", "run.failed")]
        found = [[*it[:4], *it[6:8], *it[10:13]] for it in self.table("coverage.csv", COVERAGE)]
        problems += [f"the run of entry {it[1]} in `coverage.csv` is another" for it in found if it not in runs]
        problems += [f"the run of entry {it[1]} is not in `coverage.csv`" for it in runs if it not in found]
        prints = {it[0]: it[-1] for it in self.table("findings.csv", FINDINGS)}
        told = {}
        for it in of_findings.values():
            told.setdefault(it["body"]["finding"], []).append(it)
        problems += [f"{finding} has entries, and is not in `findings.csv`" for finding, all in sorted(told.items())
                     if any(prints.get(finding) != it["body"]["fingerprint"] for it in all)]
        # A run may have been saved while the bag was made.
        times = sorted(it["at"] for it in entries.values())
        since, until = (times[0], times[-1]) if times else ("9", "")
        for path in sorted(it for it in self.files if it.startswith("data/leavers/")):
            try:
                trace = read_json(self.files[path])
                accounts = entries[trace["entry"]]["body"]["accounts"]
                named = sorted({it for account in accounts for it in account["findings"]})
                if sorted(it["finding"] for it in trace["findings"]) != named:
                    problems.append(f"the findings in `{path}` are not those that its entry names")
                for finding in trace["findings"]:
                    if not stands_as_told(finding, told.get(finding["finding"], [])):
                        problems.append(f"how {finding['finding']} stands in `{path}` is not what the last of its entries says")
                    shown_of_it = [(it["at"], it["severity"], it["state"]) for it in finding["events"]
                                   if max(since, start) <= it["at"] < end and it["at"] <= until]
                    if shown_of_it != [(it["at"], it["body"]["severity"], it["body"]["state"])
                                       for it in told.get(finding["finding"], [])]:
                        problems.append(f"what happened to {finding['finding']} is in `{path}` otherwise than in its entries")
            except (KeyError, ValueError, TypeError):
                problems.append(f"the findings in `{path}` are not those that its entry names")
        for name, body in zip((it["leaver"] for it in rows), bodies):
            theirs = [prints.get(it) for account in body["accounts"] for it in account["findings"]]
            by = body["sla"]["deadline_at"] or "9"
            # Behind a run of after the deadline, nothing was written before it.
            late = min((at for at, it in entries.items() if it["type"] == "run.completed" and by != "9"
                        and milliseconds(it["at"]) > milliseconds(by) + CLOCK_BACK_MAX_MS), default=len(self.hashes))
            if body["sla"]["outcome"] == "exception" and not any(
                    it["type"] == "exception.approved" and it["at"] <= by and at < late
                    and (None in theirs or it["body"]["fingerprint"] in theirs) for at, it in entries.items()):
                problems.append(f"`{name}` is an EXCEPTION, and no entry says that one was approved by the deadline")
        for name, body in zip((it["leaver"] for it in rows), bodies):
            for at in body.get("decisions", []):
                entry = entries.get(at, {})
                if entry.get("type") != "match.changed" or not entry.get("actor", "").startswith("sub_"):
                    problems.append(f"of `{name}` it is said that a person decided by entry {at}, which says no such thing")
                    break
        *lines, rest = self.files.get(OCSF, b"").split(b"\n")
        with_event, uids = set(), set()
        if rest:
            problems.append("`ocsf.ndjson` does not end with a line end")
        for n, line in enumerate(lines, 1):
            try:
                event = read_json(line.decode())
                at = event["unmapped"]["leaf_index"]
                uid, is_its = event["metadata"]["uid"], self.is_event(event, at, entries, app, within, (start, end))
            except (KeyError, ValueError, TypeError, IndexError, AttributeError):
                is_its = False
            if not is_its:
                problems.append(f"event {n} of `ocsf.ndjson` is none of its entry")
            elif uid in uids:
                problems.append(f"event {n} of `ocsf.ndjson` is there twice")
            else:
                with_event.add(at)
                uids.add(uid)
        if OCSF in self.files:
            for at, entry in within.items():
                try:
                    has_one = not is_of_leaver(entry) and self.wanted_events({}, at, entry, app)
                except (KeyError, ValueError, TypeError, IndexError, AttributeError):
                    has_one = False
                if at not in with_event and has_one:
                    problems.append(f"entry {at} has no event in `ocsf.ndjson`")
        return problems, f"{len(runs)} runs and {len(lines)} events are what their entries say"

    def compare_oscal(self, rows, bodies, counts, reconciled, ipe):
        """What the results say otherwise than the population, the log and the files of the bag."""
        try:
            document = read_json(self.text(OSCAL))["assessment-results"]
            found = document["results"][0].get("findings", [])
            observations = document["results"][0]["observations"]
            resources = document["back-matter"]["resources"]
            version = document["metadata"]["oscal-version"]
            n = {it: counts[it] for it in ("met", "missed", "not_proven", "exception")}
            undecided = reconciled["undecided"]
            n_judged = sum(n.values()) + undecided
            wanted = "not-satisfied fail" if n["missed"] else "not-satisfied other" if n["not_proven"] + n["exception"] + undecided else "satisfied pass"
            words = (f"{n['met']} leavers were seen off in time, {n['missed']} were seen on too late. Of {n['not_proven']} "
                     f"it was not seen whether they were off in time, which is neither. {n['exception']} have an "
                     "exception that two people agreed to."
                     + (f" Of the owners of {undecided} accounts sources disagree whether they left." if undecided else ""))
            def judges(it):
                status = it["target"]["status"]
                return n_judged > 0 and f"{status['state']} {status['reason']}" == wanted and it["description"] == words
            if version not in FORMS[OSCAL] or not all(map(judges, found)):
                yield "judge otherwise than the population"
            is_judged = n_judged > 0 and ipe.get("is_provisional") is not True
            selections = document["results"][0]["reviewed-controls"].get("control-objective-selections", [])
            objectives = [one["objective-id"] for it in selections for one in it["include-objectives"]]
            if [it["target"]["target-id"] for it in found] != (objectives if is_judged else []):
                yield "have not one finding for each objective, or one where nothing was to be judged"
            titled = {}
            for it in observations:
                titled.setdefault(it["title"], []).append(it)
            both, hr, idp = (reconciled[it] for it in ("both", "hr_alone", "idp_alone"))
            population = (f"{counts['leavers']} leavers: {both} by HR and an identity provider, {hr} by HR alone, {idp} by an "
                          f"identity provider alone, {reconciled['neither']} gone from a list and told by nobody. "
                          f"{counts['with_account']} had an account.")
            signed = "signed" if self.checkpoint.signatures else "not signed"
            log = (f"{self.checkpoint.size} entries of the ledger `{self.checkpoint.origin}` are under the root "
                   f"{self.checkpoint.root.hex()}, {signed}.")
            general = [titled.get(it, []) for it in ("Who left", "The evidence log", "Did the control run?")]
            if list(map(len, general)) != [1, 1, 1] or [it[0]["description"] for it in general[:2]] != [population, log]:
                yield "say otherwise how many left, or what the log is"
            def is_told(row, body):
                last = [it["stretches"][-1] for it in body["accounts"] if it["stretches"]]
                looks = [at for it in last for at in (it["last_seen_active"], it["first_seen_inactive"]) if at]
                props = [("result", body["sla"]["outcome"]), ("ledger-entry", row["entry"])]
                all = titled.get(f"Leaver {row['leaver']}", [])
                return (len(all) == 1 and all[0]["description"] == f"{body['sla']['outcome'].upper()}: {body['sla']['because']}"
                        and [(it["name"], it["value"]) for it in all[0]["props"]] == props
                        and all[0]["collected"] == max(looks, default=body["found_at"]))
            if not all(is_told(*it) for it in zip(rows, bodies)) or len(observations) != len(rows) + 3:
                yield "say of a leaver what no entry says"
            related = [f"Leaver {row['leaver']}" for row, body in zip(rows, bodies) if body["sla"]["outcome"] != "out_of_scope"]
            related = [it["uuid"] for title in related + ["Did the control run?"] for it in titled.get(title, [])]
            if any([it["observation-uuid"] for it in one["related-observations"]] != related for one in found):
                yield "lead from a finding to other observations than those of whom it judges"
            def is_there(link):
                file = link["href"].partition("../")[2] if link["href"].startswith("../") else ""
                data = self.files.get(f"data/{file}", self.files.get(file))
                return data is not None and sha256(data).hex() == link["hashes"][0]["value"]
            if not all(is_there(link) for it in resources for link in it.get("rlinks", [])):
                yield "name a file by another SHA-256"
        except (LookupError, ValueError, TypeError, AttributeError) as error:
            yield f"cannot be read: {error!r}"

    def is_event(self, event, at, entries, app, within, period):
        """Whether an event of OCSF is one that its entry has, and news in the period."""
        entry = entries[at]
        compliance = event.get("compliance", {})
        are_texts = all(isinstance(it, str) for name in ("requirements", "standards") for it in compliance.get(name, []))
        if event["metadata"]["version"] not in FORMS[OCSF] or not are_texts:
            return False
        if canonical(event) not in map(canonical, self.wanted_events(event, at, entry, app)):
            return False
        if is_of_leaver(entry):
            return period[0] <= event["time_dt"] < period[1] and is_news(event, at, entries)
        return at in within

    def wanted_events(self, found, at, entry, app):
        """The events that an entry may have, with what no entry tells of as it is found: controls, program, version of
        OCSF, and which one of a leaver's it is."""
        body, kind = entry["body"], entry["type"]
        origin, metadata = self.checkpoint.origin, found.get("metadata", {})
        def event(of_class, activity, severity, time, message, own):
            number, words = of_class
            place = f"{origin}/{at}"
            nth = re.fullmatch("/([1-9][0-9]*)", metadata.get("uid", "")[len(place):]) if is_of_leaver(entry) else None
            product = metadata.get("product", {})
            made = {
                "class_uid": number, "class_name": words, "category_uid": number // 1000,
                "category_name": "Findings" if number // 1000 == 2 else "Identity & Access Management",
                "activity_id": activity[0], "activity_name": activity[1],
                "type_uid": number * 100 + activity[0], "type_name": f"{words}: {activity[1]}",
                "time": milliseconds(time), "time_dt": time, "severity_id": severity[0], "severity": severity[1],
                "message": message,
                "metadata": {
                    "version": metadata.get("version", ""), "profiles": ["datetime"],
                    "product": {"name": str(product.get("name", "")), "vendor_name": "Driftline", "version": str(product.get("version", ""))},
                    "log_name": origin, "logged_time": milliseconds(entry["at"]), "logged_time_dt": entry["at"],
                    "uid": place + (nth[0] if nth else ""), "sequence": entry["seq"], "event_code": kind,
                },
                "unmapped": {"ledger_origin": origin, "leaf_index": entry["seq"], "leaf_hash": leaf_hash(self.entries[at]).hex()},
            }
            for name, value in own.items():
                made[name] = {**made[name], **value} if name == "unmapped" else value
            return made
        def change(activity, start, stop, user):
            words = {2: "seen on again, after it had been seen off", 5: "seen off"}.get(activity[0], "seen no more in a complete list")
            own = {"user": user, "end_time": milliseconds(stop), "end_time_dt": stop}
            if start:
                own.update(start_time=milliseconds(start), start_time_dt=start)
            return event((3001, "Account Change"), activity, INFORMATIONAL, stop, f"an account in {app} was {words}", own)
        if kind in CONFIG_KINDS[:3]:
            what = {"config.changed": "settings", "policy.changed": "policy"}.get(kind, "software")
            was, now = (it if it is None or isinstance(it, str) else json.dumps(it) for it in (body["was"], body["is"]))
            own = {name: {"name": what, "type": what, "version": it} for name, it in (("entity", was), ("entity_result", now))}
            message = f"a run found that the {what} of Driftline changed"
            made = (3004, "Entity Management"), (3, "Update"), INFORMATIONAL, entry["at"], message, own
            return [] if was is None or now is None else [event(*made)]
        if body.get("app") != app:
            return []
        if kind == "observation.changed":
            user = {"uid": entry["subject"], "domain": app}
            return [change(*it, user) for it in changes(body)]
        if kind.startswith("finding."):
            return [event(*self.of_finding(found, entry, app))]
        if not is_of_leaver(entry):
            return []
        name, made = leaver_of(entry), []
        if body["idp_unassigned_at"]:
            own = {"user": {"uid": entry["subject"], "uid_alt": name}, "privileges": [f"assignment to {app}"], "resource": {"name": app}}
            message = f"an identity provider says that it took {app} away from a leaver"
            made.append(event((3005, "User Access Management"), (2, "Revoke Privileges"), INFORMATIONAL, body["idp_unassigned_at"], message, own))
        for nth, account in enumerate(body["accounts"], 1):
            user = {"uid": entry["subject"], "uid_alt": name, "domain": app,
                    "account": {"name": f"account {nth} of {len(body['accounts'])}"}}
            made += [change(*it, user) for it in changes({"accounts": [account]})]
        return made

    def of_finding(self, found, entry, app):
        """What an event about a finding is made of."""
        body, at, cause = entry["body"], entry["at"], entry["body"]["cause"]
        status, verdict = STATES[body["state"]]
        severity, title = SEVERITIES[body["severity"]], f"{cause.replace('_', ' ')} in {app}"
        closes = entry["type"] in ("finding.closed", "finding.false_positive")
        activity = (3, "Close") if closes else (1, "Create") if at == body["detected_at"] else (2, "Update")
        compliance = found.get("compliance", {})
        requirements, standards = (compliance.get(it) for it in ("requirements", "standards"))
        own = {
            "status_id": status[0], "status": status[1],
            "finding_info": {
                "uid": body["fingerprint"], "uid_alt": body["finding"], "title": title, "types": [FAMILIES[cause]],
                "created_time": milliseconds(body["detected_at"]), "created_time_dt": body["detected_at"],
            },
            "compliance": {
                "control": cause, "requirements": requirements, "standards": standards,
                "status_id": verdict[0], "status": verdict[1],
                "checks": [{"uid": cause, "name": cause.replace("_", " "), "standards": standards,
                            "status_id": verdict[0], "status": verdict[1],
                            "severity_id": severity[0], "severity": severity[1]}],
            },
            "resources": [{"uid": entry["subject"], "namespace": app}],
            "unmapped": {"resolution": body.get("resolution")},
        }
        message = f"{body['finding']} {title}: {body['state'].replace('_', ' ')}"
        return (2003, "Compliance Finding"), activity, severity, at, message, own

    def table(self, name, columns=None):
        """With its heading; of known columns without it, and each row has all of them."""
        rows = csv.reader(io.StringIO(self.text(f"data/{name}").lstrip("\ufeff"), newline=""))
        rows = [it for it in rows if it]
        if columns is None:
            return rows
        if rows[:1] != [columns.split()] or any(len(it) != len(rows[0]) for it in rows):
            raise ValueError(f"`{name}` cannot be read")
        return rows[1:]

    def told_of(self):
        """By leaver of the app: the entries that tell of them, oldest first, and whether each is of the period."""
        info, told = self.info(), {}
        for at in sorted(self.entries):
            made = self.read_leaver(at, [])
            if made and made["app"] == info.get("Driftline-App"):
                body = read_json(self.entries[at])["body"]
                is_of_it = is_in(body, info.get("Driftline-From", ""), info.get("Driftline-To", "9"))
                told.setdefault(made["leaver"], []).append((at, is_of_it))
        return sorted(told.items())

    def proves(self, at, leaf, proof):
        head, _, note = proof.partition("\n\n")
        lines = head.split("\n")
        if len(lines) < 2 or lines[0] != "c2sp.org/tlog-proof@v1" or lines[1] != f"index {at}":
            return False
        path = [base64.b64decode(it) for it in lines[2:]]
        return note == self.checkpoint.note and proves(at, leaf_hash(leaf), self.checkpoint.size, self.checkpoint.root, path)

    def check_sample(self, nonce, number):
        def place(name):
            return sha256(f"{self.checkpoint.root.hex()}\n{nonce}\n{name}".encode()), name
        drawn = sorted((it["leaver"] for it in self.population()), key=place)[:number]
        problems = [f"`{it}` is drawn by your nonce, and has no trace" for it in drawn
                    if f"data/leavers/{it}.json" not in self.files]
        self.say("sample", problems, f"the {len(drawn)} leavers that your nonce draws are in it: {' '.join(drawn)}")


# Where files of forms of their own are, and which of these this program knows.
IPE, TRACES = "data/ipe.json", "data/leavers/"
OCSF, OSCAL = "data/machine/ocsf.ndjson", "data/machine/oscal-assessment-results.json"
OSCAL_AT = ("assessment-results", "metadata", "oscal-version")
FORMS = {IPE: ("driftline.ipe.v1",), TRACES: ("driftline.leaver.v1",), OCSF: ("1.5.0", "1.8.0"), OSCAL: ("1.2.1",)}
INFORMATIONAL = (1, "Informational")
FAMILIES = {cause: family for family, causes in {
    "access_remains": "leaver_active reactivated source_gone_active external_expired unassigned_active suspended_active "
                      "leaver_listed access_invited",
    "orphan": "orphan_active",
    "access_missing": "disabled_entitled vanished not_provisioned",
    "link": "link_conflict ambiguous_link duplicate_account",
    "sources": "sources_disagree channel_conflict",
    "nonhuman": "owner_left nonhuman_unowned",
    "record": "residual_entitlement identifier_drift",
}.items() for cause in causes.split()}
COVERAGE = "run entry at pass due_at missed_before is_complete grade failed since_run_before_s made_at held not_asked"
FINDINGS = ("finding cause severity state subject episode detected_at opened_at resolved_at resolution exposures n_events "
            "fingerprint")
CONFIG_KINDS = ("config.changed", "policy.changed", "software.started", "key.added", "key.revoked")
OUTCOMES = ("met", "missed", "not_proven", "exception", "out_of_scope")
UNMATCHED = {
    (True, False): "no identity provider says that they left",
    (False, True): "HR does not say that they left",
    (False, False): "gone from a list, and nobody says that they left",
    (True, True): "",
}
# Of each state of a finding: where it stands, and whether what it is about holds.
STATES = {
    "pending": ((1, "New"), (2, "Warning")), "open": ((1, "New"), (3, "Fail")),
    "acknowledged": ((2, "In Progress"), (3, "Fail")), "waived": ((3, "Suppressed"), (3, "Fail")),
    "false_positive": ((3, "Suppressed"), (99, "False positive")), "resolved": ((4, "Resolved"), (1, "Pass")),
    "held": ((99, "Held"), (0, "Unknown")), "not_visible": ((99, "Not visible"), (0, "Unknown")),
}
SEVERITIES = {"low": (2, "Low"), "medium": (3, "Medium"), "high": (4, "High"), "critical": (5, "Critical")}
ENABLE, DISABLE, GONE = (2, "Enable"), (5, "Disable"), (99, "Gone from the list")


def shown(value):
    return "" if value is None else harmless(value) if isinstance(value, str) else json.dumps(value)


def run_told(at, entry, app, lists):
    """Of its row: number, entry, time, pass, whether it was complete, grade of the app, when it was made, and lists
    that were held or not asked for."""
    body = entry["body"]
    if entry["type"] == "run.failed":
        return ["", str(at), entry["at"], "full", "no", "", "", "", ""]
    grade = next((it["grade"] for it in body["apps"] if it["app"] == app), "")
    return [str(body["run"]), str(at), entry["at"], body.get("pass", "full"), "yes" if body["is_complete"] else "no", grade,
            body.get("made_at") or "", *("; ".join(it) for it in lists[at])]


def lists_told(within):
    """By the entry of each run, the lists that were held, and those that another full run of the time had and this
    one did not ask for."""
    runs = {at: it["body"] for at, it in within.items() if it["type"] == "run.completed"}
    full = {at for at, it in runs.items() if it.get("pass", "full") == "full"}
    every = sorted({it["list"] for at in full for it in runs[at]["lists"]})
    def told(at, body):
        asked = {it["list"] for it in body["lists"]}
        is_named = at in full and body["n_lists"] == len(body["lists"])
        return ([it["list"] for it in body["lists"] if it["is_held"]],
                [it for it in every if is_named and it not in asked and it.split(" (")[0] not in body["failed"]])
    return {at: told(at, body) for at, body in runs.items()}


def settled(table, rows, bodies):
    """Which disputes the reconciliation says to be settled, by leavers of whom several sources say that they left; each
    of their accounts settles one."""
    left = {row["leaver"]: len(body["accounts"]) for row, body in zip(rows, bodies) if len(body["said_by"]) > 1}
    found = {}
    for it in table:
        _, is_one, leaver = it[5].rpartition(SETTLED) if len(it) == 6 and it[0] == "disputed" else ("", "", "")
        if is_one and left.get(leaver, 0) > 0:
            left[leaver] -= 1
            found[it[1]] = leaver
    return found


def disputes(entries, app, start, end, settled):
    """People of whom sources disagree whether they left, in the period: by the entries of the finding."""
    newest, found = {}, []
    for _, entry in sorted(entries.items()):
        body = entry["body"]
        if entry["type"].startswith("finding.") and body.get("app") == app and body.get("cause") == "sources_disagree":
            newest[body["finding"]] = entry
    for finding, entry in newest.items():
        since, how = entry["body"]["detected_at"], entry["body"].get("resolution") or ""
        at = entry["at"] if entry["body"]["state"] == "resolved" else None
        leaver = settled.get(finding)
        is_undecided = leaver is None and (at is None or how not in ("corrected", "superseded"))
        words = "one source says that they left, another that they may use the app"
        words += (f", since {since}: {SETTLED}{leaver}" if leaver else f", since {since}: undecided" if at is None else f", since {since}: undecided, and over by {at} ({how})"
                  if is_undecided else f", since {since}: they agree since {at} ({how})")
        if since < end and (at is None or at >= start):
            found.append({"finding": finding, "undecided": is_undecided, "words": words})
    return found


def canonical(value):
    return json.dumps(value, sort_keys=True)


def is_of_leaver(entry):
    return entry["type"] in ("leaver.found", "leaver.changed")


def is_news(event, at, entries):
    """Whether no earlier entry of the bag about the leaver tells that somebody is on again. Each later one
    tells it again, with a later look."""
    if event["class_uid"] != 3001 or event["activity_id"] != ENABLE[0]:
        return True
    def whose(entry):
        of = (entry["body"].get(it) for it in ("app", "episode", "leave"))
        return entry["type"].startswith("leaver."), entry.get("subject"), *of
    def n(entry):
        return sum(it[:2] == (ENABLE, event.get("start_time_dt")) for it in changes(entry["body"]))
    told = [n(it) for place, it in entries.items() if place < at and whose(it) == whose(entries[at])]
    return max(told) < n(entries[at]) if told else entries[at]["type"] == "leaver.found"


def stands_as_told(finding, told):
    """Whether a finding of a trace stands as the last entry about it says, where nothing happened since."""
    if not told:
        return True
    body = told[-1]["body"]
    names = ["detected_at"]
    if not finding["events"] or finding["events"][-1]["at"] == told[-1]["at"]:
        names += ["severity", "state", "resolution"]
    return all(finding.get(it) == body.get(it) for it in names)


def milliseconds(text):
    """Since 1970; None of nothing."""
    if text is None:
        return None
    at = datetime.datetime.fromisoformat(text.replace("Z", "+00:00"))
    return round((at - datetime.datetime(1970, 1, 1, tzinfo=datetime.timezone.utc)).total_seconds() * 1000)


def changes(body):
    """What an entry tells of changes of accounts, and the looks on both sides."""
    names = {"inactive": DISABLE, "absent": GONE}
    on, off, before = (body.get(it) for it in ("last_seen_active", "first_seen_inactive", "was_seen_inactive"))
    if body.get("is") in names:
        return [(names[body["is"]], on, off)] if off else []
    if body.get("is") == "active":
        return [(ENABLE, before, on)] if before and on else []
    found = []
    for account in body.get("accounts", []):
        stretches = account["stretches"]
        found += [(ENABLE, one["first_seen_inactive"], other["last_seen_active"]) for one, other in zip(stretches, stretches[1:])]
        if stretches and account["activity"] in names:
            found.append((names[account["activity"]], stretches[-1]["last_seen_active"], stretches[-1]["first_seen_inactive"]))
    return [it for it in found if it[1] and it[2]]


def stamped_at(response, note):
    """When a time stamp (RFC 3161) says that it saw this; None: it is one of something else."""
    _, imprint, after = response.partition(b"\x04\x20" + sha256(note))
    found = re.search(rb"\x18.(\d{14})(?:\.\d+)?Z", after, re.S) if imprint else None
    if not found:
        return None
    try:
        at = datetime.datetime.strptime(found[1].decode(), "%Y%m%d%H%M%S")
    except ValueError:
        return None
    return at.replace(tzinfo=datetime.timezone.utc)


def facts_of(disclosures):
    """Name and value of each disclosure (RFC 9901)."""
    parts = (read_json(base64.urlsafe_b64decode(it + "=" * (-len(it) % 4))) for it in disclosures)
    return {name: value for _, name, value in parts}


def erasures(entries):
    """In words, when and by which entry each random name was erased."""
    erased = {}
    for at in sorted(entries):
        try:
            entry = read_json(entries[at])
            if entry["type"] == "erasure.done":
                words = f"erased on {entry['at'][:10]} by entry {at}"
                erased.update((it, words) for it in entry["body"]["subjects"])
        except (KeyError, ValueError, TypeError):
            continue
    return erased


def is_in(body, start, end):
    """Times have one form, so that their order is that of their texts."""
    began = body["started"]["earliest"] or body["started"]["latest"] or body["found_at"]
    ended = began
    for account in body["accounts"]:
        off = account["stretches"][-1]["first_seen_inactive"] if account["stretches"] else None
        ended = max(ended, off) if ended and off else None
    ended = ended or body["returned_at"]
    return began < end and (ended is None or ended >= start)


def harmless(cell):
    """What a spreadsheet would run has a quote before it."""
    is_formula = cell[:1] in ("\t", "\r", "\n") or cell.lstrip()[:1] in tuple("=+-@\uff1d\uff0b\uff0d\uff20")
    return "'" + cell if cell and is_formula and cell.strip() else cell


def source(said):
    """Who says that somebody left, since when, and what became of that word."""
    later = ((" ", "at"), (", taken back by ", "taken_back_at"), (", back in between, seen at ", "was_back_at"))
    return said["system"] + "".join(f"{words}{said[name]}" for words, name in later if said.get(name))


def left_out(rows, told):
    """Leavers of the period by the newest entry of each, without a row or with one of an older entry."""
    problems = []
    for name, entries in told:
        at, is_of_it = entries[-1]
        if name in rows and rows[name] != str(at):
            problems.append(f"the row of `{name}` is of entry {rows[name]}, and entry {at} is newer")
        elif name not in rows and is_of_it:
            problems.append(f"`{name}` left in the period by entry {at}, and is not in the population")
    return problems


def moved(told):
    """Leavers of the period by an entry, and of another time by the newest."""
    of_it = [(name, [at for at, is_of_it in entries if is_of_it], *entries[-1]) for name, entries in told]
    return [f"`{name}` is of the period by entry {before[-1]}, and of another time by entry {newest}"
            for name, before, newest, is_of_it in of_it if before and not is_of_it]


def leaver_of(entry):
    """What they are called in the bag: the number of a leave stands in it from the second of an employment."""
    name, leave = f"{entry['subject']}-{entry['body']['episode']}", entry["body"].get("leave", 1)
    return name if leave == 1 else f"{name}.{leave}"


def row(at, entry, facts, erased):
    body, sla = entry["body"], entry["body"]["sla"]
    text = lambda value: "" if value is None else str(value)
    joined = lambda parts: "; ".join(parts)
    of = lambda what: joined(what(it) for it in body["accounts"])
    last = lambda account, what: text(account["stretches"][-1][what]) if account["stretches"] else ""
    fact = lambda name: "erased" if erased else facts[name] if isinstance(facts.get(name), str) else ""
    accounts = facts.get("accounts") if isinstance(facts.get("accounts"), list) else []
    accounts = ["erased"] * len(body["accounts"]) if erased else accounts
    return {
        "leaver": leaver_of(entry),
        "entry": str(at),
        "app": body["app"],
        "episode": str(body["episode"]),
        "kind": body["kind"],
        "person": erased or fact("identity"),
        "login": fact("login"),
        "name": fact("name"),
        "said_by": joined(source(it) for it in body["said_by"]),
        "hr_termination_at": text(body["hr_termination_at"]),
        "idp_deactivated_at": text(body["idp_deactivated_at"]),
        "idp_unassigned_at": text(body["idp_unassigned_at"]),
        "stated_end_at": text(body["stated_end_at"]),
        "clock": sla["clock"],
        "started_earliest": text(body["started"]["earliest"]),
        "started_latest": text(body["started"]["latest"]),
        "deadline_at": text(sla["deadline_at"]),
        "limit": sla["limit"],
        "policy_version": str(sla["policy_version"]),
        "n_accounts": str(len(body["accounts"])),
        "accounts": joined(it for it in accounts if isinstance(it, str)),
        "linked_by": of(lambda it: it["linked_by"] or "not certain"),
        "activity": of(lambda it: it["activity"]),
        "last_seen_active": of(lambda it: last(it, "last_seen_active")),
        "first_seen_inactive": of(lambda it: last(it, "first_seen_inactive")),
        "n_stretches": of(lambda it: str(len(it["stretches"]))),
        "sla": sla["outcome"].upper(),
        "because": sla["because"],
        "findings": of(lambda it: " ".join(it["findings"])),
        "found_at": body["found_at"],
        "found_at_begin": text(body["found_at_begin"]),
        "returned_at": text(body["returned_at"]),
    }


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("bag")
    parser.add_argument("--trust", help="the folder with allowed_signers and log.vkey")
    parser.add_argument("--since", help="a checkpoint that you kept")
    parser.add_argument("--nonce", help="draw your sample again")
    parser.add_argument("-n", "--number", type=int, default=25)
    args = parser.parse_args()
    if args.trust and not os.path.isdir(args.trust):
        parser.error(f"`{args.trust}` is no folder")
    try:
        since = None
        if args.since:
            with open(args.since, encoding="utf-8", newline="") as file:
                since = file.read()
            Checkpoint(since)
    except (OSError, ValueError, IndexError) as error:
        print(f"`{args.since}` is no checkpoint: {error}", file=sys.stderr)
        return 7
    try:
        bag = Bag(read_folder(args.bag) if os.path.isdir(args.bag) else read_zip(args.bag))
    except Exception as error:  # What reads archives raises of many kinds.
        print(f"`{args.bag}` is no bag of evidence: {error}", file=sys.stderr)
        return 7
    bag.check("files", bag.check_files)
    bag.check("signature", bag.check_signature, args.trust)
    if bag.check("ledger", bag.read_ledger):
        bag.check("ledger", bag.check_ledger)
        bag.check("checkpoint", bag.check_checkpoint, args.trust)
        bag.check("history", bag.check_history, since)
        bag.check("anchors", bag.check_anchors)
        unknown = bag.unknown_form()
        if unknown:
            bag.cannot("leavers", unknown)
            bag.cannot("tables", unknown)
        else:
            bag.check("leavers", bag.check_leavers)
            bag.check("tables", bag.check_tables)
            bag.check("times", bag.check_times)
            if args.nonce is not None:
                bag.check("sample", bag.check_sample, args.nonce, args.number)
    bag.check("stamps", bag.check_stamps, args.trust)
    return 6 if bag.is_broken else 7 if bag.is_unchecked else 0


if __name__ == "__main__":
    sys.exit(main())
