"""The real program and machines of EC2; of EC2, all but the machines is fake."""

import json
import os
import pathlib
import random
import signal
import socket
import ssl
import subprocess
import threading

import pytest
from conftest import client, wait_for

DORMOUSE = os.environ["DORMOUSE"]
DISK = "nvme-Amazon_Elastic_Block_Store_"


class Setup:
    """One host with one target, 'arch'."""

    def __init__(self, folder, fake):
        self.folder, self.fake, self.ec2 = folder, fake, client(fake)
        for key in ("id", "hostkey"):
            subprocess.run(["ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-f", folder / key], check=True)
        public = (folder / "hostkey.pub").read_text().rsplit(" ", 1)[0]
        private = (folder / "hostkey").read_text().replace("\n", "|")
        (folder / "user-data").write_text(f"/*\nSSH_HOST_ED25519_KEY_PUB:{public}\nSSH_HOST_ED25519_KEY:{private}\n*/\n{{ }}\n")
        self.host_key = public
        self.ec2.import_key_pair(KeyName="mine", PublicKeyMaterial=(folder / "id.pub").read_bytes())
        self.image = next(i.id for i in sorted(fake.world.images.values(), key=lambda i: -i.created)
                          if i.system == "nixos" and i.arch == "arm64" and i.state == "available")  # fmt: skip
        self.config = folder / "config.hcl"
        self.use()
        self.env = fake.env(DORMOUSE_RUNTIME_DIR=str(folder / "run"), DORMOUSE_STATE_DIR=str(folder / "state"),
                            DORMOUSE_CONFIG=str(self.config), DORMOUSE_GRACE_MS="1000")  # fmt: skip

    def use(self, text="", image=None, name=None, kind="t4g.nano", linger="1h", timeout="20s"):
        self.config.write_text(
            f'target "arch" "aws_ec2" {{\n  {"image" if name else "image_id"} = "{name or image or self.image}"\n'
            f'  instance_type = "{kind}"\n'
            f'  key_name = "mine"\n  user_data = file("user-data")\n  linger = "{linger}"\n'
            f'  start_timeout = "{timeout}"\n  ssh {{\n    identity_file = "{self.folder}/id"\n'
            f'    host_key = "{self.host_key}"\n    port = {self.fake.ssh_port}\n  }}\n{text}\n}}\n')  # fmt: skip

    def run(self, *argv, check=None, **env):
        done = subprocess.run([DORMOUSE, *argv], env=dict(self.env, **env), stdin=subprocess.DEVNULL, capture_output=True,
                              text=True, timeout=90, check=False)  # fmt: skip
        if check is not None:
            assert done.returncode == check, f"exit {done.returncode}\n{done.stdout}\n{done.stderr}\n{self.fake.actions()}"
        return done

    def ssh_argv(self, *command):
        proxy = f"'{DORMOUSE}' connect arch:{self.fake.ssh_port}"
        return ["ssh", "-F", "none", "-T", "-o", "BatchMode=yes", "-o", "StrictHostKeyChecking=no",
                "-o", "UserKnownHostsFile=/dev/null", "-o", "LogLevel=ERROR", "-o", f"ProxyCommand={proxy}",
                "-i", self.folder / "id", "root@x", *command]  # fmt: skip

    def ssh(self, *command):
        return subprocess.run(self.ssh_argv(*command), env=self.env, capture_output=True, text=True, timeout=90, check=False)

    def volume(self, zone="us-east-1a", size=125):
        v = self.ec2.create_volume(AvailabilityZone=zone, Size=size, VolumeType="sc1")["VolumeId"]
        wait_for(lambda: self.of(v).state == "available")
        return v

    def of(self, volume):
        return self.fake.world.volumes[volume]

    def alive(self):
        return [i for i in self.fake.world.instances.values() if i.state in ("pending", "running", "stopping", "stopped")]

    def launched(self):
        return [dict(c.parameters, outcome=c.outcome) for c in self.fake.calls if c.name == "RunInstances"]

    def keepers(self):
        found = []
        for path in pathlib.Path("/proc").glob("[0-9]*"):
            try:
                words = (path / "cmdline").read_bytes().split(b"\0")
                environ = (path / "environ").read_bytes().split(b"\0")
            except OSError:
                continue
            if b"daemon" in words[1:2] and f"DORMOUSE_STATE_DIR={self.folder}/state".encode() in environ:
                found.append(int(path.name))
        return found

    def end(self):
        for pid in self.keepers():
            os.kill(pid, signal.SIGKILL)


