"""A volume becomes smaller: what it has goes to another one, which takes its place.  What is copied, and how, is
tests/zfs/test_move.py's; here ZFS is a model (tests/lib/model_zfs.py), and who dies where is what counts."""

import json
import pathlib
import subprocess
import sys

import pytest
from conftest import wait_for
from real import DORMOUSE

sys.path.append(str(pathlib.Path(__file__).resolve().parent.parent / "lib"))
import model_zfs  # noqa: E402
from fake import backends  # noqa: E402
from hcloud.locations.domain import Location  # noqa: E402

GIB = 1 << 30


@pytest.fixture
def zfs(monkeypatch):
    """Machines have it."""
    real = backends.SshdMachine.__init__

    def with_zfs(machine, *args):
        real(machine, *args)
        for name in ("zpool", "zfs"):
            (machine.shims / name).symlink_to(model_zfs.__file__)

    monkeypatch.setattr(backends.SshdMachine, "__init__", with_zfs)


def a_pool():
    """As backups have left it."""
    pool = model_zfs.new_pool("cold")
    home = model_zfs.dataset(readonly="on", **{"dormouse:properties": "it's {}"})
    home["snaps"] = [[f"s{i}", model_zfs.number(), i, ["mine"] if i == 2 else []] for i in range(1, 4)]
    pool["sets"] |= {"backup": model_zfs.dataset(), "backup/tank": model_zfs.dataset(**{"dormouse:placeholder": "cold/backup/tank"}),
                     "backup/tank/home": home}  # fmt: skip
    return pool


@pytest.fixture
def host(make, zfs):
    """With a volume of 500 GiB."""
    s = make("sshd", modifying=0)
    pool = a_pool()
    pool["sets"]["backup/tank/home"]["used"] = 100 * GIB
    model_zfs.write(volume(s, 500, pool=pool["guid"]).path, pool)
    return s


def volume(s, size, **tags):
    made = {"target": "arch", "made": "cold", **tags}
    tags = [{"Key": f"dormouse:{k}", "Value": v} for k, v in made.items()]
    v = s.ec2.create_volume(AvailabilityZone="us-east-1a", Size=size, VolumeType="gp3",
                            TagSpecifications=[{"ResourceType": "volume", "Tags": tags}])["VolumeId"]  # fmt: skip
    wait_for(lambda: s.of(v).state == "available")
    return s.of(v)


def use(s, size):
    s.use('  placement {\n    availability_zone = "us-east-1a"\n  }\n  watchdog = "0s"\n  bulk_instance_type = ["t4g.medium"]\n'
          f'  volume "cold" {{\n    size = "{size}GiB"\n    pool = "cold"\n    dataset "backup" {{\n    }}\n  }}\n', linger="0s")  # fmt: skip


def volumes(s):
    """{turn: volume}"""
    found = [v for v in s.fake.world.volumes.values() if v.tags.get("dormouse:made") == "cold" and v.state not in ("deleted", "deleting")]
    named = {v.tags.get("dormouse:turn", ""): v for v in found}
    assert len(named) == len(found), found
    return named


def has(v):
    """{dataset: (its snapshots, what is set)} of a volume."""
    pool = model_zfs.read(v.path)
    return {name: ([(n, g, t) for n, g, _, t in d["snaps"]], d["props"]) for name, d in pool["sets"].items()}


def steps(s):
    return [x["do"] for x in json.loads(s.run("apply", "--dry-run", "--json").stdout)[0]["steps"]]


def quiet(s):
    wait_for(lambda: not s.alive(), 60)


def moved(s, before):
    """What must be so after a move, whatever happened on the way."""
    quiet(s)
    v = volumes(s)
    assert sorted(v) == ["", "1"] and v["1"].size == 200 and v[""].size == 500
    assert has(v["1"]) == has(v[""]) == before
    assert model_zfs.read(v["1"].path)["guid"] == v["1"].tags["dormouse:pool"] != v[""].tags["dormouse:pool"]
    assert model_zfs.read(v["1"].path)["name"] == "cold"
    assert steps(s) == ["keep"]


