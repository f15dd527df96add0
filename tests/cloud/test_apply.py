"""apply and destroy: what is there before the first machine and after the last one."""

import json
import subprocess

import pytest
from conftest import wait_for
from real import killed_at

FROM = "127.0.0.1/32"


def use(s, size=125, kind="sc1", zone="us-east-1a", allowed=(FROM,), public=None, volume=True, key="", more=""):
    public = public or (s.folder / "id.pub").read_text().strip()
    s.use(
        f'  placement {{\n    availability_zone = "{zone}"\n  }}\n'
        f'  key_pair {{\n    public_key = "{public}"\n  }}\n'
        f"  security_group {{\n    from = {json.dumps(list(allowed))}\n  }}\n"
        + (f'  volume "cold" {{\n    type = "{kind}"\n    size = "{size}GiB"\n  }}\n' if volume else "")
        + more,
        key=key,
    )


def steps(s, *argv, check=0):
    """(what is done, of what kind) of a dry run."""
    done = s.run(*(argv or ("apply",)), "--dry-run", "--json", check=check)
    return [(step["do"], step["kind"]) for step in json.loads(done.stdout)[0]["steps"]]


def ours(s, name):
    return [v for v in s.fake.world.volumes.values() if v.tags.get("dormouse:made") == name and v.state != "deleted"]


def groups(s):
    return [g for g in s.fake.world.groups.values() if "dormouse:made" in g.tags]


def rules(s):
    return sorted((r["source"], r["from"], r["to"], r["protocol"]) for g in groups(s) for r in g.rules)


def test_from_nothing_and_back(make):
    s = make("sshd", enforce_ingress=True)
    use(s)
    e = s.run("wake", "arch", check=2).stderr
    assert "target 'arch' has no key pair" in e and "dormouse apply" in e
    assert steps(s) == [("make", "key pair"), ("make", "security group"), ("make", "volume")]
    done = s.run("apply", "--yes", check=0)
    assert "GiB: 125" in done.stdout and "type: sc1" in done.stdout
    assert rules(s) == [(FROM, s.fake.ssh_port, s.fake.ssh_port, "tcp")]
    (cold,) = ours(s, "cold")
    assert (cold.size, cold.kind, cold.zone, cold.encrypted, cold.state) == (125, "sc1", "us-east-1a", True, "available")
    assert "nothing to do" in s.run("apply", "--yes", check=0).stdout
    # Nothing of it is named in the file, and the machine has all of it.
    s.run("wake", "arch", check=0)  # at once, though a start has just failed
    done = s.ssh("echo here")
    assert done.stdout == "here\n", done.stderr
    (machine,) = s.alive()
    assert cold.instance is machine and s.launched()[-1]["KeyName"] == "dormouse-arch"
    assert list(machine.groups) == [g.id for g in groups(s)]
    s.sleep()
    # Back.
    assert steps(s, "destroy", "arch") == [("keep", "volume"), ("take away", "security group"), ("take away", "key pair")]
    done = s.run("destroy", "arch", "--yes", check=0)
    assert "it has the data, and costs about $1.88 a month" in done.stdout
    assert groups(s) == [] and list(s.fake.world.key_pairs) == ["mine"] and ours(s, "cold") == [cold]
    # It is found again.
    assert steps(s) == [("make", "key pair"), ("make", "security group")]
    assert "goes for good" in s.run("destroy", "arch", "--with-data", "other", "--yes", check=3).stderr
    assert ours(s, "cold") == [cold]
    s.run("destroy", "arch", "--with-data", "arch", "--yes", check=0)
    wait_for(lambda: ours(s, "cold") == [])
    assert steps(s, "destroy", "arch") == []


