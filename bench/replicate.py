"""An incremental run over a tree of small datasets, and a run that finds nothing to do: dormouse, syncoid, bzfs,
zfs-replicate, zfs-autobackup, and a loop of `zfs send | ssh zfs receive`. The same tree and the same sshd, in turns, so
that what disturbs one disturbs all. Each has an archive of its own; the first copy is made once, and is the beginning of
all of them. --delay adds that to every round trip; --big: the first copy of one dataset. --without leaves out what would
take hours."""

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
import accounting  # noqa: E402  # conftest knows where
import zfs_core  # noqa: E402

ROOT = "tank/home"
FAR = "root@127.0.0.1"


def datasets():
    return zfs("list", "-H", "-o", "name", "-r", ROOT).split()


def by_dormouse(world, before, now):
    world.run("backup", "safe", check=0, timeout=7200)


def by_syncoid(world, before, now):
    sh("syncoid", "-r", "--quiet", "--no-sync-snap", "--compress=none", f"--sshport={world.port}",
       f"--sshkey={world.folder}/id", ROOT, f"{FAR}:vault/syncoid")  # fmt: skip


def by_bzfs(world, before, now):
    sh(sys.executable, "-m", "bzfs_main.bzfs", ROOT, f"{FAR}:vault/bzfs", "--recursive", "--quiet",
       f"--ssh-dst-config-file={world.folder}/bzfs_ssh_config", "--compression-program=-", "--mbuffer-program=-",
       "--pv-program=-")  # fmt: skip


def by_zfs_replicate(world, before, now):
    sh(sys.executable, "-c", "from zfs.replicate.cli.main import main; main()", "--recursive", "-l", "root", "-i",
       f"{world.folder}/id", "-p", world.port, "--compression", "off", "127.0.0.1", "vault/zr", ROOT)  # fmt: skip


def by_zfs_autobackup(world, before, now):
    sh(sys.executable, "-m", "zfs_autobackup.ZfsAutobackup", "--other-snapshots", "--no-snapshot", "--no-progress", "--strip-path=1",
       "--ssh-config", f"{world.folder}/autobackup_ssh_config", "--ssh-target", "archive", "bench",
       "vault/zab")  # fmt: skip


def by_loop(world, before, now):
    if before == now:
        return
    far = f"ssh -i {world.folder}/id -p {world.port} {FAR}"
    for name in datasets():
        base = f"-i @{before} " if before else ""
        sh("sh", "-c", f"zfs send -L -c -e {base}{name}@{now} | {far} zfs receive -u vault/loop/{name.removeprefix('tank/')}")


TOOLS = {"dormouse": by_dormouse, "syncoid": by_syncoid, "bzfs": by_bzfs, "zfs-replicate": by_zfs_replicate,
         "zfs-autobackup": by_zfs_autobackup,
         "by hand, a loop": by_loop}  # fmt: skip

# Where each has its copy of ROOT.
PLACES = {"dormouse": "vault/backup/tank/home", "syncoid": "vault/syncoid", "bzfs": "vault/bzfs",
          "zfs-replicate": "vault/zr/tank/home", "zfs-autobackup": "vault/zab/home", "by hand, a loop": "vault/loop/home"}  # fmt: skip


def known_host(world):
    """What each of the tools needs to find the machine: it may ask nobody."""
    folder = pathlib.Path.home() / ".ssh"
    folder.mkdir(mode=0o700, exist_ok=True)
    (folder / "known_hosts").write_text(f"[127.0.0.1]:{world.port} {world.host_key}\n")
    # bzfs wants a configuration whose name says that it is its own.
    (world.folder / "bzfs_ssh_config").write_text(f"IdentityFile {world.folder}/id\nPort {world.port}\n")
    (world.folder / "autobackup_ssh_config").write_text(
        f"Host archive\n  HostName 127.0.0.1\n  User root\n  IdentityFile {world.folder}/id\n  Port {world.port}\n"
        f"  ControlMaster auto\n  ControlPath {world.folder}/zab-%r\n  ControlPersist 1h\n"
    )


def say(text):
    print(text, file=sys.stderr, flush=True)


