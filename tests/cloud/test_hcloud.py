"""The fake of Hetzner Cloud, through its own Python library and its own command."""

import http.client
import json
import os
import subprocess
import urllib.request

import hcloud
import pytest
from conftest import wait_for
from fake.hcloud_api import Hcloud
from hcloud.firewalls.domain import FirewallRule
from hcloud.images.domain import Image
from hcloud.locations.domain import Location
from hcloud.server_types.domain import ServerType

COMMAND = "/usr/bin/hcloud"


@pytest.fixture
def make(tmp_path_factory):
    made = []

    def make(backend="none", **settings):
        made.append(Hcloud(tmp_path_factory.mktemp("hcloud"), backend, **settings))
        return made[-1]

    yield make
    for one in made:
        one.end()


@pytest.fixture
def fake(make):
    return make()


@pytest.fixture
def client(fake):
    return client_of(fake)


def client_of(fake):
    return hcloud.Client(token=fake.token, api_endpoint=fake.endpoint, poll_interval=0.05)


def ask(fake, method, path, value=None, token=None, **headers):
    connection = http.client.HTTPConnection("127.0.0.1", fake.api.port, timeout=20)
    body = None if value is None else value if isinstance(value, str) else json.dumps(value)
    words = {
        "Authorization": f"Bearer {token or fake.token}",
        **({"Content-Type": "application/json"} if body else {}),
        **headers,
    }
    connection.request(method, "/v1" + path, body, words)
    answer = connection.getresponse()
    text = answer.read()
    connection.close()
    value = json.loads(text) if text else None
    return answer.status, value["error"]["code"] if answer.status >= 400 else value


def server(client, name="archiver", **more):
    words = {"server_type": ServerType("cax11"), "image": Image(name="debian-13"), "location": Location("fsn1"), **more}
    return client.servers.create(name, **words)


def refused(call, code, *words, **named):
    with pytest.raises(hcloud.APIException) as e:
        call(*words, **named)
    assert e.value.code == code, e.value


def test_life(fake, client):
    fake.settings.creating = fake.settings.starting = 50
    made = server(client, user_data="#cloud-config\nusers: []\n", labels={"owner": "a"})
    assert made.server.status == "initializing" and made.action.status == "running"
    assert made.server.public_net.ipv4.ip.startswith("127.")
    refused(client.servers.delete, "locked", made.server)
    fake.advance(51)
    assert client.servers.get_by_id(made.server.id).status == "off"
    fake.advance(50)
    assert client.servers.get_by_name("archiver").status == "running"
    assert client.actions.get_by_id(made.action.id).status == "success"
    refused(server, "uniqueness_error", client)
    fake.advance(3600)
    client.servers.power_off(made.server).wait_until_finished()
    assert client.servers.get_by_id(made.server.id).status == "off"
    fake.advance(3600)
    client.servers.delete(made.server).wait_until_finished()
    refused(client.servers.get_by_id, "not_found", made.server.id)
    # Each hour that was begun, also those while it was off.
    line = fake.bill.lines[0]
    assert line.seconds(fake.project.now()) == 3 * 3600 and fake.bill.running() == []
    assert fake.project.leftovers() == []


def test_volumes(fake, client):
    made = client.volumes.create(10, "vault", location=Location("fsn1"), labels={"owner": "a"})
    made.action.wait_until_finished()
    vol = client.volumes.get_by_name("vault")
    assert (vol.status, vol.server, vol.linux_device) == (
        "available",
        None,
        f"/dev/disk/by-id/scsi-0HC_Volume_{vol.id}",
    )
    refused(client.volumes.create, "uniqueness_error", 10, "vault", location=Location("fsn1"))
    refused(client.volumes.create, "invalid_input", 9, "other", location=Location("fsn1"))
    refused(server, "invalid_input", client, location=Location("nbg1"), volumes=[vol])
    first = server(client, volumes=[vol], automount=False)
    for one in [first.action, *first.next_actions]:
        one.wait_until_finished()
    assert client.volumes.get_by_id(vol.id).server.id == first.server.id
    refused(client.volumes.delete, "service_error", vol)
    refused(server, "volume_already_attached", client, name="other", volumes=[vol])
    client.volumes.detach(vol).wait_until_finished()
    refused(client.volumes.detach, "invalid_input", vol)
    client.volumes.attach(vol, first.server).wait_until_finished()
    client.volumes.resize(vol, 20).wait_until_finished()
    refused(client.volumes.resize, "invalid_input", vol, 20)
    assert fake.project.volumes[vol.id].path.stat().st_size == 20 << 30
    client.servers.delete(first.server).wait_until_finished()
    assert client.volumes.get_by_id(vol.id).server is None, "it outlives its server"
    client.volumes.delete(vol)
    assert fake.project.leftovers() == []


