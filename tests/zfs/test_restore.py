"""Back from the archive: whole datasets, and files; and replication goes on afterwards."""

import hashlib
import json
import os
import shutil
import time

from conftest import guids, sh, zfs


def local(dataset):
    """What is set on the dataset itself."""
    lines = zfs("get", "-Hp", "-s", "local,received", "-o", "property,value", "all", dataset).splitlines()
    return dict(line.split("\t", 1) for line in lines)


def content(folder):
    """{path: (mode, owner, digest)} of all below."""
    found = {}
    for where, _, names in os.walk(os.fsencode(folder)):
        for name in names:
            path = os.path.join(where, name)
            status = os.lstat(path)
            with open(path, "rb") as f:
                digest = hashlib.sha256(f.read()).hexdigest()
            found[os.path.relpath(path, os.fsencode(folder))] = (status.st_mode, status.st_uid, digest)
    return found


def home_with_a_past(world):
    zfs("create", "-o", "compression=lz4", "-o", "com.example:note=it's \"quoted\"", "tank/home")
    zfs("create", "-o", "recordsize=16K", "-o", "atime=off", "tank/home/a")
    zfs("create", "-V", "8M", "tank/home/vol")
    home = world.folder / "mnt/home"
    (home / "a/deep").mkdir()
    for n in range(20):
        (home / "a/deep" / f"file {n}").write_bytes(os.urandom(1 << 14))
    os.chmod(home / "a/deep/file 1", 0o4711)
    os.chown(home / "a/deep/file 2", 12345, 54321)
    (home / "a/letter").write_text("first\n")
    with open(home / "a/sparse", "wb") as f:
        f.truncate(1 << 26)
        f.write(b"end")
    world.write_config(world.host_key, snapshots="")
    zfs("snapshot", "-r", "tank/home@monday")
    (home / "a/letter").write_text("second\n")
    zfs("snapshot", "-r", "tank/home@tuesday")
    world.run("backup", "safe", check=0)
    return home


def test_a_lost_tree_comes_back_and_goes_on(world):
    home = home_with_a_past(world)
    before, own, under = content(home), local("tank/home"), local("tank/home/a")
    for line in zfs("holds", "-H", "-r", "tank/home@tuesday").splitlines():
        snap, tag, _ = line.split("\t")
        zfs("release", tag, snap)
    zfs("destroy", "-r", "tank/home")
    # To another place first: nothing is mounted over anything, and what belongs to the old place is only said.
    zfs("create", "tank/rescue")
    done = world.run("restore", "tank/home/a@monday", "--to", "tank/rescue/a", check=0)
    assert "tank/rescue/a has @monday" in done.stdout and "1 dataset restored" in done.stdout
    there = local("tank/rescue/a")
    assert there["recordsize"] == "16384" and there["atime"] == "off" and there["canmount"] == "noauto"
    zfs("mount", "tank/rescue/a")
    assert (world.folder / "mnt/rescue/a/letter").read_text() == "first\n"
    # One that was killed before all was put back is finished by the next.
    zfs("set", "dormouse:restoring=tank/rescue/a", "recordsize=128K", "tank/rescue/a")
    world.run("restore", "tank/home/a@monday", "--to", "tank/rescue/a", check=0)
    there = local("tank/rescue/a")
    assert there["recordsize"] == "16384" and "dormouse:restoring" not in there
    # Again: it is there.  Something else by that name: never written over.
    assert "already" in world.run("restore", "tank/home/a@monday", "--to", "tank/rescue/a", check=0).stdout
    done = world.run("restore", "tank/home/a@tuesday", "--to", "tank/rescue/a", check=2)
    assert "nothing is restored over it" in done.stderr and "hint:" in done.stderr
    # To its own place: as it was.
    done = world.run("restore", "tank/home", "--recursive", "--to", "tank/home", "--json", check=0)
    assert json.loads(done.stdout)["restored"] == 3
    assert not world.is_on()
    with world.vault():
        copies = guids("vault/backup/tank/home", "vault/backup/")
    assert {d: {"tuesday"} for d in copies} == {d: set(s) for d, s in guids("tank/home").items()}
    assert local("tank/home") == own and local("tank/home/a") == under
    for dataset in ("tank/home", "tank/home/a"):
        zfs("mount", dataset)
    assert content(home) == before
    assert zfs("get", "-Hp", "-o", "value", "volsize", "tank/home/vol").strip() == str(8 << 20)
    # And replication goes on from there, incrementally.
    (home / "a/letter").write_text("third\n")
    zfs("snapshot", "-r", "tank/home@wednesday")
    done = json.loads(world.run("backup", "safe", "--json", check=0).stdout)
    assert int(done["bytes"]) < 1 << 19, done
    with world.vault():
        now = guids("vault/backup/tank/home", "vault/backup/")
    for dataset, snaps in guids("tank/home").items():
        assert snaps.items() <= now[dataset].items() and set(now[dataset]) == {"monday", "tuesday", "wednesday"}


