"""`dormouse status` of a keeper that has been told of runs; what needs no keeper is in tests/unit/test_health.c."""

import json
import os
import pty
import time

import pytest
from conftest import wait_for
from keeper_told import Told, proven


@pytest.fixture
def told(setup):
    t = Told(setup)
    yield t
    t.end()


def test_from_never_to_safe_to_failed(told):
    assert told.status(2)["verdict"] == "b: never ran, so nothing is safe yet"
    told.run(0, [proven("tank/x"), proven("tank/x/y")], pool={"pool": "vault", "on": "arch", "used": "95", "size": "100"})
    status = told.status(0)
    assert status["verdict"].startswith("All 2 datasets are restorable to 6 min ago; arch is off")
    assert status["format"] == 1 and status["level"] == "warn"
    assert [p["key"] for p in status["problems"]] == ["pool/arch/vault/full"]
    assert [d["dataset"] for d in status["datasets"]] == ["tank/x", "tank/x/y"]
    # A run that came to nothing leaves what is known of the datasets.
    told.run(2, error={"kind": "net", "what": "cannot reach it", "why": "no route", "hint": "look"})
    status = told.status(1)
    assert status["verdict"] == "b: the last run failed: cannot reach it: no route; all 2 datasets are restorable to 6 min ago"
    assert status["hint"] == "look" and len(status["datasets"]) == 2
    told.run(1, [proven("tank/x"), {"dataset": "tank/x/y", "proven": False,
                                    "error": {"kind": "conflict", "what": "both", "why": "went on", "hint": "repair"}}])  # fmt: skip
    out = told.setup.run("status", check=1).stdout
    assert out.startswith("tank/x/y is NOT safe: both: went on\nhint: repair\n")
    assert "b: 1 of 2 datasets are NOT safe" in out
    done = told.setup.run("status", "--check", check=2)
    assert done.stdout.startswith("DORMOUSE CRITICAL - tank/x/y is NOT safe: both: went on | datasets=2 unsafe=1;;0 ")
    assert done.stdout.count("\n") == 1


def test_facts_are_the_same_elsewhere(told):
    """What --facts prints is all that the verdict depends on, and needs no keeper."""
    told.run(0, [proven("tank/x")])
    path = told.setup.folder / "facts.json"
    path.write_text(told.setup.run("status", "--facts", check=0).stdout)
    here = told.status(0)
    told.daemon.kill()
    told.daemon.wait(20)
    there = told.status(0, "--observed", str(path))
    for status in (here, there):
        status.pop("now"), [d.pop("lag_s") for d in status["datasets"]]
    assert here == there
    path.write_text("{}")
    assert "no facts that this version can read" in told.setup.run("status", "--observed", str(path), check=2).stderr
    done = told.setup.run("status", "--check", "--observed", str(path), check=3)
    assert done.stdout == "DORMOUSE UNKNOWN - these are no facts that this version can read\n"


def test_a_run_is_watched(told):
    """Its stage and how far it is, also live."""
    link = told.link()
    run = told.say(link, "run-begin", backup="b")["id"]
    told.say(link, "run-story", answer=False, json=json.dumps({"lines": [[int(time.time()), "send     tank/x"]], "spans": []}))
    told.say(link, "run-progress", answer=False, json=json.dumps({"bytes": "1048576", "total": "4194304"}))
    wait_for(lambda: told.status(2)["backups"][0].get("run", {}).get("bytes") == "1048576")
    backup = told.status(2)["backups"][0]
    assert backup["running"] and backup["run"]["id"] == run and backup["run"]["stage"] == "send     tank/x"
    main, other = pty.openpty()
    watch = told.setup.popen("status", "--watch", stdout=other)
    os.close(other)
    seen = b""
    while seen.count(b"nothing is safe yet") < 2:
        seen += os.read(main, 4096)
        told.say(link, "run-progress", answer=False, json=json.dumps({"bytes": "2097152", "total": "4194304"}))
    assert b"\x1b[2J" in seen and b"send     tank/x; 1.0 MiB of 4.0 MiB" in seen
    assert b"; 2.0 MiB of 4.0 MiB" in seen
    watch.terminate()
    os.close(main)
    assert watch.wait(20) == 2
    # What is no object is nobody's progress.
    told.say(link, "run-progress", answer=False, json="[")
    assert told.status(2)["backups"][0]["run"]["id"] == run


def test_many(told):
    """A thousand datasets, and how long that takes."""
    told.run(0, [proven(f"tank/x/{i:03}") for i in range(1000)])
    told.status(0)
    began = time.monotonic()
    status = told.status(0)
    took = time.monotonic() - began
    assert len(status["datasets"]) == 1000 and took < 2, took
    out = told.setup.run("status", check=0).stdout
    assert out.count("\n") < 20 and "1000 more are safe" in out
    assert told.setup.run("status", "--all", check=0).stdout.count(" safe ") == 1000