def test_smaller(host, monkeypatch):
    """And what comes between the copy and the change of places is caught up with."""
    s = host
    (old,) = volumes(s).values()
    attach = backends.SshdMachine.attach

    def and_back_up(machine, serial, path):
        attach(machine, serial, path)
        pool = model_zfs.read(old.path)
        home = pool["sets"]["backup/tank/home"]
        # The first looks, the second copies.
        if len(s.launched()) == 3 and home["snaps"][-1][0] == "s3":
            home["snaps"] = [*home["snaps"][1:], ["s4", model_zfs.number(), 4, []]]
            model_zfs.write(old.path, pool)

    monkeypatch.setattr(backends.SshdMachine, "attach", and_back_up)
    use(s, 200)
    done = s.run("apply", "--yes", check=0)
    assert "move      volume 'cold'" in done.stdout and "GiB: 500 -> 200" in done.stdout and "--drop-old" in done.stdout
    after = has(old)
    assert [n for n, _, _ in after["backup/tank/home"][0]] == ["s2", "s3", "s4"]
    moved(s, after)
    assert [x["InstanceType"] for x in s.launched()] == ["t4g.medium"] * 4
    done = s.run("apply", check=0)
    assert "another has taken its place; it has the data, and costs about $40.00 a month" in done.stdout
    # From now on only the new one is with the machine.
    del s.fake.calls[:]
    s.run("apply", "--drop-old", "--yes", check=0)
    assert sorted(volumes(s)) == ["1"] and s.launched()[0]["InstanceType"] == "t4g.nano"
    assert {c.parameters["VolumeId"] for c in s.fake.calls if c.name == "AttachVolume"} == {volumes(s)["1"].id}
    quiet(s)
    assert steps(s) == []


def test_does_not_fit(host):
    s = host
    (old,) = volumes(s).values()
    pool = model_zfs.read(old.path)
    pool["sets"]["backup/tank/home"]["used"] = 199 * GIB
    model_zfs.write(old.path, pool)
    use(s, 200)
    done = s.run("apply", "--yes", check=2)
    assert "its pool has 199.0 GiB, and of 200.0 GiB a pool can hold 191." in done.stderr and "larger size" in done.stderr
    assert sorted(volumes(s)) == [""]
    quiet(s)


def test_is_nobody_elses(host):
    """What is being filled is of no account for others, and goes when it is not wanted any more."""
    s = host
    before = has(volumes(s)[""])
    new = volume(s, 200, pool="uninitialised", turn="next")
    use(s, 200)
    assert steps(s) == ["move"]
    s.run("wake", "arch", check=0)
    assert new.instance is None and volumes(s)[""].instance is s.alive()[0]
    quiet(s)
    use(s, 500)
    assert "is not wanted any more" in s.run("apply", "--yes", check=0).stdout
    assert sorted(volumes(s)) == [""] and has(volumes(s)[""]) == before
    # The old one is gone, whoever took it away: nothing else is.
    volumes(s)[""].tags["dormouse:turn"] = "next"
    assert steps(s) == ["CANNOT", "keep"]


def test_all_dies(host):
    """This host dies at each call that marks how far it is; the next apply goes on, and ends as if nothing had been."""
    s = host
    before = has(volumes(s)[""])
    use(s, 200)
    for call, turns in (("CreateVolume", ["", "next"]), ("CreateTags", ["", "next"]), ("CreateTags", ["", "1"])):
        fault = s.fake.faults.add(call, kind="slow", seconds=0.5)
        with subprocess.Popen([DORMOUSE, "apply", "--yes"], env=s.env, stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL,
                              stderr=subprocess.DEVNULL) as process:  # fmt: skip
            wait_for(lambda p=process, f=fault: f.hits or p.poll() is not None, 90)
            process.kill()
            s.end()
        assert fault.hits, call
        s.fake.faults.clear()
        wait_for(lambda t=turns: sorted(volumes(s)) == t)
    s.run("apply", "--yes", check=0)
    s.run("reap")  # the last one died when all was done but the end of its machine
    moved(s, before)


def test_at_hetzner(make_project, zfs):
    s = make_project("sshd", volume=0)
    block = 'volume "cold" {\n    size = "%sGiB"\n    pool = "cold"\n    dataset "backup" {\n    }\n  }\n'
    there = s.fake.project.volumes
    pool, labels = a_pool(), {"dormouse-target": "arch", "dormouse-made": "cold"}
    s.client.volumes.create(name="dormouse-arch-cold", size=50, location=Location(name="fsn1"), labels=labels | {"dormouse-pool": pool["guid"]})
    (old,) = there.values()
    wait_for(lambda: old.status == "available")
    model_zfs.write(old.path, pool)
    before = has(old)
    s.use(block % 20, linger="0s")
    assert "GiB: 50 -> 20" in s.run("apply", "--yes", check=0).stdout
    (new,) = [v for v in there.values() if v is not old]
    assert (new.name, new.size, new.labels["dormouse-turn"]) == ("dormouse-arch-cold-1", 20, "1")
    assert has(new) == has(old) == before and new.labels["dormouse-pool"] == model_zfs.read(new.path)["guid"] != pool["guid"]
    assert steps(s) == ["keep"]
    s.run("apply", "--drop-old", "--yes", check=0)
    assert list(there.values()) == [new] and steps(s) == []
