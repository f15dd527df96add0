"""The fake against botocore's model of the API: no parameter that is not there is taken, none that must be is missed."""

import aws_model
import pytest
from conftest import ask, client
from fake import sts_ssm
from fake.ec2 import ACTIONS


def leaves(spec, path=""):
    """Each parameter of a description, written out: (name on the wire, kind)."""
    if isinstance(spec, dict):
        for word, inner in spec.items():
            yield from leaves(inner, f"{path}{word.rstrip('!')}.")
    elif isinstance(spec, list):
        yield from leaves(spec[0], f"{path}1.")
    else:
        yield path.rstrip("."), spec


@pytest.mark.parametrize("name", sorted(ACTIONS))
def test_parameters_are_in_the_model(name):
    assert aws_model.check_parameters("ec2", name, ACTIONS[name][0]) == []


@pytest.mark.parametrize("name", sorted(sts_ssm.STS_ACTIONS))
def test_parameters_of_sts_are_in_the_model(name):
    assert aws_model.check_parameters("sts", name, sts_ssm.STS_ACTIONS[name]) == []


@pytest.mark.parametrize("name", sorted(ACTIONS))
def test_misspelt_parameters_are_refused(fake, line, name):
    for parameter, _ in leaves(ACTIONS[name][0]):
        words = parameter.split(".")
        wrong = [parameter + ".1", parameter + ".Key"]
        for at, word in enumerate(words):
            if not word.isdigit():
                wrong += [
                    ".".join([*words[:at], other, *words[at + 1 :]]) for other in (word + "x", word[:-1], word.lower())
                ]
        for one in wrong:
            status, code, text = ask(fake, name, connection=line, **{one: "1"})
            assert (status, code) == (400, "UnknownParameter"), f"{one}: {text}"


@pytest.mark.parametrize("name", sorted(ACTIONS))
def test_required_parameters_are_required(fake, name):
    needed = [word[:-1] for word in ACTIONS[name][0] if word.endswith("!")]
    if needed:
        status, code, text = ask(fake, name)
        assert (status, code) == (400, "MissingParameter")
        assert f"parameter {needed[0]}" in text


@pytest.mark.parametrize("name", sorted(ACTIONS))
def test_kinds_are_checked(fake, line, name):
    for parameter, kind in leaves(ACTIONS[name][0]):
        if kind == "int":
            for wrong in ("", "1.0", "one", "+1", "01", "1 "):
                assert ask(fake, name, connection=line, **{parameter: wrong})[1] == "InvalidParameterValue", (
                    f"{parameter}={wrong}"
                )
        elif kind == "bool":
            for wrong in ("", "True", "1", "yes"):
                assert ask(fake, name, connection=line, **{parameter: wrong})[1] == "InvalidParameterValue", (
                    f"{parameter}={wrong}"
                )


def test_lists_are_numbered_from_one(fake):
    for wrong in ("Filter_0_Name", "Filter_2_Name", "Filter_01_Name", "Filter_x_Name"):
        assert ask(fake, "DescribeVolumes", **{wrong: "status"})[1] == "InvalidParameterValue"
    assert ask(fake, "DescribeVolumes", Filter_Name="status")[1] == "InvalidParameterValue"
    assert ask(fake, "DescribeVolumes", VolumeId="vol-00000000")[1] == "UnknownParameter"


def test_unknown_actions_and_versions(fake):
    assert ask(fake, "RunInstance")[1] == "InvalidAction"
    assert ask(fake, "GetCallerIdentity")[1] == "InvalidAction"
    assert ask(fake, "DescribeInstances", service="sts")[1] == "InvalidAction"
    assert ask(fake, "")[1] == "MissingAction"


