"""A stream, a connection, memory and idleness through each door to a machine, beside ssh itself, OpenSSH's sshd as a jump
host, and lazyssh. One sshd is the machine for all of them, in turns, so that what disturbs one disturbs all."""

import argparse
import os
import pathlib
import socket
import statistics
import subprocess
import sys
import tempfile
import threading
import time

HERE = pathlib.Path(__file__).resolve()
sys.path.insert(0, str(HERE.parent.parent / "tests" / "cli"))
from conftest import DORMOUSE, Setup, wait_for  # noqa: E402

DIRECT, LOCAL, RELAY = "ssh", "dormouse connect --fdpass", "dormouse connect"
JUMP, SSHD, LAZYSSH = "ssh -J dormouse", "ssh -J sshd", "ssh -J lazyssh"


def free_port():
    with socket.socket() as s:
        s.bind(("127.0.0.1", 0))
        return s.getsockname()[1]


def answers(port):
    """What a server says first, or nothing."""
    try:
        with socket.create_connection(("127.0.0.1", port), timeout=5) as s:
            return s.recv(4)
    except OSError:
        return b""


class Doors:
    def __init__(self, folder, lazyssh):
        self.setup = Setup(folder, linger="1h")
        self.servers, self.proxies, self.roots = [], {}, {}
        self.common = ["ssh", "-F", folder / "ssh_config"]
        (folder / "ssh_config").write_text(
            f"Host *\n  User root\n  IdentityFile {folder}/id\n  IdentitiesOnly yes\n  BatchMode yes\n  LogLevel ERROR\n"
            "  StrictHostKeyChecking no\n  UserKnownHostsFile /dev/null\n"
        )
        self.setup.run("wake", "arch", check=0)  # the others have nothing that could wake it
        self.options = {
            DIRECT: [],
            LOCAL: ["-o", f"ProxyCommand={DORMOUSE} connect --fdpass arch", "-o", "ProxyUseFdpass=yes"],
            RELAY: ["-o", f"ProxyCommand={DORMOUSE} connect arch"],
        }
        self.jump_by_dormouse()
        self.jump_by_sshd()
        if lazyssh:
            self.jump_by_lazyssh(lazyssh)

    def serve(self, way, port, user, *command):
        server = subprocess.Popen(command, env=self.setup.env, stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL,
                                  stderr=subprocess.DEVNULL)  # fmt: skip
        self.servers.append(server)
        self.roots[way] = server.pid
        self.options[way] = ["-J", f"{user}@127.0.0.1:{port}"]
        wait_for(lambda: answers(port) == b"SSH-")

    def jump_by_dormouse(self):
        port, setup = free_port(), self.setup
        key = (setup.folder / "id.pub").read_text().strip()
        setup.config.write_text(
            setup.config.read_text() + f'server {{\n  listen = "127.0.0.1:{port}"\n}}\n'
            f'client "me" {{\n  key = "{key}"\n  allow = ["arch"]\n}}\n'
        )
        self.serve(JUMP, port, "jump", DORMOUSE, "jump")

    def jump_by_sshd(self):
        port, folder = free_port(), self.setup.machine
        text = (folder / "sshd_config").read_text().replace(f"Port {self.setup.port}", f"Port {port}")
        (folder / "jump_config").write_text(text.replace("sshd.pid", "jump.pid"))
        self.serve(SSHD, port, "root", "/usr/sbin/sshd", "-D", "-f", folder / "jump_config")

    def jump_by_lazyssh(self, program):
        port, folder = free_port(), self.setup.folder
        (folder / "lazyssh.hcl").write_text(
            f'server {{\n  listen = "127.0.0.1:{port}"\n  host_key = <<EOF\n{(self.setup.machine / "hostkey").read_text()}EOF\n'
            f'  authorized_key = <<EOF\n{(folder / "id.pub").read_text()}EOF\n}}\n'
            'target "127.0.0.1" "forward" {\n  to = "127.0.0.1"\n}\n'
        )
        self.serve(LAZYSSH, port, "jump", program, "-config", folder / "lazyssh.hcl")

    def ssh(self, way, command):
        place = ["arch"] if way == JUMP else ["-p", str(self.setup.port), "127.0.0.1"]
        return [*self.common, *self.options[way], *place, command]

    def run(self, way, command, **more):
        """Seconds of a whole ssh command."""
        began = time.monotonic()
        subprocess.run(self.ssh(way, command), env=self.setup.env, check=True, **more)
        return time.monotonic() - began

    def upload(self, way, count):
        with subprocess.Popen(["head", "-c", str(count), "/dev/zero"], stdout=subprocess.PIPE) as source:
            return self.run(way, "cat >/dev/null", stdin=source.stdout)

    def download(self, way, count):
        return self.run(way, f"head -c {count} /dev/zero", stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL)

    def connect(self, way):
        return self.run(way, "true", stdin=subprocess.DEVNULL)

    def end(self):
        for server in self.servers:
            server.terminate()
            server.wait()
        self.setup.run("sleep", "--force", "arch")
        self.setup.end()


