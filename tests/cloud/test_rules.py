"""What the cloud refuses, and how it changes in time."""

import base64
import json

import botocore.exceptions
import pytest
from conftest import ask, client, wait_for

KEY = b"ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIFiN7vJ5QDzeGDGHNRZFOmQpvH3bVsnTZ9fYl2m1cQ3S comment"


def refused(call, *code, **parameters):
    """The message of a refusal."""
    with pytest.raises(botocore.exceptions.ClientError) as e:
        call(**parameters)
    error = e.value.response["Error"]
    assert error["Code"] in code, f"{error['Code']}: {error['Message']}"
    return error["Message"]


@pytest.fixture
def image(ec2):
    return image_of(ec2)


def image_of(ec2, owner="427812963091", arch="arm64"):
    found = ec2.describe_images(Owners=[owner], Filters=[
        {"Name": "architecture", "Values": [arch]}, {"Name": "state", "Values": ["available"]}])["Images"]  # fmt: skip
    return max(found, key=lambda one: one["CreationDate"])["ImageId"]


@pytest.fixture
def run(ec2, image):
    def run(**parameters):
        words = {"ImageId": image, "InstanceType": "t4g.nano", "MinCount": 1, "MaxCount": 1,
                 "Placement": {"AvailabilityZone": "us-east-1a"}, **parameters}  # fmt: skip
        return ec2.run_instances(**{k: v for k, v in words.items() if v is not None})["Instances"][0]

    return run


def look(ec2, instance):
    return ec2.describe_instances(InstanceIds=[instance])["Reservations"][0]["Instances"][0]


def state(ec2, instance):
    return look(ec2, instance)["State"]["Name"]


def volume(ec2, name):
    return ec2.describe_volumes(VolumeIds=[name])["Volumes"][0]


def make_volume(ec2, zone="us-east-1a", size=125, kind="sc1", **more):
    name = ec2.create_volume(AvailabilityZone=zone, Size=size, VolumeType=kind, **more)["VolumeId"]
    wait_for(lambda: volume(ec2, name)["State"] == "available")
    return name


def running(ec2, run, **parameters):
    instance = run(**parameters)["InstanceId"]
    wait_for(lambda: state(ec2, instance) == "running")
    return instance


# --- launches ---


def test_life(make_fake):
    fake = make_fake(pending=100, shutting_down=50, boot=1, terminated_visible=3600)
    ec2 = client(fake)
    instance = ec2.run_instances(ImageId=image_of(ec2), InstanceType="t4g.nano", MinCount=1, MaxCount=1)["Instances"][0]
    assert instance["State"] == {"Code": 0, "Name": "pending"} and "PublicIpAddress" not in instance
    name = instance["InstanceId"]
    fake.advance(99)
    assert "PublicIpAddress" not in look(ec2, name)
    fake.advance(2)
    assert state(ec2, name) == "running" and look(ec2, name)["PublicIpAddress"].startswith("127.")
    ec2.terminate_instances(InstanceIds=[name])
    assert state(ec2, name) == "shutting-down"
    fake.advance(51)
    gone = look(ec2, name)
    assert gone["State"] == {"Code": 48, "Name": "terminated"} and "PublicIpAddress" not in gone
    assert gone["StateReason"]["Code"] == "Client.UserInitiatedShutdown" and gone["BlockDeviceMappings"] == []
    ec2.terminate_instances(InstanceIds=[name])
    fake.advance(3601)
    refused(ec2.describe_instances, "InvalidInstanceID.NotFound", InstanceIds=[name])
    assert ec2.describe_instances()["Reservations"] == []


def test_client_token(fake, ec2, run):
    token = {"ClientToken": "a" * 64}
    first = run(**token)
    assert run(**token)["InstanceId"] == first["InstanceId"]
    refused(run, "IdempotentParameterMismatch", **token, UserData="other")
    refused(run, "IdempotentParameterMismatch", **token, InstanceType="t4g.micro")
    assert run(ClientToken="A" * 64)["InstanceId"] != first["InstanceId"]
    refused(run, "InvalidParameterValue", ClientToken="a" * 65)
    refused(run, "InvalidParameterValue", ClientToken="ä")
    ec2.terminate_instances(InstanceIds=[first["InstanceId"]])
    wait_for(lambda: state(ec2, first["InstanceId"]) == "terminated")
    refused(run, "IdempotentInstanceTerminated", **token)
    assert len(fake.world.instances) == 2
    made = [ec2.create_volume(AvailabilityZone="us-east-1a", Size=1, ClientToken="v")["VolumeId"] for _ in range(2)]
    assert made[0] == made[1]
    refused(ec2.create_volume, "IdempotentParameterMismatch", AvailabilityZone="us-east-1a", Size=2, ClientToken="v")


