"""Pools on volumes of a cloud: the account is a fake, whose machines are sshds of this host; ZFS is real."""

import pathlib
import sys
import time

import pytest
from conftest import guids, sh, zfs

sys.path.append(str(pathlib.Path(__file__).resolve().parent.parent / "cloud"))
from fake import Fake, backends  # noqa: E402
from fake.hcloud_api import Hcloud  # noqa: E402


def wait_for(what, seconds=60):
    until = time.monotonic() + seconds
    while not what():
        assert time.monotonic() < until, "it did not happen in time"
        time.sleep(0.2)


@pytest.fixture
def disks_here(monkeypatch):
    """What ZFS opens by name it opens in the mounts of this host, not in those of the "machine": the names are in both."""
    here = pathlib.Path("/dev/disk/by-id")
    here.mkdir(parents=True, exist_ok=True)
    attach, detach = backends.SshdMachine.attach, backends.SshdMachine.detach

    def and_here(machine, serial, path):
        attach(machine, serial, path)
        (here / machine._link(serial).name).symlink_to(path)

    def nor_here(machine, serial):
        detach(machine, serial)
        (here / machine._link(serial).name).unlink(missing_ok=True)

    monkeypatch.setattr(backends.SshdMachine, "attach", and_here)
    monkeypatch.setattr(backends.SshdMachine, "detach", nor_here)


def over(world, fake):
    sh("pkill", "-KILL", "-f", f"dormouse .*{world.folder}", check=False)
    fake.end()
    sh("zpool", "export", "-f", "cold", check=False)


@pytest.fixture
def cloud(world, disks_here):
    fake = Fake(world.folder / "aws", backend="sshd", enforce_ingress=True)
    world.env.update({k: v for k, v in fake.env().items() if k.startswith("AWS_")})
    image = next(i.id for i in fake.world.images.values() if i.system == "nixos" and i.arch == "arm64" and i.state == "available")
    public = (world.folder / "id.pub").read_text().strip()

    def use(pool="cold", size="1GiB", more=""):
        world.config.write_text(
            f'target "archiver" "aws_ec2" {{\n  image_id = "{image}"\n  instance_type = "t4g.nano"\n'
            '  user_data_format = "nixos"\n  watchdog = "0s"\n  start_timeout = "120s"\n  placement {\n    availability_zone = "us-east-1a"\n  }\n'
            f'  key_pair {{\n    public_key = "{public}"\n  }}\n  security_group {{\n    from = ["127.0.0.1/32"]\n  }}\n'
            f'  volume "cold" {{\n    size = "{size}"\n    pool = "{pool}"\n'
            '    dataset "backup" {\n      properties = { acltype = "posixacl", xattr = "sa", mountpoint = "legacy" }\n    }\n  }\n'
            f'  ssh {{\n    identity_file = "{world.folder}/id"\n    port = {fake.ssh_port}\n  }}\n{more}}}\n'
            'snapshots {\n  frequent = 4\n  include = ["tank/home"]\n}\n'
            'backup "safe" {\n  source = "tank/home"\n  destination = "archiver:cold/backup"\n}\n')  # fmt: skip

    fake.use = use
    use()
    yield fake
    over(world, fake)


@pytest.fixture
def hetzner(world, disks_here):
    fake = Hcloud(world.folder / "hcloud", backend="sshd")
    world.env["HCLOUD_ENDPOINT"] = fake.endpoint
    public = (world.folder / "id.pub").read_text().strip()

    def use(size):
        world.config.write_text(
            f'target "archiver" "hcloud" {{\n  token = "{fake.token}"\n  image = "debian-13"\n  server_type = "cax11"\n'
            f'  location = "fsn1"\n  labels = {{ project = "x" }}\n  start_timeout = "120s"\n'
            f'  key_pair {{\n    public_key = "{public}"\n  }}\n  firewall {{\n    from = ["127.0.0.0/8"]\n  }}\n'
            f'  volume "cold" {{\n    size = "{size}"\n    pool = "cold"\n    dataset "backup" {{\n'
            '      properties = { mountpoint = "legacy" }\n    }\n  }\n'
            f'  ssh {{\n    identity_file = "{world.folder}/id"\n    port = {fake.ssh_port}\n  }}\n}}\n')  # fmt: skip

    fake.use = use
    yield fake
    over(world, fake)


def volume(cloud):
    (v,) = [v for v in cloud.world.volumes.values() if v.tags.get("dormouse:made") == "cold"]
    return v


def alive(cloud):
    return [i for i in cloud.world.instances.values() if i.state not in ("terminated", "shutting-down")]


def imported():
    return "cold" in sh("zpool", "list", "-H", "-o", "name").stdout.split()


