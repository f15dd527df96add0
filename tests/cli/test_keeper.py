"""Machines that wake and sleep, leases that end with their holders, and a keeper that may die at any time."""

import contextlib
import json
import os
import signal
import socket
import sqlite3
import subprocess
import time

from conftest import Setup, no_descriptors, wait_for


def children(pid):
    with open(f"/proc/{pid}/task/{pid}/children") as f:
        return f.read().split()


def test_wake_and_gone_again(setup):
    done = setup.run("wake", "arch", check=0)
    assert "arch is on" in done.stdout
    wait_for(lambda: setup.state() == "absent")
    assert not setup.is_on() and setup.starts() == 1


def test_linger_and_sleep(setup):
    setup.write_config(linger="1h")
    setup.run("wake", "arch", check=0)
    assert setup.state() == "lingering"
    assert setup.is_on()
    setup.run("wake", "arch", check=0)
    assert setup.starts() == 1
    assert "arch is off" in setup.run("sleep", "arch", check=0).stdout
    assert not setup.is_on()


def test_ssh_through_both_doors(setup):
    for fdpass in (True, False):
        done = subprocess.run(setup.ssh("cat; echo done >&2", fdpass=fdpass), env=setup.env, input="x" * 300000, text=True,
                              capture_output=True, timeout=60, check=False)  # fmt: skip
        assert done.returncode == 0, done.stderr
        assert done.stdout == "x" * 300000 and "done" in done.stderr
        wait_for(lambda: not setup.is_on())
    assert setup.starts() == 2


def test_a_killed_client_leaves_no_machine(setup):
    ssh = subprocess.Popen(setup.ssh("sleep 1000"), env=setup.env, stdin=subprocess.DEVNULL)
    wait_for(lambda: setup.is_on() and setup.state() == "ready")
    time.sleep(0.3)
    assert setup.is_on()
    ssh.kill()
    ssh.wait()
    wait_for(lambda: not setup.is_on())


def test_a_client_killed_while_it_waits(setup):
    setup.save(delay=3)
    wake = setup.popen("wake", "arch")
    wait_for(lambda: (setup.machine / "log").exists() and "start" in (setup.machine / "log").read_text())
    wake.kill()
    wake.wait()
    wait_for(lambda: setup.state() == "absent")
    time.sleep(3.5)
    assert not setup.is_on()


def test_two_at_once_one_start(setup):
    setup.save(delay=1)
    waiting = [setup.popen("wake", "arch") for _ in range(5)]
    assert [w.wait(30) for w in waiting] == [0] * 5
    assert setup.starts() == 1
    wait_for(lambda: not setup.is_on())


def test_a_start_that_fails(setup):
    setup.save(fail={"start": "no such luck"})
    done = setup.run("wake", "arch", check=2)
    assert "no such luck" in done.stderr and "hint: look at machine.json" in done.stderr
    wait_for(lambda: setup.state() == "absent")
    machine = json.loads(setup.run("machines", "--json").stdout)[0]
    assert machine["error"]["what"] == "no such luck" if "error" in machine else True
    setup.save(fail={})
    setup.run("wake", "arch", check=0)


def test_a_start_that_fails_harms_no_other(setup):
    """The keeper goes on, and what it has does."""
    (setup.folder / "v").mkdir()
    other = Setup(setup.folder / "v", name="vault")
    setup.write_config(linger="1h")
    setup.config.write_text(setup.config.read_text() + other.config.read_text())
    setup.run("wake", "arch", check=0)
    (keeper,) = setup.keeper_pids()
    other.save(fail={"start": "no such luck"})
    assert "no such luck" in setup.run("wake", "vault", check=2).stderr
    machines = json.loads(setup.run("machines", "--json").stdout)
    assert [m["state"] for m in machines if m["target"] == "arch"] == ["lingering"]
    assert setup.keeper_pids() == [keeper] and setup.is_on()


