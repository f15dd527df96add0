"""Thousands of random lives of dormouse with EC2: see lives.  CLOUD_LIVES=… lives so many."""

import os
import pathlib
import subprocess
import sys

from real import DORMOUSE

PARTS = os.cpu_count()
LIVES = int(os.environ.get("CLOUD_LIVES", "5000"))


def live(words):
    """As many processes as there are processors, the n-th with what words(n) says.  How many lives they have lived."""
    program = pathlib.Path(DORMOUSE).parent / "tests/unit/cloud_life"
    command = ["nice", "-n", "10", sys.executable, "-B", pathlib.Path(__file__).with_name("lives")]
    running = [subprocess.Popen([*command, *map(str, words(part))], env=dict(os.environ, CLOUD_LIFE=str(program)), text=True,
                                stdout=subprocess.PIPE, stderr=subprocess.STDOUT) for part in range(PARTS)]  # fmt: skip
    said = [one.communicate()[0] for one in running]
    assert [one.returncode for one in running] == [0] * PARTS, "".join(said)
    return sum(int(text.split(" lives, ")[0]) for text in said)


def test_lives():
    """Whatever is killed, lost, late or out of order: afterwards nothing runs that nobody wants, and the bill says so."""
    assert live(lambda part: (part * LIVES // PARTS, (part + 1) * LIVES // PARTS - part * LIVES // PARTS)) == LIVES


def test_each_call():
    """Setting up, growing, moving, dropping what is old and taking away: at each call the host dies, and at each that changes
    something only who made it, or the answer.  Done again, all is as if nothing had been."""
    assert live(lambda part: ("calls", part, PARTS)) > 200
