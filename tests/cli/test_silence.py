"""Failures that were silent elsewhere (docs/who-tells-whom.md, the second table): each is provoked, and something outside of
what failed says so."""

import contextlib
import json
import os
import re
import signal
import subprocess
import time

import pytest
from conftest import DORMOUSE, wait_for
from report_world import one_of, world  # noqa: F401


def breaks(w, case):
    """A zfs that does something else where the words of a case are among its own."""
    path = w.folder / "bin/zfs"
    whole = path.read_text()
    path.write_text(whole.replace("for name; do :; done\n", f"for name; do :; done\n{case}\n", 1))
    return lambda: path.write_text(whole)


@pytest.mark.parametrize("case", [
    'case "$name $*" in "tank/x "*name,type,guid*) echo "cannot open \'tank/x\': I/O error" >&2; exit 1 ;; esac',
    'case "$name $*" in "vault "*name,type,guid*) echo "cannot open \'vault\': I/O error" >&2; exit 1 ;; esac',
    'case "$*" in *snapshot,bookmark*) echo "internal error: out of memory" >&2; exit 1 ;; esac',
    'case "$name $*" in "tank/x "*name,type,guid*) exit 0 ;; esac',
    'case "$*" in *name,type,guid*) printf "tank/x\\tfilesys" ; exit 0 ;; esac',
    'case "$*" in *snapshot,bookmark*) kill -9 $$ ;; esac',
], ids=["no source", "no target", "no snapshots", "nothing at all", "half a line", "killed"])  # fmt: skip
def test_no_failure_ends_with_0(world, case):
    """Neither for people nor for programs; nor does "could not list" become "there is nothing"."""
    w = world
    w.write(one_of("ops", w))
    w.sinks.start()
    w.run("backup", check=0)
    mend = breaks(w, case)
    done = w.run("backup", check=2)
    assert "dormouse: " in done.stderr and "hint: " in done.stderr
    error = json.loads(w.run("backup", "--json", check=2).stdout)["error"]
    assert error["what"] and error["hint"] and ("tank/x" in error["what"] or "vault" in error["what"]), error
    assert "the last run failed: " + error["what"] in w.run("status", check=1).stdout
    assert w.run("status", "--check", check=2).stdout.startswith("DORMOUSE CRITICAL - x: ")
    w.all_told()
    assert [r["outcome"] for r in w.sinks.got["webhook"]] == ["success", "failed", "failed"]
    mend()
    w.run("backup", check=0)
    w.run("status", check=0)


def test_a_part_is_not_all(world):
    """One of four datasets has nothing that could be sent: everybody is told of a part."""
    w = world
    metrics = w.folder / "dormouse.prom"
    w.write(one_of("ops", w) + f'report "uptime_kuma" {{\n  url = "{w.url}/kuma"\n  token = "kuma-push-token"\n}}\n'
            + f'report "prometheus" {{ file = "{metrics}" }}\n')  # fmt: skip
    w.sinks.start()
    w.run("backup", check=0)
    (w.folder / "odd").write_text("/c")
    done = w.run("backup", "--json", check=1)
    assert [d["dataset"] for d in json.loads(done.stdout)["datasets"] if not d["proven"]] == ["tank/x/c"]
    assert "tank/x/c is NOT safe" in w.run("status", check=1).stdout
    w.all_told()
    assert [r["outcome"] for r in w.sinks.got["webhook"]] == ["success", "partial"]
    assert [r["status"] for r in w.sinks.got["uptime_kuma"]] == ["up", "down"]
    assert 'outcome="success"} 0' in metrics.read_text() and 'outcome="partial"} 1' in metrics.read_text()


