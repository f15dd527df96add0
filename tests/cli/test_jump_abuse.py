"""The jump host against those who mean it no good: refused, bounded, and nobody else is harmed."""

import contextlib
import os
import pathlib
import random
import socket
import time

import paramiko
import pytest
from conftest import no_descriptors, wait_for
from jump_host import JumpHost
from paramiko.message import Message
from test_jump import Service, direct, echo, started, transport


@pytest.fixture
def jump(tmp_path_factory):
    j = JumpHost(tmp_path_factory.mktemp("a"))
    yield j
    # Whatever was sent: no process crashed, or tried what it may not.
    text = j.log.read_text()
    j.end()
    assert "killed by signal" not in text and "exit code" not in text and "asks what it may not" not in text, text


def raw(jump, source="127.0.0.1"):
    return socket.create_connection(("127.0.0.1", jump.jump_port), 20, source_address=(source, 0))


def send(t, *parts):
    m = Message()
    for part in parts:
        m.add(part) if not isinstance(part, bytes) else m.add_bytes(part)
    t._send_message(m)


def over(t):
    wait_for(lambda: not t.is_active())


def gone(s):
    """The other side ends it."""
    s.settimeout(20)
    with contextlib.suppress(ConnectionResetError):
        while s.recv(65536):
            pass


def test_who_is_unknown_learns_nothing(jump):
    jump.server(
        f'client "me" {{\n  key = "{jump.public}"\n  allow = ["arch"]\n}}\n'
        'target "secret" "exec" {\n  command = ["false"]\n}\n'
    )
    jump.start()
    # A wrong key, a user nobody has, a target that this key may not reach, with the right key: one answer
    for user, key in (("jump", "other"), ("root", "id"), ("secret", "id"), ("secret", "other"), ("x" * 5000, "id"), ("", "id")):
        t = started(jump)
        with pytest.raises(paramiko.AuthenticationException) as e:
            t.auth_publickey(user, paramiko.Ed25519Key.from_private_key_file(str(jump.folder / key)))
        assert str(e.value) == "Authentication failed." and t.is_active()
        with pytest.raises(paramiko.BadAuthenticationType) as e:
            t.auth_password(user, "x", fallback=False)
        assert e.value.allowed_types == ["publickey"]
        t.close()
    t = started(jump)
    for _ in range(5):
        with pytest.raises(paramiko.AuthenticationException):
            t.auth_publickey("jump", paramiko.Ed25519Key.from_private_key_file(str(jump.folder / "other")))
    with pytest.raises((paramiko.SSHException, EOFError)):
        t.auth_publickey("jump", paramiko.Ed25519Key.from_private_key_file(str(jump.folder / "other")))
    over(t)
    # Another name in the midst of it
    t = started(jump)
    with pytest.raises(paramiko.AuthenticationException):
        t.auth_publickey("x", paramiko.Ed25519Key.from_private_key_file(str(jump.folder / "id")))
    with pytest.raises((paramiko.SSHException, EOFError)):
        t.auth_publickey("jump", paramiko.Ed25519Key.from_private_key_file(str(jump.folder / "id")))
    assert jump.starts() == 0


def test_a_signature_that_is_wrong(jump):
    jump.start()

    class Forged(paramiko.Ed25519Key):
        def sign_ssh_data(self, data, algorithm=None):
            m = super().sign_ssh_data(data + b"x", algorithm)
            return m

    t = started(jump)
    t.auth_timeout = 1
    with pytest.raises((paramiko.SSHException, EOFError)):
        t.auth_publickey("jump", Forged.from_private_key_file(str(jump.folder / "id")))
    assert not t.is_authenticated()
    t.close()
    assert jump.starts() == 0