def test_firewalls(fake, client):
    def rule(**more):
        return FirewallRule(**{"direction": "in", "protocol": "tcp", "port": "22", "source_ips": ["192.0.2.7/32"], **more})

    made = client.firewalls.create("wall", rules=[rule(), rule(protocol="icmp", port=None)], labels={"owner": "a"})
    wall = client.firewalls.get_all(label_selector="owner=a")[0]
    assert [(r.protocol, r.port, r.source_ips) for r in wall.rules] == [
        ("tcp", "22", ["192.0.2.7/32"]), ("icmp", None, ["192.0.2.7/32"])] and made.actions == []  # fmt: skip
    refused(client.firewalls.create, "uniqueness_error", "wall")
    for wrong in ({"port": "0"}, {"port": "9-8"}, {"port": None}, {"source_ips": []}, {"source_ips": ["192.0.2.7/24"]},
                  {"source_ips": ["192.0.2.7"]}, {"direction": "up"}, {"protocol": "icmp"}, {"destination_ips": ["10.0.0.0/8"]},
                  {"source_ips": ["10.0.0.0/8"] * 101}):  # fmt: skip
        refused(client.firewalls.create, "invalid_input", "other", rules=[rule(**wrong)])
    one = server(client, firewalls=[wall]).server
    assert [f.firewall.id for f in client.servers.get_by_id(one.id).public_net.firewalls] == [wall.id]
    refused(client.firewalls.delete, "resource_in_use", wall)
    for action in client.firewalls.set_rules(wall, []):
        action.wait_until_finished()
    assert client.firewalls.get_by_id(wall.id).rules == []
    wait_for(lambda: client.servers.get_by_id(one.id).status == "running")
    client.servers.delete(one).wait_until_finished()
    client.firewalls.delete(wall)
    vol = client.volumes.create(10, "vault", location=Location("fsn1")).volume
    wait_for(lambda: client.volumes.get_by_id(vol.id).status == "available")
    client.volumes.change_protection(vol, delete=True).wait_until_finished()
    refused(client.volumes.delete, "protected", vol)
    client.volumes.change_protection(vol, delete=False).wait_until_finished()
    client.volumes.delete(vol)
    assert fake.project.leftovers() == []


def test_prices(fake, client):
    """As those of a type of server, which this library reads; prices it does not know."""
    status, answer = ask(fake, "GET", "/pricing")
    assert status == 200 and answer["pricing"]["currency"] == "EUR"
    for kind in answer["pricing"]["server_types"]:
        assert kind["prices"] == client.server_types.get_by_name(kind["name"]).prices
    assert [ip["type"] for ip in answer["pricing"]["primary_ips"]] == ["ipv4", "ipv6"]


def test_limits(fake, client):
    fake.settings.no_capacity = ["cax11:fsn1"]
    refused(server, "resource_unavailable", client)
    fake.settings.no_capacity, fake.settings.servers = [], 1
    server(client)
    refused(server, "resource_limit_exceeded", client, name="other")
    refused(server, "invalid_input", client, name="not valid")
    refused(server, "invalid_input", client, name="x", user_data="x" * 32769)
    refused(server, "invalid_input", client, name="x", image=Image(name="none"))
    refused(server, "invalid_input", client, name="x", labels={"a b": "c"})


def test_an_action_that_fails(fake, client):
    fake.settings.failing = ["start_server"]
    made = server(client)
    made.action.wait_until_finished()
    with pytest.raises(hcloud.actions.domain.ActionFailedException):
        made.next_actions[0].wait_until_finished()
    assert client.servers.get_by_id(made.server.id).status == "off"


def test_labels_and_pages(fake, client):
    fake.settings.volumes = 100
    for n in range(60):
        client.volumes.create(
            10, f"v{n}", location=Location("fsn1"), labels={"owner": "ab"[n % 2], **({"odd": ""} if n % 2 else {})}
        )

    def count(selector):
        return len(client.volumes.get_all(label_selector=selector))

    assert [count(s) for s in ("owner=a", "owner==b", "owner!=a", "odd", "!odd", "owner in (a,b),odd", "owner notin (b)")] \
        == [30, 30, 30, 30, 30, 30, 30]  # fmt: skip
    assert len(client.volumes.get_all()) == 60
    status, page = ask(fake, "GET", "/volumes?page=2&per_page=50")
    assert len(page["volumes"]) == 10 and page["meta"]["pagination"]["last_page"] == 2
    assert ask(fake, "GET", "/volumes?per_page=51") == (422, "invalid_input")
    assert ask(fake, "GET", "/volumes?colour=red") == (422, "invalid_input")


def test_requests_that_are_not_right(fake):
    assert ask(fake, "GET", "/servers", token="wrong") == (401, "unauthorized")
    assert ask(fake, "POST", "/volumes", {}, token=fake.project.readonly_token) == (403, "token_readonly")
    assert ask(fake, "GET", "/servers", token=fake.project.readonly_token)[0] == 200
    assert ask(fake, "POST", "/volumes", "{") == (400, "json_error")
    assert ask(fake, "POST", "/volumes", "[]") == (400, "json_error")
    good = {"name": "v", "size": 10, "location": "fsn1"}
    for wrong in (
        {"colour": 1},
        {"size": "10"},
        {"size": True},
        {"name": None},
        {"server": 1},
        {"labels": []},
        {"format": "zfs"},
    ):
        assert ask(fake, "POST", "/volumes", {**good, **wrong})[0] in (422, 404), wrong
    assert ask(fake, "POST", "/volumes", good, **{"Content-Type": "text/plain"})[0] == 415
    assert ask(fake, "POST", "/volumes", good)[0] == 201
    assert ask(fake, "GET", "/nothing") == (404, "not_found")
    fake.settings.rate = 60
    assert [ask(fake, "GET", "/locations")[0] for _ in range(61)][-1] == 429
    fake.advance(61)
    assert ask(fake, "GET", "/locations")[0] == 200


