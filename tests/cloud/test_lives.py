"""Thousands of random lives of dormouse with EC2: see lives.  CLOUD_LIVES=… lives so many."""

import os
import pathlib
import subprocess
import sys

from real import DORMOUSE

LIVES = int(os.environ.get("CLOUD_LIVES", "5000"))


def test_lives():
    """Whatever is killed, lost, late or out of order: afterwards nothing runs that nobody wants, and the bill says so."""
    program = pathlib.Path(DORMOUSE).parent / "tests/unit/cloud_life"
    parts = os.cpu_count()
    command = ["nice", "-n", "10", sys.executable, "-B", pathlib.Path(__file__).with_name("lives")]
    running = [subprocess.Popen([*command, str(part * LIVES // parts), str((part + 1) * LIVES // parts - part * LIVES // parts)],
                                env=dict(os.environ, CLOUD_LIFE=str(program)), text=True, stdout=subprocess.PIPE,
                                stderr=subprocess.STDOUT) for part in range(parts)]  # fmt: skip
    said = [one.communicate()[0] for one in running]
    assert [one.returncode for one in running] == [0] * parts, "".join(said)
    assert sum(int(text.split(" lives, ")[0]) for text in said) == LIVES
