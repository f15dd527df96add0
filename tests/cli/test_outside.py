"""What apply sets up outside of this host, so that somebody hears of it when nothing comes any more: against strict
models of Honeycomb and healthchecks."""

import json
import os
import signal
import socket
import subprocess
import time

import pytest
from conftest import DORMOUSE
from outside import API_KEY, CONFIG_KEY, INGEST_KEY, PING_KEY, Outside

HOST = socket.gethostname()


class World:
    def __init__(self, folder):
        self.folder, self.outside = folder, Outside()
        self.honeycomb, self.healthchecks = self.outside.honeycomb, self.outside.healthchecks
        self.config, self.key = folder / "config.hcl", CONFIG_KEY
        self.said = ""
        self.env = dict(os.environ, DORMOUSE_CONFIG=str(self.config), DORMOUSE_RUNTIME_DIR=str(folder / "run"),
                        DORMOUSE_STATE_DIR=str(folder / "state"))  # fmt: skip

    def write(self, backups=(("safe", 'run = "hourly"'),), alert='no_success_within = "1h"', more="", to='"ops@x.org"',
              reports=None):  # fmt: skip
        key = self.folder / "config.key"
        key.write_text(self.key)
        key.chmod(0o600)
        text = "".join(f'backup "{name}" {{\n  source = "tank/{name}"\n  destination = "vault"\n  {own}\n}}\n'
                       for name, own in backups)  # fmt: skip
        text += f"alert {{ {alert} }}\n" if alert is not None else ""
        text += reports if reports is not None else f"""report "honeycomb" {{
  dataset = "ZFS replication"
  api_key = "{INGEST_KEY}"
  url     = "{self.outside.url}/hny"
  config_key_file = "{key}"
  alert_to = [{to}]
  {more}
}}
"""
        self.config.write_text(text)

    def check_report(self, name="healthchecks", more=""):
        return f"""report "healthchecks" "{name}" {{
  check   = "{PING_KEY}/nas-safe"
  api_key = "{API_KEY}"
  api_url = "{self.outside.url}/hc"
  {more}
}}
"""

    def run(self, *argv, check=None):
        self.outside.seen = []
        done = subprocess.run([DORMOUSE, *argv], env=self.env, stdin=subprocess.DEVNULL, capture_output=True, text=True,
                              timeout=60, check=False)  # fmt: skip
        self.said += done.stdout + done.stderr
        if check is not None:
            assert done.returncode == check, f"exit {done.returncode}\n{done.stdout}\n{done.stderr}"
        return done

    def apply(self, check=0):
        return self.run("apply", "--yes", check=check)

    def triggers(self):
        return list(self.honeycomb.triggers.get("zfs-replication", {}).values())


@pytest.fixture
def world(tmp_path_factory):
    w = World(tmp_path_factory.mktemp("o"))
    yield w
    w.outside.stop()
    assert not w.outside.complaints
    for secret in (CONFIG_KEY, API_KEY, PING_KEY, INGEST_KEY, "00000000-0000-4000"):
        assert secret not in w.said


