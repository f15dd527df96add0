"""The real program with a real sshd on loopback as its machine; no ZFS is needed."""

import contextlib
import json
import os
import pathlib
import resource
import shutil
import socket
import subprocess
import time

import pytest

HERE = pathlib.Path(__file__).resolve().parent
DORMOUSE = os.environ.get("DORMOUSE") or str(HERE.parent.parent / "build" / "dormouse")
MACHINE = pathlib.Path(DORMOUSE).parent / "tests/unit/sshd_machine"


def wait_for(what, seconds=20):
    until = time.monotonic() + seconds
    while not what():
        assert time.monotonic() < until, "it did not happen in time"
        time.sleep(0.05)


def free_port():
    with socket.socket() as s:
        s.bind(("127.0.0.1", 0))
        return s.getsockname()[1]


def pids_of(folder, command):
    """The processes of that command whose state is in the folder."""
    found = []
    for path in pathlib.Path("/proc").glob("[0-9]*"):
        try:
            words = (path / "cmdline").read_bytes().split(b"\0")
            environ = (path / "environ").read_bytes()
        except OSError:
            continue
        if command.encode() in words[1:2] and f"DORMOUSE_STATE_DIR={folder}/state".encode() in environ.split(b"\0"):
            found.append(int(path.name))
    return found


@contextlib.contextmanager
def no_descriptors(pid):
    """A process that can open nothing more, for a second, in which it must not be busy with that."""
    before = resource.prlimit(pid, resource.RLIMIT_NOFILE)
    taken = {int(name) for name in os.listdir(f"/proc/{pid}/fd")}
    resource.prlimit(pid, resource.RLIMIT_NOFILE, (next(n for n in range(10000) if n not in taken), before[1]))
    try:
        yield
        asleep = 0
        for _ in range(20):
            time.sleep(0.05)
            asleep += pathlib.Path(f"/proc/{pid}/stat").read_text().rsplit(") ", 1)[1].startswith("S")
        assert asleep > 15
    finally:
        resource.prlimit(pid, resource.RLIMIT_NOFILE, before)


class Setup:
    def __init__(self, folder, linger="0s", name="arch"):
        self.folder, self.name = folder, name
        self.machine = folder / name
        self.machine.mkdir()
        self.port = free_port()
        for key in (folder / "id", self.machine / "hostkey"):
            subprocess.run(["ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-f", key], check=True)
        shutil.copy(folder / "id.pub", self.machine / "authorized_keys")
        (self.machine / "sshd_config").write_text(
            f"Port {self.port}\nListenAddress 127.0.0.1\nHostKey {self.machine}/hostkey\n"
            f"PidFile {self.machine}/sshd.pid\nAuthorizedKeysFile {self.machine}/authorized_keys\n"
            "StrictModes no\nUsePAM no\nPermitRootLogin yes\nPasswordAuthentication no\nUseDNS no\n"
            "Subsystem sftp internal-sftp\n"
        )
        self.settings = {"port": self.port, "pool": None, "pool_dir": ""}
        self.save()
        self.config = folder / "config.hcl"
        self.write_config(linger)
        self.env = dict(os.environ, DORMOUSE_RUNTIME_DIR=str(folder / "run"), DORMOUSE_STATE_DIR=str(folder / "state"),
                        DORMOUSE_CONFIG=str(self.config), DORMOUSE_GRACE_MS="1000")  # fmt: skip

    def write_config(self, linger="0s", host_key=None):
        host_key = host_key or (self.machine / "hostkey.pub").read_text().rsplit(" ", 1)[0]
        self.config.write_text(
            f'target "{self.name}" "exec" {{\n  command = ["{MACHINE}", "{self.machine}"]\n'
            f'  linger = "{linger}"\n  start_timeout = "10s"\n'
            f'  ssh {{\n    identity_file = "{self.folder}/id"\n    host_key = "{host_key}"\n  }}\n}}\n'
        )

    def save(self, **more):
        self.settings.update(more)
        (self.machine / "machine.json").write_text(json.dumps(self.settings))

    def run(self, *argv, check=None, **more):
        done = subprocess.run([DORMOUSE, *argv], env=self.env, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
                              stderr=subprocess.PIPE, text=True, timeout=60, **more)  # fmt: skip
        if check is not None:
            assert done.returncode == check, f"exit {done.returncode}\n{done.stdout}\n{done.stderr}"
        return done

    def popen(self, *argv, **more):
        more.setdefault("stdout", subprocess.PIPE)
        more.setdefault("stderr", subprocess.PIPE)
        return subprocess.Popen([DORMOUSE, *argv], env=self.env, text=True, **more)

    def ssh(self, *command, fdpass=True):
        proxy = f"'{DORMOUSE}' connect {'--fdpass ' if fdpass else ''}{self.name}:22"
        return ["ssh", "-F", "none", "-T", "-o", "BatchMode=yes", "-o", "StrictHostKeyChecking=no",
                "-o", "UserKnownHostsFile=/dev/null", "-o", "LogLevel=ERROR", "-o", f"ProxyCommand={proxy}",
                *(["-o", "ProxyUseFdpass=yes"] if fdpass else []), "-i", str(self.folder / "id"),
                "root@x", *command]  # fmt: skip

    def is_on(self):
        return (self.machine / "sshd.pid").exists()

    def starts(self):
        path = self.machine / "starts"
        return len(path.read_text()) if path.exists() else 0

    def state(self):
        return json.loads(self.run("machines", "--json", check=0).stdout)[0]["state"]

    def keeper_pids(self):
        return pids_of(self.folder, "daemon")

    def end(self):
        self.save(fail={}, delay=0, delay_stop=0)
        subprocess.run([MACHINE, self.machine], input='{"op": "stop"}\n', text=True, check=False,
                       stdout=subprocess.DEVNULL)  # fmt: skip
        for pid in self.keeper_pids():
            os.kill(pid, 9)


@pytest.fixture(scope="session", autouse=True)
def ready():
    pathlib.Path("/run/sshd").mkdir(exist_ok=True)


@pytest.fixture
def setup(tmp_path_factory):
    # Short, because a socket's path may have only 107 characters.
    s = Setup(tmp_path_factory.mktemp("k"))
    yield s
    s.end()
