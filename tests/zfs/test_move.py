"""All that a pool has goes to a smaller one beside it, on real pools and without a machine: what tests/cloud/test_move.py
leaves to a model of ZFS."""

import os
import pathlib
import signal
import subprocess
import time

import pytest
from conftest import DORMOUSE, sh, zfs

MOVE = pathlib.Path(DORMOUSE).parent / "tests/unit/move_pools"


@pytest.fixture
def pools(tmp_path):
    disks = tmp_path / "disks"
    disks.mkdir()
    for name, size in (("cold", "2G"), ("cold.next", "1G")):
        sh("truncate", "-s", size, disks / name)
        sh("zpool", "create", "-o", "ashift=12", "-o", "cachefile=none", "-O", "mountpoint=none", name, disks / name)
    yield tmp_path
    for name in ("cold", "cold.next"):
        sh("zpool", "export", "-f", name, check=False)


def points(root):
    """Snapshots with their GUIDs, and how many hold them."""
    lines = zfs("list", "-Hp", "-r", "-t", "snapshot", "-o", "name,guid,userrefs", root).splitlines()
    return {line.removeprefix(root) for line in lines}


def what_is_set(root):
    lines = zfs("get", "-Hp", "-r", "-t", "filesystem,volume", "-s", "local,received", "-o", "name,property,value", "all", root)
    return {line.removeprefix(root) for line in lines.splitlines()}


def fill(folder):
    home, mount = "cold/backup/tank/home", folder / "m"
    zfs("create", "-o", "mountpoint=legacy", "-o", "acltype=posixacl", "-o", "xattr=sa", "cold/backup")
    zfs("create", "-u", "-o", "canmount=off", "-o", "dormouse:placeholder=cold/backup/tank", "cold/backup/tank")
    zfs("create", "-o", f"mountpoint={mount}", home)
    (mount / "big").write_bytes(os.urandom(24 << 20))
    zfs("snapshot", f"{home}@first")
    (mount / "more").write_text("x")
    zfs("snapshot", f"{home}@second")
    zfs("set", "readonly=on", "canmount=noauto", "org.example:note=it's \"mine\" $x", 'dormouse:properties={"a":"b c"}', home)
    zfs("umount", home)
    zfs("hold", "my tag", f"{home}@second")
    zfs("bookmark", f"{home}@first", f"{home}#mark")
    zfs("create", "-V", "8M", "cold/backup/disk")
    zfs("snapshot", "cold/backup/disk@one")
    # A clone that comes before its origin by name.
    zfs("clone", "-o", "mountpoint=none", f"{home}@first", "cold/aclone")
    zfs("snapshot", "cold/aclone@own")
    # What is in no snapshot.
    zfs("create", "-o", "mountpoint=legacy", "cold/notes")
    sh("mount", "-t", "zfs", "cold/notes", mount)
    (mount / "note").write_text("kept")
    sh("umount", mount)
    # Encrypted; nobody has the key.
    sh("zfs", "create", "-o", "encryption=on", "-o", "keyformat=passphrase", "-o", "mountpoint=none", "cold/secret", input="password")
    zfs("snapshot", "cold/secret@one")
    sh("zpool", "export", "cold")
    sh("zpool", "import", "-N", "-o", "cachefile=none", "-d", folder / "disks" / "cold", "cold")
    return home


def test_smaller(pools):
    home = fill(pools)
    # Too much of it.
    refused = sh(MOVE, "cold", 128 << 20, check=False)
    assert refused.returncode == 2 and "and of 128.0 MiB a pool can hold" in refused.stderr, refused.stderr
    # Killed when the large one is on its way, and what was on its way with it.
    big = home.replace("cold", "cold.next")
    with subprocess.Popen([MOVE, "cold", str(1 << 30)], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, start_new_session=True) as p:
        until = time.monotonic() + 300
        while sh("zfs", "get", "-H", "-o", "value", "name", big, check=False).returncode != 0:
            assert p.poll() is None and time.monotonic() < until
        os.killpg(p.pid, signal.SIGKILL)
    zfs("snapshot", "cold/backup/disk@two")
    done = sh(MOVE, "cold", 1 << 30)
    assert points("cold") == points("cold.next"), done.stderr
    # A key whose place is what it is by itself says so.
    assert what_is_set("cold") ^ what_is_set("cold.next") <= {"/secret\tkeylocation\tprompt"}
    assert zfs("get", "-H", "-o", "value", "origin", "cold.next/aclone").strip() == f"{big}@first"
    assert zfs("holds", "-H", f"{big}@second").split("\t")[1] == "my tag"
    assert zfs("list", "-H", "-t", "bookmark", "-o", "name", "-r", big).split() == [f"{big}#mark"]
    # It takes the place; a second time nothing was left to do.
    seen, guid = points("cold"), sh("zpool", "get", "-H", "-o", "value", "guid", "cold.next").stdout.strip()
    done = sh(MOVE, "cold", 1 << 30, pools / "disks" / "cold.next", guid)
    assert "steps" not in done.stderr
    assert sh("zpool", "list", "-H", "-o", "name").stdout.split().count("cold") == 1
    assert sh("zpool", "get", "-H", "-o", "value", "guid", "cold").stdout.strip() == guid and points("cold") == seen
    mount = pools / "m"
    sh("mount", "-t", "zfs", "cold/notes", mount)
    assert (mount / "note").read_text() == "kept" and zfs("list", "-H", "-t", "snapshot", "cold/notes") == ""
    sh("umount", mount)
    sh("zfs", "load-key", "cold/secret", input="password")
