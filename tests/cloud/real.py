"""The real program on the fake cloud, and what its tests share."""

import json
import os
import pathlib
import signal
import subprocess

from conftest import client, wait_for

DORMOUSE = os.environ["DORMOUSE"]
DISK = "nvme-Amazon_Elastic_Block_Store_"
POOLS = '  pools = ["tank"]\n'  # for workers asked by hand: nobody imports them


class Setup:
    """One host with one target, 'arch'."""

    def __init__(self, folder, fake):
        self.folder, self.fake, self.ec2 = folder, fake, client(fake)
        for key in ("id", "hostkey"):
            subprocess.run(["ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-f", folder / key], check=True)
        public = (folder / "hostkey.pub").read_text().rsplit(" ", 1)[0]
        private = (folder / "hostkey").read_text().replace("\n", "|")
        (folder / "user-data").write_text(f"/*\nSSH_HOST_ED25519_KEY_PUB:{public}\nSSH_HOST_ED25519_KEY:{private}\n*/\n{{ }}\n")
        self.host_key = public
        self.ec2.import_key_pair(KeyName="mine", PublicKeyMaterial=(folder / "id.pub").read_bytes())
        self.image = next(i.id for i in sorted(fake.world.images.values(), key=lambda i: -i.created)
                          if i.system == "nixos" and i.arch == "arm64" and i.state == "available")  # fmt: skip
        self.config = folder / "config.hcl"
        self.use()
        self.env = fake.env(DORMOUSE_RUNTIME_DIR=str(folder / "run"), DORMOUSE_STATE_DIR=str(folder / "state"),
                            DORMOUSE_CONFIG=str(self.config), DORMOUSE_GRACE_MS="1000")  # fmt: skip

    def use(self, text="", image=None, name=None, kind="t4g.nano", linger="1h", timeout="20s", key='key_name = "mine"'):
        self.config.write_text(
            f'target "arch" "aws_ec2" {{\n  {"image" if name else "image_id"} = "{name or image or self.image}"\n'
            f'  instance_type = "{kind}"\n'
            f'  {key}\n  user_data = file("user-data")\n  linger = "{linger}"\n'
            f'  start_timeout = "{timeout}"\n  ssh {{\n    identity_file = "{self.folder}/id"\n'
            f'    host_key = "{self.host_key}"\n    port = {self.fake.ssh_port}\n  }}\n{text}\n}}\n')  # fmt: skip

    def run(self, *argv, check=None, **env):
        done = subprocess.run([DORMOUSE, *argv], env=dict(self.env, **env), stdin=subprocess.DEVNULL, capture_output=True,
                              text=True, timeout=90, check=False)  # fmt: skip
        if check is not None:
            assert done.returncode == check, f"exit {done.returncode}\n{done.stdout}\n{done.stderr}\n{self.fake.actions()}"
        return done

    def sleep(self):
        """A connection counts until the keeper has seen its end."""
        wait_for(lambda: self.run("sleep", "arch").returncode == 0, 60)

    def ssh_argv(self, *command):
        proxy = f"'{DORMOUSE}' connect arch:{self.fake.ssh_port}"
        return ["ssh", "-F", "none", "-T", "-o", "BatchMode=yes", "-o", "StrictHostKeyChecking=no",
                "-o", "UserKnownHostsFile=/dev/null", "-o", "LogLevel=ERROR", "-o", f"ProxyCommand={proxy}",
                "-i", self.folder / "id", "root@x", *command]  # fmt: skip

    def ssh(self, *command):
        return subprocess.run(self.ssh_argv(*command), env=self.env, capture_output=True, text=True, timeout=90, check=False)

    def text(self):
        """The file without others that it reads."""
        return self.config.read_text().replace('file("user-data")', '"x"')

    def volume(self, zone="us-east-1a", size=125):
        v = self.ec2.create_volume(AvailabilityZone=zone, Size=size, VolumeType="sc1")["VolumeId"]
        wait_for(lambda: self.of(v).state == "available")
        return v

    def of(self, volume):
        return self.fake.world.volumes[volume]

    def alive(self):
        return [i for i in self.fake.world.instances.values() if i.state in ("pending", "running", "stopping", "stopped")]

    def launched(self):
        return [dict(c.parameters, outcome=c.outcome) for c in self.fake.calls if c.name == "RunInstances"]

    def keepers(self):
        found = []
        for path in pathlib.Path("/proc").glob("[0-9]*"):
            try:
                words = (path / "cmdline").read_bytes().split(b"\0")
                environ = (path / "environ").read_bytes().split(b"\0")
            except OSError:
                continue
            if b"daemon" in words[1:2] and f"DORMOUSE_STATE_DIR={self.folder}/state".encode() in environ:
                found.append(int(path.name))
        return found

    def end(self):
        for pid in self.keepers():
            os.kill(pid, signal.SIGKILL)


def killed_at(s, command, nth):
    """Runs it until its nth call is under way.  False: it makes fewer."""
    s.fake.faults.clear()
    fault = s.fake.faults.add("*", kind="slow", nth=nth, seconds=0.2)
    with subprocess.Popen([DORMOUSE, *command], env=s.env, stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL,
                          stderr=subprocess.DEVNULL) as process:  # fmt: skip
        wait_for(lambda: fault.hits or process.poll() is not None)
        process.kill()
    s.fake.faults.clear()
    wait_for(lambda: s.fake.calls[-1].outcome)
    return fault.hits > 0


def attached(volume, device="/dev/sdf"):
    return f'  attach_volume {{\n    device_name = "{device}"\n    volume_id = "{volume}"\n  }}\n'


def order(setup, op, token, timeout=15, drained=True, **more):
    return json.dumps({"op": op, "token": token, "config": setup.text(), "target": "arch", "runtime_dir": str(setup.folder / "run"),
                       "timeout_ms": timeout * 1000, "drained": drained, **more})  # fmt: skip


def worker(setup, op, token="0123456789abcdef0123456789abcdef", timeout=15, drained=True, more=None, **env):
    """What the keeper asks a worker, asked by hand: nothing is waited for but EC2.  (answer, progress)"""
    done = subprocess.run([DORMOUSE, "worker", op, "arch"], env=dict(setup.env, **env), input=order(setup, op, token, timeout, drained, **(more or {})),
                          capture_output=True, text=True, timeout=timeout + 30, check=False)  # fmt: skip
    lines = [json.loads(line) for line in done.stdout.splitlines()]
    assert lines and "ok" in lines[-1], done.stderr
    return lines[-1], [line["progress"] for line in lines[:-1] if "progress" in line]


def life(setup, **env):
    """A start and a stop, with a token of their own."""
    token = os.urandom(16).hex()
    works(setup, token=token, **env)
    works(setup, "stop", token=token, **env)


def fails(setup, op="start", **more):
    answer, _ = worker(setup, op, **more)
    assert answer["ok"] is False, answer
    return answer["error"]


def works(setup, op="start", **more):
    answer, progress = worker(setup, op, **more)
    assert answer["ok"], answer
    return answer, progress
