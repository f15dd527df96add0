"""The jump host: real SSH clients through it, to a machine that is off."""

import base64
import contextlib
import hashlib
import os
import pathlib
import shutil
import signal
import socket
import subprocess
import sys
import threading
import time

import paramiko
import pytest
from conftest import DORMOUSE, wait_for
from jump_host import JumpHost, free_port


@pytest.fixture
def jump(tmp_path_factory):
    j = JumpHost(tmp_path_factory.mktemp("j"))
    yield j
    j.end()


def started(jump, source="127.0.0.1"):
    """A connection that has agreed on keys."""
    t = paramiko.Transport(socket.create_connection(("127.0.0.1", jump.jump_port), 20, source_address=(source, 0)))
    t.start_client(timeout=20)
    return t


def transport(jump, user="jump", **more):
    """One that is logged in."""
    t = started(jump, **more)
    t.auth_publickey(user, paramiko.Ed25519Key.from_private_key_file(str(jump.folder / "id")))
    return t


def direct(t, port, name="arch"):
    c = t.open_channel("direct-tcpip", (name, port), ("127.0.0.1", 1), timeout=30)
    c.settimeout(30)
    return c


class Service(threading.Thread):
    """A port of the machine: what each connection does is the test's."""

    def __init__(self, serve):
        super().__init__(daemon=True)
        self.socket = socket.create_server(("127.0.0.1", 0))
        self.port = self.socket.getsockname()[1]
        self.serve = serve
        self.start()

    def run(self):
        while True:
            c, _ = self.socket.accept()
            threading.Thread(target=self.serve, args=(c,), daemon=True).start()


def echo(c):
    while data := c.recv(65536):
        c.sendall(data)
    c.sendall(b"that was all")
    c.close()


def test_openssh_to_a_machine_that_was_off(jump):
    jump.start()
    for how in (["-J", "jump", "arch"], ["arch"]):
        done = jump.client("ssh", *how, "cat; echo seen >&2; exit 7", stdin=None, input="x" * 300000)
        assert done.returncode == 7, done.stderr
        assert done.stdout == "x" * 300000 and "seen" in done.stderr
        # What is waited for is shown, though it is plain ssh.
        assert "arch: switching on" in done.stderr
        jump.nothing_is_left()
    assert jump.starts() == 2


def test_stdio_forward_and_scp(jump, tmp_path):
    jump.start()
    with jump.spawn("ssh", "-W", "arch:22", "as-target") as ssh:
        assert ssh.stdout.read(7) == b"SSH-2.0"
        ssh.stdin.close()
        ssh.wait(20)
    (tmp_path / "file").write_bytes(os.urandom(3_000_000))
    assert jump.client("scp", "-O", str(tmp_path / "file"), f"arch:{tmp_path}/there").returncode == 0
    assert jump.client("scp", "-O", f"arch:{tmp_path}/there", str(tmp_path / "back")).returncode == 0
    assert (tmp_path / "back").read_bytes() == (tmp_path / "file").read_bytes()
    jump.nothing_is_left()


def test_one_connection_for_many(jump):
    jump.start()
    with jump.ssh_config.open("a") as f:
        f.write(f"Match originalhost jump\n  ControlMaster auto\n  ControlPath {jump.folder}/c\n  ControlPersist 60\n")
    first = jump.spawn("ssh", "arch", "read x; echo $x")
    wait_for(lambda: "opens arch:22" in jump.log.read_text())
    for _ in range(3):
        assert jump.client("ssh", "arch", "echo again").stdout == "again\n"
    assert first.communicate(b"first\n", timeout=20)[0] == b"first\n"
    assert len(jump.processes("jump-session")) == 1
    # The connection stays, but not the machine.
    wait_for(lambda: not jump.is_on())
    assert jump.client("ssh", "arch", "echo once more").stdout == "once more\n"
    jump.client("ssh", "-O", "exit", "jump")
    jump.nothing_is_left()
    assert jump.starts() == 2


def test_paramiko(jump):
    jump.start()
    for user in ("jump", "arch"):
        t = transport(jump, user)
        inner = paramiko.Transport(direct(t, 22))
        inner.start_client(timeout=20)
        inner.auth_publickey("root", paramiko.Ed25519Key.from_private_key_file(str(jump.folder / "id")))
        session = inner.open_session()
        session.exec_command("echo through")
        assert session.makefile().read() == b"through\n"
        inner.close()
        t.close()
        jump.nothing_is_left()