def test_what_failed_is_known_after_a_restart(world):
    """A run and its keeper are killed: the next keeper says so, also to who only reads metrics."""
    w = world
    metrics = w.folder / "dormouse.prom"
    w.write(f'report "prometheus" {{ file = "{metrics}" }}\n')
    w.run("backup", check=0)
    w.stay()
    wait_for(lambda: metrics.exists() and 'outcome="success"} 1' in metrics.read_text())
    (w.folder / "slow").touch()
    run = subprocess.Popen([DORMOUSE, "backup"], env=w.env, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    wait_for(lambda: len(w.json("history", "--json")) == 2)
    for pid in [*w.pids("daemon"), run.pid]:
        os.kill(pid, signal.SIGKILL)
    run.wait()
    (w.folder / "slow").unlink()
    assert "the last run died on the way" in w.run("status", check=1).stdout  # by the next keeper
    wait_for(lambda: 'outcome="died"} 1' in metrics.read_text())
    assert 'outcome="success"} 0' in metrics.read_text()


def hears(w):
    """A report block whose command writes down the alerts that it is told, and what it was told."""
    path = w.folder / "heard"

    def heard():
        return [json.loads(line) for line in path.read_text().splitlines() if line] if path.exists() else []

    command = f'["sh", "-c", "cat >>{path}; echo >>{path}"]'
    return f'report "command" {{\n  command = {command}\n  on = ["alert"]\n}}\nalert {{ settle = "0s" }}\n', heard


def test_a_sink_that_is_deaf(world):
    """It is no failure of the backup, and status and the other sinks say so."""
    w = world
    block, heard = hears(w)
    w.write(one_of("ops", w) + block)
    w.sinks.answer = lambda kind, taken: (401, {"error": "unknown key"}, {})
    w.sinks.start()
    w.run("backup", check=0)
    w.all_told()
    assert "reports do not reach ops" in w.run("status", check=0).stdout
    w.run("alert", "check", check=0)
    wait_for(lambda: [(r["kind"], r["key"]) for r in heard()] == [("alert", "sink/ops")])
    assert "unknown key" in heard()[0]["title"] and heard()[0]["text"] == "dormouse report test"


def test_what_does_not_run_cannot_fail(world):
    """The daemon is killed, and hours later there is nothing that has failed: who asks is told, and cron's check tells."""
    w = world
    block, heard = hears(w)
    w.write(block, '  run = "hourly"\n')
    w.stay()
    wait_for(lambda: [r.get("exit") for r in w.json("history", "--json")] == [0])
    w.run("status", check=0)
    w.daemon.kill()
    w.daemon.wait()
    w.env["DORMOUSE_NOW"] = str(int(time.time()) + 4 * 3600)
    assert "x: no run has succeeded for 4 h" in w.run("status", check=1).stdout
    w.run("alert", "check", check=0)
    wait_for(lambda: [r["key"] for r in heard()] == ["backup/x"])
    assert heard()[0]["severity"] == "critical" and "is the daemon running?" in heard()[0]["text"]


def test_the_clock_was_ahead(world):
    """For a run: nothing is late until then, so that is what is told, and not for longer than it is so."""
    w = world
    block, heard = hears(w)
    w.write(block)
    now = int(time.time())
    w.env["DORMOUSE_NOW"] = str(now + 86400)
    w.run("backup", check=0)
    wait_for(lambda: not w.pids("daemon"))
    del w.env["DORMOUSE_NOW"]
    done = w.run("status", check=1)
    assert re.match("the clock says .*, and a run of 'x' is of .*: it was set back, or was ahead\nhint: ", done.stdout)
    w.run("alert", "check", check=0)
    wait_for(lambda: [r["key"] for r in heard()] == ["clock"])
    # Runs destroy nothing, and say so, until somebody says that the clock is right.
    for _ in range(2):
        assert "nothing taken or destroyed; set the clock" in w.run("backup", check=1).stderr
    w.run("prune", "--trust-clock", check=0)
    w.run("backup", check=0)
    w.run("status", check=0)


class SmallDisk:
    """Every command of a world sees its state folder on a file system of its own, which can be filled."""

    def __init__(self, w):
        state = w.folder / "state"
        state.mkdir()
        self.holder = subprocess.Popen(["unshare", "-m", "sh", "-c", f"mount -t tmpfs -o size=8m none {state} && echo && exec sleep 600"],
                                       stdout=subprocess.PIPE)  # fmt: skip
        assert self.holder.stdout.read(1)
        self.filling = f"/proc/{self.holder.pid}/root{state}/filling"
        w.within = ["nsenter", "-m", "-t", str(self.holder.pid), "--"]

    def fill(self):
        with open(self.filling, "wb", 0) as f, contextlib.suppress(OSError):
            while True:
                f.write(b"x" * 512)

    def free(self):
        os.unlink(self.filling)


@pytest.fixture
def disk(world):
    d = SmallDisk(world)
    yield d
    d.holder.kill()
    d.holder.wait()


@pytest.mark.parametrize("daemon", [True, False])
def test_the_disk_is_full(world, disk, daemon):
    """The run runs, and is told at once, by itself; who asks is told; and once there is room it is as before."""
    w = world
    check = f'check = "aaaaaaaa-0000-4000-8000-00000000000f"\n  url = "{w.url}/hc"'
    w.write(one_of("ops", w) + f'report "healthchecks" {{\n  {check}\n  on = ["failure"]\n}}\n')
    w.sinks.start()
    if daemon:
        w.stay()
    w.run("backup", check=0)
    w.all_told()
    wait_for(lambda: daemon or not w.pids("daemon"))
    disk.fill()
    done = w.run("backup", check=2)
    assert "3 of 3 datasets are on this host, proven" in done.stdout
    assert "cannot record the run: cannot use the state database: database or disk is full\nhint: " in done.stderr
    told = w.sinks.got["webhook"][-1]
    assert told["outcome"] == "failed" and "database or disk is full" in json.dumps(told)
    how, _, log = w.sinks.got["healthchecks"][-1]
    assert how == "/fail" and "look     what is there" in log
    assert w.run("status", check=1).stdout.startswith("no run can be recorded, nor told later: ")
    assert w.run("status", "--check", check=2).stdout.startswith("DORMOUSE CRITICAL - no run can be recorded")
    assert w.run("alert", "check", check=2).stderr.startswith("dormouse: cannot use the state database")
    disk.free()
    w.run("status", check=0)
    w.run("backup", check=0)
    w.all_told()
    assert [r["outcome"] for r in w.sinks.got["webhook"]] == ["success", "failed", "success"]


def test_the_disk_fills_up_on_the_way(world, disk):
    w = world
    w.write(one_of("ops", w))
    w.sinks.start()
    w.stay()
    (w.folder / "slow").touch()
    run = subprocess.Popen([*w.within, DORMOUSE, "backup"], env=w.env, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
    wait_for(lambda: len(w.json("history", "--json")) == 1)
    disk.fill()
    (w.folder / "slow").unlink()
    err = run.communicate(timeout=30)[1]
    assert run.returncode == 2 and "cannot record the run" in err
    assert [r["outcome"] for r in w.sinks.got["webhook"]] == ["failed"]
    w.run("status", check=2)
    disk.free()
    # That it has an end, if not how it went, is recorded as soon as somebody asks.
    w.run("status", check=2)
    assert [r["exit"] for r in w.json("history", "--json")] == [-1]


def test_no_machine_that_nobody_remembers(world, disk):
    """Without room for the journal none is started, and the run says why."""
    w = world
    asked = w.folder / "asked"
    answer = 'echo \'{"ok": true, "machines": []}\''
    provider = w.file("provider", f"#!/bin/sh\nread line\necho $line >>{asked}\n{answer}\n", 0o700)
    w.config.write_text(f'target "arch" "exec" {{ command = ["{provider}"] }}\n'
                        'backup "x" {\n  source = "tank/x"\n  destination = "arch:vault"\n}\n')  # fmt: skip
    w.stay()
    disk.fill()
    done = w.run("backup", check=2)
    assert "cannot use the state database: database or disk is full" in done.stderr
    assert '"list"' in asked.read_text() and '"start"' not in asked.read_text()


def test_nobody_is_told_without_end(world, disk):
    """What cannot be noted as told is not told again and again."""
    w = world
    w.write(one_of("ops", w))
    w.stay()
    w.run("backup", check=0)
    wait_for(lambda: w.standing("ops")["tries"] > 0)
    disk.fill()
    w.sinks.start()
    time.sleep(1)
    assert len(w.sinks.got.get("webhook", [])) <= 1
