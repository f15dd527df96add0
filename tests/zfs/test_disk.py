"""A target of kind `disk`: a real pool on a loop device, plugged in and out."""

import os
import pathlib
import signal
import time

from conftest import guids, sh, zfs


class Disk:
    def __init__(self, world):
        self.world, self.image, self.log = world, world.folder / "usb.img", world.folder / "power.log"
        sh("truncate", "-s", "128M", self.image)
        # A name that stays, as udev gives them, which the test machine has none of.
        self.link = world.folder / "by-id-usb"
        self.plug()
        sh("zpool", "create", "-O", "mountpoint=none", "usb", self.loop)
        sh("zfs", "create", "usb/backup")
        sh("zpool", "export", "usb")
        self.power = world.folder / "power"
        self.power.write_text(f'#!/bin/sh\necho "$1 $(zpool list -Ho name | tr "\\n" " ")" >>"{self.log}"\n')
        self.power.chmod(0o755)
        world.config.write_text(
            f'target "usb" "disk" {{\n  devices = ["{self.link}"]\n  pools = ["usb"]\n  start_timeout = "30s"\n'
            f'  power_on = ["{self.power}", "on"]\n  power_off = ["{self.power}", "off"]\n}}\n'
            'snapshots {\n  frequent = 4\n  include = ["tank/home"]\n}\n'
            'backup "safe" {\n  source = "tank/home"\n  destination = "usb:usb/backup"\n}\n')  # fmt: skip

    def plug(self):
        self.loop = sh("losetup", "-f", "--show", self.image).stdout.strip()
        self.link.symlink_to(self.loop)

    def unplug(self):
        sh("losetup", "-d", self.loop)
        self.link.unlink()

    def imported(self):
        return sh("zpool", "list", "usb", check=False).returncode == 0

    def end(self):
        sh("zpool", "export", "-f", "usb", check=False)
        if self.link.is_symlink():
            self.unplug()


def rest(disk):
    until = time.monotonic() + 60
    while disk.imported():
        assert time.monotonic() < until, "the pool is not exported"
        time.sleep(0.2)


def test_disk(world):
    disk = Disk(world)
    try:
        zfs("create", "tank/home")
        (world.folder / "mnt" / "home" / "letter").write_text("dear")
        # Not plugged in: said as that, and nothing is imported.
        disk.unplug()
        world.config.write_text(world.config.read_text().replace('"30s"', '"3s"'))
        done = world.run("backup", "safe")
        assert done.returncode == 2 and "is not there" in done.stderr and "plug it in" in done.stderr, done.stderr
        world.config.write_text(world.config.read_text().replace('"3s"', '"30s"'))
        # Plugged in while the backup waits for it; imported, written to without ssh, exported, at rest.
        waiting = world.start("backup", "safe")
        time.sleep(2)
        disk.plug()
        assert waiting.wait(200) == 0, waiting.stderr.read()
        rest(disk)
        lines = disk.log.read_text().splitlines()
        assert lines[-1] == "off tank ", lines  # after the export
        # A second run sends what is new, and both ends hold the same.
        (world.folder / "mnt" / "home" / "letter").write_text("dearest")
        zfs("snapshot", "tank/home@mine")
        world.run("backup", "safe", check=0)
        rest(disk)
        disk.unplug()
        disk.plug()
        sh("zpool", "import", "-N", "-d", disk.loop, "usb")
        assert guids("usb/backup/tank/home", "usb/backup/")["tank/home"] == guids("tank/home")["tank/home"]
        # Imported by somebody before us, it stays so after us.
        zfs("snapshot", "tank/home@more")
        world.run("backup", "safe", check=0)
        time.sleep(3)
        assert disk.imported() and "more" in guids("usb/backup/tank/home")["usb/backup/tank/home"]
        sh("zpool", "export", "usb")
        # The keeper is killed while the pool is in use, and forgets: the next one exports it.
        world.config.write_text(world.config.read_text().replace("devices", 'linger = "1h"\n  devices'))
        world.run("wake", "usb", check=0)
        assert disk.imported()
        for path in pathlib.Path("/proc").glob("[0-9]*"):
            words = (path / "cmdline").read_bytes().split(b"\0") if (path / "cmdline").exists() else []
            environ = (path / "environ").read_bytes() if b"daemon" in words[1:2] else b""
            if f"DORMOUSE_STATE_DIR={world.folder}/state".encode() in environ.split(b"\0"):
                os.kill(int(path.name), signal.SIGKILL)
        for path in (world.folder / "state").glob("state.db*"):
            path.unlink()
        world.config.write_text(world.config.read_text().replace('linger = "1h"', 'linger = "0s"'))
        world.run("machines", check=0)
        rest(disk)
    finally:
        disk.end()
