"""Two machines that really boot: the demo, word for word as the README gives it."""

import os
import pathlib
import re
import signal
import subprocess
import tempfile
import time

import pytest
from conftest import TOP, environment, guests


@pytest.fixture
def tmp_path():
    """A short one: the name of a socket has at most 107 bytes."""
    with tempfile.TemporaryDirectory(prefix="demo-") as folder:
        yield pathlib.Path(folder)


def test_demo(tmp_path):
    done = subprocess.run([TOP / "tests/demo/run", "--fast"], env=environment(tmp_path), stdin=subprocess.DEVNULL,
                          stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, timeout=1500, check=False)  # fmt: skip
    assert done.returncode == 0, done.stdout
    # One more of each of the three datasets when a quarter of an hour has begun on the way.
    equal = re.search(r"equal on both sides: (\d+) snapshots", done.stdout)
    assert equal and int(equal[1]) in (6, 9), done.stdout
    assert done.stdout.count("proven by GUID") == 2
    assert "a line that was not there before" in done.stdout
    assert "all 3 datasets are restorable" in done.stdout
    assert not guests(tmp_path)
    assert list(tmp_path.iterdir()) == []


def test_interrupted_demo_leaves_nothing(tmp_path):
    demo = subprocess.Popen([TOP / "tests/demo/run", "--fast"], env=environment(tmp_path), stdin=subprocess.DEVNULL,
                            stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, start_new_session=True)  # fmt: skip
    seen = []
    for line in demo.stdout:
        seen.append(line)
        if "waiting for ssh" in line:
            break
    assert guests(tmp_path), "".join(seen)
    os.killpg(demo.pid, signal.SIGINT)
    demo.communicate(timeout=300)
    until = time.monotonic() + 60
    while guests(tmp_path) and time.monotonic() < until:
        time.sleep(0.5)
    assert not guests(tmp_path)
    assert list(tmp_path.iterdir()) == []
