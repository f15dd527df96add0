"""What it adds to a run that somebody is told of it: the same run with nobody to tell and with ten sinks, in turns. A script
stands in for zfs, so the run itself is as short as one can be. Processor time is counted, which others on the machine
change little: of the run's own process, and of all that works for it beside it (keeper, deliver, courier)."""

import argparse
import os
import pathlib
import statistics
import subprocess
import sys
import tempfile
import time

HERE = pathlib.Path(__file__).resolve()
sys.path.insert(0, str(HERE.parent.parent / "tests" / "cli"))
from report_world import DORMOUSE, World, one_of  # noqa: E402

SINKS = 10


def stand_in(w, datasets):
    """As many datasets as wanted, in place of three."""
    names = w.folder / "names"
    names.write_text("".join(f"/d{n:05}\n" for n in range(1, datasets)))
    for path in (w.folder / "bin").iterdir():
        path.write_text(path.read_text().replace("'' /a /b", f"'' $(cat {names})"))


def beside(daemon):
    """Seconds of the daemon and of all it has started and waited for."""
    fields = pathlib.Path(f"/proc/{daemon.pid}/stat").read_text().rsplit(") ", 1)[1].split()
    return sum(map(int, fields[11:15])) / os.sysconf("SC_CLK_TCK")


def run(w):
    before, began = beside(w.daemon), time.monotonic()
    p = subprocess.Popen([DORMOUSE, "backup"], env=w.env, stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL,
                         stderr=subprocess.DEVNULL)  # fmt: skip
    _, status, used = os.wait4(p.pid, 0)
    p.returncode = os.waitstatus_to_exitcode(status)
    took = time.monotonic() - began
    assert p.returncode == 0, p.returncode
    w.all_told()
    return took, used.ru_utime + used.ru_stime, beside(w.daemon) - before


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--datasets", type=int, default=10)
    parser.add_argument("--rounds", type=int, default=20)
    args = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="b") as folder:
        worlds = {}
        for name, sinks in (("nobody", 0), (f"{SINKS} sinks", SINKS)):
            path = pathlib.Path(folder) / str(sinks)
            path.mkdir()
            w = worlds[name] = World(path)
            stand_in(w, args.datasets)
            w.write("".join(one_of(f"s{n}", w) for n in range(sinks)))
            w.sinks.start()
            w.stay()
        figures = {name: [] for name in worlds}
        try:
            for turn in range(args.rounds + 1):
                for name, w in worlds.items():
                    figures[name] += [run(w)] if turn > 0 else run(w)[:0]
        finally:
            for w in worlds.values():
                w.end()
    print(f"{args.datasets} datasets, {args.rounds} runs each, medians\n\n| told | the run, s | its own CPU, ms | beside it, CPU ms |\n|---|---|---|---|")
    for name, all_of in figures.items():
        took, own, other = (statistics.median(x) for x in zip(*all_of))
        print(f"| {name} | {took:.3f} | {own * 1000:.0f} | {other * 1000:.0f} |")


main()