def test_what_a_broken_attempt_made_is_taken_away(make):
    """The token of that attempt would name it for ever."""
    s = make()
    use(s)
    s.fake.faults.add("CreateVolume", kind="garbage")
    s.run("apply", "--yes", check=2)
    (cold,) = ours(s, "cold")
    s.run("destroy", "arch", "--with-data", "arch", "--yes", check=0)
    s.run("apply", "--yes", check=0)
    (another,) = ours(s, "cold")
    assert another is not cold


def generations(s):
    return json.loads(s.run("generations", "--json", check=0).stdout)


def test_back_to_what_was_applied_before(make):
    s = make()
    file = s.config
    assert "nothing has been applied yet" in s.run("generations", check=0).stdout
    assert "has ever been applied" in s.run("rollback", "--yes", check=3).stderr
    texts = []
    for allowed in ((FROM,), (FROM, "10.0.0.0/8")):
        use(s, allowed=allowed)
        s.run("apply", "--yes", check=0)
        texts.append(file.read_text())
    s.run("apply", "--yes", check=0)  # nothing new
    first, second = generations(s)
    assert [first["number"], second["number"]] == [1, 2] and first["done"] and second["done"]
    assert first["file"] == str(file) and open(first["copy"]).read() == texts[0]
    assert len(first["plan"]) == 3 and "arch: make volume 'cold'" in first["plan"]
    assert len(second["plan"]) == 1 and "change security group (from: " in second["plan"][0], second
    # Shown, asked, done.
    shown = s.run("rollback", "--dry-run", check=0).stdout
    assert "as in generation 1" in shown and "security group" in shown and file.read_text() == texts[1]
    assert "nobody can be asked" in s.run("rollback", check=3).stderr and file.read_text() == texts[1]
    s.run("rollback", "--yes", check=0)
    assert file.read_text() == texts[0] and len(rules(s)) == 1
    assert generations(s)[-1]["back_to"] == 1 and generations(s)[-1]["done"]
    assert steps(s) == []
    # And forward again.
    s.run("rollback", "2", "--yes", check=0)
    assert file.read_text() == texts[1] and len(rules(s)) == 2
    # What was never applied is not lost.
    file.write_text(texts[1] + "# mine\n")
    s.run("rollback", "1", "--yes", check=0)
    kept = generations(s)[-2]
    assert not kept["done"] and open(kept["copy"]).read() == texts[1] + "# mine\n"
    # What fails is not finished, and apply goes on from there.
    s.fake.faults.add("AuthorizeSecurityGroupIngress", code="UnauthorizedOperation", status=403, times=99)
    assert s.run("rollback", "2", "--yes").returncode != 0
    assert file.read_text() == texts[1] and not generations(s)[-1]["done"]
    assert "not finished" in s.run("generations", check=0).stdout
    s.fake.faults.clear()
    s.run("apply", "--yes", check=0)
    assert generations(s)[-1]["done"] and len(rules(s)) == 2
    # One that is gone comes back; one that cannot be written is somebody else's to put back.
    file.unlink()
    s.run("rollback", "1", "--yes", check=0)
    assert file.read_text() == texts[0]
    file.unlink()
    file.symlink_to("/proc/version")
    e = s.run("rollback", "2", "--yes", check=2).stderr
    assert "nixos-rebuild switch --rollback" in e and len(rules(s)) == 1
    # A record that is damaged stops nothing that cannot be mended by hand.
    record = s.folder / "state/generations/2.record"
    record.write_text(record.read_text()[:40])
    e = s.run("generations", check=2).stderr
    assert str(record) in e and "move it out of the folder" in e
    record.unlink()
    for wrong, why in (("99", "no generation 99"), ("x", "'x' is no number")):
        assert why in s.run("rollback", wrong, "--yes", check=3).stderr


def test_asks(make):
    s = make()
    use(s)
    done = s.run("apply", check=3)
    assert "nothing was done" in done.stderr and "--yes" in done.stderr and "make      volume 'cold'" in done.stdout
    assert ours(s, "cold") == [] and groups(s) == []
    assert "there is no target 'no'" in s.run("apply", "no", check=3).stderr


