"""Every process of a run is killed at every stage of it, and its connection is cut at any byte; then a plain run brings
the same end state, and no machine is left."""

import json
import os
import random
import re
import signal
import socket
import threading
import time

import pytest
from conftest import World, guids, sh, zfs

STAGES = ("wake", "look", "send", "prove", "mark", "sleep")


def processes():
    """{pid: (parent, command line)}, ours included; straight from /proc, for they are gone in no time."""
    found = {}
    for pid in filter(str.isdigit, os.listdir("/proc")):
        try:
            args = open(f"/proc/{pid}/cmdline", "rb").read().replace(b"\0", b" ").decode(errors="replace")
            parent = open(f"/proc/{pid}/stat").read().rsplit(")", 1)[1].split()[1]
        except OSError:
            continue
        found[int(pid)] = (int(parent), args)
    return found


def below(all_processes, root):
    found, queue = set(), [root]
    while queue:
        one = queue.pop()
        found.add(one)
        queue += [pid for pid, (parent, _) in all_processes.items() if parent == one and pid not in found]
    return found


def zfs_processes():
    found = []
    for pid in filter(str.isdigit, os.listdir("/proc")):
        try:
            if open(f"/proc/{pid}/comm").read() == "zfs\n":
                found.append(int(pid))
        except OSError:
            pass
    return found


def victims(world, run, kind):
    if kind == "zfs":
        return zfs_processes()
    everything = processes()
    if kind == "backup":
        return [run.pid]
    if kind == "keeper":
        return [p for p, (_, args) in everything.items() if "dormouse daemon" in args and str(world.config) in args]
    if kind == "worker":
        return [p for p, (_, args) in everything.items() if "dormouse worker" in args]
    if kind == "program":
        return [p for p, (_, args) in everything.items() if "sshd_machine " in args]
    if kind == "ssh":
        return [p for p in below(everything, run.pid) if re.match(r"(\S*/)?ssh ", everything.get(p, (0, ""))[1])]
    # The machine's side: what serves its sessions, with what runs in them.
    if not world.is_on():
        return []
    sshd = int((world.machine_dir / "sshd.pid").read_text())
    return list(below(everything, sshd) - {sshd})


def killed(world, kind, stage, n):
    """One run with something to do, in which kind is killed at the beginning of stage; how many were, and its end."""
    with open(world.folder / "mnt/home/a/x", "wb") as f:
        f.write(os.urandom((40 if kind == "zfs" else 8) << 20))
    zfs("snapshot", "-r", f"tank/home@{kind}-{stage}-{n}")
    run = world.start("backup", "safe")
    count, lines = 0, []
    ended = threading.Timer(120, run.kill)
    ended.start()
    for line in run.stderr:
        lines.append(line)
        if count == 0 and line.split(" ", 1)[0] == stage:
            until = time.monotonic() + 4
            while count == 0 and time.monotonic() < until and run.poll() is None:
                for pid in victims(world, run, kind):
                    try:
                        os.kill(pid, signal.SIGKILL)
                        count += 1
                    except ProcessLookupError:
                        pass
    run.wait()
    ended.cancel()
    return count, run.returncode, "".join(lines)


def off(world, seconds=60):
    until = time.monotonic() + seconds
    while world.is_on() and time.monotonic() < until:
        time.sleep(0.1)
    return not world.is_on()


@pytest.mark.parametrize(
    "kind, stages, survives",
    [
        ("backup", STAGES, False),
        ("keeper", STAGES, True),
        ("worker", ("wake", "sleep"), False),
        ("program", ("wake", "sleep"), False),
        ("ssh", ("look", "send", "prove"), True),
        ("session", ("look", "send", "prove"), True),
        ("zfs", ("send",), False),
    ],
)
def test_killed(world, kind, stages, survives):
    zfs("create", "tank/home")
    zfs("create", "tank/home/a")
    world.write_config(world.host_key, snapshots="")
    zfs("snapshot", "-r", "tank/home@first")
    world.run("backup", "safe", check=0)
    for n, stage in enumerate(stages):
        count, code, told = killed(world, kind, stage, n)
        assert count > 0, f"nothing was there to be killed at '{stage}':\n{told}"
        if survives:
            assert code == 0, f"{kind} killed at '{stage}': exit {code}\n{told}"
        # The keeper ends what nobody uses; one that was killed has a successor as soon as anybody asks.
        if kind not in ("worker", "program", "keeper"):
            assert off(world), f"{kind} killed at '{stage}' left the machine on\n{told}"
        world.run("backup", "safe", check=0)
        assert off(world), f"after {kind} was killed at '{stage}', the next run left the machine on"
        with world.vault():
            assert guids("tank/home") == guids("vault/backup/tank/home", "vault/backup/"), f"{kind} at {stage}"


