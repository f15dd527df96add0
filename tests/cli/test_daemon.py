"""The daemon runs what the file says by the clock, tells the service manager, and never takes a file that is wrong.
There is no ZFS here, so the backups that it starts fail; that they were started is what is looked at."""

import contextlib
import json
import os
import pathlib
import signal
import socket
import time

import pytest
from conftest import wait_for


class Daemon:
    def __init__(self, setup, schedule, **env):
        self.setup = setup
        self.base = setup.config.read_text()
        self.write(schedule)
        self.notify = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
        self.notify.bind(str(setup.folder / "notify"))
        self.notify.settimeout(10)
        setup.env.update(NOTIFY_SOCKET=str(setup.folder / "notify"), **env)
        self.log = open(setup.folder / "log", "w+")
        self.proc = setup.popen("daemon", stdout=self.log, stderr=self.log)

    def write(self, schedule):
        self.setup.config.write_text(
            self.base + f'backup "b" {{\n  source = "nirvana/x"\n  destination = "nirvana/y"\n  {schedule}\n}}\n'
        )

    def told(self, wanted):
        """Waits until the service manager was told so; what else it was told on the way."""
        seen = []
        while wanted not in seen:
            seen += self.notify.recv(4096).decode().split("\n")
        return seen

    def runs(self):
        return json.loads(self.setup.run("history", "--json").stdout)

    def text(self):
        return (self.setup.folder / "log").read_text()

    def end(self):
        # Its socket holds ten messages: what nobody has read keeps the last ones out.
        self.notify.setblocking(False)
        with contextlib.suppress(BlockingIOError):
            while True:
                self.notify.recv(4096)
        self.notify.settimeout(10)
        self.proc.terminate()
        return self.proc.wait(20)


@pytest.fixture
def daemon(setup):
    made = []

    def make(schedule, **env):
        made.append(Daemon(setup, schedule, **env))
        return made[-1]

    yield make
    for d in made:
        if d.proc.poll() is None:
            d.proc.kill()
            d.proc.wait()


def test_by_the_clock(daemon):
    d = daemon('run = "every 2s"', WATCHDOG_USEC="1000000")
    d.told("READY=1")
    wait_for(lambda: len(d.runs()) >= 3)
    began = sorted(r["began"] for r in d.runs())
    assert all(b - a in (2, 3) for a, b in zip(began, began[1:])), began
    d.told("WATCHDOG=1")
    assert d.end() == 0
    assert "ended with exit code" in d.text()  # there is no ZFS here, and that is said
    assert "STOPPING=1" in d.told("STOPPING=1")


def test_what_was_missed_is_caught_up_once(daemon):
    d = daemon('run = "hourly"')
    d.told("READY=1")
    wait_for(lambda: len(d.runs()) == 1)
    told = "b: the last run came to no dataset, so nothing is known to be safe: "
    wait_for(lambda: told in d.setup.run("status", check=2).stdout)
    d.end()
    # The strike of this hour was caught up; a daemon that starts again finds that done.
    again = d.setup.popen("daemon", stdout=d.log, stderr=d.log)
    d.told("READY=1")
    time.sleep(2)
    assert len(d.runs()) == 1
    again.terminate()
    again.wait(20)


def test_a_keeper_on_demand_gives_way(daemon):
    d = daemon('run = "yearly"')
    d.told("READY=1")
    d.end()
    d.setup.run("machines", check=0)  # starts a keeper, which ends when it is idle
    again = d.setup.popen("daemon", stdout=d.log, stderr=d.log)
    d.told("READY=1")
    again.terminate()
    assert again.wait(20) == 0


def test_what_a_large_look_takes_is_given_back(daemon):
    d = daemon('run = "yearly"')
    d.told("READY=1")
    wait_for(lambda: len(d.runs()) == 1)
    for op in ({"op": "record", "json": "x" * 4000000}, {"op": "recall"}):
        with socket.socket(socket.AF_UNIX) as s:
            s.connect(str(d.setup.folder / "run" / "control.sock"))
            s.sendall(json.dumps({**op, "backup": "x"}).encode() + b"\n")
            while b"\n" not in s.recv(1 << 20):
                pass
    status = pathlib.Path(f"/proc/{d.proc.pid}/status")
    wait_for(lambda: int(status.read_text().split("RssAnon:")[1].split()[0]) < 2048)


def test_reload(daemon):
    d = daemon('run = "yearly"')
    d.told("READY=1")
    wait_for(lambda: len(d.runs()) == 1)
    d.write("run = 7")
    d.proc.send_signal(signal.SIGHUP)
    seen = d.told("READY=1")
    assert "RELOADING=1" in seen
    wait_for(lambda: "the new file is NOT taken, the one before stays" in d.text())
    assert "config.hcl:" in d.text() and "hint:" in d.text()
    d.setup.config.unlink()
    d.proc.send_signal(signal.SIGHUP)
    d.told("READY=1")
    wait_for(lambda: "hint: put it there, and tell the daemon to reload" in d.text())
    # The one before is still what counts: the target of the broken file can be used.
    assert "arch is on" in d.setup.run("wake", "arch").stdout or d.proc.poll() is None
    d.write('run = "every 1s"')
    d.proc.send_signal(signal.SIGHUP)
    d.told("READY=1")
    wait_for(lambda: len(d.runs()) >= 3)
    d.write("")
    d.proc.send_signal(signal.SIGHUP)
    d.told("READY=1")
    time.sleep(1.5)
    count = len(d.runs())
    time.sleep(2)
    assert len(d.runs()) == count
    assert d.end() == 0


def test_a_file_that_is_wrong_from_the_start(daemon):
    d = daemon("run = 7")
    assert d.proc.wait(20) == 3
    assert "hint:" in d.text()


def test_a_machine_in_use_goes_off_with_the_daemon(daemon):
    d = daemon('run = "yearly"')
    d.told("READY=1")
    d.setup.run("wake", "arch", check=0)
    assert d.end() == 0
    assert not d.setup.is_on()
    assert not os.path.exists(d.setup.folder / "run/control.sock")