def test_only_listed_doors(jump):
    service = Service(echo)
    jump.ports(service.port)
    jump.server(f'client "me" {{\n  key = "{jump.public}"\n  allow = ["arch:{service.port}"]\n}}\n')
    jump.start()
    t = transport(jump)
    c = direct(t, service.port)
    kinds = [
        lambda: t.open_session(),
        lambda: t.open_channel("x11", src_addr=("127.0.0.1", 1)),
        lambda: t.open_channel("auth-agent@openssh.com"),
        lambda: t.open_channel("forwarded-tcpip", ("arch", 22), ("127.0.0.1", 1)),
        lambda: t.open_channel("direct-streamlocal@openssh.com"),
        lambda: t.open_channel("tun@openssh.com"),
        lambda: direct(t, 22),
        lambda: direct(t, 0),
        lambda: direct(t, 65536 + service.port),
        lambda: direct(t, service.port, "ARCH"),
        lambda: direct(t, service.port, "127.0.0.1"),
        lambda: direct(t, service.port, "localhost"),
        lambda: direct(t, service.port, ""),
        lambda: direct(t, service.port, "arch\0x"),
    ]
    for kind in kinds[:8] + kinds[9:13]:
        with pytest.raises(paramiko.ChannelException) as e:
            kind()
        assert e.value.code == 1
    for name, *more in (("exec", "id"), ("shell",), ("subsystem", "sftp"), ("pty-req", "vt", 80, 24, 0, 0, ""), ("env", "A", "b"),
                        ("x11-req", False, "MIT-MAGIC-COOKIE-1", "00", 0), ("auth-agent-req@openssh.com",), ("nonsense",)):  # fmt: skip
        c._event_pending()
        send(t, bytes([98]), c.remote_chanid, name, True, *more)
        assert c.event.wait(30)
        with pytest.raises(paramiko.SSHException):
            c._wait_for_event()
        # paramiko closes a channel whose request was refused
        c = direct(t, service.port)
    with pytest.raises(paramiko.SSHException):
        t.request_port_forward("", 0)
    for name in ("streamlocal-forward@openssh.com", "hostkeys-prove-00@openssh.com", "no-more-sessions@openssh.com"):
        assert t.global_request(name, wait=True) is None
    c.sendall(b"still there")
    assert c.recv(100) == b"still there"
    t.close()
    # Where there is nothing else to lose, the reason is told.
    for argv, why in (
        (["ssh", "jump", "true"], "only passes connections on"),
        (["sftp", "jump"], "only passes connections on"),
        (["ssh", "-W", "arch:22", "jump"], "'arch' port 22 is no door of 'me'"),
        (["ssh", "-W", "elsewhere:22", "jump"], "'elsewhere' port 22 is no door of 'me'"),
    ):
        done = jump.client(*argv)
        assert done.returncode == 255 and why in done.stderr, done.stderr
    jump.nothing_is_left()


def test_messages_in_the_wrong_state(jump):
    service = Service(echo)
    jump.ports(service.port)
    jump.start()
    opening = (bytes([90]), "direct-tcpip", 0, 100000, 32768, "arch", service.port, "127.0.0.1", 1)
    # Before the log-in: a channel, also after telling the server that it has succeeded (CVE-2018-10933)
    for before in ((), (bytes([52]),), (bytes([60]), "", ""), (bytes([6]), "ssh-connection"), (bytes([21]),), (bytes([31]), "x")):
        t = started(jump)
        if before:
            send(t, *before)
        with contextlib.suppress(Exception):
            send(t, *opening)
        time.sleep(0.2)
        t.close()
    for first in ((bytes([80]), "tcpip-forward", True, "", 0), (bytes([5]), "ssh-connection"), (bytes([94]), 0, "data")):
        t = started(jump)
        with contextlib.suppress(Exception):
            send(t, *first)
            send(t, *opening)
        t.close()
    assert jump.starts() == 0
    # After it: data for channels that there are none of, another log-in, a channel closed twice
    t = transport(jump)
    c = direct(t, service.port)
    for m in ((bytes([94]), 77, "data"), (bytes([97]), 77), (bytes([91]), 0, 0, 1000, 1000), (bytes([98]), 77, "exec", True, "id"),
              (bytes([50]), "jump", "ssh-connection", "none"), (bytes([93]), c.remote_chanid, 0xFFFFFFFF)):  # fmt: skip
        send(t, *m)
    time.sleep(0.3)
    # Whatever became of it, others are served.
    t.close()
    t = transport(jump)
    c = direct(t, service.port)
    c.sendall(b"there")
    assert c.recv(10) == b"there"
    for m in ((bytes([97]), c.remote_chanid), (bytes([98]), c.remote_chanid, "exec", True, "id"), (bytes([97]), c.remote_chanid)):
        send(t, *m)
    time.sleep(0.2)
    t.close()
    jump.nothing_is_left()