def test_a_refused_launch_leaves_its_token_free(fake, run):
    fake.settings.no_capacity = ["t4g.nano:us-east-1a"]
    refused(run, "InsufficientInstanceCapacity", ClientToken="x")
    fake.settings.no_capacity = []
    assert run(ClientToken="x")["State"]["Name"] == "pending"


def test_user_data(ec2, run):
    run(UserData="x" * 16384)
    refused(run, "InvalidParameterValue", UserData="x" * 16385)


def test_user_data_is_base64(fake, image):
    more = {"ImageId": image, "InstanceType": "t4g.nano", "MinCount": "1", "MaxCount": "1"}
    assert ask(fake, "RunInstances", UserData="#!/bin/sh", **more)[1] == "InvalidUserData.Malformed"
    assert ask(fake, "RunInstances", UserData=base64.b64encode(b"#!/bin/sh").decode(), **more)[0] == 200


@pytest.mark.parametrize("code,parameters", [
    ("InvalidParameterValue", {"InstanceType": "t9.nano"}),
    ("InvalidParameterValue", {"InstanceType": "t3.nano"}),  # another architecture
    ("InvalidAMIID.NotFound", {"ImageId": "ami-0123456789abcdef0"}),
    ("InvalidAMIID.Malformed", {"ImageId": "ami-1"}),
    ("InvalidParameterValue", {"ImageId": "resolve:ssm:/no/such"}),
    ("InvalidKeyPair.NotFound", {"KeyName": "none"}),
    ("InvalidParameterValue", {"Placement": {"AvailabilityZone": "eu-west-1a"}}),
    ("InvalidSubnetID.NotFound", {"SubnetId": "subnet-0123456789abcdef0"}),
    ("InvalidGroup.NotFound", {"SecurityGroupIds": ["sg-0123456789abcdef0"]}),
    ("InvalidParameterCombination", {"SubnetId": "subnet-0123456789abcdef0", "NetworkInterfaces": [{"DeviceIndex": 0}]}),
    ("InvalidParameterCombination", {"SecurityGroupIds": ["sg-0123456789abcdef0"], "NetworkInterfaces": [{"DeviceIndex": 0}]}),
    ("InvalidParameterValue", {"InstanceInitiatedShutdownBehavior": "halt"}),
    ("InvalidParameterValue", {"MetadataOptions": {"HttpTokens": "yes"}}),
    ("InvalidParameterValue", {"MetadataOptions": {"HttpPutResponseHopLimit": 65}}),
    ("InvalidParameterValue", {"CreditSpecification": {"CpuCredits": "none"}}),
    ("InvalidParameterValue", {"MinCount": 2, "MaxCount": 1}),
    ("InvalidParameterValue", {"IamInstanceProfile": {"Name": "none"}}),
    ("InvalidParameterValue", {"BlockDeviceMappings": [{"DeviceName": "/dev/sdf", "Ebs": {"VolumeType": "sc1", "VolumeSize": 124}}]}),
    ("InvalidParameterValue", {"BlockDeviceMappings": [{"DeviceName": "/dev/xvda", "Ebs": {"VolumeType": "sc1"}}]}),
    ("InvalidBlockDeviceMapping", {"BlockDeviceMappings": [{"DeviceName": "/dev/xvda", "Ebs": {"VolumeSize": 7}}]}),
    ("MissingParameter", {"BlockDeviceMappings": [{"DeviceName": "/dev/sdf", "Ebs": {"VolumeType": "gp3"}}]}),
    ("InvalidParameterValue", {"TagSpecifications": [{"ResourceType": "image", "Tags": [{"Key": "a", "Value": "b"}]}]}),
    ("InvalidParameterValue", {"TagSpecifications": [{"ResourceType": "spot-instances-request", "Tags": [{"Key": "a", "Value": "b"}]}]}),
    ("InvalidParameterValue", {"TagSpecifications": [{"ResourceType": "instance", "Tags": [{"Key": "aws:a", "Value": "b"}]}]}),
    ("InvalidParameterValue", {"TagSpecifications": [{"ResourceType": "instance", "Tags": [{"Key": "a"}, {"Key": "a"}]}]}),
    ("InvalidParameterCombination", {"InstanceMarketOptions": {"MarketType": "spot"}, "InstanceInitiatedShutdownBehavior": "stop"}),
    ("SpotMaxPriceTooLow", {"InstanceMarketOptions": {"MarketType": "spot", "SpotOptions": {"MaxPrice": "0.0001"}}}),
    ("Unsupported", {"InstanceType": "is4gen.medium", "Placement": {"AvailabilityZone": "us-east-1c"}}),
])  # fmt: skip
def test_launches_that_are_refused(fake, run, code, parameters):
    refused(run, code, **parameters)
    assert not fake.world.instances and not fake.world.volumes and not fake.bill.lines


