"""An incremental run over a tree of small datasets with 30 snapshots each, and a run that finds nothing to do: dormouse,
syncoid, bzfs, zfs-replicate, zfs-autobackup, and a loop of `zfs send | ssh zfs receive`. The same tree and the same sshd,
in turns, so that what disturbs one disturbs all. Each has an archive of its own, which begins as a byte for byte copy of
the source: all have to find out by GUID that it is one. --delay adds that to every round trip; --big: the first copy of
one dataset."""

import argparse
import os
import pathlib
import statistics
import subprocess
import sys
import tempfile

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent.parent / "tests" / "zfs"))
from conftest import DORMOUSE, World, sh, zfs  # noqa: E402
from measure import measure  # noqa: E402
from pools import STAMP, cache_as_on_a_host, made, say  # noqa: E402
import zfs_core  # noqa: E402

ROOT = "tank/home"
FAR = "root@127.0.0.1"


def dormouse(world, before, now):
    return [DORMOUSE, "backup", "safe"]


def syncoid(world, before, now):
    return ["syncoid", "-r", "--quiet", "--no-sync-snap", "--compress=none", f"--sshport={world.port}",
            f"--sshkey={world.folder}/id", ROOT, f"{FAR}:vault/syncoid"]  # fmt: skip


def bzfs(world, before, now):
    return [sys.executable, "-m", "bzfs_main.bzfs", ROOT, f"{FAR}:vault/bzfs", "--recursive", "--quiet",
            f"--ssh-dst-config-file={world.folder}/bzfs_ssh_config", "--compression-program=-", "--mbuffer-program=-",
            "--pv-program=-"]  # fmt: skip


def zfs_replicate(world, before, now):
    return [sys.executable, "-c", "from zfs.replicate.cli.main import main; main()", "--recursive", "-l", "root", "-i",
            f"{world.folder}/id", "-p", world.port, "--compression", "off", "127.0.0.1", "vault/zr", ROOT]  # fmt: skip


def zfs_autobackup(world, before, now):
    return [sys.executable, "-m", "zfs_autobackup.ZfsAutobackup", "--other-snapshots", "--no-snapshot", "--no-progress",
            "--strip-path=1", "--ssh-config", f"{world.folder}/autobackup_ssh_config", "--ssh-target", "archive", "bench",
            "vault/zab"]  # fmt: skip


def each(before, now, far):
    base = f"-i @{before} " if before else ""
    return ["sh", "-ec", f'for d in $(zfs list -H -o name -r {ROOT}); do '
            f'zfs send -L -c -e {base}"$d@{now}" | {far}zfs receive -u "vault/loop/${{d#tank/}}"; done']  # fmt: skip


def loop(world, before, now):
    return each(before, now, f"ssh -i {world.folder}/id -p {world.port} {FAR} ")


def pipe(world, before, now):
    return each(before, now, "")


# What runs, and where it has its copy of ROOT.
TOOLS = {
    "dormouse": (dormouse, "vault/backup/tank/home"),
    "syncoid": (syncoid, "vault/syncoid"),
    "bzfs": (bzfs, "vault/bzfs"),
    "zfs-replicate": (zfs_replicate, "vault/zr/tank/home"),
    "zfs-autobackup": (zfs_autobackup, "vault/zab/home"),
    "by hand, a loop": (loop, "vault/loop/home"),
    "send and receive, no ssh": (pipe, "vault/loop/home"),
}
BY_HAND = {"by hand, a loop", "send and receive, no ssh"}  # they do not look whether there is something to do


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