def test_dropbear(jump):
    jump.start()
    key = jump.folder / "dropbear"
    subprocess.run(["dropbearconvert", "openssh", "dropbear", jump.folder / "id", key], check=True, capture_output=True)
    ours = [shutil.which("dbclient"), "-y", "-y", "-i", str(key)]
    proxy = " ".join([*ours, "-p", str(jump.jump_port), "-B", "arch:22", "jump@127.0.0.1"])
    for words in (["-J", proxy, "root@arch"], [f"jump@127.0.0.1/{jump.jump_port},root@arch"]):
        done = subprocess.run([*ours, *words, "echo through"], env=dict(os.environ, HOME=str(jump.folder)), timeout=60,
                              stdin=subprocess.DEVNULL, capture_output=True, text=True, check=False)  # fmt: skip
        assert done.stdout == "through\n", done.stderr
        jump.nothing_is_left()


def test_keys_are_exchanged_anew_both_ways(jump):
    jump.start()
    block, blocks = os.urandom(1024 * 1024), int(os.environ.get("DORMOUSE_REKEY_MIB", "96"))
    want = hashlib.sha256()
    for _ in range(blocks):
        want.update(block)
    options = ["-o", "RekeyLimit=8M", "-o", f"ProxyCommand=ssh -F {jump.ssh_config} -o RekeyLimit=8M -v -W %h:%p jump"]
    messages = jump.folder / "messages"

    def exchanged():
        return messages.read_bytes().count(b"SSH2_MSG_NEWKEYS received")

    with open(messages, "wb") as f, jump.spawn("ssh", *options, "arch", "sha256sum", stderr=f) as up:
        for _ in range(blocks):
            up.stdin.write(block)
        up.stdin.close()
        assert up.stdout.read().split()[0].decode() == want.hexdigest()
        assert up.wait(60) == 0 and exchanged() > blocks // 16
    (jump.folder / "data").write_bytes(block)
    again = f"n=0; while [ $((n += 1)) -le {blocks} ]; do cat {jump.folder}/data; done"
    with open(messages, "wb") as f, jump.spawn("ssh", *options, "arch", again, stderr=f) as down:
        got = hashlib.sha256()
        while data := down.stdout.read(1 << 20):
            got.update(data)
        assert down.wait(60) == 0 and got.digest() == want.digest() and exchanged() > blocks // 16
    jump.nothing_is_left()


def test_two_clients_one_machine(jump):
    jump.save(delay=1)
    jump.start()
    both = [jump.spawn("ssh", "-J", how, "arch", "echo here") for how in ("jump", "as-target")]
    assert [b.communicate(timeout=30)[0] for b in both] == [b"here\n"] * 2
    assert jump.starts() == 1
    # Who comes while it goes to sleep waits, and gets it.
    for _ in range(3):
        assert jump.client("ssh", "arch", "echo here").stdout == "here\n"
    jump.nothing_is_left()


def test_what_is_printed_for_another_machine_suffices(jump):
    """It knows both keys, and asks nobody."""
    here = f"127.0.0.1:{jump.jump_port}"
    done = jump.run("known-hosts", "--jump", here, check=2)
    assert "the key of the jump host is not known" in done.stderr and "hint: it is written" in done.stderr
    jump.start()
    printed = jump.run("ssh-config", "--jump", here, "arch", check=0).stdout
    jump.known.write_text(jump.run("known-hosts", "--jump", here, check=0).stdout)
    jump.ssh_config.write_text(
        printed + f"Host *\n  IdentityFile {jump.folder}/id\n  IdentitiesOnly yes\n  BatchMode yes\n"
        f"  UserKnownHostsFile {jump.known}\n  StrictHostKeyChecking yes\n"
    )
    assert jump.client("ssh", "arch", "echo here").stdout == "here\n"
    # Without an address it is the one of the file.
    done = jump.run("ssh-config", "--jump", check=3)
    assert f"no other machine can reach the jump host at '{here}'" in done.stderr and "hint: listen = " in done.stderr
    jump.config.write_text(jump.config.read_text().replace(here, f":{jump.jump_port}"))
    place = f"{socket.gethostname()}:{jump.jump_port}"
    assert f"ProxyJump arch@{place}\n" in jump.run("ssh-config", "arch", "--jump", check=0).stdout
    host = place.replace(":", "]:")
    assert f"[{host} ssh-ed25519 " in jump.run("known-hosts", "--jump", check=0).stdout
    jump.write_config()
    assert "has no server block" in jump.run("known-hosts", "--jump", check=3).stderr