class Cutter:
    """A door to the archiver that drops every connection after so many bytes on their way to it, and again, as often
    as there are numbers; then it lets everything through."""

    def __init__(self, port, budgets):
        self.to, self.budgets, self.cuts = port, list(budgets), 0
        self.left = self.budgets.pop(0)
        self.lock, self.open = threading.Lock(), []
        self.listener = socket.create_server(("127.0.0.1", 0))
        self.port = self.listener.getsockname()[1]
        threading.Thread(target=self.serve, daemon=True).start()

    def serve(self):
        while True:
            try:
                client = self.listener.accept()[0]
            except OSError:
                return
            machine = socket.create_connection(("127.0.0.1", self.to))
            self.open += [client, machine]
            threading.Thread(target=self.pass_on, args=(client, machine, True), daemon=True).start()
            threading.Thread(target=self.pass_on, args=(machine, client, False), daemon=True).start()

    def pass_on(self, source, sink, counts):
        try:
            while data := source.recv(1 << 18):
                sink.sendall(data)
                if counts and self.is_over(len(data)):
                    break
            sink.shutdown(socket.SHUT_WR)
        except OSError:
            pass

    def is_over(self, n):
        with self.lock:
            if self.left is None:
                return False
            self.left -= n
            if self.left > 0:
                return False
            self.cuts += 1
            self.left = self.budgets.pop(0) if self.budgets else None
            for one in self.open:
                try:
                    one.shutdown(socket.SHUT_RDWR)
                except OSError:
                    pass
                one.close()
            self.open = []
        return True


def test_cut_at_twenty_bytes(tmp_path_factory):
    """A stream of 1 GiB, cut twenty times: what arrives in the end is the same, byte for byte."""
    seed = int(os.environ.get("DORMOUSE_SEED") or random.randrange(1 << 32))
    draw = random.Random(seed)
    sh("sh", "-c", "echo 300000000 >/sys/module/zfs/parameters/zfs_arc_max")
    world = World(tmp_path_factory.mktemp("cut"), size="1300M")
    cutter = Cutter(world.port, [draw.randrange(5 << 20, 50 << 20) for _ in range(20)])
    try:
        zfs("create", "-o", "compression=off", "tank/home")
        with open(world.folder / "mnt/home/big", "wb") as f:
            for i in range(1 << 15):  # 32 KiB each; the archive compresses them, as a guest has little room
                f.write(f"{i:016x}".encode() * 2048)
        zfs("snapshot", "tank/home@one")
        with world.vault():
            zfs("set", "compression=lz4", "vault/backup")
        world.write_config(world.host_key, snapshots="", more='  compress = "none"\n')
        world.settings["port"] = cutter.port
        world.save_settings()
        runs, sent = 0, 0
        while True:
            done = world.run("backup", "--json", "safe", timeout=1200)
            sent += int(json.loads(done.stdout)["bytes"])
            runs += 1
            if done.returncode == 0:
                break
            assert runs <= 20, f"seed {seed}\n{done.stdout}\n{done.stderr}"
        assert cutter.cuts == 20, f"seed {seed}: cut only {cutter.cuts} times"
        # It went on each time: nothing near twenty halves of it was sent.
        assert 1 << 30 < sent < 2 << 30, f"seed {seed}: {sent} bytes"
        hashes = [sh("sha256sum", world.folder / "mnt/home/big").stdout.split()[0]]
        with world.vault():
            look = world.folder / "look"
            look.mkdir()
            sh("mount", "-t", "zfs", "-o", "ro", "vault/backup/tank/home@one", look)
            hashes.append(sh("sha256sum", look / "big").stdout.split()[0])
            sh("umount", look)
        assert hashes[0] == hashes[1], f"seed {seed}"
    finally:
        cutter.listener.close()
        world.end()
