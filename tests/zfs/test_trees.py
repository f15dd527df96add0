"""Everything that ZFS allows in a tree, there and back by GUID; then what goes wrong, and the next run."""

import json
import os
import signal
import subprocess
import time

import zfs_core
from conftest import guids, sh, write_to, zfs


def equal(world, root="tank/home"):
    with world.vault():
        assert guids(root) == guids(f"vault/backup/{root}", "vault/backup/")


def errors(done):
    return {d["dataset"]: d.get("error") for d in json.loads(done.stdout)["datasets"]}


def test_everything_zfs_allows(world):
    zfs("create", "-p", "tank/home/" + "/".join(f"d{n}" for n in range(25)))
    zfs_core.create([f"tank/home/flat{n}" for n in range(10)])
    zfs("mount", "-a")
    zfs("create", "tank/home/with blank:and.dots-_ x")
    zfs("create", "-V", "8M", "tank/home/vol ume")
    zfs("create", "tank/home/empty")
    key = world.folder / "key"
    key.write_text("correct horse battery")
    zfs("create", "-o", "encryption=on", "-o", "keyformat=passphrase", "-o", f"keylocation=file://{key}", "tank/home/secret")
    zfs("create", "tank/home/secret/child")
    # Names of files may hold any byte but '/' and NUL.
    folder = os.fsencode(world.folder / "mnt/home/flat0")
    for byte in range(1, 256):
        if byte != ord("/"):
            with open(folder + b"/f" + bytes([byte]), "wb") as f:
                f.write(bytes([byte]))
    (world.folder / "mnt/home/secret/child/letter").write_text("secret\n")
    zfs("create", "tank/home/many")
    for k in range(60):
        zfs_core.snapshot([f"tank/home/many@n{k}"])
    zfs("set", f"quota={64 << 20}", "tank/home/flat1")
    world.run("backup", "safe", check=0, timeout=900)
    equal(world)

    for byte in range(1, 256, 7):
        if byte != ord("/"):
            os.unlink(folder + b"/f" + bytes([byte]))
    (world.folder / "mnt/home/secret/child/letter").write_text("changed\n")
    zfs("snapshot", "-r", "tank/home@later")
    world.run("backup", "safe", check=0, timeout=900)
    equal(world)
    with world.vault():
        def get(prop, name):
            return zfs("get", "-H", "-o", "value", prop, "vault/backup/tank/home/" + name).strip()

        assert get("encryption", "secret/child") == "aes-256-gcm" and get("keystatus", "secret/child") == "unavailable"
        assert get("quota", "flat1") == "none"
        assert get("readonly", "vol ume") == "on" and get("canmount", "flat3") == "noauto"
        sh("zpool", "set", "cachefile=none", "vault")
        mount = world.folder / "look"
        mount.mkdir()
        sh("mount", "-t", "zfs", "-o", "ro", "vault/backup/tank/home/flat0@later", mount)
        left = sorted(os.listdir(os.fsencode(mount)))
        sh("umount", mount)
    assert left == sorted(os.listdir(folder))


def two(world):
    zfs("create", "tank/home")
    zfs("create", "tank/home/a")
    zfs("create", "tank/home/b")
    (world.folder / "mnt/home/a/x").write_text("a")
    zfs("snapshot", "-r", "tank/home@one")
    world.write_config(world.host_key, snapshots="")