def test_what_is_wrong_is_said(jump):
    keys = jump.folder / "keys"
    client = f'client "me" {{\n  keys_file = "{keys}"\n  allow = ["arch"]\n}}\n'
    jump.server(client)
    keys.write_text(f"# mine\n\n{jump.public}\nssh-ed25519 AAAA me\n")
    assert "line 4 of '" in jump.run("jump", check=3).stderr
    keys.write_text(f"# mine\n\n{jump.public}\n")
    (jump.folder / "jump_key").chmod(0o640)
    done = jump.run("jump", check=3)
    assert "others may read the jump host's key" in done.stderr and "hint: chmod 600" in done.stderr
    (jump.folder / "jump_key").chmod(0o600)
    jump.server(client, user='"nobody-of-that-name"')
    assert "is no user that" in jump.run("jump", check=3).stderr
    with socket.create_server(("127.0.0.1", jump.jump_port)):
        jump.server(client)
        done = jump.run("jump", check=2)
        assert "cannot listen on" in done.stderr and "hint: who has it" in done.stderr
    jump.write_config()
    assert "has no server block" in jump.run("jump", check=3).stderr
    # Without a host key it makes one, the same from then on.
    text = client + f'server {{\n  listen = "127.0.0.1:{jump.jump_port}"\n}}\n'
    jump.config.write_text(jump.config.read_text() + text)
    for _ in range(2):
        jump.start()
        jump.jump.terminate()
        assert jump.jump.wait(20) == 0
    public = (jump.folder / "state" / "jump_host_key.pub").read_text().strip()
    assert jump.log.read_text().count(f"host key: {public}") == 2
    assert (jump.folder / "state" / "jump_host_key").stat().st_mode & 0o777 == 0o600
    jump.start()
    jump.known.write_text(f"[127.0.0.1]:{jump.jump_port} {public}\narch {(jump.machine / 'hostkey.pub').read_text()}")
    assert jump.client("ssh", "arch", "echo here").stdout == "here\n"


def test_as_lazyssh_has_it(jump):
    # One key for all, user "jump"; the machine starts when its door is asked for, and not before.
    jump.write_config()
    jump.config.write_text(
        jump.config.read_text()
        + f'server {{\n  listen = "127.0.0.1:{jump.jump_port}"\n  host_key = <<-EOF\n'
        + (jump.folder / "jump_key").read_text()
        + f"  EOF\n  authorized_key = <<-EOF\n    {jump.public}\n  EOF\n}}\n"
    )
    jump.start()
    t = transport(jump)
    time.sleep(0.3)
    assert jump.starts() == 0
    assert direct(t, 22).recv(4) == b"SSH-"
    t.close()
    assert jump.client("ssh", "arch", "echo here").stdout == "here\n"
    jump.nothing_is_left()


def test_certificates(jump):
    for name in ("ca", "false_ca"):
        subprocess.run(["ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-f", jump.folder / name], check=True)
    authority = (jump.folder / "ca.pub").read_text().strip()
    jump.server(f'client "me" {{\n  cert_authority = "{authority}"\n  allow = ["arch"]\n}}\n')
    jump.start()

    def sign(*options, ca="ca", key="other"):
        words = ["ssh-keygen", "-q", "-s", jump.folder / ca, "-I", "test", *options, jump.folder / f"{key}.pub"]
        subprocess.run(words, check=True)

    def log_in(*options, may=True, key="other", **more):
        sign(*options, key=key, **more)
        proxy = f"ssh -F {jump.ssh_config} -i {jump.folder}/{key} -o CertificateFile={jump.folder}/{key}-cert.pub -W %h:%p jump"
        done = jump.client("ssh", "-o", f"ProxyCommand={proxy}", "arch", "echo here")
        assert done.stdout == ("here\n" if may else ""), done.stderr
        assert may or "Permission denied (publickey)" in done.stderr
        jump.nothing_is_left()

    hour = ("-V", "-1h:+1h")
    log_in("-n", "you,me", *hour)
    for kind in ("rsa", "ecdsa"):
        subprocess.run(["ssh-keygen", "-q", "-t", kind, "-N", "", "-f", jump.folder / kind], check=True)
        log_in("-n", "me", *hour, key=kind)
    for options in (("-n", "you"), (), ("-n", "me", "-h"), ("-n", "me", "-O", "no-port-forwarding"), ("-n", "me", "-O", "clear"),
                    ("-n", "me", "-O", "source-address=127.0.0.1"), ("-n", "me", "-O", "force-command=true"),
                    ("-n", "me", "-V", "-2h:-1h"), ("-n", "me", "-V", "+1h:+2h")):  # fmt: skip
        log_in(*options, *(() if "-V" in options else hour), may=False)
    log_in("-n", "me", *hour, ca="false_ca", may=False)
    # What was signed is what counts: one that was changed, and one that only says that the right authority signed it
    real, false = (base64.b64decode((jump.folder / f"{name}.pub").read_text().split()[1]) for name in ("ca", "false_ca"))
    for ca in ("ca", "false_ca"):
        sign("-n", "mf", *hour, ca=ca)
        kind, blob = (jump.folder / "other-cert.pub").read_text().split()[:2]
        raw = base64.b64decode(blob)
        changed = raw.replace(b"\0\0\0\2mf", b"\0\0\0\2me").replace(false, real)
        assert changed != raw
        key = paramiko.Ed25519Key.from_private_key_file(str(jump.folder / "other"))
        (jump.folder / "changed").write_text(f"{kind} {base64.b64encode(changed).decode()}")
        key.load_certificate(str(jump.folder / "changed"))
        t = started(jump)
        with pytest.raises(paramiko.AuthenticationException):
            t.auth_publickey("jump", key)
        t.close()
    assert jump.starts() == 3


