"""The real program and servers of Hetzner Cloud; of that, all but the servers is fake."""

import json
import os
import subprocess
import time

import hcloud
import pytest
from conftest import wait_for
from real import DORMOUSE, POOLS, fails, works


@pytest.fixture
def make(make_project):
    return make_project


def posts(s):
    return [c for c in s.fake.calls if c.name.startswith("POST") and c.path.endswith("/servers")]


def test_life(make):
    s = make("sshd")
    volume = s.client.volumes.create(size=10, name="cold", location=hcloud.locations.domain.Location(name="fsn1")).volume
    wait_for(lambda: s.client.volumes.get_by_id(volume.id).status == "available")
    s.use(f'  volumes = ["{volume.id}"]\n  labels = {{ project = "backup" }}')
    s.run("wake", "arch", check=0)
    (server,) = s.alive()
    assert server.labels["project"] == "backup" and server.labels["dormouse-target"] == "arch"
    assert server.labels["dormouse-token"] == server.name.removeprefix("dormouse-") and server.volumes()
    done = s.ssh("ls $FAKE_DISKS")
    assert done.returncode == 0 and str(volume.id) in done.stdout, done.stderr
    facts = json.loads(s.run("machines", "--json", check=0).stdout)[0]["facts"]
    assert facts["id"] == str(server.id) and facts["address"] == server.ip
    s.sleep()
    assert s.alive() == [] and s.client.volumes.get_by_id(volume.id).server is None


def test_has_its_volume_when_it_is_ready(make):
    """Also when nobody has heard which actions are to be waited for."""
    s = make(creating=0, starting=0, attaching=1.5)
    volume = s.client.volumes.create(size=10, name="cold", location=hcloud.locations.domain.Location(name="fsn1")).volume
    wait_for(lambda: s.client.volumes.get_by_id(volume.id).status == "available")
    s.use(f'  volumes = ["{volume.id}"]')
    s.fake.faults.add("create_server", kind="cut-after")
    works(s)
    assert [v.id for v in s.alive()[0].volumes()] == [volume.id]


def test_repeated_start_is_the_same(make):
    s = make()
    first, _ = works(s)
    again, _ = works(s)
    assert first["id"] == again["id"] and len(s.alive()) == 1
    assert [m["id"] for m in works(s, "list")[0]["machines"]] == [first["id"]]
    works(s, "stop")
    assert s.alive() == [] and works(s, "list")[0]["machines"] == []
    works(s, "stop")


@pytest.mark.parametrize("left", [{}, {"dormouse-token": ""}])
def test_lost_token(make, left):
    """Somebody has taken the label away, or emptied it: it is listed all the same, and can be ended."""
    s = make()
    works(s)
    other, _ = works(s, token="f" * 32)
    for server in s.client.servers.get_all():
        if str(server.id) != other["id"]:
            server.update(labels={k: v for k, v in server.labels.items() if k != "dormouse-token"} | left)
    assert sorted(m["token"] for m in works(s, "list")[0]["machines"]) == ["", "f" * 32]
    works(s, "stop", token="")
    assert [str(i.id) for i in s.alive()] == [other["id"]]


@pytest.mark.parametrize("kind", ["cut-before", "cut-after", "error"])
def test_each_call_once_without_an_answer(make, kind):
    s = make(creating=0, starting=0, deleting=0)
    calls = None
    nth = 0
    while calls is None or nth < calls:
        s.fake.faults.clear()
        if nth:
            s.fake.faults.add("*", kind=kind, nth=nth, code="service_error", status=503)
        del s.fake.calls[:]
        token = os.urandom(16).hex()
        works(s, token=token)
        assert len(s.alive()) == 1
        works(s, "stop", token=token)
        assert s.alive() == []
        calls = calls or len(s.fake.calls)
        nth += 1


@pytest.mark.parametrize("pools, drained", [("", True), (POOLS, False), (POOLS, True)])
def test_shut_down_before_it_is_deleted(make, pools, drained):
    """Deleting is cutting the power: only for one whose pools were exported."""
    s = make()
    s.use(pools)
    works(s)
    (server,) = s.alive()
    del s.fake.calls[:]
    works(s, "stop", drained=drained)
    assert any(c.path.endswith("/actions/shutdown") for c in s.fake.calls) == (not (pools and drained))
    assert s.alive() == [] and (server.status == "off" or drained and pools)


