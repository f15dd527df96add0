"""The model of ZFS that the unit tests believe in, against ZFS itself: the random lives of tests/unit/test_schedules.c,
step by step on real pools. What the model takes, ZFS takes; what it refuses, ZFS refuses, or it changes nothing; after each step both sides
are as the model says. Whole runs are done by the real program, which ends where the model of it ends."""

import os
import pathlib
import subprocess

import pytest
from conftest import DORMOUSE, sh, write_to, zfs

LIVES = pathlib.Path(DORMOUSE).parent / "tests" / "unit" / "test_schedules"
FIRST, COUNT = int(os.environ.get("DORMOUSE_SEED", 3)), int(os.environ.get("DORMOUSE_LIVES", 6))
EXIT = {"whole": 0, "partly": 1, "failed": 2}


class Real:
    def __init__(self, folder):
        self.folder = folder
        self.guids = {}  # the model's: ZFS's
        self.runs = 0
        self.config = folder / "config.hcl"
        self.config.write_text('backup "b" {\n  source = "tank/home"\n  destination = "vault"\n}\n')
        self.env = dict(os.environ, DORMOUSE_RUNTIME_DIR=str(folder / "run"), DORMOUSE_STATE_DIR=str(folder / "state"),
                        DORMOUSE_CONFIG=str(self.config), HOME=str(folder))  # fmt: skip
        for pool, where in (("tank", folder / "mnt"), ("vault", "none")):
            sh("truncate", "-s", "256M", folder / f"{pool}.img")
            sh("zpool", "create", "-O", f"mountpoint={where}", pool, folder / f"{pool}.img")

    def end(self):
        for pool in ("tank", "vault"):
            sh("zpool", "export", "-f", pool, check=False)

    # --- the words of a trace

    def snapshot(self, *names):
        # Something to send, for a stream that can be cut.
        for name in names:
            folder = self.folder / "mnt" / name.split("@")[0].removeprefix("tank/")
            if name.startswith("tank/"):
                (folder / "file").write_bytes(os.urandom(96 << 10))
        if names:
            zfs("snapshot", *names)

    def create(self, name, origin):
        zfs(*(["create", name] if origin == "-" else ["clone", origin, name]))

    def destroy(self, name):
        zfs("destroy", *([] if "@" in name else ["-r"]), name)

    def rename(self, old, new):
        zfs("rename", old, new)

    def rollback(self, name):
        zfs("rollback", "-r", name)

    def promote(self, name):
        zfs("promote", name)

    def write(self, name):
        write_to(self.folder, name)
        zfs("set", "readonly=on", name)

    def abort(self, name):
        zfs("receive", "-A", name)

    def parent(self, name):
        zfs("create", "-u", "-o", "canmount=off", "-o", f"dormouse:placeholder={name}", name)

    def hold(self, name, tag):
        zfs("hold", tag, name)

    def real_mark(self, name):
        """Bookmarks of dormouse have a GUID in their names."""
        head, found, guid = name.partition("dormouse_b_")
        return f"{head}{found}{self.guids[str(int(guid, 16))]:016x}" if found else name

    def bookmark(self, name, mark):
        zfs("bookmark", name, self.real_mark(f"{name.split('@')[0]}#{mark}"))

    def release(self, name, tag):
        done = sh("zfs", "release", tag, name, check=False)
        assert done.returncode == 0 or "no such tag" in done.stderr, done.stderr

    def unbookmark(self, name, _):
        zfs("destroy", self.real_mark(name))

    def stream(self, kind, to, target, base):
        if kind == "resume":
            return ["zfs", "send", "-t", zfs("get", "-H", "-o", "value", "receive_resume_token", target).strip()]
        base = self.real_mark(base)
        option = {"full": [], "clone": ["-i", base], "incremental": ["-i", base], "intermediate": ["-I", base]}[kind]
        return ["zfs", "send", *option, to]

    def receive(self, kind, target, origin, replaces):
        options = ["-o", f"origin={origin}"] if kind == "clone" else []
        return ["zfs", "receive", "-s", "-u", *(["-F"] if replaces == "replaces" else []), "-o", "readonly=on",
                *options, target]  # fmt: skip

    def send(self, kind, to, target, base, origin, replaces):
        with subprocess.Popen(self.stream(kind, to, target, base), stdout=subprocess.PIPE) as sender:
            sh(*self.receive(kind, target, origin, replaces), stdin=sender.stdout)
        if replaces == "replaces":
            zfs("inherit", "dormouse:placeholder", target)

    def nonsense(self, kind, to, target, base, origin, replaces):
        with subprocess.Popen(self.stream(kind, to, target, base), stdout=subprocess.PIPE, stderr=subprocess.PIPE) as sender:
            sh(*self.receive(kind, target, origin, replaces), stdin=sender.stdout, check=False)
            sender.stdout.close()
            sender.stderr.read()

    def cut(self, kind, to, target, base, origin, replaces):
        whole = subprocess.run(self.stream(kind, to, target, base), stdout=subprocess.PIPE, check=True).stdout
        done = subprocess.run(self.receive(kind, target, origin, replaces), input=whole[: len(whole) * 3 // 4],
                              stderr=subprocess.PIPE, check=False)  # fmt: skip
        assert done.returncode != 0

    def run(self, how):
        done = sh(DORMOUSE, "backup", "b", env=self.env, check=False, stdin=subprocess.DEVNULL)
        assert done.returncode == EXIT[how], done.stdout + done.stderr
        self.runs += 1

    # --- what there is

    def state(self, root, word_for_guid):
        found = []
        listing = zfs("list", "-Hp", "-r", "-t", "filesystem", "-o",
                      "name,origin,dormouse:placeholder,receive_resume_token,written", root)  # fmt: skip
        for line in listing.splitlines():
            name, origin, stand_in, token, written = line.split("\t")
            if name == "vault":
                continue
            to = 0
            if token != "-":
                said = sh("zfs", "send", "-nvt", token, check=False)
                to = word_for_guid(int((said.stdout + said.stderr).split("toguid = ")[1].split()[0], 16))
            found.append(("dataset", name, origin, "stand-in" if stand_in == name else "-", str(to)))
            if written != "0" and root == "vault" and token == "-" and stand_in != name:
                found.append(("written", name))
        listing = zfs("list", "-Hp", "-r", "-t", "snapshot,bookmark", "-o", "name,guid,userrefs", root)
        for line in listing.splitlines():
            name, guid, holds = line.split("\t")
            found.append(("point", name, str(word_for_guid(int(guid))), "0" if holds == "-" else holds))
        return sorted(found)

    def compare(self, want):
        known = {real: model for model, real in self.guids.items()}

        def learn(guid):
            return known.get(guid, f"unknown {guid}")

        # A snapshot that nobody has seen before is the one that the model has by that name.
        named = {row[1]: row[2] for side in want.values() for row in side if row[0] == "point"}
        for root in ("tank/home", "vault"):
            for line in zfs("list", "-Hp", "-r", "-t", "snapshot", "-o", "name,guid", root).splitlines():
                name, guid = line.split("\t")
                if int(guid) not in known and name in named and named[name] not in self.guids:
                    self.guids[named[name]] = int(guid)
                    known[int(guid)] = named[name]
        for side, root in (("source", "tank/home"), ("target", "vault")):
            rows = []
            for word, *rest in want[side]:
                if word == "point":
                    rows.append((word, self.real_mark(rest[0]), *rest[1:]))
                else:
                    rows.append((word, *rest[:4]))
                    if rest[4] == "written" and side == "target":
                        rows.append(("written", rest[0]))
            have, wanted = self.state(root, learn), sorted(rows)
            assert have == wanted, (
                f"{side}\nonly ZFS: {[r for r in have if r not in wanted]}\nonly the model: {[r for r in wanted if r not in have]}"
            )


def steps_of(seed, folder):
    """[(word, arguments)], and states as ("state", {side: rows})"""
    path = folder / "trace"
    env = dict(os.environ, SCHEDULE_SEED=str(seed), SCHEDULE_TRACE=str(path))
    subprocess.run([LIVES], env=env, check=True, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    state, side = {}, None
    for line in path.read_text().splitlines():
        word, *rest = line.split("\t")
        if word == "side":
            side = state.setdefault(rest[0], [])
        elif word in ("dataset", "point"):
            side.append((word, *rest))
        elif word == "end":
            yield "state", [state]
            state = {}
        else:
            yield word, rest


@pytest.mark.parametrize("seed", range(FIRST, FIRST + COUNT))
def test_a_life(seed, tmp_path_factory):
    folder = tmp_path_factory.mktemp("w")
    real, done, last = Real(folder), [], None
    try:
        for word, rest in steps_of(seed, folder):
            done.append("\t".join([word, *rest]) if word != "state" else "state")
            try:
                if word != "state":
                    getattr(real, word)(*rest)
                elif rest[0] != last or done[-2] != "state":
                    real.compare(rest[0])
                    last = rest[0]
            except AssertionError as e:
                steps = "\n".join(s for s in done if s != "state")
                raise AssertionError(f"DORMOUSE_SEED={seed} DORMOUSE_LIVES=1 repeats it\n{steps}\n{e}") from e
        assert real.runs >= 1 and len(done) > 24
    finally:
        real.end()
