"""A host key for each start: nobody has set one, and nobody is asked."""

import os
import signal
import socket
import subprocess

import pytest
from conftest import wait_for
from fake import backends
from real import DORMOUSE, fails, worker, works
from test_hcloud_machines import make as make_hcloud  # noqa: F401

NIXOS, CLOUD_INIT = "nixos-25.11", "debian-13"
CONFIGURATION = "### https://channels.nixos.org/nixos-25.11 nixos\n{ }: { a = b || c; }\n"


def given(s, user_data="", more="", **use):
    (s.folder / "user-data").write_text(user_data)
    s.use(more, **use)
    text = s.config.read_text()
    s.config.write_text("".join(line + "\n" for line in text.splitlines() if "host_key =" not in line))


def ssh(s, *command, check=True):
    """As anybody would, with what ssh-config and known-hosts print, and strictly."""
    (s.folder / "ssh_config").write_text(s.run("ssh-config", check=0).stdout)
    known = s.run("known-hosts", check=0).stdout
    (s.folder / "known").write_text(known)
    file = ["-o", f"UserKnownHostsFile={s.folder}/known"] if "@cert-authority" in known else []
    done = subprocess.run(["ssh", "-F", s.folder / "ssh_config", "-T", "-o", "BatchMode=yes", "-o", "StrictHostKeyChecking=yes",
                           "-o", "GlobalKnownHostsFile=/dev/null", *file, "-i", s.folder / "id", "arch", *command],
                          env=s.env, stdin=subprocess.DEVNULL, capture_output=True, text=True, timeout=90, check=False)  # fmt: skip
    assert not check or done.returncode == 0, done.stderr
    return done


def private_keys(s):
    """The files of this host that have one."""
    return sorted(p.name for place in ("run", "state") for p in (s.folder / place).iterdir()
                  if p.is_file() and (b"PRIVATE KEY" in p.read_bytes() or b"SSH_HOST_" in p.read_bytes()))  # fmt: skip


def known(s):
    return (s.folder / "run" / "known_hosts-arch").read_text().splitlines()


def test_nixos(setup):
    given(setup, CONFIGURATION, '  ready = ["true"]\n', name=NIXOS)
    assert setup.run("known-hosts", check=0).stdout == ""
    done = setup.run("wake", "arch", check=0)
    (line,) = known(setup)
    assert line.startswith("arch@dormouse ssh-ed25519 ") and line.endswith(setup.launched()[0]["ClientToken"])
    assert (setup.folder / "run" / "known_hosts-arch").stat().st_mode & 0o777 == 0o600
    assert ssh(setup, "echo $FAKE_INSTANCE").stdout.strip() == setup.alive()[0].id
    # The user's own is in it as it was; the private key is in it, and nowhere here.
    (instance,) = setup.alive()
    assert instance.user_data.decode().endswith("*/\n" + CONFIGURATION)
    assert b"SSH_HOST_ED25519_KEY:-----BEGIN OPENSSH PRIVATE KEY-----|" in instance.user_data
    assert private_keys(setup) == [] and "PRIVATE" not in done.stdout + done.stderr
    setup.sleep()
    assert known(setup) == []
    # Another start, another key.
    setup.run("wake", "arch", check=0)
    assert known(setup) != [line] and len(known(setup)) == 1
    ssh(setup, "true")


def test_nixos_script(setup):
    given(setup, "#!/bin/sh\ntrue | true\n", name=NIXOS)
    setup.run("wake", "arch", check=0)
    ssh(setup, "true")


def test_cloud_init(setup):
    own = "#cloud-config\ndisable_root: false\n"
    given(setup, own, '  ready = ["true"]\n  max_lifetime = "2h"\n', name=CLOUD_INIT)
    before = setup.run("known-hosts", check=0).stdout
    assert before.startswith("@cert-authority arch@dormouse ssh-ed25519 ")
    assert (setup.folder / "state" / "host-ca-arch").stat().st_mode & 0o777 == 0o600
    setup.run("wake", "arch", check=0)
    assert setup.run("known-hosts", check=0).stdout == before == "".join(line + "\n" for line in known(setup))
    assert ssh(setup, "echo $FAKE_INSTANCE").stdout.strip() == setup.alive()[0].id
    (instance,) = setup.alive()
    assert own.encode() in instance.user_data
    assert private_keys(setup) == ["host-ca-arch"]
    # For this name, for as long as the machine may be there, and for no other machine.
    certificate = subprocess.run(["ssh-keygen", "-L", "-f", instance.machine.folder / "hostkey-cert.pub"], check=True,
                                 capture_output=True, text=True).stdout  # fmt: skip
    assert "host certificate" in certificate and "forever" not in certificate
    assert certificate.split("Principals:")[1].split("Critical")[0].split() == ["arch", "arch@dormouse"]
    key = (instance.machine.folder / "hostkey.pub").read_text()
    setup.sleep()
    setup.run("wake", "arch", check=0)
    assert (setup.alive()[0].machine.folder / "hostkey.pub").read_text() != key
    ssh(setup, "true")