def test_images_and_ssm(fake, ec2, run):
    name = "/aws/service/canonical/ubuntu/server/24.04/stable/current/arm64/hvm/ebs-gp3/ami-id"
    assert (
        run(ImageId="resolve:ssm:" + name)["ImageId"]
        == client(fake, "ssm").get_parameter(Name=name)["Parameter"]["Value"]
    )
    refused(client(fake, "ssm").get_parameter, "ParameterNotFound", Name="/aws/service/none")
    nixos = ec2.describe_images(
        Filters=[{"Name": "name", "Values": ["nixos/25.11*"]}, {"Name": "state", "Values": ["available"]}]
    )["Images"]
    newest = max(nixos, key=lambda one: one["CreationDate"])
    assert newest["OwnerId"] == "666666666666", "who asks by name only gets somebody else's"
    old = [{"Name": "name", "Values": ["nixos/25.05*"]}]
    assert ec2.describe_images(Owners=["427812963091"], Filters=old)["Images"] == []
    shown = ec2.describe_images(Owners=["427812963091"], Filters=old, IncludeDeprecated=True)["Images"]
    assert len(shown) == 2 and shown[0]["DeprecationTime"]
    pending = ec2.describe_images(Owners=["427812963091"], Filters=[{"Name": "state", "Values": ["pending"]}])[
        "Images"
    ][0]
    refused(run, "InvalidAMIID.Unavailable", ImageId=pending["ImageId"])
    image = image_of(ec2)
    del fake.world.images[image]
    refused(run, "InvalidAMIID.NotFound", ImageId=image)
    refused(ec2.describe_images, "InvalidUserID.Malformed", Owners=["nixos"])


def test_room(fake, ec2, run):
    fake.settings.vcpus = 4
    first = run()["InstanceId"]
    run()
    refused(run, "VcpuLimitExceeded")
    ec2.terminate_instances(InstanceIds=[first])
    run()
    fake.settings.vcpus, fake.settings.instances = 100, 2
    refused(run, "InstanceLimitExceeded")
    fake.settings.instances, fake.settings.no_capacity = 100, ["spot", "t4g.small:us-east-1b"]
    run()
    refused(run, "InsufficientInstanceCapacity", InstanceMarketOptions={"MarketType": "spot"})
    refused(run, "InsufficientInstanceCapacity", InstanceType="t4g.small", Placement={"AvailabilityZone": "us-east-1b"})
    run(InstanceType="t4g.small")
    fake.settings.storage_gib = 200
    refused(ec2.create_volume, "VolumeLimitExceeded", AvailabilityZone="us-east-1a", Size=200, VolumeType="sc1")


def test_capacity_that_ends_after_the_answer(fake, ec2, run):
    fake.settings.late_no_capacity = 1
    name = run()["InstanceId"]
    wait_for(lambda: state(ec2, name) == "terminated")
    assert look(ec2, name)["StateReason"]["Code"] == "Server.InsufficientInstanceCapacity"
    assert [line.what for line in fake.bill.lines] == ["8 GiB gp2"], "only its disk was there"