def test_a_volume_is_as_large_as_its_snapshot(world):
    zfs("create", "tank/home")
    zfs("create", "-b", "16K", "-V", "16M", "tank/home/vol")
    world.write_config(world.host_key, snapshots="")
    zfs("snapshot", "-r", "tank/home@large")
    zfs("set", "volsize=8M", "tank/home/vol")
    zfs("snapshot", "-r", "tank/home@small")
    world.run("backup", "safe", check=0)

    def of(name):
        said = zfs("get", "-Hp", "-o", "value", "volsize,volblocksize,refreservation", name).split()
        return [int(n) for n in said]

    with world.vault():
        assert of("vault/backup/tank/home/vol") == [8 << 20, 16 << 10, 0]
    for snapshot, size in (("large", 16 << 20), ("small", 8 << 20)):
        done = world.run("restore", f"tank/home/vol@{snapshot}", "--to", f"tank/{snapshot}", check=0)
        assert "cannot set" not in done.stderr, done.stderr
        assert of(f"tank/{snapshot}") == [size, 16 << 10, of("tank/home/vol")[2]]


def test_files(world):
    home = home_with_a_past(world)
    assert "tank/home/a: 2 snapshots" in world.run("list", check=0).stdout
    assert "tank/home/a@monday" in world.run("list", "tank/home/a", check=0).stdout
    assert world.run("cat", "tank/home/a@monday:/letter", check=0).stdout == "first\n"
    assert world.run("cat", "tank/home/a:/letter", check=0).stdout == "second\n"
    listing = world.run("ls", "tank/home/a@monday:/deep", check=0).stdout
    assert "file 19" in listing and "-rws--x--x" in listing
    found = world.run("find", "tank/home/a@monday:/deep", "*1?", check=0).stdout.splitlines()
    assert sorted(found) == sorted(f"/deep/file {n}" for n in range(10, 20))
    out = world.folder / "out"
    out.mkdir()
    world.run("restore", "tank/home/a@tuesday:/", "--to", str(out), check=0)
    assert content(out) == content(home / "a")
    assert os.stat(out / "sparse").st_blocks * 512 < 1 << 20
    # What became of them.
    os.rename(home / "a/deep", home / "a/deeper")
    os.unlink(home / "a/deeper/file 3")
    os.rename(home / "a/deeper/file 4", home / "a/file\n4")
    (home / "a/deeper/file 5").write_text("changed")
    os.chmod(home / "a/deeper/file 6", 0o600)
    (home / "a/new").write_text("n")
    zfs("snapshot", "-r", "tank/home@wednesday")
    world.run("backup", "safe", check=0)
    assert world.run("diff", "tank/home/a@monday", "@tuesday", check=0).stdout == "M /letter\n"
    assert world.run("diff", "tank/home/a@tuesday", check=0).stdout.splitlines() == [
        "R /deep/ -> /deeper/", "- /deep/file 3", "R /deep/file 4 -> /file\\0124", "- /deep/file 5",
        "R /deep/file 6 -> /deeper/file 6", "+ /deeper/file 5", "+ /new"]  # fmt: skip
    assert len(json.loads(world.run("diff", "--json", "tank/home/a@monday:/deep", check=0).stdout)) > 10
    done = world.run("diff", "tank/home/a@monday", "@never", check=2)
    assert "does not exist" in done.stderr
    # Nothing is replaced, and what is not there is said.
    done = world.run("restore", "tank/home/a@monday:/letter", "--to", str(out), check=2)
    assert "cannot unpack" in done.stderr and (out / "letter").read_text() == "second\n"
    for command in (["cat"], ["restore", "--to", str(out)]):
        done = world.run(*command, "tank/home/a@monday:/nirvana", check=2)
        assert "no such file" in done.stderr and "unpack" not in done.stderr
    done = world.run("cat", "tank/home/a@sunday:/letter", check=2)
    assert "does not exist" in done.stderr and not done.stdout
    world.run("cat", "tank/home/a:/../../etc/passwd", check=3)
    world.run("cat", "tank/other@x:/y", check=3)
    os.symlink("/etc/hostname", home / "a/link")
    os.symlink("/etc", home / "a/etc")
    (home / "a/end\n").write_text("of a line\n")
    zfs("snapshot", "tank/home/a@thursday")
    world.run("backup", "safe", check=0)
    assert "outside of the snapshot" in world.run("cat", "tank/home/a:/link", check=2).stderr
    # What the archiver itself has by that name is not in the archive.
    for command, more in (("ls", ()), ("find", ()), ("restore", ("--to", str(out)))):
        done = world.run(command, "tank/home/a:/etc/hostname", *more, check=2)
        assert "outside of the snapshot" in done.stderr and not done.stdout and not (out / "hostname").exists()
    world.run("restore", "tank/home/a:/end\n", "--to", str(out), check=0)
    assert (out / "end\n").read_text() == "of a line\n"
    # Nothing stays mounted there, or on.
    assert not world.is_on()
    assert "vault" not in sh("cat", "/proc/mounts").stdout


