"""A machine's whole life as people see it: queued across a stop, ready, refused, limited, ended; and what is left when
everything is killed."""

import json
import os
import pathlib
import signal
import subprocess
import time

from conftest import wait_for


def change(setup, *lines, **more):
    """The configuration with these lines in the target's block."""
    setup.write_config(**more)
    setup.config.write_text(setup.config.read_text().replace("  linger", "".join(f"  {line}\n" for line in lines) + "  linger"))


def log(setup):
    path = setup.machine / "log"
    return path.read_text().split() if path.exists() else []


def kill(pids, sig=signal.SIGKILL):
    for pid in pids:
        try:
            os.kill(pid, sig)
        except ProcessLookupError:
            pass


def ours(setup):
    """Every process that has this test's folder in its arguments or its environment, but for ourselves."""
    found = {}
    for path in pathlib.Path("/proc").glob("[0-9]*"):
        try:
            text = (path / "cmdline").read_bytes() + b"\0" + (path / "environ").read_bytes()
        except OSError:
            continue
        if os.fsencode(setup.folder) in text and int(path.name) != os.getpid():
            found[int(path.name)] = text.split(b"\0")[:3]
    return found


def test_who_comes_while_it_stops_waits_and_gets_it(setup):
    setup.save(delay_stop=2)
    first = setup.popen("wake", "arch")
    assert first.wait(30) == 0
    wait_for(lambda: setup.state() == "stopping")
    done = setup.run("wake", "arch", check=0)
    assert "just going to sleep" in done.stdout + done.stderr
    assert setup.starts() == 2


def test_sleep_is_over_though_somebody_waits_for_the_next(setup):
    setup.write_config(linger="1h")
    setup.run("wake", "arch", check=0)
    setup.save(delay_stop=2)
    sleep = setup.popen("sleep", "--force", "arch")
    wait_for(lambda: setup.state() == "stopping")
    ssh = subprocess.Popen(setup.ssh("sleep 1000"), env=setup.env, stdin=subprocess.DEVNULL)
    assert sleep.wait(30) == 0
    wait_for(lambda: setup.state() == "ready")
    ssh.kill()
    ssh.wait()


def test_ready_is_what_its_command_says(setup):
    flag = setup.folder / "flag"
    change(setup, f'ready = ["test", "-e", "{flag}"]')
    wake = setup.popen("wake", "arch")
    wait_for(setup.is_on)
    wait_for(lambda: "waiting until it is ready" in setup.run("machines", "--json").stdout)
    assert wake.poll() is None and setup.state() == "preparing"
    flag.touch()
    assert wake.wait(30) == 0


def test_never_ready(setup):
    change(setup, 'ready = ["sh", "-c", "echo not yet >&2; exit 7"]')
    setup.config.write_text(setup.config.read_text().replace('start_timeout = "10s"', 'start_timeout = "6s"'))
    done = setup.run("wake", "arch", check=2)
    assert "does not get ready" in done.stderr and "exit code 7: not yet" in done.stderr, done.stderr
    wait_for(lambda: not setup.is_on())


def test_a_wrong_host_key_without_pools(setup):
    subprocess.run(["ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-f", setup.folder / "other"], check=True)
    setup.write_config(host_key=(setup.folder / "other.pub").read_text().rsplit(" ", 1)[0])
    done = setup.run("wake", "arch", check=2)
    assert "host key" in done.stderr.lower(), done.stderr
    wait_for(lambda: not setup.is_on())


def test_the_key_is_shown_on_the_connection_that_was_greeted(setup):
    setup.write_config(linger="1h")
    setup.run("wake", "arch", check=0)
    text = (setup.machine / "sshd.log").read_text()
    assert sum("[preauth]" in line or "Connection" in line for line in text.splitlines()) == 1, text


def test_each_their_own(setup):
    """The machine of these tests is one; what is looked at is that two people are two starts with two tokens."""
    change(setup, "shared = false")
    ssh = [subprocess.Popen(setup.ssh("sleep 1000"), env=setup.env, stdin=subprocess.DEVNULL) for _ in range(2)]
    wait_for(lambda: log(setup).count("start") == 2)
    wait_for(lambda: len(json.loads(setup.run("machines", "--json").stdout)) == 2)
    for one in ssh:
        one.kill()
        one.wait()
    wait_for(lambda: log(setup).count("stop") >= 2 and setup.state() == "absent")
    assert not setup.is_on()


def test_the_next_caller_is_told_at_once_why_not(setup):
    setup.save(fail={"start": "no such luck"})
    setup.run("wake", "arch", check=2)
    wait_for(lambda: setup.state() == "absent")
    tries = log(setup).count("start")
    done = setup.run("connect", "arch:22")
    assert done.returncode != 0
    assert "no such luck" in done.stderr and "tried again in" in done.stderr and "dormouse wake arch" in done.stderr
    assert log(setup).count("start") == tries
    # A person insists.
    setup.save(fail={})
    setup.run("wake", "arch", check=0)


def test_so_many_starts_and_no_more(setup):
    change(setup, "starts_per_hour = 2")
    for _ in range(2):
        setup.run("wake", "arch", check=0)
        wait_for(lambda: setup.state() == "absent")
    for _ in range(2):
        done = setup.run("wake", "arch", check=4)
        assert "started too often" in done.stderr and "machines --starts" in done.stderr, done.stderr
        # It is not forgotten with the keeper.
        kill(setup.keeper_pids())
    assert setup.starts() == 2