@pytest.fixture
def make(make_fake, tmp_path_factory):
    made = []

    def setup(backend="none", **settings):
        settings = {"enforce_ingress": False, **settings}
        made.append(Setup(tmp_path_factory.mktemp("e"), make_fake(backend, **settings)))
        return made[-1]

    yield setup
    for one in made:
        one.end()


@pytest.fixture
def setup(make):
    return make("sshd")


def attached(volume, device="/dev/sdf"):
    return f'  attach_volume {{\n    device_name = "{device}"\n    volume_id = "{volume}"\n  }}\n'


# --- a whole life ---------------------------------------------------------------------------------------------------


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
    setup.run("sleep", "arch", check=0)
    assert setup.alive() == [] and instance.state == "terminated"
    assert setup.of(cold).state == "available"
    # In order: the volume first, and the machine only once it has let go.
    order = [a for a in setup.fake.actions() if a in ("AttachVolume", "DetachVolume", "TerminateInstances")]
    assert order == ["AttachVolume", "DetachVolume", "TerminateInstances"]
    # And once more: another machine, the same volume.
    setup.run("wake", "arch", check=0)
    assert setup.of(cold).instance is setup.alive()[0] is not instance
    setup.run("sleep", "arch", check=0)
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


# --- what goes wrong ------------------------------------------------------------------------------------------------


def order(setup, op, token, timeout=15):
    text = setup.config.read_text().replace('file("user-data")', '"x"')
    return json.dumps({"op": op, "token": token, "config": text, "target": "arch", "runtime_dir": str(setup.folder / "run"),
                       "timeout_ms": timeout * 1000})  # fmt: skip


def worker(setup, op, token="0123456789abcdef0123456789abcdef", timeout=15, **env):
    """What the keeper asks a worker, asked by hand: nothing is waited for but EC2.  (answer, progress)"""
    done = subprocess.run([DORMOUSE, "worker", op, "arch"], env=dict(setup.env, **env), input=order(setup, op, token, timeout),
                          capture_output=True, text=True, timeout=timeout + 30, check=False)  # fmt: skip
    lines = [json.loads(line) for line in done.stdout.splitlines()]
    assert lines and "ok" in lines[-1], done.stderr
    return lines[-1], [line["progress"] for line in lines[:-1]]


def life(setup, **env):
    """A start and a stop, with a token of their own."""
    token = os.urandom(16).hex()
    works(setup, token=token, **env)
    works(setup, "stop", token=token, **env)


def fails(setup, op="start", **more):
    answer, _ = worker(setup, op, **more)
    assert answer["ok"] is False, answer
    return answer["error"]


def works(setup, op="start", **more):
    answer, progress = worker(setup, op, **more)
    assert answer["ok"], answer
    return answer, progress


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
    s.use(attached(cold))
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
    s.use(attached(cold))
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


