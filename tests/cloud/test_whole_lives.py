"""Random lives of the whole program on the fake: real keepers, workers and logins, and kill -9 of any of them.  Some dozens;
thousands are lived by what test_lives.py starts.  CLOUD_SEED=… repeats one, as far as real processes do that."""

import concurrent.futures
import os
import pathlib
import random
import signal
import subprocess
import time

from conftest import wait_for
from real import DORMOUSE

SEED = os.environ.get("CLOUD_SEED")
SEEDS = [int(SEED)] if SEED else range(24)
SIDE_BY_SIDE = 8
CODES = ["InternalError", "RequestLimitExceeded", "InsufficientInstanceCapacity", "InvalidInstanceID.NotFound"]


class Life:
    def __init__(self, setup, seed):
        self.s, self.seed, self.dice, self.typed = setup, seed, random.Random(seed), []
        public = (setup.folder / "id.pub").read_text().strip()
        setup.use('  watchdog = "0s"\n  placement {\n    availability_zone = "us-east-1a"\n  }\n'
                  f'  key_pair {{\n    public_key = "{public}"\n  }}\n  security_group {{\n    from = ["127.0.0.1/32"]\n  }}\n'
                  '  volume "cold" {\n    type = "sc1"\n    size = "125GiB"\n  }\n', key="", linger="1s")  # fmt: skip

    def type(self, *argv):
        self.typed.append(subprocess.Popen(argv, env=self.s.env, stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL,
                                           stderr=subprocess.DEVNULL))  # fmt: skip

    def processes(self):
        found, mark = [], f"DORMOUSE_STATE_DIR={self.s.folder}/state".encode()
        for path in pathlib.Path("/proc").glob("[0-9]*"):
            try:
                if os.readlink(path / "exe").startswith(DORMOUSE) and mark in (path / "environ").read_bytes().split(b"\0"):
                    found.append(int(path.name))
            except OSError:
                pass
        return sorted(found)

    def kill(self):
        for pid in self.dice.sample(there, 1) if (there := self.processes()) else []:
            try:
                os.kill(pid, signal.SIGKILL)
            except ProcessLookupError:
                pass

    def step(self):
        dice, fake = self.dice, self.s.fake
        what = dice.choice("wake wake ssh apply apply sleep destroy kill kill kill fault fault fault state poweroff".split())
        if what == "ssh":
            self.type(*self.s.ssh_argv("sleep 0.5"))
        elif what in ("apply", "destroy"):
            self.type(DORMOUSE, what, "arch", "--yes", *dice.choice([[], ["--with-data", "arch"]] if what == "destroy" else [[]]))
        elif what in ("wake", "sleep"):
            self.type(DORMOUSE, what, "arch")
        elif what == "kill":
            self.kill()
        elif what == "fault":
            fake.faults.add("*", kind=dice.choice(["error", "cut-before", "cut-after", "garbage", "slow"]), nth=dice.randint(1, 12),
                            code=dice.choice(CODES), status=dice.choice([400, 503]))  # fmt: skip
        elif what == "state":
            s = fake.settings
            s.pending, s.shutting_down, s.attaching = (dice.choice([0, 0.5, 2]) for _ in range(3))
            s.hidden_polls, s.stale_attached_polls = dice.randint(0, 2), dice.randint(0, 2)
        elif alive := self.s.alive():
            fake.world.guest(alive[0].id, dice.choice(["poweroff", "crash"]))
        time.sleep(dice.choice([0, 0.1, 0.5]))

    def calm(self):
        fake, s = self.s.fake, self.s.fake.settings
        fake.faults.clear()
        s.pending = s.shutting_down = s.attaching = 0.1
        s.hidden_polls = s.stale_attached_polls = 0
        for one in (*fake.world.instances.values(), *fake.world.volumes.values()):
            one.hidden = one.stale = 0
        for process in self.typed:
            try:
                process.wait(60)
            except subprocess.TimeoutExpired:
                process.kill()
                process.wait()

    def made(self):
        return [v for v in self.s.fake.world.volumes.values() if "dormouse:made" in v.tags and not v.gone]

    def live(self):
        for _ in range(self.dice.randint(6, 16)):
            self.step()
        self.calm()
        self.s.run("reap")
        wait_for(lambda: self.s.alive() == [], 60)
        assert len(self.made()) <= 1
        self.s.run("apply", "--yes", check=0)
        assert len(self.made()) == 1
        self.s.run("wake", "arch", check=0)
        (machine,) = self.s.alive()
        assert self.made()[0].instance is machine
        wait_for(lambda: not self.s.alive(), 60)
        wait_for(lambda: machine.state == "terminated", 20)
        self.s.run("destroy", "arch", "--with-data", "arch", "--yes", check=0)
        assert self.s.fake.world.leftovers() == ["key pair mine"]
        assert self.s.fake.bill.running() == []


def test_lives(make):
    lives = [Life(make("sshd", enforce_ingress=True), seed) for seed in SEEDS]
    wrong = []
    with concurrent.futures.ThreadPoolExecutor(SIDE_BY_SIDE) as side_by_side:
        for life, done in [(life, side_by_side.submit(life.live)) for life in lives]:
            if done.exception():
                wrong.append(f"CLOUD_SEED={life.seed}: {done.exception()}")
    assert not wrong, "\n".join(wrong)