def test_faults(fake, client):
    fake.faults.add("create_server", kind="cut-after")
    with pytest.raises(Exception, match="Connection|reset|aborted"):
        server(client)
    refused(server, "uniqueness_error", client)
    assert len(fake.project.servers) == 1, "the name is what keeps a second one away"
    fake.faults.add("servers", code="unknown_error", status=500)
    refused(client.servers.get_all, "unknown_error")


def test_control(fake, client):
    made = server(client)
    wait_for(lambda: client.servers.get_by_id(made.server.id).status == "running")

    def control(path, value):
        request = urllib.request.Request(fake.control_url + path, data=json.dumps(value).encode())
        with urllib.request.urlopen(request, timeout=20) as answer:
            return json.load(answer)

    assert control("/guest", {"instance": str(made.server.id), "do": "poweroff"})["servers"][0]["status"] == "off"
    control("/faults", {"action": "servers", "code": "unknown_error"})
    refused(client.servers.get_all, "unknown_error")


def test_a_server_is_real(make, tmp_path):
    fake = make("sshd")
    client = client_of(fake)
    subprocess.run(["ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-f", tmp_path / "id"], check=True)
    line = (tmp_path / "id.pub").read_text()
    key = client.ssh_keys.create("k", line)
    refused(client.ssh_keys.create, "uniqueness_error", "other", line)
    vol = client.volumes.create(10, "vault", location=Location("fsn1")).volume
    wait_for(lambda: client.volumes.get_by_id(vol.id).status == "available")
    made = server(client, ssh_keys=[key], volumes=[vol])
    ssh = ["ssh", "-F", "none", "-o", "BatchMode=yes", "-o", "StrictHostKeyChecking=no", "-o", "LogLevel=ERROR", "-o",
           "UserKnownHostsFile=/dev/null", "-i", tmp_path / "id", "-p", str(fake.ssh_port), f"root@{made.server.public_net.ipv4.ip}"]  # fmt: skip

    def run(command):
        return subprocess.run([*ssh, command], stdin=subprocess.DEVNULL, capture_output=True, text=True, timeout=60)

    wait_for(lambda: run("true").returncode == 0)
    assert run(f"stat -Lc %s $FAKE_DISKS/scsi-0HC_Volume_{vol.id}").stdout == f"{10 << 30}\n"
    run("poweroff")
    wait_for(lambda: client.servers.get_by_id(made.server.id).status == "off")
    assert [one.name for one in fake.bill.running()] == [vol.id, made.server.id], "off is not gone"


def test_command(fake, tmp_path):
    def run(*words):
        env = dict(
            os.environ, HCLOUD_TOKEN=fake.token, HCLOUD_ENDPOINT=fake.endpoint, HCLOUD_CONFIG=str(tmp_path / "c")
        )
        done = subprocess.run(
            [COMMAND, *words], env=env, stdin=subprocess.DEVNULL, capture_output=True, text=True, timeout=60
        )
        assert done.returncode == 0, done.stderr
        return done.stdout

    subprocess.run(["ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-f", tmp_path / "id"], check=True)
    run("ssh-key", "create", "--name", "k", "--public-key-from-file", str(tmp_path / "id.pub"))
    run("volume", "create", "--name", "vault", "--size", "10", "--location", "fsn1")
    run("firewall", "create", "--name", "wall")
    run("firewall", "add-rule", "wall", "--direction", "in", "--protocol", "tcp", "--port", "22", "--source-ips", "::/0")
    assert "::/0" in run("firewall", "describe", "wall")
    run(
        "server",
        "create",
        "--name",
        "archiver",
        "--type",
        "cx22",
        "--image",
        "debian-13",
        "--location",
        "fsn1",
        "--ssh-key",
        "k",
        "--firewall",
        "wall",
    )
    assert "running" in run("server", "list")
    run("volume", "attach", "vault", "--server", "archiver")
    assert "archiver" in run("volume", "list")
    run("volume", "resize", "vault", "--size", "20")
    run("volume", "detach", "vault")
    run("server", "delete", "archiver")
    wait_for(lambda: not fake.project.servers)
    run("firewall", "delete", "wall")
    run("volume", "enable-protection", "vault", "delete")
    run("volume", "disable-protection", "vault", "delete")
    run("volume", "delete", "vault")
    run("ssh-key", "delete", "k")
    wait_for(lambda: fake.project.leftovers() == [])