def in_turns(ways, rounds, measure):
    """{way: [figure of each round]}; each round begins with another one."""
    found = {way: [] for way in ways}
    for turn in range(rounds):
        for way in ways[turn % len(ways) :] + ways[: turn % len(ways)]:
            found[way].append(measure(way))
    return found


def ratio(found, way, base):
    """How many times as fast as base: the median of the rounds, each against its own, which is of nearly the same time."""
    return statistics.median(b / w for w, b in zip(found[way], found[base]))


# --- processes -----------------------------------------------------------------------------------------------------


def field(pid, file, name):
    """In KiB, or a count; 0 of a process that is gone."""
    try:
        for line in pathlib.Path(f"/proc/{pid}/{file}").read_text().splitlines():
            if line.startswith(name + ":"):
                return int(line.split()[1])
    except OSError:
        pass
    return 0


def descendants(root):
    parents = {}
    for path in pathlib.Path("/proc").glob("[0-9]*/stat"):
        try:
            pid, rest = path.read_text().split(" (", 1)
            parents[int(pid)] = int(rest.rsplit(") ", 1)[1].split()[1])
        except OSError:
            pass
    found = {root}
    while more := {pid for pid, parent in parents.items() if parent in found} - found:
        found |= more
    return found


def of_dormouse(doors):
    """All that runs our program on this folder's keeper."""
    found = set()
    for path in pathlib.Path("/proc").glob("[0-9]*"):
        try:
            ours = os.readlink(path / "exe") == os.path.realpath(DORMOUSE)
            if ours and f"DORMOUSE_RUNTIME_DIR={doors.setup.folder}/run".encode() in (path / "environ").read_bytes():
                found.add(int(path.name))
        except OSError:
            pass
    return found


def pss(doors, way):
    pids = descendants(doors.roots[way]) if way in doors.roots else of_dormouse(doors)
    return sum(field(pid, "smaps_rollup", "Pss") for pid in pids)


def per_connection(doors, way, count):
    """KiB that the door's own processes take more with each connection, shared pages dealt out among all."""
    before = pss(doors, way)
    held = []
    for _ in range(count):
        p = subprocess.Popen(doors.ssh(way, "echo; exec cat"), env=doors.setup.env, stdin=subprocess.PIPE, stdout=subprocess.PIPE)
        p.stdout.read(1)
        held.append(p)
    after = pss(doors, way)
    for p in held:
        p.communicate()
    return round((after - before) / count)


def idle(pid, seconds):
    """(KiB resident, KiB of its own, how often any of its threads was woken in a second)"""

    def wakes():
        tasks = pathlib.Path(f"/proc/{pid}/task").iterdir()
        return sum(field(f"{pid}/task/{t.name}", "status", "voluntary_ctxt_switches") for t in tasks)

    time.sleep(2)
    before = wakes()
    time.sleep(seconds)
    return field(pid, "status", "VmRSS"), field(pid, "status", "RssAnon"), (wakes() - before) / seconds


