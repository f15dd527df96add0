"""Volumes on their way to a machine, and back."""

import threading

import pytest
from conftest import wait_for
from real import POOLS, attached, fails, works


def test_volume_of_another_machine(make):
    s = make()
    cold = s.volume()
    other = s.ec2.run_instances(ImageId=s.image, InstanceType="t4g.nano", MinCount=1, MaxCount=1,
                                Placement={"AvailabilityZone": "us-east-1a"})["Instances"][0]["InstanceId"]  # fmt: skip
    wait_for(lambda: s.fake.world.instances[other].state == "running")
    s.ec2.attach_volume(VolumeId=cold, InstanceId=other, Device="/dev/sdf")
    s.use(attached(cold))
    e = fails(s)
    assert e["kind"] == "conflict" and cold in e["why"] and other in e["why"] and "detach-volume" in e["hint"]
    # Refused before anything was started, and left where it is.
    assert len(s.launched()) == 1 and s.of(cold).instance.id == other


def test_volume_that_is_let_go_slowly(make):
    s = make(detaching=3, shutting_down=2)
    cold = s.volume()
    s.use(attached(cold))
    works(s, token="1" * 32)
    s.ec2.terminate_instances(InstanceIds=[s.alive()[0].id])
    _, progress = works(s, token="2" * 32)
    assert any("is still with i-" in line for line in progress), progress
    assert s.of(cold).instance is s.alive()[0]


def test_volume_that_gets_stuck_or_fails(make):
    s = make()
    cold = s.volume()
    s.use(attached(cold))
    s.fake.faults.add("AttachVolume", code="InvalidVolume.ZoneMismatch", message="no", status=400)
    e = fails(s)
    assert "cannot attach " + cold in e["what"] and "for target 'arch'" in e["what"] and "availability_zone" in e["hint"]
    # The machine that could not have it does not stay.
    wait_for(lambda: s.alive() == [])


def test_volume_whose_key_may_not_be_used(make):
    """EC2 says yes, and takes it away again without a word."""
    s = make(attaching=5)
    cold = s.volume()
    s.use(attached(cold))
    done = threading.Event()

    def take_away():
        while not done.wait(0.05):
            if s.of(cold).attachment == "attaching":
                s.ec2.detach_volume(VolumeId=cold, Force=True)

    thread = threading.Thread(target=take_away)
    thread.start()
    e = fails(s, timeout=40)
    done.set()
    thread.join()
    assert e["kind"] == "denied" and "cannot attach " + cold in e["what"] and "kms:CreateGrant" in e["hint"]
    wait_for(lambda: s.alive() == [])


def test_stale_looks(make):
    s = make(stale_attached_polls=3, instances_say_attached=True)
    s.use(attached(s.volume()))
    for token in ("1" * 32, "2" * 32):
        works(s, token=token)
        works(s, "stop", token=token)
    assert s.alive() == []


def test_device_taken(make):
    s = make()
    one, two = s.volume(), s.volume()
    s.use(attached(one) + attached(two))
    _, progress = works(s)
    assert s.of(one).instance is s.of(two).instance is s.alive()[0]


def test_wrong_zone_and_missing_volume(make):
    s = make()
    s.use(attached(s.volume()) + '  placement {\n    availability_zone = "us-east-1b"\n  }')
    e = fails(s)
    assert e["kind"] == "config" and "us-east-1a" in e["why"] and 'availability_zone = "us-east-1a"' in e["hint"]
    s.use(attached("vol-0123456789abcdef0"))
    e = fails(s)
    assert e["kind"] == "missing" and "there is no volume 'vol-0123456789abcdef0' in us-east-1" in e["why"]
    assert s.launched() == []


@pytest.mark.parametrize("pools, drained", [("", True), (POOLS, False), (POOLS, True)])
def test_detached_only_after_an_export(make, pools, drained):
    """A disk is not taken away from a machine that may be writing to it."""
    s = make()
    cold = s.volume()
    s.use(attached(cold) + pools)
    works(s)
    works(s, "stop", drained=drained)
    assert ("DetachVolume" in s.fake.actions()) == bool(pools and drained)
    assert s.alive() == [] and s.of(cold).state == "available"
