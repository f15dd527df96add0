"""Users who are not root, on both sides, and doctor, who says what they lack."""

import os
import subprocess

import pytest
from conftest import DORMOUSE, guids, sh, zfs


@pytest.fixture
def user(world):
    if "DORMOUSE_IN_VM" not in os.environ:
        pytest.skip("makes a user, and opens /dev/zfs to all: only in a guest")
    if sh("id", "keeper", check=False).returncode != 0:
        sh("useradd", "-m", "-p", "*", "keeper")
    os.chmod("/dev/zfs", 0o666)  # as the package's udev rule does
    os.chmod("/run/sshd", 0o755)
    for folder in (world.folder, *world.folder.parents):
        os.chmod(folder, os.stat(folder).st_mode | 0o011)
    return "keeper"


def follow(done):
    """What doctor says is to be done, word by word; how many commands."""
    said = [line.split("as root there: ")[1] for line in done.stdout.splitlines() if "as root there: " in line]
    for command in said:
        assert command.startswith("zfs allow -u keeper "), command
        sh(*command.split())
    return said


def test_on_both_sides_of_one_host(world, user):
    zfs("create", "tank/home")
    zfs("create", "tank/home/a")
    zfs("create", "tank/copies")
    home = world.folder / "user"
    home.mkdir()
    (home / "config.hcl").write_text(
        'snapshots {\n  frequent = 1\n  include = ["tank/home"]\n}\n'
        'backup "local" {\n  source = "tank/home"\n  destination = "tank/copies"\n  keep {\n    frequent = 2\n  }\n}\n'
    )
    sh("chown", "-R", user, home)
    env = dict(os.environ, HOME=str(home), DORMOUSE_CONFIG=str(home / "config.hcl"),
               DORMOUSE_RUNTIME_DIR=str(home / "run"), DORMOUSE_STATE_DIR=str(home / "state"))  # fmt: skip

    def run(*argv, check):
        done = subprocess.run(["setpriv", "--reuid", user, "--regid", user, "--init-groups", DORMOUSE, *argv], env=env,
                              stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, timeout=300, check=False)  # fmt: skip
        assert done.returncode == check, done.stdout + done.stderr
        return done

    done = run("backup", check=2)
    assert "dormouse doctor" in done.stderr, done.stderr
    done = run("doctor", check=1)
    assert "keeper on this host may not do bookmark,destroy,hold,mount,release,send,snapshot on tank/home" in done.stdout
    assert len(follow(done)) == 2
    done = run("doctor", check=0)
    assert "may not rename" in done.stdout and "WRONG" not in done.stdout
    # And that is enough: for all that a run does, three times, pruning on both sides.
    for minute in (1, 16, 31):
        sh("date", "-s", f"12:{minute}")
        run("backup", check=0)
    copies = guids("tank/copies/tank/home", "tank/copies/")
    here = guids("tank/home")
    assert {len(s) for s in here.values()} == {2} and {len(s) for s in copies.values()} == {2}, (here, copies)
    for dataset, snaps in here.items():
        assert max(snaps) == max(copies[dataset]) and snaps[max(snaps)] == copies[dataset][max(snaps)]
    # What is granted through a set, a group and from above counts; what holds below only does not.
    zfs("unallow", "-u", "keeper", "tank/home")
    zfs("allow", "-s", "@most", "hold,release,send,mount,destroy", "tank")
    zfs("allow", "-g", "keeper", "@most,bookmark", "tank")
    zfs("allow", "-d", "-u", "keeper", "snapshot", "tank/home")
    done = run("doctor", check=1)
    assert "keeper on this host may not do snapshot on tank/home" in done.stdout, done.stdout
    zfs("unallow", "-u", "keeper", "tank/home")
    zfs("allow", "-d", "-u", "keeper", "snapshot", "tank")
    run("doctor", check=0)


def test_on_the_archiver(world, user):
    zfs("create", "tank/home")
    with world.vault():
        sh("zpool", "set", "feature@large_dnode=enabled", "vault")
    world.write_config(world.host_key, snapshots="")
    world.config.write_text(world.config.read_text().replace("  ssh {", f'  ssh {{\n    user = "{user}"'))
    zfs("snapshot", "tank/home@one")
    assert world.run("backup", "safe", check=2)
    done = world.run("doctor", check=1)
    assert "root on this host may do everything" in done.stdout
    assert "keeper on archiver may not do canmount,create,mount,readonly,receive,userprop on vault/backup" in done.stdout
    with world.vault():
        follow(done)
        # zfs receive leaves out what it may not set, without a word: we say it.
        zfs("unallow", "-u", user, "readonly", "vault/backup")
    done = world.run("backup", "safe", check=1)
    assert "cannot put the archive in order" in done.stderr and "dormouse doctor" in done.stderr, done.stderr
    with world.vault():
        zfs("allow", "-u", user, "readonly", "vault/backup")
    world.run("doctor", check=0)
    world.run("backup", "safe", check=0)
    zfs("snapshot", "tank/home@two")
    world.run("backup", "safe", check=0)
    with world.vault():
        assert guids("tank/home") == guids("vault/backup/tank/home", "vault/backup/")
        properties = zfs("get", "-H", "-o", "value", "canmount,readonly", "vault/backup/tank/home").split()
    assert properties == ["noauto", "on"]
    # Who is not root is bound by limits, too.
    with world.vault():
        zfs("set", "snapshot_limit=2", "vault/backup")
    zfs("snapshot", "tank/home@three")
    done = world.run("backup", "safe", check=2)
    assert "used up" in done.stderr and "snapshot_limit" in done.stderr, done.stderr
    with world.vault():
        zfs("set", "snapshot_limit=none", "vault/backup")
    world.run("backup", "safe", check=0)
    # What is wrong is found without a run: no such pool, no such dataset, nobody lets us in.
    world.config.write_text(world.config.read_text().replace("vault/backup", "nirvana/backup"))
    assert "the pool of 'nirvana/backup' is not there" in world.run("doctor", check=1).stdout
    world.config.write_text(world.config.read_text().replace('user = "keeper"', 'user = "nobody"'))
    (world.machine_dir / "authorized_keys").write_text("")
    done = world.run("doctor", check=1)
    assert "ssh was not let in" in done.stdout, done.stdout
    assert not world.is_on()
