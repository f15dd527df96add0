"""Automatic snapshots and retention on real pools: selection, take-over, one atom, what is never destroyed."""

import json
import os
import time

import pytest
import zfs_core
from conftest import guids, sh, zfs

BEGAN = time.time()
POLICY = "snapshots {\n  frequent = 4\n  hourly = 24\n  daily = 7\n  weekly = 4\n  monthly = 12\n%s}\n"


def only_snapshots(world, more="", policy=POLICY):
    world.config.write_text(policy % more)


def labels(dataset):
    """{label: how many}, of the names that zfstools gives."""
    found = {}
    for line in zfs("list", "-Hp", "-t", "snapshot", "-o", "name", "-d", "1", dataset).splitlines():
        name = line.split("@")[1]
        label = name.split("_")[1].split("-")[0] if name.startswith("zfs-auto-snap_") else name
        found[label] = found.get(label, 0) + 1
    return found


# general, label (of hourly), chosen for hourly: zfstools' table, and unmounted ones count too.
ROWS = [
    ("-", "-", False), ("true", "-", True), ("false", "-", False), ("-", "true", True), ("true", "false", False),
    ("false", "true", True), ("mysql", "-", True), ("postgresql", "-", True), ("on", "-", False), ("1", "-", False),
]  # fmt: skip


def test_every_row_of_the_property_table(world):
    for n, (general, label, _) in enumerate(ROWS):
        zfs("create", *([] if n % 2 else ["-u"]), f"tank/r{n}")
        if general != "-":
            zfs("set", f"com.sun:auto-snapshot={general}", f"tank/r{n}")
        if label != "-":
            zfs("set", f"com.sun:auto-snapshot:hourly={label}", f"tank/r{n}")
    # Inherited counts, and the label of a child overrides.
    zfs("create", "tank/r1/inherits")
    zfs("create", "-o", "com.sun:auto-snapshot=false", "tank/r1/not")
    key = world.folder / "key"
    key.write_text("0123456789abcdef" * 4)
    zfs("create", "-o", "encryption=on", "-o", "keyformat=hex", "-o", f"keylocation=file://{key}",
        "-o", "com.sun:auto-snapshot=true", "tank/locked")  # fmt: skip
    zfs("unmount", "tank/locked")
    zfs("unload-key", "tank/locked")
    only_snapshots(world)
    done = world.run("snapshot", check=0)
    for n, (general, label, chosen) in enumerate(ROWS):
        assert ("hourly" in labels(f"tank/r{n}")) == chosen, (general, label)
    assert "hourly" in labels("tank/r1/inherits") and labels("tank/r1/not") == {}
    assert labels("tank/locked") == {"frequent": 1, "hourly": 1, "daily": 1, "weekly": 1, "monthly": 1}
    assert "is 'on' at 'tank/r8': neither true nor false" in done.stderr
    assert "'mysql'" in done.stderr
    # At once again: nothing is due, nothing is said to be wrong.
    again = world.run("snapshot", check=0)
    assert again.stdout == ""
    # One atom for each label.
    txgs = zfs("list", "-Hp", "-t", "snapshot", "-o", "name,createtxg", "-r", "tank").splitlines()
    assert len({t.split("\t")[1] for t in txgs if "_hourly-" in t}) == 1


def name(form, label, n):
    when = time.gmtime(BEGAN - 86400 * 40 - n * 3600)
    return {
        "zfstools": time.strftime(f"zfs-auto-snap_{label}-%Y-%m-%d-%Hh%M", when),
        "utc": time.strftime(f"zfs-auto-snap_{label}-%Y-%m-%d-%Hh%MU", when),
        "shell": time.strftime(f"zfs-auto-snap_{label}-%Y-%m-%d-%H%M", when),
        "sanoid": time.strftime(f"autosnap_%Y-%m-%d_%H:%M:%S_{label}", when),
    }[form]


