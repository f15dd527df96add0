"""Passes (take what is due, destroy what is too many), an hour apart, over many datasets with 30 snapshots each:
dormouse, zfs-auto-snapshot, sanoid.  Wall time and the number of programs that were started, each time.  Each pass takes
one snapshot of each dataset and destroys one."""

import argparse
import os
import pathlib
import statistics
import subprocess
import sys
import tempfile
import time

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent.parent / "tests" / "zfs"))
from conftest import DORMOUSE, sh, zfs  # noqa: E402
import accounting  # noqa: E402  # conftest knows where
import zfs_core  # noqa: E402

KEEP = 30
STAMP = "zfs-auto-snap_hourly-%Y-%m-%d-%H%M"  # zfs-auto-snapshot's, which dormouse reads as well


def make_pool(image, count):
    """count datasets with 30 snapshots an hour apart (for that, and so that the last is an hour old, the guest's own
    clock is set), and one that is left out."""
    sh("truncate", "-s", "1G", image)
    sh("zpool", "create", "-O", f"mountpoint={image.parent}/mnt", "bench", image)
    names = ["bench/t"] + [f"bench/t/d{n}" for n in range(count - 1)]
    zfs_core.create(names[:1])
    zfs_core.create(names[1:] + ["bench/t/not"])
    zfs("set", "com.sun:auto-snapshot=true", "bench/t")
    zfs("set", "com.sun:auto-snapshot=false", "bench/t/not")
    now = int(time.time())
    for n in range(30, 0, -1):
        sh("date", "-s", f"@{now - n * 3600}")
        stamp = time.strftime(STAMP, time.gmtime(now - n * 3600))
        zfs_core.snapshot([f"{name}@{stamp}" for name in names])
    sh("date", "-s", f"@{now}")
    sh("zpool", "export", "bench")


def rename_snapshots(stamp):
    for line in zfs("list", "-H", "-o", "name", "-t", "snapshot", "-d", "1", "bench/t").split():
        then = time.strptime(line.split("@")[1], STAMP)
        zfs("rename", "-r", line, "bench/t@" + time.strftime(stamp, then))


def dormouse(folder, name):
    config = folder / "config.hcl"
    config.write_text(f"snapshots {{\n  hourly = {KEEP}\n}}\n")
    env = dict(os.environ, DORMOUSE_RUNTIME_DIR=str(folder / "run"), DORMOUSE_STATE_DIR=str(folder / "state"))
    return [DORMOUSE, "snapshot", "-c", str(config)], env


def auto_snapshot(folder, name):
    return ["zfs-auto-snapshot", "--quiet", "--default-exclude", "--label=hourly", f"--keep={KEEP}", "//"], None


def sanoid(folder, name):
    etc = folder / "sanoid"
    etc.mkdir()
    defaults = pathlib.Path("/usr/share/sanoid/sanoid.defaults.conf")
    (etc / "sanoid.defaults.conf").write_text(defaults.read_text())
    (etc / "sanoid.conf").write_text(
        f"[{name}/t/not]\n  use_template = none\n[template_none]\n  autosnap = no\n  autoprune = no\n"
        f"[{name}/t]\n  recursive = yes\n  frequently = 0\n  hourly = {KEEP - 1}\n  daily = 0\n  monthly = 0\n  yearly = 0\n"
        "  autosnap = yes\n  autoprune = yes\n"
    )
    dirs = [f"--{kind}-dir={folder}/{kind}" for kind in ("cache", "run")]
    for kind in ("cache", "run"):
        (folder / kind).mkdir(exist_ok=True)
    # It prunes what it saw before it took the new ones, so that one less makes it destroy one in each pass, too.
    return ["sanoid", "--cron", "--quiet", f"--configdir={etc}", *dirs], None


TOOLS = {
    "dormouse": (None, dormouse),
    "zfs-auto-snapshot": (None, auto_snapshot),
    "sanoid": ("autosnap_%Y-%m-%d_%H:%M:%S_hourly", sanoid),
}


def snapshots(name):
    return len(zfs("list", "-H", "-o", "name", "-t", "snapshot", "-r", f"{name}/t").splitlines())


def main():
    p = argparse.ArgumentParser()
    p.add_argument("--datasets", type=int, default=1000)
    p.add_argument("--passes", type=int, default=3, help="of dormouse, whose first one knows nothing yet")
    p.add_argument("--peers-passes", type=int, default=2, help="of the others, who know nothing in any")
    p.add_argument("--only", help="one of the tools")
    args = p.parse_args()
    if not pathlib.Path("/run/vm").exists():
        sys.exit("this sets the clock, so it runs only in a guest of its own: DORMOUSE_VM=always bench/run snapshots")
    print(f"{args.datasets} datasets with 30 snapshots, {KEEP} kept; one dataset left out; all mounted.\n"
          "Passes an hour apart. Ratios are to the median of dormouse's passes but the first.\n")
    print("| | pass | s | / dormouse | programs | snapshots before, after |\n|---|---|---|---|---|---|", flush=True)
    ours = []
    with tempfile.TemporaryDirectory() as where:
        folder = pathlib.Path(where)
        make_pool(folder / "made.img", args.datasets)
        for tool, (stamp, make) in TOOLS.items():
            if args.only not in (None, tool):
                continue
            # Each has a copy of its own, and no other pool is there.
            (folder / tool).mkdir()
            sh("cp", "--sparse=always", folder / "made.img", folder / tool / "bench.img")
            sh("zpool", "import", "-d", folder / tool, "bench")
            if stamp is not None:
                rename_snapshots(stamp)
            argv, env = make(folder / tool, "bench")
            for n in range(args.passes if make is dormouse else args.peers_passes):
                before = snapshots("bench")
                accounting.begin()
                began = time.monotonic()
                done = subprocess.run(argv, env=env, check=False, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)
                took, programs = time.monotonic() - began, sum(accounting.end().values())
                if make is dormouse:
                    ours.append(took)
                print(f"| {tool} | {n + 1} | {took:.1f} | {took / statistics.median(ours[1:] or ours or [took]):.1f} | {programs} | {before}, {snapshots('bench')}"
                      f"{'' if done.returncode == 0 else ', exit ' + str(done.returncode) + ': ' + done.stdout[-300:]} |",
                      flush=True)  # fmt: skip
                sh("date", "-s", f"@{int(time.time()) + 3600}")
            sh("zpool", "destroy", "bench")
            (folder / tool / "bench.img").unlink()


main()