def test_trigger(world):
    """From nothing to a trigger, once; another time, another address; and away, with nothing of others touched."""
    w = world
    w.write()
    dry = w.run("apply", "--dry-run", check=0).stdout
    assert not w.outside.calls() and not w.honeycomb.datasets
    for line in ("make      dataset 'ZFS replication'", "make      recipient 'ops@x.org'", "make      trigger 'safe'",
                 f"asks: COUNT where name = backup.run AND outcome = success AND backup = safe AND host.name = {HOST}",
                 "of the past: 3600 s", "every: 900 s", "tells: ops@x.org"):  # fmt: skip
        assert line in dry, dry
    w.apply()
    (t,) = w.triggers()
    assert t["name"] == f"dormouse {HOST}/honeycomb: no successful run of safe" and t["query"]["time_range"] == 3600
    assert t["frequency"] == 900 and t["threshold"] == {"op": "<", "value": 1, "exceeded_limit": 1}
    assert w.honeycomb.columns["zfs-replication"].keys() == {"name", "outcome", "backup", "host.name"}
    # A second time there is nothing to do.
    assert "nothing to do" in w.apply().stdout and not w.outside.calls()
    # Another's trigger, and what somebody has changed of ours by hand.
    (ours,) = w.honeycomb.triggers["zfs-replication"]
    w.honeycomb.triggers["zfs-replication"]["theirs"] = {**t, "name": "theirs", "tags": []}
    t["disabled"], t["query"]["filters"][2]["value"] = True, "other"
    done = w.apply()
    assert "is: off -> on" in done.stdout and w.outside.calls() == [f"PUT /hny/1/triggers/zfs-replication/{ours}"]
    w.write(alert='no_success_within = "100m"', to='"ops@x.org", "dev@x.org"')
    w.apply()
    t = w.honeycomb.triggers["zfs-replication"][ours]
    assert (t["query"]["time_range"], t["frequency"], len(t["recipients"])) == (6000, 1500, 2)
    assert w.run("destroy", "honeycomb", "--dry-run", check=0) and not w.outside.calls()
    done = w.run("destroy", "honeycomb", "--yes", check=0)
    assert [x["name"] for x in w.triggers()] == ["theirs"] and "keep      dataset" in done.stdout
    assert w.honeycomb.recipients and w.honeycomb.datasets
    assert w.run("destroy", "honeycomb", "--yes", check=0) and not w.outside.calls()


def test_several(world):
    """One for each backup that is late within a day; what the file drops goes; two hosts and reports do not meet."""
    w = world
    backups = [("a", 'run = "hourly"'), ("b", 'run = "every 4h"'), ("c", 'run = "daily 03:00"'), ("d", "")]
    w.write(backups, alert="")
    done = w.apply(check=1)
    assert sorted(t["query"]["time_range"] for t in w.triggers()) == [2 * 3600 + 600, 8 * 3600 + 600]
    assert "CANNOT    trigger 'c'" in done.stdout and 'report "healthchecks"' in done.stdout
    assert "trigger 'd'" not in done.stdout
    # A check elsewhere is the way out.
    text = w.config.read_text()
    w.config.write_text(text + w.check_report("hc", 'backups = ["c"]'))
    w.apply()
    (check,) = w.healthchecks.checks.values()
    assert check["timeout"] + check["grace"] == 49 * 3600 + 600 or check["timeout"] + check["grace"] == 48 * 3600 + 600
    # One that is another host's; and two of ours go.
    own = w.triggers()[0]
    w.honeycomb.triggers["zfs-replication"]["far"] = {**own, "name": own["name"].replace(HOST, HOST + "2")}
    w.write(backups[:1], alert="")
    assert "take away trigger 'b'" in w.apply().stdout
    assert [t["query"]["filters"][2]["value"] for t in w.triggers()] == ["a", "a"]
    # One that would alert wrongly goes, though nothing can take its place.
    w.write(backups[:1], alert='no_success_within = "25h"')
    w.apply(check=1)
    assert len(w.triggers()) == 1 and "far" in w.honeycomb.triggers["zfs-replication"]


def test_refusals(world):
    """Each with its way out, and nothing done; one that somebody made by hand is left."""
    w = world
    w.honeycomb.permissions["triggers"] = w.honeycomb.permissions["createDatasets"] = False
    w.write()
    assert "Manage Triggers, Create Datasets" in w.apply(check=2).stderr
    w.honeycomb.permissions = dict.fromkeys(w.honeycomb.permissions, True)
    w.key = INGEST_KEY
    w.write()
    assert "Manage Triggers" in w.apply(check=2).stderr
    w.key = "hcalk_thisIsAnotherKey"
    w.write()
    done = w.apply(check=2)
    assert "401" in done.stderr and "unknown API key" in done.stderr and w.key not in done.stderr
    w.key = CONFIG_KEY
    w.write(to='"rcp77"')
    assert "no recipient 'rcp77'" in w.apply(check=3).stderr
    assert not w.honeycomb.datasets and not w.honeycomb.recipients
    # An id is taken as it is, of whatever kind.
    w.honeycomb.recipients["rcp77"] = {"type": "slack", "details": {"slack_channel": "#ops"}}
    w.honeycomb.most_triggers = 1
    w.write([("a", ""), ("b", "")], to='"rcp77"')
    done = w.apply(check=2)
    assert "limit of triggers" in done.stderr and "backups in the report block" in done.stderr
    assert [t["recipients"] for t in w.triggers()] == [[{"id": "rcp77"}]]
    w.write([("a", "")], to='"rcp77"')
    assert "nothing to do" in w.apply().stdout
    w.triggers()[0]["tags"] = []
    w.write([("a", "")], to='"rcp77"', alert='no_success_within = "2h"')
    done = w.apply(check=1)
    assert "CANNOT    trigger 'a'" in done.stdout and not w.outside.calls()
    w.run("destroy", "honeycomb", "--yes", check=0)
    assert len(w.triggers()) == 1
    # Whom it told is nobody any more; what is to go goes.
    w.honeycomb.triggers["zfs-replication"].clear()
    w.apply()
    w.write([("a", "")], to='"rcp77", "rcp78"')
    assert "no recipient 'rcp78'" in w.apply(check=3).stderr and len(w.triggers()) == 1
    w.run("destroy", "honeycomb", "--yes", check=0)
    assert not w.triggers()