def test_a_host_is_taken_over(world):
    zfs("create", "-o", "com.sun:auto-snapshot=true", "tank/home")
    foreign = ["before-upgrade", "zfs-auto-snap_hourly", "syncoid_host_2026-01-01:00:00:00"]
    for snap in foreign:
        zfs("snapshot", f"tank/home@{snap}")
    for n in range(12, 0, -1):
        for form in ("zfstools", "utc", "shell", "sanoid"):
            zfs("snapshot", f"tank/home@{name(form, 'hourly', n * 4 + len(form))}")
    held = name("shell", "hourly", 12 * 4 + 5)
    zfs("hold", "mine", f"tank/home@{held}")
    origin = name("utc", "hourly", 12 * 4 + 3)
    zfs("clone", f"tank/home@{origin}", "tank/clone")
    only_snapshots(world)
    world.run("snapshot", check=0)
    # 24 hourly, the new one among them, and what is held or cloned; sanoid's are nobody's business yet.
    assert labels("tank/home")["hourly"] == 24 + 2 + 1  # and the foreign one with such a name
    text = zfs("list", "-H", "-t", "snapshot", "-o", "name", "tank/home")
    assert held in text and origin in text and all(f"@{f}\n" in text for f in foreign)
    assert text.count("autosnap_") == 12
    only_snapshots(world, '  adopt = ["sanoid"]\n')
    done = world.run("snapshot", "--json", check=0)
    assert json.loads(done.stdout)[0]["failed"] == []
    text = zfs("list", "-H", "-t", "snapshot", "-o", "name", "tank/home")
    hourly = [s for s in text.split() if "_hourly" in s and "U" in s[-2:] or s.endswith("_hourly") or "_hourly-" in s]
    kept = [s for s in hourly if s.split("@")[1] not in (held, origin, "zfs-auto-snap_hourly")]
    assert len(kept) == 24 and 0 < text.count("autosnap_") < 12
    assert all(f"@{f}\n" in text for f in foreign)
    why = world.run("explain", f"tank/home@{held}", check=0).stdout
    assert "is held" in why
    assert "number 1 of the 24 newest hourly ones" in world.run("explain", kept[-1], check=0).stdout
    world.run("explain", "tank/home@nirvana", check=2)


def grow(root, count):
    """So many datasets, root among them."""
    zfs("create", "-u", "-o", "com.sun:auto-snapshot=true", root)
    zfs_core.create([f"{root}/d{n}" for n in range(count - 1)])


def test_five_hundred_in_one_atom_and_pruned_in_few(world):
    grow("tank/many", 500)
    policy = "snapshots {\n  frequent = 1\n%s}\n"
    only_snapshots(world, policy=policy)
    began = int(time.time())
    first = world.run("snapshot", check=0)
    assert "of 500 datasets" in first.stdout
    lines = zfs("list", "-Hp", "-t", "snapshot", "-o", "name,createtxg", "-r", "tank/many").splitlines()
    assert len(lines) == 500 and len({line.split("\t")[1] for line in lines}) == 1
    # A quarter of an hour later: one more of each, and the first ones go, in one command.
    world.env["DORMOUSE_NOW"] = str(began + 900)
    assert "500 snapshots destroyed\n" in world.run("snapshot", check=0).stdout
    assert len(zfs("list", "-Hp", "-t", "snapshot", "-o", "name", "-r", "tank/many").split()) == 500