def run(world, name, before, now, most=None):
    took = measure(TOOLS[name][0](world, before, now), world.env if name == "dormouse" else None, most)
    say(f"{name}: {'ended after ' if took.ended else ''}{took.seconds:.1f} s")
    assert took.failure == "", took.failure
    return took


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
        its, place = self.disk.with_name(name), TOOLS[name][1]
        if its.exists():
            its.rename(self.disk)
        else:
            sh("cp", "--sparse=always", self.disk.with_name("first"), self.disk)
        sh("zpool", "import", "-N", "-d", self.disk, "vault")
        if sh("zfs", "list", TOOLS["dormouse"][1], check=False).returncode == 0:
            if place.count("/") > 1:
                zfs("create", "-p", place.rpartition("/")[0])
            zfs("rename", TOOLS["dormouse"][1], place)
            zfs("destroy", "-r", "vault/backup")
        self.of = name


def replace_pools(world, image):
    """The image is the source and, as another pool, what each archive begins as."""
    disk = world.folder / "disks/vault.img"
    sh("zpool", "destroy", "tank")
    for pool, place, root in (("vault", disk, TOOLS["dormouse"][1]), ("tank", world.folder / "tank.img", ROOT)):
        sh("cp", "--sparse=always", image, place)
        sh("zpool", "import", "-N", "-d", place, "bench", pool)
        zfs("set", f"mountpoint={world.folder / 'mnt' if pool == 'tank' else 'none'}", pool)
        zfs("destroy", f"{pool}/t/not")
        if root.count("/") > 1:
            zfs("create", "-p", root.rpartition("/")[0])
        zfs("rename", f"{pool}/t", root)
        if pool == "vault":
            sh("zpool", "reguid", pool)
            sh("zpool", "export", pool)
            sh("cp", "--sparse=always", disk, disk.with_name("first"))
    zfs("set", "autobackup:bench=true", ROOT)  # how zfs-autobackup is told what to take
    zfs("mount", "-a")


def measure_many(world, args):
    """({tool: ([a run's Took], [that of one with nothing to do])}, dormouse's first run)"""
    names, datasets = list(TOOLS), zfs("list", "-H", "-o", "name", "-r", ROOT).split()
    found = {name: ([], []) for name in names}
    archives = Archives(world)
    last = zfs("list", "-H", "-o", "name", "-s", "createtxg", "-t", "snapshot", "-d", "1", ROOT).split()[-1].split("@")[1]
    first = run(world, "dormouse", None, last)
    for turn in range(args.rounds):
        before, last = last, f"bench{turn}"
        if not args.nothing_new:
            for name in datasets:
                (world.folder / "mnt" / name.removeprefix("tank/") / "file").write_bytes(os.urandom(64 << 10))
            zfs_core.snapshot([f"{name}@{last}" for name in datasets])
        for name in names[turn % len(names) :] + names[: turn % len(names)]:
            archives.give(name)
            for idle in (0, 1):
                if (args.nothing_new and not idle) or (idle and name in BY_HAND):
                    continue
                ours = [t.seconds for t in found["dormouse"][idle]]
                most = args.at_most * statistics.median(ours) if ours and name not in BY_HAND | {"dormouse"} else None
                found[name][idle].append(run(world, name, before, last, most))
                if found[name][idle][-1].ended:
                    break  # It has not done what the next would find done.
    archives.give("dormouse")
    return found, first