def test_random_lives(make):
    """Faults at random, and workers that are killed: what a keeper does after it, a stop, ends all of it."""
    seed = int(os.environ.get("EC2_SEED", "1"))
    dice = random.Random(seed)
    s = make(pending=0, shutting_down=0, attaching=0, detaching=0)
    cold = s.volume()
    s.use(attached(cold) + '  spot = true\n  instance_types = ["t4g.micro"]')
    codes = ["InternalError", "RequestLimitExceeded", "IncorrectState", "InvalidInstanceID.NotFound", "VolumeInUse",
             "InsufficientInstanceCapacity", "UnauthorizedOperation", "ExpiredToken"]  # fmt: skip
    for life in range(int(os.environ.get("EC2_LIVES", "25"))):
        s.fake.faults.clear()
        s.fake.settings.hidden_polls, s.fake.settings.stale_attached_polls = dice.randint(0, 2), dice.randint(0, 2)
        s.fake.settings.no_capacity = dice.sample(["spot", "t4g.nano", "t4g.micro"], dice.choice([0, 0, 1, 2, 3]))
        s.fake.settings.late_no_capacity = dice.choice([0, 0, 0, 1])
        for _ in range(dice.randint(0, 3)):
            s.fake.faults.add("*", kind=dice.choice(["error", "cut-before", "cut-after", "garbage"]), nth=dice.randint(1, 8),
                              code=dice.choice(codes), status=dice.choice([400, 500]))  # fmt: skip
        token = os.urandom(16).hex()
        with subprocess.Popen([DORMOUSE, "worker", "start", "arch"], env=s.env, stdin=subprocess.PIPE,
                              stdout=subprocess.DEVNULL, text=True) as process:  # fmt: skip
            process.stdin.write(order(s, "start", token))
            process.stdin.close()
            try:
                process.wait(dice.choice([0.05, 0.2, 30]))
            except subprocess.TimeoutExpired:
                process.kill()
        # The stop may fail as well; then it is asked for again.
        for _ in range(5):
            if worker(s, "stop", token=token)[0]["ok"]:
                break
        # One that was launched when its worker was killed may not have been seen by the stop: the looks that follow do.
        s.fake.faults.clear()
        wait_for(lambda t=token: s.alive() == [] or not worker(s, "stop", token=t))
        assert s.alive() == [], f"EC2_SEED={seed}, life {life}"
        wait_for(lambda: s.of(cold).state == "available")


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


# --- volumes --------------------------------------------------------------------------------------------------------


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


# --- what a person has to put right ---------------------------------------------------------------------------------


def test_refusals(make):
    s = make()
    s.use(image="ami-00000000000000bad")
    e = fails(s)
    assert e["kind"] == "config" and "InvalidAMIID" in e["why"] and "image_id" in e["hint"]
    s.use()
    s.fake.settings.default_vpc = False
    e = fails(s)
    assert e["kind"] == "config" and "subnet_id" in e["hint"]
    s.fake.settings.default_vpc = True
    s.fake.settings.vcpus = 0
    e = fails(s)
    assert e["kind"] == "full" and "Service Quotas" in e["hint"]
    s.fake.settings.vcpus = 32
    s.fake.settings.deny = ["ec2:RunInstances"]
    e = fails(s)
    assert e["kind"] == "denied" and "must allow ec2:RunInstances" in e["hint"]
    s.fake.settings.deny = []
    e = fails(s, AWS_SECRET_ACCESS_KEY="wrong")
    assert e["kind"] == "denied" and "get-caller-identity" in e["hint"] and "wrong" not in json.dumps(e)
    # Of the request that AWS cites, nothing is told on: the token would be in it.
    assert "\n" not in e["why"] and "content-type" not in e["why"]
    e = fails(s, AWS_REGION="Nowhere!")
    assert e["kind"] == "config" and "region" in e["why"]
    e = fails(s, AWS_ENDPOINT_URL="http://ec2.example.org")
    assert e["kind"] == "config" and "https://" in e["hint"]
    e = fails(s, AWS_ENDPOINT_URL="http://127.0.0.1:9", timeout=3)
    assert e["kind"] in ("net", "timeout") and "hint" in e
    assert s.alive() == []


# --- keys -----------------------------------------------------------------------------------------------------------