def test_what_is_recalled_is_seen_before_it_goes(world):
    zfs("create", "-o", "com.sun:auto-snapshot=true", "tank/home")
    # Of a few all is asked for, each time.
    grow("tank/others", 50)
    zfs("inherit", "com.sun:auto-snapshot", "tank/others")
    zfs("snapshot", "-r", "tank/others@of-somebody-else")
    only_snapshots(world, policy="snapshots {\n  frequent = 3\n%s}\n")
    (world.folder / "bin").mkdir()
    ours, log = world.folder / "bin" / "zfs", world.folder / "log"
    real = sh("which", "zfs").stdout.strip()
    began = int(time.time())
    world.env["PATH"] = f"{world.folder}/bin:{os.environ['PATH']}"

    def one_pass(n, refuse="nothing"):
        """What there is afterwards, oldest first, and which zfs commands ran."""
        ours.write_text(f"#!/bin/sh\necho \"$*\" >>{log}\n[ \"$1\" != {refuse} ] || exit 1\nexec {real} \"$@\"\n")
        ours.chmod(0o755)
        log.write_text("")
        world.env["DORMOUSE_NOW"] = str(began + n * 900)
        world.run("snapshot", check=0)
        return zfs("list", "-H", "-t", "snapshot", "-o", "name", "-s", "createtxg", "tank/home").split(), log.read_text()

    did = one_pass(0)[1]
    assert "-t snapshot,bookmark" in did
    for n in range(1, 4):
        before, did = one_pass(n)
    assert len(before) == 3 and "program -n" in did and "-t snapshot,bookmark" not in did and "-s name" not in did
    # For who may not run programs in the kernel.
    before, did = one_pass(4, refuse="program")
    assert len(before) == 3 and "list -H -t snapshot -o name -s name -r tank" in did and "-t snapshot,bookmark" not in did
    # Destroyed and made again, the oldest is the newest: by its name it would go.
    zfs("destroy", before[0])
    zfs("snapshot", before[0])
    after, did = one_pass(5)
    assert after[:2] == [before[2], before[0]] and len(after) == 3 and "-t snapshot,bookmark" in did
    # A hold is not recalled, and counts.
    zfs("hold", "mine", after[0])
    held, did = one_pass(6)
    assert held[:3] == after and len(held) == 4 and "-t snapshot,bookmark" not in did
    # What cannot be read costs only time.
    (world.folder / "state" / "snapshots").write_text("dormouse snapshots 2\n=tank/home\t1" + "\tx" * 2000)
    after, did = one_pass(7)
    assert after[:3] == [held[0], *held[2:]] and len(after) == 4 and "-t snapshot,bookmark" in did


@pytest.mark.skipif("DORMOUSE_IN_VM" not in os.environ, reason="it sets the clock")
def test_what_is_recalled_of_an_archive(world):
    zfs("create", "-p", "tank/home/a/b")
    zfs("create", "tank/copies")

    def day(n):
        return f"zfs-auto-snap_daily-2026-01-{n:02}-0000"

    def take(n):
        sh("date", "-s", f"2026-01-{n:02} 12:01")
        zfs("snapshot", "-r", f"tank/home@{day(n)}")

    for n in range(1, 21):
        take(n)
    (world.folder / "bin").mkdir()
    ours, log = world.folder / "bin" / "zfs", world.folder / "log"
    ours.write_text(f"#!/bin/sh\necho \"$*\" >>{log}\nexec {sh('which', 'zfs').stdout.strip()} \"$@\"\n")
    ours.chmod(0o755)
    world.env["PATH"] = f"{world.folder}/bin:{os.environ['PATH']}"

    def run(check, keep=30):
        """What it listed of the archive."""
        world.config.write_text(
            f'backup "safe" {{\n  source = "tank/home"\n  destination = "tank/copies"\n  keep {{\n    daily = {keep}\n  }}\n}}\n'
        )
        log.write_text("")
        done = world.run("backup", "safe", check=check)
        return [line for line in log.read_text().splitlines() if " list " in f" {line}" and "tank/copies" in line], done

    def copies(name):
        return zfs("list", "-H", "-o", "name", "-t", "snapshot", "-s", "createtxg", "-d", "1", f"tank/copies/tank/home{name}").split()

    run(0)
    listed, _ = run(0)
    assert "prevsnap -r tank/copies" in listed[0] and not any("-t snapshot,bookmark" in line for line in listed), listed
    # What arrives is asked for by its name, and what stands before it is not.
    take(21)
    listed, done = run(0)
    assert "3 of 3 datasets" in done.stdout and not any("-t snapshot,bookmark" in line for line in listed), listed
    assert sum(day(21) in line for line in listed) == 1 and not any(day(19) in line for line in listed), listed
    # A newer one that is not ours is seen, and only that dataset is listed.
    zfs("snapshot", "tank/copies/tank/home/a@foreign")
    listed, done = run(1)
    assert [line.rpartition(" ")[2] for line in listed if "-d 1" in line] == ["tank/copies/tank/home/a"], listed
    assert "foreign" in done.stderr, done.stderr
    zfs("destroy", "tank/copies/tank/home/a@foreign")
    # So is what is no longer there, before anything goes because of it.
    zfs("destroy", f"tank/copies/tank/home/a/b@{day(20)}")
    run(0, keep=3)
    assert [s.split("@")[1] for s in copies("/a/b")] == [day(18), day(19), day(21)]
    assert [s.split("@")[1] for s in copies("/a")] == [day(19), day(20), day(21)]
    listed, _ = run(0, keep=3)
    assert not any("-t snapshot,bookmark" in line for line in listed), listed


