"""Kinds of machines, each against the real thing where there is one."""

import json
import os
import pathlib
import shutil
import signal
import socket
import subprocess
import sys
import threading
import time

import pytest
from conftest import HERE, wait_for


class Sshd:
    """Greets like sshd, and no more; on and off as the test likes."""

    def __init__(self):
        self.listener, self.port = None, None
        self.on()

    def on(self):
        self.listener = socket.socket()
        self.listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        self.listener.bind(("127.0.0.1", self.port or 0))
        self.listener.listen()
        self.port = self.listener.getsockname()[1]
        threading.Thread(target=self.serve, args=(self.listener,), daemon=True).start()

    def serve(self, listener):
        while True:
            try:
                connection = listener.accept()[0]
                connection.sendall(b"SSH-2.0-test\r\n")
                connection.close()
            except OSError:
                return

    def off(self):
        if self.listener:
            self.listener.shutdown(socket.SHUT_RDWR)
            self.listener.close()
        self.listener = None


@pytest.fixture
def sshd():
    s = Sshd()
    yield s
    s.off()


def use(setup, kind, text, port=None, linger="1h", start_timeout="8s"):
    more = f"  ssh {{\n    port = {port}\n  }}\n" if port else ""
    setup.config.write_text(f'target "arch" "{kind}" {{\n  linger = "{linger}"\n'
                            f'  start_timeout = "{start_timeout}"\n{text}\n{more}}}\n')  # fmt: skip


def kill_keeper(setup, forget=False):
    for pid in setup.keeper_pids():
        os.kill(pid, signal.SIGKILL)
    if forget:
        for path in (setup.folder / "state").glob("state.db*"):
            path.unlink()


# --- what is missing on this host --------------------------------------------------------------------------------------


def test_doctor_says_what_this_host_lacks(setup):
    setup.config.write_text(
        setup.config.read_text() + 'target "away" "forward" {\n  to = "localhost"\n}\n'
        'target "typo" "forward" {\n  to = "no-such-host.invalid"\n}\n'
        'target "guest" "qemu" {\n  program = "no-qemu"\n}\n'
        'target "desk" "virtualbox" {\n  name = "x"\n  program = "no-vbox"\n}\n'
        'backup "mine" {\n  source = "tank"\n  destination = "guest:backup"\n}\n'
    )
    setup.save(fail={"check": "the fuse is missing"})
    setup.run("check", check=0)
    assert not (setup.machine / "log").exists()
    text = setup.run("doctor", check=1).stdout
    assert "target 'arch'\n  WRONG  the fuse is missing\n         look at machine.json\n" in text, text
    assert "target 'away'\n  ok     this host has what target 'away' (forward) needs\n" in text, text
    assert "target 'typo'\n  WRONG  cannot find the address of 'no-such-host.invalid'" in text, text
    assert "target 'desk'\n  WRONG  there is no program 'no-vbox' on this host\n         VBoxManage comes with" in text, text
    # What a backup needs is told with it, and once; it is not tried.
    assert text.count("no-qemu") == 1 and text.index("no-qemu") > text.index("backup 'mine'"), text
    found = json.loads(setup.run("doctor", "--json", check=1).stdout)
    assert [list(one)[0] for one in found] == ["target"] * 4 + ["backup"]
    assert json.loads(setup.run("doctor", "mine", "--json").stdout)[0]["backup"] == "mine"
    # Nobody has been started for it.
    assert set((setup.machine / "log").read_text().split()) == {"check"}
    setup.save(fail={})
    assert "target 'arch'\n  ok " in setup.run("doctor", check=1).stdout


# --- forward --------------------------------------------------------------------------------------------------------