def test_no_default_network(fake, ec2, run):
    fake.settings.default_vpc = False
    refused(run, "VPCIdNotSpecified")
    refused(ec2.create_security_group, "VPCIdNotSpecified", GroupName="g", Description="d")
    subnet = fake.world.add_private_subnet("us-east-1b")
    refused(run, "InvalidParameterValue", SubnetId=subnet)
    name = run(SubnetId=subnet, Placement=None)["InstanceId"]
    wait_for(lambda: state(ec2, name) == "running")
    seen = look(ec2, name)
    assert "PublicIpAddress" not in seen and seen["Placement"]["AvailabilityZone"] == "us-east-1b"
    asked = run(
        Placement=None, NetworkInterfaces=[{"DeviceIndex": 0, "SubnetId": subnet, "AssociatePublicIpAddress": True}]
    )
    wait_for(lambda: state(ec2, asked["InstanceId"]) == "running")
    assert look(ec2, asked["InstanceId"])["PublicIpAddress"]


def test_stop_and_start(ec2, run):
    name = running(ec2, run)
    ec2.stop_instances(InstanceIds=[name])
    refused(ec2.start_instances, "IncorrectInstanceState", InstanceIds=[name])
    wait_for(lambda: state(ec2, name) == "stopped")
    ec2.start_instances(InstanceIds=[name])
    wait_for(lambda: state(ec2, name) == "running")
    spot = running(ec2, run, InstanceMarketOptions={"MarketType": "spot"})
    assert look(ec2, spot)["InstanceLifecycle"] == "spot"
    refused(ec2.stop_instances, "UnsupportedOperation", InstanceIds=[spot])


def test_off_by_itself(fake, ec2, run):
    dies, stays = running(ec2, run, InstanceInitiatedShutdownBehavior="terminate"), running(ec2, run)
    for name in (dies, stays):
        fake.world.instances[name].went_off()
    wait_for(lambda: (state(ec2, dies), state(ec2, stays)) == ("terminated", "stopped"))
    assert look(ec2, dies)["StateReason"]["Code"] == "Client.InstanceInitiatedShutdown"


def test_stuck_shutting_down(fake, ec2, run):
    name = running(ec2, run)
    fake.settings.stuck_shutting_down = True
    ec2.terminate_instances(InstanceIds=[name])
    fake.advance(86400)
    assert state(ec2, name) == "shutting-down"
    assert ask(fake, "TerminateInstances", InstanceId_1=name, Force="true")[0] == 200
    wait_for(lambda: state(ec2, name) == "terminated")


# --- what is asked for ---


def test_filters(fake, ec2, run):
    names = []
    for owner in ("a", "b", "b"):
        tags = [
            {"ResourceType": "instance", "Tags": [{"Key": "owner", "Value": owner}, {"Key": "n[1]*", "Value": "x*y"}]}
        ]
        names.append(run(TagSpecifications=tags, ClientToken="t" + str(len(names)))["InstanceId"])

    def found(name, *values):
        answer = ec2.describe_instances(Filters=[{"Name": name, "Values": list(values)}])
        return sorted(names.index(i["InstanceId"]) for r in answer["Reservations"] for i in r["Instances"])

    assert found("tag:owner", "b") == [1, 2]
    assert found("tag:owner", "a", "b") == [0, 1, 2]
    assert found("tag:owner", "c") == found("tag:Owner", "b") == []
    assert found("tag:owner", "?") == found("tag:owner", "*") == [0, 1, 2]
    assert found("tag:n[1]*", "x\\*y") == [0, 1, 2]
    assert found("tag:owner", "[ab]") == []
    assert found("tag-key", "owner") == [0, 1, 2]
    assert found("client-token", "t1") == [1]
    wait_for(lambda: found("instance-state-name", "running") == [0, 1, 2])
    assert found("instance-state-name", "pending", "shutting-down") == []
    both = [{"Name": "tag:owner", "Values": ["b"]}, {"Name": "client-token", "Values": ["t1", "t0"]}]
    assert len(ec2.describe_instances(Filters=both)["Reservations"]) == 1
    refused(ec2.describe_instances, "InvalidParameterValue", Filters=[{"Name": "colour", "Values": ["red"]}])
    refused(ec2.describe_instances, "InvalidInstanceID.NotFound", InstanceIds=["i-0123456789abcdef0"])
    refused(ec2.describe_instances, "InvalidInstanceID.Malformed", InstanceIds=["instance"])