class Archives:
    """One pool at a time: that of the tool whose turn it is."""

    def __init__(self, world):
        self.disk = world.folder / "disks/vault.img"
        self.of = "dormouse"

    def give(self, name):
        if name == self.of:
            return
        sh("zpool", "export", "vault")
        self.disk.rename(self.disk.with_name(self.of))
        its = self.disk.with_name(name)
        if its.exists():
            its.rename(self.disk)
        else:
            sh("cp", "--sparse=always", self.disk.with_name("first"), self.disk)
        sh("zpool", "import", "-N", "-d", self.disk, "vault")
        if zfs("list", "-H", "-o", "name", PLACES["dormouse"], check=False):
            if PLACES[name].count("/") > 1:
                zfs("create", "-p", PLACES[name].rpartition("/")[0])
            zfs("rename", PLACES["dormouse"], PLACES[name])
            zfs("destroy", "-r", "vault/backup")
        self.of = name

    def keep_first(self):
        sh("zpool", "export", "vault")
        sh("cp", "--sparse=always", self.disk, self.disk.with_name("first"))
        sh("zpool", "import", "-N", "-d", self.disk, "vault")


def measure(world, rounds, count, snapshots):
    """{tool: ([seconds of a run], [seconds of one with nothing to do], programs of a run, of one with nothing)}"""
    zfs("create", ROOT)
    zfs("set", "autobackup:bench=true", ROOT)  # how zfs-autobackup is told what to take
    zfs_core.create([f"{ROOT}/d{n}" for n in range(count - 1)])
    zfs("mount", "-a")
    found = {name: ([], [], {}, {}) for name in TOOLS}
    for n in range(1, snapshots):
        zfs_core.snapshot([f"{name}@before{n:03}" for name in datasets()])
    archives = Archives(world)
    names = list(TOOLS)
    for turn in range(rounds + 1):
        for name in datasets():
            (world.folder / "mnt" / name.removeprefix("tank/") / "file").write_bytes(os.urandom(64 << 10))
        zfs_core.snapshot([f"{name}@bench{turn}" for name in datasets()])
        if turn == 0:
            by_dormouse(world, None, None)
            archives.keep_first()
            say("the first copy is there")
            continue
        for name in names[turn % len(names) :] + names[: turn % len(names)]:
            archives.give(name)
            for idle, base in ((0, f"bench{turn - 1}"), (1, f"bench{turn}")):
                accounting.begin()
                began = time.monotonic()
                TOOLS[name](world, base, f"bench{turn}")
                took = time.monotonic() - began
                say(f"{name}: {took:.1f} s")
                programs = accounting.end()
                found[name][idle].append(took)
                found[name][2 + idle].update(ssh=programs["ssh"], zfs=programs["zfs"] + programs["zpool"])
    archives.give("dormouse")
    return found


