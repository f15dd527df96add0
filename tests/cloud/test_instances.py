"""Instances that are real: an sshd each, with what the user data and the key pair say."""

import pathlib
import socket
import subprocess

import pytest
from conftest import client, wait_for


def ssh_keygen(*words):
    subprocess.run(["ssh-keygen", "-q", *words], check=True, stdout=subprocess.DEVNULL)


class Account:
    """A fake with a key pair, a group that lets ssh in, and a way to log in."""

    def __init__(self, fake, folder):
        self.fake, self.folder, self.ec2 = fake, folder, client(fake)
        for name in ("id", "host"):
            ssh_keygen("-t", "ed25519", "-N", "", "-C", name, "-f", folder / name)
        self.ec2.import_key_pair(KeyName="k", PublicKeyMaterial=(folder / "id.pub").read_bytes())
        self.group = self.ec2.create_security_group(GroupName="g", Description="d")["GroupId"]
        self.ec2.authorize_security_group_ingress(GroupId=self.group, IpPermissions=[
            {"IpProtocol": "tcp", "FromPort": 22, "ToPort": 22, "IpRanges": [{"CidrIp": "192.0.2.1/32"}]}])  # fmt: skip

    def image(self, start):
        found = [i for i in self.fake.world.images.values() if i.name.startswith(start) and i.arch == "arm64"]
        return max(found, key=lambda i: i.created).id

    def launch(self, user_data="", image="nixos/25.11.2026", **more):
        words = {
            "SecurityGroupIds": [self.group],
            "KeyName": "k",
            "InstanceInitiatedShutdownBehavior": "terminate",
            **more,
        }
        made = self.ec2.run_instances(ImageId=self.image(image), InstanceType="t4g.small", MinCount=1, MaxCount=1,
                                      UserData=user_data, **{k: v for k, v in words.items() if v})["Instances"][0]["InstanceId"]  # fmt: skip
        wait_for(lambda: self.state(made)["State"]["Name"] == "running")
        return made

    def state(self, name):
        return self.ec2.describe_instances(InstanceIds=[name])["Reservations"][0]["Instances"][0]

    def ssh(self, name, *command, known=None, check=True, address=None):
        address = address or self.state(name)["PublicIpAddress"]
        port = self.fake.ssh_port
        if known:
            (self.folder / "known").write_text(f"[{address}]:{port} {known}\n")
        strict = ["-o", f"UserKnownHostsFile={self.folder}/known", "-o", "StrictHostKeyChecking=yes"] if known else \
            ["-o", "UserKnownHostsFile=/dev/null", "-o", "StrictHostKeyChecking=no"]  # fmt: skip
        done = subprocess.run(["ssh", "-F", "none", "-o", "BatchMode=yes", "-o", "LogLevel=ERROR", *strict, "-i",
                               self.folder / "id", "-p", str(port), f"root@{address}", *command],
                              stdin=subprocess.DEVNULL, capture_output=True, text=True, timeout=60)  # fmt: skip
        assert not check or done.returncode == 0, done.stderr
        return done

    def answers(self, name, **more):
        wait_for(lambda: self.ssh(name, "true", check=False, **more).returncode == 0)

    @property
    def host_key(self):
        return (self.folder / "host.pub").read_text().strip()

    def nixos(self, before="", after=""):
        private = (self.folder / "host").read_text().replace("\n", "|")
        return f"{before}SSH_HOST_ED25519_KEY_PUB:{self.host_key}\nSSH_HOST_ED25519_KEY:{private}\n{after}"

    def cloud_init(self, more=""):
        private = "".join(f"    {line}\n" for line in (self.folder / "host").read_text().splitlines())
        return (f"#cloud-config\nssh_keys:\n  ed25519_private: |\n{private}  ed25519_public: {self.host_key}\n{more}"
                "disable_root: false\n")  # fmt: skip


@pytest.fixture
def account(make_fake, tmp_path):
    return Account(make_fake("sshd"), tmp_path)


