"""Passes (take what is due, destroy what is too many), an hour apart, over many datasets with 30 snapshots each:
dormouse, zfs-auto-snapshot, sanoid.  Wall time and the number of programs that were started, each time.  Each pass takes
one snapshot of each dataset and destroys one."""

import argparse
import os
import pathlib
import statistics
import sys
import tempfile
import time

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent.parent / "tests" / "zfs"))
from conftest import DORMOUSE, sh, zfs  # noqa: E402
from measure import measure  # noqa: E402
from pools import BEGAN, HOUR, OF_SANOID, STAMP, cache_as_on_a_host, made, set_clock  # noqa: E402

KEEP = 30


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
    "dormouse": (STAMP, dormouse),
    "zfs-auto-snapshot": (STAMP, auto_snapshot),
    "sanoid": (OF_SANOID, sanoid),
}


def snapshots(name):
    return len(zfs("list", "-H", "-o", "name", "-t", "snapshot", "-d", "1", name).splitlines())


def main():
    p = argparse.ArgumentParser()
    p.add_argument("kept", type=pathlib.Path, help="folder for the images of the pools")
    p.add_argument("--datasets", type=int, default=1000)
    p.add_argument("--passes", type=int, default=3, help="of dormouse, whose first one knows nothing yet")
    p.add_argument("--peers-passes", type=int, default=1, help="of the others, who know nothing in any")
    p.add_argument("--at-most", type=float, default=20, help="a peer is ended after so many times dormouse's time")
    p.add_argument("--only", help="one of the tools")
    p.add_argument("--make", action="store_true", help="only make the images that are not there")
    args = p.parse_args()
    if not pathlib.Path("/run/vm").exists():
        sys.exit("this sets the clock, so it runs only in a guest of its own: DORMOUSE_VM=always bench/run snapshots")
    cache_as_on_a_host()
    tools = {tool: TOOLS[tool] for tool in TOOLS if args.only in (None, tool)}
    with tempfile.TemporaryDirectory() as where:
        folder = pathlib.Path(where)
        images = {tool: made(args.kept, folder, args.datasets, stamp) for tool, (stamp, _) in tools.items()}
        if not args.make:
            compare(args, folder, tools, images)


def compare(args, folder, tools, images):
    print(f"{args.datasets} datasets with 30 snapshots, {KEEP} kept; one dataset left out; all mounted.\n"
          "Passes an hour apart. Ratios are to the median of dormouse's passes but the first.\n")
    print("| | pass | s | / dormouse | programs | snapshots of one dataset before, after |\n|---|---|---|---|---|---|", flush=True)
    ours = []
    for tool, (_, make) in tools.items():
        # Each has a copy of its own, and no other pool is there.
        (folder / tool).mkdir()
        sh("cp", "--sparse=always", images[tool], folder / tool / "bench.img")
        now = BEGAN + 30 * HOUR
        set_clock(now)
        sh("zpool", "import", "-d", folder / tool, "bench")
        argv, env = make(folder / tool, "bench")
        for n in range(args.passes if make is dormouse else args.peers_passes):
            # One dataset stands for all: to count those of 1,000 takes as long as a pass.
            before = snapshots("bench/t/d0")
            base = statistics.median(ours[1:] or ours) if ours else None
            most = None if make is dormouse or base is None else args.at_most * base
            took = measure(argv, env, most)
            if make is dormouse:
                ours.append(took.seconds)
            more = ">" if took.ended else ""
            print(f"| {tool} | {n + 1} | {more}{took.seconds:.1f} | {more}{took.seconds / (base or took.seconds):.1f} "
                  f"| {more}{took.programs.total()} | {before}, {snapshots('bench/t/d0')}"
                  f"{', ' if took.failure else ''}{took.failure} |", flush=True)  # fmt: skip
            now += HOUR
            set_clock(now)
        sh("zpool", "destroy", "bench")
        (folder / tool / "bench.img").unlink()


main()
