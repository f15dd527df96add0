"""What goes wrong between us and EC2: at the end, no machine is there that should not be."""

import os
import subprocess

import pytest
from conftest import wait_for
from real import DORMOUSE, POOLS, attached, fails, order, worker, works


def test_repeated_start_is_the_same(make):
    s = make()
    first, _ = works(s)
    again, _ = works(s)
    assert first["id"] == again["id"] and len(s.alive()) == 1
    listed, _ = works(s, "list")
    assert [m["id"] for m in listed["machines"]] == [first["id"]]
    works(s, "stop")
    assert s.alive() == [] and works(s, "list")[0]["machines"] == []
    works(s, "stop")  # not there is success


@pytest.mark.parametrize("strange", ["", "*", "a\\b"])
def test_strange_token(make, strange):
    """What is listed can be ended, by the token that it is listed with; and nothing else is."""
    s = make()
    works(s)
    other, _ = works(s, token="f" * 32)
    s.ec2.create_tags(Resources=[i.id for i in s.alive() if i.id != other["id"]],
                      Tags=[{"Key": "dormouse:token", "Value": strange}])  # fmt: skip
    assert sorted(m["token"] for m in works(s, "list")[0]["machines"]) == sorted([strange, "f" * 32])
    works(s, "stop", token=strange)
    assert [i.id for i in s.alive()] == [other["id"]]


def one_life(s, cold):
    """A start and a stop; nothing is left but the volume."""
    token = os.urandom(16).hex()
    started, _ = worker(s, "start", token=token)
    if started["ok"]:
        assert len(s.alive()) == 1 and s.of(cold).instance is s.alive()[0]
    works(s, "stop", token=token)
    assert s.alive() == []
    wait_for(lambda: s.of(cold).state == "available")
    return started["ok"]


def test_lost_token(make):
    """Somebody has taken the tag away: it is listed all the same, and can be ended."""
    s = make()
    works(s)
    other, _ = works(s, token="f" * 32)
    s.ec2.delete_tags(Resources=[i.id for i in s.alive() if i.id != other["id"]], Tags=[{"Key": "dormouse:token"}])
    assert sorted(m["token"] for m in works(s, "list")[0]["machines"]) == ["", "f" * 32]
    works(s, "stop", token="")
    assert [i.id for i in s.alive()] == [other["id"]]


@pytest.mark.parametrize("kind", ["cut-before", "cut-after", "garbage", "error"])
def test_each_call_once_without_an_answer(make, kind):
    """Executed or not, and unanswered: one machine at most, and none that a stop does not end."""
    s = make(pending=0, shutting_down=0, attaching=0, detaching=0)
    cold = s.volume()
    s.use(attached(cold) + POOLS)
    del s.fake.calls[:]
    assert one_life(s, cold)
    calls = s.fake.actions()
    assert {"RunInstances", "AttachVolume", "DetachVolume", "TerminateInstances"} <= set(calls)
    # What it was that went wrong, an answer that makes no sense does not say: there the start is not tried again.
    stop = len(calls) - calls.index("DetachVolume")
    for nth in range(1, len(calls) + 1 - (stop + 2 if kind == "garbage" else 0)):
        s.fake.faults.clear()
        s.fake.faults.add("*", kind=kind, nth=nth)
        assert one_life(s, cold) or kind == "garbage", f"call {nth}, {calls[nth - 1]}"


def test_killed_at_each_call(make):
    """The worker dies at any call, which is executed; the next keeper has it ended."""
    s = make(pending=0, shutting_down=0, attaching=0, detaching=0)
    cold = s.volume()
    s.use(attached(cold) + POOLS)
    for op in ("start", "stop"):
        nth = 0
        while True:
            nth += 1
            token = os.urandom(16).hex()
            if op == "stop":
                works(s, token=token)
            s.fake.faults.clear()
            fault = s.fake.faults.add("*", kind="slow", nth=nth, seconds=0.3)
            text = order(s, op, token)
            with subprocess.Popen([DORMOUSE, "worker", op, "arch"], env=s.env, stdin=subprocess.PIPE,
                                  stdout=subprocess.DEVNULL, text=True) as process:  # fmt: skip
                process.stdin.write(text)
                process.stdin.close()
                wait_for(lambda p=process, f=fault: f.hits or p.poll() is not None)
                process.kill()
            s.fake.faults.clear()
            wait_for(lambda: s.fake.calls[-1].outcome)
            works(s, "stop", token=token)
            assert s.alive() == []
            wait_for(lambda: s.of(cold).state == "available")
            if not fault.hits:
                break
        assert nth > 4


def test_two_of_one_token(make):
    """What an attempt left, and the machine of the next: one that cannot be ended keeps the other from nothing."""
    s = make(shutting_down=1)
    works(s)
    (one,) = s.alive()
    works(s, token="f" * 32)
    (two,) = [i for i in s.alive() if i is not one]
    s.ec2.create_tags(Resources=[two.id], Tags=[{"Key": "dormouse:token", "Value": one.tags["dormouse:token"]}])
    del s.fake.calls[:]
    s.fake.faults.add("TerminateInstances", code="OperationNotPermitted", message="protected", status=400)
    assert "OperationNotPermitted" in fails(s, "stop")["why"]
    assert len(s.alive()) == 1
    works(s, token="1" * 32)
    (new,) = [i for i in s.alive() if i.tags["dormouse:token"] == "1" * 32]
    s.ec2.create_tags(Resources=[new.id], Tags=[{"Key": "dormouse:token", "Value": one.tags["dormouse:token"]}])
    del s.fake.calls[:]
    works(s, "stop")
    assert s.fake.actions()[:3] == ["DescribeInstances", "TerminateInstances", "TerminateInstances"] and s.alive() == []