def test_encrypted_and_cut_off(world):
    key = world.folder / "key"
    key.write_text("correct horse battery")
    zfs("create", "-o", "encryption=on", "-o", "keyformat=passphrase", "-o", f"keylocation=file://{key}", "tank/home")
    (world.folder / "mnt/home/big").write_bytes(os.urandom(40 << 20))
    digest = content(world.folder / "mnt/home")
    world.write_config(world.host_key, snapshots="")
    zfs("snapshot", "tank/home@s")
    world.run("backup", "safe", check=0)
    # Killed in the middle, twice; then it goes on from where it was.
    for _ in range(2):
        run = world.start("restore", "tank/home@s", "--to", "tank/back")
        until = time.monotonic() + 60
        while time.monotonic() < until and run.poll() is None:
            if "tank/back" in zfs("list", "-H", "-o", "name") and int(zfs("get", "-Hp", "-o", "value", "used", "tank/back")) > 4 << 20:
                break
            time.sleep(0.05)
        run.kill()
        run.wait()
    done = world.run("restore", "tank/home@s", "--to", "tank/back", check=0)
    assert "encrypted" in done.stdout
    zfs("load-key", "-L", f"file://{key}", "tank/back")
    zfs("mount", "tank/back")
    assert content(world.folder / "mnt/back") == digest


def test_everything_comes_back_to_an_empty_host(world):
    """From the file and the key alone: the pool is new, and nothing is remembered."""
    home = home_with_a_past(world)
    zfs("create", "tank/home/a/deeper")
    zfs("set", "dormouse:backup=off", "tank/home/vol")
    zfs("snapshot", "-r", "tank/home@wednesday")
    world.run("backup", "safe", check=0)
    before, own, under, there = content(home), local("tank/home"), local("tank/home/a"), guids("tank/home")
    sh("zpool", "destroy", "-f", "tank")
    done = world.run("recover", check=2)
    assert "tank" in done.stderr and "hint:" in done.stderr
    shutil.rmtree(world.folder / "state")
    image = world.folder / "tank.img"
    image.unlink()
    sh("truncate", "-s", "256M", image)
    sh("zpool", "create", "-O", f"mountpoint={world.folder}/mnt", "tank", image)
    # Killed on the way, and once more.
    run = world.start("recover")
    until = time.monotonic() + 60
    while time.monotonic() < until and run.poll() is None and "tank/home/a" not in zfs("list", "-H", "-o", "name"):
        time.sleep(0.02)
    run.kill()
    run.wait()
    world.run("recover", check=0)
    assert "0 datasets restored" in world.run("recover", check=0).stdout
    # What is somebody else's is left, and that is no success.
    zfs("rename", "tank/home/a/deeper", "tank/deeper")
    zfs("create", "tank/home/a/deeper")
    assert "is left as it is" in world.run("recover", check=1).stderr
    zfs("destroy", "tank/home/a/deeper")
    zfs("rename", "tank/deeper", "tank/home/a/deeper")
    now = guids("tank/home")
    assert now.keys() == there.keys()
    for dataset, snaps in there.items():
        # What was left out of the backup then had no later snapshots there.
        assert now[dataset] == ({k: v for k, v in snaps.items() if k != "wednesday"} if "vol" in dataset else snaps)
    assert local("tank/home") == own and local("tank/home/a") == under
    for dataset in ("tank/home", "tank/home/a", "tank/home/a/deeper"):
        zfs("mount", dataset)
    assert content(home) == before
    # And replication goes on from there.
    (home / "a/letter").write_text("third\n")
    zfs("snapshot", "-r", "tank/home@thursday")
    done = json.loads(world.run("backup", "safe", "--json", check=0).stdout)
    assert int(done["bytes"]) < 1 << 19, done
