"""Pools of many datasets with 30 snapshots each, as images that are kept: making one of 1,000 takes a quarter of an hour.
They set the guest's clock."""

import pathlib
import sys
import time

from conftest import sh, zfs
import zfs_core

HOUR = 3600
BEGAN = 1767225600  # 2026-01-01 00:00 UTC, when the first snapshot is made
STAMP = "zfs-auto-snap_hourly-%Y-%m-%d-%H%M"  # zfs-auto-snapshot's, which dormouse reads as well
OF_SANOID = "autosnap_%Y-%m-%d_%H:%M:%S_hourly"


def say(text):
    print(text, file=sys.stderr, flush=True)


def cache_as_on_a_host():
    """A guest's ZFS may use an eighth of its memory, a host's half of it.  What 1,000 mounted filesystems pin is more than
    that eighth: ZFS then does little else but look for something to drop."""
    total = int(pathlib.Path("/proc/meminfo").read_text().split()[1])
    pathlib.Path("/sys/module/zfs/parameters/zfs_arc_max").write_text(str(total * 1024 // 2))


def set_clock(to):
    sh("date", "-s", f"@{to}")


def make_pool(image, count):
    """count datasets with 30 snapshots an hour apart (for that the guest's own clock is set), and one that is left out."""
    sh("truncate", "-s", "1G", image)
    set_clock(BEGAN - HOUR)
    sh("zpool", "create", "-O", f"mountpoint={image.parent}/mnt", "bench", image)
    names = ["bench/t"] + [f"bench/t/d{n}" for n in range(count - 1)]
    zfs_core.create(names[:1])
    zfs_core.create(names[1:] + ["bench/t/not"])
    zfs("set", "com.sun:auto-snapshot=true", "bench/t")
    zfs("set", "com.sun:auto-snapshot=false", "bench/t/not")
    for n in range(30):
        set_clock(BEGAN + n * HOUR)
        stamp = time.strftime(STAMP, time.gmtime(BEGAN + n * HOUR))
        began = time.monotonic()
        zfs_core.snapshot([f"{name}@{stamp}" for name in names])
        say(f"{count} snapshots, the {n + 1}th of 30 times: {time.monotonic() - began:.0f} s")
    sh("zpool", "export", "bench")


def rename_snapshots(image):
    sh("zpool", "import", "-N", "-d", image, "bench")
    for line in zfs("list", "-H", "-o", "name", "-t", "snapshot", "-d", "1", "bench/t").split():
        then = time.strptime(line.split("@")[1], STAMP)
        began = time.monotonic()
        zfs("rename", "-r", line, "bench/t@" + time.strftime(OF_SANOID, then))
        say(f"{line} renamed: {time.monotonic() - began:.0f} s")
    sh("zpool", "export", "bench")


def made(kept, folder, count, stamp):
    """The image of the pool `bench`, exported."""
    image = kept / f"{count}-{stamp.split('_')[0]}.img"
    if not image.exists():
        being = folder / "being-made.img"
        if stamp == STAMP:
            make_pool(being, count)
        else:
            sh("cp", "--sparse=always", made(kept, folder, count, STAMP), being)
            rename_snapshots(being)
        sh("cp", "--sparse=always", being, kept / "part")
        (kept / "part").rename(image)
        being.unlink()
    return image