def test_changed_behind_our_back(world):
    two(world)
    world.run("backup", "safe", check=0)
    with world.vault():
        # Once by a snapshot of the target's own, once by writing to it.
        zfs("snapshot", "vault/backup/tank/home/b@foreign")
        write_to(world.folder, "vault/backup/tank/home/a")
    # With nothing new to send it is noticed too, before it stands in the way.
    found = errors(world.run("backup", "--json", "safe", check=1))
    assert found["tank/home"] is None and "@foreign" in found["tank/home/b"]["why"]
    assert "written to it since" in found["tank/home/a"]["why"] and "dormouse repair" in found["tank/home/a"]["hint"]
    (world.folder / "mnt/home/a/x").write_text("b")
    zfs("snapshot", "-r", "tank/home@two")
    found = errors(world.run("backup", "--json", "safe", check=1))
    assert found["tank/home"] is None
    assert found["tank/home/b"]["kind"] == "conflict" and "@foreign" in found["tank/home/b"]["why"]
    assert "dormouse repair" in found["tank/home/b"]["hint"]
    assert found["tank/home/a"]["kind"] == "conflict" and "changed" in found["tank/home/a"]["why"]
    with world.vault():
        assert "foreign" in guids("vault/backup/tank/home/b")["vault/backup/tank/home/b"]
        zfs("destroy", "vault/backup/tank/home/b@foreign")
        zfs("rollback", "vault/backup/tank/home/a@one")
    assert "2 of 3 datasets are NOT safe" in world.run("status", check=1).stdout
    world.run("backup", "safe", check=0)
    equal(world)


def test_target_fills_up(world):
    two(world)
    zfs("create", "tank/home/z")
    with world.vault():
        zfs("create", "-o", "mountpoint=" + str(world.folder / "fill"), "vault/fill")
        with open(world.folder / "fill/x", "wb") as f:
            f.write(os.urandom(60 << 20))
    with open(world.folder / "mnt/home/z/big", "wb") as f:
        f.write(os.urandom(90 << 20))
    zfs("snapshot", "-r", "tank/home@two")
    # It is known beforehand, and not begun; the others are not held up by it.
    done = world.run("backup", "--json", "safe", check=1, timeout=600)
    found = errors(done)
    assert found["tank/home/z"]["kind"] == "full" and "its stream is of 9" in found["tank/home/z"]["why"]
    assert found["tank/home"] is None and found["tank/home/a"] is None and found["tank/home/b"] is None
    with world.vault():
        assert "vault/backup/tank/home/z" not in zfs("list", "-H", "-o", "name")
    # Now without looking ahead, until there is no room in the midst of it.
    world.write_config(world.host_key, snapshots="", more="  space_check = false\n")
    done = world.run("backup", "--json", "safe", check=1, timeout=600)
    found = errors(done)
    assert found["tank/home/z"]["kind"] == "full" and "make room" in found["tank/home/z"]["hint"]
    assert found["tank/home"] is None and found["tank/home/a"] is None and found["tank/home/b"] is None
    # What is new elsewhere goes first, and takes the room of what could not be finished.
    with open(world.folder / "mnt/home/a/x", "wb") as f:
        f.write(os.urandom(25 << 20))
    zfs("snapshot", "-r", "tank/home@three")
    done = world.run("backup", "--json", "safe", check=1, timeout=600)
    found = errors(done)
    assert found["tank/home/z"]["kind"] == "full" and found["tank/home/a"] is None, done.stdout
    with world.vault():
        zfs("destroy", "vault/fill")
    world.run("backup", "safe", check=0, timeout=600)
    equal(world)


def sessions(world):
    """The children of the archiver's sshd: what a cut network takes along."""
    pid = (world.machine_dir / "sshd.pid").read_text().strip()
    return [int(p) for p in sh("pgrep", "-P", pid, check=False).stdout.split()]


def test_cut_in_the_middle(world):
    two(world)
    with open(world.folder / "mnt/home/a/big", "wb") as f:
        f.write(os.urandom(80 << 20))
    zfs("snapshot", "-r", "tank/home@two")
    run = world.start("backup", "safe")
    until = time.monotonic() + 120
    cut = False
    while run.poll() is None and not cut:
        assert time.monotonic() < until
        listing = sh("zfs", "list", "-Hp", "-o", "used", "vault/backup/tank/home/a/%recv", check=False)
        used = sh("zfs", "list", "-Hp", "-o", "used", "vault/backup/tank/home/a", check=False).stdout.strip()
        if listing.returncode == 0 or (used.isdigit() and int(used) > 10 << 20):
            for pid in sessions(world):
                os.kill(pid, signal.SIGKILL)
            cut = True
        time.sleep(0.1)
    out, err = run.communicate(timeout=300)
    assert cut, "it was too fast to be cut"
    # It looked again, found what had arrived, and went on.
    assert run.returncode == 0, err
    assert "the connection" in err or "cut off" in err, err
    equal(world)