def test_pages(fake, ec2):
    for _ in range(12):
        ec2.create_volume(AvailabilityZone="us-east-1a", Size=1)
    first = ec2.describe_volumes(MaxResults=5)
    assert len(first["Volumes"]) == 5
    names = [
        v["VolumeId"]
        for page in ec2.get_paginator("describe_volumes").paginate(PaginationConfig={"PageSize": 5})
        for v in page["Volumes"]
    ]
    assert len(set(names)) == 12
    refused(ec2.describe_volumes, "InvalidParameterValue", MaxResults=5, NextToken="x")
    refused(ec2.describe_volumes, "InvalidParameterValue", MaxResults=6, NextToken=first["NextToken"])
    refused(ec2.describe_volumes, "InvalidParameterValue", MaxResults=4)
    refused(ec2.describe_volumes, "InvalidParameterCombination", MaxResults=5, VolumeIds=names[:1])
    fake.settings.page = 7
    short = ec2.describe_volumes()
    assert len(short["Volumes"]) == 7 and len(ec2.describe_volumes(NextToken=short["NextToken"])["Volumes"]) == 5


def test_a_store_that_is_slow_to_know(fake, ec2, run):
    fake.settings.hidden_polls = 2
    name = run()["InstanceId"]
    refused(ec2.describe_instances, "InvalidInstanceID.NotFound", InstanceIds=[name])
    refused(ec2.terminate_instances, "InvalidInstanceID.NotFound", InstanceIds=[name])
    assert state(ec2, name) in ("pending", "running"), "not found does not mean that it does not run"
    made = ec2.create_volume(AvailabilityZone="us-east-1a", Size=1)["VolumeId"]
    refused(ec2.describe_volumes, "InvalidVolume.NotFound", VolumeIds=[made])
    assert made not in [v["VolumeId"] for v in ec2.describe_volumes()["Volumes"]]
    assert volume(ec2, made)


# --- volumes ---


def test_volumes_that_cannot_be(ec2):
    for kind, size in (("sc1", 124), ("st1", 124), ("sc1", 16385), ("gp3", 0), ("gp3", 65537), ("gp4", 10)):
        refused(ec2.create_volume, "InvalidParameterValue", AvailabilityZone="us-east-1a", Size=size, VolumeType=kind)
    refused(ec2.create_volume, "InvalidZone.NotFound", AvailabilityZone="us-west-2a", Size=1)
    refused(ec2.create_volume, "MissingParameter", AvailabilityZone="us-east-1a")
    refused(
        ec2.create_volume,
        "InvalidParameterCombination",
        AvailabilityZone="us-east-1a",
        Size=125,
        VolumeType="sc1",
        Iops=3000,
    )
    refused(
        ec2.create_volume,
        "InvalidParameterCombination",
        AvailabilityZone="us-east-1a",
        Size=125,
        VolumeType="sc1",
        Throughput=250,
    )
    refused(ec2.create_volume, "MissingParameter", AvailabilityZone="us-east-1a", Size=10, VolumeType="io2")
    assert ec2.create_volume(AvailabilityZone="us-east-1a", Size=1)["VolumeType"] == "gp2"


