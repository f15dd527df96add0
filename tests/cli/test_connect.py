"""The local door: what goes through it, and that its lease lasts exactly as long as the connection."""

import os
import signal
import socket
import struct
import subprocess
import threading
import time

import pytest
from conftest import DORMOUSE, wait_for

PORT = 7


def exactly(sock, count):
    got = b""
    while len(got) < count and (more := sock.recv(1 << 16)):
        got += more
    return got


@pytest.fixture
def service(setup):
    """A port of the machine that does with each connection what the test says; it may look at what came."""
    listener = socket.create_server(("127.0.0.1", 0))
    setup.save(doors=[{"port": PORT, "host": "127.0.0.1", "at": listener.getsockname()[1]}])

    def serve(what):
        def loop():
            conn, _ = listener.accept()
            with conn:
                what(conn)

        thread = threading.Thread(target=loop, daemon=True)
        thread.start()
        return thread

    yield serve
    listener.close()


def connect(setup, **how):
    return subprocess.Popen([DORMOUSE, "connect", f"arch:{PORT}"], env=setup.env, stderr=subprocess.PIPE, **how)


@pytest.mark.parametrize("kind", ["pipe", "socket", "file"])
def test_each_direction_has_its_own_end(setup, service, kind, tmp_path):
    sent, answer = os.urandom(3 << 20), os.urandom(2 << 20)
    came = []

    def after_all_of_it(conn):
        came.append(exactly(conn, len(sent) + 1))  # until the end
        conn.sendall(answer)

    service(after_all_of_it)
    if kind == "pipe":
        p = connect(setup, stdin=subprocess.PIPE, stdout=subprocess.PIPE)
        got = p.communicate(sent, timeout=60)[0]
    elif kind == "file":
        (tmp_path / "in").write_bytes(sent)
        with open(tmp_path / "in", "rb") as fin, open(tmp_path / "out", "wb") as fout:
            p = connect(setup, stdin=fin, stdout=fout)
            p.wait(60)
        got = (tmp_path / "out").read_bytes()
    else:
        ours, theirs = socket.socketpair()
        p = connect(setup, stdin=theirs, stdout=theirs)
        theirs.close()
        sender = threading.Thread(target=lambda: (ours.sendall(sent), ours.shutdown(socket.SHUT_WR)))
        sender.start()
        got = exactly(ours, len(answer) + 1)
        sender.join()
        ours.close()
    assert p.wait(20) == 0, p.stderr.read()
    assert came == [sent] and got == answer
    wait_for(lambda: not setup.is_on())


@pytest.mark.parametrize("kind", ["pipe", "socket"])
def test_the_other_side_ends_first(setup, service, kind):
    came = []

    def ends_and_listens(conn):
        conn.sendall(b"all I have")
        conn.shutdown(socket.SHUT_WR)
        came.append(exactly(conn, 1 << 30))

    serving = service(ends_and_listens)
    if kind == "pipe":
        p = connect(setup, stdin=subprocess.PIPE, stdout=subprocess.PIPE)
        assert p.stdout.read() == b"all I have"
        p.stdin.write(b"still heard" * 100000)
        p.stdin.close()
    else:
        ours, theirs = socket.socketpair()
        ours.settimeout(20)
        p = connect(setup, stdin=theirs, stdout=theirs)
        theirs.close()
        assert exactly(ours, 1000) == b"all I have"
        ours.sendall(b"still heard" * 100000)
        ours.close()
    serving.join(20)
    assert came == [b"still heard" * 100000]
    assert p.wait(20) == 0


@pytest.mark.parametrize("busy", [False, True])
def test_a_connection_that_is_cut(setup, service, busy):
    def reset(conn):
        conn.sendall(b"x")
        exactly(conn, 10)
        conn.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))

    service(reset)
    p = connect(setup, stdin=subprocess.PIPE, stdout=subprocess.PIPE)
    assert p.stdout.read(1) == b"x"
    try:
        p.stdin.write(b"y" * (1 << 22 if busy else 10))
        p.stdin.flush()
    except BrokenPipeError:
        assert busy
    assert p.wait(20) == 2
    assert b"the connection to 'arch' was cut" in p.stderr.read()
    wait_for(lambda: not setup.is_on())