def test_forward(setup, sshd):
    use(setup, "forward", '  to = "localhost"', linger="0s")
    done = setup.run("connect", f"arch:{sshd.port}", check=0)
    assert done.stdout.strip() == "SSH-2.0-test"
    # Nothing is waited for, unless check_port says so.
    setup.run("wake", "arch", check=0)
    wait_for(lambda: setup.state() == "absent")
    # In use, it is there for whoever looks.
    setup.env["DORMOUSE_LOOK_MS"] = "100"
    use(setup, "forward", '  to = "localhost"')
    setup.run("wake", "arch", check=0)
    time.sleep(2)
    assert setup.state() == "lingering"
    setup.run("sleep", "arch", check=0)
    use(setup, "forward", f'  to = "[::ffff:127.0.0.1]"\n  check_port = {sshd.port}', linger="0s", start_timeout="2s")
    setup.run("wake", "arch", check=0)
    wait_for(lambda: setup.state() == "absent")
    sshd.off()
    done = setup.run("wake", "arch", check=2)
    assert f"port {sshd.port} on target 'arch' does not answer" in done.stderr
    wait_for(lambda: setup.state() == "absent")
    use(setup, "forward", '  to = "no-such-host.invalid"', linger="0s")
    done = setup.run("wake", "arch", check=2)
    assert "cannot find the address of 'no-such-host.invalid'" in done.stderr and "hint:" in done.stderr


# --- virtualbox -----------------------------------------------------------------------------------------------------


@pytest.fixture
def vbox(setup, sshd):
    class Vbox:
        folder = setup.folder

        def set(self, **more):
            self.vm = dict(getattr(self, "vm", {"state": "poweroff", "ip": "127.0.0.1"}), **more)
            (self.folder / "vm.json").write_text(json.dumps(self.vm))

        def state(self):
            return subprocess.run([self.program, "showvminfo", "Debian", "--machinereadable"], check=True, text=True,
                                  capture_output=True).stdout.split('VMState="')[1].split('"')[0]  # fmt: skip

        def calls(self):
            return [line for line in (self.folder / "calls").read_text().splitlines()
                    if line.split()[0] in ("startvm", "controlvm")]  # fmt: skip

        def use(self, text="", **more):
            use(setup, "virtualbox", f'  name = "Debian"\n  program = "{self.program}"\n  power_off_timeout = "1s"\n{text}',
                sshd.port, **more)  # fmt: skip

    v = Vbox()
    v.program = str(setup.folder / "VBoxManage")
    (setup.folder / "VBoxManage").write_text(
        f'#!/bin/sh\nexec {sys.executable} -IS {HERE.parent}/lib/vboxmanage.py "{setup.folder}" "$@"\n')
    os.chmod(v.program, 0o755)
    v.set()
    v.use()
    return v


def test_virtualbox_life(setup, vbox):
    setup.run("wake", "arch", check=0)
    assert vbox.calls() == ["startvm Debian --type=headless"] and vbox.state() == "running"
    assert "guestproperty get Debian /VirtualBox/GuestInfo/Net/0/V4/IP" in (setup.folder / "calls").read_text()
    assert json.loads(setup.run("machines", "--json").stdout)[0]["facts"]["address"] == "127.0.0.1"
    # Off is when VirtualBox says so, not when the button was pressed.
    setup.run("sleep", "arch", check=0)
    assert vbox.state() == "poweroff"
    assert vbox.calls() == ["startvm Debian --type=headless", "controlvm Debian acpipowerbutton"]


def test_virtualbox_modes(setup, vbox):
    vbox.use('  start_mode = "gui"\n  stop_mode = "poweroff"\n  addr = "localhost"')
    setup.run("wake", "arch", check=0)
    setup.run("sleep", "arch", check=0)
    assert vbox.calls() == ["startvm Debian --type=gui", "controlvm Debian poweroff"]
    assert "guestproperty" not in (setup.folder / "calls").read_text()
    # A guest that does not heed the button, or only sleeps, is not left on.
    for mode, then in (("acpipowerbutton", "poweroff"), ("acpisleepbutton", "savestate")):
        vbox.set(state="poweroff", deaf=True)
        vbox.use(f'  stop_mode = "{mode}"')
        setup.run("wake", "arch", check=0)
        setup.run("sleep", "arch", check=0)
        assert vbox.calls()[-2:] == [f"controlvm Debian {mode}", f"controlvm Debian {then}"]
    assert vbox.state() == "saved"