def test_everything_through_botocore(fake):
    """Each action once, read by botocore's own parser; that nothing in the answers is unknown is checked at the end."""
    ec2, sts, ssm = client(fake), client(fake, "sts"), client(fake, "ssm")
    fake.settings.pending = fake.settings.creating = fake.settings.attaching = fake.settings.detaching = 0
    assert [z["ZoneName"] for z in ec2.describe_availability_zones()["AvailabilityZones"]] == [
        "us-east-1a",
        "us-east-1b",
        "us-east-1c",
    ]
    vpc = ec2.describe_vpcs()["Vpcs"][0]
    assert vpc["IsDefault"] is True
    subnets = ec2.describe_subnets(Filters=[{"Name": "vpc-id", "Values": [vpc["VpcId"]]}])["Subnets"]
    assert len(subnets) == 3
    tags = [{"Key": "dormouse:target", "Value": "a & b <c>"}]

    def tagged(kind):
        return [{"ResourceType": kind, "Tags": tags}]

    line = b"ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIFiN7vJ5QDzeGDGHNRZFOmQpvH3bVsnTZ9fYl2m1cQ3S comment"
    pair = ec2.import_key_pair(KeyName="k", PublicKeyMaterial=line, TagSpecifications=tagged("key-pair"))
    assert ec2.describe_key_pairs(KeyNames=["k"])["KeyPairs"][0]["KeyFingerprint"] == pair["KeyFingerprint"]
    group = ec2.create_security_group(
        GroupName="g", Description="d", VpcId=vpc["VpcId"], TagSpecifications=tagged("security-group")
    )["GroupId"]
    ssh = [{"IpProtocol": "tcp", "FromPort": 22, "ToPort": 22, "IpRanges": [{"CidrIp": "192.0.2.1/32", "Description": "us"}],
            "Ipv6Ranges": [{"CidrIpv6": "2001:db8::/32"}]}]  # fmt: skip
    assert ec2.authorize_security_group_ingress(GroupId=group, IpPermissions=ssh)["Return"] is True
    seen = ec2.describe_security_groups(GroupIds=[group])["SecurityGroups"][0]
    assert seen["IpPermissions"][0]["IpRanges"] == [{"CidrIp": "192.0.2.1/32", "Description": "us"}]
    assert seen["Tags"] == tags
    assert ec2.revoke_security_group_ingress(GroupId=group, IpPermissions=ssh)["Return"] is True
    assert ec2.describe_instance_type_offerings(LocationType="availability-zone")["InstanceTypeOfferings"]
    image = ec2.describe_images(Owners=["427812963091"], Filters=[{"Name": "architecture", "Values": ["arm64"]}])[
        "Images"
    ][0]
    assert image["OwnerId"] == "427812963091" and image["RootDeviceName"] == "/dev/xvda"
    volume = ec2.create_volume(
        AvailabilityZone="us-east-1a", Size=125, VolumeType="sc1", TagSpecifications=tagged("volume")
    )
    assert (volume["Size"], volume["VolumeType"], volume["Tags"]) == (125, "sc1", tags)
    run = ec2.run_instances(
        ImageId=image["ImageId"], InstanceType="t4g.small", MinCount=1, MaxCount=1, KeyName="k", UserData="#!/bin/sh\n",
        Placement={"AvailabilityZone": "us-east-1a"}, InstanceInitiatedShutdownBehavior="terminate", ClientToken="t" * 64,
        MetadataOptions={"HttpTokens": "required", "HttpPutResponseHopLimit": 1}, CreditSpecification={"CpuCredits": "standard"},
        IamInstanceProfile={"Name": "instance"}, NetworkInterfaces=[{"DeviceIndex": 0, "AssociatePublicIpAddress": True,
                                                                     "SubnetId": subnets[0]["SubnetId"], "Groups": [group]}],
        BlockDeviceMappings=[{"DeviceName": "/dev/xvda", "Ebs": {"VolumeSize": 9, "VolumeType": "gp3"}}],
        TagSpecifications=tagged("instance") + tagged("volume") + tagged("network-interface"))  # fmt: skip
    assert "PublicIpAddress" not in run["Instances"][0] or run["Instances"][0]["State"]["Name"] == "running"
    instance = run["Instances"][0]["InstanceId"]
    seen = ec2.describe_instances(Filters=[{"Name": "client-token", "Values": ["t" * 64]}])["Reservations"][0][
        "Instances"
    ][0]
    assert (seen["State"], seen["Tags"]) == ({"Code": 16, "Name": "running"}, tags)
    assert seen["BlockDeviceMappings"][0]["DeviceName"] == "/dev/xvda"
    assert (
        ec2.describe_instance_status(InstanceIds=[instance])["InstanceStatuses"][0]["InstanceState"]["Name"]
        == "running"
    )
    assert ec2.get_console_output(InstanceId=instance)["InstanceId"] == instance
    vol = volume["VolumeId"]
    assert ec2.attach_volume(VolumeId=vol, InstanceId=instance, Device="/dev/sdf")["VolumeId"] == vol
    attached = ec2.describe_volumes(VolumeIds=[vol])["Volumes"][0]["Attachments"][0]
    assert (attached["State"], attached["DeleteOnTermination"]) == ("attached", False)
    assert ec2.modify_volume(VolumeId=vol, Size=200)["VolumeModification"]["TargetSize"] == 200
    assert ec2.describe_volumes_modifications(VolumeIds=[vol])["VolumesModifications"][0]["OriginalSize"] == 125
    assert ec2.detach_volume(VolumeId=vol, InstanceId=instance)["State"] == "detaching"
    snapshot = ec2.create_snapshot(VolumeId=vol, Description="d", TagSpecifications=tagged("snapshot"))["SnapshotId"]
    assert ec2.describe_snapshots(OwnerIds=["self"])["Snapshots"][0]["SnapshotId"] == snapshot
    ec2.delete_snapshot(SnapshotId=snapshot)
    ec2.create_tags(Resources=[vol, instance], Tags=[{"Key": "a", "Value": "1"}])
    assert len(ec2.describe_tags(Filters=[{"Name": "key", "Values": ["a"]}])["Tags"]) == 2
    ec2.delete_tags(Resources=[vol], Tags=[{"Key": "a"}])
    fake.settings.stopping = fake.settings.shutting_down = fake.settings.interface_lingers = 0
    assert ec2.stop_instances(InstanceIds=[instance])["StoppingInstances"][0]["PreviousState"]["Name"] == "running"
    assert ec2.start_instances(InstanceIds=[instance])["StartingInstances"][0]["InstanceId"] == instance
    assert (
        ec2.terminate_instances(InstanceIds=[instance])["TerminatingInstances"][0]["CurrentState"]["Name"]
        == "terminated"
    )
    ec2.delete_volume(VolumeId=vol)
    ec2.delete_security_group(GroupId=group)
    ec2.delete_key_pair(KeyName="k")
    assert sts.get_caller_identity()["Arn"] == "arn:aws:iam::123456789012:user/dormouse"
    assert sts.assume_role(RoleArn="arn:aws:iam::123456789012:role/backup", RoleSessionName="ab")["Credentials"][
        "Expiration"
    ]
    role = "arn:aws:iam::123456789012:role/backup"
    token = fake.world.add_identity_token(role)
    by_token = sts.assume_role_with_web_identity(RoleArn=role, RoleSessionName="ab", WebIdentityToken=token)
    assert by_token["AssumedRoleUser"]["Arn"].endswith("assumed-role/backup/ab") and by_token["Credentials"]["SessionToken"]
    assert sts.get_session_token()["Credentials"]["SessionToken"]
    name = "/aws/service/debian/release/13/latest/arm64"
    assert ssm.get_parameter(Name=name)["Parameter"]["Value"].startswith("ami-")
    assert set(fake.actions()) == set(ACTIONS) | set(sts_ssm.STS_ACTIONS) | {"GetParameter"}
    assert fake.world.leftovers() == []