def test_two_at_once(world):
    two(world)
    world.settings["delay"] = 5
    world.save_settings()
    first = world.start("backup", "safe")
    time.sleep(4)
    second = world.run("backup", "safe", check=4)
    assert "is running already" in second.stderr and "hint:" in second.stderr
    assert first.wait(300) == 0


def test_no_such_pool_and_no_such_source(world):
    two(world)
    world.config.write_text(world.config.read_text().replace("vault/backup", "nirvana/backup"))
    done = world.run("backup", "safe", check=2)
    assert "nirvana" in done.stderr and "hint:" in done.stderr
    assert not world.is_on()
    world.config.write_text(world.config.read_text().replace("tank/home", "tank/none"))
    done = world.run("backup", "safe", check=2)
    assert "'tank/none' is not there on this host" in done.stderr
    assert not world.is_on()


def test_killed_at_any_time(world):
    two(world)
    world.run("backup", "safe", check=0)
    for n, pause in enumerate((0.5, 2, 4, 7, 10, 13)):
        (world.folder / "mnt/home/a/x").write_text(str(n))
        zfs("snapshot", "-r", f"tank/home@k{n}")
        run = world.start("backup", "safe")
        time.sleep(pause)
        run.kill()
        run.wait()
    until = time.monotonic() + 60
    while world.is_on() and time.monotonic() < until:
        time.sleep(0.2)
    assert not world.is_on()
    world.run("backup", "safe", check=0)
    equal(world)
    assert "died on the way" in world.run("history", check=0).stdout


def test_plan_is_a_function(world):
    two(world)
    world.write_config(world.host_key)
    world.run("backup", "safe", check=0)
    zfs("snapshot", "-r", "tank/home@two")
    seen = world.folder / "seen.json"
    seen.write_text(world.run("observe", "safe", check=0).stdout)
    here = world.run("plan", "--observed", str(seen), "--now", "2027-01-01T00:00:00Z", "safe", check=0).stdout
    assert "snapshot  @zfs-auto-snap_frequent-2027-01-01-00h00U of 3 datasets" in here
    assert "sleeps; this is as it was at" in here
    zfs("destroy", "-r", "tank/home@two")
    again = world.run("plan", "--observed", str(seen), "--now", "2027-01-01T00:00:00Z", "safe", check=0).stdout
    assert here == again
    assert world.run("plan", "safe").stdout != here
    assert json.loads(world.run("plan", "--json", "--wake", "safe", check=0).stdout)["conflicts"] == []


def test_on_one_host(world):
    """No machine at all: from pool to pool."""
    zfs("create", "tank/home")
    zfs("create", "tank/home/skip")
    zfs("create", "tank/home/a")
    zfs("snapshot", "-r", "tank/home@one")
    world.config.write_text(
        'backup "local" {\n  source = "tank/home"\n  destination = "tank/copies"\n  exclude = ["tank/home/sk*"]\n}\n'
    )
    world.run("backup", check=0)
    want = {k: v for k, v in guids("tank/home").items() if "skip" not in k}
    assert guids("tank/copies/tank/home", "tank/copies/") == want