def test_virtualbox_that_is_on_already_stays_on(setup, vbox):
    vbox.set(state="running")
    setup.run("wake", "arch", check=0)
    setup.run("sleep", "arch", check=0)
    assert vbox.calls() == [] and vbox.state() == "running"
    # Nor is it taken for ours by a keeper that starts.
    kill_keeper(setup, forget=True)
    setup.run("machines", check=0)
    time.sleep(1.5)
    assert vbox.calls() == [] and vbox.state() == "running"


def test_virtualbox_is_found_again(setup, vbox):
    setup.run("wake", "arch", check=0)
    kill_keeper(setup, forget=True)
    vbox.use(linger="0s")
    setup.run("machines", check=0)
    wait_for(lambda: vbox.state() == "poweroff")
    assert vbox.calls()[0].startswith("startvm") and len(vbox.calls()) == 2


def test_virtualbox_errors(setup, vbox):
    use(setup, "virtualbox", f'  name = "Debain"\n  program = "{vbox.program}"')
    done = setup.run("wake", "arch", check=2)
    assert "Could not find a registered machine" in done.stderr and "list vms" in done.stderr
    wait_for(lambda: setup.state() == "absent")
    use(setup, "virtualbox", '  name = "Debian"\n  program = "VBoxManage-that-is-not"')
    done = setup.run("wake", "arch", check=2)
    assert "there is no program 'VBoxManage-that-is-not'" in done.stderr and "hint: VBoxManage comes with" in done.stderr
    wait_for(lambda: setup.state() == "absent")
    vbox.set(state="paused")
    vbox.use()
    assert "is paused" in setup.run("wake", "arch", check=4).stderr
    vbox.set(state="poweroff", ip=None)
    vbox.use(start_timeout="2s")
    wait_for(lambda: setup.state() == "absent")
    done = setup.run("wake", "arch", check=2)
    assert "has no address" in done.stderr and 'addr = "' in done.stderr
    wait_for(lambda: vbox.state() == "poweroff")


# --- libvirt --------------------------------------------------------------------------------------------------------


@pytest.fixture(scope="session")
def libvirt(tmp_path_factory):
    """A libvirt of its own, of a user without rights: nothing of this host's is touched."""
    folder = tmp_path_factory.mktemp("lv")
    for path in (folder, *folder.parents[:2]):
        os.chmod(path, 0o755)
    dirs = {name: folder / name for name in ("HOME", "XDG_RUNTIME_DIR", "XDG_CONFIG_HOME", "XDG_CACHE_HOME", "XDG_DATA_HOME")}
    for path in dirs.values():
        path.mkdir()
        shutil.chown(path, "nobody")
    (folder / "libvirtd.conf").write_text('auth_unix_rw = "none"\nunix_sock_rw_perms = "0777"\n')
    daemon = subprocess.Popen(["/usr/sbin/libvirtd", "-f", folder / "libvirtd.conf"], user="nobody", group="nogroup",
                              extra_groups=[], stderr=subprocess.DEVNULL,
                              env={"PATH": os.environ["PATH"], **{k: str(v) for k, v in dirs.items()}})  # fmt: skip
    socket_path = dirs["XDG_RUNTIME_DIR"] / "libvirt" / "libvirt-sock"
    wait_for(socket_path.exists)
    uri = f"qemu+unix:///session?socket={socket_path}"
    (folder / "sleepy.xml").write_text(
        "<domain type='qemu'><name>sleepy</name><memory unit='MiB'>32</memory><vcpu>1</vcpu>"
        "<os><type arch='x86_64'>hvm</type></os><features><acpi/></features></domain>")  # fmt: skip

    def virsh(*words):
        done = subprocess.run(["virsh", "-q", "-c", uri, *words], check=False, text=True, capture_output=True,
                              env={**os.environ, "LC_ALL": "C"})  # fmt: skip
        assert done.returncode == 0, done.stderr
        return done.stdout.strip()

    virsh("define", str(folder / "sleepy.xml"))
    virsh.uri = uri
    yield virsh
    subprocess.run(["virsh", "-q", "-c", uri, "destroy", "sleepy"], check=False, capture_output=True)
    daemon.terminate()
    daemon.wait(20)