def test_attaching(fake, ec2, run):
    vol, other, far = make_volume(ec2), make_volume(ec2), make_volume(ec2, zone="us-east-1b")
    fake.settings.pending = 1000
    name = run()["InstanceId"]
    words = {"VolumeId": vol, "InstanceId": name, "Device": "/dev/sdf"}
    assert "is not 'running'" in refused(ec2.attach_volume, "IncorrectState", **words)
    fake.advance(1001)
    refused(ec2.attach_volume, "InvalidVolume.ZoneMismatch", **{**words, "VolumeId": far})
    refused(ec2.attach_volume, "InvalidParameterValue", **{**words, "Device": "sdf"})
    refused(ec2.attach_volume, "InvalidVolume.NotFound", **{**words, "VolumeId": "vol-0123456789abcdef0"})
    fake.settings.attaching = fake.settings.detaching = 10
    assert ec2.attach_volume(**words)["State"] == "attaching"
    seen = volume(ec2, vol)
    assert (seen["State"], seen["Attachments"][0]["State"]) == ("in-use", "attaching")
    refused(ec2.attach_volume, "VolumeInUse", **words)
    assert "already in use" in refused(ec2.attach_volume, "InvalidParameterValue", **{**words, "VolumeId": other})
    fake.advance(11)
    assert volume(ec2, vol)["Attachments"][0]["State"] == "attached"
    refused(ec2.delete_volume, "VolumeInUse", VolumeId=vol)
    fake.settings.pending = 0
    second = run()["InstanceId"]
    refused(ec2.attach_volume, "VolumeInUse", **{**words, "InstanceId": second})
    refused(ec2.detach_volume, "InvalidAttachment.NotFound", VolumeId=vol, InstanceId=second)
    refused(ec2.detach_volume, "IncorrectState", VolumeId=other)
    assert ec2.detach_volume(VolumeId=vol)["State"] == "detaching"
    refused(ec2.detach_volume, "IncorrectState", VolumeId=vol)
    refused(ec2.attach_volume, "VolumeInUse", **{**words, "InstanceId": second})
    fake.advance(11)
    assert volume(ec2, vol)["State"] == "available"
    ec2.attach_volume(**{**words, "InstanceId": second})


def test_a_volume_outlives_its_instance(fake, ec2, run):
    vol, name = make_volume(ec2), running(ec2, run)
    root = look(ec2, name)["BlockDeviceMappings"][0]["Ebs"]["VolumeId"]
    ec2.attach_volume(VolumeId=vol, InstanceId=name, Device="/dev/sdf")
    wait_for(lambda: volume(ec2, vol)["Attachments"][0]["State"] == "attached")
    refused(ec2.detach_volume, "OperationNotPermitted", VolumeId=root)
    fake.settings.shutting_down = 100
    ec2.terminate_instances(InstanceIds=[name])
    assert volume(ec2, vol)["State"] == "in-use", "as long as it shuts down"
    fake.advance(101)
    assert volume(ec2, vol)["State"] == "available"
    refused(ec2.describe_volumes, "InvalidVolume.NotFound", VolumeIds=[root])
    refused(ec2.detach_volume, "IncorrectInstanceState", VolumeId=vol, InstanceId=name)


def test_the_traps_of_attachments(fake, ec2, run):
    vol, name = make_volume(ec2), running(ec2, run)
    words = {"VolumeId": vol, "InstanceId": name, "Device": "/dev/sdf"}
    fake.settings.stuck_attaching, fake.settings.instances_say_attached = 1, True
    ec2.attach_volume(**words)
    fake.advance(1000)
    assert volume(ec2, vol)["Attachments"][0]["State"] == "attaching"
    assert [m["Ebs"]["Status"] for m in look(ec2, name)["BlockDeviceMappings"]] == ["attached", "attached"]
    ec2.detach_volume(VolumeId=vol, Force=True)
    wait_for(lambda: volume(ec2, vol)["State"] == "available")
    ec2.attach_volume(**words)
    wait_for(lambda: volume(ec2, vol)["Attachments"][0]["State"] == "attached")
    fake.settings.stale_attached_polls, fake.settings.detaching = 2, 100
    ec2.detach_volume(VolumeId=vol)
    assert [volume(ec2, vol)["Attachments"][0]["State"] for _ in range(3)] == ["attached", "attached", "detaching"]
    fake.advance(101)
    ec2.attach_volume(**words)
    fake.advance(1)
    fake.settings.busy_detaching = True
    ec2.detach_volume(VolumeId=vol)
    fake.advance(1000)
    assert volume(ec2, vol)["Attachments"][0]["State"] == "busy"
    ec2.detach_volume(VolumeId=vol, Force=True)
    fake.advance(101)
    assert volume(ec2, vol)["State"] == "available"