def test_what_is_offered(jump):
    jump.start()
    with raw(jump) as s, s.makefile("rb") as f:
        s.sendall(b"SSH-2.0-x\r\n")
        f.readline()
        offer = f.read(int.from_bytes(f.read(4), "big"))
    assert b"zlib" not in offer and b"kex-strict-s-v00@openssh.com" in offer


def test_more_than_there_is_room_for(jump):
    service = Service(lambda c: time.sleep(60))
    jump.ports(service.port)
    jump.start()
    t = transport(jump)
    c = direct(t, service.port)
    number = c.remote_chanid
    (session,) = jump.processes("jump-session")
    for _ in range(1000):  # 32 MB, whatever the window
        send(t, bytes([94]), number, "x" * 32000)
    wait_for(lambda: c.closed)
    status = pathlib.Path(f"/proc/{session}/status").read_text()
    assert int(status.split("VmHWM:")[1].split()[0]) < 30000
    t.close()
    jump.nothing_is_left()


def test_garbage(jump):
    service = Service(echo)
    jump.ports(service.port)
    jump.start()
    rng = random.Random(1)
    version = b"SSH-2.0-x\r\n"
    for junk in (b"\0" * 100, b"GET / HTTP/1.0\r\n\r\n", b"SSH-1.5-x\r\n", b"SSH-2.0-" + b"x" * 100000, b"\n" * 5000,
                 version + b"\xff" * 5000, version + b"\0\0\0\0", version + b"\0\1\0\0\4" + rng.randbytes(70000),
                 version + b"\0\0\0\x0c\x0a\x15" + bytes(10), version + rng.randbytes(100000)):  # fmt: skip
        with raw(jump) as s, contextlib.suppress(ConnectionError):
            s.sendall(junk)
            s.shutdown(socket.SHUT_WR)
            gone(s)
    for ready in (started, transport):
        t = ready(jump)
        t.sock.sendall(rng.randbytes(5000))
        over(t)
    # Every number of a message, with anything in it, before and after the log-in; some of them end the connection
    numbers = rng.sample(range(256), 256)
    for i in range(0, 256, 16):
        for ready in (started, transport):
            t = ready(jump, source=f"127.0.1.{i // 16}")
            with contextlib.suppress(Exception):
                for number in numbers[i : i + 16]:
                    send(t, bytes([number]) + rng.randbytes(rng.choice((0, 1, 4, 9, 40, 3000))))
            t.sock.close()
    jump.nothing_is_left()


def test_who_does_not_log_in_has_to_go(jump):
    jump.start(DORMOUSE_LOGIN_GRACE_MS="1500")
    with raw(jump) as silent, raw(jump) as half, raw(jump) as slow:
        half.sendall(b"SSH-2.0-x\r\n")
        began = time.monotonic()
        slow.settimeout(0.1)
        with contextlib.suppress(ConnectionError):
            while time.monotonic() - began < 10:  # a byte at a time
                slow.sendall(b"S")
                with contextlib.suppress(TimeoutError):
                    if slow.recv(1000) == b"":
                        break
        assert time.monotonic() - began < 5
        gone(silent)
        gone(half)
    agreed = started(jump)
    over(agreed)
    jump.nothing_is_left()


