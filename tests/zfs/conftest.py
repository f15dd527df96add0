"""Real pools, a real sshd, the real program.  Everything lives in one folder per test and is taken away after it."""

import json
import os
import pathlib
import shutil
import socket
import subprocess
import sys

import pytest

HERE = pathlib.Path(__file__).resolve().parent
sys.path.insert(0, str(HERE.parent / "lib"))
DORMOUSE = os.environ.get("DORMOUSE") or str(HERE.parent.parent / "build" / "dormouse")
MACHINE = pathlib.Path(DORMOUSE).parent / "tests/unit/sshd_machine"


def sh(*argv, check=True, **more):
    done = subprocess.run([str(a) for a in argv], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, **more)
    if check and done.returncode != 0:
        raise AssertionError(f"{argv} failed with {done.returncode}: {done.stderr}")
    return done


def zfs(*argv, **more):
    return sh("zfs", *argv, **more).stdout


def free_port():
    with socket.socket() as s:
        s.bind(("127.0.0.1", 0))
        return s.getsockname()[1]


class World:
    """A source pool `tank`, and an archiver that is off, with the pool `vault`."""

    def __init__(self, folder, size="256M"):
        self.folder = folder
        self.machine_dir = folder / "archiver"
        self.machine_dir.mkdir()
        (folder / "disks").mkdir()
        pathlib.Path("/run/sshd").mkdir(exist_ok=True)  # sshd wants it
        sh("truncate", "-s", size, folder / "tank.img", folder / "disks" / "vault.img")
        sh("zpool", "create", "-O", "mountpoint=" + str(folder / "mnt"), "tank", folder / "tank.img")
        sh("zpool", "create", "-O", "mountpoint=none", "vault", folder / "disks" / "vault.img")
        sh("zfs", "create", "vault/backup")
        sh("zpool", "export", "vault")
        self.port = free_port()
        self.settings = {"port": self.port, "pool": "vault", "pool_dir": str(folder / "disks")}
        self.save_settings()
        sh("ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-f", folder / "id")
        sh("ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-f", self.machine_dir / "hostkey")
        shutil.copy(folder / "id.pub", self.machine_dir / "authorized_keys")
        host_key = (self.machine_dir / "hostkey.pub").read_text().rsplit(" ", 1)[0]
        (self.machine_dir / "sshd_config").write_text(
            f"Port {self.port}\nListenAddress 127.0.0.1\nHostKey {self.machine_dir}/hostkey\n"
            f"PidFile {self.machine_dir}/sshd.pid\nAuthorizedKeysFile {self.machine_dir}/authorized_keys\n"
            "StrictModes no\nUsePAM no\nPermitRootLogin yes\nPasswordAuthentication no\nUseDNS no\n"
            # In emulation the exchange that ssh likes best is a second of work for each connection.
            "MaxSessions 100\nMaxStartups 100\nKexAlgorithms curve25519-sha256\n"
        )
        self.config = folder / "config.hcl"
        self.write_config(host_key)
        self.env = dict(
            os.environ, DORMOUSE_RUNTIME_DIR=str(folder / "run"), DORMOUSE_STATE_DIR=str(folder / "state"),
            DORMOUSE_CONFIG=str(self.config), DORMOUSE_GRACE_MS="1500", HOME=str(folder),
        )  # fmt: skip

    def write_config(self, host_key, snapshots='snapshots {\n  frequent = 4\n  include = ["tank/home"]\n}\n', more=""):
        self.host_key = host_key
        self.config.write_text(
            f'target "archiver" "exec" {{\n  command = ["{MACHINE}", "{self.machine_dir}"]\n'
            f'  ssh {{\n    identity_file = "{self.folder}/id"\n    host_key = "{host_key}"\n  }}\n}}\n'
            f'{snapshots}backup "safe" {{\n  source = "tank/home"\n  destination = "archiver:vault/backup"\n{more}}}\n'
        )

    def save_settings(self):
        (self.machine_dir / "machine.json").write_text(json.dumps(self.settings))

    def run(self, *argv, check=None, **more):
        """The program; check = the exit code that it must end with."""
        done = subprocess.run([DORMOUSE, *argv], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
                              env=dict(self.env, **more.pop("env", {})), timeout=more.pop("timeout", 300),
                              stdin=subprocess.DEVNULL, **more)  # fmt: skip
        if check is not None:
            assert done.returncode == check, f"exit {done.returncode}\n--- out\n{done.stdout}\n--- err\n{done.stderr}"
        return done

    def start(self, *argv, env=None, **more):
        return subprocess.Popen([DORMOUSE, *argv], env=dict(self.env, **(env or {})), stdin=subprocess.DEVNULL,
                                stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, **more)  # fmt: skip

    def is_on(self):
        return (self.machine_dir / "sshd.pid").exists()

    def vault(self):
        """Look at the archive with the machine off: import, read, export."""
        return Vault(self)

    def end(self):
        # A keeper that is told to end puts its machine to sleep: by then the pool may be the next test's.
        sh("pkill", "-KILL", "-f", f"^{DORMOUSE} .*{self.folder}", check=False)
        if self.is_on():
            self.settings["fail"] = {}
            self.save_settings()
            sh(MACHINE, self.machine_dir, input='{"op": "stop"}\n', check=False)
        for pool in ("tank", "vault"):
            sh("zpool", "export", "-f", pool, check=False)
        sh("pkill", "-f", str(self.folder), check=False)


class Vault:
    def __init__(self, world):
        self.world = world

    def __enter__(self):
        assert not self.world.is_on(), "the archiver is on"
        sh("zpool", "import", "-N", "-d", self.world.folder / "disks", "vault")
        return self

    def __exit__(self, *_):
        sh("zpool", "export", "vault")


def guids(root, strip=""):
    """{dataset without strip: {snapshot: guid}}"""
    found = {}
    for line in zfs("list", "-Hp", "-r", "-t", "filesystem,volume", "-o", "name", root).splitlines():
        found[line.removeprefix(strip)] = {}
    for line in zfs("list", "-Hp", "-r", "-t", "snapshot", "-o", "name,guid", root).splitlines():
        name, guid = line.split("\t")
        dataset, snap = name.split("@")
        found[dataset.removeprefix(strip)][snap] = guid
    return found


def write_to(folder, copy):
    """As an intruder would, on the archive; below folder it is mounted for that."""
    zfs("set", "readonly=off", copy)
    mount = folder / "look"
    mount.mkdir(exist_ok=True)
    sh("mount", "-t", "zfs", "-o", "zfsutil", copy, mount)
    (mount / "intruder").write_text("x")
    sh("umount", mount)


@pytest.fixture
def world(tmp_path_factory):
    # The guest's clock is ours: no test runs over the end of a quarter of an hour, or of a day.
    if "DORMOUSE_IN_VM" in os.environ:
        sh("date", "-s", "12:01")
    w = World(tmp_path_factory.mktemp("w"))
    yield w
    w.end()