def test_ipv6(account):
    words = {"DeviceIndex": 0, "AssociatePublicIpAddress": False, "Ipv6AddressCount": 1, "Groups": [account.group]}
    more = {"SecurityGroupIds": None, "NetworkInterfaces": [words]}
    with pytest.raises(Exception, match="does not have any IPv6 CIDR blocks"):
        account.launch(**more)
    account.fake.settings.ipv6 = True
    name = account.launch(**more)
    seen = account.state(name)
    assert "PublicIpAddress" not in seen and seen["Ipv6Address"] == "::1"
    wait_for(lambda: account.ssh(name, "true", check=False, address="::1").returncode == 0)


def test_nixos_host_key(account):
    name = account.launch(account.nixos(before="/*\n", after="*/\n{ }: { a = b | c; }\n"))
    account.answers(name, known=account.host_key)


def test_nixos_bar_before_the_key(account):
    """Its sed copies each line with a bar into the key."""
    name = account.launch(account.nixos(before="#!/bin/sh\ntrue | true\n: <<'K'\n", after="K\n"))
    with pytest.raises(AssertionError):
        wait_for(lambda: account.ssh(name, "true", check=False).returncode == 0, seconds=1.5)


def test_nixos_images_of_old_generate_their_own(account):
    name = account.launch(account.nixos(), image="nixos/25.05")
    account.answers(name)
    assert account.ssh(name, "true", known=account.host_key, check=False).returncode == 255


def test_cloud_init_host_key(account):
    name = account.launch(account.cloud_init(), image="ubuntu")
    account.answers(name, known=account.host_key)


def test_cloud_init_certificate(account):
    ssh_keygen("-t", "ed25519", "-N", "", "-f", account.folder / "ca")
    ssh_keygen("-s", account.folder / "ca", "-h", "-I", "x", "-n", "archiver", account.folder / "host.pub")
    certificate = (account.folder / "host-cert.pub").read_text().strip()
    name = account.launch(account.cloud_init(f"  ed25519_certificate: {certificate}\n"), image="debian")
    account.answers(name)
    address = account.state(name)["PublicIpAddress"]
    ca = (account.folder / "ca.pub").read_text()
    (account.folder / "known").write_text(f"@cert-authority archiver {ca}")
    done = subprocess.run(["ssh", "-F", "none", "-o", "BatchMode=yes", "-o", f"UserKnownHostsFile={account.folder}/known",
                           "-o", "HostKeyAlias=archiver", "-i", account.folder / "id", "-p", str(account.fake.ssh_port),
                           f"root@{address}", "true"], stdin=subprocess.DEVNULL, capture_output=True, timeout=60)  # fmt: skip
    assert done.returncode == 0, done.stderr


def test_cloud_init_keeps_root_out_by_itself(account):
    name = account.launch("#cloud-config\npackage_update: true\n", image="ubuntu")
    wait_for(lambda: account.ssh(name, "true", check=False).returncode == 142)
    assert "Please login as the user" in account.ssh(name, "true", check=False).stdout


def test_console_has_the_host_key(account):
    name = account.launch()
    account.answers(name)
    text = account.ec2.get_console_output(InstanceId=name, Latest=True)["Output"]
    line = text.split("-----BEGIN SSH HOST KEY KEYS-----\n")[1].split("\n")[0]
    account.answers(name, known=line)


def test_no_ingress_no_ssh(account):
    group = account.ec2.create_security_group(GroupName="closed", Description="d")["GroupId"]
    name = account.launch(SecurityGroupIds=[group])
    with pytest.raises(AssertionError):
        account.answers(name, known=None) if wait_for(lambda: None, seconds=0.5) else None
    assert "Connection refused" in account.ssh(name, "true", check=False).stderr


@pytest.mark.parametrize("how", ["poweroff", "systemctl poweroff", "shutdown -P now", "halt -p"])
def test_poweroff_terminates(account, how):
    name = account.launch()
    account.answers(name)
    account.ssh(name, f"{how}; sleep 10", check=False)
    wait_for(lambda: account.state(name)["State"]["Name"] == "terminated")
    assert account.state(name)["StateReason"]["Code"] == "Client.InstanceInitiatedShutdown"
    assert account.fake.bill.running() == []