def test_drift(make):
    s = make(modifying=0)
    use(s)
    s.run("apply", "--yes", check=0)
    (cold,) = ours(s, "cold")
    (group,) = groups(s)
    # Others change it, and the file does.
    s.ec2.revoke_security_group_ingress(GroupId=group.id, IpPermissions=[
        {"IpProtocol": "tcp", "FromPort": s.fake.ssh_port, "ToPort": s.fake.ssh_port, "IpRanges": [{"CidrIp": FROM}]}])  # fmt: skip
    assert steps(s) == [("change", "security group")]
    use(s, size=200, allowed=["198.51.100.0/24", "2001:db8::/32", FROM])
    done = s.run("apply", "--yes", check=0)
    assert "GiB: 125 -> 200" in done.stdout
    assert [r[0] for r in rules(s)] == [FROM, "198.51.100.0/24", "2001:db8::/32"]
    assert cold.size == 200 and ours(s, "cold") == [cold]
    use(s, size=200, kind="gp3", allowed=["2001:db8::/32"])
    assert "costs about $16.00 a month\nhint: sc1 costs $3.00" in s.run("check", check=0).stdout
    wait_for(lambda: s.run("apply", "--yes").returncode == 0)
    assert [r[0] for r in rules(s)] == ["2001:db8::/32"] and cold.kind == "gp3"
    # Another key: the pair is made anew.
    subprocess.run(["ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-f", s.folder / "new"], check=True)
    new = (s.folder / "new.pub").read_text().strip()
    use(s, size=200, kind="gp3", allowed=["2001:db8::/32"], public=new)
    assert steps(s) == [("replace", "key pair")]
    s.run("apply", "--yes", check=0)
    assert s.fake.world.key_pairs["dormouse-arch"].line.split()[1] == new.split()[1]


@pytest.mark.parametrize("change, said", [
    (dict(size=100), "its GiB cannot become 100: it is 125"),
    (dict(zone="us-east-1b"), "its zone cannot become us-east-1b: it is us-east-1a"),
])  # fmt: skip
def test_what_cannot_be(make, change, said):
    s = make()
    use(s, kind="gp3")
    s.run("apply", "--yes", check=0)
    (cold,) = ours(s, "cold")
    use(s, kind="gp3", **change)
    assert steps(s, check=1) == [("CANNOT", "volume")]
    done = s.run("apply", "--yes", check=1)
    assert said in done.stdout and "name of its own" in done.stdout
    assert ours(s, "cold") == [cold] and cold.size == 125


def test_not_in_the_file_any_more(make):
    s = make()
    use(s)
    s.run("apply", "--yes", check=0)
    use(s, volume=False)
    assert steps(s) == [("keep", "volume")]
    assert "the file does not have it any more" in s.run("apply", "--yes", check=0).stdout
    assert len(ours(s, "cold")) == 1


def test_two_of_it(make):
    s = make()
    use(s)
    s.run("apply", "--yes", check=0)
    s.ec2.create_volume(AvailabilityZone="us-east-1a", Size=125, VolumeType="sc1", TagSpecifications=[
        {"ResourceType": "volume", "Tags": [{"Key": "dormouse:target", "Value": "arch"}, {"Key": "dormouse:made", "Value": "cold"}]}])  # fmt: skip
    done = s.run("apply", "--yes", check=1)
    assert "there are 2 of it" in done.stdout
    assert "more than one volume 'cold'" in s.run("wake", "arch", check=2).stderr
    assert s.launched() == []


def test_of_somebody_else(make):
    s = make()
    use(s)
    s.ec2.create_security_group(GroupName="dormouse-arch", Description="x")
    done = s.run("apply", "--yes")
    assert done.returncode != 0 and "security group 'dormouse-arch' already, and not of our making" in done.stderr
    # The others are made all the same.
    assert len(ours(s, "cold")) == 1 and "dormouse-arch" in s.fake.world.key_pairs