def test_who_started_what(setup):
    setup.run("wake", "arch", check=0)
    wait_for(lambda: setup.state() == "absent")
    setup.save(fail={"start": "no such luck"})
    setup.run("wake", "arch", check=2)
    kill(setup.keeper_pids())
    starts = json.loads(setup.run("machines", "--starts", "--json", check=0).stdout)
    assert [s["target"] for s in starts] == ["arch", "arch"]
    assert starts[0]["error"] == "" and "no such luck" in starts[1]["error"] and starts[0]["who"]
    text = setup.run("machines", "--starts", check=0).stdout
    assert "failed: no such luck" in text and starts[0]["who"] in text


def test_no_longer_than_it_may(setup):
    change(setup, 'max_lifetime = "3s"', linger="1h")
    ssh = subprocess.Popen(setup.ssh("sleep 1000"), env=setup.env, stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL,
                           stderr=subprocess.DEVNULL)  # fmt: skip
    wait_for(setup.is_on)
    wait_for(lambda: not setup.is_on())
    assert ssh.wait(30) != 0
    assert "max_lifetime" in setup.run("machines", "--json").stdout


def test_no_watchdog_on_our_own_host(setup):
    """What is reached over ssh here is the very machine that this runs on: it must not be switched off."""
    change(setup, 'watchdog = "1m"')
    watch = pathlib.Path("/run/dormouse-watchdog")
    before = watch.read_text() if watch.exists() else None
    try:
        done = setup.run("wake", "arch", check=2)
        assert "the host itself that dormouse runs on" in done.stderr and "watchdog" in done.stderr
        wait_for(lambda: not setup.is_on())
        assert (watch.read_text() if watch.exists() else None) == before
    finally:
        # Were one there after all, this ends it.
        if watch.exists() and watch.read_text() != before:
            watch.write_text("nobody")


def test_reap(setup):
    setup.run("reap", check=0)
    # 1: it ran, and nobody knew of it.
    subprocess.run(["/usr/sbin/sshd", "-f", setup.machine / "sshd_config", "-E", setup.machine / "sshd.log"], check=True)
    wait_for(setup.is_on)
    done = setup.run("reap", check=1)
    assert done.stdout.startswith("arch: ") and not setup.is_on()
    setup.run("reap", check=0)
    # 2: nobody can tell.
    setup.save(fail={"list": "it is a secret"})
    done = setup.run("reap", check=2)
    assert "does not tell" in done.stdout
    assert json.loads(setup.run("reap", "--json", check=2).stdout)[0]["may_run"] is True


def test_limits_of_a_client(setup):
    import socket

    setup.write_config()
    setup.config.write_text(setup.config.read_text() + "limits {\n  connections = 1\n}\n")
    keeper = setup.popen("daemon")
    path = setup.folder / "run" / "control.sock"
    wait_for(path.exists)

    def ask(client):
        s = socket.socket(socket.AF_UNIX)
        s.settimeout(30)
        s.connect(str(path))
        s.sendall(json.dumps({"op": "lease", "target": "arch", "client": client}).encode() + b"\n")
        for line in s.makefile():
            if json.loads(line)["event"] != "progress":
                return s, json.loads(line)
        raise AssertionError("no answer")

    first, answer = ask("eve")
    assert answer["event"] == "ready"
    second, answer = ask("eve")
    assert answer["kind"] == "busy" and "client 'eve' has 1 connections" in answer["what"], answer
    third, answer = ask("adam")
    assert answer["event"] == "ready"
    first.close()
    fourth, answer = ask("eve")
    assert answer["event"] == "ready"
    for s in (second, third, fourth):
        s.close()
    keeper.terminate()
    assert keeper.wait(20) == 0


def test_everything_is_killed(setup):
    """Workers, keeper and clients, at several moments: after the stated time nothing is left."""
    setup.save(delay=0.5)
    setup.env.update(DORMOUSE_DOUBT_MS="6000", DORMOUSE_LOOK_MS="3000")
    for pause in (0.1, 0.4, 0.8, 1.2):
        for whom in ("worker", "daemon", "wake"):
            wake = setup.popen("wake", "arch")
            time.sleep(pause)
            kill(pid for pid, argv in ours(setup).items() if whom.encode() in argv[1:2])
            wake.communicate(timeout=30)
    setup.run("machines", check=0)  # a keeper, if there is none
    wait_for(lambda: not setup.is_on() and setup.state() == "absent", 30)
    # It goes by itself, and takes all with it; what a killed start does later is found by looking, for so long.
    wait_for(lambda: not ours(setup), 30)
    assert not setup.is_on()


def test_no_descriptor_is_left(setup):
    keeper = setup.popen("daemon")
    wait_for(lambda: (setup.folder / "run" / "control.sock").exists())

    def count():
        return len(os.listdir(f"/proc/{keeper.pid}/fd"))

    setup.run("wake", "arch", check=0)
    wait_for(lambda: setup.state() == "absent")
    before = count()
    for sig in (signal.SIGKILL, signal.SIGTERM):
        ssh = subprocess.Popen(setup.ssh("sleep 1000"), env=setup.env, stdin=subprocess.DEVNULL)
        wait_for(lambda: setup.state() == "ready")
        ssh.send_signal(sig)
        ssh.wait()
        wait_for(lambda: setup.state() == "absent")
    setup.save(delay=1)
    for _ in range(2):
        wake = setup.popen("wake", "arch")
        wait_for(lambda: any(argv[1:2] == [b"worker"] for argv in ours(setup).values()))
        kill(pid for pid, argv in ours(setup).items() if argv[1:2] == [b"worker"])
        wake.communicate(timeout=30)
        wait_for(lambda: setup.state() == "absent")
    wait_for(lambda: count() <= before)
    keeper.terminate()
    assert keeper.wait(20) == 0