def test_a_wrong_host_key_is_refused(setup):
    subprocess.run(["ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-f", setup.folder / "other"], check=True)
    setup.write_config(host_key=(setup.folder / "other.pub").read_text().rsplit(" ", 1)[0])
    # Whoever only connects sees no byte of it: what he runs may not check the key.
    for words in (["connect", "arch"], ["wake", "arch"]):
        done = setup.run(*words, check=2)
        assert "host key" in done.stderr.lower() and done.stdout == "", done.stderr
        wait_for(lambda: not setup.is_on())


def test_the_right_host_key_needs_no_login(setup):
    (setup.machine / "authorized_keys").write_text("")
    with setup.popen("connect", "arch", stdin=subprocess.PIPE) as p:
        assert p.stdout.readline().startswith("SSH-2.0-")
    wait_for(lambda: not setup.is_on())


def test_keeper_killed_while_ready(setup):
    ssh = subprocess.Popen(setup.ssh("sleep 3; echo alive"), env=setup.env, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
                           text=True)  # fmt: skip
    wait_for(lambda: setup.is_on() and setup.state() == "ready")
    for pid in setup.keeper_pids():
        os.kill(pid, signal.SIGKILL)
    # An established connection is not cut: the next keeper finds the machine, and whoever uses it comes back.
    assert ssh.communicate(timeout=20)[0] == "alive\n"
    wait_for(lambda: not setup.is_on())
    assert setup.starts() == 1


def test_keeper_killed_at_any_time(setup):
    setup.save(delay=0.5)
    for pause in (0.05, 0.2, 0.4, 0.6, 0.8, 1.0, 1.3):
        wake = setup.popen("wake", "arch")
        time.sleep(pause)
        for pid in setup.keeper_pids():
            os.kill(pid, signal.SIGKILL)
        wake.wait(30)
        setup.run("machines", check=0)  # starts another keeper
        wait_for(lambda: not setup.is_on() and setup.state() == "absent", 30)
    setup.run("wake", "arch", check=0)


def test_keeper_killed_while_it_ends(setup):
    """It goes on ending: nobody has it, and in a cloud its disks may be going already."""
    setup.save(delay_stop=2)
    setup.run("wake", "arch", check=0)
    wait_for(lambda: setup.state() == "stopping")
    for pid in setup.keeper_pids():
        os.kill(pid, signal.SIGKILL)
    log = setup.machine / "log"
    before = len(log.read_text().splitlines())
    assert setup.state() in ("draining", "stopping")
    wait_for(lambda: setup.state() == "absent")
    after = log.read_text().splitlines()[before:]
    assert after and not [line for line in after if "describe" in line or "start" in line], after


def test_the_state_database_is_lost(setup):
    setup.write_config(linger="1h")
    setup.run("wake", "arch", check=0)
    for pid in setup.keeper_pids():
        os.kill(pid, signal.SIGKILL)
    for name in ("state.db", "state.db-wal", "state.db-shm"):
        (setup.folder / "state" / name).unlink(missing_ok=True)
    setup.write_config(linger="0s")
    setup.run("machines", check=0)
    wait_for(lambda: not setup.is_on())


def test_the_target_is_gone_from_the_file(setup):
    setup.write_config(linger="1h")
    setup.run("wake", "arch", check=0)
    for pid in setup.keeper_pids():
        os.kill(pid, signal.SIGKILL)
    setup.config.write_text("")
    setup.run("machines", check=0)
    assert "arch" in setup.run("machines", check=0).stdout
    setup.config.write_text('target "arch" "exec" {\n  command = ["false"]\n}\n')
    setup.run("sleep", "--force", "arch", check=0)
    assert not setup.is_on()


def test_keeper_told_to_end_leaves_nothing(setup):
    setup.write_config(linger="1h")
    setup.run("wake", "arch", check=0)
    pids = setup.keeper_pids()
    os.kill(pids[0], signal.SIGTERM)
    wait_for(lambda: not setup.is_on())
    wait_for(lambda: not setup.keeper_pids())