def test_clones_share_there_too(world):
    zfs("create", "tank/home")
    zfs("create", "tank/home/b")
    (world.folder / "mnt/home/b/big").write_bytes(os.urandom(24 << 20))
    zfs("snapshot", "tank/home/b@golden")
    zfs("clone", "tank/home/b@golden", "tank/home/a")  # sorts before its origin
    (world.folder / "mnt/home/a/own").write_bytes(os.urandom(1 << 20))
    zfs("create", "tank/home/a/below")
    zfs("snapshot", "-r", "tank/home@one")
    zfs("clone", "tank/home/a@one", "tank/home/c")
    zfs("snapshot", "-r", "tank/home@two")
    world.write_config(world.host_key, snapshots="")
    assert "as a clone of tank/home/b@golden" in world.run("plan", "safe", check=0).stdout
    done = json.loads(world.run("backup", "safe", "--json", check=0).stdout)
    assert int(done["bytes"]) < 40 << 20, done
    with world.vault():
        assert guids("tank/home") == guids("vault/backup/tank/home", "vault/backup/")
        origin = zfs("get", "-H", "-o", "value", "origin", "vault/backup/tank/home/a").strip()
        assert origin == "vault/backup/tank/home/b@golden"
        origin = zfs("get", "-H", "-o", "value", "origin", "vault/backup/tank/home/c").strip()
        assert origin == "vault/backup/tank/home/a@one"
    # Promoted: what was the clone is the origin now.
    zfs("promote", "tank/home/a")
    (world.folder / "mnt/home/a/own").write_bytes(os.urandom(1 << 20))
    zfs("snapshot", "-r", "tank/home@three")
    done = json.loads(world.run("backup", "safe", "--json", check=0).stdout)
    assert int(done["bytes"]) < 4 << 20, done
    with world.vault():
        here, there = guids("tank/home"), guids("vault/backup/tank/home", "vault/backup/")
        assert {d: s["three"] for d, s in here.items()} == {d: s["three"] for d, s in there.items()}


def test_a_stand_in_gives_way(world):
    zfs("create", "tank/home")
    zfs("create", "tank/home/a")
    world.write_config(world.host_key, snapshots="")
    zfs("snapshot", "tank/home/a@one")
    assert "no snapshot" in world.run("backup", "safe", check=1).stderr
    zfs("snapshot", "-r", "tank/home@two")
    world.run("backup", "safe", check=0)
    with world.vault():
        assert guids("tank/home") == guids("vault/backup/tank/home", "vault/backup/")
        assert zfs("get", "-H", "-o", "value", "dormouse:placeholder", "vault/backup/tank/home").strip() == "vault/backup/tank"
    zfs("snapshot", "-r", "tank/home@three")
    world.run("backup", "safe", check=0)


def test_a_stand_in_comes_between(world):
    for name in ("", "/none", "/none/a", "/off", "/off/deep", "/off/deep/b"):
        zfs("create", f"tank/home{name}")
    zfs("set", "dormouse:backup=off", "tank/home/off")
    zfs("set", "dormouse:backup=on", "tank/home/off/deep/b")
    for name in ("tank/home", "tank/home/none/a", "tank/home/off/deep/b"):
        zfs("snapshot", f"{name}@one")
    world.write_config(world.host_key, snapshots="")
    done = json.loads(world.run("backup", "--json", "safe", check=1).stdout)
    assert {d["dataset"] for d in done["datasets"] if d["proven"]} == {
        "tank/home", "tank/home/none/a", "tank/home/off/deep/b"}, done  # fmt: skip
    with world.vault():
        stands = zfs("get", "-H", "-r", "-t", "filesystem", "-s", "local", "-o", "name", "dormouse:placeholder", "vault/backup")
        assert stands.split() == ["vault/backup/tank", "vault/backup/tank/home/none", "vault/backup/tank/home/off",
                                  "vault/backup/tank/home/off/deep"]  # fmt: skip
    zfs("snapshot", "tank/home/none@two")
    world.run("backup", "safe", check=0)


