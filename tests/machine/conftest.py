"""What the tests of machines that really boot share."""

import os
import pathlib

TOP = pathlib.Path(__file__).resolve().parent.parent.parent


def running(*words):
    """The processes that have all of these in their command line."""
    found = []
    for path in pathlib.Path("/proc").glob("[0-9]*"):
        try:
            line = (path / "cmdline").read_bytes()
        except OSError:
            continue
        if all(str(word).encode() in line for word in words):
            found.append(int(path.name))
    return found


def guests(folder):
    """The QEMU processes whose disks are in a folder."""
    return running("qemu", folder)


def environment(tmp_path):
    env = {k: v for k, v in os.environ.items() if not k.startswith("DORMOUSE_") or k == "DORMOUSE_CACHE"}
    return dict(env, TMPDIR=str(tmp_path), NO_COLOR="1")