def test_refusals(make):
    s = make(no_capacity=["cax11"])
    s.use(kind="cax11")
    e = fails(s)
    assert e["kind"] == "busy" and "another server_type" in e["hint"]
    s.use(kind="cx99")
    e = fails(s)
    assert "cx99" in e["why"] or "server_type" in e["why"]
    s.use(token="wrong")
    e = fails(s)
    assert e["kind"] == "denied" and "API tokens" in e["hint"] and "wrong" not in e["what"] + e["why"]
    s.use(token=s.fake.project.readonly_token)
    e = fails(s)
    assert e["kind"] == "denied" and "reading and writing" in e["hint"]
    s.use(token="two words")
    e = fails(s)
    assert e["kind"] == "config" and "two words" not in json.dumps(e)
    s.use('  volumes = ["cold"]')
    e = fails(s)
    assert e["kind"] == "config" and "'cold'" in e["why"]
    s.use('  volume "cold_" {\n    size = "10GiB"\n  }')
    e = fails(s)
    assert e["kind"] == "config" and "'cold_' cannot be a label" in e["what"]
    s.use(location="nowhere")
    e = fails(s)
    assert e["kind"] == "config" and "location" in e["why"] and "target's block" in e["hint"]
    s.use()
    s.config.write_text(s.config.read_text().replace("debian-13", "debian-99"))
    e = fails(s)
    assert e["kind"] == "config" and "image" in e["why"] and "target's block" in e["hint"]
    s.fake.settings.servers = 0
    s.use()
    e = fails(s)
    assert e["kind"] == "full" and "Limits in the console" in e["hint"]
    s.fake.settings.servers = 10
    volume = s.client.volumes.create(size=10, name="cold", location=hcloud.locations.domain.Location(name="fsn1")).volume
    wait_for(lambda: s.client.volumes.get_by_id(volume.id).status == "available")
    s.use(f'  volumes = ["{volume.id}"]', location="nbg1")
    e = fails(s)
    assert e["kind"] == "config" and "location" in e["why"] + e["hint"] and s.alive() == []
    # With another server: it is not taken away.
    s.use(f'  volumes = ["{volume.id}"]')
    works(s, token="1" * 32)
    e = fails(s)
    assert e["kind"] == "conflict" and "not taken away" in e["hint"] and len(s.alive()) == 1
    works(s, "stop", token="1" * 32)
    for command in ("create_server", "attach_volume"):
        s.fake.settings.failing = [command]
        e = fails(s)
        assert "Action failed" in e["why"]
        wait_for(lambda: s.alive() == [])


def test_never_running(make):
    """Made, and not running when its time is over: a stop finds it all the same."""
    s = make(starting=3600)
    e = fails(s, timeout=2)
    assert e["kind"] == "timeout" and len(s.alive()) == 1
    assert fails(s, "stop", timeout=2)["kind"] == "busy"  # it is locked until then
    s.fake.advance(3600)
    works(s, "stop")
    assert s.alive() == []


def test_keeper_killed(make):
    s = make(starting=30)
    s.env["DORMOUSE_LOOK_MS"] = "300"
    with subprocess.Popen([DORMOUSE, "wake", "arch"], env=s.env, stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL,
                          stderr=subprocess.DEVNULL) as wake:  # fmt: skip
        wait_for(lambda: len(s.alive()) == 1)
        wake.kill()
        s.end()
    s.run("machines", check=0)
    s.fake.advance(40)
    wait_for(lambda: s.alive() == [], 60)


def test_token_replaced_while_it_runs(make):
    """What runs is asked for with the token that has started it, until that is refused."""
    s = make("sshd")
    s.env["DORMOUSE_LOOK_MS"] = "200"
    s.run("wake", "arch", check=0)
    s.use(token="of-another-project")
    time.sleep(0.6)
    assert json.loads(s.run("machines", "--json", check=0).stdout)[0]["state"] == "lingering" and len(s.alive()) == 1
    s.fake.project.token = "new"
    s.use(token="new")
    s.sleep()
    assert s.alive() == []


def test_of_another_project(make):
    """Its empty list is no proof that the machine is gone."""
    s = make()
    works(s)
    assert works(s, "list")[0]["machines"] != []
    servers, s.fake.project.servers = s.fake.project.servers, {}
    assert works(s, "list")[0]["machines"] == []
    s.client.ssh_keys.delete(s.client.ssh_keys.get_by_name("mine"))
    for op in ("list", "stop"):
        e = fails(s, op)
        assert e["kind"] == "conflict" and "is it another project" in e["why"] and "ssh_key" in e["hint"], e
    s.fake.project.servers = servers
    works(s, "stop")
    assert s.alive() == []