def test_from_an_empty_account(world, cloud):
    zfs("create", "tank/home")
    (world.folder / "mnt/home/file").write_text("one")
    # One step: all of it is made, the pool in a machine that is gone after it.
    done = world.run("apply", "--yes", check=0)
    assert "pool: cold" in done.stdout
    wait_for(lambda: not alive(cloud))
    v = volume(cloud)
    pool = v.tags["dormouse:pool"]
    assert pool.isdigit() and v.state == "available" and not imported()
    assert "nothing to do" in world.run("apply", "--yes", check=0).stdout
    for text in ("two", "three"):
        world.run("backup", "safe", check=0)
        (world.folder / "mnt/home/file").write_text(text)
        wait_for(lambda: not alive(cloud))
    # What is on the volume, looked at by hand.
    sh("zpool", "import", "-N", "-d", v.path, "cold")
    assert sh("zpool", "get", "-H", "-o", "value", "guid,ashift", "cold").stdout.split() == [pool, "12"]
    assert zfs("get", "-H", "-o", "value", "mountpoint", "cold").strip() == "none"
    assert zfs("get", "-H", "-o", "value", "acltype,xattr,mountpoint", "cold/backup").split() == ["posix", "sa", "legacy"]
    ours = guids("tank/home")["tank/home"]
    assert guids("cold/backup", strip="cold/backup/")["tank/home"].items() <= ours.items() and ours
    # Its machine ends without an export, and another has it next.
    sh("zpool", "export", "cold")
    world.run("wake", "archiver", check=0)
    assert imported()
    # Larger, at the next start.
    size = int(sh("zpool", "list", "-Hp", "-o", "size", "cold").stdout)
    world.run("sleep", "archiver", check=0)
    wait_for(lambda: not alive(cloud))
    assert "apply" not in world.run("plan").stdout
    cloud.use(size="2GiB")
    said = world.run("plan").stdout
    assert "before that, dormouse apply would do:" in said and "GiB: 1 -> 2" in said, said
    cloud.settings.deny = ["ec2:DescribeVolumes"]
    said = world.run("plan").stdout
    assert "what dormouse apply would do cannot be seen" in said and "must allow ec2:DescribeVolumes" in said, said
    cloud.settings.deny = []
    assert "GiB: 1 -> 2" in world.run("apply", "--yes", check=0).stdout
    world.run("wake", "archiver", check=0)
    assert int(sh("zpool", "list", "-Hp", "-o", "size", "cold").stdout) > size * 1.9
    # Another pool of that name on the same disk is not taken for it.
    world.run("sleep", "archiver", check=0)
    wait_for(lambda: not alive(cloud))
    v.tags["dormouse:pool"] = "12345"
    failed = world.run("wake", "archiver")
    assert failed.returncode == 2 and "importing pools failed" in failed.stderr, failed.stderr
    wait_for(lambda: not alive(cloud))
    assert not imported()
    v.tags["dormouse:pool"] = pool
    # Back: the data stays unless it is named.
    world.run("destroy", "archiver", "--yes", check=0)
    assert volume(cloud) is v and not cloud.world.key_pairs
    world.run("destroy", "archiver", "--yes", "--with-data", "archiver", check=0)
    wait_for(lambda: all(x.state == "deleted" or x is not v for x in cloud.world.volumes.values()))


def test_only_on_a_blank_disk(world, cloud):
    """A disk that anything is on is left alone, whatever its mark says; and an attempt that nobody heard of is found."""
    cloud.use(pool="cold")
    cloud.faults.add("RunInstances", code="UnauthorizedOperation", status=403, message="no")
    world.run("apply", "--yes", check=2)
    v = volume(cloud)
    assert v.tags["dormouse:pool"] == "uninitialised"
    for at in (4096, v.size * (1 << 30) - 512):
        with open(v.path, "r+b") as f:
            f.seek(at)
            f.write(b"photos")
        failed = world.run("apply", "--yes")
        assert failed.returncode != 0 and "is not blank" in failed.stderr, failed.stderr
        assert v.tags["dormouse:pool"] == "uninitialised" and not imported()
        wait_for(lambda: not alive(cloud))
        with open(v.path, "r+b") as f:
            f.seek(at)
            f.write(bytes(6))
    world.run("apply", "--yes", check=0)
    assert v.tags["dormouse:pool"].isdigit()
    # The mark was lost on its way: the pool that is there is the one.
    pool, v.tags["dormouse:pool"] = v.tags["dormouse:pool"], "uninitialised"
    world.run("apply", "--yes", check=0)
    assert v.tags["dormouse:pool"] == pool
    # One with a filesystem of somebody else.
    wait_for(lambda: not alive(cloud))
    sh("zpool", "labelclear", "-f", v.path, check=False)
    sh("mkfs.ext4", "-q", "-F", v.path)
    v.tags["dormouse:pool"] = "uninitialised"
    failed = world.run("apply", "--yes")
    assert failed.returncode != 0 and "is not blank" in failed.stderr, failed.stderr


def test_at_hetzner(world, hetzner):
    """The same, by labels: from an empty project to a pool that has grown."""
    hetzner.use("10GiB")
    world.run("apply", "--yes", check=0)
    wait_for(lambda: not hetzner.project.servers)
    (v,) = hetzner.project.volumes.values()
    assert v.labels["project"] == "x" and v.labels["dormouse-made"] == "cold", "the others are still there"
    assert v.labels["dormouse-pool"].isdigit() and not imported()
    hetzner.use("20GiB")
    assert "GiB: 10 -> 20" in world.run("apply", "--yes", check=0).stdout
    world.run("wake", "archiver", check=0)
    assert int(sh("zpool", "list", "-Hp", "-o", "size", "cold").stdout) > 19 << 30
    assert sh("zpool", "get", "-H", "-o", "value", "guid", "cold").stdout.split() == [v.labels["dormouse-pool"]]
    assert zfs("get", "-H", "-o", "value", "mountpoint", "cold/backup").strip() == "legacy"
    world.run("sleep", "archiver", check=0)
    wait_for(lambda: not hetzner.project.servers and not imported())
    # One that is not marked for a pool is left alone.
    del v.labels["dormouse-pool"]
    failed = world.run("wake", "archiver")
    assert failed.returncode != 0 and "is not marked for a pool" in failed.stderr, failed.stderr