def use_libvirt(setup, libvirt, sshd, more="", **options):
    use(setup, "libvirt", f'  domain = "sleepy"\n  uri = "{libvirt.uri}"\n  power_off_timeout = "1s"\n{more}', sshd.port,
        **options)  # fmt: skip


def test_libvirt_life(setup, libvirt, sshd):
    # It has no operating system that would heed a button: it is ended when its time is over.
    use_libvirt(setup, libvirt, sshd, '  addr = "127.0.0.1"')
    setup.run("wake", "arch", check=0)
    assert libvirt("domstate", "sleepy") == "running"
    done = setup.run("sleep", "arch", check=0)
    assert "ending it" in done.stderr and libvirt("domstate", "sleepy") == "shut off"
    # Saved, it goes on where it was.
    use_libvirt(setup, libvirt, sshd, '  addr = "127.0.0.1"\n  stop_mode = "managedsave"')
    setup.run("wake", "arch", check=0)
    setup.run("sleep", "arch", check=0)
    assert libvirt("domstate", "--reason", "sleepy") == "shut off (saved)"
    setup.run("wake", "arch", check=0)
    assert libvirt("domstate", "--reason", "sleepy") == "running (restored)"
    # What is ours is found again, and ended.
    kill_keeper(setup, forget=True)
    use_libvirt(setup, libvirt, sshd, '  addr = "127.0.0.1"\n  stop_mode = "destroy"', linger="0s")
    setup.run("machines", check=0)
    wait_for(lambda: libvirt("domstate", "sleepy") == "shut off")


def test_libvirt_that_is_on_already_stays_on(setup, libvirt, sshd):
    libvirt("start", "sleepy")
    use_libvirt(setup, libvirt, sshd, '  addr = "127.0.0.1"')
    setup.run("wake", "arch", check=0)
    setup.run("sleep", "arch", check=0)
    assert libvirt("domstate", "sleepy") == "running"
    libvirt("suspend", "sleepy")
    done = setup.run("wake", "arch", check=4)
    assert "the domain 'sleepy' is paused" in done.stderr and "resume 'sleepy'" in done.stderr
    libvirt("destroy", "sleepy")


def test_libvirt_address(setup):
    # libvirt's own test driver has a domain with an address.
    use(setup, "libvirt", '  domain = "test"\n  uri = "test:///default"', port=1, start_timeout="2s")
    done = setup.run("wake", "arch", check=2)
    assert "tried 192.168.122.3 port 1" in done.stderr


def test_libvirt_errors(setup):
    use(setup, "libvirt", '  domain = "nope"\n  uri = "test:///default"')
    done = setup.run("wake", "arch", check=2)
    assert "failed to get domain" in done.stderr and "list --all" in done.stderr
    wait_for(lambda: setup.state() == "absent")
    use(setup, "libvirt", '  domain = "test"\n  uri = "qemu+unix:///session?socket=/nowhere/sock"')
    done = setup.run("wake", "arch", check=2)
    assert "failed to connect" in done.stderr and "libvirt-daemon-system" in done.stderr


# --- wake_on_lan ----------------------------------------------------------------------------------------------------


