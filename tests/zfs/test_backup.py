"""A whole run on real pools, against an archiver that is off before and after."""

import json
import os
import signal
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
    listed = json.loads(world.run("list", "--json", check=0).stdout)
    assert [d["dataset"] for d in listed] == sorted(guids("tank/home"))
    assert all(d["copy"] == "vault/backup/" + d["dataset"] for d in listed)
    assert "all 3 datasets are restorable" in world.run("status", check=0).stdout
    assert world.run("history", check=0).stdout.count("done") == 2
    # What the second has recorded of itself.
    spans = json.loads(world.run("history", "--json", "2", check=0).stdout)["spans"]
    sent = [s for s in spans if s["name"] == "replicate.dataset"]
    assert {s["attrs"]["dataset"] for s in sent} == set(guids("tank/home"))
    assert all(s["attrs"]["to_snap"] == "by-hand" and s["attrs"]["from_snap"] == first for s in sent)
    assert all(s["outcome"] == "success" and s["attrs"]["guid"].isdigit() for s in sent)
    root = spans[0]["attrs"]
    assert sum(s["attrs"]["bytes"] for s in sent) == root["bytes_sent"] > 0 and root["machine.stopped"] is True
    assert {"machine.start", "machine.stage", "machine.stop", "prove", "mark"} <= {s["name"] for s in spans}
    assert root["snaps_sent"] == 3 and root["full_send_count"] == 0 and root["machine.seconds"] >= 0


def test_commands_around(world):
    """They are told how it ended; when the first fails there is no run, and the last one runs all the same."""
    zfs("create", "tank/home")
    zfs("snapshot", "tank/home@one")
    log = world.folder / "log"

    def around(before, after):
        world.write_config(
            world.host_key, snapshots="",
            more=f"  before = {json.dumps(before)}\n  after = {json.dumps(after)}\n  hook_timeout = \"5s\"\n",
        )  # fmt: skip

    say = (f"echo $DORMOUSE_BACKUP $SERVICE_RESULT $EXIT_CODE $EXIT_STATUS $DORMOUSE_PROVEN/$DORMOUSE_DATASETS "
           f"$DORMOUSE_SOURCE $DORMOUSE_DESTINATION $DORMOUSE_ERROR >>{log}; cat >{log}.json")  # fmt: skip
    around(["sh", "-c", f"echo before $DORMOUSE_BACKUP >{log}"], ["sh", "-c", say])
    world.run("backup", "safe", check=0)
    assert log.read_text().splitlines() == [
        "before safe", "safe success exited 0 1/1 tank/home archiver:vault/backup"]  # fmt: skip
    assert json.loads((world.folder / "log.json").read_text())["datasets"][0]["proven"] is True
    zfs("snapshot", "tank/home@two")
    around(["sh", "-c", "echo not today >&2; exit 9"], ["sh", "-c", say])
    done = world.run("backup", "safe", check=2)
    assert "before failed: exit code 9: not today" in done.stderr, done.stderr
    assert "safe exit-code exited 2 0/0" in log.read_text() and "not today" in log.read_text().splitlines()[-1]
    with world.vault():
        assert "@two" not in zfs("list", "-H", "-o", "name", "-t", "snapshot", "-r", "vault")
    # The copy is there and proven; that nobody was told is a failure.
    around([], ["sleep", "100"])
    done = world.run("backup", "safe", check=1)
    assert "after did not run to its end" in done.stderr and "1 of 1 datasets" in done.stdout
    around([], ["/nowhere/at-all"])
    assert "/nowhere/at-all" in world.run("backup", "safe", check=1).stderr