def test_half_closed_and_cut(jump):
    def slam(c):
        c.recv(1)
        c.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, b"\1\0\0\0\0\0\0\0")
        c.close()

    echoing, slamming = Service(echo), Service(slam)
    jump.ports(echoing.port, slamming.port)
    jump.start()
    t = transport(jump)
    c = direct(t, echoing.port)
    data = os.urandom(400000)
    sender = threading.Thread(target=lambda: (c.sendall(data), c.shutdown_write()))
    sender.start()
    got = b""
    while part := c.recv(65536):
        got += part
    assert got == data + b"that was all"
    # What the machine cuts is cut here as well, and the others go on.
    other, c = direct(t, echoing.port), direct(t, slamming.port)
    c.sendall(b"x")
    assert c.recv(10) == b""
    other.sendall(b"still there")
    assert other.recv(100) == b"still there"
    # A port where nobody listens any more fails alone.
    with pytest.raises(paramiko.ChannelException):
        direct(t, free_port())
    other.sendall(b"still there")
    assert other.recv(100) == b"still there"
    t.close()
    jump.nothing_is_left()


def test_one_channel_that_is_not_read_holds_up_no_other(jump):
    def flood(c):
        with contextlib.suppress(OSError):
            while True:
                c.sendall(bytes(65536))

    def sink(c):
        time.sleep(60)

    flooding, echoing, sinking = Service(flood), Service(echo), Service(sink)
    jump.ports(flooding.port, echoing.port, sinking.port)
    jump.start()
    t = transport(jump)
    unread, unheard, c = direct(t, flooding.port), direct(t, sinking.port), direct(t, echoing.port)
    unheard.setblocking(False)
    with pytest.raises(socket.timeout):
        while True:
            unheard.send(bytes(32768))
    for _ in range(200):
        c.sendall(b"y" * 10000)
        n = 0
        while n < 10000:
            n += len(c.recv(10000))
    (session,) = jump.processes("jump-session")
    resident = int(pathlib.Path(f"/proc/{session}/statm").read_text().split()[1]) * os.sysconf("SC_PAGESIZE")
    assert resident < 48 << 20
    assert len(unread.recv(10)) == 10
    t.close()
    jump.nothing_is_left()


def test_a_start_that_fails_is_told(jump):
    jump.save(fail={"start": "no such luck"})
    jump.start()
    # With what to do about it; and the next one is told the same at once, and when it is tried again.
    for who, what in (("jump", "look at machine.json)"), ("as-target", "it is tried again in ")):
        done = jump.client("ssh", "-J", who, "arch", "true")
        assert done.returncode == 255 and "cannot reach 'arch': no such luck (" + what in done.stderr
    jump.nothing_is_left()


def test_killed_at_any_place(jump):
    jump.save(delay=0.5)
    jump.start()

    def session():
        ssh = jump.spawn("ssh", "arch", "echo here; sleep 1000")
        assert ssh.stdout.readline() == b"here\n"
        return ssh

    # The person's ssh, with what it has started, as when a window is closed
    ssh = session()
    subprocess.run(["pkill", "-9", "-P", str(ssh.pid)], check=False)
    ssh.kill()
    ssh.wait()
    jump.nothing_is_left()
    # … and while the machine starts
    ssh = jump.spawn("ssh", "arch", "true", start_new_session=True)
    wait_for(lambda: jump.state() == "starting")
    os.killpg(ssh.pid, signal.SIGKILL)
    ssh.wait()
    jump.nothing_is_left()
    # The process of the connection
    ssh = session()
    (pid,) = jump.processes("jump-session")
    os.kill(pid, signal.SIGKILL)
    assert ssh.wait(20) == 255
    jump.nothing_is_left()
    wait_for(lambda: "killed by signal 9" in jump.log.read_text())
    # The listener: what is open goes on, who has nothing open yet is told to come again
    ssh = session()
    half, idle = socket.create_connection(("127.0.0.1", jump.jump_port)), transport(jump)
    wait_for(lambda: len(jump.processes("jump-session")) == 3)
    jump.jump.kill()
    jump.jump.wait()
    wait_for(lambda: len(jump.processes("jump-session")) == 1)
    time.sleep(0.5)
    assert jump.is_on() and ssh.poll() is None and not idle.is_active()
    ssh.terminate()
    ssh.wait()
    half.close()
    jump.nothing_is_left()
    # The keeper: the next one finds the machine, and it is kept for the connection that there is
    jump.start()
    ssh = session()
    (keeper,) = jump.keeper_pids()
    os.kill(keeper, signal.SIGKILL)
    time.sleep(3)
    assert jump.is_on() and ssh.poll() is None and jump.state() == "ready"
    ssh.terminate()
    ssh.wait()
    jump.nothing_is_left()