class Sleeper:
    """A machine that wakes when it hears the packet: a real sshd, told so by a real UDP socket."""

    def __init__(self, setup, deaf=0):
        self.setup, self.deaf, self.packets = setup, deaf, []
        self.udp = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        self.udp.bind(("127.0.0.1", 0))
        self.port = self.udp.getsockname()[1]
        threading.Thread(target=self.listen, daemon=True).start()

    def listen(self):
        while packet := self.udp.recv(2000):
            self.packets.append(packet)
            if len(self.packets) > self.deaf and not self.setup.is_on():
                self.on()

    def on(self):
        subprocess.run(["/usr/sbin/sshd", "-f", self.setup.machine / "sshd_config"], check=True)

    def use(self, sleep=None, **more):
        host_key = (self.setup.machine / "hostkey.pub").read_text().rsplit(" ", 1)[0]
        sleep = sleep or f"kill $(cat '{self.setup.machine}/sshd.pid')"
        use(self.setup, "wake_on_lan", f'  mac = "52:54:00:Ab:cd-01"\n  addr = "localhost"\n  broadcast = "127.0.0.1"\n'
            f'  wake_port = {self.port}\n  sleep = "{sleep}"\n  sleep_timeout = "5s"\n  ssh {{\n    port = {self.setup.port}\n'
            f'    identity_file = "{self.setup.folder}/id"\n    host_key = "{host_key}"\n  }}', **more)  # fmt: skip

    def end(self):
        with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as s:
            s.sendto(b"", ("127.0.0.1", self.port))


@pytest.fixture
def sleeper(setup):
    s = Sleeper(setup)
    s.use()
    yield s
    s.end()


def test_wake_on_lan_life(setup, sleeper):
    setup.run("wake", "arch", check=0)
    assert sleeper.packets == [b"\xff" * 6 + bytes.fromhex("525400abcd01") * 16]
    assert setup.is_on()
    setup.run("sleep", "arch", check=0)
    assert not setup.is_on()
    # The first packet is lost.
    sleeper.packets, sleeper.deaf = [], 1
    setup.run("wake", "arch", check=0)
    assert len(sleeper.packets) == 2
    # One that will not sleep is not taken for asleep.
    sleeper.use(sleep="echo not now >&2; exit 1")
    kill_keeper(setup, forget=True)
    done = setup.run("sleep", "arch", check=2)
    assert "does not go to sleep" in done.stderr and "not now" in done.stderr


def test_wake_on_lan_that_is_awake_already_stays_awake(setup, sleeper):
    sleeper.on()
    wait_for(setup.is_on)
    setup.run("wake", "arch", check=0)
    setup.run("sleep", "arch", check=0)
    assert setup.is_on() and sleeper.packets == []


def test_wake_on_lan_errors(setup, sleeper):
    sleeper.deaf = 99
    sleeper.use(start_timeout="2s")
    done = setup.run("wake", "arch", check=2)
    assert "does not wake up" in done.stderr and "ethtool" in done.stderr
    wait_for(lambda: setup.state() == "absent")
    setup.config.write_text(setup.config.read_text().replace("52:54:00:Ab:cd-01", "52:54:00"))
    assert "'52:54:00' is not a MAC address" in setup.run("wake", "arch", check=3).stderr


# --- qemu -----------------------------------------------------------------------------------------------------------


def guests(setup):
    """Each guest's command line, by its process."""
    found = {}
    for path in pathlib.Path("/proc").glob("[0-9]*/cmdline"):
        try:
            words = path.read_bytes().decode().split("\0")
        except OSError:
            continue
        if any(word.startswith(f"dormouse:arch:{setup.folder}/run:") for word in words):
            found[int(path.parent.name)] = words
    return found


def use_qemu(setup, text="", **more):
    # It has no operating system, so nothing of it but QEMU's own forwarding answers.
    use(setup, "qemu", f'  memory = "32MiB"\n  cpus = 1\n  accel = "tcg"\n  forward = ["80"]\n  check_port = 80\n'
        f'  power_off_timeout = "1s"\n{text}', **more)  # fmt: skip


