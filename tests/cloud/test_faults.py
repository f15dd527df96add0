"""Faults on demand, and the meter."""

import json
import signal
import subprocess
import time
import urllib.request

import botocore.exceptions
import pytest
from conftest import HERE, client, session, wait_for
from fake import catalog

RUN = {"InstanceType": "t4g.small", "MinCount": 1, "MaxCount": 1, "ClientToken": "once"}


@pytest.fixture
def run(ec2, fake):
    image = next(i for i in fake.world.images.values() if i.arch == "arm64" and i.state == "available").id
    return lambda **more: ec2.run_instances(ImageId=image, **{**RUN, **more})["Instances"][0]["InstanceId"]


def code(call, **words):
    with pytest.raises(botocore.exceptions.ClientError) as e:
        call(**words)
    return e.value.response["Error"]["Code"], e.value.response["ResponseMetadata"]["HTTPStatusCode"]


def test_an_error_at_the_nth_call(fake, ec2):
    fake.faults.add("DescribeVolumes", code="Unavailable", message="not now", status=503, nth=2, times=2)
    assert ec2.describe_volumes()["Volumes"] == []
    ec2.describe_instances()
    assert [code(ec2.describe_volumes) for _ in range(2)] == [("Unavailable", 503)] * 2
    assert ec2.describe_volumes()["Volumes"] == []
    fake.faults.throttle("*", times=0)
    assert code(ec2.describe_instances) == ("RequestLimitExceeded", 503)
    assert code(client(fake, "sts").get_caller_identity) == ("RequestLimitExceeded", 503)
    fake.faults.clear()
    ec2.describe_instances()


def test_an_error_is_not_executed(fake, run):
    fake.faults.add("RunInstances")
    assert code(run) == ("InternalError", 500)
    assert not fake.world.instances


@pytest.mark.parametrize("kind,made", [("cut-before", 0), ("cut-after", 1), ("garbage", 1)])
def test_no_answer(fake, run, kind, made):
    fake.faults.add("RunInstances", kind=kind)
    with pytest.raises((botocore.exceptions.HTTPClientError, botocore.parsers.ResponseParserError)):
        run()
    assert len(fake.world.instances) == made
    # The same token again is the same instance.
    assert run() in fake.world.instances and len(fake.world.instances) == 1


def test_a_slow_answer(fake, ec2):
    fake.faults.add("DescribeVolumes", kind="slow", seconds=0.5)
    start = time.monotonic()
    ec2.describe_volumes()
    assert time.monotonic() - start >= 0.5
    fake.faults.add("DescribeVolumes", kind="slow", seconds=2)
    with pytest.raises(botocore.exceptions.ReadTimeoutError):
        client(fake, read_timeout=0.5).describe_volumes()


def test_botocore_gets_through(fake):
    """Its own retries see the same faults as ours will."""
    fake.faults.throttle("DescribeVolumes", times=2)
    fake.faults.add("DescribeVolumes", kind="cut-after", nth=3)
    client(fake, retries={"max_attempts": 5, "mode": "standard"}).describe_volumes()
    assert fake.actions().count("DescribeVolumes") == 4


def test_bucket(make_fake):
    fake = make_fake(buckets={"DescribeVolumes": [2, 1]})
    ec2 = client(fake)
    for _ in range(2):
        ec2.describe_volumes()
    assert code(ec2.describe_volumes) == ("RequestLimitExceeded", 503)
    ec2.describe_instances()
    fake.advance(1)
    ec2.describe_volumes()