def test_several_channels(world):
    """More datasets than channels, and big ones beside small ones; a limit holds for all of them together."""
    zfs("create", "tank/home")
    for i in range(12):
        zfs("create", f"tank/home/d{i}")
        (world.folder / f"mnt/home/d{i}/x").write_bytes(os.urandom((8 << 20) if i < 3 else 1000))
    zfs("create", "tank/home/d0/below")
    zfs("snapshot", "-r", "tank/home@one")
    world.write_config(world.host_key, snapshots="")
    world.run("backup", "safe", check=0, timeout=600)
    for i in range(12):
        (world.folder / f"mnt/home/d{i}/y").write_bytes(os.urandom(100_000))
    zfs("snapshot", "-r", "tank/home@two")
    world.write_config(world.host_key, snapshots="", more='  bandwidth = "200KB/s"\n')
    began = time.monotonic()
    sent = int(json.loads(world.run("backup", "--json", "safe", check=0, timeout=600).stdout)["bytes"])
    assert sent > 1_200_000 and time.monotonic() - began > sent / 200_000 * 0.9
    ours = guids("tank/home", "tank/")
    with world.vault():
        assert guids("vault/backup/tank/home", "vault/backup/tank/") == ours


def test_timeout_parks(world):
    """A run that takes too long ends in time, and the next goes on from where it was."""
    zfs("create", "tank/home")
    (world.folder / "mnt/home/x").write_bytes(os.urandom(20 << 20))
    zfs("snapshot", "tank/home@one")
    world.write_config(world.host_key, snapshots="", more='  bandwidth = "1MB/s"\n  timeout = "12s"\n')
    began = time.monotonic()
    done = world.run("backup", "--json", "safe", check=2, timeout=120)
    result = json.loads(done.stdout)
    assert result["datasets"][0]["error"]["kind"] == "timeout", done.stdout
    assert time.monotonic() - began < 60 and not world.is_on()
    # Nor is its snapshot cleaned up meanwhile: what has arrived would be worth nothing.
    assert "dormouse:safe" in zfs("holds", "-H", "tank/home@one")
    # Told to end, it does the same; with the whole group, as a terminal's Ctrl-C does.
    world.write_config(world.host_key, snapshots="", more='  bandwidth = "1MB/s"\n')
    run = world.start("backup", "--json", "safe", start_new_session=True)
    time.sleep(8)
    os.killpg(run.pid, signal.SIGINT)
    told = json.loads(run.communicate(timeout=60)[0])
    assert run.returncode == 2 and not world.is_on()
    assert told["datasets"][0]["error"]["why"] == "it was told to end", told
    assert "it was told to end" in world.run("status", check=2).stdout
    world.write_config(world.host_key, snapshots="")
    rest = json.loads(world.run("backup", "--json", "safe", check=0).stdout)
    assert 0 < int(result["bytes"]) < 20 << 20 and 0 < int(told["bytes"]) < 20 << 20
    assert int(rest["bytes"]) < 18 << 20


def test_ssh_as_the_user_has_it(world):
    zfs("create", "tank/home")
    zfs("snapshot", "tank/home@one")
    world.write_config(world.host_key, snapshots="")
    own = world.folder / "my ssh"
    own.write_text(f'#!/bin/sh\necho x >>{world.folder}/calls\nexec ssh "$@"\n')
    own.chmod(0o755)
    (world.folder / "my config").write_text(f"IdentityFile {world.folder}/id\n")
    world.config.write_text(
        world.config.read_text().replace(
            f'identity_file = "{world.folder}/id"', f'program = "{own}"\n    config = "{world.folder}/my config"'
        )
    )
    world.run("backup", "safe", check=0)
    assert (world.folder / "calls").read_text().count("x") >= 3