def test_qemu_a_guest_for_each(setup):
    image = setup.folder / "disk,1.img"
    image.write_bytes(b"\0" * 1048576)
    use_qemu(setup, f'  shared = false\n  snapshot = true\n  disks = ["{image}"]')
    first, second = (setup.popen("connect", "arch:80", stdin=subprocess.PIPE) for _ in range(2))
    wait_for(lambda: len(guests(setup)) == 2)
    time.sleep(1)
    before = set(guests(setup))
    assert len(before) == 2
    first.kill()
    first.wait()
    # The other one is somebody else's.
    wait_for(lambda: len(guests(setup)) == 1)
    time.sleep(1)
    assert len(guests(setup)) == 1 and set(guests(setup)) < before and second.poll() is None
    # After kill -9 of the keeper, and with nothing remembered, it is found and ended.
    second.kill()
    second.wait()
    kill_keeper(setup, forget=True)
    setup.run("machines", check=0)
    wait_for(lambda: not guests(setup))
    wait_for(lambda: not list((setup.folder / "run").glob("qemu-*")))
    use_qemu(setup, f'  shared = false\n  disks = ["{image}"]')
    assert "snapshot = true" in setup.run("connect", "arch:80", check=3).stderr


def test_qemu_kvm_only_where_it_boots(setup):
    # As QEMU with a KVM that hangs, that is not there, or that works: what counts is what the boot sector says.
    program = setup.folder / "qemu"
    program.write_text(
        f'#!/bin/sh\necho "$@" >>"{setup.folder}/calls"\ncase "$*" in\n*"-accel kvm"*)\n\tcase $(cat "{setup.folder}/kvm") in\n'
        '\thangs) exec sleep 100 ;;\n\tmissing) exit 1 ;;\n\tesac ;;\nesac\n'
        # QEMU's software in place of the processor's.
        'for word; do\n\tshift\n\tcase $word in kvm) word=tcg ;; host) word=max ;; esac\n\tset -- "$@" "$word"\ndone\n'
        'exec qemu-system-x86_64 "$@"\n')  # fmt: skip
    program.chmod(0o755)
    for kind, accel, tries in (("hangs", "tcg,thread=multi", 1), ("missing", "tcg,thread=multi", 1), ("works", "kvm", 1)):
        (setup.folder / "kvm").write_text(kind)
        (setup.folder / "calls").write_text("")
        (setup.folder / "run" / "qemu-kvm").unlink(missing_ok=True)
        use(setup, "qemu", f'  program = "{program}"\n  memory = "32MiB"\n  forward = ["80"]\n  check_port = 80\n'
            '  power_off_timeout = "0s"', start_timeout="20s")  # fmt: skip
        for _ in range(2):  # the second time it is known
            setup.run("wake", "arch", check=0)
            setup.run("sleep", "arch", check=0)
        calls = (setup.folder / "calls").read_text().splitlines()
        assert sum("isa-debug-exit" in call for call in calls) == tries
        assert all(f"-accel {accel} " in call for call in calls if "-daemonize" in call), (kind, calls)


def test_qemu_seed(setup):
    # QEMU makes a FAT disk of the folder, with the label and the files that cloud-init looks for.
    data = "#cloud-config\nhostname: x\n"
    use_qemu(setup, f"  user_data = {json.dumps(data)}")
    setup.run("wake", "arch", check=0)
    (words,) = guests(setup).values()
    drive = next(word for word in words if "vvfat" in word)
    folder = drive.split("dir=")[1]
    assert "label=cidata" in drive and "readonly=on" in drive
    with open(f"{folder}/user-data") as f:
        assert f.read() == data
    with open(f"{folder}/meta-data") as f:
        assert f.read() == "instance-id: dormouse-arch\nlocal-hostname: arch\n"
    setup.run("sleep", "arch", check=0)
    assert not pathlib.Path(folder).exists()


