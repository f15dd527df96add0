"""Alerts of the real daemon: who is told of what is wrong, and when, is in tests/unit/test_alert.c."""

import json
import signal
import time

import pytest
from conftest import wait_for
from keeper_told import Told, proven


@pytest.fixture
def told(setup):
    """A daemon with an alert block, which is heard by a command that writes down what it gets."""
    heard = setup.folder / "heard"
    setup.config.write_text(
        setup.config.read_text()
        + f'report "command" {{\n  command = ["sh", "-c", "cat >>{heard}; echo >>{heard}"]\n}}\n'
        + 'alert {\n  settle = "0s"\n  no_success_within = "1h"\n}\n'
    )
    setup.env["DORMOUSE_ALERT_MS"] = "500"
    t = Told(setup)
    t.heard = lambda: [r for r in map(json.loads, filter(None, heard.read_text().splitlines())) if r["kind"] in ("alert", "clear")] \
        if heard.exists() else []  # fmt: skip
    yield t
    t.end()


def test_told_once_and_that_it_is_over(told):
    wait_for(lambda: len(told.heard()) == 1, 30)
    first = told.heard()[0]
    assert first["kind"] == "alert" and first["severity"] == "critical" and first["key"] == "backup/b"
    assert first["title"] == "b: never ran, so nothing is safe yet" and first["text"] == "dormouse backup b"
    assert "b: never ran" in told.setup.run("alert", check=0).stdout
    # Looked at again and again, and told no more; nor by a daemon that was killed and comes again.
    time.sleep(1.5)
    told.daemon.send_signal(signal.SIGKILL)
    told.daemon.wait(20)
    told.daemon = told.setup.popen("daemon", stdout=open(told.setup.folder / "log", "a"), stderr=open(told.setup.folder / "log", "a"))
    time.sleep(1.5)
    assert len(told.heard()) == 1
    # A run that went well is looked at as soon as it is over.
    wait_for(lambda: told.setup.run("alert", "--json").returncode == 0)
    told.run(0, [proven("tank/x")])
    wait_for(lambda: len(told.heard()) == 2, 30)
    assert told.heard()[1]["kind"] == "clear" and told.heard()[1]["key"] == "backup/b"
    assert told.heard()[1]["title"].startswith("over: b: ")
    assert "nothing that was told is wrong now" in told.setup.run("alert", check=0).stdout
    told.run(2, error={"kind": "net", "what": "cannot reach it", "why": "no route", "hint": "look"})
    wait_for(lambda: len(told.heard()) == 3, 30)
    assert told.heard()[2]["title"].startswith("b: the last run failed: cannot reach it: no route")


def test_by_hand(told):
    """The same check by cron, two at once, and a test of the way there."""
    wait_for(lambda: len(told.heard()) == 1, 30)
    done = told.setup.run("alert", "test", check=0)
    assert "1 report block will be told" in done.stdout
    wait_for(lambda: len(told.heard()) == 3, 30)
    assert [r["kind"] for r in told.heard()] == ["alert", "alert", "clear"] and told.heard()[1]["key"] == "test"
    # What is remembered is as before.
    assert [a["key"] for a in json.loads(told.setup.run("alert", "--json", check=0).stdout)] == ["backup/b"]
    assert "alert knows 'check' and 'test'" in told.setup.run("alert", "x", check=3).stderr
    # Without a daemon, in between two of its looks.
    told.daemon.terminate()
    told.daemon.wait(20)
    many = [told.setup.popen("alert", "check") for _ in range(3)]
    codes = [p.wait(60) for p in many]
    assert 0 in codes and set(codes) <= {0, 4}
    assert len(told.heard()) == 3


def test_nobody_to_tell(setup):
    t = Told(setup)
    try:
        assert "no report block is told of alerts" in setup.run("alert", "test", check=3).stderr
    finally:
        t.end()