def test_a_thousand_at_once(jump):
    jump.start()
    before = {int(p.name) for p in pathlib.Path("/proc").glob("[0-9]*")}
    crowd = []
    for _ in range(1000):
        s = socket.socket()
        s.bind(("127.0.0.2", 0))
        s.setblocking(False)
        with contextlib.suppress(BlockingIOError):
            s.connect(("127.0.0.1", jump.jump_port))
        crowd.append(s)
    wait_for(lambda: len(jump.processes("jump-session")) >= 16)
    # Somebody else is served all the while.
    done = jump.client("ssh", "arch", "echo here")
    assert done.stdout == "here\n", done.stderr
    sessions = []
    for pid in jump.processes("jump-session"):
        with contextlib.suppress(OSError):  # that of somebody else, which has just ended
            if b"127.0.0.2" in pathlib.Path(f"/proc/{pid}/cmdline").read_bytes():
                sessions.append(pid)
    assert len(sessions) == 16
    new = [p for p in pathlib.Path("/proc").glob("[0-9]*") if int(p.name) not in before]
    private = 0
    for path in new:
        with contextlib.suppress(OSError):
            if int(path.name) in sessions:
                rollup = (path / "smaps_rollup").read_text()
                private += sum(int(x.split()[1]) for x in rollup.splitlines() if x.startswith("Private_"))
    assert private < 16 * 8 * 1024, f"{private} kB"
    turned_away = b""
    for s in crowd:
        s.setblocking(True)
        s.settimeout(5)
        with contextlib.suppress(OSError):
            if not turned_away:
                turned_away = s.recv(100) if b"dormouse" in s.recv(100, socket.MSG_PEEK) else b""
        s.close()
    assert b"too many connections of this address" in turned_away
    jump.nothing_is_left()


def test_no_descriptors_are_left(jump):
    jump.start()
    wait_for(lambda: not jump.processes("jump-session"))
    with no_descriptors(jump.jump.pid), raw(jump) as s:
        wait_for(lambda: "no descriptors are left" in jump.log.read_text())
        s.settimeout(0.1)
        with pytest.raises(TimeoutError):
            s.recv(1)
    assert jump.log.read_text().count("no descriptors are left") == 1
    assert jump.answers()


def test_a_client_has_so_many_connections(jump):
    jump.server(f'client "me" {{\n  key = "{jump.public}"\n  allow = ["arch"]\n  max_connections = 2\n}}\n')
    jump.start()
    mine = [transport(jump) for _ in range(2)]
    done = jump.client("ssh", "arch", "true")
    assert done.returncode == 255 and "you have too many connections here" in done.stderr
    mine[0].close()
    wait_for(lambda: jump.client("ssh", "arch", "echo here").stdout == "here\n")
    mine[1].close()
    jump.nothing_is_left()


def test_so_many_channels(jump):
    service = Service(echo)
    jump.ports(service.port)
    jump.start()
    t = transport(jump)
    opened = [direct(t, service.port) for _ in range(32)]
    with pytest.raises(paramiko.ChannelException):
        direct(t, service.port)
    opened[5].close()
    wait_for(lambda: can(lambda: direct(t, service.port)))
    (session,) = jump.processes("jump-session")
    assert len(os.listdir(f"/proc/{session}/fd")) < 90
    t.close()
    jump.nothing_is_left()


def can(what):
    try:
        what()
    except paramiko.ChannelException:
        return False
    return True


def test_the_process_of_a_connection_is_locked_in(jump):
    jump.start()
    t = transport(jump)
    (session,) = jump.processes("jump-session")
    status = dict(line.split(":\t", 1) for line in pathlib.Path(f"/proc/{session}/status").read_text().splitlines())
    assert status["NoNewPrivs"] == "1" and status["Seccomp"] == "2"
    assert set(status["Uid"].split()) == {"65534"} and int(status["CapPrm"], 16) == 0
    assert pathlib.Path(f"/proc/{session}/limits").read_text().split("Max processes")[1].split()[0] == "0"
    assert pathlib.Path(f"/proc/{session}/environ").read_bytes() == b""
    t.close()
    jump.nothing_is_left()
