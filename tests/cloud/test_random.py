"""Random lives of an account: whatever is called in whatever order, the fake itself makes no mistake, nothing is in two
places, and what is paid for is what is there.  FAKE_SEED=… repeats one."""

import base64
import os
import random

import pytest
from fake import ec2
from fake.errors import ApiError

SEED = os.environ.get("FAKE_SEED")
KEY = base64.b64encode(
    b"ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIFiN7vJ5QDzeGDGHNRZFOmQpvH3bVsnTZ9fYl2m1cQ3S comment"
).decode()


class Life:
    def __init__(self, fake, seed):
        self.world, self.random = fake.world, random.Random(seed)

    def call(self, action, **parameters):
        """The code of the error, or None."""
        pairs = [("Action", action), ("Version", "2016-11-15")]
        pairs += [(k.replace("_", "."), str(v)) for k, v in parameters.items() if v is not None]
        with self.world.lock:
            self.world.clock.catch_up()
            try:
                ec2.call(self.world, self.world.root_key, pairs)
            except ApiError as e:
                return e.code
        return None

    def any(self, table, otherwise):
        """Mostly one that is there."""
        there = [name for name, thing in table.items() if not thing.gone]
        return self.random.choice([*(there * 3), *table, otherwise])

    def step(self):
        r, w = self.random, self.world
        instance, volume = self.any(w.instances, "i-0123456789abcdef0"), self.any(w.volumes, "vol-0123456789abcdef0")
        zone, token = r.choice([*w.zones, w.zones[0], w.zones[0]]), r.choice([None, None, "a", "b"])
        kind, size = r.choice(["sc1", "st1", "gp3", "gp2"]), r.choice([1, 125, 200, 1024])
        action = r.choice(
            "RunInstances RunInstances TerminateInstances StopInstances StartInstances CreateVolume CreateVolume AttachVolume "
            "AttachVolume AttachVolume DetachVolume DeleteVolume ModifyVolume CreateSnapshot DeleteSnapshot CreateSecurityGroup DeleteSecurityGroup ImportKeyPair "
            "DeleteKeyPair CreateTags off advance advance settings".split()
        )
        if action == "RunInstances":
            group = self.any(w.groups, None)
            self.call(action, ImageId=r.choice(list(w.images)), InstanceType=r.choice(["t4g.nano", "t3.small"]), MinCount=1,
                      MaxCount=r.choice([1, 2]), Placement_AvailabilityZone=zone, ClientToken=token, SecurityGroupId_1=group,
                      InstanceInitiatedShutdownBehavior=r.choice([None, "stop", "terminate"]),
                      InstanceMarketOptions_MarketType=r.choice([None, None, "spot"]))  # fmt: skip
        elif action.endswith("Instances"):
            self.call(action, InstanceId_1=instance)
        elif action == "CreateVolume":
            self.call(action, AvailabilityZone=zone, Size=size, VolumeType=kind, ClientToken=token,
                      SnapshotId=self.any(w.snapshots, None))  # fmt: skip
        elif action == "AttachVolume":
            self.call(action, InstanceId=instance, VolumeId=volume, Device=r.choice(["/dev/sdf", "/dev/sdg"]))
        elif action == "DetachVolume":
            self.call(action, VolumeId=volume, InstanceId=r.choice([None, instance]), Force=r.choice([None, "true"]))
        elif action in ("DeleteVolume", "CreateSnapshot"):
            self.call(action, VolumeId=volume)
        elif action == "ModifyVolume":
            self.call(action, VolumeId=volume, Size=r.choice([None, size]), VolumeType=r.choice([None, kind]))
        elif action == "DeleteSnapshot":
            self.call(action, SnapshotId=self.any(w.snapshots, "snap-0123456789abcdef0"))
        elif action == "CreateSecurityGroup":
            self.call(action, GroupName=r.choice("ab"), GroupDescription="d")
        elif action == "DeleteSecurityGroup":
            self.call(action, GroupId=self.any(w.groups, "sg-0123456789abcdef0"))
        elif action == "ImportKeyPair":
            self.call(action, KeyName=r.choice("ab"), PublicKeyMaterial=KEY)
        elif action == "DeleteKeyPair":
            self.call(action, KeyName=r.choice("abc"))
        elif action == "CreateTags":
            self.call(action, ResourceId_1=r.choice([instance, volume]), Tag_1_Key="k", Tag_1_Value=r.random())
        elif action == "off" and instance in w.instances:
            r.choice([w.instances[instance].went_off, w.instances[instance].interrupt, w.instances[instance].crash])()
        elif action == "advance":
            w.clock.advance(r.choice([0, 1, 5, 60, 4000]))
        elif action == "settings":
            s = w.settings
            s.pending, s.attaching, s.detaching, s.shutting_down = (r.choice([0, 2, 10]) for _ in range(4))
            s.hidden_polls, s.stuck_attaching, s.late_no_capacity = (
                r.choice([0, 0, 2]),
                r.choice([0, 0, 1]),
                r.choice([0, 0, 1]),
            )
            s.busy_detaching, s.stuck_shutting_down = r.random() < 0.1, r.random() < 0.1
        self.check()

    def check(self):
        w = self.world
        paid = {line.name for line in w.bill.running()}
        alive = {i.id for i in w.instances.values() if i.state == "running"}
        alive |= {v.id for v in w.volumes.values() if not v.gone} | {s.id for s in w.snapshots.values() if not s.gone}
        assert paid == alive
        for v in w.volumes.values():
            assert (v.instance is None) == (v.state != "in-use") == (v.attachment is None)
            assert v.gone or v.path.stat().st_size == v.size << 30
            if v.instance:
                assert v.zone == v.instance.zone and v.instance.state != "terminated"
        for i in w.instances.values():
            devices = [v.device for v in i.volumes()]
            assert len(devices) == len(set(devices))
            assert (i.public_address is not None) == (i.state == "running")

    def tidy(self):
        """Everything goes, whatever state it was in."""
        w, s = self.world, self.world.settings
        s.busy_detaching = s.stuck_shutting_down = False
        s.hidden_polls = s.stuck_attaching = s.late_no_capacity = 0
        for thing in [*w.instances.values(), *w.volumes.values(), *w.groups.values(), *w.key_pairs.values()]:
            thing.hidden = 0
        for name, i in w.instances.items():
            if not i.gone:
                assert self.call("TerminateInstances", InstanceId_1=name, Force="true") is None
        w.clock.advance(3600)
        for name, v in w.volumes.items():
            assert v.gone or self.call("DeleteVolume", VolumeId=name) is None
        for name, one in w.snapshots.items():
            assert one.gone or self.call("DeleteSnapshot", SnapshotId=name) is None
        for name in [g.id for g in w.groups.values() if g.name != "default"]:
            assert self.call("DeleteSecurityGroup", GroupId=name) is None
        for name in list(w.key_pairs):
            assert self.call("DeleteKeyPair", KeyName=name) is None
        self.check()
        assert w.leftovers() == [] and w.bill.running() == []


SEEDS = [*range(10), *(random.randrange(1 << 32) for _ in range(30))]


@pytest.mark.parametrize("seed", [int(SEED)] if SEED else SEEDS)
def test_life(make_fake, seed):
    life = Life(make_fake(instances=8), seed)
    for _ in range(250):
        life.step()
    life.tidy()