def test_one_keeper_only(setup):
    keeper = setup.popen("daemon")
    wait_for(lambda: (setup.folder / "run" / "control.sock").exists())
    done = setup.run("daemon", check=4)
    assert "another keeper" in done.stderr and "hint:" in done.stderr
    keeper.terminate()
    assert keeper.wait(10) == 0


def test_idle_keeper_ends(setup):
    setup.run("machines", check=0)
    wait_for(lambda: not setup.keeper_pids(), 10)


def test_garbage_on_the_socket(setup):
    keeper = setup.popen("daemon")
    path = setup.folder / "run" / "control.sock"
    wait_for(path.exists)
    for junk in (b"\n", b"{}\n", b'{"op":"open"}\n', b"\xff\x00\n", b'{"op":"machines","x":1}\n', b"[" * 100000 + b"\n"):
        with socket.socket(socket.AF_UNIX) as s:
            s.connect(str(path))
            s.sendall(junk)
            assert b'"event":"error"' in s.recv(4096)
    assert setup.state() == "absent"
    keeper.terminate()
    keeper.wait(10)


def test_more_clients_than_there_is_room_for(setup):
    setup.run("machines", check=0)  # starts a keeper
    with contextlib.ExitStack() as all_of_them:
        for _ in range(500):
            one = all_of_them.enter_context(socket.socket(socket.AF_UNIX))
            one.connect(str(setup.folder / "run" / "control.sock"))
        done = setup.run("machines", check=4)
        assert "500 others are using or asking for machines" in done.stderr and "hint:" in done.stderr, done.stderr
    assert setup.state() == "absent"


def test_no_descriptors_are_left(setup):
    log = setup.folder / "log"
    with log.open("w") as stderr:
        keeper = setup.popen("daemon", stderr=stderr)
    path, asked = str(setup.folder / "run" / "control.sock"), setup.machine / "log"
    wait_for(lambda: os.path.exists(path) and asked.exists() and not children(keeper.pid))
    with no_descriptors(keeper.pid), socket.socket(socket.AF_UNIX) as asking:
        asking.connect(path)
        wait_for(lambda: "no descriptors are left" in log.read_text())
    assert log.read_text().count("no descriptors are left") == 1, log.read_text()
    # Who asks gets an answer when there are some again.
    assert setup.state() == "absent"
    keeper.terminate()
    assert keeper.wait(20) == 0


def test_a_program_that_talks_without_end(setup):
    program = setup.folder / "talks"
    program.write_text(
        '#!/bin/sh\nread -r request\ncase $request in *\'"start"\'*) yes \'{"progress":"on\\u001b[2J and on"}\';; esac\n'
        'echo \'{"ok":true,"machines":[]}\'\n'
    )
    program.chmod(0o755)
    setup.config.write_text(f'target "arch" "exec" {{\n  command = ["{program}"]\n  start_timeout = "3s"\n}}\n')
    wake = setup.popen("wake", "arch")
    wait_for(lambda: setup.state() == "starting")
    # The keeper has time for others, and for the clock.
    assert setup.state() == "starting"
    out, err = wake.communicate(timeout=30)
    assert wake.returncode != 0 and "did not answer in time" in err and 0 < err.count("on [2J and on") <= 80


def test_starts_of_a_client(setup):
    with setup.config.open("a") as f:
        f.write("limits {\n  starts_per_hour = 1\n}\n")
    keeper = setup.popen("daemon")
    path = setup.folder / "run" / "control.sock"
    wait_for(path.exists)

    def lease():
        with socket.socket(socket.AF_UNIX) as s:
            s.connect(str(path))
            s.sendall(b'{"op":"lease","target":"arch","client":"me"}\n')
            with s.makefile() as f:
                last = next(line for line in f if '"progress"' not in line)
        wait_for(lambda: setup.state() == "absent")
        return last

    assert '"ready"' in lease()
    assert "has 1 starts within the last hour" in lease()
    # They were made by a clock that has been wrong: it says nothing about the last hour.
    keeper.terminate()
    keeper.wait(10)
    with contextlib.closing(sqlite3.connect(setup.folder / "state" / "state.db")) as db:
        db.execute("UPDATE start SET at = at + 400000000")
        db.commit()
    keeper = setup.popen("daemon")
    wait_for(path.exists)
    assert '"ready"' in lease()
    keeper.terminate()
    keeper.wait(10)