def no_keys(setup, **more):
    setup.env = {k: v for k, v in setup.env.items() if k not in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY")}
    setup.env.update(AWS_EC2_METADATA_DISABLED="true", AWS_CONFIG_FILE=str(setup.folder / "config"),
                     AWS_SHARED_CREDENTIALS_FILE=str(setup.folder / "credentials"), **more)  # fmt: skip
    return setup.fake.world.root_key


def test_files_and_roles(make):
    s = make()
    key = no_keys(s)
    e = fails(s)
    assert e["kind"] == "denied" and "there are no keys for AWS" in e["why"]
    (s.folder / "credentials").write_text(f"[base]\naws_access_key_id = {key.id}\naws_secret_access_key = {key.secret}\n")
    role = f"arn:aws:iam::{s.fake.world.account}:role/backup"
    (s.folder / "config").write_text(
        f"[profile one]\nrole_arn = {role}\nsource_profile = base\nrole_session_name = night\n"
        f"[profile program]\ncredential_process = sh -c 'cat \"{s.folder}/keys.json\"'\n"
        "[profile bad]\nsource_profile = none\nrole_arn = x\n[profile sso]\nsso_start_url = https://x\n"
        "[profile a]\nrole_arn = x\nsource_profile = b\n[profile b]\nrole_arn = y\nsource_profile = a\n")  # fmt: skip
    (s.folder / "keys.json").write_text(json.dumps({"Version": 1, "AccessKeyId": key.id, "SecretAccessKey": key.secret}))
    for profile in ("base", "one", "program"):
        life(s, AWS_PROFILE=profile)
    assert [c.parameters["RoleSessionName"] for c in s.fake.calls if c.name == "AssumeRole"][0] == "night"
    # One that the block names is meant whatever the environment has.
    s.use('  profile = "base"')
    life(s, AWS_ACCESS_KEY_ID="AKIAWRONG", AWS_SECRET_ACCESS_KEY="wrong")
    s.use()
    for profile, text in (("none", "no profile 'none'"), ("bad", "is not there"), ("sso", "export-credentials"),
                          ("a", "without end")):  # fmt: skip
        e = fails(s, AWS_PROFILE=profile)
        assert text in e["what"] + e["why"] + e["hint"]
    (s.folder / "config").write_text("nonsense secret\n")
    e = fails(s)
    assert "line 1 of" in e["why"] and "secret" not in json.dumps(e)


def test_region_and_endpoint(make):
    """By the profile, where the environment says neither."""
    s = make()
    key = no_keys(s)
    for name in ("AWS_REGION", "AWS_DEFAULT_REGION", "AWS_ENDPOINT_URL"):
        s.env.pop(name)
    (s.folder / "config").write_text(
        f"[default]\nregion = {s.fake.world.region}\nservices = here\naws_access_key_id = {key.id}\n"
        f"aws_secret_access_key = {key.secret}\n[services here]\nec2 =\n  endpoint_url = {s.fake.endpoint}\n"
        "[profile other]\nregion = eu-central-1\nendpoint_url = http://127.0.0.1:9\n")  # fmt: skip
    life(s)
    life(s, AWS_ENDPOINT_URL_EC2=s.fake.endpoint, AWS_ENDPOINT_URL="http://127.0.0.1:9")
    s.use(f'  region = "us-east-1"\n  endpoint = "{s.fake.endpoint}"')
    life(s, AWS_REGION="eu-central-1", AWS_ENDPOINT_URL_EC2="http://127.0.0.1:9")
    s.use()
    s.fake.settings.deny = []
    e = fails(s, AWS_REGION="eu-central-1")
    assert e["kind"] == "denied"  # another region's signature


def test_machine_and_container(make):
    s = make()
    no_keys(s)
    s.env["AWS_EC2_METADATA_DISABLED"] = "false"
    s.env.pop("AWS_REGION"), s.env.pop("AWS_DEFAULT_REGION")
    life(s)
    s.env.update(AWS_EC2_METADATA_DISABLED="true", AWS_REGION="us-east-1", AWS_CONTAINER_AUTHORIZATION_TOKEN="Fake container token",
                 AWS_CONTAINER_CREDENTIALS_FULL_URI=s.fake.imds_url + "/v2/credentials/instance")  # fmt: skip
    life(s)
    e = fails(s, AWS_CONTAINER_CREDENTIALS_FULL_URI="http://example.org/x")
    assert e["kind"] == "config"


def test_keys_that_expire(make):
    """They are told to be good, and are not: new ones, once."""
    s = make()
    key = no_keys(s)
    count = s.folder / "count"
    program = s.folder / "program"
    program.write_text(f"#!/bin/sh\nprintf x >>'{count}'\ncat '{s.folder}/keys.json'\n")
    program.chmod(0o755)
    (s.folder / "config").write_text(f"[default]\ncredential_process = {program}\n")
    (s.folder / "keys.json").write_text(json.dumps({"Version": 1, "AccessKeyId": key.id, "SecretAccessKey": key.secret}))
    s.fake.faults.add("RunInstances", code="RequestExpired", message="x", status=400)
    s.fake.faults.add("DescribeInstances", code="ExpiredToken", message="x", status=400)
    fails(s)
    assert len(count.read_text()) == 3  # the check, the start, and again
    works(s)


def test_clock(make):
    """A clock that is wrong is put right once, by what the other side says."""
    s = make()
    for ahead, outcome in ((3600, "RequestExpired"), (-3600, "AuthFailure")):
        s.fake.settings.clock_ahead = ahead
        del s.fake.calls[:]
        token = os.urandom(16).hex()
        works(s, token=token)
        assert [c.outcome for c in s.fake.calls if c.outcome != "ok"] == [outcome]
        works(s, "stop", token=token)


class Tls:
    """What is in front of the fake, for a client that believes its certificate."""

    def __init__(self, folder, port):
        self.certificate, key = folder / "tls.pem", folder / "tls.key"
        subprocess.run(["openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes", "-days", "2",
                        "-subj", "/CN=localhost", "-addext", "subjectAltName=DNS:localhost", "-keyout", key, "-out",
                        self.certificate], check=True, capture_output=True)  # fmt: skip
        self.context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        self.context.load_cert_chain(self.certificate, key)
        self.behind, self.listener = port, socket.create_server(("127.0.0.1", 0))
        self.url = f"https://localhost:{self.listener.getsockname()[1]}"
        threading.Thread(target=self.serve, daemon=True).start()

    def serve(self):
        while True:
            try:
                plain = self.listener.accept()[0]
            except OSError:
                return
            try:
                front = self.context.wrap_socket(plain, server_side=True)
            except OSError:
                continue
            back = socket.create_connection(("127.0.0.1", self.behind))
            for x, y in ((front, back), (back, front)):
                threading.Thread(target=self.copy, args=(x, y), daemon=True).start()

    @staticmethod
    def copy(x, y):
        try:
            while data := x.recv(65536):
                y.sendall(data)
            y.shutdown(socket.SHUT_WR)
        except OSError:
            pass


def test_tls(make):
    s = make()
    tls = Tls(s.folder, s.fake.api.port)
    s.use(f'  endpoint = "{tls.url}"')
    e = fails(s)
    assert e["kind"] == "denied" and "certificate" in e["why"] and "in between" in e["hint"]
    life(s, AWS_CA_BUNDLE=str(tls.certificate))
    tls.listener.shutdown(socket.SHUT_RDWR)


# --- a keeper that dies ---------------------------------------------------------------------------------------------


def test_keeper_killed(make):
    s = make()
    s.env["DORMOUSE_LOOK_MS"] = "300"
    s.fake.settings.pending = 30
    with subprocess.Popen([DORMOUSE, "wake", "arch"], env=s.env, stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL,
                          stderr=subprocess.DEVNULL) as wake:  # fmt: skip
        wait_for(lambda: len(s.alive()) == 1)
        wake.kill()
        s.end()
    assert len(s.alive()) == 1
    # The next one finds it by its tags, and ends it.
    s.run("machines", check=0)
    wait_for(lambda: s.alive() == [], 60)