def test_modifying(fake, ec2):
    vol = make_volume(ec2)
    fake.settings.modifying, fake.settings.optimizing = 10, 100
    refused(ec2.describe_volumes_modifications, "InvalidVolumeModification.NotFound", VolumeIds=[vol])
    refused(ec2.modify_volume, "InvalidParameterValue", VolumeId=vol, Size=124)
    refused(ec2.modify_volume, "InvalidParameterValue", VolumeId=vol, Size=20000)
    refused(ec2.modify_volume, "InvalidParameterCombination", VolumeId=vol)

    def progress():
        return ec2.describe_volumes_modifications(VolumeIds=[vol])["VolumesModifications"][0]["ModificationState"]

    ec2.modify_volume(VolumeId=vol, Size=200)
    assert (progress(), volume(ec2, vol)["Size"]) == ("modifying", 125)
    refused(ec2.modify_volume, "IncorrectModificationState", VolumeId=vol, Size=300)
    fake.advance(11)
    assert (progress(), volume(ec2, vol)["Size"]) == ("optimizing", 200)
    assert fake.world.volumes[vol].path.stat().st_size == 200 << 30
    refused(ec2.modify_volume, "IncorrectModificationState", VolumeId=vol, Size=300)
    fake.advance(100)
    assert progress() == "completed"
    refused(ec2.modify_volume, "InvalidParameterValue", VolumeId=vol, Size=150)
    for kind in ("gp3", "sc1", "st1"):
        ec2.modify_volume(VolumeId=vol, VolumeType=kind)
        fake.advance(111)
        assert volume(ec2, vol)["VolumeType"] == kind
    refused(ec2.modify_volume, "VolumeModificationRateExceeded", VolumeId=vol, Size=300)
    fake.advance(24 * 3600 - 300)
    ec2.modify_volume(VolumeId=vol, Size=300)


def test_small_volumes_cannot_become_cold(ec2):
    vol = make_volume(ec2, size=100, kind="gp3")
    refused(ec2.modify_volume, "InvalidParameterValue", VolumeId=vol, VolumeType="sc1")
    assert (
        ec2.modify_volume(VolumeId=vol, VolumeType="sc1", Size=125)["VolumeModification"]["TargetVolumeType"] == "sc1"
    )


def test_snapshots_hold_what_was_there(fake, ec2):
    vol = make_volume(ec2, size=1, kind="gp3")
    path = fake.world.volumes[vol].path
    with open(path, "r+b") as f:
        f.seek(1 << 29)
        f.write(b"dormouse")
    snapshot = ec2.create_snapshot(VolumeId=vol)["SnapshotId"]
    refused(ec2.create_volume, "IncorrectState", AvailabilityZone="us-east-1a", SnapshotId=snapshot)
    wait_for(lambda: ec2.describe_snapshots(SnapshotIds=[snapshot])["Snapshots"][0]["State"] == "completed")
    refused(ec2.create_volume, "InvalidParameterValue", AvailabilityZone="us-east-1a", SnapshotId=snapshot, Size=0)
    copy = make_volume(ec2, zone="us-east-1b", size=2, kind="gp3", SnapshotId=snapshot)
    with open(fake.world.volumes[copy].path, "rb") as f:
        f.seek(1 << 29)
        assert f.read(8) == b"dormouse"


# --- groups, keys, tags ---


def test_groups(fake, ec2, run):
    group = ec2.create_security_group(GroupName="g", Description="d")["GroupId"]
    refused(ec2.create_security_group, "InvalidGroup.Duplicate", GroupName="g", Description="d")
    refused(ec2.create_security_group, "InvalidParameterValue", GroupName="sg-1", Description="d")
    refused(ec2.create_security_group, "InvalidParameterValue", GroupName="ü", Description="d")
    rule = [{"IpProtocol": "tcp", "FromPort": 22, "ToPort": 22, "IpRanges": [{"CidrIp": "192.0.2.77/24"}]}]
    ec2.authorize_security_group_ingress(GroupId=group, IpPermissions=rule)
    seen = ec2.describe_security_groups(GroupIds=[group])["SecurityGroups"][0]["IpPermissions"][0]
    assert seen["IpRanges"][0]["CidrIp"] == "192.0.2.0/24"
    refused(ec2.authorize_security_group_ingress, "InvalidPermission.Duplicate", GroupId=group, IpPermissions=rule)
    for cidr in ("192.0.2.77", "192.0.2.77/33", "2001:db8::/32", "here"):
        rule[0]["IpRanges"] = [{"CidrIp": cidr}]
        refused(ec2.authorize_security_group_ingress, "InvalidParameterValue", GroupId=group, IpPermissions=rule)
    refused(ec2.revoke_security_group_ingress, "InvalidPermission.NotFound", GroupId=group,
            IpPermissions=[{"IpProtocol": "tcp", "FromPort": 22, "ToPort": 22, "IpRanges": [{"CidrIp": "198.51.100.0/24"}]}])  # fmt: skip
    fake.settings.interface_lingers, fake.settings.shutting_down = 120, 10
    name = running(ec2, run, SecurityGroupIds=[group])
    refused(ec2.delete_security_group, "DependencyViolation", GroupId=group)
    ec2.terminate_instances(InstanceIds=[name])
    fake.advance(11)
    refused(ec2.delete_security_group, "DependencyViolation", GroupId=group)
    fake.advance(121)
    ec2.delete_security_group(GroupId=group)
    refused(ec2.delete_security_group, "InvalidGroup.NotFound", GroupId=group)