# A boot sector that powers off when the button is pressed, by the ACPI registers of QEMU's PC (PIIX4, at 0x600), and says on
# the serial line when it is ready for that.
BUTTON = bytes.fromhex(
    "fa"  # cli
    "ba0206 b80001 ef"  # PM1_EN = PWRBTN_EN, without which QEMU notes no button
    "baf803 b052 ee"  # COM1: 'R'
    "ba0006 ed f6c401 74fa"  # until PM1_STS has PWRBTN_STS
    "ba0406 b80020 ef"  # PM1_CNT = SLP_EN, for the state that is 0: off
    "ebfe"
)  # fmt: skip


def test_qemu_powers_off_by_itself(setup):
    image = setup.folder / "disk.img"
    image.write_bytes(BUTTON.ljust(510, b"\0") + b"\x55\xaa" + b"\0" * (1048576 - 512))
    use_qemu(setup, f'  disks = ["{image}"]')
    setup.config.write_text(setup.config.read_text().replace('power_off_timeout = "1s"', 'power_off_timeout = "60s"'))
    for booted in (True, False):  # what presses the button while it boots presses it again
        setup.run("wake", "arch", check=0)
        (console,) = (setup.folder / "run").glob("qemu-arch-*.log")
        if booted:
            wait_for(lambda: b"R" in console.read_bytes(), 60)
        done = setup.run("sleep", "arch", check=0)
        assert "powering the guest off" in done.stderr and "ending it" not in done.stderr, done.stderr
        assert not guests(setup)


def test_qemu_errors(setup):
    use_qemu(setup, '  bridge = "no-such0"')
    assert 'addr = "NAME"' in setup.run("wake", "arch", check=3).stderr
    wait_for(lambda: setup.state() == "absent")
    use_qemu(setup, '  bridge = "no-such0"\n  addr = "localhost"')
    done = setup.run("wake", "arch", check=2)
    assert "bridge helper failed" in done.stderr and "allow no-such0" in done.stderr
    wait_for(lambda: setup.state() == "absent")
    use_qemu(setup, '  program = "no-qemu"')
    assert "apt install qemu-system-x86" in setup.run("wake", "arch", check=2).stderr


# --- exec (the rest is everywhere) ---------------------------------------------------------------------------------


def use_program(setup, answers):
    """A program that gives each request's operation an answer of the test's."""
    program = setup.folder / "program"
    program.write_text(f"#!{sys.executable} -IS\nimport json\nrequest = json.loads(input())\n"
                       f"with open({str(setup.folder / 'asked')!r}, 'a') as f:\n    f.write(request['op'] + '\\n')\n"
                       f"print(json.dumps({{'ok': True, **{answers!r}.get(request['op'], {{}})}}))\n")  # fmt: skip
    program.chmod(0o755)
    use(setup, "exec", f'  command = ["{program}"]')


def test_exec_what_is_absent_is_no_machine(setup):
    use_program(setup, {"list": {"machines": [{"power": "absent", "token": "x"}]}})
    setup.run("reap", check=0)
    assert "stop" not in (setup.folder / "asked").read_text()


def test_exec_another_machine_than_asked_for(setup):
    use_program(setup, {"list": {"machines": []}, "start": {"power": "running", "token": "x", "address": "127.0.0.1"}})
    done = setup.run("wake", "arch", check=2)
    assert "has not started the machine of target 'arch'" in done.stderr and "the token 'x'" in done.stderr
    assert "hint: another token is another machine" in done.stderr


# --- disk (the rest is in tests/zfs) --------------------------------------------------------------------------------


def test_disk_has_no_ssh(setup):
    setup.config.write_text('target "usb" "disk" {\n  devices = ["/dev/x"]\n  pools = ["usb"]\n}\n'
                            'target "nas" "forward" {\n  to = "localhost"\n}\n')  # fmt: skip
    text = setup.run("ssh-config", check=0).stdout
    assert "Host nas" in text and "usb" not in text
