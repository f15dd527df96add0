"""Archives that other tools made: taken over where they are, by GUID, and nothing is sent again."""

import json
import os
import subprocess

from conftest import guids, sh, zfs


def sent(world, *more):
    return int(json.loads(world.run("backup", "--json", "safe", *more, check=0).stdout)["bytes"])


def tree(world):
    """4 MiB that do not compress, in a file and a volume."""
    zfs("create", "tank/home")
    zfs("create", "tank/home/a")
    zfs("create", "-V", "2M", "-o", "volblocksize=4K", "tank/home/v")
    (world.folder / "mnt/home/a/file").write_bytes(os.urandom(4 << 20))


def changed(world):
    (world.folder / "mnt/home/a/more").write_bytes(os.urandom(10000))
    zfs("snapshot", "-r", "tank/home@later")


def all_there(copy):
    there = guids(copy, copy.removesuffix("tank/home"))
    for dataset, snaps in guids("tank/home").items():
        assert snaps.items() <= there[dataset].items(), dataset


def test_syncoid_s_target(world):
    """It lies at whatever name was chosen: a person says so once."""
    tree(world)
    zfs("snapshot", "-r", "tank/home@one")
    with world.vault():
        sh("syncoid", "-r", "--quiet", "--compress=none", "tank/home", "vault/backup/home")
    changed(world)
    world.write_config(world.host_key, snapshots="")
    done = world.run("repair", "tank/home", "--take-over", "vault/backup/home", check=3)
    assert "vault/backup/home becomes vault/backup/tank/home" in done.stdout and "--yes" in done.stderr
    world.run("repair", "tank/home", "--take-over", "vault/backup/home", "--yes", check=0)
    assert 0 < sent(world) < 1 << 20
    assert not world.is_on()
    with world.vault():
        all_there("vault/backup/tank/home")
        assert "vault/backup/home" not in zfs("list", "-H", "-o", "name", "-r", "vault").split()
        for name in ("", "/a"):
            got = zfs("get", "-H", "-o", "value", "readonly,canmount", "vault/backup/tank/home" + name).split()
            assert got == ["on", "noauto"], (name, got)
    # What is not a copy of it is left alone.
    with world.vault():
        zfs("create", "vault/backup/other")
        zfs("snapshot", "vault/backup/other@x")
    done = world.run("repair", "tank/home/a", "--take-over", "vault/backup/other", "--yes", check=3)
    assert "is no copy of 'tank/home/a'" in done.stderr


def test_zrepl_s_and_zfs_replicate_s_target(world):
    """Both lie where ours would: the path of the source below a dataset.  Their holds stay."""
    tree(world)
    zfs("snapshot", "-r", "tank/home@zrepl_20261101_120000_000")
    with world.vault():
        zfs("create", "-o", "zrepl:placeholder=on", "-o", "mountpoint=none", "vault/backup/tank")
        for name in ("", "/a", "/v"):
            stream = subprocess.Popen(
                ["zfs", "send", f"tank/home{name}@zrepl_20261101_120000_000"], stdout=subprocess.PIPE
            )
            sh("zfs", "receive", "-u", "-s", f"vault/backup/tank/home{name}", stdin=stream.stdout)
            assert stream.wait() == 0
            zfs("hold", "zrepl_last_received_J_push", f"vault/backup/tank/home{name}@zrepl_20261101_120000_000")
    changed(world)
    world.write_config(world.host_key, snapshots="")
    assert 0 < sent(world) < 1 << 20
    with world.vault():
        all_there("vault/backup/tank/home")
        assert "zrepl_last_received_J_push" in zfs("holds", "-H", "vault/backup/tank/home/a@zrepl_20261101_120000_000")