def test_check(world):
    """The check of one backup: made, changed, and taken away if it is ours."""
    w = world
    w.write(alert='no_success_within = "36h"', reports=w.check_report())
    assert "make      check 'safe'" in w.run("apply", "--dry-run", check=0).stdout and not w.healthchecks.checks
    w.apply()
    ((uuid, c),) = w.healthchecks.checks.items()
    assert (c["slug"], c["timeout"], c["grace"], c["channels"]) == ("nas-safe", 64800, 64800, "*")
    assert "nothing to do" in w.apply().stdout and not w.outside.calls()
    c["schedule"], c["name"] = "0 3 * * *", "by hand"
    w.write(alert='no_success_within = "1h"', reports=w.check_report())
    w.apply()
    assert c["timeout"] == c["grace"] == 1800 and "schedule" not in c and c["name"] == "by hand"
    assert "nothing to do" in w.apply().stdout
    w.run("destroy", "healthchecks", "--yes", check=0)
    assert not w.healthchecks.checks
    # One that a ping, or a person, has made is as the file says, and stays.
    w.healthchecks.put(uuid, {"slug": "nas-safe", "tags": "their own"})
    w.apply()
    assert w.healthchecks.checks[uuid]["timeout"] == 1800 and w.healthchecks.checks[uuid]["tags"] == "their own"
    done = w.run("destroy", "healthchecks", "--yes", check=0)
    assert "dormouse did not make it" in done.stdout and w.healthchecks.checks
    # Its address must tell the slug.
    w.write(reports=w.check_report().replace(f"{PING_KEY}/nas-safe", "aaaaaaaa-0000-4000-8000-00000000000f"))
    assert "PING-KEY/SLUG" in w.apply(check=3).stderr
    w.write(reports=w.check_report().replace(API_KEY, "hcw_another"))
    assert "wrong api key" in w.apply(check=2).stderr


def test_dropped(world):
    """A report that the file has no more, or has elsewhere, leaves nothing that alerts; if that can be done."""
    w = world
    w.write(reports="")
    w.config.write_text(w.config.read_text() + w.check_report())
    w.apply()
    without = w.config.read_text().replace(w.check_report(), "")
    assert w.healthchecks.checks
    w.config.write_text(without)
    assert "take away check 'safe'" in w.run("apply", "--dry-run", check=0).stdout and w.healthchecks.checks
    w.apply()
    assert not w.healthchecks.checks
    assert "report" not in w.apply().stdout
    # Another dataset.
    w.write()
    w.apply()
    w.config.write_text(w.config.read_text().replace("ZFS replication", "elsewhere"))
    w.apply()
    assert not w.triggers() and len(w.honeycomb.triggers["elsewhere"]) == 1
    # Nobody is there at the moment: that is tried again.
    w.config.write_text(without)
    w.outside.fault = (1, "500")
    w.apply(check=2)
    w.outside.fault = None
    assert "take away trigger 'safe'" in w.apply().stdout and not w.honeycomb.triggers["elsewhere"]
    # Its key is gone: said once.
    w.write()
    w.apply()
    w.config.write_text(without)
    (w.folder / "config.key").unlink()
    assert "what report 'honeycomb' had is left there" in w.apply().stderr
    assert not w.apply().stderr and len(w.triggers()) == 1