def test_the_daemon_has_one(jump):
    jump.start("daemon")
    assert jump.client("ssh", "arch", "echo here").stdout == "here\n"
    (pid,) = jump.processes("jump")
    os.kill(pid, signal.SIGKILL)
    wait_for(jump.answers)
    assert "the jump host ended with killed by signal 9" in jump.log.read_text()
    # A changed file is taken, and nobody is cut off by that.
    ssh = jump.spawn("ssh", "arch", "echo here; read x; echo $x")
    assert ssh.stdout.readline() == b"here\n"
    other = (jump.folder / "other.pub").read_text().strip()
    jump.server(f'client "other" {{\n  key = "{other}"\n  allow = ["arch"]\n}}\n')
    (pid,) = jump.processes("jump")
    jump.jump.send_signal(signal.SIGHUP)
    wait_for(lambda: jump.processes("jump") not in ([], [pid]) and jump.answers())
    assert "Permission denied" in jump.client("ssh", "arch", "true").stderr
    assert jump.client("ssh", "-o", f"ProxyCommand=ssh -F {jump.ssh_config} -i {jump.folder}/other -W %h:%p jump", "arch",
                       "echo here").stdout == "here\n"  # fmt: skip
    # Nor when the daemon dies.
    jump.jump.kill()
    jump.jump.wait()
    jump.start("daemon")
    time.sleep(2)
    assert jump.state() == "ready"
    assert ssh.communicate(b"goes on\n", timeout=20)[0] == b"goes on\n"
    wait_for(lambda: len(jump.processes("jump")) == 1)
    jump.jump.terminate()
    assert jump.jump.wait(20) == 0
    jump.nothing_is_left()
    assert not jump.processes("jump")


def test_a_client_that_is_gone_from_the_file(jump):
    service = Service(echo)
    jump.ports(service.port)
    jump.start("daemon")
    t = transport(jump)
    c = direct(t, service.port)
    other = f'client "other" {{\n  key = "{(jump.folder / "other.pub").read_text().strip()}"\n  allow = ["arch"]\n}}\n'
    me = f'client "me" {{\n  key = "{jump.public}"\n  allow = ["arch:22"]\n}}\n'
    for clients, open_port in ((me + other, 22), (other, None)):
        jump.server(clients)
        jump.jump.send_signal(signal.SIGHUP)
        wait_for(lambda: (jump.folder / "state" / "config.hcl").read_text() == jump.config.read_text())
        for port in (service.port, 22):
            if port == open_port:
                direct(t, port).close()
            else:
                with pytest.raises(paramiko.ChannelException):
                    direct(t, port)
        # What is open goes on.
        c.sendall(b"still there")
        assert c.recv(100) == b"still there"
    t.close()
    jump.nothing_is_left()


def test_socket_activation(jump):
    for command in ("jump", "daemon"):
        with socket.create_server(("127.0.0.1", 0)) as s:
            program = (
                f"import os; os.dup2({s.fileno()}, 3); os.environ.update(LISTEN_FDS='1', LISTEN_PID=str(os.getpid()));"
                f"os.execv({DORMOUSE!r}, ['dormouse', {command!r}])"
            )
            with jump.folder.joinpath("log").open("a") as log:
                daemon = subprocess.Popen([sys.executable, "-c", program], pass_fds=[s.fileno()], env=jump.env, stderr=log)
            try:
                port = s.getsockname()[1]
                s.close()
                with socket.create_connection(("127.0.0.1", port), 20) as c:
                    assert c.recv(4) == b"SSH-"
            finally:
                daemon.terminate()
                assert daemon.wait(20) == 0
