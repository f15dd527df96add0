"""apply and destroy at Hetzner Cloud: what is there before the first server and after the last one."""

import json
import subprocess
import time

import pytest
from hcloud.firewalls.domain import FirewallRule
from hcloud.locations.domain import Location
from real import killed_at

FROM = "127.0.0.1/32"
QUICK = {"volume": 0, "resizing": 0, "ruling": 0}


@pytest.fixture
def make(make_project):
    def make(backend="none", **settings):
        s = make_project(backend, **settings)
        s.client.ssh_keys.delete(s.client.ssh_keys.get_by_name("mine"))
        use(s)
        del s.fake.calls[:]
        return s

    return make


def use(s, size=20, allowed=(FROM,), public=None, volume=True, pool="", more="", **named):
    s.use(
        f"  firewall {{\n    from = {json.dumps(list(allowed))}\n  }}\n"
        + (f'  volume "cold" {{\n    size = "{size}GiB"\n{pool}  }}\n' if volume else "")
        + more,
        **{"key": f'key_pair {{\n    public_key = "{public or s.public}"\n  }}', **named},
    )


def steps(s, *argv, check=0):
    """(what is done, of what kind) of a dry run."""
    done = s.run(*(argv or ("apply",)), "--dry-run", "--json", check=check)
    return [(step["do"], step["kind"]) for step in json.loads(done.stdout)[0]["steps"]]


def rules(s):
    """Who may come, where, by what, of all firewalls."""
    return sorted((block, r["port"], r["protocol"], r["direction"]) for w in s.fake.project.firewalls.values()
                  for r in w.rules for block in r["source_ips"] + r["destination_ips"])  # fmt: skip


def things(s):
    p = s.fake.project
    return [v.name for v in p.volumes.values()], [w.name for w in p.firewalls.values()], [k["name"] for k in p.keys.values()]


ALL = (["dormouse-arch-cold"], ["dormouse-arch"], ["dormouse-arch"])


def test_from_nothing_and_back(make):
    s = make("sshd")
    use(s, more='  labels = {\n    project = "backup"\n    "dormouse-target" = "x"\n  }\n')
    e = s.run("wake", "arch", check=2).stderr
    assert "target 'arch' has no key pair" in e and "dormouse apply" in e
    assert steps(s) == [("make", "key pair"), ("make", "firewall"), ("make", "volume")]
    done = s.run("apply", "--yes", check=0)
    assert "GiB: 20" in done.stdout and "location: fsn1" in done.stdout
    assert things(s) == ALL and rules(s) == [(FROM, str(s.fake.ssh_port), "tcp", "in")]
    (cold,) = s.fake.project.volumes.values()
    assert (cold.size, cold.location, cold.format, cold.status) == (20, "fsn1", None, "available")
    assert cold.labels == {"project": "backup", "dormouse-target": "arch", "dormouse-made": "cold"}
    assert "nothing to do" in s.run("apply", "--yes", check=0).stdout
    # Nothing of it is named in the file, and the server has all of it.
    s.run("wake", "arch", check=0)  # at once, though a start has just failed
    done = s.ssh("ls $FAKE_DISKS")
    assert done.stdout == f"scsi-0HC_Volume_{cold.id}\n", done.stderr
    (server,) = s.alive()
    assert cold.server is server and [w.name for w in server.firewalls] == ["dormouse-arch"]
    s.sleep()
    (bill,) = json.loads(s.run("cost", "--json", check=0).stdout)
    items = {item["what"]: item for item in bill["items"]}
    assert bill["currency"] == "EUR" and items["volume 'cold'"]["micros"] == 1144000
    assert "micros" not in items["cx22"] and not bill["whole"], "it is not sold any more"
    assert items["cx22"]["basis"].startswith("2 starts in 1 day"), "one had no server, which the records do not say"
    assert items["its address"]["micros"] == round(2 * 800 * 730 / 24)
    (bill,) = json.loads(s.run("cost", "--online", "--json", check=0).stdout)
    items = {item["what"]: item for item in bill["items"]}
    assert bill["whole"] and bill["prices_in"] == "fsn1" and bill["prices_of"] == time.strftime("%Y-%m-%d", time.gmtime())
    assert items["cx22"]["micros"] == round(2 * 6000 * 730 / 24) and items["volume 'cold'"]["micros"] == 880000
    s.fake.faults.add("pricing", code="unauthorized", status=401)
    assert "cannot say what target 'arch' costs" in s.run("cost", "--online", check=2).stderr
    told = s.run("cost", check=0).stdout
    assert "target 'arch': about €" in told and "by the list prices of 2026-09-03 in fsn1 nbg1 hel1" in told
    # Back.
    assert steps(s, "destroy", "arch") == [("keep", "volume"), ("take away", "firewall"), ("take away", "key pair")]
    done = s.run("destroy", "arch", "--yes", check=0)
    assert "it has the data, and costs about €1.14 a month (fsn1 nbg1 hel1)" in done.stdout and things(s) == (ALL[0], [], [])
    # It is found again.
    assert steps(s) == [("make", "key pair"), ("make", "firewall")]
    assert "goes for good" in s.run("destroy", "arch", "--with-data", "other", "--yes", check=3).stderr
    # Somebody has protected it.
    cold.protected = True
    e = s.run("destroy", "arch", "--with-data", "arch", "--yes", check=2).stderr
    assert "protected" in e and "hint: somebody has protected it" in e and things(s) == (ALL[0], [], [])
    cold.protected = False
    s.run("destroy", "arch", "--with-data", "arch", "--yes", check=0)
    assert things(s) == ([], [], []) and steps(s, "destroy", "arch") == []