@pytest.mark.parametrize("user_data", ["", "#!/bin/sh\ntrue\n", "MIME-Version: 1.0\nContent-Type: text/cloud-config\n\n#cloud-config\na: b\n"])
def test_hcloud(make_hcloud, user_data):  # noqa: F811
    s = make_hcloud("sshd")
    given(s, user_data)
    s.run("wake", "arch", check=0)
    assert ssh(s, "echo $FAKE_INSTANCE").stdout.strip() == str(s.alive()[0].id)
    assert user_data.encode() in s.alive()[0].machine.guest["user_data"] and private_keys(s) == ["host-ca-arch"]


@pytest.mark.parametrize("image", [NIXOS, CLOUD_INIT])
@pytest.mark.parametrize("more", ["", '  ready = ["true"]\n'])
def test_another_machine_is_refused(setup, monkeypatch, image, more):
    """Whose address it is now, or which did not take the key."""
    monkeypatch.setattr(backends, "nixos_host_key", lambda data: None)
    monkeypatch.setattr(backends, "cloud_init_host_key", lambda data: None)
    given(setup, "", more, name=image)
    done = setup.run("wake", "arch", check=2)
    assert "is not the machine of target 'arch'" in done.stderr and "user_data_format" in done.stderr
    wait_for(lambda: setup.alive() == [])


def test_image_that_makes_its_own(setup):
    """NixOS before 25.11, by number: it cannot be told, and so is said."""
    old = next(i.id for i in setup.fake.world.images.values() if i.key_race and i.arch == "arm64")
    given(setup, "{ }\n", image=old)
    done = setup.run("wake", "arch", check=2)
    assert "NixOS does from 25.11 on" in done.stderr
    wait_for(lambda: setup.alive() == [])
    given(setup, "{ }\n", '  user_data_format = "none"\n', image=old)
    setup.run("wake", "arch", check=0)
    assert setup.alive()[0].user_data == b"{ }\n"
    assert setup.run("known-hosts", check=0).stdout == ""


@pytest.mark.parametrize("image", [NIXOS, CLOUD_INIT])
def test_keeper_killed(setup, image):
    given(setup, "", name=image)
    setup.env["DORMOUSE_GRACE_MS"] = "20000"
    setup.run("wake", "arch", check=0)
    (instance,) = setup.alive()
    for pid in setup.keepers():
        os.kill(pid, signal.SIGKILL)
    wait_for(lambda: setup.keepers() == [])
    again = ssh(setup, "echo $FAKE_INSTANCE", check=False)
    # Whoever may log in or not: the machine is the same, and its key was right.
    assert "Host key verification failed" not in again.stderr
    if image == NIXOS:
        assert again.stdout.strip() == instance.id
    assert setup.alive() == [instance]


def test_one_for_each(setup):
    """Each machine has a key, and all of them are good while they are there."""
    given(setup, "", "  shared = false\n", name=NIXOS, linger="0s")
    hold = "until [ -e $FAKE_FOLDER/../go ]; do sleep 0.1; done"
    config = setup.folder / "ssh_config"
    config.write_text(setup.run("ssh-config", check=0).stdout)
    argv = ["ssh", "-F", config, "-T", "-o", "BatchMode=yes", "-i", setup.folder / "id", "arch"]
    with subprocess.Popen([*argv, hold], env=setup.env, stdin=subprocess.DEVNULL) as one:
        wait_for(lambda: setup.alive() and setup.alive()[0].state == "running")
        other = ssh(setup, "echo $FAKE_INSTANCE").stdout.strip()
        assert other.startswith("i-")
        (setup.fake.world.folder / "go").touch()
        assert one.wait(30) == 0
    wait_for(lambda: setup.alive() == [] and known(setup) == [])


def test_kept_as_it_is(setup):
    """What sets host keys itself, or is pinned by hand, is not touched."""
    own = (setup.folder / "user-data").read_text()
    setup.use(name=NIXOS)  # with host_key
    setup.run("wake", "arch", check=0)
    setup.sleep()
    given(setup, own, name=NIXOS)
    setup.run("wake", "arch", check=0)
    assert [i.user_data.decode() for i in setup.fake.world.instances.values()] == [own, own]
    assert setup.run("known-hosts", check=0).stdout == ""