def test_what_cannot_be_destroyed_stops_nothing_else(world):
    grow("tank/many", 25)
    policy = "snapshots {\n  frequent = 1\n%s}\n"
    only_snapshots(world, policy=policy)
    began = int(time.time())
    world.env["DORMOUSE_NOW"] = str(began)
    world.run("snapshot", check=0)
    first = {s.split("@")[0]: s for s in zfs("list", "-H", "-o", "name", "-t", "snapshot", "-r", "tank/many").split()}
    # One is held when the pass looks; another one only afterwards, by the hook: nobody could know.
    zfs("hold", "mine", first["tank/many/d7"])
    late = first["tank/many/d3"]
    only_snapshots(world, f'  before_snapshot = ["zfs", "hold", "mine", "{late}"]\n', policy)
    world.env["DORMOUSE_NOW"] = str(began + 900)
    dry = world.run("snapshot", "--dry-run", check=0)
    assert "24 snapshots would go" in dry.stdout, dry.stdout
    done = world.run("snapshot", check=1)
    assert f"cannot destroy {late}: " in done.stderr and "d7" not in done.stderr
    assert "23 snapshots destroyed\n" in done.stdout
    left = zfs("list", "-Hp", "-t", "snapshot", "-o", "name", "-r", "tank/many").split()
    assert len(left) == 25 + 2 and late in left and first["tank/many/d7"] in left


def test_a_dry_run_counts_what_snapshots_share(world):
    zfs("create", "tank/home")
    zfs("create", "tank/home/b")
    shared = world.folder / "mnt/home/b/shared"
    shared.write_bytes(os.urandom(1 << 20))
    stamp = "zfs-auto-snap_hourly-2026-01-0"
    zfs("snapshot", "-r", f"tank/home@{stamp}1-00h00")
    zfs("snapshot", f"tank/home/b@{stamp}2-00h00")  # goes with another command
    shared.unlink()
    zfs("snapshot", "-r", f"tank/home@{stamp}3-00h00")
    only_snapshots(world, '  include = ["tank/home"]\n', "snapshots {\n  hourly = 1\n%s}\n")
    dry = json.loads(world.run("prune", "--dry-run", "--json", check=0).stdout)[0]
    assert dry["destroyed"] == 3 and int(dry["reclaimed"]) >= 1 << 20, dry
    assert "3 snapshots destroyed\n" in world.run("prune", check=0).stdout


def test_hooks_and_the_clock(world):
    zfs("create", "-o", "com.sun:auto-snapshot=true", "tank/home")
    log = world.folder / "log"
    hooks = f'  before_snapshot = ["sh", "-c", "echo before >>{log}"]\n  after_snapshot = ["sh", "-c", "echo after >>{log}"]\n'
    only_snapshots(world, hooks)
    world.run("snapshot", check=0)
    assert log.read_text() == "before\nafter\n"
    now = time.time()
    only_snapshots(world, '  before_snapshot = ["sh", "-c", "echo no luck >&2; exit 3"]\n')
    world.env["DORMOUSE_NOW"] = str(int(now) + 7200)
    done = world.run("snapshot", check=1)
    assert "before_snapshot failed: exit code 3: no luck" in done.stderr
    count = labels("tank/home")
    only_snapshots(world, '  before_snapshot = ["false"]\n  on_hook_failure = "abort"\n')
    world.run("snapshot", check=2)
    assert labels("tank/home") == count
    only_snapshots(world, '  before_snapshot = ["sleep", "100"]\n  hook_timeout = "1s"\n')
    assert "did not run to its end" in world.run("snapshot", check=1).stderr
    # Set back: nothing happens, and it is said.
    only_snapshots(world)
    world.env["DORMOUSE_NOW"] = str(int(now) - 86400)
    done = world.run("snapshot", check=2)
    assert "set back" in done.stderr and "hint: nothing taken or destroyed; set the clock" in done.stderr
    some = zfs("list", "-H", "-o", "name", "-t", "snapshot", "tank/home").split()[0]
    assert "set back" in world.run("explain", some, check=2).stderr
    assert "set back" in world.run("prune", check=2).stderr
    assert labels("tank/home") == count


