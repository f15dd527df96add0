"""The story that dormouse was made for, from an empty account and back to one.  Nothing in it is played but the cloud's API:
the archiver is a guest with OpenZFS that the fake of EC2 boots, its volume a disk of that guest; the source is another
guest, and dormouse runs here, outside both."""

import json
import os
import pathlib
import signal
import socket
import subprocess
import sys
import tempfile
import time

import pytest
from conftest import TOP, environment, guests, running

sys.path.append(str(TOP / "tests" / "cloud"))
from fake import Fake  # noqa: E402

DORMOUSE = TOP / "build" / "dormouse"
SHARE = '["-fsdev", "local,id=host,path=/,security_model=none,readonly=on,multidevs=remap", "-device", "virtio-9p-pci,fsdev=host,mount_tag=host"]'


def free_port():
    with socket.socket() as s:
        s.bind(("127.0.0.1", 0))
        return s.getsockname()[1]


class Story:
    def __init__(self, folder):
        self.folder = folder
        for key in ("id", "nas.hostkey", "jump.hostkey"):
            subprocess.run(["ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-C", "", "-f", folder / key], check=True)
        with open(folder / "nas.disk", "wb") as disk:
            disk.truncate(1 << 30)
        self.fake = Fake(folder / "aws", backend="qemu", enforce_ingress=True)
        self.world, self.jump_port, self.daemon = self.fake.world, free_port(), None
        self.config = folder / "config.hcl"
        self.use()
        self.env = dict(self.fake.env(), **{k: v for k, v in environment(folder).items() if not k.startswith("AWS_")},
                        DORMOUSE_RUNTIME_DIR=str(folder / "run"), DORMOUSE_STATE_DIR=str(folder / "state"),
                        DORMOUSE_CONFIG=str(self.config))  # fmt: skip
        known = f"[127.0.0.1]:{self.jump_port} {(folder / 'jump.hostkey.pub').read_text()}nas {(folder / 'nas.hostkey.pub').read_text()}"
        (folder / "known_hosts").write_text(known)
        (folder / "ssh_config").write_text(
            f"Host lazyssh\n  HostName 127.0.0.1\n  Port {self.jump_port}\n  User jump\n"
            f"Host archiver\n  Port {self.fake.ssh_port}\n  HostKeyAlias archiver@dormouse\n"
            f"Host nas\n  ProxyCommand {DORMOUSE} connect --fdpass %h:%p\n  ProxyUseFdpass yes\n"
            f"Host *\n  User root\n  IdentityFile {folder}/id\n  IdentitiesOnly yes\n  BatchMode yes\n  LogLevel ERROR\n"
            f"  UserKnownHostsFile {folder}/known_hosts {folder}/run/known_hosts-archiver\n  StrictHostKeyChecking yes\n"
        )

    def use(self, gib=1):
        """The file, with an archive of that size."""
        public, vm = (self.folder / "id.pub").read_text().strip(), self.world.backend
        image = next(i.id for i in self.world.images.values()
                     if i.system == "nixos" and i.arch == "arm64" and i.state == "available" and not i.key_race)  # fmt: skip
        fast = vm.vm["FAST"]
        append = (f"console=ttyS0 quiet panic=-1 {fast} dormouse.serve=1 dormouse.hostname=nas "
                  f"dormouse.hostkey={self.folder}/nas.hostkey dormouse.authkeys={self.folder}/id.pub")  # fmt: skip
        host_key = " ".join((self.folder / "nas.hostkey.pub").read_text().split()[:2])
        self.config.write_text(f"""
server {{
  listen         = "127.0.0.1:{self.jump_port}"
  host_key_file  = "{self.folder}/jump.hostkey"
  authorized_key = "{public}"
}}
target "nas" "qemu" {{
  kernel = "{vm.image["kernel"]}"
  initrd = "{vm.image["initrd"]}"
  append = "{append}"
  disks  = ["{self.folder}/nas.disk"]
  memory = "1GiB"
  accel  = "{vm.accel}"
  args   = {SHARE}
  linger = "30m"
  start_timeout = "5m"
  ssh {{
    identity_file = "{self.folder}/id"
    host_key      = "{host_key}"
  }}
}}
target "archiver" "aws_ec2" {{
  image_id         = "{image}"
  instance_type    = "t4g.nano"
  user_data_format = "nixos"
  linger           = "3s"
  start_timeout    = "5m"
  placement {{
    availability_zone = "us-east-1a"
  }}
  key_pair {{
    public_key = "{public}"
  }}
  security_group {{
    from = ["127.0.0.1/32"]
  }}
  volume "cold" {{
    size = "{gib}GiB"
    pool = "cold"
    dataset "backup" {{
      properties = {{ acltype = "posixacl", xattr = "sa", mountpoint = "legacy" }}
    }}
  }}
  ssh {{
    identity_file = "{self.folder}/id"
    port          = {self.fake.ssh_port}
  }}
}}
snapshots {{
  on       = "nas"
  include  = ["tank/dana"]
  frequent = 4
}}
backup "safe" {{
  source      = "nas:tank/dana"
  destination = "archiver:cold/backup"
}}
""")

    def run(self, *argv):
        done = subprocess.run([DORMOUSE, *argv], env=self.env, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
                              stderr=subprocess.STDOUT, text=True, timeout=600, check=False)  # fmt: skip
        assert done.returncode == 0, f"dormouse {' '.join(argv)}: {done.returncode}\n{done.stdout}"
        return done.stdout

    def shell(self, command):
        """As a person types it, who has this ssh_config."""
        done = subprocess.run(["bash", "-o", "pipefail", "-c", f'ssh() {{ command ssh -F "{self.folder}/ssh_config" "$@"; }}\n{command}'],
                              env=self.env, stdin=subprocess.DEVNULL, capture_output=True, text=True, timeout=600, check=False)  # fmt: skip
        assert done.returncode == 0, f"{command}\n{done.stdout}{done.stderr}"
        return done.stdout

    def machines(self):
        return [i for i in self.world.instances.values() if i.state != "terminated"]

    def gone(self):
        until = time.monotonic() + 120
        while self.machines():
            assert time.monotonic() < until, "the archiver is still on"
            time.sleep(0.2)

    def volume(self):
        (one,) = [v for v in self.world.volumes.values() if "dormouse:made" in v.tags and not v.gone]
        return one

    def end(self):
        if self.daemon:
            self.daemon.terminate()
            self.daemon.wait(120)
        for pid in running(str(DORMOUSE), "daemon", self.config):
            os.kill(pid, signal.SIGKILL)
        for pid in guests(self.folder):
            os.kill(pid, signal.SIGKILL)
        self.fake.end()


