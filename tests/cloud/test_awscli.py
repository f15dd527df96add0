"""The distribution's aws as the client: what a person does by hand."""

import json
import os
import subprocess

import pytest
from conftest import AWS


@pytest.fixture
def aws(fake):
    if not os.path.exists(AWS):
        pytest.skip("there is no aws")

    def aws(*words, code=0):
        done = subprocess.run([AWS, "--endpoint-url", fake.endpoint, *words], env=fake.env(AWS_MAX_ATTEMPTS="1", AWS_PAGER=""),
                              stdin=subprocess.DEVNULL, capture_output=True, text=True, timeout=60)  # fmt: skip
        assert done.returncode == code, done.stderr
        return done.stderr if code else done.stdout.strip() and json.loads(done.stdout)

    return aws


def test_by_hand(fake, aws, tmp_path):
    fake.settings.pending = fake.settings.attaching = fake.settings.detaching = fake.settings.creating = 0
    fake.settings.shutting_down = 0
    assert aws("sts", "get-caller-identity")["Account"] == "123456789012"
    subprocess.run(["ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-f", tmp_path / "id"], check=True)
    aws("ec2", "import-key-pair", "--key-name", "k", "--public-key-material", f"fileb://{tmp_path}/id.pub")
    group = aws("ec2", "create-security-group", "--group-name", "g", "--description", "d")["GroupId"]
    aws("ec2", "authorize-security-group-ingress", "--group-id", group, "--ip-permissions",
        "IpProtocol=tcp,FromPort=22,ToPort=22,IpRanges=[{CidrIp=192.0.2.1/32}]")  # fmt: skip
    image = aws("ec2", "describe-images", "--owners", "427812963091", "--filters", "Name=architecture,Values=arm64",
                "Name=state,Values=available", "--query", "sort_by(Images,&CreationDate)[-1].ImageId")  # fmt: skip
    run = ["ec2", "run-instances", "--image-id", image, "--instance-type", "t4g.small", "--key-name", "k", "--user-data", "#!/bin/sh",
           "--placement", "AvailabilityZone=us-east-1a", "--security-group-ids", group, "--client-token", "token",
           "--tag-specifications", "ResourceType=instance,Tags=[{Key=Name,Value=archiver}]"]  # fmt: skip
    name = aws(*run)["Instances"][0]["InstanceId"]
    assert aws(*run)["Instances"][0]["InstanceId"] == name
    aws("ec2", "wait", "instance-running", "--instance-ids", name)
    vol = aws("ec2", "create-volume", "--availability-zone", "us-east-1a", "--size", "125", "--volume-type", "sc1")[
        "VolumeId"
    ]
    aws("ec2", "wait", "volume-available", "--volume-ids", vol)
    attach = ["ec2", "attach-volume", "--volume-id", vol, "--instance-id", name, "--device", "/dev/sdf"]
    assert aws(*attach)["State"] == "attached"
    assert "(VolumeInUse) when calling the AttachVolume" in aws(*attach, code=254)
    aws("ec2", "wait", "volume-in-use", "--volume-ids", vol)
    aws("ec2", "detach-volume", "--volume-id", vol)
    aws("ec2", "terminate-instances", "--instance-ids", name)
    aws("ec2", "wait", "instance-terminated", "--instance-ids", name)
    found = aws(
        "ec2",
        "describe-instances",
        "--filters",
        "Name=tag:Name,Values=arch*",
        "--query",
        "Reservations[].Instances[].State.Name",
    )
    assert found == ["terminated"]
    aws("ec2", "delete-volume", "--volume-id", vol)
    fake.advance(1)
    aws("ec2", "delete-security-group", "--group-id", group)
    aws("ec2", "delete-key-pair", "--key-name", "k")
    assert fake.world.leftovers() == []


def test_permission_and_dry_run(fake, aws):
    create = ["ec2", "create-volume", "--availability-zone", "us-east-1a", "--size", "125", "--dry-run"]
    assert "(DryRunOperation)" in aws(*create, code=254)
    fake.settings.deny = ["ec2:CreateVolume"]
    assert "(UnauthorizedOperation)" in aws(*create, code=254)