def test_the_archive_has_its_own_policy(world):
    zfs("create", "tank/home")
    zfs("create", "tank/home/old")
    keep = '  keep {\n    daily = 2\n  }\n'
    world.write_config(world.host_key, 'snapshots {\n  frequent = 2\n  include = ["tank/home"]\n}\n', keep)
    for k in range(5):
        zfs("snapshot", "-r", f"tank/home@zfs-auto-snap_daily-2026-01-0{k + 1}-0000")
    zfs("snapshot", "tank/home@by-hand")
    world.run("backup", "safe", check=0)
    with world.vault():
        copy = guids("vault/backup/tank/home", "vault/backup/")
    # All of this day: the first of it, the newest (which both have), and what was made by hand.
    assert len(copy["tank/home/old"]) == 2, copy
    assert "by-hand" in copy["tank/home"] and len(copy["tank/home"]) == 3
    # Renamed: followed.  Destroyed: kept, and noted.
    sent = json.loads(world.run("history", "--json", check=0).stdout)
    zfs("rename", "tank/home/old", "tank/home/new")
    zfs("snapshot", "-r", "tank/home@after")
    done = json.loads(world.run("backup", "--json", "safe", check=0).stdout)
    assert int(done["bytes"]) < 1 << 20, (done, sent)
    with world.vault():
        assert "vault/backup/tank/home/old" not in guids("vault/backup")
        assert "after" in guids("vault/backup")["vault/backup/tank/home/new"]
    for line in zfs("holds", "-H", "-r", *zfs("list", "-H", "-o", "name", "-t", "snapshot", "-r", "tank/home/new").split()).splitlines():
        snap, tag, _ = line.split("\t")
        zfs("release", tag, snap)
    zfs("destroy", "-r", "tank/home/new")
    zfs("snapshot", "-r", "tank/home@later")
    world.run("backup", "safe", check=0)
    with world.vault():
        assert len(guids("vault/backup")["vault/backup/tank/home/new"]) >= 2
        gone = zfs("get", "-H", "-o", "value", "dormouse:gone", "vault/backup/tank/home/new").strip()
        assert gone.endswith(":vault/backup/tank/home/new")
    assert os.path.exists(world.config)


def test_what_nobody_backs_up_is_said(world):
    zfs("create", "tank/home")
    zfs("create", "tank/forgotten")
    zfs("create", "tank/forgotten/keys")
    (world.folder / "mnt/forgotten/keys/key").write_text("secret")
    zfs("create", "-o", "dormouse:backup=off", "tank/scratch")
    sh("zpool", "sync", "tank")
    world.write_config(world.host_key, more='  run = "after snapshot"\n')
    done = world.run("status")
    assert "in no backup: tank/forgotten/keys\n" in done.stdout
    assert "next snapshots: " in done.stdout and "(after snapshot)" in done.stdout
    assert json.loads(world.run("status", "--json").stdout)["uncovered"] == ["tank/forgotten/keys"]


def unmarked(dataset):
    """Without our holds and bookmarks, so that it can be destroyed, or shows what the rest protects."""
    for line in zfs("holds", "-H", "-r", *zfs("list", "-H", "-o", "name", "-t", "snapshot", dataset).split()).splitlines():
        snap, tag, _ = line.split("\t")
        zfs("release", tag, snap)