def test_repairs(world):
    for name in ("", "/diverged", "/diverged/below", "/other", "/changed"):
        zfs("create", f"tank/home{name}")
    world.write_config(world.host_key, snapshots="")
    zfs("snapshot", "-r", "tank/home@one")
    world.run("backup", "safe", check=0)
    with world.vault():
        zfs("snapshot", "vault/backup/tank/home/diverged@theirs")
        write_to(world.folder, "vault/backup/tank/home/changed")
    world_holds = zfs("holds", "-H", "tank/home/other@one").split("\t")
    zfs("release", world_holds[1], "tank/home/other@one")
    zfs("destroy", "-r", "tank/home/other")
    zfs("create", "tank/home/other")
    zfs("snapshot", "-r", "tank/home@two")
    done = world.run("backup", "safe", check=1)
    assert done.stderr.count("dormouse repair") == 3, done.stderr
    # Without an answer nothing happens; what would be lost is said before.
    done = world.run("repair", "tank/home/diverged", "--rollback-target", check=3)
    assert "@theirs" in done.stdout and "--yes" in done.stderr
    world.run("repair", "tank/home/diverged", "--keep-both", "--yes", check=0)
    world.run("repair", "tank/home/changed", "--rollback-target", "--yes", check=0)
    world.run("repair", "tank/home/other", "--rollback-target", "--yes", check=3)
    world.run("repair", "tank/home/other", "--keep-both", "--yes", check=0)
    assert "nothing to repair" in world.run("repair", "tank/home/changed", "--keep-both", "--yes", check=0).stdout
    world.run("backup", "safe", check=0)
    assert not world.is_on()
    with world.vault():
        there = guids("vault/backup/tank/home", "vault/backup/")
        for dataset, snaps in guids("tank/home").items():
            assert snaps.items() <= there[dataset].items(), dataset
        kept = [d for d in there if "-kept-" in d]
        assert len(kept) == 2 and any("theirs" in there[d] for d in kept)
        assert set(there["tank/home/diverged/below"]) == {"one", "two"}


def test_encrypted_and_not_in_one_tree(world):
    key = world.folder / "key"
    key.write_text("0123456789abcdef" * 4)
    zfs("create", "tank/home")
    zfs("create", "-o", "encryption=on", "-o", "keyformat=hex", "-o", f"keylocation=file://{key}", "tank/home/secret")
    for name, encryption in (("plain", "off"), ("plain/inner", "on"), ("none", "on"), ("none/plain", "off"), ("child", "on")):
        more = ["-o", "keyformat=hex", "-o", f"keylocation=file://{key}"] if name == "plain/inner" else []
        zfs("create", "-o", f"encryption={encryption}", *more, f"tank/home/secret/{name}")
    for name in ("", "/secret", "/secret/plain", "/secret/plain/inner", "/secret/none/plain", "/secret/child"):
        (world.folder / f"mnt/home{name}/file").write_bytes(os.urandom(64 << 10))
        zfs("snapshot", f"tank/home{name}@one")
    world.write_config(world.host_key, snapshots="")
    found = errors(world.run("backup", "--json", "safe", check=1))
    assert [d for d, e in found.items() if e] == ["tank/home/secret/none"], found

    def off(root):
        said = zfs("get", "-H", "-r", "-t", "filesystem", "-o", "name,value", "encryption", root)
        return {line.split("\t")[0].removeprefix(root) for line in said.splitlines() if line.endswith("\toff")}

    with world.vault():
        assert off("vault/backup/tank/home/secret") == {"/plain", "/none", "/none/plain"}
    for name in ("", "/secret", "/secret/plain", "/secret/plain/inner", "/secret/none/plain", "/secret/child"):
        zfs("snapshot", f"tank/home{name}@two")
    world.run("backup", "safe", check=1)
    with world.vault():
        there = guids("vault/backup/tank/home", "vault/backup/")
        assert all(there[d] == snaps for d, snaps in guids("tank/home").items() if snaps)
    # And back, before any key is loaded.
    world.run("restore", "tank/home/secret", "--recursive", "--to", "tank/back", check=0)
    assert off("tank/back") == {"/plain", "/none", "/none/plain"}
    zfs("mount", "tank/back/plain")
    assert (world.folder / "mnt/back/plain/file").read_bytes() == (world.folder / "mnt/home/secret/plain/file").read_bytes()


