"""What ZFS, a target, or the way to it does wrong, each provoked for real: no run may call it a success, and what it
says must name the dataset, the cause and the way out."""

import hashlib
import json
import os
import pathlib
import shutil
import signal
import subprocess
import time

from conftest import guids, sh, zfs

ZFS = shutil.which("zfs")


def tree(world, *names):
    """tank/home and what is named below it, with a file each, and a first snapshot."""
    zfs("create", "tank/home")
    for name in names:
        zfs("create", f"tank/home/{name}")
        (world.folder / f"mnt/home/{name}/file").write_bytes(os.urandom(256 << 10))
    zfs("snapshot", "-r", "tank/home@one")
    world.write_config(world.host_key, snapshots="")


def fails(world, dataset, *words, code=1, kind=None, **more):
    """A run that fails with just that dataset, and says these words of it."""
    done = world.run("backup", "--json", "safe", check=code, **more)
    found = {d["dataset"]: d.get("error") for d in json.loads(done.stdout)["datasets"]}
    assert [d for d, e in found.items() if e] == [dataset], found
    error = found[dataset]
    text = " ".join(str(v) for v in error.values())
    for word in words:
        assert word in text, f"'{word}' is not said: {error}"
    assert error["hint"], error
    assert kind is None or error["kind"] == kind, error
    return error


def succeeds(world):
    done = world.run("backup", "safe", check=0)
    with world.vault():
        assert guids("tank/home").items() <= guids("vault/backup/tank/home", "vault/backup/").items()
    return done


def stays_on(world):
    world.config.write_text(world.config.read_text().replace("  ssh {", '  linger = "1h"\n  ssh {'))
    world.run("wake", "archiver", check=0)


def pretend(world, script):
    """A zfs command on the archiver that does what a script does, in place of the first receive."""
    folder = world.folder / "bin"
    folder.mkdir()
    (folder / "zfs").write_text(
        f'#!/bin/sh\nif [ "$1" = receive ] && mkdir {folder}/once 2>/dev/null; then\n{script}\nfi\nexec {ZFS} "$@"\n'
    )
    os.chmod(folder / "zfs", 0o755)
    with open(world.machine_dir / "sshd_config", "a") as f:
        f.write(f"SetEnv PATH={folder}:/usr/sbin:/usr/bin:/sbin:/bin\n")


