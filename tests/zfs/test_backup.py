"""A whole run on real pools, against an archiver that is off before and after."""

import json
import time

from conftest import guids, sh, zfs


def fill(world):
    zfs("create", "tank/home")
    zfs("create", "tank/home/docs")
    zfs("create", "-V", "16M", "tank/home/disk")
    (world.folder / "mnt/home/docs/letter").write_text("dear dormouse\n")


def test_first_and_second(world):
    fill(world)
    world.run("check", check=0)
    done = world.run("backup", "safe", check=0)
    assert "3 of 3 datasets" in done.stdout
    assert not world.is_on()
    with world.vault():
        assert guids("tank/home") == guids("vault/backup/tank/home", "vault/backup/")
        for line in zfs("get", "-Hp", "-o", "name,property,value", "-t", "filesystem,volume", "-r",
                        "readonly,com.sun:auto-snapshot", "vault/backup/tank/home").splitlines():  # fmt: skip
            name, prop, value = line.split("\t")
            assert value == {"readonly": "on", "com.sun:auto-snapshot": "false"}[prop], line
        assert zfs("get", "-Hp", "-o", "value", "canmount", "vault/backup/tank/home/docs").strip() == "noauto"
        assert zfs("get", "-Hp", "-o", "value", "dormouse:placeholder", "vault/backup/tank").strip() == "vault/backup/tank"

    (world.folder / "mnt/home/docs/letter").write_text("changed\n")
    zfs("snapshot", "-r", "tank/home@by-hand")
    world.run("backup", "safe", check=0)
    with world.vault():
        assert guids("tank/home") == guids("vault/backup/tank/home", "vault/backup/")
    # Held and bookmarked: the one that both have, and only that.
    assert "dormouse:safe" in zfs("holds", "-H", "tank/home/docs@by-hand")
    assert zfs("list", "-H", "-t", "bookmark", "-o", "name", "-r", "tank/home/docs").count("#dormouse_safe_") == 1
    first = [s for s in guids("tank/home")["tank/home"] if s != "by-hand"][0]
    assert zfs("holds", "-H", f"tank/home/docs@{first}") == ""

    status = json.loads(world.run("status", "--json", check=0).stdout)
    assert status["backups"][0]["proven"] == 3
    assert "all 3 datasets are restorable" in world.run("status", check=0).stdout
    assert world.run("history", check=0).stdout.count("done") == 2
