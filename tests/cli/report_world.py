"""Runs and who is told of them: the real program, a script that stands in for zfs, and a server that is every kind of
sink."""

import json
import os
import signal
import subprocess
import time

import pytest
from conftest import DORMOUSE, pids_of, wait_for
from report_sinks import Sinks

ZFS = """#!/bin/sh
for name; do :; done
case "$*" in
*name,type,guid*)
	[ ! -e {folder}/broken ] || {{ echo "cannot open: token hcaik_thisIsTheIngestKey" >&2; exit 1; }}
	while [ -e {folder}/slow ]; do sleep 0.05; done
	for d in '' /a /b $(cat {folder}/odd 2>/dev/null); do
		case $name in vault) printf 'vault/tank/x%s' $d ;; *) printf 'tank/x%s' $d ;; esac
		printf '\\tfilesystem\\t5\\toff\\t-\\t1\\t1\\t1\\t0\\t-'
		printf '\\t-%.0s' 1 2 3 4 5 6 7 8 9 10 11 12 13 14
		echo
	done ;;
*snapshot,bookmark*)
	case $name in vault) name=vault/tank/x ;; esac
	for d in '' /a /b; do printf '%s@a\\t17\\t1\\t{now}\\t1\\n' "$name$d"; done ;;
esac
"""


class World:
    def __init__(self, folder):
        self.folder, self.daemon = folder, None
        self.within = []  # a command that runs each of the others
        (folder / "bin").mkdir()
        for name in ("zfs", "zpool"):
            (folder / "bin" / name).write_text(ZFS.format(folder=folder, now=int(time.time()) - 60))
            (folder / "bin" / name).chmod(0o755)
        self.config = folder / "config.hcl"
        self.env = dict(os.environ, PATH=f"{folder}/bin:{os.environ['PATH']}", DORMOUSE_CONFIG=str(self.config),
                        DORMOUSE_RUNTIME_DIR=str(folder / "run"), DORMOUSE_STATE_DIR=str(folder / "state"),
                        DORMOUSE_REPORT_HASTE="300")  # fmt: skip
        self.sinks = Sinks(folder)
        self.url = f"http://127.0.0.1:{self.sinks.port}"
        self.write("")

    def write(self, reports, more=""):
        self.config.write_text(f'backup "x" {{\n  source = "tank/x"\n  destination = "vault"\n{more}}}\n{reports}')

    def file(self, name, text, mode=0o600):
        path = self.folder / name
        path.write_text(text)
        path.chmod(mode)
        return path

    def run(self, *argv, check=None):
        done = subprocess.run([*self.within, DORMOUSE, *argv], env=self.env, stdin=subprocess.DEVNULL, capture_output=True, text=True,
                              timeout=60, check=False)  # fmt: skip
        if check is not None:
            assert done.returncode == check, f"exit {done.returncode}\n{done.stdout}\n{done.stderr}"
        return done

    def json(self, *argv):
        return json.loads(self.run(*argv, check=0).stdout)

    def stay(self):
        """A keeper that does not end when it is idle."""
        log = open(self.folder / "log", "a")
        self.daemon = subprocess.Popen([*self.within, DORMOUSE, "daemon"], env=self.env, stdout=log, stderr=log)
        wait_for(lambda: (self.folder / "run" / "control.sock").exists())

    def standing(self, name):
        return next((s for s in self.json("history", "--sinks", "--json") if s["sink"] == name), None)

    def all_told(self):
        wait_for(lambda: not any(s["waiting"] for s in self.json("history", "--sinks", "--json")))

    def pids(self, command):
        return pids_of(self.folder, command)

    def end(self):
        if self.daemon:
            self.daemon.kill()
            self.daemon.wait()
        (self.folder / "slow").unlink(missing_ok=True)
        for word in ("daemon", "backup", "deliver", "courier"):
            for pid in self.pids(word):
                os.kill(pid, signal.SIGKILL)
        self.sinks.stop()


def one_of(name, w, more=""):
    """Only a webhook that wants the end of a run."""
    return f'report "webhook" "{name}" {{\n  url = "{w.url}/hook/webhook-secret-path"\n' \
           f'  secret = "webhook-hmac-secret"\n  on = ["success", "failure"]\n{more}}}\n'  # fmt: skip


@pytest.fixture
def world(tmp_path_factory):
    w = World(tmp_path_factory.mktemp("w"))
    yield w
    w.end()
    assert not w.sinks.complaints
