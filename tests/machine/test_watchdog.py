"""A machine that really boots ends itself when the host that has started it is heard of no more."""

import os
import pathlib
import signal
import subprocess
import tempfile
import time

import pytest
from conftest import TOP, environment, guests, running

DORMOUSE = TOP / "build" / "dormouse"


@pytest.fixture
def folder():
    with tempfile.TemporaryDirectory(prefix="dog-") as name:
        yield pathlib.Path(name)


def vm(folder, script):
    done = subprocess.run([TOP / "tests/vm/run", "--disk", folder / "disk", "sh", "-c", script], stdout=subprocess.PIPE,
                          stderr=subprocess.STDOUT, text=True, check=True,
                          env=dict(environment(folder), DORMOUSE_VM="always"))  # fmt: skip
    return done.stdout


def test_nobody_asks_any_more(folder):
    image = subprocess.run([TOP / "tests/vm/image"], stdout=subprocess.PIPE, text=True, check=True).stdout
    kernel, initrd = (line.split("=", 1)[1] for line in sorted(image.splitlines(), reverse=True))
    accel = subprocess.run([TOP / "tests/vm/run", "--accel"], stdout=subprocess.PIPE, text=True, check=True).stdout
    for key in ("id", "hostkey"):
        subprocess.run(["ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-f", folder / key], check=True)
    with open(folder / "disk", "wb") as disk:
        disk.truncate(1 << 30)
    vm(folder, "zpool create -O mountpoint=none vault /dev/vda && zpool export vault")
    (folder / "known_hosts").write_text("archiver " + (folder / "hostkey.pub").read_text())
    config = folder / "config.hcl"
    host_key = " ".join((folder / "hostkey.pub").read_text().split()[:2])
    config.write_text(f"""
target "archiver" "qemu" {{
  kernel = "{kernel}"
  initrd = "{initrd}"
  append = "console=ttyS0 quiet panic=-1 mitigations=off init_on_alloc=0 norandmaps tsc=reliable dormouse.serve=1 dormouse.hostkey={folder}/hostkey dormouse.authkeys={folder}/id.pub"
  disks  = ["{folder}/disk"]
  memory = "1GiB"
  accel  = "{accel.strip()}"
  args   = ["-fsdev", "local,id=host,path=/,security_model=none,readonly=on,multidevs=remap", "-device", "virtio-9p-pci,fsdev=host,mount_tag=host"]
  pools  = ["vault"]
  linger = "1h"
  watchdog = "1m"
  ssh {{
    identity_file = "{folder}/id"
    host_key      = "{host_key}"
  }}
}}
""")
    env = dict(environment(folder), DORMOUSE_RUNTIME_DIR=str(folder / "run"), DORMOUSE_STATE_DIR=str(folder / "state"),
               DORMOUSE_CONFIG=str(config))  # fmt: skip

    def told():
        """Whom the watch listens to: another each time that the machine was told that it is wanted."""
        ssh = ["ssh", "-F", "none", "-i", folder / "id", "-o", "IdentitiesOnly=yes", "-o", "LogLevel=ERROR", "-o",
               f"UserKnownHostsFile={folder}/known_hosts", "-o", f"ProxyCommand={DORMOUSE} connect --fdpass %h:%p", "-o",
               "ProxyUseFdpass=yes", "root@archiver", "cat /run/dormouse-watchdog; zpool list -H -o name"]  # fmt: skip
        return subprocess.run(ssh, env=env, stdout=subprocess.PIPE, text=True, check=True).stdout.split()

    try:
        subprocess.run([DORMOUSE, "wake", "archiver"], env=env, check=True, timeout=600)
        first, pool = told()
        assert pool == "vault"
        # It is told four times a minute.
        others, until = {first}, time.monotonic() + 90
        while len(others) < 3 and time.monotonic() < until:
            time.sleep(5)
            others.add(told()[0])
        assert len(others) == 3 and guests(folder)
        for pid in running("daemon", config):
            os.kill(pid, signal.SIGKILL)
        killed = time.monotonic()
        while guests(folder) and time.monotonic() < killed + 240:
            time.sleep(1)
        assert not guests(folder), "it is on, and nobody knows of it"
        assert time.monotonic() - killed > 30, "it did not wait"
    finally:
        subprocess.run([DORMOUSE, "sleep", "--force", "archiver"], env=env, check=False)
    assert "state: 1" in vm(folder, "zdb -l /dev/vda1"), "the pool was not exported"
