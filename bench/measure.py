"""One command, measured."""

import collections
import os
import signal
import subprocess
import time

import accounting

Took = collections.namedtuple("Took", "seconds programs cpu ended failure")


def measure(argv, env=None, most=None):
    """Ended, with all it started, when it has taken most seconds: then seconds and programs are what it had until then."""
    accounting.begin()
    began = time.monotonic()
    with subprocess.Popen([str(a) for a in argv], env=env, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
                          stderr=subprocess.STDOUT, text=True, start_new_session=True) as p:  # fmt: skip
        ended = False
        try:
            said, _ = p.communicate(timeout=most)
        except subprocess.TimeoutExpired:
            ended = True
            os.killpg(p.pid, signal.SIGKILL)
            said, _ = p.communicate()
        took = time.monotonic() - began
    failure = "" if ended or p.returncode == 0 else f"exit {p.returncode}: {said[-300:]}"
    return Took(took, accounting.end(), accounting.processor_time(), ended, failure)