def test_usage(setup):
    assert setup.run("wake", check=3).stderr.startswith("dormouse: name one target")
    assert "there is no target 'x'" in setup.run("wake", "x", check=3).stderr
    assert "there is no command 'wak'" in setup.run("wak", check=3).stderr
    assert "unknown option '--frob'" in setup.run("wake", "--frob", "arch", check=3).stderr
    for words in (["cat", "a:/b", "a:/c"], ["ls", "a", "b"], ["find", "a", "b", "c"], ["diff", "a@b", "@c", "d"],
                  ["restore", "a", "b", "--to", "c"], ["list", "a", "b"], ["history", "a", "b"], ["status", "a"],
                  ["machines", "a", "b"], ["reap", "a"], ["check", "a"], ["snapshot", "a"]):  # fmt: skip
        assert "is one word too many" in setup.run(*words, check=3).stderr
    assert "there is no target 'x'" in setup.run("machines", "x", check=3).stderr
    for command in ("ls", "find", "cat", "repair", "explain", "ssh-config", "connect"):
        assert f"{command} has no --json\nhint: usage:" in setup.run(command, "--json", "x", check=3).stderr
    setup.config.write_text("snapshots { }\n")
    assert "1:1: warning: this 'snapshots' block names no label, so it does nothing\n" in setup.run("check", check=0).stderr
    setup.config.write_text("snapshots {\n  hourly = 0\n}\n")
    assert setup.run("check", check=0).stderr == ""
    setup.config.write_text("lingr = 5\n")
    done = setup.run("wake", "arch", check=3)
    assert "1:1: unknown attribute 'lingr'" in done.stderr
    assert "cannot open" in setup.run("check", "-c", "/nowhere", check=3).stderr
    assert "usage:" in setup.run("backup", "--help", check=0).stdout
    assert setup.run("version", check=0).stdout.startswith("dormouse ")


def test_help_fits_a_terminal(setup):
    commands = [line.split()[0] for line in setup.run("help", check=0).stdout.splitlines() if line.startswith("  ")]
    assert len(commands) > 15 and "repair" in commands
    for command in set(commands) - {"version"}:
        text = setup.run(command, "--help", check=0).stdout
        assert text.startswith("usage: dormouse " + command) and all(len(line) <= 80 for line in text.splitlines()), text
    assert "  ProxyUseFdpass yes\n" in setup.run("connect", "--help").stdout
    assert "hint: usage: dormouse ls" in setup.run("ls", "--nirvana", check=3).stderr


def test_one_run_at_a_time_whatever_becomes_of_the_keeper(setup):
    setup.config.write_text(
        setup.config.read_text()
        + f'backup "x" {{\n  source = "tank/x"\n  destination = "arch:vault"\n'
        f'  before = ["sh", "-c", "touch {setup.folder}/began; exec sleep 60"]\n}}\n'
    )
    first = setup.popen("backup", "x")
    wait_for((setup.folder / "began").exists)
    for pid in setup.keeper_pids():
        os.kill(pid, signal.SIGKILL)
    for words in (["backup", "x"], ["repair", "tank/x", "--keep-both", "--yes"]):
        second = setup.run(*words, check=4)
        assert "backup 'x' is running already" in second.stderr and "hint:" in second.stderr
    first.terminate()  # and that is not waited for
    assert "told to end" in first.communicate(timeout=20)[1]