def test_key_pairs(ec2):
    ec2.import_key_pair(KeyName="k", PublicKeyMaterial=KEY)
    refused(ec2.import_key_pair, "InvalidKeyPair.Duplicate", KeyName="k", PublicKeyMaterial=KEY)
    for wrong in (b"", b"ssh-ed25519", b"ssh-ed25519 AAAA", KEY.replace(b"ssh-ed25519", b"ssh-rsa"), base64.b64encode(KEY),
                  b"ecdsa-sha2-nistp256 AAAAE2VjZHNhLXNoYTItbmlzdHAyNTYAAAAIbmlzdHAyNTY="):  # fmt: skip
        refused(ec2.import_key_pair, "InvalidKey.Format", "MissingParameter", KeyName="other", PublicKeyMaterial=wrong)
    refused(ec2.describe_key_pairs, "InvalidKeyPair.NotFound", KeyNames=["other"])
    ec2.delete_key_pair(KeyName="other")
    ec2.delete_key_pair(KeyName="k")
    assert ec2.describe_key_pairs()["KeyPairs"] == []


def test_tags(ec2, fake):
    vol = make_volume(ec2)
    ec2.create_tags(Resources=[vol], Tags=[{"Key": "a", "Value": "1"}])
    ec2.create_tags(Resources=[vol], Tags=[{"Key": "a", "Value": "2"}, {"Key": "b", "Value": ""}])
    ec2.delete_tags(Resources=[vol], Tags=[{"Key": "a", "Value": "1"}, {"Key": "b"}])
    assert volume(ec2, vol)["Tags"] == [{"Key": "a", "Value": "2"}]
    refused(
        ec2.create_tags, "TagLimitExceeded", Resources=[vol], Tags=[{"Key": str(n), "Value": ""} for n in range(50)]
    )
    refused(ec2.create_tags, "InvalidParameterValue", Resources=[vol], Tags=[{"Key": "a", "Value": "x" * 256}])
    refused(
        ec2.create_tags, "InvalidVolume.NotFound", Resources=["vol-0123456789abcdef0"], Tags=[{"Key": "a", "Value": ""}]
    )
    refused(ec2.create_tags, "InvalidID", Resources=["x"], Tags=[{"Key": "a", "Value": ""}])


def test_prices(fake):
    """What a question says too little of is more than one product."""
    prices = client(fake, "pricing")

    def found(**attributes):
        filters = [{"Type": "TERM_MATCH", "Field": field, "Value": value} for field, value in attributes.items()]
        return [json.loads(one) for one in prices.get_products(ServiceCode="AmazonEC2", Filters=filters)["PriceList"]]

    (one,) = found(regionCode="us-west-2", productFamily="Storage", volumeApiName="sc1")
    (term,) = one["terms"]["OnDemand"].values()
    (rate,) = term["priceDimensions"].values()
    assert rate["unit"] == "GB-Mo" and float(rate["pricePerUnit"]["USD"]) == 0.022
    assert len(found(regionCode="us-west-2", instanceType="t4g.nano", operatingSystem="Linux")) > 1
    assert found(instanceType="none") == []
    with pytest.raises(botocore.exceptions.ClientError, match="InvalidParameterException"):
        prices.get_products(ServiceCode="AmazonEC2", MaxResults=101)