def test_bill(make_fake):
    fake = make_fake(pending=50, shutting_down=50)
    ec2 = client(fake)
    image = next(i for i in fake.world.images.values() if i.name.startswith("nixos/25.11.2") and i.arch == "arm64").id
    vol = ec2.create_volume(AvailabilityZone="us-east-1a", Size=125, VolumeType="sc1")["VolumeId"]
    name = ec2.run_instances(ImageId=image, **RUN)["Instances"][0]["InstanceId"]
    fake.advance(50 + 3600)
    ec2.terminate_instances(InstanceIds=[name])
    fake.advance(50)
    # Pending and shutting-down are free; the root disk is there all the time.
    hour = catalog.TYPES["t4g.small"].hour + catalog.PUBLIC_IPV4_HOUR
    disks = 3700 * (125 * 0.015 + 8 * 0.10) / catalog.MONTH
    assert fake.usd() == pytest.approx(hour + disks, rel=0.001)
    fake.settings.modifying = 0
    ec2.modify_volume(VolumeId=vol, Size=250)
    fake.advance(catalog.MONTH)
    assert fake.usd() == pytest.approx(hour + disks + 250 * 0.015, rel=0.001)
    ec2.delete_volume(VolumeId=vol)
    before = fake.usd()
    fake.advance(catalog.MONTH)
    assert fake.usd() == before and fake.bill.running() == [] and fake.world.leftovers() == []
    assert fake.bill.text(fake.world.now()).count("\n") == 6


def test_a_minute_is_the_least(fake, ec2, run):
    fake.settings.pending = 0
    ec2.terminate_instances(InstanceIds=[run()])
    line = next(one for one in fake.bill.lines if one.what == "t4g.small")
    assert line.usd(fake.world.now()) == pytest.approx(60 * 0.0168 / 3600)
    fake.settings.shutting_down = 0
    ec2.terminate_instances(InstanceIds=[run(ClientToken="spot", InstanceMarketOptions={"MarketType": "spot"})])
    line = next(one for one in fake.bill.lines if one.what == "t4g.small spot")
    assert line.usd(fake.world.now()) < 60 * 0.0168 / 3600


def test_control(fake, ec2, run):
    def ask(path, value=None, method=None):
        body = None if value is None else json.dumps(value).encode()
        request = urllib.request.Request(fake.control_url + path, data=body, method=method)
        with urllib.request.urlopen(request, timeout=20) as answer:
            return json.load(answer)

    ask("/settings", {"pending": 0, "boot": 0})
    name = run()
    assert ask("/state")["instances"][0]["id"] == name
    assert ask("/faults", {"action": "DescribeVolumes", "code": "Unavailable", "status": 503})["nth"] == 1
    assert code(ec2.describe_volumes) == ("Unavailable", 503)
    assert ask("/faults")[0]["hits"] == 1
    assert ask("/faults", method="DELETE") == {}
    ask("/advance", {"seconds": 3600})
    assert ask("/bill")["usd"] > 0.0168
    assert ask("/calls")[0] == {
        "service": "ec2",
        "action": "RunInstances",
        "outcome": "ok",
        "parameters": fake.calls[0].parameters,
    }
    assert (
        ask("/guest", {"instance": name, "do": "interrupt"})["instances"][0]["reason"]
        == "Server.SpotInstanceTermination"
    )
    with pytest.raises(urllib.error.HTTPError):
        ask("/settings", {"colour": 1})


def test_command(tmp_path):
    """The fake as a program: it says where it is, and prints its bill at the end."""
    process = subprocess.Popen([HERE / "fake_aws", "--port-file", tmp_path / "port", "--backend", "none", "creating=0"],
                               stdout=subprocess.PIPE, text=True)  # fmt: skip
    try:
        wait_for(lambda: (tmp_path / "port").exists())
        facts = json.loads((tmp_path / "port").read_text())
        ec2 = session().create_client("ec2", region_name=facts["region"], endpoint_url=facts["endpoint"],
                                            aws_access_key_id=facts["access_key_id"],
                                            aws_secret_access_key=facts["secret_access_key"])  # fmt: skip
        assert ec2.create_volume(AvailabilityZone="us-east-1b", Size=1024, VolumeType="sc1")["Size"] == 1024
        process.send_signal(signal.SIGTERM)
        bill, _ = process.communicate(timeout=20)
        assert "1024 GiB sc1  (still there)" in bill and process.returncode == 0
    finally:
        process.kill()