def test_what_changes_and_what_cannot(make):
    s = make(**QUICK)
    s.run("apply", "--yes", check=0)
    (cold,), (wall,) = s.fake.project.volumes.values(), s.fake.project.firewalls.values()
    # Others change it, and the file does.
    s.client.firewalls.get_by_id(wall.id).set_rules([
        FirewallRule(direction="in", protocol="tcp", port="1-65535", source_ips=["0.0.0.0/0"]),
        FirewallRule(direction="out", protocol="icmp", source_ips=[], destination_ips=["10.0.0.0/8"])])  # fmt: skip
    shown = s.run("apply", "--dry-run", check=0).stdout
    assert "from: in-tcp-1-65535-0.0.0.0/0 out-icmp-any-10.0.0.0/8 -> 127.0.0.1/32" in shown
    use(s, size=30, allowed=["198.51.100.0/24", "2001:db8::/32", FROM, FROM])
    done = s.run("apply", "--yes", check=0)
    assert "GiB: 20 -> 30" in done.stdout and cold.size == 30
    assert [r[0] for r in rules(s)] == [FROM, "198.51.100.0/24", "2001:db8::/32"]
    use(s, size=30, allowed=[])
    s.run("apply", "--yes", check=0)
    assert rules(s) == [] and wall.rules == []
    # Another key: the pair is made anew.
    subprocess.run(["ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-f", s.folder / "new"], check=True)
    new = (s.folder / "new.pub").read_text().strip()
    use(s, size=30, allowed=[], public=new)
    assert steps(s) == [("replace", "key pair")]
    s.run("apply", "--yes", check=0)
    (key,) = s.fake.project.keys.values()
    assert key["public_key"].split()[1] == new.split()[1]
    # Smaller, and somewhere else.
    for change, said in (
        ({"size": 10}, "its GiB cannot become 10: it is 30"),
        ({"size": 30, "location": "nbg1"}, "its location cannot become nbg1: it is fsn1"),
    ):
        use(s, allowed=[], public=new, **change)
        assert steps(s, check=1) == [("CANNOT", "volume")]
        done = s.run("apply", "--yes", check=1)
        assert said in done.stdout and "name of its own" in done.stdout and cold.size == 30
    e = s.run("wake", "arch", check=3).stderr
    assert "in nbg1" in e and "its volume 'cold' is in fsn1" in e and 'location = "fsn1"' in e
    assert s.alive() == [] and "create_server" not in s.fake.actions()
    # Not in the file any more.
    use(s, allowed=[], public=new, volume=False)
    assert steps(s) == [("keep", "volume")]


def test_of_somebody_else(make):
    """A name, a key, a mark that is there already; what is refused does not keep the others back."""
    s = make(**QUICK)
    s.client.ssh_keys.create(name="laptop", public_key=s.public)
    s.client.firewalls.create(name="dormouse-arch")
    done = s.run("apply", "--yes")
    assert done.returncode != 0 and things(s)[0] == ALL[0]
    assert "the project has that key already, as 'laptop'" in done.stderr
    use(s, key='ssh_key = "laptop"')
    done = s.run("apply", "--yes")
    assert done.returncode != 0 and "firewall 'dormouse-arch' already, and not of our making" in done.stderr
    use(s, key='ssh_key = "laptop"')
    s.client.firewalls.delete(s.client.firewalls.get_by_name("dormouse-arch"))
    s.run("apply", "--yes", check=0)
    # Two of it.
    s.client.volumes.create(20, "twin", location=Location("fsn1"), labels={"dormouse-target": "arch", "dormouse-made": "cold"})
    assert "there are 2 of it" in s.run("apply", "--yes", check=1).stdout
    assert "more than one volume 'cold'" in s.run("wake", "arch", check=2).stderr and s.alive() == []
    # What the API says no to is passed on.
    s.client.volumes.delete(s.client.volumes.get_by_name("twin"))
    use(s, key='ssh_key = "laptop"', allowed=["192.0.2.7/24"])
    e = s.run("apply", "--yes").stderr
    assert "cannot change the firewall" in e and "192.0.2.7/24" in e
    use(s, key='ssh_key = "laptop"', more='  volume "more" {\n    size = "10GiB"\n  }\n')
    s.fake.settings.volumes = 1
    e = s.run("apply", "--yes").stderr
    assert "cannot make the volume 'more'" in e and "Limits in the console" in e
    s.fake.settings.volumes, s.fake.settings.failing = 10, ["create_volume"]
    assert "Action failed" in s.run("apply", "--yes").stderr