def idle_daemon(folder, seconds, used):
    """The same of a daemon of its own, with a machine that was used before or not."""
    setup = Setup(folder)
    daemon = setup.popen("daemon", stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    try:
        wait_for((folder / "run" / "control.sock").exists)
        for _ in range(used):
            subprocess.run(setup.ssh("true"), env=setup.env, stdin=subprocess.DEVNULL, check=True)
        wait_for(lambda: not setup.is_on())
        return idle(daemon.pid, seconds)
    finally:
        daemon.terminate()
        daemon.wait()
        setup.end()


# --- how soon after the machine answers ---------------------------------------------------------------------------


def first_byte(folder):
    """Milliseconds from the machine's port answering to the first byte at the one who waits for it."""
    setup = Setup(folder)
    setup.save(late=0.7)
    answered = []

    def watch():
        while answers(setup.port) != b"SSH-":
            time.sleep(0.002)
        answered.append(time.monotonic())

    watcher = threading.Thread(target=watch)
    watcher.start()
    try:
        p = setup.popen("connect", "arch", stdin=subprocess.PIPE, stderr=subprocess.DEVNULL)
        p.stdout.read(1)
        heard = time.monotonic()
        watcher.join()
        p.communicate()
        return 1000 * (heard - answered[0])
    finally:
        setup.end()


# --- the tables ----------------------------------------------------------------------------------------------------


def show_streams(up, down, count, times, memory):
    print(f"A stream of {count >> 20} MiB; in brackets, how many times as fast as direct ssh, and how much longer to connect.\n")
    print("| | up MiB/s | down MiB/s | connect ms | KiB per connection |\n|---|---|---|---|---|")
    for way in up:
        cells = [f"{statistics.median((count >> 20) / s for s in found[way]):.0f} ({ratio(found, way, DIRECT):.2f})"
                 for found in (up, down)]  # fmt: skip
        cells.append(f"{1000 * statistics.median(times[way]):.0f} ({ratio(times, DIRECT, way):.2f})")
        print(f"| {way} | {' | '.join(cells)} | {memory[way]} |")


def main():
    p = argparse.ArgumentParser()
    p.add_argument("--rounds", type=int, default=5)
    p.add_argument("--mib", type=int, default=256)
    p.add_argument("--connections", type=int, default=20)
    p.add_argument("--idle", type=int, default=20, metavar="SECONDS")
    p.add_argument("--lazyssh", metavar="PROGRAM")
    args = p.parse_args()
    version = subprocess.run(["ssh", "-V"], stderr=subprocess.PIPE, text=True, check=True).stderr.split(",")[0]
    print(f"{version}, {args.rounds} rounds in turns, {os.cpu_count()} processors, medians.\n")
    with tempfile.TemporaryDirectory(prefix="d") as name:
        folder = pathlib.Path(name)
        for part in ("doors", "fresh", "used"):
            (folder / part).mkdir()
        fresh = idle_daemon(folder / "fresh", args.idle, 0)
        used = idle_daemon(folder / "used", args.idle, args.connections)
        soon = []
        for turn in range(args.rounds):
            (folder / f"late{turn}").mkdir()
            soon.append(first_byte(folder / f"late{turn}"))
        doors = Doors(folder / "doors", args.lazyssh)
        try:
            ways = list(doors.options)
            listeners = {way: idle(doors.roots[way], args.idle) for way in (JUMP, LAZYSSH) if way in ways}
            times = in_turns(ways, args.connections, doors.connect)
            memory = {way: "" if way == DIRECT else per_connection(doors, way, args.connections) for way in ways}
            up = in_turns(ways, args.rounds, lambda way: doors.upload(way, args.mib << 20))
            down = in_turns(ways, args.rounds, lambda way: doors.download(way, args.mib << 20))
        finally:
            doors.end()
    show_streams(up, down, args.mib << 20, times, memory)
    print("\n| | resident KiB | not shared with files | wake-ups per second |\n|---|---|---|---|")
    rows = {"dormouse daemon": fresh, f"dormouse daemon after {args.connections} machine starts": used,
            "dormouse jump": listeners[JUMP], "lazyssh": listeners.get(LAZYSSH)}  # fmt: skip
    for name, row in rows.items():
        if row:
            print(f"| {name}, idle | {row[0]} | {row[1]} | {row[2]:.2f} |")
    print(f"\nFrom the machine's port answering to the first byte: {statistics.median(soon):.0f} ms ({max(soon):.0f} at most).")


main()