def test_nobody_reads_any_more(setup, service):
    """The machine is silent and standard input stays open: only the reader's end is there to be seen."""
    service(lambda conn: (conn.sendall(b"x"), exactly(conn, 1)))
    p = connect(setup, stdin=subprocess.PIPE, stdout=subprocess.PIPE)
    assert p.stdout.read(1) == b"x"
    p.stdout.close()
    assert p.wait(20) == 0
    wait_for(lambda: not setup.is_on())


def test_the_relay_is_killed(setup, service):
    service(lambda conn: (conn.sendall(b"x"), exactly(conn, 1)))
    p = connect(setup, stdin=subprocess.PIPE, stdout=subprocess.PIPE)
    assert p.stdout.read(1) == b"x"
    p.kill()
    p.wait()
    wait_for(lambda: not setup.is_on())


def test_a_program_that_takes_no_descriptor(setup):
    """It knows ProxyCommand and gives a pipe, whatever the configuration says to ssh."""
    p = subprocess.Popen([DORMOUSE, "connect", "--fdpass", "arch"], env=setup.env, stdin=subprocess.PIPE,
                         stdout=subprocess.PIPE)  # fmt: skip
    assert p.stdout.readline().startswith(b"SSH-2.0-")
    p.communicate(timeout=20)
    assert p.returncode == 0


@pytest.mark.parametrize("fdpass", [True, False])
def test_a_connection_that_outlives_the_ssh_that_asked(setup, fdpass):
    socket_path = setup.folder / "master"
    shared = ["-o", "ControlMaster=auto", "-o", "ControlPersist=yes", "-o", f"ControlPath={socket_path}"]

    def ssh(*more):
        words = setup.ssh(*more, fdpass=fdpass)
        done = subprocess.run([words[0], *shared, *words[1:]], env=setup.env, stdin=subprocess.DEVNULL,
                              stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True, timeout=60, check=False)  # fmt: skip
        return done.stdout

    assert ssh("echo one") == "one\n"
    time.sleep(2.5)
    assert setup.state() == "ready"
    assert ssh("echo two") == "two\n" and setup.starts() == 1
    subprocess.run(["ssh", "-F", "none", "-o", f"ControlPath={socket_path}", "-O", "exit", "x"], stderr=subprocess.DEVNULL,
                   check=True)  # fmt: skip
    wait_for(lambda: not setup.is_on())
    # … and when that is killed, which leaves its socket behind.
    assert ssh("echo three") == "three\n"
    check = subprocess.run(["ssh", "-F", "none", "-o", f"ControlPath={socket_path}", "-O", "check", "x"],
                           stderr=subprocess.PIPE, text=True, check=True)  # fmt: skip
    os.kill(int(check.stderr.split("pid=")[1].split(")")[0]), signal.SIGKILL)
    wait_for(lambda: not setup.is_on())
    assert setup.starts() == 2


def test_the_keeper_is_killed_under_a_connection(setup, service):
    """It is not cut: the next keeper hears at once that the machine is in use, and ends it when it is not."""
    service(lambda conn: (conn.sendall(b"x"), exactly(conn, 1), conn.sendall(b"y")))
    p = connect(setup, stdin=subprocess.PIPE, stdout=subprocess.PIPE)
    assert p.stdout.read(1) == b"x"
    for pid in setup.keeper_pids():
        os.kill(pid, signal.SIGKILL)
    time.sleep(3)  # the grace is one second
    assert setup.state() == "ready" and setup.is_on()
    assert p.communicate(b"!", timeout=20)[0] == b"y"
    wait_for(lambda: not setup.is_on())
    assert setup.starts() == 1


def test_put_to_sleep_by_force(setup, service):
    service(lambda conn: (conn.sendall(b"x"), exactly(conn, 1)))
    p = connect(setup, stdin=subprocess.PIPE, stdout=subprocess.PIPE)
    assert p.stdout.read(1) == b"x"
    setup.run("sleep", "--force", "arch", check=0)
    assert not setup.is_on()
    # Who held the lease does not wake it again.
    time.sleep(1.5)
    assert setup.state() == "absent" and setup.starts() == 1
    p.kill()
    p.wait()