def test_a_guest_keeps_to_itself(account):
    name = account.launch()
    account.answers(name)
    off = "poweroff"
    if account.fake.world.backend.isolated:
        assert account.ssh(name, "hostname").stdout.strip() == name
        assert int(account.ssh(name, "ls -d /proc/[0-9]* | wc -l").stdout) < 20
        off = "/usr/sbin/poweroff || /usr/bin/systemctl poweroff"
    assert socket.gethostname() != name
    account.ssh(name, off, check=False)
    wait_for(lambda: account.state(name)["State"]["Name"] == "terminated")


def test_halt_goes_on_costing(account):
    name = account.launch()
    account.answers(name)
    account.ssh(name, "halt; sleep 10", check=False)
    wait_for(lambda: account.ssh(name, "true", check=False).returncode == 255)
    account.fake.advance(3600)
    assert account.state(name)["State"]["Name"] == "running"


def test_nothing_is_left_of_it(account):
    name = account.launch()
    account.answers(name)
    account.ssh(name, "setsid nohup sleep 12345 >/dev/null 2>&1 &")
    mine = f"FAKE_INSTANCE={name}".encode()

    def sleepers():
        found = []
        for path in pathlib.Path("/proc").glob("[0-9]*"):
            try:
                if b"12345" in (path / "cmdline").read_bytes() and mine in (path / "environ").read_bytes():
                    found.append(path.name)
            except OSError:
                pass
        return found

    wait_for(sleepers)
    session = subprocess.Popen(["ssh", "-F", "none", "-o", "BatchMode=yes", "-o", "LogLevel=ERROR", "-o", "UserKnownHostsFile=/dev/null",
                                "-o", "StrictHostKeyChecking=no", "-i", account.folder / "id", "-p", str(account.fake.ssh_port),
                                f"root@{account.state(name)['PublicIpAddress']}", "echo on; sleep 100"],
                               stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.PIPE)  # fmt: skip
    assert session.stdout.readline() == b"on\n"
    account.ec2.terminate_instances(InstanceIds=[name])
    assert session.wait(timeout=20) == 255
    session.communicate()

    wait_for(lambda: not sleepers())


def test_volumes_appear_under_their_serial(account):
    name = account.launch()
    account.answers(name)
    ec2 = account.ec2
    vol = ec2.create_volume(
        AvailabilityZone=account.state(name)["Placement"]["AvailabilityZone"], Size=125, VolumeType="sc1"
    )["VolumeId"]

    def state():
        return ec2.describe_volumes(VolumeIds=[vol])["Volumes"][0]

    def attach(to):
        wait_for(lambda: state()["State"] == "available")
        ec2.attach_volume(VolumeId=vol, InstanceId=to, Device="/dev/sdf")
        wait_for(lambda: state()["Attachments"][0]["State"] == "attached")

    disk = f"$FAKE_DISKS/nvme-Amazon_Elastic_Block_Store_{vol.replace('-', '')}"
    attach(name)
    if account.fake.world.backend.isolated:
        disk = disk.replace("$FAKE_DISKS", "/dev/disk/by-id")
    account.ssh(name, f"printf dormouse | dd of={disk} bs=1 seek=1000000 conv=notrunc 2>/dev/null")
    assert account.ssh(name, f"stat -Lc %s {disk}").stdout == f"{125 << 30}\n"
    ec2.detach_volume(VolumeId=vol)
    wait_for(lambda: state()["State"] == "available")
    assert account.ssh(name, f"ls {disk}", check=False).returncode != 0
    ec2.terminate_instances(InstanceIds=[name])
    other = account.launch()
    attach(other)
    account.answers(other)
    assert account.ssh(other, f"dd if={disk} bs=1 skip=1000000 count=8 2>/dev/null").stdout == "dormouse"