def test_not_known_is_not_ended(make):
    """EC2 knows nothing of it, in one place and in another: it runs all the same, until it is told again."""
    s = make()
    works(s)
    del s.fake.calls[:]
    empty = ('<DescribeInstancesResponse xmlns="http://ec2.amazonaws.com/doc/2016-11-15/"><reservationSet/>'
             "</DescribeInstancesResponse>")  # fmt: skip
    s.fake.faults.add("TerminateInstances", code="InvalidInstanceID.NotFound", message="no", status=400)
    s.fake.faults.add("DescribeInstances", kind="garbage", nth=2, body=empty)
    works(s, "stop")
    assert s.fake.actions().count("TerminateInstances") == 2 and s.alive() == []


def test_never_running(make):
    """Launched, and not there when its time is over: it is not there afterwards either."""
    s = make(pending=3600)
    s.use(timeout="2s")
    done = s.run("wake", "arch", check=2)
    assert "'arch'" in done.stderr and "hint: " in done.stderr and len(s.launched()) == 1
    wait_for(lambda: s.alive() == [])


def test_throttled(make):
    s = make()
    s.fake.faults.throttle("RunInstances", times=2)
    works(s)
    assert [x["outcome"] for x in s.launched()] == ["RequestLimitExceeded"] * 2 + ["ok"]
    assert len({x["ClientToken"] for x in s.launched()}) == 1


def test_not_seen_at_once(make):
    s = make(hidden_polls=3)
    works(s)
    assert len(s.alive()) == 1


def test_another_type(make):
    s = make(no_capacity=["t4g.nano"])
    s.use('  instance_types = ["t4g.micro", "t4g.small"]')
    _, progress = works(s)
    assert [i.type for i in s.alive()] == ["t4g.micro"]
    assert "there is no t4g.nano" in progress
    tokens = [x["ClientToken"] for x in s.launched()]
    assert len(set(tokens)) == 2 and all(x["TagSpecification.1.Tag.4.Value"] in tokens[0] for x in s.launched())
    works(s, "stop")
    assert s.alive() == []


def test_for_much_at_once(make):
    """Another type is tried first, and the usual ones where there is none of it."""
    s = make(no_capacity=["t4g.medium"])
    s.use('  instance_types = ["t4g.micro"]\n  bulk_instance_type = ["t4g.medium", "t4g.small"]')
    for use, kind in (("bulk", "t4g.small"), ("move", "t4g.small"), (None, "t4g.nano")):
        token = os.urandom(16).hex()
        works(s, token=token, more={"use": use} if use else {})
        assert [i.type for i in s.alive()] == [kind], use
        works(s, "stop", token=token)
    s.use('  bulk_instance_type = ["t4g.medium"]')
    works(s, token=os.urandom(16).hex(), more={"use": "bulk"})
    assert [i.type for i in s.alive()] == ["t4g.nano"]


def test_no_room_at_all(make):
    s = make(no_capacity=["t4g.nano"])
    e = fails(s)
    assert e["kind"] == "busy" and "InsufficientInstanceCapacity" in e["why"] and "instance_types" in e["hint"]


def test_no_room_after_the_launch(make):
    s = make(late_no_capacity=1)
    s.use('  instance_types = ["t4g.micro"]')
    works(s)
    assert [i.type for i in s.alive()] == ["t4g.micro"]


def test_spot_or_not(make):
    s = make(no_capacity=["spot"])
    s.use("  spot = true")
    works(s)
    assert ["InstanceMarketOptions.MarketType" in x for x in s.launched()] == [True, False]
    assert len(s.alive()) == 1


@pytest.mark.parametrize("name", ["nixos-25.11", "ubuntu-24.04", "debian-13",
                                  "ssm:/aws/service/debian/release/13/latest/arm64"])  # fmt: skip
def test_image_by_name(make, name):
    """The newest one of its maker that is ready, for the processor of the type."""
    s = make()
    s.use(name=name)
    _, progress = works(s)
    image = s.fake.world.images[s.launched()[0]["ImageId"]]
    maker = {"nixos": "427812963091", "ubuntu": "099720109477"}.get(name.split("-")[0], "136693071363")
    assert image.owner == maker and image.arch == "arm64" and image.state == "available" and "20261101" in image.name
    if not name.startswith("ssm"):
        assert any(image.id in line and image.name in line for line in progress)


def test_image_that_is_not(make):
    s = make()
    s.use(name="nixos-9.99")
    e = fails(s)
    assert e["kind"] == "config" and "no image 'nixos-9.99' for arm64" in e["why"] and "427812963091" in e["hint"]
    s.use(name="ssm:/none")
    e = fails(s)
    assert "ParameterNotFound" in e["why"]
    s.use(name="nixos-25.11", kind="t3.nano")
    works(s)
    assert s.fake.world.images[s.launched()[0]["ImageId"]].arch == "x86_64"
    for name, text in (("windows", "no image that is known by name"), ("ami-1\"\n  image_id = \"ami-1", "both")):
        s.use(name=name)
        done = s.run("check", check=3)
        assert text in done.stderr + done.stdout