def test_a_rename_that_cannot_be_followed_is_said(world):
    two(world)
    world.run("backup", "safe", check=0)
    zfs("create", "tank/home/new")
    (world.folder / "mnt/home/new/big").write_bytes(os.urandom(24 << 20))
    zfs("rename", "tank/home/a", "tank/home/new/a")
    zfs("snapshot", "-r", "tank/home@two")
    with world.vault():
        zfs("set", "quota=8M", "vault/backup")
    found = errors(world.run("backup", "--json", "safe", check=1))
    assert found["tank/home/new"]["kind"] == "full"
    assert "cannot rename" in found["tank/home/new/a"]["what"] and found["tank/home/new/a"]["hint"]
    with world.vault():
        zfs("set", "quota=none", "vault/backup")
    world.run("backup", "safe", check=0)
    equal(world)
    # What is new below it comes in the same run.
    zfs("rename", "tank/home/new/a", "tank/home/c")
    zfs("create", "-p", "tank/home/c/d/e")
    zfs("snapshot", "-r", "tank/home@three")
    world.run("backup", "safe", check=0)
    equal(world)


def test_what_is_set_aside_stays_so(world):
    key = world.folder / "key"
    key.write_text("0123456789abcdef" * 4)
    zfs("create", "tank/home")
    zfs("create", "tank/home/plain")
    zfs("create", "-o", "encryption=on", "-o", "keyformat=hex", "-o", f"keylocation=file://{key}", "tank/home/secret")
    zfs("create", "tank/home/secret/child")
    world.write_config(world.host_key, snapshots="")
    zfs("snapshot", "-r", "tank/home@one")
    world.run("backup", "safe", check=0)
    with world.vault():
        write_to(world.folder, "vault/backup/tank/home/plain")
        zfs("snapshot", "vault/backup/tank/home/secret@theirs")
    # All that the first has, the source has too; the second is received raw, where no stand-in may be.
    world.run("repair", "tank/home/plain", "--keep-both", "--yes", check=0)
    done = world.run("repair", "tank/home/secret", "--keep-both", "--yes", check=0)
    assert "secret/child goes along" in done.stdout
    child = guids("tank/home/secret/child")
    for _ in range(2):
        world.run("backup", "safe", check=0)
        with world.vault():
            there = guids("vault/backup/tank/home", "vault/backup/")
            for dataset, snaps in guids("tank/home").items():
                assert snaps.items() <= there[dataset].items(), dataset
            kept = sorted(d.split("-kept-")[0] for d in there if "-kept-" in d)
            assert kept == ["tank/home/plain", "tank/home/secret"] and child.items() <= there.items()


def test_encrypted_and_cut_goes_on(world):
    key = world.folder / "key"
    key.write_text("0123456789abcdef" * 4)
    zfs("create", "-o", "encryption=on", "-o", "keyformat=hex", "-o", f"keylocation=file://{key}", "tank/home")
    (world.folder / "mnt/home/big").write_bytes(os.urandom(80 << 20))
    world.write_config(world.host_key, snapshots="")
    zfs("snapshot", "tank/home@s")
    run = world.start("backup", "safe")
    until = time.monotonic() + 60
    while time.monotonic() < until and run.poll() is None:
        done = sh("zfs", "get", "-Hp", "-o", "value", "used", "vault/backup/tank/home", check=False).stdout.strip()
        if done.isdigit() and int(done) > 30 << 20:
            break
        time.sleep(0.05)
    run.kill()
    run.wait()
    done = json.loads(world.run("backup", "safe", "--json", check=0).stdout)
    assert 0 < int(done["bytes"]) < 70 << 20, done["bytes"]
    with world.vault():
        assert guids("tank/home") == guids("vault/backup/tank/home", "vault/backup/")