def test_what_is_gone_is_forgotten_only_after_many_looks(world):
    for name in ("home", "home/gone", "home/old"):
        zfs("create", f"tank/{name}")
    zfs("snapshot", "-r", "tank/home@zfs-auto-snap_daily-2026-01-01-0000")
    world.write_config(world.host_key, "", '  keep {\n    daily = 2\n    forget_after = "8d"\n  }\n')
    began = int(time.time())

    def at_day(n, *command):
        """The archive afterwards."""
        world.env["DORMOUSE_NOW"] = str(began + n * 86400)
        world.run(*command, check=0)
        with world.vault():
            return guids("vault/backup", "vault/backup/")

    assert "tank/home/gone" in at_day(0, "backup", "safe")
    unmarked("tank/home/gone")
    zfs("destroy", "-r", "tank/home/gone")
    zfs("rename", "tank/home/old", "tank/home/new")
    seen = at_day(1, "backup", "safe")
    assert "tank/home/gone" in seen and "tank/home/new" in seen and "tank/home/old" not in seen
    # A hundred days later, says the clock: it counts for a quarter of forget_after.
    assert "tank/home/gone" in at_day(101, "backup", "safe")
    for day in (103, 105):
        assert "tank/home/gone" in at_day(day, "prune", "safe")
    left = at_day(107, "prune", "safe")
    assert "tank/home/gone" not in left and {"tank/home", "tank/home/new"} <= set(left)
    # Before all there is: nothing at the archive is believed to be old, and that is said, without a snapshots block too.
    world.env["DORMOUSE_NOW"] = str(began - 86400)
    done = world.run("backup", "safe", check=1)
    assert "set back" in done.stderr and "hint: nothing taken or destroyed; set the clock" in done.stderr
    done = world.run("prune", "safe", check=2)
    assert "set back" in done.stderr and "hint: nothing taken or destroyed; set the clock" in done.stderr


def test_what_protects_at_the_source(world):
    zfs("create", "tank/home")
    began = int(time.time())

    def one_pass(n, more="", command=("snapshot",)):
        """The snapshots afterwards, oldest first."""
        world.write_config(world.host_key, 'snapshots {\n  frequent = 1\n  include = ["tank/home"]\n%s}\n' % more)
        world.env["DORMOUSE_NOW"] = str(began + n * 900)
        world.run(*command, check=0)
        return zfs("list", "-H", "-o", "name", "-s", "createtxg", "-t", "snapshot", "tank/home").split()

    first = one_pass(0, command=("backup", "safe"))
    unmarked("tank/home")
    second = one_pass(1)
    assert second[0] == first[0] and len(second) == 2  # its bookmark alone keeps the last common one
    zfs("clone", second[1], "tank/clone")
    third = one_pass(2)
    assert third[:2] == second and len(third) == 3  # so does a clone its origin
    fourth = one_pass(3)
    assert fourth[:2] == second and len(fourth) == 3 and fourth[2] != third[2]
    fifth = one_pass(4, "  min_age = \"1d\"\n")
    assert fifth[:3] == fourth and len(fifth) == 4
    # A name that is taken gets a suffix.
    taken = time.strftime("tank/home@zfs-auto-snap_frequent-%Y-%m-%d-%Hh%MU", time.gmtime(began + 5 * 900))
    zfs("snapshot", taken)
    assert one_pass(5)[-1] == taken + "-2"
    hangs = "  before_snapshot = [\"sh\", \"-c\", \"trap '' TERM; sleep 100 & wait; sleep 100\"]\n  hook_timeout = \"1s\"\n"
    world.write_config(world.host_key, 'snapshots {\n  frequent = 1\n  include = ["tank/home"]\n%s}\n' % hangs)
    world.env["DORMOUSE_NOW"] = str(began + 6 * 900)
    begun = time.monotonic()
    assert "did not run to its end" in world.run("snapshot", check=1).stderr
    assert time.monotonic() - begun < 60