def test_a_target_that_cannot_be_seen(make):
    """It is told, and keeps the others from nothing; what was applied is not all of it."""
    s = make(**QUICK)
    good = s.config.read_text()
    s.config.write_text(good.replace('"arch"', '"other"', 1).replace('trimspace(file("token"))', '"wrong"') + good)
    (shown,) = [t for t in json.loads(s.run("apply", "--dry-run", "--json", check=1).stdout) if "error" in t]
    assert shown["target"] == "other" and shown["steps"] == [] and shown["error"]["kind"] == "denied"
    done = s.run("apply", "--yes", check=1)
    assert "cannot see what target 'other' has" in done.stderr and "API tokens" in done.stderr
    assert "target 'other': left as it is" in done.stdout and things(s) == ALL
    assert [g["done"] for g in json.loads(s.run("generations", "--json", check=0).stdout)] == [False]
    s.run("apply", "--yes", check=1)  # again: it is still not all
    for only in (["apply", "other"], ["destroy", "other"]):
        assert "cannot see what target 'other' has" in s.run(*only, "--yes", check=2).stderr
    s.config.write_text(good)
    s.run("apply", "--yes", check=0)
    assert json.loads(s.run("generations", "--json", check=0).stdout)[-1]["done"]


def nothing(s):
    s.run("destroy", "arch", "--yes", "--with-data", "arch", check=0)
    assert things(s) == ([], [], [])


@pytest.mark.parametrize("kind", ["cut-before", "cut-after", "garbage", "error"])
def test_each_call_once_without_an_answer(make, kind):
    """Done again, it does what is left: never two of one thing.  Each kind of call is struck when it first comes, and each
    look once more later, when something was made just before."""
    s = make(**QUICK)
    looks = ["ssh_keys", "firewalls", "volumes"]
    others = ["add_ssh_key", "create_firewall", "create_volume", "action", "resize_volume", "set_rules", "delete_ssh_key",
              "delete_firewall", "delete_volume"]  # fmt: skip
    faults = [s.fake.faults.add(name, kind=kind, nth=nth, code="service_error", status=503)
              for names, nth in ((looks + others, 1), (looks, 4)) for name in names]  # fmt: skip
    for size, allowed, command in ((20, [FROM], ["apply"]), (30, [FROM, "2001:db8::/32"], ["apply"]),
                                   (30, [FROM], ["destroy", "arch", "--with-data", "arch"])):  # fmt: skip
        use(s, size=size, allowed=allowed)
        for _ in range(len(faults)):
            done = s.run(*command, "--yes")
            assert all(len(one) <= 1 for one in things(s)), (things(s), done.stderr)
            if done.returncode == 0:
                break
            assert kind == "garbage", done.stderr
        assert done.returncode == 0 and things(s) == (ALL if command[0] == "apply" else ([], [], []))
        if command[0] == "apply":
            assert [v.size for v in s.fake.project.volumes.values()] == [size] and len(rules(s)) == len(allowed)
    # Of an answer that makes no sense, nobody knows which action is to be waited for.
    assert {f.action for f in faults if not f.hits} <= ({"action"} if kind == "garbage" else set())


def test_killed_at_each_call(make):
    s = make(**QUICK)
    for command in (["apply", "--yes"], ["destroy", "arch", "--yes", "--with-data", "arch"]):
        for nth in range(1, 40):
            if command[0] == "destroy":
                s.run("apply", "--yes", check=0)
            struck = killed_at(s, command, nth)
            if command[0] == "apply":
                s.run("apply", "--yes", check=0)
                assert things(s) == ALL and s.fake.project.firewalls and len(rules(s)) == 1, nth
            nothing(s)
            if not struck:
                break
        assert nth > 5