def test_secrets_that_come_back(world):
    """(The fixture looks for them in all that was said.)"""
    w = world
    w.write()
    w.config.write_text(w.config.read_text() + w.check_report())
    w.outside.fault = (2, "echo")
    assert "400: cannot /hny/1/datasets for ***" in w.run("apply", "honeycomb", "--yes", check=2).stderr
    w.outside.fault = None
    w.apply()
    w.write(alert='no_success_within = "2h"')
    w.config.write_text(w.config.read_text() + w.check_report())
    w.outside.fault = (3, "echo")
    assert "400: cannot /hc/api/v3/checks/*** for ***" in w.run("apply", "healthchecks", "--yes", check=2).stderr
    w.outside.fault = None
    assert "00000000" not in w.run("apply", "--dry-run", "--json", check=0).stdout


def test_taken_away_by_two(world):
    w = world
    w.write()
    w.config.write_text(w.config.read_text() + w.check_report())
    w.apply()
    for name in ("honeycomb", "healthchecks"):
        w.run("destroy", name, "--dry-run", check=0)
        w.outside.fault = (len(w.outside.seen) + (1 if name == "honeycomb" else 2), "gone")
        w.run("destroy", name, "--yes", check=0)
        assert w.outside.seen[w.outside.fault[0] - 1][0] == "DELETE"
        w.outside.fault = None
    assert not w.triggers() and not w.healthchecks.checks


def worth_failing(seen):
    """The first of what is looked at, and what is done; of columns one."""
    first = [n for n, (method, path) in enumerate(seen, 1)
             if (method, path) not in seen[: n - 1] and (method != "GET" or seen[n - 1][1] != "/hny/1/auth")]
    return [n for n in range(1, len(seen) + 1) if n in first or seen[n - 1][0] in ("PUT", "DELETE")]


@pytest.mark.parametrize("kind", ["500", "before", "after", "garbage"])
def test_each_call_once_wrong(world, kind):
    """However it fails, what comes next finishes it, and nothing is there twice (the models would complain)."""
    w = world
    for within, *argv in (("1h", "apply"), ("2h", "apply"), ("2h", "destroy", "honeycomb"),
                          ("2h", "destroy", "healthchecks")):  # fmt: skip
        w.write(alert=f'no_success_within = "{within}"')
        w.config.write_text(w.config.read_text() + w.check_report())
        before = json.dumps([w.honeycomb.__dict__, w.healthchecks.__dict__])
        w.run(*argv, "--yes", check=0)
        calls = worth_failing(w.outside.seen)
        assert any(w.outside.seen[n - 1][0] != "GET" for n in calls)
        for nth in calls:
            w.honeycomb.__dict__, w.healthchecks.__dict__ = json.loads(before)
            w.outside.fault = (nth, kind)
            failed = w.run(*argv, "--yes")
            w.outside.fault = None
            assert "hint:" in failed.stderr or failed.returncode == 0, failed.stderr
            w.run(*argv, "--yes", check=0)
            gone = argv[-1] == "healthchecks"
            assert [len(w.triggers()), len(w.healthchecks.checks)] == [argv[0] == "apply", not gone], (argv, nth)
            assert all(t["query"]["time_range"] == int(within[0]) * 3600 for t in w.triggers())


def test_killed(world):
    """In the midst of it, and again."""
    w = world
    w.write()
    for delay in (0.02, 0.04, 0.06, 0.08, 0.1, 0.15):
        p = subprocess.Popen([DORMOUSE, "apply", "--yes"], env=w.env, stdin=subprocess.DEVNULL,
                             stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)  # fmt: skip
        time.sleep(delay)
        p.send_signal(signal.SIGKILL)
        p.wait()
        # What it was just about to start has its lock until it is started, or killed as well.
        while w.run("apply", "--yes").returncode == 4:
            time.sleep(0.05)
        assert len(w.triggers()) == 1 and len(w.honeycomb.recipients) == 1
        w.run("destroy", "honeycomb", "--yes", check=0)
        w.honeycomb.__init__()
