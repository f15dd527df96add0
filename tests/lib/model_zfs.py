#!/usr/bin/python3 -IS
"""zpool and zfs of a machine without ZFS, as far as dormouse asks them when it makes, imports and moves pools on disks.

A pool is a line of JSON at the beginning of its disk, so that it goes with the disk; which are imported is known in
$FAKE_FOLDER.  What it knows it refuses as ZFS does; what it does not know ends it."""

import json
import os
import pathlib
import sys

IMPORTED = pathlib.Path(os.environ.get("FAKE_FOLDER", "/nonexistent")) / "imported"


def read(disk):
    with open(disk, "rb") as f:
        line = f.readline(1 << 20)
    return json.loads(line) if line.startswith(b"{") else None


def write(disk, pool):
    with open(disk, "r+b") as f:
        f.write(json.dumps(pool).encode() + b"\n" + bytes(4096))


def fail(text):
    sys.exit(text)


def number():
    return int.from_bytes(os.urandom(7), "big")


def dataset(**props):
    return {"guid": number(), "props": props, "snaps": [], "marks": [], "used": 0}


def new_pool(name):
    return {"name": name, "guid": str(number()), "sets": {"": dataset(mountpoint="none")}}


class Zfs:
    def __init__(self, words):
        self.words = list(words)
        self.there = json.loads(IMPORTED.read_text()) if IMPORTED.exists() else {}

    def options(self, *with_value):
        """Takes off what begins with '-': [(option, value), …]."""
        found = []
        while self.words and self.words[0].startswith("-"):
            option = self.words.pop(0)
            found.append((option, self.words.pop(0) if option in with_value else None))
        return found

    def note(self):
        IMPORTED.write_text(json.dumps(self.there))

    def pool(self, name):
        if name not in self.there:
            fail(f"cannot open '{name}': no such pool")
        return read(self.there[name])

    def open(self, name):
        """(pool, its name, the dataset's within it, the snapshot or None)"""
        whole, _, snap = name.partition("@")
        pool, _, rest = whole.partition("/")
        if pool not in self.there:
            fail(f"cannot open '{whole}': dataset does not exist")
        return self.pool(pool), pool, rest, snap or None

    def keep(self, name, pool):
        write(self.there[name], pool)

    # --- zpool -----------------------------------------------------------------------------------------------

    def zpool(self):
        verb = self.words.pop(0)
        if verb == "import":
            places = [v for o, v in self.options("-o", "-d") if o == "-d"]
            which, name = self.words[0], self.words[-1]
            for place in map(pathlib.Path, places):
                for disk in sorted(place.iterdir()) if place.is_dir() else [place] if place.exists() else []:
                    pool = read(disk) if disk.exists() else None
                    if pool and which in (pool["guid"], pool["name"]) and str(disk.resolve()) not in self.there.values():
                        if name in self.there:
                            fail(f"cannot import '{name}': a pool with that name already exists")
                        pool["name"] = name
                        write(disk, pool)
                        self.there[name] = str(disk.resolve())
                        return self.note()
            fail(f"cannot import '{which}': no such pool available")
        options = dict(self.options("-o", "-O"))
        if verb == "create":
            name, disk = self.words
            write(disk, new_pool(name))
            self.there[name] = str(pathlib.Path(disk).resolve())
            return self.note()
        if verb == "get":
            what, name = self.words
            return print({"guid": self.pool(name)["guid"], "expandsize": "-"}[what])
        if verb == "export":
            del self.there[self.words[0]]
            return self.note()
        if verb == "list" and "-o" in options:
            return self.pool(self.words[0])
        return fail(f"zpool {verb} is not known")

    # --- zfs -------------------------------------------------------------------------------------------------

    def zfs(self):
        verb = self.words.pop(0)
        getattr(self, "zfs_" + verb)()

    def below(self, name):
        pool, top, rest, _ = self.open(name)
        if rest not in pool["sets"]:
            fail(f"cannot open '{name}': dataset does not exist")
        for one, d in sorted(pool["sets"].items()):
            if rest in ("", one) or one.startswith(rest + "/"):
                yield "/".join(filter(None, (top, one))), d, pool

    def zfs_list(self):
        options = dict(self.options("-o", "-t"))
        columns, deep = options["-o"].split(","), "-r" in options
        for name, d, pool in self.below(self.words[-1]):
            line = {"name": name, "type": "filesystem", "guid": d["guid"], "encryption": "off", "used": d["used"],
                    "referenced": 98304, "available": 1 << 40, "written": 0}  # fmt: skip
            if name.count("/") == 0:
                line["used"] = sum(x["used"] for x in pool["sets"].values())
            if "snapshot" in options.get("-t", ""):
                for snap, guid, txg, tags in d["snaps"]:
                    print(f"{name}@{snap}\t{guid}\t{txg}\t{txg}\t{len(tags)}")
            else:
                print("\t".join(str(line.get(c, d["props"].get(c, "-"))) for c in columns))
            if not deep:
                return

    def zfs_get(self):
        for name, d, _ in self.below(self.words[-1]):
            for prop, value in d["props"].items():
                print(f"{name}\t{prop}\t{value}")

    def zfs_create(self):
        props = dict(v.split("=", 1) for o, v in self.options("-o") if o == "-o")
        pool, top, rest, _ = self.open(self.words[0])
        pool["sets"][rest] = dataset(**props)
        self.keep(top, pool)

    def zfs_set(self):
        pool, top, rest, _ = self.open(self.words[1])
        name, value = self.words[0].split("=", 1)
        pool["sets"][rest]["props"][name] = value
        self.keep(top, pool)

    def zfs_destroy(self):
        deep = self.words[0] == "-R"
        pool, top, rest, snap = self.open(self.words[-1])
        if snap is None:
            pool["sets"] = {n: d for n, d in pool["sets"].items() if not deep or (n != rest and not n.startswith(rest + "/"))}
        else:
            d = pool["sets"][rest]
            d["snaps"] = [s for s in d["snaps"] if snap not in ("%", s[0])]
        self.keep(top, pool)

    def zfs_holds(self):
        pool, _, rest, snap = self.open(self.words[-1])
        for name, _, _, tags in pool["sets"][rest]["snaps"]:
            for tag in tags if name == snap else []:
                print(f"{self.words[-1]}\t{tag}\tThu Jan  1  0:00 1970")

    def zfs_hold(self):
        pool, top, rest, snap = self.open(self.words[1])
        for s in pool["sets"][rest]["snaps"]:
            if s[0] == snap:
                s[3] = sorted({*s[3], self.words[0]})
        self.keep(top, pool)

    def zfs_send(self):
        base = dict(self.options("-i", "-I")).get("-I")
        pool, _, rest, snap = self.open(self.words[0])
        d = pool["sets"][rest]
        names = [s[0] for s in d["snaps"]]
        first = names.index(base.split("@")[1]) + 1 if base else 0
        sent = d["snaps"][first : names.index(snap) + 1] if snap else [["--head--", number(), 1, []]]
        json.dump({"base": d["snaps"][first - 1][1] if base else None, "snaps": sent, "used": d["used"]}, sys.stdout)

    def zfs_receive(self):
        props = dict(v.split("=", 1) for o, v in self.options("-o") if o == "-o")
        pool, top, rest, _ = self.open(self.words[0])
        try:
            stream = json.load(sys.stdin)
        except ValueError:
            fail("cannot receive: failed to read from stream")
        d = pool["sets"].get(rest)
        if (stream["base"] is None) != (d is None):
            fail("cannot receive: destination already exists, or does not")
        if d is None:
            d = pool["sets"][rest] = dataset(**props)
        elif d["snaps"][-1][1] != stream["base"]:
            fail(f"cannot receive: most recent snapshot of {self.words[0]} does not match incremental source")
        for name, guid, _, _ in stream["snaps"]:
            d["snaps"].append([name, guid, max([s[2] for s in d["snaps"]], default=0) + 1, []])
        d["used"] = stream["used"]
        self.keep(top, pool)


if __name__ == "__main__":
    getattr(Zfs(sys.argv[1:]), pathlib.Path(sys.argv[0]).name)()
