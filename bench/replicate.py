"""One incremental run over a tree of small datasets, by dormouse, by syncoid, and by a loop of `zfs send | ssh zfs
receive`: the same tree, the same sshd, in turns, so that what disturbs one disturbs all."""

import argparse
import os
import pathlib
import statistics
import subprocess
import sys
import tempfile
import time

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent.parent / "tests" / "zfs"))
from conftest import World, sh, zfs  # noqa: E402

ROOT = "tank/home"


def ssh_words(world):
    return ["ssh", "-F", "none", "-i", f"{world.folder}/id", "-p", str(world.port), "-o", "BatchMode=yes",
            "-o", "StrictHostKeyChecking=no", "-o", "UserKnownHostsFile=/dev/null", "-o", "LogLevel=ERROR"]  # fmt: skip


def datasets():
    return zfs("list", "-H", "-o", "name", "-r", ROOT).split()


def by_dormouse(world, before, now):
    world.run("backup", "safe", check=0, timeout=1200)


def by_syncoid(world, before, now):
    options = [f"--sshoption={o}" for o in ("StrictHostKeyChecking=no", "UserKnownHostsFile=/dev/null", "LogLevel=ERROR")]
    sh("syncoid", "-r", "--quiet", "--no-sync-snap", "--compress=none", f"--sshport={world.port}",
       f"--sshkey={world.folder}/id", *options, ROOT, "root@127.0.0.1:vault/syncoid")  # fmt: skip


def by_loop(world, before, now):
    far = " ".join(ssh_words(world)) + " root@127.0.0.1"
    for name in datasets():
        base = f"-i @{before} " if before else ""
        rest = name.removeprefix(ROOT).replace("/", "_") or "_"
        sh("sh", "-c", f"zfs send -L -c -e {base}{name}@{now} | {far} zfs receive -u vault/loop/{rest}")


TOOLS = {"dormouse": by_dormouse, "syncoid": by_syncoid, "loop": by_loop}


def measure(world, rounds, count):
    zfs("create", ROOT)
    for n in range(count - 1):
        zfs("create", f"{ROOT}/d{n}")
    took = {name: [] for name in TOOLS}
    before = None
    for turn in range(rounds + 1):
        for name in datasets():
            (world.folder / "mnt" / name.removeprefix("tank/") / "file").write_bytes(os.urandom(64 << 10))
        now = f"bench{turn}"
        zfs("snapshot", "-r", f"{ROOT}@{now}")
        names = list(TOOLS)
        for name in names[turn % 3 :] + names[: turn % 3]:
            began = time.monotonic()
            TOOLS[name](world, before, now)
            if turn > 0:  # the first is the full copy
                took[name].append(time.monotonic() - began)
        before = now
    return took


def main():
    p = argparse.ArgumentParser()
    p.add_argument("--rounds", type=int, default=5)
    p.add_argument("--datasets", type=int, default=40)
    args = p.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        world = World(pathlib.Path(folder))
        try:
            world.write_config(world.host_key, snapshots="")
            world.config.write_text(world.config.read_text().replace("  ssh {", '  linger = "1h"\n  ssh {'))
            world.run("wake", "archiver", check=0)  # the others have nothing that could wake it
            zfs("create", "vault/loop")
            took = measure(world, args.rounds, args.datasets)
        finally:
            world.end()
    base = statistics.median(took["dormouse"])
    print(f"{args.datasets} datasets, 64 KiB new in each, {args.rounds} rounds in turns; seconds")
    print(f"{'':10} {'median':>8} {'min':>8} {'max':>8} {'/ dormouse':>11}")
    for name, times in took.items():
        mid = statistics.median(times)
        print(f"{name:10} {mid:8.2f} {min(times):8.2f} {max(times):8.2f} {mid / base:11.2f}")


main()