def all_there(s):
    return len(ours(s, "cold")) == 1 and len(groups(s)) == 1 and len(rules(s)) == 2 and "dormouse-arch" in s.fake.world.key_pairs


def nothing(s):
    s.run("destroy", "arch", "--yes", "--with-data", "arch", check=0)
    wait_for(lambda: not ours(s, "cold"))
    assert groups(s) == [] and list(s.fake.world.key_pairs) == ["mine"]


@pytest.mark.parametrize("kind", ["cut-before", "cut-after", "garbage", "error"])
def test_each_call_once_without_an_answer(make, kind):
    """Done again, it does what is left: never two of one thing."""
    s = make(hidden_polls=1)
    use(s, allowed=[FROM, "2001:db8::/32"])
    del s.fake.calls[:]
    s.run("apply", "--yes", check=0)
    calls = s.fake.actions()
    assert {"CreateVolume", "ImportKeyPair", "CreateSecurityGroup", "AuthorizeSecurityGroupIngress"} <= set(calls)
    nothing(s)
    for nth in range(1, len(calls) + 1):
        s.fake.faults.clear()
        s.fake.faults.add("*", kind=kind, nth=nth)
        done = s.run("apply", "--yes")
        if done.returncode != 0:
            assert kind == "garbage", f"call {nth}, {calls[nth - 1]}: {done.stderr}"
            s.fake.faults.clear()
            s.run("apply", "--yes", check=0)
        assert all_there(s), f"call {nth}, {calls[nth - 1]}"
        nothing(s)


def test_killed_at_each_call(make):
    s = make()
    use(s, allowed=[FROM, "2001:db8::/32"])
    for command in (["apply", "--yes"], ["destroy", "arch", "--yes", "--with-data", "arch"]):
        for nth in range(1, 40):
            if command[0] == "destroy":
                s.run("apply", "--yes", check=0)
            struck = killed_at(s, command, nth)
            if command[0] == "apply":
                s.run("apply", "--yes", check=0)
                assert all_there(s), nth
            nothing(s)
            if not struck:
                break
        assert nth > 5


def test_policy(make):
    """What a whole life asks for is allowed, and nothing else is."""
    s = make("sshd", modifying=0)
    use(s)
    bare = json.loads(s.run("apply", "--print-policy", check=0).stdout)
    assert s.fake.actions() == ["ImportKeyPair"]  # of this test's own making
    s.run("apply", "--yes", check=0)
    use(s, size=200, allowed=["198.51.100.0/24"])
    s.run("apply", "--yes", check=0)
    assert s.ssh("true").returncode == 0
    s.sleep()
    s.run("destroy", "arch", "--yes", "--with-data", "arch", check=0)
    policy = json.loads(s.run("apply", "--print-policy", check=0).stdout)
    assert policy == bare
    actions = {a for st in policy["Statement"] for a in st["Action"]}
    asked = {f"ec2:{a}" for a in s.fake.actions()}
    # Tags at creation are no call of their own; these two are for what this life did not need.
    assert asked - actions == set() and actions - asked == {"ec2:CreateTags", "ec2:DescribeImages", "ec2:DescribeSubnets", "ec2:DetachVolume"}
    # Nothing that is not marked as this target's can be ended, changed or taken away.
    for st in policy["Statement"]:
        assert all(a.startswith("ec2:Describe") for a in st["Action"]) or st["Resource"] != ["*"]
        if any(a in ("ec2:TerminateInstances", "ec2:DeleteVolume", "ec2:ModifyVolume", "ec2:DeleteSecurityGroup") for a in st["Action"]):
            assert st["Condition"] == {"StringEquals": {"aws:ResourceTag/dormouse:target": "arch"}}
    assert "no target there needs a policy" in s.run("apply", "--print-policy", "-c", "/dev/null", check=3).stderr