def partial(snapshot, target, *options):
    """A stream that was cut in the middle, by hand."""
    stream = subprocess.run(["zfs", "send", "-L", "-c", "-e", *options, snapshot], stdout=subprocess.PIPE, check=True).stdout
    done = subprocess.run(["zfs", "receive", "-s", "-u", target], input=stream[: len(stream) // 2], check=False,
                          stderr=subprocess.PIPE)  # fmt: skip
    assert done.returncode != 0 and zfs("get", "-H", "-o", "value", "receive_resume_token", target).strip() != "-"


def content(world, dataset):
    """The digests of a copy's files, in its newest snapshot."""
    look = world.folder / "look"
    look.mkdir(exist_ok=True)
    newest = zfs("list", "-H", "-o", "name", "-t", "snapshot", "-d", "1", "-s", "createtxg", dataset).split()[-1]
    sh("mount", "-t", "zfs", "-o", "ro", newest, look)
    found = digests(look)
    sh("umount", look)
    return found


def digests(folder):
    return {p.name: hashlib.sha256(p.read_bytes()).hexdigest() for p in pathlib.Path(folder).iterdir() if p.is_file()}


def test_the_name_is_taken(world):
    tree(world, "a", "b")
    with world.vault():
        zfs("create", "-p", "-o", "readonly=on", "vault/backup/tank/home/a")
        zfs("snapshot", "vault/backup/tank/home/a@one")  # another GUID
    done = world.run("backup", "--json", "safe", check=1)
    found = {d["dataset"]: d.get("error") for d in json.loads(done.stdout)["datasets"]}
    assert "none of them" in found["tank/home/a"]["why"] and "--keep-both" in found["tank/home/a"]["hint"], found
    assert "without any snapshot" in found["tank/home"]["why"] and found["tank/home"]["hint"], found
    assert found["tank/home/b"] is None
    with world.vault():
        assert list(guids("vault/backup/tank/home/a").values())[0].keys() == {"one"}  # untouched


def test_the_stream_is_damaged(world):
    tree(world, "a")
    world.run("backup", "safe", check=0)
    (world.folder / "mnt/home/a/file").write_bytes(os.urandom(256 << 10))
    zfs("snapshot", "-r", "tank/home@two")
    # One byte in the midst of it; zfs receive notices, and the next try is whole.
    pretend(world, f'{{ head -c 200000; head -c 1 >/dev/null; printf "\\377"; cat; }} | {ZFS} "$@"\nexit')
    with open(world.folder / "mnt/home/file", "wb") as f:
        f.write(os.urandom(512 << 10))
    zfs("snapshot", "-r", "tank/home@three")
    done = world.run("backup", "safe")
    if done.returncode != 0:
        assert "dormouse:" in done.stderr
        succeeds(world)
    assert (world.folder / "bin/once").exists()
    with world.vault():
        assert guids("tank/home") == guids("vault/backup/tank/home", "vault/backup/")
        assert content(world, "vault/backup/tank/home") == digests(world.folder / "mnt/home")


def test_the_target_lies(world):
    tree(world, "a")
    pretend(world, "cat >/dev/null\nexit 0")
    # It takes the stream, says that all is well, and has nothing.
    done = world.run("backup", "--json", "safe")
    proven = {d["dataset"]: d.get("error") is None for d in json.loads(done.stdout)["datasets"]}
    with world.vault():
        there = guids("vault/backup", "vault/backup/")
    for dataset, said in proven.items():
        assert said == ("one" in there.get(dataset, {})), (dataset, done.stdout)
    assert (done.returncode == 0) == all(proven.values())
    succeeds(world)


def test_a_feature_is_missing(world):
    tree(world)
    zfs("create", "-o", "recordsize=1M", "tank/home/big")
    (world.folder / "mnt/home/big/file").write_bytes(os.urandom(4 << 20))
    zfs("snapshot", "-r", "tank/home@two")
    image = world.folder / "disks/vault.img"
    image.unlink()
    sh("truncate", "-s", "256M", image)
    sh("zpool", "create", "-o", "feature@large_blocks=disabled", "-O", "mountpoint=none", "vault", image)
    zfs("create", "vault/backup")
    sh("zpool", "export", "vault")
    fails(world, "tank/home/big", "lacks a feature", "dormouse doctor")
    done = world.run("doctor", check=1)
    said = [line.split("as root there: ")[1] for line in done.stdout.splitlines() if "as root there: " in line]
    assert any("feature@large_blocks" in s for s in said), done.stdout
    with world.vault():
        for command in said:
            sh(*command.split())
    world.run("doctor", check=0)
    succeeds(world)


def test_the_parent_is_locked(world):
    tree(world)
    key = world.folder / "key"
    key.write_text("0123456789abcdef" * 4)
    with world.vault():
        zfs("create", "-o", "encryption=on", "-o", "keyformat=hex", "-o", f"keylocation=file://{key}", "vault/locked")
    world.config.write_text(world.config.read_text().replace("vault/backup", "vault/locked"))
    done = world.run("backup", "safe", check=2)
    assert "encrypted" in done.stderr and "hint:" in done.stderr, done.stderr


def test_an_archive_with_a_key_of_its_own(world):
    """What is not encrypted is, there: nothing embedded in the stream may be in its way."""
    key = world.folder / "key"
    key.write_text("0123456789abcdef" * 4)
    tree(world, "a")
    with world.vault():
        zfs("create", "-o", "encryption=on", "-o", "keyformat=hex", "-o", f"keylocation=file://{key}", "vault/locked")
    world.config.write_text(world.config.read_text().replace("vault/backup", "vault/locked"))
    stays_on(world)
    zfs("load-key", "vault/locked")
    world.run("backup", "safe", check=0)
    (world.folder / "mnt/home/a/small").write_text("x")
    zfs("snapshot", "-r", "tank/home@two")
    world.run("backup", "safe", check=0)
    assert zfs("get", "-H", "-o", "value", "encryption", "vault/locked/tank/home/a").strip() != "off"
    assert guids("tank/home") == guids("vault/locked/tank/home", "vault/locked/")
    # And comes back as it was.
    world.run("restore", "tank/home", "--recursive", "--to", "tank/back", check=0)
    assert zfs("get", "-H", "-o", "value", "encryption", "tank/back/a").strip() == "off"
    zfs("mount", "tank/back/a")
    assert (world.folder / "mnt/back/a/small").read_text() == "x"


def test_it_was_received_otherwise(world):
    key = world.folder / "key"
    key.write_text("0123456789abcdef" * 4)
    tree(world)
    zfs("create", "-o", "encryption=on", "-o", "keyformat=hex", "-o", f"keylocation=file://{key}", "tank/home/secret")
    zfs("snapshot", "-r", "tank/home@two")
    with world.vault():
        zfs("create", "-p", "vault/backup/tank")
        sh("sh", "-c", "zfs send tank/home@two | zfs receive -u vault/backup/tank/home")
        sh("sh", "-c", "zfs send tank/home/secret@two | zfs receive -u vault/backup/tank/home/secret")
    zfs("snapshot", "-r", "tank/home@three")
    # Raw onto what is not encrypted would never fit: it goes on as it began.
    world.run("backup", "safe", check=0)
    with world.vault():
        assert zfs("get", "-H", "-o", "value", "encryption", "vault/backup/tank/home/secret").strip() == "off"
    # With the key unloaded that cannot be read, and there is no other way.
    zfs("unmount", "tank/home/secret")
    zfs("unload-key", "tank/home/secret")
    zfs("snapshot", "-r", "tank/home@four")
    fails(world, "tank/home/secret", "key")


def test_it_has_another_key_there(world):
    """An encrypted dataset that another tool sent in the clear, to below an encrypted one."""
    key = world.folder / "key"
    key.write_text("0123456789abcdef" * 4)
    encrypted = ("-o", "encryption=on", "-o", "keyformat=hex", "-o", f"keylocation=file://{key}")
    tree(world)
    zfs("create", *encrypted, "tank/home/secret")
    zfs("snapshot", "-r", "tank/home@two")
    with world.vault():
        zfs("create", *encrypted, "vault/backup/tank")
        sh("sh", "-c", "zfs send tank/home@two | zfs receive -u vault/backup/tank/home")
        sh("sh", "-c", "zfs send tank/home/secret@two | zfs receive -u vault/backup/tank/home/secret")
    zfs("snapshot", "tank/home/secret@three")
    # It goes on as it began; for that the target needs its own key, and has it not.
    fails(world, "tank/home/secret", "locked")
    stays_on(world)
    zfs("load-key", "-L", f"file://{key}", "vault/backup/tank")
    world.run("backup", "safe", check=0)
    world.run("sleep", "--force", "archiver", check=0)
    with world.vault():
        assert guids("tank/home/secret") == guids("vault/backup/tank/home/secret", "vault/backup/")


def test_a_quota_is_used_up(world):
    tree(world, "a")
    (world.folder / "mnt/home/a/big").write_bytes(os.urandom(24 << 20))
    zfs("snapshot", "-r", "tank/home@two")
    with world.vault():
        zfs("set", "quota=8M", "vault/backup")
    fails(world, "tank/home/a", "its stream is of 2", kind="full")
    world.write_config(world.host_key, snapshots="", more="  space_check = false\n")
    fails(world, "tank/home/a", kind="full")
    with world.vault():
        zfs("set", "quota=none", "vault/backup")
    succeeds(world)


def test_the_pool_is_read_only(world):
    tree(world)
    world.settings["import"] = ["-o", "readonly=on"]
    world.save_settings()
    done = world.run("backup", "safe", check=2)
    assert "read-only" in done.stderr and "hint:" in done.stderr, done.stderr
    assert not world.is_on()


def test_somebody_else_receives(world):
    tree(world, "a")
    world.run("backup", "safe", check=0)
    (world.folder / "mnt/home/a/file").write_bytes(os.urandom(4 << 20))
    zfs("snapshot", "-r", "tank/home@two")
    stays_on(world)
    stream = subprocess.run(["zfs", "send", "-i", "tank/home/a@one", "tank/home/a@two"], stdout=subprocess.PIPE, check=True).stdout
    with subprocess.Popen(["zfs", "receive", "-u", "vault/backup/tank/home/a"], stdin=subprocess.PIPE,
                          stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL) as other:  # fmt: skip
        other.stdin.write(stream[: len(stream) // 2])
        other.stdin.flush()
        time.sleep(2)
        fails(world, "tank/home/a", "busy", kind="busy")
        other.kill()
    world.run("sleep", "--force", "archiver", check=0)
    world.write_config(world.host_key, snapshots="")
    succeeds(world)


def test_tokens_that_fit_nothing(world):
    tree(world, "a", "b", "c")
    world.run("backup", "safe", check=0)
    for name in "abc":
        (world.folder / f"mnt/home/{name}/file").write_bytes(os.urandom(2 << 20))
    zfs("snapshot", "-r", "tank/home@two")
    with world.vault():
        # Its snapshot is gone; it belongs to another dataset; and one that is fine.
        partial("tank/home/a@two", "vault/backup/tank/home/a", "-i", "@one")
        partial("tank/home/c@two", "vault/backup/tank/home/c", "-i", "@one")
        zfs("rename", "vault/backup/tank/home/b", "vault/backup/tank/home/x")
        partial("tank/home/c@two", "vault/backup/tank/home/b")
    zfs("destroy", "tank/home/a@two")
    zfs("snapshot", "tank/home/a@three")
    plan = world.run("plan", "--wake", "safe").stdout
    assert "tank/home/c: the rest of @two" in plan and plan.count("give up ") == 2, plan
    assert "the snapshot of its partial receive is gone here" in plan, plan
    done = world.run("backup", "--json", "safe")
    with world.vault():
        here, there = guids("tank/home"), guids("vault/backup/tank/home", "vault/backup/")
    assert there["tank/home/a"] == {**there["tank/home/a"], **here["tank/home/a"]}, done.stdout
    assert there["tank/home/c"] == here["tank/home/c"]
    assert there["tank/home/b"] == here["tank/home/b"], (plan, done.stdout)


def test_a_token_grows_old(world):
    """What was cut off goes on after the look that read its token."""
    tree(world, "a")
    world.run("backup", "safe", check=0)
    (world.folder / "mnt/home/a/file").write_bytes(os.urandom(4 << 20))
    zfs("snapshot", "tank/home/a@two")
    with world.vault():
        partial("tank/home/a@two", "vault/backup/tank/home/a", "-i", "@one")
    rest = world.folder / "rest"
    pretend(world, f'cat >{rest}\nhead -c 1000000 {rest} | {ZFS} "$@" 2>/dev/null\nexec {ZFS} "$@" <{rest}')
    done = succeeds(world)
    assert (world.folder / "bin/once").exists()
    assert "the partial receive does not fit this stream" in done.stderr, done.stderr


def test_nothing_moves_any_more(world):
    tree(world, "a")
    (world.folder / "mnt/home/a/big").write_bytes(os.urandom(48 << 20))
    zfs("snapshot", "-r", "tank/home@two")
    run = world.start("backup", "safe", env={"DORMOUSE_STALL_MS": "4000"})
    stopped = []
    until = time.monotonic() + 120
    while run.poll() is None and not stopped:
        assert time.monotonic() < until
        used = sh("zfs", "list", "-Hp", "-o", "used", "vault/backup/tank/home/a", check=False).stdout.strip()
        if used.isdigit() and int(used) > 8 << 20:
            # The line stays, and nothing comes over it any more.
            stopped = [int(p) for p in sh("pgrep", "-f", "^zfs receive .*tank/home/a$", check=False).stdout.split()]
            for pid in stopped:
                os.kill(pid, signal.SIGSTOP)
        time.sleep(0.05)
    assert stopped, "it was too fast to be stopped"
    # It is given up after four seconds. Over there somebody has to end what is stuck; until then it is busy.
    time.sleep(8)
    for pid in stopped:
        os.kill(pid, signal.SIGKILL)
    out, err = run.communicate(timeout=300)
    assert run.returncode == 0, out + err
    assert "no byte and no answer for 4 s" in err, err
    succeeds(world)


def test_an_archive_without_large_blocks_is_taken_over(world):
    """Streams with -L onto what was received without: OpenZFS before 2.0 made zeros of it."""
    tree(world)
    zfs("create", "-o", "recordsize=1M", "-o", "compression=off", "tank/home/big")
    file = world.folder / "mnt/home/big/file"
    file.write_bytes(os.urandom(6 << 20))
    zfs("snapshot", "-r", "tank/home@two")
    with world.vault():
        zfs("create", "-p", "vault/backup/tank")
        sh("sh", "-c", "zfs send tank/home@two | zfs receive -u vault/backup/tank/home")
        sh("sh", "-c", "zfs send tank/home/big@two | zfs receive -u vault/backup/tank/home/big")
    with open(file, "r+b") as f:
        for at in (100, (1 << 20) + 7, (4 << 20) - 3):
            f.seek(at)
            f.write(b"changed")
    (world.folder / "mnt/home/big/new").write_bytes(os.urandom(3 << 20))
    zfs("snapshot", "-r", "tank/home@three")
    world.run("backup", "safe", check=0)
    with world.vault():
        assert content(world, "vault/backup/tank/home/big") == digests(world.folder / "mnt/home/big")


def test_the_pool_is_suspended(world):
    """Its device begins to fail in the midst of a stream: nothing may wait for it for ever."""
    tree(world, "a")
    (world.folder / "mnt/home/a/big").write_bytes(os.urandom(60 << 20))
    zfs("snapshot", "-r", "tank/home@two")
    disks = world.folder / "disks"
    sh("mount", "-t", "tmpfs", "-o", "size=24M", "small", disks)  # no more than that of it can be written
    try:
        sh("truncate", "-s", "256M", disks / "vault.img")
        sh("zpool", "create", "-o", "failmode=wait", "-O", "mountpoint=none", "vault", disks / "vault.img")
        zfs("create", "vault/backup")
        sh("zpool", "export", "vault")
        stays_on(world)
        began = time.monotonic()
        done = world.run("backup", "safe", check=2, env={"DORMOUSE_STALL_MS": "5000"}, timeout=200)
        assert "suspended" in done.stderr and "zpool clear" in done.stderr, done.stderr
        assert time.monotonic() - began < 150
        # So it is for whoever comes later.
        done = world.run("backup", "safe", check=2)
        assert "suspended" in done.stderr and "zpool clear" in done.stderr, done.stderr
        sh("mount", "-o", "remount,size=300M", disks)
        sh("zpool", "clear", "vault")
        until = time.monotonic() + 60  # who received when it began goes on now, and moves the resume token
        while sh("pgrep", "-f", "^zfs receive", check=False).stdout and time.monotonic() < until:
            time.sleep(0.5)
        done = world.run("backup", "safe", check=0)
        world.run("sleep", "--force", "archiver", check=0)
        with world.vault():
            assert guids("tank/home") == guids("vault/backup/tank/home", "vault/backup/")
            assert content(world, "vault/backup/tank/home/a") == digests(world.folder / "mnt/home/a")
    finally:
        sh("mount", "-o", "remount,size=300M", disks, check=False)
        sh("zpool", "clear", "vault", check=False)
        world.end()
        sh("umount", "-l", disks, check=False)


def test_a_partial_receive_of_somebody_else(world):
    """Over what exists, with -F: what goes on with it must not (ZFS_ERR_RESUME_EXISTS, from OpenZFS 2.2 on)."""
    tree(world, "a")
    with world.vault():
        zfs("create", "-p", "vault/backup/tank/home/a")
        stream = subprocess.run(["zfs", "send", "-L", "-c", "-e", "tank/home/a@one"], stdout=subprocess.PIPE, check=True).stdout
        subprocess.run(["zfs", "receive", "-s", "-u", "-F", "vault/backup/tank/home/a"], input=stream[: len(stream) // 2],
                       stderr=subprocess.DEVNULL, check=False)  # fmt: skip
        assert zfs("get", "-H", "-o", "value", "receive_resume_token", "vault/backup/tank/home/a").strip() != "-"
    world.write_config(world.host_key, snapshots="", more='  include = ["tank/home/a"]\n')
    fails(world, "tank/home/a", "repair 'tank/home/a' --give-up", kind="conflict", code=2)
    done = world.run("repair", "tank/home/a", "--give-up", "--yes", check=0)
    assert "lost for good: what has arrived" in done.stdout, done.stdout
    fails(world, "tank/home/a", "without any snapshot", "--keep-both", kind="conflict", code=2)
    world.run("repair", "tank/home/a", "--keep-both", "--yes", check=0)
    world.run("backup", "safe", check=0)
    with world.vault():
        assert guids("tank/home/a") == guids("vault/backup/tank/home/a", "vault/backup/")


def test_names_too_long(world):
    tree(world, "a", "x" * 230)
    # Here it fits; with vault/backup in front of it, it does not.
    fails(world, "tank/home/" + "x" * 230, "257 characters", "ZFS allows 255", "exclude it", kind="conflict")
    zfs("rename", "tank/home/" + "x" * 230, "tank/home/" + "x" * 200)
    succeeds(world)


OLD_SENDER = '''
import struct, sys

stream = sys.stdin.buffer
begin = bytearray(stream.read(312))
payload = stream.read(struct.unpack_from("<I", begin, 4)[0])
flags = struct.unpack_from("<I", begin, 36)[0]
struct.pack_into("<I", begin, 36, flags & ~8)  # DRR_FLAG_SPILL_BLOCK
record = bytearray(stream.read(312))
a = b = c = d = 0  # fletcher4 of all before it: the kernel reads one record further than it judges
for (word,) in struct.iter_unpack("<I", begin + payload + record[:-32]):
    a += word
    b += a
    c += b
    d += c
struct.pack_into("<4Q", record, 280, *(n % 2**64 for n in (a, b, c, d)))
sys.stdout.buffer.write(begin + payload + record)
while block := stream.read(1 << 16):
    sys.stdout.buffer.write(block)
'''


def test_the_sender_is_too_old_for_spill_blocks(world):
    """A raw stream as OpenZFS before 0.8.2 makes it: without saying that spill blocks are named in it."""
    key = world.folder / "key"
    key.write_text("0123456789abcdef" * 4)
    tree(world)
    zfs("create", "-o", "encryption=on", "-o", "keyformat=hex", "-o", f"keylocation=file://{key}", "tank/home/secret")
    zfs("snapshot", "-r", "tank/home@two")
    (world.folder / "old.py").write_text(OLD_SENDER)
    pretend(world, f'case "$*" in *secret*) /usr/bin/python3 {world.folder}/old.py | {ZFS} "$@"\nexit ;; *) rmdir {world.folder}/bin/once ;; esac')
    fails(world, "tank/home/secret", "too old for encrypted data", "update OpenZFS at the source", kind="conflict")
    succeeds(world)