def measure_big(world, rounds, mib):
    """{tool: [seconds]}, of the first copy of one dataset: random bytes, and text that lz4 halves."""
    zfs("create", "-o", "compression=lz4", ROOT)
    zfs("set", "autobackup:bench=true", ROOT)
    with open(world.folder / "mnt/home/random", "wb") as f:
        for _ in range(mib // 2):
            f.write(os.urandom(1 << 20))
    with open(world.folder / "mnt/home/text", "wb") as f:
        for _ in range(mib // 2):
            f.write(b"".join(os.urandom(512) + bytes(512) for _ in range(1 << 10)))
    zfs("snapshot", f"{ROOT}@bench")
    found = {name: [] for name in TOOLS}
    names = list(TOOLS)
    for turn in range(rounds):
        for name in names[turn % len(names) :] + names[: turn % len(names)]:
            began = time.monotonic()
            TOOLS[name](world, None, "bench")
            found[name].append(time.monotonic() - began)
            say(f"{name}: {found[name][-1]:.1f} s")
            # What it made is taken away again; what it marked at the source as well.
            snapshots = zfs("list", "-H", "-o", "name", "-t", "snapshot").split()
            for line in zfs("holds", "-H", *snapshots).splitlines():
                snapshot, tag, _ = line.split("\t")
                zfs("release", tag, snapshot)
            for line in zfs("list", "-H", "-o", "name", "-t", "bookmark", "-r", ROOT).split():
                zfs("destroy", line)
            for place in ("backup", "syncoid", "bzfs", "zr", "zab", "loop"):
                sh("zfs", "destroy", "-r", f"vault/{place}", check=False)
            for place in ("backup", "zab", "loop"):
                zfs("create", f"vault/{place}")
            sh("zpool", "wait", "-t", "free", "vault")
    return found


def show_big(found):
    base = statistics.median(found["dormouse"])
    print("| | median s | min | max | / dormouse |\n|---|---|---|---|---|")
    for name, times in found.items():
        mid = statistics.median(times)
        print(f"| {name} | {mid:.2f} | {min(times):.2f} | {max(times):.2f} | {mid / base:.2f} |")


def show(found, idle):
    base = statistics.median(found["dormouse"][idle])
    print("| | median s | min | max | / dormouse | ssh | zfs, zpool |\n|---|---|---|---|---|---|---|")
    for name, of in found.items():
        times, programs = of[idle], of[2 + idle]
        if name == "by hand, a loop" and idle:
            continue
        mid = statistics.median(times)
        print(f"| {name} | {mid:.2f} | {min(times):.2f} | {max(times):.2f} | {mid / base:.1f} | {programs['ssh']} |"
              f" {programs['zfs']} |")  # fmt: skip


def versions():
    zfs_version = zfs("version").split()[0]
    syncoid = sh("syncoid", "--version", check=False).stdout.split()
    ssh = subprocess.run(["ssh", "-V"], stderr=subprocess.PIPE, text=True, check=True).stderr.split(",")[0]
    peers = ", ".join(sorted(p.stem.removesuffix(".dist-info").replace("-", " ") for p in
                             pathlib.Path(os.environ["PYTHONPATH"]).glob("*zfs*.dist-info")))  # fmt: skip
    return f"{zfs_version}, {ssh}, syncoid {syncoid[-1].rstrip(')') if syncoid else '?'}, {peers}"


def main():
    p = argparse.ArgumentParser()
    p.add_argument("--rounds", type=int, default=5)
    p.add_argument("--datasets", type=int, default=40)
    p.add_argument("--snapshots", type=int, default=1, help="that each of them has when the first copy is made")
    p.add_argument("--without", action="append", default=[], choices=list(TOOLS), metavar="TOOL", help="may be repeated")
    p.add_argument("--delay", type=int, default=0, help="milliseconds that every round trip takes longer")
    p.add_argument("--big", type=int, metavar="MIB", help="instead: the first copy of one dataset of that size")
    args = p.parse_args()
    for name in args.without:
        TOOLS.pop(name, None)
    if args.delay > 0:
        sh("modprobe", "sch_netem")
        sh("tc", "qdisc", "add", "dev", "lo", "root", "netem", "delay", f"{args.delay / 2}ms")
    with tempfile.TemporaryDirectory() as folder:
        world = World(pathlib.Path(folder), size=f"{3 * args.big}M" if args.big else "2G")
        try:
            known_host(world)
            world.write_config(world.host_key, snapshots="")
            world.config.write_text(world.config.read_text().replace("  ssh {", '  linger = "1h"\n  ssh {'))
            world.run("wake", "archiver", check=0)  # the others have nothing that could wake it
            zfs("create", "vault/loop")
            zfs("create", "vault/zab")
            found = measure_big(world, args.rounds, args.big) if args.big else measure(
                world, args.rounds, args.datasets, args.snapshots
            )
        finally:
            world.end()
    if args.big:
        print(f"One dataset of {args.big} MiB, {args.rounds} rounds in turns, {args.delay} ms of delay. {versions()}.\n")
        return show_big(found)
    print(f"{args.datasets} datasets of {args.snapshots} snapshots, {args.rounds} rounds in turns, {args.delay} ms of delay. {versions()}.\n")
    print("64 KiB new in each:\n")
    show(found, 0)
    print("\nNothing to do:\n")
    show(found, 1)


main()