def test_compressed_where_it_helps(world):
    """What shrinks, over a line that is slower than zstd; neither over a faster one nor what does not shrink."""
    text = b"".join(os.urandom(32) + bytes(4064) for _ in range(256))  # a MiB, of which little is left
    half = b"".join(os.urandom(2048) + bytes(2048) for _ in range(256))

    def first_copy(mib, content, more="", compression="off"):
        zfs("create", "-o", f"compression={compression}", "tank/home")
        with open(world.folder / "mnt/home/file", "wb") as f:
            for _ in range(mib):
                f.write(content())
        zfs("snapshot", "tank/home@one")
        world.write_config(world.host_key, snapshots="", more=more)
        done = json.loads(world.run("backup", "--json", "safe", check=0).stdout)
        with world.vault():
            assert guids("tank/home") == guids("vault/backup/tank/home", "vault/backup/")
            zfs("destroy", "-r", "vault/backup/tank/home")
        zfs("release", "dormouse:safe", "tank/home@one")
        zfs("destroy", "-r", "tank/home")
        return done["compressed"], done["compressed_why"], int(done["bytes"])

    yes, why, size = first_copy(72, lambda: text, '  bandwidth = "100KB/s"\n')
    assert yes and "shrinks to" in why and "link takes" in why and size < 8 << 20, (why, size)
    zfs("create", "tank/home")
    zfs("snapshot", "tank/home@one")
    assert "measured before" in world.run("plan", "--wake", "safe").stdout
    zfs("destroy", "-r", "tank/home")
    # The same, where zstd is the slower of the two, on any machine: it works for eight seconds more.
    folder = world.folder / "bin"
    folder.mkdir()
    (folder / "zstd").write_text(
        "#!/bin/sh\n/usr/bin/python3 -c 'import time\nwhile time.process_time() < 8: pass'\nexec /usr/bin/zstd \"$@\"\n"
    )
    os.chmod(folder / "zstd", 0o755)
    path, world.env["PATH"] = world.env["PATH"], f"{folder}:{world.env['PATH']}"
    yes, why, _ = first_copy(72, lambda: text)
    assert not yes and ("and zstd makes" in why or "too fast" in why), why
    world.env["PATH"] = path
    yes, why, _ = first_copy(72, lambda: os.urandom(1 << 20), '  bandwidth = "30MB/s"\n')
    assert not yes and "shrinks to" in why, why
    yes, why, _ = first_copy(140, lambda: half, compression="lz4")
    assert not yes and "compressed its blocks already" in why, why


def test_compressed_on_its_way(world):
    zfs("create", "-o", "compression=off", "tank/home")
    zfs("create", "tank/home/a")
    (world.folder / "mnt/home/text").write_bytes(b"".join(os.urandom(64) + bytes(4032) for _ in range(2048)))
    zfs("snapshot", "-r", "tank/home@one")
    world.write_config(world.host_key, snapshots="", more='  compress = "zstd"\n')
    world.run("doctor", check=0)
    done = json.loads(world.run("backup", "--json", "safe", check=0).stdout)
    assert int(done["bytes"]) < 2 << 20, done  # 8 MiB, nearly all of it zeros
    with world.vault():
        assert guids("tank/home") == guids("vault/backup/tank/home", "vault/backup/")
    # Cut off, it goes on like any other.
    (world.folder / "mnt/home/a/x").write_bytes(os.urandom(32 << 20))
    zfs("snapshot", "-r", "tank/home@two")
    world.write_config(world.host_key, snapshots="", more='  compress = "zstd"\n  bandwidth = "1MB/s"\n  timeout = "20s"\n')
    part = json.loads(world.run("backup", "--json", "safe", check=1).stdout)
    world.write_config(world.host_key, snapshots="", more='  compress = "zstd"\n')
    rest = json.loads(world.run("backup", "--json", "safe", check=0).stdout)
    assert 0 < int(part["bytes"]) and int(rest["bytes"]) < 31 << 20
    with world.vault():
        assert guids("tank/home") == guids("vault/backup/tank/home", "vault/backup/")
    world.run("restore", "tank/home", "--to", "tank/back", "--history", check=0)
    # Where there is none, it is said before anything is sent.
    folder = world.folder / "bin"
    folder.mkdir()
    (folder / "zstd").symlink_to("/nowhere")
    zfs("snapshot", "-r", "tank/home@three")
    bare = ":".join([str(folder)])
    for name in os.listdir("/usr/bin"):
        if name != "zstd" and not (folder / name).is_symlink():
            (folder / name).symlink_to("/usr/bin/" + name)
    for name in ("zfs", "zpool"):
        (folder / name).unlink(missing_ok=True)
        (folder / name).symlink_to("/usr/sbin/" + name)
    done = world.run("backup", "safe", check=2, env={"PATH": bare})
    assert "there is no zstd command" in done.stderr and "hint: install it" in done.stderr, done.stderr
