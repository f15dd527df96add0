"""The real program and machines of EC2; of EC2, all but the machines is fake."""

import json
import pathlib
import socket
import subprocess

from conftest import wait_for
from real import DISK, DORMOUSE, attached, works


def test_life(setup):
    cold = setup.volume()
    setup.use(attached(cold) + '  tags = { project = "backup" }\n')
    done = setup.run("wake", "arch", check=0)
    (instance,) = setup.alive()
    assert instance.state == "running" and setup.of(cold).instance is instance
    assert "attaching " + cold in done.stderr
    # Tags are there from birth: on the machine, and on what comes with it.
    (launch,) = setup.launched()
    tags = instance.tags
    assert tags["Name"] == tags["dormouse:target"] == "arch" and tags["project"] == "backup" and tags["dormouse:owner"]
    assert tags["dormouse:token"] == launch["ClientToken"]
    assert launch["MetadataOptions.HttpTokens"] == "required" and launch["InstanceInitiatedShutdownBehavior"] == "terminate"
    assert launch["Placement.AvailabilityZone"] == "us-east-1a"  # where the volume is
    # In it, the volume is found by its serial; the same machine serves all who come while it is on.
    done = setup.ssh("ls $FAKE_DISKS")
    assert done.returncode == 0, done.stderr
    assert DISK + cold.replace("-", "") in done.stdout
    facts = json.loads(setup.run("machines", "--json", check=0).stdout)[0]
    assert facts["facts"]["id"] == instance.id and facts["facts"]["address"] == instance.public_address
    # What speaks HTTPS is in another program.
    for pid in setup.keepers():
        maps = pathlib.Path(f"/proc/{pid}/maps").read_text()
        assert "jansson" in maps and not any(name in maps for name in ("libcurl", "libcrypto", "libexpat"))
    setup.sleep()
    assert setup.alive() == [] and instance.state == "terminated"
    assert setup.of(cold).state == "available"
    # Nothing was exported: the machine shuts down with its disks, and nobody takes one away from it.
    order = [a for a in setup.fake.actions() if a in ("AttachVolume", "DetachVolume", "TerminateInstances")]
    assert order == ["AttachVolume", "TerminateInstances"]
    # And once more: another machine, the same volume.
    setup.run("wake", "arch", check=0)
    assert setup.of(cold).instance is setup.alive()[0] is not instance
    setup.sleep()
    assert setup.alive() == []


def test_wrong_key_is_not_used(setup):
    """Another machine at its address, or an image that did not take the key."""
    (setup.folder / "user-data").write_text("{ }\n")
    done = setup.run("wake", "arch", check=2)
    assert "host key" in done.stderr.lower()
    wait_for(lambda: setup.alive() == [])


def test_one_for_each(setup):
    """shared = false: a machine for each who wants one, and none for nobody."""
    setup.use("  shared = false", linger="0s")
    with subprocess.Popen(setup.ssh_argv("echo $FAKE_INSTANCE; sleep 3"), env=setup.env, stdout=subprocess.PIPE, text=True) as one:
        other = setup.ssh("echo $FAKE_INSTANCE").stdout.strip()
        mine = one.stdout.read().strip()
    assert mine.startswith("i-") and other.startswith("i-") and mine != other
    wait_for(lambda: setup.alive() == [])
    assert len(setup.launched()) == 2


def test_ipv6(make):
    s = make(ipv6=True)
    s.use('  address = "ipv6"')
    assert works(s)[0]["address"] == "::1"
    assert s.launched()[0]["NetworkInterface.1.Ipv6AddressCount"] == "1"
    s.use('  address = "private"\n  associate_public_ip = false')
    answer, _ = works(s, token="1" * 32)
    (instance,) = [i for i in s.alive() if i.id == answer["id"]]
    assert answer["address"] == instance.private_address and not instance.public_address


def test_lazyssh(setup):
    """Its file as it is, and ssh -J."""
    with socket.create_server(("127.0.0.1", 0)) as s:
        port = s.getsockname()[1]
    cold = setup.volume()
    setup.config.write_text(f"""
server {{
  listen         = "127.0.0.1:{port}"
  authorized_key = "{(setup.folder / "id.pub").read_text().strip()}"
  host_key       = file("hostkey")
}}
target "archiver" "aws_ec2" {{
  image_id      = "{setup.image}"
  instance_type = "t4g.nano"
  key_name      = "mine"
  check_port    = {setup.fake.ssh_port}
  linger        = "0s"
  user_data     = file("user-data")
  region        = "us-east-1"
  ebs_block_device {{
    device_name           = "/dev/xvda"
    volume_size           = 10
    delete_on_termination = true
  }}
  attach_volume {{
    device_name = "/dev/sdf"
    volume_id   = "{cold}"
  }}
  placement {{
    availability_zone = "us-east-1a"
  }}
}}
""")
    with subprocess.Popen([DORMOUSE, "jump"], env=setup.env, stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL,
                          stderr=subprocess.DEVNULL) as jump:  # fmt: skip
        wait_for(lambda: socket.socket().connect_ex(("127.0.0.1", port)) == 0)
        common = ["-o", "BatchMode=yes", "-o", "StrictHostKeyChecking=no", "-o", "UserKnownHostsFile=/dev/null", "-F", "none",
                  "-i", str(setup.folder / "id")]  # fmt: skip
        proxy = f"ssh {' '.join(common)} -p {port} -W archiver:{setup.fake.ssh_port} jump@127.0.0.1"
        done = subprocess.run(["ssh", *common, "-T", "-o", f"ProxyCommand={proxy}", "root@archiver", "ls $FAKE_DISKS; cat"],
                              env=setup.env, input="a stream", capture_output=True, text=True, timeout=60, check=False)  # fmt: skip
        jump.terminate()
    assert done.returncode == 0, done.stderr
    assert DISK + cold.replace("-", "") in done.stdout and done.stdout.endswith("a stream")
    wait_for(lambda: setup.alive() == [] and setup.of(cold).state == "available")


def forgotten(s):
    """A machine that is starting when its keeper is killed."""
    s.env["DORMOUSE_LOOK_MS"] = "300"
    s.fake.settings.pending = 30
    with subprocess.Popen([DORMOUSE, "wake", "arch"], env=s.env, stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL,
                          stderr=subprocess.DEVNULL) as wake:  # fmt: skip
        wait_for(lambda: len(s.alive()) == 1)
        wake.kill()
        s.end()
    assert len(s.alive()) == 1


def test_keeper_killed(make):
    s = make()
    forgotten(s)
    # The next one finds it by its tags, and ends it.
    s.run("machines", check=0)
    wait_for(lambda: s.alive() == [], 60)


def test_keeper_of_another_region(make):
    """What it was started with is found again, whatever the environment of the next keeper says."""
    s = make()
    forgotten(s)
    s.env["AWS_REGION"] = "eu-central-1"
    s.run("machines", check=0)
    wait_for(lambda: s.alive() == [], 60)