def measure_big(world, rounds, mib):
    """{tool: [Took]}, of the first copy of one dataset: random bytes, and text that lz4 halves."""
    zfs("create", "-o", "compression=lz4", ROOT)
    zfs("set", "autobackup:bench=true", ROOT)
    with open(world.folder / "mnt/home/random", "wb") as f:
        for _ in range(mib // 2):
            f.write(os.urandom(1 << 20))
    with open(world.folder / "mnt/home/text", "wb") as f:
        for _ in range(mib // 2):
            f.write(b"".join(os.urandom(512) + bytes(512) for _ in range(1 << 10)))
    zfs("snapshot", f"{ROOT}@bench")
    for place in ("loop", "zab"):
        zfs("create", f"vault/{place}")
    names = list(TOOLS)
    found = {name: [] for name in names}
    for turn in range(rounds):
        for name in names[turn % len(names) :] + names[: turn % len(names)]:
            found[name].append(run(world, name, None, "bench"))
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


def show(found):
    base = statistics.median(t.seconds for t in found["dormouse"])
    print("| | median s | min | max | / dormouse | ssh | zfs, zpool |\n|---|---|---|---|---|---|---|")
    for name, took in found.items():
        if not took:
            continue
        seconds, more = [t.seconds for t in took], ">" if any(t.ended for t in took) else ""
        mid, programs = statistics.median(seconds), took[-1].programs
        print(f"| {name} | {more}{mid:.2f} | {min(seconds):.2f} | {max(seconds):.2f} | {more}{mid / base:.2f} "
              f"| {more}{programs['ssh']} | {more}{programs['zfs'] + programs['zpool']} |")  # fmt: skip
    print("\nSeconds of processors, of programs that ended:")
    for name, took in found.items():
        if took:
            cpu = took[-1].cpu
            print(f"- {name}: {sum(cpu.values()):.1f} in all; " + ", ".join(f"{p} {s:.1f}" for p, s in cpu.most_common(6)))


def versions():
    zfs_version = zfs("version").split()[0]
    of_syncoid = sh("syncoid", "--version", check=False).stdout.split()
    ssh = subprocess.run(["ssh", "-V"], stderr=subprocess.PIPE, text=True, check=True).stderr.split(",")[0]
    peers = ", ".join(sorted(p.stem.removesuffix(".dist-info").replace("-", " ") for p in
                             pathlib.Path(os.environ["PYTHONPATH"]).glob("*zfs*.dist-info")))  # fmt: skip
    return f"{zfs_version}, {ssh}, syncoid {of_syncoid[-1].rstrip(')') if of_syncoid else '?'}, {peers}"


def main():
    p = argparse.ArgumentParser()
    p.add_argument("kept", type=pathlib.Path, help="folder for the images of the pools")
    p.add_argument("--rounds", type=int, default=5)
    p.add_argument("--datasets", type=int, default=40)
    p.add_argument("--nothing-new", action="store_true", help="only runs with nothing to do")
    p.add_argument("--at-most", type=float, default=20, help="a peer is ended after so many times dormouse's time")
    p.add_argument("--without", action="append", default=[], choices=list(TOOLS), metavar="TOOL", help="may be repeated")
    p.add_argument("--delay", type=int, default=0, help="milliseconds that every round trip takes longer")
    p.add_argument("--big", type=int, metavar="MIB", help="instead: the first copy of one dataset of that size")
    args = p.parse_args()
    cache_as_on_a_host()
    for name in args.without:
        TOOLS.pop(name, None)
    if args.delay > 0:
        sh("modprobe", "sch_netem")
        sh("tc", "qdisc", "add", "dev", "lo", "root", "netem", "delay", f"{args.delay / 2}ms")
    with tempfile.TemporaryDirectory() as folder:
        folder = pathlib.Path(folder)
        image = None if args.big else made(args.kept, folder, args.datasets, STAMP)
        world = World(folder, size=f"{3 * args.big}M" if args.big else "64M")
        try:
            known_host(world)
            world.write_config(world.host_key, snapshots="")
            world.config.write_text(world.config.read_text().replace("  ssh {", '  linger = "1h"\n  ssh {'))
            if image is not None:
                replace_pools(world, image)
            world.run("wake", "archiver", check=0)  # the others have nothing that could wake it
            found = measure_big(world, args.rounds, args.big) if args.big else measure_many(world, args)
        finally:
            world.end()
    with_delay = f"{args.rounds} rounds in turns, {args.delay} ms of delay. {versions()}.\n"
    if args.big:
        print(f"One dataset of {args.big} MiB, {with_delay}")
        return show(found)
    found, first = found
    print(f"{args.datasets} datasets with 30 snapshots, {with_delay}")
    print(f"dormouse's first run, which takes over: {first.seconds:.1f} s\n")
    if not args.nothing_new:
        print("64 KiB new in each:\n")
        show({name: took[0] for name, took in found.items()})
    print("\nNothing to do:\n")
    show({name: took[1] for name, took in found.items()})


main()