def test_too_long(setup):
    given(setup, "#" * (16 * 1024 - 300), name=NIXOS)
    text = setup.config.read_text().replace('file("user-data")', '"' + "#" * (16 * 1024 - 300) + '"')
    setup.text = lambda: text
    e = fails(setup)
    assert e["kind"] == "config" and "too long" in e["why"] and "16384 may be" in e["why"] and "user_data_format" in e["hint"]
    assert setup.launched() == [] and private_keys(setup) == [] and "SSH_HOST" not in str(e)


def test_no_ssh_keygen(setup, tmp_path):
    given(setup, "", name=NIXOS)
    setup.text = lambda: setup.config.read_text().replace('file("user-data")', '""')
    e = fails(setup, PATH=str(tmp_path))
    assert e["kind"] == "system" and "openssh-client" in e["hint"] and setup.launched() == []


def test_killed_while_it_is_made(setup):
    """What is left of a private key goes with the end of the machine."""
    given(setup, "", name=NIXOS)
    token = "0123456789abcdef0123456789abcdef"
    setup.run("machines", check=0)
    (setup.folder / "run" / f"host-key-{token}").write_text("PRIVATE KEY")
    assert private_keys(setup) == [f"host-key-{token}"]
    setup.text = lambda: setup.config.read_text().replace('file("user-data")', '""')
    assert worker(setup, "stop", token)[0]["ok"]
    assert private_keys(setup) == []


@pytest.mark.parametrize("image", [NIXOS, CLOUD_INIT])
def test_commands_know_it(setup, image):
    """Those that log in by themselves, which have begun before the machine has a key."""
    given(setup, "#cloud-config\ndisable_root: false\n" if image == CLOUD_INIT else "", name=image)
    with setup.config.open("a") as f:
        f.write('snapshots {\n  on = "arch"\n  hourly = 1\n  include = ["none/such"]\n}\n')
    done = setup.run("snapshot")
    assert len(setup.launched()) == 1 and "host key" not in done.stderr.lower() and "authorized_keys" not in done.stderr
    assert done.returncode == 0 or "zfs" in done.stderr.lower()


def test_answer_lost(setup):
    """What is asked for again is the same machine, with the same key."""
    setup.fake.faults.add("RunInstances", kind="cut-after")
    given(setup, "", name=NIXOS)
    setup.run("wake", "arch", check=0)
    assert len(setup.launched()) == 2 and len(setup.alive()) == 1
    ssh(setup, "true")


def test_answer_lost_hcloud(make_hcloud):  # noqa: F811
    s = make_hcloud("sshd")
    fault = s.fake.faults.add("create_server", kind="cut-after")
    given(s, "")
    s.run("wake", "arch", check=0)
    assert len(s.alive()) == 1 and fault.hits == 1
    ssh(s, "true")


def test_behind_the_jump_host(setup):
    """On another machine, by what is printed for it."""
    with socket.create_server(("127.0.0.1", 0)) as one:
        place = f"127.0.0.1:{one.getsockname()[1]}"
    given(setup, "#cloud-config\ndisable_root: false\n", name=CLOUD_INIT)
    with setup.config.open("a") as f:
        f.write(f'server {{\n  listen = "{place}"\n  authorized_key = "{(setup.folder / "id.pub").read_text().strip()}"\n}}\n')
    with subprocess.Popen([DORMOUSE, "jump"], env=setup.env, stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL,
                          stderr=subprocess.DEVNULL) as jump:  # fmt: skip
        wait_for(lambda: socket.socket().connect_ex(("127.0.0.1", int(place.split(":")[1]))) == 0)
        (setup.folder / "known").write_text(setup.run("known-hosts", "--jump", f"jump@{place}", check=0).stdout)
        (setup.folder / "ssh_config").write_text(
            setup.run("ssh-config", "--jump", f"jump@{place}", check=0).stdout +
            f"Host *\n  BatchMode yes\n  StrictHostKeyChecking yes\n  IdentityFile {setup.folder}/id\n"
            f"  UserKnownHostsFile {setup.folder}/known\n  GlobalKnownHostsFile /dev/null\n")  # fmt: skip
        done = subprocess.run(["ssh", "-F", setup.folder / "ssh_config", "-T", "arch", "echo $FAKE_INSTANCE"], env=setup.env,
                              stdin=subprocess.DEVNULL, capture_output=True, text=True, timeout=60, check=False)  # fmt: skip
        jump.terminate()
    assert done.returncode == 0 and done.stdout.startswith("i-"), done.stderr