@pytest.fixture
def story():
    with tempfile.TemporaryDirectory(prefix="story-") as folder:
        one = Story(pathlib.Path(folder))
        yield one
        one.end()


GUIDS = "zfs list -Hp -r -t snapshot -o name,guid"


def test_from_an_empty_account_to_an_empty_account(story):
    assert story.fake.world.leftovers() == []
    story.daemon = subprocess.Popen([DORMOUSE, "daemon"], env=story.env, stdin=subprocess.DEVNULL,
                                    stderr=open(story.folder / "daemon.log", "w"))  # fmt: skip
    story.shell("ssh nas 'zpool create -O mountpoint=/tank tank /dev/vda && zfs create tank/dana && "
                "zfs create tank/dana/photos && echo winter >/tank/dana/letter && head -c 3000000 /dev/urandom >/tank/dana/photos/one'")  # fmt: skip
    # All of it, in one step: the pool is made in a machine that is gone after it.
    assert "pool: cold" in story.run("apply", "--yes", "archiver")
    story.gone()
    volume = story.volume()
    pool = volume.tags["dormouse:pool"]
    assert pool.isdigit() and (volume.size, volume.state) == (1, "available")
    # By hand, through the jump host, which wakes it.
    story.run("snapshot")
    story.shell("ssh nas zfs snapshot -r tank/dana@snap1")
    story.shell("ssh nas zfs send tank/dana@snap1 | ssh -J lazyssh archiver zfs recv -u cold/dana")
    # And as it is meant to be.
    ours = story.shell(f"ssh nas {GUIDS} tank/dana").split()  # more come when a quarter of an hour begins
    assert "2 of 2 datasets" in story.run("backup", "safe")
    theirs = story.shell(f"ssh -J lazyssh archiver '{GUIDS} cold/backup/tank/dana cold/dana; zpool get -H -o value guid cold'").split()
    by_hand, copies = theirs[theirs.index("cold/dana@snap1") + 1], [word.removeprefix("cold/backup/") for word in theirs]
    assert by_hand == ours[ours.index("tank/dana@snap1") + 1]
    assert set(ours) <= set(copies) and len(ours) >= 8 and theirs[-1] == pool
    story.gone()
    assert story.volume() is volume and volume.state == "available"
    # More of it: nothing is on for that.
    story.use(gib=2)
    assert "GiB: 1 -> 2" in story.run("apply", "--yes", "archiver")
    assert story.machines() == [] and volume.size == 2
    # Less of it: everything moves to another volume, beside which the old one stays until it is dropped.
    story.use(gib=1)
    assert "GiB: 2 -> 1" in story.run("apply", "--yes", "archiver")
    story.gone()
    story.run("apply", "--drop-old", "--yes", "archiver")
    assert volume.gone and story.volume().size == 1 and story.volume().tags["dormouse:pool"] not in (pool, "uninitialised")
    # Something is lost, and comes back.
    lost = story.shell("ssh nas 'sha256sum </tank/dana/photos/one && rm /tank/dana/photos/one'")
    story.run("restore", "tank/dana/photos@snap1", "--to", "tank/photos")
    back = story.shell("ssh nas 'zfs list -Hp -t snapshot -o guid tank/photos@snap1; mount -t zfs -o ro tank/photos@snap1 /mnt && sha256sum </mnt/one'")
    assert back == ours[ours.index("tank/dana/photos@snap1") + 1] + "\n" + lost
    kept = story.shell(f"ssh -J lazyssh archiver {GUIDS} cold").split()
    assert set(theirs) - {pool} <= set(kept)
    story.gone()
    # Back.
    story.run("sleep", "archiver")  # it has seen the end as well
    starts = [s for s in json.loads(story.run("machines", "--starts", "--json")) if s["target"] == "archiver"]
    cost = json.loads(story.run("cost", "archiver", "--json"))[0]
    story.run("destroy", "archiver", "--with-data", "archiver", "--yes")
    assert story.world.leftovers() == [] and story.fake.bill.running() == []
    # What it cost: the account has it as dormouse has it, but for what a start and an end take.
    lines = [line for line in story.fake.bill.lines if line.what == "t4g.nano"]
    paid = [max(60, line.ended - line.started) for line in lines]
    counted = [max(60, s["ended"] - s["at"]) for s in starts]
    assert len(paid) == len(counted) and all(0 <= mine - theirs <= 60 for mine, theirs in zip(counted, paid)), (paid, counted)
    (machine,) = [item for item in cost["items"] if item["what"] == "t4g.nano"]
    month = 730 / (24 * cost["days"])
    assert machine["micros"] == pytest.approx(sum(counted) / 3600 * month * 4200, rel=0.01)
    assert cost["whole"] and any(item["what"] == "volume 'cold'" and item["micros"] == 80000 for item in cost["items"])
